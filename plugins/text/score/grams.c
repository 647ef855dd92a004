/* SPDX-License-Identifier: Apache-2.0 */
/* grams.c: counting n-grams without making any.
 *
 * The n-grams of a reference are a trie: an n-gram is the node of its first n - 1 tokens and its
 * last token, so one look into one hash table a place and order.  The keys are exact: nothing is
 * taken for something else.  The hypothesis is only looked up, and a place is left as soon as an
 * n-gram is unknown, for then all longer ones are.  Emptying is counting up: an edge of an earlier
 * row is none.
 */
#include "config.h"

#include <string.h>

#include "text/score/score-private.h"

void
score_grams_init (ScoreGrams *grams)
{
  grams->n_edges = 1024;
  grams->edges = g_new0 (ScoreEdge, grams->n_edges);
  grams->room = 512;
  grams->nodes = g_new0 (ScoreNode, grams->room);
  grams->n_nodes = 1;
  grams->row = 1;
}

void
score_grams_clear (ScoreGrams *grams)
{
  g_free (grams->edges);
  g_free (grams->nodes);
}

void
score_grams_reset (ScoreGrams *grams)
{
  grams->n_nodes = 1;
  if (++grams->row == 0)
    {
      memset (grams->edges, 0, grams->n_edges * sizeof (ScoreEdge));
      grams->row = 1;
    }
}

static inline gsize
slot_of (guint64 key, gsize n)
{
  key *= G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  return (gsize) (key ^ key >> 32) & (n - 1);
}

/* The slot of key, or the empty one where it belongs. */
static inline ScoreEdge *
probe (const ScoreGrams *grams, guint64 key)
{
  gsize i = slot_of (key, grams->n_edges);

  while (grams->edges[i].row == grams->row && grams->edges[i].key != key)
    i = (i + 1) & (grams->n_edges - 1);
  return &grams->edges[i];
}

guint32
score_grams_find (const ScoreGrams *grams, guint32 parent, guint32 token)
{
  const ScoreEdge *edge = probe (grams, (guint64) parent << 32 | token);

  return edge->row == grams->row ? edge->node : 0;
}

static void
grow (ScoreGrams *grams)
{
  g_autofree ScoreEdge *old = grams->edges;
  gsize n = grams->n_edges;

  grams->n_edges = n * 2;
  grams->edges = g_new0 (ScoreEdge, grams->n_edges);
  for (gsize i = 0; i < n; i++)
    if (old[i].row == grams->row)
      *probe (grams, old[i].key) = old[i];
  grams->room = (guint32) (grams->n_edges / 2);
  grams->nodes = g_renew (ScoreNode, grams->nodes, grams->room);
}

guint32
score_grams_take (ScoreGrams *grams, guint32 parent, guint32 token)
{
  guint64 key = (guint64) parent << 32 | token;
  ScoreEdge *edge = probe (grams, key);

  if (edge->row == grams->row)
    return edge->node;
  if (grams->n_nodes == grams->room)
    {
      grow (grams);
      edge = probe (grams, key);
    }
  *edge = (ScoreEdge){ key, grams->row, grams->n_nodes };
  grams->nodes[grams->n_nodes] = (ScoreNode){ 0 };
  return grams->n_nodes++;
}

void
score_grams_add_reference (ScoreGrams *grams, const ScoreTokens *tokens, guint max_order)
{
  for (gsize i = 0; i < tokens->n; i++)
    {
      guint32 node = 0;
      gsize end = MIN (tokens->n, i + max_order);

      for (gsize j = i; j < end; j++)
        {
          node = score_grams_take (grams, node, tokens->ids[j]);
          grams->nodes[node].ref++;
        }
    }
}

void
score_grams_add_another (ScoreGrams *grams, const ScoreTokens *tokens, guint max_order)
{
  for (gsize i = 0; i < tokens->n; i++)
    {
      guint32 node = 0;
      gsize end = MIN (tokens->n, i + max_order);

      for (gsize j = i; j < end; j++)
        {
          node = score_grams_take (grams, node, tokens->ids[j]);
          grams->nodes[node].last++;
        }
    }
  for (gsize i = 0; i < tokens->n; i++)
    {
      guint32 node = 0;
      gsize end = MIN (tokens->n, i + max_order);

      for (gsize j = i; j < end; j++)
        {
          ScoreNode *n;

          node = score_grams_find (grams, node, tokens->ids[j]);
          n = &grams->nodes[node];
          n->ref = MAX (n->ref, n->last);
          n->last = 0;
        }
    }
}

void
score_grams_match (ScoreGrams *grams, const ScoreTokens *tokens, guint max_order, guint64 *matches)
{
  for (gsize i = 0; i < tokens->n; i++)
    {
      guint32 node = 0;
      gsize end = MIN (tokens->n, i + max_order);

      for (gsize j = i; j < end; j++)
        {
          node = score_grams_find (grams, node, tokens->ids[j]);
          if (node == 0)
            break;
          if (grams->nodes[node].hyp++ < grams->nodes[node].ref)
            matches[j - i]++;
        }
    }
}
