/* SPDX-License-Identifier: Apache-2.0 */
/* units.c: text to tokens, and tokens to numbers.
 *
 * intl, char and none follow sacreBLEU 2.6.0 (tokenizers/tokenizer_*.py), with Python's idea of
 * white space and lower case; 13a and zh are in western.c; english follows rouge-score 0.1.2.
 */
#include "config.h"

#include <string.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>

#include "text/chars.h"
#include "text/charset.h"
#include "text/score/score-private.h"

/* ---- words of a row to numbers ------------------------------------------------ */

void
score_dictionary_init (ScoreDictionary *dictionary)
{
  dictionary->n_slots = 256;
  dictionary->slots = g_new0 (ScoreWordSlot, dictionary->n_slots);
  dictionary->n_words = 0;
  dictionary->row = 1;
  dictionary->bytes = g_string_new (NULL);
}

void
score_dictionary_clear (ScoreDictionary *dictionary)
{
  g_free (dictionary->slots);
  g_string_free (dictionary->bytes, TRUE);
}

void
score_dictionary_next_row (ScoreDictionary *dictionary)
{
  dictionary->n_words = 0;
  g_string_truncate (dictionary->bytes, 0);
  if (++dictionary->row == 0)
    {
      memset (dictionary->slots, 0, dictionary->n_slots * sizeof (ScoreWordSlot));
      dictionary->row = 1;
    }
}

static guint32
hash_bytes (const char *data, gsize len)
{
  guint64 hash = len;

  for (; len >= 8; data += 8, len -= 8)
    {
      guint64 word;

      memcpy (&word, data, 8);
      hash = (hash ^ word) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
      hash ^= hash >> 29;
    }
  for (; len > 0; data++, len--)
    hash = (hash ^ (guchar) *data) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  return (guint32) (hash >> 32);
}

static void
grow_dictionary (ScoreDictionary *dictionary)
{
  g_autofree ScoreWordSlot *old = dictionary->slots;
  gsize n = dictionary->n_slots;

  dictionary->n_slots = n * 4;
  dictionary->slots = g_new0 (ScoreWordSlot, dictionary->n_slots);
  for (gsize i = 0; i < n; i++)
    if (old[i].row == dictionary->row)
      {
        gsize at = old[i].hash & (dictionary->n_slots - 1);

        while (dictionary->slots[at].row == dictionary->row)
          at = (at + 1) & (dictionary->n_slots - 1);
        dictionary->slots[at] = old[i];
      }
}

/* The number of a word is where its bytes stand: below 2^31, since a row's text is. */
static guint32
word_number (ScoreDictionary *dictionary, const char *data, gsize len)
{
  guint32 hash = hash_bytes (data, len);
  gsize at;
  ScoreWordSlot *slot;

  if (dictionary->n_words * 2 >= dictionary->n_slots)
    grow_dictionary (dictionary);
  at = hash & (dictionary->n_slots - 1);
  while ((slot = &dictionary->slots[at])->row == dictionary->row)
    {
      if (slot->hash == hash && slot->len == len
          && memcmp (dictionary->bytes->str + slot->offset, data, len) == 0)
        return slot->offset | SCORE_WORD;
      at = (at + 1) & (dictionary->n_slots - 1);
    }
  *slot = (ScoreWordSlot){ hash, dictionary->row, (guint32) dictionary->bytes->len, (guint32) len };
  dictionary->n_words++;
  g_string_append_len (dictionary->bytes, data, (gssize) len);
  return slot->offset | SCORE_WORD;
}

guint32
score_token (ScoreDictionary *dictionary, const char *data, gsize len)
{
  const char *p = data;
  gunichar c;

  if (len <= 4)
    {
      c = text_next_char (&p);
      if (p == data + len)
        return c;
    }
  return word_number (dictionary, data, len);
}

/* ---- white space and case -------------------------------------------------------- */

