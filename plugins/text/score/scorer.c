/* SPDX-License-Identifier: Apache-2.0 */
/* scorer.c: the metrics put together: where statistics stand, what figures they give, threads.
 *
 * The statistics of a row are a line of doubles, cut into one block for each metric asked for; a
 * figure is a function of one block alone.  See score.h.
 */
#include "config.h"

#include <string.h>

#include "text/score/score-private.h"

#define OWN_VERSION "flowrun-" PACKAGE_VERSION

enum
{
  /* metric 0: rows, references, their squares, unsuited rows */
  ROWS_STATS = 4,
  CHRF_STATS = 3 * SCORE_CHRF_CHARS,
  CHRF_PP_STATS = 3 * (SCORE_CHRF_CHARS + SCORE_CHRF_WORDS),
  MAX_STREAMS = 4,
  MAX_BLOCKS = 14,
  REPEAT_ORDER = 4,
  MAX_LEN = 1 << 30 /* bytes of a text; places and numbers of words have 31 bits */
};

typedef struct
{
  guint metric;
  gsize first, n;
} Block;

struct _TextScorer
{
  TextScoreOptions options;
  ScoreChrf chrf, chrf_pp;
  ScoreTer ter;
  ScoreStream streams[MAX_STREAMS];
  guint n_streams;
  guint bleu, nltk, rouge, plain; /* streams of */
  Block blocks[MAX_BLOCKS];
  guint n_blocks;
  gsize n_stats;
  GArray *figures; /* TextFigure */
  GArray *kinds;   /* guint: index into figure_kinds */
  char *words_unit;
  GMutex lock;
  GPtrArray *spaces; /* ScoreSpace that no call is using */
};

/* ---- what there is ---------------------------------------------------------------- */

static const struct
{
  guint metric;
  gsize n;
} block_sizes[] = {
  { 0, ROWS_STATS },
  { TEXT_METRIC_BLEU, SCORE_BLEU_STATS },
  { TEXT_METRIC_BLEU_NLTK, 2 }, /* rows, sum */
  { TEXT_METRIC_CHRF, CHRF_STATS },
  { TEXT_METRIC_CHRF_PP, CHRF_PP_STATS },
  { TEXT_METRIC_TER, 2 },        /* edits, length of references */
  { TEXT_METRIC_ROUGE_1, 4 },    /* rows, sums of F, P and R; the others too */
  { TEXT_METRIC_ROUGE_2, 4 },    /* */
  { TEXT_METRIC_ROUGE_L, 4 },    /* */
  { TEXT_METRIC_ROUGE_LSUM, 4 }, /* */
  { TEXT_METRIC_DISTINCT, 4 },   /* different and all, of order 1; of order 2 */
  { TEXT_METRIC_REPETITION, 2 }, /* repeated, all */
  { TEXT_METRIC_LENGTH, 3 },     /* rows, tokens of hypotheses, of references */
  { TEXT_METRIC_EXACT, 2 },      /* rows, equal ones */
};

/* part: which of its metric's figures; in the order of the documentation of TextFigure. */
static const struct
{
  guint metric;
  guint part;
  const char *name, *title;
  int better;
  double max;
  gboolean of_row;
} figure_kinds[] = {
  { 0, 0, "rows", "Rows", 0, 0, FALSE },
  { 0, 1, "unsuited", "Rows whose words the unit cannot tell apart", -1, 0, TRUE },
  { TEXT_METRIC_BLEU, 0, "bleu", "BLEU", 1, 100, TRUE },
  { TEXT_METRIC_BLEU, 1, "bleu_precision1", "BLEU precision 1", 1, 100, TRUE },
  { TEXT_METRIC_BLEU, 2, "bleu_precision2", "BLEU precision 2", 1, 100, TRUE },
  { TEXT_METRIC_BLEU, 3, "bleu_precision3", "BLEU precision 3", 1, 100, TRUE },
  { TEXT_METRIC_BLEU, 4, "bleu_precision4", "BLEU precision 4", 1, 100, TRUE },
  { TEXT_METRIC_BLEU, 5, "bleu_bp", "BLEU brevity penalty", 1, 1, TRUE },
  { TEXT_METRIC_BLEU, 6, "bleu_hyp_len", "BLEU tokens of hypotheses", 0, 0, TRUE },
  { TEXT_METRIC_BLEU, 7, "bleu_ref_len", "BLEU tokens of references", 0, 0, TRUE },
  { TEXT_METRIC_BLEU_NLTK, 0, "bleu_nltk", "Mean sentence BLEU (NLTK)", 1, 100, TRUE },
  { TEXT_METRIC_CHRF, 0, "chrf", "chrF", 1, 100, TRUE },
  { TEXT_METRIC_CHRF_PP, 0, "chrfpp", "chrF++", 1, 100, TRUE },
  { TEXT_METRIC_TER, 0, "ter", "TER", -1, 0, TRUE },
  { TEXT_METRIC_TER, 1, "ter_edits", "TER edits", -1, 0, TRUE },
  { TEXT_METRIC_TER, 2, "ter_ref_len", "TER tokens of references", 0, 0, TRUE },
  { TEXT_METRIC_ROUGE_1, 0, "rouge1_f", "ROUGE-1 F", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_1, 1, "rouge1_p", "ROUGE-1 precision", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_1, 2, "rouge1_r", "ROUGE-1 recall", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_2, 0, "rouge2_f", "ROUGE-2 F", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_2, 1, "rouge2_p", "ROUGE-2 precision", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_2, 2, "rouge2_r", "ROUGE-2 recall", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_L, 0, "rougeL_f", "ROUGE-L F", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_L, 1, "rougeL_p", "ROUGE-L precision", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_L, 2, "rougeL_r", "ROUGE-L recall", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_LSUM, 0, "rougeLsum_f", "ROUGE-Lsum F", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_LSUM, 1, "rougeLsum_p", "ROUGE-Lsum precision", 1, 1, TRUE },
  { TEXT_METRIC_ROUGE_LSUM, 2, "rougeLsum_r", "ROUGE-Lsum recall", 1, 1, TRUE },
  { TEXT_METRIC_DISTINCT, 0, "distinct1", "Distinct-1 within rows", 1, 1, TRUE },
  { TEXT_METRIC_DISTINCT, 1, "distinct2", "Distinct-2 within rows", 1, 1, TRUE },
  { TEXT_METRIC_REPETITION, 0, "repetition", "Repeated 4-grams", -1, 0, TRUE },
  { TEXT_METRIC_LENGTH, 0, "length_ratio", "Length ratio", 0, 0, TRUE },
  { TEXT_METRIC_LENGTH, 1, "length_hyp", "Length of hypotheses", 0, 0, TRUE },
  { TEXT_METRIC_LENGTH, 2, "length_ref", "Length of references", 0, 0, TRUE },
  { TEXT_METRIC_EXACT, 0, "exact", "Exact match", 1, 1, TRUE },
};

