/* SPDX-License-Identifier: Apache-2.0 */
/* params.c: what lives as long as a decoder: weights, adapters, their gradients and working copies.
 *
 * Frozen matrices stay where they are mapped.  Norms and biases are F32
 * copies.  What is trained has an F32 value and gradient, and a copy in the
 * activation type to multiply with where that is not F32.
 */
#include "config.h"

#include <string.h>

#include "lm/decoder/decoder-private.h"

typedef enum
{
  PART_MATRIX,
  PART_BIAS,
  PART_NORM
} PartKind;

/* Where the tensor of a role belongs: @offset in LmLayer, or in LmDecoder when there is one for
 * all. */
typedef struct
{
  PartKind kind;
  gsize offset;
} Part;

#define LINEAR(i) (offsetof (LmLayer, linears) + (i) * sizeof (LmLinear))

static const Part parts[LM_N_WEIGHTS] = {
  [LM_W_EMBED] = { PART_MATRIX, offsetof (LmDecoder, embed) },
  [LM_W_FINAL_NORM] = { PART_NORM, offsetof (LmDecoder, final_norm) },
  [LM_W_HEAD] = { PART_MATRIX, offsetof (LmDecoder, head) },
  [LM_W_INPUT_NORM] = { PART_NORM, offsetof (LmLayer, input_norm) },
  [LM_W_Q] = { PART_MATRIX, LINEAR (LM_LINEAR_Q) },
  [LM_W_K] = { PART_MATRIX, LINEAR (LM_LINEAR_K) },
  [LM_W_V] = { PART_MATRIX, LINEAR (LM_LINEAR_V) },
  [LM_W_O] = { PART_MATRIX, LINEAR (LM_LINEAR_O) },
  [LM_W_Q_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_Q) },
  [LM_W_K_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_K) },
  [LM_W_V_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_V) },
  [LM_W_O_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_O) },
  [LM_W_Q_NORM] = { PART_NORM, offsetof (LmLayer, q_norm) },
  [LM_W_K_NORM] = { PART_NORM, offsetof (LmLayer, k_norm) },
  [LM_W_POST_NORM] = { PART_NORM, offsetof (LmLayer, post_norm) },
  [LM_W_GATE] = { PART_MATRIX, LINEAR (LM_LINEAR_GATE) },
  [LM_W_UP] = { PART_MATRIX, LINEAR (LM_LINEAR_UP) },
  [LM_W_DOWN] = { PART_MATRIX, LINEAR (LM_LINEAR_DOWN) },
  [LM_W_GATE_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_GATE) },
  [LM_W_UP_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_UP) },
  [LM_W_DOWN_BIAS] = { PART_BIAS, LINEAR (LM_LINEAR_DOWN) },
};

/* A matrix of the backend's that the decoder has to release. */
typedef struct
{
  gpointer data;
  gsize bytes;
} Import;

static gpointer
part_of (LmDecoder *d, LmWeightRole role, guint layer)
{
  char *base = lm_weights[role].per_layer ? (char *) &d->layers[layer] : (char *) d;

  return base + parts[role].offset;
}

guint
lm_linear_of_role (LmWeightRole role)
{
  return (guint) ((parts[role].offset - LINEAR (0)) / sizeof (LmLinear));
}

guint *
lm_lora_ranks (const LmConfig *config, LmLora *lora, guint *low)
{
  guint *ranks;

  *low = 0;
  if (!lora || lora->modules->len == 0)
    return NULL;
  ranks = g_new0 (guint, (gsize) config->n_layers * LM_N_LINEARS);
  *low = config->n_layers;
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      ranks[(gsize) m->layer * LM_N_LINEARS + lm_linear_of_role (m->role)] = m->rank;
      *low = MIN (*low, m->layer);
    }
  return ranks;
}

/* ---- the plan ------------------------------------------------------------------------------ */

static void
plan_weight (GArray *plan, const LmConfig *config, LmTrain train, LmWeightRole role, guint layer)
{
  LmHeld held = { .role = role, .layer = layer, .trained = train == LM_TRAIN_FULL };

  if ((role == LM_W_HEAD && config->tied) || !lm_weight_shape (config, role, &held.rows, &held.cols)
      || (parts[role].kind == PART_MATRIX && !held.trained))
    return;
  held.rows = MAX (held.rows, 1);
  g_array_append_val (plan, held);
}

static void
plan_module (GArray *plan, LmTrain train, const LmLoraModule *m)
{
  LmHeld held
      = { .role = m->role, .layer = m->layer, .module = m, .trained = train == LM_TRAIN_LORA };

  held.rows = m->rank;
  held.cols = m->in;
  g_array_append_val (plan, held);
  held.half_b = TRUE;
  held.rows = m->out;
  held.cols = m->rank;
  g_array_append_val (plan, held);
}

