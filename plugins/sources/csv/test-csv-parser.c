/* SPDX-License-Identifier: Apache-2.0 */
/* test-csv-parser.c: records out of text, however the text is cut into blocks. */
#include "sources/csv/csv-parser.h"
#include "sources/csv/csv-types.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const CsvDialect plain = { ",", '"', 0, 0, FALSE, 0, 1 << 20 };

/* One line a record: "LINE:cell|cell|" and "!fault@LINE,cell" behind it. */
static char *
parse (const CsvDialect *dialect, const char *text, gsize len, gsize step)
{
  g_autoptr (CsvParser) parser = csv_parser_new (dialect);
  GString *out = g_string_new (NULL);
  CsvRecord r;
  CsvEvent event = CSV_MORE;

  for (gsize at = 0; event == CSV_MORE;)
    {
      gsize n = MIN (step, len - at);
      g_autofree char *block = g_memdup2 (text + at, n);

      csv_parser_feed (parser, block, n, at + n == len);
      at += n;
      while ((event = csv_parser_next (parser, &r)) == CSV_RECORD)
        {
          g_string_append_printf (out, "%" G_GUINT64_FORMAT ":", r.line);
          for (guint i = 0; i < r.n_cells; i++)
            {
              g_autofree char *cell = g_malloc (r.cells[i].len + 1);
              gsize cell_len = r.cells[i].len;

              if (r.cells[i].flags & CSV_ESCAPED)
                cell_len
                    = csv_cell_unescape (dialect, r.text.data + r.cells[i].start, cell_len, cell);
              else
                memcpy (cell, r.text.data + r.cells[i].start, cell_len);
              if (r.cells[i].flags & CSV_QUOTED)
                g_string_append_c (out, 'Q');
              g_string_append_len (out, cell, (gssize) cell_len);
              g_string_append_c (out, '|');
            }
          if (r.fault != CSV_FAULT_NONE)
            g_string_append_printf (out, "!%d@%" G_GUINT64_FORMAT ",%u", r.fault, r.fault_line,
                                    r.fault_cell);
          g_string_append_c (out, '\n');
        }
    }
  if (event == CSV_LOST)
    g_string_append_printf (out, "lost@%" G_GUINT64_FORMAT "\n", r.fault_line);
  return g_string_free (out, FALSE);
}

static void
expect (const CsvDialect *dialect, const char *text, const char *want)
{
  gsize len = strlen (text);

  for (gsize step = 1; step <= len + 1; step++)
    {
      g_autofree char *got = parse (dialect, text, len, step);

      g_assert_cmpstr (got, ==, want);
    }
}

static void
test_rfc4180 (void)
{
  expect (&plain, "a,b,c\n1,2,3\n", "1:a|b|c|\n2:1|2|3|\n");
  expect (&plain, "a,b\r\n1,2", "1:a|b|\n2:1|2|\n");
  expect (&plain, "a,b\r1,2\r", "1:a|b|\n2:1|2|\n");
  expect (&plain, "a,\n,\n,b", "1:a||\n2:||\n3:|b|\n");
  expect (&plain, "\"a\nb\",\"c\"\"d\"\nx,y\n", "1:Qa\nb|Qc\"d|\n3:x|y|\n");
  expect (&plain, "\"\",\"\"\"\"\n", "1:Q|Q\"|\n");
  expect (&plain, "a \"quoted\" b,5\" disk\n", "1:a \"quoted\" b|5\" disk|\n");
  expect (&plain, "\n\na\r\n\r\nb\n\n", "3:a|\n5:b|\n");
  expect (&plain, "", "");
  expect (&plain, "名称,说明\n\"羊毛，衫\",😀\n", "1:名称|说明|\n2:Q羊毛，衫|😀|\n");
  expect (&plain, "\"a\r\nb\r\nc\",d\r\ne\r\n", "1:Qa\r\nb\r\nc|d|\n4:e|\n");
  expect (&plain, "a long unquoted cell of more than sixteen bytes,another such cell, yes\n",
          "1:a long unquoted cell of more than sixteen bytes|another such cell| yes|\n");
}

