/* SPDX-License-Identifier: Apache-2.0 */
/* open.c: a model from a Hugging Face directory, a GGUF file or a PEFT adapter.
 *
 * Nothing but headers is read here: a checkpoint of any size opens in
 * milliseconds.  Pages come as they are used, by the system's own read-ahead.
 */
#include "config.h"

#include <errno.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lm/weights/model-private.h"

#define NAMED_MISSING 3 /* tensors that a message names */
#define MAX_SPLITS 1000

gboolean
lm_model_read_json (const char *dir, const char *name, JsonObject **out, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL), *text = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = NULL;
  gsize len;

  *out = NULL;
  if (!g_file_get_contents (path, &text, &len, &local))
    {
      if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", local->message);
      return FALSE;
    }
  node = fr_json_parse (text, (gssize) len, 0, &local);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: %s", path,
                   local != NULL ? local->message : "expected an object");
      return FALSE;
    }
  *out = json_object_ref (json_node_get_object (node));
  return TRUE;
}

/* ---- tensors and the table --------------------------------------------------------- */

/* Finds a stored tensor by its name in the files. */
static const LmTensor *
find_stored (LmModel *model, const char *name)
{
  for (guint i = 0; i < model->files->len; i++)
    {
      const LmTensor *t = lm_weight_file_find (g_ptr_array_index (model->files, i), name);

      if (t != NULL)
        return t;
    }
  return NULL;
}

static gboolean
check_stored (LmModel *model, const LmTensor *t, gsize rows, gsize cols, GError **error)
{
  gboolean fits = rows == 0
                      ? t->n_dims == 1 && (gsize) t->dims[0] == cols
                      : t->n_dims == 2 && (gsize) t->dims[0] == rows && (gsize) t->dims[1] == cols;
  g_autoptr (GString) shape = g_string_new ("[");
  g_autofree char *expected
      = rows == 0 ? g_strdup_printf ("[%zu]", cols) : g_strdup_printf ("[%zu, %zu]", rows, cols);

  for (guint i = 0; i < t->n_dims; i++)
    g_string_append_printf (shape, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", t->dims[i]);
  if (!fits)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                 "%s: tensor '%s' has the shape %s], the config asks for %s", model->path, t->name,
                 shape->str, expected);
  else if (!lm_types[t->type].numeric)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                 "%s: tensor '%s' is %s, which is not computed; take a checkpoint in BF16, F16, "
                 "F32 or GGUF",
                 model->path, t->name, lm_types[t->type].name);
  else
    return TRUE;
  return FALSE;
}

typedef struct
{
  LmModel *model;
  gboolean gguf;
  GString *missing;
  guint n_missing, n_found;
} Wanted;

static gboolean
want (Wanted *w, LmWeightRole role, guint layer, GError **error)
{
  const LmConfig *config = w->model->config;
  g_autofree char *name = lm_weight_name (role, layer), *gguf = lm_weight_gguf_name (role, layer);
  const char *stored_name = w->gguf ? gguf : name;
  const LmTensor *stored;
  gsize rows, cols;
  guint heads = 0;

  if (!lm_weight_shape (config, role, &rows, &cols))
    return TRUE;
  stored = find_stored (w->model, stored_name);
  if (stored == NULL)
    {
      if (w->n_missing++ < NAMED_MISSING)
        g_string_append_printf (w->missing, "%s'%s'", w->n_missing > 1 ? ", " : "", stored_name);
      return TRUE;
    }
  if (!check_stored (w->model, stored, rows, cols, error))
    return FALSE;
  if (w->gguf && config->family->gguf_permuted && (role == LM_W_Q || role == LM_W_Q_BIAS))
    heads = config->n_heads;
  if (w->gguf && config->family->gguf_permuted && (role == LM_W_K || role == LM_W_K_BIAS))
    heads = config->n_kv_heads;
  lm_model_add_slot (w->model, role, layer, g_steal_pointer (&name), stored, heads);
  w->n_found++;
  return TRUE;
}

