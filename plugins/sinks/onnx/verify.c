/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: an export read back and compared with what it should be.
 *
 * Three things that can go wrong are looked for apart: the graph (onnx_file_check
 * on what is in the file), bytes that are not where they should be or have
 * changed (their hashes), and a mistake in turning or quantising them (numbers
 * computed anew from the model, one by one).
 */
#include "config.h"

#include <string.h>
#include <xxhash.h>

#include "export.h"
#include "read.h"

/* Check: initializers are looked at side by side.
 * @data: the file of weights, mapped; NULL: none
 * @next: the next to be taken; @done: bytes of those that were
 * @worst: the first that is wrong, with @error, under @lock */
typedef struct
{
  Export *export;
  OnnxFile *file;
  GMappedFile *data;
  char *path, *data_path;
  gint next;
  gsize done;
  GMutex lock;
  gint worst;
  GError *error;
  guint64 n_compared;
} Check;

static gboolean
fail (const Check *c, const Tensor *t, const char *what, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "%s: initializer '%s' was read back otherwise than it was written: %s; the disk may "
               "be failing",
               t->offset < 0 ? c->path : c->data_path, t->name, what);
  return FALSE;
}

/* Where the bytes of tensor @i are, as the file says; NULL: nowhere. */
static const guint8 *
bytes_of (const Check *c, guint i)
{
  const OnnxTensor *read = &g_array_index (c->file->tensors, OnnxTensor, i);
  guint64 bytes = (guint64) onnx_tensor_bytes (read), len;

  if (!read->external)
    return read->raw.len == bytes ? (const guint8 *) read->raw.data : NULL;
  len = c->data != NULL ? g_mapped_file_get_length (c->data) : 0;
  if (read->length != (gint64) bytes || (guint64) read->offset > len
      || bytes > len - (guint64) read->offset)
    return NULL;
  return (const guint8 *) g_mapped_file_get_contents (c->data) + read->offset;
}

static gboolean
same_shape (const Tensor *t, const OnnxTensor *read)
{
  return read->name.len == strlen (t->name)
         && memcmp (read->name.data, t->name, read->name.len) == 0 && read->type == (gint64) t->type
         && read->n_dims == t->n_dims
         && memcmp (read->dims, t->dims, t->n_dims * sizeof *t->dims) == 0
         && read->external == (t->offset >= 0);
}

static gboolean
same_bytes (Check *c, const Tensor *t, const guint8 *bytes, GError **error)
{
  XXH128_hash_t digest = XXH3_128bits (bytes, t->bytes);

  g_atomic_pointer_add (&c->done, (gssize) t->bytes);
  return (digest.low64 == t->digest[0] && digest.high64 == t->digest[1])
         || fail (c, t, "its bytes have another hash", error);
}

static gboolean
check_tensor (Check *c, guint i, guint64 *n_compared, GError **error)
{
  GPtrArray *tensors = c->export->decoder->graph->tensors;
  const Tensor *t = g_ptr_array_index (tensors, i);
  const guint8 *bytes;
  gint64 wrong;

  if (!same_shape (t, &g_array_index (c->file->tensors, OnnxTensor, i)))
    return fail (c, t, "another name, type or shape", error);
  bytes = bytes_of (c, i);
  if (bytes == NULL)
    return fail (c, t, "its bytes are cut off", error);
  if (!same_bytes (c, t, bytes, error))
    return FALSE;
  /* Its scales follow it. */
  wrong = tensor_wrong (t, c->export->model, bytes,
                        t->scales != NULL && i + 1 < tensors->len ? bytes_of (c, i + 1) : NULL,
                        n_compared);
  if (wrong < 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
               "%s: initializer '%s' does not hold the model's numbers: number %" G_GINT64_FORMAT
               " is another; this is a mistake of flowrun's, worth a report",
               t->offset < 0 ? c->path : c->data_path, t->name, wrong);
  return FALSE;
}

static gpointer
check_some (gpointer data)
{
  Check *c = data;
  guint64 n_compared = 0;
  gint i;

  while (g_atomic_int_get (&c->worst) == G_MAXINT
         && (i = g_atomic_int_add (&c->next, 1)) < (gint) c->file->tensors->len)
    {
      g_autoptr (GError) error = NULL;

      if (check_tensor (c, (guint) i, &n_compared, &error))
        continue;
      g_mutex_lock (&c->lock);
      if (i < c->worst)
        {
          g_clear_error (&c->error);
          c->error = g_steal_pointer (&error);
          g_atomic_int_set (&c->worst, i);
        }
      g_mutex_unlock (&c->lock);
    }
  g_mutex_lock (&c->lock);
  c->n_compared += n_compared;
  g_mutex_unlock (&c->lock);
  return NULL;
}

/* All initializers, by the export's threads. */
static gboolean
check_tensors (Check *c, GError **error)
{
  guint n = CLAMP (c->export->options.threads, 1, 64);
  g_autofree GThread **threads = g_new0 (GThread *, n);

  c->worst = G_MAXINT;
  g_mutex_init (&c->lock);
  for (guint i = 1; i < n; i++)
    threads[i] = g_thread_try_new ("onnx-verify", check_some, c, NULL);
  check_some (c);
  for (guint i = 1; i < n; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
  g_mutex_clear (&c->lock);
  c->export->n_compared = c->n_compared;
  if (c->error != NULL)
    g_propagate_error (error, g_steal_pointer (&c->error));
  return c->worst == G_MAXINT && export_step (c->export, c->done, error);
}

static gboolean
check_all (Check *c, GError **error)
{
  const Export *e = c->export;
  g_autoptr (GError) local = NULL;

  c->file = onnx_file_open (c->path, error);
  if (c->file == NULL || !onnx_file_check (c->file, c->path, error))
    return FALSE;
  if (e->external)
    c->data = g_mapped_file_new (c->data_path, FALSE, &local);
  if (local != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", local->message);
      return FALSE;
    }
  if (c->file->tensors->len != e->decoder->graph->tensors->len
      || c->file->nodes->len != e->decoder->graph->n_nodes)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "%s: %u initializers and %u nodes were written, %u and %u read back", c->path,
                   e->decoder->graph->tensors->len, e->decoder->graph->n_nodes,
                   c->file->tensors->len, c->file->nodes->len);
      return FALSE;
    }
  return check_tensors (c, error);
}

gboolean
export_verify (Export *e, GError **error)
{
  Check c = { .export = e };
  gboolean ok;

  c.path = g_build_filename (lm_folder_dir (e->folder), e->file, NULL);
  c.data_path = g_strconcat (c.path, "_data", NULL);
  ok = check_all (&c, error);
  g_clear_pointer (&c.file, onnx_file_free);
  g_clear_pointer (&c.data, g_mapped_file_unref);
  g_free (c.path);
  g_free (c.data_path);
  return ok;
}
