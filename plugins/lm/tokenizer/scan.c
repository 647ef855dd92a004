/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c: the patterns of the families, written by hand.
 *
 * Each function finds what a backtracking matcher finds for the pattern that
 * lm_scan_for() names it for: the first alternative that can match, with the
 * longest repetition that lets the rest match.
 */
#include "config.h"

#include "tokenizer-private.h"

#define LN (LM_CLASS_L | LM_CLASS_N)
#define LM (LM_CLASS_L | LM_CLASS_M)
#define PS (LM_CLASS_P | LM_CLASS_S)

/* One character of the text. */
typedef struct
{
  guint32 c;
  guint classes;
  gsize next;
} Char;

static inline Char
get (const LmClasses *classes, const char *s, gsize at)
{
  Char ch;

  ch.c = lm_utf8_get (s, at, &ch.next);
  ch.classes = lm_class_of (classes, ch.c);
  return ch;
}

/* Past all characters from @at that are of one of the classes of @want. */
static inline gsize
run_of (const LmClasses *classes, const char *s, gsize len, gsize at, guint want)
{
  while (at < len)
    {
      Char ch = get (classes, s, at);

      if ((ch.classes & want) == 0)
        break;
      at = ch.next;
    }
  return at;
}

/* Past all that are of none of them. */
static inline gsize
run_without (const LmClasses *classes, const char *s, gsize len, gsize at, guint shun)
{
  while (at < len)
    {
      Char ch = get (classes, s, at);

      if (ch.classes & shun)
        break;
      at = ch.next;
    }
  return at;
}

static inline gsize
run_of_newlines (const char *s, gsize len, gsize at)
{
  while (at < len && (s[at] == '\r' || s[at] == '\n'))
    at++;
  return at;
}

