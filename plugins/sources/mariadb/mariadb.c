/* SPDX-License-Identifier: Apache-2.0 */
/* mariadb.c: source.mariadb, a query on a MariaDB or MySQL server as rows.
 *
 * What is common to servers is in plugins/sql.  Here: MariaDB Connector/C.
 */
#include "config.h"

#include "sources/mariadb/link.h"
#include "sources/mariadb/result.h"
#include "sql/manual.h"
#include "sql/sql.h"

#include <string.h>

/* "Identifier Names": backticks, whatever the sql_mode. */
static void
append_name (gpointer link, GString *sql, const char *name)
{
  (void) link;
  sql_append_quoted (sql, name, "`");
}

/* Compared with text as it is, numbers and times would be compared as doubles. */
static void
append_mark (gpointer link, GString *sql, guint n, const SqlColumn *column)
{
  (void) link;
  (void) n;
  switch (column ? column->kind : SQL_KIND_TEXT)
    {
    case SQL_KIND_DECIMAL:
      g_string_append (sql, "CAST(? AS DECIMAL(65,30))");
      break;
    case SQL_KIND_DATE:
    case SQL_KIND_TIME:
      g_string_append (sql, "CAST(? AS DATETIME(6))");
      break;
    default:
      g_string_append_c (sql, '?');
    }
}

/* ---- statements -------------------------------------------------------------------- */

static gboolean
prepare (MariaLink *link, const char *sql, GCancellable *cancellable, GError **error)
{
  int failed = 0;

  maria_result_clear (link);
  if (link->statement)
    {
      my_bool bad = 0;

      if (!MARIA_AWAIT (link, mysql_stmt_close_start (&bad, link->statement),
                        mysql_stmt_close_cont (&bad, link->statement, status), cancellable, error))
        return FALSE;
      link->statement = NULL;
    }
  link->statement = mysql_stmt_init (link->mysql);
  if (link->statement == NULL)
    return maria_fail (link, error);
  if (!MARIA_AWAIT (link, mysql_stmt_prepare_start (&failed, link->statement, sql, strlen (sql)),
                    mysql_stmt_prepare_cont (&failed, link->statement, status), cancellable, error))
    return FALSE;
  return failed == 0 || maria_fail (link, error);
}

static GPtrArray *
describe (gpointer data, const char *sql, GCancellable *cancellable, GError **error)
{
  MariaLink *link = data;
  GPtrArray *columns;

  if (!prepare (link, sql, cancellable, error))
    return NULL;
  columns = maria_columns (link, error);
  if (columns)
    {
      g_free (link->shape);
      link->shape = maria_shape (columns);
    }
  return columns;
}

typedef struct
{
  gint64 integer;
  double number;
  gint8 boolean;
} Value;

static void
bind_value (MYSQL_BIND *bind, Value *value, JsonNode *node)
{
  bind->buffer_type = MYSQL_TYPE_NULL;
  if (JSON_NODE_HOLDS_NULL (node))
    return;
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_INT64:
      value->integer = json_node_get_int (node);
      bind->buffer_type = MYSQL_TYPE_LONGLONG;
      bind->buffer = &value->integer;
      break;
    case G_TYPE_DOUBLE:
      value->number = json_node_get_double (node);
      bind->buffer_type = MYSQL_TYPE_DOUBLE;
      bind->buffer = &value->number;
      break;
    case G_TYPE_BOOLEAN:
      value->boolean = json_node_get_boolean (node) != FALSE;
      bind->buffer_type = MYSQL_TYPE_TINY;
      bind->buffer = &value->boolean;
      break;
    default:
      bind->buffer_type = MYSQL_TYPE_STRING;
      bind->buffer = (gpointer) json_node_get_string (node);
      bind->buffer_length = strlen (json_node_get_string (node));
    }
}

