/* SPDX-License-Identifier: Apache-2.0 */
/* stage.c: the life of a stage in a run: open, work, what it passes on and
 * rejects, its end, finish, close.
 *
 * What a stage passes on is counted, noted for lineage, kept and taped here,
 * by one thread at a time and in the order of its rows: the thread of a run
 * stage, or the worker that retires a map stage's results.
 */
#include "config.h"

#include "engine/engine-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OPEN_TRIES 3
#define OPEN_PAUSE_US 250000

/* ---- start --------------------------------------------------------------------- */

static void
tell_state (FrHost *h, FriStageState state)
{
  FriEvent event = { .type = FRI_EVENT_STAGE, .stage = h->stage->id, .state = state };

  fri_events_queue (h->e->events, &event);
}

static gboolean
open_outputs (FrHost *h, GError **error)
{
  FriEngine *e = h->e;

  h->dir = fri_rundir_stage (e->dir, h->stage->id, error);
  if (h->dir == NULL)
    return FALSE;
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);
      g_autofree char *ids = g_strdup_printf ("%s/%s.ids", h->dir, out->name);

      if (e->options->ephemeral || fri_out_is_object (out))
        continue;
      out->lineage = fri_lineage_new (ids, (const char *const *) e->sources, error);
      if (out->lineage == NULL)
        return FALSE;
      out->samples = fri_samples_new (out, e->pipeline->samples);
      if (!out->keep)
        continue;
      out->kept_path = g_strdup_printf ("%s/%s.rows", h->dir, out->name);
      out->kept = fri_page_writer_new (out->kept_path, out->schema,
                                       (const char *const *) e->sources, error);
      if (out->kept == NULL)
        return FALSE;
      for (guint k = 0; k < out->edges->len; k++)
        {
          FriEdge *edge = g_ptr_array_index (out->edges, k);

          if (edge->tape_path == NULL)
            edge->tape_path = g_strdup (out->kept_path);
        }
    }
  return TRUE;
}

