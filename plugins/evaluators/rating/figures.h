/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h: what the ratings of a page say.
 *
 * Only an item's first showing counts, its second tells how far a rater agrees with himself.
 * Intervals draw prompts (means, contests) or items (alpha) with replacement; the raters are taken
 * as they are, so an interval says how other texts would have fared before the same people.
 * Criterion n_criteria is "overall": the mean of a rater's ratings of an item.
 */
#ifndef FLOWRUN_RATING_FIGURES_H
#define FLOWRUN_RATING_FIGURES_H

#include "book.h"
#include "evaluators/stats/stats.h"

G_BEGIN_DECLS

/** RatingMean: @n ratings of a system. */
typedef struct
{
  guint system, criterion;
  guint64 n;
  StatsInterval mean;
} RatingMean;

/**
 * RatingContest: a system against the baseline, on the same prompts and by the same raters.
 * @wins, @ties, @losses: prompts, by the majority of their raters
 * @rate: the share of (prompt, rater) that it won, ties half
 * @difference: of the ratings
 * @p: of the sign test over prompts
 */
typedef struct
{
  guint system, baseline, criterion;
  guint64 wins, ties, losses;
  StatsInterval rate, difference;
  double p;
} RatingContest;

/** RatingAgreement: Krippendorff's ordinal alpha over @n items that two raters or more rated. */
typedef struct
{
  guint criterion;
  guint64 n;
  StatsInterval alpha;
} RatingAgreement;

/** RatingPair: two raters, @n ratings of the same items, and their weighted kappa by criterion. */
typedef struct
{
  guint a, b;
  guint64 n;
  double kappa[RATING_MAX_CRITERIA];
} RatingPair;

/**
 * RatingRater: one rater's work.
 * @again: ratings given twice; @same of them equal, @near at most one apart; @kappa: weighted
 */
typedef struct
{
  guint64 rated, skipped, fast, timed;
  guint64 again, same, near;
  double mean, median_seconds, kappa;
} RatingRater;

typedef struct
{
  GArray *means;      /* of RatingMean, by system, then criterion */
  GArray *contests;   /* of RatingContest */
  GArray *agreements; /* of RatingAgreement, by criterion */
  GArray *pairs;      /* of RatingPair */
  GArray *raters;     /* of RatingRater, as in the book */
  GArray *disputed;   /* of guint: items by spread, widest first; spread 0 is left out */
  double level;       /* of all intervals */
  guint64 n_ratings;  /* single ones, second showings among them */
} RatingFigures;

/** rating_figures_new: @baseline: the system the others are held against; @options: of the
 * intervals. */
RatingFigures *rating_figures_new (const RatingBook *book, guint baseline,
                                   const StatsOptions *options);
void rating_figures_free (RatingFigures *figures);

/** rating_figures_name: of a criterion; "overall" for the last. */
const char *rating_figures_name (const RatingKey *key, guint criterion);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RatingFigures, rating_figures_free)

G_END_DECLS

#endif
