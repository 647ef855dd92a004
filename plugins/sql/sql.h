/* SPDX-License-Identifier: Apache-2.0 */
/* sql.h: what the sources that read SQL servers have in common.
 *
 * source.postgres, source.mariadb and source.odbc are one element three times,
 * with another driver each.  The element is here: its parameters, its query,
 * what becomes of types and values, reading on from where the last run
 * stopped, patience with servers, rejects.  A driver (SqlDriver) only talks to
 * its server.  This is no library of its own: the code is linked into each of
 * the three plugins, and knows none of them.
 *
 *     static const FrParam *const params[] = { MY_DSN_ROW, SQL_PARAMS ("\"select ...\""), NULL };
 *     static const FrElement element = { ..., .config_size = sizeof (SqlConfig),
 *                                        .params = params, SQL_CALLBACKS (my_) };
 *     SQL_ELEMENT (my_, &my_driver)
 *
 * How a run goes, and where each promise is kept:
 *
 *   check     nothing is connected; the columns are what 'result' declares
 *   bind      connects, asks the server to describe the query, lets go
 *   open      connects again, in a read-only transaction with one snapshot,
 *             and compares the description with that of bind: a table changed
 *             in between is an error that names the column
 *   run       rows one by one; memory does not grow with the result
 *   finish    says how far it came (fr_host_set_state())
 */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include <flowrun/flowrun.h>

#include "sql/value.h"

G_BEGIN_DECLS

/* ---- parameters ------------------------------------------------------------ */

typedef struct
{
  char *dsn;
  char *query, *table, *where, *result;
  char **select;
  JsonNode *parameters;
  FrPair *columns;
  char *incremental, *since, *reuse_while;
  int decimal, nested, zero_dates;
  gint64 connect_timeout, timeout, retries;
} SqlConfig;

extern const FrEnumValue *const sql_decimals[], *const sql_nesteds[], *const sql_zero_dates[];

/* The rows of all three; the DSN has its own text in each. */
#define SQL_PARAMS(query_example)                                                                  \
  FR_PARAM_STRING ("query", SqlConfig, query, "the SELECT whose result is read",                   \
                   .example = query_example),                                                      \
      FR_PARAM_STRING ("table", SqlConfig, table,                                                  \
                       "a table or view to read, with its schema if need be, instead of 'query'",  \
                       .example = "\"goods\""),                                                    \
      FR_PARAM_STRINGS ("select", SqlConfig, select,                                               \
                        "the columns of 'table' to read; absent: all",                             \
                        .example = "[\"id\", \"name\"]"),                                          \
      FR_PARAM_STRING ("where", SqlConfig, where, "a condition, in SQL, on the rows of 'table'",   \
                       .example = "\"deleted = false\""),                                          \
      FR_PARAM_JSON ("parameters", SqlConfig, parameters,                                          \
                     "values of the query's or condition's parameters, in order",                  \
                     .schema = "{\"type\": \"array\", \"items\": {\"type\": [\"string\", "         \
                               "\"number\", \"boolean\", \"null\"]}}",                             \
                     .example = "[9.5]"),                                                          \
      FR_PARAM_MAP ("columns", SqlConfig, columns, "types that replace those found, by column",    \
                    .example = "{\"price\": \"utf8\"}"),                                           \
      FR_PARAM_STRING ("result", SqlConfig, result,                                                \
                       "the columns that come, for flowrun check, which does not connect",         \
                       .details = "Names and types, in order. Without it `flowrun check` says "    \
                                  "that it could not check\nwhat follows. In a run the result "    \
                                  "must have these columns and no others; they get these\ntypes.", \
                       .example = "\"id: int64, name: utf8, price: float64\""),                    \
      FR_PARAM_ENUM ("decimal", SqlConfig, decimal, sql_decimals,                                  \
                     "what DECIMAL and NUMERIC become", .def = "float64"),                         \
      FR_PARAM_STRING ("incremental", SqlConfig, incremental,                                      \
                       "a column that only grows: a run reads what came after the last run",       \
                       .example = "\"updated_at\""),                                               \
      FR_PARAM_STRING ("since", SqlConfig, since,                                                  \
                       "where the first incremental run begins, this value included",              \
                       .example = "\"2024-05-01\""),                                               \
      FR_PARAM_STRING ("reuse_while", SqlConfig, reuse_while,                                      \
                       "a query: while its result stays the same, an earlier run's rows serve",    \
                       .example = "\"select count(*), max(updated_at) from goods\""),              \
      FR_PARAM_INT ("retries", SqlConfig, retries, 0, 20,                                          \
                    "how often to try again to connect, waiting twice as long each time",          \
                    .def = "5", .flags = FR_PARAM_NO_RESULT),                                      \
      FR_PARAM_DURATION ("connect_timeout", SqlConfig, connect_timeout,                            \
                         "how long one try to connect may take", .def = "15s",                     \
                         .flags = FR_PARAM_NO_RESULT),                                             \
      FR_PARAM_DURATION ("timeout", SqlConfig, timeout,                                            \
                         "how long to wait for the server's next answer; 0: as long as it takes",  \
                         .def = "0", .flags = FR_PARAM_NO_RESULT)

/* ---- drivers --------------------------------------------------------------- */

typedef enum
{
  SQL_STEP_ROW = 1,
  SQL_STEP_DONE,
  SQL_STEP_FAILED
} SqlStep;

