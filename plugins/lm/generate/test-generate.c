/* SPDX-License-Identifier: Apache-2.0 */
/* test-generate.c: choosing tokens by definition and by count; slots, stop strings and ends on a small random model. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#include "lm/chat/test-model.h"
#include "lm/generate.h"
#include "lm/generate/sums.h"

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
      out[lm_sample (copy, V, &sampling, seen, n_seen, 0, &rng, NULL, &logprob)] += 1 / 20000.0;
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

/* Bias and OpenAI's penalties, by definition: logits 1 3 2 -1 3 0. */
static void
test_penalties (void)
{
  static const float logits[V] = { 1, 3, 2, -1, 3, 0 };
  static const gint32 seen[] = { 4, 4, 4, 1, 2, 1 }; /* the last three are the answer */
  g_autoptr (GArray) bias = g_array_new (FALSE, FALSE, sizeof (LmBias));
  LmBias biases[] = { { 0, 2.5f }, { 4, -100 }, { 77, 5 } };
  LmSampling s = { .temperature = 0, .top_p = 1, .n_logprobs = 2 };
  LmLikely top[2];
  guint64 rng = 1;
  double logprob, total = log (exp (1) + 2 * exp (3) + exp (2) + exp (-1) + 1);
  float copy[V];

  s.presence_penalty = 0.5;
  s.frequency_penalty = 0.75; /* 1: twice, 2: once; 4 is the prompt's alone */
  memcpy (copy, logits, sizeof copy);
  g_assert_cmpint (lm_sample (copy, V, &s, seen, 6, 3, &rng, top, &logprob), ==, 4);
  for (guint i = 0; i < V; i++)
    g_assert_cmpfloat (copy[i], ==, logits[i] - (i == 1) * 2 - (i == 2) * 1.25);
  g_assert_cmpfloat (fabs (logprob - (3 - total)), <, 1e-6);
  g_assert_cmpint (top[0].id, ==, 1); /* of the model's own, of equals the lower */
  g_assert_cmpint (top[1].id, ==, 4);
  g_assert_cmpfloat (fabs (top[0].logprob - (3 - total)), <, 1e-6);
  g_assert_cmpuint (rng, ==, 1);
  /* Bias first, then what divides, then what is taken off. */
  g_array_append_vals (bias, biases, 3);
  s.bias = bias;
  s.repetition_penalty = 2;
  memcpy (copy, logits, sizeof copy);
  g_assert_cmpint (lm_sample (copy, V, &s, seen, 6, 3, &rng, NULL, &logprob), ==, 0);
  g_assert_cmpfloat (copy[0], ==, 3.5);
  g_assert_cmpfloat (copy[1], ==, 1.5 - 2);
  g_assert_cmpfloat (copy[2], ==, 1 - 1.25);
  g_assert_cmpfloat (copy[4], ==, -97 * 2);
  g_assert_cmpfloat (fabs (logprob - (1 - total)), <, 1e-6);
  copy[3] = NAN;
  lm_sample (copy, V, &s, NULL, 0, 0, &rng, NULL, &logprob);
  g_assert_false (isfinite (logprob));
}

/* Every length around whole vectors and blocks, on the least processor and on this one. */
static void
test_sums (void)
{
  const LmSums *all[] = { &lm_sums_base, lm_sums () };
  float x[1200];

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    for (gsize n = 1; n < G_N_ELEMENTS (x); n += n < 70 ? 1 : 37)
      {
        gsize best = 0;
        double sum = 0;

        for (gsize k = 0; k < n; k++)
          {
            x[k] = (float) ((k * 7919 + n * 31) % 101) * 0.25f - 20;
            best = x[k] > x[best] ? k : best;
          }
        for (gsize k = 0; k < n; k++)
          sum += exp (((double) x[k] - (double) x[best]) * 0.7);
        g_assert_cmpuint (all[i]->largest (x, n), ==, best);
        g_assert_cmpfloat (fabs (all[i]->exp (x, n, x[best], 0.7f) / sum - 1), <, 2e-6);
        x[(n * 13) % n] = -INFINITY;
        g_assert_true (isfinite (all[i]->exp (x, n, 5, 1)));
        x[n / 2] = NAN;
        g_assert_true (isnan (all[i]->exp (x, n, 5, 1)));
        g_assert_true (n == 1 || all[i]->largest (x, n) != n / 2);
      }
}

