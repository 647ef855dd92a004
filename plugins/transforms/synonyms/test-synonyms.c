/* SPDX-License-Identifier: Apache-2.0 */
/* test-synonyms.c: transform.synonyms. */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

#include "lexicon.h"
#include "text/augment.h"

static FrTest *
synonyms (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-synonyms.so", NULL);

  return fr_test_new_file (path, "transform.synonyms", with);
}

static guint
count (const char *text, const char *piece)
{
  guint n = 0;

  for (; (text = strstr (text, piece)) != NULL; text += strlen (piece))
    n++;
  return n;
}

static void
test_table (void)
{
  g_autoptr (FrTest) t
      = synonyms ("{'domain': 'none', 'table': {'优惠': ['折扣'], 'Cheap': ['low-priced']}, "
                  "'variants': 1, 'rate': 1}");
  const char *out;

  fr_test_input (t, "in", "input: utf8, output: utf8",
                 "[{'input': '今天有优惠', 'output': '优惠'}, {'input': '没有', 'output': 'x'}, "
                 "{'input': null}, {'input': 'a CHEAP cup', 'output': ''}]");
  fr_test_run (t);
  out = fr_test_output (t, "out");
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
  /* Only input changes; the variant follows its parent. */
  g_assert_nonnull (strstr (
      out, "{\"input\":\"今天有优惠\",\"output\":\"优惠\",\"cluster\":\"feed_0:1\",\"parent\":null,"
           "\"variant\":0,\"changes\":null}\n"
           "{\"input\":\"今天有折扣\",\"output\":\"优惠\",\"cluster\":\"feed_0:1\",\"parent\":"
           "\"feed_0:1\","
           "\"variant\":1,\"changes\":\"优惠→折扣\"}\n"));
  g_assert_nonnull (strstr (out, "\"a low-priced cup\""));
  g_assert_cmpint (fr_test_counter (t, "variants"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "rows_without"), ==, 2);
}

/* Distinct, never the parent, and as many as there can be. */
static void
test_distinct (void)
{
  g_autoptr (FrTest) t = synonyms ("{'domain': 'none', 'table': {'优惠': ['折扣', '特价'], '立即': "
                                   "['马上']}, 'variants': 20, 'rate': 0.3, 'originals': false}");
  g_auto (GStrv) lines = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  fr_test_input (t, "in", "input: utf8", "[{'input': '立即 领取 优惠'}]");
  fr_test_run (t);
  lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      *strstr (lines[i], "\",\"cluster") = '\0';
      g_assert_true (g_hash_table_add (seen, lines[i]));
      g_assert_cmpstr (lines[i], !=, "{\"input\":\"立即 领取 优惠");
    }
  /* One of three words at a time. */
  g_assert_cmpuint (g_hash_table_size (seen), ==, 3);
  g_assert_cmpint (fr_test_counter (t, "variants_missing"), ==, 17);
  g_assert_cmpint (fr_test_counter (t, "dropped_same"), >, 0);
}

static void
test_protected (void)
{
  g_autoptr (FrTest) t = synonyms (
      "{'domain': 'none', 'table': {'优惠': ['折扣'], '好看': ['不丑'], '元': ['块'], '小米': "
      "['大米'], '特价': ['优惠'], '美的': ['漂亮的']}, 'variants': 3, 'rate': 1, 'terms': "
      "['优惠宝', "
      "'小米'], 'term_columns': 'brand'}");

  fr_test_input (t, "in", "input: utf8, brand: utf8",
                 "[{'input': '优惠宝 小米 5 元 {优惠} <优惠> [优惠活动]', 'brand': ''}, "
                 "{'input': '好看', 'brand': null}, {'input': '优惠 特价', 'brand': 'x'}, "
                 "{'input': '美的 空调', 'brand': '美的'}]");
  fr_test_run (t);
  g_assert_null (strstr (fr_test_output (t, "out"), "大米"));
  g_assert_null (strstr (fr_test_output (t, "out"), "不丑"));
  g_assert_null (strstr (fr_test_output (t, "out"), "漂亮的"));
  g_assert_null (strstr (fr_test_output (t, "out"), "5 块"));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "折扣 优惠"));
  g_assert_cmpint (fr_test_counter (t, "dropped_negation"), >, 0);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 5);
}

