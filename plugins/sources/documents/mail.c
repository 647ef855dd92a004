/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c: one message (RFC 5322, MIME RFC 2045 to 2049), parsed by GMime.
 *
 * Subject, sender and date become facts; the text is the body's plain part,
 * or its HTML part where there is no plain one, cut by mailcut.h unless quotes
 * are wanted.  Attachments and forwarded messages are documents within.
 * Headers and bodies are decoded by libflowrun-text, not by GMime: what says
 * "gb2312" is often GBK, and what says nothing is guessed.
 */
#include "config.h"

#include "html.h"
#include "mailcut.h"
#include "mailhead.h"
#include "readers.h"
#include "text/content.h"
#include "utf8.h"

#include <gmime/gmime.h>
#include <string.h>

#define MAX_DEPTH 32
#define MAX_PARTS 10000

typedef struct
{
  const TextDocJob *job;
  TextDocSink *sink;
  guint n_parts;
  guint64 replaced;
  MailCuts cuts;
  gboolean encrypted, has_text;
  const char *default_charset;
  guint64 bytes; /* decoded so far */
} Mail;

/* ---- bytes of a part --------------------------------------------------------- */

/* A part's content without its transfer encoding. */
static GByteArray *
content_of (Mail *mail, GMimePart *part)
{
  GMimeDataWrapper *wrapper = g_mime_part_get_content (part);
  GByteArray *bytes = g_byte_array_new ();
  GMimeStream *stream;

  if (wrapper == NULL)
    return bytes;
  stream = g_mime_stream_mem_new_with_byte_array (bytes);
  g_mime_stream_mem_set_owner (GMIME_STREAM_MEM (stream), FALSE);
  g_mime_data_wrapper_write_to_stream (wrapper, stream);
  g_object_unref (stream);
  mail->bytes += bytes->len;
  return bytes;
}

/* ---- a body part ------------------------------------------------------------- */

static gboolean
tell_text (Mail *mail, FrStr text)
{
  GString *out;
  gboolean ok = TRUE;

  if (mail->job->wants & TEXT_DOC_QUOTES)
    out = g_string_new_len (text.data, (gssize) text.len);
  else
    {
      out = g_string_new (NULL);
      mail_cut (text, out, &mail->cuts);
    }
  mail->has_text |= out->len > 0;
  for (const char *at = out->str; ok && *at;)
    {
      const char *gap = strstr (at, "\n\n");
      gsize n = gap ? (gsize) (gap - at) : strlen (at);

      ok = text_doc_paragraph (mail->sink, (FrStr){ at, n });
      at += n;
      while (*at == '\n')
        at++;
    }
  g_string_free (out, TRUE);
  return ok;
}

/* A page as lines, so that the rules for lines see its quotes. */
static void
page_lines (const TextContent *page, GString *out)
{
  for (guint i = 0; i < page->n_blocks; i++)
    {
      const TextBlock *b = &page->blocks[i];
      FrStr rest = b->text;

      if (i > 0
          && (b->kind == TEXT_BLOCK_PARAGRAPH || b->first || b->kind != page->blocks[i - 1].kind))
        g_string_append_c (out, '\n');
      while (rest.len)
        {
          const char *newline = memchr (rest.data, '\n', rest.len);
          gsize n = newline ? (gsize) (newline - rest.data) : rest.len;

          g_string_append (out, b->kind == TEXT_BLOCK_QUOTE                               ? "> "
                                : b->kind == TEXT_BLOCK_ITEM && rest.data == b->text.data ? "- "
                                                                                          : "");
          g_string_append_len (out, rest.data, (gssize) n);
          g_string_append_c (out, '\n');
          rest = (FrStr){ rest.data + n + (newline != NULL), rest.len - n - (newline != NULL) };
        }
    }
}

static gboolean
tell_html (Mail *mail, GByteArray *bytes, const char *charset)
{
  TextContentOptions options
      = { .charset = charset, .flags = TEXT_CONTENT_WHOLE | TEXT_CONTENT_NO_LINKS };
  g_autoptr (TextContent) page
      = text_content_new ((const char *) bytes->data, bytes->len, &options);
  GString *lines;
  gboolean ok;

  mail->replaced += page->n_replaced;
  if (mail->job->wants & TEXT_DOC_QUOTES)
    {
      mail->has_text |= page->n_blocks > 0;
      return html_tell (page, mail->sink);
    }
  lines = g_string_new (NULL);
  page_lines (page, lines);
  ok = tell_text (mail, (FrStr){ lines->str, lines->len });
  g_string_free (lines, TRUE);
  return ok;
}

