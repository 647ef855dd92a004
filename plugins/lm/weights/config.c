/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: the table of families, and config.json read against it.
 *
 * Follows the configuration classes of transformers, in the spellings of its
 * versions 4 and 5 (rope_scaling and rope_theta, or rope_parameters; "type" or
 * "rope_type"; torch_dtype or dtype).  A setting that would change the
 * mathematics and is not computed here is refused by its name; a key that
 * nothing here depends on is kept, and written out again.
 */
#include "config.h"

#include <flowrun/json.h>
#include <math.h>
#include <string.h>

#include "lm/config.h"

/* deepseek_v3 will be a row here, with its own rows in lm_weights for latent
 * attention and experts and its own sizes read in read_sizes(). */
const LmFamily lm_families[] = {
  { "llama", "LlamaForCausalLM", "llama", FALSE, FALSE, TRUE },
  { "qwen2", "Qwen2ForCausalLM", "qwen2", TRUE, FALSE, FALSE },
  { "qwen3", "Qwen3ForCausalLM", "qwen3", FALSE, TRUE, FALSE },
  { 0 },
};

/* Far above any checkpoint, and low enough that products of two fit 64 bits. */
#define MAX_SIZE (1 << 24)
#define MAX_LAYERS 1024
#define MAX_POSITIONS (1 << 30)

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "config.json: %s", text);
  return FALSE;
}

