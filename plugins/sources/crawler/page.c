/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: see page.h. */
#include "config.h"

#include "page.h"
#include "text/charset.h"

#include <string.h>

/* ---- what it is ---------------------------------------------------------------- */

static gboolean
begins (const GByteArray *body, const char *what)
{
  gsize at = 0, n = strlen (what);

  if (body->len >= 3 && memcmp (body->data, "\xef\xbb\xbf", 3) == 0)
    at = 3;
  while (at < body->len && g_ascii_isspace (body->data[at]))
    at++;
  return body->len - at >= n && g_ascii_strncasecmp ((const char *) body->data + at, what, n) == 0;
}

static gboolean
looks_like_html (const GByteArray *body)
{
  gsize n = MIN (body->len, 1024);

  if (begins (body, "<!doctype html") || begins (body, "<html") || begins (body, "<head")
      || begins (body, "<body"))
    return TRUE;
  if (!begins (body, "<"))
    return FALSE;
  for (gsize i = 0; i + 5 < n; i++)
    if (g_ascii_strncasecmp ((const char *) body->data + i, "<html", 5) == 0)
      return TRUE;
  return FALSE;
}

PageKind
page_kind (const Answer *answer, char **type)
{
  const char *header = answer_header (answer, "content-type");
  g_autofree char *mime
      = g_ascii_strdown (header ? header : "", header ? (gssize) strcspn (header, "; \t,") : 0);
  PageKind kind = PAGE_OTHER;

  if (g_str_equal (mime, "text/html") || g_str_equal (mime, "application/xhtml+xml"))
    kind = PAGE_HTML;
  else if (g_str_equal (mime, "text/plain") || g_str_equal (mime, "text/markdown"))
    kind = looks_like_html (answer->body)   ? PAGE_HTML
           : begins (answer->body, "<?xml") ? PAGE_XML
                                            : PAGE_TEXT;
  else if (g_str_has_suffix (mime, "/xml") || g_str_has_suffix (mime, "+xml"))
    kind = looks_like_html (answer->body) && !begins (answer->body, "<svg") ? PAGE_HTML : PAGE_XML;
  else if (*mime == '\0' || g_str_equal (mime, "application/octet-stream")
           || g_str_equal (mime, "unknown/unknown"))
    kind = looks_like_html (answer->body) ? PAGE_HTML : PAGE_OTHER;
  if (type)
    *type = g_steal_pointer (&mime);
  return kind;
}

/* ---- reading -------------------------------------------------------------------- */

GString *
page_decode (const GByteArray *body, const char *transport, const char **charset, const char **how,
             guint64 *n_replaced)
{
  const char *data = (const char *) body->data;
  gsize len = body->len, window = MIN (len, TEXT_CHARSET_WINDOW);
  g_autoptr (TextDecoder) decoder = NULL;
  GString *text = g_string_sized_new (len + 16);

  *charset = text_html_charset (data, window, window == len, transport, how, NULL);
  decoder = text_decoder_new (*charset, NULL);
  while (decoder && len > 0)
    {
      gsize block = MIN (len, 1 << 20), out_len = 0, n;
      const char *out = NULL;

      n = text_decoder_decode (decoder, data, block, block == len, &out, &out_len);
      g_string_append_len (text, out, (gssize) out_len);
      if (block == len)
        break;
      data += n;
      len -= n;
    }
  *n_replaced = decoder ? text_decoder_n_replaced (decoder) : 0;
  if (g_str_has_prefix (text->str, "\xef\xbb\xbf"))
    g_string_erase (text, 0, 3);
  return text;
}

static void
read_html (Page *page, const Answer *answer, const char *url, const char *transport,
           const Settings *settings)
{
  TextContentOptions options = { .url = url,
                                 .charset = transport,
                                 .flags = settings->text == TEXT_WHOLE ? TEXT_CONTENT_WHOLE : 0 };

  page->content = text_content_new ((const char *) answer->body->data, answer->body->len, &options);
  page->text = g_string_new (NULL);
  text_content_append (page->content,
                       settings->style == STYLE_MARKDOWN ? TEXT_STYLE_MARKDOWN : TEXT_STYLE_PLAIN,
                       page->text);
  page->charset = page->content->charset;
  page->charset_from = page->content->charset_from;
  page->robots = page->content->robots;
  page->n_replaced = page->content->n_replaced;
}

Page *
page_read (const Answer *answer, const char *url, const Settings *settings)
{
  g_autofree char *type = NULL, *transport = NULL;
  PageKind kind = page_kind (answer, &type);
  const char *tag = answer_header (answer, "x-robots-tag");
  Page *page;

  if (kind != PAGE_HTML && kind != PAGE_TEXT)
    return NULL;
  transport = answer_header_parameter (answer, "content-type", "charset");
  page = g_new0 (Page, 1);
  page->kind = kind;
  page->type = g_steal_pointer (&type);
  if (kind == PAGE_HTML)
    read_html (page, answer, url, transport, settings);
  else
    {
      page->text = page_decode (answer->body, transport, &page->charset, &page->charset_from,
                                &page->n_replaced);
      g_strchomp (page->text->str);
      g_string_set_size (page->text, strlen (page->text->str));
    }
  if (tag)
    page->robots |= text_robots_parse ((FrStr){ tag, strlen (tag) });
  return page;
}

void
page_free (Page *page)
{
  if (page == NULL)
    return;
  text_content_free (page->content);
  if (page->text)
    g_string_free (page->text, TRUE);
  g_free (page->type);
  g_free (page);
}
