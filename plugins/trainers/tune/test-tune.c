/* SPDX-License-Identifier: Apache-2.0 */
/* test-tune.c: trainer.lora and trainer.full whole, on a tiny random model and the reference
 * backend. */
#include "config.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lm/model.h"
#include "tiny.h"

const FrPlugin *flowrun_plugin (void);

#define COLUMNS "input: utf8, output: utf8"
#define COMMON "'backend': 'reference', 'threads': 1, 'type': 'f32', 'logging_steps': 1"
/* A recipe that learns in few steps. */
#define QUICK COMMON ", 'lr': 0.02, 'batch': 4, 'warmup': 0, 'schedule': 'constant'"
#define TRAIN                                                                                      \
  "[{'input': 'red', 'output': 'a red cup'}, {'input': 'blue', 'output': 'a blue cup'},"           \
  " {'input': 'old', 'output': 'an old cup of tea'}, {'input': 'new', 'output': 'a new cup'},"     \
  " {'input': 'big', 'output': 'a big cup'}, {'input': 'tin', 'output': 'a tin cup'},"             \
  " {'input': 'wet', 'output': 'a wet cup'}, {'input': 'odd', 'output': 'an odd cup'},"            \
  " {'input': 'hot', 'output': 'a hot cup'}, {'input': 'raw', 'output': 'a raw cup'}]"
#define VALIDATION                                                                                 \
  "[{'input': 'mad', 'output': 'a mad cup'}, {'input': 'ice', 'output': 'an ice cup'}]"

static FrTest *
test_new (const char *element, const char *with, LmModel *model, gboolean validation)
{
  FrTest *t = fr_test_new (flowrun_plugin (), element, with);

  fr_test_set_seed (t, 11);
  fr_test_input (t, "train", COLUMNS, TRAIN);
  if (validation)
    fr_test_input (t, "validation", COLUMNS, VALIDATION);
  fr_test_input_object (t, "model", (FrObject *) model);
  return t;
}

static FrTest *
trained (const char *element, const char *with, gboolean validation)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  FrTest *t = test_new (element, with, model, validation);

  fr_test_run (t);
  return t;
}

static JsonObject *
report_of (FrTest *t)
{
  JsonNode *node = fr_test_report (t, "training");

  g_assert_nonnull (node);
  return json_node_get_object (node);
}

static JsonObject *
result_of (FrTest *t)
{
  return json_object_get_object_member (report_of (t), "result");
}

static LmLora *
adapter_of (FrTest *t)
{
  LmModel *model = (LmModel *) fr_test_output_object (t, "model");

  g_assert_nonnull (model);
  g_assert_nonnull (lm_model_lora (model));
  return lm_model_lora (model);
}

/* The largest difference between numbers of two adapters. */
static double
distance (LmLora *x, LmLora *y)
{
  double most = 0;

  g_assert_cmpuint (x->modules->len, ==, y->modules->len);
  for (guint i = 0; i < x->modules->len; i++)
    {
      LmLoraModule *a = x->modules->pdata[i], *b = y->modules->pdata[i];

      for (gsize j = 0; j < a->rank * a->in; j++)
        most = MAX (most, fabs ((double) a->a[j] - (double) b->a[j]));
      for (gsize j = 0; j < a->rank * a->out; j++)
        most = MAX (most, fabs ((double) a->b[j] - (double) b->b[j]));
    }
  return most;
}

static double
loss_at (FrTest *t, const char *curve, guint i)
{
  JsonArray *points = json_object_get_array_member (report_of (t), curve);

  g_assert_cmpuint (i, <, json_array_get_length (points));
  return json_object_get_double_member (json_array_get_object_element (points, i), "loss");
}

static guint
n_points (FrTest *t, const char *curve)
{
  return json_array_get_length (json_object_get_array_member (report_of (t), curve));
}

/* ---- learning ------------------------------------------------------------------------------ */

