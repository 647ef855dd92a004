/* SPDX-License-Identifier: Apache-2.0 */
/* test-model.c: the labeler "model" inside an element of this test's own: labels, their
 * probabilities, texts that do not fit, settings that do not do; and, where it lies here, SmolLM2.
 */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>
#include <string.h>

#include "lm/chat/test-model.h"
#include "text/labeler.h"

/* ---- an element that asks ---------------------------------------------------------------------
 */

typedef struct
{
  char **labels;
  char *prompt;
  gint64 batch;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_STRINGS ("labels", Config, labels, "labels"),
        FR_PARAM_STRING ("prompt", Config, prompt, "prompt"),
        FR_PARAM_INT ("batch", Config, batch, 1, 100, "at once", .def = "4"), NULL };
static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "texts", .flags = FR_PORT_MANY),
        FR_PORT ("model", FR_PORT_MODEL, "model"), NULL };

static gboolean
ask_bind (gconstpointer config, FrBind *bind, GError **error)
{
  (void) config, (void) error;
  if (fr_bind_input (bind, "in") != NULL)
    fr_bind_output (bind, "out",
                    fr_schema_new_simple ("label", FR_TYPE_UTF8, "sure", FR_TYPE_FLOAT64, "mass",
                                          FR_TYPE_FLOAT64, "sum", FR_TYPE_FLOAT64, "rule",
                                          FR_TYPE_UTF8, NULL));
  return TRUE;
}

static gboolean
ask_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  (void) host, (void) error;
  *state = (gpointer) config;
  return TRUE;
}

static void
put_str (FrBuilder *b, guint i, const char *text)
{
  if (text != NULL)
    fr_cells_append_str (fr_builder_cells (b, i), text, strlen (text));
}

static FrFlow
ask_run (FrHost *host, gpointer state, GError **error)
{
  const Config *c = state;
  LabelerSettings settings = { (const char *const *) c->labels, c->prompt, c->batch, "reference" };
  const FrService *service = fr_host_service (host, LABELER_KIND, LABELER_VERSION, "model", error);
  const LabelerEngine *engine = service != NULL ? service->table : NULL;
  g_autoptr (FrBatch) batch = NULL;
  g_autoptr (FrObject) model = NULL;
  g_autoptr (FrBuilder) b = fr_builder_new (fr_host_output (host, "out"));
  gsize n_labels = g_strv_length (c->labels), n;
  g_autofree LabelerResult *results = NULL;
  g_autofree double *p = NULL;
  g_autofree FrStr *texts = NULL;
  Labeler *labeler;
  FrView view;

  if (engine == NULL || fr_host_next_object (host, "model", &model, error) != FR_FLOW_OK)
    return FR_FLOW_ERROR;
  labeler = engine->open (&settings, host, model, error);
  if (labeler == NULL)
    return FR_FLOW_ERROR;
  g_assert_cmpint (fr_host_next (host, "in", &batch, error), ==, FR_FLOW_OK);
  n = fr_batch_n_rows (batch);
  view = fr_view (batch, 0);
  texts = g_new (FrStr, n);
  results = g_new0 (LabelerResult, n);
  p = g_new (double, n *n_labels);
  for (gsize i = 0; i < n; i++)
    texts[i] = fr_view_str (&view, i);
  g_assert_true (engine->label (labeler, texts, n, results, p, error));
  for (gsize i = 0; i < n; i++)
    {
      double sum = 0;

      for (gsize k = 0; k < n_labels; k++)
        sum += p[i * n_labels + k];
      put_str (b, 0, results[i].best < n_labels ? c->labels[results[i].best] : NULL);
      fr_cells_append_float (fr_builder_cells (b, 1), results[i].confidence);
      fr_cells_append_float (fr_builder_cells (b, 2), results[i].mass);
      fr_cells_append_float (fr_builder_cells (b, 3), round (sum * 1e6) / 1e6);
      put_str (b, 4, results[i].rule);
      g_assert_cmpint (results[i].rule != NULL, ==, results[i].why != NULL);
      g_free (results[i].why);
      fr_builder_end_row (b, fr_batch_ids (batch)[i]);
    }
  engine->close (labeler);
  return fr_host_push (host, "out", fr_builder_finish (b, error), error);
}

static void
ask_close (gpointer state)
{
  (void) state;
}

static const FrElement element = { .size = sizeof (FrElement),
                                   .kind = FR_KIND_TRANSFORM,
                                   .name = "transform.ask",
                                   .revision = 1,
                                   .summary = "asks",
                                   .config_size = sizeof (Config),
                                   .params = params,
                                   .inputs = inputs,
                                   .outputs = fr_ports_out,
                                   .bind = ask_bind,
                                   .open = ask_open,
                                   .run = ask_run,
                                   .close = ask_close };

FR_PLUGIN ("ask", "1", "asks", "Apache-2.0", "flowrun", &element)

/* ---- tests ------------------------------------------------------------------------------------
 */

static FrTest *
new_test (const char *with, LmModel *model, const char *rows)
{
  FrTest *t = fr_test_new (flowrun_plugin (), "transform.ask", with);

  fr_test_input_object (t, "model", (FrObject *) model);
  fr_test_input (t, "in", "text: utf8", rows);
  return t;
}

