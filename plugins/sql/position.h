/* SPDX-License-Identifier: Apache-2.0 */
/* position.h: how far an incremental source has come.
 *
 * The server sorts by the column, so the last row's value is the largest.  A
 * later run asks for that value and all above it, not only those above: rows
 * that were written with the very same value after the first run had passed
 * would be lost otherwise.  So that none comes twice, the position remembers a
 * hash (XXH3, 128 bits) of every row at the last value, with as many copies as
 * there were, and these are passed over.  When more than SQL_MAX_TIES rows
 * share the last value they are not remembered; the next run then begins above
 * it, and both runs say so.
 *
 * A position belongs to one server, one table or query, and one column; used
 * with another it is refused, for its rows would be the wrong ones.
 */
#ifndef SQL_POSITION_H
#define SQL_POSITION_H

#include "sql/sql.h"

G_BEGIN_DECLS

#define SQL_MAX_TIES 1000000

typedef struct _SqlPosition SqlPosition;

/**
 * sql_position_new:
 * @place: the server, as SqlDriver.place() says
 * @column: the name of the column
 * @columns: the result's columns (SqlColumn *)
 * @left: what the last run kept; NULL for the first
 * @error: FR_ERROR_CONFIG when there is no such column, its kind has no order that can be relied
 *   on, or @left belongs to something else
 */
SqlPosition *sql_position_new (const SqlConfig *config, const char *place, GPtrArray *columns,
                               JsonNode *left, GError **error);
void sql_position_free (SqlPosition *position);

/** sql_position_check: the same checks of the column alone; @index: which it is. */
gboolean sql_position_check (const SqlConfig *config, GPtrArray *columns, guint *index,
                             GError **error);

/** sql_position_value: what to begin with, to be bound to the query; NULL: the beginning. */
JsonNode *sql_position_value (const SqlPosition *position);
/** sql_position_operator: ">=" or ">". */
const char *sql_position_operator (const SqlPosition *position);
/** sql_position_rows: rows given by all runs before this one. */
guint64 sql_position_rows (const SqlPosition *position);

typedef enum
{
  SQL_POSITION_NEW,
  SQL_POSITION_SEEN, /* an earlier run gave it already */
  SQL_POSITION_NULL  /* it has none */
} SqlPositionStep;

/** sql_position_step: notes a row. */
SqlPositionStep sql_position_step (SqlPosition *position, const SqlCell *cells);

/**
 * sql_position_state: for fr_host_set_state(); @rows: given by all runs up to now.  @forgotten:
 * whether the rows at the last value are too many to remember.
 */
JsonNode *sql_position_state (SqlPosition *position, guint64 rows, gboolean *forgotten);

/** sql_position_last: the largest value so far as text, or NULL. */
const char *sql_position_last (const SqlPosition *position);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqlPosition, sql_position_free)

G_END_DECLS

#endif
