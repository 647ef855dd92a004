/* SPDX-License-Identifier: Apache-2.0 */
/* attention.c: the attention block: grouped-query causal attention with rotary positions.
 *
 * Follows transformers' LlamaAttention, Qwen2Attention and Qwen3Attention;
 * grouped queries: Ainslie et al., 2023; rotation: Su et al., 2021.
 *
 *   n = norm (x)                                [T, D]
 *   q, k, v = linear (n)                        [T, H d], [T, K d] twice
 *   q, k = norm of each head                    Qwen3 alone
 *   q, k = rotated by positions
 *   o = attention (q, k, v) in each span        [T, H d]
 *   out += linear (o)                           [T, D]
 */
#include "config.h"

#include <math.h>

#include "lm/decoder/decoder-private.h"

/* m [T, heads d] seen as [T heads, d]. */
static LmMat
by_head (const LmPass *pass, LmMat m)
{
  gsize d = pass->config->head_dim;

  return lm_mat (m.data, m.type, m.rows * (m.cols / d), d);
}

/* [T, heads] seen as [T heads, 1]. */
static LmMat
flat (LmMat m)
{
  return lm_mat (m.data, m.type, m.rows * m.cols, 1);
}

static void
rotate (LmPass *pass, LmMat x, gboolean inverse)
{
  guint d = pass->config->head_dim;

  pass->compute->klass->rope (pass->compute, x, x.cols / d, d, d / 2, pass->positions, pass->cos,
                              pass->sin, inverse);
}

static LmAttention
attention_of (LmPass *pass, LmKept *kept, guint layer)
{
  const LmConfig *c = pass->config;

  return (LmAttention){
    .q = kept->q,
    .k = pass->cache_k ? pass->cache_k[layer] : kept->k,
    .v = pass->cache_v ? pass->cache_v[layer] : kept->v,
    .out = kept->heads,
    .lse = kept->lse,
    .n_heads = c->n_heads,
    .n_kv_heads = c->n_kv_heads,
    .key_dim = c->head_dim,
    .value_dim = c->head_dim,
    .scale = (float) (1 / sqrt (c->head_dim)),
    .spans = pass->spans,
    .n_spans = pass->n_spans,
  };
}

/* New rows of keys (or values) go behind what the cache holds of their regions. */
static void
append (LmPass *pass, LmMat cache, LmMat rows)
{
  for (gsize i = 0; i < pass->n_spans; i++)
    {
      const LmSpan *span = &pass->spans[i];
      LmMat to = lm_mat_rows (cache, span->k_start + span->k_rows - span->q_rows, span->q_rows);
      LmMat from = lm_mat_rows (rows, span->q_start, span->q_rows);

      pass->compute->klass->copy (pass->compute, to.data, from.data,
                                  span->q_rows * lm_type_bytes (rows.type, rows.cols));
    }
}

static void
forward (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, const LmMat *out)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  float epsilon = (float) pass->config->rms_norm_eps;
  const LmLinear *linears = layer->linears;
  gboolean qk_norm = pass->config->qk_norm;
  LmMat n = pass->work->normed;
  LmMat qkv[] = { qk_norm ? kept->q_raw : kept->q, qk_norm ? kept->k_raw : kept->k, kept->v };
  LmAttention attention = attention_of (pass, kept, layer->index);

  k->rms_norm (c, n, kept->input_rstd, x, layer->input_norm.weight, epsilon);
  lm_linears_forward (pass, &linears[LM_LINEAR_Q], 3, qkv, n, &kept->h[LM_LINEAR_Q]);
  if (qk_norm)
    {
      k->rms_norm (c, by_head (pass, kept->q), flat (kept->q_rstd), by_head (pass, kept->q_raw),
                   layer->q_norm.weight, epsilon);
      k->rms_norm (c, by_head (pass, kept->k), flat (kept->k_rstd), by_head (pass, kept->k_raw),
                   layer->k_norm.weight, epsilon);
    }
  rotate (pass, kept->q, FALSE);
  rotate (pass, kept->k, FALSE);
  if (pass->cache_k)
    {
      append (pass, attention.k, kept->k);
      append (pass, attention.v, kept->v);
    }
  k->attention (c, &attention);
  if (out)
    lm_linear_forward (pass, &linears[LM_LINEAR_O], *out, TRUE, kept->heads, kept->h[LM_LINEAR_O]);
}

static gboolean
inner_trained (const LmLayer *layer)
{
  return lm_linear_trained (&layer->linears[LM_LINEAR_Q])
         || lm_linear_trained (&layer->linears[LM_LINEAR_K])
         || lm_linear_trained (&layer->linears[LM_LINEAR_V]);
}

static gboolean
trained (const LmLayer *layer)
{
  return inner_trained (layer) || lm_linear_trained (&layer->linears[LM_LINEAR_O]);
}

/* From dq, dk, dv behind rotation and norm of heads to dstream. */
static void
backward_projections (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, LmMat dstream,
                      gboolean need_dx)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  LmWork *w = pass->work;
  const LmMat *dn = need_dx ? &w->dnormed : NULL;
  const LmLinear *linears = layer->linears;

  if (inner_trained (layer))
    k->rms_norm (c, w->normed, (LmMat){ 0 }, x, layer->input_norm.weight,
                 (float) pass->config->rms_norm_eps);
  lm_linear_backward (pass, &linears[LM_LINEAR_Q], dn, FALSE, w->dq, w->normed,
                      kept->h[LM_LINEAR_Q]);
  lm_linear_backward (pass, &linears[LM_LINEAR_K], dn, TRUE, w->dk, w->normed,
                      kept->h[LM_LINEAR_K]);
  lm_linear_backward (pass, &linears[LM_LINEAR_V], dn, TRUE, w->dv, w->normed,
                      kept->h[LM_LINEAR_V]);
  if (need_dx)
    k->rms_norm_back (c, dstream, 1, layer->input_norm.grad, w->dnormed, x,
                      layer->input_norm.weight, kept->input_rstd);
}

static void
backward (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, LmMat dstream,
          gboolean need_dx)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  LmWork *w = pass->work;
  gboolean inner = need_dx || inner_trained (layer);
  LmAttention attention = attention_of (pass, kept, layer->index);

  lm_linear_backward (pass, &layer->linears[LM_LINEAR_O], inner ? &w->dheads : NULL, FALSE, dstream,
                      kept->heads, kept->h[LM_LINEAR_O]);
  if (!inner)
    return;
  k->attention_back (c, &attention, w->dheads, w->dq, w->dk, w->dv);
  rotate (pass, w->dq, TRUE);
  rotate (pass, w->dk, TRUE);
  if (pass->config->qk_norm)
    {
      LmMat dq = by_head (pass, w->dq), dk = by_head (pass, w->dk);

      k->rms_norm_back (c, dq, 0, layer->q_norm.grad, dq, by_head (pass, kept->q_raw),
                        layer->q_norm.weight, flat (kept->q_rstd));
      k->rms_norm_back (c, dk, 0, layer->k_norm.grad, dk, by_head (pass, kept->k_raw),
                        layer->k_norm.weight, flat (kept->k_rstd));
    }
  backward_projections (pass, layer, kept, x, dstream, need_dx);
}

const LmBlock lm_block_attention = { forward, backward, trained };
