/* SPDX-License-Identifier: Apache-2.0 */
/* grams.h: runs of words or characters, as hashes (libflowrun-text).
 *
 * What a text is to everything that asks how alike two texts are: leak.h looks
 * for shared grams, near.h and cluster.h compare sets of them.
 *
 * A unit is one character of a script that is written without blanks (Han,
 * kana, Thai, Lao, Khmer, Burmese) or one word of any other letters and
 * digits; everything else only separates.  A gram is some units in a row, known
 * by a 64-bit hash.  Two rules for it:
 *
 *   text_grams()   streams grams of a number of units through a rolling hash
 *                  (Karp and Rabin 1987).  Thirteen is the length that GPT-3's
 *                  contamination study uses (Brown et al. 2020, appendix C)
 *   TextGrams      all grams of a text at once, by a TextGramRule, with a
 *                  multilinear hash (Lemire and Kaser 2014), which a processor
 *                  does for several grams at a time
 *
 * The values of hashes mean nothing outside one process.
 */
#ifndef FLOWRUN_TEXT_GRAMS_H
#define FLOWRUN_TEXT_GRAMS_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

#define TEXT_GRAM_UNITS 13

/** text_stands_alone: whether @c is a character of a script that is written without blanks. */
gboolean text_stands_alone (gunichar c);

typedef void (*TextGramFunc) (guint64 gram, gpointer data);

/** text_grams: calls @func for each gram of @units (1 to TEXT_GRAM_UNITS) of @text, valid UTF-8, in
 * order, repeats included. */
void text_grams (FrStr text, guint units, TextGramFunc func, gpointer data);

/* ---- all grams of a text ----------------------------------------------------------------------
 */

/** TextGramUnit: what a TextGramRule counts. */
typedef enum
{
  TEXT_GRAM_AUTO, /* characters in scripts without blanks, words in others, both in a mixed text */
  TEXT_GRAM_CHARACTERS, /* code points of any kind but white space, which is left out */
  TEXT_GRAM_WORDS /* units                                                                       */
} TextGramUnit;

#define TEXT_GRAM_MOST 32

/**
 * TextGramRule:
 * @characters: characters in a gram, 1 to TEXT_GRAM_MOST
 * @words: words in a gram, 1 to TEXT_GRAM_MOST
 *
 * With TEXT_GRAM_AUTO a gram begins at every unit and goes on until it holds
 * @characters characters of scripts without blanks, or @words words, or as much
 * of both together, where a word counts as @characters / @words characters.
 */
typedef struct
{
  TextGramUnit unit;
  guint characters, words;
} TextGramRule;

/** TextGrams: a rule and the memory it works in; one to a thread. */
typedef struct _TextGrams TextGrams;

TextGrams *text_grams_new (const TextGramRule *rule);
void text_grams_free (TextGrams *grams);

/**
 * text_grams_of:
 * @text: valid UTF-8
 * @n: how many there are; 0 only when @text is nothing but white space
 * @whole: set when the text is shorter than a gram: it then is one gram of all
 *         its characters but white space, and equal to no other's; NULL if nobody asks
 *
 * Returns: the hashes in the order of the text, repeats included; valid until
 * the next call.
 */
const guint64 *text_grams_of (TextGrams *grams, FrStr text, gsize *n, gboolean *whole);

/** text_grams_set: the same sorted, each once; valid until the next call. */
const guint64 *text_grams_set (TextGrams *grams, FrStr text, gsize *n, gboolean *whole);

/** text_grams_index: Jaccard's index of the sets of @a and @b, shared / all; 0 when either is
 * empty. */
double text_grams_index (TextGrams *grams, FrStr a, FrStr b);

/** text_sets_index: the same of two sorted sets. */
double text_sets_index (const guint64 *a, gsize n_a, const guint64 *b, gsize n_b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextGrams, text_grams_free)

G_END_DECLS

#endif
