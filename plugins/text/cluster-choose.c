/* SPDX-License-Identifier: Apache-2.0 */
/* cluster-choose.c: who stays in a cluster; see cluster.h.
 *
 * The best text of a cluster stays, and all that are near to it go; of those
 * left over the best stays, and so on.  So nothing goes that is not near to
 * something that stays.
 */
#include "config.h"

#include <stdlib.h>

#include "text/cluster-private.h"
#include "text/runs.h"

#define MEMBERS_AT_ONCE 16384

typedef struct
{
  gint64 score;
  guint64 at;
  guint32 text;
  guint32 kept; /* NOBODY as long as nothing was said */
  double index;
} Member;

#define NOBODY G_MAXUINT32

/* Some clusters: members one after the other, and where each cluster begins. */
typedef struct
{
  TextCluster *c;
  GArray *members; /* Member */
  GArray *starts;  /* guint */
  Comparer *comparers[TEXT_TEAM_MOST];
  GCancellable *cancellable;
  GMutex lock;
  GError *error; /* under lock */
} Lot;

static int
better_first (const void *a, const void *b)
{
  const Member *x = a, *y = b;

  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

/* Whether @member goes because @kept stays. */
static gboolean
goes (Comparer *comparer, const Member *kept, Member *member, gboolean *gone)
{
  const TextClusterRule *rule = &comparer->c->rule;
  gboolean near = rule->chains;

  *gone = FALSE;
  if (!near && !text_comparer_promising (comparer, kept->text, member->text, &near))
    return FALSE;
  if (!near)
    return TRUE;
  if (!text_comparer_index (comparer, kept->text, member->text, &member->index))
    return FALSE;
  *gone = rule->chains || text_cluster_enough (comparer->c, member->index);
  return TRUE;
}

static gboolean
choose (Comparer *comparer, Member *members, guint n, GCancellable *cancellable)
{
  qsort (members, n, sizeof *members, better_first);
  for (guint i = 0; i < n; i++)
    {
      if (members[i].kept != NOBODY)
        continue;
      if (g_cancellable_set_error_if_cancelled (cancellable, &comparer->error))
        return FALSE;
      members[i].kept = members[i].text;
      members[i].index = 1;
      for (guint k = i + 1; k < n; k++)
        {
          gboolean gone;

          if (members[k].kept != NOBODY)
            continue;
          if (!goes (comparer, &members[i], &members[k], &gone))
            return FALSE;
          if (gone)
            members[k].kept = members[i].text;
        }
    }
  return TRUE;
}

static void
choose_part (guint part, guint n_parts, guint thread, gpointer data)
{
  Lot *lot = data;
  guint from = g_array_index (lot->starts, guint, part);
  guint to = part + 1 < n_parts ? g_array_index (lot->starts, guint, part + 1) : lot->members->len;

  if (lot->comparers[thread] == NULL)
    lot->comparers[thread] = text_comparer_new (lot->c);
  if (choose (lot->comparers[thread], &g_array_index (lot->members, Member, from), to - from,
              lot->cancellable))
    return;
  g_mutex_lock (&lot->lock);
  if (lot->error == NULL)
    lot->error = g_steal_pointer (&lot->comparers[thread]->error);
  g_mutex_unlock (&lot->lock);
  g_clear_error (&lot->comparers[thread]->error);
}

static gboolean
choose_lot (Lot *lot, TextTeam *team, guint threads, GError **error)
{
  text_team_run (team, threads, lot->starts->len, choose_part, lot);
  if (lot->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&lot->error));
      return FALSE;
    }
  for (guint i = 0; i < lot->members->len; i++)
    {
      const Member *member = &g_array_index (lot->members, Member, i);
      Fate fate = { member->text, member->kept, member->index };

      if (fate.kept != fate.text)
        g_array_append_val (lot->c->fates, fate);
    }
  g_array_set_size (lot->members, 0);
  g_array_set_size (lot->starts, 0);
  return TRUE;
}

/* Every text that shares its cluster, by cluster. */
static TextSorter *
sort_members (TextCluster *c, GError **error)
{
  TextSorter *sorter = text_sorter_new (sizeof (TextKey), c->memory, c->dir);
  g_autofree guint8 *shared = g_malloc0 (c->n / 8 + 1);

  for (guint32 i = 0; i < c->n; i++)
    {
      guint32 first = text_cluster_first (c, i);

      if (first != i)
        shared[first >> 3] |= (guint8) (1 << (first & 7));
    }
  for (guint32 i = 0; i < c->n; i++)
    {
      TextKey key = { text_cluster_first (c, i), i };

      if ((shared[key.hi >> 3] >> (key.hi & 7) & 1) && !text_sorter_add (sorter, &key, error))
        {
          text_sorter_free (sorter);
          return NULL;
        }
    }
  if (!text_sorter_rewind (sorter, error))
    g_clear_pointer (&sorter, text_sorter_free);
  return sorter;
}

static gboolean
take_members (Lot *lot, TextSorter *sorter, TextTeam *team, guint threads, TextRankFunc rank,
              gpointer data, GError **error)
{
  GError *failed = NULL;
  guint64 cluster = G_MAXUINT64;
  const TextKey *key;

  while ((key = text_sorter_next (sorter, &failed)) != NULL)
    {
      Member member = { .text = (guint32) key->lo, .kept = NOBODY };

      if (key->hi != cluster)
        {
          guint at = lot->members->len;

          if (at >= MEMBERS_AT_ONCE && !choose_lot (lot, team, threads, error))
            return FALSE;
          at = lot->members->len;
          g_array_append_val (lot->starts, at);
          cluster = key->hi;
        }
      if (!rank (member.text, &member.score, &member.at, data, error))
        return FALSE;
      g_array_append_val (lot->members, member);
    }
  if (failed != NULL)
    {
      g_propagate_error (error, failed);
      return FALSE;
    }
  return choose_lot (lot, team, threads, error);
}

static int
fate_order (const void *a, const void *b)
{
  const Fate *x = a, *y = b;

  return (x->text > y->text) - (x->text < y->text);
}

gboolean
text_cluster_choose (TextCluster *c, TextTeam *team, guint threads, TextRankFunc rank,
                     gpointer data, GCancellable *cancellable, GError **error)
{
  Lot lot = { .c = c, .cancellable = cancellable };
  g_autoptr (TextSorter) sorter = sort_members (c, error);
  gboolean ok;

  if (sorter == NULL)
    return FALSE;
  lot.members = g_array_new (FALSE, FALSE, sizeof (Member));
  lot.starts = g_array_new (FALSE, FALSE, sizeof (guint));
  g_mutex_init (&lot.lock);
  ok = take_members (&lot, sorter, team, threads, rank, data, error);
  g_mutex_clear (&lot.lock);
  g_array_unref (lot.members);
  g_array_unref (lot.starts);
  for (guint i = 0; i < TEXT_TEAM_MOST; i++)
    text_comparer_free (lot.comparers[i]);
  g_array_sort (c->fates, fate_order);
  return ok;
}

guint32
text_cluster_kept (const TextCluster *c, guint32 text, double *index)
{
  Fate key = { .text = text };
  const Fate *fate = c->fates->len > 0
                         ? bsearch (&key, c->fates->data, c->fates->len, sizeof (Fate), fate_order)
                         : NULL;

  *index = fate != NULL ? fate->index : 1;
  return fate != NULL ? fate->kept : text;
}
