/* SPDX-License-Identifier: Apache-2.0 */
/* test-quality.c: transform.quality. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#ifdef HAVE_LM
#include "trainers/tune/tiny.h"
#endif

#define PROSE "这款保温杯保温效果很好，早上装的热水晚上还是烫的，物流也很快，包装没有破损。"
#define HANT "這款保溫杯的保溫效果很好，早上裝的熱水晚上還是燙的，物流也很快，包裝沒有破損。"
#define ENGLISH                                                                                    \
  "The cup keeps tea hot for a whole day long, and it came with a small bag that fits it."

#define CHEAP "便宜好用便宜好用便宜好用便宜好用"
#define GOODS "保温杯 水壶 咖啡杯 茶具套装 玻璃杯 餐盒 饭盒 保鲜盒 收纳盒 "

static FrTest *
quality (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-quality.so", NULL);

  return fr_test_new_file (path, "transform.quality", with);
}

static JsonObject *
report_of (FrTest *t)
{
  return json_node_get_object (fr_test_report (t, "quality"));
}

static gint64
fired (FrTest *t, const char *rule)
{
  JsonObject *rules = json_object_get_object_member (report_of (t), "rules");

  return json_object_get_int_member (json_object_get_object_member (rules, rule), "rows");
}

/* One row for a rule: that rule fires, and good rows pass. */
static void
test_rules (void)
{
  static const struct
  {
    const char *rule, *text;
  } cases[] = {
    { "min_characters", "好评" },
    { "min_units", "😀😀 12345678901234" },
    { "max_longest_word", NULL }, /* made below */
    { "max_top_2gram", CHEAP CHEAP CHEAP CHEAP CHEAP CHEAP CHEAP },
    { "max_repeated_characters", CHEAP CHEAP },
    { "max_repeated_5grams", PROSE PROSE PROSE PROSE },
    { "max_repeated_lines", "第一行是这样写的。\\n第一行是这样写的。\\n第一行是这样写的。\\n完" },
    { "max_bullet_lines", "• 保温的杯子一个。\\n• 保冷的杯子一个。\\n• 玻璃的杯子两个。" },
    { "max_ellipsis_lines", "这里写着一件事……\\n那里写着一件事……\\n别处还有一件事……" },
    { "min_alphanumeric", "￥￥￥￥￥￥￥￥￥￥￥￥￥￥￥￥￥好" },
    { "max_symbols", "好看😀😀😀😀😀😀的杯子" },
    { "max_digits", "编号 1234567890123456" },
    { "min_stop_words", GOODS GOODS GOODS GOODS GOODS },
    { "max_short_lines", "杯\\n壶\\n盘\\n碗" },
    { "max_boilerplate", "本站使用 cookie 来改善体验" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = quality ("{'min_mean_line': 0}");
      g_autofree char *long_word = g_strnfill (1001, 'x');
      g_autofree char *rows
          = g_strdup_printf ("[{'text': '%s'}, {'text': '%s'}, {'text': '%s'}]",
                             cases[i].text ? cases[i].text : long_word, PROSE, ENGLISH);

      fr_test_input (t, "in", "text: utf8", rows);
      fr_test_run (t);
      fr_test_expect (t, "out", "[{'text': '" PROSE "'}, {'text': '" ENGLISH "'}]");
      g_assert_cmpuint (fr_test_n_rows (t, "dropped"), ==, 1);
      if (fired (t, cases[i].rule) != 1)
        g_error ("%s did not fire; %s", cases[i].rule, fr_test_output (t, "dropped"));
      g_assert_cmpint (fr_test_counter (t, cases[i].rule), ==, 1);
    }
}

static void
test_dropped (void)
{
  g_autoptr (FrTest) t = quality ("{'languages': ['zh-Hans', 'zh-Hant']}");

  fr_test_input (t, "in", "n: int64, text: utf8",
                 "[{'n': 1, 'text': '" PROSE "'}, {'n': 2, 'text': '" ENGLISH
                 "'}, {'n': 3, 'text': '好'}, {'n': 4, 'text': null}, {'n': 5, 'text': '" HANT
                 "'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'n': 1, 'text': '" PROSE "'}, {'n': 5, 'text': '" HANT "'}]");
  g_assert_nonnull (strstr (fr_test_output (t, "dropped"),
                            "\"quality_rule\":\"language\",\"quality_reason\":\"language en ("));
  g_assert_nonnull (
      strstr (fr_test_output (t, "dropped"),
              "\"text\":\"好\",\"quality_rule\":\"min_characters\","
              "\"quality_reason\":\"characters 1 < 10; units 1 < 3; mean_line 1 < 5\""));
  g_assert_cmpint (fr_test_counter (t, "dropped"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (report_of (t), "failed"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (
                       json_object_get_object_member (report_of (t), "languages"), "zh-Hant"),
                   ==, 1);
}

/* Scores instead: all rows, with the figures asked for. */
static void
test_score (void)
{
  g_autoptr (FrTest) t
      = quality ("{'action': 'score', 'scores': ['characters', 'language', 'rules', 'top_2gram']}");
  g_autoptr (FrTest) all = quality ("{'action': 'score'}");

  fr_test_input (t, "in", "text: utf8", "[{'text': '" ENGLISH "'}, {'text': '好'}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'text': '" ENGLISH
      "', 'quality_characters': 67, 'quality_top_2gram': null, 'quality_language': 'en', "
      "'quality_rules': ''}, {'text': '好', 'quality_characters': 1, "
      "'quality_top_2gram': null, 'quality_language': 'zh-Hans', 'quality_rules': "
      "'min_characters,min_units,min_mean_line'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "dropped"), ==, 0);
  fr_test_input (all, "in", "text: utf8", "[{'text': '" ENGLISH "'}]");
  fr_test_run (all);
  g_assert_nonnull (strstr (fr_test_output (all, "out"), "\"quality_language_confidence\":"));
  g_assert_nonnull (strstr (fr_test_output (all, "out"), "\"quality_repeated_characters\":0"));
  g_assert_null (strstr (fr_test_output (all, "out"), "quality_perplexity"));
}

static void
test_groups (void)
{
  g_autoptr (FrTest) t = quality ("{'rules': ['language'], 'languages': 'en'}");

  fr_test_input (t, "in", "text: utf8", "[{'text': 'ok'}, {'text': '好'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'text': 'ok'}]");
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = { { "{'min_characters': 30, 'max_characters': 20}", "no text could pass" },
                { "{'max_tokens': 100}", "needs a model" },
                { "{'scores': 'perplexity'}", "needs a model" },
                { "{'scores': ['all', 'units']}", "stands alone" },
                { "{'scores': 'top_2gam'}", "did you mean 'top_2gram'" },
                { "{'languages': 'zh'}", "zh-Hans" },
                { "{'columns': 'n'}", "n" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = quality (cases[i].with);

      fr_test_input (t, "in", "text: utf8, n: int64", "[{'text': 'a', 'n': 1}]");
      g_assert_false (fr_test_check (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].want));
    }
}

/* ---- script ------------------------------------------------------------------------ */

static gboolean
without_opencc (void)
{
#ifdef HAVE_OPENCC
  return FALSE;
#else
  g_autoptr (FrTest) t = quality ("{'script': 'simplified'}");

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "needs OpenCC"));
  g_test_skip ("built without OpenCC");
  return TRUE;
#endif
}

static void
test_script (void)
{
  g_autoptr (FrTest) t = NULL, back = NULL;

  if (without_opencc ())
    return;
  t = quality ("{'script': 'simplified', 'rules': 'language', 'columns': ['text', 'more']}");
  fr_test_input (
      t, "in", "text: utf8, more: utf8, note: utf8",
      "[{'text': '頭髮與發現，乾淨', 'more': '這', 'note': '這'}, {'text': '日本語の"
      "學校', 'more': null, 'note': null}, {'text': '已经是简体', 'more': '', 'note': ''}, "
      "{'text': 'no Chinese', 'more': '皇后', 'note': ''}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'text': '头发与发现，干净', 'more': '这', 'note': '這'}, {'text': '日本語の"
      "學校', 'more': null, 'note': null}, {'text': '已经是简体', 'more': '', 'note': ''}, "
      "{'text': 'no Chinese', 'more': '皇后', 'note': ''}]");
  g_assert_cmpint (fr_test_counter (t, "script_rows"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "script_characters"), ==, 8);
  g_assert_cmpint (fr_test_counter (t, "script_left_alone"), ==, 1);
  back = quality ("{'script': 'traditional', 'rules': 'language'}");
  fr_test_input (back, "in", "text: utf8", "[{'text': '头发与发现，皇后在后面'}]");
  fr_test_run (back);
  fr_test_expect (back, "out", "[{'text': '頭髮與發現，皇后在後面'}]");
}

/* OpenCC's strings end at NUL, and text does not. */
static void
test_nul (void)
{
  static const char text[] = "\0頭\0\0髮\0", want[] = "\\u0000头\\u0000\\u0000发\\u0000";
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("text", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrTest) t = NULL;

  if (without_opencc ())
    return;
  t = quality ("{'script': 'simplified', 'rules': 'language'}");
  fr_cells_append_str (fr_builder_cells (builder, 0), text, sizeof text - 1);
  fr_builder_end_row (builder, (FrRowId){ 1, 1, 0 });
  fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
  fr_test_run (t);
  g_assert_nonnull (strstr (fr_test_output (t, "out"), want));
}

/* OpenCC's own tables, character by character and phrase by phrase: what comes out is one of the
 * table's candidates.  The table is of a later release than Debian's library, which has some 280 of
 * its 477 phrases (沈 for 沉 came later), and simplifies rare characters that it now leaves. */
static void
check_table (const char *name, const char *script, double least)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path = g_build_filename (data ? data : ".", "convert-opencc", name, NULL),
                  *text = NULL, *with = NULL;
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("text", FR_TYPE_UTF8, "want", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrTest) t = NULL;
  g_auto (GStrv) lines = NULL, out = NULL;
  guint n = 0, right = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip ("no convert-opencc in FLOWRUN_DATA");
      return;
    }
  with = g_strdup_printf ("{'script': '%s', 'rules': 'language', 'columns': 'text'}", script);
  t = quality (with);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) f = g_strsplit (lines[i], "\t", -1);

      if (*lines[i] == '#' || g_strv_length (f) != 2)
        continue;
      fr_cells_append_str (fr_builder_cells (builder, 0), f[0], strlen (f[0]));
      fr_cells_append_str (fr_builder_cells (builder, 1), f[1], strlen (f[1]));
      fr_builder_end_row (builder, (FrRowId){ ++n, 1, 0 });
      if (fr_builder_full (builder))
        fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
    }
  if (fr_builder_n_rows (builder) > 0)
    fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
  fr_test_run (t);
  out = g_strsplit (fr_test_output (t, "out"), "\n", -1);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (out[i], -1, 0, NULL);
      JsonObject *row = json_node_get_object (node);
      const char *got = json_object_get_string_member (row, "text");
      g_auto (GStrv) want = g_strsplit (json_object_get_string_member (row, "want"), " ", -1);

      right += g_strv_contains ((const char *const *) want, got);
    }
  g_test_message ("%s: %u of %u as the table has it", name, right, n);
  g_assert_cmpfloat ((double) right / n, >=, least);
}

