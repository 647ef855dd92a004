/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h: figures for Prometheus, in its text format 0.0.4.
 *
 * One table (metrics-table.c) says every figure: name, type, help, labels, buckets.  Our own names
 * begin with flowrun_; those of vLLM are there beside them, with its labels and buckets, so that
 * dashboards made for it work; process_… are those of every Prometheus client.  A figure of a name
 * and label values is a cell: found under a lock once, then counted without one.  What others know
 * better (the scheduler's queue, the cache's size) is asked for when somebody looks: see
 * serve_metrics_watch().
 *
 * Label values come from a closed set: routes of the table, statuses, names of models that exist,
 * names of API keys.  Should a figure still get more than SERVE_METRICS_CELLS of them, the rest
 * counts as "other".
 */
#ifndef FLOWRUN_SERVE_METRICS_H
#define FLOWRUN_SERVE_METRICS_H

#include <glib.h>

#include "record.h"

G_BEGIN_DECLS

#define SERVE_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define SERVE_METRICS_CELLS 1024
#define SERVE_METRICS_LABELS 4

/** ServeFigure: the rows of the table. */
typedef enum
{
  /* our own */
  SERVE_F_REQUESTS = 0,    /* counter: route, method, status */
  SERVE_F_REQUEST_SECONDS, /* histogram: route */
  SERVE_F_IN_FLIGHT,       /* gauge */
  SERVE_F_CONNECTIONS,     /* gauge */
  SERVE_F_REJECTED,        /* counter: reason */
  SERVE_F_ERRORS,          /* counter: kind */
  SERVE_F_CLIENT_REQUESTS, /* counter: client */
  SERVE_F_CLIENT_TOKENS,   /* counter: client, kind (prompt, answer) */
  SERVE_F_ANSWERS,         /* counter: model, revision, stop */
  SERVE_F_MODEL_FAULTS,    /* counter: model, revision */
  SERVE_F_FIRST_SECONDS,   /* histogram: model */
  SERVE_F_TOKEN_SECONDS,   /* histogram: model */
  SERVE_F_QUEUE_SECONDS,   /* histogram: model */
  SERVE_F_PROMPT_TOKENS,   /* counter: model */
  SERVE_F_REUSED_TOKENS,   /* counter: model */
  SERVE_F_ANSWER_TOKENS,   /* counter: model */
  SERVE_F_RUNNING,         /* gauge */
  SERVE_F_WAITING,         /* gauge */
  SERVE_F_WAITING_TOKENS,  /* gauge */
  SERVE_F_BATCH_ROWS,      /* histogram */
  SERVE_F_PASS_SECONDS,    /* histogram */
  SERVE_F_KV_TOKENS,       /* gauge */
  SERVE_F_KV_USED,         /* gauge */
  SERVE_F_KV_KEPT,         /* gauge */
  SERVE_F_PREFIX_EVICTED,  /* counter */
  SERVE_F_CACHE_HITS,      /* counter */
  SERVE_F_CACHE_MISSES,    /* counter */
  SERVE_F_CACHE_SHARED,    /* counter */
  SERVE_F_CACHE_EVICTED,   /* counter */
  SERVE_F_CACHE_EXPIRED,   /* counter */
  SERVE_F_CACHE_ENTRIES,   /* gauge */
  SERVE_F_CACHE_BYTES,     /* gauge */
  SERVE_F_MODEL_REVISIONS, /* gauge */
  SERVE_F_ADAPTER_LOADS,   /* counter: outcome (loaded, failed, unloaded) */
  SERVE_F_ROLLBACKS,       /* counter: cause (asked, guard) */
  SERVE_F_SHADOWS,         /* counter: outcome (started, written, dropped, failed) */
  SERVE_F_FILES_CHANGED,   /* gauge: 0, 1 */
  SERVE_F_LOG_LINES,       /* counter: outcome (written, dropped, failed) */
  SERVE_F_FEEDBACK,        /* counter: outcome (stored, refused, failed) */
  SERVE_F_STATE,           /* gauge: state (loading, ready, draining): 1 for the one that is */
  SERVE_F_BUILD,           /* gauge: version, compiler: 1 */
  SERVE_F_MODEL_INFO,      /* gauge: model, revision, hash: 1 for those held */
  SERVE_F_ROUTE_SHARE,     /* gauge: model, revision: of the requests for a name, 0 … 1 */
  /* vLLM's */
  SERVE_F_VLLM_RUNNING, /* gauge: model_name, engine, as all of them */
  SERVE_F_VLLM_WAITING,
  SERVE_F_VLLM_KV_USAGE,       /* 0 … 1 */
  SERVE_F_VLLM_PREFIX_QUERIES, /* counters */
  SERVE_F_VLLM_PREFIX_HITS,
  SERVE_F_VLLM_PREEMPTIONS,
  SERVE_F_VLLM_PROMPT_TOKENS,
  SERVE_F_VLLM_ANSWER_TOKENS,
  SERVE_F_VLLM_SUCCESS,       /* + finished_reason */
  SERVE_F_VLLM_FIRST_SECONDS, /* histograms */
  SERVE_F_VLLM_TOKEN_SECONDS,
  SERVE_F_VLLM_BETWEEN_SECONDS,
  SERVE_F_VLLM_REQUEST_SECONDS,
  SERVE_F_VLLM_QUEUE_SECONDS,
  SERVE_F_VLLM_INFERENCE_SECONDS,
  SERVE_F_VLLM_PREFILL_SECONDS,
  SERVE_F_VLLM_DECODE_SECONDS,
  SERVE_F_VLLM_REQUEST_PROMPT,
  SERVE_F_VLLM_REQUEST_ANSWER,
  SERVE_F_VLLM_PARAMS_N,
  SERVE_F_VLLM_PARAMS_MAX,
  SERVE_F_VLLM_PASS_TOKENS,
  /* every client's */
  SERVE_F_PROCESS_CPU, /* counter */
  SERVE_F_PROCESS_RSS, /* gauges */
  SERVE_F_PROCESS_VIRTUAL,
  SERVE_F_PROCESS_FDS,
  SERVE_F_PROCESS_MAX_FDS,
  SERVE_F_PROCESS_START,
  SERVE_N_FIGURES
} ServeFigure;

