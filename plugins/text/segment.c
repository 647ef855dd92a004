/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c: see segment.h.
 *
 * Without a dictionary all is ICU's word BreakIterator over UTF-8.  With one, text is walked once:
 * runs of characters that words of the dictionary can hold go to route.c, runs of other letters to
 * ICU, and the rest stands for itself.
 */
#include "config.h"

#include "text/segment.h"

#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/uversion.h>

#include "text/chars.h"
#include "text/dictionary-private.h"

/* What a character is to the walk. */
typedef enum
{
  IS_DICTIONARY, /* may stand in a word of the dictionary, or is a letter or digit of ASCII, or Han
                  */
  IS_BLANK,
  IS_ALONE, /* a segment of its own */
  IS_OTHER  /* ICU's */
} CharClass;

struct _TextSegmenter
{
  UBreakIterator *words;
  UText text;
  TextDictionary *dictionary; /* or NULL */
  guint8 ascii[128];          /* CharClass of ASCII */
  /* the run of dictionary characters being gathered, and its route */
  gsize n, room;
  guint16 *codes;
  guint32 *offsets, *ends, *nodes;
  double *scores;
};

TextSegmenter *
text_segmenter_new (GError **error)
{
  return text_segmenter_new_with (NULL, error);
}

static gboolean
is_alnum (gunichar c)
{
  return c < 0x80 && g_ascii_isalnum ((char) c);
}

static CharClass
class_of (const TextSegmenter *s, gunichar c)
{
  guint32 code, flags;

  if (c < 0x80)
    return (CharClass) s->ascii[c];
  /* The block that jieba takes for Han. */
  if (c >= 0x4e00 && c <= 0x9fd5)
    return IS_DICTIONARY;
  code = text_trie_code (s->dictionary->trie, c);
  if (code != 0 && s->dictionary->joins[code])
    return IS_DICTIONARY;
  flags = text_char_flags (c);
  if (flags & (TEXT_CH_BLANK | TEXT_CH_NEWLINE))
    return IS_BLANK;
  if (flags & TEXT_CH_HAN
      || (flags & TEXT_CH_PUNCT && !(flags & (TEXT_CH_PICT | TEXT_CH_EMOJI | TEXT_CH_MARK))))
    return IS_ALONE;
  return IS_OTHER;
}

static void
class_ascii (TextSegmenter *s)
{
  for (guint c = 0; c < 0x80; c++)
    {
      guint32 code = text_trie_code (s->dictionary->trie, c), flags = text_char_flags (c);

      if (is_alnum (c) || strchr ("+#&._%-", (int) c) != NULL
          || (code != 0 && s->dictionary->joins[code]))
        s->ascii[c] = c != 0 ? IS_DICTIONARY : IS_ALONE;
      else if (flags & (TEXT_CH_BLANK | TEXT_CH_NEWLINE))
        s->ascii[c] = IS_BLANK;
      else
        s->ascii[c] = IS_ALONE;
    }
}

TextSegmenter *
text_segmenter_new_with (TextDictionary *dictionary, GError **error)
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
  if (dictionary != NULL)
    {
      segmenter->dictionary = text_dictionary_ref (dictionary);
      class_ascii (segmenter);
    }
  return segmenter;
}

void
text_segmenter_free (TextSegmenter *segmenter)
{
  if (segmenter == NULL)
    return;
  ubrk_close (segmenter->words);
  utext_close (&segmenter->text);
  text_dictionary_unref (segmenter->dictionary);
  g_free (segmenter->codes);
  g_free (segmenter->offsets);
  g_free (segmenter->ends);
  g_free (segmenter->nodes);
  g_free (segmenter->scores);
  g_free (segmenter);
}

/* ---- ICU ----------------------------------------------------------------------------------------
 */

static gboolean
is_space (FrStr text, gsize at)
{
  const char *p = text.data + at;

  return (text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)) != 0;
}

/* Appends the segments of @text, which stands at @start of the whole. */
static void
by_icu (TextSegmenter *segmenter, FrStr text, gsize start, GArray *segments)
{
  UErrorCode status = U_ZERO_ERROR;
  int32_t from, to;

  utext_openUTF8 (&segmenter->text, text.data, (int64_t) text.len, &status);
  ubrk_setUText (segmenter->words, &segmenter->text, &status);
  if (U_FAILURE (status))
    g_error ("ICU cannot read text: %s", u_errorName (status)); /* out of memory */
  from = ubrk_first (segmenter->words);
  while ((to = ubrk_next (segmenter->words)) != UBRK_DONE)
    {
      TextSegment segment = { start + (gsize) from, (gsize) (to - from),
                              ubrk_getRuleStatus (segmenter->words) >= UBRK_WORD_NONE_LIMIT, "" };

      if (segment.is_word || !is_space (text, (gsize) from))
        g_array_append_val (segments, segment);
      from = to;
    }
}

