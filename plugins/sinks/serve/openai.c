/* SPDX-License-Identifier: Apache-2.0 */
/* openai.c: /v1/chat/completions, /v1/completions, /v1/models; see openai.h.
 *
 * Answers are written straight as text: a stream has a line for every token.
 */
#include "config.h"

#include "openai.h"

#include <string.h>

/* ---- pieces --------------------------------------------------------------------------------- */

static void
append_text (GString *out, const char *text)
{
  fr_json_append_string (out, text, strlen (text));
}

const char *
serve_finish_word (LmStop why)
{
  return why == LM_STOP_LENGTH || why == LM_STOP_CONTEXT ? "length" : "stop";
}

void
serve_append_usage (GString *out, const ServeResult *r)
{
  g_string_append_printf (
      out,
      "\"usage\":{\"prompt_tokens\":%" G_GUINT64_FORMAT ",\"completion_tokens\":%" G_GUINT64_FORMAT
      ",\"total_tokens\":%" G_GUINT64_FORMAT
      ",\"prompt_tokens_details\":{\"cached_tokens\":%" G_GUINT64_FORMAT
      "},\"completion_tokens_details\":{\"reasoning_tokens\":%" G_GUINT64_FORMAT "}}",
      r->prompt_tokens, r->answer_tokens, r->prompt_tokens + r->answer_tokens, r->cached_tokens,
      r->reasoning_tokens);
}

/* The members that all answers and chunks begin with, after '{'. */
void
serve_append_head (const ServeReply *reply, const char *object, GString *out)
{
  g_string_append_printf (
      out,
      "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%" G_GINT64_FORMAT ",\"model\":", reply->id,
      object, reply->created);
  append_text (out, reply->name);
  g_string_append (out, ",\"system_fingerprint\":");
  append_text (out, reply->revision);
  g_string_append_c (out, ',');
}

/* ---- logprobs ------------------------------------------------------------------------------- */

static LmTokenizer *
tokenizer_of (const ServeReply *reply)
{
  return lm_model_tokenizer (reply->serve->model, NULL);
}

/* What a token stands for may be a part of a character. */
static void
append_token_text (GString *out, FrStr bytes)
{
  g_autofree char *text = NULL;

  if (bytes.data == NULL)
    bytes = (FrStr){ "", 0 };
  if (g_utf8_validate (bytes.data, (gssize) bytes.len, NULL))
    {
      fr_json_append_string (out, bytes.data, bytes.len);
      return;
    }
  text = g_utf8_make_valid (bytes.data, (gssize) bytes.len);
  append_text (out, text);
}

static void
append_likely (GString *out, LmTokenizer *tokenizer, const LmLikely *likely)
{
  FrStr bytes = lm_tokenizer_bytes (tokenizer, likely->id);

  g_string_append (out, "{\"token\":");
  append_token_text (out, bytes);
  g_string_append (out, ",\"logprob\":");
  fr_json_append_double (out, likely->logprob);
  g_string_append (out, ",\"bytes\":[");
  for (gsize i = 0; i < bytes.len; i++)
    g_string_append_printf (out, i > 0 ? ",%u" : "%u", (guchar) bytes.data[i]);
  g_string_append (out, "]");
}

/* Tokens [@first, @first + @n) of @choice. */
static void
append_chat_logprobs (const ServeReply *reply, guint choice, guint first, guint n, GString *out)
{
  const GArray *all = reply->result->choices[choice].logprobs;
  guint row = 1 + serve_reply_ask (reply, choice)->sampling.n_logprobs;
  LmTokenizer *tokenizer = tokenizer_of (reply);

  if (all == NULL)
    {
      g_string_append (out, "null");
      return;
    }
  g_string_append (out, "{\"content\":[");
  for (guint i = first; i < first + n; i++)
    {
      const LmLikely *likely = &g_array_index (all, LmLikely, i * row);

      if (i > first)
        g_string_append_c (out, ',');
      append_likely (out, tokenizer, likely);
      g_string_append (out, ",\"top_logprobs\":[");
      for (guint k = 1; k < row && likely[k].id >= 0; k++)
        {
          if (k > 1)
            g_string_append_c (out, ',');
          append_likely (out, tokenizer, &likely[k]);
          g_string_append_c (out, '}');
        }
      g_string_append (out, "]}");
    }
  g_string_append (out, "],\"refusal\":null}");
}

static gsize
characters (FrStr bytes)
{
  gsize n = 0;

  for (gsize i = 0; i < bytes.len; i++)
    n += ((guchar) bytes.data[i] & 0xc0) != 0x80;
  return n;
}

