/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.c: who may ask, before a request's body is read; what is written down when it is over. */
#include "config.h"

#include <string.h>

#include "serve.h"

ServeState
serve_state (Serve *serve)
{
  return (ServeState) g_atomic_int_get (&serve->state);
}

/* ---- facts ---------------------------------------------------------------------------------- */

ServeFacts *
serve_facts_new (void)
{
  ServeFacts *facts = g_new0 (ServeFacts, 1);

  facts->wall = g_get_real_time ();
  return facts;
}

void
serve_facts_free (ServeFacts *facts)
{
  if (facts->task_free != NULL)
    facts->task_free (facts->task);
  g_clear_pointer (&facts->client, serve_client_unref);
  g_clear_pointer (&facts->served, serve_model_unref);
  g_free (facts->user);
  g_free (facts->request_text);
  g_free (facts->answer_text);
  g_free (facts);
}

ServeFacts *
serve_facts (HttpRequest *request)
{
  ServeFacts *facts = http_request_data (request);

  if (facts == NULL)
    {
      facts = serve_facts_new ();
      http_request_set_data (request, facts, (GDestroyNotify) serve_facts_free);
    }
  return facts;
}

/* ---- before --------------------------------------------------------------------------------- */

static void
refuse_key (HttpRequest *request, ServeAccess access)
{
  if (access == SERVE_ACCESS_FORBIDDEN)
    {
      http_reply_error (request, 403, "forbidden", NULL, "this key does not open this path");
      return;
    }
  http_set_header (request, "WWW-Authenticate", "Bearer realm=\"flowrun\"");
  if (access == SERVE_ACCESS_MISSING)
    http_reply_error (request, 401, "no_api_key", NULL,
                      "an API key is needed: \"Authorization: Bearer KEY\"");
  else
    http_reply_error (request, 401, "invalid_api_key", NULL, "this API key is not known here");
}

void
serve_admit (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  ServeFacts *facts = serve_facts (request);
  const HttpRoute *route = http_request_route (request);
  const char *key = http_request_header (request, "X-Api-Key");
  ServeAccess access;

  if (route->flags & HTTP_OPEN)
    return;
  if (key == NULL)
    key = http_request_header (request, "Api-Key");
  access = serve_keys_check (serve->keys, http_request_header (request, "Authorization"), key,
                             route->flags & HTTP_ADMIN ? SERVE_ROLE_ADMIN : SERVE_ROLE_USE,
                             &facts->client);
  if (access != SERVE_ACCESS_GRANTED)
    refuse_key (request, access);
}

/* ---- after ---------------------------------------------------------------------------------- */

static void
fill_record (HttpRequest *request, const ServeFacts *facts, ServeRecord *record)
{
  const HttpRoute *route = http_request_route (request);
  guint status = http_request_status (request);

  *record = (ServeRecord){
    .id = http_request_id (request),
    .key = facts->client != NULL ? serve_client_name (facts->client) : NULL,
    .method = http_request_method (request),
    .route = route != NULL ? route->path : "other",
    .model = facts->name,
    .revision = facts->served != NULL ? facts->served->id : facts->revision,
    .address = http_request_peer (request),
    .stop = facts->stop,
    .error = http_request_code (request),
    .status = status != 0 ? status : 499,
    .fault = facts->fault,
    .stream = facts->stream,
    .cache = facts->cache,
    .wall = facts->wall,
    .total_us = g_get_monotonic_time () - http_request_started (request),
    .queue_us = facts->queue_us,
    .prefill_us = facts->prefill_us,
    .decode_us = facts->decode_us,
    .first_us = facts->first_us,
    .prompt_tokens = facts->prompt_tokens,
    .cached_tokens = facts->cached_tokens,
    .answer_tokens = facts->answer_tokens,
    .max_tokens = facts->max_tokens,
    .n = facts->n,
    .request_text = facts->request_text,
    .answer_text = facts->answer_text,
  };
  if (record->error == NULL && http_request_left (request))
    record->error = "client_left";
}

void
serve_done (HttpRequest *request, gpointer data)
{
  Serve *serve = data;
  const HttpRoute *route = http_request_route (request);
  const ServeFacts *facts = serve_facts (request);
  ServeRecord record;

  fill_record (request, facts, &record);
  if (serve->metrics != NULL)
    serve_metrics_done (serve->metrics, &record);
  if (facts->served != NULL) /* so there are models, and this thread may see them */
    serve_models_done (serve->models, facts->name, facts->served, &record, g_get_monotonic_time ());
  if (route == NULL || !(route->flags & HTTP_QUIET) || record.status >= 400)
    serve_access_write (serve->log, &record);
}

void
serve_refused (const char *reason, gpointer data)
{
  Serve *serve = data;

  if (serve->metrics != NULL)
    serve_cell_add (SERVE_CELL (serve->metrics, SERVE_F_REJECTED, reason), 1);
}

/* ---- work that waits ------------------------------------------------------------------------ */

typedef struct
{
  HttpRequest *request;
  HttpHandler work;
} Work;

void
serve_work (Serve *serve, HttpRequest *request, HttpHandler work)
{
  Work *job = g_new (Work, 1);

  *job = (Work){ request, work };
  http_hold (request, NULL, NULL);
  g_thread_pool_push (serve->workers, job, NULL);
}

void
serve_work_run (gpointer data, gpointer serve)
{
  Work *job = data;

  job->work (job->request, serve);
  http_request_unref (job->request);
  g_free (job);
}
