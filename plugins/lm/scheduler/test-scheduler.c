/* SPDX-License-Identifier: Apache-2.0 */
/* test-scheduler.c: requests together against each alone, on a small random model whose tokens are
 * bytes.
 *
 * The backend is `reference`, whose products of a row do not depend on the number of rows: what is
 * said here is compared number by number.
 */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>
#include <string.h>

#include "lm/chat/test-model.h"
#include "lm/scheduler.h"
#include "lm/scheduler/scheduler-private.h"

#define V 259
#define CONTEXT 96

/* ---- fixture --------------------------------------------------------------------------------- */

typedef struct
{
  LmModel *model;
  LmCompute *compute;
  LmDecoder *decoder;
  LmTokenizer *tokenizer;
} Fixture;

static void
open_fixture (Fixture *f)
{
  LmDecoderOptions options = { .type = LM_F32 };
  g_autoptr (GError) error = NULL;

  f->model = test_model (CONTEXT, NULL);
  f->tokenizer = lm_model_tokenizer (f->model, NULL);
  f->compute = lm_compute_open_class (lm_compute_reference (), 1, &error);
  f->decoder = lm_decoder_new (f->model, f->compute, &options, &error);
  g_assert_no_error (error);
}

static void
close_fixture (Fixture *f)
{
  lm_decoder_free (f->decoder);
  lm_compute_close (f->compute);
  fr_object_unref (f->model);
}

static LmScheduler *
open_scheduler (Fixture *f, LmSchedulerOptions options)
{
  g_autoptr (GError) error = NULL;
  LmScheduler *s = lm_scheduler_new (f->decoder, f->tokenizer, &options, &error);

  g_assert_no_error (error);
  return s;
}

static LmSchedulerFigures
figures_of (LmScheduler *s)
{
  LmSchedulerFigures figures;

  lm_scheduler_figures (s, &figures);
  return figures;
}

/* An answer as its callbacks told it. */
typedef struct
{
  GArray *prompt, *ids, *logprobs, *tops;
  GString *text;
  LmOutcome outcome;
  guint n_ended, n_pieces;
  guint64 id;
} Answer;

static Answer *
new_answer (void)
{
  Answer *a = g_new0 (Answer, 1);

  a->prompt = g_array_new (FALSE, FALSE, sizeof (gint32));
  a->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  a->logprobs = g_array_new (FALSE, FALSE, sizeof (float));
  a->tops = g_array_new (FALSE, FALSE, sizeof (LmLikely));
  a->text = g_string_new (NULL);
  return a;
}

static void
free_answer (gpointer data)
{
  Answer *a = data;

  if (a == NULL)
    return;
  g_array_unref (a->prompt);
  g_array_unref (a->ids);
  g_array_unref (a->logprobs);
  g_array_unref (a->tops);
  g_string_free (a->text, TRUE);
  g_free (a);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Answer, free_answer)

/* Whole characters; NUL is one that GLib would not have. */
static gboolean
is_text (const char *text, gsize len)
{
  const char *at = text, *end = text + len;

  while (!g_utf8_validate (at, end - at, &at))
    if (at == end || *at++ != '\0')
      return FALSE;
  return TRUE;
}

static void
on_piece (gpointer data, const LmPiece *piece)
{
  Answer *a = data;

  g_assert_cmpuint (a->n_ended, ==, 0);
  g_assert_true (is_text (piece->text, piece->len));
  g_assert_true (piece->len > 0 || piece->n_tokens > 0);
  g_string_append_len (a->text, piece->text, (gssize) piece->len);
  for (gsize i = 0; i < piece->n_tokens; i++)
    {
      g_array_append_val (a->ids, piece->tokens[i].id);
      g_array_append_val (a->logprobs, piece->tokens[i].logprob);
      g_array_append_vals (a->tops, piece->tokens[i].top, (guint) piece->tokens[i].n_top);
    }
  a->n_pieces++;
}

static void
on_end (gpointer data, const LmOutcome *outcome)
{
  Answer *a = data;

  g_assert_cmpuint (a->n_ended, ==, 0);
  a->n_ended++;
  a->outcome = *outcome;
  a->outcome.error = NULL;
  g_assert_cmpuint (outcome->answer_tokens, ==, a->ids->len);
  g_assert_cmpuint (outcome->prompt_tokens, ==, a->prompt->len);
}

/* Prompt number @k has 3 + 5 k tokens, different from the first on for each. */
static void
make_prompt (Answer *a, guint k)
{
  for (guint i = 0; i < 3 + k * 5; i++)
    {
      gint32 id = (gint32) (33 + (k * 7 + i * 11) % 90);

      g_array_append_val (a->prompt, id);
    }
}

static LmRequest
request_of (Answer *a, const LmSampling *sampling, guint adapter, guint64 seed)
{
  return (LmRequest){ .prompt = (const gint32 *) (gpointer) a->prompt->data,
                      .n_prompt = a->prompt->len,
                      .adapter = adapter,
                      .sampling = sampling,
                      .seed = seed,
                      .piece = on_piece,
                      .end = on_end,
                      .data = a };
}

static void
submit (LmScheduler *s, LmRequest request)
{
  g_autoptr (GError) error = NULL;
  Answer *a = request.data;

  g_assert_cmpint (lm_scheduler_submit (s, &request, 1, &a->id, NULL, &error), ==, LM_SUBMIT_OK);
  g_assert_no_error (error);
  g_assert_cmpuint (a->id, !=, 0);
}

/* Steps until nothing is left; the rows in use never are more than there are. */
static void
run_dry (LmScheduler *s)
{
  LmSchedulerFigures f;

  while (lm_scheduler_step (s))
    {
      f = figures_of (s);
      g_assert_cmpuint (f.kv_used + f.kv_kept, <=, f.kv_tokens);
    }
  f = figures_of (s);
  g_assert_cmpuint (f.running, ==, 0);
  g_assert_cmpuint (f.waiting, ==, 0);
  g_assert_cmpuint (f.waiting_tokens, ==, 0);
  g_assert_cmpuint (f.kv_used, ==, 0);
}

/* The same request by itself in a scheduler of its own, in one chunk, with nothing reused. */
static Answer *
ask_alone (Fixture *f, const GArray *prompt, const LmSampling *sampling, LmLora *lora, guint64 seed)
{
  LmScheduler *s = open_scheduler (f, (LmSchedulerOptions){ .max_running = 1, .no_reuse = TRUE });
  Answer *a = new_answer ();
  guint adapter = LM_ADAPTER_OWN;

  if (lora != NULL)
    g_assert_true (lm_scheduler_add_adapter (s, lora, &adapter, NULL));
  g_array_append_vals (a->prompt, prompt->data, prompt->len);
  submit (s, request_of (a, sampling, adapter, seed));
  run_dry (s);
  lm_scheduler_free (s);
  g_assert_cmpuint (a->n_ended, ==, 1);
  return a;
}

static void
assert_same (const Answer *a, const Answer *b)
{
  g_assert_cmpint (a->outcome.why, ==, b->outcome.why);
  g_assert_cmpmem (a->ids->data, a->ids->len * sizeof (gint32), b->ids->data,
                   b->ids->len * sizeof (gint32));
  if (a->logprobs->len > 0)
    g_assert_cmpmem (a->logprobs->data, a->logprobs->len * sizeof (float), b->logprobs->data,
                     b->logprobs->len * sizeof (float));
  g_assert_cmpstr (a->text->str, ==, b->text->str);
}

