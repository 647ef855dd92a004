/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: operations on rows for one instruction set (kernels.h); formulas: compute.h and
 * compute/reference.
 *
 * Numbers are floats in registers whatever they are in memory; each kernel is
 * written once for a constant type.
 */
#include "config.h"

#include "compute/cpu/kernels.h"
#include "lm/simd.h"
#include "compute/cpu/unpack.h"

/* Calls @f with its first argument a constant. */
#define BY_TYPE(type, f, ...)                                                                      \
  ((type) == LM_BF16 ? f (LM_BF16, __VA_ARGS__) : f (LM_F32, __VA_ARGS__))

INLINE const void *
row_of (const LmMat *m, gsize row)
{
  return (const char *) m->data + row * m->stride * (m->type == LM_BF16 ? 2 : 4);
}

INLINE void
add_typed (LmType type, void *x, const void *y, gsize n)
{
  for (gsize i = 0; i < n; i += W)
    vput (type, x, i, n, vget (type, x, i, n) + vget (type, y, i, n));
}

static void
add (LmType type, gpointer x, gconstpointer y, gsize n)
{
  BY_TYPE (type, add_typed, x, y, n);
}

INLINE void
add_row_typed (LmType type, void *x, const float *row, gsize n)
{
  for (gsize i = 0; i < n; i += W)
    vput (type, x, i, n, vget (type, x, i, n) + vget (LM_F32, row, i, n));
}

static void
add_row (LmType type, gpointer x, const float *row, gsize n)
{
  BY_TYPE (type, add_row_typed, x, row, n);
}

/* Down columns in stretches of ROWS: partial sums of like size keep what is small. */
#define ROWS 64

INLINE void
sum_rows_typed (LmType type, float *sum, const LmMat *x)
{
  const gsize n = x->cols;

  for (gsize i = 0; i < n; i += W)
    {
      vf total = {};

      for (gsize t = 0; t < x->rows; t += ROWS)
        {
          const gsize end = MIN (t + ROWS, x->rows);
          vf part = {};

          for (gsize k = t; k < end; k++)
            part += vget (type, row_of (x, k), i, n);
          total += part;
        }
      vput (LM_F32, sum, i, n, vget (LM_F32, sum, i, n) + total);
    }
}

static void
sum_rows (float *sum, const LmMat *x)
{
  BY_TYPE (x->type, sum_rows_typed, sum, x);
}

INLINE vf
sigmoid (vf x)
{
  return 1.0f / (1.0f + vexp (-x));
}

INLINE void
silu_typed (LmType type, void *out, const void *gate, const void *up, gsize n)
{
  for (gsize i = 0; i < n; i += W)
    {
      vf g = vget (type, gate, i, n);

      vput (type, out, i, n, g * sigmoid (g) * vget (type, up, i, n));
    }
}

static void
silu (LmType type, gpointer out, gconstpointer gate, gconstpointer up, gsize n)
{
  BY_TYPE (type, silu_typed, out, gate, up, n);
}

INLINE void
silu_back_typed (LmType type, void *dgate, void *dup, const void *dout, const void *gate,
                 const void *up, gsize n)
{
  for (gsize i = 0; i < n; i += W)
    {
      vf g = vget (type, gate, i, n), u = vget (type, up, i, n), d = vget (type, dout, i, n);
      vf s = sigmoid (g);

      vput (type, dgate, i, n, d * u * s * (1.0f + g * (1.0f - s)));
      vput (type, dup, i, n, d * g * s);
    }
}

static void
silu_back (LmType type, gpointer dgate, gpointer dup, gconstpointer dout, gconstpointer gate,
           gconstpointer up, gsize n)
{
  BY_TYPE (type, silu_back_typed, dgate, dup, dout, gate, up, n);
}