static gboolean
execute (MariaLink *link, GPtrArray *nodes, GCancellable *cancellable, GError **error)
{
  g_autofree MYSQL_BIND *binds = g_new0 (MYSQL_BIND, nodes->len + 1);
  g_autofree Value *values = g_new0 (Value, nodes->len + 1);
  int failed = 0;

  if (mysql_stmt_param_count (link->statement) != nodes->len)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the statement has %lu parameters ('?'), but 'parameters' gives %u values",
                   mysql_stmt_param_count (link->statement), nodes->len);
      return FALSE;
    }
  for (guint i = 0; i < nodes->len; i++)
    bind_value (&binds[i], &values[i], nodes->pdata[i]);
  if (nodes->len > 0 && mysql_stmt_bind_param (link->statement, binds))
    return maria_fail (link, error);
  if (!MARIA_AWAIT (link, mysql_stmt_execute_start (&failed, link->statement),
                    mysql_stmt_execute_cont (&failed, link->statement, status), cancellable, error))
    return FALSE;
  return failed == 0 || maria_fail (link, error);
}

static gboolean
start (gpointer data, const char *sql, GPtrArray *nodes, GCancellable *cancellable, GError **error)
{
  MariaLink *link = data;
  g_autofree char *described = g_steal_pointer (&link->shape), *now = NULL;

  if (!prepare (link, sql, cancellable, error) || !execute (link, nodes, cancellable, error)
      || !maria_bind (link, error))
    return FALSE;
  /* From here on the transaction holds the table as it is; before, it did not. */
  now = maria_shape (link->columns);
  if (described == NULL || strcmp (described, now) == 0)
    return TRUE;
  g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA,
                       "what the query reads was changed while it began; run it again");
  return FALSE;
}

static SqlStep
next (gpointer data, SqlCell *cells, GCancellable *cancellable, GError **error)
{
  MariaLink *link = data;
  int got = 0;

  if (!MARIA_AWAIT (link, mysql_stmt_fetch_start (&got, link->statement),
                    mysql_stmt_fetch_cont (&got, link->statement, status), cancellable, error))
    return SQL_STEP_FAILED;
  if (got == MYSQL_NO_DATA)
    return SQL_STEP_DONE;
  if (got != 0 && got != MYSQL_DATA_TRUNCATED)
    {
      maria_fail (link, error);
      return SQL_STEP_FAILED;
    }
  return maria_fill (link, got == MYSQL_DATA_TRUNCATED, cells, error) ? SQL_STEP_ROW
                                                                      : SQL_STEP_FAILED;
}

/* ---- the table ------------------------------------------------------------------------ */

/* The first column of all rows of @sql into @names; @a, @b: its parameters, or NULL. */
static gboolean
ask (MariaLink *link, const char *sql, const char *a, const char *b, GPtrArray *names,
     GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  const char *const given[] = { a, b };
  SqlStep step = SQL_STEP_FAILED;
  SqlCell cell[1] = { { SQL_CELL_NULL, { NULL, 0 }, 0, 0 } };

  for (guint i = 0; i < 2; i++)
    if (i == 0 || strchr (strchr (sql, '?') + 1, '?'))
      g_ptr_array_add (values, given[i] ? json_node_init_string (json_node_alloc (), given[i])
                                        : json_node_init_null (json_node_alloc ()));
  if (!start (link, sql, values, cancellable, error))
    return FALSE;
  while ((step = next (link, cell, cancellable, error)) == SQL_STEP_ROW)
    g_ptr_array_add (names, g_strndup (cell->text.data, cell->text.len));
  return step == SQL_STEP_DONE;
}

