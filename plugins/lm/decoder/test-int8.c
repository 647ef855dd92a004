/* SPDX-License-Identifier: Apache-2.0 */
/* test-int8.c: decoders whose products are of int8, on every backend of the host.
 *
 * What is compared with floats is compared by how much the loss moves; what must not depend on the
 * other rows of a pass is compared bit by bit.  With $FLOWRUN_SMOLLM2 on a real model, too.
 */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>
#include <string.h>

#include "lm/decoder.h"
#include "lm/generate.h"

#define VOCAB 97
#define LENGTH 21 /* of the longest sequence */
#define SEQUENCES 8

/* ---- random models of one type of weights --------------------------------------------------- */

static void
free_tensor (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

static void
add_tensor (GPtrArray *tensors, const LmConfig *config, LmWeightRole role, guint layer, LmType type,
            GRand *rand)
{
  g_autofree float *data = NULL;
  LmTensor *t;
  gsize rows, cols, n;

  if (!lm_weight_shape (config, role, &rows, &cols))
    return;
  t = g_new0 (LmTensor, 1);
  t->name = lm_weight_name (role, layer);
  t->type = rows > 0 && cols % lm_types[type].block == 0 ? type : LM_F32;
  t->n_dims = rows > 0 ? 2 : 1;
  t->dims[0] = (gint64) (rows > 0 ? rows : cols);
  t->dims[1] = rows > 0 ? (gint64) cols : 0;
  n = MAX (rows, 1) * cols;
  t->bytes = MAX (rows, 1) * lm_type_bytes (t->type, cols);
  data = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    data[i] = (float) ((rows > 0 ? 0 : 1) + g_rand_double_range (rand, -0.3, 0.3));
  t->data = g_malloc (t->bytes);
  for (gsize r = 0; r < MAX (rows, 1); r++)
    lm_encode (t->type, data + r * cols, (char *) t->data + r * lm_type_bytes (t->type, cols),
               cols);
  g_ptr_array_add (tensors, t);
}

/* @hidden: of the stream; the feed-forward is as wide. */
static LmModel *
make_model (LmType type, guint hidden)
{
  g_autofree char *text = g_strdup_printf (
      "{\"model_type\": \"qwen2\", \"vocab_size\": %d, \"hidden_size\": %u, \"intermediate_size\": "
      "%u, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"num_key_value_heads\": 2, "
      "\"max_position_embeddings\": 600, \"rms_norm_eps\": 1e-5, \"rope_theta\": 100.0, "
      "\"hidden_act\": \"silu\", \"tie_word_embeddings\": true}",
      VOCAB, hidden, hidden);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = json_from_string (text, &error);
  LmConfig *config = lm_config_parse (json_node_get_object (root), &error);
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);
  GRand *rand = g_rand_new_with_seed (7);

  g_assert_no_error (error);
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint layer = 0; layer < (lm_weights[role].per_layer ? config->n_layers : 1); layer++)
      if (role != LM_W_HEAD)
        add_tensor (tensors, config, role, layer, type, rand);
  g_rand_free (rand);
  return lm_model_new_memory (config, tensors, NULL, NULL);
}

/* ---- passes ---------------------------------------------------------------------------------- */

typedef struct
{
  gint32 tokens[SEQUENCES * LENGTH], positions[SEQUENCES * LENGTH], labels[SEQUENCES * LENGTH];
  gsize starts[SEQUENCES + 1];
  LmBatch batch;
} Packed;

static void
pack (Packed *p)
{
  gsize n = 0;

  for (gsize s = 0; s < SEQUENCES; s++)
    {
      p->starts[s] = n;
      for (gsize i = 0; i < LENGTH - 2 * s; i++, n++)
        {
          p->tokens[n] = (gint32) ((n * 31 + s * 17) % VOCAB);
          p->positions[n] = (gint32) i;
          p->labels[n] = i + 1 < LENGTH - 2 * s ? (gint32) (((n + 1) * 31 + s * 17) % VOCAB) : -1;
        }
    }
  p->starts[SEQUENCES] = n;
  p->batch = (LmBatch){ n, SEQUENCES, p->tokens, p->positions, p->labels, p->starts, NULL };
}

typedef struct
{
  const LmComputeClass *klass;
  LmType type;
} Case;

typedef struct
{
  LmCompute *compute;
  LmDecoder *decoder;
} Fixture;

