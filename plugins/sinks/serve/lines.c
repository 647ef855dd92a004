/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c: a bounded buffer in front of a file, and the thread between them (lines.h).
 *
 *   any thread --add--> pending --swap--> batch --write--> file
 *
 * The lock guards the buffer alone: nobody holds it while the disk is waited for.
 */
#include "config.h"

#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GATHER (50 * G_TIME_SPAN_MILLISECOND) /* lines of so long go out together */
#define RETRY G_TIME_SPAN_SECOND              /* after a failure */
#define FAREWELL (5 * G_TIME_SPAN_SECOND)     /* for what is left at the end */
#define PIPE_PIECE 4096                       /* never blocks where poll() saw room */
#define PIPE_WAIT 100                         /* ms */

struct _ServeLines
{
  char *path;
  const char *what;
  guint mode;
  gsize room;
  ServeTeller teller;
  GThread *thread;

  GMutex lock;
  GCond wake, rested;
  GString *pending;
  gsize out; /* bytes of the batch that is being written */
  gboolean stop, hurry;
  guint64 rounds; /* of writing, well or not */
  ServeLinesCounts counts;

  /* The writer's own: */
  GString *batch;
  int fd;
  gboolean regular, torn, told, told_open;
  dev_t device;
  ino_t inode;
  gint64 last; /* monotonic µs: when it gives up after stop; 0: not yet */
};

/* ---- the file ----------------------------------------------------------------------------------
 */

static gboolean
is_stdout (const ServeLines *lines)
{
  return strcmp (lines->path, "-") == 0;
}

static gboolean
open_file (ServeLines *lines)
{
  struct stat st;
  int fd = is_stdout (lines)
               ? fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
               : g_open (lines->path,
                         O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                         (int) lines->mode);

  if (fd < 0)
    return FALSE;
  if (fstat (fd, &st) < 0)
    {
      int saved = errno;

      close (fd);
      errno = saved;
      return FALSE;
    }
  if (lines->fd >= 0)
    close (lines->fd);
  lines->fd = fd;
  lines->regular = S_ISREG (st.st_mode);
  lines->device = st.st_dev;
  lines->inode = st.st_ino;
  lines->torn = FALSE;
  return TRUE;
}

static void
count (guint64 *counter, GMutex *lock, guint64 n)
{
  g_mutex_lock (lock);
  *counter += n;
  g_mutex_unlock (lock);
}

/* Whether the name leads elsewhere by now.  What cannot be opened anew goes on into the old file.
 */
