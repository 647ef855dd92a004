/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h: rows on their way through a pipeline.
 *
 * A batch is an immutable, reference-counted set of rows.  Its columns are
 * Arrow arrays (arrow.h) in this profile: the types of schema.h, offset 0,
 * no dictionaries, valid UTF-8 in text, 0 <= null_count, a validity buffer
 * wherever null_count is not 0.  Columns are reference-counted by themselves,
 * so an element that rewrites one passes the others on without a copy.
 *
 * Every row has an id that it keeps from its source to the end: see FrRowId.
 *
 * Reading: make an FrView of a column, then ask it for cells.
 * Writing: fill an FrBuilder row by row, or rewrite one text column with
 * fr_batch_map_text(), or choose rows with fr_batch_filter()/fr_batch_take().
 *
 * A batch may be read by any number of threads at once.  A builder belongs to
 * one thread.
 */
#ifndef FLOWRUN_BATCH_H
#define FLOWRUN_BATCH_H

#include <flowrun/arrow.h>
#include <flowrun/schema.h>
#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

typedef struct _FrBatch FrBatch;
typedef struct _FrColumn FrColumn;

/* A batch is full at this many rows or bytes, whichever comes first.  Fixed
 * numbers, so that batch borders never depend on the machine. */
#define FR_BATCH_ROWS 4096
#define FR_BATCH_BYTES (1024 * 1024)

/* ---- row ids ------------------------------------------------------------- */

/**
 * FrRowId:
 * @position: the row's number at its source, counted from 1
 * @source: the number of the source stage in this run (fr_host_source())
 * @child: 0 for a row as its source gave it; else which of a row's descendants it is (fr_row_id_child())
 *
 * Written "goods:17", or "goods:17~1c9d03f2" for a descendant.
 */
typedef struct {
  guint64 position;
  guint32 source;
  guint32 child;
} FrRowId;

/** fr_row_id_child: the id of descendant number @n (from 1) of @parent; never equal to the parent's. */
FrRowId fr_row_id_child (FrRowId parent, guint32 n);

static inline gboolean
fr_row_id_equal (FrRowId a, FrRowId b)
{
  return a.position == b.position && a.source == b.source && a.child == b.child;
}

/* ---- text ---------------------------------------------------------------- */

/**
 * FrStr:
 * @data: the bytes, not NUL-terminated; NULL for a null cell
 * @len: how many
 *
 * A piece of text that somebody else owns.
 */
typedef struct {
  const char *data;
  gsize len;
} FrStr;

#define FR_STR(literal) ((FrStr) { (literal), sizeof (literal) - 1 })

static inline gboolean
fr_str_equal (FrStr a, FrStr b)
{
  return a.len == b.len && (a.data == NULL) == (b.data == NULL)
         && (a.len == 0 || memcmp (a.data, b.data, a.len) == 0);
}

/* ---- batches ------------------------------------------------------------- */

/**
 * fr_batch_new:
 * @schema: borrowed
 * @n_rows: how many rows
 * @columns: one per field, each taken (the array is not), each of @n_rows
 * @ids: @n_rows row ids, copied
 * @error: FR_ERROR_TYPE when a column does not fit its field or length
 */
FrBatch *fr_batch_new (FrSchema *schema, gsize n_rows, FrColumn *const *columns,
                       const FrRowId *ids, GError **error);
FrBatch *fr_batch_ref (FrBatch *batch);
void fr_batch_unref (FrBatch *batch);

FrSchema *fr_batch_schema (const FrBatch *batch);      /* owned by the batch */
gsize fr_batch_n_rows (const FrBatch *batch);
guint fr_batch_n_columns (const FrBatch *batch);
FrColumn *fr_batch_column (const FrBatch *batch, guint i); /* owned by the batch */
const FrRowId *fr_batch_ids (const FrBatch *batch);    /* n_rows of them, owned by the batch */
/** fr_batch_bytes: memory its buffers take; shared columns count fully. */
gsize fr_batch_bytes (const FrBatch *batch);

/**
 * fr_batch_with_column:
 * @batch: borrowed
 * @field: borrowed; replaces the field of its name or is appended
 * @column: taken; as long as the batch
 *
 * Returns a new batch that shares the other columns.
 */
FrBatch *fr_batch_with_column (const FrBatch *batch, FrField *field,
                               FrColumn *column, GError **error);

/** fr_batch_select: columns @indices (@n of them) under @schema, in that order, shared. */
FrBatch *fr_batch_select (const FrBatch *batch, FrSchema *schema,
                          const guint *indices, guint n, GError **error);

/** fr_batch_filter: the rows whose @keep byte is not 0; a new reference to @batch itself if that is all of them. */
FrBatch *fr_batch_filter (FrBatch *batch, const guint8 *keep);

/**
 * fr_batch_take: rows @rows (@n of them, each < n_rows, any order, repeats
 * allowed).  NULL only when repeats would make a column pass 2 GiB.
 */
FrBatch *fr_batch_take (FrBatch *batch, const guint32 *rows, gsize n);

