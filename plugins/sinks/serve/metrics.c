/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: cells of figures, counted without a lock, and how they are written (metrics.h).
 *
 * The text format 0.0.4 as in Prometheus's "Exposition formats": "# HELP", "# TYPE", then a line
 * for each sample; histograms cumulative, with +Inf, _sum and _count.  A histogram's count is the
 * sum of its buckets as they are read, so that an exposition never contradicts itself.
 */
#include "config.h"

#include <flowrun/json.h>
#include <math.h>
#include <string.h>

#include "metrics-private.h"

#define ENGINE_LABEL "0" /* there is one engine */
#define OTHER "other"
#define EXACT 9007199254740992.0 /* 2^53: integers below are exact */

/* Words are doubles in 64 bits, so that they can be exchanged at once. */
struct _ServeCell
{
  ServeFigure figure;
  const char *values[SERVE_METRICS_LABELS]; /* interned */
  guint64 word;                             /* value, or a histogram's sum */
  guint64 *buckets;                         /* with +Inf; not cumulative */
};

typedef struct
{
  void (*look) (ServeMetrics *metrics, gpointer data);
  gpointer data;
} Watch;

struct _ServeMetrics
{
  const char *model_name; /* interned */
  GRWLock lock;
  GHashTable *cells; /* a set */
  GPtrArray *by_figure[SERVE_N_FIGURES];
  GArray *watches;
};

/* ---- numbers -----------------------------------------------------------------------------------
 */

static double
word_value (guint64 word)
{
  double value;

  memcpy (&value, &word, sizeof value);
  return value;
}

static guint64
value_word (double value)
{
  guint64 word;

  memcpy (&word, &value, sizeof word);
  return word;
}

