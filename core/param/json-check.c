/* SPDX-License-Identifier: Apache-2.0 */
/* json-check.c: whether the value of a JSON parameter fits the schema of its row.
 *
 * This is the part of JSON Schema 2020-12 that parameter tables may use, and
 * not more: type, enum, const, anyOf, oneOf; properties, required,
 * additionalProperties, minProperties, maxProperties; items, minItems,
 * maxItems, uniqueItems; minLength, maxLength, pattern; minimum, maximum,
 * exclusiveMinimum, exclusiveMaximum; and the annotations.  A table that uses
 * another keyword is refused when its plugin loads, so that an editor and
 * flowrun never disagree.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "param/param-private.h"

static const char *const types[]
    = { "null", "boolean", "integer", "number", "string", "array", "object", NULL };
static const char *const type_words[]
    = { "null", "true or false", "a whole number", "a number", "a text", "an array", "an object" };

static const char *const numbers[]
    = { "minProperties",    "maxProperties",    "minItems", "maxItems",
        "minLength",        "maxLength",        "minimum",  "maximum",
        "exclusiveMinimum", "exclusiveMaximum", NULL };

static gboolean
is_type (JsonNode *node, const char *type)
{
  GType value = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (strcmp (type, "null") == 0)
    return JSON_NODE_HOLDS_NULL (node);
  if (strcmp (type, "array") == 0)
    return JSON_NODE_HOLDS_ARRAY (node);
  if (strcmp (type, "object") == 0)
    return JSON_NODE_HOLDS_OBJECT (node);
  if (strcmp (type, "boolean") == 0)
    return value == G_TYPE_BOOLEAN;
  if (strcmp (type, "string") == 0)
    return value == G_TYPE_STRING;
  if (strcmp (type, "number") == 0)
    return value == G_TYPE_INT64 || value == G_TYPE_DOUBLE;
  return value == G_TYPE_INT64
         || (value == G_TYPE_DOUBLE
             && json_node_get_double (node) == floor (json_node_get_double (node)));
}

static double
number_of (JsonNode *node)
{
  return json_node_get_value_type (node) == G_TYPE_INT64 ? (double) json_node_get_int (node)
                                                         : json_node_get_double (node);
}

static const char *
word_of (const char *type)
{
  for (guint i = 0; types[i] != NULL; i++)
    if (strcmp (types[i], type) == 0)
      return type_words[i];
  return type;
}

/* ---- what a schema asks for, in words --------------------------------------------------- */

static void
append_alternatives (GString *out, JsonArray *array, char *(*describe) (JsonNode *) )
{
  guint n = json_array_get_length (array);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = describe (json_array_get_element (array, i));

      g_string_append_printf (out, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", text);
    }
}

static char *
describe_constant (JsonNode *node)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup_printf ("'%s'", json_node_get_string (node));
  return fr_json_to_string (node, 0);
}

static char *
describe_type (JsonNode *node)
{
  return g_strdup (word_of (json_node_get_string (node)));
}

static char *
describe_schema (JsonNode *node)
{
  JsonObject *schema = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  static const char *const unions[] = { "anyOf", "oneOf" };

  if (schema == NULL)
    return g_strdup ("any value");
  if (json_object_has_member (schema, "enum"))
    append_alternatives (out, json_object_get_array_member (schema, "enum"), describe_constant);
  else if (json_object_has_member (schema, "const"))
    return describe_constant (json_object_get_member (schema, "const"));
  else if (json_object_has_member (schema, "type"))
    {
      JsonNode *type = json_object_get_member (schema, "type");

      if (JSON_NODE_HOLDS_ARRAY (type))
        append_alternatives (out, json_node_get_array (type), describe_type);
      else
        g_string_append (out, word_of (json_node_get_string (type)));
    }
  for (guint i = 0; out->len == 0 && i < G_N_ELEMENTS (unions); i++)
    if (json_object_has_member (schema, unions[i]))
      append_alternatives (out, json_object_get_array_member (schema, unions[i]), describe_schema);
  if (out->len == 0)
    g_string_append (out, "another value");
  return g_strdup (out->str);
}

/* ---- checking ------------------------------------------------------------------------------- */

typedef struct
{
  const char *what;
  FrProblems *problems;
} Check;

static gboolean check (const Check *c, JsonNode *schema, JsonNode *value, const char *pointer);

