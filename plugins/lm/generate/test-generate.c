/* SPDX-License-Identifier: Apache-2.0 */
/* test-generate.c: choosing tokens by definition and by count; slots, stop strings and ends on a small random model. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#include "lm/chat/test-model.h"
#include "lm/generate.h"

#define V 6

static const LmSampling greedy = { .temperature = 0, .top_p = 1, .repetition_penalty = 1, .max_tokens = 24 };

/* Shares of 20000 draws from fixed logits. */
static void
shares (LmSampling sampling, const gint32 *seen, gsize n_seen, double *out)
{
  static const float logits[V] = { 1, 3, 2, -1, 3, 0 };
  guint64 rng = 5;

  memset (out, 0, V * sizeof *out);
  for (guint i = 0; i < 20000; i++)
    {
      float copy[V];
      double logprob;

      memcpy (copy, logits, sizeof copy);
      out[lm_sample (copy, V, &sampling, seen, n_seen, &rng, &logprob)] += 1 / 20000.0;
      g_assert_true (logprob < 0);
    }
}

static void
assert_shares (LmSampling sampling, const gint32 *seen, gsize n_seen, const double *weights)
{
  double got[V], sum = 0;

  shares (sampling, seen, n_seen, got);
  for (guint i = 0; i < V; i++)
    sum += weights[i];
  for (guint i = 0; i < V; i++)
    {
      if (weights[i] == 0)
        g_assert_cmpfloat (got[i], ==, 0);
      g_assert_cmpfloat (fabs (got[i] - weights[i] / sum), <, 0.012);
    }
}

static void
test_sample (void)
{
  LmSampling s = { .temperature = 1, .top_p = 1, .repetition_penalty = 1 };
  const double e = exp (1);
  const gint32 seen[] = { 1, 3, 1 };
  double got[V];

  assert_shares (s, NULL, 0, (double[V]){ e, e * e * e, e * e, 1 / e, e * e * e, 1 });
  s.temperature = 0.5;
  assert_shares (s, NULL, 0, (double[V]){ exp (2), exp (6), exp (4), exp (-2), exp (6), 1 });
  s.temperature = 1;
  s.top_k = 3;
  assert_shares (s, NULL, 0, (double[V]){ 0, exp (3), exp (2), 0, exp (3), 0 });
  s.top_k = 1; /* equal logits stay together */
  assert_shares (s, NULL, 0, (double[V]){ 0, 1, 0, 0, 1, 0 });
  s.top_k = 0;
  s.top_p = 0.9; /* 0.39, 0.39, 0.14 reach it; 0.05, 0.02, 0.007 go */
  assert_shares (s, NULL, 0, (double[V]){ 0, exp (3), exp (2), 0, exp (3), 0 });
  s.top_p = 1;
  s.min_p = 0.2;
  assert_shares (s, NULL, 0, (double[V]){ 0, exp (3), exp (2), 0, exp (3), 0 });
  s.min_p = 0;
  s.repetition_penalty = 2;
  assert_shares (s, seen, 3, (double[V]){ e, exp (1.5), exp (2), exp (-2), exp (3), 1 });
  s.temperature = 0;
  shares (s, seen, 3, got);
  g_assert_cmpfloat (got[4], >, 0.99);
  shares (greedy, NULL, 0, got); /* the lower of equals */
  g_assert_cmpfloat (got[1], >, 0.99);
}

/* ---- whole answers ------------------------------------------------------------------------------ */

typedef struct
{
  LmModel *model;
  LmCompute *compute;
  LmDecoder *decoder;
  LmJob *jobs;
  GPtrArray *prompts;
  gsize n;
} Fixture;

