/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.c: a scheduler's life, and all that any thread may call. */
#include "config.h"

#include <math.h>

#include "lm/scheduler/scheduler-private.h"

#define DEFAULT_RUNNING 16
#define DEFAULT_CHUNK 512
#define LONGEST_RETRY 3600.0 /* seconds that are worth telling */

/* ---- room ------------------------------------------------------------------------------------ */

gsize
lm_kv_tokens (LmDecoder *decoder, guint64 bytes)
{
  return (gsize) (bytes / lm_cache_token_bytes (decoder));
}

guint64
lm_kv_bytes (LmDecoder *decoder, gsize tokens)
{
  return (guint64) tokens * lm_cache_token_bytes (decoder);
}

/* ---- life ------------------------------------------------------------------------------------ */

static gboolean
choose_options (LmScheduler *s, const LmSchedulerOptions *given, GError **error)
{
  gsize most = lm_model_config (lm_decoder_model (s->decoder))->max_position;
  LmSchedulerOptions *o = &s->options;

  if (given != NULL)
    *o = *given;
  o->max_running = o->max_running > 0 ? o->max_running : DEFAULT_RUNNING;
  o->context = o->context > 0 ? MIN (o->context, most) : most;
  if (o->kv_tokens == 0 && !g_size_checked_mul (&o->kv_tokens, o->max_running, o->context))
    o->kv_tokens = G_MAXSIZE;
  o->context = MIN (o->context, o->kv_tokens);
  o->chunk = MAX (o->chunk > 0 ? o->chunk : DEFAULT_CHUNK, o->max_running);
  if (o->stall >= 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "a pass cannot last %" G_GINT64_FORMAT " microseconds", o->stall);
  return FALSE;
}

LmScheduler *
lm_scheduler_new (LmDecoder *decoder, LmTokenizer *tokenizer, const LmSchedulerOptions *options,
                  GError **error)
{
  g_autoptr (LmScheduler) s = g_new0 (LmScheduler, 1);

  s->decoder = decoder;
  s->tokenizer = lm_tokenizer_ref (tokenizer);
  s->n_vocab = lm_model_config (lm_decoder_model (decoder))->vocab_size;
  g_mutex_init (&s->lock);
  g_mutex_init (&s->engine);
  g_cond_init (&s->changed);
  s->tasks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, NULL);
  s->adapters = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  lm_waiting_init (&s->waiting);
  s->running = g_ptr_array_new ();
  lm_prefixes_init (&s->prefixes, NULL);
  if (!choose_options (s, options, error))
    return NULL;
  s->cache = lm_cache_new (decoder, s->options.kv_tokens, s->options.context, error);
  if (s->cache == NULL)
    return NULL;
  s->prefixes.cache = s->cache;
  s->figures.kv_tokens = s->options.kv_tokens;
  s->feeds = g_new0 (LmFeed, s->options.max_running);
  s->fed = g_new0 (LmTask *, s->options.max_running);
  s->logits = g_new (float, s->options.max_running * s->n_vocab);
  return g_steal_pointer (&s);
}

/* Ends everything; callbacks may call, but nothing is taken any more. */
static void
end_all (LmScheduler *s)
{
  LmTask *task;

  lm_scheduler_close (s);
  while (s->running->len > 0)
    lm_scheduler_end_task (s, g_ptr_array_steal_index (s->running, 0), LM_STOP_CANCELLED, NULL);
  for (;;)
    {
      g_mutex_lock (&s->lock);
      task = lm_waiting_pop (&s->waiting);
      g_mutex_unlock (&s->lock);
      if (task == NULL)
        return;
      lm_scheduler_end_task (s, task, LM_STOP_CANCELLED, NULL);
    }
}

static void
release_adapters (LmScheduler *s)
{
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, s->adapters);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    lm_decoder_release_adapter (s->decoder, GPOINTER_TO_UINT (id));
}

void
lm_scheduler_free (LmScheduler *s)
{
  if (s == NULL)
    return;
  end_all (s);
  release_adapters (s);
  lm_prefixes_clear (&s->prefixes);
  g_clear_pointer (&s->cache, lm_cache_free);
  g_ptr_array_unref (s->running);
  lm_waiting_clear (&s->waiting);
  g_hash_table_unref (s->tasks);
  g_hash_table_unref (s->adapters);
  lm_tokenizer_unref (s->tokenizer);
  g_mutex_clear (&s->lock);
  g_mutex_clear (&s->engine);
  g_cond_clear (&s->changed);
  g_free (s->feeds);
  g_free (s->fed);
  g_free (s->logits);
  g_free (s);
}

