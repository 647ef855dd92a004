/* SPDX-License-Identifier: Apache-2.0 */
/* test-format.c: transform.format under the test kit. */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

static FrTest *
new_test (const char *with)
{
  const char *dir = g_getenv ("FLOWRUN_PLUGIN_PATH");
  g_autofree char *path
      = g_build_filename (dir ? dir : "plugins/.libs", "transform-format.so", NULL);

  return fr_test_new_file (path, "transform.format", with);
}

static void
check_pair (void)
{
  g_autoptr (FrTest) t = new_test (
      "{'input': 'Write about {name}[[ for {audience}]].', 'output': '{copy}', 'system': '{tone}', "
      "'history': ['{q}', '{a}'], 'keep': ['category']}");

  fr_test_input (
      t, "in",
      "name: utf8, audience: utf8, copy: utf8, tone: utf8, q: utf8, a: utf8, category: utf8",
      "[{'name': '杯', 'audience': '学生', 'copy': '好杯', 'tone': '简短', 'q': '你好', 'a': '好', "
      "'category': 'x'},"
      " {'name': '伞', 'copy': '好伞'}, {'name': '伞'}, {'name': '伞', 'copy': 'c', 'q': '只问'}]");
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'system': '简短', 'input': 'Write about 杯 for 学生.', 'output': '好杯', "
                  "'history': [['你好', '好']], 'category': 'x'},"
                  " {'system': null, 'input': 'Write about 伞.', 'output': '好伞', 'history': "
                  "null, 'category': null}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 2);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "empty_field"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "'copy' is empty"));
}

static void
check_variants (void)
{
  g_autoptr (FrTest) t
      = new_test ("{'variants': [{'input': 'A {n}'}, {'input': 'B {m}'}], 'output': '{o}'}");

  fr_test_input (t, "in", "n: utf8, m: utf8, o: utf8",
                 "[{'n': '1', 'm': '2', 'o': 'x'}, {'n': '3', 'o': 'y'}, {'o': 'z'}]");
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'input': 'A 1', 'output': 'x'}, {'input': 'B 2', 'output': 'x'}, {'input': 'A "
                  "3', 'output': 'y'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "variants_left_out"), ==, 1);
}

static char *
draw (guint64 seed, guint workers)
{
  g_autoptr (FrTest) t = new_test (
      "{'variants': [{'input': 'A'}, {'input': 'B'}], 'output': '{o}', 'choose': 'one'}");
  g_autoptr (GString) rows = g_string_new ("[");

  for (guint i = 0; i < 64; i++)
    g_string_append (rows, i ? ",{'o':'x'}" : "{'o':'x'}");
  g_string_append (rows, "]");
  fr_test_set_seed (t, seed);
  fr_test_set_workers (t, workers);
  fr_test_input (t, "in", "o: utf8", rows->str);
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 64);
  return g_strdup (fr_test_output (t, "out"));
}

static void
check_choose (void)
{
  g_autofree char *a = draw (1, 1), *b = draw (1, 4), *c = draw (2, 1);

  g_assert_cmpstr (a, ==, b);
  g_assert_cmpstr (a, !=, c);
  g_assert_nonnull (strstr (a, "\"A\""));
  g_assert_nonnull (strstr (a, "\"B\""));
}

static void
check_alpaca (void)
{
  g_autoptr (FrTest) t = new_test ("{'from_shape': 'alpaca', 'shape': 'messages', 'system': 'S'}");

  fr_test_input (
      t, "in", "instruction: utf8, input: utf8, output: utf8, history: list<list<utf8>>",
      "[{'instruction': '翻译', 'input': 'cat', 'output': '猫', 'history': [['q', 'a']]},"
      " {'instruction': 'i', 'input': '', 'output': 'o', 'history': []},"
      " {'instruction': 'i', 'output': ' '}, {'instruction': 'i', 'output': 'o', 'history': "
      "[['q']]}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'messages': [{'role': 'system', 'content': 'S'}, {'role': 'user', 'content': 'q'}, "
      "{'role': 'assistant', 'content': 'a'},"
      " {'role': 'user', 'content': '翻译\\ncat'}, {'role': 'assistant', 'content': '猫'}]},"
      " {'messages': [{'role': 'system', 'content': 'S'}, {'role': 'user', 'content': 'i'}, "
      "{'role': 'assistant', 'content': 'o'}]}]");
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "empty_field"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "\"shape\""));
}

