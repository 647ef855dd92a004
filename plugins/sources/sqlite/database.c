/* SPDX-License-Identifier: Apache-2.0 */
/* database.c: an SQLite database that can only be read, with a query on it. */
#include "config.h"

#include "database.h"

#include <errno.h>
#include <string.h>

gboolean
database_error (sqlite3 *handle, int rc, const char *doing, const char *path, GError **error)
{
  const char *text = handle ? sqlite3_errmsg (handle) : sqlite3_errstr (rc);
  FrError code = FR_ERROR_DATA;
  const char *advice = "";

  switch (rc & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = FR_ERROR_IO;
      advice = ": another program is writing to it; wait for it, or raise 'busy_timeout'";
      break;
    case SQLITE_NOTADB:
      advice = ": it is not an SQLite database, or it is encrypted";
      break;
    case SQLITE_CORRUPT:
      advice = ": the database is damaged; try 'sqlite3 FILE .recover', or take a backup";
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_FULL:
      code = FR_ERROR_IO;
      break;
    default:
      break;
    }
  g_set_error (error, FR_ERROR, code, "cannot %s %s: %s%s", doing, path, text, advice);
  return FALSE;
}

/* ---- what a statement may do ----------------------------------------------- */

/* For the query: reading and nothing else. */
static int
authorize_query (gpointer data, int action, const char *a, const char *b, const char *c,
                 const char *d)
{
  (void) data;
  (void) c;
  (void) d;
  switch (action)
    {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return g_ascii_strcasecmp (b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: /* pragma_table_info() and its like, which tell and do not set */
      return a && strstr (a, "_info") ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
    }
}

/* For a script: whatever stays within its own database in memory. */
static int
authorize_script (gpointer data, int action, const char *a, const char *b, const char *c,
                  const char *d)
{
  (void) data;
  (void) a;
  (void) c;
  (void) d;
  if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
    return SQLITE_DENY;
  if (action == SQLITE_FUNCTION && g_ascii_strcasecmp (b, "load_extension") == 0)
    return SQLITE_DENY;
  return SQLITE_OK;
}

/* ---- opening --------------------------------------------------------------- */

/* The first read is what finds out that a file is no database or is locked. */
static int
try_open (Database *db, const char *name, int flags, gint64 timeout)
{
  int rc = sqlite3_open_v2 (name, &db->handle, flags, NULL);

  if (rc != SQLITE_OK)
    return rc;
  sqlite3_extended_result_codes (db->handle, 1);
  sqlite3_busy_timeout (db->handle, (int) CLAMP (timeout / 1000, 0, G_MAXINT32));
  return sqlite3_exec (db->handle, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
}

static gboolean
open_file (Database *db, const SqliteConfig *config, GError **error)
{
  g_autofree char *wal = g_strconcat (config->path, "-wal", NULL);
  g_autofree char *uri = NULL, *immutable = NULL, *first = NULL;
  g_autofree char *text = NULL;
  int rc;

  if (g_file_test (config->path, G_FILE_TEST_IS_DIR))
    return fr_error_errno (error, EISDIR, "open", config->path);
  if (!g_file_test (config->path, G_FILE_TEST_EXISTS))
    return fr_error_errno (error, ENOENT, "open", config->path);
  rc = try_open (db, config->path, SQLITE_OPEN_READONLY, config->busy_timeout);
  if (rc == SQLITE_OK)
    return TRUE;
  if ((rc & 0xff) != SQLITE_CANTOPEN && (rc & 0xff) != SQLITE_READONLY
      && (rc & 0xff) != SQLITE_IOERR)
    return database_error (db->handle, rc, "read", config->path, error);
  if (g_file_get_contents (wal, &text, NULL, NULL) && *text)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "cannot lock %s, and %s holds changes that would be missed without a lock: make "
                   "the directory writable, or checkpoint the database first",
                   config->path, wal);
      return FALSE;
    }
  uri = g_filename_to_uri (config->path, NULL, error);
  if (uri == NULL)
    return FALSE;
  immutable = g_strconcat (uri, "?immutable=1", NULL);
  sqlite3_close (g_steal_pointer (&db->handle));
  rc = try_open (db, immutable, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, config->busy_timeout);
  return rc == SQLITE_OK || database_error (db->handle, rc, "open", config->path, error);
}

