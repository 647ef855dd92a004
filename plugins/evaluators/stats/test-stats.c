/* SPDX-License-Identifier: Apache-2.0 */
/* test-stats.c: intervals and significance: known cases, coverage, determinism. */
#include "config.h"

#include <glib.h>
#include <math.h>

#include "stats.h"

/* (value, 1) rows of @n numbers with mean @mean and standard deviation 1, from uniform ones. */
static double *
normal_rows (gsize n, double mean, guint64 seed)
{
  double *rows = g_new (double, n * 2);
  StatsRng rng;

  stats_rng_init (&rng, seed, 0);
  for (gsize i = 0; i < n; i++)
    {
      double sum = 0;

      for (guint k = 0; k < 12; k++)
        sum += (double) (stats_rng_next (&rng) >> 11) / 9007199254740992.0;
      rows[i * 2] = mean + sum - 6;
      rows[i * 2 + 1] = 1;
    }
  return rows;
}

static StatsRows
means (const double *rows, gsize n)
{
  return (StatsRows){ rows, n, 2, stats_mean, NULL };
}

static void
test_quantile (void)
{
  const double sorted[] = { 1, 2, 4, 8 };

  /* numpy.quantile ([1, 2, 4, 8], [0, .1, .5, .9, 1]) */
  g_assert_cmpfloat_with_epsilon (stats_quantile (sorted, 4, 0), 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_quantile (sorted, 4, 0.1), 1.3, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_quantile (sorted, 4, 0.5), 3, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_quantile (sorted, 4, 0.9), 6.8, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_quantile (sorted, 4, 1), 8, 1e-12);
  g_assert_true (isnan (stats_quantile (sorted, 0, 0.5)));
}

static void
test_mean_sd (void)
{
  const double values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
  double mean, sd;

  stats_mean_sd (values, 8, &mean, &sd);
  g_assert_cmpfloat_with_epsilon (mean, 5, 1e-12);
  g_assert_cmpfloat_with_epsilon (sd, sqrt (32.0 / 7), 1e-12);
  stats_mean_sd (values, 1, &mean, &sd);
  g_assert_cmpfloat (mean, ==, 2);
  g_assert_true (isnan (sd));
}

/* The interval of a mean is near value ± 1.96 · s / √n. */
static void
test_interval (void)
{
  g_autofree double *rows = normal_rows (2500, 10, 1);
  StatsRows m = means (rows, 2500);
  StatsInterval i;

  stats_bootstrap (&m, NULL, &i);
  g_assert_cmpfloat_with_epsilon (i.value, stats_score (&m), 1e-12);
  g_assert_cmpuint (i.resamples, ==, STATS_RESAMPLES);
  g_assert_cmpfloat_with_epsilon (i.sd, 0.02, 0.002);
  g_assert_cmpfloat_with_epsilon (i.high - i.low, 2 * 1.96 * 0.02, 0.008);
  g_assert_true (i.low < i.value && i.value < i.high);
}

/* Of 200 samples the 90 % interval must hold the true mean in about 180. */
static void
test_coverage (void)
{
  StatsOptions o = { 400, 0.9, 7 };
  guint inside = 0;

  for (guint k = 0; k < 200; k++)
    {
      g_autofree double *rows = normal_rows (100, 3, 100 + k);
      StatsRows m = means (rows, 100);
      StatsInterval i;

      stats_bootstrap (&m, &o, &i);
      inside += i.low <= 3 && 3 <= i.high;
    }
  g_assert_cmpuint (inside, >=, 165);
  g_assert_cmpuint (inside, <=, 195);
}

static void
test_seed (void)
{
  g_autofree double *rows = normal_rows (50, 0, 2);
  StatsRows m = means (rows, 50);
  StatsOptions o = { 200, 0.95, 5 };
  StatsInterval a, b, c;

  stats_bootstrap (&m, &o, &a);
  stats_bootstrap (&m, &o, &b);
  g_assert_true (a.low == b.low && a.high == b.high && a.sd == b.sd);
  o.seed = 6;
  stats_bootstrap (&m, &o, &c);
  g_assert_true (a.low != c.low);
}

