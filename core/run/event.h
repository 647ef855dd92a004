/* SPDX-License-Identifier: Apache-2.0 */
/* event.h: what happens in a run, told once (internal).
 *
 * The engine tells; the display, `--progress json`, log.jsonl and the report
 * listen.  Listeners are called on one thread (the engine's ticker), never
 * from an element.
 */
#ifndef FLOWRUN_EVENT_H
#define FLOWRUN_EVENT_H

#include <flowrun/host.h>

G_BEGIN_DECLS

typedef enum {
  FRI_STAGE_WAITING = 0, /* nothing yet */
  FRI_STAGE_RUNNING,
  FRI_STAGE_BLOCKED_INPUT,  /* waits for rows */
  FRI_STAGE_BLOCKED_OUTPUT, /* its consumers are behind */
  FRI_STAGE_REUSED,         /* an earlier run's result serves */
  FRI_STAGE_DONE,
  FRI_STAGE_FAILED,
  FRI_STAGE_CANCELLED
} FriStageState;

const char *fri_stage_state_name (FriStageState state);

/* One stage at one moment. */
typedef struct {
  const char *id;
  const char *element;
  FriStageState state;
  guint64 rows_in, rows_out, bytes_in, bytes_out, rejects;
  guint64 done, total; /* of fr_host_progress(); total 0: unknown */
  const char *unit;
  const char *status; /* of fr_host_status(), or NULL */
  gint64 busy_us, wait_in_us, wait_out_us;
  guint queued_batches;
  guint64 queued_bytes;
} FriStageStats;

typedef enum {
  FRI_EVENT_RUN_START = 1,
  FRI_EVENT_STAGE, /* a stage changed its state */
  FRI_EVENT_TICK,  /* about ten times a second: look at the stats */
  FRI_EVENT_METRIC,
  FRI_EVENT_LOG,
  FRI_EVENT_STATUS, /* text: where a stage stands; one every few seconds */
  FRI_EVENT_RUN_END
} FriEventType;

typedef enum { FRI_LOG_INFO, FRI_LOG_WARNING, FRI_LOG_ERROR } FriLogLevel;

typedef struct {
  FriEventType type;
  gint64 time_us; /* since the run started */
  const char *stage;
  FriStageState state;
  const FriStageStats *stats; /* TICK, RUN_END: n_stats of them */
  guint n_stats;
  const char *name; /* METRIC */
  double value;
  FriLogLevel level; /* LOG */
  const char *text; /* LOG, STATUS, RUN_START */
  int status; /* RUN_END: exit status to be */
} FriEvent;

typedef void (*FriEventFunc) (const FriEvent *event, gpointer data);

G_END_DECLS

#endif
