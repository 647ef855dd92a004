/* SPDX-License-Identifier: Apache-2.0 */
/* test-choice.c: probabilities of given answers against the definition, on a small random model
 * and, where it lies here, on SmolLM2. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#include "lm/chat.h"
#include "lm/chat/test-model.h"
#include "lm/generate.h"

typedef struct
{
  LmModel *model;
  LmCompute *compute;
  LmDecoder *decoder;
  LmTokenizer *tokenizer;
  GArray *ends;
} Fixture;

static void
fixture_open (Fixture *f, LmModel *model)
{
  LmDecoderOptions options = { .type = LM_F32 };
  g_autoptr (GError) error = NULL;
  gint32 end = lm_tokenizer_find (lm_model_tokenizer (model, NULL), "<|im_end|>");

  f->model = model;
  f->tokenizer = lm_model_tokenizer (model, &error);
  f->compute = lm_compute_open_class (lm_compute_reference (), 1, &error);
  f->decoder = lm_decoder_new (model, f->compute, &options, &error);
  g_assert_no_error (error);
  f->ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_val (f->ends, end);
}

static void
fixture_clear (Fixture *f)
{
  g_array_unref (f->ends);
  lm_decoder_free (f->decoder);
  lm_compute_close (f->compute);
  fr_object_unref (f->model);
}

static GArray *
encode (Fixture *f, const char *text)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_true (
      lm_tokenizer_encode (f->tokenizer, text, strlen (text), LM_ENCODE_PLAIN, ids, NULL, NULL));
  return ids;
}

/* By definition: one pass over prompt and answer, minus the loss of the answer's tokens. */
static double
by_definition (Fixture *f, const char *prompt, const char *answer, gboolean closed)
{
  g_autoptr (GArray) ids = encode (f, prompt), more = encode (f, answer);
  gsize n_prompt = ids->len, n_labels = 0;
  gsize starts[2] = { 0, 0 };
  double loss = 0;
  g_autofree gint32 *labels = NULL, *positions = NULL;
  g_autoptr (GError) error = NULL;
  LmBatch batch = { .n_seqs = 1, .starts = starts };

  g_array_append_vals (ids, more->data, more->len);
  if (closed)
    g_array_append_val (ids, g_array_index (f->ends, gint32, 0));
  labels = g_new (gint32, ids->len);
  positions = g_new (gint32, ids->len);
  for (guint i = 0; i < ids->len; i++)
    {
      positions[i] = (gint32) i;
      labels[i] = i + 1 < ids->len && i + 1 >= n_prompt ? g_array_index (ids, gint32, i + 1) : -1;
    }
  starts[1] = batch.n_tokens = ids->len;
  batch.tokens = (const gint32 *) (gpointer) ids->data;
  batch.positions = positions;
  batch.labels = labels;
  g_assert_true (lm_decoder_loss (f->decoder, &batch, &loss, &n_labels, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_labels, ==, ids->len - n_prompt);
  return exp (-loss);
}

#define N_PROMPTS 5
static const char *const prompts[N_PROMPTS]
    = { "which one?", "a", "tell me more of it, please, and then choose", "zz", "12345678" };

static void
compare (Fixture *f, const char *const *answers, gboolean closed, guint batch, double slack)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmChoices) choices = lm_choices_new (f->tokenizer, answers, f->ends, &error);
  gsize n = lm_choices_n (choices);
  g_autofree double *p = g_new (double, n *N_PROMPTS);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  LmChoiceJob jobs[N_PROMPTS];

  for (guint i = 0; i < N_PROMPTS; i++)
    {
      GArray *prompt = encode (f, prompts[i]);

      g_ptr_array_add (ids, prompt);
      jobs[i] = (LmChoiceJob){ .prompt = (const gint32 *) (gpointer) prompt->data,
                               .n_prompt = prompt->len,
                               .probabilities = p + i * n };
    }
  g_assert_true (lm_generate_choice (f->decoder, choices, jobs, N_PROMPTS, batch, NULL, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < N_PROMPTS; i++)
    {
      double sum = 0, mass = 0, most = 0;

      for (gsize k = 0; k < n; k++)
        mass += by_definition (f, prompts[i], answers[k], closed);
      g_assert_cmpfloat (fabs (jobs[i].mass / mass - 1), <, slack);
      for (gsize k = 0; k < n; k++)
        {
          double want = by_definition (f, prompts[i], answers[k], closed) / mass;

          g_assert_cmpfloat (fabs (jobs[i].probabilities[k] - want), <, slack);
          sum += jobs[i].probabilities[k];
          most = MAX (most, jobs[i].probabilities[k]);
        }
      g_assert_cmpfloat (fabs (sum - 1), <, 1e-9);
      g_assert_cmpfloat (jobs[i].probabilities[jobs[i].best], ==, most);
    }
}