const LmSchedulerOptions *
lm_scheduler_options (LmScheduler *s)
{
  return &s->options;
}

/* ---- submit ---------------------------------------------------------------------------------- */

static gboolean
check_settings (const LmSampling *s, GError **error)
{
  double numbers[]
      = { s->temperature,      s->top_p, s->min_p, s->repetition_penalty, s->presence_penalty,
          s->frequency_penalty };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!isfinite (numbers[i]) || (i < 4 && numbers[i] < 0))
      {
        g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%g is no setting of sampling", numbers[i]);
        return FALSE;
      }
  for (guint i = 0; s->bias != NULL && i < s->bias->len; i++)
    if (!isfinite (g_array_index (s->bias, LmBias, i).bias))
      {
        g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA, "a bias is not finite");
        return FALSE;
      }
  return TRUE;
}

static LmSubmit
check_request (const LmScheduler *s, const LmRequest *r, GError **error)
{
  if (r->n_prompt == 0)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA, "the prompt has no tokens");
      return LM_SUBMIT_INVALID;
    }
  if (r->n_prompt > s->options.context)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "the prompt has %" G_GSIZE_FORMAT " tokens, and %" G_GSIZE_FORMAT
                   " fit with the answer",
                   r->n_prompt, s->options.context);
      return LM_SUBMIT_TOO_LONG;
    }
  for (gsize i = 0; i < r->n_prompt; i++)
    if (r->prompt[i] < 0 || (gsize) r->prompt[i] >= s->n_vocab)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_DATA, "token %d is not in 0 … %" G_GSIZE_FORMAT,
                     r->prompt[i], s->n_vocab - 1);
        return LM_SUBMIT_INVALID;
      }
  return check_settings (r->sampling, error) ? LM_SUBMIT_OK : LM_SUBMIT_INVALID;
}

/* Seconds until @n requests have left. */
static double
time_to_leave (const LmScheduler *s, double n)
{
  return CLAMP (ceil (s->interval * n * 1e-6), 1, LONGEST_RETRY);
}

/* Whether @n requests with @n_tokens more fit the limits; those who find a place at once do not
 * wait. */
static gboolean
has_place (const LmScheduler *s, gsize n, gsize n_tokens, double *retry_after, GError **error)
{
  const LmSchedulerOptions *o = &s->options;
  gsize places = o->max_running - s->figures.running, waiting = s->waiting.n;
  gsize limit = o->max_waiting + places, token_limit = o->max_waiting_tokens;
  double over = 0;

  if (o->max_waiting > 0 && waiting + n > limit)
    over = (double) (waiting + n - limit);
  if (token_limit > 0 && waiting > 0 && s->waiting.n_tokens + n_tokens > token_limit)
    over = MAX (over, (double) (s->waiting.n_tokens + n_tokens - token_limit)
                          / ((double) s->waiting.n_tokens / (double) waiting));
  if (over == 0)
    return TRUE;
  over = time_to_leave (s, over);
  if (retry_after != NULL)
    *retry_after = over;
  g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT,
               "%" G_GSIZE_FORMAT " requests with %" G_GSIZE_FORMAT
               " tokens wait already, which leaves no room for %" G_GSIZE_FORMAT
               " with %" G_GSIZE_FORMAT "; come again in about %.0f s",
               waiting, s->waiting.n_tokens, n, n_tokens, over);
  return FALSE;
}

static gboolean
has_adapter (const LmScheduler *s, guint id)
{
  const LmAdapterUse *use = g_hash_table_lookup (s->adapters, GUINT_TO_POINTER (id));

  return id == LM_ADAPTER_OWN || id == LM_ADAPTER_NONE || (use != NULL && !use->removed);
}

