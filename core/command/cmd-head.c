/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-head.c: flowrun head: the first rows of a port. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/rows.h"

typedef struct
{
  const FriPipeline *pipeline;
  gboolean as_table;
  guint64 wanted, got;
  gboolean marked; /* text with parts that are marked: no table would hold it */
  gboolean closed; /* nobody reads standard output any more */
  RowsTable *rows;
} Head;

static gboolean
take (FrBatch *batch, gpointer data)
{
  Head *head = data;
  g_autoptr (GString) line = g_string_new (NULL);

  if (head->as_table && head->rows == NULL)
    head->rows = rows_table_new (fr_batch_schema (batch));
  if (head->as_table && rows_have_marks (fr_batch_schema (batch)))
    head->marked = TRUE;
  for (gsize r = 0; r < fr_batch_n_rows (batch) && head->got < head->wanted; r++, head->got++)
    if (head->as_table)
      {
        g_autofree char *id = rows_id (head->pipeline, fr_batch_ids (batch)[r]);

        if (head->marked)
          rows_print_marked (batch, r, id, stdout);
        else
          rows_table_add (head->rows, batch, r, id);
      }
    else
      {
        g_string_truncate (line, 0);
        fr_batch_append_json (batch, r, FALSE, line);
        g_string_append_c (line, '\n');
        fwrite (line->str, 1, line->len, stdout);
      }
  if ((!head->as_table || head->marked) && fflush (stdout) != 0)
    head->closed = TRUE;
  return head->got < head->wanted && !head->closed;
}

/* "stage" and "port" of STAGE[.PORT]; a message that lists what there is. */
static gboolean
find_port (const FriPipeline *pipeline, const char *word, char **stage_id, char **port,
           GError **error)
{
  g_autofree char *id = g_strndup (word, strcspn (word, "."));
  const char *dot = strchr (word, '.');
  FriStage *stage = fri_pipeline_stage ((FriPipeline *) pipeline, id);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const FrPort *const *ports;
  g_autofree char *all = NULL;
  const char *near;

  if (stage == NULL)
    {
      for (guint i = 0; i < pipeline->stages->len; i++)
        g_ptr_array_add (names, ((FriStage *) g_ptr_array_index (pipeline->stages, i))->id);
      g_ptr_array_add (names, NULL);
      near = fr_suggest (id, (const char *const *) names->pdata);
      all = g_strjoinv (", ", (char **) names->pdata);
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "there is no stage '%s'%s%s%s; the stages are: %s", id,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all);
      return FALSE;
    }
  ports = stage->element->outputs;
  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    if (ports[i]->kind == FR_PORT_RECORDS)
      g_ptr_array_add (names, (gpointer) ports[i]->name);
    else if (dot != NULL && strcmp (ports[i]->name, dot + 1) == 0)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                     "'%s' is a %s and has no rows to show; run the pipeline and inspect what its "
                     "sink writes",
                     word, ports[i]->kind == FR_PORT_MODEL ? "model" : "report");
        return FALSE;
      }
  g_ptr_array_add (names, (gpointer) "rejects");
  g_ptr_array_add (names, NULL);
  *stage_id = g_strdup (id);
  *port = g_strdup (dot ? dot + 1 : names->pdata[0]);
  if (g_strv_contains ((const char *const *) names->pdata, *port)
      && (dot != NULL || names->len > 2))
    return TRUE;
  all = g_strjoinv (", ", (char **) names->pdata);
  if (dot == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "stage '%s' is a %s and gives no rows; look at the stage before it, or at "
                 "%s.rejects",
                 id, fri_kind_name (stage->element->kind), id);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "stage '%s' has no port '%s'; it has: %s", id,
                 *port, all);
  return FALSE;
}

static int
show (const CmdLine *line, FriPipeline *pipeline)
{
  g_autofree char *stage = NULL, *port = NULL;
  g_autoptr (GError) error = NULL;
  Head head = { .pipeline = pipeline,
                .as_table = term_is (STDOUT_FILENO) && !line->json,
                .wanted = (guint64) line->count };
  FriExit status;

  if (!find_port (pipeline, line->args[1], &stage, &port, &error))
    return cmd_fail (error);
  if (head.wanted == 0)
    return FRI_EXIT_OK;
  status = rows_take (line, pipeline, stage, port, take, &head, &error);
  if (head.rows != NULL && !head.marked)
    rows_table_print (head.rows, stdout);
  g_clear_pointer (&head.rows, rows_table_free);
  if (status == FRI_EXIT_LIMIT) /* that is for a run to judge */
    status = FRI_EXIT_OK;
  if (status != FRI_EXIT_OK)
    say_error ("%s", error ? error->message : "the run failed");
  else if (head.got == 0)
    say ("%s gives no rows", line->args[1]);
  if (!cmd_flush ())
    return FRI_EXIT_FAILED;
  return (int) status;
}

int
cmd_head (const CmdLine *line)
{
  FrProblems *problems = NULL;
  g_autoptr (FriPipeline) pipeline = cmd_load (line, line->args[0], FALSE, &problems);
  int status = FRI_EXIT_USAGE;

  if (problems == NULL)
    return FRI_EXIT_USAGE;
  cmd_print_problems (problems, stderr);
  if (pipeline != NULL && fri_problems_n_errors (problems) == 0)
    status = show (line, pipeline);
  fri_problems_free (problems);
  return status;
}
