/* SPDX-License-Identifier: Apache-2.0 */
/* test-text.c: evaluator.text on columns and on tiny random models: scores, comparison, leaks,
 * limits, bad input. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#include "text/score.h"
#include "trainers/tune/tiny.h"

#define COLUMNS "input: utf8, output: utf8, generated: utf8, old: utf8, kind: utf8"
#define ROWS                                                                                       \
  "[{'input': 'q1', 'output': 'the cat sat on the mat today', 'generated': 'the cat sat on the "   \
  "mat', 'old': 'dogs', 'kind': 'x'},"                                                             \
  " {'input': 'q2', 'output': 'a green cup of tea', 'generated': 'a green cup of tea', 'old': 'a " \
  "cup of green tea', 'kind': 'y'},"                                                               \
  " {'input': 'q3', 'output': 'one two three four five', 'generated': '<think>hm</think>one two "  \
  "three', 'old': 'one two three four five', 'kind': 'x'},"                                        \
  " {'input': 'q4', 'output': null, 'generated': 'x', 'old': 'y', 'kind': 'x'},"                   \
  " {'input': 'q5', 'output': '  ', 'generated': 'x', 'old': 'y', 'kind': 'x'},"                   \
  " {'input': 'q6', 'output': 'all right then', 'generated': null, 'old': 'y', 'kind': 'x'}]"
#define QUICK "'resamples': 200"
#define ANSWER "'backend': 'reference', 'type': 'f32', 'max_tokens': 6, " QUICK

static FrTest *
new_test (const char *with)
{
  g_autofree char *plugin
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "evaluator-text.so", NULL);
  FrTest *t = fr_test_new_file (plugin, "evaluator.text", with);

  fr_test_set_seed (t, 5);
  return t;
}

static FrTest *
scored (const char *with)
{
  FrTest *t = new_test (with);

  fr_test_input (t, "in", COLUMNS, ROWS);
  fr_test_run (t);
  g_assert_true (fr_views_check (fr_test_report (t, "views"), NULL));
  return t;
}

static JsonObject *
report_of (FrTest *t)
{
  JsonNode *node = fr_test_report (t, "text");

  g_assert_nonnull (node);
  return json_node_get_object (node);
}

static JsonObject *
score_of (FrTest *t, const char *name)
{
  JsonObject *scores = json_object_get_object_member (report_of (t), "scores");

  g_assert_true (json_object_has_member (scores, name));
  return json_object_get_object_member (scores, name);
}

static double
value_of (FrTest *t, const char *name)
{
  return json_object_get_double_member (score_of (t, name), "value");
}

static double
part_of (FrTest *t, const char *name, const char *part)
{
  return json_object_get_double_member (json_object_get_object_member (score_of (t, name), part),
                                        "value");
}

static JsonObject *
row_of (FrTest *t, guint i)
{
  g_auto (GStrv) lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
  g_autoptr (JsonNode) node = NULL;

  g_assert_cmpuint (i, <, g_strv_length (lines));
  node = fr_json_parse (lines[i], -1, 0, NULL);
  return json_object_ref (json_node_get_object (node));
}

/* ---- columns ----------------------------------------------------------------------------------
 */

static void
test_columns (void)
{
  g_autoptr (FrTest) t = scored ("{" QUICK "}");
  g_autoptr (JsonObject) last = row_of (t, 2);

  g_assert_cmpint (json_object_get_int_member (report_of (t), "rows"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (report_of (t), "rejected"), ==, 3);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "the reference is missing"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "the reference is empty"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "no_candidate"));
  /* sacrebleu.corpus_bleu / corpus_chrf of the three, without the reasoning */
  g_assert_cmpfloat (fabs (value_of (t, "bleu") - 80.71177470053898), <, 1e-9);
  g_assert_cmpfloat (fabs (value_of (t, "chrf") - 76.54625141150862), <, 1e-9);
  g_assert_cmpfloat (fabs (value_of (t, "exact") - 1.0 / 3), <, 1e-9);
  g_assert_cmpfloat (fabs (value_of (t, "think") - 1.0 / 3), <, 1e-9);
  g_assert_cmpfloat (value_of (t, "think_open"), ==, 0);
  g_assert_cmpstr (json_object_get_string_member (last, "candidate"), ==, "one two three");
  g_assert_cmpstr (json_object_get_string_member (report_of (t), "tokenize"), ==, "13a");
  g_assert_false (json_object_has_member (last, "baseline"));
  g_assert_false (json_object_has_member (last, "leak"));
  g_assert_nonnull (fr_test_output_object (t, "report"));
}

