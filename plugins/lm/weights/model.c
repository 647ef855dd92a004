/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: what a model is once it is there: tensors by name and by role.
 *
 * open.c makes one from files, side.c gives its tokenizer, template and special
 * tokens, keep.c saves it for a later run.
 */
#include "config.h"

#include <flowrun/port.h>
#include <string.h>

#include "lm/weights/model-private.h"

static void
slot_clear (gpointer data)
{
  LmSlot *slot = data;

  g_free (slot->tensor.name);
  g_free (slot->copy);
}

LmModel *
lm_model_new (void)
{
  LmModel *model = g_new0 (LmModel, 1);

  fr_object_init (&model->object, &lm_model_type);
  g_mutex_init (&model->lock);
  model->files = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_weight_file_unref);
  model->slots = g_array_new (FALSE, TRUE, sizeof (LmSlot));
  g_array_set_clear_func (model->slots, slot_clear);
  model->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  model->warnings = g_ptr_array_new_with_free_func (g_free);
  model->special = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  model->side_files = g_ptr_array_new_with_free_func (g_free);
  return model;
}

static void
model_free (FrObject *object)
{
  LmModel *model = (LmModel *) object;

  g_clear_pointer (&model->template, lm_template_free);
  g_clear_pointer (&model->tokenizer, lm_tokenizer_unref);
  g_clear_pointer (&model->lora, lm_lora_unref);
  g_clear_pointer (&model->tuned, g_ptr_array_unref);
  g_clear_pointer (&model->card, json_object_unref);
  g_clear_pointer (&model->tokenizer_config, json_object_unref);
  g_clear_pointer (&model->special_map, json_object_unref);
  g_clear_pointer (&model->generation, json_object_unref);
  g_clear_pointer (&model->config, lm_config_free);
  g_hash_table_unref (model->by_name);
  g_hash_table_unref (model->special);
  g_array_unref (model->slots);
  g_ptr_array_unref (model->files);
  g_ptr_array_unref (model->warnings);
  g_ptr_array_unref (model->side_files);
  g_mutex_clear (&model->lock);
  g_free (model->own);
  g_free (model->by_role);
  g_free (model->dir);
  g_free (model->path);
  g_free (model->name);
  g_free (model->template_source);
  g_free (model->hash);
  if (model->base != NULL)
    fr_object_unref (model->base);
  g_free (model);
}

const FrObjectType lm_model_type = {
  .size = sizeof (FrObjectType),
  .name = "lm.model",
  .kind = FR_PORT_MODEL,
  .save = lm_model_save,
  .load = lm_model_load,
  .describe = lm_model_describe,
  .free = model_free,
};

LmModel *
lm_model_root (LmModel *model)
{
  while (model->base != NULL)
    model = model->base;
  return model;
}

void
lm_model_add_slot (LmModel *model, LmWeightRole role, guint layer, char *name,
                   const LmTensor *stored, guint heads)
{
  LmSlot slot = { .tensor = *stored, .stored = stored->data, .heads = heads };

  if (model->by_role == NULL)
    model->by_role = g_new0 (guint, (gsize) LM_N_WEIGHTS * model->config->n_layers);
  slot.tensor.name = name;
  if (heads > 0)
    slot.tensor.data = NULL;
  g_array_append_val (model->slots, slot);
  model->by_role[(gsize) role * model->config->n_layers + layer] = model->slots->len;
  g_hash_table_insert (model->by_name, name, GUINT_TO_POINTER (model->slots->len));
}

/* ---- models on models -------------------------------------------------------------- */

LmModel *
lm_model_new_adapted (LmModel *base, LmLora *lora, JsonObject *card)
{
  LmModel *model = lm_model_new ();

  /* Training goes on from an adapter: the new one stands in its place. */
  model->base = fr_object_ref (base->lora != NULL ? base->base : base);
  model->lora = lm_lora_ref (lora);
  model->card = card;
  model->name = g_strconcat (lm_model_name (model->base), " + adapter", NULL);
  return model;
}

LmModel *
lm_model_open_adapted (LmModel *base, const char *adapter, GError **error)
{
  g_autoptr (LmLora) lora = lm_lora_load (adapter, lm_model_config (base), error);

  return lora != NULL ? lm_model_new_adapted (base, lora, NULL) : NULL;
}

LmModel *
lm_model_new_tuned (LmModel *base, GPtrArray *tensors, JsonObject *card)
{
  LmModel *model = lm_model_new (), *root = lm_model_root (base);

  model->base = fr_object_ref (base);
  model->tuned = tensors;
  model->card = card;
  model->name = g_strconcat (lm_model_name (base), ", tuned", NULL);
  model->own = g_new0 (const LmTensor *, root->slots->len);
  for (guint i = 0; i < tensors->len; i++)
    {
      const LmTensor *t = g_ptr_array_index (tensors, i);
      guint slot = GPOINTER_TO_UINT (g_hash_table_lookup (root->by_name, t->name));

      if (slot == 0)
        g_critical ("%s has no tensor '%s'", lm_model_name (base), t->name);
      else
        model->own[slot - 1] = t;
    }
  return model;
}

