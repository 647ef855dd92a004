/* SPDX-License-Identifier: Apache-2.0 */
/* markdown.c: Markdown as blocks (CommonMark 0.31 with GitHub's tables, as far
 * as text goes).
 *
 * Blocks: ATX and setext headings, paragraphs, bullet and numbered lists,
 * quotations, fenced and indented code, pipe tables, front matter (title,
 * author, date, language), HTML blocks as the text in them.  Inline: links and
 * images become what they show, emphasis, code marks and escapes go, autolinks
 * stay, references and footnote definitions are resolved to nothing.  It does
 * not build a tree: a block inside an item is a block after it.
 */
#include "config.h"

#include "readers.h"
#include "text/html.h"
#include "utf8.h"

#include <string.h>

typedef struct
{
  TextDocSink *sink;
  const char *at, *end;
  GString *paragraph; /* lines gathered */
  TextDocKind kind;   /* of it */
  guint level, ordered;
  gboolean first;   /* of a list */
  gboolean in_list; /* the last block was an item */
  gboolean after_blank;
  GString *scratch;
  gsize budget; /* for looking ahead */
} Md;

typedef struct
{
  const char *text;
  gsize len;
  guint indent; /* columns of blanks before it, which @text lacks */
} Line;

/* ---- inline ------------------------------------------------------------------ */

/* What looking ahead may cost in all: a text of nothing but brackets must not
 * take the square of its length. */
#define BUDGET(len) (16 * (len) + 65536)

/* Where the bracket at @p ends, nested ones within; NULL: nowhere near. */
static const char *
closing (const char *p, const char *end, char open, char close, gsize *budget)
{
  guint depth = 0;
  const char *stop = (gsize) (end - p) > MIN (4096, *budget) ? p + MIN (4096, *budget) : end;

  for (; p < stop; p++)
    {
      --*budget;
      if (*p == '\\' && p + 1 < stop)
        p++;
      else if (*p == open)
        depth++;
      else if (*p == close && --depth == 0)
        return p;
    }
  return NULL;
}

static gboolean
is_word (char c)
{
  return g_ascii_isalnum (c) || (guchar) c >= 0x80;
}

/* A run of * _ or ~ that opens or closes emphasis, not one of a word or a sum. */
static gboolean
is_emphasis (const char *from, const char *p, gsize n, const char *end)
{
  char before = p > from ? p[-1] : ' ', after = p + n < end ? p[n] : ' ';

  if (*p == '~')
    return n == 2;
  if (g_ascii_isspace (before) && g_ascii_isspace (after))
    return FALSE;
  if (*p == '_' && is_word (before) && is_word (after))
    return FALSE;
  return TRUE;
}

static void append_inline (const char *p, const char *end, guint depth, gsize *budget,
                           GString *out);

/* "[text](to)", "[text][ref]", "[^1]"; returns the end, NULL when it is none. */
static const char *
append_link (const char *p, const char *end, guint depth, gsize *budget, GString *out)
{
  const char *close = closing (p, end, '[', ']', budget), *after;

  if (close == NULL)
    return NULL;
  after = close + 1;
  if (p[1] == '^')
    return after;
  if (after < end && *after == '(')
    {
      after = closing (after, end, '(', ')', budget);
      if (after == NULL)
        return NULL;
      append_inline (p + 1, close, depth + 1, budget, out);
      return after + 1;
    }
  if (after < end && *after == '[')
    {
      after = closing (after, end, '[', ']', budget);
      if (after == NULL)
        return NULL;
      append_inline (p + 1, close, depth + 1, budget, out);
      return after + 1;
    }
  return NULL;
}

static const char *
append_code (const char *p, const char *end, gsize *budget, GString *out)
{
  gsize n = strspn (p, "`"), run = 0;

  n = MIN (n, (gsize) (end - p));
  for (const char *q = p + n; q < end; q++)
    {
      run = *q == '`' ? run + 1 : 0;
      if (run == n && (q + 1 == end || q[1] != '`'))
        {
          g_string_append_len (out, p + n, q + 1 - n - (p + n));
          return q + 1;
        }
      if (q - p > 4096 || *budget == 0)
        break;
      --*budget;
    }
  g_string_append_len (out, p, (gssize) n);
  return p + n;
}