/* "'template' in 'messages'", or "'messages'" for the parameter itself. */
static char *
name_of (const Check *c, const char *pointer)
{
  const char *slash = strrchr (pointer, '/');

  if (slash == NULL || slash == pointer)
    return g_strdup_printf ("'%s'", c->what);
  if (g_ascii_isdigit (slash[1]))
    return g_strdup_printf ("item %s in '%s'", slash + 1, c->what);
  return g_strdup_printf ("'%s' in '%s'", slash + 1, c->what);
}

static gboolean
must_be (const Check *c, JsonNode *value, const char *pointer, const char *expected)
{
  g_autofree char *name = name_of (c, pointer);
  g_autofree char *is = fri_json_describe (value);

  fr_problems_add (c->problems, pointer, "%s is %s; it must be %s", name, is, expected);
  return FALSE;
}

static gboolean
type_fits (JsonObject *schema, JsonNode *value)
{
  JsonNode *type = json_object_get_member (schema, "type");

  if (type == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (type))
    return is_type (value, json_node_get_string (type));
  for (guint i = 0; i < json_array_get_length (json_node_get_array (type)); i++)
    if (is_type (value, json_array_get_string_element (json_node_get_array (type), i)))
      return TRUE;
  return FALSE;
}

static gboolean
is_among (JsonObject *schema, JsonNode *value)
{
  JsonArray *array;

  if (json_object_has_member (schema, "const"))
    return json_node_equal (json_object_get_member (schema, "const"), value);
  if (!json_object_has_member (schema, "enum"))
    return TRUE;
  array = json_object_get_array_member (schema, "enum");
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (json_node_equal (json_array_get_element (array, i), value))
      return TRUE;
  return FALSE;
}

static gboolean
same_kind (JsonNode *a, JsonNode *b)
{
  for (guint i = 0; types[i] != NULL; i++)
    if (is_type (a, types[i]) && is_type (b, types[i]))
      return TRUE;
  return FALSE;
}

/* Whether @value is of the kind that @schema is about, also where only the
 * values of an enum say what that is. */
static gboolean
is_about (JsonObject *schema, JsonNode *value)
{
  JsonArray *array;

  if (!type_fits (schema, value))
    return FALSE;
  if (json_object_has_member (schema, "const"))
    return same_kind (json_object_get_member (schema, "const"), value);
  if (!json_object_has_member (schema, "enum"))
    return TRUE;
  array = json_object_get_array_member (schema, "enum");
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (same_kind (json_array_get_element (array, i), value))
      return TRUE;
  return FALSE;
}

/* Several alternatives: when the type of the value picks one of them, what is
 * wrong with that one helps more than a list of all. */
static gboolean
check_union (const Check *c, JsonNode *schema, const char *key, JsonNode *value,
             const char *pointer)
{
  JsonArray *array = json_object_get_array_member (json_node_get_object (schema), key);
  JsonNode *alike = NULL;
  guint n_alike = 0;

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *one = json_array_get_element (array, i);
      g_autoptr (FrProblems) scratch = fri_problems_new (NULL);
      Check quiet = { c->what, scratch };

      if (check (&quiet, one, value, pointer))
        return TRUE;
      if (JSON_NODE_HOLDS_OBJECT (one) && is_about (json_node_get_object (one), value))
        {
          alike = one;
          n_alike++;
        }
    }
  if (n_alike == 1)
    return check (c, alike, value, pointer);
  {
    g_autofree char *expected = describe_schema (schema);

    return must_be (c, value, pointer, expected);
  }
}

static gboolean
limit (const Check *c, JsonObject *schema, const char *key, double value, int sign, JsonNode *node,
       const char *pointer, const char *format)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *expected = NULL;
  double bound;
  gboolean exclusive = g_str_has_prefix (key, "exclusive");

  if (!json_object_has_member (schema, key))
    return TRUE;
  bound = number_of (json_object_get_member (schema, key));
  if (sign * value < sign * bound || (!exclusive && value == bound))
    return TRUE;
  expected = g_strdup_printf (format, g_ascii_formatd (number, sizeof number, "%.15g", bound));
  return must_be (c, node, pointer, expected);
}

static gboolean
check_number (const Check *c, JsonObject *schema, JsonNode *node, const char *pointer)
{
  double value = number_of (node);
  gboolean ok;

  ok = limit (c, schema, "minimum", value, -1, node, pointer, "at least %s");
  ok &= limit (c, schema, "maximum", value, 1, node, pointer, "at most %s");
  ok &= limit (c, schema, "exclusiveMinimum", value, -1, node, pointer, "more than %s");
  ok &= limit (c, schema, "exclusiveMaximum", value, 1, node, pointer, "less than %s");
  return ok;
}

