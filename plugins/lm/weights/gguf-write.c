/* SPDX-License-Identifier: Apache-2.0 */
/* gguf-write.c: writing GGUF v3 files, and reading them again.
 *
 * Follows the GGUF specification: header, keys, tensor infos, padding to 32,
 * data, each tensor padded.  Where everything lies is known before the first
 * number is, so threads take blocks of rows in turn and write each where it
 * belongs; a hash of every block is kept, and compared with what the reader
 * of this folder finds in the finished file.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "lm/weights/weights-private.h"

#define ALIGNMENT 32
#define MAX_NAME 64
#define BLOCK (1 << 20) /* bytes of a block of rows, about */

/* Value types, as GGUF numbers them. */
enum
{
  KV_U32 = 4,
  KV_I32 = 5,
  KV_F32 = 6,
  KV_BOOL = 7,
  KV_STRING = 8,
  KV_ARRAY = 9
};

/* ---- keys ------------------------------------------------------------------------------ */

struct _LmGgufKeys
{
  GByteArray *bytes;
  GHashTable *seen;
};

LmGgufKeys *
lm_gguf_keys_new (void)
{
  LmGgufKeys *keys = g_new (LmGgufKeys, 1);

  keys->bytes = g_byte_array_new ();
  keys->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return keys;
}

void
lm_gguf_keys_free (LmGgufKeys *keys)
{
  if (keys == NULL)
    return;
  g_byte_array_unref (keys->bytes);
  g_hash_table_unref (keys->seen);
  g_free (keys);
}

static void
put (GByteArray *out, gconstpointer data, gsize n)
{
  g_byte_array_append (out, data, (guint) n);
}

static void
put_u32 (GByteArray *out, guint32 v)
{
  put (out, &v, sizeof v);
}

static void
put_u64 (GByteArray *out, guint64 v)
{
  put (out, &v, sizeof v);
}

static void
put_text (GByteArray *out, const char *text, gsize len)
{
  put_u64 (out, len);
  put (out, text, len);
}

static void
begin_key (LmGgufKeys *keys, const char *key, guint32 type)
{
  g_return_if_fail (g_hash_table_add (keys->seen, g_strdup (key)));
  put_text (keys->bytes, key, strlen (key));
  put_u32 (keys->bytes, type);
}

void
lm_gguf_keys_set_u32 (LmGgufKeys *keys, const char *key, guint32 value)
{
  begin_key (keys, key, KV_U32);
  put_u32 (keys->bytes, value);
}

void
lm_gguf_keys_set_f32 (LmGgufKeys *keys, const char *key, float value)
{
  begin_key (keys, key, KV_F32);
  put (keys->bytes, &value, sizeof value);
}

void
lm_gguf_keys_set_bool (LmGgufKeys *keys, const char *key, gboolean value)
{
  guint8 byte = value != FALSE;

  begin_key (keys, key, KV_BOOL);
  put (keys->bytes, &byte, 1);
}

void
lm_gguf_keys_set_text (LmGgufKeys *keys, const char *key, const char *value)
{
  begin_key (keys, key, KV_STRING);
  put_text (keys->bytes, value, strlen (value));
}

void
lm_gguf_keys_set_texts (LmGgufKeys *keys, const char *key, const FrStr *values, gsize n)
{
  begin_key (keys, key, KV_ARRAY);
  put_u32 (keys->bytes, KV_STRING);
  put_u64 (keys->bytes, n);
  for (gsize i = 0; i < n; i++)
    put_text (keys->bytes, values[i].data, values[i].len);
}

void
lm_gguf_keys_set_i32s (LmGgufKeys *keys, const char *key, const gint32 *values, gsize n)
{
  begin_key (keys, key, KV_ARRAY);
  put_u32 (keys->bytes, KV_I32);
  put_u64 (keys->bytes, n);
  put (keys->bytes, values, n * sizeof *values);
}

/* ---- where everything lies ----------------------------------------------------------------- */

/* One tensor: @unit is the number of its first block of rows. */
typedef struct
{
  const LmRowSource *source;
  guint64 offset; /* in the file */
  gsize rows, row_bytes, block_rows, unit;
} Place;

typedef struct
{
  const char *path;
  int fd;
  Place *places;
  gsize n, n_units;
  guint64 total;       /* bytes of the file */
  guint64 *hashes;     /* by unit */
  LmWeightFile *again; /* the file as it is read; NULL while it is written */

  gint next, failed; /* atomic */
  gsize done;        /* bytes; atomic */
  LmWriteStep step;
  gpointer user;
  GMutex lock;
  GError *error;
} Writer;

static guint64
padded (guint64 n)
{
  return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static gboolean
refuse (const char *path, const LmTensor *t, const char *why, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "%s: tensor '%s' of %s cannot be written as GGUF: %s", path, t->name,
               lm_types[t->type].name, why);
  return FALSE;
}

