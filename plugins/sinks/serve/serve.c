/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c: sink.serve, from parameters to a server and to its end.
 *
 * run() opens the port first, so that health checks have something to look at while the model
 * loads; then it steps the scheduler until the run is cancelled, and drains.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "ask.h"
#include "details.h"
#include "generate.h"
#include "openai.h"
#include "platforms.h"
#include "watch.h"

#define TICK (G_USEC_PER_SEC)
#define TRIM (30 * G_USEC_PER_SEC)
#define LINGER (2 * G_USEC_PER_SEC) /* for replies on their way when all answers are done */
#define WORKERS 2
#define CERTIFICATE_DAYS 14 /* so long before its end it is told of */

typedef struct
{
  char *host;
  gint64 port;
  char *certificate, *key;
  char **origins;
  gint64 threads, connections, connections_per_address;
  guint64 body, headers, stream_buffer;
  gint64 read_timeout, idle_timeout, ping;
  gint64 running, context, chunk, stall;
  guint64 kv;
  gint64 drain;
  JsonNode *format;
  ServeLimits limits;
  LmAnswerConfig answer;
  ServeModelsConfig models;
  ServeCacheConfig cache;
  ServeKeysConfig keys;
  ServeAccessConfig log;
  ServeFeedbackConfig feedback;
} Config;

#define QUIET .flags = FR_PARAM_NO_RESULT

