/* SPDX-License-Identifier: Apache-2.0 */
/* test-tally.c: scores of two systems, slices, limits' names, views; rows with columns added are
 * tested with the evaluators. */
#include "config.h"

#include <math.h>

#include "tally.h"

static double
mean (const double *sum, gpointer data)
{
  gsize at = *(const gsize *) data;

  return sum[at + 1] > 0 ? sum[at] / sum[at + 1] : NAN;
}

static const gsize first = 1, second = 3;

/* Rows of five numbers: one that nobody looks at, and two means. */
static const TallyFigure figures[] = {
  { "good", "good", "words", "points of 100", 100, 1, TRUE, 1, 2, mean, (gpointer) &first },
  { "bad", "bad", NULL, "points of 100", 100, -1, FALSE, 3, 2, mean, (gpointer) &second },
};

static Tally *
make (gboolean baseline)
{
  const StatsOptions options = { 200, 0.9, 3 };
  Tally *tally
      = tally_new (figures, G_N_ELEMENTS (figures), 5, "new", baseline ? "old" : NULL, &options);

  g_assert_cmpuint (tally_slice_by (tally, "kind"), ==, 0);
  for (guint i = 0; i < 60; i++)
    {
      const double a[] = { 99, i % 3, 1, i % 5, 2 }, b[] = { 99, i % 2, 1, 1, 2 };
      const char *label = i % 4 == 0 ? "four" : "other";

      tally_add (tally, a, baseline ? b : NULL, &label);
    }
  g_assert_true (tally_work (tally, NULL, NULL));
  return tally;
}

static double
number (JsonObject *o, const char *part, const char *name)
{
  return json_object_get_double_member (part != NULL ? json_object_get_object_member (o, part) : o,
                                        name);
}

static void
test_scores (void)
{
  g_autoptr (Tally) tally = make (TRUE);
  g_autoptr (JsonNode) node = tally_scores_json (tally), slices = tally_slices_json (tally);
  JsonObject *good = json_object_get_object_member (json_node_get_object (node), "good");
  JsonObject *bad = json_object_get_object_member (json_node_get_object (node), "bad"), *slice;

  g_assert_cmpuint (tally_n_rows (tally), ==, 60);
  g_assert_cmpfloat (number (good, NULL, "value"), ==, 1);
  g_assert_cmpfloat (number (good, "baseline", "value"), ==, 0.5);
  g_assert_cmpfloat (number (good, "gain", "value"), ==, 0.5);
  g_assert_cmpfloat (number (good, "gain", "low"), >, 0.2);
  g_assert_cmpfloat (number (good, "gain", "high"), <, 0.8);
  g_assert_cmpfloat (number (good, "gain", "p"), <, 0.02);
  g_assert_cmpfloat (number (bad, NULL, "value"), ==, 1);
  g_assert_false (json_object_has_member (bad, "low"));
  g_assert_cmpfloat (tally_value (tally, 1, TALLY_BASELINE), ==, 0.5);
  slice = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (slices), "kind"), 1);
  g_assert_cmpstr (json_object_get_string_member (slice, "value"), ==, "four");
  g_assert_cmpint (json_object_get_int_member (slice, "rows"), ==, 15);
}

static void
test_views (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Tally) tally = make (i == 1);
      g_autoptr (FrViews) views = fr_views_new ();
      g_autoptr (JsonNode) json = NULL;
      g_autoptr (GError) error = NULL;

      tally_add_views (tally, views);
      tally_add_details (tally, views);
      json = fr_views_to_json (views);
      g_assert_true (fr_views_check (json, &error));
      g_assert_no_error (error);
      /* scores, gains, slices, details */
      g_assert_cmpuint (json_array_get_length (json_node_get_array (json)), ==, i == 1 ? 4 : 3);
    }
}

static void
test_empty (void)
{
  const StatsOptions options = { 0 };
  g_autoptr (Tally) tally = tally_new (figures, 2, 5, "new", "old", &options);
  g_autoptr (FrViews) views = fr_views_new ();
  g_autoptr (JsonNode) node = NULL, json = NULL;

  g_assert_true (tally_work (tally, NULL, NULL));
  node = tally_scores_json (tally);
  g_assert_true (json_object_get_null_member (
      json_object_get_object_member (json_node_get_object (node), "good"), "value"));
  tally_add_views (tally, views);
  json = fr_views_to_json (views);
  g_assert_true (fr_views_check (json, NULL));
}

static void
test_numbers (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[]
      = { { 0, "0.000" },       { 1.23456, "1.235" },   { 12.3456, "12.35" }, { 123.456, "123.5" },
          { 12345.6, "12346" }, { 0.00012, "0.00012" }, { -3.5, "-3.500" },   { NAN, "–" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      tally_append_number (text, cases[i].value);
      g_assert_cmpstr (text->str, ==, cases[i].text);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tally/scores", test_scores);
  g_test_add_func ("/tally/views", test_views);
  g_test_add_func ("/tally/empty", test_empty);
  g_test_add_func ("/tally/numbers", test_numbers);
  return g_test_run ();
}
