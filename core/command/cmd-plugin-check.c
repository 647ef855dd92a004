/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-plugin-check.c: flowrun plugin-check: the generic battery on any plugin.
 *
 * The plugin is only ever opened in child processes.  A child works through
 * the battery and prints TAP; when it dies or hangs, this process says in
 * which check, and a new child goes on behind it.
 */
#include "config.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "testkit/testkit.h"

typedef struct
{
  guint passed, failed, skipped, number;
} Count;

/* ---- the child ---------------------------------------------------------------------- */

static void
print_result (const char *element, const char *name, FriCheckResult result, const char *why)
{
  g_auto (GStrv) lines = g_strsplit (why, "\n", -1);

  printf ("%s %s: %s%s%s\n", result == FRI_CHECK_FAILED ? "not ok" : "ok", element, name,
          result == FRI_CHECK_SKIPPED ? " # SKIP " : "",
          result == FRI_CHECK_SKIPPED ? lines[0] : "");
  for (guint i = 0; result == FRI_CHECK_FAILED && lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      printf ("#   %s\n", lines[i]);
  fflush (stdout);
}

static gboolean
give_input (const CmdLine *line, FrTest *test, GString *why)
{
  const FrPort *const *inputs = test->element->inputs;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = NULL;
  FrBatch *batch = NULL;

  if (inputs == NULL || inputs[0] == NULL)
    return TRUE;
  for (guint i = 0; inputs[i] != NULL; i++)
    if (inputs[i]->kind != FR_PORT_RECORDS && !(inputs[i]->flags & FR_PORT_OPTIONAL))
      {
        g_string_append_printf (why, "its input '%s' needs a %s, which cannot be invented",
                                inputs[i]->name,
                                inputs[i]->kind == FR_PORT_MODEL ? "model" : "report");
        return FALSE;
      }
  if (line->input == NULL)
    {
      if (fri_test_invent (test))
        return TRUE;
      g_string_append_printf (why,
                              "no rows could be invented that it accepts; give some with "
                              "--columns and --input (%s)",
                              g_strstrip (test->problems));
      return FALSE;
    }
  schema = fr_schema_parse (line->columns ? line->columns : "text: utf8", &error);
  if (schema != NULL && g_file_get_contents (line->input, &text, NULL, &error))
    batch = fri_test_rows (schema, text, 1, 1, &error);
  if (batch == NULL)
    {
      g_string_append (why, error->message);
      return FALSE;
    }
  fri_test_add_input (test, inputs[0]->name, schema, batch);
  return TRUE;
}

/* The checks that need rows or files which cannot be invented are skipped; the
 * first one, the description, never is. */
static void
check_element (const CmdLine *line, const FrPlugin *plugin, const FrElement *element, guint *at)
{
  guint n, first = *at;
  const FriCheck *checks = fri_battery (&n);
  g_autoptr (GError) error = NULL;
  g_autoptr (FrTest) test
      = fri_test_new (plugin, element->name, line->with ? line->with : element->example, &error);
  g_autoptr (GString) no_input = g_string_new (NULL);
  gboolean usable = test != NULL, told = FALSE;

  *at += n;
  if (*at <= (guint) line->from)
    return;
  if (test == NULL)
    {
      print_result (element->name, checks[0].name, FRI_CHECK_FAILED, error->message);
      return;
    }
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GString) why = g_string_new (NULL);
      FriCheckResult result;

      if (first + i < (guint) line->from)
        continue;
      printf ("@%u %s: %s\n", first + i, element->name, checks[i].name);
      fflush (stdout);
      if (i > 0 && usable && no_input->len == 0 && test->inputs->len == 0)
        usable = give_input (line, test, no_input);
      if (i > 0 && usable && element->kind == FR_KIND_SOURCE && line->with == NULL
          && no_input->len == 0 && !fri_test_check (test))
        {
          g_string_append_printf (
              no_input, "its example does not stand alone; give parameters with --with (%s)",
              g_strstrip (test->problems));
          usable = FALSE;
        }
      if (i > 0 && !usable)
        {
          g_strdelimit (no_input->str, "\n", ' ');
          print_result (element->name, checks[i].name, FRI_CHECK_SKIPPED,
                        told ? "for the same reason" : no_input->str);
          told = TRUE;
          continue;
        }
      result = checks[i].run (test, why);
      print_result (element->name, checks[i].name, result, why->str);
    }
}

