/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c: what the parameters say of the result, against what the server says. */
#include "config.h"

#include "sql/position.h"
#include "sql/source-private.h"

#include <string.h>

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

SqlColumn *
sql_column_named (GPtrArray *columns, const char *name)
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

FrSchema *
sql_schema (const SqlConfig *config, GPtrArray *columns, GError **error)
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
    if (!sql_column_named (columns, p->key))
      {
        tell_missing (config, columns, "/columns", p->key, bind);
        ok = FALSE;
      }
  for (guint i = 0; declared && i < fr_schema_n_fields (declared); i++)
    if (!sql_column_named (columns, fr_field_name (fr_schema_field (declared, i))))
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
  link = place ? sql_connect (driver, config, NULL, cancellable, error) : NULL;
  if (link == NULL)
    return FALSE;
  columns = sql_describe (driver, link, config, key, cancellable, error);
  driver->close (link);
  if (columns && fits (config, columns, bind, error))
    schema = sql_schema (config, columns, error);
  if (schema == NULL)
    return FALSE;
  fr_bind_output (bind, "out", schema);
  return TRUE;
}
