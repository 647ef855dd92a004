/* SPDX-License-Identifier: Apache-2.0 */
/* packed.c: matrices in the order in which products of int8 read them, side by side in one piece of
 * the backend's memory.
 *
 * The embedding is looked up, not multiplied, and stays mapped; a head that is tied to it is
 * packed.
 */
#include "config.h"

#include "lm/decoder/decoder-private.h"

#define ALIGNMENT 64

const FrEnumValue *const lm_weights_choices[]
    = { FR_ENUM ("stored", LM_INT8_STORED, "as they are in the checkpoint"),
        FR_ENUM ("int8", LM_INT8_ALL,
                 "those in floats are rounded to 8 bits when the model is opened"),
        NULL };

const FrEnumValue *const lm_products_choices[] = {
  FR_ENUM ("auto", LM_INT8_STORED,
           "of int8 where weights are stored in blocks (Q4_1, Q8_0, Q4_K, …), else of floats"),
  FR_ENUM ("float", LM_INT8_NEVER, "of floats"), NULL
};

LmInt8
lm_int8_choose (int weights, int products)
{
  return weights == LM_INT8_ALL ? LM_INT8_ALL : (LmInt8) products;
}

/* Linear layer number @i: those of the layers, then the head; NULL: no more. */
static LmLinear *
nth_linear (LmDecoder *d, gsize i)
{
  const gsize n = (gsize) d->config->n_layers * LM_N_LINEARS;

  if (i < n)
    return &d->layers[i / LM_N_LINEARS].linears[i % LM_N_LINEARS];
  return i == n ? &d->head : NULL;
}

/* What a layer takes packed; 0: it stays as it is. */
static gsize
bytes_of (LmDecoder *d, const LmLinear *l)
{
  LmCompute *c = d->compute;
  const LmMat *w = &l->weight;

  if (!w->data || (d->options.int8 == LM_INT8_STORED && lm_types[w->type].block == 1))
    return 0;
  return (c->klass->packed_bytes (c, w->type, w->rows, w->cols) + ALIGNMENT - 1) / ALIGNMENT
         * ALIGNMENT;
}

gboolean
lm_packed_new (LmDecoder *d, GError **error)
{
  LmCompute *c = d->compute;
  gsize used = 0;
  LmLinear *l;

  if (d->options.int8 == LM_INT8_NEVER || !c->klass->packed_bytes || !c->klass->host_memory)
    return TRUE;
  for (gsize i = 0; (l = nth_linear (d, i)); i++)
    d->packed_bytes += bytes_of (d, l);
  if (d->packed_bytes == 0)
    return TRUE;
  if (!(d->packed = lm_compute_alloc (c, d->packed_bytes, error)))
    return FALSE;
  for (gsize i = 0; (l = nth_linear (d, i)); i++)
    {
      const gsize bytes = bytes_of (d, l);

      if (bytes == 0)
        continue;
      c->klass->pack (c, &l->packed, (char *) d->packed + used, l->weight);
      used += bytes;
      d->n_packed++;
    }
  return c->klass->sync (c, error);
}

void
lm_packed_free (LmDecoder *d)
{
  if (d->packed)
    lm_compute_release (d->compute, d->packed, d->packed_bytes);
}

guint
lm_decoder_int8 (LmDecoder *d, gsize *bytes)
{
  if (bytes)
    *bytes = d->packed_bytes;
  return d->n_packed;
}
