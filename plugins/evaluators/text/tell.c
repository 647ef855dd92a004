/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c: what evaluator.text tells: report, views, limits. */
#include "config.h"

#include "text.h"

#include <math.h>
#include <string.h>

static const char *const system_names[] = { "candidate", "baseline" };

static guint
n_systems (const State *s)
{
  return s->has_baseline ? 2 : 1;
}

static JsonNode *
take_object (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

/* Statistics of all texts of a system, added up. */
static double *
sum_of (const State *s, guint system)
{
  gsize width = s->figures.width + N_EXTRA;
  double *sum = g_new0 (double, width);

  for (gint64 k = 0; k < s->samples; k++)
    text_stats_add (sum, &g_array_index (s->sample_sums[system], double, (gsize) k *width), width);
  return sum;
}

/* ---- parts of the report ----------------------------------------------------------------------
 */

static JsonObject *
system_json (const State *s, guint system)
{
  const char *column = system == TALLY_CANDIDATE ? s->config->candidate : s->config->baseline;
  JsonObject *o;

  if (s->answerers[system] != NULL)
    return lm_answerer_settings (s->answerers[system]);
  o = json_object_new ();
  json_object_set_string_member (o, "column", column != NULL ? column : "generated");
  return o;
}

typedef void (*MetricFunc) (State *s, guint metric, const double *sum, gpointer data);

static void
each_metric (State *s, guint system, MetricFunc func, gpointer data)
{
  g_autofree double *sum = sum_of (s, system);
  const TextFigure *all;
  gsize n;

  all = text_scorer_figures (s->figures.scorer, &n);
  for (gsize i = 0; i < n; i++)
    if (all[i].headline)
      func (s, all[i].metric, sum, data);
}

static void
add_line (State *s, guint metric, const double *sum, gpointer data)
{
  g_autofree char *line = text_scorer_line (s->figures.scorer, metric, sum);

  json_array_add_string_element (data, line);
}

static JsonNode *
lines_json (State *s)
{
  JsonObject *o = json_object_new ();

  for (guint i = 0; i < n_systems (s); i++)
    {
      JsonArray *lines = json_array_new ();

      each_metric (s, i, add_line, lines);
      json_object_set_array_member (o, system_names[i], lines);
    }
  return take_object (o);
}

/* Different n-grams of all texts together; sums of rows cannot tell them. */
static JsonNode *
distinct_json (State *s)
{
  JsonObject *o = json_object_new ();

  json_object_set_string_member (o, "unit", s->chinese ? "char" : "words");
  for (guint i = 0; i < n_systems (s); i++)
    {
      JsonObject *one = json_object_new ();

      json_object_set_double_member (one, "distinct1", text_distinct_value (s->distinct[i], 1));
      json_object_set_double_member (one, "distinct2", text_distinct_value (s->distinct[i], 2));
      json_object_set_object_member (o, system_names[i], one);
    }
  return take_object (o);
}

/* Mean and deviation of a figure over samples. */
static void
over_samples (const State *s, guint system, const TallyFigure *f, double *mean, double *sd)
{
  gsize width = s->figures.width + N_EXTRA;
  g_autofree double *values = g_new (double, s->samples);

  for (gint64 k = 0; k < s->samples; k++)
    values[k]
        = f->score (&g_array_index (s->sample_sums[system], double, (gsize) k *width), f->data);
  stats_mean_sd (values, (gsize) s->samples, mean, sd);
}

static JsonNode *
samples_json (const State *s)
{
  JsonObject *o = json_object_new ();

  for (guint i = 0; i < n_systems (s); i++)
    {
      JsonObject *one = json_object_new ();

      if (s->answerers[i] == NULL)
        {
          json_object_unref (one);
          continue;
        }
      for (guint k = 0; k < s->figures.figures->len; k++)
        {
          const TallyFigure *f = &g_array_index (s->figures.figures, TallyFigure, k);
          JsonObject *figure;
          double mean, sd;

          if (!f->main)
            continue;
          over_samples (s, i, f, &mean, &sd);
          figure = json_object_new ();
          json_object_set_double_member (figure, "mean", mean);
          json_object_set_double_member (figure, "sd", sd);
          json_object_set_object_member (one, f->name, figure);
        }
      json_object_set_object_member (o, system_names[i], one);
    }
  return take_object (o);
}

static double
leak_share (const State *s)
{
  return s->n_rows > 0 ? (double) s->n_leaking / (double) s->n_rows : 0;
}

static JsonNode *
leak_json (const State *s)
{
  JsonObject *o = json_object_new ();

  json_object_set_int_member (o, "training_rows", (gint64) s->n_train);
  json_object_set_int_member (o, "rows", (gint64) s->n_leaking);
  json_object_set_double_member (o, "share", leak_share (s));
  json_object_set_int_member (o, "same_text", (gint64) s->n_same);
  json_object_set_int_member (o, "near", (gint64) s->n_near);
  json_object_set_int_member (o, "shared_13_grams", (gint64) s->n_grams);
  json_object_set_int_member (o, "same_question", (gint64) s->n_question);
  return take_object (o);
}

static JsonObject *
extra_scores (const State *s)
{
  JsonObject *o = json_object_new ();

  if (s->has_train)
    json_object_set_double_member (o, "leak", leak_share (s));
  json_object_set_double_member (o, "rejected",
                                 s->n_in > 0 ? (double) s->n_rejected / (double) s->n_in : 0);
  return o;
}

static const char *
unit_word (const State *s)
{
  static const char *const words[]
      = { [TOKENIZE_AUTO] = "auto",         [TOKENIZE_13A] = "13a",   [TOKENIZE_ZH] = "zh",
          [TOKENIZE_ZH_FIXED] = "zh-fixed", [TOKENIZE_CHAR] = "char", [TOKENIZE_WORDS] = "words",
          [TOKENIZE_INTL] = "intl",         [TOKENIZE_NONE] = "none" };
  int asked = s->config->tokenize;

  return asked != TOKENIZE_AUTO ? words[asked] : s->chinese ? "zh" : "13a";
}

static JsonNode *
make_report (State *s)
{
  const Config *c = s->config;
  JsonObject *o = json_object_new ();
  g_autoptr (JsonObject) extra = extra_scores (s);
  JsonNode *slices = tally_slices_json (s->tally);
  gsize n;

  json_object_set_int_member (o, "rows", (gint64) s->n_rows);
  json_object_set_int_member (o, "rejected", (gint64) s->n_rejected);
  for (guint i = 0; i < n_systems (s); i++)
    json_object_set_object_member (o, system_names[i], system_json (s, i));
  json_object_set_int_member (o, "samples", s->samples);
  json_object_set_string_member (o, "tokenize", unit_word (s));
  json_object_set_boolean_member (o, "strip_think", c->strip_think);
  json_object_set_member (o, "scores", tally_scores_json (s->tally));
  json_object_set_member (o, "lines", lines_json (s));
  json_object_set_member (o, "corpus_distinct", distinct_json (s));
  if (s->samples > 1)
    json_object_set_member (o, "over_samples", samples_json (s));
  if (s->has_train)
    json_object_set_member (o, "leak", leak_json (s));
  if (slices != NULL)
    json_object_set_member (o, "slices", slices);
  json_object_set_string_member (o, "rank_by",
                                 text_scorer_figures (s->figures.scorer, &n)[s->figures.rank].name);
  json_object_set_int_member (o, "resamples", c->resamples);
  json_object_set_double_member (o, "level", c->level);
  json_object_set_member (
      o, "limits", tally_hold_limits (s->tally, s->host, c->fail_under, c->fail_over, extra));
  return take_object (o);
}

/* ---- views
 * ------------------------------------------------------------------------------------------ */

static void
add_headline (State *s, FrViews *views, const TallyFigure *f, guint i)
{
  g_autoptr (GString) note = g_string_new (NULL);

  if (s->has_baseline)
    {
      g_string_append (note, "baseline ");
      tally_append_number (note, tally_value (s->tally, i, TALLY_BASELINE));
    }
  else if (f->unit != NULL)
    g_string_append (note, f->unit);
  fr_views_add_figure (views, f->title, tally_value (s->tally, i, TALLY_CANDIDATE),
                       note->len > 0 ? note->str : NULL);
}

static void
add_figures (State *s, FrViews *views)
{
  fr_views_begin (views, FR_VIEW_FIGURES, "Text against references");
  for (guint i = 0; i < s->figures.figures->len; i++)
    {
      const TallyFigure *f = &g_array_index (s->figures.figures, TallyFigure, i);

      if (strcmp (f->name, "bleu") == 0 || strcmp (f->name, "chrf") == 0
          || strcmp (f->name, "rougeL_f") == 0)
        add_headline (s, views, f, i);
    }
  fr_views_add_figure (views, "rows", (double) s->n_rows,
                       s->n_rejected > 0 ? "others were rejected" : NULL);
  if (s->has_train)
    {
      g_autofree char *share = g_strdup_printf ("%.1f %%", 100 * leak_share (s));
      g_autofree char *note = g_strdup_printf (
          "%" G_GUINT64_FORMAT " rows: %" G_GUINT64_FORMAT " the same, %" G_GUINT64_FORMAT
          " nearly, %" G_GUINT64_FORMAT " share 13-grams; %" G_GUINT64_FORMAT
          " questions were asked in training",
          s->n_leaking, s->n_same, s->n_near, s->n_grams, s->n_question);

      fr_views_add_figure_text (views, "references known from training", share, note);
    }
}

static void
add_signature (State *s, guint metric, const double *sum, gpointer data)
{
  g_autofree char *line = text_scorer_line (s->figures.scorer, metric, sum);

  fr_views_begin_row (data, NULL, NULL);
  fr_views_add_cell (data, line);
}

static void
add_signatures (State *s, FrViews *views)
{
  fr_views_begin (views, FR_VIEW_TABLE, "How the candidate's scores were made");
  fr_views_add_column (views, "score and signature", FR_VIEW_TEXT);
  each_metric (s, TALLY_CANDIDATE, add_signature, views);
}

static void
add_samples (State *s, FrViews *views)
{
  fr_views_begin (views, FR_VIEW_TABLE, "Scores over samples");
  fr_views_add_column (views, "score", FR_VIEW_TEXT);
  for (guint i = 0; i < n_systems (s); i++)
    fr_views_add_column (views, system_names[i], FR_VIEW_TEXT);
  for (guint k = 0; k < s->figures.figures->len; k++)
    {
      const TallyFigure *f = &g_array_index (s->figures.figures, TallyFigure, k);

      if (!f->main)
        continue;
      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_cell (views, f->title);
      for (guint i = 0; i < n_systems (s); i++)
        {
          g_autoptr (GString) text = g_string_new (NULL);
          double mean, sd;

          over_samples (s, i, f, &mean, &sd);
          tally_append_number (text, s->answerers[i] != NULL ? mean : NAN);
          if (s->answerers[i] != NULL)
            {
              g_string_append (text, " ± ");
              tally_append_number (text, sd);
            }
          fr_views_add_cell (views, text->str);
        }
    }
  fr_views_note (views, "Mean and standard deviation of the whole score over samples.");
}

static void
add_shown (const State *s, FrViews *views, const Shown *shown)
{
  g_autoptr (GString) note = g_string_new (NULL);

  tally_append_number (note, shown->scores[0]);
  if (s->has_baseline)
    {
      g_string_append (note, ", baseline ");
      tally_append_number (note, shown->scores[1]);
    }
  fr_views_begin_row (views, shown->id, note->str);
  if (s->question != NULL)
    fr_views_add_cell (views, shown->question);
  fr_views_add_cell (views, shown->reference);
  if (s->has_baseline)
    fr_views_add_cell (views, shown->texts[TALLY_BASELINE]);
  fr_views_add_cell (views, shown->texts[TALLY_CANDIDATE]);
}

static void
add_texts (const State *s, FrViews *views, const char *title, const GPtrArray *kept)
{
  g_autofree char *note = NULL;
  gsize n;

  if (kept->len == 0)
    return;
  fr_views_begin (views, FR_VIEW_TEXTS, title);
  if (s->question != NULL)
    fr_views_add_column (views, "question", FR_VIEW_TEXT);
  fr_views_add_column (views, "reference", FR_VIEW_TEXT);
  if (s->has_baseline)
    fr_views_add_column (views, "baseline", FR_VIEW_TEXT);
  fr_views_add_column (views, "candidate", FR_VIEW_TEXT);
  for (guint i = 0; i < kept->len; i++)
    add_shown (s, views, kept->pdata[i]);
  note = g_strdup_printf ("%s of the row beside its name.",
                          text_scorer_figures (s->figures.scorer, &n)[s->figures.rank].title);
  fr_views_note (views, note);
}

static JsonNode *
make_views (State *s)
{
  g_autoptr (FrViews) views = fr_views_new ();

  add_figures (s, views);
  tally_add_views (s->tally, views);
  if (s->samples > 1)
    add_samples (s, views);
  add_texts (s, views, "Any rows", s->some);
  add_texts (s, views, s->has_baseline ? "Largest gains" : "Best rows", s->gains);
  add_texts (s, views, s->has_baseline ? "Largest losses" : "Worst rows", s->losses);
  tally_add_details (s->tally, views);
  add_signatures (s, views);
  return fr_views_to_json (views);
}

/* ---- telling
 * ------------------------------------------------------------------------------------------ */

static void
tell_line (State *s, guint metric, const double *sum, gpointer data)
{
  g_autofree char *line = text_scorer_line (s->figures.scorer, metric, sum);

  if (metric == TEXT_METRIC_BLEU || metric == TEXT_METRIC_CHRF)
    fr_host_info (s->host, "%s: %s", (const char *) data, line);
}

static void
tell_metrics (State *s)
{
  for (guint k = 0; k < s->figures.figures->len; k++)
    {
      const TallyFigure *f = &g_array_index (s->figures.figures, TallyFigure, k);
      g_autofree char *other = g_strconcat ("baseline_", f->name, NULL);

      if (!f->main)
        continue;
      fr_host_metric (s->host, f->name, tally_value (s->tally, k, TALLY_CANDIDATE));
      if (s->has_baseline)
        fr_host_metric (s->host, other, tally_value (s->tally, k, TALLY_BASELINE));
    }
}

/* What a reader of the numbers must know is said, not only written down. */
static void
warn (State *s)
{
  for (guint k = 0; k < s->figures.figures->len; k++)
    {
      const TallyFigure *f = &g_array_index (s->figures.figures, TallyFigure, k);
      double value = tally_value (s->tally, k, TALLY_CANDIDATE);

      if (strcmp (f->name, "unsuited") == 0 && value > 0)
        fr_host_warn (
            s->host,
            "%.1f %% of the rows have references whose words '%s' cannot tell apart: their "
            "scores say little; see tokenize",
            100 * value, unit_word (s));
      if (strcmp (f->name, "cut_off") == 0 && value > 0)
        fr_host_warn (s->host, "%.1f %% of the answers were cut off by max_tokens or the context",
                      100 * value);
      if (strcmp (f->name, "think_open") == 0 && value > 0)
        fr_host_warn (s->host,
                      "%.1f %% of the texts never end their reasoning: nothing of them is scored",
                      100 * value);
    }
  if (s->has_train && s->n_leaking > 0)
    fr_host_warn (s->host,
                  "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                  " references are known from training; the slices 'leak' are scored apart",
                  s->n_leaking, s->n_rows);
}

FrFlow
tell (State *s, GError **error)
{
  JsonNode *report;

  if (!tally_work (s->tally, s->host, error))
    return FR_FLOW_CANCELLED;
  report = make_report (s);
  for (guint i = 0; i < n_systems (s); i++)
    each_metric (s, i, tell_line, (gpointer) system_names[i]);
  tell_metrics (s);
  warn (s);
  if (s->has_train)
    fr_host_count (s->host, "leaking", (gint64) s->n_leaking);
  fr_host_report (s->host, "text", json_node_copy (report));
  fr_host_report (s->host, "views", make_views (s));
  return fr_host_push_object (s->host, "report", fr_report_new (report), error);
}
