/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.h: many requests on one decoder at once: they join and leave between tokens.
 *
 * Continuous batching as in Orca (Yu et al., 2022), prompts in chunks beside
 * answers at work as in Sarathi (Agrawal et al., 2023), leading tokens shared as
 * in vLLM's prefix caching (Kwon et al., 2023), adapters mixed in one pass as in
 * Punica (Chen et al., 2023).
 *
 *   any thread    submit ──▶ waiting, by client ──▶ admitted: rows of the cache are its own from
 *                 cancel                            here on ──▶ prompt, in chunks ──▶ tokens ──▶
 * end one thread    lm_scheduler_step(): one pass: a token of every answer at work, and of prompts
 *                 what else fits into `chunk`
 *
 * A request is admitted only when the rows that it can need at most are there, so that nothing runs
 * out of room in the middle.  What a request gives depends on its prompt, adapter, settings and
 * seed alone, not on what runs beside it (bit for bit where the backend's products of a row do not
 * depend on the number of rows, as `reference`'s and `cpu`'s; else to rounding).
 *
 * Threads: one thread at a time steps (and creates and frees).  Everything that says "any thread"
 * may be called at any time between lm_scheduler_new() and lm_scheduler_free(), from callbacks too.
 * Callbacks are called by the thread that steps, never with a lock held.
 */
#ifndef FLOWRUN_LM_SCHEDULER_H
#define FLOWRUN_LM_SCHEDULER_H

#include <glib.h>

#include "lm/decoder.h"
#include "lm/generate.h"

G_BEGIN_DECLS

typedef struct _LmScheduler LmScheduler;

/* ---- room ------------------------------------------------------------------------------------ */

/** lm_kv_tokens: of how many tokens @bytes hold keys and values; lm_kv_bytes: what those of @tokens
 * take. */
gsize lm_kv_tokens (LmDecoder *decoder, guint64 bytes);
guint64 lm_kv_bytes (LmDecoder *decoder, gsize tokens);

/** LmPassFigures: one pass: rows of prompts and of answers, and how long it took. */
typedef struct
{
  gsize prompt_rows, answer_rows;
  gint64 us;
} LmPassFigures;

/**
 * LmSchedulerOptions: 0 (NULL) is the default of each.
 * @max_running: most requests at work at once; 16
 * @context: most tokens of one request, prompt and answer; the model's own; never more than
 * @kv_tokens
 * @kv_tokens: rows of keys and values, all requests together; @max_running × @context
 * @chunk: most tokens of one pass; 512; at least @max_running
 * @stall: microseconds that a pass should last at most while an answer is at work: prompts beside
 * it are cut finer then, by what rows were seen to cost; 0: by @chunk alone, which makes the order
 * of all work independent of time
 * @max_waiting: most requests that wait, besides those there is a free place for; no limit
 * @max_waiting_tokens: most tokens of their prompts; no limit, and one request is let in always
 * @no_reuse: every prompt is computed whole
 * @on_pass: after each pass, or NULL
 */
typedef struct
{
  guint max_running;
  gsize context, kv_tokens, chunk;
  gint64 stall;
  gsize max_waiting, max_waiting_tokens;
  gboolean no_reuse;
  void (*on_pass) (gpointer data, const LmPassFigures *pass);
  gpointer data;
} LmSchedulerOptions;

/**
 * lm_scheduler_new: allocates the cache.
 * @decoder: outlives the scheduler, which alone uses it from now on; @tokenizer is referenced
 * @options: copied; NULL: all defaults
 * @error: FR_ERROR_CONFIG: sizes that cannot be; FR_ERROR_IO: no memory
 */
LmScheduler *lm_scheduler_new (LmDecoder *decoder, LmTokenizer *tokenizer,
                               const LmSchedulerOptions *options, GError **error);
/** lm_scheduler_free: requests that are left end as cancelled first, by callbacks on this thread.
 */
void lm_scheduler_free (LmScheduler *scheduler);
/** lm_scheduler_options: with what was chosen for zeros; owned by the scheduler. */
const LmSchedulerOptions *lm_scheduler_options (LmScheduler *scheduler);

