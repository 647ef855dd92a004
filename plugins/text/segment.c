/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c: see segment.h.  The boundaries are ICU's word BreakIterator over UTF-8. */
#include "config.h"

#include "text/segment.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/uversion.h>

#include "text/chars.h"

struct _TextSegmenter
{
  UBreakIterator *words;
  UText text;
};

TextSegmenter *
text_segmenter_new (GError **error)
{
  UErrorCode status = U_ZERO_ERROR;
  /* The root locale's rules reach every dictionary; no locale of the machine's may decide. */
  UBreakIterator *words = ubrk_open (UBRK_WORD, "", NULL, 0, &status);
  TextSegmenter *segmenter;

  if (U_FAILURE (status))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "ICU cannot find words in text (%s): its data lack the break rules; install "
                   "ICU's full data",
                   u_errorName (status));
      return NULL;
    }
  segmenter = g_new0 (TextSegmenter, 1);
  segmenter->words = words;
  segmenter->text = (UText) UTEXT_INITIALIZER;
  return segmenter;
}

void
text_segmenter_free (TextSegmenter *segmenter)
{
  if (segmenter == NULL)
    return;
  ubrk_close (segmenter->words);
  utext_close (&segmenter->text);
  g_free (segmenter);
}

static gboolean
is_space (FrStr text, gsize at)
{
  const char *p = text.data + at;

  return (text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)) != 0;
}

void
text_segment_words (TextSegmenter *segmenter, FrStr text, GArray *segments)
{
  UErrorCode status = U_ZERO_ERROR;
  int32_t from, to;

  if (text.len == 0)
    return;
  g_return_if_fail (text.len <= G_MAXINT32);
  utext_openUTF8 (&segmenter->text, text.data, (int64_t) text.len, &status);
  ubrk_setUText (segmenter->words, &segmenter->text, &status);
  if (U_FAILURE (status))
    g_error ("ICU cannot read text: %s", u_errorName (status)); /* out of memory */
  from = ubrk_first (segmenter->words);
  while ((to = ubrk_next (segmenter->words)) != UBRK_DONE)
    {
      TextSegment segment = { (gsize) from, (gsize) (to - from),
                              ubrk_getRuleStatus (segmenter->words) >= UBRK_WORD_NONE_LIMIT };

      if (segment.is_word || !is_space (text, segment.offset))
        g_array_append_val (segments, segment);
      from = to;
    }
}

const char *
text_segment_version (void)
{
  return "ICU-" U_ICU_VERSION;
}