gboolean
fri_stage_open (FrHost *h, GError **error)
{
  const FrElement *el = h->stage->element;

  if (!open_outputs (h, error))
    return FALSE;
  if (el->open == NULL || h->forecasting)
    return TRUE;
  for (guint attempt = 1;; attempt++)
    {
      g_autoptr (GError) failure = NULL;

      if (el->open (h->stage->config, h, &h->state, &failure))
        {
          h->opened = TRUE;
          return TRUE;
        }
      if (failure == NULL)
        g_set_error (&failure, FR_ERROR, FR_ERROR_INTERNAL, "open failed without saying why");
      if (!g_error_matches (failure, FR_ERROR, FR_ERROR_TRANSIENT) || attempt == OPEN_TRIES)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      fr_host_warn (h, "%s; trying again (%u of %d)", failure->message, attempt + 1, OPEN_TRIES);
      if (!fr_host_sleep (h, OPEN_PAUSE_US << (2 * (attempt - 1))))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
}

/* ---- rows on their way ------------------------------------------------------------ */

static gboolean
fits (FriOut *out, FrBatch *batch, GError **error)
{
  FrSchema *schema = fr_batch_schema (batch);

  if (out->schema == NULL)
    out->schema = fr_schema_ref (schema);
  if (schema != out->schema && !fr_schema_equal (schema, out->schema))
    {
      g_autofree char *is = fr_schema_describe (schema);
      g_autofree char *should = fr_schema_describe (out->schema);

      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the element pushed rows of (%s) to its port '%s', which was bound to (%s)", is,
                   out->name, should);
      return FALSE;
    }
  if (out->host->e->validate && !fr_batch_validate (batch, error))
    {
      g_prefix_error (error, "the element pushed a broken batch to its port '%s': ", out->name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
record (FriOut *out, FrBatch *batch, GError **error)
{
  if (out->lineage != NULL
      && !fri_lineage_add (out->lineage, fr_batch_ids (batch), fr_batch_n_rows (batch), error))
    return FALSE;
  if (out->kept != NULL && !fri_page_writer_add (out->kept, batch, error))
    return FALSE;
  if (out->samples != NULL)
    fri_samples_add (out->samples, batch);
  for (guint i = 0; i < out->edges->len; i++)
    {
      FriEdge *edge = g_ptr_array_index (out->edges, i);

      if (edge->tape != NULL && !fri_page_writer_add (edge->tape, batch, error))
        return FALSE;
    }
  return TRUE;
}

static void
wait_for_room (FriOut *out, FriEdge *edge)
{
  FrHost *h = out->host;
  FriEngine *e = h->e;

  if (fri_edge_room (edge) || e->stop)
    return;
  h->blocked = out;
  fri_pool_account (h, FRI_STAGE_BLOCKED_OUTPUT);
  fri_pool_release (h);
  while (!fri_edge_room (edge) && !e->stop)
    g_cond_wait (&h->cond, &e->lock);
  h->blocked = NULL;
  fri_pool_acquire (h);
}

/* Hands @batch to every edge; lock held. */
static gboolean
deliver (FriOut *out, FrBatch *batch, gboolean wait, gboolean *wanted, GError **error)
{
  FriEngine *e = out->host->e;
  gboolean ok = TRUE;

  *wanted = out->edges->len == 0 || out->keep || out->tapped;
  for (guint i = 0; ok && i < out->edges->len; i++)
    {
      FriEdge *edge = g_ptr_array_index (out->edges, i);

      if (wait)
        wait_for_room (out, edge);
      if (e->stop)
        break;
      ok = fri_edge_put (e, edge, fr_batch_ref (batch), error);
      *wanted |= !edge->dead;
    }
  return ok;
}

static void
show (FriOut *out, FrBatch *batch)
{
  FriEngine *e = out->host->e;

  if (e->options->tap (batch, e->options->tap_data))
    return;
  g_mutex_lock (&e->lock);
  e->enough = TRUE;
  g_mutex_unlock (&e->lock);
  fri_engine_stop (e);
}

FrFlow
fri_stage_push (FriOut *out, FrBatch *batch, gboolean wait, GError **error)
{
  FriEngine *e = out->host->e;
  gboolean ok, wanted = FALSE, stopped;

  if (fr_batch_n_rows (batch) == 0)
    {
      fr_batch_unref (batch);
      return FR_FLOW_OK;
    }
  if (!fits (out, batch, error) || !record (out, batch, error))
    {
      fr_batch_unref (batch);
      return FR_FLOW_ERROR;
    }
  if (out->tapped)
    show (out, batch);
  g_mutex_lock (&e->lock);
  out->rows += fr_batch_n_rows (batch);
  out->bytes += fr_batch_bytes (batch);
  out->batches++;
  ok = deliver (out, batch, wait, &wanted, error);
  stopped = e->stop;
  g_mutex_unlock (&e->lock);
  fr_batch_unref (batch);
  if (!ok)
    return FR_FLOW_ERROR;
  return stopped ? FR_FLOW_CANCELLED : wanted ? FR_FLOW_OK : FR_FLOW_DONE;
}

/* ---- rejects ------------------------------------------------------------------------ */

void
fri_reject_clear (FriReject *reject)
{
  g_clear_pointer (&reject->batch, fr_batch_unref);
  g_clear_pointer (&reject->where, g_free);
  g_clear_pointer (&reject->raw, g_free);
  g_clear_pointer (&reject->reason, g_free);
}

static void
append_text (FrCells *cells, const char *text)
{
  fr_cells_append_str (cells, text, text != NULL ? strlen (text) : 0);
}

/* A cell of the row as the batch has it; the columns go by name, since an
 * element may have changed the batch before it found the fault. */
static void
append_cell (FrCells *cells, const FrField *field, const FriReject *reject)
{
  const char *name = fr_field_name (field);
  int i;

  if (reject->batch == NULL)
    {
      if (strcmp (name, "where") == 0)
        append_text (cells, reject->where);
      else if (strcmp (name, "raw") == 0)
        append_text (cells, reject->raw);
      return;
    }
  i = fr_schema_find (fr_batch_schema (reject->batch), name);
  if (i >= 0
      && fr_field_equal (field, fr_schema_field (fr_batch_schema (reject->batch), (guint) i)))
    {
      FrView view = fr_view (reject->batch, (guint) i);

      fr_cells_append_from (cells, &view, reject->row);
    }
  else if (i < 0 && strcmp (name, "raw") == 0)
    {
      g_autoptr (GString) json = g_string_new (NULL);

      fr_batch_append_json (reject->batch, reject->row, FALSE, json);
      fr_cells_append_str (cells, json->str, json->len);
    }
}

gboolean
fri_stage_reject (FrHost *h, FriReject *reject, gboolean wait, GError **error)
{
  FrSchema *schema = h->rejects->schema;

  if (h->reject_rows == NULL)
    h->reject_rows = fr_builder_new (schema);
  for (guint c = 0; c < fr_schema_n_fields (schema); c++)
    {
      FrField *field = fr_schema_field (schema, c);
      FrCells *cells = fr_builder_cells (h->reject_rows, c);

      if (strcmp (fr_field_name (field), "reject_rule") == 0)
        append_text (cells, reject->rule);
      else if (strcmp (fr_field_name (field), "reject_reason") == 0)
        append_text (cells, reject->reason);
      else
        append_cell (cells, field, reject);
    }
  fr_builder_end_row (h->reject_rows, reject->id);
  fri_counts_add (h->rules, reject->rule, 1);
  return !fr_builder_full (h->reject_rows) || fri_stage_flush_rejects (h, wait, error);
}

/* "_row", or with more underscores where a column has that name. */
static const char *
row_key (FrHost *h)
{
  GString *key;

  if (h->reject_row_key != NULL)
    return h->reject_row_key;
  key = g_string_new ("_row");
  while (fr_schema_find (h->rejects->schema, key->str) >= 0)
    g_string_prepend_c (key, '_');
  return h->reject_row_key = g_string_free (key, FALSE);
}

static FILE *
open_lines (FrHost *h, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (h->dir, name, NULL);
  FILE *file = fopen (path, "we");

  if (file == NULL)
    fr_error_errno (error, errno, "write", path);
  return file;
}

static gboolean
write_line (FILE *file, GString *line, const char *name, GError **error)
{
  g_string_append_c (line, '\n');
  if (fwrite (line->str, 1, line->len, file) != line->len)
    return fr_error_errno (error, errno, "write", name);
  return TRUE;
}

/* Whole rows to rejects.jsonl where no stage takes them. */
static gboolean
write_rejects (FrHost *h, FrBatch *batch, GError **error)
{
  g_autoptr (GString) row = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (NULL);

  if (h->reject_file == NULL)
    h->reject_file = open_lines (h, "rejects.jsonl", error);
  for (gsize r = 0; h->reject_file != NULL && r < fr_batch_n_rows (batch); r++)
    {
      g_string_truncate (row, 0);
      fr_batch_append_json (batch, r, FALSE, row);
      g_string_printf (line, "{\"%s\":", row_key (h));
      g_string_append_c (line, '"');
      fr_host_append_row_id (h, fr_batch_ids (batch)[r], line);
      g_string_append (line, "\",");
      g_string_append (line, row->str + 1);
      if (!write_line (h->reject_file, line, "the rejects file", error))
        return FALSE;
    }
  return h->reject_file != NULL;
}

/* Row, rule and reason for `flowrun why`, where the rows themselves go on. */
static gboolean
write_reasons (FrHost *h, FrBatch *batch, GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  int rule = fr_schema_find (fr_batch_schema (batch), "reject_rule");
  int reason = fr_schema_find (fr_batch_schema (batch), "reject_reason");

  if (rule < 0 || reason < 0)
    return TRUE;
  if (h->reason_file == NULL)
    h->reason_file = open_lines (h, "reasons.jsonl", error);
  for (gsize r = 0; h->reason_file != NULL && r < fr_batch_n_rows (batch); r++)
    {
      FrView rules = fr_view (batch, (guint) rule), reasons = fr_view (batch, (guint) reason);
      FrStr a = fr_view_str (&rules, r), b = fr_view_str (&reasons, r);

      g_string_assign (line, "{\"_row\":");
      g_string_append_c (line, '"');
      fr_host_append_row_id (h, fr_batch_ids (batch)[r], line);
      g_string_append (line, "\",\"reject_rule\":");
      fr_json_append_string (line, a.data != NULL ? a.data : "", a.len);
      g_string_append (line, ",\"reject_reason\":");
      fr_json_append_string (line, b.data != NULL ? b.data : "", b.len);
      g_string_append_c (line, '}');
      if (!write_line (h->reason_file, line, "the reasons of rejects", error))
        return FALSE;
    }
  return h->reason_file != NULL;
}

gboolean
fri_stage_flush_rejects (FrHost *h, gboolean wait, GError **error)
{
  FrBatch *batch;
  gboolean ok = TRUE;

  if (h->reject_rows == NULL || fr_builder_n_rows (h->reject_rows) == 0)
    return TRUE;
  batch = fr_builder_finish (h->reject_rows, error);
  if (batch == NULL)
    return FALSE;
  if (!h->e->options->ephemeral)
    ok = h->rejects->edges->len == 0 ? write_rejects (h, batch, error)
                                     : write_reasons (h, batch, error);
  if (!ok)
    {
      fr_batch_unref (batch);
      return FALSE;
    }
  return fri_stage_push (h->rejects, batch, wait, error) != FR_FLOW_ERROR;
}

/* ---- results of map, in order --------------------------------------------------------- */

static gboolean
pass_on (FrHost *h, FriTask *task, GError **error)
{
  if (task->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&task->error));
      return FALSE;
    }
  for (guint i = 0; i < task->rejects->len; i++)
    if (!fri_stage_reject (h, &g_array_index (task->rejects, FriReject, i), FALSE, error))
      return FALSE;
  for (guint i = 0; i < task->pushed->len; i++)
    {
      FriPushed *p = &g_array_index (task->pushed, FriPushed, i);

      if (task->input != NULL && p->out->samples != NULL)
        fri_samples_compare (p->out->samples, task->input, p->batch);
      if (fri_stage_push (p->out, g_steal_pointer (&p->batch), FALSE, error) == FR_FLOW_ERROR)
        return FALSE;
    }
  for (guint i = 0; i < task->notes->len; i++)
    fri_host_apply_note (h, &g_array_index (task->notes, FriNote, i));
  return TRUE;
}

void
fri_stage_retire (FriEngine *e, FrHost *h)
{
  FriTask *task;

  if (h->retiring)
    return;
  h->retiring = TRUE;
  while (!e->stop && (task = h->done[h->next_retire % e->max_in_flight]) != NULL)
    {
      GError *error = NULL;
      guint64 n_rejects = task->rejects->len;

      h->done[h->next_retire % e->max_in_flight] = NULL;
      g_mutex_unlock (&e->lock);
      if (!pass_on (h, task, &error))
        fri_engine_fail (e, h, task, error);
      fri_task_free (task);
      g_mutex_lock (&e->lock);
      h->n_rejects += n_rejects;
      h->next_retire++;
      h->in_flight--;
      e->moves++;
      fri_pool_schedule (e);
    }
  h->retiring = FALSE;
}

/* ---- the end of a stage --------------------------------------------------------------- */

static gboolean
close_lines (FILE **file, GError **error)
{
  FILE *f = g_steal_pointer (file);

  if (f == NULL || fclose (f) == 0)
    return TRUE;
  return fr_error_errno (error, errno, "write", "the rejects file");
}

static gboolean
close_files (FrHost *h, GError **error)
{
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (!fri_lineage_close (g_steal_pointer (&out->lineage), error))
        return FALSE;
      if (out->kept != NULL && !fri_page_writer_close (g_steal_pointer (&out->kept), FALSE, error))
        return FALSE;
      for (guint k = 0; k < out->edges->len; k++)
        {
          FriEdge *edge = g_ptr_array_index (out->edges, k);

          if (edge->tape != NULL
              && !fri_page_writer_close (g_steal_pointer (&edge->tape), FALSE, error))
            return FALSE;
        }
    }
  if (!close_lines (&h->reject_file, error) || !close_lines (&h->reason_file, error))
    return FALSE;
  if (h->origins->len > 0)
    {
      g_autofree char *path = g_build_filename (h->dir, "origins.jsonl", NULL);

      return g_file_set_contents_full (path, h->origins->str, (gssize) h->origins->len,
                                       G_FILE_SET_CONTENTS_NONE, 0666, error);
    }
  return TRUE;
}