GArray *
lm_held_plan (const LmConfig *config, LmTrain train, LmLora *lora)
{
  GArray *plan = g_array_new (FALSE, TRUE, sizeof (LmHeld));

  plan_weight (plan, config, train, LM_W_EMBED, 0);
  for (guint l = 0; l < config->n_layers; l++)
    for (guint role = 0; role < LM_N_WEIGHTS; role++)
      if (lm_weights[role].per_layer)
        plan_weight (plan, config, train, role, l);
  plan_weight (plan, config, train, LM_W_FINAL_NORM, 0);
  plan_weight (plan, config, train, LM_W_HEAD, 0);
  for (guint i = 0; lora && i < lora->modules->len; i++)
    plan_module (plan, train, g_ptr_array_index (lora->modules, i));
  return plan;
}

gsize
lm_held_place (GArray *plan, LmType act, gpointer base)
{
  gsize used = 0;

  for (guint i = 0; i < plan->len; i++)
    {
      LmHeld *h = &g_array_index (plan, LmHeld, i);
      gboolean matrix = h->module || parts[h->role].kind == PART_MATRIX;

      if (h->trained || !matrix || act == LM_F32)
        h->value
            = lm_mat (lm_place (base, &used, LM_F32, h->rows, h->cols), LM_F32, h->rows, h->cols);
      if (h->trained)
        h->grad
            = lm_mat (lm_place (base, &used, LM_F32, h->rows, h->cols), LM_F32, h->rows, h->cols);
      h->working = h->value;
      if (matrix && act != LM_F32)
        h->working = lm_mat (lm_place (base, &used, act, h->rows, h->cols), act, h->rows, h->cols);
    }
  return used == G_MAXSIZE ? 0 : used;
}

/* ---- filling ------------------------------------------------------------------------------- */

/* Through a piece of host memory. */
void
lm_fill_mat (LmCompute *c, LmMat dst, LmType from, gconstpointer src)
{
  gsize most = MAX (1, ((gsize) 1 << 20) / MAX (dst.cols, 1)), n;
  g_autofree gpointer piece = g_malloc (MIN (most, dst.rows) * lm_type_bytes (dst.type, dst.cols));

  for (gsize r = 0; r < dst.rows; r += n)
    {
      LmMat to;

      n = MIN (most, dst.rows - r);
      to = lm_mat_rows (dst, r, n);
      lm_convert (from, (const char *) src + r * lm_type_bytes (from, dst.cols), dst.type, piece,
                  n * dst.cols);
      c->klass->upload (c, to.data, piece, n * lm_type_bytes (dst.type, dst.cols));
    }
}

static const LmTensor *
tensor_of (LmDecoder *d, LmWeightRole role, guint layer, GError **error)
{
  const LmTensor *tensor = lm_model_weight (d->model, role, layer);
  g_autofree char *name = NULL;

  if (tensor && tensor->data)
    return tensor;
  name = lm_weight_name (role, layer);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: tensor %s is missing", lm_model_name (d->model),
               name);
  return NULL;
}

static gboolean
fill_held (LmDecoder *d, const LmHeld *h, GError **error)
{
  const LmTensor *tensor = NULL;
  LmType from = LM_F32;
  gconstpointer data;

  if (h->module)
    data = h->half_b ? h->module->b : h->module->a;
  else
    {
      if (!(tensor = tensor_of (d, h->role, h->layer, error)))
        return FALSE;
      from = tensor->type;
      data = tensor->data;
    }
  if (h->value.data)
    lm_fill_mat (d->compute, h->value, from, data);
  if (h->working.data != h->value.data)
    lm_fill_mat (d->compute, h->working, from, data);
  return TRUE;
}

/* FNV-1a of a module's name: the same whatever else a decoder holds. */
static guint64
salt_of (const char *module)
{
  guint64 hash = 0xcbf29ce484222325u;

  for (; *module; module++)
    hash = (hash ^ (guchar) *module) * 0x100000001b3u;
  return hash;
}

static void
link_module (LmDecoder *d, const LmHeld *h)
{
  LmLinear *l = part_of (d, h->role, h->layer);

  l->rank = h->module->rank;
  l->scale = h->module->scale;
  l->dropout = (float) d->options.lora->spec.dropout;
  l->salt = salt_of (h->module->module);
  *(h->half_b ? &l->b : &l->a) = h->working;
  *(h->half_b ? &l->b_grad : &l->a_grad) = h->grad;
}

