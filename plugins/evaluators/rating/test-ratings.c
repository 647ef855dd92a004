/* SPDX-License-Identifier: Apache-2.0 */
/* test-ratings.c: evaluator.ratings: what is counted, what is refused, and what comes of it.
 *
 * The figures are worked out by hand beside the ratings.
 */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

/* Two prompts, systems a and b, and b's first text a second time. */
static const char key[]
    = "{\"flowrun\": \"rating key\", \"version\": 1, \"page\": \"p00000000000000a1\", \"levels\": "
      "5,\n"
      " \"criteria\": [\"fluency\", \"appeal\"], \"systems\": [\"a\", \"b\"],\n"
      " \"prompts\": [{\"row\": \"r:1\", \"prompt\": \"q1\", \"texts\": [\"a1\", \"b1\"]},\n"
      "  {\"row\": \"r:2\", \"prompt\": \"q2\", \"texts\": [\"a2\", \"b2\"]}],\n"
      " \"items\": [{\"item\": \"sA1\", \"prompt\": 0, \"system\": 0, \"repeats\": null, \"fast\": "
      "2},\n"
      "  {\"item\": \"sB1\", \"prompt\": 0, \"system\": 1, \"repeats\": null, \"fast\": 2},\n"
      "  {\"item\": \"sB1x\", \"prompt\": 0, \"system\": 1, \"repeats\": \"sB1\", \"fast\": 2},\n"
      "  {\"item\": \"sA2\", \"prompt\": 1, \"system\": 0, \"repeats\": null, \"fast\": 2},\n"
      "  {\"item\": \"sB2\", \"prompt\": 1, \"system\": 1, \"repeats\": null, \"fast\": 2}]}";

#define COLUMNS                                                                                    \
  "page: utf8, rater: utf8, item: utf8, fluency: int64, appeal: int64, skipped: bool, seconds: "   \
  "float64, comment: utf8"

static const char ratings[]
    = "[{'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sA1', 'fluency': 2, "
      "'appeal': 2, 'skipped': false, 'seconds': 9},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB1', 'fluency': 4, "
      "'appeal': 5, 'skipped': false, 'seconds': 1, 'comment': 'good'},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB1x', 'fluency': 4, "
      "'appeal': 3, 'skipped': false, 'seconds': 5},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sA2', 'fluency': 3, "
      "'appeal': 3, 'skipped': false, 'seconds': 7},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB2', 'fluency': 3, "
      "'appeal': 4, 'skipped': false, 'seconds': 7},"
      " {'page': 'p00000000000000a1', 'rater': 'y', 'item': 'sA1', 'fluency': 1, "
      "'appeal': 2, 'skipped': false, 'seconds': 9},"
      " {'page': 'p00000000000000a1', 'rater': 'y', 'item': 'sB1', 'fluency': 5, "
      "'appeal': 1, 'skipped': false, 'seconds': 9},"
      " {'page': 'p00000000000000a1', 'rater': 'y', 'item': 'sA2', 'fluency': null, "
      "'appeal': null, 'skipped': true, 'seconds': 9},"
      " {'page': 'p00000000000000a1', 'rater': 'y', 'item': 'sB2', 'fluency': 4, "
      "'appeal': null, 'skipped': false, 'seconds': null}]";

static FrTest *
make_test (const char *with)
{
  g_autofree char *plugin
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "evaluator-rating.so", NULL);
  FrTest *t = fr_test_new_file (plugin, "evaluator.ratings", with);
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), "key.json", NULL);

  g_assert_true (g_file_set_contents (path, key, -1, NULL));
  return t;
}

/* The member of @list whose members are as given: a name, its value, ..., NULL. */
static JsonObject *
find (JsonNode *report, const char *list, ...)
{
  JsonArray *array = json_object_get_array_member (json_node_get_object (report), list);

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = json_array_get_object_element (array, i);
      gboolean same = TRUE;
      const char *name;
      va_list args;

      va_start (args, list);
      while ((name = va_arg (args, const char *)) != NULL)
        same
            &= g_strcmp0 (json_object_get_string_member (object, name), va_arg (args, const char *))
               == 0;
      va_end (args);
      if (same)
        return object;
    }
  g_assert_not_reached ();
}

static double
value_of (JsonObject *object, const char *name)
{
  return json_object_get_double_member (json_object_get_object_member (object, name), "value");
}