static void
test_tables (void)
{
  if (without_opencc ())
    return;
  check_table ("TSCharacters.txt", "simplified", 0.99);
  check_table ("TSPhrases.txt", "simplified", 0.55);
  check_table ("STCharacters.txt", "traditional", 0.99);
}

/* ---- model ---------------------------------------------------------------------------- */

#ifdef HAVE_LM

static void
test_model (void)
{
  g_autoptr (LmModel) model = tiny_model (3, 0.3);
  g_autoptr (FrTest) t
      = quality ("{'action': 'score', 'rules': 'model', 'scores': ['tokens', "
                 "'perplexity', 'rules'], 'max_tokens': 20, 'backend': 'reference', "
                 "'perplexity_tokens': 64}");
  g_auto (GStrv) lines = NULL;

  fr_test_input_object (t, "model", (FrObject *) model);
  fr_test_input (t, "in", "text: utf8",
                 "[{'text': 'a mad cup'}, {'text': 'an ice cup of tea, and more of it'}, {'text': "
                 "''}, {'text': null}, {'text': 'a mad cup'}]");
  fr_test_input (t, "in", "text: utf8", "[{'text': 'a mad cup'}]");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
  lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
  /* The same text has the same perplexity, about as many as there are tokens for a random model. */
  g_assert_cmpstr (lines[0], ==, lines[4]);
  g_assert_cmpstr (lines[0], ==, lines[5]);
  g_assert_nonnull (strstr (lines[0], "\"quality_tokens\":9,"));
  g_assert_nonnull (strstr (lines[1], "\"quality_rules\":\"max_tokens\""));
  g_assert_nonnull (strstr (lines[2], "\"quality_tokens\":0,\"quality_perplexity\":null"));
  for (guint i = 0; i < 2; i++)
    {
      const char *at = strstr (lines[i], "\"quality_perplexity\":");
      double value;

      g_assert_nonnull (at);
      value = g_ascii_strtod (at + strlen ("\"quality_perplexity\":"), NULL);
      g_assert_cmpfloat (value, >, 20);
      g_assert_cmpfloat (value, <, 20000);
    }
}

