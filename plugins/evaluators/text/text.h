/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: what the files of evaluator.text share.
 *
 *   text.c    the element: parameters, ports, bind, run
 *   look.c    the first reading: units that suit the text, leaks
 *   rows.c    the second: questions, answers, statistics, rows out
 *   tell.c    report, views, limits
 */
#ifndef FLOWRUN_EVALUATE_TEXT_H
#define FLOWRUN_EVALUATE_TEXT_H

#include <flowrun/flowrun.h>

#include "evaluators/stats/added.h"
#include "evaluators/stats/tally.h"
#include "lm/answer.h"
#include "text/leak.h"
#include "text/near.h"
#include "text/score.h"

typedef struct
{
  char *input;
  char *reference, *candidate, *baseline; /* columns */
  char **metrics;
  int tokenize; /* Tokenize */
  gboolean strip_think;
  char **by;
  char *rank_by;
  gint64 examples, samples, resamples;
  double level;
  double leak_share, leak_near;
  JsonNode *fail_under, *fail_over;
  LmAnswerConfig answer;
} Config;

typedef enum
{
  TOKENIZE_AUTO = 0,
  TOKENIZE_13A,
  TOKENIZE_ZH,
  TOKENIZE_ZH_FIXED,
  TOKENIZE_CHAR,
  TOKENIZE_WORDS,
  TOKENIZE_INTL,
  TOKENIZE_NONE
} Tokenize;

/* Statistics of a row beside the scorer's; behind them. */
enum
{
  EXTRA_ROWS,
  EXTRA_ANSWERED, /* texts that a model gave */
  EXTRA_CUT,      /* of them ended by max_tokens or the context */
  EXTRA_THINK,    /* texts with reasoning, ended or not */
  EXTRA_OPEN,     /* of them not ended */
  EXTRA_EMPTY,    /* nothing is left to score */
  N_EXTRA
};

/* Columns added to the rows, where there is something to put there; those of scores follow. */
enum
{
  ADD_REFERENCE,
  ADD_CANDIDATE,
  ADD_BASELINE,
  ADD_STOP,
  ADD_GAIN,
  ADD_LEAK,
  ADD_LEAK_SHARE,
  ADD_LEAK_NEAR,
  N_ADD
};

/** Source: where a text of a row comes from: a column, or the last message. */
typedef struct
{
  int column;
  LmRecord *record; /* NULL: a column */
} Source;

/** Figures: what is scored: the scorer's figures and our own. */
typedef struct
{
  TextScorer *scorer;
  gsize width;       /* of the scorer's statistics */
  GArray *figures;   /* TallyFigure */
  GPtrArray *data;   /* what they point to */
  GArray *of_row;    /* gsize: the scorer's figures that rows get, by their number there */
  gsize rank;        /* the scorer's figure that rows are ranked by */
  gboolean lower;    /* of that, lower is better */
  GArray *columns;   /* AddedColumn */
  int at[N_ADD];     /* where each of ours stands among them; -1: nowhere */
  guint scores;      /* where those of of_row begin */
  gboolean baseline; /* two columns each, the baseline's second */
} Figures;

/** Verdict: what training knows of a row. */
typedef struct
{
  gboolean same, question, grams, near;
  double share, index; /* of 13-grams found; of the nearest training row */
} Verdict;

/** Shown: a row with its texts, kept for the report. */
typedef struct
{
  double key; /* the larger, the sooner it is kept */
  guint64 at; /* its number, so that equal keys have an order */
  char *id, *question, *reference, *texts[TALLY_N_SYSTEMS];
  double scores[TALLY_N_SYSTEMS];
} Shown;

typedef struct
{
  const Config *config;
  FrHost *host;
  LmAnswerer *answerers[TALLY_N_SYSTEMS]; /* NULL: from a column */
  Source texts[TALLY_N_SYSTEMS];          /* where a column; record NULL, column -1: none */
  gboolean beside[TALLY_N_SYSTEMS];       /* the column is one of port "candidates" */
  gboolean has_baseline, has_train, has_beside;
  gint64 samples;
  Source reference, train_text;
  LmRecord *question, *train_question; /* NULL: rows have none */
  Figures figures;
  gboolean chinese; /* what "auto" saw */
  guint64 n_seen, n_seen_suited;
  Tally *tally;
  TextDistinct *distinct[TALLY_N_SYSTEMS];
  GArray *sample_sums[TALLY_N_SYSTEMS]; /* double, [samples, width] */

  TextLeak *leak;
  TextNear *near;
  GHashTable
      *questions; /* guint64 *: hashes of the rows' questions; value: whether training asks it */
  GArray *question_of_row; /* guint64 */
  guint64 n_train, n_same, n_question, n_grams, n_near, n_leaking;

  guint64 n_rows, n_in, n_rejected;
  GPtrArray *gains, *losses, *some; /* Shown */
} State;

/* ---- text.c ---- */

/** figures_make: @chinese: what "auto" is; @baseline, @leak: whether there are a baseline and
 * training rows. */
gboolean figures_make (Figures *figures, const Config *config, gboolean chinese, gboolean baseline,
                       gboolean leak, GError **error);
void figures_clear (Figures *figures);
/** source_text: the row's text; NULL: it has none; g_free(). */
char *source_text (const Source *source, const FrBatch *batch, gsize row);
void shown_free (gpointer shown);
/** ask_text: what the row asks, for people; NULL: nothing; g_free(). */
char *question_text (LmRecord *record, const FrBatch *batch, gsize row);

/* ---- look.c ---- */

/** look_at_rows: reads `in`, and `train` where it is; FR_FLOW_OK when all is well. */
FrFlow look_at_rows (State *s, GError **error);
/** verdict_of: row @at of `in`. */
Verdict verdict_of (const State *s, guint64 at);

/* ---- rows.c ---- */

/** score_rows: reads `in` again, answers, scores, and pushes rows out. */
FrFlow score_rows (State *s, GError **error);

/* ---- tell.c ---- */

/** tell: when all rows are scored. */
FrFlow tell (State *s, GError **error);

#endif
