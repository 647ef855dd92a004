/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h: what a load test counts of its requests, and what it is judged by.
 *
 * What goes into which figure:
 *
 *   latency     from the moment a request was due to its last byte: of requests that were answered,
 *               and of those that ran into the time-out, which took at least that long.  Other
 *               failures are left out: a server that refuses quickly must not look quick.  They
 *               count in the share of errors.
 *   first       from the moment it was due to the first piece of text of a stream
 *   per_token   of an answer of at least two tokens: from its first piece to its last, by its
 *               tokens less one
 *   lag         from the moment it was due to the moment it was sent: what the machine that
 *               measures, or its limit of requests in flight, added
 *
 * All in microseconds; requests of the warm-up are counted, and nothing else.
 */
#ifndef FLOWRUN_LOAD_FIGURES_H
#define FLOWRUN_LOAD_FIGURES_H

#include <glib.h>

#include "histogram.h"

G_BEGIN_DECLS

typedef enum
{
  LOAD_CACHE_UNKNOWN = 0, /* the server does not say */
  LOAD_CACHE_MISS,
  LOAD_CACHE_HIT
} LoadCache;

/* Outcomes; failures have names of their own ("http_429", "connect"), interned. */
#define LOAD_OK g_intern_static_string ("ok")
#define LOAD_TIMEOUT g_intern_static_string ("timeout")

/**
 * LoadDone: one request, over.
 * @due, @sent, @first, @last, @ended: g_get_monotonic_time(); @sent 0: it was never sent; @first,
 * @last 0: no piece of text came, or not as a stream
 * @outcome: LOAD_OK or the kind of failure, interned
 * @what: more about a failure, for people; NULL
 * @tokens, @prompt_tokens: -1: not known; @pieces: of text, where it came as a stream
 * @streamed: it came as events
 */
typedef struct
{
  gint64 due, sent, first, last, ended;
  const char *outcome, *what;
  guint status;
  gint64 tokens, prompt_tokens;
  guint64 pieces;
  gboolean streamed, warm_up;
  LoadCache cache;
} LoadDone;

/** LoadKind: a kind of failure. */
typedef struct
{
  guint64 n;
  char *what; /* of the first; NULL */
} LoadKind;

/** LoadFigures: of one step. */
typedef struct
{
  Histogram *latency, *first, *per_token, *lag;
  guint64 n, n_ok, n_timeouts, n_warm_up, n_hits, n_misses, n_unsent;
  guint64 n_estimated; /* answers whose tokens the server did not count: their pieces stand in */
  guint64 n_whole;     /* answers that came in one piece */
  guint64 n_empty;     /* answers without text */
  gint64 tokens, prompt_tokens;
  gint64 begin, end; /* first request due, last one over; 0: none was */
  GHashTable *kinds; /* interned name → LoadKind */
} LoadFigures;

void load_figures_init (LoadFigures *figures);
void load_figures_clear (LoadFigures *figures);
void load_figures_add (LoadFigures *figures, const LoadDone *done);

/** load_tokens: of an answer: the server's count, or else its pieces. */
gint64 load_tokens (const LoadDone *done);
/** load_figures_seconds: from the first request due to the last one over. */
double load_figures_seconds (const LoadFigures *figures);
/** load_figures_qps: answers a second of that time; load_figures_tps: their tokens. */
double load_figures_qps (const LoadFigures *figures);
double load_figures_tps (const LoadFigures *figures);
/** load_figures_errors: the share of requests that failed; NaN of none. */
double load_figures_errors (const LoadFigures *figures);

/* ---- objectives ------------------------------------------------------------------------------ */

/** LoadObjective: what a step must reach; 0: nothing is asked (@errors: below 0).  Microseconds. */
typedef struct
{
  double percentile;
  gint64 latency, first, per_token;
  double errors;
} LoadObjective;

typedef enum
{
  LOAD_BY_LATENCY,
  LOAD_BY_FIRST,
  LOAD_BY_PER_TOKEN,
  LOAD_BY_ERRORS,
  LOAD_N_BY
} LoadBy;

/** LoadVerdict: of one objective: milliseconds, or shares for LOAD_BY_ERRORS; @value NaN: nothing
 * was measured, which meets nothing. */
typedef struct
{
  gboolean asked, met;
  double value, limit;
} LoadVerdict;

/** load_judge: fills @verdicts; TRUE: every objective that is asked is met. */
gboolean load_judge (const LoadFigures *figures, const LoadObjective *objective,
                     LoadVerdict verdicts[LOAD_N_BY]);

/* ---- over time ------------------------------------------------------------------------------- */

/** LoadSlot: requests due in a span of time (@due, @latency, @first), and those over in it. */
typedef struct
{
  guint64 due, ok, failed;
  gint64 tokens;
  Histogram *latency, *first; /* NULL: none */
} LoadSlot;

/** LoadTimeline: spans of equal length from a beginning; as they grow many, each two become one. */
typedef struct
{
  gint64 begin, width;
  GArray *slots; /* LoadSlot */
} LoadTimeline;

/* Spans at most, and how long one is at first. */
#define LOAD_SLOTS 240
#define LOAD_SLOT (G_USEC_PER_SEC / 4)

/** load_timeline_init: @begin: the earliest time there can be. */
void load_timeline_init (LoadTimeline *timeline, gint64 begin);
void load_timeline_clear (LoadTimeline *timeline);
/** load_timeline_add: requests of a warm-up too. */
void load_timeline_add (LoadTimeline *timeline, const LoadDone *done);
/** load_timeline_fold: until there are at most @n spans. */
void load_timeline_fold (LoadTimeline *timeline, guint n);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LoadFigures, load_figures_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LoadTimeline, load_timeline_clear)

G_END_DECLS

#endif
