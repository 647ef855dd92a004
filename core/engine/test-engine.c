/* SPDX-License-Identifier: Apache-2.0 */
/* test-engine.c: whole runs of small pipelines of fake elements. */
#include "config.h"

#include "engine/engine.h"
#include "engine/test-elements.h"
#include "run/rundir-private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *base; /* a fresh directory for every test */

static void
fresh_base (void)
{
  if (base != NULL)
    fri_remove_tree (base);
  g_free (base);
  base = g_dir_make_tmp ("flowrun-engine-XXXXXX", NULL);
  g_assert_nonnull (base);
  memset (&calls, 0, sizeof calls);
}

/* ---- running ------------------------------------------------------------------------ */

/* ' stands for ", and @ for the directory of the test. */
static FriPipeline *
load (const char *stages)
{
  g_autofree char *text = g_strdup_printf ("{'name': 'test', 'seed': 7, 'stages': {%s}}", stages);
  g_autoptr (GString) json = g_string_new (text);
  FriRegistry *registry;
  FriLoadOptions options = { 0 };
  FrProblems *problems = NULL;
  FriPipeline *pipeline;
  static const char *const nowhere[] = { NULL };
  GError *error = NULL;

  g_string_replace (json, "'", "\"", 0);
  g_string_replace (json, "@", base, 0);
  registry = fri_registry_new (nowhere);
  g_assert_true (fri_registry_add (registry, flowrun_plugin (), &error));
  g_assert_no_error (error);
  pipeline = fri_pipeline_load_text (json->str, -1, base, registry, &options, &problems);
  if (pipeline == NULL || fri_problems_n_errors (problems) > 0)
    {
      g_autofree char *said = fri_problems_text (problems);

      g_error ("%s", said);
    }
  fri_problems_free (problems);
  fri_registry_free (registry);
  return pipeline;
}

static FriExit
run_with (const char *stages, FriRunOptions *options, GError **error)
{
  FriPipeline *pipeline = load (stages);
  g_autofree char *dir = g_build_filename (base, "run", NULL);
  FriExit status;

  if (options->run_dir == NULL)
    options->run_dir = dir;
  options->validate = TRUE;
  status = fri_run (pipeline, options, error);
  if (options->run_dir == dir)
    options->run_dir = NULL;
  fri_pipeline_free (pipeline);
  g_assert_cmpint (calls.opens, ==, calls.closes);
  g_assert_cmpint (calls.begins, ==, calls.ends);
  return status;
}

static FriExit
run_workers (const char *stages, guint workers, GError **error)
{
  FriRunOptions options = { .workers = workers };

  return run_with (stages, &options, error);
}

static void
run_well (const char *stages, guint workers)
{
  GError *error = NULL;
  FriExit status = run_workers (stages, workers, &error);

  g_assert_no_error (error);
  g_assert_cmpint (status, ==, FRI_EXIT_OK);
}

static char *
path_of (const char *name)
{
  return g_build_filename (base, name, NULL);
}

