/* SPDX-License-Identifier: Apache-2.0 */
/* link.h: a connection to a MariaDB or MySQL server, with every wait cancellable.
 *
 * MariaDB Connector/C, "Non-blocking API": an operation is begun, and goes on
 * whenever its socket is ready.  There is no call to stop one; another
 * connection tells the server to (KILL QUERY).
 */
#ifndef MARIADB_LINK_H
#define MARIADB_LINK_H

#include "sql/sql.h"

#include <mysql.h>

G_BEGIN_DECLS

typedef struct
{
  MYSQL *mysql;
  MYSQL_STMT *statement; /* prepared; at most one */
  char *place;
  GHashTable *dsn;
  gint64 timeout, connect_timeout;
  gboolean gone; /* an operation was left in its middle: nothing can be asked any more */

  GPtrArray *columns; /* SqlColumn * of the statement */
  MYSQL_BIND *binds;  /* of its result */
  struct _MariaCell *store;
  char *shape; /* of what was described last, to see whether it is still so; NULL: nothing */
} MariaLink;

/** maria_place: where @dsn leads, "mariadb://user@host:port/database"; FR_ERROR_CONFIG. */
char *maria_place (const char *dsn, GError **error);

gpointer maria_open (const SqlConfig *config, GCancellable *cancellable, GError **error);
void maria_close (gpointer link);

/**
 * maria_wait: until the operation under way can go on; @status: what it waits for (MYSQL_WAIT_...),
 * then what happened.  FALSE when the run was cancelled or 'timeout' has passed; the server has
 * then been told to stop.
 */
gboolean maria_wait (MariaLink *link, int *status, gint64 timeout, GCancellable *cancellable,
                     GError **error);

/** maria_fail: what the library says of the last operation; FALSE. */
gboolean maria_fail (MariaLink *link, GError **error);

/** MARIA_AWAIT: runs @start, then @go_on, which is given `status`, as often as it has to wait. The
 * value is FALSE when it was broken off. */
#define MARIA_AWAIT(link, start, go_on, cancellable, error)                                        \
  ({                                                                                               \
    int status = (start);                                                                          \
    gboolean whole = TRUE;                                                                         \
                                                                                                   \
    while (status != 0                                                                             \
           && (whole = maria_wait (link, &status, (link)->timeout, cancellable, error)))           \
      status = (go_on);                                                                            \
    (link)->gone |= !whole;                                                                        \
    whole;                                                                                         \
  })

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MariaLink, maria_close)

G_END_DECLS

#endif
