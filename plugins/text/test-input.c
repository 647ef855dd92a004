/* SPDX-License-Identifier: Apache-2.0 */
/* test-input.c: the same text must come out of every wrapping and charset, and
 * every bad file must be one clear message.
 */
#include "text/input.h"

#include "text/output.h"

#include <archive.h>
#include <archive_entry.h>
#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *dir;
static char *story; /* some 600 KB of mixed text */

static char *
at (const char *name)
{
  return g_build_filename (dir, name, NULL);
}

static void
put (const char *name, const char *data, gsize len)
{
  g_autofree char *path = at (name);

  g_assert_true (g_file_set_contents (path, data, (gssize) len, NULL));
}

/* All texts of a path, joined; names joined by spaces without the directory. */
static char *
get (const char *name, const char *charset, GString *names, GError **error)
{
  g_autofree char *path = g_str_equal (name, "-") ? g_strdup ("-") : at (name);
  const char *paths[] = { path, NULL };
  g_autoptr (TextInput) input = text_input_new (paths, charset, NULL, error);
  g_autoptr (GString) all = g_string_new (NULL);
  GError *local = NULL;
  const char *text, *block;
  gsize len;

  if (input == NULL)
    return NULL;
  while (local == NULL && text_input_next_text (input, &text, &local))
    {
      if (names != NULL)
        g_string_append_printf (names, "%s ", text + strlen (dir) + 1);
      while (text_input_read (input, &block, &len, &local))
        {
          g_assert_cmpuint (len, >, 0);
          g_assert_true (g_utf8_validate_len (block, len, NULL));
          g_string_append_len (all, block, (gssize) len);
        }
    }
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&all), FALSE);
}

static void
expect_story (const char *name, const char *charset)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *got = get (name, charset, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_str_equal (got, story));
}

static void
expect_error (const char *name, const char *charset, FrError code, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *got = get (name, charset, NULL, &error);

  if (got != NULL)
    g_error ("'%s' was read", name);
  g_assert_error (error, FR_ERROR, (int) code);
  if (strstr (error->message, part) == NULL)
    g_error ("'%s' lacks '%s'", error->message, part);
}

static void
archive (const char *name, gboolean zip, const char *const *members, const char *const *contents)
{
  g_autofree char *path = at (name);
  struct archive *a = archive_write_new ();

  if (zip)
    archive_write_set_format_zip (a);
  else
    {
      archive_write_set_format_ustar (a);
      if (g_str_has_suffix (name, "gz"))
        archive_write_add_filter_gzip (a);
    }
  g_assert_cmpint (archive_write_open_filename (a, path), ==, ARCHIVE_OK);
  for (gsize i = 0; members[i] != NULL; i++)
    {
      struct archive_entry *e = archive_entry_new ();

      archive_entry_set_pathname (e, members[i]);
      archive_entry_set_filetype (e, g_str_has_suffix (members[i], "/") ? AE_IFDIR : AE_IFREG);
      archive_entry_set_perm (e, 0644);
      archive_entry_set_size (e, (la_int64_t) strlen (contents[i]));
      archive_write_header (a, e);
      archive_write_data (a, contents[i], strlen (contents[i]));
      archive_entry_free (e);
    }
  archive_write_close (a);
  archive_write_free (a);
}

/* ---- charsets ------------------------------------------------------------- */

static void
test_charsets (void)
{
  static const struct
  {
    const char *file, *iconv, *mark, *charset;
    gsize mark_len;
  } cases[] = { { "u8", "UTF-8", "", NULL, 0 },
                { "u8bom", "UTF-8", "\xEF\xBB\xBF", NULL, 3 },
                { "gb", "GB18030", "", NULL, 0 },
                { "gbk", "GB18030", "", "gbk", 0 },
                { "u16", "UTF-16LE", "\xFF\xFE", NULL, 2 },
                { "u16be", "UTF-16BE", "\xFE\xFF", "utf-16", 2 },
                { "u16plain", "UTF-16LE", "", NULL, 0 },
                { "u16beplain", "UTF-16BE", "", NULL, 0 },
                { "u32", "UTF-32LE", "\xFF\xFE\0\0", NULL, 4 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) bytes = g_string_new_len (cases[i].mark, (gssize) cases[i].mark_len);
      gsize len;
      g_autofree char *body = g_convert (story, -1, cases[i].iconv, "UTF-8", NULL, &len, NULL);

      g_assert_nonnull (body);
      g_string_append_len (bytes, body, (gssize) len);
      put (cases[i].file, bytes->str, bytes->len);
      expect_story (cases[i].file, cases[i].charset);
    }
  expect_error ("u8", "klingon", FR_ERROR_CONFIG, "unknown charset 'klingon'");
}

