/* SPDX-License-Identifier: Apache-2.0 */
/* test-decoder.c: the decoder on tiny random models of each family, on the reference backend in
 * F32.
 *
 * Gradients are compared with central differences of the loss; passes that
 * must agree (packed and alone, kept and computed again, cached and whole) with one another.
 */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>
#include <string.h>

#include "lm/decoder.h"

/* Head sizes, ranks and vocabulary are odd on purpose; @json is the rest of config.json. */
typedef struct
{
  const char *name;
  const char *json;
} Family;

#define SIZES                                                                                      \
  "\"vocab_size\": 29, \"hidden_size\": 16, \"intermediate_size\": 21, \"num_hidden_layers\": 3,"  \
  " \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"max_position_embeddings\": 64,"      \
  " \"rms_norm_eps\": 1e-5, \"hidden_act\": \"silu\", "

static const Family families[] = {
  { "llama",
    SIZES "\"model_type\": \"llama\", \"rope_theta\": 100.0, \"tie_word_embeddings\": true" },
  { "llama-biases",
    SIZES "\"model_type\": \"llama\", \"rope_theta\": 100.0, \"tie_word_embeddings\": false,"
          " \"attention_bias\": true, \"mlp_bias\": true" },
  { "llama3-rope", SIZES
    "\"model_type\": \"llama\", \"rope_theta\": 100.0, \"tie_word_embeddings\": false,"
    " \"rope_scaling\": { \"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
    " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 16 }" },
  { "qwen2",
    SIZES "\"model_type\": \"qwen2\", \"rope_theta\": 100.0, \"tie_word_embeddings\": false" },
  { "qwen3", SIZES "\"model_type\": \"qwen3\", \"rope_theta\": 100.0, \"tie_word_embeddings\": "
                   "true, \"head_dim\": 6" },
  { "qwen3-yarn", SIZES "\"model_type\": \"qwen3\", \"rope_theta\": 100.0, "
                        "\"tie_word_embeddings\": false, \"head_dim\": 6,"
                        " \"rope_scaling\": { \"rope_type\": \"yarn\", \"factor\": 4.0, "
                        "\"original_max_position_embeddings\": 16 }" },
};

/* ---- models and batches -------------------------------------------------------------------- */

static float
uniform (GRand *rand, double scale)
{
  return (float) g_rand_double_range (rand, -scale, scale);
}

static void
free_tensor (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

static LmTensor *
random_tensor (const LmConfig *config, LmWeightRole role, guint layer, GRand *rand)
{
  LmTensor *t;
  gsize rows, cols, n;
  float *data;

  if (!lm_weight_shape (config, role, &rows, &cols))
    return NULL;
  t = g_new0 (LmTensor, 1);
  t->name = lm_weight_name (role, layer);
  t->type = LM_F32;
  t->n_dims = rows ? 2 : 1;
  t->dims[0] = rows ? rows : cols;
  t->dims[1] = rows ? cols : 0;
  n = MAX (rows, 1) * cols;
  t->bytes = n * sizeof (float);
  data = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    data[i] = strstr (t->name, "norm") ? 1 + uniform (rand, 0.3) : uniform (rand, rows ? 0.5 : 0.2);
  t->data = data;
  return t;
}

static LmModel *
make_model (const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf ("{ %s }", json);
  JsonNode *root = json_from_string (text, &error);
  LmConfig *config;
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);
  GRand *rand = g_rand_new_with_seed (7);

  g_assert_no_error (error);
  config = lm_config_parse (json_node_get_object (root), &error);
  g_assert_no_error (error);
  json_node_unref (root);
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint l = 0; l < (lm_weights[role].per_layer ? config->n_layers : 1); l++)
      {
        LmTensor *t
            = role == LM_W_HEAD && config->tied ? NULL : random_tensor (config, role, l, rand);

        if (t)
          g_ptr_array_add (tensors, t);
      }
  g_rand_free (rand);
  return lm_model_new_memory (config, tensors, NULL, NULL);
}

/* An adapter whose B is not zero, so that A has a gradient. */
static LmLora *
make_lora (LmModel *model, const char *targets, double dropout, int first, int last)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = g_strsplit (targets, ",", 0);
  g_autoptr (GArray) layers = g_array_new (FALSE, FALSE, sizeof (guint));
  LmLoraSpec spec = { .rank = 3, .alpha = 5, .dropout = dropout, .targets = names };
  GRand *rand = g_rand_new_with_seed (11);
  LmLora *lora;

  if (first >= 0)
    {
      guint range[2] = { (guint) first, (guint) last };

      g_array_append_vals (layers, range, 2);
      spec.layers = layers;
    }
  lora = lm_lora_plan (lm_model_config (model), &spec, &error);
  g_assert_no_error (error);
  lm_lora_init (lora, 5);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize j = 0; j < m->out * m->rank; j++)
        m->b[j] = uniform (rand, 0.4);
    }
  g_rand_free (rand);
  return lora;
}

