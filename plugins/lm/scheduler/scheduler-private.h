/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler-private.h: what the parts of the scheduler share.
 *
 *   scheduler.c  life, what any thread may call, adapters, figures
 *   step.c       one pass: who is let in, which rows, what comes of them
 *   task.c       one request: its copy, its answer as it grows, its end
 *   waiting.c    who waits, by client
 *   prefix.c     regions kept for their leading tokens
 *
 * `lock` guards what several threads touch (below); `engine` the decoder and its backend, held by
 * a step while it uses them and by lm_scheduler_add_adapter().  Neither is held in a callback; who
 * holds both took `engine` first.
 */
#ifndef FLOWRUN_LM_SCHEDULER_PRIVATE_H
#define FLOWRUN_LM_SCHEDULER_PRIVATE_H

#include "lm/scheduler.h"

G_BEGIN_DECLS

/* ---- task.c ---------------------------------------------------------------------------------- */

/**
 * LmTask: a request that was taken.
 * @request, @sampling: its own copy; prompt lies in @seen
 * @cancelled: set by any thread, atomic
 * @seen: prompt and answer
 * @reserve: rows that it can need at most
 * @region, @fed: its rows in the cache and how many tokens lie in them; LM_NO_REGION before it is
 * admitted
 * @exact: so many of its rows are as those of a prompt that is computed whole
 * @settled: it is known which of its leading tokens others' rows were taken for
 * @pending: text not yet known to be none of a stop string; @ready: text to be given
 * @fresh: LmAnswerToken not yet given; @tops: their LmLikely, one after the other
 */
typedef struct _LmTask
{
  guint64 id;
  LmRequest request;
  LmSampling sampling;
  gint cancelled;
  gint64 submitted, admitted, first;
  GArray *seen;
  gsize n_prompt, reserve, reused;
  guint64 rng;
  guint region;
  gsize fed, exact;
  gboolean settled;
  LmDetokenizer *detokenizer;
  GString *pending, *ready;
  GArray *fresh, *tops;
  double logprob;
} LmTask;

/** lm_task_new: @context: most tokens of prompt and answer. */
LmTask *lm_task_new (const LmRequest *request, LmTokenizer *tokenizer, gsize context);
void lm_task_free (LmTask *task);
const gint32 *lm_task_tokens (const LmTask *task);
gsize lm_task_n_answer (const LmTask *task);
/** lm_task_answering: its prompt is computed. */
gboolean lm_task_answering (const LmTask *task);
/**
 * lm_task_choose: takes the next token from @logits (changed) and gives away what is certain.
 * Returns why the answer ends with it; 0: it goes on; LM_STOP_ERROR with @error.
 */
LmStop lm_task_choose (LmTask *task, float *logits, gsize n_vocab, gsize context, GError **error);
/** lm_task_finish: makes the last text ready; returns why the answer ended: the last bytes may
 * complete a stop string. */
LmStop lm_task_finish (LmTask *task, LmStop why);
/** lm_task_tell_end: gives the rest and calls the request's end. */
void lm_task_tell_end (LmTask *task, LmStop why, const GError *error);

/* ---- waiting.c ------------------------------------------------------------------------------- */

/** LmWaiting: guarded by `lock`. */
typedef struct
{
  GHashTable *clients; /* name to Client */
  GQueue turns;        /* Client: those with requests; the first is next */
  guint n;
  gsize n_tokens; /* of their prompts */
} LmWaiting;

void lm_waiting_init (LmWaiting *waiting);
void lm_waiting_clear (LmWaiting *waiting);
void lm_waiting_push (LmWaiting *waiting, LmTask *task);
/** lm_waiting_peek: who is next; NULL: nobody. */
LmTask *lm_waiting_peek (LmWaiting *waiting);
/** lm_waiting_pop: takes that one; its client is last in turn then. */
LmTask *lm_waiting_pop (LmWaiting *waiting);
/** lm_waiting_sweep: takes all that @is says so of into @into. */
void lm_waiting_sweep (LmWaiting *waiting, gboolean (*is) (const LmTask *task, gint64 now),
                       gint64 now, GPtrArray *into);

