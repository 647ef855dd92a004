/* SPDX-License-Identifier: Apache-2.0 */
/* html.c: see html.h.
 *
 * Three layers: the lexer cuts HTML into text, tags and what is dropped; the
 * emitter lays text out in lines; a round runs one over the other.  Nothing
 * here allocates but the output.
 *
 * Where this leaves the standard, it is to keep text that a browser would
 * swallow: a tag or quote that never closes ends at the next '>' or is text.
 * The memo fields of the lexer say what is known not to come any more, so that
 * such searches stay linear in all.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/html-private.h"
#include "text/html.h"

/* ---- character references: section 13.2.5.72 and following ---------------- */

static const guint16 windows_1252[32]
    = { 0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178 };

static gunichar
numeric_char (guint64 value)
{
  if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
    return 0xfffd;
  if (value >= 0x80 && value <= 0x9f && windows_1252[value - 0x80] != 0)
    return windows_1252[value - 0x80];
  return (gunichar) value;
}

static gsize
numeric_reference (const char *p, const char *end, gunichar chars[2])
{
  const char *q = p + 2;
  gboolean hex = q < end && (*q == 'x' || *q == 'X');
  guint64 value = 0;
  const char *digits;

  q += hex;
  for (digits = q; q < end && (hex ? g_ascii_isxdigit (*q) : g_ascii_isdigit (*q)); q++)
    if (value <= 0x10ffff)
      value = value * (hex ? 16 : 10) + (guint64) g_ascii_xdigit_value (*q);
  if (q == digits)
    return 0;
  chars[0] = numeric_char (value);
  return (gsize) (q - p) + (q < end && *q == ';');
}

static const TextEntity *
find_entity (const char *name, gsize len)
{
  guint low = 0, high = text_n_entities;

  while (low < high)
    {
      guint middle = (low + high) / 2;
      const TextEntity *e = &text_entities[middle];
      int order = strncmp (name, e->name, len);

      if (order == 0)
        order = e->name[len] ? -1 : 0;
      if (order == 0)
        return e;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return NULL;
}

gsize
text_html_reference (const char *p, const char *end, gunichar chars[2])
{
  const TextEntity *e;
  gsize n = 1, longest;

  chars[0] = chars[1] = 0;
  if (end - p < 2)
    return 0;
  if (p[1] == '#')
    return numeric_reference (p, end, chars);
  while (p + n < end && n < sizeof e->name && g_ascii_isalnum (p[n]))
    n++;
  if (n == 1)
    return 0;
  e = p + n < end && p[n] == ';' ? find_entity (p + 1, n - 1) : NULL;
  longest = n + 1;
  /* No name that works without its semicolon is longer than six letters. */
  for (gsize len = MIN (n - 1, 6); e == NULL && len >= 2; len--)
    {
      e = find_entity (p + 1, len);
      e = e != NULL && e->legacy ? e : NULL;
      longest = len + 1;
    }
  if (e == NULL)
    return 0;
  chars[0] = e->first;
  chars[1] = e->second;
  return longest;
}

/* ---- lexer ---------------------------------------------------------------- */

typedef enum
{
  LEX_TEXT,
  LEX_START,
  LEX_END,
  LEX_DROP,
  LEX_LITERAL,
  LEX_DONE
} LexKind;

/* TEXT: @from to @to may hold references; LITERAL: it does not. */
typedef struct
{
  LexKind kind;
  const char *from, *to;
  const TextTag *tag;
} Lexeme;

typedef struct
{
  const char *p, *end;
  gboolean leftovers;
  const TextTag *raw;           /* the start tag just read holds raw text */
  const char *no_quote[2];      /* from here on there is no '"', no '\'' */
  const char *no_gt;            /* from here on there is no '>' */
  gboolean no_cdata_end;        /* there is no "]]>" any more */
  const TextTag *no_end_tag[8]; /* elements known to have no end tag any more */
} Lexer;

static inline gboolean
is_space (char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

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
        && (is_space (p[len + 2]) || p[len + 2] == '/' || p[len + 2] == '>'))
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
  while (p < lex->end && is_space (*p))
    p++;
  if (p < lex->end && (*p == '"' || *p == '\''))
    {
      p = find_quote (lex, p + 1, *p);
      return p ? p + 1 : NULL;
    }
  for (; p < lex->end && !is_space (*p) && *p != '>'; p++)
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

      while (p < lex->end && (is_space (*p) || *p == '/'))
        p++;
      if (p < lex->end && *p == '>')
        return p + 1;
      if (p >= lex->end)
        break;
      name = p++;
      a->broken |= *name == '<';
      for (; p < lex->end && !is_space (*p) && *p != '/' && *p != '>' && *p != '='; p++)
        a->broken |= *p == '<';
      a->strange |= *name != '"' && *name != '\'' && !text_html_bare (name, (gsize) (p - name));
      while (p < lex->end && is_space (*p))
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
  while (p < lex->end && !is_space (*p) && *p != '/' && *p != '>' && !(*p == '<' && a.careful))
    p++;
  lexeme->kind = kind;
  lexeme->tag = text_html_tag (name, (gsize) (p - name));
  if ((p < lex->end && *p == '<') || (lex->leftovers && lexeme->tag->flags & TAG_NONE))
    return NULL;
  after = attributes (lex, p, &a);
  if (a.careful && a.broken)
    return NULL;
  if (lex->leftovers && a.strange && !a.valued && kind == LEX_START)
    return NULL;
  if (after == NULL)
    {
      const char *gt = find_gt (lex, p);

      if (gt != NULL)
        return gt + 1;
      return a.valued || kind == LEX_END ? lex->end : NULL;
    }
  return after;
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

static gboolean
next_lexeme (Lexer *lex, Lexeme *lexeme)
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
      if (lexeme->kind == LEX_START && lexeme->tag->flags & (TAG_RAW | TAG_DROP))
        lex->raw = lexeme->tag;
      return TRUE;
    }
  lexeme->kind = LEX_TEXT;
  lexeme->tag = NULL;
  lexeme->from = from;
  lexeme->to = lex->p = lt ? lt : lex->end;
  return TRUE;
}