typedef struct _ServeMetrics ServeMetrics;
/** ServeCell: one figure with its label values; valid as long as the metrics. */
typedef struct _ServeCell ServeCell;

/** serve_metrics_new: @model_name: "model_name" of those vLLM figures that are of the whole engine.
 */
ServeMetrics *serve_metrics_new (const char *model_name);
void serve_metrics_free (ServeMetrics *metrics);

/**
 * serve_metrics_cell: @labels: as many values as the figure has labels, in its order; not NULL.
 * Takes a lock: keep the cell where it is counted often.  All of them: any thread.
 */
ServeCell *serve_metrics_cell (ServeMetrics *metrics, ServeFigure figure,
                               const char *const *labels);
/** SERVE_CELL: the same with the values as arguments: SERVE_CELL (m, SERVE_F_REJECTED,
 * "queue_full"). */
#define SERVE_CELL(metrics, figure, ...)                                                           \
  serve_metrics_cell ((metrics), (figure), (const char *const[]){ __VA_ARGS__ })

/** serve_cell_add: to a counter or gauge. */
void serve_cell_add (ServeCell *cell, double n);
/** serve_cell_set: a gauge, or a counter that somebody else counts. */
void serve_cell_set (ServeCell *cell, double value);
/** serve_metrics_forget: all cells of a gauge are 0, and those that stay so are not shown. */
void serve_metrics_forget (ServeMetrics *metrics, ServeFigure figure);
/** serve_cell_observe: into a histogram; seconds, or tokens. */
void serve_cell_observe (ServeCell *cell, double value);

/** serve_metrics_done: everything that a request's end counts: its route, its model, its tokens and
 * times, in our names and vLLM's. */
void serve_metrics_done (ServeMetrics *metrics, const ServeRecord *record);
/** serve_metrics_pass: one pass of the scheduler (LmSchedulerOptions.on_pass). */
void serve_metrics_pass (ServeMetrics *metrics, guint64 prompt_rows, guint64 answer_rows,
                         gint64 us);

/** serve_metrics_watch: @look is called before each exposition, to set what others count. */
void serve_metrics_watch (ServeMetrics *metrics,
                          void (*look) (ServeMetrics *metrics, gpointer data), gpointer data);
/** serve_metrics_write: the exposition. */
void serve_metrics_write (ServeMetrics *metrics, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeMetrics, serve_metrics_free)

G_END_DECLS

#endif