static void
test_perplexity_limit (void)
{
  g_autoptr (LmModel) model = tiny_model (3, 0.3);
  g_autoptr (FrTest) t = quality ("{'rules': 'model', 'max_perplexity': 1.5, 'backend': "
                                  "'reference'}");

  fr_test_input_object (t, "model", (FrObject *) model);
  fr_test_input (t, "in", "text: utf8", "[{'text': 'a mad cup'}, {'text': 'x'}, {'text': ''}]");
  fr_test_run (t);
  g_assert_nonnull (
      strstr (fr_test_output (t, "dropped"),
              "\"quality_rule\":\"max_perplexity\",\"quality_reason\":\"perplexity "));
  g_assert_cmpint (fr_test_counter (t, "max_perplexity"), >=, 1);
}

#endif

/* ---- the same, always ------------------------------------------------------------------- */

static void
test_same (void)
{
  char *first[2] = { NULL, NULL };
  static const guint workers[] = { 1, 2, 7 };

  for (guint round = 0; round < G_N_ELEMENTS (workers); round++)
    {
      g_autoptr (FrTest) t = quality ("{'scores': 'all', 'rules': ['length', 'repetition', "
                                      "'symbols']}");
      g_autoptr (FrSchema) schema = fr_schema_new_simple ("t", FR_TYPE_UTF8, NULL);
      g_autoptr (FrBuilder) builder = fr_builder_new (schema);

      for (guint i = 0; i < 5000; i++)
        {
          g_autoptr (GString) text = g_string_new (NULL);

          for (guint k = 0, x = i; k < 5 + i % 60; k++, x = x * 1103515245u + 12345)
            g_string_append_unichar (text, 0x4e00 + (x >> 16) % (i % 3 ? 3000 : 2));
          fr_cells_append_str (fr_builder_cells (builder, 0), text->str, text->len);
          fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
          if (fr_builder_n_rows (builder) == 700)
            fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
        }
      fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
      fr_test_set_workers (t, workers[round]);
      fr_test_run (t);
      g_assert_cmpuint (fr_test_n_rows (t, "dropped"), >, 300);
      if (round == 0)
        {
          first[0] = g_strdup (fr_test_output (t, "out"));
          first[1] = g_strdup (fr_test_output (t, "dropped"));
          continue;
        }
      g_assert_cmpstr (fr_test_output (t, "out"), ==, first[0]);
      g_assert_cmpstr (fr_test_output (t, "dropped"), ==, first[1]);
    }
  g_free (first[0]);
  g_free (first[1]);
}

