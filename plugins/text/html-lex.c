/* SPDX-License-Identifier: Apache-2.0 */
/* html-lex.c: see html-lex.h. */
#include "config.h"

#include "text/html-lex.h"

#include <string.h>

static const char *
find_gt (Lexer *lex, const char *from)
{
  const char *gt;

  if (lex->no_gt != NULL && from >= lex->no_gt)
    return NULL;
  gt = memchr (from, '>', (gsize) (lex->end - from));
  if (gt == NULL)
    lex->no_gt = from;
  return gt;
}

static const char *
find_quote (Lexer *lex, const char *from, char quote)
{
  const char **memo = &lex->no_quote[quote == '\''];
  const char *at;

  if (*memo != NULL && from >= *memo)
    return NULL;
  at = memchr (from, quote, (gsize) (lex->end - from));
  if (at == NULL)
    *memo = from;
  return at;
}

/* The "</name" that ends an element's raw text. */
static const char *
find_end_tag (Lexer *lex, const char *from, const TextTag *tag)
{
  gsize len = strlen (tag->name);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (lex->no_end_tag) && lex->no_end_tag[i] != NULL; i++)
    if (lex->no_end_tag[i] == tag)
      return NULL;
  for (const char *p = from; (p = memchr (p, '<', (gsize) (lex->end - p))) != NULL; p++)
    if ((gsize) (lex->end - p) > len + 2 && p[1] == '/'
        && g_ascii_strncasecmp (p + 2, tag->name, len) == 0
        && (lex_is_space (p[len + 2]) || p[len + 2] == '/' || p[len + 2] == '>'))
      return p;
  if (i < G_N_ELEMENTS (lex->no_end_tag))
    lex->no_end_tag[i] = tag;
  return NULL;
}

/* What the attributes of a tag looked like. */
typedef struct
{
  gboolean valued;  /* one had a value */
  gboolean strange; /* one without a value is none that HTML has */
  gboolean broken;  /* a '<' where no tag has one */
  gboolean careful; /* such a '<' makes it text */
} Attributes;

/* A value, @p after the '='.  Returns where it ends, NULL when it never does. */
static const char *
attribute_value (Lexer *lex, const char *p, Attributes *a)
{
  while (p < lex->end && lex_is_space (*p))
    p++;
  if (p < lex->end && (*p == '"' || *p == '\''))
    {
      p = find_quote (lex, p + 1, *p);
      return p ? p + 1 : NULL;
    }
  for (; p < lex->end && !lex_is_space (*p) && *p != '>'; p++)
    a->broken |= *p == '<';
  return p;
}

/* From behind a tag's name to behind its '>'. */
static const char *
attributes (Lexer *lex, const char *p, Attributes *a)
{
  while (!(a->broken && a->careful))
    {
      const char *name;

      while (p < lex->end && (lex_is_space (*p) || *p == '/'))
        p++;
      if (p < lex->end && *p == '>')
        return p + 1;
      if (p >= lex->end)
        break;
      name = p++;
      a->broken |= *name == '<';
      for (; p < lex->end && !lex_is_space (*p) && *p != '/' && *p != '>' && *p != '='; p++)
        a->broken |= *p == '<';
      if (lex->leftovers)
        a->strange |= *name != '"' && *name != '\'' && !text_html_bare (name, (gsize) (p - name));
      while (p < lex->end && lex_is_space (*p))
        p++;
      if (p >= lex->end || *p != '=')
        continue;
      a->valued = TRUE;
      p = attribute_value (lex, p + 1, a);
      if (p == NULL)
        break;
    }
  return NULL;
}

/* A tag whose name begins at @name.  Returns where it ends, NULL when it is text. */
static const char *
read_tag (Lexer *lex, const char *name, LexKind kind, Lexeme *lexeme)
{
  const char *p = name, *after;
  Attributes a = { 0 };

  /* Without a '>' to come, nothing is looked at twice: a tag ends before the
   * next '<' at the latest. */
  a.careful = lex->leftovers || find_gt (lex, name) == NULL;
  while (p < lex->end && !lex_is_space (*p) && *p != '/' && *p != '>' && !(*p == '<' && a.careful))
    p++;
  lexeme->kind = kind;
  lexeme->from = name;
  lexeme->to = p;
  lexeme->tag = text_html_tag (name, (gsize) (p - name));
  if ((p < lex->end && *p == '<') || (lex->leftovers && lexeme->tag->flags & TAG_NONE))
    return NULL;
  after = attributes (lex, p, &a);
  if (a.careful && a.broken)
    return NULL;
  if (lex->leftovers && a.strange && !a.valued && kind == LEX_START)
    return NULL;
  if (after != NULL)
    {
      lexeme->attributes_end = after - 1;
      lexeme->self_closing = after[-2] == '/';
      return after;
    }
  after = find_gt (lex, p);
  lexeme->attributes_end = after ? after : lex->end;
  lexeme->self_closing = FALSE;
  if (after != NULL)
    return after + 1;
  return a.valued || kind == LEX_END ? lex->end : NULL;
}

static const char *
read_comment (Lexer *lex, const char *p)
{
  if (p < lex->end && *p == '>')
    return p + 1;
  if (lex->end - p >= 2 && p[0] == '-' && p[1] == '>')
    return p + 2;
  for (; (p = memchr (p, '-', (gsize) (lex->end - p))) != NULL; p++)
    {
      if (lex->end - p >= 3 && p[1] == '-' && p[2] == '>')
        return p + 3;
      if (lex->end - p >= 4 && p[1] == '-' && p[2] == '!' && p[3] == '>')
        return p + 4;
    }
  return lex->end;
}

