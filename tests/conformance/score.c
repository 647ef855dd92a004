/* SPDX-License-Identifier: Apache-2.0 */
/* score.c: scores texts for test-score.py, and against the clock for tests/bench/score.sh.
 *
 * Standard input: one JSON object a line, {"options": {"metrics": ["bleu"], "bleu.unit": "zh", …},
 * "rows": [{"hyp": text, "refs": [text, …]}, …]}.  Standard output: one a line, {"corpus": {figure:
 * value}, "rows": [{figure: value}], "signatures": {…}, "lines": {…}} or {"error": …}.
 *
 * score --time FILE BLEU_UNIT ROUGE_UNIT METRICS: scores the pairs of a file, a tab between
 * hypothesis and reference, a pair a line, on one thread; prints the seconds, reading the file left
 * out, and the corpus' figures.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/score.h"

static const char *const metrics[]
    = { "bleu",   "bleu_nltk", "chrf",     "chrf++",     "ter",    "rouge1", "rouge2",
        "rougeL", "rougeLsum", "distinct", "repetition", "length", "exact" };

static TextUnit
unit_named (const char *name)
{
  TextUnit unit;

  if (!text_unit_from_name (name, &unit))
    {
      fprintf (stderr, "score: no unit %s\n", name);
      exit (2);
    }
  return unit;
}

static gboolean
flag (JsonObject *o, const char *name)
{
  return json_object_get_boolean_member_with_default (o, name, FALSE);
}

static void
read_options (JsonObject *o, TextScoreOptions *options)
{
  JsonArray *names = json_object_get_array_member (o, "metrics");

  text_score_options_init (options);
  options->metrics = 0;
  for (guint i = 0; i < json_array_get_length (names); i++)
    options->metrics |= text_metric_from_name (json_array_get_string_element (names, i));
  options->bleu.unit
      = unit_named (json_object_get_string_member_with_default (o, "bleu.unit", "13a"));
  options->bleu.smooth = (TextSmooth) json_object_get_int_member_with_default (o, "bleu.smooth", 0);
  options->bleu.smooth_value
      = json_object_get_double_member_with_default (o, "bleu.smooth_value", -1);
  options->bleu.lowercase = flag (o, "bleu.lowercase");
  options->bleu.effective_order = flag (o, "bleu.effective_order");
  options->bleu_nltk_unit
      = unit_named (json_object_get_string_member_with_default (o, "bleu_nltk.unit", "char"));
  options->chrf.beta = (guint) json_object_get_int_member_with_default (o, "chrf.beta", 2);
  options->chrf.lowercase = flag (o, "chrf.lowercase");
  options->chrf.whitespace = flag (o, "chrf.whitespace");
  options->chrf.eps_smoothing = flag (o, "chrf.eps_smoothing");
  options->ter.normalized = flag (o, "ter.normalized");
  options->ter.no_punct = flag (o, "ter.no_punct");
  options->ter.asian_support = flag (o, "ter.asian_support");
  options->ter.case_sensitive = flag (o, "ter.case_sensitive");
  options->rouge.unit
      = unit_named (json_object_get_string_member_with_default (o, "rouge.unit", "english"));
  options->rouge.lowercase = flag (o, "rouge.lowercase");
  options->rouge.stem = flag (o, "rouge.stem");
  options->rouge.kind = flag (o, "rouge.chinese") ? TEXT_ROUGE_CHINESE : TEXT_ROUGE_STANDARD;
  options->unit = unit_named (json_object_get_string_member_with_default (o, "unit", "words"));
}

static JsonObject *
values_of (TextScorer *scorer, const double *stats, TextScoreLevel level)
{
  JsonObject *out = json_object_new ();
  gsize n;
  const TextFigure *figures = text_scorer_figures (scorer, &n);
  g_autofree double *values = g_new (double, n);

  text_scorer_values (scorer, stats, level, values);
  for (gsize i = 0; i < n; i++)
    {
      /* As text: JSON-GLib 1.6 writes 5e-15 as "5e-15.0". */
      char text[G_ASCII_DTOSTR_BUF_SIZE];

      json_object_set_string_member (out, figures[i].name,
                                     g_ascii_dtostr (text, sizeof text, values[i]));
    }
  return out;
}

