/* SPDX-License-Identifier: Apache-2.0 */
/* int8-amx.h: products of int8 of many rows by AMX.
 *
 * TDPBSUD multiplies 16 rows of 64 signed bytes with 16 rows of 16 times 4 bytes without a sign,
 * and adds to 16 × 16 integers (Intel, "Architecture Instruction Set Extensions Programming
 * Reference", chapter on AMX).  A block of 32 numbers has a scale of its own, so half of a tile is
 * used, and 16 numbers of Q6_K a quarter.  Codes of fewer than 8 bits are widened once for all
 * rows.
 *
 * Scaling takes longer than multiplying.  So tiles of one stretch are made between the rows of the
 * stretch before, whose scales stay in registers.
 */
#ifndef FLOWRUN_COMPUTE_CPU_INT8_AMX_H
#define FLOWRUN_COMPUTE_CPU_INT8_AMX_H

#include "compute/cpu/tile-config.h"

#define AMX_LEAST_ROWS 32 /* fewer go faster by vectors */
#define TILE_INTS (16 * 16)

typedef struct
{
  guint8 *codes; /* [blocks][8][64] of a panel */
  float *d, *m;  /* [blocks (twice)][16] */
  gint32 *sums;  /* [2][8 or 16][16][16] */
  float *acc;    /* [16][16] */
  gsize blocks;
} Amx;

static gsize
amx_lay (gsize cols, char *at, Amx *a)
{
  const gsize blocks = cols / PACK_BLOCK;
  char *const begin = at;

  a->blocks = blocks;
  a->sums = (gint32 *) (gpointer) at;
  at += 2 * 2 * PACK_BLOCKS * TILE_INTS * sizeof (gint32);
  a->acc = (float *) (gpointer) at;
  at += TILE_INTS * sizeof (float);
  a->d = (float *) (gpointer) at;
  at += 2 * blocks * PACK_COLS * sizeof (float);
  a->m = (float *) (gpointer) at;
  at += blocks * PACK_COLS * sizeof (float);
  a->codes = (guint8 *) at;
  at += blocks * 8 * PACK_VECTOR;
  return (gsize) (at - begin);
}

/* Tiles 0 and 1: sums of @rows rows; 4 and 5: their codes, @words times 4 of each; 6 and 7: those
 * of the weight. */
static void
amx_bytes_config (gsize rows, guint words)
{
  AmxConfig config = { .palette = 1 };

  for (guint t = 0; t < 8; t++)
    {
      config.row_bytes[t] = (guint16) (t == 4 || t == 5 ? 4 * words : 64);
      config.rows[t] = (guint8) (t < 6 ? rows : words);
    }
  amx_load_config (&config);
}

static gsize
amx_bytes (gsize cols)
{
  Amx a;

  return amx_lay (cols, NULL, &a);
}

/* Codes and scales of a panel to bytes and floats. */
INLINE void
amx_expand (LmType type, const guint8 *panel, const Amx *a)
{
  const guint8 *scales = panel, *codes = panel;
  const gsize halves = in_sixteens (type) ? 2 : 1;

  for (gsize b = 0; b < a->blocks; b++, codes += lm_packed_code_bytes (type))
    {
      BlockScales s;

      if (b % PACK_BLOCKS == 0)
        {
          scales = codes;
          codes += lm_packed_scale_bytes (type, MIN (PACK_BLOCKS, a->blocks - b));
        }
      for (int v = 0; v < 8; v++)
        {
          const vi c = codes_of (lm_packed_bits (type), codes, v, 0);

          memcpy (a->codes + (b * 8 + (gsize) v) * PACK_VECTOR, &c, sizeof c);
        }
      s = scales_of (type, scales, b % PACK_BLOCKS, 0);
      for (gsize h = 0; h < halves; h++)
        vstore (a->d + (b * halves + h) * PACK_COLS, s.d[h]);
      if (has_minimum (type))
        vstore (a->m + b * PACK_COLS, s.m);
    }
}

/* sums = codes of rows at @x times the block at @b. */
#define AMX_BLOCK(c, ta, tb, x, stride, b, to)                                                     \
  do                                                                                               \
    {                                                                                              \
      _tile_zero (c);                                                                              \
      _tile_loadd (ta, x, stride);                                                                 \
      _tile_loadd (tb, b, PACK_VECTOR);                                                            \
      _tile_dpbsud (c, ta, tb);                                                                    \
      _tile_stored (c, to, 64);                                                                    \
    }                                                                                              \
  while (0)

/* The tiles of block @b: one, or two of 16 numbers each. */
INLINE void
amx_tiles (LmType type, const Amx *a, const gint8 *x, gsize stride, gsize b, const int odd,
           gint32 *to)
{
  const guint8 *codes = a->codes + b * 8 * PACK_VECTOR;

  x += b * PACK_BLOCK;
  if (in_sixteens (type))
    {
      AMX_BLOCK (0, 4, 6, x, stride, codes, to);
      AMX_BLOCK (1, 5, 7, x + 16, stride, codes + 4 * PACK_VECTOR, to + TILE_INTS);
    }
  else if (odd)
    AMX_BLOCK (0, 4, 6, x, stride, codes, to);
  else
    AMX_BLOCK (1, 5, 7, x, stride, codes, to);
}

/* Scales of a stretch, in registers. */
typedef struct
{
  vf d[2 * PACK_BLOCKS], m[PACK_BLOCKS];
} Stretch;