static void
check_learns (const char *element, const char *with, double share)
{
  g_autoptr (FrTest) t = trained (element, with, TRUE);
  JsonObject *result = result_of (t), *v = json_object_get_object_member (result, "validation");
  JsonObject *data = json_object_get_object_member (report_of (t), "data");

  g_assert_cmpint (json_object_get_int_member (result, "steps"), ==, 60);
  g_assert_cmpfloat (json_object_get_double_member (result, "loss_last"), <,
                     share * json_object_get_double_member (result, "loss_first"));
  g_assert_cmpfloat (
      json_object_get_double_member (json_object_get_object_member (v, "best"), "loss"), <,
      share * json_object_get_double_member (json_object_get_object_member (v, "before"), "loss"));
  data = json_object_get_object_member (data, "train");
  g_assert_cmpint (json_object_get_int_member (data, "samples"), ==, 10);
  /* "a red cup" and the end token are learned: 10 of them */
  g_assert_cmpint (json_object_get_int_member (data, "labels"), ==, 10 * 10 + 1 + 8 + 1 + 1 - 1);
  g_assert_cmpint (fr_test_counter (t, "steps"), ==, 60);
  g_assert_nonnull (fr_test_output_object (t, "report"));
  g_assert_nonnull (lm_model_card ((LmModel *) fr_test_output_object (t, "model")));
}

static void
test_lora_learns (void)
{
  check_learns ("trainer.lora", "{" QUICK ", 'epochs': 20, 'rank': 4, 'targets': 'all-linear'}",
                0.95);
}

static void
test_full_learns (void)
{
  check_learns ("trainer.full", "{" QUICK ", 'epochs': 20}", 0.5);
}

/* What is trained moves, what is frozen is the base's own. */
static void
test_what_moves (void)
{
  g_autoptr (FrTest) t = trained (
      "trainer.lora", "{" QUICK ", 'max_steps': 3, 'layers': '1', 'targets': 'v_proj'}", FALSE);
  LmLora *lora = adapter_of (t);
  LmLoraModule *m = lora->modules->pdata[0];
  LmModel *model = (LmModel *) fr_test_output_object (t, "model");
  double b = 0;

  g_assert_cmpuint (lora->modules->len, ==, 1);
  g_assert_cmpstr (m->module, ==, "model.layers.1.self_attn.v_proj");
  for (gsize i = 0; i < m->rank * m->out; i++)
    b = MAX (b, fabs ((double) m->b[i]));
  g_assert_cmpfloat (b, >, 0);
  g_assert_true (lm_model_weight (model, LM_W_V, 1)->data
                 == lm_model_weight (lm_model_base (model), LM_W_V, 1)->data);
}

/* ---- the same training, cut in other ways ------------------------------------------------------
 */

static void
check_same (const char *one, const char *two, double tolerance)
{
  g_autoptr (FrTest) a = trained ("trainer.lora", one, FALSE);
  g_autoptr (FrTest) b = trained ("trainer.lora", two, FALSE);
  guint n = n_points (a, "curve");

  g_assert_cmpuint (n, ==, n_points (b, "curve"));
  g_assert_cmpuint (n, >=, 6);
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat (fabs (loss_at (a, "curve", i) / loss_at (b, "curve", i) - 1), <=, tolerance);
  g_assert_cmpfloat (distance (adapter_of (a), adapter_of (b)), <=, 100 * tolerance);
}

#define SIX COMMON ", 'lr': 0.01, 'max_steps': 6"

static void
test_accumulate (void)
{
  check_same ("{" SIX ", 'batch': 8}", "{" SIX ", 'batch': 2, 'accumulate': 4}", 0);
  check_same ("{" SIX ", 'batch': 8, 'micro_tokens': 4096}",
              "{" SIX ", 'batch': 8, 'micro_tokens': 2}", 1e-5);
}

static void
test_packing (void)
{
  check_same ("{" SIX ", 'micro_tokens': 100, 'packing': true}",
              "{" SIX ", 'micro_tokens': 100, 'packing': false}", 1e-5);
}

static void
test_repeatable (void)
{
  check_same ("{" SIX ", 'batch': 3, 'group_by_length': true}",
              "{" SIX ", 'batch': 3, 'group_by_length': true}", 0);
}

