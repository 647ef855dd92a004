/* SPDX-License-Identifier: Apache-2.0 */
/* int8.h: codes and scales of packed.h to vectors, and sums of products of bytes.
 *
 * A vector holds 4 numbers of each of W rows of the weight.  Sums of bytes are exact, however an
 * instruction set makes them: VNNI adds four products to a 32-bit lane; before it products were
 * added in pairs of 16 bits, where two of 8-bit codes only fit with the sign moved to the other
 * factor.
 */
#ifndef FLOWRUN_COMPUTE_CPU_INT8_H
#define FLOWRUN_COMPUTE_CPU_INT8_H

#include "compute/cpu/packed.h"
#include "lm/simd.h"

#if W == 4 && defined __aarch64__
#include <arm_neon.h>
#elif W == 4 && defined __SSE2__
#include <emmintrin.h>
#endif

#if (W == 16 && defined __AVX512VNNI__) || (W == 8 && defined __AVXVNNI__)
#define HAVE_VNNI 1
#else
#define HAVE_VNNI 0
#endif

#if HAVE_VNNI && HAVE_AMX && defined __AMX_INT8__
#define HAVE_AMX_INT8 1
#else
#define HAVE_AMX_INT8 0
#endif

/* Whether dot_wide() takes codes of 8 bits without their bias, so that the sums want it. */
#define WIDE_IS_BIASED HAVE_VNNI

/* ---- sums of products ------------------------------------------------------------------- */

/* The 4 bytes at @p in every lane. */
INLINE vi
four_at (const gint8 *p)
{
  gint32 four;

  memcpy (&four, p, sizeof four);
#if W == 16
  return (vi) _mm512_set1_epi32 (four);
#elif W == 8
  return (vi) _mm256_set1_epi32 (four);
#else
  return (vi){ four, four, four, four };
#endif
}

INLINE vi
int_in_all (gint32 x)
{
#if W == 16
  return (vi) _mm512_set1_epi32 (x);
#elif W == 8
  return (vi) _mm256_set1_epi32 (x);
#else
  return (vi){ x, x, x, x };
#endif
}

#if !HAVE_VNNI && W == 4
/* sum[lane] += four products of that lane */
INLINE vi
dot_signed (vi sum, vi a, vi x)
{
#ifdef __ARM_FEATURE_DOTPROD
  return (vi) vdotq_s32 ((int32x4_t) sum, (int8x16_t) a, (int8x16_t) x);
#elif defined __aarch64__
  const int8x16_t p = (int8x16_t) a, q = (int8x16_t) x;
  const int32x4_t first = vpaddlq_s16 (vmull_s8 (vget_low_s8 (p), vget_low_s8 (q)));
  const int32x4_t second = vpaddlq_s16 (vmull_high_s8 (p, q));

  return sum + (vi) vpaddq_s32 (first, second);
#else
  gint8 p[4 * W], q[4 * W];
  gint32 s[W];

  memcpy (p, &a, sizeof p);
  memcpy (q, &x, sizeof q);
  memcpy (s, &sum, sizeof s);
  for (int i = 0; i < 4 * W; i++)
    s[i / 4] += p[i] * q[i];
  memcpy (&sum, s, sizeof s);
  return sum;
#endif
}
#endif

/* sum[lane] += four products of codes below 64 and numbers of -127 to 127. */
INLINE vi
dot_narrow (vi sum, vi codes, vi x)
{
#if HAVE_VNNI && W == 16
  return (vi) _mm512_dpbusd_epi32 ((__m512i) sum, (__m512i) codes, (__m512i) x);
#elif HAVE_VNNI
  return (vi) _mm256_dpbusd_avx_epi32 ((__m256i) sum, (__m256i) codes, (__m256i) x);
#elif W == 16
  const __m512i pairs = _mm512_maddubs_epi16 ((__m512i) codes, (__m512i) x);

  return sum + (vi) _mm512_madd_epi16 (pairs, _mm512_set1_epi16 (1));
#elif W == 8
  const __m256i pairs = _mm256_maddubs_epi16 ((__m256i) codes, (__m256i) x);

  return sum + (vi) _mm256_madd_epi16 (pairs, _mm256_set1_epi16 (1));
#else
  return dot_signed (sum, codes, x);
#endif
}

/* The same of codes of 8 bits; without WIDE_IS_BIASED each code less 128. */
INLINE vi
dot_wide (vi sum, vi codes, vi x)
{
#if WIDE_IS_BIASED
  return dot_narrow (sum, codes, x);
#else
  const vi numbers = codes ^ (gint32) 0x80808080;
#if W == 16
  const __mmask64 negative = _mm512_movepi8_mask ((__m512i) numbers);
  const __m512i zero = _mm512_setzero_si512 ();
  const __m512i turned = _mm512_mask_sub_epi8 ((__m512i) x, negative, zero, (__m512i) x);

  return dot_narrow (sum, (vi) _mm512_abs_epi8 ((__m512i) numbers), (vi) turned);
#elif W == 8
  const __m256i turned = _mm256_sign_epi8 ((__m256i) x, (__m256i) numbers);

  return dot_narrow (sum, (vi) _mm256_abs_epi8 ((__m256i) numbers), (vi) turned);
#else
  return dot_signed (sum, numbers, x);
#endif
#endif
}

