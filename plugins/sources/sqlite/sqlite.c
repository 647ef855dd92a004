/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.c: source.sqlite, the result of a query on an SQLite database as rows.
 *
 * The database is a file, opened read-only, or an SQL script that is run into
 * memory.  The query may do nothing but read: an authorizer refuses the rest
 * while it is compiled (SQLite, "Compile-Time Authorization Callbacks"), and
 * parameters are bound, never pasted.  types.c says what a column becomes.
 */
#include "config.h"

#include "database.h"
#include "types.h"

#include <string.h>

static const FrParam *const params[] = {
  FR_PARAM_PATH ("path", SqliteConfig, path, "the database file", .flags = FR_PARAM_READS,
                 .example = "\"shop.db\""),
  FR_PARAM_PATH ("script", SqliteConfig, script,
                 "an SQL script to run into memory, instead of 'path'", .flags = FR_PARAM_READS,
                 .example = "\"shop.sql\""),
  FR_PARAM_STRING ("query", SqliteConfig, query, "the SELECT whose result is read",
                   .example = "\"select id, name from goods where price > :least order by id\""),
  FR_PARAM_STRING ("table", SqliteConfig, table,
                   "a table or view to read whole, instead of 'query'", .example = "\"goods\""),
  FR_PARAM_JSON ("parameters", SqliteConfig, parameters,
                 "values of the query's parameters, a list by position or an object by name",
                 .schema = "{\"type\": [\"array\", \"object\"]}", .example = "{\"least\": 9.5}"),
  FR_PARAM_MAP ("columns", SqliteConfig, columns, "types that replace those found, by column",
                .example = "{\"added\": \"timestamp\"}"),
  FR_PARAM_INT ("sample", SqliteConfig, sample, 1, 1000000,
                "rows looked at for the types of columns that declare none", .def = "1000",
                .unit = "rows"),
  FR_PARAM_DURATION ("busy_timeout", SqliteConfig, busy_timeout,
                     "how long to wait for a program that is writing", .def = "10s",
                     .flags = FR_PARAM_NO_RESULT),
  NULL
};

static gboolean
sqlite_configure (gpointer data, FrProblems *problems)
{
  const SqliteConfig *config = data;
  gboolean ok = TRUE;

  if ((config->path != NULL) == (config->script != NULL))
    {
      fr_problems_add (problems, "", "give either 'path' or 'script', %s",
                       config->path ? "not both" : "but one of them");
      ok = FALSE;
    }
  if ((config->query != NULL) == (config->table != NULL))
    {
      fr_problems_add (problems, "", "give either 'query' or 'table', %s",
                       config->query ? "not both" : "but one of them");
      ok = FALSE;
    }
  if (config->table && config->parameters)
    {
      fr_problems_add (problems, "/parameters",
                       "'parameters' belong to a 'query', not to a 'table'");
      ok = FALSE;
    }
  return ok;
}

static gboolean
sqlite_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const SqliteConfig *config = data;
  g_autoptr (Database) db = database_open (config, NULL, error);
  FrSchema *schema;
  gboolean ok = TRUE;

  if (db == NULL)
    return FALSE;
  schema = types_schema (config, db->statement, error);
  if (schema == NULL)
    return FALSE;
  for (FrPair *p = config->columns; p && p->key; p++)
    if (fr_schema_find (schema, p->key) < 0)
      {
        g_auto (GStrv) names = fr_schema_names (schema);
        const char *near = fr_suggest (p->key, (const char *const *) names);

        fr_bind_problem (bind, "/columns", "the result has no column '%s'%s%s%s", p->key,
                         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        ok = FALSE;
      }
  if (!ok)
    fr_schema_unref (schema);
  else
    fr_bind_output (bind, "out", schema);
  return ok;
}

/* What a writer has put into the log but not yet into the file is read too. */
static gboolean
sqlite_fingerprint (gconstpointer data, GString *out, GError **error)
{
  const SqliteConfig *config = data;
  g_autofree char *wal = config->path ? g_strconcat (config->path, "-wal", NULL) : NULL;
  g_autofree char *text = NULL, *sum = NULL;
  gsize len;

  g_string_append_printf (out, "sqlite %s", sqlite3_libversion ());
  if (wal == NULL || !g_file_test (wal, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!g_file_get_contents (wal, &text, &len, NULL))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read %s, which belongs to the database",
                   wal);
      return FALSE;
    }
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text, len);
  g_string_append_printf (out, " wal %s", sum);
  return TRUE;
}

/* ---- the run --------------------------------------------------------------- */

typedef struct
{
  const SqliteConfig *config;
  Database *db;
  FrBuilder *builder;
  FrSchema *schema;
  TypesCount count;
  const char *name;
  guint64 position;
} State;

static int
on_progress (gpointer host)
{
  return fr_host_is_cancelled (host);
}

static void
sqlite_close (gpointer data)
{
  State *s = data;

  g_clear_pointer (&s->db, database_free);
  g_clear_pointer (&s->builder, fr_builder_free);
  g_free (s);
}

static gboolean
sqlite_open (gconstpointer config, FrHost *host, gpointer *data, GError **error)
{
  State *s = g_new0 (State, 1);

  s->config = config;
  s->schema = fr_host_output (host, "out");
  s->builder = fr_builder_new (s->schema);
  s->name = s->config->path ? s->config->path : s->config->script;
  s->db = database_open (config, fr_host_cancellable (host), error);
  if (s->db == NULL)
    {
      sqlite_close (s);
      return FALSE;
    }
  sqlite3_progress_handler (s->db->handle, 10000, on_progress, host);
  *data = s;
  return TRUE;
}

