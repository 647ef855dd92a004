/* SPDX-License-Identifier: Apache-2.0 */
/* test-text.c: sink.text. */
#include "config.h"

#include <flowrun/test.h>

static char *
plugin_path (void)
{
  return g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "sink-text.so", NULL);
}

static void
test_rows (void)
{
  g_autofree char *plugin = plugin_path (), *path = NULL, *text = NULL;
  g_autoptr (FrTest) t = fr_test_new_file (plugin, "sink.text", "{'path': 'out.txt', 'template': '{q}[[ ({n})]]: {a|-}\\n'}");

  fr_test_input (t, "in", "q: utf8, a: utf8, n: int64",
                 "[{'q': 'x', 'a': 'y', 'n': 3}, {'q': null, 'a': 'y'}, {'q': 'z\\n', 'a': ''}]");
  fr_test_run (t);
  path = g_build_filename (fr_test_tmpdir (t), "out.txt", NULL);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "x (3): y\nz\n: -\n");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
}

static void
test_problem (void)
{
  g_autofree char *plugin = plugin_path ();
  g_autoptr (FrTest) t = fr_test_new_file (plugin, "sink.text", "{'path': 'out.txt', 'template': '{nosuch}'}");

  fr_test_input (t, "in", "q: utf8", "[{'q': 'x'}]");
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "/template"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/rows", test_rows);
  g_test_add_func ("/text/problem", test_problem);
  return g_test_run ();
}
