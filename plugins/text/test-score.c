/* SPDX-License-Identifier: Apache-2.0 */
/* test-score.c: what must hold of scores whatever other programs say; those are asked by
 * tests/conformance/test-score.py.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/score.h"
#include "text/segment.h"

#define ALL_METRICS (TEXT_METRIC_ALL | TEXT_METRIC_BLEU_NLTK | TEXT_METRIC_TER)

typedef struct
{
  const char *hyp;
  const char *refs[3]; /* NULL: no more */
} Row;

static const Row rows[] = {
  { "The cat sat on the mat.", { "The cat sat on a mat.", "A cat was on the mat, sitting." } },
  { "它跟我没关系，“便宜”。", { "这不关我的事，“便宜”。", "它和我没有关系，“便宜”。" } },
  { "", { "Nothing was said.", "" } },
  { "好好好好好好好好", { "好", "不好" } },
  { "one\ntwo three\nfour", { "two three\none four", "one two" } },
  { "𠮷野家 & 1,234.5 — €5", { "𠮷野家 &amp; 1,234.5 - €5", "x" } },
};

static gsize
n_refs (const Row *row)
{
  gsize n = 0;

  while (n < G_N_ELEMENTS (row->refs) && row->refs[n] != NULL)
    n++;
  return n;
}

static void
score_row (TextScorer *scorer, const Row *row, double *stats)
{
  FrStr refs[G_N_ELEMENTS (row->refs)];
  gsize n = n_refs (row);

  for (gsize i = 0; i < n; i++)
    refs[i] = (FrStr){ row->refs[i], strlen (row->refs[i]) };
  text_scorer_row (scorer, (FrStr){ row->hyp, strlen (row->hyp) }, refs, n, stats);
}

static TextScorer *
scorer_of (const TextScoreOptions *options)
{
  g_autoptr (GError) error = NULL;
  TextScorer *scorer = text_scorer_new (options, &error);

  g_assert_no_error (error);
  return scorer;
}

static gsize
figure_named (const TextScorer *scorer, const char *name)
{
  gsize n;
  const TextFigure *figures = text_scorer_figures (scorer, &n);

  for (gsize i = 0; i < n; i++)
    if (g_str_equal (figures[i].name, name))
      return i;
  g_assert_not_reached ();
}

static double
value_of (TextScorer *scorer, const Row *row, const char *name)
{
  g_autofree double *stats = g_new (double, text_scorer_n_stats (scorer));

  score_row (scorer, row, stats);
  return text_scorer_value (scorer, stats, TEXT_SCORE_ROW, figure_named (scorer, name));
}

/* ---- other programs' lines -------------------------------------------------------------- */

/* Printed by sacreBLEU 2.6.0 (METRIC.corpus_score (...).format (signature=...)) for the first two
 * rows. */
static const struct
{
  guint metric;
  TextUnit unit;
  TextSmooth smooth;
  gboolean lowercase;
  const char *line;
} lines[] = {
  { TEXT_METRIC_BLEU, TEXT_UNIT_13A, TEXT_SMOOTH_EXP, FALSE,
    "BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 60.19 87.5/100.0/60.0/25.0 "
    "(BP = 1.000 ratio = 1.000 hyp_len = 8 ref_len = 8)" },
  { TEXT_METRIC_BLEU, TEXT_UNIT_ZH, TEXT_SMOOTH_EXP, FALSE,
    "BLEU|nrefs:2|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0 = 68.18 94.7/82.4/60.0/46.2 "
    "(BP = 1.000 ratio = 1.000 hyp_len = 19 ref_len = 19)" },
  { TEXT_METRIC_BLEU, TEXT_UNIT_ZH, TEXT_SMOOTH_FLOOR, TRUE,
    "BLEU|nrefs:2|case:lc|eff:no|tok:zh|smooth:floor[0.10]|version:2.6.0 = 67.21 "
    "89.5/82.4/60.0/46.2 (BP = 1.000 ratio = 1.000 hyp_len = 19 ref_len = 19)" },
  { TEXT_METRIC_CHRF, TEXT_UNIT_13A, TEXT_SMOOTH_EXP, FALSE,
    "chrF2|nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0 = 65.47" },
  { TEXT_METRIC_CHRF_PP, TEXT_UNIT_13A, TEXT_SMOOTH_EXP, TRUE,
    "chrF2++|nrefs:2|case:lc|eff:yes|nc:6|nw:2|space:no|version:2.6.0 = 66.81" },
  { TEXT_METRIC_TER, TEXT_UNIT_13A, TEXT_SMOOTH_EXP, FALSE,
    "TER|nrefs:2|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0 = 26.67" },
};