gboolean
score_next_word (const char **p, const char *end, FrStr *word)
{
  const char *s = *p;
  gsize n;

  while (s < end && (n = score_space_at (s, end)) != 0)
    s += n;
  word->data = s;
  while (s < end && score_space_at (s, end) == 0)
    s++;
  word->len = (gsize) (s - word->data);
  *p = s;
  return word->len > 0;
}

FrStr
score_strip_end (FrStr s)
{
  while (s.len > 0)
    {
      const char *last = text_prev_char (s.data + s.len);

      if (score_space_at (last, s.data + s.len) == 0)
        break;
      s.len = (gsize) (last - s.data);
    }
  return s;
}

FrStr
score_strip (FrStr s)
{
  gsize n;

  s = score_strip_end (s);
  while (s.len > 0 && (n = score_space_at (s.data, s.data + s.len)) != 0)
    {
      s.data += n;
      s.len -= n;
    }
  return s;
}

/* Python's and ICU's lower() both follow SpecialCasing with its final sigma. */
static void
lower_unicode (FrStr s, GString *out)
{
  static UCaseMap *shared;
  UErrorCode status = U_ZERO_ERROR;
  int32_t n;

  if (g_once_init_enter (&shared))
    g_once_init_leave (&shared, ucasemap_open ("", 0, &status));
  g_string_set_size (out, s.len + s.len / 2 + 16);
  n = ucasemap_utf8ToLower (shared, out->str, (int32_t) out->len, s.data, (int32_t) s.len, &status);
  if (status == U_BUFFER_OVERFLOW_ERROR)
    {
      status = U_ZERO_ERROR;
      g_string_set_size (out, (gsize) n + 1);
      n = ucasemap_utf8ToLower (shared, out->str, (int32_t) out->len, s.data, (int32_t) s.len,
                                &status);
    }
  g_string_set_size (out, (gsize) n);
}

FrStr
score_lowercase (ScoreText *text, FrStr s)
{
  if (text_ascii_len (s.data, s.len) < s.len)
    lower_unicode (s, text->lower);
  else
    {
      g_string_set_size (text->lower, s.len);
      for (gsize i = 0; i < s.len; i++)
        text->lower->str[i] = g_ascii_tolower (s.data[i]);
    }
  return (FrStr){ text->lower->str, text->lower->len };
}

void
score_add_words (ScoreText *text, const char *p, const char *end, ScoreTokens *tokens)
{
  FrStr word;

  while (score_next_word (&p, end, &word))
    score_tokens_add (tokens, score_token (&text->dictionary, word.data, word.len));
}

/* ---- intl ------------------------------------------------------------------------------ */

enum
{
  IS_NUMBER = 1,
  IS_PUNCT = 2,
  IS_SYMBOL = 4
};

static guint
category (const char *p)
{
  guint32 mask = U_GET_GC_MASK ((UChar32) text_next_char (&p));

  return (mask & U_GC_N_MASK ? IS_NUMBER : 0) | (mask & U_GC_P_MASK ? IS_PUNCT : 0)
         | (mask & U_GC_S_MASK ? IS_SYMBOL : 0);
}

/* (X)(Y) -> "\1 \2 " or " \1 \2": pairs of characters that do not overlap. */
static void
pass_pairs (const GString *in, GString *out, gboolean punct_first)
{
  const char *p = in->str, *end = p + in->len;

  g_string_truncate (out, 0);
  while (p < end)
    {
      gsize n = score_char_len (p), m;
      guint first = category (p), second;

      if (p + n < end)
        {
          m = score_char_len (p + n);
          second = category (p + n);
          if (punct_first ? (first & IS_PUNCT) && !(second & IS_NUMBER)
                          : !(first & IS_NUMBER) && (second & IS_PUNCT))
            {
              if (punct_first)
                g_string_append_c (out, ' ');
              g_string_append_len (out, p, (gssize) n);
              g_string_append_c (out, ' ');
              g_string_append_len (out, p + n, (gssize) m);
              if (!punct_first)
                g_string_append_c (out, ' ');
              p += n + m;
              continue;
            }
        }
      g_string_append_len (out, p, (gssize) n);
      p += n;
    }
}

