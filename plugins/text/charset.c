/* SPDX-License-Identifier: Apache-2.0 */
/* charset.c: names of charsets, guessing one, decoding to UTF-8.
 *
 * UTF-8 is checked, never copied, as long as it is valid; everything else is
 * ICU's work.  The guess between GB18030 and Big5 decodes a sample both ways
 * and asks which reading looks like Chinese: frequent characters (a list of our
 * own), then characters of the first level of GB 2312 and of Big5, which were
 * drawn up from frequency counts.
 */
#include "config.h"

#include "text/charset.h"

#include <string.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/utf16.h>

struct _TextDecoder
{
  gboolean utf8;
  gboolean chinese; /* GB18030: a lone 0x80 is the euro sign, as in code page 936 */
  UConverter *from;
  UConverter *to;
  UChar pivot[4096];
  UChar *pivot_source, *pivot_target;
  GString *out;
  guint64 replaced;
};

/* ---- names --------------------------------------------------------------- */

/* canonical name, ICU's name, labels besides the canonical one */
static const struct
{
  const char *name;
  const char *icu;
  const char *labels;
} charsets[] = {
  { "utf-8", "UTF-8", " utf8 utf-8-sig utf8mb4 unicode-1-1-utf-8 x-unicode20utf8 cp65001 65001 " },
  { "gb18030", "gb18030",
    " gb2312 gbk gb_2312 gb_2312-80 x-gbk chinese csgb2312 csiso58gb231280 iso-ir-58 cp936 ms936 "
    "936 "
    "windows-936 euc-cn euccn gb18030-2000 gb18030-2005 gb18030-2022 " },
  { "big5", "Big5-HKSCS",
    " big5-hkscs cn-big5 csbig5 x-x-big5 cp950 ms950 950 windows-950 big5hkscs big-5 " },
  { "utf-16le", "UTF-16LE", " utf-16 utf16 utf16le ucs-2 ucs2 unicode csunicode unicodefeff " },
  { "utf-16be", "UTF-16BE", " utf16be unicodefffe " },
  { "utf-32le", "UTF-32LE", " utf-32 utf32 utf32le ucs-4 " },
  { "utf-32be", "UTF-32BE", " utf32be " },
  { "windows-1252", "windows-1252",
    " ascii us-ascii latin1 latin-1 l1 iso-8859-1 iso8859-1 iso_8859-1 cp1252 x-cp1252 "
    "ansi_x3.4-1968 " },
  { "shift_jis", "ibm-943_P15A-2003",
    " sjis shift-jis csshiftjis ms932 ms_kanji windows-31j x-sjis cp932 " },
  { "euc-jp", "EUC-JP", " eucjp x-euc-jp cseucpkdfmtjapanese " },
  { "euc-kr", "windows-949", " euckr ks_c_5601-1987 ksc5601 cp949 uhc windows-949 korean " },
};

const char *
text_charset_canonical (const char *label, GError **error)
{
  g_autofree char *low = g_ascii_strdown (label, -1), *known = NULL;
  g_autofree char *padded = g_strconcat (" ", g_strstrip (low), " ", NULL);
  const char *names[G_N_ELEMENTS (charsets) + 1] = { NULL };
  UErrorCode status = U_ZERO_ERROR;
  UConverter *converter;
  const char *name;

  for (gsize i = 0; i < G_N_ELEMENTS (charsets); i++)
    {
      names[i] = charsets[i].name;
      if (g_str_equal (charsets[i].name, low)
          || (*low != '\0' && strchr (low, ' ') == NULL && strstr (charsets[i].labels, padded)))
        return charsets[i].name;
    }
  /* "" would be the platform's own charset, which no result may depend on. */
  converter = *low == '\0' ? NULL : ucnv_open (low, &status);
  if (converter == NULL || U_FAILURE (status))
    {
      const char *near = fr_suggest (low, names);

      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "unknown charset '%s'%s%s%s; use a name such as utf-8, gb18030, big5, utf-16le "
                   "or windows-1252, or 'auto'",
                   label, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
      return NULL;
    }
  ucnv_close (converter);
  name = ucnv_getStandardName (low, "IANA", &status);
  known = g_ascii_strdown (name != NULL && U_SUCCESS (status) ? name : low, -1);
  return g_intern_string (known);
}

static const char *
icu_name (const char *charset)
{
  for (gsize i = 0; i < G_N_ELEMENTS (charsets); i++)
    if (g_str_equal (charsets[i].name, charset))
      return charsets[i].icu;
  return charset;
}

/* ---- decoding ------------------------------------------------------------ */

