/* SPDX-License-Identifier: Apache-2.0 */
/* grams.h: runs of words or characters, as hashes (libflowrun-text).
 *
 * A unit is one character of a script that is written without blanks (Han,
 * kana, Thai, Lao, Khmer, Burmese) or one word of any other letters and
 * digits; everything else only separates.  A gram is some units in a row,
 * known by a 64-bit rolling hash (Karp and Rabin 1987).  Thirteen is the length
 * that GPT-3's contamination study uses (Brown et al. 2020, appendix C).
 */
#ifndef FLOWRUN_TEXT_GRAMS_H
#define FLOWRUN_TEXT_GRAMS_H

#include <flowrun/batch.h>

#define TEXT_GRAM_UNITS 13

typedef void (*TextGramFunc) (guint64 gram, gpointer data);

/** text_grams: calls @func for each gram of @units (1 to TEXT_GRAM_UNITS) of @text, valid UTF-8, in order, repeats included. */
void text_grams (FrStr text, guint units, TextGramFunc func, gpointer data);

#endif