static void warn (LmConfig *config, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
warn (LmConfig *config, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (config->warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

/* ---- members ----------------------------------------------------------------------- */

/* A member that is there and not null. */
static JsonNode *
member (JsonObject *json, const char *key)
{
  JsonNode *node = json != NULL ? json_object_get_member (json, key) : NULL;

  return node != NULL && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

static char *
shown (JsonNode *node)
{
  char *text = fr_json_to_string (node, 0);

  if (strlen (text) > 60)
    {
      char *end = g_utf8_find_prev_char (text, text + 60);

      *(end != NULL ? end : text) = '\0';
    }
  return text;
}

static gboolean
is_a (JsonNode *node, GType type)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

static gboolean
wrong (JsonNode *node, const char *key, const char *expected, GError **error)
{
  g_autofree char *text = shown (node);

  return refuse (error, "'%s' is %s, expected %s", key, text, expected);
}

/* A whole number in [@low, @high]; @def when it is absent, needed when @def is below @low. */
static gboolean
get_uint (JsonObject *json, const char *key, gint64 low, gint64 high, gint64 def, guint *out,
          GError **error)
{
  JsonNode *node = member (json, key);
  gint64 value = def;

  if (node == NULL && def < low)
    return refuse (error, "'%s' is missing", key);
  if (node != NULL)
    {
      value = is_a (node, G_TYPE_INT64) ? json_node_get_int (node) : low - 1;
      if (value < low || value > high)
        {
          g_autofree char *expected = g_strdup_printf (
              "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, low, high);

          return wrong (node, key, expected, error);
        }
    }
  *out = (guint) value;
  return TRUE;
}

/* A number above 0; @def when it is absent, needed when @def is 0. */
static gboolean
get_positive (JsonObject *json, const char *key, double def, double *out, GError **error)
{
  JsonNode *node = member (json, key);

  *out = def;
  if (node == NULL)
    return def > 0 ? TRUE : refuse (error, "'%s' is missing", key);
  *out = is_a (node, G_TYPE_INT64) || is_a (node, G_TYPE_DOUBLE) ? json_node_get_double (node) : 0;
  return *out > 0 && isfinite (*out) ? TRUE : wrong (node, key, "a number above 0", error);
}

static gboolean
get_bool (JsonObject *json, const char *key, gboolean def, gboolean *out, GError **error)
{
  JsonNode *node = member (json, key);

  *out = node != NULL && is_a (node, G_TYPE_BOOLEAN) ? json_node_get_boolean (node) : def;
  return node == NULL || is_a (node, G_TYPE_BOOLEAN) ? TRUE
                                                     : wrong (node, key, "true or false", error);
}

/* ---- what is refused --------------------------------------------------------------- */

/* Settings of relatives of these families: whatever is not as here is other mathematics. */
static gboolean
check_unsupported (JsonObject *json, GError **error)
{
  static const struct
  {
    const char *key;
    double neutral;
  } neutral[] = {
    { "partial_rotary_factor", 1 }, { "embedding_multiplier", 1 }, { "residual_multiplier", 1 },
    { "logits_scaling", 1 },        { "logit_scale", 1 },          { "rotary_pct", 1 },
  };
  static const char *const absent[] = { "attn_logit_softcapping",
                                        "final_logit_softcapping",
                                        "attention_multiplier",
                                        "no_rope_layers",
                                        "clip_qkv",
                                        "num_experts",
                                        "num_local_experts",
                                        "n_routed_experts",
                                        "vision_config" };
  JsonNode *node = member (json, "hidden_act");

  if (node != NULL && (!is_a (node, G_TYPE_STRING) || strcmp (json_node_get_string (node), "silu")))
    return wrong (node, "hidden_act", "\"silu\"; no other activation is computed", error);
  node = member (json, "quantization_config");
  if (node != NULL)
    {
      g_autofree char *text = shown (node);

      return refuse (error,
                     "'quantization_config' is %s: such weights are not read; take the "
                     "checkpoint that is not quantised, or a GGUF file",
                     text);
    }
  for (guint i = 0; i < G_N_ELEMENTS (neutral); i++)
    {
      node = member (json, neutral[i].key);
      if (node == NULL)
        continue;
      if ((!is_a (node, G_TYPE_DOUBLE) && !is_a (node, G_TYPE_INT64))
          || json_node_get_double (node) != neutral[i].neutral)
        return wrong (node, neutral[i].key, "1; nothing else is computed", error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (absent); i++)
    if ((node = member (json, absent[i])) != NULL)
      return wrong (node, absent[i], "none; that is not computed", error);
  return TRUE;
}

/* Sliding attention is Qwen's, from layer max_window_layers on where it is switched on. */
static gboolean
check_window (const LmConfig *config, JsonObject *json, GError **error)
{
  JsonNode *types = member (json, "layer_types");
  gboolean sliding;
  guint from;

  if (types != NULL)
    {
      JsonArray *array = JSON_NODE_HOLDS_ARRAY (types) ? json_node_get_array (types) : NULL;

      for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
        {
          JsonNode *type = json_array_get_element (array, i);

          if (!is_a (type, G_TYPE_STRING)
              || strcmp (json_node_get_string (type), "full_attention") != 0)
            return wrong (type, "layer_types", "\"full_attention\" for every layer", error);
        }
      return array != NULL ? TRUE : wrong (types, "layer_types", "an array of texts", error);
    }
  if (strcmp (config->family->name, "llama") == 0)
    return TRUE;
  if (!get_bool (json, "use_sliding_window", FALSE, &sliding, error)
      || !get_uint (json, "max_window_layers", 0, G_MAXINT32, 28, &from, error))
    return FALSE;
  if (sliding && member (json, "sliding_window") != NULL && from < config->n_layers)
    return refuse (error,
                   "'use_sliding_window' is true from layer %u of %u on: sliding attention is not "
                   "computed",
                   from, config->n_layers);
  return TRUE;
}

/* ---- rotary positions -------------------------------------------------------------- */

static double
yarn_mscale (double factor, double mscale)
{
  return factor <= 1 ? 1 : 0.1 * mscale * log (factor) + 1;
}

/* attention_factor is transformers' key.  attn_factor is vLLM's and llama.cpp's:
 * they multiply the default by it, transformers passes over it, and at least
 * DeepSeek-R1-0528-Qwen3-8B is published with it.  Its publishers mean it, so it
 * counts here; what is written out names both, so that every reader computes
 * the same. */
static gboolean
read_attention_factor (LmConfig *config, JsonObject *json, GError **error)
{
  LmRope *rope = &config->rope;
  double mscale = 0, all_dim = 0, attn;

  if (member (json, "attention_factor") != NULL)
    return get_positive (json, "attention_factor", 0, &rope->attention_factor, error);
  if (member (json, "mscale") != NULL && !get_positive (json, "mscale", 0, &mscale, error))
    return FALSE;
  if (member (json, "mscale_all_dim") != NULL
      && !get_positive (json, "mscale_all_dim", 0, &all_dim, error))
    return FALSE;
  rope->attention_factor = mscale > 0 && all_dim > 0 ? yarn_mscale (rope->factor, mscale)
                                                           / yarn_mscale (rope->factor, all_dim)
                                                     : yarn_mscale (rope->factor, 1);
  if (member (json, "attn_factor") == NULL)
    return TRUE;
  if (!get_positive (json, "attn_factor", 0, &attn, error))
    return FALSE;
  warn (config,
        "yarn: attn_factor %g is taken at its word, as vLLM and llama.cpp do: cos and sin are "
        "multiplied by %g, where transformers passes over the key and takes %g",
        attn, rope->attention_factor * attn, rope->attention_factor);
  rope->attention_factor *= attn;
  return TRUE;
}

/* The context before scaling: a number of tokens, whole, though some write it as 4096.0. */
static gboolean
read_original_context (LmConfig *config, JsonObject *json, GError **error)
{
  const char *key = "original_max_position_embeddings";
  double *tokens = &config->rope.original_max_position;

  if (!get_positive (json, key, config->max_position, tokens, error))
    return FALSE;
  if (*tokens >= 1 && *tokens <= G_MAXINT32 && *tokens == floor (*tokens))
    return TRUE;
  return refuse (error, "'%s' is %g, expected a whole number from 1 to %d", key, *tokens, G_MAXINT32);
}

static gboolean
read_yarn (LmConfig *config, JsonObject *json, GError **error)
{
  LmRope *rope = &config->rope;
  gboolean truncate;

  if (!read_original_context (config, json, error)
      || !get_positive (json, "beta_fast", 32, &rope->beta_fast, error)
      || !get_positive (json, "beta_slow", 1, &rope->beta_slow, error)
      || !get_bool (json, "truncate", TRUE, &truncate, error))
    return FALSE;
  if (!truncate)
    return refuse (error, "yarn's 'truncate' is false, expected true; nothing else is computed");
  if (member (json, "factor") == NULL)
    rope->factor = config->max_position / rope->original_max_position;
  return read_attention_factor (config, json, error);
}

static gboolean
read_llama3 (LmConfig *config, JsonObject *json, GError **error)
{
  LmRope *rope = &config->rope;

  if (!get_positive (json, "low_freq_factor", 0, &rope->low_freq_factor, error)
      || !get_positive (json, "high_freq_factor", 0, &rope->high_freq_factor, error)
      || !read_original_context (config, json, error))
    return FALSE;
  return rope->high_freq_factor > rope->low_freq_factor
             ? TRUE
             : refuse (error, "rope: high_freq_factor %g is not above low_freq_factor %g",
                       rope->high_freq_factor, rope->low_freq_factor);
}

static gboolean
read_rope_kind (LmConfig *config, JsonObject *json, GError **error)
{
  static const char *const kinds[] = { "default", "linear", "llama3", "yarn", NULL };
  JsonNode *node
      = member (json, "rope_type") != NULL ? member (json, "rope_type") : member (json, "type");
  const char *name
      = node != NULL && is_a (node, G_TYPE_STRING) ? json_node_get_string (node) : NULL;

  if (node == NULL)
    return TRUE;
  for (guint i = 0; kinds[i] != NULL; i++)
    if (g_strcmp0 (name, kinds[i]) == 0)
      {
        config->rope.kind = (LmRopeKind) i;
        return TRUE;
      }
  return wrong (node, "rope_type", "default, linear, llama3 or yarn; nothing else is computed",
                error);
}

/* Where both spellings are there, transformers takes rope_scaling; so do we. */
static gboolean
read_rope (LmConfig *config, JsonObject *json, GError **error)
{
  JsonNode *v4 = member (json, "rope_scaling"), *v5 = member (json, "rope_parameters");
  JsonNode *node = v4 != NULL ? v4 : v5;
  JsonObject *scaling = NULL, *parameters = NULL;
  LmRope *rope = &config->rope;

  if (v5 != NULL && JSON_NODE_HOLDS_OBJECT (v5))
    parameters = json_node_get_object (v5);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    return wrong (node, v4 != NULL ? "rope_scaling" : "rope_parameters", "an object", error);
  if (node != NULL)
    scaling = json_node_get_object (node);
  if (member (scaling, "full_attention") != NULL)
    return refuse (error, "rope parameters by kind of layer are not computed");
  rope->factor = rope->attention_factor = 1;
  if (!get_positive (json, "rope_theta", 10000, &rope->theta, error)
      || !get_positive (parameters, "rope_theta", rope->theta, &rope->theta, error)
      || !get_positive (scaling, "rope_theta", rope->theta, &rope->theta, error)
      || !read_rope_kind (config, scaling, error))
    return FALSE;
  if (member (scaling, "partial_rotary_factor") != NULL && !check_unsupported (scaling, error))
    return FALSE;
  if (rope->theta <= 1)
    return refuse (error, "'rope_theta' is %g, expected a number above 1", rope->theta);
  if (rope->kind == LM_ROPE_DEFAULT)
    return TRUE;
  if ((rope->kind != LM_ROPE_YARN || member (scaling, "factor") != NULL)
      && !get_positive (scaling, "factor", 0, &rope->factor, error))
    return FALSE;
  if (rope->factor < 1)
    return refuse (error, "rope: 'factor' is %g, expected at least 1", rope->factor);
  switch (rope->kind)
    {
    case LM_ROPE_LLAMA3:
      return read_llama3 (config, scaling, error);
    case LM_ROPE_YARN:
      return read_yarn (config, scaling, error);
    default:
      return TRUE;
    }
}

static void
yarn_frequencies (const LmRope *rope, guint dim, double *inv)
{
  double low = dim * log (rope->original_max_position / (rope->beta_fast * 2 * G_PI))
               / (2 * log (rope->theta));
  double high = dim * log (rope->original_max_position / (rope->beta_slow * 2 * G_PI))
                / (2 * log (rope->theta));

  low = fmax (floor (low), 0);
  high = fmin (ceil (high), dim - 1);
  if (low == high)
    high += 0.001;
  for (guint i = 0; i < dim / 2; i++)
    {
      double ramp = CLAMP ((i - low) / (high - low), 0, 1);

      inv[i] = inv[i] / rope->factor * ramp + inv[i] * (1 - ramp);
    }
}

static void
llama3_frequencies (const LmRope *rope, guint dim, double *inv)
{
  double longest = rope->original_max_position / rope->low_freq_factor;
  double shortest = rope->original_max_position / rope->high_freq_factor;

  for (guint i = 0; i < dim / 2; i++)
    {
      double wavelength = 2 * G_PI / inv[i];
      double s = (rope->original_max_position / wavelength - rope->low_freq_factor)
                 / (rope->high_freq_factor - rope->low_freq_factor);

      if (wavelength > longest)
        inv[i] /= rope->factor;
      else if (wavelength >= shortest)
        inv[i] = (1 - s) * inv[i] / rope->factor + s * inv[i];
    }
}

void
lm_rope_frequencies (const LmConfig *config, double *inv)
{
  const LmRope *rope = &config->rope;

  for (guint i = 0; i < config->head_dim / 2; i++)
    inv[i] = pow (rope->theta, -2.0 * i / config->head_dim);
  if (rope->kind == LM_ROPE_LINEAR)
    for (guint i = 0; i < config->head_dim / 2; i++)
      inv[i] /= rope->factor;
  else if (rope->kind == LM_ROPE_LLAMA3)
    llama3_frequencies (rope, config->head_dim, inv);
  else if (rope->kind == LM_ROPE_YARN)
    yarn_frequencies (rope, config->head_dim, inv);
}

void
lm_rope_table (const LmConfig *config, const double *inv, gsize from, gsize to, float *cosine,
               float *sine)
{
  gsize half = config->head_dim / 2;
  double factor = config->rope.attention_factor;

  for (gsize p = from, i = 0; p < to; p++)
    for (gsize j = 0; j < half; j++, i++)
      {
        cosine[i] = (float) (factor * cos ((double) p * inv[j]));
        sine[i] = (float) (factor * sin ((double) p * inv[j]));
      }
}

/* ---- the rest ---------------------------------------------------------------------- */

static gboolean
read_family (LmConfig *config, JsonObject *json, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *known = NULL;
  JsonNode *node = member (json, "model_type");
  const char *name
      = node != NULL && is_a (node, G_TYPE_STRING) ? json_node_get_string (node) : NULL;

  for (const LmFamily *f = lm_families; f->name != NULL; f++)
    {
      if (g_strcmp0 (name, f->name) == 0)
        config->family = f;
      g_ptr_array_add (names, (gpointer) f->name);
    }
  if (config->family != NULL)
    return TRUE;
  g_ptr_array_add (names, NULL);
  known = g_strjoinv (", ", (char **) names->pdata);
  if (name == NULL)
    return refuse (error, "'model_type' is missing or no text; it names the family: %s", known);
  return refuse (error, "model_type '%s' is not a family that is known here: %s", name, known);
}

static gboolean
read_sizes (LmConfig *config, JsonObject *json, GError **error)
{
  gint64 head_dim;

  if (!get_uint (json, "vocab_size", 1, MAX_SIZE, 0, &config->vocab_size, error)
      || !get_uint (json, "hidden_size", 1, MAX_SIZE, 0, &config->hidden_size, error)
      || !get_uint (json, "intermediate_size", 1, MAX_SIZE, 0, &config->intermediate_size, error)
      || !get_uint (json, "num_hidden_layers", 1, MAX_LAYERS, 0, &config->n_layers, error)
      || !get_uint (json, "num_attention_heads", 1, 65536, 0, &config->n_heads, error)
      || !get_uint (json, "num_key_value_heads", 1, 65536, config->n_heads, &config->n_kv_heads,
                    error)
      || !get_uint (json, "max_position_embeddings", 1, MAX_POSITIONS, 2048, &config->max_position,
                    error)
      || !get_positive (json, "rms_norm_eps", 1e-6, &config->rms_norm_eps, error))
    return FALSE;
  head_dim
      = strcmp (config->family->name, "qwen3") == 0 ? 128 : config->hidden_size / config->n_heads;
  if (!get_uint (json, "head_dim", 1, 65536, head_dim, &config->head_dim, error))
    return FALSE;
  if (config->n_heads % config->n_kv_heads != 0)
    return refuse (error, "%u attention heads are no multiple of %u key heads", config->n_heads,
                   config->n_kv_heads);
  if (config->head_dim % 2 != 0)
    return refuse (error, "heads of %u numbers cannot be rotated in pairs", config->head_dim);
  if (member (json, "head_dim") == NULL && config->hidden_size % config->n_heads != 0
      && strcmp (config->family->name, "qwen3") != 0)
    return refuse (error, "hidden_size %u is no multiple of %u attention heads",
                   config->hidden_size, config->n_heads);
  return TRUE;
}

static gboolean
read_flags (LmConfig *config, JsonObject *json, GError **error)
{
  gboolean attention_bias = FALSE;

  config->qk_norm = config->family->qk_norm;
  if (!get_bool (json, "tie_word_embeddings", FALSE, &config->tied, error))
    return FALSE;
  if (!config->family->qkv_bias
      && !get_bool (json, "attention_bias", FALSE, &attention_bias, error))
    return FALSE;
  config->qkv_bias = config->family->qkv_bias || attention_bias;
  config->o_bias = attention_bias;
  if (strcmp (config->family->name, "llama") == 0)
    return get_bool (json, "mlp_bias", FALSE, &config->mlp_bias, error);
  return TRUE;
}

static gboolean
read_dtype (LmConfig *config, JsonObject *json, GError **error)
{
  static const struct
  {
    const char *name;
    LmType type;
  } names[] = { { "float32", LM_F32 }, { "bfloat16", LM_BF16 }, { "float16", LM_F16 } };
  JsonNode *node
      = member (json, "dtype") != NULL ? member (json, "dtype") : member (json, "torch_dtype");
  const char *name;

  if (node == NULL)
    return TRUE;
  name = is_a (node, G_TYPE_STRING) ? json_node_get_string (node) : "";
  if (g_str_has_prefix (name, "torch."))
    name += strlen ("torch.");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i].name) == 0)
      {
        config->dtype = names[i].type;
        return TRUE;
      }
  return wrong (node, "torch_dtype", "float32, bfloat16 or float16", error);
}

static gboolean
read_token (LmConfig *config, JsonObject *json, const char *key, gint32 *out, GError **error)
{
  JsonNode *node = member (json, key);
  guint id;

  *out = -1;
  if (node == NULL || (is_a (node, G_TYPE_INT64) && json_node_get_int (node) == -1))
    return TRUE;
  if (!get_uint (json, key, 0, G_MAXINT32, 0, &id, error))
    return FALSE;
  *out = (gint32) id;
  if (id >= config->vocab_size)
    {
      warn (config, "'%s' is %u, beyond the %u tokens of the vocabulary: it is passed over", key,
            id, config->vocab_size);
      *out = -1;
    }
  return TRUE;
}

gboolean
lm_config_read_eos (LmConfig *config, JsonObject *json, GError **error)
{
  JsonNode *node = member (json, "eos_token_id");
  JsonArray *array = NULL;
  guint n;

  if (node == NULL)
    return TRUE;
  if (JSON_NODE_HOLDS_ARRAY (node))
    array = json_node_get_array (node);
  n = array != NULL ? json_array_get_length (array) : 1;
  for (guint i = 0; i < n; i++)
    {
      JsonNode *one = array != NULL ? json_array_get_element (array, i) : node;
      gint64 id = is_a (one, G_TYPE_INT64) ? json_node_get_int (one) : -1;
      gint32 token = (gint32) id;
      gboolean there = FALSE;

      if (id < 0 || id > G_MAXINT32)
        return wrong (node, "eos_token_id", "a token's id or an array of them", error);
      for (guint k = 0; k < config->eos_tokens->len; k++)
        there |= g_array_index (config->eos_tokens, gint32, k) == token;
      if (!there)
        g_array_append_val (config->eos_tokens, token);
    }
  return TRUE;
}

LmConfig *
lm_config_parse (JsonObject *json, GError **error)
{
  g_autoptr (LmConfig) config = g_new0 (LmConfig, 1);

  config->json = json_object_ref (json);
  config->eos_tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  config->warnings = g_ptr_array_new_with_free_func (g_free);
  if (!read_family (config, json, error) || !check_unsupported (json, error)
      || !read_sizes (config, json, error) || !check_window (config, json, error)
      || !read_flags (config, json, error) || !read_rope (config, json, error)
      || !read_dtype (config, json, error)
      || !read_token (config, json, "bos_token_id", &config->bos_token, error)
      || !read_token (config, json, "pad_token_id", &config->pad_token, error)
      || !lm_config_read_eos (config, json, error))
    return NULL;
  return g_steal_pointer (&config);
}

void
lm_config_free (LmConfig *config)
{
  if (config == NULL)
    return;
  g_array_unref (config->eos_tokens);
  g_ptr_array_unref (config->warnings);
  json_object_unref (config->json);
  g_free (config);
}

/* ---- written out again ------------------------------------------------------------- */

static const char *
dtype_name (LmType type)
{
  return type == LM_BF16 ? "bfloat16" : type == LM_F16 ? "float16" : "float32";
}

/* Both spellings, so that version 4 and 5 of transformers read the same. */
static void
export_rope (const LmConfig *config, JsonObject *out)
{
  JsonNode *node = member (out, "rope_scaling") != NULL ? member (out, "rope_scaling")
                                                        : member (out, "rope_parameters");
  g_autoptr (JsonObject) rope = json_object_new ();
  static const char *const kinds[] = { "default", "linear", "llama3", "yarn" };
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (node != NULL)
    {
      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &key, &value))
        json_object_set_member (rope, key, json_node_copy (value));
    }
  json_object_remove_member (rope, "type");
  json_object_set_string_member (rope, "rope_type", kinds[config->rope.kind]);
  json_object_set_double_member (rope, "rope_theta", config->rope.theta);
  if (config->rope.kind == LM_ROPE_YARN)
    {
      json_object_set_double_member (rope, "factor", config->rope.factor);
      json_object_set_double_member (rope, "attention_factor", config->rope.attention_factor);
    }
  if (config->rope.kind == LM_ROPE_YARN || config->rope.kind == LM_ROPE_LLAMA3)
    json_object_set_int_member (rope, "original_max_position_embeddings",
                                (gint64) config->rope.original_max_position);
  json_object_set_double_member (out, "rope_theta", config->rope.theta);
  json_object_set_object_member (out, "rope_parameters", json_object_ref (rope));
  if (config->rope.kind == LM_ROPE_DEFAULT)
    json_object_set_null_member (out, "rope_scaling");
  else
    json_object_set_object_member (out, "rope_scaling", g_steal_pointer (&rope));
}

JsonObject *
lm_config_export (const LmConfig *config, LmType dtype)
{
  JsonObject *out = json_object_new ();
  JsonArray *classes = json_array_new ();
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, config->json);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    json_object_set_member (out, key, json_node_copy (value));
  json_array_add_string_element (classes, config->family->architecture);
  json_object_set_array_member (out, "architectures", classes);
  json_object_set_string_member (out, "model_type", config->family->name);
  json_object_set_boolean_member (out, "tie_word_embeddings", config->tied);
  json_object_set_string_member (out, "torch_dtype", dtype_name (dtype));
  json_object_set_string_member (out, "dtype", dtype_name (dtype));
  export_rope (config, out);
  return out;
}

