/* SPDX-License-Identifier: Apache-2.0 */
/* near.h: held-out rows that are nearly the same as a training row (libflowrun-text).
 *
 * A text is the set of its grams of three units (grams.h); two texts are as
 * alike as their sets: Jaccard's index, shared / all.  Pairs worth comparing
 * are found by MinHash (minhash.h): 25 bands of 5 find a pair of index 0.8 with
 * odds of 0.9999, and what is found is compared exactly, so nothing is called
 * near that is not.  For pairs among any number of rows see cluster.h.
 *
 * Held-out rows are kept as hashes (8 bytes a unit and 0.4 KB a row), training
 * rows stream past.  Texts of fewer than three units are never near.
 */
#ifndef FLOWRUN_TEXT_NEAR_H
#define FLOWRUN_TEXT_NEAR_H

#include <flowrun/batch.h>

G_BEGIN_DECLS

typedef struct _TextNear TextNear;

TextNear *text_near_new (void);
void text_near_free (TextNear *near);
/** text_near_held_out: a held-out row, numbered from 0 in the order of the calls, has @text, valid
 * UTF-8. */
void text_near_held_out (TextNear *near, FrStr text);
/** text_near_training: a training row has @text; when all held-out rows are there. */
void text_near_training (TextNear *near, FrStr text);
/** text_near_best: the largest index of held-out row @row and a training row; below 0.5 often not
 * found, and then 0. */
double text_near_best (const TextNear *near, gsize row);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextNear, text_near_free)

G_END_DECLS

#endif
