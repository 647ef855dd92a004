/* SPDX-License-Identifier: Apache-2.0 */
/* content-date.c: dates as pages write them, as RFC 3339.
 *
 * ISO 8601 with or without time and zone, 2024/5/6 and 2024.5.6, 2024年5月6日 (full-width digits
 * and 二〇二四年五月六日 too) with 上午/下午 and 12时30分, "May 6, 2024", "6 May 2024", RFC 5322,
 * and eight or fourteen digits where a date is all there can be.  A date is a real one (no 30th of
 * February), between 1970 and 2100; nothing depends on today.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/content-meta.h"
#include "text/html-lex.h"

typedef struct
{
  guint year, month, day;
  gint hour, minute, second; /* -1: not said */
  char zone[8];              /* "", "Z" or "+08:00" */
} Date;

static gboolean
is_real (const Date *d)
{
  return d->year >= 1970 && d->year <= 2100 && d->month >= 1 && d->month <= 12 && d->day >= 1
         && d->day <= g_date_get_days_in_month ((GDateMonth) d->month, (GDateYear) d->year);
}

/* A digit at @p: ASCII, full-width, or (with @han) a Han numeral; -1 when there is none. */
static int
digit_at (const char *p, const char *end, gboolean han, gsize *len)
{
  static const char numerals[] = "〇一二三四五六七八九";

  if (p < end && g_ascii_isdigit (*p))
    {
      *len = 1;
      return *p - '0';
    }
  if (end - p < 3)
    return -1;
  *len = 3;
  if ((guchar) p[0] == 0xef && (guchar) p[1] == 0xbc && (guchar) p[2] >= 0x90
      && (guchar) p[2] <= 0x99)
    return (guchar) p[2] - 0x90;
  if (!han)
    return -1;
  if (memcmp (p, "零", 3) == 0 || memcmp (p, "○", 3) == 0)
    return 0;
  for (int i = 0; i < 10; i++)
    if (memcmp (p, numerals + 3 * i, 3) == 0)
      return i;
  return -1;
}

/* Up to @max digits at *@p; the number of digits, 0 when there is none. */
static guint
number_at (const char **p, const char *end, guint max, guint *value)
{
  guint n = 0;
  gsize len;
  int digit;

  *value = 0;
  while (n < max && (digit = digit_at (*p, end, FALSE, &len)) >= 0)
    {
      *value = *value * 10 + (guint) digit;
      *p += len;
      n++;
    }
  return n;
}

static gboolean
word_at (const char **p, const char *end, const char *word)
{
  gsize n = strlen (word);

  if ((gsize) (end - *p) < n || g_ascii_strncasecmp (*p, word, n) != 0)
    return FALSE;
  *p += n;
  return TRUE;
}

static void
skip_blanks (const char **p, const char *end)
{
  while (*p < end
         && (lex_is_space (**p)
             || (end - *p > 1 && (guchar) (*p)[0] == 0xc2 && (guchar) (*p)[1] == 0xa0)
             || (end - *p > 2 && memcmp (*p, "\343\200\200", 3) == 0)))
    *p += lex_is_space (**p) ? 1 : (guchar) * *p == 0xc2 ? 2 : 3;
}

/* A number in Han numerals up to 31: 十, 十二, 二十, 三十一, 五. */
static gboolean
small_han (const char **p, const char *end, guint *value)
{
  gsize len;
  int tens = digit_at (*p, end, TRUE, &len), ones;
  const char *q = *p;

  if (tens > 0)
    q += len;
  if (end - q >= 3 && memcmp (q, "十", 3) == 0)
    {
      q += 3;
      ones = digit_at (q, end, TRUE, &len);
      *value = (guint) (tens > 0 ? tens : 1) * 10 + (guint) MAX (ones, 0);
      *p = ones > 0 ? q + len : q;
      return TRUE;
    }
  if (tens <= 0)
    return FALSE;
  *value = (guint) tens;
  *p = q;
  return TRUE;
}

