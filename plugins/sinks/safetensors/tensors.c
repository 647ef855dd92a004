/* SPDX-License-Identifier: Apache-2.0 */
/* tensors.c: a model's tensors into safetensors files, and read again.
 *
 * One tensor is in memory at a time, computed row by row (lm/export.h).
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "export.h"

/* ---- one tensor -------------------------------------------------------------------- */

static LmModel *
root_of (LmModel *model)
{
  while (lm_model_base (model) != NULL)
    model = lm_model_base (model);
  return model;
}

static gboolean
is_quantised (LmModel *root)
{
  for (gsize i = 0; i < lm_model_n_tensors (root); i++)
    if (lm_types[lm_model_nth_tensor (root, i)->type].block > 1)
      return TRUE;
  return FALSE;
}

/* What a tensor that the base stores as @stored is written as. */
static LmType
kept_type (LmType stored)
{
  return stored == LM_F32 || stored == LM_F16 || stored == LM_BF16 ? stored
         : stored == LM_F64                                        ? LM_F32
                                                                   : LM_BF16;
}

static LmType
written_type (const Export *e, gsize i)
{
  LmModel *root = root_of (e->model);

  if (!e->keep)
    return e->dtype;
  /* In a quantised checkpoint the norms are F32 only because nothing else is there for them. */
  return is_quantised (root) ? LM_BF16 : kept_type (lm_model_nth_tensor (root, i)->type);
}

LmType
export_dtype (const Export *e)
{
  return written_type (e, 0);
}

static gboolean
step (Export *e, guint64 bytes, GError **error)
{
  e->done += bytes;
  fr_host_progress (e->host, e->done, e->total, "bytes");
  if (!fr_host_is_cancelled (e->host))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
fill_tensor (const LmTensor *t, gpointer out, gpointer user, GError **error)
{
  Export *e = user;
  gsize row;
  LmRows r;

  lm_rows_init (&r, e->model, lm_model_tensor (e->model, t->name), e->merge);
  row = lm_type_bytes (t->type, r.cols);
  for (gsize i = 0; i < r.rows; i++)
    lm_encode (t->type, lm_rows_get (&r, i), (guint8 *) out + i * row, r.cols);
  if (r.module != NULL)
    e->n_merged++;
  lm_rows_clear (&r);
  return step (e, t->bytes, error);
}

/* ---- read again -------------------------------------------------------------------- */

/* A row that was read from the file against the one computed: what lm_encode() would give, exactly.
 */
static gboolean
same_row (Export *e, LmRows *r, gsize i, LmType type, const guint8 *read, guint8 *encoded,
          float *back)
{
  const float *row = lm_rows_get (r, i);
  gsize n = lm_type_bytes (type, r->cols);

  lm_encode (type, row, encoded, r->cols);
  if (memcmp (encoded, read, n) != 0)
    return FALSE;
  lm_decode (type, read, back, r->cols);
  for (gsize j = 0; j < r->cols; j++)
    {
      double d = fabs ((double) back[j] - (double) row[j]);

      if (d > e->rounding) /* never of a NaN */
        e->rounding = d;
    }
  return TRUE;
}

static gboolean
check_tensor (Export *e, const char *path, const LmTensor *t, GError **error)
{
  gsize n = lm_type_bytes (t->type, (gsize) t->dims[t->n_dims - 1]);
  g_autofree guint8 *encoded = g_malloc (n);
  g_autofree float *back = NULL;
  gboolean same = TRUE;
  LmRows r;

  lm_rows_init (&r, e->model, lm_model_tensor (e->model, t->name), e->merge);
  back = g_new (float, r.cols);
  for (gsize i = 0; same && i < r.rows; i++)
    same = same_row (e, &r, i, t->type, (const guint8 *) t->data + i * n, encoded, back);
  lm_rows_clear (&r);
  if (same)
    return step (e, t->bytes, error);
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "%s: tensor '%s' was read back otherwise than it was written; the disk may be "
               "failing",
               path, t->name);
  return FALSE;
}

static gboolean
check_file (Export *e, const char *path, guint n, GError **error)
{
  g_autoptr (LmWeightFile) file = lm_weight_file_open (path, error);

  if (file == NULL)
    return FALSE;
  if (lm_weight_file_n_tensors (file) != n)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s: %u tensors were written, %zu read back", path,
                   n, lm_weight_file_n_tensors (file));
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    if (!check_tensor (e, path, lm_weight_file_tensor (file, i), error))
      return FALSE;
  return TRUE;
}

