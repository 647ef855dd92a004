/* SPDX-License-Identifier: Apache-2.0 */
/* quantize.c: which quantisers this processor runs. */
#include "config.h"

#include "lm/quantize/quantize-private.h"

/* How far up the levels of x86-64 this processor goes: 1, 3 or 4. */
static guint
level (void)
{
#ifdef HAVE_X86_VARIANTS
  const char *wanted = g_getenv ("FLOWRUN_CPU");

  __builtin_cpu_init ();
  if (!__builtin_cpu_supports ("avx2") || !__builtin_cpu_supports ("fma")
      || !__builtin_cpu_supports ("bmi2") || g_strcmp0 (wanted, "baseline") == 0)
    return 1;
  if (!__builtin_cpu_supports ("avx512f") || !__builtin_cpu_supports ("avx512bw")
      || !__builtin_cpu_supports ("avx512vl") || !__builtin_cpu_supports ("avx512dq")
      || !__builtin_cpu_supports ("avx512cd") || g_strcmp0 (wanted, "AVX2") == 0)
    return 3;
  return 4;
#else
  return 1;
#endif
}

const LmQuantizers *
lm_quantizers (void)
{
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    {
      const LmQuantizers *best = &lm_quantizers_base;

#ifdef HAVE_X86_VARIANTS
      best = level () == 4 ? &lm_quantizers_v4 : level () == 3 ? &lm_quantizers_v3 : best;
#else
      (void) level;
#endif
      g_once_init_leave (&chosen, (gsize) best);
    }
  return (const LmQuantizers *) chosen;
}
