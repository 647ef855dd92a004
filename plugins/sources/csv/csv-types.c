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

/* A number of one or two digits, or of exactly most; NULL when there is none. */
static const char *
number (const char *p, const char *e, int most, int *value)
{
  int n = 0;

  *value = 0;
  for (; p < e && n < most && g_ascii_isdigit (*p); p++, n++)
    *value = *value * 10 + (*p - '0');
  return n == 0 || (most > 2 && n < most) ? NULL : p;
}

gboolean
csv_parse_timestamp (FrStr text, gint64 *value)
{
  const char *p = text.data, *e = p + text.len;
  char copy[64], separator;
  int year, month, day, hour, n;

  /* What people write differs from RFC 3339 in slashes and missing zeros. */
  if ((p = number (p, e, 4, &year)) == NULL || p == e || (*p != '-' && *p != '/'))
    return FALSE;
  separator = *p;
  if ((p = number (p + 1, e, 2, &month)) == NULL || p == e || *p != separator
      || (p = number (p + 1, e, 2, &day)) == NULL || e - p > 40)
    return FALSE;
  n = g_snprintf (copy, sizeof copy, "%04d-%02d-%02d", year, month, day);
  if (p < e)
    {
      copy[n++] = *p++;
      p = number (p, e, 2, &hour);
      if (p == NULL)
        return FALSE;
      n += g_snprintf (copy + n, 4, "%02d", hour);
      memcpy (copy + n, p, (gsize) (e - p));
      n += (int) (e - p);
      /* hours and minutes are enough */
      if (e - p == 3)
        {
          memcpy (copy + n, ":00", 3);
          n += 3;
        }
    }
  return fr_timestamp_parse (copy, (gsize) n, value);
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
