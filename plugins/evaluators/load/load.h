/* SPDX-License-Identifier: Apache-2.0 */
/* load.h: between the files of evaluator.load.
 *
 *   load.c       parameters, ports, the order of things
 *   prompts.c    rows to requests
 *   drive.c      sends them when they are due, and takes what comes back
 *   answer.c     reads what comes back         (pure; fuzzed)
 *   figures.c    counts                        (pure)
 *   histogram.c  times                         (pure)
 *   tell.c       report, page, limits
 */
#ifndef FLOWRUN_LOAD_LOAD_H
#define FLOWRUN_LOAD_LOAD_H

#include <flowrun/flowrun.h>

#include "figures.h"
#include "net/http.h"

G_BEGIN_DECLS

typedef enum
{
  LOAD_API_CHAT,
  LOAD_API_COMPLETIONS,
  LOAD_API_GENERATE
} LoadApi;

typedef enum
{
  LOAD_POISSON,
  LOAD_CONSTANT
} LoadArrivals;

typedef struct
{
  char *url, *key, *model, *template;
  FrPair *headers;
  int api, arrivals; /* LoadApi, LoadArrivals */
  gint64 prompts;
  gint64 max_tokens;
  double temperature;
  JsonNode *settings;
  gboolean stream, shuffle;
  double rate;
  JsonNode *rates;
  gint64 concurrency, in_flight, requests;
  gint64 warmup, seconds, timeout; /* microseconds */
  double percentile, errors, least_rate;
  gint64 objective, first_token, per_token; /* microseconds */
} Config;

/** LoadPrompt: a row as the body of a request, without what differs each time. */
typedef struct
{
  FrRowId id;
  char *head; /* JSON up to its last brace */
  gsize len;
} LoadPrompt;

/** LoadStep: one rate, or one number of users, and what came of it. */
typedef struct
{
  double rate; /* 0: a closed loop */
  LoadFigures figures;
  LoadVerdict verdicts[LOAD_N_BY];
  gboolean met;
  gint64 begin;   /* when measuring began */
  guint64 n_due;  /* requests that came due while measuring */
  guint64 n_held; /* of them: those that had to wait for others, by in_flight */
} LoadStep;

typedef struct
{
  const Config *config;
  FrHost *host;
  GArray *prompts; /* LoadPrompt */
  guint64 n_left;  /* rows beyond `prompts`, as far as was seen */
  NetClient *client;
  char *base, *ask_url; /* the server, without a slash at its end; where it is asked */
  char *model;
  char **headers;
  GArray *rates;    /* double; one 0: a closed loop */
  GPtrArray *steps; /* LoadStep; those that were run */
  LoadTimeline timeline;
  gint64 begin;    /* when the first step began */
  guint64 number;  /* requests so far */
  gboolean seeded; /* the settings have a seed of their own */
  FrBuilder *rows; /* NULL: nobody reads `out` */
  GQueue packed;   /* FrBatch, full ones of this step */
} State;

/* ---- prompts.c ------------------------------------------------------------------------------- */

/** load_prompts_bind: whether rows of @schema can be asked. */
gboolean load_prompts_bind (const Config *config, FrSchema *schema, FrBind *bind, GError **error);
/** load_prompts_read: fills state->prompts from port "in". */
FrFlow load_prompts_read (State *state, GError **error);
/** load_prompt_append: the whole body of a request; @seed: where the settings have none. */
void load_prompt_append (const LoadPrompt *prompt, gboolean seeded, guint32 seed, GString *body);
void load_prompt_clear (gpointer prompt);

/* ---- drive.c --------------------------------------------------------------------------------- */

/** load_rows_schema: of port "out"; fr_schema_unref(). */
FrSchema *load_rows_schema (void);
/** load_greet: whether the server is there, and which model it has; FR_ERROR_TRANSIENT or
 * FR_ERROR_CONFIG. */
gboolean load_greet (State *state, GError **error);
/** load_drive: one step, from its warm-up to its last answer. */
FrFlow load_drive (State *state, LoadStep *step, GError **error);

/* ---- tell.c ---------------------------------------------------------------------------------- */

/** load_best: index of the last step in a row from the first that all meet the objective; -1. */
int load_best (const State *state);
/** load_tell: report, views, metrics, limits. */
FrFlow load_tell (State *state, GError **error);
/** load_tell_step: a line about a step that has ended. */
void load_tell_step (State *state, const LoadStep *step);

G_END_DECLS

#endif
