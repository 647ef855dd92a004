/* SPDX-License-Identifier: Apache-2.0 */
/* chars.c: see chars.h.  Properties: UAX #44, UTS #51 and UAX #15, as ICU
 * knows them. */
#include "config.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>

#include "text/chars.h"

guint32 *text_char_pages[0x1100];

/* Full-width forms that are the ordinary punctuation of Chinese text, not
 * ASCII that was typed wide. */
static gboolean
is_chinese_punctuation (gunichar c)
{
  switch (c)
    {
    case 0xff01: /* ! */
    case 0xff08: /* ( */
    case 0xff09: /* ) */
    case 0xff0c: /* , */
    case 0xff1a: /* : */
    case 0xff1b: /* ; */
    case 0xff1f: /* ? */
    case 0xff5e: /* ~ */
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
has_width (gunichar c)
{
  int type = u_getIntPropertyValue ((UChar32) c, UCHAR_DECOMPOSITION_TYPE);

  return (type == U_DT_WIDE || type == U_DT_NARROW) && !is_chinese_punctuation (c);
}

/* Invisible or without meaning as text.  Visible format characters (Arabic
 * number signs) and the jamo fillers of old Korean stay. */
static gboolean
is_control (gunichar c)
{
  if (u_charType ((UChar32) c) == U_CONTROL_CHAR)
    return c != '\t' && c != '\n';
  if (c == 0x2028 || c == 0x2029 || (c >= 0xfff9 && c <= 0xfffb))
    return TRUE;
  if (c == 0x115f || c == 0x1160 || (c >= 0x180b && c <= 0x180d) || c == 0x180f)
    return FALSE;
  if (u_hasBinaryProperty ((UChar32) c, UCHAR_NONCHARACTER_CODE_POINT))
    return TRUE;
  return u_hasBinaryProperty ((UChar32) c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static guint32
space_flags (gunichar c)
{
  if ((c >= 0x0a && c <= 0x0d) || c == 0x85 || c == 0x2028 || c == 0x2029)
    return TEXT_CH_NEWLINE;
  return u_hasBinaryProperty ((UChar32) c, UCHAR_WHITE_SPACE) ? TEXT_CH_BLANK : 0;
}

static guint32
script_flags (gunichar c)
{
  UErrorCode status = U_ZERO_ERROR;

  switch (uscript_getScript ((UChar32) c, &status))
    {
    case USCRIPT_HAN:
      return TEXT_CH_HAN;
    case USCRIPT_LATIN:
      return TEXT_CH_LATIN;
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
      return TEXT_CH_KANA;
    case USCRIPT_HANGUL:
      return TEXT_CH_HANGUL;
    case USCRIPT_CYRILLIC:
      return TEXT_CH_CYRILLIC;
    case USCRIPT_ARABIC:
      return TEXT_CH_ARABIC;
    default:
      return 0;
    }
}

static gboolean
joins (gunichar c, guint ccc)
{
  int type = u_getIntPropertyValue ((UChar32) c, UCHAR_JOINING_TYPE);

  return ccc == 9 || type == U_JT_DUAL_JOINING || type == U_JT_LEFT_JOINING
         || type == U_JT_RIGHT_JOINING;
}

static guint32
folds (gunichar c)
{
  return u_hasBinaryProperty ((UChar32) c, UCHAR_CHANGES_WHEN_CASEFOLDED) ? TEXT_CH_FOLD : 0;
}

static guint32
flags_of (gunichar c)
{
  UChar32 u = (UChar32) c;
  guint ccc = u_getCombiningClass (u);
  guint32 mask = U_GET_GC_MASK (u);
  guint32 f = TEXT_CH_KNOWN | space_flags (c) | script_flags (c) | folds (c);

  if (ccc != 0 || u_getIntPropertyValue (u, UCHAR_NFC_QUICK_CHECK) != UNORM_YES)
    f |= TEXT_CH_NFC;
  if (ccc != 0 || u_getIntPropertyValue (u, UCHAR_NFKC_QUICK_CHECK) != UNORM_YES)
    f |= TEXT_CH_NFKC;
  f |= has_width (c) ? TEXT_CH_WIDTH : 0;
  f |= is_control (c) ? TEXT_CH_CONTROL : 0;
  f |= mask & (U_GC_P_MASK | U_GC_S_MASK | U_GC_ME_MASK) ? TEXT_CH_PUNCT : 0;
  f |= mask & (U_GC_L_MASK | U_GC_N_MASK) ? TEXT_CH_ALNUM : 0;
  f |= mask & U_GC_ND_MASK ? TEXT_CH_DIGIT : 0;
  f |= mask & U_GC_M_MASK ? TEXT_CH_MARK : 0;
  f |= u_hasBinaryProperty (u, UCHAR_EXTENDED_PICTOGRAPHIC) ? TEXT_CH_PICT : 0;
  f |= u_hasBinaryProperty (u, UCHAR_EMOJI) ? TEXT_CH_EMOJI : 0;
  f |= u_hasBinaryProperty (u, UCHAR_EMOJI_PRESENTATION) ? TEXT_CH_EMOJI_SHOWN : 0;
  f |= joins (c, ccc) ? TEXT_CH_JOINS : 0;
  return f;
}

const guint32 *
text_char_page (gunichar c)
{
  guint32 *page;
  gunichar first = c & ~255u;

  page = g_new (guint32, 256);
  for (guint i = 0; i < 256; i++)
    page[i] = flags_of (first + i);
  /* Two threads may work out the same page; the first to store it wins. */
  if (!g_atomic_pointer_compare_and_exchange (&text_char_pages[c >> 8], NULL, page))
    g_free (page);
  return g_atomic_pointer_get (&text_char_pages[c >> 8]);
}

guint32
text_flags_of (FrStr text)
{
  const char *p = text.data, *end = p + text.len;
  guint32 f = 0;

  while (p < end)
    f |= text_char_flags (text_next_char (&p));
  return f;
}
