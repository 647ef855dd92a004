/* SPDX-License-Identifier: Apache-2.0 */
/* test-config.c: config.json in every spelling, what is refused and in which words, rotary
 * frequencies, the table of tensors.
 *
 * Frequencies and factors were computed once with transformers 5
 * (modeling_rope_utils.py's functions on the same settings, in float32).
 */
#include "config.h"

#include <math.h>

#include "lm/weights/test-files.h"

static void
test_families (void)
{
  static const struct
  {
    const char *text;
    gboolean qkv_bias, o_bias, qk_norm, tied;
    guint head_dim;
  } cases[] = {
    { MADE_CONFIG ("llama", ""), FALSE, FALSE, FALSE, FALSE, 4 },
    { MADE_CONFIG ("llama", ", 'attention_bias': true"), TRUE, TRUE, FALSE, FALSE, 4 },
    { MADE_CONFIG ("qwen2", ", 'tie_word_embeddings': true"), TRUE, FALSE, FALSE, TRUE, 4 },
    { MADE_CONFIG ("qwen3", ""), FALSE, FALSE, TRUE, FALSE, 4 },
    { "{'model_type': 'qwen3', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"
      " 'num_hidden_layers': 2, 'num_attention_heads': 2}",
      FALSE, FALSE, TRUE, FALSE, 128 },
    { "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"
      " 'num_hidden_layers': 2, 'num_attention_heads': 2, 'head_dim': null}",
      FALSE, FALSE, FALSE, FALSE, 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmConfig) c = made_config (cases[i].text);

      g_assert_cmpint (c->qkv_bias, ==, cases[i].qkv_bias);
      g_assert_cmpint (c->o_bias, ==, cases[i].o_bias);
      g_assert_cmpint (c->qk_norm, ==, cases[i].qk_norm);
      g_assert_cmpint (c->tied, ==, cases[i].tied);
      g_assert_cmpuint (c->head_dim, ==, cases[i].head_dim);
    }
}

static void
test_details (void)
{
  g_autoptr (LmConfig) c = made_config (
      MADE_CONFIG ("qwen2", ", 'dtype': 'bfloat16', 'bos_token_id': 1, 'pad_token_id': 99,"
                            " 'use_sliding_window': false, 'sliding_window': 4096"));
  g_autoptr (LmConfig) several = made_config (
      "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"
      " 'num_hidden_layers': 2, 'num_attention_heads': 2, 'torch_dtype': 'torch.float16',"
      " 'eos_token_id': [3, 4, 3]}");

  g_assert_cmpint (c->dtype, ==, LM_BF16);
  g_assert_cmpint (c->bos_token, ==, 1);
  g_assert_cmpint (c->pad_token, ==, -1);
  g_assert_cmpuint (c->warnings->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (c->warnings, 0), "pad_token_id"));
  g_assert_cmpuint (c->n_kv_heads, ==, 1);
  g_assert_cmpint (several->dtype, ==, LM_F16);
  g_assert_cmpuint (several->n_kv_heads, ==, 2);
  g_assert_cmpuint (several->eos_tokens->len, ==, 2);
  g_assert_cmpint (g_array_index (several->eos_tokens, gint32, 1), ==, 4);
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "{}", "model_type" },
    { MADE_CONFIG ("gpt2", ""), "model_type 'gpt2' is not a family" },
    { MADE_CONFIG ("deepseek_v3", ""), "llama, qwen2, qwen3" },
    { MADE_CONFIG ("llama", ", 'hidden_activation': 1, 'partial_rotary_factor': 0.5"),
      "partial_rotary_factor" },
    { MADE_CONFIG ("llama", ", 'quantization_config': {'quant_method': 'gptq'}"), "gptq" },
    { MADE_CONFIG ("llama", ", 'num_local_experts': 8"), "num_local_experts" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'type': 'longrope', 'factor': 2}"), "longrope" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'type': 'dynamic', 'factor': 2}"), "dynamic" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'rope_type': 'linear'}"), "'factor' is missing" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'rope_type': 'linear', 'factor': 0.5}"),
      "at least 1" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': 3"), "an object" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'rope_type': 'yarn', 'factor': 2,"
                            " 'truncate': false}"),
      "truncate" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'rope_type': 'llama3', 'factor': 2,"
                            " 'low_freq_factor': 4, 'high_freq_factor': 4}"),
      "not above" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'rope_type': 'llama3', 'factor': 2,"
                            " 'low_freq_factor': 1, 'high_freq_factor': 4,"
                            " 'original_max_position_embeddings': 1e58}"),
      "a whole number from 1 to 2147483647" },
    { MADE_CONFIG ("llama", ", 'rope_scaling': {'rope_type': 'yarn', 'factor': 2,"
                            " 'original_max_position_embeddings': 4096.5}"),
      "is 4096.5" },
    { MADE_CONFIG ("qwen2", ", 'use_sliding_window': true, 'sliding_window': 8,"
                            " 'max_window_layers': 1"),
      "sliding attention" },
    { MADE_CONFIG ("qwen3", ", 'layer_types': ['full_attention', 'sliding_attention']"),
      "sliding_attention" },
    { MADE_CONFIG ("llama", ", 'torch_dtype': 'float8'"), "float8" },
    { MADE_CONFIG ("llama", ", 'attention_bias': 1"), "attention_bias" },
    { MADE_CONFIG ("llama", ", 'bos_token_id': 'x'"), "bos_token_id" },
    { "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"
      " 'num_hidden_layers': 2, 'num_attention_heads': 2, 'hidden_act': 'gelu'}",
      "gelu" },
    { "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"
      " 'num_hidden_layers': 2, 'num_attention_heads': 3}",
      "no multiple" },
    { "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"
      " 'num_hidden_layers': 2, 'num_attention_heads': 4, 'num_key_value_heads': 3}",
      "no multiple of 3 key heads" },
    { "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 1e9}", "hidden_size" },
    { "{'model_type': 'llama', 'vocab_size': -1}", "vocab_size" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) json = made_object (cases[i].text);
      g_autoptr (GError) error = NULL;
      LmConfig *config = lm_config_parse (json, &error);

      g_assert_null (config);
      g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
      if (strstr (error->message, cases[i].message) == NULL)
        {
          g_test_message ("expected '%s' in: %s", cases[i].message, error->message);
          g_test_fail ();
        }
    }
}

