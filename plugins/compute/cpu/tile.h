/* SPDX-License-Identifier: Apache-2.0 */
/* tile.h: the product of a few rows with a packed panel, all in registers.
 *
 * Operands are 32-bit words: a float, or with `pairs` two bfloat16 that stand
 * next to each other in the inner dimension, which AVX512-BF16 multiplies and
 * adds to a float (VDPBF16PS).  So both kinds are the same loop:
 *
 *   c[r][j] (+)= sum over k of a[r * rs + k * cs] * b[k * PANEL + j]
 *
 * b is packed in panels of PANEL columns: all k of the first, then of the next.
 * Anatomy: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
 */
#ifndef FLOWRUN_COMPUTE_CPU_TILE_H
#define FLOWRUN_COMPUTE_CPU_TILE_H

#include "lm/compute.h"
#include "lm/simd.h"

#define TILE_ROWS 6
#if W == 16
#define TILE_VECTORS 4 /* 24 sums in 32 registers */
#else
#define TILE_VECTORS 2 /* 12 in 16 */
#endif
#define PANEL (TILE_VECTORS * W)

INLINE vf
word_product (vf a, vf b, vf sum, gboolean pairs)
{
#if HAVE_DPBF16
  if (pairs)
    return _mm512_dpbf16_ps (sum, (__m512bh) a, (__m512bh) b);
#endif
  (void) pairs;
  return vfma (a, b, sum);
}

/* A word in every lane; moved as bits, for two bfloat16 are no float. */
INLINE vf
word_at (const float *p)
{
  gint32 bits;

  memcpy (&bits, p, sizeof bits);
#if W == 16
  return (vf) _mm512_set1_epi32 (bits);
#elif W == 8
  return (vf) _mm256_set1_epi32 (bits);
#else
  return (vf) (vi){ bits, bits, bits, bits };
#endif
}

INLINE void
tile_fixed (float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b, gsize k,
            const int rows, const int vectors, gboolean add, gboolean pairs)
{
  vf sum[TILE_ROWS][TILE_VECTORS];

#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++)
      sum[r][v] = (vf){};
  if (add)
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; v++)
        sum[r][v] = vload (c + r * ldc + v * W);
  for (; k > 0; k--, a += cs, b += PANEL)
    {
      vf bv[TILE_VECTORS];

#pragma GCC unroll 8
      for (int v = 0; v < vectors; v++)
        bv[v] = vload (b + v * W);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        {
          vf av = word_at (a + r * rs);

#pragma GCC unroll 8
          for (int v = 0; v < vectors; v++)
            sum[r][v] = word_product (av, bv[v], sum[r][v], pairs);
        }
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++)
      vstore (c + r * ldc + v * W, sum[r][v]);
}

INLINE void
tile_rows (float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b, gsize k,
           gsize rows, const int vectors, gboolean add, gboolean pairs)
{
  switch (rows)
    {
    case 6:
      tile_fixed (c, ldc, a, rs, cs, b, k, 6, vectors, add, pairs);
      break;
    case 4:
      tile_fixed (c, ldc, a, rs, cs, b, k, 4, vectors, add, pairs);
      break;
    case 2:
      tile_fixed (c, ldc, a, rs, cs, b, k, 2, vectors, add, pairs);
      break;
    default:
      tile_fixed (c, ldc, a, rs, cs, b, k, 1, vectors, add, pairs);
    }
}

/* One panel, of @cols columns rounded up to whole vectors; @rows as few_rows() says. */
INLINE void
tile_typed (float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b, gsize k,
            gsize rows, gsize cols, gboolean add, gboolean pairs)
{
  switch ((cols + W - 1) / W)
    {
    case 1:
      tile_rows (c, ldc, a, rs, cs, b, k, rows, 1, add, pairs);
      break;
#if TILE_VECTORS == 4
    case 2:
      tile_rows (c, ldc, a, rs, cs, b, k, rows, 2, add, pairs);
      break;
    case 3:
      tile_rows (c, ldc, a, rs, cs, b, k, rows, 3, add, pairs);
      break;
#endif
    default:
      tile_rows (c, ldc, a, rs, cs, b, k, rows, TILE_VECTORS, add, pairs);
    }
}

/* How many of @rows go at once: 6, 4, 2 or 1. */
INLINE gsize
few_rows (gsize rows)
{
  return rows >= TILE_ROWS ? TILE_ROWS : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
}

/* Tiles: rows and words that AMX is configured for, of one thread's unit of work: begins with
 * { 0 } and ends with tiles_end(). */
typedef struct
{
  guint shape;
} Tiles;

#if HAVE_AMX
#include "compute/cpu/tile-amx.h"
#else
#define AMX_WORDS 16
INLINE void
tiles_end (Tiles *tiles)
{
  (void) tiles;
}
#endif

