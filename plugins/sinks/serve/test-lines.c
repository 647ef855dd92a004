/* SPDX-License-Identifier: Apache-2.0 */
/* test-lines.c: lines that nobody waits for: rotation, full buffers, full disks; the access log's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accesslog.h"
#include "test-teller.h"

#define ROOM 65536

typedef struct
{
  char *dir, *path;
  Told told;
  ServeTeller teller;
} Place;

static void
place_up (Place *p, gconstpointer data)
{
  (void) data;
  p->dir = g_dir_make_tmp ("flowrun-lines-XXXXXX", NULL);
  p->path = g_build_filename (p->dir, "log", NULL);
  p->teller = told_init (&p->told);
}

static void
place_down (Place *p, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (p->dir, 0, NULL);
  const char *name;

  (void) data;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (p->dir, name, NULL);

      g_remove (path);
    }
  g_rmdir (p->dir);
  told_clear (&p->told);
  g_free (p->dir);
  g_free (p->path);
}

static ServeLines *
open_lines (Place *p, gsize room)
{
  g_autoptr (GError) error = NULL;
  ServeLines *lines = serve_lines_open (p->path, "the test's log", 0640, room, &p->teller, &error);

  g_assert_no_error (error);
  return lines;
}

static gboolean
add (ServeLines *lines, const char *text)
{
  return serve_lines_add (lines, text, strlen (text));
}

static void
assert_file (const char *path, const char *expected)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static ServeLinesCounts
counts_of (ServeLines *lines)
{
  ServeLinesCounts counts;

  serve_lines_counts (lines, &counts);
  return counts;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void
test_written (Place *p, gconstpointer data)
{
  ServeLines *lines;
  struct stat st;

  (void) data;
  g_file_set_contents (p->path, "before\n", -1, NULL);
  g_unlink (p->path);
  lines = open_lines (p, ROOM);
  add (lines, "一\n");
  add (lines, "二\n三\n");
  serve_lines_flush (lines);
  assert_file (p->path, "一\n二\n三\n");
  g_assert_cmpuint (counts_of (lines).written, ==, 3);
  add (lines, "last\n");
  serve_lines_close (lines);
  assert_file (p->path, "一\n二\n三\nlast\n");
  stat (p->path, &st);
  g_assert_cmpuint (st.st_mode & 0027 & ~0040u, ==, 0); /* whatever the umask: not for others */
  /* Opened again, it is added to. */
  lines = open_lines (p, ROOM);
  add (lines, "more\n");
  serve_lines_close (lines);
  assert_file (p->path, "一\n二\n三\nlast\nmore\n");
  g_assert_cmpuint (p->told.warnings, ==, 0);
}

