/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-pdfpages.c: what the PDF worker may tell, as pages of text.
 *
 * A record is 12 bytes of geometry, then text up to a newline; a first byte of
 * 'P' begins a page.
 */
#include "sources/documents/pdf/pages.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
take_block (TextDocSink *sink, const TextDocBlock *block)
{
  (void) sink;
  g_assert_true (g_utf8_validate (block->text.data, (gssize) block->text.len, NULL));
  for (guint i = 0; i < block->n_cells; i++)
    g_assert_true (g_utf8_validate (block->cells[i].data, (gssize) block->cells[i].len, NULL));
  return TRUE;
}

static gboolean
take_part (TextDocSink *sink, TextDocPart part, guint number, FrStr name)
{
  (void) sink, (void) part, (void) number, (void) name;
  return TRUE;
}

static void
take_count (TextDocSink *sink, const char *name, gint64 n)
{
  (void) sink, (void) name, (void) n;
}

static gboolean
go_on (TextDocSink *sink)
{
  (void) sink;
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  TextDocSink sink = {
    .size = sizeof sink, .part = take_part, .block = take_block, .count = take_count, .go_on = go_on
  };
  g_autoptr (Pages) pages = pages_new (size ? data[0] : 0);
  PdfPage page = { 600, 800 };

  pages_begin (pages, &page);
  for (size_t at = 1; at + 12 < size;)
    {
      const uint8_t *g = data + at;
      const uint8_t *end = memchr (g + 12, '\n', size - at - 12);
      size_t n = end ? (size_t) (end - g - 12) : size - at - 12;
      g_autofree char *text = g_utf8_make_valid ((const char *) g + 12, (gssize) n);
      PdfLine line = { (float) (g[1] * 3),
                       (float) (g[2] * 4),
                       (float) (g[1] * 3 + g[3] * 3),
                       (float) (g[2] * 4 + g[4]),
                       g[4] / 4.0f,
                       g[5] & 1,
                       (g[5] & 2) != 0 };

      if (g[0] == 'P')
        pages_begin (pages, &page);
      if (g[0] == 'N')
        memcpy (&line, g + 1, 11); /* any floats, not-a-number too */
      pages_line (pages, &line, text, strlen (text));
      at += 13 + n;
    }
  pages_tell (pages, &sink);
  return 0;
}
