/* SPDX-License-Identifier: Apache-2.0 */
/* simd.h: vectors of W floats over GCC's vector extensions, for whichever instruction set a file is
 * compiled for.
 *
 * All that names an instruction set is here: W 16 with AVX-512, 8 with AVX2 and
 * FMA, otherwise 4 of whatever the machine has.  Partial loads fill with zeros.
 */
#ifndef FLOWRUN_LM_SIMD_H
#define FLOWRUN_LM_SIMD_H

#include <glib.h>
#include <math.h>
#include <string.h>

#include "lm/type.h"

#if defined __AVX512F__ && defined __AVX512BW__ && defined __AVX512VL__ && defined __AVX512DQ__
#include <immintrin.h>
#define W 16
#elif defined __AVX2__ && defined __FMA__ && defined __F16C__
#include <immintrin.h>
#define W 8
#else
#define W 4
#endif

#if W == 16 && defined __AVX512BF16__
#define HAVE_DPBF16 1
#else
#define HAVE_DPBF16 0
#endif

#if HAVE_DPBF16 && defined __AMX_TILE__ && defined __AMX_BF16__
#define HAVE_AMX 1
#else
#define HAVE_AMX 0
#endif

#define INLINE static inline __attribute__ ((always_inline))

typedef float vf __attribute__ ((vector_size (4 * W)));
typedef gint32 vi __attribute__ ((vector_size (4 * W)));
typedef guint32 vu __attribute__ ((vector_size (4 * W)));
typedef guint16 vh __attribute__ ((vector_size (2 * W)));
typedef guint8 vb __attribute__ ((vector_size (W)));
typedef gint8 vsb __attribute__ ((vector_size (W)));
typedef double vd __attribute__ ((vector_size (8 * W)));

INLINE vf
vset (float x)
{
#if W == 16
  return _mm512_set1_ps (x);
#elif W == 8
  return _mm256_set1_ps (x);
#else
  return (vf){ x, x, x, x };
#endif
}

INLINE vf
vload (const void *p)
{
  vf v;

  memcpy (&v, p, sizeof v);
  return v;
}

INLINE void
vstore (void *p, vf v)
{
  memcpy (p, &v, sizeof v);
}

INLINE vf
vfma (vf a, vf b, vf c)
{
#if W == 16
  return _mm512_fmadd_ps (a, b, c);
#elif W == 8
  return _mm256_fmadd_ps (a, b, c);
#else
  return a * b + c;
#endif
}

INLINE vf
vselect (vi mask, vf a, vf b)
{
  return (vf) ((mask & (vi) a) | (~mask & (vi) b));
}

/* The greater; @b where one is NaN. */
INLINE vf
vmax (vf a, vf b)
{
#if W == 16
  return _mm512_max_ps (a, b);
#elif W == 8
  return _mm256_max_ps (a, b);
#else
  return vselect (a > b, a, b);
#endif
}

INLINE vf
vmin (vf a, vf b)
{
#if W == 16
  return _mm512_min_ps (a, b);
#elif W == 8
  return _mm256_min_ps (a, b);
#else
  return vselect (a < b, a, b);
#endif
}

INLINE vf
vsqrt (vf a)
{
#if W == 16
  return _mm512_sqrt_ps (a);
#elif W == 8
  return _mm256_sqrt_ps (a);
#else
  for (int i = 0; i < W; i++)
    a[i] = sqrtf (a[i]);
  return a;
#endif
}

/* Sums and maxima of a vector, by halves: always the same order. */
INLINE float
vsum (vf v)
{
  float x[W];

#if W == 16
  __m256 h = _mm256_add_ps (_mm512_castps512_ps256 (v), _mm512_extractf32x8_ps (v, 1));
  __m128 q = _mm_add_ps (_mm256_castps256_ps128 (h), _mm256_extractf128_ps (h, 1));

  memcpy (x, &q, sizeof q);
#elif W == 8
  __m128 q = _mm_add_ps (_mm256_castps256_ps128 (v), _mm256_extractf128_ps (v, 1));

  memcpy (x, &q, sizeof q);
#else
  memcpy (x, &v, sizeof v);
#endif
  return (x[0] + x[2]) + (x[1] + x[3]);
}

