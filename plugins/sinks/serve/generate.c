/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c: POST /generate and GET /format; how the question is made: format.c. */
#include "config.h"

#include "generate.h"

#include "openai.h"

/* ---- answers -------------------------------------------------------------------------------- */

static void
append_variant (const ServeChoice *choice, GString *out)
{
  g_string_append (out, "\"output\":");
  fr_json_append_string (out, choice->content->str, choice->content->len);
  if (choice->reasoning->len > 0)
    {
      g_string_append (out, ",\"reasoning\":");
      fr_json_append_string (out, choice->reasoning->str, choice->reasoning->len);
    }
  g_string_append_printf (out, ",\"finish_reason\":\"%s\"", serve_finish_word (choice->stop));
}

static void
generate_whole (ServeReply *reply, GString *out)
{
  const ServeResult *result = reply->result;

  serve_append_head (reply, "generation", out);
  append_variant (&result->choices[0], out);
  g_string_append (out, ",\"variants\":[");
  for (guint i = 0; i < result->n; i++)
    {
      g_string_append_printf (out, "%s{\"index\":%u,", i > 0 ? "," : "", i);
      append_variant (&result->choices[i], out);
      g_string_append_c (out, '}');
    }
  g_string_append (out, "],");
  serve_append_usage (out, result);
  g_string_append_c (out, '}');
}

static const ServeProtocol generate_protocol = {
  .prefix = "gen-",
  .whole = generate_whole,
  .begin = serve_chat_begin,
  .delta = serve_chat_delta,
  .finish = serve_chat_finish,
  .end = serve_chat_end,
  .failed = serve_chat_failed,
};

void
serve_answer_generate (Serve *serve, HttpRequest *request, JsonObject *body)
{
  g_auto (ServeProblem) problem = { 0 };

  serve_answer_one (serve, request, serve_ask_generate (serve, body, &problem), &problem,
                    &generate_protocol);
}

static void
handle_generate (HttpRequest *request, gpointer data)
{
  serve_handle (request, data, serve_answer_generate);
}

/* ---- GET /format ---------------------------------------------------------------------------- */

static void
handle_format (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  GString *out;

  if (!serve_ready (serve, request))
    return;
  out = g_string_new ("{");
  serve_format_append (serve->format, out);
  g_string_append_printf (out,
                          ",\"feedback\":%s,\"limits\":{\"max_tokens\":%" G_GINT64_FORMAT
                          ",\"choices\":%" G_GINT64_FORMAT
                          "},\"defaults\":{\"max_tokens\":%" G_GSIZE_FORMAT ",\"temperature\":",
                          serve->feedback_on ? "true" : "false",
                          serve->limits.output_tokens > 0 ? serve->limits.output_tokens
                                                          : (gint64) serve->context,
                          serve->limits.choices, serve->sampling.max_tokens);
  fr_json_append_double (out, serve->sampling.temperature);
  g_string_append (out, "}}");
  http_reply_string (request, 200, "application/json", out);
}

const HttpRoute serve_generate_routes[] = {
  { .method = HTTP_POST,
    .path = "/generate",
    .handle = handle_generate,
    .summary = "an answer to a question, or to columns of the pipeline's own format",
    .tag = "flowrun",
    .asks = "#/components/schemas/GenerateRequest",
    .answers = "#/components/schemas/GenerateAnswer" },
  { .method = HTTP_GET,
    .path = "/format",
    .handle = handle_format,
    .summary = "the columns that /generate takes",
    .tag = "flowrun",
    .answers = "#/components/schemas/Format" },
  { .path = NULL },
};
