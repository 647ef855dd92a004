/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-schema.c: flowrun schema: the JSON Schema of pipeline files, or of one
 * element's parameters. */
#include "config.h"

#include "command/command.h"
#include "param/param-private.h"

int
cmd_schema (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FriRegistry) registry = cmd_registry (line);
  const FrElement *element;
  JsonNode *schema;

  if (line->n_args == 0)
    {
      schema = fri_pipeline_schema (registry, &error);
      return schema ? cmd_print_json (schema) : cmd_fail (error);
    }
  element = fri_registry_find (registry, line->args[0], NULL, NULL, &error);
  return element ? cmd_print_json (fri_params_schema (element)) : cmd_fail (error);
}
