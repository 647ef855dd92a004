/* SPDX-License-Identifier: Apache-2.0 */
/* test-gguf-write.c: GGUF files that are written: keys, tensors, threads, and files that change on
 * the disk. */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lm/checkpoint.h"

static char *
temporary (void)
{
  g_autofree char *dir = g_dir_make_tmp ("gguf-XXXXXX", NULL);

  g_assert_nonnull (dir);
  return g_build_filename (dir, "x.gguf", NULL);
}

static void
done_with (char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);

  g_unlink (path);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
  g_free (path);
}

/* Number @i of a row: what the writer must find again. */
static gboolean
fill (const LmTensor *t, gsize first, gsize n, gpointer out, gpointer user, GError **error)
{
  gsize cols = (gsize) t->dims[t->n_dims - 1];

  (void) error;
  for (gsize row = 0; row < n; row++)
    for (gsize i = 0; i < cols; i++)
      ((float *) out)[row * cols + i] = (float) ((first + row) * cols + i) + *(const float *) user;
  return TRUE;
}

static float offsets[] = { 0.25f, 0.5f, 0.75f };
/* one row of many numbers; rows of 3; 3000 rows of 1000: several blocks */
static const LmRowSource sources[]
    = { { { (char *) "a", LM_F32, 1, { 5 }, NULL, 0 }, fill, &offsets[0] },
        { { (char *) "b", LM_F32, 2, { 7, 3 }, NULL, 0 }, fill, &offsets[1] },
        { { (char *) "c", LM_F32, 2, { 3000, 1000 }, NULL, 0 }, fill, &offsets[2] } };

static LmGgufKeys *
keys (void)
{
  static const FrStr texts[] = { { "one", 3 }, { "", 0 }, { "\xe4\xba\x8c", 3 } };
  static const gint32 numbers[] = { 1, -2, 3 };
  LmGgufKeys *k = lm_gguf_keys_new ();

  lm_gguf_keys_set_text (k, "general.architecture", "llama");
  lm_gguf_keys_set_u32 (k, "u", 7);
  lm_gguf_keys_set_f32 (k, "f", 0.5f);
  lm_gguf_keys_set_bool (k, "b", TRUE);
  lm_gguf_keys_set_texts (k, "texts", texts, 3);
  lm_gguf_keys_set_i32s (k, "numbers", numbers, 3);
  return k;
}

static void
test_read_again (void)
{
  g_autoptr (LmGgufKeys) k = keys ();
  g_autoptr (GError) error = NULL;
  char *path = temporary ();
  g_autoptr (LmWeightFile) file = NULL;
  const FrStr *texts;
  const gint32 *numbers;
  JsonObject *metadata;
  gsize n;

  g_assert_true (lm_gguf_write (path, k, sources, 3, 3, NULL, NULL, &error));
  g_assert_no_error (error);
  file = lm_weight_file_open (path, &error);
  g_assert_no_error (error);
  metadata = lm_weight_file_metadata (file);
  g_assert_cmpstr (json_object_get_string_member (metadata, "general.architecture"), ==, "llama");
  g_assert_cmpint (json_object_get_int_member (metadata, "u"), ==, 7);
  g_assert_cmpfloat (json_object_get_double_member (metadata, "f"), ==, 0.5);
  g_assert_true (json_object_get_boolean_member (metadata, "b"));
  texts = lm_gguf_strings (file, "texts", &n);
  g_assert_cmpmem (texts[2].data, texts[2].len, "\xe4\xba\x8c", 3);
  g_assert_cmpint (texts[1].len, ==, 0);
  numbers = lm_gguf_ints (file, "numbers", &n);
  g_assert_cmpint (n, ==, 3);
  g_assert_cmpint (numbers[1], ==, -2);
  for (gsize i = 0; i < 3; i++)
    {
      const LmTensor *t = lm_weight_file_tensor (file, i);

      g_assert_cmpstr (t->name, ==, sources[i].tensor.name);
      for (gsize k2 = 0; k2 < t->bytes / sizeof (float); k2++)
        {
          float x;

          memcpy (&x, (const float *) t->data + k2, sizeof x);
          if (x != (float) k2 + offsets[i])
            g_error ("%s[%zu] is %g", t->name, k2, (double) x);
        }
    }
  done_with (path);
}