static void
test_pairs (void)
{
  g_autofree double *x = normal_rows (400, 0, 3), *y = normal_rows (400, 0, 3);
  StatsRows a = means (x, 400), b = means (y, 400);
  StatsInterval d, alone;

  /* The same rows, each 0.1 higher: a difference without any doubt, though single intervals are
   * wide. */
  for (gsize i = 0; i < 400; i++)
    x[i * 2] += 0.1;
  stats_paired_bootstrap (&a, &b, NULL, &d);
  stats_bootstrap (&a, NULL, &alone);
  g_assert_cmpfloat_with_epsilon (d.value, 0.1, 1e-9);
  g_assert_cmpfloat_with_epsilon (d.low, 0.1, 1e-9);
  g_assert_cmpfloat_with_epsilon (d.high, 0.1, 1e-9);
  g_assert_cmpfloat (alone.high - alone.low, >, 0.15);
  g_assert_cmpfloat (stats_randomisation (&a, &b, NULL), <, 0.002);
}

static void
test_no_difference (void)
{
  g_autofree double *x = normal_rows (300, 0, 4), *y = normal_rows (300, 0, 5);
  StatsRows a = means (x, 300), b = means (y, 300);
  guint below = 0;

  g_assert_cmpfloat (stats_randomisation (&a, &a, NULL), ==, 1);
  /* p is uniform where nothing differs: of 100 about 10 are below 0.1. */
  for (guint k = 0; k < 100; k++)
    {
      g_autofree double *u = normal_rows (60, 0, 1000 + k), *v = normal_rows (60, 0, 2000 + k);
      StatsRows s = means (u, 60), t = means (v, 60);
      StatsOptions o = { 200, 0, k };

      below += stats_randomisation (&s, &t, &o) < 0.1;
    }
  g_assert_cmpuint (below, >=, 3);
  g_assert_cmpuint (below, <=, 20);
  g_assert_cmpfloat (stats_randomisation (&a, &b, NULL), >, 0);
}

/* All sixteen exchanges of four rows, counted by hand: differences 1 1 1 1; |sum| is 4 in two of
 * sixteen. */
static void
test_exact (void)
{
  const double x[] = { 1, 1, 2, 1, 3, 1, 4, 1 }, y[] = { 0, 1, 1, 1, 2, 1, 3, 1 };
  StatsRows a = means (x, 4), b = means (y, 4);
  StatsOptions o = { 20000, 0, 9 };

  g_assert_cmpfloat_with_epsilon (stats_randomisation (&a, &b, &o), 0.125, 0.01);
}

static void
test_nothing (void)
{
  StatsRows none = means (NULL, 0);
  const double weightless[] = { 5, 0 };
  StatsRows no_score = means (weightless, 1);
  StatsInterval i;

  stats_bootstrap (&none, NULL, &i);
  g_assert_true (isnan (i.value) && isnan (i.low) && isnan (i.high));
  stats_bootstrap (&no_score, NULL, &i);
  g_assert_true (isnan (i.value));
  g_assert_true (isnan (stats_randomisation (&none, &none, NULL)));
  g_assert_true (isnan (stats_score (&none)));
}

/* A thousand resamples of ten thousand rows of BLEU's width in well under a second. */
static void
test_speed (void)
{
  gsize n = 10000, width = 10;
  g_autofree double *rows = g_new (double, n *width);
  StatsRows m = { rows, n, width, stats_mean, NULL };
  StatsInterval i;
  gint64 started;

  for (gsize k = 0; k < n * width; k++)
    rows[k] = (double) (k * 2654435761u % 97);
  started = g_get_monotonic_time ();
  stats_bootstrap (&m, NULL, &i);
  g_test_message ("1000 resamples of 10000 rows: %.0f ms",
                  (double) (g_get_monotonic_time () - started) / 1000);
  if (g_test_perf ())
    g_assert_cmpint (g_get_monotonic_time () - started, <, 500000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stats/quantile", test_quantile);
  g_test_add_func ("/stats/mean-sd", test_mean_sd);
  g_test_add_func ("/stats/interval", test_interval);
  g_test_add_func ("/stats/coverage", test_coverage);
  g_test_add_func ("/stats/seed", test_seed);
  g_test_add_func ("/stats/pairs", test_pairs);
  g_test_add_func ("/stats/no-difference", test_no_difference);
  g_test_add_func ("/stats/exact", test_exact);
  g_test_add_func ("/stats/nothing", test_nothing);
  g_test_add_func ("/stats/speed", test_speed);
  return g_test_run ();
}