/* ---- files ------------------------------------------------------------------------- */

/* The model's tensors as they will be written, with the number of each one's shard from 1. */
static GArray *
plan (const Export *e, GArray *shards, guint64 *bytes)
{
  GArray *sources = g_array_new (FALSE, TRUE, sizeof (LmTensorSource));
  guint64 in_shard = 0;
  guint shard = 1;

  *bytes = 0;
  for (gsize i = 0; i < lm_model_n_tensors (e->model); i++)
    {
      LmTensorSource s = { *lm_model_nth_tensor (e->model, i), fill_tensor, (gpointer) e };
      gsize rows = s.tensor.n_dims > 1 ? (gsize) s.tensor.dims[0] : 1;

      s.tensor.type = written_type (e, i);
      s.tensor.bytes
          = rows * lm_type_bytes (s.tensor.type, (gsize) s.tensor.dims[s.tensor.n_dims - 1]);
      if (in_shard > 0 && in_shard + s.tensor.bytes > e->max_shard)
        {
          in_shard = 0;
          shard++;
        }
      in_shard += s.tensor.bytes;
      *bytes += s.tensor.bytes;
      g_array_append_val (sources, s);
      g_array_append_val (shards, shard);
    }
  return sources;
}

static char *
shard_name (guint shard, guint n)
{
  return n == 1 ? g_strdup ("model.safetensors")
                : g_strdup_printf ("model-%05u-of-%05u.safetensors", shard, n);
}

static gint
by_tensor_name (gconstpointer a, gconstpointer b)
{
  return strcmp (((const LmTensorSource *) a)->tensor.name,
                 ((const LmTensorSource *) b)->tensor.name);
}

static gboolean
write_index (LmFolder *folder, GHashTable *files, GArray *sources, guint64 bytes, GError **error)
{
  g_autoptr (JsonObject) index = json_object_new ();
  JsonObject *metadata = json_object_new (), *map = json_object_new ();

  json_object_set_int_member (metadata, "total_size", (gint64) bytes);
  json_object_set_object_member (index, "metadata", metadata);
  g_array_sort (sources, by_tensor_name);
  for (guint i = 0; i < sources->len; i++)
    {
      const char *name = g_array_index (sources, LmTensorSource, i).tensor.name;

      json_object_set_string_member (map, name, g_hash_table_lookup (files, name));
    }
  json_object_set_object_member (index, "weight_map", map);
  return lm_folder_write_json (folder, "model.safetensors.index.json", index, error);
}

static gboolean
write_shard (Export *e, LmFolder *folder, const char *name, const LmTensorSource *sources, guint n,
             GError **error)
{
  g_autofree char *path = g_build_filename (lm_folder_dir (folder), name, NULL);
  g_autoptr (JsonObject) metadata = json_object_new ();

  json_object_set_string_member (metadata, "format", "pt");
  return lm_safetensors_write (path, sources, n, metadata, error) && check_file (e, path, n, error);
}

gboolean
export_tensors (Export *e, LmFolder *folder, GError **error)
{
  g_autoptr (GArray) shards = g_array_new (FALSE, FALSE, sizeof (guint));
  guint64 bytes;
  g_autoptr (GArray) sources = plan (e, shards, &bytes);
  g_autoptr (GHashTable) files = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  guint n = shards->len > 0 ? g_array_index (shards, guint, shards->len - 1) : 0, from = 0;

  e->total = 2 * bytes;
  e->n_tensors = sources->len;
  e->n_files = n;
  for (guint shard = 1; shard <= n; shard++)
    {
      g_autofree char *name = shard_name (shard, n);
      guint to = from;

      for (; to < sources->len && g_array_index (shards, guint, to) == shard; to++)
        g_hash_table_insert (files, g_array_index (sources, LmTensorSource, to).tensor.name,
                             g_strdup (name));
      if (!write_shard (e, folder, name, &g_array_index (sources, LmTensorSource, from), to - from,
                        error))
        return FALSE;
      from = to;
    }
  return n <= 1 || write_index (folder, files, sources, bytes, error);
}
