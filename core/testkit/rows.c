/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: rows written as JSON in a test, to batches and back.
 */
#include "config.h"

#include <string.h>

#include "testkit/testkit.h"

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

/* The same JSON with " for '. */
static char *
plain_json (const char *text)
{
  GString *out = g_string_new (NULL);
  const char *p = text;

  while (*p != '\0')
    if (*p == '\'' || *p == '"')
      p = copy_string (p + 1, *p, out);
    else
      g_string_append_c (out, *p++);
  return g_string_free (out, FALSE);
}

JsonNode *
fri_test_json (const char *text, GError **error)
{
  g_autofree char *plain = plain_json (text);

  return fr_json_parse (plain, -1, 0, error);
}

/* ---- rows ------------------------------------------------------------------ */

FrBatch *
fri_test_rows (FrSchema *schema, const char *rows, guint32 source, guint64 first, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autofree char *text = plain_json (rows);
  FrJsonReader reader;
  FrJsonToken token;
  gboolean good = TRUE;

  fr_json_reader_init (&reader, text, strlen (text), 0);
  token = fr_json_reader_next (&reader);
  if (token != FR_JSON_ARRAY && token != FR_JSON_ERROR)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "rows are written as an array of objects");
      good = FALSE;
    }
  for (guint64 n = first; good; n++)
    {
      token = fr_json_reader_next (&reader);
      if (token == FR_JSON_ARRAY_END || token == FR_JSON_ERROR)
        break;
      good = fr_json_read_row (&reader, token, builder, NULL, error);
      if (good)
        fr_builder_end_row (builder, (FrRowId){ .position = n, .source = source });
      else
        g_prefix_error (error, "row %" G_GUINT64_FORMAT ": ", n - first + 1);
    }
  if (good && (token == FR_JSON_ERROR || fr_json_reader_next (&reader) == FR_JSON_ERROR))
    good = fr_json_reader_error (&reader, error);
  fr_json_reader_clear (&reader);
  return good ? fr_builder_finish (builder, error) : NULL;
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