static gboolean
starts (const char *p, const char *end, const char *word)
{
  gsize n = strlen (word);

  return (gsize) (end - p) >= n && g_ascii_strncasecmp (p, word, n) == 0;
}

static const char *
read_bogus (Lexer *lex, const char *p, gboolean likely)
{
  const char *gt;

  if (lex->leftovers && !likely)
    return NULL;
  gt = find_gt (lex, p);
  if (gt != NULL)
    return gt + 1;
  return lex->leftovers ? NULL : lex->end;
}

/* "<!": a comment, a doctype, or something that is taken for a comment.  What
 * stands in a CDATA section is text. */
static const char *
read_declaration (Lexer *lex, const char *p, Lexeme *lexeme)
{
  const char *close;

  lexeme->kind = LEX_DROP;
  if (starts (p, lex->end, "--"))
    return read_comment (lex, p + 2);
  if (!lex->no_cdata_end && starts (p, lex->end, "[cdata["))
    {
      close = memmem (p, (gsize) (lex->end - p), "]]>", 3);
      if (close != NULL)
        {
          lexeme->kind = LEX_LITERAL;
          lexeme->from = p + 7;
          lexeme->to = close;
          return close + 3;
        }
      lex->no_cdata_end = TRUE;
    }
  return read_bogus (lex, p, p < lex->end && (g_ascii_isalpha (*p) || *p == '['));
}

/* Markup at @lt, a '<'.  Returns where it ends, NULL when the '<' is text. */
static const char *
read_markup (Lexer *lex, const char *lt, Lexeme *lexeme)
{
  const char *p = lt + 1;

  lexeme->kind = LEX_DROP;
  lexeme->tag = NULL;
  if (p >= lex->end)
    return NULL;
  if (g_ascii_isalpha (*p))
    return read_tag (lex, p, LEX_START, lexeme);
  if (*p == '!')
    return read_declaration (lex, p + 1, lexeme);
  if (*p == '?')
    return read_bogus (lex, p, p + 1 < lex->end && g_ascii_isalpha (p[1]));
  if (*p != '/' || p + 1 >= lex->end)
    return NULL;
  if (g_ascii_isalpha (p[1]))
    return read_tag (lex, p + 1, LEX_END, lexeme);
  return read_bogus (lex, p + 1, p[1] == '>');
}

/* The content of an element that the lexer treats whole. */
static gboolean
read_raw (Lexer *lex, Lexeme *lexeme)
{
  const TextTag *tag = lex->raw;
  const char *close = find_end_tag (lex, lex->p, tag);

  lex->raw = NULL;
  if (close == NULL && !(tag->flags & TAG_REST) && strcmp (tag->name, "plaintext") != 0)
    return FALSE;
  close = close ? close : lex->end;
  lexeme->kind = tag->flags & TAG_DROP ? LEX_DROP : tag->flags & TAG_REFS ? LEX_TEXT : LEX_LITERAL;
  lexeme->from = lex->p;
  lexeme->to = lex->p = close;
  lexeme->tag = tag;
  return TRUE;
}

gboolean
text_lex_next (Lexer *lex, Lexeme *lexeme)
{
  const char *lt, *from = lex->p;

  if (lex->raw != NULL && read_raw (lex, lexeme))
    return TRUE;
  if (from >= lex->end)
    return FALSE;
  for (lt = from; (lt = memchr (lt, '<', (gsize) (lex->end - lt))) != NULL; lt++)
    {
      const char *after = read_markup (lex, lt, lexeme);

      if (after == NULL)
        continue;
      if (lt > from)
        break;
      lex->p = after;
      /* "<svg/>" is empty, for it is XML; the others are not, whatever they say. */
      if (lexeme->kind == LEX_START && lexeme->tag->flags & (TAG_RAW | TAG_DROP)
          && !(lexeme->self_closing && lexeme->tag->id == TEXT_TAG_SVG))
        lex->raw = lexeme->tag;
      return TRUE;
    }
  lexeme->kind = LEX_TEXT;
  lexeme->tag = NULL;
  lexeme->from = from;
  lexeme->to = lex->p = lt ? lt : lex->end;
  return TRUE;
}

gboolean
text_lex_attribute (const char **p, const char *end, FrStr *name, FrStr *value)
{
  const char *q = *p;

  while (q < end && (lex_is_space (*q) || *q == '/'))
    q++;
  if (q >= end)
    return FALSE;
  name->data = q++;
  while (q < end && !lex_is_space (*q) && *q != '/' && *q != '=')
    q++;
  name->len = (gsize) (q - name->data);
  *value = (FrStr){ NULL, 0 };
  while (q < end && lex_is_space (*q))
    q++;
  if (q < end && *q == '=')
    {
      q++;
      while (q < end && lex_is_space (*q))
        q++;
      value->data = q;
      if (q < end && (*q == '"' || *q == '\''))
        {
          const char *close = memchr (q + 1, *q, (gsize) (end - q - 1));

          value->data = q + 1;
          q = close ? close : end;
          value->len = (gsize) (q - value->data);
          q += q < end;
        }
      else
        {
          while (q < end && !lex_is_space (*q))
            q++;
          value->len = (gsize) (q - value->data);
        }
    }
  *p = q;
  return TRUE;
}
