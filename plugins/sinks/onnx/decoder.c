/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.c: llama, qwen2 and qwen3 as a graph of standard ONNX operators (opset 17).
 *
 * Follows transformers' modeling_llama, modeling_qwen2 and modeling_qwen3, with
 * the names of inputs and outputs that optimum, Transformers.js and
 * onnxruntime-genai agree on.  B sequences, S new tokens each, P in the cache,
 * T = P + S; D hidden; H heads on K key heads, G = H / K; d head size.
 *
 *   input_ids, position_ids [B, S]     attention_mask [B, T]: 0 for padding on the left
 *   past_key_values.i.key, .value [B, K, P, d]      P may be 0
 *   logits [B, S, V]                   present.i.key, .value [B, K, T, d]
 *
 * Where weights are FLOAT16, so are products of matrices and the cache; the
 * sum of the layers (the residual), norms and softmax are FLOAT, for models of
 * these families pass 65504 there.  Keys are not copied G times: the G heads of
 * a key head are put below each other, so that one product serves them all.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "decoder.h"

typedef struct
{
  Graph *g;
  LmModel *model;
  const LmConfig *config;
  const DecoderOptions *options;
  DecoderGraph *out;
  OnnxType t; /* of products of matrices */
  Value cosine, sine, bias, scores_shape, groups_shape;
} Builder;

/* ---- weights ------------------------------------------------------------------------------ */

static const LmTensor *
find (const Builder *b, LmWeightRole role, guint layer)
{
  return lm_model_weight (b->model, role, layer);
}

static Tensor *
declare (Builder *b, const char *name, OnnxType type, Form form, const LmTensor *source)
{
  gboolean turned = form == FORM_TURNED || form == FORM_INT8_TURNED, matrix = source->n_dims > 1;
  gint64 dims[2] = { source->dims[turned ? 1 : 0], matrix ? source->dims[turned ? 0 : 1] : 0 };
  Tensor *tensor = tensor_new (name, type, form, dims, matrix ? 2 : 1);

  tensor->source = source;
  tensor->merge = !b->options->apart;
  return tensor;
}

/* The scales of @of: written after it, made with it. */
static Value
add_scales (Builder *b, Tensor *of, const char *name, const gint64 *dims, guint n)
{
  Tensor *scales = tensor_new (name, ONNX_FLOAT, FORM_SCALES, dims, n);

  of->scales = scales;
  scales->of = of;
  return graph_tensor (b->g, scales);
}

/* A vector in FLOAT (a norm) or in the type of products (a bias). */
static Value
vector (Builder *b, LmWeightRole role, guint layer, const char *name, OnnxType type)
{
  return graph_tensor (b->g, declare (b, name, type, FORM_ROWS, find (b, role, layer)));
}

/* Whether @source does not fit into FLOAT16; such weights stay FLOAT. */
static gboolean
is_wide (Builder *b, const LmTensor *source)
{
  if (b->t != ONNX_FLOAT16
      || tensor_overflows (b->model, source, !b->options->apart, b->options->threads) == 0)
    return FALSE;
  g_ptr_array_add (b->out->wide, g_strdup (source->name));
  return TRUE;
}

/* x · Wᵀ, W as its rows are, 4 bits in blocks. */
static Value
product_nbits (Builder *b, Value x, const LmTensor *source, const char *name)
{
  gint64 rows = source->dims[0], cols = source->dims[1];
  gint64 blocks = (cols + NBITS_BLOCK - 1) / NBITS_BLOCK;
  g_autofree char *weight = g_strconcat (name, ".MatMulNBits.qweight", NULL);
  g_autofree char *scale = g_strconcat (name, ".MatMulNBits.scales", NULL);
  Tensor *tensor = tensor_new (weight, ONNX_UINT8, FORM_NBITS4,
                               (gint64[]){ rows, blocks, NBITS_BLOCK / 2 }, 3);
  Value q, s;

  tensor->source = source;
  tensor->merge = !b->options->apart;
  q = graph_tensor (b->g, tensor);
  s = add_scales (b, tensor, scale, (gint64[]){ rows * blocks }, 1);
  graph_int_attribute (b->g, "K", cols);
  graph_int_attribute (b->g, "N", rows);
  graph_int_attribute (b->g, "accuracy_level", b->options->fast ? 4 : 0);
  graph_int_attribute (b->g, "bits", 4);
  graph_int_attribute (b->g, "block_size", NBITS_BLOCK);
  return graph_contrib (b->g, "MatMulNBits", x, q, s, NULL);
}

