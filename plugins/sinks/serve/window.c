/* SPDX-License-Identifier: Apache-2.0 */
/* window.c: the last while of a revision's requests, in slices that are forgotten one by one.
 *
 * Times are counted in buckets of an eighth of an octave, so a percentile is right to 12.5 % at
 * worst, and within a bucket is taken in proportion.  The window moves by a tenth of its length.
 */
#include "config.h"

#include <string.h>

#include "models-private.h"

#define N_SLICES 10
#define PARTS 8    /* of an octave */
#define OCTAVES 36 /* up to 2^36 µs, 19 hours */
#define N_BUCKETS (PARTS * OCTAVES)
#define NINETY_FIVE 0.95

typedef struct
{
  gint64 number; /* of the slice of time that it holds */
  guint64 n, faults;
  guint32 buckets[N_BUCKETS];
} Slice;

struct _ServeWindow
{
  gint64 slice; /* µs */
  Slice slices[N_SLICES];
};

ServeWindow *
serve_window_new (gint64 length)
{
  ServeWindow *window = g_new0 (ServeWindow, 1);

  window->slice = MAX (length / N_SLICES, 1);
  for (guint i = 0; i < N_SLICES; i++)
    window->slices[i].number = -1;
  return window;
}

void
serve_window_free (ServeWindow *window)
{
  g_free (window);
}

/* Octave o is [2^o, 2^(o + 1)); below 8 µs every number has its own bucket. */
static guint
bucket_of (gint64 us)
{
  guint64 value = (guint64) CLAMP (us, 0, ((gint64) 1 << OCTAVES) - 1);
  guint octave;

  if (value < PARTS)
    return (guint) value;
  octave = 63 - (guint) __builtin_clzll (value);
  return (octave - 2) * PARTS + (guint) ((value >> (octave - 3)) & (PARTS - 1));
}

static double
bucket_low (guint bucket)
{
  guint octave = bucket / PARTS + 2;

  if (bucket < PARTS)
    return bucket;
  return (double) ((guint64) (PARTS + bucket % PARTS) << (octave - 3));
}

void
serve_window_add (ServeWindow *window, gint64 now, gint64 us, gboolean fault)
{
  gint64 number = now / window->slice;
  Slice *slice = &window->slices[number % N_SLICES];

  if (slice->number != number)
    {
      memset (slice, 0, sizeof *slice);
      slice->number = number;
    }
  slice->n++;
  slice->faults += fault ? 1 : 0;
  slice->buckets[bucket_of (us)]++;
}

static gint64
percentile (const guint64 *buckets, guint64 n)
{
  double wanted = NINETY_FIVE * (double) n, before = 0;

  for (guint i = 0; i < N_BUCKETS; i++)
    {
      double here = (double) buckets[i], low = bucket_low (i);

      if (here > 0 && before + here >= wanted)
        return (gint64) (low + (bucket_low (i + 1) - low) * (wanted - before) / here);
      before += here;
    }
  return 0;
}

void
serve_window_look (ServeWindow *window, gint64 now, ServeWindowFigures *figures)
{
  guint64 buckets[N_BUCKETS] = { 0 };
  gint64 number = now / window->slice;

  memset (figures, 0, sizeof *figures);
  for (guint i = 0; i < N_SLICES; i++)
    {
      const Slice *slice = &window->slices[i];

      if (slice->number < 0 || slice->number <= number - N_SLICES || slice->number > number)
        continue;
      figures->n += slice->n;
      figures->faults += slice->faults;
      for (guint k = 0; k < N_BUCKETS; k++)
        buckets[k] += slice->buckets[k];
    }
  figures->p95 = percentile (buckets, figures->n);
}
