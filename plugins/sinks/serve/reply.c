/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c: a request's way from the ids of its prompt to the last byte of its reply.
 *
 *   serve_answer ── pick ── rate ── cache ──hit──────────────────────────▶ reply
 *                                    │ miss                                 ▲
 *                                    ▼                                      │
 *                               lm_scheduler_submit ── pieces ── ends ── settle
 *
 * A Task has the request from http_hold() on.  It is freed with the request's facts, so that a
 * client that leaves at the last moment finds it still there.  Its parts are the choices; only the
 * thread that steps the scheduler touches them.
 */
#include "config.h"

#include <string.h>
#include <sys/random.h>

#include "ask.h"

typedef struct _Task Task;

/**
 * Part: one choice at work.
 * @told: of its logprobs, those that a delta has brought
 * @thought: tokens when the answer began
 */
typedef struct
{
  Task *task;
  guint choice;
  LmThinker *thinker;
  gboolean answers;
  guint told;
  guint64 thought;
} Part;

/**
 * Task:
 * @left: choices that have not ended
 * @status, @code, @message: of the first failure; 0: none
 * @pair: where the shadow's answer goes, beside this one; NULL: no shadow
 * @lock: of @ids, @gone and @pair, which any thread looks at
 */
struct _Task
{
  ServeReply reply; /* first: protocols get this */
  ServeFacts *facts;
  ServePick pick;
  ServePair *pair;
  Part *parts;
  guint left;
  gboolean begun, streams;
  ServeCacheKey key;
  gboolean leads, keeps;
  gint64 expires;
  guint64 ticket;
  guint status;
  const char *code;
  char *message;

  GMutex lock;
  guint64 *ids;
  gboolean gone;
};

void
serve_reply_problem (HttpRequest *request, const ServeProblem *problem)
{
  http_reply_error (request, problem->status, problem->code, problem->param, "%s",
                    problem->message);
}

/* ---- results -------------------------------------------------------------------------------- */

ServeResult *
serve_result_new (guint n)
{
  ServeResult *result = g_new0 (ServeResult, 1);

  result->refs = 1;
  result->n = n;
  result->choices = g_new0 (ServeChoice, n);
  for (guint i = 0; i < n; i++)
    {
      result->choices[i].content = g_string_new (NULL);
      result->choices[i].reasoning = g_string_new (NULL);
    }
  return result;
}

ServeResult *
serve_result_ref (ServeResult *result)
{
  g_atomic_int_inc (&result->refs);
  return result;
}

void
serve_result_unref (ServeResult *result)
{
  if (result == NULL || !g_atomic_int_dec_and_test (&result->refs))
    return;
  for (guint i = 0; i < result->n; i++)
    {
      g_string_free (result->choices[i].content, TRUE);
      g_string_free (result->choices[i].reasoning, TRUE);
      g_clear_pointer (&result->choices[i].logprobs, g_array_unref);
    }
  g_free (result->choices);
  g_free (result);
}

gsize
serve_result_size (const ServeResult *result)
{
  gsize size = sizeof *result;

  for (guint i = 0; i < result->n; i++)
    {
      const ServeChoice *choice = &result->choices[i];

      size += sizeof *choice + 2 * sizeof (GString) + choice->content->allocated_len
              + choice->reasoning->allocated_len;
      if (choice->logprobs != NULL)
        size += choice->logprobs->len * sizeof (LmLikely);
    }
  return size;
}

