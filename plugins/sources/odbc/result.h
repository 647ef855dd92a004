/* SPDX-License-Identifier: Apache-2.0 */
/* result.h: the columns and rows of an ODBC statement.
 *
 * Two ways to take rows.  Where every column says how long its values can be,
 * and that is not much, blocks of rows go into arrays of columns ("Using Block
 * Cursors"), one call to the driver for hundreds of them.  Elsewhere (long
 * text, drivers whose sizes say nothing) values are taken one by one, in
 * order, in pieces (SQLGetData()), which any driver can.
 */
#ifndef ODBC_RESULT_H
#define ODBC_RESULT_H

#include "sources/odbc/link.h"

G_BEGIN_DECLS

/** odbc_columns: what link->statement, prepared, will give (SqlColumn *). */
GPtrArray *odbc_columns (OdbcLink *link, GError **error);

/** odbc_shape: names and types of @columns in one text, to be compared. */
char *odbc_shape (GPtrArray *columns);

/** odbc_result_new: room for rows of link->statement, which is about to be executed; its @columns,
 * taken. */
gboolean odbc_result_new (OdbcLink *link, GPtrArray *columns, GError **error);

SqlStep odbc_result_next (OdbcLink *link, SqlCell *cells, GError **error);
void odbc_result_clear (OdbcLink *link);

G_END_DECLS

#endif
