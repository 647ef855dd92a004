/* SPDX-License-Identifier: Apache-2.0 */
/* rouge.c: ROUGE-1, -2, -L and -Lsum of a row.
 *
 * Lin, "ROUGE: a package for automatic evaluation of summaries" (2004), as rouge-score 0.1.2
 * computes it, which follows ROUGE-1.5.5; and as rouge-chinese 1.0.3 does.  Of several references
 * the first with the best F counts, for each ROUGE by itself.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/score/score-private.h"

static ScoreFpr
fpr (double common, double n_hyp, double n_ref, double epsilon)
{
  ScoreFpr s = { 0, n_hyp > 0 ? common / n_hyp : 0, n_ref > 0 ? common / n_ref : 0 };

  if (s.p + s.r > 0)
    s.f = 2 * s.p * s.r / (s.p + s.r + epsilon);
  return s;
}

/* The unigram nodes of tokens; 0 where grams has none. */
static void
find_nodes (const ScoreGrams *grams, const ScoreTokens *tokens, ScoreTokens *nodes)
{
  nodes->n = 0;
  for (gsize i = 0; i < tokens->n; i++)
    score_tokens_add (nodes, score_grams_find (grams, 0, tokens->ids[i]));
}

/* ---- Lsum --------------------------------------------------------------------------- */

/* The lines of s into nodes, and where each ends into ends; empty lines are none.  With take,
 * nodes are made for tokens that grams does not know. */
static void
read_lines (ScoreSpace *space, const ScoreStream *how, FrStr s, gboolean take, ScoreTokens *nodes,
            ScoreTokens *ends)
{
  const char *p = s.data, *end = p + s.len;

  nodes->n = ends->n = 0;
  while (p < end)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));
      FrStr line = { p, (gsize) ((stop != NULL ? stop : end) - p) };

      p = stop != NULL ? stop + 1 : end;
      if (line.len == 0)
        continue;
      space->other.n = 0;
      score_tokenise (&space->text, how, line, &space->other);
      for (gsize i = 0; i < space->other.n; i++)
        score_tokens_add (nodes, take ? score_grams_take (&space->grams, 0, space->other.ids[i])
                                      : score_grams_find (&space->grams, 0, space->other.ids[i]));
      score_tokens_add (ends, (guint32) nodes->n);
    }
}

static void
count_nodes (ScoreSpace *space, guint which, const ScoreTokens *nodes)
{
  memset (space->counts[which], 0, space->grams.n_nodes * sizeof (guint32));
  for (gsize i = 0; i < nodes->n; i++)
    space->counts[which][nodes->ids[i]]++;
}

static void
make_room (ScoreSpace *space)
{
  if (space->n_counts < space->grams.n_nodes)
    {
      space->n_counts = (gsize) space->grams.n_nodes * 2;
      for (guint i = 0; i < 2; i++)
        space->counts[i] = g_renew (guint32, space->counts[i], space->n_counts);
    }
  if (space->n_marks < space->ref_nodes.n)
    {
      space->n_marks = space->ref_nodes.n * 2;
      space->marks = g_renew (guint8, space->marks, space->n_marks);
    }
}

/* Tokens of the reference's line from to end that are in the union of its longest common
 * subsequences with each line of the hypothesis, each token no more often than both texts have it.
 */
static gsize
union_hits (ScoreSpace *space, gsize from, gsize end)
{
  const guint32 *ref = space->ref_nodes.ids, *hyp = space->hyp_nodes.ids;
  gsize start = 0, hits = 0;

  memset (space->marks, 0, end - from);
  for (gsize j = 0; j < space->hyp_lines.n; j++)
    {
      gsize stop = space->hyp_lines.ids[j];

      score_lcs_mark (&space->lcs, ref + from, end - from, hyp + start, stop - start,
                      space->grams.n_nodes, space->marks);
      start = stop;
    }
  for (gsize i = from; i < end; i++)
    if (space->marks[i - from] && space->counts[0][ref[i]] > 0 && space->counts[1][ref[i]] > 0)
      {
        hits++;
        space->counts[0][ref[i]]--;
        space->counts[1][ref[i]]--;
      }
  return hits;
}

static ScoreFpr
rouge_lsum (ScoreSpace *space, const ScoreStream *how, FrStr ref, FrStr hyp)
{
  gsize from = 0, hits = 0;

  score_grams_reset (&space->grams);
  read_lines (space, how, ref, TRUE, &space->ref_nodes, &space->ref_lines);
  read_lines (space, how, hyp, FALSE, &space->hyp_nodes, &space->hyp_lines);
  if (space->ref_nodes.n == 0 || space->hyp_nodes.n == 0)
    return (ScoreFpr){ 0 };
  make_room (space);
  count_nodes (space, 0, &space->ref_nodes);
  count_nodes (space, 1, &space->hyp_nodes);
  for (gsize i = 0; i < space->ref_lines.n; i++)
    {
      hits += union_hits (space, from, space->ref_lines.ids[i]);
      from = space->ref_lines.ids[i];
    }
  return fpr ((double) hits, (double) space->hyp_nodes.n, (double) space->ref_nodes.n, 0);
}

