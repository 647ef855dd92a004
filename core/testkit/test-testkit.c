/* SPDX-License-Identifier: Apache-2.0 */
/* test-testkit.c: the test kit, tried on elements that keep their promises and
 * on elements that break exactly one each: a kit that does not see those would
 * be worth nothing. */
#include "config.h"

#include <string.h>

#include "testkit/testkit.h"

typedef struct
{
  char *column;
  char *suffix;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT, "the text to work on",
                         .def = "text"),
        FR_PARAM_STRING ("suffix", Config, suffix, "what to put behind it", .def = "!"), NULL };

static FrBatch *leaked;
static gint calls;

static gboolean
start (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  (void) host, (void) error;
  *state = (gpointer) config;
  return TRUE;
}

static void
stop (gpointer state)
{
  (void) state;
}

static gboolean
add_suffix (FrStr text, GString *out, gpointer suffix)
{
  g_string_append_len (out, text.data, (gssize) text.len);
  g_string_append (out, suffix);
  return TRUE;
}

static FrFlow
map_with (FrHost *host, const Config *c, FrBatch *batch, const char *suffix, GError **error)
{
  guint column = (guint) fr_schema_find (fr_batch_schema (batch), c->column);
  FrBatch *out = fr_batch_map_text (batch, column, add_suffix, (gpointer) suffix, error);

  fr_batch_unref (batch);
  if (out == NULL)
    return FR_FLOW_ERROR;
  fr_host_count (host, "rows", (gint64) fr_batch_n_rows (out));
  return fr_host_push (host, "out", out, error);
}

static FrFlow
map_good (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  (void) local;
  return map_with (host, state, batch, ((const Config *) state)->suffix, error);
}

/* Rows whose text is "bad" are refused. */
static FrFlow
map_picky (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  FrView view = fr_view (
      batch, (guint) fr_schema_find (fr_batch_schema (batch), ((Config *) state)->column));
  g_autofree guint8 *keep = g_malloc0 (fr_batch_n_rows (batch));
  FrBatch *kept;

  (void) local;
  for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
    {
      keep[r] = !fr_str_equal (fr_view_str (&view, r), FR_STR ("bad"));
      if (!keep[r])
        fr_host_reject (host, batch, r, "bad", "the text is bad");
    }
  kept = fr_batch_filter (batch, keep);
  fr_batch_unref (batch);
  return fr_host_push (host, "out", kept, error);
}

static FrFlow
map_leaky (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  (void) local;
  leaked = fr_batch_ref (batch);
  return map_with (host, state, batch, "!", error);
}

/* Depends on how many batches there were before. */
static FrFlow
map_counting (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  g_autofree char *suffix = g_strdup_printf ("%d", g_atomic_int_add (&calls, 1));

  (void) local;
  return map_with (host, state, batch, suffix, error);
}

static FrFlow
map_no_nulls (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  FrView view = fr_view (batch, 0);

  for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
    if (fr_view_is_null (&view, r))
      {
        fr_batch_unref (batch);
        g_set_error (error, FR_ERROR, FR_ERROR_DATA, "a null came along");
        return FR_FLOW_ERROR;
      }
  return map_good (host, state, local, batch, error);
}

/* Shows a table whose second row lacks a cell. */
static FrFlow
map_bad_view (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  g_autoptr (FrViews) views = fr_views_new ();

  fr_views_begin (views, FR_VIEW_TABLE, "a table");
  fr_views_add_column (views, "a", FR_VIEW_TEXT);
  fr_views_begin_row (views, NULL, NULL);
  fr_views_add_cell (views, "there");
  fr_views_begin_row (views, NULL, NULL);
  fr_host_report (host, "views", fr_views_to_json (views));
  return map_good (host, state, local, batch, error);
}

#define ELEMENT(id, word, function, ...)                                                           \
  static const FrElement id = { .size = sizeof (FrElement),                                        \
                                .kind = FR_KIND_TRANSFORM,                                         \
                                .name = "transform." word,                                         \
                                .revision = 1,                                                     \
                                .flags = FR_ELEMENT_PARALLEL,                                      \
                                .summary = "for the tests of the test kit",                        \
                                .details = "Nothing more.",                                        \
                                .example = "{\"column\": \"text\"}",                               \
                                .config_size = sizeof (Config),                                    \
                                .params = params,                                                  \
                                .inputs = fr_ports_in,                                             \
                                .outputs = fr_ports_out,                                           \
                                .open = start,                                                     \
                                .map = function,                                                   \
                                .close = stop,                                                     \
                                __VA_ARGS__ }

