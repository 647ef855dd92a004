/* SPDX-License-Identifier: Apache-2.0 */
/* lcs.c: longest common subsequences, 64 cells of the table at a time.
 *
 * Hyyrö, "Bit-parallel LCS-length computation revisited" (2004): one row of the table is a string
 * of bits over the places of one sequence, 0 where the length grows by one there; the next row is
 *     U = V & M;  V = (V + U) | (V - U)
 * with M the places that hold the row's token.  The addition carries over the words; V - U cannot
 * borrow, since U is part of V.
 */
#include "config.h"

#include <string.h>

#include "text/score/score-private.h"

void
score_lcs_clear (ScoreLcs *lcs)
{
  g_free (lcs->row);
  g_free (lcs->mask);
  g_free (lcs->rows);
  g_free (lcs->head);
  g_free (lcs->next);
}

static void
need_words (ScoreLcs *lcs, gsize n)
{
  if (n <= lcs->n_words)
    return;
  lcs->n_words = n * 2;
  lcs->row = g_renew (guint64, lcs->row, lcs->n_words);
  lcs->mask = g_renew (guint64, lcs->mask, lcs->n_words);
}

/* For each node the places where a holds it, last first; places count from 1. */
static void
index_places (ScoreLcs *lcs, const guint32 *a, gsize n_a, guint32 n_nodes)
{
  if (lcs->n_head < n_nodes)
    {
      lcs->n_head = (gsize) n_nodes * 2;
      g_free (lcs->head);
      lcs->head = g_new0 (guint32, lcs->n_head);
    }
  if (lcs->n_next < n_a + 1)
    {
      lcs->n_next = (n_a + 1) * 2;
      lcs->next = g_renew (guint32, lcs->next, lcs->n_next);
    }
  for (gsize i = 0; i < n_a; i++)
    {
      lcs->next[i + 1] = lcs->head[a[i]];
      lcs->head[a[i]] = (guint32) i + 1;
    }
}

/* head is all zeros between calls. */
static void
forget_places (ScoreLcs *lcs, const guint32 *a, gsize n_a)
{
  for (gsize i = 0; i < n_a; i++)
    lcs->head[a[i]] = 0;
}

/* The next row of the table, for a token at the places that start with place. */
static void
advance (ScoreLcs *lcs, guint32 place, gsize n_words)
{
  guint64 carry = 0;

  for (guint32 p = place; p != 0; p = lcs->next[p])
    lcs->mask[(p - 1) / 64] |= G_GUINT64_CONSTANT (1) << ((p - 1) % 64);
  for (gsize w = 0; w < n_words; w++)
    {
      guint64 v = lcs->row[w], u = v & lcs->mask[w], sum;

      carry = __builtin_add_overflow (v, carry, &sum);
      carry |= __builtin_add_overflow (sum, u, &sum);
      lcs->row[w] = sum | (v - u);
    }
  for (guint32 p = place; p != 0; p = lcs->next[p])
    lcs->mask[(p - 1) / 64] = 0;
}

static gsize
zeros (const guint64 *row, gsize n)
{
  gsize found = 0;

  for (gsize w = 0; w < n / 64; w++)
    found += 64 - (gsize) __builtin_popcountll (row[w]);
  if (n % 64 != 0)
    found += n % 64
             - (gsize) __builtin_popcountll (row[n / 64]
                                             & ((G_GUINT64_CONSTANT (1) << (n % 64)) - 1));
  return found;
}

gsize
score_lcs_length (ScoreLcs *lcs, const guint32 *a, gsize n_a, const guint32 *b, gsize n_b,
                  guint32 n_nodes)
{
  gsize n_words = (n_a + 63) / 64;

  if (n_a == 0 || n_b == 0)
    return 0;
  need_words (lcs, n_words);
  memset (lcs->row, 0xff, n_words * sizeof (guint64));
  memset (lcs->mask, 0, n_words * sizeof (guint64));
  index_places (lcs, a, n_a, n_nodes);
  for (gsize i = 0; i < n_b; i++)
    if (b[i] != 0 && lcs->head[b[i]] != 0)
      advance (lcs, lcs->head[b[i]], n_words);
  forget_places (lcs, a, n_a);
  return zeros (lcs->row, n_a);
}

void
score_lcs_mark (ScoreLcs *lcs, const guint32 *ref, gsize n_ref, const guint32 *hyp, gsize n_hyp,
                guint32 n_nodes, guint8 *marks)
{
  gsize n_words = (n_hyp + 63) / 64, i = n_ref, j = n_hyp;

  if (n_ref == 0 || n_hyp == 0)
    return;
  need_words (lcs, n_words);
  if (lcs->n_rows < (n_ref + 1) * n_words)
    {
      lcs->n_rows = (n_ref + 1) * n_words * 2;
      g_free (lcs->rows);
      lcs->rows = g_new (guint64, lcs->n_rows);
    }
  memset (lcs->row, 0xff, n_words * sizeof (guint64));
  memset (lcs->mask, 0, n_words * sizeof (guint64));
  memcpy (lcs->rows, lcs->row, n_words * sizeof (guint64));
  index_places (lcs, hyp, n_hyp, n_nodes);
  for (gsize k = 0; k < n_ref; k++)
    {
      if (lcs->head[ref[k]] != 0)
        advance (lcs, lcs->head[ref[k]], n_words);
      memcpy (lcs->rows + (k + 1) * n_words, lcs->row, n_words * sizeof (guint64));
    }
  forget_places (lcs, hyp, n_hyp);
  while (i > 0 && j > 0)
    if (ref[i - 1] == hyp[j - 1])
      {
        marks[--i] = 1;
        j--;
      }
    else if (zeros (lcs->rows + i * n_words, j - 1) > zeros (lcs->rows + (i - 1) * n_words, j))
      j--;
    else
      i--;
}
