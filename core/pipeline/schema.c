/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c: the JSON Schema (2020-12) of a pipeline file.
 *
 * One file holds everything, with the parameters of each element under $defs:
 * editors then need no second file, and with one if/then per element they
 * complete "with" according to "use".  No $id stands inside, since editors
 * treat embedded ones differently.
 */
#include "config.h"

#include <string.h>

#include "pipeline/pipeline-private.h"

/* The parts that do not depend on what is installed, with ' for ". */
/* clang-format off */
static const char base_text[] =
  "{"
  "  '$schema': 'https://json-schema.org/draft/2020-12/schema',"
  "  '$id': 'https://flowrun.dev/schemas/pipeline.schema.json',"
  "  'title': 'flowrun pipeline',"
  "  'description': 'What flowrun runs: stages, connected by their inputs.',"
  "  'type': 'object',"
  "  'properties': {"
  "    '$schema': {'type': 'string', 'description': 'this schema, for editors'},"
  "    '$comment': {'description': 'a note for people; flowrun ignores it'},"
  "    'name': {"
  "      'type': 'string',"
  "      'minLength': 1,"
  "      'maxLength': 100,"
  "      'pattern': '^[^./][^/]*$',"
  "      'description': 'name of the pipeline and of its run directory; the file name when absent'"
  "    },"
  "    'description': {"
  "      'type': 'string',"
  "      'description': 'what the pipeline is for'"
  "    },"
  "    'seed': {"
  "      'description': 'every random choice of the run follows from it',"
  "      'default': 0,"
  "      'anyOf': ["
  "        {'type': 'integer', 'minimum': 0},"
  "        {'$ref': '#/$defs/variable'}"
  "      ]"
  "    },"
  "    'plugin_path': {"
  "      'description': 'directories with plugins, looked at before the installed ones; relative to this file',"
  "      'anyOf': ["
  "        {'type': 'string', 'minLength': 1},"
  "        {"
  "          'type': 'array',"
  "          'items': {'type': 'string', 'minLength': 1}"
  "        }"
  "      ]"
  "    },"
  "    'vars': {"
  "      'type': 'object',"
  "      'description': 'variables: ${NAME} in a value is replaced; --var NAME=VALUE gives another value; a bare value is short for its default',"
  "      'propertyNames': {"
  "        'pattern': '^[A-Za-z_][A-Za-z0-9_]*$',"
  "        'not': {"
  "          'enum': ["
  "            'run_dir',"
  "            'pipeline_dir',"
  "            'name'"
  "          ]"
  "        }"
  "      },"
  "      'additionalProperties': {'$ref': '#/$defs/var'}"
  "    },"
  "    'run': {"
  "      'type': 'object',"
  "      'additionalProperties': false,"
  "      'description': 'defaults for the run; the command line wins',"
  "      'properties': {"
  "        '$comment': {"
  "          'description': 'a note for people; flowrun ignores it'"
  "        },"
  "        'workers': {"
  "          'description': 'threads that work at once; one per processor when absent',"
  "          'anyOf': ["
  "            {"
  "              'type': 'integer',"
  "              'minimum': 1,"
  "              'maximum': 1024"
  "            },"
  "            {"
  "              '$ref': '#/$defs/variable'"
  "            }"
  "          ]"
  "        },"
  "        'memory': {"
  "          'description': 'budget of the run, such as 2GiB; a quarter of the machine when absent',"
  "          'anyOf': ["
  "            {"
  "              'type': 'integer',"
  "              'minimum': 1"
  "            },"
  "            {"
  "              'type': 'string',"
  "              'pattern': '^[0-9]|[$][{]'"
  "            }"
  "          ]"
  "        },"
  "        'record': {"
  "          'description': 'false: a run leaves nothing but what its sinks write, unless --run-dir is given',"
  "          'anyOf': ["
  "            {"
  "              'type': 'boolean'"
  "            },"
  "            {"
  "              '$ref': '#/$defs/variable'"
  "            }"
  "          ]"
  "        },"
  "        'keep': {'$ref': '#/$defs/keep'},"
  "        'max_rejects': {'$ref': '#/$defs/max_rejects'},"
  "        'samples': {"
  "          'description': 'rows of each port that report.html shows; 0: none, for a report that leaves the house',"
  "          'default': 5,"
  "          'anyOf': ["
  "            {"
  "              'type': 'integer',"
  "              'minimum': 0,"
  "              'maximum': 100"
  "            },"
  "            {"
  "              '$ref': '#/$defs/variable'"
  "            }"
  "          ]"
  "        },"
  "        'language': {"
  "          'description': 'of report.html; that of the locale when absent',"
  "          'anyOf': ["
  "            {"
  "              'enum': ["
  "                'en',"
  "                'zh'"
  "              ]"
  "            },"
  "            {"
  "              '$ref': '#/$defs/variable'"
  "            }"
  "          ]"
  "        }"
  "      }"
  "    },"
  "    'stages': {"
  "      'type': 'object',"
  "      'minProperties': 1,"
  "      'description': 'the stages by name; each has an element, parameters and inputs',"
  "      'propertyNames': {"
  "        'maxLength': 100,"
  "        'pattern': '^[^ -,./:-@[-^`{-~-][^ -,./:-@[-^`{-~]*$'"
  "      },"
  "      'additionalProperties': {'$ref': '#/$defs/stage'}"
  "    }"
  "  },"
  "  'required': ['stages'],"
  "  'additionalProperties': false,"
  "  '$defs': {"
  "    'variable': {"
  "      'type': 'string',"
  "      'pattern': '^[$][{][A-Za-z_][A-Za-z0-9_]*[}]$',"
  "      'description': 'a variable of the pipeline'"
  "    },"
  "    'scalar': {'type': ['string', 'number', 'boolean']},"
  "    'var': {"
  "      'anyOf': ["
  "        {'$ref': '#/$defs/scalar'},"
  "        {"
  "          'type': 'object',"
  "          'additionalProperties': false,"
  "          'properties': {"
  "            'default': {"
  "              '$ref': '#/$defs/scalar',"
  "              'description': 'its value when --var says nothing; without one it must be given'"
  "            },"
  "            'type': {"
  "              'enum': ["
  "                'string',"
  "                'int',"
  "                'float',"
  "                'bool',"
  "                'path'"
  "              ],"
  "              'description': 'a path is relative to this file, with --var to the current directory'"
  "            },"
  "            'help': {"
  "              'type': 'string',"
  "              'description': 'one line for those who run it'"
  "            },"
  "            '$comment': {"
  "              'description': 'a note for people; flowrun ignores it'"
  "            }"
  "          }"
  "        }"
  "      ]"
  "    },"
  "    'keep': {"
  "      'description': 'whether the outputs of the stage are kept for the next run',"
  "      'default': 'auto',"
  "      'anyOf': ["
  "        {'enum': ['auto', true, false]},"
  "        {'$ref': '#/$defs/variable'}"
  "      ]"
  "    },"
  "    'max_rejects': {"
  "      'description': 'rows that may be rejected: a number, or a share below 1; more ends the run with exit status 3',"
  "      'anyOf': ["
  "        {'type': 'integer', 'minimum': 0},"
  "        {"
  "          'type': 'number',"
  "          'minimum': 0,"
  "          'exclusiveMaximum': 1"
  "        },"
  "        {'$ref': '#/$defs/variable'}"
  "      ]"
  "    },"
  "    'output': {"
  "      'type': 'string',"
  "      'pattern': '^[^. ]+([.][a-z][a-z0-9_]*)?$',"
  "      'description': 'a stage, or STAGE.PORT'"
  "    },"
  "    'outputs': {"
  "      'anyOf': ["
  "        {'$ref': '#/$defs/output'},"
  "        {"
  "          'type': 'array',"
  "          'minItems': 1,"
  "          'items': {'$ref': '#/$defs/output'}"
  "        }"
  "      ]"
  "    },"
  "    'stage': {"
  "      'type': 'object',"
  "      'required': ['use'],"
  "      'additionalProperties': false,"
  "      'properties': {"
  "        'use': {},"
  "        'from': {"
  "          'description': 'where the rows come from: a stage, STAGE.PORT, a list of those, or an object of those by input'"
  "        },"
  "        'with': {"
  "          'type': 'object',"
  "          'description': 'parameters of the element'"
  "        },"
  "        'keep': {'$ref': '#/$defs/keep'},"
  "        'max_rejects': {'$ref': '#/$defs/max_rejects'},"
  "        '$comment': {"
  "          'description': 'a note for people; flowrun ignores it'"
  "        }"
  "      }"
  "    }"
  "  }"
  "}";
