/* SPDX-License-Identifier: Apache-2.0 */
/* side.c: what comes with the weights: tokenizer, template, special tokens, files.
 *
 * All of it is made when it is first asked for, so that opening a model costs
 * nothing that its user does not need.  Follows transformers in where it looks:
 * chat_template.jinja before the key in tokenizer_config.json, tokens as text,
 * as object with "content", or null.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <xxhash.h>

#include "lm/weights/model-private.h"

static LmWeightFile *
gguf_of (LmModel *root)
{
  LmWeightFile *file = root->files->len > 0 ? g_ptr_array_index (root->files, 0) : NULL;

  return file != NULL && lm_weight_file_is_gguf (file) ? file : NULL;
}

void
lm_model_find_side_files (LmModel *model)
{
  static const char *const names[] = { "tokenizer.json",
                                       "tokenizer_config.json",
                                       "chat_template.jinja",
                                       "generation_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "tokenizer.model",
                                       "LICENSE",
                                       "LICENSE.txt",
                                       "LICENSE.md",
                                       "NOTICE",
                                       "USE_POLICY.md" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (model->dir, names[i], NULL);

      if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
        continue;
      g_ptr_array_add (model->side_files, g_strdup (names[i]));
      g_ptr_array_add (model->side_files, g_steal_pointer (&path));
    }
  g_ptr_array_add (model->side_files, NULL);
}

const char *const *
lm_model_files (LmModel *model)
{
  static const char *const none[] = { NULL };
  LmModel *root = lm_model_root (model);

  return root->side_files->len > 0 ? (const char *const *) root->side_files->pdata : none;
}

JsonObject *
lm_model_generation (LmModel *model)
{
  return lm_model_root (model)->generation;
}

/* ---- tokenizer --------------------------------------------------------------------- */

static LmTokenizer *
make_tokenizer (LmModel *root, GError **error)
{
  g_autofree char *path = NULL, *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize len;

  if (gguf_of (root) != NULL)
    return lm_tokenizer_new_gguf (gguf_of (root), error);
  if (root->dir == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s has no tokenizer", root->name);
      return NULL;
    }
  path = g_build_filename (root->dir, "tokenizer.json", NULL);
  if (g_file_get_contents (path, &text, &len, &local))
    return lm_tokenizer_new_json (path, text, len, error);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s; a model without it cannot read text: save the tokenizer in its fast form",
               local->message);
  return NULL;
}

LmTokenizer *
lm_model_tokenizer (LmModel *model, GError **error)
{
  LmModel *root = lm_model_root (model);
  g_autoptr (LmTokenizer) made = NULL;
  LmTokenizer *tokenizer;

  g_mutex_lock (&root->lock);
  if (root->tokenizer == NULL)
    made = make_tokenizer (root, error);
  if (made != NULL && lm_tokenizer_n_tokens (made) > root->config->vocab_size)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                 "%s: the tokenizer has %u tokens, the model only %u: they do not belong together",
                 root->path, lm_tokenizer_n_tokens (made), root->config->vocab_size);
  else if (made != NULL)
    root->tokenizer = g_steal_pointer (&made);
  tokenizer = root->tokenizer;
  g_mutex_unlock (&root->lock);
  return tokenizer;
}

/* ---- template ---------------------------------------------------------------------- */

static const char *
text_member (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
}

/* One template, or a list of named ones, of which "default" counts. */
static const char *
listed_template (JsonObject *config)
{
  JsonNode *node = config != NULL ? json_object_get_member (config, "chat_template") : NULL;
  JsonArray *list
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      JsonNode *one = json_array_get_element (list, i);

      if (JSON_NODE_HOLDS_OBJECT (one)
          && g_strcmp0 (text_member (json_node_get_object (one), "name"), "default") == 0)
        return text_member (json_node_get_object (one), "template");
    }
  return list == NULL && config != NULL ? text_member (config, "chat_template") : NULL;
}

static char *
read_template (LmModel *root)
{
  LmWeightFile *gguf = gguf_of (root);
  g_autofree char *path = NULL, *text = NULL;

  if (gguf != NULL)
    return g_strdup (text_member (lm_weight_file_metadata (gguf), "tokenizer.chat_template"));
  if (root->dir == NULL)
    return NULL;
  path = g_build_filename (root->dir, "chat_template.jinja", NULL);
  if (g_file_get_contents (path, &text, NULL, NULL))
    return g_steal_pointer (&text);
  return g_strdup (listed_template (root->tokenizer_config));
}