static gboolean
check_string (const Check *c, JsonObject *schema, JsonNode *node, const char *pointer)
{
  const char *text = json_node_get_string (node);
  double length = (double) g_utf8_strlen (text, -1);
  g_autofree char *expected = NULL;
  gboolean ok;

  ok = limit (c, schema, "minLength", length, -1, node, pointer,
              "a text of at least %s characters");
  ok &= limit (c, schema, "maxLength", length, 1, node, pointer, "a text of at most %s characters");
  if (!json_object_has_member (schema, "pattern")
      || g_regex_match_simple (json_object_get_string_member (schema, "pattern"), text,
                               G_REGEX_DOLLAR_ENDONLY, 0))
    return ok;
  expected = g_strdup_printf ("a text that matches the pattern %s",
                              json_object_get_string_member (schema, "pattern"));
  return must_be (c, node, pointer, expected);
}

static gboolean
check_array (const Check *c, JsonObject *schema, JsonNode *node, const char *pointer)
{
  JsonArray *array = json_node_get_array (node);
  JsonNode *items = json_object_get_member (schema, "items");
  guint n = json_array_get_length (array);
  gboolean ok;

  ok = limit (c, schema, "minItems", n, -1, node, pointer, "an array of at least %s items");
  ok &= limit (c, schema, "maxItems", n, 1, node, pointer, "an array of at most %s items");
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *at = g_strdup_printf ("%s/%u", pointer, i);
      JsonNode *item = json_array_get_element (array, i);

      if (items != NULL)
        ok &= check (c, items, item, at);
      if (!json_object_get_boolean_member_with_default (schema, "uniqueItems", FALSE))
        continue;
      for (guint k = 0; k < i; k++)
        if (json_node_equal (json_array_get_element (array, k), item))
          ok = must_be (c, item, at, "listed only once");
    }
  return ok;
}

static gboolean
check_member (const Check *c, JsonObject *schema, const char *key, JsonNode *value,
              const char *pointer)
{
  JsonObject *properties = json_object_has_member (schema, "properties")
                               ? json_object_get_object_member (schema, "properties")
                               : NULL;
  JsonNode *others = json_object_get_member (schema, "additionalProperties");
  g_autoptr (GList) keys = NULL;
  g_autoptr (GPtrArray) known = NULL;
  const char *near;

  if (properties != NULL && json_object_has_member (properties, key))
    return check (c, json_object_get_member (properties, key), value, pointer);
  if (others == NULL || JSON_NODE_HOLDS_OBJECT (others))
    return others == NULL || check (c, others, value, pointer);
  if (json_node_get_boolean (others) || strcmp (key, "$comment") == 0)
    return TRUE;
  known = g_ptr_array_new ();
  keys = properties ? json_object_get_members (properties) : NULL;
  for (GList *k = keys; k != NULL; k = k->next)
    g_ptr_array_add (known, k->data);
  g_ptr_array_add (known, NULL);
  near = fr_suggest (key, (const char *const *) known->pdata);
  fri_problems_add_in_scope (c->problems, FALSE, TRUE, pointer, "'%s' has no key '%s'%s%s%s",
                             c->what, key, near ? "; did you mean '" : "", near ? near : "",
                             near ? "'?" : "");
  return FALSE;
}

static gboolean
check_object (const Check *c, JsonObject *schema, JsonNode *node, const char *pointer)
{
  JsonObject *object = json_node_get_object (node);
  double n = json_object_get_size (object);
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;
  gboolean ok;

  ok = limit (c, schema, "minProperties", n, -1, node, pointer, "an object of at least %s members");
  ok &= limit (c, schema, "maxProperties", n, 1, node, pointer, "an object of at most %s members");
  for (guint i = 0;
       json_object_has_member (schema, "required")
       && i < json_array_get_length (json_object_get_array_member (schema, "required"));
       i++)
    {
      const char *needed
          = json_array_get_string_element (json_object_get_array_member (schema, "required"), i);
      g_autofree char *at = fri_pointer (pointer, needed);
      g_autofree char *name = name_of (c, pointer);

      if (json_object_has_member (object, needed))
        continue;
      fr_problems_add (c->problems, at, "%s lacks the key '%s'", name, needed);
      ok = FALSE;
    }
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      g_autofree char *at = fri_pointer (pointer, key);

      ok &= check_member (c, schema, key, value, at);
    }
  return ok;
}

