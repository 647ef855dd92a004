/* SPDX-License-Identifier: Apache-2.0 */
/* gguf-config.c: config.json made from the metadata of a GGUF file.
 *
 * Follows the GGUF specification's model keys and llama.cpp's conversion
 * script, backwards.  Llama 3's scaling of frequencies is not in the metadata
 * but in the tensor rope_freqs.weight; it is told from that.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/weights/weights-private.h"

typedef struct
{
  LmWeightFile *file;
  JsonObject *in, *out;
  const LmFamily *family;
} Made;

static gboolean refuse (const Made *m, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
refuse (const Made *m, GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s: %s", m->file->name, text);
  return FALSE;
}

static const char *
text_of (const Made *m, const char *key, const char *def)
{
  JsonNode *node = json_object_get_member (m->in, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : def;
}

/* The value of {architecture}.@key; NULL: not there, or no single number or text. */
static JsonNode *
value_of (const Made *m, const char *key)
{
  g_autofree char *full = g_strconcat (m->family->gguf, ".", key, NULL);
  JsonNode *node = json_object_get_member (m->in, full);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

static gint64
int_of (const Made *m, const char *key, gint64 def)
{
  JsonNode *node = value_of (m, key);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node)
                                                                         : def;
}

static double
number_of (const Made *m, const char *key, double def)
{
  JsonNode *node = value_of (m, key);

  return node != NULL && json_node_get_value_type (node) != G_TYPE_STRING
             ? json_node_get_double (node)
             : def;
}

/* Numbers are floats there: 1e-5 is 9.999999747378752e-06, which nobody wrote. */
static double
as_written (double value)
{
  char text[32];

  g_ascii_formatd (text, sizeof text, "%.7g", value);
  return g_ascii_strtod (text, NULL);
}

/* The number under the whole key @key, as somebody wrote it. */
static double
written_number (const Made *m, const char *key, double def)
{
  JsonNode *node = json_object_get_member (m->in, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) != G_TYPE_STRING
             ? as_written (json_node_get_double (node))
             : def;
}

static gboolean
find_family (Made *m, GError **error)
{
  const char *name = text_of (m, "general.architecture", "missing");
  const char *type = text_of (m, "general.type", "model");
  g_autoptr (GString) known = g_string_new (NULL);

  if (strcmp (type, "model") != 0)
    return refuse (m, error, "general.type is '%s', expected 'model'", type);
  for (const LmFamily *f = lm_families; f->name != NULL; f++)
    {
      if (strcmp (f->gguf, name) == 0)
        m->family = f;
      g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "", f->gguf);
    }
  return m->family != NULL
             ? TRUE
             : refuse (m, error, "general.architecture is '%s', not one that is known here: %s",
                       name, known->str);
}

static gboolean
add_sizes (Made *m, GError **error)
{
  const LmTensor *embed = lm_weight_file_find (m->file, "token_embd.weight");
  const LmTensor *gate = lm_weight_file_find (m->file, "blk.0.ffn_gate.weight");
  static const struct
  {
    const char *gguf, *json;
  } sizes[] = { { "embedding_length", "hidden_size" },
                { "feed_forward_length", "intermediate_size" },
                { "block_count", "num_hidden_layers" },
                { "attention.head_count", "num_attention_heads" },
                { "context_length", "max_position_embeddings" } };
  gint64 heads, hidden, head_dim;

  if (embed == NULL || embed->n_dims != 2 || gate == NULL)
    return refuse (m, error,
                   "token_embd.weight or blk.0.ffn_gate.weight is missing: no such "
                   "model is known here");
  json_object_set_int_member (m->out, "vocab_size", embed->dims[0]);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      gint64 n = int_of (m, sizes[i].gguf, 0);

      if (n <= 0)
        return refuse (m, error, "%s.%s is missing or no number above 0", m->family->gguf,
                       sizes[i].gguf);
      json_object_set_int_member (m->out, sizes[i].json, n);
    }
  heads = int_of (m, "attention.head_count", 0);
  hidden = int_of (m, "embedding_length", 0);
  head_dim = int_of (m, "attention.key_length", hidden / heads);
  if (int_of (m, "attention.value_length", head_dim) != head_dim
      || int_of (m, "rope.dimension_count", head_dim) != head_dim)
    return refuse (m, error,
                   "keys have %" G_GINT64_FORMAT " numbers, but values or rotation "
                   "another count: that is not computed",
                   head_dim);
  json_object_set_int_member (m->out, "num_key_value_heads",
                              int_of (m, "attention.head_count_kv", heads));
  json_object_set_int_member (m->out, "head_dim", head_dim);
  return TRUE;
}