ELEMENT (good, "good", map_good, );
ELEMENT (picky, "picky", map_picky, );
ELEMENT (leaky, "leaky", map_leaky, );
ELEMENT (counting, "counting", map_counting, );
ELEMENT (no_nulls, "no_nulls", map_no_nulls, );
ELEMENT (bad_view, "bad_view", map_bad_view, );

/* ---- with a model ---------------------------------------------------------------- */

typedef struct
{
  FrObject object;
  guint64 n;
} Sum;

static JsonNode *
sum_describe (FrObject *object)
{
  return json_node_init_int (json_node_alloc (), (gint64) ((Sum *) object)->n);
}

static void
sum_free (FrObject *object)
{
  g_free (object);
}

static const FrObjectType sum_type = { .size = sizeof (FrObjectType),
                                       .name = "kit.sum",
                                       .kind = FR_PORT_MODEL,
                                       .describe = sum_describe,
                                       .free = sum_free };

static FrObject *
sum_new (guint64 n)
{
  Sum *sum = g_new0 (Sum, 1);

  fr_object_init (&sum->object, &sum_type);
  sum->n = n;
  return &sum->object;
}

static gboolean
adder_bind (gconstpointer config, FrBind *bind, GError **error)
{
  (void) config;
  if (fr_bind_input_object (bind, "base") != NULL)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "nothing is known of the base");
  return FALSE;
}

/* How many rows came, and what "base" had. */
static FrFlow
count_rows (FrHost *host, const char *to, guint64 *n, GError **error)
{
  g_autoptr (FrObject) base = NULL;
  FrFlow flow = fr_host_next_object (host, "base", &base, error);
  FrBatch *batch;

  if (flow != FR_FLOW_OK)
    return flow;
  *n = ((Sum *) base)->n;
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      *n += fr_batch_n_rows (batch);
      if (to == NULL)
        fr_batch_unref (batch);
      else if ((flow = fr_host_push (host, to, batch, error)) != FR_FLOW_OK)
        return flow;
    }
  return flow;
}

static FrFlow
adder_run (FrHost *host, gpointer state, GError **error)
{
  JsonObject *object;
  guint64 n;
  FrFlow flow = count_rows (host, NULL, &n, error);

  (void) state;
  if (flow != FR_FLOW_DONE)
    return flow;
  flow = fr_host_push_object (host, "model", sum_new (n), error);
  if (flow != FR_FLOW_OK)
    return flow;
  object = json_object_new ();
  json_object_set_int_member (object, "rows", (gint64) n);
  flow = fr_host_push_object (
      host, "report", fr_report_new (json_node_init_object (json_node_alloc (), object)), error);
  json_object_unref (object);
  return flow;
}

static FrFlow
adder_forecast (gconstpointer config, FrHost *host, GError **error)
{
  guint64 n;
  FrFlow flow = count_rows (host, "seen", &n, error);

  (void) config;
  if (flow == FR_FLOW_DONE)
    fr_host_report (host, "forecast", json_node_init_int (json_node_alloc (), (gint64) n));
  return flow;
}

static const FrPort *const adder_in[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "what to count"),
        FR_PORT ("base", FR_PORT_MODEL, "where to begin", .object = &sum_type), NULL };
static const FrPort *const adder_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "the sum", .object = &sum_type),
        FR_PORT ("report", FR_PORT_REPORT, "the same for people", .object = &fr_report_type),
        FR_PORT ("seen", FR_PORT_RECORDS, "what would be counted", .flags = FR_PORT_FORECAST),
        NULL };
static const FrElement adder = { .size = sizeof (FrElement),
                                 .kind = FR_KIND_TRAINER,
                                 .name = "trainer.adder",
                                 .revision = 1,
                                 .summary = "for the tests of the test kit",
                                 .details = "Nothing more.",
                                 .example = "{}",
                                 .inputs = adder_in,
                                 .outputs = adder_out,
                                 .bind = adder_bind,
                                 .run = adder_run,
                                 .forecast = adder_forecast };

FR_PLUGIN ("kit", "1", "for the tests of the test kit", "Apache-2.0", "here", &good, &picky, &leaky,
           &counting, &no_nulls, &bad_view, &adder)

/* ---- the harness -------------------------------------------------------------- */

