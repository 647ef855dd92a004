/* SPDX-License-Identifier: Apache-2.0 */
/* test-loss.c: evaluator.loss on a tiny random model: the trainer's validation loss, comparison,
 * slices, limits, rows. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#include "trainers/tune/tiny.h"

#define COLUMNS "input: utf8, output: utf8, kind: utf8"
#define ROWS                                                                                       \
  "[{'input': 'mad', 'output': 'a mad cup', 'kind': 'x'},"                                         \
  " {'input': 'ice', 'output': 'an ice cup of tea', 'kind': 'y'},"                                 \
  " {'input': ' ', 'output': 'nobody asked', 'kind': 'y'},"                                        \
  " {'input': 'red', 'output': null, 'kind': 'y'},"                                                \
  " {'input': 'wet', 'output': '湿杯子', 'kind': null}]"
#define PLAIN "'backend': 'reference', 'type': 'f32', 'resamples': 200"

static FrTest *
new_test (const char *element, const char *with, LmModel *model)
{
  const char *name = strchr (element, '.') + 1;
  g_autofree char *file = g_str_has_prefix (element, "trainer")
                              ? g_strdup ("trainer-tune.so")
                              : g_strdup_printf ("evaluator-%s.so", name);
  g_autofree char *plugin = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", file, NULL);
  FrTest *t = fr_test_new_file (plugin, element, with);

  fr_test_set_seed (t, 11);
  fr_test_input_object (t, "model", (FrObject *) model);
  return t;
}

static FrTest *
measured (const char *with, LmModel *model, LmModel *baseline)
{
  FrTest *t = new_test ("evaluator.loss", with, model);

  fr_test_input (t, "in", COLUMNS, ROWS);
  if (baseline != NULL)
    fr_test_input_object (t, "baseline", (FrObject *) baseline);
  fr_test_run (t);
  return t;
}

static JsonObject *
report_of (FrTest *t)
{
  JsonNode *node = fr_test_report (t, "loss");

  g_assert_nonnull (node);
  return json_node_get_object (node);
}

static JsonObject *
score_of (FrTest *t, const char *name)
{
  return json_object_get_object_member (json_object_get_object_member (report_of (t), "scores"),
                                        name);
}

static double
value_of (FrTest *t, const char *name)
{
  return json_object_get_double_member (score_of (t, name), "value");
}

/* What the rows say, added up. */
static void
sum_rows (FrTest *t, const char *column, double *sum, double *tokens)
{
  g_auto (GStrv) lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);

  *sum = *tokens = 0;
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (lines[i], -1, 0, NULL);
      JsonObject *row = json_node_get_object (node);
      double n = json_object_get_double_member (row, "loss_tokens");

      *sum += n * json_object_get_double_member (row, column);
      *tokens += n;
    }
}

static void
test_scores (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t = measured ("{" PLAIN "}", model, NULL);
  double loss = value_of (t, "loss"), sum, tokens;

  g_assert_cmpint (json_object_get_int_member (report_of (t), "rows"), ==, 3);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 2);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "no_sample"));
  sum_rows (t, "loss", &sum, &tokens);
  g_assert_cmpfloat (fabs (sum / tokens - loss), <, 1e-9);
  /* 9 + 17 + 9 bytes, and an end each. */
  g_assert_cmpfloat (tokens, ==, 9 + 17 + 9 + 3);
  g_assert_cmpfloat (fabs (value_of (t, "perplexity") - exp (loss)), <, 1e-9);
  g_assert_cmpfloat (fabs (value_of (t, "bits_per_byte") - sum / log (2) / 35), <, 1e-9);
  sum_rows (t, "token_accuracy", &sum, &tokens);
  g_assert_cmpfloat (fabs (value_of (t, "token_accuracy") - sum / tokens), <, 1e-9);
  g_assert_cmpfloat (json_object_get_double_member (score_of (t, "loss"), "low"), <=, loss);
  g_assert_cmpfloat (json_object_get_double_member (score_of (t, "loss"), "high"), >=, loss);
  g_assert_nonnull (fr_test_output_object (t, "report"));
  g_assert_true (fr_views_check (fr_test_report (t, "views"), NULL));
}