static const FrParam *const params[] = {
  FR_PARAM_STRING ("host", Config, host,
                   "address to listen on; \"0.0.0.0\": all of IPv4; \"::\": all",
                   .def = "127.0.0.1", QUIET),
  FR_PARAM_INT ("port", Config, port, 0, 65535, "port to listen on; 0: any free one", .def = "8080",
                QUIET),
  FR_PARAM_PATH ("certificate", Config, certificate,
                 "PEM file of the TLS certificate and those that signed it", QUIET),
  FR_PARAM_PATH ("key", Config, key, "PEM file of the certificate's private key", QUIET),
  FR_PARAM_STRINGS ("origins", Config, origins,
                    "origins of other sites whose pages may use this server; \"*\": all", QUIET,
                    .example = "[\"https://shop.example\"]"),
  FR_PARAM_JSON ("format", Config, format,
                 "templates that make the question of columns, as in transform.format",
                 .schema = SERVE_FORMAT_SCHEMA,
                 .example = "{\"input\": \"Write a line about {name}[[, for {audience}]].\", "
                            "\"fields\": {\"name\": {\"label\": \"Product\"}}}"),
  LM_ANSWER_SETTINGS (Config, answer, "1024", "-1", "auto"),
  FR_PARAM_INT ("running", Config, running, 1, 4096, "answers at work at once, at most",
                .def = "16", .unit = "requests", QUIET),
  FR_PARAM_INT ("context", Config, context, 0, 1 << 24,
                "tokens of a request, prompt and answer; 0: as the model has it", .def = "0",
                .unit = "tokens"),
  FR_PARAM_SIZE ("kv", Config, kv,
                 "memory for keys and values of all answers at work; 0: what `running` of the "
                 "longest need, up to half of the memory that the stage may use",
                 .def = "0", QUIET),
  FR_PARAM_INT ("chunk", Config, chunk, 16, 1 << 20, "tokens of one pass, at most", .def = "512",
                .unit = "tokens", QUIET),
  FR_PARAM_DURATION ("stall", Config, stall,
                     "what a pass should last at most while an answer is at work: prompts beside "
                     "it are cut finer; 0: by `chunk` alone",
                     .def = "100ms", QUIET),
  FR_PARAM_INT ("prompt_tokens", Config, limits.prompt_tokens, 0, 1 << 24,
                "tokens of a prompt, at most; 0: what the context holds", .def = "0",
                .unit = "tokens", QUIET),
  FR_PARAM_INT ("output_tokens", Config, limits.output_tokens, 0, 1 << 24,
                "max_tokens that a request may ask for; 0: any", .def = "0", .unit = "tokens",
                QUIET),
  FR_PARAM_INT ("choices", Config, limits.choices, 1, 1024, "n that a request may ask for",
                .def = "8", .unit = "answers", QUIET),
  FR_PARAM_INT ("prompts", Config, limits.prompts, 1, 1024, "prompts in one request, at most",
                .def = "16", QUIET),
  FR_PARAM_INT ("stops", Config, limits.stops, 1, 1024, "stop texts of a request, at most",
                .def = "16", QUIET),
  FR_PARAM_INT ("waiting", Config, limits.waiting, 1, 1000000,
                "requests that may wait; beyond: 429", .def = "256", .unit = "requests", QUIET),
  FR_PARAM_INT ("waiting_tokens", Config, limits.waiting_tokens, 1, 1e9,
                "tokens of prompts that may wait; beyond: 429", .def = "262144", .unit = "tokens",
                QUIET),
  FR_PARAM_DURATION ("deadline", Config, limits.deadline,
                     "a request is ended after so long, waiting included; 0: never", .def = "10m",
                     QUIET),
  FR_PARAM_DURATION ("drain", Config, drain,
                     "how long what runs may go on when the server is told to stop", .def = "25s",
                     QUIET),
  FR_PARAM_SIZE ("body", Config, body, "bytes of a request's body, at most", .def = "2MiB", QUIET),
  FR_PARAM_SIZE ("headers", Config, headers, "bytes of a request's line and headers, at most",
                 .def = "16KiB", QUIET),
  FR_PARAM_SIZE ("stream_buffer", Config, stream_buffer,
                 "bytes of a stream that may wait for a slow reader; beyond, it is ended",
                 .def = "1MiB", QUIET),
  FR_PARAM_INT ("connections", Config, connections, 1, 65536, "connections at once, at most",
                .def = "1024", QUIET),
  FR_PARAM_INT ("connections_per_address", Config, connections_per_address, 0, 65536,
                "of them from one address; 0: no limit of their own", .def = "0", QUIET),
  FR_PARAM_DURATION ("read_timeout", Config, read_timeout,
                     "a request must come in whole within this", .def = "30s", QUIET),
  FR_PARAM_DURATION ("idle_timeout", Config, idle_timeout,
                     "a connection may be without a request for so long", .def = "75s", QUIET),
  FR_PARAM_DURATION ("ping", Config, ping, "a stream that is silent for so long gets a comment",
                     .def = "15s", QUIET),
  FR_PARAM_INT ("http_threads", Config, threads, 1, 64, "threads that serve connections",
                .def = "2", QUIET),
  SERVE_MODELS_PARAMS (Config, models),
  SERVE_CACHE_PARAMS (Config, cache),
  SERVE_KEYS_PARAMS (Config, keys),
  SERVE_ACCESS_PARAMS (Config, log),
  SERVE_FEEDBACK_PARAMS (Config, feedback),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("model", FR_PORT_MODEL, "the model that answers", .object = &lm_model_type),
        NULL };

typedef struct
{
  const Config *config;
  Serve serve;
  LmCompute *compute;
  LmDecoder *decoder;
  gint64 ticked, trimmed;
  guint64 answered; /* tokens, at the last tick */
  gboolean idle;    /* and so it was told */
} State;

/* ---- before the run ------------------------------------------------------------------------- */

static gboolean
check_tls (const Config *c, FrProblems *problems)
{
  if ((c->certificate != NULL) == (c->key != NULL))
    return TRUE;
  fr_problems_add (problems, c->certificate != NULL ? "/key" : "/certificate",
                   "a certificate and its private key go together; this one is missing");
  return FALSE;
}

static gboolean
check_format (const Config *c, FrProblems *problems)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ServeFormat) format = c->format != NULL ? serve_format_new (c->format, &error) : NULL;

  if (error != NULL)
    fr_problems_add (problems, "/format", "%s", error->message);
  return error == NULL;
}

/* "/dev/null" is how a variable of a pipeline says that there is none. */
static void
drop_none (char **path)
{
  if (g_strcmp0 (*path, "/dev/null") == 0)
    g_clear_pointer (path, g_free);
}