static void
test_faults (void)
{
  /* text behind a quote costs its record only */
  expect (&plain, "\"a\"b,c\nd,e\n", "1:Qa\"b|c|!1@1,0\n2:d|e|\n");
  /* an open quote costs its line only */
  expect (&plain, "x,\"open\nd,e\nf,g\n", "1:x|Qopen|!2@1,1\n2:d|e|\n3:f|g|\n");
  expect (&plain, "\"a\nb\",\"open\nd,e", "1:Qa\nb|Qopen|!2@2,1\n3:d|e|\n");
  expect (&plain, "\"", "1:Q|!2@1,0\n");
  expect (&plain, "a,\"\n", "1:a|Q|!2@1,1\n");
}

static void
test_dialects (void)
{
  CsvDialect d = plain;

  strcpy (d.delimiter, "，");
  expect (&d, "甲，乙，丙\n，！，。\n", "1:甲|乙|丙|\n2:|！|。|\n");
  d = plain;
  strcpy (d.delimiter, "\t");
  d.quote = 0;
  expect (&d, "a\t\"b\nc\t\n", "1:a|\"b|\n2:c||\n");
  d = plain;
  d.escape = '\\';
  expect (&d, "\"a\\\"b\",\"c\\\\\",\"d\\n\"\"\"\n", "1:Qa\"b|Qc\\|Qd\\n\"|\n");
  expect (&d, "\"a\\\nb\",c\nd\n", "1:Qa\\\nb|c|\n3:d|\n");
  d = plain;
  d.comment = '#';
  d.skip_lines = 2;
  expect (&d, "title\n\"not, a record\n# c\na,#b\n#\"\nc\n", "4:a|#b|\n6:c|\n");
  d = plain;
  d.trim = TRUE;
  expect (&d, " a , \"b \" ,\t　c　\n\"x\"　\n　\"y\" z\n", "1:a|Qb |c|\n2:Qx|\n3:Qy\" z|!1@3,0\n");
}

static void
test_too_long (void)
{
  CsvDialect d = plain;

  d.max_row = 10;
  expect (&d, "0123456789\nb\n", "1:0123456789|\n2:b|\n");
  expect (&d, "0123456789A\nb\n", "1:!3@1,0\n2:b|\n");
  expect (&d, "\"123456\n89\"A\nb\n", "1:!3@1,0\n3:b|\n");
  expect (&d, "a\n\"0123456\n789", "1:a|\nlost@2\n");
}

/* Random bytes: any cutting into blocks gives the same records. */
static void
test_blocks (void)
{
  static const char *const parts[] = { "a",  ",",    "\"",    "\n",   "\r",
                                       "\\", "中",   "，",    " ",    "　",
                                       "#",  "\"\"", "\",\"", "\r\n", "0123456789abcdef" };
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  for (guint round = 0; round < 3000; round++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *whole = NULL;
      CsvDialect d = plain;

      for (gint32 n = g_rand_int_range (random, 0, 40); n > 0; n--)
        g_string_append (text, parts[g_rand_int_range (random, 0, G_N_ELEMENTS (parts))]);
      d.trim = round & 1;
      d.escape = round & 2 ? '\\' : 0;
      d.comment = round & 4 ? '#' : 0;
      d.max_row = round & 8 ? 20 : 1 << 20;
      if (round & 16)
        strcpy (d.delimiter, "，");
      whole = parse (&d, text->str, text->len, text->len + 1);
      for (gsize step = 1; step < 20; step++)
        {
          g_autofree char *got = parse (&d, text->str, text->len, step);

          g_assert_cmpstr (got, ==, whole);
        }
    }
}

/* A 100 MB cell, fed in blocks, in time linear in its length. */
static void
test_long_cell (void)
{
  CsvDialect d = plain;
  g_autoptr (CsvParser) parser = NULL;
  g_autofree char *block = g_malloc (256 * 1024);
  CsvRecord r;
  gint64 start = g_get_monotonic_time ();

  d.max_row = 128 << 20;
  parser = csv_parser_new (&d);
  memset (block, 'x', 256 * 1024);
  csv_parser_feed (parser, "a,\"", 3, FALSE);
  for (guint i = 0; i < 400; i++)
    {
      g_assert_cmpint (csv_parser_next (parser, &r), ==, CSV_MORE);
      csv_parser_feed (parser, block, 256 * 1024, FALSE);
    }
  g_assert_cmpint (csv_parser_next (parser, &r), ==, CSV_MORE);
  csv_parser_feed (parser, "\"\n", 2, TRUE);
  g_assert_cmpint (csv_parser_next (parser, &r), ==, CSV_RECORD);
  g_assert_cmpuint (r.n_cells, ==, 2);
  g_assert_cmpuint (r.cells[1].len, ==, 400 * 256 * 1024);
  g_test_message ("%.2f s", (double) (g_get_monotonic_time () - start) / 1e6);
}

