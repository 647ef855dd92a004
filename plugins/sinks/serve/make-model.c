/* SPDX-License-Identifier: Apache-2.0 */
/* make-model.c: writes the small random model of lm/chat/test-model.h as a Hugging Face directory,
 * for tests that need a server and no sense: make-model DIRECTORY [chatml | think] [CONTEXT].
 */
#include "config.h"

#include <glib/gstdio.h>
#include <stdio.h>

#include "lm/chat/test-model.h"

/* Its answers begin inside reasoning, as DeepSeek-R1's do. */
#define THINKING                                                                                   \
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}" \
  "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"

static void
write_file (const char *directory, const char *name, const char *text, gssize len)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (path, text, len, &error))
    {
      fprintf (stderr, "make-model: %s\n", error->message);
      exit (1);
    }
}

/* The safetensors format: the header's length, the header, the numbers. */
static void
write_weights (const char *directory, LmModel *model)
{
  g_autoptr (GString) header = g_string_new ("{"), data = g_string_new (NULL);
  g_autoptr (GString) file = g_string_new (NULL);
  guint64 length;

  for (gsize i = 0; i < lm_model_n_tensors (model); i++)
    {
      const LmTensor *t = lm_model_nth_tensor (model, i);
      gsize n = (gsize) t->dims[0] * (t->n_dims > 1 ? (gsize) t->dims[1] : 1) * sizeof (float);

      if (t->n_dims > 1)
        g_string_append_printf (header,
                                "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%" G_GINT64_FORMAT
                                ",%" G_GINT64_FORMAT "],",
                                i > 0 ? "," : "", t->name, t->dims[0], t->dims[1]);
      else
        g_string_append_printf (header,
                                "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%" G_GINT64_FORMAT "],",
                                i > 0 ? "," : "", t->name, t->dims[0]);
      g_string_append_printf (header, "\"data_offsets\":[%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]}",
                              data->len, data->len + n);
      g_string_append_len (data, t->data, (gssize) n);
    }
  g_string_append_c (header, '}');
  while (header->len % 8 != 0)
    g_string_append_c (header, ' ');
  length = GUINT64_TO_LE ((guint64) header->len);
  g_string_append_len (file, (const char *) &length, sizeof length);
  g_string_append_len (file, header->str, (gssize) header->len);
  g_string_append_len (file, data->str, (gssize) data->len);
  write_file (directory, "model.safetensors", file->str, (gssize) file->len);
}

static void
write_texts (const char *directory, LmModel *model, const char *chat_template, guint context)
{
  g_autoptr (GString) config = g_string_new ("{\"eos_token\": \"<|im_end|>\", \"chat_template\": ");
  g_autofree char *model_config = g_strdup_printf (
      "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], \"vocab_size\": 259, "
      "\"hidden_size\": 16, \"intermediate_size\": 24, \"num_hidden_layers\": 2, "
      "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"max_position_embeddings\": %u, "
      "\"rms_norm_eps\": 1e-5, \"rope_theta\": 10000.0, \"hidden_act\": \"silu\", "
      "\"tie_word_embeddings\": true, \"eos_token_id\": 257}",
      context);
  g_autofree char *tokenizer = NULL;
  gsize len;

  fr_json_append_string (config, chat_template, strlen (chat_template));
  g_string_append_c (config, '}');
  write_file (directory, "config.json", model_config, -1);
  write_file (directory, "tokenizer_config.json", config->str, -1);
  tokenizer = lm_tokenizer_to_json (lm_model_tokenizer (model, NULL), &len);
  write_file (directory, "tokenizer.json", tokenizer, (gssize) len);
}

int
main (int argc, char **argv)
{
  const char *chat_template = argc > 2 && strcmp (argv[2], "think") == 0 ? THINKING : TEST_CHATML;
  guint context = argc > 3 ? (guint) g_ascii_strtoull (argv[3], NULL, 10) : 512;
  g_autoptr (LmModel) model = test_model (context, chat_template);

  if (argc < 2 || g_mkdir_with_parents (argv[1], 0755) != 0)
    {
      fprintf (stderr, "usage: make-model DIRECTORY [chatml | think] [CONTEXT]\n");
      return 2;
    }
  write_weights (argv[1], model);
  write_texts (argv[1], model, chat_template, context);
  return 0;
}
