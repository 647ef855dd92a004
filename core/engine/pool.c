/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: who works when.
 *
 * `workers` tokens are shared by the threads of run stages and the pool that
 * serves map stages.  Whenever something changed, fri_pool_schedule() hands
 * free tokens to the most downstream stages that can use one.  A map stage can
 * when it has a batch to take, its outputs have room and not too many of its
 * batches are under way; so no worker ever waits inside a task.
 *
 * Results retire in the order of the input (stage.c): the worker that finishes
 * the oldest outstanding batch passes on all that are ready.
 */
#include "config.h"

#include "engine/engine-private.h"

typedef struct
{
  FriEngine *e;
  gpointer *locals; /* of each stage */
  gboolean *begun;
} Worker;

/* ---- what a map stage can do now --------------------------------------------- */

/* The edge a map stage reads, past those that have ended; NULL at the end. */
static FriEdge *
map_edge (FrHost *h)
{
  FriIn *in = g_ptr_array_index (h->ins, 0);

  while (in->current < in->edges->len)
    {
      FriEdge *edge = g_ptr_array_index (in->edges, in->current);

      if (!edge->dead && !(edge->closed && fri_edge_empty (edge)))
        return edge;
      in->current++;
    }
  return NULL;
}

static gboolean
has_room (FrHost *h)
{
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      for (guint k = 0; k < out->edges->len; k++)
        if (!fri_edge_room (g_ptr_array_index (out->edges, k)))
          return FALSE;
    }
  return TRUE;
}

/* Nobody wants what it makes any more. */
static gboolean
is_unwanted (FrHost *h)
{
  gboolean any = FALSE;

  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (out->keep || out->tapped)
        return FALSE;
      for (guint k = 0; k < out->edges->len; k++)
        {
          if (!((FriEdge *) g_ptr_array_index (out->edges, k))->dead)
            return FALSE;
          any = TRUE;
        }
    }
  return any;
}

static gboolean
is_serial (const FrElement *el)
{
  return !(el->flags & FR_ELEMENT_PARALLEL) || (el->flags & FR_ELEMENT_PROCESS_SERIAL);
}

static void
release_serial (FrHost *h)
{
  if (h->holds_serial)
    h->e->serial_taken = h->holds_serial = FALSE;
}

static gboolean
map_ready (FrHost *h)
{
  FriEngine *e = h->e;
  const FrElement *el = h->stage->element;
  FriEdge *edge;

  if (h->ended || h->ending || h->popping)
    return FALSE;
  if (is_unwanted (h))
    return h->in_flight == 0;
  edge = map_edge (h);
  if (edge == NULL)
    return h->in_flight == 0;
  if (fri_edge_empty (edge) || h->in_flight >= e->max_in_flight)
    return FALSE;
  if ((el->flags & FR_ELEMENT_PROCESS_SERIAL) && e->serial_taken)
    return FALSE;
  if (is_serial (el) && h->in_flight > 0)
    return FALSE;
  return has_room (h);
}

/* ---- tokens -------------------------------------------------------------------- */

/* What a stage is waiting for, if it is: a map stage has no thread to say so. */
FriStageState
fri_pool_state (FrHost *h)
{
  FriEdge *edge;

  if (h->ended || h->stage->element->run != NULL || h->phase != FRI_STAGE_RUNNING || h->running > 0)
    return h->phase;
  edge = map_edge (h);
  if (edge != NULL && fri_edge_empty (edge))
    return FRI_STAGE_BLOCKED_INPUT;
  return has_room (h) ? FRI_STAGE_RUNNING : FRI_STAGE_BLOCKED_OUTPUT;
}

void
fri_pool_account (FrHost *h, FriStageState now)
{
  gint64 t = g_get_monotonic_time ();

  if (h->since != 0)
    {
      if (h->phase == FRI_STAGE_BLOCKED_INPUT)
        h->wait_in_us += t - h->since;
      else if (h->phase == FRI_STAGE_BLOCKED_OUTPUT)
        h->wait_out_us += t - h->since;
      else if (h->phase == FRI_STAGE_RUNNING && h->stage->element->run != NULL)
        h->busy_us += t - h->since;
    }
  h->since = t;
  h->phase = now;
}

