/* SPDX-License-Identifier: Apache-2.0 */
/* quantity.c: sizes and durations as people write them.
 *
 * A size is a number and a unit: binary units (KiB, MiB, GiB, TiB; k, m, g and
 * t alone mean the same, as in dd and ulimit) or decimal ones (kB, MB, GB, TB:
 * SI).  A duration is a number and us, ms, s, min (or m), h or d, or several of
 * those in falling order, "1h30min".  Case does not matter for sizes; blanks
 * may stand between number and unit.  A decimal point is allowed, an exponent
 * is not.
 */
#include "config.h"

#include <string.h>

#include "param/param-private.h"

typedef struct
{
  const char *word;
  guint64 factor;
} Unit;

static const Unit size_units[] = {
  { "", 1 },
  { "b", 1 },
  { "byte", 1 },
  { "bytes", 1 },
  { "k", 1ull << 10 },
  { "kb", 1000 },
  { "kib", 1ull << 10 },
  { "m", 1ull << 20 },
  { "mb", 1000 * 1000 },
  { "mib", 1ull << 20 },
  { "g", 1ull << 30 },
  { "gb", 1000ull * 1000 * 1000 },
  { "gib", 1ull << 30 },
  { "t", 1ull << 40 },
  { "tb", 1000ull * 1000 * 1000 * 1000 },
  { "tib", 1ull << 40 },
};

static const Unit duration_units[] = {
  { "us", 1 },
  { "ms", 1000 },
  { "s", 1000 * 1000 },
  { "min", 60ull * 1000 * 1000 },
  { "m", 60ull * 1000 * 1000 },
  { "h", 3600ull * 1000 * 1000 },
  { "d", 86400ull * 1000 * 1000 },
};

/* Reads digits with an optional fraction; FALSE when there are none or they do
 * not fit.  The fraction is kept as a double below 1. */
static gboolean
read_number (const char **at, guint64 *whole, double *part)
{
  const char *p = *at;
  double place = 0.1;

  *whole = 0;
  *part = 0;
  if (!g_ascii_isdigit (*p))
    return FALSE;
  for (; g_ascii_isdigit (*p); p++)
    if (!g_uint64_checked_mul (whole, *whole, 10)
        || !g_uint64_checked_add (whole, *whole, (guint64) (*p - '0')))
      return FALSE;
  if (*p == '.')
    {
      p++;
      if (!g_ascii_isdigit (*p))
        return FALSE;
      for (; g_ascii_isdigit (*p); p++, place /= 10)
        *part += (*p - '0') * place;
    }
  *at = p;
  return TRUE;
}

static gboolean
times (guint64 whole, double part, guint64 factor, guint64 *result)
{
  return g_uint64_checked_mul (result, whole, factor)
         && g_uint64_checked_add (result, *result, (guint64) (part * (double) factor + 0.5));
}

static const Unit *
read_unit (const char **at, const Unit *units, gsize n_units)
{
  const char *before = *at, *start;
  gsize len = 0;

  while (**at == ' ')
    (*at)++;
  start = *at;
  while (g_ascii_isalpha (start[len]))
    len++;
  /* Blanks belong before a unit, not before nothing. */
  if (len == 0 && start != before)
    return NULL;
  for (gsize i = 0; i < n_units; i++)
    if (strlen (units[i].word) == len && g_ascii_strncasecmp (units[i].word, start, len) == 0)
      {
        *at += len;
        return &units[i];
      }
  return NULL;
}

gboolean
fri_parse_size (const char *text, guint64 *bytes)
{
  guint64 whole;
  double part;
  const Unit *unit;

  if (!read_number (&text, &whole, &part))
    return FALSE;
  unit = read_unit (&text, size_units, G_N_ELEMENTS (size_units));
  return unit != NULL && *text == '\0' && times (whole, part, unit->factor, bytes);
}

gboolean
fri_parse_duration (const char *text, gint64 *microseconds)
{
  guint64 total = 0, last = G_MAXUINT64;

  do
    {
      guint64 whole, us;
      double part;
      const Unit *unit;

      if (!read_number (&text, &whole, &part))
        return FALSE;
      if (*text == '\0' && last == G_MAXUINT64)
        unit = &duration_units[2]; /* a bare number: seconds */
      else
        unit = read_unit (&text, duration_units, G_N_ELEMENTS (duration_units));
      if (unit == NULL || unit->factor >= last || !times (whole, part, unit->factor, &us)
          || !g_uint64_checked_add (&total, total, us) || total > G_MAXINT64)
        return FALSE;
      last = unit->factor;
      while (*text == ' ')
        text++;
    }
  while (*text != '\0');
  *microseconds = (gint64) total;
  return TRUE;
}