/* What stands there already is not said twice. */
static void
test_beside (void)
{
  g_autoptr (FrTest) t
      = synonyms ("{'domain': 'none', 'table': {'优惠': ['特价']}, 'variants': 1}");

  fr_test_input (t, "in", "input: utf8", "[{'input': '特价优惠'}]");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "dropped_beside"), >, 0);
}

static void
test_columns (void)
{
  g_autoptr (FrTest) t = synonyms ("{'columns': ['input', 'output'], 'domain': 'none', 'table': "
                                   "{'优惠': ['折扣']}, 'variants': 1, 'rate': 1}");

  fr_test_input (t, "in", "input: utf8, output: utf8, cluster: utf8",
                 "[{'input': '有优惠', 'output': '优惠', 'cluster': 'k'}]");
  fr_test_run (t);
  g_assert_nonnull (
      strstr (fr_test_output (t, "out"),
              "{\"input\":\"有折扣\",\"output\":\"折扣\",\"cluster\":\"k\",\"parent\":"
              "\"feed_0:1\",\"variant\":1,\"changes\":\"input: 优惠→折扣；output: "
              "优惠→折扣\"}"));
}

/* Rows that went through an augmenter before keep what it said; their variants have ids of their
 * own. */
static void
test_again (void)
{
  g_autoptr (FrTest) t
      = synonyms ("{'domain': 'none', 'table': {'优惠': ['折扣']}, 'variants': 1, 'rate': 1}");

  fr_test_input (t, "in", "input: utf8, cluster: utf8, parent: utf8, variant: int64, changes: utf8",
                 "[{'input': '大优惠', 'cluster': 'a:1', 'parent': 'a:1', 'variant': 2, 'changes': "
                 "'小→大'}, {'input': '无', 'cluster': null, 'parent': null, 'variant': null, "
                 "'changes': null}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'input': '大优惠', 'cluster': 'a:1', 'parent': 'a:1', 'variant': 2, 'changes': "
      "'小→大'}, {'input': '大折扣', 'cluster': 'a:1', 'parent': 'feed_0:1', 'variant': 1, "
      "'changes': '优惠→折扣'}, {'input': '无', 'cluster': 'feed_0:2', 'parent': null, "
      "'variant': 0, 'changes': null}]");
}

static void
write_file (FrTest *t, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_wordnet (void)
{
  g_autoptr (FrTest) t
      = synonyms ("{'domain': 'none', 'synonyms': ['net.tab', 'list.txt'], 'dictionary': 'dict', "
                  "'variants': 9, 'rate': 1, 'originals': false}");

  write_file (
      t, "dict",
      "汽车 1000 n\n轿车 500 n\n机动车 10 n\n快 900 a\n迅速 800 ad\n迅捷 700 a\n开 900 v\n"
      "打开 600 v\n建议 500 n\n提议 400 v\n多义 300 n\n多一 300 n\n单车 300 n\n自行车 400 n\n");
  write_file (t, "net.tab",
              "# a wordnet\tcmn\n"
              "00000001-n\tcmn:lemma\t汽车\n00000001-n\tcmn:lemma\t轿+车\n"
              "00000001-n\tcmn:lemma\t机动车\n00000001-n\tcmn:lemma\t摩的\n"
              "00000001-n\tcmn:def\t四个轮子\n"
              "00000002-v\tcmn:lemma\t开\n00000002-v\tcmn:lemma\t打开\n"
              "00000003-n\tcmn:lemma\t建议\n00000003-n\tcmn:lemma\t提议\n"
              "00000004-n\tcmn:lemma\t多义\n00000004-n\tcmn:lemma\t多一\n"
              "00000005-n\tcmn:lemma\t多义\n00000006-n\tcmn:lemma\t多义\n"
              "00000007-a\tcmn:lemma\t迅捷的\n00000007-a\tcmn:lemma\t快\n");
  write_file (t, "list.txt", "单车\t自行车，脚踏车\n");
  fr_test_input (t, "in", "input: utf8", "[{'input': '汽车 开 建议 多义 单车'}]");
  fr_test_run (t);
  /* 机动车 is too rare, 摩的 unknown; 开 is short; 提议 is a verb; 多义 has three senses. */
  g_assert_cmpuint (count (fr_test_output (t, "out"), "轿车 开 建议 多义 自行车\""), ==, 1);
  g_assert_cmpuint (count (fr_test_output (t, "out"), "轿车 开 建议 多义 脚踏车\""), ==, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "passed_rare"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "passed_unknown"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "passed_short"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "passed_part_of_speech"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "passed_senses"), ==, 1);
}

