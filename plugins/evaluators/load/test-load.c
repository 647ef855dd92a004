/* SPDX-License-Identifier: Apache-2.0 */
/* test-load.c: evaluator.load against a stand-in that behaves as each row tells it. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>
#include <string.h>

#include "stand-in.h"

typedef struct
{
  StandIn stand_in;
  TestServer *server;
  FrTest *test;
} Fixture;

static void
set_up (Fixture *f, gconstpointer key)
{
  stand_in_init (&f->stand_in, key);
  f->server = test_server_new (stand_in_answer, &f->stand_in, NULL);
}

static void
tear_down (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  g_clear_pointer (&f->test, fr_test_free);
  test_server_free (f->server);
  stand_in_clear (&f->stand_in);
}

/* @with: parameters beside the address; no warm-up unless they say so. */
static FrTest *
prepare (Fixture *f, const char *with, const char *columns, const char *rows)
{
  g_autofree char *plugin
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "evaluator-load.so", NULL);
  g_autofree char *all
      = g_strdup_printf ("{'url': 'http://127.0.0.1:%u/v1/', %s%s}", test_server_port (f->server),
                         strstr (with, "'warmup'") != NULL ? "" : "'warmup': 0, ", with);

  g_clear_pointer (&f->test, fr_test_free);
  f->test = fr_test_new_file (plugin, "evaluator.load", all);
  fr_test_set_seed (f->test, 5);
  fr_test_input (f->test, "in", columns, rows);
  return f->test;
}

static FrTest *
ask (Fixture *f, const char *with, const char *how)
{
  g_autofree char *rows = g_strdup_printf ("[{'input': '写一句话 %s'}]", how);
  FrTest *t = prepare (f, with, "input: utf8", rows);

  fr_test_run (t);
  return t;
}

static JsonObject *
report_of (FrTest *t)
{
  JsonNode *node = fr_test_report (t, "load");

  g_assert_nonnull (node);
  g_assert_nonnull (fr_test_output_object (t, "report"));
  return json_node_get_object (node);
}

static JsonObject *
step_of (FrTest *t, guint i)
{
  return json_array_get_object_element (json_object_get_array_member (report_of (t), "steps"), i);
}

static gint64
count_of (FrTest *t, const char *name)
{
  return json_object_get_int_member (step_of (t, 0), name);
}

static gint64
kind_of (FrTest *t, const char *name)
{
  JsonObject *kinds = json_object_get_object_member (step_of (t, 0), "failures");

  return json_object_get_int_member_with_default (kinds, name, 0);
}

static double
time_of (FrTest *t, guint step, const char *figure, const char *at)
{
  JsonObject *times = json_object_get_object_member (step_of (t, step), figure);
  JsonNode *node = json_object_get_member (times, at);

  return JSON_NODE_HOLDS_NULL (node) ? NAN : json_node_get_double (node);
}

