/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h: one cell as text, whatever its type (libflowrun-text). */
#ifndef FLOWRUN_TEXT_CELL_H
#define FLOWRUN_TEXT_CELL_H

#include <flowrun/batch.h>

G_BEGIN_DECLS

/** text_cell_is_empty: null, text of nothing but white space, a list without items, not-a-number.
 */
gboolean text_cell_is_empty (const FrView *view, gsize row);

/**
 * text_cell_append: text as it is, numbers and bools as in JSON, timestamps as
 * RFC 3339, binary as base64, lists and structs as JSON.  Null appends nothing.
 * @field: the field of the column that @view shows
 */
void text_cell_append (const FrField *field, const FrView *view, gsize row, GString *out);

G_END_DECLS

#endif