static void
test_figures (void)
{
  g_autoptr (FrTest) t = make_test ("{'key': 'key.json'}");
  JsonNode *report;
  JsonObject *o;

  fr_test_input (t, "in", COLUMNS, ratings);
  fr_test_run (t);
  report = fr_test_report (t, "ratings");
  g_assert_nonnull (report);

  o = find (report, "systems", "system", "a", "criterion", "fluency", NULL);
  g_assert_cmpint (json_object_get_int_member (o, "ratings"), ==, 3);
  g_assert_cmpfloat_with_epsilon (value_of (o, "mean"), (2 + 3 + 1) / 3.0, 1e-12);
  /* the second showing of b's first text does not count */
  o = find (report, "systems", "system", "b", "criterion", "appeal", NULL);
  g_assert_cmpfloat_with_epsilon (value_of (o, "mean"), (5 + 4 + 1) / 3.0, 1e-12);
  o = find (report, "systems", "system", "b", "criterion", "overall", NULL);
  g_assert_cmpfloat_with_epsilon (value_of (o, "mean"), (4.5 + 3.5 + 3 + 4) / 4, 1e-12);

  /* fluency: x prefers b for q1 and is undecided on q2, y prefers b for q1 */
  o = find (report, "contests", "system", "b", "criterion", "fluency", NULL);
  g_assert_cmpfloat_with_epsilon (value_of (o, "win_rate"), 2.5 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon (value_of (o, "difference"), (2 + 0 + 4) / 3.0, 1e-12);
  g_assert_cmpint (json_object_get_int_member (o, "wins"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (o, "ties"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (o, "losses"), ==, 0);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (o, "p"), 1, 1e-12);
  /* appeal: q1 is won by x (5 > 2) and lost by y (1 < 2): a tie; q2 is won */
  o = find (report, "contests", "system", "b", "criterion", "appeal", NULL);
  g_assert_cmpint (json_object_get_int_member (o, "wins"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (o, "ties"), ==, 1);
  g_assert_cmpfloat_with_epsilon (value_of (o, "win_rate"), 2.0 / 3, 1e-12);

  /* fluency is rated by both on sA1 (2 1), sB1 (4 5), sB2 (3 4): kappa = 1 - Σ w o / Σ w e, w o =
   * 3, w e = Σ over x in {2,4,3}, y in {1,5,4} of (x - y)² / 3 = (1+9+4 + 9+1+0 + 4+4+1) / 3 = 11
   */
  o = find (report, "pairs", "a", "x", "b", "y", NULL);
  g_assert_cmpfloat_with_epsilon (
      json_object_get_double_member (json_object_get_object_member (o, "kappa"), "fluency"),
      1 - 3.0 / 11, 1e-12);
  o = find (report, "agreement", "criterion", "fluency", NULL);
  g_assert_cmpint (json_object_get_int_member (o, "items"), ==, 3);

  o = find (report, "raters", "rater", "x", NULL);
  g_assert_cmpint (json_object_get_int_member (o, "rated"), ==, 5);
  g_assert_cmpint (json_object_get_int_member (o, "rated_again"), ==, 2);
  g_assert_cmpfloat (json_object_get_double_member (o, "same_again"), ==, 0.5);
  g_assert_cmpfloat (json_object_get_double_member (o, "within_one_again"), ==, 0.5);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (o, "too_fast"), 0.2, 1e-12);
  g_assert_cmpfloat (json_object_get_double_member (o, "median_seconds"), ==, 7);
  o = find (report, "raters", "rater", "y", NULL);
  g_assert_cmpint (json_object_get_int_member (o, "skipped"), ==, 1);
  g_assert_true (json_object_get_null_member (o, "same_again"));
  g_assert_cmpint (fr_test_counter (t, "incomplete"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "raters"), ==, 2);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 0);
  g_assert_nonnull (fr_test_output_object (t, "report"));
}

static void
test_rows_out (void)
{
  g_autoptr (FrTest) t = make_test ("{'key': 'key.json', 'margin': 0.75}");

  fr_test_input (t, "in", COLUMNS, ratings);
  fr_test_run (t);
  /* b1 has 5 and 1 in appeal: four apart; a1 and b2 one */
  fr_test_expect (
      t, "out",
      "[{'row': 'r:1', 'system': 'b', 'prompt': 'q1', 'text': 'b1', 'raters': 2, 'fluency': 4.5, "
      "'appeal': 3.0, 'overall': 3.75, 'spread': 4, 'comments': 'x: good'},"
      "{'row': 'r:1', 'system': 'a', 'prompt': 'q1', 'text': 'a1', 'raters': 2, 'fluency': 1.5, "
      "'appeal': 2.0, 'overall': 1.75, 'spread': 1, 'comments': ''},"
      "{'row': 'r:2', 'system': 'b', 'prompt': 'q2', 'text': 'b2', 'raters': 2, 'fluency': 3.5, "
      "'appeal': 4.0, 'overall': 3.75, 'spread': 1, 'comments': ''},"
      "{'row': 'r:2', 'system': 'a', 'prompt': 'q2', 'text': 'a2', 'raters': 1, 'fluency': 3.0, "
      "'appeal': 3.0, 'overall': 3.0, 'spread': 0, 'comments': ''}]");
  fr_test_expect (
      t, "preferences",
      "[{'row': 'r:1', 'prompt': 'q1', 'chosen': 'b1', 'rejected': 'a1', 'chosen_system': 'b', "
      "'rejected_system': 'a', 'margin': 2.0, 'raters': 2},"
      "{'row': 'r:2', 'prompt': 'q2', 'chosen': 'b2', 'rejected': 'a2', 'chosen_system': 'b', "
      "'rejected_system': 'a', 'margin': 0.75, 'raters': 1}]");
}

/* A file changed by hand: each line that does not fit is refused with its reason. */
static void
test_rejects (void)
{
  static const char *const rules[]
      = { "unknown_item", "out_of_range",      "out_of_range", "out_of_range",
          "duplicate",    "skipped_and_rated", "no_rater",     "no_page" };
  g_autoptr (FrTest) t = make_test ("{'key': 'key.json'}");
  g_auto (GStrv) lines = NULL;

  fr_test_input (
      t, "in", "page: utf8, rater: utf8, item: utf8, fluency: utf8, appeal: float64, skipped: bool",
      "[{'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sA1', 'fluency': ' 5', 'appeal': 4},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sZ9', 'fluency': '5', 'appeal': 4},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB1', 'fluency': '6', 'appeal': 4},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB1', 'fluency': 'good', 'appeal': 4},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB1', 'fluency': '3', 'appeal': 3.5},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sA1', 'fluency': '1', 'appeal': 1},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sA2', 'fluency': '3', 'appeal': 3, "
      "'skipped': true},"
      " {'page': 'p00000000000000a1', 'rater': ' ', 'item': 'sA2', 'fluency': '3', 'appeal': 3},"
      " {'page': null, 'rater': 'x', 'item': 'sA2', 'fluency': '3', 'appeal': 3},"
      " {'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sB2', 'fluency': null, 'appeal': "
      "null}]");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, G_N_ELEMENTS (rules));
  lines = g_strsplit (fr_test_output (t, "rejects"), "\n", -1);
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      g_autofree char *rule = g_strdup_printf ("\"%s\"", rules[i]);

      g_assert_nonnull (strstr (lines[i], rule));
    }
  g_assert_nonnull (strstr (lines[4], "5 4, now 1 1"));
  g_assert_cmpint (fr_test_counter (t, "ratings"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "blank"), ==, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 1);
}

