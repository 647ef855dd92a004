/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c: what a person or a program sees of a run while it goes on.
 *
 *   live   one line per stage, redrawn in place; messages scroll by above
 *   plain  a line per change of a stage, and one for all every ten seconds; both come less often as a run gets long,
 *          down to one a minute: a server's log should not be full of them
 *   json   one event per line
 *   none   warnings and errors only
 *
 * All of it on standard error.  Events come on one thread (event.h); the end
 * is told on the main thread after the engine has returned.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/progress-private.h"

static void
copy_stats (Progress *p, const FriEvent *event)
{
  if (event->stats == NULL)
    return;
  for (guint i = 0; i < event->n_stats; i++)
    {
      ProgressStage *stage;

      if (i >= p->stages->len)
        {
          g_array_set_size (p->stages, i + 1);
          stage = &g_array_index (p->stages, ProgressStage, i);
          stage->id = g_strdup (event->stats[i].id);
          stage->unit = g_strdup (event->stats[i].unit);
        }
      stage = &g_array_index (p->stages, ProgressStage, i);
      if (g_strcmp0 (stage->unit, event->stats[i].unit) != 0)
        {
          g_free (stage->unit);
          stage->unit = g_strdup (event->stats[i].unit);
        }
      if (g_strcmp0 (stage->status, event->stats[i].status) != 0)
        {
          g_free (stage->status);
          stage->status = g_strdup (event->stats[i].status);
        }
      stage->now = event->stats[i];
      stage->now.id = stage->id;
      stage->now.unit = stage->unit;
      stage->now.status = stage->status;
      stage->now.element = NULL; /* not ours to keep */
      progress_measure (stage, event->time_us);
    }
}

guint64
progress_rows (const FriStageStats *s)
{
  return s->rows_out > 0 ? s->rows_out : s->rows_in;
}

static gboolean
is_over (FriStageState state)
{
  return state == FRI_STAGE_REUSED || state >= FRI_STAGE_DONE;
}

/* The rate of about the last second, smoothed: a person reads it, so it should
 * not flicker. */
void
progress_measure (ProgressStage *stage, gint64 time_us)
{
  guint64 rows = progress_rows (&stage->now);
  gint64 passed = time_us - stage->measured_us;

  if (stage->started_us == 0 && stage->now.state != FRI_STAGE_WAITING)
    stage->started_us = MAX (time_us, 1);
  if (stage->ended_us == 0 && is_over (stage->now.state))
    stage->ended_us = MAX (time_us, 1);
  if (passed < G_USEC_PER_SEC / 2)
    return;
  if (rows >= stage->measured_rows)
    {
      double rate = (double) (rows - stage->measured_rows) * G_USEC_PER_SEC / (double) passed;

      stage->rate = stage->measured_us == 0 ? rate : 0.5 * stage->rate + 0.5 * rate;
    }
  stage->measured_rows = rows;
  stage->measured_us = time_us;
}

/* Microseconds, or -1 when it cannot be known. */
gint64
progress_left (const ProgressStage *stage, gint64 time_us)
{
  const FriStageStats *s = &stage->now;
  gint64 worked = time_us - stage->started_us;

  if (s->total == 0 || s->done == 0 || s->done > s->total || stage->started_us == 0
      || worked < G_USEC_PER_SEC / 2)
    return -1;
  return (gint64) ((double) worked * (double) (s->total - s->done) / (double) s->done);
}

/* ---- plain ------------------------------------------------------------------------ */

static char *
clock_text (gint64 time_us)
{
  gint64 tenths = time_us / 100000;

  return g_strdup_printf ("%5d.%d s", (int) (tenths / 10), (int) (tenths % 10));
}

static void
plain_stage (Progress *p, const FriEvent *event)
{
  g_autofree char *when = clock_text (event->time_us);

  (void) p;
  /* Waiting on each other is the normal life of stages; not worth a line. */
  if (event->state == FRI_STAGE_BLOCKED_INPUT || event->state == FRI_STAGE_BLOCKED_OUTPUT)
    return;
  say ("%s  %s: %s", when, event->stage, fri_stage_state_name (event->state));
}

/* How far apart lines of the same kind are at @time_us, @least at first. */
static gint64
plain_pace (gint64 time_us, gint64 least)
{
  return CLAMP (time_us / 20, least, 60 * G_USEC_PER_SEC);
}

static void
plain_status (Progress *p, const FriEvent *event)
{
  g_autofree char *when = clock_text (event->time_us);
  g_autofree char *text = term_clean (event->text, strlen (event->text), 1000);

  for (guint i = 0; i < p->stages->len; i++)
    {
      ProgressStage *stage = &g_array_index (p->stages, ProgressStage, i);

      if (g_strcmp0 (stage->id, event->stage) != 0)
        continue;
      if (stage->status_us > 0 && event->time_us - stage->status_us < plain_pace (event->time_us, 0))
        return;
      stage->status_us = event->time_us;
    }
  say ("%s  %s: %s", when, event->stage, text);
}