static void
look_for_rotation (ServeLines *lines)
{
  struct stat st;

  if (is_stdout (lines)
      || (stat (lines->path, &st) == 0 && st.st_dev == lines->device && st.st_ino == lines->inode))
    {
      lines->told_open = FALSE;
      return;
    }
  if (open_file (lines))
    {
      lines->told_open = FALSE;
      count (&lines->counts.reopened, &lines->lock, 1);
      return;
    }
  count (&lines->counts.failures, &lines->lock, 1);
  if (!lines->told_open)
    serve_warn (&lines->teller,
                "%s: cannot open %s again: %s; lines go on into the file that was there",
                lines->what, lines->path, g_strerror (errno));
  lines->told_open = TRUE;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* As write(), but it waits for a pipe's reader no longer than until the end. */
static gssize
write_some (ServeLines *lines, const char *data, gsize len)
{
  struct pollfd poll_fd = { .fd = lines->fd, .events = POLLOUT };

  while (!lines->regular && poll (&poll_fd, 1, PIPE_WAIT) == 0)
    {
      gboolean stop;

      g_mutex_lock (&lines->lock);
      stop = lines->stop;
      g_mutex_unlock (&lines->lock);
      if (stop && lines->last == 0)
        lines->last = g_get_monotonic_time () + FAREWELL;
      if (stop && g_get_monotonic_time () >= lines->last)
        {
          errno = EAGAIN;
          return -1;
        }
    }
  return write (lines->fd, data, lines->regular ? len : MIN (len, PIPE_PIECE));
}

static guint64
count_lines (const char *text, gsize len)
{
  guint64 n = 0;

  for (const char *at = text, *end = text + len;
       (at = memchr (at, '\n', (gsize) (end - at))) != NULL; at++)
    n++;
  return n;
}

/* Forgets the first @len bytes of the batch, back to where the line began that @len ends in. */
static void
batch_done (ServeLines *lines, gsize len)
{
  gsize whole = len;

  while (whole > 0 && lines->batch->str[whole - 1] != '\n')
    whole--;
  lines->torn = lines->torn || whole < len;
  count (&lines->counts.written, &lines->lock, count_lines (lines->batch->str, whole));
  g_string_erase (lines->batch, 0, (gssize) whole);
}

static gboolean
end_torn_line (ServeLines *lines)
{
  if (lines->torn && write_some (lines, "\n", 1) != 1)
    return FALSE;
  lines->torn = FALSE;
  return TRUE;
}

/* Writes the batch as far as it goes; FALSE with errno. */
static gboolean
write_batch (ServeLines *lines)
{
  gsize done = 0;

  if (!end_torn_line (lines))
    return FALSE;
  while (done < lines->batch->len)
    {
      gssize n = write_some (lines, lines->batch->str + done, lines->batch->len - done);

      if (n > 0)
        done += (gsize) n;
      else if (n == 0 || errno != EINTR)
        {
          int saved = n == 0 ? ENOSPC : errno;

          batch_done (lines, done);
          errno = saved;
          return FALSE;
        }
    }
  batch_done (lines, done);
  return TRUE;
}

static gboolean
write_round (ServeLines *lines)
{
  gboolean ok;

  look_for_rotation (lines);
  ok = write_batch (lines);
  if (!ok)
    {
      int saved = errno;

      count (&lines->counts.failures, &lines->lock, 1);
      if (!lines->told)
        serve_warn (
            &lines->teller,
            "%s: cannot write to %s: %s; lines wait in memory, later ones are dropped when that "
            "is full, and answering goes on",
            lines->what, lines->path, g_strerror (saved));
    }
  else if (lines->told)
    serve_info (&lines->teller, "%s: %s can be written to again", lines->what, lines->path);
  lines->told = !ok;
  return ok;
}

/* ---- the thread --------------------------------------------------------------------------------
 */

/* Waits for something to write, then a moment for more of it; FALSE: the end has come. */
static gboolean
wait_for_lines (ServeLines *lines)
{
  gint64 until;

  while (!lines->stop && lines->pending->len == 0)
    g_cond_wait (&lines->wake, &lines->lock);
  until = g_get_monotonic_time () + GATHER;
  while (!lines->stop && !lines->hurry && lines->pending->len < lines->room / 2)
    if (!g_cond_wait_until (&lines->wake, &lines->lock, until))
      break;
  return lines->pending->len > 0;
}

/* Moves what is pending behind what the last round left. */
static void
take_pending (ServeLines *lines)
{
  g_string_append_len (lines->batch, lines->pending->str, (gssize) lines->pending->len);
  g_string_truncate (lines->pending, 0);
  lines->out = lines->batch->len;
}

/* After a failure: a second's rest, unless the end has come; FALSE: no more tries. */
static gboolean
rest (ServeLines *lines)
{
  gint64 until = g_get_monotonic_time () + RETRY;

  while (!lines->stop && !lines->hurry)
    if (!g_cond_wait_until (&lines->wake, &lines->lock, until))
      break;
  return !lines->stop;
}

static gpointer
writer (gpointer data)
{
  ServeLines *lines = data;

  g_mutex_lock (&lines->lock);
  while (lines->batch->len > 0 || wait_for_lines (lines))
    {
      gboolean ok;

      take_pending (lines);
      g_mutex_unlock (&lines->lock);
      ok = write_round (lines);
      g_mutex_lock (&lines->lock);
      lines->out = lines->batch->len;
      lines->rounds++;
      lines->hurry = FALSE;
      g_cond_broadcast (&lines->rested);
      if (!ok && !rest (lines))
        break;
    }
  lines->counts.dropped += count_lines (lines->batch->str, lines->batch->len);
  lines->counts.dropped += count_lines (lines->pending->str, lines->pending->len);
  g_mutex_unlock (&lines->lock);
  return NULL;
}

/* ---- the outside -------------------------------------------------------------------------------
 */

ServeLines *
serve_lines_open (const char *path, const char *what, guint mode, gsize buffer,
                  const ServeTeller *teller, GError **error)
{
  ServeLines *lines = g_new0 (ServeLines, 1);

  lines->path = g_strdup (path);
  lines->what = what;
  lines->mode = mode;
  lines->room = buffer;
  lines->fd = -1;
  if (teller != NULL)
    lines->teller = *teller;
  if (!open_file (lines))
    {
      fr_error_errno (error, errno, "open", path);
      g_free (lines->path);
      g_free (lines);
      return NULL;
    }
  g_mutex_init (&lines->lock);
  g_cond_init (&lines->wake);
  g_cond_init (&lines->rested);
  lines->pending = g_string_new (NULL);
  lines->batch = g_string_new (NULL);
  lines->thread = g_thread_new ("lines", writer, lines);
  return lines;
}

void
serve_lines_close (ServeLines *lines)
{
  if (lines == NULL)
    return;
  g_mutex_lock (&lines->lock);
  lines->stop = TRUE;
  g_cond_broadcast (&lines->wake);
  g_mutex_unlock (&lines->lock);
  g_thread_join (lines->thread);
  if (lines->counts.dropped > 0)
    serve_warn (&lines->teller,
                "%s: %" G_GUINT64_FORMAT " lines were dropped, %" G_GUINT64_FORMAT " were written",
                lines->what, lines->counts.dropped, lines->counts.written);
  close (lines->fd);
  g_string_free (lines->pending, TRUE);
  g_string_free (lines->batch, TRUE);
  g_cond_clear (&lines->wake);
  g_cond_clear (&lines->rested);
  g_mutex_clear (&lines->lock);
  g_free (lines->path);
  g_free (lines);
}

gboolean
serve_lines_add (ServeLines *lines, const char *text, gsize len)
{
  gboolean fits;
  gsize before;

  g_mutex_lock (&lines->lock);
  before = lines->pending->len;
  fits = lines->out + before + len <= lines->room;
  if (fits)
    g_string_append_len (lines->pending, text, (gssize) len);
  else
    lines->counts.dropped += count_lines (text, len);
  /* The writer sleeps only on an empty buffer, and hurries on a half full one. */
  if (fits && (before == 0 || (before < lines->room / 2 && before + len >= lines->room / 2)))
    g_cond_signal (&lines->wake);
  g_mutex_unlock (&lines->lock);
  return fits;
}

void
serve_lines_flush (ServeLines *lines)
{
  guint64 rounds;

  g_mutex_lock (&lines->lock);
  /* The round at work may have begun before the last line came. */
  rounds = lines->rounds + (lines->out > 0 ? 2 : 1);
  while (lines->pending->len + lines->out > 0 && lines->rounds < rounds)
    {
      lines->hurry = TRUE;
      g_cond_signal (&lines->wake);
      g_cond_wait (&lines->rested, &lines->lock);
    }
  g_mutex_unlock (&lines->lock);
}

void
serve_lines_counts (ServeLines *lines, ServeLinesCounts *counts)
{
  g_mutex_lock (&lines->lock);
  *counts = lines->counts;
  g_mutex_unlock (&lines->lock);
}
