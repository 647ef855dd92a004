/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: see store.h.
 *
 * Chunks of one size; the first ones stay in memory for good, the others go to
 * the file when they are full, but for the last, which is being filled.
 */
#include "config.h"

#include "text/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

struct _TextStore
{
  char *dir, *path;
  int fd;
  gsize n_resident;  /* chunks that memory may hold */
  GPtrArray *chunks; /* guint8 *, the first n_resident */
  guint8 *last;      /* the one being filled, once those are full */
  guint64 size;
};

TextStore *
text_store_new (guint64 memory, const char *spill_dir)
{
  TextStore *store = g_new0 (TextStore, 1);

  store->dir = g_strdup (spill_dir);
  store->fd = -1;
  store->n_resident = (gsize) (memory / CHUNK);
  store->chunks = g_ptr_array_new_with_free_func (g_free);
  return store;
}

void
text_store_free (TextStore *store)
{
  if (store == NULL)
    return;
  if (store->fd >= 0)
    close (store->fd);
  g_free (store->dir);
  g_free (store->path);
  g_free (store->last);
  g_ptr_array_unref (store->chunks);
  g_free (store);
}

guint64
text_store_size (const TextStore *store)
{
  return store->size;
}

guint64
text_store_spilled (const TextStore *store)
{
  guint64 resident = (guint64) store->n_resident * CHUNK;

  return store->fd >= 0 && store->size > resident ? store->size - resident : 0;
}

/* ---- the file -------------------------------------------------------------------------------- */

static guint64
place_of (const TextStore *store, guint64 offset)
{
  return offset - (guint64) store->n_resident * CHUNK;
}

static gboolean
write_file (TextStore *store, guint64 offset, const guint8 *data, gsize len, GError **error)
{
  guint64 at = place_of (store, offset);

  if (store->fd < 0)
    {
      store->path = g_build_filename (store->dir, "store-XXXXXX", NULL);
      store->fd = g_mkstemp_full (store->path, O_RDWR | O_CLOEXEC, 0600);
      if (store->fd < 0)
        return fr_error_errno (error, errno, "create", store->path);
      g_unlink (store->path);
    }
  while (len > 0)
    {
      gssize n = pwrite (store->fd, data, len, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fr_error_errno (error, n == 0 ? ENOSPC : errno, "write", store->path);
      data += n;
      len -= (gsize) n;
      at += (guint64) n;
    }
  return TRUE;
}

static gboolean
read_file (const TextStore *store, guint64 offset, guint8 *data, gsize len, GError **error)
{
  guint64 at = place_of (store, offset);

  while (len > 0)
    {
      gssize n = pread (store->fd, data, len, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fr_error_errno (error, n == 0 ? EIO : errno, "read", store->path);
      data += n;
      len -= (gsize) n;
      at += (guint64) n;
    }
  return TRUE;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

/* The chunk that holds @offset, if it lies in memory. */
static guint8 *
chunk_of (const TextStore *store, guint64 offset)
{
  gsize i = (gsize) (offset / CHUNK);

  if (i < store->chunks->len)
    return store->chunks->pdata[i];
  return i == (store->size - 1) / CHUNK ? store->last : NULL;
}

/* Makes the chunk that begins at the end of the store; the one before is full. */
static gboolean
begin_chunk (TextStore *store, GError **error)
{
  gsize i = (gsize) (store->size / CHUNK);

  if (i < store->n_resident)
    {
      g_ptr_array_add (store->chunks, g_malloc (CHUNK));
      return TRUE;
    }
  if (store->last != NULL && i > store->n_resident)
    return write_file (store, store->size - CHUNK, store->last, CHUNK, error);
  store->last = g_malloc (CHUNK);
  return TRUE;
}

gboolean
text_store_append (TextStore *store, gconstpointer data, gsize len, guint64 *offset, GError **error)
{
  const guint8 *from = data;

  if (offset != NULL)
    *offset = store->size;
  while (len > 0)
    {
      gsize at = (gsize) (store->size % CHUNK), n = MIN (len, CHUNK - at);
      gsize i = (gsize) (store->size / CHUNK);

      if (at == 0 && !begin_chunk (store, error))
        return FALSE;
      memcpy ((i < store->chunks->len ? (guint8 *) store->chunks->pdata[i] : store->last) + at,
              from, n);
      store->size += n;
      from += n;
      len -= n;
    }
  return TRUE;
}

gboolean
text_store_write (TextStore *store, guint64 offset, gconstpointer data, gsize len, GError **error)
{
  const guint8 *from = data;

  g_assert (offset + len <= store->size);
  while (len > 0)
    {
      gsize at = (gsize) (offset % CHUNK), n = MIN (len, CHUNK - at);
      guint8 *chunk = chunk_of (store, offset);

      if (chunk != NULL)
        memcpy (chunk + at, from, n);
      else if (!write_file (store, offset, from, n, error))
        return FALSE;
      offset += n;
      from += n;
      len -= n;
    }
  return TRUE;
}

gboolean
text_store_read (const TextStore *store, guint64 offset, gpointer data, gsize len, GError **error)
{
  guint8 *to = data;

  g_assert (offset + len <= store->size);
  while (len > 0)
    {
      gsize at = (gsize) (offset % CHUNK), n = MIN (len, CHUNK - at);
      const guint8 *chunk = chunk_of (store, offset);

      if (chunk != NULL)
        memcpy (to, chunk + at, n);
      else if (!read_file (store, offset, to, n, error))
        return FALSE;
      offset += n;
      to += n;
      len -= n;
    }
  return TRUE;
}

gconstpointer
text_store_peek (const TextStore *store, guint64 offset, gsize len)
{
  const guint8 *chunk;

  if (offset % CHUNK + len > CHUNK)
    return NULL;
  chunk = chunk_of (store, offset);
  return chunk != NULL ? chunk + offset % CHUNK : NULL;
}
