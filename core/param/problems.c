/* SPDX-License-Identifier: Apache-2.0 */
/* problems.c: collecting, placing, sorting and printing problems. */
#include "config.h"

#include <string.h>

#include "param/problems.h"

/* A file with more mistakes than this is not read to the end by anybody; the
 * rest is counted, so that hostile input cannot fill memory with messages. */
#define MAX_PROBLEMS 1000

/* What is printed of a pointer into something nested beyond reading. */
#define MAX_POINTER 200

struct _FrProblems
{
  char *file;
  GPtrArray *list;
  gboolean sorted;
  guint n_errors;
  guint n_left_out;
  char *scope_stage;
  char *scope_prefix;
  FriLocate locate;
  gpointer locate_data;
  GDestroyNotify locate_free;
  GHashTable *origins; /* pointer → text of the command line */
  GHashTable *muted;   /* set of pointers */
};

static void
problem_free (gpointer data)
{
  FriProblem *problem = data;

  g_free (problem->file);
  g_free (problem->pointer);
  g_free (problem->stage);
  g_free (problem->message);
  g_free (problem);
}

FrProblems *
fri_problems_new (const char *file)
{
  FrProblems *problems = g_new0 (FrProblems, 1);

  problems->file = g_strdup (file);
  problems->list = g_ptr_array_new_with_free_func (problem_free);
  problems->origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  problems->muted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return problems;
}

void
fri_problems_free (FrProblems *problems)
{
  if (problems == NULL)
    return;
  g_free (problems->file);
  g_ptr_array_unref (problems->list);
  g_free (problems->scope_stage);
  g_free (problems->scope_prefix);
  g_hash_table_unref (problems->origins);
  g_hash_table_unref (problems->muted);
  if (problems->locate_free != NULL)
    problems->locate_free (problems->locate_data);
  g_free (problems);
}

guint
fri_problems_n_errors (const FrProblems *problems)
{
  return problems->n_errors;
}

void
fri_problems_set_locator (FrProblems *problems, FriLocate locate, gpointer data,
                          GDestroyNotify free_data)
{
  if (problems->locate_free != NULL)
    problems->locate_free (problems->locate_data);
  problems->locate = locate;
  problems->locate_data = data;
  problems->locate_free = free_data;
}

gboolean
fri_problems_has_locator (const FrProblems *problems)
{
  return problems->locate != NULL;
}

void
fri_problems_set_origin (FrProblems *problems, const char *pointer, const char *origin)
{
  g_hash_table_replace (problems->origins, g_strdup (pointer), g_strdup (origin));
}

void
fri_problems_mute (FrProblems *problems, const char *pointer)
{
  g_hash_table_add (problems->muted, g_strdup (pointer));
}

void
fri_problems_set_scope (FrProblems *problems, const char *stage, const char *prefix)
{
  g_free (problems->scope_stage);
  g_free (problems->scope_prefix);
  problems->scope_stage = g_strdup (stage);
  problems->scope_prefix = g_strdup (prefix);
}

char *
fri_pointer (const char *base, const char *token)
{
  GString *out = g_string_new (base);

  g_string_append_c (out, '/');
  for (; *token != '\0'; token++)
    if (*token == '~')
      g_string_append (out, "~0");
    else if (*token == '/')
      g_string_append (out, "~1");
    else
      g_string_append_c (out, *token);
  return g_string_free (out, FALSE);
}

/* A value's problem stands at the value.  What is missing stands nowhere, so
 * its problem goes to the key of the nearest thing around it that is there. */
static void
place (FrProblems *problems, FriProblem *problem, gboolean key)
{
  g_autofree char *pointer = g_strdup (problem->pointer);
  gboolean exact = TRUE;

  for (;;)
    {
      const char *origin = g_hash_table_lookup (problems->origins, pointer);
      char *slash;

      if (origin != NULL)
        {
          g_free (problem->file);
          problem->file = g_strdup (origin);
          return;
        }
      if (problems->locate != NULL
          && problems->locate (problems->locate_data, pointer, key || !exact, &problem->line,
                               &problem->column))
        return;
      slash = strrchr (pointer, '/');
      if (slash == NULL)
        return;
      *slash = '\0';
      exact = FALSE;
    }
}