/* The old form of completions: four arrays beside each other. */
static void
append_completion_logprobs (const ServeReply *reply, guint choice, guint first, guint n,
                            GString *out)
{
  const GArray *all = reply->result->choices[choice].logprobs;
  guint row = 1 + serve_reply_ask (reply, choice)->sampling.n_logprobs;
  LmTokenizer *tokenizer = tokenizer_of (reply);
  g_autoptr (GString) values = g_string_new (NULL), tops = g_string_new (NULL),
                      offsets = g_string_new (NULL);
  gsize offset = 0;

  if (all == NULL)
    {
      g_string_append (out, "null");
      return;
    }
  for (guint i = 0; i < first; i++)
    offset
        += characters (lm_tokenizer_bytes (tokenizer, g_array_index (all, LmLikely, i * row).id));
  g_string_append (out, "{\"tokens\":[");
  for (guint i = first; i < first + n; i++)
    {
      const LmLikely *likely = &g_array_index (all, LmLikely, i * row);
      FrStr bytes = lm_tokenizer_bytes (tokenizer, likely->id);
      const char *comma = i > first ? "," : "";

      g_string_append (out, comma);
      append_token_text (out, bytes);
      g_string_append (values, comma);
      fr_json_append_double (values, likely->logprob);
      g_string_append_printf (offsets, "%s%" G_GSIZE_FORMAT, comma, offset);
      offset += characters (bytes);
      g_string_append_printf (tops, "%s{", comma);
      for (guint k = 1; k < row && likely[k].id >= 0; k++)
        {
          g_string_append (tops, k > 1 ? "," : "");
          append_token_text (tops, lm_tokenizer_bytes (tokenizer, likely[k].id));
          g_string_append_c (tops, ':');
          fr_json_append_double (tops, likely[k].logprob);
        }
      g_string_append_c (tops, '}');
    }
  g_string_append_printf (out,
                          "],\"token_logprobs\":[%s],\"top_logprobs\":[%s],\"text_offset\":[%s]}",
                          values->str, tops->str, offsets->str);
}

static guint
n_logprobs (const ServeReply *reply, guint choice)
{
  const GArray *all = reply->result->choices[choice].logprobs;

  return all != NULL ? all->len / (1 + serve_reply_ask (reply, choice)->sampling.n_logprobs) : 0;
}

/* ---- chat, whole ---------------------------------------------------------------------------- */

static void
append_chat_choice (const ServeReply *reply, guint i, GString *out)
{
  const ServeChoice *choice = &reply->result->choices[i];

  g_string_append_printf (out, "{\"index\":%u,\"message\":{\"role\":\"assistant\",\"content\":", i);
  fr_json_append_string (out, choice->content->str, choice->content->len);
  if (choice->reasoning->len > 0)
    {
      g_string_append (out, ",\"reasoning_content\":");
      fr_json_append_string (out, choice->reasoning->str, choice->reasoning->len);
    }
  g_string_append (out, "},\"logprobs\":");
  append_chat_logprobs (reply, i, 0, n_logprobs (reply, i), out);
  g_string_append_printf (out, ",\"finish_reason\":\"%s\"}", serve_finish_word (choice->stop));
}

static void
chat_whole (ServeReply *reply, GString *out)
{
  serve_append_head (reply, "chat.completion", out);
  g_string_append (out, "\"choices\":[");
  for (guint i = 0; i < reply->result->n; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      append_chat_choice (reply, i, out);
    }
  g_string_append (out, "],");
  serve_append_usage (out, reply->result);
  g_string_append_c (out, '}');
}

/* ---- streams -------------------------------------------------------------------------------- */

/* A chunk up to its choices; usage is null in all but the last where it was asked for. */
static void
open_chunk (const ServeReply *reply, const char *object, GString *out)
{
  g_string_append (out, "data: ");
  serve_append_head (reply, object, out);
  if (serve_reply_ask (reply, 0)->usage)
    g_string_append (out, "\"usage\":null,");
  g_string_append (out, "\"choices\":[");
}

static void
close_chunk (GString *out)
{
  g_string_append (out, "]}\n\n");
}

static void
end_stream (const ServeReply *reply, const char *object, GString *out)
{
  if (serve_reply_ask (reply, 0)->usage)
    {
      g_string_append (out, "data: ");
      serve_append_head (reply, object, out);
      g_string_append (out, "\"choices\":[],");
      serve_append_usage (out, reply->result);
      g_string_append (out, "}\n\n");
    }
  g_string_append (out, "data: [DONE]\n\n");
}

