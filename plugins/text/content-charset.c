/* SPDX-License-Identifier: Apache-2.0 */
/* content-charset.c: which charset a page is in (WHATWG HTML, sections 13.2.3.1 and 13.2.3.2).
 *
 * The prescan is the standard's own algorithm, comments and strange tags included.  It goes on
 * behind the first 1024 bytes, where a browser would change the charset while it reads the page
 * (section 13.2.3.4), and passes over the text of scripts and styles there.  Where this leaves the
 * standard: an XML declaration is read too, and a claim that the bytes refute is not believed, for
 * pages that say gb2312 over UTF-8 are common.
 */
#include "config.h"

#include <string.h>

#include "text/charset.h"
#include "text/content.h"
#include "text/html-lex.h"

#define PRESCAN_BYTES 1024
/* A meta that comes later than this is in nobody's head. */
#define LATER_BYTES (64 * 1024)

static const char *
canonical (const char *label, gsize len)
{
  char name[64];

  while (len > 0 && lex_is_space (*label))
    label++, len--;
  while (len > 0 && lex_is_space (label[len - 1]))
    len--;
  if (len == 0 || len >= sizeof name)
    return NULL;
  /* ICU reads names as if punctuation were not there; labels of the standard have some letters. */
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum (label[i]) && strchr ("-_:.+()", label[i]) == NULL)
      return NULL;
  memcpy (name, label, len);
  name[len] = 0;
  return text_charset_canonical (name, NULL);
}

/* "charset=..." in the value of a content attribute. */
static const char *
charset_in_content (FrStr content)
{
  const char *p = content.data, *end = p + content.len;

  for (; end - p > 7; p++)
    {
      const char *q = p + 7, *close;

      if (g_ascii_strncasecmp (p, "charset", 7) != 0)
        continue;
      while (q < end && lex_is_space (*q))
        q++;
      if (q >= end || *q != '=')
        continue;
      for (q++; q < end && lex_is_space (*q);)
        q++;
      if (q < end && (*q == '"' || *q == '\''))
        {
          close = memchr (q + 1, *q, (gsize) (end - q - 1));
          return close ? canonical (q + 1, (gsize) (close - q - 1)) : NULL;
        }
      for (close = q; close < end && !lex_is_space (*close) && *close != ';';)
        close++;
      return canonical (q, (gsize) (close - q));
    }
  return NULL;
}

/* A meta element that ends before @end; @p stands behind its name. */
static const char *
charset_of_meta (const char *p, const char *end)
{
  gboolean pragma = FALSE, have_charset = FALSE;
  const char *charset = NULL, *in_content = NULL;
  FrStr name, value, seen_content = { NULL, 0 };

  while (text_lex_attribute (&p, end, &name, &value))
    {
      TextHtmlAttribute id = text_html_attribute (name.data, name.len);

      if (value.data == NULL)
        value = FR_STR ("");
      if (id == TEXT_ATTR_HTTP_EQUIV)
        pragma = value.len == 12 && g_ascii_strncasecmp (value.data, "content-type", 12) == 0;
      else if (id == TEXT_ATTR_CONTENT && seen_content.data == NULL)
        {
          seen_content = value;
          in_content = charset_in_content (value);
        }
      else if (id == TEXT_ATTR_CHARSET && !have_charset)
        {
          have_charset = TRUE;
          charset = canonical (value.data, value.len);
        }
    }
  if (have_charset)
    return charset;
  return pragma ? in_content : NULL;
}

/* Behind the attributes of a tag, @p behind its name; NULL when the tag does not end in time. */
static const char *
tag_end (const char *p, const char *end)
{
  char quote = 0;
  gboolean value = FALSE;

  for (; p < end; p++)
    {
      if (quote != 0)
        quote = *p == quote ? 0 : quote;
      else if (*p == '>')
        return p;
      else if ((*p == '"' || *p == '\'') && value)
        quote = *p;
      value = quote == 0 && (*p == '=' || (value && lex_is_space (*p)));
    }
  return NULL;
}

/* What the standard lets a UTF-16 claim in ASCII bytes mean. */
static const char *
as_ascii (const char *charset)
{
  if (charset != NULL && g_ascii_strncasecmp (charset, "utf-16", 6) == 0)
    return "utf-8";
  return charset;
}

static const char *
xml_declaration (const char *data, const char *end)
{
  const char *close, *p;

  if (end - data < 6 || memcmp (data, "<?xml", 5) != 0)
    return NULL;
  close = memchr (data, '>', (gsize) (end - data));
  if (close == NULL)
    return NULL;
  p = memmem (data, (gsize) (close - data), "encoding", 8);
  if (p == NULL)
    return NULL;
  for (p += 8; p < close && (lex_is_space (*p) || *p == '=');)
    p++;
  if (p >= close || (*p != '"' && *p != '\''))
    return NULL;
  end = memchr (p + 1, *p, (gsize) (close - p - 1));
  return end ? canonical (p + 1, (gsize) (end - p - 1)) : NULL;
}

/* Behind what a script or style holds, whose start tag ends at @p; @p for other elements. */
static const char *
behind_raw_text (const char *name, const char *p, const char *end)
{
  static const char *const raw[] = { "script", "style", "title", "noscript", "textarea" };

  for (guint i = 0; i < G_N_ELEMENTS (raw); i++)
    {
      gsize n = strlen (raw[i]);

      if (g_ascii_strncasecmp (name, raw[i], n) != 0 || g_ascii_isalnum (name[n]))
        continue;
      for (const char *q = p; (q = memchr (q, '<', (gsize) (end - q))) != NULL; q++)
        if ((gsize) (end - q) > n + 2 && q[1] == '/' && g_ascii_strncasecmp (q + 2, raw[i], n) == 0)
          return q;
      return end;
    }
  return p;
}

