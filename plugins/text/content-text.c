/* SPDX-License-Identifier: Apache-2.0 */
/* content-text.c: main text as plain text or as Markdown (CommonMark 0.31, tables as GitHub's). */
#include "config.h"

#include <string.h>

#include "text/content.h"

/* Whether a block stands close under the one before it. */
static gboolean
continues (const TextBlock *block)
{
  return (block->kind == TEXT_BLOCK_ITEM || block->kind == TEXT_BLOCK_ROW) && !block->first;
}

static void
append_plain (const TextContent *page, GString *out)
{
  for (guint i = 0; i < page->n_blocks; i++)
    {
      const TextBlock *b = &page->blocks[i];

      if (i > 0)
        g_string_append (out, continues (b) ? "\n" : "\n\n");
      g_string_append_len (out, b->text.data, (gssize) b->text.len);
    }
}

/* What would be markup at the start of a line is escaped there. */
static void
append_line (FrStr line, GString *out)
{
  const char *p = line.data, *end = p + line.len;

  if (p < end && (*p == '#' || *p == '>' || *p == '+' || *p == '-' || *p == '*' || *p == '='))
    g_string_append_c (out, '\\');
  else
    {
      const char *digits = p;

      while (p < end && g_ascii_isdigit (*p))
        p++;
      if (p > digits && p < end && (*p == '.' || *p == ')'))
        {
          g_string_append_len (out, digits, p - digits);
          g_string_append_c (out, '\\');
        }
      else
        p = digits;
    }
  g_string_append_len (out, p, end - p);
}

static void
append_lines (FrStr text, const char *indent, GString *out)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));

      stop = stop ? stop : end;
      append_line ((FrStr){ p, (gsize) (stop - p) }, out);
      if (stop < end)
        g_string_append_printf (out, "\\\n%s", indent);
      p = stop + (stop < end);
    }
}

static void
append_row (const TextBlock *b, GString *out)
{
  guint cells = 1;

  g_string_append (out, "| ");
  for (gsize i = 0; i < b->text.len; i++)
    {
      char c = b->text.data[i];

      if (c == '\t')
        {
          g_string_append (out, " | ");
          cells++;
        }
      else if (c == '\n')
        g_string_append_c (out, ' ');
      else if (c == '|')
        g_string_append (out, "\\|");
      else
        g_string_append_c (out, c);
    }
  g_string_append (out, " |");
  if (!b->first)
    return;
  g_string_append (out, "\n|");
  while (cells-- > 0)
    g_string_append (out, " --- |");
}

/* A fence longer than any in the code. */
static void
append_code (FrStr code, GString *out)
{
  gsize longest = 2, run = 0;

  for (gsize i = 0; i < code.len; i++)
    {
      run = code.data[i] == '`' ? run + 1 : 0;
      longest = MAX (longest, run);
    }
  for (gsize i = 0; i <= longest; i++)
    g_string_append_c (out, '`');
  g_string_append_c (out, '\n');
  g_string_append_len (out, code.data, (gssize) code.len);
  g_string_append_c (out, '\n');
  for (gsize i = 0; i <= longest; i++)
    g_string_append_c (out, '`');
}

static void
append_item (const TextBlock *b, GString *out)
{
  guint depth = CLAMP (b->level, 1, 9);
  g_autofree char *indent = g_strnfill (depth * 3, ' ');

  g_string_append_len (out, indent, (depth - 1) * 3);
  if (b->ordered > 0)
    g_string_append_printf (out, "%u. ", b->ordered);
  else
    g_string_append (out, "-  ");
  append_lines (b->text, indent, out);
}

static void
append_markdown (const TextContent *page, GString *out)
{
  for (guint i = 0; i < page->n_blocks; i++)
    {
      const TextBlock *b = &page->blocks[i];

      if (i > 0)
        g_string_append (out, continues (b) ? "\n" : "\n\n");
      switch (b->kind)
        {
        case TEXT_BLOCK_HEADING:
          for (guint k = 0; k < b->level; k++)
            g_string_append_c (out, '#');
          g_string_append_c (out, ' ');
          for (gsize k = 0; k < b->text.len; k++)
            g_string_append_c (out, b->text.data[k] == '\n' ? ' ' : b->text.data[k]);
          break;
        case TEXT_BLOCK_ITEM:
          append_item (b, out);
          break;
        case TEXT_BLOCK_ROW:
          append_row (b, out);
          break;
        case TEXT_BLOCK_CODE:
          append_code (b->text, out);
          break;
        case TEXT_BLOCK_QUOTE:
          g_string_append (out, "> ");
          append_lines (b->text, "> ", out);
          break;
        default:
          append_lines (b->text, "", out);
        }
    }
}

void
text_content_append (const TextContent *page, TextStyle style, GString *out)
{
  if (style == TEXT_STYLE_MARKDOWN)
    append_markdown (page, out);
  else
    append_plain (page, out);
}
