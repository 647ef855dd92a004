/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c: see figures.h. */
#include "config.h"

#include "figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluators/stats/agreement.h"

#define TABLE (RATING_LEVELS * RATING_LEVELS)

const char *
rating_figures_name (const RatingKey *key, guint criterion)
{
  return criterion < key->n_criteria ? key->criteria[criterion] : "overall";
}

/* ---- means and contests ---------------------------------------------------------------------- */

/* [prompts, systems]: the items that count. */
static guint *
find_firsts (const RatingKey *key)
{
  guint n = key->prompts->len * key->n_systems;
  guint *firsts = g_new (guint, n + 1);

  for (guint i = 0; i < n; i++)
    firsts[i] = RATING_NOTHING;
  for (guint i = 0; i < key->items->len; i++)
    {
      const RatingItem *item = key->items->pdata[i];

      if (item->repeats == RATING_NOTHING)
        firsts[item->prompt * key->n_systems + item->system] = i;
    }
  return firsts;
}

static void
interval_of (const double *rows, gsize n, const StatsOptions *options, StatsInterval *interval)
{
  StatsRows all = { rows, n, 2, stats_mean, NULL };

  stats_bootstrap (&all, options, interval);
}

static void
add_mean (RatingFigures *f, const RatingBook *book, const guint *firsts, guint system,
          guint criterion, const StatsOptions *options)
{
  guint n = book->key->prompts->len;
  g_autofree double *rows = g_new0 (double, n * 2 + 1);
  RatingMean mean = { .system = system, .criterion = criterion };

  for (guint p = 0; p < n; p++)
    for (guint r = 0; r < book->raters->len; r++)
      {
        guint item = firsts[p * book->key->n_systems + system];
        double score = item != RATING_NOTHING ? rating_book_score (book, r, item, criterion) : NAN;

        if (isnan (score))
          continue;
        rows[p * 2] += score;
        rows[p * 2 + 1] += 1;
        mean.n++;
      }
  interval_of (rows, n, options, &mean.mean);
  g_array_append_val (f->means, mean);
}

static void
add_contest (RatingFigures *f, const RatingBook *book, const guint *firsts, RatingContest contest,
             const StatsOptions *options)
{
  guint n = book->key->prompts->len;
  g_autofree double *won = g_new0 (double, n * 2 + 1), *differences = g_new0 (double, n * 2 + 1);

  for (guint p = 0; p < n; p++)
    {
      guint mine = firsts[p * book->key->n_systems + contest.system];
      guint other = firsts[p * book->key->n_systems + contest.baseline];
      double balance;

      for (guint r = 0; r < book->raters->len && mine != RATING_NOTHING && other != RATING_NOTHING;
           r++)
        {
          double difference = rating_book_score (book, r, mine, contest.criterion)
                              - rating_book_score (book, r, other, contest.criterion);

          if (isnan (difference))
            continue;
          won[p * 2] += difference > 0 ? 1 : difference < 0 ? 0 : 0.5;
          differences[p * 2] += difference;
          won[p * 2 + 1] += 1;
          differences[p * 2 + 1] += 1;
        }
      balance = won[p * 2] - won[p * 2 + 1] / 2;
      contest.wins += balance > 0;
      contest.losses += balance < 0;
      contest.ties += balance == 0 && won[p * 2 + 1] > 0;
    }
  interval_of (won, n, options, &contest.rate);
  interval_of (differences, n, options, &contest.difference);
  contest.p = stats_sign_test (contest.wins, contest.losses);
  g_array_append_val (f->contests, contest);
}

static void
compare (RatingFigures *f, const RatingBook *book, guint baseline, const StatsOptions *options)
{
  g_autofree guint *firsts = find_firsts (book->key);

  for (guint s = 0; s < book->key->n_systems; s++)
    for (guint c = 0; c <= book->key->n_criteria; c++)
      {
        add_mean (f, book, firsts, s, c, options);
        if (s != baseline)
          add_contest (f, book, firsts,
                       (RatingContest){ .system = s, .baseline = baseline, .criterion = c },
                       options);
      }
}

/* ---- agreement of raters --------------------------------------------------------------------- */

static void
add_agreement (RatingFigures *f, const RatingBook *book, guint criterion,
               const StatsOptions *options)
{
  guint n = book->key->items->len, n_raters = book->raters->len;
  g_autofree double *rows = g_new0 (double, (gsize) n *TABLE + 1);
  g_autofree guint8 *values = g_new (guint8, n_raters + 1);
  RatingAgreement agreement = { .criterion = criterion };
  StatsRows all = { rows, 0, TABLE, stats_alpha_ordinal, GUINT_TO_POINTER (RATING_LEVELS) };

  for (guint i = 0; i < n; i++)
    {
      guint given = 0;

      if (((const RatingItem *) book->key->items->pdata[i])->repeats != RATING_NOTHING)
        continue;
      for (guint r = 0; r < n_raters; r++)
        {
          values[r] = rating_book_value (book, r, i, criterion);
          given += values[r] != 0;
        }
      if (given < 2)
        continue;
      stats_coincidences (values, n_raters, RATING_LEVELS, rows + agreement.n * TABLE);
      agreement.n++;
    }
  all.n = agreement.n;
  stats_bootstrap (&all, options, &agreement.alpha);
  g_array_append_val (f->agreements, agreement);
}