static void
check_sharegpt (void)
{
  g_autoptr (FrTest) t
      = new_test ("{'from_shape': 'sharegpt', 'roles': {'客户': 'user'}, 'turns': 'each'}");

  fr_test_input (t, "in", "conversations: list<struct<from: utf8, value: utf8>>",
                 "[{'conversations': [{'from': 'system', 'value': 's'}, {'from': 'human', 'value': "
                 "'1'}, {'from': 'gpt', 'value': '2'},"
                 " {'from': '客户', 'value': '3'}, {'from': 'gpt', 'value': '4'}]},"
                 " {'conversations': [{'from': 'gpt', 'value': '1'}]}, {'conversations': [{'from': "
                 "'tool', 'value': '1'}]},"
                 " {'conversations': null}, {'conversations': []}]");
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'system': 's', 'input': '1', 'output': '2', 'history': null},"
                  " {'system': 's', 'input': '3', 'output': '4', 'history': [['1', '2']]}]");
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "'tool' is not a role"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "alternation"));
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 4);
}

static void
check_openai_text (void)
{
  g_autoptr (FrTest) t = new_test ("{'from_shape': 'openai', 'column': 'm'}");

  fr_test_input (t, "in", "m: utf8",
                 "[{'m': "
                 "'[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"你好\\\",\\\"x\\\":[1]},{"
                 "\\\"role\\\":\\\"assistant\\\",\\\"content\\\":\\\"好\\\"}]'},"
                 " {'m': '[{\\\"role\\\":\\\"user\\\"'}, {'m': '[]'}, {'m': "
                 "'[{\\\"role\\\":\\\"user\\\",\\\"content\\\":[1]}]'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'system': null, 'input': '你好', 'output': '好', 'history': null}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 3);
}

static void
check_problems (void)
{
  static const char *const wrong[][2] = {
    { "{'input': '{nmae}', 'output': '{copy}'}", "did you mean 'name'" },
    { "{'input': '{name}'}", "'output' is missing" },
    { "{'input': '{name', 'output': '{copy}'}", "character 1" },
    { "{'input': '{name}', 'output': '{copy}', 'history': ['{name}']}", "last answer is missing" },
    { "{'from_shape': 'alpaca'}", "instruction" },
    { "{'from_shape': 'openai'}", "messages" },
    { "{'from_shape': 'openai', 'input': 'x'}", "only the shape 'columns'" },
    { "{'input': '{name}', 'output': '{copy}', 'keep': ['input']}", "input" },
    { "{'input': '{name}', 'output': '{copy}', 'roles': {'x': 'boss'}}", "'boss' is not a role" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (FrTest) t = new_test (wrong[i][0]);

      fr_test_input (t, "in", "name: utf8, copy: utf8, input: utf8", "[]");
      g_assert_false (fr_test_check (t));
      g_test_message ("%s", fr_test_problems (t));
      g_assert_nonnull (strstr (fr_test_problems (t), wrong[i][1]));
    }
}

static void
check_battery (void)
{
  g_autoptr (FrTest) t = new_test ("{'input': '{name}', 'output': '{copy}'}");

  fr_test_input (t, "in", "name: utf8, copy: utf8", "[{'name': 'a', 'copy': 'b'}, {'name': '中'}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/format/pair", check_pair);
  g_test_add_func ("/format/variants", check_variants);
  g_test_add_func ("/format/choose", check_choose);
  g_test_add_func ("/format/alpaca", check_alpaca);
  g_test_add_func ("/format/sharegpt", check_sharegpt);
  g_test_add_func ("/format/openai-text", check_openai_text);
  g_test_add_func ("/format/problems", check_problems);
  g_test_add_func ("/format/battery", check_battery);
  return g_test_run ();
}
