/* SPDX-License-Identifier: Apache-2.0 */
/* test-command.c: transform.command with programs that behave and programs that do not. */
#include "config.h"

#include <flowrun/test.h>
#include <signal.h>

static FrTest *
command (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-command.so", NULL);

  return fr_test_new_file (path, "transform.command", with);
}

static FrBatch *
numbers (guint from, guint n)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("n", FR_TYPE_INT64, "t", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  for (guint i = from; i < from + n; i++)
    {
      fr_cells_append_int (fr_builder_cells (builder, 0), i);
      fr_cells_append_str (fr_builder_cells (builder, 1), "茶杯", strlen ("茶杯"));
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  return fr_builder_finish (builder, NULL);
}

static void
test_cat (void)
{
  static const char *const withs[] = {
    "{'command': 'cat'}", "{'command': ['cat'], 'mode': 'per_row', 'processes': 3}",
    "{'command': ['cat'], 'mode': 'batch', 'batch_rows': 2, 'processes': 2}",
    "{'command': ['cat'], 'match': 'id', 'columns': {'n': 'int64'}}",
    "{'command': ['sed', 's/x/x/'], 'columns': {'n': 'int64', 't': 'utf8'}, 'output': 'replace'}",
    /* no newline after the last line */
    "{'command': ['python3', '-c', 'import sys; sys.stdout.write(sys.stdin.read().rstrip())']}"
  };

  for (guint i = 0; i < G_N_ELEMENTS (withs); i++)
    {
      g_autoptr (FrTest) t = command (withs[i]);

      fr_test_input (
          t, "in", "n: int64, t: utf8",
          "[{'n': 1, 't': 'a\\n\\\"b'}, {'n': null, 't': null}, {'n': 3, 't': '👍🏽'}]");
      fr_test_input (t, "in", "n: int64, t: utf8", "[{'n': 4, 't': '茶'}, {'n': 5, 't': ''}]");
      fr_test_run (t);
      fr_test_expect (t, "out",
                      "[{'n': 1, 't': 'a\\n\\\"b'}, {'n': null, 't': null}, {'n': 3, 't': "
                      "'👍🏽'}, {'n': 4, 't': '茶'}, {'n': 5, 't': ''}]");
    }
}

static const char score[] = "{'command': ['python3', '-uc', 'import sys, json\\nfor l in "
                            "sys.stdin:\\n r = json.loads(l)\\n "
                            "print(json.dumps({\\\"len\\\": len(r[\\\"t\\\"]), \\\"t\\\": "
                            "r[\\\"t\\\"].upper(), \\\"extra\\\": 1}))'], "
                            "'columns': {'len': 'int32', 't': 'utf8'}, 'send': ['t']}";

static void
test_merge (void)
{
  g_autoptr (FrTest) t = command (score);

  fr_test_input (t, "in", "n: int64, t: utf8", "[{'n': 1, 't': 'ab茶'}, {'n': 2, 't': ''}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'n': 1, 't': 'AB茶', 'len': 3}, {'n': 2, 't': '', 'len': 0}]");
  g_assert_cmpint (fr_test_counter (t, "undeclared_members"), ==, 2);
}

/* A hundred thousand rows, four programs, order kept, every program slower at times. */
static void
test_many (gconstpointer with)
{
  g_autoptr (FrTest) t = command (with);
  const char *p;
  guint n = 0;

  for (guint i = 0; i < 25; i++)
    fr_test_input_batch (t, "in", numbers (i * 4000, 4000));
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 100000);
  for (p = fr_test_output (t, "out"); *p != '\0'; p = strchr (p, '\n') + 1)
    {
      char want[32];

      g_snprintf (want, sizeof want, "{\"n\":%u,", n++);
      if (!g_str_has_prefix (p, want))
        g_error ("row %u: %.40s", n, p);
    }
  g_assert_cmpuint (n, ==, 100000);
}

