/* SPDX-License-Identifier: Apache-2.0 */
/* test-metrics.c: what is counted, and whether the exposition is one: read by a strict reader of
 * its own, and by prometheus_client's where $FLOWRUN_VENV has it.
 */
#include "config.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "metrics-private.h"

/* ---- a strict reader of the text format 0.0.4 --------------------------------------------------
 */

typedef struct
{
  GHashTable *samples; /* name and labels as written → double * */
  GHashTable *types;   /* name → "counter", … */
  GHashTable *done;    /* names of groups that have ended */
} Read;

static void
read_clear (Read *r)
{
  g_hash_table_unref (r->samples);
  g_hash_table_unref (r->types);
  g_hash_table_unref (r->done);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Read, read_clear)

#define MUST(condition, line)                                                                      \
  do                                                                                               \
    if (!(condition))                                                                              \
      g_error ("%s: not so in: %s", #condition, line);                                             \
  while (0)

static gsize
name_length (const char *at, gboolean label)
{
  gsize n = 0;

  while (g_ascii_isalpha (at[n]) || at[n] == '_' || (!label && at[n] == ':')
         || (n > 0 && g_ascii_isdigit (at[n])))
    n++;
  return n;
}

/* Behind the closing brace; labels must be in ascending order of nothing, but distinct. */
static const char *
read_labels (const char *at, const char *line)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (;;)
    {
      gsize n = name_length (at, TRUE);

      MUST (n > 0 && g_hash_table_add (seen, g_strndup (at, n)), line);
      at += n;
      MUST (at[0] == '=' && at[1] == '"', line);
      for (at += 2; *at != '"'; at++)
        {
          MUST (*at != '\0', line);
          if (*at == '\\')
            {
              at++;
              MUST (*at == '\\' || *at == '"' || *at == 'n', line);
            }
        }
      at++;
      if (*at == '}')
        return at + 1;
      MUST (*at == ',', line);
      at++;
    }
}

/* The name of the group that @name, of length @n, is a sample of. */
static char *
group_of (const Read *r, const char *name, gsize n)
{
  static const char *const suffixes[] = { "_bucket", "_sum", "_count" };
  g_autofree char *whole = g_strndup (name, n);

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (whole, suffixes[i]))
      {
        g_autofree char *stem = g_strndup (whole, n - strlen (suffixes[i]));

        if (g_strcmp0 (g_hash_table_lookup (r->types, stem), "histogram") == 0)
          return g_steal_pointer (&stem);
      }
  return g_steal_pointer (&whole);
}

static void
read_sample (Read *r, const char *line, const char *group)
{
  gsize n = name_length (line, FALSE);
  const char *at = line + n;
  g_autofree char *of = group_of (r, line, n);
  double *value = g_new (double, 1);
  char *end, *key;

  MUST (n > 0, line);
  MUST (strcmp (of, group) == 0, line);
  if (*at == '{')
    at = read_labels (at + 1, line);
  MUST (*at == ' ' && at[1] != ' ', line);
  key = g_strndup (line, (gsize) (at - line));
  *value = g_ascii_strtod (at + 1, &end);
  MUST (end > at + 1 && *end == '\0', line);
  MUST (g_hash_table_insert (r->samples, key, value), line);
  if (strcmp (g_hash_table_lookup (r->types, group), "gauge") != 0)
    MUST (*value >= 0, line);
}

static void
read_type (Read *r, const char *line, const char *name)
{
  const char *type = strrchr (line, ' ') + 1;

  MUST (strcmp (type, "counter") == 0 || strcmp (type, "gauge") == 0
            || strcmp (type, "histogram") == 0,
        line);
  MUST (g_hash_table_insert (r->types, g_strdup (name), g_strdup (type)), line);
}

