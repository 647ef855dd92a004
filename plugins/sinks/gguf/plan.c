/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c: which tensors a GGUF file gets, in which types, and how their rows are made.
 *
 * Types follow llama.cpp's recipes: vectors stay F32; the head (and an
 * embedding that is the head) gets 6 bits where the rest gets fewer; in
 * Q4_K_M and Q5_K_M so do values and last products in the first and last
 * eighth of the layers and every third between; a matrix whose rows do not
 * divide into 256 falls back to a type with blocks of 32.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "sink-gguf.h"

const Format formats[N_FORMATS] = {
  [FORMAT_F32] = { "f32", "F32", LM_F32, LM_F32, FALSE, 0 },
  [FORMAT_F16] = { "f16", "F16", LM_F16, LM_F16, FALSE, 1 },
  [FORMAT_BF16] = { "bf16", "BF16", LM_BF16, LM_BF16, FALSE, 32 },
  [FORMAT_Q8_0] = { "q8_0", "Q8_0", LM_Q8_0, LM_Q8_0, FALSE, 7 },
  [FORMAT_Q4_0] = { "q4_0", "Q4_0", LM_Q4_0, LM_Q6_K, FALSE, 2 },
  [FORMAT_Q4_1] = { "q4_1", "Q4_1", LM_Q4_1, LM_Q6_K, FALSE, 3 },
  [FORMAT_Q4_K_M] = { "q4_k_m", "Q4_K_M", LM_Q4_K, LM_Q6_K, TRUE, 15 },
  [FORMAT_Q5_K_M] = { "q5_k_m", "Q5_K_M", LM_Q5_K, LM_Q6_K, TRUE, 17 },
  [FORMAT_Q6_K] = { "q6_k", "Q6_K", LM_Q6_K, LM_Q6_K, FALSE, 18 },
};

/* ---- types --------------------------------------------------------------------------------- */

static gboolean
gets_more_bits (guint layer, guint n)
{
  return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
}

static LmType
wanted_type (const Plan *plan, LmWeightRole role, guint layer)
{
  const LmConfig *config = lm_model_config (plan->model);
  const Format *f = plan->format;

  if (role == LM_W_HEAD || (role == LM_W_EMBED && config->tied))
    return f->more;
  if (f->mixed && (role == LM_W_V || role == LM_W_DOWN) && gets_more_bits (layer, config->n_layers))
    return f->more;
  /* In a model of 70B eight heads share these values: they are small, and worth a bit. */
  if (f->type == LM_Q4_K && role == LM_W_V && config->n_layers == 80)
    return LM_Q5_K;
  return f->type;
}

/* What is written where rows of @cols numbers cannot be of @wanted. */
static LmType
possible_type (LmType wanted, gsize cols)
{
  static const LmType fallbacks[LM_N_TYPES]
      = { [LM_Q4_K] = LM_Q5_0, [LM_Q5_K] = LM_Q5_1, [LM_Q6_K] = LM_Q8_0 };
  LmType type = wanted;

  if (cols % lm_types[type].block != 0 && fallbacks[type] != LM_F32)
    type = fallbacks[type];
  return cols % lm_types[type].block == 0 ? type : LM_F16;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static gboolean
not_finite (const Part *part, gsize row, double value, const char *what, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "tensor '%s', row %zu: %g %s", part->name, row,
               value, what);
  return FALSE;
}

/* Looks at the numbers of one row, and at what they have become. */
static gboolean
measure (Part *part, LmType type, gsize row, const float *x, const guint8 *stored, float *back,
         gsize n, double sums[3], GError **error)
{
  double squares = 0, off = 0, largest = 0;

  lm_decode (type, stored, back, n);
  for (gsize i = 0; i < n; i++)
    {
      double d = (double) back[i] - (double) x[i];

      squares += (double) x[i] * (double) x[i];
      off += d * d;
      largest = MAX (largest, fabs (d));
    }
  if (!isfinite (squares))
    return not_finite (part, row, squares, "is the sum of its squares: some number is not finite",
                       error);
  if (!isfinite (off))
    return not_finite (part, row, sqrt (squares),
                       type == LM_F16
                           ? "is its length: a number is beyond F16's 65504; say \"bf16\""
                           : "is its length: its blocks' scales are beyond F16",
                       error);
  sums[0] += squares;
  sums[1] += off;
  sums[2] = MAX (sums[2], largest);
  return TRUE;
}

