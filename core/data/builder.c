/* SPDX-License-Identifier: Apache-2.0 */
/* builder.c: columns being written, cell by cell.
 *
 * A column grows in the very buffers that become its Arrow array, so that
 * finishing a batch copies nothing.  The validity bitmap is only made at the
 * first null.  What a caller does wrong (two cells in a row, text into a
 * number) is remembered and reported by fr_builder_finish(), because the
 * append functions are too hot and too many to return errors.
 */
#include "config.h"

#include "data/data-private.h"

struct _FrBuilder
{
  FrSchema *schema;
  gsize n_rows;
  gsize bytes;
  gsize ids_size;
  FrRowId *ids;
  guint n_cells;
  FrCells *cells[];
};

/* ---- cells: life --------------------------------------------------------- */

static gboolean
has_offsets (FrType type)
{
  return type == FR_TYPE_LIST || (fri_type_is_text (type) && type != FR_TYPE_LARGE_UTF8);
}

/* Memory for @need bytes in a buffer of @size: at least double, so that
 * appending costs constant time. */
static gsize
grown (gsize size, gsize need)
{
  return MAX (MAX (size + size / 2, need), 64);
}

static G_GNUC_NO_INLINE void
grow_data (FrCells *cells, gsize need)
{
  cells->data_size = MAX (grown (cells->data_size, need), cells->usual_size);
  cells->data = g_realloc (cells->data, cells->data_size);
}

static G_GNUC_NO_INLINE void
grow_offsets (FrCells *cells)
{
  cells->offsets_size = grown (cells->offsets_size, cells->length + 2);
  if (cells->type == FR_TYPE_LARGE_UTF8)
    cells->offsets64 = g_renew (gint64, cells->offsets64, cells->offsets_size);
  else
    cells->offsets = g_renew (gint32, cells->offsets, cells->offsets_size);
}

static void
cells_init_buffers (FrCells *cells)
{
  if (cells->type == FR_TYPE_LARGE_UTF8)
    {
      cells->offsets_size = 256;
      cells->offsets64 = g_new (gint64, cells->offsets_size);
      cells->offsets64[0] = 0;
    }
  else if (has_offsets (cells->type))
    {
      cells->offsets_size = 256;
      cells->offsets = g_new (gint32, cells->offsets_size);
      cells->offsets[0] = 0;
    }
}

FrCells *
fri_cells_new (FrField *field)
{
  FrCells *cells = g_new0 (FrCells, 1);

  cells->field = fr_field_ref (field);
  cells->type = field->type;
  cells->width = (guint) fri_type_width (field->type);
  cells->n_children = field->n_children;
  cells->children = g_new0 (FrCells *, field->n_children + 1);
  for (guint i = 0; i < field->n_children; i++)
    cells->children[i] = fri_cells_new (field->children[i]);
  cells_init_buffers (cells);
  return cells;
}

void
fri_cells_free (FrCells *cells)
{
  if (cells == NULL)
    return;
  for (guint i = 0; i < cells->n_children; i++)
    fri_cells_free (cells->children[i]);
  g_free (cells->children);
  g_free (cells->validity);
  g_free (cells->offsets);
  g_free (cells->offsets64);
  g_free (cells->data);
  fr_field_unref (cells->field);
  g_free (cells);
}

/* ---- cells: appending ---------------------------------------------------- */

static G_GNUC_NO_INLINE void
make_validity (FrCells *cells)
{
  cells->validity_size = MAX (64, cells->length / 8 + 64);
  cells->validity = g_malloc (cells->validity_size);
  memset (cells->validity, 0xff, cells->validity_size);
}

/* Every append ends here. */
static inline void
one_more (FrCells *cells, gboolean valid)
{
  gsize i = cells->length++;

  if (G_LIKELY (valid && cells->validity == NULL))
    return;
  if (cells->validity == NULL)
    make_validity (cells);
  if (G_UNLIKELY (i / 8 >= cells->validity_size))
    {
      gsize size = cells->validity_size * 2;

      cells->validity = g_realloc (cells->validity, size);
      memset (cells->validity + cells->validity_size, 0xff, size - cells->validity_size);
      cells->validity_size = size;
    }
  if (valid)
    cells->validity[i >> 3] |= (guint8) (1u << (i & 7));
  else
    {
      cells->validity[i >> 3] &= (guint8) ~(1u << (i & 7));
      cells->nulls++;
    }
}