static gboolean
tell_part (Mail *mail, GMimePart *part, gboolean html)
{
  GMimeObject *object = GMIME_OBJECT (part);
  const char *charset = g_mime_object_get_content_type_parameter (object, "charset");
  const char *format = g_mime_object_get_content_type_parameter (object, "format");
  const char *delsp = g_mime_object_get_content_type_parameter (object, "delsp");
  g_autoptr (GByteArray) bytes = content_of (mail, part);
  GString *text;
  gboolean ok;

  if (bytes->len == 0)
    return TRUE;
  if (charset == NULL || g_ascii_strcasecmp (charset, "us-ascii") == 0)
    charset = NULL;
  if (html)
    return tell_html (mail, bytes, charset);
  text = utf8_decode ((const char *) bytes->data, bytes->len, charset, &mail->replaced);
  if (format && g_ascii_strcasecmp (format, "flowed") == 0)
    {
      GString *unflowed = g_string_new (NULL);

      mail_unflow ((FrStr){ text->str, text->len }, delsp && g_ascii_strcasecmp (delsp, "yes") == 0,
                   unflowed);
      g_string_free (text, TRUE);
      text = unflowed;
    }
  ok = tell_text (mail, (FrStr){ text->str, text->len });
  g_string_free (text, TRUE);
  return ok;
}

static gboolean
tell_attachment (Mail *mail, GMimePart *part)
{
  GMimeContentType *type = g_mime_object_get_content_type (GMIME_OBJECT (part));
  g_autofree char *claimed = type ? g_mime_content_type_get_mime_type (type) : NULL;
  const char *name
      = g_mime_object_get_content_disposition_parameter (GMIME_OBJECT (part), "filename");
  g_autoptr (GByteArray) bytes = NULL;
  GString *decoded;
  gboolean ok;

  if (!(mail->job->wants & TEXT_DOC_CHILDREN))
    {
      mail->sink->count (mail->sink, "attachments_passed_over", 1);
      return TRUE;
    }
  if (name == NULL)
    name = g_mime_object_get_content_type_parameter (GMIME_OBJECT (part), "name");
  bytes = content_of (mail, part);
  decoded
      = mail_header_decode ((FrStr){ name ? name : "", name ? strlen (name) : 0 }, &mail->replaced);
  ok = mail->sink->child (mail->sink, (FrStr){ decoded->str, decoded->len }, claimed,
                          bytes->data ? (const char *) bytes->data : "", bytes->len);
  g_string_free (decoded, TRUE);
  return ok;
}

/* ---- structure --------------------------------------------------------------- */

static gboolean walk (Mail *mail, GMimeObject *object, guint depth);

static gboolean
is_type (GMimeObject *object, const char *type, const char *subtype)
{
  GMimeContentType *t = g_mime_object_get_content_type (object);

  return t && g_mime_content_type_is_type (t, type, subtype);
}

static gboolean
is_attachment (GMimeObject *object)
{
  const char *disposition = g_mime_object_get_disposition (object);

  return disposition && g_ascii_strcasecmp (disposition, "attachment") == 0;
}

static gboolean
walk_message (Mail *mail, GMimeMessagePart *part)
{
  GMimeMessage *message = g_mime_message_part_get_message (part);
  g_autofree char *text = NULL;
  const char *subject;
  gboolean ok;

  if (message == NULL)
    return TRUE;
  if (!(mail->job->wants & TEXT_DOC_CHILDREN))
    {
      mail->sink->count (mail->sink, "attachments_passed_over", 1);
      return TRUE;
    }
  text = g_mime_object_to_string (GMIME_OBJECT (message), NULL);
  subject = g_mime_message_get_subject (message);
  if (subject == NULL || !g_utf8_validate (subject, -1, NULL))
    subject = "";
  ok = text == NULL
       || mail->sink->child (mail->sink, (FrStr){ subject, strlen (subject) }, TYPE_MAIL, text,
                             strlen (text));
  return ok;
}

/* The plainest of several forms of one thing, and among equals the first. */
static gboolean
walk_alternatives (Mail *mail, GMimeMultipart *multipart, guint depth)
{
  int n = g_mime_multipart_get_count (multipart);
  GMimeObject *best = NULL;

  for (int i = 0; i < MIN (n, 64); i++)
    {
      GMimeObject *object = g_mime_multipart_get_part (multipart, i);

      if (is_type (object, "text", "plain") && GMIME_IS_PART (object))
        {
          gboolean had = mail->has_text;

          if (!walk (mail, object, depth + 1))
            return FALSE;
          /* An empty plain part stands in for HTML that says something. */
          if (mail->has_text || had)
            return TRUE;
        }
      else if (best == NULL && !is_type (object, "text", "calendar"))
        best = object;
      else if (is_type (object, "text", "html") || is_type (object, "multipart", "related"))
        best = object;
    }
  return best == NULL || walk (mail, best, depth + 1);
}

static gboolean
walk_multipart (Mail *mail, GMimeMultipart *multipart, guint depth)
{
  GMimeObject *object = GMIME_OBJECT (multipart);
  int n = g_mime_multipart_get_count (multipart);

  if (is_type (object, "multipart", "encrypted"))
    {
      mail->encrypted = TRUE;
      return TRUE;
    }
  if (is_type (object, "multipart", "alternative"))
    return walk_alternatives (mail, multipart, depth);
  for (int i = 0; i < n; i++)
    if (!walk (mail, g_mime_multipart_get_part (multipart, i), depth + 1))
      return FALSE;
  return TRUE;
}

