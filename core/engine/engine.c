/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: one run from its plan to its manifest.
 *
 *   bind → lock the run directory → plan → open in order → work → finish all
 *   → put records, lineage, rejects in place → manifest → close in reverse
 *
 * The thread that calls fri_run() opens, finishes and closes every stage and
 * is the ticker in between: all listeners hear from it alone.
 */
#include "config.h"

#include "engine/engine-private.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define TICK_US 100000
#define WATCHDOG_US (30 * G_USEC_PER_SEC)

/* ---- stopping ------------------------------------------------------------------- */

static void
wake_all (FriEngine *e)
{
  for (guint i = 0; i < e->hosts->len; i++)
    g_cond_broadcast (&((FrHost *) g_ptr_array_index (e->hosts, i))->cond);
  g_cond_broadcast (&e->pool_cond);
  g_cond_broadcast (&e->main_cond);
}

void
fri_engine_stop (FriEngine *e)
{
  g_mutex_lock (&e->lock);
  e->stop = TRUE;
  wake_all (e);
  g_mutex_unlock (&e->lock);
  /* Outside the lock: handlers of this are elements' code. */
  g_cancellable_cancel (e->cancellable);
  g_cancellable_cancel (e->ending);
}

static void
name_stage (FrHost *h, const FriTask *task, GError **error)
{
  g_autofree char *rows = NULL;

  if (task != NULL && task->first.source < h->e->n_sources)
    rows = g_strdup_printf (", rows %s:%" G_GUINT64_FORMAT " to %s:%" G_GUINT64_FORMAT,
                            h->e->sources[task->first.source], task->first.position,
                            h->e->sources[MIN (task->last.source, h->e->n_sources - 1)],
                            task->last.position);
  g_prefix_error (error, "stage '%s' (%s)%s: ", h->stage->id, h->stage->element->name,
                  rows != NULL ? rows : "");
}

void
fri_engine_fail (FriEngine *e, FrHost *h, const FriTask *task, GError *error)
{
  gboolean first;

  g_mutex_lock (&e->lock);
  /* What breaks because the run is being stopped is no news. */
  first = e->error == NULL && !e->stop;
  if (first)
    {
      name_stage (h, task, &error);
      e->error = error;
      h->phase = FRI_STAGE_FAILED;
    }
  g_mutex_unlock (&e->lock);
  if (!first)
    g_error_free (error);
  fri_engine_stop (e);
}

/* Whether all that is left of the run is stages that last until they are told to stop. */
static gboolean
only_serves (FriEngine *e)
{
  gboolean only;
  guint n = 0;

  g_mutex_lock (&e->lock);
  for (guint i = 0; i < e->hosts->len; i++)
    n += ((FrHost *) g_ptr_array_index (e->hosts, i))->serving ? 1 : 0;
  only = n > 0 && n == e->unfinished;
  g_mutex_unlock (&e->lock);
  return only;
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  FriEngine *e = data;

  (void) cancellable;
  if (only_serves (e))
    g_cancellable_cancel (e->ending);
  else
    fri_engine_stop (e);
}

/* ---- telling -------------------------------------------------------------------- */

static void
fill_stats (FrHost *h, FriStageStats *s)
{
  s->id = h->stage->id;
  s->element = h->stage->element->name;
  s->state = h->active ? fri_pool_state (h) : FRI_STAGE_REUSED;
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      s->bytes_out += out->bytes;
      if (out != h->rejects)
        s->rows_out += out->rows;
    }
  for (guint i = 0; i < h->ins->len; i++)
    {
      FriIn *in = g_ptr_array_index (h->ins, i);

      s->rows_in += in->rows;
      s->bytes_in += in->bytes;
      for (guint k = 0; k < in->edges->len; k++)
        {
          FriEdge *edge = g_ptr_array_index (in->edges, k);

          s->queued_batches += g_queue_get_length (&edge->queue) + (guint) edge->unread;
          s->queued_bytes += edge->bytes;
        }
    }
  s->rejects = h->n_rejects;
  s->done = h->progress_done;
  s->total = h->progress_total;
  s->unit = h->progress_unit;
  s->status = h->status != NULL ? g_ref_string_acquire (h->status) : NULL;
  s->busy_us = h->busy_us;
  s->wait_in_us = h->wait_in_us;
  s->wait_out_us = h->wait_out_us;
}

