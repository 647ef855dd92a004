/* SPDX-License-Identifier: Apache-2.0 */
/* arrow.c: batches to and from other Arrow libraries.
 *
 * Follows Apache Arrow's "Arrow C data interface" specification
 * (CDataInterface.rst).  Exported arrays hold a reference on their column
 * each, children too, so that a consumer may move any child away and release
 * it later, from any thread.  An imported array is kept whole, by one counted
 * holder that every column made from it refers to: its children are never
 * moved, which some producers do not survive.
 */
#include "config.h"

#include "data/data-private.h"

#define MAX_NESTING 64

/* ---- export: schemas ----------------------------------------------------- */

static const char *const formats[]
    = { [FR_TYPE_BOOL] = "b",       [FR_TYPE_INT32] = "i",   [FR_TYPE_INT64] = "l",
        [FR_TYPE_FLOAT32] = "f",    [FR_TYPE_FLOAT64] = "g", [FR_TYPE_UTF8] = "u",
        [FR_TYPE_LARGE_UTF8] = "U", [FR_TYPE_BINARY] = "z",  [FR_TYPE_TIMESTAMP] = "tsu:UTC",
        [FR_TYPE_LIST] = "+l",      [FR_TYPE_STRUCT] = "+s" };

static void
release_schema (struct ArrowSchema *schema)
{
  for (int64_t i = 0; i < schema->n_children; i++)
    {
      if (schema->children[i]->release != NULL)
        schema->children[i]->release (schema->children[i]);
      g_free (schema->children[i]);
    }
  g_free (schema->children);
  g_free ((char *) schema->name);
  schema->release = NULL;
}

static void
export_schema (struct ArrowSchema *to, const char *name, const char *format,
               FrField *const *children, guint n)
{
  *to = (struct ArrowSchema){ .format = format,
                              .name = g_strdup (name),
                              .flags = ARROW_FLAG_NULLABLE,
                              .n_children = n,
                              .release = release_schema };
  if (n > 0)
    to->children = g_new (struct ArrowSchema *, n);
  for (guint i = 0; i < n; i++)
    {
      to->children[i] = g_new (struct ArrowSchema, 1);
      export_schema (to->children[i], children[i]->name, formats[children[i]->type],
                     children[i]->children, children[i]->n_children);
    }
}

/* ---- export: arrays ------------------------------------------------------ */

/* What an exported array owns: its column (none for the batch itself), and
 * the structures of its children, which may have been moved away. */
typedef struct
{
  FrColumn *column;
  const void *no_validity[1];
  struct ArrowArray *children;
  struct ArrowArray *pointers[];
} Exported;

static void
release_array (struct ArrowArray *array)
{
  Exported *own = array->private_data;

  for (int64_t i = 0; i < array->n_children; i++)
    if (own->children[i].release != NULL)
      own->children[i].release (&own->children[i]);
  fr_column_unref (own->column);
  g_free (own->children);
  g_free (own);
  array->release = NULL;
}

static void
export_column (struct ArrowArray *to, FrColumn *column)
{
  guint n = column->n_children;
  Exported *own = g_malloc0 (sizeof (Exported) + n * sizeof (struct ArrowArray *));

  own->column = fr_column_ref (column);
  own->children = g_new (struct ArrowArray, n + 1);
  for (guint i = 0; i < n; i++)
    {
      export_column (&own->children[i], column->children[i]);
      own->pointers[i] = &own->children[i];
    }
  *to = column->array;
  to->children = n > 0 ? own->pointers : NULL;
  to->release = release_array;
  to->private_data = own;
}