static gboolean
add_attention (Made *m, GError **error)
{
  gboolean q_bias = lm_weight_file_find (m->file, "blk.0.attn_q.bias") != NULL;
  gboolean o_bias = lm_weight_file_find (m->file, "blk.0.attn_output.bias") != NULL;
  gboolean mlp_bias = lm_weight_file_find (m->file, "blk.0.ffn_gate.bias") != NULL;

  if (int_of (m, "attention.sliding_window", 0) != 0)
    return refuse (m, error,
                   "%s.attention.sliding_window is in use: sliding attention is not "
                   "computed",
                   m->family->gguf);
  if (int_of (m, "expert_count", 0) != 0)
    return refuse (m, error, "%s.expert_count is not 0: experts are not computed", m->family->gguf);
  json_object_set_double_member (
      m->out, "rms_norm_eps", as_written (number_of (m, "attention.layer_norm_rms_epsilon", 1e-6)));
  json_object_set_boolean_member (m->out, "tie_word_embeddings",
                                  lm_weight_file_find (m->file, "output.weight") == NULL);
  if (!m->family->qkv_bias)
    json_object_set_boolean_member (m->out, "attention_bias", q_bias || o_bias);
  else
    json_object_set_boolean_member (m->out, "use_sliding_window", FALSE);
  if (mlp_bias)
    json_object_set_boolean_member (m->out, "mlp_bias", TRUE);
  return TRUE;
}

/* ---- rotary positions -------------------------------------------------------------- */

/* The divisors of Llama 3.1 and later: 1 for short waves, factor for long ones,
 * between them by the formula; its other numbers are the same in every release,
 * and in keys of flowrun's where it wrote the file. */
static gboolean
tell_llama3 (Made *m, const LmTensor *t, JsonObject *rope, GError **error)
{
  double low = written_number (m, "flowrun.rope.low_freq_factor", 1);
  double high = written_number (m, "flowrun.rope.high_freq_factor", 4);
  double original = written_number (m, "flowrun.rope.original_context_length", 8192);
  gint64 half = json_object_get_int_member (m->out, "head_dim") / 2;
  double theta = json_object_get_double_member (m->out, "rope_theta");
  g_autofree float *divisor = NULL;
  double factor;

  if (t->type != LM_F32 || t->n_dims != 1 || t->dims[0] != half || half == 0)
    return refuse (m, error, "rope_freqs.weight has no %" G_GINT64_FORMAT " numbers of F32", half);
  if (t->data == NULL)
    return refuse (m, error, "rope_freqs.weight is cut off");
  if (!(original >= 1 && original <= G_MAXINT32))
    return refuse (m, error, "flowrun.rope.original_context_length is out of range");
  divisor = g_new (float, half);
  lm_decode (LM_F32, t->data, divisor, (gsize) half);
  factor = (double) divisor[half - 1];
  for (gint64 i = 0; i < half; i++)
    {
      double turns = original * pow (theta, -(double) i / (double) half) / (2 * G_PI);
      double s = CLAMP ((turns - low) / (high - low), 0, 1);
      double expected = 1 / ((1 - s) / factor + s);

      if (!(fabs ((double) divisor[i] - expected) <= 1e-3 * expected))
        return refuse (m, error,
                       "rope_freqs.weight is no scaling of Llama 3's kind: number %" G_GINT64_FORMAT
                       " is %g, expected %g",
                       i, (double) divisor[i], expected);
    }
  json_object_set_string_member (rope, "rope_type", "llama3");
  json_object_set_double_member (rope, "factor", factor);
  json_object_set_double_member (rope, "low_freq_factor", low);
  json_object_set_double_member (rope, "high_freq_factor", high);
  json_object_set_int_member (rope, "original_max_position_embeddings", (gint64) original);
  return TRUE;
}

