/* SPDX-License-Identifier: Apache-2.0 */
/* build.c: the statement that a source runs (build.h). */
#include "config.h"

#include "sql/build.h"

#include <string.h>

/* Without what ends a statement in a console. */
static char *
bare (const char *query)
{
  char *text = g_strdup (query);
  gsize n = strlen (text);

  while (n > 0 && (g_ascii_isspace (text[n - 1]) || text[n - 1] == ';'))
    text[--n] = '\0';
  return text;
}

static void
append_table (const SqlDriver *driver, gpointer link, const char *name, GString *sql)
{
  g_autofree char *schema = NULL, *table = NULL;

  sql_split_table (name, &schema, &table);
  if (schema)
    {
      driver->append_name (link, sql, schema);
      g_string_append_c (sql, '.');
    }
  driver->append_name (link, sql, table);
}

static void
append_names (const SqlDriver *driver, gpointer link, char *const *names, GString *sql)
{
  for (char *const *n = names; *n; n++)
    {
      if (n > names)
        g_string_append (sql, ", ");
      driver->append_name (link, sql, *n);
    }
}

/* The columns of a table that are read: those asked for, those declared, all. */
static void
append_columns (const SqlDriver *driver, gpointer link, const SqlConfig *config, GString *sql)
{
  g_autoptr (FrSchema) declared = config->result ? fr_schema_parse (config->result, NULL) : NULL;
  g_auto (GStrv) names = declared && !config->select ? fr_schema_names (declared) : NULL;

  if (config->select || names)
    append_names (driver, link, config->select ? config->select : names, sql);
  else
    g_string_append_c (sql, '*');
}

static void
append_bound (const SqlDriver *driver, gpointer link, const SqlConfig *config, GPtrArray *values,
              const SqlPosition *position, const SqlColumn *column, gboolean first, GString *sql)
{
  JsonNode *value = position ? sql_position_value (position) : NULL;

  if (value == NULL)
    return;
  g_ptr_array_add (values, value);
  g_string_append (sql, first ? "\nWHERE " : "\nAND ");
  driver->append_name (link, sql, config->incremental);
  g_string_append_printf (sql, " %s ", sql_position_operator (position));
  driver->append_mark (link, sql, values->len, column);
}

static void
append_order (const SqlDriver *driver, gpointer link, const SqlConfig *config, GPtrArray *key,
              const SqlPosition *position, GString *sql)
{
  const char *between = "\nORDER BY ";

  if (config->incremental)
    {
      if (position == NULL)
        return; /* whether there is such a column will be seen from the answer */
      g_string_append (sql, between);
      driver->append_name (link, sql, config->incremental);
      between = ", ";
    }
  for (guint i = 0; config->table && i < key->len; i++)
    {
      if (g_strcmp0 (key->pdata[i], config->incremental) == 0)
        continue;
      g_string_append (sql, between);
      driver->append_name (link, sql, key->pdata[i]);
      between = ", ";
    }
}

char *
sql_build (const SqlDriver *driver, gpointer link, const SqlConfig *config, GPtrArray *key,
           const SqlPosition *position, const SqlColumn *column, GPtrArray *values)
{
  g_autoptr (GString) sql = g_string_new (NULL);
  g_autofree char *query = config->query ? bare (config->query) : NULL;
  JsonArray *given = config->parameters ? json_node_get_array (config->parameters) : NULL;

  for (guint i = 0; given && i < json_array_get_length (given); i++)
    g_ptr_array_add (values, json_node_copy (json_array_get_element (given, i)));
  if (query && config->incremental == NULL)
    return g_steal_pointer (&query);
  g_string_append (sql, "SELECT ");
  if (query)
    /* A line break ends a comment that the query may end in; Oracle wants no AS. */
    g_string_append_printf (sql, "* FROM (%s\n) flowrun_rows", query);
  else
    {
      append_columns (driver, link, config, sql);
      g_string_append (sql, " FROM ");
      append_table (driver, link, config->table, sql);
      if (config->where)
        g_string_append_printf (sql, "\nWHERE (%s\n)", config->where);
    }
  append_bound (driver, link, config, values, position, column, config->where == NULL, sql);
  append_order (driver, link, config, key, position, sql);
  return g_string_free (g_steal_pointer (&sql), FALSE);
}
