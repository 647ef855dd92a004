/* SPDX-License-Identifier: Apache-2.0 */
/* batch.c: batches, and new batches from old ones.
 *
 * A batch never changes.  Whatever makes a new one shares every column and
 * the row ids that stay as they were.
 */
#include "config.h"

#include "data/data-private.h"

/* ---- row ids ------------------------------------------------------------- */

FrRowId
fr_row_id_child (FrRowId parent, guint32 n)
{
  /* The number depends on the path alone.  The finaliser of MurmurHash3 is a
   * bijection of 32 bits, so that the descendants of a source row never meet;
   * those of different generations may, once in four thousand million. */
  guint32 h = (parent.child == 0 ? 0 : parent.child * 0x9e3779b1u) + n;

  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  h ^= h >> 16;
  while (h == 0 || h == parent.child)
    h += 0x9e3779b1u;
  parent.child = h;
  return parent;
}

/* ---- life ---------------------------------------------------------------- */

/* How many batches there are, for the leak check of plugin-check. */
static gint live;

gint
fri_batches_live (void)
{
  return g_atomic_int_get (&live);
}

FrBatch *
fri_batch_new_shared (FrSchema *schema, gsize n_rows, FrColumn *const *columns, FrRowId *ids,
                      GError **error)
{
  guint n = fr_schema_n_fields (schema);
  FrBatch *batch = g_malloc (sizeof (FrBatch) + n * sizeof (FrColumn *));

  g_atomic_int_inc (&live);
  batch->ref = 1;
  batch->schema = fr_schema_ref (schema);
  batch->n_rows = n_rows;
  batch->ids = ids;
  batch->bytes = n_rows * sizeof (FrRowId);
  batch->n_columns = n;
  for (guint i = 0; i < n; i++)
    {
      batch->columns[i] = columns[i];
      batch->bytes += columns[i]->bytes;
    }
  for (guint i = 0; i < n; i++)
    if (!fri_column_fits (columns[i], fr_schema_field (schema, i), n_rows, error))
      {
        fr_batch_unref (batch);
        return NULL;
      }
  return batch;
}

static FrRowId *
ids_new (gsize n)
{
  return g_atomic_rc_box_alloc (MAX (n, 1) * sizeof (FrRowId));
}

FrBatch *
fr_batch_new (FrSchema *schema, gsize n_rows, FrColumn *const *columns, const FrRowId *ids,
              GError **error)
{
  FrRowId *own = ids_new (n_rows);

  if (n_rows > 0)
    memcpy (own, ids, n_rows * sizeof (FrRowId));
  return fri_batch_new_shared (schema, n_rows, columns, own, error);
}

FrBatch *
fr_batch_ref (FrBatch *batch)
{
  g_atomic_int_inc (&batch->ref);
  return batch;
}

void
fr_batch_unref (FrBatch *batch)
{
  if (batch == NULL || !g_atomic_int_dec_and_test (&batch->ref))
    return;
  for (guint i = 0; i < batch->n_columns; i++)
    fr_column_unref (batch->columns[i]);
  g_atomic_rc_box_release (batch->ids);
  fr_schema_unref (batch->schema);
  g_free (batch);
  g_atomic_int_add (&live, -1);
}

FrSchema *
fr_batch_schema (const FrBatch *batch)
{
  return batch->schema;
}

gsize
fr_batch_n_rows (const FrBatch *batch)
{
  return batch->n_rows;
}

guint
fr_batch_n_columns (const FrBatch *batch)
{
  return batch->n_columns;
}

FrColumn *
fr_batch_column (const FrBatch *batch, guint i)
{
  g_return_val_if_fail (i < batch->n_columns, NULL);
  return batch->columns[i];
}

const FrRowId *
fr_batch_ids (const FrBatch *batch)
{
  return batch->ids;
}

gsize
fr_batch_bytes (const FrBatch *batch)
{
  return batch->bytes;
}

FrView
fr_view (const FrBatch *batch, guint i)
{
  static const FrView none = { 0 };

  g_return_val_if_fail (i < batch->n_columns, none);
  return fri_column_view (batch->columns[i]);
}

/* ---- columns ------------------------------------------------------------- */