static inline void
set_offset (FrCells *cells, gsize end)
{
  if (G_UNLIKELY (cells->length + 1 >= cells->offsets_size))
    grow_offsets (cells);
  if (cells->type == FR_TYPE_LARGE_UTF8)
    cells->offsets64[cells->length + 1] = (gint64) end;
  else
    cells->offsets[cells->length + 1] = (gint32) end;
}

/* Where cell @i of a column with offsets begins. */
static inline gsize
offset_at (const FrCells *cells, gsize i)
{
  return cells->type == FR_TYPE_LARGE_UTF8 ? (gsize) cells->offsets64[i]
                                           : (gsize) cells->offsets[i];
}

/* Room for a value of fixed width, zeroed by nobody: the caller fills it. */
static inline void *
next_value (FrCells *cells)
{
  gsize end = (cells->length + 1) * cells->width;

  if (G_UNLIKELY (end > cells->data_size))
    grow_data (cells, end);
  cells->data_len = end;
  return cells->data + end - cells->width;
}

static inline void
append_bit (FrCells *cells, gboolean value)
{
  gsize i = cells->length;

  if (G_UNLIKELY (i / 8 >= cells->data_size))
    grow_data (cells, i / 8 + 1);
  cells->data_len = i / 8 + 1;
  if ((i & 7) == 0)
    cells->data[i >> 3] = 0;
  if (value)
    cells->data[i >> 3] |= (guint8) (1u << (i & 7));
}

static void
truncate_children (FrCells *cells)
{
  gsize n = cells->type == FR_TYPE_LIST ? offset_at (cells, cells->length) : cells->length;

  for (guint i = 0; i < cells->n_children; i++)
    fri_cells_truncate (cells->children[i], n);
}

/* Child cells of a list or struct that nobody ended. */
static gboolean
is_open (const FrCells *cells)
{
  gsize n = cells->type == FR_TYPE_LIST ? offset_at (cells, cells->length) : cells->length;

  for (guint i = 0; i < cells->n_children; i++)
    if (cells->children[i]->length != n)
      return TRUE;
  return FALSE;
}

void
fr_cells_append_null (FrCells *cells)
{
  if (cells->n_children > 0 && is_open (cells))
    cells->fault = "was given child cells, but fr_cells_end() was not called";
  switch (cells->type)
    {
    case FR_TYPE_BOOL:
      append_bit (cells, FALSE);
      break;
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
    case FR_TYPE_BINARY:
      set_offset (cells, cells->data_len);
      break;
    case FR_TYPE_LIST:
      truncate_children (cells);
      set_offset (cells, cells->children[0]->length);
      break;
    case FR_TYPE_STRUCT:
      truncate_children (cells);
      for (guint i = 0; i < cells->n_children; i++)
        fr_cells_append_null (cells->children[i]);
      break;
    default:
      memset (next_value (cells), 0, cells->width);
      break;
    }
  one_more (cells, FALSE);
}

/* A cell that cannot be: null, and the reason for fr_builder_finish(). */
static void
append_fault (FrCells *cells, const char *fault)
{
  if (cells->fault == NULL)
    cells->fault = fault;
  fr_cells_append_null (cells);
}

static void
append_too_big (FrCells *cells)
{
  cells->too_big = TRUE;
  fr_cells_append_null (cells);
}

void
fr_cells_append_str (FrCells *cells, const char *data, gsize len)
{
  gsize end = cells->data_len + len;

  if (data == NULL)
    fr_cells_append_null (cells);
  else if (G_UNLIKELY (!fri_type_is_text (cells->type)))
    append_fault (cells, "was given text");
  else if (G_UNLIKELY (end > G_MAXINT32 && cells->type != FR_TYPE_LARGE_UTF8))
    append_too_big (cells);
  else
    {
      if (end > cells->data_size)
        grow_data (cells, end);
      if (len > 0)
        memcpy (cells->data + cells->data_len, data, len);
      cells->data_len = end;
      set_offset (cells, end);
      one_more (cells, TRUE);
    }
}

