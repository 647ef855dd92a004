/* SPDX-License-Identifier: Apache-2.0 */
/* step.c: one pass of a scheduler.
 *
 *   those cancelled or overdue end ──▶ who waits is let in, while places and rows last
 *     ──▶ who is new takes rows of others that begin alike ──▶ a pass: a token of every answer,
 *   and of prompts what fits ──▶ a token is chosen for each that has logits ──▶ some end
 *
 * Who is next is let in or all wait: nobody overtakes, so that a large request gets its room.
 */
#include "config.h"

#include "lm/scheduler/scheduler-private.h"

#define LEAST_ROWS 16 /* of prompts in a pass, however slow */
#define WORTH 32      /* leading tokens that are worth waiting for a pass or more */
#define SMOOTH 0.3    /* weight of the last pass in what a row costs */

static gboolean
is_over (const LmTask *task, gint64 now)
{
  return g_atomic_int_get (&task->cancelled)
         || (task->request.deadline > 0 && now >= task->request.deadline);
}

static LmStop
why_over (const LmTask *task)
{
  return g_atomic_int_get (&task->cancelled) ? LM_STOP_CANCELLED : LM_STOP_DEADLINE;
}

/* ---- those that are over --------------------------------------------------------------------- */

/* Returns how many. */
static guint
end_over (LmScheduler *s)
{
  g_autoptr (GPtrArray) over = g_ptr_array_new ();
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&s->lock);
  lm_waiting_sweep (&s->waiting, is_over, now, over);
  g_mutex_unlock (&s->lock);
  for (guint i = 0; i < s->running->len;)
    if (is_over (g_ptr_array_index (s->running, i), now))
      g_ptr_array_add (over, g_ptr_array_steal_index (s->running, i));
    else
      i++;
  for (guint i = 0; i < over->len; i++)
    {
      LmTask *task = g_ptr_array_index (over, i);

      lm_scheduler_end_task (s, task, why_over (task), NULL);
    }
  return over->len;
}

/* ---- leading tokens that others have computed ------------------------------------------------ */

static gboolean
is_worth (gsize gain, gsize of)
{
  return gain >= WORTH || (gain > 0 && 2 * gain >= of);
}

/* The task at work with most of @task's leading tokens in its rows (@later: that will have, once
 * its prompt is computed), *@common of them; NULL: none.  The last token of a prompt is computed
 * always, for its logits. */
static LmTask *
find_running (LmScheduler *s, const LmTask *task, gboolean later, gsize *common)
{
  LmTask *best = NULL;

  *common = 0;
  for (guint i = 0; i < s->running->len; i++)
    {
      LmTask *other = g_ptr_array_index (s->running, i);
      gsize n = later ? other->n_prompt : other->fed, same;

      n = task->request.exact ? MIN (n, other->exact) : n;
      if (other == task || other->request.adapter != task->request.adapter || !other->settled)
        continue;
      same = lm_common (lm_task_tokens (other), n, lm_task_tokens (task), task->n_prompt - 1);
      if (same > *common)
        {
          *common = same;
          best = other;
        }
    }
  return best;
}

/* @n of its rows are another's, @exact of whose are exact: what follows is as exact as what it
 * looks back at. */
static void
count_reused (LmScheduler *s, LmTask *task, gsize n, gsize exact)
{
  task->settled = TRUE;
  task->fed = task->reused = n;
  task->exact = n <= exact ? task->n_prompt : exact;
  if (n == 0)
    return;
  g_mutex_lock (&s->lock);
  s->figures.reused_tokens += n;
  s->figures.reusers++;
  g_mutex_unlock (&s->lock);
}

/* Copies what others have of its prompt, unless one at work will soon have so much more that it is
 * better to wait. */
static void
settle (LmScheduler *s, LmTask *task)
{
  gsize in_kept, in_running, later, most, exact = 0;
  LmKept *kept = lm_prefixes_find (&s->prefixes, task, &in_kept);
  LmTask *running = find_running (s, task, FALSE, &in_running);

  most = MAX (in_kept, in_running);
  find_running (s, task, TRUE, &later);
  if (later > most && is_worth (later - most, task->n_prompt - most))
    return;
  if (most > 0 && in_kept >= in_running)
    {
      lm_cache_copy (s->cache, task->region, kept->region, most);
      lm_prefixes_use (&s->prefixes, kept);
      exact = kept->exact;
    }
  else if (most > 0)
    {
      lm_cache_copy (s->cache, task->region, running->region, most);
      exact = running->exact;
    }
  count_reused (s, task, most, exact);
}

static void
settle_all (LmScheduler *s)
{
  for (guint i = 0; i < s->running->len; i++)
    {
      LmTask *task = g_ptr_array_index (s->running, i);

      if (task->settled)
        continue;
      if (s->options.no_reuse)
        task->settled = TRUE;
      else
        settle (s, task);
    }
}