static gboolean
tell_scaling (Made *m, JsonObject *rope, GError **error)
{
  JsonNode *node = value_of (m, "rope.scaling.type");
  const char *type = node == NULL ? "none" : json_node_get_string (node);
  double factor = as_written (number_of (m, "rope.scaling.factor", 1));
  double original = number_of (m, "rope.scaling.original_context_length", 0);
  double attn = as_written (number_of (m, "rope.scaling.attn_factor", 1));

  if (g_strcmp0 (type, "none") == 0)
    return TRUE;
  if (g_strcmp0 (type, "linear") != 0 && g_strcmp0 (type, "yarn") != 0)
    return refuse (m, error, "rope.scaling.type is '%s', expected none, linear or yarn",
                   type != NULL ? type : "no text");
  if (number_of (m, "rope.scaling.yarn_log_multiplier", 0) != 0)
    return refuse (m, error, "rope.scaling.yarn_log_multiplier is not computed for %s",
                   m->family->gguf);
  json_object_set_string_member (rope, "rope_type", type);
  json_object_set_double_member (rope, "factor", factor);
  if (strcmp (type, "linear") == 0)
    return TRUE;
  if (!(original >= 1 && original <= G_MAXINT32))
    return refuse (m, error, "rope.scaling.original_context_length is missing");
  json_object_set_int_member (rope, "original_max_position_embeddings", (gint64) original);
  json_object_set_double_member (rope, "beta_fast",
                                 as_written (number_of (m, "rope.scaling.yarn_beta_fast", 32)));
  json_object_set_double_member (rope, "beta_slow",
                                 as_written (number_of (m, "rope.scaling.yarn_beta_slow", 1)));
  if (attn != 1 && factor > 0)
    json_object_set_double_member (rope, "attention_factor",
                                   attn * (factor > 1 ? 0.1 * log (factor) + 1 : 1));
  return TRUE;
}

static gboolean
add_rope (Made *m, GError **error)
{
  const LmTensor *divisors = lm_weight_file_find (m->file, "rope_freqs.weight");
  g_autoptr (JsonObject) rope = json_object_new ();

  json_object_set_double_member (m->out, "rope_theta",
                                 as_written (number_of (m, "rope.freq_base", 10000)));
  if (!(divisors != NULL ? tell_llama3 (m, divisors, rope, error) : tell_scaling (m, rope, error)))
    return FALSE;
  if (json_object_get_size (rope) > 0)
    json_object_set_object_member (m->out, "rope_scaling", g_steal_pointer (&rope));
  return TRUE;
}

/* ---- tokens ------------------------------------------------------------------------ */

/* An answer ends with it too. */
static void
add_end_of_turn (Made *m)
{
  JsonNode *node = json_object_get_member (m->in, "tokenizer.ggml.eot_token_id");
  gint64 eos = json_object_get_int_member_with_default (m->out, "eos_token_id", -1), eot;
  JsonArray *both;

  if (eos < 0 || node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_INT64)
    return;
  eot = json_node_get_int (node);
  if (eot == eos || eot < 0 || eot > G_MAXINT32)
    return;
  both = json_array_new ();
  json_array_add_int_element (both, eos);
  json_array_add_int_element (both, eot);
  json_object_set_array_member (m->out, "eos_token_id", both);
}

static void
add_tokens (Made *m)
{
  static const struct
  {
    const char *gguf, *json;
  } ids[] = { { "tokenizer.ggml.bos_token_id", "bos_token_id" },
              { "tokenizer.ggml.eos_token_id", "eos_token_id" },
              { "tokenizer.ggml.padding_token_id", "pad_token_id" } };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      JsonNode *node = json_object_get_member (m->in, ids[i].gguf);

      if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
          && json_node_get_value_type (node) == G_TYPE_INT64)
        json_object_set_int_member (m->out, ids[i].json, json_node_get_int (node));
    }
  add_end_of_turn (m);
}

JsonObject *
lm_gguf_config (LmWeightFile *file, GError **error)
{
  g_autoptr (JsonObject) out = json_object_new ();
  Made m = { .file = file, .in = file->metadata, .out = out };
  const LmTensor *up = lm_weight_file_find (file, "blk.0.ffn_up.weight");
  JsonArray *classes;

  if (!find_family (&m, error))
    return NULL;
  classes = json_array_new ();
  json_array_add_string_element (classes, m.family->architecture);
  json_object_set_array_member (out, "architectures", classes);
  json_object_set_string_member (out, "model_type", m.family->name);
  json_object_set_string_member (out, "hidden_act", "silu");
  if (!add_sizes (&m, error) || !add_attention (&m, error) || !add_rope (&m, error))
    return NULL;
  add_tokens (&m);
  /* What the numbers were before they were quantised, nobody says; bf16 is what such models come
   * in. */
  json_object_set_string_member (out, "torch_dtype",
                                 up != NULL && up->type == LM_F32   ? "float32"
                                 : up != NULL && up->type == LM_F16 ? "float16"
                                                                    : "bfloat16");
  return g_steal_pointer (&out);
}
