/* SPDX-License-Identifier: Apache-2.0 */
/* complete.c: what can follow on a command line, for the shells.
 *
 * The completion scripts only pass the words on and take the answers, so that
 * they never go out of date: `flowrun --complete WORD...` prints candidates
 * for the last word, one a line, and ":file" or ":dir" where the shell should
 * offer names of its own.
 */
#include "config.h"

#include <string.h>

#include "command/command.h"

typedef struct
{
  const CmdCommand *command;
  const char *pipeline; /* first argument, if the command takes one */
  const char *word;     /* to be completed */
  GString *out;
} Completion;

static void
offer (Completion *c, const char *prefix, const char *text, const char *suffix)
{
  g_autofree char *whole = g_strconcat (prefix, text, suffix, NULL); /* NULLs end it */

  if (g_str_has_prefix (whole, c->word))
    g_string_append_printf (c->out, "%s\n", whole);
}

static void
offer_list (Completion *c, const char *prefix, const char *const *list)
{
  for (; *list != NULL; list++)
    offer (c, prefix, *list, NULL);
}

static void
offer_elements (Completion *c, const char *prefix)
{
  g_auto (GStrv) paths = fri_registry_default_paths (NULL);
  g_autoptr (FriRegistry) registry = fri_registry_new ((const char *const *) paths);
  g_auto (GStrv) names = fri_registry_names (registry);

  if (names != NULL)
    offer_list (c, prefix, (const char *const *) names);
}

static void
offer_ports (Completion *c, const char *prefix, const FriStage *stage)
{
  const FrPort *const *ports = stage->element->outputs;

  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    {
      g_autofree char *text = g_strconcat (stage->id, ".", ports[i]->name, NULL);

      offer (c, prefix, text, NULL);
    }
  if (strchr (c->word, '.') != NULL)
    {
      g_autofree char *text = g_strconcat (stage->id, ".rejects", NULL);

      offer (c, prefix, text, NULL);
    }
}

static void
offer_params (Completion *c, const char *prefix, const FriStage *stage)
{
  const FrParam *const *params = stage->element->params;

  for (guint i = 0; params != NULL && params[i] != NULL; i++)
    {
      g_autofree char *text = g_strconcat (stage->id, ".", params[i]->key, "=", NULL);

      offer (c, prefix, text, NULL);
    }
}

static void
offer_stages (Completion *c, const char *prefix, CmdWord word)
{
  g_autofree char *path = c->pipeline ? fri_pipeline_find (c->pipeline, NULL) : NULL;
  FriLoadOptions options = { .dry = TRUE };
  FrProblems *problems = NULL;
  g_autoptr (FriPipeline) pipeline = path ? fri_pipeline_load (path, &options, &problems) : NULL;

  for (guint i = 0; pipeline != NULL && i < pipeline->stages->len; i++)
    {
      const FriStage *stage = g_ptr_array_index (pipeline->stages, i);

      if (stage->element == NULL)
        continue;
      if (word == CMD_WORD_SET)
        offer_params (c, prefix, stage);
      else
        offer (c, prefix, stage->id, NULL);
      if (word == CMD_WORD_STAGE && strchr (c->word, '.') != NULL)
        offer_ports (c, prefix, stage);
    }
  if (problems != NULL)
    fri_problems_free (problems);
}

/* The names under "vars", read loosely: the file may be half written. */
static void
offer_vars (Completion *c, const char *prefix)
{
  g_autofree char *path = c->pipeline ? fri_pipeline_find (c->pipeline, NULL) : NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObjectIter iter;
  const char *name;
  JsonNode *vars;
  gsize len;

  if (path == NULL || !g_file_get_contents (path, &text, &len, NULL))
    return;
  root = fr_json_parse (text, (gssize) len, FR_JSON_COMMENTS, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return;
  vars = json_object_get_member (json_node_get_object (root), "vars");
  if (vars == NULL || !JSON_NODE_HOLDS_OBJECT (vars))
    return;
  json_object_iter_init (&iter, json_node_get_object (vars));
  while (json_object_iter_next (&iter, &name, NULL))
    offer (c, prefix, name, "=");
}

/* Those in @path, and in the folders below it down to @depth, by the name that leads there. */
static void
offer_pipelines_in (Completion *c, const char *prefix, const char *path, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);
      g_autofree char *deeper = g_strconcat (prefix, name, "/", NULL);

      if (g_str_has_suffix (name, ".json"))
        {
          g_autofree char *base = g_strndup (name, strlen (name) - strlen (".json"));

          offer (c, prefix, base, NULL);
        }
      else if (depth > 0 && *name != '.' && g_file_test (below, G_FILE_TEST_IS_DIR))
        offer_pipelines_in (c, deeper, below, depth - 1);
    }
}