static gboolean
run_ready (FrHost *h)
{
  return h->wants_token
         && !((h->stage->element->flags & FR_ELEMENT_PROCESS_SERIAL) && h->e->serial_taken);
}

static void
grant (FriEngine *e, FrHost *h)
{
  gboolean ends = h->stage->element->run == NULL && (map_edge (h) == NULL || is_unwanted (h));

  e->tokens--;
  if (!ends && (h->stage->element->flags & FR_ELEMENT_PROCESS_SERIAL))
    e->serial_taken = h->holds_serial = TRUE;
  if (h->stage->element->run != NULL)
    {
      h->has_token = TRUE;
      h->wants_token = FALSE;
      g_cond_signal (&h->cond);
      return;
    }
  if (ends)
    h->ending = TRUE;
  else
    {
      h->popping = TRUE;
      h->in_flight++;
    }
  g_queue_push_tail (&e->grants, h);
  g_cond_signal (&e->pool_cond);
}

void
fri_pool_schedule (FriEngine *e)
{
  while (e->tokens > 0 && !e->stop)
    {
      FrHost *best = NULL;

      for (guint i = e->hosts->len; best == NULL && i-- > 0;)
        {
          FrHost *h = g_ptr_array_index (e->hosts, i);

          if (h->active && !h->ended
              && (h->stage->element->run != NULL ? run_ready (h) : map_ready (h)))
            best = h;
        }
      if (best == NULL)
        return;
      grant (e, best);
    }
}

void
fri_pool_wake (FriEngine *e, FrHost *h)
{
  if (h->stage->element->run != NULL)
    g_cond_signal (&h->cond);
  fri_pool_schedule (e);
}

static gboolean
needs_token (FrHost *h)
{
  return !(h->stage->element->flags & FR_ELEMENT_WAITS)
         || (h->stage->element->flags & FR_ELEMENT_PROCESS_SERIAL);
}

void
fri_pool_acquire (FrHost *h)
{
  FriEngine *e = h->e;

  if (needs_token (h) && !h->has_token)
    {
      h->wants_token = TRUE;
      fri_pool_schedule (e);
      while (!h->has_token && !e->stop)
        g_cond_wait (&h->cond, &e->lock);
      h->wants_token = FALSE;
    }
  fri_pool_account (h, FRI_STAGE_RUNNING);
}

void
fri_pool_release (FrHost *h)
{
  FriEngine *e = h->e;

  if (!h->has_token)
    return;
  h->has_token = FALSE;
  release_serial (h);
  e->tokens++;
  fri_pool_schedule (e);
}

/* ---- tasks ----------------------------------------------------------------------- */

static gboolean
begin_local (Worker *w, FrHost *h, GError **error)
{
  const FrElement *el = h->stage->element;

  if (w->begun[h->rank] || el->thread_begin == NULL)
    return TRUE;
  if (!el->thread_begin (h, h->state, &w->locals[h->rank], error))
    return FALSE;
  w->begun[h->rank] = TRUE;
  return TRUE;
}

static void
do_map (Worker *w, FriTask *task, FrBatch *batch)
{
  FrHost *h = task->host;
  const FrRowId *ids = fr_batch_ids (batch);
  FrFlow flow;

  task->first = ids[0];
  task->last = ids[fr_batch_n_rows (batch) - 1];
  if (fri_samples_compares (h))
    task->input = fr_batch_ref (batch);
  fri_task_enter (task);
  if (!begin_local (w, h, &task->error))
    {
      flow = FR_FLOW_ERROR;
      fr_batch_unref (batch);
    }
  else
    flow = h->stage->element->map (h, h->state, w->locals[h->rank], batch, &task->error);
  fri_task_enter (NULL);
  if (task->error == NULL && flow == FR_FLOW_ERROR)
    g_set_error (&task->error, FR_ERROR, FR_ERROR_INTERNAL, "map failed without saying why");
  if (task->error == NULL && flow == FR_FLOW_CANCELLED && !fr_host_is_cancelled (h))
    g_set_error (&task->error, FR_ERROR, FR_ERROR_INTERNAL,
                 "map says that the run was cancelled, but it was not");
  if (task->error != NULL && flow != FR_FLOW_ERROR && flow != FR_FLOW_CANCELLED)
    g_prefix_error (&task->error, "map set an error and did not return it: ");
}

