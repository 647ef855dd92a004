/* SPDX-License-Identifier: Apache-2.0 */
/* html-reference.c: character references (WHATWG HTML, section 13.2.5.72 and following). */
#include "config.h"

#include <string.h>

#include "text/html-private.h"
#include "text/html.h"

static const guint16 windows_1252[32]
    = { 0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178 };

static gunichar
numeric_char (guint64 value)
{
  if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
    return 0xfffd;
  if (value >= 0x80 && value <= 0x9f && windows_1252[value - 0x80] != 0)
    return windows_1252[value - 0x80];
  return (gunichar) value;
}

static gsize
numeric_reference (const char *p, const char *end, gunichar chars[2])
{
  const char *q = p + 2;
  gboolean hex = q < end && (*q == 'x' || *q == 'X');
  guint64 value = 0;
  const char *digits;

  q += hex;
  for (digits = q; q < end && (hex ? g_ascii_isxdigit (*q) : g_ascii_isdigit (*q)); q++)
    if (value <= 0x10ffff)
      value = value * (hex ? 16 : 10) + (guint64) g_ascii_xdigit_value (*q);
  if (q == digits)
    return 0;
  chars[0] = numeric_char (value);
  return (gsize) (q - p) + (q < end && *q == ';');
}

static const TextEntity *
find_entity (const char *name, gsize len)
{
  guint low = 0, high = text_n_entities;

  while (low < high)
    {
      guint middle = (low + high) / 2;
      const TextEntity *e = &text_entities[middle];
      int order = strncmp (name, e->name, len);

      if (order == 0)
        order = e->name[len] ? -1 : 0;
      if (order == 0)
        return e;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return NULL;
}

gsize
text_html_reference (const char *p, const char *end, gunichar chars[2])
{
  const TextEntity *e;
  gsize n = 1, longest;

  chars[0] = chars[1] = 0;
  if (end - p < 2)
    return 0;
  if (p[1] == '#')
    return numeric_reference (p, end, chars);
  while (p + n < end && n < sizeof e->name && g_ascii_isalnum (p[n]))
    n++;
  if (n == 1)
    return 0;
  e = p + n < end && p[n] == ';' ? find_entity (p + 1, n - 1) : NULL;
  longest = n + 1;
  /* No name that works without its semicolon is longer than six letters. */
  for (gsize len = MIN (n - 1, 6); e == NULL && len >= 2; len--)
    {
      e = find_entity (p + 1, len);
      e = e != NULL && e->legacy ? e : NULL;
      longest = len + 1;
    }
  if (e == NULL)
    return 0;
  chars[0] = e->first;
  chars[1] = e->second;
  return longest;
}