static void
close_ports (FrHost *h)
{
  FriEngine *e = h->e;

  g_mutex_lock (&e->lock);
  fri_pool_account (h, FRI_STAGE_DONE);
  h->ended = TRUE;
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      for (guint k = 0; k < out->edges->len; k++)
        {
          FriEdge *edge = g_ptr_array_index (out->edges, k);

          edge->closed = TRUE;
          fri_pool_wake (e, edge->to);
        }
    }
  for (guint i = 0; i < h->ins->len; i++)
    {
      FriIn *in = g_ptr_array_index (h->ins, i);

      for (guint k = 0; k < in->edges->len; k++)
        fri_edge_bury (g_ptr_array_index (in->edges, k));
    }
  e->moves++;
  g_mutex_unlock (&e->lock);
}

void
fri_stage_end (FrHost *h)
{
  FriEngine *e = h->e;
  g_autoptr (GError) error = NULL;
  gboolean run = h->stage->element->run != NULL;
  gboolean ok;

  ok = fri_stage_flush_rejects (h, run, &error) && fri_object_end (h, &error)
       && close_files (h, &error) && fri_record_save (h, &error);
  if (ok)
    {
      close_ports (h);
      tell_state (h, FRI_STAGE_DONE);
      ok = fri_record_keep (h, FALSE, &error);
    }
  if (!ok)
    fri_engine_fail (e, h, NULL, g_steal_pointer (&error));
  g_mutex_lock (&e->lock);
  e->unfinished--;
  h->serving = FALSE;
  g_cond_signal (&e->main_cond);
  g_mutex_unlock (&e->lock);
}