static void
test_many_cells (void)
{
  g_autofree char *text = g_strnfill (200000, ',');
  g_autoptr (CsvParser) parser = csv_parser_new (&plain);
  CsvRecord r;

  csv_parser_feed (parser, text, 200000, TRUE);
  g_assert_cmpint (csv_parser_next (parser, &r), ==, CSV_RECORD);
  g_assert_cmpuint (r.n_cells, ==, 200001);
  g_assert_cmpuint (r.cells[CSV_MAX_CELLS - 1].len, ==, 0);
}

/* ---- csv-spectrum ---------------------------------------------------------- */

static void
spectrum_case (gconstpointer data)
{
  const char *name = data;
  g_autofree char *csv_name = g_strconcat (name, ".csv", NULL),
                  *json_name = g_strconcat (name, ".json", NULL);
  g_autofree char *csv
      = g_build_filename (g_getenv ("FLOWRUN_DATA"), "csv-spectrum", "csvs", csv_name, NULL);
  g_autofree char *json
      = g_build_filename (g_getenv ("FLOWRUN_DATA"), "csv-spectrum", "json", json_name, NULL);
  g_autoptr (JsonParser) reader = json_parser_new ();
  g_autoptr (CsvParser) parser = csv_parser_new (&plain);
  g_autofree char *text = NULL;
  g_auto (GStrv) names = NULL;
  JsonArray *rows = NULL;
  JsonNode *root;
  CsvRecord r;
  gsize len;
  guint n = 0;

  g_assert_true (g_file_get_contents (csv, &text, &len, NULL));
  g_assert_true (json_parser_load_from_file (reader, json, NULL));
  root = json_parser_get_root (reader);
  if (JSON_NODE_HOLDS_ARRAY (root))
    rows = json_node_get_array (root);
  csv_parser_feed (parser, text, len, TRUE);
  while (csv_parser_next (parser, &r) == CSV_RECORD)
    {
      g_auto (GStrv) cells = g_new0 (char *, r.n_cells + 1);
      JsonObject *row;

      for (guint i = 0; i < r.n_cells; i++)
        {
          cells[i] = g_malloc0 (r.cells[i].len + 1);
          csv_cell_unescape (&plain, r.text.data + r.cells[i].start, r.cells[i].len, cells[i]);
        }
      if (names == NULL)
        {
          names = g_steal_pointer (&cells);
          continue;
        }
      row = rows ? json_array_get_object_element (rows, n) : json_node_get_object (root);
      g_assert_cmpuint (json_object_get_size (row), ==, r.n_cells);
      for (guint i = 0; i < r.n_cells; i++)
        {
          g_autoptr (GString) want = g_string_new (json_object_get_string_member (row, names[i]));

          /* the copy of newlines_crlf.csv lost its CRs, its JSON kept them */
          if (strchr (text, '\r') == NULL)
            g_string_replace (want, "\r", "", 0);
          /* the data set's own telephone numbers differ between its two files */
          if (!g_str_equal (names[i], "Contact Phone Number"))
            g_assert_cmpstr (cells[i], ==, want->str);
        }
      n++;
    }
  g_assert_cmpuint (n, ==, rows ? json_array_get_length (rows) : 1);
}

static void
no_spectrum (void)
{
  g_test_skip ("csv-spectrum is not there");
}

static void
add_spectrum (void)
{
  static const char *const names[]
      = { "comma_in_quotes",      "empty",    "empty_crlf",    "escaped_quotes",      "json",
          "location_coordinates", "newlines", "newlines_crlf", "quotes_and_newlines", "simple",
          "simple_crlf",          "utf8" };
  const char *dir = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path = g_build_filename (dir ? dir : "", "csv-spectrum", NULL);

  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    g_test_add_func ("/csv/spectrum", no_spectrum);
  else
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
      {
        g_autofree char *test = g_strconcat ("/csv/spectrum/", names[i], NULL);

        g_test_add_data_func (test, names[i], spectrum_case);
      }
}