/* The trainer measures the base model before its first step: exactly this loss. */
static void
test_as_trainer (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t = measured ("{" PLAIN "}", model, NULL);
  g_autoptr (FrTest) trainer
      = new_test ("trainer.lora",
                  "{'backend': 'reference', 'type': 'f32', 'threads': 1, 'max_steps': 1}", model);
  JsonObject *first;

  fr_test_input (trainer, "train", COLUMNS, "[{'input': 'a', 'output': 'b', 'kind': 'c'}]");
  fr_test_input (trainer, "validation", COLUMNS, ROWS);
  fr_test_run (trainer);
  first = json_node_get_object (fr_test_report (trainer, "training"));
  first = json_object_get_object_member (
      json_object_get_object_member (json_object_get_object_member (first, "result"), "validation"),
      "before");
  g_assert_cmpfloat (json_object_get_double_member (first, "loss"), ==, value_of (t, "loss"));
}

static void
test_baseline (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3), other = tiny_model (2, 0.1);
  g_autoptr (FrTest) t = measured ("{" PLAIN ", 'by': ['kind']}", model, other);
  g_autoptr (FrTest) alone = measured ("{" PLAIN "}", other, NULL);
  JsonObject *loss = score_of (t, "loss"), *slice;
  JsonArray *slices;

  g_assert_cmpfloat (
      json_object_get_double_member (json_object_get_object_member (loss, "baseline"), "value"), ==,
      value_of (alone, "loss"));
  g_assert_cmpfloat (
      fabs (json_object_get_double_member (json_object_get_object_member (loss, "gain"), "value")
            - (value_of (t, "loss") - value_of (alone, "loss"))),
      <, 1e-12);
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"baseline_loss\":"));
  slices = json_object_get_array_member (json_object_get_object_member (report_of (t), "slices"),
                                         "kind");
  g_assert_cmpuint (json_array_get_length (slices), ==, 3);
  slice = json_array_get_object_element (slices, 0);
  g_assert_cmpstr (json_object_get_string_member (slice, "value"), ==, "(none)");
  g_assert_cmpint (json_object_get_int_member (slice, "rows"), ==, 1);
  g_assert_true (fr_views_check (fr_test_report (t, "views"), NULL));
}

static gboolean
limit_passed (FrTest *t, guint i)
{
  JsonArray *limits = json_object_get_array_member (report_of (t), "limits");

  return json_object_get_boolean_member (json_array_get_object_element (limits, i), "passed");
}

static void
test_limits (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t = measured ("{" PLAIN ", 'fail_over': {'loss': 0.01, 'perplexity': 1e9, "
                                   "'gain.loss': 0}, 'fail_under': {'token_accuracy': 0}}",
                                   model, NULL);

  g_assert_false (limit_passed (t, 0));
  g_assert_true (limit_passed (t, 1));
  g_assert_false (limit_passed (t, 2));
  /* Without a baseline there is no gain, and what cannot be measured has not been reached. */
  g_assert_true (limit_passed (t, 3));
}

static void
test_bad (void)
{
  static const char *const bad[] = { "{'fail_over': {'lose': 1}}", "{'fail_over': {'loss': 'x'}}",
                                     "{'by': 'nothing'}", "{'fail_under': [1]}" };
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) none = new_test ("evaluator.loss", "{" PLAIN "}", model);
  g_autoptr (FrTest) no_shape = new_test ("evaluator.loss", "{" PLAIN "}", model);
  g_autoptr (FrTest) too_long
      = new_test ("evaluator.loss", "{" PLAIN ", 'max_length': 8, 'truncate': 'error'}", model);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (FrTest) t = new_test ("evaluator.loss", bad[i], model);

      fr_test_input (t, "in", COLUMNS, ROWS);
      g_assert_false (fr_test_check (t));
    }
  fr_test_input (none, "in", COLUMNS, "[{'input': 'a', 'output': null, 'kind': 'c'}]");
  fr_test_run_error (none, FR_ERROR_DATA, "nothing to measure");
  fr_test_input (no_shape, "in", "text: utf8", "[{'text': 'a'}]");
  g_assert_false (fr_test_check (no_shape));
  fr_test_input (too_long, "in", COLUMNS, ROWS);
  fr_test_run_error (too_long, FR_ERROR_DATA, "max_length");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loss/scores", test_scores);
  g_test_add_func ("/loss/as-trainer", test_as_trainer);
  g_test_add_func ("/loss/baseline", test_baseline);
  g_test_add_func ("/loss/limits", test_limits);
  g_test_add_func ("/loss/bad", test_bad);
  return g_test_run ();
}
