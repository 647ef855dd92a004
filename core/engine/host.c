/* SPDX-License-Identifier: Apache-2.0 */
/* host.c: what an element can ask of the core (host.h).
 *
 * In map, everything an element does through its host is put aside in the
 * task, to take effect when the task retires in its turn.  So neither rows nor
 * counters, metrics or reports depend on which worker was quicker.
 */
#include "config.h"

#include "engine/engine-private.h"
#include "report/report-private.h"

#include <flowrun/json.h>
#include <string.h>
#include <xxhash.h>

#define RAW_MAX (64 * 1024)
#define PROGRESS_EVERY_US 100000
#define STATUS_EVENT_EVERY_US (3 * G_USEC_PER_SEC)
#define METRIC_VALUES 4096
#define WARNING_TEXTS 20

static _Thread_local FriTask *current_task;

/* ---- tasks ------------------------------------------------------------------------- */

void
fri_note_clear (FriNote *note)
{
  g_clear_pointer (&note->node, json_node_unref);
  g_clear_pointer (&note->text, g_free);
}

static void
pushed_clear (gpointer p)
{
  g_clear_pointer (&((FriPushed *) p)->batch, fr_batch_unref);
}

FriTask *
fri_task_new (FrHost *h)
{
  FriTask *task = g_new0 (FriTask, 1);

  task->host = h;
  task->pushed = g_array_new (FALSE, TRUE, sizeof (FriPushed));
  task->rejects = g_array_new (FALSE, TRUE, sizeof (FriReject));
  task->notes = g_array_new (FALSE, TRUE, sizeof (FriNote));
  g_array_set_clear_func (task->pushed, pushed_clear);
  g_array_set_clear_func (task->rejects, (GDestroyNotify) fri_reject_clear);
  g_array_set_clear_func (task->notes, (GDestroyNotify) fri_note_clear);
  return task;
}

void
fri_task_free (FriTask *task)
{
  g_array_unref (task->pushed);
  g_array_unref (task->rejects);
  g_array_unref (task->notes);
  g_clear_pointer (&task->input, fr_batch_unref);
  g_clear_error (&task->error);
  g_free (task);
}

void
fri_task_enter (FriTask *task)
{
  current_task = task;
}

static FriTask *
task_of (FrHost *h)
{
  return current_task != NULL && current_task->host == h ? current_task : NULL;
}

/* ---- data -------------------------------------------------------------------------- */

static FriIn *
find_in (FrHost *h, const char *port, GError **error)
{
  FriIn *in = fri_host_in (h, port);

  if (in == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element asked for an input port '%s' that it does not declare", port);
  else if (in->port->kind != FR_PORT_RECORDS)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the element asked for rows at its port '%s', which carries none", port);
      return NULL;
    }
  else if (h->stage->element->map != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the element asked for rows, but its map is given them");
      return NULL;
    }
  return in;
}

void
fri_host_wait (FrHost *h, FriEdge *edge)
{
  FriEngine *e = h->e;

  h->waiting = edge;
  fri_pool_account (h, FRI_STAGE_BLOCKED_INPUT);
  fri_edge_tell_others (edge);
  fri_pool_release (h);
  while (fri_edge_empty (edge) && !edge->closed && !e->stop)
    g_cond_wait (&h->cond, &e->lock);
  h->waiting = NULL;
  fri_pool_acquire (h);
}

static FrFlow
next_batch (FrHost *h, FriIn *in, FrBatch **batch, GError **error)
{
  FriEngine *e = h->e;

  while (!e->stop)
    {
      FriEdge *edge;
      FrFlow flow;

      if (in->current >= in->edges->len)
        return FR_FLOW_DONE;
      edge = g_ptr_array_index (in->edges, in->current);
      h->reading = edge;
      flow = fri_edge_take (e, edge, batch, error);
      if (flow == FR_FLOW_DONE)
        in->current++;
      else if (flow == FRI_EDGE_WAIT)
        fri_host_wait (h, edge);
      else
        return flow;
    }
  return FR_FLOW_CANCELLED;
}

static void
count_in (FriIn *in, FrBatch *batch)
{
  if (in->rewound)
    return;
  in->rows += fr_batch_n_rows (batch);
  in->bytes += fr_batch_bytes (batch);
}

