/* SPDX-License-Identifier: Apache-2.0 */
/* csv-types.c: strict readings of cells, independent of the locale.
 *
 * Floats take Clinger's fast path ("How to read floating point numbers
 * accurately", 1990): a mantissa below 2^53 and a power of ten up to 22 need one
 * exact multiplication or division; the rest goes to g_ascii_strtod().
 */
#include "sources/csv/csv-types.h"

#include <math.h>
#include <string.h>

/* A double holds every integer up to here. */
#define EXACT (G_GINT64_CONSTANT (1) << 53)

gboolean
csv_parse_int (FrStr text, gint64 *value)
{
  const char *p = text.data, *e = p + text.len;
  gboolean negative = text.len > 0 && *p == '-';
  guint64 n = 0;

  p += negative;
  if (p == e || e - p > 19 || (*p == '0' && (e - p > 1 || negative)))
    return FALSE;
  for (; p < e; p++)
    {
      guint digit = (guint) (guchar) *p - '0';

      if (digit > 9)
        return FALSE;
      n = n * 10 + digit; /* 19 digits fit 64 bits */
    }
  if (n > (guint64) G_MAXINT64 + negative)
    return FALSE;
  *value = negative ? (gint64) (0 - n) : (gint64) n;
  return TRUE;
}

/* Reads digits; *mantissa and *n_digits grow, as far as 19 digits. */
static const char *
digits (const char *p, const char *e, guint64 *mantissa, guint *n_digits)
{
  for (; p < e && g_ascii_isdigit (*p); p++)
    if (*n_digits < 19)
      {
        *mantissa = *mantissa * 10 + (guint) (*p - '0');
        *n_digits += *mantissa > 0;
      }
    else
      *n_digits = 20;
  return p;
}

static gboolean
slow_float (FrStr text, double *value)
{
  char small[64];
  g_autofree char *large = NULL;
  char *copy = small;

  if (text.len >= sizeof small)
    copy = large = g_malloc (text.len + 1);
  memcpy (copy, text.data, text.len);
  copy[text.len] = '\0';
  *value = g_ascii_strtod (copy, NULL);
  return isfinite (*value);
}

gboolean
csv_parse_float (FrStr text, double *value)
{
  static const double tens[]
      = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
  const char *p = text.data, *e = p + text.len, *from, *point = NULL;
  gboolean negative = text.len > 0 && *p == '-';
  guint64 mantissa = 0;
  guint n_digits = 0;
  int exponent = 0, stated = 0;

  p += negative;
  if (p == e || text.len > 1024)
    return FALSE;
  from = p;
  p = digits (p, e, &mantissa, &n_digits);
  /* A leading zero before another digit makes a code, not a number. */
  if (p == from || (*from == '0' && p - from > 1))
    return FALSE;
  if (p < e && *p == '.')
    {
      point = ++p;
      p = digits (p, e, &mantissa, &n_digits);
      exponent = -(int) (p - point);
      if (p == point)
        return FALSE;
    }
  if (p < e && (*p == 'e' || *p == 'E'))
    {
      gboolean minus;

      p++;
      minus = p < e && *p == '-';
      p += p < e && (*p == '-' || *p == '+');
      if (p == e)
        return FALSE;
      for (; p < e && g_ascii_isdigit (*p); p++)
        stated = MIN (stated * 10 + (*p - '0'), 100000);
      exponent += minus ? -stated : stated;
    }
  if (p != e)
    return FALSE;
  if (n_digits > 19 || mantissa >= (G_GUINT64_CONSTANT (1) << 53) || ABS (exponent) > 22)
    return slow_float (text, value);
  *value = exponent < 0 ? (double) mantissa / tens[-exponent] : (double) mantissa * tens[exponent];
  if (negative)
    *value = -*value;
  return TRUE;
}

static gboolean
is_word (FrStr text, const char *word)
{
  return text.len == strlen (word) && g_ascii_strncasecmp (text.data, word, text.len) == 0;
}

gboolean
csv_parse_bool (FrStr text, gboolean wide, gboolean *value)
{
  *value = is_word (text, "true");
  if (*value || is_word (text, "false"))
    return TRUE;
  if (!wide)
    return FALSE;
  *value
      = is_word (text, "t") || is_word (text, "yes") || is_word (text, "y") || is_word (text, "1");
  return *value || is_word (text, "f") || is_word (text, "no") || is_word (text, "n")
         || is_word (text, "0");
}