static const char *
template_source (LmModel *root)
{
  if (!root->template_read)
    root->template_source = read_template (root);
  root->template_read = TRUE;
  return root->template_source;
}

const char *
lm_model_template_source (LmModel *model)
{
  LmModel *root = lm_model_root (model);
  const char *source;

  g_mutex_lock (&root->lock);
  source = template_source (root);
  g_mutex_unlock (&root->lock);
  return source;
}

LmTemplate *
lm_model_template (LmModel *model, GError **error)
{
  LmModel *root = lm_model_root (model);
  LmTemplate *result;

  g_mutex_lock (&root->lock);
  if (root->template == NULL && template_source (root) != NULL)
    root->template = lm_template_new (root->name, root->template_source,
                                      strlen (root->template_source), error);
  else if (root->template == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s has no chat template", root->name);
  result = root->template;
  g_mutex_unlock (&root->lock);
  return result;
}

/* ---- special tokens ---------------------------------------------------------------- */

static const char *
token_text (JsonObject *config, const char *which)
{
  JsonNode *node = config != NULL ? json_object_get_member (config, which) : NULL;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return text_member (json_node_get_object (node), "content");
  return config != NULL ? text_member (config, which) : NULL;
}

/* GGUF has ids: "bos_token" is the text of tokenizer.ggml.bos_token_id. */
static char *
gguf_special (LmWeightFile *file, const char *which)
{
  static const char *const keys[][2] = { { "bos_token", "tokenizer.ggml.bos_token_id" },
                                         { "eos_token", "tokenizer.ggml.eos_token_id" },
                                         { "pad_token", "tokenizer.ggml.padding_token_id" },
                                         { "unk_token", "tokenizer.ggml.unknown_token_id" } };
  gsize n = 0;
  const FrStr *tokens = lm_gguf_strings (file, "tokenizer.ggml.tokens", &n);

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      JsonNode *node = json_object_get_member (lm_weight_file_metadata (file), keys[i][1]);
      gint64 id = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : -1;

      if (strcmp (which, keys[i][0]) == 0 && id >= 0 && (guint64) id < n && tokens != NULL)
        return g_utf8_make_valid (tokens[id].data, (gssize) tokens[id].len);
    }
  return NULL;
}

static char *
find_special (LmModel *root, const char *which)
{
  const char *text;

  if (gguf_of (root) != NULL)
    return gguf_special (gguf_of (root), which);
  text = token_text (root->tokenizer_config, which);
  return g_strdup (text != NULL ? text : token_text (root->special_map, which));
}

const char *
lm_model_special (LmModel *model, const char *which)
{
  LmModel *root = lm_model_root (model);
  gpointer text;

  g_mutex_lock (&root->lock);
  if (!g_hash_table_lookup_extended (root->special, which, NULL, &text))
    {
      text = find_special (root, which);
      g_hash_table_insert (root->special, g_strdup (which), text);
    }
  g_mutex_unlock (&root->lock);
  return text;
}

/* ---- hash -------------------------------------------------------------------------- */

static void
append_digest (GString *out, XXH128_hash_t h)
{
  XXH128_canonical_t c;

  XXH128_canonicalFromHash (&c, h);
  g_string_append (out, "xxh3:");
  for (guint i = 0; i < sizeof c.digest; i++)
    g_string_append_printf (out, "%02x", c.digest[i]);
}

/* Of one file what the core gives it; of several the hash over theirs. */
static char *
make_hash (LmModel *root, GError **error)
{
  g_autoptr (GString) all = g_string_new (NULL);
  gsize bytes = 0;

  if (root->files->len == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s lies in no file", root->name);
      return NULL;
    }
  for (guint i = 0; i < root->files->len; i++)
    {
      LmWeightFile *file = g_ptr_array_index (root->files, i);

      append_digest (all, XXH3_128bits (file->data, file->len));
      bytes += file->len;
    }
  if (root->files->len > 1)
    {
      XXH128_hash_t h = XXH3_128bits (all->str, all->len);

      g_string_truncate (all, 0);
      append_digest (all, h);
    }
  g_string_append_printf (all, ", %zu bytes", bytes);
  return g_strdup (all->str);
}

const char *
lm_model_hash (LmModel *model, GError **error)
{
  LmModel *root = lm_model_root (model);
  const char *hash;

  g_mutex_lock (&root->lock);
  if (root->hash == NULL)
    root->hash = make_hash (root, error);
  hash = root->hash;
  g_mutex_unlock (&root->lock);
  return hash;
}
