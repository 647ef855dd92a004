/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: a query on an SQL server as rows, whatever the server (sql.h). */
#include "config.h"

#include "sql/build.h"
#include "sql/position.h"
#include "sql/sql.h"

#include <string.h>

#define FIRST_PAUSE_US 500000
#define LONGEST_PAUSE_US (30 * G_USEC_PER_SEC)
#define PROGRESS_ROWS 1024

/* ---- check ------------------------------------------------------------------- */

static void
needs_table (const SqlConfig *config, gboolean given, const char *key, FrProblems *problems)
{
  g_autofree char *pointer = g_strconcat ("/", key, NULL);

  if (config->query && given)
    fr_problems_add (problems, pointer, "'%s' belongs to a 'table'; a 'query' says so itself", key);
}

static gboolean
check_result (const SqlConfig *config, FrProblems *problems)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = config->result ? fr_schema_parse (config->result, &error) : NULL;

  if (error)
    fr_problems_add (problems, "/result", "%s", error->message);
  else if (schema && fr_schema_n_fields (schema) == 0)
    fr_problems_add (problems, "/result", "'result' declares no columns");
  else if (schema && config->incremental && fr_schema_find (schema, config->incremental) < 0)
    fr_problems_add (problems, "/incremental",
                     "'incremental' names '%s', which 'result' does not declare",
                     config->incremental);
  return error == NULL;
}

static void
check_columns (const SqlConfig *config, FrProblems *problems)
{
  for (FrPair *p = config->columns; p && p->key; p++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FrField) field = fr_field_parse (p->key, p->value, &error);
      g_autofree char *pointer = g_strconcat ("/columns/", p->key, NULL);

      if (field == NULL)
        fr_problems_add (problems, pointer, "%s", error->message);
      else if (config->result)
        fr_problems_add (problems, pointer, "'result' already gives '%s' its type", p->key);
    }
}

gboolean
sql_source_configure (SqlConfig *config, FrProblems *problems)
{
  if ((config->query != NULL) == (config->table != NULL))
    fr_problems_add (problems, "", "give either 'query' or 'table', %s",
                     config->query ? "not both" : "but one of them");
  needs_table (config, config->select != NULL, "select", problems);
  needs_table (config, config->where != NULL, "where", problems);
  if (config->table && config->parameters && !config->where)
    fr_problems_add (problems, "/parameters", "there is no 'query' or 'where' that could use them");
  if (config->incremental && config->reuse_while)
    fr_problems_add (
        problems, "/reuse_while",
        "a stage with 'incremental' reads on in every run, so nothing of it is reused");
  if (config->since && !config->incremental)
    fr_problems_add (problems, "/since",
                     "'since' says where 'incremental' begins, which is absent");
  if (config->incremental && config->select
      && !g_strv_contains ((const char *const *) config->select, config->incremental))
    fr_problems_add (problems, "/incremental", "'incremental' names '%s', which is not in 'select'",
                     config->incremental);
  if (check_result (config, problems))
    check_columns (config, problems);
  return TRUE;
}

/* ---- patience ------------------------------------------------------------------ */

/* Connects; while it is worth it, again and again with longer pauses. */
static gpointer
connect_patiently (const SqlDriver *driver, const SqlConfig *config, FrHost *host,
                   GCancellable *cancellable, GError **error)
{
  gint64 pause = FIRST_PAUSE_US, start = g_get_monotonic_time ();

  for (gint64 attempt = 0;; attempt++)
    {
      g_autoptr (GError) failure = NULL;
      gpointer link = driver->connect (config, cancellable, &failure);

      if (link != NULL)
        return link;
      if (!g_error_matches (failure, FR_ERROR, FR_ERROR_TRANSIENT))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      if (attempt == config->retries)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s (tried %d times in %.0f seconds)",
                       failure->message, (int) attempt + 1,
                       (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
          return NULL;
        }
      if (host)
        fr_host_warn (host, "%s; trying again in %.1f seconds", failure->message,
                      (double) pause / G_USEC_PER_SEC);
      if (sql_wait (-1, 0, pause, cancellable) < 0)
        {
          sql_cancelled (error);
          return NULL;
        }
      pause = MIN (pause * 2, LONGEST_PAUSE_US);
    }
}

