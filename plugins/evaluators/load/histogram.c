/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c: see histogram.h.
 *
 * With B bits, value v is in bin v below 2^B.  Above, let s be the shift that
 * brings v into [2^(B-1), 2^B): its bin is s·2^(B-1) + (v >> s).  Bins of
 * neighbouring shifts meet without a gap: (s+1)·2^(B-1) + 2^(B-1) follows
 * s·2^(B-1) + 2^B - 1.
 */
#include "config.h"

#include "histogram.h"

#include <math.h>

struct _Histogram
{
  guint bits;
  GArray *counts; /* guint64; as long as the greatest value needs */
  guint64 n;
  gint64 min, max;
  double sum;
};

Histogram *
histogram_new (guint bits)
{
  Histogram *h = g_new0 (Histogram, 1);

  h->bits = CLAMP (bits, 2, 16);
  h->counts = g_array_new (FALSE, TRUE, sizeof (guint64));
  return h;
}

void
histogram_free (Histogram *h)
{
  if (h == NULL)
    return;
  g_array_unref (h->counts);
  g_free (h);
}

static guint
bin_of (const Histogram *h, guint64 value)
{
  guint length = 64 - (value > 0 ? (guint) __builtin_clzll (value) : 64);
  guint shift = length > h->bits ? length - h->bits : 0;

  return (shift << (h->bits - 1)) + (guint) (value >> shift);
}

/* The least value of bin @i, of one beyond the last too. */
static gint64
bin_from (const Histogram *h, guint i)
{
  guint half = 1u << (h->bits - 1), shift = i >> (h->bits - 1);
  guint64 value;

  if (shift < 2)
    return i;
  shift--;
  value = (guint64) (i - shift * half);
  return shift + h->bits > 63 ? G_MAXINT64 : (gint64) (value << shift);
}

void
histogram_add (Histogram *h, gint64 value)
{
  guint i;

  value = MAX (value, 0);
  i = bin_of (h, (guint64) value);
  if (i >= h->counts->len)
    g_array_set_size (h->counts, i + 1);
  g_array_index (h->counts, guint64, i)++;
  h->min = h->n == 0 ? value : MIN (h->min, value);
  h->max = MAX (h->max, value);
  h->sum += (double) value;
  h->n++;
}

void
histogram_merge (Histogram *h, const Histogram *other)
{
  g_return_if_fail (h->bits == other->bits);
  if (other->n == 0)
    return;
  if (other->counts->len > h->counts->len)
    g_array_set_size (h->counts, other->counts->len);
  for (guint i = 0; i < other->counts->len; i++)
    g_array_index (h->counts, guint64, i) += g_array_index (other->counts, guint64, i);
  h->min = h->n == 0 ? other->min : MIN (h->min, other->min);
  h->max = MAX (h->max, other->max);
  h->sum += other->sum;
  h->n += other->n;
}

guint64
histogram_n (const Histogram *h)
{
  return h->n;
}

gint64
histogram_min (const Histogram *h)
{
  return h->min;
}

gint64
histogram_max (const Histogram *h)
{
  return h->max;
}

double
histogram_mean (const Histogram *h)
{
  return h->n > 0 ? h->sum / (double) h->n : NAN;
}

gint64
histogram_percentile (const Histogram *h, double percent)
{
  /* What is left of a product that should have been whole must not make it the next rank. */
  double rank = ceil (CLAMP (percent, 0, 100) / 100 * (double) h->n - 1e-9);
  guint64 want = rank < 1 ? 1 : (guint64) rank, before = 0;

  for (guint i = 0; i < h->counts->len; i++)
    {
      before += g_array_index (h->counts, guint64, i);
      if (before >= want && i + 1 < h->counts->len)
        return CLAMP (bin_from (h, i + 1) - 1, h->min, h->max);
    }
  return h->max;
}

double
histogram_share_over (const Histogram *h, gint64 value)
{
  guint64 over = 0;

  for (guint i = bin_of (h, (guint64) MAX (value, 0)) + 1; i < h->counts->len; i++)
    over += g_array_index (h->counts, guint64, i);
  return h->n > 0 ? (double) over / (double) h->n : 0;
}

void
histogram_each (const Histogram *h, HistogramEach each, gpointer data)
{
  for (guint i = 0; i < h->counts->len; i++)
    if (g_array_index (h->counts, guint64, i) > 0)
      each (bin_from (h, i), bin_from (h, i + 1), g_array_index (h->counts, guint64, i), data);
}
