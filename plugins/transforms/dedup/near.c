/* SPDX-License-Identifier: Apache-2.0 */
/* near.c: rows that are nearly equal; see dedup.h and text/cluster.h.
 *
 *   first pass    rows of equal text become one text; every text its sketch,
 *                 several rows at a time
 *   between       near pairs, clusters, who stays
 *   second pass   rows go where it was said
 *
 * Rows themselves are never held; their normalised text is, once for rows of
 * equal text, in the spill directory beyond the budget.
 */
#include "config.h"

#include <math.h>

#include "text/store.h"
#include "transforms/dedup/dedup.h"

/* Parts that a batch is cut into, so that no thread waits long for another. */
#define PARTS 16

/* What is known of a text: of all rows that have it. */
typedef struct
{
  FrRowId first, best;
  guint64 best_at; /* number of the row in the input */
  gint64 score;
  guint64 count, in_cluster; /* rows with this text; in the cluster that begins with it */
} Node;

/* A row of a batch before it is given its number. */
typedef struct
{
  TextKey key;
  gsize offset, len; /* of its text among those of its part */
  gint64 score;
} Found;

typedef struct
{
  Dedup *d;
  TextCluster *cluster;
  TextTeam *team;
  TextKeyMap *map;  /* of a text's hash to its number + 1 */
  TextStore *nodes; /* Node, by number of text */
  TextStore *rows;  /* guint32, the text of each row */
  guint64 at;       /* rows seen in this pass */
  /* of each thread */
  TextRowKey *keys[TEXT_TEAM_MOST];
  TextGrams *grams[TEXT_TEAM_MOST];
  /* the batch at hand */
  const FrBatch *batch;
  Found *found;
  guint8 *items;
  gsize item_size, room;
  GString *texts[PARTS];
  /* pairs */
  FrBuilder *pairs;
  guint32 n_pairs;
} Near;

/* ---- first pass ---------------------------------------------------------------- */

static void
read_part (guint part, guint n_parts, guint thread, gpointer data)
{
  Near *n = data;
  gsize n_rows = fr_batch_n_rows (n->batch);
  gsize from = n_rows * part / n_parts, to = n_rows * (part + 1) / n_parts;
  TextGramRule rule = { (TextGramUnit) n->d->config->grams, (guint) n->d->config->characters,
                        (guint) n->d->config->words };
  GString *texts = n->texts[part];

  if (n->keys[thread] == NULL)
    {
      n->keys[thread] = text_row_key_copy (n->d->key);
      n->grams[thread] = text_grams_new (&rule);
    }
  text_row_key_open (n->keys[thread], n->batch);
  g_string_truncate (texts, 0);
  for (gsize row = from; row < to; row++)
    {
      Found *found = &n->found[row];
      FrStr text = text_row_key_both (n->keys[thread], row, &found->key);

      found->offset = texts->len;
      found->len = text.len;
      found->score = dedup_score (n->d, n->keys[thread], n->batch, row);
      g_string_append_len (texts, text.data, (gssize) text.len);
      text_cluster_describe (n->cluster, n->grams[thread], text, n->items + row * n->item_size);
    }
}

/* A row whose text is known already. */
static gboolean
meet_again (Near *n, guint32 text, FrRowId id, gint64 score, GError **error)
{
  Node node;

  if (!text_store_read (n->nodes, text * (guint64) sizeof node, &node, sizeof node, error))
    return FALSE;
  node.count++;
  if (score > node.score)
    {
      node.best = id;
      node.best_at = n->at;
      node.score = score;
    }
  return text_store_write (n->nodes, text * (guint64) sizeof node, &node, sizeof node, error);
}

static gboolean
take_row (Near *n, gsize row, const Found *found, FrStr text, GError **error)
{
  FrRowId id = fr_batch_ids (n->batch)[row];
  guint64 number;
  guint32 at;
  gboolean known;

  if (!text_key_map_find (n->map, found->key, &number, &known, error))
    return FALSE;
  if (!known)
    {
      Node node = { .first = id, .best = id, .best_at = n->at, .score = found->score, .count = 1 };

      number = text_cluster_size (n->cluster);
      if (!text_key_map_store (n->map, found->key, &number, error)
          || !text_store_append (n->nodes, &node, sizeof node, NULL, error)
          || !text_cluster_add (n->cluster, text, n->items + row * n->item_size, error))
        return FALSE;
    }
  else if (!meet_again (n, (guint32) number, id, found->score, error))
    return FALSE;
  at = (guint32) number;
  n->at++;
  return text_store_append (n->rows, &at, sizeof at, NULL, error);
}