/* ---- the thread of a run stage ---------------------------------------------------------- */

static void
judge (FrHost *h, FrFlow flow, GError *error)
{
  FriEngine *e = h->e;
  const char *what = h->forecasting ? "forecast" : "run";

  if (error == NULL && flow == FR_FLOW_ERROR)
    g_set_error (&error, FR_ERROR, FR_ERROR_INTERNAL, "%s failed without saying why", what);
  if (error == NULL && flow == FR_FLOW_CANCELLED && !fr_host_is_cancelled (h))
    g_set_error (&error, FR_ERROR, FR_ERROR_INTERNAL,
                 "%s says that it was cancelled, but it was not", what);
  if (error != NULL)
    {
      if (flow != FR_FLOW_ERROR && flow != FR_FLOW_CANCELLED)
        g_prefix_error (&error, "%s set an error and did not return it: ", what);
      fri_engine_fail (e, h, NULL, error);
    }
  else if (!fr_host_is_cancelled (h))
    fri_stage_end (h);
}

gpointer
fri_stage_thread (gpointer data)
{
  FrHost *h = data;
  const FrElement *el = h->stage->element;
  FriEngine *e = h->e;
  GError *error = NULL;
  FrFlow flow = FR_FLOW_CANCELLED;
  gboolean stop;

  g_mutex_lock (&e->lock);
  fri_pool_acquire (h);
  stop = e->stop;
  h->serving = !stop && !h->forecasting && (el->flags & FR_ELEMENT_SERVES) != 0;
  g_mutex_unlock (&e->lock);
  if (!stop)
    {
      tell_state (h, FRI_STAGE_RUNNING);
      flow = h->forecasting ? el->forecast (h->stage->config, h, &error)
                            : el->run (h, h->state, &error);
      judge (h, flow, error);
    }
  g_mutex_lock (&e->lock);
  fri_pool_release (h);
  e->alive--;
  g_cond_signal (&e->main_cond);
  g_mutex_unlock (&e->lock);
  return NULL;
}

/* ---- finish and close -------------------------------------------------------------------- */

gboolean
fri_stage_finish (FrHost *h, GError **error)
{
  const FrElement *el = h->stage->element;
  GError *failure = NULL;

  gboolean ok;

  if (el->finish == NULL || h->finished || h->forecasting)
    return TRUE;
  h->finishing = TRUE;
  ok = el->finish (h, h->state, &failure);
  h->finishing = FALSE;
  h->finished = TRUE;
  if (ok)
    {
      g_clear_error (&failure);
      return TRUE;
    }
  if (failure == NULL)
    g_set_error (&failure, FR_ERROR, FR_ERROR_INTERNAL, "finish failed without saying why");
  g_propagate_error (error, failure);
  return FALSE;
}

void
fri_stage_close (FrHost *h)
{
  if (!h->opened)
    return;
  h->opened = FALSE;
  if (h->stage->element->close != NULL)
    h->stage->element->close (h->state);
  h->state = NULL;
}
