/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-sqldump.c: the reader of SQL dumps, and its values as cells.
 *
 * The first byte chooses dialect and block size; the rest is the dump.
 */
#include "sources/sqldump/cell.h"

#include <stdint.h>

#include "blocks.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
try_cells (Dump *dump, FrBuilder *builder, CellRules *rules)
{
  static const FrType types[] = { FR_TYPE_BOOL,   FR_TYPE_INT64,     FR_TYPE_FLOAT64,
                                  FR_TYPE_BINARY, FR_TYPE_TIMESTAMP, FR_TYPE_UTF8 };

  for (guint i = 0; i < dump->values->len; i++)
    for (guint t = 0; t < G_N_ELEMENTS (types); t++)
      {
        const DumpValue *v = &g_array_index (dump->values, DumpValue, i);

        if (!dump->too_long)
          cell_append (fr_builder_cells (builder, t), types[t], v->kind, dump_value (dump, i),
                       rules);
        fr_builder_cancel_row (builder);
      }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  guint how = size > 0 ? data[0] : 0;
  Blocks blocks
      = { (const char *) data + MIN (size, 1), size - MIN (size, 1), (how & 4) ? 70000 : 3 };
  g_autoptr (Dump) dump
      = dump_new ((DumpDialect) (how & 3), (how & 8) != 0, 4096, read_block, &blocks);
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("b", FR_TYPE_BOOL, "i", FR_TYPE_INT64, "f", FR_TYPE_FLOAT64, "z",
                              FR_TYPE_BINARY, "t", FR_TYPE_TIMESTAMP, "u", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  CellRules rules = { .zero_dates_null = TRUE };
  g_autoptr (GError) error = NULL;
  DumpEvent event;

  while ((event = dump_next (dump, &error)) > DUMP_EOF)
    {
      if (event == DUMP_ROW)
        try_cells (dump, builder, &rules);
      else if (event == DUMP_TABLE)
        for (guint i = 0; i < dump->columns->len; i++)
          cell_type (dump->columns->pdata[i], dump->dialect, FALSE);
      else if (how & 16)
        dump_skip (dump);
    }
  return 0;
}