#define LONG 5000

/* Over a long vocabulary, where not all is sorted: the draw by the definition, with all sorted. */
static gint32
draw_by_definition (const float *logits, const LmSampling *s, guint64 *rng)
{
  g_autofree double *p = g_new (double, LONG);
  g_autofree gint32 *order = g_new (gint32, LONG);
  double sum = 0, u, tail = 0;
  gsize n = LONG;
  guint64 z = (*rng += 0x9e3779b97f4a7c15u);

  for (gint32 i = 0; i < LONG; i++)
    {
      gsize at = (gsize) i;

      for (; at > 0 && logits[order[at - 1]] < logits[i]; at--)
        order[at] = order[at - 1];
      order[at] = i;
    }
  for (gsize i = 0; i < n; i++)
    sum += p[i] = exp (((double) logits[order[i]] - logits[order[0]]) / s->temperature);
  for (gsize i = 0; i < n; i++)
    p[i] /= sum;
  while (s->top_p < 1 && n > 1 && (tail += p[n - 1]) <= 1 - s->top_p)
    n--;
  while (n > 1 && p[n - 1] < s->min_p * p[0])
    n--;
  sum = 0;
  for (gsize i = 0; i < n; i++)
    sum += p[i];
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  u = (double) ((z ^ (z >> 31)) >> 11) * 0x1p-53 * sum;
  for (gsize i = 0; i + 1 < n; u -= p[i], i++)
    if (u < p[i])
      return order[i];
  return order[n - 1];
}

static void
test_long_vocabulary (void)
{
  static const LmSampling all[] = {
    { .temperature = 1, .top_p = 1 },     { .temperature = 0.2, .top_p = 1 },
    { .temperature = 1, .top_p = 0.3 },   { .temperature = 1, .top_p = 0.999 },
    { .temperature = 2.5, .top_p = 0.9 }, { .temperature = 1, .top_p = 1, .min_p = 0.05 },
    { .temperature = 1, .top_p = 1, .min_p = 1e-9 },
    { .temperature = 1.3, .top_p = 0.95, .min_p = 0.02 },
    { .temperature = 1e-30, .top_p = 1 },
    { .temperature = 1e30, .top_p = 0.50013 },
  };
  g_autofree float *logits = g_new (float, LONG), *copy = g_new (float, LONG);
  GRand *rand = g_rand_new_with_seed (9);
  guint wrong = 0;

  for (guint i = 0; i < G_N_ELEMENTS (all) * 20; i++)
    {
      const LmSampling *s = &all[i % G_N_ELEMENTS (all)];
      double spread = 1 + i % 7;
      guint64 a = i, b = i;
      double logprob;

      for (guint k = 0; k < LONG; k++)
        logits[k] = (float) (g_rand_double_range (rand, -spread, spread) + g_rand_double_range (rand, -spread, spread));
      memcpy (copy, logits, LONG * sizeof *copy);
      wrong += lm_sample (copy, LONG, s, NULL, 0, 0, &a, NULL, &logprob) != draw_by_definition (logits, s, &b);
      g_assert_cmpuint (a, ==, b);
    }
  g_assert_cmpuint (wrong, <=, 1); /* a draw may fall on a border to rounding */
  g_rand_free (rand);
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
  g_test_add_func ("/generate/penalties", test_penalties);
  g_test_add_func ("/generate/sums", test_sums);
  g_test_add_func ("/generate/long-vocabulary", test_long_vocabulary);
  g_test_add_func ("/generate/greedy", test_greedy);
  g_test_add_func ("/generate/batching", test_batching);
  g_test_add_func ("/generate/stop", test_stop);
  g_test_add_func ("/generate/ends", test_ends);
  return g_test_run ();
}