/* Row @t of the group at row @first of x: @n blocks from @b on, whose sums are at @sums. */
INLINE void
amx_row (LmType type, const LmCpuRounded *x, gsize first, gsize t, const Stretch *s, gsize b,
         const int n, const gint32 *sums, const Amx *a)
{
  const int halves = in_sixteens (type) ? 2 : 1;
  const gsize at = (first + t) * x->blocks + b;
  vf acc = b == 0 ? (vf){} : vload (a->acc + t * 16);

#pragma GCC unroll 8
  for (int j = 0; j < n; j++)
    {
#pragma GCC unroll 2
      for (int h = 0; h < halves; h++)
        {
          vi sum = ivec_at ((const guint8 *) (sums + (j * halves + h) * TILE_INTS + t * 16));

          if (wants_bias (type, TRUE))
            {
              const gint32 *less = x->less + 2 * (at + (gsize) j);

              sum += int_in_all (halves == 2 ? less[h] : less[0] + less[1])
                     << MAX (lm_packed_bias (type), 0);
            }
          acc = vfma (as_floats (sum), s->d[j * halves + h] * vset (x->step[at + (gsize) j]), acc);
        }
      if (has_minimum (type))
        acc = vfma (s->m[j], vset (x->sum[at + (gsize) j]), acc);
    }
  vstore (a->acc + t * 16, acc);
}

/* Scales the @n blocks from @b on, of which @sums are made, and makes the tiles of those behind
 * them into @next. */
INLINE void
amx_stretch (LmType type, const LmCpuRounded *x, gsize first, gsize rows, gsize b, const int n,
             const gint32 *sums, gint32 *next, const Amx *a)
{
  const gsize after = b + (gsize) n, halves = in_sixteens (type) ? 2 : 1;
  const gint8 *codes = x->codes + first * x->stride;
  Stretch s;

#pragma GCC unroll 16
  for (gsize j = 0; j < (gsize) n * halves; j++)
    s.d[j] = vload (a->d + (b * halves + j) * PACK_COLS);
  if (has_minimum (type))
#pragma GCC unroll 8
    for (gsize j = 0; j < (gsize) n; j++)
      s.m[j] = vload (a->m + (b + j) * PACK_COLS);
  for (gsize j = 0; j < PACK_BLOCKS; j += 2)
    {
      if (after + j < a->blocks)
        amx_tiles (type, a, codes, x->stride, after + j, 0, next + j * halves * TILE_INTS);
      if (after + j + 1 < a->blocks)
        amx_tiles (type, a, codes, x->stride, after + j + 1, 1,
                   next + (j + 1) * halves * TILE_INTS);
      AMX_WRITTEN ();
      for (gsize t = 2 * j; t < MIN (2 * j + 4, rows); t++)
        amx_row (type, x, first, t, &s, b, n, sums, a);
    }
}

/* Up to 16 rows of x by the panel that was expanded. */
INLINE void
amx_rows (LmType type, const LmCpuRounded *x, gsize first, gsize rows, const Amx *a)
{
  const gsize size = 2 * PACK_BLOCKS * TILE_INTS;
  const gint8 *codes = x->codes + first * x->stride;
  guint turn = 0;

  AMX_WRITTEN ();
  for (gsize j = 0; j < MIN (PACK_BLOCKS, a->blocks); j++)
    amx_tiles (type, a, codes, x->stride, j, 0,
               a->sums + j * (in_sixteens (type) ? 2 : 1) * TILE_INTS);
  AMX_WRITTEN ();
  for (gsize b = 0; b < a->blocks; b += PACK_BLOCKS, turn ^= 1)
    {
      const gint32 *sums = a->sums + turn * size;
      gint32 *next = a->sums + (turn ^ 1) * size;

      if (a->blocks - b >= PACK_BLOCKS)
        amx_stretch (type, x, first, rows, b, PACK_BLOCKS, sums, next, a);
      else
        for (gsize j = 0; j < a->blocks - b; j++) /* nothing is behind them */
          for (gsize t = 0; t < rows; t++)
            {
              const gsize halves = in_sixteens (type) ? 2 : 1;
              Stretch s;

              for (gsize h = 0; h < halves; h++)
                s.d[h] = vload (a->d + ((b + j) * halves + h) * PACK_COLS);
              if (has_minimum (type))
                s.m[0] = vload (a->m + (b + j) * PACK_COLS);
              amx_row (type, x, first, t, &s, b + j, 1, sums + j * halves * TILE_INTS, a);
            }
    }
}

INLINE void
amx (LmType type, const LmCpuRounded *x, const LmPackedProduct *p, gsize row, gsize to_row,
     gsize from, gsize to, gpointer workspace)
{
  const gsize step = lm_packed_panel_bytes (type, p->weight->cols);
  const guint words = in_sixteens (type) ? 4 : 8;
  Amx a;

  amx_lay (p->weight->cols, workspace, &a);
  for (gsize i = from; i < to; i++)
    {
      gsize shape = 0;

      amx_expand (type, (const guint8 *) p->weight->data + i * step, &a);
      for (gsize r = row, n; r < to_row; r += n)
        {
          n = MIN (16, to_row - r);
          if (n != shape)
            amx_bytes_config (n, words);
          shape = n;
          amx_rows (type, x, r, n, &a);
          for (gsize t = 0; t < n; t++)
            put_columns (&p->out, p->beta, r + t, i * PACK_COLS, vload (a.acc + t * 16));
        }
    }
  _tile_release ();
}

#endif