/* ---- one reference -------------------------------------------------------------------- */

static gboolean
has_lines (FrStr s)
{
  return memchr (s.data, '\n', s.len) != NULL;
}

static gsize
lcs (ScoreSpace *space, const ScoreTokens *ref, const ScoreTokens *hyp)
{
  find_nodes (&space->grams, ref, &space->ref_nodes);
  find_nodes (&space->grams, hyp, &space->hyp_nodes);
  return score_lcs_length (&space->lcs, space->ref_nodes.ids, ref->n, space->hyp_nodes.ids, hyp->n,
                           space->grams.n_nodes);
}

static void
standard (const ScoreRow *row, guint stream, const ScoreStream *how, guint which, gsize i,
          ScoreFpr *scores)
{
  const ScoreTokens *hyp = score_row_hyp (row, stream), *ref = score_row_ref (row, stream, i);
  ScoreSpace *space = row->space;
  guint64 matches[2] = { 0 };
  gboolean lines = has_lines (row->hyp) || has_lines (row->refs[i]);

  score_grams_reset (&space->grams);
  score_grams_add_reference (&space->grams, ref, which & 1 << SCORE_ROUGE_2 ? 2 : 1);
  score_grams_match (&space->grams, hyp, 2, matches);
  for (guint n = 1; n <= 2; n++)
    scores[SCORE_ROUGE_1 + n - 1]
        = fpr ((double) matches[n - 1], (double) score_n_grams (hyp->n, n),
               (double) score_n_grams (ref->n, n), 0);
  if (which & (1 << SCORE_ROUGE_L | 1 << SCORE_ROUGE_LSUM))
    scores[SCORE_ROUGE_L]
        = fpr ((double) lcs (space, ref, hyp), (double) hyp->n, (double) ref->n, 0);
  /* Of texts of one line each the union is the subsequence. */
  if (which & 1 << SCORE_ROUGE_LSUM)
    scores[SCORE_ROUGE_LSUM]
        = lines ? rouge_lsum (space, how, row->refs[i], row->hyp) : scores[SCORE_ROUGE_L];
}

/* ---- rouge-chinese ------------------------------------------------------------------------ */

/* Different n-grams of hyp: how many, and how many of them grams' reference has. */
static void
count_different (ScoreGrams *grams, const ScoreTokens *hyp, guint64 *n, guint64 *common)
{
  for (gsize i = 0; i < hyp->n; i++)
    {
      guint32 node = 0;

      for (gsize j = i; j < MIN (hyp->n, i + 2); j++)
        {
          node = score_grams_take (grams, node, hyp->ids[j]);
          if (grams->nodes[node].hyp++ > 0)
            continue;
          n[j - i]++;
          common[j - i] += grams->nodes[node].ref > 0;
        }
    }
}

static void
count_reference (ScoreGrams *grams, const ScoreTokens *ref, guint64 *n)
{
  for (gsize i = 0; i < ref->n; i++)
    {
      guint32 node = 0;

      for (gsize j = i; j < MIN (ref->n, i + 2); j++)
        {
          node = score_grams_take (grams, node, ref->ids[j]);
          n[j - i] += grams->nodes[node].ref++ == 0;
        }
    }
}

static void
chinese (const ScoreRow *row, guint stream, gsize i, ScoreFpr *scores)
{
  const ScoreTokens *hyp = score_row_hyp (row, stream), *ref = score_row_ref (row, stream, i);
  ScoreSpace *space = row->space;
  guint64 n_ref[2] = { 0 }, n_hyp[2] = { 0 }, common[2] = { 0 };

  score_grams_reset (&space->grams);
  count_reference (&space->grams, ref, n_ref);
  count_different (&space->grams, hyp, n_hyp, common);
  for (guint n = 0; n < 2; n++)
    scores[SCORE_ROUGE_1 + n]
        = fpr ((double) common[n], (double) n_hyp[n], (double) n_ref[n], 1e-8);
  scores[SCORE_ROUGE_L]
      = fpr ((double) lcs (space, ref, hyp), (double) hyp->n, (double) ref->n, 1e-8);
  scores[SCORE_ROUGE_LSUM] = scores[SCORE_ROUGE_L];
}

void
score_rouge_row (const ScoreRow *row, guint stream, const ScoreStream *how, TextRougeKind kind,
                 guint which, ScoreFpr *scores)
{
  for (gsize i = 0; i < row->n_refs; i++)
    {
      ScoreFpr one[SCORE_N_ROUGE] = { 0 };

      if (kind == TEXT_ROUGE_CHINESE)
        chinese (row, stream, i, one);
      else
        standard (row, stream, how, which, i, one);
      for (guint k = 0; k < SCORE_N_ROUGE; k++)
        if (i == 0 || one[k].f > scores[k].f)
          scores[k] = one[k];
    }
}