/* ---- the table of tensors ---------------------------------------------------------- */

#define LAYER "model.layers.%u."

const LmWeightRow lm_weights[LM_N_WEIGHTS] = {
  { LM_W_EMBED, "model.embed_tokens.weight", "token_embd.weight", FALSE },
  { LM_W_FINAL_NORM, "model.norm.weight", "output_norm.weight", FALSE },
  { LM_W_HEAD, "lm_head.weight", "output.weight", FALSE },
  { LM_W_INPUT_NORM, LAYER "input_layernorm.weight", "blk.%u.attn_norm.weight", TRUE },
  { LM_W_Q, LAYER "self_attn.q_proj.weight", "blk.%u.attn_q.weight", TRUE },
  { LM_W_K, LAYER "self_attn.k_proj.weight", "blk.%u.attn_k.weight", TRUE },
  { LM_W_V, LAYER "self_attn.v_proj.weight", "blk.%u.attn_v.weight", TRUE },
  { LM_W_O, LAYER "self_attn.o_proj.weight", "blk.%u.attn_output.weight", TRUE },
  { LM_W_Q_BIAS, LAYER "self_attn.q_proj.bias", "blk.%u.attn_q.bias", TRUE },
  { LM_W_K_BIAS, LAYER "self_attn.k_proj.bias", "blk.%u.attn_k.bias", TRUE },
  { LM_W_V_BIAS, LAYER "self_attn.v_proj.bias", "blk.%u.attn_v.bias", TRUE },
  { LM_W_O_BIAS, LAYER "self_attn.o_proj.bias", "blk.%u.attn_output.bias", TRUE },
  { LM_W_Q_NORM, LAYER "self_attn.q_norm.weight", "blk.%u.attn_q_norm.weight", TRUE },
  { LM_W_K_NORM, LAYER "self_attn.k_norm.weight", "blk.%u.attn_k_norm.weight", TRUE },
  { LM_W_POST_NORM, LAYER "post_attention_layernorm.weight", "blk.%u.ffn_norm.weight", TRUE },
  { LM_W_GATE, LAYER "mlp.gate_proj.weight", "blk.%u.ffn_gate.weight", TRUE },
  { LM_W_UP, LAYER "mlp.up_proj.weight", "blk.%u.ffn_up.weight", TRUE },
  { LM_W_DOWN, LAYER "mlp.down_proj.weight", "blk.%u.ffn_down.weight", TRUE },
  { LM_W_GATE_BIAS, LAYER "mlp.gate_proj.bias", "blk.%u.ffn_gate.bias", TRUE },
  { LM_W_UP_BIAS, LAYER "mlp.up_proj.bias", "blk.%u.ffn_up.bias", TRUE },
  { LM_W_DOWN_BIAS, LAYER "mlp.down_proj.bias", "blk.%u.ffn_down.bias", TRUE },
};