/* ---- letting in ------------------------------------------------------------------------------ */

/* The region of @kept becomes @task's, @common tokens of it with it. */
static void
adopt (LmScheduler *s, LmTask *task, LmKept *kept, gsize common)
{
  gsize room = lm_cache_room (s->cache, kept->region), exact;

  while (lm_cache_free_rows (s->cache) + room < task->reserve)
    lm_prefixes_evict (&s->prefixes, kept);
  exact = kept->exact;
  task->region = lm_prefixes_take (&s->prefixes, kept);
  lm_cache_cut (s->cache, task->region, common);
  lm_cache_resize (s->cache, task->region, task->reserve);
  count_reused (s, task, common, exact);
}

/* Finds rows for @task, giving up prefixes as needed, the one it can use itself last. */
static gboolean
find_room (LmScheduler *s, LmTask *task)
{
  gsize rows = lm_cache_free_rows (s->cache) + s->prefixes.rows, common, running;
  LmKept *kept = lm_prefixes_find (&s->prefixes, task, &common);

  if (rows < task->reserve)
    return FALSE;
  find_running (s, task, FALSE, &running);
  if (kept != NULL && (running >= common || !is_worth (common, task->n_prompt)))
    kept = NULL;
  /* Nobody needs it beside this task, or both have no room. */
  if (kept != NULL
      && (common == kept->n || rows - lm_cache_room (s->cache, kept->region) < task->reserve))
    {
      adopt (s, task, kept, common);
      return TRUE;
    }
  while (lm_cache_free_rows (s->cache) < task->reserve)
    lm_prefixes_evict (&s->prefixes, kept);
  task->region = lm_cache_open (s->cache, task->reserve);
  return TRUE;
}

/* @empty: takes those that want no token. */
static void
admit (LmScheduler *s, GPtrArray *empty)
{
  while (s->running->len < s->options.max_running)
    {
      LmTask *task;

      g_mutex_lock (&s->lock);
      task = lm_waiting_peek (&s->waiting); /* stays: only this thread takes from there */
      g_mutex_unlock (&s->lock);
      if (task == NULL || (task->sampling.max_tokens > 0 && !find_room (s, task)))
        return;
      task->admitted = g_get_monotonic_time ();
      g_ptr_array_add (task->sampling.max_tokens > 0 ? s->running : empty, task);
      g_mutex_lock (&s->lock);
      lm_waiting_pop (&s->waiting);
      if (s->running->len == 1)
        s->last_end = task->admitted;
      s->figures.running = s->running->len;
      s->figures.prompt_tokens += task->n_prompt;
      g_mutex_unlock (&s->lock);
    }
}

/* ---- the pass -------------------------------------------------------------------------------- */

/* Most rows of prompts beside @answers. */
static gsize
prompt_rows (const LmScheduler *s, gsize answers)
{
  gsize rows = s->options.chunk - answers;
  double left = (double) s->options.stall - s->answer_cost;

  if (s->options.stall == 0 || answers == 0 || s->row_cost <= 0)
    return rows;
  return MIN (rows, MAX (LEAST_ROWS, (gsize) MAX (left / s->row_cost, 0)));
}

static void
measure_pass (LmScheduler *s, const LmPassFigures *pass)
{
  double us = (double) pass->us, *cost = pass->prompt_rows > 0 ? &s->row_cost : &s->answer_cost;

  if (pass->prompt_rows > 0)
    {
      if (*cost > 0 && pass->prompt_rows < LEAST_ROWS)
        return;
      us = MAX (us - (pass->answer_rows > 0 ? s->answer_cost : 0), 1) / (double) pass->prompt_rows;
    }
  *cost = *cost > 0 ? (1 - SMOOTH) * *cost + SMOOTH * us : us;
}

static void
add_feed (LmScheduler *s, gsize *n, LmTask *task, gsize rows)
{
  s->feeds[*n] = (LmFeed){ .region = task->region,
                           .tokens = lm_task_tokens (task) + task->fed,
                           .n = rows,
                           .want_logits = task->fed + rows == task->seen->len,
                           .adapter = task->request.adapter,
                           .prompt = !lm_task_answering (task) };
  s->fed[(*n)++] = task;
}

static gsize
rows_left (const LmTask *task)
{
  return task->n_prompt - task->fed;
}

/* Of tasks @prompts from @from on, the one with the fewest rows left. */
static guint
shortest (const GPtrArray *prompts, guint from)
{
  guint best = from;

  for (guint i = from + 1; i < prompts->len; i++)
    if (rows_left (g_ptr_array_index (prompts, i)) < rows_left (g_ptr_array_index (prompts, best)))
      best = i;
  return best;
}

/* The oldest prompt has half of the rows, so that it comes to an end; of the rest the shortest are
 * first, so that they do not wait behind long ones; what they leave is the oldest's too. */
