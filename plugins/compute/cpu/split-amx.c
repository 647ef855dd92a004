/* SPDX-License-Identifier: Apache-2.0 */
/* split-amx.c: products of F32 and BF16 by AMX's tiles of BF16 (split.c), for one thread.
 *
 * A float has 24 bits, a BF16 number 8 and the same exponents.  So x = x0 + x1 + x2, each the
 * nearest BF16 number to what is left, and of the nine products of two such sums the six largest
 * are added,
 *
 *   x y = x2 y0 + x1 y0 + x1 y1 + x0 y1 + x0 y2 + x0 y0
 *
 * for x1 y2 and what follows is at most 2^-24 of x y, half of a float's last bit, and mostly far
 * less. A BF16 number is its own first part: if y is one there are three, if both are, one.
 * TDPBF16PS sums 32 products from zero before it adds them to a sum, which so is rounded less often
 * than one made number by number.
 *
 * Follows Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
 * Higher-Precision Computations" (ARITH 2019, arXiv:1904.06376), and Intel, "Architecture
 * Instruction Set Extensions Programming Reference", chapter on AMX.
 *
 * What is lost: AMX takes numbers below 2^-126 for zero and makes none, parts of numbers and
 * products of parts among them; each may cost a product 2^-126 times its other factor, or once
 * 2^-126.  What is not finite, or so large that its nearest BF16 number is not, makes sums that are
 * not finite.  Those sums are made again in double from the numbers themselves, as the reference
 * makes them.
 *
 * A "line" is a row of op(a) or a column of op(b).  Packed, 32 lines are a block: for each 32 of
 * the inner dimension, for each part, two tiles of 16 lines; tiles of a hold lines, those of b
 * their transpose.  A word of a tile holds the numbers k and k + 16 of a line, so that packing
 * shuffles nothing; beyond the edges all is 0.
 */
#include "config.h"

#include <math.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/tile-config.h"
#include "compute/cpu/transpose.h"

#define BLOCK LM_CPU_SPLIT_LINES
#define STEP LM_CPU_SPLIT_STEP
#define HALF (BLOCK / 2)
#define TILE_BYTES 1024
#define PART_BYTES (2 * TILE_BYTES)
#define HIGH_HALF 0xffff0000u

/* ---- packing ------------------------------------------------------------------------------- */

/* An operand as it lies. @along: its rows are lines; @turn: tiles hold its transpose. */
typedef struct
{
  const LmMat *m;
  gboolean along, turn;
} Operand;

/* 16 numbers of a row of the matrix from column @col on; zeros beyond its edges. */
INLINE vf
numbers (LmType type, const LmMat *m, gsize row, gsize col)
{
  const gsize bytes = type == LM_BF16 ? 2 : 4;

  if (row >= m->rows || col >= m->cols)
    return (vf){};
  return vget (type, (const char *) m->data + row * m->stride * bytes, col, m->cols);
}

/* The nearest BF16 number, as F32; of two the larger. */
INLINE vf
nearest (vf x)
{
  return (vf) (((vu) x + 0x8000u) & HIGH_HALF);
}

/* All parts of words of two numbers each, a part's @PART_BYTES behind another's. */
INLINE void
put_words (vf low, vf high, const int parts, char *to)
{
#pragma GCC unroll 3
  for (int i = 0; i < parts; i++, to += PART_BYTES)
    {
      const vf l = i < parts - 1 ? nearest (low) : low, h = i < parts - 1 ? nearest (high) : high;

      vstore (to, (vf) ((vu) l >> 16 | ((vu) h & HIGH_HALF)));
      low -= l;
      high -= h;
    }
}

/* Words of row @t of a tile before it is turned: @along, of line @line + @t, from @k on; else of 16
 * lines, @k + @t and @k + @t + 16. */
INLINE void
pack_row (LmType type, const Operand *o, gboolean along, gsize line, gsize k, gsize t, char *to)
{
  const vf low = along ? numbers (type, o->m, line + t, k) : numbers (type, o->m, k + t, line);
  const vf high
      = along ? numbers (type, o->m, line + t, k + 16) : numbers (type, o->m, k + 16 + t, line);

  put_words (low, high, lm_cpu_split_parts (type), to);
}

/* Numbers of one part: words are turned, which are half as many. */
INLINE void
pack_turned_words (const Operand *o, gboolean along, gsize line, gsize k, char *to)
{
  float words[16][16] __attribute__ ((aligned (64)));

  for (gsize t = 0; t < 16; t++)
    pack_row (LM_BF16, o, along, line, k, t, (char *) words[t]);
  transpose_words (words[0], 16, 16, (float *) to);
}