static const struct
{
  const char *name;
  guint metrics;
} metric_names[] = {
  { "bleu", TEXT_METRIC_BLEU },         { "bleu_nltk", TEXT_METRIC_BLEU_NLTK },
  { "chrf", TEXT_METRIC_CHRF },         { "chrf++", TEXT_METRIC_CHRF_PP },
  { "ter", TEXT_METRIC_TER },           { "rouge", TEXT_METRIC_ROUGE },
  { "rouge1", TEXT_METRIC_ROUGE_1 },    { "rouge2", TEXT_METRIC_ROUGE_2 },
  { "rougeL", TEXT_METRIC_ROUGE_L },    { "rougeLsum", TEXT_METRIC_ROUGE_LSUM },
  { "distinct", TEXT_METRIC_DISTINCT }, { "repetition", TEXT_METRIC_REPETITION },
  { "length", TEXT_METRIC_LENGTH },     { "exact", TEXT_METRIC_EXACT },
};

guint
text_metric_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (metric_names); i++)
    if (g_str_equal (metric_names[i].name, name))
      return metric_names[i].metrics;
  return 0;
}

void
text_score_options_init (TextScoreOptions *options)
{
  *options = (TextScoreOptions){ .metrics = TEXT_METRIC_ALL,
                                 .bleu = { .unit = TEXT_UNIT_13A, .smooth_value = -1 },
                                 .bleu_nltk_unit = TEXT_UNIT_CHAR,
                                 .chrf = { .beta = 2 },
                                 .rouge = { .unit = TEXT_UNIT_ENGLISH },
                                 .unit = TEXT_UNIT_WORDS };
}

void
text_score_options_chinese (TextScoreOptions *options)
{
  text_score_options_init (options);
  options->bleu.unit = TEXT_UNIT_ZH;
  options->rouge.unit = TEXT_UNIT_CHAR;
  options->unit = TEXT_UNIT_CHAR;
  options->ter.normalized = options->ter.asian_support = TRUE;
}

/* ---- making one --------------------------------------------------------------------- */

static gboolean
has (const TextScorer *scorer, guint metrics)
{
  return (scorer->options.metrics & metrics) != 0;
}

static gboolean
check_unit (TextUnit unit, const char *what, GError **error)
{
  if ((guint) unit < TEXT_N_UNITS)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s has no unit %d", what, (int) unit);
  return FALSE;
}

static gboolean
check_rouge (const TextScoreOptions *o, GError **error)
{
  if ((o->metrics & TEXT_METRIC_ROUGE) == 0)
    return TRUE;
  if (!check_unit (o->rouge.unit, "ROUGE", error))
    return FALSE;
  if (o->rouge.stem && o->rouge.unit != TEXT_UNIT_ENGLISH)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "ROUGE stems English words alone: with the unit \"%s\" take stemming away, or "
                   "take the unit \"english\"",
                   text_unit_name (o->rouge.unit));
      return FALSE;
    }
  if (o->rouge.kind == TEXT_ROUGE_CHINESE && o->rouge.unit != TEXT_UNIT_CHAR
      && o->rouge.unit != TEXT_UNIT_WORDS && o->rouge.unit != TEXT_UNIT_NONE)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "ROUGE as rouge-chinese counts it needs the unit \"char\", \"words\" or "
                   "\"none\" (words already separated), not \"%s\"",
                   text_unit_name (o->rouge.unit));
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_options (const TextScoreOptions *o, GError **error)
{
  if (o->metrics & TEXT_METRIC_BLEU)
    {
      if (!check_unit (o->bleu.unit, "BLEU", error))
        return FALSE;
      if (o->bleu.unit == TEXT_UNIT_ENGLISH)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "BLEU has no unit \"english\": take \"13a\", or \"zh\" for Chinese");
          return FALSE;
        }
    }
  if ((o->metrics & TEXT_METRIC_BLEU_NLTK) && !check_unit (o->bleu_nltk_unit, "BLEU", error))
    return FALSE;
  if ((o->metrics & (TEXT_METRIC_CHRF | TEXT_METRIC_CHRF_PP))
      && (o->chrf.beta < 1 || o->chrf.beta > 10))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "chrF's beta is 1 to 10, not %u",
                   o->chrf.beta);
      return FALSE;
    }
  return check_rouge (o, error) && check_unit (o->unit, "a score", error);
}

