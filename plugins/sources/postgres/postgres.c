/* SPDX-License-Identifier: Apache-2.0 */
/* postgres.c: source.postgres, a query on a PostgreSQL server as rows.
 *
 * What is common to servers is in plugins/sql.  Here: libpq.
 *
 * Rows come in libpq's single-row mode, which holds one row in memory and lets
 * the server run ahead only as far as the socket takes.  A cursor would do the
 * same for the client, but FETCH puts its rows into a temporary store on the
 * server before it sends the first, which wide rows fill up; and a cursor is
 * planned without parallel workers.  What a cursor would have been better at,
 * a statement_timeout that does not count the time that rows wait for the
 * stages behind, is lifted instead, as pg_dump does; 'timeout' counts only the
 * waits for the server.
 */
#include "config.h"

#include "sources/postgres/link.h"
#include "sources/postgres/types.h"
#include "sql/manual.h"
#include "sql/sql.h"

#include <string.h>

/* ---- names -------------------------------------------------------------------- */

/* "Lexical Structure", "Quoted Identifiers". */
static void
append_name (gpointer link, GString *sql, const char *name)
{
  (void) link;
  sql_append_quoted (sql, name, "\"");
}

static void
append_mark (gpointer link, GString *sql, guint n, const SqlColumn *column)
{
  (void) link;
  (void) column;
  g_string_append_printf (sql, "$%u", n);
}

/* ---- the table ------------------------------------------------------------------ */

static gboolean
no_table (PgLink *link, const char *table, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (PGresult) result
      = pg_ask (link,
                "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname "
                "ELSE n.nspname || '.' || c.relname END "
                "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname !~ '^pg_' "
                "AND n.nspname <> 'information_schema' "
                "AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') "
                "ORDER BY 1",
                0, NULL, cancellable, error);

  if (result == NULL)
    return FALSE;
  for (int i = 0; i < PQntuples (result); i++)
    g_ptr_array_add (names, g_strdup (PQgetvalue (result, i, 0)));
  return sql_no_table (table, names, error);
}

static gboolean
key (gpointer data, const char *table, GPtrArray *names, GCancellable *cancellable, GError **error)
{
  PgLink *link = data;
  g_autoptr (GString) quoted = g_string_new (NULL);
  g_autofree char *schema = NULL, *name = NULL;
  g_autoptr (PGresult) found = NULL, columns = NULL;
  const char *value;

  sql_split_table (table, &schema, &name);
  if (schema)
    {
      append_name (link, quoted, schema);
      g_string_append_c (quoted, '.');
    }
  append_name (link, quoted, name);
  value = quoted->str;
  found = pg_ask (link, "SELECT to_regclass($1)::oid", 1, &value, cancellable, error);
  if (found == NULL)
    return FALSE;
  if (PQntuples (found) != 1 || PQgetisnull (found, 0, 0))
    return no_table (link, table, cancellable, error);
  value = PQgetvalue (found, 0, 0);
  columns = pg_ask (link,
                    "SELECT a.attname FROM pg_index i "
                    "CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n) "
                    "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
                    "WHERE i.indrelid = $1::oid AND i.indisprimary ORDER BY k.n",
                    1, &value, cancellable, error);
  if (columns == NULL)
    return FALSE;
  for (int i = 0; i < PQntuples (columns); i++)
    g_ptr_array_add (names, g_strdup (PQgetvalue (columns, i, 0)));
  return TRUE;
}

/* ---- statements -------------------------------------------------------------------- */

/* Waits for a request of the extended protocol to end; its result. */
static PGresult *
finish_request (PgLink *link, gboolean sent, GCancellable *cancellable, GError **error)
{
  g_autoptr (PGresult) result = NULL;
  g_autoptr (GError) failure = NULL;
  PGresult *more;

  if (!sent)
    {
      pg_fail (link, NULL, error);
      return NULL;
    }
  link->busy = TRUE;
  result = pg_wait_result (link, cancellable, &failure);
  while (failure == NULL && (more = pg_wait_result (link, cancellable, &failure)) != NULL)
    PQclear (more);
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  return g_steal_pointer (&result);
}

static GPtrArray *
describe (gpointer data, const char *sql, GCancellable *cancellable, GError **error)
{
  PgLink *link = data;
  g_autoptr (PGresult) prepared
      = finish_request (link, PQsendPrepare (link->pg, "", sql, 0, NULL), cancellable, error);
  g_autoptr (PGresult) described = NULL;

  if (prepared == NULL)
    return NULL;
  described = finish_request (link, PQsendDescribePrepared (link->pg, ""), cancellable, error);
  return described ? pg_columns (link, described, cancellable, error) : NULL;
}