/* ---- what the result is ----------------------------------------------------------- */

static void
tell_missing (const SqlConfig *config, GPtrArray *columns, const char *key, const char *name,
              FrBind *bind)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *near;

  for (guint i = 0; i < columns->len; i++)
    g_ptr_array_add (names, ((SqlColumn *) columns->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  near = fr_suggest (name, (const char *const *) names->pdata);
  fr_bind_problem (bind, key, "%s has no column '%s'%s%s%s",
                   config->table ? "the table" : "the result", name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

static SqlColumn *
column_named (GPtrArray *columns, const char *name)
{
  for (guint i = 0; i < columns->len; i++)
    if (strcmp (((SqlColumn *) columns->pdata[i])->name, name) == 0)
      return columns->pdata[i];
  return NULL;
}

/* The type that the user wants of @column, or NULL when none was asked for. */
static FrField *
wanted_field (const SqlConfig *config, FrSchema *declared, const SqlColumn *column)
{
  int i = declared ? fr_schema_find (declared, column->name) : -1;

  if (i >= 0)
    return fr_field_ref (fr_schema_field (declared, (guint) i));
  for (FrPair *p = config->columns; p && p->key; p++)
    if (strcmp (p->key, column->name) == 0)
      return fr_field_parse (p->key, p->value, NULL);
  return NULL;
}

static FrSchema *
make_schema (const SqlConfig *config, GPtrArray *columns, GError **error)
{
  g_autoptr (FrSchema) declared = config->result ? fr_schema_parse (config->result, error) : NULL;
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (guint i = 0; i < columns->len; i++)
    {
      FrField *field = wanted_field (config, declared, columns->pdata[i]);

      g_ptr_array_add (
          fields, field ? field : sql_field (columns->pdata[i], config->decimal, config->nested));
    }
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

/* Everything that the user said of columns, against what there is. */
static gboolean
fits (const SqlConfig *config, GPtrArray *columns, FrBind *bind, GError **error)
{
  g_autoptr (FrSchema) declared = config->result ? fr_schema_parse (config->result, error) : NULL;
  const char *key = declared ? "/result" : "/columns";
  gboolean ok = TRUE;
  guint unused;

  for (FrPair *p = config->columns; p && p->key; p++)
    if (!column_named (columns, p->key))
      {
        tell_missing (config, columns, "/columns", p->key, bind);
        ok = FALSE;
      }
  for (guint i = 0; declared && i < fr_schema_n_fields (declared); i++)
    if (!column_named (columns, fr_field_name (fr_schema_field (declared, i))))
      {
        tell_missing (config, columns, key, fr_field_name (fr_schema_field (declared, i)), bind);
        ok = FALSE;
      }
  for (guint i = 0; i < columns->len; i++)
    {
      SqlColumn *column = columns->pdata[i];
      g_autoptr (FrField) field = wanted_field (config, declared, column);
      guint at = declared && field ? (guint) fr_schema_find (declared, column->name) : i;

      if (at != i && ok)
        {
          fr_bind_problem (bind, key,
                           "column %u of the result is '%s', but 'result' declares it as "
                           "column %u",
                           i + 1, column->name, at + 1);
          ok = FALSE;
        }

      if (declared && field == NULL)
        {
          fr_bind_problem (bind, key,
                           "the result has the column '%s' (%s), which 'result' does "
                           "not declare",
                           column->name, column->type);
          ok = FALSE;
        }
      if (field && !sql_can_become (column, field))
        {
          g_autofree char *type = fr_field_describe (field);

          fr_bind_problem (bind, key, "the column '%s' is %s, which cannot become %s", column->name,
                           column->type, type);
          ok = FALSE;
        }
    }
  return ok && (!config->incremental || sql_position_check (config, columns, &unused, error));
}

/* ---- bind -------------------------------------------------------------------------- */

/* Asks the server about the statement, without bounds; @key is filled. */
static GPtrArray *
describe (const SqlDriver *driver, gpointer link, const SqlConfig *config, GPtrArray *key,
          GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  g_autofree char *sql = NULL;
  GPtrArray *columns;

  if (config->table && !driver->key (link, config->table, key, cancellable, error))
    return NULL;
  sql = sql_build (driver, link, config, key, NULL, NULL, values);
  columns = driver->describe (link, sql, cancellable, error);
  if (columns && columns->len == 0)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "the query gives no rows to read; expected a SELECT");
      g_clear_pointer (&columns, g_ptr_array_unref);
    }
  return columns;
}

/* In a check the columns are as declared: nothing is connected to. */
static gboolean
bind_declared (const SqlConfig *config, FrBind *bind, GError **error)
{
  FrSchema *schema = NULL;

  if (config->result)
    {
      schema = fr_schema_parse (config->result, error);
      if (schema == NULL)
        return FALSE;
    }
  fr_bind_output (bind, "out", schema);
  return TRUE;
}

gboolean
sql_source_bind (const SqlDriver *driver, const SqlConfig *config, FrBind *bind, GError **error)
{
  GCancellable *cancellable = g_cancellable_get_current ();
  g_autoptr (GPtrArray) key = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) columns = NULL;
  g_autofree char *place = NULL;
  FrSchema *schema = NULL;
  gpointer link;

  if (fr_bind_is_check (bind))
    return bind_declared (config, bind, error);
  place = driver->place (config->dsn, error);
  link = place ? connect_patiently (driver, config, NULL, cancellable, error) : NULL;
  if (link == NULL)
    return FALSE;
  columns = describe (driver, link, config, key, cancellable, error);
  driver->close (link);
  if (columns && fits (config, columns, bind, error))
    schema = make_schema (config, columns, error);
  if (schema == NULL)
    return FALSE;
  fr_bind_output (bind, "out", schema);
  return TRUE;
}

/* ---- fingerprint --------------------------------------------------------------------- */

/* All that a query says now: its rows, as text. */
static gboolean
ask (const SqlDriver *driver, gpointer link, const char *query, GCancellable *cancellable,
     GString *out, GError **error)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GPtrArray) columns = driver->describe (link, query, cancellable, error);
  g_autofree SqlCell *cells = columns ? g_new0 (SqlCell, columns->len) : NULL;
  SqlStep step = SQL_STEP_FAILED;
  guint rows = 0;

  if (columns == NULL || !driver->start (link, query, none, cancellable, error))
    return FALSE;
  while ((step = driver->next (link, cells, cancellable, error)) == SQL_STEP_ROW && ++rows <= 1000)
    for (guint i = 0; i < columns->len; i++)
      {
        /* Whole cells, where a shown one is cut. */
        if (cells[i].form == SQL_CELL_TEXT || cells[i].form == SQL_CELL_BYTES)
          fr_json_append_string (out, cells[i].text.data, cells[i].text.len);
        else
          sql_append_shown (out, &cells[i]);
        g_string_append_c (out, i + 1 < columns->len ? ',' : '\n');
      }
  if (step == SQL_STEP_ROW)
    g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                         "'reuse_while' gives more than 1000 rows; expected one, such as "
                         "select count(*), max(updated_at) from goods");
  return step == SQL_STEP_DONE;
}