/* The stream with these settings, made if need be. */
static guint
need_stream (TextScorer *scorer, ScoreStream stream)
{
  for (guint i = 0; i < scorer->n_streams; i++)
    {
      const ScoreStream *s = &scorer->streams[i];

      if (s->unit == stream.unit && s->lowercase == stream.lowercase && s->stem == stream.stem
          && s->blank == stream.blank && s->cut == stream.cut)
        return i;
    }
  scorer->streams[scorer->n_streams] = stream;
  return scorer->n_streams++;
}

static void
choose_streams (TextScorer *scorer)
{
  const TextScoreOptions *o = &scorer->options;

  if (has (scorer, TEXT_METRIC_BLEU))
    scorer->bleu = need_stream (
        scorer, (ScoreStream){ .unit = o->bleu.unit, .lowercase = o->bleu.lowercase != 0 });
  if (has (scorer, TEXT_METRIC_BLEU_NLTK))
    scorer->nltk
        = need_stream (scorer, (ScoreStream){ .unit = o->bleu_nltk_unit,
                                              .blank = o->bleu_nltk_unit == TEXT_UNIT_CHAR });
  if (has (scorer, TEXT_METRIC_ROUGE))
    scorer->rouge
        = need_stream (scorer, (ScoreStream){ .unit = o->rouge.unit,
                                              .lowercase = o->rouge.unit != TEXT_UNIT_ENGLISH
                                                           && o->rouge.lowercase,
                                              .stem = o->rouge.stem != 0,
                                              .cut = o->rouge.kind == TEXT_ROUGE_CHINESE });
  if (has (scorer, TEXT_METRIC_DISTINCT | TEXT_METRIC_REPETITION | TEXT_METRIC_LENGTH))
    scorer->plain = need_stream (scorer, (ScoreStream){ .unit = o->unit });
}

static const char *
unit_label (const TextScorer *scorer, TextUnit unit)
{
  return unit == TEXT_UNIT_WORDS ? scorer->words_unit : text_unit_name (unit);
}

static const char *
metric_unit (const TextScorer *scorer, guint metric)
{
  const TextScoreOptions *o = &scorer->options;

  if (metric == TEXT_METRIC_BLEU)
    return unit_label (scorer, o->bleu.unit);
  if (metric == TEXT_METRIC_BLEU_NLTK)
    return unit_label (scorer, o->bleu_nltk_unit);
  if (metric == TEXT_METRIC_CHRF)
    return "char 1-6";
  if (metric == TEXT_METRIC_CHRF_PP)
    return "char 1-6, word 1-2";
  if (metric == TEXT_METRIC_TER)
    return "tercom";
  if (metric & TEXT_METRIC_ROUGE)
    return unit_label (scorer, o->rouge.unit);
  if (metric & (TEXT_METRIC_DISTINCT | TEXT_METRIC_REPETITION | TEXT_METRIC_LENGTH))
    return unit_label (scorer, o->unit);
  return "";
}

static void
lay_out (TextScorer *scorer)
{
  for (guint i = 0; i < G_N_ELEMENTS (block_sizes); i++)
    if (block_sizes[i].metric == 0 || has (scorer, block_sizes[i].metric))
      {
        scorer->blocks[scorer->n_blocks++]
            = (Block){ block_sizes[i].metric, scorer->n_stats, block_sizes[i].n };
        scorer->n_stats += block_sizes[i].n;
      }
  for (guint i = 0; i < G_N_ELEMENTS (figure_kinds); i++)
    if (figure_kinds[i].metric == 0 || has (scorer, figure_kinds[i].metric))
      {
        TextFigure figure = { .name = figure_kinds[i].name,
                              .title = figure_kinds[i].title,
                              .unit = metric_unit (scorer, figure_kinds[i].metric),
                              .metric = figure_kinds[i].metric,
                              .headline = figure_kinds[i].metric != 0 && figure_kinds[i].part == 0,
                              .better = figure_kinds[i].better,
                              .max = figure_kinds[i].max,
                              .of_row = figure_kinds[i].of_row };

        g_array_append_val (scorer->figures, figure);
        g_array_append_val (scorer->kinds, i);
      }
}

/* ---- space for a call ------------------------------------------------------------------ */

