/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c: parameter tables as JSON Schema, as JSON and as Markdown, and
 * whether a table is sound at all.
 */
#include "config.h"

#include <string.h>

#include "param/param-private.h"
#include "plugin/registry.h"

/* A variable of the pipeline in place of a value that is no text. */
#define VARIABLE "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$"

static const char *const type_names[]
    = { NULL,   "bool",  "int",    "float",   "string",  "enum", "size", "duration",
        "path", "paths", "column", "columns", "strings", "map",  "json" };

const char *
fri_param_type_name (FrParamType type)
{
  return (guint) type < G_N_ELEMENTS (type_names) ? type_names[type] : NULL;
}

/* ---- JSON Schema --------------------------------------------------------------------- */

static void
set_string (JsonObject *object, const char *key, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, key, value);
}

static JsonObject *
typed (const char *type)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "type", type);
  return object;
}

/* {"type": "string", "pattern": "^(?:...)$"}; a variable may stand anywhere in
 * a text, and its value is known only to flowrun. */
static JsonObject *
text_schema (const FrParam *row)
{
  JsonObject *object = typed ("string");
  g_autofree char *pattern = NULL;

  if (row->type == FR_PARAM_TYPE_PATH || row->type == FR_PARAM_TYPE_PATHS
      || row->type == FR_PARAM_TYPE_COLUMN || row->type == FR_PARAM_TYPE_COLUMNS)
    json_object_set_int_member (object, "minLength", 1);
  if (row->pattern == NULL)
    return object;
  pattern = g_strdup_printf ("^(?:%s)$|\\$\\{", row->pattern);
  json_object_set_string_member (object, "pattern", pattern);
  return object;
}

/* The value, or "${VAR}" in its place. */
static void
or_variable (JsonObject *out, JsonObject *value)
{
  JsonArray *any = json_array_new ();
  JsonObject *ref = json_object_new ();

  json_array_add_object_element (any, value);
  json_object_set_string_member (ref, "$ref", "#/$defs/variable");
  json_array_add_object_element (any, ref);
  json_object_set_array_member (out, "anyOf", any);
}

static JsonObject *
number_schema (const FrParam *row)
{
  JsonObject *object = typed (row->type == FR_PARAM_TYPE_INT ? "integer" : "number");
  const double values[] = { row->min, row->max };
  const char *const keys[] = { "minimum", "maximum" };

  for (guint i = 0; row->min != row->max && i < 2; i++)
    {
      /* A bound that is only the end of the type says nothing. */
      if (values[i] <= -9.2e18 || values[i] >= 9.2e18)
        continue;
      if (values[i] == (double) (gint64) values[i])
        json_object_set_int_member (object, keys[i], (gint64) values[i]);
      else
        json_object_set_double_member (object, keys[i], values[i]);
    }
  return object;
}

static JsonObject *
enum_schema (const FrParam *row)
{
  JsonObject *object = json_object_new ();
  JsonArray *words = json_array_new (), *helps = json_array_new ();

  for (guint i = 0; row->values[i] != NULL; i++)
    {
      json_array_add_string_element (words, row->values[i]->word);
      json_array_add_string_element (helps, row->values[i]->help ? row->values[i]->help : "");
    }
  json_object_set_array_member (object, "enum", words);
  json_object_set_array_member (object, "enumDescriptions", helps);
  return object;
}

static JsonObject *
secret_schema (void)
{
  JsonObject *object = typed ("object"), *properties = json_object_new ();
  JsonObject *env = typed ("string"), *file = typed ("string");

  json_object_set_string_member (env, "description", "name of the environment variable");
  json_object_set_string_member (file, "description", "path of the file that holds it");
  json_object_set_object_member (properties, "env", env);
  json_object_set_object_member (properties, "file", file);
  json_object_set_object_member (object, "properties", properties);
  json_object_set_boolean_member (object, "additionalProperties", FALSE);
  json_object_set_int_member (object, "minProperties", 1);
  json_object_set_int_member (object, "maxProperties", 1);
  return object;
}

static JsonObject *
quantity_schema (const char *pattern)
{
  JsonObject *object = json_object_new (), *text = typed ("string"), *number = typed ("number");
  JsonArray *any = json_array_new ();

  json_object_set_string_member (text, "pattern", pattern);
  json_object_set_int_member (number, "minimum", 0);
  json_array_add_object_element (any, text);
  json_array_add_object_element (any, number);
  json_object_set_array_member (object, "anyOf", any);
  return object;
}