typedef struct
{
  LmBatch batch;
  gint32 tokens[64], positions[64], labels[64];
  guint64 keys[64];
  gsize starts[9];
} Packed;

static void
pack (Packed *p, const gsize *lengths, gsize n_seqs, guint vocab)
{
  GRand *rand = g_rand_new_with_seed (3);
  gsize n = 0;

  memset (p, 0, sizeof *p);
  for (gsize s = 0; s < n_seqs; s++)
    {
      p->starts[s] = n;
      for (gsize i = 0; i < lengths[s]; i++, n++)
        {
          p->tokens[n] = g_rand_int_range (rand, 0, vocab);
          p->positions[n] = (gint32) i;
          p->labels[n] = i > 1 && i % 4 != 3 ? g_rand_int_range (rand, 0, vocab) : -1;
          p->keys[n] = ((guint64) g_rand_int (rand) << 32) | g_rand_int (rand);
        }
    }
  g_assert_cmpuint (n, <=, G_N_ELEMENTS (p->tokens));
  p->starts[n_seqs] = n;
  p->batch = (LmBatch){ n, n_seqs, p->tokens, p->positions, p->labels, p->starts, NULL };
  g_rand_free (rand);
}

/* Sequence s of p alone. */
static LmBatch
alone (const Packed *p, gsize s, gsize starts[2])
{
  gsize from = p->starts[s];

  starts[0] = 0;
  starts[1] = p->starts[s + 1] - from;
  return (LmBatch){ starts[1],
                    1,
                    p->tokens + from,
                    p->positions + from,
                    p->labels + from,
                    starts,
                    p->batch.keys ? p->keys + from : NULL };
}

static const gsize three[] = { 7, 1, 12 };

typedef struct
{
  LmModel *model;
  LmCompute *compute;
  LmDecoder *decoder;
} Fixture;

static Fixture
open_decoder (LmModel *model, const LmDecoderOptions *options)
{
  g_autoptr (GError) error = NULL;
  Fixture f = { .model = model };

  f.compute = lm_compute_open (NULL, "reference", 1, &error);
  g_assert_no_error (error);
  f.decoder = lm_decoder_new (model, f.compute, options, &error);
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
grad_of (LmDecoder *decoder, const LmBatch *batch, double scale)
{
  g_autoptr (GError) error = NULL;
  double loss;
  gsize n;

  g_assert_true (lm_decoder_grad (decoder, batch, scale, &loss, &n, &error));
  g_assert_no_error (error);
  return loss;
}

static double
loss_of (LmDecoder *decoder, const LmBatch *batch)
{
  g_autoptr (GError) error = NULL;
  double loss;
  gsize n;

  g_assert_true (lm_decoder_loss (decoder, batch, &loss, &n, &error));
  g_assert_no_error (error);
  return loss;
}

/* All gradients, one after the other. */
static GArray *
all_grads (LmDecoder *decoder)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (float));

  for (gsize i = 0; i < lm_decoder_n_params (decoder); i++)
    {
      const LmParam *p = lm_decoder_param (decoder, i);

      g_array_append_vals (all, p->grad, p->rows * p->cols);
    }
  return all;
}

static void
assert_near (const GArray *a, const GArray *b, double tolerance)
{
  double norm = 0, difference = 0;

  g_assert_cmpuint (a->len, ==, b->len);
  g_assert_cmpuint (a->len, >, 0);
  for (guint i = 0; i < a->len; i++)
    {
      double x = g_array_index (a, float, i), y = g_array_index (b, float, i);

      norm = MAX (norm, fabs (y));
      difference = MAX (difference, fabs (x - y));
    }
  g_assert_cmpfloat (norm, >, 0);
  g_assert_cmpfloat (difference, <=, tolerance * norm);
}

/* ---- gradients ----------------------------------------------------------------------------- */

/* With dropout the loss is that of the same masks: grad's own, with scale 0. */
static double
loss_with (LmDecoder *decoder, const LmBatch *batch)
{
  lm_decoder_params_changed (decoder);
  return batch->keys ? grad_of (decoder, batch, 0) : loss_of (decoder, batch);
}

static void
move (LmParam *p, const float *direction, double by)
{
  float *value = p->value;

  for (gsize i = 0; i < p->rows * p->cols; i++)
    value[i] = (float) (value[i] + by * direction[i]);
}