static void
space_free (gpointer data)
{
  ScoreSpace *space = data;

  score_text_clear (&space->text);
  score_grams_clear (&space->grams);
  score_lcs_clear (&space->lcs);
  for (gsize i = 0; i < space->n_streams; i++)
    g_free (space->hyp[i].ids);
  for (gsize i = 0; i < space->n_streams * space->n_refs_room; i++)
    g_free (space->refs[i].ids);
  g_free (space->hyp);
  g_free (space->refs);
  g_free (space->chars.ids);
  g_free (space->other.ids);
  g_free (space->words.ids);
  g_free (space->ref_nodes.ids);
  g_free (space->hyp_nodes.ids);
  g_free (space->ref_lines.ids);
  g_free (space->hyp_lines.ids);
  g_free (space->counts[0]);
  g_free (space->counts[1]);
  g_free (space->marks);
  g_free (space->table);
  g_free (space);
}

static gboolean
needs_words (const TextScorer *scorer)
{
  for (guint i = 0; i < scorer->n_streams; i++)
    if (scorer->streams[i].unit == TEXT_UNIT_WORDS)
      return TRUE;
  return FALSE;
}

static ScoreSpace *
space_new (const TextScorer *scorer, GError **error)
{
  ScoreSpace *space = g_new0 (ScoreSpace, 1);

  score_text_init (&space->text);
  score_grams_init (&space->grams);
  space->n_streams = scorer->n_streams;
  space->hyp = g_new0 (ScoreTokens, scorer->n_streams);
  if (needs_words (scorer))
    {
      space->text.segmenter = text_segmenter_new (error);
      if (space->text.segmenter == NULL)
        {
          space_free (space);
          return NULL;
        }
    }
  return space;
}

static ScoreSpace *
take_space (TextScorer *scorer)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&scorer->lock);
  g_autoptr (GError) error = NULL;
  ScoreSpace *space;

  if (scorer->spaces->len > 0)
    return g_ptr_array_steal_index_fast (scorer->spaces, scorer->spaces->len - 1);
  space = space_new (scorer, &error);
  if (space == NULL) /* text_scorer_new() had one: there is no memory left */
    g_error ("%s", error->message);
  return space;
}

static void
give_space (TextScorer *scorer, ScoreSpace *space)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&scorer->lock);

  g_ptr_array_add (scorer->spaces, space);
}

TextScorer *
text_scorer_new (const TextScoreOptions *options, GError **error)
{
  g_autoptr (TextScorer) scorer = NULL;
  ScoreSpace *first;

  if (!check_options (options, error))
    return NULL;
  scorer = g_new0 (TextScorer, 1);
  g_mutex_init (&scorer->lock);
  scorer->spaces = g_ptr_array_new_with_free_func (space_free);
  scorer->figures = g_array_new (FALSE, FALSE, sizeof (TextFigure));
  scorer->kinds = g_array_new (FALSE, FALSE, sizeof (guint));
  scorer->words_unit = g_strconcat ("words-", text_segment_version (), NULL);
  scorer->options = *options;
  scorer->chrf = (ScoreChrf){ 0, options->chrf.beta, options->chrf.lowercase,
                              options->chrf.whitespace, options->chrf.eps_smoothing };
  scorer->chrf_pp = scorer->chrf;
  scorer->chrf_pp.words = SCORE_CHRF_WORDS;
  scorer->ter = (ScoreTer){ options->ter.normalized, options->ter.no_punct,
                            options->ter.asian_support, options->ter.case_sensitive };
  choose_streams (scorer);
  lay_out (scorer);
  first = space_new (scorer, error);
  if (first == NULL)
    return NULL;
  give_space (scorer, first);
  return g_steal_pointer (&scorer);
}

void
text_scorer_free (TextScorer *scorer)
{
  if (scorer == NULL)
    return;
  g_ptr_array_unref (scorer->spaces);
  g_array_unref (scorer->figures);
  g_array_unref (scorer->kinds);
  g_free (scorer->words_unit);
  g_mutex_clear (&scorer->lock);
  g_free (scorer);
}

gsize
text_scorer_n_stats (const TextScorer *scorer)
{
  return scorer->n_stats;
}

/* ---- a row -------------------------------------------------------------------------------- */

static void
need_refs (ScoreSpace *space, gsize n_refs)
{
  gsize room = MAX (n_refs, space->n_refs_room * 2);

  if (n_refs <= space->n_refs_room)
    return;
  for (gsize i = 0; i < space->n_streams * space->n_refs_room; i++)
    g_free (space->refs[i].ids);
  g_free (space->refs);
  space->refs = g_new0 (ScoreTokens, space->n_streams * room);
  space->n_refs_room = room;
}

static void
tokenise_row (const TextScorer *scorer, const ScoreRow *row)
{
  ScoreSpace *space = row->space;

  need_refs (space, row->n_refs);
  score_dictionary_next_row (&space->text.dictionary);
  for (guint s = 0; s < scorer->n_streams; s++)
    {
      space->hyp[s].n = 0;
      score_tokenise (&space->text, &scorer->streams[s], row->hyp, &space->hyp[s]);
      for (gsize i = 0; i < row->n_refs; i++)
        {
          ScoreTokens *ref = &space->refs[s * space->n_refs_room + i];

          ref->n = 0;
          score_tokenise (&space->text, &scorer->streams[s], row->refs[i], ref);
        }
    }
}