char *
fr_cells_reserve_str (FrCells *cells, gsize max)
{
  if (cells->data_len + max > cells->data_size || cells->data == NULL)
    grow_data (cells, cells->data_len + max);
  return (char *) cells->data + cells->data_len;
}

void
fr_cells_commit_str (FrCells *cells, gsize len)
{
  if (!fri_type_is_text (cells->type))
    append_fault (cells, "was given text");
  else if (cells->data_len + len > cells->data_size)
    append_fault (cells, "was given more text than was reserved");
  else if (cells->data_len + len > G_MAXINT32 && cells->type != FR_TYPE_LARGE_UTF8)
    append_too_big (cells);
  else
    {
      cells->data_len += len;
      set_offset (cells, cells->data_len);
      one_more (cells, TRUE);
    }
}

void
fr_cells_append_bool (FrCells *cells, gboolean value)
{
  if (cells->type != FR_TYPE_BOOL)
    {
      append_fault (cells, "was given a bool");
      return;
    }
  append_bit (cells, value);
  one_more (cells, TRUE);
}

void
fr_cells_append_int (FrCells *cells, gint64 value)
{
  switch (cells->type)
    {
    case FR_TYPE_INT64:
    case FR_TYPE_TIMESTAMP:
      *(gint64 *) next_value (cells) = value;
      one_more (cells, TRUE);
      break;
    case FR_TYPE_INT32:
      if (value < G_MININT32 || value > G_MAXINT32)
        {
          fr_cells_append_null (cells);
          break;
        }
      *(gint32 *) next_value (cells) = (gint32) value;
      one_more (cells, TRUE);
      break;
    case FR_TYPE_BOOL:
      fr_cells_append_bool (cells, value != 0);
      break;
    default:
      append_fault (cells, "was given an integer");
      break;
    }
}

void
fr_cells_append_float (FrCells *cells, double value)
{
  if (cells->type == FR_TYPE_FLOAT64)
    *(double *) next_value (cells) = value;
  else if (cells->type == FR_TYPE_FLOAT32)
    *(float *) next_value (cells) = (float) value;
  else
    {
      append_fault (cells, "was given a float");
      return;
    }
  one_more (cells, TRUE);
}

static void
append_nested_from (FrCells *cells, const FrView *view, gsize row)
{
  gsize start = row, n = 1;

  if (view->type == FR_TYPE_LIST)
    n = fr_view_list (view, row, &start);
  for (guint i = 0; i < cells->n_children; i++)
    {
      FrView child = fr_view_child (view, i);

      for (gsize j = 0; j < n; j++)
        fr_cells_append_from (cells->children[i], &child, start + j);
    }
  fr_cells_end (cells);
}

void
fr_cells_append_from (FrCells *cells, const FrView *view, gsize row)
{
  FrStr s;

  if (cells->type != view->type || cells->n_children != view->column->n_children)
    append_fault (cells, "was given a cell of another type");
  else if (fr_view_is_null (view, row))
    fr_cells_append_null (cells);
  else if (fri_type_is_text (view->type))
    {
      s = fr_view_str (view, row);
      fr_cells_append_str (cells, s.data, s.len);
    }
  else if (cells->n_children > 0 || view->type == FR_TYPE_STRUCT)
    append_nested_from (cells, view, row);
  else if (view->type == FR_TYPE_FLOAT64 || view->type == FR_TYPE_FLOAT32)
    fr_cells_append_float (cells, fr_view_float (view, row));
  else
    fr_cells_append_int (cells, fr_view_int (view, row));
}

FrCells *
fr_cells_child (FrCells *cells, guint i)
{
  g_return_val_if_fail (i < cells->n_children, NULL);
  return cells->children[i];
}

gsize
fr_cells_length (const FrCells *cells)
{
  return cells->length;
}

void
fr_cells_end (FrCells *cells)
{
  if (cells->type == FR_TYPE_LIST)
    {
      gsize end = cells->children[0]->length;

      if (end > G_MAXINT32)
        {
          append_too_big (cells);
          return;
        }
      set_offset (cells, end);
    }
  else if (cells->type == FR_TYPE_STRUCT)
    {
      for (guint i = 0; i < cells->n_children; i++)
        {
          FrCells *child = cells->children[i];

          if (child->length == cells->length)
            fr_cells_append_null (child);
          else if (child->length != cells->length + 1)
            {
              child->fault = "was given two cells in one struct";
              fri_cells_truncate (child, cells->length + 1);
            }
        }
    }
  else
    {
      append_fault (cells, "is no list or struct, but fr_cells_end() was called on it");
      return;
    }
  one_more (cells, TRUE);
}

