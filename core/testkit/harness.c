/* SPDX-License-Identifier: Apache-2.0 */
/* harness.c: one element on the real engine, between fake ends (testkit.h). */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "run/rundir.h"
#include "testkit/testkit.h"

/* ---- the harnesses that live, by number ------------------------------------ */

static GMutex live_lock;
static GPtrArray *live; /* index id - 1 → FrTest *; NULL once freed */

static guint
live_add (FrTest *test)
{
  guint id;

  g_mutex_lock (&live_lock);
  if (live == NULL)
    live = g_ptr_array_new ();
  g_ptr_array_add (live, test);
  id = live->len;
  g_mutex_unlock (&live_lock);
  return id;
}

static void
live_remove (FrTest *test)
{
  gboolean empty = TRUE;

  g_mutex_lock (&live_lock);
  live->pdata[test->id - 1] = NULL;
  for (guint i = 0; i < live->len; i++)
    empty &= live->pdata[i] == NULL;
  if (empty)
    g_clear_pointer (&live, g_ptr_array_unref);
  g_mutex_unlock (&live_lock);
}

FrTest *
fri_test_find (guint id)
{
  FrTest *test;

  g_mutex_lock (&live_lock);
  test = live != NULL && id >= 1 && id <= live->len ? live->pdata[id - 1] : NULL;
  g_mutex_unlock (&live_lock);
  return test;
}

/* ---- making and freeing ----------------------------------------------------- */

static const FrElement *
find_element (const FrPlugin *plugin, const char *name)
{
  for (guint i = 0; plugin->elements[i] != NULL; i++)
    if (strcmp (plugin->elements[i]->name, name) == 0)
      return plugin->elements[i];
  return NULL;
}

void
fri_test_input_free (FriTestInput *input)
{
  g_free (input->port);
  g_clear_pointer (&input->schema, fr_schema_unref);
  g_clear_pointer (&input->object, fr_object_unref);
  g_ptr_array_unref (input->batches);
  g_free (input);
}

FrTest *
fri_test_new (const FrPlugin *plugin, const char *name, const char *with, GError **error)
{
  const FrElement *element = find_element (plugin, name);
  g_autoptr (JsonNode) node = NULL;
  FrTest *test;

  if (element == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "plugin '%s' has no element '%s'",
                   plugin->name, name);
      return NULL;
    }
  node = fri_test_json (with ? with : "{}", error);
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "parameters are a JSON object");
      return NULL;
    }
  test = g_new0 (FrTest, 1);
  test->plugin = plugin;
  test->element = element;
  test->with = g_steal_pointer (&node);
  test->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) fri_test_input_free);
  test->sources = g_ptr_array_new_with_free_func (g_free);
  test->seed = 1;
  test->workers = 2;
  test->outputs
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  test->objects
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fr_object_unref);
  test->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&test->lock);
  test->id = live_add (test);
  return test;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = NULL;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  if (dir != NULL)
    {
      const char *name;

      while ((name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);

          remove_tree (child);
        }
    }
  g_remove (path);
}

void
fr_test_free (FrTest *test)
{
  if (test == NULL)
    return;
  live_remove (test);
  if (test->tmpdir != NULL)
    remove_tree (test->tmpdir);
  g_clear_pointer (&test->with, json_node_unref);
  g_ptr_array_unref (test->inputs);
  g_ptr_array_unref (test->sources);
  g_hash_table_unref (test->outputs);
  g_hash_table_unref (test->objects);
  g_hash_table_unref (test->texts);
  g_clear_pointer (&test->report, json_node_unref);
  g_clear_object (&test->cancellable);
  g_mutex_clear (&test->lock);
  g_free (test->problems);
  g_free (test->base_dir);
  g_free (test->tmpdir);
  g_free (test);
}

const char *
fr_test_tmpdir (FrTest *test)
{
  if (test->tmpdir == NULL)
    {
      g_autoptr (GError) error = NULL;

      test->tmpdir = g_dir_make_tmp ("flowrun-test-XXXXXX", &error);
      if (test->tmpdir == NULL) /* nothing to test in: the run will say why */
        test->tmpdir = g_strdup ("/nonexistent");
    }
  return test->tmpdir;
}

