/* SPDX-License-Identifier: Apache-2.0 */
/* keep.c: a model kept for reuse in a later run, and described in a manifest.
 *
 * A checkpoint is kept as its path and its hash; what was trained on it as
 * files:
 *
 *   model.json                kind, and for a checkpoint path and hash
 *   card.json                 facts of the training, where there are any
 *   base/                     what it stands on, in the same form
 *   adapter/                  a PEFT directory            (kind "adapted")
 *   tensors.safetensors       the tensors in place of the base's  (kind "tuned")
 */
#include "config.h"

#include <errno.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>
#include <xxhash.h>

#include "lm/weights/model-private.h"

static const char *
kind_of (const LmModel *model)
{
  return model->base == NULL ? "base" : model->lora != NULL ? "adapted" : "tuned";
}

/* ---- describe ---------------------------------------------------------------------- */

static void
hash_lora (const LmLora *lora, XXH3_state_t *state)
{
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      XXH3_128bits_update (state, m->module, strlen (m->module) + 1);
      XXH3_128bits_update (state, &m->scale, sizeof m->scale);
      XXH3_128bits_update (state, m->a, m->rank * m->in * sizeof (float));
      XXH3_128bits_update (state, m->b, m->rank * m->out * sizeof (float));
    }
}

static void
hash_tuned (const GPtrArray *tensors, XXH3_state_t *state)
{
  for (guint i = 0; i < tensors->len; i++)
    {
      const LmTensor *t = g_ptr_array_index (tensors, i);

      XXH3_128bits_update (state, t->name, strlen (t->name) + 1);
      XXH3_128bits_update (state, t->data, t->bytes);
    }
}

/* Of what is the model's own, its base not counted. */
static char *
own_hash (LmModel *model)
{
  XXH3_state_t *state = XXH3_createState ();
  GString *out = g_string_new ("xxh3:");
  XXH128_canonical_t c;

  XXH3_128bits_reset (state);
  if (model->lora != NULL)
    hash_lora (model->lora, state);
  if (model->tuned != NULL)
    hash_tuned (model->tuned, state);
  XXH128_canonicalFromHash (&c, XXH3_128bits_digest (state));
  XXH3_freeState (state);
  for (guint i = 0; i < sizeof c.digest; i++)
    g_string_append_printf (out, "%02x", c.digest[i]);
  return g_string_free (out, FALSE);
}

JsonNode *
lm_model_describe (FrObject *object)
{
  LmModel *model = (LmModel *) object;
  g_autoptr (JsonObject) out = json_object_new ();
  const char *hash = lm_model_hash (model, NULL);

  json_object_set_string_member (out, "kind", kind_of (model));
  json_object_set_string_member (out, "name", lm_model_name (model));
  json_object_set_string_member (out, "family", lm_model_config (model)->family->name);
  json_object_set_int_member (out, "parameters", (gint64) lm_model_n_parameters (model));
  if (hash != NULL)
    json_object_set_string_member (out, "base_hash", hash);
  for (; model->base != NULL; model = model->base)
    {
      g_autofree char *own = own_hash (model);

      json_object_set_string_member (out, model->lora != NULL ? "adapter_hash" : "tensors_hash",
                                     own);
    }
  return json_node_init_object (json_node_alloc (), out);
}

/* ---- save -------------------------------------------------------------------------- */

static gboolean
write_json (const char *dir, const char *name, JsonObject *object, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL), *text = NULL;
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autoptr (GError) local = NULL;

  json_node_init_object (node, object);
  text = fr_json_to_string (node, 2);
  if (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &local))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", local->message);
  return FALSE;
}

static gboolean
copy_tensor (const LmTensor *tensor, gpointer out, gpointer user, GError **error)
{
  (void) user;
  (void) error;
  memcpy (out, tensor->data, tensor->bytes);
  return TRUE;
}

static gboolean
save_tuned (LmModel *model, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "tensors.safetensors", NULL);
  g_autofree LmTensorSource *sources = g_new0 (LmTensorSource, MAX (model->tuned->len, 1));

  for (guint i = 0; i < model->tuned->len; i++)
    {
      sources[i].tensor = *(const LmTensor *) g_ptr_array_index (model->tuned, i);
      sources[i].fill = copy_tensor;
    }
  return lm_safetensors_write (path, sources, model->tuned->len, NULL, error);
}

