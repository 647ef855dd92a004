/* SPDX-License-Identifier: Apache-2.0 */
/* warc-read.c: records out of bytes (ISO 28500, sections 4 and 5), HTTP out of records; see warc.h.
 */
#include "config.h"

#include "text/input.h"
#include "warc.h"

#include <string.h>

/* A record's header is not longer than this, or it is none. */
#define HEADER_MAX (64 * 1024)

void
warc_record_clear (WarcRecord *record)
{
  g_free (record->type);
  g_free (record->id);
  g_free (record->uri);
  g_free (record->content_type);
  g_free (record->concurrent_to);
  g_free (record->profile);
  g_free (record->refers_to_uri);
  g_free (record->refers_to_date);
  memset (record, 0, sizeof *record);
}

static const char no_record[] = "no record begins here";

/* ---- a record ------------------------------------------------------------------------ */

static char *
valid (const char *text, gsize len)
{
  return g_utf8_make_valid (text, (gssize) len);
}

static void
take_field (WarcRecord *record, const char *name, gsize name_len, const char *value, gsize len,
            gint64 *length)
{
  const struct
  {
    const char *name;
    char **where;
  } fields[] = { { "WARC-Type", &record->type },
                 { "WARC-Record-ID", &record->id },
                 { "WARC-Target-URI", &record->uri },
                 { "Content-Type", &record->content_type },
                 { "WARC-Concurrent-To", &record->concurrent_to },
                 { "WARC-Profile", &record->profile },
                 { "WARC-Refers-To-Target-URI", &record->refers_to_uri },
                 { "WARC-Refers-To-Date", &record->refers_to_date } };

  while (len > 0 && (*value == ' ' || *value == '\t'))
    value++, len--;
  while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
    len--;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (strlen (fields[i].name) == name_len
        && g_ascii_strncasecmp (fields[i].name, name, name_len) == 0 && *fields[i].where == NULL)
      *fields[i].where = valid (value, len);
  if (name_len == 9 && g_ascii_strncasecmp (name, "WARC-Date", 9) == 0)
    fr_timestamp_parse (value, len, &record->date);
  if (name_len == 14 && g_ascii_strncasecmp (name, "Content-Length", 14) == 0)
    {
      *length = len ? 0 : -1;
      for (gsize i = 0; i < len && *length >= 0; i++)
        *length = g_ascii_isdigit (value[i]) && *length <= WARC_MAX
                      ? *length * 10 + (value[i] - '0')
                      : -1;
    }
}

/* The version line at @data: its length with the line end; 0: this is none. */
static gsize
version_line (const char *data, gsize len)
{
  const char *stop;

  if (len < 6 || memcmp (data, "WARC/", 5) != 0 || !g_ascii_isdigit (data[5]))
    return 0;
  stop = memchr (data, '\n', MIN (len, 32));
  return stop ? (gsize) (stop + 1 - data) : 0;
}

/* Where the next record may begin, from @from on; a few bytes stay when more may follow. */
static gsize
resync (const char *data, gsize len, gsize from, gboolean end)
{
  const char *p = from < len ? memmem (data + from, len - from, "\nWARC/", 6) : NULL;

  if (p)
    return (gsize) (p + 1 - data);
  return end ? len : MAX (from, len - MIN (len, 6));
}

static WarcEvent
fault (WarcRecord *record, const char *what, gsize *used, gsize skip)
{
  warc_record_clear (record);
  record->fault = what;
  *used = skip;
  return WARC_FAULT;
}

WarcEvent
warc_parse (const char *data, gsize len, gboolean end, WarcRecord *record, gsize *used, gsize *need)
{
  gsize from = 0, at;
  gint64 length = -1;

  memset (record, 0, sizeof *record);
  *used = 0;
  while (from < len && (data[from] == '\r' || data[from] == '\n'))
    from++;
  if (from == len)
    {
      *used = len;
      *need = 1;
      return end ? WARC_END : WARC_MORE;
    }
  at = version_line (data + from, len - from);
  if (at == 0)
    {
      if (!end && len - from < 64)
        {
          *need = len + 64;
          return WARC_MORE;
        }
      return fault (record, no_record, used, resync (data, len, from + 1, end));
    }
  for (at += from;;)
    {
      const char *line = data + at, *stop = memchr (line, '\n', len - at), *colon;
      gsize n;

      if (stop == NULL)
        {
          if (len - from > HEADER_MAX)
            return fault (record, "the header of a record does not end", used,
                          resync (data, len, from + 5, end));
          if (end)
            return fault (record, "the file ends in the header of a record", used, len);
          *need = len + 1;
          warc_record_clear (record);
          return WARC_MORE;
        }
      n = (gsize) (stop - line);
      at += n + 1;
      if (n > 0 && line[n - 1] == '\r')
        n--;
      if (n == 0)
        break;
      colon = memchr (line, ':', n);
      if (colon)
        take_field (record, line, (gsize) (colon - line), colon + 1, n - (gsize) (colon + 1 - line),
                    &length);
    }
  if (length < 0 || length > WARC_MAX || record->type == NULL)
    return fault (record,
                  record->type == NULL
                      ? "a record without WARC-Type"
                      : "a record without a proper Content-Length, or larger than 256 MiB",
                  used, resync (data, len, at - 1, end));
  if (len - at < (gsize) length)
    {
      if (end)
        return fault (record, "the file ends in a record", used, resync (data, len, at, end));
      *need = at + (gsize) length;
      warc_record_clear (record);
      return WARC_MORE;
    }
  /* What follows must be line ends, or Content-Length is wrong and the block has bytes of other
   * records. */
  for (gsize k = at + (gsize) length; k < len && k < at + (gsize) length + 4; k++)
    if (data[k] != '\r' && data[k] != '\n' && data[k] != 'W')
      return fault (record, "the Content-Length of a record is wrong", used,
                    resync (data, len, at, end));
    else if (data[k] == 'W')
      break;
  record->block = (FrStr){ data + at, (gsize) length };
  *used = at + (gsize) length;
  return WARC_RECORD;
}

