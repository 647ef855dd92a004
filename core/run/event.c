/* SPDX-License-Identifier: Apache-2.0 */
/* event.c: the one stream of what happens, and log.jsonl as its first reader.
 *
 * Events are queued from any thread and told on the ticker's thread alone, so
 * that a listener needs no locks and a slow terminal holds up no work.
 */
#include "config.h"

#include "run/rundir-private.h"

#include <flowrun/json.h>
#include <stdio.h>
#include <string.h>

/* A stage that warns of every row must not eat the memory or the disk. */
#define MAX_QUEUED 10000

struct _FriEvents
{
  GMutex lock;
  GQueue queue; /* FriEvent *, with their own text */
  guint dropped;
  gint64 start;
  FILE *log;
  FriEventFunc listener;
  gpointer data;
};

const char *
fri_stage_state_name (FriStageState state)
{
  static const char *const names[]
      = { "waiting", "running", "blocked on input", "blocked on output",
          "reused",  "done",    "failed",           "cancelled" };

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "?";
}

FriEvents *
fri_events_new (const char *log_path, FriEventFunc listener, gpointer data)
{
  FriEvents *events = g_new0 (FriEvents, 1);

  g_mutex_init (&events->lock);
  g_queue_init (&events->queue);
  events->start = g_get_monotonic_time ();
  /* A log that cannot be written is no reason not to run: what matters is
   * told to the listener and fails elsewhere when the disk is full. */
  events->log = log_path != NULL ? fopen (log_path, "ae") : NULL;
  events->listener = listener;
  events->data = data;
  return events;
}

static void
event_free (FriEvent *event)
{
  g_free ((char *) event->stage);
  g_free ((char *) event->name);
  g_free ((char *) event->text);
  g_free (event);
}

void
fri_events_free (FriEvents *events)
{
  FriEvent *event;

  while ((event = g_queue_pop_head (&events->queue)) != NULL)
    event_free (event);
  if (events->log != NULL)
    fclose (events->log);
  g_mutex_clear (&events->lock);
  g_free (events);
}

void
fri_events_queue (FriEvents *events, const FriEvent *event)
{
  FriEvent *copy = g_memdup2 (event, sizeof *event);

  copy->time_us = g_get_monotonic_time () - events->start;
  copy->stage = g_strdup (event->stage);
  copy->name = g_strdup (event->name);
  copy->text = g_strdup (event->text);
  copy->stats = NULL;
  copy->n_stats = 0;
  g_mutex_lock (&events->lock);
  if (g_queue_get_length (&events->queue) < MAX_QUEUED || event->type == FRI_EVENT_STAGE)
    g_queue_push_tail (&events->queue, g_steal_pointer (&copy));
  else
    events->dropped++;
  g_mutex_unlock (&events->lock);
  if (copy != NULL)
    event_free (copy);
}

void
fri_events_log (FriEvents *events, FriLogLevel level, const char *stage, const char *text)
{
  FriEvent event = { .type = FRI_EVENT_LOG, .level = level, .stage = stage, .text = text };

  fri_events_queue (events, &event);
}

static void
member (GString *line, const char *key, const char *text)
{
  g_string_append_printf (line, ",\"%s\":", key);
  fr_json_append_string (line, text, strlen (text));
}

static void
describe_end (GString *line, const FriEvent *event)
{
  g_string_append_printf (line, ",\"status\":%d,\"stages\":[", event->status);
  for (guint i = 0; i < event->n_stats; i++)
    {
      const FriStageStats *s = &event->stats[i];

      g_string_append (line, i > 0 ? ",{\"id\":" : "{\"id\":");
      fr_json_append_string (line, s->id, strlen (s->id));
      g_string_append_printf (line,
                              ",\"state\":\"%s\",\"rows_in\":%" G_GUINT64_FORMAT
                              ",\"rows_out\":%" G_GUINT64_FORMAT ",\"rejects\":%" G_GUINT64_FORMAT
                              "}",
                              fri_stage_state_name (s->state), s->rows_in, s->rows_out, s->rejects);
    }
  g_string_append_c (line, ']');
}

static void
write_log (FriEvents *events, const FriEvent *event)
{
  static const char *const types[]
      = { "", "start", "stage", "tick", "metric", "log", "status", "end" };
  static const char *const levels[] = { "info", "warning", "error" };
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *stamp = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
  g_autoptr (GString) line = g_string_new ("{\"time\":");

  if (events->log == NULL || event->type == FRI_EVENT_TICK)
    return;
  g_string_append_printf (line, "\"%s\",\"event\":\"%s\"", stamp, types[event->type]);
  if (event->stage != NULL)
    member (line, "stage", event->stage);
  if (event->type == FRI_EVENT_STAGE)
    member (line, "state", fri_stage_state_name (event->state));
  if (event->type == FRI_EVENT_METRIC)
    {
      member (line, "name", event->name);
      g_string_append (line, ",\"value\":");
      fr_json_append_double (line, event->value);
    }
  if (event->type == FRI_EVENT_LOG)
    member (line, "level", levels[event->level]);
  if (event->text != NULL)
    member (line, "text", event->text);
  if (event->type == FRI_EVENT_RUN_END)
    describe_end (line, event);
  g_string_append (line, "}\n");
  fwrite (line->str, 1, line->len, events->log);
  if (event->type != FRI_EVENT_METRIC)
    fflush (events->log);
}

static void
tell (FriEvents *events, const FriEvent *event)
{
  write_log (events, event);
  if (events->listener != NULL)
    events->listener (event, events->data);
}

void
fri_events_pump (FriEvents *events)
{
  for (;;)
    {
      FriEvent *event;
      guint dropped;

      g_mutex_lock (&events->lock);
      event = g_queue_pop_head (&events->queue);
      dropped = event == NULL ? events->dropped : 0;
      if (event == NULL)
        events->dropped = 0;
      g_mutex_unlock (&events->lock);
      if (event != NULL)
        {
          tell (events, event);
          event_free (event);
          continue;
        }
      if (dropped == 0)
        return;
      g_autofree char *text = g_strdup_printf ("%u more messages were left out", dropped);
      FriEvent left = { .type = FRI_EVENT_LOG, .level = FRI_LOG_WARNING, .text = text };
      left.time_us = g_get_monotonic_time () - events->start;
      tell (events, &left);
    }
}

void
fri_events_tell (FriEvents *events, FriEvent *event)
{
  fri_events_pump (events);
  event->time_us = g_get_monotonic_time () - events->start;
  tell (events, event);
}
