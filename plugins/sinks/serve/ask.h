/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h: one request for an answer, whatever protocol it came by.
 *
 *   body ──serve_ask_body──▶ object ──a protocol's fields──▶ ServeAsk ──serve_ask_prepare──▶ ids
 *   ServeAsk ──serve_answer──▶ cache or scheduler ──▶ ServeChoice ──ServeProtocol──▶ reply
 *
 * Strict on the way in: a field is honoured or refused by its name; a wrong type, a number out of
 * range, text that is not UTF-8, a field that nobody knows: each is a problem with status, code,
 * field and a sentence.  A prompt is rendered by lm/chat.h, as in training.  Reasoning and answer
 * are told apart by lm/answer.h, in streams and whole answers by the same rule.
 */
#ifndef FLOWRUN_SERVE_ASK_H
#define FLOWRUN_SERVE_ASK_H

#include <flowrun/json.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "serve.h"

G_BEGIN_DECLS

/* ---- problems ------------------------------------------------------------------------------- */

/**
 * ServeProblem: why a request is refused.
 * @status: of HTTP; 0: no problem.  @code: static; @param: the field, or NULL; @message: a sentence
 */
typedef struct
{
  guint status;
  const char *code;
  char *param;
  char *message;
} ServeProblem;

void serve_problem_clear (ServeProblem *problem);
/** serve_problem_set: keeps the first one; returns FALSE. */
gboolean serve_problem_set (ServeProblem *problem, guint status, const char *code,
                            const char *param, const char *format, ...) G_GNUC_PRINTF (5, 6);
void serve_reply_problem (HttpRequest *request, const ServeProblem *problem);

/* ---- asking --------------------------------------------------------------------------------- */

/**
 * ServeAsk: what is asked.
 * @model: as the client wrote it; NULL: the default
 * @messages: of a conversation; or @text: a bare prompt; or @tokens: its ids (gint32); one of them
 * @tools, @variables: for the chat template, or NULL
 * @sampling: stop is owned (@stop), ends a reference, bias owned or NULL
 * @seed, @seeded: the client's; else one is drawn
 * @n: choices; @logprobs: whether they are told; how many alternatives beside the one taken:
 * sampling.n_logprobs
 * @echo: the prompt comes back before the answer
 * @reasoning: part reasoning from the answer; FALSE: one text
 * @stream, @usage: by events; with a last one of usage
 * @input, @fields: for feedback: the question as training has it, and the columns it was made of
 * @prompt, @opened, @rendered: set by serve_ask_prepare(): gint32 ids, whether the prompt ends in
 * an opened <think>, its text (NULL for @tokens)
 */
typedef struct
{
  int refs;
  char *model;
  JsonArray *messages;
  char *text;
  GArray *tokens;
  JsonNode *tools;
  JsonObject *variables;
  LmSampling sampling;
  char **stop;
  guint64 seed;
  gboolean seeded;
  guint n;
  gboolean logprobs;
  char *user;
  gboolean echo, reasoning, stream, usage;
  char *input;
  JsonObject *fields;
  GArray *prompt;
  gboolean opened;
  GString *rendered;
} ServeAsk;

/** serve_ask_new: with what a request gets that says nothing. */
ServeAsk *serve_ask_new (Serve *serve);
ServeAsk *serve_ask_ref (ServeAsk *ask);
void serve_ask_unref (ServeAsk *ask);

/** serve_ask_body: the body as one JSON object; json_node_unref(); NULL with a problem: not JSON,
 * not UTF-8, not an object, a key given twice. */
JsonNode *serve_ask_body (const char *body, gsize len, ServeProblem *problem);
/** serve_ask_chat: OpenAI's chat fields of @object. */
ServeAsk *serve_ask_chat (Serve *serve, JsonObject *object, ServeProblem *problem);
/** serve_ask_completions: OpenAI's completion fields: ServeAsk * for each prompt. */
GPtrArray *serve_ask_completions (Serve *serve, JsonObject *object, ServeProblem *problem);
/**
 * serve_ask_settings: settings alone ("temperature", "max_tokens", "seed", …) for other protocols.
 * @others: names that the caller reads itself; NULL-terminated; or NULL
 * @prefix: before a field's name in messages ("parameters."), or ""
 */
gboolean serve_ask_settings (Serve *serve, ServeAsk *ask, JsonObject *object,
                             const char *const *others, const char *prefix, ServeProblem *problem);
/** ServeFields: the tables: settings alone, of chat, of completions. */
typedef enum
{
  SERVE_FIELDS_SETTINGS = 0,
  SERVE_FIELDS_CHAT,
  SERVE_FIELDS_COMPLETION
} ServeFields;
/** serve_ask_schema: JSON Schema of a body with these fields; json_object_unref(). */
JsonObject *serve_ask_schema (ServeFields which);
/** serve_ask_messages: checks OpenAI's messages; as the template wants them, json_array_unref(). */
JsonArray *serve_ask_messages (JsonNode *node, const char *param, ServeProblem *problem);
/** serve_ask_text: @node as text; NULL with a problem. */
const char *serve_ask_text (JsonNode *node, const char *param, ServeProblem *problem);

