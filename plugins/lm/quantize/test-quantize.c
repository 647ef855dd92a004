/* SPDX-License-Identifier: Apache-2.0 */
/* test-quantize.c: blocks of every type: how far off, what is exact, the same for every instruction
 * set.  Bytes and errors of ggml itself are compared in tests/conformance/test-gguf.py. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/quantize/quantize-private.h"

#define N 4096

/* Sum of four uniform numbers: near enough to what weights look like. */
static void
draw (float *x, gsize n, guint32 seed)
{
  g_autoptr (GRand) r = g_rand_new_with_seed (seed);

  for (gsize i = 0; i < n; i++)
    x[i] = (float) (g_rand_double (r) + g_rand_double (r) + g_rand_double (r) + g_rand_double (r)
                    - 2);
}

static double
error_of (LmType type, const float *x, gsize n)
{
  g_autofree guint8 *packed = g_malloc (lm_type_bytes (type, n));
  g_autofree float *back = g_new (float, n);
  double off = 0, all = 0;

  lm_encode (type, x, packed, n);
  lm_decode (type, packed, back, n);
  for (gsize i = 0; i < n; i++)
    {
      off += pow ((double) back[i] - (double) x[i], 2);
      all += pow ((double) x[i], 2);
    }
  return sqrt (off / all);
}

/* Root mean square error over that of the numbers, a little above what was measured. */
static const struct
{
  LmType type;
  double error;
} cases[] = { { LM_Q8_0, 0.0052 }, { LM_Q4_0, 0.0785 }, { LM_Q4_1, 0.069 },  { LM_Q5_0, 0.0385 },
              { LM_Q5_1, 0.034 },  { LM_Q4_K, 0.0692 }, { LM_Q5_K, 0.0342 }, { LM_Q6_K, 0.0172 } };

static void
test_error (void)
{
  g_autofree float *x = g_new (float, N);

  draw (x, N, 7);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      double error = error_of (cases[i].type, x, N);

      g_test_message ("%s: %.5f", lm_types[cases[i].type].name, error);
      g_assert_true (lm_type_is_written (cases[i].type));
      g_assert_cmpfloat (error, <, cases[i].error);
      g_assert_cmpfloat (error, >, cases[i].error / 1.2);
    }
  g_assert_false (lm_type_is_written (LM_F64));
  g_assert_false (lm_type_is_written (LM_F8_E4M3));
}

/* All 0, all equal, one spike, huge and tiny: no NaN, and no error beyond one step. */
static void
test_edges (void)
{
  static const float values[] = { 0, 1, -1, 3e-7f, 6e4f, -6e4f };
  float x[512], back[512];
  guint8 packed[4 * 512];

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint v = 0; v < G_N_ELEMENTS (values); v++)
      for (guint spike = 0; spike < 2; spike++)
        {
          for (guint k = 0; k < 512; k++)
            x[k] = spike && k % 256 != 77 ? 0 : values[v];
          lm_encode (cases[i].type, x, packed, 512);
          lm_decode (cases[i].type, packed, back, 512);
          for (guint k = 0; k < 512; k++)
            {
              /* halves below 6e-8 are not there: what is as small may become 0 */
              float most = MAX (fabsf (values[v]) / 14, 1e-6f);

              g_assert_true (fabsf (back[k] - x[k]) <= most);
            }
        }
}

/* What a type holds comes back to the byte, mostly: numbers on a grid are found again. */
static void
test_exact (void)
{
  float x[512], back[512];
  guint8 packed[544];

  for (guint k = 0; k < 512; k++)
    x[k] = ((float) ((k * 37) % 255) - 127) / 64;
  x[0] = -127.0f / 64;
  for (guint k = 0; k < 512; k += 32)
    x[k] = -127.0f / 64;
  lm_encode (LM_Q8_0, x, packed, 512);
  lm_decode (LM_Q8_0, packed, back, 512);
  g_assert_cmpmem (back, sizeof back, x, sizeof x);
}

/* However a tensor is divided, and on whichever processor. */
static void
test_same (void)
{
  g_autofree float *x = g_new (float, N);
  g_autofree guint8 *whole = g_malloc (2 * N), *parts = g_malloc (2 * N);

  draw (x, N, 11);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LmType type = cases[i].type;
      gsize bytes = lm_type_bytes (type, N), one = lm_type_bytes (type, 256);

      lm_quantizers_base.encode[type](x, whole, N);
      for (gsize k = 0; k < N / 256; k++)
        lm_quantizers_base.encode[type](x + 256 * k, parts + one * k, 256);
      g_assert_cmpmem (whole, bytes, parts, bytes);
      lm_encode (type, x, parts, N);
      g_assert_cmpmem (whole, bytes, parts, bytes);
#ifdef HAVE_X86_VARIANTS
      __builtin_cpu_init ();
      if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")
          && __builtin_cpu_supports ("bmi2"))
        {
          memset (parts, 0, bytes);
          lm_quantizers_v3.encode[type](x, parts, N);
          g_assert_cmpmem (whole, bytes, parts, bytes);
        }
#endif
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quantize/error", test_error);
  g_test_add_func ("/quantize/edges", test_edges);
  g_test_add_func ("/quantize/exact", test_exact);
  g_test_add_func ("/quantize/same", test_same);
  return g_test_run ();
}