/* ---- emitter -------------------------------------------------------------- */

typedef struct
{
  GString *out;
  gsize start;
  gboolean collapse;   /* white space of the source is layout, not text */
  guint pre;           /* depth of elements in which it is text all the same */
  guint required;      /* newlines that blocks want before the next text */
  guint hard;          /* newlines that <br> wants */
  guint tabs;          /* cells begun since the last text */
  guint cells;         /* cells begun in this row */
  gboolean space;      /* white space since the last text */
  gboolean space_line; /* a newline among it */
  gboolean after_br;   /* the newline after <br>, if one comes, is the same one */
} Emitter;

/* Scripts that do not write spaces between words. */
static gboolean
is_spaceless (gunichar c)
{
  return text_char_flags (c) & (TEXT_CH_HAN | TEXT_CH_KANA) || (c >= 0x3000 && c <= 0x303f)
         || (c >= 0xff01 && c <= 0xff60);
}

static gboolean
joins_lines (const Emitter *e, const char *next)
{
  const char *prev = text_prev_char (e->out->str + e->out->len);

  return e->space_line && is_spaceless (text_next_char (&prev))
         && is_spaceless (text_next_char (&next));
}

/* Before text: what was promised since the last one. */
static void
settle (Emitter *e, const char *next)
{
  gboolean empty = e->out->len == e->start;
  guint lines = MAX (e->required, e->hard);

  if (!empty)
    {
      for (guint i = 0; i < lines; i++)
        g_string_append_c (e->out, '\n');
      for (guint i = 0; i < e->tabs; i++)
        g_string_append_c (e->out, '\t');
      if (e->space && lines == 0 && e->tabs == 0 && e->out->str[e->out->len - 1] != '\n'
          && !joins_lines (e, next))
        g_string_append_c (e->out, ' ');
    }
  e->required = e->hard = e->tabs = 0;
  e->space = e->space_line = e->after_br = FALSE;
}

