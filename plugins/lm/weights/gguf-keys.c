/* SPDX-License-Identifier: Apache-2.0 */
/* gguf-keys.c: the metadata of a GGUF file made from a config: gguf-config.c backwards.
 *
 * Follows the GGUF specification's model keys and what llama.cpp reads for the
 * families known here.  What llama.cpp would compute otherwise is refused by
 * name.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/weights/weights-private.h"

typedef struct
{
  LmGgufKeys *keys;
  const LmConfig *config;
} Made;

static void
set_u32 (const Made *m, const char *key, guint32 value)
{
  g_autofree char *full = g_strconcat (m->config->family->gguf, ".", key, NULL);

  lm_gguf_keys_set_u32 (m->keys, full, value);
}

static void
set_f32 (const Made *m, const char *key, double value)
{
  g_autofree char *full = g_strconcat (m->config->family->gguf, ".", key, NULL);

  lm_gguf_keys_set_f32 (m->keys, full, (float) value);
}

static void
set_scaling (const Made *m, const char *type)
{
  g_autofree char *full = g_strconcat (m->config->family->gguf, ".rope.scaling.type", NULL);

  lm_gguf_keys_set_text (m->keys, full, type);
  set_f32 (m, "rope.scaling.factor", m->config->rope.factor);
}

/* cos and sin are multiplied by attn_factor times what yarn asks for. */
static void
set_yarn (const Made *m)
{
  const LmRope *rope = &m->config->rope;
  double factor = rope->attention_factor / (rope->factor > 1 ? 0.1 * log (rope->factor) + 1 : 1);

  set_scaling (m, "yarn");
  set_u32 (m, "rope.scaling.original_context_length", (guint32) rope->original_max_position);
  if (fabs (factor - 1) > 1e-6)
    set_f32 (m, "rope.scaling.attn_factor", factor);
  if (rope->beta_fast != 32)
    set_f32 (m, "rope.scaling.yarn_beta_fast", rope->beta_fast);
  if (rope->beta_slow != 1)
    set_f32 (m, "rope.scaling.yarn_beta_slow", rope->beta_slow);
}

static gboolean
set_rope (const Made *m, GError **error)
{
  const LmRope *rope = &m->config->rope;

  set_f32 (m, "rope.freq_base", rope->theta);
  set_u32 (m, "rope.dimension_count", m->config->head_dim);
  switch (rope->kind)
    {
    case LM_ROPE_DEFAULT:
      return TRUE;
    case LM_ROPE_LINEAR:
      set_scaling (m, "linear");
      return TRUE;
    case LM_ROPE_YARN:
      set_yarn (m);
      return TRUE;
    case LM_ROPE_LLAMA3:
      /* the divisors are a tensor; these are for flowrun, which has to know where they come from */
      lm_gguf_keys_set_f32 (m->keys, "flowrun.rope.low_freq_factor", (float) rope->low_freq_factor);
      lm_gguf_keys_set_f32 (m->keys, "flowrun.rope.high_freq_factor",
                            (float) rope->high_freq_factor);
      lm_gguf_keys_set_u32 (m->keys, "flowrun.rope.original_context_length",
                            (guint32) rope->original_max_position);
      break;
    }
  if (m->config->family->gguf_permuted)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "llama.cpp has no rope_freqs for %s, so Llama 3's scaling of frequencies cannot be "
               "written as GGUF; use sink.safetensors",
               m->config->family->name);
  return FALSE;
}

gboolean
lm_gguf_keys_set_config (LmGgufKeys *keys, const LmConfig *config, GError **error)
{
  Made m = { keys, config };

  if (config->o_bias && !config->family->gguf_permuted)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "llama.cpp has no biases of attention's output for %s, so this model cannot be "
                   "written as GGUF; use sink.safetensors",
                   config->family->name);
      return FALSE;
    }
  set_u32 (&m, "block_count", config->n_layers);
  set_u32 (&m, "context_length", config->max_position);
  set_u32 (&m, "embedding_length", config->hidden_size);
  set_u32 (&m, "feed_forward_length", config->intermediate_size);
  set_u32 (&m, "attention.head_count", config->n_heads);
  set_u32 (&m, "attention.head_count_kv", config->n_kv_heads);
  set_f32 (&m, "attention.layer_norm_rms_epsilon", config->rms_norm_eps);
  set_u32 (&m, "attention.key_length", config->head_dim);
  set_u32 (&m, "attention.value_length", config->head_dim);
  set_u32 (&m, "vocab_size", config->vocab_size);
  return set_rope (&m, error);
}

gboolean
lm_gguf_rope_divisors (const LmConfig *config, float *divisors)
{
  guint half = config->head_dim / 2;
  g_autofree double *inverse = NULL;

  if (config->rope.kind != LM_ROPE_LLAMA3)
    return FALSE;
  inverse = g_new (double, half);
  lm_rope_frequencies (config, inverse);
  for (guint i = 0; i < half; i++)
    divisors[i] = (float) (pow (config->rope.theta, -2.0 * i / config->head_dim) / inverse[i]);
  return TRUE;
}
