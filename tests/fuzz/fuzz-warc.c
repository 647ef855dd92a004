/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-warc.c: any bytes as a WARC file: no crash, it goes forward, blocks lie within it, and the
 * same records come out when it is read in pieces.  The first byte says in how large ones.
 */
#include "sources/crawler/warc.h"

#include <stdint.h>
#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
look (const WarcRecord *record)
{
  const char *fault = NULL;
  g_autoptr (Answer) answer = warc_http (record, &fault);
  g_autofree char *via = warc_field (record->block, "via");

  g_assert_true ((answer == NULL) == (fault != NULL));
  if (answer)
    {
      g_autofree char *charset = answer_header_parameter (answer, "content-type", "charset");

      answer_header (answer, "location");
    }
}

/* Records alone: where damage is told may differ with the pieces, what is read may not. */
static guint64
read_all (const char *data, gsize len, gsize piece)
{
  guint64 hash = 0;
  gsize at = 0, there = MIN (piece, len);

  for (;;)
    {
      g_auto (WarcRecord) record = { 0 };
      gsize used = 0, need = 0;
      WarcEvent event = warc_parse (data + at, there - at, there == len, &record, &used, &need);

      g_assert_cmpuint (used, <=, there - at);
      at += used;
      if (event == WARC_END)
        return hash;
      if (event == WARC_MORE)
        {
          g_assert_true (there < len);
          there = MIN (len, there + piece);
          continue;
        }
      g_assert_cmpuint (used, >, 0);
      if (event == WARC_FAULT)
        {
          g_assert_nonnull (record.fault);
          continue;
        }
      g_assert_true (record.block.data >= data
                     && record.block.data + record.block.len <= data + len);
      look (&record);
      hash = XXH3_64bits_withSeed (record.block.data, record.block.len, hash + 1);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size < 1)
    return 0;
  read_all ((const char *) data + 1, size - 1, size);
  read_all ((const char *) data + 1, size - 1, 1 + data[0]);
  return 0;
}