static gboolean
is_met (FrTest *t)
{
  return json_object_get_boolean_member (report_of (t), "met");
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static JsonObject *
last_body (Fixture *f, JsonNode **node)
{
  *node = fr_json_parse (f->stand_in.last, -1, 0, NULL);
  g_assert_nonnull (*node);
  return json_node_get_object (*node);
}

static void
test_closed (Fixture *f, gconstpointer key)
{
  g_autofree char *with = g_strdup_printf (
      "'requests': 24, 'seconds': 0, 'concurrency': 3, 'max_tokens': 9, 'objective': '30s', "
      "'settings': {'top_p': 0.5}%s",
      key != NULL ? ", 'key': {'env': 'LOAD_TEST_KEY'}" : "");
  g_autoptr (JsonNode) node = NULL;
  JsonObject *body;
  FrTest *t;

  g_setenv ("LOAD_TEST_KEY", "sesam", TRUE);
  t = ask (f, with, "gap=20 pieces=4");
  body = last_body (f, &node);
  g_assert_cmpstr (json_object_get_string_member (body, "model"), ==, "stand-in");
  g_assert_cmpint (json_object_get_int_member (body, "max_tokens"), ==, 9);
  g_assert_cmpfloat (json_object_get_double_member (body, "top_p"), ==, 0.5);
  g_assert_true (json_object_get_boolean_member (body, "stream"));
  g_assert_nonnull (strstr (f->stand_in.last, "写一句话"));
  g_assert_cmpuint (g_hash_table_size (f->stand_in.seeds), ==, 24);
  g_assert_cmpstr (f->stand_in.path, ==, "/v1/chat/completions");
  g_assert_cmpstr (f->stand_in.authorization, ==, key != NULL ? "Bearer sesam" : NULL);
  g_assert_cmpint (count_of (t, "requests"), ==, 24);
  g_assert_cmpint (count_of (t, "answered"), ==, 24);
  g_assert_cmpint (count_of (t, "tokens"), ==, 24 * 5);
  g_assert_cmpint (count_of (t, "prompt_tokens"), ==, 24 * 7);
  g_assert_cmpint (count_of (t, "tokens_estimated"), ==, 0);
  g_assert_true (is_met (t));
  g_assert_cmpfloat (time_of (t, 0, "latency_ms", "min"), >=, 60);
  g_assert_cmpfloat (time_of (t, 0, "first_token_ms", "p50"), <,
                     time_of (t, 0, "latency_ms", "p50"));
  /* Three gaps of 20 ms over four further tokens; a first piece that is read late shortens them. */
  g_assert_cmpfloat (time_of (t, 0, "per_token_ms", "p50"), >=, 14);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 24);
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"outcome\":\"ok\""));
  g_assert_cmpint (fr_test_counter (t, "requests"), ==, 24);
  g_assert_true (fr_views_check (fr_test_report (t, "views"), NULL));
}

static void
test_shapes (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  static const char columns[] = "name: utf8, price: float64";
  static const char rows[] = "[{'name': '茶杯', 'price': 12.5}, {'name': null, 'price': 1.0}]";
  FrTest *t
      = prepare (f, "'requests': 2, 'seconds': 0, 'template': '写 {name} pieces=2'", columns, rows);

  fr_test_run (t);
  g_assert_nonnull (strstr (f->stand_in.last, "\"content\":\"写 茶杯 pieces=2\""));
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  t = prepare (f,
               "'requests': 2, 'seconds': 0, 'concurrency': 1, 'api': 'completions', "
               "'template': '写 {name|x}'",
               columns, rows);
  fr_test_run (t);
  g_assert_cmpstr (f->stand_in.path, ==, "/v1/completions");
  g_assert_nonnull (strstr (f->stand_in.last, "\"prompt\":\"写 x\""));
  t = prepare (f, "'requests': 1, 'seconds': 0, 'api': 'generate', 'concurrency': 1", columns,
               rows);
  fr_test_run (t);
  g_assert_cmpstr (f->stand_in.path, ==, "/generate");
  g_assert_nonnull (strstr (f->stand_in.last, "\"fields\":{\"name\":\"茶杯\",\"price\":12.5}"));
  t = prepare (f, "'requests': 2, 'seconds': 0, 'settings': {'seed': 3}, 'model': 'other'",
               "messages: utf8",
               "[{'messages': '[{\\\"role\\\": \\\"system\\\", \\\"content\\\": \\\"短\\\"}, "
               "{\\\"role\\\": \\\"user\\\", \\\"content\\\": \\\"你好\\\"}]'}]");
  fr_test_run (t);
  g_assert_nonnull (strstr (f->stand_in.last, "{\"role\":\"user\",\"content\":\"你好\"}"));
  g_assert_nonnull (strstr (f->stand_in.last, "\"model\":\"other\""));
  g_assert_true (g_hash_table_contains (f->stand_in.seeds, "\"seed\":3"));
  t = prepare (f, "'requests': 2, 'seconds': 0", columns, rows);
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "expected a column"));
}

/* ---- what comes back ------------------------------------------------------------------------- */

static void
test_kinds (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  static const struct
  {
    const char *how, *kind;
  } kinds[] = { { "status=429", "http_429" },
                { "status=500", "http_500" },
                { "cut", "broken_off" },
                { "pieces=3 cut", "incomplete" },
                { "pieces=2 error", "error_event" },
                { "incomplete", "incomplete" },
                { "nonsense", "malformed" },
                { "wait=1500", "timeout" } };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      FrTest *t = ask (f, "'requests': 4, 'seconds': 0, 'timeout': '300ms', 'objective': '5s'",
                       kinds[i].how);

      if (kind_of (t, kinds[i].kind) != 4)
        g_error ("'%s' is not '%s' four times", kinds[i].how, kinds[i].kind);
      g_assert_cmpint (count_of (t, "failed"), ==, 4);
      g_assert_false (is_met (t));
      g_assert_cmpint (json_object_get_int_member (
                           json_object_get_object_member (step_of (t, 0), "latency_ms"), "n"),
                       ==, g_str_equal (kinds[i].kind, "timeout") ? 4 : 0);
    }
}

