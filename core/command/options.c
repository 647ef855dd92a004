/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: the two tables of the command line, and taking a line apart.
 *
 * An option means the same in every command that has it, so it may also stand
 * before the command.  Long options take "--name=value" or "--name value";
 * they are never abbreviated, since an abbreviation in a script breaks when
 * the next option is added.
 */
#include "config.h"

#include <string.h>

#include "command/command.h"
#include "param/param-private.h"

#define LOADS (CMD_RUN | CMD_CHECK | CMD_HEAD)
#define FINDS (LOADS | CMD_LIST | CMD_HELP | CMD_INSPECT | CMD_SCHEMA)
#define ALL (CMD_HIDDEN - 1u)
#define AT(field) G_STRUCT_OFFSET (CmdLine, field)

const CmdCommand cmd_commands[] = {
  { "run",
    CMD_RUN,
    "PIPELINE.json",
    "run a pipeline",
    "Runs the pipeline file, or the installed pipeline of that name, as in \"flowrun generate\" or "
    "\"flowrun shop/rating\".  The word run may be left out.  What the run did is kept in its run "
    "directory; stages whose inputs, parameters and "
    "versions did not change are taken from there.",
    "flowrun shop.json --set split.validation=0.1",
    1,
    1,
    { CMD_WORD_PIPELINE },
    cmd_run },
  { "check",
    CMD_CHECK,
    "PIPELINE.json",
    "find every mistake in a pipeline without running it",
    "Does all that run does before work starts, with the same code and no side effects, and lists "
    "every problem with file, line and column.  Where there is none, and a stage can tell what it "
    "would do (a trainer: how many steps, how much memory and time), the rows that it would get "
    "are read to find out; not if that would take the network or other programs, and not with "
    "--no-forecast.",
    "flowrun check shop.json",
    1,
    1,
    { CMD_WORD_PIPELINE },
    cmd_check },
  { "head",
    CMD_HEAD,
    "PIPELINE.json STAGE[.PORT]",
    "show the first rows that a stage gives",
    "Runs as far as needed and shows rows: as a table on a terminal, as JSON Lines in a pipe.  "
    "STAGE.rejects shows the rows that the stage refused.  Text of which a trainer learns only "
    "some parts is shown with those parts in green, or in ⟦brackets⟧ where there are no colours.  "
    "Sinks are not run and nothing is kept.",
    "flowrun head shop.json clean -n 5",
    2,
    2,
    { CMD_WORD_PIPELINE, CMD_WORD_STAGE },
    cmd_head },
  { "list",
    CMD_LIST,
    "[KIND]",
    "list the elements and services that are installed",
    "Lists sources, transforms, trainers, evaluators and sinks, then what plugins offer to other "
    "plugins (services, such as those that compute), with how well each serves on this machine "
    "and why; or only what is of KIND, which is one of these or service.  A plugin that does not "
    "load is listed with the reason.",
    "flowrun list source",
    0,
    1,
    { CMD_WORD_KIND },
    cmd_list },
  { "help",
    CMD_HELP,
    "[ELEMENT | COMMAND]",
    "explain an element or a command",
    "Shows an element's ports, parameters, manual and an example; or a command's options; or, "
    "without an argument, the commands.",
    "flowrun help transform.dedup",
    0,
    1,
    { CMD_WORD_TOPIC },
    cmd_help },
  { "inspect",
    CMD_INSPECT,
    "PATH",
    "show what a run directory, a data file or a model holds",
    "For a run directory: what ran, when, what went in and what came out.  For a data file (CSV, "
    "JSON, SQLite, SQL dump; compressed too): columns with types, how many rows, the first rows.  "
    "Of an SQL dump one table is shown (--table).  Of any other file or directory that a plugin "
    "knows, such as a model: what that plugin tells.",
    "flowrun inspect runs/shop",
    1,
    1,
    { CMD_WORD_FILE },
    cmd_inspect },
  { "why",
    CMD_WHY,
    "RUN ROW",
    "show where a row of a run came from",
    "Follows a row through a finished run, back to its source and on to where it left.  ROW is a "
    "row id such as goods:17, or FILE:LINE of an output.",
    "flowrun why runs/shop train.jsonl:3",
    2,
    2,
    { CMD_WORD_DIR, CMD_WORD_FILE },
    cmd_why },
  { "report",
    CMD_REPORT,
    "RUN",
    "make the page about a run again",
    "Every run ends with a page, report.html in its run directory, that shows in one file what ran "
    "and what came of it.  This makes it again from the other files there, in another language, or "
    "where an earlier version made it or none at all, and prints its name.",
    "flowrun report runs/shop --language zh",
    1,
    1,
    { CMD_WORD_DIR },
    cmd_report },
  { "schema",
    CMD_SCHEMA,
    "[ELEMENT]",
    "print the JSON Schema of pipeline files",
    "Prints the JSON Schema (2020-12) of the pipeline file with all installed elements, for an "
    "editor; or that of one element's parameters.",
    "flowrun schema > pipeline.schema.json",
    0,
    1,
    { CMD_WORD_ELEMENT },
    cmd_schema },
  { "new",
    CMD_NEW,
    "KIND NAME [DIR]",
    "begin a plugin of your own",
    "Writes a project that builds, tests, installs and runs: KIND is source, transform, evaluator "
    "or sink.  DIR is NAME unless given, and must not exist.",
    "flowrun new transform my-filter",
    2,
    3,
    { CMD_WORD_KIND, CMD_WORD_NONE, CMD_WORD_DIR },
    cmd_new },
  { "plugin-check",
    CMD_PLUGIN_CHECK,
    "FILE.so",
    "test any plugin with the generic battery",
    "Checks the descriptions of a plugin's elements, the symbols it imports, and how each element "
    "behaves on empty input, nulls, huge cells, other batch borders, several workers and "
    "cancellation; each in a process of its own.  Prints TAP and ends with one line of counts.",
    "flowrun plugin-check my_filter.so",
    1,
    1,
    { CMD_WORD_FILE },
    cmd_plugin_check },
  { "completion",
    CMD_COMPLETION,
    "bash|zsh",
    "print the completion script for a shell",
    "Prints the script that the installation puts in place, for shells that look elsewhere.",
    "source <(flowrun completion bash)",
    1,
    1,
    { CMD_WORD_SHELL },
    cmd_completion },
  { NULL, 0, NULL, NULL, NULL, NULL, 0, 0, { CMD_WORD_NONE }, NULL }
};

