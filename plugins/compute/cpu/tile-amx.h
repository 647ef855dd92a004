/* SPDX-License-Identifier: Apache-2.0 */
/* tile-amx.h: the product of tile.h for pairs, by AMX: up to 16 rows by 64 columns, 16 words deep,
 * in one step.
 *
 * A tile register holds 16 rows of 64 bytes; TDPBF16PS multiplies rows of pairs with woven pairs of
 * rows, which is how tile.h packs them (Intel, "Architecture Instruction Set Extensions Programming
 * Reference", chapter on AMX). Tiles 0 to 3 hold c, 4 holds a, 5 to 7 take turns with b.  How
 * tiles are configured belongs to the thread, and other libraries change it too, so each unit of
 * work begins anew and remembers it on its stack.
 */
#ifndef FLOWRUN_COMPUTE_CPU_TILE_AMX_H
#define FLOWRUN_COMPUTE_CPU_TILE_AMX_H

#define AMX_ROWS 16
#define AMX_WORDS 16

typedef struct
{
  guint8 palette, start_row, reserved[14];
  guint16 row_bytes[16];
  guint8 rows[16];
} AmxConfig;

G_STATIC_ASSERT (sizeof (AmxConfig) == 64);

/* GCC's intrinsics do not say that they read memory: what was written is there from here on. */
#define AMX_WRITTEN() __asm__ volatile("" : : : "memory")

INLINE void
tiles_end (Tiles *tiles)
{
  if (tiles->shape != 0)
    _tile_release ();
  tiles->shape = 0;
}

/* Tiles for @rows of a, @words deep; what stood in them is gone when that is another shape than
 * before. */
static void
amx_configure (Tiles *tiles, gsize rows, gsize deep)
{
  const guint shape = (guint) (rows << 8 | deep);
  AmxConfig config = { .palette = 1 };

  if (shape == tiles->shape)
    return;
  for (guint t = 0; t < 8; t++)
    {
      config.row_bytes[t] = (guint16) (t == 4 ? 4 * deep : 64);
      config.rows[t] = (guint8) (t < 5 ? rows : deep);
    }
  __asm__ volatile("ldtilecfg %0" : : "m"(config));
  tiles->shape = shape;
}

/* to[j][k] = from[k * step + j] for 16 by 16 words, of which rows from @deep on are 0. */
static void
amx_transpose (const float *from, gsize step, gsize deep, float *to)
{
  __m512i x[16], y[16];

  for (guint k = 0; k < 16; k++)
    x[k] = k < deep ? _mm512_loadu_si512 (from + k * step) : _mm512_setzero_si512 ();
#pragma GCC unroll 8
  for (guint k = 0; k < 16; k += 2)
    {
      y[k] = _mm512_unpacklo_epi32 (x[k], x[k + 1]);
      y[k + 1] = _mm512_unpackhi_epi32 (x[k], x[k + 1]);
    }
#pragma GCC unroll 4
  for (guint k = 0; k < 16; k += 4)
    {
      x[k] = _mm512_unpacklo_epi64 (y[k], y[k + 2]);
      x[k + 1] = _mm512_unpackhi_epi64 (y[k], y[k + 2]);
      x[k + 2] = _mm512_unpacklo_epi64 (y[k + 1], y[k + 3]);
      x[k + 3] = _mm512_unpackhi_epi64 (y[k + 1], y[k + 3]);
    }
    /* x[4 b + i]: of rows 4 b to 4 b + 3, columns i, i + 4, i + 8, i + 12, a quarter each. */
#pragma GCC unroll 4
  for (guint i = 0; i < 4; i++)
    {
      __m512i a = _mm512_shuffle_i32x4 (x[i], x[4 + i], 0x88);
      __m512i b = _mm512_shuffle_i32x4 (x[8 + i], x[12 + i], 0x88);
      __m512i c = _mm512_shuffle_i32x4 (x[i], x[4 + i], 0xdd);
      __m512i d = _mm512_shuffle_i32x4 (x[8 + i], x[12 + i], 0xdd);

      _mm512_store_si512 (to + i * 16, _mm512_shuffle_i32x4 (a, b, 0x88));
      _mm512_store_si512 (to + (4 + i) * 16, _mm512_shuffle_i32x4 (c, d, 0x88));
      _mm512_store_si512 (to + (8 + i) * 16, _mm512_shuffle_i32x4 (a, b, 0xdd));
      _mm512_store_si512 (to + (12 + i) * 16, _mm512_shuffle_i32x4 (c, d, 0xdd));
    }
}