char *
warc_field (FrStr block, const char *name)
{
  const char *p = block.data, *stop = p + block.len;
  gsize n = strlen (name);

  while (p < stop)
    {
      const char *line_end = memchr (p, '\n', (gsize) (stop - p));
      gsize len = (gsize) ((line_end ? line_end : stop) - p);

      if (len > n && p[n] == ':' && g_ascii_strncasecmp (p, name, n) == 0)
        return g_strstrip (valid (p + n + 1, len - n - 1));
      p += len + 1;
    }
  return NULL;
}

/* ---- the reader -------------------------------------------------------------------------- */

struct _WarcReader
{
  TextInput *input;
  GByteArray *bytes;
  gsize at; /* what of them is used */
  gboolean open;
  gboolean at_end;
  gboolean damaged; /* a fault was told, and no record has come since */
  const char *name;
  guint64 number;
  char *where;
};

WarcReader *
warc_reader_new (const char *const *paths, GCancellable *cancellable, GError **error)
{
  TextInput *input = text_input_new (paths, "bytes", cancellable, error);
  WarcReader *reader;

  if (input == NULL)
    return NULL;
  reader = g_new0 (WarcReader, 1);
  reader->input = input;
  reader->bytes = g_byte_array_new ();
  return reader;
}

void
warc_reader_free (WarcReader *reader)
{
  if (reader == NULL)
    return;
  text_input_free (reader->input);
  g_byte_array_unref (reader->bytes);
  g_free (reader->where);
  g_free (reader);
}

const char *
warc_reader_where (WarcReader *reader)
{
  g_free (reader->where);
  reader->where = g_strdup_printf ("%s, record %" G_GUINT64_FORMAT,
                                   reader->name ? reader->name : "?", reader->number);
  return reader->where;
}

void
warc_reader_progress (WarcReader *reader, guint64 *done, guint64 *total)
{
  text_input_progress (reader->input, done, total);
}

/* Reads on until @need bytes are there or the text ends. */
static gboolean
fill (WarcReader *reader, gsize need, GError **error)
{
  g_byte_array_remove_range (reader->bytes, 0, (guint) reader->at);
  reader->at = 0;
  while (reader->bytes->len < need && !reader->at_end)
    {
      g_autoptr (GError) failure = NULL;
      const char *block;
      gsize len;

      if (text_input_read (reader->input, &block, &len, &failure))
        g_byte_array_append (reader->bytes, (const guint8 *) block, (guint) len);
      else if (failure)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      else
        reader->at_end = TRUE;
    }
  return TRUE;
}

WarcEvent
warc_reader_next (WarcReader *reader, WarcRecord *record, GError **error)
{
  for (;;)
    {
      gsize used = 0, need = 1;
      WarcEvent event;

      if (!reader->open)
        {
          g_autoptr (GError) failure = NULL;

          if (!text_input_next_text (reader->input, &reader->name, &failure))
            {
              if (failure)
                g_propagate_error (error, g_steal_pointer (&failure));
              return WARC_END;
            }
          reader->open = TRUE;
          reader->at_end = FALSE;
          reader->number = 0;
          reader->damaged = FALSE;
          g_byte_array_set_size (reader->bytes, 0);
          reader->at = 0;
        }
      event = warc_parse ((const char *) reader->bytes->data + reader->at,
                          reader->bytes->len - reader->at, reader->at_end, record, &used, &need);
      if (event == WARC_RECORD || event == WARC_FAULT)
        {
          reader->at += used;
          /* Damage is told once, however long it is. */
          if (event == WARC_FAULT && reader->damaged && strcmp (record->fault, no_record) == 0)
            continue;
          reader->damaged = event == WARC_FAULT;
          reader->number++;
          return event;
        }
      if (event == WARC_END)
        reader->open = FALSE;
      else
        {
          reader->at += used;
          if (!fill (reader, need - MIN (need - 1, used) + 65536, error))
            return WARC_END;
        }
    }
}

/* ---- HTTP in a block ------------------------------------------------------------------------ */