static void
emit_verbatim (Emitter *e, const char *p, const char *end)
{
  if (e->after_br)
    {
      const char *q = p;

      while (q < end && (*q == ' ' || *q == '\t' || *q == '\r'))
        q++;
      if (q < end && *q == '\n')
        p = q + 1;
    }
  if (p == end)
    return;
  settle (e, p);
  g_string_append_len (e->out, p, end - p);
}

static void
emit_text (Emitter *e, const char *p, const char *end)
{
  if (!e->collapse || e->pre > 0)
    {
      emit_verbatim (e, p, end);
      return;
    }
  while (p < end)
    {
      const char *word;

      for (; p < end && is_space (*p); p++)
        {
          e->space = TRUE;
          e->space_line |= *p == '\n' || *p == '\r';
        }
      for (word = p; p < end && !is_space (*p); p++)
        ;
      if (p == word)
        break;
      settle (e, word);
      g_string_append_len (e->out, word, p - word);
    }
}

static void
emit_block (Emitter *e, guint lines)
{
  /* A block at the beginning of a cell does not leave the row. */
  if (e->tabs == 0)
    e->required = MAX (e->required, lines);
}

static void
emit_br (Emitter *e)
{
  if (e->collapse)
    e->hard++;
  else
    {
      g_string_append_c (e->out, '\n');
      e->after_br = TRUE;
    }
}

static void
emit_tag (Emitter *e, const TextTag *tag, gboolean start)
{
  if (tag->flags & TAG_BR)
    emit_br (e);
  if (tag->flags & TAG_BLOCK)
    emit_block (e, tag->flags & TAG_PARA ? 2 : 1);
  if (tag->flags & TAG_PRE)
    e->pre = start ? e->pre + 1 : e->pre - (e->pre > 0);
  if (strcmp (tag->name, "tr") == 0)
    e->cells = 0;
  if ((tag->flags & TAG_CELL) && start && e->cells++ > 0)
    {
      e->tabs++;
      e->required = e->hard = 0;
    }
}

/* ---- a round -------------------------------------------------------------- */

static gboolean
has_layout (FrStr html, gboolean leftovers)
{
  Lexer lex = { .p = html.data, .end = html.data + html.len, .leftovers = leftovers };
  Lexeme lexeme;

  while (next_lexeme (&lex, &lexeme))
    if ((lexeme.kind == LEX_START || lexeme.kind == LEX_END)
        && lexeme.tag->flags & (TAG_BLOCK | TAG_CELL))
      return TRUE;
  return FALSE;
}

/* "&amp;lt;" says '<' in as many steps as it was escaped; here at once. */
static gsize
deep_reference (const char *p, const char *end, gunichar chars[2])
{
  gsize n = text_html_reference (p, end, chars);

  while (n > 0 && chars[0] == '&')
    {
      gunichar inner[2];
      /* The text that would follow is the '&' and what stands behind. */
      const char *rest = p + n;
      char head[40] = "&";
      gsize m = MIN ((gsize) (end - rest), sizeof head - 1), used;

      memcpy (head + 1, rest, m);
      used = text_html_reference (head, head + 1 + m, inner);
      /* What was cut off may belong to it; the next round sees the whole. */
      if (used == 0 || used > 34
          || (rest[used - 2] != ';' && used - 1 < (gsize) (end - rest)
              && (g_ascii_isalnum (rest[used - 1]) || rest[used - 1] == '=')))
        break;
      chars[0] = inner[0];
      chars[1] = inner[1];
      n += used - 1;
    }
  return n;
}

