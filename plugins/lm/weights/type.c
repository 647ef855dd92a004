/* SPDX-License-Identifier: Apache-2.0 */
/* type.c: the table of types, and conversion between them.
 *
 * Layouts and arithmetic of the quantised types follow the GGUF specification
 * and the block structures of ggml; every number is computed in float as
 * there, so that the result is the same to the bit.  Files are little-endian,
 * and so are the machines this runs on; block data may be unaligned.
 */
#include "config.h"

#include "lm/type.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "lm/quantize/quantize-private.h"

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

/* Numbers that lm_convert() widens at a time; a multiple of every block. */
#define CHUNK 1024

const LmTypeInfo lm_types[LM_N_TYPES] = {
  [LM_F32] = { "F32", 1, 4, 0, "F32", TRUE },
  [LM_F16] = { "F16", 1, 2, 1, "F16", TRUE },
  [LM_BF16] = { "BF16", 1, 2, 30, "BF16", TRUE },
  [LM_F64] = { "F64", 1, 8, 28, "F64", TRUE },
  [LM_I8] = { "I8", 1, 1, 24, "I8", FALSE },
  [LM_I16] = { "I16", 1, 2, 25, "I16", FALSE },
  [LM_I32] = { "I32", 1, 4, 26, "I32", FALSE },
  [LM_I64] = { "I64", 1, 8, 27, "I64", FALSE },
  [LM_U8] = { "U8", 1, 1, -1, "U8", FALSE },
  [LM_BOOL] = { "BOOL", 1, 1, -1, "BOOL", FALSE },
  [LM_F8_E4M3] = { "F8_E4M3", 1, 1, -1, "F8_E4M3", FALSE },
  [LM_F8_E5M2] = { "F8_E5M2", 1, 1, -1, "F8_E5M2", FALSE },
  [LM_Q4_0] = { "Q4_0", 32, 18, 2, NULL, TRUE },
  [LM_Q4_1] = { "Q4_1", 32, 20, 3, NULL, TRUE },
  [LM_Q5_0] = { "Q5_0", 32, 22, 6, NULL, TRUE },
  [LM_Q5_1] = { "Q5_1", 32, 24, 7, NULL, TRUE },
  [LM_Q8_0] = { "Q8_0", 32, 34, 8, NULL, TRUE },
  [LM_Q4_K] = { "Q4_K", 256, 144, 12, NULL, TRUE },
  [LM_Q5_K] = { "Q5_K", 256, 176, 13, NULL, TRUE },
  [LM_Q6_K] = { "Q6_K", 256, 210, 14, NULL, TRUE },
};

typedef union
{
  guint32 u;
  float f;
} Bits;

float
lm_f16_to_float (guint16 h)
{
  Bits v = { .u = (guint32) (h & 0x7fff) << 13 };
  guint32 exponent = v.u & 0x0f800000;

  v.u += (127 - 15) << 23;
  if (exponent == 0x0f800000) /* infinite, or not a number */
    v.u += (128 - 16) << 23;
  else if (exponent == 0)
    {
      Bits magic = { .u = 113 << 23 };

      v.u += 1 << 23;
      v.f -= magic.f;
    }
  v.u |= (guint32) (h & 0x8000) << 16;
  return v.f;
}

guint16
lm_float_to_f16 (float f)
{
  Bits v = { .f = f };
  guint32 sign = v.u & 0x80000000, h;

  v.u ^= sign;
  if (v.u >= (127 + 16) << 23) /* too large: infinite; a NaN stays one */
    h = v.u > 0x7f800000 ? 0x7e00 : 0x7c00;
  else if (v.u < 113 << 23) /* subnormal: the addition rounds to nearest even */
    {
      Bits magic = { .u = (127 - 15 + 23 - 10 + 1) << 23 };

      v.f += magic.f;
      h = v.u - magic.u;
    }
  else
    h = (v.u + ((guint32) (15 - 127) << 23) + 0xfff + (v.u >> 13 & 1)) >> 13;
  return (guint16) (h | sign >> 16);
}

/* A half-precision scale at any address. */
static inline float
half_at (const guint8 *p)
{
  guint16 h;

  memcpy (&h, p, sizeof h);
  return lm_f16_to_float (h);
}

/* ---- decoding: one block each ------------------------------------------------------ */

static void
decode_q4_0 (const guint8 *b, float *y)
{
  float d = half_at (b);

  for (int j = 0; j < 16; j++)
    {
      y[j] = (float) ((b[2 + j] & 15) - 8) * d;
      y[j + 16] = (float) ((b[2 + j] >> 4) - 8) * d;
    }
}

static void
decode_q4_1 (const guint8 *b, float *y)
{
  float d = half_at (b), m = half_at (b + 2);

  for (int j = 0; j < 16; j++)
    {
      y[j] = (float) (b[4 + j] & 15) * d + m;
      y[j + 16] = (float) (b[4 + j] >> 4) * d + m;
    }
}

