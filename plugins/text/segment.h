/* SPDX-License-Identifier: Apache-2.0 */
/* segment.h: text into words (libflowrun-text).
 *
 * Two ways.  Without a dictionary, words are what Unicode's word boundaries (UAX #29) make them; in
 * Chinese, Japanese, Thai, Lao, Khmer and Burmese, which write no blanks, ICU's dictionaries do.
 *
 * With a dictionary (TextDictionary: words with their frequency), the words of Chinese text are
 * those of the most probable path through all words that could stand there, as jieba has it: the
 * probability of a word is its share of the dictionary's frequencies, that of a path the product,
 * and what is no word is characters, each with the probability of a word of frequency 1.  The cuts
 * are jieba's with its HMM off, to the last bit of the sums.  Letters and digits of ASCII are one
 * word as long as nothing stands between them, unless the dictionary knows better (T恤); whatever
 * is written with other letters (kana, Hangul, Cyrillic, é) is left to ICU, where jieba cuts it
 * into characters.
 *
 * New words are not guessed: a name that the dictionary lacks comes out in characters.  jieba's
 * guess needs a table of probabilities that was learned from a corpus; what a company has instead
 * is the list of its own products and people, which goes into a user dictionary.
 *
 * What is no word (punctuation, symbols, an emoji sequence) is a segment of its own; white space is
 * none.  The same text gives the same words with the same dictionary and release of ICU:
 * text_segmenter_version() goes where a number depends on them.
 */
#ifndef FLOWRUN_TEXT_SEGMENT_H
#define FLOWRUN_TEXT_SEGMENT_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

/* ---- dictionaries ---------------------------------------------------------------------------- */

typedef struct _TextDictionary TextDictionary;

/**
 * TextWord: what a dictionary knows of a word.
 * @frequency: how often it was counted
 * @pos: its part of speech in the tags that the dictionary uses ("n", "v", "nr" in jieba's); ""
 * when the dictionary does not say; static as long as the dictionary lives
 */
typedef struct
{
  guint64 frequency;
  const char *pos;
} TextWord;

/**
 * text_dictionary_new:
 * @path: a word list in UTF-8, a line "word frequency part-of-speech" each, blanks or tabs between;
 *        the part of speech may be missing
 * @user: another, which wins where both have a word; its frequency may be missing too, and is then
 *        what it takes for the word to come out whole (jieba's rule: one more than the frequency at
 *        which it is as probable as its parts).  Frequency 0 takes a word out.  NULL for none
 *
 * Lines that are blank or begin with '#' and a blank are passed over.  Loads at about ten MB/s, and
 * takes some 40 bytes for each character of the list.  Immutable: one serves all threads.
 *
 * Returns NULL with FR_ERROR_IO, or FR_ERROR_DATA naming file and line.
 */
TextDictionary *text_dictionary_new (const char *path, const char *user, GError **error);
/** text_dictionary_new_text: the same of text in memory; @name stands for it in messages. */
TextDictionary *text_dictionary_new_text (FrStr words, const char *name, FrStr user,
                                          const char *user_name, GError **error);
TextDictionary *text_dictionary_ref (TextDictionary *dictionary);
void text_dictionary_unref (TextDictionary *dictionary);

/** text_dictionary_find: FALSE when @word is not there; @found may be NULL. */
gboolean text_dictionary_find (const TextDictionary *dictionary, FrStr word, TextWord *found);
/** text_dictionary_n_words: how many words it has. */
gsize text_dictionary_n_words (const TextDictionary *dictionary);
/** text_dictionary_version: "jieba.dict.utf8:349046:91f2…": name, words, a hash of them all. */
const char *text_dictionary_version (const TextDictionary *dictionary);

/* ---- segmenters -------------------------------------------------------------------------------
 */

typedef struct _TextSegmenter TextSegmenter;

/**
 * TextSegment: a word, or what stands between words.
 * @offset, @len: its bytes in the text
 * @is_word: holds a letter, a digit or an ideograph
 * @pos: its part of speech; "" when it is not known.  Words of ASCII letters are "eng", of digits
 * "m" (jieba's tags).  Without a dictionary always ""
 */
typedef struct
{
  gsize offset, len;
  gboolean is_word;
  const char *pos;
} TextSegment;

/**
 * text_segmenter_new: by ICU alone.
 *
 * Not safe from several threads at once: one for each thread.
 *
 * Returns: a segmenter; text_segmenter_free().  FR_ERROR_LOAD when this ICU has no word rules.
 */
TextSegmenter *text_segmenter_new (GError **error);
/** text_segmenter_new_with: by @dictionary, which it refs; NULL: by ICU alone. */
TextSegmenter *text_segmenter_new_with (TextDictionary *dictionary, GError **error);
void text_segmenter_free (TextSegmenter *segmenter);

/**
 * text_segment_words: appends the segments of @text, which is valid UTF-8, to @segments, an array
 * of TextSegment, in order.  No memory is asked for once the buffers are as long as the longest
 * text.
 */
void text_segment_words (TextSegmenter *segmenter, FrStr text, GArray *segments);

/** text_segment_version: "ICU-72.1": whose words they are without a dictionary.  Static. */
const char *text_segment_version (void);
/** text_segmenter_version: the dictionary's version, or text_segment_version(). */
const char *text_segmenter_version (const TextSegmenter *segmenter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextSegmenter, text_segmenter_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextDictionary, text_dictionary_unref)

G_END_DECLS

#endif