static LmSampling
greedy (gsize max_tokens)
{
  return (LmSampling){ .top_p = 1, .repetition_penalty = 1, .max_tokens = max_tokens };
}

static LmSampling
drawn (gsize max_tokens)
{
  return (LmSampling){ .temperature = 0.9,
                       .top_k = 40,
                       .top_p = 0.95,
                       .repetition_penalty = 1.1,
                       .max_tokens = max_tokens };
}

static LmLora *
make_lora (Fixture *f, guint64 seed)
{
  char *targets[] = { "all-linear", NULL };
  LmLoraSpec spec = { .rank = 2 + (guint) seed, .alpha = 6, .targets = targets };
  GRand *rand = g_rand_new_with_seed ((guint32) seed);
  LmLora *lora = lm_lora_plan (lm_model_config (f->model), &spec, NULL);

  lm_lora_init (lora, seed);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize k = 0; k < m->out * m->rank; k++)
        m->b[k] = (float) g_rand_double_range (rand, -0.5, 0.5);
    }
  g_rand_free (rand);
  return lora;
}

/* ---- together and alone ---------------------------------------------------------------------- */

/* Logits of the last row of @ids, with no cache. */
static void
plain_logits (Fixture *f, const GArray *ids, float *last)
{
  g_autofree gint32 *positions = g_new (gint32, ids->len), *labels = g_new (gint32, ids->len);
  g_autofree float *logits = g_new (float, ids->len *V);
  gsize starts[2] = { 0, ids->len };
  LmBatch batch = { .n_tokens = ids->len,
                    .n_seqs = 1,
                    .tokens = (const gint32 *) (gpointer) ids->data,
                    .positions = positions,
                    .labels = labels,
                    .starts = starts };

  for (guint i = 0; i < ids->len; i++)
    {
      positions[i] = (gint32) i;
      labels[i] = -1;
    }
  g_assert_true (lm_decoder_logits (f->decoder, &batch, logits, NULL));
  memcpy (last, logits + (ids->len - 1) * V, V * sizeof *last);
}

/* Greedy, and the probabilities told, are what lm_decoder_logits() says of the whole sequence;
 * penalties and temperature change what is chosen, not what is told. */
static void
check_logprobs (Fixture *f, LmSampling sampling)
{
  LmScheduler *s = open_scheduler (f, (LmSchedulerOptions){ .chunk = 7, .max_running = 2 });
  g_autoptr (Answer) a = new_answer ();
  double sum = 0;

  sampling.n_logprobs = 4;
  make_prompt (a, 3);
  submit (s, request_of (a, &sampling, LM_ADAPTER_OWN, 5));
  run_dry (s);
  g_assert_cmpuint (a->ids->len, ==, 12);
  g_assert_cmpuint (a->tops->len, ==, 4 * 12);
  for (guint i = 0; i < a->ids->len; i++)
    {
      const LmLikely *top = &g_array_index (a->tops, LmLikely, 4 * i);
      gint32 id = g_array_index (a->ids, gint32, i);
      float logits[V];
      double total = 0;
      guint above = 0;

      plain_logits (f, a->prompt, logits);
      for (guint v = 0; v < V; v++)
        total += exp (logits[v]);
      total = log (total);
      for (guint v = 0; v < V; v++)
        above += logits[v] > logits[top[3].id];
      g_assert_cmpuint (above, ==, 3);
      for (guint k = 0; k < 4; k++)
        {
          g_assert_cmpfloat (fabs (top[k].logprob - (logits[top[k].id] - total)), <, 1e-4);
          g_assert_true (k == 0 || top[k].logprob <= top[k - 1].logprob);
        }
      g_assert_cmpfloat (fabs (g_array_index (a->logprobs, float, i) - (logits[id] - total)), <,
                         1e-4);
      if (sampling.temperature == 0 && sampling.presence_penalty == 0)
        g_assert_cmpint (id, ==, top[0].id);
      sum += g_array_index (a->logprobs, float, i);
      g_array_append_val (a->prompt, id);
    }
  g_assert_cmpfloat (fabs (sum - a->outcome.logprob), <, 1e-4);
  lm_scheduler_free (s);
}

static void
test_logprobs (void)
{
  LmSampling penalised = greedy (12), hot = drawn (12);
  Fixture f;

  open_fixture (&f);
  check_logprobs (&f, greedy (12));
  penalised.presence_penalty = 2;
  check_logprobs (&f, penalised);
  hot.temperature = 2;
  check_logprobs (&f, hot);
  close_fixture (&f);
}

/* Twelve requests join one after the other while others are at work, and leave at different times.
 */
static void
test_join_leave (void)
{
  LmScheduler *s;
  Answer *all[12];
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 4, .chunk = 16 });
  for (guint i = 0; i < 12; i++)
    {
      LmSampling sampling = i % 2 ? drawn (3 + i * 2) : greedy (4 + i);

      all[i] = new_answer ();
      make_prompt (all[i], i);
      submit (s, request_of (all[i], &sampling, LM_ADAPTER_OWN, 100 + i));
      for (guint k = 0; k < i % 4; k++)
        g_assert_true (lm_scheduler_step (s));
    }
  run_dry (s);
  g_assert_cmpuint (figures_of (s).ended[LM_STOP_LENGTH], ==, 12);
  for (guint i = 0; i < 12; i++)
    {
      LmSampling sampling = i % 2 ? drawn (3 + i * 2) : greedy (4 + i);
      g_autoptr (Answer) alone = ask_alone (&f, all[i]->prompt, &sampling, NULL, 100 + i);

      assert_same (all[i], alone);
      g_assert_cmpuint (all[i]->ids->len, ==, sampling.max_tokens);
      g_assert_cmpint (all[i]->outcome.first_token, >=, all[i]->outcome.queued);
      free_answer (all[i]);
    }
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

typedef struct
{
  gsize prompt_rows, most, n;
} Passes;

static void
count_pass (gpointer data, const LmPassFigures *pass)
{
  Passes *p = data;

  p->prompt_rows += pass->prompt_rows;
  p->most = MAX (p->most, pass->prompt_rows + pass->answer_rows);
  p->n++;
}

/* A long prompt in chunks of any size gives what it gives in one pass, and an answer at work gets
 * its token in each of those passes. */
static void
test_chunks (void)
{
  LmSampling answer = drawn (40), long_one = greedy (9);
  g_autoptr (Answer) whole = new_answer ();
  Fixture f;

  open_fixture (&f);
  make_prompt (whole, 16); /* 83 tokens */
  for (guint chunk = 2; chunk <= 64; chunk += 1 + chunk / 3)
    {
      Passes passes = { 0 };
      LmSchedulerOptions options
          = { .max_running = 2, .chunk = chunk, .on_pass = count_pass, .data = &passes };
      LmScheduler *s = open_scheduler (&f, options);
      g_autoptr (Answer) a = new_answer (), b = new_answer (), alone = NULL, b_alone = NULL;
      guint64 n = 1;

      make_prompt (a, 0);
      g_array_append_vals (b->prompt, whole->prompt->data, whole->prompt->len);
      submit (s, request_of (a, &answer, LM_ADAPTER_OWN, 1));
      while (figures_of (s).answer_tokens == 0)
        g_assert_true (lm_scheduler_step (s));
      submit (s, request_of (b, &long_one, LM_ADAPTER_OWN, 2));
      for (; a->n_ended == 0; n++)
        {
          g_assert_true (lm_scheduler_step (s));
          g_assert_cmpuint (figures_of (s).answer_tokens, >=, n + 1);
        }
      g_assert_cmpuint (n, ==, 40);
      run_dry (s);
      g_assert_cmpuint (passes.most, <=, chunk);
      g_assert_cmpuint (passes.prompt_rows, ==, 3 + 83);
      alone = ask_alone (&f, a->prompt, &answer, NULL, 1);
      b_alone = ask_alone (&f, b->prompt, &long_one, NULL, 2);
      assert_same (a, alone);
      assert_same (b, b_alone);
      lm_scheduler_free (s);
    }
  close_fixture (&f);
}

