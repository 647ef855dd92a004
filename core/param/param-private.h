/* SPDX-License-Identifier: Apache-2.0 */
/* param-private.h: walking parameter tables (internal).
 *
 * Everything that is made from a parameter table is made here: config
 * structures, effective values, JSON Schema, help, manual sections, completion
 * words and fuzz dictionaries.
 */
#ifndef FLOWRUN_PARAM_PRIVATE_H
#define FLOWRUN_PARAM_PRIVATE_H

#include <flowrun/element.h>
#include <flowrun/json.h>

#include "param/problems.h"

G_BEGIN_DECLS

/* json-glib's own ways to wrap an object take a second reference. */
static inline JsonNode *
fri_node_object (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

static inline JsonNode *
fri_node_array (JsonArray *array)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (node, array);
  return node;
}

/**
 * fri_params_fill:
 * @with: the stage's parameters, an object node, variables already replaced; NULL for none
 * @base_dir: what relative paths are relative to
 * @dry: check only that secrets are references, do not read them
 *
 * Returns a new config structure of @element (g_malloc0 of config_size, at
 * least 1) with every parameter or its default; problems go to @problems with
 * pointers relative to "with".  Never NULL.
 */
gpointer fri_params_fill (const FrElement *element, JsonNode *with, const char *base_dir,
                          gboolean dry, FrProblems *problems);
void fri_params_free (const FrElement *element, gpointer config);

/** fri_params_effective: every parameter with the value in force, in table order; secrets as
 * {"secret": true}. */
JsonNode *fri_params_effective (const FrElement *element, gconstpointer config);

/** fri_params_fingerprint: like effective, but only what can change the result; paths that only say
 * where to write included. */
JsonNode *fri_params_fingerprint (const FrElement *element, gconstpointer config);

/** fri_params_reads: the files (globs expanded, sorted) that READS parameters name; GPtrArray of
 * char *. */
GPtrArray *fri_params_reads (const FrElement *element, gconstpointer config);

/** fri_params_schema: the JSON Schema (2020-12) object of "with". */
JsonNode *fri_params_schema (const FrElement *element);

/** fri_params_markdown: the "## Parameters" section of NAME.md. */
char *fri_params_markdown (const FrElement *element);

/** fri_element_json: the whole element (ports, parameters, flags) as `flowrun help --json` shows
 * it. */
JsonNode *fri_element_json (const FrElement *element);

/** fri_parse_size / fri_parse_duration: "64MiB" to bytes, "2h" to microseconds; FALSE when
 * malformed. */
gboolean fri_parse_size (const char *text, guint64 *bytes);
gboolean fri_parse_duration (const char *text, gint64 *microseconds);

/** fri_param_type_name: "int", "columns", ...; NULL for no type. */
const char *fri_param_type_name (FrParamType type);
/** fri_param_find: the row of @key, or NULL. */
const FrParam *fri_param_find (const FrElement *element, const char *key);
/** fri_param_default: the default as it would stand in the file; NULL when there is none or it is
 * malformed. */
JsonNode *fri_param_default (const FrParam *row);
/** fri_param_expects: what a value must be, "a whole number from 0 to 9", for messages and manuals;
 * g_free(). */
char *fri_param_expects (const FrParam *row);
/** fri_json_describe: "the text 'x'", "an array", ... for messages; g_free(). */
char *fri_json_describe (JsonNode *node);

/**
 * fri_json_check: whether @value fits @schema, in the part of JSON Schema that
 * JSON parameters may use (see json-check.c); problems name @what.
 */
gboolean fri_json_check (JsonNode *schema, JsonNode *value, const char *what, const char *pointer,
                         FrProblems *problems);
/** fri_json_check_schema: whether @schema stays within that part; NULL or what is wrong; g_free().
 */
char *fri_json_check_schema (JsonNode *schema);

/** fri_params_check: whether the table of @element is sound; NULL or what is wrong; g_free(). */
char *fri_params_check (const FrElement *element);

G_END_DECLS

#endif
