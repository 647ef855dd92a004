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

G_BEGIN_DECLS

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

/** fri_params_effective: every parameter with the value in force, in table order; secrets as {"secret": true}. */
JsonNode *fri_params_effective (const FrElement *element, gconstpointer config);

/** fri_params_fingerprint: like effective, but only what can change the result; paths that only say where to write included. */
JsonNode *fri_params_fingerprint (const FrElement *element, gconstpointer config);

/** fri_params_reads: the files (globs expanded, sorted) that READS parameters name; GPtrArray of char *. */
GPtrArray *fri_params_reads (const FrElement *element, gconstpointer config);

/** fri_params_schema: the JSON Schema (2020-12) object of "with". */
JsonNode *fri_params_schema (const FrElement *element);

/** fri_params_markdown: the "## Parameters" section of NAME.md. */
char *fri_params_markdown (const FrElement *element);

/** fri_element_json: the whole element (ports, parameters, flags) as `flowrun help --json` shows it. */
JsonNode *fri_element_json (const FrElement *element);

/** fri_parse_size / fri_parse_duration: "64MiB" to bytes, "2h" to microseconds; FALSE when malformed. */
gboolean fri_parse_size (const char *text, guint64 *bytes);
gboolean fri_parse_duration (const char *text, gint64 *microseconds);

G_END_DECLS

#endif