gboolean
sql_source_fingerprint (const SqlDriver *driver, const SqlConfig *config, GString *out,
                        GError **error)
{
  GCancellable *cancellable = g_cancellable_get_current ();
  g_autofree char *place = NULL;
  gpointer link;
  gboolean ok;

  /* Nothing said: the element is volatile (FR_ELEMENT_VOLATILE). */
  if (config->reuse_while == NULL)
    return TRUE;
  place = driver->place (config->dsn, error);
  link = place ? connect_patiently (driver, config, NULL, cancellable, error) : NULL;
  if (link == NULL)
    return FALSE;
  g_string_append_printf (out, "%s\n", place);
  ok = ask (driver, link, config->reuse_while, cancellable, out, error);
  driver->close (link);
  if (!ok)
    g_prefix_error (error, "'reuse_while': ");
  return ok;
}

/* ---- the run --------------------------------------------------------------------------- */

typedef struct
{
  const SqlDriver *driver;
  const SqlConfig *config;
  FrHost *host;
  char *place;
  gpointer link;
  GPtrArray *columns; /* SqlColumn * */
  SqlCell *cells;
  SqlPosition *position; /* NULL: not incremental */
  FrSchema *schema;
  FrBuilder *builder;
  SqlRules rules;
  guint64 given, base; /* rows so far, and those of earlier runs */
  guint64 seen;
  char *sql;
  GPtrArray *values;
} State;