static void
add_up (Part *part, const double sums[3])
{
  g_mutex_lock (&part->lock);
  part->squares += sums[0];
  part->error += sums[1];
  part->largest = MAX (part->largest, sums[2]);
  g_mutex_unlock (&part->lock);
}

/* A vector's elements in the order of GGUF's llama. */
static void
permute_vector (float *x, gsize n, gsize head_dim)
{
  g_autofree float *copy = g_memdup2 (x, n * sizeof *x);

  for (gsize i = 0; i < n; i++)
    x[i] = copy[lm_gguf_row (i, head_dim)];
}

/* Rows of a model's tensor, merged where there is an adapter. */
static gboolean
fill_tensor (const LmTensor *t, gsize first, gsize n, gpointer out, gpointer user, GError **error)
{
  Part *part = user;
  Plan *plan = part->plan;
  gsize head_dim = lm_model_config (plan->model)->head_dim, bytes;
  g_autofree float *back = NULL;
  double sums[3] = { 0 };
  gboolean ok = TRUE;
  LmRows rows;

  lm_rows_init (&rows, plan->model, part->from, plan->merge);
  back = g_new (float, rows.cols);
  bytes = lm_type_bytes (t->type, rows.cols);
  for (gsize i = 0; ok && i < n; i++)
    {
      gsize row = part->permuted && t->n_dims > 1 ? lm_gguf_row (first + i, head_dim) : first + i;
      const float *x = lm_rows_get (&rows, row);
      guint8 *stored = (guint8 *) out + i * bytes;

      if (part->permuted && t->n_dims == 1)
        permute_vector (rows.row, rows.cols, head_dim);
      lm_encode (t->type, x, stored, rows.cols);
      ok = measure (part, t->type, row, x, stored, back, rows.cols, sums, error);
    }
  lm_rows_clear (&rows);
  add_up (part, sums);
  return ok;
}

/* Numbers that are there already: divisors of frequencies, halves of an adapter. */
static gboolean
fill_values (const LmTensor *t, gsize first, gsize n, gpointer out, gpointer user, GError **error)
{
  const Part *part = user;
  gsize cols = (gsize) t->dims[t->n_dims - 1];
  const float *values = part->values != NULL ? part->values : part->lora_values;
  gsize head_dim = lm_model_config (part->plan->model)->head_dim;

  for (gsize i = 0; i < n; i++)
    {
      gsize row = part->permuted ? lm_gguf_row (first + i, head_dim) : first + i;

      memcpy ((float *) out + i * cols, values + row * cols, cols * sizeof (float));
      for (gsize j = 0; j < cols; j++)
        if (!isfinite (values[row * cols + j]))
          return not_finite (part, row, (double) values[row * cols + j], "is not finite", error);
    }
  return TRUE;
}

/* ---- the plan ------------------------------------------------------------------------------- */

static void
part_free (gpointer data)
{
  Part *part = data;

  g_mutex_clear (&part->lock);
  g_free (part->values);
  g_free (part->name);
  g_free (part);
}

static Plan *
plan_new (LmModel *model)
{
  Plan *plan = g_new0 (Plan, 1);

  plan->model = model;
  plan->parts = g_ptr_array_new_with_free_func (part_free);
  plan->sources = g_array_new (FALSE, TRUE, sizeof (LmRowSource));
  return plan;
}

void
plan_free (Plan *plan)
{
  if (plan == NULL)
    return;
  g_ptr_array_unref (plan->parts);
  g_array_unref (plan->sources);
  g_free (plan);
}

