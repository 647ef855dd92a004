/* SPDX-License-Identifier: Apache-2.0 */
/* test-select.c: transform.select, and the reading of values. */
#include "config.h"

#include <flowrun/test.h>

#include "parse.h"

static FrTest *
make (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-select.so", NULL);

  return fr_test_new_file (path, "transform.select", with);
}

static void
test_columns (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = {
    { "{}", "[{'id': 1, 'attr_a': 'x', '商品名': '茶', 'attr_b': 'y'}]" },
    { "{'columns': ['商品名', 'id']}", "[{'商品名': '茶', 'id': 1}]" },
    { "{'columns': ['attr_b', '*']}", "[{'attr_b': 'y', 'id': 1, 'attr_a': 'x', '商品名': '茶'}]" },
    { "{'columns': ['attr_?', 'id'], 'drop': 'attr_a'}", "[{'attr_b': 'y', 'id': 1}]" },
    { "{'drop': ['attr_*'], 'rename': {'商品名': 'id', 'id': 'nr'}}", "[{'nr': 1, 'id': '茶'}]" },
    { "{'columns': 'id', 'cast': {'id': 'utf8'}, 'rename': {'id': 'key'}}", "[{'key': '1'}]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = make (cases[i].with);

      fr_test_input (t, "in", "id: int64, attr_a: utf8, 商品名: utf8, attr_b: utf8",
                     "[{'id': 1, 'attr_a': 'x', '商品名': '茶', 'attr_b': 'y'}]");
      fr_test_run (t);
      fr_test_expect (t, "out", cases[i].want);
    }
}

/* One cell, from a type to another: what it becomes, or NULL for a reject. */
static void
test_cast (void)
{
  static const struct
  {
    const char *type, *cell, *to, *more, *want;
  } cases[] = {
    { "utf8", "' 12 '", "int32", "", "12" },
    { "utf8", "'12.0'", "int32", "", NULL },
    { "utf8", "'3000000000'", "int32", "", NULL },
    { "utf8", "'-9223372036854775808'", "int64", "", "-9223372036854775808" },
    { "utf8", "'9223372036854775808'", "int64", "", NULL },
    { "utf8", "''", "int64", "", NULL },
    { "utf8", "''", "int64", ", 'empty_is_null': true", "null" },
    { "utf8", "'１２．５'", "float64", "", NULL },
    { "utf8", "'１２．５'", "float64", ", 'full_width': true", "12.5" },
    { "utf8", "'　－７　'", "int64", ", 'full_width': true", "-7" },
    { "utf8", "'1,5'", "float64", "", NULL },
    { "utf8", "'1e3'", "float64", "", "1000" },
    { "utf8", "'nan'", "float64", "", NULL },
    { "utf8", "'0x10'", "float64", "", NULL },
    { "utf8", "'1e39'", "float32", "", NULL },
    { "utf8", "'Yes'", "bool", "", "true" },
    { "utf8", "'否'", "bool", "", "false" },
    { "utf8", "'maybe'", "bool", "", NULL },
    { "utf8", "'maybe'", "bool", ", 'on_error': 'null'", "null" },
    { "utf8", "'2024年1月31日'", "timestamp", "", "'2024-01-31T00:00:00Z'" },
    { "utf8", "'2024/2/30'", "timestamp", "", NULL },
    { "utf8", "'2024-01-31 08:15:30.5+08:00'", "timestamp", "", "'2024-01-31T00:15:30.5Z'" },
    { "int64", "86400", "timestamp", "", "'1970-01-02T00:00:00Z'" },
    { "int64", "86400000", "timestamp", ", 'epoch': 'milliseconds'", "'1970-01-02T00:00:00Z'" },
    { "int64", "9223372036854775807", "timestamp", "", NULL },
    { "timestamp", "'1970-01-02T00:00:00Z'", "int64", "", "86400" },
    { "timestamp", "'1970-01-02T00:00:00.5Z'", "int64", "", NULL },
    { "timestamp", "'1970-01-02T00:00:00Z'", "utf8", "", "'1970-01-02T00:00:00Z'" },
    { "float64", "2.0", "int64", "", "2" },
    { "float64", "2.5", "int64", "", NULL },
    { "float64", "1e300", "int64", "", NULL },
    { "float64", "1e300", "float32", "", NULL },
    { "float64", "0.1", "utf8", "", "'0.1'" },
    { "int64", "5", "int32", "", "5" },
    { "int64", "5", "bool", "", NULL },
    { "bool", "true", "int64", "", "1" },
    { "bool", "true", "utf8", "", "'true'" },
    { "list<int64>", "[1, 2]", "utf8", "", "'[1,2]'" },
    { "utf8", "'茶'", "binary", "", "'6Iy2'" },
    { "binary", "'6Iy2'", "utf8", "", "'茶'" },
    { "binary", "'/w=='", "utf8", "", NULL },
    { "utf8", "null", "int64", "", "null" },
    { "utf8", "'茶'", "large_utf8", "", "'茶'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with
          = g_strdup_printf ("{'cast': {'x': '%s'}%s}", cases[i].to, cases[i].more);
      g_autofree char *columns = g_strdup_printf ("x: %s, y: int64", cases[i].type);
      g_autofree char *rows = g_strdup_printf ("[{'x': %s, 'y': 1}]", cases[i].cell);
      g_autofree char *want = cases[i].want ? g_strdup_printf ("[{'x': %s, 'y': 1}]", cases[i].want)
                                            : g_strdup ("[]");
      g_autoptr (FrTest) t = make (with);

      g_test_message ("%s %s as %s%s", cases[i].type, cases[i].cell, cases[i].to, cases[i].more);
      fr_test_input (t, "in", columns, rows);
      fr_test_run (t);
      fr_test_expect (t, "out", want);
      g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, cases[i].want ? 0 : 1);
    }
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = { { "{'columns': 'nam'}", "did you mean 'name'" },
                { "{'columns': 'x*'}", "no column matches" },
                { "{'drop': '*'}", "no column is left" },
                { "{'cast': {'name': 'int46'}}", "did you mean" },
                { "{'cast': {'nope': 'int64'}}", "no column 'nope'" },
                { "{'cast': {'tags': 'int64'}}", "cannot become" },
                { "{'cast': {'name': 'list'}}", "cannot become" },
                { "{'rename': {'name': 'tags'}}", "two columns would be called 'tags'" },
                { "{'columns': 'tags', 'rename': {'name': 'b'}}", "not among the columns kept" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = make (cases[i].with);

      fr_test_input (t, "in", "name: utf8, tags: list<utf8>", "[{'name': 'a'}]");
      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].want) == NULL)
        g_error ("%s: %s", cases[i].with, fr_test_problems (t));
    }
}