/* "[::1]" is how a URL writes the address "::1". */
static void
unbracket (char *host)
{
  gsize len = strlen (host);

  if (len < 3 || host[0] != '[' || host[len - 1] != ']')
    return;
  memmove (host, host + 1, len - 2);
  host[len - 2] = '\0';
}

static gboolean
serve_configure (gpointer data, FrProblems *problems)
{
  Config *c = data;
  gboolean ok = lm_answer_configure (&c->answer, problems);

  unbracket (c->host);
  drop_none (&c->certificate);
  drop_none (&c->key);
  drop_none (&c->keys.path);
  drop_none (&c->log.path);
  drop_none (&c->feedback.path);
  ok &= check_tls (c, problems);
  ok &= check_format (c, problems);
  ok &= serve_models_configure (&c->models, problems);
  if (c->headers < 1024)
    {
      fr_problems_add (problems, "/headers", "less than 1 KiB is not enough for any request");
      ok = FALSE;
    }
  return ok;
}

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address != NULL ? g_inet_address_get_is_loopback (address)
                         : strcmp (host, "localhost") == 0;
}

/* Nobody outside reaches a server on loopback. */
static gboolean
serve_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;

  (void) error;
  if (!fr_bind_is_network_denied (bind) || is_loopback (c->host))
    return TRUE;
  fr_bind_problem (bind, "/host",
                   "the network is denied, and '%s' listens to it; 127.0.0.1 answers this machine "
                   "alone",
                   c->host);
  return FALSE;
}

/* ---- parts that need no model --------------------------------------------------------------- */

static void
tell (gpointer data, gboolean warning, const char *text)
{
  if (warning)
    fr_host_warn (data, "%s", text);
  else
    fr_host_info (data, "%s", text);
}

static const HttpHooks hooks
    = { .admit = serve_admit, .done = serve_done, .refused = serve_refused };

static gboolean
open_parts (State *s, FrHost *host, GError **error)
{
  const Config *c = s->config;
  Serve *serve = &s->serve;
  const ServeTeller teller = { tell, host };

  serve->started = g_get_real_time ();
  serve->limits = c->limits;
  serve->feedback_on = c->feedback.path != NULL;
  serve->page = serve_page_new ();
  serve->cache = serve_cache_new (&c->cache);
  serve->shadows = serve_shadows_new ();
  serve->metrics = serve_metrics_new (c->models.name != NULL ? c->models.name : "model");
  serve_metrics_watch (serve->metrics, serve_watch_figures, serve);
  serve->workers = g_thread_pool_new (serve_work_run, serve, WORKERS, FALSE, NULL);
  if (c->format != NULL && (serve->format = serve_format_new (c->format, error)) == NULL)
    return FALSE;
  if (c->keys.path != NULL && (serve->keys = serve_keys_new (&c->keys, &teller, error)) == NULL)
    return FALSE;
  if (c->log.path != NULL && (serve->log = serve_access_open (&c->log, &teller, error)) == NULL)
    return FALSE;
  serve->feedback = serve_feedback_new (&c->feedback, error);
  if (serve->feedback == NULL)
    return FALSE;
  if (serve_feedback_mended (serve->feedback) != NULL)
    fr_host_warn (host, "%s", serve_feedback_mended (serve->feedback));
  if (serve->keys != NULL && serve_keys_has_admin (serve->keys))
    serve->admin = serve_admin_new ();
  return TRUE;
}

static void serve_close (gpointer data);

static gboolean
serve_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  s->config = data;
  s->serve.host = host;
  if (open_parts (s, host, error))
    {
      *state = s;
      return TRUE;
    }
  serve_close (s); /* what of it was made */
  return FALSE;
}