static void
fixture_init (Fixture *f, guint context, guint n)
{
  LmDecoderOptions options = { .type = LM_F32 };
  g_autoptr (GError) error = NULL;

  f->model = test_model (context, NULL);
  f->compute = lm_compute_open_class (lm_compute_reference (), 1, &error);
  f->decoder = lm_decoder_new (f->model, f->compute, &options, &error);
  g_assert_no_error (error);
  f->n = n;
  f->jobs = g_new0 (LmJob, n);
  f->prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (guint i = 0; i < n; i++)
    {
      GArray *prompt = g_array_new (FALSE, FALSE, sizeof (gint32));

      for (guint k = 0; k < 3 + i * 5; k++)
        {
          gint32 id = (gint32) (33 + (i * 7 + k * 11) % 90);

          g_array_append_val (prompt, id);
        }
      g_ptr_array_add (f->prompts, prompt);
      f->jobs[i] = (LmJob){ .prompt = (const gint32 *) (gpointer) prompt->data, .n_prompt = prompt->len, .seed = 100 + i,
                            .text = g_string_new (NULL), .ids = g_array_new (FALSE, FALSE, sizeof (gint32)) };
    }
}

static void
fixture_clear (Fixture *f)
{
  for (gsize i = 0; i < f->n; i++)
    {
      g_string_free (f->jobs[i].text, TRUE);
      g_array_unref (f->jobs[i].ids);
    }
  g_free (f->jobs);
  g_ptr_array_unref (f->prompts);
  lm_decoder_free (f->decoder);
  lm_compute_close (f->compute);
  fr_object_unref (f->model);
}

static void
run (Fixture *f, const LmSampling *sampling, guint batch)
{
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < f->n; i++)
    {
      g_string_truncate (f->jobs[i].text, 0);
      g_array_set_size (f->jobs[i].ids, 0);
    }
  g_assert_true (lm_generate (f->decoder, lm_model_tokenizer (f->model, NULL), sampling, f->jobs, f->n, batch, NULL, &error));
  g_assert_no_error (error);
}

static char *
all_ids (const Fixture *f)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < f->n; i++)
    {
      for (guint k = 0; k < f->jobs[i].ids->len; k++)
        g_string_append_printf (out, "%d ", g_array_index (f->jobs[i].ids, gint32, k));
      g_string_append_printf (out, "(%d)\n", f->jobs[i].stop);
    }
  return g_string_free (out, FALSE);
}

/* Greedy without a cache: the whole sequence anew for each token. */
static void
test_greedy (void)
{
  Fixture f;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree float *logits = g_new (float, 259 * 64);

  fixture_init (&f, 64, 1);
  run (&f, &greedy, 1);
  g_assert_cmpuint (f.jobs[0].ids->len, ==, 24);
  g_assert_cmpint (f.jobs[0].stop, ==, LM_STOP_LENGTH);
  g_array_append_vals (tokens, f.jobs[0].prompt, (guint) f.jobs[0].n_prompt);
  for (guint i = 0; i < 24; i++)
    {
      g_autofree gint32 *positions = g_new (gint32, tokens->len), *labels = g_new (gint32, tokens->len);
      gsize starts[2] = { 0, tokens->len }, best = 0;
      LmBatch batch = { .n_tokens = tokens->len, .n_seqs = 1, .tokens = (const gint32 *) (gpointer) tokens->data,
                        .positions = positions, .labels = labels, .starts = starts };
      const float *last = logits + (tokens->len - 1) * 259;
      gint32 id;

      for (guint k = 0; k < tokens->len; k++)
        {
          positions[k] = (gint32) k;
          labels[k] = -1;
        }
      g_assert_true (lm_decoder_logits (f.decoder, &batch, logits, NULL));
      for (gsize v = 1; v < 259; v++)
        if (last[v] > last[best])
          best = v;
      id = (gint32) best;
      g_assert_cmpint (g_array_index (f.jobs[0].ids, gint32, i), ==, id);
      g_array_append_val (tokens, id);
    }
  fixture_clear (&f);
}