static void
test_whole (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t = ask (f, "'requests': 3, 'seconds': 0, 'objective': '30s'", "whole");

  /* Asked for as streams, come in one piece. */
  g_assert_cmpint (count_of (t, "answered"), ==, 3);
  g_assert_true (isnan (time_of (t, 0, "first_token_ms", "p50")));
  t = ask (f, "'requests': 3, 'seconds': 0, 'stream': false, 'objective': '30s'", "pieces=6");
  g_assert_cmpint (count_of (t, "answered"), ==, 3);
  g_assert_cmpint (count_of (t, "tokens"), ==, 21);
  g_assert_nonnull (strstr (f->stand_in.last, "\"stream\":false"));
  g_assert_null (strstr (f->stand_in.last, "stream_options"));
  t = ask (f, "'requests': 3, 'seconds': 0, 'objective': '30s', 'first_token': '20s'",
           "uncounted hit pieces=5");
  g_assert_cmpint (count_of (t, "tokens"), ==, 15);
  g_assert_cmpint (count_of (t, "tokens_estimated"), ==, 3);
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (step_of (t, 0), "cache"), "hits"),
      ==, 3);
  g_assert_true (is_met (t));
  t = ask (f, "'requests': 3, 'seconds': 0, 'objective': '30s', 'first_token': '1ms'", "wait=20");
  g_assert_false (is_met (t));
}

/* ---- time ------------------------------------------------------------------------------------ */

/* A server that stands still for 800 ms: all that were due meanwhile have waited, also those that
 * could not be sent.  A generator that waits for its answers would see one slow request of 60. */
static void
test_omission (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t = ask (f,
                   "'requests': 60, 'seconds': 0, 'rate': 50, 'arrivals': 'constant', "
                   "'in_flight': 1, 'objective': '100ms', 'timeout': '30s'",
                   "stall=10,800");

  g_assert_cmpint (count_of (t, "answered"), ==, 60);
  g_assert_cmpint (count_of (t, "held_here"), >=, 20);
  g_assert_cmpfloat (time_of (t, 0, "latency_ms", "max"), >=, 780);
  g_assert_cmpfloat (time_of (t, 0, "latency_ms", "p90"), >=, 400);
  g_assert_false (is_met (t));
}

static void
test_unsent (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t
      = ask (f, "'requests': 300, 'seconds': 0, 'rate': 3000, 'in_flight': 1, 'timeout': '200ms'",
             "wait=150");

  g_assert_cmpint (count_of (t, "never_sent"), >, 0);
  g_assert_cmpint (count_of (t, "requests"), ==, 300);
  g_assert_cmpint (kind_of (t, "timeout"), ==, count_of (t, "failed"));
  g_assert_cmpint (count_of (t, "timeouts"), >, 10);
}

/* Seeded arrivals: their number in a second is what it was the last time. */
static void
test_arrivals (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t = ask (f, "'seconds': '1s', 'warmup': '500ms', 'rate': 80, 'objective': '30s'", "");
  gint64 n = count_of (t, "requests"), warm_up = count_of (t, "warm_up");

  g_assert_cmpint (n, >=, 40);
  g_assert_cmpint (n, <=, 130);
  g_assert_cmpint (warm_up, >, 0);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, n + warm_up);
  t = ask (f, "'seconds': '1s', 'warmup': '500ms', 'rate': 80, 'objective': '30s'", "");
  g_assert_cmpint (count_of (t, "requests"), ==, n);
  t = ask (f,
           "'seconds': '1s', 'rate': 80, 'objective': '30s', 'arrivals': 'constant', "
           "'least_rate': 1",
           "");
  g_assert_cmpint (count_of (t, "requests"), >=, 79);
  g_assert_cmpint (count_of (t, "requests"), <=, 80);
  g_assert_true (is_met (t));
  t = ask (f, "'seconds': '1s', 'rate': 20, 'objective': '30s', 'least_rate': 1000", "");
  g_assert_false (is_met (t));
}