/* "<https://…>" stays as its address; tags go. */
static const char *
append_angle (const char *p, const char *end, GString *out)
{
  gsize span = (gsize) (MIN (end, p + 2048) - p);
  const char *close = memchr (p, '>', span);

  if (close == NULL || close == p + 1)
    return NULL;
  if (memchr (p, ':', (gsize) (close - p)) && !memchr (p, ' ', (gsize) (close - p))
      && !memchr (p, '=', (gsize) (close - p)))
    {
      g_string_append_len (out, p + 1, close - p - 1);
      return close + 1;
    }
  if (!g_ascii_isalpha (p[1]) && p[1] != '/' && p[1] != '!')
    return NULL;
  if (close - p >= 3 && g_ascii_strncasecmp (p, "<br", 3) == 0)
    g_string_append_c (out, '\n');
  return close + 1;
}

static const char *
append_special (const char *from, const char *p, const char *end, guint depth, gsize *budget,
                GString *out)
{
  const char *next = NULL;
  gunichar chars[2] = { 0, 0 };
  gsize n;

  switch (*p)
    {
    case '\\':
      if (p + 1 < end && g_ascii_ispunct (p[1]))
        {
          g_string_append_c (out, p[1]);
          return p + 2;
        }
      break;
    case '`':
      return append_code (p, end, budget, out);
    case '*':
    case '_':
    case '~':
      for (n = 1; p + n < end && p[n] == *p;)
        n++;
      if (!is_emphasis (from, p, n, end))
        g_string_append_len (out, p, (gssize) n);
      return p + n;
    case '!':
      if (p + 1 < end && p[1] == '[' && depth < 8)
        next = append_link (p + 1, end, depth, budget, out);
      break;
    case '[':
      if (depth < 8)
        next = append_link (p, end, depth, budget, out);
      break;
    case '<':
      next = append_angle (p, end, out);
      break;
    case '&':
      n = text_html_reference (p, end, chars);
      if (n == 0)
        break;
      g_string_append_unichar (out, chars[0]);
      if (chars[1])
        g_string_append_unichar (out, chars[1]);
      return p + n;
    default:
      break;
    }
  if (next)
    return next;
  g_string_append_c (out, *p);
  return p + 1;
}

static void
append_inline (const char *p, const char *end, guint depth, gsize *budget, GString *out)
{
  const char *from = p;

  while (p < end)
    {
      const char *q = p;

      while (q < end && !strchr ("\\`*_~![<&", *q))
        q++;
      g_string_append_len (out, p, q - p);
      p = q < end ? append_special (from, q, end, depth, budget, out) : q;
    }
}

/* ---- blocks ------------------------------------------------------------------ */

static gboolean
flush (Md *md)
{
  TextDocBlock block = { .size = sizeof block,
                         .kind = md->kind,
                         .level = md->level,
                         .ordered = md->ordered,
                         .first = md->first };
  gboolean ok;

  if (md->paragraph->len == 0)
    return TRUE;
  g_string_truncate (md->scratch, 0);
  append_inline (md->paragraph->str, md->paragraph->str + md->paragraph->len, 0, &md->budget,
                 md->scratch);
  block.text = (FrStr){ md->scratch->str, md->scratch->len };
  ok = md->sink->block (md->sink, &block);
  md->in_list = md->kind == TEXT_DOC_ITEM;
  md->first = FALSE;
  md->kind = TEXT_DOC_PARAGRAPH;
  md->level = md->ordered = 0;
  g_string_truncate (md->paragraph, 0);
  return ok;
}

static gboolean
next_line (Md *md, Line *line)
{
  const char *newline;
  gsize n;

  if (md->at >= md->end)
    return FALSE;
  newline = memchr (md->at, '\n', (gsize) (md->end - md->at));
  n = newline ? (gsize) (newline - md->at) : (gsize) (md->end - md->at);
  *line = (Line){ md->at, n, 0 };
  md->at += n + 1;
  while (line->len && (*line->text == ' ' || *line->text == '\t'))
    {
      line->indent = *line->text == '\t' ? (line->indent | 3) + 1 : line->indent + 1;
      line->text++;
      line->len--;
    }
  while (line->len && (line->text[line->len - 1] == ' ' || line->text[line->len - 1] == '\t'))
    line->len--;
  return TRUE;
}

