/* SPDX-License-Identifier: Apache-2.0 */
/* result.h: the columns and rows of a prepared statement.
 *
 * "Prepared Statement C API": results are bound in the binary protocol, each
 * column in the C type that holds it exactly, and streamed (no
 * mysql_stmt_store_result()), so that one row is in memory.  A cursor on the
 * server (STMT_ATTR_CURSOR_TYPE) would do too, but the server then writes the
 * whole result into a temporary table before the first row comes.
 */
#ifndef MARIADB_RESULT_H
#define MARIADB_RESULT_H

#include "sources/mariadb/link.h"

G_BEGIN_DECLS

/** maria_columns: what link->statement, prepared, will give (SqlColumn *). */
GPtrArray *maria_columns (MariaLink *link, GError **error);

/** maria_shape: names and types of @columns in one text, to be compared. */
char *maria_shape (GPtrArray *columns);

/** maria_bind: makes room for the rows of link->statement, and link->columns. */
gboolean maria_bind (MariaLink *link, GError **error);

/** maria_fill: the row just fetched; @truncated: a value was longer than its room
 * (MYSQL_DATA_TRUNCATED). */
gboolean maria_fill (MariaLink *link, gboolean truncated, SqlCell *cells, GError **error);

/** maria_result_clear: frees what maria_bind() made. */
void maria_result_clear (MariaLink *link);

G_END_DECLS

#endif
