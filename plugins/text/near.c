/* SPDX-License-Identifier: Apache-2.0 */
/* near.c: see near.h. */
#include "config.h"

#include "text/near.h"

#include "text/grams.h"
#include "text/minhash.h"

#define UNITS 3
#define HASHES 128
#define BANDS 25
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
  TextGrams *own; /* of the text at hand */
};

TextNear *
text_near_new (void)
{
  static const TextGramRule rule = { TEXT_GRAM_WORDS, .characters = UNITS, .words = UNITS };
  TextNear *near = g_new0 (TextNear, 1);

  near->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  near->grams = g_array_new (FALSE, FALSE, sizeof (guint64));
  near->bands = g_array_new (FALSE, FALSE, sizeof (Band));
  near->own = text_grams_new (&rule);
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
  text_grams_free (near->own);
  g_free (near);
}

/* ---- a text as a set, and its bands ---------------------------------------------------------- */

/* Texts shorter than a gram have none here. */
static const guint64 *
set_of (TextNear *near, FrStr text, gsize *n, guint64 bands[BANDS])
{
  guint32 sketch[HASHES];
  gboolean whole;
  const guint64 *set = text_grams_set (near->own, text, n, &whole);

  if (whole)
    *n = 0;
  if (*n == 0)
    return set;
  text_sketch (set, *n, sketch, HASHES);
  for (guint band = 0; band < BANDS; band++)
    bands[band] = text_sketch_band (sketch, band, BAND_ROWS);
  return set;
}

/* ---- both sides ------------------------------------------------------------------------------ */

void
text_near_held_out (TextNear *near, FrStr text)
{
  Row row = { .at = near->grams->len, .seen = G_MAXUINT64 };
  guint64 bands[BANDS];
  const guint64 *set = set_of (near, text, &row.n, bands);

  if (row.n > 0)
    {
      g_array_append_vals (near->grams, set, (guint) row.n);
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

static void
compare (TextNear *near, guint32 at, const guint64 *set, gsize n)
{
  Row *row = &g_array_index (near->rows, Row, at);
  double index;

  if (row->seen == near->n_training)
    return;
  row->seen = near->n_training;
  index = text_sets_index (&g_array_index (near->grams, guint64, row->at), row->n, set, n);
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
  const guint64 *set;
  gsize n;

  if (!near->sorted)
    g_array_sort (near->bands, band_order);
  near->sorted = TRUE;
  set = set_of (near, text, &n, bands);
  if (n == 0 || near->bands->len == 0)
    return;
  for (guint band = 0; band < BANDS; band++)
    for (guint i = lower_bound (near->bands, bands[band]);
         i < near->bands->len && g_array_index (near->bands, Band, i).hash == bands[band]; i++)
      compare (near, g_array_index (near->bands, Band, i).row, set, n);
  near->n_training++;
}

double
text_near_best (const TextNear *near, gsize row)
{
  return row < near->rows->len ? g_array_index (near->rows, Row, row).best : 0;
}