/* A part of @type, [@rows, @cols] or a vector where @rows is 0; @name is taken. */
static Part *
add_part (Plan *plan, char *name, LmType type, gsize rows, gsize cols)
{
  Part *part = g_new0 (Part, 1);
  LmRowSource source = { .user = part, .fill = fill_values };

  g_mutex_init (&part->lock);
  part->plan = plan;
  part->name = name;
  part->wanted = type;
  source.tensor.name = name;
  source.tensor.type = type;
  source.tensor.n_dims = rows > 0 ? 2 : 1;
  source.tensor.dims[0] = (gint64) (rows > 0 ? rows : cols);
  source.tensor.dims[1] = (gint64) (rows > 0 ? cols : 0);
  g_ptr_array_add (plan->parts, part);
  g_array_append_val (plan->sources, source);
  return part;
}

static void
add_weight (Plan *plan, LmWeightRole role, guint layer)
{
  const LmConfig *config = lm_model_config (plan->model);
  LmType wanted = LM_F32, type = LM_F32;
  gsize rows, cols;
  Part *part;

  if (!lm_weight_shape (config, role, &rows, &cols) || (role == LM_W_HEAD && config->tied))
    return;
  if (rows > 0)
    {
      wanted = wanted_type (plan, role, layer);
      type = possible_type (wanted, cols);
      plan->n_matrices++;
      plan->n_fallbacks += type != wanted;
    }
  part = add_part (plan, lm_weight_gguf_name (role, layer), type, rows, cols);
  part->wanted = wanted;
  part->from = lm_model_weight (plan->model, role, layer);
  part->merged = plan->merge && lm_export_module (plan->model, part->from->name) != NULL;
  plan->n_merged += part->merged;
  part->permuted
      = config->family->gguf_permuted
        && (role == LM_W_Q || role == LM_W_K || role == LM_W_Q_BIAS || role == LM_W_K_BIAS);
  g_array_index (plan->sources, LmRowSource, plan->sources->len - 1).fill = fill_tensor;
}

static void
add_divisors (Plan *plan)
{
  guint half = lm_model_config (plan->model)->head_dim / 2;
  g_autofree float *divisors = g_new (float, half);

  if (lm_gguf_rope_divisors (lm_model_config (plan->model), divisors))
    add_part (plan, g_strdup ("rope_freqs.weight"), LM_F32, 0, half)->values
        = g_steal_pointer (&divisors);
}

static gboolean
is_possible (const Plan *plan, GError **error)
{
  const LmConfig *config = lm_model_config (plan->model);
  guint n = 0;

  if (lm_types[plan->format->type].block == 1)
    return TRUE;
  for (guint i = 0; i < plan->sources->len; i++)
    n += lm_types[g_array_index (plan->sources, LmRowSource, i).tensor.type].block > 1;
  if (n > 0)
    return TRUE;
  g_set_error (
      error, FR_ERROR, FR_ERROR_CONFIG,
      "'dtype' is \"%s\", whose blocks are of 32 numbers and more, but no matrix of %s has "
      "rows of a multiple of 32 (its hidden size is %u); say \"f16\"",
      plan->format->name, lm_model_name (plan->model), config->hidden_size);
  return FALSE;
}

Plan *
plan_model (LmModel *model, const Format *format, GError **error)
{
  g_autoptr (Plan) plan = plan_new (model);

  plan->format = format;
  plan->merge = lm_model_lora (model) != NULL;
  add_weight (plan, LM_W_EMBED, 0);
  add_divisors (plan);
  for (guint layer = 0; layer < lm_model_config (model)->n_layers; layer++)
    for (guint role = 0; role < LM_N_WEIGHTS; role++)
      if (lm_weights[role].per_layer)
        add_weight (plan, role, layer);
  add_weight (plan, LM_W_FINAL_NORM, 0);
  add_weight (plan, LM_W_HEAD, 0);
  return is_possible (plan, error) ? g_steal_pointer (&plan) : NULL;
}