static gboolean
place (Writer *w, const LmRowSource *source, guint64 *offset, GError **error)
{
  const LmTensor *t = &source->tensor;
  Place *p = &w->places[w->n++];
  guint64 elements;
  gsize cols;

  if (strlen (t->name) >= MAX_NAME)
    return refuse (w->path, t, "its name has 64 bytes or more", error);
  if (t->n_dims < 1 || t->n_dims > 4 || lm_types[t->type].gguf < 0
      || !lm_weights_elements (t->dims, t->n_dims, &elements) || elements == 0)
    return refuse (w->path, t, "there is no such type or shape", error);
  cols = (gsize) t->dims[t->n_dims - 1];
  if (cols % lm_types[t->type].block != 0)
    return refuse (w->path, t, "its rows do not divide into blocks", error);
  p->source = source;
  p->offset = *offset;
  p->rows = (gsize) (elements / cols);
  p->row_bytes = lm_type_bytes (t->type, cols);
  p->block_rows = CLAMP (BLOCK / p->row_bytes, 1, p->rows);
  p->unit = w->n_units;
  w->n_units += (p->rows + p->block_rows - 1) / p->block_rows;
  *offset = padded (*offset + p->rows * p->row_bytes);
  return TRUE;
}

static gboolean
place_all (Writer *w, const LmRowSource *tensors, gsize n, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint64 offset = 0;

  w->places = g_new0 (Place, MAX (n, 1));
  for (gsize i = 0; i < n; i++)
    {
      if (!g_hash_table_add (names, tensors[i].tensor.name))
        return refuse (w->path, &tensors[i].tensor, "it is there twice", error);
      if (!place (w, &tensors[i], &offset, error))
        return FALSE;
    }
  w->total = offset;
  w->hashes = g_new0 (guint64, MAX (w->n_units, 1));
  return TRUE;
}

/* Magic to tensor infos, padded; offsets become those in the file. */
static GByteArray *
make_header (Writer *w, const LmGgufKeys *keys)
{
  GByteArray *out = g_byte_array_new ();

  put (out, "GGUF", 4);
  put_u32 (out, 3);
  put_u64 (out, w->n);
  put_u64 (out, g_hash_table_size (keys->seen));
  put (out, keys->bytes->data, keys->bytes->len);
  for (gsize i = 0; i < w->n; i++)
    {
      const LmTensor *t = &w->places[i].source->tensor;

      put_text (out, t->name, strlen (t->name));
      put_u32 (out, t->n_dims);
      for (guint d = t->n_dims; d > 0; d--)
        put_u64 (out, (guint64) t->dims[d - 1]);
      put_u32 (out, (guint32) lm_types[t->type].gguf);
      put_u64 (out, w->places[i].offset);
    }
  while (out->len % ALIGNMENT != 0)
    put (out, "", 1);
  for (gsize i = 0; i < w->n; i++)
    w->places[i].offset += out->len;
  w->total += out->len;
  return out;
}

/* ---- blocks of rows, by several threads ------------------------------------------------------ */

static void
fail (Writer *w, GError *error)
{
  g_mutex_lock (&w->lock);
  if (w->error == NULL)
    w->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&w->lock);
  g_atomic_int_set (&w->failed, TRUE);
}

static gboolean
write_at (const Writer *w, gconstpointer data, gsize n, guint64 offset, GError **error)
{
  const char *p = data;

  while (n > 0)
    {
      gssize done = pwrite (w->fd, p, n, (off_t) offset);

      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0)
        return fr_error_errno (error, done < 0 ? errno : ENOSPC, "write", w->path);
      p += done;
      n -= (gsize) done;
      offset += (guint64) done;
    }
  return TRUE;
}

/* The place that has unit @unit. */
static const Place *
find_place (const Writer *w, gsize unit)
{
  gsize low = 0, high = w->n;

  while (high - low > 1)
    {
      gsize middle = low + (high - low) / 2;

      if (w->places[middle].unit <= unit)
        low = middle;
      else
        high = middle;
    }
  return &w->places[low];
}

/* Writes a block, or looks whether it reads as it was written. */
static gboolean
do_unit (Writer *w, gsize unit, guint8 *buffer, gsize *bytes, GError **error)
{
  const Place *p = find_place (w, unit);
  const LmTensor *t = &p->source->tensor;
  gsize first = (unit - p->unit) * p->block_rows, n = MIN (p->block_rows, p->rows - first);
  guint64 at = (guint64) first * p->row_bytes;

  *bytes = n * p->row_bytes;
  if (w->again == NULL)
    {
      if (!p->source->fill (t, first, n, buffer, p->source->user, error))
        return FALSE;
      w->hashes[unit] = XXH3_64bits (buffer, *bytes);
      return write_at (w, buffer, *bytes, p->offset + at, error);
    }
  t = lm_weight_file_tensor (w->again, (gsize) (p - w->places));
  if (XXH3_64bits ((const guint8 *) t->data + at, *bytes) == w->hashes[unit])
    return TRUE;
  g_set_error (
      error, FR_ERROR, FR_ERROR_IO,
      "%s: tensor '%s' was read back otherwise than it was written; the disk may be failing",
      w->path, t->name);
  return FALSE;
}

