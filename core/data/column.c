/* SPDX-License-Identifier: Apache-2.0 */
/* column.c: columns: making, sharing, viewing, and choosing rows.
 *
 * Layout of the buffers: Apache Arrow's columnar format.  The parts of a
 * column that the profile demands but a producer may leave out (offsets of an
 * empty array, an empty data buffer) are filled in here once, so that no
 * reader has to think of them.
 */
#include "config.h"

#include "data/data-private.h"

/* ---- life ---------------------------------------------------------------- */

/* The array in an FrColumn belongs to the column: a reader that releases it
 * breaks the rule of fr_column_array(), and only marks its copy. */
static void
release_nothing (struct ArrowArray *array)
{
  array->release = NULL;
}

static const gint64 no_bytes[1] = { 0 };

static gsize
column_bytes (const FrColumn *column)
{
  gsize n = column->array.length, bytes = 0;

  if (column->buffers[FRI_BUFFER_VALIDITY] != NULL)
    bytes += (n + 7) / 8;
  if (column->type == FR_TYPE_LARGE_UTF8)
    bytes += (n + 1) * sizeof (gint64) + column->data_size;
  else if (fri_type_is_text (column->type))
    bytes += (n + 1) * sizeof (gint32) + column->data_size;
  else if (column->type == FR_TYPE_LIST)
    bytes += (n + 1) * sizeof (gint32);
  else if (column->type == FR_TYPE_BOOL)
    bytes += (n + 7) / 8;
  else
    bytes += n * fri_type_width (column->type);
  for (guint i = 0; i < column->n_children; i++)
    bytes += column->children[i]->bytes;
  return bytes;
}

FrColumn *
fri_column_new (FrType type, gsize length, gsize null_count, void *const *buffers, gsize data_size,
                FrColumn *const *children, guint n_children, gpointer owner,
                GDestroyNotify owner_unref)
{
  FrColumn *column = g_new0 (FrColumn, 1);
  guint n_buffers = fri_type_n_buffers (type);

  column->ref = 1;
  column->type = type;
  column->data_size = data_size;
  column->owner = owner;
  column->owner_unref = owner_unref;
  for (guint i = 0; i < n_buffers; i++)
    column->buffers[i] = buffers[i];
  for (guint i = 1; i < n_buffers; i++)
    if (column->buffers[i] == NULL)
      column->buffers[i] = no_bytes;
  column->n_children = n_children;
  if (n_children > 0)
    {
      column->children = g_memdup2 (children, n_children * sizeof *children);
      column->child_arrays = g_new (struct ArrowArray *, n_children);
      for (guint i = 0; i < n_children; i++)
        column->child_arrays[i] = &children[i]->array;
    }
  column->array = (struct ArrowArray){ .length = (int64_t) length,
                                       .null_count = (int64_t) null_count,
                                       .n_buffers = n_buffers,
                                       .n_children = n_children,
                                       .buffers = column->buffers,
                                       .children = column->child_arrays,
                                       .release = release_nothing };
  column->bytes = column_bytes (column);
  return column;
}

FrColumn *
fr_column_ref (FrColumn *column)
{
  g_atomic_int_inc (&column->ref);
  return column;
}

void
fr_column_unref (FrColumn *column)
{
  if (column == NULL || !g_atomic_int_dec_and_test (&column->ref))
    return;
  if (column->owner_unref != NULL)
    column->owner_unref (column->owner);
  else
    for (guint i = 0; i < G_N_ELEMENTS (column->buffers); i++)
      if (column->buffers[i] != no_bytes)
        g_free ((gpointer) column->buffers[i]);
  for (guint i = 0; i < column->n_children; i++)
    fr_column_unref (column->children[i]);
  g_free (column->children);
  g_free (column->child_arrays);
  g_free (column);
}

gsize
fr_column_length (const FrColumn *column)
{
  return (gsize) column->array.length;
}

const struct ArrowArray *
fr_column_array (const FrColumn *column)
{
  return &column->array;
}