static Read
read_exposition (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = g_strv_length (lines);
  Read r = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
             g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
             g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  g_autofree char *group = g_strdup ("");

  g_assert_true (g_utf8_validate (text, -1, NULL));
  MUST (n > 1 && *lines[n - 1] == '\0', "the last line");
  for (guint i = 0; i + 1 < n; i++)
    if (g_str_has_prefix (lines[i], "# HELP "))
      {
        gsize length = name_length (lines[i] + 7, FALSE);

        g_free (group);
        group = g_strndup (lines[i] + 7, length);
        MUST (length > 0 && lines[i][7 + length] == ' ', lines[i]);
        MUST (g_hash_table_add (r.done, g_strdup (group)), lines[i]);
        MUST (g_str_has_prefix (lines[i + 1], "# TYPE ")
                  && g_str_has_prefix (lines[i + 1] + 7, group) && lines[i + 1][7 + length] == ' ',
              lines[i + 1]);
        read_type (&r, lines[++i], group);
        /* Counters are called so. */
        MUST ((strcmp (g_hash_table_lookup (r.types, group), "counter") == 0)
                      == g_str_has_suffix (group, "_total")
                  || strcmp (group, "vllm:iteration_tokens_total") == 0,
              lines[i]);
      }
    else
      read_sample (&r, lines[i], group);
  return r;
}

static double
sample (Read *r, const char *name)
{
  const double *value = g_hash_table_lookup (r->samples, name);

  if (value == NULL)
    g_error ("no sample %s", name);
  return *value;
}

static gboolean
has_sample (Read *r, const char *name)
{
  return g_hash_table_contains (r->samples, name);
}

/* Every histogram's buckets rise, and end in +Inf, which is its count; there are @least of them. */
static void
check_histograms (const char *text, guint least)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  double last = 0, last_bound = -INFINITY;
  guint n = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *le = strstr (lines[i], "le=\"");
      double bound, value;

      if (*lines[i] == '#' || strstr (lines[i], "_bucket{") == NULL)
        continue;
      MUST (le != NULL, lines[i]);
      bound = g_ascii_strtod (le + 4, NULL);
      value = g_ascii_strtod (strrchr (lines[i], ' ') + 1, NULL);
      MUST (bound > last_bound && value >= last, lines[i]);
      last = value;
      last_bound = bound;
      if (isinf (bound))
        {
          MUST (strstr (lines[i], "le=\"+Inf\"") != NULL, lines[i]);
          MUST (strstr (lines[i + 1], "_sum") != NULL, lines[i + 1]);
          MUST (strstr (lines[i + 2], "_count") != NULL, lines[i + 2]);
          MUST (g_ascii_strtod (strrchr (lines[i + 2], ' ') + 1, NULL) == value, lines[i + 2]);
          last = 0;
          last_bound = -INFINITY;
          n++;
        }
    }
  g_assert_cmpuint (n, >=, least);
}

static char *
exposition (ServeMetrics *metrics)
{
  GString *out = g_string_new (NULL);

  serve_metrics_write (metrics, out);
  return g_string_free (out, FALSE);
}

/* ---- what is counted ---------------------------------------------------------------------------
 */

static const ServeRecord answered = { .id = "a",
                                      .key = "web",
                                      .method = "POST",
                                      .route = "/v1/chat/completions",
                                      .model = "文\"案\\",
                                      .revision = "文案@2",
                                      .stop = "length",
                                      .status = 200,
                                      .cache = SERVE_CACHE_MISS,
                                      .total_us = 600000,
                                      .queue_us = 2000,
                                      .prefill_us = 48000,
                                      .decode_us = 500000,
                                      .first_us = 50000,
                                      .prompt_tokens = 40,
                                      .cached_tokens = 30,
                                      .answer_tokens = 11,
                                      .max_tokens = 11,
                                      .n = 1 };

#define MODEL "model=\"文\\\"案\\\\\""
#define VLLM_LABELS "model_name=\"文\\\"案\\\\\",engine=\"0\""

static ServeMetrics *
counted (void)
{
  ServeMetrics *metrics = serve_metrics_new ("基座");
  ServeRecord record = answered;

  serve_metrics_done (metrics, &record);
  record.cache = SERVE_CACHE_HIT;
  record.first_us = 0;
  record.total_us = 80;
  serve_metrics_done (metrics, &record);
  serve_metrics_done (metrics, &(ServeRecord){ .method = "POST",
                                               .route = "/generate",
                                               .status = 429,
                                               .error = "queue_full",
                                               .total_us = 50 });
  serve_metrics_done (metrics,
                      &(ServeRecord){ .method = "WHAT", .status = 404, .error = "not_found" });
  serve_metrics_done (metrics, &(ServeRecord){ .method = "POST",
                                               .route = "/generate",
                                               .model = "m",
                                               .revision = "m@1",
                                               .status = 500,
                                               .error = "generation_failed",
                                               .stop = "error",
                                               .fault = TRUE });
  serve_metrics_pass (metrics, 3, 5, 12000);
  return metrics;
}

