/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.c: see cluster.h: what is kept of texts, when two are near, and which belong together.
 *
 * Where near pairs are looked for is cluster-join.c, who stays cluster-choose.c.
 */
#include "config.h"

#include <string.h>

#include "text/cluster-private.h"
#include "text/minhash.h"
#include "text/variants.h"

/* ---- a cluster ----------------------------------------------------------------------------------
 */

TextCluster *
text_cluster_new (const TextClusterRule *rule, guint64 memory, const char *spill_dir)
{
  TextCluster *c = g_new0 (TextCluster, 1);
  guint64 part = memory / 4;

  c->rule = *rule;
  c->memory = part;
  c->dir = g_strdup (spill_dir);
  if (rule->simhash)
    {
      c->sketch_size = sizeof (guint64);
      c->counts.bands = (rule->distance + 2) * (rule->distance + 1) / 2;
      c->counts.rows = 2;
    }
  else
    {
      text_sketch_bands (rule->hashes, rule->threshold, rule->recall, &c->counts.bands,
                         &c->counts.rows);
      c->sketch_size = rule->hashes;
      c->least_equal = text_cluster_least_equal (rule->hashes, rule->threshold);
      c->band_block = g_new (guint64, c->counts.bands * BLOCK_TEXTS);
    }
  c->texts = text_store_new (part, spill_dir);
  c->places = text_store_new (part / 4, spill_dir);
  c->sketches = text_store_new (part, spill_dir);
  c->bands = text_store_new (part, spill_dir);
  c->fates = g_array_new (FALSE, FALSE, sizeof (Fate));
  return c;
}

void
text_cluster_free (TextCluster *c)
{
  if (c == NULL)
    return;
  text_store_free (c->texts);
  text_store_free (c->places);
  text_store_free (c->sketches);
  text_store_free (c->bands);
  g_array_unref (c->fates);
  g_free (c->band_block);
  g_free (c->parents);
  g_free (c->dir);
  g_free (c);
}

guint32
text_cluster_size (const TextCluster *c)
{
  return c->n;
}

guint64
text_cluster_spilled (const TextCluster *c)
{
  return text_store_spilled (c->texts) + text_store_spilled (c->places)
         + text_store_spilled (c->sketches) + text_store_spilled (c->bands);
}

const TextClusterCounts *
text_cluster_counts (const TextCluster *c)
{
  return &c->counts;
}

/* ---- texts -------------------------------------------------------------------------------------
 */

gsize
text_cluster_item_size (const TextCluster *c)
{
  return c->rule.simhash ? sizeof (guint64) : c->counts.bands * sizeof (guint64) + c->sketch_size;
}

/* An item is the bands and a byte of each value of the sketch: two sets that
 * differ in a value agree in its byte once in 256 times. */
void
text_cluster_describe (const TextCluster *c, TextGrams *grams, FrStr text, guint8 *item)
{
  guint32 sketch[TEXT_SKETCH_MOST];
  gsize n;
  const guint64 *hashes = text_grams_of (grams, text, &n, NULL);

  if (c->rule.simhash)
    {
      guint64 bits = text_simhash (hashes, n);

      memcpy (item, &bits, sizeof bits);
      return;
    }
  text_sketch (hashes, n, sketch, c->rule.hashes);
  for (guint band = 0; band < c->counts.bands; band++)
    {
      guint64 hash = text_sketch_band (sketch, band, c->counts.rows);

      memcpy (item + band * sizeof hash, &hash, sizeof hash);
    }
  item += c->counts.bands * sizeof (guint64);
  for (guint i = 0; i < c->rule.hashes; i++)
    item[i] = (guint8) ((sketch[i] * 0x9e3779b1u) >> 24);
}

/* Bands lie by band within blocks of texts, so that one band is read in pieces of some KiB. */
static gboolean
flush_bands (TextCluster *c, GError **error)
{
  guint n = c->n % BLOCK_TEXTS == 0 ? BLOCK_TEXTS : c->n % BLOCK_TEXTS;

  for (guint band = 0; band < c->counts.bands; band++)
    if (!text_store_append (c->bands, c->band_block + band * BLOCK_TEXTS, n * sizeof (guint64),
                            NULL, error))
      return FALSE;
  return TRUE;
}

