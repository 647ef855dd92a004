/* SPDX-License-Identifier: Apache-2.0 */
/* odbc.c: source.odbc, a query on whatever has an ODBC driver, as rows.
 *
 * What is common to servers is in plugins/sql.  Here: the ODBC functions.
 */
#include "config.h"

#include "sources/odbc/link.h"
#include "sources/odbc/result.h"
#include "sql/manual.h"
#include "sql/sql.h"

#include <string.h>

typedef struct
{
  SqlConfig sql; /* first: what plugins/sql sees */
  gint64 block;
} Config;

/* ---- names -------------------------------------------------------------------------- */

static void
append_name (gpointer data, GString *sql, const char *name)
{
  OdbcLink *link = data;

  sql_append_quoted (sql, name, link->quote);
}

static void
append_mark (gpointer data, GString *sql, guint n, const SqlColumn *column)
{
  OdbcLink *link = data;

  /* Said again when the value is bound. */
  if (link->marks->len < n)
    g_array_set_size (link->marks, n);
  if (column)
    g_array_index (link->marks, SqlKind, n - 1) = column->kind;
  g_string_append_c (sql, '?');
}

/* ---- statements -------------------------------------------------------------------- */

static gboolean
fail (OdbcLink *link, GError **error)
{
  return odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
}

static gboolean
prepare (OdbcLink *link, const char *sql, GError **error)
{
  g_autofree SQLWCHAR *wide = odbc_wide (sql);

  SQLFreeStmt (link->statement, SQL_CLOSE);
  SQLFreeStmt (link->statement, SQL_UNBIND);
  SQLFreeStmt (link->statement, SQL_RESET_PARAMS);
  odbc_result_clear (link);
  return odbc_ok (SQLPrepareW (link->statement, wide, SQL_NTS)) || fail (link, error);
}

static GPtrArray *
describe (gpointer data, const char *sql, GCancellable *cancellable, GError **error)
{
  OdbcLink *link = data;
  GPtrArray *columns;

  (void) cancellable;
  if (!prepare (link, sql, error))
    return NULL;
  columns = odbc_columns (link, error);
  g_free (link->shape);
  link->shape = columns ? odbc_shape (columns) : NULL;
  return columns;
}

typedef struct
{
  gint64 integer;
  double number;
  guint8 boolean;
  SQLWCHAR *text;
  SQLLEN len;
} Value;

static gboolean
bind_value (OdbcLink *link, guint i, JsonNode *node, Value *value)
{
  SQLUSMALLINT n = (SQLUSMALLINT) (i + 1);
  SqlKind kind = i < link->marks->len ? g_array_index (link->marks, SqlKind, i) : 0;
  GType type = JSON_NODE_HOLDS_NULL (node) ? G_TYPE_NONE : json_node_get_value_type (node);
  const char *text;
  glong units;

#define BIND(c, sql, size, digits, at, room)                                                       \
  odbc_ok (SQLBindParameter (link->statement, n, SQL_PARAM_INPUT, c, sql, size, digits, at, room,  \
                             &value->len))
  switch (type)
    {
    case G_TYPE_NONE:
      value->len = SQL_NULL_DATA;
      return BIND (SQL_C_CHAR, SQL_VARCHAR, 1, 0, NULL, 0);
    case G_TYPE_INT64:
      value->integer = json_node_get_int (node);
      return BIND (SQL_C_SBIGINT, SQL_BIGINT, 19, 0, &value->integer, 8);
    case G_TYPE_DOUBLE:
      value->number = json_node_get_double (node);
      return BIND (SQL_C_DOUBLE, SQL_DOUBLE, 53, 0, &value->number, sizeof value->number);
    case G_TYPE_BOOLEAN:
      value->boolean = json_node_get_boolean (node) != FALSE;
      return BIND (SQL_C_BIT, SQL_BIT, 1, 0, &value->boolean, 1);
    default:
      break;
    }
  text = json_node_get_string (node);
  /* Text in the forms of SQL, which the driver makes a time or a number of. */
  if (kind == SQL_KIND_DATE || kind == SQL_KIND_TIME || kind == SQL_KIND_DECIMAL)
    {
      value->len = SQL_NTS;
      return kind == SQL_KIND_DECIMAL
                 ? BIND (SQL_C_CHAR, SQL_DECIMAL, 38, 10, (SQLPOINTER) text, 0)
                 : BIND (SQL_C_CHAR, SQL_TYPE_TIMESTAMP, 26, 6, (SQLPOINTER) text, 0);
    }
  value->text = (SQLWCHAR *) g_utf8_to_utf16 (text, -1, NULL, &units, NULL);
  value->len = units * (SQLLEN) sizeof (SQLWCHAR);
  return BIND (SQL_C_WCHAR, SQL_WVARCHAR, (SQLULEN) MAX (units, 1), 0, value->text, value->len);
#undef BIND
}

