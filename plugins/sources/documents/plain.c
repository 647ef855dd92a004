/* SPDX-License-Identifier: Apache-2.0 */
/* plain.c: plain text: paragraphs are what empty lines part.
 *
 * Lines within a paragraph stay lines: whether they were wrapped or meant is
 * not to be known.
 */
#include "config.h"

#include "readers.h"
#include "utf8.h"

#include <string.h>

static gboolean
is_blank (const char *line, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!strchr (" \t\f\v", line[i]))
      return FALSE;
  return TRUE;
}

static gboolean
tell_paragraphs (FrStr text, TextDocSink *sink)
{
  gsize from = 0, at = 0;

  while (at < text.len)
    {
      const char *newline = memchr (text.data + at, '\n', text.len - at);
      gsize end = newline ? (gsize) (newline - text.data) : text.len;

      if (is_blank (text.data + at, end - at))
        {
          if (!sink->go_on (sink)
              || (at > from && !text_doc_paragraph (sink, (FrStr){ text.data + from, at - from })))
            return FALSE;
          from = end + 1;
        }
      at = end + 1;
    }
  return from >= text.len
         || text_doc_paragraph (sink, (FrStr){ text.data + from, text.len - from });
}

static gboolean
read_plain (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  guint64 replaced = 0;
  GString *text = utf8_decode (job->data, job->len, NULL, &replaced);
  gboolean ok;

  (void) state;
  if (replaced)
    sink->count (sink, "characters_replaced", (gint64) replaced);
  ok = tell_paragraphs ((FrStr){ text->str, text->len }, sink);
  g_string_free (text, TRUE);
  return ok;
}

static const char *const types[] = { TYPE_PLAIN, NULL };
const TextDocReader plain_reader
    = { sizeof (TextDocReader), types, "text", NULL, NULL, NULL, read_plain };
