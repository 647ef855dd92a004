/* SPDX-License-Identifier: Apache-2.0 */
/* edge.c: the bounded queue between two stages.
 *
 * An edge that is full makes its producer wait.  That alone could lock a run
 * up for good: where two ways lead from one stage to another and the consumer
 * reads one of them first (split.train before split.validation), the producer
 * waits for room on the way that is not being read, and the consumer for rows
 * on the other.  In every such ring of waiting there is a consumer that waits
 * for another edge than the full one.  So the rule is: when an edge that lies
 * on a ring of the pipeline (graph.c finds out) is full and its consumer waits
 * elsewhere, the rows go to a spool on disk, until the consumer reads here.
 *
 * That holds for rows.  The edge of a model or report carries nothing itself:
 * the object waits at its producer's port (object.c), so the edge is never
 * full; but a consumer that waits for the object is one that waits elsewhere.
 */
#include "config.h"

#include "engine/engine-private.h"

/* What a queued batch costs beside its cells. */
#define BATCH_OVERHEAD 512

gboolean
fri_edge_empty (const FriEdge *edge)
{
  if (edge->in->port->kind != FR_PORT_RECORDS)
    return edge->source->object == NULL;
  if (edge->replaying)
    return edge->replayed;
  return g_queue_is_empty ((GQueue *) &edge->queue) && edge->unread == 0;
}

static gboolean
is_full (const FriEdge *edge)
{
  return edge->bytes >= edge->limit_bytes || edge->rows >= edge->limit_rows;
}

static gboolean
read_elsewhere (const FriEdge *edge)
{
  const FrHost *h = edge->to;
  const FriIn *in;

  if (h->stage->element->map == NULL)
    return h->waiting != NULL && h->waiting != edge && fri_edge_empty (h->waiting)
           && !h->waiting->closed;
  in = edge->in;
  if (in->current >= in->edges->len || g_ptr_array_index (in->edges, in->current) == edge)
    return FALSE;
  return fri_edge_empty (g_ptr_array_index (in->edges, in->current));
}

/* Whether the consumer has yet to come to this edge. */
static gboolean
read_later (const FriEdge *edge)
{
  const FriIn *in = edge->in;

  if (edge->to->stage->element->map == NULL)
    return edge->to->reading != edge;
  return in->current >= in->edges->len || g_ptr_array_index (in->edges, in->current) != edge;
}

static gboolean
must_spool (const FriEdge *edge)
{
  if (!edge->on_cycle)
    return FALSE;
  return edge->unread > 0 ? read_later (edge) : is_full (edge) && read_elsewhere (edge);
}

gboolean
fri_edge_room (const FriEdge *edge)
{
  return edge->dead || must_spool (edge) || (edge->unread == 0 && !is_full (edge))
         || (edge->unread > 0 && read_elsewhere (edge) && edge->on_cycle);
}

static gboolean
spool (FriEngine *e, FriEdge *edge, FrBatch *batch, GError **error)
{
  gboolean ok;

  if (edge->spool == NULL)
    {
      g_autofree char *dir = g_build_filename (e->dir->tmp, "spool", NULL);
      g_autofree char *name
          = g_strdup_printf ("%s.%s-%s.%s.%p", edge->from->host->stage->id, edge->from->name,
                             edge->to->stage->id, edge->in->port->name, (gpointer) edge);

      edge->spool = fri_spool_new (dir, name, fr_batch_schema (batch));
    }
  g_mutex_unlock (&e->lock);
  ok = fri_spool_add (edge->spool, batch, error);
  g_mutex_lock (&e->lock);
  fr_batch_unref (batch);
  if (ok)
    edge->unread++;
  return ok;
}

gboolean
fri_edge_put (FriEngine *e, FriEdge *edge, FrBatch *batch, GError **error)
{
  guint64 bytes;
  gboolean ok = TRUE;

  e->moves++;
  if (edge->dead)
    fr_batch_unref (batch);
  /* A retiring map may go beyond the limit, but never ahead of what is spooled. */
  else if (edge->unread > 0 || must_spool (edge))
    ok = spool (e, edge, batch, error);
  else
    {
      bytes = fr_batch_bytes (batch) + BATCH_OVERHEAD;
      edge->bytes += bytes;
      edge->rows += fr_batch_n_rows (batch);
      e->queued_bytes += bytes;
      e->peak_bytes = MAX (e->peak_bytes, e->queued_bytes);
      g_queue_push_tail (&edge->queue, batch);
    }
  fri_pool_wake (e, edge->to);
  return ok;
}

FrBatch *
fri_batch_renumber (FrBatch *batch, const char *const *from, const char *const *to, GError **error)
{
  gsize n = fr_batch_n_rows (batch);
  const FrRowId *ids = fr_batch_ids (batch);
  g_autofree FrRowId *renumbered = g_memdup2 (ids, n * sizeof *ids);
  g_autofree FrColumn **columns = g_new (FrColumn *, fr_batch_n_columns (batch) + 1);
  FrBatch *result;
  guint32 last = 0, last_to = 0;

  for (gsize i = 0; i < n; i++)
    {
      if (ids[i].source != last)
        {
          guint n_from = g_strv_length ((char **) from + 1);
          const char *name = ids[i].source <= n_from ? from[ids[i].source] : "";

          last = ids[i].source;
          last_to = 0;
          for (guint s = 1; to[s] != NULL; s++)
            if (strcmp (to[s], name) == 0)
              last_to = s;
        }
      renumbered[i].source = last_to;
    }
  for (guint c = 0; c < fr_batch_n_columns (batch); c++)
    columns[c] = fr_column_ref (fr_batch_column (batch, c));
  result = fr_batch_new (fr_batch_schema (batch), n, columns, renumbered, error);
  fr_batch_unref (batch);
  return result;
}