/* ---- prefix.c -------------------------------------------------------------------------------- */

/** LmKept: a region that nobody writes any more, and the tokens in it; @exact: as LmTask's. */
typedef struct
{
  guint region, adapter;
  gint32 *tokens;
  gsize n, exact;
  guint64 used;
} LmKept;

/** LmPrefixes: @rows: of all regions kept. */
typedef struct
{
  LmCache *cache;
  GPtrArray *kept; /* LmKept */
  guint64 clock, evicted;
  gsize rows;
} LmPrefixes;

void lm_prefixes_init (LmPrefixes *prefixes, LmCache *cache);
void lm_prefixes_clear (LmPrefixes *prefixes);
/** lm_common: how many leading tokens are the same. */
gsize lm_common (const gint32 *a, gsize n_a, const gint32 *b, gsize n_b);
/** lm_prefixes_find: the one with most of the leading tokens of @task's prompt, *@common of them;
 * NULL: none.  The last token is not looked for: it is computed always, for its logits. */
LmKept *lm_prefixes_find (LmPrefixes *prefixes, const LmTask *task, gsize *common);
/** lm_prefixes_use: it is the last to be given up from now on. */
void lm_prefixes_use (LmPrefixes *prefixes, LmKept *kept);
/** lm_prefixes_keep: takes @task's region; closes it where another has the same. */
void lm_prefixes_keep (LmPrefixes *prefixes, const LmTask *task);
/** lm_prefixes_evict: gives up the one longest unused, but not @except; FALSE: there is none. */
gboolean lm_prefixes_evict (LmPrefixes *prefixes, const LmKept *except);
/** lm_prefixes_take: forgets @kept; its region is the caller's. */
guint lm_prefixes_take (LmPrefixes *prefixes, LmKept *kept);
void lm_prefixes_drop_adapter (LmPrefixes *prefixes, guint adapter);

/* ---- scheduler.c ----------------------------------------------------------------------------- */

/** LmAdapterUse: guarded by `lock`; @tasks: those taken that name it. */
typedef struct
{
  guint tasks;
  gboolean removed;
} LmAdapterUse;

struct _LmScheduler
{
  LmDecoder *decoder;
  LmTokenizer *tokenizer;
  LmSchedulerOptions options;
  gsize n_vocab;

  GMutex lock, engine;
  GCond changed; /* of what `lock` guards */
  guint guests;  /* threads that want `engine` */
  gboolean woken, closed;
  guint64 last_id;
  GHashTable *tasks;    /* id to LmTask: all that did not end */
  GHashTable *adapters; /* id to LmAdapterUse */
  gboolean stale;       /* there may be one removed that nobody uses */
  LmWaiting waiting;
  LmSchedulerFigures figures;
  double interval; /* microseconds from end to end, smoothed; 0: not known */
  gint64 last_end;

  /* of the thread that steps */
  LmCache *cache;
  LmPrefixes prefixes;
  GPtrArray *running; /* LmTask, in the order they were admitted */
  LmFeed *feeds;
  LmTask **fed;
  float *logits;
  double row_cost, answer_cost; /* microseconds: of a row of a prompt; of a pass of answers alone */
};

/** lm_scheduler_lock_engine: for a step: those who want it otherwise go first. */
void lm_scheduler_lock_engine (LmScheduler *s);
/** lm_scheduler_end_task: ends a task that is in no list any more, and frees it. */
void lm_scheduler_end_task (LmScheduler *s, LmTask *task, LmStop why, const GError *error);
/** lm_scheduler_drop_stale: lets go of adapters removed; with `engine`. */
void lm_scheduler_drop_stale (LmScheduler *s);

G_END_DECLS

#endif