/**
 * SqlDriver:
 * @server: "PostgreSQL", for messages
 * @place: the server and database that @dsn names, without password, for messages, manifests and
 *   fingerprints; also checks it.  NULL with FR_ERROR_CONFIG, whose text holds nothing of @dsn.
 * @connect: a connection with a read-only transaction, of one snapshot, under way.
 *   FR_ERROR_TRANSIENT when it is worth trying again.
 * @close: lets go, also in the middle of a result; no failure
 * @append_name: @name as an identifier, quoted, at the end of @sql
 * @append_mark: the mark of parameter @n (from 1) that will hold a value of @column's type
 * @key: the primary key of a table into @names (char *), if it has one.  FR_ERROR_CONFIG when there
 *   is no such table, with the name that was meant.
 * @describe: the columns that @sql would give (SqlColumn *), without running it
 * @start: runs @sql; @values: JsonNode * (text, whole numbers, numbers, booleans, null)
 * @next: the next row, or all of the first failure.  Cells point into the driver's memory and are
 *   good until the next call.  FR_ERROR_TRANSIENT when the connection was lost.
 *
 * Everything that waits takes a cancellable, and tells the server to stop when
 * it fires (FR_ERROR_CANCELLED).  No message holds a password.
 */
typedef struct
{
  const char *server;
  char *(*place) (const char *dsn, GError **error);
  gpointer (*connect) (const SqlConfig *config, GCancellable *cancellable, GError **error);
  void (*close) (gpointer link);
  void (*append_name) (gpointer link, GString *sql, const char *name);
  void (*append_mark) (gpointer link, GString *sql, guint n, const SqlColumn *column);
  gboolean (*key) (gpointer link, const char *table, GPtrArray *names, GCancellable *cancellable,
                   GError **error);
  GPtrArray *(*describe) (gpointer link, const char *sql, GCancellable *cancellable,
                          GError **error);
  gboolean (*start) (gpointer link, const char *sql, GPtrArray *values, GCancellable *cancellable,
                     GError **error);
  SqlStep (*next) (gpointer link, SqlCell *cells, GCancellable *cancellable, GError **error);
} SqlDriver;

/* ---- the element (bind.c, fingerprint.c, run.c) ------------------------------------------------
 */

gboolean sql_source_configure (SqlConfig *config, FrProblems *problems);
gboolean sql_source_bind (const SqlDriver *driver, const SqlConfig *config, FrBind *bind,
                          GError **error);
gboolean sql_source_open (const SqlDriver *driver, const SqlConfig *config, FrHost *host,
                          gpointer *state, GError **error);
FrFlow sql_source_run (FrHost *host, gpointer state, GError **error);
gboolean sql_source_finish (FrHost *host, gpointer state, GError **error);
void sql_source_close (gpointer state);
gboolean sql_source_fingerprint (const SqlDriver *driver, const SqlConfig *config, GString *out,
                                 GError **error);

/* The callbacks of one element, with its driver. */
#define SQL_ELEMENT(prefix, driver)                                                                \
  static gboolean prefix##configure (gpointer config, FrProblems *problems)                        \
  {                                                                                                \
    return sql_source_configure (config, problems);                                                \
  }                                                                                                \
  static gboolean prefix##bind (gconstpointer config, FrBind *bind, GError **error)                \
  {                                                                                                \
    return sql_source_bind (driver, config, bind, error);                                          \
  }                                                                                                \
  static gboolean prefix##open (gconstpointer config, FrHost *host, gpointer *state,               \
                                GError **error)                                                    \
  {                                                                                                \
    return sql_source_open (driver, config, host, state, error);                                   \
  }                                                                                                \
  static gboolean prefix##fingerprint (gconstpointer config, GString *out, GError **error)         \
  {                                                                                                \
    return sql_source_fingerprint (driver, config, out, error);                                    \
  }

#define SQL_CALLBACKS(prefix)                                                                      \
  .configure = prefix##configure, .bind = prefix##bind, .open = prefix##open,                      \
  .run = sql_source_run, .finish = sql_source_finish, .close = sql_source_close,                   \
  .fingerprint = prefix##fingerprint

/* ---- for drivers ----------------------------------------------------------- */

/**
 * sql_wait: sleeps until @fd is ready for @events (poll(2)), @us microseconds have passed (0: no
 * limit) or @cancellable fires.  Returns the events, 0 for the time, or -1 for the cancellable.
 */
int sql_wait (int fd, short events, gint64 us, GCancellable *cancellable);

/** sql_cancelled: sets FR_ERROR_CANCELLED; returns FALSE. */
gboolean sql_cancelled (GError **error);

/** sql_hide: @text with every @secret (NULL: none) in it replaced by "***"; g_free(). */
char *sql_hide (const char *text, const char *secret);

/** sql_no_table: FR_ERROR_CONFIG "there is no table ...", with the nearest of @names (char *) or
 * all; FALSE. */
gboolean sql_no_table (const char *table, GPtrArray *names, GError **error);

/** sql_append_quoted: @name between two @quote, those within it doubled: an identifier of SQL-92;
 * no @quote: as it is. */
void sql_append_quoted (GString *sql, const char *name, const char *quote);

/** sql_split_table: "schema.table" at its dot; @schema NULL when there is none; free both. */
void sql_split_table (const char *name, char **schema, char **table);

G_END_DECLS

#endif
