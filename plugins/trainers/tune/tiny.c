/* SPDX-License-Identifier: Apache-2.0 */
/* tiny.c: a random model of a few thousand numbers, for tests. */
#include "config.h"

#include "tiny.h"

#include <flowrun/json.h>
#include <string.h>

#include "lm/samples.h"
#include "lm/tokenizer.h"

#define CONFIG                                                                                     \
  "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"vocab_size\": 258,"    \
  " \"hidden_size\": 16, \"intermediate_size\": 24, \"num_hidden_layers\": 2,"                     \
  " \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"max_position_embeddings\": 128,"     \
  " \"rms_norm_eps\": 1e-5, \"rope_theta\": 10000.0, \"hidden_act\": \"silu\","                    \
  " \"tie_word_embeddings\": true, \"torch_dtype\": \"float32\", \"bos_token_id\": 256,"           \
  " \"eos_token_id\": 257}"
#define TEMPLATE                                                                                   \
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}" \
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

/* ---- the tokenizer: every byte a token --------------------------------------------------- */

/* The character that stands for a byte in a byte-level vocabulary, as GPT-2 chose it. */
static gunichar
byte_character (guint byte, guint *next)
{
  if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174)
    return byte;
  return 256 + (*next)++;
}

static char *
tokenizer_json (void)
{
  GString *json = g_string_new (
      "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [");
  static const char *const special[] = { "<|im_start|>", "<|im_end|>" };
  guint next = 0;

  for (guint i = 0; i < 2; i++)
    g_string_append_printf (
        json,
        "%s{\"id\": %u, \"content\": \"%s\", \"single_word\": false, \"lstrip\": "
        "false, \"rstrip\": false, \"normalized\": false, \"special\": true}",
        i > 0 ? ", " : "", 256 + i, special[i]);
  g_string_append (
      json, "], \"normalizer\": null, \"pre_tokenizer\": {\"type\": \"ByteLevel\", "
            "\"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}, "
            "\"post_processor\": null, \"decoder\": {\"type\": \"ByteLevel\", "
            "\"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}, \"model\": "
            "{\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
            "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, \"fuse_unk\": "
            "false, \"byte_fallback\": false, \"ignore_merges\": false, \"vocab\": {");
  for (guint byte = 0; byte < 256; byte++)
    {
      char text[8];

      if (byte > 0)
        g_string_append (json, ", ");
      fr_json_append_string (json, text,
                             (gsize) g_unichar_to_utf8 (byte_character (byte, &next), text));
      g_string_append_printf (json, ": %u", byte);
    }
  g_string_append (json, "}, \"merges\": []}}");
  return g_string_free (json, FALSE);
}

/* ---- the weights ---------------------------------------------------------------------------- */

static LmConfig *
tiny_config (void)
{
  g_autoptr (JsonNode) root = fr_json_parse (CONFIG, -1, 0, NULL);

  return lm_config_parse (json_node_get_object (root), NULL);
}

static void
free_tensor (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

static void
add_tensor (GPtrArray *tensors, const LmConfig *config, LmWeightRole role, guint layer, guint64 key,
            double scale)
{
  LmTensor *t;
  gsize rows, cols, n;
  float *data;

  if (!lm_weight_shape (config, role, &rows, &cols))
    return;
  t = g_new0 (LmTensor, 1);
  n = MAX (rows, 1) * cols;
  t->name = lm_weight_name (role, layer);
  t->type = LM_F32;
  t->n_dims = rows > 0 ? 2 : 1;
  t->dims[0] = (gint64) (rows > 0 ? rows : cols);
  t->dims[1] = rows > 0 ? (gint64) cols : 0;
  t->bytes = n * sizeof (float);
  data = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    data[i] = (float) ((rows > 0 ? 0 : 1)
                       + scale * ((double) (lm_pack_mix (key, i) >> 11) * 0x1p-52 - 1));
  t->data = data;
  g_ptr_array_add (tensors, t);
}

static GPtrArray *
tiny_tensors (const LmConfig *config, guint64 seed, double scale)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);

  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    if (role != LM_W_HEAD)
      for (guint layer = 0; layer < (lm_weights[role].per_layer ? config->n_layers : 1); layer++)
        add_tensor (tensors, config, role, layer, lm_pack_mix (seed, role * 64 + layer), scale);
  return tensors;
}

LmModel *
tiny_model (guint64 seed, double scale)
{
  LmConfig *config = tiny_config ();
  g_autofree char *json = tokenizer_json ();
  g_autoptr (GError) error = NULL;
  LmTokenizer *tokenizer = lm_tokenizer_new_json ("tiny", json, strlen (json), &error);
  LmModel *model;

  g_assert_no_error (error);
  model = lm_model_new_memory (config, tiny_tensors (config, seed, scale), tokenizer, TEMPLATE);
  lm_tokenizer_unref (tokenizer);
  return model;
}

/* ---- as files
 * ------------------------------------------------------------------------------------ */

static gboolean
fill (const LmTensor *tensor, gpointer out, gpointer user, GError **error)
{
  (void) user;
  (void) error;
  memcpy (out, tensor->data, tensor->bytes);
  return TRUE;
}

static gboolean
write_text (const char *dir, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  return g_file_set_contents (path, text, -1, error);
}

gboolean
tiny_write (const char *dir, guint64 seed, double scale, GError **error)
{
  g_autoptr (LmConfig) config = tiny_config ();
  g_autoptr (GPtrArray) tensors = tiny_tensors (config, seed, scale);
  g_autofree LmTensorSource *sources = g_new0 (LmTensorSource, tensors->len);
  g_autofree char *path = g_build_filename (dir, "model.safetensors", NULL);
  g_autofree char *tokenizer = tokenizer_json ();
  g_autoptr (JsonObject) metadata = json_object_new ();
  g_autoptr (GString) talk = g_string_new ("{\"chat_template\": ");

  json_object_set_string_member (metadata, "format", "pt");
  for (guint i = 0; i < tensors->len; i++)
    sources[i] = (LmTensorSource){ .tensor = *(LmTensor *) tensors->pdata[i], .fill = fill };
  fr_json_append_string (talk, TEMPLATE, strlen (TEMPLATE));
  g_string_append (talk, ", \"bos_token\": \"<|im_start|>\", \"eos_token\": \"<|im_end|>\"}");
  return lm_safetensors_write (path, sources, tensors->len, metadata, error)
         && write_text (dir, "config.json", CONFIG, error)
         && write_text (dir, "tokenizer.json", tokenizer, error)
         && write_text (dir, "tokenizer_config.json", talk->str, error);
}