static gboolean
read_batch (Near *n, FrBatch *batch, GError **error)
{
  gsize n_rows = fr_batch_n_rows (batch);

  if (n_rows > n->room)
    {
      n->room = n_rows;
      n->found = g_renew (Found, n->found, n_rows);
      n->items = g_realloc_n (n->items, n_rows, n->item_size);
    }
  n->batch = batch;
  text_team_run (n->team, fr_host_threads (n->d->host), PARTS, read_part, n);
  for (guint part = 0; part < PARTS; part++)
    for (gsize row = n_rows * part / PARTS; row < n_rows * (part + 1) / PARTS; row++)
      {
        const Found *found = &n->found[row];
        FrStr text = { n->texts[part]->str + found->offset, found->len };

        if (!take_row (n, row, found, text, error))
          return FALSE;
      }
  return TRUE;
}

static FrFlow
read_rows (Near *n, GError **error)
{
  n->at = 0;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (n->d->host, "in", &batch, error);

      if (flow != FR_FLOW_OK)
        return flow;
      if (!read_batch (n, batch, error))
        return FR_FLOW_ERROR;
    }
}

/* ---- between -------------------------------------------------------------------- */

static gboolean
node_of (Near *n, guint32 text, Node *node, GError **error)
{
  return text_store_read (n->nodes, text * (guint64) sizeof *node, node, sizeof *node, error);
}

static gboolean
rank (guint32 text, gint64 *score, guint64 *at, gpointer data, GError **error)
{
  Node node;

  if (!node_of (data, text, &node, error))
    return FALSE;
  *score = node.score;
  *at = node.best_at;
  return TRUE;
}

static gboolean
push_pairs (Near *n, GError **error)
{
  FrBatch *batch = fr_builder_finish (n->pairs, error);
  FrFlow flow = batch != NULL ? fr_host_push (n->d->host, "pairs", batch, error) : FR_FLOW_ERROR;

  if (flow == FR_FLOW_CANCELLED)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  return flow == FR_FLOW_OK || flow == FR_FLOW_DONE;
}

static gboolean
tell_pair (guint32 a, guint32 b, double index, gpointer data, GError **error)
{
  Near *n = data;
  guint32 both[] = { a, b };
  FrRowId id = { 0, 0, 0 };

  for (guint i = 0; i < 2; i++)
    {
      Node node;

      if (!node_of (n, both[i], &node, error))
        return FALSE;
      id = node.first;
      g_string_truncate (n->d->id, 0);
      fr_host_append_row_id (n->d->host, id, n->d->id);
      fr_cells_append_str (fr_builder_cells (n->pairs, i), n->d->id->str, n->d->id->len);
    }
  fr_cells_append_float (fr_builder_cells (n->pairs, 2), index);
  fr_builder_end_row (n->pairs, fr_row_id_child (id, ++n->n_pairs));
  return !fr_builder_full (n->pairs) || push_pairs (n, error);
}

static gboolean
join (Near *n, GError **error)
{
  FrHost *host = n->d->host;
  gboolean wanted = fr_host_is_connected (host, "pairs");

  fr_host_status (host, "comparing %u texts", text_cluster_size (n->cluster));
  if (wanted)
    n->pairs = fr_builder_new (fr_host_output (host, "pairs"));
  return text_cluster_join (n->cluster, n->team, fr_host_threads (host), wanted ? tell_pair : NULL,
                            n, fr_host_cancellable (host), error)
         && (!wanted || push_pairs (n, error))
         && text_cluster_choose (n->cluster, n->team, fr_host_threads (host), rank, n,
                                 fr_host_cancellable (host), error);
}

/* Counts the rows of each cluster with its first text. */
static gboolean
count_clusters (Near *n, Census *census, GError **error)
{
  Node node, head;

  for (guint32 i = 0; i < text_cluster_size (n->cluster); i++)
    {
      guint32 first = text_cluster_first (n->cluster, i);

      if (!node_of (n, i, &node, error) || !node_of (n, first, &head, error))
        return FALSE;
      head.in_cluster += node.count;
      if (!text_store_write (n->nodes, first * (guint64) sizeof head, &head, sizeof head, error))
        return FALSE;
    }
  for (guint32 i = 0; i < text_cluster_size (n->cluster); i++)
    {
      if (!node_of (n, i, &node, error))
        return FALSE;
      dedup_census_add (census, node.first, node.in_cluster);
    }
  return TRUE;
}

/* ---- second pass ------------------------------------------------------------------ */

