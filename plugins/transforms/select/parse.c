/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c: see parse.h. */
#include "config.h"

#include "parse.h"

#include <math.h>
#include <string.h>

gboolean
parse_int (const char *text, gsize len, gint64 *value)
{
  gsize i = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  gboolean negative = i == 1 && text[0] == '-';
  gint64 sum = 0;

  if (i == len)
    return FALSE;
  for (; i < len; i++)
    {
      int digit = text[i] - '0';

      if (digit < 0 || digit > 9 || __builtin_mul_overflow (sum, 10, &sum)
          || (negative ? __builtin_sub_overflow (sum, digit, &sum)
                       : __builtin_add_overflow (sum, digit, &sum)))
        return FALSE;
    }
  *value = sum;
  return TRUE;
}

static gsize
skip_digits (const char *text, gsize len, gsize i)
{
  while (i < len && g_ascii_isdigit (text[i]))
    i++;
  return i;
}

gboolean
parse_float (const char *text, gsize len, double *value)
{
  char buffer[512];
  gsize i = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0, start = i, digits;

  i = skip_digits (text, len, i);
  digits = i - start;
  if (i < len && text[i] == '.')
    {
      start = ++i;
      i = skip_digits (text, len, i);
      digits += i - start;
    }
  if (digits == 0 || len >= sizeof buffer)
    return FALSE;
  if (i < len && (text[i] == 'e' || text[i] == 'E'))
    {
      i++;
      if (i < len && (text[i] == '-' || text[i] == '+'))
        i++;
      start = i;
      i = skip_digits (text, len, i);
      if (i == start)
        return FALSE;
    }
  if (i != len)
    return FALSE;
  memcpy (buffer, text, len);
  buffer[len] = '\0';
  *value = g_ascii_strtod (buffer, NULL);
  return isfinite (*value);
}

gboolean
parse_bool (const char *text, gsize len, gboolean *value)
{
  static const struct
  {
    const char *word;
    gboolean value;
  } words[] = { { "true", TRUE }, { "false", FALSE }, { "1", TRUE },  { "0", FALSE },
                { "yes", TRUE },  { "no", FALSE },    { "t", TRUE },  { "f", FALSE },
                { "y", TRUE },    { "n", FALSE },     { "是", TRUE }, { "否", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strlen (words[i].word) == len && g_ascii_strncasecmp (text, words[i].word, len) == 0)
      {
        *value = words[i].value;
        return TRUE;
      }
  return FALSE;
}

/* ---- times --------------------------------------------------------------- */

typedef struct
{
  const char *pos, *end;
} Cursor;

static gboolean
take (Cursor *c, const char *what)
{
  gsize len = strlen (what);

  if ((gsize) (c->end - c->pos) < len || memcmp (c->pos, what, len) != 0)
    return FALSE;
  c->pos += len;
  return TRUE;
}

static gboolean
take_number (Cursor *c, guint least, guint most, int *value)
{
  guint n = 0;

  *value = 0;
  while (n < most && c->pos < c->end && g_ascii_isdigit (*c->pos))
    {
      *value = *value * 10 + (*c->pos++ - '0');
      n++;
    }
  return n >= least;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant,
 * "chrono-compatible low-level date algorithms"). */
static gint64
days_from_civil (int year, int month, int day)
{
  gint64 y = month <= 2 ? year - 1 : year;
  gint64 era = (y >= 0 ? y : y - 399) / 400;
  gint64 of_era = y - era * 400;
  gint64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static gboolean
take_date (Cursor *c, gint64 *days)
{
  static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  int year, month, day;
  gboolean han = FALSE, slash = FALSE;

  if (!take_number (c, 4, 4, &year))
    return FALSE;
  if (take (c, "年"))
    han = TRUE;
  else if (take (c, "/"))
    slash = TRUE;
  else if (!take (c, "-"))
    return FALSE;
  if (!take_number (c, han || slash ? 1 : 2, 2, &month)
      || !take (c, han     ? "月"
                   : slash ? "/"
                           : "-")
      || !take_number (c, han || slash ? 1 : 2, 2, &day) || (han && !take (c, "日")))
    return FALSE;
  if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1]
      || (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0))))
    return FALSE;
  *days = days_from_civil (year, month, day);
  return TRUE;
}

static gboolean
take_time (Cursor *c, gint64 *micros)
{
  int hour, minute, second = 0;
  gint64 fraction = 0;

  if (!take_number (c, 1, 2, &hour) || !take (c, ":") || !take_number (c, 2, 2, &minute))
    return FALSE;
  if (take (c, ":"))
    {
      if (!take_number (c, 2, 2, &second))
        return FALSE;
      if (take (c, ".") || take (c, ","))
        {
          gint64 unit = 100000;
          const char *start = c->pos;

          for (; c->pos < c->end && g_ascii_isdigit (*c->pos); c->pos++, unit /= 10)
            fraction += unit * (*c->pos - '0');
          if (c->pos == start)
            return FALSE;
        }
    }
  /* A leap second is the second after. */
  if (hour > 23 || minute > 59 || second > 60)
    return FALSE;
  *micros = ((gint64) hour * 3600 + minute * 60 + second) * G_USEC_PER_SEC + fraction;
  return TRUE;
}

static gboolean
take_zone (Cursor *c, gint64 *micros)
{
  int hour, minute = 0;
  gint64 sign;

  *micros = 0;
  while (take (c, " "))
    ;
  if (c->pos == c->end || take (c, "Z") || take (c, "z"))
    return TRUE;
  if (take (c, "+"))
    sign = 1;
  else if (take (c, "-"))
    sign = -1;
  else
    return FALSE;
  if (!take_number (c, 2, 2, &hour) || (take (c, ":") && c->pos == c->end)
      || (c->pos < c->end && !take_number (c, 2, 2, &minute)) || hour > 23 || minute > 59)
    return FALSE;
  *micros = sign * ((gint64) hour * 3600 + minute * 60) * G_USEC_PER_SEC;
  return TRUE;
}

gboolean
parse_timestamp (const char *text, gsize len, gint64 *value)
{
  Cursor c = { text, text + len };
  gint64 days, time = 0, zone = 0;

  if (!take_date (&c, &days))
    return FALSE;
  if (c.pos < c.end)
    {
      const char *before = c.pos;

      if (!take (&c, "T") && !take (&c, "t"))
        while (take (&c, " "))
          ;
      if (c.pos == before && ((guint8) c.pos[-1]) < 0x80)
        return FALSE;
      if (!take_time (&c, &time) || !take_zone (&c, &zone))
        return FALSE;
    }
  if (c.pos != c.end)
    return FALSE;
  *value = days * 24 * 3600 * G_USEC_PER_SEC + time - zone;
  return TRUE;
}