static gboolean
start_http (State *s, GError **error)
{
  static const HttpRoute *const all[]
      = { serve_site_routes,      serve_openai_routes, serve_generate_routes,
          serve_platforms_routes, serve_admin_routes,  NULL };
  static const HttpRoute *const no_admin[]
      = { serve_site_routes, serve_openai_routes, serve_generate_routes, serve_platforms_routes,
          NULL };
  const Config *c = s->config;
  const HttpConfig config = {
    .host = c->host,
    .port = (guint16) c->port,
    .certificate = c->certificate,
    .key = c->key,
    .threads = (guint) c->threads,
    .body_bytes = (gsize) c->body,
    .header_bytes = (gsize) c->headers,
    .connections = (guint) c->connections,
    .connections_per_address = (guint) c->connections_per_address,
    .idle = c->idle_timeout,
    .read = c->read_timeout,
    .ping = c->ping,
    .stream_bytes = (gsize) c->stream_buffer,
    .origins = (const char *const *) c->origins,
    .server = "flowrun/" PACKAGE_VERSION,
  };

  s->serve.http = http_server_new (&config, s->serve.admin != NULL ? all : no_admin, &hooks,
                                   &s->serve, error);
  return s->serve.http != NULL && http_server_start (s->serve.http, error);
}

static void
say_listening (State *s)
{
  gint64 ends = http_server_certificate_ends (s->serve.http);
  g_autoptr (GDateTime) date = ends > 0 ? g_date_time_new_from_unix_utc (ends) : NULL;
  g_autofree char *day = date != NULL ? g_date_time_format (date, "%Y-%m-%d") : NULL;
  gint64 days = (ends - g_get_real_time () / G_USEC_PER_SEC) / (24 * 60 * 60);
  guint most = http_server_most_connections (s->serve.http);

  fr_host_info (s->serve.host, "listening on %s", http_server_url (s->serve.http));
  if (most < (guint) s->config->connections)
    fr_host_warn (s->serve.host,
                  "connections: %u at once, not %" G_GINT64_FORMAT
                  ": this process may not open more files (ulimit -n, LimitNOFILE=)",
                  most, s->config->connections);
  if (ends > 0 && days < CERTIFICATE_DAYS)
    fr_host_warn (s->serve.host,
                  "the certificate ends on %s, in %" G_GINT64_FORMAT
                  " days; a new one counts from the next start on",
                  day != NULL ? day : "?", days);
}

/* ---- parts that need the model -------------------------------------------------------------- */

static gboolean
open_decoder (State *s, GError **error)
{
  Serve *serve = &s->serve;
  const LmAnswerConfig *c = &s->config->answer;
  LmDecoderOptions options = { .type = LM_F32 };

  serve->chat = lm_chat_new (serve->model, error);
  if (serve->chat == NULL)
    return FALSE;
  if (!lm_chat_has_template (serve->chat))
    fr_host_warn (serve->host,
                  "'%s' has no chat template: prompts are the texts of messages, a line each",
                  lm_model_name (serve->model));
  s->compute = lm_compute_open (serve->host, c->backend, fr_host_workers (serve->host), error);
  if (s->compute == NULL)
    return FALSE;
  options.type = lm_type_choose (s->compute, c->type);
  options.int8 = lm_int8_choose (c->weights, c->products);
  s->decoder = lm_decoder_new (serve->model, s->compute, &options, error);
  if (s->decoder == NULL)
    return FALSE;
  lm_answer_sampling (c, serve->model, serve->chat, &serve->sampling);
  serve->variables = c->variables != NULL ? json_node_get_object (c->variables) : NULL;
  serve->tools = c->tools;
  return TRUE;
}

/* Rows of keys and values: as the parameter says, else what all of `running` can need, up to half
 * of the memory there is; one whole request in any case. */
static gsize
kv_rows (State *s, gsize context)
{
  const Config *c = s->config;
  guint64 bytes = c->kv > 0 ? c->kv : fr_host_memory (s->serve.host) / 2;
  gsize most = (gsize) c->running * context;

  return MAX (MIN (lm_kv_tokens (s->decoder, bytes), most), MIN (context, most));
}

static void
on_pass (gpointer data, const LmPassFigures *pass)
{
  const Serve *serve = data;

  serve_metrics_pass (serve->metrics, pass->prompt_rows, pass->answer_rows, pass->us);
  serve_shadows_pass (serve->shadows, serve->scheduler);
}

