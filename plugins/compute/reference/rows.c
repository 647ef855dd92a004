/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: operations on rows, each as its formula in compute.h says.
 *
 * RMSNorm: Zhang and Sennrich, 2019.  SwiGLU: Shazeer, 2020.  Dropout:
 * Srivastava and others, 2014.  Rotary positions: Su and others, 2021, pairs
 * (i, i + half).  AdamW: Loshchilov and Hutter, 2019.
 */
#include "config.h"

#include "compute/reference/reference.h"

#include <math.h>

void
lm_reference_add (LmCompute *c, LmMat x, LmMat y)
{
  g_autofree float *a = g_new (float, x.cols), *b = g_new (float, x.cols);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      lm_reference_load (&x, t, 0, x.cols, a);
      lm_reference_load (&y, t, 0, x.cols, b);
      for (gsize j = 0; j < x.cols; j++)
        a[j] += b[j];
      lm_reference_store (&x, t, 0, x.cols, a);
    }
}

void
lm_reference_add_row (LmCompute *c, LmMat x, LmMat row)
{
  const float *add = row.data;
  g_autofree float *a = g_new (float, x.cols);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      lm_reference_load (&x, t, 0, x.cols, a);
      for (gsize j = 0; j < x.cols; j++)
        a[j] += add[j];
      lm_reference_store (&x, t, 0, x.cols, a);
    }
}

void
lm_reference_sum_rows (LmCompute *c, LmMat sum, LmMat x)
{
  float *total = sum.data;
  g_autofree float *a = g_new (float, x.cols);
  g_autofree double *acc = g_new0 (double, x.cols);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      lm_reference_load (&x, t, 0, x.cols, a);
      for (gsize j = 0; j < x.cols; j++)
        acc[j] += a[j];
    }
  for (gsize j = 0; j < x.cols; j++)
    total[j] += acc[j];
}

void
lm_reference_cast (LmCompute *c, LmMat dst, LmMat src)
{
  g_autofree float *a = g_new (float, src.cols);

  (void) c;
  for (gsize t = 0; t < src.rows; t++)
    {
      lm_reference_load (&src, t, 0, src.cols, a);
      lm_reference_store (&dst, t, 0, src.cols, a);
    }
}

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

void
lm_reference_silu (LmCompute *c, LmMat out, LmMat gate, LmMat up)
{
  g_autofree float *g = g_new (float, gate.cols), *u = g_new (float, gate.cols);

  (void) c;
  for (gsize t = 0; t < gate.rows; t++)
    {
      lm_reference_load (&gate, t, 0, gate.cols, g);
      lm_reference_load (&up, t, 0, gate.cols, u);
      for (gsize j = 0; j < gate.cols; j++)
        g[j] = g[j] * sigmoid (g[j]) * u[j];
      lm_reference_store (&out, t, 0, gate.cols, g);
    }
}

void
lm_reference_silu_back (LmCompute *c, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up)
{
  g_autofree float *g = g_new (float, gate.cols), *u = g_new (float, gate.cols),
                   *d = g_new (float, gate.cols);

  (void) c;
  for (gsize t = 0; t < gate.rows; t++)
    {
      lm_reference_load (&gate, t, 0, gate.cols, g);
      lm_reference_load (&up, t, 0, gate.cols, u);
      lm_reference_load (&dout, t, 0, gate.cols, d);
      for (gsize j = 0; j < gate.cols; j++)
        {
          const double x = g[j], s = sigmoid (x);

          g[j] = d[j] * u[j] * s * (1 + x * (1 - s));
          u[j] = d[j] * x * s;
        }
      lm_reference_store (&dgate, t, 0, gate.cols, g);
      lm_reference_store (&dup, t, 0, gate.cols, u);
    }
}

void
lm_reference_dropout (LmCompute *c, LmMat out, gboolean add, LmMat x, const guint64 *keys,
                      float rate)
{
  g_autofree float *a = g_new (float, x.cols), *o = g_new (float, x.cols);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      lm_reference_load (&x, t, 0, x.cols, a);
      if (add)
        lm_reference_load (&out, t, 0, x.cols, o);
      for (gsize j = 0; j < x.cols; j++)
        {
          const float kept = lm_dropout_keep (keys[t], j, rate) ? a[j] / (1 - rate) : 0;

          o[j] = add ? o[j] + kept : kept;
        }
      lm_reference_store (&out, t, 0, x.cols, o);
    }
}

void
lm_reference_rms_norm (LmCompute *c, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon)
{
  const float *w = weight.data;
  g_autofree float *a = g_new (float, x.cols);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      double squares = 0, r;

      lm_reference_load (&x, t, 0, x.cols, a);
      for (gsize j = 0; j < x.cols; j++)
        squares += (double) a[j] * a[j];
      r = 1 / sqrt (squares / x.cols + epsilon);
      for (gsize j = 0; j < x.cols; j++)
        a[j] = a[j] * r * w[j];
      lm_reference_store (&out, t, 0, x.cols, a);
      if (rstd.data != NULL)
        ((float *) rstd.data)[t] = r;
    }
}

