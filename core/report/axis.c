/* SPDX-License-Identifier: Apache-2.0 */
/* axis.c: round numbers for axes, and numbers for people.
 *
 * Steps of an axis are 1, 2 or 5 times a power of ten (W. S. Cleveland, The
 * Elements of Graphing Data; the choice of P. Heckbert, "Nice Numbers for
 * Graph Labels", Graphics Gems, 1990).
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/report-private.h"

#define THIN_SPACE "\342\200\257" /* U+202F, narrow and not breaking */
#define MINUS "\342\210\222"      /* U+2212 */

/* ---- axes ------------------------------------------------------------------- */

static double
nice_step (double range, guint n)
{
  double raw = range / MAX (n, 1), power = pow (10, floor (log10 (raw))), f = raw / power;

  return (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10) * power;
}

/* Ticks at multiples of a round step, from @first to @last of them. */
static void
add_steps (FriAxis *axis, double step, double first, double last)
{
  axis->step = step;
  axis->decimals = (int) CLAMP (ceil (-log10 (step) - 1e-9), 0, 12);
  for (double i = first; i <= last && axis->ticks->len < 1000; i++)
    {
      double tick = i * step;

      g_array_append_val (axis->ticks, tick);
    }
}

static void
linear_ticks (FriAxis *axis, guint n)
{
  double step = nice_step (axis->high - axis->low, n);
  double first = floor (axis->low / step + 1e-9), last = ceil (axis->high / step - 1e-9);

  add_steps (axis, step, first, last);
  axis->low = first * step;
  axis->high = last * step;
}

/* Powers of ten; 1, 2 and 5 times those where they are few; steps where the
 * axis is not even twice as long as it begins. */
static void
log_ticks (FriAxis *axis, guint n)
{
  static const double factors[] = { 1, 2, 5 };
  double first = floor (log10 (axis->low) + 1e-9), last = ceil (log10 (axis->high) - 1e-9);
  gboolean few = last - first <= 2;
  double every = MAX (ceil ((last - first) / 8), 1), step;

  if (!few)
    {
      axis->low = pow (10, first);
      axis->high = pow (10, last);
    }
  for (double e = first; e <= last; e += every)
    for (guint f = 0; f < (few ? 3 : 1); f++)
      {
        double tick = factors[f] * pow (10, e);

        if (tick >= axis->low / 1.05 && tick <= axis->high * 1.05)
          g_array_append_val (axis->ticks, tick);
      }
  if (axis->ticks->len < 3)
    {
      g_array_set_size (axis->ticks, 0);
      step = nice_step (axis->high - axis->low, n);
      add_steps (axis, step, ceil (axis->low / step), floor (axis->high / step));
    }
  if (few)
    {
      axis->low /= 1.05;
      axis->high *= 1.05;
    }
}

FriAxis *
fri_axis_new (double low, double high, guint n, gboolean log)
{
  FriAxis *axis = g_new0 (FriAxis, 1);

  axis->ticks = g_array_new (FALSE, FALSE, sizeof (double));
  if (!isfinite (low) || !isfinite (high) || low > high)
    low = 0, high = 1;
  if (low == high)
    {
      double margin = low != 0 ? fabs (low) / 2 : 1;

      high = low + margin;
      low = log ? low / 2 : low - margin;
    }
  axis->log = log && low > 0;
  axis->low = low;
  axis->high = high;
  if (axis->log)
    log_ticks (axis, n);
  else
    linear_ticks (axis, n);
  return axis;
}

void
fri_axis_free (FriAxis *axis)
{
  if (axis == NULL)
    return;
  g_array_unref (axis->ticks);
  g_free (axis);
}

double
fri_axis_place (const FriAxis *axis, double value)
{
  if (axis->log)
    return (log (value) - log (axis->low)) / (log (axis->high) - log (axis->low));
  return (value - axis->low) / (axis->high - axis->low);
}

/* ---- numbers ------------------------------------------------------------------ */

