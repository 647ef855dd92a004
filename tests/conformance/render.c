/* SPDX-License-Identifier: Apache-2.0 */
/* render.c: renders templates for test-template.py.
 *
 * Standard input: one JSON object a line, {"template": text, "variables": {…}}.
 * Standard output: one a line, {"text": …} or {"error": …}.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <stdio.h>
#include <string.h>

#include "lm/template.h"

static JsonObject *
render (JsonObject *job)
{
  const char *source = json_object_get_string_member (job, "template");
  JsonObject *answer = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (LmTemplate) tmpl = lm_template_new ("template", source, strlen (source), &error);

  if (tmpl != NULL)
    text = lm_template_render (tmpl, json_object_get_object_member (job, "variables"), NULL, &error);
  if (text != NULL)
    json_object_set_string_member (answer, "text", text);
  else
    json_object_set_string_member (answer, "error", error->message);
  return answer;
}

int
main (void)
{
  g_autofree char *line = NULL;
  size_t room = 0;

  while (getline (&line, &room, stdin) > 0)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autofree char *text = NULL;

      if (!json_parser_load_from_data (parser, line, -1, &error))
        {
          fprintf (stderr, "render: %s\n", error->message);
          return 1;
        }
      node = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (node, render (json_node_get_object (json_parser_get_root (parser))));
      text = json_to_string (node, FALSE);
      puts (text);
      fflush (stdout);
    }
  return 0;
}
