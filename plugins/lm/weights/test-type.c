/* SPDX-License-Identifier: Apache-2.0 */
/* test-type.c: conversion of numbers, against hashes of what other programs give.
 *
 * The bytes to decode come from the generator below.  Expected hashes (FNV-1a,
 * 64 bits, over the floats' bytes) and numbers were computed once with
 * gguf.quants.dequantize() and quantize() of the Python package gguf, numpy's
 * float16 and torch's bfloat16, over the same bytes.
 */
#include "config.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "lm/type.h"

static guint64
fnv (gconstpointer data, gsize n)
{
  guint64 h = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (const guint8 *p = data; n > 0; n--)
    h = (h ^ *p++) * G_GUINT64_CONSTANT (0x100000001b3);
  return h;
}

static void
lcg (guint32 seed, guint8 *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      seed = seed * 1664525 + 1013904223;
      out[i] = (guint8) (seed >> 24);
    }
}

static const struct
{
  LmType type;
  int halves[2]; /* where a block holds half-precision numbers, made moderate */
  guint64 hash;
  float samples[3]; /* numbers 0, 100 and 511 */
} goldens[] = {
  { LM_Q4_0, { 0, -1 }, 0x3483481ca303f058, { 0x1.81ep-3f, -0x1.1c4p-2f, 0x1.734p-3f } },
  { LM_Q4_1, { 0, 2 }, 0xa9a3980175141c7e, { 0x1.99dp-2f, -0x1.5c7p-1f, 0x1.3p-4f } },
  { LM_Q5_0, { 0, -1 }, 0x69eb4dfacdb490da, { 0x1.c23p-1f, 0x1.611p+0f, -0.0f } },
  { LM_Q5_1, { 0, 2 }, 0x9fa8a6a876f55651, { 0x1.99dp-2f, 0x1.aap-6f, -0x1.e228p-1f } },
  { LM_Q8_0, { 0, -1 }, 0x09d41da4c1a58c94, { -0x1.d649p+2f, -0x1.9012p+1f, 0x1.ae78p+0f } },
  { LM_Q4_K, { 0, 2 }, 0xd2db89a67b004ab9, { 0x1.e078p+3f, 0x1.a3e3p+3f, -0x1.3e534p+4f } },
  { LM_Q5_K, { 0, 2 }, 0xf36d27abdbe7fe12, { 0x1.b9aep+5f, 0x1.9ef08p+4f, -0x1.65cp-1f } },
  { LM_Q6_K, { 208, -1 }, 0xcee5845a914918c1, { -0x1.49bc2p+7f, -0x1.29cp+2f, -0x1.d0928p+4f } },
};

static void
test_decode (void)
{
  for (guint g = 0; g < G_N_ELEMENTS (goldens); g++)
    {
      const LmTypeInfo *info = &lm_types[goldens[g].type];
      gsize bytes = lm_type_bytes (goldens[g].type, 512);
      g_autofree guint8 *blocks = g_malloc (bytes + 1);
      float y[512];

      lcg (12345, blocks + 1, bytes); /* unaligned, as in K-quant files */
      for (gsize b = 0; b < bytes; b += info->bytes)
        for (guint h = 0; h < 2 && goldens[g].halves[h] >= 0; h++)
          {
            guint8 *high = blocks + 1 + b + goldens[g].halves[h] + 1;

            *high = (*high & 0x83) | 0x2c;
          }
      lm_decode (goldens[g].type, blocks + 1, y, 512);
      g_test_message ("%s", info->name);
      g_assert_cmpfloat (y[0], ==, goldens[g].samples[0]);
      g_assert_cmpfloat (y[100], ==, goldens[g].samples[1]);
      g_assert_cmpfloat (y[511], ==, goldens[g].samples[2]);
      g_assert_cmphex (fnv (y, sizeof y), ==, goldens[g].hash);
    }
}

static void
test_encode_q8 (void)
{
  float x[96], y[96];
  guint8 blocks[3 * 34];

  for (int i = 0; i < 96; i++)
    x[i] = (float) ((i * 7919 % 1021 - 510) / 37.0 * (i < 32 ? 1 : i < 64 ? 0.001 : 0));
  lm_encode (LM_Q8_0, x, blocks, 96);
  g_assert_cmphex (fnv (blocks, sizeof blocks), ==, 0x40505f8ca612ca45);
  lm_decode (LM_Q8_0, blocks, y, 96);
  for (int i = 0; i < 96; i++)
    g_assert_cmpfloat (fabsf (x[i] - y[i]), <=, (i < 32 ? 13.8f : 0.0138f) / 127);
  /* What is not finite has no code, and does no harm. */
  x[3] = NAN;
  x[40] = INFINITY;
  lm_encode (LM_Q8_0, x, blocks, 96);
  g_assert_cmpint (blocks[2 + 3], ==, 0);
}