/* @digits of a number without sign, as printf gave them, with thousands apart. */
static void
append_grouped (GString *out, const char *digits)
{
  gsize n = strspn (digits, "0123456789");

  for (gsize i = 0; i < n; i++)
    {
      if (i > 0 && n > 4 && (n - i) % 3 == 0)
        g_string_append (out, THIN_SPACE);
      g_string_append_c (out, digits[i]);
    }
  g_string_append (out, digits + n);
}

static char *
grouped (double value, int decimals)
{
  char format[16], text[400];
  GString *out = g_string_new (NULL);

  g_snprintf (format, sizeof format, "%%.%df", decimals);
  g_ascii_formatd (text, sizeof text, format, fabs (value));
  if (value < 0 && strpbrk (text, "123456789") != NULL)
    g_string_append (out, MINUS);
  append_grouped (out, text);
  return g_string_free (out, FALSE);
}

static char *
scientific (double value)
{
  char text[64], *e;
  GString *out = g_string_new (NULL);

  g_ascii_formatd (text, sizeof text, "%.3g", fabs (value));
  e = strchr (text, 'e');
  if (value < 0)
    g_string_append (out, MINUS);
  if (e == NULL)
    {
      g_string_append (out, text);
      return g_string_free (out, FALSE);
    }
  *e = '\0';
  if (strcmp (text, "1") != 0)
    g_string_append_printf (out, "%s\302\267", text); /* U+00B7 */
  g_string_append (out, "10");
  {
    static const char *const raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
    g_autofree char *exponent = g_strdup_printf ("%d", (int) g_ascii_strtoll (e + 1, NULL, 10));

    for (const char *p = exponent; *p != '\0'; p++)
      g_string_append (out, *p == '-' ? "⁻" : raised[*p - '0']);
  }
  return g_string_free (out, FALSE);
}

char *
fri_axis_label (const FriAxis *axis, double value)
{
  double size = MAX (fabs (axis->low), fabs (axis->high));

  if (axis->log)
    return value >= 1e-3 && value < 1e5 ? fri_number (value) : scientific (value);
  if (value != 0 && (size >= 1e7 || size < 1e-3))
    return scientific (value);
  return grouped (value, axis->decimals);
}

/* How many of @most decimals say something: not zeros at the end. */
static int
decimals_of (double value, int most)
{
  for (; most > 0; most--)
    {
      double power = pow (10, most), scaled = round (value * power);

      if (fmod (scaled, 10) != 0)
        break;
    }
  return most;
}

char *
fri_number (double value)
{
  double size = fabs (value);
  int digits;

  if (!isfinite (value))
    return g_strdup ("–");
  if (value == floor (value) && size < 1e15)
    return grouped (value, 0);
  if (size >= 1e7 || size < 1e-4)
    return scientific (value);
  digits = (int) floor (log10 (size)) + 1;
  return grouped (value, decimals_of (value, CLAMP (4 - digits, 0, 8)));
}

char *
fri_count (guint64 n)
{
  return grouped ((double) n, 0);
}

char *
fri_bytes (guint64 bytes)
{
  static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
  double value = (double) bytes;
  g_autofree char *text = NULL;
  guint u = 0;

  while (value >= 1024 && u + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      u++;
    }
  text = grouped (value, u == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2);
  return g_strdup_printf ("%s\302\240%s", text, units[u]);
}

char *
fri_seconds (double seconds)
{
  guint64 whole = (guint64) (seconds + 0.5);
  g_autofree char *text = NULL;

  if (seconds < 0.9995)
    return g_strdup_printf ("%d\302\240ms", (int) (seconds * 1000 + 0.5));
  if (seconds < 10)
    {
      text = grouped (seconds, 1);
      return g_strdup_printf ("%s\302\240s", text);
    }
  if (whole < 60)
    return g_strdup_printf ("%d\302\240s", (int) whole);
  if (whole < 3600)
    return g_strdup_printf ("%d\302\240min\302\240%d\302\240s", (int) (whole / 60),
                            (int) (whole % 60));
  return g_strdup_printf ("%" G_GUINT64_FORMAT "\302\240h\302\240%d\302\240min", whole / 3600,
                          (int) (whole % 3600 / 60));
}