/* Where no time is allowed, a prompt beside an answer comes in the smallest pieces, and in whole
 * ones where nobody waits. */
static void
test_stall (void)
{
  LmSampling answer = greedy (60), one = greedy (1);
  Passes passes = { 0 };
  LmSchedulerOptions options = { .max_running = 2,
                                 .chunk = 64,
                                 .stall = 1,
                                 .no_reuse = TRUE,
                                 .on_pass = count_pass,
                                 .data = &passes };
  g_autoptr (Answer) a = new_answer (), b = new_answer (), c = new_answer ();
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, options);
  make_prompt (a, 1);
  make_prompt (b, 16);
  make_prompt (c, 16);
  submit (s, request_of (a, &answer, LM_ADAPTER_OWN, 1));
  for (guint i = 0; i < 3; i++)
    g_assert_true (lm_scheduler_step (s));
  submit (s, request_of (b, &one, LM_ADAPTER_OWN, 1));
  passes = (Passes){ 0 };
  while (b->n_ended == 0)
    g_assert_true (lm_scheduler_step (s));
  g_assert_cmpuint (passes.most, ==, 16 + 1);
  g_assert_cmpuint (passes.n, ==, 6); /* 83 rows */
  run_dry (s);
  passes = (Passes){ 0 };
  submit (s, request_of (c, &one, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpuint (passes.most, ==, 64);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* A short prompt that comes behind a long one does not wait for its end. */
static void
test_short_first (void)
{
  LmSampling one = greedy (1);
  g_autoptr (Answer) a = new_answer (), b = new_answer ();
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 4, .chunk = 16 });
  make_prompt (a, 17);
  make_prompt (b, 1);
  submit (s, request_of (a, &one, LM_ADAPTER_OWN, 1));
  submit (s, request_of (b, &one, LM_ADAPTER_OWN, 1));
  g_assert_true (lm_scheduler_step (s));
  g_assert_cmpuint (b->n_ended, ==, 1);
  g_assert_cmpuint (a->n_ended, ==, 0);
  run_dry (s);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* ---- leading tokens -------------------------------------------------------------------------- */

static void
test_reuse (void)
{
  LmSampling sampling = drawn (10);
  Passes passes = { 0 };
  g_autoptr (Answer) first = new_answer (), again = new_answer (), more = new_answer (),
                     alone = NULL, more_alone = NULL;
  LmScheduler *s;
  Fixture f;
  LmSchedulerFigures figures;

  open_fixture (&f);
  s = open_scheduler (
      &f, (LmSchedulerOptions){
              .max_running = 4, .kv_tokens = 400, .on_pass = count_pass, .data = &passes });
  make_prompt (first, 8);
  make_prompt (again, 8);
  submit (s, request_of (first, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpuint (figures_of (s).kv_kept, ==, 43 + 9);
  submit (s, request_of (again, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpuint (first->outcome.reused_tokens, ==, 0);
  g_assert_cmpuint (again->outcome.reused_tokens, ==, 42);
  g_assert_cmpuint (passes.prompt_rows, ==, 43 + 1);
  g_assert_cmpuint (figures_of (s).kv_kept, ==, 43 + 9); /* the same tokens are not kept twice */
  assert_same (first, again);
  /* The next turn: prompt, answer and more. */
  g_array_append_vals (more->prompt, first->prompt->data, first->prompt->len);
  g_array_append_vals (more->prompt, first->ids->data, first->ids->len);
  g_array_append_vals (more->prompt, first->prompt->data, 7);
  submit (s, request_of (more, &sampling, LM_ADAPTER_OWN, 2));
  run_dry (s);
  g_assert_cmpuint (more->outcome.reused_tokens, ==, 43 + 9);
  figures = figures_of (s);
  g_assert_cmpuint (figures.reused_tokens, ==, 42 + 52);
  g_assert_cmpuint (figures.reusers, ==, 2);
  g_assert_cmpuint (figures.prompt_tokens, ==, 43 + 43 + 60);
  g_assert_cmpuint (figures.kv_kept, ==, 60 + 9); /* the shorter one is part of it */
  alone = ask_alone (&f, first->prompt, &sampling, NULL, 1);
  more_alone = ask_alone (&f, more->prompt, &sampling, NULL, 2);
  assert_same (first, alone);
  assert_same (more, more_alone);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* An exact request takes rows of prompts alone: those that were an answer, and what looked back at
 * them, are computed again. */
static void
test_exact (void)
{
  LmSampling sampling = greedy (10);
  g_autoptr (Answer) first = new_answer (), more = new_answer (), exact = new_answer (),
                     again = new_answer ();
  LmRequest request;
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 2 });
  make_prompt (first, 5);
  submit (s, request_of (first, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_array_append_vals (more->prompt, first->prompt->data, first->prompt->len);
  g_array_append_vals (more->prompt, first->ids->data, first->ids->len);
  g_array_append_vals (more->prompt, first->prompt->data, 9);
  g_array_append_vals (exact->prompt, more->prompt->data, more->prompt->len);
  g_array_append_vals (again->prompt, more->prompt->data, more->prompt->len);
  submit (s, request_of (more, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpuint (more->outcome.reused_tokens, ==, 28 + 9);
  request = request_of (exact, &sampling, LM_ADAPTER_OWN, 1);
  request.exact = TRUE;
  submit (s, request);
  run_dry (s);
  g_assert_cmpuint (exact->outcome.reused_tokens, ==, 28);
  request = request_of (again, &sampling, LM_ADAPTER_OWN, 1);
  request.exact = TRUE;
  submit (s, request);
  run_dry (s);
  g_assert_cmpuint (again->outcome.reused_tokens, ==, 28 + 10 + 9 - 1);
  assert_same (more, exact);
  assert_same (more, again);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* Several answers to one prompt, submitted together: the prompt is computed once. */
static void
test_several_answers (void)
{
  LmSampling sampling = drawn (10);
  Passes passes = { 0 };
  LmRequest requests[5];
  Answer *all[5];
  guint64 ids[5];
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f,
                      (LmSchedulerOptions){
                          .max_running = 8, .chunk = 10, .on_pass = count_pass, .data = &passes });
  for (guint i = 0; i < 5; i++)
    {
      all[i] = new_answer ();
      make_prompt (all[i], 7); /* 38 tokens: four chunks */
      requests[i] = request_of (all[i], &sampling, LM_ADAPTER_OWN, 10 + i);
    }
  g_assert_cmpint (lm_scheduler_submit (s, requests, 5, ids, NULL, NULL), ==, LM_SUBMIT_OK);
  run_dry (s);
  g_assert_cmpuint (passes.prompt_rows, ==, 38 + 4);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (Answer) alone = ask_alone (&f, all[i]->prompt, &sampling, NULL, 10 + i);

      assert_same (all[i], alone);
      g_assert_cmpuint (all[i]->outcome.reused_tokens, ==, i == 0 ? 0 : 37);
      g_assert_cmpuint (ids[i], ==, i == 0 ? ids[0] : ids[i - 1] + 1);
    }
  /* Different seeds, different answers: they were not all copied from one. */
  g_assert_cmpstr (all[0]->text->str, !=, all[1]->text->str);
  for (guint i = 0; i < 5; i++)
    free_answer (all[i]);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* More different prompts than rows: the oldest prefixes go, and what is left is right. */
static void
test_eviction (void)
{
  LmSampling sampling = greedy (6);
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 2, .kv_tokens = 120 });
  for (guint round = 0; round < 3; round++)
    for (guint i = 0; i < 10; i++)
      {
        g_autoptr (Answer) a = new_answer (), alone = NULL;

        make_prompt (a, i);
        submit (s, request_of (a, &sampling, LM_ADAPTER_OWN, 1));
        if (i % 3 == 0)
          {
            g_autoptr (Answer) b = new_answer ();

            make_prompt (b, 9 - i);
            submit (s, request_of (b, &sampling, LM_ADAPTER_OWN, 1));
            run_dry (s);
          }
        run_dry (s);
        alone = ask_alone (&f, a->prompt, &sampling, NULL, 1);
        assert_same (a, alone);
      }
  g_assert_cmpuint (figures_of (s).evicted, >, 10);
  g_assert_cmpuint (figures_of (s).reusers, >, 0);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* ---- adapters -------------------------------------------------------------------------------- */

static void
test_adapters (void)
{
  LmSampling sampling = greedy (12);
  LmLora *loras[3] = { NULL };
  guint ids[3] = { LM_ADAPTER_OWN };
  Answer *all[9];
  g_autoptr (GError) error = NULL;
  g_autoptr (Answer) late = new_answer ();
  LmScheduler *s;
  LmRequest request;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 9, .chunk = 32 });
  for (guint i = 1; i < 3; i++)
    {
      loras[i] = make_lora (&f, i);
      g_assert_true (lm_scheduler_add_adapter (s, loras[i], &ids[i], &error));
    }
  for (guint i = 0; i < 9; i++)
    {
      all[i] = new_answer ();
      make_prompt (all[i],
                   2 + i / 3); /* the same prompts for all: their rows are not each other's */
      submit (s, request_of (all[i], &sampling, ids[i % 3], 1));
    }
  for (guint i = 0; i < 5; i++)
    g_assert_true (lm_scheduler_step (s));
  /* Removed while at work: nothing new, and those go on. */
  g_assert_true (lm_scheduler_remove_adapter (s, ids[2]));
  g_assert_false (lm_scheduler_remove_adapter (s, ids[2]));
  make_prompt (late, 1);
  request = request_of (late, &sampling, ids[2], 1);
  g_assert_cmpint (lm_scheduler_submit (s, &request, 1, NULL, NULL, &error), ==,
                   LM_SUBMIT_NO_ADAPTER);
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_cmpuint (figures_of (s).adapters, ==, 2);
  run_dry (s);
  g_assert_cmpuint (figures_of (s).adapters, ==, 1);
  g_assert_cmpuint (lm_decoder_n_adapters (f.decoder), ==, 1);
  for (guint i = 0; i < 9; i++)
    {
      g_autoptr (Answer) alone = ask_alone (&f, all[i]->prompt, &sampling, loras[i % 3], 1);

      assert_same (all[i], alone);
      if (i % 3 > 0)
        g_assert_cmpstr (all[i]->text->str, !=, all[i - i % 3]->text->str);
    }
  for (guint i = 0; i < 9; i++)
    free_answer (all[i]);
  lm_scheduler_free (s);
  g_assert_cmpuint (lm_decoder_n_adapters (f.decoder), ==, 0);
  lm_lora_unref (loras[1]);
  lm_lora_unref (loras[2]);
  close_fixture (&f);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* Cancelled while waiting, in the middle of a prompt and of an answer: rows are free after the next
 * step, and the neighbour does not notice. */
static void
test_cancel (void)
{
  LmSampling sampling = drawn (30);
  g_autoptr (Answer) a = new_answer (), b = new_answer (), c = new_answer (), d = new_answer (),
                     alone = NULL;
  LmScheduler *s;
  gsize used, before;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 3, .chunk = 8, .no_reuse = TRUE });
  make_prompt (a, 2);
  make_prompt (b, 14);
  make_prompt (c, 3);
  make_prompt (d, 4);
  submit (s, request_of (a, &sampling, LM_ADAPTER_OWN, 1));
  submit (s, request_of (c, &sampling, LM_ADAPTER_OWN, 3));
  while (a->ids->len < 3 || c->ids->len < 3)
    g_assert_true (lm_scheduler_step (s));
  submit (s, request_of (b, &sampling, LM_ADAPTER_OWN, 2));
  submit (s, request_of (d, &sampling, LM_ADAPTER_OWN, 4));
  g_assert_true (lm_scheduler_step (s));
  g_assert_cmpuint (figures_of (s).running, ==, 3);
  g_assert_cmpuint (figures_of (s).waiting, ==, 1);
  used = figures_of (s).kv_used;
  g_assert_cmpuint (used, ==, MIN (CONTEXT, 13 + 29) + 18 + 29 + MIN (CONTEXT, 73 + 29));
  before = figures_of (s).answer_tokens;
  g_assert_true (lm_scheduler_cancel (s, b->id));
  g_assert_true (lm_scheduler_cancel (s, c->id));
  g_assert_true (lm_scheduler_cancel (s, d->id));
  g_assert_true (lm_scheduler_step (s));
  g_assert_cmpint (b->outcome.why, ==, LM_STOP_CANCELLED);
  g_assert_cmpuint (b->outcome.answer_tokens, ==, 0);
  g_assert_cmpint (b->outcome.first_token, ==, 0);
  g_assert_cmpint (c->outcome.why, ==, LM_STOP_CANCELLED);
  g_assert_cmpuint (c->outcome.answer_tokens, >=, 3);
  g_assert_cmpuint (figures_of (s).answer_tokens, ==, before + 1); /* the neighbour's */
  g_assert_cmpint (d->outcome.why, ==, LM_STOP_CANCELLED);
  g_assert_cmpuint (figures_of (s).kv_used, ==, 13 + 29);
  g_assert_false (lm_scheduler_cancel (s, c->id));
  g_assert_false (lm_scheduler_cancel (s, 12345));
  run_dry (s);
  alone = ask_alone (&f, a->prompt, &sampling, NULL, 1);
  assert_same (a, alone);
  g_assert_cmpuint (figures_of (s).ended[LM_STOP_CANCELLED], ==, 3);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* Who waits for another's prompt goes on by itself when that one is cancelled. */
static void
test_cancel_first (void)
{
  LmSampling sampling = drawn (10);
  g_autoptr (Answer) a = new_answer (), b = new_answer (), alone = NULL;
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  for (guint steps = 1; steps < 6; steps++)
    {
      g_clear_pointer (&a, free_answer);
      g_clear_pointer (&b, free_answer);
      g_clear_pointer (&alone, free_answer);
      a = new_answer ();
      b = new_answer ();
      s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 2, .chunk = 8 });
      make_prompt (a, 7);
      make_prompt (b, 7);
      submit (s, request_of (a, &sampling, LM_ADAPTER_OWN, 1));
      submit (s, request_of (b, &sampling, LM_ADAPTER_OWN, 2));
      for (guint i = 0; i < steps; i++)
        g_assert_true (lm_scheduler_step (s));
      lm_scheduler_cancel (s, a->id);
      run_dry (s);
      alone = ask_alone (&f, b->prompt, &sampling, NULL, 2);
      assert_same (b, alone);
      g_assert_cmpuint (b->outcome.reused_tokens, ==, MIN (8 * steps, 37));
      lm_scheduler_free (s);
    }
  close_fixture (&f);
}

static void
test_deadline (void)
{
  LmSampling sampling = greedy (60);
  g_autoptr (Answer) a = new_answer (), b = new_answer (), c = new_answer ();
  LmRequest request;
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 1 });
  make_prompt (a, 1);
  make_prompt (b, 2);
  make_prompt (c, 1);
  request = request_of (a, &sampling, LM_ADAPTER_OWN, 1);
  request.deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  submit (s, request);
  request = request_of (b, &sampling, LM_ADAPTER_OWN, 1);
  request.deadline = g_get_monotonic_time () + 20000;
  submit (s, request);
  for (guint i = 0; i < 3; i++)
    g_assert_true (lm_scheduler_step (s));
  g_usleep (25000);
  g_assert_true (lm_scheduler_step (s));
  g_assert_cmpint (b->outcome.why, ==, LM_STOP_DEADLINE); /* it never came to its turn */
  g_assert_cmpint (b->outcome.queued, >=, 20000);
  g_assert_cmpint (b->outcome.prefill, ==, 0);
  run_dry (s);
  g_assert_cmpint (a->outcome.why, ==, LM_STOP_LENGTH);
  request = request_of (c, &sampling, LM_ADAPTER_OWN, 1);
  request.deadline = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;
  submit (s, request);
  while (c->ids->len < 2)
    g_assert_true (lm_scheduler_step (s));
  g_usleep (2 * G_USEC_PER_SEC);
  run_dry (s);
  g_assert_cmpint (c->outcome.why, ==, LM_STOP_DEADLINE);
  g_assert_cmpint (memcmp (c->ids->data, a->ids->data, c->ids->len * sizeof (gint32)), ==, 0);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* What is left when a scheduler goes is told. */
static void
test_free (void)
{
  LmSampling sampling = greedy (30);
  g_autoptr (Answer) a = new_answer (), b = new_answer ();
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 1 });
  make_prompt (a, 1);
  make_prompt (b, 2);
  submit (s, request_of (a, &sampling, LM_ADAPTER_OWN, 1));
  submit (s, request_of (b, &sampling, LM_ADAPTER_OWN, 1));
  g_assert_true (lm_scheduler_step (s));
  lm_scheduler_free (s);
  g_assert_cmpint (a->outcome.why, ==, LM_STOP_CANCELLED);
  g_assert_cmpint (b->outcome.why, ==, LM_STOP_CANCELLED);
  close_fixture (&f);
}

