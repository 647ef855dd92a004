/* SPDX-License-Identifier: Apache-2.0 */
/* type.c: the table of types. */
#include "config.h"

#include "lm/type.h"

const LmTypeInfo lm_types[LM_N_TYPES] = {
  [LM_F32] = { "F32", 1, 4, 0, "F32", TRUE },
  [LM_F16] = { "F16", 1, 2, 1, "F16", TRUE },
  [LM_BF16] = { "BF16", 1, 2, 30, "BF16", TRUE },
  [LM_F64] = { "F64", 1, 8, 28, "F64", TRUE },
  [LM_I8] = { "I8", 1, 1, 24, "I8", FALSE },
  [LM_I16] = { "I16", 1, 2, 25, "I16", FALSE },
  [LM_I32] = { "I32", 1, 4, 26, "I32", FALSE },
  [LM_I64] = { "I64", 1, 8, 27, "I64", FALSE },
  [LM_U8] = { "U8", 1, 1, -1, "U8", FALSE },
  [LM_BOOL] = { "BOOL", 1, 1, -1, "BOOL", FALSE },
  [LM_F8_E4M3] = { "F8_E4M3", 1, 1, -1, "F8_E4M3", FALSE },
  [LM_F8_E5M2] = { "F8_E5M2", 1, 1, -1, "F8_E5M2", FALSE },
  [LM_Q4_0] = { "Q4_0", 32, 18, 2, NULL, TRUE },
  [LM_Q4_1] = { "Q4_1", 32, 20, 3, NULL, TRUE },
  [LM_Q5_0] = { "Q5_0", 32, 22, 6, NULL, TRUE },
  [LM_Q5_1] = { "Q5_1", 32, 24, 7, NULL, TRUE },
  [LM_Q8_0] = { "Q8_0", 32, 34, 8, NULL, TRUE },
  [LM_Q4_K] = { "Q4_K", 256, 144, 12, NULL, TRUE },
  [LM_Q5_K] = { "Q5_K", 256, 176, 13, NULL, TRUE },
  [LM_Q6_K] = { "Q6_K", 256, 210, 14, NULL, TRUE },
};