static FriProblem *
append (FrProblems *problems, gboolean warning, const char *stage, char *pointer, char *message)
{
  FriProblem *problem;

  gboolean echo = g_hash_table_contains (problems->muted, pointer);

  if (!warning)
    problems->n_errors++;
  if (echo || problems->list->len >= MAX_PROBLEMS)
    {
      problems->n_left_out += !echo;
      g_free (pointer);
      g_free (message);
      return NULL;
    }
  problem = g_new0 (FriProblem, 1);
  problem->warning = warning;
  problem->file = g_strdup (problems->file);
  problem->stage = g_strdup (stage);
  problem->pointer = pointer;
  problem->message = message;
  g_ptr_array_add (problems->list, problem);
  problems->sorted = FALSE;
  return problem;
}

static void
add (FrProblems *problems, gboolean warning, gboolean key, const char *stage, char *pointer,
     char *message)
{
  FriProblem *problem = append (problems, warning, stage, pointer, message);

  if (problem != NULL)
    place (problems, problem, key);
}

void
fri_problems_add_at (FrProblems *problems, gboolean warning, const char *stage, const char *pointer,
                     const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add (problems, warning, FALSE, stage, g_strdup (pointer), g_strdup_vprintf (format, args));
  va_end (args);
}

void
fri_problems_add_key (FrProblems *problems, gboolean warning, const char *stage,
                      const char *pointer, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add (problems, warning, TRUE, stage, g_strdup (pointer), g_strdup_vprintf (format, args));
  va_end (args);
}

void
fri_problems_add_here (FrProblems *problems, guint line, guint column, const char *pointer,
                       const char *format, ...)
{
  FriProblem *problem;
  va_list args;

  va_start (args, format);
  problem = append (problems, FALSE, NULL, g_strdup (pointer), g_strdup_vprintf (format, args));
  va_end (args);
  if (problem == NULL)
    return;
  problem->line = line;
  problem->column = column;
}

void
fri_problems_add_given (FrProblems *problems, const char *given, const char *format, ...)
{
  FriProblem *problem;
  va_list args;

  va_start (args, format);
  problem = append (problems, FALSE, NULL, g_strdup (""), g_strdup_vprintf (format, args));
  va_end (args);
  if (problem == NULL)
    return;
  g_free (problem->file);
  problem->file = g_strdup (given);
}

void
fri_problems_add_in_scope (FrProblems *problems, gboolean warning, gboolean key,
                           const char *pointer, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add (problems, warning, key, problems->scope_stage,
       g_strconcat (problems->scope_prefix ? problems->scope_prefix : "", pointer, NULL),
       g_strdup_vprintf (format, args));
  va_end (args);
}

void
fr_problems_add (FrProblems *problems, const char *pointer, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add (problems, FALSE, FALSE, problems->scope_stage,
       g_strconcat (problems->scope_prefix ? problems->scope_prefix : "", pointer, NULL),
       g_strdup_vprintf (format, args));
  va_end (args);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const FriProblem *x = *(FriProblem *const *) a, *y = *(FriProblem *const *) b;

  if (x->line != y->line)
    return x->line < y->line ? -1 : 1;
  if (x->column != y->column)
    return x->column < y->column ? -1 : 1;
  return 0;
}

/* g_ptr_array_sort() is stable (GLib says so since 2.32), so problems of one
 * place stay in the order in which they were found. */
GPtrArray *
fri_problems_list (FrProblems *problems)
{
  if (!problems->sorted)
    g_ptr_array_sort (problems->list, compare);
  problems->sorted = TRUE;
  return problems->list;
}

char *
fri_problems_text (FrProblems *problems)
{
  GPtrArray *list = fri_problems_list (problems);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++)
    {
      const FriProblem *p = list->pdata[i];

      g_string_append (out, p->file ? p->file : "pipeline");
      if (p->line > 0)
        g_string_append_printf (out, ":%u:%u", p->line, p->column);
      g_string_append_printf (out, ": %s: %s", p->warning ? "warning" : "error", p->message);
      if (strlen (p->pointer) > MAX_POINTER)
        g_string_append_printf (
            out, " (%.*s...)",
            (int) (g_utf8_find_prev_char (p->pointer, p->pointer + MAX_POINTER) - p->pointer),
            p->pointer);
      else if (p->pointer[0] != '\0')
        g_string_append_printf (out, " (%s)", p->pointer);
      g_string_append_c (out, '\n');
    }
  if (problems->n_left_out > 0)
    g_string_append_printf (out, "%s: %u more problems are not shown\n",
                            problems->file ? problems->file : "pipeline", problems->n_left_out);
  return g_string_free (out, FALSE);
}
