/* SPDX-License-Identifier: Apache-2.0 */
/* config.h: the shape of a decoder, read from config.json or GGUF metadata.
 *
 * Follows transformers' configuration classes (LlamaConfig, Qwen2Config,
 * Qwen3Config) and the GGUF specification's model keys.  Whatever would change
 * the mathematics and is not known here is refused by name.
 */
#ifndef FLOWRUN_LM_CONFIG_H
#define FLOWRUN_LM_CONFIG_H

#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/checkpoint.h"
#include "lm/type.h"

G_BEGIN_DECLS

typedef struct _LmConfig LmConfig;

/**
 * LmFamily: a row of the table of families.
 * @name: model_type ("qwen2")
 * @architecture: the class to write into config.json ("Qwen2ForCausalLM")
 * @gguf: general.architecture
 * @qkv_bias: biases on q, k and v whatever the config says
 * @qk_norm: RMS norm over each head of q and k before rotation
 * @gguf_permuted: GGUF files hold q and k rows in interleaved order; lm_checkpoint undoes it
 */
typedef struct {
  const char *name;
  const char *architecture;
  const char *gguf;
  gboolean qkv_bias;
  gboolean qk_norm;
  gboolean gguf_permuted;
} LmFamily;

extern const LmFamily lm_families[]; /* ends with name NULL */

typedef enum { LM_ROPE_DEFAULT = 0, LM_ROPE_LINEAR, LM_ROPE_LLAMA3, LM_ROPE_YARN } LmRopeKind;

typedef struct {
  LmRopeKind kind;
  double theta;
  double factor;
  double low_freq_factor, high_freq_factor; /* llama3 */
  double original_max_position;             /* llama3, yarn */
  double beta_fast, beta_slow;              /* yarn */
  double attention_factor;                  /* yarn: multiplies cos and sin; 1 elsewhere */
} LmRope;

struct _LmConfig {
  const LmFamily *family;
  guint vocab_size, hidden_size, intermediate_size, n_layers;
  guint n_heads, n_kv_heads, head_dim;
  guint max_position;
  double rms_norm_eps;
  LmRope rope;
  gboolean tied;           /* the head is the embedding */
  gboolean qkv_bias, o_bias, mlp_bias;
  gboolean qk_norm;
  LmType dtype;            /* as the config says ("torch_dtype"); F32 when it does not */
  gint32 bos_token;        /* -1: none */
  gint32 pad_token;        /* -1: none */
  GArray *eos_tokens;      /* gint32: the end of an answer, from generation_config.json first, then config.json */
  JsonObject *json;        /* config.json as read (or made from GGUF), unknown keys included: what is written out again */
  GPtrArray *warnings;     /* char *: what the user should know ("yarn: attn_factor …") */
};

/** lm_config_parse: @json (config.json's root) is borrowed; FR_ERROR_CONFIG names key, value and what would do. */
LmConfig *lm_config_parse (JsonObject *json, GError **error);
void lm_config_free (LmConfig *config);
/** lm_config_read_eos: appends the eos_token_id (one or several) of @json to the config's, each once. */
gboolean lm_config_read_eos (LmConfig *config, JsonObject *json, GError **error);
/**
 * lm_config_export: config.json for weights of @dtype: the tree as read, with unknown keys, and rope and dtype in the
 * spellings of transformers 4 and 5; json_object_unref().
 */
JsonObject *lm_config_export (const LmConfig *config, LmType dtype);

/** lm_rope_frequencies: head_dim / 2 inverse frequencies after scaling, into @inv. */
void lm_rope_frequencies (const LmConfig *config, double *inv);
/**
 * lm_rope_table: what rotation multiplies with at the positions [@from, @to), times the attention factor.
 * @inv: from lm_rope_frequencies()
 * @cosine, @sine: [@to - @from, head_dim / 2]
 */
void lm_rope_table (const LmConfig *config, const double *inv, gsize from, gsize to, float *cosine,
                    float *sine);

/**
 * LmWeightRow: a row of the one table of a decoder's tensors: name, shape and role.
 * @name: Hugging Face name; "%u" is the layer
 * @role: what the decoder does with it
 * @rows, @cols: shape; @rows 0: a vector of @cols
 */
typedef enum {
  LM_W_EMBED = 0, LM_W_FINAL_NORM, LM_W_HEAD,
  LM_W_INPUT_NORM, LM_W_Q, LM_W_K, LM_W_V, LM_W_O, LM_W_Q_BIAS, LM_W_K_BIAS, LM_W_V_BIAS, LM_W_O_BIAS,
  LM_W_Q_NORM, LM_W_K_NORM, LM_W_POST_NORM, LM_W_GATE, LM_W_UP, LM_W_DOWN,
  LM_W_GATE_BIAS, LM_W_UP_BIAS, LM_W_DOWN_BIAS,
  LM_N_WEIGHTS
} LmWeightRole;

typedef struct {
  LmWeightRole role;
  const char *name;      /* "model.layers.%u.self_attn.q_proj.weight" */
  const char *gguf;      /* "blk.%u.attn_q.weight" */
  gboolean per_layer;
} LmWeightRow;

extern const LmWeightRow lm_weights[LM_N_WEIGHTS];

/** lm_weight_shape: FALSE when this config has no such tensor; *@rows is 0 for a vector. */
gboolean lm_weight_shape (const LmConfig *config, LmWeightRole role, gsize *rows, gsize *cols);
/** lm_weight_name: g_free(). */
char *lm_weight_name (LmWeightRole role, guint layer);
/** lm_weight_gguf_name: the same as GGUF calls it; g_free(). */
char *lm_weight_gguf_name (LmWeightRole role, guint layer);

/**
 * lm_gguf_keys_set_config: sizes and rotary settings as GGUF has them, so that lm_gguf_config() gives the config again.
 * FR_ERROR_CONFIG names what llama.cpp would not compute.
 */
gboolean lm_gguf_keys_set_config (LmGgufKeys *keys, const LmConfig *config, GError **error);
/** lm_gguf_rope_divisors: head_dim / 2 divisors of frequencies, the tensor rope_freqs.weight; FALSE when this config has none. */
gboolean lm_gguf_rope_divisors (const LmConfig *config, float *divisors);
/** lm_gguf_row: the row of a query or key projection, in Hugging Face's order, that GGUF files of the llama family have at @row. */
static inline gsize
lm_gguf_row (gsize row, gsize head_dim)
{
  gsize in_head = row % head_dim;

  return row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmConfig, lm_config_free)

G_END_DECLS

#endif