static gboolean
is_unsuited (const TextScorer *scorer, FrStr ref)
{
  const TextScoreOptions *o = &scorer->options;
  gboolean bleu = has (scorer, TEXT_METRIC_BLEU), rouge = has (scorer, TEXT_METRIC_ROUGE);

  /* TER's words are those of blanks, unless it sets Asian characters apart. */
  gboolean ter = has (scorer, TEXT_METRIC_TER) && !(o->ter.normalized && o->ter.asian_support);

  return (bleu && !text_unit_suits (o->bleu.unit, ref))
         || (rouge && !(bleu && o->rouge.unit == o->bleu.unit)
             && !text_unit_suits (o->rouge.unit, ref))
         || (ter && !text_unit_suits (TEXT_UNIT_NONE, ref));
}

static void
count_row (const TextScorer *scorer, const ScoreRow *row, double *stats)
{
  stats[0] = 1;
  stats[1] = (double) row->n_refs;
  stats[2] = (double) row->n_refs * (double) row->n_refs;
  stats[3] = is_unsuited (scorer, row->refs[0]);
}

/* Different n-grams of the hypothesis for each order. */
static void
count_different (const TextScorer *scorer, const ScoreRow *row, guint64 *different)
{
  const ScoreTokens *hyp = score_row_hyp (row, scorer->plain);
  ScoreGrams *grams = &row->space->grams;

  memset (different, 0, REPEAT_ORDER * sizeof (guint64));
  score_grams_reset (grams);
  for (gsize i = 0; i < hyp->n; i++)
    {
      guint32 node = 0;

      for (gsize j = i; j < MIN (hyp->n, i + REPEAT_ORDER); j++)
        {
          guint32 before = grams->n_nodes;

          node = score_grams_take (grams, node, hyp->ids[j]);
          different[j - i] += grams->n_nodes > before;
        }
    }
}

static gboolean
equals_reference (const ScoreRow *row)
{
  FrStr hyp = score_strip (row->hyp);

  for (gsize i = 0; i < row->n_refs; i++)
    if (fr_str_equal (hyp, score_strip (row->refs[i])))
      return TRUE;
  return FALSE;
}

/* chrF's numbers are the first of chrF++'s, unless another reference may be the best. */
static void
count_chrf (const TextScorer *scorer, const ScoreRow *row, double *stats, gboolean chrf,
            gboolean chrf_pp)
{
  double *pp = chrf ? stats + CHRF_STATS : stats;

  if (chrf_pp)
    score_chrf_row (row, &scorer->chrf_pp, pp);
  if (chrf && chrf_pp && row->n_refs == 1)
    memcpy (stats, pp, CHRF_STATS * sizeof (double));
  else if (chrf)
    score_chrf_row (row, &scorer->chrf, stats);
}

static void
count_plain (const TextScorer *scorer, const ScoreRow *row, guint metric, double *stats)
{
  gsize n = score_row_hyp (row, scorer->plain)->n;
  guint64 different[REPEAT_ORDER];

  if (metric == TEXT_METRIC_LENGTH)
    {
      stats[0] = 1;
      stats[1] = (double) n;
      stats[2] = (double) score_nearest_length (row, scorer->plain);
      return;
    }
  count_different (scorer, row, different);
  if (metric == TEXT_METRIC_DISTINCT)
    for (guint order = 1; order <= 2; order++)
      {
        *stats++ = (double) different[order - 1];
        *stats++ = (double) score_n_grams (n, order);
      }
  else
    {
      stats[1] = (double) score_n_grams (n, REPEAT_ORDER);
      stats[0] = stats[1] - (double) different[REPEAT_ORDER - 1];
    }
}

static void
count_rouge (double *stats, ScoreFpr score)
{
  stats[0] = 1;
  stats[1] = score.f;
  stats[2] = score.p;
  stats[3] = score.r;
}

static void
count_nltk (const TextScorer *scorer, const ScoreRow *row, double *stats)
{
  double bleu[SCORE_BLEU_STATS];

  score_bleu_row (row, scorer->nltk, bleu);
  stats[0] = 1;
  stats[1] = score_bleu_nltk (bleu, scorer->options.bleu.smooth);
}

static guint
rouge_index (guint metric)
{
  return metric == TEXT_METRIC_ROUGE_1   ? SCORE_ROUGE_1
         : metric == TEXT_METRIC_ROUGE_2 ? SCORE_ROUGE_2
         : metric == TEXT_METRIC_ROUGE_L ? SCORE_ROUGE_L
                                         : SCORE_ROUGE_LSUM;
}

static void
count_block (const TextScorer *scorer, const ScoreRow *row, const ScoreFpr *rouge, guint metric,
             double *stats)
{
  if (metric == 0)
    count_row (scorer, row, stats);
  else if (metric == TEXT_METRIC_BLEU)
    score_bleu_row (row, scorer->bleu, stats);
  else if (metric == TEXT_METRIC_BLEU_NLTK)
    count_nltk (scorer, row, stats);
  else if (metric == TEXT_METRIC_CHRF)
    count_chrf (scorer, row, stats, TRUE, has (scorer, TEXT_METRIC_CHRF_PP));
  else if (metric == TEXT_METRIC_CHRF_PP && !has (scorer, TEXT_METRIC_CHRF))
    count_chrf (scorer, row, stats, FALSE, TRUE);
  else if (metric == TEXT_METRIC_TER)
    score_ter_row (row, &scorer->ter, stats);
  else if (metric & TEXT_METRIC_ROUGE)
    count_rouge (stats, rouge[rouge_index (metric)]);
  else if (metric & (TEXT_METRIC_DISTINCT | TEXT_METRIC_REPETITION | TEXT_METRIC_LENGTH))
    count_plain (scorer, row, metric, stats);
  else if (metric == TEXT_METRIC_EXACT)
    {
      stats[0] = 1;
      stats[1] = equals_reference (row);
    }
}