/* @n steps of @deep words: one panel of @vectors vectors of columns. */
INLINE void
amx_steps (Tiles *tiles, float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b,
           gsize n, gsize deep, gsize rows, const int vectors, gboolean add)
{
  float turned[16 * 16] __attribute__ ((aligned (64)));

  amx_configure (tiles, rows, deep);
  AMX_WRITTEN ();
  _tile_zero (0);
  _tile_zero (1);
  _tile_zero (2);
  _tile_zero (3);
  if (add)
    {
      _tile_loadd (0, c, ldc * 4);
      if (vectors > 1)
        _tile_loadd (1, c + 16, ldc * 4);
      if (vectors > 2)
        _tile_loadd (2, c + 32, ldc * 4);
      if (vectors > 3)
        _tile_loadd (3, c + 48, ldc * 4);
    }
  for (; n > 0; n--, a += deep * cs, b += deep * PANEL)
    {
      if (cs == 1)
        _tile_loadd (4, a, rs * 4);
      else
        {
          amx_transpose (a, cs, deep, turned);
          AMX_WRITTEN ();
          _tile_loadd (4, turned, 64);
        }
      _tile_loadd (5, b, PANEL * 4);
      _tile_dpbf16ps (0, 4, 5);
      if (vectors > 1)
        {
          _tile_loadd (6, b + 16, PANEL * 4);
          _tile_dpbf16ps (1, 4, 6);
        }
      if (vectors > 2)
        {
          _tile_loadd (7, b + 32, PANEL * 4);
          _tile_dpbf16ps (2, 4, 7);
        }
      if (vectors > 3)
        {
          _tile_loadd (5, b + 48, PANEL * 4);
          _tile_dpbf16ps (3, 4, 5);
        }
    }
  _tile_stored (0, c, ldc * 4);
  if (vectors > 1)
    _tile_stored (1, c + 16, ldc * 4);
  if (vectors > 2)
    _tile_stored (2, c + 32, ldc * 4);
  if (vectors > 3)
    _tile_stored (3, c + 48, ldc * 4);
}

INLINE void
amx_typed (Tiles *tiles, float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b,
           gsize n, gsize deep, gsize rows, gsize cols, gboolean add)
{
  switch ((cols + W - 1) / W)
    {
    case 1:
      amx_steps (tiles, c, ldc, a, rs, cs, b, n, deep, rows, 1, add);
      break;
    case 2:
      amx_steps (tiles, c, ldc, a, rs, cs, b, n, deep, rows, 2, add);
      break;
    case 3:
      amx_steps (tiles, c, ldc, a, rs, cs, b, n, deep, rows, 3, add);
      break;
    default:
      amx_steps (tiles, c, ldc, a, rs, cs, b, n, deep, rows, 4, add);
    }
}

/* tile_panels() for pairs; with @cs other than 1, @rs is 1, and 16 words can be read wherever one
 * row can. */
static void
amx_panels (Tiles *tiles, float *c, gsize ldc, const float *a, gsize rs, gsize cs, const float *b,
            gsize depth, gsize k, gsize rows, gsize cols, gboolean add)
{
  const gsize steps = k / AMX_WORDS, rest = k % AMX_WORDS;

  for (gsize j = 0; j < cols; j += PANEL, b += depth * PANEL)
    for (gsize r = 0; r < rows; r += AMX_ROWS)
      {
        float *to = c + r * ldc + j;
        const gsize wide = MIN (cols - j, PANEL), n = MIN (rows - r, AMX_ROWS);

        if (steps > 0 || !add)
          amx_typed (tiles, to, ldc, a + r * rs, rs, cs, b, steps, AMX_WORDS, n, wide, add);
        if (rest > 0)
          amx_typed (tiles, to, ldc, a + r * rs + steps * AMX_WORDS * cs, rs, cs,
                     b + steps * AMX_WORDS * PANEL, 1, rest, n, wide, TRUE);
      }
}

#endif
