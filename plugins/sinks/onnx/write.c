/* SPDX-License-Identifier: Apache-2.0 */
/* write.c: the .onnx file and the file of weights beside it.
 *
 * Sizes are known before anything is written (every length in a protocol buffer
 * stands in front), so that weights pass through in pieces.  Large ones go into
 * a file of their own, each on a page boundary, where readers can map them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

#include "export.h"

/* Smaller tensors stay in the .onnx file: readers want shapes there. */
#define EXTERNAL_FROM 1024
#define ALIGNMENT 4096
/* Protocol buffers end at 2 GiB. */
#define MAX_FILE ((guint64) G_MAXINT32)
#define GRAPH "main_graph"

/* ---- a file -------------------------------------------------------------------------------- */

/* Item: what the thread that writes is given.
 * @own: @data is freed; else it goes back to the pool
 * @tensor: whose bytes these are; @last: the last of them */
typedef struct
{
  guint8 *data;
  gsize n, room;
  gboolean own;
  Tensor *tensor;
  gboolean last;
} Item;

/* Out: a file that a thread of its own writes, so that the next piece is made meanwhile.
 * @pool: Items whose room is free; @todo: Items to write, one without data at the end
 * @failure: what went wrong in the thread, once joined; @failed: that something did */
typedef struct
{
  Export *export;
  char *path;
  int fd;
  GThread *writer;
  GAsyncQueue *pool, *todo;
  gint failed;
  guint64 placed; /* bytes that were given */
  /* of the producer */
  GByteArray *small; /* what goes out with what comes next */
  Tensor *tensor;
  guint64 left; /* of the tensor */
  Item *taken;
  /* of the writer */
  guint64 at;
  XXH3_state_t *hash;
  GError *failure;
} Out;

#define POOL 3

static gboolean
write_all (Out *out, const guint8 *data, gsize n)
{
  gsize left = n;

  while (left > 0)
    {
      gssize done = write (out->fd, data, MIN (left, (gsize) 1 << 30));

      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return fr_error_errno (&out->failure, errno, "write", out->path);
      data += done;
      left -= (gsize) done;
    }
  /* The disk begins at once. */
  if (n >= (gsize) 1 << 20)
    sync_file_range (out->fd, (off_t) out->at, (off_t) n, SYNC_FILE_RANGE_WRITE);
  out->at += n;
  return TRUE;
}

static void
hash_item (Out *out, const Item *item)
{
  XXH128_hash_t digest;

  XXH3_128bits_update (out->hash, item->data, item->n);
  if (!item->last)
    return;
  digest = XXH3_128bits_digest (out->hash);
  item->tensor->digest[0] = digest.low64;
  item->tensor->digest[1] = digest.high64;
  XXH3_128bits_reset (out->hash);
}

static gpointer
write_items (gpointer data)
{
  Out *out = data;
  Item *item;

  while ((item = g_async_queue_pop (out->todo))->data != NULL)
    {
      if (item->tensor != NULL)
        hash_item (out, item);
      if (out->failure == NULL && !write_all (out, item->data, item->n))
        g_atomic_int_set (&out->failed, TRUE);
      if (!item->own)
        {
          g_async_queue_push (out->pool, item);
          continue;
        }
      g_free (item->data);
      g_free (item);
    }
  g_free (item);
  return NULL;
}