static void
test_same_everywhere (void)
{
  g_autofree char *first = NULL;

  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (FrTest) t = synonyms ("{'variants': 3, 'rate': 0.5}");

      for (guint i = 0; i < 30; i++)
        fr_test_input (t, "in", "input: utf8",
                       "[{'input': '限时优惠，立即购买，非常舒适'}, {'input': '快递发货很快'}]");
      fr_test_set_workers (t, 1 + round * 3);
      fr_test_run (t);
      if (round == 0)
        first = g_strdup (fr_test_output (t, "out"));
      else
        g_assert_cmpstr (fr_test_output (t, "out"), ==, first);
    }
  g_assert_nonnull (strstr (first, "限时→"));
}

static void
test_seed (void)
{
  g_autoptr (FrTest) a = synonyms ("{'variants': 1, 'rate': 0.3}");
  g_autoptr (FrTest) b = synonyms ("{'variants': 1, 'rate': 0.3}");

  for (guint i = 0; i < 8; i++)
    {
      fr_test_input (a, "in", "input: utf8", "[{'input': '限时优惠，立即购买，非常舒适'}]");
      fr_test_input (b, "in", "input: utf8", "[{'input': '限时优惠，立即购买，非常舒适'}]");
    }
  fr_test_set_seed (b, 7);
  fr_test_run (a);
  fr_test_run (b);
  g_assert_cmpstr (fr_test_output (a, "out"), !=, fr_test_output (b, "out"));
}

/* The compiled-in list: well formed, no line that protects itself, no synonym that changes a number
 * or a negation. */
static void
test_domain (void)
{
  const char *const *lines = lexicon_domain ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TextKeeper) keeper = text_keeper_new (NULL, NULL, &error);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = 0;

  g_assert_no_error (error);
  for (; lines[n] != NULL; n++)
    {
      g_auto (GStrv) sides = g_strsplit (lines[n], "=", -1);
      g_auto (GStrv) words = NULL;

      g_assert_cmpuint (g_strv_length (sides), ==, 2);
      g_assert_true (g_hash_table_add (seen, g_strdup (sides[0])));
      words = g_strsplit (sides[1], ",", -1);
      for (guint i = 0; words[i] != NULL; i++)
        {
          g_assert_cmpstr (words[i], !=, sides[0]);
          g_assert_cmpint (*words[i], !=, '\0');
          if (strcmp (words[i], "与众不同") == 0 || strcmp (words[i], "不易磨损") == 0)
            continue;
          if (text_keeper_judge (keeper, (FrStr){ sides[0], strlen (sides[0]) },
                                 (FrStr){ words[i], strlen (words[i]) }, NULL, 0, NULL)
              != TEXT_KEEP_N)
            g_error ("%s: %s would always be dropped", sides[0], words[i]);
        }
    }
  g_assert_cmpuint (n, >, 100);
}

