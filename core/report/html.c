/* SPDX-License-Identifier: Apache-2.0 */
/* html.c: tags and escaped text (html.h). */
#include "config.h"

#include "report/html.h"

#include <stdarg.h>
#include <string.h>

FriHtml *
fri_html_new (void)
{
  FriHtml *html = g_new (FriHtml, 1);

  html->out = g_string_sized_new (64 * 1024);
  html->open = g_ptr_array_new ();
  return html;
}

char *
fri_html_end (FriHtml *html, gsize *len)
{
  char *text;

  g_warn_if_fail (html->open->len == 0);
  while (html->open->len > 0)
    fri_html_close (html);
  *len = html->out->len;
  text = g_string_free (html->out, FALSE);
  g_ptr_array_unref (html->open);
  g_free (html);
  return text;
}

/* ---- text ------------------------------------------------------------------ */

static void
escape_char (GString *out, gunichar c)
{
  if (c == '<')
    g_string_append (out, "&lt;");
  else if (c == '>')
    g_string_append (out, "&gt;");
  else if (c == '&')
    g_string_append (out, "&amp;");
  else if (c == '"')
    g_string_append (out, "&quot;");
  else if (c == '\t' || c == '\n')
    g_string_append_c (out, (char) c);
  else if (c < 0x20)
    g_string_append_unichar (out, 0x2400 + c);
  else if (c == 0x7f)
    g_string_append_unichar (out, 0x2421);
  else if ((c >= 0x80 && c < 0xa0) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef))
    g_string_append_unichar (out, 0xfffd);
  else
    g_string_append_unichar (out, c);
}

void
fri_html_escape (GString *out, const char *text, gssize len)
{
  const char *end = text + (len >= 0 ? (gsize) len : strlen (text));

  while (text < end)
    {
      gunichar c;

      /* Most of any page needs nothing done. */
      if ((guchar) *text >= ' ' && (guchar) *text < 0x7f && strchr ("<>&\"", *text) == NULL)
        {
          g_string_append_c (out, *text++);
          continue;
        }
      c = g_utf8_get_char_validated (text, end - text);
      /* -1 and -2 say what is wrong; a NUL of a given length is -2 as well. */
      if (*text == '\0')
        c = 0;
      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_unichar (out, 0xfffd);
          text++;
          continue;
        }
      escape_char (out, c);
      text = c == 0 ? text + 1 : g_utf8_next_char (text);
    }
}

void
fri_html_text (FriHtml *html, const char *text)
{
  fri_html_escape (html->out, text, -1);
}

void
fri_html_printf (FriHtml *html, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  fri_html_text (html, text);
}

void
fri_html_raw (FriHtml *html, const char *text)
{
  g_string_append (html->out, text);
}

/* ---- tags -------------------------------------------------------------------- */

/* A line for each of these: a page can be read and compared as text.  Not
 * within what shows white space as it is. */
static gboolean
stands_alone (FriHtml *html, const char *tag)
{
  static const char *const tags[]
      = { "head", "meta",   "title", "style", "body", "header", "main",  "section", "footer", "nav",
          "div",  "table",  "tr",    "ul",    "li",   "p",      "h1",    "h2",      "h3",     "h4",
          "svg",  "figure", "dl",    "dt",    "ol",   "g",      "thead", "tbody" };
  const char *parent = html->open->len > 0 ? html->open->pdata[html->open->len - 1] : "";

  if (strcmp (parent, "td") == 0 || strcmp (parent, "details") == 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    if (strcmp (tags[i], tag) == 0)
      return TRUE;
  return FALSE;
}

static void
begin_tag (FriHtml *html, const char *tag, va_list args)
{
  const char *name;

  if (html->out->len > 0 && stands_alone (html, tag))
    g_string_append_c (html->out, '\n');
  g_string_append_c (html->out, '<');
  g_string_append (html->out, tag);
  while ((name = va_arg (args, const char *)) != NULL)
    {
      const char *value = va_arg (args, const char *);

      if (value == NULL)
        continue;
      g_string_append_printf (html->out, " %s=\"", name);
      fri_html_escape (html->out, value, -1);
      g_string_append_c (html->out, '"');
    }
}

void
fri_html_open (FriHtml *html, const char *tag, ...)
{
  va_list args;

  va_start (args, tag);
  begin_tag (html, tag, args);
  va_end (args);
  g_string_append_c (html->out, '>');
  g_ptr_array_add (html->open, (gpointer) tag);
}

void
fri_html_void (FriHtml *html, const char *tag, ...)
{
  va_list args;

  va_start (args, tag);
  begin_tag (html, tag, args);
  va_end (args);
  g_string_append (html->out, " />");
}

void
fri_html_close (FriHtml *html)
{
  const char *tag;

  g_return_if_fail (html->open->len > 0);

  tag = g_ptr_array_remove_index (html->open, html->open->len - 1);
  g_string_append_printf (html->out, "</%s>", tag);
}

void
fri_html_element (FriHtml *html, const char *tag, const char *class, const char *text)
{
  fri_html_open (html, tag, "class", class, NULL);
  fri_html_text (html, text);
  fri_html_close (html);
}
