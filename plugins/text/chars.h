/* SPDX-License-Identifier: Apache-2.0 */
/* chars.h: what flowrun asks of single characters (libflowrun-text).
 *
 * The answers are ICU's character properties, worked out a page of 256 code
 * points at a time when a page is first met, so that asking costs two loads.
 * Safe from any thread.  Bits are chosen so that the OR over a text tells
 * which rules can have anything to do there.
 */
#ifndef FLOWRUN_TEXT_CHARS_H
#define FLOWRUN_TEXT_CHARS_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

enum
{
  TEXT_CH_NFC = 1u << 0,       /* may not stand so in NFC (quick check not "yes", or combines)    */
  TEXT_CH_NFKC = 1u << 1,      /* the same of NFKC                                                */
  TEXT_CH_WIDTH = 1u << 2,     /* TEXT_WIDTH maps it                                              */
  TEXT_CH_FOLD = 1u << 3,      /* full case folding changes it                                    */
  TEXT_CH_CONTROL = 1u << 4,   /* TEXT_CONTROL drops or turns it, always or by its neighbours     */
  TEXT_CH_BLANK = 1u << 5,     /* white space that ends no line                                   */
  TEXT_CH_NEWLINE = 1u << 6,   /* ends a line: LF VT FF CR NEL LS PS                              */
  TEXT_CH_PUNCT = 1u << 7,     /* punctuation, symbol, enclosing mark     */
  TEXT_CH_HAN = 1u << 8,       /* script Han                                                      */
  TEXT_CH_LATIN = 1u << 9,     /* script Latin                                                    */
  TEXT_CH_KANA = 1u << 10,     /* Hiragana or Katakana                                            */
  TEXT_CH_HANGUL = 1u << 11,   /* script Hangul                                                   */
  TEXT_CH_CYRILLIC = 1u << 12, /* script Cyrillic                                                 */
  TEXT_CH_ARABIC = 1u << 13,   /* script Arabic                                                   */
  TEXT_CH_ALNUM = 1u << 14,    /* letter or digit                                                 */
  TEXT_CH_PICT = 1u << 15,     /* Extended_Pictographic: emoji, also those not yet encoded        */
  TEXT_CH_EMOJI = 1u << 16,    /* Emoji: also digits, '#', '*' and regional indicators            */
  TEXT_CH_JOINS = 1u << 17, /* cursive letter or virama: ZWJ and ZWNJ next to it mean something */
  TEXT_CH_MARK = 1u << 18,  /* combining mark                                                  */
  TEXT_CH_DIGIT = 1u << 19, /* decimal digit                                                   */
  TEXT_CH_EMOJI_SHOWN = 1u << 20, /* Emoji_Presentation: shown as emoji without a selector        */
  TEXT_CH_KNOWN = 1u << 31 /* the page was worked out                                         */
};

/** text_char_pages: by code point / 256; NULL: not yet met.  Read through text_char_flags(). */
extern guint32 *text_char_pages[0x1100];

/** text_char_page: works out a page; for text_char_flags(). */
const guint32 *text_char_page (gunichar c);

static inline guint32
text_char_flags (gunichar c)
{
  const guint32 *page = (const guint32 *) g_atomic_pointer_get (&text_char_pages[c >> 8]);

  if (G_UNLIKELY (page == NULL))
    page = text_char_page (c);
  return page[c & 255];
}

/** text_strip: @s without white space and control characters of ASCII at its ends. */
static inline FrStr
text_strip (FrStr s)
{
  while (s.len > 0 && (guchar) *s.data <= ' ')
    s.data++, s.len--;
  while (s.len > 0 && (guchar) s.data[s.len - 1] <= ' ')
    s.len--;
  return s;
}

/** text_next_char: reads the character at @p of valid UTF-8 and moves @p past it. */
static inline gunichar
text_next_char (const char **p)
{
  const guchar *s = (const guchar *) *p;

  if (s[0] < 0x80)
    {
      *p += 1;
      return s[0];
    }
  if (s[0] < 0xe0)
    {
      *p += 2;
      return (gunichar) (s[0] & 0x1f) << 6 | (s[1] & 0x3f);
    }
  if (s[0] < 0xf0)
    {
      *p += 3;
      return (gunichar) (s[0] & 0x0f) << 12 | (gunichar) (s[1] & 0x3f) << 6 | (s[2] & 0x3f);
    }
  *p += 4;
  return (gunichar) (s[0] & 0x07) << 18 | (gunichar) (s[1] & 0x3f) << 12
         | (gunichar) (s[2] & 0x3f) << 6 | (s[3] & 0x3f);
}

/** text_prev_char: the start of the character that ends before @p. */
static inline const char *
text_prev_char (const char *p)
{
  do
    p--;
  while (((guchar) *p & 0xc0) == 0x80);
  return p;
}

/** text_char_is_spaceless: of scripts that write no spaces between words, and their punctuation. */
static inline gboolean
text_char_is_spaceless (gunichar c)
{
  return text_char_flags (c) & (TEXT_CH_HAN | TEXT_CH_KANA) || (c >= 0x3000 && c <= 0x303f)
         || (c >= 0xff01 && c <= 0xff60);
}

/** text_flags_of: the OR of the flags of all characters of @text. */
guint32 text_flags_of (FrStr text);

G_END_DECLS

#endif
