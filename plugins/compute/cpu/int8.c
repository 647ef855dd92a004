/* SPDX-License-Identifier: Apache-2.0 */
/* int8.c: products of int8: packed weights by rounded activations, for one instruction set.
 *
 * The order of every sum is the definition's (compute.h, matmul_packed) whichever kernel makes it,
 * so that a row gives the same bits alone and among others:
 *
 *   for each block: sum += (float) (exact sum of codes) * (d * step); then, where there is a
 *   minimum, sum += m * (sum of the rounded numbers)
 *
 * A few rows go by vectors of bytes.  More go by AMX where it is, 16 rows by 16 columns, a block at
 * a time; the tiles of the next stretch are made while the sums of the last are scaled.
 */
#include "config.h"

#include <math.h>

#include "compute/cpu/int8.h"
#include "compute/cpu/kernels.h"

/* ---- rounding ------------------------------------------------------------------------------ */

#define PARTS (PACK_BLOCK / W)

/* The largest magnitude; NaN where one is NaN, which as bits is the largest of all. */
INLINE float
magnitude (const vf *v)
{
  vi most = (vi) v[0] & 0x7fffffff;
  gint32 lanes[W], largest = 0;
  float f;

  for (int k = 1; k < PARTS; k++)
    {
      const vi bits = (vi) v[k] & 0x7fffffff, larger = bits > most;

      most = (bits & larger) | (most & ~larger);
    }
#if W == 16
  (void) lanes;
  largest = _mm512_reduce_max_epi32 ((__m512i) most);
#else
  memcpy (lanes, &most, sizeof lanes);
  for (int k = 0; k < W; k++)
    largest = MAX (largest, lanes[k]);
#endif
  memcpy (&f, &largest, sizeof f);
  return f;
}

/* To the nearest, of two the even one: one rounding, of the product alone, whatever a compiler
 * would contract. */
INLINE vi
nearest (vf v)
{
#if W == 16
  return (vi) _mm512_cvtps_epi32 (v);
#elif W == 8
  return (vi) _mm256_cvtps_epi32 (v);
#elif defined __SSE2__
  return (vi) _mm_cvtps_epi32 (v);
#elif defined __aarch64__
  return (vi) vcvtnq_s32_f32 ((float32x4_t) v);
#else
  vi q;

  for (int k = 0; k < W; k++)
    q[k] = (gint32) rintf (v[k]);
  return q;
#endif
}

INLINE gint32
int_sum (vi v)
{
#if W == 16
  return _mm512_reduce_add_epi32 ((__m512i) v);
#else
  gint32 sum = 0;

  for (int k = 0; k < W; k++)
    sum += v[k];
  return sum;
#endif
}

INLINE void
round_block (LmType type, const void *x, gsize i, gsize n, gint8 *codes, float *step, float *sum,
             gint32 *less)
{
  vf v[PARTS];
  float largest, inverse;
  gint32 sums[2] = { 0, 0 };

  for (int k = 0; k < PARTS; k++)
    v[k] = vget (type, x, i + (gsize) k * W, n);
  largest = magnitude (v);
  if (largest < 0x1p-119f)
    largest = 0;
  inverse = largest == 0 ? 0 : 127 / largest;
  /* What is not finite is told by the step; there are no integers for it. */
  if (!isfinite (largest))
    {
      memset (v, 0, sizeof v);
      inverse = 0;
    }
  for (int k = 0; k < PARTS; k++)
    {
      const vi numbers = nearest (v[k] * inverse);
      const vsb bytes = __builtin_convertvector(numbers, vsb);

      memcpy (codes + k * W, &bytes, sizeof bytes);
      sums[k * W / 16] += int_sum (numbers);
    }
  *step = largest / 127;
  *sum = *step * (float) (sums[0] + sums[1]);
  less[0] = -sums[0];
  less[1] = -sums[1];
}

static void
round_rows (const LmMat *x, gsize from, gsize to, const LmCpuRounded *r)
{
  for (gsize t = from; t < to; t++)
    {
      const char *row = (const char *) x->data + t * lm_type_bytes (x->type, x->stride);

      for (gsize b = 0; b < r->blocks; b++)
        {
          gint8 *codes = r->codes + t * r->stride + b * PACK_BLOCK;
          const gsize at = t * r->blocks + b;

          if (x->type == LM_BF16)
            round_block (LM_BF16, row, b * PACK_BLOCK, x->cols, codes, &r->step[at], &r->sum[at],
                         &r->less[2 * at]);
          else
            round_block (LM_F32, row, b * PACK_BLOCK, x->cols, codes, &r->step[at], &r->sum[at],
                         &r->less[2 * at]);
        }
    }
}

/* ---- what both kinds of kernel share ------------------------------------------------------- */

INLINE vf
as_floats (vi v)
{
  return __builtin_convertvector(v, vf);
}

/* Whether sums of codes lack the bias, and what it is, as a power of two. */
INLINE gboolean
wants_bias (LmType type, gboolean wide_is_biased)
{
  return lm_packed_bias (type) >= 0 && (lm_packed_bits (type) != 8 || wide_is_biased);
}

/* W columns from @col on of row @row of the output. */
INLINE void
put_columns (const LmMat *out, float beta, gsize row, gsize col, vf sum)
{
  char *o = (char *) out->data + row * lm_type_bytes (out->type, out->stride);

  if (col >= out->cols)
    return;
  if (out->type == LM_BF16)
    vput (LM_BF16, o, col, out->cols, beta != 0 ? vget (LM_BF16, o, col, out->cols) + sum : sum);
  else
    vput (LM_F32, o, col, out->cols, beta != 0 ? vget (LM_F32, o, col, out->cols) + sum : sum);
}