/* ---- requests -------------------------------------------------------------------------------- */

/**
 * LmAnswerToken: one token of an answer.
 * @logprob: of the model's own distribution: before bias, penalties, temperature and cuts
 * @end: it ended the answer and has no text (LM_STOP_END)
 * @top, @n_top: the likeliest of that distribution, largest first, of equals the lower id:
 * LmSampling's n_logprobs of them
 */
typedef struct
{
  gint32 id;
  float logprob;
  gboolean end;
  const LmLikely *top;
  gsize n_top;
} LmAnswerToken;

/**
 * LmPiece: what is new of an answer; valid during the call.
 * @text, @len: whole characters, none of them part of a stop string; may be empty in the last one
 * @tokens: all since the last piece: those that the text was made of, those of an incomplete
 * character or a stop string when the answer ended so, and the one that ended it
 */
typedef struct
{
  const char *text;
  gsize len;
  const LmAnswerToken *tokens;
  gsize n_tokens;
} LmPiece;

/**
 * LmOutcome: how a request ended; valid during the call.
 * @why: LM_STOP_*
 * @error: with LM_STOP_ERROR alone, else NULL
 * @prompt_tokens, @reused_tokens: of the prompt, and those of them that were not computed
 * @answer_tokens: all, the one that ended it too
 * @logprob: sum over them, as LmAnswerToken's
 * @queued, @prefill, @decode: microseconds: until it was admitted, from there until its first
 * token, from there to the end; what it did not come to is 0, and what it was in ends with it
 * @first_token: microseconds from submit to the first token; 0: there was none
 */
typedef struct
{
  LmStop why;
  const GError *error;
  gsize prompt_tokens, reused_tokens, answer_tokens;
  double logprob;
  gint64 queued, prefill, decode, first_token;
} LmOutcome;

/**
 * LmRequest: an answer wanted; everything is copied by lm_scheduler_submit().
 * @prompt: ids, at least one
 * @adapter: as in LmFeed: LM_ADAPTER_OWN (0), LM_ADAPTER_NONE, or what lm_scheduler_add_adapter()
 * gave
 * @sampling: its own settings; max_tokens is capped by the context
 * @seed: of this request alone: the same seed, prompt and settings give the same answer
 * @exact: of its leading tokens only what was computed as a prompt is reused, not what was an
 * answer: the two may differ in rounding, so that an answer could depend on what was asked before
 * @deadline: g_get_monotonic_time() when it is ended as LM_STOP_DEADLINE, wherever it is; 0: none
 * @client: requests of one client wait in order of arrival, clients take turns; those without one
 * (NULL) count as one client
 * @piece: or NULL; @end: called once for every request that was taken, the last of its calls
 * @data: of both
 */
typedef struct
{
  const gint32 *prompt;
  gsize n_prompt;
  guint adapter;
  const LmSampling *sampling;
  guint64 seed;
  gboolean exact;
  gint64 deadline;
  const char *client;
  void (*piece) (gpointer data, const LmPiece *piece);
  void (*end) (gpointer data, const LmOutcome *outcome);
  gpointer data;
} LmRequest;

/**
 * LmSubmit: whether requests were taken.
 * @LM_SUBMIT_OK: they were
 * @LM_SUBMIT_FULL: too much waits already: come again later (HTTP 429)
 * @LM_SUBMIT_TOO_LONG: the prompt leaves no room for a token in the context (400)
 * @LM_SUBMIT_INVALID: no tokens, or some that the model has not (400)
 * @LM_SUBMIT_NO_ADAPTER: no such adapter, or no longer (404)
 * @LM_SUBMIT_CLOSED: lm_scheduler_close() (503)
 */
typedef enum
{
  LM_SUBMIT_OK = 0,
  LM_SUBMIT_FULL,
  LM_SUBMIT_TOO_LONG,
  LM_SUBMIT_INVALID,
  LM_SUBMIT_NO_ADAPTER,
  LM_SUBMIT_CLOSED
} LmSubmit;