void
sql_source_close (gpointer data)
{
  State *s = data;

  if (s->link)
    s->driver->close (s->link);
  g_free (s->place);
  g_clear_pointer (&s->columns, g_ptr_array_unref);
  g_clear_pointer (&s->values, g_ptr_array_unref);
  g_clear_pointer (&s->position, sql_position_free);
  g_clear_pointer (&s->builder, fr_builder_free);
  sql_rules_clear (&s->rules);
  g_free (s->cells);
  g_free (s->sql);
  g_free (s);
}

/* What is another now than it was at bind, said column by column. */
static gboolean
tell_change (State *s, FrSchema *now, GError **error)
{
  g_autoptr (GString) what = g_string_new (NULL);

  for (guint i = 0; i < fr_schema_n_fields (s->schema); i++)
    {
      FrField *field = fr_schema_field (s->schema, i);
      int at = fr_schema_find (now, fr_field_name (field));
      const char *between = what->len ? "; " : "";

      if (at < 0)
        g_string_append_printf (what, "%sthe column '%s' is gone", between, fr_field_name (field));
      else if (!fr_field_equal (field, fr_schema_field (now, (guint) at)))
        {
          g_autofree char *before = fr_field_describe (field);
          g_autofree char *after = fr_field_describe (fr_schema_field (now, (guint) at));

          g_string_append_printf (what, "%sthe column '%s' was %s and is %s", between,
                                  fr_field_name (field), before, after);
        }
    }
  for (guint i = 0; i < fr_schema_n_fields (now); i++)
    if (fr_schema_find (s->schema, fr_field_name (fr_schema_field (now, i))) < 0)
      g_string_append_printf (what, "%sthe column '%s' is new", what->len ? "; " : "",
                              fr_field_name (fr_schema_field (now, i)));
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "what %s reads was changed after the run had begun: %s; nothing was read, run it "
               "again",
               s->config->table ? s->config->table : "the query",
               what->len ? what->str : "its columns stand in another order");
  return FALSE;
}

static gboolean
same_columns (State *s, GError **error)
{
  g_autoptr (FrSchema) now = make_schema (s->config, s->columns, error);

  if (now == NULL)
    return FALSE;
  return fr_schema_equal (now, s->schema) || tell_change (s, now, error);
}

