/* SPDX-License-Identifier: Apache-2.0 */
/* metrics-private.h: the table of figures, between metrics-table.c, metrics.c and its test. */
#ifndef FLOWRUN_SERVE_METRICS_PRIVATE_H
#define FLOWRUN_SERVE_METRICS_PRIVATE_H

#include "metrics.h"

G_BEGIN_DECLS

typedef enum
{
  SERVE_COUNTER = 0,
  SERVE_GAUGE,
  SERVE_HISTOGRAM
} ServeFigureType;

/**
 * ServeFigureRow:
 * @labels: their names; NULL from the first that is not there
 * @buckets: upper bounds of a histogram, rising, the last is +Inf and left out; @n_buckets of them
 * @present: cells that are 0 are left out
 * @engine: of the whole engine: a vLLM figure whose labels are set once, when the server starts
 */
typedef struct
{
  const char *name;
  ServeFigureType type;
  const char *help;
  const char *labels[SERVE_METRICS_LABELS];
  const double *buckets;
  guint n_buckets;
  gboolean engine, present;
} ServeFigureRow;

extern const ServeFigureRow serve_figures[SERVE_N_FIGURES];

/** serve_process_look: sets the process_… figures; process.c. */
void serve_process_look (ServeMetrics *metrics);

G_END_DECLS

#endif
