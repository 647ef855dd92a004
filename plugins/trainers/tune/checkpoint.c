/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c: a training's state on disk, whole or not there at all. */
#include "config.h"

#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "FRTUNE1\n"
#define HEAD (sizeof MAGIC - 1 + sizeof (guint64))
#define TAIL sizeof (XXH128_canonical_t)
#define TEMPORARY "writing-"

struct _CheckpointWriter
{
  char *dir, *path, *temporary;
  int fd;
  XXH3_state_t *hash;
  gboolean failed;
};

static char *
name_of (const char *kind, guint64 step)
{
  return g_strdup_printf ("%s-%08" G_GUINT64_FORMAT, kind, step);
}

/* ---- writing -------------------------------------------------------------------------- */

static gboolean
write_all (CheckpointWriter *w, gconstpointer data, gsize n, GError **error)
{
  const char *at = data;

  XXH3_128bits_update (w->hash, data, n);
  while (n > 0)
    {
      gssize done = write (w->fd, at, n);

      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        {
          w->failed = TRUE;
          return fr_error_errno (error, errno, "write", w->temporary);
        }
      at += done;
      n -= (gsize) done;
    }
  return TRUE;
}

static void
writer_free (CheckpointWriter *w)
{
  if (w->fd >= 0)
    close (w->fd);
  XXH3_freeState (w->hash);
  g_free (w->dir);
  g_free (w->path);
  g_free (w->temporary);
  g_free (w);
}

CheckpointWriter *
checkpoint_begin (const char *dir, const char *kind, guint64 step, JsonNode *meta, GError **error)
{
  g_autofree char *name = name_of (kind, step);
  g_autofree char *text = fr_json_to_string (meta, 0);
  guint64 len = GUINT64_TO_LE ((guint64) strlen (text));
  CheckpointWriter *w = g_new0 (CheckpointWriter, 1);

  w->dir = g_strdup (dir);
  w->path = g_build_filename (dir, name, NULL);
  w->temporary = g_strconcat (dir, G_DIR_SEPARATOR_S TEMPORARY, name, NULL);
  w->hash = XXH3_createState ();
  XXH3_128bits_reset (w->hash);
  w->fd = g_open (w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (w->fd < 0)
    {
      fr_error_errno (error, errno, "write", w->temporary);
      writer_free (w);
      return NULL;
    }
  if (!write_all (w, MAGIC, sizeof MAGIC - 1, error) || !write_all (w, &len, sizeof len, error)
      || !write_all (w, text, strlen (text), error))
    {
      checkpoint_abandon (w);
      return NULL;
    }
  return w;
}

gboolean
checkpoint_put (CheckpointWriter *w, const float *numbers, gsize n, GError **error)
{
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  return write_all (w, numbers, n * sizeof *numbers, error);
#else
  guint32 word;

  for (gsize i = 0; i < n; i++)
    {
      memcpy (&word, numbers + i, sizeof word);
      word = GUINT32_TO_LE (word);
      if (!write_all (w, &word, sizeof word, error))
        return FALSE;
    }
  return TRUE;
#endif
}

/* The new name itself must reach the disk before the old checkpoint goes. */
static gboolean
sync_dir (const char *dir, GError **error)
{
  int fd = g_open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean ok = fd >= 0 && fsync (fd) == 0;

  if (!ok)
    fr_error_errno (error, errno, "sync", dir);
  if (fd >= 0)
    close (fd);
  return ok;
}

gboolean
checkpoint_commit (CheckpointWriter *w, GError **error)
{
  XXH128_canonical_t digest;
  gboolean ok;

  XXH128_canonicalFromHash (&digest, XXH3_128bits_digest (w->hash));
  ok = !w->failed && write_all (w, &digest, sizeof digest, error);
  if (ok && fsync (w->fd) < 0)
    ok = fr_error_errno (error, errno, "sync", w->temporary);
  if (ok && g_rename (w->temporary, w->path) < 0)
    ok = fr_error_errno (error, errno, "write", w->path);
  ok = ok && sync_dir (w->dir, error);
  if (!ok)
    g_unlink (w->temporary);
  writer_free (w);
  return ok;
}

void
checkpoint_abandon (CheckpointWriter *w)
{
  if (w == NULL)
    return;
  g_unlink (w->temporary);
  writer_free (w);
}

/* ---- reading --------------------------------------------------------------------------- */

static gboolean
damaged (GError **error, const char *path, const char *what)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s is damaged: %s", path, what);
  return FALSE;
}

