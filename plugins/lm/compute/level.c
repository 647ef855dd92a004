/* SPDX-License-Identifier: Apache-2.0 */
/* level.c: which vectors this processor has. */
#include "config.h"

#include "lm/level.h"

guint
lm_x86_level (void)
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
