/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c: the first signal asks the run to end, the second ends it.
 *
 * The handler may only write and _exit, so it writes a byte into a pipe; a
 * thread at the other end fires the GCancellable.
 */
#include "config.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

static int wake[2] = { -1, -1 };
static int seen;               /* atomic: two signals may come to two threads at once */
static const char *last_words; /* atomic */

static void
on_signal (int number)
{
  const char *words = g_atomic_pointer_get (&last_words);
  ssize_t n;

  (void) number;
  if (g_atomic_int_add (&seen, 1) > 0)
    {
      if (words != NULL)
        {
          n = write (STDERR_FILENO, words, strlen (words));
          (void) n;
        }
      _exit (FRI_EXIT_INTERRUPTED);
    }
  n = write (wake[1], "", 1);
  (void) n;
}

static gpointer
watch (gpointer data)
{
  g_autoptr (GCancellable) cancellable = data;
  char byte;

  while (read (wake[0], &byte, 1) < 0)
    ;
  g_cancellable_cancel (cancellable);
  return NULL;
}

void
cmd_signals_catch (GCancellable *cancellable)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

  if (!g_unix_open_pipe (wake, FD_CLOEXEC, NULL))
    return; /* signals then end the program the plain way */
  g_thread_unref (g_thread_new ("signals", watch, g_object_ref (cancellable)));
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      struct sigaction old;

      /* nohup and background shells ignore some on purpose: leave that. */
      if (sigaction (numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction (numbers[i], &action, NULL);
    }
}

void
cmd_signals_last_words (const char *text)
{
  g_atomic_pointer_set (&last_words, text);
}
