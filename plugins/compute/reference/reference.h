/* SPDX-License-Identifier: Apache-2.0 */
/* reference.h: what the parts of the reference backend share.
 *
 * A row is read into floats, worked on, and written back in its type, so that
 * each operation is its formula and nothing else.
 */
#ifndef FLOWRUN_COMPUTE_REFERENCE_H
#define FLOWRUN_COMPUTE_REFERENCE_H

#include "lm/compute.h"

static inline gpointer
lm_reference_row (const LmMat *m, gsize row)
{
  return (char *) m->data + row * lm_type_bytes (m->type, m->stride);
}

/** lm_reference_load: @n numbers of a row from @from on (multiples of the block) as floats. */
static inline void
lm_reference_load (const LmMat *m, gsize row, gsize from, gsize n, float *dst)
{
  if (n > 0) /* nothing may be nowhere */
    lm_decode (m->type, (char *) lm_reference_row (m, row) + lm_type_bytes (m->type, from), dst, n);
}

static inline void
lm_reference_store (const LmMat *m, gsize row, gsize from, gsize n, const float *src)
{
  if (n > 0)
    lm_encode (m->type, src, (char *) lm_reference_row (m, row) + lm_type_bytes (m->type, from), n);
}

void lm_reference_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta,
                          LmMat b, gboolean tb);

gsize lm_reference_packed_bytes (LmCompute *c, LmType type, gsize rows, gsize cols);
void lm_reference_pack (LmCompute *c, LmPacked *packed, gpointer data, LmMat weight);
void lm_reference_matmul_packed (LmCompute *c, const LmPackedProduct *products, gsize n, LmMat x);

void lm_reference_attention (LmCompute *c, const LmAttention *a);
void lm_reference_attention_back (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq,
                                  LmMat dk, LmMat dv);

void lm_reference_add (LmCompute *c, LmMat x, LmMat y);
void lm_reference_add_row (LmCompute *c, LmMat x, LmMat row);
void lm_reference_sum_rows (LmCompute *c, LmMat sum, LmMat x);
void lm_reference_cast (LmCompute *c, LmMat dst, LmMat src);
void lm_reference_silu (LmCompute *c, LmMat out, LmMat gate, LmMat up);
void lm_reference_silu_back (LmCompute *c, LmMat dgate, LmMat dup, LmMat dout, LmMat gate,
                             LmMat up);
void lm_reference_dropout (LmCompute *c, LmMat out, gboolean add, LmMat x, const guint64 *keys,
                           float rate);
void lm_reference_rms_norm (LmCompute *c, LmMat out, LmMat rstd, LmMat x, LmMat weight,
                            float epsilon);
void lm_reference_rms_norm_back (LmCompute *c, LmMat dx, float beta, LmMat dweight, LmMat dout,
                                 LmMat x, LmMat weight, LmMat rstd);
void lm_reference_rope (LmCompute *c, LmMat x, guint heads, guint head_dim, guint half,
                        const gint32 *positions, LmMat cos, LmMat sin, gboolean inverse);
void lm_reference_embed (LmCompute *c, LmMat out, LmMat weight, const gint32 *tokens);
void lm_reference_embed_back (LmCompute *c, LmMat dweight, LmMat dout, const gint32 *tokens);
void lm_reference_cross_entropy (LmCompute *c, LmMat logits, const gint32 *targets, float *losses,
                                 float grad_scale);
void lm_reference_adamw (LmCompute *c, gpointer param, gconstpointer grad, gpointer m, gpointer v,
                         gsize n, const LmAdam *adam);
double lm_reference_sum_squares (LmCompute *c, gconstpointer x, gsize n);

#endif