/* ---- rotary positions -------------------------------------------------------------------- */

#define ROPE(more)                                                                                 \
  "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 256, 'intermediate_size': 12,"         \
  " 'num_hidden_layers': 2, 'num_attention_heads': 2, 'max_position_embeddings': 131072" more "}"

static const struct
{
  const char *text;
  double at[4]; /* frequencies 0, 20, 40 and 63 of 64 */
  double factor;
} ropes[] = {
  { ROPE (""), { 1, 0.0562341288, 0.00316227786, 0.000115478193 }, 1 },
  { ROPE (", 'rope_theta': 500000.0, 'rope_scaling': {'rope_type': 'llama3', 'factor': 8."
          "0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0, 'original_max_position_emb"
          "eddings': 8192}"),
    { 1, 0.0165604409, 3.42810235e-05, 3.06892588e-07 },
    1 },
  { ROPE (", 'rope_theta': 10000.0, 'rope_scaling': {'type': 'linear', 'factor': 4.0}"),
    { 0.25, 0.0140585322, 0.000790569466, 2.88695483e-05 },
    1 },
  { ROPE (", 'rope_theta': 1000000.0, 'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0"
          ", 'original_max_position_embeddings': 32768}"),
    { 1, 0.0133352149, 4.44569851e-05, 3.10234441e-07 },
    1.13862944 },
  { ROPE (", 'rope_parameters': {'rope_theta': 1000000.0, 'rope_type': 'yarn', 'factor': "
          "40.0, 'original_max_position_embeddings': 4096, 'mscale': 1.0, 'mscale_all_dim"
          "': 0.5, 'beta_fast': 16}"),
    { 1, 0.0105491076, 4.44569832e-06, 3.10234434e-08 },
    1.15572199 },
  { ROPE (", 'rope_parameters': {'rope_theta': 250000.0, 'rope_type': 'default'}"),
    { 1, 0.0205657128, 0.000422948506, 4.85738838e-06 },
    1 },
};

static void
test_rope (void)
{
  static const guint places[4] = { 0, 20, 40, 63 };

  for (guint i = 0; i < G_N_ELEMENTS (ropes); i++)
    {
      g_autoptr (LmConfig) c = made_config (ropes[i].text);
      double inv[64];

      lm_rope_frequencies (c, inv);
      for (guint k = 0; k < 4; k++)
        g_assert_cmpfloat_with_epsilon (inv[places[k]] / ropes[i].at[k], 1, 2e-6);
      g_assert_cmpfloat_with_epsilon (c->rope.attention_factor, ropes[i].factor, 1e-6);
    }
}