static void
test_run (void)
{
  g_autoptr (FrTest) t
      = fr_test_new (flowrun_plugin (), "transform.good", "{'suffix': ' \"quoted\" 后缀'}");

  fr_test_input (t, "in", "id: int64, text: utf8, tags: list<utf8>",
                 "[{'id': 1, 'text': 'it\\'s', 'tags': ['a', null]}, {'id': 2, 'text': null}]");
  fr_test_input (t, "in", "id: int64, text: utf8, tags: list<utf8>", "[{'id': 3, 'text': '茶'}]");
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'text': 'it\\'s \"quoted\" 后缀', 'id': 1.0, 'tags': ['a', null]},"
                  " {'id': 2, 'text': null, 'tags': null},"
                  " {'id': 3, 'text': '茶 \"quoted\" 后缀', 'tags': null}]");
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 3);
  g_assert_cmpint (fr_test_counter (t, "rows"), ==, 3);
  g_assert_cmpint (fr_test_counter (t, "nothing"), ==, 0);
  g_assert_null (fr_test_report (t, "nothing"));
}

static void
test_ids (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.good", NULL);
  g_autofree char *text = NULL;

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  fr_test_input (t, "in", "text: utf8", "[{'text': 'b'}]");
  fr_test_run (t);
  text = fri_test_text (t, "out", TRUE);
  g_assert_cmpstr (text, ==, "1:1 {\"text\":\"a!\"}\n1:2 {\"text\":\"b!\"}\n");
}

static void
test_rejects (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.picky", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'bad'}, {'text': 'fine'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'text': 'fine'}]");
  fr_test_expect (t, "rejects",
                  "[{'text': 'bad', 'reject_rule': 'bad', 'reject_reason': 'the text is bad'}]");
}

static void
test_problems (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.good", "{'colunm': 'text'}");

  fr_test_input (t, "in", "text: utf8", "[]");
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "did you mean 'column'"));
  fr_test_run_error (t, FR_ERROR_CONFIG, "colunm");
}

static void
test_error (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.no_nulls", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': null}]");
  g_assert_true (fr_test_check (t));
  fr_test_run_error (t, FR_ERROR_DATA, "a null came along");
}

static void
test_cancel (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.good", NULL);

  for (guint i = 0; i < 5; i++)
    fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  fr_test_cancel_at (t, 3);
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), <, 5);
  fr_test_run_error (t, FR_ERROR_CANCELLED, "");
}

static FrTest *
adder_test (void)
{
  FrTest *t = fr_test_new (flowrun_plugin (), "trainer.adder", NULL);
  g_autoptr (FrObject) base = sum_new (100);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  fr_test_input (t, "in", "text: utf8", "[{'text': 'b'}, {'text': null}]");
  fr_test_input_object (t, "base", base);
  return t;
}

static void
test_objects (void)
{
  g_autoptr (FrTest) t = adder_test ();
  Sum *sum;
  g_autofree char *report = NULL;

  g_assert_true (fr_test_check (t));
  fr_test_run (t);
  sum = (Sum *) fr_test_output_object (t, "model");
  g_assert_nonnull (sum);
  g_assert_cmpuint (sum->n, ==, 103);
  report = fr_json_to_string (fr_report_root (fr_test_output_object (t, "report")), 0);
  g_assert_cmpstr (report, ==, "{\"rows\":103}");
  g_assert_cmpuint (fr_test_n_rows (t, "seen"), ==, 0);
}

static void
test_forecast (void)
{
  g_autoptr (FrTest) t = adder_test ();

  g_assert_cmpint (json_node_get_int (fr_test_forecast (t)), ==, 103);
  fr_test_expect (t, "seen", "[{'text': 'a'}, {'text': 'b'}, {'text': null}]");
  g_assert_null (fr_test_output_object (t, "model"));
  fr_test_run (t);
  g_assert_nonnull (fr_test_output_object (t, "model"));
}

/* ---- what fails in the kit's own eyes ------------------------------------------- */

/* Runs this program again for one test that must fail. */
static void
expect_failure (const char *path)
{
  g_test_trap_subprocess (path, 0, 0);
  g_test_trap_assert_failed ();
}

static void
sub_wrong_rows (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.good", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'text': 'a?'}]");
}

static void
sub_missing_row (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.good", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'text': 'a!'}, {'text': 'b!'}]");
}

static void
sub_no_error (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.good", NULL);

  fr_test_input (t, "in", "text: utf8", "[]");
  fr_test_run_error (t, FR_ERROR_DATA, "");
}

