/* SPDX-License-Identifier: Apache-2.0 */
/* validate.c: does a batch keep the promises of batch.h?
 *
 * Run on every push in debug builds, under plugin-check, and on whatever
 * comes from outside (imported arrays, page files).
 */
#include "config.h"

#include "data/data-private.h"
#include "json/json-private.h"

static gboolean G_GNUC_PRINTF (3, 4)
    broken (GError **error, const char *name, const char *format, ...)
{
  g_autofree char *fault = NULL;
  va_list args;

  va_start (args, format);
  fault = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "column '%s': %s", name, fault);
  return FALSE;
}

static gboolean
check_nulls (const FrColumn *column, const char *name, GError **error)
{
  const guint8 *validity = column->buffers[FRI_BUFFER_VALIDITY];
  gsize n = fr_column_length (column), nulls = fri_count_nulls (validity, n);

  if (column->array.null_count < 0)
    return broken (error, name, "its null count is not known");
  if (validity == NULL && column->array.null_count != 0)
    return broken (error, name, "it has %" G_GINT64_FORMAT " nulls, but no validity buffer",
                   (gint64) column->array.null_count);
  if (nulls != (gsize) column->array.null_count)
    return broken (error, name,
                   "its null count is %" G_GINT64_FORMAT ", but %" G_GSIZE_FORMAT " cells are null",
                   (gint64) column->array.null_count, nulls);
  return TRUE;
}

/* Offsets rise from at least 0 to at most @limit. */
static gboolean
check_offsets (const FrColumn *column, gsize limit, const char *name, GError **error)
{
  gboolean large = column->type == FR_TYPE_LARGE_UTF8;
  const gint64 *o64 = column->buffers[FRI_BUFFER_OFFSETS];
  const gint32 *o32 = column->buffers[FRI_BUFFER_OFFSETS];
  gsize n = fr_column_length (column);
  gint64 last = large ? o64[0] : o32[0];

  if (last < 0)
    return broken (error, name, "its first offset is %" G_GINT64_FORMAT, last);
  for (gsize i = 1; i <= n; i++)
    {
      gint64 now = large ? o64[i] : o32[i];

      if (now < last)
        return broken (error, name,
                       "row %" G_GSIZE_FORMAT " ends at %" G_GINT64_FORMAT
                       ", before it begins at %" G_GINT64_FORMAT,
                       i - 1, now, last);
      last = now;
    }
  if ((guint64) last > limit)
    return broken (error, name,
                   "its last offset is %" G_GINT64_FORMAT ", but there are only %" G_GSIZE_FORMAT
                   " bytes or items",
                   last, limit);
  return TRUE;
}

static gboolean
check_text (const FrColumn *column, const char *name, GError **error)
{
  FrView view = fri_column_view (column);
  gsize n = view.length;
  FrStr all = { NULL, 0 };

  if (n == 0)
    return TRUE;
  /* The whole buffer at once, then cell borders: far quicker than cell by
   * cell, and a border may not split a character. */
  for (gsize i = 0; i < n; i++)
    {
      FrStr s = fr_view_str (&view, i);

      if (s.len == 0)
        continue;
      if (((guchar) s.data[0] & 0xc0) == 0x80)
        return broken (error, name, "row %" G_GSIZE_FORMAT " is not valid UTF-8", i);
      if (all.data != NULL && all.data + all.len == s.data)
        {
          all.len += s.len;
          continue;
        }
      if (fri_utf8_valid (all.data, all.len) != all.len)
        break;
      all = s;
    }
  if (fri_utf8_valid (all.data, all.len) == all.len)
    return TRUE;
  for (gsize i = 0; i < n; i++)
    {
      FrStr s = fr_view_str (&view, i);
      gsize valid = fri_utf8_valid (s.data, s.len);

      if (valid != s.len)
        return broken (error, name,
                       "row %" G_GSIZE_FORMAT " is not valid UTF-8 at byte %" G_GSIZE_FORMAT, i,
                       valid);
    }
  return TRUE;
}

static gboolean
check_buffers (const FrColumn *column, const char *name, GError **error)
{
  const struct ArrowArray *array = &column->array;

  if (array->length < 0 || array->offset != 0 || array->dictionary != NULL)
    return broken (error, name, "its length, offset or dictionary is outside the profile");
  if (array->n_buffers != fri_type_n_buffers (column->type))
    return broken (error, name, "it has %" G_GINT64_FORMAT " buffers", (gint64) array->n_buffers);
  for (guint i = 1; i < (guint) array->n_buffers; i++)
    if (column->buffers[i] == NULL)
      return broken (error, name, "buffer %u is missing", i);
  return TRUE;
}

gboolean
fri_column_validate (const FrColumn *column, const FrField *field, const char *name, GError **error)
{
  gsize n = fr_column_length (column);

  if (column->type != field->type || column->n_children != field->n_children)
    return broken (error, name, "its cells are %s, its field is %s", fr_type_name (column->type),
                   fr_type_name (field->type));
  if (!check_buffers (column, name, error) || !check_nulls (column, name, error))
    return FALSE;
  if (fri_type_is_text (column->type) && !check_offsets (column, column->data_size, name, error))
    return FALSE;
  if (fri_type_is_text (column->type) && column->type != FR_TYPE_BINARY
      && !check_text (column, name, error))
    return FALSE;
  if (column->type == FR_TYPE_LIST
      && !check_offsets (column, fr_column_length (column->children[0]), name, error))
    return FALSE;
  for (guint i = 0; i < column->n_children; i++)
    {
      g_autofree char *inner = g_strdup_printf ("%s.%s", name, field->children[i]->name);

      if (column->type == FR_TYPE_STRUCT && fr_column_length (column->children[i]) != n)
        return broken (error, inner, "it has %" G_GSIZE_FORMAT " rows, its struct %" G_GSIZE_FORMAT,
                       fr_column_length (column->children[i]), n);
      if (!fri_column_validate (column->children[i], field->children[i], inner, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
fr_batch_validate (const FrBatch *batch, GError **error)
{
  for (guint i = 0; i < batch->n_columns; i++)
    {
      FrField *field = fr_schema_field (batch->schema, i);

      if (fr_column_length (batch->columns[i]) != batch->n_rows)
        return broken (error, field->name,
                       "it has %" G_GSIZE_FORMAT " rows, its batch %" G_GSIZE_FORMAT,
                       fr_column_length (batch->columns[i]), batch->n_rows);
      if (!fri_column_validate (batch->columns[i], field, field->name, error))
        return FALSE;
    }
  return TRUE;
}
