/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c: stages, ports and edges of a run, made from a pipeline. */
#include "config.h"

#include "engine/engine-private.h"

#define EDGE_BYTES_MAX (8 * 1024 * 1024)
#define EDGE_BYTES_MIN (64 * 1024)
#define EDGE_BATCHES 8

FrHost *
fri_graph_host (FriEngine *e, const FriStage *stage)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->stage == stage)
        return h;
    }
  return NULL;
}

FriOut *
fri_host_out (FrHost *h, const char *port)
{
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (out->name == port || strcmp (out->name, port) == 0)
        return out;
    }
  return NULL;
}

FriIn *
fri_host_in (FrHost *h, const char *port)
{
  for (guint i = 0; i < h->ins->len; i++)
    {
      FriIn *in = g_ptr_array_index (h->ins, i);

      if (strcmp (in->port->name, port) == 0)
        return in;
    }
  return NULL;
}

static void
out_free (gpointer p)
{
  FriOut *out = p;

  fri_lineage_discard (out->lineage);
  fri_samples_free (out->samples);
  if (out->kept != NULL)
    fri_page_writer_discard (out->kept);
  if (out->schema != NULL)
    fr_schema_unref (out->schema);
  g_clear_pointer (&out->object, fr_object_unref);
  g_ptr_array_unref (out->edges);
  g_free (out->kept_path);
  g_free (out->name);
  g_free (out);
}

static void
in_free (gpointer p)
{
  FriIn *in = p;

  if (in->schema != NULL)
    fr_schema_unref (in->schema);
  g_clear_pointer (&in->object, fr_object_unref);
  g_ptr_array_unref (in->edges);
  g_free (in);
}

static FriOut *
out_new (FrHost *h, const char *name)
{
  FriOut *out = g_new0 (FriOut, 1);
  FrSchema *schema
      = h->stage->out_schemas != NULL ? g_hash_table_lookup (h->stage->out_schemas, name) : NULL;

  out->host = h;
  out->name = g_strdup (name);
  out->edges = g_ptr_array_new ();
  if (schema != NULL)
    out->schema = fr_schema_ref (schema);
  else if (strcmp (name, "rejects") == 0)
    out->schema = fri_stage_rejects_schema (h->stage);
  g_ptr_array_add (h->outs, out);
  return out;
}

static void
make_ports (FrHost *h)
{
  const FrElement *el = h->stage->element;

  for (guint i = 0; el->inputs != NULL && el->inputs[i] != NULL; i++)
    {
      FriIn *in = g_new0 (FriIn, 1);
      FrSchema *schema = h->stage->in_schemas != NULL
                             ? g_hash_table_lookup (h->stage->in_schemas, el->inputs[i]->name)
                             : NULL;

      in->port = el->inputs[i];
      in->schema = schema != NULL ? fr_schema_ref (schema) : NULL;
      in->edges = g_ptr_array_new_with_free_func ((GDestroyNotify) fri_edge_free);
      g_ptr_array_add (h->ins, in);
    }
  for (guint i = 0; el->outputs != NULL && el->outputs[i] != NULL; i++)
    out_new (h, el->outputs[i]->name)->port = el->outputs[i];
  h->rejects = out_new (h, "rejects");
}

static void
metric_free (gpointer p)
{
  FriMetric *m = p;

  g_array_unref (m->values);
  g_free (m);
}

static FrHost *
host_new (FriEngine *e, FriStage *stage, guint rank)
{
  FrHost *h = g_new0 (FrHost, 1);

  h->e = e;
  h->stage = stage;
  h->rank = rank;
  h->ins = g_ptr_array_new_with_free_func (in_free);
  h->outs = g_ptr_array_new_with_free_func (out_free);
  g_cond_init (&h->cond);
  g_mutex_init (&h->notes_lock);
  h->counts = g_array_new (FALSE, TRUE, sizeof (FriNote));
  h->rules = g_array_new (FALSE, TRUE, sizeof (FriNote));
  h->reports
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) json_node_unref);
  h->metrics = g_ptr_array_new_with_free_func (metric_free);
  h->limits = g_ptr_array_new_with_free_func (g_free);
  h->committed = g_ptr_array_new_with_free_func (g_free);
  h->origins = g_string_new (NULL);
  h->warning_texts = g_ptr_array_new_with_free_func (g_free);
  h->files = json_object_new ();
  h->reads = g_array_new (FALSE, TRUE, sizeof (FriRead));
  h->done = g_new0 (FriTask *, e->max_in_flight);
  return h;
}

gboolean
fri_graph_make (FriEngine *e, GError **error)
{
  guint n = e->pipeline->stages->len;

  e->n_sources = n + 1;
  e->sources = g_new0 (char *, n + 2);
  e->source_hashes = g_new0 (guint64, n + 1);
  e->sources[0] = g_strdup ("");
  for (guint i = 0; i < n; i++)
    {
      FriStage *stage = g_ptr_array_index (e->pipeline->stages, i);
      FrHost *h = host_new (e, stage, i);

      g_ptr_array_add (e->hosts, h);
      if (stage->source < 1 || stage->source > n || e->sources[stage->source] != NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "stage '%s' has source number %u",
                       stage->id, stage->source);
          return FALSE;
        }
      e->sources[stage->source] = g_strdup (stage->id);
      make_ports (h);
    }
  return TRUE;
}

/* ---- edges ------------------------------------------------------------------- */

