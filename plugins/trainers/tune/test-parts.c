/* SPDX-License-Identifier: Apache-2.0 */
/* test-parts.c: the parts of a training that need no model: schedule, samples, orders,
 * micro-batches, checkpoints. */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "checkpoint.h"
#include "dataset.h"
#include "pack.h"
#include "schedule.h"

/* ---- schedule ------------------------------------------------------------------------ */

static void
test_schedule (void)
{
  g_assert_cmpuint (schedule_warmup (0.03, 100), ==, 3);
  g_assert_cmpuint (schedule_warmup (0.03, 10), ==, 1);
  g_assert_cmpuint (schedule_warmup (0, 10), ==, 0);
  g_assert_cmpuint (schedule_warmup (7, 10), ==, 7);
  for (ScheduleKind kind = SCHEDULE_COSINE; kind <= SCHEDULE_CONSTANT; kind++)
    {
      g_assert_cmpfloat (schedule_factor (kind, 1, 3, 103), ==, 0.25);
      g_assert_cmpfloat (schedule_factor (kind, 3, 3, 103), ==, 0.75);
      g_assert_cmpfloat (schedule_factor (kind, 4, 3, 103), ==, 1);
      g_assert_cmpfloat (schedule_factor (kind, 1, 0, 1), ==, 1);
    }
  g_assert_cmpfloat (fabs (schedule_factor (SCHEDULE_COSINE, 54, 3, 103) - 0.5), <, 1e-12);
  g_assert_cmpfloat (fabs (schedule_factor (SCHEDULE_LINEAR, 79, 3, 103) - 0.25), <, 1e-12);
  g_assert_cmpfloat (schedule_factor (SCHEDULE_CONSTANT, 103, 3, 103), ==, 1);
  g_assert_cmpfloat (schedule_factor (SCHEDULE_COSINE, 103, 3, 103), >, 0);
  g_assert_cmpfloat (schedule_factor (SCHEDULE_LINEAR, 104, 3, 103), ==, 0);
}

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

static Dataset *
dataset_of (const guint *lengths, gsize n, const char *dir, gsize limit)
{
  Dataset *d = dataset_new (dir, limit);
  LmSample s;

  sample_new (&s);
  for (gsize i = 0; i < n; i++)
    {
      fill (&s, (gint32) (i * 100), lengths[i], 1 + (guint) i % 2);
      g_assert_true (dataset_add (d, (FrRowId){ i + 1, 3, 0 }, &s, NULL));
    }
  g_assert_true (dataset_seal (d, NULL));
  sample_free (&s);
  return d;
}

static void
test_dataset (void)
{
  static const guint lengths[] = { 5, 2, 9 };
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autoptr (Dataset) memory = dataset_of (lengths, 3, NULL, 0);
  g_autoptr (Dataset) file = dataset_of (lengths, 3, dir, 8);

  g_assert_cmpint (g_rmdir (dir), ==, 0); /* nothing of it has a name */
  g_assert_cmpuint (dataset_n (memory), ==, 3);
  g_assert_cmpuint (dataset_n_tokens (memory), ==, 16);
  g_assert_cmpuint (dataset_n_labels (memory), ==, 4 + 0 + 8);
  g_assert_cmpuint (dataset_longest (memory), ==, 9);
  g_assert_cmpuint (dataset_hash (memory), ==, dataset_hash (file));
  for (gsize i = 0; i < 3; i++)
    {
      const Sample *a = dataset_sample (memory, i), *b = dataset_sample (file, i);

      g_assert_cmpuint (a->n, ==, lengths[i]);
      g_assert_cmpmem (dataset_tokens (memory, a), a->n * 4, dataset_tokens (file, b), b->n * 4);
      g_assert_cmpuint (dataset_tokens (file, b)[1] & TOKEN_ID, ==, i * 100 + 1);
      g_assert_false (dataset_tokens (file, b)[0] & TOKEN_LEARN);
    }
}

