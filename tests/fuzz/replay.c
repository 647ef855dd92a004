/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: main() of a fuzz harness in the ordinary test run.
 *
 * A harness defines LLVMFuzzerTestOneInput (libFuzzer's and AFL++'s entry) and
 * FUZZ_NAME; this feeds it every file of tests/fuzz/corpus/FUZZ_NAME, whole,
 * and also cut at every 7th of its length, under whatever sanitizers the build
 * has.  tests/fuzz/run.sh builds the same harness with libFuzzer's own main.
 */
#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
replay (gconstpointer path)
{
  g_autofree char *text = NULL;
  gsize len;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, &len, &error);
  g_assert_no_error (error);
  LLVMFuzzerTestOneInput ((const uint8_t *) text, len);
  for (guint i = 0; i < 7; i++)
    {
      gsize cut = len * i / 7;
      /* A block of its own, so that reading past the cut is seen. */
      g_autofree uint8_t *part = g_memdup2 (text, cut);

      LLVMFuzzerTestOneInput (part ? part : (const uint8_t *) "", cut);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *dir = NULL;
  g_autoptr (GDir) d = NULL;
  g_autoptr (GPtrArray) keep = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  g_test_init (&argc, &argv, NULL);
  dir = g_test_build_filename (G_TEST_DIST, "tests", "fuzz", "corpus", FUZZ_NAME, NULL);
  d = g_dir_open (dir, 0, NULL);
  if (d == NULL)
    g_error ("no corpus at %s", dir);
  while ((name = g_dir_read_name (d)) != NULL)
    {
      g_autofree char *test = g_strdup_printf ("/fuzz/%s/%s", FUZZ_NAME, name);
      char *path = g_build_filename (dir, name, NULL);

      g_ptr_array_add (keep, path);
      g_test_add_data_func (test, path, replay);
    }
  return g_test_run ();
}
