/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-check.c: flowrun check: all problems of a pipeline, or what it is and what
 * its stages would do. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"

/* Output ports in the order of the element's description. */
static const char *
out_port (const FriStage *stage, guint i)
{
  const FrPort *const *ports = stage->element->outputs;

  return ports != NULL ? (ports[i] ? ports[i]->name : NULL) : NULL;
}

static char *
port_schema (const FriStage *stage, const char *port)
{
  FrSchema *schema = g_hash_table_lookup (stage->out_schemas, port);
  const FrPort *const *ports = stage->element->outputs;

  for (; strcmp ((*ports)->name, port) != 0; ports++)
    ;
  if ((*ports)->kind != FR_PORT_RECORDS)
    return g_strdup_printf ("a %s (%s)", (*ports)->kind == FR_PORT_MODEL ? "model" : "report",
                            (*ports)->object->name);
  return schema ? fr_schema_describe (schema) : g_strdup ("(known when it runs)");
}

static char *
inputs_text (const FriStage *stage)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < stage->inputs->len; i++)
    {
      const FriLink *link = g_ptr_array_index (stage->inputs, i);

      g_string_append_printf (out, "%s%s", i ? ", " : "", link->from->id);
      if (strcmp (link->port, "out") != 0)
        g_string_append_printf (out, ".%s", link->port);
    }
  return g_string_free (out, FALSE);
}

static void
print_stages (const FriPipeline *pipeline)
{
  g_autoptr (Table) table = table_new ();
  gboolean tty = term_is (STDOUT_FILENO);

  table_column (table, "stage", 0);
  table_column (table, "element", 0);
  table_column (table, "from", 0);
  table_column (table, "gives", 0);
  for (guint s = 0; s < pipeline->stages->len; s++)
    {
      const FriStage *stage = g_ptr_array_index (pipeline->stages, s);
      g_autofree char *from = inputs_text (stage);
      const char *port;

      table_cell (table, STYLE_BOLD, stage->id);
      table_cell (table, STYLE_NONE, stage->element->name);
      table_cell (table, STYLE_NONE, from);
      if (out_port (stage, 0) == NULL)
        table_cell (table, STYLE_NONE, "");
      for (guint i = 0; (port = out_port (stage, i)) != NULL; i++)
        {
          g_autofree char *schema = port_schema (stage, port);

          for (guint blank = 0; i > 0 && blank < 3; blank++)
            table_cell (table, STYLE_NONE, "");
          if (strcmp (port, "out") == 0)
            table_cell (table, STYLE_DIM, schema);
          else
            table_cellf (table, STYLE_DIM, ".%s: %s", port, schema);
        }
    }
  table_print (table, stdout, tty ? term_width (STDOUT_FILENO) : 0, term_colour (STDOUT_FILENO));
}

static JsonNode *
stage_json (const FriStage *stage)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new (), *ports = json_object_new ();
  JsonArray *from = json_array_new ();
  const char *port;

  json_object_set_string_member (object, "id", stage->id);
  /* An element that was not found is among the problems. */
  if (stage->element != NULL)
    json_object_set_string_member (object, "element", stage->element->name);
  if (stage->plugin_file != NULL)
    json_object_set_string_member (object, "plugin", stage->plugin_file);
  for (guint i = 0; i < stage->inputs->len; i++)
    {
      const FriLink *link = g_ptr_array_index (stage->inputs, i);
      g_autofree char *text = g_strdup_printf ("%s.%s", link->from->id, link->port);

      json_array_add_string_element (from, text);
    }
  json_object_set_array_member (object, "from", from);
  for (guint i = 0; stage->element != NULL && (port = out_port (stage, i)) != NULL; i++)
    {
      gboolean known = g_hash_table_contains (stage->out_schemas, port)
                       || stage->element->outputs[i]->kind != FR_PORT_RECORDS;
      g_autofree char *text = known ? port_schema (stage, port) : NULL;

      json_object_set_string_member (ports, port, text);
    }
  json_object_set_object_member (object, "gives", ports);
  json_node_take_object (node, object);
  return node;
}

/* ---- forecasts -------------------------------------------------------------------- */

static void
take (const char *stage, JsonNode *forecast, gpointer data)
{
  json_object_set_member (data, stage, json_node_ref (forecast));
}