LmModel *
lm_model_new_memory (LmConfig *config, GPtrArray *tensors, LmTokenizer *tokenizer,
                     const char *chat_template)
{
  LmModel *model = lm_model_new ();
  gsize rows, cols;

  model->config = config;
  model->tuned = tensors;
  model->name = g_strdup ("model in memory");
  model->generation = json_object_new ();
  model->template_source = g_strdup (chat_template);
  model->template_read = TRUE;
  if (tokenizer != NULL)
    model->tokenizer = lm_tokenizer_ref (tokenizer);
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint layer = 0; layer < (lm_weights[role].per_layer ? config->n_layers : 1); layer++)
      {
        g_autofree char *name = lm_weight_name (role, layer);

        if (!lm_weight_shape (config, role, &rows, &cols))
          continue;
        for (guint i = 0; i < tensors->len; i++)
          if (strcmp (((LmTensor *) g_ptr_array_index (tensors, i))->name, name) == 0)
            {
              lm_model_add_slot (model, role, layer, g_strdup (name),
                                 g_ptr_array_index (tensors, i), 0);
              break;
            }
      }
  return model;
}

/* ---- tensors ----------------------------------------------------------------------- */

/* llama.cpp stores the rows of a head in pairs (0, d/2, 1, d/2 + 1, …), for its
 * rotation of neighbours; here the halves stand one after the other. */
static gpointer
unpermute (const LmSlot *slot)
{
  const LmTensor *t = &slot->tensor;
  gsize rows = (gsize) t->dims[0], row = t->bytes / rows, half = rows / slot->heads / 2;
  const guint8 *from = slot->stored;
  guint8 *copy = g_malloc (t->bytes);

  for (gsize head = 0; head < slot->heads; head++)
    for (gsize part = 0; part < 2; part++)
      for (gsize i = 0; i < half; i++)
        memcpy (copy + ((head * 2 + part) * half + i) * row,
                from + (head * 2 * half + 2 * i + part) * row, row);
  return copy;
}

static const LmTensor *
slot_tensor (LmModel *root, guint i)
{
  LmSlot *slot = &g_array_index (root->slots, LmSlot, i);

  if (slot->heads == 0 || g_atomic_pointer_get (&slot->tensor.data) != NULL)
    return &slot->tensor;
  g_mutex_lock (&root->lock);
  if (slot->tensor.data == NULL)
    {
      slot->copy = unpermute (slot);
      g_atomic_pointer_set (&slot->tensor.data, slot->copy);
    }
  g_mutex_unlock (&root->lock);
  return &slot->tensor;
}

gsize
lm_model_n_tensors (LmModel *model)
{
  return lm_model_root (model)->slots->len;
}

const LmTensor *
lm_model_nth_tensor (LmModel *model, gsize i)
{
  for (; model->base != NULL; model = model->base)
    if (model->own != NULL && model->own[i] != NULL)
      return model->own[i];
  return slot_tensor (model, (guint) i);
}

const LmTensor *
lm_model_tensor (LmModel *model, const char *name)
{
  guint slot = GPOINTER_TO_UINT (g_hash_table_lookup (lm_model_root (model)->by_name, name));

  return slot > 0 ? lm_model_nth_tensor (model, slot - 1) : NULL;
}

const LmTensor *
lm_model_weight (LmModel *model, LmWeightRole role, guint layer)
{
  LmModel *root = lm_model_root (model);
  guint slot;

  if (role == LM_W_HEAD && root->config->tied)
    role = LM_W_EMBED;
  if (layer >= root->config->n_layers || (!lm_weights[role].per_layer && layer > 0))
    return NULL;
  slot = root->by_role != NULL ? root->by_role[(gsize) role * root->config->n_layers + layer] : 0;
  return slot > 0 ? lm_model_nth_tensor (model, slot - 1) : NULL;
}

guint64
lm_model_n_parameters (LmModel *model)
{
  LmModel *root = lm_model_root (model);
  guint64 n = 0, elements;

  for (guint i = 0; i < root->slots->len; i++)
    {
      const LmTensor *t = &g_array_index (root->slots, LmSlot, i).tensor;

      if (lm_weights_elements (t->dims, t->n_dims, &elements))
        n += elements;
    }
  return n;
}

/* ---- what it is -------------------------------------------------------------------- */

const LmConfig *
lm_model_config (LmModel *model)
{
  return lm_model_root (model)->config;
}

LmLora *
lm_model_lora (LmModel *model)
{
  return model->lora;
}

LmModel *
lm_model_base (LmModel *model)
{
  return model->base;
}

const char *
lm_model_path (LmModel *model)
{
  for (; model->path == NULL && model->base != NULL; model = model->base)
    ;
  return model->path;
}

const char *
lm_model_name (LmModel *model)
{
  return model->name;
}

JsonObject *
lm_model_card (LmModel *model)
{
  return model->card;
}

const GPtrArray *
lm_model_warnings (LmModel *model)
{
  return lm_model_root (model)->warnings;
}
