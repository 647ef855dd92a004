/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h: 32 stored numbers of a row to vectors of floats.
 *
 * Layouts: the GGUF specification and ggml's block structures.  A number of
 * 4 or 5 bits is looked up in the 16 or 32 values that its block can have
 * (AVX-512 permutes floats by index), or computed as q * d + m.
 */
#ifndef FLOWRUN_COMPUTE_CPU_UNPACK_H
#define FLOWRUN_COMPUTE_CPU_UNPACK_H

#include "lm/simd.h"

#define UNPACK_BLOCKS(X)                                                                           \
  X (LM_Q4_0) X (LM_Q4_1) X (LM_Q5_0) X (LM_Q5_1) X (LM_Q8_0) X (LM_Q4_K) X (LM_Q5_K) X (LM_Q6_K)
#define UNPACK_TYPES(X) X (LM_F32) X (LM_BF16) X (LM_F16) UNPACK_BLOCKS (X)

INLINE guint16
load16 (const guint8 *p)
{
  guint16 v;

  memcpy (&v, p, sizeof v);
  return GUINT16_FROM_LE (v);
}

INLINE guint32
load32 (const guint8 *p)
{
  guint32 v;

  memcpy (&v, p, sizeof v);
  return GUINT32_FROM_LE (v);
}

/* A stored half-precision number. */
INLINE float
half_at (const guint8 *p)
{
#if W >= 8
  return _mm_cvtss_f32 (_mm_cvtph_ps (_mm_cvtsi32_si128 (load16 (p))));
#else
  return lm_f16_to_float (load16 (p));
#endif
}

/* W numbers of F32, BF16 or F16 at @i. */
INLINE vf
unpack_plain (LmType type, const void *src, gsize i, gsize n)
{
  if (type != LM_F16)
    return vget (type, src, i, n);

  guint16 h[W] = { 0 };

  if (G_LIKELY (n - i >= W))
    memcpy (h, (const guint16 *) src + i, sizeof h);
  else
    memcpy (h, (const guint16 *) src + i, (n - i) * sizeof *h);
#if W == 16
  return _mm512_cvtph_ps (_mm256_loadu_si256 ((const void *) h));
#elif W == 8
  return _mm256_cvtph_ps (_mm_loadu_si128 ((const void *) h));
#else
  vf v;

  for (int k = 0; k < W; k++)
    v[k] = lm_f16_to_float (h[k]);
  return v;
#endif
}

INLINE vi
bytes_at (const guint8 *p)
{
#if W == 16
  return (vi) _mm512_cvtepu8_epi32 (_mm_loadu_si128 ((const void *) p));
#elif W == 8
  return (vi) _mm256_cvtepu8_epi32 (_mm_loadl_epi64 ((const void *) p));
#else
  vb b;

  memcpy (&b, p, sizeof b);
  return __builtin_convertvector(b, vi);
#endif
}

INLINE vi
signed_at (const guint8 *p)
{
#if W == 16
  return (vi) _mm512_cvtepi8_epi32 (_mm_loadu_si128 ((const void *) p));
#elif W == 8
  return (vi) _mm256_cvtepi8_epi32 (_mm_loadl_epi64 ((const void *) p));
#else
  vsb b;

  memcpy (&b, p, sizeof b);
  return __builtin_convertvector(b, vi);
#endif
}

INLINE vf
to_float (vi q)
{
  return __builtin_convertvector(q, vf);
}

#if W == 16
#define IOTA ((vf){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 })
#endif

/* 32 bits, one a number, to 16 in each. */
INLINE vi
bits_at (guint32 bits, int from)
{
#if W == 16
  return (vi) _mm512_maskz_set1_epi32 ((__mmask16) (bits >> from), 16);
#else
  vi lane;

  for (int k = 0; k < W; k++)
    lane[k] = 1 << k;
  return (((gint32) (bits >> from) & lane) != 0) & 16;
#endif
}

/* Numbers of 4 bits, or of 5: q * d + m. */
INLINE vf
value4 (vi q, vf d, vf m)
{
#if W == 16
  return _mm512_permutexvar_ps ((__m512i) q, vfma (IOTA, d, m)); /* by the lowest 4 bits */
#else
  return vfma (to_float (q & 15), d, m);
#endif
}

INLINE vf
value5 (vi q, vf d, vf m)
{
#if W == 16
  return _mm512_permutex2var_ps (vfma (IOTA, d, m), (__m512i) q, vfma (IOTA + 16.0f, d, m));
#else
  return vfma (to_float (q), d, m);
#endif
}