/* rows x cols of c from packed panels of which @depth words each lie apart, @k of them used. */
static void
tile_panels (Tiles *tiles, float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b,
             gsize depth, gsize k, gsize rows, gsize cols, gboolean add, gboolean pairs)
{
  (void) tiles;
#if HAVE_AMX
  if (pairs)
    {
      amx_panels (tiles, c, ldc, a, rs, cs, b, depth, k, rows, cols, add);
      return;
    }
#endif
  for (gsize j = 0; j < cols; j += PANEL, b += depth * PANEL)
    for (gsize r = 0, n; r < rows; r += n)
      {
        float *to = c + r * ldc + j;
        const gsize wide = MIN (cols - j, PANEL);

        n = few_rows (rows - r);
        if (HAVE_DPBF16 && pairs)
          tile_typed (to, ldc, a + r * rs, rs, cs, b, k, n, wide, add, TRUE);
        else
          tile_typed (to, ldc, a + r * rs, rs, cs, b, k, n, wide, add, FALSE);
      }
}

/* ---- packing: rows of F32 or BF16 to words --------------------------------------- */

/* Words in which @n numbers stand. */
INLINE gsize
words (gsize n, gboolean pairs)
{
  return pairs ? (n + 1) / 2 : n;
}

INLINE gsize
whole (gsize n, gsize unit)
{
  return (n + unit - 1) / unit * unit;
}

/* Takes @n floats, from the start of a cache line, of the workspace at *@at. */
INLINE float *
take (char **at, gsize n)
{
  float *p = (float *) (gpointer) *at;

  *at += whole (n * sizeof (float), 64);
  return p;
}

INLINE gsize
row_bytes (const LmMat *m)
{
  return m->stride * (m->type == LM_BF16 ? 2 : 4);
}

/* A row of @n numbers to words along the row; an odd last one gets a 0 for its pair. */
INLINE void
words_of_row (LmType type, gboolean pairs, const void *row, gsize n, float *to)
{
  if (pairs && n % 2 != 0)
    memset (to + n / 2, 0, sizeof *to);
  if (pairs && type == LM_BF16)
    {
      gsize i;

      for (i = 0; i + 2 * W <= n; i += 2 * W)
        vstore (to + i / 2, vload ((const guint16 *) row + i));
      if (i < n)
        memcpy (to + i / 2, (const guint16 *) row + i, (n - i) * 2);
    }
  else if (type == LM_BF16)
    for (gsize i = 0; i < n; i += W)
      vput (LM_F32, to, i, n, vget (LM_BF16, row, i, n));
  else
    for (gsize i = 0; i < n; i += W)
      vput (pairs ? LM_BF16 : LM_F32, to, i, n, vget (LM_F32, row, i, n));
}

/* Rows stay rows, @depth words apart. */
static inline void
rows_to_words (LmType type, gboolean pairs, const char *from, gsize step, gsize n, gsize dim,
               gsize depth, float *to)
{
  for (gsize j = 0; j < n; j++)
    words_of_row (type, pairs, from + j * step, dim, to + j * depth);
}

/* Row j becomes column j of panels @depth deep (the words of a row); columns up to a multiple of
 * @unit, at least a vector, are 0. */
static inline void
columns_to_panels (LmType type, gboolean pairs, const char *from, gsize step, gsize n, gsize dim,
                   gsize depth, gsize unit, float *line, float *to)
{
  for (gsize j = 0; j < whole (n, unit); j++)
    {
      float *column = to + j / PANEL * depth * PANEL + j % PANEL;

      if (j < n)
        words_of_row (type, pairs, from + j * step, dim, line);
      else
        memset (line, 0, depth * sizeof *line);
      for (gsize k = 0; k < depth; k++)
        memcpy (column + k * PANEL, line + k, sizeof *line);
    }
}

INLINE vf
number_or_0 (LmType type, const void *row, gsize i, gsize n)
{
  if (row == NULL)
    return (vf){};
  return type == LM_BF16 ? vget (LM_BF16, row, i, n) : vget (LM_F32, row, i, n);
}

#if HAVE_DPBF16
/* Words (low[i], high[i]). */
INLINE vf
weave (vf low, vf high)
{
  const __m512i order = _mm512_set_epi32 (
      0x1f000f, 0x1e000e, 0x1d000d, 0x1c000c, 0x1b000b, 0x1a000a, 0x190009, 0x180008, 0x170007,
      0x160006, 0x150005, 0x140004, 0x130003, 0x120002, 0x110001, 0x100000);

  return (vf) _mm512_permutexvar_epi16 (order, (__m512i) _mm512_cvtne2ps_pbh (high, low));
}
#else
INLINE vf
weave (vf low, vf high)
{
  (void) high; /* never asked for: there are no pairs */
  return low;
}
#endif

/* Rows stay rows of panels @depth deep; with pairs, two are woven into one.  Columns up to a whole
 * vector and rows up to a multiple of @unit, which with pairs is even, are 0. */
static inline void
rows_to_panels (LmType type, gboolean pairs, const char *from, gsize step, gsize n, gsize dim,
                gsize depth, gsize unit, float *to)
{
  const gsize pair = pairs ? 2 : 1;

  for (gsize j = 0; j < whole (n, unit); j += pair)
    for (gsize i = 0; i < dim; i += W)
      {
        const char *row = j < n ? from + j * step : NULL;
        float *p = to + (i / PANEL * depth + j / pair) * PANEL + i % PANEL;
        vf x = number_or_0 (type, row, i, dim);

        if (pairs)
          x = weave (x, number_or_0 (type, j + 1 < n ? row + step : NULL, i, dim));
        vstore (p, x);
      }
}

#endif