static gboolean
parse (Checkpoint *c, const char *path, GError **error)
{
  const char *data = g_mapped_file_get_contents (c->file);
  gsize len = g_mapped_file_get_length (c->file);
  XXH128_canonical_t digest;
  guint64 text;

  if (len < HEAD + TAIL || memcmp (data, MAGIC, sizeof MAGIC - 1) != 0)
    return damaged (error, path, "it does not begin as a checkpoint does");
  XXH128_canonicalFromHash (&digest, XXH3_128bits (data, len - TAIL));
  if (memcmp (&digest, data + len - TAIL, TAIL) != 0)
    return damaged (error, path, "its checksum does not fit");
  memcpy (&text, data + sizeof MAGIC - 1, sizeof text);
  text = GUINT64_FROM_LE (text);
  if (text > len - HEAD - TAIL || (len - HEAD - TAIL - text) % sizeof (float) != 0)
    return damaged (error, path, "its lengths do not fit");
  c->meta = fr_json_parse (data + HEAD, (gssize) text, 0, NULL);
  if (c->meta == NULL || !JSON_NODE_HOLDS_OBJECT (c->meta))
    return damaged (error, path, "its description is no JSON object");
  c->numbers = data + HEAD + text;
  c->n_numbers = (len - HEAD - TAIL - text) / sizeof (float);
  return TRUE;
}

Checkpoint *
checkpoint_open (const char *dir, const char *kind, guint64 step, GError **error)
{
  g_autofree char *name = name_of (kind, step);
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (Checkpoint) c = g_new0 (Checkpoint, 1);
  g_autoptr (GError) local = NULL;

  c->step = step;
  c->file = g_mapped_file_new (path, FALSE, &local);
  if (c->file == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read %s: %s", path, local->message);
      return NULL;
    }
  return parse (c, path, error) ? g_steal_pointer (&c) : NULL;
}

void
checkpoint_free (Checkpoint *c)
{
  if (c == NULL)
    return;
  g_clear_pointer (&c->meta, json_node_unref);
  g_clear_pointer (&c->file, g_mapped_file_unref);
  g_free (c);
}

gboolean
checkpoint_get (const Checkpoint *c, gsize at, float *out, gsize n)
{
  if (at > c->n_numbers || n > c->n_numbers - at)
    return FALSE;
  memcpy (out, c->numbers + at * sizeof *out, n * sizeof *out);
#if G_BYTE_ORDER != G_LITTLE_ENDIAN
  for (gsize i = 0; i < n; i++)
    {
      guint32 word;

      memcpy (&word, out + i, sizeof word);
      word = GUINT32_FROM_LE (word);
      memcpy (out + i, &word, sizeof word);
    }
#endif
  return TRUE;
}

/* ---- the directory ----------------------------------------------------------------------- */

/* Step of @name when it is a checkpoint of @kind. */
static gboolean
step_of (const char *name, const char *kind, guint64 *step)
{
  gsize n = strlen (kind);

  return strncmp (name, kind, n) == 0 && name[n] == '-'
         && g_ascii_string_to_unsigned (name + n + 1, 10, 0, G_MAXUINT64, step, NULL);
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return x > y ? -1 : x < y;
}

GArray *
checkpoint_steps (const char *dir, const char *kind)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  const char *name;
  guint64 step;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL)
    if (step_of (name, kind, &step))
      g_array_append_val (steps, step);
  g_array_sort (steps, newest_first);
  return steps;
}

void
checkpoint_keep (const char *dir, const char *kind, const guint64 *steps, gsize n)
{
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  g_autoptr (GPtrArray) old = g_ptr_array_new_with_free_func (g_free);
  const char *name;
  guint64 step;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL)
    {
      gboolean go = g_str_has_prefix (name, TEMPORARY);

      if (step_of (name, kind, &step))
        {
          go = TRUE;
          for (gsize i = 0; i < n; i++)
            go &= steps[i] != step;
        }
      if (go)
        g_ptr_array_add (old, g_build_filename (dir, name, NULL));
    }
  for (guint i = 0; i < old->len; i++)
    g_unlink (old->pdata[i]);
}
