/* SPDX-License-Identifier: Apache-2.0 */
/* warc-write.c: records of ISO 28500, section 5, 6 and Annex D; see warc.h. */
#include "config.h"

#include "warc.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct _WarcWriter
{
  char *path;
  char *temporary;
  int fd;
  gboolean packed;
  gboolean committed;
  GString *record;      /* being made */
  GHashTable *payloads; /* digest → Seen: what stands in this file */
  GChecksum *sha1;
};

typedef struct
{
  char *url;
  char *id;
  gint64 fetched;
} Seen;

static void
seen_free (gpointer data)
{
  Seen *seen = data;

  g_free (seen->url);
  g_free (seen->id);
  g_free (seen);
}

/* ---- pieces ------------------------------------------------------------------------ */

/* Base32 of RFC 4648: the form in which archives write SHA-1. */
static char *
digest (WarcWriter *w, const guint8 *data, gsize len)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  char *out = g_malloc (5 + 32 + 1);
  guint8 sum[20];
  gsize n = sizeof sum;

  g_checksum_reset (w->sha1);
  g_checksum_update (w->sha1, data, (gssize) len);
  g_checksum_get_digest (w->sha1, sum, &n);
  memcpy (out, "sha1:", 5);
  for (guint i = 0; i < 32; i++)
    {
      guint bit = i * 5;
      guint pair = (guint) sum[bit / 8] << 8 | (bit / 8 + 1 < 20 ? sum[bit / 8 + 1] : 0);

      out[5 + i] = letters[pair >> (11 - bit % 8) & 31];
    }
  out[37] = '\0';
  return out;
}

static char *
new_id (void)
{
  g_autofree char *uuid = g_uuid_string_random ();

  return g_strdup_printf ("<urn:uuid:%s>", uuid);
}

static char *
date_text (gint64 us)
{
  g_autoptr (GString) out = g_string_new (NULL);

  fr_timestamp_append (out, us);
  return g_strdup (out->str);
}

static gboolean
write_all (WarcWriter *w, const void *data, gsize len, GError **error)
{
  const char *p = data;

  while (len > 0)
    {
      ssize_t n = write (w->fd, p, len);

      if (n < 0 && errno != EINTR)
        return fr_error_errno (error, errno, "write", w->path);
      if (n > 0)
        p += n, len -= (gsize) n;
    }
  return TRUE;
}

static la_ssize_t
on_packed (G_GNUC_UNUSED struct archive *a, void *data, const void *bytes, size_t len)
{
  g_byte_array_append (data, bytes, (guint) len);
  return (la_ssize_t) len;
}

/* The record made, as a gzip member of its own. */
static gboolean
write_packed (WarcWriter *w, GError **error)
{
  struct archive *a = archive_write_new ();
  struct archive_entry *entry = archive_entry_new ();
  g_autoptr (GByteArray) packed = g_byte_array_sized_new ((guint) (w->record->len / 3) + 64);
  gboolean ok;

  archive_entry_set_filetype (entry, AE_IFREG);
  ok = archive_write_set_format_raw (a) == ARCHIVE_OK
       && archive_write_add_filter_gzip (a) == ARCHIVE_OK
       && archive_write_set_filter_option (a, "gzip", "timestamp", NULL) == ARCHIVE_OK
       && archive_write_set_bytes_per_block (a, 0) == ARCHIVE_OK
       && archive_write_open (a, packed, NULL, on_packed, NULL) == ARCHIVE_OK
       && archive_write_header (a, entry) == ARCHIVE_OK
       && archive_write_data (a, w->record->str, w->record->len) == (la_ssize_t) w->record->len
       && archive_write_close (a) == ARCHIVE_OK;
  if (!ok)
    g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot pack a record of %s: %s", w->path,
                 archive_error_string (a));
  archive_entry_free (entry);
  archive_write_free (a);
  return ok && write_all (w, packed->data, packed->len, error);
}

static void
begin (WarcWriter *w, const char *type, const char *id, gint64 date)
{
  g_autofree char *when = date_text (date);

  g_string_truncate (w->record, 0);
  g_string_append_printf (w->record,
                          "WARC/1.1\r\nWARC-Type: %s\r\nWARC-Record-ID: %s\r\nWARC-Date: %s\r\n",
                          type, id, when);
}

static void
field (WarcWriter *w, const char *name, const char *value)
{
  g_string_append_printf (w->record, "%s: %s\r\n", name, value);
}

static gboolean
end (WarcWriter *w, const char *block, gsize len, GError **error)
{
  g_autofree char *sum = digest (w, (const guint8 *) block, len);

  field (w, "WARC-Block-Digest", sum);
  g_string_append_printf (w->record, "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n", len);
  g_string_append_len (w->record, block, (gssize) len);
  g_string_append (w->record, "\r\n\r\n");
  return w->packed ? write_packed (w, error) : write_all (w, w->record->str, w->record->len, error);
}

/* ---- the file ------------------------------------------------------------------------ */

