/* SPDX-License-Identifier: Apache-2.0 */
/* html.c: see html.h.
 *
 * Two layers over the lexer (html-lex.h): the emitter lays text out in lines;
 * a round runs one over the other.  Nothing here allocates but the output.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/html-lex.h"
#include "text/html.h"

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

static gboolean
joins_lines (const Emitter *e, const char *next)
{
  const char *prev = text_prev_char (e->out->str + e->out->len);

  return e->space_line && text_char_is_spaceless (text_next_char (&prev))
         && text_char_is_spaceless (text_next_char (&next));
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

      for (; p < end && lex_is_space (*p); p++)
        {
          e->space = TRUE;
          e->space_line |= *p == '\n' || *p == '\r';
        }
      for (word = p; p < end && !lex_is_space (*p); p++)
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

  while (text_lex_next (&lex, &lexeme))
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
  while (text_lex_next (&lex, &lexeme))
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