/* 400 KB of ASCII, then GB18030: the guess must be made again. */
static void
test_late_charset (void)
{
  g_autoptr (GString) text = g_string_new (NULL), want = g_string_new (NULL);
  g_autofree char *got = NULL;

  for (guint i = 0; i < 40000; i++)
    g_string_append (text, "a,b,c,d,e\n");
  g_string_append (want, text->str);
  for (guint i = 0; i < 100; i++)
    {
      g_string_append (text, "\xD6\xD0\xCE\xC4,\xB5\xC4\n");
      g_string_append (want, "中文,的\n");
    }
  put ("late", text->str, text->len);
  got = get ("late", NULL, NULL, NULL);
  g_assert_cmpstr (got, ==, want->str);
}

static void
test_replaced (void)
{
  g_autofree char *path = at ("broken");
  const char *paths[] = { path, NULL }, *name, *block, *how;
  g_autoptr (TextInput) input = NULL;
  gsize len, total = 0;

  put ("broken", "中文中文中文中文中文中文\xFF中文\xE4\xB8", 6 * 6 + 1 + 6 + 2);
  input = text_input_new (paths, NULL, NULL, NULL);
  g_assert_true (text_input_next_text (input, &name, NULL));
  while (text_input_read (input, &block, &len, NULL))
    total += len;
  g_assert_cmpuint (text_input_n_replaced (input), ==, 2);
  g_assert_cmpuint (total, ==, 6 * 6 + 3 + 6 + 3);
  g_assert_cmpstr (text_input_charset (input, &how), ==, "utf-8");
  g_assert_cmpstr (how, ==, "guessed");
}

/* ---- wrappings ------------------------------------------------------------ */

static void
test_compressed (void)
{
  static const char *const suffixes[] = { "gz", "xz", "zst", "bz2" };

  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *name = g_strconcat ("story.", suffixes[i], NULL), *path = at (name);
      g_autofree char *other = g_strconcat ("other-", suffixes[i], NULL), *other_path = at (other);
      g_autoptr (TextOutput) output = text_output_new (path, NULL, NULL);
      g_autofree char *bytes = NULL;
      gsize len;

      g_assert_true (text_output_write (output, story, strlen (story), NULL));
      g_assert_true (text_output_commit (output, NULL));
      expect_story (name, NULL);
      /* by content, not by name */
      g_assert_true (g_file_get_contents (path, &bytes, &len, NULL));
      g_assert_cmpuint (len, <, strlen (story));
      g_assert_true (g_file_set_contents (other_path, bytes, (gssize) len, NULL));
      expect_story (other, NULL);
      /* cut short: an error that names the file */
      g_assert_true (g_file_set_contents (other_path, bytes, (gssize) len / 2, NULL));
      expect_error (other, NULL, FR_ERROR_DATA, other);
    }
  put ("plain.gz", story, strlen (story));
  expect_story ("plain.gz", NULL);
}

static void
test_empty (void)
{
  g_autofree char *path = at ("empty.gz"), *got = NULL;
  g_autoptr (TextOutput) output = text_output_new (path, NULL, NULL);
  g_autoptr (GString) names = g_string_new (NULL);

  g_assert_true (text_output_commit (output, NULL));
  got = get ("empty.gz", NULL, names, NULL);
  g_assert_cmpstr (got, ==, "");
  g_assert_cmpstr (names->str, ==, "empty.gz ");
  put ("empty", "", 0);
  expect_error ("empty:x", NULL, FR_ERROR_CONFIG, "not an archive");
}

static void
test_archives (void)
{
  static const char *const members[]
      = { "b.csv", "data/", "data/数据.csv", "__MACOSX/b.csv", "note.txt", NULL };
  static const char *const contents[] = { "b1\n", "", "数据2\n", "junk", "note\n", NULL };
  static const char *const files[] = { "a.zip", "a.tar", "a.tar.gz" };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (GString) names = g_string_new (NULL), want = g_string_new (NULL);
      g_autofree char *all = NULL, *some = NULL, *pattern = g_strconcat (files[i], ":*.csv", NULL);
      g_autofree char *none = g_strconcat (files[i], ":*.xml", NULL);

      archive (files[i], i == 0, members, contents);
      all = get (files[i], NULL, names, NULL);
      g_assert_cmpstr (all, ==, "b1\n数据2\nnote\n");
      g_string_printf (want, "%1$s:b.csv %1$s:data/数据.csv %1$s:note.txt ", files[i]);
      g_assert_cmpstr (names->str, ==, want->str);
      some = get (pattern, NULL, NULL, NULL);
      g_assert_cmpstr (some, ==, "b1\n数据2\njunk");
      expect_error (none, NULL, FR_ERROR_CONFIG, "'*.xml'");
    }
}

static void
test_bad_archives (void)
{
  static const char *const book[] = { "[Content_Types].xml", "xl/workbook.xml", NULL };
  static const char *const contents[] = { "<x/>", "<x/>", NULL };
  g_autofree char *path = at ("story.gz");

  put ("bad.zip", "PK\3\4 and then nothing of a zip file at all", 40);
  expect_error ("bad.zip", NULL, FR_ERROR_DATA, "bad.zip");
  put ("bad.gz", "\x1F\x8B\x08 nothing", 11);
  expect_error ("bad.gz", NULL, FR_ERROR_DATA, "bad.gz");
  archive ("book.xlsx", TRUE, book, contents);
  expect_error ("book.xlsx", NULL, FR_ERROR_DATA, "Excel workbook");
  expect_error ("story.gz:x", NULL, FR_ERROR_CONFIG, "not an archive");
}