void
serve_chat_failed (ServeReply *reply, guint status, const char *code, const char *message,
                   GString *out)
{
  (void) reply;
  g_string_append (out, "data: ");
  http_append_error (out, HTTP_SHAPE_OPENAI, status, code, NULL, message);
  g_string_append (out, "\n\ndata: [DONE]\n\n");
}

#define CHAT_CHUNK "chat.completion.chunk"

void
serve_chat_begin (ServeReply *reply, GString *out)
{
  for (guint i = 0; i < reply->result->n; i++)
    {
      open_chunk (reply, CHAT_CHUNK, out);
      g_string_append_printf (out,
                              "{\"index\":%u,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                              "\"logprobs\":null,\"finish_reason\":null}",
                              i);
      close_chunk (out);
    }
}

void
serve_chat_delta (ServeReply *reply, const ServeDelta *delta, GString *out)
{
  open_chunk (reply, CHAT_CHUNK, out);
  g_string_append_printf (out, "{\"index\":%u,\"delta\":{\"%s\":", delta->choice,
                          delta->reasoning ? "reasoning_content" : "content");
  fr_json_append_string (out, delta->text, delta->len);
  g_string_append (out, "},\"logprobs\":");
  append_chat_logprobs (reply, delta->choice, delta->first, delta->n, out);
  g_string_append (out, ",\"finish_reason\":null}");
  close_chunk (out);
}

void
serve_chat_finish (ServeReply *reply, guint choice, GString *out)
{
  open_chunk (reply, CHAT_CHUNK, out);
  g_string_append_printf (out,
                          "{\"index\":%u,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"%s\"}",
                          choice, serve_finish_word (reply->result->choices[choice].stop));
  close_chunk (out);
}

void
serve_chat_end (ServeReply *reply, GString *out)
{
  end_stream (reply, CHAT_CHUNK, out);
}

const ServeProtocol serve_chat_protocol = {
  .prefix = "chatcmpl-",
  .whole = chat_whole,
  .begin = serve_chat_begin,
  .delta = serve_chat_delta,
  .finish = serve_chat_finish,
  .end = serve_chat_end,
  .failed = serve_chat_failed,
};

/* ---- completions ---------------------------------------------------------------------------- */

#define COMPLETION "text_completion"

static void
append_completion_choice (const ServeReply *reply, guint i, const char *text, gsize len,
                          guint first, guint n, const char *finish, GString *out)
{
  g_string_append_printf (out, "{\"index\":%u,\"text\":", i);
  fr_json_append_string (out, text, len);
  g_string_append (out, ",\"logprobs\":");
  append_completion_logprobs (reply, i, first, n, out);
  g_string_append (out, ",\"finish_reason\":");
  if (finish != NULL)
    append_text (out, finish);
  else
    g_string_append (out, "null");
  g_string_append_c (out, '}');
}

static void
completion_whole (ServeReply *reply, GString *out)
{
  serve_append_head (reply, COMPLETION, out);
  g_string_append (out, "\"choices\":[");
  for (guint i = 0; i < reply->result->n; i++)
    {
      const ServeChoice *choice = &reply->result->choices[i];

      if (i > 0)
        g_string_append_c (out, ',');
      append_completion_choice (reply, i, choice->content->str, choice->content->len, 0,
                                n_logprobs (reply, i), serve_finish_word (choice->stop), out);
    }
  g_string_append (out, "],");
  serve_append_usage (out, reply->result);
  g_string_append_c (out, '}');
}

static void
completion_begin (ServeReply *reply, GString *out)
{
  for (guint i = 0; i < reply->result->n; i++)
    {
      const ServeAsk *ask = serve_reply_ask (reply, i);

      if (!ask->echo)
        continue;
      open_chunk (reply, COMPLETION, out);
      append_completion_choice (reply, i, ask->text, strlen (ask->text), 0, 0, NULL, out);
      close_chunk (out);
    }
}

static void
completion_delta (ServeReply *reply, const ServeDelta *delta, GString *out)
{
  open_chunk (reply, COMPLETION, out);
  append_completion_choice (reply, delta->choice, delta->text, delta->len, delta->first, delta->n,
                            NULL, out);
  close_chunk (out);
}

static void
completion_finish (ServeReply *reply, guint choice, GString *out)
{
  open_chunk (reply, COMPLETION, out);
  append_completion_choice (reply, choice, "", 0, 0, 0,
                            serve_finish_word (reply->result->choices[choice].stop), out);
  close_chunk (out);
}

