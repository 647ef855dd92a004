/* SPDX-License-Identifier: Apache-2.0 */
/* linear.c: the linear layer, forward and backward, with its adapter inside.
 *
 * LoRA: Hu et al., 2021, with PEFT's dropout: on the adapter's input alone,
 * another mask for each module.  ΔW is never made.
 *
 *   forward   h = drop (x)·Aᵀ                       [T, R]
 *             y = x·Wᵀ + bias + scale h·Bᵀ          [T, out]
 *   backward  dB += scale dyᵀ·h                     [out, R]
 *             dh = scale dy·B                       [T, R]
 *             dA += dhᵀ·drop (x)                    [R, in]
 *             dx = dy·W + drop (dh·A)               [T, in]
 *             dW += dyᵀ·x, dbias += sum of dy's rows
 *
 * In a cache's pass nothing is kept and nothing dropped, and rows of several adapters share the
 * product with W (Chen et al., "Punica", 2023): each part of the rows has its own A and B.
 */
#include "config.h"

#include "lm/decoder/decoder-private.h"

gboolean
lm_linear_trained (const LmLinear *l)
{
  return l->weight_grad.data || l->bias_grad.data || l->a_grad.data;
}

static guint64
mix (guint64 z)
{
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static gboolean
drops (const LmPass *pass, const LmLinear *l)
{
  return pass->keys && l->dropout > 0;
}

/* out (+)= drop (x), by keys that are this module's own. */
static void
drop (LmPass *pass, const LmLinear *l, LmMat out, gboolean add, LmMat x)
{
  GArray *keys = pass->decoder->module_keys;
  guint64 *key;

  g_array_set_size (keys, pass->n_rows);
  key = (guint64 *) (gpointer) keys->data;
  for (gsize t = 0; t < pass->n_rows; t++)
    key[t] = mix (pass->keys[t] ^ l->salt);
  pass->compute->klass->dropout (pass->compute, out, add, x, key, l->dropout);
}

/* The first rows × cols numbers of a shared buffer. */
static LmMat
part_of (LmMat buffer, gsize rows, gsize cols)
{
  g_warn_if_fail (rows <= buffer.rows && cols <= buffer.cols);
  return lm_mat (buffer.data, buffer.type, rows, cols);
}

/* What the adapter sees of x. */
static LmMat
adapter_input (LmPass *pass, const LmLinear *l, LmMat x)
{
  LmMat dropped;

  if (!drops (pass, l))
    return x;
  dropped = part_of (pass->work->dropped, x.rows, x.cols);
  drop (pass, l, dropped, FALSE, x);
  return dropped;
}

/* y += scale (x·Aᵀ)·Bᵀ, by parts. */
static void
add_adapters (LmPass *pass, const LmLinear *l, LmMat y, LmMat x)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  LmAdapted own = { l->rank, l->scale, l->a, l->b };

  for (gsize i = 0; i < pass->n_parts; i++)
    {
      const LmPart *part = &pass->parts[i];
      const LmAdapted *m = part->own       ? &own
                           : part->adapter ? &part->adapter->linears[l->index]
                                           : NULL;
      LmMat h;

      if (!m || m->rank == 0)
        continue;
      h = part_of (pass->work->adapted, part->n, m->rank);
      k->matmul (c, h, 0, 1, lm_mat_rows (x, part->from, part->n), FALSE, m->a, TRUE);
      k->matmul (c, lm_mat_rows (y, part->from, part->n), 1, m->scale, h, FALSE, m->b, TRUE);
    }
}

/* What y lacks when it is x·Wᵀ. */
static void
add_rest (LmPass *pass, const LmLinear *l, LmMat y, LmMat x, LmMat h)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;

  if (l->bias.data)
    k->add_row (c, y, l->bias);
  if (pass->kind == LM_PASS_CACHE)
    add_adapters (pass, l, y, x);
  else if (l->rank > 0)
    k->matmul (c, y, 1, l->scale, h, FALSE, l->b, TRUE);
}

void
lm_linear_forward (LmPass *pass, const LmLinear *l, LmMat y, gboolean add, LmMat x, LmMat h)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;

  if (l->rank > 0 && pass->kind != LM_PASS_CACHE)
    k->matmul (c, h, 0, 1, adapter_input (pass, l, x), FALSE, l->a, TRUE);
  if (!y.data)
    return;
  if (l->packed.data)
    k->matmul_packed (c, &(LmPackedProduct){ y, add, &l->packed }, 1, x);
  else
    k->matmul (c, y, add, 1, x, FALSE, l->weight, TRUE);
  add_rest (pass, l, y, x, h);
}

void
lm_linears_forward (LmPass *pass, const LmLinear *l, guint n, const LmMat *y, LmMat x,
                    const LmMat *h)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  LmPackedProduct products[LM_N_LINEARS];
  gboolean packed = TRUE;

  for (guint i = 0; i < n; i++)
    {
      packed &= l[i].packed.data != NULL;
      products[i] = (LmPackedProduct){ y[i], 0, &l[i].packed };
    }
  if (packed)
    k->matmul_packed (c, products, n, x);
  for (guint i = 0; i < n; i++)
    if (packed)
      {
        if (l[i].rank > 0 && pass->kind != LM_PASS_CACHE)
          k->matmul (c, h[i], 0, 1, adapter_input (pass, &l[i], x), FALSE, l[i].a, TRUE);
        add_rest (pass, &l[i], y[i], x, h[i]);
      }
    else
      lm_linear_forward (pass, &l[i], y[i], FALSE, x, h[i]);
}

static void
adapter_dx (LmPass *pass, const LmLinear *l, const LmMat *dx, LmMat dy, LmMat dh)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  LmMat undropped;

  if (!drops (pass, l))
    {
      k->matmul (c, *dx, 1, 1, dh, FALSE, l->a, FALSE);
      return;
    }
  undropped = part_of (pass->work->dropped, dy.rows, l->a.cols);
  k->matmul (c, undropped, 0, 1, dh, FALSE, l->a, FALSE);
  drop (pass, l, *dx, TRUE, undropped);
}

void
lm_linear_backward (LmPass *pass, const LmLinear *l, const LmMat *dx, gboolean add, LmMat dy,
                    LmMat x, LmMat h)
{
  LmCompute *c = pass->compute;
  const LmComputeClass *k = c->klass;
  LmMat dh = part_of (pass->work->dh, dy.rows, l->rank);

  if (l->bias_grad.data)
    k->sum_rows (c, l->bias_grad, dy);
  if (l->weight_grad.data)
    k->matmul (c, l->weight_grad, 1, 1, dy, TRUE, x, FALSE);
  if (l->rank > 0)
    {
      k->matmul (c, dh, 0, l->scale, dy, FALSE, l->b, FALSE);
      k->matmul (c, l->b_grad, 1, l->scale, dy, TRUE, h, FALSE);
      k->matmul (c, l->a_grad, 1, 1, dh, TRUE, adapter_input (pass, l, x), FALSE);
    }
  /* x was read for the last time above, so dx may lie in its place. */
  if (dx)
    k->matmul (c, *dx, add, 1, dy, FALSE, l->weight, FALSE);
  if (dx && l->rank > 0)
    adapter_dx (pass, l, dx, dy, dh);
}