gboolean
text_cluster_seal (TextCluster *c, GError **error)
{
  if (c->sealed)
    return TRUE;
  c->sealed = TRUE;
  return c->rule.simhash || c->n % BLOCK_TEXTS == 0 || flush_bands (c, error);
}

static void
add_parent (TextCluster *c)
{
  if (c->n == c->room)
    {
      c->room = MAX (1024, c->room + c->room / 2);
      c->parents = g_renew (guint32, c->parents, c->room);
    }
  c->parents[c->n] = c->n;
}

gboolean
text_cluster_add (TextCluster *c, FrStr text, const guint8 *item, GError **error)
{
  Place place = { .len = text.len };
  gsize bands_size = c->rule.simhash ? 0 : c->counts.bands * sizeof (guint64);

  g_return_val_if_fail (!c->sealed, FALSE);
  if (c->n == G_MAXUINT32 - 1)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "there are more than %u different texts; near-duplicates are found among fewer. "
                   "Split the input, or use method exact",
                   G_MAXUINT32 - 1);
      return FALSE;
    }
  if (!text_store_append (c->texts, text.data, text.len, &place.offset, error)
      || !text_store_append (c->places, &place, sizeof place, NULL, error)
      || !text_store_append (c->sketches, item + bands_size, c->sketch_size, NULL, error))
    return FALSE;
  for (guint band = 0; band < bands_size / sizeof (guint64); band++)
    memcpy (c->band_block + band * BLOCK_TEXTS + c->n % BLOCK_TEXTS, item + band * sizeof (guint64),
            sizeof (guint64));
  add_parent (c);
  c->n++;
  return c->rule.simhash || c->n % BLOCK_TEXTS != 0 || flush_bands (c, error);
}

/* ---- two texts ---------------------------------------------------------------------------------
 */

/* What a thread needs to compare. */
Comparer *
text_comparer_new (TextCluster *c)
{
  Comparer *comparer = g_new0 (Comparer, 1);

  comparer->c = c;
  comparer->grams = text_grams_new (&c->rule.grams);
  for (guint i = 0; i < 2; i++)
    {
      comparer->texts[i] = g_byte_array_new ();
      comparer->sketches[i] = g_malloc (c->sketch_size);
    }
  comparer->differ = g_new0 (guint64, N_DIFFER);
  return comparer;
}

void
text_comparer_free (Comparer *comparer)
{
  if (comparer == NULL)
    return;
  text_grams_free (comparer->grams);
  for (guint i = 0; i < 2; i++)
    {
      g_byte_array_unref (comparer->texts[i]);
      g_free (comparer->sketches[i]);
    }
  g_free (comparer->differ);
  g_clear_error (&comparer->error);
  g_free (comparer);
}

static gboolean
take_text (Comparer *comparer, guint which, guint32 text, FrStr *out)
{
  TextCluster *c = comparer->c;
  GByteArray *buffer = comparer->texts[which];
  Place place;
  gconstpointer here;

  if (!text_store_read (c->places, text * (guint64) sizeof place, &place, sizeof place,
                        &comparer->error))
    return FALSE;
  here = text_store_peek (c->texts, place.offset, place.len);
  if (here == NULL && place.len > 0)
    {
      g_byte_array_set_size (buffer, (guint) place.len);
      if (!text_store_read (c->texts, place.offset, buffer->data, place.len, &comparer->error))
        return FALSE;
      here = buffer->data;
    }
  *out = (FrStr){ here, place.len };
  return TRUE;
}

static const guint8 *
take_sketch (Comparer *comparer, guint which, guint32 text)
{
  TextCluster *c = comparer->c;
  guint64 offset = text * (guint64) c->sketch_size;
  const guint8 *here = text_store_peek (c->sketches, offset, c->sketch_size);

  if (here != NULL)
    return here;
  return text_store_read (c->sketches, offset, comparer->sketches[which], c->sketch_size,
                          &comparer->error)
             ? comparer->sketches[which]
             : NULL;
}

