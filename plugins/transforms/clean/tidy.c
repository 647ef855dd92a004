/* SPDX-License-Identifier: Apache-2.0 */
/* tidy.c: see tidy.h.  Links follow RFC 3986 as far as it goes in running text
 * (a link ends before the first character outside ASCII, and before closing
 * punctuation); addresses follow RFC 5321's dot-atoms; emoji follow UTS #51. */
#include "config.h"

#include "tidy.h"

#include <string.h>

#include "text/chars.h"

/* ---- repeats -------------------------------------------------------------- */

static gboolean
is_exclaiming (gunichar c)
{
  return c == '!' || c == '?' || c == 0xff01 || c == 0xff1f;
}

/* Appends each mark of a run once, in the order they came. */
static void
append_distinct (const char *p, const char *end, GString *out)
{
  gunichar seen[4];
  guint n = 0;

  while (p < end)
    {
      gunichar c = text_next_char (&p);
      guint i;

      for (i = 0; i < n && seen[i] != c; i++)
        ;
      if (i < n)
        continue;
      seen[n++] = c;
      g_string_append_unichar (out, c);
    }
}

/* What a run of @n times @c becomes; NULL: it stays. */
static const char *
run_becomes (gunichar c, gsize n)
{
  switch (c)
    {
    case '.':
      return n > 3 ? "..." : NULL;
    case 0x3002: /* ideographic full stop */
      return n > 2 ? "……" : n == 2 ? "。" : NULL;
    case 0x2026: /* horizontal ellipsis */
      return n > 2 ? "……" : NULL;
    case 0xb7: /* middle dot */
    case 0x30fb:
      return n > 2 ? "……" : NULL;
    case 0x2014: /* em dash */
    case 0x2500:
      return n > 2 ? "——" : NULL;
    case '-':
      return n > 3 ? "---" : NULL;
    case '=':
      return n > 3 ? "===" : NULL;
    case '*':
      return n > 3 ? "***" : NULL;
    case '_':
      return n > 3 ? "___" : NULL;
    case ',':
      return n > 2 ? "," : NULL;
    case ';':
      return n > 2 ? ";" : NULL;
    case ':':
      return n > 2 ? ":" : NULL;
    case '~':
      return n > 2 ? "~" : NULL;
    case 0xff0c:
      return n > 1 ? "，" : NULL;
    case 0x3001:
      return n > 1 ? "、" : NULL;
    case 0xff1b:
      return n > 1 ? "；" : NULL;
    case 0xff1a:
      return n > 1 ? "：" : NULL;
    case 0xff5e:
      return n > 1 ? "～" : NULL;
    default:
      return NULL;
    }
}

void
tidy_punctuation (FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  while (p < end)
    {
      const char *at = p, *q;
      gunichar c = text_next_char (&p);
      gboolean exclaims = is_exclaiming (c), wide = exclaims && c >= 0x80;
      gsize n = 1;
      const char *becomes;

      if (!(text_char_flags (c) & TEXT_CH_PUNCT))
        continue;
      for (q = p; q < end; p = q, n++)
        {
          gunichar next = text_next_char (&q);

          if (next != c && !(exclaims && is_exclaiming (next)))
            break;
          wide |= exclaims && next >= 0x80;
        }
      becomes = exclaims ? NULL : run_becomes (c, n);
      if (becomes == NULL && !(exclaims && n > (wide ? 1 : 2)))
        continue;
      g_string_append_len (out, run, at - run);
      if (exclaims)
        append_distinct (at, p, out);
      else
        g_string_append (out, becomes);
      run = p;
    }
  g_string_append_len (out, run, end - run);
}

/* Runs of ASCII letters in "#ffffff", "0xffff" and the like mean something. */
static gboolean
is_code (const char *start, const char *at, const char *p, const char *end)
{
  return (at > start && (at[-1] == '#' || g_ascii_isdigit (at[-1])))
         || (p < end && g_ascii_isdigit (*p)) || (at - start > 1 && at[-1] == 'x' && at[-2] == '0');
}

