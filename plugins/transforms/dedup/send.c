/* SPDX-License-Identifier: Apache-2.0 */
/* send.c: which of two rows is better, and where rows go; see dedup.h. */
#include "config.h"

#include <math.h>

#include "text/normal.h"
#include "transforms/dedup/dedup.h"

/* ---- which row is better ---------------------------------------------------- */

/* Any number as an integer of the same order; the smallest of all is left for null. */
static gint64
score_of_column (const FrView *view, gsize row, gboolean least)
{
  gint64 score;

  if (fr_view_is_null (view, row))
    return G_MININT64;
  if (view->type == FR_TYPE_FLOAT32 || view->type == FR_TYPE_FLOAT64)
    {
      double value = fr_view_float (view, row) + 0.0;

      if (isnan (value))
        return G_MININT64;
      memcpy (&score, &value, sizeof score);
      if (score < 0)
        score ^= G_MAXINT64;
    }
  else
    score = fr_view_int (view, row);
  score = least ? ~score : score;
  return MAX (score, G_MININT64 + 1);
}

static gint64
score_of_length (TextRowKey *key, const FrBatch *batch, gsize row)
{
  gint64 chars = 0;

  for (guint i = 0; i < text_row_key_n_columns (key); i++)
    {
      FrView view = fr_view (batch, text_row_key_column (key, i));

      if (FR_TYPES (view.type) & FR_TYPES_TEXT)
        chars += (gint64) text_n_chars (fr_view_str (&view, row));
    }
  return chars;
}

gint64
dedup_score (Dedup *d, TextRowKey *key, const FrBatch *batch, gsize row)
{
  FrView view;

  if (d->config->keep == KEEP_FIRST)
    return 0;
  if (d->config->keep == KEEP_LONGEST)
    return score_of_length (key, batch, row);
  view = fr_view (batch, (guint) d->keep_by);
  return score_of_column (&view, row, d->config->keep == KEEP_LEAST);
}

/* ---- sending ----------------------------------------------------------------- */

void
dedup_sender_init (Sender *sender, Dedup *d, FrBatch *batch)
{
  g_autoptr (FrSchema) one = fr_schema_new_simple ("cluster", FR_TYPE_UTF8, NULL);
  g_autoptr (FrSchema) three = fr_schema_new_simple (
      "duplicate_of", FR_TYPE_UTF8, "similarity", FR_TYPE_FLOAT64, "cluster", FR_TYPE_UTF8, NULL);

  sender->d = d;
  sender->batch = batch;
  sender->keep = g_malloc (fr_batch_n_rows (batch));
  sender->of_out = d->config->cluster != NULL ? fr_builder_new (one) : NULL;
  sender->of_duplicates = fr_builder_new (three);
}

void
dedup_sender_clear (Sender *sender)
{
  g_clear_pointer (&sender->keep, g_free);
  g_clear_pointer (&sender->of_out, fr_builder_free);
  g_clear_pointer (&sender->of_duplicates, fr_builder_free);
}

static void
append_id (Dedup *d, FrCells *cells, FrRowId id)
{
  g_string_truncate (d->id, 0);
  fr_host_append_row_id (d->host, id, d->id);
  fr_cells_append_str (cells, d->id->str, d->id->len);
}

void
dedup_sender_keep (Sender *sender, gsize row, FrRowId cluster)
{
  sender->keep[row] = TRUE;
  sender->d->n_rows++;
  if (sender->of_out == NULL)
    return;
  append_id (sender->d, fr_builder_cells (sender->of_out, 0), cluster);
  fr_builder_end_row (sender->of_out, fr_batch_ids (sender->batch)[row]);
}

void
dedup_sender_drop (Sender *sender, gsize row, FrRowId kept, double similarity, FrRowId cluster)
{
  Dedup *d = sender->d;

  sender->keep[row] = FALSE;
  d->n_rows++;
  d->n_duplicates++;
  append_id (d, fr_builder_cells (sender->of_duplicates, 0), kept);
  fr_cells_append_float (fr_builder_cells (sender->of_duplicates, 1), similarity);
  append_id (d, fr_builder_cells (sender->of_duplicates, 2), cluster);
  fr_builder_end_row (sender->of_duplicates, fr_batch_ids (sender->batch)[row]);
}

/* @rows (taken) with the columns that @extra built. */
static FrBatch *
widen (FrBatch *rows, FrBuilder *extra, const char *const *names, GError **error)
{
  g_autoptr (FrBatch) wide = rows, more = fr_builder_finish (extra, error);

  for (guint i = 0; wide != NULL && more != NULL && names[i] != NULL; i++)
    {
      FrType type = strcmp (names[i], "similarity") == 0 && names[1] != NULL ? FR_TYPE_FLOAT64
                                                                             : FR_TYPE_UTF8;
      g_autoptr (FrField) field = fr_field_new (names[i], type);
      FrBatch *next
          = fr_batch_with_column (wide, field, fr_column_ref (fr_batch_column (more, i)), error);

      fr_batch_unref (wide);
      wide = next;
    }
  return more != NULL ? g_steal_pointer (&wide) : NULL;
}

FrFlow
dedup_sender_send (Sender *sender, GError **error)
{
  FrHost *host = sender->d->host;
  const char *const cluster[] = { sender->d->config->cluster, NULL };
  const char *const three[] = { "duplicate_of", "similarity", "cluster", NULL };
  FrBatch *kept = fr_batch_filter (sender->batch, sender->keep), *others;
  gsize n = fr_batch_n_rows (sender->batch);
  FrFlow flow;

  if (sender->of_out != NULL && (kept = widen (kept, sender->of_out, cluster, error)) == NULL)
    return FR_FLOW_ERROR;
  flow = fr_host_push (host, "out", kept, error);
  if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
    return flow;
  for (gsize i = 0; i < n; i++)
    sender->keep[i] = !sender->keep[i];
  others
      = widen (fr_batch_filter (sender->batch, sender->keep), sender->of_duplicates, three, error);
  return others != NULL ? fr_host_push (host, "duplicates", others, error) : FR_FLOW_ERROR;
}