/* (8 (L(e) - L(-e)) - (L(2e) - L(-2e))) / 12 e. */
static double
slope (LmDecoder *decoder, const LmBatch *batch, LmParam *p, const float *direction)
{
  const double e = 4e-3, at[] = { 1, -1, 2, -2 }, weight[] = { 8, -8, -1, 1 };
  gsize bytes = p->rows * p->cols * sizeof (float);
  g_autofree float *value = g_memdup2 (p->value, bytes);
  double sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (at); i++)
    {
      move (p, direction, at[i] * e);
      sum += weight[i] * loss_with (decoder, batch);
      memcpy (p->value, value, bytes);
    }
  lm_decoder_params_changed (decoder);
  return sum / (12 * e);
}

static void
check_param (LmDecoder *decoder, const LmBatch *batch, LmParam *p, double scale, GRand *rand)
{
  gsize n = p->rows * p->cols;
  const float *grad = p->grad;
  g_autofree float *direction = g_new (float, n);
  double norm = 0;

  for (gsize i = 0; i < n; i++)
    norm += (double) grad[i] * grad[i];
  norm = sqrt (norm) / scale;
  g_assert_true (isfinite (norm));
  for (guint trial = 0; trial < 3; trial++)
    {
      double expected = 0, found;

      for (gsize i = 0; i < n; i++)
        {
          direction[i] = trial == 0 && norm > 0 ? (float) (grad[i] / scale / norm)
                                                : uniform (rand, 1 / sqrt (n));
          expected += (double) grad[i] / scale * direction[i];
        }
      found = slope (decoder, batch, p, direction);
      if (fabs (found - expected) > 2e-3 * norm + 4e-3)
        g_error ("%s, direction %u: gradient says %g, differences say %g", p->name, trial, expected,
                 found);
    }
}

static void
check_gradients (LmModel *model, LmDecoderOptions *options, const LmBatch *batch)
{
  Fixture f = open_decoder (model, options);
  GRand *rand = g_rand_new_with_seed (13);
  const double scale = 0.25;
  double loss = loss_with (f.decoder, batch);

  g_assert_cmpfloat (fabs (grad_of (f.decoder, batch, scale) - loss), <=, 1e-5 * loss);
  for (gsize i = 0; i < lm_decoder_n_params (f.decoder); i++)
    check_param (f.decoder, batch, lm_decoder_param (f.decoder, i), scale, rand);
  g_rand_free (rand);
  close_decoder (&f);
}

static void
test_full_gradients (gconstpointer data)
{
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  LmDecoderOptions options = { .type = LM_F32, .train = LM_TRAIN_FULL, .loss_rows = 5 };
  Packed p;

  pack (&p, three, 3, 29);
  check_gradients (model, &options, &p.batch);
}

static void
test_lora_gradients (gconstpointer data)
{
  static const struct
  {
    const char *targets;
    double dropout;
    int first, last;
  } cases[] = { { "q_proj,v_proj", 0, -1, -1 },
                { "all-linear", 0.3, 1, 2 },
                { "down_proj,gate_proj", 0.3, 2, 2 },
                { "o_proj", 0, 1, 1 } };
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  Packed p;

  pack (&p, three, 3, 29);
  p.batch.keys = p.keys;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmLora) lora
          = make_lora (model, cases[i].targets, cases[i].dropout, cases[i].first, cases[i].last);
      LmDecoderOptions options = { .type = LM_F32, .train = LM_TRAIN_LORA, .lora = lora };

      check_gradients (model, &options, &p.batch);
    }
}

/* ---- passes that agree --------------------------------------------------------------------- */

/* Gradients of a batch in one go, under options that must not matter. */
static GArray *
grads_under (LmModel *model, LmLora *lora, gboolean recompute, gsize loss_rows,
             const LmBatch *batch)
{
  LmDecoderOptions options = { .type = LM_F32,
                               .train = lora ? LM_TRAIN_LORA : LM_TRAIN_FULL,
                               .lora = lora,
                               .recompute = recompute,
                               .loss_rows = loss_rows };
  Fixture f = open_decoder (model, &options);
  GArray *grads;

  grad_of (f.decoder, batch, 1);
  grads = all_grads (f.decoder);
  close_decoder (&f);
  return grads;
}

static void
test_packing (gconstpointer data)
{
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  g_autoptr (LmLora) lora = make_lora (model, "q_proj,down_proj", 0.2, -1, -1);
  LmDecoderOptions options = { .type = LM_F32, .train = LM_TRAIN_LORA, .lora = lora };
  Fixture f = open_decoder (model, &options);
  g_autoptr (GArray) packed = NULL, summed = NULL;
  double loss, loss_sum = 0;
  gsize starts[2];
  Packed p;

  pack (&p, three, 3, 29);
  p.batch.keys = p.keys;
  loss = grad_of (f.decoder, &p.batch, 1);
  packed = all_grads (f.decoder);
  lm_decoder_zero_grad (f.decoder);
  for (gsize s = 0; s < 3; s++)
    {
      LmBatch one = alone (&p, s, starts);

      loss_sum += grad_of (f.decoder, &one, 1);
    }
  summed = all_grads (f.decoder);
  g_assert_cmpfloat (fabs (loss - loss_sum), <=, 1e-5 * loss);
  assert_near (packed, summed, 1e-5);
  close_decoder (&f);
}