/* ---- input ------------------------------------------------------------------ */

FriTestInput *
fri_test_input (FrTest *test, const char *port)
{
  for (guint i = 0; i < test->inputs->len; i++)
    {
      FriTestInput *input = g_ptr_array_index (test->inputs, i);

      if (strcmp (input->port, port) == 0)
        return input;
    }
  return NULL;
}

static FriTestInput *
need_input (FrTest *test, const char *port)
{
  FriTestInput *input = fri_test_input (test, port);

  if (input != NULL)
    return input;
  input = g_new0 (FriTestInput, 1);
  input->port = g_strdup (port);
  input->batches = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_batch_unref);
  g_ptr_array_add (test->inputs, input);
  return input;
}

void
fri_test_add_object (FrTest *test, const char *port, FrObject *object)
{
  FriTestInput *input = need_input (test, port);

  fr_object_ref (object);
  g_clear_pointer (&input->object, fr_object_unref);
  input->object = object;
}

void
fri_test_add_input (FrTest *test, const char *port, FrSchema *schema, FrBatch *batch)
{
  FriTestInput *input = need_input (test, port);

  if (input->schema == NULL)
    input->schema = fr_schema_ref (schema);
  if (batch == NULL)
    return;
  input->n_rows += fr_batch_n_rows (batch);
  g_ptr_array_add (input->batches, batch);
}

/* ---- the pipeline around the element ----------------------------------------- */

static void
add_string (GString *out, const char *text)
{
  fr_json_append_string (out, text, strlen (text));
}

static void
add_feeds (FrTest *test, GString *out)
{
  for (guint i = 0; i < test->inputs->len; i++)
    {
      FriTestInput *input = g_ptr_array_index (test->inputs, i);

      g_autofree char *use = input->object != NULL ? g_strdup_printf ("source.test_object_%u", i)
                                                   : g_strdup ("source.test_feed");

      g_string_append_printf (out,
                              "\"feed_%u\":{\"use\":\"%s\",\"with\":{"
                              "\"harness\":%u,\"port\":",
                              i, use, test->id);
      add_string (out, input->port);
      g_string_append (out, "}},\n");
    }
}

static void
add_collector (FrTest *test, GString *out, guint i, const char *port, FrPortKind kind)
{
  const char *use = kind == FR_PORT_RECORDS ? "collect"
                    : kind == FR_PORT_MODEL ? "model"
                                            : "report";

  g_string_append_printf (out,
                          ",\n\"take_%u\":{\"use\":\"sink.test_%s\",\"from\":\"it.%s\","
                          "\"with\":{\"harness\":%u,\"port\":",
                          i, use, port, test->id);
  add_string (out, port);
  g_string_append (out, "}}");
}

static gboolean
takes_rejects (const FrElement *element)
{
  return element->inputs == NULL || element->inputs[0] == NULL
         || element->inputs[0]->kind == FR_PORT_RECORDS;
}

/* Feeds come first, so that feed_N is source N + 1 and row ids are known. */
static char *
pipeline_text (FrTest *test)
{
  GString *out = g_string_new (NULL);
  g_autofree char *with = fr_json_to_string (test->with, 0);
  const FrPort *const *outputs = test->element->outputs;
  guint n = 0;

  g_string_append_printf (out, "{\"name\":\"test\",\"seed\":%" G_GUINT64_FORMAT ",\"stages\":{\n",
                          test->seed);
  add_feeds (test, out);
  g_string_append (out, "\"it\":{\"use\":");
  add_string (out, test->element->name);
  g_string_append_printf (out, ",\"with\":%s", with);
  for (guint i = 0; i < test->inputs->len; i++)
    {
      FriTestInput *input = g_ptr_array_index (test->inputs, i);

      g_string_append (out, i ? "," : ",\"from\":{");
      add_string (out, input->port);
      g_string_append_printf (out, ":\"feed_%u\"%s", i, i + 1 == test->inputs->len ? "}" : "");
    }
  g_string_append (out, "}");
  for (; outputs != NULL && outputs[n] != NULL; n++)
    if (!(outputs[n]->flags & FR_PORT_FORECAST))
      add_collector (test, out, n, outputs[n]->name, outputs[n]->kind);
  if (takes_rejects (test->element))
    add_collector (test, out, n, "rejects", FR_PORT_RECORDS);
  g_string_append (out, "}}\n");
  return g_string_free (out, FALSE);
}

