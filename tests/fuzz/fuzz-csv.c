/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-csv.c: the CSV parser under any bytes in any dialect: no crash, cells
 * within their record, the same records however the text is cut into blocks.
 * The first byte chooses the dialect, the second how it is cut.
 */
#include "sources/csv/csv-parser.h"
#include "sources/csv/csv-types.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint64
mix (guint64 hash, const void *data, gsize len)
{
  const guchar *p = data;

  for (gsize i = 0; i < len; i++)
    hash = (hash ^ p[i]) * G_GUINT64_CONSTANT (1099511628211);
  return hash;
}

static void
read_cell (const CsvDialect *dialect, const CsvRecord *r, const CsvCell *cell)
{
  FrStr text = { r->text.data + cell->start, cell->len };
  g_autofree char *out = g_malloc (cell->len + 1);
  gint64 integer;
  double number;
  gboolean truth;

  g_assert_true ((guint64) cell->start + cell->len <= r->text.len);
  g_assert_true (csv_cell_unescape (dialect, text.data, text.len, out) <= text.len);
  csv_parse_int (text, &integer);
  csv_parse_float (text, &number);
  csv_parse_bool (text, TRUE, &truth);
  csv_parse_timestamp (text, &integer);
  csv_fits (text, CSV_FITS);
}

static guint64
parse (const CsvDialect *dialect, const char *text, gsize len, gsize step)
{
  g_autoptr (CsvParser) parser = csv_parser_new (dialect);
  guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);
  CsvEvent event = CSV_MORE;
  CsvRecord r;

  for (gsize at = 0; event == CSV_MORE;)
    {
      gsize n = MIN (step, len - at);

      csv_parser_feed (parser, text + at, n, at + n == len);
      at += n;
      while ((event = csv_parser_next (parser, &r)) == CSV_RECORD)
        {
          hash = mix (hash, r.text.data, r.text.len);
          hash = mix (hash, r.cells, MIN (r.n_cells, CSV_MAX_CELLS) * sizeof *r.cells);
          hash = mix (hash, &r.line, sizeof r.line);
          hash = mix (hash, &r.fault, sizeof r.fault);
          for (guint i = 0; i < MIN (r.n_cells, CSV_MAX_CELLS); i++)
            read_cell (dialect, &r, &r.cells[i]);
        }
    }
  return mix (hash, &event, sizeof event);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const delimiters[] = { ",", "\t", ";", "，" };
  CsvDialect dialect = { ",", '"', 0, 0, FALSE, 0, 1 << 20 };
  guint64 whole;

  if (size < 2)
    return 0;
  strcpy (dialect.delimiter, delimiters[data[0] & 3]);
  dialect.trim = (data[0] & 4) != 0;
  dialect.escape = data[0] & 8 ? '\\' : '\0';
  dialect.comment = data[0] & 16 ? '#' : '\0';
  dialect.quote = data[0] & 32 ? '\0' : '"';
  dialect.skip_lines = data[0] & 64 ? 1 : 0;
  dialect.max_row = data[0] & 128 ? 24 : 1 << 20;
  whole = parse (&dialect, (const char *) data + 2, size - 2, size);
  g_assert_cmpuint (parse (&dialect, (const char *) data + 2, size - 2, 1 + data[1] % 37), ==,
                    whole);
  return 0;
}