INLINE void
pack_turned_numbers (const Operand *o, gboolean along, gsize line, gsize k, char *to)
{
  float turned[2][HALF][16] __attribute__ ((aligned (64)));

  for (gsize h = 0; h < 2; h++)
    {
      float lines[16][16] __attribute__ ((aligned (64)));

      for (gsize t = 0; t < 16; t++)
        vstore (lines[t], along ? numbers (LM_F32, o->m, line + t, k + 16 * h)
                                : numbers (LM_F32, o->m, k + 16 * h + t, line));
      transpose_words (lines[0], 16, 16, turned[h][0]);
    }
  for (gsize t = 0; t < 16; t++)
    put_words (vload (turned[0][t]), vload (turned[1][t]), 3, to + 64 * t);
}

/* 16 lines from @line on, 32 of each from @k on. */
INLINE void
pack_half (LmType type, const Operand *o, gboolean along, gboolean turn, gsize line, gsize k,
           char *to)
{
  if (turn && type == LM_BF16)
    pack_turned_words (o, along, line, k, to);
  else if (turn)
    pack_turned_numbers (o, along, line, k, to);
  else
    for (gsize t = 0; t < 16; t++)
      pack_row (type, o, along, line, k, t, to + 64 * t);
}

INLINE void
pack_step (LmType type, const Operand *o, gboolean along, gboolean turn, gsize line, gsize k,
           char *to)
{
  pack_half (type, o, along, turn, line, k, to);
  pack_half (type, o, along, turn, line + HALF, k, to + TILE_BYTES);
}

/* The same stretch of the lines behind a block: they come while it is packed. */
INLINE void
expect_lines (LmType type, const Operand *o, gsize line, gsize k)
{
  const gsize bytes = type == LM_BF16 ? 2 : 4;

  if (line + BLOCK <= o->m->rows)
    for (gsize t = 0; t < BLOCK; t++)
      for (gsize i = 0; i < STEP; i += 64 / bytes)
        __builtin_prefetch ((const char *) o->m->data
                            + ((line + t) * o->m->stride + k + i) * bytes);
}

/* Rows of the matrix are read from their beginning to their end: where they are lines a block at a
 * time, else of all blocks at once. */
INLINE void
pack_typed (LmType type, const Operand *o, gboolean along, gboolean turn, gsize line, gsize n,
            gsize k, gsize depth, char *to)
{
  const gsize step = (gsize) lm_cpu_split_parts (type) * PART_BYTES, block = step / STEP * depth;

  if (along)
    for (gsize b = 0; b < n; b++)
      for (gsize i = 0; i < depth / STEP; i++)
        {
          expect_lines (type, o, line + (b + 1) * BLOCK, k + i * STEP);
          pack_step (type, o, along, turn, line + b * BLOCK, k + i * STEP,
                     to + b * block + i * step);
        }
  else
    for (gsize i = 0; i < depth / STEP; i++)
      for (gsize b = 0; b < n; b++)
        pack_step (type, o, along, turn, line + b * BLOCK, k + i * STEP, to + b * block + i * step);
}

INLINE void
pack_any (LmType type, const Operand *o, gsize line, gsize n, gsize k, gsize depth, char *to)
{
  if (o->along && o->turn)
    pack_typed (type, o, TRUE, TRUE, line, n, k, depth, to);
  else if (o->along)
    pack_typed (type, o, TRUE, FALSE, line, n, k, depth, to);
  else if (o->turn)
    pack_typed (type, o, FALSE, TRUE, line, n, k, depth, to);
  else
    pack_typed (type, o, FALSE, FALSE, line, n, k, depth, to);
}

static void
pack_operand (const Operand *o, gsize line, gsize n, gsize k, gsize depth, gpointer packed)
{
  if (o->m->type == LM_BF16)
    pack_any (LM_BF16, o, line, n, k, depth, packed);
  else
    pack_any (LM_F32, o, line, n, k, depth, packed);
}

static void
pack_a (const LmCpuProduct *p, gsize line, gsize n, gsize k, gsize depth, gpointer packed)
{
  const Operand o = { &p->a, !p->ta, p->ta };

  pack_operand (&o, line, n, k, depth, packed);
}

static void
pack_b (const LmCpuProduct *p, gsize line, gsize n, gsize k, gsize depth, gpointer packed)
{
  const Operand o = { &p->b, p->tb, p->tb };

  pack_operand (&o, line, n, k, depth, packed);
}

/* ---- sums ---------------------------------------------------------------------------------- */