static void
link_weight (LmDecoder *d, const LmHeld *h)
{
  gpointer part = part_of (d, h->role, h->layer);

  switch (parts[h->role].kind)
    {
    case PART_MATRIX:
      ((LmLinear *) part)->weight = h->working;
      ((LmLinear *) part)->weight_grad = h->grad;
      break;
    case PART_BIAS:
      ((LmLinear *) part)->bias = h->value;
      ((LmLinear *) part)->bias_grad = h->grad;
      break;
    case PART_NORM:
      ((LmNorm *) part)->weight = h->value;
      ((LmNorm *) part)->grad = h->grad;
      break;
    }
}

static char *
held_name (const LmHeld *h)
{
  if (!h->module)
    return lm_weight_name (h->role, h->layer);
  return g_strconcat (h->module->module, h->half_b ? ".lora_B.weight" : ".lora_A.weight", NULL);
}

static void
add_param (LmDecoder *d, const LmHeld *h)
{
  LmParam param = { .name = held_name (h),
                    .rows = h->rows,
                    .cols = h->cols,
                    .value = h->value.data,
                    .grad = h->grad.data,
                    .decay = h->module || parts[h->role].kind == PART_MATRIX };

  g_array_append_val (d->params, param);
}

static gboolean
fill_all_held (LmDecoder *d, GError **error)
{
  gsize bytes = lm_held_place (d->held, d->options.type, NULL);

  if (bytes > 0 && !(d->fixed = lm_compute_alloc (d->compute, bytes, error)))
    return FALSE;
  d->fixed_bytes = bytes;
  lm_held_place (d->held, d->options.type, d->fixed);
  for (guint i = 0; i < d->held->len; i++)
    {
      const LmHeld *h = &g_array_index (d->held, LmHeld, i);

      if (!fill_held (d, h, error))
        return FALSE;
      if (h->module)
        link_module (d, h);
      else
        link_weight (d, h);
      if (h->trained)
        add_param (d, h);
    }
  return TRUE;
}

/* ---- what stays mapped --------------------------------------------------------------------- */

static gsize
alignment (LmType type)
{
  return lm_types[type].block == 1 ? lm_types[type].bytes : 2;
}

/* Brings a mapped matrix to the backend; copies it when it lies where its numbers cannot be read in
 * place. */
static gboolean
import_mat (LmDecoder *d, LmMat *m, GError **error)
{
  LmCompute *c = d->compute;
  Import import = { 0 };

  if (GPOINTER_TO_SIZE (m->data) % alignment (m->type) != 0)
    {
      gconstpointer from = m->data;

      import.bytes = m->rows * lm_type_bytes (m->type, m->cols);
      if (!(m->data = lm_compute_alloc (c, import.bytes, error)))
        return FALSE;
      c->klass->upload (c, m->data, from, import.bytes);
    }
  else if (!lm_compute_import (c, m, &import.bytes, error))
    return FALSE;
  import.data = m->data;
  if (import.bytes > 0)
    g_array_append_val (d->imports, import);
  return TRUE;
}

static gboolean
import_weight (LmDecoder *d, LmWeightRole role, guint layer, GError **error)
{
  LmLinear *l = part_of (d, role, layer);
  const LmTensor *tensor;
  gsize rows, cols;

  if (parts[role].kind != PART_MATRIX || l->weight.data || (role == LM_W_HEAD && d->config->tied)
      || !lm_weight_shape (d->config, role, &rows, &cols))
    return TRUE;
  if (!(tensor = tensor_of (d, role, layer, error)))
    return FALSE;
  l->weight = lm_mat ((gpointer) tensor->data, tensor->type, rows, cols);
  return import_mat (d, &l->weight, error);
}

static gboolean
import_all (LmDecoder *d, GError **error)
{
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint l = 0; l < (lm_weights[role].per_layer ? d->config->n_layers : 1); l++)
      if (!import_weight (d, role, l, error))
        return FALSE;
  if (d->config->tied)
    {
      d->head.weight = d->embed.weight;
      d->head.weight_grad = d->embed.weight_grad;
    }
  return TRUE;
}

static void
clear_param (gpointer param)
{
  g_free (((LmParam *) param)->name);
}

gboolean
lm_params_new (LmDecoder *d, GError **error)
{
  d->params = g_array_new (FALSE, TRUE, sizeof (LmParam));
  g_array_set_clear_func (d->params, clear_param);
  d->imports = g_array_new (FALSE, TRUE, sizeof (Import));
  d->held = lm_held_plan (d->config, d->options.train, d->options.lora);
  if (!fill_all_held (d, error) || !import_all (d, error))
    return FALSE;
  lm_decoder_zero_grad (d);
  return d->compute->klass->sync (d->compute, error);
}