static void
test_threads (void)
{
  char *texts[2];
  gsize lengths[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (LmGgufKeys) k = keys ();
      char *path = temporary ();

      g_assert_true (lm_gguf_write (path, k, sources, 3, i == 0 ? 1 : 5, NULL, NULL, NULL));
      g_assert_true (g_file_get_contents (path, &texts[i], &lengths[i], NULL));
      done_with (path);
    }
  g_assert_cmpmem (texts[0], lengths[0], texts[1], lengths[1]);
  g_free (texts[0]);
  g_free (texts[1]);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

/* Changes a byte of the finished file, before it is read again. */
static gboolean
spoil (guint64 done, guint64 total, gpointer user)
{
  gboolean *spoilt = ((gpointer *) user)[1];
  FILE *f;

  if (*spoilt || 2 * done < total)
    return TRUE;
  f = fopen (((gpointer *) user)[0], "r+");
  g_assert_nonnull (f);
  g_assert_cmpint (fseek (f, -4000, SEEK_END), ==, 0);
  g_assert_cmpint (fputc (0x55, f), ==, 0x55);
  fclose (f);
  *spoilt = TRUE;
  return TRUE;
}

static void
test_spoilt (void)
{
  g_autoptr (LmGgufKeys) k = keys ();
  g_autoptr (GError) error = NULL;
  char *path = temporary ();
  gboolean spoilt = FALSE;
  gpointer user[] = { path, &spoilt };

  g_assert_false (lm_gguf_write (path, k, sources, 3, 1, spoil, user, &error));
  g_assert_true (spoilt);
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "tensor 'c' was read back otherwise"));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  done_with (path);
}

static gboolean
stop (guint64 done, guint64 total, gpointer user)
{
  (void) user;
  return 4 * done < total;
}

static gboolean
fill_fails (const LmTensor *t, gsize first, gsize n, gpointer out, gpointer user, GError **error)
{
  (void) n;
  (void) out;
  (void) user;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: row %zu", t->name, first);
  return FALSE;
}

static void
refused (const LmRowSource *source, gsize n, LmWriteStep told, FrError code, const char *text)
{
  g_autoptr (LmGgufKeys) k = keys ();
  g_autoptr (GError) error = NULL;
  char *path = temporary ();

  g_assert_false (lm_gguf_write (path, k, source, n, 2, told, NULL, &error));
  g_assert_error (error, FR_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  done_with (path);
}

static void
test_refused (void)
{
  LmRowSource s = sources[1], twice[] = { s, s };

  refused (sources, 3, stop, FR_ERROR_CANCELLED, "cancelled");
  refused (twice, 2, NULL, FR_ERROR_CONFIG, "twice");
  s.fill = fill_fails;
  refused (&s, 1, NULL, FR_ERROR_DATA, "b: row 0");
  s = sources[1];
  s.tensor.type = LM_Q4_K;
  refused (&s, 1, NULL, FR_ERROR_CONFIG, "do not divide into blocks");
  s.tensor.type = LM_BOOL;
  refused (&s, 1, NULL, FR_ERROR_CONFIG, "no such type");
  s = sources[1];
  s.tensor.name = (char *) "0123456789012345678901234567890123456789012345678901234567890123";
  refused (&s, 1, NULL, FR_ERROR_CONFIG, "64 bytes");
}

static void
test_no_place (void)
{
  g_autoptr (LmGgufKeys) k = keys ();
  g_autoptr (GError) error = NULL;

  g_assert_false (lm_gguf_write ("/nowhere/x.gguf", k, sources, 3, 1, NULL, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gguf-write/read-again", test_read_again);
  g_test_add_func ("/gguf-write/threads", test_threads);
  g_test_add_func ("/gguf-write/spoilt", test_spoilt);
  g_test_add_func ("/gguf-write/refused", test_refused);
  g_test_add_func ("/gguf-write/no-place", test_no_place);
  return g_test_run ();
}