/* One macro per type of option, so that a row reads as a line of the manual. */
#define OPTION(name, letter, type, field, commands, arg, help, word, ...)                          \
  {                                                                                                \
    name, letter, type, AT (field), commands, arg, help, { __VA_ARGS__ NULL }, word                \
  }
#define FLAG(name, letter, field, commands, help)                                                  \
  OPTION (name, letter, CMD_OPT_FLAG, field, commands, NULL, help, CMD_WORD_NONE, )
#define TEXT(name, field, commands, arg, word, help)                                               \
  OPTION (name, 0, CMD_OPT_TEXT, field, commands, arg, help, word, )
#define TEXTS(name, field, commands, arg, word, help)                                              \
  OPTION (name, 0, CMD_OPT_TEXTS, field, commands, arg, help, word, )
#define NUMBER(name, letter, field, commands, arg, help)                                           \
  OPTION (name, letter, CMD_OPT_INT, field, commands, arg, help, CMD_WORD_NONE, )
#define SIZE(name, field, commands, arg, help)                                                     \
  OPTION (name, 0, CMD_OPT_SIZE, field, commands, arg, help, CMD_WORD_NONE, )
#define CHOICE(name, field, commands, arg, help, ...)                                              \
  OPTION (name, 0, CMD_OPT_CHOICE, field, commands, arg, help, CMD_WORD_NONE, __VA_ARGS__, )

#define JSONS (CMD_CHECK | CMD_HEAD | CMD_LIST | CMD_HELP | CMD_INSPECT | CMD_WHY)

