/* test-@NAME@.c: what @ELEMENT@ must do. */
#include <flowrun/test.h>

static FrTest *
test_with_file (const char *content, gssize len)
{
  FrTest *t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'path': 'lines.txt'}");
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), "lines.txt", NULL);

  g_assert_true (g_file_set_contents (path, content, len, NULL));
  return t;
}

static void
test_lines (void)
{
  g_autoptr (FrTest) t = test_with_file ("first\n第二行\n", -1);

  fr_test_run (t);
  fr_test_expect (t, "out", "[{'line': 1, 'text': 'first'}, {'line': 2, 'text': '第二行'}]");
}

static void
test_bad_line (void)
{
  g_autoptr (FrTest) t = test_with_file ("good\n\xff\xfe\ngood\n", -1);

  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 2);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = test_with_file ("one\ntwo\n三\n", -1);

  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/@NAME@/lines", test_lines);
  g_test_add_func ("/@NAME@/bad-line", test_bad_line);
  g_test_add_func ("/@NAME@/battery", test_battery);
  return g_test_run ();
}
