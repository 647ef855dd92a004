/* SPDX-License-Identifier: Apache-2.0 */
/* test-page.c: files of rows: round trips, cut and damaged files. */
#include "config.h"

#include <glib/gstdio.h>

#include "data/test-rows.h"
#include "run/page.h"

static char *
temp_file (void)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("fr-page-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  return path;
}

static const char *const sources[] = { NULL, "goods", "评论", NULL };

/* A file of three batches of every type. */
static char *
sample_file (FrBatch **first)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = rows_all (70);
  g_autoptr (FrBatch) one = fr_batch_take (batch, (const guint32[]){ 3 }, 1);
  char *path = temp_file ();
  FriPageWriter *writer = fri_page_writer_new (path, fr_batch_schema (batch), sources, &error);

  g_assert_no_error (error);
  g_assert_true (fri_page_writer_add (writer, batch, &error));
  g_assert_true (fri_page_writer_add (writer, one, &error));
  g_assert_true (fri_page_writer_add (writer, batch, &error));
  g_assert_true (fri_page_writer_close (writer, TRUE, &error));
  if (first != NULL)
    *first = g_steal_pointer (&batch);
  return path;
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = NULL;
  g_autofree char *path = sample_file (&batch);
  g_autoptr (FriPageReader) reader = fri_page_reader_new (path, TRUE, &error);

  g_assert_no_error (error);
  g_unlink (path);
  g_assert_true (fr_schema_equal (fri_page_reader_schema (reader), fr_batch_schema (batch)));
  g_assert_null (fri_page_reader_sources (reader)[0]);
  g_assert_cmpstr (fri_page_reader_sources (reader)[1], ==, "goods");
  g_assert_cmpstr (fri_page_reader_sources (reader)[2], ==, "评论");
  g_assert_null (fri_page_reader_sources (reader)[3]);
  for (guint round = 0; round < 2; round++)
    {
      const gsize n[] = { 70, 1, 70 };
      FrBatch *read;
      guint i = 0;

      for (; (read = fri_page_reader_next (reader, &error)) != NULL; i++)
        {
          g_assert_cmpuint (fr_batch_n_rows (read), ==, n[i]);
          rows_assert_valid (read);
          if (i != 1)
            rows_assert_equal (read, batch);
          fr_batch_unref (read);
        }
      g_assert_no_error (error);
      g_assert_cmpuint (i, ==, 3);
      g_assert_null (fri_page_reader_next (reader, &error));
      g_assert_no_error (error);
      fri_page_reader_rewind (reader, &error);
    }
}

/* What was flushed is read while the writer goes on. */
static void
test_unfinished (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = rows_all (5), read = NULL;
  g_autofree char *path = temp_file ();
  FriPageWriter *writer = fri_page_writer_new (path, fr_batch_schema (batch), NULL, &error);
  g_autoptr (FriPageReader) reader = NULL;

  g_assert_true (fri_page_writer_add (writer, batch, &error));
  g_assert_true (fri_page_writer_flush (writer, &error));
  g_assert_null (fri_page_reader_new (path, TRUE, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  reader = fri_page_reader_new (path, FALSE, &error);
  g_assert_no_error (error);
  g_assert_null (fri_page_reader_sources (reader));
  g_assert_true (fri_page_writer_add (writer, batch, &error));
  read = fri_page_reader_next (reader, &error);
  rows_assert_equal (read, batch);
  g_assert_null (fri_page_reader_next (reader, &error));
  g_assert_no_error (error);
  fri_page_writer_discard (writer);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = rows_all (0);
  g_autofree char *path = temp_file ();
  FriPageWriter *writer = fri_page_writer_new (path, fr_batch_schema (batch), NULL, &error);
  g_autoptr (FriPageReader) reader = NULL;

  g_assert_true (fri_page_writer_add (writer, batch, &error));
  g_assert_true (fri_page_writer_close (writer, FALSE, &error));
  reader = fri_page_reader_new (path, TRUE, &error);
  g_assert_no_error (error);
  g_assert_null (fri_page_reader_next (reader, &error));
  g_assert_no_error (error);
  g_unlink (path);
}

/* Reads a file to its end or its first error; returns the rows read. */
static gsize
read_all (const char *path, gboolean complete, GError **error)
{
  g_autoptr (FriPageReader) reader = fri_page_reader_new (path, complete, error);
  FrBatch *batch;
  gsize n = 0;

  while (reader != NULL && (batch = fri_page_reader_next (reader, error)) != NULL)
    {
      n += fr_batch_n_rows (batch);
      fr_batch_unref (batch);
    }
  return n;
}

static void
test_cut (void)
{
  g_autofree char *path = sample_file (NULL), *text = NULL;
  gsize len;

  g_assert_true (g_file_get_contents (path, &text, &len, NULL));
  for (gsize cut = 0; cut < len; cut += cut < 300 ? 1 : 97)
    {
      g_autoptr (GError) whole = NULL, part = NULL;

      g_assert_true (g_file_set_contents (path, text, (gssize) cut, NULL));
      read_all (path, TRUE, &whole);
      g_assert_error (whole, FR_ERROR, FR_ERROR_DATA);
      g_assert_cmpuint (read_all (path, FALSE, &part), <=, 141);
      g_assert_true (part == NULL || g_error_matches (part, FR_ERROR, FR_ERROR_DATA));
    }
  g_unlink (path);
}

/* Any flipped bit is seen, but in the blanks that fill up headers. */
static void
test_flipped (void)
{
  g_autofree char *path = sample_file (NULL), *text = NULL;
  gsize len;

  g_assert_true (g_file_get_contents (path, &text, &len, NULL));
  for (gsize at = 0; at < len; at += 53)
    {
      g_autoptr (GError) error = NULL;

      text[at] ^= 0x10;
      g_assert_true (g_file_set_contents (path, text, (gssize) len, NULL));
      read_all (path, TRUE, &error);
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      text[at] ^= 0x10;
    }
  g_unlink (path);
}

static void
test_foreign (void)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("a", FR_TYPE_BOOL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (fri_page_reader_new ("/nonexistent/rows", TRUE, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_clear_error (&error);
  g_assert_null (fri_page_reader_new ("/", TRUE, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_null (fri_page_writer_new ("/nonexistent/rows", schema, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
}

static void
test_disk_full (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = rows_all (5);

  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS))
    {
      g_test_skip ("there is no /dev/full here");
      return;
    }
  g_assert_null (fri_page_writer_new ("/dev/full", fr_batch_schema (batch), NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/dev/full"));
  g_assert_true (g_file_test ("/dev/full", G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/page/round-trip", test_round_trip);
  g_test_add_func ("/page/unfinished", test_unfinished);
  g_test_add_func ("/page/empty", test_empty);
  g_test_add_func ("/page/cut", test_cut);
  g_test_add_func ("/page/flipped", test_flipped);
  g_test_add_func ("/page/foreign", test_foreign);
  g_test_add_func ("/page/disk-full", test_disk_full);
  return g_test_run ();
}