/* One batch through one map stage; enters and leaves with the lock held. */
static void
serve_map (Worker *w, FrHost *h)
{
  FriEngine *e = w->e;
  FriIn *in = g_ptr_array_index (h->ins, 0);
  FriEdge *edge = map_edge (h);
  FriTask *task = fri_task_new (h);
  FrBatch *batch = NULL;
  FrFlow flow = FRI_EDGE_WAIT;
  gint64 start;

  if (edge != NULL)
    flow = fri_edge_take (e, edge, &batch, &task->error);
  h->popping = FALSE;
  if (flow == FRI_EDGE_WAIT || flow == FR_FLOW_DONE)
    {
      /* A kept output came to its end, or the rows were buried meanwhile. */
      h->in_flight--;
      release_serial (h);
      fri_task_free (task);
      return;
    }
  task->seq = h->next_seq++;
  if (batch != NULL)
    {
      in->rows += fr_batch_n_rows (batch);
      in->bytes += fr_batch_bytes (batch);
    }
  if (h->phase != FRI_STAGE_RUNNING)
    fri_pool_account (h, FRI_STAGE_RUNNING);
  h->running++;
  fri_pool_schedule (e);
  g_mutex_unlock (&e->lock);

  start = g_get_monotonic_time ();
  if (batch != NULL)
    do_map (w, task, batch);

  g_mutex_lock (&e->lock);
  h->busy_us += g_get_monotonic_time () - start;
  h->running--;
  release_serial (h);
  h->done[task->seq % e->max_in_flight] = task;
  fri_stage_retire (e, h);
}

static void
serve (Worker *w, FrHost *h)
{
  FriEngine *e = w->e;

  if (h->ending)
    {
      g_mutex_unlock (&e->lock);
      fri_stage_end (h);
      g_mutex_lock (&e->lock);
    }
  else
    serve_map (w, h);
  e->tokens++;
  fri_pool_schedule (e);
}

static gpointer
worker_thread (gpointer data)
{
  Worker *w = data;
  FriEngine *e = w->e;

  g_mutex_lock (&e->lock);
  while (!e->pool_quit && !e->stop)
    {
      FrHost *h = g_queue_pop_head (&e->grants);

      if (h != NULL)
        serve (w, h);
      else
        g_cond_wait (&e->pool_cond, &e->lock);
    }
  g_mutex_unlock (&e->lock);
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (w->begun[i] && h->stage->element->thread_end != NULL)
        h->stage->element->thread_end (h->state, w->locals[i]);
    }
  g_mutex_lock (&e->lock);
  e->alive--;
  g_cond_signal (&e->main_cond);
  g_mutex_unlock (&e->lock);
  g_free (w->locals);
  g_free (w->begun);
  g_free (w);
  return NULL;
}

void
fri_pool_start (FriEngine *e)
{
  guint n_map = 0;

  g_mutex_lock (&e->lock);
  e->tokens = e->workers;
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (!h->active)
        continue;
      e->unfinished++;
      n_map += h->stage->element->map != NULL;
      h->since = g_get_monotonic_time ();
      if (h->stage->element->map != NULL)
        continue;
      e->alive++;
      h->thread = g_thread_new (h->stage->id, fri_stage_thread, h);
    }
  for (guint i = 0; n_map > 0 && i < e->workers; i++)
    {
      Worker *w = g_new0 (Worker, 1);

      w->e = e;
      w->locals = g_new0 (gpointer, e->hosts->len);
      w->begun = g_new0 (gboolean, e->hosts->len);
      e->alive++;
      g_ptr_array_add (e->workers_threads, g_thread_new ("worker", worker_thread, w));
    }
  fri_pool_schedule (e);
  g_mutex_unlock (&e->lock);
}