ServeAsk *
serve_reply_ask (const ServeReply *reply, guint choice)
{
  ServeAsk *first = reply->asks->pdata[0];

  return reply->asks->pdata[choice / first->n];
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static void
task_free (gpointer data)
{
  Task *task = data;

  for (guint i = 0; task->parts != NULL && i < task->reply.result->n; i++)
    lm_thinker_free (task->parts[i].thinker);
  g_free (task->parts);
  serve_pick_clear (&task->pick);
  serve_result_unref (task->reply.result);
  g_ptr_array_unref (task->reply.asks);
  g_free (task->reply.id);
  g_free (task->reply.revision);
  g_free (task->message);
  g_free (task->ids);
  g_mutex_clear (&task->lock);
  g_free (task);
}

static ServeAsk *
first_ask (const Task *task)
{
  return task->reply.asks->pdata[0];
}

static guint64
random_bits (void)
{
  guint64 bits = 0;

  if (getrandom (&bits, sizeof bits, 0) != (gssize) sizeof bits)
    bits = (guint64) g_random_int () << 32 | g_random_int ();
  return bits;
}

/* Ids of answers are not to be guessed: a rating names one. */
static char *
new_id (const ServeProtocol *protocol)
{
  guint64 a = random_bits (), b = random_bits ();

  return g_strdup_printf ("%s%016" G_GINT64_MODIFIER "x%08x", protocol->prefix, a, (guint32) b);
}

static Task *
task_new (Serve *serve, HttpRequest *request, GPtrArray *asks, const ServeProtocol *protocol)
{
  Task *task = g_new0 (Task, 1);
  ServeAsk *ask = asks->pdata[0];
  ServeFacts *facts = serve_facts (request);

  task->reply = (ServeReply){ .serve = serve,
                              .request = request,
                              .protocol = protocol,
                              .asks = asks,
                              .result = serve_result_new (asks->len * ask->n),
                              .id = new_id (protocol),
                              .created = g_get_real_time () / G_USEC_PER_SEC };
  task->facts = facts;
  task->streams = ask->stream && protocol->delta != NULL;
  g_mutex_init (&task->lock);
  facts->task = task;
  facts->task_free = task_free;
  facts->stream = task->streams;
  facts->n = task->reply.result->n;
  facts->max_tokens = ask->sampling.max_tokens;
  g_free (facts->user);
  facts->user = g_strdup (ask->user);
  return task;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void
set_cache_header (Task *task)
{
  const char *word = serve_cache_word (task->facts->cache);

  if (word != NULL)
    http_set_header (task->reply.request, "X-Flowrun-Cache", word);
}

static void
begin_stream (Task *task, GString *out)
{
  task->begun = TRUE;
  set_cache_header (task);
  http_stream_begin (task->reply.request);
  if (task->reply.protocol->begin != NULL)
    task->reply.protocol->begin (&task->reply, out);
}

static void
write_delta (Task *task, const ServeDelta *delta, GString *out)
{
  if (!task->begun)
    begin_stream (task, out);
  task->reply.protocol->delta (&task->reply, delta, out);
}

static void
send (Task *task, GString *out)
{
  if (out->len > 0)
    http_stream_send (task->reply.request, out->str, out->len);
}

/* The whole reply, which may be kept for those who send the same bytes. */
static void
reply_whole (Task *task)
{
  ServeFacts *facts = task->facts;
  GString *out = g_string_sized_new (512);

  task->reply.protocol->whole (&task->reply, out);
  if (facts->keep_body && facts->cache != SERVE_CACHE_NONE && facts->cache != SERVE_CACHE_BYPASS)
    {
      g_autoptr (ServeCached) value
          = serve_cached_new (g_bytes_new (out->str, out->len), out->len + sizeof (ServeCached),
                              (GDestroyNotify) g_bytes_unref, 0);

      value->prompt_tokens = (guint) facts->prompt_tokens;
      value->answer_tokens = (guint) facts->answer_tokens;
      value->stop = facts->stop;
      value->model = facts->name;
      value->revision = g_intern_string (facts->served->id);
      value->expires = task->expires;
      serve_cache_put (task->reply.serve->cache, facts->body_key, value, g_get_monotonic_time ());
    }
  set_cache_header (task);
  http_reply_string (task->reply.request, 200, "application/json", out);
}

/* What a stream of an answer that is there already looks like: each choice in one piece. */
static void
stream_result (Task *task)
{
  g_autoptr (GString) out = g_string_sized_new (1024);
  ServeResult *result = task->reply.result;

  begin_stream (task, out);
  for (guint i = 0; i < result->n; i++)
    {
      const ServeChoice *choice = &result->choices[i];
      guint row = 1 + serve_reply_ask (&task->reply, i)->sampling.n_logprobs;
      guint n = choice->logprobs != NULL ? choice->logprobs->len / row : 0;
      ServeDelta reasoning = { i, TRUE, choice->reasoning->str, choice->reasoning->len, 0, 0 };
      ServeDelta content = { i, FALSE, choice->content->str, choice->content->len, 0, n };

      if (reasoning.len > 0)
        write_delta (task, &reasoning, out);
      write_delta (task, &content, out);
      task->reply.protocol->finish (&task->reply, i, out);
    }
  task->reply.protocol->end (&task->reply, out);
  send (task, out);
  http_stream_end (task->reply.request);
}

/* ---- what stays ----------------------------------------------------------------------------- */

static void
note_facts (Task *task)
{
  const ServeResult *result = task->reply.result;
  ServeFacts *facts = task->facts;

  facts->prompt_tokens = result->prompt_tokens;
  facts->cached_tokens = result->cached_tokens;
  facts->answer_tokens = result->answer_tokens;
  if (result->n > 0 && result->choices[result->n - 1].stop != 0)
    facts->stop = lm_stop_word (result->choices[result->n - 1].stop);
}

/* The first choice, for comparison with the shadow's. */
static void
note_pair (Task *task)
{
  const ServeChoice *choice = &task->reply.result->choices[0];
  g_autofree char *text = NULL;
  ServePair *pair;
  ServeSide side = { .error = task->status != 0 ? task->code : NULL,
                     .stop = task->status == 0 ? lm_stop_word (choice->stop) : NULL,
                     .answer_tokens = choice->tokens,
                     .first_us = task->facts->first_us };

  g_mutex_lock (&task->lock);
  pair = g_steal_pointer (&task->pair);
  g_mutex_unlock (&task->lock);
  if (pair == NULL)
    return;
  side.text = text = serve_shadows_text (choice->reasoning, choice->content);
  side.len = strlen (text);
  side.total_us = g_get_monotonic_time () - http_request_started (task->reply.request);
  serve_pair_answer (pair, FALSE, &side);
}

static void
note_texts (Task *task)
{
  ServeFacts *facts = task->facts;
  g_autoptr (GString) text = NULL;

  if (!serve_access_wants_text (task->reply.serve->log))
    return;
  text = g_string_new (NULL);
  for (guint i = 0; i < task->reply.result->n; i++)
    {
      const ServeChoice *choice = &task->reply.result->choices[i];
      g_autofree char *one = NULL;

      if (i > 0)
        g_string_append_c (text, '\n');
      one = serve_shadows_text (choice->reasoning, choice->content);
      g_string_append (text, one);
    }
  g_free (facts->answer_text);
  facts->answer_text = g_string_free (g_steal_pointer (&text), FALSE);
}

static const char *
system_of (const ServeAsk *ask)
{
  JsonObject *first = ask->messages != NULL && json_array_get_length (ask->messages) > 0
                          ? json_array_get_object_element (ask->messages, 0)
                          : NULL;

  return first != NULL && strcmp (json_object_get_string_member (first, "role"), "system") == 0
             ? json_object_get_string_member_with_default (first, "content", NULL)
             : NULL;
}

/* As the file of ratings has texts: a NUL that a model wrote is U+FFFD. */
static char *
as_text (const GString *written)
{
  return g_utf8_make_valid (written->str, (gssize) written->len);
}

static void
note_feedback (Task *task)
{
  Serve *serve = task->reply.serve;

  if (!serve->feedback_on)
    return;
  for (guint i = 0; i < task->reply.result->n; i++)
    {
      const ServeChoice *choice = &task->reply.result->choices[i];
      const ServeAsk *ask = serve_reply_ask (&task->reply, i);
      g_autofree char *output = as_text (choice->content);
      g_autofree char *reasoning = choice->reasoning->len > 0 ? as_text (choice->reasoning) : NULL;
      ServeFeedbackAnswer answer = { .id = task->reply.id,
                                     .variant = i,
                                     .model = task->reply.name,
                                     .revision = task->reply.revision,
                                     .system = system_of (ask),
                                     .input = ask->input,
                                     .fields = ask->fields,
                                     .output = output,
                                     .reasoning = reasoning };

      serve_feedback_note (serve->feedback, &answer);
    }
}

static void
keep_result (Task *task)
{
  g_autoptr (ServeCached) value
      = serve_cached_new (serve_result_ref (task->reply.result),
                          serve_result_size (task->reply.result) + sizeof (ServeCached),
                          (GDestroyNotify) serve_result_unref, 1);

  value->prompt_tokens = (guint) task->reply.result->prompt_tokens;
  value->answer_tokens = (guint) task->reply.result->answer_tokens;
  value->stop = task->facts->stop;
  value->model = task->reply.name;
  value->revision = g_intern_string (task->pick.model->id);
  serve_cache_put (task->reply.serve->cache, task->key, value, g_get_monotonic_time ());
  task->expires = value->expires;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void fail (Task *task, guint status, const char *code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static void
fail (Task *task, guint status, const char *code, const char *format, ...)
{
  va_list args;

  if (task->status != 0)
    return;
  task->status = status;
  task->code = code;
  va_start (args, format);
  task->message = g_strdup_vprintf (format, args);
  va_end (args);
}

static void
reply_failure (Task *task)
{
  g_autoptr (GString) out = NULL;

  if (!task->begun)
    {
      if (task->status == 503)
        http_reply_busy (task->reply.request, 503, task->code, 1, "%s", task->message);
      else
        http_reply_error (task->reply.request, task->status, task->code, NULL, "%s", task->message);
      return;
    }
  out = g_string_new (NULL);
  task->reply.protocol->failed (&task->reply, task->status, task->code, task->message, out);
  send (task, out);
  http_stream_end (task->reply.request);
}

/* All choices have ended; the request is given back. */
static void
settle (Task *task, GString *out)
{
  HttpRequest *request = task->reply.request;
  Serve *serve = task->reply.serve;
  gboolean good = task->status == 0;

  note_facts (task);
  if (good && task->keeps)
    keep_result (task);
  else if (task->leads)
    serve_cache_abandon (serve->cache, task->key);
  if (good)
    note_feedback (task);
  note_texts (task);
  note_pair (task);
  if (task->facts->client != NULL)
    serve_client_charge (task->facts->client, task->reply.result->answer_tokens,
                         g_get_monotonic_time ());
  if (!good)
    reply_failure (task);
  else if (task->streams)
    {
      task->reply.protocol->end (&task->reply, out);
      send (task, out);
      http_stream_end (request);
    }
  else
    reply_whole (task);
  http_request_unref (request); /* the task may be gone now */
}

/* ---- from the scheduler --------------------------------------------------------------------- */

static void
add_logprobs (ServeChoice *choice, const ServeAsk *ask, const LmPiece *piece)
{
  for (gsize i = 0; i < piece->n_tokens; i++)
    {
      const LmAnswerToken *token = &piece->tokens[i];
      LmLikely row = { token->id, token->logprob };

      if (token->end)
        continue;
      g_array_append_val (choice->logprobs, row);
      for (guint k = 0; k < ask->sampling.n_logprobs; k++)
        {
          row = k < token->n_top ? token->top[k] : (LmLikely){ -1, 0 };
          g_array_append_val (choice->logprobs, row);
        }
    }
}

/* A delta of what was added to @text since @before; it brings the tokens that none has brought. */
static void
tell (Part *part, gboolean reasoning, const GString *text, gsize before, GString *out)
{
  ServeReply *reply = &part->task->reply;
  const ServeChoice *choice = &reply->result->choices[part->choice];
  guint row = 1 + serve_reply_ask (reply, part->choice)->sampling.n_logprobs;
  guint n = choice->logprobs != NULL ? choice->logprobs->len / row : 0;
  ServeDelta delta = { part->choice,       reasoning,  text->str + before,
                       text->len - before, part->told, n - part->told };

  if (delta.len == 0)
    return;
  part->told = n;
  write_delta (part->task, &delta, out);
}

/* Parts text and tells what is new; @text NULL: nothing more comes. */
static LmThink
take_text (Part *part, const char *text, gsize len, GString *out)
{
  Task *task = part->task;
  ServeChoice *choice = &task->reply.result->choices[part->choice];
  gsize content = choice->content->len, reasoning = choice->reasoning->len;
  LmThink think = LM_THINK_NONE;

  if (part->thinker == NULL)
    g_string_append_len (choice->content, text != NULL ? text : "", (gssize) len);
  else if (text != NULL)
    lm_thinker_push (part->thinker, text, len, choice->reasoning, choice->content);
  else
    think = lm_thinker_finish (part->thinker, choice->reasoning, choice->content);
  if (task->streams)
    {
      tell (part, TRUE, choice->reasoning, reasoning, out);
      tell (part, FALSE, choice->content, content, out);
    }
  return think;
}

static void
on_piece (gpointer data, const LmPiece *piece)
{
  Part *part = data;
  Task *task = part->task;
  ServeChoice *choice = &task->reply.result->choices[part->choice];
  g_autoptr (GString) out = g_string_sized_new (512);

  choice->tokens += piece->n_tokens;
  if (choice->logprobs != NULL)
    add_logprobs (choice, serve_reply_ask (&task->reply, part->choice), piece);
  take_text (part, piece->text, piece->len, out);
  if (part->thinker != NULL && !part->answers && lm_thinker_answers (part->thinker))
    {
      part->answers = TRUE;
      part->thought = choice->tokens;
    }
  send (task, out);
}

static void
cancel_all (Task *task)
{
  g_mutex_lock (&task->lock);
  for (guint i = 0; task->ids != NULL && i < task->reply.result->n; i++)
    if (task->ids[i] != 0)
      lm_scheduler_cancel (task->reply.serve->scheduler, task->ids[i]);
  g_mutex_unlock (&task->lock);
}

static void
note_outcome (Part *part, const LmOutcome *outcome)
{
  Task *task = part->task;
  ServeResult *result = task->reply.result;
  ServeFacts *facts = task->facts;
  gboolean first_of_prompt = part->choice % first_ask (task)->n == 0;

  if (first_of_prompt)
    {
      result->prompt_tokens += outcome->prompt_tokens;
      result->cached_tokens += outcome->reused_tokens;
    }
  result->answer_tokens += outcome->answer_tokens;
  result->choices[part->choice].tokens = outcome->answer_tokens;
  result->choices[part->choice].stop = outcome->why;
  facts->queue_us = MAX (facts->queue_us, outcome->queued);
  facts->prefill_us = MAX (facts->prefill_us, outcome->prefill);
  facts->decode_us = MAX (facts->decode_us, outcome->decode);
  if (outcome->first_token > 0 && (facts->first_us == 0 || outcome->first_token < facts->first_us))
    facts->first_us = outcome->first_token;
}

static void
note_failure (Task *task, const LmOutcome *outcome)
{
  gint64 limit = task->reply.serve->limits.deadline;

  switch (outcome->why)
    {
    case LM_STOP_CANCELLED:
      if (http_is_gone (task->reply.request))
        fail (task, 499, "client_left", "the client left");
      else
        fail (task, 503, "shutting_down", "the server is shutting down; the answer was cut off");
      break;
    case LM_STOP_DEADLINE:
      task->facts->fault = TRUE;
      fail (task, 504, "deadline_exceeded",
            "no whole answer within the %.3g s that a request may take here",
            (double) limit / G_USEC_PER_SEC);
      break;
    case LM_STOP_ERROR:
      task->facts->fault = TRUE;
      fail (task, 500, "generation_failed", "the model failed: %s",
            outcome->error != NULL ? outcome->error->message : "it does not say why");
      break;
    default:
      return;
    }
  cancel_all (task); /* the other choices are of no use to anybody */
}

static void
on_end (gpointer data, const LmOutcome *outcome)
{
  Part *part = data;
  Task *task = part->task;
  ServeResult *result = task->reply.result;
  ServeChoice *choice = &result->choices[part->choice];
  g_autoptr (GString) out = g_string_sized_new (512);
  LmThink think = take_text (part, NULL, 0, out);

  note_outcome (part, outcome);
  choice->reasoning_tokens = think == LM_THINK_OPEN     ? choice->tokens
                             : think == LM_THINK_CLOSED ? part->thought
                                                        : 0;
  result->reasoning_tokens += choice->reasoning_tokens;
  if (outcome->why >= LM_STOP_CANCELLED)
    note_failure (task, outcome);
  else if (task->streams && task->status == 0)
    {
      if (!task->begun)
        begin_stream (task, out);
      task->reply.protocol->finish (&task->reply, part->choice, out);
    }
  if (--task->left > 0)
    {
      send (task, out);
      return;
    }
  if (task->status != 0)
    send (task, out);
  settle (task, out);
}

/* ---- to the scheduler ----------------------------------------------------------------------- */

static void
on_gone (HttpRequest *request, gpointer data)
{
  Task *task = data;
  gboolean left = FALSE;

  g_mutex_lock (&task->lock);
  task->gone = TRUE;
  if (task->ticket != 0)
    left = serve_cache_leave (task->reply.serve->cache, task->key, task->ticket);
  task->ticket = 0;
  g_mutex_unlock (&task->lock);
  if (left)
    http_request_unref (request);
  else
    cancel_all (task);
}

static guint64
seed_of (const ServeAsk *ask, guint choice, guint64 drawn)
{
  guint64 seed = ask->seeded ? ask->seed : drawn;

  return seed ^ (guint64) (choice % ask->n) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
}

/* Who waits in whose turn: a key's name, else an address. */
static const char *
client_of (Task *task)
{
  return task->facts->client != NULL ? serve_client_name (task->facts->client)
                                     : http_request_peer (task->reply.request);
}

static LmRequest *
make_requests (Task *task)
{
  ServeResult *result = task->reply.result;
  LmRequest *requests = g_new0 (LmRequest, result->n);
  gint64 limit = task->reply.serve->limits.deadline;
  guint64 drawn = random_bits ();

  task->parts = g_new0 (Part, result->n);
  for (guint i = 0; i < result->n; i++)
    {
      ServeAsk *ask = serve_reply_ask (&task->reply, i);

      task->parts[i] = (Part){ .task = task, .choice = i };
      if (ask->reasoning)
        task->parts[i].thinker = lm_thinker_new (ask->opened);
      if (ask->logprobs)
        result->choices[i].logprobs = g_array_new (FALSE, FALSE, sizeof (LmLikely));
      if (ask->echo)
        g_string_append (result->choices[i].content, ask->text);
      requests[i] = (LmRequest){
        .prompt = (const gint32 *) (gpointer) ask->prompt->data,
        .n_prompt = ask->prompt->len,
        .adapter = task->pick.model->adapter,
        .sampling = &ask->sampling,
        .seed = seed_of (ask, i, drawn),
        .exact = ask->seeded || ask->sampling.temperature <= 0,
        .deadline = limit > 0 ? http_request_started (task->reply.request) + limit : 0,
        .client = client_of (task),
        .piece = on_piece,
        .end = on_end,
        .data = &task->parts[i],
      };
    }
  return requests;
}

/* Says why the scheduler took nothing. */
static void
refuse (Task *task, LmSubmit why, double after, const char *message)
{
  HttpRequest *request = task->reply.request;

  switch (why)
    {
    case LM_SUBMIT_FULL:
      http_reply_busy (request, 429, "queue_full", (guint) CLAMP (after + 0.999, 1, 3600), "%s",
                       message);
      break;
    case LM_SUBMIT_CLOSED:
      http_reply_busy (request, 503, "draining", 1, "the server is shutting down");
      break;
    case LM_SUBMIT_NO_ADAPTER:
      http_reply_error (request, 404, "model_not_found", "model", "%s", message);
      break;
    default:
      http_reply_error (request, 400,
                        why == LM_SUBMIT_TOO_LONG ? "context_length_exceeded" : "invalid_prompt",
                        NULL, "%s", message);
    }
}

/* The last callback of the answer may be there already: it waits for the lock. */
static ServePair *
ask_shadow (Task *task, const LmRequest *like)
{
  Serve *serve = task->reply.serve;
  const ServeAsk *ask = first_ask (task);

  return serve_shadows_ask (serve->shadows, serve->models, serve->scheduler, &task->pick, like,
                            ask->reasoning, ask->opened, task->reply.id,
                            ask->rendered != NULL ? ask->rendered->str : ask->text);
}

/* The task's request is held.  Called by the handler, or by whoever handed the lead over. */
static void
submit (Task *task)
{
  HttpRequest *request = task->reply.request;
  Serve *serve = task->reply.serve;
  g_autofree LmRequest *requests = make_requests (task);
  g_autofree guint64 *ids = g_new0 (guint64, task->reply.result->n);
  g_autoptr (GError) error = NULL;
  double after = 1;
  LmSubmit why;
  gboolean gone;

  /* Callbacks may come before lm_scheduler_submit() returns, the last of them too. */
  http_request_ref (request);
  task->left = task->reply.result->n;
  g_mutex_lock (&task->lock);
  task->ids = g_steal_pointer (&ids);
  why = lm_scheduler_submit (serve->scheduler, requests, task->reply.result->n, task->ids, &after,
                             &error);
  if (why == LM_SUBMIT_OK)
    task->pair = ask_shadow (task, &requests[0]);
  gone = task->gone;
  g_mutex_unlock (&task->lock);
  if (why != LM_SUBMIT_OK)
    {
      if (task->leads)
        serve_cache_abandon (serve->cache, task->key);
      refuse (task, why, after, error != NULL ? error->message : "the scheduler took nothing");
      http_request_unref (request); /* that of http_hold() */
    }
  else if (gone)
    cancel_all (task);
  http_request_unref (request);
}

/* ---- the cache ------------------------------------------------------------------------------ */

static void
hash_settings (ServeCacheHash *hash, const ServeAsk *ask)
{
  const LmSampling *s = &ask->sampling;

  serve_cache_hash_add_double (hash, s->temperature);
  serve_cache_hash_add_double (hash, s->top_p);
  serve_cache_hash_add_double (hash, s->min_p);
  serve_cache_hash_add_double (hash, s->repetition_penalty);
  serve_cache_hash_add_double (hash, s->presence_penalty);
  serve_cache_hash_add_double (hash, s->frequency_penalty);
  serve_cache_hash_add_int (hash, s->top_k);
  serve_cache_hash_add_int (hash, (gint64) s->max_tokens);
  serve_cache_hash_add_int (hash, s->n_logprobs);
  serve_cache_hash_add_int (hash, s->ignore_ends | ask->logprobs << 1 | ask->echo << 2
                                      | ask->reasoning << 3 | ask->seeded << 4 | ask->opened << 5);
  serve_cache_hash_add_int (hash, (gint64) ask->seed);
  serve_cache_hash_add_int (hash, ask->n);
  serve_cache_hash_add (hash, s->bias != NULL ? s->bias->data : NULL,
                        s->bias != NULL ? s->bias->len * sizeof (LmBias) : 0);
  for (guint i = 0; ask->stop != NULL && ask->stop[i] != NULL; i++)
    serve_cache_hash_add_text (hash, ask->stop[i]);
  serve_cache_hash_add_text (hash, NULL);
}

static ServeCacheKey
make_key (Task *task)
{
  ServeCacheHash hash;

  serve_cache_hash_init (&hash, task->reply.serve->cache,
                         task->facts->client != NULL ? serve_client_name (task->facts->client)
                                                     : NULL);
  serve_model_hash (task->pick.model, &hash);
  for (guint i = 0; i < task->reply.asks->len; i++)
    {
      const ServeAsk *ask = task->reply.asks->pdata[i];

      serve_cache_hash_add (&hash, ask->prompt->data, ask->prompt->len * sizeof (gint32));
      if (ask->echo)
        serve_cache_hash_add_text (&hash, ask->text);
    }
  hash_settings (&hash, first_ask (task));
  return serve_cache_hash_end (&hash);
}

/* The answer is @value; the request need not be held. */
static void
reply_cached (Task *task, ServeCached *value)
{
  serve_result_unref (task->reply.result);
  task->reply.result = serve_result_ref (value->data);
  task->expires = value->expires;
  note_facts (task);
  note_feedback (task);
  note_texts (task);
  if (task->streams)
    stream_result (task);
  else
    reply_whole (task);
}

static void
on_landed (gpointer data, ServeCached *value)
{
  Task *task = data;
  HttpRequest *request = task->reply.request;

  g_mutex_lock (&task->lock);
  task->ticket = 0;
  g_mutex_unlock (&task->lock);
  if (value == NULL)
    {
      task->leads = task->keeps = TRUE;
      task->facts->cache = SERVE_CACHE_MISS;
      submit (task);
      return;
    }
  task->facts->cache = SERVE_CACHE_SHARED;
  reply_cached (task, value);
  http_request_unref (request);
}

/* A stream does not wait for another's answer: it wants its first token soon. */
static gboolean
stream_from_cache (Task *task)
{
  g_autoptr (ServeCached) value = NULL;
  ServeFlight flight = serve_cache_begin (task->reply.serve->cache, task->key,
                                          g_get_monotonic_time (), &value, NULL, NULL, NULL);

  task->leads = flight == SERVE_FLIGHT_LEAD;
  task->keeps = flight != SERVE_FLIGHT_HIT;
  if (flight != SERVE_FLIGHT_HIT)
    {
      http_hold (task->reply.request, on_gone, task);
      return FALSE;
    }
  task->facts->cache = SERVE_CACHE_HIT;
  reply_cached (task, value);
  return TRUE;
}

/* TRUE: the request is answered, or will be when the one who computes has landed.  FALSE: it is
 * held, and to be computed. */
static gboolean
answer_from_cache (Task *task)
{
  HttpRequest *request = task->reply.request;
  ServeCache *cache = task->reply.serve->cache;
  g_autoptr (ServeCached) value = serve_cache_look (cache, task->key, g_get_monotonic_time ());
  ServeFlight flight = SERVE_FLIGHT_HIT;
  guint64 ticket = 0;

  if (value == NULL)
    {
      http_hold (request, on_gone, task);
      g_mutex_lock (&task->lock);
      flight = serve_cache_begin (cache, task->key, g_get_monotonic_time (), &value, on_landed,
                                  task, &ticket);
      if (flight == SERVE_FLIGHT_WAIT)
        task->ticket = ticket;
      g_mutex_unlock (&task->lock);
      if (flight == SERVE_FLIGHT_WAIT)
        return TRUE;
      task->leads = flight == SERVE_FLIGHT_LEAD;
      task->keeps = flight != SERVE_FLIGHT_HIT;
      if (flight != SERVE_FLIGHT_HIT)
        return FALSE;
      http_request_unref (request); /* the handler's caller has another */
    }
  task->facts->cache = SERVE_CACHE_HIT;
  reply_cached (task, value);
  return TRUE;
}

/* ---- in ------------------------------------------------------------------------------------- */

static guint64
tokens_of (const GPtrArray *asks)
{
  guint64 n = 0;

  for (guint i = 0; i < asks->len; i++)
    n += ((ServeAsk *) asks->pdata[i])->prompt->len;
  return n;
}

static void
set_quota_headers (HttpRequest *request, const ServeQuota *q)
{
  const struct
  {
    const char *limit, *remaining, *reset;
    guint64 n_limit, n_remaining;
    gint64 us;
  } rows[]
      = { { "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests", q->limit_requests, q->remaining_requests,
            q->reset_requests_us },
          { "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens",
            q->limit_tokens, q->remaining_tokens, q->reset_tokens_us } };
  char text[32];

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      if (rows[i].n_limit == 0)
        continue;
      g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, rows[i].n_limit);
      http_set_header (request, rows[i].limit, text);
      g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, rows[i].n_remaining);
      http_set_header (request, rows[i].remaining, text);
      g_snprintf (text, sizeof text, "%.3fs", (double) rows[i].us / G_USEC_PER_SEC);
      http_set_header (request, rows[i].reset, text);
    }
}

/* FALSE: answered. */
static gboolean
within_rate (HttpRequest *request, ServeFacts *facts, guint64 tokens)
{
  ServeQuota quota = { 0 };
  ServeAccess access;

  if (facts->client == NULL)
    return TRUE;
  access = serve_client_take (facts->client, tokens, g_get_monotonic_time (), &quota);
  set_quota_headers (request, &quota);
  if (access == SERVE_ACCESS_GRANTED)
    return TRUE;
  http_reply_busy (request, 429, "rate_limit_exceeded", quota.retry_after,
                   "this key's rate is used up; the x-ratelimit headers say when it is not");
  return FALSE;
}

gboolean
serve_ready (Serve *serve, HttpRequest *request)
{
  switch (serve_state (serve))
    {
    case SERVE_LOADING:
      http_reply_busy (request, 503, "loading", 2, "Loading model");
      return FALSE;
    case SERVE_DRAINING:
      http_reply_busy (request, 503, "draining", 1, "the server is shutting down");
      return FALSE;
    default:
      return TRUE;
    }
}

gboolean
serve_answer_seen (Serve *serve, HttpRequest *request)
{
  ServeFacts *facts = serve_facts (request);
  const char *control = http_request_header (request, "Cache-Control");
  g_autoptr (ServeCached) value = NULL;
  gsize len;
  const char *body = http_request_body (request, &len);

  if (serve->cache == NULL || control != NULL)
    return FALSE;
  facts->body_key
      = serve_cache_body_key (serve->cache, http_request_path (request),
                              facts->client != NULL ? serve_client_name (facts->client) : NULL,
                              serve_models_split (serve->models), body, len);
  facts->keep_body = TRUE;
  value = serve_cache_look (serve->cache, facts->body_key, g_get_monotonic_time ());
  if (value == NULL)
    return FALSE;
  facts->cache = SERVE_CACHE_HIT;
  facts->name = value->model;
  facts->revision = value->revision;
  facts->prompt_tokens = value->prompt_tokens;
  facts->answer_tokens = value->answer_tokens;
  facts->stop = value->stop;
  facts->n = 1;
  if (!within_rate (request, facts, value->prompt_tokens))
    return TRUE;
  http_set_header (request, "X-Flowrun-Cache", "hit");
  http_reply (request, 200, "application/json", value->data);
  return TRUE;
}

/* FALSE: answered. */
static gboolean
pick (Task *task)
{
  const ServeAsk *ask = first_ask (task);
  ServeFacts *facts = task->facts;
  g_autoptr (GError) error = NULL;
  const char *who = ask->user;

  if (who == NULL)
    who = facts->client != NULL ? serve_client_name (facts->client)
                                : http_request_id (task->reply.request);
  if (!serve_models_pick (task->reply.serve->models, ask->model, who, &task->pick, &error))
    {
      http_reply_error (task->reply.request, 404, "model_not_found", "model", "%s", error->message);
      return FALSE;
    }
  task->reply.name = facts->name = task->pick.name;
  task->reply.revision
      = g_strdup_printf ("%s-%s", task->reply.serve->fingerprint, task->pick.model->id);
  facts->served = serve_model_ref (task->pick.model);
  return TRUE;
}

static void
answer_task (Task *task)
{
  Serve *serve = task->reply.serve;
  HttpRequest *request = task->reply.request;
  GPtrArray *asks = task->reply.asks;
  ServeFacts *facts = task->facts;
  const ServeAsk *ask = first_ask (task);

  if (serve_access_wants_text (serve->log) && ask->rendered != NULL)
    facts->request_text = g_strdup (ask->rendered->str);
  facts->prompt_tokens = tokens_of (asks);
  if (!pick (task) || !within_rate (request, facts, facts->prompt_tokens))
    return;
  facts->cache = serve_cache_allows (serve->cache, ask->sampling.temperature, ask->seeded,
                                     http_request_header (request, "Cache-Control"));
  if (facts->cache == SERVE_CACHE_MISS)
    {
      task->key = make_key (task);
      if (task->streams ? stream_from_cache (task) : answer_from_cache (task))
        return;
    }
  else
    http_hold (request, on_gone, task);
  submit (task);
}

void
serve_answer (Serve *serve, HttpRequest *request, GPtrArray *asks, const ServeProblem *problem,
              const ServeProtocol *protocol)
{
  if (asks != NULL && problem->status == 0)
    {
      answer_task (task_new (serve, request, asks, protocol));
      return;
    }
  g_clear_pointer (&asks, g_ptr_array_unref);
  serve_reply_problem (request, problem);
}

void
serve_answer_one (Serve *serve, HttpRequest *request, ServeAsk *ask, ServeProblem *problem,
                  const ServeProtocol *protocol)
{
  GPtrArray *asks = g_ptr_array_new_with_free_func ((GDestroyNotify) serve_ask_unref);

  if (ask != NULL)
    {
      g_ptr_array_add (asks, ask);
      serve_ask_prepare (serve, ask, problem);
    }
  serve_answer (serve, request, asks, problem, protocol);
}

void
serve_handle (HttpRequest *request, Serve *serve,
              void (*answer) (Serve *serve, HttpRequest *request, JsonObject *body))
{
  g_auto (ServeProblem) problem = { 0 };
  g_autoptr (JsonNode) body = NULL;
  const char *text;
  gsize len;

  if (!serve_ready (serve, request) || serve_answer_seen (serve, request))
    return;
  text = http_request_body (request, &len);
  body = serve_ask_body (text, len, &problem);
  if (body == NULL)
    serve_reply_problem (request, &problem);
  else
    answer (serve, request, json_node_get_object (body));
}
