/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c: the metadata of a model or an adapter.
 *
 * Follows the GGUF specification's general keys; sizes and tokens are
 * written by lm (config.h, tokenizer.h).
 */
#include "config.h"

#include "sink-gguf.h"

/* The id of a special token of tokenizer_config.json, or @otherwise. */
static gint32
special_id (LmModel *model, LmTokenizer *tokenizer, const char *which, gint32 otherwise)
{
  const char *text = lm_model_special (model, which);
  gint32 id = text != NULL ? lm_tokenizer_find (tokenizer, text) : -1;

  return id >= 0 ? id : otherwise;
}

static LmGgufTokens
tokens_of (LmModel *model, LmTokenizer *tokenizer)
{
  const LmConfig *config = lm_model_config (model);
  const GArray *ends = config->eos_tokens;
  gint32 first = ends->len > 0 ? g_array_index (ends, gint32, 0) : -1;
  LmGgufTokens tokens = { .n_tokens = config->vocab_size,
                          .bos = special_id (model, tokenizer, "bos_token", config->bos_token),
                          .eos = special_id (model, tokenizer, "eos_token", first),
                          .eot = -1,
                          .padding = special_id (model, tokenizer, "pad_token", config->pad_token),
                          .unknown = special_id (model, tokenizer, "unk_token", -1) };

  /* Another token that ends an answer too. */
  for (guint i = 0; i < ends->len && tokens.eot < 0; i++)
    if (g_array_index (ends, gint32, i) != tokens.eos)
      tokens.eot = g_array_index (ends, gint32, i);
  return tokens;
}

static LmGgufKeys *
general (LmModel *model, const char *type, const char *name)
{
  LmGgufKeys *keys = lm_gguf_keys_new ();
  const char *hash = lm_model_hash (model, NULL);

  lm_gguf_keys_set_text (keys, "general.architecture", lm_model_config (model)->family->gguf);
  lm_gguf_keys_set_text (keys, "general.type", type);
  lm_gguf_keys_set_text (keys, "general.name", name != NULL ? name : lm_model_name (model));
  lm_gguf_keys_set_text (keys, "flowrun.version", PACKAGE_VERSION);
  if (hash != NULL)
    lm_gguf_keys_set_text (keys, "flowrun.base.hash", hash);
  return keys;
}

LmGgufKeys *
keys_model (const Plan *plan, const char *name, GError **error)
{
  LmTokenizer *tokenizer = lm_model_tokenizer (plan->model, error);
  const char *template = lm_model_template_source (plan->model);
  g_autoptr (LmGgufKeys) keys = NULL;
  LmGgufTokens tokens;

  if (tokenizer == NULL)
    return NULL;
  tokens = tokens_of (plan->model, tokenizer);
  keys = general (plan->model, "model", name);
  lm_gguf_keys_set_u32 (keys, "general.file_type", plan->format->file_type);
  lm_gguf_keys_set_u32 (keys, "general.quantization_version", 2);
  if (!lm_gguf_keys_set_config (keys, lm_model_config (plan->model), error)
      || !lm_gguf_keys_set_tokenizer (keys, tokenizer, &tokens, error))
    return NULL;
  if (template != NULL)
    lm_gguf_keys_set_text (keys, "tokenizer.chat_template", template);
  return g_steal_pointer (&keys);
}

LmGgufKeys *
keys_adapter (LmModel *model, const char *name, float alpha)
{
  LmGgufKeys *keys = general (model, "adapter", name);

  lm_gguf_keys_set_text (keys, "adapter.type", "lora");
  lm_gguf_keys_set_f32 (keys, "adapter.lora.alpha", alpha);
  return keys;
}