const CmdOption cmd_options[] = {
  TEXTS ("set", sets, LOADS, "STAGE.KEY=VALUE", CMD_WORD_SET,
         "set a parameter of a stage; VALUE is JSON or plain text; may be repeated"),
  TEXTS ("var", vars, LOADS, "NAME=VALUE", CMD_WORD_VAR,
         "fill a variable that the pipeline declares; may be repeated"),
  TEXT ("run-dir", run_dir, LOADS, "DIR", CMD_WORD_DIR,
        "where the run is kept (default: runs/NAME)"),
  TEXT ("until", until, CMD_RUN, "STAGE", CMD_WORD_STAGE, "stop after this stage"),
  FLAG ("fresh", 0, fresh, CMD_RUN, "reuse nothing of earlier runs"),
  FLAG ("no-forecast", 0, no_forecast, CMD_CHECK, "do not ask trainers what they would do"),
  NUMBER ("workers", 'j', workers, CMD_RUN | CMD_CHECK | CMD_HEAD, "N",
          "how many threads work at once (default: one per processor); the results do not "
          "depend on it"),
  SIZE ("memory", memory, CMD_RUN | CMD_CHECK | CMD_HEAD, "SIZE",
        "memory for rows on their way, as in 512MiB (default: a quarter of the machine's)"),
  CHOICE ("progress", progress, CMD_RUN, "HOW",
          "how to tell what goes on: auto (live on a terminal, else plain), plain, json or none",
          "auto", "plain", "json", "none"),
  CHOICE ("deny", deny, LOADS, "WHAT",
          "refuse pipelines with elements that touch the network (WHAT is network)", "network"),
  NUMBER (NULL, 'n', count, CMD_HEAD | CMD_INSPECT, "COUNT", "how many rows to show (default: 10)"),
  TEXT ("table", table, CMD_INSPECT, "NAME", CMD_WORD_NONE,
        "only this table of a database or SQL dump"),
  CHOICE ("language", language, CMD_REPORT, "LANGUAGE",
          "language of the page: en or zh (default: as the run made it)", "en", "zh"),
  FLAG ("json", 0, json, JSONS, "print JSON instead of text"),
  FLAG ("markdown", 0, markdown, CMD_HELP, "print the element's manual page as Markdown"),
  TEXT ("element", element, CMD_PLUGIN_CHECK, "NAME", CMD_WORD_NONE,
        "test only this element of the plugin"),
  TEXT ("with", with, CMD_PLUGIN_CHECK, "JSON", CMD_WORD_NONE,
        "parameters for the element (default: those of its example)"),
  TEXT ("columns", columns, CMD_PLUGIN_CHECK, "COLUMNS", CMD_WORD_NONE,
        "columns of --input, as in \"id: int64, text: utf8\""),
  TEXT ("input", input, CMD_PLUGIN_CHECK, "FILE", CMD_WORD_FILE,
        "rows for its first input, a JSON array of objects (default: invented)"),
  NUMBER ("timeout", 0, timeout, CMD_PLUGIN_CHECK, "SECONDS",
          "give up on one check after so long (default: 120)"),
  TEXTS ("plugin-path", plugin_paths, FINDS, "DIR", CMD_WORD_DIR,
         "look for plugins here first; may be repeated"),
  FLAG ("help", 'h', help, ALL, "show this help"),
  FLAG ("version", 0, version, ALL, "show version and build"),
  /* of plugin-check's own child processes */
  FLAG ("child", 0, child, CMD_PLUGIN_CHECK | CMD_HIDDEN, ""),
  NUMBER ("from", 0, from, CMD_PLUGIN_CHECK | CMD_HIDDEN, "N", ""),
  { NULL, 0, 0, 0, 0, NULL, NULL, { NULL }, CMD_WORD_NONE }
};

const CmdCommand *
cmd_find_command (const char *name)
{
  for (const CmdCommand *c = cmd_commands; c->name != NULL; c++)
    if (strcmp (c->name, name) == 0)
      return c;
  return NULL;
}

/* ---- finding an option -------------------------------------------------------- */

static gboolean
is_end (const CmdOption *option)
{
  return option->name == NULL && option->letter == 0;
}

static const CmdOption *
find_long (const char *name, gsize len)
{
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    if (o->name != NULL && strlen (o->name) == len && strncmp (o->name, name, len) == 0)
      return o;
  return NULL;
}

static const CmdOption *
find_letter (char letter)
{
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    if (o->letter == letter)
      return o;
  return NULL;
}

static void
unknown_option (const char *word, const CmdCommand *command, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *plain = g_strndup (word, strcspn (word, "="));
  const char *near;

  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    if (o->name != NULL && !(o->commands & CMD_HIDDEN)
        && (command == NULL || (o->commands & command->bit)))
      g_ptr_array_add (names, (gpointer) o->name);
  g_ptr_array_add (names, NULL);
  near = plain[0] == '-' && plain[1] == '-' && plain[2] != '\0'
             ? fr_suggest (plain + 2, (const char *const *) names->pdata)
             : NULL;
  if (near != NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "there is no option '%s'; did you mean '--%s'?",
                 plain, near);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "there is no option '%s'; 'flowrun%s%s --help' lists them", plain,
                 command ? " " : "", command ? command->name : "");
}

