/* SPDX-License-Identifier: Apache-2.0 */
/* database.h: an SQLite database that can only be read, with a query on it. */
#ifndef SQLITE_DATABASE_H
#define SQLITE_DATABASE_H

#include <flowrun/flowrun.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef struct
{
  char *path, *script, *query, *table;
  JsonNode *parameters;
  FrPair *columns;
  gint64 sample, busy_timeout;
} SqliteConfig;

typedef struct
{
  sqlite3 *handle;
  sqlite3_stmt *statement; /* compiled, its parameters bound */
} Database;

Database *database_open (const SqliteConfig *config, GCancellable *cancellable, GError **error);
void database_free (Database *db);

/** database_error: what SQLite says, with what to do about it; always FALSE. */
gboolean database_error (sqlite3 *handle, int rc, const char *doing, const char *path,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Database, database_free)

G_END_DECLS

#endif
