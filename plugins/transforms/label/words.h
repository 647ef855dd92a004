/* SPDX-License-Identifier: Apache-2.0 */
/* words.h: words that say something about a text, found in one walk over it.
 *
 * A word has a weight and a set of labels (bits).  Words are known in any case and width, and the
 * longest one counts.  It begins and ends where the segmentation of the text says that words do: 硬
 * is not in 硬盘.
 */
#ifndef LABEL_WORDS_H
#define LABEL_WORDS_H

#include <flowrun/batch.h>

#define WORDS_MAX_LABELS 64

typedef struct
{
  double weight;
  guint64 labels; /* bit by label */
} Word;

typedef struct _Words Words;

Words *words_new (void);
void words_free (Words *words);

/** words_add: a word that is there already gains the label and takes the weight. */
void words_add (Words *words, FrStr word, double weight, guint label);
/** words_add_list: the words of a text with blanks between. */
void words_add_list (Words *words, const char *list, double weight, guint label);
/**
 * words_read: a file's text, a word a line, perhaps a tab or blank and a number: its weight,
 * @weight where it is missing.  Lines that are blank or begin with '#' are passed over.
 * FR_ERROR_DATA with
 * @name and line.
 */
gboolean words_read (Words *words, const char *name, const char *text, gsize len, double weight,
                     guint label, GError **error);
/** words_ready: after the last word. */
gboolean words_ready (Words *words, GError **error);
guint words_n (const Words *words);
/** words_max_weight: the greatest weight; 0 when there is no word. */
double words_max_weight (const Words *words);

/**
 * words_at: the longest word at @at; NULL: none. @len: its bytes.
 * @cuts: by byte of the text and one more: not 0 where a word may begin and end
 */
const Word *words_at (const Words *words, FrStr text, gsize at, const guint8 *cuts, gsize *len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Words, words_free)

#endif