const char *
text_html_prescan (const char *data, gsize len)
{
  const char *end = data + MIN (len, LATER_BYTES), *p = data;
  const char *declared = xml_declaration (data, end);

  while (p < end && (p = memchr (p, '<', (gsize) (end - p))) != NULL)
    {
      const char *close, *charset;

      if (end - p >= 4 && memcmp (p, "<!--", 4) == 0)
        {
          close = memmem (p + 2, (gsize) (end - p - 2), "-->", 3);
          if (close == NULL)
            break;
          p = close + 3;
          continue;
        }
      if (end - p > 5 && g_ascii_strncasecmp (p + 1, "meta", 4) == 0
          && (lex_is_space (p[5]) || p[5] == '/'))
        {
          close = tag_end (p + 5, end);
          if (close == NULL)
            break;
          charset = charset_of_meta (p + 5, close);
          if (charset != NULL)
            return as_ascii (charset);
          p = close + 1;
        }
      else if (end - p > 1
               && (g_ascii_isalpha (p[1])
                   || (p[1] == '/' && end - p > 2 && g_ascii_isalpha (p[2]))))
        {
          const char *name = ++p;

          while (p < end && !lex_is_space (*p) && *p != '>')
            p++;
          close = tag_end (p, end);
          if (close == NULL)
            break;
          p = close + 1;
          if (p - data > PRESCAN_BYTES)
            p = behind_raw_text (name, p, end);
        }
      else if (end - p > 1 && (p[1] == '!' || p[1] == '/' || p[1] == '?'))
        {
          close = memchr (p, '>', (gsize) (end - p));
          if (close == NULL)
            break;
          p = close + 1;
        }
      else
        p++;
    }
  return as_ascii (declared);
}

static gboolean
is_utf8 (const char *charset)
{
  return g_ascii_strcasecmp (charset, "utf-8") == 0;
}

/* Whether @data is text in UTF-8 with something beyond ASCII in it, up to a cut last character. */
static gboolean
is_real_utf8 (const char *data, gsize len, gboolean whole)
{
  gsize valid = text_utf8_valid_len (data, len);

  return text_ascii_len (data, len) < valid && (valid == len || (!whole && len - valid < 4));
}

/* Whether @charset reads @data without a fault. */
static gboolean
reads (const char *charset, const char *data, gsize len)
{
  g_autoptr (TextDecoder) decoder = text_decoder_new (charset, NULL);

  if (decoder == NULL)
    return FALSE;
  for (gsize at = 0; at < len;)
    {
      const char *out;
      gsize out_len, used;

      used = text_decoder_decode (decoder, data + at, len - at, FALSE, &out, &out_len);
      if (used == 0 || text_decoder_n_replaced (decoder) > 0)
        break;
      at += used;
    }
  return text_decoder_n_replaced (decoder) == 0;
}

/* A few characters may be text in both (联通 in GB18030 is valid UTF-8); this many never are. */
#define SURELY_UTF8 8

static gboolean
is_surely_utf8 (const char *data, gsize len)
{
  guint n = 0;

  for (gsize i = 0; i < len && n < SURELY_UTF8; i++)
    n += (guchar) data[i] >= 0xe0 ? 2 : (guchar) data[i] >= 0xc0;
  return n >= SURELY_UTF8;
}

/* A claim is refuted by bytes that are text in UTF-8, when they are no text in it or too many. */
static gboolean
is_refuted (const char *claim, const char *data, gsize len, gboolean whole)
{
  if (is_utf8 (claim) || !is_real_utf8 (data, len, whole))
    return FALSE;
  return g_ascii_strncasecmp (claim, "utf-16", 6) == 0 || is_surely_utf8 (data, len)
         || !reads (claim, data, len);
}

/* Whether to believe that @data is in @claim; the guess is made only where it decides. */
static gboolean
is_believed (const char *claim, const char *data, gsize len, gboolean whole)
{
  const char *how;

  if (!is_utf8 (claim))
    return !is_refuted (claim, data, len, whole);
  /* "utf-8" over GB18030 bytes is the same mistake the other way round. */
  return text_utf8_valid_len (data, len) + 3 >= len
         || is_utf8 (text_charset_detect (data, len, whole, &how));
}

const char *
text_html_charset (const char *data, gsize len, gboolean whole, const char *transport,
                   const char **how, const char **claimed)
{
  const char *found, *claim, *refuted = NULL, *unused;

  how = how ? how : &unused;
  claimed = claimed ? claimed : &unused;
  *claimed = NULL;
  whole = whole && len <= TEXT_CHARSET_WINDOW;
  len = MIN (len, TEXT_CHARSET_WINDOW);
  found = text_charset_detect (data, MIN (len, 4), FALSE, how);
  if (strcmp (*how, "marked") == 0)
    return found;
  for (guint i = 0; i < 2; i++)
    {
      if (i == 0)
        claim = transport ? canonical (transport, strlen (transport)) : NULL;
      else
        claim = text_html_prescan (data, len);
      if (claim == NULL)
        continue;
      if (is_believed (claim, data, len, whole))
        {
          *how = i == 0 ? "transport" : "meta";
          *claimed = refuted;
          return claim;
        }
      refuted = refuted ? refuted : claim;
    }
  *claimed = refuted;
  return text_charset_detect (data, len, whole, how);
}
