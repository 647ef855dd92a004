/* SPDX-License-Identifier: Apache-2.0 */
/* quantize.c: which quantisers this processor runs. */
#include "config.h"

#include "lm/level.h"
#include "lm/quantize/quantize-private.h"

const LmQuantizers *
lm_quantizers (void)
{
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    {
      const LmQuantizers *best = &lm_quantizers_base;

#ifdef HAVE_X86_VARIANTS
      best = lm_x86_level () == 4   ? &lm_quantizers_v4
             : lm_x86_level () == 3 ? &lm_quantizers_v3
                                    : best;
#endif
      g_once_init_leave (&chosen, (gsize) best);
    }
  return (const LmQuantizers *) chosen;
}