#if W == 16
/* Eight draws of splitmix64, as lm_dropout_keep(). */
INLINE __mmask8
kept8 (__m512i z, __m512i threshold)
{
  z = _mm512_xor_si512 (z, _mm512_srli_epi64 (z, 30));
  z = _mm512_mullo_epi64 (z, _mm512_set1_epi64 ((gint64) 0xbf58476d1ce4e5b9u));
  z = _mm512_xor_si512 (z, _mm512_srli_epi64 (z, 27));
  z = _mm512_mullo_epi64 (z, _mm512_set1_epi64 ((gint64) 0x94d049bb133111ebu));
  z = _mm512_xor_si512 (z, _mm512_srli_epi64 (z, 31));
  return _mm512_cmpge_epu64_mask (_mm512_srli_epi64 (z, 40), threshold);
}
#endif

/* The mask of columns [i, i + W). */
INLINE vi
kept (guint64 key, gsize i, float rate)
{
#if W == 16
  /* 24 bits against rate * 2^24: exact, hence the same as the comparison of floats */
  const __m512i threshold = _mm512_set1_epi64 ((gint64) ceilf (rate * 0x1p24f));
  const __m512i step = _mm512_mullo_epi64 (_mm512_set1_epi64 ((gint64) 0x9e3779b97f4a7c15u),
                                           _mm512_set_epi64 (8, 7, 6, 5, 4, 3, 2, 1));
  const guint64 z = key + (guint64) i * 0x9e3779b97f4a7c15u;
  const __mmask8 low = kept8 (_mm512_add_epi64 (_mm512_set1_epi64 ((gint64) z), step), threshold);
  const __mmask8 high
      = kept8 (_mm512_add_epi64 (_mm512_set1_epi64 ((gint64) (z + 8 * 0x9e3779b97f4a7c15u)), step),
               threshold);

  return (vi) _mm512_movm_epi32 ((__mmask16) (low | high << 8));
#else
  vi mask;

  for (int k = 0; k < W; k++)
    mask[k] = lm_dropout_keep (key, (guint32) (i + k), rate) ? -1 : 0;
  return mask;
#endif
}

INLINE void
dropout_typed (LmType type, void *out, gboolean sum, const void *x, guint64 key, float rate,
               gsize n)
{
  const float scale = 1 / (1 - rate);

  for (gsize i = 0; i < n; i += W)
    {
      vf v = (vf) (kept (key, i, rate) & (vi) (vget (type, x, i, n) * scale));

      vput (type, out, i, n, sum ? vget (type, out, i, n) + v : v);
    }
}

static void
dropout (LmType type, gpointer out, gboolean sum, gconstpointer x, guint64 key, float rate, gsize n)
{
  BY_TYPE (type, dropout_typed, out, sum, x, key, rate, n);
}

INLINE float
rms_norm_typed (LmType type, void *out, const void *x, const float *weight, float epsilon, gsize n)
{
  vf s0 = {}, s1 = {};
  float rstd;

  for (gsize i = 0; i < n; i += 2 * W)
    {
      vf a = vget (type, x, i, n);

      s0 = vfma (a, a, s0);
      if (i + W < n)
        {
          a = vget (type, x, i + W, n);
          s1 = vfma (a, a, s1);
        }
    }
  rstd = 1 / sqrtf (vsum (s0 + s1) / (float) n + epsilon);
  for (gsize i = 0; i < n; i += W)
    vput (type, out, i, n, vget (type, x, i, n) * rstd * vget (LM_F32, weight, i, n));
  return rstd;
}

static float
rms_norm (LmType type, gpointer out, gconstpointer x, const float *weight, float epsilon, gsize n)
{
  return BY_TYPE (type, rms_norm_typed, out, x, weight, epsilon, n);
}

INLINE void
rms_norm_back_typed (LmType type, void *dx, gboolean sum, const void *dout, const void *x,
                     const float *weight, float rstd, gsize n)
{
  vf dot = {};
  float along;

  for (gsize i = 0; i < n; i += W)
    dot = vfma (vget (type, dout, i, n) * vget (LM_F32, weight, i, n), vget (type, x, i, n), dot);
  along = vsum (dot) * rstd * rstd * rstd / (float) n;
  for (gsize i = 0; i < n; i += W)
    {
      vf d = vget (type, dout, i, n) * vget (LM_F32, weight, i, n) * rstd;

      d -= vget (type, x, i, n) * along;
      vput (type, dx, i, n, sum ? vget (type, dx, i, n) + d : d);
    }
}