/* In text that only has leftovers, "&section=2" is a piece of an address. */
static gboolean
is_unlikely (const char *p, gsize n, const char *end)
{
  return p[n - 1] != ';' && p[1] != '#' && p + n < end && (g_ascii_isalnum (p[n]) || p[n] == '=');
}

static void
emit_references (Emitter *e, const char *p, const char *end, gboolean leftovers,
                 TextHtmlCounts *counts)
{
  const char *run = p;

  while ((p = memchr (p, '&', (gsize) (end - p))) != NULL)
    {
      gunichar chars[2];
      gsize n = leftovers ? deep_reference (p, end, chars) : text_html_reference (p, end, chars);
      char utf8[16];
      gsize bytes;

      if (n == 0 || (leftovers && is_unlikely (p, n, end)))
        {
          p++;
          continue;
        }
      emit_text (e, run, p);
      bytes = (gsize) g_unichar_to_utf8 (chars[0], utf8);
      if (chars[1] != 0)
        bytes += (gsize) g_unichar_to_utf8 (chars[1], utf8 + bytes);
      emit_text (e, utf8, utf8 + bytes);
      counts->references++;
      run = p = p + n;
    }
  emit_text (e, run, end);
}

static void
one_round (FrStr html, gboolean leftovers, GString *out, TextHtmlCounts *counts)
{
  Lexer lex = { .p = html.data, .end = html.data + html.len, .leftovers = leftovers };
  Emitter e = { .out = out, .start = out->len };
  Lexeme lexeme;

  e.collapse = has_layout (html, leftovers);
  while (next_lexeme (&lex, &lexeme))
    switch (lexeme.kind)
      {
      case LEX_TEXT:
        emit_references (&e, lexeme.from, lexeme.to, leftovers, counts);
        break;
      case LEX_LITERAL:
        emit_text (&e, lexeme.from, lexeme.to);
        break;
      case LEX_START:
      case LEX_END:
        emit_tag (&e, lexeme.tag, lexeme.kind == LEX_START);
        counts->tags++;
        break;
      default:
        counts->tags++;
        break;
      }
}

gboolean
text_html_possible (FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  for (; (p = memchr (p, '<', (gsize) (end - p))) != NULL; p++)
    if (p + 1 < end && (g_ascii_isalpha (p[1]) || p[1] == '/' || p[1] == '!' || p[1] == '?'))
      return TRUE;
  for (p = text.data; (p = memchr (p, '&', (gsize) (end - p))) != NULL; p++)
    if (p + 1 < end && (g_ascii_isalpha (p[1]) || p[1] == '#'))
      return TRUE;
  return FALSE;
}

/* Markup escaped deeper than anybody does by accident: what could make more of
 * it goes, so that there is an end. */
static void
append_disarmed (FrStr text, GString *out)
{
  for (gsize i = 0; i < text.len; i++)
    if (text.data[i] != '<' && text.data[i] != '&')
      g_string_append_c (out, text.data[i]);
}

#define MAX_ROUNDS 8

void
text_html_to_text (FrStr html, guint flags, GString *out, TextHtmlCounts *counts)
{
  gboolean leftovers = flags & TEXT_HTML_LEFTOVERS;
  TextHtmlCounts unwanted;
  g_autoptr (GString) a = NULL;
  g_autoptr (GString) b = NULL;

  counts = counts ? counts : &unwanted;
  if (!leftovers)
    {
      one_round (html, FALSE, out, counts);
      return;
    }
  a = g_string_sized_new (html.len + 1);
  b = g_string_sized_new (0);
  for (guint i = 0; text_html_possible (html); i++)
    {
      GString *to = i & 1 ? b : a;
      FrStr result;

      if (i == MAX_ROUNDS)
        {
          append_disarmed (html, out);
          return;
        }
      g_string_truncate (to, 0);
      one_round (html, TRUE, to, counts);
      result = (FrStr){ to->str, to->len };
      if (fr_str_equal (html, result))
        break;
      html = result;
    }
  g_string_append_len (out, html.data, (gssize) html.len);
}
