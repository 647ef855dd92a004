/* SPDX-License-Identifier: Apache-2.0 */
/* lora-private.h: what lora.c and peft.c share. */
#ifndef FLOWRUN_LM_LORA_PRIVATE_H
#define FLOWRUN_LM_LORA_PRIVATE_H

#include "lm/lora.h"

G_BEGIN_DECLS

/** lm_lora_new: without modules; @spec is copied. */
LmLora *lm_lora_new (const LmLoraSpec *spec);
/** lm_lora_scale: alpha / rank, or alpha / sqrt (rank). */
float lm_lora_scale (double alpha, guint rank, gboolean rslora);
/** lm_lora_linear: all linear layers of @config but the head, in the order of LmLora.modules, rank
 * and scale 0. */
GPtrArray *lm_lora_linear (const LmConfig *config);
void lm_lora_module_free (LmLoraModule *module);
/** lm_lora_last_part: "q_proj" of "model.layers.0.self_attn.q_proj"; points into @module. */
const char *lm_lora_last_part (const char *module);
/** lm_lora_is_meant: whether @target is @module or its last parts, as PEFT reads target_modules. */
gboolean lm_lora_is_meant (const char *module, const char *target);

G_END_DECLS

#endif