/* An adapter that does something. */
static LmLora *
make_lora (LmModel *model)
{
  g_autoptr (GError) error = NULL;
  char *targets[] = { (char *) "all-linear", NULL };
  LmLoraSpec spec = { .rank = 6, .alpha = 12, .targets = targets };
  LmLora *lora = lm_lora_plan (lm_model_config (model), &spec, &error);

  g_assert_no_error (error);
  lm_lora_init (lora, 5);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize k = 0; k < (gsize) m->out * m->rank; k++)
        m->b[k] = (float) ((k * 7 + i) % 13) / 100 - 0.06f;
    }
  return lora;
}

static Fixture
open_decoder (LmModel *model, const Case *test, LmType act, LmInt8 int8, LmLora *lora)
{
  g_autoptr (GError) error = NULL;
  LmDecoderOptions options = { .type = act, .lora = lora, .int8 = int8 };
  Fixture f;

  f.compute = lm_compute_open_class (test->klass, 2, &error);
  g_assert_no_error (error);
  f.decoder = lm_decoder_new (model, f.compute, &options, &error);
  g_assert_no_error (error);
  return f;
}

static void
close_decoder (Fixture *f)
{
  lm_decoder_free (f->decoder);
  g_assert_cmpuint (f->compute->bytes, ==, 0);
  lm_compute_close (f->compute);
}

static double
loss_of (LmModel *model, const Case *test, LmInt8 int8, guint *n_int8)
{
  Fixture f = open_decoder (model, test, LM_F32, int8, NULL);
  g_autoptr (GError) error = NULL;
  double loss;
  gsize n, bytes;
  Packed p;

  pack (&p);
  g_assert_true (lm_decoder_loss (f.decoder, &p.batch, &loss, &n, &error));
  *n_int8 = lm_decoder_int8 (f.decoder, &bytes);
  g_assert_cmpint (*n_int8 > 0, ==, bytes > 0);
  close_decoder (&f);
  return loss / (double) n;
}

/* How far int8 moves the loss, and which matrices it takes. */
static void
test_loss (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (LmModel) model = make_model (test->type, 256);
  const gboolean blocks = lm_types[test->type].block > 1;
  guint none, stored, all;
  const double exact = loss_of (model, test, LM_INT8_NEVER, &none);
  const double close = loss_of (model, test, LM_INT8_STORED, &stored);
  const double rounded = loss_of (model, test, LM_INT8_ALL, &all);

  g_test_message ("%s: loss %.5f, int8 %.5f, all int8 %.5f", lm_types[test->type].name, exact,
                  close, rounded);
  g_assert_cmpuint (none, ==, 0);
  g_assert_cmpuint (stored, ==, blocks ? 2 * 7 + 1 : 0);
  g_assert_cmpuint (all, ==, 2 * 7 + 1);
  g_assert_cmpfloat (fabs (close / exact - 1), <, 0.01);
  g_assert_cmpfloat (fabs (rounded / exact - 1), <, 0.01);
  if (blocks)
    g_assert_cmpfloat (close, ==, rounded);
  else
    g_assert_cmpfloat (close, ==, exact);
}

/* Rows that are no whole blocks stay with floats. */
static void
test_odd (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (LmModel) model = make_model (LM_F32, 40);
  guint none, all;

  g_assert_cmpfloat (loss_of (model, test, LM_INT8_NEVER, &none), ==,
                     loss_of (model, test, LM_INT8_ALL, &all));
  g_assert_cmpuint (all, ==, 0);
}

/* A sequence gives the same bits alone and among others. */
static void
test_alone (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (LmModel) model = make_model (test->type, 256);
  g_autoptr (LmLora) lora = make_lora (model);

  for (guint act = 0; act < 4; act++)
    {
      Fixture f = open_decoder (model, test, act % 2 ? LM_BF16 : LM_F32, LM_INT8_ALL,
                                act / 2 ? lora : NULL);
      g_autoptr (GError) error = NULL;
      g_autofree float *together = NULL, *alone = g_new (float, LENGTH *VOCAB);
      Packed p;

      pack (&p);
      together = g_new (float, p.batch.n_tokens *VOCAB);
      g_assert_true (lm_decoder_logits (f.decoder, &p.batch, together, &error));
      for (gsize s = 0; s < SEQUENCES; s++)
        {
          const gsize from = p.starts[s], n = p.starts[s + 1] - from, starts[] = { 0, n };
          const LmBatch one
              = { n, 1, p.tokens + from, p.positions + from, p.labels + from, starts, NULL };

          g_assert_true (lm_decoder_logits (f.decoder, &one, alone, &error));
          g_assert_cmpmem (alone, n * VOCAB * sizeof (float), together + from * VOCAB,
                           n * VOCAB * sizeof (float));
        }
      close_decoder (&f);
    }
}

