/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h: what others count, set when somebody looks at /metrics. */
#ifndef FLOWRUN_SERVE_WATCH_H
#define FLOWRUN_SERVE_WATCH_H

#include "metrics.h"

G_BEGIN_DECLS

/** serve_watch_figures: for serve_metrics_watch(); @serve: the Serve. */
void serve_watch_figures (ServeMetrics *metrics, gpointer serve);

G_END_DECLS

#endif
