/* SPDX-License-Identifier: Apache-2.0 */
/* feedforward.c: the feed-forward block, gated by SiLU.
 *
 * Follows transformers' LlamaMLP; SwiGLU: Shazeer, 2020.
 *
 *   n = norm (x)                                [T, D]
 *   g, u = linear (n)                           [T, F] each
 *   a = silu (g) u                              [T, F]
 *   out += linear (a)                           [T, D]
 *
 * a is not kept: backward makes it again where something trained needs it.
 */
#include "config.h"

#include "lm/decoder/decoder-private.h"

static void
forward (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, const LmMat *out)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  const LmLinear *linears = layer->linears;
  LmMat n = pass->work->normed, both[] = { kept->gate, kept->up };
  LmMat a = pass->kind == LM_PASS_GRAD ? pass->work->act : kept->gate;

  k->rms_norm (c, n, kept->post_rstd, x, layer->post_norm.weight,
               (float) pass->config->rms_norm_eps);
  lm_linears_forward (pass, &linears[LM_LINEAR_GATE], 2, both, n, &kept->h[LM_LINEAR_GATE]);
  if (!out && linears[LM_LINEAR_DOWN].rank == 0)
    return;
  k->silu (c, a, kept->gate, kept->up);
  lm_linear_forward (pass, &linears[LM_LINEAR_DOWN], out ? *out : (LmMat){ 0 }, TRUE, a,
                     kept->h[LM_LINEAR_DOWN]);
}

static gboolean
inner_trained (const LmLayer *layer)
{
  return lm_linear_trained (&layer->linears[LM_LINEAR_GATE])
         || lm_linear_trained (&layer->linears[LM_LINEAR_UP]);
}

static gboolean
trained (const LmLayer *layer)
{
  return inner_trained (layer) || lm_linear_trained (&layer->linears[LM_LINEAR_DOWN]);
}

static void
backward (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, LmMat dstream,
          gboolean need_dx)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  const LmLinear *linears = layer->linears;
  LmWork *w = pass->work;
  LmMat a = w->act, dg = kept->gate, du = kept->up;
  const LmMat *dn = need_dx ? &w->dnormed : NULL;
  gboolean inner = need_dx || inner_trained (layer);

  if (lm_linear_trained (&linears[LM_LINEAR_DOWN]))
    k->silu (c, a, kept->gate, kept->up);
  lm_linear_backward (pass, &linears[LM_LINEAR_DOWN], inner ? &a : NULL, FALSE, dstream, a,
                      kept->h[LM_LINEAR_DOWN]);
  if (!inner)
    return;
  k->silu_back (c, dg, du, a, kept->gate, kept->up);
  if (inner_trained (layer))
    k->rms_norm (c, w->normed, (LmMat){ 0 }, x, layer->post_norm.weight,
                 (float) pass->config->rms_norm_eps);
  lm_linear_backward (pass, &linears[LM_LINEAR_GATE], dn, FALSE, dg, w->normed,
                      kept->h[LM_LINEAR_GATE]);
  lm_linear_backward (pass, &linears[LM_LINEAR_UP], dn, TRUE, du, w->normed, kept->h[LM_LINEAR_UP]);
  if (need_dx)
    k->rms_norm_back (c, dstream, 1, layer->post_norm.grad, w->dnormed, x, layer->post_norm.weight,
                      kept->post_rstd);
}

const LmBlock lm_block_feedforward = { forward, backward, trained };