static gboolean
walk (Mail *mail, GMimeObject *object, guint depth)
{
  if (object == NULL || !mail->sink->go_on (mail->sink))
    return object == NULL;
  if (++mail->n_parts > MAX_PARTS || depth > MAX_DEPTH)
    return mail->sink->fail (mail->sink, "bomb",
                             "the message has over 10000 parts, or parts nested over 32 deep");
  if (mail->bytes > mail->job->max_memory)
    return mail->sink->fail (
        mail->sink, "too_large",
        "its parts are larger than twice 'max_file'; raise it if the file is trusted");
  if (GMIME_IS_MULTIPART (object))
    return walk_multipart (mail, GMIME_MULTIPART (object), depth);
  if (GMIME_IS_MESSAGE_PART (object))
    return walk_message (mail, GMIME_MESSAGE_PART (object));
  if (!GMIME_IS_PART (object))
    return TRUE;
  if (is_type (object, "application", "pkcs7-mime")
      || is_type (object, "application", "x-pkcs7-mime"))
    {
      mail->encrypted = TRUE;
      return TRUE;
    }
  if (is_type (object, "application", "pgp-signature")
      || is_type (object, "application", "pkcs7-signature")
      || is_type (object, "application", "x-pkcs7-signature"))
    return TRUE;
  if (is_attachment (object))
    return tell_attachment (mail, GMIME_PART (object));
  if (is_type (object, "text", "html"))
    return tell_part (mail, GMIME_PART (object), TRUE);
  if (is_type (object, "text", "plain"))
    return tell_part (mail, GMIME_PART (object), FALSE);
  return tell_attachment (mail, GMIME_PART (object));
}

/* ---- headers ----------------------------------------------------------------- */

static GString *
header (Mail *mail, GMimeObject *message, const char *name)
{
  GMimeHeaderList *list = g_mime_object_get_header_list (message);
  GMimeHeader *h = list ? g_mime_header_list_get_header (list, name) : NULL;
  const char *raw = h ? g_mime_header_get_raw_value (h) : NULL;

  return mail_header_decode ((FrStr){ raw ? raw : "", raw ? strlen (raw) : 0 }, &mail->replaced);
}

static void
tell_date (Mail *mail, GMimeObject *message)
{
  GString *text = header (mail, message, "Date");
  GDateTime *date = text->len ? g_mime_utils_header_decode_date (text->str) : NULL;

  if (date)
    {
      g_autoptr (GDateTime) utc = g_date_time_to_utc (date);
      g_autofree char *iso = utc ? g_date_time_format_iso8601 (utc) : NULL;

      if (iso)
        mail->sink->fact (mail->sink, TEXT_DOC_DATE, (FrStr){ iso, strlen (iso) });
      g_date_time_unref (date);
    }
  g_string_free (text, TRUE);
}

static void
tell_headers (Mail *mail, GMimeObject *message)
{
  GString *subject = header (mail, message, "Subject"), *from = header (mail, message, "From");
  GString *name = mail_name ((FrStr){ from->str, from->len });

  mail->sink->fact (mail->sink, TEXT_DOC_TITLE, (FrStr){ subject->str, subject->len });
  mail->sink->fact (mail->sink, TEXT_DOC_AUTHOR, (FrStr){ name->str, name->len });
  tell_date (mail, message);
  g_string_free (subject, TRUE);
  g_string_free (from, TRUE);
  g_string_free (name, TRUE);
}

static void
tell_counts (Mail *mail)
{
  const struct
  {
    const char *name;
    guint64 n;
  } counts[] = { { "quoted_lines_cut", mail->cuts.quoted },
                 { "signature_lines_cut", mail->cuts.signature },
                 { "notice_lines_cut", mail->cuts.notice },
                 { "characters_replaced", mail->replaced } };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    if (counts[i].n)
      mail->sink->count (mail->sink, counts[i].name, (gint64) counts[i].n);
}

static gpointer
prepare (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      g_mime_init ();
      g_once_init_leave (&once, 1);
    }
  return NULL;
}

static gboolean
read_mail (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  Mail mail = { .job = job, .sink = sink };
  GMimeStream *stream;
  GMimeParser *parser;
  GMimeMessage *message;
  gboolean ok;

  (void) state;
  prepare ();
  stream = g_mime_stream_mem_new_with_buffer (job->data, job->len);
  parser = g_mime_parser_new_with_stream (stream);
  g_mime_parser_set_persist_stream (parser, TRUE);
  message = g_mime_parser_construct_message (parser, NULL);
  if (message == NULL)
    ok = sink->fail (sink, "damaged", "it has no header of a mail message");
  else
    {
      GMimeObject *body = g_mime_message_get_mime_part (message);

      tell_headers (&mail, GMIME_OBJECT (message));
      ok = body == NULL || walk (&mail, body, 0);
      if (ok && mail.encrypted && !mail.has_text)
        ok = sink->fail (sink, "encrypted", "the message is encrypted; save it decrypted");
      tell_counts (&mail);
      g_object_unref (message);
    }
  g_object_unref (parser);
  g_object_unref (stream);
  return ok;
}

static const char *const types[] = { TYPE_MAIL, NULL };
const TextDocReader mail_reader
    = { sizeof (TextDocReader), types, "eml", NULL, NULL, NULL, read_mail };