static void
add_pair (RatingFigures *f, const RatingBook *book, guint a, guint b)
{
  RatingPair pair = { .a = a, .b = b };

  for (guint c = 0; c < book->key->n_criteria; c++)
    {
      double table[TABLE] = { 0 };

      for (guint i = 0; i < book->key->items->len; i++)
        {
          guint8 x = rating_book_value (book, a, i, c), y = rating_book_value (book, b, i, c);

          if (((const RatingItem *) book->key->items->pdata[i])->repeats != RATING_NOTHING)
            continue;
          stats_pair (x, y, RATING_LEVELS, table);
          pair.n += x != 0 && y != 0;
        }
      pair.kappa[c] = stats_kappa_quadratic (table, GUINT_TO_POINTER (RATING_LEVELS));
    }
  if (pair.n > 0)
    g_array_append_val (f->pairs, pair);
}

/* ---- each rater ------------------------------------------------------------------------------ */

static int
by_number (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static void
agree_with_self (RatingRater *rater, const RatingBook *book, guint r)
{
  double table[TABLE] = { 0 };

  for (guint i = 0; i < book->key->items->len; i++)
    for (guint c = 0; c < book->key->n_criteria; c++)
      {
        guint first = ((const RatingItem *) book->key->items->pdata[i])->repeats;
        guint8 x = first != RATING_NOTHING ? rating_book_value (book, r, first, c) : 0;
        guint8 y = rating_book_value (book, r, i, c);

        if (x == 0 || y == 0)
          continue;
        stats_pair (x, y, RATING_LEVELS, table);
        rater->again++;
        rater->same += x == y;
        rater->near += abs ((int) x - (int) y) <= 1;
      }
  rater->kappa = stats_kappa_quadratic (table, GUINT_TO_POINTER (RATING_LEVELS));
}

static void
add_rater (RatingFigures *f, const RatingBook *book, guint r)
{
  const Rater *who = book->raters->pdata[r];
  guint n = book->key->items->len;
  g_autofree double *seconds = g_new (double, n + 1);
  RatingRater rater = { 0 };
  double sum = 0;
  guint64 given = 0;

  for (guint i = 0; i < n; i++)
    {
      rater.rated += who->states[i] == RATING_RATED;
      rater.skipped += who->states[i] == RATING_SKIPPED;
      rater.fast += rating_book_is_fast (book, r, i);
      if (who->states[i] == RATING_RATED && !isnan (who->seconds[i]))
        seconds[rater.timed++] = who->seconds[i];
      for (guint c = 0; c < book->key->n_criteria; c++)
        {
          sum += rating_book_value (book, r, i, c);
          given += rating_book_value (book, r, i, c) != 0;
        }
    }
  qsort (seconds, rater.timed, sizeof *seconds, by_number);
  rater.median_seconds = stats_quantile (seconds, rater.timed, 0.5);
  rater.mean = given > 0 ? sum / (double) given : NAN;
  f->n_ratings += given;
  agree_with_self (&rater, book, r);
  g_array_append_val (f->raters, rater);
}

/* ---- what raters differ about ---------------------------------------------------------------- */

typedef struct
{
  guint item, spread, raters;
} Dispute;

static int
by_spread (const void *a, const void *b)
{
  const Dispute *x = a, *y = b;

  if (x->spread != y->spread)
    return x->spread > y->spread ? -1 : 1;
  if (x->raters != y->raters)
    return x->raters > y->raters ? -1 : 1;
  return x->item < y->item ? -1 : 1;
}

static void
find_disputed (RatingFigures *f, const RatingBook *book)
{
  guint n = book->key->items->len;
  g_autofree Dispute *all = g_new0 (Dispute, n + 1);

  for (guint i = 0; i < n; i++)
    {
      all[i].item = i;
      if (((const RatingItem *) book->key->items->pdata[i])->repeats == RATING_NOTHING)
        all[i].spread = rating_book_spread (book, i, &all[i].raters);
    }
  qsort (all, n, sizeof *all, by_spread);
  for (guint i = 0; i < n && all[i].spread > 0; i++)
    g_array_append_val (f->disputed, all[i].item);
}

RatingFigures *
rating_figures_new (const RatingBook *book, guint baseline, const StatsOptions *options)
{
  RatingFigures *f = g_new0 (RatingFigures, 1);

  f->means = g_array_new (FALSE, FALSE, sizeof (RatingMean));
  f->contests = g_array_new (FALSE, FALSE, sizeof (RatingContest));
  f->agreements = g_array_new (FALSE, FALSE, sizeof (RatingAgreement));
  f->pairs = g_array_new (FALSE, FALSE, sizeof (RatingPair));
  f->raters = g_array_new (FALSE, FALSE, sizeof (RatingRater));
  f->disputed = g_array_new (FALSE, FALSE, sizeof (guint));
  f->level = options->level;
  compare (f, book, baseline, options);
  for (guint c = 0; c < book->key->n_criteria; c++)
    add_agreement (f, book, c, options);
  for (guint r = 0; r < book->raters->len; r++)
    {
      add_rater (f, book, r);
      for (guint b = r + 1; b < book->raters->len; b++)
        add_pair (f, book, r, b);
    }
  find_disputed (f, book);
  return f;
}

void
rating_figures_free (RatingFigures *figures)
{
  g_array_unref (figures->means);
  g_array_unref (figures->contests);
  g_array_unref (figures->agreements);
  g_array_unref (figures->pairs);
  g_array_unref (figures->raters);
  g_array_unref (figures->disputed);
  g_free (figures);
}