static void
check_lines (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      TextScoreOptions options;
      g_autoptr (TextScorer) scorer = NULL;
      g_autofree double *stats = NULL, *sum = NULL;
      g_autofree char *line = NULL, *signature = NULL;

      text_score_options_init (&options);
      options.metrics = lines[i].metric;
      options.bleu.unit = lines[i].unit;
      options.bleu.smooth = lines[i].smooth;
      options.bleu.lowercase = options.chrf.lowercase = lines[i].lowercase;
      scorer = scorer_of (&options);
      stats = g_new (double, text_scorer_n_stats (scorer));
      sum = g_new0 (double, text_scorer_n_stats (scorer));
      for (gsize k = 0; k < 2; k++)
        {
          score_row (scorer, &rows[k], stats);
          text_stats_add (sum, stats, text_scorer_n_stats (scorer));
        }
      line = text_scorer_line (scorer, lines[i].metric, sum);
      g_assert_cmpstr (line, ==, lines[i].line);
      signature = text_scorer_signature (scorer, lines[i].metric, sum);
      g_assert_nonnull (strstr (lines[i].line, signature));
    }
}

static void
check_signature_of_more_or_less (void)
{
  static const Row one = { "a", { "a" } };
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;
  g_autofree double *stats = NULL, *sum = NULL;
  g_autofree char *bleu = NULL, *rouge = NULL;

  text_score_options_chinese (&options);
  options.bleu.unit = TEXT_UNIT_ZH_FIXED;
  scorer = scorer_of (&options);
  stats = g_new (double, text_scorer_n_stats (scorer));
  sum = g_new0 (double, text_scorer_n_stats (scorer));
  score_row (scorer, &rows[0], sum);
  score_row (scorer, &one, stats);
  text_stats_add (sum, stats, text_scorer_n_stats (scorer));
  bleu = text_scorer_signature (scorer, TEXT_METRIC_BLEU, sum);
  g_assert_cmpstr (
      bleu, ==,
      "nrefs:var|case:mixed|eff:no|tok:zh-fixed|smooth:exp|version:flowrun-" PACKAGE_VERSION);
  rouge = text_scorer_signature (scorer, TEXT_METRIC_ROUGE_2, sum);
  g_assert_cmpstr (
      rouge, ==,
      "nrefs:var|case:mixed|unit:char|stem:no|count:clipped|version:flowrun-" PACKAGE_VERSION);
}

/* ---- statistics --------------------------------------------------------------------------- */