gboolean
lm_weight_shape (const LmConfig *c, LmWeightRole role, gsize *rows, gsize *cols)
{
  gsize q = (gsize) c->n_heads * c->head_dim, kv = (gsize) c->n_kv_heads * c->head_dim;
  const struct
  {
    gboolean there;
    gsize rows, cols;
  } shapes[LM_N_WEIGHTS] = {
    [LM_W_EMBED] = { TRUE, c->vocab_size, c->hidden_size },
    [LM_W_FINAL_NORM] = { TRUE, 0, c->hidden_size },
    [LM_W_HEAD] = { !c->tied, c->vocab_size, c->hidden_size },
    [LM_W_INPUT_NORM] = { TRUE, 0, c->hidden_size },
    [LM_W_Q] = { TRUE, q, c->hidden_size },
    [LM_W_K] = { TRUE, kv, c->hidden_size },
    [LM_W_V] = { TRUE, kv, c->hidden_size },
    [LM_W_O] = { TRUE, c->hidden_size, q },
    [LM_W_Q_BIAS] = { c->qkv_bias, 0, q },
    [LM_W_K_BIAS] = { c->qkv_bias, 0, kv },
    [LM_W_V_BIAS] = { c->qkv_bias, 0, kv },
    [LM_W_O_BIAS] = { c->o_bias, 0, c->hidden_size },
    [LM_W_Q_NORM] = { c->qk_norm, 0, c->head_dim },
    [LM_W_K_NORM] = { c->qk_norm, 0, c->head_dim },
    [LM_W_POST_NORM] = { TRUE, 0, c->hidden_size },
    [LM_W_GATE] = { TRUE, c->intermediate_size, c->hidden_size },
    [LM_W_UP] = { TRUE, c->intermediate_size, c->hidden_size },
    [LM_W_DOWN] = { TRUE, c->hidden_size, c->intermediate_size },
    [LM_W_GATE_BIAS] = { c->mlp_bias, 0, c->intermediate_size },
    [LM_W_UP_BIAS] = { c->mlp_bias, 0, c->intermediate_size },
    [LM_W_DOWN_BIAS] = { c->mlp_bias, 0, c->hidden_size },
  };

  *rows = shapes[role].rows;
  *cols = shapes[role].cols;
  return shapes[role].there;
}

static char *
layer_name (const char *pattern, guint layer)
{
  const char *mark = strstr (pattern, "%u");

  return mark == NULL
             ? g_strdup (pattern)
             : g_strdup_printf ("%.*s%u%s", (int) (mark - pattern), pattern, layer, mark + 2);
}

char *
lm_weight_name (LmWeightRole role, guint layer)
{
  return layer_name (lm_weights[role].name, layer);
}

char *
lm_weight_gguf_name (LmWeightRole role, guint layer)
{
  return layer_name (lm_weights[role].gguf, layer);
}