static void
test_recompute (gconstpointer data)
{
  static const char *const targets[] = { "all-linear", "v_proj", NULL };
  const gsize two[] = { 41, 22 }; /* enough labels for a chunk that is filled up */
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  Packed p;

  pack (&p, two, 2, 29);
  p.batch.keys = p.keys;
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_autoptr (LmLora) lora = targets[i] ? make_lora (model, targets[i], 0.2, i, 2) : NULL;
      g_autoptr (GArray) kept = grads_under (model, lora, FALSE, 0, &p.batch);
      g_autoptr (GArray) again = grads_under (model, lora, TRUE, 0, &p.batch);
      g_autoptr (GArray) chunked = grads_under (model, lora, FALSE, 13, &p.batch);

      g_assert_cmpmem (kept->data, kept->len * sizeof (float), again->data,
                       again->len * sizeof (float));
      assert_near (chunked, kept, 1e-5);
    }
}

/* The mean gradient-free loss over many masks is near the loss without: dropout scales what it
 * keeps. */
static void
test_dropout (void)
{
  g_autoptr (LmModel) model = make_model (families[0].json);
  g_autoptr (LmLora) lora = make_lora (model, "q_proj,v_proj", 0.1, -1, -1);
  LmDecoderOptions options = { .type = LM_F32, .train = LM_TRAIN_LORA, .lora = lora };
  Fixture f = open_decoder (model, &options);
  double plain, sum = 0, first = 0;
  gboolean differ = FALSE;
  const guint n = 200;
  Packed p;

  pack (&p, three, 3, 29);
  plain = loss_of (f.decoder, &p.batch);
  g_assert_cmpfloat (fabs (grad_of (f.decoder, &p.batch, 0) - plain), <=, 1e-5 * plain);
  p.batch.keys = p.keys;
  g_assert_cmpfloat (loss_of (f.decoder, &p.batch), ==, plain);
  for (guint i = 0; i < n; i++)
    {
      double loss = grad_of (f.decoder, &p.batch, 0);

      g_assert_cmpfloat (loss, ==, grad_of (f.decoder, &p.batch, 0));
      first = i == 0 ? loss : first;
      differ = differ || loss != first;
      sum += loss;
      for (gsize t = 0; t < p.batch.n_tokens; t++)
        p.keys[t] = p.keys[t] * 6364136223846793005u + 1442695040888963407u;
    }
  g_assert_true (differ);
  g_assert_cmpfloat (fabs (sum / n - plain), <=, 0.015 * plain);
  close_decoder (&f);
}

/* ---- cache --------------------------------------------------------------------------------- */

static void
feed (LmCache *cache, const LmFeed *feeds, gsize n, float *logits)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (lm_cache_feed (cache, feeds, n, logits, &error));
  g_assert_no_error (error);
}

/* Numbers are given from 0 on. */
static void
open_regions (LmCache *cache, guint n, gsize rows)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (lm_cache_open (cache, rows), ==, i);
}

static void
assert_row (const float *found, const float *expected, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat (fabs (found[i] - expected[i]), <=, 2e-5);
}

