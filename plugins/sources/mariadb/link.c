/* SPDX-License-Identifier: Apache-2.0 */
/* link.c: a connection to a MariaDB or MySQL server (link.h). */
#include "config.h"

#include "sources/mariadb/link.h"
#include "sources/mariadb/result.h"

#include "sql/dsn.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <poll.h>
#include <string.h>

#define KILL_SECONDS 1

static const char *const schemes[] = { "mariadb", "mysql", NULL };
static const char *const keys[] = { "host", "port",   "user",     "password", "database", "socket",
                                    "ssl",  "ssl_ca", "ssl_cert", "ssl_key",  NULL };

/* ---- where it leads ------------------------------------------------------------ */

static gboolean
is_local (GHashTable *dsn)
{
  const char *host = g_hash_table_lookup (dsn, "host");

  return g_hash_table_contains (dsn, "socket") || sql_dsn_is_local (host)
         || strcmp (host, "localhost") == 0;
}

static GHashTable *
parse (const char *text, GError **error)
{
  g_autoptr (GHashTable) dsn = sql_dsn_parse (text, schemes, keys, error);
  const char *port, *ssl;
  guint64 number = 0;

  if (dsn == NULL)
    return NULL;
  port = g_hash_table_lookup (dsn, "port");
  ssl = g_hash_table_lookup (dsn, "ssl");
  if (port && !g_ascii_string_to_unsigned (port, 10, 1, 65535, &number, NULL))
    g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                         "the port in 'dsn' is no number from 1 to 65535");
  else if (ssl && strcmp (ssl, "verify") != 0 && strcmp (ssl, "require") != 0
           && strcmp (ssl, "off") != 0)
    g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                         "'ssl' in 'dsn' must be verify, require or off");
  else
    return g_steal_pointer (&dsn);
  return NULL;
}

static char *
place_of (GHashTable *dsn)
{
  const char *host = g_hash_table_lookup (dsn, "host"), *user = g_hash_table_lookup (dsn, "user");
  const char *port = g_hash_table_lookup (dsn, "port"),
             *name = g_hash_table_lookup (dsn, "database");
  const char *socket = g_hash_table_lookup (dsn, "socket");

  if (is_local (dsn))
    return g_strdup_printf ("mariadb://%s%slocal%s%s/%s", user ? user : "", user ? "@" : "",
                            socket ? ":" : "", socket ? socket : "", name ? name : "");
  return g_strdup_printf ("mariadb://%s%s%s:%s/%s", user ? user : "", user ? "@" : "", host,
                          port ? port : "3306", name ? name : "");
}

char *
maria_place (const char *text, GError **error)
{
  g_autoptr (GHashTable) dsn = parse (text, error);

  return dsn ? place_of (dsn) : NULL;
}

/* ---- errors -------------------------------------------------------------------- */

static FrError
sort (guint number)
{
  switch (number)
    {
    case CR_SSL_CONNECTION_ERROR:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
      return FR_ERROR_CONFIG;
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
    case ER_SERVER_SHUTDOWN:
    case ER_CONNECTION_KILLED:
      return FR_ERROR_TRANSIENT;
    case ER_QUERY_INTERRUPTED:
    case ER_STATEMENT_TIMEOUT:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_OUT_OF_RESOURCES:
    case ER_DISK_FULL:
      return FR_ERROR_IO;
    default:
      /* The client library's own numbers. */
      return number >= CR_MIN_ERROR && number <= CR_MYSQL_LAST_ERROR ? FR_ERROR_TRANSIENT
                                                                     : FR_ERROR_CONFIG;
    }
}

static const char *
advice_for (guint number)
{
  switch (number)
    {
    case CR_SSL_CONNECTION_ERROR:
      return ": the server's certificate is checked unless 'dsn' says otherwise (ssl, ssl_ca)";
    case ER_ACCESS_DENIED_ERROR:
      return ": see user and password in 'dsn'";
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
      return ": GRANT SELECT ON the table TO this user";
    case ER_STATEMENT_TIMEOUT:
      return ": the server's max_statement_time is too short for this query; SET STATEMENT "
             "max_statement_time=0 FOR SELECT ... lifts it";
    default:
      return "";
    }
}

gboolean
maria_fail (MariaLink *link, GError **error)
{
  gboolean of_statement = link->statement && mysql_stmt_errno (link->statement) != 0;
  guint number = of_statement ? mysql_stmt_errno (link->statement) : mysql_errno (link->mysql);
  const char *message
      = of_statement ? mysql_stmt_error (link->statement) : mysql_error (link->mysql);
  g_autofree char *shown = sql_hide (message, g_hash_table_lookup (link->dsn, "password"));
  g_autofree char *text = g_utf8_make_valid (shown, -1);

  switch (sort (number))
    {
    case FR_ERROR_TRANSIENT:
      g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT,
                   "the connection to MariaDB (%s) was lost: "
                   "%s",
                   link->place, text);
      break;
    case FR_ERROR_IO:
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "MariaDB (%s) ended the query: %s%s", link->place,
                   text, advice_for (number));
      break;
    default:
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "MariaDB refuses the query: %s%s", text,
                   advice_for (number));
    }
  return FALSE;
}