/* The elements are added from memory; the path is for the services they ask for. */
static FriRegistry *
new_registry (void)
{
  g_auto (GStrv) paths = fri_registry_default_paths (NULL);

  return fri_registry_new ((const char *const *) paths);
}

static const char *
base_dir (FrTest *test)
{
  return test->base_dir ? test->base_dir : fr_test_tmpdir (test);
}

/* Reads and binds; NULL when there were problems, which are kept as text. */
static FriPipeline *
load (FrTest *test, gboolean check, FriRegistry *registry)
{
  FriLoadOptions options = { .dry = check };
  g_autofree char *text = pipeline_text (test);
  g_autoptr (FriPipeline) pipeline = NULL;
  g_autoptr (GError) error = NULL;
  FrProblems *problems = NULL;

  g_clear_pointer (&test->problems, g_free);
  if (!fri_test_add_ends (test, registry, &error)
      || !fri_registry_add (registry, test->plugin, &error))
    {
      test->problems = g_strdup (error->message);
      return NULL;
    }
  pipeline = fri_pipeline_load_text (text, -1, base_dir (test), registry, &options, &problems);
  /* A run binds by itself. */
  if (check && pipeline != NULL && fri_problems_n_errors (problems) == 0)
    fri_pipeline_bind (pipeline, TRUE, problems);
  test->problems = fri_problems_text (problems);
  if (fri_problems_n_errors (problems) > 0)
    g_clear_pointer (&pipeline, fri_pipeline_free);
  fri_problems_free (problems);
  return g_steal_pointer (&pipeline);
}

gboolean
fri_test_check (FrTest *test)
{
  g_autoptr (FriRegistry) registry = new_registry ();
  g_autoptr (FriPipeline) pipeline = load (test, TRUE, registry);

  return pipeline != NULL;
}

/* ---- running ------------------------------------------------------------------ */

void
fri_test_fire (FrTest *test)
{
  g_mutex_lock (&test->lock);
  if (test->cancelled_us == 0)
    test->cancelled_us = g_get_monotonic_time ();
  g_mutex_unlock (&test->lock);
  g_cancellable_cancel (test->cancellable);
}

void
fri_test_collect (FrTest *test, const char *port, FrBatch *batch)
{
  GPtrArray *batches;

  g_mutex_lock (&test->lock);
  batches = g_hash_table_lookup (test->outputs, port);
  if (batches == NULL)
    {
      batches = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_batch_unref);
      g_hash_table_insert (test->outputs, g_strdup (port), batches);
    }
  g_ptr_array_add (batches, batch);
  g_mutex_unlock (&test->lock);
}

void
fri_test_collect_object (FrTest *test, const char *port, FrObject *object)
{
  g_mutex_lock (&test->lock);
  g_hash_table_replace (test->objects, g_strdup (port), object);
  g_mutex_unlock (&test->lock);
}

static void
forget_last_run (FrTest *test)
{
  g_hash_table_remove_all (test->outputs);
  g_hash_table_remove_all (test->objects);
  g_hash_table_remove_all (test->texts);
  g_clear_pointer (&test->report, json_node_unref);
  g_clear_object (&test->cancellable);
  test->cancellable = g_cancellable_new ();
  test->cancelled_us = test->ended_us = 0;
}

static void
read_report (FrTest *test, const char *run_dir)
{
  g_autofree char *path = g_build_filename (run_dir, "report.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *stages;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, NULL))
    return;
  root = fr_json_parse (text, (gssize) len, 0, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)
      || !json_object_has_member (json_node_get_object (root), "stages"))
    return;
  stages = json_object_get_object_member (json_node_get_object (root), "stages");
  if (stages != NULL && json_object_has_member (stages, "it"))
    test->report = json_node_ref (json_object_get_member (stages, "it"));
}

