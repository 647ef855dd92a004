/* SPDX-License-Identifier: Apache-2.0 */
/* link.c: a connection to a PostgreSQL server, with every wait cancellable (link.h). */
#include "config.h"

#include "sources/postgres/link.h"

#include <poll.h>
#include <string.h>

#define GOODBYE_US G_USEC_PER_SEC /* for the server to say that it has stopped */

/* ---- where it leads ------------------------------------------------------------ */

static PQconninfoOption *
parse (const char *dsn, GError **error)
{
  char *why = NULL;
  PQconninfoOption *options = PQconninfoParse (dsn, &why);

  if (options != NULL)
    return options;
  /* libpq's message would quote the text, password and all. */
  if (why)
    PQfreemem (why);
  g_set_error_literal (
      error, FR_ERROR, FR_ERROR_CONFIG,
      "'dsn' cannot be read: expected postgresql://user:password@host:port/database or "
      "\"host=... dbname=... user=...\" (libpq, \"Connection Strings\"); its text is not shown "
      "since it may hold a password");
  return NULL;
}

static const char *
option (const PQconninfoOption *options, const char *key)
{
  for (; options && options->keyword; options++)
    if (strcmp (options->keyword, key) == 0)
      return options->val && *options->val ? options->val : NULL;
  return NULL;
}

/* From the DSN, else from the environment (PGHOST and its like). */
static const char *
either (const PQconninfoOption *given, const PQconninfoOption *environment, const char *key)
{
  const char *value = option (given, key);

  return value ? value : option (environment, key);
}

char *
pg_place (const char *dsn, GError **error)
{
  PQconninfoOption *given = parse (dsn, error), *environment;
  const char *host, *user, *port, *name;
  char *place;

  if (given == NULL)
    return NULL;
  environment = PQconndefaults ();
  host = either (given, environment, "host");
  if (host == NULL)
    host = either (given, environment, "hostaddr");
  user = either (given, environment, "user");
  port = either (given, environment, "port");
  name = either (given, environment, "dbname");
  place = g_strdup_printf ("postgresql://%s%s%s:%s/%s", user ? user : "", user ? "@" : "",
                           host ? host : "local", port ? port : "5432",
                           name   ? name
                           : user ? user
                                  : "");
  PQconninfoFree (given);
  PQconninfoFree (environment);
  return place;
}

/* ---- errors -------------------------------------------------------------------- */

/* Class 08, and what a server says that goes down or is not up yet. */
static gboolean
is_passing (const char *state)
{
  return g_str_has_prefix (state, "08") || g_str_has_prefix (state, "57P")
         || g_str_has_prefix (state, "53");
}

static const char *
advice_for (const char *state)
{
  static const struct
  {
    const char *state, *advice;
  } all[] = {
    { "40001", ": a standby server gave up the snapshot for what it had to replay; run it again, "
               "or raise max_standby_streaming_delay" },
    { "42501", ": GRANT SELECT ON the table TO this user" },
    { "25006", ": a source may only read" },
    { "22021", ": the database holds bytes that are not in its own encoding" },
    { "22P05", ": a character of the database's encoding has no equal in UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (strcmp (all[i].state, state) == 0)
      return all[i].advice;
  return "";
}

gboolean
pg_fail (PgLink *link, const PGresult *result, GError **error)
{
  const char *state = result ? PQresultErrorField (result, PG_DIAG_SQLSTATE) : NULL;
  const char *primary = result ? PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  g_autofree char *text = sql_hide (primary ? primary : PQerrorMessage (link->pg), link->password);
  gboolean lost = PQstatus (link->pg) == CONNECTION_BAD;

  g_strdelimit (g_strstrip (text), "\n\t", ' ');
  if (lost || (state && is_passing (state)))
    g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT,
                 "the connection to PostgreSQL (%s) was lost: "
                 "%s",
                 link->place, *text ? text : "it was closed");
  else if (state && strcmp (state, "57014") != 0 && strcmp (state, "40001") != 0
           && (state[0] == '4' || state[0] == '2' || state[0] == '0'))
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "PostgreSQL refuses the query: %s%s", text,
                 advice_for (state));
  else
    g_set_error (error, FR_ERROR, FR_ERROR_IO, "PostgreSQL (%s) ended the query: %s%s", link->place,
                 text, state ? advice_for (state) : "");
  return FALSE;
}

