/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c: figures of the scheduler, the cache, the models and the log (watch.h).
 *
 * While the model loads there is neither scheduler nor models: their figures are 0 or not there.
 */
#include "config.h"

#include "watch.h"

#include "serve.h"

static void
set (ServeMetrics *metrics, ServeFigure figure, double value)
{
  serve_cell_set (serve_metrics_cell (metrics, figure, NULL), value);
}

static void
set_one (ServeMetrics *metrics, ServeFigure figure, const char *label, double value)
{
  serve_cell_set (SERVE_CELL (metrics, figure, label), value);
}

static void
watch_scheduler (ServeMetrics *m, LmScheduler *scheduler)
{
  LmSchedulerFigures f;

  lm_scheduler_figures (scheduler, &f);
  set (m, SERVE_F_RUNNING, f.running);
  set (m, SERVE_F_WAITING, f.waiting);
  set (m, SERVE_F_WAITING_TOKENS, (double) f.waiting_tokens);
  set (m, SERVE_F_KV_TOKENS, (double) f.kv_tokens);
  set (m, SERVE_F_KV_USED, (double) f.kv_used);
  set (m, SERVE_F_KV_KEPT, (double) f.kv_kept);
  set (m, SERVE_F_PREFIX_EVICTED, (double) f.evicted);
  set (m, SERVE_F_VLLM_RUNNING, f.running);
  set (m, SERVE_F_VLLM_WAITING, f.waiting);
  set (m, SERVE_F_VLLM_KV_USAGE, f.kv_tokens > 0 ? (double) f.kv_used / (double) f.kv_tokens : 0);
  set (m, SERVE_F_VLLM_PREFIX_QUERIES, (double) f.prompt_tokens);
  set (m, SERVE_F_VLLM_PREFIX_HITS, (double) f.reused_tokens);
}

static void
watch_models (ServeMetrics *m, ServeModels *models)
{
  ServeModelsCounts c;

  serve_models_counts (models, &c);
  set (m, SERVE_F_MODEL_REVISIONS, c.revisions);
  set (m, SERVE_F_FILES_CHANGED, c.changed ? 1 : 0);
  set_one (m, SERVE_F_ADAPTER_LOADS, "loaded", (double) c.loaded);
  set_one (m, SERVE_F_ADAPTER_LOADS, "failed", (double) c.failed);
  set_one (m, SERVE_F_ADAPTER_LOADS, "unloaded", (double) c.unloaded);
  set_one (m, SERVE_F_ROLLBACKS, "asked", (double) c.rolled_back);
  set_one (m, SERVE_F_ROLLBACKS, "guard", (double) c.rolled_back_alone);
  set_one (m, SERVE_F_SHADOWS, "started", (double) c.shadow_started);
  set_one (m, SERVE_F_SHADOWS, "written", (double) c.shadow_written);
  set_one (m, SERVE_F_SHADOWS, "dropped", (double) c.shadow_dropped);
  set_one (m, SERVE_F_SHADOWS, "failed", (double) c.shadow_failed);
  serve_models_watch (models, m);
}

static void
watch_cache (ServeMetrics *m, ServeCache *cache)
{
  ServeCacheCounts c;

  serve_cache_counts (cache, &c);
  set (m, SERVE_F_CACHE_HITS, (double) c.hits);
  set (m, SERVE_F_CACHE_MISSES, (double) c.misses);
  set (m, SERVE_F_CACHE_SHARED, (double) c.shared);
  set (m, SERVE_F_CACHE_EVICTED, (double) c.evicted);
  set (m, SERVE_F_CACHE_EXPIRED, (double) c.expired);
  set (m, SERVE_F_CACHE_ENTRIES, (double) c.entries);
  set (m, SERVE_F_CACHE_BYTES, (double) c.bytes);
}

static void
watch_log (ServeMetrics *m, ServeAccessLog *log)
{
  ServeLinesCounts c;

  serve_access_counts (log, &c);
  set_one (m, SERVE_F_LOG_LINES, "written", (double) c.written);
  set_one (m, SERVE_F_LOG_LINES, "dropped", (double) c.dropped);
  set_one (m, SERVE_F_LOG_LINES, "failed", (double) c.failures);
}

void
serve_watch_figures (ServeMetrics *metrics, gpointer data)
{
  Serve *serve = data;
  ServeState state = serve_state (serve);

  set_one (metrics, SERVE_F_STATE, "loading", state == SERVE_LOADING ? 1 : 0);
  set_one (metrics, SERVE_F_STATE, "ready", state == SERVE_READY ? 1 : 0);
  set_one (metrics, SERVE_F_STATE, "draining", state == SERVE_DRAINING ? 1 : 0);
  set (metrics, SERVE_F_IN_FLIGHT, http_server_requests (serve->http));
  set (metrics, SERVE_F_CONNECTIONS, http_server_connections (serve->http));
  watch_cache (metrics, serve->cache);
  watch_log (metrics, serve->log);
  if (state == SERVE_LOADING)
    return;
  watch_scheduler (metrics, serve->scheduler);
  watch_models (metrics, serve->models);
}