static gboolean
execute (OdbcLink *link, GPtrArray *nodes, GError **error)
{
  g_autofree Value *values = g_new0 (Value, nodes->len + 1);
  SQLSMALLINT wanted = 0;
  gboolean ok = TRUE;

  if (odbc_ok (SQLNumParams (link->statement, &wanted)) && (guint) wanted != nodes->len)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the statement has %d parameters ('?'), but 'parameters' gives %u values",
                   (int) wanted, nodes->len);
      return FALSE;
    }
  for (guint i = 0; ok && i < nodes->len; i++)
    ok = bind_value (link, i, nodes->pdata[i], &values[i]) || fail (link, error);
  if (ok)
    {
      SQLRETURN code = SQLExecute (link->statement);

      ok = odbc_ok (code) || code == SQL_NO_DATA || fail (link, error);
    }
  for (guint i = 0; i < nodes->len; i++)
    g_free (values[i].text);
  return ok;
}

static gboolean
start (gpointer data, const char *sql, GPtrArray *nodes, GCancellable *cancellable, GError **error)
{
  OdbcLink *link = data;
  g_autofree char *described = g_steal_pointer (&link->shape), *now = NULL;
  GPtrArray *columns;

  (void) cancellable;
  if (!prepare (link, sql, error) || (columns = odbc_columns (link, error)) == NULL)
    return FALSE;
  now = odbc_shape (columns);
  if (!odbc_result_new (link, columns, error))
    return FALSE;
  if (described && strcmp (described, now) != 0)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA,
                           "what the query reads was changed while it began; run it again");
      return FALSE;
    }
  return execute (link, nodes, error);
}

static SqlStep
next (gpointer data, SqlCell *cells, GCancellable *cancellable, GError **error)
{
  OdbcLink *link = data;

  (void) cancellable;
  if (g_atomic_int_get (&link->cancelled))
    {
      sql_cancelled (error);
      return SQL_STEP_FAILED;
    }
  return odbc_result_next (link, cells, error);
}

/* ---- the table ------------------------------------------------------------------------ */

/* Column @column of all rows of a catalogue function, just called. */
static gboolean
collect (OdbcLink *link, SQLRETURN code, SQLUSMALLINT column, GPtrArray *names, GError **error)
{
  SQLWCHAR wide[256];
  SQLLEN bytes;

  if (!odbc_ok (code))
    return fail (link, error);
  while ((code = SQLFetch (link->statement)) != SQL_NO_DATA)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      if (!odbc_ok (code)
          || !odbc_ok (
              SQLGetData (link->statement, column, SQL_C_WCHAR, wide, sizeof wide, &bytes)))
        return fail (link, error);
      if (bytes == SQL_NULL_DATA
          || !odbc_append_name (text, wide, G_N_ELEMENTS (wide), bytes / (SQLLEN) sizeof *wide))
        continue;
      g_ptr_array_add (names, g_string_free (g_steal_pointer (&text), FALSE));
    }
  SQLFreeStmt (link->statement, SQL_CLOSE);
  return TRUE;
}