static void
list_schema (JsonObject *out, const FrParam *row)
{
  JsonArray *any = json_array_new ();
  JsonObject *array = typed ("array");

  json_object_set_object_member (array, "items", text_schema (row));
  if (row->flags & FR_PARAM_REQUIRED)
    json_object_set_int_member (array, "minItems", 1);
  if (row->type != FR_PARAM_TYPE_STRINGS)
    json_object_set_boolean_member (array, "uniqueItems", TRUE);
  json_array_add_object_element (any, text_schema (row));
  json_array_add_object_element (any, array);
  json_object_set_array_member (out, "anyOf", any);
}

static void
copy_members (JsonObject *out, JsonObject *from)
{
  g_autoptr (JsonObject) owned = from;
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, owned);
  while (json_object_iter_next_ordered (&iter, &key, &node))
    json_object_set_member (out, key, json_node_copy (node));
}

static void
value_schema (JsonObject *out, const FrParam *row)
{
  JsonObject *inner;

  switch (row->type)
    {
    case FR_PARAM_TYPE_BOOL:
      or_variable (out, typed ("boolean"));
      break;
    case FR_PARAM_TYPE_INT:
    case FR_PARAM_TYPE_FLOAT:
      or_variable (out, number_schema (row));
      break;
    case FR_PARAM_TYPE_ENUM:
      or_variable (out, enum_schema (row));
      break;
    case FR_PARAM_TYPE_SIZE:
      or_variable (
          out, quantity_schema ("^[0-9]+(\\.[0-9]+)? *([kKmMgGtT]([iI]?[bB])?|[bB](ytes?)?)?$"));
      break;
    case FR_PARAM_TYPE_DURATION:
      or_variable (
          out, quantity_schema ("^[0-9]+(\\.[0-9]+)?( *(us|ms|s|min|m|h|d)( *[0-9]+(\\.[0-9]+)? "
                                "*(us|ms|s|min|m|h|d))*)?$"));
      break;
    case FR_PARAM_TYPE_STRING:
      if (row->flags & FR_PARAM_SECRET)
        copy_members (out, secret_schema ());
      else
        copy_members (out, text_schema (row));
      break;
    case FR_PARAM_TYPE_PATH:
    case FR_PARAM_TYPE_COLUMN:
      copy_members (out, text_schema (row));
      break;
    case FR_PARAM_TYPE_PATHS:
    case FR_PARAM_TYPE_COLUMNS:
    case FR_PARAM_TYPE_STRINGS:
      list_schema (out, row);
      break;
    case FR_PARAM_TYPE_MAP:
      json_object_set_string_member (out, "type", "object");
      json_object_set_object_member (out, "additionalProperties", text_schema (row));
      if (row->flags & FR_PARAM_REQUIRED)
        json_object_set_int_member (out, "minProperties", 1);
      break;
    case FR_PARAM_TYPE_JSON:
      if (row->schema != NULL)
        {
          g_autoptr (JsonNode) node = fr_json_parse (row->schema, -1, 0, NULL);

          inner = node && JSON_NODE_HOLDS_OBJECT (node)
                      ? json_object_ref (json_node_get_object (node))
                      : json_object_new ();
          or_variable (out, inner);
        }
      break;
    }
}

static char *
description (const FrParam *row)
{
  GString *out = g_string_new (row->help);

  if (row->unit != NULL)
    g_string_append_printf (out, " (%s)", row->unit);
  if (row->details != NULL)
    g_string_append_printf (out, "\n\n%s", row->details);
  if (row->deprecated != NULL)
    g_string_append_printf (out, "\n\nDeprecated: use %s.", row->deprecated);
  return g_string_free (out, FALSE);
}

static JsonObject *
param_schema (const FrParam *row)
{
  JsonObject *object = json_object_new ();
  g_autofree char *text = description (row);
  JsonNode *def = fri_param_default (row);

  json_object_set_string_member (object, "description", text);
  value_schema (object, row);
  if (def != NULL)
    json_object_set_member (object, "default", def);
  if (row->example != NULL)
    {
      JsonNode *example = fr_json_parse (row->example, -1, 0, NULL);
      JsonArray *examples = json_array_new ();

      if (example != NULL)
        json_array_add_element (examples, example);
      json_object_set_array_member (object, "examples", examples);
    }
  if (row->deprecated != NULL)
    json_object_set_boolean_member (object, "deprecated", TRUE);
  return object;
}

