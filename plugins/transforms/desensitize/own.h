/* SPDX-License-Identifier: Apache-2.0 */
/* own.h: the types that a pipeline adds: patterns and words of "rules", files of "words". */
#ifndef DESENSITIZE_OWN_H
#define DESENSITIZE_OWN_H

#include "text/pii.h"
#include <json-glib/json-glib.h>

/* The JSON Schema of "rules". */
#define OWN_SCHEMA                                                                                 \
  "{\"type\":\"object\",\"additionalProperties\":"                                                 \
  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"                           \
  "\"pattern\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4096},"                          \
  "\"words\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1}},"                \
  "\"zh\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":40},"                                 \
  "\"en\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":40}}}}"

/** own_add_rules: adds the types of @rules (NULL: none); FR_ERROR_CONFIG with "/rules/..." in
 * @pointer (free it). */
gboolean own_add_rules (TextPii *pii, JsonNode *rules, char **pointer, GError **error);
/** own_add_files: adds a type for each of @paths, named after its file. */
gboolean own_add_files (TextPii *pii, char **paths, GError **error);
/** own_type_of_file: the name of that type: "staff" of "/data/staff.txt"; free it. */
char *own_type_of_file (const char *path);

#endif