/* A connection with the statement ready to start. */
static gboolean
prepare (State *s, GError **error)
{
  GCancellable *cancellable = fr_host_cancellable (s->host);
  g_autoptr (GPtrArray) key = g_ptr_array_new_with_free_func (g_free);
  const SqlColumn *column = NULL;

  s->link = connect_patiently (s->driver, s->config, s->host, cancellable, error);
  if (s->link == NULL)
    return FALSE;
  g_clear_pointer (&s->columns, g_ptr_array_unref);
  s->columns = describe (s->driver, s->link, s->config, key, cancellable, error);
  if (s->columns == NULL || !same_columns (s, error))
    return FALSE;
  if (s->config->incremental && s->position == NULL)
    {
      s->position
          = sql_position_new (s->config, s->place, s->columns, fr_host_state (s->host), error);
      if (s->position == NULL)
        return FALSE;
      s->base = sql_position_rows (s->position);
    }
  if (s->config->incremental)
    column = column_named (s->columns, s->config->incremental);
  g_free (s->cells);
  s->cells = g_new0 (SqlCell, s->columns->len);
  g_clear_pointer (&s->values, g_ptr_array_unref);
  s->values = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  g_free (s->sql);
  s->sql = sql_build (s->driver, s->link, s->config, key, s->position, column, s->values);
  return TRUE;
}

gboolean
sql_source_open (const SqlDriver *driver, const SqlConfig *config, FrHost *host, gpointer *data,
                 GError **error)
{
  State *s = g_new0 (State, 1);

  s->driver = driver;
  s->config = config;
  s->host = host;
  s->schema = fr_host_output (host, "out");
  s->builder = fr_builder_new (s->schema);
  sql_rules_init (&s->rules);
  s->rules.refuse_zero_dates = config->zero_dates != 0;
  s->place = driver->place (config->dsn, error);
  if (s->place == NULL || !prepare (s, error))
    {
      sql_source_close (s);
      return FALSE;
    }
  *data = s;
  return TRUE;
}

static const char *
subject (const State *s)
{
  return s->config->table ? s->config->table : "query";
}

static void
reject (State *s, const char *rule, const char *reason)
{
  FrRowId id = { s->base + s->given, fr_host_source (s->host), 0 };
  g_autofree char *where
      = g_strdup_printf ("%s: row %" G_GUINT64_FORMAT, subject (s), s->base + s->given);
  g_autoptr (GString) raw = g_string_new ("[");

  for (guint i = 0; i < s->columns->len; i++)
    {
      if (i > 0)
        g_string_append (raw, ", ");
      sql_append_shown (raw, &s->cells[i]);
    }
  g_string_append_c (raw, ']');
  fr_host_reject_raw (s->host, id, where, (FrStr){ raw->str, raw->len }, rule, "%s", reason);
}

static void
reject_position (State *s)
{
  g_autofree char *reason = g_strdup_printf (
      "'%s', which 'incremental' follows, is null or infinite, so no run could read on behind it",
      s->config->incremental);

  s->given++;
  reject (s, "no_position", reason);
}

static void
reject_value (State *s, const FrField *field, const char *fault)
{
  g_autofree char *reason = g_strdup_printf ("the value of '%s' %s", fr_field_name (field), fault);

  fr_builder_cancel_row (s->builder);
  reject (s, s->rules.rule, reason);
}

static void
take_row (State *s)
{
  FrRowId id;

  if (s->position)
    switch (sql_position_step (s->position, s->cells))
      {
      case SQL_POSITION_SEEN:
        s->seen++;
        return;
      case SQL_POSITION_NULL:
        reject_position (s);
        return;
      case SQL_POSITION_NEW:
        break;
      }
  s->given++;
  id = (FrRowId){ s->base + s->given, fr_host_source (s->host), 0 };
  for (guint i = 0; i < s->columns->len; i++)
    {
      FrField *field = fr_schema_field (s->schema, i);
      const char *fault = sql_append (fr_builder_cells (s->builder, i), field, s->columns->pdata[i],
                                      &s->cells[i], &s->rules);

      if (fault == NULL)
        continue;
      reject_value (s, field, fault);
      return;
    }
  fr_builder_end_row (s->builder, id);
}

static FrFlow
push (State *s, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (s->builder) == 0)
    return FR_FLOW_OK;
  fr_host_progress (s->host, s->given, 0, "rows");
  batch = fr_builder_finish (s->builder, error);
  return batch ? fr_host_push (s->host, "out", batch, error) : FR_FLOW_ERROR;
}

