/* SPDX-License-Identifier: Apache-2.0 */
/* source-private.h: what bind.c, fingerprint.c and run.c share of the element. */
#ifndef SQL_SOURCE_PRIVATE_H
#define SQL_SOURCE_PRIVATE_H

#include "sql/sql.h"

G_BEGIN_DECLS

/** sql_connect: connects; while it is worth it, again and again with longer pauses. @host: to be
 * told, or NULL. */
gpointer sql_connect (const SqlDriver *driver, const SqlConfig *config, FrHost *host,
                      GCancellable *cancellable, GError **error);

/** sql_describe: the columns (SqlColumn *) of the statement, without bounds; @key: the table's key
 * is put there (char *). */
GPtrArray *sql_describe (const SqlDriver *driver, gpointer link, const SqlConfig *config,
                         GPtrArray *key, GCancellable *cancellable, GError **error);

/** sql_column_named: the one of that name, or NULL. */
SqlColumn *sql_column_named (GPtrArray *columns, const char *name);

/** sql_schema: what the columns become: as declared, as asked for, or by themselves. */
FrSchema *sql_schema (const SqlConfig *config, GPtrArray *columns, GError **error);

G_END_DECLS

#endif