/* Ends, lengths and the context. */
static void
test_ends (void)
{
  LmSampling sampling = greedy (1000), none = greedy (0);
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (Answer) whole = new_answer (), ended = new_answer (), ignored = new_answer (),
                     empty = new_answer (), full = new_answer ();
  LmScheduler *s;
  gint32 third;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 2, .kv_tokens = 64 });
  g_assert_cmpuint (lm_scheduler_options (s)->context, ==, 64); /* never more than there are rows */
  make_prompt (whole, 2);
  submit (s, request_of (whole, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpint (whole->outcome.why, ==, LM_STOP_CONTEXT);
  g_assert_cmpuint (13 + whole->ids->len, ==, 65); /* the last needs no row */
  third = g_array_index (whole->ids, gint32, 2);
  g_array_append_val (ends, third);
  sampling.ends = ends;
  make_prompt (ended, 2);
  submit (s, request_of (ended, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpint (ended->outcome.why, ==, LM_STOP_END);
  g_assert_cmpuint (ended->ids->len, <=, 3);
  g_assert_cmpint (g_array_index (ended->ids, gint32, ended->ids->len - 1), ==, third);
  sampling.ignore_ends = TRUE;
  make_prompt (ignored, 2);
  submit (s, request_of (ignored, &sampling, LM_ADAPTER_OWN, 1));
  make_prompt (empty, 1);
  submit (s, request_of (empty, &none, LM_ADAPTER_OWN, 1));
  for (guint i = 0; i < 64; i++)
    g_array_append_val (full->prompt, third);
  submit (s, request_of (full, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  assert_same (ignored, whole);
  g_assert_cmpint (empty->outcome.why, ==, LM_STOP_LENGTH);
  g_assert_cmpuint (empty->ids->len, ==, 0);
  g_assert_cmpint (full->outcome.why, ==, LM_STOP_CONTEXT);
  g_assert_cmpuint (full->ids->len, ==, 1);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* Weights that are no numbers end a request with an error that says so; the scheduler goes on. */
static void
test_not_finite (void)
{
  LmSampling sampling = greedy (5);
  Fixture f;
  LmScheduler *s;
  g_autoptr (Answer) good = new_answer (), bad = new_answer (), alone = NULL;
  LmLora *lora;
  guint adapter;

  open_fixture (&f);
  lora = make_lora (&f, 1);
  ((LmLoraModule *) g_ptr_array_index (lora->modules, 0))->b[1] = NAN;
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 2 });
  g_assert_true (lm_scheduler_add_adapter (s, lora, &adapter, NULL));
  make_prompt (good, 2);
  make_prompt (bad, 2);
  submit (s, request_of (bad, &sampling, adapter, 1));
  submit (s, request_of (good, &sampling, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpint (bad->outcome.why, ==, LM_STOP_ERROR);
  alone = ask_alone (&f, good->prompt, &sampling, NULL, 1);
  assert_same (good, alone);
  lm_scheduler_free (s);
  lm_lora_unref (lora);
  close_fixture (&f);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* Tokens of @text one by one, whatever a model would say; returns why it ended. */
static LmStop
say (Fixture *f, const char *text, const char *const *stops, gsize context, Answer *a)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  LmSampling sampling = greedy (1000);
  LmRequest request;
  LmTask *task;
  LmStop why = 0;

  lm_tokenizer_encode (f->tokenizer, text, strlen (text), LM_ENCODE_PLAIN, ids, NULL, NULL);
  sampling.stop = stops;
  make_prompt (a, 0);
  request = request_of (a, &sampling, LM_ADAPTER_OWN, 1);
  task = lm_task_new (&request, f->tokenizer, CONTEXT);
  for (guint i = 0; i < ids->len && why == 0; i++)
    {
      float logits[V] = { 0 };

      logits[g_array_index (ids, gint32, i)] = 9;
      why = lm_task_choose (task, logits, V, context, NULL);
    }
  why = lm_task_finish (task, why != 0 ? why : LM_STOP_LENGTH);
  lm_task_tell_end (task, why, NULL);
  lm_task_free (task);
  return why;
}

/* Every token here is a byte: characters and stop texts are cut in all places. */
static void
test_stop_texts (void)
{
  static const char text[] = "你好，世界。the end 完了";
  static const struct
  {
    const char *stops[3], *shown;
    LmStop why;
  } cases[] = {
    { { "世界" }, "你好，", LM_STOP_STRING },
    { { "nowhere", "界。t" }, "你好，世", LM_STOP_STRING },
    { { "the end", "end" }, "你好，世界。", LM_STOP_STRING },
    { { "he e", "the x" }, "你好，世界。t", LM_STOP_STRING },
    { { "完了" }, "你好，世界。the end ", LM_STOP_STRING },
    { { "完了了" }, text, LM_STOP_LENGTH },
    { { "你" }, "", LM_STOP_STRING },
    { { NULL }, text, LM_STOP_LENGTH },
  };
  Fixture f;

  open_fixture (&f);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Answer) a = new_answer ();

      g_assert_cmpint (say (&f, text, cases[i].stops, CONTEXT, a), ==, cases[i].why);
      g_assert_cmpstr (a->text->str, ==, cases[i].shown);
      g_assert_cmpuint (a->n_pieces, >=, cases[i].why == LM_STOP_LENGTH ? 15 : 0);
    }
  close_fixture (&f);
}

/* Bias and penalties through a whole answer. */
static void
test_settings (void)
{
  LmSampling biased = greedy (8), once = greedy (60), often = greedy (30);
  g_autoptr (GArray) bias = g_array_new (FALSE, FALSE, sizeof (LmBias));
  g_autoptr (Answer) a = new_answer (), b = new_answer (), c = new_answer ();
  LmBias towards = { 'q', 100 };
  gboolean seen[V] = { FALSE };
  guint n_towards = 0;
  LmScheduler *s;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 3 });
  g_array_append_val (bias, towards);
  biased.bias = bias;
  once.presence_penalty = 1000;
  once.max_tokens = 60;
  often.bias = bias; /* 100 ahead, 30 lost each time: four times, and then others */
  often.frequency_penalty = 30;
  make_prompt (a, 1);
  make_prompt (b, 1);
  make_prompt (c, 1);
  submit (s, request_of (a, &biased, LM_ADAPTER_OWN, 1));
  submit (s, request_of (b, &once, LM_ADAPTER_OWN, 1));
  submit (s, request_of (c, &often, LM_ADAPTER_OWN, 1));
  run_dry (s);
  g_assert_cmpstr (a->text->str, ==, "qqqqqqqq");
  for (guint i = 0; i < b->ids->len; i++)
    {
      gint32 id = g_array_index (b->ids, gint32, i);

      g_assert_false (seen[id]);
      seen[id] = TRUE;
    }
  for (guint i = 0; i < c->ids->len; i++)
    n_towards += g_array_index (c->ids, gint32, i) == 'q';
  g_assert_cmpuint (n_towards, >=, 3);
  g_assert_cmpuint (n_towards, <=, 4);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* ---- limits and turns ------------------------------------------------------------------------ */

static void
test_refusals (void)
{
  LmSampling sampling = greedy (4), wrong = greedy (4);
  LmRequest requests[4];
  Answer *all[4];
  double retry_after = 0;
  LmScheduler *s;
  Fixture f;
  gint32 outside = V;

  open_fixture (&f);
  s = open_scheduler (
      &f, (LmSchedulerOptions){
              .max_running = 1, .context = 40, .max_waiting = 2, .max_waiting_tokens = 30 });
  for (guint i = 0; i < 4; i++)
    {
      all[i] = new_answer ();
      make_prompt (all[i], i);
      requests[i] = request_of (all[i], &sampling, LM_ADAPTER_OWN, 1);
    }
  /* One place and two that wait; a fourth is too many, and four at once are refused whole. */
  g_assert_cmpint (lm_scheduler_submit (s, requests, 4, NULL, &retry_after, NULL), ==,
                   LM_SUBMIT_FULL);
  g_assert_cmpfloat (retry_after, >=, 1);
  g_assert_cmpuint (figures_of (s).waiting, ==, 0);
  g_assert_cmpint (lm_scheduler_submit (s, requests, 3, NULL, NULL, NULL), ==, LM_SUBMIT_OK);
  g_assert_cmpint (lm_scheduler_submit (s, requests + 3, 1, NULL, NULL, NULL), ==, LM_SUBMIT_FULL);
  g_assert_cmpuint (figures_of (s).waiting_tokens, ==, 3 + 8 + 13);
  g_assert_true (lm_scheduler_step (s));
  g_assert_cmpuint (figures_of (s).waiting_tokens, ==, 8 + 13);
  {
    g_autoptr (GError) error = NULL;

    /* A place is free now by number, but not for so many tokens. */
    run_dry (s);
    g_assert_cmpint (lm_scheduler_submit (s, requests + 2, 2, NULL, NULL, NULL), ==, LM_SUBMIT_OK);
    g_assert_cmpint (lm_scheduler_submit (s, requests, 1, NULL, &retry_after, &error), ==,
                     LM_SUBMIT_FULL);
    g_assert_error (error, FR_ERROR, FR_ERROR_TRANSIENT);
  }
  for (guint i = 2; i < 4; i++)
    all[i]->n_ended = 0;
  for (guint i = 2; i < 4; i++)
    g_array_set_size (all[i]->ids, 0);
  run_dry (s);
  wrong.temperature = NAN;
  requests[0].sampling = &wrong;
  g_assert_cmpint (lm_scheduler_submit (s, requests, 1, NULL, NULL, NULL), ==, LM_SUBMIT_INVALID);
  requests[0].sampling = &sampling;
  requests[0].n_prompt = 0;
  g_assert_cmpint (lm_scheduler_submit (s, requests, 1, NULL, NULL, NULL), ==, LM_SUBMIT_INVALID);
  requests[0].n_prompt = 1;
  requests[0].prompt = &outside;
  g_assert_cmpint (lm_scheduler_submit (s, requests, 1, NULL, NULL, NULL), ==, LM_SUBMIT_INVALID);
  make_prompt (all[1], 7);
  requests[1] = request_of (all[1], &sampling, LM_ADAPTER_OWN, 1);
  g_assert_cmpint (lm_scheduler_submit (s, requests + 1, 1, NULL, NULL, NULL), ==,
                   LM_SUBMIT_TOO_LONG);
  requests[2].adapter = 5;
  g_assert_cmpint (lm_scheduler_submit (s, requests + 2, 1, NULL, NULL, NULL), ==,
                   LM_SUBMIT_NO_ADAPTER);
  lm_scheduler_close (s);
  g_assert_cmpint (lm_scheduler_submit (s, requests + 3, 1, NULL, NULL, NULL), ==,
                   LM_SUBMIT_CLOSED);
  g_assert_false (lm_scheduler_step (s));
  g_assert_cmpuint (figures_of (s).taken, ==, 5);
  lm_scheduler_free (s);
  for (guint i = 0; i < 4; i++)
    free_answer (all[i]);
  close_fixture (&f);
}

typedef struct
{
  Answer *answer;
  GString *order;
  char name;
} Turn;

static void
note_end (gpointer data, const LmOutcome *outcome)
{
  Turn *turn = data;

  (void) outcome;
  g_string_append_c (turn->order, turn->name);
}

/* One client's many requests come in turn with another's few; without clients it is the order of
 * arrival. */
static void
test_turns (void)
{
  static const struct
  {
    const char *clients[8], *order;
  } cases[] = {
    { { "x", "x", "x", "x", "x", "y", "y", "z" }, "afhbgcde" },
    { { NULL, NULL, "y", NULL, "y", NULL, NULL, NULL }, "acbedfgh" },
    { { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "abcdefgh" },
  };
  LmSampling sampling = greedy (2);
  Fixture f;

  open_fixture (&f);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LmScheduler *s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 1 });
      g_autoptr (GString) order = g_string_new (NULL);
      g_autoptr (Answer) a = new_answer ();
      Turn turns[8];

      make_prompt (a, 1);
      for (guint k = 0; k < 8; k++)
        {
          LmRequest request = request_of (a, &sampling, LM_ADAPTER_OWN, 1);

          turns[k] = (Turn){ a, order, (char) ('a' + k) };
          request.client = cases[i].clients[k];
          request.piece = NULL;
          request.end = note_end;
          request.data = &turns[k];
          g_assert_cmpint (lm_scheduler_submit (s, &request, 1, NULL, NULL, NULL), ==,
                           LM_SUBMIT_OK);
        }
      run_dry (s);
      g_assert_cmpstr (order->str, ==, cases[i].order);
      lm_scheduler_free (s);
    }
  close_fixture (&f);
}

/* What needs all rows gets them, though small ones keep coming. */
static void
test_large_request (void)
{
  LmSampling small = greedy (10), large = greedy (1000);
  GPtrArray *answers = g_ptr_array_new_with_free_func (free_answer);
  g_autoptr (Answer) big = new_answer ();
  LmScheduler *s;
  Fixture f;
  guint n = 0;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 4, .kv_tokens = CONTEXT });
  make_prompt (big, 1);
  for (guint step = 0; big->n_ended == 0 && step < 400; step++)
    {
      Answer *a = new_answer ();

      make_prompt (a, 2);
      submit (s, request_of (a, &small, LM_ADAPTER_OWN, 1));
      g_ptr_array_add (answers, a);
      if (step == 5)
        submit (s, request_of (big, &large, LM_ADAPTER_OWN, 1));
      g_assert_true (lm_scheduler_step (s));
    }
  g_assert_cmpint (big->outcome.why, ==, LM_STOP_CONTEXT);
  run_dry (s);
  for (guint i = 0; i < answers->len; i++)
    n += ((Answer *) g_ptr_array_index (answers, i))->n_ended;
  g_assert_cmpuint (n, ==, answers->len);
  lm_scheduler_free (s);
  g_ptr_array_unref (answers);
  close_fixture (&f);
}

