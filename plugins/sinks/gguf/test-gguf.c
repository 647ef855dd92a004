/* SPDX-License-Identifier: Apache-2.0 */
/* test-gguf.c: sink.gguf: what is written, read again as a model; what is refused; what is left
 * when it fails.  Other programs read its files in tests/conformance/test-gguf.py.
 */
#include "config.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "lm/chat/test-model.h"
#include "lm/export.h"
#include "lm/export/test-gate.h"

static FrTest *
sink (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "sink-gguf.so", NULL);

  return fr_test_new_file (path, "sink.gguf", with);
}

/* @sizes: members of config.json, each with a comma behind. */
static LmConfig *
made_config (const char *family, const char *sizes)
{
  g_autofree char *text = g_strdup_printf (
      "{'model_type': '%s', 'vocab_size': 264, %s 'max_position_embeddings': 64, "
      "'rms_norm_eps': 1e-5, 'hidden_act': 'silu', 'eos_token_id': [257, 256]}",
      family, sizes);
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = fr_json_parse (json, -1, 0, &error);
  LmConfig *config;

  g_assert_no_error (error);
  config = lm_config_parse (json_node_get_object (root), &error);
  g_assert_no_error (error);
  return config;
}

#define SIZES(hidden, inner, layers)                                                               \
  "'hidden_size': " hidden ", 'intermediate_size': " inner ", 'num_hidden_layers': " layers ", "   \
  "'num_attention_heads': 4, 'num_key_value_heads': 2, 'rope_theta': 10000.0, "

static LmModel *
model_with (LmConfig *config, LmTokenizer *tokenizer)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (test_free_tensor);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint layer = 0; layer < (lm_weights[role].per_layer ? config->n_layers : 1); layer++)
      if (role != LM_W_HEAD || !config->tied)
        test_add_tensor (tensors, config, role, layer, rand);
  /* as large as those of a trained model, about */
  for (guint i = 0; i < tensors->len; i++)
    {
      LmTensor *t = g_ptr_array_index (tensors, i);
      float by = t->n_dims > 1 ? 2 / sqrtf ((float) t->dims[1]) : 1;

      for (gsize k = 0; k < t->bytes / sizeof (float); k++)
        ((float *) t->data)[k] *= by;
    }
  return lm_model_new_memory (config, tensors, tokenizer, TEST_CHATML);
}

static LmModel *
made (const char *family, const char *sizes)
{
  g_autoptr (LmTokenizer) tokenizer = test_tokenizer ();

  return model_with (made_config (family, sizes), tokenizer);
}

static LmModel *
adapted (LmModel *base, gboolean rslora)
{
  char *targets[] = { (char *) "q_proj", (char *) "k_proj", (char *) "down_proj", NULL };
  LmLoraSpec spec = { .rank = 3, .alpha = 6, .rslora = rslora, .targets = targets };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLora) lora = lm_lora_plan (lm_model_config (base), &spec, &error);

  g_assert_no_error (error);
  lm_lora_init (lora, 5);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize k = 0; k < m->out * m->rank; k++)
        m->b[k] = (float) (k % 13) / 64 - 0.1f;
    }
  return lm_model_new_adapted (base, lora, NULL);
}

static char *
in_dir (FrTest *t, const char *name)
{
  return g_build_filename (fr_test_tmpdir (t), name, NULL);
}

static LmModel *
opened (FrTest *t, const char *name)
{
  g_autofree char *path = in_dir (t, name);
  g_autoptr (GError) error = NULL;
  LmModel *model = lm_model_open (path, &error);

  g_assert_no_error (error);
  return model;
}