#define LOAD_A(part)                                                                               \
  _tile_loadd (4, a + PART_BYTES * (part), 64);                                                    \
  _tile_loadd (5, a + PART_BYTES * (part) + TILE_BYTES, 64)
#define LOAD_B(part)                                                                               \
  _tile_loadd (6, b + PART_BYTES * (part), 64);                                                    \
  _tile_loadd (7, b + PART_BYTES * (part) + TILE_BYTES, 64)
#define MULTIPLY                                                                                   \
  _tile_dpbf16ps (0, 4, 6);                                                                        \
  _tile_dpbf16ps (1, 4, 7);                                                                        \
  _tile_dpbf16ps (2, 5, 6);                                                                        \
  _tile_dpbf16ps (3, 5, 7)

/* One part by one: as many tiles are read as multiplied, so reading must not wait for multiplying.
 */
INLINE void
multiply_ones (const char *a, const char *b)
{
  for (guint i = 0; i < PART_BYTES; i += 64)
    __builtin_prefetch (b + 2 * PART_BYTES + i);
  _tile_loadd (6, b, 64);
  _tile_loadd (4, a, 64);
  _tile_dpbf16ps (0, 4, 6);
  _tile_loadd (5, a + TILE_BYTES, 64);
  _tile_dpbf16ps (2, 5, 6);
  _tile_loadd (7, b + TILE_BYTES, 64);
  _tile_dpbf16ps (1, 4, 7);
  _tile_dpbf16ps (3, 5, 7);
}

/* sums [32][32] = a block of a by a block of b. */
INLINE void
sum_block (const char *a, const char *b, gsize steps, const int a_parts, const int b_parts,
           float *sums)
{
  _tile_zero (0);
  _tile_zero (1);
  _tile_zero (2);
  _tile_zero (3);
  for (; steps > 0; steps--, a += a_parts * PART_BYTES, b += b_parts * PART_BYTES)
    {
      if (a_parts == 1)
        {
          multiply_ones (a, b);
          continue;
        }
      LOAD_A (2);
      LOAD_B (0);
      MULTIPLY;
      LOAD_A (1);
      MULTIPLY;
      if (b_parts == 3)
        {
          LOAD_B (1);
          MULTIPLY;
        }
      LOAD_A (0);
      MULTIPLY;
      if (b_parts == 3)
        {
          LOAD_B (2);
          MULTIPLY;
          LOAD_B (0);
          MULTIPLY;
        }
    }
  _tile_stored (0, sums, 4 * BLOCK);
  _tile_stored (1, sums + HALF, 4 * BLOCK);
  _tile_stored (2, sums + HALF * BLOCK, 4 * BLOCK);
  _tile_stored (3, sums + HALF * BLOCK + HALF, 4 * BLOCK);
}

/* ---- what is not finite -------------------------------------------------------------------- */

/* What a block is made of: rows and columns of the output, and a stretch of the inner dimension. */
typedef struct
{
  gsize row, rows, col, cols, k, depth;
} Place;

static float
number_of (const LmMat *m, gboolean transposed, gsize line, gsize k)
{
  const gsize at = transposed ? k * m->stride + line : line * m->stride + k;

  return m->type == LM_BF16 ? lm_bf16_to_float (((const guint16 *) m->data)[at])
                            : ((const float *) m->data)[at];
}

/* Which lines hold a NaN: all their sums are NaN. */
static void
find_nan (const LmMat *m, gboolean transposed, gsize line, gsize lines, const Place *at,
          gboolean *found)
{
  for (gsize i = 0; i < lines; i++)
    {
      found[i] = FALSE;
      for (gsize k = 0; k < at->depth && !found[i]; k++)
        found[i] = isnan (number_of (m, transposed, line + i, at->k + k));
    }
}

static double
sum_again (const LmCpuProduct *p, const Place *at, gsize row, gsize col)
{
  double sum = 0;

  for (gsize k = 0; k < at->depth; k++)
    sum += (double) number_of (&p->a, p->ta, at->row + row, at->k + k)
           * number_of (&p->b, !p->tb, at->col + col, at->k + k);
  return sum;
}

static void
mend (const LmCpuProduct *p, const Place *at, float *sums)
{
  gboolean a[BLOCK], b[BLOCK];

  find_nan (&p->a, p->ta, at->row, at->rows, at, a);
  find_nan (&p->b, !p->tb, at->col, at->cols, at, b);
  for (gsize r = 0; r < at->rows; r++)
    for (gsize j = 0; j < at->cols; j++)
      if (!isfinite (sums[r * BLOCK + j]))
        sums[r * BLOCK + j] = a[r] || b[j] ? NAN : (float) sum_again (p, at, r, j);
}

