/* SPDX-License-Identifier: Apache-2.0 */
/* test-samples.c: samples, orders, micro-batches. */
#include "config.h"

#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lm/samples.h"

/* ---- samples --------------------------------------------------------------------------- */

/* A sample of @n tokens that counts up from @first and learns all but @n_prompt. */
static void
fill (LmSample *s, gint32 first, guint n, guint n_prompt)
{
  g_array_set_size (s->ids, 0);
  g_array_set_size (s->learn, 0);
  s->n_prompt = n_prompt;
  for (guint i = 0; i < n; i++)
    {
      gint32 id = first + (gint32) i;
      guint8 learn = i >= n_prompt;

      g_array_append_val (s->ids, id);
      g_array_append_val (s->learn, learn);
    }
}

static void
sample_new (LmSample *s)
{
  s->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  s->learn = g_array_new (FALSE, FALSE, sizeof (guint8));
  s->n_prompt = 0;
}

static void
sample_free (LmSample *s)
{
  g_array_unref (s->ids);
  g_array_unref (s->learn);
}

static LmDataset *
lm_dataset_of (const guint *lengths, gsize n, const char *dir, gsize limit)
{
  LmDataset *d = lm_dataset_new (dir, limit);
  LmSample s;

  sample_new (&s);
  for (gsize i = 0; i < n; i++)
    {
      fill (&s, (gint32) (i * 100), lengths[i], 1 + (guint) i % 2);
      g_assert_true (lm_dataset_add (d, (FrRowId){ i + 1, 3, 0 }, &s, NULL));
    }
  g_assert_true (lm_dataset_seal (d, NULL));
  sample_free (&s);
  return d;
}

static void
test_dataset (void)
{
  static const guint lengths[] = { 5, 2, 9 };
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autoptr (LmDataset) memory = lm_dataset_of (lengths, 3, NULL, 0);
  g_autoptr (LmDataset) file = lm_dataset_of (lengths, 3, dir, 8);

  g_assert_cmpint (g_rmdir (dir), ==, 0); /* nothing of it has a name */
  g_assert_cmpuint (lm_dataset_n (memory), ==, 3);
  g_assert_cmpuint (lm_dataset_n_tokens (memory), ==, 16);
  g_assert_cmpuint (lm_dataset_n_labels (memory), ==, 4 + 0 + 8);
  g_assert_cmpuint (lm_dataset_longest (memory), ==, 9);
  g_assert_cmpuint (lm_dataset_hash (memory), ==, lm_dataset_hash (file));
  for (gsize i = 0; i < 3; i++)
    {
      const LmDatasetSample *a = lm_dataset_sample (memory, i), *b = lm_dataset_sample (file, i);

      g_assert_cmpuint (a->n, ==, lengths[i]);
      g_assert_cmpmem (lm_dataset_tokens (memory, a), a->n * 4, lm_dataset_tokens (file, b),
                       b->n * 4);
      g_assert_cmpuint (lm_dataset_tokens (file, b)[1] & LM_TOKEN_ID, ==, i * 100 + 1);
      g_assert_false (lm_dataset_tokens (file, b)[0] & LM_TOKEN_LEARN);
    }
}

static void
test_cut (void)
{
  LmSample s;

  sample_new (&s);
  fill (&s, 10, 8, 5);
  lm_dataset_cut (&s, 9, TRUE);
  g_assert_cmpuint (s.ids->len, ==, 8);
  lm_dataset_cut (&s, 6, TRUE);
  g_assert_cmpuint (s.ids->len, ==, 6);
  g_assert_cmpint (g_array_index (s.ids, gint32, 0), ==, 12);
  g_assert_cmpuint (s.n_prompt, ==, 3);
  g_assert_cmpuint (lm_dataset_labels (&s), ==, 3);
  lm_dataset_cut (&s, 4, FALSE);
  g_assert_cmpint (g_array_index (s.ids, gint32, 3), ==, 15);
  g_assert_cmpuint (lm_dataset_labels (&s), ==, 1);
  /* a token that nothing comes before is never predicted */
  lm_dataset_cut (&s, 1, TRUE);
  g_assert_cmpuint (lm_dataset_labels (&s), ==, 0);
  sample_free (&s);
}

/* ---- orders ----------------------------------------------------------------------------- */

static void
assert_permutation (const guint32 *order, gsize n)
{
  g_autofree guint8 *seen = g_new0 (guint8, n);

  for (gsize i = 0; i < n; i++)
    {
      g_assert_cmpuint (order[i], <, n);
      g_assert_cmpuint (seen[order[i]]++, ==, 0);
    }
}