void
text_scorer_row (TextScorer *scorer, FrStr hypothesis, const FrStr *references, gsize n_references,
                 double *stats)
{
  ScoreFpr rouge[SCORE_N_ROUGE];
  ScoreRow row = { hypothesis, references, n_references, NULL };
  guint which = 0;

  memset (stats, 0, scorer->n_stats * sizeof (double));
  g_return_if_fail (n_references > 0 && hypothesis.len < MAX_LEN);
  row.space = take_space (scorer);
  tokenise_row (scorer, &row);
  for (guint i = 0; i < scorer->n_blocks; i++)
    if (scorer->blocks[i].metric & TEXT_METRIC_ROUGE)
      which |= 1u << rouge_index (scorer->blocks[i].metric);
  if (which != 0)
    score_rouge_row (&row, scorer->rouge, &scorer->streams[scorer->rouge],
                     scorer->options.rouge.kind, which, rouge);
  for (guint i = 0; i < scorer->n_blocks; i++)
    count_block (scorer, &row, rouge, scorer->blocks[i].metric, stats + scorer->blocks[i].first);
  give_space (scorer, row.space);
}

void
text_stats_add (double *sum, const double *stats, gsize n_stats)
{
  for (gsize i = 0; i < n_stats; i++)
    sum[i] += stats[i];
}

/* ---- figures -------------------------------------------------------------------------------- */

const TextFigure *
text_scorer_figures (const TextScorer *scorer, gsize *n_figures)
{
  if (n_figures != NULL)
    *n_figures = scorer->figures->len;
  return (const TextFigure *) (gconstpointer) scorer->figures->data;
}

static const Block *
find_block (const TextScorer *scorer, guint metric)
{
  for (guint i = 0; i < scorer->n_blocks; i++)
    if (scorer->blocks[i].metric == metric)
      return &scorer->blocks[i];
  return NULL;
}

static double
ratio (double a, double b)
{
  return b > 0 ? a / b : 0;
}

static void
bleu_of (const TextScorer *scorer, const double *stats, TextScoreLevel level, ScoreBleu *bleu)
{
  const TextScoreOptions *o = &scorer->options;

  score_bleu (stats, o->bleu.smooth, score_bleu_smooth_value (o->bleu.smooth, o->bleu.smooth_value),
              level == TEXT_SCORE_ROW || o->bleu.effective_order, bleu);
}

static double
bleu_part (const TextScorer *scorer, const double *stats, TextScoreLevel level, guint part)
{
  ScoreBleu bleu;

  if (part > 5)
    return stats[part - 6];
  bleu_of (scorer, stats, level, &bleu);
  return part == 0 ? bleu.score : part == 5 ? bleu.bp : bleu.precisions[part - 1];
}

static double
ter_part (const double *stats, guint part)
{
  if (part > 0)
    return stats[part - 1];
  if (stats[1] > 0)
    return 100 * stats[0] / stats[1];
  return stats[0] > 0 ? 100 : 0; /* no words in any reference */
}

static double
block_value (const TextScorer *scorer, const double *stats, TextScoreLevel level, guint metric,
             guint part)
{
  switch (metric)
    {
    case 0:
      return part == 0 ? stats[0] : ratio (stats[3], stats[0]);
    case TEXT_METRIC_BLEU:
      return bleu_part (scorer, stats, level, part);
    case TEXT_METRIC_CHRF:
      return score_chrf (stats, &scorer->chrf);
    case TEXT_METRIC_CHRF_PP:
      return score_chrf (stats, &scorer->chrf_pp);
    case TEXT_METRIC_TER:
      return ter_part (stats, part);
    case TEXT_METRIC_DISTINCT:
      return ratio (stats[2 * part], stats[2 * part + 1]);
    case TEXT_METRIC_REPETITION:
      return ratio (stats[0], stats[1]);
    case TEXT_METRIC_LENGTH:
      return part == 0 ? ratio (stats[1], stats[2]) : ratio (stats[part], stats[0]);
    default: /* means over rows */
      return ratio (stats[1 + part], stats[0]);
    }
}

double
text_scorer_value (const TextScorer *scorer, const double *stats, TextScoreLevel level,
                   gsize figure)
{
  guint kind;

  g_return_val_if_fail (figure < scorer->kinds->len, 0);
  kind = g_array_index (scorer->kinds, guint, figure);
  return block_value (scorer, stats + find_block (scorer, figure_kinds[kind].metric)->first, level,
                      figure_kinds[kind].metric, figure_kinds[kind].part);
}

void
text_scorer_values (const TextScorer *scorer, const double *stats, TextScoreLevel level,
                    double *values)
{
  for (gsize i = 0; i < scorer->kinds->len; i++)
    values[i] = text_scorer_value (scorer, stats, level, i);
}