/* Waits for its first row, or for an object: no news. */
static gboolean
has_nothing_yet (const FriStageStats *s)
{
  return s->state == FRI_STAGE_BLOCKED_INPUT && progress_rows (s) == 0 && s->done == 0;
}

/* "66/96 steps" of a stage that counts to a known end, else "1,200 rows (410/s)". */
static void
plain_amount (GString *text, const ProgressStage *stage)
{
  const FriStageStats *s = &stage->now;
  g_autofree char *rows = text_count (progress_rows (s));
  g_autofree char *rate = text_short (stage->rate);
  g_autofree char *done = text_count (s->done), *total = text_count (s->total);

  if (s->total > 0 && s->unit != NULL && strcmp (s->unit, "bytes") != 0)
    g_string_append_printf (text, "%s/%s %s", done, total, s->unit);
  else
    g_string_append_printf (text, "%s rows (%s/s)", rows, rate);
}

/* A stage without rows to count, whose status lines say how it stands: a server. */
static gboolean
tells_by_status (const FriStageStats *s)
{
  return s->status != NULL && s->total == 0 && progress_rows (s) == 0;
}

static void
plain_tick (Progress *p, const FriEvent *event)
{
  g_autofree char *when = clock_text (event->time_us);
  g_autoptr (GString) text = g_string_new (NULL);

  if (event->time_us - p->told_us < plain_pace (event->time_us, 10 * G_USEC_PER_SEC))
    return;
  p->told_us = event->time_us;
  for (guint i = 0; i < p->stages->len; i++)
    {
      ProgressStage *stage = &g_array_index (p->stages, ProgressStage, i);
      gint64 left = progress_left (stage, event->time_us);
      g_autofree char *left_text = left >= 0 ? text_about (left) : NULL;

      if (stage->now.state == FRI_STAGE_WAITING || is_over (stage->now.state)
          || has_nothing_yet (&stage->now) || tells_by_status (&stage->now))
        continue;
      g_string_append_printf (text, "%s%s ", text->len ? ", " : "", stage->id);
      plain_amount (text, stage);
      if (stage->now.rejects > 0)
        g_string_append_printf (text, " %" G_GUINT64_FORMAT " rejects", stage->now.rejects);
      if (left_text != NULL)
        g_string_append_printf (text, " %s left", left_text);
    }
  if (text->len > 0)
    say ("%s  %s", when, text->str);
}

/* ---- json ------------------------------------------------------------------------- */

static void
add_text (GString *out, const char *key, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (out, ",\"%s\":", key);
  fr_json_append_string (out, text, strlen (text));
}

static void
add_number (GString *out, const char *key, guint64 n)
{
  g_string_append_printf (out, ",\"%s\":%" G_GUINT64_FORMAT, key, n);
}

static void
add_double (GString *out, const char *key, double n)
{
  g_string_append_printf (out, ",\"%s\":", key);
  fr_json_append_double (out, n);
}

static void
json_stages (Progress *p, GString *out)
{
  g_string_append (out, ",\"stages\":[");
  for (guint i = 0; i < p->stages->len; i++)
    {
      const FriStageStats *s = &g_array_index (p->stages, ProgressStage, i).now;

      g_string_append (out, i ? ",{\"id\":" : "{\"id\":");
      fr_json_append_string (out, s->id, strlen (s->id));
      add_text (out, "state", fri_stage_state_name (s->state));
      add_number (out, "rows_in", s->rows_in);
      add_number (out, "rows_out", s->rows_out);
      add_number (out, "bytes_in", s->bytes_in);
      add_number (out, "bytes_out", s->bytes_out);
      add_number (out, "rejects", s->rejects);
      if (s->total > 0)
        {
          add_number (out, "done", s->done);
          add_number (out, "total", s->total);
          add_text (out, "unit", s->unit);
        }
      add_double (out, "busy", (double) s->busy_us / G_USEC_PER_SEC);
      add_double (out, "wait_in", (double) s->wait_in_us / G_USEC_PER_SEC);
      add_double (out, "wait_out", (double) s->wait_out_us / G_USEC_PER_SEC);
      add_number (out, "queued_batches", s->queued_batches);
      add_number (out, "queued_bytes", s->queued_bytes);
      g_string_append_c (out, '}');
    }
  g_string_append_c (out, ']');
}

