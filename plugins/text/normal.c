/* SPDX-License-Identifier: Apache-2.0 */
/* normal.c: see normal.h.
 *
 * The steps run in one fixed order: control, width, Unicode form, case,
 * dropping, spaces, and the Unicode form again where a later step could have
 * broken it.  A first look over the text finds out which of them have anything
 * to do, so that clean text is copied and no more.
 *
 * Unicode normalisation follows UAX #15 section 9: a character whose quick
 * check is "yes" and whose combining class is 0 is a boundary, so only the
 * pieces between such characters go to ICU.
 */
#include "config.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "text/chars.h"
#include "text/normal.h"

enum
{
  ZWNJ = 0x200c,
  ZWJ = 0x200d,
  VS15 = 0xfe0e,
  VS16 = 0xfe0f
};

static inline void
put_char (GString *out, gunichar c)
{
  if (c < 0x80)
    g_string_append_c (out, (char) c);
  else
    {
      char utf8[6];

      g_string_append_len (out, utf8, g_unichar_to_utf8 (c, utf8));
    }
}

/* ---- control characters ------------------------------------------------- */

static gboolean
is_skin_tone (gunichar c)
{
  return c >= 0x1f3fb && c <= 0x1f3ff;
}

static gboolean
is_selector (gunichar c)
{
  return (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef);
}

static gboolean
is_tag (gunichar c)
{
  return c >= 0xe0020 && c <= 0xe007f;
}

/* What the decision about an invisible character needs to know of what was
 * kept before it. */
typedef struct
{
  gunichar last; /* last character kept */
  gunichar base; /* the same, past selectors and skin tones */
  gboolean flag; /* within the tags of a flag emoji */
} Kept;

static void
kept_add (Kept *kept, gunichar c)
{
  kept->last = c;
  if (!is_selector (c) && !is_skin_tone (c) && !is_tag (c) && !(text_char_flags (c) & TEXT_CH_MARK))
    kept->base = c;
  kept->flag = c == 0x1f3f4 || (kept->flag && is_tag (c) && c != 0xe007f);
}

/* A tag sequence is a black flag, tags and a cancel tag (UTS #51, ED-14a);
 * tags anywhere else are hidden text. */
static gboolean
flag_follows (const char *p, const char *end)
{
  while (p < end)
    {
      gunichar c = text_next_char (&p);

      if (!is_tag (c))
        return FALSE;
      if (c == 0xe007f)
        return TRUE;
    }
  return FALSE;
}

/* Within cursive script (after a letter that joins, marks on it skipped) or
 * after a virama, before another letter of such a script. */
static gboolean
joins_letters (const Kept *kept, guint32 base, guint32 next)
{
  guint32 last = kept->last ? text_char_flags (kept->last) : 0;

  if (!(last & TEXT_CH_JOINS) && !((last & TEXT_CH_MARK) && (base & TEXT_CH_JOINS)))
    return FALSE;
  return (next & TEXT_CH_ALNUM) && !(next & (TEXT_CH_LATIN | TEXT_CH_HAN | TEXT_CH_DIGIT));
}

/* Invisible characters that mean something where they stand: joiners in emoji
 * (UTS #51) and in scripts that join (RFC 5892, appendix A), selectors after a
 * character that has variants. */
static gboolean
keep_invisible (gunichar c, const Kept *kept, const char *p, const char *end)
{
  guint32 base = kept->base ? text_char_flags (kept->base) : 0;

  if (c == ZWJ || c == ZWNJ)
    {
      guint32 next = p < end ? text_char_flags (text_next_char (&p)) : 0;

      if (c == ZWJ && (base & TEXT_CH_PICT))
        return kept->last != ZWJ && (next & TEXT_CH_PICT);
      return joins_letters (kept, base, next);
    }
  if (!is_selector (c) || kept->last != kept->base)
    return FALSE;
  return base & (c == VS15 || c == VS16 ? TEXT_CH_EMOJI | TEXT_CH_HAN : TEXT_CH_HAN);
}

