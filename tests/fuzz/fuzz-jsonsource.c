/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-jsonsource.c: JSON texts cut into records, and schemas found for them.
 *
 * The first byte chooses layout, pointer and block size; the rest is the text.
 */
#include "sources/json/infer.h"
#include "sources/json/records.h"

#include <stdint.h>

#include "blocks.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  guint how = size > 0 ? data[0] : 0;
  Blocks blocks
      = { (const char *) data + MIN (size, 1), size - MIN (size, 1), (how & 4) ? 70000 : 3 };
  g_autoptr (Records) records = records_new (
      (RecordsFormat) (how & 3), (how & 8) ? "/data/0" : NULL, 4096, read_block, &blocks);
  g_autoptr (Infer) infer = infer_new ((how & 16) != 0);
  g_autoptr (GPtrArray) fields = NULL;
  g_autoptr (GError) error = NULL;
  Record record;

  while (records_next (records, &record, &error))
    if (!record.too_long)
      infer_record (infer, record.text);
  fields = infer_fields (infer);
  for (guint i = 0; i < fields->len; i++)
    fr_field_unref (fields->pdata[i]);
  return 0;
}
