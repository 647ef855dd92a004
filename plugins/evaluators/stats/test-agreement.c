/* SPDX-License-Identifier: Apache-2.0 */
/* test-agreement.c: alpha, kappa and the sign test against other people's numbers. */
#include "config.h"

#include <glib.h>
#include <math.h>

#include "agreement.h"
#include "stats.h"

#define LEVELS 5

/* The data of Krippendorff 2011, section C: four observers, twelve units, gaps. */
static const guint8 published[4][12] = { { 1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0 },
                                         { 1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3 },
                                         { 0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0 },
                                         { 1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0 } };

static guint
next (guint *x)
{
  *x = (*x * 1103515245u + 12345u) % 2147483648u;
  return *x >> 16;
}

/* Three raters, forty things, a sixth missing. */
static void
make (guint8 values[40][3])
{
  guint x = 12345;

  for (guint unit = 0; unit < 40; unit++)
    {
      int base = 1 + (int) (next (&x) % 5);

      for (guint rater = 0; rater < 3; rater++)
        {
          int v = base + (int) (next (&x) % 3) - 1;

          values[unit][rater] = next (&x) % 6 == 0 ? 0 : (guint8) CLAMP (v, 1, 5);
        }
    }
}

/* The article prints ordinal alpha = 0.815; the digits beyond are krippendorff 0.8's (Python). */
static void
test_alpha_published (void)
{
  double table[LEVELS * LEVELS] = { 0 }, n = 0;

  for (guint unit = 0; unit < 12; unit++)
    {
      guint8 values[4];

      for (guint rater = 0; rater < 4; rater++)
        values[rater] = published[rater][unit];
      stats_coincidences (values, 4, LEVELS, table);
    }
  for (guint i = 0; i < LEVELS * LEVELS; i++)
    n += table[i];
  /* The article's table of coincidences: 40 pairable values; o_11 = 7, o_12 = 4/3, o_22 = 10. */
  g_assert_cmpfloat_with_epsilon (n, 40, 1e-12);
  g_assert_cmpfloat_with_epsilon (table[0], 7, 1e-12);
  g_assert_cmpfloat_with_epsilon (table[1], 4.0 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon (table[LEVELS + 1], 10, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_alpha_ordinal (table, GUINT_TO_POINTER (LEVELS)),
                                  0.8153875037548814, 1e-12);
}

/* krippendorff.alpha (level_of_measurement="ordinal") of the same numbers. */
static void
test_alpha_random (void)
{
  guint8 values[40][3];
  double table[LEVELS * LEVELS] = { 0 };

  make (values);
  for (guint unit = 0; unit < 40; unit++)
    stats_coincidences (values[unit], 3, LEVELS, table);
  g_assert_cmpfloat_with_epsilon (stats_alpha_ordinal (table, GUINT_TO_POINTER (LEVELS)),
                                  0.7842485996159533, 1e-12);
}

static void
test_alpha_edges (void)
{
  const guint8 same[] = { 3, 3 }, alone[] = { 4, 0 }, low[] = { 1, 1 }, apart[] = { 1, 5 };
  double table[LEVELS * LEVELS] = { 0 };
  gpointer levels = GUINT_TO_POINTER (LEVELS);

  g_assert_true (isnan (stats_alpha_ordinal (table, levels)));
  stats_coincidences (alone, 2, LEVELS, table);
  stats_coincidences (same, 2, LEVELS, table);
  g_assert_true (isnan (stats_alpha_ordinal (table, levels)));
  stats_coincidences (low, 2, LEVELS, table);
  g_assert_cmpfloat (stats_alpha_ordinal (table, levels), ==, 1);
  for (guint i = 0; i < 20; i++)
    stats_coincidences (apart, 2, LEVELS, table);
  g_assert_cmpfloat (stats_alpha_ordinal (table, levels), <, 0);
}

/* The interval of stats_bootstrap() holds the value, and is of the same seed the same. */
static void
test_alpha_interval (void)
{
  guint8 values[40][3];
  double rows[40 * LEVELS * LEVELS] = { 0 };
  StatsRows all = { rows, 40, LEVELS * LEVELS, stats_alpha_ordinal, GUINT_TO_POINTER (LEVELS) };
  StatsInterval a, b;

  make (values);
  for (guint unit = 0; unit < 40; unit++)
    stats_coincidences (values[unit], 3, LEVELS, rows + unit * LEVELS * LEVELS);
  stats_bootstrap (&all, &(StatsOptions){ .seed = 7 }, &a);
  stats_bootstrap (&all, &(StatsOptions){ .seed = 7 }, &b);
  g_assert_cmpfloat_with_epsilon (a.value, 0.7842485996159533, 1e-12);
  g_assert_cmpfloat (a.low, <, a.value);
  g_assert_cmpfloat (a.high, >, a.value);
  g_assert_cmpfloat (a.low, >, 0.5);
  g_assert_cmpfloat (a.low, ==, b.low);
}

/* sklearn.metrics.cohen_kappa_score (weights="quadratic") of the first two raters. */
static void
test_kappa (void)
{
  guint8 values[40][3];
  double table[LEVELS * LEVELS] = { 0 }, n = 0;
  gpointer levels = GUINT_TO_POINTER (LEVELS);

  g_assert_true (isnan (stats_kappa_quadratic (table, levels)));
  make (values);
  for (guint unit = 0; unit < 40; unit++)
    stats_pair (values[unit][0], values[unit][1], LEVELS, table);
  for (guint i = 0; i < LEVELS * LEVELS; i++)
    n += table[i];
  g_assert_cmpfloat (n, ==, 24);
  g_assert_cmpfloat_with_epsilon (stats_kappa_quadratic (table, levels), 0.7972972972972973, 1e-12);
}

/* Sums of binomial coefficients over 2^n, in whole numbers. */
static void
test_sign (void)
{
  g_assert_cmpfloat_with_epsilon (stats_sign_test (9, 1), 0.021484375, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_sign_test (1, 9), 0.021484375, 1e-12);
  g_assert_cmpfloat_with_epsilon (stats_sign_test (30, 20), 0.20263875106454066, 1e-10);
  g_assert_cmpfloat_with_epsilon (stats_sign_test (600, 500), 0.0028195449914364275, 1e-10);
  g_assert_cmpfloat (stats_sign_test (0, 0), ==, 1);
  g_assert_cmpfloat (stats_sign_test (5, 5), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agreement/alpha/published", test_alpha_published);
  g_test_add_func ("/agreement/alpha/random", test_alpha_random);
  g_test_add_func ("/agreement/alpha/edges", test_alpha_edges);
  g_test_add_func ("/agreement/alpha/interval", test_alpha_interval);
  g_test_add_func ("/agreement/kappa", test_kappa);
  g_test_add_func ("/agreement/sign-test", test_sign);
  return g_test_run ();
}