static FriEdge *
edge_new (FriEngine *e, FrHost *to, FriLink *link)
{
  FriEdge *edge = g_new0 (FriEdge, 1);
  FrHost *from = fri_graph_host (e, link->from);

  edge->to = to;
  edge->in = fri_host_in (to, link->to_port);
  g_queue_init (&edge->queue);
  g_ptr_array_add (edge->in->edges, edge);
  edge->limit_rows = EDGE_BATCHES * FR_BATCH_ROWS;
  edge->source = fri_host_out (from, link->port);
  if (from->active)
    {
      edge->from = edge->source;
      g_ptr_array_add (edge->from->edges, edge);
      return edge;
    }
  /* The producer's work is done already: its kept output is read in its place. */
  edge->tape_path = fri_record_kept_path (edge->source);
  edge->replaying = edge->closed = TRUE;
  return edge;
}

/* Whether stages are connected by edges other than @without, in any direction. */
static gboolean
still_connected (GPtrArray *edges, const FriEdge *without, guint n_hosts)
{
  g_autofree gboolean *seen = g_new0 (gboolean, n_hosts);
  gboolean grown = TRUE;

  seen[without->from->host->rank] = TRUE;
  while (grown)
    {
      grown = FALSE;
      for (guint i = 0; i < edges->len; i++)
        {
          const FriEdge *edge = g_ptr_array_index (edges, i);
          guint a, b;

          if (edge == without)
            continue;
          a = edge->from->host->rank;
          b = edge->to->rank;
          if (seen[a] != seen[b])
            seen[a] = seen[b] = grown = TRUE;
        }
    }
  return seen[without->to->rank];
}

static gboolean
add_tape (FriEngine *e, FriEdge *edge, guint number, GError **error)
{
  g_autofree char *dir = g_build_filename (e->dir->tmp, "spool", NULL);

  if (edge->from->keep || fri_out_is_object (edge->from))
    return TRUE; /* the kept output is the tape: stage.c sets its path */
  if (!fri_mkdir (dir, error))
    return FALSE;
  edge->tape_path = g_strdup_printf ("%s/%s.%u.tape", dir, edge->to->stage->id, number);
  edge->tape = fri_page_writer_new (edge->tape_path, edge->from->schema,
                                    (const char *const *) e->sources, error);
  return edge->tape != NULL;
}

gboolean
fri_graph_connect (FriEngine *e, GError **error)
{
  g_autoptr (GPtrArray) edges = g_ptr_array_new ();
  guint64 share;
  guint n_run = 0;

  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (!h->active)
        continue;
      n_run += h->stage->element->run != NULL;
      for (guint k = 0; k < h->stage->inputs->len; k++)
        {
          FriEdge *edge = edge_new (e, h, g_ptr_array_index (h->stage->inputs, k));

          if (edge->from != NULL)
            g_ptr_array_add (edges, edge);
          if (edge->from != NULL && (edge->in->port->flags & FR_PORT_REWINDABLE)
              && !add_tape (e, edge, edges->len, error))
            return FALSE;
        }
    }
  share = e->memory / 2 / MAX (edges->len, 1);
  share = CLAMP (share, EDGE_BYTES_MIN, EDGE_BYTES_MAX);
  for (guint i = 0; i < edges->len; i++)
    {
      FriEdge *edge = g_ptr_array_index (edges, i);

      edge->limit_bytes = share;
      edge->on_cycle = still_connected (edges, edge, e->hosts->len);
    }
  e->stage_memory = MAX (e->memory / 2 / MAX (n_run, 1), 1024 * 1024);
  return TRUE;
}

/* ---- the end ------------------------------------------------------------------ */

static void
host_free (FrHost *h)
{
  g_ptr_array_unref (h->ins);
  g_ptr_array_unref (h->outs);
  for (guint i = 0; i < h->e->max_in_flight; i++)
    if (h->done[i] != NULL)
      fri_task_free (h->done[i]);
  g_free (h->done);
  for (guint i = 0; i < h->counts->len; i++)
    fri_note_clear (&g_array_index (h->counts, FriNote, i));
  g_array_unref (h->counts);
  g_array_unref (h->rules);
  g_hash_table_unref (h->reports);
  g_ptr_array_unref (h->metrics);
  g_ptr_array_unref (h->limits);
  g_ptr_array_unref (h->committed);
  g_string_free (h->origins, TRUE);
  g_ptr_array_unref (h->warning_texts);
  json_object_unref (h->files);
  for (guint i = 0; i < h->reads->len; i++)
    g_free (g_array_index (h->reads, FriRead, i).path);
  g_array_unref (h->reads);
  g_clear_pointer (&h->old, json_object_unref);
  g_clear_pointer (&h->record, json_object_unref);
  g_free (h->old_dir);
  g_free (h->made);
  g_clear_pointer (&h->reject_rows, fr_builder_free);
  if (h->reject_file != NULL)
    fclose (h->reject_file);
  if (h->reason_file != NULL)
    fclose (h->reason_file);
  if (h->status != NULL)
    g_ref_string_release (h->status);
  g_free (h->reject_row_key);
  g_free (h->fingerprint);
  g_free (h->dir);
  g_free (h->spill_dir);
  g_free (h->checkpoint_dir);
  g_clear_pointer (&h->state_to_keep, json_node_unref);
  g_cond_clear (&h->cond);
  g_mutex_clear (&h->notes_lock);
  g_free (h);
}

void
fri_graph_free (FriEngine *e)
{
  for (guint i = 0; i < e->hosts->len; i++)
    host_free (g_ptr_array_index (e->hosts, i));
  g_ptr_array_set_size (e->hosts, 0);
  g_strfreev (e->sources);
  g_free (e->source_hashes);
}