/* clang-format on */

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (json_object_get_string_member (*(JsonObject *const *) a, "name"),
                 json_object_get_string_member (*(JsonObject *const *) b, "name"));
}

/* Elements of all plugins that load, by name; the first of a name wins, as in
 * a run. */
static GPtrArray *
elements_of (JsonNode *list)
{
  GPtrArray *out = g_ptr_array_new ();
  JsonArray *plugins = json_node_get_array (list);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < json_array_get_length (plugins); i++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, i);
      JsonArray *elements = json_object_has_member (plugin, "elements")
                                ? json_object_get_array_member (plugin, "elements")
                                : NULL;

      for (guint k = 0; elements != NULL && k < json_array_get_length (elements); k++)
        {
          JsonObject *element = json_array_get_object_element (elements, k);

          if (g_hash_table_add (seen, (gpointer) json_object_get_string_member (element, "name")))
            g_ptr_array_add (out, element);
        }
    }
  if (out->len > 0)
    g_ptr_array_sort (out, by_name);
  return out;
}

static JsonObject *
ref_to (const char *name)
{
  JsonObject *object = json_object_new ();
  g_autofree char *ref = g_strconcat ("#/$defs/", name, NULL);

  json_object_set_string_member (object, "$ref", ref);
  return object;
}

/* "with" of one element: its own schema less what belongs to a whole file. */
static JsonObject *
with_schema (JsonObject *element)
{
  g_autoptr (JsonNode) node = json_node_copy (json_object_get_member (element, "schema"));
  JsonObject *object = json_object_ref (json_node_get_object (node));
  JsonObject *copy = json_object_new ();
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    if (key[0] != '$')
      json_object_set_member (copy, key, json_node_copy (value));
  json_object_unref (object);
  return copy;
}