static void
test_parse (void)
{
  static const struct
  {
    const char *text;
    gint64 us; /* -1: not a time */
  } times[] = { { "1970-01-01", 0 },
                { "1970-01-01T00:00:01Z", 1000000 },
                { "1970/1/1 0:01", 60000000 },
                { "1970年1月1日 00:00:00.000001", 1 },
                { "1970年1月1日00:01", 60000000 },
                { "2000-02-29T12:00:00-0130", G_GINT64_CONSTANT (951831000000000) },
                { "1970-01-01T00:00:00+08:00", G_GINT64_CONSTANT (-28800000000) },
                { "1970-1-1", -1 },
                { "1900-02-29", -1 },
                { "1970-01-01T", -1 },
                { "1970-01-01 24:00", -1 },
                { "1970-01-0100:00", -1 },
                { "1970-01-01T00:00:00+08:", -1 },
                { "1970", -1 },
                { "", -1 } };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      gint64 us = 0;
      gboolean ok = parse_timestamp (times[i].text, strlen (times[i].text), &us);

      g_test_message ("%s", times[i].text);
      g_assert_cmpint (ok, ==, times[i].us != -1);
      if (ok)
        g_assert_cmpint (us, ==, times[i].us);
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = make (
      "{'columns': ['t', 'n'], 'cast': {'n': 'float64', 't': 'int64'}, 'rename': {'n': 'm'}}");

  fr_test_input (t, "in", "n: int64, t: utf8",
                 "[{'n': 1, 't': '12'}, {'n': 2, 't': 'x'}, {'n': null, 't': null}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/select/parse", test_parse);
  g_test_add_func ("/select/columns", test_columns);
  g_test_add_func ("/select/cast", test_cast);
  g_test_add_func ("/select/problems", test_problems);
  g_test_add_func ("/select/battery", test_battery);
  return g_test_run ();
}
