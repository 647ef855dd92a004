/* SPDX-License-Identifier: Apache-2.0 */
/* admin-routes.c: /admin over HTTP (admin-routes.h). */
#include "config.h"

#include "admin-routes.h"

#include "admin.h"
#include "serve.h"

#define TAG "admin"

struct _ServeAdmin
{
  GThreadPool *thread; /* one */
};

typedef struct
{
  Serve *serve;
  HttpRequest *request; /* held */
  ServeAdminCall call;
} Job;

/* ---- one change at a time ----------------------------------------------------------------------
 */

static void
reply (HttpRequest *request, ServeAdminReply *answer)
{
  if (answer->status == 200)
    http_reply_json (request, 200, g_steal_pointer (&answer->body));
  else
    http_reply_error (request, answer->status, answer->code, answer->param, "%s", answer->message);
}

static void
do_call (Serve *serve, HttpRequest *request, ServeAdminCall call)
{
  g_auto (ServeAdminReply) answer = { 0 };
  gsize len;
  const char *body = http_request_body (request, &len);

  serve_admin_call (serve->models, serve->cache, call, http_request_part (request, "id"), body, len,
                    &answer);
  reply (request, &answer);
}

static void
run_job (gpointer data, gpointer admin)
{
  Job *job = data;

  (void) admin;
  do_call (job->serve, job->request, job->call);
  http_request_unref (job->request);
  g_free (job);
}

ServeAdmin *
serve_admin_new (void)
{
  ServeAdmin *admin = g_new0 (ServeAdmin, 1);

  admin->thread = g_thread_pool_new (run_job, admin, 1, FALSE, NULL);
  return admin;
}

void
serve_admin_free (ServeAdmin *admin)
{
  if (admin == NULL)
    return;
  g_thread_pool_free (admin->thread, FALSE, TRUE);
  g_free (admin);
}

/* ---- handlers ----------------------------------------------------------------------------------
 */

static gboolean
is_loaded (Serve *serve, HttpRequest *request)
{
  if (serve_state (serve) != SERVE_LOADING)
    return TRUE;
  http_reply_busy (request, 503, "loading", 2, "the model is being loaded");
  return FALSE;
}

static void
hand_over (HttpRequest *request, Serve *serve, ServeAdminCall call)
{
  Job *job;

  if (!is_loaded (serve, request))
    return;
  job = g_new (Job, 1);
  *job = (Job){ serve, request, call };
  http_hold (request, NULL, NULL);
  g_thread_pool_push (serve->admin->thread, job, NULL);
}

static void
handle_models (HttpRequest *request, gpointer data)
{
  if (is_loaded (data, request))
    do_call (data, request, SERVE_ADMIN_MODELS);
}

static void
handle_load (HttpRequest *request, gpointer data)
{
  hand_over (request, data, SERVE_ADMIN_LOAD);
}

static void
handle_unload (HttpRequest *request, gpointer data)
{
  hand_over (request, data, SERVE_ADMIN_UNLOAD);
}

static void
handle_route (HttpRequest *request, gpointer data)
{
  hand_over (request, data, SERVE_ADMIN_ROUTE);
}

static void
handle_roll_back (HttpRequest *request, gpointer data)
{
  hand_over (request, data, SERVE_ADMIN_ROLL_BACK);
}

static void
handle_clear (HttpRequest *request, gpointer data)
{
  if (is_loaded (data, request))
    do_call (data, request, SERVE_ADMIN_CLEAR);
}

const HttpRoute serve_admin_routes[] = {
  { .method = HTTP_GET,
    .path = "/admin/models",
    .handle = handle_models,
    .flags = HTTP_ADMIN,
    .summary = "names, where they lead, and the revisions that are held",
    .tag = TAG,
    .answers = SERVE_ADMIN_MODELS_ANSWER },
  { .method = HTTP_POST,
    .path = "/admin/adapters",
    .handle = handle_load,
    .flags = HTTP_ADMIN,
    .summary = "load a new revision of a name from an adapter's directory, for all of its requests "
               "or a share",
    .tag = TAG,
    .asks = SERVE_ADMIN_LOAD_ASK,
    .answers = SERVE_ADMIN_LOAD_ANSWER },
  { .method = HTTP_DELETE,
    .path = "/admin/adapters/{+id}",
    .handle = handle_unload,
    .flags = HTTP_ADMIN,
    .summary = "unload a name with all its revisions, or one of them",
    .tag = TAG,
    .answers = SERVE_ADMIN_UNLOAD_ANSWER },
  { .method = HTTP_POST,
    .path = "/admin/routes",
    .handle = handle_route,
    .flags = HTTP_ADMIN,
    .summary = "say which revisions answer for a name, by weight, and which shadows them",
    .tag = TAG,
    .asks = SERVE_ADMIN_ROUTE_ASK,
    .answers = SERVE_ADMIN_ROUTE_ANSWER },
  { .method = HTTP_POST,
    .path = "/admin/rollback",
    .handle = handle_roll_back,
    .flags = HTTP_ADMIN,
    .summary = "make a name lead where it led before its last change",
    .tag = TAG,
    .asks = SERVE_ADMIN_ROLL_BACK_ASK,
    .answers = SERVE_ADMIN_ROUTE_ANSWER },
  { .method = HTTP_POST,
    .path = "/admin/cache/clear",
    .handle = handle_clear,
    .flags = HTTP_ADMIN,
    .summary = "forget all kept answers",
    .tag = TAG,
    .answers = SERVE_ADMIN_CLEAR_ANSWER },
  { 0 },
};
