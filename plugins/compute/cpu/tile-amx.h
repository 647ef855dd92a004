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

#include "compute/cpu/tile-config.h"
#include "compute/cpu/transpose.h"

#define AMX_ROWS 16
#define AMX_WORDS 16

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
  amx_load_config (&config);
  tiles->shape = shape;
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
          transpose_words (a, cs, deep, turned);
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
