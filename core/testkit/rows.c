/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: rows written as JSON in a test, to batches and back.
 *
 * Column lists are read in the form that fr_schema_describe() writes.
 */
#include "config.h"

#include <string.h>

#include "testkit/testkit.h"

#define MAX_NESTING 16

/* ---- JSON with ' ---------------------------------------------------------- */

/* Copies one string that began with @quote, as a "-string; returns behind it. */
static const char *
copy_string (const char *p, char quote, GString *out)
{
  g_string_append_c (out, '"');
  for (; *p != '\0' && *p != quote; p++)
    {
      if (*p == '\\' && p[1] == '\'')
        g_string_append_c (out, *++p);
      else if (*p == '\\' && p[1] != '\0')
        {
          g_string_append_c (out, *p);
          g_string_append_c (out, *++p);
        }
      else if (*p == '"')
        g_string_append (out, "\\\"");
      else
        g_string_append_c (out, *p);
    }
  g_string_append_c (out, '"');
  return *p ? p + 1 : p;
}

JsonNode *
fri_test_json (const char *text, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *p = text;

  while (*p != '\0')
    if (*p == '\'' || *p == '"')
      p = copy_string (p + 1, *p, out);
    else
      g_string_append_c (out, *p++);
  return fr_json_parse (out->str, (gssize) out->len, 0, error);
}

/* ---- column lists --------------------------------------------------------- */

static const char *
skip_space (const char *p)
{
  while (g_ascii_isspace (*p))
    p++;
  return p;
}

static FrField *parse_type (const char **p, const char *name, guint depth, GError **error);

static FrField *
parse_field (const char **p, guint depth, GError **error)
{
  g_autofree char *name = NULL;
  const char *start = skip_space (*p), *colon = strchr (start, ':');

  if (colon == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "expected 'name: type' at '%s'", start);
      return NULL;
    }
  name = g_strstrip (g_strndup (start, (gsize) (colon - start)));
  *p = colon + 1;
  return parse_type (p, name, depth, error);
}

static FrField *
parse_struct (const char **p, const char *name, guint depth, GError **error)
{
  g_autoptr (GPtrArray) children = g_ptr_array_new ();
  FrField *child = NULL;

  do
    {
      (*p)++; /* '<' or ',' */
      child = parse_field (p, depth + 1, error);
      if (child != NULL)
        g_ptr_array_add (children, child);
      *p = skip_space (*p);
    }
  while (child != NULL && **p == ',');
  if (child != NULL && **p == '>')
    {
      (*p)++;
      return fr_field_new_struct (name, (FrField *const *) children->pdata, children->len);
    }
  if (child != NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "expected '>' at '%s'", *p);
  g_ptr_array_foreach (children, (GFunc) (void (*) (void)) fr_field_unref, NULL);
  return NULL;
}

static FrField *
parse_list (const char **p, const char *name, guint depth, GError **error)
{
  FrField *item;

  (*p)++;
  item = parse_type (p, "item", depth + 1, error);
  if (item == NULL)
    return NULL;
  *p = skip_space (*p);
  if (**p != '>')
    {
      fr_field_unref (item);
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "expected '>' at '%s'", *p);
      return NULL;
    }
  (*p)++;
  return fr_field_new_list (name, item);
}

static FrField *
parse_type (const char **p, const char *name, guint depth, GError **error)
{
  g_autofree char *word = NULL;
  const char *start = skip_space (*p);
  gsize len = strspn (start, "abcdefghijklmnopqrstuvwxyz0123456789_");
  FrType type;

  word = g_strndup (start, len);
  *p = skip_space (start + len);
  if (depth < MAX_NESTING && strcmp (word, "list") == 0 && **p == '<')
    return parse_list (p, name, depth, error);
  if (depth < MAX_NESTING && strcmp (word, "struct") == 0 && **p == '<')
    return parse_struct (p, name, depth, error);
  type = fr_type_from_name (word);
  if (type == 0 || type == FR_TYPE_LIST || type == FR_TYPE_STRUCT)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "column '%s' has no type that flowrun knows",
                   name);
      return NULL;
    }
  return fr_field_new (name, type);
}

