/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h: SQL column types as flowrun types, SQL values as cells.
 *
 * The map, by the first word of the declaration (MySQL, PostgreSQL, SQLite):
 *
 *   tinyint(1), bit(1), bool, boolean                    bool
 *   every other integer, serial, year, MySQL bit(n)      int64
 *   float, double, real                                  float64
 *   decimal, numeric, money                              float64, or text on request
 *   date, datetime, timestamp (with or without zone)     timestamp; no zone is read as UTC
 *   blob, binary, varbinary, bytea, geometry             binary
 *   all others (char, text, enum, set, json, uuid, time, arrays)   utf8
 */
#ifndef SQLDUMP_CELL_H
#define SQLDUMP_CELL_H

#include "dump.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean zero_dates_null; /* '0000-00-00' is null rather than a fault */
  guint64 n_zero_dates;     /* how many were */
  guint64 n_replaced;       /* text cells that held bytes which are no UTF-8 */
} CellRules;

FrType cell_type (const DumpColumn *column, DumpDialect dialect, gboolean decimal_text);

/** cell_append: @value as one cell of @type; NULL, or what is wrong with it (static). */
const char *cell_append (FrCells *cells, FrType type, DumpKind kind, FrStr value, CellRules *rules);

G_END_DECLS

#endif