/* With r = rstd and d = dout * weight:  dx = r * d - x * r³ * sum (d * x) / n. */
void
lm_reference_rms_norm_back (LmCompute *c, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x,
                            LmMat weight, LmMat rstd)
{
  const gsize n = x.cols;
  const float *w = weight.data, *r = rstd.data;
  float *dw = dweight.data;
  g_autofree float *a = g_new (float, n), *d = g_new (float, n), *o = g_new (float, n);
  g_autofree double *acc = g_new0 (double, n);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      const double rt = r[t];
      double dot = 0;

      lm_reference_load (&x, t, 0, n, a);
      lm_reference_load (&dout, t, 0, n, d);
      if (beta != 0)
        lm_reference_load (&dx, t, 0, n, o);
      for (gsize j = 0; j < n; j++)
        {
          dot += (double) d[j] * w[j] * a[j];
          acc[j] += d[j] * a[j] * rt;
        }
      for (gsize j = 0; j < n; j++)
        o[j] = rt * d[j] * w[j] - a[j] * rt * rt * rt * dot / n + (beta != 0 ? beta * o[j] : 0);
      lm_reference_store (&dx, t, 0, n, o);
    }
  for (gsize j = 0; dw != NULL && j < n; j++)
    dw[j] += acc[j];
}

void
lm_reference_rope (LmCompute *c, LmMat x, guint heads, guint head_dim, guint half,
                   const gint32 *positions, LmMat cos, LmMat sin, gboolean inverse)
{
  g_autofree float *a = g_new (float, x.cols);

  (void) c;
  for (gsize t = 0; t < x.rows; t++)
    {
      const float *cosine = lm_reference_row (&cos, positions[t]);
      const float *sine = lm_reference_row (&sin, positions[t]);

      lm_reference_load (&x, t, 0, x.cols, a);
      for (guint h = 0; h < heads; h++)
        for (guint i = 0; i < half; i++)
          {
            float *first = a + (gsize) h * head_dim + i, *second = first + half;
            const double p = *first, q = *second, s = inverse ? -sine[i] : sine[i];

            *first = p * cosine[i] - q * s;
            *second = q * cosine[i] + p * s;
          }
      lm_reference_store (&x, t, 0, x.cols, a);
    }
}

void
lm_reference_embed (LmCompute *c, LmMat out, LmMat weight, const gint32 *tokens)
{
  g_autofree float *a = g_new (float, out.cols);

  (void) c;
  for (gsize t = 0; t < out.rows; t++)
    {
      lm_reference_load (&weight, tokens[t], 0, out.cols, a);
      lm_reference_store (&out, t, 0, out.cols, a);
    }
}

void
lm_reference_embed_back (LmCompute *c, LmMat dweight, LmMat dout, const gint32 *tokens)
{
  g_autofree float *a = g_new (float, dout.cols);

  (void) c;
  for (gsize t = 0; t < dout.rows; t++)
    {
      float *row = lm_reference_row (&dweight, tokens[t]);

      lm_reference_load (&dout, t, 0, dout.cols, a);
      for (gsize j = 0; j < dout.cols; j++)
        row[j] += a[j];
    }
}

void
lm_reference_cross_entropy (LmCompute *c, LmMat logits, const gint32 *targets, float *losses,
                            float grad_scale)
{
  const gsize n = logits.cols;
  g_autofree float *a = g_new (float, n);

  (void) c;
  for (gsize i = 0; i < logits.rows; i++)
    {
      double largest = -INFINITY, sum = 0;

      lm_reference_load (&logits, i, 0, n, a);
      for (gsize j = 0; j < n; j++)
        largest = MAX (largest, a[j]);
      for (gsize j = 0; j < n; j++)
        sum += exp (a[j] - largest);
      losses[i] = largest + log (sum) - a[targets[i]];
      if (grad_scale == 0)
        continue;
      for (gsize j = 0; j < n; j++)
        a[j] = grad_scale * (exp (a[j] - largest) / sum - (j == (gsize) targets[i]));
      lm_reference_store (&logits, i, 0, n, a);
    }
}

void
lm_reference_adamw (LmCompute *c, gpointer param, gconstpointer grad, gpointer m, gpointer v,
                    gsize n, const LmAdam *adam)
{
  float *p = param, *mean = m, *square = v;
  const float *g = grad;
  const double correct1 = 1 - pow (adam->beta1, adam->step);
  const double correct2 = 1 - pow (adam->beta2, adam->step);

  (void) c;
  for (gsize i = 0; i < n; i++)
    {
      const double d = (double) g[i] * adam->grad_scale;

      mean[i] = adam->beta1 * (double) mean[i] + (1 - (double) adam->beta1) * d;
      square[i] = adam->beta2 * (double) square[i] + (1 - (double) adam->beta2) * d * d;
      p[i] = p[i] * (1 - (double) adam->lr * adam->decay)
             - adam->lr * (mean[i] / correct1) / (sqrt (square[i] / correct2) + adam->epsilon);
    }
}

double
lm_reference_sum_squares (LmCompute *c, gconstpointer x, gsize n)
{
  const float *a = x;
  double sum = 0;

  (void) c;
  for (gsize i = 0; i < n; i++)
    sum += (double) a[i] * a[i];
  return sum;
}
