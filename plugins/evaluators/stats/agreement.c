/* SPDX-License-Identifier: Apache-2.0 */
/* agreement.c: see agreement.h. */
#include "config.h"

#include "agreement.h"

#include <math.h>

/* Krippendorff 2011, C: each of the m (m - 1) ordered pairs within a thing counts 1 / (m - 1). */
void
stats_coincidences (const guint8 *values, gsize n, guint levels, double *table)
{
  gsize m = 0;

  for (gsize i = 0; i < n; i++)
    m += values[i] != 0;
  if (m < 2)
    return;
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < n; j++)
      if (i != j && values[i] != 0 && values[j] != 0)
        table[(values[i] - 1) * levels + values[j] - 1] += 1.0 / (double) (m - 1);
}

/* How often level @c was given. */
static double
marginal (const double *table, guint levels, guint c)
{
  double sum = 0;

  for (guint k = 0; k < levels; k++)
    sum += table[c * levels + k];
  return sum;
}

/* Alpha is 1 - (n - 1) · Σ o_ck δ²_ck / Σ n_c n_k δ²_ck over c < k, and δ_ck of ordinal data is how
 * many ratings lie from c to k, of those at both ends half. */
double
stats_alpha_ordinal (const double *table, gpointer data)
{
  guint levels = GPOINTER_TO_UINT (data);
  double n = 0, observed = 0, expected = 0;

  for (guint c = 0; c < levels; c++)
    n += marginal (table, levels, c);
  for (guint c = 0; c < levels; c++)
    {
      double first = marginal (table, levels, c), between = first;

      for (guint k = c + 1; k < levels; k++)
        {
          double last = marginal (table, levels, k), delta;

          between += last;
          delta = between - (first + last) / 2;
          observed += table[c * levels + k] * delta * delta;
          expected += first * last * delta * delta;
        }
    }
  return expected > 0 ? 1 - (n - 1) * observed / expected : NAN;
}

void
stats_pair (guint8 a, guint8 b, guint levels, double *table)
{
  if (a != 0 && b != 0)
    table[(a - 1) * levels + b - 1] += 1;
}

/* Kappa is 1 - Σ w o / Σ w e, with e from the marginals and w = (a - b)². */
double
stats_kappa_quadratic (const double *table, gpointer data)
{
  guint levels = GPOINTER_TO_UINT (data);
  double n = 0, observed = 0, expected = 0;
  g_autofree double *columns = g_new0 (double, levels);

  for (guint a = 0; a < levels; a++)
    for (guint b = 0; b < levels; b++)
      columns[b] += table[a * levels + b];
  for (guint a = 0; a < levels; a++)
    {
      double row = marginal (table, levels, a);

      n += row;
      for (guint b = 0; b < levels; b++)
        {
          double w = ((double) a - (double) b) * ((double) a - (double) b);

          observed += w * table[a * levels + b];
          expected += w * row * columns[b];
        }
    }
  return expected > 0 ? 1 - n * observed / expected : NAN;
}

/* Twice the tail of the binomial with p = 1/2, its terms taken by logarithm so that any n is fine.
 */
double
stats_sign_test (guint64 wins, guint64 losses)
{
  guint64 n = wins + losses, least = MIN (wins, losses);
  double tail = 0;

  for (guint64 k = 0; k <= least; k++)
    tail += exp (lgamma ((double) n + 1) - lgamma ((double) k + 1) - lgamma ((double) (n - k) + 1)
                 - (double) n * G_LN2);
  return MIN (2 * tail, 1);
}