void
fri_cells_truncate (FrCells *cells, gsize length)
{
  gsize nulls_gone = 0;

  if (length < cells->length && cells->validity != NULL)
    for (gsize i = length; i < cells->length; i++)
      if (!((cells->validity[i >> 3] >> (i & 7)) & 1))
        {
          cells->validity[i >> 3] |= (guint8) (1u << (i & 7));
          nulls_gone++;
        }
  cells->nulls -= nulls_gone;
  cells->length = MIN (length, cells->length);
  if (fri_type_is_text (cells->type))
    cells->data_len = offset_at (cells, cells->length);
  else if (cells->type == FR_TYPE_BOOL)
    {
      cells->data_len = (cells->length + 7) / 8;
      if (cells->length & 7)
        cells->data[cells->length >> 3] &= (guint8) ((1u << (cells->length & 7)) - 1);
    }
  else if (cells->width > 0)
    cells->data_len = cells->length * cells->width;
  else
    truncate_children (cells);
}

/* ---- cells: finishing ---------------------------------------------------- */

static gsize
cells_bytes (const FrCells *cells)
{
  gsize bytes = cells->data_len;

  if (cells->offsets64 != NULL)
    bytes += cells->length * sizeof (gint64);
  else if (cells->offsets != NULL)
    bytes += cells->length * sizeof (gint32);
  for (guint i = 0; i < cells->n_children; i++)
    bytes += cells_bytes (cells->children[i]);
  return bytes;
}

static gboolean
cells_sound (const FrCells *cells, GError **error)
{
  if (cells->too_big)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "column '%s' would hold more than 2 GiB in one batch; %s", cells->field->name,
                   cells->type == FR_TYPE_UTF8 ? "make it large_utf8" : "split its cells");
      return FALSE;
    }
  if (cells->fault != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "column '%s' (%s) %s", cells->field->name,
                   fr_type_name (cells->type), cells->fault);
      return FALSE;
    }
  for (guint i = 0; i < cells->n_children; i++)
    if (!cells_sound (cells->children[i], error))
      return FALSE;
  return TRUE;
}

/* A buffer as big as its content: batches wait in queues and spools, and
 * growth by half would keep up to a third of that memory for nothing. */
static void *
fitted (void *buffer, gsize used, gsize size)
{
  if (buffer != NULL && size > used + used / 8 + 4096)
    return g_realloc (buffer, MAX (used, 1));
  return buffer;
}

static FrColumn *
cells_steal (FrCells *cells)
{
  g_autofree FrColumn **children = g_new0 (FrColumn *, cells->n_children + 1);
  void *buffers[3] = { NULL, NULL, NULL };
  gsize n = cells->length;
  FrColumn *column;

  if (cells->nulls > 0)
    buffers[FRI_BUFFER_VALIDITY] = g_steal_pointer (&cells->validity);
  if (cells->offsets64 != NULL)
    buffers[FRI_BUFFER_OFFSETS]
        = fitted (g_steal_pointer (&cells->offsets64), (n + 1) * 8, cells->offsets_size * 8);
  else if (cells->offsets != NULL)
    buffers[FRI_BUFFER_OFFSETS]
        = fitted (g_steal_pointer (&cells->offsets), (n + 1) * 4, cells->offsets_size * 4);
  /* The next batch will need about as much: no growing step by step again. */
  cells->usual_size = MIN (cells->data_len + cells->data_len / 16, FR_BATCH_BYTES);
  if (cells->data != NULL)
    buffers[fri_type_is_text (cells->type) ? FRI_BUFFER_TEXT : FRI_BUFFER_VALUES]
        = fitted (g_steal_pointer (&cells->data), cells->data_len, cells->data_size);
  for (guint i = 0; i < cells->n_children; i++)
    children[i] = cells_steal (cells->children[i]);
  column = fri_column_new (cells->type, n, cells->nulls, buffers,
                           fri_type_is_text (cells->type) ? cells->data_len : 0, children,
                           cells->n_children, NULL, NULL);
  g_clear_pointer (&cells->validity, g_free);
  cells->data_len = cells->data_size = cells->validity_size = cells->nulls = cells->length = 0;
  cells_init_buffers (cells);
  return column;
}