static void
test_cache (gconstpointer data)
{
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  g_autoptr (LmLora) lora = make_lora (model, "all-linear", 0.2, -1, -1);
  LmDecoderOptions options = { .type = LM_F32, .lora = lora, .loss_rows = 2 };
  Fixture f = open_decoder (model, &options);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_new (f.decoder, 4 * 14, 14, &error);
  g_autofree float *whole = NULL, *logits = g_new (float, 4 * 29);
  const gint32 *a, *c;
  Packed p;

  g_assert_no_error (error);
  open_regions (cache, 4, 14);
  pack (&p, three, 3, 29);
  whole = g_new (float, p.batch.n_tokens * 29);
  g_assert_true (lm_decoder_logits (f.decoder, &p.batch, whole, &error));
  a = p.tokens;
  c = p.tokens + p.starts[2];
  {
    LmFeed first[] = { { 3, c, 5, TRUE, 0, TRUE }, { 1, a, 3, FALSE, 0, TRUE }, { 0, a, 1, TRUE, 0, TRUE } };
    LmFeed second[] = { { 1, a + 3, 1, TRUE, 0, TRUE },
                        { 3, c + 5, 1, TRUE, 0, TRUE },
                        { 0, a + 1, 6, TRUE, 0, TRUE },
                        { 3, c + 6, 2, TRUE, 0, TRUE } };

    feed (cache, first, 3, logits);
    assert_row (logits, whole + (p.starts[2] + 4) * 29, 29);
    assert_row (logits + 29, whole, 29);
    feed (cache, second, 4, logits);
    assert_row (logits, whole + 3 * 29, 29);
    assert_row (logits + 29, whole + (p.starts[2] + 5) * 29, 29);
    assert_row (logits + 2 * 29, whole + 6 * 29, 29);
    assert_row (logits + 3 * 29, whole + (p.starts[2] + 7) * 29, 29);
  }
  g_assert_cmpuint (lm_cache_length (cache, 3), ==, 8);
  g_assert_cmpuint (lm_cache_length (cache, 2), ==, 0);
  lm_cache_cut (cache, 3, 6);
  {
    LmFeed again = { 3, c + 6, 3, TRUE, 0, TRUE }, too_much = { 3, c, 6, TRUE, 0, TRUE };

    feed (cache, &again, 1, logits);
    assert_row (logits, whole + (p.starts[2] + 8) * 29, 29);
    g_assert_false (lm_cache_feed (cache, &too_much, 1, logits, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
    g_assert_cmpuint (lm_cache_length (cache, 3), ==, 9);
  }
  g_clear_pointer (&cache, lm_cache_free);
  close_decoder (&f);
}

/* Losses and hits of labels, against all logits; the sums are those of lm_decoder_loss(). */
static void
test_score (gconstpointer data)
{
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  LmDecoderOptions options = { .type = LM_F32, .loss_rows = 4 };
  Fixture f = open_decoder (model, &options);
  g_autoptr (GError) error = NULL;
  g_autofree float *logits = NULL, *losses = NULL;
  g_autofree guint8 *hits = NULL;
  double loss = 0, sum = 0;
  gsize n_labels = 0, at = 0, n_hits = 0;
  Packed p;

  pack (&p, three, 3, 29);
  logits = g_new (float, p.batch.n_tokens * 29);
  losses = g_new (float, p.batch.n_tokens);
  hits = g_new (guint8, p.batch.n_tokens);
  g_assert_true (lm_decoder_logits (f.decoder, &p.batch, logits, &error));
  /* Of the labels, every other one is what the model says. */
  for (gsize t = 0; t < p.batch.n_tokens; t++)
    if (p.labels[t] >= 0 && t % 2 == 0)
      for (gint32 v = 0; v < 29; v++)
        if (logits[t * 29 + v] > logits[t * 29 + p.labels[t]])
          p.labels[t] = v;
  g_assert_true (lm_decoder_score (f.decoder, &p.batch, losses, hits, &loss, &n_labels, &error));
  for (gsize t = 0; t < p.batch.n_tokens; t++)
    {
      const float *row = logits + t * 29;
      double all = 0;
      gint32 best = 0;

      if (p.labels[t] < 0)
        continue;
      for (gint32 v = 0; v < 29; v++)
        {
          all += exp (row[v]);
          best = row[v] > row[best] ? v : best;
        }
      g_assert_cmpfloat (fabs (losses[at] - (log (all) - row[p.labels[t]])), <, 2e-5);
      g_assert_cmpint (hits[at], ==, best == p.labels[t]);
      n_hits += hits[at];
      sum += losses[at++];
    }
  g_assert_cmpuint (at, ==, n_labels);
  g_assert_cmpuint (n_hits, >=, n_labels / 3);
  g_assert_cmpuint (n_hits, <, n_labels);
  g_assert_true (sum == loss);
  g_assert_true (loss_of (f.decoder, &p.batch) == loss);
  close_decoder (&f);
}

/* Regions come, go, grow, shrink and are copied at random in a small cache: what a region says next is
 * what its tokens say in a cache of their own, and room is refused only where there is none. */
typedef struct
{
  guint region; /* LM_NO_REGION: none */
  gsize rows, n;
  gint32 tokens[24];
} Sequence;

static void
feed_sequence (LmCache *cache, Sequence *s, GRand *rand, LmCache *alone)
{
  float found[29], expected[29];
  gsize n = (gsize) g_rand_int_range (rand, 1, (gint32) (s->rows - s->n) + 1);
  LmFeed one = { s->region, s->tokens + s->n, n, TRUE, 0, TRUE }, all = { 0, s->tokens, 0, TRUE, 0, TRUE };

  for (gsize i = 0; i < n; i++)
    s->tokens[s->n + i] = g_rand_int_range (rand, 0, 29);
  feed (cache, &one, 1, found);
  s->n += n;
  all.n = s->n;
  lm_cache_cut (alone, 0, 0);
  feed (alone, &all, 1, expected);
  assert_row (found, expected, 29);
}

static void
change_sequence (LmCache *cache, Sequence *s, const Sequence *other, GRand *rand)
{
  gsize free_rows = lm_cache_free_rows (cache), rows = (gsize) g_rand_int_range (rand, 1, 25);

  if (s->region == LM_NO_REGION)
    {
      s->region = lm_cache_open (cache, rows);
      g_assert_cmpint (s->region == LM_NO_REGION, ==, rows > free_rows);
      s->rows = rows;
      s->n = 0;
    }
  else if (g_rand_int_range (rand, 0, 3) == 0)
    {
      lm_cache_close (cache, s->region);
      s->region = LM_NO_REGION;
    }
  else if (g_rand_boolean (rand) && rows >= s->n)
    {
      gboolean fits = rows <= s->rows + free_rows;

      g_assert_cmpint (lm_cache_resize (cache, s->region, rows), ==, fits);
      s->rows = fits ? rows : s->rows;
    }
  else if (other != s && other->region != LM_NO_REGION && other->n > 0)
    {
      s->n = MIN (s->rows, other->n);
      lm_cache_copy (cache, s->region, other->region, s->n);
      memcpy (s->tokens, other->tokens, sizeof s->tokens);
    }
}

static void
test_regions (gconstpointer data)
{
  g_autoptr (LmModel) model = make_model (((const Family *) data)->json);
  LmDecoderOptions options = { .type = LM_F32 };
  Fixture f = open_decoder (model, &options);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_new (f.decoder, 60, 24, &error);
  g_autoptr (LmCache) alone = lm_cache_new (f.decoder, 24, 24, &error);
  GRand *rand = g_rand_new_with_seed (3);
  Sequence all[8];

  open_regions (alone, 1, 24);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    all[i] = (Sequence){ .region = LM_NO_REGION };
  for (guint i = 0; i < 2000; i++)
    {
      Sequence *s = &all[g_rand_int_range (rand, 0, G_N_ELEMENTS (all))];
      gsize used = 0;

      change_sequence (cache, s, &all[g_rand_int_range (rand, 0, G_N_ELEMENTS (all))], rand);
      if (s->region != LM_NO_REGION && s->n < s->rows)
        feed_sequence (cache, s, rand, alone);
      for (guint k = 0; k < G_N_ELEMENTS (all); k++)
        if (all[k].region != LM_NO_REGION)
          {
            used += all[k].rows;
            g_assert_cmpuint (lm_cache_room (cache, all[k].region), ==, all[k].rows);
            g_assert_cmpuint (lm_cache_length (cache, all[k].region), ==, all[k].n);
          }
      g_assert_cmpuint (lm_cache_free_rows (cache), ==, 60 - used);
    }
  g_assert_cmpuint (lm_cache_n_moved (cache), >, 20);
  g_rand_free (rand);
  g_clear_pointer (&cache, lm_cache_free);
  g_clear_pointer (&alone, lm_cache_free);
  close_decoder (&f);
}

/* Sequences with different adapters, the decoder's own and none in one pass: each as in a decoder whose own it is. */
static void
test_adapters (gconstpointer data)
{
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  LmLora *loras[] = { make_lora (model, "all-linear", 0, -1, -1), NULL,
                      make_lora (model, "q_proj", 0, -1, -1),
                      make_lora (model, "all-linear", 0, -1, -1) };
  LmDecoderOptions options = { .type = LM_F32, .lora = loras[0] };
  Fixture f = open_decoder (model, &options);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_new (f.decoder, 64, 14, &error);
  static const gint32 tokens[] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3 };
  float logits[6 * 29], expected[29];
  guint ids[4] = { LM_ADAPTER_OWN, LM_ADAPTER_NONE };
  LmFeed feeds[6], no_adapter = { 0, tokens, 1, TRUE, 77, TRUE };

  lm_lora_init (loras[3], 99);
  for (guint i = 0; i < loras[3]->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (loras[3]->modules, i);

      for (gsize k = 0; k < m->out * m->rank; k++)
        m->b[k] = (float) (k % 7) * 0.1f - 0.3f;
    }
  for (guint i = 2; i < 4; i++)
    ids[i] = lm_decoder_add_adapter (f.decoder, loras[i], &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ids[2], !=, ids[3]);
  open_regions (cache, 6, 10);
  for (guint i = 0; i < 6; i++) /* mixed, so that rows are put together */
    feeds[i] = (LmFeed){ i, tokens, 4 + i, TRUE, ids[i % 4], TRUE };
  feed (cache, feeds, 6, logits);
  for (guint i = 0; i < 6; i++)
    {
      LmDecoderOptions own = { .type = LM_F32, .lora = loras[i % 4] };
      Fixture g = open_decoder (model, &own);
      g_autoptr (LmCache) one = lm_cache_new (g.decoder, 10, 10, &error);
      LmFeed all = { 0, tokens, 4 + i, TRUE, LM_ADAPTER_OWN, TRUE };

      open_regions (one, 1, 10);
      feed (one, &all, 1, expected);
      assert_row (logits + i * 29, expected, 29);
      for (guint k = 0; k < i; k++)
        if (k % 4 != i % 4)
          g_assert_cmpfloat (fabs (logits[k * 29 + 3] - expected[3]), >, 1e-4);
      g_clear_pointer (&one, lm_cache_free);
      close_decoder (&g);
    }
  g_assert_false (lm_cache_feed (cache, &no_adapter, 1, logits, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  g_assert_true (lm_decoder_hold_adapter (f.decoder, ids[3]));
  lm_decoder_release_adapter (f.decoder, ids[3]);
  g_assert_cmpuint (lm_decoder_n_adapters (f.decoder), ==, 2);
  lm_decoder_release_adapter (f.decoder, ids[3]);
  g_assert_cmpuint (lm_decoder_n_adapters (f.decoder), ==, 1);
  g_assert_false (lm_decoder_hold_adapter (f.decoder, ids[3]));
  g_clear_pointer (&cache, lm_cache_free);
  close_decoder (&f);
  for (guint i = 0; i < G_N_ELEMENTS (loras); i++)
    g_clear_pointer (&loras[i], lm_lora_unref);
}

/* A prompt longer than one pass takes. */
static void
test_long_prompt (void)
{
  g_autoptr (LmModel) model = make_model (
      "\"vocab_size\": 29, \"hidden_size\": 8, \"intermediate_size\": 8, \"num_hidden_layers\": 1,"
      " \"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"max_position_embeddings\": 2048,"
      " \"rms_norm_eps\": 1e-5, \"hidden_act\": \"silu\", \"model_type\": \"llama\", "
      "\"rope_theta\": 1000.0,"
      " \"tie_word_embeddings\": true");
  LmDecoderOptions options = { .type = LM_F32 };
  Fixture f = open_decoder (model, &options);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_new (f.decoder, 2 * 1500, 1500, &error);
  const gsize n = 1200, starts[] = { 0, 1200 };
  g_autofree gint32 *tokens = g_new (gint32, n), *positions = g_new (gint32, n);
  g_autofree float *whole = g_new (float, n * 29);
  float logits[2 * 29];
  LmBatch batch = { n, 1, tokens, positions, NULL, starts, NULL };
  LmFeed feeds[] = { { 1, tokens, 900, TRUE, 0, TRUE }, { 0, tokens, n, TRUE, 0, TRUE } };

  g_assert_no_error (error);
  open_regions (cache, 2, 1500);
  for (gsize i = 0; i < n; i++)
    {
      tokens[i] = (gint32) (i * i % 29);
      positions[i] = (gint32) i;
    }
  g_assert_true (lm_decoder_logits (f.decoder, &batch, whole, &error));
  feed (cache, feeds, 2, logits);
  assert_row (logits, whole + 899 * 29, 29);
  assert_row (logits + 29, whole + (n - 1) * 29, 29);
  g_clear_pointer (&cache, lm_cache_free);
  close_decoder (&f);
}

/* ---- memory, errors, results --------------------------------------------------------------- */

static void
check_bytes (LmModel *model, LmDecoderOptions *options)
{
  Fixture f = open_decoder (model, options);
  gsize fixed, total, n_labels = 0;
  Packed p;

  pack (&p, three, 3, 29);
  for (gsize t = 0; t < p.batch.n_tokens; t++)
    n_labels += p.labels[t] >= 0;
  total = lm_decoder_bytes (lm_model_config (model), options, p.batch.n_tokens, n_labels, &fixed);
  g_assert_cmpuint (fixed, ==, f.compute->bytes);
  loss_of (f.decoder, &p.batch);
  if (options->train != LM_TRAIN_NOTHING)
    grad_of (f.decoder, &p.batch, 1);
  g_assert_cmpuint (total, ==, f.compute->bytes);
  close_decoder (&f);
}

static void
test_bytes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autoptr (LmModel) model = make_model (families[i].json);
      g_autoptr (LmLora) lora = make_lora (model, "v_proj,up_proj", 0.1, 1, 2);

      for (LmTrain train = LM_TRAIN_NOTHING; train <= LM_TRAIN_FULL; train++)
        for (guint variant = 0; variant < 4; variant++)
          {
            LmDecoderOptions options = { .type = variant & 1 ? LM_BF16 : LM_F32,
                                         .train = train,
                                         .lora = train == LM_TRAIN_LORA ? lora : NULL,
                                         .recompute = variant >> 1,
                                         .loss_rows = 4 };

            check_bytes (model, &options);
          }
    }
}

static void
test_refusals (void)
{
  g_autoptr (LmModel) model = make_model (families[0].json);
  g_autoptr (LmLora) lora = make_lora (model, "q_proj", 0, -1, -1);
  LmDecoderOptions options = { .type = LM_F32, .train = LM_TRAIN_LORA };
  Fixture f = open_decoder (model, &(LmDecoderOptions){ .type = LM_F32 });
  g_autoptr (GError) error = NULL;
  double loss;
  gsize n;
  Packed p;

  g_assert_null (lm_decoder_new (model, f.compute, &options, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  options = (LmDecoderOptions){ .type = LM_F32, .train = LM_TRAIN_FULL, .lora = lora };
  g_assert_null (lm_decoder_new (model, f.compute, &options, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  pack (&p, three, 3, 29);
  p.tokens[4] = 29;
  g_assert_false (lm_decoder_loss (f.decoder, &p.batch, &loss, &n, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  p.tokens[4] = 0;
  p.positions[4] = 64;
  g_assert_false (lm_decoder_loss (f.decoder, &p.batch, &loss, &n, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  pack (&p, three, 0, 29);
  g_assert_true (lm_decoder_loss (f.decoder, &p.batch, &loss, &n, &error));
  g_assert_cmpuint (n, ==, 0);
  close_decoder (&f);
}

/* What is taken out gives, put into a model, the same loss. */
static void
test_take (void)
{
  g_autoptr (LmModel) model = make_model (families[3].json);
  g_autoptr (LmModel) tuned = NULL;
  g_autoptr (LmLora) lora = make_lora (model, "q_proj,up_proj", 0, -1, -1), taken = NULL;
  LmDecoderOptions options = { .type = LM_F32, .train = LM_TRAIN_LORA, .lora = lora };
  g_autoptr (GError) error = NULL;
  Fixture f = open_decoder (model, &options), g;
  double expected;
  Packed p;

  pack (&p, three, 3, 29);
  for (gsize i = 0; i < lm_decoder_n_params (f.decoder); i++)
    ((float *) lm_decoder_param (f.decoder, i)->value)[0] += 0.5f;
  lm_decoder_params_changed (f.decoder);
  expected = loss_of (f.decoder, &p.batch);
  taken = lm_decoder_take_lora (f.decoder, &error);
  g_assert_no_error (error);
  close_decoder (&f);
  g = open_decoder (model, &(LmDecoderOptions){ .type = LM_F32, .lora = taken });
  g_assert_cmpfloat (loss_of (g.decoder, &p.batch), ==, expected);
  close_decoder (&g);

  options = (LmDecoderOptions){ .type = LM_F32, .train = LM_TRAIN_FULL };
  f = open_decoder (model, &options);
  for (gsize i = 0; i < lm_decoder_n_params (f.decoder); i++)
    ((float *) lm_decoder_param (f.decoder, i)->value)[1] += 0.5f;
  lm_decoder_params_changed (f.decoder);
  expected = loss_of (f.decoder, &p.batch);
  tuned = lm_model_new_tuned (model, lm_decoder_take_tensors (f.decoder, LM_F32, &error), NULL);
  g_assert_no_error (error);
  close_decoder (&f);
  g = open_decoder (tuned, &(LmDecoderOptions){ .type = LM_F32 });
  g_assert_cmpfloat (loss_of (g.decoder, &p.batch), ==, expected);
  close_decoder (&g);
}

/* BF16 activations stay near F32's loss, and train to near gradients. */
static void
test_bf16 (gconstpointer data)
{
  const Family *family = data;
  g_autoptr (LmModel) model = make_model (family->json);
  LmDecoderOptions options = { .type = LM_BF16, .train = LM_TRAIN_FULL };
  g_autoptr (GArray) exact = NULL, rounded = NULL;
  Fixture f;
  double loss;
  Packed p;

  pack (&p, three, 3, 29);
  exact = grads_under (model, NULL, FALSE, 0, &p.batch);
  f = open_decoder (model, &options);
  loss = grad_of (f.decoder, &p.batch, 1);
  rounded = all_grads (f.decoder);
  assert_near (rounded, exact, 0.1);
  close_decoder (&f);
  options.type = LM_F32;
  f = open_decoder (model, &options);
  g_assert_cmpfloat (fabs (loss_of (f.decoder, &p.batch) - loss), <=, 0.02 * loss);
  close_decoder (&f);
}

static void
add (const char *test, GTestDataFunc function)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autofree char *path = g_strdup_printf ("/decoder/%s/%s", test, families[i].name);

      g_test_add_data_func (path, &families[i], function);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("full-gradients", test_full_gradients);
  add ("lora-gradients", test_lora_gradients);
  add ("packing", test_packing);
  add ("recompute", test_recompute);
  add ("cache", test_cache);
  add ("regions", test_regions);
  add ("adapters", test_adapters);
  add ("score", test_score);
  add ("bf16", test_bf16);
  g_test_add_func ("/decoder/long-prompt", test_long_prompt);
  g_test_add_func ("/decoder/dropout", test_dropout);
  g_test_add_func ("/decoder/bytes", test_bytes);
  g_test_add_func ("/decoder/refusals", test_refusals);
  g_test_add_func ("/decoder/take", test_take);
  return g_test_run ();
}