void
text_scorer_stats_range (const TextScorer *scorer, gsize figure, gsize *first, gsize *n)
{
  const Block *block;

  g_return_if_fail (figure < scorer->figures->len);
  block = find_block (scorer, g_array_index (scorer->figures, TextFigure, figure).metric);
  *first = block->first;
  *n = block->n;
}

/* ---- signatures --------------------------------------------------------------------------------
 */

/* With a point whatever the locale. */
static void
append_number (GString *out, const char *before, const char *format, double value)
{
  char text[400]; /* the longest double in %f */

  g_string_append (out, before);
  g_string_append (out, g_ascii_formatd (text, sizeof text, format, value));
}

/* The number of references where it is the same in all rows: then n * sum(x^2) = sum(x)^2. */
static void
append_references (GString *out, const double *stats)
{
  if (stats[0] > 0 && stats[1] * stats[1] == stats[0] * stats[2])
    g_string_append_printf (out, "nrefs:%.0f", stats[1] / stats[0]);
  else
    g_string_append (out, "nrefs:var");
}

static const char *
yes (gboolean is)
{
  return is ? "yes" : "no";
}

static void
append_bleu (const TextScorer *scorer, GString *out)
{
  static const char *const smooth[] = { "exp", "none", "floor", "add-k" };
  const TextScoreOptions *o = &scorer->options;
  gboolean own = o->bleu.unit == TEXT_UNIT_ZH_FIXED || o->bleu.unit == TEXT_UNIT_WORDS;

  g_string_append_printf (out, "|case:%s|eff:%s|tok:%s|smooth:%s",
                          o->bleu.lowercase ? "lc" : "mixed", yes (o->bleu.effective_order),
                          unit_label (scorer, o->bleu.unit), smooth[o->bleu.smooth]);
  if (o->bleu.smooth == TEXT_SMOOTH_FLOOR || o->bleu.smooth == TEXT_SMOOTH_ADD_K)
    {
      append_number (out, "[", "%.2f",
                     score_bleu_smooth_value (o->bleu.smooth, o->bleu.smooth_value));
      g_string_append_c (out, ']');
    }
  g_string_append_printf (out, "|version:%s", own ? OWN_VERSION : TEXT_SACREBLEU_VERSION);
}

static void
append_chrf (const ScoreChrf *chrf, GString *out)
{
  g_string_append_printf (out, "|case:%s|eff:%s|nc:%d|nw:%u|space:%s|version:%s",
                          chrf->lowercase ? "lc" : "mixed", yes (!chrf->eps_smoothing),
                          SCORE_CHRF_CHARS, chrf->words, yes (chrf->whitespace),
                          TEXT_SACREBLEU_VERSION);
}

static void
append_rouge (const TextScorer *scorer, GString *out)
{
  const TextScoreOptions *o = &scorer->options;
  const char *version = OWN_VERSION;

  if (o->rouge.unit == TEXT_UNIT_ENGLISH)
    version = "rouge-score-0.1.2";
  else if (o->rouge.kind == TEXT_ROUGE_CHINESE && o->rouge.unit != TEXT_UNIT_WORDS)
    version = "rouge-chinese-1.0.3";
  g_string_append_printf (out, "|case:%s|unit:%s|stem:%s|count:%s|version:%s",
                          o->rouge.unit == TEXT_UNIT_ENGLISH || o->rouge.lowercase ? "lc" : "mixed",
                          unit_label (scorer, o->rouge.unit), yes (o->rouge.stem),
                          o->rouge.kind == TEXT_ROUGE_CHINESE ? "once" : "clipped", version);
}

static void
append_nltk (const TextScorer *scorer, GString *out)
{
  g_string_append_printf (out, "|case:mixed|tok:%s|smooth:%s|version:nltk-3.8",
                          unit_label (scorer, scorer->options.bleu_nltk_unit),
                          scorer->options.bleu.smooth == TEXT_SMOOTH_FLOOR ? "method1" : "method3");
}

static void
append_signature (const TextScorer *scorer, guint metric, const double *stats, GString *out)
{
  append_references (out, stats);
  if (metric == TEXT_METRIC_BLEU)
    append_bleu (scorer, out);
  else if (metric == TEXT_METRIC_BLEU_NLTK)
    append_nltk (scorer, out);
  else if (metric == TEXT_METRIC_CHRF)
    append_chrf (&scorer->chrf, out);
  else if (metric == TEXT_METRIC_CHRF_PP)
    append_chrf (&scorer->chrf_pp, out);
  else if (metric == TEXT_METRIC_TER)
    g_string_append_printf (out, "|case:%s|tok:tercom|norm:%s|punct:%s|asian:%s|version:%s",
                            scorer->ter.case_sensitive ? "mixed" : "lc",
                            yes (scorer->ter.normalized), yes (!scorer->ter.no_punct),
                            yes (scorer->ter.asian_support), TEXT_SACREBLEU_VERSION);
  else if (metric & TEXT_METRIC_ROUGE)
    append_rouge (scorer, out);
  else if (*metric_unit (scorer, metric) != '\0')
    g_string_append_printf (out, "|unit:%s|version:%s", metric_unit (scorer, metric), OWN_VERSION);
  else
    g_string_append_printf (out, "|version:%s", OWN_VERSION);
}

