/* SPDX-License-Identifier: Apache-2.0 */
/* test-split.c: transform.split. */
#include "config.h"

#include <flowrun/test.h>

#include "text/grams.h"

static FrTest *
split (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-split.so", NULL);

  return fr_test_new_file (path, "transform.split", with);
}

/* Rows of @n with group numbers and a text of their own. */
static FrBatch *
rows (guint from, guint n, guint n_groups)
{
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("g", FR_TYPE_INT64, "t", FR_TYPE_UTF8, "k", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  for (guint i = from; i < from + n; i++)
    {
      g_autofree char *text = g_strdup_printf ("text %u of %u", i, i % n_groups);

      fr_cells_append_int (fr_builder_cells (builder, 0), i % n_groups);
      fr_cells_append_str (fr_builder_cells (builder, 1), text, strlen (text));
      fr_cells_append_str (fr_builder_cells (builder, 2), i % 4 == 0 ? "rare" : "common",
                           i % 4 == 0 ? 4 : 6);
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  return fr_builder_finish (builder, NULL);
}

static gsize
count (FrTest *t, const char *port, const char *what)
{
  gsize n = 0;

  for (const char *p = fr_test_output (t, port); (p = strstr (p, what)) != NULL; p++)
    n++;
  return n;
}

static void
test_sizes (void)
{
  static const struct
  {
    const char *with;
    guint validation, test;
  } cases[] = { { "{}", 100, 0 },
                { "{'validation': 0.2, 'test': 0.05}", 200, 50 },
                { "{'validation': 7, 'test': 1}", 7, 1 },
                { "{'validation': 0, 'test': 0}", 0, 0 },
                { "{'validation': 500, 'test': 500}", 500, 500 },
                { "{'validation': 0.1, 'stratify': 'k'}", 100, 0 },
                { "{'validation': 100, 'test': 150, 'by': 'g'}", 100, 150 },
                { "{'validation': 100, 'test': 150, 'by': 'cluster'}", 100, 150 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = split (cases[i].with);

      fr_test_input_batch (t, "in", rows (0, 600, 200));
      fr_test_input_batch (t, "in", rows (600, 400, 200));
      fr_test_run (t);
      g_test_message ("%s", cases[i].with);
      g_assert_cmpuint (fr_test_n_rows (t, "validation"), ==, cases[i].validation);
      g_assert_cmpuint (fr_test_n_rows (t, "test"), ==, cases[i].test);
      g_assert_cmpuint (fr_test_n_rows (t, "train"), ==,
                        1000 - cases[i].validation - cases[i].test);
      if (strstr (cases[i].with, "stratify") != NULL)
        g_assert_cmpuint (count (t, "validation", "rare"), ==, 25);
    }
}

/* Which side a group is on, over all outputs of one run. */
static void
check_disjoint (FrTest *t)
{
  static const char *const ports[] = { "train", "validation", "test" };
  g_autoptr (GHashTable) side = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint p = 0; p < 3; p++)
    {
      g_auto (GStrv) lines = g_strsplit (fr_test_output (t, ports[p]), "\n", -1);

      for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
        {
          const char *comma = strchr (lines[i], ',');
          char *group = g_strndup (lines[i], (gsize) (comma - lines[i]));
          gpointer known = g_hash_table_lookup (side, group);

          g_assert_true (known == NULL || GPOINTER_TO_UINT (known) == p + 1);
          g_hash_table_insert (side, group, GUINT_TO_POINTER (p + 1));
        }
    }
}

static void
test_disjoint (void)
{
  for (guint seed = 0; seed < 100; seed++)
    {
      g_autoptr (FrTest) t
          = split ("{'validation': 0.2, 'test': 0.1, 'by': 'g', 'leak_check': false}");

      fr_test_input_batch (t, "in", rows (0, 300, 1 + seed));
      fr_test_set_seed (t, seed);
      fr_test_run (t);
      g_assert_cmpuint (fr_test_n_rows (t, "train") + fr_test_n_rows (t, "validation")
                            + fr_test_n_rows (t, "test"),
                        ==, 300);
      g_assert_cmpuint (fr_test_n_rows (t, "validation"), <=, 60);
      check_disjoint (t);
    }
}

static void
test_same_everywhere (void)
{
  g_autofree char *first = NULL;

  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (FrTest) t
          = split ("{'validation': 0.3, 'seed': 5, 'by': 'cluster', 'on_leak': 'move'}");

      for (guint i = 0; i < 20; i++)
        fr_test_input_batch (t, "in", rows (i * 1000, 1000, 300));
      fr_test_set_workers (t, 1 + round * 3);
      fr_test_set_memory (t, round == 2 ? 1 : 1 << 30);
      fr_test_run (t);
      if (round == 0)
        first = g_strdup (fr_test_output (t, "validation"));
      else
        g_assert_cmpstr (fr_test_output (t, "validation"), ==, first);
    }
}

/* Grams that memory cannot hold are compared in parts: the report is the same. */
static void
test_parts (gconstpointer with)
{
  g_autofree char *first = NULL;

  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (FrSchema) schema = fr_schema_new_simple ("t", FR_TYPE_UTF8, NULL);
      g_autoptr (FrBuilder) builder = fr_builder_new (schema);
      g_autoptr (FrTest) t = split (with);
      g_autofree char *report = NULL;

      for (guint i = 0; i < 3000; i++)
        {
          g_autoptr (GString) text = g_string_new (NULL);

          /* Twenty units that one row in three shares with others. */
          for (guint k = 0; k < 20; k++)
            g_string_append_printf (text, "w%u ", (i % 3 ? i + 10000 : i % 60) * 31 + k);
          g_string_append_printf (text, "%u", i);
          fr_cells_append_str (fr_builder_cells (builder, 0), text->str, text->len);
          fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
        }
      fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
      fr_test_set_memory (t, round == 0 ? 1 << 30 : 1);
      fr_test_run (t);
      report = fr_json_to_string (fr_test_report (t, "leak"), 0);
      g_assert_cmpint (
          json_object_get_int_member (json_node_get_object (fr_test_report (t, "leak")), "rows"), >,
          100);
      if (round == 0)
        first = g_steal_pointer (&report);
      else
        g_assert_cmpstr (report, ==, first);
    }
}