/* 16 bytes: the low halves are numbers 0 to 15, the high ones 16 to 31. */
INLINE void
nibbles (const guint8 *q, vf d, vf m, vf *v)
{
  for (int k = 0; k < 16 / W; k++)
    {
      vi b = bytes_at (q + k * W);

      v[k] = value4 (b, d, m);
      v[16 / W + k] = value4 (b >> 4, d, m);
    }
}

INLINE void
nibbles5 (const guint8 *q, guint32 high, vf d, vf m, vf *v)
{
  for (int k = 0; k < 16 / W; k++)
    {
      vi b = bytes_at (q + k * W);

      v[k] = value5 ((b & 15) | bits_at (high, k * W), d, m);
      v[16 / W + k] = value5 ((b >> 4) | bits_at (high, 16 + k * W), d, m);
    }
}

/* Scale and minimum of 32 numbers of Q4_K and Q5_K: 6 bits each, packed in 12 bytes. */
INLINE void
scale_min (const guint8 *sc, int j, int *scale, int *min)
{
  if (j < 4)
    {
      *scale = sc[j] & 63;
      *min = sc[j + 4] & 63;
    }
  else
    {
      *scale = (sc[j + 4] & 15) | (sc[j - 4] >> 6 << 4);
      *min = (sc[j + 4] >> 4) | (sc[j] >> 6 << 4);
    }
}

/* Part @j (of 8) of a block of Q4_K or Q5_K. */
INLINE void
unpack_k (LmType type, const guint8 *p, int j, vf *v)
{
  const guint8 *q = p + (type == LM_Q5_K ? 48 : 16) + j / 2 * 32;
  int scale, min;
  vf d, m;

  scale_min (p + 4, j, &scale, &min);
  d = vset (half_at (p) * (float) scale);
  m = vset (-half_at (p + 2) * (float) min);
  for (int k = 0; k < 32 / W; k++)
    {
      vi b = bytes_at (q + k * W) >> (j % 2 * 4);

      v[k] = type == LM_Q4_K ? value4 (b, d, m)
                             : value5 ((b & 15) | (bytes_at (p + 16 + k * W) >> j & 1) << 4, d, m);
    }
}

/* Part @j (of 8) of a block of Q6_K. */
INLINE void
unpack_q6_k (const guint8 *p, int j, vf *v)
{
  const int part = j % 4; /* of a half of 128 */
  const guint8 *low = p + j / 4 * 64 + part % 2 * 32, *high = p + 128 + j / 4 * 32;
  const gint8 *scales = (const gint8 *) p + 192 + j / 4 * 8 + part * 2;
  const float d = half_at (p + 208);

  for (int k = 0; k < 32 / W; k++)
    {
      vi b = bytes_at (low + k * W) >> (part / 2 * 4) & 15;
      vi h = bytes_at (high + k * W) >> (part * 2) & 3;

      v[k] = to_float ((b | h << 4) - 32) * (d * scales[k * W / 16]);
    }
}

#define UNPACK_BLOCK(type) ((type) == LM_Q4_K || (type) == LM_Q5_K || (type) == LM_Q6_K ? 256 : 32)

/* 32 numbers of block @i of a row: the @part-th, where a block has more. */
INLINE void
unpack32 (LmType type, const void *row, gsize i, int part, vf *v)
{
  const guint8 *p = (const guint8 *) row;

  p += i
       * (type == LM_Q4_0   ? 18
          : type == LM_Q4_1 ? 20
          : type == LM_Q5_0 ? 22
          : type == LM_Q5_1 ? 24
          : type == LM_Q8_0 ? 34
          : type == LM_Q4_K ? 144
          : type == LM_Q5_K ? 176
                            : 210);
  if (type == LM_Q4_0)
    {
      const vf d = vset (half_at (p));

      nibbles (p + 2, d, d * -8.0f, v);
    }
  else if (type == LM_Q4_1)
    nibbles (p + 4, vset (half_at (p)), vset (half_at (p + 2)), v);
  else if (type == LM_Q5_0)
    {
      const vf d = vset (half_at (p));

      nibbles5 (p + 6, load32 (p + 2), d, d * -16.0f, v);
    }
  else if (type == LM_Q5_1)
    nibbles5 (p + 8, load32 (p + 4), vset (half_at (p)), vset (half_at (p + 2)), v);
  else if (type == LM_Q8_0)
    {
      const vf d = vset (half_at (p));

      for (int k = 0; k < 32 / W; k++)
        v[k] = to_float (signed_at (p + 2 + k * W)) * d;
    }
  else if (type == LM_Q6_K)
    unpack_q6_k (p, part, v);
  else
    unpack_k (type, p, part, v);
}

#endif