char *
text_scorer_signature (const TextScorer *scorer, guint metric, const double *stats)
{
  g_autoptr (GString) out = g_string_new (NULL);

  g_return_val_if_fail (find_block (scorer, metric) != NULL, NULL);
  append_signature (scorer, metric, stats, out);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
append_bleu_details (const TextScorer *scorer, const double *stats, GString *out)
{
  ScoreBleu bleu;

  bleu_of (scorer, stats, TEXT_SCORE_CORPUS, &bleu);
  for (guint n = 0; n < SCORE_BLEU_ORDER; n++)
    append_number (out, n == 0 ? " " : "/", "%.1f", bleu.precisions[n]);
  append_number (out, " (BP = ", "%.3f", bleu.bp);
  append_number (out, " ratio = ", "%.3f", ratio (stats[0], stats[1]));
  append_number (out, " hyp_len = ", "%.0f", stats[0]);
  append_number (out, " ref_len = ", "%.0f", stats[1]);
  g_string_append_c (out, ')');
}

static void
append_name (const TextScorer *scorer, guint metric, GString *out)
{
  static const char *const rouge[] = { "1", "2", "L", "Lsum" };

  if (metric == TEXT_METRIC_CHRF || metric == TEXT_METRIC_CHRF_PP)
    g_string_append_printf (out, "chrF%u%s", scorer->chrf.beta,
                            metric == TEXT_METRIC_CHRF_PP ? "++" : "");
  else if (metric & TEXT_METRIC_ROUGE)
    g_string_append_printf (out, "ROUGE-%s", rouge[rouge_index (metric)]);
  else
    for (gsize i = 0; i < G_N_ELEMENTS (figure_kinds); i++)
      if (figure_kinds[i].metric == metric && figure_kinds[i].part == 0)
        g_string_append (out, figure_kinds[i].title);
}

char *
text_scorer_line (const TextScorer *scorer, guint metric, const double *stats)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const Block *block = find_block (scorer, metric);
  guint n = metric & TEXT_METRIC_ROUGE ? 3 : metric & TEXT_METRIC_DISTINCT ? 2 : 1;
  gboolean hundred = metric < TEXT_METRIC_ROUGE_1;

  g_return_val_if_fail (block != NULL && metric != 0, NULL);
  append_name (scorer, metric, out);
  g_string_append_c (out, '|');
  append_signature (scorer, metric, stats, out);
  g_string_append (out, " =");
  for (guint part = 0; part < n; part++)
    append_number (out, " ", hundred ? "%.2f" : "%.4f",
                   block_value (scorer, stats + block->first, TEXT_SCORE_CORPUS, metric, part));
  if (metric == TEXT_METRIC_BLEU)
    append_bleu_details (scorer, stats + block->first, out);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* ---- a whole corpus' different n-grams
 * ------------------------------------------------------------ */

struct _TextDistinct
{
  GMutex lock;
  ScoreStream stream;
  ScoreText text;
  ScoreGrams grams;
  ScoreTokens tokens;
  guint max_order;
  guint64 different[SCORE_BLEU_ORDER], all[SCORE_BLEU_ORDER];
};

TextDistinct *
text_distinct_new (TextUnit unit, guint max_order, GError **error)
{
  g_autoptr (TextDistinct) distinct = NULL;

  g_return_val_if_fail (max_order >= 1 && max_order <= SCORE_BLEU_ORDER, NULL);
  if (!check_unit (unit, "a score", error))
    return NULL;
  distinct = g_new0 (TextDistinct, 1);
  g_mutex_init (&distinct->lock);
  score_text_init (&distinct->text);
  score_grams_init (&distinct->grams);
  distinct->stream.unit = unit;
  distinct->max_order = max_order;
  if (unit == TEXT_UNIT_WORDS)
    {
      distinct->text.segmenter = text_segmenter_new (error);
      if (distinct->text.segmenter == NULL)
        return NULL;
    }
  return g_steal_pointer (&distinct);
}

void
text_distinct_free (TextDistinct *distinct)
{
  if (distinct == NULL)
    return;
  score_text_clear (&distinct->text);
  score_grams_clear (&distinct->grams);
  g_free (distinct->tokens.ids);
  g_mutex_clear (&distinct->lock);
  g_free (distinct);
}

void
text_distinct_add (TextDistinct *distinct, FrStr text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&distinct->lock);
  ScoreTokens *tokens = &distinct->tokens;

  tokens->n = 0;
  score_tokenise (&distinct->text, &distinct->stream, text, tokens);
  for (gsize i = 0; i < tokens->n; i++)
    {
      guint32 node = 0;

      for (gsize j = i; j < MIN (tokens->n, i + distinct->max_order); j++)
        {
          guint32 before = distinct->grams.n_nodes;

          node = score_grams_take (&distinct->grams, node, tokens->ids[j]);
          distinct->different[j - i] += distinct->grams.n_nodes > before;
          distinct->all[j - i]++;
        }
    }
}

double
text_distinct_value (TextDistinct *distinct, guint order)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&distinct->lock);

  g_return_val_if_fail (order >= 1 && order <= distinct->max_order, 0);
  return ratio ((double) distinct->different[order - 1], (double) distinct->all[order - 1]);
}