#define LONG_A "这个杯子很好看而且用了一个月没有掉色客服也很有耐心"
#define LONG_B "另一款茶壶的出水很顺畅倒茶的时候一点也不会漏出来真的"

/* Twenty rows with one text: wherever the border runs, it is a leak. */
static void
test_leak (void)
{
  static const struct
  {
    const char *with;
    guint validation;
    gint64 leaking;
  } cases[] = { { "{'validation': 5}", 5, 5 },
                { "{'validation': 5, 'on_leak': 'drop'}", 0, 5 },
                { "{'validation': 5, 'on_leak': 'move'}", 0, 5 },
                { "{'validation': 5, 'leak_share': 0.99}", 5, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = split (cases[i].with);
      g_autoptr (GString) json = g_string_new ("[");
      JsonObject *leak;

      /* Each row differs at its end, so no two are the same, but 13-grams are shared. */
      for (guint r = 0; r < 20; r++)
        g_string_append_printf (json, "%s{'t': '%s%c%c'}", r ? "," : "", r % 2 ? LONG_A : LONG_B,
                                'a' + r, 'b' + r);
      g_string_append (json, "]");
      fr_test_input (t, "in", "t: utf8", json->str);
      fr_test_run (t);
      leak = json_node_get_object (fr_test_report (t, "leak"));
      g_test_message ("%s", cases[i].with);
      g_assert_cmpuint (fr_test_n_rows (t, "validation"), ==, cases[i].validation);
      g_assert_cmpint (json_object_get_int_member (leak, "rows"), ==, cases[i].leaking);
      g_assert_cmpint (json_object_get_int_member (leak, "same_text"), ==, 0);
      g_assert_cmpint (json_array_get_length (json_object_get_array_member (leak, "examples")), ==,
                       (int) cases[i].leaking);
    }
}

/* The same texts in many ways: found as equal, or kept together. */
static void
test_leak_same (void)
{
  for (guint cluster = 0; cluster < 2; cluster++)
    {
      g_autoptr (FrTest) t
          = split (cluster ? "{'validation': 0.5, 'by': 'cluster'}" : "{'validation': 0.5}");
      g_autoptr (GString) json = g_string_new ("[");
      JsonObject *leak;

      for (guint r = 0; r < 40; r++)
        g_string_append_printf (json, "%s{'t': '%s %u'}", r ? "," : "", r < 20 ? "短文" : "短文 ",
                                r % 20);
      g_string_append (json, "]");
      fr_test_input (t, "in", "t: utf8", json->str);
      fr_test_run (t);
      leak = json_node_get_object (fr_test_report (t, "leak"));
      if (cluster)
        g_assert_cmpint (json_object_get_int_member (leak, "rows"), ==, 0);
      else
        g_assert_cmpint (json_object_get_int_member (leak, "same_text"), >, 0);
      g_assert_cmpint (json_object_get_int_member (leak, "shared_13_grams"), ==, 0);
    }
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = { { "{'by': 'grp'}", "no column" },
                { "{'validation': 1.5}", "neither" },
                { "{'validation': 0.5, 'test': 0.5}", "nothing is left" },
                { "{'leak_check': false, 'on_leak': 'move'}", "no effect" },
                { "{'stratify': 'kk'}", "kk" } };
  g_autoptr (FrTest) big = split ("{'validation': 9}");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = split (cases[i].with);

      fr_test_input (t, "in", "g: int64, t: utf8, k: utf8", "[{'t': 'a'}]");
      g_assert_false (fr_test_check (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].want));
    }
  fr_test_input (big, "in", "t: utf8", "[{'t': 'a'}]");
  fr_test_run_error (big, FR_ERROR_CONFIG, "ask for 9");
}

