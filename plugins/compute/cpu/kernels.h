/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h: tables of kernels, one set for each instruction set.
 *
 * rows.c, attention.c and product.c are compiled once for each, with
 * LM_CPU_VARIANT its name, and export one table each and nothing else.
 * Kernels know no threads; slots.c, attend.c and small.c divide the work.
 * A matrix operand "type" is LM_F32 or LM_BF16 unless stated.
 */
#ifndef FLOWRUN_COMPUTE_CPU_KERNELS_H
#define FLOWRUN_COMPUTE_CPU_KERNELS_H

#include <stdlib.h>

#include "lm/compute.h"

#define LM_CPU_JOIN_(name, variant) name##_##variant
#define LM_CPU_JOIN(name, variant) LM_CPU_JOIN_ (name, variant)
#define LM_CPU_TABLE(name) LM_CPU_JOIN (name, LM_CPU_VARIANT)

/** LmCpuRows: operations of compute.h on one row of n, or on columns of rows. */
typedef struct
{
  void (*add) (LmType type, gpointer x, gconstpointer y, gsize n);
  void (*add_row) (LmType type, gpointer x, const float *row, gsize n);
  /** sum_rows: over all rows of @x */
  void (*sum_rows) (float *sum, const LmMat *x);
  /** widen: from any numeric type; @n a multiple of its block */
  void (*widen) (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n);
  void (*silu) (LmType type, gpointer out, gconstpointer gate, gconstpointer up, gsize n);
  void (*silu_back) (LmType type, gpointer dgate, gpointer dup, gconstpointer dout,
                     gconstpointer gate, gconstpointer up, gsize n);
  void (*dropout) (LmType type, gpointer out, gboolean add, gconstpointer x, guint64 key,
                   float rate, gsize n);
  /** rms_norm: returns rstd */
  float (*rms_norm) (LmType type, gpointer out, gconstpointer x, const float *weight, float epsilon,
                     gsize n);
  void (*rms_norm_back) (LmType type, gpointer dx, gboolean add, gconstpointer dout,
                         gconstpointer x, const float *weight, float rstd, gsize n);
  /** norm_weight: dweight += sum over rows of dout * x * rstd */
  void (*norm_weight) (float *dweight, const LmMat *dout, const LmMat *x, const float *rstd);
  void (*rope) (LmType type, gpointer x, guint heads, guint head_dim, guint half,
                const float *cosine, const float *sine, gboolean inverse);
  /** cross_entropy: returns the loss */
  float (*cross_entropy) (LmType type, gpointer logits, gsize target, float grad_scale, gsize n);
  void (*adamw) (float *param, const float *grad, float *m, float *v, gsize n, const LmAdam *adam);
  double (*sum_squares) (const float *x, gsize n);
} LmCpuRows;

/** LmCpuUnit: the part of a call of attention that one thread does at a time: a key head of a span
 * and some queries. */
typedef struct
{
  const LmAttention *a;
  LmMat dout, dq, dk, dv; /* backward */
  LmSpan span;
  guint kv_head;      /* not decoding: that does all */
  gsize q_from, q_to; /* rows of the span; backward: all */
  gsize k_from, k_to; /* decoding: keys */
  gsize part, parts;  /* backward: does every parts-th block of keys, from part on */
  /* decoding: [heads * q rows][2 + value_dim]: maximum, sum, unscaled output;
   * backward in parts: [group * q rows][key_dim, in whole vectors]: what these keys add to dq */
  float *partial;
} LmCpuUnit;

typedef struct
{
  /** bytes: of the workspace that forward needs for up to @q_rows queries at a time */
  gsize (*bytes) (const LmAttention *a, gsize q_rows);
  void (*forward) (const LmCpuUnit *unit, gpointer workspace);
  gsize (*back_bytes) (const LmAttention *a, gsize q_rows);
  void (*back) (const LmCpuUnit *unit, gpointer workspace);
  gsize back_keys; /* of a block */
  /** partial_floats, merge_back: one part's share of dq; the sum of all of them, @step floats
   * apart, into dq */
  gsize (*partial_floats) (const LmAttention *a, gsize q_rows);
  void (*merge_back) (const LmCpuUnit *unit, gsize step);
  /** decode: attention of a few queries to a range of keys, into unit->partial */
  gsize (*decode_bytes) (const LmAttention *a, gsize q_rows, gsize k_rows);
  void (*decode) (const LmCpuUnit *unit, gpointer workspace);
  /** merge: @n partials, @step floats apart, into the output rows of the unit */
  void (*merge) (const LmCpuUnit *unit, gsize n, gsize step);
} LmCpuAttention;

/** LmCpuProduct: out = alpha * op(a) * op(b) + beta * out. */
typedef struct
{
  LmMat out, a, b;
  gboolean ta, tb;
  float alpha, beta;
} LmCpuProduct;

typedef struct
{
  /** dot: columns [from, to) of out = x * bᵀ; x: rows of a as floats, [a.rows][stride], zeros up to
   * a multiple of 32 */
  void (*dot) (const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to);
  /** dot_pairs: the same with x as BF16, @stride counting pairs, and zero rows up to a multiple of
   * 8; weights are rounded to BF16; NULL: not on this processor */
  void (*dot_pairs) (const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to);
  /** pack_bytes, pack: op(b) for rows(): panels [from, to) of @panel columns each */
  gsize panel;
  gsize (*pack_bytes) (const LmCpuProduct *p);
  void (*pack) (const LmCpuProduct *p, gpointer packed, gsize from, gsize to);
  /** rows: rows [from, to) of the product of a (not transposed) and packed b */
  gsize (*rows_bytes) (const LmCpuProduct *p);
  void (*rows) (const LmCpuProduct *p, gconstpointer packed, gsize from, gsize to,
                gpointer workspace);
  /** inner: op(a) = aᵀ; b not transposed: sums over long columns, a.cols small.
   * Columns [from, to) of out, or with @swap rows, a and b having changed places. */
  gsize (*inner_bytes) (const LmCpuProduct *p);
  void (*inner) (const LmCpuProduct *p, gboolean swap, gsize from, gsize to, gpointer workspace);
} LmCpuProducts;

typedef struct
{
  const char *name;
  guint lanes; /* floats in a vector */
  const LmCpuRows *rows;
  const LmCpuAttention *attention;
  const LmCpuProducts *products;
} LmCpuKernels;

/** lm_cpu_kernels: for this processor. */
const LmCpuKernels *lm_cpu_kernels (void);

/** lm_cpu_team: threads for @work elementary operations: one, or all when that repays. */
guint lm_cpu_team (const LmCompute *c, double work);

/** lm_cpu_workspace: of cache lines; free().  Without memory the program ends as g_malloc() ends
 * it. */
static inline gpointer
lm_cpu_workspace (gsize bytes)
{
  gpointer p = aligned_alloc (64, (MAX (bytes, 1) + 63) / 64 * 64);

  return p != NULL ? p : g_malloc (bytes);
}

/** lm_cpu_attention, lm_cpu_attention_back: the slots (attend.c). */
void lm_cpu_attention (LmCompute *c, const LmAttention *a);
void lm_cpu_attention_back (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk,
                            LmMat dv);

#endif
