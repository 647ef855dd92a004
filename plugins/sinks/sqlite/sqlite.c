/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.c: sink.sqlite, rows into one table of an SQLite database.
 *
 * A database that does not exist yet is built under a temporary name, fsynced
 * and renamed in finish.  In one that exists everything happens in a single
 * transaction, which finish commits; SQLite's own journal undoes it when the
 * process dies.  Either way the table is whole or not there.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/flowrun.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum
{
  CREATE,
  APPEND,
  REPLACE
};

enum
{
  TIME_TEXT,
  TIME_INTEGER
};

typedef struct
{
  char *path;
  char *table;
  int mode;
  int timestamps;
  char *row_id;
  char **primary_key;
  char **indexes;
  gint64 busy_timeout;
} Config;

static const FrEnumValue *const modes[]
    = { FR_ENUM ("create", CREATE, "the table must not exist yet"),
        FR_ENUM ("append", APPEND, "adds to the table, which is made if it does not exist"),
        FR_ENUM ("replace", REPLACE, "drops the table first, if it exists"), NULL };
static const FrEnumValue *const times[]
    = { FR_ENUM ("text", TIME_TEXT, "ISO 8601 in UTC, declared DATETIME"),
        FR_ENUM ("integer", TIME_INTEGER, "microseconds since 1970, declared INTEGER"), NULL };

static const FrParam *const params[]
    = { FR_PARAM_PATH ("path", Config, path, "the database file",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"out/shop.db\""),
        FR_PARAM_STRING ("table", Config, table, "the table to write", .flags = FR_PARAM_REQUIRED,
                         .example = "\"goods\""),
        FR_PARAM_ENUM ("mode", Config, mode, modes, "what becomes of a table that is there already",
                       .def = "create"),
        FR_PARAM_ENUM ("timestamps", Config, timestamps, times, "how times are stored",
                       .def = "text"),
        FR_PARAM_STRING ("row_id", Config, row_id,
                         "a column to add with each row's id, as `flowrun why` takes it",
                         .example = "\"row_id\""),
        FR_PARAM_STRINGS ("primary_key", Config, primary_key,
                          "columns of the primary key; a row that repeats one is rejected",
                          .example = "\"id\""),
        FR_PARAM_STRINGS ("indexes", Config, indexes,
                          "indexes to make, each a column or several with commas between",
                          .example = "[\"category\", \"brand, price\"]"),
        FR_PARAM_DURATION ("busy_timeout", Config, busy_timeout,
                           "how long to wait for another program that writes", .def = "10s",
                           .flags = FR_PARAM_NO_RESULT),
        NULL };

/* ---- errors ---------------------------------------------------------------- */

static gboolean
sqlite_error (sqlite3 *db, int rc, const char *doing, const char *path, GError **error)
{
  const char *text = db ? sqlite3_errmsg (db) : sqlite3_errstr (rc);
  const char *advice = "";
  FrError code = FR_ERROR_IO;

  switch (rc & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      advice = ": another program is using it; wait for it, or raise 'busy_timeout'";
      break;
    case SQLITE_FULL:
      advice = ": make room on the disk, or write elsewhere";
      break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      advice = ": the file and its directory must be writable";
      break;
    case SQLITE_NOTADB:
      code = FR_ERROR_DATA;
      advice = ": what is there is no SQLite database; choose another path or remove it";
      break;
    case SQLITE_CORRUPT:
      code = FR_ERROR_DATA;
      advice = ": the database is damaged; try 'sqlite3 FILE .recover'";
      break;
    default:
      break;
    }
  g_set_error (error, FR_ERROR, code, "cannot %s %s: %s%s", doing, path, text, advice);
  return FALSE;
}

/* ---- before the run -------------------------------------------------------- */

static gboolean
has_column (FrSchema *schema, const Config *config, const char *name)
{
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    if (g_ascii_strcasecmp (fr_field_name (fr_schema_field (schema, i)), name) == 0)
      return TRUE;
  return config->row_id && g_ascii_strcasecmp (config->row_id, name) == 0;
}

