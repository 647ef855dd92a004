/* SPDX-License-Identifier: Apache-2.0 */
/* link.c: a connection through ODBC (link.h). */
#include "config.h"

#include "sources/odbc/link.h"
#include "sources/odbc/result.h"

#include "sql/dsn.h"
#include "text/utf8-scope.h"

#include <string.h>

/* ---- text ---------------------------------------------------------------------- */

SQLWCHAR *
odbc_wide (const char *text)
{
  /* What a pipeline file holds is UTF-8 and ends at its NUL. */
  return (SQLWCHAR *) g_utf8_to_utf16 (text, -1, NULL, NULL, NULL);
}

gboolean
odbc_append_narrow (GString *out, const SQLWCHAR *wide, gsize n)
{
  gsize before = out->len, i = 0;
  char *to;

  /* A unit becomes at most three bytes. */
  g_string_set_size (out, before + 3 * n);
  to = out->str + before;
  while (i < n)
    {
      gunichar c = wide[i++];

      if (c < 0x80)
        {
          *to++ = (char) c;
          continue;
        }
      if (c >= 0xd800 && c < 0xe000)
        {
          if (c >= 0xdc00 || i == n || wide[i] < 0xdc00 || wide[i] >= 0xe000)
            return FALSE;
          c = 0x10000 + ((c - 0xd800) << 10) + (wide[i++] - 0xdc00u);
        }
      to += g_unichar_to_utf8 (c, to);
    }
  g_string_truncate (out, (gsize) (to - out->str));
  return TRUE;
}

gboolean
odbc_append_name (GString *out, const SQLWCHAR *wide, gsize room, SQLLEN n)
{
  gsize most = (gsize) CLAMP (n, 0, (SQLLEN) room - 1), len = 0;

  while (len < most && wide[len] != 0)
    len++;
  return odbc_append_narrow (out, wide, len);
}

/* ---- where it leads ------------------------------------------------------------ */

char *
odbc_place (const char *dsn, GError **error)
{
  static const char *const keys[] = { "DSN",  "FILEDSN", "DRIVER",   "SERVER", "SERVERNAME",
                                      "HOST", "PORT",    "DATABASE", "DB",     "DBQ" };
  g_autoptr (GString) place = g_string_new ("odbc:");

  if (!g_utf8_validate (dsn, -1, NULL))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG, "'dsn' is not UTF-8");
      return NULL;
    }
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *value = sql_dsn_braced (dsn, keys[i]);

      if (value)
        g_string_append_printf (place, "%s%s=%s", place->len > 5 ? ";" : "", keys[i], value);
    }
  if (place->len > 5)
    return g_string_free (g_steal_pointer (&place), FALSE);
  g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                       "'dsn' cannot be read: expected \"DSN=name;UID=...;PWD=...\" or "
                       "\"DRIVER=...;SERVER=...;...\"; "
                       "its text is not shown since it may hold a password");
  return NULL;
}

/* ---- errors -------------------------------------------------------------------- */

static char *
diagnostics (OdbcLink *link, SQLSMALLINT type, SQLHANDLE handle, char state[6])
{
  SQLWCHAR wide_state[6] = { 0 }, wide[1024];
  SQLINTEGER native;
  SQLSMALLINT len = 0;
  g_autoptr (GString) text = g_string_new (NULL);

  memset (state, 0, 6);
  if (odbc_ok (
          SQLGetDiagRecW (type, handle, 1, wide_state, &native, wide, G_N_ELEMENTS (wide), &len)))
    {
      for (guint i = 0; i < 5; i++)
        state[i] = (char) wide_state[i];
      if (!odbc_append_name (text, wide, G_N_ELEMENTS (wide), len))
        g_string_assign (text, "(its message is not readable)");
    }
  else
    g_string_assign (text, "(the driver does not say why)");
  return sql_hide (text->str, link->password);
}

static gboolean
is_passing (const char *state)
{
  return g_str_has_prefix (state, "08") || strcmp (state, "HYT01") == 0;
}

gboolean
odbc_fail (OdbcLink *link, SQLSMALLINT type, SQLHANDLE handle, GError **error)
{
  char state[6];
  g_autofree char *text = diagnostics (link, type, handle, state);

  if (g_atomic_int_get (&link->cancelled))
    return sql_cancelled (error);
  if (is_passing (state))
    g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT, "the connection to %s was lost: %s",
                 link->place, text);
  else if (strcmp (state, "HYT00") == 0)
    g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s gave no answer within 'timeout': %s",
                 link->place, text);
  else if (g_str_has_prefix (state, "42") || g_str_has_prefix (state, "2")
           || g_str_has_prefix (state, "07"))
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s refuses the query: %s", link->place, text);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s failed: %s (%s)", link->place, text, state);
  return FALSE;
}

static gboolean
fail_connect (OdbcLink *link, GError **error)
{
  char state[6];
  g_autofree char *text = diagnostics (link, SQL_HANDLE_DBC, link->connection, state);
  const char *advice = "";

  if (strcmp (state, "IM002") == 0)
    advice = ": 'odbcinst -q -s' and 'odbcinst -q -d' list the names and drivers of this machine";
  else if (g_str_has_prefix (state, "28"))
    advice = ": see UID and PWD in 'dsn'";
  g_set_error (error, FR_ERROR, is_passing (state) ? FR_ERROR_TRANSIENT : FR_ERROR_CONFIG,
               "cannot connect to %s: %s%s", link->place, text, advice);
  return FALSE;
}

