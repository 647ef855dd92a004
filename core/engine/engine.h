/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h: running a bound pipeline (internal).
 *
 * Stages of shape `run` have a thread each; stages of shape `map` share a pool
 * whose results retire in order.  At most `workers` of all these threads work
 * at once: a run stage gives its place back while it waits on an edge.  Edges
 * are bounded in rows and bytes; an edge that ordered reading could dead-lock
 * (any of several inputs of one stage) spills to disk instead of blocking.
 */
#ifndef FLOWRUN_ENGINE_H
#define FLOWRUN_ENGINE_H

#include <flowrun/host.h>

#include "pipeline/pipeline.h"
#include "run/event.h"

G_BEGIN_DECLS

typedef struct
{
  const char *run_dir; /* NULL: fri_run_default_dir() */
  gboolean
      ephemeral;  /* head, tests: a private run directory, removed afterwards; sinks do not run */
  gboolean no_record; /* a private run directory as well, but a whole run */
  gboolean fresh; /* reuse nothing */
  const char *until; /* stop after this stage, or NULL */
  guint workers;     /* 0: one per processor */
  guint64 memory;    /* bytes for edges and stages together; 0: a quarter of the machine's */
  gboolean validate; /* validate every batch on push */
  gboolean deny_network;
  GCancellable *cancellable; /* or NULL */
  FriEventFunc listener;     /* or NULL */
  gpointer listener_data;
  const char *command_line; /* for the manifest, or NULL */
  /* head: called for every batch of the port on an engine thread; FALSE: enough. */
  const char *tap_stage, *tap_port;
  gboolean (*tap) (FrBatch *batch, gpointer data);
  gpointer tap_data;
  /* check: asks elements with forecast for one instead of running them; called for each with what
   * it found, before fri_run() returns.  Needs `ephemeral`. */
  void (*forecast) (const char *stage, JsonNode *forecast, gpointer data);
  gpointer forecast_data;
  gint64 watchdog_us; /* warn when nothing has moved for so long; 0: 30 s */
} FriRunOptions;

typedef enum
{
  FRI_EXIT_OK = 0,
  FRI_EXIT_FAILED = 1,
  FRI_EXIT_USAGE = 2,
  FRI_EXIT_LIMIT = 3,
  FRI_EXIT_INTERRUPTED = 130
} FriExit;

/**
 * fri_run: binds for real, plans what can be reused, runs, writes the run
 * directory.  @error is set for FAILED, USAGE and INTERRUPTED, and for LIMIT
 * (which limit).
 */
FriExit fri_run (FriPipeline *pipeline, const FriRunOptions *options, GError **error);

/**
 * fri_forecast_possible: whether some stage of the bound @pipeline can give a
 * forecast; @why_not: what stands against it, NULL when no stage could; g_free().
 */
gboolean fri_forecast_possible (const FriPipeline *pipeline, char **why_not);

/** fri_run_default_dir: "runs/NAME" below the current directory; g_free(). */
char *fri_run_default_dir (const FriPipeline *pipeline);

G_END_DECLS

#endif
