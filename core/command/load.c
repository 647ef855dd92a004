/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: what run, check and head do first, and the registry of the others. */
#include "config.h"

#include "command/command.h"

FriRegistry *
cmd_registry (const CmdLine *line)
{
  g_auto (GStrv) paths = fri_registry_default_paths ((const char *const *) line->plugin_paths);

  return fri_registry_new ((const char *const *) paths);
}

FriPipeline *
cmd_load (const CmdLine *line, const char *name, gboolean dry, FrProblems **problems)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = fri_pipeline_find (name, &error);
  FriLoadOptions options = { .vars = (const char *const *) line->vars,
                             .sets = (const char *const *) line->sets,
                             .plugin_paths = (const char *const *) line->plugin_paths,
                             .run_dir = line->run_dir,
                             .dry = dry,
                             .deny_network = line->deny != NULL };

  *problems = NULL;
  if (path == NULL ? g_file_test (name, G_FILE_TEST_IS_DIR)
                   : g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      say_error ("'%s' is a directory; a pipeline file is needed, as in '%s%spipeline.json'", name,
                 name, g_str_has_suffix (name, "/") ? "" : "/");
      return NULL;
    }
  if (path == NULL)
    {
      cmd_fail (error);
      return NULL;
    }
  return fri_pipeline_load (path, &options, problems);
}
