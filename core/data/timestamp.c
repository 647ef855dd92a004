/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp.c: RFC 3339 times to and from microseconds.
 *
 * The calendar is the proleptic Gregorian one; day numbers follow the usual
 * trick of a year that begins in March.  No leap seconds: ":60" is refused.
 * Years outside 0000-9999 are written as ECMAScript does, "+012024-05-01".
 */
#include "config.h"

#include "data/data-private.h"
#include "json/json-private.h"

#define US G_GINT64_CONSTANT (1000000)
#define DAY (86400 * US)

/* Days from 1970-01-01 to the day given. */
static gint64
days_from (gint64 year, guint month, guint day)
{
  gint64 era;
  guint of_era, of_year;

  year -= month <= 2;
  era = (year >= 0 ? year : year - 399) / 400;
  of_era = (guint) (year - era * 400);
  of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + (gint64) (of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static void
date_of (gint64 days, gint64 *year, guint *month, guint *day)
{
  gint64 era;
  guint d, y, of_year, m;

  days += 719468;
  era = (days >= 0 ? days : days - 146096) / 146097;
  d = (guint) (days - era * 146097);
  y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
  of_year = d - (365 * y + y / 4 - y / 100);
  m = (5 * of_year + 2) / 153;
  *day = of_year - (153 * m + 2) / 5 + 1;
  *month = m < 10 ? m + 3 : m - 9;
  *year = (gint64) y + era * 400 + (*month <= 2);
}

/* ---- reading ------------------------------------------------------------- */

typedef struct
{
  const char *p, *end;
} Text;

static gboolean
number (Text *t, guint n_digits, guint *value)
{
  if ((gsize) (t->end - t->p) < n_digits)
    return FALSE;
  for (*value = 0; n_digits > 0; n_digits--, t->p++)
    {
      if (!g_ascii_isdigit (*t->p))
        return FALSE;
      *value = *value * 10 + (guint) (*t->p - '0');
    }
  return TRUE;
}

static gboolean
mark (Text *t, char c)
{
  if (t->p == t->end || *t->p != c)
    return FALSE;
  t->p++;
  return TRUE;
}

static gboolean
read_date (Text *t, gint64 *days)
{
  static const guint8 lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean minus = t->p < t->end && *t->p == '-';
  gboolean wide = minus || (t->p < t->end && *t->p == '+');
  guint year, month, day, length;
  gint64 y;

  t->p += wide;
  if (!number (t, wide ? 6 : 4, &year) || !mark (t, '-') || !number (t, 2, &month) || !mark (t, '-')
      || !number (t, 2, &day))
    return FALSE;
  if (month < 1 || month > 12 || year > 300000)
    return FALSE;
  y = minus ? -(gint64) year : (gint64) year;
  length = lengths[month - 1];
  if (month == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
    length = 29;
  if (day < 1 || day > length)
    return FALSE;
  *days = days_from (y, month, day);
  return TRUE;
}

static gboolean
read_clock (Text *t, gint64 *us)
{
  guint hour, minute, second = 0, fraction = 0, scale = 1000000;

  if (!number (t, 2, &hour) || !mark (t, ':') || !number (t, 2, &minute))
    return FALSE;
  if (mark (t, ':') && !number (t, 2, &second))
    return FALSE;
  if (hour > 23 || minute > 59 || second > 59)
    return FALSE;
  if (mark (t, '.'))
    {
      if (t->p == t->end || !g_ascii_isdigit (*t->p))
        return FALSE;
      for (; t->p < t->end && g_ascii_isdigit (*t->p); t->p++)
        {
          scale /= 10;
          fraction += (guint) (*t->p - '0') * scale;
        }
    }
  *us = ((gint64) hour * 3600 + minute * 60 + second) * US + fraction;
  return TRUE;
}

static gboolean
read_zone (Text *t, gint64 *us)
{
  guint hour, minute;
  gint64 shift;
  gboolean west;

  if (t->p == t->end || mark (t, 'Z') || mark (t, 'z'))
    return TRUE;
  west = *t->p == '-';
  if (*t->p != '+' && *t->p != '-')
    return FALSE;
  t->p++;
  if (!number (t, 2, &hour) || !mark (t, ':') || !number (t, 2, &minute) || hour > 23
      || minute > 59)
    return FALSE;
  shift = ((gint64) hour * 60 + minute) * 60 * US;
  *us += west ? shift : -shift;
  return TRUE;
}

gboolean
fr_timestamp_parse (const char *text, gsize len, gint64 *us)
{
  Text t = { text, text + len };
  gint64 days, clock = 0;
  __int128 whole;

  if (!read_date (&t, &days))
    return FALSE;
  if (t.p < t.end)
    {
      if (!mark (&t, 'T') && !mark (&t, 't') && !mark (&t, ' '))
        return FALSE;
      if (!read_clock (&t, &clock) || !read_zone (&t, &clock) || t.p != t.end)
        return FALSE;
    }
  whole = (__int128) days * DAY + clock;
  if (whole < G_MININT64 || whole > G_MAXINT64)
    return FALSE;
  *us = (gint64) whole;
  return TRUE;
}

/* ---- writing ------------------------------------------------------------- */

static char *
put (char *o, guint value, guint n_digits)
{
  for (guint i = n_digits; i-- > 0; value /= 10)
    o[i] = (char) ('0' + value % 10);
  return o + n_digits;
}

void
fr_timestamp_append (GString *out, gint64 us)
{
  gint64 days = us / DAY - (us % DAY < 0), year;
  guint64 clock = (guint64) us - (guint64) days * (guint64) DAY;
  guint month, day, second = (guint) (clock / (guint64) US),
                    fraction = (guint) (clock % (guint64) US);
  char *o = fri_string_room (out, 40), *start = o;

  date_of (days, &year, &month, &day);
  if (year < 0 || year > 9999)
    *o++ = year < 0 ? '-' : '+';
  o = put (o, (guint) ABS (year), year < 0 || year > 9999 ? 6 : 4);
  *o++ = '-';
  o = put (o, month, 2);
  *o++ = '-';
  o = put (o, day, 2);
  *o++ = 'T';
  o = put (o, second / 3600, 2);
  *o++ = ':';
  o = put (o, second / 60 % 60, 2);
  *o++ = ':';
  o = put (o, second % 60, 2);
  if (fraction > 0)
    {
      guint n = 6;

      for (; fraction % 10 == 0; fraction /= 10)
        n--;
      *o++ = '.';
      o = put (o, fraction, n);
    }
  *o++ = 'Z';
  out->len += (gsize) (o - start);
  fri_string_end (out);
}
