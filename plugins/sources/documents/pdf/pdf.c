/* SPDX-License-Identifier: Apache-2.0 */
/* pdf.c: the document reader "pdf": PDF files, read by a worker process.
 *
 * This plugin links no PDF library.  It hands each document to
 * document-pdf-worker (worker.c says why that is a program of its own), takes
 * its lines, and makes paragraphs of them (pages.h).  Whatever the document
 * does to the worker, here it is one document rejected: out of memory or
 * crashed ("crashed"), too slow ("timeout").
 *
 * One worker a thread, started at the first PDF; the system closes its socket
 * with ours, whereupon it ends.
 */
#include "config.h"

#include "pages.h"
#include "protocol.h"
#include "text/document.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <flowrun/flowrun.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKER "document-pdf-worker"
/* What poppler needs beside the document: fonts, tables, pages of pictures. */
#define MEMORY ((guint64) 1024 * 1024 * 1024)
#define TICK 100 /* milliseconds between two looks at the time */
#define GRACE 5000

typedef struct
{
  int socket; /* -1: no worker */
  GPid pid;
} Worker;

/* ---- the worker ------------------------------------------------------------------- */

/* Beside this file; in a build tree one folder up. */
static char *
find_worker (void)
{
  static const char here = 0;
  Dl_info info;
  g_autofree char *dir = NULL;
  char *path;

  if (dladdr (&here, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  dir = g_path_get_dirname (info.dli_fname);
  path = g_build_filename (dir, WORKER, NULL);
  if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
    return path;
  g_free (path);
  path = g_build_filename (dir, "..", WORKER, NULL);
  if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
    return path;
  g_free (path);
  return NULL;
}

static gpointer
pdf_open (void)
{
  Worker *w = g_new0 (Worker, 1);

  w->socket = -1;
  return w;
}

/* Ends the worker and what it forked. */
static void
stop_worker (Worker *w, gboolean at_once)
{
  int status;

  if (w->socket < 0)
    return;
  close (w->socket);
  w->socket = -1;
  if (at_once)
    {
      kill (-w->pid, SIGKILL);
      kill (w->pid, SIGKILL);
    }
  while (waitpid (w->pid, &status, 0) < 0 && errno == EINTR)
    ;
  g_spawn_close_pid (w->pid);
}

static void
pdf_close (gpointer state)
{
  stop_worker (state, FALSE);
  g_free (state);
}

static gboolean
start_worker (Worker *w, GError **error)
{
  g_autofree char *path = find_worker ();
  const char *argv[] = { path, NULL };
  int ends[2], target = PDF_SOCKET;
  gboolean ok;

  if (w->socket >= 0)
    return TRUE;
  if (path == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "%s is missing beside the plugin", WORKER);
      return FALSE;
    }
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fr_error_errno (error, errno, "make a socket for", path);
  ok = g_spawn_async_with_pipes_and_fds (
      NULL, argv, NULL,
      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
      NULL, -1, -1, -1, &ends[1], &target, 1, &w->pid, NULL, NULL, NULL, error);
  close (ends[1]);
  if (ok)
    w->socket = ends[0];
  else
    close (ends[0]);
  return ok;
}

static gboolean
write_all (int fd, const char *data, gsize len)
{
  while (len > 0)
    {
      gssize n = write (fd, data, MIN (len, 1 << 30));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

/* A file without a name that holds the document. */
static int
document_fd (const TextDocJob *job)
{
  int fd = memfd_create ("pdf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0)
    return -1;
  if (!write_all (fd, job->data, job->len))
    {
      close (fd);
      return -1;
    }
  fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return fd;
}

/* Sends the request with the document and the writing end; *out is ours to read. */
static gboolean
send_request (Worker *w, const TextDocJob *job, int *out)
{
  PdfRequest request = { PDF_MAGIC, (guint32) CLAMP (job->seconds + 0.999, 1, 86400), job->len,
                         MEMORY + 2 * (guint64) job->len };
  struct iovec piece = { &request, sizeof request };
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (2 * sizeof (int))];
  } control = { 0 };
  struct msghdr message = { .msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = sizeof control.room };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  int ends[2], fds[2];
  gssize n = -1;

  fds[0] = document_fd (job);
  if (fds[0] < 0)
    return FALSE;
  if (pipe2 (ends, O_CLOEXEC) != 0)
    {
      close (fds[0]);
      return FALSE;
    }
  fds[1] = ends[1];
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof fds);
  memcpy (CMSG_DATA (header), fds, sizeof fds);
  do
    n = sendmsg (w->socket, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  close (fds[0]);
  close (fds[1]);
  *out = ends[0];
  if (n == sizeof request)
    return TRUE;
  close (ends[0]);
  return FALSE;
}

/* ---- frames ----------------------------------------------------------------------- */

typedef struct
{
  const TextDocJob *job;
  TextDocSink *sink;
  Pages *pages;
  gboolean whole; /* the end was told */
  guint64 text;
} Reading;

static gboolean
too_much (Reading *t)
{
  g_autofree char *reason = g_strdup_printf ("its text is longer than %" G_GUINT64_FORMAT
                                             " bytes; raise 'max_text' if the file is trusted",
                                             t->job->max_text);

  return t->sink->fail (t->sink, "too_large", reason);
}

static gboolean
take_failure (Reading *t, const char *data, gsize len)
{
  const char *nul = memchr (data, '\0', len);
  g_autofree char *reason = NULL, *text = NULL;

  if (nul == NULL)
    return FALSE;
  text = g_strndup (nul + 1, len - (gsize) (nul + 1 - data));
  reason = g_utf8_make_valid (text, -1);
  return t->sink->fail (t->sink, strcmp (data, "encrypted") == 0 ? "encrypted" : "damaged", reason);
}

static gboolean
take_line (Reading *t, const char *data, gsize len)
{
  PdfLine line;

  if (len < sizeof line)
    return FALSE;
  memcpy (&line, data, sizeof line);
  data += sizeof line;
  len -= sizeof line;
  t->text += len;
  if (t->text > t->job->max_text || pages_bytes (t->pages) > t->job->max_text + (64u << 20))
    return too_much (t);
  if (!g_utf8_validate (data, (gssize) len, NULL))
    return TRUE;
  pages_line (t->pages, &line, data, len);
  return TRUE;
}

/* FALSE: stop; the sink may know why. */
static gboolean
take_frame (Reading *t, guint32 kind, const char *data, gsize len)
{
  PdfPage page;

  switch (kind)
    {
    case 'T':
      t->sink->fact (t->sink, TEXT_DOC_TITLE, (FrStr){ data, len });
      return TRUE;
    case 'A':
      t->sink->fact (t->sink, TEXT_DOC_AUTHOR, (FrStr){ data, len });
      return TRUE;
    case 'D':
      t->sink->fact (t->sink, TEXT_DOC_DATE, (FrStr){ data, len });
      return TRUE;
    case 'N':
      t->sink->count (t->sink, "pdf_copying_forbidden", 1);
      return TRUE;
    case 'P':
      if (len != sizeof page)
        return FALSE;
      memcpy (&page, data, sizeof page);
      pages_begin (t->pages, &page);
      return pages_bytes (t->pages) <= t->job->max_text + (64u << 20) || too_much (t);
    case 'L':
      return take_line (t, data, len);
    case 'F':
      return take_failure (t, data, len);
    case 'E':
      t->whole = TRUE;
      return TRUE;
    default:
      return FALSE;
    }
}

/* Takes the whole frames off the front of @bytes. */
static gboolean
take_frames (Reading *t, GByteArray *bytes)
{
  gsize at = 0;
  gboolean ok = TRUE;

  while (ok && bytes->len - at >= sizeof (PdfFrame))
    {
      PdfFrame frame;

      memcpy (&frame, bytes->data + at, sizeof frame);
      if (frame.len > PDF_MAX_FRAME)
        return FALSE;
      if (bytes->len - at - sizeof frame < frame.len)
        break;
      at += sizeof frame;
      ok = take_frame (t, frame.kind, (const char *) bytes->data + at, frame.len);
      at += frame.len;
    }
  if (at > 0)
    g_byte_array_remove_range (bytes, 0, (guint) at);
  return ok;
}

/* Reads until the worker closes the pipe.  FALSE: time is up, or the sink has enough. */
static gboolean
read_frames (Reading *t, int fd)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  static const gsize piece = 64 * 1024;

  for (;;)
    {
      struct pollfd poll_fd = { fd, POLLIN, 0 };
      gsize before = bytes->len;
      gssize n;
      int ready = poll (&poll_fd, 1, TICK);

      if (!t->sink->go_on (t->sink))
        return FALSE;
      if (ready <= 0)
        continue;
      g_byte_array_set_size (bytes, (guint) (before + piece));
      n = read (fd, bytes->data + before, piece);
      g_byte_array_set_size (bytes, (guint) (before + (gsize) MAX (n, 0)));
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return TRUE;
      if (!take_frames (t, bytes))
        return FALSE;
    }
}

/* How the document's process ended; FALSE: the worker does not say. */
static gboolean
read_status (Worker *w, int *status)
{
  struct pollfd poll_fd = { w->socket, POLLIN, 0 };

  return poll (&poll_fd, 1, GRACE) == 1
         && recv (w->socket, status, sizeof *status, MSG_WAITALL) == sizeof *status;
}

static gboolean
tell_crash (TextDocSink *sink, int status)
{
  g_autofree char *reason = NULL;

  if (WIFSIGNALED (status) && (WTERMSIG (status) == SIGALRM || WTERMSIG (status) == SIGXCPU))
    return sink->fail (sink, "timeout", "it takes longer than 'max_seconds'");
  if (WIFSIGNALED (status))
    reason = g_strdup_printf ("the PDF library crashed on it or ran out of memory (%s)",
                              g_strsignal (WTERMSIG (status)));
  else
    reason = g_strdup ("the PDF library gave up on it");
  return sink->fail (sink, "crashed", reason);
}

static gboolean
pdf_read (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  Worker *w = state;
  g_autoptr (Pages) pages = pages_new (job->wants);
  Reading told = { job, sink, pages, FALSE, 0 };
  g_autoptr (GError) error = NULL;
  int fd, status = 0;

  if (job->len == 0)
    return sink->fail (sink, "damaged", "it is empty");
  if (!start_worker (w, &error))
    return sink->fail (sink, "no_reader", error->message);
  if (!send_request (w, job, &fd))
    {
      /* One that was killed from outside is started once more. */
      stop_worker (w, TRUE);
      if (!start_worker (w, &error) || !send_request (w, job, &fd))
        return sink->fail (sink, "no_reader",
                           error ? error->message : "the PDF worker does not answer");
    }
  if (!read_frames (&told, fd))
    {
      close (fd);
      stop_worker (w, TRUE);
      return sink->fail (sink, "crashed", "the PDF worker answers with nonsense");
    }
  close (fd);
  if (!read_status (w, &status))
    stop_worker (w, TRUE);
  if (!told.whole)
    return tell_crash (sink, status);
  return pages_tell (pages, sink);
}

static int
pdf_score (const char **why)
{
  g_autofree char *path = find_worker ();

  if (why)
    *why = path ? "document-pdf-worker is there"
                : "document-pdf-worker is missing beside the plugin";
  return path != NULL;
}

static const char *const types[] = { "application/pdf", NULL };
static const TextDocReader reader
    = { sizeof (TextDocReader), types, "pdf", NULL, pdf_open, pdf_close, pdf_read };
static const FrService service = { sizeof (FrService),
                                   TEXT_DOC_SERVICE,
                                   "pdf",
                                   TEXT_DOC_VERSION,
                                   "PDF, by poppler in a process of its own",
                                   pdf_score,
                                   &reader };
static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("document-pdf", PACKAGE_VERSION, "PDF for source.documents", "Apache-2.0",
                    "flowrun", services, )