/* Whether a service says within the time for a check how well it serves here. */
static void
check_service (const CmdLine *line, const FrService *service, guint *at)
{
  g_autofree char *name = g_strdup_printf ("service %s/%s", service->kind, service->name);
  const char *why = NULL;
  guint number = (*at)++;
  int score;

  if (number < (guint) line->from)
    return;
  printf ("@%u %s: it rates itself\n", number, name);
  fflush (stdout);
  score = service->score != NULL ? service->score (&why) : 1;
  if (score < 0)
    print_result (name, "it rates itself", FRI_CHECK_FAILED, "its score is below 0");
  else if (score == 0 && why == NULL)
    print_result (name, "it rates itself", FRI_CHECK_FAILED,
                  "it cannot serve here and does not say why");
  else
    print_result (name, "it rates itself", FRI_CHECK_PASSED, "");
}

static int
child (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  const FrPlugin *plugin = fri_plugin_open (line->args[0], &error);
  guint at = 0;
  gboolean found = FALSE;

  if (plugin == NULL)
    {
      print_result (line->args[0], "it loads", FRI_CHECK_FAILED, error->message);
      return FRI_EXIT_OK;
    }
  if (line->from == 0)
    print_result (plugin->name, "it loads", FRI_CHECK_PASSED, "");
  for (guint i = 0; plugin->elements[i] != NULL; i++)
    {
      if (line->element != NULL && strcmp (line->element, plugin->elements[i]->name) != 0)
        continue;
      found = TRUE;
      check_element (line, plugin, plugin->elements[i], &at);
    }
  for (guint i = 0; line->element == NULL && plugin->services[i] != NULL; i++)
    {
      found = TRUE;
      check_service (line, plugin->services[i], &at);
    }
  if (!found)
    print_result (plugin->name, "it has the element asked for", FRI_CHECK_FAILED,
                  line->element ? line->element : "it has no elements");
  return FRI_EXIT_OK;
}

/* ---- the parent ---------------------------------------------------------------------- */

static void
count_line (Count *count, const char *text)
{
  gboolean ok = g_str_has_prefix (text, "ok "), bad = g_str_has_prefix (text, "not ok ");

  if (!ok && !bad)
    {
      puts (text);
      return;
    }
  count->number++;
  if (bad)
    count->failed++;
  else if (strstr (text, " # SKIP") != NULL)
    count->skipped++;
  else
    count->passed++;
  printf ("%s %u - %s\n", ok ? "ok" : "not ok", count->number, text + (ok ? 3 : 7));
}

static void
add_option (GPtrArray *argv, const char *option, const char *value)
{
  if (value == NULL)
    return;
  g_ptr_array_add (argv, g_strdup (option));
  g_ptr_array_add (argv, g_strdup (value));
}

static gboolean
start (const CmdLine *line, guint from, GPid *pid, int *fd, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *number = g_strdup_printf ("%u", from);

  g_ptr_array_add (argv, g_file_read_link ("/proc/self/exe", NULL));
  if (argv->pdata[0] == NULL)
    argv->pdata[0] = g_strdup ("flowrun");
  g_ptr_array_add (argv, g_strdup ("plugin-check"));
  g_ptr_array_add (argv, g_strdup ("--child"));
  add_option (argv, "--from", number);
  add_option (argv, "--element", line->element);
  add_option (argv, "--with", line->with);
  add_option (argv, "--columns", line->columns);
  add_option (argv, "--input", line->input);
  add_option (argv, "--", line->args[0]);
  g_ptr_array_add (argv, NULL);
  return g_spawn_async_with_pipes (NULL, (char **) argv->pdata, NULL,
                                   G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL, pid,
                                   NULL, fd, NULL, error);
}

/* Reads the child's lines until it ends; -1 when it ended by itself, else the
 * number of the check in which it died. */