/* Values go as text of no type, which the server then reads as the type that
 * stands there, as it would a literal in quotes. */
static char *
value_text (JsonNode *node)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return NULL;
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_INT64:
      return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
    case G_TYPE_DOUBLE:
      {
        g_autoptr (GString) text = g_string_new (NULL);

        fr_json_append_double (text, json_node_get_double (node));
        return g_string_free (g_steal_pointer (&text), FALSE);
      }
    case G_TYPE_BOOLEAN:
      return g_strdup (json_node_get_boolean (node) ? "true" : "false");
    default:
      return json_node_dup_string (node);
    }
}

static gboolean
start (gpointer data, const char *sql, GPtrArray *nodes, GCancellable *cancellable, GError **error)
{
  PgLink *link = data;
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);

  (void) cancellable;
  for (guint i = 0; i < nodes->len; i++)
    g_ptr_array_add (values, value_text (nodes->pdata[i]));
  g_clear_pointer (&link->row, PQclear);
  /* Always the extended protocol, which takes one statement and no more. */
  if (!PQsendQueryParams (link->pg, sql, (int) values->len, NULL,
                          (const char *const *) values->pdata, NULL, NULL, 0))
    return pg_fail (link, NULL, error);
  link->busy = TRUE;
  PQsetSingleRowMode (link->pg);
  return TRUE;
}

static void
fill (const PGresult *row, SqlCell *cells)
{
  int n = PQnfields (row);

  for (int i = 0; i < n; i++)
    {
      cells[i].form = PQgetisnull (row, 0, i) ? SQL_CELL_NULL : SQL_CELL_TEXT;
      cells[i].text = (FrStr){ PQgetvalue (row, 0, i), (gsize) PQgetlength (row, 0, i) };
    }
}

static SqlStep
next (gpointer data, SqlCell *cells, GCancellable *cancellable, GError **error)
{
  PgLink *link = data;
  g_autoptr (GError) failure = NULL;

  do
    {
      g_clear_pointer (&link->row, PQclear);
      link->row = pg_wait_result (link, cancellable, &failure);
    }
  while (link->row && PQresultStatus (link->row) != PGRES_SINGLE_TUPLE);
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return SQL_STEP_FAILED;
    }
  if (link->row == NULL)
    return SQL_STEP_DONE;
  fill (link->row, cells);
  return SQL_STEP_ROW;
}

/* ---- the element --------------------------------------------------------------------- */

static const SqlDriver driver = { .server = "PostgreSQL",
                                  .place = pg_place,
                                  .connect = pg_open,
                                  .close = pg_close,
                                  .append_name = append_name,
                                  .append_mark = append_mark,
                                  .key = key,
                                  .describe = describe,
                                  .start = start,
                                  .next = next };

SQL_ELEMENT (postgres_, &driver)

static const FrParam *const params[]
    = { FR_PARAM_STRING ("dsn", SqlConfig, dsn, "the server, the database and who asks",
                         .flags = FR_PARAM_REQUIRED | FR_PARAM_SECRET,
                         .details
                         = "As libpq takes it: `postgresql://user:password@host:port/database?...` "
                           "or\n`host=... dbname=... user=... password=...`. What it leaves out "
                           "comes from `PGHOST` and its\nlike, a service file, and `~/.pgpass`.",
                         .example = "{\"env\": \"SHOP_DSN\"}"),
        SQL_PARAMS ("\"select id, name from goods where price > $1 order by id\""),
        FR_PARAM_ENUM ("nested", SqlConfig, nested, sql_nesteds, "what arrays become",
                       .def = "keep"),
        NULL };