static void
test_batching (void)
{
  LmSampling s = { .temperature = 0.9, .top_k = 40, .top_p = 0.95, .repetition_penalty = 1.1, .max_tokens = 20 };
  g_autofree char *one = NULL, *three = NULL, *seven = NULL;
  Fixture f;

  fixture_init (&f, 128, 7);
  run (&f, &s, 1);
  one = all_ids (&f);
  run (&f, &s, 3);
  three = all_ids (&f);
  run (&f, &s, 64);
  seven = all_ids (&f);
  g_assert_cmpstr (one, ==, three);
  g_assert_cmpstr (one, ==, seven);
  fixture_clear (&f);
}

static void
append_piece (gpointer data, const char *piece, gsize len)
{
  g_string_append_len (data, piece, (gssize) len);
  g_string_append_c (data, '|');
}

/* The answer is cut before the stop string wherever that falls, and none of it was shown before. */
static void
test_stop (void)
{
  LmSampling s = greedy;
  g_autofree char *whole = NULL;
  Fixture f;

  fixture_init (&f, 64, 1);
  run (&f, &s, 1);
  whole = g_strdup (f.jobs[0].text->str);
  g_assert_true (g_utf8_validate (whole, -1, NULL));
  for (const char *from = whole; *from != '\0'; from = g_utf8_next_char (from))
    {
      g_autofree char *stop = g_utf8_substring (from, 0, MIN (g_utf8_strlen (from, -1), 3));
      const char *stops[] = { "never there", stop, NULL };
      g_autoptr (GString) shown = g_string_new (NULL);
      gsize expected = (gsize) (strstr (whole, stop) - whole);
      g_auto (GStrv) pieces = NULL;
      g_autofree char *joined = NULL;

      s.stop = stops;
      f.jobs[0].progress = append_piece;
      f.jobs[0].data = shown;
      run (&f, &s, 1);
      g_assert_cmpint (f.jobs[0].stop, ==, LM_STOP_STRING);
      g_assert_cmpuint (f.jobs[0].text->len, ==, expected);
      g_assert_cmpint (memcmp (f.jobs[0].text->str, whole, expected), ==, 0);
      if (strchr (whole, '|') != NULL)
        continue;
      pieces = g_strsplit (shown->str, "|", -1);
      joined = g_strjoinv ("", pieces);
      g_assert_cmpstr (joined, ==, f.jobs[0].text->str);
      for (char **p = pieces; *p != NULL; p++)
        g_assert_true (g_utf8_validate (*p, -1, NULL));
    }
  fixture_clear (&f);
}

static void
test_ends (void)
{
  LmSampling s = greedy;
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  GCancellable *cancel = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gint32 third;
  Fixture f;

  fixture_init (&f, 16, 1);
  run (&f, &s, 1);
  g_assert_cmpint (f.jobs[0].stop, ==, LM_STOP_CONTEXT);
  g_assert_cmpuint (f.jobs[0].n_prompt + f.jobs[0].ids->len, ==, 17); /* the last needs no room */
  third = g_array_index (f.jobs[0].ids, gint32, 2);
  g_array_append_val (ends, third);
  s.ends = ends;
  run (&f, &s, 1);
  g_assert_cmpint (f.jobs[0].stop, ==, LM_STOP_END);
  g_assert_cmpuint (f.jobs[0].ids->len, <=, 3);
  g_assert_cmpint (g_array_index (f.jobs[0].ids, gint32, f.jobs[0].ids->len - 1), ==, third);
  g_cancellable_cancel (cancel);
  g_assert_false (lm_generate (f.decoder, lm_model_tokenizer (f.model, NULL), &s, f.jobs, 1, 1, cancel, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CANCELLED);
  g_object_unref (cancel);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/generate/sample", test_sample);
  g_test_add_func ("/generate/greedy", test_greedy);
  g_test_add_func ("/generate/batching", test_batching);
  g_test_add_func ("/generate/stop", test_stop);
  g_test_add_func ("/generate/ends", test_ends);
  return g_test_run ();
}