static void
json_event (Progress *p, const FriEvent *event)
{
  static const char *const names[]
      = { "", "run_start", "stage", "tick", "metric", "log", "status", "run_end" };
  static const char *const levels[] = { "info", "warning", "error" };
  g_autoptr (GString) out = g_string_new (NULL);

  if (event->type == FRI_EVENT_TICK && event->time_us - p->told_us < G_USEC_PER_SEC)
    return;
  if (event->type == FRI_EVENT_TICK)
    p->told_us = event->time_us;
  g_string_append_printf (out, "{\"event\":\"%s\",\"time\":", names[event->type]);
  fr_json_append_double (out, (double) event->time_us / G_USEC_PER_SEC);
  add_text (out, "stage", event->stage);
  if (event->type == FRI_EVENT_STAGE)
    add_text (out, "state", fri_stage_state_name (event->state));
  if (event->type == FRI_EVENT_METRIC)
    {
      add_text (out, "name", event->name);
      add_double (out, "value", event->value);
    }
  if (event->type == FRI_EVENT_STATUS)
    add_text (out, "text", event->text);
  if (event->type == FRI_EVENT_LOG)
    {
      add_text (out, "level", levels[event->level]);
      add_text (out, "text", event->text);
    }
  if (event->type == FRI_EVENT_TICK || event->type == FRI_EVENT_RUN_END)
    json_stages (p, out);
  if (event->type == FRI_EVENT_RUN_END)
    g_string_append_printf (out, ",\"status\":%d", event->status);
  say ("%s}", out->str);
}

/* ---- all ----------------------------------------------------------------------------- */

static void
log_line (Progress *p, const FriEvent *event)
{
  g_autofree char *text
      = event->text ? term_clean (event->text, strcspn (event->text, "\n"), 1000) : g_strdup ("");

  if (event->level == FRI_LOG_WARNING)
    p->n_warnings++;
  /* An error ends the run, whose end tells it. */
  if (event->level == FRI_LOG_ERROR || (event->level == FRI_LOG_INFO && p->mode == PROGRESS_NONE))
    return;
  if (p->mode == PROGRESS_LIVE)
    progress_live_clear (p);
  if (event->level == FRI_LOG_WARNING)
    say_warning ("%s%s%s", event->stage ? event->stage : "", event->stage ? ": " : "", text);
  else
    say ("%s%s%s", event->stage ? event->stage : "", event->stage ? ": " : "", text);
  if (p->mode == PROGRESS_LIVE)
    progress_live_draw (p, p->last_us);
}

void
progress_event (const FriEvent *event, gpointer data)
{
  Progress *p = data;

  g_mutex_lock (&p->lock);
  p->last_us = event->time_us;
  copy_stats (p, event);
  if (p->mode == PROGRESS_JSON)
    {
      json_event (p, event);
      if (event->type == FRI_EVENT_LOG && event->level == FRI_LOG_WARNING)
        p->n_warnings++;
    }
  else if (event->type == FRI_EVENT_LOG)
    log_line (p, event);
  else if (p->mode == PROGRESS_LIVE && event->type == FRI_EVENT_TICK)
    progress_live_draw (p, event->time_us);
  else if (p->mode == PROGRESS_PLAIN && event->type == FRI_EVENT_STAGE)
    plain_stage (p, event);
  else if (p->mode == PROGRESS_PLAIN && event->type == FRI_EVENT_STATUS)
    plain_status (p, event);
  else if (p->mode == PROGRESS_PLAIN && event->type == FRI_EVENT_TICK)
    plain_tick (p, event);
  g_mutex_unlock (&p->lock);
}

ProgressMode
progress_mode (const char *word)
{
  if (word == NULL || strcmp (word, "auto") == 0)
    return term_is (STDERR_FILENO) ? PROGRESS_LIVE : PROGRESS_PLAIN;
  if (strcmp (word, "plain") == 0)
    return PROGRESS_PLAIN;
  return strcmp (word, "json") == 0 ? PROGRESS_JSON : PROGRESS_NONE;
}

static void
stage_clear (gpointer data)
{
  ProgressStage *stage = data;

  g_free (stage->id);
  g_free (stage->unit);
  g_free (stage->status);
}

Progress *
progress_new (ProgressMode mode)
{
  Progress *p = g_new0 (Progress, 1);

  p->mode = mode;
  p->stages = g_array_new (FALSE, TRUE, sizeof (ProgressStage));
  g_array_set_clear_func (p->stages, stage_clear);
  p->drawn = g_array_new (FALSE, FALSE, sizeof (guint));
  g_mutex_init (&p->lock);
  return p;
}

void
progress_free (Progress *p)
{
  if (p == NULL)
    return;
  g_array_unref (p->stages);
  g_array_unref (p->drawn);
  g_mutex_clear (&p->lock);
  g_free (p);
}