static char *
contents (const char *name)
{
  g_autofree char *path = path_of (name);
  char *text = NULL;
  GError *error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static gboolean
exists (const char *name)
{
  g_autofree char *path = path_of (name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static guint
n_lines (const char *text)
{
  guint n = 0;

  for (; *text != '\0'; text++)
    n += *text == '\n';
  return n;
}

static JsonObject *
document (const char *name)
{
  g_autofree char *path = path_of (name);
  GError *error = NULL;
  JsonObject *o = fri_json_load (path, &error);

  g_assert_no_error (error);
  return o;
}

/* manifest.json or report.json less what may differ. */
static char *
stable (const char *name)
{
  g_autoptr (JsonObject) o = document (name);
  g_autoptr (JsonNode) node = NULL;

  json_object_remove_member (o, "run");
  node = json_node_init_object (json_node_alloc (), o);
  return fr_json_to_string (node, 1);
}

static JsonObject *
report_of (JsonObject *report, const char *stage)
{
  JsonObject *o = fri_json_member (fri_json_member (report, "stages"), stage);

  g_assert_nonnull (o);
  return o;
}

static const char *
state_of (JsonObject *report, const char *stage)
{
  JsonObject *stages = fri_json_member (fri_json_member (report, "run"), "stages");

  return json_object_get_string_member (fri_json_member (stages, stage), "state");
}

static void
assert_state (const char *stage, const char *state)
{
  g_autoptr (JsonObject) report = document ("run/report.json");

  g_assert_cmpstr (state_of (report, stage), ==, state);
}

/* ---- order and numbers ------------------------------------------------------------------ */

#define CHAIN                                                                                      \
  "'goods': {'use': 'source.count', 'with': {'rows': 10000, 'batch': 37, 'mod': 100}},"            \
  "'loud': {'use': 'transform.shout', 'from': 'goods', 'with': {'mod': 7, 'delay': 300}},"         \
  "'pass': {'use': 'transform.pass', 'from': 'loud'},"                                             \
  "'out': {'use': 'sink.file', 'from': 'pass', 'with': {'path': '@/out.jsonl'}}"

static void
test_chain (void)
{
  static const guint workers[] = { 1, 2, 7, 16 };
  g_autofree char *first = NULL;
  g_autofree char *manifest = NULL;
  g_autofree char *report = NULL;
  g_autofree char *rejects = NULL;

  fresh_base ();
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++)
    {
      g_autofree char *run = path_of ("run");
      g_autofree char *text = NULL;
      g_autofree char *told = NULL;
      g_autofree char *report_now = NULL;
      g_autofree char *rejects_now = NULL;

      run_well (CHAIN, workers[i]);
      text = contents ("out.jsonl");
      told = stable ("run/manifest.json");
      report_now = stable ("run/report.json");
      rejects_now = contents ("run/rejects/loud.jsonl");
      if (first != NULL)
        {
          g_assert_cmpstr (text, ==, first);
          g_assert_cmpstr (told, ==, manifest);
          g_assert_cmpstr (report_now, ==, report);
          g_assert_cmpstr (rejects_now, ==, rejects);
        }
      else
        {
          g_assert_cmpuint (n_lines (text), ==, 10000 - 100 - 10000 / 7 + 10000 / 700);
          g_assert_true (g_str_has_prefix (text, "{\"n\":1,\"text\":\"BCDEFGHIJK\"}\n{\"n\":2,"));
          g_assert_true (g_str_has_prefix (
              rejects_now, "{\"_row\":\"goods:7\",\"n\":7,\"text\":\"hijklmnopq\","
                           "\"reject_rule\":\"odd\",\"reject_reason\":\"7 is a multiple of 7\"}\n"
                           "{\"_row\":\"goods:14\","));
          first = g_steal_pointer (&text);
          manifest = g_steal_pointer (&told);
          report = g_steal_pointer (&report_now);
          rejects = g_steal_pointer (&rejects_now);
        }
      fri_remove_tree (run);
    }
}

static void
test_counts (void)
{
  g_autoptr (JsonObject) report = NULL;
  g_autofree char *raw = NULL;
  JsonObject *loud, *rules;

  fresh_base ();
  run_well (CHAIN, 2);
  report = document ("run/report.json");
  loud = report_of (report, "loud");
  rules = fri_json_member (loud, "rejects_by_rule");
  g_assert_cmpint (json_object_get_int_member (fri_json_member (loud, "rows_in"), "in"), ==, 9900);
  g_assert_cmpint (json_object_get_int_member (loud, "rejects"), ==, 10000 / 7 - 10000 / 700);
  g_assert_cmpint (json_object_get_int_member (rules, "odd")
                       + json_object_get_int_member (rules, "even"),
                   ==, 10000 / 7 - 10000 / 700);
  g_assert_cmpint (json_object_get_int_member (fri_json_member (loud, "counters"), "seen"), ==,
                   9900);
  g_assert_cmpint (json_object_get_int_member (
                       fri_json_member (fri_json_member (loud, "metrics"), "first"), "n"),
                   ==, (9900 + 36) / 37);
  raw = contents ("run/rejects/goods.jsonl");
  g_assert_true (g_str_has_prefix (raw, "{\"_row\":\"goods:100\",\"where\":\"somewhere\","
                                        "\"raw\":\"raw \357\277\275\",\"reject_rule\":\"multiple\","
                                        "\"reject_reason\":\"100 is a multiple\"}\n"));
  g_assert_false (exists ("run/rejects/pass.jsonl"));
}

static void
test_serial (void)
{
  fresh_base ();
  run_well ("'a': {'use': 'source.count', 'with': {'rows': 2000, 'batch': 20}},"
            "'b': {'use': 'transform.serial', 'from': 'a'},"
            "'out': {'use': 'sink.file', 'from': 'b', 'with': {'path': '@/out.jsonl'}}",
            8);
  g_assert_cmpint (calls.most_inside, ==, 1);
  fresh_base ();
  run_well ("'a': {'use': 'source.count', 'with': {'rows': 2000, 'batch': 20}},"
            "'b': {'use': 'transform.process', 'from': 'a'},"
            "'c': {'use': 'transform.process', 'from': 'b'},"
            "'out': {'use': 'sink.file', 'from': 'c', 'with': {'path': '@/out.jsonl'}}",
            8);
  g_assert_cmpint (calls.most_inside, ==, 1);
}

static void
test_empty (void)
{
  g_autofree char *text = NULL;

  fresh_base ();
  run_well ("'a': {'use': 'source.count', 'with': {'rows': 0}},"
            "'b': {'use': 'transform.shout', 'from': 'a'},"
            "'out': {'use': 'sink.file', 'from': 'b', 'with': {'path': '@/out.jsonl'}}",
            3);
  text = contents ("out.jsonl");
  g_assert_cmpstr (text, ==, "");
}

/* ---- edges ----------------------------------------------------------------------------- */

/* Two ways from one stage to another, read one after the other, in so little
 * memory that they cannot both wait in it. */
static void
test_diamond (void)
{
  static const guint workers[] = { 1, 2, 7 };
  g_autofree char *first = NULL;

  for (guint i = 0; i < 2 * G_N_ELEMENTS (workers); i++)
    {
      FriRunOptions options = { .workers = workers[i / 2], .memory = 1 };
      GError *error = NULL;
      g_autofree char *text = NULL;

      fresh_base ();
      g_assert_cmpint (
          run_with (i % 2 == 0
                        ? "'a': {'use': 'source.count', 'with': {'rows': 20000, 'width': 200}},"
                          "'h': {'use': 'transform.halves', 'from': 'a'},"
                          "'j': {'use': 'transform.join', 'from': {'a': 'h.odd', 'b': 'h.even'}},"
                          "'out': {'use': 'sink.file', 'from': 'j', 'with': "
                          "{'path': '@/out.jsonl'}}"
                        : "'a': {'use': 'source.count', 'with': {'rows': 20000, 'width': 200}},"
                          "'h': {'use': 'transform.halves', 'from': 'a'},"
                          "'l': {'use': 'transform.shout', 'from': ['h.odd', 'h.even']},"
                          "'out': {'use': 'sink.file', 'from': 'l', 'with': "
                          "{'path': '@/out.jsonl'}}",
                    &options, &error),
          ==, FRI_EXIT_OK);
      g_assert_no_error (error);
      text = contents ("out.jsonl");
      g_assert_cmpuint (n_lines (text), ==, 20000);
      g_assert_true (g_str_has_prefix (text, "{\"n\":1,"));
      g_assert_nonnull (strstr (text, "{\"n\":19999,"));
      g_assert_true (strstr (text, "{\"n\":19999,") < strstr (text, "{\"n\":2,"));
      if (i % 2 == 0 && first != NULL)
        g_assert_cmpstr (first, ==, text);
      if (first == NULL)
        first = g_steal_pointer (&text);
    }
}

/* Independent inputs read in order: the second source waits, nothing is spooled. */
static void
test_concat (void)
{
  g_autofree char *text = NULL;

  fresh_base ();
  run_well ("'a': {'use': 'source.count', 'with': {'rows': 300}},"
            "'b': {'use': 'source.count', 'with': {'rows': 5000, 'width': 5000}},"
            "'out': {'use': 'sink.file', 'from': ['a', 'b'], 'with': {'path': '@/out.jsonl'}},"
            "'two': {'use': 'sink.file', 'from': 'a', 'with': {'path': '@/two.jsonl'}}",
            2);
  text = contents ("out.jsonl");
  g_assert_cmpuint (n_lines (text), ==, 5300);
  g_free (g_steal_pointer (&text));
  text = contents ("two.jsonl");
  g_assert_cmpuint (n_lines (text), ==, 300);
}

static void
test_pressure (void)
{
  FriRunOptions options = { .workers = 4, .memory = 1024 * 1024 };
  g_autoptr (JsonObject) report = NULL;
  GError *error = NULL;
  gint64 peak;

  fresh_base ();
  g_assert_cmpint (
      run_with ("'a': {'use': 'source.count', 'with': {'rows': 20000, 'width': 1000}},"
                "'b': {'use': 'transform.pass', 'from': 'a'},"
                "'out': {'use': 'sink.file', 'from': 'b', 'with': {'path': '@/out.jsonl', "
                "'delay': 1000}}",
                &options, &error),
      ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  report = document ("run/report.json");
  peak = json_object_get_int_member (fri_json_member (report, "run"), "peak_queued_bytes");
  g_assert_cmpint (peak, >, 100 * 1000);
  /* Half the memory over two edges, and a batch more for each. */
  g_assert_cmpint (peak, <, 512 * 1024 + 2 * 150 * 1000);
}

static void
test_rewind (void)
{
  static const char *const pipelines[]
      = { "'a': {'use': 'source.count', 'with': {'rows': 5000, 'batch': 61}},"
          "'again': {'use': 'transform.again', 'from': 'a'},"
          "'out': {'use': 'sink.file', 'from': 'again', 'with': {'path': '@/out.jsonl'}}",
          "'a': {'use': 'source.volatile', 'with': {'rows': 5000, 'batch': 61}},"
          "'again': {'use': 'transform.again', 'from': 'a'},"
          "'out': {'use': 'sink.file', 'from': 'again', 'with': {'path': '@/out.jsonl'}}",
          "'a': {'use': 'source.count', 'keep': false, 'with': {'rows': 2500}},"
          "'b': {'use': 'source.count', 'with': {'rows': 2500}},"
          "'again': {'use': 'transform.again', 'from': ['a', 'b']},"
          "'out': {'use': 'sink.file', 'from': 'again', 'with': {'path': '@/out.jsonl'}}" };

  for (guint i = 0; i < G_N_ELEMENTS (pipelines); i++)
    {
      g_autoptr (JsonObject) report = NULL;
      g_autofree char *text = NULL;
      JsonObject *again;

      fresh_base ();
      run_well (pipelines[i], 2);
      text = contents ("out.jsonl");
      g_assert_cmpuint (n_lines (text), ==, 5000);
      report = document ("run/report.json");
      again = report_of (report, "again");
      g_assert_true (json_object_get_boolean_member (fri_json_member (again, "reports"), "equal"));
      g_assert_cmpint (json_object_get_int_member (fri_json_member (again, "rows_in"), "in"), ==,
                       5000);
    }
}

static void
test_early_end (void)
{
  g_autofree char *text = NULL;

  fresh_base ();
  run_well ("'a': {'use': 'source.count', 'with': {'rows': 100000000}},"
            "'l': {'use': 'transform.shout', 'from': 'a'},"
            "'few': {'use': 'transform.few', 'from': 'l'},"
            "'out': {'use': 'sink.file', 'from': 'few', 'with': {'path': '@/out.jsonl'}}",
            2);
  text = contents ("out.jsonl");
  g_assert_cmpuint (n_lines (text), ==, 300);
}

/* ---- rejects ------------------------------------------------------------------------------ */

static void
test_rejects_connected (void)
{
  g_autofree char *bad = NULL;
  g_autofree char *reasons = NULL;

  fresh_base ();
  run_well ("'goods': {'use': 'source.count', 'with': {'rows': 1000}},"
            "'l': {'use': 'transform.shout', 'from': 'goods', 'with': {'mod': 10}},"
            "'bad': {'use': 'sink.file', 'from': 'l.rejects', 'with': {'path': '@/bad.jsonl'}},"
            "'out': {'use': 'sink.file', 'from': 'l', 'with': {'path': '@/out.jsonl'}}",
            2);
  bad = contents ("bad.jsonl");
  g_assert_cmpuint (n_lines (bad), ==, 100);
  g_assert_true (g_str_has_prefix (bad,
                                   "{\"n\":10,\"text\":\"klmnopqrst\",\"reject_rule\":\"even\","
                                   "\"reject_reason\":\"10 is a multiple of 10\"}\n"));
  g_assert_false (exists ("run/rejects/l.jsonl"));
  reasons = contents ("run/lineage/l.reasons.jsonl");
  g_assert_cmpuint (n_lines (reasons), ==, 100);
}

static void
test_max_rejects (void)
{
  static const struct
  {
    const char *limit;
    FriExit status;
  } cases[] = { { "100", FRI_EXIT_OK },
                { "99", FRI_EXIT_LIMIT },
                { "0.1", FRI_EXIT_OK },
                { "0.099", FRI_EXIT_LIMIT },
                { "0", FRI_EXIT_LIMIT } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint again = 0; again < 2; again++)
      {
        g_autofree char *text = g_strdup_printf (
            "'goods': {'use': 'source.count', 'with': {'rows': 1000}},"
            "'l': {'use': 'transform.shout', 'from': 'goods', 'max_rejects': %s, 'with': {'mod': "
            "10}},"
            "'out': {'use': 'sink.file', 'from': 'l', 'with': {'path': '@/out.jsonl'}}",
            cases[i].limit);
        GError *error = NULL;

        if (again == 0)
          fresh_base ();
        g_assert_cmpint (run_workers (text, 2, &error), ==, cases[i].status);
        g_assert_true (exists ("out.jsonl"));
        g_assert_true ((error != NULL) == (cases[i].status == FRI_EXIT_LIMIT));
        if (error != NULL)
          {
            g_assert_nonnull (strstr (error->message, "stage 'l' rejected 100 of 1000 rows"));
            g_assert_nonnull (strstr (error->message, "rejects/l.jsonl"));
          }
        g_clear_error (&error);
      }
}

/* ---- failing ----------------------------------------------------------------------------------
 */

static void
test_failures (void)
{
  static const struct
  {
    const char *stage, *fail, *says;
  } cases[] = {
    { "goods", "open", "stage 'goods' (source.count): asked to fail in open" },
    { "goods", "work", "stage 'goods' (source.count): asked to fail in work" },
    { "goods", "silent", "stage 'goods' (source.count): run failed without saying why" },
    { "goods", "false cancel", "stage 'goods' (source.count): run says that it was cancelled" },
    { "goods", "port", "stage 'goods' (source.count): the element pushed to a port 'nowhere'" },
    { "goods", "schema",
      "stage 'goods' (source.count): the element pushed rows of (other: bool) to its port 'out'" },
    { "loud", "open", "stage 'loud' (transform.shout): asked to fail in open" },
    { "loud", "silent open", "stage 'loud' (transform.shout): open failed without saying why" },
    { "loud", "begin",
      "stage 'loud' (transform.shout), rows goods:1 to goods:100: asked to fail in begin" },
    { "loud", "work",
      "stage 'loud' (transform.shout), rows goods:1 to goods:100: asked to fail in work" },
    { "loud", "silent", "map failed without saying why" },
    { "loud", "false cancel", "map says that the run was cancelled, but it was not" },
    { "loud", "port", "stage 'loud' (transform.shout), rows" },
    { "loud", "schema", "bool" },
    { "pass", "open", "stage 'pass'" },
    { "pass", "work", "stage 'pass' (transform.pass): asked to fail in work" },
    { "out", "open", "stage 'out' (sink.file): asked to fail in open" },
    { "out", "work", "stage 'out' (sink.file): asked to fail in work" },
    { "out", "finish", "stage 'out' (sink.file): asked to fail in finish" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint workers = 1; workers < 5; workers += 3)
      {
        static const char *const ids[] = { "goods", "loud", "pass", "out" };
        const char *fail[4];
        g_autofree char *text = NULL;
        GError *error = NULL;

        for (guint k = 0; k < 4; k++)
          fail[k] = strcmp (ids[k], cases[i].stage) == 0 ? cases[i].fail : "";
        text = g_strdup_printf (
            "'goods': {'use': 'source.count', 'with': {'rows': 5000, 'fail': '%s'}},"
            "'loud': {'use': 'transform.shout', 'from': 'goods', 'with': {'fail': '%s'}},"
            "'pass': {'use': 'transform.pass', 'from': 'loud', 'with': {'fail': '%s'}},"
            "'out': {'use': 'sink.file', 'from': 'pass', 'with': {'path': '@/out.jsonl', "
            "'fail': '%s'}}",
            fail[0], fail[1], fail[2], fail[3]);
        fresh_base ();
        g_assert_cmpint (run_workers (text, workers, &error), ==, FRI_EXIT_FAILED);
        g_assert_nonnull (error);
        if (strstr (error->message, cases[i].says) == NULL)
          g_error ("%s %s: %s", cases[i].stage, cases[i].fail, error->message);
        g_clear_error (&error);
        g_assert_false (exists ("out.jsonl"));
        g_assert_false (exists ("out.jsonl.tmp"));
        g_assert_false (exists ("run/manifest.json"));
      }
}

static void
test_transient (void)
{
  const char *text = "'a': {'use': 'source.count', 'with': {'rows': 10, 'fail': 'transient'}},"
                     "'out': {'use': 'sink.file', 'from': 'a', 'with': {'path': '@/out.jsonl'}}";
  GError *error = NULL;

  fresh_base ();
  calls.transient = 2;
  run_well (text, 1);
  fresh_base ();
  calls.transient = 3;
  g_assert_cmpint (run_workers (text, 1, &error), ==, FRI_EXIT_FAILED);
  g_assert_error (error, FR_ERROR, FR_ERROR_TRANSIENT);
  g_clear_error (&error);
}

/* ---- cancelling ---------------------------------------------------------------------------------
 */

static gpointer
cancel_later (gpointer data)
{
  gpointer *args = data;

  g_usleep (GPOINTER_TO_UINT (args[1]));
  g_cancellable_cancel (args[0]);
  return NULL;
}

static void
test_cancel (void)
{
  GRand *rand = g_rand_new_with_seed (11);
  guint n_cancelled = 0;

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      FriRunOptions options
          = { .workers = 1 + i % 4, .cancellable = cancellable, .memory = i % 3 == 0 ? 1 : 0 };
      gpointer args[2]
          = { cancellable, GUINT_TO_POINTER ((guint) g_rand_int_range (rand, 0, 60000)) };
      GThread *thread;
      GError *error = NULL;
      gint64 start = g_get_monotonic_time ();
      FriExit status;

      fresh_base ();
      thread = g_thread_new ("cancel", cancel_later, args);
      status = run_with (
          "'a': {'use': 'source.count', 'with': {'rows': 40000, 'batch': 50, 'delay': 50}},"
          "'h': {'use': 'transform.halves', 'from': 'a'},"
          "'l': {'use': 'transform.shout', 'from': 'h.even', 'with': {'delay': 500, 'mod': 9}},"
          "'j': {'use': 'transform.join', 'from': {'a': 'h.odd', 'b': 'l'}},"
          "'g': {'use': 'transform.again', 'from': 'j'},"
          "'out': {'use': 'sink.file', 'from': 'g', 'with': {'path': '@/out.jsonl'}}",
          &options, &error);
      g_thread_join (thread);
      g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * G_USEC_PER_SEC);
      if (status == FRI_EXIT_OK)
        {
          g_assert_no_error (error);
          continue;
        }
      n_cancelled++;
      g_assert_cmpint (status, ==, FRI_EXIT_INTERRUPTED);
      g_assert_error (error, FR_ERROR, FR_ERROR_CANCELLED);
      g_clear_error (&error);
      g_assert_false (exists ("out.jsonl"));
      g_assert_false (exists ("out.jsonl.tmp"));
      g_assert_false (exists ("run/manifest.json"));
    }
  g_assert_cmpuint (n_cancelled, >, 50);
  g_rand_free (rand);
}

/* A wish to stop ends stages that serve well, once they are all that is left. */
static void
test_ending (void)
{
  static const struct
  {
    const char *stages;
    guint after; /* microseconds */
    FriExit status;
  } cases[] = {
    { "'a': {'use': 'source.count', 'with': {'rows': 30}},"
      "'out': {'use': 'sink.serve', 'from': 'a', 'with': {'path': '@/out.jsonl'}}",
      300000, FRI_EXIT_OK },
    { "'a': {'use': 'source.count', 'with': {'rows': 30}},"
      "'out': {'use': 'sink.serve', 'from': 'a', 'with': {'path': '@/out.jsonl'}},"
      "'more': {'use': 'sink.serve', 'from': 'a', 'with': {'path': '@/more.jsonl'}}",
      300000, FRI_EXIT_OK },
    { "'a': {'use': 'source.count', 'with': {'rows': 30}},"
      "'b': {'use': 'source.count', 'with': {'rows': 100000, 'batch': 1, 'delay': 1000}},"
      "'null': {'use': 'sink.null', 'from': 'b'},"
      "'out': {'use': 'sink.serve', 'from': 'a', 'with': {'path': '@/out.jsonl'}}",
      300000, FRI_EXIT_INTERRUPTED },
    { "'a': {'use': 'source.count', 'with': {'rows': 100000, 'batch': 1, 'delay': 1000}},"
      "'out': {'use': 'sink.serve', 'from': 'a', 'with': {'path': '@/out.jsonl'}}",
      20000, FRI_EXIT_INTERRUPTED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      FriRunOptions options = { .workers = 2, .cancellable = cancellable };
      gpointer args[2] = { cancellable, GUINT_TO_POINTER (cases[i].after) };
      GThread *thread;
      g_autoptr (GError) error = NULL;

      fresh_base ();
      thread = g_thread_new ("cancel", cancel_later, args);
      g_assert_cmpint (run_with (cases[i].stages, &options, &error), ==, cases[i].status);
      g_thread_join (thread);
      if (cases[i].status == FRI_EXIT_OK)
        g_assert_no_error (error);
      else
        g_assert_error (error, FR_ERROR, FR_ERROR_CANCELLED);
      g_assert_true (exists ("out.jsonl") == (cases[i].status == FRI_EXIT_OK));
      g_assert_true (exists ("run/manifest.json") == (cases[i].status == FRI_EXIT_OK));
    }
}

/* ---- reuse
 * ---------------------------------------------------------------------------------------- */

#define KEEPING                                                                                    \
  "'goods': {'use': 'source.count', 'with': {'rows': 3000, 'mod': 50, 'read': '@/in.txt'}},"       \
  "'loud': {'use': 'transform.shout', 'from': 'goods', 'keep': true, 'with': {'mod': 7}},"         \
  "'pass': {'use': 'transform.pass', 'from': 'loud'},"                                             \
  "'out': {'use': 'sink.file', 'from': 'pass', 'with': {'path': '@/out.jsonl', 'mod': %d}}"

static void
write_input (const char *text)
{
  g_autofree char *path = path_of ("in.txt");

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_reuse (void)
{
  g_autofree char *first = g_strdup_printf (KEEPING, 0);
  g_autofree char *second = g_strdup_printf (KEEPING, 11);
  g_autofree char *manifest = NULL;
  g_autofree char *report = NULL;
  g_autofree char *rejects = NULL;
  g_autofree char *out = path_of ("out.jsonl");
  FriRunOptions fresh = { .fresh = TRUE };
  GError *error = NULL;
  Calls before;

  fresh_base ();
  g_free (out);
  out = path_of ("out.jsonl");
  write_input ("1");
  run_well (first, 2);
  manifest = stable ("run/manifest.json");
  report = stable ("run/report.json");
  rejects = contents ("run/rejects/loud.jsonl");

  /* Nothing changed: nothing is done. */
  before = calls;
  run_well (first, 3);
  g_assert_cmpmem (&before, sizeof before, &calls, sizeof calls);

  /* Another parameter at the end: what is kept serves. */
  run_well (second, 2);
  assert_state ("goods", "reused");
  assert_state ("loud", "reused");
  assert_state ("pass", "done");
  g_assert_cmpint (calls.maps, ==, before.maps);
  {
    g_autofree char *kept = contents ("run/rejects/loud.jsonl");
    g_autofree char *sink = contents ("run/rejects/out.jsonl");

    g_assert_cmpstr (kept, ==, rejects);
    g_assert_true (g_str_has_prefix (sink, "{\"_row\":\"goods:11\","));
  }

  /* And back: manifest and report are as they were. */
  run_well (first, 2);
  {
    g_autofree char *again = stable ("run/manifest.json");
    g_autofree char *told = stable ("run/report.json");

    g_assert_cmpstr (again, ==, manifest);
    g_assert_cmpstr (told, ==, report);
    g_assert_false (exists ("run/rejects/out.jsonl"));
  }

  /* An output that was touched is made again. */
  g_assert_true (g_file_set_contents (out, "spoilt", -1, NULL));
  run_well (first, 2);
  assert_state ("loud", "reused");
  assert_state ("out", "done");
  g_unlink (out);
  run_well (first, 2);
  g_assert_true (exists ("out.jsonl"));

  /* The content of what is read counts, not its date. */
  write_input ("1");
  before = calls;
  run_well (first, 2);
  g_assert_cmpint (before.runs, ==, calls.runs);
  write_input ("2");
  run_well (first, 2);
  assert_state ("goods", "done");
  g_assert_cmpint (calls.maps, >, before.maps);
  {
    g_autofree char *kept = path_of ("run/kept");
    g_auto (GStrv) names = fri_list_dir (kept);

    g_assert_cmpuint (g_strv_length (names), ==, 1);
  }

  before = calls;
  g_assert_cmpint (run_with (first, &fresh, &error), ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  assert_state ("goods", "done");
  g_assert_cmpint (calls.maps, ==, before.maps + (2940 + 99) / 100);
}

/* What is read changes under the reader's eyes: nothing of that run serves again. */
static void
test_changing (void)
{
  const char *text = "'a': {'use': 'source.count', 'with': {'read': '@/in.txt', 'fail': 'touch'}},"
                     "'l': {'use': 'transform.shout', 'from': 'a', 'keep': true},"
                     "'out': {'use': 'sink.file', 'from': 'l', 'with': {'path': '@/out.jsonl'}}";
  g_autofree char *log = NULL;

  fresh_base ();
  write_input ("as it was");
  run_well (text, 2);
  log = contents ("run/log.jsonl");
  g_assert_nonnull (strstr (log, "changed while it was read"));
  g_assert_false (exists ("run/kept"));
  write_input ("as it was");
  run_well (text, 2);
  assert_state ("a", "done");
  assert_state ("l", "done");
}

/* A kept output written before the machine was started anew is looked through
 * before it is trusted. */
static void
test_damage (void)
{
  g_autofree char *text = g_strdup_printf (KEEPING, 0);
  g_autofree char *other = g_strdup_printf (KEEPING, 11);

  fresh_base ();
  write_input ("1");
  run_well (text, 2);
  for (guint damage = 0; damage < 3; damage++)
    {
      g_autofree char *kept = path_of ("run/kept");
      g_auto (GStrv) names = fri_list_dir (kept);
      g_autofree char *dir = g_build_filename (kept, names[0], NULL);
      g_autofree char *seal = g_build_filename (dir, "kept.json", NULL);
      g_autofree char *rows
          = g_build_filename (dir, damage == 1 ? "out.rows" : "goods/rejects.jsonl", NULL);
      g_autoptr (JsonObject) object = fri_json_load (seal, NULL);
      g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

      json_object_set_string_member (object, "boot", "another");
      g_assert_true (fri_json_save (seal, node, FALSE, NULL));
      if (damage > 0)
        {
          int fd = g_open (rows, O_WRONLY, 0);

          g_assert_cmpint (pwrite (fd, "\0\0\0\0", 4, 100), ==, 4);
          close (fd);
        }
      run_well (damage % 2 == 0 ? other : text, 2);
      assert_state ("loud", damage == 0 ? "reused" : "done");
    }
}

/* Kept rows find their sources again when the pipeline gains a stage. */
static void
test_renumber (void)
{
  g_autofree char *rejects = NULL;

  fresh_base ();
  run_well ("'goods': {'use': 'source.count', 'keep': true, 'with': {'rows': 300}},"
            "'out': {'use': 'sink.file', 'from': 'goods', 'with': {'path': '@/out.jsonl'}}",
            2);
  run_well ("'other': {'use': 'source.count', 'with': {'rows': 300}},"
            "'goods': {'use': 'source.count', 'keep': true, 'with': {'rows': 300}},"
            "'out': {'use': 'sink.file', 'from': ['other', 'goods'], 'with': {'path': "
            "'@/out.jsonl', 'mod': 100}}",
            2);
  assert_state ("goods", "reused");
  rejects = contents ("run/rejects/out.jsonl");
  g_assert_nonnull (strstr (rejects, "{\"_row\":\"other:100\",\"n\":100,"));
  g_assert_nonnull (strstr (rejects, "{\"_row\":\"goods:100\",\"n\":100,"));
}

static void
test_volatile (void)
{
  const char *text = "'a': {'use': 'source.volatile', 'keep': true, 'with': {'rows': 100}},"
                     "'out': {'use': 'sink.file', 'from': 'a', 'with': {'path': '@/out.jsonl'}}";
  FriRunOptions deny = { .deny_network = TRUE };
  GError *error = NULL;

  fresh_base ();
  run_well (text, 2);
  run_well (text, 2);
  g_assert_cmpint (calls.runs, ==, 2);
  g_assert_cmpint (run_with (text, &deny, &error), ==, FRI_EXIT_USAGE);
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "stage 'a' (source.volatile) uses the network"));
  g_clear_error (&error);
}

/* A server that is not there makes a failed run, a pipeline that is wrong a wrong pipeline. */
static void
test_bind_status (void)
{
  static const struct
  {
    const char *a, *b, *text;
    FriExit status;
    FrError code;
  } cases[]
      = { { "away", "away", "the server is away", FRI_EXIT_FAILED, FR_ERROR_IO },
          { "away", "none", "the server is away", FRI_EXIT_FAILED, FR_ERROR_IO },
          { "away", "bind", "asked to fail in bind", FRI_EXIT_USAGE, FR_ERROR_CONFIG },
          { "bind", "none", "asked to fail in bind", FRI_EXIT_USAGE, FR_ERROR_CONFIG },
          { "long", "none", "the run was cancelled", FRI_EXIT_INTERRUPTED, FR_ERROR_CANCELLED } };

  fresh_base ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text
          = g_strdup_printf ("'a': {'use': 'source.count', 'with': {'fail': '%s'}},"
                             "'b': {'use': 'source.count', 'with': {'fail': '%s'}},"
                             "'o': {'use': 'sink.null', 'from': ['a', 'b']}",
                             cases[i].a, cases[i].b);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      FriRunOptions options = { .cancellable = cancellable };
      GError *error = NULL;

      g_assert_cmpint (run_with (text, &options, &error), ==, cases[i].status);
      g_assert_error (error, FR_ERROR, (int) cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].text));
      g_clear_error (&error);
    }
}

