/* SPDX-License-Identifier: Apache-2.0 */
/* model.h: what flows on model ports ("lm.model"): weights, config, tokenizer, template, lineage.
 *
 * A model is immutable and reference-counted (fr_object_ref).  Weights are
 * memory-mapped as stored; a trained model is its base with an adapter or with
 * tensors in place of the base's, and shares everything else with it.
 */
#ifndef FLOWRUN_LM_MODEL_H
#define FLOWRUN_LM_MODEL_H

#include <flowrun/object.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/checkpoint.h"
#include "lm/config.h"
#include "lm/lora.h"
#include "lm/template.h"
#include "lm/tokenizer.h"

G_BEGIN_DECLS

typedef struct _LmModel LmModel;
extern const FrObjectType lm_model_type; /* "lm.model" */

/**
 * lm_model_open: a Hugging Face directory, a GGUF file, or a PEFT adapter directory (its base is looked for at
 * base_model_name_or_path, relative to the adapter too).
 * Checks that every tensor of lm_weights is there in its shape.  FR_ERROR_IO, FR_ERROR_DATA, FR_ERROR_CONFIG.
 */
LmModel *lm_model_open (const char *path, GError **error);
/** lm_model_new_adapted: @base with @lora on top; both borrowed; @card: facts of the training (taken; may be NULL). */
LmModel *lm_model_new_adapted (LmModel *base, LmLora *lora, JsonObject *card);
/** lm_model_open_adapted: the same with the PEFT directory @adapter; @base borrowed. */
LmModel *lm_model_open_adapted (LmModel *base, const char *adapter, GError **error);
/**
 * lm_model_new_tuned: @base with @tensors (LmTensor *, names as in lm_weights) in place of its own.
 * @tensors: taken; its free function frees names and data
 *
 * Shapes must be the base's; a name that the base has not is a programming error.
 */
LmModel *lm_model_new_tuned (LmModel *base, GPtrArray *tensors, JsonObject *card);
/** lm_model_new_memory: tests: a model of @config (taken) and @tensors (taken); tokenizer (borrowed) may be NULL. */
LmModel *lm_model_new_memory (LmConfig *config, GPtrArray *tensors, LmTokenizer *tokenizer, const char *chat_template);

const LmConfig *lm_model_config (LmModel *model);
/**
 * lm_model_tensor: by Hugging Face name; NULL: none.  Query and key rows of a GGUF of the llama family are put into
 * Hugging Face's order when first asked for, in memory of their own: whole rows, as they are stored, byte for byte.
 */
const LmTensor *lm_model_tensor (LmModel *model, const char *name);
/** lm_model_weight: by role; a tied head gives the embedding; NULL: this config has none. */
const LmTensor *lm_model_weight (LmModel *model, LmWeightRole role, guint layer);
/** lm_model_n_tensors, lm_model_nth_tensor: those of lm_weights that this config has; what else the files hold is left out. */
gsize lm_model_n_tensors (LmModel *model);
const LmTensor *lm_model_nth_tensor (LmModel *model, gsize i);
/** lm_model_lora: NULL when it has no adapter. */
LmLora *lm_model_lora (LmModel *model);
/** lm_model_base: of an adapted or tuned model; NULL else. */
LmModel *lm_model_base (LmModel *model);
/** lm_model_tokenizer, lm_model_template: made when first asked for; owned by the model; NULL with FR_ERROR_DATA (also when there is none). */
LmTokenizer *lm_model_tokenizer (LmModel *model, GError **error);
LmTemplate *lm_model_template (LmModel *model, GError **error);
/** lm_model_special: text of a special token of tokenizer_config.json ("bos_token", "eos_token"); NULL: none. */
const char *lm_model_special (LmModel *model, const char *which);
/** lm_model_generation: generation_config.json, or an empty object. */
JsonObject *lm_model_generation (LmModel *model);
/** lm_model_path: where it (or its base) lies; NULL for one in memory.  lm_model_name: for cards and messages. */
const char *lm_model_path (LmModel *model);
const char *lm_model_name (LmModel *model);
/** lm_model_hash: of the weights' file (its size and the hash that the core gives files), for cards and lineage; owned. */
const char *lm_model_hash (LmModel *model, GError **error);
/** lm_model_warnings: char *: what the user should know of the checkpoint; owned. */
const GPtrArray *lm_model_warnings (LmModel *model);
/** lm_model_n_parameters: numbers in all its tensors, a tied head counted once. */
guint64 lm_model_n_parameters (LmModel *model);
/** lm_model_template_source: the chat template's text; NULL: none; owned. */
const char *lm_model_template_source (LmModel *model);
/** lm_model_card: facts of the training that made it; NULL: none. */
JsonObject *lm_model_card (LmModel *model);
/** lm_model_files: base files to copy beside exported weights (tokenizer.json, …): names with absolute paths; NULL-terminated pairs of strings. */
const char *const *lm_model_files (LmModel *model);

/* ---- files that others write to while the model is at work (guard.c) ------------------------ */

/**
 * LmFilesState:
 * @LM_FILES_SAME: the files are those that were opened
 * @LM_FILES_REPLACED: the name of one leads to another file, or nowhere; the model is what it was, for the mapping keeps
 * the old one
 * @LM_FILES_HELD: somebody opened one to write to it, and waited until its weights were in memory here; the model is what it was
 * @LM_FILES_WRITTEN: one was written to in place: the model may answer nonsense, and reading beyond a shortened file ends the
 * process
 */
typedef enum { LM_FILES_SAME = 0, LM_FILES_REPLACED, LM_FILES_HELD, LM_FILES_WRITTEN } LmFilesState;

/**
 * lm_model_guard: asks the system for a lease (fcntl(2), F_SETLEASE) on every file of @model, so that who opens one to
 * write to it or to shorten it waits until lm_model_look() has copied the weights into memory, at the same addresses.
 * Works on Linux for the owner of the files (or with CAP_LEASE) where nobody has them open for writing and the file system
 * knows leases; the system waits for /proc/sys/fs/lease-break-time (45 s).
 * Returns how many files are guarded; the others are only watched.
 */
guint lm_model_guard (LmModel *model);
/**
 * lm_model_look: how the files are now; call it every second or so, from one thread.
 * @which: set to the first that is not as it was; NULL with LM_FILES_SAME; owned by the model
 * @error: set besides when somebody waits to write and there was no memory for a copy: LM_FILES_WRITTEN
 */
LmFilesState lm_model_look (LmModel *model, const char **which, GError **error);
/** lm_model_hold: copies all mapped weights into memory, at the same addresses, also while others read them; FR_ERROR_IO: there is no room. */
gboolean lm_model_hold (LmModel *model, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmModel, fr_object_unref)

G_END_DECLS

#endif