/* With `lock`. */
static LmSubmit
check_state (const LmScheduler *s, const LmRequest *requests, gsize n, double *retry_after,
             GError **error)
{
  gsize n_tokens = 0;

  if (s->closed)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_TRANSIENT,
                           "nothing is taken any more: the end is near");
      return LM_SUBMIT_CLOSED;
    }
  for (gsize i = 0; i < n; i++)
    {
      n_tokens += requests[i].n_prompt;
      if (has_adapter (s, requests[i].adapter))
        continue;
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "there is no adapter %u", requests[i].adapter);
      return LM_SUBMIT_NO_ADAPTER;
    }
  return has_place (s, n, n_tokens, retry_after, error) ? LM_SUBMIT_OK : LM_SUBMIT_FULL;
}

/* With `lock`. */
static void
take (LmScheduler *s, LmTask *task)
{
  LmAdapterUse *use = g_hash_table_lookup (s->adapters, GUINT_TO_POINTER (task->request.adapter));

  task->id = ++s->last_id;
  if (use != NULL)
    use->tasks++;
  g_hash_table_insert (s->tasks, &task->id, task);
  lm_waiting_push (&s->waiting, task);
  s->figures.taken++;
}

static void
free_tasks (LmTask **tasks, gsize n)
{
  for (gsize i = 0; i < n; i++)
    lm_task_free (tasks[i]);
}

LmSubmit
lm_scheduler_submit (LmScheduler *s, const LmRequest *requests, gsize n, guint64 *ids,
                     double *retry_after, GError **error)
{
  g_autofree LmTask **tasks = g_new0 (LmTask *, n + 1);
  LmSubmit result = LM_SUBMIT_OK;

  for (gsize i = 0; i < n && result == LM_SUBMIT_OK; i++)
    result = check_request (s, &requests[i], error);
  if (result == LM_SUBMIT_OK)
    for (gsize i = 0; i < n; i++)
      tasks[i] = lm_task_new (&requests[i], s->tokenizer, s->options.context);
  g_mutex_lock (&s->lock);
  if (result == LM_SUBMIT_OK
      && (result = check_state (s, requests, n, retry_after, error)) == LM_SUBMIT_OK)
    for (gsize i = 0; i < n; i++)
      {
        take (s, tasks[i]);
        if (ids != NULL)
          ids[i] = tasks[i]->id;
        tasks[i] = NULL;
      }
  else
    s->figures.refused += n;
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (&s->lock);
  if (result != LM_SUBMIT_OK && n > 0 && tasks[0] != NULL)
    free_tasks (tasks, n);
  return result;
}

gboolean
lm_scheduler_cancel (LmScheduler *s, guint64 id)
{
  LmTask *task;

  g_mutex_lock (&s->lock);
  task = g_hash_table_lookup (s->tasks, &id);
  if (task != NULL)
    g_atomic_int_set (&task->cancelled, TRUE);
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (&s->lock);
  return task != NULL;
}

void
lm_scheduler_cancel_all (LmScheduler *s)
{
  GHashTableIter iter;
  gpointer task;

  g_mutex_lock (&s->lock);
  g_hash_table_iter_init (&iter, s->tasks);
  while (g_hash_table_iter_next (&iter, NULL, &task))
    g_atomic_int_set (&((LmTask *) task)->cancelled, TRUE);
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (&s->lock);
}

void
lm_scheduler_close (LmScheduler *s)
{
  g_mutex_lock (&s->lock);
  s->closed = TRUE;
  g_mutex_unlock (&s->lock);
}

/* ---- the end of a task ----------------------------------------------------------------------- */

/* Its rows stay for their leading tokens, unless they may be wrong. */
static void
leave_region (LmScheduler *s, LmTask *task, LmStop why)
{
  if (task->region == LM_NO_REGION)
    return;
  if (s->options.no_reuse || why == LM_STOP_ERROR)
    lm_cache_close (s->cache, task->region);
  else
    lm_prefixes_keep (&s->prefixes, task);
  task->region = LM_NO_REGION;
}

/* With `lock`: how fast requests leave, while some are at work. */
static void
measure_interval (LmScheduler *s)
{
  gint64 now = g_get_monotonic_time ();
  double passed = (double) (now - s->last_end);

  s->interval = s->interval > 0 ? 0.8 * s->interval + 0.2 * passed : passed;
  s->last_end = now;
}