static void
tell_stats (FriEngine *e, FriEventType type, int status)
{
  g_autofree FriStageStats *stats = g_new0 (FriStageStats, e->hosts->len);
  FriEvent event = { .type = type, .stats = stats, .status = status };

  g_mutex_lock (&e->lock);
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->in_scope)
        fill_stats (h, &stats[event.n_stats++]);
    }
  g_mutex_unlock (&e->lock);
  fri_events_tell (e->events, &event);
  for (guint i = 0; i < event.n_stats; i++)
    if (stats[i].status != NULL)
      g_ref_string_release ((char *) stats[i].status);
}

static void
describe_blocked (FrHost *h, GString *text)
{
  FriStageState state = fri_pool_state (h);
  const char *id = h->stage->id;

  if (h->ended)
    return;
  g_string_append_printf (text, "%s'%s' is ", text->len > 0 ? "; " : "", id);
  if (h->waiting != NULL)
    g_string_append_printf (text, "waiting for %s at '%s'",
                            h->waiting->in->port->kind == FR_PORT_RECORDS ? "rows" : "an object",
                            h->waiting->in->port->name);
  else if (h->blocked != NULL)
    g_string_append_printf (text, "blocked on its output '%s'", h->blocked->name);
  else if (h->wants_token)
    g_string_append (text, "waiting for a worker");
  else if (state == FRI_STAGE_RUNNING)
    g_string_append (text, "inside its element");
  else
    g_string_append (text, fri_stage_state_name (state));
}

static void
watch (FriEngine *e, guint64 *moves, gint64 *since)
{
  gint64 now = g_get_monotonic_time ();
  gint64 limit = e->options->watchdog_us > 0 ? e->options->watchdog_us : WATCHDOG_US;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *message = NULL;

  g_mutex_lock (&e->lock);
  if (*moves == e->moves && now - *since >= limit)
    for (guint i = 0; i < e->hosts->len; i++)
      {
        FrHost *h = g_ptr_array_index (e->hosts, i);

        if (h->active)
          describe_blocked (h, text);
      }
  if (*moves != e->moves || text->len > 0)
    {
      *moves = e->moves;
      *since = now;
    }
  g_mutex_unlock (&e->lock);
  if (text->len == 0)
    return;
  message = g_strdup_printf ("nothing has moved for %.0f s: %s", (double) limit / G_USEC_PER_SEC,
                             text->str);
  fri_events_log (e->events, FRI_LOG_WARNING, NULL, message);
}

/* ---- work --------------------------------------------------------------------------- */

static void
tick_until (FriEngine *e, gboolean (*over) (FriEngine *))
{
  guint64 moves = 0;
  gint64 since = g_get_monotonic_time (), told = since;

  for (;;)
    {
      gboolean done;

      g_mutex_lock (&e->lock);
      if (!over (e))
        g_cond_wait_until (&e->main_cond, &e->lock, told + TICK_US);
      done = over (e);
      g_mutex_unlock (&e->lock);
      if (done)
        break;
      if (g_get_monotonic_time () < told + TICK_US)
        continue;
      watch (e, &moves, &since);
      tell_stats (e, FRI_EVENT_TICK, 0);
      told = g_get_monotonic_time ();
    }
  fri_events_pump (e->events);
}

static gboolean
work_is_over (FriEngine *e)
{
  return e->stop || e->unfinished == 0;
}

static gboolean
threads_are_gone (FriEngine *e)
{
  return e->alive == 0;
}

static void
work (FriEngine *e)
{
  fri_pool_start (e);
  tick_until (e, work_is_over);
  g_mutex_lock (&e->lock);
  e->pool_quit = TRUE;
  g_cond_broadcast (&e->pool_cond);
  g_mutex_unlock (&e->lock);
  tick_until (e, threads_are_gone);
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->thread != NULL)
        g_thread_join (g_steal_pointer (&h->thread));
    }
  for (guint i = 0; i < e->workers_threads->len; i++)
    g_thread_join (g_ptr_array_index (e->workers_threads, i));
  g_ptr_array_set_size (e->workers_threads, 0);
}

