/* test-@NAME@.c: what @ELEMENT@ must do. */
#include <flowrun/test.h>

static void
test_measures (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", "{'column': 'text'}");

  fr_test_input (t, "in", "text: utf8", "[{'text': 'four'}, {'text': '两字'}, {'text': null}]");
  fr_test_run (t);
  g_assert_cmpint (fr_test_counter (t, "empty"), ==, 1);
  g_assert_nonnull (fr_test_report (t, "mean_characters"));
  g_assert_cmpfloat (json_node_get_double (fr_test_report (t, "mean_characters")), ==, 2);
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = fr_test_new_file (PLUGIN, "@ELEMENT@", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}, {'text': ''}, {'text': '你好'}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/@NAME@/measures", test_measures);
  g_test_add_func ("/@NAME@/battery", test_battery);
  return g_test_run ();
}