static void
test_cannot_open (Place *p, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_null (serve_lines_open (p->dir, "the test's log", 0640, ROOM, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
}

static void
test_rotation (Place *p, gconstpointer data)
{
  g_autofree char *old = g_strconcat (p->path, ".1", NULL);
  ServeLines *lines = open_lines (p, ROOM);

  (void) data;
  add (lines, "one\n");
  serve_lines_flush (lines);
  g_assert_cmpint (g_rename (p->path, old), ==, 0);
  add (lines, "two\n");
  serve_lines_flush (lines);
  assert_file (old, "one\n");
  assert_file (p->path, "two\n");
  /* Deleted, and another put in its place by somebody else. */
  g_file_set_contents (p->path, "theirs\n", -1, NULL);
  add (lines, "three\n");
  serve_lines_flush (lines);
  assert_file (p->path, "theirs\nthree\n");
  g_assert_cmpuint (counts_of (lines).reopened, ==, 2);
  serve_lines_close (lines);
}

/* The directory is gone: lines go on into the file that was there. */
static void
test_gone (Place *p, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (p->dir, "sub", NULL), *moved = NULL, *file = NULL;
  ServeLines *lines;

  (void) data;
  g_mkdir (dir, 0777);
  g_free (p->path);
  p->path = g_build_filename (dir, "log", NULL);
  lines = open_lines (p, ROOM);
  moved = g_build_filename (p->dir, "moved", NULL);
  g_rename (dir, moved);
  add (lines, "one\n");
  serve_lines_flush (lines);
  add (lines, "two\n");
  serve_lines_flush (lines);
  serve_lines_close (lines);
  file = g_build_filename (moved, "log", NULL);
  assert_file (file, "one\ntwo\n");
  g_assert_cmpuint (p->told.warnings, ==, 1);
  g_assert_true (told_has (&p->told, "cannot open"));
  g_unlink (file);
}

/* A limit on the size of files stands for a full disk: what had no room waits, and is written
 * whole. */
static void
test_full_disk (Place *p, gconstpointer data)
{
  ServeLines *lines = open_lines (p, ROOM);
  struct rlimit before, small;
  ServeLinesCounts counts;

  (void) data;
  getrlimit (RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 10;
  setrlimit (RLIMIT_FSIZE, &small);
  add (lines, "12345\n");
  add (lines, "abcdefgh\n");
  serve_lines_flush (lines);
  serve_lines_flush (lines);
  setrlimit (RLIMIT_FSIZE, &before);
  counts = counts_of (lines);
  g_assert_cmpuint (counts.written, ==, 1);
  g_assert_cmpuint (counts.failures, >=, 1);
  g_assert_cmpuint (counts.dropped, ==, 0);
  g_assert_cmpuint (p->told.warnings, ==, 1);
  assert_file (p->path, "12345\nabcd");
  add (lines, "next\n");
  serve_lines_flush (lines);
  assert_file (p->path, "12345\nabcd\nabcdefgh\nnext\n");
  g_assert_true (told_has (&p->told, "written to again"));
  g_assert_cmpuint (p->told.warnings, ==, 1);
  serve_lines_close (lines);
}

static void
test_full_buffer (Place *p, gconstpointer data)
{
  ServeLines *lines = open_lines (p, 20);
  struct rlimit before, small;
  guint kept = 0;

  (void) data;
  getrlimit (RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 1;
  setrlimit (RLIMIT_FSIZE, &small);
  for (guint i = 0; i < 10; i++)
    {
      kept += add (lines, "1234\n") ? 1 : 0;
      serve_lines_flush (lines);
    }
  g_assert_cmpuint (kept, ==, 4);
  g_assert_cmpuint (counts_of (lines).dropped, ==, 6);
  serve_lines_close (lines); /* gives up at once: the disk is full */
  setrlimit (RLIMIT_FSIZE, &before);
  g_assert_true (told_has (&p->told, "10 lines were dropped"));
}

/* A pipe that nobody reads holds up nobody, not even the end. */
static void
test_pipe (Place *p, gconstpointer data)
{
  g_autofree char *line = g_strnfill (999, 'x');
  ServeLines *lines;
  gint64 start;
  int reader;

  (void) data;
  line[998] = '\n';
  g_assert_cmpint (mkfifo (p->path, 0600), ==, 0);
  reader = g_open (p->path, O_RDONLY | O_NONBLOCK, 0);
  lines = open_lines (p, 1 << 20);
  for (guint i = 0; i < 500; i++)
    add (lines, line);
  start = g_get_monotonic_time ();
  serve_lines_close (lines);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 8 * G_TIME_SPAN_SECOND);
  g_assert_true (told_has (&p->told, "lines were dropped"));
  close (reader);
}

static gpointer
add_many (gpointer data)
{
  for (guint i = 0; i < 5000; i++)
    while (!add (data, "0123456789\n"))
      g_usleep (100);
  return NULL;
}

static void
test_crowd (Place *p, gconstpointer data)
{
  ServeLines *lines = open_lines (p, 4096);
  GThread *threads[4];
  struct stat st;

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("adds", add_many, lines);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  serve_lines_flush (lines);
  g_assert_cmpuint (counts_of (lines).written, ==, 20000);
  g_assert_cmpint (stat (p->path, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 20000 * 11);
  serve_lines_close (lines);
}

/* ---- the access log ----------------------------------------------------------------------------
 */

static const ServeRecord asked = { .id = "req-1",
                                   .key = "运营",
                                   .method = "POST",
                                   .route = "/v1/chat/completions",
                                   .model = "文案",
                                   .revision = "文案@2",
                                   .address = "10.0.0.9",
                                   .stop = "end",
                                   .status = 200,
                                   .stream = TRUE,
                                   .cache = SERVE_CACHE_MISS,
                                   .wall = G_GINT64_CONSTANT (1795705445123456),
                                   .total_us = 904703,
                                   .queue_us = 800,
                                   .first_us = 61200,
                                   .prompt_tokens = 51,
                                   .cached_tokens = 32,
                                   .answer_tokens = 80,
                                   .request_text = "写\n\"文案\"",
                                   .answer_text = "好\xff" };

static void
test_access_line (void)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  serve_access_append (line, &asked, FALSE, FALSE);
  g_assert_cmpstr (line->str, ==,
                   "{\"time\":\"2026-11-26T15:04:05.123456Z\",\"id\":\"req-1\",\"client\":\"运营\","
                   "\"method\":\"POST\","
                   "\"route\":\"/v1/chat/"
                   "completions\",\"status\":200,\"model\":\"文案\",\"revision\":\"文案@2\","
                   "\"stream\":true,\"cache\":\"miss\",\"prompt_tokens\":51,\"cached_tokens\":32,"
                   "\"answer_tokens\":80,\"queue_ms\":0.800,\"first_ms\":61.200,\"stop\":\"end\","
                   "\"total_ms\":904.703}\n");
  g_string_truncate (line, 0);
  serve_access_append (line, &asked, TRUE, TRUE);
  node = fr_json_parse (line->str, -1, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "request"), ==,
                   "写\n\"文案\"");
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "answer"), ==,
                   "好\357\277\275");
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "address"), ==,
                   "10.0.0.9");
}