static guint
line_of (const char *text, const char *at)
{
  guint line = 1;

  for (; text < at && (text = memchr (text, '\n', (gsize) (at - text))) != NULL; text++)
    line++;
  return line;
}

static gboolean
script_error (Database *db, const SqliteConfig *config, const char *text, const char *statement,
              int rc, GError **error)
{
  const char *at = statement;

#if SQLITE_VERSION_NUMBER >= 3038000
  int offset = sqlite3_error_offset (db->handle);

  if (offset >= 0)
    at += offset;
#endif
  if ((rc & 0xff) == SQLITE_AUTH)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                 "%s:%u: the script may not open other files (ATTACH, load_extension)",
                 config->script, line_of (text, at));
  else
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s:%u: %s", config->script, line_of (text, at),
                 sqlite3_errmsg (db->handle));
  return FALSE;
}

static int
on_progress (gpointer cancellable)
{
  return g_cancellable_is_cancelled (cancellable);
}

static gboolean
run_script (Database *db, const SqliteConfig *config, const char *text, GCancellable *cancellable,
            GError **error)
{
  const char *rest = text;

  while (*rest)
    {
      sqlite3_stmt *statement = NULL;
      const char *tail = NULL;
      int rc;

      while (g_ascii_isspace (*rest))
        rest++;
      rc = sqlite3_prepare_v2 (db->handle, rest, -1, &statement, &tail);
      while (rc == SQLITE_OK && statement && (rc = sqlite3_step (statement)) == SQLITE_ROW)
        rc = SQLITE_OK;
      if (rc != SQLITE_OK && rc != SQLITE_DONE)
        {
          if (rc == SQLITE_INTERRUPT && g_cancellable_is_cancelled (cancellable))
            g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
          else
            script_error (db, config, text, rest, rc, error);
          sqlite3_finalize (statement);
          return FALSE;
        }
      sqlite3_finalize (statement);
      rest = tail;
    }
  return TRUE;
}

static gboolean
open_script (Database *db, const SqliteConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  const char *start, *bad;
  gsize len;
  gboolean ok;

  if (g_file_test (config->script, G_FILE_TEST_IS_DIR))
    return fr_error_errno (error, EISDIR, "open", config->script);
  if (!g_file_get_contents (config->script, &text, &len, &failure))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read %s: %s", config->script,
                   failure->message);
      return FALSE;
    }
  if (!g_utf8_validate_len (text, len, &bad))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s:%u: the script is not UTF-8 text; convert it with iconv", config->script,
                   line_of (text, bad));
      return FALSE;
    }
  start = g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text;
  if (sqlite3_open_v2 (":memory:", &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL)
      != SQLITE_OK)
    return database_error (db->handle, sqlite3_errcode (db->handle), "open", "a database in memory",
                           error);
  sqlite3_extended_result_codes (db->handle, 1);
  sqlite3_set_authorizer (db->handle, authorize_script, NULL);
  if (cancellable)
    sqlite3_progress_handler (db->handle, 10000, on_progress, cancellable);
  ok = run_script (db, config, start, cancellable, error);
  sqlite3_progress_handler (db->handle, 0, NULL, NULL);
  return ok;
}

/* ---- the query ------------------------------------------------------------- */

static char *
quoted (const char *name)
{
  char *sql = sqlite3_mprintf ("\"%w\"", name);
  char *copy = g_strdup (sql);

  sqlite3_free (sql);
  return copy;
}