static gboolean
fail_connect (MariaLink *link, GError **error)
{
  guint number = mysql_errno (link->mysql);
  g_autofree char *shown
      = sql_hide (mysql_error (link->mysql), g_hash_table_lookup (link->dsn, "password"));
  g_autofree char *text = g_utf8_make_valid (shown, -1);

  g_set_error (error, FR_ERROR, sort (number), "cannot connect to MariaDB (%s): %s%s", link->place,
               text, advice_for (number));
  return FALSE;
}

/* ---- waiting -------------------------------------------------------------------- */

static void set_options (MYSQL *mysql, GHashTable *dsn, guint seconds);
static const char *get (GHashTable *dsn, const char *key);
static guint port_of (GHashTable *dsn);

/* The library is begun once, by one thread: mysql_init() by two at once begins it by halves. */
static MYSQL *
new_handle (void)
{
  static gsize started;

  if (g_once_init_enter (&started))
    {
      mysql_library_init (0, NULL, NULL); /* mysql_init() fails where this did */
      g_once_init_leave (&started, 1);
    }
  return mysql_init (NULL);
}

/* What cannot be told on the connection itself, which is busy. */
static void
kill_query (MariaLink *link)
{
  MYSQL *other = new_handle ();
  g_autofree char *sql = g_strdup_printf ("KILL QUERY %lu", (gulong) mysql_thread_id (link->mysql));

  if (other == NULL)
    return;
  set_options (other, link->dsn, KILL_SECONDS);
  if (mysql_thread_id (link->mysql) != 0
      && mysql_real_connect (other, get (link->dsn, "host"), get (link->dsn, "user"),
                             get (link->dsn, "password"), NULL, port_of (link->dsn),
                             get (link->dsn, "socket"), 0))
    mysql_query (other, sql);
  mysql_close (other);
}

gboolean
maria_wait (MariaLink *link, int *status, gint64 timeout, GCancellable *cancellable, GError **error)
{
  short events = (short) ((*status & MYSQL_WAIT_READ ? POLLIN : 0)
                          | (*status & MYSQL_WAIT_WRITE ? POLLOUT : 0)
                          | (*status & MYSQL_WAIT_EXCEPT ? POLLPRI : 0));
  gint64 own
      = *status & MYSQL_WAIT_TIMEOUT ? (gint64) mysql_get_timeout_value_ms (link->mysql) * 1000 : 0;
  gint64 us = own > 0 && (timeout <= 0 || own < timeout) ? own : timeout;
  int got = sql_wait (mysql_get_socket (link->mysql), events, us, cancellable);

  if (got < 0)
    {
      kill_query (link);
      return sql_cancelled (error);
    }
  if (got == 0 && us == own && own > 0)
    {
      *status = MYSQL_WAIT_TIMEOUT;
      return TRUE;
    }
  if (got == 0)
    {
      kill_query (link);
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "MariaDB (%s) gave no answer within 'timeout', %g seconds", link->place,
                   (double) timeout / G_USEC_PER_SEC);
      return FALSE;
    }
  *status = (got & (POLLIN | POLLHUP | POLLERR) ? MYSQL_WAIT_READ : 0)
            | (got & POLLOUT ? MYSQL_WAIT_WRITE : 0) | (got & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
  return TRUE;
}

/* ---- opening --------------------------------------------------------------------- */

static const char *
get (GHashTable *dsn, const char *key)
{
  return g_hash_table_lookup (dsn, key);
}

static guint
port_of (GHashTable *dsn)
{
  const char *port = get (dsn, "port");

  return port ? (guint) g_ascii_strtoull (port, NULL, 10) : 0;
}