static gboolean
open_all (FriEngine *e)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      GError *error = NULL;

      if (!h->active)
        continue;
      if (g_cancellable_is_cancelled (e->cancellable))
        return FALSE;
      if (!fri_stage_open (h, &error))
        {
          fri_engine_fail (e, h, NULL, error);
          return FALSE;
        }
      fri_events_pump (e->events);
    }
  return TRUE;
}

static void
tell_state (FriEngine *e, FrHost *h, FriStageState state)
{
  FriEvent event = { .type = FRI_EVENT_STAGE, .stage = h->stage->id, .state = state };

  fri_events_queue (e->events, &event);
}

static void
close_all (FriEngine *e)
{
  for (guint i = e->hosts->len; i-- > 0;)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      gboolean opened = h->opened;

      fri_stage_close (h);
      if (h->active && e->stop && h->phase == FRI_STAGE_FAILED)
        tell_state (e, h, FRI_STAGE_FAILED);
      else if (opened && e->stop && h->phase != FRI_STAGE_DONE)
        {
          h->phase = FRI_STAGE_CANCELLED;
          tell_state (e, h, FRI_STAGE_CANCELLED);
        }
    }
}

/* ---- results in place ------------------------------------------------------------------ */

static gboolean
finish_all (FriEngine *e)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      GError *error = NULL;

      if (!h->active)
        continue;
      if (!fri_stage_finish (h, &error) || !fri_record_save (h, &error))
        {
          fri_engine_fail (e, h, NULL, error);
          return FALSE;
        }
      fri_events_pump (e->events);
    }
  return TRUE;
}

static gboolean
recover (FriEngine *e, GError **error)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      g_autofree char *to = NULL;
      g_autofree char *path = NULL;
      g_autoptr (JsonNode) node = NULL;

      if (h->active || !h->in_scope)
        continue;
      to = fri_rundir_stage (e->dir, h->stage->id, error);
      if (to == NULL)
        return FALSE;
      if (h->old_dir != NULL)
        {
          if (!fri_link_tree (h->old_dir, to, NULL, error))
            return FALSE;
          continue;
        }
      path = g_build_filename (to, "record.json", NULL);
      node = json_node_init_object (json_node_alloc (), h->old);
      if (!fri_rundir_recover (e->dir, h->stage->id, error)
          || !fri_json_save (path, node, FALSE, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
install (FriEngine *e, GError **error)
{
  g_autoptr (GPtrArray) mine = g_ptr_array_new (), known = g_ptr_array_new ();

  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      g_ptr_array_add (known, h->stage->id);
      if (h->in_scope)
        g_ptr_array_add (mine, h->stage->id);
      if (h->active && !fri_record_keep (h, TRUE, error))
        return FALSE;
    }
  g_ptr_array_add (mine, NULL);
  g_ptr_array_add (known, NULL);
  return fri_rundir_install (e->dir, (char **) mine->pdata, (char **) known->pdata, error);
}

static FriExit
check_limits (FriEngine *e, GError **error)
{
  FriExit status = FRI_EXIT_OK;

  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      g_autofree char *limit = h->in_scope ? fri_record_limit (h) : NULL;

      if (limit == NULL)
        continue;
      if (status == FRI_EXIT_OK)
        g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA, limit);
      else
        fri_events_log (e->events, FRI_LOG_WARNING, NULL, limit);
      status = FRI_EXIT_LIMIT;
    }
  return status;
}

/* From here on cancelling comes too late: every sink puts its file in place. */
static FriExit
commit (FriEngine *e, GError **error)
{
  FriExit status;
  g_autoptr (GError) limit = NULL;

  if (e->options->ephemeral)
    {
      if (!finish_all (e))
        return FRI_EXIT_FAILED;
      return FRI_EXIT_OK;
    }
  if (!fri_rundir_begin_commit (e->dir, error) || !finish_all (e) || !install (e, error))
    return FRI_EXIT_FAILED;
  status = check_limits (e, &limit);
  if (!fri_summary_write (e, status, error) || !fri_rundir_end_commit (e->dir, error)
      || !fri_state_save (e, error))
    return FRI_EXIT_FAILED;
  fri_record_clean (e);
  if (limit != NULL)
    g_propagate_error (error, g_steal_pointer (&limit));
  return status;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static guint64
default_memory (void)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);

  return pages > 0 && size > 0 ? (guint64) pages * (guint64) size / 4 : 512 * 1024 * 1024;
}

