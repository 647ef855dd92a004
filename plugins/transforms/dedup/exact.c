/* SPDX-License-Identifier: Apache-2.0 */
/* exact.c: rows that are equal after normalisation; see dedup.h.
 *
 * A row is its key: the hash of some columns after normalisation (rowkey.h).
 * A map from key to what is known of the cluster (runs.h) decides.  Keeping
 * the first row needs one pass, and a row goes on at once; keeping the best
 * needs a pass to find it and a second to send it.  Rows themselves are never
 * held.
 */
#include "config.h"

#include "transforms/dedup/dedup.h"

/* What is known of a cluster.  Only `first` and `count` when the first stays. */
typedef struct
{
  FrRowId first;
  guint64 count;
  FrRowId best;
  guint64 best_at; /* number of the row in the input */
  gint64 score;
} Cluster;

typedef struct
{
  Dedup *d;
  TextKeyMap *map;
  guint64 at; /* rows seen in this pass */
} Exact;

/* Takes a row into its cluster; @is_new: the cluster was not known. */
static gboolean
learn (Exact *e, const FrBatch *batch, gsize row, Cluster *cluster, gboolean *is_new,
       GError **error)
{
  TextKey key = text_row_key_hash (e->d->key, row, 0);
  FrRowId id = fr_batch_ids (batch)[row];
  gboolean found, best = e->d->config->keep != KEEP_FIRST;
  gint64 score = dedup_score (e->d, e->d->key, batch, row);

  if (!text_key_map_find (e->map, key, cluster, &found, error))
    return FALSE;
  *is_new = !found;
  if (!found)
    *cluster = (Cluster){ .first = id, .best = id, .best_at = e->at, .score = score };
  cluster->count++;
  if (best && score > cluster->score)
    {
      cluster->best = id;
      cluster->best_at = e->at;
      cluster->score = score;
    }
  return text_key_map_store (e->map, key, cluster, error);
}

/* What became of the row: known at once where the first stays, else when all were seen. */
static void
say (Sender *sender, gsize row, gboolean stays, FrRowId kept, FrRowId first)
{
  if (stays)
    dedup_sender_keep (sender, row, first);
  else
    dedup_sender_drop (sender, row, kept, 1, first);
}

static FrFlow
work_batch (Exact *e, FrBatch *batch, gboolean learning, Sender *sender, GError **error)
{
  gsize n = fr_batch_n_rows (batch);

  text_row_key_open (e->d->key, batch);
  for (gsize row = 0; row < n; row++, e->at++)
    {
      Cluster cluster = { .count = 0 };
      gboolean is_new = FALSE, found;

      if (learning && !learn (e, batch, row, &cluster, &is_new, error))
        return FR_FLOW_ERROR;
      if (!learning
          && !text_key_map_find (e->map, text_row_key_hash (e->d->key, row, 0), &cluster, &found,
                                 error))
        return FR_FLOW_ERROR;
      if (sender != NULL && learning)
        say (sender, row, is_new, cluster.first, cluster.first);
      else if (sender != NULL)
        say (sender, row, cluster.best_at == e->at, cluster.best, cluster.first);
    }
  return sender != NULL ? dedup_sender_send (sender, error) : FR_FLOW_OK;
}

static FrFlow
pass (Exact *e, gboolean learning, gboolean sending, GError **error)
{
  FrFlow flow;

  e->at = 0;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      Sender sender;

      flow = fr_host_next (e->d->host, "in", &batch, error);
      if (flow != FR_FLOW_OK)
        return flow;
      if (sending)
        dedup_sender_init (&sender, e->d, batch);
      flow = work_batch (e, batch, learning, sending ? &sender : NULL, error);
      if (sending)
        dedup_sender_clear (&sender);
      if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
        return flow;
    }
}

static void
count_cluster (TextKey key, gconstpointer value, gpointer data)
{
  Cluster cluster = { .count = 0 };

  (void) key;
  memcpy (&cluster, value, G_STRUCT_OFFSET (Cluster, best));
  dedup_census_add (data, cluster.first, cluster.count);
}

static FrFlow
both_passes (Exact *e, GError **error)
{
  FrHost *host = e->d->host;
  gboolean once = e->d->config->keep == KEEP_FIRST;
  Census census = { .clusters = 0 };
  FrFlow flow = pass (e, TRUE, once, error);

  if (flow == FR_FLOW_DONE && !once)
    {
      if (!fr_host_rewind (host, "in", error))
        return FR_FLOW_ERROR;
      flow = pass (e, FALSE, TRUE, error);
    }
  if (flow != FR_FLOW_DONE)
    return flow;
  if (text_key_map_spilled (e->map) > 0)
    fr_host_info (host, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " keys were kept on disk",
                  text_key_map_spilled (e->map), text_key_map_size (e->map));
  if (!text_key_map_foreach (e->map, count_cluster, &census, error))
    return FR_FLOW_ERROR;
  dedup_report (e->d, &census, NULL);
  return FR_FLOW_OK;
}

FrFlow
dedup_exact (Dedup *d, GError **error)
{
  const char *dir = fr_host_spill_dir (d->host, error);
  Exact e = { .d = d };
  FrFlow flow;

  if (dir == NULL)
    return FR_FLOW_ERROR;
  e.map = text_key_map_new (d->config->keep == KEEP_FIRST ? G_STRUCT_OFFSET (Cluster, best)
                                                          : sizeof (Cluster),
                            fr_host_memory (d->host), dir);
  flow = both_passes (&e, error);
  text_key_map_free (e.map);
  return flow;
}