void
fr_batch_export (FrBatch *batch, struct ArrowArray *array, struct ArrowSchema *schema)
{
  guint n = batch->n_columns;
  Exported *own = g_malloc0 (sizeof (Exported) + n * sizeof (struct ArrowArray *));
  g_autofree FrField **fields = g_new (FrField *, n + 1);

  own->children = g_new (struct ArrowArray, n + 1);
  for (guint i = 0; i < n; i++)
    {
      fields[i] = fr_schema_field (batch->schema, i);
      export_column (&own->children[i], batch->columns[i]);
      own->pointers[i] = &own->children[i];
    }
  *array = (struct ArrowArray){ .length = (int64_t) batch->n_rows,
                                .n_buffers = 1,
                                .n_children = n,
                                .buffers = own->no_validity,
                                .children = n > 0 ? own->pointers : NULL,
                                .release = release_array,
                                .private_data = own };
  export_schema (schema, "", "+s", fields, n);
  schema->flags = 0;
}

/* ---- import: schemas ----------------------------------------------------- */

static FrType
type_of_format (const char *format)
{
  for (guint t = FR_TYPE_BOOL; t <= FR_TYPE_STRUCT; t++)
    if (t != FR_TYPE_TIMESTAMP && g_str_equal (formats[t], format))
      return (FrType) t;
  /* Any zone: the cells are UTC whatever it says; without one they are taken for UTC. */
  if (g_str_has_prefix (format, "tsu:"))
    return FR_TYPE_TIMESTAMP;
  return (FrType) 0;
}

static FrField *import_field (const struct ArrowSchema *schema, guint depth, GError **error);

static GPtrArray *
import_fields (const struct ArrowSchema *schema, guint depth, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_field_unref);

  for (int64_t i = 0; i < schema->n_children; i++)
    {
      FrField *field = import_field (schema->children[i], depth, error);

      if (field == NULL)
        return NULL;
      g_ptr_array_add (fields, field);
    }
  return g_steal_pointer (&fields);
}

static FrField *
import_field (const struct ArrowSchema *schema, guint depth, GError **error)
{
  const char *name = schema->name ? schema->name : "";
  const char *format = schema->format ? schema->format : "";
  FrType type = type_of_format (format);
  g_autoptr (GPtrArray) children = NULL;

  if (!g_utf8_validate (name, -1, NULL) || depth > MAX_NESTING)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA,
                           "an Arrow column has a name that is not UTF-8, or too many levels");
      return NULL;
    }
  if (type == 0 || schema->dictionary != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                   "column '%s' has the Arrow type '%s'%s, which flowrun does not take; cast it to "
                   "bool, int32, int64, float32, float64, utf8, large_utf8, binary, timestamp[us], "
                   "list or struct",
                   name, format, schema->dictionary ? " with a dictionary" : "");
      return NULL;
    }
  children = import_fields (schema, depth + 1, error);
  if (children == NULL)
    return NULL;
  if (children->len != (type == FR_TYPE_LIST) && type != FR_TYPE_STRUCT)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "column '%s' (%s) has %u child columns", name,
                   format, children->len);
      return NULL;
    }
  g_ptr_array_set_free_func (children, NULL);
  if (type == FR_TYPE_LIST)
    return fr_field_new_list (name, children->pdata[0]);
  if (type == FR_TYPE_STRUCT)
    return fr_field_new_struct (name, (FrField *const *) children->pdata, children->len);
  return fr_field_new (name, type);
}

/* ---- import: arrays ------------------------------------------------------ */

typedef struct
{
  struct ArrowArray array;
} Holder;

static void
holder_clear (gpointer data)
{
  Holder *holder = data;

  if (holder->array.release != NULL)
    holder->array.release (&holder->array);
}

static void
holder_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, holder_clear);
}

static gboolean G_GNUC_PRINTF (3, 4)
    bad_array (GError **error, const FrField *field, const char *format, ...)
{
  g_autofree char *fault = NULL;
  va_list args;

  va_start (args, format);
  fault = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "Arrow array of column '%s': %s", field->name,
               fault);
  return FALSE;
}

