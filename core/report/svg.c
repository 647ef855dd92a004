/* SPDX-License-Identifier: Apache-2.0 */
/* svg.c: shapes of SVG 1.1 with coordinates to a tenth of a pixel, and an
 * estimate of how wide a text is, for there is no font to ask.
 *
 * Colours, line widths and font sizes belong to the style sheet: a shape only
 * has a class.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "report/report-private.h"

#define ELLIPSIS "\342\200\246"

/* ---- text ------------------------------------------------------------------- */

/* Of a usual sans-serif font, in thousandths of its size. */
static guint
char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  if (c >= 0x1100 && g_unichar_iswide (c))
    return 1000;
  if (c < 0x80 && strchr ("iljI.,:;'|!()[]ft ", (int) c) != NULL)
    return 310;
  if (c == 'm' || c == 'w' || c == 'M' || c == 'W' || c == '@' || c == '%')
    return 870;
  if (c < 0x80 && g_ascii_isupper ((char) c))
    return 680;
  return 565;
}

double
fri_text_width (const char *text)
{
  guint width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    width += char_width (g_utf8_get_char (p));
  return width / 1000.;
}

char *
fri_text_fit (const char *text, double width)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  double left = width - 0.95; /* the ellipsis */
  const char *p = valid;

  if (fri_text_width (valid) <= width)
    return g_steal_pointer (&valid);
  for (; *p != '\0'; p = g_utf8_next_char (p))
    {
      left -= char_width (g_utf8_get_char (p)) / 1000.;
      if (left < 0)
        break;
    }
  return g_strdup_printf ("%.*s" ELLIPSIS, (int) (p - valid), valid);
}

/* ---- numbers ------------------------------------------------------------------ */

/* A tenth of a pixel, without ".0". */
static void
append_number (GString *out, double value)
{
  char text[400];

  if (!isfinite (value))
    value = 0;
  g_ascii_formatd (text, sizeof text, "%.1f", value + 0.);
  if (g_str_has_suffix (text, ".0"))
    text[strlen (text) - 2] = '\0';
  g_string_append (out, strcmp (text, "-0") == 0 ? "0" : text);
}

void
fri_svg_point (GString *d, const char *command, double x, double y)
{
  g_string_append (d, command);
  append_number (d, x);
  g_string_append_c (d, ' ');
  append_number (d, y);
}

/* ---- shapes --------------------------------------------------------------------- */

void
fri_svg_begin (FriHtml *html, const char *class, double width, double height, const char *title,
               const char *desc)
{
  /* A page narrower than this part of a large drawing scrolls it. */
  g_autofree char *least = g_strdup_printf ("min-width:%dpx", (int) (width * 0.72));
  g_autofree char *box = g_strdup_printf ("0 0 %d %d", (int) ceil (width), (int) ceil (height));
  g_autofree char *w = g_strdup_printf ("%d", (int) ceil (width));
  g_autofree char *h = g_strdup_printf ("%d", (int) ceil (height));

  fri_html_open (html, "svg", "xmlns", "http://www.w3.org/2000/svg", "class", class, "viewBox", box,
                 "width", w, "height", h, "role", "img", "style", width > 500 ? least : NULL, NULL);
  fri_html_element (html, "title", NULL, title);
  if (desc != NULL)
    fri_html_element (html, "desc", NULL, desc);
}

void
fri_svg_end (FriHtml *html)
{
  fri_html_close (html);
}

/* <tag class="…" a="…" …/> of @n names and numbers. */
static void
shape (FriHtml *html, const char *tag, const char *class, const char *const *names,
       const double *values, guint n)
{
  GString *out = html->out;

  g_string_append_printf (out, "<%s", tag);
  if (class != NULL)
    g_string_append_printf (out, " class=\"%s\"", class);
  for (guint i = 0; i < n; i++)
    {
      g_string_append_printf (out, " %s=\"", names[i]);
      append_number (out, values[i]);
      g_string_append_c (out, '"');
    }
  g_string_append (out, "/>");
}

void
fri_svg_line (FriHtml *html, const char *class, double x1, double y1, double x2, double y2)
{
  static const char *const names[] = { "x1", "y1", "x2", "y2" };

  shape (html, "line", class, names, (double[]){ x1, y1, x2, y2 }, 4);
}

void
fri_svg_rect (FriHtml *html, const char *class, double x, double y, double width, double height,
              double radius)
{
  static const char *const names[] = { "x", "y", "width", "height", "rx" };

  shape (html, "rect", class, names, (double[]){ x, y, MAX (width, 0), MAX (height, 0), radius },
         radius > 0 ? 5 : 4);
}

void
fri_svg_circle (FriHtml *html, const char *class, double x, double y, double r)
{
  static const char *const names[] = { "cx", "cy", "r" };

  shape (html, "circle", class, names, (double[]){ x, y, r }, 3);
}

void
fri_svg_path (FriHtml *html, const char *class, const char *d)
{
  fri_html_void (html, "path", "class", class, "d", d, NULL);
}

void
fri_svg_text (FriHtml *html, const char *class, double x, double y, const char *anchor,
              const char *text)
{
  g_autoptr (GString) xs = g_string_new (NULL), ys = g_string_new (NULL);

  append_number (xs, x);
  append_number (ys, y);
  fri_html_open (html, "text", "class", class, "x", xs->str, "y", ys->str, "text-anchor",
                 strcmp (anchor, "start") == 0 ? NULL : anchor, NULL);
  fri_html_text (html, text);
  fri_html_close (html);
}