/**
 * fr_batch_validate:
 *
 * Checks every promise of the profile: lengths, monotonic offsets within
 * their buffers, buffers present, valid UTF-8, null counts.  The core does
 * this on every push in debug builds and under plugin-check.
 * Returns FALSE with FR_ERROR_INTERNAL naming column, row and fault.
 */
gboolean fr_batch_validate (const FrBatch *batch, GError **error);

/* ---- one column, read ---------------------------------------------------- */

/**
 * FrView:
 *
 * A column laid open for reading; made by fr_view(), used through the
 * fr_view_*() functions, valid while the batch lives.  The members are
 * private to those functions.
 */
typedef struct {
  FrType type;
  gsize length;
  const guint8 *validity; /* NULL: no nulls */
  const void *offsets;
  const void *data;
  const FrColumn *column;
} FrView;

/** fr_view: opens column @i of @batch. */
FrView fr_view (const FrBatch *batch, guint i);

static inline gboolean
fr_view_is_null (const FrView *view, gsize row)
{
  return view->validity != NULL && !((view->validity[row >> 3] >> (row & 7)) & 1);
}

/** fr_view_str: a text or binary cell; {NULL, 0} when it is null. */
static inline FrStr
fr_view_str (const FrView *view, gsize row)
{
  FrStr s = { NULL, 0 };

  if (fr_view_is_null (view, row))
    return s;
  if (view->type == FR_TYPE_LARGE_UTF8)
    {
      const gint64 *o = (const gint64 *) view->offsets;
      s.data = (const char *) view->data + o[row];
      s.len = (gsize) (o[row + 1] - o[row]);
    }
  else
    {
      const gint32 *o = (const gint32 *) view->offsets;
      s.data = (const char *) view->data + o[row];
      s.len = (gsize) (o[row + 1] - o[row]);
    }
  return s;
}

/** fr_view_bool: a bool cell; FALSE when it is null. */
static inline gboolean
fr_view_bool (const FrView *view, gsize row)
{
  const guint8 *bits = (const guint8 *) view->data;

  return !fr_view_is_null (view, row) && ((bits[row >> 3] >> (row & 7)) & 1);
}

/** fr_view_int: an int32, int64, timestamp or bool cell; 0 when it is null. */
static inline gint64
fr_view_int (const FrView *view, gsize row)
{
  if (fr_view_is_null (view, row))
    return 0;
  if (view->type == FR_TYPE_INT32)
    return ((const gint32 *) view->data)[row];
  if (view->type == FR_TYPE_BOOL)
    return fr_view_bool (view, row);
  return ((const gint64 *) view->data)[row];
}

/** fr_view_float: any number cell as double; 0 when it is null. */
static inline double
fr_view_float (const FrView *view, gsize row)
{
  if (fr_view_is_null (view, row))
    return 0;
  if (view->type == FR_TYPE_FLOAT64)
    return ((const double *) view->data)[row];
  if (view->type == FR_TYPE_FLOAT32)
    return (double) ((const float *) view->data)[row];
  return (double) fr_view_int (view, row);
}

/** fr_view_list: where row @row's items lie in the child view: [@start, @start + returned). 0 when it is null. */
static inline gsize
fr_view_list (const FrView *view, gsize row, gsize *start)
{
  const gint32 *o = (const gint32 *) view->offsets;

  *start = (gsize) o[row];
  return fr_view_is_null (view, row) ? 0 : (gsize) (o[row + 1] - o[row]);
}

/** fr_view_child: the items of a list (@i = 0) or member @i of a struct. */
FrView fr_view_child (const FrView *view, guint i);

/* ---- columns, written ---------------------------------------------------- */

FrColumn *fr_column_ref (FrColumn *column);
void fr_column_unref (FrColumn *column);
gsize fr_column_length (const FrColumn *column);
/** fr_column_array: the Arrow array itself, owned by the column; for other Arrow libraries. */
const struct ArrowArray *fr_column_array (const FrColumn *column);

typedef struct _FrBuilder FrBuilder;

/**
 * FrCells:
 *
 * The growing cells of one column, or of a child of one.  Obtained from a
 * builder, owned by it.  fr_cells_append_*() adds one cell; its type must be
 * the field's (text functions serve utf8, large_utf8 and binary; int serves
 * int32, int64, timestamp and bool).  An integer that does not fit int32 is
 * the caller's mistake and appended as null.
 */
typedef struct _FrCells FrCells;

/** fr_builder_new: an empty builder for @schema (borrowed). */
FrBuilder *fr_builder_new (FrSchema *schema);
void fr_builder_free (FrBuilder *builder);
FrSchema *fr_builder_schema (FrBuilder *builder);
/** fr_builder_cells: the cells of column @i. */
FrCells *fr_builder_cells (FrBuilder *builder, guint i);

