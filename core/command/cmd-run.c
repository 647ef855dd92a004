/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-run.c: flowrun run. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"

static gboolean
writes_to_stdout (const FriPipeline *pipeline)
{
  for (guint i = 0; i < pipeline->stages->len; i++)
    {
      const FriStage *stage = g_ptr_array_index (pipeline->stages, i);

      for (const FrParam *const *p = stage->element->params; p != NULL && *p != NULL; p++)
        if ((*p)->type == FR_PARAM_TYPE_PATH && ((*p)->flags & FR_PARAM_WRITES)
            && g_strcmp0 (G_STRUCT_MEMBER (char *, stage->config, (*p)->offset), "-") == 0)
          return TRUE;
    }
  return FALSE;
}

/* A display that redraws itself would wipe away results on the same terminal. */
static ProgressMode
mode_for (const CmdLine *line, const FriPipeline *pipeline)
{
  ProgressMode mode = progress_mode (line->progress);

  if (mode == PROGRESS_LIVE && term_is (STDOUT_FILENO) && writes_to_stdout (pipeline))
    return PROGRESS_NONE;
  return mode;
}

int
cmd_run (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (Progress) progress = NULL;
  FrProblems *problems = NULL;
  g_autoptr (FriPipeline) pipeline = cmd_load (line, line->args[0], FALSE, &problems);
  g_autofree char *run_dir = NULL;
  FriRunOptions options = { .fresh = line->fresh,
                            .until = line->until,
                            .workers = (guint) line->workers,
                            .memory = line->memory,
                            .deny_network = line->deny != NULL,
                            .cancellable = cancellable,
                            .listener = progress_event,
                            .command_line = line->text };
  FriExit status;

  if (problems == NULL)
    return FRI_EXIT_USAGE;
  if (pipeline == NULL || fri_problems_n_errors (problems) > 0)
    {
      cmd_print_problems (problems, stderr);
      fri_problems_free (problems);
      return FRI_EXIT_USAGE;
    }
  cmd_print_problems (problems, stderr); /* warnings */
  fri_problems_free (problems);
  options.listener_data = progress = progress_new (mode_for (line, pipeline));
  options.no_record = pipeline->no_record && line->run_dir == NULL;
  if (!options.no_record)
    run_dir = line->run_dir ? g_strdup (line->run_dir) : fri_run_default_dir (pipeline);
  options.run_dir = run_dir;
  cmd_signals_catch (cancellable);
  status = fri_run (pipeline, &options, &error);
  progress_end (progress, status, error, run_dir);
  if (!cmd_flush () && status == FRI_EXIT_OK)
    status = FRI_EXIT_FAILED;
  return (int) status;
}