/* "from" of one element: false for a source; by port where it has several. */
static void
from_schema (JsonObject *element, JsonObject *properties, JsonArray *required)
{
  JsonArray *inputs = json_object_get_array_member (element, "inputs");
  guint n = json_array_get_length (inputs);
  JsonObject *by_port = json_object_new (), *ports = json_object_new (), *from;
  JsonArray *any = json_array_new (), *needed = json_array_new ();
  gboolean many = FALSE;

  for (guint i = 0; i < n; i++)
    {
      JsonObject *port = json_array_get_object_element (inputs, i);
      const char *name = json_object_get_string_member (port, "name");
      gboolean several = json_object_get_boolean_member (port, "many");
      JsonObject *one = ref_to (several ? "outputs" : "output");

      json_object_set_string_member (one, "description",
                                     json_object_get_string_member_with_default (port, "help", ""));
      json_object_set_object_member (ports, name, one);
      if (!json_object_get_boolean_member (port, "optional"))
        json_array_add_string_element (needed, name);
      if (i == 0)
        many = several;
    }
  if (n == 0)
    json_object_set_boolean_member (properties, "from", FALSE);
  if (json_array_get_length (needed) > 0)
    json_array_add_string_element (required, "from");
  json_object_set_string_member (by_port, "type", "object");
  json_object_set_object_member (by_port, "properties", ports);
  json_object_set_boolean_member (by_port, "additionalProperties", FALSE);
  /* "stage" alone feeds the first input: enough when no other must be fed. */
  if (json_array_get_length (needed) <= 1)
    json_array_add_object_element (any, ref_to (many ? "outputs" : "output"));
  json_object_set_array_member (by_port, "required", needed);
  json_array_add_object_element (any, by_port);
  from = json_object_new ();
  json_object_set_array_member (from, "anyOf", any);
  if (n > 0)
    json_object_set_object_member (properties, "from", from);
  else
    json_object_unref (from);
}