gboolean
text_comparer_index (Comparer *comparer, guint32 a, guint32 b, double *index)
{
  FrStr x, y;

  if (!take_text (comparer, 0, a, &x) || !take_text (comparer, 1, b, &y))
    return FALSE;
  *index = text_grams_index (comparer->grams, x, y);
  return TRUE;
}

TEXT_VARIANTS static guint
count_equal (const guint8 *restrict a, const guint8 *restrict b, gsize n)
{
  guint equal = 0;

  for (gsize from = 0; from < n; from += 128)
    {
      guint8 part = 0;
      gsize to = MIN (n, from + 128);

      for (gsize i = from; i < to; i++)
        part += a[i] == b[i];
      equal += part;
    }
  return equal;
}

/* How many values two sets of index @threshold share at the very least: five
 * standard deviations below what is to be expected, which is one pair in
 * millions. */
guint
text_cluster_least_equal (guint hashes, double threshold)
{
  double odds = threshold + (1 - threshold) / 256;
  double least = hashes * odds - 5 * sqrt (hashes * odds * (1 - odds));

  return least > 0 ? (guint) least : 0;
}

/* Whether it is worth while to compare @a and @b. */
gboolean
text_comparer_promising (Comparer *comparer, guint32 a, guint32 b, gboolean *promising)
{
  const TextCluster *c = comparer->c;
  const guint8 *x = take_sketch (comparer, 0, a), *y = take_sketch (comparer, 1, b);

  if (x == NULL || y == NULL)
    return FALSE;
  if (c->rule.simhash)
    {
      guint64 p, q;

      memcpy (&p, x, sizeof p);
      memcpy (&q, y, sizeof q);
      *promising = (guint) __builtin_popcountll (p ^ q) <= c->rule.distance;
    }
  else
    *promising = count_equal (x, y, c->sketch_size) >= c->least_equal;
  return TRUE;
}

/* The same pair may come up in many bands: those that were no match are remembered for a while. */
static gboolean
seen_to_differ (const Comparer *comparer, guint32 a, guint32 b, guint64 **slot)
{
  guint64 pair = (guint64) a << 32 | b;

  *slot = &comparer->differ[(pair * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> (64 - DIFFER_BITS)];
  return **slot == pair;
}

gboolean
text_comparer_near (Comparer *comparer, guint32 a, guint32 b, gboolean *near)
{
  guint64 *slot;
  double index;

  *near = FALSE;
  if (!text_comparer_promising (comparer, a, b, near))
    return FALSE;
  if (!*near)
    return TRUE;
  *near = FALSE;
  if (seen_to_differ (comparer, a, b, &slot))
    return TRUE;
  if (!text_comparer_index (comparer, a, b, &index))
    return FALSE;
  *near = text_cluster_enough (comparer->c, index);
  if (!*near)
    *slot = (guint64) a << 32 | b;
  return TRUE;
}

/* ---- union-find --------------------------------------------------------------------------------
 */

/* A parent is never larger than its child, so the root of a cluster is its
 * first text, whoever joined what when; and every change is one compare and
 * swap, so threads need no lock (Anderson and Woll 1991). */
guint32
text_cluster_first (const TextCluster *c, guint32 text)
{
  for (;;)
    {
      guint32 parent = __atomic_load_n (&c->parents[text], __ATOMIC_RELAXED), grand;

      if (parent == text)
        return text;
      grand = __atomic_load_n (&c->parents[parent], __ATOMIC_RELAXED);
      if (grand != parent)
        __atomic_compare_exchange_n (&c->parents[text], &parent, grand, TRUE, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED);
      text = grand;
    }
}

void
text_cluster_unite (TextCluster *c, guint32 a, guint32 b)
{
  for (;;)
    {
      guint32 x = text_cluster_first (c, a), y = text_cluster_first (c, b);
      guint32 high = MAX (x, y), low = MIN (x, y);

      if (x == y
          || __atomic_compare_exchange_n (&c->parents[high], &high, low, FALSE, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED))
        return;
    }
}