/** serve_ask_prepare: makes the prompt and looks whether it fits; 400 with the numbers. */
gboolean serve_ask_prepare (Serve *serve, ServeAsk *ask, ServeProblem *problem);

/* ---- answers -------------------------------------------------------------------------------- */

/**
 * ServeChoice: one answer.
 * @content, @reasoning: whole characters; reasoning is empty where there is none or where it is
 * not parted
 * @stop: why it ended
 * @tokens: how many, the end token too; @reasoning_tokens: of them, of reasoning
 * @logprobs: LmLikely: for each token with text the token itself, then n_logprobs alternatives
 * (id -1: there were fewer); NULL: not asked for
 */
typedef struct
{
  GString *content, *reasoning;
  LmStop stop;
  guint64 tokens, reasoning_tokens;
  GArray *logprobs;
} ServeChoice;

/** ServeResult: the answers to one request; reference-counted; immutable once all have ended. */
typedef struct
{
  int refs;
  guint n;
  ServeChoice *choices;
  guint64 prompt_tokens, cached_tokens, answer_tokens, reasoning_tokens;
} ServeResult;

ServeResult *serve_result_new (guint n);
ServeResult *serve_result_ref (ServeResult *result);
void serve_result_unref (ServeResult *result);
/** serve_result_size: what it takes in memory, about. */
gsize serve_result_size (const ServeResult *result);

typedef struct _ServeReply ServeReply;

/** ServeDelta: a piece of one choice; @first, @n: its tokens in the choice's logprobs. */
typedef struct
{
  guint choice;
  gboolean reasoning;
  const char *text;
  gsize len;
  guint first, n;
} ServeDelta;

/**
 * ServeProtocol: how one protocol writes answers.  Called on the scheduler's thread, or, where the
 * cache has the answer, on the handler's; one call at a time for a request.
 * @name: of the second level of the cache; static
 * @prefix: of ids ("chatcmpl-")
 * @whole: the body of an answer that is not a stream
 * @begin, @delta, @finish, @end: append events: the first; a piece of a choice; a choice has ended;
 * all have.  NULL: no streams
 * @failed: a stream cannot go on: appends the last events
 */
typedef struct
{
  const char *prefix;
  void (*whole) (ServeReply *reply, GString *out);
  void (*begin) (ServeReply *reply, GString *out);
  void (*delta) (ServeReply *reply, const ServeDelta *delta, GString *out);
  void (*finish) (ServeReply *reply, guint choice, GString *out);
  void (*end) (ServeReply *reply, GString *out);
  void (*failed) (ServeReply *reply, guint status, const char *code, const char *message,
                  GString *out);
} ServeProtocol;

/**
 * ServeReply: a request being answered.
 * @asks: ServeAsk *, all alike but for their prompts; choice c answers asks[c / n]
 * @name: the public name that answers; @revision: of system_fingerprint
 * @id, @created: of the answer
 */
struct _ServeReply
{
  Serve *serve;
  HttpRequest *request;
  const ServeProtocol *protocol;
  GPtrArray *asks;
  ServeResult *result;
  const char *name;
  char *revision;
  char *id;
  gint64 created;
};

/** serve_reply_ask: of choice @choice. */
ServeAsk *serve_reply_ask (const ServeReply *reply, guint choice);

/**
 * serve_answer: looks in the cache, else submits; the request is answered from here on.
 * @asks: taken (ServeAsk *, prepared); NULL, or with a problem: @problem is the reply
 *
 * 404 unknown model, 429 with Retry-After where the queue or the client's rate is full, 503 while
 * loading or draining.
 */
void serve_answer (Serve *serve, HttpRequest *request, GPtrArray *asks,
                   const ServeProblem *problem, const ServeProtocol *protocol);

/** serve_answer_one: the same for one question that is not prepared yet; @ask: taken; NULL: @problem
 * is the reply. */
void serve_answer_one (Serve *serve, HttpRequest *request, ServeAsk *ask, ServeProblem *problem,
                       const ServeProtocol *protocol);

/**
 * serve_answer_seen: the first level of the cache: the very bytes came before.
 *
 * TRUE: the request is answered.  FALSE: the key is kept with the request, so that serve_answer()
 * puts its reply there.
 */
gboolean serve_answer_seen (Serve *serve, HttpRequest *request);

/** serve_handle: what handlers of questions begin with: is the server ready, was it asked before,
 * is the body an object; then @answer. */
void serve_handle (HttpRequest *request, Serve *serve,
                   void (*answer) (Serve *serve, HttpRequest *request, JsonObject *body));

/** serve_ready: FALSE: answered with 503: loading, or draining. */
gboolean serve_ready (Serve *serve, HttpRequest *request);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeAsk, serve_ask_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeResult, serve_result_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ServeProblem, serve_problem_clear)

G_END_DECLS

#endif