static gboolean
same_sources (const char *const *a, const char *const *b)
{
  for (guint i = 1;; i++)
    {
      if (a[i] == NULL || b[i] == NULL)
        return a[i] == b[i];
      if (strcmp (a[i], b[i]) != 0)
        return FALSE;
    }
}

/* The next batch from a tape or a kept output; no lock held. */
static FrFlow
take_replay (FriEngine *e, FriEdge *edge, FrBatch **batch, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const char *const *sources;

  if (edge->replay == NULL)
    edge->replay = fri_page_reader_new (edge->tape_path, TRUE, &failure);
  if (edge->replay != NULL)
    *batch = fri_page_reader_next (edge->replay, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FR_FLOW_ERROR;
    }
  if (*batch == NULL)
    return FR_FLOW_DONE;
  sources = fri_page_reader_sources (edge->replay);
  if (sources != NULL && !same_sources (sources, (const char *const *) e->sources))
    *batch = fri_batch_renumber (*batch, sources, (const char *const *) e->sources, error);
  return *batch != NULL ? FR_FLOW_OK : FR_FLOW_ERROR;
}

void
fri_edge_tell_others (FriEdge *edge)
{
  FrHost *h = edge->to;

  for (guint i = 0; i < h->ins->len; i++)
    {
      FriIn *in = g_ptr_array_index (h->ins, i);

      for (guint k = 0; k < in->edges->len; k++)
        {
          FriEdge *other = g_ptr_array_index (in->edges, k);

          if (other != edge && other->on_cycle && other->from != NULL && !other->dead)
            fri_pool_wake (h->e, other->from->host);
        }
    }
}

FrFlow
fri_edge_take (FriEngine *e, FriEdge *edge, FrBatch **batch, GError **error)
{
  FrFlow flow = FR_FLOW_OK;

  *batch = NULL;
  if (edge->replaying)
    {
      if (edge->replayed)
        return FR_FLOW_DONE;
      g_mutex_unlock (&e->lock);
      flow = take_replay (e, edge, batch, error);
      g_mutex_lock (&e->lock);
      edge->replayed = flow == FR_FLOW_DONE;
      e->moves++;
      return flow;
    }
  if (!g_queue_is_empty (&edge->queue))
    {
      guint64 bytes;

      *batch = g_queue_pop_head (&edge->queue);
      bytes = fr_batch_bytes (*batch) + BATCH_OVERHEAD;
      edge->bytes -= bytes;
      e->queued_bytes -= bytes;
      edge->rows -= fr_batch_n_rows (*batch);
    }
  else if (edge->unread > 0)
    {
      edge->unread--;
      g_mutex_unlock (&e->lock);
      *batch = fri_spool_take (edge->spool, error);
      g_mutex_lock (&e->lock);
      flow = *batch != NULL ? FR_FLOW_OK : FR_FLOW_ERROR;
    }
  else
    return edge->closed ? FR_FLOW_DONE : FRI_EDGE_WAIT;
  e->moves++;
  if (edge->from != NULL)
    fri_pool_wake (e, edge->from->host);
  if (edge->to->stage->element->map != NULL && fri_edge_empty (edge))
    fri_edge_tell_others (edge);
  return flow;
}

void
fri_edge_bury (FriEdge *edge)
{
  FriEngine *e = edge->to->e;
  FrBatch *batch;

  edge->dead = TRUE;
  while ((batch = g_queue_pop_head (&edge->queue)) != NULL)
    fr_batch_unref (batch);
  e->queued_bytes -= edge->bytes;
  edge->bytes = edge->rows = 0;
  if (edge->from != NULL)
    fri_pool_wake (e, edge->from->host);
}

/* Starts again at the first row; the whole stream must have passed (no lock). */
gboolean
fri_edge_rewind (FriEngine *e, FriEdge *edge, GError **error)
{
  gboolean ok = TRUE;

  if (edge->replay != NULL)
    ok = fri_page_reader_rewind (edge->replay, error);
  g_mutex_lock (&e->lock);
  edge->replaying = TRUE;
  edge->replayed = FALSE;
  g_mutex_unlock (&e->lock);
  return ok;
}

void
fri_edge_free (FriEdge *edge)
{
  FrBatch *batch;

  while ((batch = g_queue_pop_head (&edge->queue)) != NULL)
    fr_batch_unref (batch);
  fri_spool_free (edge->spool);
  if (edge->tape != NULL)
    fri_page_writer_discard (edge->tape);
  g_clear_pointer (&edge->replay, fri_page_reader_free);
  g_free (edge->tape_path);
  g_free (edge);
}
