/* SPDX-License-Identifier: Apache-2.0 */
/* compute.h: who multiplies matrices (the service "compute").
 *
 * A backend owns its memory: host memory on a CPU, device memory on a GPU.
 * What it hands out are addresses that only it may look behind; anyone may
 * add offsets to them.  Activations and gradients live there, in one type per
 * decoder, F32 or BF16; weights come as they are stored (import) and are
 * widened inside the operation that uses them.  Sums, statistics, softmax,
 * gradients of weights and optimiser state are F32 whatever the activation.
 *
 * All matrices are row-major.  Every operation takes any sizes, 0 rows
 * included, and is deterministic for a number of threads.  Unless stated,
 * outputs may not overlap inputs, and rows may be padded (stride).
 *
 * Operations do not return errors: what fails on a device is kept and told by
 * the next sync.  A wrong call (types or sizes that do not fit) is a programming error.
 *
 * `reference` (plugins/compute/reference) is the definition of right: plain C,
 * one thread, nothing clever.  It is part of libflowrun-lm.  Each backend
 * implements what it does better and inherits the rest from it
 * (lm_compute_inherit()); one with memory of its own must implement all.
 */
#ifndef FLOWRUN_LM_COMPUTE_H
#define FLOWRUN_LM_COMPUTE_H

#include <flowrun/error.h>
#include <flowrun/host.h>
#include <flowrun/param.h>
#include <flowrun/service.h>
#include <glib.h>

#include "lm/type.h"

G_BEGIN_DECLS

#define LM_COMPUTE_KIND "compute"
#define LM_COMPUTE_VERSION 1

typedef struct _LmCompute LmCompute;
typedef struct _LmComputeClass LmComputeClass;

/**
 * LmMat: a matrix in a backend's memory; plain data, copied at will.
 * @data: address of row 0
 * @type: of its numbers
 * @rows, @cols: its shape
 * @stride: numbers from one row to the next; equal to @cols for quantised types
 */
typedef struct {
  gpointer data;
  LmType type;
  gsize rows, cols, stride;
} LmMat;

static inline LmMat
lm_mat (gpointer data, LmType type, gsize rows, gsize cols)
{
  return (LmMat) { data, type, rows, cols, cols };
}

/** lm_mat_rows: rows [@from, @from + @n) of @m. */
static inline LmMat
lm_mat_rows (LmMat m, gsize from, gsize n)
{
  m.data = (char *) m.data + from * lm_type_bytes (m.type, m.stride);
  m.rows = n;
  return m;
}

/** lm_mat_cols: columns [@from, @from + @n) of @m; not of quantised types. */
static inline LmMat
lm_mat_cols (LmMat m, gsize from, gsize n)
{
  m.data = (char *) m.data + lm_type_bytes (m.type, from);
  m.cols = n;
  return m;
}

/**
 * LmSpan: one sequence in a call of attention.
 * Query row i (0 <= i < @q_rows) at row @q_start + i attends to key rows @k_start + j for
 * 0 <= j <= @k_rows - @q_rows + i: causal, the queries being the last of the keys.
 *
 * On a host what a row gives does not depend on other spans, nor, with @prompt, on how a sequence is
 * cut into calls.  Without it a backend may do spans of a few rows another way, which is faster for
 * the single rows of an answer and gives the same to rounding.
 */
typedef struct {
  gsize q_start, q_rows;
  gsize k_start, k_rows;
  gboolean prompt;
} LmSpan;

/**
 * LmAttention: shapes of one call.
 * T rows of queries, S rows of keys (a cache has more than are used).
 *
 *   q    [T, n_heads * key_dim]        k    [S, n_kv_heads * key_dim]
 *   v    [S, n_kv_heads * value_dim]   out  [T, n_heads * value_dim]
 *   lse  [T, n_heads] F32: log of the sum of exponentials of the scaled scores; data NULL when not wanted
 *
 * n_heads is a multiple of n_kv_heads; head h uses key head h / (n_heads / n_kv_heads).
 */
typedef struct {
  LmMat q, k, v, out, lse;
  guint n_heads, n_kv_heads, key_dim, value_dim;
  float scale;
  const LmSpan *spans; /* in host memory */
  gsize n_spans;
} LmAttention;

/**
 * LmPacked: a weight [@rows, @cols] in the order in which its backend's products of int8 read it; plain data.
 * @data: in the backend's memory; NULL: none
 * @type: of its numbers: as stored, or Q8_0 where they were not in blocks
 */
typedef struct {
  gpointer data;
  LmType type;
  gsize rows, cols;
} LmPacked;

/** LmPackedProduct: out = x * weight^T + beta * out; @beta is 0 or 1. */
typedef struct {
  LmMat out;
  float beta;
  const LmPacked *weight;
} LmPackedProduct;

/** lm_packed_type: of a weight of @type, packed. */
static inline LmType
lm_packed_type (LmType type)
{
  return lm_types[type].block > 1 ? type : LM_Q8_0;
}

