/* SPDX-License-Identifier: Apache-2.0 */
/* bleu.c: BLEU-4 as sacreBLEU 2.6.0 computes it, and as NLTK does for single sentences.
 *
 * Papineni et al., "BLEU: a method for automatic evaluation of machine translation" (ACL 2002);
 * smoothing: Chen and Cherry, "A systematic comparison of smoothing techniques for sentence-level
 * BLEU" (WMT 2014).
 *
 * Statistics: tokens of the hypothesis, tokens of the nearest reference, matches of orders 1 to 4,
 * n-grams of the hypothesis of orders 1 to 4.
 */
#include "config.h"

#include <math.h>

#include "text/score/score-private.h"

gsize
score_nearest_length (const ScoreRow *row, guint stream)
{
  gsize hyp = score_row_hyp (row, stream)->n, best = score_row_ref (row, stream, 0)->n;

  for (gsize i = 1; i < row->n_refs; i++)
    {
      gsize n = score_row_ref (row, stream, i)->n;
      gsize far = MAX (n, hyp) - MIN (n, hyp), near = MAX (best, hyp) - MIN (best, hyp);

      if (far < near || (far == near && n < best))
        best = n;
    }
  return best;
}

void
score_bleu_row (const ScoreRow *row, guint stream, double *stats)
{
  const ScoreTokens *hyp = score_row_hyp (row, stream);
  ScoreGrams *grams = &row->space->grams;
  guint64 matches[SCORE_BLEU_ORDER] = { 0 };

  score_grams_reset (grams);
  score_grams_add_reference (grams, score_row_ref (row, stream, 0), SCORE_BLEU_ORDER);
  for (gsize i = 1; i < row->n_refs; i++)
    score_grams_add_another (grams, score_row_ref (row, stream, i), SCORE_BLEU_ORDER);
  score_grams_match (grams, hyp, SCORE_BLEU_ORDER, matches);
  stats[0] = (double) hyp->n;
  stats[1] = (double) score_nearest_length (row, stream);
  for (guint n = 0; n < SCORE_BLEU_ORDER; n++)
    {
      stats[2 + n] = (double) matches[n];
      stats[2 + SCORE_BLEU_ORDER + n] = (double) score_n_grams (hyp->n, n + 1);
    }
}

double
score_bleu_smooth_value (TextSmooth smooth, double value)
{
  if (value >= 0)
    return value;
  return smooth == TEXT_SMOOTH_FLOOR ? 0.1 : smooth == TEXT_SMOOTH_ADD_K ? 1 : 0;
}

static double
brevity_penalty (double hyp_len, double ref_len)
{
  if (hyp_len >= ref_len)
    return 1;
  return hyp_len > 0 ? exp (1 - ref_len / hyp_len) : 0;
}

void
score_bleu (const double *stats, TextSmooth smooth, double value, gboolean effective_order,
            ScoreBleu *bleu)
{
  guint order = SCORE_BLEU_ORDER;
  double halved = 1, logs = 0;
  gboolean any = FALSE;

  *bleu = (ScoreBleu){ .bp = brevity_penalty (stats[0], stats[1]) };
  for (guint n = 0; n < SCORE_BLEU_ORDER; n++)
    any |= stats[2 + n] > 0;
  if (!any)
    return;
  for (guint n = 0; n < SCORE_BLEU_ORDER; n++)
    {
      double more = smooth == TEXT_SMOOTH_ADD_K && n > 0 ? value : 0;
      double correct = stats[2 + n] + more, total = stats[2 + SCORE_BLEU_ORDER + n] + more;

      if (total == 0)
        break;
      if (effective_order)
        order = n + 1;
      if (correct > 0)
        bleu->precisions[n] = 100 * correct / total;
      else if (smooth == TEXT_SMOOTH_EXP)
        bleu->precisions[n] = 100 / ((halved *= 2) * total);
      else if (smooth == TEXT_SMOOTH_FLOOR)
        bleu->precisions[n] = 100 * value / total;
    }
  for (guint n = 0; n < order; n++)
    if (bleu->precisions[n] == 0)
      return;
    else
      logs += log (bleu->precisions[n]);
  bleu->score = bleu->bp * exp (logs / order);
}

/* nltk.translate.bleu_score.sentence_bleu with SmoothingFunction().method3, or method1. */
double
score_bleu_nltk (const double *stats, TextSmooth smooth)
{
  double logs = 0, halved = 1;

  if (stats[2] == 0)
    return 0;
  for (guint n = 0; n < SCORE_BLEU_ORDER; n++)
    {
      double correct = stats[2 + n], total = MAX (1, stats[2 + SCORE_BLEU_ORDER + n]);

      if (correct == 0)
        correct = smooth == TEXT_SMOOTH_FLOOR ? 0.1 : 1 / (halved *= 2);
      logs += log (correct / total) / SCORE_BLEU_ORDER;
    }
  return 100 * brevity_penalty (stats[0], stats[1]) * exp (logs);
}