static void
test_definition (void)
{
  Fixture f;

  fixture_open (&f, test_model (96, NULL));
  for (guint batch = 1; batch <= 8; batch += 3)
    {
      compare (&f, (const char *const[]){ "a", "b", "c", NULL }, FALSE, batch, 1e-4);
      compare (&f, (const char *const[]){ "good", "gone", "bad", "ba", NULL }, TRUE, batch, 1e-4);
      compare (&f, (const char *const[]){ "正面", "负面", "中性", NULL }, FALSE, batch, 1e-4);
      compare (&f, (const char *const[]){ "x", "xy", "xyz", NULL }, TRUE, batch, 1e-4);
    }
  fixture_clear (&f);
}

static void
test_nodes (void)
{
  static const struct
  {
    const char *answers[5];
    gsize nodes, depth;
  } cases[] = {
    { { "a", "b", "c" }, 1, 1 },          /* told by the first token */
    { { "ax", "ay" }, 2, 2 },             /* root, a */
    { { "abc", "abd", "x" }, 3, 3 },      /* root, a, ab */
    { { "good", "good value" }, 11, 10 }, /* every token of it, and the end behind it */
  };
  Fixture f;

  fixture_open (&f, test_model (64, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmChoices) c = lm_choices_new (f.tokenizer, cases[i].answers, f.ends, NULL);

      g_assert_cmpuint (lm_choices_n_nodes (c), ==, cases[i].nodes);
      g_assert_cmpuint (lm_choices_depth (c), ==, cases[i].depth);
    }
  fixture_clear (&f);
}

static void
test_problems (void)
{
  static const struct
  {
    const char *answers[4], *says;
  } bad[] = {
    { { "yes" }, "two answers" },
    { { NULL }, "two answers" },
    { { "yes", "" }, "answer 2 is empty" },
    { { "yes", "no", "yes" }, "answers 1 and 3, 'yes', are the same" },
  };
  g_autoptr (GCancellable) cancel = g_cancellable_new ();
  g_autoptr (LmChoices) ok = NULL;
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (gint32)), prompt = NULL;
  g_autoptr (GError) error = NULL;
  double p[2];
  LmChoiceJob job = { .probabilities = p };
  Fixture f;

  fixture_open (&f, test_model (16, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) fault = NULL;

      g_assert_null (lm_choices_new (f.tokenizer, bad[i].answers, f.ends, &fault));
      g_assert_error (fault, FR_ERROR, FR_ERROR_CONFIG);
      g_assert_nonnull (strstr (fault->message, bad[i].says));
    }
  g_assert_null (
      lm_choices_new (f.tokenizer, (const char *const[]){ "a", "ab", NULL }, none, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  ok = lm_choices_new (f.tokenizer, (const char *const[]){ "yes", "no", NULL }, f.ends, NULL);
  g_assert_false (lm_generate_choice (f.decoder, ok, &job, 1, 1, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  prompt = encode (&f, "fourteen bytes"); /* and three of "yes" do not fit 16 */
  job.prompt = (const gint32 *) (gpointer) prompt->data;
  job.n_prompt = prompt->len;
  g_assert_false (lm_generate_choice (f.decoder, ok, &job, 1, 1, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  job.n_prompt = 5;
  g_cancellable_cancel (cancel);
  g_assert_false (lm_generate_choice (f.decoder, ok, &job, 1, 1, cancel, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CANCELLED);
  fixture_clear (&f);
}

static void
test_smollm2 (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (GError) error = NULL;
  Fixture f;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 does not name a checkpoint");
      return;
    }
  fixture_open (&f, lm_model_open (path, &error));
  g_assert_no_error (error);
  compare (&f, (const char *const[]){ "positive", "negative", "neutral", NULL }, FALSE, 2, 2e-3);
  compare (&f, (const char *const[]){ "good", "good value", "bad value", NULL }, TRUE, 5, 2e-3);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/choice/definition", test_definition);
  g_test_add_func ("/choice/nodes", test_nodes);
  g_test_add_func ("/choice/problems", test_problems);
  g_test_add_func ("/choice/smollm2", test_smollm2);
  return g_test_run ();
}