static void
test_seed (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) a = test_new ("trainer.lora", "{" SIX "}", model, FALSE);
  g_autoptr (FrTest) b = test_new ("trainer.lora", "{" SIX "}", model, FALSE);

  fr_test_set_seed (b, 12);
  fr_test_run (a);
  fr_test_run (b);
  g_assert_cmpfloat (distance (adapter_of (a), adapter_of (b)), >, 0);
}

/* ---- validation
 * ---------------------------------------------------------------------------------- */

static void
test_validation_points (void)
{
  g_autoptr (FrTest) t
      = trained ("trainer.lora", "{" QUICK ", 'max_steps': 7, 'eval_steps': 3}", TRUE);
  JsonArray *points = json_object_get_array_member (report_of (t), "validation_curve");
  static const gint64 steps[] = { 0, 3, 6, 7 };

  g_assert_cmpuint (json_array_get_length (points), ==, G_N_ELEMENTS (steps));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    g_assert_cmpint (json_object_get_int_member (json_array_get_object_element (points, i), "step"),
                     ==, steps[i]);
}

/* A rate that destroys: what leaves is the best state, and early stopping ends it. */
static void
test_early_stopping (void)
{
  g_autoptr (FrTest) t
      = trained ("trainer.full",
                 "{" COMMON ", 'lr': 0.3, 'warmup': 0, 'diverge': 0, 'max_grad_norm': 0,"
                 " 'max_steps': 200, 'eval_steps': 1, 'early_stopping': 2}",
                 TRUE);
  JsonObject *result = result_of (t), *v = json_object_get_object_member (result, "validation");
  gint64 steps = json_object_get_int_member (result, "steps");

  g_assert_true (json_object_get_boolean_member (result, "stopped_early"));
  g_assert_cmpint (steps, <, 200);
  g_assert_cmpint (json_object_get_int_member (v, "best_step"), ==, steps - 2);
}

/* The parameters that leave with load_best are those of the best step: the ones that a shorter
 * training ends with. */
static void
test_load_best (void)
{
  static const char recipe[] = "{" COMMON ", 'lr': 0.2, 'warmup': 0, 'schedule': 'constant',"
                               " 'diverge': 0, 'max_steps': %d, 'eval_steps': 1}";
  g_autofree char *with = g_strdup_printf (recipe, 12), *shorter = NULL;
  g_autoptr (FrTest) t = trained ("trainer.lora", with, TRUE), u = NULL;
  JsonObject *v = json_object_get_object_member (result_of (t), "validation");
  gint64 best = json_object_get_int_member (v, "best_step");

  g_assert_cmpint (best, >=, 1);
  shorter = g_strdup_printf (recipe, (int) best);
  u = trained ("trainer.lora", shorter, TRUE);
  g_assert_cmpfloat (distance (adapter_of (t), adapter_of (u)), ==, 0);
  g_test_message ("best step %d of 12", (int) best);
}

/* ---- what goes wrong
 * --------------------------------------------------------------------------------- */

static void
check_fails (const char *element, const char *with, double scale, gboolean validation, FrError code,
             const char *text)
{
  g_autoptr (LmModel) model = tiny_model (1, scale);
  g_autoptr (FrTest) t = test_new (element, with, model, validation);

  fr_test_run_error (t, code, text);
}

static void
test_not_finite (void)
{
  check_fails ("trainer.lora", "{" QUICK "}", 1e30, TRUE, FR_ERROR_COMPUTE,
               "the base model itself gives no finite numbers");
  check_fails ("trainer.lora", "{" QUICK "}", 1e30, FALSE, FR_ERROR_COMPUTE,
               "step 1: the numbers are no longer finite");
}

static void
test_runs_away (void)
{
  check_fails ("trainer.full",
               "{" COMMON ", 'lr': 3, 'warmup': 0, 'diverge': 1.05, 'max_grad_norm': 0, 'batch': 2,"
               " 'max_steps': 300, 'schedule': 'constant'}",
               0.3, FALSE, FR_ERROR_COMPUTE, "the loss runs away");
}