static gboolean
check_names (const Config *config, FrBind *bind, FrSchema *schema, const char *pointer,
             const char *list)
{
  g_auto (GStrv) parts = g_strsplit (list, ",", -1);
  gboolean ok = TRUE;

  for (char **name = parts; *name; name++)
    {
      g_auto (GStrv) names = fr_schema_names (schema);
      const char *near;

      g_strstrip (*name);
      if (has_column (schema, config, *name))
        continue;
      near = fr_suggest (*name, (const char *const *) names);
      fr_bind_problem (bind, pointer, "the input has no column '%s'%s%s%s", *name,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
      ok = FALSE;
    }
  return ok;
}

/* SQLite's names do not know upper from lower case. */
static gboolean
sink_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_bind_input (bind, "in");
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean ok = TRUE;

  (void) error;
  if (schema == NULL)
    return TRUE;
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    {
      const char *name = fr_field_name (fr_schema_field (schema, i));

      if (g_hash_table_add (seen, g_ascii_strdown (name, -1)))
        continue;
      fr_bind_problem (bind, "",
                       "SQLite takes '%s' for the same column as another that differs "
                       "only in upper and lower case; rename it with transform.select",
                       name);
      ok = FALSE;
    }
  if (config->row_id)
    {
      g_autofree char *lower = g_ascii_strdown (config->row_id, -1);

      if (*lower == 0 || g_hash_table_contains (seen, lower))
        {
          fr_bind_problem (bind, "/row_id",
                           "the input has a column '%s' already; choose another "
                           "name for the ids",
                           config->row_id);
          ok = FALSE;
        }
    }
  for (char **name = config->primary_key; name && *name; name++)
    ok &= check_names (config, bind, schema, "/primary_key", *name);
  for (char **list = config->indexes; list && *list; list++)
    ok &= check_names (config, bind, schema, "/indexes", *list);
  return ok;
}

/* ---- the table ------------------------------------------------------------- */

typedef struct
{
  const Config *config;
  FrSchema *schema;
  sqlite3 *db;
  sqlite3_stmt *insert;
  char *temporary; /* a new file under its temporary name; NULL: a transaction in the real one */
  GString *cell;
  guint64 nan;
} State;

static const char *
declaration (const State *s, FrType type)
{
  switch (type)
    {
    case FR_TYPE_BOOL:
      return "BOOLEAN";
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return "INTEGER";
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return "REAL";
    case FR_TYPE_BINARY:
      return "BLOB";
    case FR_TYPE_TIMESTAMP:
      return s->config->timestamps == TIME_TEXT ? "DATETIME" : "INTEGER";
    default:
      return "TEXT";
    }
}

static void
append_name (GString *sql, const char *name)
{
  char *quoted = sqlite3_mprintf ("\"%w\"", name);

  g_string_append (sql, quoted);
  sqlite3_free (quoted);
}

static gboolean
execute (State *s, const char *sql, const char *doing, GError **error)
{
  int rc = sqlite3_exec (s->db, sql, NULL, NULL, NULL);

  return rc == SQLITE_OK || sqlite_error (s->db, rc, doing, s->config->path, error);
}

static gboolean
create_table (State *s, GError **error)
{
  const Config *config = s->config;
  g_autoptr (GString) sql = g_string_new ("CREATE TABLE ");

  append_name (sql, config->table);
  g_string_append (sql, " (");
  for (guint i = 0; i < fr_schema_n_fields (s->schema); i++)
    {
      FrField *field = fr_schema_field (s->schema, i);

      g_string_append (sql, i ? ", " : "");
      append_name (sql, fr_field_name (field));
      g_string_append_printf (sql, " %s", declaration (s, fr_field_type (field)));
    }
  if (config->row_id)
    {
      g_string_append (sql, fr_schema_n_fields (s->schema) ? ", " : "");
      append_name (sql, config->row_id);
      g_string_append (sql, " TEXT");
    }
  if (config->primary_key && *config->primary_key)
    {
      g_string_append (sql, ", PRIMARY KEY (");
      for (char **name = config->primary_key; *name; name++)
        {
          g_string_append (sql, name == config->primary_key ? "" : ", ");
          append_name (sql, *name);
        }
      g_string_append_c (sql, ')');
    }
  g_string_append_c (sql, ')');
  return execute (s, sql->str, "make the table in", error);
}

/* What PRAGMA table_info tells of the table, as "name TYPE", or an empty array. */
static GPtrArray *
table_columns (State *s)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (s->db, "SELECT name FROM pragma_table_info(?1)", -1, &statement, NULL)
      == SQLITE_OK)
    {
      sqlite3_bind_text (statement, 1, s->config->table, -1, SQLITE_STATIC);
      while (sqlite3_step (statement) == SQLITE_ROW)
        g_ptr_array_add (list, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
    }
  sqlite3_finalize (statement);
  return list;
}

