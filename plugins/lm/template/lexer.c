/* SPDX-License-Identifier: Apache-2.0 */
/* lexer.c: a template's text to tokens, whitespace control included.
 *
 * Follows Jinja2's lexer with trim_blocks and lstrip_blocks on and
 * keep_trailing_newline off: a tag takes the newline after it, a block or comment
 * takes the blanks before it on its line, '-' takes all whitespace on its side,
 * '+' turns the automatism off.
 */
#include "config.h"

#include "jinja-private.h"

#include <errno.h>
#include <string.h>

typedef struct
{
  Jinja *j;
  const char *p, *end, *start;
  gboolean line_start; /* nothing but a newline before */
  JToken *tokens;
  gsize n, cap;
  char balance[LM_JINJA_MAX_DEPTH];
  guint depth;
} Lexer;

static JToken *
add_token (Lexer *l, JTokenType type, const char *text, gsize len)
{
  JToken *t;

  if (l->n == l->cap)
    {
      gsize cap = MAX (64, l->cap * 2);
      JToken *grown = lm_jinja_alloc (l->j, cap * sizeof *grown);

      if (l->n > 0)
        memcpy (grown, l->tokens, l->n * sizeof *grown);
      l->tokens = grown;
      l->cap = cap;
    }
  t = &l->tokens[l->n++];
  *t = (JToken){ .type = type, .line = l->j->line, .text = text, .len = len };
  return t;
}

/* Moves on to @to, counting lines. */
static void
move_to (Lexer *l, const char *to)
{
  for (; l->p < to; l->p++)
    l->j->line += *l->p == '\n';
}

static const char *
skip_space (const char *p, const char *end)
{
  while (p < end && lm_jinja_is_space (g_utf8_get_char (p)))
    p = g_utf8_next_char (p);
  return p;
}

static const char *
skip_space_back (const char *start, const char *end)
{
  while (end > start)
    {
      const char *previous = g_utf8_prev_char (end);

      if (!lm_jinja_is_space (g_utf8_get_char (previous)))
        break;
      end = previous;
    }
  return end;
}

static gboolean
at (const Lexer *l, const char *p, const char *text)
{
  gsize n = strlen (text);

  return (gsize) (l->end - p) >= n && memcmp (p, text, n) == 0;
}

/* Text in front of a tag that begins at @tag with its sign at @tag + 2. */
static void
add_data (Lexer *l, const char *tag, gboolean variable)
{
  char sign = tag + 2 < l->end ? tag[2] : '\0';
  const char *stop = tag;

  if (sign == '-')
    stop = skip_space_back (l->p, tag);
  else if (sign != '+' && !variable)
    {
      const char *line = tag;

      while (line > l->p && line[-1] != '\n')
        line--;
      if ((line > l->p || l->line_start) && line < tag && skip_space_back (line, tag) == line)
        stop = line;
    }
  if (stop > l->p)
    add_token (l, T_DATA, l->p, (gsize) (stop - l->p));
  move_to (l, tag);
}

/* Whether a closing sign and tag stand at @p; *@after: behind them and the whitespace they take. */
static gboolean
closes (const Lexer *l, const char *p, const char *close, gboolean variable, const char **after)
{
  if (*p == '-' && at (l, p + 1, close))
    {
      *after = skip_space (p + 3, l->end);
      return TRUE;
    }
  if (!variable && *p == '+' && at (l, p + 1, close))
    {
      *after = p + 3;
      return TRUE;
    }
  if (!at (l, p, close))
    return FALSE;
  *after = p + 2;
  if (!variable && *after < l->end && **after == '\n')
    (*after)++;
  return TRUE;
}

static void
lex_comment (Lexer *l)
{
  const char *p = l->p + 2, *after;

  if (p < l->end && (*p == '-' || *p == '+'))
    p++;
  for (; p < l->end; p++)
    if (closes (l, p, "#}", FALSE, &after))
      {
        move_to (l, after);
        return;
      }
  lm_jinja_fail (l->j, "Missing end of comment tag");
}

/* What stands at @p if "{%", a sign, blanks, @word, blanks is there; NULL else. */
static const char *
skip_tag_word (const Lexer *l, const char *p, const char *word)
{
  if (!at (l, p, "{%"))
    return NULL;
  p += 2;
  if (p < l->end && (*p == '-' || *p == '+'))
    p++;
  p = skip_space (p, l->end);
  if (!at (l, p, word))
    return NULL;
  return skip_space (p + strlen (word), l->end);
}

/* {% raw %}: TRUE when it stands here. */
static gboolean
lex_raw (Lexer *l)
{
  const char *p = skip_tag_word (l, l->p, "raw"), *after;

  if (p == NULL)
    return FALSE;
  if (at (l, p, "-%}"))
    p = skip_space (p + 3, l->end);
  else if (at (l, p, "%}"))
    p += 2;
  else
    return FALSE;
  move_to (l, p);
  l->line_start = l->p[-1] == '\n';
  for (p = l->p; p < l->end; p++)
    {
      const char *close = *p == '{' ? skip_tag_word (l, p, "endraw") : NULL;

      if (close != NULL && close < l->end && closes (l, close, "%}", FALSE, &after))
        {
          add_data (l, p, FALSE);
          move_to (l, after);
          return TRUE;
        }
    }
  lm_jinja_fail (l->j, "Missing end of raw directive");
}