static void
note_extra (LmModel *model, guint n_found)
{
  gsize n = 0;
  const LmTensor *head = find_stored (model, "lm_head.weight");

  for (guint i = 0; i < model->files->len; i++)
    n += lm_weight_file_n_tensors (g_ptr_array_index (model->files, i));
  if (model->config->tied && head != NULL)
    g_ptr_array_add (model->warnings,
                     g_strdup ("lm_head.weight is there although tie_word_embeddings is true; the "
                               "embedding is used instead, as transformers does"));
  n -= n_found + (model->config->tied && head != NULL);
  if (n > 0)
    g_ptr_array_add (model->warnings,
                     g_strdup_printf ("%zu tensors that %s does not use are passed over", n,
                                      model->config->family->architecture));
}

/* Every tensor of the table, in the order of a forward pass. */
static gboolean
place_weights (LmModel *model, GError **error)
{
  g_autoptr (GString) missing = g_string_new (NULL);
  Wanted w = { model, lm_weight_file_is_gguf (g_ptr_array_index (model->files, 0)), missing, 0, 0 };

  if (!want (&w, LM_W_EMBED, 0, error))
    return FALSE;
  for (guint layer = 0; layer < model->config->n_layers; layer++)
    for (guint role = 0; role < LM_N_WEIGHTS; role++)
      if (lm_weights[role].per_layer && !want (&w, role, layer, error))
        return FALSE;
  if (!want (&w, LM_W_FINAL_NORM, 0, error) || !want (&w, LM_W_HEAD, 0, error))
    return FALSE;
  if (w.n_missing > 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s: %u of the tensors that a %s of this config has are missing: %s%s%s",
                   model->path, w.n_missing, model->config->family->name, missing->str,
                   w.n_missing > NAMED_MISSING ? " and more" : "",
                   w.n_missing == 1 && strstr (missing->str, "lm_head") != NULL
                       ? "; with tie_word_embeddings it would not be needed"
                       : "");
      return FALSE;
    }
  note_extra (model, w.n_found);
  for (guint i = 0; i < model->config->warnings->len; i++)
    g_ptr_array_add (model->warnings, g_strdup (g_ptr_array_index (model->config->warnings, i)));
  return TRUE;
}

/* ---- Hugging Face directories ------------------------------------------------------ */

static gboolean
add_file (LmModel *model, const char *path, GError **error)
{
  LmWeightFile *file = lm_weight_file_open (path, error);

  if (file != NULL)
    g_ptr_array_add (model->files, file);
  return file != NULL;
}

