/* SPDX-License-Identifier: Apache-2.0 */
/* types.h: what the columns of an SQLite result become (the map is in the
 * manual text of sqlite.c). */
#ifndef SQLITE_TYPES_H
#define SQLITE_TYPES_H

#include "database.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 replaced;    /* text cells with bytes that are no UTF-8 */
  guint64 number_text; /* numbers that became text */
} TypesCount;

/** types_declared: the type that a declaration stands for; 0 when the values must say. */
FrType types_declared (const char *declaration);

/** types_schema: the result's schema; the statement is stepped over a sample and reset. */
FrSchema *types_schema (const SqliteConfig *config, sqlite3_stmt *statement, GError **error);

/** types_append: the cell of @column in the current row; NULL, or what is wrong with it (static).
 */
const char *types_append (FrCells *cells, FrType type, sqlite3_stmt *statement, int column,
                          TypesCount *count);

/** types_show_row: the current row as a JSON array, for rejects. */
void types_show_row (sqlite3_stmt *statement, GString *out);

G_END_DECLS

#endif