/* ---- taking a value ------------------------------------------------------------ */

static gboolean
bad_value (const CmdOption *o, const char *value, const char *expected, GError **error)
{
  if (o->name != NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'--%s %s' is wrong: expected %s", o->name,
                 value, expected);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'-%c %s' is wrong: expected %s", o->letter,
                 value, expected);
  return FALSE;
}

static gboolean
take_choice (const CmdOption *o, const char *value, char **field, GError **error)
{
  g_autofree char *all = NULL;
  guint n = 0;

  for (; o->choices[n] != NULL; n++)
    if (strcmp (o->choices[n], value) == 0)
      {
        g_free (*field);
        *field = g_strdup (value);
        return TRUE;
      }
  all = g_strjoinv (", ", (char **) o->choices);
  return bad_value (o, value, all, error);
}

static void
append_text (char ***field, const char *value)
{
  guint n = *field ? g_strv_length (*field) : 0;

  *field = g_renew (char *, *field, n + 2);
  (*field)[n] = g_strdup (value);
  (*field)[n + 1] = NULL;
}

static gboolean
take_value (CmdLine *line, const CmdOption *o, const char *value, GError **error)
{
  gpointer field = (char *) line + o->offset;

  switch (o->type)
    {
    case CMD_OPT_FLAG:
      *(gboolean *) field = TRUE;
      return TRUE;
    case CMD_OPT_TEXT:
      g_free (*(char **) field);
      *(char **) field = g_strdup (value);
      return TRUE;
    case CMD_OPT_TEXTS:
      append_text (field, value);
      return TRUE;
    case CMD_OPT_INT:
      {
        guint64 n;

        if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT32, &n, NULL))
          return bad_value (o, value, "a whole number", error);
        *(gint64 *) field = (gint64) n;
        return TRUE;
      }
    case CMD_OPT_SIZE:
      return fri_parse_size (value, field) || bad_value (o, value, "a size as in 512MiB", error);
    case CMD_OPT_CHOICE:
      return take_choice (o, value, field, error);
    default:
      return FALSE;
    }
}

/* ---- the whole line -------------------------------------------------------------- */

/* Which options came, to be held against the command once it is known. */
typedef struct
{
  const CmdOption *option;
  const char *word;
} Given;

/* Takes the option at argv[*i], and its value if that is the next word. */
static gboolean
take_option (CmdLine *line, int argc, char **argv, int *i, GArray *given, GError **error)
{
  const char *word = argv[*i], *value = NULL;
  gboolean is_long = word[1] == '-';
  gsize len = is_long ? strcspn (word + 2, "=") : 1;
  const CmdOption *o = is_long ? find_long (word + 2, len) : find_letter (word[1]);
  Given g;

  if (o == NULL || (!is_long && o->type == CMD_OPT_FLAG && word[2] != '\0'))
    {
      unknown_option (word, line->command, error);
      return FALSE;
    }
  if (is_long && word[2 + len] == '=')
    value = word + 2 + len + 1;
  else if (!is_long && word[2] != '\0')
    value = word + 2;
  if (o->type == CMD_OPT_FLAG && value != NULL)
    return bad_value (o, value, "no value", error);
  if (o->type != CMD_OPT_FLAG && value == NULL && *i + 1 >= argc)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s' needs a value: %s", word, o->arg);
      return FALSE;
    }
  if (o->type != CMD_OPT_FLAG && value == NULL)
    value = argv[++*i];
  g = (Given){ o, word };
  g_array_append_val (given, g);
  return take_value (line, o, value, error);
}

static gboolean
looks_like_path (const char *word)
{
  return strchr (word, '/') != NULL || g_str_has_suffix (word, ".json")
         || g_file_test (word, G_FILE_TEST_EXISTS);
}

