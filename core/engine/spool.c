/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c: batches that wait on disk, first in, first out.
 *
 * A spool is a row of page files.  The producer writes the last one, the
 * consumer reads the first; a file that was read is removed, so the disk holds
 * what waits and little more.  When the consumer catches up with the producer,
 * the file being written is closed for it and the next batch begins another.
 */
#include "config.h"

#include "engine/engine-private.h"

#include <glib/gstdio.h>

#define SEGMENT_BYTES (64 * 1024 * 1024)

struct _FriSpool
{
  GMutex lock;
  char *dir, *name;
  FrSchema *schema;
  guint next; /* number of the next file */
  FriPageWriter *writer;
  guint64 written; /* bytes in the writer's file */
  GQueue files;    /* char *: files closed by the producer, oldest first */
  char *writing;
  FriPageReader *reader;
  char *reading;
};

FriSpool *
fri_spool_new (const char *dir, const char *name, FrSchema *schema)
{
  FriSpool *spool = g_new0 (FriSpool, 1);

  g_mutex_init (&spool->lock);
  g_queue_init (&spool->files);
  spool->dir = g_strdup (dir);
  spool->name = g_strdup (name);
  spool->schema = fr_schema_ref (schema);
  return spool;
}

static gboolean
end_segment (FriSpool *spool, GError **error)
{
  g_queue_push_tail (&spool->files, g_steal_pointer (&spool->writing));
  spool->written = 0;
  return fri_page_writer_close (g_steal_pointer (&spool->writer), FALSE, error);
}

static gboolean
begin_segment (FriSpool *spool, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.%u.spool", spool->dir, spool->name, spool->next);

  if (!fri_mkdir (spool->dir, error))
    return FALSE;
  spool->writer = fri_page_writer_new (path, spool->schema, NULL, error);
  if (spool->writer == NULL)
    return FALSE;
  spool->next++;
  spool->writing = g_steal_pointer (&path);
  return TRUE;
}

gboolean
fri_spool_add (FriSpool *spool, FrBatch *batch, GError **error)
{
  gboolean ok;

  g_mutex_lock (&spool->lock);
  ok = spool->writer != NULL || begin_segment (spool, error);
  ok = ok && fri_page_writer_add (spool->writer, batch, error);
  spool->written += fr_batch_bytes (batch);
  if (ok && spool->written >= SEGMENT_BYTES)
    ok = end_segment (spool, error);
  g_mutex_unlock (&spool->lock);
  return ok;
}

static void
drop_reader (FriSpool *spool)
{
  g_clear_pointer (&spool->reader, fri_page_reader_free);
  if (spool->reading != NULL)
    (void) g_unlink (spool->reading);
  g_clear_pointer (&spool->reading, g_free);
}

static gboolean
next_segment (FriSpool *spool, GError **error)
{
  gboolean ok = TRUE;

  drop_reader (spool);
  g_mutex_lock (&spool->lock);
  if (g_queue_is_empty (&spool->files) && spool->writer != NULL)
    ok = end_segment (spool, error);
  spool->reading = g_queue_pop_head (&spool->files);
  g_mutex_unlock (&spool->lock);
  if (!ok)
    return FALSE;
  if (spool->reading == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "the spool '%s' is empty", spool->name);
      return FALSE;
    }
  spool->reader = fri_page_reader_new (spool->reading, TRUE, error);
  return spool->reader != NULL;
}

FrBatch *
fri_spool_take (FriSpool *spool, GError **error)
{
  for (;;)
    {
      GError *e = NULL;
      FrBatch *batch = spool->reader != NULL ? fri_page_reader_next (spool->reader, &e) : NULL;

      if (batch != NULL)
        return batch;
      if (e != NULL)
        {
          g_propagate_error (error, e);
          return NULL;
        }
      if (!next_segment (spool, error))
        return NULL;
    }
}

void
fri_spool_free (FriSpool *spool)
{
  char *path;

  if (spool == NULL)
    return;
  drop_reader (spool);
  if (spool->writer != NULL)
    fri_page_writer_discard (spool->writer);
  while ((path = g_queue_pop_head (&spool->files)) != NULL)
    {
      (void) g_unlink (path);
      g_free (path);
    }
  fr_schema_unref (spool->schema);
  g_free (spool->writing);
  g_free (spool->dir);
  g_free (spool->name);
  g_mutex_clear (&spool->lock);
  g_free (spool);
}