/* One column of text of every row of @sql, with @argument bound; g_ptr_array_unref(). */
static GPtrArray *
texts (Database *db, const char *sql, const char *argument)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (db->handle, sql, -1, &statement, NULL) == SQLITE_OK)
    {
      if (argument)
        sqlite3_bind_text (statement, 1, argument, -1, SQLITE_TRANSIENT);
      while (sqlite3_step (statement) == SQLITE_ROW)
        g_ptr_array_add (list, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
    }
  sqlite3_finalize (statement);
  return list;
}

static gboolean
no_table (Database *db, const SqliteConfig *config, GError **error)
{
  g_autoptr (GPtrArray) names = texts (db,
                                       "SELECT name FROM sqlite_master WHERE type IN ('table', "
                                       "'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                                       "ORDER BY name",
                                       NULL);
  g_autofree char *list = NULL;
  const char *near;

  g_ptr_array_add (names, NULL);
  near = fr_suggest (config->table, (const char *const *) names->pdata);
  list = g_strjoinv (", ", (char **) names->pdata);
  if (near)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "there is no table '%s'; did you mean '%s'?",
                 config->table, near);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "there is no table '%s'; the database has %s",
                 config->table, *list ? list : "none");
  return FALSE;
}

/* SELECT of a whole table in the order of its rowid or primary key. */
static char *
table_query (Database *db, const SqliteConfig *config, GError **error)
{
  g_autofree char *name = quoted (config->table);
  g_autofree char *by_rowid = g_strdup_printf ("SELECT * FROM %s ORDER BY _rowid_", name);
  g_autoptr (GPtrArray) type
      = texts (db, "SELECT type FROM sqlite_master WHERE lower(name) = lower(?1)", config->table);
  g_autoptr (GPtrArray) key = NULL;
  g_autoptr (GString) sql = g_string_new (NULL);
  sqlite3_stmt *statement = NULL;
  gboolean ok;

  if (type->len == 0)
    {
      no_table (db, config, error);
      return NULL;
    }
  g_string_append_printf (sql, "SELECT * FROM %s", name);
  if (g_strcmp0 (type->pdata[0], "table") != 0)
    return g_string_free (g_steal_pointer (&sql), FALSE);
  ok = sqlite3_prepare_v2 (db->handle, by_rowid, -1, &statement, NULL) == SQLITE_OK;
  sqlite3_finalize (statement);
  if (ok)
    return g_steal_pointer (&by_rowid);
  key = texts (db, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk",
               config->table);
  for (guint i = 0; i < key->len; i++)
    {
      g_autofree char *column = quoted (key->pdata[i]);

      g_string_append_printf (sql, "%s%s", i ? ", " : " ORDER BY ", column);
    }
  return g_string_free (g_steal_pointer (&sql), FALSE);
}

static gboolean
bind_value (sqlite3_stmt *statement, int at, JsonNode *value)
{
  GType type = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_value_type (value) : G_TYPE_INVALID;

  if (JSON_NODE_HOLDS_NULL (value))
    return sqlite3_bind_null (statement, at) == SQLITE_OK;
  if (type == G_TYPE_STRING)
    return sqlite3_bind_text (statement, at, json_node_get_string (value), -1, SQLITE_TRANSIENT)
           == SQLITE_OK;
  if (type == G_TYPE_INT64)
    return sqlite3_bind_int64 (statement, at, json_node_get_int (value)) == SQLITE_OK;
  if (type == G_TYPE_DOUBLE)
    return sqlite3_bind_double (statement, at, json_node_get_double (value)) == SQLITE_OK;
  if (type == G_TYPE_BOOLEAN)
    return sqlite3_bind_int (statement, at, json_node_get_boolean (value)) == SQLITE_OK;
  return FALSE;
}

static gboolean
bind_one (Database *db, int at, const char *name, JsonNode *value, GError **error)
{
  if (value == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "the query has the parameter '%s', which 'parameters' does not give", name);
  else if (!bind_value (db->statement, at, value))
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "parameter '%s' must be text, a number, true, false or null", name);
  else
    return TRUE;
  return FALSE;
}