/* "T12:30:00+08:00", " 12:30", " 下午3时20分", behind a date. */
static void
read_time (const char *p, const char *end, Date *d)
{
  guint hour, minute, second = 0, n, value;
  gboolean afternoon = FALSE, has_second = FALSE;

  if (p < end && (*p == 'T' || *p == 't'))
    p++;
  skip_blanks (&p, end);
  if (word_at (&p, end, "下午") || word_at (&p, end, "晚上"))
    afternoon = TRUE;
  else if (!word_at (&p, end, "上午") && !word_at (&p, end, "凌晨") && p < end && *p == ',')
    p++;
  skip_blanks (&p, end);
  n = number_at (&p, end, 2, &hour);
  if (n == 0
      || !(word_at (&p, end, ":") || word_at (&p, end, "：") || word_at (&p, end, "时")
           || word_at (&p, end, "點") || word_at (&p, end, "点")))
    return;
  if (number_at (&p, end, 2, &minute) != 2)
    return;
  word_at (&p, end, "分");
  if (word_at (&p, end, ":") || word_at (&p, end, "："))
    has_second = number_at (&p, end, 2, &second) == 2;
  if (afternoon && hour < 12)
    hour += 12;
  if (hour > 23 || minute > 59 || second > 60)
    return;
  d->hour = (gint) hour;
  d->minute = (gint) minute;
  d->second = has_second ? (gint) MIN (second, 59) : 0;
  if (p < end && *p == '.')
    for (p++; number_at (&p, end, 1, &value) == 1;)
      ;
  skip_blanks (&p, end);
  if (word_at (&p, end, "pm") && d->hour < 12)
    d->hour += 12;
  if (word_at (&p, end, "Z") || word_at (&p, end, "GMT") || word_at (&p, end, "UTC"))
    strcpy (d->zone, "Z");
  if (p < end && (*p == '+' || *p == '-'))
    {
      char sign = *p++;

      if (number_at (&p, end, 2, &hour) == 2)
        {
          word_at (&p, end, ":");
          if (number_at (&p, end, 2, &minute) != 2)
            minute = 0;
          if (hour < 15 && minute < 60)
            g_snprintf (d->zone, sizeof d->zone, "%c%02u:%02u", sign, hour, minute);
        }
    }
}

static guint
month_named (const char **p, const char *end)
{
  static const char *const names[]
      = { "january", "february", "march",     "april",   "may",      "june",
          "july",    "august",   "september", "october", "november", "december" };

  for (guint i = 0; i < 12; i++)
    {
      if (word_at (p, end, names[i]) || (i == 8 && word_at (p, end, "sept.")))
        return i + 1;
      if ((gsize) (end - *p) >= 3 && g_ascii_strncasecmp (*p, names[i], 3) == 0
          && (end - *p == 3 || !g_ascii_isalpha ((*p)[3])))
        {
          *p += 3;
          if (*p < end && **p == '.')
            *p += 1;
          return i + 1;
        }
    }
  return 0;
}

/* 2024年5月6日, 2024-05-06, 2024/5/6, 2024.5.6, and with @compact 20240506. */
static gboolean
year_first (const char **p, const char *end, gboolean compact, Date *d)
{
  const char *q = *p;
  guint n = number_at (&q, end, 4, &d->year);
  char separator;

  if (n != 4)
    return FALSE;
  if (compact && number_at (&q, end, 2, &d->month) == 2 && number_at (&q, end, 2, &d->day) == 2)
    {
      guint hour, minute, second;
      const char *t = q;

      if (number_at (&t, end, 2, &hour) == 2 && number_at (&t, end, 2, &minute) == 2 && hour < 24
          && minute < 60)
        {
          d->hour = (gint) hour;
          d->minute = (gint) minute;
          d->second = number_at (&t, end, 2, &second) == 2 && second < 60 ? (gint) second : 0;
          q = t;
        }
      *p = q;
      return TRUE;
    }
  q = *p;
  number_at (&q, end, 4, &d->year);
  skip_blanks (&q, end);
  if (word_at (&q, end, "年"))
    {
      skip_blanks (&q, end);
      if (number_at (&q, end, 2, &d->month) == 0)
        return FALSE;
      skip_blanks (&q, end);
      if (!word_at (&q, end, "月"))
        return FALSE;
      skip_blanks (&q, end);
      if (number_at (&q, end, 2, &d->day) == 0)
        return FALSE;
      skip_blanks (&q, end);
      if (!word_at (&q, end, "日") && !word_at (&q, end, "号"))
        return FALSE;
      *p = q;
      return TRUE;
    }
  if (q >= end || strchr ("-/.", *q) == NULL || *q == 0)
    return FALSE;
  separator = *q++;
  if (number_at (&q, end, 2, &d->month) == 0 || q >= end || *q != separator)
    return FALSE;
  q++;
  if (number_at (&q, end, 2, &d->day) == 0 || (q < end && g_ascii_isdigit (*q)))
    return FALSE;
  *p = q;
  return TRUE;
}

