/* SPDX-License-Identifier: Apache-2.0 */
/* cluster-private.h: what the three files of cluster.h share. */
#ifndef FLOWRUN_TEXT_CLUSTER_PRIVATE_H
#define FLOWRUN_TEXT_CLUSTER_PRIVATE_H

#include <math.h>

#include "text/cluster.h"
#include "text/store.h"

#define BLOCK_TEXTS 1024

#define DIFFER_BITS 16
#define N_DIFFER (1u << DIFFER_BITS)

/* Where a text lies. */
typedef struct
{
  guint64 offset, len;
} Place;

/* A text that goes. */
typedef struct
{
  guint32 text, kept;
  double index;
} Fate;

struct _TextCluster
{
  TextClusterRule rule;
  guint64 memory; /* of one of the stores, or of the threads together */
  char *dir;
  TextStore *texts, *places, *sketches, *bands;
  guint64 *band_block; /* [bands][BLOCK_TEXTS] */
  gsize sketch_size;
  guint least_equal;
  gboolean sealed;
  guint32 *parents;
  gsize room;
  guint32 n;
  GArray *fates; /* Fate, by text */
  TextClusterCounts counts;
};

typedef struct
{
  TextCluster *c;
  TextGrams *grams;
  GByteArray *texts[2];
  guint8 *sketches[2];
  guint64 *differ;
  GError *error;
} Comparer;

Comparer *text_comparer_new (TextCluster *c);
void text_comparer_free (Comparer *comparer);
/* All of these: FALSE when comparer->error is set. */
gboolean text_comparer_index (Comparer *comparer, guint32 a, guint32 b, double *index);
gboolean text_comparer_promising (Comparer *comparer, guint32 a, guint32 b, gboolean *promising);
gboolean text_comparer_near (Comparer *comparer, guint32 a, guint32 b, gboolean *near);

/* Whether two texts whose sketches are alike are near by their @index: with
 * SimHash they need but share anything at all. */
static inline gboolean
text_cluster_enough (const TextCluster *c, double index)
{
  return c->rule.simhash ? index > 0 : index >= c->rule.threshold;
}

guint text_cluster_least_equal (guint hashes, double threshold);
gboolean text_cluster_seal (TextCluster *c, GError **error);
void text_cluster_unite (TextCluster *c, guint32 a, guint32 b);

#endif
