/* SPDX-License-Identifier: Apache-2.0 */
/* test.c: the functions of test.h, which turn what the harness finds into
 * failures of the GLib test framework.  A slip of the test's author (rows that
 * are no JSON, a port that is none) ends the program: there is nothing to test. */
#include "config.h"

#include <string.h>

#include "report/report-private.h"
#include "testkit/testkit.h"

FrTest *
fr_test_new (const FrPlugin *plugin, const char *name, const char *with)
{
  g_autoptr (GError) error = NULL;
  FrTest *test = fri_test_new (plugin, name, with, &error);

  if (test == NULL)
    g_error ("fr_test_new (%s): %s", name, error->message);
  return test;
}

FrTest *
fr_test_new_file (const char *path, const char *name, const char *with)
{
  g_autoptr (GError) error = NULL;
  const FrPlugin *plugin = fri_plugin_open (path, &error);

  if (plugin == NULL)
    g_error ("fr_test_new_file (%s): %s", path, error->message);
  return fr_test_new (plugin, name, with);
}

static void
need_port (FrTest *test, const char *port)
{
  const FrPort *const *inputs = test->element->inputs;

  for (guint i = 0; inputs != NULL && inputs[i] != NULL; i++)
    if (strcmp (inputs[i]->name, port) == 0)
      return;
  g_error ("fr_test_input: %s has no input port '%s'", test->element->name, port);
}

void
fr_test_input (FrTest *test, const char *port, const char *columns, const char *rows)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (columns, &error);
  FriTestInput *input;
  guint32 source = test->inputs->len + 1;
  FrBatch *batch;

  need_port (test, port);
  if (schema == NULL)
    g_error ("fr_test_input: columns \"%s\": %s", columns, error->message);
  fri_test_add_input (test, port, schema, NULL);
  input = fri_test_input (test, port);
  for (guint i = 0; i < test->inputs->len; i++)
    if (g_ptr_array_index (test->inputs, i) == input)
      source = i + 1;
  batch = fri_test_rows (schema, rows, source, input->n_rows + 1, &error);
  if (batch == NULL)
    g_error ("fr_test_input: rows: %s\n%s", error->message, rows);
  if (fr_batch_n_rows (batch) == 0)
    fr_batch_unref (batch);
  else
    fri_test_add_input (test, port, schema, batch);
}

void
fr_test_input_batch (FrTest *test, const char *port, FrBatch *batch)
{
  need_port (test, port);
  fri_test_add_input (test, port, fr_batch_schema (batch), batch);
}

void
fr_test_input_object (FrTest *test, const char *port, FrObject *object)
{
  need_port (test, port);
  fri_test_add_object (test, port, object);
}

void
fr_test_set_seed (FrTest *test, guint64 seed)
{
  test->seed = seed;
}

void
fr_test_set_workers (FrTest *test, guint workers)
{
  test->workers = workers;
}

void
fr_test_set_memory (FrTest *test, guint64 bytes)
{
  test->memory = bytes;
}

void
fr_test_cancel_at (FrTest *test, guint n)
{
  test->cancel_at = n;
}

gboolean
fr_test_check (FrTest *test)
{
  return fri_test_check (test);
}

const char *
fr_test_problems (FrTest *test)
{
  return test->problems ? test->problems : "";
}

/* ---- running ------------------------------------------------------------------ */

static void
fail (FrTest *test, const char *what, const char *detail)
{
  g_test_message ("%s: %s\n%s", test->element->name, what, detail);
  g_test_fail_printf ("%s: %s", test->element->name, what);
}

/* What report.html could not draw. */
static void
check_views (FrTest *test)
{
  g_autoptr (GError) error = NULL;
  JsonNode *views = fr_test_report (test, "views");

  if (views != NULL && (!fr_views_check (views, &error) || !fri_speech_check (views, &error)))
    fail (test, "it reports a view that does not follow flowrun/view.h", error->message);
}

void
fr_test_run (FrTest *test)
{
  g_autoptr (GError) error = NULL;
  FriExit status = fri_test_go (test, &error);

  if (status == FRI_EXIT_OK || status == FRI_EXIT_LIMIT)
    {
      check_views (test);
      return;
    }
  if (status == FRI_EXIT_INTERRUPTED && test->cancelled_us != 0)
    return;
  fail (test, "the run failed", error ? error->message : "without a message");
}