static gboolean
is_rule (const Line *line)
{
  guint n = 0;

  if (line->len < 3 || !strchr ("-*_", *line->text))
    return FALSE;
  for (gsize i = 0; i < line->len; i++)
    if (line->text[i] == *line->text)
      n++;
    else if (line->text[i] != ' ' && line->text[i] != '\t')
      return FALSE;
  return n >= 3;
}

/* "- item", "12. item": how long the marker is; 0: none. */
static gsize
list_marker (const Line *line, guint *ordered)
{
  gsize n = 0;

  *ordered = 0;
  if (line->len >= 2 && strchr ("-*+", *line->text) && strchr (" \t", line->text[1]))
    return 2;
  while (n < line->len && n < 9 && g_ascii_isdigit (line->text[n]))
    *ordered = *ordered * 10 + (guint) (line->text[n++] - '0');
  if (n == 0 || n + 1 >= line->len || !strchr (".)", line->text[n])
      || !strchr (" \t", line->text[n + 1]))
    return 0;
  *ordered = MAX (*ordered, 1);
  return n + 2;
}

static gboolean
is_delimiter_row (FrStr line)
{
  gboolean dash = FALSE, pipe = FALSE;

  for (gsize i = 0; i < line.len; i++)
    if (line.data[i] == '-')
      dash = TRUE;
    else if (line.data[i] == '|')
      pipe = TRUE;
    else if (!strchr (": \t", line.data[i]))
      return FALSE;
  return dash && pipe;
}

static FrStr
peek_line (const Md *md)
{
  const char *newline = md->at < md->end ? memchr (md->at, '\n', (gsize) (md->end - md->at)) : NULL;

  if (md->at >= md->end)
    return (FrStr){ "", 0 };
  return (FrStr){ md->at, newline ? (gsize) (newline - md->at) : (gsize) (md->end - md->at) };
}

static gboolean
tell_row (Md *md, const Line *line, gboolean first)
{
  const char *p = line->text, *end = p + line->len;
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autofree FrStr *cells = NULL;
  gsize from = 0;

  if (p < end && *p == '|')
    p++;
  if (end > p && end[-1] == '|' && (end - p < 2 || end[-2] != '\\'))
    end--;
  g_string_truncate (md->scratch, 0);
  for (const char *q = p; q <= end; q++)
    {
      if (q < end && *q == '\\')
        {
          q += q + 1 < end;
          continue;
        }
      if (q < end && *q != '|')
        continue;
      append_inline (p, q, 0, &md->budget, md->scratch);
      g_array_append_val (ends, md->scratch->len);
      p = q + 1;
    }
  cells = g_new0 (FrStr, ends->len + 1);
  for (guint i = 0; i < ends->len; i++)
    {
      gsize to = g_array_index (ends, gsize, i);

      cells[i] = (FrStr){ md->scratch->str + from, to - from };
      from = to;
    }
  return text_doc_row (md->sink, cells, ends->len, first, first);
}

static gboolean
read_table (Md *md, const Line *header)
{
  Line line;

  if (!flush (md) || !tell_row (md, header, TRUE))
    return FALSE;
  next_line (md, &line);
  while (memchr (peek_line (md).data, '|', peek_line (md).len) && next_line (md, &line))
    if (line.len == 0 || !tell_row (md, &line, FALSE))
      return line.len == 0;
  return TRUE;
}

static gboolean
read_fence (Md *md, const Line *open)
{
  char mark = *open->text;
  gsize n = 0;
  const char *from = md->at, *to = md->at;
  Line line;

  if (!flush (md))
    return FALSE;
  while (n < open->len && open->text[n] == mark)
    n++;
  while (next_line (md, &line))
    {
      gsize k = 0;

      while (k < line.len && line.text[k] == mark)
        k++;
      if (k >= n && k == line.len)
        break;
      to = md->at;
    }
  to = MIN (to, md->end);
  return to <= from
         || text_doc_text (md->sink, TEXT_DOC_CODE, 0, (FrStr){ from, (gsize) (to - from) });
}

static gboolean
heading (Md *md, const Line *line)
{
  gsize level = 0, from, to = line->len;

  while (level < line->len && line->text[level] == '#')
    level++;
  if (level == 0 || level > 6 || (level < line->len && !strchr (" \t", line->text[level])))
    return FALSE;
  for (from = level; from < to && strchr (" \t", line->text[from]);)
    from++;
  while (to > from && line->text[to - 1] == '#')
    to--;
  if (to > from && to < line->len && !strchr (" \t", line->text[to - 1]))
    to = line->len;
  md->kind = TEXT_DOC_HEADING;
  md->level = (guint) level;
  g_string_append_len (md->paragraph, line->text + from, (gssize) (to - from));
  return TRUE;
}

