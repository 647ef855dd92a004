/* SPDX-License-Identifier: Apache-2.0 */
/* documents-fuzz.h: one reader of source.documents on bytes, into the real sink.
 *
 * The first byte of the input chooses what a record is and how it is shown.
 */
#ifndef DOCUMENTS_FUZZ_H
#define DOCUMENTS_FUZZ_H

#include "sources/documents/readers.h"
#include "sources/documents/tell.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static TellOptions
fuzz_options (guint how)
{
  return (TellOptions){ .record = (RecordKind) (how % 5),
                        .tables = (TablesKind) (how / 5 % 3),
                        .markup = (MarkupKind) (how / 15 % 2),
                        .names = (NamesKind) (how / 30 % 3),
                        .section_level = 3,
                        .max_text = 1 << 20,
                        .wants = how / 90 ? 0xffffu : 0u };
}

/* What every record promises. */
static void
fuzz_look (const Told *told)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < told->records->len; i++)
    {
      g_string_truncate (text, 0);
      record_text (told->records->pdata[i], text);
      g_assert_true (g_utf8_validate (text->str, (gssize) text->len, NULL)
                     && memchr (text->str, 0, text->len) == NULL);
      if (((Record *) told->records->pdata[i])->name)
        g_assert_true (g_utf8_validate (((Record *) told->records->pdata[i])->name, -1, NULL));
    }
  g_assert_true (told->title == NULL || g_utf8_validate (told->title, -1, NULL));
  g_assert_true (told->author == NULL || g_utf8_validate (told->author, -1, NULL));
  g_string_free (text, TRUE);
}

G_GNUC_UNUSED static void
fuzz_read (const TextDocReader *reader, guint how, const char *data, gsize len)
{
  TellOptions options = fuzz_options (how);
  TextDocJob job = { .size = sizeof job,
                     .name = "fuzz",
                     .type = reader->types[0],
                     .data = data,
                     .len = len,
                     .wants = options.wants,
                     .max_memory = 1 << 22,
                     .max_text = options.max_text,
                     .seconds = 10 };
  gpointer state = reader->open ? reader->open () : NULL;
  Tell *tell = tell_new (&options, g_get_monotonic_time () + 8 * G_USEC_PER_SEC, 1 << 20, NULL);
  gboolean ok = reader->read (state, &job, tell_sink (tell));
  g_autoptr (Told) told = tell_end (tell, ok);

  fuzz_look (told);
  if (state && reader->close)
    reader->close (state);
}

#endif