static void
share_rows (LmScheduler *s, gsize *n, GPtrArray *prompts, gsize rows)
{
  LmTask *oldest;
  gsize first;

  if (prompts->len == 0)
    return;
  oldest = g_ptr_array_index (prompts, 0);
  first = MIN (rows_left (oldest), prompts->len > 1 ? (rows + 1) / 2 : rows);
  rows -= first;
  for (guint i = 1; i < prompts->len && rows > 0; i++)
    {
      guint best = shortest (prompts, i);
      LmTask *task = g_ptr_array_index (prompts, best);
      gsize some = MIN (rows_left (task), rows);

      prompts->pdata[best] = prompts->pdata[i];
      prompts->pdata[i] = task;
      add_feed (s, n, task, some);
      rows -= some;
    }
  add_feed (s, n, oldest, first + MIN (rows_left (oldest) - first, rows));
}

/* Returns the number of feeds. */
static gsize
plan_pass (LmScheduler *s, LmPassFigures *pass)
{
  g_autoptr (GPtrArray) prompts = g_ptr_array_new ();
  gsize n = 0;

  for (guint i = 0; i < s->running->len; i++)
    {
      LmTask *task = g_ptr_array_index (s->running, i);

      if (lm_task_answering (task))
        add_feed (s, &n, task, 1);
      else if (task->settled)
        g_ptr_array_add (prompts, task);
    }
  pass->answer_rows = n;
  share_rows (s, &n, prompts, prompt_rows (s, n));
  for (gsize i = pass->answer_rows; i < n; i++)
    pass->prompt_rows += s->feeds[i].n;
  return n;
}

/* ---- what comes of it ------------------------------------------------------------------------ */

static void
end_running (LmScheduler *s, LmTask *task, LmStop why, const GError *error)
{
  g_ptr_array_remove (s->running, task);
  lm_scheduler_end_task (s, task, why, error);
}

static void
fail_pass (LmScheduler *s, gsize n, const GError *error)
{
  for (gsize i = 0; i < n; i++)
    end_running (s, s->fed[i], LM_STOP_ERROR, error);
}

static void
choose_tokens (LmScheduler *s, gsize n)
{
  float *logits = s->logits;

  for (gsize i = 0; i < n; i++)
    s->fed[i]->fed += s->feeds[i].n;
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      LmStop why;

      if (!s->feeds[i].want_logits)
        continue;
      why = lm_task_choose (s->fed[i], logits, s->n_vocab, s->options.context, &error);
      logits += s->n_vocab;
      if (why != LM_STOP_ERROR)
        {
          g_mutex_lock (&s->lock);
          s->figures.answer_tokens++;
          g_mutex_unlock (&s->lock);
        }
      if (why != 0)
        end_running (s, s->fed[i], why, error);
    }
}

static void
publish (LmScheduler *s, const LmPassFigures *pass)
{
  LmSchedulerFigures *f = &s->figures;
  gsize rows = pass != NULL ? pass->prompt_rows + pass->answer_rows : 0;

  g_mutex_lock (&s->lock);
  f->running = s->running->len;
  f->kv_kept = s->prefixes.rows;
  f->kv_used = f->kv_tokens - lm_cache_free_rows (s->cache) - f->kv_kept;
  f->evicted = s->prefixes.evicted;
  f->moved = lm_cache_n_moved (s->cache);
  if (rows > 0)
    {
      f->passes++;
      f->pass_rows += rows;
      f->pass_time += pass->us;
      f->last_rows = rows;
    }
  g_mutex_unlock (&s->lock);
}

gboolean
lm_scheduler_step (LmScheduler *s)
{
  g_autoptr (GPtrArray) empty = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  LmPassFigures pass = { 0 };
  guint n_over = end_over (s);
  gboolean ok = TRUE;
  gsize n;

  lm_scheduler_lock_engine (s);
  lm_scheduler_drop_stale (s);
  admit (s, empty);
  settle_all (s);
  n = plan_pass (s, &pass);
  pass.us = g_get_monotonic_time ();
  if (n > 0)
    ok = lm_cache_feed (s->cache, s->feeds, n, s->logits, &error);
  pass.us = g_get_monotonic_time () - pass.us;
  g_mutex_unlock (&s->engine);
  publish (s, n > 0 ? &pass : NULL);
  for (guint i = 0; i < empty->len; i++)
    lm_scheduler_end_task (s, g_ptr_array_index (empty, i), LM_STOP_LENGTH, NULL);
  if (!ok)
    fail_pass (s, n, error);
  else if (n > 0)
    {
      measure_pass (s, &pass);
      choose_tokens (s, n);
    }
  publish (s, NULL);
  if (n > 0 && s->options.on_pass != NULL)
    s->options.on_pass (s->options.data, &pass);
  return n > 0 || n_over > 0 || empty->len > 0;
}