/* The shards that the index names, each once. */
static gboolean
add_shards (LmModel *model, const char *dir, JsonObject *index, GError **error)
{
  JsonNode *map = json_object_get_member (index, "weight_map");
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  JsonObjectIter iter;
  const char *tensor;
  JsonNode *value;

  if (map == NULL || !JSON_NODE_HOLDS_OBJECT (map)
      || json_object_get_size (json_node_get_object (map)) == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s/model.safetensors.index.json has no weight_map", dir);
      return FALSE;
    }
  json_object_iter_init_ordered (&iter, json_node_get_object (map));
  while (json_object_iter_next_ordered (&iter, &tensor, &value))
    {
      const char *name = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_string (value) : NULL;
      g_autofree char *path = NULL;

      if (name == NULL || *name == '\0' || strchr (name, '/') != NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s/model.safetensors.index.json: tensor '%s' is in '%s', which is no file "
                       "beside it",
                       dir, tensor, name != NULL ? name : "");
          return FALSE;
        }
      if (!g_hash_table_add (seen, (gpointer) name))
        continue;
      path = g_build_filename (dir, name, NULL);
      if (!add_file (model, path, error))
        {
          g_prefix_error (error, "a shard named by model.safetensors.index.json: ");
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
add_weights (LmModel *model, const char *dir, GError **error)
{
  g_autofree char *single = g_build_filename (dir, "model.safetensors", NULL);
  g_autofree char *pickled = g_build_filename (dir, "pytorch_model.bin", NULL);
  g_autoptr (JsonObject) index = NULL;

  if (!lm_model_read_json (dir, "model.safetensors.index.json", &index, error))
    return FALSE;
  if (index != NULL)
    return add_shards (model, dir, index, error);
  if (g_file_test (single, G_FILE_TEST_EXISTS))
    return add_file (model, single, error);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s has neither model.safetensors nor model.safetensors.index.json%s", dir,
               g_file_test (pickled, G_FILE_TEST_EXISTS)
                   ? "; pytorch_model.bin is a pickle, which can run programs and is not read: "
                     "save the model with safe_serialization"
                   : "");
  return FALSE;
}

/* What ends an answer: generation_config.json's tokens first. */
static gboolean
merge_generation (LmModel *model, GError **error)
{
  g_autoptr (GArray) after = g_array_ref (model->config->eos_tokens);
  LmConfig *config = model->config;

  g_array_unref (config->eos_tokens);
  config->eos_tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (!lm_config_read_eos (config, model->generation, error))
    {
      g_prefix_error (error, "generation_config.json, read as ");
      return FALSE;
    }
  for (guint i = 0; i < after->len; i++)
    {
      gint32 token = g_array_index (after, gint32, i);
      gboolean there = FALSE;

      for (guint k = 0; k < config->eos_tokens->len; k++)
        there |= g_array_index (config->eos_tokens, gint32, k) == token;
      if (!there)
        g_array_append_val (config->eos_tokens, token);
    }
  return TRUE;
}

static gboolean
open_directory (LmModel *model, const char *dir, JsonObject *config, GError **error)
{
  model->dir = g_strdup (dir);
  model->config = lm_config_parse (config, error);
  if (model->config == NULL)
    {
      g_prefix_error (error, "%s/", dir);
      return FALSE;
    }
  if (!lm_model_read_json (dir, "generation_config.json", &model->generation, error)
      || !lm_model_read_json (dir, "tokenizer_config.json", &model->tokenizer_config, error)
      || !lm_model_read_json (dir, "special_tokens_map.json", &model->special_map, error))
    return FALSE;
  if (model->generation == NULL)
    model->generation = json_object_new ();
  lm_model_find_side_files (model);
  return merge_generation (model, error) && add_weights (model, dir, error);
}

/* ---- GGUF -------------------------------------------------------------------------- */

/* STEM-00001-of-00003.gguf: the others lie beside it. */
static gboolean
add_splits (LmModel *model, const char *path, GError **error)
{
  JsonObject *metadata = lm_weight_file_metadata (g_ptr_array_index (model->files, 0));
  JsonNode *node = json_object_get_member (metadata, "split.count");
  gint64 count = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 1;
  g_autofree char *tail = g_strdup_printf ("-00001-of-%05d.gguf", (int) CLAMP (count, 0, 99999));
  g_autofree char *stem = NULL;

  if (count <= 1)
    return TRUE;
  if (count > MAX_SPLITS || !g_str_has_suffix (path, tail))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s is one of %" G_GINT64_FORMAT " parts; give the first, whose name ends in "
                   "'%s'",
                   path, count, tail);
      return FALSE;
    }
  stem = g_strndup (path, strlen (path) - strlen (tail));
  for (gint64 i = 2; i <= count; i++)
    {
      g_autofree char *part = g_strdup_printf ("%s-%05d-of-%05d.gguf", stem, (int) i, (int) count);

      if (!add_file (model, part, error))
        return FALSE;
    }
  return TRUE;
}

