/* SPDX-License-Identifier: Apache-2.0 */
/* agreement.h: how far people who rated the same things agree.
 *
 * Ratings are whole numbers 1 … levels, 0 for none given.  Every measure here is a StatsScore: a
 * function of a table of levels × levels numbers that add up over the things rated, so that
 * stats_bootstrap() gives its interval by drawing things.
 *
 *   alpha      Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C, with the
 *              ordinal metric: any number of raters, gaps allowed.  1: perfect, 0: as by chance.
 *              Its table is of coincidences: stats_coincidences().
 *   kappa      Cohen, Weighted kappa (1968), with weights that grow with the square of the
 * distance: two raters, or one rater twice.  Its table is of pairs: stats_pair(). sign test  the
 * exact binomial one, ties left out
 */
#ifndef FLOWRUN_AGREEMENT_H
#define FLOWRUN_AGREEMENT_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * stats_coincidences: adds one thing's ratings to a table.
 * @values: [n], a rating of each rater, 0 for none; fewer than two ratings add nothing
 * @levels: of the scale
 * @table: [levels, levels], row-major; level 1 is at index 0
 */
void stats_coincidences (const guint8 *values, gsize n, guint levels, double *table);

/**
 * stats_alpha_ordinal: Krippendorff's alpha; a StatsScore.
 * @table: [levels, levels], coincidences of all things
 * @levels: GUINT_TO_POINTER () of the scale's levels
 *
 * NAN where nothing was rated twice, or all ratings are the same: agreement beyond chance cannot be
 * told there.
 */
double stats_alpha_ordinal (const double *table, gpointer levels);

/** stats_pair: adds the ratings @a and @b of one thing to @table [levels, levels], unless one is 0.
 */
void stats_pair (guint8 a, guint8 b, guint levels, double *table);

/** stats_kappa_quadratic: weighted kappa of a table of pairs; a StatsScore, NAN as
 * stats_alpha_ordinal(). */
double stats_kappa_quadratic (const double *table, gpointer levels);

/** stats_sign_test: two-sided p of @wins and @losses where both are as likely; 1 where there are
 * none. */
double stats_sign_test (guint64 wins, guint64 losses);

G_END_DECLS

#endif
