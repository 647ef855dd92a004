/* SPDX-License-Identifier: Apache-2.0 */
/* term.c: what the terminal is, and how wide text is on it.
 *
 * Widths follow Unicode's East Asian Width as GLib knows it: wide characters
 * take two columns, combining marks none.  Terminals disagree about emoji made
 * of several code points; those may come out narrower than counted, never
 * wider.  Glyphs of our own are ASCII where the locale is not UTF-8; the
 * user's text is shown as it is, since a terminal with LANG unset is nearly
 * always a UTF-8 one.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command/command.h"

gboolean
term_is (int fd)
{
  const char *term = g_getenv ("TERM");

  return isatty (fd) && term != NULL && strcmp (term, "dumb") != 0;
}

gboolean
term_colour (int fd)
{
  const char *no = g_getenv ("NO_COLOR");

  return term_is (fd) && (no == NULL || no[0] == '\0');
}

static guint
term_size (int fd, gboolean height, const char *variable, guint otherwise)
{
  struct winsize size;
  const char *text = g_getenv (variable);
  guint64 n;

  if (ioctl (fd, TIOCGWINSZ, &size) == 0 && (height ? size.ws_row : size.ws_col) > 0)
    return height ? size.ws_row : size.ws_col;
  if (text != NULL && g_ascii_string_to_unsigned (text, 10, 1, 10000, &n, NULL))
    return (guint) n;
  return otherwise;
}

guint
term_width (int fd)
{
  return term_size (fd, FALSE, "COLUMNS", 80);
}

guint
term_height (int fd)
{
  return term_size (fd, TRUE, "LINES", 24);
}

gboolean
term_utf8 (void)
{
  return g_get_charset (NULL);
}

/* ---- widths ------------------------------------------------------------------ */

static guint
char_columns (gunichar c)
{
  if (c < 0x7f)
    return 1;
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

guint
term_columns (const char *text, gssize len)
{
  const char *end = text + (len < 0 ? (gssize) strlen (text) : len);
  guint n = 0;

  for (; text < end; text = g_utf8_next_char (text))
    n += char_columns (g_utf8_get_char (text));
  return n;
}

/* A control character as something that can be seen; invisible ones that
 * would reorder the line (bidirectional controls) as well. */
static void
append_visible (GString *out, gunichar c)
{
  gboolean utf8 = term_utf8 ();

  if (c == '\n')
    g_string_append (out, utf8 ? "⏎" : "\\n");
  else if (c == '\r')
    g_string_append (out, utf8 ? "␍" : "\\r");
  else if (c == '\t')
    g_string_append (out, utf8 ? "→" : "\\t");
  else if (c < 0x20 && utf8)
    g_string_append_unichar (out, 0x2400 + c);
  else
    g_string_append_printf (out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

static gboolean
is_hidden (gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e)
         || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

char *
term_clean (const char *text, gsize len, gsize max_columns)
{
  GString *out = g_string_new (NULL);
  const char *p = text, *end = text + len;
  gsize columns = 0;

  while (p < end && columns <= max_columns)
    {
      gunichar c = g_utf8_get_char_validated (p, end - p);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          c = 0xfffd;
          p++;
        }
      else
        p = g_utf8_next_char (p);
      columns += MAX (1, char_columns (c));
      if (is_hidden (c))
        append_visible (out, c);
      else
        g_string_append_unichar (out, c);
    }
  return g_string_free (out, FALSE);
}

char *
term_cut (const char *text, guint columns)
{
  const char *dots = term_utf8 () ? "…" : "..";
  guint dots_width = term_utf8 () ? 1 : 2, at = 0;
  const char *p = text, *last = text;

  if (term_columns (text, -1) <= columns)
    return g_strdup (text);
  if (columns < dots_width)
    return g_strnfill (columns, '.');
  for (; *p != '\0'; p = g_utf8_next_char (p))
    {
      guint w = char_columns (g_utf8_get_char (p));

      if (at + w > columns - dots_width)
        break;
      at += w;
      last = g_utf8_next_char (p);
    }
  return g_strdup_printf ("%.*s%s", (int) (last - text), text, dots);
}

/* ---- styles -------------------------------------------------------------------- */

const char *
term_style (Style style, gboolean colour)
{
  static const char *const codes[]
      = { "", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m" };

  return colour ? codes[style] : "";
}

const char *
term_plain (gboolean colour)
{
  return colour ? "\x1b[0m" : "";
}

/* ---- numbers --------------------------------------------------------------------- */

char *
text_count (guint64 n)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, n);
  gsize len = strlen (digits);
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < len; i++)
    {
      if (i > 0 && (len - i) % 3 == 0)
        g_string_append_c (out, ',');
      g_string_append_c (out, digits[i]);
    }
  return g_string_free (out, FALSE);
}

/* Decimals with a point whatever the locale. */
static char *
with_decimals (double n, int decimals, const char *unit)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE], format[8];

  g_snprintf (format, sizeof format, "%%.%df", decimals);
  g_ascii_formatd (buffer, sizeof buffer, format, n);
  return g_strconcat (buffer, unit, NULL);
}

static char *
scaled (double n, double step, const char *const *units, guint n_units)
{
  guint u = 0;

  while (n >= step && u + 1 < n_units)
    {
      n /= step;
      u++;
    }
  return with_decimals (n, u == 0 || n >= 99.95 ? 0 : 1, units[u]);
}

char *
text_short (double n)
{
  static const char *const units[] = { "", "k", "M", "G" };

  return scaled (n, 1000, units, G_N_ELEMENTS (units));
}

char *
text_bytes (guint64 n)
{
  static const char *const units[] = { " B", " KiB", " MiB", " GiB", " TiB" };

  return scaled ((double) n, 1024, units, G_N_ELEMENTS (units));
}

char *
text_about (gint64 microseconds)
{
  gint64 seconds = (microseconds + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;

  if (seconds < 60)
    return g_strdup_printf ("%d s", (int) seconds);
  return text_duration (seconds * G_USEC_PER_SEC);
}

char *
text_duration (gint64 microseconds)
{
  gint64 seconds = microseconds / G_USEC_PER_SEC;

  if (seconds < 10)
    return with_decimals ((double) microseconds / G_USEC_PER_SEC, 2, " s");
  if (seconds < 60)
    return with_decimals ((double) microseconds / G_USEC_PER_SEC, 1, " s");
  if (seconds < 3600)
    return g_strdup_printf ("%d:%02d", (int) (seconds / 60), (int) (seconds % 60));
  return g_strdup_printf ("%d:%02d:%02d", (int) (seconds / 3600), (int) (seconds / 60 % 60),
                          (int) (seconds % 60));
}