static void
count_gram (guint64 gram, gpointer data)
{
  (void) gram;
  ++*(guint *) data;
}

static void
last_gram (guint64 gram, gpointer data)
{
  *(guint64 *) data = gram;
}

static void
test_grams (void)
{
  static const struct
  {
    const char *text;
    guint n;
  } cases[] = { { "", 0 },
                { "一二三四五六七八九十百千", 0 },
                { "一二三四五六七八九十百千万", 1 },
                { "一二三，四五六。七八九\n十百千万亿", 2 },
                { "a b c d e f g h i j k l m", 1 },
                { "one-two three four five six seven eight nine ten eleven twelve", 0 },
                { "one-two three four five six seven eight nine ten eleven twelve x3", 1 },
                { "用 iPhone 拍了一张很好看的照片啊", 1 } };
  guint64 here = 0, there = 1;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint n = 0;

      text_grams ((FrStr){ cases[i].text, strlen (cases[i].text) }, TEXT_GRAM_UNITS, count_gram, &n);
      g_assert_cmpuint (n, ==, cases[i].n);
    }
  /* A gram is the same wherever it stands: the roll forgets what went before. */
  text_grams (FR_STR ("甲乙丙丁戊己庚辛壬癸一二三四五六七八九十百千万"), TEXT_GRAM_UNITS, last_gram, &here);
  text_grams (FR_STR ("一二三四五六七八九十百千万"), TEXT_GRAM_UNITS, last_gram, &there);
  g_assert_cmpuint (here, ==, there);
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = split ("{'validation': 0.4, 'by': 'cluster'}");

  fr_test_input (t, "in", "t: utf8, n: int64",
                 "[{'t': 'a', 'n': 1}, {'t': '茶', 'n': 2}, {'t': 'A', 'n': 3}, {'t': null, 'n': "
                 "4}, {'t': 'b', 'n': 5}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/split/grams", test_grams);
  g_test_add_func ("/split/sizes", test_sizes);
  g_test_add_func ("/split/disjoint", test_disjoint);
  g_test_add_func ("/split/same-everywhere", test_same_everywhere);
  g_test_add_data_func ("/split/leak/parts", "{'validation': 0.3, 'leak_share': 0.2}", test_parts);
  g_test_add_data_func ("/split/leak/parts-moved", "{'validation': 0.3, 'on_leak': 'move'}",
                        test_parts);
  g_test_add_func ("/split/leak/grams", test_leak);
  g_test_add_func ("/split/leak/same", test_leak_same);
  g_test_add_func ("/split/problems", test_problems);
  g_test_add_func ("/split/battery", test_battery);
  return g_test_run ();
}