static void
decode_q5_0 (const guint8 *b, float *y)
{
  float d = half_at (b);
  guint32 high;

  memcpy (&high, b + 2, sizeof high);
  for (int j = 0; j < 16; j++)
    {
      y[j] = (float) ((int) ((b[6 + j] & 15) | (high >> j & 1) << 4) - 16) * d;
      y[j + 16] = (float) ((int) (b[6 + j] >> 4 | (high >> (j + 16) & 1) << 4) - 16) * d;
    }
}

static void
decode_q5_1 (const guint8 *b, float *y)
{
  float d = half_at (b), m = half_at (b + 2);
  guint32 high;

  memcpy (&high, b + 4, sizeof high);
  for (int j = 0; j < 16; j++)
    {
      y[j] = (float) ((b[8 + j] & 15) | (high >> j & 1) << 4) * d + m;
      y[j + 16] = (float) (b[8 + j] >> 4 | (high >> (j + 16) & 1) << 4) * d + m;
    }
}

static void
decode_q8_0 (const guint8 *b, float *y)
{
  float d = half_at (b);

  for (int j = 0; j < 32; j++)
    y[j] = (float) (gint8) b[2 + j] * d;
}

/* The 6-bit scales and minima of Q4_K and Q5_K: eight of each in 12 bytes. */
static inline void
scale_min (const guint8 *sc, int j, float *scale, float *min)
{
  if (j < 4)
    {
      *scale = (float) (sc[j] & 63);
      *min = (float) (sc[j + 4] & 63);
    }
  else
    {
      *scale = (float) ((sc[j + 4] & 15) | sc[j - 4] >> 6 << 4);
      *min = (float) (sc[j + 4] >> 4 | sc[j] >> 6 << 4);
    }
}

static void
decode_q4_k (const guint8 *b, float *y)
{
  float d = half_at (b), dmin = half_at (b + 2);
  const guint8 *q = b + 16;

  for (int j = 0; j < 8; j += 2, q += 32, y += 64)
    {
      float s1, m1, s2, m2;

      scale_min (b + 4, j, &s1, &m1);
      scale_min (b + 4, j + 1, &s2, &m2);
      s1 *= d, m1 *= dmin, s2 *= d, m2 *= dmin;
      for (int l = 0; l < 32; l++)
        {
          y[l] = s1 * (float) (q[l] & 15) - m1;
          y[l + 32] = s2 * (float) (q[l] >> 4) - m2;
        }
    }
}

static void
decode_q5_k (const guint8 *b, float *y)
{
  float d = half_at (b), dmin = half_at (b + 2);
  const guint8 *high = b + 16, *q = b + 48;

  for (int j = 0; j < 8; j += 2, q += 32, y += 64)
    {
      float s1, m1, s2, m2;

      scale_min (b + 4, j, &s1, &m1);
      scale_min (b + 4, j + 1, &s2, &m2);
      s1 *= d, m1 *= dmin, s2 *= d, m2 *= dmin;
      for (int l = 0; l < 32; l++)
        {
          y[l] = s1 * (float) ((q[l] & 15) | (high[l] >> j & 1) << 4) - m1;
          y[l + 32] = s2 * (float) (q[l] >> 4 | (high[l] >> (j + 1) & 1) << 4) - m2;
        }
    }
}

static void
decode_q6_k (const guint8 *b, float *y)
{
  const guint8 *low = b, *high = b + 128;
  const gint8 *sc = (const gint8 *) b + 192;
  float d = half_at (b + 208);

  for (int half = 0; half < 2; half++, low += 64, high += 32, sc += 8, y += 128)
    for (int l = 0; l < 32; l++)
      {
        int is = l / 16;
        int q1 = ((low[l] & 15) | (high[l] & 3) << 4) - 32;
        int q2 = ((low[l + 32] & 15) | (high[l] >> 2 & 3) << 4) - 32;
        int q3 = (low[l] >> 4 | (high[l] >> 4 & 3) << 4) - 32;
        int q4 = (low[l + 32] >> 4 | (high[l] >> 6 & 3) << 4) - 32;

        y[l] = d * (float) sc[is] * (float) q1;
        y[l + 32] = d * (float) sc[is + 2] * (float) q2;
        y[l + 64] = d * (float) sc[is + 4] * (float) q3;
        y[l + 96] = d * (float) sc[is + 6] * (float) q4;
      }
}

static void (*const block_decoders[LM_N_TYPES]) (const guint8 *, float *) = {
  [LM_Q4_0] = decode_q4_0, [LM_Q4_1] = decode_q4_1, [LM_Q5_0] = decode_q5_0,
  [LM_Q5_1] = decode_q5_1, [LM_Q8_0] = decode_q8_0, [LM_Q4_K] = decode_q4_k,
  [LM_Q5_K] = decode_q5_k, [LM_Q6_K] = decode_q6_k,
};

