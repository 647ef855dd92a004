/* SPDX-License-Identifier: Apache-2.0 */
/* words.h: a two-column list of words and what they mean, read both ways.
 *
 * One entry a line: a word, a tab, its translations with ";" between them.  Empty lines and lines
 * that begin with "#" are skipped; a word may stand on several lines.  Read backwards, each
 * translation leads to all words that have it.
 *
 *     优惠	discount; special offer
 */
#ifndef FLOWRUN_DICTIONARY_WORDS_H
#define FLOWRUN_DICTIONARY_WORDS_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

typedef struct _Words Words;

/** words_parse: @name for messages. NULL with FR_ERROR_DATA "name:17: …". */
Words *words_parse (const char *name, const char *text, gsize len, GError **error);
void words_free (Words *words);
gsize words_n (const Words *words);

/**
 * words_translate: word by word, the longest entry first; what is not in the list stays.
 * @backward: from the second column to the first
 * @spaced: the target separates words by blanks; else blanks between Han characters are dropped
 * @seed: chooses among several translations, each by itself
 * @n_words, @n_unknown: words met, and those not in the list
 */
char *words_translate (const Words *words, FrStr text, gboolean backward, gboolean spaced,
                       guint64 seed, gsize *n_words, gsize *n_unknown);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Words, words_free)

#endif
