/* SPDX-License-Identifier: Apache-2.0 */
/* sums.c: sums and maxima of a vocabulary's logits, compiled once for each instruction set. */
#include "config.h"

#include <math.h>

#include "lm/generate/sums.h"
#include "lm/simd.h"

#define BLOCK 512 /* numbers looked at for one that is larger; numbers summed in floats */
G_STATIC_ASSERT (BLOCK % W == 0);

static float
largest_of (const float *x, gsize n)
{
  vf most = vset (-INFINITY);
  float largest;
  gsize i = 0;

  for (; i + W <= n; i += W)
    most = vmax (vload (x + i), most);
  largest = vmax_all (most);
  for (; i < n; i++)
    largest = x[i] > largest ? x[i] : largest;
  return largest;
}

static gsize
find_largest (const float *x, gsize n)
{
  float largest = -INFINITY;
  gsize in = 0;

  for (gsize i = 0; i < n; i += BLOCK)
    {
      float most = largest_of (x + i, MIN (BLOCK, n - i));

      if (most > largest)
        {
          largest = most;
          in = i;
        }
    }
  for (gsize i = in; i < MIN (in + BLOCK, n); i++)
    if (x[i] == largest)
      return i;
  return 0;
}

static double
sum_exp (const float *x, gsize n, float largest, float scale)
{
  double sum = 0;

  for (gsize from = 0; from < n; from += BLOCK)
    {
      gsize to = MIN (from + BLOCK, n), i = from;
      vf some = vset (0);

      for (; i + W <= to; i += W)
        some += vexp ((vload (x + i) - vset (largest)) * vset (scale));
      sum += (double) vsum (some);
      for (; i < to; i++)
        sum += (double) expf ((x[i] - largest) * scale);
    }
  return sum;
}

static void
each_exp (const float *x, gsize n, float largest, float scale, float *out)
{
  gsize i = 0;

  for (; i + W <= n; i += W)
    vstore (out + i, vexp ((vload (x + i) - vset (largest)) * vset (scale)));
  for (; i < n; i++)
    out[i] = expf ((x[i] - largest) * scale);
}

const LmSums LM_SUMS_JOIN (LM_SUMS_VARIANT) = { find_largest, each_exp, sum_exp };