/* x · Wᵀ with one scale for each output, in standard operators. */
static Value
product_int8 (Builder *b, Value x, const LmTensor *source, const char *name)
{
  g_autofree char *weight = g_strconcat (name, ".MatMul.weight_quantized", NULL);
  g_autofree char *scale = g_strconcat (name, ".MatMul.weight_scale", NULL);
  Tensor *tensor = declare (b, weight, ONNX_INT8, FORM_INT8_TURNED, source);
  Value w = graph_tensor (b->g, tensor), s = add_scales (b, tensor, scale, &source->dims[0], 1);

  graph_int_attribute (b->g, "axis", 1);
  w = graph_op (b->g, "DequantizeLinear", w, s, NULL);
  return graph_op (b->g, "MatMul", x, w, NULL);
}

static Value
product_plain (Builder *b, Value x, const LmTensor *source, const char *name)
{
  g_autofree char *weight = g_strconcat (name, ".MatMul.weight", NULL);
  gboolean wide = is_wide (b, source);
  OnnxType type = wide ? ONNX_FLOAT : b->options->dtype == DTYPE_BF16 ? ONNX_BFLOAT16 : b->t;
  Value w = graph_tensor (b->g, declare (b, weight, type, FORM_TURNED, source));

  if (wide)
    x = graph_cast (b->g, x, b->t, ONNX_FLOAT);
  else
    w = graph_cast (b->g, w, type, b->t);
  x = graph_op (b->g, "MatMul", x, w, NULL);
  return wide ? graph_cast (b->g, x, ONNX_FLOAT, b->t) : x;
}

/* ---- the adapter's own branch ------------------------------------------------------------- */

/* @data [@rows, @cols] as a source of initializers. */
static Value
half (Builder *b, const char *name, float *data, gsize rows, gsize cols)
{
  LmTensor *t = g_new0 (LmTensor, 1);

  t->name = g_strdup (name);
  t->type = LM_F32;
  t->n_dims = 2;
  t->dims[0] = (gint64) rows;
  t->dims[1] = (gint64) cols;
  t->data = data;
  t->bytes = rows * cols * sizeof *data;
  g_ptr_array_add (b->out->halves, t);
  return graph_tensor (b->g, declare (b, name, b->t, FORM_TURNED, t));
}

/* y + s · (x · Aᵀ) · Bᵀ */
static Value
add_adapter (Builder *b, Value x, Value y, const LmLoraModule *m, const char *name)
{
  g_autofree char *a = g_strconcat (name, ".lora_A.MatMul.weight", NULL);
  g_autofree char *c = g_strconcat (name, ".lora_B.MatMul.weight", NULL);
  Value low = half (b, a, m->a, m->rank, m->in);

  low = graph_op (b->g, "MatMul", x, low, NULL);
  low = graph_op (b->g, "Mul", low, graph_number (b->g, (double) m->scale, b->t), NULL);
  low = graph_op (b->g, "MatMul", low, half (b, c, m->b, m->out, m->rank), NULL);
  b->out->n_apart++;
  return graph_op (b->g, "Add", y, low, NULL);
}

/* ---- layers -------------------------------------------------------------------------------- */

