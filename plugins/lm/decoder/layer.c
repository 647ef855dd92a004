/* SPDX-License-Identifier: Apache-2.0 */
/* layer.c: the residual stream: x, mid = x + attention (norm (x)), out = mid + feedforward (norm
 * (mid)).
 *
 * Where nothing is kept for backward all three are one buffer.  Backward ends
 * at the lowest layer with something to train; layers below it keep nothing.
 */
#include "config.h"

#include "lm/decoder/decoder-private.h"

static void
copy (LmPass *pass, LmMat to, LmMat from)
{
  if (to.data != from.data)
    pass->compute->klass->copy (pass->compute, to.data, from.data,
                                from.rows * lm_type_bytes (from.type, from.cols));
}

static void
layer_forward (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, LmMat mid,
               const LmMat *out)
{
  copy (pass, mid, x);
  layer->attention->forward (pass, layer, kept, x, &mid);
  if (out)
    copy (pass, *out, mid);
  layer->feedforward->forward (pass, layer, kept, mid, out);
}

/* The stream before layer l; behind the last when l is their number. */
static LmMat
stream_at (LmPass *pass, guint l)
{
  LmDecoder *d = pass->decoder;

  return pass->kind == LM_PASS_GRAD && l < d->config->n_layers ? d->kept[l].x : pass->work->stream;
}

void
lm_layers_forward (LmPass *pass)
{
  LmDecoder *d = pass->decoder;
  LmCompute *c = pass->compute;

  c->klass->embed (c, stream_at (pass, 0), d->embed.weight, pass->tokens);
  for (guint l = 0; l < d->config->n_layers; l++)
    {
      LmMat x = stream_at (pass, l), out = stream_at (pass, l + 1);
      gboolean keeps = pass->kind == LM_PASS_GRAD && l >= d->low;

      layer_forward (pass, &d->layers[l], &d->kept[l], x, keeps ? d->kept[l].mid : x, &out);
    }
}

void
lm_layers_backward (LmPass *pass)
{
  LmDecoder *d = pass->decoder;
  LmCompute *c = pass->compute;
  LmMat dstream = pass->work->dstream;
  gboolean full = d->options.train == LM_TRAIN_FULL;

  for (guint l = d->config->n_layers; l-- > d->low;)
    {
      const LmLayer *layer = &d->layers[l];
      LmKept *kept = &d->kept[l];
      gboolean need_dx = full || l > d->low;

      if (d->options.recompute && l + 1 < d->config->n_layers)
        layer_forward (pass, layer, kept, kept->x, kept->mid, NULL);
      layer->feedforward->backward (pass, layer, kept, kept->mid, dstream,
                                    need_dx || layer->attention->trained (layer));
      if (need_dx || layer->attention->trained (layer))
        layer->attention->backward (pass, layer, kept, kept->x, dstream, need_dx);
    }
  if (d->embed.weight_grad.data)
    c->klass->embed_back (c, d->embed.weight_grad, dstream, pass->tokens);
}
