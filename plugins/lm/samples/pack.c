/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c: orders and micro-batches.
 *
 * Best fit decreasing as in Johnson, "Near-optimal bin packing algorithms"
 * (1973).  The shuffle is Fisher and Yates's with Lemire's unbiased-enough
 * multiply-shift (64 bits for at most 2^32 items).
 */
#include "config.h"

#include "lm/samples.h"

#include <stdlib.h>
#include <string.h>

/* So many steps are sorted by length together: enough for like lengths, few enough to stay random.
 */
#define GROUP_STEPS 50

/* ---- order ---------------------------------------------------------------------------- */

static guint64
below (guint64 random, guint64 n)
{
  return (guint64) (((unsigned __int128) random * n) >> 64);
}

static void
shuffle_items (guint32 *items, gsize n, guint64 key)
{
  for (gsize i = n; i > 1; i--)
    {
      gsize j = below (lm_pack_mix (key, i), i);
      guint32 other = items[j];

      items[j] = items[i - 1];
      items[i - 1] = other;
    }
}

static int
compare_lengths (gconstpointer a, gconstpointer b, gpointer data)
{
  const LmDataset *d = data;
  guint32 i = *(const guint32 *) a, j = *(const guint32 *) b;
  guint32 x = lm_dataset_sample (d, i)->n, y = lm_dataset_sample (d, j)->n;

  if (x != y)
    return x > y ? -1 : 1;
  return i < j ? -1 : i > j;
}

/* Sorts one run of steps by length, then puts its whole steps in random order; a partial one stays
 * last. */
static void
group_lengths (const LmDataset *d, guint32 *items, gsize n, gsize step, guint64 key)
{
  gsize whole = n / step;
  guint32 places[GROUP_STEPS];
  g_autofree guint32 *sorted = NULL;

  g_qsort_with_data (items, (int) n, sizeof *items, compare_lengths, (gpointer) d);
  sorted = g_memdup2 (items, n * sizeof *items);
  for (guint32 i = 0; i < whole; i++)
    places[i] = i;
  shuffle_items (places, whole, key);
  for (gsize i = 0; i < whole; i++)
    memcpy (items + i * step, sorted + places[i] * step, step * sizeof *items);
}

void
lm_pack_order (const LmDataset *d, guint64 seed, guint64 epoch, gsize step, gboolean shuffle,
               gboolean by_length, guint32 *order)
{
  gsize n = lm_dataset_n (d), run = step * GROUP_STEPS;
  guint64 key = lm_pack_mix (seed, epoch);

  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  if (shuffle)
    shuffle_items (order, n, key);
  for (gsize from = 0; by_length && from < n; from += run)
    group_lengths (d, order + from, MIN (run, n - from), step, lm_pack_mix (key, ~from));
}

/* ---- micro-batches ----------------------------------------------------------------------- */

void
lm_pack_init (LmPack *p)
{
  p->samples = g_array_new (FALSE, FALSE, sizeof (guint32));
  p->ends = g_array_new (FALSE, FALSE, sizeof (gsize));
}

void
lm_pack_clear (LmPack *p)
{
  g_clear_pointer (&p->samples, g_array_unref);
  g_clear_pointer (&p->ends, g_array_unref);
}

static gsize
rows_of (const LmDataset *d, guint32 i)
{
  return lm_dataset_sample (d, i)->n - 1;
}

static void
end_micro (LmPack *p)
{
  gsize end = p->samples->len;

  g_array_append_val (p->ends, end);
}

static void
fill_in_order (LmPack *p, const LmDataset *d, const guint32 *samples, gsize n, gsize rows)
{
  gsize used = 0;

  for (gsize i = 0; i < n; i++)
    {
      gsize need = rows_of (d, samples[i]);

      if (used > 0 && used + need > rows)
        {
          end_micro (p);
          used = 0;
        }
      g_array_append_val (p->samples, samples[i]);
      used += need;
    }
  if (used > 0)
    end_micro (p);
}

/* The open micro-batch with the least room that is enough; @n_bins: none. */
static gsize
best_bin (const gsize *room, gsize n_bins, gsize need)
{
  gsize best = n_bins;

  for (gsize b = 0; b < n_bins; b++)
    if (room[b] >= need && (best == n_bins || room[b] < room[best]))
      best = b;
  return best;
}