static gboolean
check_array (const struct ArrowArray *array, const FrField *field, GError **error)
{
  gsize n_buffers = fri_type_n_buffers (field->type);

  if (array->length < 0 || array->offset < 0 || array->length > G_MAXINT32
      || array->offset > G_MAXINT32 - array->length)
    return bad_array (error, field,
                      "a length of %" G_GINT64_FORMAT " from %" G_GINT64_FORMAT
                      " on is out of range",
                      (gint64) array->length, (gint64) array->offset);
  if (array->dictionary != NULL || array->n_children != field->n_children)
    return bad_array (error, field, "it does not have the children that its type demands");
  if (array->n_buffers != (int64_t) n_buffers || array->buffers == NULL)
    return bad_array (error, field,
                      "it has %" G_GINT64_FORMAT " buffers, its type has %" G_GSIZE_FORMAT,
                      (gint64) array->n_buffers, n_buffers);
  if (array->null_count > 0 && array->buffers[0] == NULL)
    return bad_array (error, field, "it has nulls, but no validity buffer");
  if (array->length > 0 && n_buffers > 1 && array->buffers[1] == NULL)
    return bad_array (error, field, "buffer 1 is missing");
  return TRUE;
}

/* The bytes of text that the offsets speak of: Arrow does not pass the size
 * of a buffer.  0 when they make no sense, which validation then says. */
static gsize
text_size (FrType type, const void *const *buffers, gsize n)
{
  gint64 end;

  if (!fri_type_is_text (type) || buffers[1] == NULL)
    return 0;
  end = type == FR_TYPE_LARGE_UTF8 ? ((const gint64 *) buffers[1])[n]
                                   : ((const gint32 *) buffers[1])[n];
  return end < 0 || (end > 0 && buffers[2] == NULL) ? 0 : (gsize) end;
}

static FrColumn *import_array (Holder *holder, const struct ArrowArray *array, const FrField *field,
                               GError **error);

static GPtrArray *
import_children (Holder *holder, const struct ArrowArray *array, const FrField *field, gsize n,
                 GError **error)
{
  g_autoptr (GPtrArray) children
      = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_column_unref);

  for (guint i = 0; i < field->n_children; i++)
    {
      FrColumn *child = import_array (holder, array->children[i], field->children[i], error);

      if (child == NULL)
        return NULL;
      g_ptr_array_add (children, child);
      if (field->type != FR_TYPE_STRUCT || fr_column_length (child) == n)
        continue;
      if (fr_column_length (child) < n)
        {
          bad_array (error, field, "child %u is shorter than its struct", i);
          return NULL;
        }
      /* A struct's child may be longer; in the profile it is not. */
      child = fri_column_slice (child, 0, n);
      fr_column_unref (children->pdata[i]);
      children->pdata[i] = child;
    }
  return g_steal_pointer (&children);
}

/* One array, offset and all, as a column of offset 0: first with the rows
 * before the offset, then, when there are any, without them by a copy. */
static FrColumn *
import_array (Holder *holder, const struct ArrowArray *array, const FrField *field, GError **error)
{
  g_autoptr (GPtrArray) children = NULL;
  g_autoptr (FrColumn) column = NULL;
  g_autoptr (GError) fault = NULL;
  void *buffers[3] = { NULL, NULL, NULL };
  gsize n, nulls;

  if (!check_array (array, field, error))
    return NULL;
  n = (gsize) (array->offset + array->length);
  children = import_children (holder, array, field, n, error);
  if (children == NULL)
    return NULL;
  for (guint i = 0; i < fri_type_n_buffers (field->type); i++)
    buffers[i] = (void *) array->buffers[i];
  nulls = fri_count_nulls (buffers[0], n);
  if (nulls == 0)
    buffers[0] = NULL;
  g_ptr_array_set_free_func (children, NULL);
  column = fri_column_new (field->type, n, nulls, buffers,
                           text_size (field->type, (const void *const *) buffers, n),
                           (FrColumn *const *) children->pdata, children->len,
                           g_atomic_rc_box_acquire (holder), holder_unref);
  if (!fri_column_validate (column, field, field->name, &fault))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "Arrow array: %s", fault->message);
      return NULL;
    }
  if (array->offset == 0)
    return g_steal_pointer (&column);
  return fri_column_slice (column, (gsize) array->offset, (gsize) array->length);
}

