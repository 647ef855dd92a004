/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: what the command says to people on standard error: errors, warnings,
 * the problems of a pipeline file; and the exit status that goes with them. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

static void
say_line (const char *label, Style style, const char *format, va_list args)
{
  gboolean colour = term_colour (STDERR_FILENO);
  g_autofree char *text = g_strdup_vprintf (format, args);

  /* One write a line: several processes may share standard error. */
  if (label != NULL)
    fprintf (stderr, "flowrun: %s%s:%s %s\n", term_style (style, colour), label,
             term_plain (colour), text);
  else
    fprintf (stderr, "%s\n", text);
}

void
say_error (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  say_line ("error", STYLE_RED, format, args);
  va_end (args);
}

void
say_warning (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  say_line ("warning", STYLE_YELLOW, format, args);
  va_end (args);
}

void
say (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  say_line (NULL, STYLE_NONE, format, args);
  va_end (args);
}

int
cmd_fail (const GError *error)
{
  say_error ("%s", error->message);
  if (g_error_matches (error, FR_ERROR, FR_ERROR_CANCELLED))
    return FRI_EXIT_INTERRUPTED;
  if (g_error_matches (error, FR_ERROR, FR_ERROR_CONFIG)
      || g_error_matches (error, FR_ERROR, FR_ERROR_LOAD)
      || g_error_matches (error, FR_ERROR, FR_ERROR_TYPE))
    return FRI_EXIT_USAGE;
  return FRI_EXIT_FAILED;
}

gboolean
cmd_flush (void)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  if (errno == EPIPE) /* the reader has seen enough */
    return TRUE;
  say_error ("cannot write to standard output: %s", g_strerror (errno));
  return FALSE;
}

int
cmd_print_json (JsonNode *node)
{
  g_autofree char *text = fr_json_to_string (node, 2);

  fputs (text, stdout);
  if (!g_str_has_suffix (text, "\n"))
    fputc ('\n', stdout);
  json_node_unref (node);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}

/* ---- problems of a pipeline file -------------------------------------------------- */

static void
print_problem (const FriProblem *p, FILE *out, gboolean colour)
{
  fprintf (out, "%s%s", term_style (STYLE_BOLD, colour), p->file ? p->file : "pipeline");
  if (p->line > 0)
    fprintf (out, ":%u:%u", p->line, p->column);
  fprintf (out, ":%s %s%s:%s %s", term_plain (colour),
           term_style (p->warning ? STYLE_YELLOW : STYLE_RED, colour),
           p->warning ? "warning" : "error", term_plain (colour), p->message);
  if (p->pointer != NULL && p->pointer[0] != '\0')
    fprintf (out, " %s(%s)%s", term_style (STYLE_DIM, colour), p->pointer, term_plain (colour));
  fputc ('\n', out);
}

void
cmd_print_problems (FrProblems *problems, FILE *out)
{
  gboolean colour = term_colour (fileno (out));
  GPtrArray *list = fri_problems_list (problems);
  guint errors = fri_problems_n_errors (problems), warnings = list->len - errors;

  for (guint i = 0; i < list->len; i++)
    print_problem (g_ptr_array_index (list, i), out, colour);
  if (errors > 0 && warnings > 0)
    fprintf (out, "%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s", warnings,
             warnings == 1 ? "" : "s");
  else if (errors > 0)
    fprintf (out, "%u error%s\n", errors, errors == 1 ? "" : "s");
}

JsonNode *
cmd_problems_json (FrProblems *problems)
{
  GPtrArray *list = fri_problems_list (problems);
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  for (guint i = 0; i < list->len; i++)
    {
      const FriProblem *p = g_ptr_array_index (list, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "severity", p->warning ? "warning" : "error");
      json_object_set_string_member (object, "file", p->file);
      json_object_set_int_member (object, "line", p->line);
      json_object_set_int_member (object, "column", p->column);
      json_object_set_string_member (object, "pointer", p->pointer);
      json_object_set_string_member (object, "stage", p->stage);
      json_object_set_string_member (object, "message", p->message);
      json_array_add_object_element (array, object);
    }
  json_node_take_array (node, array);
  return node;
}
