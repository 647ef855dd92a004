/* SPDX-License-Identifier: Apache-2.0 */
/* site.c: what is there beside answers: health, figures, the API's own document, the page, ratings.
 */
#include "config.h"

#include <string.h>

#include "ask.h"

/* ---- health --------------------------------------------------------------------------------- */

#define GOOD "{\"status\":\"ok\"}"

/* Alive: it answers. */
static void
handle_healthz (HttpRequest *request, gpointer data)
{
  (void) data;
  http_reply_static (request, 200, "application/json", GOOD, strlen (GOOD));
}

/* llama.cpp's bodies: its clients wait for them. */
static void
handle_readyz (HttpRequest *request, gpointer data)
{
  static const char loading[]
      = "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}";
  static const char draining[]
      = "{\"error\":{\"code\":503,\"message\":\"Shutting down\",\"type\":\"unavailable_error\"}}";

  switch (serve_state (data))
    {
    case SERVE_READY:
      http_reply_static (request, 200, "application/json", GOOD, strlen (GOOD));
      break;
    case SERVE_LOADING:
      http_set_header (request, "Retry-After", "2");
      http_reply_static (request, 503, "application/json", loading, strlen (loading));
      break;
    default:
      http_reply_static (request, 503, "application/json", draining, strlen (draining));
    }
}

/* ---- figures and document ------------------------------------------------------------------- */

static void
handle_metrics (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  GString *out = g_string_sized_new (16384);

  serve_metrics_write (serve->metrics, out);
  http_reply_string (request, 200, SERVE_METRICS_TYPE, out);
}

static void
handle_openapi (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  g_autoptr (JsonObject) components = serve_components ();

  http_reply_json (request, 200,
                   http_server_openapi (serve->http, "flowrun", PACKAGE_VERSION, components));
}

/* ---- the page ------------------------------------------------------------------------------- */

static void
handle_page (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  const ServePageHeader *header = serve_page_headers (serve->page);
  const char *type = "text/html; charset=utf-8";

  for (; header->name != NULL; header++)
    if (g_ascii_strcasecmp (header->name, "Content-Type") == 0)
      type = header->value;
    else
      http_set_header (request, header->name, header->value);
  if (serve_page_not_modified (serve->page, http_request_header (request, "If-None-Match")))
    http_reply (request, 304, NULL, NULL);
  else
    http_reply (request, 200, type, serve_page_bytes (serve->page));
}

static void
take_feedback (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  const ServeFacts *facts = serve_facts (request);
  ServeFeedbackReply reply = { 0 };
  gsize len;
  const char *body = http_request_body (request, &len);

  serve_feedback_take (serve->feedback, body, len,
                       facts->client != NULL ? serve_client_name (facts->client) : NULL, &reply);
  if (serve->metrics != NULL)
    serve_cell_add (SERVE_CELL (serve->metrics, SERVE_F_FEEDBACK,
                                reply.code == NULL    ? "stored"
                                : reply.status >= 500 ? "failed"
                                                      : "refused"),
                    1);
  if (reply.code != NULL)
    http_reply_error (request, reply.status, reply.code, reply.param, "%s", reply.text);
  else
    http_reply_string (request, reply.status, "application/json", g_string_new (reply.text));
  serve_feedback_reply_clear (&reply);
}

static void
handle_feedback (HttpRequest *request, gpointer data)
{
  serve_work (data, request, take_feedback);
}

const HttpRoute serve_site_routes[] = {
  { .method = HTTP_GET,
    .path = "/",
    .handle = handle_page,
    .flags = HTTP_OPEN | HTTP_QUIET,
    .summary = "the page for the people who write",
    .tag = "flowrun",
    .type = "text/html" },
  { .method = HTTP_POST,
    .path = "/feedback",
    .handle = handle_feedback,
    .summary = "what somebody thinks of an answer",
    .tag = "flowrun",
    .asks = "#/components/schemas/Feedback",
    .answers = "#/components/schemas/FeedbackStored" },
  { .method = HTTP_GET,
    .path = "/healthz",
    .handle = handle_healthz,
    .flags = HTTP_OPEN | HTTP_QUIET,
    .summary = "200 while the process lives",
    .tag = "health",
    .answers = "{\"type\":\"object\"}" },
  { .method = HTTP_GET,
    .path = "/readyz",
    .handle = handle_readyz,
    .flags = HTTP_OPEN | HTTP_QUIET,
    .summary
    = "200 while requests are taken; 503 while the model loads and while the server drains",
    .tag = "health",
    .answers = "{\"type\":\"object\"}" },
  { .method = HTTP_GET,
    .path = "/health",
    .handle = handle_readyz,
    .flags = HTTP_OPEN | HTTP_QUIET | HTTP_HIDDEN,
    .summary = "the same, under llama.cpp's name",
    .tag = "health",
    .answers = "{\"type\":\"object\"}" },
  { .method = HTTP_GET,
    .path = "/metrics",
    .handle = handle_metrics,
    .flags = HTTP_OPEN | HTTP_QUIET,
    .summary = "figures for Prometheus",
    .tag = "health",
    .type = "text/plain" },
  { .method = HTTP_GET,
    .path = "/openapi.json",
    .handle = handle_openapi,
    .flags = HTTP_OPEN,
    .summary = "this document",
    .tag = "flowrun",
    .answers = "{\"type\":\"object\"}" },
  { .path = NULL },
};