static const char details[]
    = "Reads the result of a query, or a table, from a PostgreSQL server, in a read-only\n"
      "transaction with one snapshot (REPEATABLE READ), row by row as the server sends them: "
      "memory\n"
      "does not grow with the result.\n\n" SQL_MANUAL_CHECK SQL_MANUAL_PASSWORD (
          "postgresql://reader:secret@db.example/shop") "`~/.pgpass`, `PGPASSWORD` and service "
                                                        "files work too.\n\n"
                                                        "Over a network the server's certificate "
                                                        "is verified, and the host's name in it\n"
                                                        "(`sslmode=verify-full`, with the "
                                                        "authorities of the system or "
                                                        "`sslrootcert`), unless the "
                                                        "DSN\n"
                                                        "or `PGSSLMODE` says "
                                                        "otherwise.\n\n" SQL_MANUAL_DENY
                                                        "## What the user needs\n\n"
                                                        "    CREATE ROLE reader LOGIN PASSWORD "
                                                        "'...';\n"
                                                        "    GRANT CONNECT ON DATABASE shop TO "
                                                        "reader;\n"
                                                        "    GRANT USAGE ON SCHEMA public TO "
                                                        "reader;\n"
                                                        "    GRANT SELECT ON goods, reviews TO "
                                                        "reader;\n\n"
                                                        "and nothing else; `ALTER ROLE reader SET "
                                                        "default_transaction_read_only = on` does "
                                                        "no harm.\n"
                                                        "A `statement_timeout` of the role counts "
                                                        "for each ten thousand rows, not for all "
                                                        "of them.\n\n"
                                                        "## A pipeline\n\n"
                                                        "    {\n"
                                                        "      \"name\": \"new-reviews\",\n"
                                                        "      \"vars\": { \"day\": { \"default\": "
                                                        "\"today\", \"help\": \"names the file\" } "
                                                        "},\n"
                                                        "      \"stages\": {\n"
                                                        "        \"reviews\": { \"use\": "
                                                        "\"source.postgres\", \"with\": {\n"
                                                        "          \"dsn\": { \"file\": "
                                                        "\"shop.dsn\" },\n"
                                                        "          \"query\": \"select id, "
                                                        "written_at, text from reviews where stars "
                                                        ">= $1\",\n"
                                                        "          \"parameters\": [4],\n"
                                                        "          \"incremental\": "
                                                        "\"written_at\",\n"
                                                        "          \"result\": \"id: int64, "
                                                        "written_at: timestamp, text: utf8\" } },\n"
                                                        "        \"clean\": { \"use\": "
                                                        "\"transform.clean\", \"from\": "
                                                        "\"reviews\", \"with\": { \"columns\": "
                                                        "\"text\" } },\n"
                                                        "        \"write\": { \"use\": "
                                                        "\"sink.jsonl\", \"from\": \"clean\", "
                                                        "\"with\": { \"path\": "
                                                        "\"reviews-${day}.jsonl\" } } } }\n\n"
                                                        "Run with `--var day=2024-05-01`, then "
                                                        "`--var day=2024-05-02`: the second file "
                                                        "holds the reviews\n"
                                                        "that were written after the first "
                                                        "run.\n\n" SQL_MANUAL_READING "## Types\n\n"
                                                        "| on the server | column |\n| --- | --- "
                                                        "|\n"
                                                        "| `boolean` | bool |\n"
                                                        "| `smallint`, `integer`, `bigint`, `oid` "
                                                        "| int64 |\n"
                                                        "| `real`, `double precision` | float64; "
                                                        "NaN and infinity stay |\n"
                                                        "| `numeric` | float64, or utf8 with "
                                                        "`\"decimal\": \"text\"` |\n"
                                                        "| `date`, `timestamp` | timestamp; "
                                                        "without a zone it is UTC |\n"
                                                        "| `timestamp with time zone` | timestamp "
                                                        "|\n"
                                                        "| `bytea` | binary |\n"
                                                        "| arrays | list of what the items become, "
                                                        "or utf8 with `\"nested\": \"text\"` |\n"
                                                        "| all others: `text`, `varchar`, enums, "
                                                        "`uuid`, `json`, `jsonb`, `interval` (ISO "
                                                        "8601), `time`, ranges, addresses, "
                                                        "composites | utf8 |\n\n"
                                                        "A domain is what it is made of. `columns` "
                                                        "replaces single types: `\"tags\": "
                                                        "\"list<list<int64>>\"` for\n"
                                                        "an array of two dimensions, "
                                                        "`\"attributes\": \"struct<size: utf8, "
                                                        "weight: float64>\"` for "
                                                        "JSON whose shape\n"
                                                        "is known; a value of another shape "
                                                        "rejects its row. In a database of "
                                                        "encoding SQL_ASCII text "
                                                        "is\n"
                                                        "whatever was put there; rows of which it "
                                                        "is not UTF-8 are "
                                                        "rejected.\n\n" SQL_MANUAL_AGAIN;

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.postgres",
        .revision = 1,
        .flags = FR_ELEMENT_NETWORK | FR_ELEMENT_UNTRUSTED | FR_ELEMENT_WAITS | FR_ELEMENT_VOLATILE,
        .summary = "a query or a table of a PostgreSQL server",
        .details = details,
        .example = "{ \"dsn\": { \"env\": \"SHOP_DSN\" }, \"query\": \"select id, name from goods "
                   "order by id\" }",
        .config_size = sizeof (SqlConfig),
        .params = params,
        .outputs = fr_ports_out,
        SQL_CALLBACKS (postgres_) };

FR_PLUGIN ("postgres", PACKAGE_VERSION, "PostgreSQL databases as rows", "Apache-2.0", "flowrun",
           &element)