/* "flowrun shop.json" and "flowrun shop" mean run; "flowrun chekc" does not. */
static gboolean
settle_command (CmdLine *line, GPtrArray *words, GError **error)
{
  const char *word = words->len ? words->pdata[0] : NULL;
  g_autofree char *path = NULL;
  const char *names[G_N_ELEMENTS (cmd_commands) + 1] = { NULL };
  const char *near;
  guint n = 0;

  if (word == NULL)
    return TRUE;
  line->command = cmd_find_command (word);
  if (line->command != NULL)
    {
      g_ptr_array_remove_index (words, 0);
      return TRUE;
    }
  line->command = &cmd_commands[0];
  if (looks_like_path (word))
    return TRUE;
  path = fri_pipeline_find (word, NULL);
  if (path != NULL)
    return TRUE;
  for (const CmdCommand *c = cmd_commands; c->name != NULL; c++)
    names[n++] = c->name;
  near = fr_suggest (word, names);
  line->command = NULL;
  g_set_error (
      error, FR_ERROR, FR_ERROR_CONFIG,
      near ? "'%s' is no command and no installed pipeline; did you mean '%s'?"
           : "'%s' is no command and no installed pipeline; 'flowrun help' lists the commands",
      word, near);
  return FALSE;
}

static gboolean
check_given (CmdLine *line, GArray *given, GError **error)
{
  const CmdCommand *c = line->command;

  for (guint i = 0; i < given->len; i++)
    {
      const Given *g = &g_array_index (given, Given, i);

      if (c == NULL && g->option->commands == ALL)
        continue;
      if (c == NULL || !(g->option->commands & c->bit))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%.*s' does not go with %s%s%s",
                       (int) strcspn (g->word, "="), g->word, c ? "'flowrun " : "no command",
                       c ? c->name : "", c ? "'" : "");
          return FALSE;
        }
    }
  if (c == NULL || line->help || line->version)
    return TRUE;
  if (line->n_args >= c->min_args && line->n_args <= c->max_args)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s: usage: flowrun %s [options] %s",
               line->n_args < c->min_args ? "an argument is missing" : "too many arguments",
               c->name, c->args);
  return FALSE;
}

static CmdLine *
line_new (int argc, char **argv)
{
  CmdLine *line = g_new0 (CmdLine, 1);
  GString *text = g_string_new ("flowrun");

  for (int i = 1; i < argc; i++)
    {
      gboolean plain
          = argv[i][strspn (argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789./_-=:,+@%")]
                == '\0'
            && argv[i][0] != '\0';
      g_autofree char *quoted = plain ? g_strdup (argv[i]) : g_shell_quote (argv[i]);

      g_string_append_printf (text, " %s", quoted);
    }
  line->text = g_string_free (text, FALSE);
  line->count = 10;
  line->timeout = 120;
  return line;
}

CmdLine *
cmd_parse (int argc, char **argv, GError **error)
{
  g_autoptr (CmdLine) line = line_new (argc, argv);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GArray) given = g_array_new (FALSE, FALSE, sizeof (Given));
  gboolean ended = FALSE;

  for (int i = 1; i < argc; i++)
    {
      if (!ended && strcmp (argv[i], "--") == 0)
        ended = TRUE;
      else if (ended || argv[i][0] != '-' || argv[i][1] == '\0')
        {
          g_ptr_array_add (words, argv[i]);
          if (words->len == 1)
            line->command = cmd_find_command (argv[i]);
        }
      else if (!take_option (line, argc, argv, &i, given, error))
        return NULL;
    }
  if (!settle_command (line, words, error))
    return NULL;
  line->n_args = words->len;
  g_ptr_array_add (words, NULL);
  line->args = g_strdupv ((char **) words->pdata);
  if (!check_given (line, given, error))
    return NULL;
  return g_steal_pointer (&line);
}

void
cmd_line_free (CmdLine *line)
{
  if (line == NULL)
    return;
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    {
      gpointer field = (char *) line + o->offset;

      if (o->type == CMD_OPT_TEXT || o->type == CMD_OPT_CHOICE)
        g_clear_pointer ((char **) field, g_free);
      else if (o->type == CMD_OPT_TEXTS)
        g_clear_pointer ((char ***) field, g_strfreev);
    }
  g_strfreev (line->args);
  g_free (line->text);
  g_free (line);
}

/* ---- help and manual ---------------------------------------------------------------- */

static char *
option_words (const CmdOption *o)
{
  GString *out = g_string_new (NULL);

  if (o->letter != 0)
    g_string_append_printf (out, "-%c", o->letter);
  if (o->letter != 0 && o->name != NULL)
    g_string_append (out, ", ");
  if (o->name != NULL)
    g_string_append_printf (out, "--%s", o->name);
  if (o->arg != NULL)
    g_string_append_printf (out, " %s", o->arg);
  return g_string_free (out, FALSE);
}

/* @text in lines of at most 78 columns, each after @indent spaces. */
static void
append_wrapped (GString *out, const char *text, guint indent)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  guint at = 0;

  for (guint i = 0; words[i] != NULL; i++)
    {
      guint len = (guint) strlen (words[i]);

      if (len == 0)
        continue;
      if (at > 0 && at + 1 + len > 78)
        {
          g_string_append_c (out, '\n');
          at = 0;
        }
      if (at == 0)
        g_string_append_printf (out, "%*s", (int) indent, "");
      else
        g_string_append_c (out, ' ');
      at += (at == 0 ? indent : 1) + len;
      g_string_append (out, words[i]);
    }
  g_string_append_c (out, '\n');
}

