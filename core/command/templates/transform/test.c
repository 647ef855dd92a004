/* test-@NAME@.c: what @ELEMENT@ must do. */
#include <flowrun/test.h>

static void
test_tidies (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'column': 'text'}");

  fr_test_input (t, "in", "id: int64, text: utf8",
                 "[{'id': 1, 'text': '  two   words\\n'}, {'id': 2, 'text': '纯棉　　衬衫'},"
                 " {'id': 3, 'text': 'tidy'}, {'id': 4, 'text': null}]");
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'id': 1, 'text': 'two words'}, {'id': 2, 'text': '纯棉 衬衫'},"
                  " {'id': 3, 'text': 'tidy'}, {'id': 4, 'text': null}]");
  g_assert_cmpint (fr_test_counter (t, "changed"), ==, 2);
}

static void
test_wants_text (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'column': 'id'}");

  fr_test_input (t, "in", "id: int64", "[{'id': 1}]");
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "id"));
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a  b'}, {'text': ''}, {'text': '你 好'}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/@NAME@/tidies", test_tidies);
  g_test_add_func ("/@NAME@/wants-text", test_wants_text);
  g_test_add_func ("/@NAME@/battery", test_battery);
  return g_test_run ();
}