/* 2 GiB of one letter in some 200 KB of zstd: refused after 1 GiB. */
static void
test_bomb (void)
{
  g_autofree char *path = at ("bomb.zst"), *letters = g_strnfill (1 << 20, 'x');
  g_autoptr (TextOutput) output = text_output_new (path, NULL, NULL);

  for (guint i = 0; i < 2048; i++)
    g_assert_true (text_output_write (output, letters, 1 << 20, NULL));
  g_assert_true (text_output_commit (output, NULL));
  expect_error ("bomb.zst", "utf-8", FR_ERROR_DATA, "grows more than 1000 times");
}

/* ---- paths ---------------------------------------------------------------- */

static void
test_globs (void)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *all = NULL, *star = NULL, *sub = at ("dir.part");

  put ("p2.part", "2", 1);
  put ("p10.part", "10", 2);
  put ("P1.part", "1", 1);
  g_assert_cmpint (g_mkdir (sub, 0755), ==, 0);
  all = get ("*.part", NULL, names, NULL);
  g_assert_cmpstr (names->str, ==, "P1.part p10.part p2.part ");
  g_assert_cmpstr (all, ==, "1102");
  put ("[x]*.part", "literal", 7);
  star = get ("[x]*.part", NULL, NULL, NULL);
  g_assert_cmpstr (star, ==, "literal");
  expect_error ("*.nothing", NULL, FR_ERROR_CONFIG, "no file matches");
  expect_error ("missing", NULL, FR_ERROR_IO, "missing");
  expect_error ("dir.part", NULL, FR_ERROR_IO, "is a directory");
}

static void
test_unreadable (void)
{
  g_autofree char *path = at ("secret");

  put ("secret", "x", 1);
  if (g_chmod (path, 0) != 0 || geteuid () == 0)
    {
      g_test_skip ("root reads everything");
      return;
    }
  expect_error ("secret", NULL, FR_ERROR_IO, "secret");
}

/* A look at standard input, given back, then the reading proper. */
static void
test_stdin (void)
{
  g_autofree char *path = at ("u8in"), *got = NULL;
  const char *paths[] = { "-", NULL }, *name, *block;
  TextInput *look;
  gsize len;

  put ("u8in", story, strlen (story));
  g_assert_nonnull (freopen (path, "r", stdin));
  look = text_input_new (paths, NULL, NULL, NULL);
  g_assert_true (text_input_next_text (look, &name, NULL));
  g_assert_true (text_input_read (look, &block, &len, NULL));
  g_assert_true (text_input_unread (look));
  text_input_free (look);
  got = get ("-", NULL, NULL, NULL);
  g_assert_true (g_str_equal (got, story));
  expect_error ("-", NULL, FR_ERROR_IO, "only one stage");
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = at ("u8in");
  const char *paths[] = { path, NULL }, *name;
  g_autoptr (TextInput) input = text_input_new (paths, NULL, cancellable, NULL);

  g_cancellable_cancel (cancellable);
  g_assert_false (text_input_next_text (input, &name, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CANCELLED);
}

static void
make_story (void)
{
  GString *s = g_string_new ("编号,名称,说明\n");

  for (guint i = 0; i < 9000; i++)
    g_string_append_printf (s, "%u,\"羊毛衫 %u\",\"纯羊毛，柔软保暖。\r\nwool sweater 😀 é\"\n", i,
                            i);
  story = g_string_free (s, FALSE);
}

int
main (int argc, char **argv)
{
  int status;
  g_autofree char *clean = NULL;

  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("flowrun-input-XXXXXX", NULL);
  make_story ();
  g_test_add_func ("/input/charsets", test_charsets);
  g_test_add_func ("/input/late-charset", test_late_charset);
  g_test_add_func ("/input/replaced", test_replaced);
  g_test_add_func ("/input/compressed", test_compressed);
  g_test_add_func ("/input/empty", test_empty);
  g_test_add_func ("/input/archives", test_archives);
  g_test_add_func ("/input/bad-archives", test_bad_archives);
  g_test_add_func ("/input/bomb", test_bomb);
  g_test_add_func ("/input/globs", test_globs);
  g_test_add_func ("/input/unreadable", test_unreadable);
  g_test_add_func ("/input/stdin", test_stdin);
  g_test_add_func ("/input/cancel", test_cancel);
  status = g_test_run ();
  clean = g_strdup_printf ("rm -rf '%s'", dir);
  if (g_spawn_command_line_sync (clean, NULL, NULL, NULL, NULL))
    g_free (dir);
  g_free (story);
  return status;
}
