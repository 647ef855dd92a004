/* SPDX-License-Identifier: Apache-2.0 */
/* simhash.h: pages that say nearly the same.
 *
 * SimHash (Charikar, Similarity Estimation Techniques from Rounding
 * Algorithms, STOC 2002) of 64 bits over the grams of a text (text/grams.h:
 * characters where blanks do not separate words), found by the permuted tables
 * of Manku, Jain, Das Sarma, Detecting Near-Duplicates for Web Crawling, WWW
 * 2007: of k + 1 pieces of the 64 bits, two hashes that differ in at most k
 * bits have one piece equal.
 *
 * Since a hash of 64 bits forgets much of short texts, texts of fewer than
 * SIMHASH_LEAST grams have none.
 */
#ifndef CRAWLER_SIMHASH_H
#define CRAWLER_SIMHASH_H

#include <flowrun/batch.h>

#define SIMHASH_LEAST 64
#define SIMHASH_MAX_DISTANCE 7

/** simhash: FALSE when @text is too short to have one. */
gboolean simhash (FrStr text, guint64 *hash);

typedef struct _SimIndex SimIndex;

/** sim_index_new: finds hashes at most @distance bits away, at most SIMHASH_MAX_DISTANCE. */
SimIndex *sim_index_new (guint distance);
void sim_index_free (SimIndex *index);
/** sim_index_find: the earliest added that is near enough; FALSE: none. */
gboolean sim_index_find (const SimIndex *index, guint64 hash, guint32 *tag);
void sim_index_add (SimIndex *index, guint64 hash, guint32 tag);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimIndex, sim_index_free)

#endif
