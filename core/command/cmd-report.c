/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-report.c: flowrun report: the page of a run, made again. */
#include "config.h"

#include "command/command.h"
#include "report/report.h"

int
cmd_report (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;

  if (!g_file_test (line->args[0], G_FILE_TEST_IS_DIR))
    {
      say_error ("there is no run directory '%s'; it is named in the last lines of a run",
                 line->args[0]);
      return FRI_EXIT_USAGE;
    }
  if (!fri_report_write (line->args[0], line->language, &error))
    return cmd_fail (error);
  printf ("%s/report.html\n", line->args[0]);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}