/* {"if": {use is NAME}, "then": {"with" and "from" of NAME}} */
static JsonObject *
rule_of (JsonObject *element)
{
  const char *name = json_object_get_string_member (element, "name");
  JsonObject *rule = json_object_new (), *test = json_object_new (), *use = json_object_new ();
  JsonObject *is = json_object_new (), *then = json_object_new (), *then_p = json_object_new ();
  JsonArray *test_required = json_array_new (), *required = json_array_new ();
  JsonObject *schema = json_object_get_object_member (element, "schema");

  json_object_set_string_member (is, "const", name);
  json_object_set_object_member (use, "use", is);
  json_object_set_object_member (test, "properties", use);
  json_array_add_string_element (test_required, "use");
  json_object_set_array_member (test, "required", test_required);
  json_object_set_object_member (rule, "if", test);
  json_object_set_object_member (then_p, "with", ref_to (name));
  if (json_object_has_member (schema, "required"))
    json_array_add_string_element (required, "with");
  from_schema (element, then_p, required);
  json_object_set_object_member (then, "properties", then_p);
  if (json_array_get_length (required) > 0)
    json_object_set_array_member (then, "required", required);
  else
    json_array_unref (required);
  json_object_set_object_member (rule, "then", then);
  return rule;
}

static JsonObject *
use_schema (GPtrArray *elements)
{
  JsonObject *use = json_object_new ();
  JsonArray *names = json_array_new (), *helps = json_array_new ();

  json_object_set_string_member (use, "description", "the element that does the work");
  for (guint i = 0; i < elements->len; i++)
    {
      json_array_add_string_element (names,
                                     json_object_get_string_member (elements->pdata[i], "name"));
      json_array_add_string_element (helps,
                                     json_object_get_string_member (elements->pdata[i], "summary"));
    }
  json_object_set_array_member (use, "enum", names);
  json_object_set_array_member (use, "enumDescriptions", helps);
  return use;
}

static JsonNode *
base_schema (GError **error)
{
  g_autoptr (GString) text = g_string_new (base_text);

  g_string_replace (text, "'", "\"", 0);
  return fr_json_parse (text->str, (gssize) text->len, 0, error);
}

JsonNode *
fri_pipeline_schema (FriRegistry *registry, GError **error)
{
  g_autoptr (JsonNode) list = fri_registry_list (registry, error);
  g_autoptr (JsonNode) root = list ? base_schema (error) : NULL;
  g_autoptr (GPtrArray) elements = NULL;
  JsonObject *defs, *stage;
  JsonArray *rules;

  if (root == NULL)
    return NULL;
  elements = elements_of (list);
  defs = json_object_get_object_member (json_node_get_object (root), "$defs");
  stage = json_object_get_object_member (defs, "stage");
  rules = json_array_new ();
  json_object_set_object_member (json_object_get_object_member (stage, "properties"), "use",
                                 use_schema (elements));
  for (guint i = 0; i < elements->len; i++)
    {
      json_array_add_object_element (rules, rule_of (elements->pdata[i]));
      json_object_set_object_member (defs,
                                     json_object_get_string_member (elements->pdata[i], "name"),
                                     with_schema (elements->pdata[i]));
    }
  json_object_set_array_member (stage, "allOf", rules);
  return g_steal_pointer (&root);
}