/* What the stages foresee, by stage; *@why_not: what stands against it, if anything does. */
static JsonObject *
foresee (const CmdLine *line, char **why_not, FriExit *status)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JsonObject) forecasts = json_object_new ();
  g_autoptr (GError) error = NULL;
  FrProblems *problems = NULL;
  /* Read again, this time with the secrets that a run would have. */
  g_autoptr (FriPipeline) pipeline = cmd_load (line, line->args[0], FALSE, &problems);
  FriRunOptions options = { .ephemeral = TRUE,
                            .workers = (guint) line->workers,
                            .memory = line->memory,
                            .deny_network = line->deny != NULL,
                            .cancellable = cancellable,
                            .forecast = take,
                            .forecast_data = forecasts };

  if (pipeline == NULL || fri_problems_n_errors (problems) > 0)
    {
      g_autofree char *text = problems != NULL ? fri_problems_text (problems) : g_strdup ("");

      *why_not = g_strdup_printf ("no forecast: %s", g_strchomp (text));
    }
  else
    {
      cmd_signals_catch (cancellable);
      *status = fri_run (pipeline, &options, &error);
      if (*status != FRI_EXIT_OK)
        *why_not
            = g_strdup_printf ("no forecast: %s", error != NULL ? error->message : "it failed");
    }
  if (problems != NULL)
    fri_problems_free (problems);
  return g_steal_pointer (&forecasts);
}

static void
print_forecasts (JsonObject *forecasts)
{
  JsonObjectIter iter;
  const char *stage;
  JsonNode *forecast;

  json_object_iter_init_ordered (&iter, forecasts);
  while (json_object_iter_next_ordered (&iter, &stage, &forecast))
    {
      g_autofree char *of = g_strdup_printf ("forecast of '%s'", stage);

      putchar ('\n');
      facts_print (forecast, of, stdout);
    }
}

/* ---- all of it ---------------------------------------------------------------------- */

static void
print_json (const FriPipeline *pipeline, FrProblems *problems, JsonObject *forecasts,
            const char *why_not)
{
  JsonObject *object = json_object_new ();
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonArray *stages = json_array_new ();

  for (guint i = 0; pipeline != NULL && i < pipeline->stages->len; i++)
    {
      const FriStage *stage = g_ptr_array_index (pipeline->stages, i);

      if (stage->element != NULL) /* one that is not known has been told as a problem */
        json_array_add_element (stages, stage_json (stage));
    }
  json_object_set_boolean_member (object, "ok", fri_problems_n_errors (problems) == 0);
  json_object_set_member (object, "problems", cmd_problems_json (problems));
  json_object_set_array_member (object, "stages", stages);
  if (forecasts != NULL)
    json_object_set_object_member (object, "forecasts", json_object_ref (forecasts));
  if (why_not != NULL)
    json_object_set_string_member (object, "no_forecast", why_not);
  json_node_take_object (root, object);
  cmd_print_json (root);
}

int
cmd_check (const CmdLine *line)
{
  FrProblems *problems = NULL;
  g_autoptr (FriPipeline) pipeline = cmd_load (line, line->args[0], TRUE, &problems);
  g_autoptr (JsonObject) forecasts = NULL;
  g_autofree char *why_not = NULL;
  FriExit status = FRI_EXIT_OK;
  guint n;

  if (problems == NULL)
    return FRI_EXIT_USAGE;
  /* Binding goes as far as it can even then, so that all problems are told at once. */
  if (pipeline != NULL)
    fri_pipeline_bind (pipeline, TRUE, problems);
  n = fri_problems_n_errors (problems);
  if (n == 0 && pipeline != NULL && !line->no_forecast
      && fri_forecast_possible (pipeline, &why_not))
    forecasts = foresee (line, &why_not, &status);
  if (line->json)
    print_json (pipeline, problems, forecasts, why_not);
  else
    {
      /* Problems are the result of this command. */
      cmd_print_problems (problems, stdout);
      if (n == 0 && pipeline != NULL)
        {
          print_stages (pipeline);
          printf ("%s is correct: %u stages\n", line->args[0], pipeline->stages->len);
          if (forecasts != NULL)
            print_forecasts (forecasts);
          if (why_not != NULL)
            printf ("%s\n", why_not);
        }
    }
  fri_problems_free (problems);
  if (!cmd_flush ())
    return FRI_EXIT_FAILED;
  if (status == FRI_EXIT_INTERRUPTED)
    return (int) status;
  return n > 0 || pipeline == NULL ? FRI_EXIT_USAGE : FRI_EXIT_OK;
}
