/* SPDX-License-Identifier: Apache-2.0 */
/* packed.c: products of int8 by their definition: x rounded, then the product of matrices.
 *
 * A packed weight is a stored one: the same bytes, or rows rounded to Q8_0.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "compute/reference/reference.h"

#define BLOCK 32
#define NOTHING 0x1p-119f /* what is smaller counts as 0 */

gsize
lm_reference_packed_bytes (LmCompute *c, LmType type, gsize rows, gsize cols)
{
  const LmType packed = lm_packed_type (type);

  (void) c;
  return lm_types[type].numeric && cols % lm_types[packed].block == 0
             ? rows * lm_type_bytes (packed, cols)
             : 0;
}

void
lm_reference_pack (LmCompute *c, LmPacked *packed, gpointer data, LmMat weight)
{
  LmMat to = lm_mat (data, lm_packed_type (weight.type), weight.rows, weight.cols);

  (void) c;
  for (gsize i = 0; i < weight.rows; i++)
    lm_convert (weight.type, lm_reference_row (&weight, i), to.type, lm_reference_row (&to, i),
                weight.cols);
  *packed = (LmPacked){ data, to.type, to.rows, to.cols };
}

/* A block as what its codes stand for; NaN where one number is not finite. */
static void
round_block (float *x)
{
  float largest = 0, inverse;

  for (gsize i = 0; i < BLOCK; i++)
    largest = isfinite (x[i]) ? MAX (largest, fabsf (x[i])) : NAN;
  if (largest < NOTHING)
    largest = 0;
  inverse = largest == 0 ? 0 : 127 / largest;
  for (gsize i = 0; i < BLOCK; i++)
    x[i] = rintf (x[i] * inverse) * (largest / 127);
}

void
lm_reference_matmul_packed (LmCompute *c, const LmPackedProduct *products, gsize n, LmMat x)
{
  g_autofree float *rounded = g_new (float, x.rows *x.cols + 1);

  for (gsize t = 0; t < x.rows; t++)
    {
      lm_reference_load (&x, t, 0, x.cols, rounded + t * x.cols);
      for (gsize i = 0; i < x.cols; i += BLOCK)
        round_block (rounded + t * x.cols + i);
    }
  for (gsize i = 0; i < n; i++)
    {
      const LmPacked *w = products[i].weight;

      lm_reference_matmul (c, products[i].out, products[i].beta, 1,
                           lm_mat (rounded, LM_F32, x.rows, x.cols), FALSE,
                           lm_mat (w->data, w->type, w->rows, w->cols), TRUE);
    }
}