static gboolean
out_open (Out *out, Export *e, const char *name, GError **error)
{
  g_autofree char *parent = NULL;

  *out = (Out){ .export = e, .fd = -1 };
  out->path = g_build_filename (lm_folder_dir (e->folder), name, NULL);
  out->small = g_byte_array_new ();
  out->hash = XXH3_createState ();
  XXH3_128bits_reset (out->hash);
  out->pool = g_async_queue_new ();
  out->todo = g_async_queue_new ();
  for (guint i = 0; i < POOL; i++)
    g_async_queue_push (out->pool, g_new0 (Item, 1));
  parent = g_path_get_dirname (out->path);
  if (g_mkdir_with_parents (parent, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", parent);
  out->fd = g_open (out->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out->fd < 0)
    return fr_error_errno (error, errno, "create", out->path);
  out->writer = g_thread_try_new ("onnx-write", write_items, out, error);
  return out->writer != NULL;
}

/* What was put into out->small, as an item. */
static void
out_flush (Out *out)
{
  Item *item;

  if (out->small->len == 0)
    return;
  item = g_new0 (Item, 1);
  item->n = out->small->len;
  item->data = g_byte_array_free (g_steal_pointer (&out->small), FALSE);
  item->own = TRUE;
  out->placed += item->n;
  out->small = g_byte_array_new ();
  g_async_queue_push (out->todo, item);
}

/* Pieces.take: waits for room. */
static guint8 *
out_take (gpointer user, gsize n)
{
  Out *out = user;

  out->taken = g_async_queue_pop (out->pool);
  if (out->taken->room < n)
    {
      g_free (out->taken->data);
      out->taken->data = g_malloc (n);
      out->taken->room = n;
    }
  return out->taken->data;
}

/* Pieces.give */
static gboolean
out_give (gpointer user, guint8 *data, gsize n, GError **error)
{
  Out *out = user;
  Item *item = g_steal_pointer (&out->taken);

  (void) data;
  out_flush (out);
  item->n = n;
  item->tensor = out->tensor;
  out->left -= n;
  item->last = out->left == 0;
  out->placed += n;
  g_async_queue_push (out->todo, item);
  /* The error itself is told when the file is closed. */
  return export_step (out->export, n, error) && !g_atomic_int_get (&out->failed);
}

static gboolean
out_tensor (Out *out, Tensor *t, GError **error)
{
  Export *e = out->export;
  Pieces pieces = { out_take, out_give, out };

  out->tensor = t;
  out->left = t->bytes;
  return tensor_make (t, e->model, e->options.threads, &e->quality, &pieces, error);
}

/* Zeros up to @offset. */
static void
out_pad (Out *out, guint64 offset)
{
  guint len = out->small->len;

  g_byte_array_set_size (out->small, len + (guint) (offset - out->placed - len));
  memset (out->small->data + len, 0, out->small->len - len);
}

/* Waits for the writer. */
static void
out_join (Out *out)
{
  Item *item;

  if (out->writer != NULL)
    {
      g_async_queue_push (out->todo, g_new0 (Item, 1));
      g_thread_join (out->writer);
    }
  while ((item = g_async_queue_try_pop (out->pool)) != NULL)
    {
      g_free (item->data);
      g_free (item);
    }
  g_async_queue_unref (out->pool);
  g_async_queue_unref (out->todo);
}

/* Closes it, whole or not; @ok: whether what was before went well, with @error set if not, or else
 * the writer has failed. */
static gboolean
out_close (Out *out, gboolean ok, GError **error)
{
  if (ok)
    out_flush (out);
  out_join (out);
  if (out->failure != NULL)
    {
      ok = FALSE;
      if (error == NULL || *error == NULL)
        g_propagate_error (error, g_steal_pointer (&out->failure));
    }
  if (ok && fsync (out->fd) < 0)
    ok = fr_error_errno (error, errno, "write", out->path);
  if (out->fd >= 0 && close (out->fd) < 0 && ok)
    ok = fr_error_errno (error, errno, "write", out->path);
  if (ok)
    out->export->file_bytes += out->at;
  g_clear_error (&out->failure);
  g_free (out->path);
  g_byte_array_unref (out->small);
  XXH3_freeState (out->hash);
  return ok;
}

/* ---- sizes --------------------------------------------------------------------------------- */

/* What a TensorProto is before its bytes. */
static GByteArray *
tensor_head (const Tensor *t, const char *location)
{
  GByteArray *out = g_byte_array_new ();
  g_autofree char *offset = g_strdup_printf ("%" G_GINT64_FORMAT, t->offset);
  g_autofree char *length = g_strdup_printf ("%" G_GUINT64_FORMAT, t->bytes);

  for (guint i = 0; i < t->n_dims; i++)
    wire_int (out, TENSOR_DIMS, t->dims[i]);
  wire_int (out, TENSOR_DATA_TYPE, t->type);
  wire_string (out, TENSOR_NAME, t->name);
  if (t->offset < 0)
    {
      wire_head (out, TENSOR_RAW_DATA, t->bytes);
      return out;
    }
  wire_entry (out, TENSOR_EXTERNAL_DATA, "location", location);
  wire_entry (out, TENSOR_EXTERNAL_DATA, "offset", offset);
  wire_entry (out, TENSOR_EXTERNAL_DATA, "length", length);
  wire_int (out, TENSOR_DATA_LOCATION, 1);
  return out;
}

static guint64
tensor_size (const Tensor *t, const GByteArray *head)
{
  return head->len + (t->offset < 0 ? t->bytes : 0);
}

/* Where every tensor lies; returns the bytes of the file of weights, 0 for none. */
static guint64
place (Export *e)
{
  GPtrArray *tensors = e->decoder->graph->tensors;
  guint64 at = 0;

  for (guint i = 0; i < tensors->len; i++)
    e->bytes += ((Tensor *) g_ptr_array_index (tensors, i))->bytes;
  e->external = e->bytes > e->limit;
  for (guint i = 0; e->external && i < tensors->len; i++)
    {
      Tensor *t = g_ptr_array_index (tensors, i);

      if (t->bytes < EXTERNAL_FROM)
        continue;
      t->offset = (gint64) ((at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
      at = (guint64) t->offset + t->bytes;
    }
  return at;
}

/* A full disk is better known before hours of writing. */
static gboolean
check_room (const Export *e, GError **error)
{
  struct statvfs fs;
  g_autofree char *need = NULL, *there = NULL;
  g_autofree char *dir = g_path_get_dirname (lm_folder_dir (e->folder));
  guint64 room;

  if (statvfs (lm_folder_dir (e->folder), &fs) < 0)
    return TRUE;
  room = (guint64) fs.f_bavail * fs.f_frsize;
  if (room >= e->bytes)
    return TRUE;
  need = g_format_size (e->bytes);
  there = g_format_size (room);
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "%s: the weights need %s, and the disk has %s left; free some, write elsewhere, or "
               "choose a smaller dtype",
               dir, need, there);
  return FALSE;
}

/* ---- the file of weights ------------------------------------------------------------------- */

static gboolean
write_tensors (Out *out, Export *e, GError **error)
{
  GPtrArray *tensors = e->decoder->graph->tensors;

  for (guint i = 0; i < tensors->len; i++)
    {
      Tensor *t = g_ptr_array_index (tensors, i);

      if (t->offset < 0)
        continue;
      out_pad (out, (guint64) t->offset);
      if (!out_tensor (out, t, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_data (Export *e, const char *name, GError **error)
{
  Out out;
  gboolean ok = out_open (&out, e, name, error) && write_tensors (&out, e, error);

  return out_close (&out, ok, error);
}

/* ---- the .onnx file ------------------------------------------------------------------------ */

static void
append_header (GByteArray *out, guint64 graph_size)
{
  wire_int (out, MODEL_IR_VERSION, 8);
  wire_string (out, MODEL_PRODUCER_NAME, "flowrun");
  wire_string (out, MODEL_PRODUCER_VERSION, PACKAGE_VERSION);
  wire_head (out, MODEL_GRAPH, graph_size);
}

static void
append_opset (GByteArray *out, const char *domain, gint64 version)
{
  g_autoptr (GByteArray) opset = g_byte_array_new ();

  wire_string (opset, OPSET_DOMAIN, domain);
  wire_int (opset, OPSET_VERSION, version);
  wire_message (out, MODEL_OPSET_IMPORT, opset);
}

static void
append_tail (GByteArray *out, const Export *e)
{
  static const char *const names[] = { "f32", "f16", "bf16", "int8", "int4" };
  const char *hash = lm_model_hash (e->model, NULL);

  append_opset (out, "", 17);
  if (e->decoder->graph->n_contrib > 0)
    append_opset (out, "com.microsoft", 1);
  wire_entry (out, MODEL_METADATA_PROPS, "flowrun.model_type",
              lm_model_config (e->model)->family->name);
  wire_entry (out, MODEL_METADATA_PROPS, "flowrun.dtype", names[e->options.dtype]);
  if (lm_model_lora (e->model) != NULL)
    wire_entry (out, MODEL_METADATA_PROPS, "flowrun.adapter",
                e->options.apart ? "apart" : "merged");
  if (hash != NULL)
    wire_entry (out, MODEL_METADATA_PROPS, "flowrun.base_weights", hash);
}

static guint64
graph_size (const Export *e, GPtrArray *heads)
{
  const Graph *g = e->decoder->graph;
  g_autoptr (GByteArray) name = g_byte_array_new ();
  guint64 size;

  wire_string (name, GRAPH_NAME, GRAPH);
  size = g->nodes->len + name->len + g->inputs->len + g->outputs->len;
  for (guint i = 0; i < heads->len; i++)
    {
      guint64 n = tensor_size (g_ptr_array_index (g->tensors, i), g_ptr_array_index (heads, i));

      size += wire_varint_size (GRAPH_INITIALIZER << 3) + wire_varint_size (n) + n;
    }
  return size;
}

/* In the order of their numbers, as Python's protobuf writes them. */
static gboolean
write_graph (Out *out, Export *e, GPtrArray *heads, GError **error)
{
  const Graph *g = e->decoder->graph;

  g_byte_array_append (out->small, g->nodes->data, g->nodes->len);
  wire_string (out->small, GRAPH_NAME, GRAPH);
  for (guint i = 0; i < heads->len; i++)
    {
      Tensor *t = g_ptr_array_index (g->tensors, i);
      const GByteArray *head = g_ptr_array_index (heads, i);

      wire_head (out->small, GRAPH_INITIALIZER, tensor_size (t, head));
      g_byte_array_append (out->small, head->data, head->len);
      if (t->offset < 0 && !out_tensor (out, t, error))
        return FALSE;
    }
  g_byte_array_append (out->small, g->inputs->data, g->inputs->len);
  g_byte_array_append (out->small, g->outputs->data, g->outputs->len);
  return TRUE;
}

static gboolean
write_model (Export *e, const char *location, GError **error)
{
  g_autoptr (GPtrArray) heads
      = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  GPtrArray *tensors = e->decoder->graph->tensors;
  guint64 size;
  gboolean ok;
  Out out;

  for (guint i = 0; i < tensors->len; i++)
    g_ptr_array_add (heads, tensor_head (g_ptr_array_index (tensors, i), location));
  size = graph_size (e, heads);
  if (size > MAX_FILE - 4096)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the .onnx file would have %" G_GUINT64_FORMAT
                   " bytes, and can have 2 GiB; set external_data to less",
                   size);
      return FALSE;
    }
  ok = out_open (&out, e, e->file, error);
  append_header (out.small, size);
  ok = ok && write_graph (&out, e, heads, error);
  append_tail (out.small, e);
  return out_close (&out, ok, error);
}

/* ---- all of it ----------------------------------------------------------------------------- */

gboolean
export_step (Export *e, guint64 bytes, GError **error)
{
  e->done += bytes;
  if (e->host == NULL)
    return TRUE;
  fr_host_progress (e->host, e->done, e->total, "bytes");
  if (!fr_host_is_cancelled (e->host))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

gboolean
export_write (Export *e, GError **error)
{
  g_autofree char *data = g_strconcat (e->file, "_data", NULL), *location = NULL;

  e->decoder = decoder_graph_new (e->model, &e->options);
  location = g_path_get_basename (data);
  place (e);
  e->total = 2 * e->bytes;
  return check_room (e, error) && (!e->external || write_data (e, data, error))
         && write_model (e, location, error);
}

void
export_clear (Export *e)
{
  g_clear_pointer (&e->decoder, decoder_graph_free);
}