/* \s+(?!\S)|\s+ at @at, where a space stands. */
static gsize
spaces (const LmClasses *classes, const char *s, gsize len, gsize at)
{
  gsize end = run_of (classes, s, len, at, LM_CLASS_SPACE), last;

  if (end == len)
    return end;
  last = lm_utf8_before (s, end);
  return last > at ? last : end;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ likewise. */
static gsize
spaces_newlines (const LmClasses *classes, const char *s, gsize len, gsize at)
{
  gsize end = at, newline = 0, last = at;

  while (end < len)
    {
      Char ch = get (classes, s, end);

      if ((ch.classes & LM_CLASS_SPACE) == 0)
        break;
      last = end;
      end = ch.next;
      if (ch.c == '\r' || ch.c == '\n')
        newline = end;
    }
  return newline > 0 ? newline : end < len && last > at ? last : end;
}

/* 's|'t|'re|'ve|'m|'ll|'d at @at, where "'" stands; 0: none of them. */
static gsize
contraction (const char *s, gsize len, gsize at, gboolean any_case)
{
  char a = at + 1 < len ? s[at + 1] : 0, b = at + 2 < len ? s[at + 2] : 0;

  if (any_case)
    {
      if (a == '\xc5' && b == '\xbf') /* U+017F is an s */
        return at + 3;
      a = g_ascii_tolower (a);
      b = g_ascii_tolower (b);
    }
  if (a == 's' || a == 't' || a == 'm' || a == 'd')
    return at + 2;
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
    return at + 3;
  return 0;
}

gboolean
lm_scan_gpt2 (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
              gsize *end)
{
  gsize at = from;
  Char ch;

  if (from >= len)
    return FALSE;
  *start = from;
  ch = get (classes, s, at);
  if (ch.c == '\'' && (*end = contraction (s, len, at, FALSE)) != 0)
    return TRUE;
  if (ch.c == ' ' && ch.next < len)
    {
      at = ch.next;
      ch = get (classes, s, at);
    }
  if (ch.classes & LN)
    *end = run_of (classes, s, len, ch.next, ch.classes & LN);
  else if ((ch.classes & LM_CLASS_SPACE) == 0)
    *end = run_without (classes, s, len, ch.next, LN | LM_CLASS_SPACE);
  else
    *end = spaces (classes, s, len, from);
  return TRUE;
}

static inline gboolean
scan_llama (const LmClasses *classes, const char *s, gsize len, gsize from, guint digits,
            gsize *start, gsize *end)
{
  Char ch, next = { 0, 0, 0 };

  if (from >= len)
    return FALSE;
  *start = from;
  ch = get (classes, s, from);
  if (ch.c == '\'' && (*end = contraction (s, len, from, TRUE)) != 0)
    return TRUE;
  if (ch.classes & LM_CLASS_L)
    return *end = run_of (classes, s, len, ch.next, LM_CLASS_L), TRUE;
  if (ch.classes & LM_CLASS_N)
    {
      *end = ch.next;
      for (guint i = 1; i < digits && *end < len; i++)
        {
          ch = get (classes, s, *end);
          if ((ch.classes & LM_CLASS_N) == 0)
            break;
          *end = ch.next;
        }
      return TRUE;
    }
  if (ch.next < len)
    next = get (classes, s, ch.next);
  if (next.classes & LM_CLASS_L && ch.c != '\r' && ch.c != '\n')
    return *end = run_of (classes, s, len, next.next, LM_CLASS_L), TRUE;
  if ((ch.classes & LM_CLASS_SPACE) == 0
      || (ch.c == ' ' && ch.next < len && (next.classes & (LN | LM_CLASS_SPACE)) == 0))
    {
      *end = run_without (classes, s, len, ch.next, LN | LM_CLASS_SPACE);
      *end = run_of_newlines (s, len, *end);
      return TRUE;
    }
  *end = spaces_newlines (classes, s, len, from);
  return TRUE;
}

gboolean
lm_scan_llama3 (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
                gsize *end)
{
  return scan_llama (classes, s, len, from, 3, start, end);
}

gboolean
lm_scan_qwen2 (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
               gsize *end)
{
  return scan_llama (classes, s, len, from, 1, start, end);
}

/* Up to @most characters of a class, at the first of them. */
static inline gboolean
scan_class (const LmClasses *classes, const char *s, gsize len, gsize from, guint want, gsize most,
            gsize *start, gsize *end)
{
  gsize at = run_without (classes, s, len, from, want);

  if (at >= len)
    return FALSE;
  *start = at;
  for (gsize i = 0; i < most && at < len; i++)
    {
      Char ch = get (classes, s, at);

      if ((ch.classes & want) == 0)
        break;
      at = ch.next;
    }
  *end = at;
  return TRUE;
}

gboolean
lm_scan_digits3 (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
                 gsize *end)
{
  return scan_class (classes, s, len, from, LM_CLASS_N, 3, start, end);
}

gboolean
lm_scan_digit (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
               gsize *end)
{
  return scan_class (classes, s, len, from, LM_CLASS_NUMERIC, 1, start, end);
}

gboolean
lm_scan_digits (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
                gsize *end)
{
  return scan_class (classes, s, len, from, LM_CLASS_NUMERIC, G_MAXSIZE, start, end);
}

static inline gboolean
is_cjk (guint32 c)
{
  return (c >= 0x4e00 && c <= 0x9fa5) || (c >= 0x3040 && c <= 0x30ff);
}

gboolean
lm_scan_cjk (const LmClasses *classes G_GNUC_UNUSED, const char *s, gsize len, gsize from,
             gsize *start, gsize *end)
{
  gsize at = from, next = from;

  for (; at < len; at = next)
    if ((guint8) s[at] < 0xe3)
      next = at + 1; /* every byte of what is below U+3000 is below E3 */
    else if (is_cjk (lm_utf8_get (s, at, &next)))
      break;
  if (at >= len)
    return FALSE;
  *start = at;
  for (*end = next; *end < len && is_cjk (lm_utf8_get (s, *end, &next)); *end = next)
    ;
  return TRUE;
}

/* What DeepSeek's third pattern matches right at @at; 0: nothing. */
static inline gsize
deepseek_at (const LmClasses *classes, const char *s, gsize len, gsize at, const Char *ch)
{
  gsize end;
  Char next = { 0, 0, 0 };

  if (ch->c < 0x80 && g_ascii_ispunct ((char) ch->c) && ch->next < len
      && g_ascii_isalpha (s[ch->next]))
    {
      for (end = ch->next; end < len && g_ascii_isalpha (s[end]); end++)
        ;
      return end;
    }
  if (ch->classes & LM)
    return run_of (classes, s, len, ch->next, LM);
  if (ch->next < len)
    next = get (classes, s, ch->next);
  if ((ch->classes & PS) == 0 && next.classes & LM && ch->c != '\r' && ch->c != '\n')
    return run_of (classes, s, len, next.next, LM);
  if (ch->classes & PS || (ch->c == ' ' && next.classes & PS))
    return run_of_newlines (s, len, run_of (classes, s, len, ch->next, PS));
  if (ch->classes & LM_CLASS_SPACE)
    return spaces_newlines (classes, s, len, at);
  return 0;
}

gboolean
lm_scan_deepseek3 (const LmClasses *classes, const char *s, gsize len, gsize from, gsize *start,
                   gsize *end)
{
  Char ch;

  for (gsize at = from; at < len; at = ch.next)
    {
      ch = get (classes, s, at);
      if ((*end = deepseek_at (classes, s, len, at, &ch)) != 0)
        return *start = at, TRUE;
    }
  return FALSE;
}

LmScan
lm_scan_for (const char *pattern)
{
  static const struct
  {
    const char *pattern;
    LmScan scan;
  } known[] = {
    { LM_GPT2_PATTERN, lm_scan_gpt2 },   { LM_LLAMA3_PATTERN, lm_scan_llama3 },
    { LM_QWEN2_PATTERN, lm_scan_qwen2 }, { LM_DIGITS3_PATTERN, lm_scan_digits3 },
    { LM_CJK_PATTERN, lm_scan_cjk },     { LM_DEEPSEEK3_PATTERN, lm_scan_deepseek3 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (pattern, known[i].pattern))
      return known[i].scan;
  return NULL;
}
