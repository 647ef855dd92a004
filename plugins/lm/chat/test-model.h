/* SPDX-License-Identifier: Apache-2.0 */
/* test-model.h: a random two-layer model whose tokens are bytes, for tests of chat and generation. */
#ifndef FLOWRUN_LM_TEST_MODEL_H
#define FLOWRUN_LM_TEST_MODEL_H

#include <flowrun/json.h>
#include <string.h>

#include "lm/model.h"

#define TEST_START 256 /* <|im_start|> */
#define TEST_END 257   /* <|im_end|> */
#define TEST_THINK 258 /* <think>, not special */

#define TEST_CHATML                                                                     \
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"  \
  "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

/* GPT-2's characters for bytes. */
static void
test_append_byte (GString *json, guint byte, guint *next)
{
  gunichar c = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : 256 + (*next)++;
  char text[8];

  fr_json_append_string (json, text, (gsize) g_unichar_to_utf8 (c, text));
}

static LmTokenizer *
test_tokenizer (void)
{
  static const char *const added[] = { "<|im_start|>", "<|im_end|>", "<think>" };
  g_autoptr (GString) json = g_string_new ("{\"added_tokens\": [");
  guint next = 0;

  for (guint i = 0; i < G_N_ELEMENTS (added); i++)
    g_string_append_printf (json,
                            "%s{\"id\": %u, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, "
                            "\"rstrip\": false, \"normalized\": false, \"special\": %s}",
                            i > 0 ? ", " : "", 256 + i, added[i], i < 2 ? "true" : "false");
  g_string_append (json, "], \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": true}, "
                         "\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"type\": \"BPE\", \"vocab\": {");
  for (guint byte = 0; byte < 256; byte++)
    {
      g_string_append (json, byte > 0 ? ", " : "");
      test_append_byte (json, byte, &next);
      g_string_append_printf (json, ": %u", byte);
    }
  g_string_append (json, "}, \"merges\": []}}");
  return lm_tokenizer_new_json ("test", json->str, json->len, NULL);
}

static LmConfig *
test_config (guint context)
{
  g_autofree char *text = g_strdup_printf (
      "{\"model_type\": \"llama\", \"vocab_size\": 259, \"hidden_size\": 16, \"intermediate_size\": 24, "
      "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"num_key_value_heads\": 2, "
      "\"max_position_embeddings\": %u, \"rms_norm_eps\": 1e-5, \"rope_theta\": 10000.0, \"hidden_act\": \"silu\", "
      "\"tie_word_embeddings\": true, \"eos_token_id\": 257}",
      context);
  g_autoptr (JsonNode) root = fr_json_parse (text, -1, 0, NULL);

  return lm_config_parse (json_node_get_object (root), NULL);
}

static void
test_free_tensor (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

static void
test_add_tensor (GPtrArray *tensors, const LmConfig *config, LmWeightRole role, guint layer, GRand *rand)
{
  LmTensor *t;
  gsize rows, cols, n;
  float *data;

  if (!lm_weight_shape (config, role, &rows, &cols))
    return;
  t = g_new0 (LmTensor, 1);
  t->name = lm_weight_name (role, layer);
  t->type = LM_F32;
  t->n_dims = rows > 0 ? 2 : 1;
  t->dims[0] = (gint64) (rows > 0 ? rows : cols);
  t->dims[1] = rows > 0 ? (gint64) cols : 0;
  n = MAX (rows, 1) * cols;
  t->bytes = n * sizeof (float);
  data = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    data[i] = (float) ((rows > 0 ? 0 : 1) + g_rand_double_range (rand, -0.6, 0.6));
  t->data = data;
  g_ptr_array_add (tensors, t);
}

/* @template: NULL: none */
static LmModel *
test_model (guint context, const char *chat_template)
{
  LmConfig *config = test_config (context);
  GPtrArray *tensors = g_ptr_array_new_with_free_func (test_free_tensor);
  g_autoptr (LmTokenizer) tokenizer = test_tokenizer ();
  GRand *rand = g_rand_new_with_seed (7);

  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint layer = 0; layer < (lm_weights[role].per_layer ? config->n_layers : 1); layer++)
      if (role != LM_W_HEAD)
        test_add_tensor (tensors, config, role, layer, rand);
  g_rand_free (rand);
  return lm_model_new_memory (config, tensors, tokenizer, chat_template);
}

#endif
