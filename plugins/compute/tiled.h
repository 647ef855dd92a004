/* SPDX-License-Identifier: Apache-2.0 */
/* tiled.h: big products cut into pieces for a library that multiplies on one thread.
 *
 * Shared by compute/openblas and compute/onednn, compiled into both.  The
 * output is cut into pieces of a few sizes (powers of two rows, and what is
 * left), so that a library that makes code for each shape makes little of it,
 * and threads take pieces as they come; who does a piece does not change its
 * bytes.  A stored weight of another type than the library takes is widened a
 * tile of bounded size at a time.
 */
#ifndef FLOWRUN_COMPUTE_TILED_H
#define FLOWRUN_COMPUTE_TILED_H

#include "lm/compute.h"

G_BEGIN_DECLS

/** LmTiles: memory for conversions, kept from call to call; one call at a time. */
typedef struct _LmTiles LmTiles;

LmTiles *lm_tiles_new (guint threads);
void lm_tiles_free (LmTiles *tiles);

/** LmTiledProduct: out = alpha * op(a) * op(b) + beta * out on the calling thread alone, the
 * backend's number @thread; no size is 0. */
typedef void (*LmTiledProduct) (LmCompute *c, guint thread, LmMat out, float beta, float alpha,
                                LmMat a, gboolean ta, LmMat b, gboolean tb);

/**
 * LmTiling: what the library can do.
 * @operands: the type that both operands are brought to, F32 or BF16
 * @writes_bf16: whether it writes BF16 as well as F32
 * @splits: whether large products go by lm_cpu_matmul_split() instead, where it can and repays
 */
typedef struct
{
  LmTiledProduct product;
  LmType operands;
  gboolean writes_bf16;
  gboolean splits;
} LmTiling;

/** lm_tiled_matmul: matmul of compute.h. */
void lm_tiled_matmul (LmCompute *c, LmTiles *tiles, const LmTiling *how, LmMat out, float beta,
                      float alpha, LmMat a, gboolean ta, LmMat b, gboolean tb);

G_END_DECLS

#endif