typedef guint16 Halves __attribute__ ((vector_size (16)));
typedef guint32 Words __attribute__ ((vector_size (32)));

/* Eight at a time. */
static void
decode_bf16 (const guint8 *src, float *dst, gsize n)
{
  gsize i = 0;

  for (; i + 8 <= n; i += 8)
    {
      Halves h;
      Words w;

      memcpy (&h, src + 2 * i, sizeof h);
      w = __builtin_convertvector(h, Words) << 16;
      memcpy (dst + i, &w, sizeof w);
    }
  for (; i < n; i++)
    {
      guint16 h;

      memcpy (&h, src + 2 * i, sizeof h);
      dst[i] = lm_bf16_to_float (h);
    }
}

/* Numbers of 2 or 8 bytes, at any address. */
static void
decode_plain (LmType type, const guint8 *src, float *dst, gsize n)
{
  switch (type)
    {
    case LM_F16:
      for (gsize i = 0; i < n; i++)
        dst[i] = half_at (src + 2 * i);
      break;
    case LM_BF16:
      decode_bf16 (src, dst, n);
      break;
    default:
      for (gsize i = 0; i < n; i++)
        {
          double d;

          memcpy (&d, src + 8 * i, sizeof d);
          dst[i] = (float) d;
        }
    }
}

void
lm_decode (LmType type, gconstpointer src, float *dst, gsize n)
{
  const LmTypeInfo *info = &lm_types[type];
  const guint8 *b = src;

  g_return_if_fail (info->numeric && n % info->block == 0);
  if (type == LM_F32)
    memcpy (dst, src, n * sizeof (float));
  else if (block_decoders[type] == NULL)
    decode_plain (type, b, dst, n);
  else
    for (gsize i = 0; i < n; i += info->block, b += info->bytes)
      block_decoders[type](b, dst + i);
}

/* ---- encoding ---------------------------------------------------------------------- */

gboolean
lm_type_is_written (LmType type)
{
  return type == LM_F32 || type == LM_F16 || type == LM_BF16
         || lm_quantizers ()->encode[type] != NULL;
}

/* As lm_float_to_f16(), eight at a time where the processor has an instruction for it; a NaN goes
 * the other way, for its bits would be others.  Returns how many of @n were done. */
#ifdef __x86_64__
__attribute__ ((target ("avx,f16c"))) static gsize
encode_f16_x86 (const float *src, guint8 *out, gsize n)
{
  gsize i = 0;

  for (; i + 8 <= n; i += 8)
    {
      __m256 x = _mm256_loadu_ps (src + i);

      if (_mm256_movemask_ps (_mm256_cmp_ps (x, x, _CMP_UNORD_Q)) != 0)
        break;
      _mm_storeu_si128 ((__m128i *) (gpointer) (out + 2 * i),
                        _mm256_cvtps_ph (x, _MM_FROUND_TO_NEAREST_INT));
    }
  return i;
}
#endif

static gsize
encode_f16_fast (const float *src, guint8 *out, gsize n)
{
#ifdef __x86_64__
  /* None has these without F16C, which clang 14 cannot ask for. */
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return encode_f16_x86 (src, out, n);
#endif
  (void) src;
  (void) out;
  (void) n;
  return 0;
}

void
lm_encode (LmType type, const float *src, gpointer dst, gsize n)
{
  guint8 *out = dst;

  g_return_if_fail (n % lm_types[type].block == 0);
  switch (type)
    {
    case LM_F32:
      memcpy (dst, src, n * sizeof (float));
      break;
    case LM_F16:
    case LM_BF16:
      for (gsize i = type == LM_F16 ? encode_f16_fast (src, out, n) : 0; i < n; i++)
        {
          guint16 h = type == LM_F16 ? lm_float_to_f16 (src[i]) : lm_float_to_bf16 (src[i]);

          memcpy (out + 2 * i, &h, sizeof h);
        }
      break;
    default:
      g_return_if_fail (lm_type_is_written (type));
      lm_quantizers ()->encode[type](src, out, n);
    }
}

void
lm_convert (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n)
{
  const guint8 *in = src;
  guint8 *out = dst;
  float chunk[CHUNK];

  if (from == to)
    {
      memcpy (dst, src, lm_type_bytes (from, n));
      return;
    }
  while (n > 0)
    {
      gsize now = MIN (n, CHUNK);

      lm_decode (from, in, chunk, now);
      lm_encode (to, chunk, out, now);
      in += lm_type_bytes (from, now);
      out += lm_type_bytes (to, now);
      n -= now;
    }
}