gboolean
fri_column_fits (const FrColumn *column, const FrField *field, gsize length, GError **error)
{
  if (column->type != field->type || column->n_children != field->n_children)
    {
      g_autofree char *type = fr_field_describe (field);

      g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "column '%s' should be %s, but its cells are %s",
                   field->name, type, fr_type_name (column->type));
      return FALSE;
    }
  if (fr_column_length (column) != length)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                   "column '%s' should have %" G_GSIZE_FORMAT " rows, but has %" G_GSIZE_FORMAT,
                   field->name, length, fr_column_length (column));
      return FALSE;
    }
  for (guint i = 0; i < column->n_children; i++)
    if (!fri_column_fits (column->children[i], field->children[i],
                          fr_column_length (column->children[i]), error))
      return FALSE;
  return TRUE;
}

/* ---- views --------------------------------------------------------------- */

FrView
fri_column_view (const FrColumn *column)
{
  FrView view = { .type = column->type,
                  .length = (gsize) column->array.length,
                  .validity = column->buffers[FRI_BUFFER_VALIDITY],
                  .column = column };

  if (fri_type_is_text (column->type))
    {
      view.offsets = column->buffers[FRI_BUFFER_OFFSETS];
      view.data = column->buffers[FRI_BUFFER_TEXT];
    }
  else if (column->type == FR_TYPE_LIST)
    view.offsets = column->buffers[FRI_BUFFER_OFFSETS];
  else if (column->type != FR_TYPE_STRUCT)
    view.data = column->buffers[FRI_BUFFER_VALUES];
  return view;
}

FrView
fr_view_child (const FrView *view, guint i)
{
  static const FrView none = { 0 };

  g_return_val_if_fail (i < view->column->n_children, none);
  return fri_column_view (view->column->children[i]);
}

/* ---- choosing rows ------------------------------------------------------- */

gsize
fri_count_nulls (const guint8 *validity, gsize n)
{
  gsize ones = 0, i = 0;

  if (validity == NULL)
    return 0;
  for (; i + 64 <= n; i += 64)
    {
      guint64 word;

      memcpy (&word, validity + i / 8, 8);
      ones += (gsize) __builtin_popcountll (word);
    }
  for (; i < n; i++)
    ones += (validity[i >> 3] >> (i & 7)) & 1;
  return n - ones;
}

/* Bits at @rows, packed; @bits NULL: all ones, returned as NULL. */
static guint8 *
take_bits (const guint8 *bits, const guint32 *rows, gsize n)
{
  guint8 *out;

  if (bits == NULL)
    return NULL;
  out = g_malloc0 (MAX ((n + 7) / 8, 1));
  for (gsize i = 0; i < n; i++)
    out[i >> 3] |= (guint8) (((bits[rows[i] >> 3] >> (rows[i] & 7)) & 1) << (i & 7));
  return out;
}

static void *
take_values (const void *data, gsize width, const guint32 *rows, gsize n)
{
  void *out = g_malloc (MAX (n * width, 1));

  if (width == 4)
    for (gsize i = 0; i < n; i++)
      ((guint32 *) out)[i] = ((const guint32 *) data)[rows[i]];
  else
    for (gsize i = 0; i < n; i++)
      ((guint64 *) out)[i] = ((const guint64 *) data)[rows[i]];
  return out;
}

/* Offsets and text of the rows chosen.  Neighbouring rows are copied in one
 * piece, for most choices keep most rows; a null row takes no bytes. */
