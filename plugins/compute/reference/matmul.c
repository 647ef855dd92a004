/* SPDX-License-Identifier: Apache-2.0 */
/* matmul.c: the product of matrices, summed in double in the order of the inner dimension. */
#include "config.h"

#include "compute/reference/reference.h"

#define ROWS 32 /* of the output at a time: a row of b is decoded once for all of them */
#define LANES                                                                                      \
  8 /* a count that the compiler knows, so that it uses vectors; no sum changes its order */

/* Rows [from, from + n) of op(a), transposed: at[k * n + i]. */
static void
load_rows (const LmMat *a, gboolean ta, gsize from, gsize n, gsize inner, float *at)
{
  g_autofree float *row = g_new (float, inner);

  for (gsize k = 0; ta && k < inner; k++)
    lm_reference_load (a, k, from, n, at + k * n);
  for (gsize i = 0; !ta && i < n; i++)
    {
      lm_reference_load (a, from + i, 0, inner, row);
      for (gsize k = 0; k < inner; k++)
        at[k * n + i] = row[k];
    }
}

static void
add_scaled (double *restrict acc, const float *restrict x, double scale, gsize n)
{
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    for (gsize u = 0; u < LANES; u++)
      acc[i + u] += x[i + u] * scale;
  for (; i < n; i++)
    acc[i] += x[i] * scale;
}

/* acc[j * n + i] = row i of op(a) times column j of op(b). */
static void
multiply (double *acc, const float *at, gsize n, gsize inner, const LmMat *b, gboolean tb,
          gsize cols, float *row)
{
  for (gsize j = 0; tb && j < cols; j++)
    {
      lm_reference_load (b, j, 0, inner, row);
      for (gsize k = 0; k < inner; k++)
        add_scaled (acc + j * n, at + k * n, row[k], n);
    }
  for (gsize k = 0; !tb && k < inner; k++)
    {
      lm_reference_load (b, k, 0, cols, row);
      for (gsize j = 0; j < cols; j++)
        add_scaled (acc + j * n, at + k * n, row[j], n);
    }
}

static void
store_rows (const LmMat *out, gsize from, gsize n, const double *acc, float alpha, float beta,
            float *row)
{
  for (gsize i = 0; i < n; i++)
    {
      if (beta != 0)
        lm_reference_load (out, from + i, 0, out->cols, row);
      for (gsize j = 0; j < out->cols; j++)
        row[j] = alpha * acc[j * n + i] + (beta != 0 ? (double) beta * row[j] : 0);
      lm_reference_store (out, from + i, 0, out->cols, row);
    }
}

void
lm_reference_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta,
                     LmMat b, gboolean tb)
{
  const gsize inner = ta ? a.rows : a.cols;
  const gsize most = MIN (out.rows, ROWS);
  g_autofree float *at = g_new (float, most *inner);
  g_autofree double *acc = g_new (double, most *out.cols);
  g_autofree float *row = g_new (float, MAX (inner, out.cols));

  (void) c;
  for (gsize from = 0, n; from < out.rows; from += n)
    {
      n = MIN (ROWS, out.rows - from);
      load_rows (&a, ta, from, n, inner, at);
      for (gsize i = 0; i < n * out.cols; i++)
        acc[i] = 0;
      multiply (acc, at, n, inner, &b, tb, out.cols, row);
      store_rows (&out, from, n, acc, alpha, beta, row);
    }
}
