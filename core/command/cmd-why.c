/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-why.c: flowrun why: where a row of a run came from. */
#include "config.h"

#include "command/command.h"
#include "run/rundir.h"

int
cmd_why (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) why = NULL;
  g_autofree char *text = NULL;

  if (!g_file_test (line->args[0], G_FILE_TEST_IS_DIR))
    {
      say_error ("there is no run directory '%s'; it is named in the last lines of a run",
                 line->args[0]);
      return FRI_EXIT_USAGE;
    }
  why = fri_why (line->args[0], line->args[1], &error);
  if (why == NULL)
    return cmd_fail (error);
  if (line->json)
    return cmd_print_json (g_steal_pointer (&why));
  text = fri_why_text (why);
  fputs (text, stdout);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}
