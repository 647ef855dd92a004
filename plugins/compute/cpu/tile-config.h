/* SPDX-License-Identifier: Apache-2.0 */
/* tile-config.h: what AMX's tile registers are: LDTILECFG's operand, palette 1.
 *
 * Intel, "Architecture Instruction Set Extensions Programming Reference", chapter on AMX.  How
 * tiles are configured belongs to the thread, and other libraries change it too.
 */
#ifndef FLOWRUN_COMPUTE_CPU_TILE_CONFIG_H
#define FLOWRUN_COMPUTE_CPU_TILE_CONFIG_H

#include "lm/simd.h"

typedef struct
{
  guint8 palette, start_row, reserved[14];
  guint16 row_bytes[16];
  guint8 rows[16];
} AmxConfig;

G_STATIC_ASSERT (sizeof (AmxConfig) == 64);

/* GCC's intrinsics do not say that they read memory: what was written is there from here on. */
#define AMX_WRITTEN() __asm__ volatile("" : : : "memory")

INLINE void
amx_load_config (const AmxConfig *config)
{
  __asm__ volatile("ldtilecfg %0" : : "m"(*config));
}

#endif