/* A volatile element whose fingerprint says what its output depends on is reused like any other. */
static void
test_dated (void)
{
  const char *text = "'a': {'use': 'source.dated', 'with': {'rows': 100, 'path': '@/date'}},"
                     "'out': {'use': 'sink.file', 'from': 'a', 'with': {'path': '@/out.jsonl'}}";
  const char *silent = "'a': {'use': 'source.dated', 'with': {'rows': 100}},"
                       "'out': {'use': 'sink.file', 'from': 'a', 'with': {'path': '@/out.jsonl'}}";
  g_autofree char *path = NULL;

  fresh_base ();
  path = path_of ("date");
  g_assert_true (g_file_set_contents (path, "monday", -1, NULL));
  run_well (text, 2);
  run_well (text, 2);
  g_assert_cmpint (calls.runs, ==, 1);
  g_assert_true (g_file_set_contents (path, "tuesday", -1, NULL));
  run_well (text, 2);
  g_assert_cmpint (calls.runs, ==, 2);
  run_well (silent, 2);
  run_well (silent, 2);
  g_assert_cmpint (calls.runs, ==, 4);
}

#define MORE                                                                                       \
  "'a': {'use': 'source.more', 'with': {'rows': 3}},"                                              \
  "'b': {'use': 'source.more', 'with': {'rows': 2}},"                                              \
  "'out': {'use': 'sink.file', 'from': ['a', 'b'], 'with': {'path': '@/out.jsonl'}}"