static void
word_add (guint64 *word, double n)
{
  guint64 old = __atomic_load_n (word, __ATOMIC_RELAXED);

  while (!__atomic_compare_exchange_n (word, &old, value_word (word_value (old) + n), TRUE,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

void
serve_cell_add (ServeCell *cell, double n)
{
  word_add (&cell->word, n);
}

void
serve_cell_set (ServeCell *cell, double value)
{
  __atomic_store_n (&cell->word, value_word (value), __ATOMIC_RELAXED);
}

void
serve_cell_observe (ServeCell *cell, double value)
{
  const ServeFigureRow *row = &serve_figures[cell->figure];
  guint i = 0;

  while (i < row->n_buckets && value > row->buckets[i])
    i++;
  __atomic_fetch_add (&cell->buckets[i], 1, __ATOMIC_RELAXED);
  word_add (&cell->word, value);
}

/* ---- cells -------------------------------------------------------------------------------------
 */

static guint
n_labels (const ServeFigureRow *row)
{
  guint n = 0;

  while (n < SERVE_METRICS_LABELS && row->labels[n] != NULL)
    n++;
  return n;
}

static guint
cell_hash (gconstpointer data)
{
  const ServeCell *cell = data;
  guint hash = (guint) cell->figure;

  for (guint i = 0; i < SERVE_METRICS_LABELS && cell->values[i] != NULL; i++)
    hash = hash * 31 + g_str_hash (cell->values[i]);
  return hash;
}

static gboolean
cell_equal (gconstpointer a, gconstpointer b)
{
  const ServeCell *x = a, *y = b;

  if (x->figure != y->figure)
    return FALSE;
  for (guint i = 0; i < SERVE_METRICS_LABELS && x->values[i] != NULL; i++)
    if (strcmp (x->values[i], y->values[i]) != 0)
      return FALSE;
  return TRUE;
}

static void
cell_free (gpointer data)
{
  g_free (((ServeCell *) data)->buckets);
  g_free (data);
}

/* Under the writer's lock. */
static ServeCell *
add_cell (ServeMetrics *metrics, const ServeCell *like)
{
  const ServeFigureRow *row = &serve_figures[like->figure];
  GPtrArray *cells = metrics->by_figure[like->figure];
  ServeCell *cell, key = *like;

  if (cells->len >= SERVE_METRICS_CELLS)
    for (guint i = 0; i < SERVE_METRICS_LABELS && key.values[i] != NULL; i++)
      key.values[i] = OTHER;
  if ((cell = g_hash_table_lookup (metrics->cells, &key)) != NULL)
    return cell;
  cell = g_memdup2 (&key, sizeof key);
  for (guint i = 0; i < SERVE_METRICS_LABELS && cell->values[i] != NULL; i++)
    cell->values[i] = g_intern_string (cell->values[i]);
  if (row->type == SERVE_HISTOGRAM)
    cell->buckets = g_new0 (guint64, row->n_buckets + 1);
  g_hash_table_add (metrics->cells, cell);
  g_ptr_array_add (cells, cell);
  return cell;
}

ServeCell *
serve_metrics_cell (ServeMetrics *metrics, ServeFigure figure, const char *const *labels)
{
  const ServeFigureRow *row = &serve_figures[figure];
  ServeCell key = { .figure = figure }, *cell;

  for (guint i = 0; i < SERVE_METRICS_LABELS && row->labels[i] != NULL; i++)
    key.values[i] = !row->engine ? labels[i] : i == 0 ? metrics->model_name : ENGINE_LABEL;
  g_rw_lock_reader_lock (&metrics->lock);
  cell = g_hash_table_lookup (metrics->cells, &key);
  g_rw_lock_reader_unlock (&metrics->lock);
  if (cell != NULL)
    return cell;
  g_rw_lock_writer_lock (&metrics->lock);
  cell = add_cell (metrics, &key);
  g_rw_lock_writer_unlock (&metrics->lock);
  return cell;
}

void
serve_metrics_forget (ServeMetrics *metrics, ServeFigure figure)
{
  g_rw_lock_reader_lock (&metrics->lock);
  for (guint i = 0; i < metrics->by_figure[figure]->len; i++)
    serve_cell_set (g_ptr_array_index (metrics->by_figure[figure], i), 0);
  g_rw_lock_reader_unlock (&metrics->lock);
}

ServeMetrics *
serve_metrics_new (const char *model_name)
{
  ServeMetrics *metrics = g_new0 (ServeMetrics, 1);

  metrics->model_name = g_intern_string (model_name);
  g_rw_lock_init (&metrics->lock);
  metrics->cells = g_hash_table_new_full (cell_hash, cell_equal, cell_free, NULL);
  metrics->watches = g_array_new (FALSE, FALSE, sizeof (Watch));
  for (guint i = 0; i < SERVE_N_FIGURES; i++)
    {
      metrics->by_figure[i] = g_ptr_array_new ();
      if (n_labels (&serve_figures[i]) == 0 || serve_figures[i].engine)
        serve_metrics_cell (metrics, i, NULL);
    }
  serve_cell_set (SERVE_CELL (metrics, SERVE_F_BUILD, PACKAGE_VERSION, __VERSION__), 1);
  return metrics;
}

void
serve_metrics_free (ServeMetrics *metrics)
{
  if (metrics == NULL)
    return;
  for (guint i = 0; i < SERVE_N_FIGURES; i++)
    g_ptr_array_unref (metrics->by_figure[i]);
  g_hash_table_unref (metrics->cells);
  g_array_unref (metrics->watches);
  g_rw_lock_clear (&metrics->lock);
  g_free (metrics);
}

/* ---- what a request counts ---------------------------------------------------------------------
 */

static const char *
status_text (guint status, char *room, gsize size)
{
  g_snprintf (room, size, "%u", status);
  return room;
}

static double
seconds (gint64 us)
{
  return (double) us / G_USEC_PER_SEC;
}

/* Statuses that say: not you, not now, not so much. */
static gboolean
is_rejection (const ServeRecord *r)
{
  return r->revision == NULL
         && (r->status == 401 || r->status == 403 || r->status == 413 || r->status == 414
             || r->status == 429 || r->status == 431 || r->status == 503);
}

static void
count_tokens (ServeMetrics *m, const ServeRecord *r)
{
  double prompt = (double) r->prompt_tokens, answer = (double) r->answer_tokens;

  if (r->key != NULL)
    {
      serve_cell_add (SERVE_CELL (m, SERVE_F_CLIENT_TOKENS, r->key, "prompt"), prompt);
      serve_cell_add (SERVE_CELL (m, SERVE_F_CLIENT_TOKENS, r->key, "answer"), answer);
    }
  if (r->cache == SERVE_CACHE_HIT || r->cache == SERVE_CACHE_SHARED)
    return; /* nothing was computed */
  serve_cell_add (SERVE_CELL (m, SERVE_F_PROMPT_TOKENS, r->model), prompt);
  serve_cell_add (SERVE_CELL (m, SERVE_F_REUSED_TOKENS, r->model), (double) r->cached_tokens);
  serve_cell_add (SERVE_CELL (m, SERVE_F_ANSWER_TOKENS, r->model), answer);
  serve_cell_add (SERVE_CELL (m, SERVE_F_VLLM_PROMPT_TOKENS, r->model, ENGINE_LABEL), prompt);
  serve_cell_add (SERVE_CELL (m, SERVE_F_VLLM_ANSWER_TOKENS, r->model, ENGINE_LABEL), answer);
  serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_REQUEST_PROMPT, r->model, ENGINE_LABEL), prompt);
  serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_REQUEST_ANSWER, r->model, ENGINE_LABEL), answer);
}