void
lm_params_free (LmDecoder *d)
{
  for (guint i = 0; d->imports && i < d->imports->len; i++)
    {
      const Import *import = &g_array_index (d->imports, Import, i);

      lm_compute_release (d->compute, import->data, import->bytes);
    }
  if (d->fixed)
    lm_compute_release (d->compute, d->fixed, d->fixed_bytes);
  g_clear_pointer (&d->imports, g_array_unref);
  g_clear_pointer (&d->held, g_array_unref);
  g_clear_pointer (&d->params, g_array_unref);
}

/* ---- what is trained ----------------------------------------------------------------------- */

gsize
lm_decoder_n_params (LmDecoder *d)
{
  return d->params->len;
}

LmParam *
lm_decoder_param (LmDecoder *d, gsize i)
{
  g_return_val_if_fail (i < d->params->len, NULL);
  return &g_array_index (d->params, LmParam, i);
}

void
lm_decoder_zero_grad (LmDecoder *d)
{
  for (guint i = 0; i < d->params->len; i++)
    {
      const LmParam *p = &g_array_index (d->params, LmParam, i);

      d->compute->klass->zero (d->compute, p->grad, p->rows * p->cols * sizeof (float));
    }
}

void
lm_decoder_params_changed (LmDecoder *d)
{
  for (guint i = 0; i < d->held->len; i++)
    {
      const LmHeld *h = &g_array_index (d->held, LmHeld, i);

      if (h->trained && h->working.data != h->value.data)
        d->compute->klass->cast (d->compute, h->working, h->value);
    }
}

static float *
download (LmDecoder *d, LmMat m)
{
  float *to = g_new (float, m.rows *m.cols);

  d->compute->klass->download (d->compute, to, m.data, m.rows * m.cols * sizeof (float));
  return to;
}

static void
free_module (gpointer data)
{
  LmLoraModule *m = data;

  g_free (m->module);
  g_free (m->a);
  g_free (m->b);
  g_free (m);
}

LmLora *
lm_decoder_take_lora (LmDecoder *d, GError **error)
{
  g_autoptr (LmLora) lora = NULL;

  if (!d->options.lora)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s: this decoder has no adapter",
                   lm_model_name (d->model));
      return NULL;
    }
  if (d->options.train != LM_TRAIN_LORA)
    return lm_lora_ref (d->options.lora);
  lora = g_new0 (LmLora, 1);
  lora->refs = 1;
  lora->spec = lm_lora_spec_copy (&d->options.lora->spec);
  lora->modules = g_ptr_array_new_with_free_func (free_module);
  for (guint i = 0; i < d->held->len; i++)
    {
      const LmHeld *h = &g_array_index (d->held, LmHeld, i);
      LmLoraModule *m;

      if (!h->module || h->half_b)
        continue;
      m = g_memdup2 (h->module, sizeof *m);
      m->module = g_strdup (m->module);
      m->a = download (d, h->value);
      m->b = download (d, h[1].value); /* the other half is its neighbour */
      g_ptr_array_add (lora->modules, m);
    }
  return d->compute->klass->sync (d->compute, error) ? g_steal_pointer (&lora) : NULL;
}

static void
free_tensor (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

static LmTensor *
take_tensor (LmDecoder *d, const LmHeld *h, LmType type)
{
  g_autofree float *value = download (d, h->value);
  LmTensor *t = g_new0 (LmTensor, 1);
  gsize n = h->rows * h->cols;
  gpointer data;

  t->name = held_name (h);
  t->type = type;
  t->n_dims = h->module || parts[h->role].kind == PART_MATRIX ? 2 : 1;
  t->dims[0] = t->n_dims == 2 ? h->rows : h->cols;
  t->dims[1] = t->n_dims == 2 ? h->cols : 0;
  t->bytes = n * lm_types[type].bytes;
  if (type == LM_F32)
    data = g_steal_pointer (&value);
  else
    lm_encode (type, value, data = g_malloc (t->bytes), n);
  t->data = data;
  return t;
}

GPtrArray *
lm_decoder_take_tensors (LmDecoder *d, LmType type, GError **error)
{
  g_autoptr (GPtrArray) tensors = g_ptr_array_new_with_free_func (free_tensor);

  if (type != LM_F32 && type != LM_BF16 && type != LM_F16)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "trained tensors can be taken as F32, BF16 or F16, not as %s",
                   lm_types[type].name);
      return NULL;
    }
  for (guint i = 0; i < d->held->len; i++)
    {
      const LmHeld *h = &g_array_index (d->held, LmHeld, i);

      if (h->trained)
        g_ptr_array_add (tensors, take_tensor (d, h, type));
    }
  return d->compute->klass->sync (d->compute, error) ? g_steal_pointer (&tensors) : NULL;
}