JsonNode *
fri_params_schema (const FrElement *element)
{
  JsonObject *schema = json_object_new (), *properties = json_object_new ();
  JsonObject *defs = json_object_new (), *variable = typed ("string"), *comment;
  JsonArray *required = json_array_new ();
  g_autofree char *id
      = g_strdup_printf ("https://flowrun.dev/schemas/elements/%s.schema.json", element->name);

  json_object_set_string_member (schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
  json_object_set_string_member (schema, "$id", id);
  json_object_set_string_member (schema, "title", element->name);
  set_string (schema, "description", element->summary);
  json_object_set_string_member (schema, "type", "object");
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    {
      json_object_set_object_member (properties, element->params[i]->key,
                                     param_schema (element->params[i]));
      if (element->params[i]->flags & FR_PARAM_REQUIRED)
        json_array_add_string_element (required, element->params[i]->key);
    }
  comment = json_object_new ();
  json_object_set_string_member (comment, "description", "a note for people; flowrun ignores it");
  json_object_set_object_member (properties, "$comment", comment);
  json_object_set_object_member (schema, "properties", properties);
  if (json_array_get_length (required) > 0)
    json_object_set_array_member (schema, "required", required);
  else
    json_array_unref (required);
  json_object_set_boolean_member (schema, "additionalProperties", FALSE);
  json_object_set_string_member (variable, "pattern", VARIABLE);
  json_object_set_string_member (variable, "description", "a variable of the pipeline");
  json_object_set_object_member (defs, "variable", variable);
  json_object_set_object_member (schema, "$defs", defs);
  return fri_node_object (schema);
}

/* ---- JSON for programs ------------------------------------------------------------------ */

static JsonArray *
types_json (guint set)
{
  JsonArray *array = json_array_new ();

  for (guint type = FR_TYPE_BOOL; type <= FR_TYPE_STRUCT; type++)
    if (set & FR_TYPES (type))
      json_array_add_string_element (array, fr_type_name ((FrType) type));
  return array;
}

static JsonObject *
enum_json (const FrEnumValue *value)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "word", value->word);
  set_string (object, "help", value->help);
  return object;
}

static JsonObject *
param_json (const FrParam *row)
{
  JsonObject *object = json_object_new ();
  g_autofree char *expects = fri_param_expects (row);
  JsonNode *def = fri_param_default (row);
  static const struct
  {
    guint flag;
    const char *word;
  } flags[] = { { FR_PARAM_REQUIRED, "required" },
                { FR_PARAM_SECRET, "secret" },
                { FR_PARAM_READS, "reads" },
                { FR_PARAM_WRITES, "writes" },
                { FR_PARAM_NO_RESULT, "no_result" } };

  json_object_set_string_member (object, "key", row->key);
  json_object_set_string_member (object, "type", fri_param_type_name (row->type));
  json_object_set_string_member (object, "help", row->help);
  json_object_set_string_member (object, "expects", expects);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (row->flags & flags[i].flag)
      json_object_set_boolean_member (object, flags[i].word, TRUE);
  if (def != NULL)
    json_object_set_member (object, "default", def);
  if (row->values != NULL)
    {
      JsonArray *values = json_array_new ();

      for (guint i = 0; row->values[i] != NULL; i++)
        json_array_add_object_element (values, enum_json (row->values[i]));
      json_object_set_array_member (object, "values", values);
    }
  if (row->types != FR_TYPES_ANY)
    json_object_set_array_member (object, "types", types_json (row->types));
  set_string (object, "unit", row->unit);
  set_string (object, "pattern", row->pattern);
  set_string (object, "details", row->details);
  set_string (object, "example", row->example);
  set_string (object, "deprecated", row->deprecated);
  return object;
}