static gboolean
open_scheduler (State *s, GError **error)
{
  const Config *c = s->config;
  Serve *serve = &s->serve;
  gsize own = lm_model_config (serve->model)->max_position;
  gsize context = c->context > 0 ? MIN ((gsize) c->context, own) : own;
  LmSchedulerOptions options = { .max_running = (guint) c->running,
                                 .context = context,
                                 .kv_tokens = kv_rows (s, context),
                                 .chunk = MAX ((gsize) c->chunk, (gsize) c->running),
                                 .stall = c->stall,
                                 .max_waiting = (gsize) c->limits.waiting,
                                 .max_waiting_tokens = (gsize) c->limits.waiting_tokens,
                                 .on_pass = on_pass,
                                 .data = serve };
  LmTokenizer *tokenizer = lm_model_tokenizer (serve->model, error);

  if (tokenizer == NULL)
    return FALSE;
  if (c->context > 0 && (gsize) c->context > own)
    fr_host_warn (serve->host,
                  "context: %" G_GINT64_FORMAT " tokens; the model has %" G_GSIZE_FORMAT,
                  c->context, own);
  serve->scheduler = lm_scheduler_new (s->decoder, tokenizer, &options, error);
  if (serve->scheduler == NULL)
    return FALSE;
  serve->context = lm_scheduler_options (serve->scheduler)->context;
  return TRUE;
}

static gboolean
add_adapter (gpointer data, LmLora *lora, guint *adapter, GError **error)
{
  return lm_scheduler_add_adapter (((Serve *) data)->scheduler, lora, adapter, error);
}

static void
remove_adapter (gpointer data, guint adapter)
{
  lm_scheduler_remove_adapter (((Serve *) data)->scheduler, adapter);
}

static void
models_changed (gpointer data)
{
  serve_cache_turn (((Serve *) data)->cache);
}

/* Names weights, template and settings: what makes the same question get the same answer. */
static gboolean
set_fingerprint (Serve *serve, GError **error)
{
  g_auto (ServePick) pick = { 0 };
  g_autofree char *text = NULL, *hash = NULL;

  if (!serve_models_pick (serve->models, NULL, "", &pick, error))
    return FALSE;
  text = g_strdup_printf ("%s %s %s", pick.model->base_hash, pick.model->template_hash,
                          PACKAGE_VERSION);
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  serve->fingerprint = g_strdup_printf ("fp_%.10s", hash);
  return TRUE;
}

static gboolean
open_models (State *s, GError **error)
{
  Serve *serve = &s->serve;
  const ServeAdapters adapters = { add_adapter, remove_adapter, models_changed, serve };
  const ServeTeller teller = { tell, serve->host };

  serve->models = serve_models_new (&s->config->models, serve->model, &adapters, &teller, error);
  return serve->models != NULL && set_fingerprint (serve, error);
}

static void
say_kv (State *s)
{
  const LmSchedulerOptions *o = lm_scheduler_options (s->serve.scheduler);
  g_autofree char *size
      = g_format_size_full (lm_kv_bytes (s->decoder, o->kv_tokens), G_FORMAT_SIZE_IEC_UNITS);
  gsize whole = o->kv_tokens / o->context;

  if (whole >= o->max_running)
    fr_host_info (s->serve.host,
                  "keys and values: %s, %" G_GSIZE_FORMAT " tokens: all of %u answers at once may "
                  "fill the context of %" G_GSIZE_FORMAT,
                  size, o->kv_tokens, o->max_running, o->context);
  else
    fr_host_info (s->serve.host,
                  "keys and values: %s, %" G_GSIZE_FORMAT " tokens: %" G_GSIZE_FORMAT
                  " requests of the whole context of %" G_GSIZE_FORMAT
                  ", or %u at once of %" G_GSIZE_FORMAT " tokens, prompt and answer together",
                  size, o->kv_tokens, whole, o->context, o->max_running,
                  o->kv_tokens / o->max_running);
}

