/* SPDX-License-Identifier: Apache-2.0 */
/* packed.h: weights in blocks, in the order in which products of int8 read them.
 *
 * A number of a block is d * (code - bias) + m: d and m are of 32 numbers (d of 16 in Q6_K), the
 * bias is the type's, a code has no sign.  Codes and scales are the stored ones, none is rounded
 * again.
 *
 *   panel     PACK_COLS rows of the weight, which are columns of the product; the last one is
 * filled up with zeros stretch   up to PACK_BLOCKS blocks of 32 numbers of a panel's rows: their
 * scales, filled up to 64 bytes, then their codes, block by block block     vectors of 64 bytes, 4
 * numbers of each row side by side: byte 4 * row + k of vector v is number 4 * v + k.  8 bits: 8 of
 * them.  4 bits: vector v in the low halves of the v-th, vector v + 4 in the high ones.  6 bits:
 * the same, then two vectors with the upper two bits: those of vector 4 * h + i are bits 2 * i and
 * 2 * i + 1 of the h-th. scales    HALF      for each block: d of the rows, half floats HALF_MIN
 * for each block: d of the rows, m of the rows, half floats SUPER     D and M of the rows, half
 * floats; then for each block the rows' factors, 8 bits without a sign: d = D * first, m = -M *
 * second SIXTEENS  D of the rows, half floats, and nothing; then for each block the rows' factors,
 * 8 bits with a sign: d = D * factor, of the first 16 numbers and of the others
 */
#ifndef FLOWRUN_COMPUTE_CPU_PACKED_H
#define FLOWRUN_COMPUTE_CPU_PACKED_H

#include "lm/compute.h"

#define PACK_COLS 16
#define PACK_BLOCKS 8
#define PACK_BLOCK 32
#define PACK_VECTOR 64 /* bytes: 4 numbers of each row */

typedef enum
{
  LM_SCALES_HALF,
  LM_SCALES_HALF_MIN,
  LM_SCALES_SUPER,
  LM_SCALES_SIXTEENS
} LmPackedScales;

static inline LmPackedScales
lm_packed_scales (LmType type)
{
  return type == LM_Q4_1 || type == LM_Q5_1   ? LM_SCALES_HALF_MIN
         : type == LM_Q4_K || type == LM_Q5_K ? LM_SCALES_SUPER
         : type == LM_Q6_K                    ? LM_SCALES_SIXTEENS
                                              : LM_SCALES_HALF;
}

static inline guint
lm_packed_bits (LmType type)
{
  return type == LM_Q8_0 ? 8 : type == LM_Q4_0 || type == LM_Q4_1 || type == LM_Q4_K ? 4 : 6;
}

/** lm_packed_bias: as a power of two; -1: 0. */
static inline int
lm_packed_bias (LmType type)
{
  return type == LM_Q8_0 ? 7 : type == LM_Q6_K ? 5 : type == LM_Q5_0 ? 4 : type == LM_Q4_0 ? 3 : -1;
}

static inline gsize
lm_packed_scale_bytes (LmType type, gsize blocks)
{
  switch (lm_packed_scales (type))
    {
    case LM_SCALES_HALF:
      return (blocks + 1) / 2 * 64;
    case LM_SCALES_HALF_MIN:
      return blocks * 64;
    default:
      return 64 + blocks * 32; /* 8 of them */
    }
}

static inline gsize
lm_packed_code_bytes (LmType type)
{
  return (gsize) lm_packed_bits (type) * PACK_VECTOR;
}

static inline gsize
lm_packed_panel_bytes (LmType type, gsize cols)
{
  const gsize blocks = cols / PACK_BLOCK, rest = blocks % PACK_BLOCKS;

  return blocks / PACK_BLOCKS * lm_packed_scale_bytes (type, PACK_BLOCKS)
         + (rest > 0 ? lm_packed_scale_bytes (type, rest) : 0)
         + blocks * lm_packed_code_bytes (type);
}

static inline gsize
lm_packed_panels (gsize rows)
{
  return (rows + PACK_COLS - 1) / PACK_COLS;
}

/** lm_pack_panel: panel @panel of @weight, which is in blocks, to @to. */
void lm_pack_panel (LmMat weight, gsize panel, guint8 *to);

#endif
