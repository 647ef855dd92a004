/* SPDX-License-Identifier: Apache-2.0 */
/* companions.c: config.json, generation_config.json, genai_config.json.
 *
 * onnxruntime-genai takes names, sizes and search settings from its own file;
 * optimum and Transformers.js take sizes from config.json, the latter also what
 * type the cache has and whether weights lie in a file of their own.
 */
#include "config.h"

#include <string.h>

#include "companions.h"

static JsonObject *
object_in (JsonObject *parent, const char *key)
{
  JsonObject *object = json_object_new ();

  json_object_set_object_member (parent, key, object);
  return object;
}

/* ---- config.json --------------------------------------------------------------------------- */

static JsonObject *
make_config (const Export *e)
{
  JsonObject *config = lm_config_export (lm_model_config (e->model),
                                         e->options.dtype == DTYPE_F16 ? LM_F16 : LM_F32);
  gboolean f16 = e->options.dtype == DTYPE_F16;
  JsonObject *js;

  if (!f16 && !e->external)
    return config;
  js = object_in (config, "transformers.js_config");
  if (e->external)
    json_object_set_boolean_member (js, "use_external_data_format", TRUE);
  if (f16)
    json_object_set_string_member (object_in (js, "kv_cache_dtype"), "fp16", "float16");
  return config;
}

/* ---- genai_config.json ------------------------------------------------------------------------
 */

static void
set_tokens (JsonObject *model, const LmConfig *c)
{
  JsonArray *eos;
  gint64 pad = c->pad_token;

  if (c->bos_token >= 0)
    json_object_set_int_member (model, "bos_token_id", c->bos_token);
  if (c->eos_tokens->len > 0)
    {
      eos = json_array_new ();
      for (guint i = 0; i < c->eos_tokens->len; i++)
        json_array_add_int_element (eos, g_array_index (c->eos_tokens, gint32, i));
      json_object_set_array_member (model, "eos_token_id", eos);
    }
  if (pad < 0 && c->eos_tokens->len > 0)
    pad = g_array_index (c->eos_tokens, gint32, 0);
  json_object_set_int_member (model, "pad_token_id", MAX (pad, 0));
}

static void
set_decoder (JsonObject *decoder, const Export *e, const LmConfig *c)
{
  JsonObject *session = object_in (decoder, "session_options"), *names;

  json_object_set_string_member (session, "log_id", "onnxruntime-genai");
  json_object_set_array_member (session, "provider_options", json_array_new ());
  json_object_set_string_member (decoder, "filename", e->file);
  json_object_set_int_member (decoder, "head_size", c->head_dim);
  json_object_set_int_member (decoder, "hidden_size", c->hidden_size);
  json_object_set_int_member (decoder, "num_attention_heads", c->n_heads);
  json_object_set_int_member (decoder, "num_hidden_layers", c->n_layers);
  json_object_set_int_member (decoder, "num_key_value_heads", c->n_kv_heads);
  names = object_in (decoder, "inputs");
  json_object_set_string_member (names, "input_ids", "input_ids");
  json_object_set_string_member (names, "attention_mask", "attention_mask");
  json_object_set_string_member (names, "position_ids", "position_ids");
  json_object_set_string_member (names, "past_key_names", "past_key_values.%d.key");
  json_object_set_string_member (names, "past_value_names", "past_key_values.%d.value");
  names = object_in (decoder, "outputs");
  json_object_set_string_member (names, "logits", "logits");
  json_object_set_string_member (names, "present_key_names", "present.%d.key");
  json_object_set_string_member (names, "present_value_names", "present.%d.value");
}

/* @key of generation_config.json when it is a number (or a truth), else the default that is there.
 */
static void
take (JsonObject *search, JsonObject *generation, const char *key)
{
  JsonNode *node = json_object_get_member (generation, key);

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) != G_TYPE_STRING)
    json_object_set_member (search, key, json_node_copy (node));
}

static void
set_search (JsonObject *search, const Export *e, const LmConfig *c)
{
  JsonObject *generation = lm_model_generation (e->model);

  json_object_set_boolean_member (search, "do_sample", FALSE);
  json_object_set_boolean_member (search, "early_stopping", TRUE);
  json_object_set_double_member (search, "length_penalty", 1);
  json_object_set_int_member (search, "max_length", c->max_position);
  json_object_set_int_member (search, "min_length", 0);
  json_object_set_int_member (search, "no_repeat_ngram_size", 0);
  json_object_set_int_member (search, "num_beams", 1);
  json_object_set_int_member (search, "num_return_sequences", 1);
  json_object_set_boolean_member (search, "past_present_share_buffer", FALSE);
  json_object_set_double_member (search, "repetition_penalty", 1);
  json_object_set_double_member (search, "temperature", 1);
  json_object_set_int_member (search, "top_k", 50);
  json_object_set_double_member (search, "top_p", 1);
  if (generation == NULL)
    return;
  take (search, generation, "do_sample");
  take (search, generation, "repetition_penalty");
  take (search, generation, "temperature");
  take (search, generation, "top_k");
  take (search, generation, "top_p");
}

static JsonObject *
make_genai (const Export *e)
{
  const LmConfig *c = lm_model_config (e->model);
  JsonObject *root = json_object_new (), *model = object_in (root, "model");

  json_object_set_string_member (model, "type", c->family->name);
  json_object_set_int_member (model, "vocab_size", c->vocab_size);
  json_object_set_int_member (model, "context_length", c->max_position);
  set_tokens (model, c);
  set_decoder (object_in (model, "decoder"), e, c);
  set_search (object_in (root, "search"), e, c);
  return root;
}

/* ---- all of them
 * --------------------------------------------------------------------------------- */

gboolean
companions_write (Export *e, GError **error)
{
  g_autoptr (JsonObject) config = make_config (e), genai = make_genai (e);
  g_autoptr (JsonObject) generation = lm_export_generation (e->model);
  g_autofree char *path
      = g_build_filename (lm_folder_dir (e->folder), "generation_config.json", NULL);

  return lm_folder_write_json (e->folder, "config.json", config, error)
         && lm_folder_write_json (e->folder, "genai_config.json", genai, error)
         && lm_export_side_files (e->model, e->folder, error)
         && (g_file_test (path, G_FILE_TEST_EXISTS)
             || lm_folder_write_json (e->folder, "generation_config.json", generation, error));
}

char *
companions_usage (const Export *e, gboolean transformersjs, const char *dtype)
{
  GString *out = g_string_new (NULL);

  if (transformersjs)
    g_string_append_printf (
        out,
        "Transformers.js, with `env.localModelPath` set to the directory above this one:\n\n"
        "```js\nconst generate = await pipeline('text-generation', 'NAME', { dtype: '%s' });\n"
        "```\n\n",
        dtype);
  g_string_append_printf (
      out,
      "onnxruntime-genai, from this directory:\n\n"
      "```python\nmodel = onnxruntime_genai.Model('.')\n```\n\n"
      "onnxruntime: `%s` takes input_ids, attention_mask, position_ids and past_key_values.N.key "
      "and .value (%s, of length 0 to begin with), and gives logits and present.N.key and .value. "
      "Padding goes to the left, with 0 in attention_mask.",
      e->file, e->options.dtype == DTYPE_F16 ? "float16" : "float32");
  if (e->decoder->graph->n_contrib > 0)
    g_string_append (out, " MatMulNBits is one of ONNX Runtime's contrib operators "
                          "(com.microsoft): other runtimes may not know it.");
  return g_string_free (out, FALSE);
}