static void
completion_end (ServeReply *reply, GString *out)
{
  end_stream (reply, COMPLETION, out);
}

const ServeProtocol serve_completion_protocol = {
  .prefix = "cmpl-",
  .whole = completion_whole,
  .begin = completion_begin,
  .delta = completion_delta,
  .finish = completion_finish,
  .end = completion_end,
  .failed = serve_chat_failed,
};

/* ---- handlers ------------------------------------------------------------------------------- */

void
serve_answer_chat (Serve *serve, HttpRequest *request, JsonObject *body)
{
  g_auto (ServeProblem) problem = { 0 };

  serve_answer_one (serve, request, serve_ask_chat (serve, body, &problem), &problem,
                    &serve_chat_protocol);
}

void
serve_answer_completion (Serve *serve, HttpRequest *request, JsonObject *body)
{
  g_auto (ServeProblem) problem = { 0 };
  g_autoptr (GPtrArray) asks = serve_ask_completions (serve, body, &problem);

  for (guint i = 0; asks != NULL && i < asks->len; i++)
    if (!serve_ask_prepare (serve, asks->pdata[i], &problem))
      break;
  serve_answer (serve, request, g_steal_pointer (&asks), &problem, &serve_completion_protocol);
}

static void
handle_chat (HttpRequest *request, gpointer data)
{
  serve_handle (request, data, serve_answer_chat);
}

static void
handle_completion (HttpRequest *request, gpointer data)
{
  serve_handle (request, data, serve_answer_completion);
}

/* ---- models --------------------------------------------------------------------------------- */

static void
append_model (const Serve *serve, const ServeListed *m, GString *out)
{
  g_string_append (out, "{\"id\":");
  append_text (out, m->name);
  g_string_append_printf (out,
                          ",\"object\":\"model\",\"created\":%" G_GINT64_FORMAT
                          ",\"owned_by\":\"flowrun\",\"root\":",
                          m->since / G_USEC_PER_SEC);
  append_text (out, m->root);
  g_string_append_printf (out, ",\"revision\":\"%s-", serve->fingerprint);
  g_string_append (out, m->root);
  g_string_append_printf (out, "\",\"default\":%s,\"max_model_len\":%" G_GSIZE_FORMAT "}",
                          m->is_default ? "true" : "false", serve->context);
}

static void
handle_models (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  g_autoptr (GPtrArray) all = NULL;
  GString *out;

  if (!serve_ready (serve, request))
    return;
  all = serve_models_names (serve->models);
  out = g_string_new ("{\"object\":\"list\",\"data\":[");
  for (guint i = 0; i < all->len; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      append_model (serve, all->pdata[i], out);
    }
  g_string_append (out, "]}");
  http_reply_string (request, 200, "application/json", out);
}

static void
handle_model (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  const char *id = http_request_part (request, "id");
  g_autoptr (GPtrArray) all = NULL;

  if (!serve_ready (serve, request))
    return;
  all = serve_models_names (serve->models);
  for (guint i = 0; i < all->len; i++)
    {
      const ServeListed *m = all->pdata[i];
      GString *out;

      if (strcmp (m->name, id) != 0)
        continue;
      out = g_string_new (NULL);
      append_model (serve, m, out);
      http_reply_string (request, 200, "application/json", out);
      return;
    }
  http_reply_error (request, 404, "model_not_found", "model",
                    "there is no model of this name; GET /v1/models lists those there are");
}

/* ---- routes --------------------------------------------------------------------------------- */

const HttpRoute serve_openai_routes[] = {
  { .method = HTTP_POST,
    .path = "/v1/chat/completions",
    .handle = handle_chat,
    .summary = "the next message of a conversation",
    .tag = "OpenAI",
    .asks = "#/components/schemas/ChatRequest",
    .answers = "#/components/schemas/ChatAnswer" },
  { .method = HTTP_POST,
    .path = "/v1/completions",
    .handle = handle_completion,
    .summary = "a text that goes on",
    .tag = "OpenAI",
    .asks = "#/components/schemas/CompletionRequest",
    .answers = "#/components/schemas/CompletionAnswer" },
  { .method = HTTP_GET,
    .path = "/v1/models",
    .handle = handle_models,
    .summary = "the models there are",
    .tag = "OpenAI",
    .answers = "#/components/schemas/Models" },
  { .method = HTTP_GET,
    .path = "/v1/models/{+id}",
    .handle = handle_model,
    .summary = "one of them",
    .tag = "OpenAI",
    .answers = "#/components/schemas/Model" },
  { .path = NULL },
};