static void
drop_control (FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;
  Kept kept = { 0 };

  while (p < end)
    {
      const char *at = p;
      gunichar c = text_next_char (&p);
      guint32 f = text_char_flags (c);

      if (!(f & TEXT_CH_CONTROL))
        {
          kept_add (&kept, c);
          continue;
        }
      if (is_tag (c) ? kept.flag && flag_follows (at, end) : keep_invisible (c, &kept, p, end))
        {
          kept_add (&kept, c);
          continue;
        }
      g_string_append_len (out, run, at - run);
      run = p;
      if (!(f & TEXT_CH_NEWLINE) || (c == '\r' && p < end && *p == '\n'))
        continue;
      g_string_append_c (out, '\n');
      kept_add (&kept, '\n');
    }
  g_string_append_len (out, run, end - run);
}

/* ---- width ---------------------------------------------------------------- */

/* Half-width kana followed by a half-width sound mark are one full-width
 * character; NFC of the wide forms makes it. */
static gunichar
kana_with_mark (gunichar wide, gunichar mark)
{
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *nfc = unorm2_getNFCInstance (&status);
  UChar32 both;

  if (mark != 0xff9e && mark != 0xff9f)
    return 0;
  both = unorm2_composePair (nfc, (UChar32) wide, mark == 0xff9e ? 0x3099 : 0x309a);
  return both < 0 ? 0 : (gunichar) both;
}

static gunichar
wide_of (gunichar c)
{
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *nfkc = unorm2_getNFKCInstance (&status);
  UChar buffer[8];
  int32_t n = unorm2_getRawDecomposition (nfkc, (UChar32) c, buffer, 8, &status);

  /* The stand-alone sound marks: their decomposition combines, and would
   * cling to whatever stands before them. */
  if (c == 0xff9e)
    return 0x309b;
  if (c == 0xff9f)
    return 0x309c;
  return U_SUCCESS (status) && n == 1 ? buffer[0] : c;
}

static void
fold_width (FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  while (p < end)
    {
      const char *at = p, *q;
      gunichar c = text_next_char (&p), wide, both;

      if (!(text_char_flags (c) & TEXT_CH_WIDTH))
        continue;
      g_string_append_len (out, run, at - run);
      wide = c >= 0xff01 && c <= 0xff5e ? c - 0xfee0 : c == 0x3000 ? ' ' : wide_of (c);
      q = p;
      both = c >= 0xff66 && c <= 0xff9d && p < end ? kana_with_mark (wide, text_next_char (&q)) : 0;
      if (both != 0)
        p = q;
      put_char (out, both ? both : wide);
      run = p;
    }
  g_string_append_len (out, run, end - run);
}

/* ---- Unicode form --------------------------------------------------------- */

static void
normalise_piece (const UNormalizer2 *form, const char *from, gsize len, GString *out)
{
  UChar small[256], result_small[512];
  g_autofree UChar *big = NULL;
  g_autofree UChar *result_big = NULL;
  g_autofree char *utf8 = NULL;
  UChar *source = small, *result = result_small;
  int32_t n, m, bytes;
  UErrorCode status = U_ZERO_ERROR;

  if (len > 256)
    source = big = g_new (UChar, len);
  u_strFromUTF8 (source, (int32_t) MAX (len, 256), &n, from, (int32_t) len, &status);
  m = unorm2_normalize (form, source, n, result, 512, &status);
  if (status == U_BUFFER_OVERFLOW_ERROR)
    {
      status = U_ZERO_ERROR;
      result = result_big = g_new (UChar, (gsize) m + 1);
      m = unorm2_normalize (form, source, n, result, m + 1, &status);
    }
  utf8 = g_malloc ((gsize) m * 3 + 1);
  u_strToUTF8 (utf8, m * 3 + 1, &bytes, result, m, &status);
  /* Only text that is not UTF-8 fails here, which the contract excludes. */
  if (U_SUCCESS (status))
    g_string_append_len (out, utf8, bytes);
  else
    g_string_append_len (out, from, (gssize) len);
}