/* Nothing in the directory, under whatever name. */
static void
assert_empty (FrTest *t)
{
  g_autoptr (GDir) dir = g_dir_open (fr_test_tmpdir (t), 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (strstr (name, "gguf") != NULL)
      g_error ("%s is left", name);
}

static JsonObject *
written (FrTest *t)
{
  return json_node_get_object (fr_test_report (t, "written"));
}

/* ---- types ------------------------------------------------------------------------------- */

/* Eight layers: 0, 3, 6 and 7 get more bits. */
static void
test_types (void)
{
  static const struct
  {
    const char *dtype;
    LmType most, head, value_0, value_1, down_3;
    guint32 file_type;
  } cases[] = {
    { "f32", LM_F32, LM_F32, LM_F32, LM_F32, LM_F32, 0 },
    { "f16", LM_F16, LM_F16, LM_F16, LM_F16, LM_F16, 1 },
    { "bf16", LM_BF16, LM_BF16, LM_BF16, LM_BF16, LM_BF16, 32 },
    { "q8_0", LM_Q8_0, LM_Q8_0, LM_Q8_0, LM_Q8_0, LM_Q8_0, 7 },
    { "q4_0", LM_Q4_0, LM_Q6_K, LM_Q4_0, LM_Q4_0, LM_Q4_0, 2 },
    { "q4_1", LM_Q4_1, LM_Q6_K, LM_Q4_1, LM_Q4_1, LM_Q4_1, 3 },
    { "q4_k_m", LM_Q4_K, LM_Q6_K, LM_Q6_K, LM_Q4_K, LM_Q6_K, 15 },
    { "q5_k_m", LM_Q5_K, LM_Q6_K, LM_Q6_K, LM_Q5_K, LM_Q6_K, 17 },
    { "q6_k", LM_Q6_K, LM_Q6_K, LM_Q6_K, LM_Q6_K, LM_Q6_K, 18 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf ("{'path': 'x.gguf', 'dtype': '%s'}", cases[i].dtype);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) model = made ("qwen2", SIZES ("256", "256", "8")), again = NULL;
      g_autoptr (LmWeightFile) file = NULL;
      g_autofree char *path = in_dir (t, "x.gguf");
      JsonObject *verification;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      again = opened (t, "x.gguf");
      g_assert_cmpint (lm_model_weight (again, LM_W_Q, 2)->type, ==, cases[i].most);
      g_assert_cmpint (lm_model_weight (again, LM_W_DOWN, 2)->type, ==, cases[i].most);
      g_assert_cmpint (lm_model_weight (again, LM_W_EMBED, 0)->type, ==, cases[i].most);
      g_assert_cmpint (lm_model_weight (again, LM_W_HEAD, 0)->type, ==, cases[i].head);
      g_assert_cmpint (lm_model_weight (again, LM_W_V, 0)->type, ==, cases[i].value_0);
      g_assert_cmpint (lm_model_weight (again, LM_W_V, 1)->type, ==, cases[i].value_1);
      g_assert_cmpint (lm_model_weight (again, LM_W_V, 7)->type, ==, cases[i].value_0);
      g_assert_cmpint (lm_model_weight (again, LM_W_DOWN, 3)->type, ==, cases[i].down_3);
      g_assert_cmpint (lm_model_weight (again, LM_W_V_BIAS, 3)->type, ==, LM_F32);
      g_assert_cmpint (lm_model_weight (again, LM_W_INPUT_NORM, 3)->type, ==, LM_F32);
      file = lm_weight_file_open (path, NULL);
      g_assert_cmpint (
          json_object_get_int_member (lm_weight_file_metadata (file), "general.file_type"), ==,
          cases[i].file_type);
      verification = json_node_get_object (fr_test_report (t, "verification"));
      g_test_message ("%s: %.2e", cases[i].dtype,
                      json_object_get_double_member (verification, "logit_error"));
      g_assert_cmpint (json_object_get_int_member (verification, "tensors_equal"), ==, 3 + 8 * 12);
      g_assert_cmpint (json_object_get_int_member (verification, "prompt_tokens"), ==, 24);
      g_assert_cmpfloat (json_object_get_double_member (verification, "logit_error"), <, 0.2);
      if (cases[i].most == LM_F32)
        g_assert_cmpfloat (json_object_get_double_member (verification, "logit_error"), <, 1e-5);
      else
        g_assert_cmpfloat (json_object_get_double_member (verification, "logit_error"), >, 1e-5);
      g_assert_cmpint (json_object_get_int_member (written (t), "fell_back"), ==, 0);
    }
}

/* Rows of 288 are no multiple of 256: what llama.cpp takes instead. */
static void
test_fallback (void)
{
  static const struct
  {
    const char *dtype;
    LmType most, head;
    guint fell_back;
  } cases[] = { { "q4_k_m", LM_Q5_0, LM_Q8_0, 14 },
                { "q5_k_m", LM_Q5_1, LM_Q8_0, 14 },
                { "q6_k", LM_Q8_0, LM_Q8_0, 14 },
                { "q4_0", LM_Q4_0, LM_Q8_0, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf ("{'path': 'x.gguf', 'dtype': '%s'}", cases[i].dtype);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) model = made ("llama", SIZES ("288", "256", "2")), again = NULL;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      again = opened (t, "x.gguf");
      g_assert_cmpint (lm_model_weight (again, LM_W_Q, 0)->type, ==, cases[i].most);
      g_assert_cmpint (lm_model_weight (again, LM_W_HEAD, 0)->type, ==, cases[i].head);
      g_assert_cmpint (json_object_get_int_member (written (t), "fell_back"), ==,
                       cases[i].fell_back);
      g_assert_cmpint (fr_test_counter (t, "fell_back"), ==, cases[i].fell_back);
    }
}

/* ---- what the numbers are ------------------------------------------------------------------ */

static void
assert_same_model (LmModel *a, LmModel *b)
{
  g_assert_cmpint (lm_model_n_tensors (a), ==, lm_model_n_tensors (b));
  for (gsize i = 0; i < lm_model_n_tensors (a); i++)
    {
      const LmTensor *x = lm_model_nth_tensor (a, i), *y = lm_model_tensor (b, x->name);

      g_assert_nonnull (y);
      g_assert_cmpmem (x->data, x->bytes, y->data, y->bytes);
    }
}

/* In F32 every family comes back to the bit: names, the order of rows, biases, head, settings. */
static void
test_families (void)
{
  static const struct
  {
    const char *family, *sizes;
  } cases[] = {
    { "llama", SIZES ("32", "48", "2") "'tie_word_embeddings': true, " },
    { "llama", SIZES ("32", "48", "2") "'attention_bias': true, 'mlp_bias': true, " },
    { "llama", SIZES ("32", "48", "2") "'head_dim': 12, 'rope_scaling': {'rope_type': 'linear', "
                                       "'factor': 2.0}, " },
    { "llama", SIZES ("32", "48", "2") "'rope_scaling': {'rope_type': 'llama3', 'factor': 8.0, "
                                       "'low_freq_factor': 1.0, 'high_freq_factor': 4.0, "
                                       "'original_max_position_embeddings': 32}, " },
    { "qwen2", SIZES ("32", "48", "2") "'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, "
                                       "'original_max_position_embeddings': 16}, " },
    { "qwen2", SIZES ("32", "48", "2") "'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, "
                                       "'beta_fast': 16, 'attention_factor': 1.5, "
                                       "'original_max_position_embeddings': 16}, " },
    { "qwen3", SIZES ("32", "48", "2") "'head_dim': 16, 'tie_word_embeddings': true, " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = sink ("{'path': 'deep/er/x.gguf', 'dtype': 'f32', 'name': 'mine'}");
      g_autoptr (LmModel) model = made (cases[i].family, cases[i].sizes), again = NULL;
      const LmConfig *a = lm_model_config (model), *b;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      again = opened (t, "deep/er/x.gguf");
      b = lm_model_config (again);
      assert_same_model (model, again);
      g_assert_cmpint (a->rope.kind, ==, b->rope.kind);
      g_assert_cmpfloat (a->rope.theta, ==, b->rope.theta);
      g_assert_cmpfloat (a->rope.factor, ==, b->rope.factor);
      g_assert_cmpfloat (a->rope.original_max_position, ==, b->rope.original_max_position);
      g_assert_cmpfloat (a->rope.beta_fast, ==, b->rope.beta_fast);
      g_assert_cmpfloat (fabs (a->rope.attention_factor - b->rope.attention_factor), <, 1e-6);
      g_assert_cmpfloat (a->rms_norm_eps, ==, b->rms_norm_eps);
      g_assert_cmpint (a->tied, ==, b->tied);
      g_assert_cmpint (a->max_position, ==, b->max_position);
      g_assert_cmpint (b->eos_tokens->len, ==, 2);
      g_assert_cmpint (g_array_index (b->eos_tokens, gint32, 0), ==, 257);
      g_assert_cmpstr (lm_model_template_source (again), ==, TEST_CHATML);
    }
}

static void
test_merged (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'x.gguf', 'dtype': 'f32'}");
  g_autoptr (LmModel) base = made ("llama", SIZES ("32", "48", "2")), again = NULL;
  g_autoptr (LmModel) model = adapted (base, FALSE);
  const LmLoraModule *m = lm_export_module (model, "model.layers.1.self_attn.k_proj.weight");
  const float *before, *after;

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  again = opened (t, "x.gguf");
  before = lm_model_weight (base, LM_W_K, 1)->data;
  after = lm_model_weight (again, LM_W_K, 1)->data;
  for (gsize i = 0; i < m->out; i++)
    for (gsize j = 0; j < m->in; j++)
      {
        double sum = 0;

        for (guint k = 0; k < m->rank; k++)
          sum += (double) m->b[i * m->rank + k] * (double) m->a[k * m->in + j];
        g_assert_cmpfloat (
            fabs ((double) before[i * m->in + j] + 2 * sum - (double) after[i * m->in + j]), <,
            1e-6);
      }
  g_assert_cmpstr (json_object_get_string_member (written (t), "what"), ==, "merged");
  g_assert_cmpint (json_object_get_int_member (written (t), "merged"), ==, 6);
}

/* B of a query has the order of rows that the base's file has; a scale of its own goes into B. */
static void
test_adapter (void)
{
  for (guint rslora = 0; rslora < 2; rslora++)
    {
      g_autoptr (FrTest) t = sink ("{'path': 'x.gguf', 'what': 'adapter'}");
      g_autoptr (LmModel) base = made ("llama", SIZES ("32", "48", "2"));
      g_autoptr (LmModel) model = adapted (base, rslora);
      g_autofree char *path = in_dir (t, "x.gguf");
      const LmLoraModule *m = lm_export_module (model, "model.layers.1.self_attn.q_proj.weight");
      g_autoptr (LmWeightFile) file = NULL;
      const LmTensor *a, *b;
      JsonObject *keys;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      file = lm_weight_file_open (path, NULL);
      g_assert_nonnull (file);
      keys = lm_weight_file_metadata (file);
      g_assert_cmpstr (json_object_get_string_member (keys, "general.type"), ==, "adapter");
      g_assert_cmpstr (json_object_get_string_member (keys, "adapter.type"), ==, "lora");
      g_assert_cmpfloat (
          fabs (json_object_get_double_member (keys, "adapter.lora.alpha") - (double) m->scale * 3),
          <, 1e-6);
      g_assert_cmpint (lm_weight_file_n_tensors (file), ==, 12);
      a = lm_weight_file_find (file, "blk.1.attn_q.weight.lora_a");
      b = lm_weight_file_find (file, "blk.1.attn_q.weight.lora_b");
      g_assert_cmpint (a->dims[0], ==, 3);
      g_assert_cmpint (b->dims[1], ==, 3);
      g_assert_cmpmem (a->data, a->bytes, m->a, 3 * 32 * sizeof (float));
      for (gsize row = 0; row < 32; row++) /* heads of 8: halves in turn */
        g_assert_cmpmem ((const float *) b->data + 3 * row, 3 * sizeof (float),
                         m->b + 3 * (row / 8 * 8 + row % 2 * 4 + row % 8 / 2), 3 * sizeof (float));
      b = lm_weight_file_find (file, "blk.1.ffn_down.weight.lora_b");
      m = lm_export_module (model, "model.layers.1.mlp.down_proj.weight");
      g_assert_cmpmem (b->data, b->bytes, m->b, 3 * 32 * sizeof (float));
    }
}

/* The same bytes, whoever works. */
static void
test_threads (void)
{
  char *texts[2];
  gsize lengths[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (FrTest) t = sink ("{'path': 'x.gguf', 'dtype': 'q4_k_m', 'verify': 'tensors'}");
      g_autoptr (LmModel) model = made ("qwen3", SIZES ("256", "1024", "4") "'head_dim': 64, ");
      g_autofree char *path = in_dir (t, "x.gguf");

      fr_test_set_workers (t, i == 0 ? 1 : 4);
      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      g_assert_true (g_file_get_contents (path, &texts[i], &lengths[i], NULL));
    }
  g_assert_cmpmem (texts[0], lengths[0], texts[1], lengths[1]);
  g_free (texts[0]);
  g_free (texts[1]);
}

/* ---- what is refused --------------------------------------------------------------------------
 */

static float *
numbers_of (LmModel *model, LmWeightRole role)
{
  return (float *) lm_model_weight (model, role, 0)->data;
}

static void
test_refused (void)
{
  static const struct
  {
    const char *with, *family, *sizes;
    float number; /* in the first row of a matrix; 0: none */
    FrError code;
    const char *text;
  } cases[] = {
    { "{'path': 'x.gguf', 'what': 'adapter'}", "llama", SIZES ("32", "48", "2"), 0, FR_ERROR_CONFIG,
      "has none" },
    { "{'path': 'x.gguf', 'dtype': 'q4_k_m'}", "llama", SIZES ("24", "40", "2"), 0, FR_ERROR_CONFIG,
      "say \"f16\"" },
    { "{'path': 'x.gguf', 'dtype': 'f32'}", "llama", SIZES ("32", "48", "2"), NAN, FR_ERROR_DATA,
      "tensor 'blk.0.attn_q.weight', row 0" },
    { "{'path': 'x.gguf', 'dtype': 'q8_0'}", "llama", SIZES ("32", "64", "2"), INFINITY,
      FR_ERROR_DATA, "not finite" },
    { "{'path': 'x.gguf', 'dtype': 'f16'}", "llama", SIZES ("32", "48", "2"), 70000, FR_ERROR_DATA,
      "say \"bf16\"" },
    { "{'path': 'x.gguf', 'dtype': 'f32'}", "qwen3",
      SIZES ("32", "48", "2") "'rope_scaling': {'rope_type': 'llama3', 'factor': 8.0, "
                              "'low_freq_factor': 1.0, 'high_freq_factor': 4.0, "
                              "'original_max_position_embeddings': 32}, ",
      0, FR_ERROR_CONFIG, "rope_freqs" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = sink (cases[i].with);
      g_autoptr (LmModel) model = made (cases[i].family, cases[i].sizes);

      if (cases[i].number != 0)
        numbers_of (model, LM_W_Q)[3] = cases[i].number;
      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run_error (t, cases[i].code, cases[i].text);
      assert_empty (t);
    }
}

/* Text cut in a way that no name stands for: no guess. */
static void
test_tokenizer_unknown (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'x.gguf'}");
  g_autoptr (LmTokenizer) plain = test_tokenizer (), tokenizer = NULL;
  gsize len;
  g_autofree char *json = lm_tokenizer_to_json (plain, &len);
  char *at = strstr (json, "\"add_prefix_space\": false");
  g_autoptr (LmModel) model = NULL;

  memcpy (at, "\"add_prefix_space\":  true", 25);
  tokenizer = lm_tokenizer_new_json ("test", json, len, NULL);
  g_assert_nonnull (tokenizer);
  model = model_with (made_config ("llama", SIZES ("32", "48", "2")), tokenizer);
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run_error (t, FR_ERROR_CONFIG, "tokenizer.ggml.pre");
  assert_empty (t);
}

static void
test_no_tokenizer (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'x.gguf'}");
  g_autoptr (LmModel) model = model_with (made_config ("llama", SIZES ("32", "48", "2")), NULL);

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run_error (t, FR_ERROR_DATA, "has no tokenizer");
  assert_empty (t);
}