/* A linear layer: @x and the result are of the type of products. */
static Value
linear (Builder *b, Value x, LmWeightRole role, LmWeightRole bias_role, guint layer,
        const char *path)
{
  const LmTensor *source = find (b, role, layer), *bias = find (b, bias_role, layer);
  const LmLoraModule *module = lm_export_module (b->model, source->name);
  g_autofree char *name = g_strdup_printf ("model.layers.%u.%s", layer, path);
  g_autofree char *scope = g_strdelimit (g_strdup (path), ".", '/');
  Value y;

  graph_scope (b->g, "/model/layers.%u/%s", layer, scope);
  y = b->options->dtype == DTYPE_INT4   ? product_nbits (b, x, source, name)
      : b->options->dtype == DTYPE_INT8 ? product_int8 (b, x, source, name)
                                        : product_plain (b, x, source, name);
  if (module != NULL && b->options->apart)
    y = add_adapter (b, x, y, module, name);
  b->out->n_merged += module != NULL && !b->options->apart;
  if (bias != NULL)
    {
      g_autofree char *bias_name = g_strconcat (name, ".Add.bias", NULL);

      y = graph_op (b->g, "Add", y, vector (b, bias_role, layer, bias_name, b->t), NULL);
    }
  return y;
}

/* RMS norm of @x over its last axis, in FLOAT; @from: the type of @x.  The result is of the type
 * of products. */
static Value
norm (Builder *b, Value x, OnnxType from, LmWeightRole role, guint layer, const char *name)
{
  Graph *g = b->g;
  Value weight = vector (b, role, layer, name, ONNX_FLOAT), mean;

  /* Pow, not x · x: readers know the norm by it and put one kernel in its place. */
  x = graph_cast (g, x, from, ONNX_FLOAT);
  mean = graph_op (g, "Pow", x, graph_number (g, 2, ONNX_FLOAT), NULL);
  graph_ints_attribute (g, "axes", (const gint64[]){ -1 }, 1);
  mean = graph_op (g, "ReduceMean", mean, NULL);
  mean = graph_op (g, "Add", mean, graph_number (g, b->config->rms_norm_eps, ONNX_FLOAT), NULL);
  mean = graph_op (g, "Sqrt", mean, NULL);
  x = graph_op (g, "Div", x, mean, NULL);
  x = graph_op (g, "Mul", x, weight, NULL);
  return graph_cast (g, x, ONNX_FLOAT, b->t);
}

static Value
transpose (Builder *b, Value x, const gint64 *axes)
{
  graph_ints_attribute (b->g, "perm", axes, 4);
  return graph_op (b->g, "Transpose", x, NULL);
}

/* [B, S, @n · d] as heads: [B, @n, S, d], with the norm that qwen3 has there. */
static Value
heads (Builder *b, Value x, guint n, LmWeightRole role, guint layer, const char *which)
{
  graph_scope (b->g, "/model/layers.%u/attn/%s_heads", layer, which);
  x = graph_op (b->g, "Reshape", x, GRAPH_VECTOR (b->g, 0, -1, n, b->config->head_dim), NULL);
  if (b->config->qk_norm && role != LM_N_WEIGHTS)
    {
      const char *name
          = graph_name (b->g, "model.layers.%u.attn.%s_norm.layernorm.weight", layer, which);

      graph_scope (b->g, "/model/layers.%u/attn/%s_norm", layer, which);
      x = norm (b, x, b->t, role, layer, name);
    }
  return transpose (b, x, (const gint64[]){ 0, 2, 1, 3 });
}

/* Halves of a head are rotated against each other: x · cos + (-x₂, x₁) · sin. */
static Value
rotated (Builder *b, Value x, guint layer, const char *which)
{
  Graph *g = b->g;
  Value first, second, turned;

  graph_scope (g, "/model/layers.%u/attn/%s_rotary", layer, which);
  graph_halves (g, x, b->config->head_dim / 2, &first, &second);
  second = graph_op (g, "Neg", second, NULL);
  graph_int_attribute (g, "axis", -1);
  turned = graph_op (g, "Concat", second, first, NULL);
  x = graph_op (g, "Mul", x, b->cosine, NULL);
  turned = graph_op (g, "Mul", turned, b->sine, NULL);
  return graph_op (g, "Add", x, turned, NULL);
}

