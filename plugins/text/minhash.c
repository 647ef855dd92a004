/* SPDX-License-Identifier: Apache-2.0 */
/* minhash.c: see minhash.h. */
#include "config.h"

#include "text/minhash.h"

#include <math.h>
#include <string.h>

#include "text/variants.h"

/* splitmix64, whose constants these are. */
static inline guint64
scramble (guint64 z)
{
  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* ---- MinHash --------------------------------------------------------------------------------- */

/* A value holds the round in its top bits, so that no later round can beat an
 * earlier one: what a bin got first it keeps.  In the first rounds an element
 * goes to one bin; in the last, which small sets come to, each goes to every
 * bin, as it would with so many permutations.  Whoever stops earlier has the
 * values that going on would give. */
#define EMPTY G_MAXUINT32
#define VALUE_BITS 21
#define N_ROUNDS 8

static void
throw_once (const guint64 *grams, gsize n, guint32 *sketch, guint shift)
{
  for (gsize i = 0; i < n; i++)
    {
      guint64 bin = grams[i] >> shift;
      guint32 value = (guint32) grams[i] & ((1u << VALUE_BITS) - 1);

      sketch[bin] = MIN (sketch[bin], value);
    }
}

static guint
count_empty (const guint32 *sketch, guint k)
{
  guint n = 0;

  for (guint i = 0; i < k; i++)
    n += sketch[i] == EMPTY;
  return n;
}

static void
throw_again (const guint64 *grams, gsize n, guint32 *sketch, guint shift, guint64 round)
{
  guint64 salt = scramble (round * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  for (gsize i = 0; i < n; i++)
    {
      guint64 hash = scramble (grams[i] + salt);
      guint64 bin = hash >> shift;
      guint32 value = (guint32) (round << VALUE_BITS) | ((guint32) hash & ((1u << VALUE_BITS) - 1));

      sketch[bin] = MIN (sketch[bin], value);
    }
}

/* A factor and a summand for each permutation (multiply-shift, Dietzfelbinger 1997). */
typedef struct
{
  guint32 factors[TEXT_SKETCH_MOST], summands[TEXT_SKETCH_MOST];
} Family;

static const Family *
family (void)
{
  static Family *known;

  if (g_once_init_enter (&known))
    {
      Family *f = g_new (Family, 1);

      for (guint i = 0; i < TEXT_SKETCH_MOST; i++)
        {
          guint64 random = scramble ((i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

          f->factors[i] = (guint32) random | 1;
          f->summands[i] = (guint32) (random >> 32);
        }
      g_once_init_leave (&known, f);
    }
  return known;
}

TEXT_VARIANTS static void
throw_everywhere (const guint64 *restrict grams, gsize n, const guint32 *restrict factors,
                  const guint32 *restrict summands, guint32 *restrict least, guint k)
{
  for (guint i = 0; i < k; i++)
    least[i] = EMPTY;
  for (gsize i = 0; i < n; i++)
    {
      guint32 x = (guint32) (grams[i] >> 32);

      for (guint bin = 0; bin < k; bin++)
        {
          guint32 value = x * factors[bin] + summands[bin];

          least[bin] = MIN (least[bin], value);
        }
    }
}

static void
fill_empty (const guint64 *grams, gsize n, guint32 *sketch, guint k)
{
  guint32 least[TEXT_SKETCH_MOST];
  const Family *f = family ();

  throw_everywhere (grams, n, f->factors, f->summands, least, k);
  for (guint bin = 0; bin < k; bin++)
    if (sketch[bin] == EMPTY)
      sketch[bin] = N_ROUNDS << VALUE_BITS | least[bin] >> (32 - VALUE_BITS);
}

void
text_sketch (const guint64 *grams, gsize n, guint32 *sketch, guint k)
{
  guint shift = 64, empty;

  g_assert (k > 1 && k <= TEXT_SKETCH_MOST && (k & (k - 1)) == 0);
  for (guint bits = k; bits > 1; bits >>= 1)
    shift--;
  memset (sketch, 0xff, k * sizeof *sketch);
  if (n == 0)
    return;
  throw_once (grams, n, sketch, shift);
  empty = count_empty (sketch, k);
  for (guint64 round = 1; empty > 0 && round < N_ROUNDS; round++)
    {
      throw_again (grams, n, sketch, shift, round);
      empty = count_empty (sketch, k);
    }
  if (empty > 0)
    fill_empty (grams, n, sketch, k);
}

void
text_sketch_bands (guint k, double threshold, double recall, guint *bands, guint *rows)
{
  guint best = 1;

  for (guint r = 1; r <= k; r++)
    if (1 - pow (1 - pow (threshold, r), (double) (k / r)) >= recall)
      best = r;
  *rows = best;
  *bands = k / best;
}

guint64
text_sketch_band (const guint32 *sketch, guint band, guint rows)
{
  guint64 hash = scramble (band + 1);

  for (guint i = 0; i < rows; i++)
    hash = scramble (hash + sketch[band * rows + i]);
  return hash;
}

/* ---- SimHash --------------------------------------------------------------------------------- */

/* Bit by bit, how many hashes have it: counted in eight bytes at a time, for at
 * most 255 hashes, then added up. */
guint64
text_simhash (const guint64 *grams, gsize n)
{
  guint64 counts[64] = { 0 }, result = 0;

  for (gsize from = 0; from < n; from += 255)
    {
      gsize to = MIN (n, from + 255);
      guint64 lanes[8] = { 0 };

      for (gsize i = from; i < to; i++)
        for (guint k = 0; k < 8; k++)
          lanes[k] += grams[i] >> k & G_GUINT64_CONSTANT (0x0101010101010101);
      for (guint bit = 0; bit < 64; bit++)
        counts[bit] += lanes[bit & 7] >> (bit & ~7u) & 0xff;
    }
  for (guint bit = 0; bit < 64; bit++)
    if (counts[bit] * 2 > n)
      result |= (guint64) 1 << bit;
  return result;
}