/** LmAdam: AdamW with decoupled decay (Loshchilov and Hutter, 2019); @step counts from 1. */
typedef struct {
  float lr, beta1, beta2, epsilon, decay;
  guint64 step;
  float grad_scale; /* the gradient is multiplied by this first (clipping) */
} LmAdam;

/**
 * LmComputeClass: what a backend's service points to.  T is the number of rows (tokens).
 * "act" is the type of activations, F32 or BF16, equal in all operands of one call unless stated.
 */
struct _LmComputeClass {
  guint version; /* LM_COMPUTE_VERSION */
  const char *name;
  gboolean host_memory; /* addresses may be looked behind by the CPU; import does not copy */

  /* ---- life and memory */
  LmCompute *(*open) (const LmComputeClass *klass, guint threads, GError **error);
  void (*close) (LmCompute *c);
  /** describe: "oneDNN 2.6.3, AVX512-BF16, 2 threads"; g_free(). */
  char *(*describe) (LmCompute *c);
  /** alloc: 64-byte aligned, not cleared; NULL with FR_ERROR_IO when there is no more.  Use lm_compute_alloc(), which counts. */
  gpointer (*alloc) (LmCompute *c, gsize bytes, GError **error);
  void (*release) (LmCompute *c, gpointer data, gsize bytes);
  /** import: @m lies in host memory, which outlives it: afterwards in the backend's.  *@bytes: what it allocated, 0 for the same memory. */
  gboolean (*import) (LmCompute *c, LmMat *m, gsize *bytes, GError **error);
  void (*upload) (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes);
  void (*download) (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes); /* waits */
  void (*copy) (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes);
  void (*zero) (LmCompute *c, gpointer dst, gsize bytes);
  /** sync: waits for all work; FALSE with the first failure since the last sync. */
  gboolean (*sync) (LmCompute *c, GError **error);

  /* ---- products
   * matmul: out = alpha * op(a) * op(b) + beta * out, op being transposition where ta, tb say so.
   *   a    F32 or BF16
   *   b    any numeric type; quantised and F16 only with tb, or untransposed with b's rows as the inner dimension:
   *        both uses of a stored weight [out, in]: forward x * W^T (tb), input gradient dy * W
   *   out  F32 or BF16, of any type whatever a is
   * beta is 0 or 1; with 0, out is not read (NaN there does no harm).
   * On a host, where b is F32 or BF16 and out.cols or the inner dimension is at most 64 (half of an adapter), what a
   * row of an untransposed a gives does not depend on the number of rows; else it may, in rounding. */
  void (*matmul) (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
                  gboolean tb);

  /* ---- products of int8: of weights in blocks, by activations that are rounded to int8 on the way.
   * Of every 32 numbers of a row the largest magnitude is 127 steps, a step is F32, numbers go to the nearest
   * step, of two the even one; 32 that are all below 2^-119 count as 0.  Products within a block are summed exactly, in integers; blocks are added
   * in F32, one after the other.  So what a row gives depends on that row and the weight alone: not on
   * the rows beside it, their number, the threads, or the other products of the call.
   * What is not finite in x makes its row's outputs not finite.  All three may be NULL: the backend has none. */
  /** packed_bytes: of a weight [@rows, @cols] of @type, packed; 0: that cannot be (@cols no multiple of its block). */
  gsize (*packed_bytes) (LmCompute *c, LmType type, gsize rows, gsize cols);
  /** pack: @weight, in host memory, of any numeric type, into room of packed_bytes() at @data of lm_compute_alloc() or 64 bytes
   * a multiple behind it.  Numbers that are in no blocks are rounded to Q8_0 first. */
  void (*pack) (LmCompute *c, LmPacked *packed, gpointer data, LmMat weight);
  /** matmul_packed: @n products of the same @x, act [T, cols]; outs F32 or BF16, of any type whatever x is, apart from
   * each other and from x. */
  void (*matmul_packed) (LmCompute *c, const LmPackedProduct *products, gsize n, LmMat x);

  /* ---- element by element; x, y: act [T, n] */
  void (*add) (LmCompute *c, LmMat x, LmMat y);                    /* x += y */
  void (*add_row) (LmCompute *c, LmMat x, LmMat row);              /* x[t] += row; row F32 [1, n] */
  void (*sum_rows) (LmCompute *c, LmMat sum, LmMat x);             /* sum += sum over t of x[t]; sum F32 [1, n] */
  void (*cast) (LmCompute *c, LmMat dst, LmMat src);               /* any of F32, BF16 to any */
  /** silu: out = gate * sigmoid (gate) * up; out may be gate or up. */
  void (*silu) (LmCompute *c, LmMat out, LmMat gate, LmMat up);
  /** silu_back: gradients of both from @dout; dgate may be gate, dup may be up. */
  void (*silu_back) (LmCompute *c, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up);
  /** dropout: out[t][j] = kept ? x[t][j] / (1 - rate) : 0, by lm_dropout_keep (keys[t], j, rate) alone, so that no batching
   * changes it; @add: out += instead.  keys in host memory.  Its own gradient: the same call on the gradient. */
  void (*dropout) (LmCompute *c, LmMat out, gboolean add, LmMat x, const guint64 *keys, float rate);