static void
say_ready (State *s)
{
  const Serve *serve = &s->serve;
  g_autofree char *backend = s->compute->klass->describe (s->compute);
  g_autoptr (GPtrArray) names = serve_models_names (serve->models);
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (list, i > 0 ? ", '%s'" : "'%s'",
                            ((ServeListed *) names->pdata[i])->name);
  fr_host_info (serve->host, "%s answers on %s (%s, %s)", list->str, http_server_url (serve->http),
                lm_model_name (serve->model), backend);
  say_kv (s);
}

static FrFlow
load (State *s, GError **error)
{
  Serve *serve = &s->serve;
  g_autoptr (FrObject) object = NULL;
  FrFlow flow = fr_host_next_object (serve->host, "model", &object, error);

  if (flow != FR_FLOW_OK)
    return flow;
  serve->model = (LmModel *) g_steal_pointer (&object);
  if (!open_decoder (s, error) || !open_scheduler (s, error) || !open_models (s, error))
    return FR_FLOW_ERROR;
  g_atomic_int_set (&serve->state, SERVE_READY); /* before it is said: who reads that asks at once */
  say_ready (s);
  return FR_FLOW_OK;
}

/* ---- at work -------------------------------------------------------------------------------- */

/* Blocks that requests gave back lie between those that are kept (answers, prefixes), and the
 * allocator keeps the pages: what loading and requests ever took at the same time would stay for
 * good. */
static void
give_memory_back (State *s, gint64 now)
{
  if (now - s->trimmed < TRIM)
    return;
#ifdef __GLIBC__
  malloc_trim (0);
#endif
  s->trimmed = now;
}

static void
tick (State *s, gint64 now)
{
  Serve *serve = &s->serve;
  LmSchedulerFigures figures;
  gboolean idle;

  if (now - s->ticked < TICK)
    return;
  lm_scheduler_figures (serve->scheduler, &figures);
  idle = figures.running == 0 && figures.waiting == 0 && figures.answer_tokens == s->answered;
  if (!idle || !s->idle)
    fr_host_status (serve->host, "%u at work, %u waiting, %.1f tok/s", figures.running,
                    figures.waiting,
                    (double) (figures.answer_tokens - s->answered) * G_USEC_PER_SEC
                        / (double) (now - s->ticked));
  s->idle = idle;
  s->answered = figures.answer_tokens;
  s->ticked = now;
  if (serve->keys != NULL)
    serve_keys_refresh (serve->keys);
  serve_models_tick (serve->models, now);
  give_memory_back (s, now);
}

static void
on_ending (GCancellable *ending, gpointer scheduler)
{
  (void) ending;
  lm_scheduler_wake (scheduler);
}

static void
work (State *s)
{
  Serve *serve = &s->serve;
  GCancellable *ending = fr_host_ending (serve->host);
  gulong id = g_cancellable_connect (ending, G_CALLBACK (on_ending), serve->scheduler, NULL);

  s->ticked = g_get_monotonic_time ();
  while (!g_cancellable_is_cancelled (ending))
    {
      if (!lm_scheduler_step (serve->scheduler))
        lm_scheduler_wait (serve->scheduler, TICK);
      tick (s, g_get_monotonic_time ());
    }
  g_cancellable_disconnect (ending, id);
}

static gboolean
is_idle (Serve *serve)
{
  LmSchedulerFigures figures;

  lm_scheduler_figures (serve->scheduler, &figures);
  return figures.running == 0 && figures.waiting == 0;
}

