/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h: scores of one or two systems over the same rows, and what is told of them.
 *
 * A tally keeps the statistics of every row (stats.h) for each system: the
 * candidate and, where there is one, the baseline.  From them come scores with
 * intervals, the gain of the candidate over the baseline with its interval and
 * p, the same for every value of a label column, limits, JSON and views.
 *
 * Evaluators own what the statistics mean; here they are numbers that add up.
 */
#ifndef FLOWRUN_TALLY_H
#define FLOWRUN_TALLY_H

#include <flowrun/flowrun.h>

#include "stats.h"

G_BEGIN_DECLS

typedef enum
{
  TALLY_CANDIDATE = 0,
  TALLY_BASELINE,
  TALLY_N_SYSTEMS
} TallySystem;

/**
 * TallyFigure: a score.
 * @name: key in JSON and limits: "bleu"
 * @title: for people: "BLEU"
 * @unit: what a token is; "" or NULL for nothing
 * @scale: what its gains are drawn in, and beside which others: "points of 100", "nats"
 * @factor: from the score to @scale: 100 for a share; 0 is 1
 * @better: 1 higher, -1 lower, 0 neither
 * @main: it gets an interval, is compared, and stands in tables; others explain
 * @first, @n: the statistics that it depends on; the others of @score's argument are 0
 * @score: from summed statistics [width of the tally] to the score; with @data
 */
typedef struct
{
  const char *name, *title, *unit, *scale;
  double factor;
  int better;
  gboolean main;
  gsize first, n;
  StatsScore score;
  gpointer data;
} TallyFigure;

typedef struct _Tally Tally;

/**
 * tally_new:
 * @figures: [n]; copied, but not what they point to
 * @width: statistics of a row
 * @candidate, @baseline: what the systems are called; @baseline NULL: there is none
 * @options: of all resampling
 */
Tally *tally_new (const TallyFigure *figures, gsize n, gsize width, const char *candidate,
                  const char *baseline, const StatsOptions *options);
void tally_free (Tally *tally);

/** tally_slice_by: rows are told apart by the column @name too; returns its number.  Before the
 * first row. */
guint tally_slice_by (Tally *tally, const char *name);
/**
 * tally_add: a row.
 * @candidate, @baseline: [width] each; @baseline NULL without one
 * @labels: [columns of tally_slice_by()], valid UTF-8; NULL without any
 */
void tally_add (Tally *tally, const double *candidate, const double *baseline,
                const char *const *labels);
gsize tally_n_rows (const Tally *tally);
gboolean tally_has_baseline (const Tally *tally);

/** tally_value: a figure over all rows; NAN where there are none. */
double tally_value (const Tally *tally, gsize figure, TallySystem system);

/**
 * tally_work: all resampling; before what follows.
 * @host: told how far it is; FALSE with FR_ERROR_CANCELLED when the run is
 */
gboolean tally_work (Tally *tally, FrHost *host, GError **error);

/** tally_scores_json: {figure: {value, low, high, sd, better, unit, baseline: {…}, gain: {value,
 * low, high, p}}}. */
JsonNode *tally_scores_json (Tally *tally);
/** tally_slices_json: {column: [{value, rows, scores: {figure: {value, baseline, gain}}}]}, the
 * largest first; NULL without columns. */
JsonNode *tally_slices_json (Tally *tally);

/** tally_add_views: the table of scores, the gains with whiskers, a table for each column. */
void tally_add_views (Tally *tally, FrViews *views);
/** tally_add_details: the table of figures that only explain; nothing where there are none. */
void tally_add_details (Tally *tally, FrViews *views);

/* JSON Schema of a parameter that holds limits; a text is a variable that stands for a number. */
#define TALLY_LIMITS_SCHEMA                                                                        \
  "{\"type\": \"object\", \"additionalProperties\": {\"type\": [\"number\", \"string\"], "         \
  "\"pattern\": \"^\\\\$\\\\{[A-Za-z_][A-Za-z0-9_]*\\\\}$\"}}"

/**
 * tally_check_limits: reports limits that name nothing: in configure.
 * @limits: {name: number}, or NULL
 * @figures, @extra: names there may be, each NULL-terminated; each also as "gain.NAME"; @extra
 * without gain; may be NULL
 */
gboolean tally_check_limits (JsonNode *limits, const char *pointer, const char *const *figures,
                             const char *const *extra, FrProblems *problems);
/**
 * tally_hold_limits: fr_host_limit_passed() for each limit passed.
 * @under: a lower score is too low; @over: a higher one too high; may be NULL
 * @extra: scores of the caller by name, as {name: number}; may be NULL
 *
 * Returns an array of what was looked at, for the report: {name, limit, value, passed}.
 */
JsonNode *tally_hold_limits (Tally *tally, FrHost *host, JsonNode *under, JsonNode *over,
                             JsonObject *extra);

/**
 * tally_bind_limits: tells the stages behind output port "report", before the run, which limits its
 * report will hold.
 * @under, @over: as for tally_hold_limits()
 */
void tally_bind_limits (FrBind *bind, JsonNode *under, JsonNode *over);

/** tally_append_label: a cell of any type as the name of a slice; "(none)" for null. */
void tally_append_label (const FrField *field, const FrView *view, gsize row, GString *out);

/** tally_append_number: @value as a person reads it: four significant digits; "–" when it is not
 * finite. */
void tally_append_number (GString *out, double value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tally, tally_free)

G_END_DECLS

#endif
