/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-score.c: scores of any texts: no crash, numbers within their bounds, the same twice, and a
 * text is as good as itself.
 *
 * The first two bytes choose units and switches; the rest is hypothesis and references with a byte
 * 0xFF between them.  What is no UTF-8 is mended first: scorers take valid text alone.
 */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "text/score.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
choose (guint how, TextScoreOptions *options)
{
  text_score_options_init (options);
  options->metrics |= TEXT_METRIC_BLEU_NLTK | TEXT_METRIC_TER;
  options->bleu.unit = (TextUnit) (how % TEXT_UNIT_ENGLISH);
  options->rouge.unit = (TextUnit) ((how >> 3) % TEXT_N_UNITS);
  options->rouge.stem = options->rouge.unit == TEXT_UNIT_ENGLISH && (how & 64) != 0;
  options->rouge.kind
      = (how & 128) != 0
                && (options->rouge.unit == TEXT_UNIT_CHAR || options->rouge.unit == TEXT_UNIT_NONE
                    || options->rouge.unit == TEXT_UNIT_WORDS)
            ? TEXT_ROUGE_CHINESE
            : TEXT_ROUGE_STANDARD;
  options->bleu.lowercase = options->chrf.lowercase = (how & 256) != 0;
  options->chrf.whitespace = (how & 512) != 0;
  options->chrf.eps_smoothing = (how & 1024) != 0;
  options->ter.normalized = (how & 2048) != 0;
  options->ter.no_punct = (how & 4096) != 0;
  options->ter.asian_support = (how & 8192) != 0;
  options->bleu.smooth = (TextSmooth) (how >> 14 & 3);
  options->unit = options->bleu.unit;
}

static void
check_values (const TextScorer *scorer, const double *stats)
{
  gsize n;
  const TextFigure *figures = text_scorer_figures (scorer, &n);
  g_autofree double *values = g_new (double, n);

  for (guint level = 0; level < 2; level++)
    {
      text_scorer_values (scorer, stats, (TextScoreLevel) level, values);
      for (gsize i = 0; i < n; i++)
        {
          g_assert_true (isfinite (values[i]));
          g_assert_cmpfloat (values[i], >=, 0);
          if (figures[i].max > 0)
            g_assert_cmpfloat (values[i], <=, figures[i].max * (1 + 1e-9));
        }
    }
}

static double
value (const TextScorer *scorer, const double *stats, const char *name)
{
  gsize n;
  const TextFigure *figures = text_scorer_figures (scorer, &n);

  for (gsize i = 0; i < n; i++)
    if (g_str_equal (figures[i].name, name))
      return text_scorer_value (scorer, stats, TEXT_SCORE_ROW, i);
  g_assert_not_reached ();
}

static void
check_itself (TextScorer *scorer, FrStr text, double *stats)
{
  text_scorer_row (scorer, text, &text, 1, stats);
  check_values (scorer, stats);
  g_assert_cmpfloat (value (scorer, stats, "ter"), ==, 0);
  g_assert_cmpfloat (value (scorer, stats, "exact"), ==, 1);
  if (value (scorer, stats, "bleu_hyp_len") > 0)
    g_assert_cmpfloat_with_epsilon (value (scorer, stats, "bleu"), 100, 1e-9);
  if (value (scorer, stats, "rougeL_p") > 0)
    {
      g_assert_cmpfloat (value (scorer, stats, "rouge1_p"), ==, 1);
      g_assert_cmpfloat (value (scorer, stats, "rougeL_r"), ==, 1);
      g_assert_cmpfloat (value (scorer, stats, "rougeLsum_r"), ==, 1);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TextScorer) scorer = NULL;
  g_autofree double *first = NULL, *second = NULL;
  g_autoptr (GPtrArray) keep = g_ptr_array_new_with_free_func (g_free);
  TextScoreOptions options;
  FrStr texts[4];
  gsize n = 0, width;

  if (size < 2 || size > 4096)
    return 0;
  for (gsize at = 2; n < 2 || (n < G_N_ELEMENTS (texts) && at < size);)
    {
      const uint8_t *stop = at < size ? memchr (data + at, 0xff, size - at) : NULL;
      gsize len = at < size ? (stop != NULL ? (gsize) (stop - data) : size) - at : 0;
      char *text = g_utf8_make_valid ((const char *) data + MIN (at, size), (gssize) len);

      g_ptr_array_add (keep, text);
      texts[n++] = (FrStr){ text, strlen (text) };
      at += len + 1;
    }
  choose ((guint) data[0] | (guint) data[1] << 8, &options);
  scorer = text_scorer_new (&options, &error);
  g_assert_no_error (error);
  width = text_scorer_n_stats (scorer);
  first = g_new (double, width);
  second = g_new (double, width);
  text_scorer_row (scorer, texts[0], texts + 1, n - 1, first);
  check_values (scorer, first);
  check_itself (scorer, texts[0], second);
  text_scorer_row (scorer, texts[0], texts + 1, n - 1, second);
  g_assert_cmpmem (first, width * sizeof (double), second, width * sizeof (double));
  return 0;
}