static gboolean
contains (GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++)
    if (g_ascii_strcasecmp (names->pdata[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* For append: every column of the rows must be one of the table. */
static gboolean
check_columns (State *s, GPtrArray *columns, GError **error)
{
  g_autofree char *have = NULL, *bring = NULL;
  gboolean ok = s->config->row_id == NULL || contains (columns, s->config->row_id);

  for (guint i = 0; ok && i < fr_schema_n_fields (s->schema); i++)
    ok = contains (columns, fr_field_name (fr_schema_field (s->schema, i)));
  if (ok)
    return TRUE;
  g_ptr_array_add (columns, NULL);
  have = g_strjoinv (", ", (char **) columns->pdata);
  bring = fr_schema_describe (s->schema);
  g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
               "table '%s' of %s has the columns %s; the rows bring %s%s%s: leave out or rename "
               "what the table does not have, or use another table",
               s->config->table, s->config->path, have, bring, s->config->row_id ? ", " : "",
               s->config->row_id ? s->config->row_id : "");
  return FALSE;
}

static gboolean
prepare_table (State *s, GError **error)
{
  const Config *config = s->config;
  g_autoptr (GPtrArray) columns = table_columns (s);
  g_autoptr (GString) sql = g_string_new (NULL);

  if (columns->len > 0 && config->mode == CREATE)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s has a table '%s' already: set 'mode' to 'append' or 'replace', or choose "
                   "another table",
                   config->path, config->table);
      return FALSE;
    }
  if (columns->len > 0 && config->mode == APPEND)
    return check_columns (s, columns, error);
  if (columns->len > 0)
    {
      g_string_append (sql, "DROP TABLE ");
      append_name (sql, config->table);
      if (!execute (s, sql->str, "replace the table in", error))
        return FALSE;
    }
  return create_table (s, error);
}

static gboolean
prepare_insert (State *s, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("INSERT INTO ");
  g_autoptr (GString) values = g_string_new (NULL);
  guint n = fr_schema_n_fields (s->schema) + (s->config->row_id != NULL);
  int rc;

  append_name (sql, s->config->table);
  g_string_append (sql, " (");
  for (guint i = 0; i < n; i++)
    {
      g_string_append (sql, i ? ", " : "");
      append_name (sql, i < fr_schema_n_fields (s->schema)
                            ? fr_field_name (fr_schema_field (s->schema, i))
                            : s->config->row_id);
      g_string_append (values, i ? ", ?" : "?");
    }
  g_string_append_printf (sql, ") VALUES (%s)", values->str);
  rc = sqlite3_prepare_v2 (s->db, sql->str, -1, &s->insert, NULL);
  return rc == SQLITE_OK || sqlite_error (s->db, rc, "write to", s->config->path, error);
}

/* ---- opening and closing --------------------------------------------------- */

static void
sink_close (gpointer data)
{
  State *s = data;

  sqlite3_finalize (s->insert);
  if (s->db && !sqlite3_get_autocommit (s->db))
    sqlite3_exec (s->db, "ROLLBACK", NULL, NULL, NULL);
  sqlite3_close (s->db);
  if (s->temporary)
    g_unlink (s->temporary);
  g_free (s->temporary);
  g_string_free (s->cell, TRUE);
  g_free (s);
}

/* A new file: nobody else sees it before it is renamed, so no journal on disk is needed. */
static gboolean
open_new (State *s, GError **error)
{
  const char *path = s->config->path;
  g_autofree char *dir = g_path_get_dirname (path), *base = g_path_get_basename (path);
  int rc, fd;

  if (g_mkdir_with_parents (dir, 0777) != 0)
    return fr_error_errno (error, errno, "make the directory", dir);
  s->temporary = g_strdup_printf ("%s/.%s.XXXXXX", dir, base);
  fd = g_mkstemp_full (s->temporary, O_RDWR | O_CLOEXEC, 0666);
  if (fd < 0)
    {
      int errnum = errno;

      g_clear_pointer (&s->temporary, g_free);
      return fr_error_errno (error, errnum, "create", path);
    }
  close (fd);
  rc = sqlite3_open_v2 (s->temporary, &s->db, SQLITE_OPEN_READWRITE, NULL);
  if (rc != SQLITE_OK)
    return sqlite_error (s->db, rc, "create", path, error);
  return execute (s, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA page_size=4096;",
                  "create", error);
}

static gboolean
open_existing (State *s, GError **error)
{
  const char *path = s->config->path;
  int rc = sqlite3_open_v2 (path, &s->db, SQLITE_OPEN_READWRITE, NULL);

  if (rc != SQLITE_OK)
    return sqlite_error (s->db, rc, "open", path, error);
  if (sqlite3_db_readonly (s->db, "main") == 1)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "cannot write to %s: the file and its directory must be writable", path);
      return FALSE;
    }
  return TRUE;
}

