/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.c: which kernels this processor runs. */
#include "config.h"

#ifdef HAVE_X86_VARIANTS
#include <cpuid.h>
#endif
#ifdef HAVE_ARM_DOTPROD
#include <sys/auxv.h>
#endif
#ifdef HAVE_X86_AMX
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"

#define DECLARE(variant)                                                                           \
  extern const LmCpuRows lm_cpu_rows_##variant;                                                    \
  extern const LmCpuAttention lm_cpu_attention_##variant;                                          \
  extern const LmCpuProducts lm_cpu_products_##variant;                                            \
  extern const LmCpuInt8 lm_cpu_int8_##variant;
#define FLOATS(lanes, variant)                                                                     \
  lanes, &lm_cpu_rows_##variant, &lm_cpu_attention_##variant, &lm_cpu_products_##variant
#define ALL(lanes, variant) FLOATS (lanes, variant), &lm_cpu_int8_##variant, NULL

DECLARE (base)
#ifdef HAVE_X86_VARIANTS
DECLARE (v3)
DECLARE (v4)
DECLARE (bf16)
extern const LmCpuInt8 lm_cpu_int8_avxvnni, lm_cpu_int8_vnni;
#endif
#ifdef HAVE_X86_AMX
DECLARE (amx)
extern const LmCpuSplit lm_cpu_split_amx;
#endif
#ifdef HAVE_ARM_DOTPROD
extern const LmCpuInt8 lm_cpu_int8_dotprod;
#endif

#ifdef HAVE_X86_VARIANTS
static gboolean
has_avx2 (void)
{
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")
         && __builtin_cpu_supports ("bmi2");
}

/* AVX-VNNI: leaf 7, part 1, EAX bit 4. */
static gboolean
has_avx_vnni (void)
{
  guint a, b, c, d;

  return has_avx2 () && __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a & 1 << 4) != 0;
}

static gboolean
has_avx512 (void)
{
  return has_avx2 () && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
         && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512dq")
         && __builtin_cpu_supports ("avx512cd");
}

static gboolean
has_avx512_vnni (void)
{
  return has_avx512 () && __builtin_cpu_supports ("avx512vnni");
}

static gboolean
has_avx512_bf16 (void)
{
  return has_avx512_vnni () && __builtin_cpu_supports ("avx512bf16");
}
#endif

#ifdef HAVE_X86_AMX
#define ASK_FOR_FEATURE 0x1023 /* arch_prctl: ARCH_REQ_XCOMP_PERM */
#define TILE_DATA 18

/* A process has tiles only after it has asked for room to keep them (Linux, x86/xstate). */
static gboolean
has_amx (void)
{
  guint a, b, c, d;

  return __get_cpuid_count (7, 0, &a, &b, &c, &d) && (d & bit_AMX_TILE) != 0
         && (d & bit_AMX_BF16) != 0 && (d & bit_AMX_INT8) != 0 && has_avx512_bf16 ()
         && syscall (SYS_arch_prctl, ASK_FOR_FEATURE, TILE_DATA) == 0;
}
#endif

#ifdef HAVE_ARM_DOTPROD
static gboolean
has_dotprod (void)
{
  return (getauxval (AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}
#endif

static gboolean
has_anything (void)
{
  return TRUE;
}

/* The best first. */
static const struct
{
  LmCpuKernels kernels;
  gboolean (*runs) (void);
} variants[] = {
#ifdef HAVE_X86_AMX
  { { "AMX", 16, &lm_cpu_rows_bf16, &lm_cpu_attention_amx, &lm_cpu_products_bf16, &lm_cpu_int8_amx,
      &lm_cpu_split_amx },
    has_amx },
#endif
#ifdef HAVE_X86_VARIANTS
  { { "AVX512-BF16", ALL (16, bf16) }, has_avx512_bf16 },
  { { "AVX512-VNNI", FLOATS (16, v4), &lm_cpu_int8_vnni, NULL }, has_avx512_vnni },
  { { "AVX512", ALL (16, v4) }, has_avx512 },
  { { "AVX-VNNI", FLOATS (8, v3), &lm_cpu_int8_avxvnni, NULL }, has_avx_vnni },
  { { "AVX2", ALL (8, v3) }, has_avx2 },
#endif
#ifdef HAVE_ARM_DOTPROD
  { { "NEON-DOTPROD", FLOATS (4, base), &lm_cpu_int8_dotprod, NULL }, has_dotprod },
#endif
  { { "baseline", ALL (4, base) }, has_anything },
};

static const LmCpuKernels *
choose (void)
{
  const char *wanted = g_getenv ("FLOWRUN_CPU");
  const LmCpuKernels *best = NULL;

#ifdef HAVE_X86_VARIANTS
  __builtin_cpu_init ();
#endif
  for (gsize i = 0; i < G_N_ELEMENTS (variants); i++)
    {
      const LmCpuKernels *k = &variants[i].kernels;
      const gboolean named = g_strcmp0 (k->name, wanted) == 0;

      if ((best == NULL || named) && variants[i].runs ())
        best = k;
    }
  return best;
}

const LmCpuKernels *
lm_cpu_kernels (void)
{
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    g_once_init_leave (&chosen, (gsize) choose ());
  return (const LmCpuKernels *) chosen;
}

const char *
lm_cpu_name (void)
{
  return lm_cpu_kernels ()->name;
}
