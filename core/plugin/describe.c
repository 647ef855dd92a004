/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c: looking into plugin files through child processes.
 *
 * A library's constructors run when it is opened, and may crash, hang or
 * print; so a list of everything installed is made by one child per file,
 * `flowrun --describe-plugin FILE`, a few at a time.  What a child prints on
 * standard output is the description, on standard error the reason why not.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/json.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/plugin-private.h"

#define AT_ONCE 4
#define TIME_OUT (5 * G_USEC_PER_SEC)
#define MAX_OUTPUT (16 * 1024 * 1024)

typedef struct
{
  const char *file;
  GPid pid;
  int fd[2]; /* standard output, standard error; -1 when ended */
  GString *text[2];
  gint64 deadline;
  JsonObject *result; /* set when it is over */
} Child;

static JsonObject *failure (const char *file, const char *format, ...) G_GNUC_PRINTF (2, 3);

static JsonObject *
failure (const char *file, const char *format, ...)
{
  JsonObject *object = json_object_new ();
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  json_object_set_string_member (object, "file", file);
  json_object_set_string_member (object, "error", message);
  return object;
}

/* The command that can describe: said by FLOWRUN, or this process itself, or
 * the installed one. */
static char *
find_flowrun (void)
{
  const char *said = g_getenv ("FLOWRUN");
  g_autofree char *self = NULL;
  g_autofree char *name = NULL;

  if (said != NULL && said[0] != '\0')
    return g_strdup (said);
  self = g_file_read_link ("/proc/self/exe", NULL);
  if (self != NULL)
    {
      name = g_path_get_basename (self);
      if (strcmp (name, "flowrun") == 0 || strcmp (name, "lt-flowrun") == 0)
        return g_steal_pointer (&self);
    }
  return g_strdup (FR_BINDIR "/flowrun");
}

static void
start (Child *child, const char *flowrun)
{
  const char *argv[] = { flowrun, "--describe-plugin", child->file, NULL };
  g_autoptr (GError) error = NULL;

  child->fd[0] = child->fd[1] = -1;
  if (!g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                 &child->pid, NULL, &child->fd[0], &child->fd[1], &error))
    {
      child->result = failure (child->file, "'%s' cannot be started to describe it: %s", flowrun,
                               error->message);
      return;
    }
  for (guint i = 0; i < 2; i++)
    {
      child->text[i] = g_string_new (NULL);
      fcntl (child->fd[i], F_SETFL, fcntl (child->fd[i], F_GETFL) | O_NONBLOCK);
    }
  child->deadline = g_get_monotonic_time () + TIME_OUT;
}

static void
close_pipes (Child *child)
{
  for (guint i = 0; i < 2; i++)
    if (child->fd[i] >= 0)
      {
        close (child->fd[i]);
        child->fd[i] = -1;
      }
}

static int
reap (Child *child)
{
  int status = 0;

  while (waitpid (child->pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

static void
give_up (Child *child, const char *why)
{
  kill (child->pid, SIGKILL);
  reap (child);
  close_pipes (child);
  child->result = failure (child->file, "%s", why);
}

/* The description, or the best reason there is for having none. */
static void
conclude (Child *child)
{
  int status = reap (child);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  g_strstrip (child->text[1]->str);
  if (WIFSIGNALED (status))
    {
      child->result = failure (child->file, "it crashed while it was being opened (%s)",
                               g_strsignal (WTERMSIG (status)));
      return;
    }
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    {
      child->result = failure (child->file, "%s",
                               child->text[1]->str[0] != '\0'
                                   ? child->text[1]->str
                                   : "it ended the program while it was being opened");
      return;
    }
  node = fr_json_parse (child->text[0]->str, (gssize) child->text[0]->len, 0, &error);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    child->result = json_object_ref (json_node_get_object (node));
  else
    child->result = failure (child->file, "it printed something of its own while it was being "
                                          "opened, which a plugin never may");
}

static void
take (Child *child, guint i)
{
  char block[16384];
  gssize n = read (child->fd[i], block, sizeof block);

  if (n > 0)
    {
      g_string_append_len (child->text[i], block, n);
      if (child->text[i]->len > MAX_OUTPUT)
        give_up (child, "it printed without end while it was being opened");
    }
  else if (n == 0 || (errno != EINTR && errno != EAGAIN))
    {
      close (child->fd[i]);
      child->fd[i] = -1;
    }
}

/* Waits for something to come from any of the running children. */
static void
attend (Child *children, guint n)
{
  g_autofree struct pollfd *fds = g_new (struct pollfd, 2 * n);
  g_autofree guint *whose = g_new (guint, 2 * n);
  gint64 now = g_get_monotonic_time (), wait = TIME_OUT;
  nfds_t n_fds = 0;

  for (guint i = 0; i < n; i++)
    {
      if (children[i].pid == 0 || children[i].result != NULL)
        continue;
      wait = CLAMP (children[i].deadline - now, 0, wait);
      for (guint k = 0; k < 2; k++)
        if (children[i].fd[k] >= 0)
          {
            whose[n_fds] = 2 * i + k;
            fds[n_fds++] = (struct pollfd){ .fd = children[i].fd[k], .events = POLLIN };
          }
    }
  if (n_fds > 0 && poll (fds, n_fds, (int) (wait / 1000) + 1) > 0)
    for (nfds_t j = 0; j < n_fds; j++)
      if (fds[j].revents != 0 && children[whose[j] / 2].result == NULL)
        take (&children[whose[j] / 2], whose[j] % 2);
  now = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    {
      Child *child = &children[i];

      if (child->pid == 0 || child->result != NULL)
        continue;
      if (child->fd[0] < 0 && child->fd[1] < 0)
        conclude (child);
      else if (now >= child->deadline)
        give_up (child, "it did not answer within 5 seconds of being opened");
    }
}

JsonArray *
fri_describe_files (const char *const *files, guint n)
{
  g_autofree char *flowrun = find_flowrun ();
  g_autofree Child *children = g_new0 (Child, MAX (n, 1));
  JsonArray *array = json_array_new ();
  guint started = 0, over;

  for (guint i = 0; i < n; i++)
    children[i].file = files[i];
  do
    {
      guint running = 0;

      over = 0;
      for (guint i = 0; i < started; i++)
        if (children[i].result != NULL)
          over++;
        else
          running++;
      for (; running < AT_ONCE && started < n; started++, running++)
        start (&children[started], flowrun);
      if (over < n)
        attend (children, started);
    }
  while (over < n);
  for (guint i = 0; i < n; i++)
    {
      json_array_add_object_element (array, children[i].result);
      for (guint k = 0; k < 2; k++)
        if (children[i].text[k] != NULL)
          g_string_free (children[i].text[k], TRUE);
    }
  return array;
}