static void U_CALLCONV
replace (const void *context, UConverterToUnicodeArgs *args, const char *bytes, int32_t len,
         UConverterCallbackReason reason, UErrorCode *status)
{
  TextDecoder *decoder = (TextDecoder *) context;
  static const UChar fffd = 0xFFFD, euro = 0x20AC;

  if (reason > UCNV_IRREGULAR)
    return;
  *status = U_ZERO_ERROR;
  if (decoder->chinese && len == 1 && (guchar) bytes[0] == 0x80)
    {
      ucnv_cbToUWriteUChars (args, &euro, 1, 0, status);
      return;
    }
  decoder->replaced++;
  ucnv_cbToUWriteUChars (args, &fffd, 1, 0, status);
}

TextDecoder *
text_decoder_new (const char *charset, GError **error)
{
  g_autoptr (TextDecoder) decoder = g_new0 (TextDecoder, 1);
  UErrorCode status = U_ZERO_ERROR;

  decoder->out = g_string_new (NULL);
  decoder->utf8 = g_str_equal (charset, "utf-8");
  decoder->chinese = g_str_equal (charset, "gb18030");
  if (decoder->utf8)
    return g_steal_pointer (&decoder);
  decoder->from = ucnv_open (icu_name (charset), &status);
  decoder->to = ucnv_open ("UTF-8", &status);
  if (U_SUCCESS (status))
    ucnv_setToUCallBack (decoder->from, replace, decoder, NULL, NULL, &status);
  if (U_FAILURE (status))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "ICU has no converter for charset '%s' (%s)",
                   charset, u_errorName (status));
      return NULL;
    }
  decoder->pivot_source = decoder->pivot_target = decoder->pivot;
  return g_steal_pointer (&decoder);
}

void
text_decoder_free (TextDecoder *decoder)
{
  if (decoder == NULL)
    return;
  if (decoder->from != NULL)
    ucnv_close (decoder->from);
  if (decoder->to != NULL)
    ucnv_close (decoder->to);
  g_string_free (decoder->out, TRUE);
  g_free (decoder);
}

guint64
text_decoder_n_replaced (const TextDecoder *decoder)
{
  return decoder->replaced;
}

/* Length of the maximal subpart at s (a faulty sequence), or 0 when the bytes
 * end before it is clear that it is one. */
static gsize
maximal_subpart (const guchar *s, gsize left)
{
  guchar a = s[0], low = 0x80, high = 0xBF;
  gsize need = a >= 0xF0 ? 3 : a >= 0xE0 ? 2 : 1;

  if (a < 0xC2 || a > 0xF4)
    return 1;
  if (a == 0xE0)
    low = 0xA0;
  else if (a == 0xED)
    high = 0x9F;
  else if (a == 0xF0)
    low = 0x90;
  else if (a == 0xF4)
    high = 0x8F;
  for (gsize i = 1; i <= need; i++)
    {
      if (i >= left)
        return 0;
      if (s[i] < low || s[i] > high)
        return i;
      low = 0x80;
      high = 0xBF;
    }
  return 1;
}

static gsize
decode_utf8 (TextDecoder *decoder, const char *data, gsize len, gboolean flush, const char **out,
             gsize *out_len)
{
  gsize pos = text_utf8_valid_len (data, len);

  *out = data;
  *out_len = pos;
  if (pos == len || (!flush && maximal_subpart ((const guchar *) data + pos, len - pos) == 0))
    return pos;
  g_string_truncate (decoder->out, 0);
  g_string_append_len (decoder->out, data, (gssize) pos);
  while (pos < len)
    {
      gsize bad = maximal_subpart ((const guchar *) data + pos, len - pos), good;

      if (bad == 0 && !flush)
        break;
      g_string_append (decoder->out, "\xEF\xBF\xBD");
      decoder->replaced++;
      pos += bad == 0 ? len - pos : bad;
      good = text_utf8_valid_len (data + pos, len - pos);
      g_string_append_len (decoder->out, data + pos, (gssize) good);
      pos += good;
    }
  *out = decoder->out->str;
  *out_len = decoder->out->len;
  return pos;
}

