/* SPDX-License-Identifier: Apache-2.0 */
/* program.c: see program.h. */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BLOCK (64 * 1024)
#define READ_MOST (1024 * 1024)
#define N_LAST_WORDS 5
#define LONGEST_COMPLAINT 4096

/* In the child, between fork and exec: only what is safe there. */
static void
set_up_child (gpointer data)
{
  (void) data;
  setpgid (0, 0);
  signal (SIGPIPE, SIG_DFL);
  signal (SIGXFSZ, SIG_DFL);
}

Program *
program_start (const char *const *argv, const char *const *env, const char *directory,
               GError **error)
{
  g_autoptr (GError) failed = NULL;
  Program *p = g_new0 (Program, 1);
  gboolean ok;

  p->in = p->out = p->err = -1;
  ok = g_spawn_async_with_pipes (directory, (char **) argv, (char **) env,
                                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, set_up_child,
                                 NULL, &p->pid, &p->in, &p->out, &p->err, &failed);
  if (!ok)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "cannot start '%s': %s; check 'command' and 'directory'", argv[0],
                   failed->message);
      g_free (p);
      return NULL;
    }
  g_unix_set_fd_nonblocking (p->in, TRUE, NULL);
  g_unix_set_fd_nonblocking (p->out, TRUE, NULL);
  g_unix_set_fd_nonblocking (p->err, TRUE, NULL);
  p->to_send = g_string_new (NULL);
  p->line = g_string_new (NULL);
  p->complaint = g_string_new (NULL);
  g_queue_init (&p->last_words);
  p->progress_us = g_get_monotonic_time ();
  return p;
}

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* A write to a program that is gone raises SIGPIPE, which is the process's
 * business and not this thread's: it is blocked and eaten here. */
static gssize
write_quietly (int fd, const char *data, gsize len)
{
  const struct timespec at_once = { 0, 0 };
  sigset_t pipe_set, old, pending;
  gssize n;
  int errnum;
  gboolean was_pending;

  sigemptyset (&pipe_set);
  sigaddset (&pipe_set, SIGPIPE);
  sigpending (&pending);
  was_pending = sigismember (&pending, SIGPIPE) == 1;
  pthread_sigmask (SIG_BLOCK, &pipe_set, &old);
  n = write (fd, data, len);
  errnum = errno;
  if (n < 0 && errnum == EPIPE && !was_pending)
    sigtimedwait (&pipe_set, NULL, &at_once);
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  errno = errnum;
  return n;
}

gboolean
program_send (Program *p, GError **error)
{
  while (p->in >= 0 && p->sent < p->to_send->len)
    {
      gssize n = write_quietly (p->in, p->to_send->str + p->sent,
                                MIN (p->to_send->len - p->sent, READ_BLOCK));

      if (n >= 0)
        {
          p->sent += (gsize) n;
          p->progress_us = g_get_monotonic_time ();
        }
      else if (errno == EAGAIN)
        break;
      else if (errno == EPIPE)
        {
          p->refused = TRUE;
          close_fd (&p->in);
        }
      else if (errno != EINTR)
        return fr_error_errno (error, errno, "write to the program", NULL);
    }
  if (p->sent == p->to_send->len || p->in < 0)
    {
      g_string_truncate (p->to_send, 0);
      p->sent = 0;
    }
  else if (p->sent > READ_MOST)
    {
      g_string_erase (p->to_send, 0, (gssize) p->sent);
      p->sent = 0;
    }
  return TRUE;
}

void
program_close_input (Program *p)
{
  close_fd (&p->in);
}

gboolean
program_read (Program *p, GError **error)
{
  gsize most = READ_MOST;

  if (p->taken > 0)
    {
      g_string_erase (p->line, 0, (gssize) p->taken);
      p->seen -= p->taken;
      p->taken = 0;
    }
  while (p->out >= 0 && most > 0)
    {
      gsize at = p->line->len;
      gssize n;

      g_string_set_size (p->line, at + READ_BLOCK);
      n = read (p->out, p->line->str + at, READ_BLOCK);
      g_string_set_size (p->line, at + (gsize) MAX (n, 0));
      if (n > 0)
        {
          p->progress_us = g_get_monotonic_time ();
          most -= MIN (most, (gsize) n);
        }
      else if (n == 0)
        close_fd (&p->out);
      else if (errno == EAGAIN)
        break;
      else if (errno != EINTR)
        return fr_error_errno (error, errno, "read from the program", NULL);
    }
  return TRUE;
}

gboolean
program_next_line (Program *p, gboolean last, FrStr *line)
{
  const char *newline = p->seen < p->line->len
                            ? memchr (p->line->str + p->seen, '\n', p->line->len - p->seen)
                            : NULL;
  gsize end = newline != NULL ? (gsize) (newline - p->line->str) : p->line->len;

  if (newline == NULL && !(last && p->taken < p->line->len))
    {
      p->seen = p->line->len;
      return FALSE;
    }
  *line = (FrStr){ p->line->str + p->taken, end - p->taken };
  if (line->len > 0 && line->data[line->len - 1] == '\r')
    line->len--;
  p->taken = p->seen = newline != NULL ? end + 1 : end;
  return TRUE;
}

static void
end_complaint (Program *p, ProgramComplaint func, gpointer data)
{
  char *line = g_utf8_make_valid (p->complaint->str, (gssize) p->complaint->len);

  g_string_truncate (p->complaint, 0);
  func (line, data);
  g_queue_push_tail (&p->last_words, line);
  if (p->last_words.length > N_LAST_WORDS)
    g_free (g_queue_pop_head (&p->last_words));
}

void
program_read_error (Program *p, ProgramComplaint func, gpointer data)
{
  char block[4096];
  gssize n;
  guint blocks = 0;

  while (p->err >= 0 && blocks++ < 64)
    {
      n = read (p->err, block, sizeof block);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return;
      for (gssize i = 0; i < n; i++)
        {
          if (block[i] != '\n')
            g_string_append_c (p->complaint, block[i]);
          if ((block[i] == '\n' && p->complaint->len > 0) || p->complaint->len >= LONGEST_COMPLAINT)
            end_complaint (p, func, data);
        }
      if (n == 0)
        {
          if (p->complaint->len > 0)
            end_complaint (p, func, data);
          close_fd (&p->err);
        }
    }
}

gboolean
program_reap (Program *p, int *status)
{
  pid_t ended = waitpid (p->pid, status, WNOHANG);

  if (ended != p->pid)
    return FALSE;
  /* What it started ends with it. */
  kill (-p->pid, SIGKILL);
  p->pid = 0;
  return TRUE;
}

void
program_kill (Program *p)
{
  if (p->pid > 0)
    {
      kill (-p->pid, SIGKILL);
      kill (p->pid, SIGKILL);
    }
}

char *
program_last_words (const Program *p, const char *before)
{
  GString *out = g_string_new (NULL);

  for (GList *l = p->last_words.head; l != NULL; l = l->next)
    g_string_append_printf (out, "%s%s", out->len == 0 ? before : "\n", (char *) l->data);
  return g_string_free (out, FALSE);
}

void
program_free (Program *p)
{
  if (p == NULL)
    return;
  close_fd (&p->in);
  close_fd (&p->out);
  close_fd (&p->err);
  if (p->pid > 0)
    {
      program_kill (p);
      while (waitpid (p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    }
  g_string_free (p->to_send, TRUE);
  g_string_free (p->line, TRUE);
  g_string_free (p->complaint, TRUE);
  g_queue_clear_full (&p->last_words, g_free);
  g_free (p);
}
