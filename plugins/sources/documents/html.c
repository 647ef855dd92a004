/* SPDX-License-Identifier: Apache-2.0 */
/* html.c: HTML pages: libflowrun-text's main content (text/content.h) as blocks.
 *
 * Without what stands around the content (navigation, footers, advertisements),
 * unless the whole page is wanted.  Where a page has no main content by its
 * rules (a form letter, a fragment), all its text is taken instead.
 */
#include "config.h"

#include "html.h"
#include "readers.h"
#include "text/content.h"

#include <string.h>

static gboolean
tell_cells (TextDocSink *sink, const TextBlock *block)
{
  g_autoptr (GArray) cells = g_array_new (FALSE, FALSE, sizeof (FrStr));
  const char *at = block->text.data, *end = at + block->text.len;

  while (at <= end)
    {
      const char *tab = at < end ? memchr (at, '\t', (gsize) (end - at)) : NULL;
      FrStr cell = { at, (gsize) ((tab ? tab : end) - at) };

      g_array_append_val (cells, cell);
      at = (tab ? tab : end) + 1;
    }
  return text_doc_row (sink, (const FrStr *) (void *) cells->data, cells->len, block->first, FALSE);
}

static gboolean
tell_block (TextDocSink *sink, const TextBlock *from)
{
  TextDocBlock block = { .size = sizeof block,
                         .kind = TEXT_DOC_PARAGRAPH,
                         .level = from->level,
                         .ordered = from->ordered,
                         .first = from->first,
                         .text = from->text };

  switch (from->kind)
    {
    case TEXT_BLOCK_HEADING:
      block.kind = TEXT_DOC_HEADING;
      break;
    case TEXT_BLOCK_ITEM:
      block.kind = TEXT_DOC_ITEM;
      break;
    case TEXT_BLOCK_CODE:
      block.kind = TEXT_DOC_CODE;
      break;
    case TEXT_BLOCK_QUOTE:
      block.kind = TEXT_DOC_QUOTE;
      break;
    case TEXT_BLOCK_ROW:
      return tell_cells (sink, from);
    case TEXT_BLOCK_PARAGRAPH:
    case TEXT_BLOCK_CAPTION:
    default:
      break;
    }
  return sink->block (sink, &block);
}

gboolean
html_tell (const TextContent *page, TextDocSink *sink)
{
  for (guint i = 0; i < page->n_blocks; i++)
    if (!tell_block (sink, &page->blocks[i]) || (i % 1024 == 0 && !sink->go_on (sink)))
      return FALSE;
  return TRUE;
}

static void
tell_facts (const TextContent *page, TextDocSink *sink)
{
  sink->fact (sink, TEXT_DOC_TITLE, page->title.len ? page->title : page->page_title);
  sink->fact (sink, TEXT_DOC_AUTHOR, page->byline);
  sink->fact (sink, TEXT_DOC_DATE, page->published.len ? page->published : page->modified);
  sink->fact (sink, TEXT_DOC_LANGUAGE, page->language);
  if (page->n_replaced)
    sink->count (sink, "characters_replaced", (gint64) page->n_replaced);
}

static gboolean
read_html (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  TextContentOptions options = { .flags = TEXT_CONTENT_NO_LINKS };
  g_autoptr (TextContent) page = NULL;

  (void) state;
  if (job->wants & TEXT_DOC_WHOLE)
    options.flags |= TEXT_CONTENT_WHOLE;
  page = text_content_new (job->data, job->len, &options);
  if (page->n_blocks == 0 && !(options.flags & TEXT_CONTENT_WHOLE))
    {
      text_content_free (page);
      options.flags |= TEXT_CONTENT_WHOLE;
      page = text_content_new (job->data, job->len, &options);
      sink->count (sink, "pages_without_main_content", 1);
    }
  else if (page->n_dropped)
    sink->count (sink, "characters_outside_content", (gint64) page->n_dropped);
  tell_facts (page, sink);
  return html_tell (page, sink);
}

static const char *const types[] = { TYPE_HTML, "application/xhtml+xml", NULL };
const TextDocReader html_reader
    = { sizeof (TextDocReader), types, "html", NULL, NULL, NULL, read_html };