/* A line of = or - under a paragraph makes it a heading. */
static gboolean
is_underline (Md *md, const Line *line)
{
  if (md->paragraph->len == 0 || md->kind != TEXT_DOC_PARAGRAPH || line->len == 0
      || line->indent > 3)
    return FALSE;
  if (strspn (line->text, "=") < line->len && strspn (line->text, "-") < line->len)
    return FALSE;
  md->kind = TEXT_DOC_HEADING;
  md->level = *line->text == '=' ? 1 : 2;
  return TRUE;
}

/* "[ref]: address" and "[^note]: text" say nothing where they stand; notes do. */
static gboolean
is_reference (const Line *line)
{
  const char *close = line->len > 3 && *line->text == '[' && line->text[1] != '^'
                          ? memchr (line->text, ']', line->len)
                          : NULL;

  return close && close + 1 < line->text + line->len && close[1] == ':';
}

static gboolean
html_block (Md *md, const Line *line)
{
  GString *source, *text;
  Line more;
  gboolean ok;

  source = g_string_new_len (line->text, (gssize) line->len);
  while (next_line (md, &more) && more.len)
    {
      g_string_append_c (source, '\n');
      g_string_append_len (source, more.text, (gssize) more.len);
    }
  text = g_string_new (NULL);
  text_html_to_text ((FrStr){ source->str, source->len }, 0, text, NULL);
  ok = text_doc_paragraph (md->sink, (FrStr){ text->str, text->len });
  g_string_free (source, TRUE);
  g_string_free (text, TRUE);
  return ok;
}

static gboolean
begins_html (const Line *line)
{
  static const char *const tags[]
      = { "<div", "<p",     "<table",  "<!--",     "<img",    "<h1", "<h2", "<h3",
          "<a ",  "<style", "<script", "<details", "<center", "<ul", "<br", "<pre" };

  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    if (line->len >= strlen (tags[i])
        && g_ascii_strncasecmp (line->text, tags[i], strlen (tags[i])) == 0)
      return TRUE;
  return FALSE;
}

static void
add_line (Md *md, const char *text, gsize len)
{
  if (md->paragraph->len)
    {
      const char *last = md->paragraph->str + md->paragraph->len - 1;
      gboolean wide = (guchar) *last >= 0xe3 && len && (guchar) *text >= 0xe3;

      /* A wrapped line is no line end; between Han characters it is nothing. */
      if (*last == '\\')
        g_string_truncate (md->paragraph, md->paragraph->len - 1);
      wide = wide || ((guchar) *last >= 0x80 && len && (guchar) *text >= 0xe3);
      if (!wide)
        g_string_append_c (md->paragraph, ' ');
    }
  g_string_append_len (md->paragraph, text, (gssize) len);
}

static gboolean
take_item (Md *md, Line *line, gsize marker, guint ordered)
{
  gboolean goes_on = md->kind == TEXT_DOC_ITEM || md->in_list;

  if (!flush (md))
    return FALSE;
  md->kind = TEXT_DOC_ITEM;
  md->level = MIN (line->indent / 2, 8) + 1;
  md->ordered = ordered;
  md->first = !goes_on;
  while (marker < line->len && strchr (" \t", line->text[marker]))
    marker++;
  /* A box of a task list. */
  if (line->len >= marker + 4 && line->text[marker] == '[' && line->text[marker + 2] == ']'
      && strchr (" xX", line->text[marker + 1]))
    marker += 4;
  add_line (md, line->text + marker, line->len - marker);
  return TRUE;
}