/* ---- adapters -------------------------------------------------------------------------------- */

/* llama.cpp has one alpha for all, and a scale of alpha / rank: another is put into B. */
static void
add_half (Plan *plan, const LmLoraModule *m, gboolean second, float factor)
{
  g_autofree char *base = lm_weight_gguf_name (m->role, m->layer);
  gsize rows = second ? m->out : m->rank, cols = second ? m->rank : m->in;
  Part *part = add_part (plan, g_strconcat (base, second ? ".lora_b" : ".lora_a", NULL), LM_F32,
                         rows, cols);

  part->lora_values = second ? m->b : m->a;
  part->permuted = second && lm_model_config (plan->model)->family->gguf_permuted
                   && (m->role == LM_W_Q || m->role == LM_W_K);
  if (!second || factor == 1)
    return;
  part->values = g_new (float, rows *cols);
  for (gsize i = 0; i < rows * cols; i++)
    part->values[i] = m->b[i] * factor;
}

Plan *
plan_adapter (LmModel *model, float *alpha, GError **error)
{
  g_autoptr (Plan) plan = plan_new (model);
  const LmLora *lora = lm_model_lora (model);
  const LmLoraModule *first = g_ptr_array_index (lora->modules, 0);

  *alpha = first->scale * (float) first->rank;
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i);
      float own = m->scale * (float) m->rank;

      if (m->role == LM_W_HEAD && lm_model_config (model)->tied)
        {
          g_set_error (
              error, FR_ERROR, FR_ERROR_CONFIG,
              "the adapter changes the head, which in this model is the embedding: llama.cpp "
              "refuses that; say \"merged\"");
          return NULL;
        }
      add_half (plan, m, FALSE, 1);
      add_half (plan, m, TRUE, fabsf (own - *alpha) <= 1e-6f * fabsf (*alpha) ? 1 : own / *alpha);
    }
  return g_steal_pointer (&plan);
}

/* ---- what came of it ---------------------------------------------------------------------------
 */

typedef struct
{
  guint n;
  guint64 bytes, numbers;
  double squares, error, largest;
} Sum;

static void
sum_types (const Plan *plan, Sum *sums)
{
  for (guint i = 0; i < plan->parts->len; i++)
    {
      const Part *part = g_ptr_array_index (plan->parts, i);
      const LmTensor *t = &g_array_index (plan->sources, LmRowSource, i).tensor;
      guint64 n = (guint64) t->dims[0] * (guint64) (t->n_dims > 1 ? t->dims[1] : 1);
      Sum *s = &sums[t->type];

      s->n++;
      s->numbers += n;
      s->bytes += lm_type_bytes (t->type, n);
      s->squares += part->squares;
      s->error += part->error;
      s->largest = MAX (s->largest, part->largest);
    }
}

/* Root mean square difference over that of the numbers, in four digits: blocks are added up in the
 * order in which threads were ready. */
static double
relative (const Sum *s)
{
  char text[32];

  g_ascii_formatd (text, sizeof text, "%.4g", s->squares > 0 ? sqrt (s->error / s->squares) : 0);
  return g_ascii_strtod (text, NULL);
}

