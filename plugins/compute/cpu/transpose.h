/* SPDX-License-Identifier: Apache-2.0 */
/* transpose.h: 16 by 16 words turned over in registers; for AVX-512. */
#ifndef FLOWRUN_COMPUTE_CPU_TRANSPOSE_H
#define FLOWRUN_COMPUTE_CPU_TRANSPOSE_H

#include "lm/simd.h"

/* to[j][k] = from[k * step + j] for 16 by 16 words, of which rows from @deep on are 0. */
static inline void
transpose_words (const float *from, gsize step, gsize deep, float *to)
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

#endif