static void
rms_norm_back (LmType type, gpointer dx, gboolean sum, gconstpointer dout, gconstpointer x,
               const float *weight, float rstd, gsize n)
{
  BY_TYPE (type, rms_norm_back_typed, dx, sum, dout, x, weight, rstd, n);
}

INLINE void
norm_weight_typed (LmType type, float *dweight, const LmMat *dout, const LmMat *x,
                   const float *rstd)
{
  const gsize n = x->cols;

  for (gsize i = 0; i < n; i += W)
    {
      vf total = {};

      for (gsize t = 0; t < x->rows; t += ROWS)
        {
          const gsize end = MIN (t + ROWS, x->rows);
          vf part = {};

          for (gsize k = t; k < end; k++)
            part = vfma (vget (type, row_of (dout, k), i, n) * rstd[k],
                         vget (type, row_of (x, k), i, n), part);
          total += part;
        }
      vput (LM_F32, dweight, i, n, vget (LM_F32, dweight, i, n) + total);
    }
}

static void
norm_weight (float *dweight, const LmMat *dout, const LmMat *x, const float *rstd)
{
  BY_TYPE (x->type, norm_weight_typed, dweight, dout, x, rstd);
}

INLINE void
rope_typed (LmType type, void *x, guint heads, guint head_dim, guint half, const float *cosine,
            const float *sine, gboolean inverse)
{
  const gsize size = type == LM_BF16 ? 2 : 4;

  for (gsize h = 0; h < heads; h++)
    {
      char *first = (char *) x + h * head_dim * size, *second = first + half * size;

      for (gsize i = 0; i < half; i += W)
        {
          vf p = vget (type, first, i, half), q = vget (type, second, i, half);
          vf c = vget (LM_F32, cosine, i, half), s = vget (LM_F32, sine, i, half);

          s = inverse ? -s : s;
          vput (type, first, i, half, p * c - q * s);
          vput (type, second, i, half, q * c + p * s);
        }
    }
}

static void
rope (LmType type, gpointer x, guint heads, guint head_dim, guint half, const float *cosine,
      const float *sine, gboolean inverse)
{
  BY_TYPE (type, rope_typed, x, heads, head_dim, half, cosine, sine, inverse);
}

/* exp (x - largest), the lanes past the end being 0. */
INLINE vf
exp_from (LmType type, const void *x, gsize i, gsize n, float largest)
{
  vf e = vexp (vget (type, x, i, n) - largest);

  if (G_UNLIKELY (n - i < W))
    for (gsize k = n - i; k < W; k++)
      e[k] = 0;
  return e;
}

#define STRETCH (64 * W) /* terms of a sum of exponentials added up before they join the total */

INLINE float
cross_entropy_typed (LmType type, void *x, gsize target, float grad_scale, gsize n)
{
  vf m0 = vset (-INFINITY), m1 = m0;
  double sum = 0;
  float largest, of_target, factor;
  gsize i;

  for (i = 0; i + 2 * W <= n; i += 2 * W)
    {
      m0 = vmax (m0, vget (type, x, i, n));
      m1 = vmax (m1, vget (type, x, i + W, n));
    }
  largest = vmax_all (vmax (m0, m1));
  for (; i < n; i++)
    {
      const float last = type == LM_BF16 ? lm_bf16_to_float (((guint16 *) x)[i]) : ((float *) x)[i];

      largest = MAX (largest, last);
    }
  for (i = 0; i < n; i += STRETCH)
    {
      const gsize end = MIN (i + STRETCH, n);
      vf part = {};

      for (gsize k = i; k < end; k += W)
        part += exp_from (type, x, k, n, largest);
      sum += vsum (part);
    }
  of_target = type == LM_BF16 ? lm_bf16_to_float (((guint16 *) x)[target]) : ((float *) x)[target];
  if (grad_scale != 0)
    {
      float at_target = (float) (grad_scale * (exp (of_target - largest) / sum - 1));

      factor = (float) (grad_scale / sum);
      for (i = 0; i < n; i += W)
        vput (type, x, i, n, exp_from (type, x, i, n, largest) * factor);
      if (type == LM_BF16)
        ((guint16 *) x)[target] = lm_float_to_bf16 (at_target);
      else
        ((float *) x)[target] = at_target;
    }
  return (float) (largest + log (sum) - of_target);
}