/* ---- a storm --------------------------------------------------------------------------------- */

#define N_THREADS 4
#define N_EACH 125
#define N_KINDS 24

typedef struct
{
  Fixture f;
  LmScheduler *s;
  LmLora *loras[3];
  guint adapters[3];
  LmSampling samplings[2];
  Answer *expected[N_KINDS];
  gint n_ended, n_refused;
} Storm;

typedef struct
{
  Storm *storm;
  Answer *answer;
  guint kind;
  gboolean cancelled, overdue;
  gint ended; /* atomic */
} Drop;

static void
drop_piece (gpointer data, const LmPiece *piece)
{
  on_piece (((Drop *) data)->answer, piece);
}

static void
drop_end (gpointer data, const LmOutcome *outcome)
{
  Drop *drop = data;

  on_end (drop->answer, outcome);
  g_atomic_int_inc (&drop->storm->n_ended);
  g_atomic_int_set (&drop->ended, TRUE);
}

static void
submit_drop (Storm *storm, Drop *drop, GRand *rand)
{
  LmRequest request;
  double retry_after;
  LmSubmit result;

  drop->storm = storm;
  drop->answer = new_answer ();
  drop->kind = (guint) g_rand_int_range (rand, 0, N_KINDS);
  drop->overdue = g_rand_int_range (rand, 0, 20) == 0;
  make_prompt (drop->answer, drop->kind % 8);
  request = request_of (drop->answer, &storm->samplings[drop->kind / 12],
                        storm->adapters[drop->kind % 3], drop->kind);
  request.piece = drop_piece;
  request.end = drop_end;
  request.data = drop;
  request.deadline = drop->overdue ? g_get_monotonic_time () + 300 : 0;
  request.client = (const char *const[]){ NULL, "甲", "乙" }[g_rand_int_range (rand, 0, 3)];
  for (;;)
    {
      result = lm_scheduler_submit (storm->s, &request, 1, &drop->answer->id, &retry_after, NULL);
      if (result == LM_SUBMIT_OK)
        return;
      g_assert_cmpint (result, ==, LM_SUBMIT_FULL);
      g_assert_cmpfloat (retry_after, >=, 1);
      g_atomic_int_inc (&storm->n_refused);
      g_usleep (500);
    }
}

