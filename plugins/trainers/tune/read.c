/* SPDX-License-Identifier: Apache-2.0 */
/* read.c: rows to samples: what cannot be one is rejected, what is too long is cut as asked, and
 * both are counted.
 *
 * The viewer is filled here too: the text of a sample, cut where learning begins and ends.
 */
#include "config.h"

#include <string.h>

#include "tune.h"

#define N_LONGEST 10

char *
tune_row_name (Tune *t, FrRowId id)
{
  GString *name = g_string_new (NULL);

  fr_host_append_row_id (t->host, id, name);
  return g_string_free (name, FALSE);
}

/* ---- the viewer ---------------------------------------------------------------------- */

enum
{
  SHOW_TEXT,
  SHOW_N_TOKENS,
  SHOW_N_LEARNED,
  SHOW_IDS,
  N_SHOWN
};

FrSchema *
tune_token_schema (void)
{
  FrField *piece[] = { fr_field_new ("text", FR_TYPE_UTF8), fr_field_new ("marked", FR_TYPE_BOOL) };
  FrField *fields[N_SHOWN] = {
    [SHOW_TEXT] = fr_field_new_list ("text", fr_field_new_struct ("item", piece, 2)),
    [SHOW_N_TOKENS] = fr_field_new ("n_tokens", FR_TYPE_INT32),
    [SHOW_N_LEARNED] = fr_field_new ("n_learned", FR_TYPE_INT32),
    [SHOW_IDS] = fr_field_new_list ("ids", fr_field_new ("item", FR_TYPE_INT32)),
  };

  return fr_schema_new (fields, N_SHOWN, NULL);
}

/* Runs of tokens that are all learned or all not, each as its own text. */
static void
append_pieces (LmTokenizer *tokenizer, const LmSample *s, FrCells *list)
{
  FrCells *piece = fr_cells_child (list, 0);
  const gint32 *ids = (const gint32 *) (gpointer) s->ids->data;
  const guint8 *learn = (const guint8 *) s->learn->data;

  for (gsize from = 0, to; from < s->ids->len; from = to)
    {
      g_autofree char *text = NULL;

      for (to = from + 1; to < s->ids->len && !learn[to] == !learn[from]; to++)
        ;
      text = lm_tokenizer_decode (tokenizer, ids + from, to - from, FALSE);
      fr_cells_append_str (fr_cells_child (piece, 0), text, strlen (text));
      fr_cells_append_bool (fr_cells_child (piece, 1), learn[from] != 0);
      fr_cells_end (piece);
    }
  fr_cells_end (list);
}

static gboolean
show_sample (Tune *t, FrBuilder *viewer, FrRowId id, const LmSample *s, GError **error)
{
  LmTokenizer *tokenizer = lm_model_tokenizer (t->model, error);
  FrCells *ids = fr_builder_cells (viewer, SHOW_IDS);

  if (tokenizer == NULL)
    return FALSE;
  append_pieces (tokenizer, s, fr_builder_cells (viewer, SHOW_TEXT));
  fr_cells_append_int (fr_builder_cells (viewer, SHOW_N_TOKENS), s->ids->len);
  fr_cells_append_int (fr_builder_cells (viewer, SHOW_N_LEARNED), (gint64) lm_dataset_labels (s));
  for (guint i = 0; i < s->ids->len; i++)
    fr_cells_append_int (fr_cells_child (ids, 0), g_array_index (s->ids, gint32, i));
  fr_cells_end (ids);
  fr_builder_end_row (viewer, id);
  return TRUE;
}

