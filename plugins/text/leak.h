/* SPDX-License-Identifier: Apache-2.0 */
/* leak.h: which held-out rows the training rows give away.
 *
 * A held-out row leaks when the training rows hold the same text (after
 * normalisation), or share of its grams (grams.h) what the caller calls too
 * much.  The held-out side is kept in memory as hashes, the training side
 * streams past.  When the hashes pass the budget, the space of hashes is
 * halved until one part fits and the rows stream past once for each part.
 */
#ifndef SPLIT_LEAK_H
#define SPLIT_LEAK_H

#include <flowrun/batch.h>

typedef struct _Leak Leak;

typedef struct
{
  guint32 grams, shared; /* its grams, and those found in training */
  gboolean same;         /* the same text is in training */
} LeakRow;

Leak *leak_new (guint64 memory);
void leak_free (Leak *leak);
/** leak_begin: starts on part @part: held-out rows come first, then training rows. */
void leak_begin (Leak *leak, guint part);
/** leak_held_out: held-out row @row (numbered from 0 among them) has @text. */
void leak_held_out (Leak *leak, guint32 row, FrStr text);
/** leak_seal: all held-out rows of the part are known. */
void leak_seal (Leak *leak);
/** leak_training: a training row has @text; from any number of threads, after leak_seal(). */
void leak_training (Leak *leak, FrStr text);
/** leak_end: counts what the part showed. */
void leak_end (Leak *leak);
/** leak_n_parts: how many parts there are; may have grown during the first. */
guint leak_n_parts (const Leak *leak);
/** leak_forget: no row is known to leak any more (before marking anew). */
void leak_forget (Leak *leak);
const LeakRow *leak_row (const Leak *leak, guint32 row);

#endif
