/* SPDX-License-Identifier: Apache-2.0 */
/* attention.c: causal attention of grouped heads and its gradient.
 *
 * Vaswani and others, 2017; groups of query heads on one key head: Ainslie and
 * others, 2023.  Backward works from the kept log-sum-exp (Dao, 2023), so that
 * probabilities come anew from scores and need not be stored.
 */
#include "config.h"

#include "compute/reference/reference.h"

#include <math.h>

/* One span's keys and values of one key head, as floats. */
typedef struct
{
  float *k, *v;
} Keys;

static void
load_head (const LmMat *m, gsize start, gsize rows, guint head, guint dim, float *dst)
{
  for (gsize i = 0; i < rows; i++)
    lm_reference_load (m, start + i, (gsize) head * dim, dim, dst + i * dim);
}

static double
dot (const float *a, const float *b, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += (double) a[i] * b[i];
  return sum;
}

static void
add_scaled (double *acc, const float *x, double scale, gsize n)
{
  for (gsize i = 0; i < n; i++)
    acc[i] += x[i] * scale;
}

static void
store_scaled (const LmMat *m, gsize row, guint head, guint dim, const double *acc, double scale)
{
  g_autofree float *x = g_new (float, dim);

  for (guint i = 0; i < dim; i++)
    x[i] = acc[i] * scale;
  lm_reference_store (m, row, (gsize) head * dim, dim, x);
}

/* Row @i of the span's queries, one head. */
static void
attend (const LmAttention *a, const LmSpan *span, guint head, gsize i, const Keys *keys, float *q,
        double *p, double *out)
{
  const gsize n = span->k_rows - span->q_rows + i + 1, row = span->q_start + i;
  double largest = -INFINITY, sum = 0;

  lm_reference_load (&a->q, row, (gsize) head * a->key_dim, a->key_dim, q);
  for (gsize j = 0; j < n; j++)
    {
      p[j] = a->scale * dot (q, keys->k + j * a->key_dim, a->key_dim);
      largest = MAX (largest, p[j]);
    }
  for (guint d = 0; d < a->value_dim; d++)
    out[d] = 0;
  for (gsize j = 0; j < n; j++)
    {
      const double e = exp (p[j] - largest);

      sum += e;
      add_scaled (out, keys->v + j * a->value_dim, e, a->value_dim);
    }
  store_scaled (&a->out, row, head, a->value_dim, out, 1 / sum);
  if (a->lse.data != NULL)
    ((float *) lm_reference_row (&a->lse, row))[head] = largest + log (sum);
}

void
lm_reference_attention (LmCompute *c, const LmAttention *a)
{
  const guint group = a->n_heads / a->n_kv_heads;

  (void) c;
  for (gsize s = 0; s < a->n_spans; s++)
    {
      const LmSpan *span = &a->spans[s];
      g_autofree float *k = g_new (float, span->k_rows * a->key_dim);
      g_autofree float *v = g_new (float, span->k_rows * a->value_dim);
      g_autofree float *q = g_new (float, a->key_dim);
      g_autofree double *p = g_new (double, span->k_rows), *out = g_new (double, a->value_dim);
      const Keys keys = { k, v };

      for (guint head = 0; head < a->n_heads; head++)
        {
          if (head % group == 0)
            {
              load_head (&a->k, span->k_start, span->k_rows, head / group, a->key_dim, k);
              load_head (&a->v, span->k_start, span->k_rows, head / group, a->value_dim, v);
            }
          for (gsize i = 0; i < span->q_rows; i++)
            attend (a, span, head, i, &keys, q, p, out);
        }
    }
}

typedef struct
{
  Keys keys;
  float *q, *dout;
  double *p, *dp, *dq; /* of one query: probabilities, their gradients, its own */
  double *dk, *dv;     /* of all keys of one key head */
} Back;

/* With s = scale * q·k, p = exp (s - lse), dp = dout·v:
 * dv += p dout;  ds = p (dp - sum (p dp));  dq = scale * sum (ds k);  dk += scale * ds q. */
static void
attend_back (const LmAttention *a, const LmSpan *span, guint head, gsize i, const LmMat *dout,
             const LmMat *dq, Back *b)
{
  const gsize n = span->k_rows - span->q_rows + i + 1, row = span->q_start + i;
  const double lse = ((float *) lm_reference_row (&a->lse, row))[head];
  double mean = 0;

  lm_reference_load (&a->q, row, (gsize) head * a->key_dim, a->key_dim, b->q);
  lm_reference_load (dout, row, (gsize) head * a->value_dim, a->value_dim, b->dout);
  for (gsize j = 0; j < n; j++)
    {
      b->p[j] = exp (a->scale * dot (b->q, b->keys.k + j * a->key_dim, a->key_dim) - lse);
      b->dp[j] = dot (b->dout, b->keys.v + j * a->value_dim, a->value_dim);
      mean += b->p[j] * b->dp[j];
    }
  for (guint d = 0; d < a->key_dim; d++)
    b->dq[d] = 0;
  for (gsize j = 0; j < n; j++)
    {
      const double ds = a->scale * b->p[j] * (b->dp[j] - mean);

      add_scaled (b->dv + j * a->value_dim, b->dout, b->p[j], a->value_dim);
      add_scaled (b->dq, b->keys.k + j * a->key_dim, ds, a->key_dim);
      add_scaled (b->dk + j * a->key_dim, b->q, ds, a->key_dim);
    }
  store_scaled (dq, row, head, a->key_dim, b->dq, 1);
}

static void
span_back (const LmAttention *a, const LmSpan *span, const LmMat *dout, const LmMat *dq,
           const LmMat *dk, const LmMat *dv, guint kv_head, Back *b)
{
  const guint group = a->n_heads / a->n_kv_heads;

  load_head (&a->k, span->k_start, span->k_rows, kv_head, a->key_dim, b->keys.k);
  load_head (&a->v, span->k_start, span->k_rows, kv_head, a->value_dim, b->keys.v);
  for (gsize i = 0; i < span->k_rows * a->key_dim; i++)
    b->dk[i] = 0;
  for (gsize i = 0; i < span->k_rows * a->value_dim; i++)
    b->dv[i] = 0;
  for (guint head = kv_head * group; head < (kv_head + 1) * group; head++)
    for (gsize i = 0; i < span->q_rows; i++)
      attend_back (a, span, head, i, dout, dq, b);
  for (gsize j = 0; j < span->k_rows; j++)
    {
      store_scaled (dk, span->k_start + j, kv_head, a->key_dim, b->dk + j * a->key_dim, 1);
      store_scaled (dv, span->k_start + j, kv_head, a->value_dim, b->dv + j * a->value_dim, 1);
    }
}

void
lm_reference_attention_back (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk,
                             LmMat dv)
{
  (void) c;
  for (gsize s = 0; s < a->n_spans; s++)
    {
      const LmSpan *span = &a->spans[s];
      const gsize n = span->k_rows;
      g_autofree float *floats = g_new (float, (n + 1) * (a->key_dim + a->value_dim));
      g_autofree double *doubles = g_new (double, n *(2 + a->key_dim + a->value_dim) + a->key_dim);
      Back b = { .keys = { floats, floats + n * a->key_dim } };

      b.q = b.keys.v + n * a->value_dim;
      b.dout = b.q + a->key_dim;
      b.p = doubles;
      b.dp = b.p + n;
      b.dq = b.dp + n;
      b.dk = b.dq + a->key_dim;
      b.dv = b.dk + n * a->key_dim;
      for (guint head = 0; head < a->n_kv_heads; head++)
        span_back (a, span, &dout, &dq, &dk, &dv, head, &b);
    }
}