FrFlow
fr_host_next (FrHost *h, const char *port, FrBatch **batch, GError **error)
{
  FriEngine *e = h->e;
  FriIn *in = find_in (h, port, error);
  FrFlow flow;

  *batch = NULL;
  if (in == NULL)
    return FR_FLOW_ERROR;
  g_mutex_lock (&e->lock);
  flow = next_batch (h, in, batch, error);
  if (flow == FR_FLOW_OK)
    count_in (in, *batch);
  g_mutex_unlock (&e->lock);
  return flow;
}

gboolean
fr_host_rewind (FrHost *h, const char *port, GError **error)
{
  FriEngine *e = h->e;
  FriIn *in = find_in (h, port, error);
  FrFlow flow;

  if (in == NULL)
    return FALSE;
  if (!(in->port->flags & FR_PORT_REWINDABLE))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the element rewinds its port '%s', which it does not declare rewindable", port);
      return FALSE;
    }
  /* The tape is whole only when everything has passed. */
  g_mutex_lock (&e->lock);
  do
    {
      FrBatch *rest = NULL;

      flow = next_batch (h, in, &rest, error);
      if (rest != NULL)
        count_in (in, rest);
      g_clear_pointer (&rest, fr_batch_unref);
    }
  while (flow == FR_FLOW_OK);
  in->current = 0;
  in->rewound = TRUE;
  g_mutex_unlock (&e->lock);
  if (flow == FR_FLOW_CANCELLED)
    g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "the run was cancelled");
  if (flow != FR_FLOW_DONE)
    return FALSE;
  for (guint i = 0; i < in->edges->len; i++)
    if (!fri_edge_rewind (e, g_ptr_array_index (in->edges, i), error))
      return FALSE;
  return TRUE;
}

/* Whether @h may push rows to @out now; @task: the call of map it does so in, or NULL. */
static gboolean
may_push (FrHost *h, FriOut *out, const FriTask *task, const char *port, GError **error)
{
  const char *fault = NULL;

  if (out == NULL)
    fault = "a port '%s' that it does not declare";
  else if (out == h->rejects)
    fault = "'%s' itself; fr_host_reject() does that";
  else if (fri_out_is_object (out))
    fault = "its port '%s' rows, which it does not carry";
  else if (h->forecasting && !(out->port->flags & FR_PORT_FORECAST))
    fault = "'%s' in forecast, where only ports marked FR_PORT_FORECAST may be pushed to";
  else if (!h->forecasting && (out->port->flags & FR_PORT_FORECAST))
    fault = "'%s' outside of forecast";
  else if (task == NULL && h->thread != g_thread_self ())
    fault = "'%s' outside of map and run";
  if (fault == NULL)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, fault, port);
  g_prefix_error (error, "the element pushed to ");
  return FALSE;
}

FrFlow
fr_host_push (FrHost *h, const char *port, FrBatch *batch, GError **error)
{
  FriOut *out = fri_host_out (h, port);
  FriTask *task = task_of (h);
  FriPushed pushed = { out, batch };

  if (!may_push (h, out, task, port, error))
    {
      fr_batch_unref (batch);
      return FR_FLOW_ERROR;
    }
  if (task == NULL)
    return fri_stage_push (out, batch, TRUE, error);
  g_array_append_val (task->pushed, pushed);
  return FR_FLOW_OK;
}