/* ---- inside of tags -------------------------------------------------------------------- */

static const char *
skip_digits (const char *p, const char *end)
{
  while (p < end && (g_ascii_isdigit (*p) || (*p == '_' && p + 1 < end && g_ascii_isdigit (p[1]))))
    p++;
  return p;
}

/* The number without its underscores. */
static char *
plain_digits (Lexer *l, const char *from, const char *to)
{
  char *text = lm_jinja_alloc (l->j, (gsize) (to - from) + 1), *o = text;

  for (; from < to; from++)
    if (*from != '_')
      *o++ = *from;
  return text;
}

static void
lex_number (Lexer *l)
{
  const char *p = skip_digits (l->p, l->end), *q = p;
  gboolean is_float = FALSE, item = l->p[-1] == '.'; /* x.0.1: two items, no fraction */
  char *text, *rest;
  JToken *t;

  if (l->p[0] == '0' && l->p + 1 < l->end && strchr ("xXoObB", l->p[1]) != NULL)
    lm_jinja_fail (l->j, "numbers to other bases than ten are not supported: '%.2s…'", l->p);
  if (!item && p + 1 < l->end && *p == '.' && g_ascii_isdigit (p[1]))
    {
      q = skip_digits (p + 1, l->end);
      is_float = TRUE;
    }
  if (!item && q < l->end && (*q == 'e' || *q == 'E'))
    {
      const char *e = q + 1;

      if (e < l->end && (*e == '+' || *e == '-'))
        e++;
      if (e < l->end && g_ascii_isdigit (*e))
        {
          q = skip_digits (e, l->end);
          is_float = TRUE;
        }
    }
  text = plain_digits (l, l->p, q);
  t = add_token (l, is_float ? T_FLOAT : T_INT, l->p, (gsize) (q - l->p));
  if (is_float)
    t->value = j_float (g_ascii_strtod (text, NULL));
  else
    {
      if (text[0] == '0' && strspn (text, "0") != strlen (text))
        lm_jinja_fail (l->j, "an integer begins with 0: '%s'", text);
      errno = 0;
      t->value = j_int (g_ascii_strtoll (text, &rest, 10));
      if (errno != 0)
        lm_jinja_fail (l->j, "the integer %s is beyond 64 bits", text);
    }
  move_to (l, q);
}