/* ---- the dictionary
 * ------------------------------------------------------------------------------- */

static void
make_room (TextSegmenter *s)
{
  if (s->n + 1 < s->room)
    return;
  s->room = MAX (256, s->room * 2);
  s->codes = g_renew (guint16, s->codes, s->room);
  s->offsets = g_renew (guint32, s->offsets, s->room);
  s->ends = g_renew (guint32, s->ends, s->room);
  s->nodes = g_renew (guint32, s->nodes, s->room);
  s->scores = g_renew (double, s->scores, s->room);
}

static gboolean
holds_word (FrStr text)
{
  return (text_flags_of (text) & TEXT_CH_ALNUM) != 0;
}

/* Cuts the gathered run, which ends at byte @end of @text. */
static void
flush (TextSegmenter *s, FrStr text, gsize end, GArray *segments)
{
  const TextDictionary *d = s->dictionary;
  gsize n = s->n;

  if (n == 0)
    return;
  s->n = 0;
  s->offsets[n] = (guint32) end;
  text_route_block (d, s->codes, n, s->scores, s->ends, s->nodes);
  for (gsize i = 0; i < n;)
    {
      gsize to = s->ends[i], at = s->offsets[i];
      char first = text.data[at];
      TextSegment segment = { at, 0, TRUE, d->pos_names->pdata[d->pos_of_node[s->nodes[i]]] };

      if (to == i + 1 && g_ascii_isalnum (first))
        {
          gboolean letters = g_ascii_isalpha (first);

          while (to < n && s->ends[to] == to + 1 && g_ascii_isalnum (text.data[s->offsets[to]]))
            letters |= g_ascii_isalpha (text.data[s->offsets[to++]]) != 0;
          segment.pos = letters ? "eng" : "m";
        }
      segment.len = s->offsets[to] - at;
      /* U+4000 to U+9FFF is Han; what else a dictionary holds is looked at. */
      if ((guchar) first < 0xe4 || (guchar) first > 0xe9)
        segment.is_word
            = g_ascii_isalnum (first) || holds_word ((FrStr){ text.data + at, segment.len });
      g_array_append_val (segments, segment);
      i = to;
    }
}

/* The end of the run of letters and digits from @p on; @other: it holds one that is ICU's. */
static const char *
letters_end (const TextSegmenter *s, const char *p, const char *end, gboolean *other)
{
  *other = FALSE;
  while (p < end)
    {
      const char *here = p;
      gunichar c = text_next_char (&p);

      if (is_alnum (c))
        continue;
      if (c < 0x80 || class_of (s, c) != IS_OTHER)
        return here;
      *other = TRUE;
    }
  return p;
}

static void
by_dictionary (TextSegmenter *s, FrStr text, GArray *segments)
{
  const char *p = text.data, *end = p + text.len;
  const char *checked = p; /* up to here no letter of ICU's follows on one of ASCII */

  while (p < end)
    {
      const char *here = p;
      gunichar c = text_next_char (&p);
      CharClass class = class_of (s, c);
      gsize at = (gsize) (here - text.data);

      if (class == IS_DICTIONARY && here >= checked && is_alnum (c))
        {
          gboolean other;

          checked = letters_end (s, here, end, &other);
          if (other)
            class = IS_OTHER;
        }
      if (class == IS_DICTIONARY)
        {
          make_room (s);
          s->codes[s->n] = (guint16) text_trie_code (s->dictionary->trie, c);
          s->offsets[s->n++] = (guint32) at;
          continue;
        }
      flush (s, text, at, segments);
      if (class == IS_OTHER)
        {
          gboolean other;

          p = letters_end (s, here, end, &other);
          by_icu (s, (FrStr){ here, (gsize) (p - here) }, at, segments);
        }
      else if (class == IS_ALONE)
        {
          TextSegment segment
              = { at, (gsize) (p - here),
                  c >= 0x80 && holds_word ((FrStr){ here, (gsize) (p - here) }), "" };

          g_array_append_val (segments, segment);
        }
    }
  flush (s, text, text.len, segments);
}

void
text_segment_words (TextSegmenter *segmenter, FrStr text, GArray *segments)
{
  if (text.len == 0)
    return;
  g_return_if_fail (text.len <= G_MAXINT32);
  if (segmenter->dictionary != NULL)
    by_dictionary (segmenter, text, segments);
  else
    by_icu (segmenter, text, 0, segments);
}

const char *
text_segment_version (void)
{
  return "ICU-" U_ICU_VERSION;
}

const char *
text_segmenter_version (const TextSegmenter *segmenter)
{
  return segmenter->dictionary != NULL ? segmenter->dictionary->version : text_segment_version ();
}