/* Appends @x [B, K, S, d] to the cache. */
static Value
cached (Builder *b, Value x, guint layer, const char *which)
{
  Value past = graph_name (b->g, "past_key_values.%u.%s", layer, which);

  graph_int_attribute (b->g, "axis", 2);
  return graph_op_as (b->g, graph_name (b->g, "present.%u.%s", layer, which), "Concat", past, x,
                      NULL);
}

/* @q [B, H, S, d] on keys and values [B, K, T, d]: [B, S, H · d]. */
static Value
attend (Builder *b, Value q, Value k, Value v, guint layer)
{
  const LmConfig *c = b->config;
  Graph *g = b->g;
  gboolean grouped = c->n_heads != c->n_kv_heads;

  graph_scope (g, "/model/layers.%u/attn", layer);
  /* Before the product, so that it stays in FLOAT16's range. */
  q = graph_op (g, "Mul", q, graph_number (g, 1 / sqrt (c->head_dim), b->t), NULL);
  if (grouped)
    q = graph_op (g, "Reshape", q, GRAPH_VECTOR (g, 0, c->n_kv_heads, -1, c->head_dim), NULL);
  k = transpose (b, k, (const gint64[]){ 0, 1, 3, 2 });
  q = graph_op (g, "MatMul", q, k, NULL);
  if (grouped)
    q = graph_op (g, "Reshape", q, b->scores_shape, NULL);
  q = graph_cast (g, q, b->t, ONNX_FLOAT);
  q = graph_op (g, "Add", q, b->bias, NULL);
  graph_int_attribute (g, "axis", -1);
  q = graph_op (g, "Softmax", q, NULL);
  q = graph_cast (g, q, ONNX_FLOAT, b->t);
  if (grouped)
    q = graph_op (g, "Reshape", q, b->groups_shape, NULL);
  q = graph_op (g, "MatMul", q, v, NULL);
  if (grouped)
    q = graph_op (g, "Reshape", q, GRAPH_VECTOR (g, 0, c->n_heads, -1, c->head_dim), NULL);
  q = transpose (b, q, (const gint64[]){ 0, 2, 1, 3 });
  return graph_op (g, "Reshape", q, GRAPH_VECTOR (g, 0, -1, (gint64) c->n_heads * c->head_dim),
                   NULL);
}

static Value
attention (Builder *b, Value y, guint layer)
{
  const LmConfig *c = b->config;
  Value q = linear (b, y, LM_W_Q, LM_W_Q_BIAS, layer, "attn.q_proj");
  Value k = linear (b, y, LM_W_K, LM_W_K_BIAS, layer, "attn.k_proj");
  Value v = linear (b, y, LM_W_V, LM_W_V_BIAS, layer, "attn.v_proj");

  q = heads (b, q, c->n_heads, LM_W_Q_NORM, layer, "q");
  q = rotated (b, q, layer, "q");
  k = heads (b, k, c->n_kv_heads, LM_W_K_NORM, layer, "k");
  k = rotated (b, k, layer, "k");
  v = heads (b, v, c->n_kv_heads, LM_N_WEIGHTS, layer, "v");
  graph_scope (b->g, "/model/layers.%u/attn", layer);
  k = cached (b, k, layer, "key");
  v = cached (b, v, layer, "value");
  q = attend (b, q, k, v, layer);
  return linear (b, q, LM_W_O, LM_W_O_BIAS, layer, "attn.o_proj");
}

static Value
feed_forward (Builder *b, Value y, guint layer)
{
  Value gate = linear (b, y, LM_W_GATE, LM_W_GATE_BIAS, layer, "mlp.gate_proj"), open;
  Value up = linear (b, y, LM_W_UP, LM_W_UP_BIAS, layer, "mlp.up_proj");

  graph_scope (b->g, "/model/layers.%u/mlp/act_fn", layer);
  open = graph_op (b->g, "Sigmoid", gate, NULL);
  gate = graph_op (b->g, "Mul", gate, open, NULL);
  graph_scope (b->g, "/model/layers.%u/mlp", layer);
  gate = graph_op (b->g, "Mul", gate, up, NULL);
  return linear (b, gate, LM_W_DOWN, LM_W_DOWN_BIAS, layer, "mlp.down_proj");
}