static void
test_counted (void)
{
  g_autoptr (ServeMetrics) metrics = counted ();
  g_autofree char *text = exposition (metrics);
  g_auto (Read) r = read_exposition (text);

  check_histograms (text, 4);
#define IS(name, value) g_assert_cmpfloat (sample (&r, name), ==, value)
  IS ("flowrun_requests_total{route=\"/v1/chat/completions\",method=\"POST\",status=\"200\"}", 2);
  IS ("flowrun_requests_total{route=\"other\",method=\"other\",status=\"404\"}", 1);
  IS ("flowrun_request_duration_seconds_bucket{route=\"/v1/chat/completions\",le=\"0.0001\"}", 1);
  IS ("flowrun_request_duration_seconds_bucket{route=\"/v1/chat/completions\",le=\"1.0\"}", 2);
  IS ("flowrun_rejected_total{reason=\"queue_full\"}", 1);
  g_assert_false (has_sample (&r, "flowrun_rejected_total{reason=\"not_found\"}"));
  IS ("flowrun_errors_total{kind=\"not_found\"}", 1);
  IS ("flowrun_client_requests_total{client=\"web\"}", 2);
  IS ("flowrun_client_tokens_total{client=\"web\",kind=\"answer\"}", 22);
  IS ("flowrun_answers_total{" MODEL ",revision=\"文案@2\",stop=\"length\"}", 2);
  IS ("flowrun_model_faults_total{model=\"m\",revision=\"m@1\"}", 1);
  IS ("flowrun_prompt_tokens_total{" MODEL "}", 40); /* the cached one computed nothing */
  IS ("flowrun_reused_tokens_total{" MODEL "}", 30);
  IS ("flowrun_answer_tokens_total{" MODEL "}", 11);
  IS ("flowrun_time_to_first_token_seconds_bucket{" MODEL ",le=\"0.05\"}", 1);
  IS ("flowrun_time_to_first_token_seconds_bucket{" MODEL ",le=\"0.025\"}", 0);
  IS ("flowrun_time_per_output_token_seconds_sum{" MODEL "}", 0.05);
  IS ("flowrun_batch_rows_bucket{le=\"8.0\"}", 1);
  IS ("flowrun_batch_rows_sum", 8);
  IS ("vllm:request_success_total{" VLLM_LABELS ",finished_reason=\"length\"}", 2);
  IS ("vllm:time_to_first_token_seconds_count{" VLLM_LABELS "}", 1);
  IS ("vllm:e2e_request_latency_seconds_bucket{" VLLM_LABELS ",le=\"0.8\"}", 2);
  IS ("vllm:request_decode_time_seconds_sum{" VLLM_LABELS "}", 0.5);
  IS ("vllm:generation_tokens_total{" VLLM_LABELS "}", 11);
  IS ("vllm:num_requests_running{model_name=\"基座\",engine=\"0\"}", 0);
  IS ("vllm:iteration_tokens_total_count{model_name=\"基座\",engine=\"0\"}", 1);
#undef IS
  g_assert_cmpfloat (sample (&r, "process_resident_memory_bytes"), >, 1e6);
  g_assert_cmpfloat (sample (&r, "process_open_fds"), >=, 3);
  g_assert_cmpfloat (sample (&r, "process_start_time_seconds"), >, 1.6e9);
  g_assert_cmpfloat (sample (&r, "process_start_time_seconds"), <=,
                     (double) g_get_real_time () / 1e6 + 2);
}

