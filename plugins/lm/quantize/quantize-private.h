/* SPDX-License-Identifier: Apache-2.0 */
/* quantize-private.h: tables of quantisers, one for each instruction set.
 *
 * blocks.c is compiled once for each, with LM_QUANTIZE_VARIANT its name.  All
 * give the same bytes: one lane works on one block, no product is contracted.
 */
#ifndef FLOWRUN_LM_QUANTIZE_PRIVATE_H
#define FLOWRUN_LM_QUANTIZE_PRIVATE_H

#include "lm/type.h"

G_BEGIN_DECLS

#define LM_QUANTIZE_JOIN_(variant) lm_quantizers_##variant
#define LM_QUANTIZE_JOIN(variant) LM_QUANTIZE_JOIN_ (variant)

/** LmQuantizers: by type; NULL where there is none.  @n numbers, a multiple of the type's block. */
typedef struct
{
  void (*encode[LM_N_TYPES]) (const float *x, guint8 *out, gsize n);
} LmQuantizers;

extern const LmQuantizers lm_quantizers_base;
extern const LmQuantizers lm_quantizers_v3;
extern const LmQuantizers lm_quantizers_v4;

/** lm_quantizers: those for this processor; $FLOWRUN_CPU ("baseline", "AVX2", "AVX512") chooses a
 * lesser set, for tests. */
const LmQuantizers *lm_quantizers (void);

G_END_DECLS

#endif
