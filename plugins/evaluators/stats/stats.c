/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c: see stats.h. */
#include "config.h"

#include "stats.h"

#include <math.h>
#include <string.h>

/* ---- chance ---------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea and Flood 2014), which xoshiro's authors seed with. */
static guint64
splitmix (guint64 *state)
{
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

void
stats_rng_init (StatsRng *rng, guint64 seed, guint64 stream)
{
  guint64 state = seed, other = stream ^ G_GUINT64_CONSTANT (0x5851f42d4c957f2d);

  state = splitmix (&state) ^ splitmix (&other);
  for (guint i = 0; i < G_N_ELEMENTS (rng->s); i++)
    rng->s[i] = splitmix (&state);
}

static inline guint64
rotate (guint64 x, int k)
{
  return x << k | x >> (64 - k);
}

guint64
stats_rng_next (StatsRng *rng)
{
  guint64 *s = rng->s;
  guint64 result = rotate (s[1] * 5, 7) * 9, t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate (s[3], 45);
  return result;
}

guint64
stats_rng_below (StatsRng *rng, guint64 n)
{
  return (guint64) ((unsigned __int128) stats_rng_next (rng) * n >> 64);
}

/* ---- sums and scores ------------------------------------------------------------------------- */

double
stats_mean (const double *sum, gpointer data)
{
  (void) data;
  return sum[1] > 0 ? sum[0] / sum[1] : NAN;
}

static void
sum_all (const StatsRows *rows, double *sum)
{
  memset (sum, 0, rows->width * sizeof *sum);
  for (gsize i = 0; i < rows->n; i++)
    for (gsize k = 0; k < rows->width; k++)
      sum[k] += rows->rows[i * rows->width + k];
}

static double
score_of (const StatsRows *rows, const double *sum)
{
  return rows->n > 0 ? rows->score (sum, rows->data) : NAN;
}

double
stats_score (const StatsRows *rows)
{
  g_autofree double *sum = g_new (double, rows->width);

  sum_all (rows, sum);
  return score_of (rows, sum);
}

double
stats_quantile (const double *sorted, gsize n, double q)
{
  double at, whole;
  gsize i;

  if (n == 0)
    return NAN;
  at = q * (double) (n - 1);
  whole = floor (at);
  i = (gsize) whole;
  return i + 1 < n ? sorted[i] + (at - whole) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

void
stats_mean_sd (const double *values, gsize n, double *mean, double *sd)
{
  double sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++)
    sum += values[i];
  *mean = n > 0 ? sum / (double) n : NAN;
  for (gsize i = 0; i < n; i++)
    squares += (values[i] - *mean) * (values[i] - *mean);
  *sd = n > 1 ? sqrt (squares / (double) (n - 1)) : NAN;
}

/* ---- bootstrap ------------------------------------------------------------------------------- */

static StatsOptions
complete (const StatsOptions *given)
{
  StatsOptions o = given != NULL ? *given : (StatsOptions){ 0 };

  if (o.resamples == 0)
    o.resamples = STATS_RESAMPLES;
  if (o.level <= 0 || o.level >= 1)
    o.level = STATS_LEVEL;
  return o;
}

/* How often resample @r takes each row.  Counting first lets the sum go through the rows in order,
 * which reads memory as it lies. */
static void
draw (guint32 *times, gsize n, guint64 seed, guint r)
{
  StatsRng rng;

  memset (times, 0, n * sizeof *times);
  stats_rng_init (&rng, seed, r);
  for (gsize i = 0; i < n; i++)
    times[stats_rng_below (&rng, n)]++;
}

static void
sum_drawn (const StatsRows *rows, const guint32 *times, double *restrict sum)
{
  gsize width = rows->width;
  const double *row = rows->rows;

  memset (sum, 0, width * sizeof *sum);
  for (gsize i = 0; i < rows->n; i++, row += width)
    {
      double t = times[i];

      for (gsize k = 0; k < width; k++)
        sum[k] += t * row[k];
    }
}

static int
number_order (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static void
interval_of (double value, double *scores, guint n, double level, StatsInterval *interval)
{
  double mean;

  *interval = (StatsInterval){ value, NAN, NAN, NAN, n };
  if (isnan (value) || n == 0)
    return;
  qsort (scores, n, sizeof *scores, number_order);
  interval->low = stats_quantile (scores, n, (1 - level) / 2);
  interval->high = stats_quantile (scores, n, (1 + level) / 2);
  stats_mean_sd (scores, n, &mean, &interval->sd);
}

/* @b may be NULL: then it is the score of @a itself. */
static void
bootstrap (const StatsRows *a, const StatsRows *b, const StatsOptions *options,
           StatsInterval *interval)
{
  StatsOptions o = complete (options);
  g_autofree guint32 *times = g_new (guint32, MAX (a->n, 1));
  g_autofree double *sum = g_new (double, MAX (a->width, b != NULL ? b->width : 0));
  g_autofree double *scores = g_new (double, o.resamples);
  double value = stats_score (a) - (b != NULL ? stats_score (b) : 0);
  guint n = 0;

  for (guint r = 0; r < o.resamples && !isnan (value); r++)
    {
      double score;

      draw (times, a->n, o.seed, r);
      sum_drawn (a, times, sum);
      score = score_of (a, sum);
      if (b != NULL)
        {
          sum_drawn (b, times, sum);
          score -= score_of (b, sum);
        }
      if (!isnan (score))
        scores[n++] = score;
    }
  interval_of (value, scores, n, o.level, interval);
}

void
stats_bootstrap (const StatsRows *rows, const StatsOptions *options, StatsInterval *interval)
{
  bootstrap (rows, NULL, options, interval);
}

void
stats_paired_bootstrap (const StatsRows *a, const StatsRows *b, const StatsOptions *options,
                        StatsInterval *difference)
{
  g_assert (a->n == b->n);
  bootstrap (a, b, options, difference);
}

/* ---- approximate randomisation --------------------------------------------------------------- */

/* Moves the rows that trial @r exchanges from @a's sum to @b's, and back. */
static void
exchange (const StatsRows *a, const StatsRows *b, guint64 seed, guint r, double *restrict sum_a,
          double *restrict sum_b)
{
  StatsRng rng;
  guint64 bits = 0;
  gsize width = a->width;

  stats_rng_init (&rng, seed, r);
  for (gsize i = 0; i < a->n; i++)
    {
      const double *x = a->rows + i * width, *y = b->rows + i * width;
      double swap;

      if (i % 64 == 0)
        bits = stats_rng_next (&rng);
      swap = (double) (bits >> i % 64 & 1);
      for (gsize k = 0; k < width; k++)
        {
          sum_a[k] += swap * (y[k] - x[k]);
          sum_b[k] += swap * (x[k] - y[k]);
        }
    }
}

double
stats_randomisation (const StatsRows *a, const StatsRows *b, const StatsOptions *options)
{
  StatsOptions o = complete (options);
  gsize bytes = a->width * sizeof (double);
  g_autofree double *all_a = g_malloc (bytes), *all_b = g_malloc (bytes);
  g_autofree double *sum_a = g_malloc (bytes), *sum_b = g_malloc (bytes);
  double seen, room;
  guint as_large = 0;

  g_assert (a->n == b->n && a->width == b->width);
  sum_all (a, all_a);
  sum_all (b, all_b);
  seen = fabs (score_of (a, all_a) - score_of (b, all_b));
  if (isnan (seen))
    return NAN;
  room = seen * 1e-12; /* what adding in another order may change */
  for (guint r = 0; r < o.resamples; r++)
    {
      double difference;

      memcpy (sum_a, all_a, bytes);
      memcpy (sum_b, all_b, bytes);
      exchange (a, b, o.seed, r, sum_a, sum_b);
      difference = fabs (score_of (a, sum_a) - score_of (b, sum_b));
      as_large += isnan (difference) || difference >= seen - room;
    }
  return (as_large + 1.0) / (o.resamples + 1.0);
}
