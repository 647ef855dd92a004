/* SPDX-License-Identifier: Apache-2.0 */
/* chrf.c: chrF and chrF++ as sacreBLEU 2.6.0 computes them.
 *
 * Popović, "chrF: character n-gram F-score for automatic MT evaluation" (WMT 2015) and "chrF++:
 * words helping character n-grams" (WMT 2017).  Of several references that with the best score
 * counts.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/score/score-private.h"

static void
take_chars (FrStr s, gboolean whitespace, ScoreTokens *chars)
{
  const char *p = s.data, *end = p + s.len;

  chars->n = 0;
  while (p < end)
    {
      gunichar c = text_next_char (&p);

      if (whitespace || !score_is_space (c))
        score_tokens_add (chars, c);
    }
}

static gboolean
is_punct (char c)
{
  return g_ascii_ispunct (c); /* Python's string.punctuation */
}

/* A mark at the end of a word, or else at its start, is a word of its own. */
static void
take_words (ScoreText *text, FrStr s, ScoreTokens *words)
{
  ScoreDictionary *dictionary = &text->dictionary;
  const char *p = s.data, *end = p + s.len;
  FrStr w;

  words->n = 0;
  while (score_next_word (&p, end, &w))
    {
      gboolean single = g_utf8_next_char (w.data) == w.data + w.len;

      if (!single && is_punct (w.data[w.len - 1]))
        {
          score_tokens_add (words, score_token (dictionary, w.data, w.len - 1));
          score_tokens_add (words, (guchar) w.data[w.len - 1]);
        }
      else if (!single && is_punct (w.data[0]))
        {
          score_tokens_add (words, (guchar) w.data[0]);
          score_tokens_add (words, score_token (dictionary, w.data + 1, w.len - 1));
        }
      else
        score_tokens_add (words, score_token (dictionary, w.data, w.len));
    }
}

/* Matches of one kind of token against what grams holds. */
static void
count (ScoreGrams *grams, const ScoreTokens *ref, const ScoreTokens *hyp, guint order,
       double *stats)
{
  guint64 matches[SCORE_MAX_ORDER] = { 0 };

  score_grams_reset (grams);
  score_grams_add_reference (grams, ref, order);
  score_grams_match (grams, hyp, order, matches);
  for (guint n = 1; n <= order; n++, stats += 3)
    {
      guint64 n_ref = score_n_grams (ref->n, n);

      /* An order that the reference does not have is not held against the hypothesis. */
      stats[0] = n_ref > 0 ? (double) score_n_grams (hyp->n, n) : 0;
      stats[1] = (double) n_ref;
      stats[2] = (double) matches[n - 1];
    }
}

static FrStr
prepare (ScoreText *text, const ScoreChrf *chrf, FrStr s)
{
  return chrf->lowercase ? score_lowercase (text, s) : s;
}

void
score_chrf_row (const ScoreRow *row, const ScoreChrf *chrf, double *stats)
{
  ScoreSpace *space = row->space;
  FrStr s = prepare (&space->text, chrf, row->hyp);
  double best = -1, one[3 * (SCORE_CHRF_CHARS + SCORE_CHRF_WORDS)];
  gsize n_stats = 3 * (SCORE_CHRF_CHARS + chrf->words);

  take_chars (s, chrf->whitespace, &space->chars);
  if (chrf->words > 0)
    take_words (&space->text, s, &space->words);
  for (gsize i = 0; i < row->n_refs; i++)
    {
      double score;

      s = prepare (&space->text, chrf, row->refs[i]);
      take_chars (s, chrf->whitespace, &space->other);
      count (&space->grams, &space->other, &space->chars, SCORE_CHRF_CHARS, one);
      if (chrf->words > 0)
        {
          take_words (&space->text, s, &space->other);
          count (&space->grams, &space->other, &space->words, chrf->words,
                 one + 3 * SCORE_CHRF_CHARS);
        }
      score = row->n_refs > 1 ? score_chrf (one, chrf) : 0;
      if (score > best)
        {
          best = score;
          memcpy (stats, one, n_stats * sizeof (double));
        }
    }
}

double
score_chrf (const double *stats, const ScoreChrf *chrf)
{
  const double eps = 1e-16, factor = (double) chrf->beta * chrf->beta;
  guint order = SCORE_CHRF_CHARS + chrf->words, effective = 0;
  double precision = 0, recall = 0, sum = 0;

  for (guint n = 0; n < order; n++, stats += 3)
    {
      double p = stats[0] > 0 ? stats[2] / stats[0] : eps;
      double r = stats[1] > 0 ? stats[2] / stats[1] : eps;
      double down = factor * p + r;

      sum += down > 0 ? (1 + factor) * p * r / down : eps;
      if (stats[0] > 0 && stats[1] > 0)
        {
          precision += p;
          recall += r;
          effective++;
        }
    }
  if (chrf->eps_smoothing)
    return 100 * sum / order;
  if (effective == 0 || precision + recall == 0)
    return 0;
  precision /= effective;
  recall /= effective;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}