static gboolean
open_all (State *s, GError **error)
{
  const char *path = s->config->path;
  struct stat st;
  gboolean there = stat (path, &st) == 0;

  if (there && S_ISDIR (st.st_mode))
    return fr_error_errno (error, EISDIR, "write", path);
  if (!(there && st.st_size > 0 ? open_existing (s, error) : open_new (s, error)))
    return FALSE;
  sqlite3_extended_result_codes (s->db, 1);
  sqlite3_busy_timeout (s->db, (int) CLAMP (s->config->busy_timeout / 1000, 0, G_MAXINT32));
  return execute (s, "BEGIN IMMEDIATE", "write to", error) && prepare_table (s, error)
         && prepare_insert (s, error);
}

static gboolean
sink_open (gconstpointer config, FrHost *host, gpointer *data, GError **error)
{
  State *s = g_new0 (State, 1);

  s->config = config;
  s->schema = fr_host_input (host, "in");
  s->cell = g_string_new (NULL);
  if (!open_all (s, error))
    {
      sink_close (s);
      return FALSE;
    }
  *data = s;
  return TRUE;
}

/* ---- rows ------------------------------------------------------------------ */

static void
bind_cell (State *s, const FrBatch *batch, const FrView *view, guint column, gsize row)
{
  int at = (int) column + 1;
  FrStr str;
  double number;

  if (fr_view_is_null (view, row))
    {
      sqlite3_bind_null (s->insert, at);
      return;
    }
  switch (view->type)
    {
    case FR_TYPE_BOOL:
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      sqlite3_bind_int64 (s->insert, at, fr_view_int (view, row));
      break;
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      number = fr_view_float (view, row);
      s->nan += isnan (number) != 0;
      sqlite3_bind_double (s->insert, at, number);
      break;
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      str = fr_view_str (view, row);
      sqlite3_bind_text64 (s->insert, at, str.data, str.len, SQLITE_STATIC, SQLITE_UTF8);
      break;
    case FR_TYPE_BINARY:
      str = fr_view_str (view, row);
      sqlite3_bind_blob64 (s->insert, at, str.data ? str.data : "", str.len, SQLITE_STATIC);
      break;
    case FR_TYPE_TIMESTAMP:
      if (s->config->timestamps == TIME_INTEGER)
        {
          sqlite3_bind_int64 (s->insert, at, fr_view_int (view, row));
          break;
        }
      g_string_truncate (s->cell, 0);
      fr_timestamp_append (s->cell, fr_view_int (view, row));
      sqlite3_bind_text64 (s->insert, at, s->cell->str, s->cell->len, SQLITE_TRANSIENT,
                           SQLITE_UTF8);
      break;
    default:
      g_string_truncate (s->cell, 0);
      fr_batch_append_json_cell (batch, column, row, s->cell);
      sqlite3_bind_text64 (s->insert, at, s->cell->str, s->cell->len, SQLITE_TRANSIENT,
                           SQLITE_UTF8);
      break;
    }
}

static gboolean
write_batch (State *s, FrHost *host, FrBatch *batch, GError **error)
{
  guint n = fr_batch_n_columns (batch);
  g_autofree FrView *views = g_new (FrView, n);

  for (guint i = 0; i < n; i++)
    views[i] = fr_view (batch, i);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      int rc;

      for (guint i = 0; i < n; i++)
        bind_cell (s, batch, &views[i], i, row);
      if (s->config->row_id)
        {
          g_string_truncate (s->cell, 0);
          fr_host_append_row_id (host, fr_batch_ids (batch)[row], s->cell);
          sqlite3_bind_text64 (s->insert, (int) n + 1, s->cell->str, s->cell->len, SQLITE_TRANSIENT,
                               SQLITE_UTF8);
        }
      rc = sqlite3_step (s->insert);
      if ((rc & 0xff) == SQLITE_CONSTRAINT || (rc & 0xff) == SQLITE_MISMATCH
          || (rc & 0xff) == SQLITE_TOOBIG)
        fr_host_reject (host, batch, row,
                        (rc & 0xff) == SQLITE_CONSTRAINT ? "constraint" : "does_not_fit",
                        "the table does not take this row: %s", sqlite3_errmsg (s->db));
      else if (rc != SQLITE_DONE)
        return sqlite_error (s->db, rc, "write to", s->config->path, error);
      sqlite3_reset (s->insert);
    }
  return TRUE;
}

