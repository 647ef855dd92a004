/* SPDX-License-Identifier: Apache-2.0 */
/* types.h: the columns of a PostgreSQL result, sorted into kinds. */
#ifndef POSTGRES_TYPES_H
#define POSTGRES_TYPES_H

#include "sources/postgres/link.h"

G_BEGIN_DECLS

/**
 * pg_columns: the columns that @described, the result of PQdescribePrepared(),
 * has (SqlColumn *).  The server is asked what it calls their types, and what
 * arrays, enums and types of extensions are made of.  A domain comes as the
 * type below it.
 */
GPtrArray *pg_columns (PgLink *link, const PGresult *described, GCancellable *cancellable,
                       GError **error);

G_END_DECLS

#endif