static void
test_battery (gconstpointer with)
{
  g_autoptr (FrTest) t = quality (with);

  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': '" PROSE "', 'n': 1}, {'text': '茶', 'n': 2}, {'text': '" HANT
                 "', 'n': 3}, {'text': null, 'n': 4}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quality/rules", test_rules);
  g_test_add_func ("/quality/dropped", test_dropped);
  g_test_add_func ("/quality/score", test_score);
  g_test_add_func ("/quality/groups", test_groups);
  g_test_add_func ("/quality/problems", test_problems);
  g_test_add_func ("/quality/script", test_script);
  g_test_add_func ("/quality/script/nul", test_nul);
  g_test_add_func ("/quality/tables", test_tables);
#ifdef HAVE_LM
  g_test_add_func ("/quality/model", test_model);
  g_test_add_func ("/quality/perplexity", test_perplexity_limit);
#endif
  g_test_add_func ("/quality/same", test_same);
  g_test_add_data_func ("/quality/battery/drop", "{'languages': 'zh-Hans'}", test_battery);
  g_test_add_data_func ("/quality/battery/score", "{'action': 'score'}", test_battery);
#ifdef HAVE_OPENCC
  g_test_add_data_func ("/quality/battery/script", "{'script': 'simplified', 'columns': 'text'}",
                        test_battery);
#endif
  return g_test_run ();
}
