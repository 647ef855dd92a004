/* SPDX-License-Identifier: Apache-2.0 */
/* drive.c: sends requests when they are due, and takes what comes back.
 *
 * Open loop: the times at which requests are due are drawn before anything is
 * known of the answers, and every time is counted from them.  A server that
 * falls behind is thus asked on as people would ask it, and a request that
 * could not even be sent in time has waited already ("coordinated omission",
 * Gil Tene, "How NOT to Measure Latency", 2013).  Arrivals are a Poisson
 * process, as of many people who know nothing of each other, or evenly spaced.
 *
 * Closed loop: so many users, each of whom asks again when the answer is there.
 * A slow server is asked less: good for what a server can do at most, but its
 * latencies say nothing about visitors who do not wait for each other.
 *
 * One thread, one NetClient.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "answer.h"
#include "load.h"

#define TICK (G_USEC_PER_SEC / 4) /* between two looks at the time and lines of progress */
/* Nobody asks again at once where nobody listens. */
#define REST (100 * G_TIME_SPAN_MILLISECOND)
#define GREETING (10 * G_USEC_PER_SEC)

/* ---- the server ------------------------------------------------------------------------------ */

static void
set_secrets (const State *s, NetRequest *request)
{
  const char *key = s->config->key;

  request->bearer = key != NULL && *key != '\0' ? key : NULL;
  request->headers = (const char *const *) s->headers;
}

static gboolean
no_server (const State *s, const char *what, const char *advice, int code, GError **error)
{
  g_set_error (error, FR_ERROR, code, "%s at %s: %s", what, s->config->url, advice);
  return FALSE;
}