static void
reject (FrHost *h, FriReject *r)
{
  FriTask *task = task_of (h);
  GError *error = NULL;

  if (task != NULL)
    {
      if (r->batch != NULL)
        fr_batch_ref (r->batch);
      g_array_append_val (task->rejects, *r);
      return;
    }
  if (h->ended)
    g_set_error (&error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element rejected a row after the end of its work");
  else
    fri_stage_reject (h, r, TRUE, &error);
  r->batch = NULL;
  fri_reject_clear (r);
  if (error != NULL)
    {
      fri_engine_fail (h->e, h, NULL, error);
      return;
    }
  g_mutex_lock (&h->e->lock);
  h->n_rejects++;
  g_mutex_unlock (&h->e->lock);
}

void
fr_host_reject (FrHost *h, const FrBatch *batch, gsize row, const char *rule, const char *format,
                ...)
{
  FriReject r = { .batch = (FrBatch *) batch, .row = row, .rule = g_intern_string (rule) };
  va_list args;

  r.id = fr_batch_ids (batch)[row];
  va_start (args, format);
  r.reason = g_strdup_vprintf (format, args);
  va_end (args);
  reject (h, &r);
}

/* At most RAW_MAX bytes, at the border of a character, valid UTF-8. */
static char *
show_raw (FrStr raw)
{
  gsize len = MIN (raw.len, RAW_MAX);

  if (raw.data == NULL)
    return NULL;
  if (len < raw.len)
    for (guint i = 0; i < 3 && len > 0 && ((guchar) raw.data[len] & 0xc0) == 0x80; i++)
      len--;
  return g_utf8_make_valid (raw.data, (gssize) len);
}

void
fr_host_reject_raw (FrHost *h, FrRowId id, const char *where, FrStr raw, const char *rule,
                    const char *format, ...)
{
  FriReject r = { .id = id, .rule = g_intern_string (rule) };
  va_list args;

  r.where = g_utf8_make_valid (where, -1);
  r.raw = show_raw (raw);
  va_start (args, format);
  r.reason = g_strdup_vprintf (format, args);
  va_end (args);
  reject (h, &r);
}

/* ---- what the stage is ------------------------------------------------------------------ */

const char *
fr_host_stage (FrHost *h)
{
  return h->stage->id;
}

guint32
fr_host_source (FrHost *h)
{
  return h->stage->source;
}

void
fr_host_append_row_id (FrHost *h, FrRowId id, GString *out)
{
  g_string_append_printf (out, "%s:%" G_GUINT64_FORMAT,
                          id.source < h->e->n_sources ? h->e->sources[id.source] : "?",
                          id.position);
  if (id.child != 0)
    g_string_append_printf (out, "~%08x", id.child);
}

FrSchema *
fr_host_input (FrHost *h, const char *port)
{
  FriIn *in = fri_host_in (h, port);

  return in != NULL && in->edges->len > 0 ? in->schema : NULL;
}

FrSchema *
fr_host_output (FrHost *h, const char *port)
{
  FriOut *out = fri_host_out (h, port);

  return out != NULL ? out->schema : NULL;
}

gboolean
fr_host_is_connected (FrHost *h, const char *port)
{
  FriOut *out = fri_host_out (h, port);

  return out != NULL && (out->edges->len > 0 || out->keep || out->tapped);
}

void
fr_host_origin (FrHost *h, guint64 first, const char *name)
{
  g_autofree char *shown = g_utf8_make_valid (name, -1);

  g_mutex_lock (&h->notes_lock);
  g_string_append_printf (h->origins, "{\"first\":%" G_GUINT64_FORMAT ",\"name\":", first);
  fr_json_append_string (h->origins, shown, strlen (shown));
  g_string_append (h->origins, "}\n");
  g_mutex_unlock (&h->notes_lock);
}

/* ---- chance, threads, memory ---------------------------------------------------------------- */

guint64
fr_host_seed (FrHost *h)
{
  return XXH3_64bits_withSeed (h->stage->id, strlen (h->stage->id), h->e->pipeline->seed);
}

guint64
fr_host_random (FrHost *h, FrRowId id, guint64 salt)
{
  /* The source counts by its name: its number changes when the pipeline file
   * gains a stage, and kept rows must not change with that. */
  guint64 words[4] = { id.source < h->e->n_sources ? h->e->source_hashes[id.source] : 0,
                       id.position, id.child, salt };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    words[i] = GUINT64_TO_LE (words[i]);
  return XXH3_64bits_withSeed (words, sizeof words, fr_host_seed (h));
}

guint
fr_host_threads (FrHost *h)
{
  guint n;

  /* A server is what is left when all others have ended, whoever is at work when it asks. */
  if (h->stage->element->flags & FR_ELEMENT_SERVES)
    return h->e->workers;
  g_mutex_lock (&h->e->lock);
  n = h->e->tokens + 1;
  g_mutex_unlock (&h->e->lock);
  return MIN (n, h->e->workers);
}

guint
fr_host_workers (FrHost *h)
{
  return h->e->workers;
}

guint64
fr_host_memory (FrHost *h)
{
  return h->e->stage_memory;
}

static const char *
own_dir (FrHost *h, char **dir, char *path, GError **error)
{
  g_autofree char *owned = path;

  g_mutex_lock (&h->notes_lock);
  if (*dir == NULL && fri_mkdir (path, error))
    *dir = g_steal_pointer (&owned);
  g_mutex_unlock (&h->notes_lock);
  return *dir;
}

const char *
fr_host_spill_dir (FrHost *h, GError **error)
{
  return own_dir (h, &h->spill_dir, g_build_filename (h->e->dir->tmp, "spill", h->stage->id, NULL),
                  error);
}

const char *
fr_host_checkpoint_dir (FrHost *h, GError **error)
{
  return own_dir (h, &h->checkpoint_dir,
                  g_build_filename (h->e->dir->dir, "checkpoints", h->fingerprint, NULL), error);
}

const FrService *
fr_host_service (FrHost *h, const char *kind, guint version, const char *name, GError **error)
{
  return fri_registry_service (h->e->pipeline->registry, kind, version, name, error);
}

/* ---- cancellation --------------------------------------------------------------------------- */

GCancellable *
fr_host_cancellable (FrHost *h)
{
  return h->e->cancellable;
}

GCancellable *
fr_host_ending (FrHost *h)
{
  return h->stage->element->flags & FR_ELEMENT_SERVES ? h->e->ending : h->e->cancellable;
}

gboolean
fr_host_is_cancelled (FrHost *h)
{
  return g_cancellable_is_cancelled (h->e->cancellable);
}

gboolean
fr_host_sleep (FrHost *h, gint64 microseconds)
{
  FriEngine *e = h->e;
  gint64 until = g_get_monotonic_time () + microseconds;
  gboolean run = h->thread == g_thread_self ();
  gboolean stop;

  g_mutex_lock (&e->lock);
  if (run)
    fri_pool_release (h);
  while (!e->stop && g_cond_wait_until (&h->cond, &e->lock, until))
    ;
  if (run)
    fri_pool_acquire (h);
  stop = e->stop;
  g_mutex_unlock (&e->lock);
  return !stop;
}

/* ---- telling --------------------------------------------------------------------------------- */

void
fri_counts_add (GArray *counts, const char *name, gint64 n)
{
  FriNote note = { .kind = FRI_NOTE_COUNT };

  for (guint i = 0; i < counts->len; i++)
    {
      FriNote *c = &g_array_index (counts, FriNote, i);

      if (c->kind == FRI_NOTE_COUNT && (c->name == name || strcmp (c->name, name) == 0))
        {
          c->n += n;
          return;
        }
    }
  note.name = g_intern_string (name);
  note.n = n;
  g_array_append_val (counts, note);
}

/* A long series keeps every second value, then every fourth, ... */
static void
metric_add (FrHost *h, const char *name, double value)
{
  FriMetric *m = NULL;

  for (guint i = 0; m == NULL && i < h->metrics->len; i++)
    if (strcmp (((FriMetric *) g_ptr_array_index (h->metrics, i))->name, name) == 0)
      m = g_ptr_array_index (h->metrics, i);
  if (m == NULL)
    {
      m = g_new0 (FriMetric, 1);
      m->name = g_intern_string (name);
      m->stride = 1;
      m->min = m->max = value;
      m->values = g_array_new (FALSE, FALSE, sizeof (double));
      g_ptr_array_add (h->metrics, m);
    }
  m->last = value;
  m->min = MIN (m->min, value);
  m->max = MAX (m->max, value);
  if (m->n++ % m->stride == 0)
    g_array_append_val (m->values, value);
  if (m->values->len < METRIC_VALUES)
    return;
  for (guint i = 0; i < METRIC_VALUES / 2; i++)
    g_array_index (m->values, double, i) = g_array_index (m->values, double, 2 * i);
  g_array_set_size (m->values, METRIC_VALUES / 2);
  m->stride *= 2;
}

void
fri_host_apply_note (FrHost *h, FriNote *note)
{
  FriEvent event = { .type = FRI_EVENT_METRIC, .stage = h->stage->id };

  g_mutex_lock (&h->notes_lock);
  switch (note->kind)
    {
    case FRI_NOTE_COUNT:
      fri_counts_add (h->counts, note->name, note->n);
      break;
    case FRI_NOTE_METRIC:
      metric_add (h, note->name, note->value);
      break;
    case FRI_NOTE_REPORT:
      g_hash_table_replace (h->reports, g_strdup (note->name), g_steal_pointer (&note->node));
      break;
    case FRI_NOTE_LIMIT:
      g_ptr_array_add (h->limits, g_steal_pointer (&note->text));
      break;
    }
  g_mutex_unlock (&h->notes_lock);
  if (note->kind != FRI_NOTE_METRIC)
    return;
  event.name = note->name;
  event.value = note->value;
  fri_events_queue (h->e->events, &event);
}

static void
note (FrHost *h, FriNote *n)
{
  FriTask *task = task_of (h);

  if (task == NULL)
    {
      fri_host_apply_note (h, n);
      fri_note_clear (n);
    }
  else if (n->kind == FRI_NOTE_COUNT)
    fri_counts_add (task->notes, n->name, n->n);
  else
    g_array_append_val (task->notes, *n);
}

void
fr_host_count (FrHost *h, const char *name, gint64 n)
{
  FriNote count = { .kind = FRI_NOTE_COUNT, .name = name, .n = n };

  note (h, &count);
}

void
fr_host_metric (FrHost *h, const char *name, double value)
{
  FriNote metric = { .kind = FRI_NOTE_METRIC, .name = g_intern_string (name), .value = value };

  note (h, &metric);
}

/* Views that the page cannot draw are the element's mistake, and not silent. */
static void
check_views (FrHost *h, JsonNode *views)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (views) ? json_node_get_array (views) : NULL;

  if (array == NULL)
    fr_host_warn (h, "its report \"views\" is no array (flowrun/view.h); report.html shows none");
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      g_autoptr (GError) error = NULL;

      if (!fri_view_check (json_array_get_element (array, i), i, &error))
        fr_host_warn (h, "report.html leaves out a view of it: %s", error->message);
    }
}