static gboolean
send_row (Near *n, Sender *sender, gsize row, guint32 text, GError **error)
{
  double similarity;
  guint32 kept = text_cluster_kept (n->cluster, text, &similarity);
  Node node, head;

  if (!node_of (n, kept, &node, error)
      || !node_of (n, text_cluster_first (n->cluster, text), &head, error))
    return FALSE;
  if (kept == text && node.best_at == n->at)
    {
      dedup_sender_keep (sender, row, head.first);
      return TRUE;
    }
  dedup_sender_drop (sender, row, node.best, similarity, head.first);
  if (kept != text)
    {
      n->d->n_near++;
      n->d->similarities[(guint) CLAMP (floor (similarity * 100), 0, 100)]++;
    }
  return TRUE;
}

static FrFlow
send_rows (Near *n, GError **error)
{
  n->at = 0;
  if (!fr_host_rewind (n->d->host, "in", error))
    return FR_FLOW_ERROR;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (n->d->host, "in", &batch, error);
      g_autofree guint32 *texts = NULL;
      Sender sender;
      gboolean ok;

      if (flow != FR_FLOW_OK)
        return flow;
      texts = g_new (guint32, fr_batch_n_rows (batch));
      ok = text_store_read (n->rows, n->at * sizeof *texts, texts,
                            fr_batch_n_rows (batch) * sizeof *texts, error);
      dedup_sender_init (&sender, n->d, batch);
      for (gsize row = 0; ok && row < fr_batch_n_rows (batch); row++, n->at++)
        ok = send_row (n, &sender, row, texts[row], error);
      flow = ok ? dedup_sender_send (&sender, error) : FR_FLOW_ERROR;
      dedup_sender_clear (&sender);
      if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
        return flow;
    }
}

/* ---- the whole --------------------------------------------------------------------- */

static void
open_near (Near *n, Dedup *d, const char *dir)
{
  const Config *config = d->config;
  guint64 memory = fr_host_memory (d->host);
  TextClusterRule rule = { .grams = { (TextGramUnit) config->grams, (guint) config->characters,
                                      (guint) config->words },
                           .simhash = config->method == METHOD_SIMHASH,
                           .threshold = config->threshold,
                           .recall = config->recall,
                           .hashes = (guint) config->hashes,
                           .distance = (guint) config->distance,
                           .chains = config->link == LINK_CHAIN };

  n->d = d;
  n->cluster = text_cluster_new (&rule, memory / 4 * 3, dir);
  n->team = text_team_new ();
  n->map = text_key_map_new (sizeof (guint64), memory / 8, dir);
  n->nodes = text_store_new (memory / 16, dir);
  n->rows = text_store_new (memory / 16, dir);
  n->item_size = text_cluster_item_size (n->cluster);
  for (guint i = 0; i < PARTS; i++)
    n->texts[i] = g_string_new (NULL);
}

static void
close_near (Near *n)
{
  for (guint i = 0; i < PARTS; i++)
    g_string_free (n->texts[i], TRUE);
  for (guint i = 0; i < TEXT_TEAM_MOST; i++)
    {
      text_row_key_free (n->keys[i]);
      text_grams_free (n->grams[i]);
    }
  text_cluster_free (n->cluster);
  text_team_free (n->team);
  text_key_map_free (n->map);
  text_store_free (n->nodes);
  text_store_free (n->rows);
  g_clear_pointer (&n->pairs, fr_builder_free);
  g_free (n->found);
  g_free (n->items);
}

static FrFlow
work (Near *n, GError **error)
{
  FrHost *host = n->d->host;
  Census census = { .clusters = 0 };
  GError *failed = NULL;
  FrFlow flow = read_rows (n, error);
  guint64 spilled;

  if (flow != FR_FLOW_DONE)
    return flow;
  /* What the first pass alone needs. */
  g_clear_pointer (&n->items, g_free);
  g_clear_pointer (&n->found, g_free);
  if (!join (n, &failed) || !count_clusters (n, &census, &failed))
    {
      if (fr_host_is_cancelled (host) || g_error_matches (failed, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_error_free (failed);
          return FR_FLOW_CANCELLED;
        }
      g_propagate_error (error, failed);
      return FR_FLOW_ERROR;
    }
  spilled = text_cluster_spilled (n->cluster) + text_store_spilled (n->nodes)
            + text_store_spilled (n->rows);
  if (spilled > 0)
    fr_host_info (host, "%.1f MB of texts and sketches were kept on disk", (double) spilled / 1e6);
  flow = send_rows (n, error);
  if (flow != FR_FLOW_DONE)
    return flow;
  dedup_report (n->d, &census, text_cluster_counts (n->cluster));
  return FR_FLOW_OK;
}

FrFlow
dedup_near (Dedup *d, GError **error)
{
  const char *dir = fr_host_spill_dir (d->host, error);
  Near n = { .d = d };
  FrFlow flow;

  if (dir == NULL)
    return FR_FLOW_ERROR;
  open_near (&n, d, dir);
  flow = work (&n, error);
  close_near (&n);
  return flow;
}