static JsonArray *
score_rows (TextScorer *scorer, JsonArray *rows, double *sum)
{
  gsize width = text_scorer_n_stats (scorer);
  g_autofree double *stats = g_new (double, width);
  JsonArray *out = json_array_new ();

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      JsonArray *refs = json_object_get_array_member (row, "refs");
      guint n = json_array_get_length (refs);
      g_autofree FrStr *texts = g_new (FrStr, n);
      const char *hyp = json_object_get_string_member (row, "hyp");

      for (guint k = 0; k < n; k++)
        {
          texts[k].data = json_array_get_string_element (refs, k);
          texts[k].len = strlen (texts[k].data);
        }
      text_scorer_row (scorer, (FrStr){ hyp, strlen (hyp) }, texts, n, stats);
      text_stats_add (sum, stats, width);
      json_array_add_object_element (out, values_of (scorer, stats, TEXT_SCORE_ROW));
    }
  return out;
}

static JsonObject *
score (JsonObject *job)
{
  JsonObject *answer = json_object_new (), *signatures, *lines;
  TextScoreOptions options;
  g_autoptr (GError) error = NULL;
  g_autoptr (TextScorer) scorer = NULL;
  g_autofree double *sum = NULL;

  read_options (json_object_get_object_member (job, "options"), &options);
  scorer = text_scorer_new (&options, &error);
  if (scorer == NULL)
    {
      json_object_set_string_member (answer, "error", error->message);
      return answer;
    }
  sum = g_new0 (double, text_scorer_n_stats (scorer));
  json_object_set_array_member (
      answer, "rows", score_rows (scorer, json_object_get_array_member (job, "rows"), sum));
  json_object_set_object_member (answer, "corpus", values_of (scorer, sum, TEXT_SCORE_CORPUS));
  signatures = json_object_new ();
  lines = json_object_new ();
  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++)
    if (options.metrics & text_metric_from_name (metrics[i]))
      {
        guint metric = text_metric_from_name (metrics[i]);
        g_autofree char *signature = text_scorer_signature (scorer, metric, sum);
        g_autofree char *line = text_scorer_line (scorer, metric, sum);

        json_object_set_string_member (signatures, metrics[i], signature);
        json_object_set_string_member (lines, metrics[i], line);
      }
  json_object_set_object_member (answer, "signatures", signatures);
  json_object_set_object_member (answer, "lines", lines);
  return answer;
}

static int
against_the_clock (char **argv)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = g_strsplit (argv[3], ",", -1);
  g_autoptr (TextScorer) scorer = NULL;
  g_autofree double *sum = NULL, *stats = NULL;
  TextScoreOptions options;
  gint64 start;
  gsize len, rows = 0;

  text_score_options_init (&options);
  options.bleu.unit = unit_named (argv[1]);
  options.rouge.unit = unit_named (argv[2]);
  options.metrics = 0;
  for (guint i = 0; names[i] != NULL; i++)
    options.metrics |= text_metric_from_name (names[i]);
  scorer = text_scorer_new (&options, &error);
  if (scorer == NULL || !g_file_get_contents (argv[0], &text, &len, &error))
    {
      fprintf (stderr, "score: %s\n", error->message);
      return 1;
    }
  sum = g_new0 (double, text_scorer_n_stats (scorer));
  stats = g_new0 (double, text_scorer_n_stats (scorer));
  start = g_get_monotonic_time ();
  for (char *p = text, *end = text + len; p < end; rows++)
    {
      char *tab = memchr (p, '\t', (gsize) (end - p)), *stop = memchr (p, '\n', (gsize) (end - p));
      FrStr ref = { tab + 1, (gsize) (stop - tab - 1) };

      text_scorer_row (scorer, (FrStr){ p, (gsize) (tab - p) }, &ref, 1, stats);
      text_stats_add (sum, stats, text_scorer_n_stats (scorer));
      p = stop + 1;
    }
  printf ("seconds %.4f rows %" G_GSIZE_FORMAT, (double) (g_get_monotonic_time () - start) / 1e6,
          rows);
  {
    gsize n;
    const TextFigure *figures = text_scorer_figures (scorer, &n);

    for (gsize i = 0; i < n; i++)
      if (figures[i].headline)
        printf (" %s %.6f", figures[i].name, text_scorer_value (scorer, sum, TEXT_SCORE_CORPUS, i));
  }
  puts ("");
  return 0;
}

int
main (int argc, char **argv)
{
  g_autofree char *line = NULL;
  size_t room = 0;

  if (argc == 6 && g_str_equal (argv[1], "--time"))
    return against_the_clock (argv + 2);
  while (getline (&line, &room, stdin) > 0)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autofree char *text = NULL;

      if (!json_parser_load_from_data (parser, line, -1, &error))
        {
          fprintf (stderr, "score: %s\n", error->message);
          return 1;
        }
      node = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (node, score (json_node_get_object (json_parser_get_root (parser))));
      text = json_to_string (node, FALSE);
      puts (text);
      fflush (stdout);
    }
  return 0;
}