static int
follow (GPid pid, int fd, gint64 timeout, Count *count, char **doing, gboolean *hung)
{
  g_autoptr (GString) buffer = g_string_new (NULL);
  char bytes[4096];
  int current = -1;

  for (;;)
    {
      struct pollfd p = { .fd = fd, .events = POLLIN };
      int ready = poll (&p, 1, (int) MIN (timeout * 1000, G_MAXINT));
      ssize_t n;
      char *newline;

      if (ready < 0 && errno == EINTR)
        continue;
      if (ready == 0)
        {
          *hung = TRUE;
          kill (pid, SIGKILL);
          break;
        }
      n = read (fd, bytes, sizeof bytes);
      if (n <= 0)
        break;
      g_string_append_len (buffer, bytes, n);
      while ((newline = memchr (buffer->str, '\n', buffer->len)) != NULL)
        {
          *newline = '\0';
          if (buffer->str[0] == '@')
            {
              current = (int) g_ascii_strtoull (buffer->str + 1, NULL, 10);
              g_free (*doing);
              *doing = g_strdup (strchr (buffer->str, ' ') ? strchr (buffer->str, ' ') + 1 : "");
            }
          else
            count_line (count, buffer->str);
          if (g_str_has_prefix (buffer->str, "ok ") || g_str_has_prefix (buffer->str, "not ok "))
            g_clear_pointer (doing, g_free);
          g_string_erase (buffer, 0, newline - buffer->str + 1);
        }
      fflush (stdout);
    }
  return current;
}

static void
tell_death (Count *count, const char *doing, int status, gboolean hung)
{
  g_autofree char *text = g_strdup_printf ("not ok %s", doing ? doing : "opening the plugin");

  count_line (count, text);
  if (hung)
    puts ("#   it did not end in time, and was killed");
  else if (WIFSIGNALED (status))
    printf ("#   it crashed: %s\n", g_strsignal (WTERMSIG (status)));
  else
    printf ("#   it ended the whole program with status %d\n", WEXITSTATUS (status));
}

static gboolean
work (const CmdLine *line, Count *count, GError **error)
{
  guint from = 0;

  for (;;)
    {
      GPid pid;
      int fd, status = 0, last;
      g_autofree char *doing = NULL;
      gboolean hung = FALSE;

      if (!start (line, from, &pid, &fd, error))
        return FALSE;
      last = follow (pid, fd, line->timeout, count, &doing, &hung);
      close (fd);
      while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
        ;
      if (!hung && WIFEXITED (status) && WEXITSTATUS (status) == 0 && doing == NULL)
        return TRUE;
      tell_death (count, doing, status, hung);
      if (last < 0)
        return TRUE;
      from = (guint) last + 1;
    }
}

static void
check_symbols (const char *path, Count *count)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = cmd_banned_symbols (path, &error);

  count_line (count, found != NULL && found->len == 0
                         ? "ok it never ends the program (exit, abort)"
                         : "not ok it never ends the program (exit, abort)");
  if (found == NULL)
    printf ("#   %s\n", error->message);
  for (guint i = 0; found != NULL && i < found->len; i++)
    printf ("#   it imports %s; report a GError instead\n", (const char *) found->pdata[i]);
}

int
cmd_plugin_check (const CmdLine *line)
{
  Count count = { 0, 0, 0, 0 };
  g_autoptr (GError) error = NULL;

  if (line->child)
    return child (line);
  if (!g_file_test (line->args[0], G_FILE_TEST_IS_REGULAR))
    {
      say_error ("'%s' is not a file; plugin-check wants a plugin's shared object", line->args[0]);
      return FRI_EXIT_USAGE;
    }
  check_symbols (line->args[0], &count);
  if (!work (line, &count, &error))
    return cmd_fail (error);
  printf ("1..%u\n%u passed, %u failed, %u skipped\n", count.number, count.passed, count.failed,
          count.skipped);
  if (!cmd_flush ())
    return FRI_EXIT_FAILED;
  return count.failed ? FRI_EXIT_FAILED : FRI_EXIT_OK;
}