/* A figure must be a function of the statistics in its range alone, and finite. */
static void
check_ranges (void)
{
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;
  g_autofree double *stats = NULL, *sum = NULL, *part = NULL, *values = NULL;
  gsize width, n;
  const TextFigure *figures;

  text_score_options_init (&options);
  options.metrics = ALL_METRICS;
  scorer = scorer_of (&options);
  width = text_scorer_n_stats (scorer);
  figures = text_scorer_figures (scorer, &n);
  stats = g_new (double, width);
  part = g_new (double, width);
  sum = g_new0 (double, width);
  values = g_new (double, n);
  text_scorer_values (scorer, sum, TEXT_SCORE_CORPUS, values);
  for (gsize i = 0; i < n; i++)
    g_assert_true (isfinite (values[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      score_row (scorer, &rows[i], stats);
      text_stats_add (sum, stats, width);
    }
  text_scorer_values (scorer, sum, TEXT_SCORE_CORPUS, values);
  for (gsize i = 0; i < n; i++)
    {
      gsize first, n_part;

      text_scorer_stats_range (scorer, i, &first, &n_part);
      g_assert_cmpuint (first + n_part, <=, width);
      for (gsize k = 0; k < width; k++)
        part[k] = k >= first && k < first + n_part ? sum[k] : NAN;
      g_assert_true (text_scorer_value (scorer, part, TEXT_SCORE_CORPUS, i) == values[i]);
      g_assert_true (isfinite (values[i]));
      g_assert_true (figures[i].max == 0 || values[i] <= figures[i].max);
      g_assert_nonnull (figures[i].unit);
    }
  g_assert_cmpfloat (values[figure_named (scorer, "rows")], ==, G_N_ELEMENTS (rows));
}

typedef struct
{
  TextScorer *scorer;
  const double *expected;
  gint wrong;
} Shared;

static gpointer
score_again (gpointer data)
{
  Shared *shared = data;
  gsize width = text_scorer_n_stats (shared->scorer);
  g_autofree double *stats = g_new (double, width);

  for (guint round = 0; round < 50; round++)
    for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
      {
        score_row (shared->scorer, &rows[i], stats);
        if (memcmp (stats, shared->expected + i * width, width * sizeof (double)) != 0)
          g_atomic_int_inc (&shared->wrong);
      }
  return NULL;
}

static void
check_threads (void)
{
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;
  g_autofree double *expected = NULL;
  GThread *threads[6];
  Shared shared = { 0 };
  gsize width;

  text_score_options_init (&options);
  options.metrics = ALL_METRICS;
  options.bleu.unit = TEXT_UNIT_WORDS;
  options.bleu.lowercase = TRUE;
  scorer = scorer_of (&options);
  width = text_scorer_n_stats (scorer);
  expected = g_new (double, G_N_ELEMENTS (rows) * width);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    score_row (scorer, &rows[i], expected + i * width);
  shared = (Shared){ scorer, expected, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("score", score_again, &shared);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (shared.wrong, ==, 0);
}

/* ---- metrics ------------------------------------------------------------------------------- */

static void
check_same_text (void)
{
  static const Row same[] = { { "The cat sat on the mat.", { "The cat sat on the mat." } },
                              { "价格便宜，质量好。", { "价格便宜，质量好。" } },
                              { "x", { "x" } } };
  static const char *const perfect[] = { "bleu",     "chrf",        "chrfpp", "rouge1_f",
                                         "rougeL_f", "rougeLsum_f", "exact",  "length_ratio" };
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;

  text_score_options_chinese (&options);
  options.metrics = ALL_METRICS;
  scorer = scorer_of (&options);
  for (gsize i = 0; i < G_N_ELEMENTS (same); i++)
    {
      for (gsize k = 0; k < G_N_ELEMENTS (perfect); k++)
        {
          gsize at = figure_named (scorer, perfect[k]);
          double max = text_scorer_figures (scorer, NULL)[at].max;

          g_assert_cmpfloat_with_epsilon (value_of (scorer, &same[i], perfect[k]),
                                          max == 0 ? 1 : max, 1e-9);
        }
      g_assert_cmpfloat (value_of (scorer, &same[i], "ter"), ==, 0);
      g_assert_cmpfloat (value_of (scorer, &same[i], "repetition"), ==, 0);
    }
}

static void
check_plain_metrics (void)
{
  static const Row loop = { "好好好好好好好好", { "好" } }, blank = { " a \n", { "b", "a\u3000" } };
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;

  text_score_options_chinese (&options);
  scorer = scorer_of (&options);
  /* 8 characters: 5 4-grams, one of them new; 7 pairs, one different. */
  g_assert_cmpfloat (value_of (scorer, &loop, "repetition"), ==, 4.0 / 5);
  g_assert_cmpfloat (value_of (scorer, &loop, "distinct1"), ==, 1.0 / 8);
  g_assert_cmpfloat (value_of (scorer, &loop, "distinct2"), ==, 1.0 / 7);
  g_assert_cmpfloat (value_of (scorer, &loop, "length_ratio"), ==, 8);
  g_assert_cmpfloat (value_of (scorer, &loop, "exact"), ==, 0);
  g_assert_cmpfloat (value_of (scorer, &blank, "exact"), ==, 1);
}

static void
check_distinct (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TextDistinct) distinct = text_distinct_new (TEXT_UNIT_CHAR, 2, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (text_distinct_value (distinct, 2), ==, 0);
  text_distinct_add (distinct, FR_STR ("好书"));
  text_distinct_add (distinct, FR_STR ("好 书"));
  text_distinct_add (distinct, FR_STR ("书好"));
  g_assert_cmpfloat (text_distinct_value (distinct, 1), ==, 2.0 / 6);
  g_assert_cmpfloat (text_distinct_value (distinct, 2), ==, 2.0 / 3);
}

/* The quirk of zh's ranges, and the mended ones: “ apart or not, 𠮷 not or apart. */
static void
check_zh (void)
{
  static const Row row = { "x“y𠮷z", { "x" } };
  static const struct
  {
    TextUnit unit;
    double n;
  } cases[] = { { TEXT_UNIT_ZH, 3 },       /* x “ y𠮷z   */
                { TEXT_UNIT_ZH_FIXED, 3 }, /* x“y 𠮷 z */
                { TEXT_UNIT_CHAR, 5 },
                { TEXT_UNIT_NONE, 1 } };
  static const Row quoted = { "x“y", { "x y" } }, rare = { "a𠮷b", { "a b" } };
  TextScoreOptions options;

  text_score_options_init (&options);
  options.metrics = TEXT_METRIC_BLEU | TEXT_METRIC_ROUGE_1;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TextScorer) scorer = NULL;
      gboolean mended = cases[i].unit == TEXT_UNIT_ZH_FIXED;

      options.bleu.unit = options.rouge.unit = cases[i].unit;
      scorer = scorer_of (&options);
      g_assert_cmpfloat (value_of (scorer, &row, "bleu_hyp_len"), ==, cases[i].n);
      if (i > 1)
        continue;
      g_assert_cmpfloat (value_of (scorer, &quoted, "rouge1_r"), ==, mended ? 0 : 1);
      g_assert_cmpfloat (value_of (scorer, &rare, "rouge1_r"), ==, mended ? 1 : 0);
    }
}

/* ---- longest common subsequences, against the table itself ---------------------------------- */

static guint
plain_lcs (const guint *a, gsize n_a, const guint *b, gsize n_b)
{
  g_autofree guint *table = g_new0 (guint, (n_a + 1) * (n_b + 1));

  for (gsize i = 1; i <= n_a; i++)
    for (gsize j = 1; j <= n_b; j++)
      table[i * (n_b + 1) + j] = a[i - 1] == b[j - 1] ? table[(i - 1) * (n_b + 1) + j - 1] + 1
                                                      : MAX (table[(i - 1) * (n_b + 1) + j],
                                                             table[i * (n_b + 1) + j - 1]);
  return table[n_a * (n_b + 1) + n_b];
}

static char *
words_of (const guint *a, gsize n)
{
  GString *s = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    g_string_append_printf (s, "w%u ", a[i]);
  return g_string_free (s, FALSE);
}

static void
check_lcs (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  TextScoreOptions options;
  g_autoptr (TextScorer) scorer = NULL;

  text_score_options_init (&options);
  options.metrics = TEXT_METRIC_ROUGE_L;
  options.rouge.unit = TEXT_UNIT_NONE;
  scorer = scorer_of (&options);
  for (guint round = 0; round < 300; round++)
    {
      guint a[330], b[330];
      gsize n_a = (gsize) g_rand_int_range (rand, 1, round & 1 ? 70 : 330);
      gsize n_b = (gsize) g_rand_int_range (rand, 1, round & 2 ? 70 : 330);
      gint32 n_words = g_rand_int_range (rand, 1, 40);
      g_autofree char *hyp = NULL, *ref = NULL;
      Row row = { 0 };

      for (gsize i = 0; i < n_a; i++)
        a[i] = (guint) g_rand_int_range (rand, 0, n_words);
      for (gsize i = 0; i < n_b; i++)
        b[i] = (guint) g_rand_int_range (rand, 0, n_words);
      row.hyp = hyp = words_of (a, n_a);
      row.refs[0] = ref = words_of (b, n_b);
      g_assert_cmpfloat (value_of (scorer, &row, "rougeL_p"), ==,
                         (double) plain_lcs (a, n_a, b, n_b) / (double) n_a);
    }
}

/* ---- options, units, words ------------------------------------------------------------------- */

static void
refuse (const TextScoreOptions *options, const char *says)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (text_scorer_new (options, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  if (strstr (error->message, says) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, says);
}

static void
check_refused (void)
{
  TextScoreOptions options;

  text_score_options_init (&options);
  options.bleu.unit = TEXT_UNIT_ENGLISH;
  refuse (&options, "\"13a\", or \"zh\"");
  text_score_options_init (&options);
  options.rouge.unit = TEXT_UNIT_CHAR;
  options.rouge.stem = TRUE;
  refuse (&options, "stems English words alone");
  text_score_options_init (&options);
  options.rouge.kind = TEXT_ROUGE_CHINESE;
  refuse (&options, "not \"english\"");
  text_score_options_init (&options);
  options.chrf.beta = 0;
  refuse (&options, "1 to 10, not 0");
  options.metrics = TEXT_METRIC_EXACT; /* then beta is not looked at */
  text_scorer_free (scorer_of (&options));
}

static void
check_units (void)
{
  TextUnit unit;

  for (guint i = 0; i < TEXT_N_UNITS; i++)
    {
      g_assert_true (text_unit_from_name (text_unit_name ((TextUnit) i), &unit));
      g_assert_cmpuint (unit, ==, i);
    }
  g_assert_false (text_unit_from_name ("jieba", &unit));
  g_assert_cmpuint (text_metric_from_name ("rouge"), ==, TEXT_METRIC_ROUGE);
  g_assert_cmpuint (text_metric_from_name ("meteor"), ==, 0);
  g_assert_false (text_unit_suits (TEXT_UNIT_ENGLISH, FR_STR ("质量很好")));
  g_assert_false (text_unit_suits (TEXT_UNIT_13A, FR_STR ("我们的价格很便宜。")));
  g_assert_false (text_unit_suits (TEXT_UNIT_NONE, FR_STR ("ภาษาไทยไม่มีช่องว่าง")));
  g_assert_true (text_unit_suits (TEXT_UNIT_NONE, FR_STR ("我们 的 价格 很 便宜 。")));
  g_assert_true (text_unit_suits (TEXT_UNIT_ZH, FR_STR ("我们的价格很便宜。")));
  g_assert_false (text_unit_suits (TEXT_UNIT_ZH, FR_STR ("カタカナだけのぶんしょう")));
  g_assert_true (text_unit_suits (TEXT_UNIT_ENGLISH, FR_STR ("Price: 5 元")));
  g_assert_true (text_unit_suits (TEXT_UNIT_13A, FR_STR ("")));
}

static void
check_words (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TextSegmenter) segmenter = text_segmenter_new (&error);
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  g_autoptr (GString) shown = g_string_new (NULL);
  const char *text = "我们的价格很便宜，don't  worry\u3000👩‍👩‍👧 3.14元！\n";

  g_assert_no_error (error);
  text_segment_words (segmenter, (FrStr){ text, strlen (text) }, segments);
  for (guint i = 0; i < segments->len; i++)
    {
      const TextSegment *s = &g_array_index (segments, TextSegment, i);

      g_string_append_len (shown, text + s->offset, (gssize) s->len);
      g_string_append_c (shown, s->is_word ? '|' : '/');
    }
  g_assert_cmpstr (shown->str, ==,
                   "我们|的|价格|很|便宜|，/don't|worry|👩‍👩‍👧/3.14|元|！/");
  g_array_set_size (segments, 0);
  text_segment_words (segmenter, FR_STR (""), segments);
  text_segment_words (segmenter, FR_STR (" \t"), segments);
  g_assert_cmpuint (segments->len, ==, 0);
  g_assert_true (g_str_has_prefix (text_segment_version (), "ICU-"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/score/lines", check_lines);
  g_test_add_func ("/score/signature", check_signature_of_more_or_less);
  g_test_add_func ("/score/ranges", check_ranges);
  g_test_add_func ("/score/threads", check_threads);
  g_test_add_func ("/score/same-text", check_same_text);
  g_test_add_func ("/score/plain-metrics", check_plain_metrics);
  g_test_add_func ("/score/distinct", check_distinct);
  g_test_add_func ("/score/zh", check_zh);
  g_test_add_func ("/score/lcs", check_lcs);
  g_test_add_func ("/score/refused", check_refused);
  g_test_add_func ("/score/units", check_units);
  g_test_add_func ("/score/words", check_words);
  return g_test_run ();
}