gsize
text_decoder_decode (TextDecoder *decoder, const char *data, gsize len, gboolean flush,
                     const char **out, gsize *out_len)
{
  UErrorCode status = U_ZERO_ERROR;
  const char *source = data;
  char *target;

  if (decoder->utf8)
    return decode_utf8 (decoder, data, len, flush, out, out_len);
  /* One byte becomes at most one character of 3 bytes, or part of one of 4;
   * the converter may hold a few more back from the last call. */
  g_string_set_size (decoder->out, 4 * len + 64);
  target = decoder->out->str;
  ucnv_convertEx (decoder->to, decoder->from, &target, decoder->out->str + decoder->out->len,
                  &source, data + len, decoder->pivot, &decoder->pivot_source,
                  &decoder->pivot_target, decoder->pivot + G_N_ELEMENTS (decoder->pivot), FALSE,
                  flush, &status);
  *out = decoder->out->str;
  *out_len = (gsize) (target - decoder->out->str);
  return (gsize) (source - data);
}

/* ---- guessing ------------------------------------------------------------ */

/* The characters that running Chinese text uses most, simplified, then those
 * whose traditional form differs. */
static const char frequent[]
    = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
      "发后"
      "作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开"
      "但因"
      "只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物"
      "手应"
      "战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通"
      "教儿"
      "原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受"
      "目太"
      "量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白"
      "却界"
      "达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观"
      "清今"
      "切院让识候带导争运笔米店价元买卖钱货质服务商城省县街号楼京沪广州深圳男款装套件送包邮颜色尺码"
      "這個們來為國說時會對過發後裡種經麼學當沒動還進樣開從實軍無與長機關點業將兩間問戰頭體見產話"
      "給門兒東聲員處義幾認條係氣題爾別變總電數報結場計東資許統區隊決馬書聽卻達強難權設記類據邊張規"
      "萬覺"
      "術領確傳師觀讓識帶導爭運價買賣錢貨質務號樓廣臺灣";

typedef struct
{
  guint8 frequent[65536 / 8];
  guint8 gb[65536 / 8];   /* GB 2312 level 1 */
  guint8 big5[65536 / 8]; /* Big5 level 1    */
} HanTable;

#define SET_BIT(set, c) ((set)[(c) >> 3] |= (guint8) (1u << ((c) &7)))
#define HAS_BIT(set, c) (((set)[(c) >> 3] >> ((c) &7)) & 1)

/* Marks the characters of rows first..last of a charset whose second byte is in 0x40..0x7E or
 * 0xA1..0xFE. */
static void
mark_rows (guint8 *set, const char *charset, guint first, guint last, guint trail)
{
  g_autoptr (TextDecoder) decoder = text_decoder_new (charset, NULL);
  const char *out;
  gsize len;

  for (guint a = first; decoder != NULL && a <= last; a++)
    for (guint b = trail; b <= 0xFE; b = b == 0x7E ? 0xA1 : b + 1)
      {
        char pair[2] = { (char) a, (char) b };

        text_decoder_decode (decoder, pair, 2, TRUE, &out, &len);
        if (len == 3)
          {
            gunichar c = g_utf8_get_char (out);

            if (c != 0xFFFD)
              SET_BIT (set, c);
          }
        ucnv_reset (decoder->from);
      }
}

static const HanTable *
han_table (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      HanTable *table = g_new0 (HanTable, 1);

      for (const char *p = frequent; *p != '\0'; p = g_utf8_next_char (p))
        SET_BIT (table->frequent, g_utf8_get_char (p));
      mark_rows (table->gb, "gb18030", 0xB0, 0xD7, 0xA1);
      mark_rows (table->big5, "big5", 0xA4, 0xC6, 0x40);
      g_once_init_leave (&once, (gsize) table);
    }
  return (const HanTable *) once;
}

/* How much like Chinese the sample is when read as charset: up to 4, down to
 * below 0; per character that is not ASCII, so that markup does not matter. */
static double
chinese_score (const char *data, gsize len, gboolean whole, const char *charset)
{
  const HanTable *table = han_table ();
  const guint8 *level = g_str_equal (charset, "big5") ? table->big5 : table->gb;
  g_autoptr (TextDecoder) decoder = text_decoder_new (charset, NULL);
  const char *out;
  gsize out_len;
  gint64 score = 0, n = 0;

  if (decoder == NULL)
    return -10;
  text_decoder_decode (decoder, data, len, whole, &out, &out_len);
  for (const char *p = out, *end = out + out_len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c;

      if ((guchar) *p < 0x80)
        continue;
      c = g_utf8_get_char (p);
      n++;
      if (c == 0xFFFD)
        score -= 20;
      else if (c > 0xFFFF || (c >= 0xE000 && c < 0xF900))
        score -= 4;
      else if ((c >= 0x3000 && c < 0x3020) || (c >= 0xFF01 && c < 0xFF5F) || c == 0x2014
               || (c >= 0x2018 && c < 0x2020) || c == 0x2026 || c == 0xB7)
        score += 2;
      else if (HAS_BIT (table->frequent, c))
        score += 4;
      else if (HAS_BIT (level, c))
        score += 1;
      else
        score -= 2;
    }
  return n == 0 ? -10 : (double) score / (double) n;
}