static void
fill_best (LmPack *p, const LmDataset *d, const guint32 *samples, gsize n, gsize rows)
{
  g_autofree guint32 *sorted = g_memdup2 (samples, n * sizeof *samples);
  g_autofree gsize *room = g_new (gsize, n), *bin = g_new (gsize, n);
  gsize n_bins = 0;

  g_qsort_with_data (sorted, (int) n, sizeof *sorted, compare_lengths, (gpointer) d);
  for (gsize i = 0; i < n; i++)
    {
      gsize need = rows_of (d, sorted[i]);

      bin[i] = best_bin (room, n_bins, need);
      if (bin[i] == n_bins)
        room[n_bins++] = MAX (rows, need);
      room[bin[i]] -= need;
    }
  for (gsize b = 0; b < n_bins; b++)
    {
      for (gsize i = 0; i < n; i++)
        if (bin[i] == b)
          g_array_append_val (p->samples, sorted[i]);
      end_micro (p);
    }
}

void
lm_pack_fill (LmPack *p, const LmDataset *d, const guint32 *samples, gsize n, gsize rows,
              gboolean best_fit)
{
  g_array_set_size (p->samples, 0);
  g_array_set_size (p->ends, 0);
  if (best_fit && n > 0)
    fill_best (p, d, samples, n, rows);
  else
    fill_in_order (p, d, samples, n, rows);
}

/* ---- as the decoder wants it --------------------------------------------------------------- */

void
lm_micro_init (LmMicro *m)
{
  memset (m, 0, sizeof *m);
  m->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  m->positions = g_array_new (FALSE, FALSE, sizeof (gint32));
  m->labels = g_array_new (FALSE, FALSE, sizeof (gint32));
  m->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  m->keys = g_array_new (FALSE, FALSE, sizeof (guint64));
}

void
lm_micro_clear (LmMicro *m)
{
  g_clear_pointer (&m->tokens, g_array_unref);
  g_clear_pointer (&m->positions, g_array_unref);
  g_clear_pointer (&m->labels, g_array_unref);
  g_clear_pointer (&m->starts, g_array_unref);
  g_clear_pointer (&m->keys, g_array_unref);
}

static void
add_sample (LmMicro *m, const guint32 *tokens, gsize n_rows, guint64 key)
{
  for (gsize t = 0; t < n_rows; t++)
    {
      gint32 token = (gint32) (tokens[t] & LM_TOKEN_ID), position = (gint32) t;
      gint32 label = tokens[t + 1] & LM_TOKEN_LEARN ? (gint32) (tokens[t + 1] & LM_TOKEN_ID) : -1;
      guint64 row_key = lm_pack_mix (key, t);

      g_array_append_val (m->tokens, token);
      g_array_append_val (m->positions, position);
      g_array_append_val (m->labels, label);
      if (key != 0)
        g_array_append_val (m->keys, row_key);
      m->n_labels += label >= 0;
    }
}

void
lm_micro_fill (LmMicro *m, const LmDataset *d, const guint32 *samples, gsize n, guint64 key)
{
  GArray *all[] = { m->tokens, m->positions, m->labels, m->starts, m->keys };
  gsize start = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    g_array_set_size (all[i], 0);
  m->n_labels = 0;
  g_array_append_val (m->starts, start);
  for (gsize i = 0; i < n; i++)
    {
      const LmDatasetSample *s = lm_dataset_sample (d, samples[i]);

      add_sample (m, lm_dataset_tokens (d, s), s->n - 1,
                  key != 0 ? lm_pack_mix (key, samples[i]) : 0);
      start = m->tokens->len;
      g_array_append_val (m->starts, start);
    }
  m->batch = (LmBatch){ .n_tokens = m->tokens->len,
                        .n_seqs = n,
                        .tokens = (const gint32 *) (gpointer) m->tokens->data,
                        .positions = (const gint32 *) (gpointer) m->positions->data,
                        .labels = (const gint32 *) (gpointer) m->labels->data,
                        .starts = (const gsize *) (gpointer) m->starts->data,
                        .keys = key != 0 ? (const guint64 *) (gpointer) m->keys->data : NULL };
}
