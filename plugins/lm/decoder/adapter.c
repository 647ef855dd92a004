/* SPDX-License-Identifier: Apache-2.0 */
/* adapter.c: adapters beside the decoder's own: many over one base, for generation alone.
 *
 * Each has one allocation with A and B of all its modules in the activation type.  Holds are
 * counted: who names an adapter in feeds holds it, so that one that is removed stays for those at
 * work.
 */
#include "config.h"

#include "lm/decoder/decoder-private.h"

static void
free_adapter (LmDecoder *d, LmAdapter *adapter)
{
  lm_compute_release (d->compute, adapter->memory, adapter->bytes);
  g_free (adapter->linears);
  g_free (adapter);
}

static gboolean
check_module (const LmConfig *config, const LmLoraModule *m, GError **error)
{
  gsize rows = 0, cols = 0;

  if (m->layer < config->n_layers && lm_weights[m->role].per_layer && m->rank > 0 && m->a && m->b
      && lm_weight_shape (config, m->role, &rows, &cols) && rows == m->out && cols == m->in)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "the adapter's %s is %" G_GSIZE_FORMAT " × %" G_GSIZE_FORMAT
               " of rank %u, and the model has %" G_GSIZE_FORMAT " × %" G_GSIZE_FORMAT
               " there: it was made for another model",
               m->module, m->out, m->in, m->rank, rows, cols);
  return FALSE;
}

/* Gives A and B of all modules their places from @base on; NULL measures. */
static gsize
place (LmAdapter *adapter, const LmLora *lora, LmType type, gpointer base)
{
  gsize used = 0;

  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i);
      gsize at = (gsize) m->layer * LM_N_LINEARS + lm_linear_of_role (m->role);
      LmAdapted *to = &adapter->linears[at];

      to->rank = m->rank;
      to->scale = m->scale;
      to->a = lm_mat (lm_place (base, &used, type, m->rank, m->in), type, m->rank, m->in);
      to->b = lm_mat (lm_place (base, &used, type, m->out, m->rank), type, m->out, m->rank);
      adapter->rank = MAX (adapter->rank, m->rank);
    }
  return used;
}

static void
fill (LmDecoder *d, LmAdapter *adapter, const LmLora *lora)
{
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i);
      gsize at = (gsize) m->layer * LM_N_LINEARS + lm_linear_of_role (m->role);

      lm_fill_mat (d->compute, adapter->linears[at].a, LM_F32, m->a);
      lm_fill_mat (d->compute, adapter->linears[at].b, LM_F32, m->b);
    }
}

guint
lm_decoder_add_adapter (LmDecoder *d, LmLora *lora, GError **error)
{
  LmAdapter *adapter;
  gsize bytes;

  for (guint i = 0; i < lora->modules->len; i++)
    if (!check_module (d->config, g_ptr_array_index (lora->modules, i), error))
      return 0;
  adapter = g_new0 (LmAdapter, 1);
  adapter->linears = g_new0 (LmAdapted, (gsize) d->config->n_layers * LM_N_LINEARS);
  bytes = place (adapter, lora, d->options.type, NULL);
  if (bytes > 0 && !(adapter->memory = lm_compute_alloc (d->compute, bytes, error)))
    {
      free_adapter (d, adapter);
      return 0;
    }
  adapter->bytes = bytes;
  place (adapter, lora, d->options.type, adapter->memory);
  fill (d, adapter, lora);
  if (!d->compute->klass->sync (d->compute, error))
    {
      free_adapter (d, adapter);
      return 0;
    }
  adapter->id = ++d->last_adapter;
  adapter->holds = 1;
  g_ptr_array_add (d->adapters, adapter);
  return adapter->id;
}

static LmAdapter *
find (LmDecoder *d, guint id)
{
  for (guint i = 0; i < d->adapters->len; i++)
    {
      LmAdapter *adapter = g_ptr_array_index (d->adapters, i);

      if (adapter->id == id)
        return adapter;
    }
  return NULL;
}

const LmAdapter *
lm_decoder_adapter (LmDecoder *d, guint id)
{
  return find (d, id);
}

gboolean
lm_decoder_hold_adapter (LmDecoder *d, guint id)
{
  LmAdapter *adapter = find (d, id);

  if (adapter)
    adapter->holds++;
  return adapter || id == LM_ADAPTER_OWN || id == LM_ADAPTER_NONE;
}

void
lm_decoder_release_adapter (LmDecoder *d, guint id)
{
  LmAdapter *adapter = find (d, id);

  if (!adapter || --adapter->holds > 0)
    return;
  g_ptr_array_remove (d->adapters, adapter);
  free_adapter (d, adapter);
}

guint
lm_decoder_n_adapters (LmDecoder *d)
{
  return d->adapters->len;
}

void
lm_adapters_free (LmDecoder *d)
{
  for (guint i = 0; i < d->adapters->len; i++)
    free_adapter (d, g_ptr_array_index (d->adapters, i));
  g_ptr_array_unref (d->adapters);
}