FrSchema *
fri_test_columns (const char *columns, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  const char *p = skip_space (columns);
  FrField *field = NULL;

  while (*p != '\0')
    {
      field = parse_field (&p, 0, error);
      if (field == NULL)
        break;
      g_ptr_array_add (fields, field);
      p = skip_space (p);
      if (*p == ',')
        p = skip_space (p + 1);
      else if (*p != '\0')
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "expected a comma at '%s'", p);
          field = NULL;
          break;
        }
    }
  if (field == NULL && fields->len + (*skip_space (columns) != '\0') > 0)
    {
      g_ptr_array_foreach (fields, (GFunc) (void (*) (void)) fr_field_unref, NULL);
      return NULL;
    }
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

/* ---- rows ------------------------------------------------------------------ */

static gboolean append_value (FrCells *cells, FrField *field, JsonNode *value, GError **error);

static gboolean
wrong (FrField *field, GError **error)
{
  g_autofree char *type = fr_field_describe (field);

  g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "column '%s' cannot hold this value: it is %s",
               fr_field_name (field), type);
  return FALSE;
}

static gboolean
append_list (FrCells *cells, FrField *field, JsonNode *value, GError **error)
{
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (value))
    return wrong (field, error);
  array = json_node_get_array (value);
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!append_value (fr_cells_child (cells, 0), fr_field_child (field, 0),
                       json_array_get_element (array, i), error))
      return FALSE;
  fr_cells_end (cells);
  return TRUE;
}

static gboolean
append_struct (FrCells *cells, FrField *field, JsonNode *value, GError **error)
{
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (value))
    return wrong (field, error);
  object = json_node_get_object (value);
  for (guint i = 0; i < fr_field_n_children (field); i++)
    {
      FrField *child = fr_field_child (field, i);

      if (!append_value (fr_cells_child (cells, i), child,
                         json_object_get_member (object, fr_field_name (child)), error))
        return FALSE;
    }
  fr_cells_end (cells);
  return TRUE;
}

static gboolean
append_text (FrCells *cells, FrField *field, JsonNode *value, GError **error)
{
  const char *text = json_node_get_string (value);

  if (fr_field_type (field) == FR_TYPE_BINARY)
    {
      gsize len;
      g_autofree guchar *bytes = g_base64_decode (text, &len);

      fr_cells_append_str (cells, (const char *) bytes, len);
      return TRUE;
    }
  if (fr_field_type (field) == FR_TYPE_TIMESTAMP)
    {
      g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
      g_autoptr (GDateTime) when = g_date_time_new_from_iso8601 (text, utc);

      if (when == NULL)
        return wrong (field, error);
      fr_cells_append_int (cells, g_date_time_to_unix (when) * G_USEC_PER_SEC
                                      + g_date_time_get_microsecond (when));
      return TRUE;
    }
  if (!(FR_TYPES (fr_field_type (field)) & FR_TYPES_TEXT))
    return wrong (field, error);
  fr_cells_append_str (cells, text, strlen (text));
  return TRUE;
}

static gboolean
append_number (FrCells *cells, FrField *field, JsonNode *value, GError **error)
{
  guint type = FR_TYPES (fr_field_type (field));

  if (type & FR_TYPES_FLOAT)
    fr_cells_append_float (cells, json_node_get_double (value));
  else if ((type & (FR_TYPES_INTEGER | FR_TYPES (FR_TYPE_TIMESTAMP)))
           && json_node_get_value_type (value) == G_TYPE_INT64)
    fr_cells_append_int (cells, json_node_get_int (value));
  else
    return wrong (field, error);
  return TRUE;
}

