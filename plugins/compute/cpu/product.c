/* SPDX-License-Identifier: Apache-2.0 */
/* product.c: products that are bound by reading, for one instruction set (kernels.h). */
#include "config.h"

#include "compute/cpu/kernels.h"
#include "compute/cpu/tile.h"
#include "compute/cpu/unpack.h"
#include "lm/simd.h"

/* ---- few rows times a stored weight ------------------------------------------------- */

/* out[row][col] = alpha * x + beta * out[row][col] */
INLINE void
put (const LmCpuProduct *p, gsize row, gsize col, float x)
{
  const gsize at = row * p->out.stride + col;

  x *= p->alpha;
  if (p->out.type == LM_BF16)
    {
      guint16 *o = (guint16 *) p->out.data + at;

      *o = lm_float_to_bf16 (p->beta != 0 ? lm_bf16_to_float (*o) + x : x);
    }
  else
    {
      float *o = (float *) p->out.data + at;

      *o = p->beta != 0 ? *o + x : x;
    }
}

#define DOT_ROWS 8
#define PARTS (32 / W) /* vectors of 32 numbers */

/* 32 numbers of a weight, at @i, into the sums of @rows rows of x. */
INLINE void
dot_32 (LmType type, const char *weight, gsize i, int part, gsize n, const float *x, gsize stride,
        const int rows, vf sum[DOT_ROWS][2])
{
  vf w[PARTS];

  if (type == LM_F32 || type == LM_BF16 || type == LM_F16)
    for (int k = 0; k < PARTS; k++)
      w[k] = i + k * W < n ? unpack_plain (type, weight, i + k * W, n) : (vf){};
  else
    unpack32 (type, weight, i / UNPACK_BLOCK (type), part, w);
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++)
      sum[r][k % 2] = vfma (w[k], vload (x + r * stride + i + part * 32 + k * W), sum[r][k % 2]);
}

