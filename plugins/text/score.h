/* SPDX-License-Identifier: Apache-2.0 */
/* score.h: how near a text comes to its references (libflowrun-text).
 *
 * BLEU, chrF, chrF++ and TER give the digits and the signature of sacreBLEU 2.6.0 (Post, 2018);
 * ROUGE gives those of rouge-score 0.1.2 (ROUGE-1.5.5) or, asked to, of rouge-chinese 1.0.3.
 * Besides: distinct n-grams, repetition, length ratio, exact match.  Nothing here reads files or
 * runs models.
 *
 * How it is used:
 *
 *     TextScoreOptions options;
 *     text_score_options_init (&options);
 *     options.bleu.unit = TEXT_UNIT_ZH;
 *     g_autoptr (TextScorer) scorer = text_scorer_new (&options, &error);
 *     gsize width = text_scorer_n_stats (scorer);
 *
 *     // One call a row, from any thread:
 *     text_scorer_row (scorer, hypothesis, references, n, stats + row * width);
 *     // The scores of a row:
 *     text_scorer_values (scorer, stats + row * width, TEXT_SCORE_ROW, values);
 *     // Those of the corpus, from the sum of all rows:
 *     text_stats_add (sum, stats + row * width, width);
 *     text_scorer_values (scorer, sum, TEXT_SCORE_CORPUS, values);
 *
 * The statistics of a row are sufficient: whatever a corpus score is, it is a function of the sum
 * of its rows' statistics.  So resampling rows (bootstrap, approximate randomisation) means adding
 * other rows and asking again; no text is read twice.  They are whole numbers, held in doubles and
 * so added exactly in any order up to 2^53, except the sums of ROUGE's and of NLTK's row scores and
 * TER's mean reference length, which should be added in the order of rows where every last bit has
 * to be the same twice.
 *
 * What a token is decides the score, so it is part of every figure: TextFigure.unit.  Where the
 * unit does not suit the text (rouge-score's keeps a-z and 0-9 alone, so that Chinese is nothing;
 * 13a takes a Chinese clause for one word), rows are counted: figure "unsuited".  Show it.
 */
#ifndef FLOWRUN_TEXT_SCORE_H
#define FLOWRUN_TEXT_SCORE_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

/** TEXT_SACREBLEU_VERSION: whose digits BLEU, chrF and TER are.  Their signatures end with it
 * wherever sacreBLEU has the same setting, for they promise the same digits; a setting of flowrun's
 * own (units zh-fixed and words) ends with "version:flowrun-" and flowrun's. */
#define TEXT_SACREBLEU_VERSION "2.6.0"

/* ---- units: what a token is ------------------------------------------------ */

/**
 * TextUnit:
 * @TEXT_UNIT_13A: "13a": sacreBLEU's default, mteval-v13a: Western punctuation apart; entities
 *   &quot; &amp; &lt; &gt; read
 * @TEXT_UNIT_ZH: "zh": sacreBLEU's for Chinese: each character of a list of ranges by itself, the
 *   rest as 13a.  With the list's slip: U+20000 is written "\u20000" there, so that U+2001 to
 *   U+2A6D (“ ” — … € → ①) and U+2F81 to U+2FA1 are split as if Chinese, and the ideographs of
 *   extension B (𠮷) are not
 * @TEXT_UNIT_ZH_FIXED: "zh-fixed": zh with those two ranges as they were meant, U+20000 to
 *   U+2A6D6 and U+2F800 to U+2FA1D.  Not sacreBLEU's: its signature says so
 * @TEXT_UNIT_CHAR: "char": every character that is not white space
 * @TEXT_UNIT_NONE: "none": words already separated by white space
 * @TEXT_UNIT_INTL: "intl": mteval-v14: punctuation and symbols of Unicode apart
 * @TEXT_UNIT_WORDS: "words": text_segment_words(): dictionary words in Chinese; punctuation apart
 * @TEXT_UNIT_ENGLISH: "english": rouge-score's: lower case, runs of a-z and 0-9; no more is kept
 */
typedef enum
{
  TEXT_UNIT_13A,
  TEXT_UNIT_ZH,
  TEXT_UNIT_ZH_FIXED,
  TEXT_UNIT_CHAR,
  TEXT_UNIT_NONE,
  TEXT_UNIT_INTL,
  TEXT_UNIT_WORDS,
  TEXT_UNIT_ENGLISH,
  TEXT_N_UNITS
} TextUnit;

/** text_unit_name: "13a", "zh", ...; static. */
const char *text_unit_name (TextUnit unit);

