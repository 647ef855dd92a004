/* SPDX-License-Identifier: Apache-2.0 */
/* build.h: the statement that a source runs.
 *
 * A table is read in the order of its primary key, so that positions stay the
 * same from run to run; a query in the order it asks for.  With 'incremental'
 * both are sorted by that column, a table then by its key.  Values are bound,
 * never pasted; names are quoted by the driver; 'query' and 'where' are the
 * user's own SQL.
 */
#ifndef SQL_BUILD_H
#define SQL_BUILD_H

#include "sql/position.h"

G_BEGIN_DECLS

/**
 * sql_build:
 * @key: the primary key of the table (char *); may be empty
 * @position: where to begin; NULL: no bounds (to describe)
 * @column: the incremental column; NULL without one, or when it is not known yet
 * @values: the values to bind are put there (JsonNode *)
 */
char *sql_build (const SqlDriver *driver, gpointer link, const SqlConfig *config, GPtrArray *key,
                 const SqlPosition *position, const SqlColumn *column, GPtrArray *values);

G_END_DECLS

#endif
