/* SPDX-License-Identifier: Apache-2.0 */
/* grams.h: runs of thirteen words or characters, as hashes.
 *
 * A unit is one character of a script that is written without blanks (Han,
 * kana, Thai, Lao, Khmer, Burmese) or one word of any other letters and
 * digits; everything else only separates.  A gram is thirteen units in a row,
 * the length that GPT-3's contamination study uses (Brown et al. 2020,
 * appendix C), known by a 64-bit rolling hash (Karp and Rabin 1987).
 */
#ifndef SPLIT_GRAMS_H
#define SPLIT_GRAMS_H

#include <flowrun/batch.h>

#define GRAM_UNITS 13

typedef void (*GramFunc) (guint64 gram, gpointer data);

/** grams_of: calls @func for each gram of @text, in order, repeats included. */
void grams_of (FrStr text, GramFunc func, gpointer data);

#endif