/** text_unit_from_name: finds a unit; FALSE when there is none of that name. */
gboolean text_unit_from_name (const char *name, TextUnit *unit);

/** text_unit_suits: whether @unit can tell the words of @text apart: FALSE where more than half of
 * the letters and digits are dropped, or stand in a script without blanks and are not split. */
gboolean text_unit_suits (TextUnit unit, FrStr text);

/* ---- options ---------------------------------------------------------------- */

/**
 * TextMetric: bits, for TextScoreOptions.metrics.
 * @TEXT_METRIC_BLEU: BLEU-4 (Papineni 2002); 0 to 100
 * @TEXT_METRIC_BLEU_NLTK: mean of sentence BLEU-4 with NLTK's smoothing method 3, or method 1 where
 *   bleu.smooth is TEXT_SMOOTH_FLOOR, over bleu_nltk_unit; 0 to 100.  What LLaMA-Factory prints;
 *   no measure of a corpus
 * @TEXT_METRIC_CHRF: chrF2 (Popović 2015): character n-grams to 6; 0 to 100
 * @TEXT_METRIC_CHRF_PP: chrF2++ (Popović 2017): with words and pairs of words; 0 to 100.  Words are
 *   what blanks separate, so that in Chinese it tells less than chrF
 * @TEXT_METRIC_TER: translation edit rate (Snover 2006) with Tercom's shifts; lower is better
 * @TEXT_METRIC_ROUGE_1 .. @TEXT_METRIC_ROUGE_LSUM: ROUGE (Lin 2004), precision, recall and F;
 *   0 to 1; of a corpus the mean over rows.  Lsum: by the lines of the text
 * @TEXT_METRIC_DISTINCT: distinct-1 and -2 within rows: different n-grams / n-grams (Li 2016);
 *   over the whole corpus that is TextDistinct's
 * @TEXT_METRIC_REPETITION: share of the hypothesis' 4-grams that it had before (Welleck 2020:
 *   seq-rep-4)
 * @TEXT_METRIC_LENGTH: tokens of hypotheses / tokens of references (of each row the nearest in
 *   length)
 * @TEXT_METRIC_EXACT: share of rows that equal a reference but for white space at both ends
 */
typedef enum
{
  TEXT_METRIC_BLEU = 1 << 0,
  TEXT_METRIC_BLEU_NLTK = 1 << 1,
  TEXT_METRIC_CHRF = 1 << 2,
  TEXT_METRIC_CHRF_PP = 1 << 3,
  TEXT_METRIC_TER = 1 << 4,
  TEXT_METRIC_ROUGE_1 = 1 << 5,
  TEXT_METRIC_ROUGE_2 = 1 << 6,
  TEXT_METRIC_ROUGE_L = 1 << 7,
  TEXT_METRIC_ROUGE_LSUM = 1 << 8,
  TEXT_METRIC_DISTINCT = 1 << 9,
  TEXT_METRIC_REPETITION = 1 << 10,
  TEXT_METRIC_LENGTH = 1 << 11,
  TEXT_METRIC_EXACT = 1 << 12
} TextMetric;

#define TEXT_METRIC_ROUGE                                                                          \
  (TEXT_METRIC_ROUGE_1 | TEXT_METRIC_ROUGE_2 | TEXT_METRIC_ROUGE_L | TEXT_METRIC_ROUGE_LSUM)
/** TEXT_METRIC_ALL: all but BLEU_NLTK, for comparison with one program, and TER, which is slow. */
#define TEXT_METRIC_ALL                                                                            \
  (TEXT_METRIC_BLEU | TEXT_METRIC_CHRF | TEXT_METRIC_CHRF_PP | TEXT_METRIC_ROUGE                   \
   | TEXT_METRIC_DISTINCT | TEXT_METRIC_REPETITION | TEXT_METRIC_LENGTH | TEXT_METRIC_EXACT)

/** text_metric_from_name: "bleu", "bleu_nltk", "chrf", "chrf++", "ter", "rouge" (all four),
 * "rouge1", "rouge2", "rougeL", "rougeLsum", "distinct", "repetition", "length", "exact"; 0 for
 * another. */
guint text_metric_from_name (const char *name);

/**
 * TextSmooth: what BLEU does with an order of n-grams that has no match; as in sacreBLEU.
 * @TEXT_SMOOTH_EXP: the k-th such order has 1 / 2^k matches (sacreBLEU's default)
 * @TEXT_SMOOTH_NONE: the score is 0
 * @TEXT_SMOOTH_FLOOR: smooth_value matches (0.1)
 * @TEXT_SMOOTH_ADD_K: smooth_value (1) more matches and n-grams in orders from 2 on
 */
