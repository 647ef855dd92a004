/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h: POST /generate and GET /format: questions made of columns, as in training.
 *
 * The parameter `format` of sink.serve has the keys of transform.format's (input, system, history),
 * and text/turns.h makes the question of both, so that the model is asked what it was trained on.
 */
#ifndef FLOWRUN_SERVE_GENERATE_H
#define FLOWRUN_SERVE_GENERATE_H

#include "ask.h"

G_BEGIN_DECLS

extern const HttpRoute serve_generate_routes[];

/**
 * serve_format_new: compiles the templates of @format; NULL with FR_ERROR_CONFIG.
 * @format: as in the parameter; see serve_format_schema
 */
ServeFormat *serve_format_new (JsonNode *format, GError **error);
void serve_format_free (ServeFormat *format);
/** serve_format_schema: JSON Schema of the parameter. */
#define SERVE_FORMAT_SCHEMA                                                                        \
  "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"input\"],\"properties\":{"  \
  "\"input\":{\"type\":\"string\"},\"system\":{\"type\":\"string\"},\"output\":{\"type\":"         \
  "\"string\"},\"history\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"fields\":{"      \
  "\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\",\"additionalProperties\":"    \
  "false,\"properties\":{\"label\":{\"type\":\"string\"},\"example\":{\"type\":\"string\"},"       \
  "\"multiline\":{\"type\":\"boolean\"}}}}}}"

/**
 * serve_ask_question: an ask of a text as /generate has it under "input": the format's system text
 * where it needs no columns, then @text.
 * @settings: as serve_ask_settings() takes them, with @others and @prefix; or NULL
 */
ServeAsk *serve_ask_question (Serve *serve, const char *text, JsonObject *settings,
                              const char *const *others, const char *prefix, ServeProblem *problem);

/** serve_ask_generate: what a body of /generate asks. */
ServeAsk *serve_ask_generate (Serve *serve, JsonObject *body, ServeProblem *problem);
/** serve_format_append: "template", "fields" and "system" of GET /format, without braces; @format
 * NULL: there is none. */
void serve_format_append (const ServeFormat *format, GString *out);

/** serve_answer_generate: the handler from a body that is an object already. */
void serve_answer_generate (Serve *serve, HttpRequest *request, JsonObject *body);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeFormat, serve_format_free)

G_END_DECLS

#endif