typedef struct
{
  Storm *storm;
  guint seed;
  Drop drops[N_EACH];
} Cloud;

static gpointer
rain (gpointer data)
{
  Cloud *cloud = data;
  GRand *rand = g_rand_new_with_seed (cloud->seed);
  LmSchedulerFigures figures;

  for (guint i = 0; i < N_EACH; i++)
    {
      Drop *drop = &cloud->drops[i];

      submit_drop (cloud->storm, drop, rand);
      if (g_rand_int_range (rand, 0, 6) == 0)
        {
          g_usleep ((gulong) g_rand_int_range (rand, 0, 3000));
          drop->cancelled = lm_scheduler_cancel (cloud->storm->s, drop->answer->id);
        }
      lm_scheduler_figures (cloud->storm->s, &figures);
      g_assert_cmpuint (figures.kv_used + figures.kv_kept, <=, figures.kv_tokens);
      g_assert_cmpuint (figures.running, <=, 6);
    }
  g_rand_free (rand);
  return NULL;
}

/* Brings an adapter and takes it again, over and over. */
static gpointer
change_adapters (gpointer data)
{
  Storm *storm = data;
  LmLora *lora = make_lora (&storm->f, 3);
  guint last = 0;

  while (g_atomic_int_get (&storm->n_ended) < N_THREADS * N_EACH)
    {
      guint adapter;

      g_assert_true (lm_scheduler_add_adapter (storm->s, lora, &adapter, NULL));
      g_assert_cmpuint (adapter, >, last);
      g_usleep (2000);
      g_assert_true (lm_scheduler_remove_adapter (storm->s, adapter));
      last = adapter;
    }
  lm_lora_unref (lora);
  return NULL;
}

