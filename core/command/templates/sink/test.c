/* test-@NAME@.c: what @ELEMENT@ must do. */
#include <flowrun/test.h>

static void
test_writes (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'path': 'out.txt'}");
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), "out.txt", NULL), *text = NULL;

  fr_test_input (t, "in", "text: utf8",
                 "[{'text': 'one'}, {'text': '第二'}, {'text': null}, {'text': 'a\\nb'}]");
  fr_test_run (t);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "one\n第二\n\n");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
}

static void
test_no_directory (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'path': 'no/where/out.txt'}");

  fr_test_input (t, "in", "text: utf8", "[{'text': 'one'}]");
  fr_test_run_error (t, FR_ERROR_IO, "no/where");
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'path': 'out.txt'}");

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}, {'text': ''}, {'text': '你好'}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/@NAME@/writes", test_writes);
  g_test_add_func ("/@NAME@/no-directory", test_no_directory);
  g_test_add_func ("/@NAME@/battery", test_battery);
  return g_test_run ();
}