static void
test_lists (void)
{
  static const struct
  {
    const char *text, *want;
  } cases[] = { { "好看=漂亮\n好看\n", "list:2: this is no line of a synonym list" },
                { "\t漂亮\n", "list:1:" },
                { "好看=\n", "list:1:" },
                { "a=b\n\xff=c\n", "list:2:" },
                { "00000001-n\tcmn:lemma\n", "list:1:" } };
  g_autoptr (Lexicon) good = lexicon_new ();
  g_autoptr (GError) error = NULL;
  gsize ends[] = { 3, 6, 9 }, len = 0;
  const Entry *entry;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Lexicon) l = lexicon_new ();
      g_autoptr (GError) failed = NULL;

      g_assert_false (lexicon_read (l, "list", cases[i].text, strlen (cases[i].text), &failed));
      g_assert_error (failed, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_str_has_prefix (failed->message, cases[i].want));
    }
  g_assert_true (lexicon_add (good, FROM_TABLE, FR_STR ("优惠"), FR_STR ("折扣")));
  g_assert_false (lexicon_add (good, FROM_TABLE, FR_STR ("优惠"), FR_STR (" 优惠 ")));
  g_assert_false (lexicon_add (good, FROM_TABLE, FR_STR (""), FR_STR ("x")));
  g_assert_true (lexicon_read (good, "list", "\xef\xbb\xbf# x\n\n优惠=别的\n优惠券=a,b、c；a\n",
                               strlen ("\xef\xbb\xbf# x\n\n优惠=别的\n优惠券=a,b、c；a\n"),
                               &error));
  g_assert_no_error (error);
  g_assert_true (lexicon_ready (good, &error));
  entry = lexicon_at (good, FR_STR ("优惠券"), 0, ends, 3, &len);
  g_assert_cmpuint (len, ==, 9);
  g_assert_cmpuint (entry->n, ==, 3);
  entry = lexicon_at (good, FR_STR ("优惠券"), 0, ends, 2, &len);
  g_assert_cmpuint (len, ==, 6);
  g_assert_cmpuint (entry->n, ==, 1);
  g_assert_null (lexicon_at (good, FR_STR ("优惠券"), 0, ends, 1, &len));
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *columns, *want;
  } cases[] = {
    { "{'domain': 'none'}", "input: utf8", "no word has a synonym" },
    { "{'user_dictionary': 'x'}", "input: utf8", "give 'dictionary' too" },
    { "{}", "text: utf8", "there is no column 'input'" },
    { "{}", "input: utf8, parent: int64", "a column 'parent' that is no augmenter's" },
    { "{}", "input: utf8, changes: int64", "a column 'changes' that is not text" },
    { "{'table': {'a': 'b'}}", "input: utf8", "table" },
  };
  g_autoptr (FrTest) missing = synonyms ("{'synonyms': 'nowhere.txt'}");
  g_autoptr (FrTest) bad = synonyms ("{'synonyms': 'bad.txt'}");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = synonyms (cases[i].with);

      fr_test_input (t, "in", cases[i].columns, "[]");
      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].want) == NULL)
        g_error ("'%s' is not in: %s", cases[i].want, fr_test_problems (t));
    }
  fr_test_input (missing, "in", "input: utf8", "[{'input': 'x'}]");
  fr_test_run_error (missing, FR_ERROR_IO, "nowhere.txt");
  write_file (bad, "bad.txt", "x=y\nz\n");
  fr_test_input (bad, "in", "input: utf8", "[{'input': 'x'}]");
  fr_test_run_error (bad, FR_ERROR_DATA, "bad.txt:2:");
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = synonyms ("{'variants': 2, 'rate': 0.5}");

  fr_test_input (t, "in", "input: utf8, n: int64",
                 "[{'input': '限时优惠，立即购买', 'n': 1}, {'input': null, 'n': 2}, {'input': "
                 "'非常舒适', 'n': 3}, {'input': '', 'n': 4}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/synonyms/table", test_table);
  g_test_add_func ("/synonyms/distinct", test_distinct);
  g_test_add_func ("/synonyms/protected", test_protected);
  g_test_add_func ("/synonyms/beside", test_beside);
  g_test_add_func ("/synonyms/columns", test_columns);
  g_test_add_func ("/synonyms/again", test_again);
  g_test_add_func ("/synonyms/wordnet", test_wordnet);
  g_test_add_func ("/synonyms/same-everywhere", test_same_everywhere);
  g_test_add_func ("/synonyms/seed", test_seed);
  g_test_add_func ("/synonyms/domain", test_domain);
  g_test_add_func ("/synonyms/lists", test_lists);
  g_test_add_func ("/synonyms/problems", test_problems);
  g_test_add_func ("/synonyms/battery", test_battery);
  return g_test_run ();
}
