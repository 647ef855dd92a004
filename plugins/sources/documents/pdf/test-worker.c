/* SPDX-License-Identifier: Apache-2.0 */
/* test-worker.c: document-pdf-worker by itself: a document that gets no memory, one that gets no
 * sense, and that the next one is read all the same. */
#include "config.h"

#include "protocol.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without a table of objects, which poppler makes itself. */
static const char hello[]
    = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
      "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
      "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
      "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
      "4 0 obj<</Length 37>>stream\nBT /F 12 Tf 20 100 Td (Hello) Tj ET \nendstream endobj\n"
      "trailer<</Root 1 0 R>>\n";

static int
start (GPid *pid)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", "document-pdf-worker", NULL);
  const char *argv[] = { path, NULL };
  int ends[2], target = PDF_SOCKET;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  g_spawn_async_with_pipes_and_fds (
      NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, -1, -1,
      -1, &ends[1], &target, 1, pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  close (ends[1]);
  return ends[0];
}

/* The frames' kinds in order, and all text of lines and failures. */
static char *
ask (int socket, const char *data, gsize len, guint64 memory, int *status)
{
  PdfRequest request = { PDF_MAGIC, 20, len, memory };
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
  int pipe_ends[2], fds[2] = { memfd_create ("t", MFD_CLOEXEC), -1 };
  GString *out = g_string_new (NULL);
  PdfFrame frame;

  g_assert_cmpint (write (fds[0], data, len), ==, (gssize) len);
  g_assert_cmpint (pipe2 (pipe_ends, O_CLOEXEC), ==, 0);
  fds[1] = pipe_ends[1];
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof fds);
  memcpy (CMSG_DATA (header), fds, sizeof fds);
  g_assert_cmpint (sendmsg (socket, &message, MSG_NOSIGNAL), ==, sizeof request);
  close (fds[0]);
  close (fds[1]);
  while (read (pipe_ends[0], &frame, sizeof frame) == sizeof frame)
    {
      g_autofree char *body = g_malloc0 (frame.len + 1);

      for (gsize at = 0; at < frame.len;)
        {
          gssize n = read (pipe_ends[0], body + at, frame.len - at);

          g_assert_cmpint (n, >, 0);
          at += (gsize) n;
        }
      g_string_append_c (out, (char) frame.kind);
      if (frame.kind == 'L')
        g_string_append_printf (out, "(%s)", body + sizeof (PdfLine));
      if (frame.kind == 'F')
        g_string_append_printf (out, "(%s)", body);
    }
  close (pipe_ends[0]);
  g_assert_cmpint (recv (socket, status, sizeof *status, MSG_WAITALL), ==, sizeof *status);
  return g_string_free (out, FALSE);
}

static void
test_survives (void)
{
  GPid pid;
  int socket = start (&pid), status;
  g_autofree char *first = ask (socket, hello, sizeof hello - 1, 1 << 30, &status);
  g_autofree char *starved = NULL, *nonsense = NULL, *last = NULL;

  g_assert_cmpstr (first, ==, "PL(Hello)E");
  g_assert_cmpint (status, ==, 0);
#if !defined(__SANITIZE_ADDRESS__) /* which needs all address space there is */
  starved = ask (socket, hello, sizeof hello - 1, 1 << 20, &status);
  g_assert_null (strchr (starved, 'E'));
  g_assert_cmpint (status, !=, 0);
#endif
  nonsense = ask (socket, "%PDF-1.4 nonsense", 17, 1 << 30, &status);
  g_assert_cmpstr (nonsense, ==, "F(damaged)");
  last = ask (socket, hello, sizeof hello - 1, 1 << 30, &status);
  g_assert_cmpstr (last, ==, "PL(Hello)E");
  /* It ends with its socket. */
  close (socket);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/documents/pdf-worker/survives", test_survives);
  return g_test_run ();
}
