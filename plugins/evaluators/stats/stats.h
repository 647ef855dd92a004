/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h: how sure a score is: bootstrap intervals, differences of two systems, their
 * significance.
 *
 * A metric is known here by statistics of rows that add up, and by a function
 * from their sum to the score: for a mean (value, 1) and stats_mean(), for BLEU
 * matches, totals and lengths and BLEU's formula.  So a resample of the rows is
 * a weighted sum, and a corpus score is resampled as what it is, not as a mean
 * of row scores.
 *
 *   bootstrap         Efron 1979; percentile interval: rows are drawn with
 *                     replacement, as many as there are
 *   paired bootstrap  Koehn 2004: both systems are scored on the same drawn rows
 *   randomisation     Noreen 1989, Riezler and Maxwell 2005: each row's two
 *                     answers change places or do not
 *
 * Resample r is drawn from random numbers of its own, made of the seed and r:
 * the same seed and number of rows give the same draws for every metric, and
 * nothing depends on threads.  No function allocates more than a few bytes a row.
 */
#ifndef FLOWRUN_STATS_H
#define FLOWRUN_STATS_H

#include <glib.h>

G_BEGIN_DECLS

#define STATS_RESAMPLES 1000
#define STATS_LEVEL 0.95

/** StatsScore: the score that belongs to @sum [width], the statistics of all rows added up; NAN:
 * there is none. */
typedef double (*StatsScore) (const double *sum, gpointer data);

/**
 * StatsRows: a system's rows as one metric sees them; all borrowed.
 * @rows: [n, width], a row's statistics one after the other
 * @score: from their sum to the score; with @data
 */
typedef struct
{
  const double *rows;
  gsize n, width;
  StatsScore score;
  gpointer data;
} StatsRows;

/** stats_mean: the StatsScore of rows (value, weight): their weighted mean. */
double stats_mean (const double *sum, gpointer data);

/** stats_score: the score of all rows; NAN where there are none. */
double stats_score (const StatsRows *rows);

/**
 * StatsOptions:
 * @resamples: how many; 0: STATS_RESAMPLES
 * @level: of the interval, as in 0.95; 0: STATS_LEVEL
 * @seed: chooses the draws
 */
typedef struct
{
  guint resamples;
  double level;
  guint64 seed;
} StatsOptions;

/**
 * StatsInterval: an estimate.
 * @value: the score of the rows themselves
 * @low, @high: the interval: quantiles of the resampled scores, between two of them by straight
 * line
 * @sd: standard deviation of the resampled scores, the estimate's standard error
 * @resamples: those that had a score; what has none is left out
 *
 * Where there is no score, or too few rows to draw from (none), all are NAN.
 */
typedef struct
{
  double value, low, high, sd;
  guint resamples;
} StatsInterval;

/** stats_bootstrap: @options may be NULL. */
void stats_bootstrap (const StatsRows *rows, const StatsOptions *options, StatsInterval *interval);

/**
 * stats_paired_bootstrap: of the difference, score of @a minus score of @b.
 * @a, @b: the same rows answered by two systems: n is equal; a programming error else
 */
void stats_paired_bootstrap (const StatsRows *a, const StatsRows *b, const StatsOptions *options,
                             StatsInterval *difference);

/**
 * stats_randomisation: two-sided p of the difference of @a and @b: (c + 1) / (trials + 1), c of the
 * trials having a difference at least as large; NAN where a score is missing.
 * @options: its resamples are the trials; may be NULL
 */
double stats_randomisation (const StatsRows *a, const StatsRows *b, const StatsOptions *options);

/** stats_quantile: the @q quantile (0 … 1) of @sorted [n], by straight line between two of them
 * (Hyndman and Fan's type 7); NAN for none. */
double stats_quantile (const double *sorted, gsize n, double q);

/** stats_mean_sd: mean and sample standard deviation (n - 1) of @values [n]; NAN where there are
 * too few. */
void stats_mean_sd (const double *values, gsize n, double *mean, double *sd);

/**
 * StatsRng: xoshiro256** (Blackman and Vigna 2018), for what else needs seeded chance.
 */
typedef struct
{
  guint64 s[4];
} StatsRng;

/** stats_rng_init: stream @stream of @seed: streams are independent of each other. */
void stats_rng_init (StatsRng *rng, guint64 seed, guint64 stream);
/** stats_rng_next: 64 random bits. */
guint64 stats_rng_next (StatsRng *rng);
/** stats_rng_below: a whole number from 0 to @n - 1 (n at least 1), each equally likely to within
 * 2^-64·n. */
guint64 stats_rng_below (StatsRng *rng, guint64 n);

G_END_DECLS

#endif
