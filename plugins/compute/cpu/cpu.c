/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.c: which kernels this processor runs. */
#include "config.h"

#ifdef HAVE_X86_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"

#define DECLARE(variant)                                                                           \
  extern const LmCpuRows lm_cpu_rows_##variant;                                                    \
  extern const LmCpuAttention lm_cpu_attention_##variant;                                          \
  extern const LmCpuProducts lm_cpu_products_##variant;
#define VARIANT(lanes, variant)                                                                    \
  lanes, &lm_cpu_rows_##variant, &lm_cpu_attention_##variant, &lm_cpu_products_##variant

DECLARE (base)
#ifdef HAVE_X86_VARIANTS
DECLARE (v3)
DECLARE (v4)
DECLARE (bf16)
#endif
#ifdef HAVE_X86_AMX
DECLARE (amx)
#endif

/* The best first. */
static const LmCpuKernels variants[] = {
#ifdef HAVE_X86_AMX
  { "AMX", 16, &lm_cpu_rows_bf16, &lm_cpu_attention_amx, &lm_cpu_products_bf16 },
#endif
#ifdef HAVE_X86_VARIANTS
  { "AVX512-BF16", VARIANT (16, bf16) },
  { "AVX512", VARIANT (16, v4) },
  { "AVX2", VARIANT (8, v3) },
#endif
  { "baseline", VARIANT (4, base) },
};

#ifdef HAVE_X86_AMX
#define ASK_FOR_FEATURE 0x1023 /* arch_prctl: ARCH_REQ_XCOMP_PERM */
#define TILE_DATA 18

/* A process has tiles only after it has asked for room to keep them (Linux, x86/xstate). */
static gboolean
has_amx (void)
{
  guint a, b, c, d;

  return __get_cpuid_count (7, 0, &a, &b, &c, &d) && (d & bit_AMX_TILE) != 0
         && (d & bit_AMX_BF16) != 0 && syscall (SYS_arch_prctl, ASK_FOR_FEATURE, TILE_DATA) == 0;
}
#else
static gboolean
has_amx (void)
{
  return FALSE;
}
#endif

/* How many of @variants, from the last one up, this processor can run. */
static guint
runnable (void)
{
#ifdef HAVE_X86_VARIANTS
  __builtin_cpu_init ();
  if (!__builtin_cpu_supports ("avx2") || !__builtin_cpu_supports ("fma")
      || !__builtin_cpu_supports ("bmi2"))
    return 1;
  if (!__builtin_cpu_supports ("avx512f") || !__builtin_cpu_supports ("avx512bw")
      || !__builtin_cpu_supports ("avx512vl") || !__builtin_cpu_supports ("avx512dq")
      || !__builtin_cpu_supports ("avx512cd"))
    return 2;
  if (!__builtin_cpu_supports ("avx512bf16"))
    return 3;
  return 4 + has_amx ();
#else
  return 1;
#endif
}

const LmCpuKernels *
lm_cpu_kernels (void)
{
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    {
      const char *wanted = g_getenv ("FLOWRUN_CPU");
      const LmCpuKernels *best = variants + G_N_ELEMENTS (variants) - runnable ();

      for (const LmCpuKernels *k = best; k < variants + G_N_ELEMENTS (variants); k++)
        if (g_strcmp0 (k->name, wanted) == 0)
          best = k;
      g_once_init_leave (&chosen, (gsize) best);
    }
  return (const LmCpuKernels *) chosen;
}

const char *
lm_cpu_name (void)
{
  return lm_cpu_kernels ()->name;
}
