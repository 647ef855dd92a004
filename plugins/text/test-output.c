/* SPDX-License-Identifier: Apache-2.0 */
/* test-output.c: whole or not there, whatever happens in between. */
#include "text/output.h"

#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;

static char *
at (const char *name)
{
  return g_build_filename (dir, name, NULL);
}

static guint
n_files (void)
{
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (d) != NULL)
    n++;
  return n;
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = at (name);
  g_autoptr (GError) error = NULL;
  g_autoptr (TextOutput) output = text_output_new (path, NULL, &error);

  g_assert_no_error (error);
  for (const char *p = text; *p != '\0'; p++)
    g_assert_true (text_output_write (output, p, 1, NULL));
  text_output_commit (output, &error);
  g_assert_no_error (error);
}

static void
expect_file (const char *name, const char *text)
{
  g_autofree char *path = at (name), *got = NULL;

  g_assert_true (g_file_get_contents (path, &got, NULL, NULL));
  g_assert_cmpstr (got, ==, text);
}

static void
test_commit (void)
{
  g_autofree char *path = at ("a"), *link = at ("link");
  struct stat st;

  write_file ("a", "one");
  expect_file ("a", "one");
  g_assert_cmpint (g_chmod (path, 0640), ==, 0);
  g_assert_cmpint (symlink ("a", link), ==, 0);
  write_file ("link", "two");
  expect_file ("a", "two");
  g_assert_cmpint (g_lstat (link, &st), ==, 0);
  g_assert_true (S_ISLNK (st.st_mode));
  g_assert_cmpint (g_stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0640);
  write_file ("新/目录/文件", "三");
  expect_file ("新/目录/文件", "三");
}

static void
test_discard (void)
{
  g_autofree char *path = at ("kept");
  TextOutput *output;
  guint before;

  write_file ("kept", "old");
  before = n_files ();
  output = text_output_new (path, NULL, NULL);
  g_assert_true (text_output_write (output, "new", 3, NULL));
  g_assert_cmpuint (n_files (), ==, before + 1);
  text_output_free (output);
  expect_file ("kept", "old");
  g_assert_cmpuint (n_files (), ==, before);
}

/* A killed writer leaves its temporary name; the next writer of the target
 * takes it away, but not that of one at work. */
static void
test_killed (void)
{
  g_autofree char *path = at ("killed");
  g_autoptr (TextOutput) other = NULL;
  guint before = n_files ();
  pid_t child = fork ();

  if (child == 0)
    {
      TextOutput *output = text_output_new (path, NULL, NULL);

      text_output_write (output, "half", 4, NULL);
      raise (SIGKILL);
    }
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (n_files (), ==, before + 1);
  other = text_output_new (path, NULL, NULL);
  g_assert_cmpuint (n_files (), ==, before + 1);
  write_file ("killed", "whole");
  g_assert_cmpuint (n_files (), ==, before + 2);
  expect_file ("killed", "whole");
}

static void
test_deterministic (void)
{
  static const char *const names[] = { "d.gz", "d.xz", "d.zst", "d.bz2" };
  g_autofree char *text = g_strnfill (300000, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = at (names[i]), *first = NULL, *second = NULL;
      gsize first_len, second_len;

      write_file (names[i], text);
      g_assert_true (g_file_get_contents (path, &first, &first_len, NULL));
      if (i == 0)
        g_usleep (1100000); /* gzip's time stamp counts seconds */
      write_file (names[i], text);
      g_assert_true (g_file_get_contents (path, &second, &second_len, NULL));
      g_assert_cmpmem (first, first_len, second, second_len);
      g_assert_cmpuint (first_len, <, 5000);
    }
}

static void
test_errors (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *block = g_malloc0 (1 << 20);
  TextOutput *output = text_output_new (dir, NULL, &error);

  g_assert_null (output);
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_clear_error (&error);
  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS))
    return;
  output = text_output_new ("/dev/full", NULL, &error);
  g_assert_no_error (error);
  g_assert_false (text_output_write (output, block, 1 << 20, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/dev/full"));
  g_assert_nonnull (strstr (error->message, "free some space"));
  text_output_free (output);
  g_assert_true (g_file_test ("/dev/full", G_FILE_TEST_EXISTS));
}

/* A reader that goes away is an error, not a signal. */
static void
test_closed_pipe (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *block = g_malloc0 (1 << 20);
  TextOutput *output;
  int fds[2], saved = dup (STDOUT_FILENO);

  signal (SIGPIPE, SIG_DFL);
  g_assert_cmpint (pipe (fds), ==, 0);
  close (fds[0]);
  dup2 (fds[1], STDOUT_FILENO);
  output = text_output_new ("-", NULL, NULL);
  g_assert_false (text_output_write (output, block, 1 << 20, &error));
  dup2 (saved, STDOUT_FILENO);
  close (saved);
  close (fds[1]);
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "standard output"));
  text_output_free (output);
}

/* Each stream can be read by itself, and all of them as one. */
static void
test_cut (void)
{
  g_autofree char *path = at ("cut.gz"), *packed = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TextOutput) output = text_output_new (path, NULL, &error);
  gsize len, begins = 0;

  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (text_output_write (output, "record", 6, &error));
      g_assert_true (text_output_cut (output, &error));
    }
  g_assert_true (text_output_commit (output, &error));
  g_assert_true (g_file_get_contents (path, &packed, &len, NULL));
  for (gsize i = 0; i + 3 < len; i++)
    if (memcmp (packed + i, "\x1f\x8b\x08", 3) == 0)
      {
        g_autoptr (GZlibDecompressor) z = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
        char plain[16];
        gsize read, written;

        begins++;
        g_assert_cmpint (g_converter_convert (G_CONVERTER (z), packed + i, len - i, plain,
                                              sizeof plain, G_CONVERTER_NO_FLAGS, &read, &written,
                                              NULL),
                         ==, G_CONVERTER_FINISHED);
        g_assert_cmpmem (plain, written, "record", 6);
      }
  /* None for what was never written behind the last cut. */
  g_assert_cmpuint (begins, ==, 3);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  int status;
  g_autofree char *clean = NULL;

  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("flowrun-output-XXXXXX", NULL);
  g_test_add_func ("/output/commit", test_commit);
  g_test_add_func ("/output/discard", test_discard);
  g_test_add_func ("/output/killed", test_killed);
  g_test_add_func ("/output/deterministic", test_deterministic);
  g_test_add_func ("/output/cut", test_cut);
  g_test_add_func ("/output/errors", test_errors);
  g_test_add_func ("/output/closed-pipe", test_closed_pipe);
  status = g_test_run ();
  clean = g_strdup_printf ("rm -rf '%s'", dir);
  g_spawn_command_line_sync (clean, NULL, NULL, NULL, NULL);
  g_free (dir);
  return status;
}