static gboolean
check (const Check *c, JsonNode *node, JsonNode *value, const char *pointer)
{
  JsonObject *schema;
  g_autofree char *expected = NULL;

  /* true and false are schemas too. */
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return json_node_get_boolean (node) || must_be (c, value, pointer, "left out");
  schema = json_node_get_object (node);
  if (!type_fits (schema, value) || !is_among (schema, value))
    {
      expected = describe_schema (node);
      return must_be (c, value, pointer, expected);
    }
  if (json_object_has_member (schema, "anyOf") && !check_union (c, node, "anyOf", value, pointer))
    return FALSE;
  if (json_object_has_member (schema, "oneOf") && !check_union (c, node, "oneOf", value, pointer))
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (value))
    return check_object (c, schema, value, pointer);
  if (JSON_NODE_HOLDS_ARRAY (value))
    return check_array (c, schema, value, pointer);
  if (is_type (value, "string"))
    return check_string (c, schema, value, pointer);
  return !is_type (value, "number") || check_number (c, schema, value, pointer);
}

gboolean
fri_json_check (JsonNode *schema, JsonNode *value, const char *what, const char *pointer,
                FrProblems *problems)
{
  Check c = { what, problems };

  return check (&c, schema, value, pointer);
}

/* ---- checking the schema itself ------------------------------------------------------------ */

static char *
check_type_keyword (JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          JsonNode *one = json_array_get_element (array, i);
          char *fault = JSON_NODE_HOLDS_ARRAY (one) ? g_strdup ("'type' is no list of names")
                                                    : check_type_keyword (one);

          if (fault != NULL)
            return fault;
        }
      return NULL;
    }
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
      && g_strv_contains (types, json_node_get_string (node)))
    return NULL;
  return g_strdup ("'type' is no JSON Schema type");
}

static char *
check_all (JsonNode *node, const char *key, gboolean at_least_one)
{
  char *fault = NULL;

  if (at_least_one
          ? !JSON_NODE_HOLDS_ARRAY (node) || json_array_get_length (json_node_get_array (node)) == 0
          : !JSON_NODE_HOLDS_OBJECT (node))
    return g_strdup_printf ("'%s' does not hold schemas", key);
  if (at_least_one)
    {
      for (guint i = 0; fault == NULL && i < json_array_get_length (json_node_get_array (node));
           i++)
        fault = fri_json_check_schema (json_array_get_element (json_node_get_array (node), i));
    }
  else
    {
      g_autoptr (GList) values = json_object_get_values (json_node_get_object (node));

      for (GList *v = values; fault == NULL && v != NULL; v = v->next)
        fault = fri_json_check_schema (v->data);
    }
  return fault;
}

static gboolean
is_list_of_texts (JsonNode *node)
{
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    if (!is_type (json_array_get_element (json_node_get_array (node), i), "string"))
      return FALSE;
  return TRUE;
}

static char *
check_keyword (const char *key, JsonNode *node)
{
  static const char *const notes[]
      = { "title",    "description",         "default",          "examples",
          "$comment", "markdownDescription", "enumDescriptions", "deprecated",
          NULL };

  if (g_strv_contains (notes, key) || strcmp (key, "const") == 0)
    return NULL;
  if (strcmp (key, "type") == 0)
    return check_type_keyword (node);
  if (strcmp (key, "items") == 0 || strcmp (key, "additionalProperties") == 0)
    return fri_json_check_schema (node);
  if (strcmp (key, "properties") == 0)
    return check_all (node, key, FALSE);
  if (strcmp (key, "anyOf") == 0 || strcmp (key, "oneOf") == 0)
    return check_all (node, key, TRUE);
  if (strcmp (key, "enum") == 0       ? JSON_NODE_HOLDS_ARRAY (node)
      : strcmp (key, "required") == 0 ? is_list_of_texts (node)
                                      : g_strv_contains (numbers, key) && is_type (node, "number"))
    return NULL;
  if (strcmp (key, "uniqueItems") == 0 && is_type (node, "boolean"))
    return NULL;
  if (strcmp (key, "pattern") == 0 && is_type (node, "string"))
    {
      g_autoptr (GRegex) regex = g_regex_new (json_node_get_string (node), 0, 0, NULL);

      return regex ? NULL : g_strdup ("'pattern' is no regular expression");
    }
  return g_strdup_printf ("'%s' is malformed or not a keyword that parameter tables may use", key);
}

char *
fri_json_check_schema (JsonNode *schema)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;
  char *fault = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (schema))
    return is_type (schema, "boolean") ? NULL : g_strdup ("a schema is an object, true or false");
  json_object_iter_init_ordered (&iter, json_node_get_object (schema));
  while (fault == NULL && json_object_iter_next_ordered (&iter, &key, &node))
    fault = check_keyword (key, node);
  return fault;
}