/* The connection broke.  Before the first row that is no harm; later the rows
 * already passed on cannot be told from those still to come. */
static gboolean
start_again (State *s, gint64 *left, GError *failure, GError **error)
{
  if (!g_error_matches (failure, FR_ERROR, FR_ERROR_TRANSIENT))
    {
      g_propagate_error (error, g_error_copy (failure));
      return FALSE;
    }
  if (s->given + s->seen > 0 || (*left)-- <= 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "%s, after %" G_GUINT64_FORMAT " rows; nothing of this run was put in place, so "
                   "it can be run again%s",
                   failure->message, s->given,
                   s->position ? " and begins where this one began" : "");
      return FALSE;
    }
  fr_host_warn (s->host, "%s, before the first row; connecting again", failure->message);
  s->driver->close (g_steal_pointer (&s->link));
  return prepare (s, error);
}

static FrFlow
read_rows (State *s, GError **error)
{
  GCancellable *cancellable = fr_host_cancellable (s->host);
  FrFlow flow = FR_FLOW_OK;
  SqlStep step = SQL_STEP_ROW;

  if (!s->driver->start (s->link, s->sql, s->values, cancellable, error))
    return FR_FLOW_ERROR;
  while (flow == FR_FLOW_OK
         && (step = s->driver->next (s->link, s->cells, cancellable, error)) == SQL_STEP_ROW)
    {
      take_row (s);
      if (s->given % PROGRESS_ROWS == 0 && fr_host_is_cancelled (s->host))
        return FR_FLOW_CANCELLED;
      if (fr_builder_full (s->builder))
        flow = push (s, error);
    }
  if (step == SQL_STEP_FAILED)
    return FR_FLOW_ERROR;
  return flow == FR_FLOW_OK ? push (s, error) : flow;
}

static void
report_position (State *s)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) from = sql_position_value (s->position);
  const char *last = sql_position_last (s->position);

  json_object_set_string_member (object, "column", s->config->incremental);
  if (from)
    json_object_set_member (object, "from", g_steal_pointer (&from));
  if (last)
    json_object_set_string_member (object, "to", last);
  json_object_set_int_member (object, "rows", (gint64) s->given);
  json_object_set_int_member (object, "rows_of_earlier_runs", (gint64) s->base);
  json_node_take_object (node, object);
  fr_host_report (s->host, "incremental", node);
}

FrFlow
sql_source_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  gint64 left = s->config->retries;
  FrFlow flow;

  fr_host_origin (host, s->base + 1, subject (s));
  for (;;)
    {
      g_autoptr (GError) failure = NULL;

      flow = read_rows (s, &failure);
      if (flow != FR_FLOW_ERROR)
        break;
      if (fr_host_is_cancelled (host))
        {
          flow = FR_FLOW_CANCELLED;
          break;
        }
      if (!start_again (s, &left, failure, error))
        return FR_FLOW_ERROR;
    }
  if (s->seen)
    fr_host_count (host, "rows_seen_before", (gint64) s->seen);
  if (s->rules.zero_dates)
    fr_host_count (host, "zero_dates", (gint64) s->rules.zero_dates);
  if (flow == FR_FLOW_CANCELLED)
    return flow;
  fr_host_report (host, "server", json_node_init_string (json_node_alloc (), s->place));
  if (s->position)
    report_position (s);
  return flow;
}

gboolean
sql_source_finish (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  gboolean forgotten = FALSE;
  JsonNode *state;

  (void) error;
  if (s->position == NULL)
    return TRUE;
  state = sql_position_state (s->position, s->base + s->given, &forgotten);
  if (forgotten)
    fr_host_warn (host,
                  "more than %d rows have the last value of '%s', too many to remember: the next "
                  "run begins above it, and misses rows that get this very value later; follow a "
                  "finer column",
                  SQL_MAX_TIES, s->config->incremental);
  fr_host_set_state (host, state);
  return TRUE;
}