/* Weights of 0 pass no gradient: a training that changes nothing must not look like one. */
static void
test_nothing_moves (void)
{
  check_fails ("trainer.lora", "{" QUICK "}", 0, FALSE, FR_ERROR_COMPUTE, "get no gradient");
}

static void
test_too_long (void)
{
  check_fails ("trainer.lora", "{" QUICK ", 'max_length': 35}", 0.3, FALSE, FR_ERROR_DATA,
               "longer than max_length, 35 tokens; the longest: ");
}

static void
test_truncation (void)
{
  static const struct
  {
    const char *how;
    gint64 samples, rejected, cut;
  } cases[] = { { "reject", 9, 1, 0 }, { "left", 10, 0, 1 }, { "right", 10, 0, 1 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf (
          "{" QUICK ", 'max_steps': 1, 'max_length': 35, 'truncate': '%s'}", cases[i].how);
      g_autoptr (FrTest) t = trained ("trainer.lora", with, FALSE);
      JsonObject *data = json_object_get_object_member (
          json_object_get_object_member (report_of (t), "data"), "train");

      g_assert_cmpint (json_object_get_int_member (data, "samples"), ==, cases[i].samples);
      g_assert_cmpint (json_object_get_int_member (data, "rejected"), ==, cases[i].rejected);
      g_assert_cmpint (json_object_get_int_member (data, "cut"), ==, cases[i].cut);
      g_assert_cmpint (json_object_get_int_member (data, "longest"), <=, 35);
      g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, cases[i].rejected);
    }
}

static void
test_rejects (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t
      = fr_test_new (flowrun_plugin (), "trainer.lora", "{" QUICK ", 'max_steps': 1}");

  fr_test_input (t, "train", COLUMNS,
                 "[{'input': 'x', 'output': null}, {'input': 'red', 'output': 'a red cup'},"
                 " {'input': 'y', 'output': ''}]");
  fr_test_input_object (t, "model", (FrObject *) model);
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 2);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "\"reject_rule\":\"no_sample\""));
}

static void
test_nothing_to_learn (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "trainer.lora", "{" QUICK "}");

  fr_test_input (t, "train", COLUMNS, "[]");
  fr_test_input_object (t, "model", (FrObject *) model);
  fr_test_run_error (t, FR_ERROR_DATA, "there is nothing to learn from");
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *says;
  } cases[] = {
    { "{'targets': 'q_prj'}", "did you mean 'q_proj'" },
    { "{'layers': '1-0'}", "ends before it begins" },
    { "{'layers': '0-7'}", "layers are 0-1" },
    { "{'early_stopping': 3}", "nothing is connected to 'validation'" },
    { "{'warmup': 1.5}", "neither" },
    { "{'init_adapter': 'nowhere'}", "adapter_config.json" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmModel) model = tiny_model (1, 0.3);
      g_autoptr (FrTest) t = test_new ("trainer.lora", cases[i].with, model, FALSE);

      g_assert_false (fr_test_check (t));
      g_test_message ("%s", fr_test_problems (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].says));
    }
}

/* ---- before it begins
 * ------------------------------------------------------------------------------------ */

static void
test_forecast (void)
{
  g_autoptr (LmModel) model = tiny_model (1, 0.3);
  g_autoptr (FrTest) t = test_new (
      "trainer.lora", "{" COMMON ", 'batch': 16, 'epochs': 2, 'warmup': 9}", model, TRUE);
  JsonObject *told = json_node_get_object (fr_test_forecast (t));
  JsonArray *facts = json_object_get_array_member (told, "facts");
  g_autofree char *text = fr_json_to_string (fr_test_report (t, "forecast"), 0);
  const char *rows;

  g_assert_cmpuint (json_array_get_length (facts), >=, 8);
  g_assert_nonnull (strstr (text, "10 samples of 10 rows"));
  g_assert_nonnull (strstr (text, "2 of 16 samples; 1 make an epoch"));
  g_assert_nonnull (strstr (text, "fewer samples"));
  g_assert_nonnull (strstr (text, "lasts longer than the training"));
  /* the viewer: what is learned is marked, the end token too */
  g_assert_cmpuint (fr_test_n_rows (t, "tokens"), ==, 10);
  rows = fr_test_output (t, "tokens");
  g_assert_nonnull (strstr (
      rows, "{\"text\":[{\"text\":\"<|im_start|>user\\nred<|im_end|>\\n<|im_start|>assistant\\n\","
            "\"marked\":false},{\"text\":\"a red cup<|im_end|>\",\"marked\":true}],"));
}