static float
cross_entropy (LmType type, gpointer logits, gsize target, float grad_scale, gsize n)
{
  return BY_TYPE (type, cross_entropy_typed, logits, target, grad_scale, n);
}

static void
adamw (float *param, const float *grad, float *m, float *v, gsize n, const LmAdam *adam)
{
  const double correct1 = 1 - pow (adam->beta1, (double) adam->step);
  const double correct2 = 1 - pow (adam->beta2, (double) adam->step);
  const float b1 = adam->beta1, b2 = adam->beta2;
  const float c1 = (float) (1 - (double) b1), c2 = (float) (1 - (double) b2);
  const float rate = (float) (adam->lr / correct1), root = (float) (1 / sqrt (correct2));
  const float keep = (float) (1 - (double) adam->lr * adam->decay);

  for (gsize i = 0; i < n; i += W)
    {
      vf g = vget (LM_F32, grad, i, n) * adam->grad_scale;
      vf mean = vfma (g, vset (c1), vget (LM_F32, m, i, n) * b1);
      vf square = vfma (g * g, vset (c2), vget (LM_F32, v, i, n) * b2);
      vf step = mean * rate / (vsqrt (square) * root + adam->epsilon);

      vput (LM_F32, m, i, n, mean);
      vput (LM_F32, v, i, n, square);
      vput (LM_F32, param, i, n, vget (LM_F32, param, i, n) * keep - step);
    }
}

static double
sum_squares (const float *x, gsize n)
{
  vd sum = {};
  double total = 0;

  for (gsize i = 0; i < n; i += W)
    {
      vd a = __builtin_convertvector(vget (LM_F32, x, i, n), vd);

      sum += a * a;
    }
  for (int i = 0; i < W; i++)
    total += sum[i];
  return total;
}

/* ---- widening ---------------------------------------------------------------- */

INLINE void
widen_typed (LmType to, LmType from, const void *src, void *dst, gsize n)
{
  if (lm_types[from].block == 1)
    {
      for (gsize i = 0; i < n; i += W)
        vput (to, dst, i, n, unpack_plain (from, src, i, n));
      return;
    }
  for (gsize i = 0; i < n; i += UNPACK_BLOCK (from))
    for (int part = 0; part < UNPACK_BLOCK (from) / 32; part++)
      {
        vf v[32 / W];

        unpack32 (from, src, i / UNPACK_BLOCK (from), part, v);
        for (int k = 0; k < 32 / W; k++)
          vput (to, dst, i + part * 32 + k * W, n, v[k]);
      }
}

static void
widen (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n)
{
#define FROM(type)                                                                                 \
  case type:                                                                                       \
    BY_TYPE (to, widen_typed, type, src, dst, n);                                                  \
    break;
  switch (from)
    {
      UNPACK_TYPES (FROM)
    default:
      lm_convert (from, src, to, dst, n);
    }
#undef FROM
}

const LmCpuRows LM_CPU_TABLE (lm_cpu_rows) = {
  .add = add,
  .add_row = add_row,
  .sum_rows = sum_rows,
  .widen = widen,
  .silu = silu,
  .silu_back = silu_back,
  .dropout = dropout,
  .rms_norm = rms_norm,
  .rms_norm_back = rms_norm_back,
  .norm_weight = norm_weight,
  .rope = rope,
  .cross_entropy = cross_entropy,
  .adamw = adamw,
  .sum_squares = sum_squares,
};
