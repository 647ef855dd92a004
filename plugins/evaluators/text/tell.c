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

/* Titles of scores (text/score.h) among them; those that are names alone stay as they are. */
static const FrViewWord chinese[] = {
  { "Text against references", "文本与参考的比较" },
  { "baseline ", "基线 " },
  { ", baseline ", "，基线 " },
  { "rows", "行数" },
  { "others were rejected", "其余被拒绝" },
  { "references known from training", "训练中见过的参考" },
  { "%" G_GUINT64_FORMAT " rows: %" G_GUINT64_FORMAT " the same, %" G_GUINT64_FORMAT
    " nearly, %" G_GUINT64_FORMAT " share 13-grams; %" G_GUINT64_FORMAT
    " questions were asked in training",
    "%" G_GUINT64_FORMAT " 行：%" G_GUINT64_FORMAT " 行相同，%" G_GUINT64_FORMAT
    " 行相近，%" G_GUINT64_FORMAT " 行有相同的 13 元组；%" G_GUINT64_FORMAT
    " 个问题在训练中出现过" },
  { "How the candidate's scores were made", "候选评分的计算方式" },
  { "score and signature", "评分与签名" },
  { "Scores over samples", "多次采样的评分" },
  { "score", "评分" },
  { "candidate", "候选" },
  { "baseline", "基线" },
  { "Mean and standard deviation of the whole score over samples.",
    "各次采样总评分的平均值与标准差。" },
  { "question", "问题" },
  { "reference", "参考" },
  { " of the row beside its name.", "：行名旁为该行的评分。" },
  { "Any rows", "任意行" },
  { "Largest gains", "提升最大" },
  { "Best rows", "最好的行" },
  { "Largest losses", "下降最大" },
  { "Worst rows", "最差的行" },
  { "points of 100", "百分点" },
  { "Answers cut off", "被截断的回答" },
  { "Texts with reasoning", "含推理的文本" },
  { "Reasoning never ended", "未结束的推理" },
  { "Empty texts", "空文本" },
  { "Rows", "行数" },
  { "Rows whose words the unit cannot tell apart", "所选单位无法分词的行" },
  { "BLEU precision 1", "BLEU 1 元精确率" },
  { "BLEU precision 2", "BLEU 2 元精确率" },
  { "BLEU precision 3", "BLEU 3 元精确率" },
  { "BLEU precision 4", "BLEU 4 元精确率" },
  { "BLEU brevity penalty", "BLEU 长度惩罚" },
  { "BLEU tokens of hypotheses", "BLEU 候选词元数" },
  { "BLEU tokens of references", "BLEU 参考词元数" },
  { "Mean sentence BLEU (NLTK)", "句级 BLEU 平均值（NLTK）" },
  { "chrF", "chrF" },
  { "TER edits", "TER 编辑次数" },
  { "TER tokens of references", "TER 参考词元数" },
  { "ROUGE-1 precision", "ROUGE-1 精确率" },
  { "ROUGE-1 recall", "ROUGE-1 召回率" },
  { "ROUGE-2 precision", "ROUGE-2 精确率" },
  { "ROUGE-2 recall", "ROUGE-2 召回率" },
  { "ROUGE-L precision", "ROUGE-L 精确率" },
  { "ROUGE-L recall", "ROUGE-L 召回率" },
  { "ROUGE-Lsum precision", "ROUGE-Lsum 精确率" },
  { "ROUGE-Lsum recall", "ROUGE-Lsum 召回率" },
  { "Distinct-1 within rows", "行内 Distinct-1" },
  { "Distinct-2 within rows", "行内 Distinct-2" },
  { "Repeated 4-grams", "重复的 4 元组" },
  { "Length ratio", "长度比" },
  { "Length of hypotheses", "候选长度" },
  { "Length of references", "参考长度" },
  { "Exact match", "完全匹配" },
  { NULL, NULL },
};

static void
add_headline (State *s, FrViews *views, const TallyFigure *f, guint i)
{
  g_autoptr (GString) number = g_string_new (NULL);
  const char *note = f->unit != NULL && *f->unit != '\0' ? f->unit : NULL;

  if (s->has_baseline)
    {
      tally_append_number (number, tally_value (s->tally, i, TALLY_BASELINE));
      note = fr_views_join (views, "baseline ", number->str, NULL);
    }
  fr_views_add_figure (views, f->title, tally_value (s->tally, i, TALLY_CANDIDATE), note);
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
      const char *note = fr_views_printf (
          views,
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
      fr_views_add_word (views, f->title);
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
  g_autoptr (GString) ours = g_string_new (NULL), other = g_string_new (NULL);

  tally_append_number (ours, shown->scores[0]);
  if (s->has_baseline)
    tally_append_number (other, shown->scores[1]);
  fr_views_begin_row (views, shown->id,
                      s->has_baseline
                          ? fr_views_join (views, ours->str, ", baseline ", other->str, NULL)
                          : ours->str);
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
  fr_views_note (views,
                 fr_views_join (views,
                                text_scorer_figures (s->figures.scorer, &n)[s->figures.rank].title,
                                " of the row beside its name.", NULL));
}

static JsonNode *
make_views (State *s)
{
  g_autoptr (FrViews) views = fr_views_new ();

  fr_views_translate (views, "zh", chinese);
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