void
fr_host_report (FrHost *h, const char *key, JsonNode *value)
{
  FriNote report = { .kind = FRI_NOTE_REPORT, .name = g_intern_string (key), .node = value };

  if (strcmp (key, "views") == 0)
    check_views (h, value);
  note (h, &report);
}

void
fr_host_limit_passed (FrHost *h, const char *format, ...)
{
  FriNote limit = { .kind = FRI_NOTE_LIMIT, .name = "" };
  va_list args;

  va_start (args, format);
  limit.text = g_strdup_vprintf (format, args);
  va_end (args);
  note (h, &limit);
}

void
fr_host_progress (FrHost *h, guint64 done, guint64 total, const char *unit)
{
  gint64 now = g_get_monotonic_time ();

  if (now - h->progress_at < PROGRESS_EVERY_US && done != total)
    return;
  g_mutex_lock (&h->e->lock);
  h->progress_at = now;
  h->progress_done = done;
  h->progress_total = total;
  h->progress_unit = g_intern_string (unit);
  h->e->moves++;
  g_mutex_unlock (&h->e->lock);
}

/* The display asks for the newest at every tick; logs get one every few seconds. */
void
fr_host_status (FrHost *h, const char *format, ...)
{
  FriEvent event = { .type = FRI_EVENT_STATUS, .stage = h->stage->id };
  gint64 now = g_get_monotonic_time ();
  g_autofree char *text = NULL;
  char *shown;
  gboolean log;
  va_list args;

  g_mutex_lock (&h->e->lock);
  if (now - h->status_at < PROGRESS_EVERY_US)
    {
      g_mutex_unlock (&h->e->lock);
      return;
    }
  h->status_at = now;
  h->e->moves++;
  g_mutex_unlock (&h->e->lock);
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  shown = g_ref_string_new (g_strdelimit (text, "\r\n", ' '));
  g_mutex_lock (&h->e->lock);
  if (h->status != NULL)
    g_ref_string_release (h->status);
  h->status = shown;
  log = now - h->status_told_at >= STATUS_EVENT_EVERY_US;
  if (log)
    h->status_told_at = now;
  g_mutex_unlock (&h->e->lock);
  event.text = text;
  if (log)
    fri_events_queue (h->e->events, &event);
}

void
fr_host_committed (FrHost *h, const char *path)
{
  if (strcmp (path, "-") == 0) /* standard output: nothing is left to hash */
    return;
  g_mutex_lock (&h->notes_lock);
  g_ptr_array_add (h->committed, g_canonicalize_filename (path, NULL));
  g_mutex_unlock (&h->notes_lock);
}

void
fr_host_info (FrHost *h, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  fri_events_log (h->e->events, FRI_LOG_INFO, h->stage->id, text);
}

void
fr_host_warn (FrHost *h, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_mutex_lock (&h->notes_lock);
  h->warnings++;
  if (h->warning_texts->len < WARNING_TEXTS
      && !g_ptr_array_find_with_equal_func (h->warning_texts, text, g_str_equal, NULL))
    g_ptr_array_add (h->warning_texts, g_utf8_make_valid (text, -1));
  g_mutex_unlock (&h->notes_lock);
  fri_events_log (h->e->events, FRI_LOG_WARNING, h->stage->id, text);
}
