/* SPDX-License-Identifier: Apache-2.0 */
/* warc-write.c: records of ISO 28500, section 5, 6 and Annex D; see warc.h. */
#include "config.h"

#include "text/output.h"
#include "warc.h"

#include <string.h>

struct _WarcWriter
{
  TextOutput *output;
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
  return text_output_write (w->output, w->record->str, w->record->len, error)
         && text_output_cut (w->output, error);
}

/* ---- the file ------------------------------------------------------------------------ */

WarcWriter *
warc_writer_new (const char *path, const char *software, const char *robots,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (WarcWriter) w = g_new0 (WarcWriter, 1);
  g_autofree char *id = new_id (), *name = g_path_get_basename (path), *info = NULL;

  w->record = g_string_new (NULL);
  w->sha1 = g_checksum_new (G_CHECKSUM_SHA1);
  w->payloads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, seen_free);
  w->output = text_output_new (path, cancellable, error);
  if (w->output == NULL)
    return NULL;
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
  return text_output_commit (w->output, error);
}

void
warc_writer_free (WarcWriter *w)
{
  if (w == NULL)
    return;
  text_output_free (w->output);
  g_string_free (w->record, TRUE);
  g_hash_table_unref (w->payloads);
  g_checksum_free (w->sha1);
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
