/* SPDX-License-Identifier: Apache-2.0 */
/* western.c: the tokenisers that came from mteval-v13a: 13a, zh, Tercom's.
 *
 * They follow sacreBLEU 2.6.0 (tokenizers/tokenizer_re.py, _13a.py, _zh.py, _ter.py).  Its regular
 * expressions are short enough to be loops; each pass below is one of them.  Bytes of a longer
 * character are never matched by them, so the passes go over bytes.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/score/score-private.h"

/* ---- 13a and zh --------------------------------------------------------------------- */

/* Written through a pointer: out->str is made large enough first. */
static char *
begin (GString *out, gsize room)
{
  g_string_set_size (out, room);
  return out->str;
}

static void
finish (GString *out, const char *end)
{
  g_string_truncate (out, (gsize) (end - out->str));
}

static inline gboolean
is_symbol (guchar c)
{
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&')
         || (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

static inline gboolean
is_digit (guchar c)
{
  return c >= '0' && c <= '9';
}

static inline gboolean
is_point (guchar c)
{
  return c == '.' || c == ',';
}

/* ([\{-\~\[-\` -\&\(-\+\:-\@\/]) -> " \1 " */
static void
pass_symbols (const GString *in, GString *out, gboolean *points, gboolean *dashes)
{
  char *w = begin (out, in->len * 3);

  *points = *dashes = FALSE;
  for (gsize i = 0; i < in->len; i++)
    {
      guchar c = (guchar) in->str[i];

      if (is_symbol (c))
        {
          *w++ = ' ';
          *w++ = (char) c;
          *w++ = ' ';
          continue;
        }
      *points |= is_point (c);
      *dashes |= c == '-';
      *w++ = (char) c;
    }
  finish (out, w);
}

/* ([^0-9])([\.,]) -> "\1 \2 " */
static void
pass_point_after (const GString *in, GString *out)
{
  char *w = begin (out, in->len * 3);
  gsize i = 0;

  while (i < in->len)
    {
      *w++ = in->str[i];
      if (!is_digit ((guchar) in->str[i]) && i + 1 < in->len && is_point ((guchar) in->str[i + 1]))
        {
          *w++ = ' ';
          *w++ = in->str[++i];
          *w++ = ' ';
        }
      i++;
    }
  finish (out, w);
}

/* ([\.,])([^0-9]) -> " \1 \2" */
static void
pass_point_before (const GString *in, GString *out)
{
  char *w = begin (out, in->len * 3);
  gsize i = 0;

  while (i < in->len)
    if (is_point ((guchar) in->str[i]) && i + 1 < in->len && !is_digit ((guchar) in->str[i + 1]))
      {
        *w++ = ' ';
        *w++ = in->str[i];
        *w++ = ' ';
        *w++ = in->str[i + 1];
        i += 2;
      }
    else
      *w++ = in->str[i++];
  finish (out, w);
}

/* ([0-9])(-) -> "\1 \2 " */
static void
pass_dash (const GString *in, GString *out)
{
  char *w = begin (out, in->len * 3);

  for (gsize i = 0; i < in->len; i++)
    {
      *w++ = in->str[i];
      if (is_digit ((guchar) in->str[i]) && i + 1 < in->len && in->str[i + 1] == '-')
        {
          *w++ = ' ';
          *w++ = in->str[++i];
          *w++ = ' ';
        }
    }
  finish (out, w);
}

/* sacreBLEU's TokenizerRegexp over text->a. */
static void
tokenise_western (ScoreText *text, ScoreTokens *tokens)
{
  GString *in = text->b, *out = text->a, *swap;
  gboolean points, dashes;

  pass_symbols (text->a, text->b, &points, &dashes);
  if (points)
    {
      pass_point_after (text->b, text->a);
      pass_point_before (text->a, text->b);
    }
  if (dashes)
    {
      pass_dash (in, out);
      swap = in, in = out, out = swap;
    }
  score_add_words (text, in->str, in->str + in->len, tokens);
}

/* out without every from, which becomes to; not looked for again in what came out. */
static void
replace_all (GString *s, const char *from, const char *to)
{
  gsize n = strlen (from), m = strlen (to), kept = 0, i = 0;

  if (memmem (s->str, s->len, from, n) == NULL)
    return;
  while (i < s->len)
    if (s->len - i >= n && memcmp (s->str + i, from, n) == 0)
      {
        memcpy (s->str + kept, to, m); /* never longer than from */
        kept += m;
        i += n;
      }
    else
      s->str[kept++] = s->str[i++];
  g_string_truncate (s, kept);
}

void
score_tokenise_13a (ScoreText *text, FrStr s, ScoreTokens *tokens)
{
  GString *a = text->a;

  g_string_assign (a, " ");
  g_string_append_len (a, s.data, (gssize) s.len);
  replace_all (a, "<skipped>", "");
  replace_all (a, "-\n", "");
  replace_all (a, "\n", " ");
  if (memchr (a->str, '&', a->len) != NULL)
    {
      replace_all (a, "&quot;", "\"");
      replace_all (a, "&amp;", "&");
      replace_all (a, "&lt;", "<");
      replace_all (a, "&gt;", ">");
    }
  g_string_append_c (a, ' ');
  tokenise_western (text, tokens);
}

/* _UCODE_RANGES of sacreBLEU's tokenizer_zh.py. */
gboolean
score_is_chinese (gunichar c, gboolean fixed)
{
  if (c < 0x2000)
    return FALSE;
  if (fixed ? (c >= 0x20000 && c <= 0x2a6d6) || (c >= 0x2f800 && c <= 0x2fa1d)
            : (c >= 0x2001 && c <= 0x2a6d) || (c >= 0x2f81 && c <= 0x2fa1))
    return TRUE;
  return (c >= 0x3400 && c <= 0x4db5) || (c >= 0x4e00 && c <= 0x9fbb)
         || (c >= 0xf900 && c <= 0xfa2d) || (c >= 0xfa30 && c <= 0xfa6a)
         || (c >= 0xfa70 && c <= 0xfad9) || (c >= 0xff00 && c <= 0xffef)
         || (c >= 0x2e80 && c <= 0x2eff) || (c >= 0x3000 && c <= 0x303f)
         || (c >= 0x31c0 && c <= 0x31ef) || (c >= 0x2f00 && c <= 0x2fdf)
         || (c >= 0x2ff0 && c <= 0x2fff) || (c >= 0x3100 && c <= 0x312f)
         || (c >= 0x31a0 && c <= 0x31bf) || (c >= 0xfe10 && c <= 0xfe1f)
         || (c >= 0xfe30 && c <= 0xfe4f) || (c >= 0x2600 && c <= 0x27bf)
         || (c >= 0x3200 && c <= 0x33ff);
}

void
score_tokenise_zh (ScoreText *text, FrStr s, gboolean fixed, ScoreTokens *tokens)
{
  const char *p, *end;
  char *w;

  s = score_strip (s);
  p = s.data;
  end = p + s.len;
  w = begin (text->a, s.len * 2 + 2);
  while (p < end)
    {
      const char *from = p;
      gboolean chinese = score_is_chinese (text_next_char (&p), fixed);

      /* Three bytes or more: there is room for two blanks. */
      if (chinese)
        *w++ = ' ';
      memcpy (w, from, (gsize) (p - from));
      w += p - from;
      if (chinese)
        *w++ = ' ';
    }
  finish (text->a, w);
  tokenise_western (text, tokens);
}

/* ---- Tercom ------------------------------------------------------------------------- */

static gboolean
is_asian_punct (gunichar c)
{
  return c == 0x3001 || c == 0x3002 || (c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301f)
         || (c >= 0xff61 && c <= 0xff65) || c == 0x30fb || c == 0xff0e || c == 0xff0c || c == 0xff1f
         || c == 0xff1a || c == 0xff1b || c == 0xff01 || c == 0xff02 || c == 0xff08 || c == 0xff09;
}

/* What _normalize_asian() sets apart, the slip in its range of enclosed letters with it.  Its rules
 * for kana ask for the start of the line, where normalising has just put a blank: they do nothing.
 */
static gboolean
is_asian (gunichar c)
{
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf)
         || (c >= 0x31c0 && c <= 0x31ef) || (c >= 0x2e80 && c <= 0x2eff)
         || (c >= 0x3200 && c <= 0x3f22) || (c >= 0xf900 && c <= 0xfaff)
         || (c >= 0xfe30 && c <= 0xfe4f) || is_asian_punct (c);
}

static void
set_asian_apart (const GString *in, GString *out)
{
  const char *p = in->str, *end = p + in->len;
  char *w = begin (out, in->len * 2 + 2);

  while (p < end)
    {
      const char *from = p;
      gboolean apart = is_asian (text_next_char (&p));

      if (apart)
        *w++ = ' ';
      memcpy (w, from, (gsize) (p - from));
      w += p - from;
      if (apart)
        *w++ = ' ';
    }
  finish (out, w);
}

static void
drop_punct (const GString *in, GString *out, gboolean asian)
{
  const char *p = in->str, *end = p + in->len;
  char *w = begin (out, in->len);

  while (p < end)
    {
      const char *from = p;
      gunichar c = text_next_char (&p);

      if ((c < 0x80 && strchr (".,?:;!\"()", (int) c) != NULL && c != 0)
          || (asian && is_asian_punct (c)))
        continue;
      memcpy (w, from, (gsize) (p - from));
      w += p - from;
    }
  finish (out, w);
}

/* text->a into text->a. */
static void
normalise_ter (ScoreText *text, gboolean asian)
{
  GString *a = text->a, *b = text->b;
  gboolean points, dashes;

  replace_all (a, "\n-", "");
  replace_all (a, "\n", " ");
  replace_all (a, "&quot;", "\"");
  replace_all (a, "&amp;", "&");
  replace_all (a, "&lt;", "<");
  replace_all (a, "&gt;", ">");
  g_string_prepend_c (a, ' ');
  g_string_append_c (a, ' ');
  pass_symbols (a, b, &points, &dashes);
  /* 's gets a blank before it; the rule for the end of the line never has it there. */
  g_string_replace (b, "'s ", " 's ", 0);
  pass_point_after (b, a);
  pass_point_before (a, b);
  pass_dash (b, a);
  if (asian)
    {
      set_asian_apart (a, b);
      g_string_assign (a, b->str);
    }
}

void
score_tokenise_ter (ScoreText *text, const ScoreTer *ter, FrStr s, ScoreTokens *tokens)
{
  GString *a = text->a;

  s = score_strip_end (s);
  if (!ter->case_sensitive)
    s = score_lowercase (text, s);
  if (!ter->normalized && !ter->no_punct)
    {
      score_add_words (text, s.data, s.data + s.len, tokens);
      return;
    }
  g_string_truncate (a, 0);
  g_string_append_len (a, s.data, (gssize) s.len);
  if (ter->normalized && s.len > 0)
    normalise_ter (text, ter->asian_support);
  if (ter->no_punct)
    {
      drop_punct (a, text->b, ter->asian_support);
      a = text->b;
    }
  score_add_words (text, a->str, a->str + a->len, tokens);
}
