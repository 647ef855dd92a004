/* SPDX-License-Identifier: Apache-2.0 */
/* test-generate.c: transform.generate on a small random model. */
#include "config.h"

#include <flowrun/test.h>

#include "lm/chat/test-model.h"

#define ROWS                                                                                            \
  "[{'input': 'one', 'n': 1}, {'input': ' ', 'n': 2}, {'input': 'three', 'n': 3}, {'input': 'four', 'n': 4}]"

static FrTest *
new_test (const char *with, LmModel *model)
{
  g_autofree char *plugin = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-generate.so", NULL);
  FrTest *t = fr_test_new_file (plugin, "transform.generate", with);

  fr_test_input_object (t, "model", (FrObject *) model);
  return t;
}

static char *
output (const char *with)
{
  g_autoptr (LmModel) model = test_model (128, TEST_CHATML);
  g_autoptr (FrTest) t = new_test (with, model);

  fr_test_input (t, "in", "input: utf8, n: int64", ROWS);
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 3);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "no_prompt"));
  g_assert_cmpint (fr_test_counter (t, "tokens_out"), >, 0);
  return g_strdup (fr_test_output (t, "out"));
}

static void
test_rows (void)
{
  g_autofree char *one = output (
      "{'backend': 'reference', 'type': 'f32', 'max_tokens': 9, 'temperature': 0.8, 'batch': 1, 'as': 'a', 'stop_reason': 'why', 'tokens': 't', 'logprob': 'p'}");
  g_autofree char *many = output (
      "{'backend': 'reference', 'type': 'f32', 'max_tokens': 9, 'temperature': 0.8, 'batch': 3, 'as': 'a', 'stop_reason': 'why', 'tokens': 't'}");
  g_auto (GStrv) rows = g_strsplit (one, "\n", -1), others = g_strsplit (many, "\n", -1);

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *begin = g_strdup_printf ("{\"input\":\"%s\",\"n\":%d,\"a\":\"", i == 0 ? "one" : i == 1 ? "three" : "four", i == 0 ? 1 : (int) i + 2);
      gsize same = strstr (rows[i], "\"p\":") - rows[i];

      g_assert_true (g_str_has_prefix (rows[i], begin));
      g_assert_nonnull (strstr (rows[i], "\"why\":\""));
      g_assert_nonnull (strstr (rows[i], "\"p\":-"));
      /* The number of rows at once changes nothing. */
      g_assert_cmpint (strncmp (rows[i], others[i], same - 1), ==, 0);
    }
}

static void
test_too_long (void)
{
  g_autoptr (LmModel) model = test_model (64, TEST_CHATML);
  g_autoptr (FrTest) t = new_test ("{'backend': 'reference', 'input': 'q', 'max_tokens': 99}", model);

  fr_test_input (t, "in", "q: utf8, input: utf8",
                 "[{'q': 'this question is longer than all that the model can take at once', 'input': 'x'}, {'q': 'y', 'input': 'z'}]");
  fr_test_run (t);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "too_long"));
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "stopped_by_context") + fr_test_counter (t, "stopped_by_length"), <=, 1);
}

static void
test_choices (void)
{
  g_autoptr (LmModel) model = test_model (128, TEST_CHATML);
  char *all[2] = { NULL };

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *with = g_strdup_printf (
          "{'backend': 'reference', 'type': 'f32', 'batch': %d, 'as': 'label', 'confidence': 'sure', "
          "'mass': 'all', 'choices': ['good', 'good value', 'bad']}",
          i == 0 ? 1 : 8);
      g_autoptr (FrTest) t = new_test (with, model);

      fr_test_input (t, "in", "input: utf8, n: int64", ROWS);
      fr_test_run (t);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 3);
      g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
      g_assert_cmpint (fr_test_counter (t, "off_choice"), ==, 3); /* of a random model */
      all[i] = g_strdup (fr_test_output (t, "out"));
    }
  g_assert_true (g_regex_match_simple (
      "^(\\{\"input\":\"[a-z]+\",\"n\":\\d,\"label\":\"(good|good value|bad)\",\"sure\":0\\.\\d+,\"all\":[-.e0-9]+\\}\\n){3}$",
      all[0], G_REGEX_RAW, 0));
  g_assert_cmpint (strncmp (all[0], all[1], strstr (all[0], "\"sure\"") - all[0]), ==, 0);
  g_free (all[0]);
  g_free (all[1]);
}

static void
test_problems (void)
{
  static const char *const bad[] = { "{'temperature': -0.5}", "{'stop': ['']}", "{'variables': [1]}", "{'tools': {}}", "{'repetition_penalty': 0}",
                                    "{'choices': ['one']}", "{'choices': ['a', '']}", "{'choices': ['a', 'b', 'a']}",
                                    "{'confidence': 'c'}", "{'choices': ['a', 'b'], 'logprob': 'l'}" };
  g_autoptr (LmModel) model = test_model (64, TEST_CHATML);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (FrTest) t = new_test (bad[i], model);

      fr_test_input (t, "in", "input: utf8", "[{'input': 'x'}]");
      g_assert_false (fr_test_check (t));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/generate/rows", test_rows);
  g_test_add_func ("/generate/too-long", test_too_long);
  g_test_add_func ("/generate/choices", test_choices);
  g_test_add_func ("/generate/problems", test_problems);
  return g_test_run ();
}