static void
open_storm (Storm *storm)
{
  LmSchedulerOptions options = { .max_running = 6,
                                 .chunk = 24,
                                 .kv_tokens = 230,
                                 .stall = 2000,
                                 .max_waiting = 20,
                                 .max_waiting_tokens = 400 };

  open_fixture (&storm->f);
  storm->samplings[0] = greedy (9);
  storm->samplings[1] = drawn (14);
  for (guint i = 1; i < 3; i++)
    storm->loras[i] = make_lora (&storm->f, i);
  for (guint i = 0; i < N_KINDS; i++)
    {
      g_autoptr (Answer) prompt = new_answer ();

      make_prompt (prompt, i % 8);
      storm->expected[i] = ask_alone (&storm->f, prompt->prompt, &storm->samplings[i / 12],
                                      storm->loras[i % 3], i);
    }
  storm->s = open_scheduler (&storm->f, options);
  for (guint i = 1; i < 3; i++)
    g_assert_true (lm_scheduler_add_adapter (storm->s, storm->loras[i], &storm->adapters[i], NULL));
}

static void
check_drop (Storm *storm, const Drop *drop)
{
  const Answer *a = drop->answer, *expected = storm->expected[drop->kind];

  g_assert_cmpuint (a->n_ended, ==, 1);
  if (a->outcome.why == LM_STOP_CANCELLED)
    g_assert_true (drop->cancelled);
  else if (a->outcome.why == LM_STOP_DEADLINE)
    g_assert_true (drop->overdue);
  else
    assert_same (a, expected);
  g_assert_cmpuint (a->ids->len, <=, expected->ids->len);
  if (a->ids->len > 0)
    g_assert_cmpmem (a->ids->data, a->ids->len * sizeof (gint32), expected->ids->data,
                     a->ids->len * sizeof (gint32));
}