static gboolean
tables (OdbcLink *link, SQLWCHAR *schema, SQLWCHAR *name, GPtrArray *names, GError **error)
{
  g_autofree SQLWCHAR *types = odbc_wide ("TABLE,VIEW,SYSTEM TABLE");

  return collect (
      link, SQLTablesW (link->statement, NULL, 0, schema, SQL_NTS, name, SQL_NTS, types, SQL_NTS),
      3, names, error);
}

static gboolean
key (gpointer data, const char *table, GPtrArray *names, GCancellable *cancellable, GError **error)
{
  OdbcLink *link = data;
  g_autofree char *schema = NULL, *name = NULL;
  g_autofree SQLWCHAR *wide_schema = NULL, *wide_name = NULL;
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  gboolean there = FALSE;

  (void) cancellable;
  sql_split_table (table, &schema, &name);
  wide_schema = schema ? odbc_wide (schema) : NULL;
  wide_name = odbc_wide (name);
  SQLFreeStmt (link->statement, SQL_CLOSE);
  /* '_' in a name stands for any character here. */
  if (!tables (link, wide_schema, wide_name, found, error))
    return FALSE;
  for (guint i = 0; i < found->len; i++)
    there |= g_ascii_strcasecmp (found->pdata[i], name) == 0;
  if (!there)
    {
      g_ptr_array_set_size (found, 0);
      return tables (link, wide_schema, NULL, found, error) && sql_no_table (table, found, error);
    }
  /* A driver that cannot tell has no key to sort by. */
  if (!collect (
          link,
          SQLPrimaryKeysW (link->statement, NULL, 0, wide_schema, SQL_NTS, wide_name, SQL_NTS), 4,
          names, NULL))
    g_ptr_array_set_size (names, 0);
  SQLFreeStmt (link->statement, SQL_CLOSE);
  return TRUE;
}

/* ---- the element --------------------------------------------------------------------- */

static gpointer
open_link (const SqlConfig *config, GCancellable *cancellable, GError **error)
{
  return odbc_connect (config, ((const Config *) config)->block, cancellable, error);
}

static const SqlDriver driver = { .server = "ODBC",
                                  .place = odbc_place,
                                  .connect = open_link,
                                  .close = odbc_disconnect,
                                  .append_name = append_name,
                                  .append_mark = append_mark,
                                  .key = key,
                                  .describe = describe,
                                  .start = start,
                                  .next = next };

SQL_ELEMENT (odbc_, &driver)

static const FrParam *const params[]
    = { FR_PARAM_STRING ("dsn", SqlConfig, dsn, "the driver, the database and who asks",
                         .flags = FR_PARAM_REQUIRED | FR_PARAM_SECRET,
                         .details
                         = "An ODBC connection string: `DSN=shop;UID=reader;PWD=...` with a name "
                           "of `odbc.ini`, or\n`DRIVER=...;SERVER=...;DATABASE=...;...` with a "
                           "driver of `odbcinst.ini`. Values with `;` stand\nin braces.",
                         .example = "{\"env\": \"SHOP_DSN\"}"),
        SQL_PARAMS ("\"select id, name from goods where price > ? order by id\""),
        FR_PARAM_INT ("block", Config, block, 0, 1000,
                      "rows taken from the driver at once; 0: what fits; 1: each value in pieces",
                      .def = "0", .unit = "rows", .flags = FR_PARAM_NO_RESULT),
        NULL };