static void
tokenise_intl (ScoreText *text, FrStr s, ScoreTokens *tokens)
{
  const char *p, *end;

  g_string_truncate (text->a, 0);
  g_string_append_len (text->a, s.data, (gssize) s.len);
  pass_pairs (text->a, text->b, FALSE);
  pass_pairs (text->b, text->a, TRUE);
  g_string_truncate (text->b, 0);
  for (p = text->a->str, end = p + text->a->len; p < end; p += score_char_len (p))
    {
      gboolean symbol = (category (p) & IS_SYMBOL) != 0;

      if (symbol)
        g_string_append_c (text->b, ' ');
      g_string_append_len (text->b, p, (gssize) score_char_len (p));
      if (symbol)
        g_string_append_c (text->b, ' ');
    }
  score_add_words (text, text->b->str, text->b->str + text->b->len, tokens);
}

/* ---- the others ---------------------------------------------------------------------------- */

static void
tokenise_chars (FrStr s, gboolean blank, ScoreTokens *tokens)
{
  const char *p = s.data, *end = p + s.len;

  while (p < end)
    {
      gunichar c = text_next_char (&p);

      if (blank || !score_is_space (c))
        score_tokens_add (tokens, c);
    }
}

static void
tokenise_words (ScoreText *text, FrStr s, ScoreTokens *tokens)
{
  g_array_set_size (text->segments, 0);
  text_segment_words (text->segmenter, s, text->segments);
  for (guint i = 0; i < text->segments->len; i++)
    {
      const TextSegment *segment = &g_array_index (text->segments, TextSegment, i);

      score_tokens_add (tokens,
                        score_token (&text->dictionary, s.data + segment->offset, segment->len));
    }
}

/* Only two characters beyond ASCII have an ASCII letter in lower case. */
static inline int
english_letter (gunichar c)
{
  if (c < 0x80)
    return g_ascii_isalnum ((char) c) ? g_ascii_tolower ((char) c) : 0;
  return c == 0x212a ? 'k' : c == 0x130 ? 'i' : 0;
}

static void
add_english (ScoreText *text, gboolean stem, ScoreTokens *tokens)
{
  GString *word = text->a;

  if (stem && word->len > 3)
    {
      gsize n = word->len;

      g_string_append_c (word, '\0'); /* the room for one more */
      g_string_truncate (word, score_porter (word->str, n));
    }
  if (word->len > 0)
    score_tokens_add (tokens, score_token (&text->dictionary, word->str, word->len));
  g_string_truncate (word, 0);
}

static void
tokenise_english (ScoreText *text, FrStr s, gboolean stem, ScoreTokens *tokens)
{
  const char *p = s.data, *end = p + s.len;

  g_string_truncate (text->a, 0);
  while (p < end)
    {
      gunichar c = text_next_char (&p);
      int letter = english_letter (c);

      if (letter != 0)
        g_string_append_c (text->a, (char) letter);
      if (letter == 0 || c == 0x130) /* followed by a combining dot in lower case */
        add_english (text, stem, tokens);
    }
  add_english (text, stem, tokens);
}

void
score_text_init (ScoreText *text)
{
  score_dictionary_init (&text->dictionary);
  text->segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  text->lower = g_string_new (NULL);
  text->a = g_string_new (NULL);
  text->b = g_string_new (NULL);
}

void
score_text_clear (ScoreText *text)
{
  score_dictionary_clear (&text->dictionary);
  text_segmenter_free (text->segmenter);
  g_array_unref (text->segments);
  g_string_free (text->lower, TRUE);
  g_string_free (text->a, TRUE);
  g_string_free (text->b, TRUE);
}

