/* SPDX-License-Identifier: Apache-2.0 */
/* leak.h: which held-out rows the training rows give away (libflowrun-text).
 *
 * A held-out row leaks when the training rows hold the same text (after
 * normalisation), or share of its grams (grams.h) what the caller calls too
 * much.  The held-out side is kept in memory as hashes, the training side
 * streams past.  When the hashes pass the budget, the space of hashes is
 * halved until one part fits and the rows stream past once for each part.
 */
#ifndef FLOWRUN_TEXT_LEAK_H
#define FLOWRUN_TEXT_LEAK_H

#include <flowrun/batch.h>

typedef struct _TextLeak TextLeak;

typedef struct
{
  guint32 grams, shared; /* its grams, and those found in training */
  gboolean same;         /* the same text is in training */
} TextLeakRow;

TextLeak *text_leak_new (guint64 memory);
void text_leak_free (TextLeak *leak);
/** text_leak_begin: starts on part @part: held-out rows come first, then training rows. */
void text_leak_begin (TextLeak *leak, guint part);
/** text_leak_held_out: held-out row @row (numbered from 0 among them) has @text. */
void text_leak_held_out (TextLeak *leak, guint32 row, FrStr text);
/** text_leak_seal: all held-out rows of the part are known. */
void text_leak_seal (TextLeak *leak);
/** text_leak_training: a training row has @text; from any number of threads, after text_leak_seal(). */
void text_leak_training (TextLeak *leak, FrStr text);
/** text_leak_end: counts what the part showed. */
void text_leak_end (TextLeak *leak);
/** text_leak_n_parts: how many parts there are; may have grown during the first. */
guint text_leak_n_parts (const TextLeak *leak);
/** text_leak_forget: no row is known to leak any more (before marking anew). */
void text_leak_forget (TextLeak *leak);
const TextLeakRow *text_leak_row (const TextLeak *leak, guint32 row);

#endif