static void
test_cut (void)
{
  LmSample s;

  sample_new (&s);
  fill (&s, 10, 8, 5);
  dataset_cut (&s, 9, TRUE);
  g_assert_cmpuint (s.ids->len, ==, 8);
  dataset_cut (&s, 6, TRUE);
  g_assert_cmpuint (s.ids->len, ==, 6);
  g_assert_cmpint (g_array_index (s.ids, gint32, 0), ==, 12);
  g_assert_cmpuint (s.n_prompt, ==, 3);
  g_assert_cmpuint (dataset_labels (&s), ==, 3);
  dataset_cut (&s, 4, FALSE);
  g_assert_cmpint (g_array_index (s.ids, gint32, 3), ==, 15);
  g_assert_cmpuint (dataset_labels (&s), ==, 1);
  /* a token that nothing comes before is never predicted */
  dataset_cut (&s, 1, TRUE);
  g_assert_cmpuint (dataset_labels (&s), ==, 0);
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
  g_autoptr (Dataset) d = NULL;
  gsize fixed = 0, spread = 0;

  for (guint i = 0; i < N; i++)
    lengths[i] = 2 + (guint) (pack_mix (5, i) % 90);
  d = dataset_of (lengths, N, NULL, 0);
  pack_order (d, 1, 0, STEP, FALSE, FALSE, a);
  for (guint32 i = 0; i < N; i++)
    g_assert_cmpuint (a[i], ==, i);
  pack_order (d, 1, 0, STEP, TRUE, FALSE, a);
  assert_permutation (a, N);
  pack_order (d, 1, 0, STEP, TRUE, FALSE, b);
  g_assert_cmpmem (a, sizeof a, b, sizeof b);
  for (guint32 i = 0; i < N; i++)
    fixed += a[i] == i;
  g_assert_cmpuint (fixed, <, 10);
  pack_order (d, 1, 1, STEP, TRUE, FALSE, b);
  g_assert_cmpint (memcmp (a, b, sizeof a), !=, 0);
  pack_order (d, 2, 0, STEP, TRUE, FALSE, b);
  g_assert_cmpint (memcmp (a, b, sizeof a), !=, 0);
  /* grouped: every sample once, and a step's lengths are close */
  pack_order (d, 1, 0, STEP, TRUE, TRUE, a);
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
micro_rows (const Dataset *d, const Pack *p, gsize m)
{
  gsize from = m > 0 ? g_array_index (p->ends, gsize, m - 1) : 0, rows = 0;

  for (gsize i = from; i < g_array_index (p->ends, gsize, m); i++)
    rows += dataset_sample (d, g_array_index (p->samples, guint32, i))->n - 1;
  return rows;
}

static void
test_pack (void)
{
  /* rows: 6 4 4 3 2 1 in another order: 20 in all, so two of 10 are enough */
  static const guint lengths[] = { 4, 5, 7, 2, 3, 5 };
  static const guint32 all[] = { 0, 1, 2, 3, 4, 5 };
  g_autoptr (Dataset) d = dataset_of (lengths, 6, NULL, 0);
  Pack p;

  pack_init (&p);
  pack_fill (&p, d, all, 6, 10, TRUE);
  g_assert_cmpuint (p.ends->len, ==, 2);
  g_assert_cmpuint (micro_rows (d, &p, 0), ==, 10);
  g_assert_cmpuint (micro_rows (d, &p, 1), ==, 10);
  assert_permutation ((const guint32 *) (gpointer) p.samples->data, 6);
  pack_fill (&p, d, all, 6, 10, FALSE);
  g_assert_cmpuint (p.ends->len, ==, 3);
  g_assert_cmpmem (p.samples->data, sizeof all, all, sizeof all);
  /* what is longer than a micro-batch is one by itself */
  pack_fill (&p, d, all, 6, 2, TRUE);
  g_assert_cmpuint (micro_rows (d, &p, 0), ==, 6);
  for (gsize m = 0; m < p.ends->len; m++)
    g_assert_true (micro_rows (d, &p, m) <= 2
                   || g_array_index (p.ends, gsize, m)
                              - (m > 0 ? g_array_index (p.ends, gsize, m - 1) : 0)
                          == 1);
  pack_fill (&p, d, all, 0, 10, TRUE);
  g_assert_cmpuint (p.ends->len, ==, 0);
  pack_clear (&p);
}

static void
test_micro (void)
{
  static const guint lengths[] = { 4, 3, 4 };
  static const guint32 two[] = { 1, 0 }, one[] = { 0 };
  static const gint32 tokens[] = { 100, 101, 0, 1, 2 }, positions[] = { 0, 1, 0, 1, 2 };
  static const gint32 labels[] = { -1, 102, 1, 2, 3 };
  static const gsize starts[] = { 0, 2, 5 };
  g_autoptr (Dataset) d = dataset_of (lengths, 3, NULL, 0);
  Micro a, b;

  micro_init (&a);
  micro_init (&b);
  micro_fill (&a, d, two, 2, 77);
  g_assert_cmpuint (a.batch.n_tokens, ==, 5);
  g_assert_cmpuint (a.batch.n_seqs, ==, 2);
  g_assert_cmpuint (a.n_labels, ==, 4);
  g_assert_cmpmem (a.batch.tokens, sizeof tokens, tokens, sizeof tokens);
  g_assert_cmpmem (a.batch.positions, sizeof positions, positions, sizeof positions);
  g_assert_cmpmem (a.batch.labels, sizeof labels, labels, sizeof labels);
  g_assert_cmpmem (a.batch.starts, sizeof starts, starts, sizeof starts);
  /* a sample's dropout does not depend on its neighbours */
  micro_fill (&b, d, one, 1, 77);
  g_assert_cmpmem (a.batch.keys + 2, 3 * 8, b.batch.keys, 3 * 8);
  g_assert_cmpuint (a.batch.keys[0], !=, b.batch.keys[0]);
  micro_fill (&b, d, one, 1, 78);
  g_assert_cmpuint (a.batch.keys[2], !=, b.batch.keys[0]);
  micro_fill (&b, d, one, 1, 0);
  g_assert_null (b.batch.keys);
  micro_clear (&a);
  micro_clear (&b);
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static void
write_one (const char *dir, const char *kind, guint64 step, const float *numbers, gsize n)
{
  g_autoptr (JsonNode) meta = fr_json_parse ("{\"loss\": 0.1}", -1, 0, NULL);
  g_autoptr (GError) error = NULL;
  CheckpointWriter *w = checkpoint_begin (dir, kind, step, meta, &error);

  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    g_assert_true (checkpoint_put (w, numbers + i, 1, &error));
  g_assert_true (checkpoint_commit (w, &error));
  g_assert_no_error (error);
}

static void
test_checkpoint (void)
{
  static const float numbers[] = { 1.5f, -0.0f, 3e-40f };
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autoptr (Checkpoint) c = NULL;
  g_autoptr (GArray) steps = NULL;
  g_autoptr (GError) error = NULL;
  guint64 keep[] = { 30, 200000000 };
  float back[3];

  write_one (dir, "state", 30, numbers, 3);
  write_one (dir, "state", 4, numbers, 0);
  write_one (dir, "state", 200000000, numbers, 1);
  write_one (dir, "best", 5, numbers, 3);
  steps = checkpoint_steps (dir, "state");
  g_assert_cmpuint (steps->len, ==, 3);
  g_assert_cmpuint (g_array_index (steps, guint64, 0), ==, 200000000);
  g_assert_cmpuint (g_array_index (steps, guint64, 2), ==, 4);
  c = checkpoint_open (dir, "state", 30, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (c->n_numbers, ==, 3);
  g_assert_true (checkpoint_get (c, 0, back, 3));
  g_assert_cmpmem (back, sizeof back, numbers, sizeof numbers);
  g_assert_false (checkpoint_get (c, 2, back, 2));
  g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (c->meta), "loss"), ==,
                     0.1);
  checkpoint_keep (dir, "state", keep, 2);
  g_array_unref (steps);
  steps = checkpoint_steps (dir, "state");
  g_assert_cmpuint (steps->len, ==, 2);
  checkpoint_keep (dir, "state", NULL, 0);
  checkpoint_keep (dir, "best", NULL, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* Any byte changed, any byte missing: refused, and not as something else. */
static void
test_checkpoint_damaged (void)
{
  static const float numbers[] = { 1, 2 };
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "state-00000007", NULL), *whole = NULL;
  gsize len;

  write_one (dir, "state", 7, numbers, 2);
  g_assert_true (g_file_get_contents (path, &whole, &len, NULL));
  for (gsize i = 0; i < 2 * len; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *bytes = g_memdup2 (whole, len);

      if (i < len)
        bytes[i] ^= 0x10;
      g_assert_true (
          g_file_set_contents (path, bytes, i < len ? (gssize) len : (gssize) (i - len), NULL));
      g_assert_null (checkpoint_open (dir, "state", 7, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_nonnull (strstr (error->message, "damaged"));
    }
  checkpoint_keep (dir, "state", NULL, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* What was being written when the process died, or was given up, is not there. */
static void
test_checkpoint_unfinished (void)
{
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autofree char *left = g_build_filename (dir, "writing-state-00000009", NULL);
  g_autoptr (JsonNode) meta = fr_json_parse ("{}", -1, 0, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) steps = NULL;
  CheckpointWriter *w = checkpoint_begin (dir, "state", 1, meta, NULL);

  checkpoint_abandon (w);
  g_assert_true (g_file_set_contents (left, "FRT", -1, NULL));
  steps = checkpoint_steps (dir, "state");
  g_assert_cmpuint (steps->len, ==, 0);
  g_assert_null (checkpoint_begin ("/nonexistent", "state", 1, meta, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  checkpoint_keep (dir, "state", NULL, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tune/schedule", test_schedule);
  g_test_add_func ("/tune/dataset", test_dataset);
  g_test_add_func ("/tune/cut", test_cut);
  g_test_add_func ("/tune/order", test_order);
  g_test_add_func ("/tune/pack", test_pack);
  g_test_add_func ("/tune/micro", test_micro);
  g_test_add_func ("/tune/checkpoint", test_checkpoint);
  g_test_add_func ("/tune/checkpoint-damaged", test_checkpoint_damaged);
  g_test_add_func ("/tune/checkpoint-unfinished", test_checkpoint_unfinished);
  return g_test_run ();
}