void
fr_test_run_error (FrTest *test, FrError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  FriExit status = fri_test_go (test, &error);
  g_autofree char *got = NULL;

  if (status == FRI_EXIT_OK || error == NULL)
    {
      fail (test, "the run was to fail, and did not", text);
      return;
    }
  if (g_error_matches (error, FR_ERROR, (int) code) && strstr (error->message, text) != NULL)
    return;
  got = g_strdup_printf ("expected error %d with \"%s\"\n     got %s %d: \"%s\"", (int) code, text,
                         g_quark_to_string (error->domain), error->code, error->message);
  fail (test, "the run failed otherwise than expected", got);
}

/* ---- looking -------------------------------------------------------------------- */

const char *
fr_test_output (FrTest *test, const char *port)
{
  char *text = g_hash_table_lookup (test->texts, port);

  if (text == NULL)
    {
      text = fri_test_text (test, port, FALSE);
      g_hash_table_insert (test->texts, g_strdup (port), text);
    }
  return text;
}

gsize
fr_test_n_rows (FrTest *test, const char *port)
{
  GPtrArray *batches = g_hash_table_lookup (test->outputs, port);
  gsize n = 0;

  for (guint i = 0; batches != NULL && i < batches->len; i++)
    n += fr_batch_n_rows (g_ptr_array_index (batches, i));
  return n;
}

/* The first row that differs, for a message; rows are counted from 1. */
static char *
difference (JsonArray *expected, char **lines)
{
  guint n = json_array_get_length (expected);

  for (guint i = 0; i < n || lines[i] != NULL; i++)
    {
      g_autofree char *want = i < n ? fr_json_to_string (json_array_get_element (expected, i), 0)
                                    : g_strdup ("(no row)");
      g_autoptr (JsonNode) got = lines[i] ? fr_json_parse (lines[i], -1, 0, NULL) : NULL;

      if (i < n && got != NULL && fri_test_json_equal (json_array_get_element (expected, i), got))
        continue;
      return g_strdup_printf ("row %u\nexpected %s\n     got %s", i + 1, want,
                              lines[i] ? lines[i] : "(no row)");
    }
  return NULL;
}

void
fr_test_expect (FrTest *test, const char *port, const char *rows)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) expected = fri_test_json (rows, &error);
  const char *text = fr_test_output (test, port);
  g_auto (GStrv) lines = NULL;
  g_autofree char *detail = NULL, *what = NULL;

  if (expected == NULL || !JSON_NODE_HOLDS_ARRAY (expected))
    g_error ("fr_test_expect: %s", error ? error->message : "rows are written as an array");
  lines = g_strsplit (text, "\n", -1);
  if (g_strv_length (lines) > 0) /* the piece after the last newline */
    g_clear_pointer (&lines[g_strv_length (lines) - 1], g_free);
  detail = difference (json_node_get_array (expected), lines);
  if (detail == NULL)
    return;
  what = g_strdup_printf ("port '%s' is not as expected", port);
  fail (test, what, detail);
  g_test_message ("whole output of '%s':\n%s", port, text);
}

static JsonNode *
report_member (FrTest *test, const char *group, const char *key)
{
  JsonObject *stage = test->report && JSON_NODE_HOLDS_OBJECT (test->report)
                          ? json_node_get_object (test->report)
                          : NULL;
  JsonNode *node = stage ? json_object_get_member (stage, group) : NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  return json_object_get_member (json_node_get_object (node), key);
}

gint64
fr_test_counter (FrTest *test, const char *name)
{
  JsonNode *node = report_member (test, "counters", name);

  return node ? json_node_get_int (node) : 0;
}

JsonNode *
fr_test_report (FrTest *test, const char *key)
{
  return report_member (test, "reports", key);
}

FrObject *
fr_test_output_object (FrTest *test, const char *port)
{
  return g_hash_table_lookup (test->objects, port);
}

JsonNode *
fr_test_forecast (FrTest *test)
{
  g_autoptr (GError) error = NULL;

  if (test->element->forecast == NULL)
    g_error ("fr_test_forecast: %s has no forecast", test->element->name);
  if (fri_test_foresee (test, &error) != FRI_EXIT_OK)
    fail (test, "the forecast failed", error ? error->message : "without a message");
  return fr_test_report (test, "forecast");
}

void
fr_test_battery (FrTest *test)
{
  guint n;
  const FriCheck *checks = fri_battery (&n);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GString) why = g_string_new (NULL);
      FriCheckResult result = checks[i].run (test, why);

      if (result == FRI_CHECK_FAILED)
        fail (test, checks[i].name, why->str);
      else
        g_test_message ("%s: %s%s%s", checks[i].name,
                        result == FRI_CHECK_PASSED ? "passed" : "skipped", why->len ? ": " : "",
                        why->str);
    }
}
