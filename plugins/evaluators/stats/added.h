/* SPDX-License-Identifier: Apache-2.0 */
/* added.h: rows as they came, with columns of an evaluator's own beside theirs. */
#ifndef FLOWRUN_ADDED_H
#define FLOWRUN_ADDED_H

#include <flowrun/flowrun.h>

G_BEGIN_DECLS

/** AddedColumn: a column to add; one of that name is replaced. */
typedef struct
{
  const char *name;
  FrType type;
} AddedColumn;

/** added_schema: @in with @columns [n]; fr_schema_unref(). */
FrSchema *added_schema (const FrSchema *in, const AddedColumn *columns, guint n);

/** Added: rows being made. */
typedef struct _Added Added;

/** added_new: @out: of added_schema(); @columns borrowed, must outlive it. */
Added *added_new (FrSchema *out, const AddedColumn *columns, guint n);
void added_free (Added *added);
/** added_open: the rows that follow are of @batch (borrowed). */
void added_open (Added *added, const FrBatch *batch);
/** added_copy: begins a row with the cells of row @row that stay. */
void added_copy (Added *added, gsize row);
/** added_cells: where the cell of added column @i goes; none given: null. */
FrCells *added_cells (Added *added, guint i);
/** added_text: the same for text; NULL: null. */
void added_text (Added *added, guint i, const char *text);
/** added_number: the same for a float64; not finite: null. */
void added_number (Added *added, guint i, double value);
/** added_end: ends the row begun last. */
void added_end (Added *added);
/** added_push: gives the rows made to @port of @host; FR_FLOW_OK also when there are none. */
FrFlow added_push (Added *added, FrHost *host, const char *port, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Added, added_free)

G_END_DECLS

#endif
