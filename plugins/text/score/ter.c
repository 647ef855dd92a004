/* SPDX-License-Identifier: Apache-2.0 */
/* ter.c: translation edit rate: insertions, deletions, substitutions, and shifts of whole phrases.
 *
 * Snover et al., "A study of translation edit rate with targeted human annotation" (AMTA 2006),
 * with the heuristics and limits of sacreBLEU 2.6.0 (metrics/lib_ter.py), which follow Tercom.
 * Which shift is taken, and when looking for one ends, decides the score, so the order of
 * everything here is theirs.
 *
 * The table of edit distances (rows: hypothesis, columns: reference) is worked out in a band around
 * its diagonal; what is outside is infinite.  Shifts keep the length, so that all tables of a pair
 * have the same band, and a shifted hypothesis shares the rows before the first word that moved.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/score/score-private.h"

enum
{
  MAX_SHIFT_SIZE = 10,
  MAX_SHIFT_DISTANCE = 50,
  BEAM_WIDTH = 25,
  MAX_CANDIDATES = 1000
};

#define FAR_AWAY 0x3fffffffu

typedef enum
{
  UNKNOWN,
  SAME,
  SUBSTITUTE,
  INSERT, /* a word of the reference  */
  DELETE  /* a word of the hypothesis */
} Edit;

typedef struct
{
  guint32 cost;
  guint32 edit;
} Cell;

/* A row of the table: columns from first to before end. */
typedef struct
{
  gsize first, end;
  Cell *cells;
} Band;

typedef struct
{
  const guint32 *ref;
  gsize n_ref, n_hyp;
  Band *bands;   /* n_hyp + 1, of the hypothesis as it is now */
  Band spare[2]; /* two rows of a shifted one */
  guint32 *hyp, *shifted, *best_hyp;
  gssize *align; /* by reference word: the last hypothesis word up to it, or -1 */
  guint8 *ref_wrong, *hyp_wrong;
  gsize n_tried;
} Ter;

/* ---- edit distance ------------------------------------------------------------------ */

/* The band of row i; the last one reaches the end. */
static Band
band_of (const Ter *t, gsize i)
{
  double slope = t->n_hyp > 0 ? (double) t->n_ref / (double) t->n_hyp : 1;
  gssize width = BEAM_WIDTH, middle = (gssize) floor ((double) i * slope);
  Band band = { 0 };

  if (i == 0)
    return (Band){ 0, t->n_ref + 1, NULL };
  if (BEAM_WIDTH < slope / 2)
    width = (gssize) ceil (slope / 2 + BEAM_WIDTH);
  band.first = (gsize) MAX (0, middle - width);
  band.end = i == t->n_hyp ? t->n_ref + 1 : MIN (t->n_ref + 1, (gsize) (middle + width));
  return band;
}

static inline guint32
cost_at (const Band *band, gssize j)
{
  return j < (gssize) band->first || j >= (gssize) band->end
             ? FAR_AWAY
             : band->cells[(gsize) j - band->first].cost;
}

static inline void
offer (Cell *cell, guint32 cost, Edit edit)
{
  if (cell->cost > cost)
    *cell = (Cell){ cost, edit };
}

/* Tercom prefers substitution, then insertion, then deletion; the words are turned round later, so
 * deletion comes before insertion here. */
static void
fill_row (const Ter *t, guint32 word, const Band *before, Band *row)
{
  for (gsize j = row->first; j < row->end; j++)
    {
      Cell *cell = &row->cells[j - row->first];
      guint32 above = cost_at (before, (gssize) j);

      *cell = (Cell){ FAR_AWAY, UNKNOWN };
      if (j == 0)
        {
          *cell = (Cell){ above + 1, DELETE };
          continue;
        }
      if (word == t->ref[j - 1])
        offer (cell, cost_at (before, (gssize) j - 1), SAME);
      else
        offer (cell, cost_at (before, (gssize) j - 1) + 1, SUBSTITUTE);
      offer (cell, above + 1, DELETE);
      offer (cell, cost_at (row, (gssize) j - 1) + 1, INSERT);
    }
}

/* The rows of t->hyp from i on. */
static void
fill_table (Ter *t, gsize i)
{
  for (; i <= t->n_hyp; i++)
    fill_row (t, t->hyp[i - 1], &t->bands[i - 1], &t->bands[i]);
}

static guint32
table_cost (const Ter *t)
{
  return cost_at (&t->bands[t->n_hyp], (gssize) t->n_ref);
}

