/* SPDX-License-Identifier: Apache-2.0 */
/* sums.h: what is asked of all logits of a vocabulary, one table for each instruction set.
 *
 * sums.c is compiled once for each, with LM_SUMS_VARIANT its name.
 */
#ifndef FLOWRUN_LM_SUMS_H
#define FLOWRUN_LM_SUMS_H

#include <glib.h>

G_BEGIN_DECLS

#define LM_SUMS_JOIN_(variant) lm_sums_##variant
#define LM_SUMS_JOIN(variant) LM_SUMS_JOIN_ (variant)

/**
 * LmSums:
 * @largest: where the largest of @n numbers is, of equals the first; what is not a number is passed
 * over
 * @exps: exp ((x - largest) × scale) of each
 * @exp: sum of exp ((x - largest) × scale), not a number when one of them is none
 */
typedef struct
{
  gsize (*largest) (const float *x, gsize n);
  void (*exps) (const float *x, gsize n, float largest, float scale, float *out);
  double (*exp) (const float *x, gsize n, float largest, float scale);
} LmSums;

extern const LmSums lm_sums_base;
extern const LmSums lm_sums_v3;
extern const LmSums lm_sums_v4;

/** lm_sums: those for this processor. */
const LmSums *lm_sums (void);

G_END_DECLS

#endif
