/* SPDX-License-Identifier: Apache-2.0 */
/* lineage.c: which rows passed a port, as a file of runs.
 *
 * The form: "FRL1\n", the names of the source stages, each ended by a newline,
 * an empty line; then records until the end mark.  A record is
 *
 *   count << 1 | child?   varint, count > 0
 *   source                varint
 *   position              zigzag varint, less the position after the last record's
 *   child                 4 bytes, little-endian, if child?
 *
 * and the end mark is a single 0.  Rows that left in order and without gaps
 * cost a few bytes together; a row of its own three to four.
 */
#include "config.h"

#include "run/rundir-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "FRL1\n"
#define FLUSH_AT (64 * 1024)

struct _FriLineage
{
  char *path;
  int fd;
  GByteArray *bytes;
  FrRowId first; /* of the run under way */
  guint64 count;
  guint64 expected; /* the position after the last run written */
};

static void
put_varint (GByteArray *bytes, guint64 v)
{
  guint8 b[10];
  guint n = 0;

  for (; v >= 0x80; v >>= 7)
    b[n++] = (guint8) (v | 0x80);
  b[n++] = (guint8) v;
  g_byte_array_append (bytes, b, n);
}

static gboolean
flush (FriLineage *l, GError **error)
{
  const guint8 *p = l->bytes->data;
  gsize left = l->bytes->len;

  while (left > 0)
    {
      gssize n = write (l->fd, p, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fr_error_errno (error, errno, "write", l->path);
      p += n;
      left -= (gsize) n;
    }
  g_byte_array_set_size (l->bytes, 0);
  return TRUE;
}

static void
put_run (FriLineage *l)
{
  gint64 delta = (gint64) (l->first.position - l->expected);

  put_varint (l->bytes, l->count << 1 | (l->first.child != 0));
  put_varint (l->bytes, l->first.source);
  put_varint (l->bytes, ((guint64) delta << 1) ^ (guint64) (delta >> 63));
  if (l->first.child != 0)
    {
      guint32 child = GUINT32_TO_LE (l->first.child);

      g_byte_array_append (l->bytes, (const guint8 *) &child, sizeof child);
    }
  l->expected = l->first.position + l->count;
}

FriLineage *
fri_lineage_new (const char *path, const char *const *sources, GError **error)
{
  FriLineage *l;
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

  if (fd < 0)
    {
      fr_error_errno (error, errno, "write", path);
      return NULL;
    }
  l = g_new0 (FriLineage, 1);
  l->path = g_strdup (path);
  l->fd = fd;
  l->bytes = g_byte_array_new ();
  g_byte_array_append (l->bytes, (const guint8 *) MAGIC, strlen (MAGIC));
  for (guint i = 1; sources != NULL && sources[i] != NULL; i++)
    {
      g_byte_array_append (l->bytes, (const guint8 *) sources[i], (guint) strlen (sources[i]));
      g_byte_array_append (l->bytes, (const guint8 *) "\n", 1);
    }
  g_byte_array_append (l->bytes, (const guint8 *) "\n", 1);
  return l;
}

gboolean
fri_lineage_add (FriLineage *l, const FrRowId *ids, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    {
      if (l->count > 0 && ids[i].child == 0 && l->first.child == 0
          && ids[i].source == l->first.source && ids[i].position == l->first.position + l->count)
        {
          l->count++;
          continue;
        }
      if (l->count > 0)
        put_run (l);
      l->first = ids[i];
      l->count = 1;
    }
  return l->bytes->len < FLUSH_AT || flush (l, error);
}

static void
lineage_free (FriLineage *l)
{
  g_byte_array_unref (l->bytes);
  g_free (l->path);
  g_free (l);
}

gboolean
fri_lineage_close (FriLineage *l, GError **error)
{
  gboolean ok;

  if (l == NULL)
    return TRUE;
  if (l->count > 0)
    put_run (l);
  put_varint (l->bytes, 0);
  ok = flush (l, error);
  if (close (l->fd) < 0 && ok)
    ok = fr_error_errno (error, errno, "write", l->path);
  lineage_free (l);
  return ok;
}

void
fri_lineage_discard (FriLineage *l)
{
  if (l == NULL)
    return;
  close (l->fd);
  lineage_free (l);
}

/* ---- reading --------------------------------------------------------------- */

typedef struct
{
  const guint8 *p, *end;
  gboolean bad;
} Cursor;

static guint64
get_varint (Cursor *c)
{
  guint64 v = 0;

  for (guint shift = 0; shift < 64 && c->p < c->end; shift += 7)
    {
      guint8 b = *c->p++;

      v |= (guint64) (b & 0x7f) << shift;
      if (b < 0x80)
        return v;
    }
  c->bad = TRUE;
  return 0;
}

/* The names of the sources, by number; NULL when the header is not one. */
static GPtrArray *
get_sources (Cursor *c)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gsize magic = strlen (MAGIC);

  if ((gsize) (c->end - c->p) < magic || memcmp (c->p, MAGIC, magic) != 0)
    return NULL;
  c->p += magic;
  g_ptr_array_add (names, g_strdup ("?"));
  for (;;)
    {
      const guint8 *stop = memchr (c->p, '\n', (gsize) (c->end - c->p));

      if (stop == NULL)
        return NULL;
      if (stop == c->p)
        break;
      g_ptr_array_add (names, g_strndup ((const char *) c->p, (gsize) (stop - c->p)));
      c->p = stop + 1;
    }
  c->p++;
  return g_steal_pointer (&names);
}

static gboolean
read_runs (Cursor *c, GPtrArray *names, FriLineageFunc func, gpointer data)
{
  guint64 expected = 0, index = 0;

  for (;;)
    {
      guint64 head = get_varint (c), zigzag, count;
      FrRowId id = { 0 };

      if (c->bad || head == 0)
        return !c->bad;
      count = head >> 1;
      id.source = (guint32) get_varint (c);
      zigzag = get_varint (c);
      id.position = expected + (guint64) ((gint64) (zigzag >> 1) ^ -(gint64) (zigzag & 1));
      if (head & 1)
        {
          guint32 child = 0;

          if (c->end - c->p < 4)
            return FALSE;
          memcpy (&child, c->p, 4);
          id.child = GUINT32_FROM_LE (child);
          c->p += 4;
        }
      if (c->bad || count == 0)
        return FALSE;
      if (!func (g_ptr_array_index (names, id.source < names->len ? id.source : 0), id, count,
                 index, data))
        return TRUE;
      expected = id.position + count;
      index += count;
    }
}

gboolean
fri_lineage_read (const char *path, FriLineageFunc func, gpointer data, GError **error)
{
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, error);
  g_autoptr (GPtrArray) names = NULL;
  Cursor c = { 0 };

  if (map == NULL)
    return FALSE;
  c.p = (const guint8 *) g_mapped_file_get_contents (map);
  c.end = c.p + g_mapped_file_get_length (map);
  names = c.p != NULL ? get_sources (&c) : NULL;
  if (names != NULL && read_runs (&c, names, func, data))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "'%s' is damaged or no lineage file; run the pipeline again with --fresh", path);
  return FALSE;
}
