/* SPDX-License-Identifier: Apache-2.0 */
/* program.h: one running program and the three pipes to it.
 *
 * Nothing here waits: the owner polls.  The program leads a process group of
 * its own, so that it and whatever it starts end together.
 */
#ifndef COMMAND_PROGRAM_H
#define COMMAND_PROGRAM_H

#include <flowrun/flowrun.h>

typedef struct
{
  GPid pid;
  int in, out, err; /* our ends; -1 when closed */
  GString *to_send; /* bytes for its input, from `sent` on */
  gsize sent;
  GString *line;      /* its output, from `taken` on */
  gsize taken, seen;  /* seen: searched for a newline so far */
  GString *complaint; /* its standard error, not yet a line */
  GQueue last_words;  /* char *: the last lines of its standard error */
  gboolean refused;   /* it closed its input before all was sent */
  gint64 progress_us; /* when it last read or wrote */
} Program;

/** program_start: runs @argv (first word looked up in PATH) in @directory (or NULL). */
Program *program_start (const char *const *argv, const char *const *env, const char *directory,
                        GError **error);
/** program_send: writes what can be written now; FALSE only on error, and a closed pipe is none. */
gboolean program_send (Program *program, GError **error);
/** program_close_input: no more rows will come. */
void program_close_input (Program *program);
/** program_read: reads what is there, at most about 1 MiB. */
gboolean program_read (Program *program, GError **error);
/** program_next_line: a whole line of its output; valid until the next program_read(). @last: also
 * what has no newline. */
gboolean program_next_line (Program *program, gboolean last, FrStr *line);
typedef void (*ProgramComplaint) (const char *line, gpointer data);
void program_read_error (Program *program, ProgramComplaint func, gpointer data);
/** program_reap: whether it has ended, and how. */
gboolean program_reap (Program *program, int *status);
void program_kill (Program *program);
/** program_last_words: the last lines of its standard error after @before, "" if there are none. */
char *program_last_words (const Program *program, const char *before);
void program_free (Program *program);

#endif