/* 500 requests from four threads, some cancelled, some with no time; another thread brings and
 * takes an adapter: each that comes to its end says what it says alone. */
static void
test_storm (void)
{
  g_autofree Cloud *clouds = g_new0 (Cloud, N_THREADS);
  g_autofree Storm *storm = g_new0 (Storm, 1);
  LmSchedulerFigures figures;
  GThread *threads[N_THREADS + 1];
  guint64 ended = 0;

  open_storm (storm);
  for (guint i = 0; i < N_THREADS; i++)
    {
      clouds[i].storm = storm;
      clouds[i].seed = 17 + i;
      threads[i] = g_thread_new ("rain", rain, &clouds[i]);
    }
  threads[N_THREADS] = g_thread_new ("adapters", change_adapters, storm);
  while (g_atomic_int_get (&storm->n_ended) < N_THREADS * N_EACH)
    if (!lm_scheduler_step (storm->s))
      lm_scheduler_wait (storm->s, 10000);
  for (guint i = 0; i <= N_THREADS; i++)
    g_thread_join (threads[i]);
  run_dry (storm->s);
  figures = figures_of (storm->s);
  for (guint i = 0; i < LM_N_STOPS; i++)
    ended += figures.ended[i];
  g_assert_cmpuint (ended, ==, N_THREADS * N_EACH);
  g_assert_cmpuint (figures.taken, ==, N_THREADS * N_EACH);
  g_assert_cmpuint (figures.refused, ==, (guint) storm->n_refused);
  g_assert_cmpuint (figures.ended[LM_STOP_LENGTH], >, N_THREADS * N_EACH / 2);
  g_assert_cmpuint (figures.ended[LM_STOP_ERROR], ==, 0);
  g_assert_cmpuint (figures.evicted, >, 0);
  g_assert_cmpuint (figures.reusers, >, 0);
  g_test_message ("%u refused, %u cancelled, %u overdue, %u reused, %u evicted, %u moved",
                  (guint) figures.refused, (guint) figures.ended[LM_STOP_CANCELLED],
                  (guint) figures.ended[LM_STOP_DEADLINE], (guint) figures.reusers,
                  (guint) figures.evicted, (guint) figures.moved);
  for (guint i = 0; i < N_THREADS; i++)
    for (guint k = 0; k < N_EACH; k++)
      {
        check_drop (storm, &clouds[i].drops[k]);
        free_answer (clouds[i].drops[k].answer);
      }
  lm_scheduler_free (storm->s);
  for (guint i = 0; i < N_KINDS; i++)
    free_answer (storm->expected[i]);
  lm_lora_unref (storm->loras[1]);
  lm_lora_unref (storm->loras[2]);
  close_fixture (&storm->f);
}

/* ---- waiting for work ------------------------------------------------------------------------ */

static gpointer
wake_later (gpointer data)
{
  g_usleep (20000);
  lm_scheduler_wake (data);
  return NULL;
}

static void
test_wait (void)
{
  LmSampling sampling = greedy (2);
  g_autoptr (Answer) a = new_answer ();
  LmScheduler *s;
  GThread *thread;
  gint64 since;
  Fixture f;

  open_fixture (&f);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 1 });
  since = g_get_monotonic_time ();
  g_assert_false (lm_scheduler_step (s));
  g_assert_false (lm_scheduler_wait (s, 30000));
  g_assert_cmpint (g_get_monotonic_time () - since, >=, 30000);
  thread = g_thread_new ("wake", wake_later, s);
  g_assert_false (lm_scheduler_wait (s, -1));
  g_thread_join (thread);
  lm_scheduler_wake (s); /* none is at work: the next one ends at once */
  g_assert_false (lm_scheduler_wait (s, -1));
  make_prompt (a, 1);
  submit (s, request_of (a, &sampling, LM_ADAPTER_OWN, 1));
  g_assert_true (lm_scheduler_wait (s, -1));
  run_dry (s);
  lm_scheduler_free (s);
  close_fixture (&f);
}

/* A removed adapter wakes the owner, so that its memory goes though nothing else comes. */
static void
test_stale (void)
{
  LmScheduler *s;
  LmLora *lora;
  guint adapter;
  Fixture f;

  open_fixture (&f);
  lora = make_lora (&f, 1);
  s = open_scheduler (&f, (LmSchedulerOptions){ .max_running = 1 });
  g_assert_true (lm_scheduler_add_adapter (s, lora, &adapter, NULL));
  g_assert_true (lm_scheduler_remove_adapter (s, adapter));
  g_assert_true (lm_scheduler_wait (s, -1));
  lm_scheduler_step (s);
  g_assert_cmpuint (lm_decoder_n_adapters (f.decoder), ==, 0);
  g_assert_false (lm_scheduler_wait (s, 0));
  lm_scheduler_free (s);
  lm_lora_unref (lora);
  close_fixture (&f);
}

static void
test_room (void)
{
  Fixture f;

  open_fixture (&f);
  /* two layers, keys and values, 2 heads of 4, F32 */
  g_assert_cmpuint (lm_kv_bytes (f.decoder, 10), ==, 10 * 2 * 2 * 8 * 4);
  g_assert_cmpuint (lm_kv_tokens (f.decoder, 10 * 2 * 2 * 8 * 4 + 5), ==, 10);
  close_fixture (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scheduler/logprobs", test_logprobs);
  g_test_add_func ("/scheduler/join-leave", test_join_leave);
  g_test_add_func ("/scheduler/chunks", test_chunks);
  g_test_add_func ("/scheduler/stall", test_stall);
  g_test_add_func ("/scheduler/short-first", test_short_first);
  g_test_add_func ("/scheduler/reuse", test_reuse);
  g_test_add_func ("/scheduler/exact", test_exact);
  g_test_add_func ("/scheduler/several-answers", test_several_answers);
  g_test_add_func ("/scheduler/eviction", test_eviction);
  g_test_add_func ("/scheduler/adapters", test_adapters);
  g_test_add_func ("/scheduler/cancel", test_cancel);
  g_test_add_func ("/scheduler/cancel-first", test_cancel_first);
  g_test_add_func ("/scheduler/deadline", test_deadline);
  g_test_add_func ("/scheduler/free", test_free);
  g_test_add_func ("/scheduler/ends", test_ends);
  g_test_add_func ("/scheduler/not-finite", test_not_finite);
  g_test_add_func ("/scheduler/stop-texts", test_stop_texts);
  g_test_add_func ("/scheduler/settings", test_settings);
  g_test_add_func ("/scheduler/refusals", test_refusals);
  g_test_add_func ("/scheduler/turns", test_turns);
  g_test_add_func ("/scheduler/large-request", test_large_request);
  g_test_add_func ("/scheduler/storm", test_storm);
  g_test_add_func ("/scheduler/wait", test_wait);
  g_test_add_func ("/scheduler/stale", test_stale);
  g_test_add_func ("/scheduler/room", test_room);
  return g_test_run ();
}