static FrFlow
sink_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  FrFlow flow;
  FrBatch *next = NULL;

  while ((flow = fr_host_next (host, "in", &next, error)) == FR_FLOW_OK)
    {
      g_autoptr (FrBatch) batch = next;

      if (!write_batch (s, host, batch, error))
        return FR_FLOW_ERROR;
    }
  if (s->nan)
    fr_host_count (host, "not_a_number_as_null", (gint64) s->nan);
  return flow;
}

/* ---- the end --------------------------------------------------------------- */

static gboolean
create_indexes (State *s, GError **error)
{
  for (char **list = s->config->indexes; list && *list; list++)
    {
      g_auto (GStrv) names = g_strsplit (*list, ",", -1);
      g_autoptr (GString) name = g_string_new (s->config->table);
      g_autoptr (GString) sql = g_string_new ("CREATE INDEX IF NOT EXISTS ");
      g_autoptr (GString) columns = g_string_new (NULL);

      for (char **column = names; *column; column++)
        {
          g_strstrip (*column);
          g_string_append_printf (name, "_%s", *column);
          g_string_append (columns, column == names ? "" : ", ");
          append_name (columns, *column);
        }
      append_name (sql, name->str);
      g_string_append (sql, " ON ");
      append_name (sql, s->config->table);
      g_string_append_printf (sql, " (%s)", columns->str);
      if (!execute (s, sql->str, "make an index in", error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
sync_path (const char *path, int flags, const char *shown, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC);
  int errnum = 0;

  if (fd < 0 || fsync (fd) != 0)
    errnum = errno;
  if (fd >= 0)
    close (fd);
  return errnum == 0 || fr_error_errno (error, errnum, "write", shown);
}

static gboolean
put_in_place (State *s, GError **error)
{
  const char *path = s->config->path;
  g_autofree char *dir = g_path_get_dirname (path);
  struct stat st;

  if (!sync_path (s->temporary, O_RDWR, path, error))
    return FALSE;
  if (stat (path, &st) == 0 && st.st_size > 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "cannot write %s: another program made it while the run went on; run again",
                   path);
      return FALSE;
    }
  if (g_rename (s->temporary, path) != 0)
    return fr_error_errno (error, errno, "write", path);
  g_clear_pointer (&s->temporary, g_free);
  return sync_path (dir, O_RDONLY | O_DIRECTORY, path, error);
}

static gboolean
sink_finish (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  int rc;

  g_clear_pointer (&s->insert, sqlite3_finalize);
  if (!create_indexes (s, error) || !execute (s, "COMMIT", "write to", error))
    return FALSE;
  rc = sqlite3_close (s->db);
  if (rc != SQLITE_OK)
    return sqlite_error (s->db, rc, "close", s->config->path, error);
  s->db = NULL;
  if (s->temporary && !put_in_place (s, error))
    return FALSE;
  fr_host_committed (host, s->config->path);
  return TRUE;
}

static const char details[]
    = "Writes all rows into one table, or none of them. A database that does not exist is built\n"
      "beside its place and renamed when the run has succeeded; the same rows give the same bytes. "
      "In\n"
      "one that exists everything is one transaction, and other tables stay as they are.\n\n"
      "| column | declared | stored as |\n| --- | --- | --- |\n"
      "| bool | BOOLEAN | 0 or 1 |\n| int32, int64 | INTEGER | |\n| float32, float64 | REAL | not "
      "a "
      "number becomes NULL and is counted |\n| utf8 | TEXT | |\n| binary | BLOB | |\n"
      "| timestamp | DATETIME | ISO 8601 in UTC, or INTEGER microseconds (`timestamps`) |\n"
      "| list, struct | TEXT | JSON |\n\n"
      "`source.sqlite` reads these declarations back as the same types, lists and structs as "
      "text.\n\n"
      "With `append` the columns of the rows must all be columns of the table; columns of the "
      "table\n"
      "that the rows lack get their defaults. A row that the table does not take (a repeated "
      "primary\n"
      "key, a NOT NULL or CHECK of an existing table) is rejected by the rule `constraint`.";

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SINK,
        .name = "sink.sqlite",
        .revision = 1,
        .summary = "rows into a table of an SQLite database, all of them or none",
        .details = details,
        .example = "{ \"path\": \"out/shop.db\", \"table\": \"goods\" }",
        .config_size = sizeof (Config),
        .params = params,
        .inputs = fr_ports_in,
        .bind = sink_bind,
        .open = sink_open,
        .run = sink_run,
        .finish = sink_finish,
        .close = sink_close };

FR_PLUGIN ("sqlite-sink", PACKAGE_VERSION, "rows into SQLite databases", "Apache-2.0", "flowrun",
           &element)