typedef enum
{
  TEXT_SMOOTH_EXP,
  TEXT_SMOOTH_NONE,
  TEXT_SMOOTH_FLOOR,
  TEXT_SMOOTH_ADD_K
} TextSmooth;

/**
 * TextRougeKind: whose ROUGE.
 * @TEXT_ROUGE_STANDARD: rouge-score's and ROUGE-1.5.5's: clipped counts, F = 2PR / (P + R)
 * @TEXT_ROUGE_CHINESE: rouge-chinese's: each different n-gram counts once, F = 2PR / (P + R +
 *   1e-8), the text is cut into sentences at 。！？… first, which leaves empty tokens where marks
 *   stand in a row; Lsum = L.  Units char, words and none.  Only to compare with LLaMA-Factory,
 *   which prints it over jieba's words: unit none, where jieba has cut the text
 */
typedef enum
{
  TEXT_ROUGE_STANDARD,
  TEXT_ROUGE_CHINESE
} TextRougeKind;

/** TextScoreOptions: fill with text_score_options_init(), then change.  Settings of metrics that
 * are not asked for are not looked at. */
typedef struct
{
  guint metrics; /* TextMetric bits; default TEXT_METRIC_ALL */
  struct
  {
    TextUnit unit; /* default 13a; any but english */
    TextSmooth smooth;
    double smooth_value; /* for floor and add-k; negative (default): theirs */
    gboolean lowercase;
    gboolean effective_order; /* of a corpus: leave out orders longer than every text.  Rows
                                 are always scored so, as sacreBLEU's sentence_bleu() does */
  } bleu;
  TextUnit bleu_nltk_unit; /* default char, as LLaMA-Factory */
  struct
  {
    guint beta; /* recall counts beta times as much; default 2; 1 to 10 */
    gboolean lowercase;
    gboolean whitespace; /* white space counts as characters */
    gboolean eps_smoothing;
  } chrf;
  struct
  {
    gboolean normalized;     /* punctuation apart */
    gboolean no_punct;       /* punctuation left out */
    gboolean asian_support;  /* with either: Asian punctuation too, and each ideograph apart */
    gboolean case_sensitive; /* else all in lower case */
  } ter;
  struct
  {
    TextUnit unit;      /* default english; char or words for Chinese */
    gboolean lowercase; /* english always is */
    gboolean stem;      /* Porter's stemmer as in NLTK; english alone */
    TextRougeKind kind;
  } rouge;
  TextUnit unit; /* of distinct, repetition, length; default words */
} TextScoreOptions;

/** text_score_options_init: the defaults of sacreBLEU and rouge-score. */
void text_score_options_init (TextScoreOptions *options);

/** text_score_options_chinese: the same with what suits Chinese: zh for BLEU, char for ROUGE and
 * the rest, TER with Asian characters apart. */
void text_score_options_chinese (TextScoreOptions *options);

/* ---- scorer ------------------------------------------------------------------ */

typedef struct _TextScorer TextScorer;

/**
 * text_scorer_new:
 * @options: copied
 *
 * Returns: a scorer; text_scorer_free().  FR_ERROR_CONFIG when options do not go together.
 */
TextScorer *text_scorer_new (const TextScoreOptions *options, GError **error);
void text_scorer_free (TextScorer *scorer);

/** text_scorer_n_stats: how many doubles the statistics of a row (or a sum) have. */
gsize text_scorer_n_stats (const TextScorer *scorer);

/**
 * text_scorer_row:
 * @hypothesis: valid UTF-8, below 1 GiB; may be empty
 * @references: the same each
 * @n_references: at least 1
 * @stats: text_scorer_n_stats() doubles, written
 *
 * The sufficient statistics of one row.  Safe from any number of threads on one scorer: each call
 * works in a space of its own, kept for the next.  Time is linear in the texts but for ROUGE-L
 * and Lsum (product of their lengths / 64) and TER.
 */
void text_scorer_row (TextScorer *scorer, FrStr hypothesis, const FrStr *references,
                      gsize n_references, double *stats);

/** text_stats_add: @sum[i] += @stats[i]; a sum starts as zeros. */
void text_stats_add (double *sum, const double *stats, gsize n_stats);

/* ---- figures ------------------------------------------------------------------ */

