/* SPDX-License-Identifier: Apache-2.0 */
/* link.h: a connection to a PostgreSQL server, with every wait cancellable.
 *
 * libpq, "Asynchronous Command Processing" and "Retrieving Query Results
 * Row-by-Row".
 */
#ifndef POSTGRES_LINK_H
#define POSTGRES_LINK_H

#include "sql/sql.h"

#include <libpq-fe.h>

G_BEGIN_DECLS

typedef struct
{
  PGconn *pg;
  char *place;
  char *password;
  gint64 timeout;
  PGresult *row; /* the row that cells point into */
  gboolean busy; /* a statement is under way on the server */
} PgLink;

/** pg_place: where @dsn leads, "postgresql://user@host:port/database"; FR_ERROR_CONFIG. */
char *pg_place (const char *dsn, GError **error);

/** pg_open: connects, sets the session up and begins the transaction. */
gpointer pg_open (const SqlConfig *config, GCancellable *cancellable, GError **error);
void pg_close (gpointer link);

/** pg_wait_result: the next result of what was sent; NULL without an error at its end. */
PGresult *pg_wait_result (PgLink *link, GCancellable *cancellable, GError **error);

/**
 * pg_ask: one statement with text parameters (NULL: null), to its end.  Its last result, to be
 * freed with PQclear(), or NULL with the server's error.
 */
PGresult *pg_ask (PgLink *link, const char *sql, int n, const char *const *values,
                  GCancellable *cancellable, GError **error);

/** pg_fail: what went wrong, from @result (NULL: the connection); FALSE. */
gboolean pg_fail (PgLink *link, const PGresult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PgLink, pg_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PGresult, PQclear)

G_END_DECLS

#endif
