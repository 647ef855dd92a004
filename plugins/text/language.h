/* SPDX-License-Identifier: Apache-2.0 */
/* language.h: which language a text is in (libflowrun-text).
 *
 * Scripts decide first, as they do for a reader: kana make Japanese, Hangul
 * Korean, Han without them Chinese.  Simplified and traditional are told by
 * characters that only one of them has; Latin letters are English or not by a
 * model of letter triples (Cavnar and Trenkle 1994; ours keeps log odds of
 * English against other languages).  Both tables are made by make-language.py.
 * Other scripts are named by ISO 15924.
 *
 * What it does not do: tell French from German, or Cantonese from Mandarin.
 */
#ifndef FLOWRUN_TEXT_LANGUAGE_H
#define FLOWRUN_TEXT_LANGUAGE_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TEXT_LANGUAGE_NONE, /* no letters        */
  TEXT_LANGUAGE_ZH_HANS,
  TEXT_LANGUAGE_ZH_HANT,
  TEXT_LANGUAGE_EN,
  TEXT_LANGUAGE_JA,
  TEXT_LANGUAGE_KO,
  TEXT_LANGUAGE_MIXED, /* several of the others, none of which makes up two thirds of the words */
  TEXT_LANGUAGE_LATN,  /* Latin letters that are not English */
  TEXT_LANGUAGE_CYRL,
  TEXT_LANGUAGE_ARAB,
  TEXT_LANGUAGE_OTHER, /* another script */
  TEXT_N_LANGUAGES
} TextLanguage;

/**
 * TextLanguageShare: what the verdict rests on.
 * @language: the verdict
 * @confidence: 0 to 1: the share of the text that is in it, times how sure the model is where a
 * model decides
 * @han, @kana: characters; @latin, @hangul, @other: words, that is runs of letters
 * @simplified, @traditional: characters that only one of them writes
 */
typedef struct
{
  TextLanguage language;
  double confidence;
  guint64 han, latin, kana, hangul, other;
  guint64 simplified, traditional;
} TextLanguageShare;

/** text_language: the language of @text, valid UTF-8; any thread. */
TextLanguage text_language (FrStr text, TextLanguageShare *share);

/** text_language_name: "zh-Hans", "zh-Hant", "en", "ja", "ko", "mixed", "und-Latn", "und-Cyrl",
 * "und-Arab", "und", "none"; static. */
const char *text_language_name (TextLanguage language);
/** text_language_names: all of them in the order of TextLanguage, NULL-terminated; static. */
const char *const *text_language_names (void);

G_END_DECLS

#endif