void
lm_scheduler_end_task (LmScheduler *s, LmTask *task, LmStop why, const GError *error)
{
  LmAdapterUse *use;

  leave_region (s, task, why);
  why = lm_task_finish (task, why);
  g_mutex_lock (&s->lock);
  g_hash_table_remove (s->tasks, &task->id);
  use = g_hash_table_lookup (s->adapters, GUINT_TO_POINTER (task->request.adapter));
  if (use != NULL && --use->tasks == 0 && use->removed)
    s->stale = TRUE;
  if (task->admitted > 0)
    measure_interval (s);
  s->figures.ended[why]++;
  s->figures.running = s->running->len;
  g_mutex_unlock (&s->lock);
  lm_task_tell_end (task, why, error);
  lm_task_free (task);
}

/* ---- waiting for work ------------------------------------------------------------------------ */

gboolean
lm_scheduler_wait (LmScheduler *s, gint64 timeout)
{
  gint64 until = timeout < 0 ? G_MAXINT64 : g_get_monotonic_time () + timeout;
  gboolean work, late = FALSE;

  g_mutex_lock (&s->lock);
  while (!(work = s->running->len > 0 || s->waiting.n > 0 || s->stale) && !s->woken && !late)
    if (timeout < 0)
      g_cond_wait (&s->changed, &s->lock);
    else
      late = !g_cond_wait_until (&s->changed, &s->lock, until);
  s->woken = FALSE;
  g_mutex_unlock (&s->lock);
  return work;
}

void
lm_scheduler_wake (LmScheduler *s)
{
  g_mutex_lock (&s->lock);
  s->woken = TRUE;
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (&s->lock);
}

/* ---- adapters -------------------------------------------------------------------------------- */

void
lm_scheduler_lock_engine (LmScheduler *s)
{
  g_mutex_lock (&s->lock);
  while (s->guests > 0)
    g_cond_wait (&s->changed, &s->lock);
  g_mutex_unlock (&s->lock);
  g_mutex_lock (&s->engine);
}

gboolean
lm_scheduler_add_adapter (LmScheduler *s, LmLora *lora, guint *adapter, GError **error)
{
  g_mutex_lock (&s->lock);
  s->guests++;
  g_mutex_unlock (&s->lock);
  g_mutex_lock (&s->engine);
  *adapter = lm_decoder_add_adapter (s->decoder, lora, error);
  g_mutex_unlock (&s->engine);
  g_mutex_lock (&s->lock);
  s->guests--;
  if (*adapter != 0)
    g_hash_table_insert (s->adapters, GUINT_TO_POINTER (*adapter), g_new0 (LmAdapterUse, 1));
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (&s->lock);
  return *adapter != 0;
}

gboolean
lm_scheduler_remove_adapter (LmScheduler *s, guint adapter)
{
  LmAdapterUse *use;
  gboolean found;

  g_mutex_lock (&s->lock);
  use = g_hash_table_lookup (s->adapters, GUINT_TO_POINTER (adapter));
  found = use != NULL && !use->removed;
  if (found)
    {
      use->removed = TRUE;
      s->stale |= use->tasks == 0;
    }
  g_cond_broadcast (&s->changed);
  g_mutex_unlock (&s->lock);
  return found;
}

void
lm_scheduler_drop_stale (LmScheduler *s)
{
  GHashTableIter iter;
  gpointer id, use;

  g_mutex_lock (&s->lock);
  if (s->stale)
    {
      g_hash_table_iter_init (&iter, s->adapters);
      while (g_hash_table_iter_next (&iter, &id, &use))
        if (((LmAdapterUse *) use)->removed && ((LmAdapterUse *) use)->tasks == 0)
          {
            lm_prefixes_drop_adapter (&s->prefixes, GPOINTER_TO_UINT (id));
            lm_decoder_release_adapter (s->decoder, GPOINTER_TO_UINT (id));
            g_hash_table_iter_remove (&iter);
          }
    }
  s->stale = FALSE;
  g_mutex_unlock (&s->lock);
}

/* ---- figures --------------------------------------------------------------------------------- */

void
lm_scheduler_figures (LmScheduler *s, LmSchedulerFigures *figures)
{
  g_mutex_lock (&s->lock);
  *figures = s->figures;
  figures->waiting = s->waiting.n;
  figures->waiting_tokens = s->waiting.n_tokens;
  figures->adapters = g_hash_table_size (s->adapters);
  g_mutex_unlock (&s->lock);
}