/* One request at a time, 25 ms each: 40 a second and no more. */
static void
test_rates (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t = ask (f,
                   "'seconds': '1s', 'rates': [4, 8, 150, 600], 'objective': '600ms', "
                   "'arrivals': 'constant', 'timeout': '20s', 'errors': 1",
                   "alone=25");
  JsonObject *o = report_of (t);

  g_assert_cmpfloat (json_object_get_double_member (o, "met_rate"), ==, 8);
  g_assert_true (is_met (t));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (o, "steps")), ==, 3);
  g_assert_cmpint (json_object_get_int_member (o, "steps_left_out"), ==, 1);
  g_assert_true (fr_views_check (fr_test_report (t, "views"), NULL));
  t = ask (f, "'seconds': '500ms', 'rates': [4, 8], 'objective': '1ms', 'least_rate': 4",
           "wait=30");
  g_assert_false (is_met (t));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (report_of (t), "steps")),
                    ==, 1);
}

/* ---- no server ------------------------------------------------------------------------------- */

static void
test_nobody (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  g_autofree char *plugin
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "evaluator-load.so", NULL);
  g_autoptr (FrTest) t
      = fr_test_new_file (plugin, "evaluator.load", "{'url': 'http://127.0.0.1:1'}");
  g_autoptr (FrTest) bad = NULL;

  fr_test_input (t, "in", "input: utf8", "[{'input': 'x'}]");
  fr_test_run_error (t, FR_ERROR_TRANSIENT, "no server answers at http://127.0.0.1:1");
  bad = prepare (f, "'rate': 1, 'rates': [2, 1]", "input: utf8", "[{'input': 'x'}]");
  f->test = NULL;
  g_assert_false (fr_test_check (bad));
  g_assert_nonnull (strstr (fr_test_problems (bad), "must rise"));
}

static void
test_bad_settings (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  static const struct
  {
    const char *with, *says;
  } bad[] = { { "'rate': 1, 'rates': [1, 2]", "not both" },
              { "'seconds': 0", "needs 'requests'" },
              { "'timeout': 0", "more than 0" },
              { "'stream': false, 'first_token': '1s'", "only a stream" },
              { "'headers': {'X Y': 'z'}", "is no header" },
              { "'settings': [1]", "settings" },
              { "'rates': []", "rates" },
              { "'template': '{nothing}'", "nothing" } };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      FrTest *t = prepare (f, bad[i].with, "input: utf8", "[{'input': 'x'}]");

      if (fr_test_check (t) || strstr (fr_test_problems (t), bad[i].says) == NULL)
        g_error ("%s: '%s' does not say '%s'", bad[i].with, fr_test_problems (t), bad[i].says);
    }
}

static void
test_locked (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t = prepare (f, "'requests': 1", "input: utf8", "[{'input': 'x'}]");

  fr_test_run_error (t, FR_ERROR_CONFIG, "without the right key");
}

static void
test_nothing (Fixture *f, G_GNUC_UNUSED gconstpointer key)
{
  FrTest *t = prepare (f, "'requests': 1", "input: utf8", "[{'input': ' '}, {'input': null}]");

  fr_test_run_error (t, FR_ERROR_DATA, "nothing to ask");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, key, func) g_test_add (name, Fixture, key, set_up, func, tear_down)
  ADD ("/load/closed", NULL, test_closed);
  ADD ("/load/closed-with-key", "sesam", test_closed);
  ADD ("/load/shapes", NULL, test_shapes);
  ADD ("/load/kinds", NULL, test_kinds);
  ADD ("/load/whole", NULL, test_whole);
  ADD ("/load/omission", NULL, test_omission);
  ADD ("/load/unsent", NULL, test_unsent);
  ADD ("/load/arrivals", NULL, test_arrivals);
  ADD ("/load/rates", NULL, test_rates);
  ADD ("/load/nobody", NULL, test_nobody);
  ADD ("/load/bad-settings", NULL, test_bad_settings);
  ADD ("/load/locked", "sesam", test_locked);
  ADD ("/load/nothing", NULL, test_nothing);
  return g_test_run ();
}