static gboolean
step (Writer *w)
{
  g_autoptr (GError) error = NULL;
  guint64 half = w->again != NULL ? w->total : 0;

  if (w->step == NULL || w->step (half + g_atomic_pointer_add (&w->done, 0), 2 * w->total, w->user))
    return TRUE;
  g_set_error (&error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
  fail (w, g_steal_pointer (&error));
  return FALSE;
}

static void
work (Writer *w, gboolean tell)
{
  gsize largest = 1, unit, bytes;
  g_autofree guint8 *buffer = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < w->n; i++)
    largest = MAX (largest, w->places[i].block_rows * w->places[i].row_bytes);
  buffer = w->again == NULL ? g_malloc (largest) : NULL;
  while (!g_atomic_int_get (&w->failed) && (!tell || step (w))
         && (unit = (gsize) g_atomic_int_add (&w->next, 1)) < w->n_units)
    {
      if (!do_unit (w, unit, buffer, &bytes, &error))
        {
          fail (w, g_steal_pointer (&error));
          return;
        }
      g_atomic_pointer_add (&w->done, (gssize) bytes);
    }
}

static gpointer
helper (gpointer data)
{
  work (data, FALSE);
  return NULL;
}

static gboolean
work_all (Writer *w, guint threads, GError **error)
{
  guint n = (guint) CLAMP (threads, 1, MAX (w->n_units, 1)) - 1;
  g_autofree GThread **helpers = g_new0 (GThread *, n + 1);

  w->next = 0;
  w->done = 0;
  for (guint i = 0; i < n; i++)
    helpers[i] = g_thread_new ("gguf", helper, w);
  work (w, TRUE);
  for (guint i = 0; i < n; i++)
    g_thread_join (helpers[i]);
  if (w->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&w->error));
  return FALSE;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Room for all of it first: a full disk is found before the work, not after. */
static gboolean
make_room (Writer *w, GError **error)
{
  if (fallocate (w->fd, 0, 0, (off_t) w->total) == 0)
    return TRUE;
  if ((errno != EOPNOTSUPP && errno != ENOSYS) || ftruncate (w->fd, (off_t) w->total) < 0)
    return fr_error_errno (error, errno, "write", w->path);
  return TRUE;
}

static gboolean
write_file (Writer *w, const LmGgufKeys *keys, guint threads, GError **error)
{
  g_autoptr (GByteArray) header = make_header (w, keys);

  if (!make_room (w, error) || !write_at (w, header->data, header->len, 0, error)
      || !work_all (w, threads, error))
    return FALSE;
  if (fsync (w->fd) < 0)
    return fr_error_errno (error, errno, "write", w->path);
  /* What is read again should come from the disk. */
  (void) posix_fadvise (w->fd, 0, 0, POSIX_FADV_DONTNEED);
  return TRUE;
}

/* Names, types and shapes as they were to be written, and the bytes. */
static gboolean
read_again (Writer *w, guint threads, GError **error)
{
  g_autoptr (LmWeightFile) again = lm_weight_file_open (w->path, error);

  if (again == NULL)
    return FALSE;
  for (gsize i = 0; i < MAX (w->n, lm_weight_file_n_tensors (again)); i++)
    {
      const LmTensor *a = i < w->n ? &w->places[i].source->tensor : NULL, *b;

      b = i < lm_weight_file_n_tensors (again) ? lm_weight_file_tensor (again, i) : NULL;
      if (a != NULL && b != NULL && strcmp (a->name, b->name) == 0 && a->type == b->type
          && a->n_dims == b->n_dims
          && memcmp (a->dims, b->dims, a->n_dims * sizeof a->dims[0]) == 0)
        continue;
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "%s: tensor %zu, '%s', was read back otherwise than it was written", w->path, i,
                   a != NULL ? a->name : b->name);
      return FALSE;
    }
  w->again = again;
  return work_all (w, threads, error);
}

gboolean
lm_gguf_write (const char *path, const LmGgufKeys *keys, const LmRowSource *tensors, gsize n,
               guint threads, LmWriteStep told, gpointer user, GError **error)
{
  Writer w = { .path = path, .step = told, .user = user };
  gboolean ok = place_all (&w, tensors, n, error);

  g_mutex_init (&w.lock);
  if (ok)
    {
      w.fd = g_open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
      ok = w.fd >= 0 || fr_error_errno (error, errno, "create", path);
    }
  if (ok)
    {
      ok = write_file (&w, keys, threads, error);
      if (close (w.fd) < 0 && ok)
        ok = fr_error_errno (error, errno, "write", path);
      ok = ok && read_again (&w, threads, error);
      if (!ok)
        g_unlink (path);
    }
  g_mutex_clear (&w.lock);
  g_free (w.places);
  g_free (w.hashes);
  return ok;
}
