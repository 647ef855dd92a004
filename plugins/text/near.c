/* SPDX-License-Identifier: Apache-2.0 */
/* near.c: see near.h. */
#include "config.h"

#include "text/near.h"

#include <stdlib.h>

#include "text/grams.h"

#define UNITS 3
#define BANDS 16
#define BAND_ROWS 5

/* A held-out text: its grams, sorted, each once, in TextNear.grams. */
typedef struct
{
  gsize at, n;
  double best;
  guint64 seen; /* the training row it was compared with last, so that it is once */
} Row;

/* A band of a held-out row, found by its hash. */
typedef struct
{
  guint64 hash;
  guint32 row;
} Band;

struct _TextNear
{
  GArray *rows;  /* Row */
  GArray *grams; /* guint64 */
  GArray *bands; /* Band, sorted when the first training row comes */
  gboolean sorted;
  guint64 n_training;
  GArray *own; /* guint64: grams of the text at hand */
};

TextNear *
text_near_new (void)
{
  TextNear *near = g_new0 (TextNear, 1);

  near->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  near->grams = g_array_new (FALSE, FALSE, sizeof (guint64));
  near->bands = g_array_new (FALSE, FALSE, sizeof (Band));
  near->own = g_array_new (FALSE, FALSE, sizeof (guint64));
  return near;
}

void
text_near_free (TextNear *near)
{
  if (near == NULL)
    return;
  g_array_unref (near->rows);
  g_array_unref (near->grams);
  g_array_unref (near->bands);
  g_array_unref (near->own);
  g_free (near);
}

/* ---- a text as a set, and its bands ---------------------------------------------------------- */

static int
hash_order (const void *a, const void *b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return (x > y) - (x < y);
}

static void
add_gram (guint64 gram, gpointer data)
{
  g_array_append_val ((GArray *) data, gram);
}

static void
take_grams (GArray *own, FrStr text)
{
  guint64 *grams;
  guint n = 0;

  g_array_set_size (own, 0);
  text_grams (text, UNITS, add_gram, own);
  g_array_sort (own, hash_order);
  grams = (guint64 *) (gpointer) own->data;
  for (guint i = 0; i < own->len; i++)
    if (n == 0 || grams[n - 1] != grams[i])
      grams[n++] = grams[i];
  g_array_set_size (own, n);
}

/* A family of hash functions: an odd factor and a summand for each (multiply-shift, Dietzfelbinger
 * 1997), both of splitmix64. */
static guint64
constant (guint64 i)
{
  guint64 z = (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* The least value of each hash function over the set; of each band of them a hash. */
static void
make_bands (const GArray *own, guint64 bands[BANDS])
{
  for (guint band = 0; band < BANDS; band++)
    {
      bands[band] = band;
      for (guint r = 0; r < BAND_ROWS; r++)
        {
          guint64 k = band * BAND_ROWS + r, factor = constant (2 * k) | 1;
          guint64 summand = constant (2 * k + 1);
          guint32 least = G_MAXUINT32;

          for (guint i = 0; i < own->len; i++)
            least = MIN (least,
                         (guint32) ((g_array_index (own, guint64, i) * factor + summand) >> 32));
          bands[band] = constant (bands[band] ^ least);
        }
    }
}

/* ---- both sides ------------------------------------------------------------------------------ */

void
text_near_held_out (TextNear *near, FrStr text)
{
  Row row = { .at = near->grams->len, .seen = G_MAXUINT64 };
  guint64 bands[BANDS];

  take_grams (near->own, text);
  row.n = near->own->len;
  if (row.n > 0)
    {
      g_array_append_vals (near->grams, near->own->data, near->own->len);
      make_bands (near->own, bands);
      for (guint band = 0; band < BANDS; band++)
        {
          Band one = { bands[band], near->rows->len };

          g_array_append_val (near->bands, one);
        }
    }
  g_array_append_val (near->rows, row);
  near->sorted = FALSE;
}

static int
band_order (const void *a, const void *b)
{
  const Band *x = a, *y = b;

  if (x->hash != y->hash)
    return x->hash < y->hash ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static double
jaccard (const guint64 *a, gsize n, const guint64 *b, gsize m)
{
  gsize shared = 0;

  for (gsize i = 0, j = 0; i < n && j < m;)
    if (a[i] < b[j])
      i++;
    else if (a[i] > b[j])
      j++;
    else
      shared++, i++, j++;
  return (double) shared / (double) (n + m - shared);
}

static void
compare (TextNear *near, guint32 at)
{
  Row *row = &g_array_index (near->rows, Row, at);
  double index;

  if (row->seen == near->n_training)
    return;
  row->seen = near->n_training;
  index = jaccard (&g_array_index (near->grams, guint64, row->at), row->n,
                   (const guint64 *) (gpointer) near->own->data, near->own->len);
  row->best = MAX (row->best, index);
}

/* The first band whose hash is not below @hash. */
static guint
lower_bound (const GArray *bands, guint64 hash)
{
  guint low = 0, high = bands->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (bands, Band, middle).hash < hash)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
text_near_training (TextNear *near, FrStr text)
{
  guint64 bands[BANDS];

  if (!near->sorted)
    g_array_sort (near->bands, band_order);
  near->sorted = TRUE;
  take_grams (near->own, text);
  if (near->own->len == 0 || near->bands->len == 0)
    return;
  make_bands (near->own, bands);
  for (guint band = 0; band < BANDS; band++)
    for (guint i = lower_bound (near->bands, bands[band]);
         i < near->bands->len && g_array_index (near->bands, Band, i).hash == bands[band]; i++)
      compare (near, g_array_index (near->bands, Band, i).row);
  near->n_training++;
}

double
text_near_best (const TextNear *near, gsize row)
{
  return row < near->rows->len ? g_array_index (near->rows, Row, row).best : 0;
}
