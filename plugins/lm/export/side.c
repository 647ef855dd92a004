/* SPDX-License-Identifier: Apache-2.0 */
/* side.c: what lies beside exported weights: tokenizer, template, generation settings, licences.
 *
 * Of a Hugging Face directory the base's own files, byte for byte; of a GGUF
 * file what its metadata says, in Hugging Face's form.
 */
#include "config.h"

#include "lm/export.h"

gboolean
lm_export_apart (LmModel *model, const char *path, GError **error)
{
  const char *from = lm_model_path (model);
  g_autofree char *a = from != NULL ? g_canonicalize_filename (from, NULL) : NULL;
  g_autofree char *b = g_canonicalize_filename (path, NULL);

  if (g_strcmp0 (a, b) != 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "%s is the model that this is made from; name another directory", b);
  return FALSE;
}

int
lm_export_choose (LmModel *model, LmExportWhat what, LmExportWhat adapted, GError **error)
{
  gboolean has_adapter = lm_model_lora (model) != NULL;

  if (what == LM_EXPORT_AUTO)
    return has_adapter ? adapted : LM_EXPORT_MODEL;
  if ((what == LM_EXPORT_MODEL) != has_adapter)
    return what;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               has_adapter ? "'what' is \"model\", but %s has an adapter; say \"merged\" for both "
                             "in one, or \"adapter\""
                           : "'what' asks for an adapter, but %s has none; say \"model\"",
               lm_model_name (model));
  return -1;
}

JsonObject *
lm_export_generation (LmModel *model)
{
  const LmConfig *config = lm_model_config (model);
  JsonObject *out = json_object_new ();
  JsonArray *eos = json_array_new ();

  json_object_set_boolean_member (out, "_from_model_config", TRUE);
  if (config->bos_token >= 0)
    json_object_set_int_member (out, "bos_token_id", config->bos_token);
  for (guint i = 0; i < config->eos_tokens->len; i++)
    json_array_add_int_element (eos, g_array_index (config->eos_tokens, gint32, i));
  json_object_set_array_member (out, "eos_token_id", eos);
  if (config->pad_token >= 0)
    json_object_set_int_member (out, "pad_token_id", config->pad_token);
  return out;
}

/* From a GGUF: the tokenizer as Hugging Face has it, and the template. */
static gboolean
write_made_files (LmModel *model, LmFolder *folder, GError **error)
{
  LmTokenizer *tokenizer = lm_model_tokenizer (model, error);
  const char *source = lm_model_template_source (model);
  g_autoptr (JsonObject) generation = lm_export_generation (model);
  g_autoptr (JsonNode) config = NULL;
  g_autofree char *json = NULL;
  gsize len;

  if (tokenizer == NULL)
    return FALSE;
  json = lm_tokenizer_to_json (tokenizer, &len);
  config = lm_tokenizer_config_json (tokenizer);
  return lm_folder_write (folder, "tokenizer.json", json, (gssize) len, error)
         && (config == NULL
             || lm_folder_write_json (folder, "tokenizer_config.json",
                                      json_node_get_object (config), error))
         && (source == NULL || lm_folder_write (folder, "chat_template.jinja", source, -1, error))
         && lm_folder_write_json (folder, "generation_config.json", generation, error);
}

gboolean
lm_export_side_files (LmModel *model, LmFolder *folder, GError **error)
{
  const char *const *files = lm_model_files (model);
  const char *path = lm_model_path (model);

  if (path != NULL && !g_file_test (path, G_FILE_TEST_IS_DIR))
    return write_made_files (model, folder, error);
  for (; files[0] != NULL; files += 2)
    if (!lm_folder_copy (folder, files[0], files[1], error))
      return FALSE;
  return TRUE;
}