/* ---- types ----------------------------------------------------------------- */

#define STR(s) ((FrStr){ (s), strlen (s) })

static void
test_integers (void)
{
  static const char *const bad[] = { "",
                                     "-",
                                     "+1",
                                     "01",
                                     "-0",
                                     "1.0",
                                     " 1",
                                     "1 ",
                                     "9223372036854775808",
                                     "99999999999999999999",
                                     "１",
                                     "0x1",
                                     "1,000" };
  gint64 v;

  g_assert_true (csv_parse_int (STR ("9223372036854775807"), &v) && v == G_MAXINT64);
  g_assert_true (csv_parse_int (STR ("-9223372036854775808"), &v) && v == G_MININT64);
  g_assert_true (csv_parse_int (STR ("0"), &v) && v == 0);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (csv_parse_int (STR (bad[i]), &v));
}

static void
test_floats (void)
{
  static const char *const good[] = { "0",
                                      "0.1",
                                      "-1.5",
                                      "1e10",
                                      "1E-5",
                                      "123456789012345678",
                                      "3.141592653589793",
                                      "1e22",
                                      "1e23",
                                      "9007199254740993",
                                      "0.000001234",
                                      "5e-324",
                                      "1.7976931348623157e308",
                                      "-0.0",
                                      "100",
                                      "12345678901234567890.5" };
  static const char *const bad[]
      = { "", "-", ".5", "5.", "1e", "1e+", "nan", "inf", "0x1p3", "1e999", "01.5", "+1", "1.2.3" };
  double v;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (csv_parse_float (STR (good[i]), &v));
      g_assert_cmpfloat (v, ==, g_ascii_strtod (good[i], NULL));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (csv_parse_float (STR (bad[i]), &v));
}

static void
test_others (void)
{
  gboolean b;
  gint64 t;

  g_assert_true (csv_parse_bool (STR ("TRUE"), FALSE, &b) && b);
  g_assert_true (csv_parse_bool (STR ("no"), TRUE, &b) && !b);
  g_assert_false (csv_parse_bool (STR ("no"), FALSE, &b));
  g_assert_true (csv_parse_timestamp (STR ("1970-01-02"), &t)
                 && t == G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC);
  g_assert_true (csv_parse_timestamp (STR ("1970/1/2"), &t)
                 && t == G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC);
  g_assert_true (csv_parse_timestamp (STR ("1970/1/1 8:30"), &t)
                 && t == G_GINT64_CONSTANT (30600) * G_USEC_PER_SEC);
  g_assert_true (csv_parse_timestamp (STR ("1970-01-01 08:30:00.5+08:00"), &t)
                 && t == G_GINT64_CONSTANT (1800) * G_USEC_PER_SEC + 500000);
  g_assert_false (csv_parse_timestamp (STR ("1970-02-30"), &t));
  g_assert_false (csv_parse_timestamp (STR ("70-01-01"), &t));
  g_assert_false (csv_parse_timestamp (STR ("1970-01/01"), &t));
  g_assert_cmpuint (csv_fits (STR ("17"), CSV_FITS), ==,
                    FR_TYPES (FR_TYPE_INT64) | FR_TYPES (FR_TYPE_FLOAT64));
  g_assert_cmpuint (csv_fits (STR ("9007199254740995"), CSV_FITS), ==, FR_TYPES (FR_TYPE_INT64));
  g_assert_cmpuint (csv_fits (STR ("0755"), CSV_FITS), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/csv/rfc4180", test_rfc4180);
  g_test_add_func ("/csv/faults", test_faults);
  g_test_add_func ("/csv/dialects", test_dialects);
  g_test_add_func ("/csv/too-long", test_too_long);
  g_test_add_func ("/csv/blocks", test_blocks);
  g_test_add_func ("/csv/long-cell", test_long_cell);
  g_test_add_func ("/csv/many-cells", test_many_cells);
  g_test_add_func ("/csv/integers", test_integers);
  g_test_add_func ("/csv/floats", test_floats);
  g_test_add_func ("/csv/others", test_others);
  add_spectrum ();
  return g_test_run ();
}