/* The forecast of memory in the backend is what the backend then held. */
static void
test_forecast_holds (void)
{
  static const char *const elements[] = { "trainer.lora", "trainer.full" };

  for (gsize i = 0; i < G_N_ELEMENTS (elements); i++)
    {
      g_autoptr (FrTest) t = trained (elements[i], "{" QUICK ", 'max_steps': 4}", TRUE);
      JsonObject *beside = json_object_get_object_member (report_of (t), "forecast");
      JsonObject *bytes = json_object_get_object_member (beside, "backend_bytes");
      JsonObject *tokens = json_object_get_object_member (beside, "tokens");
      double ratio = json_object_get_double_member (bytes, "forecast")
                     / json_object_get_double_member (bytes, "measured");

      g_assert_cmpfloat (fabs (ratio - 1), <, 0.1);
      g_assert_cmpfloat (json_object_get_double_member (tokens, "forecast"), ==,
                         json_object_get_double_member (tokens, "measured"));
    }
}

/* An adapter that leaves can be saved, and learned on. */
static void
test_init_adapter (void)
{
  g_autoptr (FrTest) first
      = trained ("trainer.lora", "{" QUICK ", 'max_steps': 8, 'dropout': 0}", FALSE);
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autofree char *with
      = g_strdup_printf ("{" QUICK ", 'max_steps': 2, 'dropout': 0, 'init_adapter': '%s'}", dir);
  g_autofree char *config = g_build_filename (dir, "adapter_config.json", NULL);
  g_autofree char *tensors = g_build_filename (dir, "adapter_model.safetensors", NULL);
  g_autoptr (FrTest) second = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (lm_lora_save (adapter_of (first), "tiny", dir, &error));
  g_assert_no_error (error);
  second = trained ("trainer.lora", with, FALSE);
  g_assert_cmpfloat (loss_at (second, "curve", 0), <, 0.9 * loss_at (first, "curve", 0));
  g_unlink (config);
  g_unlink (tensors);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tune/lora-learns", test_lora_learns);
  g_test_add_func ("/tune/full-learns", test_full_learns);
  g_test_add_func ("/tune/what-moves", test_what_moves);
  g_test_add_func ("/tune/accumulate", test_accumulate);
  g_test_add_func ("/tune/packing", test_packing);
  g_test_add_func ("/tune/repeatable", test_repeatable);
  g_test_add_func ("/tune/seed", test_seed);
  g_test_add_func ("/tune/validation-points", test_validation_points);
  g_test_add_func ("/tune/early-stopping", test_early_stopping);
  g_test_add_func ("/tune/load-best", test_load_best);
  g_test_add_func ("/tune/not-finite", test_not_finite);
  g_test_add_func ("/tune/runs-away", test_runs_away);
  g_test_add_func ("/tune/nothing-moves", test_nothing_moves);
  g_test_add_func ("/tune/too-long", test_too_long);
  g_test_add_func ("/tune/truncation", test_truncation);
  g_test_add_func ("/tune/rejects", test_rejects);
  g_test_add_func ("/tune/nothing-to-learn", test_nothing_to_learn);
  g_test_add_func ("/tune/problems", test_problems);
  g_test_add_func ("/tune/forecast", test_forecast);
  g_test_add_func ("/tune/forecast-holds", test_forecast_holds);
  g_test_add_func ("/tune/init-adapter", test_init_adapter);
  return g_test_run ();
}