/* Share of code units that ordinary text has, if len bytes were UTF-16. */
static double
utf16_share (const guchar *data, gsize len, gboolean big_endian)
{
  gsize good = 0, n = len / 2;

  for (gsize i = 0; i < n; i++)
    {
      guint c = big_endian ? (guint) data[2 * i] << 8 | data[2 * i + 1]
                           : (guint) data[2 * i + 1] << 8 | data[2 * i];

      if (U16_IS_LEAD (c) && i + 1 < n)
        {
          guint d = data[2 * i + (big_endian ? 2 : 3)];

          if (d < 0xDC || d > 0xDF)
            return 0;
          i++;
          good += 2;
        }
      else if (U16_IS_TRAIL (c))
        return 0;
      else
        good += (c >= 0x20 && c < 0x250) || c == '\n' || c == '\r' || c == '\t'
                || (c >= 0x2010 && c < 0x2040) || (c >= 0x3000 && c < 0x3100)
                || (c >= 0x4E00 && c < 0xA000) || (c >= 0xFF00 && c < 0xFFF0)
                || (c >= 0xAC00 && c < 0xD7A4);
    }
  return n == 0 ? 0 : (double) good / (double) n;
}

static const char *
detect_utf16 (const char *data, gsize len)
{
  gsize zeros[2] = { 0, 0 }, n = len & ~(gsize) 1;

  for (gsize i = 0; i < n; i++)
    zeros[i & 1] += data[i] == '\0';
  /* ASCII in UTF-16 (commas and newlines at least) is a byte and a zero, on
   * one side only. */
  if (zeros[0] + zeros[1] == 0 || MIN (zeros[0], zeros[1]) * 20 > MAX (zeros[0], zeros[1]))
    return NULL;
  if (zeros[1] > zeros[0])
    return utf16_share ((const guchar *) data, n, FALSE) > 0.9 ? "utf-16le" : NULL;
  return utf16_share ((const guchar *) data, n, TRUE) > 0.9 ? "utf-16be" : NULL;
}

/* UTF-8 with some bad bytes is still UTF-8: in GB18030, Big5 and windows-1252
 * bad sequences outnumber those that happen to be valid many times. */
static gboolean
mostly_utf8 (const char *data, gsize len, gboolean whole)
{
  gsize good = 0, bad = 0, pos = 0;

  while (pos < len)
    {
      gsize ascii = text_ascii_len (data + pos, len - pos), valid;

      pos += ascii;
      valid = text_utf8_valid_len (data + pos, len - pos);
      for (gsize i = pos; i < pos + valid; i++)
        good += ((guchar) data[i] & 0xC0) == 0xC0;
      pos += valid;
      if (pos < len)
        {
          gsize n = maximal_subpart ((const guchar *) data + pos, len - pos);

          if (n == 0)
            return !whole ? bad * 3 <= good : (bad + 1) * 3 <= good;
          bad++;
          pos += n;
        }
    }
  return bad * 3 <= good;
}

const char *
text_charset_detect (const char *data, gsize len, gboolean whole, const char **how)
{
  static const struct
  {
    const char *bytes;
    gsize len;
    const char *charset;
  } marks[] = { { "\xEF\xBB\xBF", 3, "utf-8" },    { "\xFF\xFE\0\0", 4, "utf-32le" },
                { "\0\0\xFE\xFF", 4, "utf-32be" }, { "\xFF\xFE", 2, "utf-16le" },
                { "\xFE\xFF", 2, "utf-16be" },     { "\x84\x31\x95\x33", 4, "gb18030" } };
  const char *utf16;
  double gb, big5;

  *how = "marked";
  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (len >= marks[i].len && memcmp (data, marks[i].bytes, marks[i].len) == 0)
      return marks[i].charset;
  *how = "guessed";
  len = MIN (len, TEXT_CHARSET_WINDOW);
  utf16 = detect_utf16 (data, len);
  if (utf16 != NULL)
    return utf16;
  if (mostly_utf8 (data, len, whole))
    return "utf-8";
  gb = chinese_score (data, len, whole, "gb18030");
  big5 = chinese_score (data, len, whole, "big5");
  if (MAX (gb, big5) < 0.25)
    return "windows-1252";
  return gb >= big5 ? "gb18030" : "big5";
}