/* Answers that need more than every pipe holds, in both directions at once. */
static void
test_no_dead_lock (void)
{
  g_autoptr (FrTest) t = command (
      "{'command': ['awk', '{ print; fflush() }'], 'processes': 2, 'columns': {'t': 'utf8'}}");
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("t", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autofree char *big = g_strnfill (3 * 1024 * 1024, 'x');

  for (guint i = 0; i < 20; i++)
    {
      fr_cells_append_str (fr_builder_cells (builder, 0), big, strlen (big));
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  fr_test_input_batch (t, "in", fr_builder_finish (builder, NULL));
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 20);
}

#define PY "'python3', '-uc', 'import sys, json, os, time\\n"

static void
test_failures (void)
{
  static const struct
  {
    const char *with;
    FrError code;
    const char *want;
  } cases[] = {
    { "{'command': ['/nonexistent/program']}", FR_ERROR_CONFIG, "cannot start" },
    { "{'command': ['false']}", FR_ERROR_DATA, "ended with status 1" },
    { "{'command': ['true']}", FR_ERROR_DATA, "without an answer to row" },
    { "{'command': ['head', '-n', '2']}", FR_ERROR_DATA, "left 3 unanswered" },
    { "{'command': ['sed', 'p']}", FR_ERROR_DATA, "more lines than it was given rows" },
    { "{'command': ['sh', '-c', 'cat; echo oh no >&2; exit 3']}", FR_ERROR_DATA, "oh no" },
    { "{'command': ['sh', '-c', 'echo bad luck >&2; kill -SEGV $$']}", FR_ERROR_DATA, "signal 11" },
    { "{'command': ['sh', '-c', 'exec 0<&-; sleep 0.2; exit 4']}", FR_ERROR_DATA, "status 4" },
    { "{'command': ['sh', '-c', 'exec 0<&- 1>&-; sleep 100'], 'timeout': '300ms'}", FR_ERROR_DATA,
      "0.3 seconds" },
    { "{'command': ['sleep', '100'], 'timeout': '300ms'}", FR_ERROR_DATA,
      "neither read nor wrote for 0.3 seconds" },
    { "{'command': ['sh', '-c', 'sleep 100 & sleep 100'], 'timeout': '300ms'}", FR_ERROR_DATA,
      "0.3 seconds" },
    { "{'command': ['python3', '-c', 'syntax error'], 'restart': 3}", FR_ERROR_DATA,
      "SyntaxError" },
    { "{'command': ['sh', '-c', 'head -c 3000000 /dev/zero | tr \\\"\\\\\\\\0\\\" x'], 'max_line': "
      "'1MiB'}",
      FR_ERROR_DATA, "max_line" },
    { "{'command': ['echo', '{}'], 'match': 'id'}", FR_ERROR_DATA, "without the _id" },
    { "{'command': ['echo', '{\\\"_id\\\": \\\"x:1\\\"}'], 'match': 'id'}", FR_ERROR_DATA,
      "answered row 'x:1'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = command (cases[i].with);
      gint64 start = g_get_monotonic_time ();

      g_test_message ("%s", cases[i].with);
      fr_test_input_batch (t, "in", numbers (0, 5));
      fr_test_run_error (t, cases[i].code, cases[i].want);
      g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * G_USEC_PER_SEC);
    }
}

/* Row 3 kills the program, row 5 hangs it, row 7 gets no sense: each is rejected, no other is lost.
 */
static void
test_restart (gconstpointer extra)
{
  g_autofree char *with = g_strdup_printf (
      "{'command': [" PY
      "for l in sys.stdin:\\n r = json.loads(l)\\n if r[\\\"n\\\"] == 3: os._exit(9)\\n "
      "if r[\\\"n\\\"] == 5: time.sleep(100)\\n "
      "print(\\\"garbage\\\" if r[\\\"n\\\"] == 7 else json.dumps({\\\"m\\\": r[\\\"n\\\"] * 2}) "
      "if r[\\\"n\\\"] != 8 "
      "else json.dumps({\\\"_reject\\\": \\\"no eights\\\"}))'], 'columns': {'m': 'int64'}, "
      "'restart': 1, 'timeout': '5s'%s}",
      (const char *) extra);
  g_autoptr (FrTest) t = command (with);

  fr_test_input_batch (t, "in", numbers (0, 12));
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'n': 0, 't': '茶杯', 'm': 0}, {'n': 1, 't': '茶杯', 'm': 2}, {'n': 2, 't': "
                  "'茶杯', 'm': 4}, "
                  "{'n': 4, 't': '茶杯', 'm': 8}, {'n': 6, 't': '茶杯', 'm': 12}, {'n': 9, 't': "
                  "'茶杯', 'm': 18}, "
                  "{'n': 10, 't': '茶杯', 'm': 20}, {'n': 11, 't': '茶杯', 'm': 22}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 4);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "status 9"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "\"timeout\""));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "garbage"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "no eights"));
}

