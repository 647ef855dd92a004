/* SPDX-License-Identifier: Apache-2.0 */
/* test-json.c: source.json, its cutter and its schemas.
 *
 * The cutter is given every text whole and byte by byte; the element runs as
 * the built plugin.
 */
#include "infer.h"
#include "records.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>

/* ---- cutting --------------------------------------------------------------- */

typedef struct
{
  const char *text;
  gsize len, at, block;
  gboolean blank;
} Blocks;

static gboolean
read_block (gpointer data, const char **block, gsize *len, GError **error)
{
  static char blanks[65536];
  Blocks *b = data;

  (void) error;
  if (b->blank) /* so that the short blocks are not gathered for the guess */
    {
      b->blank = FALSE;
      memset (blanks, ' ', sizeof blanks);
      *block = blanks;
      *len = sizeof blanks;
      return TRUE;
    }
  *block = b->text + b->at;
  *len = MIN (b->block, b->len - b->at);
  b->at += *len;
  return *len > 0;
}

static char *
cut (const char *text, gsize block, RecordsFormat *format, const char *at)
{
  Blocks blocks = { text, strlen (text), 0, block, block < strlen (text) };
  g_autoptr (Records) r = records_new (*format, at, 1 << 20, read_block, &blocks);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  Record record;

  while (records_next (r, &record, &error))
    {
      g_autofree char *line = g_strndup (record.text.data, record.text.len);

      g_string_append_printf (out, "%u:%s;", (guint) record.line, g_strstrip (line));
    }
  *format = records_format (r);
  if (error)
    g_string_append_printf (out, "!%s", strstr (error->message, ": ") + 2);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
expect (RecordsFormat format, const char *at, const char *text, const char *expected)
{
  const gsize sizes[] = { strlen (text) + 1, 3, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *got = cut (text, sizes[i], &format, at);

      g_assert_cmpstr (got, ==, expected);
    }
}

static void
test_layouts (void)
{
  expect (RECORDS_AUTO, NULL, "{\"a\":1}\n\n{\"b\":[1,2\n{\"c\":\"中\"}",
          "1:{\"a\":1};3:{\"b\":[1,2;4:{\"c\":\"中\"};");
  expect (RECORDS_AUTO, NULL, "\n[ {\"a\": \"]}\\\"\"},\n 2, [3]\n]\n",
          "2:{\"a\": \"]}\\\"\"};3:2;3:[3];");
  expect (RECORDS_AUTO, NULL, "{\n\"a\": 1\n}\n{\"b\":2}", "1:{\n\"a\": 1\n};4:{\"b\":2};");
  expect (RECORDS_AUTO, NULL, "[]", "");
  expect (RECORDS_AUTO, NULL, "", "");
}

static void
test_pointer (void)
{
  const char *text = "{\"x\": [\"a}\", {\"items\": 0}],\n \"da~ta/\\u0061\": [{\"items\": [1, "
                     "{\"k\":2}], \"n\": 3}]}";

  expect (RECORDS_AUTO, "/da~0ta~1a/0/items", text, "2:1;2:{\"k\":2};");
  expect (RECORDS_AUTO, "/da~0ta~1a/0/n", text, "2:3;");
  expect (RECORDS_AUTO, "/nothing", text, "!the object has no member 'nothing', which 'at' names");
  expect (RECORDS_AUTO, "/x/7", text, "!the array ends before item 7, which 'at' names");
}

static void
test_faults (void)
{
  expect (RECORDS_AUTO, NULL, "[{\"a\":1} {\"b\":2}]",
          "1:{\"a\":1};!expected ',' or ']' between the records of the array");
  expect (RECORDS_AUTO, NULL, "[1,]", "1:1;!expected another value: nothing follows this comma");
  expect (RECORDS_AUTO, NULL, "[1,2",
          "1:1;1:2;!the text ends inside the array of records: it is cut off");
  expect (RECORDS_AUTO, NULL, "[1] x", "1:1;!expected nothing more after the array of records");
}

static void
test_infer (void)
{
  static const struct
  {
    const char *records, *schema;
  } cases[] = {
    { "{'a':1}|{'a':2.5,'b':null}|{'b':true}", "a: float64, b: bool" },
    { "{'a':1}|{'a':'x'}", "a: utf8" },
    { "{'a':9223372036854775808}", "a: utf8" },
    { "{'a':[{'r':'u','n':1}]}|{'a':[{'r':'v','m':null}]}",
      "a: list<struct<r: utf8, n: int64, m: utf8>>" },
    { "{'a':[1,'x']}|{'b':{}}|{'c':[]}", "a: utf8, b: utf8, c: list<utf8>" },
    { "[1]|{'a':1}|{'z':", "a: int64" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Infer) infer = infer_new (FALSE);
      g_autofree char *text = g_strdelimit (g_strdup (cases[i].records), "'", '"');
      g_auto (GStrv) records = g_strsplit (text, "|", -1);
      g_autoptr (GPtrArray) fields = NULL;
      g_autoptr (FrSchema) schema = NULL;
      g_autofree char *got = NULL;

      for (char **r = records; *r; r++)
        infer_record (infer, (FrStr){ *r, strlen (*r) });
      fields = infer_fields (infer);
      schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, NULL);
      got = fr_schema_describe (schema);
      g_assert_cmpstr (got, ==, cases[i].schema);
    }
}