/* x + part (norm (x)), x being FLOAT. */
static Value
residual (Builder *b, Value x, guint layer, LmWeightRole norm_role, const char *norm_name,
          Value (*part) (Builder *, Value, guint))
{
  Value y;

  graph_scope (b->g, "/model/layers.%u/%s", layer, norm_name);
  y = norm (b, x, ONNX_FLOAT, norm_role, layer,
            graph_name (b->g, "model.layers.%u.%s.weight", layer, norm_name));
  y = part (b, y, layer);
  graph_scope (b->g, "/model/layers.%u", layer);
  y = graph_cast (b->g, y, b->t, ONNX_FLOAT);
  return graph_op (b->g, "Add", x, y, NULL);
}

/* ---- before the layers ------------------------------------------------------------------------
 */

static void
declare_cache (Builder *b)
{
  const LmConfig *c = b->config;
  /* Some readers take hidden / heads for the size of a head, and begin with an empty cache of it.
   */
  gboolean plain = c->head_dim * c->n_heads == c->hidden_size;
  Dim size = { c->head_dim, plain ? NULL : "kv_cache_dim" };
  Dim past[]
      = { { 0, "batch_size" }, { c->n_kv_heads, NULL }, { 0, "past_sequence_length" }, size };
  Dim present[] = { { 0, "batch_size" },
                    { c->n_kv_heads, NULL },
                    { 0, "past_sequence_length + sequence_length" },
                    size };

  for (guint i = 0; i < c->n_layers; i++)
    for (guint value = 0; value < 2; value++)
      {
        const char *which = value ? "value" : "key";

        graph_input (b->g, graph_name (b->g, "past_key_values.%u.%s", i, which), b->t, past, 4);
        graph_output (b->g, graph_name (b->g, "present.%u.%s", i, which), b->t, present, 4);
      }
}

/* Where a query may look: 0, elsewhere the least FLOAT (finite, so that a row without any gives no
 * NaN): [B, 1, S, T].  Queries are the last S of T positions. */
static Value
make_bias (Builder *b, Value mask, Value n_new, Value n_all)
{
  Graph *g = b->g;
  Value zero = graph_scalar (g, 0), one = graph_scalar (g, 1), queries, keys, seen;

  queries = graph_op (g, "Sub", n_all, n_new, NULL);
  queries = graph_op (g, "Range", queries, n_all, one, NULL);
  queries = graph_op (g, "Unsqueeze", queries, GRAPH_VECTOR (g, 1), NULL);
  keys = graph_op (g, "Range", zero, n_all, one, NULL);
  keys = graph_op (g, "Unsqueeze", keys, GRAPH_VECTOR (g, 0), NULL);
  seen = graph_op (g, "LessOrEqual", keys, queries, NULL);
  graph_int_attribute (g, "to", ONNX_BOOL);
  mask = graph_op (g, "Cast", mask, NULL);
  mask = graph_op (g, "Unsqueeze", mask, GRAPH_VECTOR (g, 1, 2), NULL);
  seen = graph_op (g, "And", seen, mask, NULL);
  return graph_op (g, "Where", seen, graph_number (g, 0, ONNX_FLOAT),
                   graph_number (g, -3.4028234663852886e38, ONNX_FLOAT), NULL);
}

/* Cosines or sines of the positions [B, 1, S, d], each for both halves of a head. */
static Value
rotation (Builder *b, Value positions, const char *name, Form form)
{
  const LmConfig *c = b->config;
  Tensor *table
      = tensor_new (name, ONNX_FLOAT, form, (gint64[]){ c->max_position, c->head_dim / 2 }, 2);
  Value x = graph_tensor (b->g, table);

  x = graph_op (b->g, "Gather", x, positions, NULL);
  graph_int_attribute (b->g, "axis", -1);
  x = graph_op (b->g, "Concat", x, x, NULL);
  x = graph_op (b->g, "Unsqueeze", x, GRAPH_VECTOR (b->g, 1), NULL);
  return graph_cast (b->g, x, ONNX_FLOAT, b->t);
}