static JsonArray *
ports_json (const FrPort *const *ports)
{
  JsonArray *array = json_array_new ();
  static const char *const kinds[] = { NULL, "records", "model", "report" };

  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    {
      const FrPort *port = ports[i];
      JsonObject *object = json_object_new ();
      JsonArray *needs = json_array_new ();

      json_object_set_string_member (object, "name", port->name);
      json_object_set_string_member (object, "kind", kinds[port->kind]);
      set_string (object, "help", port->help);
      json_object_set_boolean_member (object, "optional", (port->flags & FR_PORT_OPTIONAL) != 0);
      json_object_set_boolean_member (object, "many", (port->flags & FR_PORT_MANY) != 0);
      json_object_set_boolean_member (object, "rewindable",
                                      (port->flags & FR_PORT_REWINDABLE) != 0);
      if (port->flags & FR_PORT_FORECAST)
        json_object_set_boolean_member (object, "forecast", TRUE);
      if (port->flags & FR_PORT_HELD_OUT)
        json_object_set_boolean_member (object, "held_out", TRUE);
      if (port->flags & FR_PORT_TRAINING)
        json_object_set_boolean_member (object, "training", TRUE);
      if (port->flags & FR_PORT_LOOKS)
        json_object_set_boolean_member (object, "looks", TRUE);
      if (port->object != NULL)
        json_object_set_string_member (object, "object", port->object->name);
      for (guint k = 0; port->needs != NULL && port->needs[k] != NULL; k++)
        {
          JsonObject *need = json_object_new ();

          json_object_set_string_member (need, "name", port->needs[k]->name);
          json_object_set_array_member (need, "types", types_json (port->needs[k]->types));
          json_array_add_object_element (needs, need);
        }
      json_object_set_array_member (object, "needs", needs);
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonArray *
element_flags_json (guint set)
{
  JsonArray *array = json_array_new ();
  static const char *const words[] = { "parallel", "process_serial", "network",      "untrusted",
                                       "waits",    "volatile",       "runs_programs" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (set & (1u << i))
      json_array_add_string_element (array, words[i]);
  return array;
}

JsonNode *
fri_element_json (const FrElement *element)
{
  JsonObject *object = json_object_new ();
  JsonArray *params = json_array_new ();

  json_object_set_string_member (object, "name", element->name);
  json_object_set_string_member (object, "kind", fri_kind_name (element->kind));
  json_object_set_int_member (object, "revision", element->revision);
  json_object_set_string_member (object, "summary", element->summary);
  set_string (object, "details", element->details);
  set_string (object, "example", element->example);
  json_object_set_string_member (object, "shape", element->map ? "map" : "run");
  json_object_set_array_member (object, "flags", element_flags_json (element->flags));
  json_object_set_array_member (object, "inputs", ports_json (element->inputs));
  json_object_set_array_member (object, "outputs", ports_json (element->outputs));
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    json_array_add_object_element (params, param_json (element->params[i]));
  json_object_set_array_member (object, "params", params);
  json_object_set_member (object, "schema", fri_params_schema (element));
  return fri_node_object (object);
}

/* ---- Markdown ------------------------------------------------------------------------------- */

/* A cell of a table: no line breaks, no bars. */
static void
append_cell (GString *out, const char *text)
{
  for (; *text != '\0'; text++)
    if (*text == '|')
      g_string_append (out, "\\|");
    else
      g_string_append_c (out, *text == '\n' ? ' ' : *text);
}

static char *
default_text (const FrParam *row)
{
  if (row->flags & FR_PARAM_REQUIRED)
    return g_strdup ("required");
  return row->def ? g_strdup_printf ("`%s`", row->def) : g_strdup ("");
}

static const char *
short_type (const FrParam *row)
{
  static const char *const words[]
      = { NULL,      "true/false",      "integer", "number",  "text",   "word",
          "size",    "duration",        "path",    "path(s)", "column", "column(s)",
          "text(s)", "object of texts", "JSON" };

  return row->flags & FR_PARAM_SECRET ? "secret" : words[row->type];
}

static void
append_details (GString *out, const FrParam *row)
{
  g_autofree char *expects = fri_param_expects (row);
  g_autofree char *types = NULL;

  g_string_append_printf (out, "### `%s`\n\n", row->key);
  g_string_append_c (out, g_ascii_toupper (row->help[0]));
  g_string_append_printf (out, "%s.\n", row->help + 1);
  if (row->type == FR_PARAM_TYPE_ENUM)
    {
      g_string_append_c (out, '\n');
      for (guint i = 0; row->values[i] != NULL; i++)
        g_string_append_printf (out, "- `%s`%s%s\n", row->values[i]->word,
                                row->values[i]->help ? ": " : "",
                                row->values[i]->help ? row->values[i]->help : "");
    }
  else
    {
      g_string_append_printf (out, "\nTakes %s", expects);
      if (row->types != FR_TYPES_ANY)
        {
          types = fr_types_describe (row->types);
          g_string_append_printf (out, " of type %s", types);
        }
      if (row->unit != NULL)
        g_string_append_printf (out, ", in %s", row->unit);
      if (row->pattern != NULL)
        g_string_append_printf (out, ", matching `%s`", row->pattern);
      g_string_append (out, ".\n");
    }
  if (row->details != NULL)
    g_string_append_printf (out, "\n%s\n", row->details);
  if (row->example != NULL)
    g_string_append_printf (out, "\nExample: `\"%s\": %s`\n", row->key, row->example);
  if (row->deprecated != NULL)
    g_string_append_printf (out, "\nDeprecated: use %s.\n", row->deprecated);
  g_string_append_c (out, '\n');
}

char *
fri_params_markdown (const FrElement *element)
{
  GString *out = g_string_new ("## Parameters\n\n");

  if (element->params == NULL || element->params[0] == NULL)
    {
      g_string_append (out, "None.\n");
      return g_string_free (out, FALSE);
    }
  g_string_append (out, "| name | type | default | help |\n| --- | --- | --- | --- |\n");
  for (guint i = 0; element->params[i] != NULL; i++)
    {
      g_autofree char *def = default_text (element->params[i]);

      g_string_append_printf (out, "| `%s` | %s | ", element->params[i]->key,
                              short_type (element->params[i]));
      append_cell (out, def);
      g_string_append (out, " | ");
      append_cell (out, element->params[i]->help);
      g_string_append (out, " |\n");
    }
  g_string_append_c (out, '\n');
  for (guint i = 0; element->params[i] != NULL; i++)
    append_details (out, element->params[i]);
  while (out->len > 1 && g_str_has_suffix (out->str, "\n\n"))
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}

/* ---- soundness ----------------------------------------------------------------------------------
 */

static gsize
width_of (FrParamType type)
{
  switch (type)
    {
    case FR_PARAM_TYPE_BOOL:
      return sizeof (gboolean);
    case FR_PARAM_TYPE_INT:
    case FR_PARAM_TYPE_DURATION:
    case FR_PARAM_TYPE_SIZE:
      return sizeof (gint64);
    case FR_PARAM_TYPE_FLOAT:
      return sizeof (double);
    case FR_PARAM_TYPE_ENUM:
      return sizeof (int);
    default:
      return sizeof (gpointer);
    }
}

static gboolean
is_key (const char *key)
{
  if (key == NULL || !g_ascii_islower (key[0]))
    return FALSE;
  for (; *key != '\0'; key++)
    if (!g_ascii_islower (*key) && !g_ascii_isdigit (*key) && *key != '_')
      return FALSE;
  return TRUE;
}

static const char *
check_flags (const FrElement *element, const FrParam *row)
{
  gboolean path = row->type == FR_PARAM_TYPE_PATH || row->type == FR_PARAM_TYPE_PATHS;
  gboolean records = FALSE;

  for (guint i = 0; element->inputs != NULL && element->inputs[i] != NULL; i++)
    records |= element->inputs[i]->kind == FR_PORT_RECORDS;
  if ((row->flags & FR_PARAM_SECRET) && (row->type != FR_PARAM_TYPE_STRING || row->def != NULL))
    return "only a string without a default can be a secret";
  if ((row->flags & (FR_PARAM_READS | FR_PARAM_WRITES)) && !path)
    return "only paths can be read or written";
  if ((row->flags & FR_PARAM_REQUIRED) && row->def != NULL)
    return "what is required has no default";
  if ((row->type == FR_PARAM_TYPE_COLUMN || row->type == FR_PARAM_TYPE_COLUMNS) && !records)
    return "columns are those of the first input, and there is no input of records";
  if (!(row->min <= row->max))
    return "its minimum is above its maximum";
  return NULL;
}

static char *
check_constraints (const FrParam *row)
{
  if (row->type == FR_PARAM_TYPE_ENUM)
    {
      if (row->values == NULL || row->values[0] == NULL)
        return g_strdup ("it has no values");
      for (guint i = 0; row->values[i] != NULL; i++)
        {
          if (row->values[i]->word == NULL || row->values[i]->word[0] == '\0')
            return g_strdup ("one of its values has no word");
          for (guint k = 0; k < i; k++)
            if (strcmp (row->values[i]->word, row->values[k]->word) == 0)
              return g_strdup_printf ("it has the value '%s' twice", row->values[i]->word);
        }
    }
  if (row->pattern != NULL)
    {
      g_autofree char *whole = g_strdup_printf ("^(?:%s)$", row->pattern);
      g_autoptr (GRegex) regex = g_regex_new (whole, 0, 0, NULL);

      if (regex == NULL)
        return g_strdup ("its pattern is no regular expression");
    }
  if (row->schema != NULL)
    {
      g_autoptr (JsonNode) schema = fr_json_parse (row->schema, -1, 0, NULL);
      g_autofree char *fault
          = schema ? fri_json_check_schema (schema) : g_strdup ("it is not JSON");

      if (fault == NULL && !JSON_NODE_HOLDS_OBJECT (schema))
        fault = g_strdup ("it is no object");
      if (fault != NULL)
        return g_strdup_printf ("its schema is not right: %s", fault);
    }
  return NULL;
}

static char *
check_row (const FrElement *element, const FrParam *row)
{
  const char *fault;

  if (row->help == NULL || row->help[0] == '\0' || strchr (row->help, '\n') != NULL)
    return g_strdup ("it has no help of one line");
  if (fri_param_type_name (row->type) == NULL)
    return g_strdup ("it has no known type");
  if (row->width != width_of (row->type) || row->offset % row->width != 0
      || row->offset > element->config_size || element->config_size - row->offset < row->width)
    return g_strdup ("its field is not in the config structure, or has another size than its type; "
                     "is config_size the size of that structure?");
  fault = check_flags (element, row);
  return fault ? g_strdup (fault) : check_constraints (row);
}

/* Defaults go the same way as what people write. */
static char *
check_values (const FrElement *element, const FrParam *row)
{
  const FrParam *one[] = { row, NULL };
  FrElement alone = {
    .size = sizeof alone, .name = element->name, .config_size = element->config_size, .params = one
  };
  g_autoptr (JsonNode) def = fri_param_default (row);
  g_autoptr (JsonNode) example = row->example ? fr_json_parse (row->example, -1, 0, NULL) : NULL;
  JsonNode *const nodes[] = { def, example };
  const char *const what[] = { "default", "example" };

  if (row->def != NULL && def == NULL)
    return g_strdup_printf ("its default '%s' is not JSON", row->def);
  if (row->example != NULL && example == NULL)
    return g_strdup_printf ("its example '%s' is not JSON", row->example);
  for (guint i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      g_autoptr (FrProblems) problems = NULL;
      g_autoptr (JsonNode) with = NULL;
      JsonObject *object;

      if (nodes[i] == NULL)
        continue;
      object = json_object_new ();
      json_object_set_member (object, row->key, json_node_copy (nodes[i]));
      with = fri_node_object (object);
      problems = fri_problems_new (NULL);
      fri_params_free (&alone, fri_params_fill (&alone, with, "/", TRUE, problems));
      if (fri_problems_n_errors (problems) > 0)
        return g_strdup_printf ("its %s is not right: %s", what[i],
                                ((FriProblem *) fri_problems_list (problems)->pdata[0])->message);
    }
  return NULL;
}

char *
fri_params_check (const FrElement *element)
{
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    {
      const FrParam *row = element->params[i];
      g_autofree char *fault = NULL;

      if (!is_key (row->key))
        return g_strdup ("a parameter has no key of lower-case letters, digits and '_'");
      fault = check_row (element, row);
      for (guint k = 0; fault == NULL && k < i; k++)
        {
          const FrParam *other = element->params[k];

          if (strcmp (other->key, row->key) == 0)
            fault = g_strdup ("it is there twice");
          else if (row->offset < other->offset + other->width
                   && other->offset < row->offset + row->width)
            fault = g_strdup_printf ("its field is also that of '%s'", other->key);
        }
      if (fault == NULL)
        fault = check_values (element, row);
      if (fault != NULL)
        return g_strdup_printf ("its parameter '%s': %s", row->key, fault);
    }
  return NULL;
}