char *
cmd_usage (const CmdCommand *command)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "usage: flowrun %s%s %s\n\n", command->name,
                          command->bit == CMD_COMPLETION ? "" : " [options]", command->args);
  append_wrapped (out, command->details, 2);
  g_string_append (out, "\noptions:\n");
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    {
      g_autofree char *words = option_words (o);

      if (!(o->commands & command->bit) || (o->commands & CMD_HIDDEN))
        continue;
      g_string_append_printf (out, "  %s\n", words);
      append_wrapped (out, o->help, 6);
    }
  g_string_append_printf (out, "\nexample:\n  %s\n", command->example);
  return g_string_free (out, FALSE);
}

/* mdoc: a backslash and a minus sign have meaning; two spaces after a full stop
 * become a new line of the source, as mdoc wants sentences; lines stay short. */
static void
append_mdoc (GString *out, const char *text)
{
  guint at = 0;

  for (const char *p = text; *p != '\0'; p++)
    {
      gboolean sentence = p[0] == '.' && p[1] == ' ' && p[2] == ' ';

      if (*p == '\\')
        g_string_append (out, "\\e");
      else if (*p == '-')
        g_string_append (out, "\\-");
      else if (*p == ' ' && at + strcspn (p + 1, " ") >= 76)
        g_string_append_c (out, '\n');
      else
        g_string_append_c (out, *p);
      if (sentence)
        {
          g_string_append_c (out, '\n');
          p += 2;
        }
      at = out->str[out->len - 1] == '\n' ? 0 : at + 1;
    }
  g_string_append_c (out, '\n');
}

static void
append_mdoc_option (GString *out, const CmdOption *o)
{
  g_string_append (out, ".It ");
  if (o->letter != 0)
    g_string_append_printf (out, "Fl %c", o->letter);
  if (o->letter != 0 && o->name != NULL)
    g_string_append (out, " , ");
  if (o->name != NULL)
    g_string_append_printf (out, "Fl \\-%s", o->name);
  if (o->arg != NULL)
    g_string_append_printf (out, " Ar %s", o->arg);
  g_string_append_c (out, '\n');
  append_mdoc (out, o->help);
}

char *
cmd_manual (void)
{
  GString *out = g_string_new (".Sh COMMANDS\n.Bl -tag -width Ds\n");

  for (const CmdCommand *c = cmd_commands; c->name != NULL; c++)
    {
      gboolean first = TRUE;

      g_string_append_printf (out, ".It Nm Cm %s Ar %s\\&\n", c->name, c->args);
      append_mdoc (out, c->details);
      g_string_append (out, "Options:");
      for (const CmdOption *o = cmd_options; !is_end (o); o++)
        {
          if (!(o->commands & c->bit) || (o->commands & CMD_HIDDEN))
            continue;
          g_string_append (out, first ? "\n" : " ,\n");
          if (o->name != NULL)
            g_string_append_printf (out, ".Fl \\-%s", o->name);
          else
            g_string_append_printf (out, ".Fl %c", o->letter);
          first = FALSE;
        }
      if (first)
        g_string_truncate (out, out->len - strlen ("Options:"));
      else
        g_string_append (out, " .\n");
      g_string_append_printf (out, ".Pp\nExample:\n.Dl %s\n", c->example);
    }
  g_string_append (out, ".El\n.Sh OPTIONS\n"
                        "An option means the same in every command that has it.\n"
                        ".Bl -tag -width Ds\n");
  for (const CmdOption *o = cmd_options; !is_end (o); o++)
    if (!(o->commands & CMD_HIDDEN))
      append_mdoc_option (out, o);
  g_string_append (out, ".El\n");
  return g_string_free (out, FALSE);
}