/* ---- opening --------------------------------------------------------------------- */

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  OdbcLink *link = data;

  (void) cancellable;
  g_atomic_int_set (&link->cancelled, TRUE);
  SQLCancel (link->statement);
}

static SQLPOINTER
number (gintptr value)
{
  return (SQLPOINTER) value;
}

static gboolean
connect_driver (OdbcLink *link, const SqlConfig *config, GError **error)
{
  gint64 seconds = (config->connect_timeout + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
  SQLWCHAR *dsn = odbc_wide (config->dsn);
  SQLRETURN code;

  /* Drivers that do not know one of these go on without. */
  SQLSetConnectAttrW (link->connection, SQL_ATTR_LOGIN_TIMEOUT, number ((gintptr) seconds), 0);
  SQLSetConnectAttrW (link->connection, SQL_ATTR_ACCESS_MODE, number (SQL_MODE_READ_ONLY), 0);
  code = SQLDriverConnectW (link->connection, NULL, dsn, SQL_NTS, NULL, 0, NULL,
                            SQL_DRIVER_NOPROMPT);
  explicit_bzero (dsn, strlen (config->dsn) * sizeof *dsn);
  g_free (dsn);
  if (!odbc_ok (code))
    return fail_connect (link, error);
  link->connected = TRUE;
  SQLSetConnectAttrW (link->connection, SQL_ATTR_AUTOCOMMIT, number (SQL_AUTOCOMMIT_OFF), 0);
  return TRUE;
}

static void
ask_driver (OdbcLink *link)
{
  SQLSMALLINT len = 0;
  char name[64] = "";

  if (!odbc_ok (SQLGetInfo (link->connection, SQL_IDENTIFIER_QUOTE_CHAR, link->quote,
                            sizeof link->quote, &len))
      || link->quote[0] == ' ')
    link->quote[0] = '\0';
  /* An SQLite column holds values of any length, whatever it was declared to hold. */
  if (odbc_ok (SQLGetInfo (link->connection, SQL_DBMS_NAME, name, sizeof name, &len)))
    link->piecewise = g_ascii_strcasecmp (name, "SQLite") == 0;
}

OdbcLink *
odbc_connect (const SqlConfig *config, gint64 block, GCancellable *cancellable, GError **error)
{
  /* For a driver that has no functions with W, SQLite's for one, the manager turns UTF-16 into the
   * encoding that the locale has when its handles are made. */
  g_auto (TextUtf8Scope) scope = text_utf8_scope_begin ();
  g_autoptr (OdbcLink) link = g_new0 (OdbcLink, 1);
  gint64 seconds = (config->timeout + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;

  link->place = odbc_place (config->dsn, error);
  if (link->place == NULL)
    return NULL;
  link->password = sql_dsn_braced (config->dsn, "PWD");
  if (link->password == NULL)
    link->password = sql_dsn_braced (config->dsn, "PASSWORD");
  link->block = block;
  link->marks = g_array_new (FALSE, TRUE, sizeof (SqlKind));
  if (!odbc_ok (SQLAllocHandle (SQL_HANDLE_ENV, SQL_NULL_HANDLE, &link->environment))
      || !odbc_ok (
          SQLSetEnvAttr (link->environment, SQL_ATTR_ODBC_VERSION, number (SQL_OV_ODBC3), 0))
      || !odbc_ok (SQLAllocHandle (SQL_HANDLE_DBC, link->environment, &link->connection)))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_IO, "the ODBC driver manager does not start");
      return NULL;
    }
  if (!connect_driver (link, config, error))
    return NULL;
  ask_driver (link);
  if (!odbc_ok (SQLAllocHandle (SQL_HANDLE_STMT, link->connection, &link->statement)))
    {
      odbc_fail (link, SQL_HANDLE_DBC, link->connection, error);
      return NULL;
    }
  if (seconds > 0)
    SQLSetStmtAttrW (link->statement, SQL_ATTR_QUERY_TIMEOUT, number ((gintptr) seconds), 0);
  if (cancellable)
    {
      link->cancellable = g_object_ref (cancellable);
      link->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), link, NULL);
    }
  return g_steal_pointer (&link);
}

void
odbc_disconnect (gpointer data)
{
  OdbcLink *link = data;

  /* Waits for a handler that is at it. */
  if (link->handler)
    g_cancellable_disconnect (link->cancellable, link->handler);
  g_clear_object (&link->cancellable);
  odbc_result_clear (link);
  if (link->statement)
    SQLFreeHandle (SQL_HANDLE_STMT, link->statement);
  if (link->connected)
    {
      SQLEndTran (SQL_HANDLE_DBC, link->connection, SQL_ROLLBACK);
      SQLDisconnect (link->connection);
    }
  if (link->connection)
    SQLFreeHandle (SQL_HANDLE_DBC, link->connection);
  if (link->environment)
    SQLFreeHandle (SQL_HANDLE_ENV, link->environment);
  if (link->password)
    explicit_bzero (link->password, strlen (link->password));
  g_free (link->password);
  g_clear_pointer (&link->marks, g_array_unref);
  g_free (link->shape);
  g_free (link->place);
  g_free (link);
}