static void
unicode_form (FrStr text, gboolean compatible, GString *out)
{
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *form
      = compatible ? unorm2_getNFKCInstance (&status) : unorm2_getNFCInstance (&status);
  guint32 bad = compatible ? TEXT_CH_NFKC : TEXT_CH_NFC;
  const char *p = text.data, *end = p + text.len, *done = p, *last = p;

  while (p < end)
    {
      const char *at = p;
      const char *piece;

      if (!(text_char_flags (text_next_char (&p)) & bad))
        {
          last = at;
          continue;
        }
      /* From the boundary before to the boundary after. */
      piece = last >= done ? last : at;
      while (p < end)
        {
          const char *q = p;

          if (!(text_char_flags (text_next_char (&q)) & bad))
            break;
          p = q;
        }
      g_string_append_len (out, done, piece - done);
      for (const char *from = piece; from < p;)
        {
          gsize len = MIN ((gsize) (p - from), (gsize) G_MAXINT32 / 8);

          while (from + len < p && ((guchar) from[len] & 0xc0) == 0x80)
            len--;
          normalise_piece (form, from, len, out);
          from += len;
        }
      done = last = p;
    }
  g_string_append_len (out, done, end - done);
}

/* ---- case, dropping, spaces ---------------------------------------------- */

static void
fold_char (gunichar c, GString *out)
{
  UChar in[2], folded[8];
  int32_t n = 0, m;
  UErrorCode status = U_ZERO_ERROR;

  if (c < 0x80)
    {
      g_string_append_c (out, (char) (c + 32));
      return;
    }
  U16_APPEND_UNSAFE (in, n, c);
  m = u_strFoldCase (folded, 8, in, n, U_FOLD_CASE_DEFAULT, &status);
  for (int32_t i = 0; i < m;)
    {
      UChar32 f;

      U16_NEXT (folded, i, m, f);
      put_char (out, (gunichar) f);
    }
}

static void
fold_case (FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  while (p < end)
    {
      const char *at = p;
      gunichar c = text_next_char (&p);

      if (!(text_char_flags (c) & TEXT_CH_FOLD))
        continue;
      g_string_append_len (out, run, at - run);
      fold_char (c, out);
      run = p;
    }
  g_string_append_len (out, run, end - run);
}

static void
drop_flags (FrStr text, guint32 drop, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;
  gboolean dropped = FALSE;

  while (p < end)
    {
      const char *at = p;
      gunichar c = text_next_char (&p);
      guint32 f = text_char_flags (c);

      /* What hangs on a dropped symbol goes with it, and emoji selectors always. */
      dropped = (f & drop) || (dropped && (f & (TEXT_CH_MARK | TEXT_CH_CONTROL)))
                || ((drop & TEXT_CH_PUNCT) && (f & TEXT_CH_MARK) && (f & TEXT_CH_CONTROL));
      if (!dropped)
        continue;
      g_string_append_len (out, run, at - run);
      run = p;
    }
  g_string_append_len (out, run, end - run);
}

