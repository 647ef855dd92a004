/* SPDX-License-Identifier: Apache-2.0 */
/* cluster-join.c: near pairs are found and joined; see cluster.h.
 *
 *   table     texts by one hash of each: a band of MinHash, two blocks of SimHash
 *   bucket    texts of one hash
 *
 * One table is one part of the work.  A table that its share of memory cannot
 * hold is made in several slices of the space of hashes, one after the other.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "text/cluster-private.h"
#include "text/runs.h"

#define PAIRS_AT_ONCE 8192

/* A text in a table. */
typedef struct
{
  guint64 hash;
  guint32 text;
} Entry;

/* A text of a bucket, and the next one of its group: those that are linked. */
typedef struct
{
  guint32 text;
  guint32 next;
} Member;

#define NOBODY G_MAXUINT32

/* What a thread works in. */
typedef struct
{
  Comparer *comparer;
  Entry *entries, *spare;
  gsize room;
  guint64 *hashes; /* of one band, as read */
  GArray *members; /* Member */
  GArray *groups;  /* guint32: index of the first member */
} Worker;

typedef struct
{
  TextCluster *c;
  GCancellable *cancellable;
  Worker *workers[TEXT_TEAM_MOST];
  gsize room; /* entries of a table */
  guint n_slices;
  GMutex lock;
  GError *error;      /* under lock; the first */
  gint failed;        /* atomic */
  guint64 candidates; /* atomic */
  TextSorter *sorter; /* of pairs, under lock; NULL: join them at once */
} Join;

static void
fail (Join *j, GError *error)
{
  g_mutex_lock (&j->lock);
  if (j->error == NULL)
    j->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&j->lock);
  g_atomic_int_set (&j->failed, TRUE);
}

/* FALSE when the work must end. */
static gboolean
go_on (Join *j)
{
  GError *error = NULL;

  if (g_atomic_int_get (&j->failed))
    return FALSE;
  if (!g_cancellable_set_error_if_cancelled (j->cancellable, &error))
    return TRUE;
  fail (j, error);
  return FALSE;
}

static Worker *
worker_of (Join *j, guint thread)
{
  Worker *w = j->workers[thread];

  if (w != NULL)
    return w;
  w = j->workers[thread] = g_new0 (Worker, 1);
  w->comparer = text_comparer_new (j->c);
  w->entries = g_new (Entry, j->room);
  w->spare = g_new (Entry, j->room);
  w->room = j->room;
  w->hashes = g_new (guint64, BLOCK_TEXTS);
  w->members = g_array_new (FALSE, FALSE, sizeof (Member));
  w->groups = g_array_new (FALSE, FALSE, sizeof (guint32));
  return w;
}