static gboolean
take_line (Md *md, Line *line)
{
  gsize marker;
  guint ordered;
  FrStr next;

  if (line->len == 0)
    {
      md->after_blank = TRUE;
      return flush (md);
    }
  if (md->after_blank && line->indent == 0)
    md->in_list = md->in_list && list_marker (line, &ordered) > 0;
  md->after_blank = FALSE;
  if (line->len >= 3 && (memcmp (line->text, "```", 3) == 0 || memcmp (line->text, "~~~", 3) == 0))
    return read_fence (md, line);
  if (is_underline (md, line))
    return flush (md);
  if (line->indent >= 4 && md->paragraph->len == 0 && !md->in_list)
    return text_doc_text (md->sink, TEXT_DOC_CODE, 0, (FrStr){ line->text, line->len });
  if (*line->text == '#' && line->indent < 4)
    {
      if (!flush (md))
        return FALSE;
      if (heading (md, line))
        return flush (md);
    }
  if (is_rule (line))
    return flush (md);
  marker = list_marker (line, &ordered);
  if (marker)
    return take_item (md, line, marker, ordered);
  if (md->paragraph->len == 0 && is_reference (line))
    return TRUE;
  next = peek_line (md);
  if (md->paragraph->len == 0 && memchr (line->text, '|', line->len) && is_delimiter_row (next))
    return read_table (md, line);
  if (*line->text == '>')
    {
      gsize skip = 1;

      if (md->kind != TEXT_DOC_QUOTE && !flush (md))
        return FALSE;
      md->kind = TEXT_DOC_QUOTE;
      while (skip < line->len && strchr ("> ", line->text[skip]))
        skip++;
      if (skip == line->len)
        return flush (md);
      add_line (md, line->text + skip, line->len - skip);
      return TRUE;
    }
  if (md->paragraph->len == 0 && begins_html (line))
    return html_block (md, line);
  add_line (md, line->text, line->len);
  return TRUE;
}

/* ---- front matter ------------------------------------------------------------- */

static void
tell_fact (TextDocSink *sink, const char *line, gsize len)
{
  static const struct
  {
    const char *key;
    TextDocFact fact;
  } keys[] = { { "title:", TEXT_DOC_TITLE },
               { "author:", TEXT_DOC_AUTHOR },
               { "date:", TEXT_DOC_DATE },
               { "lang:", TEXT_DOC_LANGUAGE },
               { "language:", TEXT_DOC_LANGUAGE } };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      gsize n = strlen (keys[i].key);

      if (len <= n || strncmp (line, keys[i].key, n) != 0)
        continue;
      line += n;
      len -= n;
      while (len && strchr (" \t\"'", *line))
        {
          line++;
          len--;
        }
      while (len && strchr (" \t\"'", line[len - 1]))
        len--;
      sink->fact (sink, keys[i].fact, (FrStr){ line, len });
      return;
    }
}

/* YAML between two lines of ---, at the very beginning. */
static void
front_matter (Md *md)
{
  const char *at = md->at, *newline;

  if (md->end - at < 8 || memcmp (at, "---\n", 4) != 0)
    return;
  for (at += 4; at < md->end; at = newline + 1)
    {
      newline = memchr (at, '\n', (gsize) (md->end - at));
      if (newline == NULL)
        newline = md->end;
      if (newline - at == 3 && (memcmp (at, "---", 3) == 0 || memcmp (at, "...", 3) == 0))
        {
          for (const char *p = md->at + 4; p < at; p = newline + 1)
            {
              newline = memchr (p, '\n', (gsize) (at - p));
              tell_fact (md->sink, p, (gsize) (newline - p));
            }
          md->at = MIN (at + 4, md->end);
          return;
        }
    }
}

static gboolean
read_markdown (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  guint64 replaced = 0;
  GString *text = utf8_decode (job->data, job->len, NULL, &replaced);
  Md md = { .sink = sink,
            .at = text->str,
            .end = text->str + text->len,
            .kind = TEXT_DOC_PARAGRAPH,
            .budget = BUDGET (text->len) };
  gboolean ok = TRUE;
  Line line;

  (void) state;
  if (replaced)
    sink->count (sink, "characters_replaced", (gint64) replaced);
  md.paragraph = g_string_new (NULL);
  md.scratch = g_string_new (NULL);
  front_matter (&md);
  for (guint n = 0; ok && next_line (&md, &line); n++)
    ok = take_line (&md, &line) && (n % 1024 || sink->go_on (sink));
  ok = ok && flush (&md);
  g_string_free (md.paragraph, TRUE);
  g_string_free (md.scratch, TRUE);
  g_string_free (text, TRUE);
  return ok;
}

static const char *const types[] = { TYPE_MARKDOWN, NULL };
const TextDocReader markdown_reader
    = { sizeof (TextDocReader), types, "markdown", NULL, NULL, NULL, read_markdown };