static void
sub_bad_view (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.bad_view", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': 'a'}]");
  fr_test_run (t);
}

static void
sub_run_fails (void)
{
  g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.no_nulls", NULL);

  fr_test_input (t, "in", "text: utf8", "[{'text': null}]");
  fr_test_run (t);
}

static void
test_failures (void)
{
  expect_failure ("/testkit/failures/subprocess/wrong-rows");
  expect_failure ("/testkit/failures/subprocess/missing-row");
  expect_failure ("/testkit/failures/subprocess/no-error");
  expect_failure ("/testkit/failures/subprocess/run-fails");
  expect_failure ("/testkit/failures/subprocess/bad-view");
}

/* ---- the battery -------------------------------------------------------------------- */

/* The result of each check, as letters: Passed, Failed, Skipped. */
static char *
battery_letters (const char *element)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrTest) t = fri_test_new (flowrun_plugin (), element, NULL, &error);
  GString *letters = g_string_new (NULL);
  guint n;
  const FriCheck *checks = fri_battery (&n);

  g_assert_no_error (error);
  g_assert_true (fri_test_invent (t));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GString) why = g_string_new (NULL);
      FriCheckResult result = checks[i].run (t, why);

      g_test_message ("%s: %s: %d %s", element, checks[i].name, (int) result, why->str);
      g_string_append_c (letters, "PFS"[result]);
    }
  return g_string_free (letters, FALSE);
}

static void
test_battery_good (void)
{
  g_autofree char *good_letters = battery_letters ("transform.good");
  g_autofree char *picky_letters = battery_letters ("transform.picky");

  g_assert_cmpstr (good_letters, ==, "PPPPPPPPPPPP");
  g_assert_cmpstr (picky_letters, ==, "PPPPPPPPPPPP");
}

static void
test_battery_objects (void)
{
  g_autoptr (FrTest) t = adder_test ();

  fr_test_battery (t);
}

static void
test_battery_bad (void)
{
  g_autofree char *nulls_letters = battery_letters ("transform.no_nulls");
  g_autofree char *counting_letters = battery_letters ("transform.counting");
  g_autofree char *view_letters = battery_letters ("transform.bad_view");

  g_assert_cmpint (nulls_letters[6], ==, 'F');    /* rows of nulls */
  g_assert_cmpint (counting_letters[3], ==, 'F'); /* a second run gives the same */
  g_assert_cmpint (counting_letters[8], ==, 'F'); /* batch borders */
  g_assert_cmpint (view_letters[2], ==, 'F');     /* it runs */
}

static void
sub_leak (void)
{
  g_autofree char *letters = battery_letters ("transform.leaky");

  g_assert_cmpint (letters[11], ==, 'F');
}

/* In a process of its own, and not under LeakSanitizer, which would see it too. */
static void
test_battery_leak (void)
{
#ifndef __SANITIZE_ADDRESS__
  g_test_trap_subprocess ("/testkit/battery-leak/subprocess/leak", 0, 0);
  g_test_trap_assert_passed ();
#else
  g_test_skip ("LeakSanitizer would end the process first");
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/testkit/run", test_run);
  g_test_add_func ("/testkit/ids", test_ids);
  g_test_add_func ("/testkit/rejects", test_rejects);
  g_test_add_func ("/testkit/problems", test_problems);
  g_test_add_func ("/testkit/error", test_error);
  g_test_add_func ("/testkit/cancel", test_cancel);
  g_test_add_func ("/testkit/failures", test_failures);
  g_test_add_func ("/testkit/failures/subprocess/wrong-rows", sub_wrong_rows);
  g_test_add_func ("/testkit/failures/subprocess/missing-row", sub_missing_row);
  g_test_add_func ("/testkit/failures/subprocess/no-error", sub_no_error);
  g_test_add_func ("/testkit/failures/subprocess/run-fails", sub_run_fails);
  g_test_add_func ("/testkit/failures/subprocess/bad-view", sub_bad_view);
  g_test_add_func ("/testkit/objects", test_objects);
  g_test_add_func ("/testkit/forecast", test_forecast);
  g_test_add_func ("/testkit/battery-good", test_battery_good);
  g_test_add_func ("/testkit/battery-objects", test_battery_objects);
  g_test_add_func ("/testkit/battery-bad", test_battery_bad);
  g_test_add_func ("/testkit/battery-leak", test_battery_leak);
  g_test_add_func ("/testkit/battery-leak/subprocess/leak", sub_leak);
  return g_test_run ();
}
