/* SPDX-License-Identifier: Apache-2.0 */
/* minhash.h: small pictures of sets (libflowrun-text).
 *
 * A MinHash sketch (Broder 1997) of a set is k values such that two sets agree
 * in a value with the odds of their Jaccard index.  Ours is made after fast
 * similarity sketching (Dahlgaard, Knudsen and Thorup 2017): every element is
 * thrown into one of k bins, which keep their least, and thrown again with
 * another hash as long as a bin is empty; after eight rounds, which only a set
 * smaller than k has, what is still empty is filled by a permutation of its own.
 * So a large set costs a throw an element, where k permutations cost k, and a
 * small one spreads no worse than k independent hashes, where one permutation
 * with borrowed bins (densification) repeats itself.  Measured with 256 values
 * (bench-minhash): twice as quick as vectorised permutations for 300 elements, 4
 * times for 1000, 20 times for 10000; one or two microseconds slower below 100.
 *
 * Bands (Indyk and Motwani 1998): b hashes, each of r values.  Two sets of
 * index J agree in at least one with odds 1 - (1 - J^r)^b.
 *
 * A SimHash (Charikar 2002) is 64 bits that differ the less the smaller the
 * angle between two sets.
 */
#ifndef FLOWRUN_TEXT_MINHASH_H
#define FLOWRUN_TEXT_MINHASH_H

#include <glib.h>

G_BEGIN_DECLS

#define TEXT_SKETCH_MOST 1024

/**
 * text_sketch:
 * @grams: @n hashes (grams.h), repeats change nothing; @n may be 0, which is like nothing else but
 * nothing
 * @sketch: @k values, @k a power of two of at most TEXT_SKETCH_MOST
 */
void text_sketch (const guint64 *grams, gsize n, guint32 *sketch, guint k);

/**
 * text_sketch_bands: of all ways to make bands out of @k values, the one with
 * the longest bands (the fewest pairs that are worth nothing) that finds two
 * sets of index @threshold with odds of at least @recall; bands of one value
 * when none does.
 */
void text_sketch_bands (guint k, double threshold, double recall, guint *bands, guint *rows);

/** text_sketch_band: the hash of band @band, of @rows values. */
guint64 text_sketch_band (const guint32 *sketch, guint band, guint rows);

/** text_simhash: of @n hashes; an element counts as often as it is there. */
guint64 text_simhash (const guint64 *grams, gsize n);

G_END_DECLS

#endif