/* A row's own scores are those of a scorer by itself. */
static void
test_rows (void)
{
  g_autoptr (FrTest) t = scored ("{" QUICK ", 'baseline': 'old'}");
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;
  gsize n;
  const TextFigure *figures;
  g_autofree double *stats = NULL, *values = NULL;

  text_score_options_init (&options);
  scorer = text_scorer_new (&options, NULL);
  stats = g_new0 (double, text_scorer_n_stats (scorer));
  figures = text_scorer_figures (scorer, &n);
  values = g_new0 (double, n);
  for (guint row = 0; row < 3; row++)
    {
      g_autoptr (JsonObject) o = row_of (t, row);
      const char *text = json_object_get_string_member (o, "candidate");
      const char *reference = json_object_get_string_member (o, "reference");
      FrStr right = { reference, strlen (reference) };

      text_scorer_row (scorer, (FrStr){ text, strlen (text) }, &right, 1, stats);
      text_scorer_values (scorer, stats, TEXT_SCORE_ROW, values);
      for (gsize i = 0; i < n; i++)
        if (figures[i].headline)
          g_assert_cmpfloat (fabs (json_object_get_double_member (o, figures[i].name) - values[i]),
                             <, 1e-12);
      g_assert_cmpfloat (fabs (json_object_get_double_member (o, "gain")
                               - (json_object_get_double_member (o, "chrf")
                                  - json_object_get_double_member (o, "baseline_chrf"))),
                         <, 1e-12);
    }
}

static void
test_compare (void)
{
  g_autoptr (FrTest) t = scored ("{" QUICK ", 'baseline': 'old', 'by': 'kind'}");
  g_autoptr (FrTest) old = scored ("{" QUICK ", 'candidate': 'old'}");
  JsonObject *gain = json_object_get_object_member (score_of (t, "chrf"), "gain");
  JsonArray *slices = json_object_get_array_member (
      json_object_get_object_member (report_of (t), "slices"), "kind");

  /* Row 6 has no candidate: it is scored in the second alone. */
  g_assert_cmpint (json_object_get_int_member (report_of (old), "rows"), ==, 4);
  g_assert_cmpfloat (fabs (json_object_get_double_member (gain, "value")
                           - (value_of (t, "chrf") - part_of (t, "chrf", "baseline"))),
                     <, 1e-9);
  g_assert_cmpfloat (json_object_get_double_member (gain, "low"), <=,
                     json_object_get_double_member (gain, "high"));
  g_assert_cmpfloat (json_object_get_double_member (gain, "p"), >, 0);
  g_assert_cmpfloat (json_object_get_double_member (gain, "p"), <=, 1);
  g_assert_cmpuint (json_array_get_length (slices), ==, 2);
  g_assert_cmpint (json_object_get_int_member (json_array_get_object_element (slices, 0), "rows"),
                   ==, 2);
}

static void
test_beside (void)
{
  g_autoptr (FrTest) t = new_test ("{" QUICK ", 'candidate': 'text'}");
  g_autoptr (FrTest) few = new_test ("{" QUICK ", 'candidate': 'text'}");
  g_autoptr (FrTest) many = new_test ("{" QUICK ", 'candidate': 'text'}");
  const char *in = "[{'reference': 'a b c d'}, {'reference': 'e f g h'}]";

  fr_test_input (t, "in", "reference: utf8", in);
  fr_test_input (t, "candidates", "text: utf8", "[{'text': 'a b c d'}]");
  fr_test_input (t, "candidates", "text: utf8", "[{'text': 'e f g h'}]");
  fr_test_run (t);
  g_assert_cmpfloat (fabs (value_of (t, "bleu") - 100), <, 1e-9);
  fr_test_input (few, "in", "reference: utf8", in);
  fr_test_input (few, "candidates", "text: utf8", "[{'text': 'a b c d'}]");
  fr_test_run_error (few, FR_ERROR_DATA, "'in' has 2 rows and 'candidates' has 1;");
  fr_test_input (many, "in", "reference: utf8", in);
  fr_test_input (many, "candidates", "text: utf8", "[{'text': 'a'}, {'text': 'b'}, {'text': 'c'}]");
  fr_test_run_error (many, FR_ERROR_DATA, "as many");
}

