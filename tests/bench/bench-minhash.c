/* SPDX-License-Identifier: Apache-2.0 */
/* bench-minhash.c: what a sketch costs: fast similarity sketching (text/minhash.h) beside as many
 * permutations by multiply-shift, which the compiler makes vectors of, for 256 values. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "text/minhash.h"
#include "text/variants.h"

#define K 256

static guint32 factors[K], summands[K];

/* The least of each of K hash functions a * x + b over the set. */
TEXT_VARIANTS static void
permutations (const guint64 *grams, gsize n, guint32 *restrict sketch)
{
  memset (sketch, 0xff, K * sizeof *sketch);
  for (gsize i = 0; i < n; i++)
    {
      guint32 x = (guint32) (grams[i] >> 32);

      for (guint k = 0; k < K; k++)
        {
          guint32 value = x * factors[k] + summands[k];

          sketch[k] = MIN (sketch[k], value);
        }
    }
}

int
main (void)
{
  static const guint sizes[] = { 10, 30, 100, 300, 1000, 3000, 10000 };
  g_autofree guint64 *grams = g_new (guint64, 10000);
  guint64 x = 1, sink = 0;
  guint32 sketch[K];

  for (guint i = 0; i < 10000; i++)
    grams[i] = x = x * G_GUINT64_CONSTANT (6364136223846793005) + 1442695040888963407u;
  for (guint k = 0; k < K; k++)
    {
      factors[k] = (guint32) (grams[k] >> 32) | 1;
      summands[k] = (guint32) (grams[k + K] >> 32);
    }
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      guint n = sizes[s], rounds = 20000000 / (n * 8 + 4000);
      gint64 start = g_get_monotonic_time (), middle;

      for (guint i = 0; i < rounds; i++)
        {
          text_sketch (grams, n, sketch, K);
          sink += sketch[i % K];
        }
      middle = g_get_monotonic_time ();
      for (guint i = 0; i < rounds; i++)
        {
          permutations (grams, n, sketch);
          sink += sketch[i % K];
        }
      printf ("%5u grams: sketch %7.2f us, %u permutations %8.2f us\n", n,
              (double) (middle - start) / rounds, K,
              (double) (g_get_monotonic_time () - middle) / rounds);
    }
  return sink == 42;
}