static void
test_order (void)
{
  enum
  {
    N = 1013,
    STEP = 8
  };
  guint lengths[N];
  guint32 a[N], b[N];
  g_autoptr (LmDataset) d = NULL;
  gsize fixed = 0, spread = 0;

  for (guint i = 0; i < N; i++)
    lengths[i] = 2 + (guint) (lm_pack_mix (5, i) % 90);
  d = lm_dataset_of (lengths, N, NULL, 0);
  lm_pack_order (d, 1, 0, STEP, FALSE, FALSE, a);
  for (guint32 i = 0; i < N; i++)
    g_assert_cmpuint (a[i], ==, i);
  lm_pack_order (d, 1, 0, STEP, TRUE, FALSE, a);
  assert_permutation (a, N);
  lm_pack_order (d, 1, 0, STEP, TRUE, FALSE, b);
  g_assert_cmpmem (a, sizeof a, b, sizeof b);
  for (guint32 i = 0; i < N; i++)
    fixed += a[i] == i;
  g_assert_cmpuint (fixed, <, 10);
  lm_pack_order (d, 1, 1, STEP, TRUE, FALSE, b);
  g_assert_cmpint (memcmp (a, b, sizeof a), !=, 0);
  lm_pack_order (d, 2, 0, STEP, TRUE, FALSE, b);
  g_assert_cmpint (memcmp (a, b, sizeof a), !=, 0);
  /* grouped: every sample once, and a step's lengths are close */
  lm_pack_order (d, 1, 0, STEP, TRUE, TRUE, a);
  assert_permutation (a, N);
  for (gsize s = 0; s + STEP <= N; s += STEP)
    {
      guint low = G_MAXUINT, high = 0;

      for (gsize i = s; i < s + STEP; i++)
        {
          low = MIN (low, lengths[a[i]]);
          high = MAX (high, lengths[a[i]]);
        }
      spread += high - low;
    }
  g_assert_cmpuint (spread / (N / STEP), <, 6);
}

/* ---- micro-batches ------------------------------------------------------------------------ */

static gsize
micro_rows (const LmDataset *d, const LmPack *p, gsize m)
{
  gsize from = m > 0 ? g_array_index (p->ends, gsize, m - 1) : 0, rows = 0;

  for (gsize i = from; i < g_array_index (p->ends, gsize, m); i++)
    rows += lm_dataset_sample (d, g_array_index (p->samples, guint32, i))->n - 1;
  return rows;
}

static void
test_pack (void)
{
  /* rows: 6 4 4 3 2 1 in another order: 20 in all, so two of 10 are enough */
  static const guint lengths[] = { 4, 5, 7, 2, 3, 5 };
  static const guint32 all[] = { 0, 1, 2, 3, 4, 5 };
  g_autoptr (LmDataset) d = lm_dataset_of (lengths, 6, NULL, 0);
  LmPack p;

  lm_pack_init (&p);
  lm_pack_fill (&p, d, all, 6, 10, TRUE);
  g_assert_cmpuint (p.ends->len, ==, 2);
  g_assert_cmpuint (micro_rows (d, &p, 0), ==, 10);
  g_assert_cmpuint (micro_rows (d, &p, 1), ==, 10);
  assert_permutation ((const guint32 *) (gpointer) p.samples->data, 6);
  lm_pack_fill (&p, d, all, 6, 10, FALSE);
  g_assert_cmpuint (p.ends->len, ==, 3);
  g_assert_cmpmem (p.samples->data, sizeof all, all, sizeof all);
  /* what is longer than a micro-batch is one by itself */
  lm_pack_fill (&p, d, all, 6, 2, TRUE);
  g_assert_cmpuint (micro_rows (d, &p, 0), ==, 6);
  for (gsize m = 0; m < p.ends->len; m++)
    g_assert_true (micro_rows (d, &p, m) <= 2
                   || g_array_index (p.ends, gsize, m)
                              - (m > 0 ? g_array_index (p.ends, gsize, m - 1) : 0)
                          == 1);
  lm_pack_fill (&p, d, all, 0, 10, TRUE);
  g_assert_cmpuint (p.ends->len, ==, 0);
  lm_pack_clear (&p);
}

static void
test_micro (void)
{
  static const guint lengths[] = { 4, 3, 4 };
  static const guint32 two[] = { 1, 0 }, one[] = { 0 };
  static const gint32 tokens[] = { 100, 101, 0, 1, 2 }, positions[] = { 0, 1, 0, 1, 2 };
  static const gint32 labels[] = { -1, 102, 1, 2, 3 };
  static const gsize starts[] = { 0, 2, 5 };
  g_autoptr (LmDataset) d = lm_dataset_of (lengths, 3, NULL, 0);
  LmMicro a, b;

  lm_micro_init (&a);
  lm_micro_init (&b);
  lm_micro_fill (&a, d, two, 2, 77);
  g_assert_cmpuint (a.batch.n_tokens, ==, 5);
  g_assert_cmpuint (a.batch.n_seqs, ==, 2);
  g_assert_cmpuint (a.n_labels, ==, 4);
  g_assert_cmpmem (a.batch.tokens, sizeof tokens, tokens, sizeof tokens);
  g_assert_cmpmem (a.batch.positions, sizeof positions, positions, sizeof positions);
  g_assert_cmpmem (a.batch.labels, sizeof labels, labels, sizeof labels);
  g_assert_cmpmem (a.batch.starts, sizeof starts, starts, sizeof starts);
  /* a sample's dropout does not depend on its neighbours */
  lm_micro_fill (&b, d, one, 1, 77);
  g_assert_cmpmem (a.batch.keys + 2, 3 * 8, b.batch.keys, 3 * 8);
  g_assert_cmpuint (a.batch.keys[0], !=, b.batch.keys[0]);
  lm_micro_fill (&b, d, one, 1, 78);
  g_assert_cmpuint (a.batch.keys[2], !=, b.batch.keys[0]);
  lm_micro_fill (&b, d, one, 1, 0);
  g_assert_null (b.batch.keys);
  lm_micro_clear (&a);
  lm_micro_clear (&b);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/samples/dataset", test_dataset);
  g_test_add_func ("/samples/cut", test_cut);
  g_test_add_func ("/samples/order", test_order);
  g_test_add_func ("/samples/pack", test_pack);
  g_test_add_func ("/samples/micro", test_micro);
  return g_test_run ();
}
