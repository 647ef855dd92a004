/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h: sink.serve: one model and its adapters answering over HTTP until the run is told to
 * stop.
 *
 * The parts of one server, and what they know of each other:
 *
 *   http.h        connections, routes, replies, streams; knows no models
 *   ask.h         one request for an answer, whatever protocol it came by; checks, renders, submits
 *   openai.h      /v1/…     generate.h   /generate, /format     platforms.h   SageMaker, Azure ML,
 * OIP models.h      which models there are, by name     cache.h      answers given before metrics.h
 * /metrics     keys.h     who may ask, how much     accesslog.h   a line a request feedback.h what
 * people thought of answers      page/page.h  GET /      admin.h   /admin/…
 *
 * Threads: handlers run on the threads of http.h; the scheduler's callbacks run on the thread of
 * the element's run(), which steps it.  A part takes its own locks and calls no other part with one
 * held.
 *
 * A part that has routes gives them as `extern const HttpRoute serve_NAME_routes[]`; their handlers
 * get the Serve as data.  A part that has parameters gives ServeNAMEConfig, SERVE_NAME_PARAMS
 * (Config, member) and perhaps serve_NAME_configure (config, problems), as lm/answer.h does; its
 * state is a member of Serve.
 */
#ifndef FLOWRUN_SERVE_SERVE_H
#define FLOWRUN_SERVE_SERVE_H

#include <flowrun/host.h>
#include <glib.h>

#include "accesslog.h"
#include "admin-routes.h"
#include "cache.h"
#include "feedback.h"
#include "http.h"
#include "keys.h"
#include "lm/answer.h"
#include "lm/scheduler.h"
#include "metrics.h"
#include "models.h"
#include "page/page.h"
#include "record.h"
#include "shadows.h"

G_BEGIN_DECLS

typedef struct _ServeFormat ServeFormat; /* generate.h */

typedef enum
{
  SERVE_LOADING = 0, /* listens; the model is not there yet */
  SERVE_READY,
  SERVE_DRAINING /* was told to stop: what runs is finished, nothing new is taken */
} ServeState;

/**
 * ServeLimits: what one request and all of them together may ask for; parameters of sink.serve.
 * @prompt_tokens, @output_tokens: of one request; 0: what the context allows
 * @waiting, @waiting_tokens: requests, and tokens of their prompts, that may wait
 * @choices: n, at most; @prompts: of one completion; @stops: stop texts; @top_logprobs
 * @deadline: microseconds a request may take, waiting included; 0: any time
 */
typedef struct
{
  gint64 prompt_tokens, output_tokens;
  gint64 waiting, waiting_tokens;
  gint64 choices, prompts, stops, top_logprobs;
  gint64 deadline;
} ServeLimits;

/**
 * Serve: one server.  Members are set before the state is SERVE_READY and stay until the last
 * request has gone; those of parts that are switched off are NULL.
 * @model: the base: its tokenizer and template count for all; @chat: of it
 * @sampling: what a request gets that says nothing
 * @context: tokens of a request, prompt and answer
 * @fingerprint: "fp_…": weights, template and settings: "system_fingerprint"
 * @variables, @tools: for the template, or NULL
 * @feedback_on: whether ratings are collected
 * @started: g_get_real_time()
 * @state: ServeState, atomic
 */
typedef struct _Serve
{
  FrHost *host;
  HttpServer *http;
  LmModel *model;
  LmChat *chat;
  LmScheduler *scheduler;
  LmSampling sampling;
  gsize context;
  JsonObject *variables;
  JsonNode *tools;
  ServeModels *models;
  ServeCache *cache;
  ServeMetrics *metrics;
  ServeKeys *keys;
  ServeAccessLog *log;
  ServeFeedback *feedback;
  gboolean feedback_on;
  ServePage *page;
  ServeAdmin *admin;
  ServeShadows *shadows;
  ServeFormat *format;
  GThreadPool *workers; /* ServeWork: what waits for a disk */
  ServeLimits limits;
  char *fingerprint;
  gint64 started;
  int state;
} Serve;

ServeState serve_state (Serve *serve);

/**
 * serve_work: @work (request, serve) on a thread of its own; the request is held until it returns.
 */
void serve_work (Serve *serve, HttpRequest *request, HttpHandler work);

/** serve_work_run: what the threads of Serve.workers do. */
void serve_work_run (gpointer work, gpointer serve);

/** serve_site_routes: health, figures, the API's document, the page, ratings. */
extern const HttpRoute serve_site_routes[];
/** serve_components: named schemas of /openapi.json; json_object_unref(). */
JsonObject *serve_components (void);

/** serve_admit, serve_done, serve_refused: the server's hooks (http.h). */
void serve_admit (HttpRequest *request, gpointer serve);
void serve_done (HttpRequest *request, gpointer serve);
void serve_refused (const char *reason, gpointer serve);

/**
 * ServeFacts: what is known of a request while it lives: made for each before admit, gone after
 * done, where serve.c makes a ServeRecord of it.  Written by whoever has the request.
 * @client: whose key it was; NULL: no key was needed
 * @name, @served: of ServePick; NULL: it never came to that; @revision: who answered what was kept
 * of the bytes of a reply, where there is no @served; interned
 * @user: the client's "user"
 * @task: the answer being made; freed with the facts, when nobody can call for it any more
 * @body_key, @keep_body: of the first level of the cache: where the reply's bytes go
 * The rest as in ServeRecord.
 */
typedef struct
{
  ServeClient *client;
  const char *name, *revision;
  ServeModel *served;
  char *user;
  ServeCacheState cache;
  const char *stop;
  gboolean fault, stream;
  gint64 wall, queue_us, prefill_us, decode_us, first_us;
  guint64 prompt_tokens, cached_tokens, answer_tokens, max_tokens, n;
  char *request_text, *answer_text;
  gpointer task;
  GDestroyNotify task_free;
  ServeCacheKey body_key;
  gboolean keep_body;
} ServeFacts;

ServeFacts *serve_facts_new (void);
void serve_facts_free (ServeFacts *facts);
/** serve_facts: of @request; never NULL inside admit, handlers and done. */
ServeFacts *serve_facts (HttpRequest *request);

G_END_DECLS

#endif
