/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: a weight as it should be, in F32, a row or a part of a row at a time.
 *
 * A merged weight is fp32 (W) + scale · B · A, on the very weights that were
 * trained with: a quantised base is widened first (as PEFT's authors advise for
 * adapters trained on quantised bases).
 */
#include "config.h"

#include <string.h>

#include "lm/export.h"

const LmLoraModule *
lm_export_module (LmModel *model, const char *name)
{
  const LmLora *lora = lm_model_lora (model);

  for (guint i = 0; lora != NULL && i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i);
      gsize n = strlen (m->module);

      if (strncmp (name, m->module, n) == 0 && strcmp (name + n, ".weight") == 0)
        return m;
    }
  return NULL;
}

void
lm_rows_init (LmRows *rows, LmModel *model, const LmTensor *tensor, gboolean merge)
{
  *rows = (LmRows){ .tensor = tensor };
  rows->module = merge ? lm_export_module (model, tensor->name) : NULL;
  rows->rows = tensor->n_dims > 1 ? (gsize) tensor->dims[0] : 1;
  rows->cols = (gsize) tensor->dims[tensor->n_dims - 1];
  rows->row = g_new (float, rows->cols);
  rows->delta = rows->module != NULL ? g_new (float, rows->cols) : NULL;
}

void
lm_rows_clear (LmRows *rows)
{
  g_clear_pointer (&rows->row, g_free);
  g_clear_pointer (&rows->delta, g_free);
}

/* Adds scale · B[i] · A[, from … from + n) to the row. */
static void
add_delta (LmRows *rows, gsize i, gsize from, gsize n)
{
  const LmLoraModule *m = rows->module;

  memset (rows->delta, 0, n * sizeof (float));
  for (guint k = 0; k < m->rank; k++)
    {
      float b = m->b[i * m->rank + k];
      const float *a = m->a + (gsize) k * m->in + from;

      for (gsize j = 0; j < n; j++)
        rows->delta[j] += b * a[j];
    }
  for (gsize j = 0; j < n; j++)
    rows->row[j] += m->scale * rows->delta[j];
}

const float *
lm_rows_part (LmRows *rows, gsize i, gsize from, gsize n)
{
  LmType type = rows->tensor->type;
  const guint8 *data = rows->tensor->data;

  lm_decode (type, data + i * lm_type_bytes (type, rows->cols) + lm_type_bytes (type, from),
             rows->row, n);
  if (rows->module != NULL)
    add_delta (rows, i, from, n);
  return rows->row;
}

const float *
lm_rows_get (LmRows *rows, gsize i)
{
  return lm_rows_part (rows, i, 0, rows->cols);
}