/* The sums of four vectors. */
INLINE void
vsum4 (const vf *v, float *sums)
{
#if W == 16
  __m512 ab = _mm512_add_ps (_mm512_unpacklo_ps (v[0], v[1]), _mm512_unpackhi_ps (v[0], v[1]));
  __m512 cd = _mm512_add_ps (_mm512_unpacklo_ps (v[2], v[3]), _mm512_unpackhi_ps (v[2], v[3]));
  __m512 q = _mm512_add_ps (_mm512_shuffle_ps (ab, cd, 0x44), _mm512_shuffle_ps (ab, cd, 0xee));
  __m256 h = _mm256_add_ps (_mm512_castps512_ps256 (q), _mm512_extractf32x8_ps (q, 1));

  _mm_storeu_ps (sums, _mm_add_ps (_mm256_castps256_ps128 (h), _mm256_extractf128_ps (h, 1)));
#else
  for (int k = 0; k < 4; k++)
    sums[k] = vsum (v[k]);
#endif
}

INLINE float
vmax_all (vf v)
{
#if W == 16
  return _mm512_reduce_max_ps (v);
#else
  float m = v[0];

  for (int i = 1; i < W; i++)
    m = v[i] > m ? v[i] : m;
  return m;
#endif
}

/* e to the x, within 2 units in the last place; subnormal results may be 0, NaN stays NaN.
 * x = n ln 2 + r; e^r by a polynomial fitted over |r| <= ln 2 / 2 (Chebyshev nodes). */
INLINE vf
vexp (vf x)
{
  vf n, r, p;

  x = vmin (vset (89.0f), vmax (vset (-104.0f), x)); /* in this order a NaN passes */
#if W == 16
  n = _mm512_roundscale_ps (x * 0x1.715476p+0f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  n = x * 0x1.715476p+0f + 0x1.8p+23f - 0x1.8p+23f;
#endif
  r = vfma (n, vset (-0x1.62e4p-1f), x);
  r = vfma (n, vset (-0x1.7f7d1cp-20f), r);
  p = vset (0.0013757667f);
  p = vfma (p, r, vset (0.008368905f));
  p = vfma (p, r, vset (0.041669413f));
  p = vfma (p, r, vset (0.16666518f));
  p = vfma (p, r, vset (0.49999988f));
  p = vfma (p, r * r, r) + 1.0f;
#if W == 16
  return _mm512_scalef_ps (p, n);
#else
  /* in two steps, since 2^n alone need not be a float */
  vi k = __builtin_convertvector(vselect (n == n, n, (vf){}), vi);
  vi half = k >> 1;

  return p * (vf) ((half + 127) << 23) * (vf) ((k - half + 127) << 23);
#endif
}

INLINE vf
from_bf16 (vh h)
{
#if W == 16
  return (vf) _mm512_slli_epi32 (_mm512_cvtepu16_epi32 ((__m256i) h), 16);
#else
  return (vf) (__builtin_convertvector(h, vu) << 16);
#endif
}

INLINE vh
to_bf16 (vf v)
{
#if HAVE_DPBF16
  return (vh) _mm512_cvtneps_pbh (v);
#else
  vu u = (vu) v, nan = (vu) (v != v);
  vu r = (u + 0x7fff + (u >> 16 & 1)) >> 16;

  return __builtin_convertvector((nan & (u >> 16 | 0x40)) | (~nan & r), vh);
#endif
}

/* ---- W numbers of an array of @type (F32 or BF16) at @i, or those before @n ------ */

INLINE vf
vget (LmType type, const void *p, gsize i, gsize n)
{
  if (type == LM_BF16)
    {
      const guint16 *h = (const guint16 *) p + i;
      vh v = {};

      if (G_LIKELY (n - i >= W))
        memcpy (&v, h, sizeof v);
      else
        {
#if W == 16
          v = (vh) _mm256_maskz_loadu_epi16 ((__mmask16) ((1u << (n - i)) - 1), h);
#else
          guint16 part[W] = { 0 };

          memcpy (part, h, (n - i) * sizeof *h);
          memcpy (&v, part, sizeof v);
#endif
        }
      return from_bf16 (v);
    }
  else
    {
      const float *f = (const float *) p + i;

      if (G_LIKELY (n - i >= W))
        return vload (f);
#if W == 16
      return _mm512_maskz_loadu_ps ((__mmask16) ((1u << (n - i)) - 1), f);
#else
      float part[W] = { 0 };

      memcpy (part, f, (n - i) * sizeof *f);
      return vload (part);
#endif
    }
}

INLINE void
vput (LmType type, void *p, gsize i, gsize n, vf v)
{
  if (type == LM_BF16)
    {
      guint16 *h = (guint16 *) p + i;
      vh r = to_bf16 (v);

      if (G_LIKELY (n - i >= W))
        memcpy (h, &r, sizeof r);
      else
        memcpy (h, &r, (n - i) * sizeof *h);
    }
  else
    {
      float *f = (float *) p + i;

      if (G_LIKELY (n - i >= W))
        vstore (f, v);
      else
        memcpy (f, &v, (n - i) * sizeof *f);
    }
}

#endif