/**
 * TextFigure: one number that a scorer gives.
 * @name: "bleu", "bleu_bp", "rouge1_f", ...; a key in JSON
 * @title: "BLEU", "ROUGE-1 F"; for people
 * @unit: what a token is: "zh", "char"; "words-ICU-72.1"; "" where there are none
 * @metric: the TextMetric it belongs to; 0 for what counts rows
 * @headline: the figure of its metric that is compared first; others explain it
 * @better: 1 higher, -1 lower, 0 neither
 * @max: value of a perfect text, 100 or 1; 0 where there is no such
 * @of_row: has a meaning for one row too
 *
 * Their names, in this order, where their metric is asked for:
 *   rows
 *   unsuited: share of rows where BLEU's, ROUGE's or TER's unit does not suit the first reference
 *   bleu, bleu_precision1 to bleu_precision4, bleu_bp, bleu_hyp_len, bleu_ref_len
 *   bleu_nltk
 *   chrf
 *   chrfpp
 *   ter, ter_edits, ter_ref_len
 *   rouge1_f, rouge1_p, rouge1_r; the same of rouge2, rougeL, rougeLsum
 *   distinct1, distinct2
 *   repetition
 *   length_ratio, length_hyp, length_ref: the latter two mean tokens of a row
 *   exact
 */
typedef struct
{
  const char *name;
  const char *title;
  const char *unit;
  guint metric;
  gboolean headline;
  int better;
  double max;
  gboolean of_row;
} TextFigure;

/** text_scorer_figures: what text_scorer_values() gives, in its order; owned by @scorer. */
const TextFigure *text_scorer_figures (const TextScorer *scorer, gsize *n_figures);

typedef enum
{
  TEXT_SCORE_CORPUS, /* @stats are a sum of rows */
  TEXT_SCORE_ROW     /* @stats are one row's: BLEU takes effective order */
} TextScoreLevel;

/**
 * text_scorer_values:
 * @stats: of a row, or a sum of rows'; all zeros (no row) gives zeros
 * @values: one for each figure, written; always finite
 */
void text_scorer_values (const TextScorer *scorer, const double *stats, TextScoreLevel level,
                         double *values);

/**
 * text_scorer_value: one of them alone, without the cost of the others: for resampling.
 * @figure: index into text_scorer_figures()
 */
double text_scorer_value (const TextScorer *scorer, const double *stats, TextScoreLevel level,
                          gsize figure);

/**
 * text_scorer_stats_range: which statistics the figure @figure depends on: @n from @first on; for
 * resampling, so that no more than needed is added up.
 */
void text_scorer_stats_range (const TextScorer *scorer, gsize figure, gsize *first, gsize *n);

/**
 * text_scorer_signature:
 * @metric: one TextMetric bit that the scorer has
 * @stats: a sum of rows' statistics: they know how many references there were
 *
 * How the score was made, for the reader who wants to make it again: for BLEU, chrF and TER
 * sacreBLEU's own words, as "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0"; for others
 * in the same form, "unit:char" and the program that would print the same among them.
 *
 * Returns: newly allocated
 */
char *text_scorer_signature (const TextScorer *scorer, guint metric, const double *stats);

/**
 * text_scorer_line: the line that sacreBLEU prints for it,
 *   "BLEU|SIGNATURE = 45.85 74.3/52.4/40.1/30.5 (BP = 0.982 ratio = 0.982 hyp_len = 1794 ...)";
 * of ROUGE "ROUGE-1|SIGNATURE = F P R".  Newly allocated.
 */
char *text_scorer_line (const TextScorer *scorer, guint metric, const double *stats);

/* ---- distinct n-grams over a whole corpus --------------------------------------- */

/**
 * TextDistinct: counts different n-grams of all texts together, which no sum of rows tells.
 *
 * A set of 64-bit hashes: two different n-grams count as one with odds of n² / 2^65.  Any thread
 * may add; the result does not depend on the order.
 */
typedef struct _TextDistinct TextDistinct;

/** text_distinct_new: for n-grams of 1 to @max_order (1 to 4) tokens of @unit. */
TextDistinct *text_distinct_new (TextUnit unit, guint max_order, GError **error);
void text_distinct_free (TextDistinct *distinct);
void text_distinct_add (TextDistinct *distinct, FrStr text);
/** text_distinct_value: different n-grams / n-grams for @order; 0 when there are none. */
double text_distinct_value (TextDistinct *distinct, guint order);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextScorer, text_scorer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextDistinct, text_distinct_free)

G_END_DECLS

#endif