static const char *
authorities (void)
{
  static const char *const files[] = { "/etc/ssl/certs/ca-certificates.crt",
                                       "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (g_file_test (files[i], G_FILE_TEST_EXISTS))
      return files[i];
  return NULL;
}

/* Over a network the certificate is verified, and the host's name in it, unless
 * the DSN says otherwise. */
static void
set_tls (MYSQL *mysql, GHashTable *dsn)
{
  const char *ssl = get (dsn, "ssl"), *ca = get (dsn, "ssl_ca");
  my_bool yes = 1, no = 0;

  if (ssl == NULL)
    ssl = is_local (dsn) && ca == NULL ? "off" : "verify";
  if (strcmp (ssl, "verify") == 0)
    {
      if (ca == NULL)
        ca = authorities ();
      mysql_optionsv (mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
  else
    {
      mysql_optionsv (mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
      /* Whoever answers in the server's place cannot ask for the password as it is. */
      if (!is_local (dsn))
        mysql_optionsv (mysql, MARIADB_OPT_RESTRICTED_AUTH,
                        "mysql_native_password,client_ed25519,caching_sha2_password,"
                        "sha256_password,auth_gssapi_client");
    }
  if (strcmp (ssl, "off") == 0)
    return;
  mysql_optionsv (mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  if (ca)
    mysql_optionsv (mysql, MYSQL_OPT_SSL_CA, ca);
  if (get (dsn, "ssl_cert"))
    mysql_optionsv (mysql, MYSQL_OPT_SSL_CERT, get (dsn, "ssl_cert"));
  if (get (dsn, "ssl_key"))
    mysql_optionsv (mysql, MYSQL_OPT_SSL_KEY, get (dsn, "ssl_key"));
}

static void
set_options (MYSQL *mysql, GHashTable *dsn, guint seconds)
{
  guint off = 0;

  mysql_optionsv (mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv (mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  /* A server may otherwise ask for files of this machine. */
  mysql_optionsv (mysql, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_optionsv (mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "flowrun");
  set_tls (mysql, dsn);
}

static gboolean
run (MariaLink *link, const char *sql, GCancellable *cancellable, GError **error)
{
  int failed = 0;

  if (!MARIA_AWAIT (link, mysql_real_query_start (&failed, link->mysql, sql, strlen (sql)),
                    mysql_real_query_cont (&failed, link->mysql, status), cancellable, error))
    return FALSE;
  return failed == 0 || maria_fail (link, error);
}

/* One snapshot, nothing but reading, times in UTC; and rows may have to wait
 * for the stages behind, which the server would take for a dead client. */
static gboolean
set_up (MariaLink *link, GCancellable *cancellable, GError **error)
{
  return run (link, "SET SESSION time_zone = '+00:00', net_write_timeout = 31536000", cancellable,
              error)
         && run (link, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", cancellable,
                 error)
         && run (link, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", cancellable, error);
}

/* connect_timeout is one for the whole of it; 'timeout' is for answers. */
static gboolean
start_connection (MariaLink *link, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + link->connect_timeout;
  MYSQL *connected = NULL;
  int status = mysql_real_connect_start (&connected, link->mysql, get (link->dsn, "host"),
                                         get (link->dsn, "user"), get (link->dsn, "password"),
                                         get (link->dsn, "database"), port_of (link->dsn),
                                         get (link->dsn, "socket"), 0);

  while (status != 0)
    {
      gint64 left = end - g_get_monotonic_time ();

      if (left <= 0 || !maria_wait (link, &status, left, cancellable, NULL))
        {
          link->gone = TRUE;
          if (g_cancellable_is_cancelled (cancellable))
            return sql_cancelled (error);
          g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT,
                       "cannot connect to MariaDB (%s): no answer within 'connect_timeout', %g "
                       "seconds",
                       link->place, (double) link->connect_timeout / G_USEC_PER_SEC);
          return FALSE;
        }
      status = mysql_real_connect_cont (&connected, link->mysql, status);
    }
  return connected != NULL || fail_connect (link, error);
}

gpointer
maria_open (const SqlConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (MariaLink) link = g_new0 (MariaLink, 1);

  link->dsn = parse (config->dsn, error);
  if (link->dsn == NULL)
    return NULL;
  link->place = place_of (link->dsn);
  link->timeout = config->timeout;
  link->connect_timeout = config->connect_timeout;
  link->mysql = new_handle ();
  if (link->mysql == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_IO, "libmariadb is out of memory");
      return NULL;
    }
  set_options (link->mysql, link->dsn, (guint) (config->connect_timeout / G_USEC_PER_SEC + 1));
  mysql_optionsv (link->mysql, MYSQL_OPT_NONBLOCK, 0);
  if (!start_connection (link, cancellable, error) || !set_up (link, cancellable, error))
    return NULL;
  return g_steal_pointer (&link);
}

void
maria_close (gpointer data)
{
  MariaLink *link = data;

  maria_result_clear (link);
  /* In this order closing a statement does not read the rest of its rows. */
  g_clear_pointer (&link->mysql, mysql_close);
  if (link->statement)
    mysql_stmt_close (link->statement);
  g_clear_pointer (&link->dsn, g_hash_table_unref);
  g_free (link->shape);
  g_free (link->place);
  g_free (link);
}