static void
worker_free (Worker *w)
{
  if (w == NULL)
    return;
  text_comparer_free (w->comparer);
  g_free (w->entries);
  g_free (w->spare);
  g_free (w->hashes);
  g_array_unref (w->members);
  g_array_unref (w->groups);
  g_free (w);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

static guint64
scramble (guint64 z)
{
  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* Which bits of a SimHash make the hash of table @table: the @table-th two of distance + 2 blocks.
 */
static guint64
mask_of (guint distance, guint table)
{
  guint n = distance + 2;
  guint64 mask = 0;

  for (guint a = 0; a < n; a++)
    for (guint b = a + 1; b < n; b++)
      {
        guint blocks[2] = { a, b };

        if (table-- != 0)
          continue;
        for (guint i = 0; i < 2; i++)
          for (guint bit = 64 * blocks[i] / n; bit < 64 * (blocks[i] + 1) / n; bit++)
            mask |= (guint64) 1 << bit;
        return mask;
      }
  return mask;
}

/* The hashes of @n texts from @from on, @n at most BLOCK_TEXTS and @from a multiple of it. */
static gboolean
read_hashes (Join *j, Worker *w, guint table, guint32 from, guint32 n, GError **error)
{
  TextCluster *c = j->c;
  guint64 block = (guint64) (from / BLOCK_TEXTS) * BLOCK_TEXTS * c->counts.bands, mask;

  if (!c->rule.simhash)
    return text_store_read (c->bands, (block + (guint64) table * n) * sizeof (guint64), w->hashes,
                            n * sizeof (guint64), error);
  if (!text_store_read (c->sketches, from * sizeof (guint64), w->hashes, n * sizeof (guint64),
                        error))
    return FALSE;
  mask = mask_of (c->rule.distance, table);
  for (guint32 i = 0; i < n; i++)
    w->hashes[i] = scramble ((w->hashes[i] & mask) + 1);
  return TRUE;
}

static guint
slice_of (const Join *j, guint64 hash)
{
  return (guint) (((hash >> 32) * j->n_slices) >> 32);
}

/* The entries of a slice, in the order of texts; a slice may be larger than was to be expected. */
static gboolean
fill_table (Join *j, Worker *w, guint table, guint slice, gsize *n_entries, GError **error)
{
  gsize n = 0;

  for (guint32 from = 0; from < j->c->n; from += MIN (BLOCK_TEXTS, j->c->n - from))
    {
      guint32 size = MIN (BLOCK_TEXTS, j->c->n - from);

      if (!read_hashes (j, w, table, from, size, error))
        return FALSE;
      if (n + size > w->room)
        {
          w->room += w->room / 2 + BLOCK_TEXTS;
          w->entries = g_renew (Entry, w->entries, w->room);
          w->spare = g_renew (Entry, w->spare, w->room);
        }
      for (guint32 i = 0; i < size; i++)
        {
          w->entries[n] = (Entry){ w->hashes[i], from + i };
          n += j->n_slices == 1 || slice_of (j, w->hashes[i]) == slice;
        }
    }
  *n_entries = n;
  return TRUE;
}

static int
entry_order (const void *a, const void *b)
{
  const Entry *x = a, *y = b;

  if (x->hash != y->hash)
    return x->hash < y->hash ? -1 : 1;
  return (x->text > y->text) - (x->text < y->text);
}

/* By hash, then text: scattered by some bits of the hash into heaps of about
 * four, each then sorted by itself.  The slices used the top bits. */
static Entry *
sort_table (Worker *w, gsize n)
{
  guint bits = 1;
  g_autofree guint32 *starts = NULL;
  guint64 mask;

  while (bits < 24 && ((gsize) 4 << bits) < n)
    bits++;
  mask = ((guint64) 1 << bits) - 1;
  starts = g_new0 (guint32, mask + 2);
  for (gsize i = 0; i < n; i++)
    starts[(w->entries[i].hash & mask) + 1]++;
  for (guint64 i = 1; i <= mask + 1; i++)
    starts[i] += starts[i - 1];
  for (gsize i = 0; i < n; i++)
    w->spare[starts[w->entries[i].hash & mask]++] = w->entries[i];
  for (guint64 heap = 0, from = 0; heap <= mask; from = starts[heap++])
    {
      Entry *e = w->spare + from;
      gsize size = starts[heap] - from;

      if (size > 32)
        {
          qsort (e, size, sizeof *e, entry_order);
          continue;
        }
      for (gsize i = 1; i < size; i++)
        {
          Entry one = e[i];
          gsize at = i;

          for (; at > 0 && e[at - 1].hash > one.hash; at--)
            e[at] = e[at - 1];
          e[at] = one;
        }
    }
  return w->spare;
}

/* ---- buckets: joining at once
 * --------------------------------------------------------------------- */

static Member *
member_of (Worker *w, guint32 i)
{
  return &g_array_index (w->members, Member, i);
}

/* Whether @text is near to a member of the group that begins with @first. */
static gboolean
near_to_group (Join *j, Worker *w, guint32 first, guint32 text, gboolean *near)
{
  *near = FALSE;
  for (guint32 i = first; i != NOBODY && !*near; i = member_of (w, i)->next)
    {
      if (!text_comparer_near (w->comparer, member_of (w, i)->text, text, near))
        {
          fail (j, g_steal_pointer (&w->comparer->error));
          return FALSE;
        }
      if (*near)
        text_cluster_unite (j->c, member_of (w, i)->text, text);
    }
  return TRUE;
}

/* Puts the group that begins with @second behind the one that begins with @first. */
static void
append_group (Worker *w, guint32 first, guint32 second)
{
  guint32 rest = member_of (w, first)->next, last = second;

  /* The order within a group means nothing, so the shorter walk is taken. */
  while (member_of (w, last)->next != NOBODY)
    last = member_of (w, last)->next;
  member_of (w, last)->next = rest;
  member_of (w, first)->next = second;
}

/* Texts of one hash.  Only texts that nothing links yet are compared: of a
 * thousand copies with small changes each, a thousand pairs and not half a
 * million. */
static gboolean
join_bucket (Join *j, Worker *w, const Entry *entries, gsize n)
{
  g_array_set_size (w->members, 0);
  g_array_set_size (w->groups, 0);
  for (gsize k = 0; k < n; k++)
    {
      Member own = { entries[k].text, NOBODY };
      guint32 at = w->members->len, mine = NOBODY;

      if (!go_on (j))
        return FALSE;
      g_array_append_val (w->members, own);
      for (guint g = 0; g < w->groups->len; g++)
        {
          guint32 first = g_array_index (w->groups, guint32, g);
          gboolean linked = text_cluster_first (j->c, member_of (w, first)->text)
                            == text_cluster_first (j->c, own.text);

          if (!linked && !near_to_group (j, w, first, own.text, &linked))
            return FALSE;
          if (!linked)
            continue;
          if (mine == NOBODY)
            {
              append_group (w, first, at);
              mine = first;
            }
          else
            {
              append_group (w, mine, first);
              g_array_remove_index_fast (w->groups, g--);
            }
        }
      if (mine == NOBODY)
        g_array_append_val (w->groups, at);
    }
  return TRUE;
}

/* ---- buckets: keeping pairs
 * ------------------------------------------------------------------------ */

static gboolean
note_bucket (Join *j, Worker *w, const Entry *entries, gsize n)
{
  for (gsize a = 0; a < n; a++)
    {
      if (!go_on (j))
        return FALSE;
      for (gsize b = a + 1; b < n; b++)
        {
          TextKey pair = { entries[a].text, entries[b].text };
          GError *error = NULL;
          gboolean promising, ok = TRUE;

          if (!text_comparer_promising (w->comparer, entries[a].text, entries[b].text, &promising))
            {
              fail (j, g_steal_pointer (&w->comparer->error));
              return FALSE;
            }
          if (!promising)
            continue;
          g_mutex_lock (&j->lock);
          ok = text_sorter_add (j->sorter, &pair, &error);
          g_mutex_unlock (&j->lock);
          if (!ok)
            {
              fail (j, error);
              return FALSE;
            }
        }
    }
  return TRUE;
}

/* ---- the work ----------------------------------------------------------------------------------
 */

static gboolean
look_into_buckets (Join *j, Worker *w, const Entry *entries, gsize n)
{
  guint64 candidates = 0;

  for (gsize from = 0, to; from < n; from = to)
    {
      gsize size;

      for (to = from + 1; to < n && entries[to].hash == entries[from].hash; to++)
        ;
      size = to - from;
      if (size == 1)
        continue;
      candidates += (guint64) size * (size - 1) / 2;
      if (!(j->sorter != NULL ? note_bucket : join_bucket) (j, w, entries + from, size))
        return FALSE;
    }
  __atomic_fetch_add (&j->candidates, candidates, __ATOMIC_RELAXED);
  return TRUE;
}

static void
join_table (guint part, guint n_parts, guint thread, gpointer data)
{
  Join *j = data;
  Worker *w;
  GError *error = NULL;

  (void) n_parts;
  if (!go_on (j))
    return;
  w = worker_of (j, thread);
  for (guint slice = 0; slice < j->n_slices; slice++)
    {
      gsize n;

      if (!go_on (j))
        return;
      if (!fill_table (j, w, part, slice, &n, &error))
        {
          fail (j, error);
          return;
        }
      if (!look_into_buckets (j, w, sort_table (w, n), n))
        return;
    }
}

/* ---- pairs in order
 * ------------------------------------------------------------------------------ */

typedef struct
{
  Join *j;
  guint n;
  TextKey pairs[PAIRS_AT_ONCE];
  double indices[PAIRS_AT_ONCE];
} Lot;

#define PER_PART 64

static void
compare_lot (guint part, guint n_parts, guint thread, gpointer data)
{
  Lot *lot = data;
  Join *j = lot->j;
  Worker *w;

  (void) n_parts;
  if (!go_on (j))
    return;
  w = worker_of (j, thread);
  for (guint i = part * PER_PART; i < MIN ((part + 1) * PER_PART, lot->n); i++)
    if (!text_comparer_index (w->comparer, (guint32) lot->pairs[i].hi, (guint32) lot->pairs[i].lo,
                              &lot->indices[i]))
      {
        fail (j, g_steal_pointer (&w->comparer->error));
        return;
      }
}

static gboolean
settle_lot (Lot *lot, TextTeam *team, guint threads, TextPairFunc func, gpointer data,
            GError **error)
{
  Join *j = lot->j;
  TextCluster *c = j->c;

  text_team_run (team, threads, (lot->n + PER_PART - 1) / PER_PART, compare_lot, lot);
  if (j->failed)
    return FALSE;
  for (guint i = 0; i < lot->n; i++)
    {
      guint32 a = (guint32) lot->pairs[i].hi, b = (guint32) lot->pairs[i].lo;

      c->counts.compared++;
      if (!text_cluster_enough (c, lot->indices[i]))
        continue;
      c->counts.near++;
      text_cluster_unite (c, a, b);
      if (!func (a, b, lot->indices[i], data, error))
        return FALSE;
    }
  lot->n = 0;
  return TRUE;
}

static gboolean
settle_pairs (Join *j, TextTeam *team, guint threads, TextPairFunc func, gpointer data,
              GError **error)
{
  g_autofree Lot *lot = g_new (Lot, 1);
  GError *failed = NULL;
  TextKey last = { G_MAXUINT64, 0 };
  const TextKey *pair;

  lot->j = j;
  lot->n = 0;
  if (!text_sorter_rewind (j->sorter, error))
    return FALSE;
  while ((pair = text_sorter_next (j->sorter, &failed)) != NULL)
    {
      if (text_key_order (*pair, last) == 0)
        continue;
      last = lot->pairs[lot->n++] = *pair;
      if (lot->n == PAIRS_AT_ONCE && !settle_lot (lot, team, threads, func, data, error))
        return FALSE;
    }
  if (failed != NULL)
    {
      g_propagate_error (error, failed);
      return FALSE;
    }
  return settle_lot (lot, team, threads, func, data, error);
}

gboolean
text_cluster_join (TextCluster *c, TextTeam *team, guint threads, TextPairFunc pairs, gpointer data,
                   GCancellable *cancellable, GError **error)
{
  Join j = { .c = c, .cancellable = cancellable };
  gsize room;
  gboolean ok;

  if (!text_cluster_seal (c, error))
    return FALSE;
  if (c->n < 2)
    return TRUE;
  threads = CLAMP (threads, 1, MIN (TEXT_TEAM_MOST, c->counts.bands));
  /* Two places for each entry, and the heads of heaps. */
  room = (gsize) MAX (c->memory / threads / (2 * sizeof (Entry) + sizeof (guint32)), 4096);
  j.n_slices = (guint) (c->n / room + 1);
  j.room = j.n_slices == 1 ? c->n + 1 : room + room / 8;
  g_mutex_init (&j.lock);
  if (pairs != NULL)
    j.sorter = text_sorter_new (sizeof (TextKey), c->memory, c->dir);
  text_team_run (team, threads, c->counts.bands, join_table, &j);
  ok = !j.failed;
  c->counts.candidates = j.candidates;
  if (ok && pairs != NULL)
    ok = settle_pairs (&j, team, threads, pairs, data, error);
  if (j.error != NULL)
    {
      if (error != NULL && *error == NULL)
        g_propagate_error (error, j.error);
      else
        g_error_free (j.error);
    }
  for (guint i = 0; i < TEXT_TEAM_MOST; i++)
    worker_free (j.workers[i]);
  text_sorter_free (j.sorter);
  g_mutex_clear (&j.lock);
  return ok;
}
