/* SPDX-License-Identifier: Apache-2.0 */
/* language.c: see language.h. */
#include "config.h"

#include "text/language.h"

#include <math.h>

#include "text/chars.h"
#include "text/language-private.h"

/* A Chinese word has about one and a half characters. */
#define HAN_PER_WORD 1.5
/* Below this share of the units, another language makes a text mixed ... */
#define MIXED_SHARE (2.0 / 3)
/* ... if it has as many words as no name has. */
#define MIXED_WORDS 3
/* Chinese text may quote a kana (優の良品); Japanese has one in ten at the very least. */
#define KANA_SHARE 0.1
/* An unknown text with Latin letters is rather English, by this many nats. */
#define ENGLISH_PRIOR 2.0

static const char *const names[] = { "none",  "zh-Hans",  "zh-Hant",  "en",       "ja",  "ko",
                                     "mixed", "und-Latn", "und-Cyrl", "und-Arab", "und", NULL };

G_STATIC_ASSERT (G_N_ELEMENTS (names) == TEXT_N_LANGUAGES + 1);

const char *
text_language_name (TextLanguage language)
{
  return names[language];
}

const char *const *
text_language_names (void)
{
  return names;
}

/* ---- counting ------------------------------------------------------------------ */

typedef struct
{
  TextLanguageShare *share;
  guint64 cyrillic, arabic;
  guint32 word;      /* the script of the word under way; 0: none */
  guint last, last2; /* its last letters */
  double english;    /* log odds, in steps */
} Count;

static void
take_letter (Count *count, guint symbol)
{
  guint triple = (count->last2 * LANGUAGE_SYMBOLS + count->last) * LANGUAGE_SYMBOLS + symbol;

  /* The first letter alone says nothing: its triple would begin before the edge. */
  if (count->last != 0)
    count->english += text_language_triples[triple] - LANGUAGE_NEUTRAL;
  count->last2 = count->last;
  count->last = symbol;
}

static void
end_word (Count *count)
{
  if (count->word == TEXT_CH_LATIN)
    take_letter (count, 0);
  count->word = 0;
  count->last = count->last2 = 0;
}

static guint64 *
place_of (Count *count, guint32 script)
{
  switch (script)
    {
    case TEXT_CH_LATIN:
      return &count->share->latin;
    case TEXT_CH_HANGUL:
      return &count->share->hangul;
    case TEXT_CH_CYRILLIC:
      return &count->cyrillic;
    case TEXT_CH_ARABIC:
      return &count->arabic;
    default:
      return &count->share->other;
    }
}

static void
take_ideograph (Count *count, gunichar c)
{
  guint at = c - LANGUAGE_FIRST_IDEOGRAPH, bits;

  count->share->han++;
  if (c < LANGUAGE_FIRST_IDEOGRAPH || c > LANGUAGE_LAST_IDEOGRAPH)
    return;
  bits = (guint) (text_language_ideographs[at / 3] - 48) >> (at % 3 * 2);
  count->share->simplified += bits & 1;
  count->share->traditional += bits >> 1 & 1;
}

static guint
symbol_of (gunichar c)
{
  if (c < 0x80)
    return (c | 32) - 'a' + 1;
  return LANGUAGE_OTHER_LETTER;
}

static void
take_char (Count *count, gunichar c, guint32 flags)
{
  const guint32 scripts = TEXT_CH_LATIN | TEXT_CH_HANGUL | TEXT_CH_CYRILLIC | TEXT_CH_ARABIC;
  guint32 script = flags & scripts;

  if (flags & TEXT_CH_MARK)
    return;
  if (!(flags & TEXT_CH_ALNUM) || flags & (TEXT_CH_DIGIT | TEXT_CH_HAN | TEXT_CH_KANA))
    {
      end_word (count);
      if (flags & TEXT_CH_HAN)
        take_ideograph (count, c);
      else if (flags & TEXT_CH_KANA)
        count->share->kana++;
      return;
    }
  script = script != 0 ? script & -script : TEXT_CH_ALNUM;
  if (script != count->word)
    {
      end_word (count);
      count->word = script;
      ++*place_of (count, script);
    }
  if (script == TEXT_CH_LATIN)
    take_letter (count, symbol_of (c));
}

/* ---- the verdict ------------------------------------------------------------------ */

static TextLanguage
chinese_of (const TextLanguageShare *share)
{
  return share->traditional > share->simplified ? TEXT_LANGUAGE_ZH_HANT : TEXT_LANGUAGE_ZH_HANS;
}

static TextLanguage
latin_of (const Count *count, double *sure)
{
  double nats = count->english / LANGUAGE_STEPS + ENGLISH_PRIOR;

  *sure = 1 / (1 + exp (-fabs (nats)));
  return nats >= 0 ? TEXT_LANGUAGE_EN : TEXT_LANGUAGE_LATN;
}

static void
decide (Count *count)
{
  TextLanguageShare *share = count->share;
  gboolean japanese = (double) share->kana > KANA_SHARE * (double) (share->han + share->kana);
  struct
  {
    TextLanguage language;
    double words;
  } parts[] = {
    { japanese ? TEXT_LANGUAGE_JA : chinese_of (share),
      (double) (share->han + share->kana) / HAN_PER_WORD },
    { TEXT_LANGUAGE_EN, (double) share->latin },
    { TEXT_LANGUAGE_KO, (double) share->hangul },
    { TEXT_LANGUAGE_CYRL, (double) count->cyrillic },
    { TEXT_LANGUAGE_ARAB, (double) count->arabic },
    { TEXT_LANGUAGE_OTHER, (double) share->other },
  };
  double all = 0, sure = 1;
  guint best = 0;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      all += parts[i].words;
      if (parts[i].words > parts[best].words)
        best = i;
    }
  share->other += count->cyrillic + count->arabic;
  if (all == 0)
    {
      share->language = TEXT_LANGUAGE_NONE;
      share->confidence = 1;
      return;
    }
  /* A few words beside ideographs are names. */
  if (parts[0].words > 0 && best != 0 && all - parts[0].words < MIXED_WORDS)
    best = 0;
  share->language = parts[best].language;
  if (best == 1)
    share->language = latin_of (count, &sure);
  share->confidence = parts[best].words / all * sure;
  if (parts[best].words < MIXED_SHARE * all && all - parts[best].words >= MIXED_WORDS)
    {
      share->language = TEXT_LANGUAGE_MIXED;
      share->confidence = 1 - parts[best].words / all;
    }
}

TextLanguage
text_language (FrStr text, TextLanguageShare *share)
{
  TextLanguageShare own;
  Count count = { .share = share != NULL ? share : &own };
  const char *p = text.data, *end = text.data + text.len;

  *count.share = (TextLanguageShare){ .language = TEXT_LANGUAGE_NONE };
  while (p < end)
    {
      gunichar c = text_next_char (&p);

      take_char (&count, c, text_char_flags (c));
    }
  end_word (&count);
  decide (&count);
  return count.share->language;
}
