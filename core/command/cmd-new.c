/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-new.c: flowrun new and flowrun completion: files that this program
 * carries in itself (templates/ and completion/, as a GResource). */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "command/command.h"

typedef struct
{
  const char *kind;
  const char *name; /* my-filter */
  char *word;       /* my_filter */
  char *element;    /* transform.my_filter */
  const char *dir;
} Project;

static void
replace (GString *text, const char *what, const char *with)
{
  g_string_replace (text, what, with, 0);
}

/* The generic battery needs to know the file that a source reads. */
static const char *
check_options (const char *kind)
{
  return strcmp (kind, "source") == 0 ? "--with '{\"path\": \"$(abs_srcdir)/example.txt\"}'" : "";
}

static gboolean
write_file (const Project *project, const char *template, GError **error)
{
  g_autoptr (GBytes) bytes = g_resources_lookup_data (template, 0, error);
  g_autofree char *base = g_path_get_basename (template), *name = NULL, *path = NULL;
  g_autoptr (GString) text = NULL;
  g_autofree char *version = g_strndup (PACKAGE_VERSION, strcspn (PACKAGE_VERSION, ".") + 2);

  if (bytes == NULL)
    return FALSE;
  text = g_string_new_len (g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  replace (text, "@NAME@", project->name);
  replace (text, "@WORD@", project->word);
  replace (text, "@KIND@", project->kind);
  replace (text, "@ELEMENT@", project->element);
  replace (text, "@VERSION@", version);
  replace (text, "@PLUGIN_CHECK_OPTIONS@", check_options (project->kind));
  replace (text, "@DATA@", strcmp (project->kind, "source") == 0 ? "example.txt" : "example.csv");
  if (strcmp (base, "plugin.c") == 0)
    name = g_strconcat (project->name, ".c", NULL);
  else if (strcmp (base, "test.c") == 0)
    name = g_strdup_printf ("test-%s.c", project->name);
  else
    name = g_strdup (strcmp (base, "gitignore") == 0 ? ".gitignore" : base);
  path = g_build_filename (project->dir, name, NULL);
  if (!g_file_set_contents (path, text->str, (gssize) text->len, error))
    return FALSE;
  printf ("%s\n", path);
  return TRUE;
}

static gboolean
write_folder (const Project *project, const char *folder, GError **error)
{
  g_autofree char *path = g_strconcat ("/flowrun/templates/", folder, NULL);
  g_auto (GStrv) names = g_resources_enumerate_children (path, 0, error);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *template = g_strconcat (path, "/", names[i], NULL);

      if (!write_file (project, template, error))
        return FALSE;
    }
  return names != NULL;
}

static int
check_words (const CmdLine *line)
{
  static const char *const kinds[] = { "source", "transform", "evaluator", "sink", NULL };
  const char *near = fr_suggest (line->args[0], kinds);

  if (!g_strv_contains (kinds, line->args[0]))
    {
      say_error (
          "there is no template for '%s'%s%s%s; kinds are source, transform, evaluator and sink",
          line->args[0], near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
      return FRI_EXIT_USAGE;
    }
  if (!g_regex_match_simple ("^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", line->args[1], 0, 0)
      || strlen (line->args[1]) > 64)
    {
      say_error ("'%s' cannot be a name: lower-case letters, digits and '-' between them, as in "
                 "my-filter",
                 line->args[1]);
      return FRI_EXIT_USAGE;
    }
  return FRI_EXIT_OK;
}

int
cmd_new (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *word = NULL, *element = NULL;
  Project project;

  if (check_words (line) != FRI_EXIT_OK)
    return FRI_EXIT_USAGE;
  word = g_strdelimit (g_strdup (line->args[1]), "-", '_');
  element = g_strdup_printf ("%s.%s", line->args[0], word);
  project = (Project){ .kind = line->args[0],
                       .name = line->args[1],
                       .word = word,
                       .element = element,
                       .dir = line->n_args > 2 ? line->args[2] : line->args[1] };
  if (g_mkdir (project.dir, 0777) != 0)
    {
      int errnum = errno;

      if (errnum == EEXIST)
        say_error ("'%s' is already there; name another directory: flowrun new %s %s DIR",
                   project.dir, project.kind, project.name);
      else
        say_error ("cannot make the directory '%s': %s", project.dir, g_strerror (errnum));
      return errnum == EEXIST ? FRI_EXIT_USAGE : FRI_EXIT_FAILED;
    }
  if (!write_folder (&project, "common", &error) || !write_folder (&project, project.kind, &error))
    return cmd_fail (error);
  say ("\nnow: cd %s && autoreconf -i && ./configure && make check && make run", project.dir);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}

int
cmd_completion (const CmdLine *line)
{
  gboolean zsh = strcmp (line->args[0], "zsh") == 0;
  g_autoptr (GBytes) bytes = NULL;

  if (!zsh && strcmp (line->args[0], "bash") != 0)
    {
      say_error ("there is no completion for '%s', only for bash and zsh", line->args[0]);
      return FRI_EXIT_USAGE;
    }
  bytes = g_resources_lookup_data (
      zsh ? "/flowrun/completion/_flowrun" : "/flowrun/completion/flowrun.bash", 0, NULL);
  if (bytes != NULL)
    fwrite (g_bytes_get_data (bytes, NULL), 1, g_bytes_get_size (bytes), stdout);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}