/* How bad it is that the pipeline was not bound: when all that is wrong is that
 * servers are not there now, the pipeline is right and the run has failed. */
static FriExit
judge_bind (FriPipeline *pipeline, FrProblems *problems, GCancellable *cancellable, FrError *code)
{
  guint passing = 0;

  for (guint i = 0; i < pipeline->stages->len; i++)
    passing += ((FriStage *) pipeline->stages->pdata[i])->bind_error == FR_ERROR_TRANSIENT;
  *code = FR_ERROR_CONFIG;
  if (g_cancellable_is_cancelled (cancellable))
    {
      *code = FR_ERROR_CANCELLED;
      return FRI_EXIT_INTERRUPTED;
    }
  if (passing == 0 || fri_problems_n_errors (problems) > passing)
    return FRI_EXIT_USAGE;
  *code = FR_ERROR_IO;
  return FRI_EXIT_FAILED;
}

static FriExit
bind (FriPipeline *pipeline, const FriRunOptions *options, GError **error)
{
  FrProblems *problems = fri_problems_new (pipeline->path);
  FriExit status = FRI_EXIT_OK;

  for (guint i = 0; i < pipeline->stages->len; i++)
    ((FriStage *) pipeline->stages->pdata[i])->network_denied |= options->deny_network;
  if (!fri_pipeline_bind (pipeline, FALSE, problems))
    {
      g_autofree char *text = fri_problems_text (problems);
      FrError code;

      status = judge_bind (pipeline, problems, options->cancellable, &code);
      g_set_error_literal (error, FR_ERROR, code,
                           code == FR_ERROR_CANCELLED ? "the run was cancelled"
                                                      : g_strchomp (text));
    }
  fri_problems_free (problems);
  return status;
}

static gboolean
check_network (FriEngine *e, GError **error)
{
  for (guint i = 0; e->options->deny_network && i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->in_scope && (h->stage->element->flags & FR_ELEMENT_NETWORK))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "stage '%s' (%s) uses the network, which --deny network forbids",
                       h->stage->id, h->stage->element->name);
          return FALSE;
        }
    }
  return TRUE;
}

static void
tell_reused (FriEngine *e)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->in_scope && !h->active)
        tell_state (e, h, FRI_STAGE_REUSED);
    }
}

static FriExit
run_active (FriEngine *e, GError **error)
{
  gulong handler = 0;
  FriExit status = FRI_EXIT_FAILED;
  gboolean worked, interrupted;

  if (e->options->cancellable != NULL)
    handler = g_cancellable_connect (e->options->cancellable, G_CALLBACK (on_cancelled), e, NULL);
  if (open_all (e))
    work (e);
  if (handler != 0)
    g_cancellable_disconnect (e->options->cancellable, handler);
  worked = e->error == NULL && (!e->stop || e->enough);
  interrupted = e->error == NULL && e->stop && !e->enough;
  if (worked && !e->enough)
    status = commit (e, error);
  else if (worked)
    status = FRI_EXIT_OK;
  else if (interrupted)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "the run was cancelled");
      status = FRI_EXIT_INTERRUPTED;
    }
  if (status == FRI_EXIT_OK)
    fri_forecast_tell (e);
  close_all (e);
  if (e->error != NULL)
    {
      status = g_error_matches (e->error, FR_ERROR, FR_ERROR_CONFIG) ? FRI_EXIT_USAGE
                                                                     : FRI_EXIT_FAILED;
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&e->error));
    }
  return status;
}

static FriExit
plan_and_run (FriEngine *e, GError **error)
{
  FriEvent start = { .type = FRI_EVENT_RUN_START, .text = e->pipeline->name };

  if (!fri_graph_make (e, error) || !fri_state_load (e, error) || !fri_plan (e, error)
      || !check_network (e, error) || !recover (e, error) || !fri_graph_connect (e, error))
    return error != NULL && g_error_matches (*error, FR_ERROR, FR_ERROR_CONFIG) ? FRI_EXIT_USAGE
                                                                                : FRI_EXIT_FAILED;
  fri_events_tell (e->events, &start);
  e->begun = TRUE;
  tell_reused (e);
  if (!fri_plan_unchanged (e))
    return run_active (e, error);
  fri_events_log (e->events, FRI_LOG_INFO, NULL,
                  "nothing has changed since the last run; its results stand");
  return check_limits (e, error);
}