WarcWriter *
warc_writer_new (const char *path, const char *software, const char *robots, GError **error)
{
  g_autoptr (WarcWriter) w = g_new0 (WarcWriter, 1);
  g_autofree char *dir = g_path_get_dirname (path), *id = new_id (),
                  *name = g_path_get_basename (path);
  g_autofree char *info = NULL;

  w->path = g_strdup (path);
  w->temporary = g_strdup_printf ("%s.tmp-XXXXXX", path);
  w->packed = g_str_has_suffix (path, ".gz");
  w->record = g_string_new (NULL);
  w->sha1 = g_checksum_new (G_CHECKSUM_SHA1);
  w->payloads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, seen_free);
  w->fd = -1;
  if (g_mkdir_with_parents (dir, 0777) != 0)
    {
      fr_error_errno (error, errno, "make the folder of", path);
      return NULL;
    }
  w->fd = g_mkstemp_full (w->temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (w->fd < 0)
    {
      fr_error_errno (error, errno, "write", path);
      return NULL;
    }
  begin (w, "warcinfo", id, g_get_real_time ());
  field (w, "WARC-Filename", name);
  field (w, "Content-Type", "application/warc-fields");
  info = g_strdup_printf ("software: %s\r\nformat: WARC File Format 1.1\r\nrobots: %s\r\n",
                          software, robots);
  if (!end (w, info, strlen (info), error))
    return NULL;
  return g_steal_pointer (&w);
}

gboolean
warc_writer_commit (WarcWriter *w, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (w->path);
  int fd;

  if (fsync (w->fd) != 0 || rename (w->temporary, w->path) != 0)
    return fr_error_errno (error, errno, "put in place", w->path);
  w->committed = TRUE;
  fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0)
    {
      fsync (fd);
      close (fd);
    }
  return TRUE;
}

void
warc_writer_free (WarcWriter *w)
{
  if (w == NULL)
    return;
  if (w->fd >= 0)
    {
      close (w->fd);
      if (!w->committed)
        unlink (w->temporary);
    }
  g_string_free (w->record, TRUE);
  g_hash_table_unref (w->payloads);
  g_checksum_free (w->sha1);
  g_free (w->temporary);
  g_free (w->path);
  g_free (w);
}

/* ---- answers ---------------------------------------------------------------------------- */

static gboolean
is_coding (const char *name)
{
  return strcmp (name, "content-encoding") == 0 || strcmp (name, "transfer-encoding") == 0
         || strcmp (name, "content-length") == 0;
}

/* The answer as HTTP/1.1 would have sent it plainly. */
static GString *
http_block (const Answer *answer, gboolean with_body)
{
  gsize len = answer->body ? answer->body->len : 0;
  GString *out = g_string_sized_new (answer->headers_len + len + 256);
  const char *p = answer->headers, *stop = p + answer->headers_len;

  g_string_append_printf (out, "HTTP/1.1 %u \r\n", answer->status);
  while (p < stop)
    {
      const char *value = p + strlen (p) + 1;

      g_string_append_printf (out, "%s%s: %s\r\n", is_coding (p) ? "X-Crawler-" : "", p, value);
      p = value + strlen (value) + 1;
    }
  if (answer->status != 304 && answer->status != 204)
    g_string_append_printf (out, "content-length: %" G_GSIZE_FORMAT "\r\n", len);
  g_string_append (out, "\r\n");
  if (with_body && len)
    g_string_append_len (out, (const char *) answer->body->data, (gssize) len);
  return out;
}

static gboolean
put_metadata (WarcWriter *w, const Answer *answer, const char *to, const char *via,
              const char *hops, GError **error)
{
  g_autofree char *id = new_id ();
  g_autoptr (GString) text = g_string_new (NULL);

  if (via)
    g_string_append_printf (text, "via: %s\r\n", via);
  g_string_append_printf (text, "hopsFromSeed: %s\r\nfetchTimeMs: %" G_GINT64_FORMAT "\r\n", hops,
                          answer->duration / 1000);
  begin (w, "metadata", id, answer->fetched);
  field (w, "WARC-Target-URI", answer->url);
  field (w, "WARC-Concurrent-To", to);
  field (w, "Content-Type", "application/warc-fields");
  return end (w, text->str, text->len, error);
}

gboolean
warc_writer_put (WarcWriter *w, const Answer *answer, const char *via, const char *hops,
                 const Answer *earlier, GError **error)
{
  g_autofree char *id = new_id (), *sum = NULL;
  const GByteArray *payload = answer->status == 304 && earlier ? earlier->body : answer->body;
  Seen *seen;
  g_autoptr (GString) block = NULL;
  gboolean again;

  sum = digest (w, payload->data, payload->len);
  seen = payload->len ? g_hash_table_lookup (w->payloads, sum) : NULL;
  again = seen != NULL || earlier != NULL;
  begin (w, again ? "revisit" : "response", id, answer->fetched);
  field (w, "WARC-Target-URI", answer->url);
  field (w, "WARC-Payload-Digest", sum);
  if (again)
    {
      g_autofree char *when = date_text (seen ? seen->fetched : earlier->fetched);

      field (w, "WARC-Profile",
             answer->status == 304
                 ? "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
                 : "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest");
      if (seen)
        field (w, "WARC-Refers-To", seen->id);
      field (w, "WARC-Refers-To-Target-URI", seen ? seen->url : earlier->url);
      field (w, "WARC-Refers-To-Date", when);
    }
  if (answer->cut)
    field (w, "WARC-Truncated", "length");
  field (w, "Content-Type", "application/http; msgtype=response");
  block = http_block (answer, !again);
  if (!end (w, block->str, block->len, error))
    return FALSE;
  if (!again)
    {
      seen = g_new0 (Seen, 1);
      seen->url = g_strdup (answer->url);
      seen->id = g_strdup (id);
      seen->fetched = answer->fetched;
      g_hash_table_insert (w->payloads, g_steal_pointer (&sum), seen);
    }
  return put_metadata (w, answer, id, via, hops, error);
}