static void
gguf_generation (LmModel *model)
{
  static const char *const ends[]
      = { "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id" };
  JsonObject *metadata = lm_weight_file_metadata (g_ptr_array_index (model->files, 0));

  model->generation = json_object_new ();
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      JsonNode *node = json_object_get_member (metadata, ends[i]);
      g_autoptr (JsonObject) one = json_object_new ();

      if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
        continue;
      json_object_set_int_member (one, "eos_token_id", json_node_get_int (node));
      lm_config_read_eos (model->config, one, NULL);
    }
}

static gboolean
open_gguf (LmModel *model, const char *path, GError **error)
{
  g_autoptr (JsonObject) config = NULL;
  LmWeightFile *file;

  if (!add_file (model, path, error))
    return FALSE;
  file = g_ptr_array_index (model->files, 0);
  if (!lm_weight_file_is_gguf (file))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s is a safetensors file, which says nothing of the model; give its directory, "
                   "with config.json",
                   path);
      return FALSE;
    }
  config = lm_gguf_config (file, error);
  if (config == NULL)
    return FALSE;
  model->config = lm_config_parse (config, error);
  if (model->config == NULL)
    {
      g_prefix_error (error, "%s, its metadata as ", path);
      return FALSE;
    }
  gguf_generation (model);
  return add_splits (model, path, error);
}

/* ---- adapters ---------------------------------------------------------------------- */

static LmModel *
open_base (const char *dir, const char *name, GError **error)
{
  g_autofree char *beside = g_build_filename (dir, name, NULL);
  g_autofree char *config = NULL;
  const char *found
      = !g_path_is_absolute (name) && g_file_test (beside, G_FILE_TEST_EXISTS) ? beside : name;

  if (!g_file_test (found, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s is an adapter of '%s', which is no file or directory here; open the base "
                   "model, and name the adapter beside it",
                   dir, name);
      return NULL;
    }
  config = g_build_filename (found, "adapter_config.json", NULL);
  if (g_file_test (config, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s is an adapter of another adapter, %s; merge that first", dir, found);
      return NULL;
    }
  return lm_model_open (found, error);
}

static LmModel *
open_adapter (const char *dir, JsonObject *config, GError **error)
{
  JsonNode *node = json_object_get_member (config, "base_model_name_or_path");
  const char *name
      = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
  g_autoptr (LmModel) base = NULL;

  if (name == NULL || *name == '\0')
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s/adapter_config.json does not name its base_model_name_or_path; open the "
                   "base model, and name the adapter beside it",
                   dir);
      return NULL;
    }
  base = open_base (dir, name, error);
  return base != NULL ? lm_model_open_adapted (base, dir, error) : NULL;
}

static LmModel *
open_root (const char *path, JsonObject *config, GError **error)
{
  g_autoptr (LmModel) model = lm_model_new ();

  model->path = g_strdup (path);
  model->name = g_path_get_basename (path);
  if (!(config != NULL ? open_directory (model, path, config, error)
                       : open_gguf (model, path, error))
      || !place_weights (model, error))
    return NULL;
  return g_steal_pointer (&model);
}

LmModel *
lm_model_open (const char *path, GError **error)
{
  g_autoptr (JsonObject) config = NULL, adapter = NULL;
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  GStatBuf st;

  if (g_stat (absolute, &st) < 0)
    {
      fr_error_errno (error, errno, "open", absolute);
      return NULL;
    }
  if (!S_ISDIR (st.st_mode))
    return open_root (absolute, NULL, error);
  if (!lm_model_read_json (absolute, "config.json", &config, error)
      || !lm_model_read_json (absolute, "adapter_config.json", &adapter, error))
    return NULL;
  /* A merged model keeps its adapter's files beside it: config.json decides. */
  if (config != NULL)
    return open_root (absolute, config, error);
  if (adapter != NULL)
    return open_adapter (absolute, adapter, error);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s has neither config.json nor adapter_config.json; expected a Hugging Face model "
               "directory, a PEFT adapter or a GGUF file",
               absolute);
  return NULL;
}