/* 二〇二四年五月六日 */
static gboolean
year_in_han (const char **p, const char *end, Date *d)
{
  const char *q = *p;

  d->year = 0;
  for (guint i = 0; i < 4; i++)
    {
      gsize len;
      int digit = digit_at (q, end, TRUE, &len);

      if (digit < 0 || len != 3)
        return FALSE;
      d->year = d->year * 10 + (guint) digit;
      q += len;
    }
  if (!word_at (&q, end, "年") || !small_han (&q, end, &d->month) || !word_at (&q, end, "月")
      || !small_han (&q, end, &d->day) || !word_at (&q, end, "日"))
    return FALSE;
  *p = q;
  return TRUE;
}

/* "May 6, 2024", "6 May 2024", "06 May 2024". */
static gboolean
month_in_words (const char **p, const char *end, Date *d)
{
  const char *q = *p;

  if (g_ascii_isdigit (*q))
    {
      if (number_at (&q, end, 2, &d->day) == 0)
        return FALSE;
      (void) (word_at (&q, end, "st") || word_at (&q, end, "nd") || word_at (&q, end, "rd")
              || word_at (&q, end, "th"));
      skip_blanks (&q, end);
      d->month = month_named (&q, end);
    }
  else
    {
      d->month = month_named (&q, end);
      skip_blanks (&q, end);
      if (d->month == 0 || number_at (&q, end, 2, &d->day) == 0)
        return FALSE;
      (void) (word_at (&q, end, "st") || word_at (&q, end, "nd") || word_at (&q, end, "rd")
              || word_at (&q, end, "th"));
    }
  skip_blanks (&q, end);
  if (q < end && *q == ',')
    q++;
  skip_blanks (&q, end);
  if (d->month == 0 || number_at (&q, end, 4, &d->year) != 4)
    return FALSE;
  *p = q;
  return TRUE;
}

static gboolean
date_at (const char *p, const char *end, gboolean compact, Date *d)
{
  *d = (Date){ .hour = -1, .minute = -1, .second = -1 };
  if (!year_first (&p, end, compact, d) && !year_in_han (&p, end, d)
      && !month_in_words (&p, end, d))
    return FALSE;
  if (!is_real (d))
    return FALSE;
  if (d->hour < 0)
    read_time (p, end, d);
  return TRUE;
}

static void
append_date (const Date *d, GString *out)
{
  g_string_append_printf (out, "%04u-%02u-%02u", d->year, d->month, d->day);
  if (d->hour >= 0)
    g_string_append_printf (out, "T%02d:%02d:%02d%s", d->hour, d->minute, d->second, d->zone);
}

gboolean
text_date_find (FrStr text, gboolean compact, GString *out)
{
  const char *end = text.data + text.len;
  gboolean within = FALSE; /* a word or number */

  for (const char *p = text.data; p < end; p++)
    {
      guchar c = (guchar) *p;
      Date d;

      if (!within && (g_ascii_isalnum (c) || c == 0xef || c == 0xe4)
          && date_at (p, end, compact, &d))
        {
          append_date (&d, out);
          return TRUE;
        }
      within = g_ascii_isalnum (c);
    }
  return FALSE;
}

gboolean
text_date_in_url (FrStr url, GString *out)
{
  const char *end = url.data + url.len;

  for (const char *p = url.data; p < end; p++)
    {
      const char *q = p + 1;
      Date d = { .hour = -1 };
      guint n, value;
      char separator;

      if ((*p != '/' && *p != '_' && *p != '-') || number_at (&q, end, 4, &d.year) != 4)
        continue;
      separator = q < end ? *q : 0;
      if (separator == '/' || separator == '-')
        q++;
      n = number_at (&q, end, 2, &d.month);
      if (n == 0 || (n == 1 && separator != '/'))
        continue;
      if (separator == '/' && q < end && g_ascii_isdigit (*q))
        ; /* /2024/0506/ */
      else if (separator == '/' || separator == '-')
        {
          if (q >= end || (*q != '/' && *q != '-'))
            continue;
          q++;
        }
      n = number_at (&q, end, 2, &d.day);
      if (n == 0 || !is_real (&d) || number_at (&q, end, 1, &value) > 0)
        continue;
      append_date (&d, out);
      return TRUE;
    }
  return FALSE;
}