/* Columns of @x, without dimensions. */
static Value
length_of (Builder *b, Value x)
{
  x = graph_op (b->g, "Shape", x, NULL);
  return graph_op (b->g, "Gather", x, graph_scalar (b->g, 1), NULL);
}

/* What all layers share, from the inputs. */
static Value
prepare (Builder *b)
{
  const LmConfig *c = b->config;
  Graph *g = b->g;
  Dim tokens[] = { { 0, "batch_size" }, { 0, "sequence_length" } };
  Dim all[] = { { 0, "batch_size" }, { 0, "past_sequence_length + sequence_length" } };
  Dim logits[] = { { 0, "batch_size" }, { 0, "sequence_length" }, { c->vocab_size, NULL } };
  Value ids = graph_input (g, "input_ids", ONNX_INT64, tokens, 2);
  Value mask = graph_input (g, "attention_mask", ONNX_INT64, all, 2);
  Value positions = graph_input (g, "position_ids", ONNX_INT64, tokens, 2), n_new, n_all, total;

  graph_output (g, "logits", ONNX_FLOAT, logits, 3);
  declare_cache (b);
  graph_scope (g, "/model/attn_mask");
  n_new = length_of (b, ids);
  n_all = length_of (b, mask);
  b->bias = make_bias (b, mask, n_new, n_all);
  if (c->n_heads != c->n_kv_heads)
    {
      total = graph_op (g, "Unsqueeze", n_all, GRAPH_VECTOR (g, 0), NULL);
      graph_int_attribute (g, "axis", 0);
      b->scores_shape = graph_op (g, "Concat", GRAPH_VECTOR (g, 0, c->n_heads, -1), total, NULL);
      graph_int_attribute (g, "axis", 0);
      b->groups_shape = graph_op (g, "Concat", GRAPH_VECTOR (g, 0, c->n_kv_heads, -1), total, NULL);
    }
  graph_scope (g, "/model/rotary");
  b->cosine = rotation (b, positions, "cos_cache", FORM_COSINE);
  b->sine = rotation (b, positions, "sin_cache", FORM_SINE);
  return ids;
}

/* ---- the table of tokens, first and last
 * ---------------------------------------------------------- */

#define EMBED "model.embed_tokens.weight"

/* Rows of @ids in FLOAT, from codes with one scale a row. */
static Value
embed_int8 (Builder *b, Value ids, const LmTensor *source)
{
  Graph *g = b->g;
  Tensor *tensor = declare (b, EMBED "_quantized", ONNX_INT8, FORM_INT8, source);
  Value codes = graph_tensor (g, tensor), scales;

  scales = add_scales (b, tensor, EMBED "_scale", &source->dims[0], 1);
  codes = graph_op (g, "Gather", codes, ids, NULL);
  scales = graph_op (g, "Gather", scales, ids, NULL);
  scales = graph_op (g, "Unsqueeze", scales, GRAPH_VECTOR (g, -1), NULL);
  codes = graph_cast (g, codes, ONNX_INT8, ONNX_FLOAT);
  return graph_op (g, "Mul", codes, scales, NULL);
}

/* [B, S, D] in FLOAT; *@table, *@type: the matrix, where it is one that a tied head can use. */
static Value
embed (Builder *b, Value ids, Value *table, OnnxType *type)
{
  const LmTensor *source = find (b, LM_W_EMBED, 0);
  Value x;

  graph_scope (b->g, "/model/embed_tokens");
  *table = NULL;
  if (b->options->dtype == DTYPE_INT8 || b->options->dtype == DTYPE_INT4)
    return embed_int8 (b, ids, source);
  *type = is_wide (b, source) ? ONNX_FLOAT : b->options->dtype == DTYPE_BF16 ? ONNX_BFLOAT16 : b->t;
  *table = graph_tensor (b->g, declare (b, EMBED, *type, FORM_ROWS, source));
  x = graph_op (b->g, "Gather", *table, ids, NULL);
  return graph_cast (b->g, x, *type, ONNX_FLOAT);
}