/**
 * lm_scheduler_submit: any thread; all of @requests or none of them: several answers to one prompt
 * are as many requests with the same prompt, which is computed once.
 * @ids: room for @n: for lm_scheduler_cancel(); written before any callback can be called; never 0;
 * NULL: not wanted
 * @retry_after: with LM_SUBMIT_FULL: seconds, at least 1, after which room is to be expected, by
 * how fast requests have been leaving; or NULL
 * @error: FR_ERROR_TRANSIENT (full, closed) or FR_ERROR_DATA: says which limit, and what it was
 */
LmSubmit lm_scheduler_submit (LmScheduler *scheduler, const LmRequest *requests, gsize n,
                              guint64 *ids, double *retry_after, GError **error);
/** lm_scheduler_cancel: any thread; the request ends as LM_STOP_CANCELLED after at most the pass at
 * work; FALSE when there is none such (any more). */
gboolean lm_scheduler_cancel (LmScheduler *scheduler, guint64 id);
/** lm_scheduler_cancel_all: any thread. */
void lm_scheduler_cancel_all (LmScheduler *scheduler);
/** lm_scheduler_close: any thread: nothing is taken any more; what was taken goes on. */
void lm_scheduler_close (LmScheduler *scheduler);

/* ---- work ------------------------------------------------------------------------------------ */

/** lm_scheduler_step: the owner's thread: ends what is to be ended, admits, runs one pass; FALSE:
 * there is nothing to do.  What fails in a pass ends the requests in it as LM_STOP_ERROR. */
gboolean lm_scheduler_step (LmScheduler *scheduler);
/**
 * lm_scheduler_wait: the owner's thread: sleeps until there is something to do, lm_scheduler_wake()
 * or the end of @timeout microseconds (negative: none).
 * Returns whether there is something to do.
 */
gboolean lm_scheduler_wait (LmScheduler *scheduler, gint64 timeout);
/** lm_scheduler_wake: any thread: ends a wait, the next one if none is at work. */
void lm_scheduler_wake (LmScheduler *scheduler);

/* ---- adapters -------------------------------------------------------------------------------- */

/**
 * lm_scheduler_add_adapter: any thread; waits for at most the pass at work.
 * @adapter: set to what LmRequest names; never used again for another
 * @error: FR_ERROR_DATA: it is not of this model; FR_ERROR_IO: no memory
 */
gboolean lm_scheduler_add_adapter (LmScheduler *scheduler, LmLora *lora, guint *adapter,
                                   GError **error);
/** lm_scheduler_remove_adapter: any thread: no new request may name it; those taken keep it until
 * they end.  FALSE: there is none such. */
gboolean lm_scheduler_remove_adapter (LmScheduler *scheduler, guint adapter);

/* ---- figures --------------------------------------------------------------------------------- */

/**
 * LmSchedulerFigures: state now, and sums since the start.
 * @running, @waiting: requests; @waiting_tokens: of the prompts of those that wait
 * @kv_tokens: rows there are; @kv_used: reserved by those at work; @kv_kept: held for their leading
 * tokens alone, free when needed
 * @adapters: loaded, those that only wait for their last request too
 * @taken, @refused: requests; @ended: by LmStop
 * @prompt_tokens: of requests admitted; @reused_tokens: of them, not computed: the hits of
 * @prompt_tokens queries; @reusers: requests with any
 * @answer_tokens: chosen
 * @passes, @pass_rows, @pass_time: their number, rows and microseconds together; @last_rows: of the
 * last one
 * @evicted: prefixes given up for room; @moved: times that regions were pushed together
 */
typedef struct
{
  guint running, waiting, adapters;
  gsize waiting_tokens, kv_tokens, kv_used, kv_kept;
  guint64 taken, refused, ended[LM_N_STOPS];
  guint64 prompt_tokens, reused_tokens, reusers, answer_tokens;
  guint64 passes, pass_rows, evicted, moved;
  gint64 pass_time;
  gsize last_rows;
} LmSchedulerFigures;

/** lm_scheduler_figures: any thread: as after the last step, with what was submitted since. */
void lm_scheduler_figures (LmScheduler *scheduler, LmSchedulerFigures *figures);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmScheduler, lm_scheduler_free)

G_END_DECLS

#endif