void fr_cells_append_null (FrCells *cells);
/** fr_cells_append_str: copies @len bytes; @data NULL appends null.  Text must be valid UTF-8. */
void fr_cells_append_str (FrCells *cells, const char *data, gsize len);
void fr_cells_append_bool (FrCells *cells, gboolean value);
void fr_cells_append_int (FrCells *cells, gint64 value);
void fr_cells_append_float (FrCells *cells, double value);
/** fr_cells_append_from: copies row @row of a view of the same type, children and all. */
void fr_cells_append_from (FrCells *cells, const FrView *view, gsize row);
/** fr_cells_length: how many cells there are, the open row's included. */
gsize fr_cells_length (const FrCells *cells);
/** fr_cells_child: the cells of a list's items (@i = 0) or of a struct's member @i. */
FrCells *fr_cells_child (FrCells *cells, guint i);
/** fr_cells_end: closes a list or struct cell after its child cells were appended. */
void fr_cells_end (FrCells *cells);
/**
 * fr_cells_reserve_str: room for a text cell of at most @max bytes, to be
 * written in place; fr_cells_commit_str() then says how many it became.
 * The pointer is valid until the next call on these cells.
 */
char *fr_cells_reserve_str (FrCells *cells, gsize max);
void fr_cells_commit_str (FrCells *cells, gsize len);

/**
 * fr_builder_end_row:
 *
 * Ends a row: columns that were given no cell get a null; giving a column two
 * cells is a bug that fr_builder_finish() reports.
 */
void fr_builder_end_row (FrBuilder *builder, FrRowId id);
/** fr_builder_cancel_row: takes back the cells of the row not yet ended. */
void fr_builder_cancel_row (FrBuilder *builder);
gsize fr_builder_n_rows (const FrBuilder *builder);
gsize fr_builder_bytes (const FrBuilder *builder);
/** fr_builder_full: TRUE once it holds a batch's worth (FR_BATCH_ROWS, FR_BATCH_BYTES). */
gboolean fr_builder_full (const FrBuilder *builder);
/** fr_builder_finish: the rows so far as a batch; the builder is empty again. */
FrBatch *fr_builder_finish (FrBuilder *builder, GError **error);

/**
 * FrMapText:
 * @text: one cell, never null
 * @out: append the new text here; it is empty on entry
 * @data: the caller's
 *
 * Returns FALSE to make the cell null.
 */
typedef gboolean (*FrMapText) (FrStr text, GString *out, gpointer data);

/**
 * fr_batch_map_text:
 * @batch: borrowed
 * @column: index of a text column
 *
 * Rewrites one text column cell by cell; nulls stay.  Returns a new batch that
 * shares the other columns.
 */
FrBatch *fr_batch_map_text (const FrBatch *batch, guint column, FrMapText func,
                            gpointer data, GError **error);

/* ---- rows as JSON -------------------------------------------------------- */

/**
 * fr_batch_append_json:
 *
 * Appends row @row as one JSON object without a newline: members in column
 * order, text unescaped but for what RFC 8259 requires, null cells as null
 * (or left out if @skip_nulls), binary as base64, timestamps as RFC 3339,
 * floats in the shortest form that reads back equal, not-a-number and
 * infinity as null.
 */
void fr_batch_append_json (const FrBatch *batch, gsize row, gboolean skip_nulls,
                           GString *out);

/** fr_batch_append_json_cell: the one cell of column @column in row @row, in the same form. */
void fr_batch_append_json_cell (const FrBatch *batch, guint column, gsize row, GString *out);

/** fr_view_append_json: a cell of any view, of a list's items or a struct's member too; @field: its field. */
void fr_view_append_json (const FrView *view, const FrField *field, gsize row, GString *out);

/**
 * fr_timestamp_parse:
 * @us: microseconds since 1970-01-01T00:00:00Z
 *
 * Reads RFC 3339 ("2024-05-01T08:30:00.25+08:00"), a blank for the T, a date
 * alone, and no zone for UTC; more than six fractional digits are cut.  FALSE
 * when the text is no such time.
 */
gboolean fr_timestamp_parse (const char *text, gsize len, gint64 *us);
/** fr_timestamp_append: RFC 3339 in UTC, a fraction only when there is one; years beyond 9999 with sign and six digits. */
void fr_timestamp_append (GString *out, gint64 us);

/* ---- other Arrow libraries ----------------------------------------------- */

/** fr_batch_export: @batch as a struct array with its schema; both are the caller's to release. */
void fr_batch_export (FrBatch *batch, struct ArrowArray *array,
                      struct ArrowSchema *schema);

/**
 * fr_batch_import:
 * @array: a struct array; moved from, also on failure
 * @schema: its schema; released by this call
 * @ids: row ids, or NULL to number rows of source 0 from 1
 *
 * Takes columns of the profile without a copy; an offset other than 0 is
 * copied out.  Returns NULL with FR_ERROR_TYPE for a type outside the profile
 * and FR_ERROR_DATA for arrays that break Arrow's rules.
 */
FrBatch *fr_batch_import (struct ArrowArray *array, struct ArrowSchema *schema,
                          const FrRowId *ids, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrBatch, fr_batch_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrColumn, fr_column_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrBuilder, fr_builder_free)

G_END_DECLS

#endif