static gboolean
all_finite (const float *sums)
{
  vi broken = {};

  for (gsize i = 0; i < BLOCK * BLOCK; i += W)
    broken |= ((vi) vload (sums + i) & 0x7f800000) == 0x7f800000;
  return _mm512_test_epi32_mask ((__m512i) broken, (__m512i) broken) == 0;
}

/* ---- the product --------------------------------------------------------------------------- */

INLINE void
put_rows (LmType type, const LmCpuProduct *p, const Place *at, float beta, const float *sums)
{
  const gsize bytes = type == LM_BF16 ? 2 : 4;

  for (gsize r = 0; r < at->rows; r++, sums += BLOCK)
    {
      char *out = (char *) p->out.data + (at->row + r) * p->out.stride * bytes + at->col * bytes;

      for (gsize i = 0; i < at->cols; i += W)
        {
          vf x = vload (sums + i) * p->alpha;

          vput (type, out, i, at->cols, beta != 0 ? x + vget (type, out, i, at->cols) : x);
        }
    }
}

static void
put_block (const LmCpuProduct *p, const Place *at, float *sums)
{
  /* After the first stretch of the inner dimension the others add. */
  const float beta = at->k == 0 ? p->beta : 1;

  if (G_UNLIKELY (!all_finite (sums)))
    mend (p, at, sums);
  if (p->out.type == LM_BF16)
    put_rows (LM_BF16, p, at, beta, sums);
  else
    put_rows (LM_F32, p, at, beta, sums);
}

/* The lines of the output that a block will be written to: they come while it is summed. */
INLINE void
expect_block (const LmCpuProduct *p, const Place *at)
{
  const gsize bytes = p->out.type == LM_BF16 ? 2 : 4;
  const char *out = (const char *) p->out.data + (at->row * p->out.stride + at->col) * bytes;

  for (gsize r = 0; r < at->rows; r++, out += p->out.stride * bytes)
    {
      __builtin_prefetch (out, 1);
      __builtin_prefetch (out + at->cols * bytes - 1, 1);
    }
}

INLINE void
multiply_block (const LmCpuSplitPart *part, const Place *at, const char *a, const char *b,
                const int a_parts, const int b_parts)
{
  float sums[BLOCK * BLOCK] __attribute__ ((aligned (64)));

  expect_block (part->p, at);
  sum_block (a, b, part->depth / STEP, a_parts, b_parts, sums);
  AMX_WRITTEN ();
  put_block (part->p, at, sums);
}

/* Blocks of the shorter side go round for each of the longer. */
INLINE void
multiply_typed (const LmCpuSplitPart *part, const int a_parts, const int b_parts)
{
  const LmCpuProduct *p = part->p;
  const gsize a_block = (gsize) a_parts * PART_BYTES / STEP * part->depth;
  const gsize b_block = (gsize) b_parts * PART_BYTES / STEP * part->depth;
  const gsize inner = p->ta ? p->a.rows : p->a.cols;
  const gsize rows = (part->rows + BLOCK - 1) / BLOCK, cols = (part->cols + BLOCK - 1) / BLOCK;
  const gboolean rows_first = rows > cols;

  for (gsize i = 0; i < rows * cols; i++)
    {
      const gsize row = rows_first ? i / cols : i % rows, col = rows_first ? i % cols : i / rows;
      Place at = { .row = part->row + row * BLOCK, .col = part->col + col * BLOCK, .k = part->k };

      at.rows = MIN (BLOCK, p->out.rows - at.row);
      at.cols = MIN (BLOCK, p->out.cols - at.col);
      at.depth = MIN (part->depth, inner - part->k);
      multiply_block (part, &at, (const char *) part->a + row * a_block,
                      (const char *) part->b + col * b_block, a_parts, b_parts);
    }
}

static void
multiply (const LmCpuSplitPart *part)
{
  AmxConfig config = { .palette = 1 };

  for (guint t = 0; t < 8; t++)
    {
      config.row_bytes[t] = 64;
      config.rows[t] = 16;
    }
  amx_load_config (&config);
  AMX_WRITTEN ();
  if (part->p->a.type == LM_BF16)
    multiply_typed (part, 1, 1);
  else if (part->p->b.type == LM_BF16)
    multiply_typed (part, 3, 1);
  else
    multiply_typed (part, 3, 3);
  _tile_release ();
}

const LmCpuSplit LM_CPU_TABLE (lm_cpu_split) = {
  .pack_a = pack_a,
  .pack_b = pack_b,
  .multiply = multiply,
};