/* Short runs between digits and Latin names are Chinese nevertheless. */
static void
test_chinese_mixed (void)
{
  static const struct
  {
    const char *reference, *tokenize;
  } cases[] = { { "清晨的第5口茶，刚刚好。", "zh" },
                { "iPhone 15 保护壳，防摔 2 米", "zh" },
                { "Write to 王明 about the kettle", "13a" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_test ("{" QUICK "}");
      g_autofree char *rows = g_strdup_printf ("[{'input': 'q', 'output': '%s', 'generated': 'x'}]",
                                               cases[i].reference);

      fr_test_input (t, "in", "input: utf8, output: utf8, generated: utf8", rows);
      fr_test_run (t);
      g_assert_cmpstr (json_object_get_string_member (report_of (t), "tokenize"), ==,
                       cases[i].tokenize);
    }
}

static void
test_chinese (void)
{
  g_autoptr (FrTest) t = new_test ("{" QUICK "}");
  g_autoptr (FrTest) english = new_test ("{" QUICK ", 'tokenize': '13a'}");
  const char *rows = "[{'input': '写', 'output': '这款保温杯采用优质不锈钢', 'generated': "
                     "'这款保温杯用优质不锈钢制成'}]";

  fr_test_input (t, "in", "input: utf8, output: utf8, generated: utf8", rows);
  fr_test_run (t);
  g_assert_cmpstr (json_object_get_string_member (report_of (t), "tokenize"), ==, "zh");
  g_assert_cmpfloat (value_of (t, "rouge1_f"), >, 0.7);
  g_assert_cmpfloat (value_of (t, "bleu"), >, 50);
  g_assert_cmpfloat (value_of (t, "unsuited"), ==, 0);
  fr_test_input (english, "in", "input: utf8, output: utf8, generated: utf8", rows);
  fr_test_run (english);
  /* Nothing to see, and it is said. */
  g_assert_cmpfloat (value_of (english, "rouge1_f"), ==, 0);
  g_assert_cmpfloat (value_of (english, "unsuited"), ==, 1);
}

/* ---- leaks --------------------------------------------------------------------------------------
 */

static void
test_leaks (void)
{
  g_autoptr (FrTest) t = new_test ("{" QUICK ", 'fail_over': {'leak': 0.5}}");
  g_autoptr (JsonObject) one = NULL, two = NULL, three = NULL, four = NULL;
  JsonObject *leak;

  fr_test_input (
      t, "in", "input: utf8, output: utf8, generated: utf8",
      "[{'input': 'q1', 'output': 'The same  text', 'generated': 'x'},"
      " {'input': 'q2', 'output': 'a b c d e f g h i j k l m n o p q r s t u v w x y z', "
      "'generated': 'x'},"
      " {'input': 'q3', 'output': 'aa bb cc dd ee ff gg hh ii jj kk', 'generated': 'x'},"
      " {'input': 'q4', 'output': 'this one is nowhere else at all', 'generated': 'x'}]");
  fr_test_input (t, "train", "input: utf8, output: utf8",
                 "[{'input': 'Q4', 'output': 'the same text'},"
                 " {'input': 'z', 'output': 'a b c d e f g h i j k l m 1 2 3 4 5 6 7 8 9'},"
                 " {'input': 'z', 'output': 'aa bb cc dd ee ff gg hh ii jj kk ll'}]");
  fr_test_run (t);
  leak = json_object_get_object_member (report_of (t), "leak");
  g_assert_cmpint (json_object_get_int_member (leak, "rows"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (leak, "same_text"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (leak, "shared_13_grams"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (leak, "near"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (leak, "same_question"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (leak, "training_rows"), ==, 3);
  one = row_of (t, 0);
  two = row_of (t, 1);
  three = row_of (t, 2);
  four = row_of (t, 3);
  g_assert_cmpstr (json_object_get_string_member (one, "leak"), ==, "same");
  g_assert_cmpstr (json_object_get_string_member (two, "leak"), ==, "13-grams");
  g_assert_cmpstr (json_object_get_string_member (three, "leak"), ==, "near");
  g_assert_true (json_object_get_null_member (four, "leak"));
  g_assert_cmpfloat (json_object_get_double_member (three, "leak_near"), ==, 0.9);
  g_assert_true (json_object_get_boolean_member (
      json_array_get_object_element (json_object_get_array_member (report_of (t), "limits"), 0),
      "passed"));
}

/* ---- models -------------------------------------------------------------------------------------
 */

#define ASK                                                                                        \
  "[{'input': 'red', 'output': 'a red cup'}, {'input': ' ', 'output': 'nobody asked'},"            \
  " {'input': 'blue', 'output': 'a blue cup'}, {'input': 'old', 'output': 'an old cup'}]"

static FrTest *
answered (const char *with, LmModel *model, LmModel *baseline)
{
  FrTest *t = new_test (with);

  fr_test_input (t, "in", "input: utf8, output: utf8", ASK);
  fr_test_input_object (t, "model", (FrObject *) model);
  if (baseline != NULL)
    fr_test_input_object (t, "baseline", (FrObject *) baseline);
  fr_test_run (t);
  g_assert_true (fr_views_check (fr_test_report (t, "views"), NULL));
  return t;
}

static void
test_models (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3), other = tiny_model (2, 0.3);
  g_autoptr (FrTest) t = answered ("{" ANSWER "}", model, other);
  g_autoptr (FrTest) alone = answered ("{" ANSWER ", 'batch': 1}", other, NULL);
  JsonObject *settings = json_object_get_object_member (report_of (t), "candidate");

  g_assert_cmpint (json_object_get_int_member (report_of (t), "rows"), ==, 3);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "no_prompt"));
  g_assert_cmpfloat (json_object_get_double_member (settings, "temperature"), ==, 0);
  g_assert_cmpint (json_object_get_int_member (settings, "max_tokens"), ==, 6);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (JsonObject) both = row_of (t, i), one = row_of (alone, i);

      /* The same answers beside another model as alone, and in batches as one by one. */
      g_assert_cmpstr (json_object_get_string_member (both, "baseline"), ==,
                       json_object_get_string_member (one, "candidate"));
      g_assert_cmpstr (json_object_get_string_member (both, "stop_reason"), ==, "length");
    }
  g_assert_cmpfloat (value_of (t, "cut_off"), ==, 1);
  g_assert_cmpfloat (part_of (t, "chrf", "baseline"), ==, value_of (alone, "chrf"));
}

static void
test_samples (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t = answered ("{" ANSWER ", 'temperature': 1, 'samples': 4}", model, NULL);
  g_autoptr (FrTest) again
      = answered ("{" ANSWER ", 'temperature': 1, 'samples': 4, 'batch': 2}", model, NULL);
  g_autoptr (FrTest) greedy = answered ("{" ANSWER ", 'samples': 4}", model, NULL);
  JsonObject *over = json_object_get_object_member (
      json_object_get_object_member (json_object_get_object_member (report_of (t), "over_samples"),
                                     "candidate"),
      "chrf");

  g_assert_cmpint (json_object_get_int_member (report_of (t), "samples"), ==, 4);
  g_assert_cmpfloat (json_object_get_double_member (over, "sd"), >, 0);
  g_assert_cmpfloat (value_of (t, "chrf"), ==, value_of (again, "chrf"));
  g_assert_cmpint (json_object_get_int_member (report_of (greedy), "samples"), ==, 1);
}

/* ---- bad
 * ------------------------------------------------------------------------------------------ */

static void
check_bad (const char *with, const char *columns, const char *rows)
{
  g_autoptr (FrTest) t = new_test (with);

  fr_test_input (t, "in", columns, rows);
  g_assert_false (fr_test_check (t));
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "{'candidate': 'generatd'}", "{'fail_under': {'blue': 1}}", "{'metrics': ['bleurt']}",
    "{'rank_by': 'ter'}",        "{'temperature': -2}",         "{'by': 'nothing'}",
    "{'baseline': 'nothing'}",   "{'reference': 'nothing'}",
  };
  g_autoptr (FrTest) none = new_test ("{" QUICK "}");
  const char *rows = "[{'input': 'a', 'output': null, 'generated': 'b'}]";

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    check_bad (bad[i], COLUMNS, ROWS);
  /* No text to score, no reference. */
  check_bad ("{}", "input: utf8, output: utf8", "[{'input': 'a', 'output': 'b'}]");
  check_bad ("{'candidate': 'text'}", "text: utf8", "[{'text': 'a'}]");
  fr_test_input (none, "in", "input: utf8, output: utf8, generated: utf8", rows);
  fr_test_run (none);
  g_assert_true (json_object_get_null_member (score_of (none, "bleu"), "value"));
}

/* The generic battery, on rows of both kinds. */
static void
test_battery (void)
{
  g_autoptr (FrTest) t = new_test ("{" QUICK ", 'fail_under': {'chrf': 1}}");

  fr_test_input (t, "in", COLUMNS, ROWS);
  fr_test_battery (t);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/columns", test_columns);
  g_test_add_func ("/text/rows", test_rows);
  g_test_add_func ("/text/compare", test_compare);
  g_test_add_func ("/text/beside", test_beside);
  g_test_add_func ("/text/chinese", test_chinese);
  g_test_add_func ("/text/chinese-mixed", test_chinese_mixed);
  g_test_add_func ("/text/leaks", test_leaks);
  g_test_add_func ("/text/models", test_models);
  g_test_add_func ("/text/samples", test_samples);
  g_test_add_func ("/text/bad", test_bad);
  g_test_add_func ("/text/battery", test_battery);
  return g_test_run ();
}