FriExit
fri_test_go (FrTest *test, GError **error)
{
  g_autoptr (FriRegistry) registry = new_registry ();
  g_autofree char *run_dir = g_strdup_printf ("%s/.run-%u", fr_test_tmpdir (test), ++test->n_runs);
  g_autoptr (FriPipeline) pipeline = NULL;
  FriRunOptions options = { .run_dir = run_dir,
                            .fresh = TRUE,
                            .workers = test->workers,
                            .memory = test->memory,
                            .validate = TRUE };
  FriExit status;

  forget_last_run (test);
  options.cancellable = test->cancellable;
  pipeline = load (test, FALSE, registry);
  if (pipeline == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG, test->problems);
      return FRI_EXIT_USAGE;
    }
  status = fri_run (pipeline, &options, error);
  test->ended_us = g_get_monotonic_time ();
  read_report (test, run_dir);
  remove_tree (run_dir);
  return status;
}

/* ---- forecast -------------------------------------------------------------------- */

typedef struct
{
  FrTest *test;
  const char *port;
} Seen;

static gboolean
see (FrBatch *batch, gpointer data)
{
  Seen *seen = data;

  fri_test_collect (seen->test, seen->port, fr_batch_ref (batch));
  return TRUE;
}

static void
take_forecast (const char *stage, JsonNode *forecast, gpointer data)
{
  FrTest *test = data;
  JsonObject *report = json_object_new (), *reports = json_object_new ();

  (void) stage;
  json_object_set_member (reports, "forecast", json_node_ref (forecast));
  json_object_set_object_member (report, "reports", reports);
  g_clear_pointer (&test->report, json_node_unref);
  test->report = json_node_init_object (json_node_alloc (), report);
  json_object_unref (report);
}

/* @port: one that only forecast fills, to be looked at, or NULL. */
static FriExit
foresee (FrTest *test, FriPipeline *pipeline, const char *port, GError **error)
{
  Seen seen = { test, port };
  FriRunOptions options = { .ephemeral = TRUE,
                            .workers = test->workers,
                            .memory = test->memory,
                            .validate = TRUE,
                            .cancellable = test->cancellable,
                            .forecast = take_forecast,
                            .forecast_data = test,
                            .tap_stage = port != NULL ? "it" : NULL,
                            .tap_port = port,
                            .tap = port != NULL ? see : NULL,
                            .tap_data = &seen };

  return fri_run (pipeline, &options, error);
}

/* A run can be looked at by one port alone. */
FriExit
fri_test_foresee (FrTest *test, GError **error)
{
  const FrPort *const *outputs = test->element->outputs;
  g_autoptr (FriRegistry) registry = new_registry ();
  g_autoptr (FriPipeline) pipeline = NULL;
  gboolean looked = FALSE;
  FriExit status = FRI_EXIT_OK;

  forget_last_run (test);
  pipeline = load (test, FALSE, registry);
  if (pipeline == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG, test->problems);
      return FRI_EXIT_USAGE;
    }
  for (; status == FRI_EXIT_OK && outputs != NULL && *outputs != NULL; outputs++)
    if ((*outputs)->flags & FR_PORT_FORECAST)
      {
        status = foresee (test, pipeline, (*outputs)->name, error);
        looked = TRUE;
      }
  return looked ? status : foresee (test, pipeline, NULL, error);
}

static void
append_id (GString *out, FrRowId id)
{
  g_string_append_printf (out, "%u:%" G_GUINT64_FORMAT, id.source, id.position);
  if (id.child != 0)
    g_string_append_printf (out, "~%08x", id.child);
  g_string_append_c (out, ' ');
}

char *
fri_test_text (FrTest *test, const char *port, gboolean ids)
{
  GString *out = g_string_new (NULL);
  GPtrArray *batches = g_hash_table_lookup (test->outputs, port);

  for (guint b = 0; batches != NULL && b < batches->len; b++)
    {
      FrBatch *batch = g_ptr_array_index (batches, b);

      for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
        {
          if (ids)
            append_id (out, fr_batch_ids (batch)[r]);
          fr_batch_append_json (batch, r, FALSE, out);
          g_string_append_c (out, '\n');
        }
    }
  return g_string_free (out, FALSE);
}
