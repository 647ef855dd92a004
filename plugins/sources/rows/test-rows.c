/* SPDX-License-Identifier: Apache-2.0 */
/* test-rows.c: source.rows. */
#include "config.h"

#include <flowrun/test.h>

#include "rows.c"

static void
test_kinds (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "source.rows",
                                      "{'rows': [{'a': 'x', 'n': 1, 'f': 2, 'b': true}, {'a': null, 'f': 0.5, 'z': 'new'}]}");

  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'a': 'x', 'n': 1, 'f': 2, 'b': true, 'z': null},"
                  " {'a': null, 'n': null, 'f': 0.5, 'b': null, 'z': 'new'}]");
}

static void
test_one (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "source.rows",
                                      "{'rows': {'tags': ['p', 'q']}, 'columns': {'tags': 'list<utf8>'}}");

  fr_test_run (t);
  fr_test_expect (t, "out", "[{'tags': ['p', 'q']}]");
}

static void
test_problems (void)
{
  static const char *const bad[]
      = { "{'rows': [1]}", "{'rows': []}", "{'rows': [{'a': []}]}", "{'rows': [{'a': 1}, {'a': 'x'}]}",
          "{'rows': {'b': 1}, 'columns': {'a': 'int64'}}", "{'rows': {'a': 1}, 'columns': {'a': 'no such'}}" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "source.rows", bad[i]);

      g_assert_false (fr_test_check (t));
      g_assert_nonnull (strstr (fr_test_problems (t), "/rows"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rows/kinds", test_kinds);
  g_test_add_func ("/rows/one", test_one);
  g_test_add_func ("/rows/problems", test_problems);
  return g_test_run ();
}