static void
offer_pipelines (Completion *c, const char *prefix)
{
  const char *said = g_getenv ("FLOWRUN_PIPELINE_PATH");
  g_autofree char *all = g_strjoin (":", said ? said : "", FR_PIPELINEDIR, NULL);
  g_auto (GStrv) dirs = g_strsplit (all, ":", -1);

  for (guint i = 0; dirs[i] != NULL; i++)
    if (dirs[i][0] != '\0')
      offer_pipelines_in (c, prefix, dirs[i], 1);
  g_string_append (c->out, ":file\n");
}

static void
offer_word (Completion *c, const char *prefix, CmdWord word)
{
  static const char *const kinds[]
      = { "source", "transform", "trainer", "evaluator", "sink", NULL };
  static const char *const shells[] = { "bash", "zsh", NULL };

  switch (word)
    {
    case CMD_WORD_FILE:
      g_string_append (c->out, ":file\n");
      break;
    case CMD_WORD_DIR:
      g_string_append (c->out, ":dir\n");
      break;
    case CMD_WORD_PIPELINE:
      offer_pipelines (c, prefix);
      break;
    case CMD_WORD_STAGE:
    case CMD_WORD_SET:
      offer_stages (c, prefix, word);
      break;
    case CMD_WORD_VAR:
      offer_vars (c, prefix);
      break;
    case CMD_WORD_KIND:
      offer_list (c, prefix, kinds);
      break;
    case CMD_WORD_TOPIC:
      for (const CmdCommand *command = cmd_commands; command->name != NULL; command++)
        offer (c, prefix, command->name, NULL);
      offer_elements (c, prefix);
      break;
    case CMD_WORD_ELEMENT:
      offer_elements (c, prefix);
      break;
    case CMD_WORD_SHELL:
      offer_list (c, prefix, shells);
      break;
    case CMD_WORD_NONE:
    default:
      break;
    }
}

static gboolean
is_end (const CmdOption *o)
{
  return o->name == NULL && o->letter == 0;
}

static const CmdOption *
option_of (const char *word)
{
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    {
      if (o->name != NULL && word[0] == '-' && word[1] == '-' && strcmp (word + 2, o->name) == 0)
        return o;
      if (o->letter != 0 && word[0] == '-' && word[1] == o->letter && word[2] == '\0')
        return o;
    }
  return NULL;
}

static void
offer_value (Completion *c, const char *prefix, const CmdOption *o)
{
  offer_list (c, prefix, o->choices);
  offer_word (c, prefix, o->word);
}

static void
offer_options (Completion *c)
{
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    {
      g_autofree char *text
          = o->name ? g_strconcat ("--", o->name, NULL) : g_strdup_printf ("-%c", o->letter);

      if (!(o->commands & CMD_HIDDEN) && (c->command == NULL || (o->commands & c->command->bit)))
        offer (c, text, NULL, NULL);
    }
}

static void
offer_argument (Completion *c, guint n_args)
{
  if (c->command != NULL)
    {
      if (n_args < c->command->max_args)
        offer_word (c, "", c->command->words[MIN (n_args, CMD_MAX_ARGS - 1)]);
      return;
    }
  for (const CmdCommand *command = cmd_commands; command->name != NULL; command++)
    offer (c, "", command->name, NULL);
  offer_pipelines (c, "");
}

char *
cmd_complete (char **words)
{
  guint n = g_strv_length (words), n_args = 0;
  Completion c = { NULL, NULL, n ? words[n - 1] : "", g_string_new (NULL) };
  const CmdOption *pending = NULL;
  const char *equals;

  for (guint i = 0; i + 1 < n; i++)
    {
      const CmdOption *o = option_of (words[i]);

      if (pending != NULL)
        pending = NULL;
      else if (o != NULL && o->type != CMD_OPT_FLAG)
        pending = o;
      else if (words[i][0] == '-')
        continue;
      else if (c.command == NULL && cmd_find_command (words[i]) != NULL)
        c.command = cmd_find_command (words[i]);
      else
        {
          if (c.command == NULL)
            c.command = &cmd_commands[0];
          if (n_args++ == 0)
            c.pipeline = words[i];
        }
    }
  equals = strchr (c.word, '=');
  if (pending != NULL)
    offer_value (&c, "", pending);
  else if (g_str_has_prefix (c.word, "--") && equals != NULL)
    {
      g_autofree char *name = g_strndup (c.word, (gsize) (equals - c.word));
      g_autofree char *prefix = g_strconcat (name, "=", NULL);
      const CmdOption *o = option_of (name);

      if (o != NULL)
        offer_value (&c, prefix, o);
    }
  else if (c.word[0] == '-')
    offer_options (&c);
  else
    offer_argument (&c, n_args);
  return g_string_free (c.out, FALSE);
}