/* \xhh, \uhhhh, \Uhhhhhhhh at @p behind the letter. */
static const char *
unescape_hex (Lexer *l, JBuf *buf, const char *p, const char *end, int digits)
{
  gunichar c = 0;

  for (int i = 0; i < digits; i++, p++)
    {
      if (p == end || !g_ascii_isxdigit (*p))
        lm_jinja_fail (l->j, "a text has a truncated \\%c escape",
                       digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
      c = c << 4 | (gunichar) g_ascii_xdigit_value (*p);
    }
  if (!g_unichar_validate (c))
    lm_jinja_fail (l->j, "a text has an escape for U+%04X, which is no character", c);
  lm_jinja_buf_char (l->j, buf, c);
  return p;
}

/* One escape at @p, which is behind the backslash, as Python's unicode_escape reads it. */
static const char *
unescape (Lexer *l, JBuf *buf, const char *p, const char *end)
{
  static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
  const char *found = strchr (from, *p);
  gunichar c = 0;

  if (*p == '\n')
    return p + 1;
  if (found != NULL)
    {
      lm_jinja_buf_add (l->j, buf, &to[found - from], 1);
      return p + 1;
    }
  if (*p == 'x' || *p == 'u' || *p == 'U')
    return unescape_hex (l, buf, p + 1, end, *p == 'x' ? 2 : *p == 'u' ? 4 : 8);
  if (*p == 'N')
    lm_jinja_fail (l->j, "the escape \\N{…} is not supported");
  if (*p >= '0' && *p <= '7')
    {
      for (int i = 0; i < 3 && p < end && *p >= '0' && *p <= '7'; i++, p++)
        c = c << 3 | (gunichar) (*p - '0');
      lm_jinja_buf_char (l->j, buf, c);
      return p;
    }
  lm_jinja_buf_add (l->j, buf, "\\", 1);
  return p;
}

static void
lex_string (Lexer *l)
{
  const char quote = *l->p, *p = l->p + 1;
  JBuf buf = { 0 };

  while (p < l->end && *p != quote)
    if (*p == '\\' && p + 1 < l->end)
      p = unescape (l, &buf, p + 1, l->end);
    else
      lm_jinja_buf_add (l->j, &buf, p++, 1);
  if (p >= l->end)
    lm_jinja_fail (l->j, "a text that begins with %c has no end", quote);
  add_token (l, T_STRING, buf.s != NULL ? buf.s : "", buf.len);
  move_to (l, p + 1);
}

static gboolean
is_name_start (gunichar c)
{
  return c == '_' || g_unichar_isalpha (c);
}

static void
lex_name (Lexer *l)
{
  const char *p = l->p;

  while (p < l->end && (is_name_start (g_utf8_get_char (p)) || g_unichar_isalnum (g_utf8_get_char (p))))
    p = g_utf8_next_char (p);
  add_token (l, T_NAME, l->p, (gsize) (p - l->p));
  move_to (l, p);
}

static void
lex_operator (Lexer *l)
{
  static const char *const two[] = { "//", "**", "==", "!=", ">=", "<=" };
  static const char one[] = "+-/*%~[](){}<>=.:|,;", open[] = "([{", close[] = ")]}";
  const char *found;
  gsize n = 1;

  for (gsize i = 0; i < G_N_ELEMENTS (two); i++)
    if (at (l, l->p, two[i]))
      n = 2;
  if (n == 1 && strchr (one, *l->p) == NULL)
    {
      char c[8] = { 0 };

      g_unichar_to_utf8 (g_utf8_get_char (l->p), c);
      lm_jinja_fail (l->j, "unexpected char '%s'", c);
    }
  if (n == 1 && (found = strchr (open, *l->p)) != NULL)
    {
      if (l->depth == G_N_ELEMENTS (l->balance))
        lm_jinja_fail (l->j, "brackets are nested deeper than %u levels", l->depth);
      l->balance[l->depth++] = close[found - open];
    }
  else if (n == 1 && strchr (close, *l->p) != NULL)
    {
      if (l->depth == 0)
        lm_jinja_fail (l->j, "unexpected '%c'", *l->p);
      if (l->balance[--l->depth] != *l->p)
        lm_jinja_fail (l->j, "unexpected '%c', expected '%c'", *l->p, l->balance[l->depth]);
    }
  add_token (l, T_OP, l->p, n);
  move_to (l, l->p + n);
}

static void
lex_tag (Lexer *l, gboolean variable)
{
  const char *close = variable ? "}}" : "%}", *after;

  add_token (l, variable ? T_VARIABLE_BEGIN : T_BLOCK_BEGIN, l->p, 2);
  l->p += 2;
  if (l->p < l->end && (*l->p == '-' || *l->p == '+'))
    l->p++;
  l->depth = 0;
  for (;;)
    {
      move_to (l, skip_space (l->p, l->end));
      if (l->p >= l->end)
        lm_jinja_fail (l->j, "the template ends inside of a tag; '%s' is missing", close);
      if (l->depth == 0 && closes (l, l->p, close, variable, &after))
        break;
      if (g_ascii_isdigit (*l->p))
        lex_number (l);
      else if (is_name_start (g_utf8_get_char (l->p)))
        lex_name (l);
      else if (*l->p == '\'' || *l->p == '"')
        lex_string (l);
      else
        lex_operator (l);
    }
  add_token (l, variable ? T_VARIABLE_END : T_BLOCK_END, l->p, 2);
  move_to (l, after);
}

static void
lex_root (Lexer *l)
{
  const char *tag = l->p;

  while (tag + 1 < l->end && !(*tag == '{' && strchr ("{%#", tag[1]) != NULL && tag[1] != '\0'))
    tag++;
  if (tag + 1 >= l->end)
    {
      if (l->end > l->p)
        add_token (l, T_DATA, l->p, (gsize) (l->end - l->p));
      l->p = l->end;
      return;
    }
  add_data (l, tag, tag[1] == '{');
  if (tag[1] == '#')
    lex_comment (l);
  else if (tag[1] == '{' || !lex_raw (l))
    lex_tag (l, tag[1] == '{');
  l->line_start = l->p > l->start && l->p[-1] == '\n';
}

/* All newlines as "\n", the last one left out. */
static char *
normal_lines (Jinja *j, const char *source, gsize len, gsize *n)
{
  char *text = lm_jinja_alloc (j, len + 1), *o = text;

  for (gsize i = 0; i < len; i++)
    if (source[i] != '\r')
      *o++ = source[i];
    else if (i + 1 == len || source[i + 1] != '\n')
      *o++ = '\n';
  if (o > text && o[-1] == '\n')
    o--;
  *o = '\0';
  *n = (gsize) (o - text);
  return text;
}

JToken *
lm_jinja_lex (Jinja *j, const char *source, gsize len, gsize *n)
{
  Lexer l = { .j = j, .line_start = TRUE };
  gsize used;

  if (!g_utf8_validate_len (source, len, NULL))
    lm_jinja_fail (j, "the template is not valid UTF-8, or has a NUL in it");
  l.start = l.p = normal_lines (j, source, len, &used);
  l.end = l.p + used;
  j->line = 1;
  while (l.p < l.end)
    lex_root (&l);
  add_token (&l, T_EOF, "", 0);
  *n = l.n;
  return l.tokens;
}