void
plan_report (const Plan *plan, JsonObject *out)
{
  JsonObject *types = json_object_new ();
  JsonArray *fallbacks = json_array_new ();
  Sum sums[LM_N_TYPES] = { 0 };

  sum_types (plan, sums);
  for (guint type = 0; type < LM_N_TYPES; type++)
    {
      JsonObject *of = sums[type].n > 0 ? json_object_new () : NULL;

      if (of == NULL)
        continue;
      json_object_set_int_member (of, "tensors", sums[type].n);
      json_object_set_int_member (of, "bytes", (gint64) sums[type].bytes);
      json_object_set_double_member (of, "error", relative (&sums[type]));
      json_object_set_double_member (of, "largest_difference", sums[type].largest);
      json_object_set_object_member (types, lm_types[type].name, of);
    }
  for (guint i = 0; i < plan->parts->len; i++)
    {
      const Part *part = g_ptr_array_index (plan->parts, i);
      LmType type = g_array_index (plan->sources, LmRowSource, i).tensor.type;
      JsonObject *of = part->wanted != type ? json_object_new () : NULL;

      if (of == NULL)
        continue;
      json_object_set_string_member (of, "tensor", part->name);
      json_object_set_string_member (of, "wanted", lm_types[part->wanted].name);
      json_object_set_string_member (of, "written", lm_types[type].name);
      json_array_add_object_element (fallbacks, of);
    }
  json_object_set_int_member (out, "tensors", plan->parts->len);
  json_object_set_int_member (out, "merged", plan->n_merged);
  json_object_set_object_member (out, "types", types);
  json_object_set_int_member (out, "fell_back", plan->n_fallbacks);
  json_object_set_array_member (out, "fallbacks", fallbacks);
}

/* ---- to be looked at ---------------------------------------------------------------------------
 */

static const FrViewWord chinese[] = {
  { "GGUF file", "GGUF 文件" },
  { "size", "大小" },
  { "tensors", "张量" },
  { "read again, equal to the byte", "已读回，逐字节一致" },
  { "fell back", "改用更多位数" },
  { "rows that do not divide into blocks of 256", "行长不能划分为 256 个一块" },
  { "logits off by", "logits 偏差" },
  { "of their spread, over a short prompt", "相对于其离散程度，取自一条短提示" },
  { "same next token", "下一词元相同" },
  { "%u of %u", "%u / %u" },
  { "Numbers as they are stored", "数值的存储方式" },
  { "type", "类型" },
  { "error", "误差" },
  { "largest difference", "最大差值" },
  { "error: root mean square difference from the weights in 32 bits, over their root mean square",
    "误差：与 32 位权重之差的均方根，除以权重的均方根" },
  { NULL, NULL },
};

static void
show_types (FrViews *v, const Plan *plan)
{
  static const char *const columns[] = { "type", "tensors", "MB", "error", "largest difference" };
  Sum sums[LM_N_TYPES] = { 0 };

  sum_types (plan, sums);
  fr_views_begin (v, FR_VIEW_TABLE, "Numbers as they are stored");
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    fr_views_add_column (v, columns[i], i == 0 ? FR_VIEW_TEXT : FR_VIEW_NUMBER);
  for (guint type = 0; type < LM_N_TYPES; type++)
    {
      const Sum *s = &sums[type];

      if (s->n == 0)
        continue;
      fr_views_begin_row (v, NULL, NULL);
      fr_views_add_cell (v, lm_types[type].name);
      fr_views_add_number (v, s->n);
      fr_views_add_number (v, (double) s->bytes / 1e6);
      fr_views_add_number (v, relative (s));
      fr_views_add_number (v, s->largest);
    }
  fr_views_note (v, "error: root mean square difference from the weights in 32 bits, over their "
                    "root mean square");
}

JsonNode *
plan_views (const Plan *plan, guint64 bytes, const LmLogitCheck *check)
{
  g_autoptr (FrViews) v = fr_views_new ();
  g_autofree char *size = g_strdup_printf ("%.1f MB", (double) bytes / 1e6);

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_FIGURES, "GGUF file");
  fr_views_add_figure_text (v, "size", size, NULL);
  fr_views_add_figure (v, "tensors", plan->parts->len, "read again, equal to the byte");
  if (plan->n_fallbacks > 0)
    fr_views_add_figure (v, "fell back", plan->n_fallbacks,
                         "rows that do not divide into blocks of 256");
  if (check != NULL)
    {
      fr_views_add_figure (v, "logits off by", check->error,
                           "of their spread, over a short prompt");
      fr_views_add_figure_text (v, "same next token",
                                fr_views_printf (v, "%u of %u", check->same_top, check->n_tokens),
                                NULL);
    }
  show_types (v, plan);
  return fr_views_to_json (v);
}
