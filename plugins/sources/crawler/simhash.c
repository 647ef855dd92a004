/* SPDX-License-Identifier: Apache-2.0 */
/* simhash.c: see simhash.h. */
#include "config.h"

#include "simhash.h"
#include "text/grams.h"

#define UNITS 3

typedef struct
{
  gint32 votes[64];
  guint n;
} Votes;

/* The finaliser of SplitMix64: a rolling hash is too regular to vote with. */
static guint64
mix (guint64 x)
{
  x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static void
on_gram (guint64 gram, gpointer data)
{
  Votes *v = data;
  guint64 bits = mix (gram);

  for (guint i = 0; i < 64; i++)
    v->votes[i] += (gint32) ((bits >> i & 1) * 2) - 1;
  v->n++;
}

gboolean
simhash (FrStr text, guint64 *hash)
{
  Votes v = { { 0 }, 0 };

  text_grams (text, UNITS, on_gram, &v);
  *hash = 0;
  for (guint i = 0; i < 64; i++)
    *hash |= (guint64) (v.votes[i] > 0) << i;
  return v.n >= SIMHASH_LEAST;
}

/* ---- the index -------------------------------------------------------------------- */

typedef struct
{
  guint64 hash;
  guint32 tag;
} Page;

struct _SimIndex
{
  guint distance;
  GArray *pages;
  GHashTable *pieces[SIMHASH_MAX_DISTANCE + 1]; /* value of a piece → GArray of places in pages */
};

SimIndex *
sim_index_new (guint distance)
{
  SimIndex *index = g_new0 (SimIndex, 1);

  index->distance = MIN (distance, SIMHASH_MAX_DISTANCE);
  index->pages = g_array_new (FALSE, FALSE, sizeof (Page));
  for (guint i = 0; i <= index->distance; i++)
    index->pieces[i] = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  return index;
}

void
sim_index_free (SimIndex *index)
{
  if (index == NULL)
    return;
  for (guint i = 0; i <= index->distance; i++)
    g_hash_table_unref (index->pieces[i]);
  g_array_unref (index->pages);
  g_free (index);
}

static gpointer
piece (const SimIndex *index, guint64 hash, guint i)
{
  guint n = index->distance + 1, from = 64 * i / n, to = 64 * (i + 1) / n;
  guint64 value = n == 1 ? hash : hash >> from & ((G_GUINT64_CONSTANT (1) << (to - from)) - 1);

  return GSIZE_TO_POINTER (value);
}

gboolean
sim_index_find (const SimIndex *index, guint64 hash, guint32 *tag)
{
  guint32 best = G_MAXUINT32;

  for (guint i = 0; i <= index->distance; i++)
    {
      const GArray *places = g_hash_table_lookup (index->pieces[i], piece (index, hash, i));

      for (guint k = 0; places && k < places->len; k++)
        {
          guint32 place = g_array_index (places, guint32, k);

          if (place >= best)
            break;
          if ((guint) __builtin_popcountll (g_array_index (index->pages, Page, place).hash ^ hash)
              <= index->distance)
            best = place;
        }
    }
  if (best == G_MAXUINT32)
    return FALSE;
  *tag = g_array_index (index->pages, Page, best).tag;
  return TRUE;
}

void
sim_index_add (SimIndex *index, guint64 hash, guint32 tag)
{
  Page page = { hash, tag };
  guint32 place = index->pages->len;

  g_array_append_val (index->pages, page);
  for (guint i = 0; i <= index->distance; i++)
    {
      gpointer key = piece (index, hash, i);
      GArray *places = g_hash_table_lookup (index->pieces[i], key);

      if (places == NULL)
        {
          places = g_array_new (FALSE, FALSE, sizeof (guint32));
          g_hash_table_insert (index->pieces[i], key, places);
        }
      g_array_append_val (places, place);
    }
}