/* DeepSeek-R1-0528-Qwen3-8B's key: it counts, and whoever uses it is told. */
static void
test_attn_factor (void)
{
  g_autoptr (LmConfig) c = made_config (
      ROPE (", 'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0,"
            " 'original_max_position_embeddings': 32768, 'attn_factor': 0.8782488562869419}"));
  g_autoptr (JsonObject) out = lm_config_export (c, LM_BF16);
  g_autoptr (LmConfig) again = NULL;

  g_assert_cmpfloat_with_epsilon (c->rope.attention_factor, 1.0, 1e-9);
  g_assert_cmpuint (c->warnings->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (c->warnings, 0), "attn_factor"));
  again = lm_config_parse (out, NULL);
  g_assert_cmpfloat_with_epsilon (again->rope.attention_factor, 1.0, 1e-9);
  g_assert_cmpuint (again->warnings->len, ==, 0);
}

static void
test_export (void)
{
  g_autoptr (LmConfig) c = made_config (
      MADE_CONFIG ("qwen2", ", 'rope_scaling': {'type': 'linear', 'factor': 2.0}, 'mine': [1]"));
  g_autoptr (JsonObject) out = lm_config_export (c, LM_BF16);
  g_autoptr (LmConfig) again = lm_config_parse (out, NULL);
  JsonObject *rope = json_object_get_object_member (out, "rope_parameters");

  g_assert_true (json_object_has_member (out, "mine"));
  g_assert_false (json_object_has_member (c->json, "dtype"));
  g_assert_cmpstr (json_object_get_string_member (out, "dtype"), ==, "bfloat16");
  g_assert_cmpstr (json_object_get_string_member (out, "torch_dtype"), ==, "bfloat16");
  g_assert_cmpstr (json_object_get_string_member (rope, "rope_type"), ==, "linear");
  g_assert_cmpfloat (json_object_get_double_member (rope, "rope_theta"), ==, 10000);
  g_assert_cmpfloat (json_object_get_double_member (out, "rope_theta"), ==, 10000);
  g_assert_cmpint (again->rope.kind, ==, LM_ROPE_LINEAR);
  g_assert_cmpfloat (again->rope.factor, ==, 2);
}

static void
test_table (void)
{
  g_autoptr (LmConfig) c = made_config (MADE_CONFIG ("qwen2", ", 'tie_word_embeddings': true"));
  g_autofree char *name = lm_weight_name (LM_W_Q_BIAS, 11);
  g_autofree char *gguf = lm_weight_gguf_name (LM_W_O, 3), *head = lm_weight_name (LM_W_HEAD, 0);
  gsize rows, cols;

  for (guint i = 0; i < LM_N_WEIGHTS; i++)
    g_assert_cmpint (lm_weights[i].role, ==, i);
  g_assert_cmpstr (name, ==, "model.layers.11.self_attn.q_proj.bias");
  g_assert_cmpstr (gguf, ==, "blk.3.attn_output.weight");
  g_assert_cmpstr (head, ==, "lm_head.weight");
  g_assert_true (lm_weight_shape (c, LM_W_K, &rows, &cols));
  g_assert_cmpuint (rows, ==, 4);
  g_assert_cmpuint (cols, ==, 8);
  g_assert_true (lm_weight_shape (c, LM_W_Q_BIAS, &rows, &cols));
  g_assert_cmpuint (rows, ==, 0);
  g_assert_false (lm_weight_shape (c, LM_W_HEAD, &rows, &cols));
  g_assert_false (lm_weight_shape (c, LM_W_Q_NORM, &rows, &cols));
  g_assert_false (lm_weight_shape (c, LM_W_O_BIAS, &rows, &cols));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lm/config/families", test_families);
  g_test_add_func ("/lm/config/details", test_details);
  g_test_add_func ("/lm/config/refused", test_refused);
  g_test_add_func ("/lm/config/rope", test_rope);
  g_test_add_func ("/lm/config/attn-factor", test_attn_factor);
  g_test_add_func ("/lm/config/export", test_export);
  g_test_add_func ("/lm/config/table", test_table);
  return g_test_run ();
}
