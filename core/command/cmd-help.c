/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-help.c: flowrun help: the commands, one command, or one element. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "param/param-private.h"

static void
print_commands (void)
{
  gboolean colour = term_colour (STDOUT_FILENO);

  puts ("flowrun takes an enterprise's own text through a pipeline of elements.\n");
  for (const CmdCommand *c = cmd_commands; c->name != NULL; c++)
    printf ("%sflowrun %s %s%s\n    %s\n    %s$ %s%s\n", term_style (STYLE_BOLD, colour), c->name,
            c->args, term_plain (colour), c->summary, term_style (STYLE_DIM, colour), c->example,
            term_plain (colour));
  puts ("\n'flowrun help COMMAND' shows a command's options, 'flowrun list' the elements,\n"
        "'flowrun help ELEMENT' an element's parameters.");
}

/* "dedup" for "transform.dedup". */
static char *
whole_name (FriRegistry *registry, const char *word)
{
  g_auto (GStrv) names = NULL;

  if (strchr (word, '.') != NULL)
    return g_strdup (word);
  names = fri_registry_names (registry);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      const char *dot = strchr (names[i], '.');

      if (dot != NULL && strcmp (dot + 1, word) == 0)
        return g_strdup (names[i]);
    }
  return NULL;
}

static int
help_element (const CmdLine *line, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FriRegistry) registry = cmd_registry (line);
  g_autofree char *name = whole_name (registry, word);
  const FrElement *element;
  const char *file = NULL;

  if (name == NULL)
    {
      say_error ("'%s' is no command and no element; 'flowrun help' lists the commands, "
                 "'flowrun list' the elements",
                 word);
      return FRI_EXIT_USAGE;
    }
  element = fri_registry_find (registry, name, NULL, &file, &error);
  if (element == NULL)
    return cmd_fail (error);
  if (line->json)
    return cmd_print_json (fri_element_json (element));
  if (line->markdown)
    {
      g_autofree char *text = cmd_element_markdown (element);

      fputs (text, stdout);
    }
  else
    cmd_element_help (element, file, stdout);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}

int
cmd_help (const CmdLine *line)
{
  const CmdCommand *command = line->n_args ? cmd_find_command (line->args[0]) : NULL;

  if (line->n_args > 0 && command == NULL)
    return help_element (line, line->args[0]);
  if (command != NULL)
    {
      g_autofree char *text = cmd_usage (command);

      fputs (text, stdout);
    }
  else
    print_commands ();
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}
