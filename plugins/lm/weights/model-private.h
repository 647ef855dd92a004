/* SPDX-License-Identifier: Apache-2.0 */
/* model-private.h: the inside of a model, shared by model.c, open.c, side.c and keep.c. */
#ifndef FLOWRUN_LM_MODEL_PRIVATE_H
#define FLOWRUN_LM_MODEL_PRIVATE_H

#include "lm/model.h"
#include "lm/weights/weights-private.h"

G_BEGIN_DECLS

/**
 * LmSlot: one tensor of lm_weights.
 * @tensor: under its Hugging Face name; data NULL until the rows of a permuted one are put right
 * @stored: where it lies in the file
 * @heads: of a permuted one; 0 else
 * @copy: what @tensor's data is then; owned
 */
typedef struct
{
  LmTensor tensor;
  gconstpointer stored;
  guint heads;
  gpointer copy;
} LmSlot;

/**
 * LmModel: either a checkpoint (no base), or a base with an adapter or with tensors of its own;
 * what the latter has not it takes from the base.
 * @own: tuned: by slot, NULL where the base's counts
 * @by_role: index into @slots plus one, by role and layer
 * @files: LmWeightFile *, kept open
 * @dir: directory of a Hugging Face checkpoint; NULL
 * @lock: guards what is made when it is first asked for
 */
struct _LmModel
{
  FrObject object;
  LmModel *base;
  LmLora *lora;
  GPtrArray *tuned;
  const LmTensor **own;
  JsonObject *card;
  char *path;
  char *name;

  LmConfig *config;
  GPtrArray *files;
  GArray *slots;
  GHashTable *by_name;
  guint *by_role;
  char *dir;
  JsonObject *generation;
  JsonObject *tokenizer_config; /* NULL: no such file */
  JsonObject *special_map;      /* the same of special_tokens_map.json */
  GPtrArray *warnings;
  GPtrArray *side_files;

  GMutex lock;
  LmTokenizer *tokenizer;
  LmTemplate *template;
  GHashTable *special;
  char *template_source;
  gboolean template_read;
  char *hash;
};

/** lm_model_new: an empty one. */
LmModel *lm_model_new (void);
/** lm_model_root: the checkpoint at the bottom of @model. */
LmModel *lm_model_root (LmModel *model);
/** lm_model_add_slot: @name is taken. */
void lm_model_add_slot (LmModel *model, LmWeightRole role, guint layer, char *name,
                        const LmTensor *stored, guint heads);
/** lm_model_read_json: the object in @dir/@name; *@out NULL when there is no such file. */
gboolean lm_model_read_json (const char *dir, const char *name, JsonObject **out, GError **error);
/** lm_model_find_side_files: fills @side_files. */
void lm_model_find_side_files (LmModel *model);

JsonNode *lm_model_describe (FrObject *object);
gboolean lm_model_save (FrObject *object, const char *dir, GError **error);
FrObject *lm_model_load (const char *dir, GError **error);

G_END_DECLS

#endif
