/* SPDX-License-Identifier: Apache-2.0 */
/* link.h: a connection through ODBC.
 *
 * ODBC 3.8 Programmer's Reference, through unixODBC's driver manager.  All
 * text goes and comes as UTF-16 (the functions with W, SQL_C_WCHAR), whose
 * meaning no locale changes.  Calls block; the cancellable calls SQLCancel()
 * from whichever thread it fires on, which the standard allows.
 */
#ifndef ODBC_LINK_H
#define ODBC_LINK_H

#include "sql/sql.h"

#include <sql.h>
#include <sqlext.h>

G_BEGIN_DECLS

struct _OdbcResult; /* result.h */

typedef struct
{
  SQLHENV environment;
  SQLHDBC connection;
  SQLHSTMT statement;
  gboolean connected;
  char *place;
  char *password;
  char *shape; /* of what was described last; NULL: nothing */
  char quote[8];
  gboolean piecewise; /* the driver's sizes of columns cannot be relied on */
  gint64 block;
  GArray *marks; /* SqlKind by number of parameter, as far as known */

  GCancellable *cancellable;
  gulong handler;
  gboolean cancelled;

  struct _OdbcResult *result;
} OdbcLink;

/** odbc_place: where @dsn leads, without UID and PWD: "odbc:DSN=shop;DATABASE=shop";
 * FR_ERROR_CONFIG. */
char *odbc_place (const char *dsn, GError **error);

OdbcLink *odbc_connect (const SqlConfig *config, gint64 block, GCancellable *cancellable,
                        GError **error);
void odbc_disconnect (gpointer link);

/** odbc_fail: the driver's diagnostics of a failed call; FALSE. */
gboolean odbc_fail (OdbcLink *link, SQLSMALLINT type, SQLHANDLE handle, GError **error);

static inline gboolean
odbc_ok (SQLRETURN code)
{
  return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO;
}

/** odbc_wide: @text as UTF-16 with a NUL; g_free(). */
SQLWCHAR *odbc_wide (const char *text);
/** odbc_append_narrow: @n units of UTF-16 as UTF-8; FALSE for lone surrogates. */
gboolean odbc_append_narrow (GString *out, const SQLWCHAR *wide, gsize n);
/** odbc_append_name: what a driver wrote into the @room units of @wide as UTF-8: a name or a
 * message, which ends at its NUL.  @n: its length as the driver gives it, which may be too large:
 * SQLite's counts the bytes of UTF-8.  FALSE for lone surrogates. */
gboolean odbc_append_name (GString *out, const SQLWCHAR *wide, gsize room, SQLLEN n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OdbcLink, odbc_disconnect)

G_END_DECLS

#endif