/* The names that dashboards made for vLLM ask for. */
static void
test_vllm_names (void)
{
  static const char *const names[] = { "vllm:num_requests_running",
                                       "vllm:num_requests_waiting",
                                       "vllm:kv_cache_usage_perc",
                                       "vllm:prompt_tokens_total",
                                       "vllm:generation_tokens_total",
                                       "vllm:request_success_total",
                                       "vllm:prefix_cache_queries_total",
                                       "vllm:prefix_cache_hits_total",
                                       "vllm:num_preemptions_total",
                                       "vllm:time_to_first_token_seconds",
                                       "vllm:time_per_output_token_seconds",
                                       "vllm:inter_token_latency_seconds",
                                       "vllm:e2e_request_latency_seconds",
                                       "vllm:request_queue_time_seconds",
                                       "vllm:request_inference_time_seconds",
                                       "vllm:request_prefill_time_seconds",
                                       "vllm:request_decode_time_seconds",
                                       "vllm:request_prompt_tokens",
                                       "vllm:request_generation_tokens",
                                       "vllm:iteration_tokens_total" };
  g_autoptr (ServeMetrics) metrics = counted ();
  g_autofree char *text = exposition (metrics);
  g_auto (Read) r = read_exposition (text);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!g_hash_table_contains (r.types, names[i]))
      g_error ("no %s", names[i]);
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static void
test_table (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < SERVE_N_FIGURES; i++)
    {
      const ServeFigureRow *row = &serve_figures[i];

      g_assert_nonnull (row->name);
      g_assert_nonnull (row->help);
      g_assert_true (g_hash_table_add (names, (gpointer) row->name));
      g_assert_true ((row->type == SERVE_HISTOGRAM) == (row->n_buckets > 0));
      for (guint k = 1; k < row->n_buckets; k++)
        g_assert_cmpfloat (row->buckets[k], >, row->buckets[k - 1]);
    }
}

static void
test_cells (void)
{
  g_autoptr (ServeMetrics) metrics = serve_metrics_new ("m");
  ServeCell *a = SERVE_CELL (metrics, SERVE_F_REJECTED, "a");
  g_autofree char *text = NULL;
  char label[16];

  g_assert_true (a == SERVE_CELL (metrics, SERVE_F_REJECTED, "a"));
  g_assert_false (a == SERVE_CELL (metrics, SERVE_F_REJECTED, "b"));
  g_assert_false (a == SERVE_CELL (metrics, SERVE_F_ERRORS, "a"));
  /* More values than anybody should have: the rest is one. */
  for (guint i = 0; i < SERVE_METRICS_CELLS * 3; i++)
    {
      g_snprintf (label, sizeof label, "%u", i);
      serve_cell_add (SERVE_CELL (metrics, SERVE_F_ERRORS, label), 1);
    }
  text = exposition (metrics);
  {
    g_auto (Read) r = read_exposition (text);

    g_assert_cmpfloat (sample (&r, "flowrun_errors_total{kind=\"other\"}"), ==,
                       SERVE_METRICS_CELLS * 2 + 1);
    g_assert_cmpfloat (sample (&r, "flowrun_errors_total{kind=\"5\"}"), ==, 1);
  }
}

#define ADDS 20000

static gpointer
add_many (gpointer data)
{
  for (guint i = 0; i < ADDS; i++)
    {
      serve_cell_add (SERVE_CELL (data, SERVE_F_ERRORS, i % 2 == 0 ? "a" : "b"), 1);
      serve_cell_observe (SERVE_CELL (data, SERVE_F_FIRST_SECONDS, "m"), 0.5);
    }
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (ServeMetrics) metrics = serve_metrics_new ("m");
  g_autofree char *text = NULL;
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("adds", add_many, metrics);
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *while_counting = exposition (metrics);

      check_histograms (while_counting, 0); /* the first may not be there yet */
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  text = exposition (metrics);
  {
    g_auto (Read) r = read_exposition (text);

    g_assert_cmpfloat (sample (&r, "flowrun_errors_total{kind=\"a\"}"), ==, 4 * ADDS / 2);
    g_assert_cmpfloat (sample (&r, "flowrun_time_to_first_token_seconds_sum{model=\"m\"}"), ==,
                       4 * ADDS * 0.5);
  }
}

static void
look (ServeMetrics *metrics, gpointer data)
{
  serve_cell_set (serve_metrics_cell (metrics, SERVE_F_RUNNING, NULL), ++*(int *) data);
  serve_cell_set (SERVE_CELL (metrics, SERVE_F_STATE, "ready"), 0.25);
}

static void
test_watch (void)
{
  g_autoptr (ServeMetrics) metrics = serve_metrics_new ("m");
  g_autofree char *first = NULL, *second = NULL;
  int looked = 0;

  serve_metrics_watch (metrics, look, &looked);
  first = exposition (metrics);
  second = exposition (metrics);
  g_assert_nonnull (strstr (first, "\nflowrun_running 1\n"));
  g_assert_nonnull (strstr (second, "\nflowrun_running 2\n"));
  g_assert_nonnull (strstr (second, "\nflowrun_state{state=\"ready\"} 0.25\n"));
}

