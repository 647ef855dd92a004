/* SPDX-License-Identifier: Apache-2.0 */
/* openai.h: /v1/…: OpenAI's chat completions, completions and models.
 *
 * Shapes as in OpenAI's API reference; reasoning_content as DeepSeek's API has it.
 */
#ifndef FLOWRUN_SERVE_OPENAI_H
#define FLOWRUN_SERVE_OPENAI_H

#include "ask.h"

G_BEGIN_DECLS

extern const HttpRoute serve_openai_routes[];

/** serve_chat_protocol, serve_completion_protocol: how /v1/chat/completions and /v1/completions
 * write answers. */
extern const ServeProtocol serve_chat_protocol, serve_completion_protocol;

/** serve_chat_begin and the others: the stream of /v1/chat/completions, for protocols that stream
 * alike. */
void serve_chat_begin (ServeReply *reply, GString *out);
void serve_chat_delta (ServeReply *reply, const ServeDelta *delta, GString *out);
void serve_chat_finish (ServeReply *reply, guint choice, GString *out);
void serve_chat_end (ServeReply *reply, GString *out);
void serve_chat_failed (ServeReply *reply, guint status, const char *code, const char *message,
                        GString *out);

/** serve_answer_chat, serve_answer_completion: the handlers from a body that is an object already.
 */
void serve_answer_chat (Serve *serve, HttpRequest *request, JsonObject *body);
void serve_answer_completion (Serve *serve, HttpRequest *request, JsonObject *body);

/** serve_append_head: the members that all answers and chunks begin with: '{' and "id", "object",
 * "created", "model", "system_fingerprint", a comma behind. */
void serve_append_head (const ServeReply *reply, const char *object, GString *out);
/** serve_append_usage: "usage":{…}, with its name. */
void serve_append_usage (GString *out, const ServeResult *result);
/** serve_finish_word: "stop" or "length". */
const char *serve_finish_word (LmStop why);

G_END_DECLS

#endif
