/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h: the CUDA kernels of compute "cublas", behind plain C (internal).
 *
 * Everything of compute.h but the big products.  Each function starts kernels
 * on @stream and returns; all addresses are of device memory, those of tokens,
 * positions, keys and tiles too.  No atomics and no warp-level primitives: sums
 * have a fixed order, so the same input gives the same bytes.
 */
#ifndef FLOWRUN_COMPUTE_CUBLAS_KERNELS_H
#define FLOWRUN_COMPUTE_CUBLAS_KERNELS_H

#include "lm/compute.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *FrStream;

/* A tile of attention: up to FR_TILE rows of one span, queries or keys. */
#define FR_TILE 16
typedef struct {
  guint32 first;           /* of the tile, counted within the span */
  guint32 q_start, q_rows; /* the span */
  guint32 k_start, k_rows;
} FrTileOf;

void fr_cuda_add (FrStream stream, LmMat x, LmMat y);
void fr_cuda_add_row (FrStream stream, LmMat x, LmMat row);
void fr_cuda_sum_rows (FrStream stream, LmMat sum, LmMat x);
void fr_cuda_cast (FrStream stream, LmMat dst, LmMat src);
/** fr_cuda_widen: @src of any numeric type to F32 or BF16, contiguous. */
void fr_cuda_widen (FrStream stream, LmMat dst, LmMat src);
/** fr_cuda_accumulate: dst = src + beta * dst, types as they come. */
void fr_cuda_accumulate (FrStream stream, LmMat dst, float beta, LmMat src);
void fr_cuda_silu (FrStream stream, LmMat out, LmMat gate, LmMat up);
void fr_cuda_silu_back (FrStream stream, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up);
void fr_cuda_dropout (FrStream stream, LmMat out, gboolean add, LmMat x, const guint64 *keys, float rate);
void fr_cuda_rms_norm (FrStream stream, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon);
void fr_cuda_rms_norm_back (FrStream stream, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x,
                            LmMat weight, LmMat rstd);
void fr_cuda_rope (FrStream stream, LmMat x, guint heads, guint head_dim, guint half,
                   const gint32 *positions, LmMat cos, LmMat sin, gboolean inverse);
void fr_cuda_attention (FrStream stream, const LmAttention *a, const FrTileOf *q_tiles, gsize n_q);
/** fr_cuda_attention_back: @delta: F32 [T, n_heads] of scratch. */
void fr_cuda_attention_back (FrStream stream, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk, LmMat dv,
                             float *delta, const FrTileOf *q_tiles, gsize n_q, const FrTileOf *k_tiles,
                             gsize n_k);
void fr_cuda_embed (FrStream stream, LmMat out, LmMat weight, const gint32 *tokens);
void fr_cuda_embed_back (FrStream stream, LmMat dweight, LmMat dout, const gint32 *tokens);
void fr_cuda_cross_entropy (FrStream stream, LmMat logits, const gint32 *targets, float *losses,
                            float grad_scale);
/** fr_cuda_adamw: @bias1, @bias2: 1 - beta^step of both. */
void fr_cuda_adamw (FrStream stream, float *param, const float *grad, float *m, float *v, gsize n,
                    const LmAdam *adam, float bias1, float bias2);
/** fr_cuda_sum_squares: FR_SUMS partial sums into @partial. */
#define FR_SUMS 256
void fr_cuda_sum_squares (FrStream stream, const float *x, gsize n, double *partial);
/** fr_cuda_shared_ok: whether a tile of these head sizes fits into shared memory. */
gboolean fr_cuda_shared_ok (guint key_dim, guint value_dim, gsize limit);

#ifdef __cplusplus
}
#endif

#endif
