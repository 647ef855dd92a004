/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c: weights in blocks, as GGUF stores them, to the order of packed.h.
 *
 * Layouts of the stored blocks: the GGUF specification and ggml's block structures.
 */
#include "config.h"

#include <string.h>

#include "compute/cpu/packed.h"

/* Scales of Q4_K and Q5_K: 6 bits each, eight of both kinds in 12 bytes. */
static void
factors_of (const guint8 *sc, guint j, guint8 *scale, guint8 *min)
{
  if (j < 4)
    {
      *scale = sc[j] & 63;
      *min = sc[j + 4] & 63;
    }
  else
    {
      *scale = (guint8) ((sc[j + 4] & 15) | sc[j - 4] >> 6 << 4);
      *min = (guint8) (sc[j + 4] >> 4 | sc[j] >> 6 << 4);
    }
}

/* 16 bytes: the low halves are codes 0 to 15, the high ones 16 to 31. */
static void
halves (const guint8 *q, guint8 *codes)
{
  for (guint i = 0; i < 16; i++)
    {
      codes[i] = q[i] & 15;
      codes[i + 16] = q[i] >> 4;
    }
}

static void
add_fifth (const guint8 *high, guint8 *codes)
{
  guint32 bits;

  memcpy (&bits, high, sizeof bits);
  for (guint i = 0; i < 32; i++)
    codes[i] |= (guint8) ((bits >> i & 1) << 4);
}

/* The 32 codes of part @j (of 8, in blocks of 256) of the block at @p. */
static void
read_codes (LmType type, const guint8 *p, guint j, guint8 *codes)
{
  const guint8 *low, *high;

  switch (type)
    {
    case LM_Q4_0:
      halves (p + 2, codes);
      break;
    case LM_Q4_1:
      halves (p + 4, codes);
      break;
    case LM_Q5_0:
      halves (p + 6, codes);
      add_fifth (p + 2, codes);
      break;
    case LM_Q5_1:
      halves (p + 8, codes);
      add_fifth (p + 4, codes);
      break;
    case LM_Q8_0:
      for (guint i = 0; i < 32; i++)
        codes[i] = p[2 + i] ^ 0x80;
      break;
    case LM_Q4_K:
      low = p + 16 + j / 2 * 32;
      for (guint i = 0; i < 32; i++)
        codes[i] = low[i] >> (j % 2 * 4) & 15;
      break;
    case LM_Q5_K:
      low = p + 48 + j / 2 * 32;
      for (guint i = 0; i < 32; i++)
        codes[i] = (guint8) ((low[i] >> (j % 2 * 4) & 15) | (p[16 + i] >> j & 1) << 4);
      break;
    case LM_Q6_K:
      low = p + j / 4 * 64 + j % 2 * 32;
      high = p + 128 + j / 4 * 32;
      for (guint i = 0; i < 32; i++)
        codes[i] = (guint8) ((low[i] >> (j % 4 / 2 * 4) & 15) | (high[i] >> (j % 4 * 2) & 3) << 4);
      break;
    default:
      g_assert_not_reached ();
    }
}

/* Codes of row @col of a panel to their places in a block. */
static void
write_codes (LmType type, const guint8 *codes, guint col, guint8 *to)
{
  const guint bits = lm_packed_bits (type);

  to += 4 * col;
  if (bits == 8)
    {
      for (guint v = 0; v < 8; v++)
        memcpy (to + v * PACK_VECTOR, codes + 4 * v, 4);
      return;
    }
  for (guint v = 0; v < 4; v++)
    for (guint k = 0; k < 4; k++)
      to[v * PACK_VECTOR + k]
          = (guint8) ((codes[4 * v + k] & 15) | (codes[16 + 4 * v + k] & 15) << 4);
  for (guint h = 0; bits == 6 && h < 2; h++)
    for (guint k = 0; k < 4; k++)
      {
        const guint8 *c = codes + 16 * h + k;

        to[(4 + h) * PACK_VECTOR + k]
            = (guint8) (c[0] >> 4 | c[4] >> 4 << 2 | c[8] >> 4 << 4 | c[12] >> 4 << 6);
      }
}

/* Scales of the @i-th block of a stretch, of row @col: part @j of the stored block at @p. */
static void
write_scales (LmType type, const guint8 *p, guint j, gsize i, guint col, guint8 *to)
{
  guint8 *factors = to + 64 + i * 32 + col;

  switch (lm_packed_scales (type))
    {
    case LM_SCALES_HALF:
      memcpy (to + i * 32 + 2 * col, p, 2);
      break;
    case LM_SCALES_HALF_MIN:
      memcpy (to + i * 64 + 2 * col, p, 2);
      memcpy (to + i * 64 + 32 + 2 * col, p + 2, 2);
      break;
    case LM_SCALES_SUPER:
      memcpy (to + 2 * col, p, 2);
      memcpy (to + 32 + 2 * col, p + 2, 2);
      factors_of (p + 4, j, factors, factors + PACK_COLS);
      break;
    case LM_SCALES_SIXTEENS:
      memcpy (to + 2 * col, p + 208, 2);
      factors[0] = p[192 + 2 * j];
      factors[PACK_COLS] = p[192 + 2 * j + 1];
      break;
    }
}

void
lm_pack_panel (LmMat weight, gsize panel, guint8 *to)
{
  const LmTypeInfo *info = &lm_types[weight.type];
  const gsize blocks = weight.cols / PACK_BLOCK, parts = info->block / PACK_BLOCK;
  const gsize code_bytes = lm_packed_code_bytes (weight.type);

  memset (to, 0, lm_packed_panel_bytes (weight.type, weight.cols));
  for (gsize b = 0, n; b < blocks; b += n)
    {
      guint8 *scales = to;

      n = MIN (PACK_BLOCKS, blocks - b);
      to += lm_packed_scale_bytes (weight.type, n);
      for (gsize i = 0; i < n; i++, to += code_bytes)
        for (guint col = 0; col < PACK_COLS && panel * PACK_COLS + col < weight.rows; col++)
          {
            const guint8 *p = (const guint8 *) lm_mat_rows (weight, panel * PACK_COLS + col, 1).data
                              + (b + i) / parts * info->bytes;
            guint8 codes[PACK_BLOCK];

            read_codes (weight.type, p, (b + i) % parts, codes);
            write_codes (weight.type, codes, col, to);
            write_scales (weight.type, p, (b + i) % parts, i, col, scales);
          }
    }
}