static void
test_half (void)
{
  g_autofree float *all = g_new (float, 65536);

  for (guint h = 0; h < 65536; h++)
    {
      float f = lm_f16_to_float ((guint16) h);

      all[h] = isnan (f) ? 0 : f;
      if (isnan (f))
        g_assert_true (isnan (lm_f16_to_float (lm_float_to_f16 (f))));
      else
        g_assert_cmphex (lm_float_to_f16 (f), ==, h);
    }
  g_assert_cmphex (fnv (all, 65536 * sizeof (float)), ==, 0x00a0750411cb2745);
}

#define N_EACH 20000

static void
test_narrow (void)
{
  g_autofree float *x = g_new (float, 3 * N_EACH);
  g_autofree guint16 *h = g_new (guint16, 3 * N_EACH);
  gsize n = 3 * N_EACH;

  lcg (99, (guint8 *) x, N_EACH * sizeof (float));
  for (int i = 0; i < N_EACH; i++)
    {
      if (isnan (x[i]))
        x[i] = 0;
      x[N_EACH + i] = (float) (i - N_EACH / 2) * 7.3e-8f;
      x[2 * N_EACH + i] = (float) i * 3.7f;
    }
  lm_encode (LM_F16, x, h, n);
  g_assert_cmphex (fnv (h, n * 2), ==, 0xdddfe753327e9e6e);
  lm_encode (LM_BF16, x, h, n);
  g_assert_cmphex (fnv (h, n * 2), ==, 0x4ea08e7a1a13fb58);
  g_assert_true (isnan (lm_bf16_to_float (lm_float_to_bf16 (NAN))));
}

static void
test_convert (void)
{
  double wide[3] = { 1.5, -2.25, 1e300 };
  float f[3];
  guint16 h[3];
  g_autofree float *many = g_new (float, 5000), *back = g_new (float, 5000);
  g_autofree guint16 *narrow = g_new (guint16, 5000);

  lm_convert (LM_F64, wide, LM_F32, f, 3);
  g_assert_cmpfloat (f[0], ==, 1.5f);
  g_assert_cmpfloat (f[1], ==, -2.25f);
  g_assert_true (isinf (f[2]));
  lm_convert (LM_F32, f, LM_BF16, h, 2);
  lm_convert (LM_BF16, h, LM_F16, h + 1, 1);
  g_assert_cmphex (h[1], ==, 0x3e00);
  for (int i = 0; i < 5000; i++)
    many[i] = (float) i / 8;
  lm_convert (LM_F32, many, LM_F16, narrow, 5000); /* more than are widened at a time */
  lm_convert (LM_F16, narrow, LM_F32, back, 5000);
  for (int i = 0; i < 5000; i++)
    g_assert_cmpfloat (fabsf (back[i] - many[i]), <=, 0.25f);
  lm_convert (LM_F32, many, LM_F32, back, 5000);
  g_assert_cmpmem (many, 5000 * sizeof (float), back, 5000 * sizeof (float));
}

static void
test_table (void)
{
  for (guint t = 0; t < LM_N_TYPES; t++)
    {
      g_assert_nonnull (lm_types[t].name);
      g_assert_cmpuint (lm_types[t].block, >, 0);
      for (guint k = 0; k < t; k++)
        {
          g_assert_cmpstr (lm_types[t].name, !=, lm_types[k].name);
          g_assert_true (lm_types[t].gguf < 0 || lm_types[t].gguf != lm_types[k].gguf);
        }
    }
  g_assert_cmpuint (lm_type_bytes (LM_Q6_K, 512), ==, 420);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lm/type/table", test_table);
  g_test_add_func ("/lm/type/decode", test_decode);
  g_test_add_func ("/lm/type/encode-q8", test_encode_q8);
  g_test_add_func ("/lm/type/half", test_half);
  g_test_add_func ("/lm/type/narrow", test_narrow);
  g_test_add_func ("/lm/type/convert", test_convert);
  return g_test_run ();
}