static void
engine_clear (FriEngine *e)
{
  fri_graph_free (e);
  g_ptr_array_unref (e->hosts);
  g_ptr_array_unref (e->workers_threads);
  g_queue_clear (&e->grants);
  g_clear_pointer (&e->manifest_before, json_object_unref);
  g_clear_pointer (&e->report_before, json_object_unref);
  g_clear_pointer (&e->samples_before, json_object_unref);
  g_clear_pointer (&e->states, json_object_unref);
  g_clear_pointer (&e->events, fri_events_free);
  g_clear_object (&e->cancellable);
  g_clear_object (&e->ending);
  fri_rundir_close (e->dir);
  g_mutex_clear (&e->lock);
  g_mutex_clear (&e->load_lock);
  g_cond_clear (&e->pool_cond);
  g_cond_clear (&e->main_cond);
}

static void
engine_init (FriEngine *e, FriPipeline *pipeline, const FriRunOptions *options)
{
  g_mutex_init (&e->lock);
  g_mutex_init (&e->load_lock);
  g_cond_init (&e->pool_cond);
  g_cond_init (&e->main_cond);
  g_queue_init (&e->grants);
  e->options = options;
  e->pipeline = pipeline;
  e->hosts = g_ptr_array_new ();
  e->workers_threads = g_ptr_array_new ();
  e->cancellable = g_cancellable_new ();
  e->ending = g_cancellable_new ();
  e->workers = options->workers > 0    ? options->workers
               : pipeline->workers > 0 ? pipeline->workers
                                       : g_get_num_processors ();
  e->max_in_flight = e->workers + 2;
  e->memory = options->memory > 0    ? options->memory
              : pipeline->memory > 0 ? pipeline->memory
                                     : default_memory ();
  e->start_us = g_get_monotonic_time ();
  e->started_at = g_get_real_time ();
#ifdef FR_DEBUG
  e->validate = TRUE;
#else
  e->validate = options->validate;
#endif
}

static FriExit
run (FriPipeline *pipeline, const FriRunOptions *options, GError **error)
{
  FriEngine e = { 0 };
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = NULL;
  g_autofree char *log = NULL;
  FriExit status;

  status = bind (pipeline, options, error);
  if (status != FRI_EXIT_OK)
    return status;
  engine_init (&e, pipeline, options);
  if (!options->ephemeral && !options->no_record)
    dir = options->run_dir != NULL ? g_strdup (options->run_dir) : fri_run_default_dir (pipeline);
  e.dir = fri_rundir_open (dir, &failure);
  if (e.dir != NULL)
    {
      log = options->ephemeral ? NULL : g_build_filename (e.dir->dir, "log.jsonl", NULL);
      e.events = fri_events_new (log, options->listener, options->listener_data);
      status = plan_and_run (&e, &failure);
      /* Whatever makes the status is an error in the log; the caller shows it at the end. */
      if (failure != NULL)
        fri_events_log (e.events, FRI_LOG_ERROR, NULL, failure->message);
      tell_stats (&e, FRI_EVENT_RUN_END, status);
      if (e.begun && !e.dir->ephemeral)
        fri_summary_page (&e, status, failure);
    }
  else
    status = FRI_EXIT_FAILED;
  engine_clear (&e);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return status;
}

/* bind and fingerprint have no host, but may have to wait for a server. */
FriExit
fri_run (FriPipeline *pipeline, const FriRunOptions *options, GError **error)
{
  FriExit status;

  if (options->cancellable != NULL)
    g_cancellable_push_current (options->cancellable);
  status = run (pipeline, options, error);
  if (options->cancellable != NULL)
    g_cancellable_pop_current (options->cancellable);
  return status;
}

char *
fri_run_default_dir (const FriPipeline *pipeline)
{
  return g_build_filename ("runs", pipeline->name != NULL ? pipeline->name : "pipeline", NULL);
}