static void
observe_times (ServeMetrics *m, const ServeRecord *r)
{
  const struct
  {
    ServeFigure figure;
    gint64 us;
  } spans[] = { { SERVE_F_VLLM_QUEUE_SECONDS, r->queue_us },
                { SERVE_F_VLLM_INFERENCE_SECONDS, r->prefill_us + r->decode_us },
                { SERVE_F_VLLM_PREFILL_SECONDS, r->prefill_us },
                { SERVE_F_VLLM_DECODE_SECONDS, r->decode_us } };
  guint64 first = MAX (r->n, 1); /* each choice has a first token */
  double each;

  serve_cell_observe (SERVE_CELL (m, SERVE_F_FIRST_SECONDS, r->model), seconds (r->first_us));
  serve_cell_observe (SERVE_CELL (m, SERVE_F_QUEUE_SECONDS, r->model), seconds (r->queue_us));
  serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_FIRST_SECONDS, r->model, ENGINE_LABEL),
                      seconds (r->first_us));
  for (guint i = 0; i < G_N_ELEMENTS (spans); i++)
    serve_cell_observe (SERVE_CELL (m, spans[i].figure, r->model, ENGINE_LABEL),
                        seconds (spans[i].us));
  if (r->answer_tokens <= first)
    return;
  /* Choices of one request are made side by side. */
  each = seconds (r->decode_us) * (double) first / (double) (r->answer_tokens - first);
  serve_cell_observe (SERVE_CELL (m, SERVE_F_TOKEN_SECONDS, r->model), each);
  serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_TOKEN_SECONDS, r->model, ENGINE_LABEL), each);
  serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_BETWEEN_SECONDS, r->model, ENGINE_LABEL), each);
}

/* vLLM's words for why an answer ended. */
static const char *
finished_reason (const char *stop)
{
  if (strcmp (stop, "length") == 0 || strcmp (stop, "context") == 0)
    return "length";
  if (strcmp (stop, "end") == 0 || strcmp (stop, "stop") == 0)
    return "stop";
  return strcmp (stop, "error") == 0 ? "error" : "abort";
}

static void
count_answer (ServeMetrics *m, const ServeRecord *r)
{
  const char *stop = r->stop != NULL ? r->stop : "error";

  serve_cell_add (SERVE_CELL (m, SERVE_F_ANSWERS, r->model, r->revision, stop), 1);
  if (r->fault)
    serve_cell_add (SERVE_CELL (m, SERVE_F_MODEL_FAULTS, r->model, r->revision), 1);
  serve_cell_add (
      SERVE_CELL (m, SERVE_F_VLLM_SUCCESS, r->model, ENGINE_LABEL, finished_reason (stop)), 1);
  serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_REQUEST_SECONDS, r->model, ENGINE_LABEL),
                      seconds (r->total_us));
  if (r->n > 0)
    serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_PARAMS_N, r->model, ENGINE_LABEL),
                        (double) r->n);
  if (r->max_tokens > 0)
    serve_cell_observe (SERVE_CELL (m, SERVE_F_VLLM_PARAMS_MAX, r->model, ENGINE_LABEL),
                        (double) r->max_tokens);
  count_tokens (m, r);
  if (r->first_us > 0)
    observe_times (m, r);
}

void
serve_metrics_done (ServeMetrics *metrics, const ServeRecord *record)
{
  const char *route = record->route != NULL ? record->route : OTHER;
  const char *method = record->route != NULL && record->method != NULL ? record->method : OTHER;
  char room[16];

  if (metrics == NULL)
    return;
  serve_cell_add (SERVE_CELL (metrics, SERVE_F_REQUESTS, route, method,
                              status_text (record->status, room, sizeof room)),
                  1);
  serve_cell_observe (SERVE_CELL (metrics, SERVE_F_REQUEST_SECONDS, route),
                      seconds (record->total_us));
  if (record->error != NULL)
    serve_cell_add (SERVE_CELL (metrics, SERVE_F_ERRORS, record->error), 1);
  if (is_rejection (record))
    serve_cell_add (
        SERVE_CELL (metrics, SERVE_F_REJECTED, record->error != NULL ? record->error : OTHER), 1);
  if (record->key != NULL)
    serve_cell_add (SERVE_CELL (metrics, SERVE_F_CLIENT_REQUESTS, record->key), 1);
  if (record->model != NULL && record->revision != NULL)
    count_answer (metrics, record);
}

void
serve_metrics_pass (ServeMetrics *metrics, guint64 prompt_rows, guint64 answer_rows, gint64 us)
{
  double rows = (double) (prompt_rows + answer_rows);

  if (metrics == NULL)
    return;
  serve_cell_observe (serve_metrics_cell (metrics, SERVE_F_BATCH_ROWS, NULL), rows);
  serve_cell_observe (serve_metrics_cell (metrics, SERVE_F_PASS_SECONDS, NULL), seconds (us));
  serve_cell_observe (serve_metrics_cell (metrics, SERVE_F_VLLM_PASS_TOKENS, NULL), rows);
}