/* A tied head, without a second copy of the matrix: Gemm of rows, [B · S, D] · [V, D]ᵀ. */
static Value
tied_head (Builder *b, Value y, Value ids, Value table, OnnxType type)
{
  Graph *g = b->g;
  OnnxType t = type == ONNX_FLOAT ? ONNX_FLOAT : b->t;
  Value shape;

  y = graph_cast (g, y, b->t, t);
  y = graph_op (g, "Reshape", y, GRAPH_VECTOR (g, -1, b->config->hidden_size), NULL);
  table = graph_cast (g, table, type, t);
  graph_int_attribute (g, "transB", 1);
  y = graph_op (g, "Gemm", y, table, NULL);
  y = graph_cast (g, y, t, ONNX_FLOAT);
  shape = graph_op (g, "Shape", ids, NULL);
  graph_int_attribute (g, "axis", 0);
  shape = graph_op (g, "Concat", shape, GRAPH_VECTOR (g, b->config->vocab_size), NULL);
  return graph_op_as (g, "logits", "Reshape", y, shape, NULL);
}

static void
head (Builder *b, Value x, Value ids, Value table, OnnxType type)
{
  const LmTensor *source = find (b, LM_W_HEAD, 0);
  Graph *g = b->g;
  Value y;

  graph_scope (g, "/model/norm");
  y = norm (b, x, ONNX_FLOAT, LM_W_FINAL_NORM, 0, "model.norm.weight");
  graph_scope (g, "/lm_head");
  if (b->config->tied && table != NULL)
    {
      tied_head (b, y, ids, table, type);
      return;
    }
  if (b->options->dtype == DTYPE_INT8 || b->options->dtype == DTYPE_INT4)
    y = product_int8 (b, y, source, "lm_head");
  else
    y = product_plain (b, y, source, "lm_head");
  /* The last node gives what is called logits. */
  if (b->t == ONNX_FLOAT)
    graph_op_as (g, "logits", "Identity", y, NULL);
  else
    {
      graph_int_attribute (g, "to", ONNX_FLOAT);
      graph_op_as (g, "logits", "Cast", y, NULL);
    }
}

/* ---- all of it
 * ---------------------------------------------------------------------------------------- */

static void
half_free (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free (t);
}

DecoderGraph *
decoder_graph_new (LmModel *model, const DecoderOptions *options)
{
  DecoderGraph *out = g_new0 (DecoderGraph, 1);
  Builder b = { .model = model, .config = lm_model_config (model), .options = options, .out = out };
  OnnxType type = ONNX_FLOAT;
  Value ids, x, table;

  out->graph = b.g = graph_new ();
  out->cache = b.t = options->dtype == DTYPE_F16 ? ONNX_FLOAT16 : ONNX_FLOAT;
  out->wide = g_ptr_array_new_with_free_func (g_free);
  out->halves = g_ptr_array_new_with_free_func (half_free);
  ids = prepare (&b);
  x = embed (&b, ids, &table, &type);
  for (guint i = 0; i < b.config->n_layers; i++)
    {
      x = residual (&b, x, i, LM_W_INPUT_NORM, "input_layernorm", attention);
      x = residual (&b, x, i, LM_W_POST_NORM, "post_attention_layernorm", feed_forward);
    }
  head (&b, x, ids, table, type);
  return out;
}

void
decoder_graph_free (DecoderGraph *decoder)
{
  graph_free (decoder->graph);
  g_ptr_array_unref (decoder->wide);
  g_ptr_array_unref (decoder->halves);
  g_free (decoder);
}