/* A number of least..most digits; NULL when there is none. */
static const char *
number (const char *p, const char *e, int least, int most, int *value)
{
  int n = 0;

  *value = 0;
  for (; p < e && n < most && g_ascii_isdigit (*p); p++, n++)
    *value = *value * 10 + (*p - '0');
  return n < least ? NULL : p;
}

/* Days from 1970-01-01 in the Gregorian calendar; months counted from March, so
 * that the leap day is a year's last. */
static gint64
days (int year, int month, int day)
{
  gint64 y = month > 2 ? year : year - 1;
  gint64 era = (y >= 0 ? y : y - 399) / 400;
  gint64 in_era = y - era * 400;
  gint64 in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

  return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static gboolean
is_date (int year, int month, int day)
{
  static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return month >= 1 && month <= 12 && day >= 1 && day <= length[month - 1] + (leap && month == 2);
}

/* "T08:30", "T08:30:00.25" and then "Z", "+08:00", "+0800" or nothing. */
static gboolean
parse_clock (const char *p, const char *e, gint64 *microseconds)
{
  int hour, minute, second = 0, fraction = 0, zone_hour = 0, zone_minute = 0, sign = 0;

  if ((p = number (p, e, 1, 2, &hour)) == NULL || p == e || *p != ':'
      || (p = number (p + 1, e, 2, 2, &minute)) == NULL)
    return FALSE;
  if (p < e && *p == ':')
    {
      if ((p = number (p + 1, e, 2, 2, &second)) == NULL)
        return FALSE;
      if (p < e && *p == '.')
        {
          int scale = 100000;

          if (++p == e || !g_ascii_isdigit (*p))
            return FALSE;
          for (; p < e && g_ascii_isdigit (*p); p++, scale /= 10)
            fraction += (*p - '0') * scale;
        }
    }
  if (p < e && (*p == 'Z' || *p == 'z'))
    p++;
  else if (p < e && (*p == '+' || *p == '-'))
    {
      sign = *p == '+' ? 1 : -1;
      if ((p = number (p + 1, e, 2, 2, &zone_hour)) == NULL)
        return FALSE;
      p += p < e && *p == ':';
      if (p < e && (p = number (p, e, 2, 2, &zone_minute)) == NULL)
        return FALSE;
    }
  if (p != e || hour > 23 || minute > 59 || second > 59 || zone_hour > 23 || zone_minute > 59)
    return FALSE;
  *microseconds = ((gint64) hour * 3600 + minute * 60 + second
                   - (gint64) sign * (zone_hour * 3600 + zone_minute * 60))
                      * G_USEC_PER_SEC
                  + fraction;
  return TRUE;
}

gboolean
csv_parse_timestamp (FrStr text, gint64 *value)
{
  const char *p = text.data, *e = p + text.len;
  int year, month, day;
  gint64 clock = 0;
  char separator;

  if ((p = number (p, e, 4, 4, &year)) == NULL || p == e || (*p != '-' && *p != '/'))
    return FALSE;
  separator = *p;
  if ((p = number (p + 1, e, 1, 2, &month)) == NULL || p == e || *p != separator
      || (p = number (p + 1, e, 1, 2, &day)) == NULL || !is_date (year, month, day))
    return FALSE;
  if (p < e && ((*p != 'T' && *p != 't' && *p != ' ') || !parse_clock (p + 1, e, &clock)))
    return FALSE;
  *value = days (year, month, day) * 86400 * G_USEC_PER_SEC + clock;
  return TRUE;
}

guint
csv_fits (FrStr text, guint still)
{
  gint64 integer;
  double number_;
  gboolean truth;

  if ((still & FR_TYPES (FR_TYPE_BOOL)) && !csv_parse_bool (text, FALSE, &truth))
    still &= ~FR_TYPES (FR_TYPE_BOOL);
  if ((still & FR_TYPES (FR_TYPE_INT64)) && !csv_parse_int (text, &integer))
    still &= ~FR_TYPES (FR_TYPE_INT64);
  /* Long integers are numbers of things, which a double would falsify. */
  if ((still & FR_TYPES (FR_TYPE_FLOAT64))
      && (!csv_parse_float (text, &number_)
          || (csv_parse_int (text, &integer) && (integer > EXACT || integer < -EXACT))))
    still &= ~FR_TYPES (FR_TYPE_FLOAT64);
  return still;
}