/* What is at work may finish until @end; then it is cut off, and its clients are told. */
static void
drain (State *s)
{
  Serve *serve = &s->serve;
  gint64 end = g_get_monotonic_time () + s->config->drain, now;

  g_atomic_int_set (&serve->state, SERVE_DRAINING);
  http_server_drain (serve->http);
  lm_scheduler_close (serve->scheduler);
  if (!is_idle (serve))
    fr_host_info (serve->host, "draining: what is at work may go on for %.3g s",
                  (double) s->config->drain / G_USEC_PER_SEC);
  while (!is_idle (serve) && (now = g_get_monotonic_time ()) < end)
    if (!lm_scheduler_step (serve->scheduler))
      lm_scheduler_wait (serve->scheduler, MIN (end - now, TICK / 10));
  if (!is_idle (serve))
    {
      LmSchedulerFigures figures;

      lm_scheduler_figures (serve->scheduler, &figures);
      fr_host_warn (serve->host, "%u answers were cut off when the time to drain had passed",
                    figures.running + figures.waiting);
      lm_scheduler_cancel_all (serve->scheduler);
      while (lm_scheduler_step (serve->scheduler))
        ;
    }
  end = g_get_monotonic_time () + LINGER;
  while (http_server_requests (serve->http) > 0 && g_get_monotonic_time () < end)
    g_usleep (5000);
}

static void
report (State *s)
{
  LmSchedulerFigures figures;

  lm_scheduler_figures (s->serve.scheduler, &figures);
  fr_host_count (s->serve.host, "requests", (gint64) figures.taken);
  fr_host_count (s->serve.host, "refused", (gint64) figures.refused);
  fr_host_count (s->serve.host, "tokens_in", (gint64) figures.prompt_tokens);
  fr_host_count (s->serve.host, "tokens_out", (gint64) figures.answer_tokens);
}

static FrFlow
serve_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  FrFlow flow;

  s->serve.host = host;
  if (!start_http (s, error))
    return FR_FLOW_ERROR;
  say_listening (s);
  flow = load (s, error);
  if (flow != FR_FLOW_OK)
    return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  work (s);
  drain (s);
  report (s);
  return FR_FLOW_OK;
}

/* ---- the end -------------------------------------------------------------------------------- */

/* Connections first, so that nobody asks; then those who work for requests still held, and the
 * scheduler, which ends what is left by callbacks; then what those used. */
static void
serve_close (gpointer data)
{
  State *s = data;
  Serve *serve = &s->serve;

  http_server_free (serve->http);
  serve->http = NULL; /* not sooner: its threads look at it to the end */
  if (serve->workers != NULL)
    g_thread_pool_free (g_steal_pointer (&serve->workers), FALSE, TRUE);
  g_clear_pointer (&serve->admin, serve_admin_free);
  if (serve->scheduler != NULL)
    {
      lm_scheduler_cancel_all (serve->scheduler);
      while (lm_scheduler_step (serve->scheduler))
        ;
    }
  g_clear_pointer (&serve->models, serve_models_free);
  g_clear_pointer (&serve->scheduler, lm_scheduler_free);
  g_clear_pointer (&serve->shadows, serve_shadows_free);
  g_clear_pointer (&serve->cache, serve_cache_free);
  g_clear_pointer (&serve->metrics, serve_metrics_free);
  g_clear_pointer (&serve->keys, serve_keys_free);
  g_clear_pointer (&serve->log, serve_access_close);
  g_clear_pointer (&serve->feedback, serve_feedback_free);
  g_clear_pointer (&serve->page, serve_page_free);
  g_clear_pointer (&serve->format, serve_format_free);
  g_clear_pointer (&serve->sampling.ends, g_array_unref);
  g_clear_pointer (&s->decoder, lm_decoder_free);
  g_clear_pointer (&s->compute, lm_compute_close);
  g_clear_pointer (&serve->chat, lm_chat_free);
  g_clear_pointer (&serve->model, fr_object_unref);
  g_free (serve->fingerprint);
  g_free (s);
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = "sink.serve",
  .revision = 1,
  .flags = FR_ELEMENT_SERVES | FR_ELEMENT_VOLATILE | FR_ELEMENT_UNTRUSTED,
  .summary = "a model that answers over HTTP",
  .details = details,
  .example = "{\"port\": 8080, \"format\": {\"input\": \"Write a line about {name}.\"}}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .configure = serve_configure,
  .bind = serve_bind,
  .open = serve_open,
  .run = serve_run,
  .close = serve_close,
};

FR_PLUGIN ("serve", PACKAGE_VERSION, "language models over HTTP", "Apache-2.0", "flowrun", &element)