void
score_tokenise (ScoreText *text, const ScoreStream *stream, FrStr s, ScoreTokens *tokens)
{
  if (stream->lowercase && stream->unit != TEXT_UNIT_ENGLISH)
    s = score_lowercase (text, s);
  if (!stream->blank)
    s = score_strip_end (s);
  if (stream->cut)
    {
      score_tokenise_cut (text, stream->unit, s, tokens);
      return;
    }
  switch (stream->unit)
    {
    case TEXT_UNIT_13A:
      score_tokenise_13a (text, s, tokens);
      break;
    case TEXT_UNIT_ZH:
    case TEXT_UNIT_ZH_FIXED:
      score_tokenise_zh (text, s, stream->unit == TEXT_UNIT_ZH_FIXED, tokens);
      break;
    case TEXT_UNIT_INTL:
      tokenise_intl (text, s, tokens);
      break;
    case TEXT_UNIT_CHAR:
      tokenise_chars (s, stream->blank, tokens);
      break;
    case TEXT_UNIT_WORDS:
      tokenise_words (text, s, tokens);
      break;
    case TEXT_UNIT_ENGLISH:
      tokenise_english (text, s, stream->stem, tokens);
      break;
    case TEXT_UNIT_NONE:
    default:
      score_add_words (text, s.data, s.data + s.len, tokens);
      break;
    }
}

/* ---- names, and what suits ------------------------------------------------------------------- */

static const char *const unit_names[TEXT_N_UNITS + 1]
    = { "13a", "zh", "zh-fixed", "char", "none", "intl", "words", "english", NULL };

const char *
text_unit_name (TextUnit unit)
{
  g_return_val_if_fail ((guint) unit < TEXT_N_UNITS, NULL);
  return unit_names[unit];
}

gboolean
text_unit_from_name (const char *name, TextUnit *unit)
{
  for (guint i = 0; i < TEXT_N_UNITS; i++)
    if (g_str_equal (unit_names[i], name))
      {
        *unit = (TextUnit) i;
        return TRUE;
      }
  return FALSE;
}

/* Written without blanks between words. */
static gboolean
is_unspaced (gunichar c, guint32 flags)
{
  return (flags & (TEXT_CH_HAN | TEXT_CH_KANA)) != 0 || (c >= 0x0e00 && c <= 0x0eff) /* Thai, Lao */
         || (c >= 0x1000 && c <= 0x109f)                                             /* Burmese */
         || (c >= 0x1780 && c <= 0x17ff);                                            /* Khmer */
}

gboolean
text_unit_suits (TextUnit unit, FrStr text)
{
  const char *p = text.data, *end = p + text.len;
  gsize letters = 0, lost = 0, lumped = 0, runs = 0;
  gboolean in_run = FALSE, zh = unit == TEXT_UNIT_ZH || unit == TEXT_UNIT_ZH_FIXED;

  if (unit == TEXT_UNIT_CHAR || unit == TEXT_UNIT_WORDS)
    return TRUE;
  while (p < end)
    {
      gunichar c = text_next_char (&p);
      guint32 flags = text_char_flags (c);
      gboolean alone;

      letters += (flags & TEXT_CH_ALNUM) != 0;
      if (c < 0x80 || !(flags & TEXT_CH_ALNUM))
        {
          in_run = FALSE;
          continue;
        }
      lost += english_letter (c) == 0;
      alone = !is_unspaced (c, flags) || (zh && score_is_chinese (c, unit == TEXT_UNIT_ZH_FIXED));
      lumped += !alone;
      runs += !alone && !in_run;
      in_run = !alone;
    }
  if (unit == TEXT_UNIT_ENGLISH)
    return lost * 2 <= letters;
  /* Words that somebody has separated are seldom longer than three characters. */
  return lumped * 2 <= letters || lumped <= runs * 3;
}