static FrFlow
push_viewer (Tune *t, FrBuilder *viewer, GError **error)
{
  FrBatch *batch;

  if (viewer == NULL || fr_builder_n_rows (viewer) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (viewer, error);
  return batch != NULL ? fr_host_push (t->host, "tokens", batch, error) : FR_FLOW_ERROR;
}

/* ---- rows ------------------------------------------------------------------------------ */

typedef struct
{
  Tune *t;
  Part *part;
  LmRecord *record;
  FrBuilder *viewer; /* NULL: nobody looks */
  const FrBatch *batch;
  LmSample sample;
} Reader;

static void
reject (Reader *r, gsize row, const char *rule, const char *why)
{
  r->part->n_rejected++;
  /* A forecast has no rejects: it counts them. */
  if (!r->t->forecasting)
    fr_host_reject (r->t->host, r->batch, row, rule, "%s", why);
}

/* Keeps the longest samples by name, for the message that says what to do about them. */
static void
note_longest (Reader *r, FrRowId id, guint32 n)
{
  Part *p = r->part;
  guint at = p->longest_n->len;
  g_autofree char *name = NULL;

  while (at > 0 && g_array_index (p->longest_n, guint32, at - 1) < n)
    at--;
  if (at >= N_LONGEST)
    return;
  name = tune_row_name (r->t, id);
  g_array_insert_val (p->longest_n, at, n);
  g_ptr_array_insert (p->longest, (int) at, g_strdup_printf ("%s (%u tokens)", name, n));
  if (p->longest_n->len > N_LONGEST)
    {
      g_array_set_size (p->longest_n, N_LONGEST);
      g_ptr_array_set_size (p->longest, N_LONGEST);
    }
}

static gboolean
make_sample (Reader *r, gsize row, gboolean *made, GError **error)
{
  FrRowId id = fr_batch_ids (r->batch)[row];
  g_autoptr (GError) local = NULL;
  LmSampleFate fate;

  r->part->n_rows++;
  *made = lm_sample_from_row (r->record, r->t->chat, r->batch, row, r->t->max_length,
                              (LmTruncate) r->t->config->truncate, &r->sample, &fate, &local);
  if (fate.over)
    {
      /* All rows are read before any complaint, so that it knows how many there are. */
      r->part->n_over++;
      note_longest (r, id, (guint32) fate.n_tokens);
    }
  r->part->n_cut += fate.cut;
  if (*made)
    return lm_dataset_add (r->part->data, id, &r->sample, error);
  if (fate.rule == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  reject (r, row, fate.rule, local->message);
  return TRUE;
}

static FrFlow
read_batch (Reader *r, GError **error)
{
  for (gsize row = 0; row < fr_batch_n_rows (r->batch); row++)
    {
      gboolean made;
      FrFlow flow;

      if (fr_host_is_cancelled (r->t->host))
        return FR_FLOW_CANCELLED;
      if (!make_sample (r, row, &made, error))
        return FR_FLOW_ERROR;
      if (r->viewer == NULL || !made)
        continue;
      if (!show_sample (r->t, r->viewer, fr_batch_ids (r->batch)[row], &r->sample, error))
        return FR_FLOW_ERROR;
      if (!fr_builder_full (r->viewer) && fr_builder_n_rows (r->viewer) < 16)
        continue;
      flow = push_viewer (r->t, r->viewer, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  return FR_FLOW_OK;
}

static FrFlow
read_rows (Reader *r, GError **error)
{
  FrFlow flow;

  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;

      flow = fr_host_next (r->t->host, r->part->port, &batch, error);
      if (flow == FR_FLOW_DONE)
        return push_viewer (r->t, r->viewer, error);
      if (flow != FR_FLOW_OK)
        return flow;
      r->batch = batch;
      flow = read_batch (r, error);
      if (flow != FR_FLOW_OK)
        return flow;
      fr_host_progress (r->t->host, r->part->n_rows, 0, "rows");
      fr_host_status (r->t->host, "reading %s: %" G_GUINT64_FORMAT " rows", r->part->port,
                      r->part->n_rows);
    }
}

/* ---- inputs ------------------------------------------------------------------------------ */

static gboolean
too_long (Part *p, gsize max, GError **error)
{
  g_autofree char *list = NULL;

  g_ptr_array_add (p->longest, NULL);
  list = g_strjoinv (", ", (char **) p->longest->pdata);
  g_ptr_array_set_size (p->longest, (int) p->longest->len - 1);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " samples of '%s' are longer than "
               "max_length, %" G_GSIZE_FORMAT " tokens; the longest: %s. Raise max_length, or say "
               "with truncate whether such rows are rejected or cut",
               p->n_over, p->n_rows, p->port, max, list);
  return FALSE;
}

static FrFlow
read_part (Tune *t, Part *part, GError **error)
{
  Reader r = { .t = t, .part = part };
  gsize limit = MAX (fr_host_memory (t->host) / 4, (gsize) 64 << 20);
  const char *dir = fr_host_spill_dir (t->host, error);
  FrFlow flow;

  if (dir == NULL)
    return FR_FLOW_ERROR;
  r.record = lm_record_new (fr_host_input (t->host, part->port), TRUE, error);
  if (r.record == NULL)
    return FR_FLOW_ERROR;
  if (t->forecasting && part == &t->train && fr_host_is_connected (t->host, "tokens"))
    {
      g_autoptr (FrSchema) schema = tune_token_schema ();

      r.viewer = fr_builder_new (schema);
    }
  part->data = lm_dataset_new (dir, limit);
  lm_sample_init (&r.sample);
  flow = read_rows (&r, error);
  lm_sample_clear (&r.sample);
  lm_record_free (r.record);
  g_clear_pointer (&r.viewer, fr_builder_free);
  if (flow == FR_FLOW_OK && !lm_dataset_seal (part->data, error))
    flow = FR_FLOW_ERROR;
  return flow;
}

FrFlow
tune_read (Tune *t, GError **error)
{
  FrFlow flow = read_part (t, &t->train, error);

  if (flow == FR_FLOW_OK && t->has_validation)
    flow = read_part (t, &t->validation, error);
  if (flow != FR_FLOW_OK)
    return flow;
  if (t->config->truncate == LM_TRUNCATE_ERROR
      && ((t->train.n_over > 0 && !too_long (&t->train, t->max_length, error))
          || (t->validation.n_over > 0 && !too_long (&t->validation, t->max_length, error))))
    return FR_FLOW_ERROR;
  if (lm_dataset_n (t->train.data) == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "there is nothing to learn from: %" G_GUINT64_FORMAT
                   " rows came in at 'train', and none of them is a sample",
                   t->train.n_rows);
      return FR_FLOW_ERROR;
    }
  if (t->has_validation && lm_dataset_n (t->validation.data) == 0)
    {
      tune_warn (t,
                 "'validation' is connected, but none of its %" G_GUINT64_FORMAT
                 " rows is a sample: nothing can be measured",
                 t->validation.n_rows);
      t->has_validation = FALSE;
    }
  return FR_FLOW_OK;
}