INLINE vi
dot_codes (guint bits, vi sum, vi codes, vi x)
{
  return bits == 8 ? dot_wide (sum, codes, x) : dot_narrow (sum, codes, x);
}

/* ---- codes ------------------------------------------------------------------------------ */

#define LOW_HALVES 0x0f0f0f0f
#define UPPER_TWO 0x30303030

INLINE vi
ivec_at (const guint8 *p)
{
  vi v;

  memcpy (&v, p, sizeof v);
  return v;
}

/* Codes of vector @v (0 to 7) of the block at @codes, from byte @part on. */
INLINE vi
codes_of (guint bits, const guint8 *codes, int v, gsize part)
{
  vi low, high;

  codes += part;
  if (bits == 8)
    return ivec_at (codes + v * PACK_VECTOR);
  low = ivec_at (codes + v % 4 * PACK_VECTOR);
  low = (v < 4 ? low : (vi) ((vu) low >> 4)) & LOW_HALVES;
  if (bits == 4)
    return low;
  high = ivec_at (codes + (4 + v / 4) * PACK_VECTOR);
  high = v % 4 == 0   ? high << 4
         : v % 4 == 1 ? high << 2
         : v % 4 == 2 ? high
                      : (vi) ((vu) high >> 2);
  return low | (high & UPPER_TWO);
}

/* ---- scales ----------------------------------------------------------------------------- */

/* d of 32 numbers, or of 16 twice, and m, of W rows. */
typedef struct
{
  vf d[2], m;
} BlockScales;

INLINE vf
halves_at (const guint8 *p)
{
#if W == 16
  return _mm512_cvtph_ps (_mm256_loadu_si256 ((const void *) p));
#elif W == 8
  return _mm256_cvtph_ps (_mm_loadu_si128 ((const void *) p));
#elif defined __aarch64__
  return (vf) vcvt_f32_f16 (vreinterpret_f16_u8 (vld1_u8 (p)));
#else
  guint16 h[W];
  vf v;

  memcpy (h, p, sizeof h);
  for (int k = 0; k < W; k++)
    v[k] = lm_f16_to_float (h[k]);
  return v;
#endif
}

INLINE vf
factors_at (const guint8 *p, gboolean with_sign)
{
#if W == 16
  const __m128i bytes = _mm_loadu_si128 ((const void *) p);

  return _mm512_cvtepi32_ps (with_sign ? _mm512_cvtepi8_epi32 (bytes)
                                       : _mm512_cvtepu8_epi32 (bytes));
#elif W == 8
  const __m128i bytes = _mm_loadl_epi64 ((const void *) p);

  return _mm256_cvtepi32_ps (with_sign ? _mm256_cvtepi8_epi32 (bytes)
                                       : _mm256_cvtepu8_epi32 (bytes));
#else
  vf v;

  for (int k = 0; k < W; k++)
    v[k] = with_sign ? (float) (gint8) p[k] : (float) p[k];
  return v;
#endif
}

/* Of block @i of the stretch whose scales are at @p, for W rows from @row on. */
INLINE BlockScales
scales_of (LmType type, const guint8 *p, gsize i, gsize row)
{
  const guint8 *factors = p + 64 + i * 32 + row;
  BlockScales s = { 0 };

  switch (lm_packed_scales (type))
    {
    case LM_SCALES_HALF:
      s.d[0] = halves_at (p + i * 32 + 2 * row);
      break;
    case LM_SCALES_HALF_MIN:
      s.d[0] = halves_at (p + i * 64 + 2 * row);
      s.m = halves_at (p + i * 64 + 32 + 2 * row);
      break;
    case LM_SCALES_SUPER:
      s.d[0] = halves_at (p + 2 * row) * factors_at (factors, FALSE);
      s.m = -(halves_at (p + 32 + 2 * row) * factors_at (factors + PACK_COLS, FALSE));
      break;
    case LM_SCALES_SIXTEENS:
      s.d[0] = halves_at (p + 2 * row) * factors_at (factors, TRUE);
      s.d[1] = halves_at (p + 2 * row) * factors_at (factors + PACK_COLS, TRUE);
      break;
    }
  return s;
}

INLINE gboolean
has_minimum (LmType type)
{
  return lm_packed_scales (type) == LM_SCALES_HALF_MIN
         || lm_packed_scales (type) == LM_SCALES_SUPER;
}

INLINE gboolean
in_sixteens (LmType type)
{
  return lm_packed_scales (type) == LM_SCALES_SIXTEENS;
}

#endif