static void
test_training (void)
{
  g_autoptr (LmModel) model = make_model (LM_F32, 64);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCompute) compute = lm_compute_open_class (lm_compute_reference (), 1, &error);
  const LmDecoderOptions options
      = { .type = LM_F32, .train = LM_TRAIN_FULL, .int8 = LM_INT8_STORED };

  g_assert_null (lm_decoder_new (model, compute, &options, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
}

static void
test_words (void)
{
  g_assert_cmpint (lm_int8_choose (LM_INT8_STORED, LM_INT8_STORED), ==, LM_INT8_STORED);
  g_assert_cmpint (lm_int8_choose (LM_INT8_STORED, LM_INT8_NEVER), ==, LM_INT8_NEVER);
  g_assert_cmpint (lm_int8_choose (LM_INT8_ALL, LM_INT8_NEVER), ==, LM_INT8_ALL);
  g_assert_cmpint (lm_int8_choose (LM_INT8_ALL, LM_INT8_STORED), ==, LM_INT8_ALL);
  g_assert_cmpint (lm_int8_choose (0, 0), ==, LM_INT8_NEVER);
}

/* ---- a real model ---------------------------------------------------------------------------- */

/* More than with floats, of a token, over less than two hundred of them; over thousands it is a
 * tenth of that (decoder.h). */
#define MOST_LOSS 0.06

static const char *const questions[]
    = { "The capital of France is",
        "Write product copy for a desk lamp with a wooden foot, in two sentences:",
        "请用一句话介绍这款台灯：",
        "def fibonacci(n):",
        "A",
        "Once upon a time, in a town by the sea, there lived a clockmaker who could not sleep. "
        "Every night he climbed the tower and listened to the bells, and every night one of them "
        "rang a little late. He wondered which of the forty wheels was worn, and",
        "1, 1, 2, 3, 5, 8,",
        "Dear customer, thank you for your patience. We have looked into the delay and" };

static LmJob *
make_jobs (LmTokenizer *tokenizer)
{
  LmJob *jobs = g_new0 (LmJob, G_N_ELEMENTS (questions));

  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    {
      g_autoptr (GError) error = NULL;
      GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

      lm_tokenizer_encode (tokenizer, questions[i], strlen (questions[i]), 0, ids, NULL, &error);
      g_assert_no_error (error);
      jobs[i].n_prompt = ids->len;
      jobs[i].prompt = (const gint32 *) (gpointer) g_array_free (ids, FALSE);
      jobs[i].text = g_string_new (NULL);
      jobs[i].ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    }
  return jobs;
}

static void
free_jobs (LmJob *jobs)
{
  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    {
      g_free ((gpointer) jobs[i].prompt);
      g_string_free (jobs[i].text, TRUE);
      g_array_unref (jobs[i].ids);
    }
  g_free (jobs);
}

/* Greedy answers, one at a time and eight at once: the same tokens, and the same probabilities. */
static void
test_answers (gconstpointer data)
{
  const LmInt8 int8 = (LmInt8) GPOINTER_TO_INT (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmModel) model = lm_model_open (g_getenv ("FLOWRUN_SMOLLM2"), &error);
  g_autoptr (LmCompute) compute = lm_compute_open (NULL, NULL, 2, &error);
  LmDecoderOptions options = { .type = lm_type_choose (compute, LM_TYPE_AUTO), .int8 = int8 };
  g_autoptr (LmDecoder) decoder = lm_decoder_new (model, compute, &options, &error);
  LmSampling sampling = { .temperature = 0, .top_p = 1, .repetition_penalty = 1, .max_tokens = 40 };
  LmTokenizer *tokenizer;
  LmJob *alone, *together;

  g_assert_no_error (error);
  tokenizer = lm_model_tokenizer (model, &error);
  g_assert_no_error (error);
  alone = make_jobs (tokenizer);
  together = make_jobs (tokenizer);
  g_assert_true (lm_generate (decoder, tokenizer, &sampling, alone, G_N_ELEMENTS (questions), 1,
                              NULL, &error));
  g_assert_true (lm_generate (decoder, tokenizer, &sampling, together, G_N_ELEMENTS (questions),
                              G_N_ELEMENTS (questions), NULL, &error));
  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    {
      g_assert_cmpmem (alone[i].ids->data, alone[i].ids->len * sizeof (gint32),
                       together[i].ids->data, together[i].ids->len * sizeof (gint32));
      g_assert_cmpstr (alone[i].text->str, ==, together[i].text->str);
      g_assert_cmpfloat (alone[i].logprob, ==, together[i].logprob);
    }
  free_jobs (alone);
  free_jobs (together);
}

static double
text_loss (LmModel *model, LmInt8 int8)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCompute) compute = lm_compute_open (NULL, NULL, 2, &error);
  LmDecoderOptions options = { .type = LM_F32, .int8 = int8 };
  g_autoptr (LmDecoder) decoder = lm_decoder_new (model, compute, &options, &error);
  LmTokenizer *tokenizer = lm_model_tokenizer (model, &error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) labels = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) positions = g_array_new (FALSE, FALSE, sizeof (gint32));
  gsize starts[] = { 0, 0 }, n;
  LmBatch batch;
  double loss;

  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    lm_tokenizer_encode (tokenizer, questions[i], strlen (questions[i]), 0, ids, NULL, &error);
  for (guint t = 0; t < ids->len; t++)
    {
      const gint32 label = t + 1 < ids->len ? g_array_index (ids, gint32, t + 1) : -1;

      g_array_append_val (labels, label);
      g_array_append_val (positions, *(gint32 *) &t);
    }
  starts[1] = ids->len;
  batch = (LmBatch){
    ids->len, 1,   (gpointer) ids->data, (gpointer) positions->data, (gpointer) labels->data,
    starts,   NULL
  };
  g_assert_true (lm_decoder_loss (decoder, &batch, &loss, &n, &error));
  g_assert_no_error (error);
  return loss / (double) n;
}