/* ---- the element ----------------------------------------------------------- */

static char *tmp;

static FrTest *
harness (const char *text, const char *with)
{
  g_autofree char *file = g_build_filename (tmp, "in.json", NULL);
  g_autofree char *all = g_strdup_printf ("{'path': '%s'%s%s}", file, *with ? ", " : "", with);
  g_autofree char *so = g_build_filename (g_getenv ("FLOWRUN_PLUGIN_PATH"), "source-json.so", NULL);

  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  return fr_test_new_file (so, "source.json", all);
}

static void
test_rows (void)
{
  g_autoptr (FrTest) t = harness ("{\"id\":1,\"名\":\"你好😀\",\"tags\":[\"a\"]}\n{\"id\":2}\n", "");

  fr_test_run (t);
  fr_test_expect (t, "out", "[{'id':1,'名':'你好😀','tags':['a']},{'id':2,'名':null,'tags':null}]");
}

static void
test_rejects (void)
{
  g_autoptr (FrTest) t
      = harness ("{\"a\":1}\n{\"a\":}\n{\"a\":\"x\"}\n{\"b\":1}\n{\"a\":1,\"a\":2}\n7\n"
                 "{\"a\":9223372036854775808}\n{\"a\":5}\n",
                 "'columns': {'a': 'int64'}");

  fr_test_run (t);
  fr_test_expect (t, "out", "[{'a':1},{'a':5}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 6);
  for (const char *const *rule = (const char *const[]){ "syntax", "type", "unknown_key",
                                                        "duplicate_key", "not_object", NULL };
       *rule; rule++)
    g_assert_nonnull (strstr (fr_test_output (t, "rejects"), *rule));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "in.json:2:6"));
}

static void
test_unknown_and_text (void)
{
  g_autoptr (FrTest) t
      = harness ("[{\"a\":{\"x\":[1, 2]},\"b\":1},\n{\"a\":7,\"b\":2}]",
                 "'columns': {'a': 'utf8'}, 'unknown': 'ignore', 'nested': 'text'");

  fr_test_run (t);
  fr_test_expect (t, "out", "[{'a':'{\\\"x\\\":[1, 2]}'},{'a':'7'}]");
  g_assert_cmpint (fr_test_counter (t, "unknown_keys_ignored"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "values_as_json_text"), ==, 2);
}

static void
test_cut_off (void)
{
  g_autoptr (FrTest) t = harness ("[{\"a\":1},{\"a\":", "");

  fr_test_run_error (t, FR_ERROR_DATA, "cut off");
}

static void
test_long_line (void)
{
  g_autoptr (GString) text = g_string_new ("{\"a\":\"x\"}\n{\"a\":\"");
  g_autoptr (FrTest) t = NULL;

  for (guint i = 0; i < 200000; i++)
    g_string_append (text, "长句");
  g_string_append (text, "\"}\n{\"a\":\"y\"}\n");
  t = harness (text->str, "'max_row': '64KiB'");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'a':'x'},{'a':'y'}]");
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "too_long"));
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = harness ("{\"a\":1}\n{\"a\":2}\n{\n", "");

  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_autofree char *file = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  tmp = g_dir_make_tmp ("flowrun-json-XXXXXX", NULL);
  g_test_add_func ("/json/layouts", test_layouts);
  g_test_add_func ("/json/pointer", test_pointer);
  g_test_add_func ("/json/faults", test_faults);
  g_test_add_func ("/json/infer", test_infer);
  g_test_add_func ("/json/rows", test_rows);
  g_test_add_func ("/json/rejects", test_rejects);
  g_test_add_func ("/json/unknown", test_unknown_and_text);
  g_test_add_func ("/json/cut-off", test_cut_off);
  g_test_add_func ("/json/long-line", test_long_line);
  g_test_add_func ("/json/battery", test_battery);
  status = g_test_run ();
  file = g_build_filename (tmp, "in.json", NULL);
  g_unlink (file);
  g_rmdir (tmp);
  g_free (tmp);
  return status;
}