/* One column of out, @rows rows of x from @first on. */
INLINE void
dot_column (LmType type, const LmCpuProduct *p, const float *x, gsize stride, gsize col,
            gsize first, const int rows)
{
  const char *weight
      = (const char *) p->b.data + p->b.stride / lm_types[type].block * lm_types[type].bytes * col;
  const gsize n = p->b.cols;
  vf sum[DOT_ROWS][2];

  x += first * stride;
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
    sum[r][0] = sum[r][1] = (vf){};
  for (gsize i = 0; i < n; i += UNPACK_BLOCK (type))
    {
      dot_32 (type, weight, i, 0, n, x, stride, rows, sum);
      if (UNPACK_BLOCK (type) > 32 && rows > 1) /* unpacking is shared by rows */
        for (int part = 1; part < 8; part++)
          dot_32 (type, weight, i, part, n, x, stride, rows, sum);
      else if (UNPACK_BLOCK (type) > 32)
        {
          dot_32 (type, weight, i, 1, n, x, stride, rows, sum);
          dot_32 (type, weight, i, 2, n, x, stride, rows, sum);
          dot_32 (type, weight, i, 3, n, x, stride, rows, sum);
          dot_32 (type, weight, i, 4, n, x, stride, rows, sum);
          dot_32 (type, weight, i, 5, n, x, stride, rows, sum);
          dot_32 (type, weight, i, 6, n, x, stride, rows, sum);
          dot_32 (type, weight, i, 7, n, x, stride, rows, sum);
        }
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
    put (p, first + r, col, vsum (sum[r][0] + sum[r][1]));
}

INLINE void
dot_typed (LmType type, const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to)
{
  const gsize rows = p->a.rows;

  for (gsize col = from; col < to; col++)
    for (gsize r = 0; r < rows;)
      if (rows - r >= 8)
        {
          dot_column (type, p, x, stride, col, r, 8);
          r += 8;
        }
      else if (rows - r >= 4)
        {
          dot_column (type, p, x, stride, col, r, 4);
          r += 4;
        }
      else
        dot_column (type, p, x, stride, col, r++, 1);
}

#if HAVE_DPBF16
#define PAIR_ROWS 8
#define PAIR_COLS 2 /* share what is read of x */

/* 32 numbers of a weight as BF16. */
INLINE vf
weight_pairs (LmType type, const char *weight, gsize i, int part, gsize n)
{
  vf w[2];

  if (type == LM_BF16)
    return n - i >= 32
               ? vload ((const guint16 *) (gconstpointer) weight + i)
               : (vf) _mm512_maskz_loadu_epi16 ((__mmask32) ((1ull << (n - i)) - 1),
                                                (const guint16 *) (gconstpointer) weight + i);
  if (type == LM_F32 || type == LM_F16)
    for (int k = 0; k < 2; k++)
      w[k] = i + k * W < n ? unpack_plain (type, weight, i + k * W, n) : (vf){};
  else
    unpack32 (type, weight, i / UNPACK_BLOCK (type), part, w);
  return (vf) _mm512_cvtne2ps_pbh (w[1], w[0]);
}

/* PAIR_COLS columns of out, @rows rows of x, of which the last may stand for none. */
INLINE void
pair_columns (LmType type, const LmCpuProduct *p, const float *x, gsize stride, gsize col,
              gsize first, const int rows)
{
  const gsize step = p->b.stride / lm_types[type].block * lm_types[type].bytes, n = p->b.cols;
  const char *weight[PAIR_COLS];
  vf sum[PAIR_COLS][PAIR_ROWS];

  x += first * stride;
  for (gsize c = 0; c < PAIR_COLS; c++)
    weight[c] = (const char *) p->b.data + step * MIN (col + c, p->b.rows - 1);
#pragma GCC unroll 8
  for (int c = 0; c < PAIR_COLS; c++)
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
      sum[c][r] = (vf){};
  for (gsize i = 0; i < n; i += UNPACK_BLOCK (type))
    for (int part = 0; part < (int) UNPACK_BLOCK (type) / 32; part++)
      {
        vf w[PAIR_COLS];

#pragma GCC unroll 8
        for (int c = 0; c < PAIR_COLS; c++)
          w[c] = weight_pairs (type, weight[c], i, part, n);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
          {
            vf v = vload (x + (gsize) r * stride + (i + (gsize) part * 32) / 2);

#pragma GCC unroll 8
            for (int c = 0; c < PAIR_COLS; c++)
              sum[c][r] = word_product (v, w[c], sum[c][r], TRUE);
          }
      }
#pragma GCC unroll 8
  for (int c = 0; c < PAIR_COLS; c++)
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
      if (col + (gsize) c < p->out.cols && first + (gsize) r < p->out.rows)
        put (p, first + (gsize) r, col + (gsize) c, vsum (sum[c][r]));
}

INLINE void
pairs_typed (LmType type, const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to)
{
  LmCpuProduct part = *p;

  part.out.cols = to;
  for (gsize col = from; col < to; col += PAIR_COLS)
    for (gsize r = 0; r < p->a.rows;)
      if (p->a.rows - r > 4)
        {
          pair_columns (type, &part, x, stride, col, r, 8);
          r += 8;
        }
      else
        {
          pair_columns (type, &part, x, stride, col, r, 4);
          r += 4;
        }
}

/* As dot(), x being BF16 in pairs, with zeros up to a multiple of 32 numbers and of 8 rows. */
static void
dot_pairs (const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to)
{
#define OF(type)                                                                                   \
  case type:                                                                                       \
    pairs_typed (type, p, x, stride, from, to);                                                    \
    break;
  switch (p->b.type)
    {
      UNPACK_TYPES (OF)
    default:
      g_assert_not_reached ();
    }
#undef OF
}
#endif

static void
dot (const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to)
{
#define OF(type)                                                                                   \
  case type:                                                                                       \
    dot_typed (type, p, x, stride, from, to);                                                      \
    break;
  switch (p->b.type)
    {
      UNPACK_TYPES (OF)
    default:
      g_assert_not_reached ();
    }
#undef OF
}

/* ---- many rows; the inner dimension or the other outer one small -------------------- */

#define ROWS 24 /* of a at a time */

static gboolean
in_pairs (const LmCpuProduct *p)
{
  return HAVE_DPBF16 && p->a.type == LM_BF16;
}

static gsize
depth_of (const LmCpuProduct *p)
{
  return words (p->a.cols, in_pairs (p));
}

static gsize
pack_bytes (const LmCpuProduct *p)
{
  return whole (p->out.cols, PANEL) * depth_of (p) * sizeof (float);
}

/* Panels [from, to). */
static void
pack (const LmCpuProduct *p, gpointer packed, gsize from, gsize to)
{
  const gsize depth = depth_of (p), first = from * PANEL;
  const gsize cols = MIN (to * PANEL, p->out.cols) - first;
  const char *b = p->b.data;
  float *panels = (float *) packed + first * depth;

  if (p->tb)
    {
      g_autofree float *line = g_new (float, depth);

      columns_to_panels (p->b.type, in_pairs (p), b + first * row_bytes (&p->b), row_bytes (&p->b),
                         cols, p->b.cols, depth, W, line, panels);
    }
  else
    rows_to_panels (p->b.type, in_pairs (p), b + first * (p->b.type == LM_BF16 ? 2 : 4),
                    row_bytes (&p->b), p->b.rows, cols, depth, 1 + in_pairs (p), panels);
}

static gsize
rows_bytes (const LmCpuProduct *p)
{
  return ROWS * (depth_of (p) + whole (p->out.cols, W) + 32) * sizeof (float);
}

INLINE void
put_row (LmType type, const LmCpuProduct *p, gsize row, const float *x)
{
  const gsize n = p->out.cols;
  char *out = (char *) p->out.data + row * row_bytes (&p->out);

  for (gsize i = 0; i < n; i += W)
    {
      vf v = vget (LM_F32, x, i, n) * p->alpha;

      vput (type, out, i, n, p->beta != 0 ? v + vget (type, out, i, n) : v);
    }
}

static void
rows (const LmCpuProduct *p, gconstpointer packed, gsize from, gsize to, gpointer workspace)
{
  const gboolean pairs = in_pairs (p);
  const gsize depth = depth_of (p), ldc = whole (p->out.cols, W);
  char *at = workspace;
  float *a = take (&at, ROWS * depth), *c = take (&at, ROWS * ldc);

  for (gsize i = from, n; i < to; i += n)
    {
      n = MIN (ROWS, to - i);
      rows_to_words (p->a.type, pairs, (const char *) p->a.data + i * row_bytes (&p->a),
                     row_bytes (&p->a), n, p->a.cols, depth, a);
      tile_panels (NULL, c, ldc, a, depth, 1, packed, depth, depth, n, p->out.cols, FALSE, pairs);
      for (gsize r = 0; r < n; r++)
        if (p->out.type == LM_BF16)
          put_row (LM_BF16, p, i + r, c + r * ldc);
        else
          put_row (LM_F32, p, i + r, c + r * ldc);
    }
}

/* ---- sums over many rows: aᵀ b, one of them narrow ------------------------------------ */

#define STRETCH 256 /* rows of a and b at a time */

typedef struct
{
  gboolean pairs;
  const LmMat *narrow, *wide;
  float *a, *b, *c;
} Inner;

static gsize
inner_lay (const LmCpuProduct *p, gboolean swap, gsize cols, char *at, Inner *s)
{
  char *const begin = at;

  s->pairs = HAVE_DPBF16 && p->a.type == LM_BF16 && p->b.type == LM_BF16;
  s->narrow = swap ? &p->b : &p->a;
  s->wide = swap ? &p->a : &p->b;
  s->a = take (&at, words (STRETCH, s->pairs) * whole (s->narrow->cols, PANEL));
  s->b = take (&at, words (STRETCH, s->pairs) * PANEL);
  s->c = take (&at, s->narrow->cols * whole (cols, PANEL));
  return (gsize) (at - begin);
}

static gsize
inner_bytes (const LmCpuProduct *p)
{
  const gboolean swap = p->out.cols < p->out.rows;
  Inner s;

  return inner_lay (p, swap, swap ? p->out.rows : p->out.cols, NULL, &s);
}

static void
inner (const LmCpuProduct *p, gboolean swap, gsize from, gsize to, gpointer workspace)
{
  const gsize cols = to - from, ldc = whole (cols, PANEL);
  Inner s;

  inner_lay (p, swap, cols, workspace, &s);
  memset (s.c, 0, s.narrow->cols * ldc * sizeof *s.c);
  for (gsize t = 0; t < s.wide->rows; t += STRETCH)
    {
      const gsize n = MIN (STRETCH, s.wide->rows - t), deep = words (n, s.pairs);
      const char *a = (const char *) s.narrow->data + t * row_bytes (s.narrow);
      const char *b = (const char *) s.wide->data + t * row_bytes (s.wide);

      rows_to_panels (s.narrow->type, s.pairs, a, row_bytes (s.narrow), n, s.narrow->cols,
                      words (STRETCH, s.pairs), 1 + s.pairs, s.a);
      for (gsize j = 0; j < cols; j += PANEL)
        {
          const gsize wide = MIN (PANEL, cols - j);

          rows_to_panels (s.wide->type, s.pairs, b + (from + j) * (s.wide->type == LM_BF16 ? 2 : 4),
                          row_bytes (s.wide), n, wide, words (STRETCH, s.pairs), 1 + s.pairs, s.b);
          for (gsize r = 0; r < s.narrow->cols; r += PANEL)
            tile_panels (NULL, s.c + r * ldc + j, ldc, s.a + r * words (STRETCH, s.pairs), 1, PANEL,
                         s.b, words (STRETCH, s.pairs), deep, MIN (PANEL, s.narrow->cols - r), wide,
                         TRUE, s.pairs);
        }
    }
  for (gsize r = 0; r < s.narrow->cols; r++)
    for (gsize j = 0; j < cols; j++)
      if (swap)
        put (p, from + j, r, s.c[r * ldc + j]);
      else
        put (p, r, from + j, s.c[r * ldc + j]);
}

const LmCpuProducts LM_CPU_TABLE (lm_cpu_products) = {
  .dot = dot,
#if HAVE_DPBF16
  .dot_pairs = dot_pairs,
#endif
  .panel = PANEL,
  .pack_bytes = pack_bytes,
  .pack = pack,
  .rows_bytes = rows_bytes,
  .rows = rows,
  .inner_bytes = inner_bytes,
  .inner = inner,
};