static void
test_text (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmModel) model = lm_model_open (g_getenv ("FLOWRUN_SMOLLM2"), &error);
  double exact, close;

  g_assert_no_error (error);
  exact = text_loss (model, LM_INT8_NEVER);
  close = text_loss (model, LM_INT8_STORED);
  g_test_message ("loss %.5f, of int8 %.5f", exact, close);
  g_assert_cmpfloat (fabs (close - exact), <, MOST_LOSS);
}

static void
skip (void)
{
  g_test_skip ("FLOWRUN_SMOLLM2 names no file");
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void
add_class (const LmComputeClass *klass)
{
  static const LmType types[] = { LM_F32,  LM_F16,  LM_BF16, LM_Q4_0, LM_Q4_1, LM_Q5_0,
                                  LM_Q5_1, LM_Q8_0, LM_Q4_K, LM_Q5_K, LM_Q6_K };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      const char *type = lm_types[types[i]].name;
      g_autofree char *loss = g_strdup_printf ("/int8/%s/loss/%s", klass->name, type);
      g_autofree char *alone = g_strdup_printf ("/int8/%s/alone/%s", klass->name, type);
      Case *test = g_new (Case, 1);

      *test = (Case){ klass, types[i] };
      g_test_add_data_func (loss, test, test_loss);
      g_test_add_data_func_full (alone, test, test_alone, g_free);
    }
}

int
main (int argc, char **argv)
{
  const char *smollm2 = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (GPtrArray) services = NULL;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/int8/training", test_training);
  g_test_add_func ("/int8/words", test_words);
  services = fr_service_list (LM_COMPUTE_KIND);
  for (guint i = 0; i < services->len; i++)
    {
      const FrService *service = services->pdata[i];
      const LmComputeClass *klass = service->table;
      const char *why = NULL;
      static Case odd[16];

      if ((service->score != NULL && service->score (&why) <= 0) || !klass->host_memory
          || i >= G_N_ELEMENTS (odd))
        continue;
      odd[i] = (Case){ klass, LM_F32 };
      add_class (klass);
      {
        g_autofree char *path = g_strdup_printf ("/int8/%s/odd", klass->name);

        g_test_add_data_func (path, &odd[i], test_odd);
      }
    }
  if (smollm2 == NULL || !g_file_test (smollm2, G_FILE_TEST_EXISTS))
    g_test_add_func ("/int8/smollm2", skip);
  else
    {
      g_test_add_data_func ("/int8/smollm2/answers/stored", GINT_TO_POINTER (LM_INT8_STORED),
                            test_answers);
      g_test_add_data_func ("/int8/smollm2/answers/all", GINT_TO_POINTER (LM_INT8_ALL),
                            test_answers);
      g_test_add_func ("/int8/smollm2/text", test_text);
    }
  return g_test_run ();
}