static void
test_other_page (void)
{
  g_autoptr (FrTest) t = make_test ("{'key': 'key.json'}");

  fr_test_input (
      t, "in", "page: utf8, rater: utf8, item: utf8, fluency: int64, appeal: int64",
      "[{'page': 'p00000000000000a1', 'rater': 'x', 'item': 'sA1', 'fluency': 5, 'appeal': 4},"
      " {'page': 'p00000000000000a2', 'rater': 'x', 'item': 'sB1', 'fluency': 5, 'appeal': 4}]");
  fr_test_run_error (t, FR_ERROR_DATA, "page 'p00000000000000a2'");
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *columns, *says;
  } cases[] = {
    { "{'key': 'nosuch.json'}", COLUMNS, "/key" },
    { "{'key': 'key.json', 'baseline': 'c'}", COLUMNS, "its systems are 'a', 'b'" },
    { "{'key': 'key.json'}", "page: utf8, rater: utf8, item: utf8, fluency: int64",
      "no column 'appeal'" },
    { "{'key': 'key.json'}",
      "page: utf8, rater: utf8, item: utf8, fluency: int64, appeal: list<int64>", "'appeal'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = make_test (cases[i].with);

      fr_test_input (t, "in", cases[i].columns, "[]");
      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].says) == NULL)
        g_test_message ("case %u: %s", i, fr_test_problems (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].says));
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = make_test ("{'key': 'key.json'}");

  fr_test_input (t, "in", COLUMNS, ratings);
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ratings/figures", test_figures);
  g_test_add_func ("/ratings/rows-out", test_rows_out);
  g_test_add_func ("/ratings/rejects", test_rejects);
  g_test_add_func ("/ratings/other-page", test_other_page);
  g_test_add_func ("/ratings/problems", test_problems);
  g_test_add_func ("/ratings/battery", test_battery);
  return g_test_run ();
}
