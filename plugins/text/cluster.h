/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.h: texts that are nearly the same, among any number (libflowrun-text).
 *
 * Texts are given one by one and numbered from 0.  Then pairs worth comparing
 * are found, and compared:
 *
 *   MinHash   texts that agree in a band of their sketches (minhash.h), if the
 *             sketches as a whole do not rule it out; a pair is near when the
 *             Jaccard index of the two sets of grams (grams.h), counted out, is
 *             at least the threshold
 *   SimHash   texts whose 64 bits differ in at most `distance`, all of them
 *             (Manku, Jain and Das Sarma 2007: of distance + 2 blocks, two are
 *             equal); of the index no more is asked than that it is not 0
 *
 * Near pairs make clusters: whatever a chain of them links.  Who finds a pair
 * first cannot matter to that, so threads share the work, and a pair that is
 * linked already is not compared again unless somebody wants to hear of all.
 *
 * In a cluster one text stays; others go only if they are near to one that
 * stays, so a long chain may keep several (unless `chains`).
 *
 * Four bytes a text stay in memory, and a few for each that is near another;
 * sketches and texts go to the spill directory beyond the budget.
 */
#ifndef FLOWRUN_TEXT_CLUSTER_H
#define FLOWRUN_TEXT_CLUSTER_H

#include <gio/gio.h>

#include "text/grams.h"
#include "text/team.h"

G_BEGIN_DECLS

typedef struct _TextCluster TextCluster;

/**
 * TextClusterRule:
 * @simhash: SimHash instead of MinHash
 * @threshold: least Jaccard index of a near pair (MinHash), above 0 to 1
 * @recall: odds that a pair of just that index is found (MinHash)
 * @hashes: values of a sketch, a power of two (MinHash)
 * @distance: most bits that a near pair differs in, up to 8 (SimHash)
 * @chains: one text of a cluster stays, even where it is not near to one that goes
 */
typedef struct
{
  TextGramRule grams;
  gboolean simhash;
  double threshold, recall;
  guint hashes, distance;
  gboolean chains;
} TextClusterRule;

/** TextClusterCounts: what there was to do. */
typedef struct
{
  guint64 candidates; /* pairs that a band found, once for each band    */
  guint64 compared;   /* pairs whose index was counted out              */
  guint64 near;       /* of them, at or above the threshold             */
  guint bands, rows;
} TextClusterCounts;

TextCluster *text_cluster_new (const TextClusterRule *rule, guint64 memory, const char *spill_dir);
void text_cluster_free (TextCluster *cluster);

/** text_cluster_item_size: bytes of what text_cluster_describe() makes. */
gsize text_cluster_item_size (const TextCluster *cluster);
/** text_cluster_describe: the sketch of @text to @item; any thread, each with its own @grams of the
 * rule. */
void text_cluster_describe (const TextCluster *cluster, TextGrams *grams, FrStr text, guint8 *item);
/** text_cluster_add: the next text, and its sketch.  FR_ERROR_IO; FR_ERROR_DATA beyond 2^32 - 2
 * texts. */
gboolean text_cluster_add (TextCluster *cluster, FrStr text, const guint8 *item, GError **error);
guint32 text_cluster_size (const TextCluster *cluster);
guint64 text_cluster_spilled (const TextCluster *cluster);

/** TextPairFunc: a near pair, @a < @b; called in order of @a and @b.  FALSE with @error ends the
 * search. */
typedef gboolean (*TextPairFunc) (guint32 a, guint32 b, double index, gpointer data,
                                  GError **error);

/**
 * text_cluster_join:
 * @pairs: called for every near pair that was found; NULL if nobody wants to know, which saves work
 *
 * Finds near pairs and joins them.  FALSE with FR_ERROR_IO, what @pairs said,
 * or G_IO_ERROR_CANCELLED.
 */
gboolean text_cluster_join (TextCluster *cluster, TextTeam *team, guint threads, TextPairFunc pairs,
                            gpointer data, GCancellable *cancellable, GError **error);

/** text_cluster_first: the first text of the cluster of @text. */
guint32 text_cluster_first (const TextCluster *cluster, guint32 text);
const TextClusterCounts *text_cluster_counts (const TextCluster *cluster);

/** TextRankFunc: what decides who stays: the largest @score, then the least @at. */
typedef gboolean (*TextRankFunc) (guint32 text, gint64 *score, guint64 *at, gpointer data,
                                  GError **error);

/** text_cluster_choose: after text_cluster_join(): decides who stays. */
gboolean text_cluster_choose (TextCluster *cluster, TextTeam *team, guint threads,
                              TextRankFunc rank, gpointer data, GCancellable *cancellable,
                              GError **error);

/** text_cluster_kept: the text that stays for @text, itself if it stays; @index: of the two, 1 for
 * itself. */
guint32 text_cluster_kept (const TextCluster *cluster, guint32 text, double *index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextCluster, text_cluster_free)

G_END_DECLS

#endif