  /* ---- normalisation: rows of n; x may be heads of a wider matrix seen as [T * heads, head_dim]
   * rms_norm: out = x / sqrt (mean (x²) + epsilon) * weight; weight F32 [1, n]; rstd F32 [T] or data NULL */
  void (*rms_norm) (LmCompute *c, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon);
  /** rms_norm_back: dx = (beta 1: +=) gradient; dweight F32 [1, n] += unless data NULL.  dx may be dout. */
  void (*rms_norm_back) (LmCompute *c, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x,
                         LmMat weight, LmMat rstd);

  /* ---- positions
   * rope: rotates the first 2 * half of each head of x [T, heads * head_dim] in place by positions[t] (host memory),
   * pairs (i, i + half); cos, sin F32 [max_position, half]; @inverse: by the negative angle, its gradient */
  void (*rope) (LmCompute *c, LmMat x, guint heads, guint head_dim, guint half,
                const gint32 *positions, LmMat cos, LmMat sin, gboolean inverse);

  /* ---- attention */
  void (*attention) (LmCompute *c, const LmAttention *a);
  /** attention_back: @a as in forward, out and lse filled; dq, dk, dv are set (not added to); rows no span names are left alone. */
  void (*attention_back) (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk,
                          LmMat dv);

  /* ---- embedding and loss; tokens and targets in host memory
   * embed: out[t] = weight[tokens[t]]; weight any type */
  void (*embed) (LmCompute *c, LmMat out, LmMat weight, const gint32 *tokens);
  /** embed_back: dweight F32 [V, n]: dweight[tokens[t]] += dout[t], in the order of t. */
  void (*embed_back) (LmCompute *c, LmMat dweight, LmMat dout, const gint32 *tokens);
  /** cross_entropy: logits act or F32 [n, V]; losses[i] (host memory, F32) = -log softmax (logits[i])[targets[i]];
   * @grad_scale not 0: logits[i] becomes grad_scale * (softmax - onehot). */
  void (*cross_entropy) (LmCompute *c, LmMat logits, const gint32 *targets, float *losses,
                         float grad_scale);

  /* ---- optimiser: n F32 numbers each */
  void (*adamw) (LmCompute *c, gpointer param, gconstpointer grad, gpointer m, gpointer v, gsize n,
                 const LmAdam *adam);
  /** sum_squares: waits. */
  double (*sum_squares) (LmCompute *c, gconstpointer x, gsize n);

  /** fast_bf16: whether products of BF16 are faster here than those of F32: what "auto" types go by. */
  gboolean (*fast_bf16) (LmCompute *c);
};

/** LmCompute: an opened backend; its members are for the backend and for lm_compute_*(). */
struct _LmCompute {
  const LmComputeClass *klass;
  guint threads;
  gsize bytes, peak_bytes; /* of lm_compute_alloc() and lm_compute_import() */
};

/** lm_compute_inherit: fills what @klass lacks from @from, name and version apart. */
void lm_compute_inherit (LmComputeClass *klass, const LmComputeClass *from);

/** lm_compute_reference: plain C. */
const LmComputeClass *lm_compute_reference (void);

/**
 * lm_compute_open: the backend called @name ("reference", "openblas", …) or, with NULL, the best here.
 * @host: of the stage, or NULL outside of one
 * @error: FR_ERROR_LOAD: none such, with those there are
 */
LmCompute *lm_compute_open (FrHost *host, const char *name, guint threads, GError **error);
LmCompute *lm_compute_open_class (const LmComputeClass *klass, guint threads, GError **error);
void lm_compute_close (LmCompute *c);

/** LmTypeChoice: the type of activations as a parameter asks for it; lm_type_choices: its words, for a parameter table. */
typedef enum {
  LM_TYPE_AUTO = 0,
  LM_TYPE_F32,
  LM_TYPE_BF16
} LmTypeChoice;
extern const FrEnumValue *const lm_type_choices[];
/** lm_type_choose: LM_F32 or LM_BF16. */
LmType lm_type_choose (LmCompute *c, LmTypeChoice choice);

gpointer lm_compute_alloc (LmCompute *c, gsize bytes, GError **error);
void lm_compute_release (LmCompute *c, gpointer data, gsize bytes);
/** lm_compute_import: the class's import, counted; when *@bytes is not 0, release @m's data with it. */
gboolean lm_compute_import (LmCompute *c, LmMat *m, gsize *bytes, GError **error);
/** lm_compute_mat: allocates a matrix, not cleared; release with lm_compute_release_mat(). */
gboolean lm_compute_mat (LmCompute *c, LmMat *m, LmType type, gsize rows, gsize cols, GError **error);
void lm_compute_release_mat (LmCompute *c, LmMat *m);

/** lm_dropout_keep: the one definition of which element stays (splitmix64 of key and column). */
static inline gboolean
lm_dropout_keep (guint64 key, guint32 column, float rate)
{
  guint64 z = key + (guint64) (column + 1) * 0x9e3779b97f4a7c15u;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (float) ((z ^ (z >> 31)) >> 40) * 0x1p-24f >= rate;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCompute, lm_compute_close)

G_END_DECLS

#endif