/* Several answers for a row, and none. */
static void
test_ids (void)
{
  static const char program[]
      = PY "for l in sys.stdin:\\n r = json.loads(l)\\n for i in range(r[\\\"n\\\"]):\\n  "
           "print(json.dumps({\\\"_id\\\": r[\\\"_id\\\"], \\\"part\\\": i}))'";

  for (guint drop = 0; drop < 2; drop++)
    {
      g_autofree char *with = g_strdup_printf (
          "{'command': [%s], 'match': 'id', 'columns': {'part': 'int32'}, 'send': 'n'%s}", program,
          drop ? ", 'unanswered': 'drop'" : "");
      g_autoptr (FrTest) t = command (with);

      fr_test_input (t, "in", "n: int64", "[{'n': 2}, {'n': 0}, {'n': 1}, {'n': 0}]");
      fr_test_run (t);
      fr_test_expect (t, "out", "[{'n': 2, 'part': 0}, {'n': 2, 'part': 1}, {'n': 1, 'part': 0}]");
      g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, drop ? 0 : 2);
      if (drop)
        g_assert_cmpint (fr_test_counter (t, "no_answer"), ==, 2);
    }
}

static void
test_bad_types (void)
{
  g_autoptr (FrTest) t = command ("{'command': ['sed', '-e', '1s/.*/{\\\"m\\\": 1}/', '-e', "
                                  "'2s/.*/{\\\"m\\\": \\\"x\\\"}/', '-e', "
                                  "'3s/.*/[1]/', '-e', '4s/.*/{\\\"m\\\": 1, \\\"m\\\": 2}/', "
                                  "'-e', '5s/.*/{\\\"m\\\": 5} x/'], "
                                  "'columns': {'m': 'int64'}, 'output': 'replace'}");

  fr_test_input_batch (t, "in", numbers (0, 5));
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'m': 1}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 4);
}

static void
test_surroundings (void)
{
  g_autoptr (FrTest) t
      = command ("{'command': ['sh', '-c', 'while read x; do echo \\\"{\\\\\\\"t\\\\\\\": "
                 "\\\\\\\"$GREETING $PWD\\\\\\\"}\\\"; done'], "
                 "'columns': {'t': 'utf8'}, 'env': {'GREETING': '你好'}, 'directory': '/'}");

  fr_test_input (t, "in", "t: utf8", "[{'t': ''}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'t': '你好 /'}]");
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = { { "{}", "command" },
                { "{'command': 'python3 x.py'}", "no shell" },
                { "{'command': 'cat', 'columns': {'x': 'int46'}}", "int46" },
                { "{'command': 'cat', 'columns': {'_x': 'utf8'}}", "begin with" },
                { "{'command': 'cat', 'output': 'replace'}", "nothing would be left" },
                { "{'command': 'cat', 'unanswered': 'drop'}", "match" },
                { "{'command': 'cat', 'send': 'q'}", "q" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = command (cases[i].with);

      fr_test_input (t, "in", "n: int64", "[{'n': 1}]");
      g_assert_false (fr_test_check (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].want));
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t
      = command ("{'command': ['cat'], 'columns': {'n': 'int64'}, 'processes': 2}");

  fr_test_input (t, "in", "n: int64, t: utf8", "[{'n': 1, 't': '茶'}, {'n': 2, 't': null}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_autofree char *python = g_find_program_in_path ("python3");

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/command/problems", test_problems);
  g_test_add_func ("/command/cat", test_cat);
  g_test_add_func ("/command/failures", test_failures);
  g_test_add_func ("/command/ids", test_ids);
  if (python != NULL)
    {
      g_test_add_func ("/command/merge", test_merge);
      g_test_add_data_func ("/command/restart/one", "", test_restart);
      g_test_add_data_func ("/command/restart/three",
                            ", 'processes': 3, 'mode': 'batch', 'batch_rows': 4", test_restart);
      g_test_add_data_func ("/command/restart/per-row", ", 'processes': 4, 'mode': 'per_row'",
                            test_restart);
    }
  g_test_add_func ("/command/types", test_bad_types);
  g_test_add_func ("/command/surroundings", test_surroundings);
  g_test_add_func ("/command/no-dead-lock", test_no_dead_lock);
  g_test_add_data_func ("/command/many/four", "{'command': ['cat'], 'processes': 4}", test_many);
  g_test_add_data_func ("/command/many/id", "{'command': ['cat'], 'match': 'id'}", test_many);
  g_test_add_data_func ("/command/many/batch",
                        "{'command': ['cat'], 'mode': 'batch', 'batch_rows': 5000, 'processes': 2}",
                        test_many);
  g_test_add_func ("/command/battery", test_battery);
  return g_test_run ();
}