/* The cost of t->shifted, which is t->hyp before word same. */
static guint32
shifted_cost (Ter *t, gsize same)
{
  const Band *before = &t->bands[same];

  for (gsize i = same + 1; i <= t->n_hyp; i++)
    {
      Band *row = &t->spare[i & 1];
      Band shape = t->bands[i];

      row->first = shape.first;
      row->end = shape.end;
      fill_row (t, t->shifted[i - 1], before, row);
      before = row;
    }
  return cost_at (before, (gssize) t->n_ref);
}

/* ---- alignment ---------------------------------------------------------------------- */

static void
align (Ter *t)
{
  gsize i = t->n_hyp, j = t->n_ref;

  while (i > 0 || j > 0)
    {
      const Band *band = &t->bands[i];
      guint32 edit
          = j >= band->first && j < band->end ? band->cells[j - band->first].edit : UNKNOWN;

      if (i == 0 || (edit == INSERT && j > 0))
        {
          t->align[--j] = (gssize) i - 1;
          t->ref_wrong[j] = 1;
        }
      else if (j == 0 || edit == DELETE || edit == UNKNOWN)
        t->hyp_wrong[--i] = 1;
      else
        {
          t->align[--j] = (gssize) --i;
          t->ref_wrong[j] = t->hyp_wrong[i] = edit == SUBSTITUTE;
        }
    }
}

/* ---- shifts ------------------------------------------------------------------------- */

/* Appends words from to before to of the hypothesis, as far as it goes, to shifted, which has n. */
static gsize
copy_words (const Ter *t, gsize from, gsize to, gsize n)
{
  to = MIN (to, t->n_hyp);
  if (from >= to)
    return n;
  memcpy (t->shifted + n, t->hyp + from, (to - from) * sizeof (guint32));
  return n + to - from;
}

/* The phrase goes before word target; where target lies in the phrase, it goes on past as many. */
static void
move_words (const Ter *t, gsize start, gsize length, gsize target)
{
  gsize end = start + length, stop = target > end ? target : length + target, n;

  if (target < start)
    {
      n = copy_words (t, 0, target, 0);
      n = copy_words (t, start, end, n);
      n = copy_words (t, target, start, n);
      copy_words (t, end, t->n_hyp, n);
      return;
    }
  n = copy_words (t, 0, start, 0);
  n = copy_words (t, end, stop, n);
  n = copy_words (t, start, end, n);
  copy_words (t, stop, t->n_hyp, n);
}

static gboolean
any_wrong (const guint8 *wrong, gsize start, gsize length)
{
  return memchr (wrong + start, 1, length) != NULL;
}

typedef struct
{
  gboolean found;
  gint64 gain;
  gsize length, start, target;
} Shift;

/* More gain, then longer, then earlier, then to an earlier place. */
static gboolean
is_better (const Shift *a, const Shift *b)
{
  if (!b->found || a->gain != b->gain)
    return !b->found || a->gain > b->gain;
  if (a->length != b->length)
    return a->length > b->length;
  if (a->start != b->start)
    return a->start < b->start;
  return a->target < b->target;
}

/* Tries the phrase of @length words at @start, which the reference has at @at. */
static void
try_phrase (Ter *t, gsize start, gsize at, gsize length, Shift *best)
{
  gssize before = -1;

  if (!any_wrong (t->hyp_wrong, start, length) || !any_wrong (t->ref_wrong, at, length))
    return;
  if (t->align[at] >= (gssize) start && t->align[at] < (gssize) (start + length))
    return;
  for (gssize k = (gssize) at - 1; k < (gssize) (at + length) && k < (gssize) t->n_ref; k++)
    {
      Shift shift = { TRUE, 0, length, start, (gsize) (k < 0 ? 0 : t->align[k] + 1) };

      if ((gssize) shift.target == before)
        continue;
      before = (gssize) shift.target;
      move_words (t, start, length, shift.target);
      shift.gain = (gint64) table_cost (t) - shifted_cost (t, MIN (start, shift.target));
      t->n_tried++;
      if (is_better (&shift, best))
        {
          *best = shift;
          memcpy (t->best_hyp, t->shifted, t->n_hyp * sizeof (guint32));
        }
    }
}

static Shift
find_shift (Ter *t)
{
  Shift best = { 0 };

  for (gsize start = 0; start < t->n_hyp; start++)
    {
      gsize at = start > MAX_SHIFT_DISTANCE ? start - MAX_SHIFT_DISTANCE : 0;

      for (; at < t->n_ref && at <= start + MAX_SHIFT_DISTANCE; at++)
        for (gsize n = 1; n <= MAX_SHIFT_SIZE && start + n <= t->n_hyp && at + n <= t->n_ref
                          && t->hyp[start + n - 1] == t->ref[at + n - 1];
             n++)
          {
            gsize tried = t->n_tried;

            try_phrase (t, start, at, n, &best);
            if (t->n_tried >= MAX_CANDIDATES && t->n_tried > tried)
              return best;
          }
    }
  return best;
}