static gboolean
bind_by_position (Database *db, JsonArray *values, int n, GError **error)
{
  if (values && (int) json_array_get_length (values) > n)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'parameters' gives %u values, but the query has %d parameters",
                   json_array_get_length (values), n);
      return FALSE;
    }
  for (int i = 1; i <= n; i++)
    {
      g_autofree char *name = g_strdup_printf ("?%d", i);
      const char *own = sqlite3_bind_parameter_name (db->statement, i);
      gboolean given = values && (int) json_array_get_length (values) >= i;

      if (!bind_one (db, i, own ? own : name,
                     given ? json_array_get_element (values, (guint) i - 1) : NULL, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
bind_by_name (Database *db, JsonObject *values, int n, GError **error)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  for (int i = 1; i <= n; i++)
    {
      const char *name = sqlite3_bind_parameter_name (db->statement, i);

      if (name == NULL || name[0] == '?')
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "parameter %d of the query has no name, so 'parameters' must be a list", i);
          return FALSE;
        }
      if (!bind_one (db, i, name, json_object_get_member (values, name + 1), error))
        return FALSE;
    }
  json_object_iter_init (&iter, values);
  while (json_object_iter_next (&iter, &key, &value))
    {
      gboolean used = FALSE;

      for (int i = 1; i <= n && !used; i++)
        used = strcmp (sqlite3_bind_parameter_name (db->statement, i) + 1, key) == 0;
      if (used)
        continue;
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'parameters' gives '%s', which the query does not use", key);
      return FALSE;
    }
  return TRUE;
}

static gboolean
prepare (Database *db, const SqliteConfig *config, GError **error)
{
  g_autofree char *of_table = config->table ? table_query (db, config, error) : NULL;
  const char *sql = config->table ? of_table : config->query, *tail = NULL;
  sqlite3_stmt *more = NULL;
  int rc, n;

  if (sql == NULL)
    return FALSE;
  rc = sqlite3_prepare_v2 (db->handle, sql, -1, &db->statement, &tail);
  if ((rc & 0xff) == SQLITE_AUTH)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the query may only read, but it would write or open another file: %s",
                   sqlite3_errmsg (db->handle));
      return FALSE;
    }
  if (rc == SQLITE_ERROR || rc == SQLITE_RANGE || (rc & 0xff) == SQLITE_ERROR)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "the query is not correct: %s",
                   sqlite3_errmsg (db->handle));
      return FALSE;
    }
  if (rc != SQLITE_OK)
    return database_error (db->handle, rc, "read", config->path ? config->path : config->script,
                           error);
  if (db->statement == NULL || sqlite3_column_count (db->statement) == 0
      || !sqlite3_stmt_readonly (db->statement))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "the query gives no rows to read; expected a SELECT");
      return FALSE;
    }
  rc = sqlite3_prepare_v2 (db->handle, tail, -1, &more, NULL);
  sqlite3_finalize (more);
  if (rc != SQLITE_OK || more != NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "the query must be one statement, but more follows its ';'");
      return FALSE;
    }
  n = sqlite3_bind_parameter_count (db->statement);
  if (config->parameters && JSON_NODE_HOLDS_OBJECT (config->parameters))
    return bind_by_name (db, json_node_get_object (config->parameters), n, error);
  return bind_by_position (db,
                           config->parameters && JSON_NODE_HOLDS_ARRAY (config->parameters)
                               ? json_node_get_array (config->parameters)
                               : NULL,
                           n, error);
}

Database *
database_open (const SqliteConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (Database) db = g_new0 (Database, 1);

  if (!(config->path ? open_file (db, config, error)
                     : open_script (db, config, cancellable, error)))
    return NULL;
  sqlite3_set_authorizer (db->handle, authorize_query, NULL);
  if (!prepare (db, config, error))
    return NULL;
  return g_steal_pointer (&db);
}

void
database_free (Database *db)
{
  sqlite3_finalize (db->statement);
  sqlite3_close (db->handle);
  g_free (db);
}
