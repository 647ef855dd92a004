/* SPDX-License-Identifier: Apache-2.0 */
/* dsn.h: where a server is and who asks, in one secret text.
 *
 * libpq and ODBC read their own; this is for drivers whose library has no such
 * text.  Two forms, as libpq knows them:
 *
 *     mariadb://user:password@host:3306/database?ssl_ca=/path
 *     host=db.example user=shop password='two words' database=shop
 *
 * In the first, anything may be percent-encoded (RFC 3986); in the second,
 * values with blanks stand in single quotes, with \' and \\ within.
 */
#ifndef SQL_DSN_H
#define SQL_DSN_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * sql_dsn_parse:
 * @schemes: NULL-terminated: the URI schemes that are welcome
 * @keys: NULL-terminated: all keys there are; "user", "password", "host", "port", "database" among
 * them
 *
 * Returns key → value, to be freed with g_hash_table_unref(), which clears the
 * values from memory; NULL with FR_ERROR_CONFIG.  A message names keys that
 * are known, and never shows a value or a word that could be one.
 */
GHashTable *sql_dsn_parse (const char *dsn, const char *const *schemes, const char *const *keys,
                           GError **error);

/** sql_dsn_braced: the value of @key in an ODBC connection string ("PWD={a;b}"), or NULL; g_free().
 */
char *sql_dsn_braced (const char *dsn, const char *key);

/** sql_dsn_is_local: whether @host is a path of a socket or nothing. */
gboolean sql_dsn_is_local (const char *host);

G_END_DECLS

#endif