/* What a gauge of things that come and go no longer has is not shown. */
static void
test_forget (void)
{
  g_autoptr (ServeMetrics) metrics = serve_metrics_new ("m");
  g_autofree char *before = NULL, *after = NULL;

  serve_cell_set (SERVE_CELL (metrics, SERVE_F_ROUTE_SHARE, "鞋", "鞋@1"), 1);
  before = exposition (metrics);
  serve_metrics_forget (metrics, SERVE_F_ROUTE_SHARE);
  serve_cell_set (SERVE_CELL (metrics, SERVE_F_ROUTE_SHARE, "鞋", "鞋@2"), 0.05);
  after = exposition (metrics);
  g_assert_nonnull (strstr (before, "\nflowrun_route_share{model=\"鞋\",revision=\"鞋@1\"} 1\n"));
  g_assert_null (strstr (after, "鞋@1"));
  g_assert_nonnull (strstr (after, "\nflowrun_route_share{model=\"鞋\",revision=\"鞋@2\"} 0.05\n"));
}

static void
test_nothing (void)
{
  serve_metrics_done (NULL, &answered);
  serve_metrics_pass (NULL, 1, 1, 1);
}

/* A request's end must not be felt beside 50 µs. */
static void
test_speed (void)
{
  g_autoptr (ServeMetrics) metrics = serve_metrics_new ("m");
  ServeRecord record = answered;
  clock_t start = clock (); /* the processor's time: others may be at work on the machine */
  double each;
  enum
  {
    N = 20000
  };

  record.cache = SERVE_CACHE_HIT;
  record.first_us = 0;
  for (guint i = 0; i < N; i++)
    serve_metrics_done (metrics, &record);
  each = (double) (clock () - start) * 1e6 / CLOCKS_PER_SEC / N;
  g_test_minimized_result (each, "the end of a cached request is counted in %.3f µs", each);
  g_assert_cmpfloat (each, <, 50);
}

/* ---- somebody else's reader --------------------------------------------------------------------
 */

static const char script[]
    = "import sys\n"
      "from prometheus_client.parser import text_string_to_metric_families as read\n"
      "text = sys.stdin.buffer.read().decode()\n"
      "families = {f.name: f for f in read(text)}\n"
      "n = 0\n"
      "for f in families.values():\n"
      "    assert f.type in ('counter', 'gauge', 'histogram'), f\n"
      "    assert f.documentation, f\n"
      "    assert f.samples, f\n"
      "    n += len(f.samples)\n"
      "    if f.type == 'histogram':\n"
      "        for s in f.samples: assert s.name[len(f.name):] in ('_bucket', '_sum', '_count'), "
      "s\n"
      "names = [s for f in families.values() for s in f.samples if s.name == "
      "'flowrun_answers_total']\n"
      "assert names[0].labels['model'] == '文\"案\\\\', names\n"
      "assert n == sum(1 for l in text.splitlines() if not l.startswith('#')), n\n"
      "print(len(families), n)\n";

static void
test_prometheus (void)
{
  const char *venv = g_getenv ("FLOWRUN_VENV");
  g_autofree char *python = g_build_filename (venv != NULL ? venv : ".venv", "bin", "python", NULL);
  g_autoptr (GSubprocess) probe = NULL, process = NULL;
  g_autoptr (ServeMetrics) metrics = counted ();
  g_autofree char *text = exposition (metrics), *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;

  probe = g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, python, "-c",
                            "import prometheus_client.parser", NULL);
  if (probe == NULL || !g_subprocess_wait_check (probe, NULL, NULL))
    {
      g_test_skip ("no oracle: set FLOWRUN_VENV to an environment with prometheus_client");
      return;
    }
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                  | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                              &error, python, "-X", "utf8", "-c", script, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, text, NULL, &out, &err, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (process))
    g_error ("prometheus_client does not read it: %s", err);
  g_test_message ("prometheus_client reads families and samples: %s", out);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/table", test_table);
  g_test_add_func ("/metrics/counted", test_counted);
  g_test_add_func ("/metrics/vllm-names", test_vllm_names);
  g_test_add_func ("/metrics/cells", test_cells);
  g_test_add_func ("/metrics/threads", test_threads);
  g_test_add_func ("/metrics/watch", test_watch);
  g_test_add_func ("/metrics/forget", test_forget);
  g_test_add_func ("/metrics/nothing", test_nothing);
  g_test_add_func ("/metrics/speed", test_speed);
  g_test_add_func ("/metrics/prometheus-client", test_prometheus);
  return g_test_run ();
}