static gboolean
save_on_base (LmModel *model, const char *dir, GError **error)
{
  g_autofree char *base = g_build_filename (dir, "base", NULL);
  g_autofree char *adapter = g_build_filename (dir, "adapter", NULL);

  if (g_mkdir_with_parents (base, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", base);
  if (!lm_model_save (&model->base->object, base, error))
    return FALSE;
  if (model->lora == NULL)
    return save_tuned (model, dir, error);
  if (g_mkdir_with_parents (adapter, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", adapter);
  return lm_lora_save (model->lora, lm_model_path (model), adapter, error);
}

gboolean
lm_model_save (FrObject *object, const char *dir, GError **error)
{
  LmModel *model = (LmModel *) object;
  g_autoptr (JsonObject) state = json_object_new ();
  const char *hash;

  json_object_set_string_member (state, "kind", kind_of (model));
  if (model->base == NULL)
    {
      hash = lm_model_hash (model, error);
      if (hash == NULL)
        return FALSE;
      json_object_set_string_member (state, "path", model->path);
      json_object_set_string_member (state, "hash", hash);
    }
  else if (!save_on_base (model, dir, error))
    return FALSE;
  if (model->card != NULL && !write_json (dir, "card.json", model->card, error))
    return FALSE;
  return write_json (dir, "model.json", state, error);
}

/* ---- load -------------------------------------------------------------------------- */

static LmModel *
load_base (const char *dir, JsonObject *state, GError **error)
{
  const char *path = json_object_get_string_member_with_default (state, "path", NULL);
  const char *kept = json_object_get_string_member_with_default (state, "hash", NULL), *now;
  g_autoptr (LmModel) model = NULL;

  if (path == NULL || kept == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s/model.json names no path and hash", dir);
      return NULL;
    }
  model = lm_model_open (path, error);
  if (model == NULL || (now = lm_model_hash (model, error)) == NULL)
    return NULL;
  if (strcmp (kept, now) != 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s has changed since this was made from it: it was %s and is %s", path, kept,
                   now);
      return NULL;
    }
  return g_steal_pointer (&model);
}

static void
borrowed_free (gpointer data)
{
  g_free (((LmTensor *) data)->name);
  g_free (data);
}

static LmModel *
load_tuned (const char *dir, LmModel *base, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "tensors.safetensors", NULL);
  g_autoptr (LmWeightFile) file = lm_weight_file_open (path, error);
  g_autoptr (GPtrArray) tensors = g_ptr_array_new_with_free_func (borrowed_free);
  LmModel *model;

  for (gsize i = 0; file != NULL && i < lm_weight_file_n_tensors (file); i++)
    {
      const LmTensor *t = lm_weight_file_tensor (file, i), *of = lm_model_tensor (base, t->name);
      LmTensor *copy;

      if (of == NULL || of->n_dims != t->n_dims || memcmp (of->dims, t->dims, sizeof t->dims) != 0)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s: tensor '%s' is not one of the base's, or has another shape", path,
                       t->name);
          return NULL;
        }
      copy = g_memdup2 (t, sizeof *t);
      copy->name = g_strdup (t->name);
      g_ptr_array_add (tensors, copy);
    }
  if (file == NULL)
    return NULL;
  model = lm_model_new_tuned (base, g_steal_pointer (&tensors), NULL);
  g_ptr_array_add (model->files, g_steal_pointer (&file));
  return model;
}

FrObject *
lm_model_load (const char *dir, GError **error)
{
  g_autofree char *base_dir = g_build_filename (dir, "base", NULL);
  g_autofree char *adapter = g_build_filename (dir, "adapter", NULL);
  g_autoptr (JsonObject) state = NULL, card = NULL;
  g_autoptr (LmModel) base = NULL;
  LmModel *model;
  const char *kind;

  if (!lm_model_read_json (dir, "model.json", &state, error)
      || !lm_model_read_json (dir, "card.json", &card, error))
    return NULL;
  kind = state != NULL ? json_object_get_string_member_with_default (state, "kind", "") : "";
  if (g_strcmp0 (kind, "base") == 0)
    return (FrObject *) load_base (dir, state, error);
  if (g_strcmp0 (kind, "adapted") != 0 && g_strcmp0 (kind, "tuned") != 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s holds no model: model.json is missing or "
                   "names no kind",
                   dir);
      return NULL;
    }
  base = (LmModel *) lm_model_load (base_dir, error);
  if (base == NULL)
    return NULL;
  model = strcmp (kind, "adapted") == 0 ? lm_model_open_adapted (base, adapter, error)
                                        : load_tuned (dir, base, error);
  if (model != NULL)
    model->card = g_steal_pointer (&card);
  return (FrObject *) model;
}
