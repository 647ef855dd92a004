/* SPDX-License-Identifier: Apache-2.0 */
/* segment.h: text into words (libflowrun-text).
 *
 * Where blanks separate words, words are what Unicode's word boundaries (UAX #29) make them; in
 * Chinese, Japanese, Thai, Lao, Khmer and Burmese, which write none, ICU's dictionaries do.  What
 * is no word (punctuation, symbols, an emoji sequence) is a segment of its own; white space is
 * none.  The same text gives the same words with the same release of ICU: text_segment_version()
 * goes where a number depends on them.
 */
#ifndef FLOWRUN_TEXT_SEGMENT_H
#define FLOWRUN_TEXT_SEGMENT_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _TextSegmenter TextSegmenter;

/**
 * TextSegment: a word, or what stands between words.
 * @offset, @len: its bytes in the text
 * @is_word: holds a letter, a digit or an ideograph
 */
typedef struct
{
  gsize offset, len;
  gboolean is_word;
} TextSegment;

/**
 * text_segmenter_new:
 *
 * Not safe from several threads at once: one for each thread.
 *
 * Returns: a segmenter; text_segmenter_free().  FR_ERROR_LOAD when this ICU has no word rules.
 */
TextSegmenter *text_segmenter_new (GError **error);
void text_segmenter_free (TextSegmenter *segmenter);

/**
 * text_segment_words: appends the segments of @text, which is valid UTF-8, to @segments, an array
 * of TextSegment, in order.
 */
void text_segment_words (TextSegmenter *segmenter, FrStr text, GArray *segments);

/** text_segment_version: "ICU-72.1": whose words they are.  Static. */
const char *text_segment_version (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextSegmenter, text_segmenter_free)

G_END_DECLS

#endif