/* ---- the exposition ----------------------------------------------------------------------------
 */

void
serve_metrics_watch (ServeMetrics *metrics, void (*look) (ServeMetrics *metrics, gpointer data),
                     gpointer data)
{
  Watch watch = { look, data };

  g_rw_lock_writer_lock (&metrics->lock);
  g_array_append_val (metrics->watches, watch);
  g_rw_lock_writer_unlock (&metrics->lock);
}

static void
append_escaped (GString *out, const char *text, gboolean quote)
{
  for (; *text != '\0'; text++)
    if (*text == '\\' || (quote && *text == '"'))
      g_string_append_printf (out, "\\%c", *text);
    else if (*text == '\n')
      g_string_append (out, "\\n");
    else
      g_string_append_c (out, *text);
}

static void
append_number (GString *out, double value)
{
  if (isnan (value) || isinf (value))
    g_string_append (out, isnan (value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
  else if (value == floor (value) && fabs (value) < EXACT)
    g_string_append_printf (out, "%.0f", value);
  else
    fr_json_append_double (out, value);
}

/* As every client writes it: 1.0, not 1. */
static void
append_bound (GString *out, double bound)
{
  append_number (out, bound);
  if (bound == floor (bound))
    g_string_append (out, ".0");
}

/* NAME SUFFIX {labels, le}. @bound: NULL: no le; infinite for +Inf. */
static void
append_name (GString *out, const ServeCell *cell, const char *suffix, const double *bound)
{
  const ServeFigureRow *row = &serve_figures[cell->figure];
  guint n = n_labels (row);

  g_string_append (out, row->name);
  g_string_append (out, suffix);
  if (n > 0 || bound != NULL)
    g_string_append_c (out, '{');
  for (guint i = 0; i < n; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      g_string_append (out, row->labels[i]);
      g_string_append (out, "=\"");
      append_escaped (out, cell->values[i], TRUE);
      g_string_append_c (out, '"');
    }
  if (bound != NULL)
    {
      g_string_append (out, n > 0 ? ",le=\"" : "le=\"");
      if (isinf (*bound))
        g_string_append (out, "+Inf");
      else
        append_bound (out, *bound);
      g_string_append_c (out, '"');
    }
  g_string_append (out, n > 0 || bound != NULL ? "} " : " ");
}

static void
append_value (GString *out, double value)
{
  append_number (out, value);
  g_string_append_c (out, '\n');
}

static void
append_histogram (GString *out, const ServeCell *cell)
{
  const ServeFigureRow *row = &serve_figures[cell->figure];
  guint64 n = 0;

  for (guint i = 0; i <= row->n_buckets; i++)
    {
      double bound = i < row->n_buckets ? row->buckets[i] : INFINITY;

      n += __atomic_load_n (&cell->buckets[i], __ATOMIC_RELAXED);
      append_name (out, cell, "_bucket", &bound);
      append_value (out, (double) n);
    }
  append_name (out, cell, "_sum", NULL);
  append_value (out, word_value (__atomic_load_n (&cell->word, __ATOMIC_RELAXED)));
  append_name (out, cell, "_count", NULL);
  append_value (out, (double) n);
}

static double
cell_value (const ServeCell *cell)
{
  return word_value (__atomic_load_n (&cell->word, __ATOMIC_RELAXED));
}

static void
append_figure (GString *out, const ServeFigureRow *row, const GPtrArray *cells)
{
  static const char *const types[] = { "counter", "gauge", "histogram" };

  g_string_append_printf (out, "# HELP %s ", row->name);
  append_escaped (out, row->help, FALSE);
  g_string_append_printf (out, "\n# TYPE %s %s\n", row->name, types[row->type]);
  for (guint i = 0; i < cells->len; i++)
    {
      const ServeCell *cell = g_ptr_array_index (cells, i);

      if (row->type == SERVE_HISTOGRAM)
        append_histogram (out, cell);
      else if (!row->present || cell_value (cell) != 0)
        {
          append_name (out, cell, "", NULL);
          append_value (out, cell_value (cell));
        }
    }
}

void
serve_metrics_write (ServeMetrics *metrics, GString *out)
{
  serve_process_look (metrics);
  for (guint i = 0; i < metrics->watches->len; i++)
    {
      const Watch *watch = &g_array_index (metrics->watches, Watch, i);

      watch->look (metrics, watch->data);
    }
  g_rw_lock_reader_lock (&metrics->lock);
  for (guint i = 0; i < SERVE_N_FIGURES; i++)
    if (metrics->by_figure[i]->len > 0)
      append_figure (out, &serve_figures[i], metrics->by_figure[i]);
  g_rw_lock_reader_unlock (&metrics->lock);
}