/* The columns of a struct array: its own offset is that of its rows. */
static GPtrArray *
import_columns (Holder *holder, FrSchema *schema, GError **error)
{
  const struct ArrowArray *whole = &holder->array;
  g_autoptr (GPtrArray) columns = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_column_unref);
  gsize end = (gsize) (whole->offset + whole->length);

  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    {
      FrField *field = fr_schema_field (schema, i);
      FrColumn *column = import_array (holder, whole->children[i], field, error), *part;

      if (column == NULL)
        return NULL;
      g_ptr_array_add (columns, column);
      if (fr_column_length (column) < end)
        {
          bad_array (error, field, "it is shorter than its batch");
          return NULL;
        }
      if (whole->offset == 0 && fr_column_length (column) == end)
        continue;
      part = fri_column_slice (column, (gsize) whole->offset, (gsize) whole->length);
      fr_column_unref (column);
      columns->pdata[i] = part;
    }
  return g_steal_pointer (&columns);
}

static FrRowId *
number_rows (gsize n)
{
  FrRowId *ids = g_new (FrRowId, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    ids[i] = (FrRowId){ i + 1, 0, 0 };
  return ids;
}

static gboolean
check_whole (const struct ArrowArray *whole, const struct ArrowSchema *schema, GError **error)
{
  if (schema->format == NULL || !g_str_equal (schema->format, "+s"))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                   "a batch must be a struct array ('+s'), but this is '%s'",
                   schema->format ? schema->format : "");
      return FALSE;
    }
  if (whole->release == NULL || whole->n_children != schema->n_children || whole->length < 0
      || whole->offset < 0 || whole->length > G_MAXINT32
      || whole->offset > G_MAXINT32 - whole->length)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA,
                           "the Arrow batch was released, or does not fit its schema");
      return FALSE;
    }
  if (whole->null_count > 0
      || (whole->null_count < 0 && whole->n_buffers > 0 && whole->buffers != NULL
          && fri_count_nulls (whole->buffers[0], (gsize) (whole->offset + whole->length)) > 0))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA,
                           "a row of the Arrow batch itself is null");
      return FALSE;
    }
  return TRUE;
}

static FrBatch *
import_batch (Holder *holder, const struct ArrowSchema *schema, const FrRowId *ids, GError **error)
{
  g_autoptr (FrSchema) own = NULL;
  g_autoptr (GPtrArray) fields = NULL, columns = NULL;
  g_autofree FrRowId *numbers = NULL;

  if (!check_whole (&holder->array, schema, error))
    return NULL;
  fields = import_fields (schema, 0, error);
  if (fields == NULL)
    return NULL;
  g_ptr_array_set_free_func (fields, NULL);
  own = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  if (own == NULL)
    return NULL;
  columns = import_columns (holder, own, error);
  if (columns == NULL)
    return NULL;
  if (ids == NULL)
    ids = numbers = number_rows ((gsize) holder->array.length);
  g_ptr_array_set_free_func (columns, NULL);
  return fr_batch_new (own, (gsize) holder->array.length, (FrColumn *const *) columns->pdata, ids,
                       error);
}

FrBatch *
fr_batch_import (struct ArrowArray *array, struct ArrowSchema *schema, const FrRowId *ids,
                 GError **error)
{
  Holder *holder = g_atomic_rc_box_new0 (Holder);
  FrBatch *batch;

  holder->array = *array;
  array->release = NULL;
  batch = import_batch (holder, schema, ids, error);
  if (schema->release != NULL)
    schema->release (schema);
  holder_unref (holder);
  return batch;
}
