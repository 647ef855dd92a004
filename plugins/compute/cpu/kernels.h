/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h: tables of kernels, one set for each instruction set.
 *
 * rows.c, attention.c, product.c and int8.c are compiled once for each, with
 * LM_CPU_VARIANT its name, and export one table each and nothing else; split-amx.c for AMX alone.
 * Kernels know no threads; slots.c, attend.c, small.c and split.c divide the work.
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

/** LmCpuRounded: rows of activations in int8 (compute.h, matmul_packed).
 * @stride: bytes from one row's codes to the next
 * @step, @sum: [rows][blocks]: of a block of 32: what a code of 1 is; the sum of the rounded
 * numbers
 * @less: [rows][blocks][2]: minus the sum of 16 codes each */
typedef struct
{
  gsize rows, blocks, stride;
  gint8 *codes;
  float *step, *sum;
  gint32 *less;
} LmCpuRounded;

typedef struct
{
  /** round: rows [from, to) of @x, F32 or BF16 */
  void (*round) (const LmMat *x, gsize from, gsize to, const LmCpuRounded *rounded);
  /** bytes: of the workspace that product needs for @rows rows of @cols numbers */
  gsize (*bytes) (gsize rows, gsize cols);
  /** product: rows [row, to_row) of x by panels [from, to) of the weight (packed.h) */
  void (*product) (const LmCpuRounded *x, const LmPackedProduct *p, gsize row, gsize to_row,
                   gsize from, gsize to, gpointer workspace);
} LmCpuInt8;

#define LM_CPU_SPLIT_LINES 32 /* rows of op(a), or columns of op(b), in a block */
#define LM_CPU_SPLIT_STEP 32  /* depths are multiples of this */

/** lm_cpu_split_parts: how many BF16 numbers a number of @type, F32 or BF16, is the sum of. */
static inline int
lm_cpu_split_parts (LmType type)
{
  return type == LM_BF16 ? 1 : 3;
}

/** LmCpuSplitPart: rows and columns of a product, from stretch [@k, @k + @depth) of the inner
 * dimension; @a, @b: their blocks, packed. Stretches behind the first add to the output. */
typedef struct
{
  const LmCpuProduct *p;
  gsize row, rows, col, cols, k, depth;
  gconstpointer a, b;
} LmCpuSplitPart;

/** LmCpuSplit: products of F32 by F32, F32 by BF16 and BF16 by BF16, by sums of BF16 numbers
 * (split.c). */
typedef struct
{
  /** pack_a, pack_b: @n blocks from row or column @line on; zeros beyond the edges */
  void (*pack_a) (const LmCpuProduct *p, gsize line, gsize n, gsize k, gsize depth,
                  gpointer packed);
  void (*pack_b) (const LmCpuProduct *p, gsize line, gsize n, gsize k, gsize depth,
                  gpointer packed);
  void (*multiply) (const LmCpuSplitPart *part);
} LmCpuSplit;

typedef struct
{
  const char *name;
  guint lanes; /* floats in a vector */
  const LmCpuRows *rows;
  const LmCpuAttention *attention;
  const LmCpuProducts *products;
  const LmCpuInt8 *int8;
  const LmCpuSplit *split; /* NULL: not on this processor */
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

/** lm_cpu_packed_bytes, lm_cpu_pack, lm_cpu_matmul_packed: the slots (packed.c). */
gsize lm_cpu_packed_bytes (LmCompute *c, LmType type, gsize rows, gsize cols);
void lm_cpu_pack (LmCompute *c, LmPacked *packed, gpointer data, LmMat weight);
void lm_cpu_matmul_packed (LmCompute *c, const LmPackedProduct *products, gsize n, LmMat x);

/** lm_cpu_attention, lm_cpu_attention_back: the slots (attend.c). */
void lm_cpu_attention (LmCompute *c, const LmAttention *a);
void lm_cpu_attention_back (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk,
                            LmMat dv);

#endif