static gboolean
take_text (const FrView *view, const guint32 *rows, gsize n, void *buffers[3], gsize *size)
{
  gboolean large = view->type == FR_TYPE_LARGE_UTF8;
  const char *from = NULL;
  gsize total = 0, run = 0;
  char *to;

  for (gsize i = 0; i < n; i++)
    total += fr_view_str (view, rows[i]).len;
  if (!large && total > G_MAXINT32)
    return FALSE;
  *size = total;
  buffers[1] = g_malloc ((n + 1) * (large ? sizeof (gint64) : sizeof (gint32)));
  buffers[2] = to = g_malloc (MAX (total, 1));
  total = 0;
  for (gsize i = 0; i < n; i++)
    {
      FrStr s = fr_view_str (view, rows[i]);

      if (large)
        ((gint64 *) buffers[1])[i] = (gint64) total;
      else
        ((gint32 *) buffers[1])[i] = (gint32) total;
      total += s.len;
      if (s.len == 0)
        continue;
      if (run > 0 && s.data == from + run)
        {
          run += s.len;
          continue;
        }
      if (run > 0)
        memcpy (to, from, run);
      to += run;
      from = s.data;
      run = s.len;
    }
  if (run > 0)
    memcpy (to, from, run);
  if (large)
    ((gint64 *) buffers[1])[n] = (gint64) total;
  else
    ((gint32 *) buffers[1])[n] = (gint32) total;
  return TRUE;
}

static FrColumn *
take_items (FrColumn *column, const FrView *view, const guint32 *rows, gsize n, gint32 *offsets)
{
  g_autofree guint32 *items = NULL;
  gsize total = 0, at = 0, start;

  for (gsize i = 0; i < n; i++)
    {
      offsets[i] = (gint32) total;
      total += fr_view_list (view, rows[i], &start);
      if (total > G_MAXINT32)
        return NULL;
    }
  offsets[n] = (gint32) total;
  items = g_new (guint32, MAX (total, 1));
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0, len = fr_view_list (view, rows[i], &start); j < len; j++)
      items[at++] = (guint32) (start + j);
  return fri_column_take (column->children[0], items, total);
}

static gboolean
take_children (FrColumn *column, const FrView *view, const guint32 *rows, gsize n, void *buffers[3],
               FrColumn **children)
{
  if (column->type == FR_TYPE_LIST)
    {
      buffers[FRI_BUFFER_OFFSETS] = g_new (gint32, n + 1);
      children[0] = take_items (column, view, rows, n, buffers[FRI_BUFFER_OFFSETS]);
      return children[0] != NULL;
    }
  for (guint i = 0; i < column->n_children; i++)
    {
      children[i] = fri_column_take (column->children[i], rows, n);
      if (children[i] == NULL)
        return FALSE;
    }
  return TRUE;
}

FrColumn *
fri_column_take (FrColumn *column, const guint32 *rows, gsize n)
{
  FrView view = fri_column_view (column);
  void *buffers[3] = { NULL, NULL, NULL };
  g_autofree FrColumn **children = g_new0 (FrColumn *, column->n_children + 1);
  gsize size = 0, nulls;
  gboolean fits = TRUE;

  buffers[FRI_BUFFER_VALIDITY] = take_bits (view.validity, rows, n);
  nulls = fri_count_nulls (buffers[FRI_BUFFER_VALIDITY], n);
  if (nulls == 0)
    g_clear_pointer (&buffers[FRI_BUFFER_VALIDITY], g_free);
  if (fri_type_is_text (view.type))
    fits = take_text (&view, rows, n, buffers, &size);
  else if (view.type == FR_TYPE_BOOL)
    buffers[FRI_BUFFER_VALUES] = take_bits (view.data, rows, n);
  else if (view.type == FR_TYPE_LIST || view.type == FR_TYPE_STRUCT)
    fits = take_children (column, &view, rows, n, buffers, children);
  else
    buffers[FRI_BUFFER_VALUES] = take_values (view.data, fri_type_width (view.type), rows, n);
  if (!fits)
    {
      for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
        g_free (buffers[i]);
      for (guint i = 0; i < column->n_children; i++)
        fr_column_unref (children[i]);
      return NULL;
    }
  return fri_column_new (view.type, n, nulls, buffers, size, children, column->n_children, NULL,
                         NULL);
}

FrColumn *
fri_column_slice (FrColumn *column, gsize start, gsize n)
{
  g_autofree guint32 *rows = g_new (guint32, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    rows[i] = (guint32) (start + i);
  return fri_column_take (column, rows, n);
}