static void
reject (State *s, FrHost *host, guint column, const char *fault)
{
  FrRowId id = { s->position, fr_host_source (host), 0 };
  FrField *field = fr_schema_field (s->schema, column);
  g_autofree char *where = g_strdup_printf ("%s: row %" G_GUINT64_FORMAT, s->name, s->position);
  g_autoptr (GString) raw = g_string_new (NULL);

  types_show_row (s->db->statement, raw);
  fr_host_reject_raw (host, id, where, (FrStr){ raw->str, raw->len }, "type",
                      "the value of '%s' %s (the column is %s)", fr_field_name (field), fault,
                      fr_type_name (fr_field_type (field)));
}

static void
take_row (State *s, FrHost *host)
{
  FrRowId id = { ++s->position, fr_host_source (host), 0 };

  for (guint i = 0; i < fr_schema_n_fields (s->schema); i++)
    {
      const char *fault = types_append (fr_builder_cells (s->builder, i),
                                        fr_field_type (fr_schema_field (s->schema, i)),
                                        s->db->statement, (int) i, &s->count);

      if (fault)
        {
          fr_builder_cancel_row (s->builder);
          reject (s, host, i, fault);
          return;
        }
    }
  fr_builder_end_row (s->builder, id);
}

static FrFlow
push (State *s, FrHost *host, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (s->builder) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (s->builder, error);
  return batch ? fr_host_push (host, "out", batch, error) : FR_FLOW_ERROR;
}

static FrFlow
sqlite_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  FrFlow flow = FR_FLOW_OK;
  int rc = SQLITE_ROW;

  fr_host_origin (host, 1, s->config->table ? s->config->table : s->name);
  while (flow == FR_FLOW_OK && (rc = sqlite3_step (s->db->statement)) == SQLITE_ROW)
    {
      take_row (s, host);
      if (fr_builder_full (s->builder))
        flow = push (s, host, error);
    }
  if (flow == FR_FLOW_OK && rc == SQLITE_INTERRUPT && fr_host_is_cancelled (host))
    return FR_FLOW_CANCELLED;
  if (flow == FR_FLOW_OK && rc != SQLITE_DONE)
    {
      database_error (s->db->handle, rc, "read", s->name, error);
      return FR_FLOW_ERROR;
    }
  if (flow == FR_FLOW_OK)
    flow = push (s, host, error);
  if (s->count.replaced)
    fr_host_count (host, "cells_with_bad_bytes", (gint64) s->count.replaced);
  if (s->count.number_text)
    fr_host_count (host, "numbers_as_text", (gint64) s->count.number_text);
  return flow;
}

static const char details[]
    = "Reads the result of one SELECT, or a table whole. A database file is opened read-only; if "
      "it\n"
      "cannot be locked (a read-only directory, a read-only medium) it is read as immutable, "
      "unless a\n"
      "write-ahead log beside it holds changes that would be missed. A `script` is run, statement "
      "by\n"
      "statement, into a database in memory; it cannot ATTACH files. The query may only read.\n\n"
      "## Types\n\n"
      "From the declared type of the column that a result column comes from:\n\n"
      "| declared | column |\n| --- | --- |\n"
      "| `BOOL`, `BOOLEAN` | bool |\n"
      "| `DATE`, `DATETIME`, `TIMESTAMP` | timestamp: text as ISO 8601 without zone is UTC, an "
      "integer "
      "is seconds since 1970, a real a Julian day |\n"
      "| holds `INT` | int64 |\n| holds `CHAR`, `CLOB`, `TEXT`, `JSON` | utf8 |\n"
      "| holds `BLOB`, `BINARY` | binary |\n| holds `REAL`, `FLOA`, `DOUB` | float64 |\n\n"
      "All others (`DECIMAL`, no declaration, an expression) get what the first `sample` rows "
      "hold:\n"
      "integers int64, integers and reals float64, blobs binary, text, several kinds or nothing "
      "utf8.\n"
      "`columns` replaces single types. SQLite lets a cell hold anything: one that does not fit "
      "its\n"
      "column rejects the row (rule `type`). Numbers in a utf8 column become SQLite's text of "
      "them\n"
      "and are counted.\n\n"
      "## Order\n\n"
      "A row's position is its number in the result. SQLite promises no order without ORDER BY, "
      "so\n"
      "give one where positions shall stay the same when the data grows. A `table` is read in the\n"
      "order of its rowid, or of its primary key if it has no rowid; a view as it comes.";

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.sqlite",
        .revision = 1,
        .flags = FR_ELEMENT_UNTRUSTED,
        .summary = "a query on an SQLite database, or on an SQL script run into memory",
        .details = details,
        .example
        = "{ \"path\": \"shop.db\", \"query\": \"select id, name from goods order by id\" }",
        .config_size = sizeof (SqliteConfig),
        .params = params,
        .outputs = fr_ports_out,
        .configure = sqlite_configure,
        .bind = sqlite_bind,
        .open = sqlite_open,
        .run = sqlite_run,
        .close = sqlite_close,
        .fingerprint = sqlite_fingerprint };

FR_PLUGIN ("sqlite", PACKAGE_VERSION, "SQLite databases as rows", "Apache-2.0", "flowrun", &element)