static gboolean
append_value (FrCells *cells, FrField *field, JsonNode *value, GError **error)
{
  if (value == NULL || JSON_NODE_HOLDS_NULL (value))
    {
      fr_cells_append_null (cells);
      return TRUE;
    }
  if (fr_field_type (field) == FR_TYPE_LIST)
    return append_list (cells, field, value, error);
  if (fr_field_type (field) == FR_TYPE_STRUCT)
    return append_struct (cells, field, value, error);
  if (!JSON_NODE_HOLDS_VALUE (value))
    return wrong (field, error);
  if (json_node_get_value_type (value) == G_TYPE_STRING)
    return append_text (cells, field, value, error);
  if (json_node_get_value_type (value) != G_TYPE_BOOLEAN)
    return append_number (cells, field, value, error);
  if (fr_field_type (field) != FR_TYPE_BOOL)
    return wrong (field, error);
  fr_cells_append_bool (cells, json_node_get_boolean (value));
  return TRUE;
}

/* A member that no column has is a slip of the test's author. */
static gboolean
check_members (FrSchema *schema, JsonObject *row, GError **error)
{
  JsonObjectIter iter;
  const char *name;

  json_object_iter_init (&iter, row);
  while (json_object_iter_next (&iter, &name, NULL))
    if (fr_schema_find (schema, name) < 0)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "a row has '%s', which is no column", name);
        return FALSE;
      }
  return TRUE;
}

FrBatch *
fri_test_rows (FrSchema *schema, JsonNode *rows, guint32 source, guint64 first, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (rows))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "rows are written as an array of objects");
      return NULL;
    }
  array = json_node_get_array (rows);
  for (guint r = 0; r < json_array_get_length (array); r++)
    {
      JsonNode *node = json_array_get_element (array, r);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

      if (row == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "row %u is not an object", r + 1);
          return NULL;
        }
      if (!check_members (schema, row, error))
        return NULL;
      for (guint i = 0; i < fr_schema_n_fields (schema); i++)
        {
          FrField *field = fr_schema_field (schema, i);

          if (!append_value (fr_builder_cells (builder, i), field,
                             json_object_get_member (row, fr_field_name (field)), error))
            {
              g_prefix_error (error, "row %u: ", r + 1);
              return NULL;
            }
        }
      fr_builder_end_row (builder, (FrRowId){ .position = first + r, .source = source });
    }
  return fr_builder_finish (builder, error);
}

/* ---- comparison ------------------------------------------------------------ */

static gboolean
objects_equal (JsonObject *a, JsonObject *b)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (json_object_get_size (a) != json_object_get_size (b))
    return FALSE;
  json_object_iter_init (&iter, a);
  while (json_object_iter_next (&iter, &name, &value))
    if (!json_object_has_member (b, name)
        || !fri_test_json_equal (value, json_object_get_member (b, name)))
      return FALSE;
  return TRUE;
}

static gboolean
arrays_equal (JsonArray *a, JsonArray *b)
{
  if (json_array_get_length (a) != json_array_get_length (b))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (a); i++)
    if (!fri_test_json_equal (json_array_get_element (a, i), json_array_get_element (b, i)))
      return FALSE;
  return TRUE;
}

gboolean
fri_test_json_equal (JsonNode *a, JsonNode *b)
{
  if (json_node_get_node_type (a) != json_node_get_node_type (b))
    return FALSE;
  switch (json_node_get_node_type (a))
    {
    case JSON_NODE_OBJECT:
      return objects_equal (json_node_get_object (a), json_node_get_object (b));
    case JSON_NODE_ARRAY:
      return arrays_equal (json_node_get_array (a), json_node_get_array (b));
    case JSON_NODE_NULL:
      return TRUE;
    default:
      break;
    }
  if (json_node_get_value_type (a) == G_TYPE_STRING
      || json_node_get_value_type (b) == G_TYPE_STRING)
    return json_node_get_value_type (a) == json_node_get_value_type (b)
           && strcmp (json_node_get_string (a), json_node_get_string (b)) == 0;
  if (json_node_get_value_type (a) == G_TYPE_BOOLEAN
      || json_node_get_value_type (b) == G_TYPE_BOOLEAN)
    return json_node_get_value_type (a) == json_node_get_value_type (b)
           && json_node_get_boolean (a) == json_node_get_boolean (b);
  if (json_node_get_value_type (a) == G_TYPE_INT64 && json_node_get_value_type (b) == G_TYPE_INT64)
    return json_node_get_int (a) == json_node_get_int (b);
  return json_node_get_double (a) == json_node_get_double (b);
}
