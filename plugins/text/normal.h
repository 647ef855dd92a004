/* SPDX-License-Identifier: Apache-2.0 */
/* normal.h: the one text normaliser (libflowrun-text).
 *
 * transform.clean applies these to text; transform.dedup and transform.split
 * apply them to compare text.  Unicode normalisation is ICU's (UAX #15);
 * widths follow UAX #11.
 */
#ifndef FLOWRUN_TEXT_NORMAL_H
#define FLOWRUN_TEXT_NORMAL_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TEXT_NFC = 1 << 0,
  TEXT_NFKC = 1 << 1, /* wins over NFC                                                       */
  TEXT_WIDTH
  = 1
    << 2, /* full-width ASCII to half-width, half-width kana to full-width; CJK punctuation stays */
  TEXT_CASE = 1 << 3,    /* full case folding                                                    */
  TEXT_CONTROL = 1 << 4, /* drops control characters but tab and newline, zero-width, bidi, BOM,
                            soft hyphen, lone U+FFFD stays */
  TEXT_SPACE = 1 << 5,   /* every run of blanks (U+3000, U+00A0 too) to one space, of newlines to at
                            most two; trims */
  TEXT_NO_SPACE = 1 << 6, /* drops all white space                                                */
  TEXT_NO_PUNCTUATION = 1 << 7, /* drops punctuation and symbols of every script */
  /* For text_normal_needed() alone: what else its look over the text can tell. */
  TEXT_HINT_REPEATS = 1 << 8, /* a letter or emoji three times in a row */
  TEXT_HINT_MARKS = 1 << 11,  /* a mark three times in a row, or one beyond ASCII twice */
  TEXT_HINT_EMOJI = 1 << 9,   /* characters that can be emoji */
  TEXT_HINT_LINK = 1 << 10    /* two slashes */
} TextNormal;

/**
 * text_normalise: appends @text as @how says to @out; deterministic; valid UTF-8 in, valid UTF-8
 * out.
 *
 * TEXT_CONTROL also turns CR LF, CR, VT, FF, NEL, LS and PS into newlines.
 * Joiners and selectors that belong to an emoji sequence, to a script that
 * joins (Arabic, the Indic ones) or to a Han variant are kept.  TEXT_WIDTH
 * leaves the full-width forms that Chinese uses as its own punctuation:
 * comma, colon, semicolon, question and exclamation marks, parentheses, tilde.
 */
void text_normalise (FrStr text, guint how, GString *out);

/** text_normal_needed: which bits of @how could change @text; cheaper than doing it. */
guint text_normal_needed (FrStr text, guint how);

/** text_n_chars: length in Unicode scalar values. */
gsize text_n_chars (FrStr text);

/** text_han_share: share of Han characters among letters and digits (0 when there are none). */
double text_han_share (FrStr text);

/** text_script_share: share of characters of @scripts (TEXT_CH_HAN, ... of chars.h) among letters
 * and digits. */
double text_script_share (FrStr text, guint32 scripts);

G_END_DECLS

#endif