FrBatch *
fr_batch_with_column (const FrBatch *batch, FrField *field, FrColumn *column, GError **error)
{
  g_autoptr (FrSchema) schema = NULL;
  g_autofree FrColumn **columns = g_new (FrColumn *, batch->n_columns + 1);
  int at = fr_schema_find (batch->schema, field->name);
  guint n = batch->n_columns + (at < 0);

  if (at >= 0 && fr_field_equal (fr_schema_field (batch->schema, (guint) at), field))
    schema = fr_schema_ref (batch->schema);
  else
    schema = fr_schema_with (batch->schema, fr_field_ref (field));
  for (guint i = 0; i < n; i++)
    columns[i]
        = (int) i == at || i == batch->n_columns ? column : fr_column_ref (batch->columns[i]);
  return fri_batch_new_shared (schema, batch->n_rows, columns, g_atomic_rc_box_acquire (batch->ids),
                               error);
}

FrBatch *
fr_batch_select (const FrBatch *batch, FrSchema *schema, const guint *indices, guint n,
                 GError **error)
{
  g_autofree FrColumn **columns = g_new (FrColumn *, n + 1);

  if (n != fr_schema_n_fields (schema))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "%u columns were chosen for a schema of %u", n,
                   fr_schema_n_fields (schema));
      return NULL;
    }
  for (guint i = 0; i < n; i++)
    if (indices[i] >= batch->n_columns)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                     "there is no column number %u in a batch of %u", indices[i], batch->n_columns);
        return NULL;
      }
  for (guint i = 0; i < n; i++)
    columns[i] = fr_column_ref (batch->columns[indices[i]]);
  return fri_batch_new_shared (schema, batch->n_rows, columns, g_atomic_rc_box_acquire (batch->ids),
                               error);
}

/* ---- rows ---------------------------------------------------------------- */

FrBatch *
fr_batch_take (FrBatch *batch, const guint32 *rows, gsize n)
{
  g_autofree FrColumn **columns = g_new0 (FrColumn *, batch->n_columns + 1);
  FrRowId *ids;

  for (guint i = 0; i < batch->n_columns; i++)
    {
      columns[i] = fri_column_take (batch->columns[i], rows, n);
      if (columns[i] == NULL)
        {
          while (i-- > 0)
            fr_column_unref (columns[i]);
          return NULL;
        }
    }
  ids = ids_new (n);
  for (gsize i = 0; i < n; i++)
    ids[i] = batch->ids[rows[i]];
  return fri_batch_new_shared (batch->schema, n, columns, ids, NULL);
}

FrBatch *
fr_batch_filter (FrBatch *batch, const guint8 *keep)
{
  g_autofree guint32 *rows = g_new (guint32, MAX (batch->n_rows, 1));
  gsize n = 0;

  for (gsize i = 0; i < batch->n_rows; i++)
    {
      rows[n] = (guint32) i;
      n += keep[i] != 0;
    }
  if (n == batch->n_rows)
    return fr_batch_ref (batch);
  return fr_batch_take (batch, rows, n);
}

FrBatch *
fr_batch_map_text (const FrBatch *batch, guint column, FrMapText func, gpointer data,
                   GError **error)
{
  FrField *field = fr_schema_field (batch->schema, column);
  g_autoptr (GString) out = g_string_sized_new (1024);
  FrView view = fr_view (batch, column);
  FrCells *cells;
  FrColumn *made;

  if (view.type != FR_TYPE_UTF8 && view.type != FR_TYPE_LARGE_UTF8)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "column '%s' should be text, but is %s",
                   field->name, fr_type_name (view.type));
      return NULL;
    }
  cells = fri_cells_new (field);
  for (gsize row = 0; row < batch->n_rows; row++)
    {
      FrStr text = fr_view_str (&view, row);

      g_string_truncate (out, 0);
      if (text.data != NULL && func (text, out, data))
        fr_cells_append_str (cells, out->str, out->len);
      else
        fr_cells_append_null (cells);
    }
  made = fri_cells_finish (cells, error);
  fri_cells_free (cells);
  return made ? fr_batch_with_column (batch, field, made, error) : NULL;
}