/* "...: FATAL:  28P01: password authentication failed ...": the state in the middle, cut out. */
static char *
take_state (char *text)
{
  g_autoptr (GRegex) regex = g_regex_new ("[A-Z]+:  ([0-9A-Z]{5}): ", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  char *state = NULL;
  int start, end;

  if (g_regex_match (regex, text, 0, &match) && g_match_info_fetch_pos (match, 0, &start, &end))
    {
      state = g_match_info_fetch (match, 1);
      memmove (text + start, text + end, strlen (text + end) + 1);
    }
  return state;
}

static gboolean
fail_connect (PgLink *link, GError **error)
{
  g_autofree char *text = sql_hide (PQerrorMessage (link->pg), link->password);
  char *location = strstr (text, "\nLOCATION:");
  g_autofree char *state = NULL;
  gboolean of_tls = strstr (text, "certificate") || strstr (text, "SSL");
  const char *advice = "";

  if (location)
    *location = '\0';
  g_strdelimit (g_strstrip (text), "\n\t", ' ');
  state = take_state (text);
  if (of_tls)
    advice = ": the server's certificate is checked unless 'dsn' says otherwise (sslmode, "
             "sslrootcert)";
  else if (state && g_str_has_prefix (state, "28"))
    advice = ": see user and password in 'dsn', and pg_hba.conf on the server";
  g_set_error (error, FR_ERROR,
               !of_tls && (state == NULL || is_passing (state)) ? FR_ERROR_TRANSIENT
                                                                : FR_ERROR_CONFIG,
               "cannot connect to PostgreSQL (%s): %s%s", link->place, text, advice);
  return FALSE;
}

/* ---- waiting -------------------------------------------------------------------- */

/* Tells the server to stop, and gives it a moment to say that it has. */
static void
cancel (PgLink *link)
{
  PGcancel *handle = PQgetCancel (link->pg);
  gint64 end = g_get_monotonic_time () + GOODBYE_US;
  char why[256];

  if (handle == NULL)
    return;
  if (PQcancel (handle, why, sizeof why))
    while (PQisBusy (link->pg) && g_get_monotonic_time () < end
           && sql_wait (PQsocket (link->pg), POLLIN, 50000, NULL) >= 0)
      if (!PQconsumeInput (link->pg))
        break;
  PQfreeCancel (handle);
}

static gboolean
too_long (PgLink *link, GError **error)
{
  cancel (link);
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "PostgreSQL (%s) gave no answer within 'timeout', %g seconds", link->place,
               (double) link->timeout / G_USEC_PER_SEC);
  return FALSE;
}

/* All that was sent is on its way, and a result can be had without waiting. */
static gboolean
wait_ready (PgLink *link, GCancellable *cancellable, GError **error)
{
  while (PQflush (link->pg) > 0 || PQisBusy (link->pg))
    {
      short events = PQflush (link->pg) > 0 ? POLLIN | POLLOUT : POLLIN;
      int got = sql_wait (PQsocket (link->pg), events, link->timeout, cancellable);

      if (got < 0)
        {
          cancel (link);
          return sql_cancelled (error);
        }
      if (got == 0)
        return too_long (link, error);
      if (!PQconsumeInput (link->pg))
        return pg_fail (link, NULL, error);
    }
  return TRUE;
}

PGresult *
pg_wait_result (PgLink *link, GCancellable *cancellable, GError **error)
{
  g_autoptr (PGresult) result = NULL;

  if (PQisBusy (link->pg) && !wait_ready (link, cancellable, error))
    return NULL;
  result = PQgetResult (link->pg);
  if (result == NULL)
    {
      link->busy = FALSE;
      if (PQstatus (link->pg) == CONNECTION_BAD)
        pg_fail (link, NULL, error);
      return NULL;
    }
  switch (PQresultStatus (result))
    {
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      return g_steal_pointer (&result);
    default:
      pg_fail (link, result, error);
      return NULL;
    }
}

PGresult *
pg_ask (PgLink *link, const char *sql, int n, const char *const *values, GCancellable *cancellable,
        GError **error)
{
  g_autoptr (PGresult) last = NULL;
  g_autoptr (GError) failure = NULL;
  PGresult *result;

  if (!(n > 0 ? PQsendQueryParams (link->pg, sql, n, NULL, values, NULL, NULL, 0)
              : PQsendQuery (link->pg, sql)))
    {
      pg_fail (link, NULL, error);
      return NULL;
    }
  link->busy = TRUE;
  while ((result = pg_wait_result (link, cancellable, &failure)) != NULL)
    {
      g_clear_pointer (&last, PQclear);
      last = result;
    }
  if (failure)
    {
      /* What follows an error is only the end of the statement. */
      while (!PQisBusy (link->pg) && (result = PQgetResult (link->pg)) != NULL)
        PQclear (result);
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  return g_steal_pointer (&last);
}

/* ---- opening --------------------------------------------------------------------- */

static gboolean
poll_connection (PgLink *link, gint64 timeout, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + timeout;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;

  while (status != PGRES_POLLING_OK)
    {
      gint64 left = end - g_get_monotonic_time ();
      int got;

      if (status == PGRES_POLLING_FAILED)
        return fail_connect (link, error);
      got = left <= 0
                ? 0
                : sql_wait (PQsocket (link->pg), status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                            left, cancellable);
      if (got < 0)
        return sql_cancelled (error);
      if (got == 0)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT,
                       "cannot connect to PostgreSQL (%s): no answer within 'connect_timeout', %g "
                       "seconds",
                       link->place, (double) timeout / G_USEC_PER_SEC);
          return FALSE;
        }
      status = PQconnectPoll (link->pg);
    }
  return TRUE;
}

typedef struct
{
  GPtrArray *keys, *values;
} Options;