static void
test_access_little (void)
{
  static const ServeRecord nothing = { .status = 400, .error = "invalid_json", .total_us = 7 };
  g_autoptr (GString) line = g_string_new (NULL);

  serve_access_append (line, &nothing, TRUE, TRUE);
  g_assert_cmpstr (line->str, ==,
                   "{\"time\":\"1970-01-01T00:00:00Z\",\"status\":400,\"error\":\"invalid_json\","
                   "\"total_ms\":0.007}\n");
}

static void
test_access (Place *p, gconstpointer data)
{
  ServeAccessConfig config = { .path = p->path };
  ServeAccessLog *log;
  ServeLinesCounts counts;
  g_autofree char *text = NULL;
  GError *error = NULL;

  (void) data;
  log = serve_access_open (&config, &p->teller, &error);
  g_assert_no_error (error);
  g_assert_false (serve_access_wants_text (log));
  serve_access_write (log, &asked);
  serve_access_write (log, &asked);
  serve_access_close (log);
  g_assert_true (g_file_get_contents (p->path, &text, NULL, NULL));
  g_assert_null (strstr (text, "写"));
  g_assert_null (strstr (text, "10.0.0.9"));
  g_assert_nonnull (strstr (text, "}\n{"));
  config.path = NULL;
  g_assert_null (serve_access_open (&config, &p->teller, &error));
  g_assert_no_error (error);
  serve_access_write (NULL, &asked);
  serve_access_counts (NULL, &counts);
  g_assert_cmpuint (counts.written, ==, 0);
  serve_access_close (NULL);
}

#define ADD(name, function) g_test_add ("/lines/" name, Place, NULL, place_up, function, place_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGXFSZ, SIG_IGN); /* a file at its limit is an error of that write */
  signal (SIGPIPE, SIG_IGN);
  ADD ("written", test_written);
  ADD ("cannot-open", test_cannot_open);
  ADD ("rotation", test_rotation);
  ADD ("gone", test_gone);
  ADD ("full-disk", test_full_disk);
  ADD ("full-buffer", test_full_buffer);
  ADD ("pipe", test_pipe);
  ADD ("crowd", test_crowd);
  g_test_add_func ("/access/line", test_access_line);
  g_test_add_func ("/access/little", test_access_little);
  ADD ("access", test_access);
  return g_test_run ();
}