static void
test_directory (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) model = test_model (64, NULL);
  g_autofree char *out = in_dir (t, "out");

  fr_test_input_object (t, "in", (FrObject *) model);
  g_assert_true (fr_test_check (t));
  g_mkdir (out, 0777);
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "is no file"));
}

/* A disk that takes no more: an earlier file stays, and nothing else. */
static void
test_full_disk (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'x.gguf', 'dtype': 'f32'}");
  g_autoptr (LmModel) model = made ("llama", SIZES ("256", "512", "2"));
  g_autofree char *path = in_dir (t, "x.gguf"), *part = in_dir (t, ".x.gguf.part"), *text = NULL;
  struct rlimit before, small = { 100000, 100000 };

  g_assert_true (g_file_set_contents (path, "earlier", -1, NULL));
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &before);
  small.rlim_max = before.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run_error (t, FR_ERROR_IO, "x.gguf");
  setrlimit (RLIMIT_FSIZE, &before);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "earlier");
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  fr_test_run (t);
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
}

static void
test_own_base (void)
{
  g_autoptr (FrTest) first = sink ("{'path': 'x.gguf', 'dtype': 'f32'}");
  g_autoptr (LmModel) model = test_model (64, NULL), again = NULL;
  g_autofree char *path = in_dir (first, "x.gguf");
  g_autofree char *with = g_strdup_printf ("{'path': '%s'}", path);
  g_autoptr (FrTest) second = sink (with);

  fr_test_input_object (first, "in", (FrObject *) model);
  fr_test_run (first);
  again = opened (first, "x.gguf");
  fr_test_input_object (second, "in", (FrObject *) again);
  fr_test_run_error (second, FR_ERROR_CONFIG, "is the model that this is made from");
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* A model is written where its report lets it, and else not at all. */
static void
test_gate (void)
{
  for (guint closed = 0; closed < 2; closed++)
    {
      g_autoptr (FrTest) t = sink ("{'path': 'model.gguf'}");
      g_autoptr (LmModel) model = made ("llama", SIZES ("64", "96", "2"));
      g_autoptr (FrObject) report
          = test_report (closed ? "[" TEST_LIMIT ("true") "]" : "[" TEST_LIMIT ("false") "]");
      g_autofree char *path = g_build_filename (fr_test_tmpdir (t), "model.gguf", NULL);

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_input_object (t, "gate", report);
      fr_test_run (t);
      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS) == !closed);
      g_assert_cmpint (fr_test_counter (t, "held_back"), ==, closed);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sink/gguf/types", test_types);
  g_test_add_func ("/sink/gguf/fallback", test_fallback);
  g_test_add_func ("/sink/gguf/families", test_families);
  g_test_add_func ("/sink/gguf/merged", test_merged);
  g_test_add_func ("/sink/gguf/adapter", test_adapter);
  g_test_add_func ("/sink/gguf/threads", test_threads);
  g_test_add_func ("/sink/gguf/refused", test_refused);
  g_test_add_func ("/sink/gguf/tokenizer-unknown", test_tokenizer_unknown);
  g_test_add_func ("/sink/gguf/no-tokenizer", test_no_tokenizer);
  g_test_add_func ("/sink/gguf/directory", test_directory);
  g_test_add_func ("/sink/gguf/full-disk", test_full_disk);
  g_test_add_func ("/sink/gguf/own-base", test_own_base);
  g_test_add_func ("/sink/gguf/gate", test_gate);
  return g_test_run ();
}