static gboolean
key (gpointer data, const char *table, GPtrArray *names, GCancellable *cancellable, GError **error)
{
  MariaLink *link = data;
  g_autofree char *schema = NULL, *name = NULL;
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

  sql_split_table (table, &schema, &name);
  if (!ask (link,
            "SELECT table_name FROM information_schema.tables WHERE table_schema = "
            "coalesce(?, database()) AND table_name = ?",
            schema, name, found, cancellable, error))
    return FALSE;
  if (found->len == 0)
    return ask (link,
                "SELECT table_name FROM information_schema.tables WHERE table_schema = "
                "coalesce(?, database()) ORDER BY table_name",
                schema, NULL, found, cancellable, error)
           && sql_no_table (table, found, error);
  return ask (link,
              "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = "
              "coalesce(?, database()) AND table_name = ? AND constraint_name = 'PRIMARY' "
              "ORDER BY ordinal_position",
              schema, name, names, cancellable, error);
}

/* ---- the element --------------------------------------------------------------------- */

static const SqlDriver driver = { .server = "MariaDB",
                                  .place = maria_place,
                                  .connect = maria_open,
                                  .close = maria_close,
                                  .append_name = append_name,
                                  .append_mark = append_mark,
                                  .key = key,
                                  .describe = describe,
                                  .start = start,
                                  .next = next };

SQL_ELEMENT (mariadb_, &driver)

static const FrParam *const params[]
    = { FR_PARAM_STRING (
            "dsn", SqlConfig, dsn, "the server, the database and who asks",
            .flags = FR_PARAM_REQUIRED | FR_PARAM_SECRET,
            .details = "`mariadb://user:password@host:port/database?key=value&...`, with percent "
                       "signs as in any URI,\nor `host=... user=... password='...' database=...`. "
                       "Keys: `host`, `port`, `user`, `password`,\n`database`, `socket` (a path), "
                       "`ssl` (`verify`, `require`, `off`), `ssl_ca`, `ssl_cert`, `ssl_key`\n"
                       "(paths).",
            .example = "{\"env\": \"SHOP_DSN\"}"),
        SQL_PARAMS ("\"select id, name from goods where price > ? order by id\""),
        FR_PARAM_ENUM ("zero_dates", SqlConfig, zero_dates, sql_zero_dates,
                       "what the date 0000-00-00 becomes", .def = "null"),
        NULL };