void
tidy_repeats (FrStr text, guint limit, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  while (p < end)
    {
      const char *at = p, *q, *kept;
      gunichar c = text_next_char (&p);
      guint32 f = text_char_flags (c);
      gsize n = 1;

      kept = n == limit ? p : NULL;
      for (q = p; q < end; p = q)
        {
          if (text_next_char (&q) != c)
            break;
          if (++n == limit)
            kept = q;
        }
      if (n <= limit || f & TEXT_CH_DIGIT || !(f & (TEXT_CH_ALNUM | TEXT_CH_EMOJI_SHOWN))
          || (c < 0x80 && is_code (text.data, at, p, end)))
        continue;
      g_string_append_len (out, run, kept - run);
      run = p;
    }
  g_string_append_len (out, run, end - run);
}

/* ---- links and addresses -------------------------------------------------- */

gboolean
tidy_has_link (FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  for (; (p = memchr (p, ':', (gsize) (end - p))) != NULL; p++)
    if (end - p >= 3 && p[1] == '/' && p[2] == '/')
      return TRUE;
  return memmem (text.data, text.len, "www.", 4) != NULL
         || memmem (text.data, text.len, "WWW.", 4) != NULL;
}

gboolean
tidy_has_email (FrStr text)
{
  return memchr (text.data, '@', text.len) != NULL;
}

static gboolean
is_link_char (char c)
{
  return g_ascii_isalnum (c) || (c != 0 && strchr ("-._~:/?#[]@!$&'()*+,;=%", c) != NULL);
}

/* A link's own end: without the punctuation of the sentence around it. */
static const char *
link_end (const char *at, const char *p, const char *end)
{
  int open = 0, square = 0;

  for (; p < end && is_link_char (*p); p++)
    {
      open += *p == '(';
      square += *p == '[';
      if ((*p == ')' && open-- == 0) || (*p == ']' && square-- == 0))
        break;
    }
  while (p > at && strchr (".,;:!?'(", p[-1]) != NULL)
    p--;
  return p;
}

/* "http://", "https://", "ftp://" or "www." at @p: how long that is. */
static gsize
link_start (const char *start, const char *p, const char *end)
{
  static const char *const heads[] = { "http://", "https://", "ftp://", "www." };

  if (p > start && g_ascii_isalnum (p[-1]))
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      gsize n = strlen (heads[i]);

      if ((gsize) (end - p) > n && g_ascii_strncasecmp (p, heads[i], n) == 0
          && g_ascii_isalnum (p[n]))
        return n;
    }
  return 0;
}

/* [text](link) keeps its text alone. */
static gboolean
is_markdown (const char *start, const char *at, const char *after, const char *end)
{
  return at - start >= 2 && at[-1] == '(' && at[-2] == ']' && after < end && *after == ')';
}

void
tidy_links (FrStr text, TidyAction action, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  while (p < end)
    {
      gsize head;
      const char *after, *from = p;

      if ((*p | 32) != 'h' && (*p | 32) != 'f' && (*p | 32) != 'w')
        {
          p++;
          continue;
        }
      head = link_start (text.data, p, end);
      if (head == 0)
        {
          p++;
          continue;
        }
      after = link_end (p + head, p + head, end);
      if (action == TIDY_REMOVE && is_markdown (text.data, p, after, end))
        {
          from--;
          after++;
        }
      g_string_append_len (out, run, from - run);
      if (action == TIDY_TAG)
        g_string_append (out, "[URL]");
      run = p = after;
    }
  g_string_append_len (out, run, end - run);
}

