/* SPDX-License-Identifier: Apache-2.0 */
/* array.h: PostgreSQL's text form of arrays as lists. */
#ifndef SQL_ARRAY_H
#define SQL_ARRAY_H

#include "sql/value.h"

G_BEGIN_DECLS

/**
 * sql_append_array: @text, an array as in PostgreSQL's documentation, "Array
 * Input and Output Syntax", as one cell of @field, a list.  Lower bounds
 * ("[0:2]={...}") are not kept.  An array must have as many dimensions as the
 * list has levels; an empty one has any number.
 */
const char *sql_append_array (FrCells *cells, const FrField *field, const SqlColumn *column,
                              FrStr text, SqlRules *rules);

G_END_DECLS

#endif