/* RFC 9112, 7.1: chunks; what is torn is kept as far as it goes. */
static GByteArray *
unchunk (const guint8 *p, gsize len, gboolean *torn)
{
  GByteArray *out = g_byte_array_new ();
  const guint8 *end = p + len;

  *torn = TRUE;
  while (p < end)
    {
      guint64 size = 0;
      guint digits = 0;

      for (; p < end && g_ascii_isxdigit ((char) *p) && digits < 8; p++, digits++)
        size = size * 16 + (guint64) g_ascii_xdigit_value ((char) *p);
      p = memchr (p, '\n', (gsize) (end - p));
      if (digits == 0 || p == NULL)
        break;
      p++;
      if (size == 0)
        {
          *torn = FALSE;
          break;
        }
      g_byte_array_append (out, p, (guint) MIN (size, (guint64) (end - p)));
      if (size > (guint64) (end - p))
        break;
      p += size;
      while (p < end && (*p == '\r' || *p == '\n'))
        p++;
    }
  return out;
}

static GByteArray *
inflate (const GByteArray *in, GZlibCompressorFormat format)
{
  g_autoptr (GZlibDecompressor) z = g_zlib_decompressor_new (format);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gsize at = 0;

  for (;;)
    {
      guint8 block[32768];
      gsize read = 0, written = 0;
      g_autoptr (GError) error = NULL;
      GConverterResult result
          = g_converter_convert (G_CONVERTER (z), in->data + at, in->len - at, block, sizeof block,
                                 G_CONVERTER_INPUT_AT_END, &read, &written, &error);

      at += read;
      g_byte_array_append (out, block, (guint) written);
      if (result == G_CONVERTER_FINISHED)
        return g_steal_pointer (&out);
      if (result == G_CONVERTER_ERROR || out->len > WARC_MAX)
        return NULL;
    }
}

static const char *
decode (Answer *answer)
{
  const char *transfer = answer_header (answer, "transfer-encoding");
  const char *content = answer_header (answer, "content-encoding");
  GByteArray *plain = NULL;
  gboolean torn;

  if (answer->body->len == 0)
    return NULL;
  if (transfer && g_ascii_strcasecmp (transfer, "chunked") == 0)
    {
      plain = unchunk (answer->body->data, answer->body->len, &torn);
      g_byte_array_unref (answer->body);
      answer->body = plain;
      answer->cut |= torn;
    }
  if (answer->body->len == 0 || content == NULL || *content == '\0'
      || g_ascii_strcasecmp (content, "identity") == 0)
    return NULL;
  if (g_ascii_strcasecmp (content, "gzip") == 0 || g_ascii_strcasecmp (content, "x-gzip") == 0)
    plain = inflate (answer->body, G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  else if (g_ascii_strcasecmp (content, "deflate") == 0)
    {
      plain = inflate (answer->body, G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
      if (plain == NULL)
        plain = inflate (answer->body, G_ZLIB_COMPRESSOR_FORMAT_RAW);
    }
  else
    return "its content coding is not known here";
  if (plain == NULL)
    return "its content cannot be unpacked";
  g_byte_array_unref (answer->body);
  answer->body = plain;
  return NULL;
}

static void
append_header (GString *out, const char *line, gsize len)
{
  const char *colon = memchr (line, ':', len);
  g_autofree char *name = NULL, *value = NULL;

  if (colon == NULL || memchr (line, '\0', len))
    return;
  name = g_ascii_strdown (line, colon - line);
  value = g_strstrip (valid (colon + 1, len - (gsize) (colon + 1 - line)));
  g_string_append_len (out, name, (gssize) strlen (name) + 1);
  g_string_append_len (out, value, (gssize) strlen (value) + 1);
}

Answer *
warc_http (const WarcRecord *record, const char **what)
{
  const char *p = record->block.data, *end = p + record->block.len;
  g_autoptr (Answer) answer = g_new0 (Answer, 1);
  g_autoptr (GString) headers = g_string_new (NULL);

  *what = "its block is no HTTP response";
  answer->body = g_byte_array_new ();
  if (end - p < 12 || memcmp (p, "HTTP/", 5) != 0)
    return NULL;
  p = memchr (p, ' ', MIN ((gsize) (end - p), 16));
  for (; p && p < end && *p == ' '; p++)
    ;
  if (p == NULL || end - p < 3 || !g_ascii_isdigit (p[0]) || !g_ascii_isdigit (p[1])
      || !g_ascii_isdigit (p[2]))
    return NULL;
  answer->status = (guint) ((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
  p = memchr (p, '\n', (gsize) (end - p));
  for (p = p ? p + 1 : end; p < end;)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));
      gsize len = (gsize) ((stop ? stop : end) - p);
      const char *line = p;

      p = stop ? stop + 1 : end;
      if (len > 0 && line[len - 1] == '\r')
        len--;
      if (len == 0)
        break;
      append_header (headers, line, len);
    }
  g_byte_array_append (answer->body, (const guint8 *) p, (guint) (end - p));
  answer->headers_len = headers->len;
  answer->headers = g_string_free (g_steal_pointer (&headers), FALSE);
  answer->url = g_strdup (record->uri ? record->uri : "");
  answer->fetched = record->date;
  *what = decode (answer);
  return *what ? NULL : g_steal_pointer (&answer);
}
