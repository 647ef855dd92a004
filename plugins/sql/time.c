/* SPDX-License-Identifier: Apache-2.0 */
/* time.c: dates and times of servers as microseconds since 1970 (value.h).
 *
 * fr_timestamp_parse() reads RFC 3339; servers write more: years of five and
 * six digits, years BC, infinity, offsets in hours alone or with seconds.
 */
#include "config.h"

#include "sql/value.h"

#include <string.h>

/* Days since 1970-01-01.  The year is taken to begin in March, so that the
 * leap day is its last, and eras of 400 years are alike. */
static gint64
days_of (gint64 year, guint month, guint day)
{
  gint64 y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
  gint64 of_era = y - era * 400, of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static guint
days_in (gint64 year, guint month)
{
  static const guint8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return days[month - 1] + (month == 2 && leap);
}

gboolean
sql_civil (gint64 year, guint month, guint day, guint hour, guint minute, guint second,
           guint microsecond, gint64 *us)
{
  gint64 seconds;

  if (month < 1 || month > 12 || day < 1 || ABS (year) > 400000 || day > days_in (year, month)
      || hour > 24 || minute > 59 || second > 60 || microsecond > 999999)
    return FALSE;
  seconds = days_of (year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return !__builtin_mul_overflow (seconds, (gint64) 1000000, us)
         && !__builtin_add_overflow (*us, (gint64) microsecond, us);
}

typedef struct
{
  const char *at, *end;
} Cursor;

/* @least to @most digits. */
static gboolean
number (Cursor *c, guint least, guint most, guint *value)
{
  guint n = 0;

  for (*value = 0; c->at < c->end && n < most && g_ascii_isdigit (*c->at); n++)
    *value = *value * 10 + (guint) (*c->at++ - '0');
  return n >= least;
}

static gboolean
mark (Cursor *c, char wanted)
{
  if (c->at == c->end || *c->at != wanted)
    return FALSE;
  c->at++;
  return TRUE;
}

/* ".25": at most six digits count. */
static gboolean
fraction (Cursor *c, guint *microsecond)
{
  guint n = 0;

  *microsecond = 0;
  if (!mark (c, '.'))
    return TRUE;
  for (; c->at < c->end && g_ascii_isdigit (*c->at); c->at++, n++)
    if (n < 6)
      *microsecond = *microsecond * 10 + (guint) (*c->at - '0');
  for (guint i = n; i < 6; i++)
    *microsecond *= 10;
  return n > 0;
}

/* "Z", "+08", "+05:30", "-00:44:30": seconds east. */
static gboolean
offset (Cursor *c, gint64 *east)
{
  guint hours, minutes = 0, seconds = 0;
  gboolean west;

  *east = 0;
  if (c->at == c->end || mark (c, 'Z'))
    return TRUE;
  west = *c->at == '-';
  if (!west && *c->at != '+')
    return TRUE; /* " BC" may follow */
  c->at++;
  if (!number (c, 2, 2, &hours) || (mark (c, ':') && !number (c, 2, 2, &minutes))
      || (mark (c, ':') && !number (c, 2, 2, &seconds)) || minutes > 59 || seconds > 59)
    return FALSE;
  *east = (gint64) (hours * 3600 + minutes * 60 + seconds) * (west ? -1 : 1);
  return TRUE;
}

const char *
sql_parse_time (FrStr text, gint64 *us, gboolean *beyond)
{
  static const char no_time[] = "is not a date or time";
  Cursor c = { text.data, text.data + text.len };
  guint year, month, day, hour = 0, minute = 0, second = 0, microsecond = 0;
  gint64 east = 0, y;

  *beyond = FALSE;
  if (fr_str_equal (text, FR_STR ("infinity")) || fr_str_equal (text, FR_STR ("-infinity")))
    {
      *beyond = TRUE;
      return "is infinite, which no timestamp is";
    }
  if (!number (&c, 4, 6, &year) || !mark (&c, '-') || !number (&c, 2, 2, &month) || !mark (&c, '-')
      || !number (&c, 2, 2, &day))
    return no_time;
  if (c.end - c.at >= 3 && (*c.at == 'T' || (*c.at == ' ' && g_ascii_isdigit (c.at[1]))))
    {
      c.at++;
      if (!number (&c, 2, 2, &hour) || !mark (&c, ':') || !number (&c, 2, 2, &minute)
          || (mark (&c, ':') && (!number (&c, 2, 2, &second) || !fraction (&c, &microsecond)))
          || !offset (&c, &east))
        return no_time;
    }
  y = year;
  if (c.end - c.at == 3 && memcmp (c.at, " BC", 3) == 0 && year > 0)
    {
      y = 1 - y; /* the year before 1 is 0 in ISO 8601, 1 BC in histories */
      c.at += 3;
    }
  if (c.at != c.end || month < 1 || month > 12 || day < 1 || day > days_in (y, month) || hour > 24
      || minute > 59 || second > 60)
    return no_time;
  if (!sql_civil (y, month, day, hour, minute, second, microsecond, us)
      || __builtin_sub_overflow (*us, east * 1000000, us))
    {
      *beyond = TRUE;
      return "is too far away for a timestamp of 64 bits";
    }
  return NULL;
}