static void
cells_forget_faults (FrCells *cells)
{
  cells->fault = NULL;
  cells->too_big = FALSE;
  for (guint i = 0; i < cells->n_children; i++)
    cells_forget_faults (cells->children[i]);
}

FrColumn *
fri_cells_finish (FrCells *cells, GError **error)
{
  gboolean sound = cells_sound (cells, error);
  FrColumn *column = NULL;

  if (!sound)
    fri_cells_truncate (cells, 0);
  cells_forget_faults (cells);
  column = cells_steal (cells);
  if (!sound)
    g_clear_pointer (&column, fr_column_unref);
  return column;
}

/* ---- builders ------------------------------------------------------------ */

FrBuilder *
fr_builder_new (FrSchema *schema)
{
  guint n = fr_schema_n_fields (schema);
  FrBuilder *builder = g_malloc0 (sizeof (FrBuilder) + n * sizeof (FrCells *));

  builder->schema = fr_schema_ref (schema);
  builder->n_cells = n;
  for (guint i = 0; i < n; i++)
    builder->cells[i] = fri_cells_new (fr_schema_field (schema, i));
  return builder;
}

void
fr_builder_free (FrBuilder *builder)
{
  if (builder == NULL)
    return;
  for (guint i = 0; i < builder->n_cells; i++)
    fri_cells_free (builder->cells[i]);
  fr_schema_unref (builder->schema);
  g_free (builder->ids);
  g_free (builder);
}

FrSchema *
fr_builder_schema (FrBuilder *builder)
{
  return builder->schema;
}

FrCells *
fr_builder_cells (FrBuilder *builder, guint i)
{
  g_return_val_if_fail (i < builder->n_cells, NULL);
  return builder->cells[i];
}

void
fr_builder_end_row (FrBuilder *builder, FrRowId id)
{
  gsize n = builder->n_rows, bytes = 0;

  for (guint i = 0; i < builder->n_cells; i++)
    {
      FrCells *cells = builder->cells[i];

      if (cells->length == n)
        fr_cells_append_null (cells);
      else if (G_UNLIKELY (cells->length != n + 1))
        {
          cells->fault = "was given two cells in one row";
          fri_cells_truncate (cells, n + 1);
        }
      bytes += cells_bytes (cells);
    }
  if (n == builder->ids_size)
    {
      builder->ids_size = MAX (256, builder->ids_size * 2);
      builder->ids = g_renew (FrRowId, builder->ids, builder->ids_size);
    }
  builder->ids[n] = id;
  builder->n_rows = n + 1;
  builder->bytes = bytes + (n + 1) * sizeof (FrRowId);
}

void
fr_builder_cancel_row (FrBuilder *builder)
{
  for (guint i = 0; i < builder->n_cells; i++)
    fri_cells_truncate (builder->cells[i], builder->n_rows);
}

gsize
fr_builder_n_rows (const FrBuilder *builder)
{
  return builder->n_rows;
}

gsize
fr_builder_bytes (const FrBuilder *builder)
{
  return builder->bytes;
}

gboolean
fr_builder_full (const FrBuilder *builder)
{
  return builder->n_rows >= FR_BATCH_ROWS || builder->bytes >= FR_BATCH_BYTES;
}

FrBatch *
fr_builder_finish (FrBuilder *builder, GError **error)
{
  g_autofree FrColumn **columns = g_new0 (FrColumn *, builder->n_cells + 1);
  gboolean sound = TRUE;
  FrBatch *batch = NULL;

  fr_builder_cancel_row (builder);
  for (guint i = 0; i < builder->n_cells; i++)
    {
      columns[i] = fri_cells_finish (builder->cells[i], sound ? error : NULL);
      sound = sound && columns[i] != NULL;
    }
  if (sound)
    batch = fr_batch_new (builder->schema, builder->n_rows, columns, builder->ids, error);
  else
    for (guint i = 0; i < builder->n_cells; i++)
      fr_column_unref (columns[i]);
  builder->n_rows = 0;
  builder->bytes = 0;
  return batch;
}