static gsize
count_edits (Ter *t)
{
  gsize n_shifts = 0;

  for (;;)
    {
      Shift shift;

      align (t);
      shift = find_shift (t);
      if (t->n_tried >= MAX_CANDIDATES || !shift.found || shift.gain <= 0)
        return n_shifts + table_cost (t);
      n_shifts++;
      memcpy (t->hyp, t->best_hyp, t->n_hyp * sizeof (guint32));
      fill_table (t, MIN (shift.start, shift.target) + 1);
    }
}

/* ---- a pair ------------------------------------------------------------------------- */

/* Pieces of one block of memory, each on a place fit for anything. */
static gpointer
take (guint8 *block, gsize *used, gsize size)
{
  gpointer p = block + *used;

  *used += (size + 15) & ~(gsize) 15;
  return p;
}

static gsize
room_for (gsize n_hyp, gsize n_ref, gsize n_cells)
{
  return n_cells * sizeof (Cell) + (n_hyp + 1) * (sizeof (Band) + 3 * sizeof (guint32) + 1)
         + n_ref * (sizeof (gssize) + 1) + 2 * (n_ref + 1) * sizeof (Cell) + 16 * 16;
}

static void
set_up (Ter *t, ScoreSpace *space, const guint32 *hyp)
{
  gsize used = 0, n_cells = 0, need;
  guint8 *block;

  for (gsize i = 0; i <= t->n_hyp; i++)
    {
      Band band = band_of (t, i);

      n_cells += band.end > band.first ? band.end - band.first : 0;
    }
  need = room_for (t->n_hyp, t->n_ref, n_cells);
  if (need > space->n_table)
    {
      g_free (space->table);
      space->n_table = need + need / 2;
      space->table = g_malloc (space->n_table);
    }
  block = space->table;
  t->bands = take (block, &used, (t->n_hyp + 1) * sizeof (Band));
  t->bands[0].cells = take (block, &used, n_cells * sizeof (Cell));
  for (gsize i = 0; i <= t->n_hyp; i++)
    {
      Cell *cells = i == 0 ? t->bands[0].cells
                           : t->bands[i - 1].cells + (t->bands[i - 1].end - t->bands[i - 1].first);

      t->bands[i] = band_of (t, i);
      t->bands[i].end = MAX (t->bands[i].first, t->bands[i].end);
      t->bands[i].cells = cells;
    }
  for (guint i = 0; i < 2; i++)
    t->spare[i].cells = take (block, &used, (t->n_ref + 1) * sizeof (Cell));
  t->hyp = take (block, &used, t->n_hyp * sizeof (guint32));
  t->shifted = take (block, &used, t->n_hyp * sizeof (guint32));
  t->best_hyp = take (block, &used, t->n_hyp * sizeof (guint32));
  t->align = take (block, &used, t->n_ref * sizeof (gssize));
  t->ref_wrong = take (block, &used, t->n_ref);
  t->hyp_wrong = take (block, &used, t->n_hyp);
  if (t->n_hyp > 0)
    memcpy (t->hyp, hyp, t->n_hyp * sizeof (guint32));
  for (gsize j = 0; j <= t->n_ref; j++)
    t->bands[0].cells[j] = (Cell){ (guint32) j, INSERT };
}

static gsize
edits (ScoreSpace *space, const ScoreTokens *hyp, const ScoreTokens *ref)
{
  Ter t = { .ref = ref->ids, .n_ref = ref->n, .n_hyp = hyp->n };

  if (ref->n == 0)
    return hyp->n;
  set_up (&t, space, hyp->ids);
  fill_table (&t, 1);
  return count_edits (&t);
}

void
score_ter_row (const ScoreRow *row, const ScoreTer *ter, double *stats)
{
  ScoreSpace *space = row->space;
  gsize best = G_MAXSIZE, length = 0;

  space->words.n = 0;
  score_tokenise_ter (&space->text, ter, row->hyp, &space->words);
  for (gsize i = 0; i < row->n_refs; i++)
    {
      space->other.n = 0;
      score_tokenise_ter (&space->text, ter, row->refs[i], &space->other);
      best = MIN (best, edits (space, &space->words, &space->other));
      length += space->other.n;
    }
  stats[0] = (double) best;
  stats[1] = (double) length / (double) row->n_refs;
}