static const char details[]
    = "Reads the result of a query, or a table, from a MariaDB or MySQL server, in a read-only\n"
      "transaction with one snapshot (START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY), row "
      "by\n"
      "row as the server sends them: memory does not grow with the result. Tables without\n"
      "transactions (MyISAM, Aria) are read as they are at that moment and stay locked for "
      "writers\n"
      "until the last row.\n\n" SQL_MANUAL_CHECK SQL_MANUAL_PASSWORD (
          "mariadb://reader:secret@db.example/shop") "Characters that mean something in a URI are "
                                                     "written with percent signs (`p%40ss` for "
                                                     "p@ss).\n\n"
                                                     "Over a network the connection is encrypted "
                                                     "and the server's certificate verified, with "
                                                     "the\n"
                                                     "host's name in it (`ssl=verify`, with the "
                                                     "authorities of the system or `ssl_ca`), "
                                                     "unless the\n"
                                                     "DSN says `ssl=require` (encrypted, by "
                                                     "whomever) or `ssl=off`. `localhost`, no "
                                                     "host, and a\n"
                                                     "`socket` are this "
                                                     "machine.\n\n" SQL_MANUAL_DENY
                                                     "## What the user needs\n\n"
                                                     "    CREATE USER reader@'10.0.0.%' IDENTIFIED "
                                                     "BY '...' REQUIRE SSL;\n"
                                                     "    GRANT SELECT ON shop.goods TO "
                                                     "reader@'10.0.0.%';\n"
                                                     "    GRANT SELECT ON shop.reviews TO "
                                                     "reader@'10.0.0.%';\n\n"
                                                     "and nothing else, above all not FILE, with "
                                                     "which a SELECT can write files on the "
                                                     "server.\n\n"
                                                     "## A pipeline\n\n"
                                                     "    {\n"
                                                     "      \"name\": \"goods\",\n"
                                                     "      \"stages\": {\n"
                                                     "        \"goods\": { \"use\": "
                                                     "\"source.mariadb\", \"with\": {\n"
                                                     "          \"dsn\": { \"file\": \"shop.dsn\" "
                                                     "},\n"
                                                     "          \"table\": \"goods\", \"select\": "
                                                     "[\"id\", \"name\", \"brief\"], \"where\": "
                                                     "\"deleted = 0\",\n"
                                                     "          \"reuse_while\": \"select "
                                                     "count(*), max(update_time) from goods\",\n"
                                                     "          \"result\": \"id: int64, name: "
                                                     "utf8, brief: utf8\" } },\n"
                                                     "        \"clean\": { \"use\": "
                                                     "\"transform.clean\", \"from\": \"goods\", "
                                                     "\"with\": { \"columns\": [\"name\", "
                                                     "\"brief\"] } },\n"
                                                     "        \"write\": { \"use\": "
                                                     "\"sink.jsonl\", \"from\": \"clean\", "
                                                     "\"with\": { \"path\": \"goods.jsonl\" } } } "
                                                     "}\n\n"
                                                     "A second run does nothing until a row is "
                                                     "added or changed. With `\"incremental\": "
                                                     "\"update_time\"`\n"
                                                     "in place of `reuse_while` it would read the "
                                                     "rows changed since.\n\n" SQL_MANUAL_READING
                                                     "## Types\n\n"
                                                     "The same as source.sqldump makes of a dump "
                                                     "of the table:\n\n"
                                                     "| on the server | column |\n| --- | --- |\n"
                                                     "| `tinyint(1)`, `boolean`, `bit(1)` | bool; "
                                                     "another value rejects the row |\n"
                                                     "| every other integer, `year`, `bit(n)` | "
                                                     "int64; an unsigned value beyond it rejects "
                                                     "the row |\n"
                                                     "| `float`, `double` | float64 |\n"
                                                     "| `decimal` | float64, or utf8 with "
                                                     "`\"decimal\": \"text\"` |\n"
                                                     "| `date`, `datetime` | timestamp; without a "
                                                     "zone it is UTC |\n"
                                                     "| `timestamp` | timestamp |\n"
                                                     "| `blob`, `binary`, `varbinary`, geometry | "
                                                     "binary |\n"
                                                     "| all others: `char`, `varchar`, `text`, "
                                                     "`enum`, `set`, `json`, `time`, `uuid` | utf8 "
                                                     "|\n\n"
                                                     "`columns` replaces single types: "
                                                     "`\"is_on_sale\": \"int64\"` where a "
                                                     "`tinyint(1)` holds more than 0\n"
                                                     "and 1, `\"gallery\": \"list<utf8>\"` for "
                                                     "JSON whose shape is known. Text comes in "
                                                     "UTF-8 whatever the\n"
                                                     "column's character set (gbk, big5, latin1); "
                                                     "the server converts it, and puts a question "
                                                     "mark\n"
                                                     "where the bytes were none of that set. Dates "
                                                     "0000-00-00 become null (`zero_dates`); "
                                                     "others with\n"
                                                     "a month or day of 00 reject the "
                                                     "row.\n\n" SQL_MANUAL_AGAIN;

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.mariadb",
        .revision = 1,
        .flags = FR_ELEMENT_NETWORK | FR_ELEMENT_UNTRUSTED | FR_ELEMENT_WAITS | FR_ELEMENT_VOLATILE,
        .summary = "a query or a table of a MariaDB or MySQL server",
        .details = details,
        .example = "{ \"dsn\": { \"env\": \"SHOP_DSN\" }, \"query\": \"select id, name from goods "
                   "order by id\" }",
        .config_size = sizeof (SqlConfig),
        .params = params,
        .outputs = fr_ports_out,
        SQL_CALLBACKS (mariadb_) };

FR_PLUGIN ("mariadb", PACKAGE_VERSION, "MariaDB and MySQL databases as rows", "Apache-2.0",
           "flowrun", &element)
