/* SPDX-License-Identifier: Apache-2.0 */
/* lora.h: a low-rank adapter (Hu et al., 2021): ΔW = scale · B · A, in PEFT's files.
 *
 * Immutable once made, reference-counted.  A and B are F32 in host memory;
 * module names are Hugging Face's ("model.layers.0.self_attn.q_proj").
 */
#ifndef FLOWRUN_LM_LORA_H
#define FLOWRUN_LM_LORA_H

#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/config.h"

G_BEGIN_DECLS

/**
 * LmLoraSpec: what is adapted and how.
 * @rank, @alpha: scale is alpha / rank, or alpha / sqrt (rank) with @rslora
 * @dropout: on the adapter's input, in training alone
 * @targets: last parts of module names ("q_proj"), or one "all-linear": every linear layer but the head; NULL-terminated
 * @layers: (first, last) pairs, inclusive; NULL or empty: all
 */
typedef struct {
  guint rank;
  double alpha, dropout;
  gboolean rslora;
  char **targets;
  GArray *layers; /* guint */
} LmLoraSpec;

/** LmLoraModule: one adapted linear layer. */
typedef struct {
  char *module;
  LmWeightRole role; /* LM_W_Q, … */
  guint layer;
  guint rank;
  float scale;
  gsize in, out;
  float *a; /* [rank, in]  */
  float *b; /* [out, rank] */
} LmLoraModule;

typedef struct _LmLora {
  gint refs;
  LmLoraSpec spec;
  GPtrArray *modules; /* LmLoraModule *, by layer, then role */
} LmLora;

LmLoraSpec lm_lora_spec_copy (const LmLoraSpec *spec);
void lm_lora_spec_clear (LmLoraSpec *spec);

/** lm_lora_plan: the modules that @spec means in @config, A and B NULL; FR_ERROR_CONFIG names a target that no layer has, and those there are. */
LmLora *lm_lora_plan (const LmConfig *config, const LmLoraSpec *spec, GError **error);
/** lm_lora_init: A Kaiming-uniform (a = √5) from @seed, B zero, as PEFT does. */
void lm_lora_init (LmLora *lora, guint64 seed);

/** lm_lora_load: a PEFT directory; total: every tensor lands on a module of @config and every module has both halves, or FR_ERROR_DATA names the first few. */
LmLora *lm_lora_load (const char *dir, const LmConfig *config, GError **error);
/** lm_lora_save: adapter_config.json and adapter_model.safetensors as PEFT writes them; @base: for base_model_name_or_path. */
gboolean lm_lora_save (const LmLora *lora, const char *base, const char *dir, GError **error);

LmLora *lm_lora_ref (LmLora *lora);
void lm_lora_unref (LmLora *lora);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLora, lm_lora_unref)

G_END_DECLS

#endif
