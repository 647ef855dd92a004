/* SPDX-License-Identifier: Apache-2.0 */
/* run.c: the rows of a query on an SQL server, whatever the server (sql.h). */
#include "config.h"

#include "sql/build.h"
#include "sql/position.h"
#include "sql/source-private.h"

#include <string.h>

#define PROGRESS_ROWS 1024

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
  g_autoptr (FrSchema) now = sql_schema (s->config, s->columns, error);

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

  s->link = sql_connect (s->driver, s->config, s->host, cancellable, error);
  if (s->link == NULL)
    return FALSE;
  g_clear_pointer (&s->columns, g_ptr_array_unref);
  s->columns = sql_describe (s->driver, s->link, s->config, key, cancellable, error);
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
    column = sql_column_named (s->columns, s->config->incremental);
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