static gboolean
is_local_char (char c)
{
  return g_ascii_isalnum (c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
}

/* The domain after '@' at @p: labels with a dot and a top level of letters.
 * NULL when it is none. */
static const char *
domain_end (const char *p, const char *end)
{
  const char *last_dot = NULL, *start = p;

  for (; p < end && (g_ascii_isalnum (*p) || *p == '-' || *p == '.'); p++)
    if (*p == '.')
      {
        if (p == start || p[-1] == '.')
          break;
        last_dot = p;
      }
  while (p > start && (p[-1] == '.' || p[-1] == '-'))
    p--;
  if (last_dot != NULL && p <= last_dot)
    for (last_dot = p - 1; last_dot > start && *last_dot != '.'; last_dot--)
      ;
  if (last_dot == NULL || *last_dot != '.' || p - last_dot < 3)
    return NULL;
  for (const char *q = last_dot + 1; q < p; q++)
    if (!g_ascii_isalpha (*q))
      return NULL;
  return p;
}

void
tidy_emails (FrStr text, TidyAction action, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  for (; (p = memchr (p, '@', (gsize) (end - p))) != NULL; p++)
    {
      const char *from = p, *after = domain_end (p + 1, end);

      while (from > run && is_local_char (from[-1]))
        from--;
      while (from < p && *from == '.')
        from++;
      if (from == p || after == NULL)
        continue;
      if (from - run >= 7 && g_ascii_strncasecmp (from - 7, "mailto:", 7) == 0)
        from -= 7;
      g_string_append_len (out, run, from - run);
      if (action == TIDY_TAG)
        g_string_append (out, "[EMAIL]");
      run = after;
      p = after - 1;
    }
  g_string_append_len (out, run, end - run);
}

/* ---- emoji ---------------------------------------------------------------- */

static gboolean
is_emoji_extra (gunichar c)
{
  return c == 0xfe0f || c == 0x20e3 || (c >= 0x1f3fb && c <= 0x1f3ff)
         || (c >= 0xe0020 && c <= 0xe007f);
}

/* The end of an emoji that begins at @p; @p itself when there is none.  A
 * character that is text by default is an emoji only with its selector. */
static const char *
emoji_end (const char *p, const char *end)
{
  const char *q = p, *next;
  gunichar c = text_next_char (&q);
  guint32 f = text_char_flags (c);
  gunichar after;

  next = q;
  after = q < end ? text_next_char (&next) : 0;
  if (!(f & TEXT_CH_EMOJI_SHOWN) && !((f & TEXT_CH_EMOJI) && (after == 0xfe0f || after == 0x20e3)))
    return p;
  for (; after == 0x200d || is_emoji_extra (after);)
    {
      q = next;
      if (after == 0x200d && q < end)
        {
          const char *joined = q;

          if (text_char_flags (text_next_char (&joined)) & TEXT_CH_PICT)
            q = joined;
        }
      next = q;
      after = q < end ? text_next_char (&next) : 0;
    }
  return q;
}

void
tidy_emoji (FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len, *run = p;

  while (p < end)
    {
      const char *after = emoji_end (p, end);

      if (after == p)
        {
          text_next_char (&p);
          continue;
        }
      g_string_append_len (out, run, p - run);
      run = p = after;
    }
  g_string_append_len (out, run, end - run);
}

/* ---- cutting and sentences ------------------------------------------------- */

FrStr
tidy_cut (FrStr text, gsize limit)
{
  const char *p = text.data, *end = p + text.len, *whole = p;

  for (gsize n = 0; p < end; n++)
    {
      const char *at = p;
      guint32 f = text_char_flags (text_next_char (&p));

      if (!(f & TEXT_CH_MARK) && !(f & TEXT_CH_CONTROL))
        whole = at;
      if (n == limit)
        return (FrStr){ text.data, (gsize) (whole - text.data) };
    }
  return text;
}

static gboolean
ends_sentence (gunichar c)
{
  switch (c)
    {
    case 0x3002: /* 。 */
    case 0xff01: /* ！ */
    case 0xff1f: /* ？ */
    case 0xff1b: /* ； */
    case 0x2026: /* … */
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
closes (gunichar c)
{
  return c == 0x201d || c == 0x2019 || c == 0x300d || c == 0x300f || c == 0xff09 || c == 0x3011
         || c == ')' || c == '"';
}

const char *
tidy_unit_end (const char *p, const char *end, gboolean lines)
{
  while (p < end)
    {
      gunichar c = text_next_char (&p);
      const char *q = p;

      if (c == '\n')
        return p;
      if (lines)
        continue;
      if ((c == '.' || c == '!' || c == '?' || c == ';') && (p == end || *p == ' ' || *p == '\n'))
        ;
      else if (!ends_sentence (c))
        continue;
      while (q < end)
        {
          gunichar next = text_next_char (&q);

          if (!ends_sentence (next) && !closes (next) && next != ' ' && next != '!' && next != '?')
            break;
          p = q;
        }
      if (p < end && *p == '\n')
        p++;
      return p;
    }
  return end;
}