static void
test_labels (void)
{
  g_autoptr (LmModel) model = test_model (200, TEST_CHATML);
  g_autofree char *first = NULL;

  for (guint batch = 1; batch <= 4; batch += 3)
    {
      g_autofree char *with = g_strdup_printf (
          "{'labels': ['yes', 'no'], 'prompt': '{labels}? {text}', 'batch': %u}", batch);
      g_autofree char *line = g_strnfill (300, 'x');
      g_autofree char *rows = g_strdup_printf (
          "[{'text': 'one'}, {'text': '%s'}, {'text': '{labels} {text} %%s'}, {'text': null}]",
          line);
      g_autoptr (FrTest) t = new_test (with, model, rows);
      g_auto (GStrv) lines = NULL;

      fr_test_run (t);
      lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
      for (guint i = 0; i < 4; i++)
        if (i == 1)
          g_assert_cmpstr (
              lines[i], ==,
              "{\"label\":null,\"sure\":0,\"mass\":0,\"sum\":0,\"rule\":\"too_long\"}");
        else
          {
            g_assert_nonnull (strstr (lines[i], "\"sum\":1,\"rule\":null"));
            g_assert_true (g_str_has_prefix (lines[i], "{\"label\":\"yes\"")
                           || g_str_has_prefix (lines[i], "{\"label\":\"no\""));
          }
      if (first == NULL)
        first = g_strdup (lines[0]);
      /* Beyond rounding, the others at work change nothing. */
      g_assert_cmpint (strncmp (first, lines[0], strlen ("{\"label\":\"no\",\"sure\":0.12")), ==,
                       0);
    }
}

static void
test_settings (void)
{
  static const struct
  {
    const char *with, *says;
  } bad[] = { { "{'labels': ['yes']}", "two labels" },
              { "{'labels': ['yes', 'yes']}", "label 2, 'yes', stands twice" },
              { "{'labels': ['yes', '']}", "label 2 is empty" },
              { "{'labels': ['yes', 'no'], 'prompt': 'well?'}", "no place for the text" } };
  g_autoptr (LmModel) model = test_model (64, TEST_CHATML);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (FrTest) t = new_test (bad[i].with, model, "[{'text': 'x'}]");

      fr_test_run_error (t, FR_ERROR_CONFIG, bad[i].says);
    }
}

/* The same engine inside transform.label. */
static char *
label_rows (LmModel *model, gint64 *unsure)
{
  g_autofree char *plugin
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-label.so", NULL);
  g_autoptr (FrTest) t
      = fr_test_new_file (plugin, "transform.label",
                          "{'columns': 'text', 'engine': 'model', 'prompt': '{labels}? {text}'}");
  g_autofree char *line = g_strnfill (300, 'x');
  g_autofree char *rows
      = g_strdup_printf ("[{'text': '便宜又好用'}, {'text': '%s'}, {'text': null}]", line);

  fr_test_input_object (t, "model", (FrObject *) model);
  fr_test_input (t, "in", "text: utf8", rows);
  fr_test_run (t);
  *unsure = fr_test_counter (t, "question_misunderstood");
  return g_strdup (fr_test_output (t, "out"));
}

static void
test_transform (void)
{
  g_autoptr (LmModel) model = test_model (200, TEST_CHATML);
  gint64 unsure[2];
  g_autofree char *once = label_rows (model, &unsure[0]), *twice = label_rows (model, &unsure[1]);
  g_auto (GStrv) lines = g_strsplit (once, "\n", -1);

  g_test_message ("%s", once);
  g_assert_cmpstr (once, ==, twice);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  for (guint i = 0; i < 3; i += 2)
    g_assert_true (g_regex_match_simple (
        "\"sentiment\":\"(positive|neutral|negative)\",\"sentiment_confidence\":(0\\.[3-9]\\d*|1),"
        "\"sentiment_evidence\":\"model [01]\\.\\d\\d of [01]\\.\\d\\d\"\\}$",
        lines[i], G_REGEX_RAW, 0));
  /* One that the model has no room for gets none, and why. */
  g_assert_nonnull (strstr (lines[1], "\"sentiment\":null,\"sentiment_confidence\":0,"));
  g_assert_nonnull (strstr (lines[1], "tokens"));
  g_assert_cmpint (unsure[0], ==, 2); /* of a random model */
}

static void
test_smollm2 (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (LmModel) model = NULL;
  g_autoptr (FrTest) t = NULL;
  g_auto (GStrv) lines = NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 does not name a checkpoint");
      return;
    }
  model = lm_model_open (path, NULL);
  t = new_test ("{'labels': ['positive', 'negative'], 'prompt': 'Is this review positive or "
                "negative? \"{text}\"'}",
                model,
                "[{'text': 'I love it, best purchase of the year, wonderful quality!'}, "
                "{'text': 'Terrible. It broke after one day and the seller was rude.'}]");
  fr_test_run (t);
  lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
  g_test_message ("%s %s", lines[0], lines[1]);
  g_assert_true (g_str_has_prefix (lines[0], "{\"label\":\"positive\""));
  g_assert_true (g_str_has_prefix (lines[1], "{\"label\":\"negative\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/labeler/labels", test_labels);
  g_test_add_func ("/labeler/settings", test_settings);
  g_test_add_func ("/labeler/transform", test_transform);
  g_test_add_func ("/labeler/smollm2", test_smollm2);
  return g_test_run ();
}