static void
assert_numbers (const char *wanted)
{
  g_autofree char *text = contents ("out.jsonl");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) numbers = g_string_new (NULL);

  for (char **l = lines; **l != '\0'; l++)
    g_string_append_printf (numbers, "%s%d", l > lines ? " " : "",
                            (int) g_ascii_strtoll (*l + strlen ("{\"n\":"), NULL, 10));
  g_assert_cmpstr (numbers->str, ==, wanted);
}

/* What a stage keeps for the next run moves on only when all of a whole run stands. */
static void
test_state (void)
{
  const char *failing = "'a': {'use': 'source.more', 'with': {'rows': 3}},"
                        "'b': {'use': 'source.more', 'with': {'rows': 2}},"
                        "'out': {'use': 'sink.file', 'from': ['a', 'b'], "
                        "'with': {'path': '@/out.jsonl', 'fail': 'finish'}}";
  FriRunOptions until = { .until = "a" }, fresh = { .fresh = TRUE }, limit = { 0 };
  g_autofree char *state = NULL;
  GError *error = NULL;

  fresh_base ();
  run_well (MORE, 2);
  assert_numbers ("1 2 3 1 2");
  run_well (MORE, 2);
  assert_numbers ("4 5 6 3 4");
  g_assert_cmpint (run_workers (failing, 2, &error), ==, FRI_EXIT_FAILED);
  g_clear_error (&error);
  g_assert_cmpint (run_with (MORE, &until, &error), ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  run_well (MORE, 1);
  assert_numbers ("7 8 9 5 6");
  g_assert_cmpint (run_with (MORE, &fresh, &error), ==, FRI_EXIT_OK);
  assert_numbers ("1 2 3 1 2");
  /* A pipeline without one of them keeps its place. */
  run_well ("'b': {'use': 'source.more', 'with': {'rows': 2}},"
            "'out': {'use': 'sink.file', 'from': 'b', 'with': {'path': '@/out.jsonl'}}",
            1);
  assert_numbers ("3 4");
  run_well (MORE, 2);
  assert_numbers ("4 5 6 5 6");
  state = path_of ("run/state.json");
  g_assert_true (g_file_set_contents (state, "{ \"a\": ", -1, NULL));
  g_assert_cmpint (run_with (MORE, &limit, &error), ==, FRI_EXIT_FAILED);
  g_assert_nonnull (strstr (error->message, "what the last run left for this one cannot be read"));
  g_clear_error (&error);
}

static void
test_until (void)
{
  g_autofree char *text = g_strdup_printf (KEEPING, 0);
  FriRunOptions until = { .until = "loud" };
  GError *error = NULL;
  Calls before;

  fresh_base ();
  write_input ("1");
  g_assert_cmpint (run_with (text, &until, &error), ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  g_assert_false (exists ("out.jsonl"));
  run_well (text, 2);
  assert_state ("loud", "reused");
  before = calls;
  g_assert_cmpint (run_with (text, &until, &error), ==, FRI_EXIT_OK);
  run_well (text, 2);
  g_assert_cmpmem (&before, sizeof before, &calls, sizeof calls);
}

/* ---- the run directory
 * ------------------------------------------------------------------------------ */

static void
test_lock (void)
{
  GError *error = NULL;
  g_autofree char *dir = NULL;
  g_autofree char *pid = g_strdup_printf ("process %d", (int) getpid ());
  FriRunDir *mine;

  fresh_base ();
  dir = path_of ("run");
  mine = fri_rundir_open (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpint (run_workers ("'a': {'use': 'source.count'}", 1, &error), ==, FRI_EXIT_FAILED);
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_assert_nonnull (strstr (error->message, pid));
  g_clear_error (&error);
  fri_rundir_close (mine);
  run_well ("'a': {'use': 'source.count'}", 1);
}

static gboolean
take_two (FrBatch *batch, gpointer data)
{
  guint *n = data;

  g_assert_cmpuint (fr_batch_n_rows (batch), >, 0);
  return ++*n < 2;
}

static void
test_tap (void)
{
  g_autofree char *text = g_strdup_printf (KEEPING, 0);
  guint n = 0;
  FriRunOptions options
      = { .ephemeral = TRUE, .workers = 2, .tap_stage = "loud", .tap = take_two, .tap_data = &n };
  GError *error = NULL;
  FriPipeline *pipeline;

  fresh_base ();
  write_input ("1");
  pipeline = load (text);
  g_assert_cmpint (fri_run (pipeline, &options, &error), ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 2);
  g_assert_false (exists ("out.jsonl"));
  g_assert_false (exists ("run"));
  g_assert_cmpint (calls.opens, ==, 2);
  g_assert_cmpint (calls.closes, ==, 2);
  options.tap_port = "nope";
  g_assert_cmpint (fri_run (pipeline, &options, &error), ==, FRI_EXIT_USAGE);
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  fri_pipeline_free (pipeline);
}

typedef struct
{
  GThread *thread;
  guint starts, ends, ticks, stages, metrics;
  GString *log;
} Heard;

static void
hear (const FriEvent *event, gpointer data)
{
  Heard *h = data;

  g_assert_true (g_thread_self () == h->thread);
  h->starts += event->type == FRI_EVENT_RUN_START;
  h->ends += event->type == FRI_EVENT_RUN_END;
  h->ticks += event->type == FRI_EVENT_TICK;
  h->stages += event->type == FRI_EVENT_STAGE;
  h->metrics += event->type == FRI_EVENT_METRIC;
  if (event->type == FRI_EVENT_LOG)
    g_string_append_printf (h->log, "%s\n", event->text);
  if (event->type == FRI_EVENT_RUN_END)
    g_assert_cmpuint (event->n_stats, ==, 3);
}

static void
test_events (void)
{
  Heard heard = { .thread = g_thread_self (), .log = g_string_new (NULL) };
  FriRunOptions options
      = { .workers = 2, .listener = hear, .listener_data = &heard, .watchdog_us = 200000 };
  GError *error = NULL;
  g_autofree char *log = NULL;

  fresh_base ();
  g_assert_cmpint (
      run_with ("'a': {'use': 'source.count', 'with': {'rows': 200, 'delay': 400000}},"
                "'l': {'use': 'transform.shout', 'from': 'a'},"
                "'out': {'use': 'sink.file', 'from': 'l', 'with': {'path': '@/out.jsonl'}}",
                &options, &error),
      ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  g_assert_cmpuint (heard.starts, ==, 1);
  g_assert_cmpuint (heard.ends, ==, 1);
  g_assert_cmpuint (heard.ticks, >, 3);
  g_assert_cmpuint (heard.stages, >=, 5);
  g_assert_cmpuint (heard.metrics, ==, 2);
  g_assert_nonnull (strstr (heard.log->str, "nothing has moved for 0 s: 'a' is inside its element; "
                                            "'l' is "));
  g_assert_nonnull (strstr (heard.log->str, "'out' is waiting for rows at 'in'"));
  log = contents ("run/log.jsonl");
  g_assert_nonnull (strstr (log, "\"event\":\"end\""));
  g_string_free (heard.log, TRUE);
}

/* ---- why
 * --------------------------------------------------------------------------------------------- */

static void
assert_why (const char *row, const char *says)
{
  g_autofree char *dir = path_of ("run");
  g_autofree char *text = NULL;
  GError *error = NULL;
  g_autoptr (JsonNode) why = fri_why (dir, row, &error);

  if (why != NULL)
    text = fri_why_text (why);
  else
    text = g_strdup (error->message);
  g_clear_error (&error);
  if (strstr (text, says) == NULL)
    g_error ("why %s: expected '%s' in:\n%s", row, says, text);
}

static void
test_why (void)
{
  fresh_base ();
  run_well ("'goods': {'use': 'source.count', 'with': {'rows': 1000, 'mod': 100}},"
            "'more': {'use': 'source.count', 'with': {'rows': 50}},"
            "'loud': {'use': 'transform.shout', 'from': 'goods', 'with': {'mod': 7}},"
            "'h': {'use': 'transform.halves', 'from': ['more', 'loud']},"
            "'out': {'use': 'sink.file', 'from': ['more', 'h.even'], 'with': "
            "{'path': '@/out.jsonl', 'mod': 12}}",
            2);
  assert_why ("goods:7", "rejected by 'loud': 7 is a multiple of 7 (odd)");
  assert_why ("goods:100", "rejected by 'goods': 100 is a multiple (multiple)");
  assert_why ("goods:12", "rejected by 'out': cannot write 12 (unwritable)");
  assert_why ("goods:3", "left 'h' by its port 'odd', which nothing reads");
  /* more: 1..50 less 4 multiples of 12; its even ones again, less those; then 2, 4, 6. */
  assert_why ("goods:6", "written by 'out' to ");
  assert_why ("goods:6", "/out.jsonl, line 70\n");
  assert_why ("goods:6", "row 6 of first half");
  assert_why ("goods:501", "row 1 of second half");
  assert_why ("goods:6", "reached 'loud'  (transform.shout, revision 1, fakes 1.0)");
  assert_why ("out.jsonl:70", "row goods:6\n");
  assert_why ("out.jsonl:1", "row more:1\n");
  assert_why ("goods:1001", "stage 'goods' gave no row number 1001");
  assert_why ("nothing:1", "neither a stage nor an output file 'nothing'");
  assert_why ("goods", "names no row");
  assert_why ("out.jsonl:9999", "has no row 9999");
}

/* ---- killing
 * ------------------------------------------------------------------------------------------ */

#define KILLABLE                                                                                   \
  "'goods': {'use': 'source.count', 'with': {'rows': 20000, 'batch': 100, 'mod': 50}},"            \
  "'loud': {'use': 'transform.shout', 'from': 'goods', 'keep': true, 'with': {'mod': 7, "          \
  "'delay': 200}},"                                                                                \
  "'h': {'use': 'transform.halves', 'from': 'loud'},"                                              \
  "'odd': {'use': 'sink.file', 'from': 'h.odd', 'with': {'path': '@/odd.jsonl'}},"                 \
  "'again': {'use': 'transform.again', 'from': ['h.even', 'loud']},"                               \
  "'out': {'use': 'sink.file', 'from': 'again', 'with': {'path': '@/out.jsonl', 'mod': 31}}"

static char *
snapshot (void)
{
  static const char *const files[] = { "out.jsonl", "odd.jsonl", "run/rejects/goods.jsonl",
                                       "run/rejects/loud.jsonl", "run/rejects/out.jsonl" };
  static const char *const hashed[]
      = { "run/lineage/goods.out", "run/lineage/loud.out", "run/lineage/h.odd",
          "run/lineage/again.out", "run/lineage/goods.origins" };
  GString *all = g_string_new (NULL);
  g_autofree char *manifest = stable ("run/manifest.json");
  g_autofree char *report = stable ("run/report.json");

  g_string_append (all, manifest);
  g_string_append (all, report);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *text = contents (files[i]);

      g_string_append (all, text);
    }
  for (guint i = 0; i < G_N_ELEMENTS (hashed); i++)
    {
      g_autofree char *path = path_of (hashed[i]);
      g_autofree char *hash = fri_hash_file (path, NULL);

      g_string_append_printf (all, "%s %s\n", hashed[i], hash);
    }
  return g_string_free (all, FALSE);
}

/* A directory is hashed by what lies in it: not by what links lead to elsewhere, nor by waiting at a pipe. */
static void
test_hash_tree (void)
{
  g_autofree char *dir = g_dir_make_tmp ("flowrun-engine-XXXXXX", NULL);
  g_autofree char *sub = g_build_filename (dir, "sub", NULL), *file = g_build_filename (sub, "a", NULL);
  g_autofree char *loop = g_build_filename (dir, "loop", NULL), *out = g_build_filename (dir, "out", NULL);
  g_autofree char *pipe = g_build_filename (dir, "pipe", NULL), *link = g_build_filename (dir, "link", NULL);
  g_autofree char *broken = g_build_filename (dir, "broken", NULL);
  g_autofree char *first = NULL, *same = NULL, *moved = NULL, *changed = NULL;
  guint64 size = 0;

  g_assert_cmpint (g_mkdir_with_parents (sub, 0755), ==, 0);
  g_assert_true (g_file_set_contents (file, "text", -1, NULL));
  g_assert_cmpint (symlink (".", loop), ==, 0);
  g_assert_cmpint (symlink ("/", out), ==, 0);
  g_assert_cmpint (symlink ("nothing", broken), ==, 0);
  g_assert_cmpint (symlink ("sub/a", link), ==, 0);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  first = fri_hash_tree (dir, &size, NULL);
  g_assert_nonnull (first);
  /* once where it lies, once through the link to it */
  g_assert_cmpuint (size, ==, 8);
  same = fri_hash_tree (dir, NULL, NULL);
  g_assert_cmpstr (same, ==, first);
  g_assert_cmpint (g_unlink (out), ==, 0);
  g_assert_cmpint (symlink ("/tmp", out), ==, 0);
  moved = fri_hash_tree (dir, NULL, NULL);
  g_assert_cmpstr (moved, !=, first);
  g_assert_true (g_file_set_contents (file, "else", -1, NULL));
  changed = fri_hash_tree (dir, NULL, NULL);
  g_assert_cmpstr (changed, !=, moved);
  fri_remove_tree (dir);
}

static void
run_and_die (guint after_us)
{
  g_autofree char *seconds = g_strdup_printf ("%u", after_us);
  const char *argv[] = { "/proc/self/exe", "--child", base, NULL };
  GPid pid;
  GError *error = NULL;
  int status;

  g_assert_true (g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                &pid, &error));
  g_usleep (after_us);
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
}

static void
test_kill (void)
{
  GRand *rand = g_rand_new_with_seed (5);
  g_autofree char *whole = NULL;
  gint64 start, lasts;
  guint n_killed = 0;
  g_autofree char *fixed = NULL;

  /* The same directory every time: paths are in the manifest. */
  fresh_base ();
  fixed = g_strdup (base);
  start = g_get_monotonic_time ();
  run_well (KILLABLE, 2);
  lasts = g_get_monotonic_time () - start;
  whole = snapshot ();
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *again = NULL;

      fri_remove_tree (fixed);
      g_assert_cmpint (g_mkdir (fixed, 0700), ==, 0);
      for (guint k = 0; k <= i % 3; k++, n_killed += !exists ("run/manifest.json"))
        run_and_die ((guint) g_rand_int_range (rand, 3000, (gint32) (lasts + lasts / 4)));
      run_well (KILLABLE, 1 + i % 3);
      again = snapshot ();
      g_assert_cmpstr (again, ==, whole);
      {
        g_autofree char *run = path_of ("run");
        g_auto (GStrv) names = fri_list_dir (run);

        for (char **n = names; *n != NULL; n++)
          g_assert_false (g_str_has_prefix (*n, "tmp-"));
      }
    }
  /* Else every run was over before it was killed, and nothing was tested. */
  g_assert_cmpuint (n_killed, >, 25);
  g_rand_free (rand);
}

/* ---- models and reports ------------------------------------------------------------------ */

#define LEARN                                                                                      \
  "'base': {'use': 'source.thing', 'with': {'rows': 1000}},"                                       \
  "'goods': {'use': 'source.count', 'with': {'rows': 20}},"                                        \
  "'learn': {'use': 'trainer.sum', 'from': {'in': 'goods', 'base': 'base'}%s},"                    \
  "'out': {'use': 'sink.thing', 'from': {'model': 'learn'}, 'with': {'path': '@/%s'}},"            \
  "'both': {'use': 'sink.thing', 'from': 'learn', 'with': {'path': '@/both'}}"

static void
learn (const char *with, const char *path)
{
  g_autofree char *stages = g_strdup_printf (LEARN, with, path);

  run_well (stages, 2);
}

static void
test_objects (void)
{
  static const char *const with[] = { "", ", 'with': {'fail': 'late'}" };

  for (guint i = 0; i < G_N_ELEMENTS (with); i++)
    {
      g_autoptr (JsonObject) manifest = NULL;
      g_autofree char *out = NULL, *both = NULL;
      JsonObject *object;

      fresh_base ();
      learn (with[i], "out");
      out = contents ("out");
      both = contents ("both");
      g_assert_cmpstr (out, ==, "1020 0\n");
      g_assert_cmpstr (both, ==, out);
      g_assert_cmpint (calls.finishes, ==, 3);
      g_assert_cmpint (things, ==, 0);
      manifest = document ("run/manifest.json");
      object = fri_json_member (fri_json_member (report_of (manifest, "learn"), "objects_out"),
                                "model");
      g_assert_cmpstr (json_object_get_string_member (object, "type"), ==, "test.thing");
      g_assert_cmpint (json_object_get_int_member (object, "description"), ==, 1020);
      object
          = fri_json_member (fri_json_member (report_of (manifest, "out"), "objects_in"), "model");
      g_assert_cmpint (json_object_get_int_member (object, "description"), ==, 1020);
      g_assert_false (json_object_has_member (
          fri_json_member (report_of (manifest, "learn"), "rows_out"), "model"));
    }
}

/* A sink that changed does not train again, nor does its model's source run. */
static void
test_objects_kept (void)
{
  g_autofree char *kept = NULL, *number = NULL, *out = NULL, *manifest = NULL, *again = NULL;
  Calls before;

  fresh_base ();
  learn ("", "out");
  manifest = stable ("run/manifest.json");
  g_assert_cmpint (calls.trainings, ==, 1);
  before = calls;
  learn ("", "out");
  g_assert_cmpmem (&before, sizeof before, &calls, sizeof calls);

  learn ("", "other");
  g_assert_cmpint (calls.trainings, ==, 1);
  g_assert_cmpint (calls.sources, ==, 1);
  g_assert_cmpint (calls.loads, ==, 1);
  assert_state ("learn", "reused");
  assert_state ("base", "reused");
  assert_state ("both", "reused");
  assert_state ("out", "done");
  out = contents ("other");
  g_assert_cmpstr (out, ==, "1020 0\n");
  g_assert_cmpint (things, ==, 0);

  /* With a loaded model the story is the same as with a new one. */
  learn ("", "out");
  again = stable ("run/manifest.json");
  g_assert_cmpstr (again, ==, manifest);
  learn ("", "other");
  calls.loads = 0;

  /* Two consumers share what is loaded. */
  {
    g_autofree char *a = path_of ("other");
    g_autofree char *b = path_of ("both");

    g_unlink (a);
    g_unlink (b);
  }
  learn ("", "other");
  g_assert_cmpint (calls.loads, ==, 1);

  /* A byte that changed is noticed without anybody's asking. */
  {
    g_autofree char *dir = path_of ("run/kept");
    g_auto (GStrv) names = fri_list_dir (dir);

    g_assert_cmpuint (g_strv_length (names), ==, 1);
    kept = g_build_filename (dir, names[0], NULL);
  }
  number = g_build_filename (kept, "model.object", "number", NULL);
  g_assert_true (g_file_set_contents (number, "1021", -1, NULL));
  learn ("", "third");
  g_assert_cmpint (calls.trainings, ==, 2);
  assert_state ("learn", "done");

  /* Unless it is told not to be kept. */
  fresh_base ();
  run_well ("'goods': {'use': 'source.count'},"
            "'learn': {'use': 'trainer.sum', 'from': 'goods', 'keep': false},"
            "'out': {'use': 'sink.thing', 'from': 'learn', 'with': {'path': '@/out'}}",
            2);
  g_assert_false (exists ("run/kept"));
}

/* What was trained outlives a run that failed after it. */
static void
test_objects_survive (void)
{
  const char *stages = "'base': {'use': 'source.thing', 'with': {'rows': 1000}},"
                       "'goods': {'use': 'source.count', 'with': {'rows': 20}},"
                       "'learn': {'use': 'trainer.plain', 'from': {'in': 'goods', 'base': 'base'}},"
                       "'out': {'use': 'sink.thing', 'from': 'learn',"
                       " 'with': {'path': '@/%s', 'fail': '%s'}}";
  g_autofree char *bad = g_strdup_printf (stages, "bad", "late finish");
  g_autofree char *good = g_strdup_printf (stages, "out", "nowhere");
  g_autofree char *out = NULL;
  GError *error = NULL;

  fresh_base ();
  g_assert_cmpint (run_workers (bad, 2, &error), ==, FRI_EXIT_FAILED);
  g_clear_error (&error);
  run_well (good, 2);
  g_assert_cmpint (calls.trainings, ==, 1);
  assert_state ("learn", "reused");
  assert_state ("goods", "reused");
  assert_state ("base", "reused");
  out = contents ("out");
  g_assert_cmpstr (out, ==, "1020 0\n");
}

/* How a computation is divided does not depend on whether its model's source has ended yet. */
static void
test_workers (void)
{
  const char *stages = "'base': {'use': 'source.thing', 'with': {'fail': 'linger'}},"
                       "'out': {'use': 'sink.thing', 'from': 'base',"
                       " 'with': {'path': '@/out', 'fail': 'threads'}}";

  for (guint workers = 2; workers <= 5; workers += 3)
    {
      fresh_base ();
      run_well (stages, workers);
      g_assert_cmpint (calls.threads, ==, (int) workers - 1);
      g_assert_cmpint (calls.workers, ==, (int) workers);
    }
}

/* The rows of 'rows' wait on disk while the trainer reads its own, in whatever order. */
static void
test_objects_pressure (void)
{
  static const char *const fail[] = { "", ", 'with': {'fail': 'model first'}" };

  for (guint i = 0; i < G_N_ELEMENTS (fail); i++)
    for (guint workers = 1; workers <= 3; workers++)
      {
        g_autofree char *out = NULL;
        g_autofree char *stages = g_strdup_printf (
            "'goods': {'use': 'source.count', 'with': {'rows': 200000, 'width': 100}},"
            "'halves': {'use': 'transform.halves', 'from': 'goods'},"
            "'first': {'use': 'trainer.sum', 'from': 'halves.odd', 'keep': false},"
            "'learn': {'use': 'trainer.sum', 'from': {'in': 'halves.odd', 'base': 'first'}%s},"
            "'out': {'use': 'sink.thing', 'from': {'model': 'learn', 'rows': 'halves.even'},"
            " 'with': {'path': '@/out'}}",
            fail[i]);
        FriRunOptions options = { .workers = workers, .memory = 1024 * 1024 };
        GError *error = NULL;

        fresh_base ();
        g_assert_cmpint (run_with (stages, &options, &error), ==, FRI_EXIT_OK);
        g_assert_no_error (error);
        out = contents ("out");
        g_assert_cmpstr (out, ==, "200000 100000\n");
      }
}

static void
test_objects_wrong (void)
{
  static const struct
  {
    const char *fail, *says;
  } cases[] = {
    { "no object", "stage 'learn' (trainer.sum): the element ended without pushing the model of "
                   "its port 'model'" },
    { "other object", "an object of type 'test.other' to its port 'model', which carries "
                      "'test.thing'" },
    { "two objects", "pushed a second object to its port 'model'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf (", 'with': {'fail': '%s'}", cases[i].fail);
      g_autofree char *stages = g_strdup_printf (LEARN, with, "out");
      GError *error = NULL;

      fresh_base ();
      g_assert_cmpint (run_workers (stages, 2, &error), ==, FRI_EXIT_FAILED);
      g_assert_nonnull (error);
      if (strstr (error->message, cases[i].says) == NULL)
        g_error ("expected '%s' in '%s'", cases[i].says, error->message);
      g_clear_error (&error);
      g_assert_false (exists ("out"));
      g_assert_cmpint (things, ==, 0);
    }
}

/* Nobody waits for ever for a model that will not come. */
static void
test_objects_cancel (void)
{
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      gpointer args[2] = { cancellable, GUINT_TO_POINTER (i * 1500) };
      FriRunOptions options = { .workers = 1 + i % 3, .cancellable = cancellable };
      GThread *thread;
      GError *error = NULL;
      FriExit status;

      fresh_base ();
      thread = g_thread_new ("cancel", cancel_later, args);
      status = run_with ("'goods': {'use': 'source.count', 'with': {'rows': 5000, 'delay': 400}},"
                         "'learn': {'use': 'trainer.sum', 'from': 'goods'},"
                         "'out': {'use': 'sink.thing', 'from': 'learn', 'with': {'path': '@/out'}}",
                         &options, &error);
      g_thread_join (thread);
      g_assert_cmpint (status, ==, error == NULL ? FRI_EXIT_OK : FRI_EXIT_INTERRUPTED);
      g_clear_error (&error);
      g_assert_cmpint (things, ==, 0);
    }
}

/* What stages will get is known, as far as it can be, when they are bound. */
static void
test_objects_bound (void)
{
  g_autofree char *stages = g_strdup_printf (LEARN, "", "out");
  FriPipeline *pipeline;
  FrProblems *problems = fri_problems_new ("test");
  Thing *thing;

  fresh_base ();
  pipeline = load (stages);
  g_assert_true (fri_pipeline_bind (pipeline, TRUE, problems));
  thing = g_hash_table_lookup (fri_pipeline_stage (pipeline, "learn")->in_objects, "base");
  g_assert_nonnull (thing);
  g_assert_cmpint (thing->number, ==, 1000);
  g_assert_null (g_hash_table_lookup (fri_pipeline_stage (pipeline, "out")->in_objects, "model"));
  fri_problems_free (problems);
  fri_pipeline_free (pipeline);
  g_assert_cmpint (things, ==, 0);
}

/* ---- forecasts ------------------------------------------------------------------------------ */

static void
take_forecast (const char *stage, JsonNode *forecast, gpointer data)
{
  g_string_append_printf (
      data, "%s %d;", stage,
      (int) json_object_get_int_member (json_node_get_object (forecast), "sum"));
}

static void
test_forecast (void)
{
  g_autofree char *stages = g_strdup_printf (
      LEARN ",'next': {'use': 'trainer.sum', 'from': {'in': 'goods', 'base': 'learn'}}", "", "out");
  g_autoptr (GString) told = g_string_new (NULL);
  g_autofree char *why_not = NULL;
  FriRunOptions options
      = { .ephemeral = TRUE, .workers = 2, .forecast = take_forecast, .forecast_data = told };
  guint n = 0;
  FriRunOptions head = { .ephemeral = TRUE,
                         .workers = 2,
                         .tap_stage = "learn",
                         .tap_port = "seen",
                         .tap = take_two,
                         .tap_data = &n };
  GError *error = NULL;
  FriPipeline *pipeline;

  fresh_base ();
  pipeline = load (stages);
  g_assert_true (fri_forecast_possible (pipeline, &why_not));
  g_assert_null (why_not);
  g_assert_cmpint (fri_run (pipeline, &options, &error), ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  g_assert_cmpstr (told->str, ==, "learn 1020;"); /* 'next' would need what 'learn' makes */
  g_assert_cmpint (calls.trainings, ==, 0);
  g_assert_cmpint (calls.finishes, ==, 0);
  g_assert_false (exists ("out"));
  g_assert_false (exists ("run"));

  g_assert_cmpint (fri_run (pipeline, &head, &error), ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpint (calls.trainings, ==, 0);
  fri_pipeline_free (pipeline);

  pipeline
      = load ("'goods': {'use': 'source.volatile'},"
              "'learn': {'use': 'trainer.sum', 'from': 'goods', 'with': {'fail': 'forecast'}}");
  g_assert_false (fri_forecast_possible (pipeline, &why_not));
  g_assert_nonnull (strstr (why_not, "it would need 'goods' (source.volatile), which uses the "
                                     "network"));
  g_clear_pointer (&why_not, g_free);
  fri_pipeline_free (pipeline);
  pipeline = load ("'goods': {'use': 'source.count'},"
                   "'plain': {'use': 'trainer.plain', 'from': 'goods'},"
                   "'learn': {'use': 'trainer.sum', 'from': {'in': 'goods', 'base': 'plain'},"
                   " 'with': {'fail': 'forecast'}}");
  g_assert_false (fri_forecast_possible (pipeline, &why_not));
  g_assert_nonnull (strstr (why_not, "'plain' (trainer.plain), which would have to train"));
  g_assert_cmpint (fri_run (pipeline, &options, &error), ==, FRI_EXIT_FAILED);
  g_assert_nonnull (strstr (error->message, "stage 'learn' (trainer.sum): asked to fail in "
                                            "forecast"));
  g_clear_error (&error);
  fri_pipeline_free (pipeline);
}

/* ---- what trainers tell ------------------------------------------------------------------- */

static void
count_told (const FriEvent *event, gpointer data)
{
  guint *n = data;

  n[0] += event->type == FRI_EVENT_METRIC && strcmp (event->name, "loss") == 0;
  n[1] += event->type == FRI_EVENT_STATUS && strstr (event->text, " rows") != NULL;
  for (guint i = 0; event->type == FRI_EVENT_RUN_END && i < event->n_stats; i++)
    n[2] += event->stats[i].status != NULL;
}

static void
test_telling (void)
{
  guint n[3] = { 0 };
  FriRunOptions options = { .workers = 2, .listener = count_told, .listener_data = n };
  g_autoptr (JsonObject) report = NULL;
  g_autofree char *log = NULL;
  JsonObject *loss;
  GError *error = NULL;

  fresh_base ();
  g_assert_cmpint (run_with ("'goods': {'use': 'source.count', 'with': {'rows': 500}},"
                             "'learn': {'use': 'trainer.sum', 'from': 'goods'}",
                             &options, &error),
                   ==, FRI_EXIT_OK);
  g_assert_no_error (error);
  g_assert_cmpuint (n[0], ==, 5);
  g_assert_cmpuint (n[1], ==, 1); /* of five within a moment */
  g_assert_cmpuint (n[2], ==, 1);
  report = document ("run/report.json");
  loss = fri_json_member (fri_json_member (report_of (report, "learn"), "metrics"), "loss");
  g_assert_cmpint (json_object_get_int_member (loss, "n"), ==, 5);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (loss, "values")), ==, 5);
  log = contents ("run/log.jsonl");
  g_assert_nonnull (strstr (log, "\"event\":\"metric\",\"stage\":\"learn\",\"name\":\"loss\","));
  g_assert_nonnull (strstr (log, "\"event\":\"status\",\"stage\":\"learn\",\"text\":\"100 rows\""));
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    {
      base = g_strdup (argv[2]);
      run_well (KILLABLE, 2);
      return 0;
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/chain", test_chain);
  g_test_add_func ("/engine/counts", test_counts);
  g_test_add_func ("/engine/serial", test_serial);
  g_test_add_func ("/engine/empty", test_empty);
  g_test_add_func ("/engine/diamond", test_diamond);
  g_test_add_func ("/engine/concat", test_concat);
  g_test_add_func ("/engine/pressure", test_pressure);
  g_test_add_func ("/engine/rewind", test_rewind);
  g_test_add_func ("/engine/early-end", test_early_end);
  g_test_add_func ("/engine/rejects-connected", test_rejects_connected);
  g_test_add_func ("/engine/max-rejects", test_max_rejects);
  g_test_add_func ("/engine/failures", test_failures);
  g_test_add_func ("/engine/transient", test_transient);
  g_test_add_func ("/engine/cancel", test_cancel);
  g_test_add_func ("/engine/ending", test_ending);
  g_test_add_func ("/engine/reuse", test_reuse);
  g_test_add_func ("/engine/changing", test_changing);
  g_test_add_func ("/engine/damage", test_damage);
  g_test_add_func ("/engine/renumber", test_renumber);
  g_test_add_func ("/engine/volatile", test_volatile);
  g_test_add_func ("/engine/bind-status", test_bind_status);
  g_test_add_func ("/engine/dated", test_dated);
  g_test_add_func ("/engine/state", test_state);
  g_test_add_func ("/engine/until", test_until);
  g_test_add_func ("/engine/lock", test_lock);
  g_test_add_func ("/engine/tap", test_tap);
  g_test_add_func ("/engine/objects", test_objects);
  g_test_add_func ("/engine/objects-kept", test_objects_kept);
  g_test_add_func ("/engine/objects-survive", test_objects_survive);
  g_test_add_func ("/engine/workers", test_workers);
  g_test_add_func ("/engine/objects-pressure", test_objects_pressure);
  g_test_add_func ("/engine/objects-wrong", test_objects_wrong);
  g_test_add_func ("/engine/objects-cancel", test_objects_cancel);
  g_test_add_func ("/engine/objects-bound", test_objects_bound);
  g_test_add_func ("/engine/forecast", test_forecast);
  g_test_add_func ("/engine/telling", test_telling);
  g_test_add_func ("/engine/events", test_events);
  g_test_add_func ("/engine/why", test_why);
  g_test_add_func ("/engine/hash-tree", test_hash_tree);
  g_test_add_func ("/engine/kill", test_kill);
  int status = g_test_run ();
  if (base != NULL)
    fri_remove_tree (base);
  g_free (base);
  return status;
}