static void
add (Options *options, const char *key, const char *value)
{
  g_ptr_array_add (options->keys, (gpointer) key);
  g_ptr_array_add (options->values, (gpointer) value);
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
 * the DSN says otherwise; libpq would fall back to plain text.  It leaves a Unix
 * socket alone, and what a service file says of sslmode counts for nothing. */
static void
add_tls (Options *options, const PQconninfoOption *given, const PQconninfoOption *environment)
{
  const char *mode = option (given, "sslmode"), *root = either (given, environment, "sslrootcert");
  g_autofree char *own = g_build_filename (g_get_home_dir (), ".postgresql", "root.crt", NULL);

  if (mode == NULL)
    mode = g_getenv ("PGSSLMODE");
  if (mode == NULL)
    add (options, "sslmode", mode = "verify-full");
  if (g_str_has_prefix (mode, "verify-") && root == NULL && !g_file_test (own, G_FILE_TEST_EXISTS)
      && authorities ())
    add (options, "sslrootcert", authorities ());
}

static void
start_connection (PgLink *link, const PQconninfoOption *given)
{
  PQconninfoOption *environment = PQconndefaults ();
  Options options = { g_ptr_array_new (), g_ptr_array_new () };

  add (&options, "fallback_application_name", "flowrun");
  /* A dead network is noticed while rows are waited for. */
  add (&options, "tcp_user_timeout", "30000");
  for (const PQconninfoOption *o = given; o->keyword; o++)
    if (o->val && *o->val && strcmp (o->keyword, "client_encoding") != 0)
      add (&options, o->keyword, o->val);
  add (&options, "client_encoding", "UTF8");
  add_tls (&options, given, environment);
  add (&options, NULL, NULL);
  link->password = g_strdup (either (given, environment, "password"));
  link->pg = PQconnectStartParams ((const char *const *) options.keys->pdata,
                                   (const char *const *) options.values->pdata, 0);
  g_ptr_array_unref (options.keys);
  g_ptr_array_unref (options.values);
  PQconninfoFree (environment);
}

static void
ignore_notice (void *data, const PGresult *result)
{
  (void) data;
  (void) result;
}

/* One snapshot, nothing but reading.  SET LOCAL ends with the transaction, so
 * that a pooler between here and the server hands nothing on.  A scan that
 * another one started would be joined in its middle; and rows may have to wait
 * for the stages behind. */
static gboolean
set_up (PgLink *link, GCancellable *cancellable, GError **error)
{
  static const char statements[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                                   "SET LOCAL TimeZone = 'UTC';"
                                   "SET LOCAL DateStyle = 'ISO, YMD';"
                                   "SET LOCAL IntervalStyle = 'iso_8601';"
                                   "SET LOCAL bytea_output = 'hex';"
                                   "SET LOCAL extra_float_digits = 3;"
                                   "SET LOCAL synchronize_seqscans = off;"
                                   "SET LOCAL statement_timeout = 0;"
                                   "SET LOCAL idle_in_transaction_session_timeout = 0";
  g_autoptr (PGresult) result = pg_ask (link, statements, 0, NULL, cancellable, error);
  const char *encoding = PQparameterStatus (link->pg, "server_encoding");
  g_autoptr (PGresult) plain = NULL;

  if (result == NULL)
    return FALSE;
  /* Such a database holds any bytes.  Asked for UTF-8, the server would end the
   * query at the first that are not; so they are looked at here, row by row. */
  if (g_strcmp0 (encoding, "SQL_ASCII") != 0)
    return TRUE;
  plain = pg_ask (link, "SET LOCAL client_encoding = 'SQL_ASCII'", 0, NULL, cancellable, error);
  return plain != NULL;
}

gpointer
pg_open (const SqlConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (PgLink) link = g_new0 (PgLink, 1);
  PQconninfoOption *given = parse (config->dsn, error);

  if (given == NULL)
    return NULL;
  link->place = pg_place (config->dsn, error);
  link->timeout = config->timeout;
  start_connection (link, given);
  PQconninfoFree (given);
  if (link->pg == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_IO, "libpq is out of memory");
      return NULL;
    }
  PQsetErrorVerbosity (link->pg, PQERRORS_VERBOSE);
  PQsetNoticeReceiver (link->pg, ignore_notice, NULL);
  if (PQstatus (link->pg) == CONNECTION_BAD)
    {
      fail_connect (link, error);
      return NULL;
    }
  if (!poll_connection (link, config->connect_timeout, cancellable, error))
    return NULL;
  PQsetnonblocking (link->pg, 1);
  return set_up (link, cancellable, error) ? g_steal_pointer (&link) : NULL;
}

void
pg_close (gpointer data)
{
  PgLink *link = data;

  g_clear_pointer (&link->row, PQclear);
  /* A query that nobody will read is stopped, not left to run to its end. */
  if (link->pg && link->busy && PQstatus (link->pg) == CONNECTION_OK)
    cancel (link);
  g_clear_pointer (&link->pg, PQfinish);
  if (link->password)
    explicit_bzero (link->password, strlen (link->password));
  g_free (link->password);
  g_free (link->place);
  g_free (link);
}