static const char details[]
    = "Reads the result of a query, or a table, through an ODBC driver: SQL Server, Oracle, DB2,\n"
      "Dameng (达梦), Kingbase (人大金仓), GBase and whatever else has one. For PostgreSQL, "
      "MariaDB\n"
      "and SQLite the sources of their own know more. The connection is opened for reading only,\n"
      "without automatic commit, and rolled back at the end; whether the driver heeds that, and "
      "what\n"
      "one statement sees of others' changes, is the server's matter. Memory does not grow with "
      "the\n"
      "result.\n\n" SQL_MANUAL_CHECK SQL_MANUAL_PASSWORD (
          "DSN=shop;UID=reader;PWD=secret") "Braces hold values with a semicolon: "
                                            "`PWD={a;b}`.\n\n"
                                            "Encryption is the driver's matter, in its own words: "
                                            "`Encrypt=strict` and\n"
                                            "`TrustServerCertificate=no` for SQL Server, `SSLMode` "
                                            "elsewhere. Look them up; drivers have\n"
                                            "defaults of every kind.\n\n" SQL_MANUAL_DENY
                                            "## What the user needs\n\n"
                                            "SELECT on the tables, and nothing else; for `table`, "
                                            "what the driver's catalogue functions\n"
                                            "ask. `odbcinst -j` says where the lists of drivers "
                                            "and names are.\n\n"
                                            "## A pipeline\n\n"
                                            "    {\n"
                                            "      \"name\": \"tickets\",\n"
                                            "      \"stages\": {\n"
                                            "        \"tickets\": { \"use\": \"source.odbc\", "
                                            "\"with\": {\n"
                                            "          \"dsn\": { \"env\": \"TICKETS_DSN\" },\n"
                                            "          \"query\": \"select id, question, answer "
                                            "from tickets where closed = ?\",\n"
                                            "          \"parameters\": [true],\n"
                                            "          \"incremental\": \"id\",\n"
                                            "          \"result\": \"id: int64, question: utf8, "
                                            "answer: utf8\" } },\n"
                                            "        \"write\": { \"use\": \"sink.jsonl\", "
                                            "\"from\": \"tickets\", \"with\": { \"path\": "
                                            "\"tickets.jsonl\" } } } }\n\n" SQL_MANUAL_READING
                                            "Values of columns that say how long they can be come "
                                            "in blocks of rows, others in pieces, one\n"
                                            "by one (`block`). Where a driver says too little and "
                                            "a value is longer, the row is rejected\n"
                                            "(`value`); `\"block\": 1` takes everything in "
                                            "pieces.\n\n"
                                            "All text goes and comes as UTF-16. A driver that has "
                                            "none (SQLite's) is spoken to in UTF-8, whatever\n"
                                            "the locale.\n\n"
                                            "## Types\n\n"
                                            "| the driver's | column |\n| --- | --- |\n"
                                            "| `SQL_BIT` | bool |\n"
                                            "| `SQL_TINYINT` to `SQL_BIGINT` | int64 |\n"
                                            "| `SQL_REAL`, `SQL_FLOAT`, `SQL_DOUBLE` | float64 |\n"
                                            "| `SQL_DECIMAL`, `SQL_NUMERIC`, text called so | "
                                            "float64, or utf8 with `\"decimal\": \"text\"` |\n"
                                            "| `SQL_TYPE_DATE`, `SQL_TYPE_TIMESTAMP` | timestamp, "
                                            "taken for UTC |\n"
                                            "| `SQL_BINARY` and its like | binary |\n"
                                            "| all others | utf8, through UTF-16 "
                                            "|\n\n" SQL_MANUAL_AGAIN;

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.odbc",
        .revision = 1,
        .flags = FR_ELEMENT_NETWORK | FR_ELEMENT_UNTRUSTED | FR_ELEMENT_WAITS | FR_ELEMENT_VOLATILE,
        .summary = "a query or a table of any database with an ODBC driver",
        .details = details,
        .example = "{ \"dsn\": { \"env\": \"SHOP_DSN\" }, \"query\": \"select id, name from goods "
                   "order by id\" }",
        .config_size = sizeof (Config),
        .params = params,
        .outputs = fr_ports_out,
        SQL_CALLBACKS (odbc_) };

FR_PLUGIN ("odbc", PACKAGE_VERSION, "databases with ODBC drivers as rows", "Apache-2.0", "flowrun",
           &element)
