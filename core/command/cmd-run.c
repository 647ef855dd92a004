/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-run.c: flowrun run. */
#include "config.h"

#include "command/command.h"

int
cmd_run (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (Progress) progress = progress_new (progress_mode (line->progress));
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
                            .listener_data = progress,
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
  run_dir = line->run_dir ? g_strdup (line->run_dir) : fri_run_default_dir (pipeline);
  options.run_dir = run_dir;
  cmd_signals_catch (cancellable);
  status = fri_run (pipeline, &options, &error);
  progress_end (progress, status, error, run_dir);
  if (!cmd_flush () && status == FRI_EXIT_OK)
    status = FRI_EXIT_FAILED;
  return (int) status;
}