gboolean
load_greet (State *s, GError **error)
{
  g_autofree char *url = g_strconcat (s->base, "/v1/models", NULL);
  g_autoptr (GError) local = NULL;
  g_autoptr (NetReply) reply = NULL;
  NetRequest request = { .url = url, .timeout = GREETING };

  set_secrets (s, &request);
  reply = net_client_send (s->client, &request, fr_host_cancellable (s->host), &local);
  if (reply == NULL && g_error_matches (local, FR_ERROR, FR_ERROR_TRANSIENT))
    {
      g_autofree char *advice
          = g_strdup_printf ("%s; is it running, and is the address right?", local->message);

      return no_server (s, "no server answers", advice, FR_ERROR_TRANSIENT, error);
    }
  if (reply == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (reply->status == 401 || reply->status == 403)
    return no_server (s, "the server lets nobody in without the right key",
                      "give it as `key`, {\"env\": NAME} or {\"file\": PATH}", FR_ERROR_CONFIG,
                      error);
  if (s->model == NULL && reply->status == 200)
    s->model = load_models_first ((const char *) reply->body->data, reply->body->len);
  return TRUE;
}

/* ---- rows of requests ------------------------------------------------------------------------ */

enum
{
  ROW_NUMBER,
  ROW_RATE,
  ROW_WARM_UP,
  ROW_DUE,
  ROW_LAG,
  ROW_LATENCY,
  ROW_FIRST,
  ROW_PER_TOKEN,
  ROW_TOKENS,
  ROW_PROMPT_TOKENS,
  ROW_STATUS,
  ROW_OUTCOME,
  ROW_CACHE
};

FrSchema *
load_rows_schema (void)
{
  return fr_schema_new_simple (
      "number", FR_TYPE_INT64, "rate", FR_TYPE_FLOAT64, "warm_up", FR_TYPE_BOOL, "due_s",
      FR_TYPE_FLOAT64, "lag_ms", FR_TYPE_FLOAT64, "latency_ms", FR_TYPE_FLOAT64, "first_token_ms",
      FR_TYPE_FLOAT64, "per_token_ms", FR_TYPE_FLOAT64, "tokens", FR_TYPE_INT64, "prompt_tokens",
      FR_TYPE_INT64, "status", FR_TYPE_INT64, "outcome", FR_TYPE_UTF8, "cache", FR_TYPE_UTF8, NULL);
}

/* A cell that is not appended is null. */
static void
add_ms (FrBuilder *rows, guint column, gint64 from, gint64 to)
{
  if (from > 0 && to > 0)
    fr_cells_append_float (fr_builder_cells (rows, column), (double) (to - from) / 1000);
}

static void
add_int (FrBuilder *rows, guint column, gboolean known, gint64 value)
{
  if (known)
    fr_cells_append_int (fr_builder_cells (rows, column), value);
}

static void
add_word (FrBuilder *rows, guint column, const char *word)
{
  fr_cells_append_str (fr_builder_cells (rows, column), word, strlen (word));
}

static void
add_row (State *s, const LoadStep *step, const LoadDone *done, FrRowId prompt, guint64 number)
{
  gboolean ok = done->outcome == LOAD_OK;
  gint64 tokens = load_tokens (done);

  add_int (s->rows, ROW_NUMBER, TRUE, (gint64) number);
  if (step->rate > 0)
    fr_cells_append_float (fr_builder_cells (s->rows, ROW_RATE), step->rate);
  fr_cells_append_bool (fr_builder_cells (s->rows, ROW_WARM_UP), done->warm_up);
  fr_cells_append_float (fr_builder_cells (s->rows, ROW_DUE),
                         (double) (done->due - s->begin) / G_USEC_PER_SEC);
  add_ms (s->rows, ROW_LAG, done->due, done->sent);
  add_ms (s->rows, ROW_LATENCY, done->due, done->ended);
  add_ms (s->rows, ROW_FIRST, done->due, done->first);
  if (ok && done->first > 0 && tokens > 1 && done->pieces > 1)
    fr_cells_append_float (fr_builder_cells (s->rows, ROW_PER_TOKEN),
                           (double) (done->last - done->first) / 1000 / (double) (tokens - 1));
  add_int (s->rows, ROW_TOKENS, ok, tokens);
  add_int (s->rows, ROW_PROMPT_TOKENS, done->prompt_tokens >= 0, done->prompt_tokens);
  add_int (s->rows, ROW_STATUS, done->status > 0, done->status);
  add_word (s->rows, ROW_OUTCOME, done->outcome);
  if (done->cache != LOAD_CACHE_UNKNOWN)
    add_word (s->rows, ROW_CACHE, done->cache == LOAD_CACHE_HIT ? "hit" : "miss");
  fr_builder_end_row (s->rows, fr_row_id_child (prompt, (guint32) number));
}

static gboolean
pack_rows (State *s, GError **error)
{
  FrBatch *batch = fr_builder_finish (s->rows, error);

  if (batch != NULL)
    g_queue_push_tail (&s->packed, batch);
  return batch != NULL;
}

/* Rows wait for the end of a step: a consumer that is slow must not slow what is measured. */
static FrFlow
push_rows (State *s, GError **error)
{
  FrBatch *batch;

  if (s->rows == NULL)
    return FR_FLOW_OK;
  if (fr_builder_n_rows (s->rows) > 0 && !pack_rows (s, error))
    return FR_FLOW_ERROR;
  while ((batch = g_queue_pop_head (&s->packed)) != NULL)
    {
      FrFlow flow = fr_host_push (s->host, "out", batch, error);

      if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
        return flow;
    }
  return FR_FLOW_OK;
}

/* ---- the loop -------------------------------------------------------------------------------- */

typedef struct
{
  LoadAnswer answer;
  gint64 due, sent;
  guint64 number;
  FrRowId prompt;
  gboolean warm_up, streamed;
} Flight;

typedef struct
{
  State *s;
  LoadStep *step;
  GRand *random;
  GHashTable *flights; /* Flight, owned */
  GString *body;
  gint64 measure, until, rest_until;
  double due;        /* open loop: when the next one is due */
  guint64 n_arrived; /* open loop: since the step began */
  gboolean over, held;
} Drive;

/* When more may be started. */
typedef enum
{
  NEXT_IN = 0, /* after the time given */
  NEXT_AFTER_REPLY,
  NEXT_NEVER
} Next;

static void
flight_free (gpointer data)
{
  Flight *flight = data;

  load_answer_clear (&flight->answer);
  g_free (flight);
}

static guint
n_running (const Drive *d)
{
  return g_hash_table_size (d->flights);
}

static gboolean
settle (Drive *d, const LoadDone *done, FrRowId prompt, guint64 number, GError **error)
{
  load_figures_add (&d->step->figures, done);
  load_timeline_add (&d->s->timeline, done);
  if (d->s->rows == NULL)
    return TRUE;
  add_row (d->s, d->step, done, prompt, number);
  return !fr_builder_full (d->s->rows) || pack_rows (d->s, error);
}

static gboolean
on_body (const NetReply *reply, const char *bytes, gsize len, gpointer data)
{
  const char *type = net_reply_header (reply, "content-type");
  Flight *flight = data;

  if (reply->status != 200 || type == NULL || !g_str_has_prefix (type, "text/event-stream"))
    return TRUE;
  flight->streamed = TRUE;
  load_answer_feed (&flight->answer, bytes, len, g_get_monotonic_time ());
  return TRUE;
}

static const LoadPrompt *
next_prompt (Drive *d)
{
  State *s = d->s;
  guint i = s->config->shuffle ? (guint) g_rand_int_range (d->random, 0, (gint32) s->prompts->len)
                               : (guint) (s->number % s->prompts->len);

  return &g_array_index (s->prompts, LoadPrompt, i);
}

/* A request that was due at @due goes out now; or never, when nobody would wait for it any more. */
static gboolean
start (Drive *d, gint64 due, gint64 now, GError **error)
{
  State *s = d->s;
  const LoadPrompt *prompt = next_prompt (d);
  gint64 left = due + s->config->timeout - now;
  guint32 seed = g_rand_int (d->random) >> 1;
  NetRequest request = { .url = s->ask_url, .on_body = on_body };
  Flight *flight;

  s->number++;
  d->step->n_due += due >= d->measure;
  if (left <= 0)
    {
      LoadDone done = { .due = due,
                        .ended = now,
                        .outcome = LOAD_TIMEOUT,
                        .what = "never sent: too many others were in flight",
                        .tokens = -1,
                        .prompt_tokens = -1,
                        .warm_up = due < d->measure };

      return settle (d, &done, prompt->id, s->number, error);
    }
  flight = g_new0 (Flight, 1);
  load_answer_init (&flight->answer);
  flight->due = due;
  flight->number = s->number;
  flight->prompt = prompt->id;
  flight->warm_up = due < d->measure;
  g_hash_table_add (d->flights, flight);
  g_string_truncate (d->body, 0);
  load_prompt_append (prompt, s->seeded, seed, d->body);
  request.body = d->body->str;
  request.body_len = d->body->len;
  request.timeout = MAX (left, 1000);
  request.on_body_data = flight;
  set_secrets (s, &request);
  flight->sent = g_get_monotonic_time ();
  return net_client_start (s->client, &request, flight, error);
}

/* How long until the next one is due, from @due; of the arrivals' own clock, not of the wall's. */
static void
draw_next (Drive *d)
{
  double gap = (double) G_USEC_PER_SEC / d->step->rate;

  d->n_arrived++;
  if (d->s->config->arrivals == LOAD_CONSTANT)
    d->due = (double) d->step->begin + (double) d->n_arrived * gap;
  else
    d->due -= log (1 - g_rand_double (d->random)) * gap;
}

static gboolean
is_enough (const Drive *d, gint64 due)
{
  guint64 limit = (guint64) d->s->config->requests;

  return due >= d->until || (limit > 0 && d->step->n_due >= limit);
}

static gboolean
start_open (Drive *d, Next *next, gint64 *wait, GError **error)
{
  for (;;)
    {
      gint64 now = g_get_monotonic_time (), due = (gint64) d->due;

      if (d->over || is_enough (d, due))
        {
          d->over = TRUE;
          *next = NEXT_NEVER;
          return TRUE;
        }
      if (due > now)
        {
          *next = NEXT_IN;
          *wait = due - now;
          return TRUE;
        }
      if (n_running (d) >= (guint64) d->s->config->in_flight && now - due < d->s->config->timeout)
        {
          d->step->n_held += !d->held && due >= d->measure;
          d->held = TRUE;
          *next = NEXT_AFTER_REPLY;
          return TRUE;
        }
      d->held = FALSE;
      if (!start (d, due, now, error))
        return FALSE;
      draw_next (d);
    }
}

static gboolean
start_closed (Drive *d, Next *next, gint64 *wait, GError **error)
{
  for (;;)
    {
      gint64 now = g_get_monotonic_time ();

      if (d->over || is_enough (d, now))
        {
          d->over = TRUE;
          *next = NEXT_NEVER;
          return TRUE;
        }
      if (n_running (d) >= (guint64) d->s->config->concurrency)
        {
          *next = NEXT_AFTER_REPLY;
          return TRUE;
        }
      if (now < d->rest_until)
        {
          *next = NEXT_IN;
          *wait = d->rest_until - now;
          return TRUE;
        }
      if (!start (d, now, now, error))
        return FALSE;
    }
}

/* ---- what came back -------------------------------------------------------------------------- */

static const char *
fault_name (NetFault fault)
{
  switch (fault)
    {
    case NET_FAULT_TIMEOUT:
    case NET_FAULT_STALLED:
      return LOAD_TIMEOUT;
    case NET_FAULT_RESOLVE:
    case NET_FAULT_CONNECT:
      return g_intern_static_string ("connect");
    case NET_FAULT_LENGTH:
    case NET_FAULT_OTHER:
      return g_intern_static_string ("broken_off");
    case NET_FAULT_TLS:
      return g_intern_static_string ("tls");
    case NET_FAULT_NONE:
    case NET_FAULT_REFUSED_ADDRESS:
    case NET_FAULT_TOO_LARGE:
    case NET_FAULT_PROTOCOL:
    case NET_FAULT_REDIRECTS:
    default:
      return g_intern_static_string ("malformed");
    }
}

/* Of a status that is no success; the server's own words, without our key. */
static const char *
status_name (const NetReply *reply)
{
  g_autofree char *name = g_strdup_printf ("http_%u", reply->status);

  return g_intern_string (name);
}

static LoadCache
cache_of (const NetReply *reply)
{
  const char *said = net_reply_header (reply, "x-flowrun-cache");

  return g_strcmp0 (said, "hit") == 0    ? LOAD_CACHE_HIT
         : g_strcmp0 (said, "miss") == 0 ? LOAD_CACHE_MISS
                                         : LOAD_CACHE_UNKNOWN;
}

static const char *
answer_name (const LoadAnswer *answer)
{
  return answer->fault == NULL ? g_intern_static_string ("incomplete")
         : answer->refused     ? g_intern_static_string ("error_event")
                               : g_intern_static_string ("malformed");
}

/* What became of a request; @what: more for people, newly allocated or NULL. */
static const char *
judge (const State *s, const NetReply *reply, Flight *flight, char **what)
{
  LoadAnswer *answer = &flight->answer;
  NetRequest request = { .url = s->ask_url, .body = "" };
  g_autoptr (GError) error = NULL;

  *what = NULL;
  set_secrets (s, &request);
  if (!net_reply_check (reply, &request, &error))
    {
      *what = g_strdup (error->message);
      return reply->error != NULL ? fault_name (reply->fault) : status_name (reply);
    }
  if (!flight->streamed)
    load_answer_whole (answer, (const char *) reply->body->data, reply->body->len, reply->ended);
  if (load_answer_is_whole (answer))
    return LOAD_OK;
  *what = g_strdup (answer->fault != NULL ? answer->fault : "the stream ended without an end");
  return answer_name (answer);
}

static gboolean
take (Drive *d, const NetReply *reply, GError **error)
{
  Flight *flight = reply->tag;
  g_autofree char *what = NULL;
  LoadDone done = { .outcome = judge (d->s, reply, flight, &what) };
  gboolean ok;

  done.what = what;
  done.due = flight->due;
  done.sent = flight->sent;
  done.ended = reply->ended;
  done.first = flight->streamed ? flight->answer.first : 0;
  done.last = flight->streamed ? flight->answer.last : 0;
  done.status = reply->status;
  done.tokens = flight->answer.tokens;
  done.prompt_tokens = flight->answer.prompt_tokens;
  done.pieces = flight->answer.pieces;
  done.streamed = flight->streamed;
  done.warm_up = flight->warm_up;
  done.cache = cache_of (reply);
  if (reply->fault == NET_FAULT_CONNECT || reply->fault == NET_FAULT_RESOLVE)
    d->rest_until = reply->ended + REST;
  ok = settle (d, &done, flight->prompt, flight->number, error);
  g_hash_table_remove (d->flights, flight);
  return ok;
}

static void
tell_progress (Drive *d)
{
  const LoadFigures *f = &d->step->figures;
  gint64 now = g_get_monotonic_time ();
  guint64 limit = (guint64) d->s->config->requests;

  if (limit > 0)
    fr_host_progress (d->s->host, f->n, limit, "requests");
  else
    fr_host_progress (d->s->host, (guint64) MAX (now - d->s->begin, 0) / G_USEC_PER_SEC,
                      (guint64) (d->s->config->warmup + d->s->config->seconds) / G_USEC_PER_SEC
                          * d->s->rates->len,
                      "seconds");
  if (now < d->measure)
    fr_host_status (d->s->host, "warming up, %u in flight", n_running (d));
  else
    fr_host_status (d->s->host,
                    "%" G_GUINT64_FORMAT " answered, %.0f ms p50, %.0f ms p%g, %" G_GUINT64_FORMAT
                    " failed, %u in flight",
                    f->n_ok, (double) histogram_percentile (f->latency, 50) / 1000,
                    (double) histogram_percentile (f->latency, d->s->config->percentile) / 1000,
                    d->s->config->percentile, f->n - f->n_ok, n_running (d));
}

static FrFlow
turn (Drive *d, GError **error)
{
  gint64 told = 0;

  for (;;)
    {
      g_autoptr (GError) local = NULL;
      g_autoptr (NetReply) reply = NULL;
      gint64 wait = TICK, now;
      Next next = NEXT_NEVER;

      if (!(d->step->rate > 0 ? start_open (d, &next, &wait, error)
                              : start_closed (d, &next, &wait, error)))
        return FR_FLOW_ERROR;
      if (next == NEXT_NEVER && n_running (d) == 0)
        return FR_FLOW_OK;
      if (n_running (d) > 0)
        reply = net_client_wait (d->s->client, MIN (wait, TICK), fr_host_cancellable (d->s->host),
                                 &local);
      else if (!fr_host_sleep (d->s->host, MIN (wait, TICK)))
        return FR_FLOW_CANCELLED;
      if (local != NULL)
        return FR_FLOW_CANCELLED;
      if (reply != NULL && !take (d, reply, error))
        return FR_FLOW_ERROR;
      now = g_get_monotonic_time ();
      if (now - told > TICK)
        {
          tell_progress (d);
          told = now;
        }
    }
}

static FrFlow
drive (Drive *d, GError **error)
{
  const Config *c = d->s->config;

  d->step->begin = g_get_monotonic_time ();
  d->measure = d->step->begin + c->warmup;
  d->until = c->seconds > 0 ? d->measure + c->seconds : G_MAXINT64;
  d->due = (double) d->step->begin;
  if (d->step->rate > 0)
    draw_next (d);
  return turn (d, error);
}

FrFlow
load_drive (State *s, LoadStep *step, GError **error)
{
  Drive d = { .s = s,
              .step = step,
              .random = g_rand_new_with_seed (
                  (guint32) fr_host_random (s->host, (FrRowId){ 0 }, s->steps->len)),
              .flights = g_hash_table_new_full (NULL, NULL, flight_free, NULL),
              .body = g_string_new (NULL) };
  FrFlow flow = drive (&d, error);

  if (flow != FR_FLOW_OK)
    g_clear_pointer (&s->client, net_client_free); /* before what its transfers write to */
  g_hash_table_unref (d.flights);
  g_string_free (d.body, TRUE);
  g_rand_free (d.random);
  return flow == FR_FLOW_OK ? push_rows (s, error) : flow;
}
