/* SPDX-License-Identifier: Apache-2.0 */
/* test-filter.c: transform.filter as an element; the language has test-expr.c. */
#include "config.h"

#include <flowrun/test.h>

static FrTest *
filter (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-filter.so", NULL);

  return fr_test_new_file (path, "transform.filter", with);
}

static void
test_ports (void)
{
  g_autoptr (FrTest) t = filter ("{'where': '价格 * 2 > 10'}");

  fr_test_input (t, "in", "价格: int64, t: utf8",
                 "[{'价格': 6, 't': 'a'}, {'价格': 5, 't': 'b'}, {'价格': null, 't': 'c'}, "
                 "{'价格': 9223372036854775807, 't': 'd'}]");
  fr_test_input (t, "in", "价格: int64, t: utf8", "[{'价格': 100, 't': 'e'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'价格': 6, 't': 'a'}, {'价格': 100, 't': 'e'}]");
  fr_test_expect (t, "rest", "[{'价格': 5, 't': 'b'}, {'价格': null, 't': 'c'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "overflow"));
  g_assert_cmpint (fr_test_counter (t, "null"), ==, 1);
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = { { "{}", "where" },
                { "{'where': 'n >'}", "at character 4" },
                { "{'where': 'm > 1'}", "no column 'm'" },
                { "{'where': 'n'}", "true or false" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = filter (cases[i].with);

      fr_test_input (t, "in", "n: int64", "[{'n': 1}]");
      g_assert_false (fr_test_check (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].want));
    }
}

/* A pattern made to explode: the row is rejected, and soon. */
static void
test_too_hard (void)
{
#ifdef HAVE_PCRE2
  g_autoptr (FrTest) t = filter ("{'where': \"matches(t, '^(a|aa)+$')\"}");
  gint64 start = g_get_monotonic_time ();

  fr_test_input (
      t, "in", "t: utf8",
      "[{'t': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac'}, {'t': 'aaa'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'t': 'aaa'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
#else
  g_test_skip ("built without PCRE2");
#endif
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = filter ("{'where': \"length(lower(trim(t))) > 1 and n is not null\"}");

  fr_test_input (t, "in", "t: utf8, n: float64",
                 "[{'t': 'ab', 'n': 1.5}, {'t': null, 'n': 2}, {'t': '茶杯', 'n': null}, {'t': "
                 "'ÄÖ', 'n': 3}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter/ports", test_ports);
  g_test_add_func ("/filter/problems", test_problems);
  g_test_add_func ("/filter/too-hard", test_too_hard);
  g_test_add_func ("/filter/battery", test_battery);
  return g_test_run ();
}