static void
fold_space (FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;
  gsize start = out->len;

  while (p < end)
    {
      const char *at = p;
      gunichar c = text_next_char (&p);
      guint32 f = text_char_flags (c);
      guint lines = 0;

      if (!(f & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
        continue;
      g_string_append_len (out, run, at - run);
      for (;;)
        {
          lines += (f & TEXT_CH_NEWLINE) && !(c == '\r' && p < end && *p == '\n');
          run = p;
          if (p == end)
            break;
          c = text_next_char (&p);
          f = text_char_flags (c);
          if (!(f & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
            break;
        }
      if (out->len > start && run < end)
        g_string_append (out, lines == 0 ? " " : lines == 1 ? "\n" : "\n\n");
    }
  g_string_append_len (out, run, end - run);
}

/* ---- all together --------------------------------------------------------- */

static gboolean
is_exclaiming (gunichar c)
{
  return c == '!' || c == '?' || c == 0xff01 || c == 0xff1f;
}

/* What the look over a text has met so far. */
typedef struct
{
  guint32 all;     /* flags of all characters */
  guint need;      /* TEXT_* bits that depend on neighbours */
  guint run, same; /* white space in a row; equal characters in a row */
  gunichar before;
} Look;

static inline void
look_at_visible (Look *look, gunichar c)
{
  look->run = 0;
  look->same = c == look->before ? look->same + 1 : 1;
  look->before = c;
  if (G_UNLIKELY (look->same >= 3))
    look->need |= TEXT_HINT_REPEATS;
}

static void
look_at_mark (Look *look, gunichar c)
{
  gboolean alike = c == look->before || (is_exclaiming (c) && is_exclaiming (look->before));

  if (c == '/' && look->before == '/')
    look->need |= TEXT_HINT_LINK;
  look->run = 0;
  look->same = alike ? look->same + 1 : 1;
  look->before = c;
  if (look->same >= 3 || (look->same == 2 && c >= 0x80))
    look->need |= TEXT_HINT_MARKS;
  /* Emoji are symbols that repeat like letters. */
  if (look->same >= 3 && c >= 0x2000)
    look->need |= TEXT_HINT_REPEATS;
}

static void
look_at_space (Look *look, gunichar c, gboolean edge)
{
  gboolean plain = look->run == 0 ? c == ' ' || c == '\n'
                                  : look->run == 1 && c == '\n' && look->before == '\n';

  if (!plain || edge)
    look->need |= TEXT_SPACE;
  look->run++;
  look->same = 0;
  look->before = c;
}

static guint
need_of (const Look *look)
{
  guint32 all = look->all;
  guint need = look->need;

  need |= all & TEXT_CH_NFC ? TEXT_NFC : 0;
  need |= all & TEXT_CH_NFKC ? TEXT_NFKC : 0;
  need |= all & TEXT_CH_WIDTH ? TEXT_WIDTH : 0;
  need |= all & TEXT_CH_FOLD ? TEXT_CASE : 0;
  need |= all & TEXT_CH_CONTROL ? TEXT_CONTROL : 0;
  need |= all & (TEXT_CH_BLANK | TEXT_CH_NEWLINE) ? TEXT_NO_SPACE : 0;
  need |= all & TEXT_CH_PUNCT ? TEXT_NO_PUNCTUATION : 0;
  need |= all & TEXT_CH_PICT ? TEXT_HINT_EMOJI : 0;
  return need;
}

guint
text_normal_needed (FrStr text, guint how)
{
  const char *p = text.data, *end = p + text.len;
  const guint32 ideograph = text_char_flags (0x5000);
  const guint32 *ascii;
  Look look = { 0 };

  text_char_flags (0);
  ascii = text_char_pages[0];
  while (p < end)
    {
      const char *at = p;
      guchar b = (guchar) *p;
      gunichar c;
      guint32 f;

      /* U+5000 to U+9FFF are all alike, and most of a Chinese text. */
      if (b >= 0xe5 && b <= 0xe9)
        {
          c = text_next_char (&p);
          look.all |= ideograph;
          look_at_visible (&look, c);
          continue;
        }
      c = text_next_char (&p);
      f = b < 0x80 ? ascii[b] : text_char_flags (c);
      look.all |= f;
      if (f & (TEXT_CH_BLANK | TEXT_CH_NEWLINE))
        look_at_space (&look, c, at == text.data || p == end);
      else if (f & TEXT_CH_PUNCT)
        look_at_mark (&look, c);
      else
        look_at_visible (&look, c);
    }
  return need_of (&look) & how;
}

/* One step from @in to @out, and the result becomes the next step's input. */
static FrStr
step (FrStr in, guint what, GString *out)
{
  g_string_truncate (out, 0);
  switch (what)
    {
    case TEXT_CONTROL:
      drop_control (in, out);
      break;
    case TEXT_WIDTH:
      fold_width (in, out);
      break;
    case TEXT_NFC:
    case TEXT_NFKC:
      unicode_form (in, what == TEXT_NFKC, out);
      break;
    case TEXT_CASE:
      fold_case (in, out);
      break;
    case TEXT_SPACE:
      fold_space (in, out);
      break;
    default:
      drop_flags (in,
                  (what & TEXT_NO_SPACE ? TEXT_CH_BLANK | TEXT_CH_NEWLINE : 0)
                      | (what & TEXT_NO_PUNCTUATION ? TEXT_CH_PUNCT : 0),
                  out);
    }
  return (FrStr){ out->str, out->len };
}

void
text_normalise (FrStr text, guint how, GString *out)
{
  guint form = how & TEXT_NFKC ? TEXT_NFKC : how & TEXT_NFC;
  guint need = text_normal_needed (
      text, (how
             & ~(guint) (TEXT_NFC | TEXT_NFKC | TEXT_HINT_REPEATS | TEXT_HINT_MARKS
                         | TEXT_HINT_EMOJI | TEXT_HINT_LINK))
                | form);
  guint drop = how & (TEXT_NO_SPACE | TEXT_NO_PUNCTUATION);
  guint steps[8], n = 0;
  g_autoptr (GString) a = NULL;
  g_autoptr (GString) b = NULL;

  if (need == 0)
    {
      g_string_append_len (out, text.data, (gssize) text.len);
      return;
    }
  if (need & TEXT_CONTROL)
    steps[n++] = TEXT_CONTROL;
  if (need & TEXT_WIDTH)
    steps[n++] = TEXT_WIDTH;
  /* NFKC makes spaces, punctuation and capitals of its own. */
  if (need & form)
    steps[n++] = form;
  if (how & TEXT_CASE && (need & (TEXT_CASE | form | TEXT_WIDTH)))
    steps[n++] = TEXT_CASE;
  if (drop && need & (drop | form | TEXT_WIDTH | TEXT_CONTROL))
    steps[n++] = drop;
  if (how & TEXT_SPACE && need != TEXT_CASE)
    steps[n++] = TEXT_SPACE;
  if (need & form && n > 1 && how & (TEXT_CASE | drop))
    steps[n++] = form;
  a = g_string_sized_new (text.len + 16);
  b = g_string_sized_new (n > 1 ? text.len + 16 : 1);
  for (guint i = 0; i < n; i++)
    text = step (text, steps[i], i & 1 ? b : a);
  g_string_append_len (out, text.data, (gssize) text.len);
}

/* ---- measures ------------------------------------------------------------- */

gsize
text_n_chars (FrStr text)
{
  gsize n = text.len, i = 0;

  /* Eight bytes at a time: those that continue a character have bit 7 and not bit 6. */
  for (; i + 8 <= text.len; i += 8)
    {
      guint64 word;

      memcpy (&word, text.data + i, 8);
      word = (word >> 7) & (~word >> 6) & G_GUINT64_CONSTANT (0x0101010101010101);
      n -= (gsize) ((word * G_GUINT64_CONSTANT (0x0101010101010101)) >> 56);
    }
  for (; i < text.len; i++)
    n -= ((guchar) text.data[i] & 0xc0) == 0x80;
  return n;
}

double
text_script_share (FrStr text, guint32 scripts)
{
  const char *p = text.data, *end = p + text.len;
  gsize all = 0, some = 0;

  while (p < end)
    {
      guint32 f = text_char_flags (text_next_char (&p));

      all += (f & TEXT_CH_ALNUM) != 0;
      some += (f & TEXT_CH_ALNUM) && (f & scripts);
    }
  return all ? (double) some / (double) all : 0;
}

double
text_han_share (FrStr text)
{
  return text_script_share (text, TEXT_CH_HAN);
}