/* ---- few rows, by vectors ------------------------------------------------------------------ */

#if W == 16
#define VECTOR_ROWS 8
#else
#define VECTOR_ROWS 4 /* 16 registers */
#endif

/* Rows @first … @first + @rows of x by W columns of the panel from column @part on. */
INLINE void
vector_columns (LmType type, const LmCpuRounded *x, gsize first, const int rows,
                const guint8 *panel, gsize part, vf *acc)
{
  const guint bits = lm_packed_bits (type);
  const gsize blocks = x->blocks;
  const int halves = in_sixteens (type) ? 2 : 1;
  const guint8 *scales = panel, *codes = panel;

#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
    acc[r] = (vf){};
  for (gsize b = 0; b < blocks; b++, codes += lm_packed_code_bytes (type))
    {
      vi sum[VECTOR_ROWS][2];
      BlockScales s;

      if (b % PACK_BLOCKS == 0)
        {
          scales = codes;
          codes += lm_packed_scale_bytes (type, MIN (PACK_BLOCKS, blocks - b));
        }
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        for (int h = 0; h < halves; h++)
          {
            const gint32 *less = x->less + 2 * ((first + (gsize) r) * blocks + b);

            sum[r][h] = wants_bias (type, WIDE_IS_BIASED)
                            ? int_in_all (halves == 2 ? less[h] : less[0] + less[1])
                                  << MAX (lm_packed_bias (type), 0)
                            : (vi){};
          }
#pragma GCC unroll 8
      for (int v = 0; v < 8; v++)
        {
          const vi c = codes_of (bits, codes, v, part * 4);

#pragma GCC unroll 8
          for (int r = 0; r < rows; r++)
            {
              const gint8 *at = x->codes + (first + (gsize) r) * x->stride + b * PACK_BLOCK;
              vi *to = &sum[r][halves == 2 ? v / 4 : 0];

              *to = dot_codes (bits, *to, c, four_at (at + 4 * v));
            }
        }
      s = scales_of (type, scales, b % PACK_BLOCKS, part);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        {
          const gsize at = (first + (gsize) r) * blocks + b;

          for (int h = 0; h < halves; h++)
            acc[r] = vfma (as_floats (sum[r][h]), s.d[h] * vset (x->step[at]), acc[r]);
          if (has_minimum (type))
            acc[r] = vfma (s.m, vset (x->sum[at]), acc[r]);
        }
    }
}

INLINE void
vector_panel (LmType type, const LmCpuRounded *x, gsize first, const int rows, const guint8 *panel,
              gsize col, const LmMat *out, float beta)
{
  for (gsize part = 0; part < PACK_COLS; part += W)
    {
      vf acc[VECTOR_ROWS];

      vector_columns (type, x, first, rows, panel, part, acc);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        put_columns (out, beta, first + (gsize) r, col + part, acc[r]);
    }
}

INLINE void
vectors (LmType type, const LmCpuRounded *x, const LmPackedProduct *p, gsize row, gsize to_row,
         gsize from, gsize to)
{
  const gsize step = lm_packed_panel_bytes (type, p->weight->cols);

  for (gsize i = from; i < to; i++)
    {
      const guint8 *panel = (const guint8 *) p->weight->data + i * step;

      for (gsize r = row; r < to_row;)
#if VECTOR_ROWS == 8
        if (to_row - r >= 8)
          {
            vector_panel (type, x, r, 8, panel, i * PACK_COLS, &p->out, p->beta);
            r += 8;
          }
        else
#endif
            if (to_row - r >= 4)
          {
            vector_panel (type, x, r, 4, panel, i * PACK_COLS, &p->out, p->beta);
            r += 4;
          }
        else if (to_row - r >= 2)
          {
            vector_panel (type, x, r, 2, panel, i * PACK_COLS, &p->out, p->beta);
            r += 2;
          }
        else
          vector_panel (type, x, r++, 1, panel, i * PACK_COLS, &p->out, p->beta);
    }
}

/* ---- many rows, by AMX --------------------------------------------------------------------- */

#if HAVE_AMX_INT8
#include "compute/cpu/int8-amx.h"
#else
#define AMX_LEAST_ROWS G_MAXSIZE

static gsize
amx_bytes (gsize cols)
{
  (void) cols;
  return 0;
}

INLINE void
amx (LmType type, const LmCpuRounded *x, const LmPackedProduct *p, gsize row, gsize to_row,
     gsize from, gsize to, gpointer workspace)
{
  (void) workspace;
  vectors (type, x, p, row, to_row, from, to);
}
#endif

static gsize
bytes (gsize rows, gsize cols)
{
  return rows >= AMX_LEAST_ROWS ? amx_bytes (cols) : 0;
}

static void
product (const LmCpuRounded *x, const LmPackedProduct *p, gsize row, gsize to_row, gsize from,
         gsize to, gpointer workspace)
{
#define OF(type)                                                                                   \
  case type:                                                                                       \
    if (to_row - row >= AMX_LEAST_ROWS)                                                            \
      amx (type, x, p, row, to_row, from, to, workspace);                                          \
    else                                                                                           \
      vectors (type, x, p, row, to_row, from, to);                                                 \
    break;
  switch (p->weight->type)
    {
      OF (LM_Q4_0)
      OF (LM_Q4_1)
      OF (LM_Q5_0)
      OF (LM_Q5_1)
      OF (LM_Q8_0)
      OF (LM_Q4_K)
      OF (LM_Q5_K)
      OF (LM_Q6_K)
    default:
      g_assert_not_reached ();
    }
#undef OF
}

const LmCpuInt8 LM_CPU_TABLE (lm_cpu_int8) = {
  .round = round_rows,
  .bytes = bytes,
  .product = product,
};
