/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c: what a load test says: lines, report, page, limits. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "load.h"

#define LAG_MS                                                                                     \
  20.             /* sent so late, at the 95th percentile, and the measuring machine is in doubt   \
                   */
#define FOLDED 60 /* points of a line over time */
#define BARS 40
#define TOP 99. /* percentile up to which the histogram shows */

static const struct
{
  const char *key, *title;
} objectives[LOAD_N_BY] = { [LOAD_BY_LATENCY] = { "latency", "latency" },
                            [LOAD_BY_FIRST] = { "first_token", "time to the first token" },
                            [LOAD_BY_PER_TOKEN] = { "per_token", "time per token" },
                            [LOAD_BY_ERRORS] = { "errors", "share of failures" } };

static LoadStep *
step_at (const State *s, guint i)
{
  return s->steps->pdata[i];
}

int
load_best (const State *s)
{
  int best = -1;

  for (guint i = 0; i < s->steps->len && step_at (s, i)->met; i++)
    best = (int) i;
  return best;
}

static double
ms_at (const Histogram *times, double percent)
{
  return histogram_n (times) > 0 ? (double) histogram_percentile (times, percent) / 1000 : NAN;
}

/* "p95", "p99.9" */
static char *
percentile_name (double percent)
{
  return g_strdup_printf ("p%g", percent);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void
append_ms (GString *line, const char *what, double ms)
{
  if (isfinite (ms))
    g_string_append_printf (line, ", %s %.*f ms", what, ms < 10 ? 2 : 0, ms);
}

void
load_tell_step (State *s, const LoadStep *step)
{
  const LoadFigures *f = &step->figures;
  g_autofree char *p = percentile_name (s->config->percentile),
                  *first = g_strconcat ("first token ", p, NULL);
  g_autoptr (GString) line = g_string_new (NULL);

  if (step->rate > 0)
    g_string_append_printf (line, "%g requests a second", step->rate);
  else
    g_string_append_printf (line, "%" G_GINT64_FORMAT " users", s->config->concurrency);
  g_string_append_printf (line, ": %" G_GUINT64_FORMAT " requests, %" G_GUINT64_FORMAT " failed",
                          f->n, f->n - f->n_ok);
  if (f->n_ok > 0)
    g_string_append_printf (line, ", %.2f answered and %.1f tokens a second", load_figures_qps (f),
                            load_figures_tps (f));
  append_ms (line, "p50", ms_at (f->latency, 50));
  append_ms (line, p, ms_at (f->latency, s->config->percentile));
  append_ms (line, "max", ms_at (f->latency, 100));
  append_ms (line, first, ms_at (f->first, s->config->percentile));
  fr_host_info (s->host, "%s; objective %s", line->str, step->met ? "met" : "missed");
}

static void
warn_step (State *s, const LoadStep *step)
{
  const LoadFigures *f = &step->figures;

  if (f->n == 0)
    fr_host_warn (s->host,
                  "no request was due in the time that is measured; make `seconds` longer");
  if (step->n_held > 0 || f->n_unsent > 0)
    fr_host_warn (s->host,
                  "%" G_GUINT64_FORMAT " requests had to wait here, with %" G_GINT64_FORMAT
                  " in flight already, and %" G_GUINT64_FORMAT
                  " were never sent; that counts as latency. `in_flight` is the limit",
                  step->n_held, s->config->in_flight, f->n_unsent);
  else if (step->rate > 0 && ms_at (f->lag, 95) > LAG_MS)
    fr_host_warn (
        s->host,
        "requests left up to %.0f ms late (p95), for this machine was busy: the times hold "
        "that too; measure from another machine",
        ms_at (f->lag, 95));
  if (f->n_estimated > 0)
    fr_host_warn (s->host,
                  "of %" G_GUINT64_FORMAT " answers the server did not say how many tokens they "
                  "have; their pieces of text are counted instead",
                  f->n_estimated);
  if (s->config->stream && f->n_whole > 0)
    fr_host_warn (s->host,
                  "%" G_GUINT64_FORMAT " answers came in one piece though a stream was asked for: "
                  "they have no time to the first token",
                  f->n_whole);
  if (f->n_hits > 0)
    fr_host_warn (s->host,
                  "%.1f %% of the requests were answered from the server's cache: the times say "
                  "less about its model",
                  100. * (double) f->n_hits / (double) f->n);
}

static void
warn_failures (State *s, const LoadStep *step)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, step->figures.kinds);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      const LoadKind *kind = value;

      fr_host_warn (s->host, "%" G_GUINT64_FORMAT " requests failed, '%s'%s%s", kind->n,
                    (const char *) name, kind->what != NULL ? ": " : "",
                    kind->what != NULL ? kind->what : "");
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

static char *
miss_text (const Config *c, LoadBy by, const LoadVerdict *v)
{
  if (by == LOAD_BY_ERRORS)
    return g_strdup_printf ("%.2f %% of the requests failed; the objective allows %.2f %%",
                            100 * v->value, 100 * v->limit);
  if (isnan (v->value))
    return g_strdup_printf ("the %s was never measured; the objective is %g ms",
                            objectives[by].title, v->limit);
  return g_strdup_printf ("the %s at p%g is %.1f ms; the objective is %g ms", objectives[by].title,
                          c->percentile, v->value, v->limit);
}

static void
hold_step (State *s, const LoadStep *step)
{
  for (guint i = 0; i < LOAD_N_BY; i++)
    if (step->verdicts[i].asked && !step->verdicts[i].met)
      {
        g_autofree char *text = miss_text (s->config, i, &step->verdicts[i]);

        fr_host_limit_passed (s->host, "%s", text);
      }
}

/* The requests a second that meet the objective. */
static double
reached (const State *s)
{
  int best = load_best (s);

  if (best < 0)
    return 0;
  return s->config->rates != NULL ? step_at (s, (guint) best)->rate
                                  : load_figures_qps (&step_at (s, (guint) best)->figures);
}

static gboolean
is_met (const State *s)
{
  return load_best (s) >= 0 && !(reached (s) < s->config->least_rate);
}

static void
hold (State *s)
{
  int best = load_best (s);

  if (best < 0)
    hold_step (s, step_at (s, 0));
  else if (!is_met (s))
    fr_host_limit_passed (s->host, "%.2f requests a second meet the objective; least_rate is %g",
                          reached (s), s->config->least_rate);
}

/* ---- report ---------------------------------------------------------------------------------- */

static void
set_number (JsonObject *o, const char *name, double value)
{
  if (isfinite (value))
    json_object_set_double_member (o, name, value);
  else
    json_object_set_null_member (o, name);
}

static JsonObject *
times_json (const Histogram *times)
{
  static const double percents[] = { 50, 90, 95, 99, 99.9 };
  JsonObject *o = json_object_new ();

  json_object_set_int_member (o, "n", (gint64) histogram_n (times));
  set_number (o, "min", histogram_n (times) > 0 ? (double) histogram_min (times) / 1000 : NAN);
  set_number (o, "mean", histogram_mean (times) / 1000);
  for (guint i = 0; i < G_N_ELEMENTS (percents); i++)
    {
      g_autofree char *name = percentile_name (percents[i]);

      set_number (o, name, ms_at (times, percents[i]));
    }
  set_number (o, "max", histogram_n (times) > 0 ? (double) histogram_max (times) / 1000 : NAN);
  return o;
}

static JsonObject *
kinds_json (const LoadFigures *f)
{
  JsonObject *o = json_object_new ();
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (f->kinds), (GCompareFunc) strcmp);

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_int_member (o, l->data,
                                (gint64) ((LoadKind *) g_hash_table_lookup (f->kinds, l->data))->n);
  return o;
}

static JsonObject *
verdicts_json (const LoadStep *step)
{
  JsonObject *o = json_object_new ();

  for (guint i = 0; i < LOAD_N_BY; i++)
    {
      const LoadVerdict *v = &step->verdicts[i];
      JsonObject *one;

      if (!v->asked)
        continue;
      one = json_object_new ();
      set_number (one, "value", v->value);
      set_number (one, "limit", v->limit);
      json_object_set_boolean_member (one, "met", v->met);
      json_object_set_object_member (o, objectives[i].key, one);
    }
  return o;
}

static JsonObject *
cache_json (const LoadFigures *f)
{
  JsonObject *o = json_object_new ();

  json_object_set_int_member (o, "hits", (gint64) f->n_hits);
  json_object_set_int_member (o, "misses", (gint64) f->n_misses);
  return o;
}

static JsonObject *
step_json (const State *s, const LoadStep *step)
{
  const LoadFigures *f = &step->figures;
  JsonObject *o = json_object_new ();

  if (step->rate > 0)
    json_object_set_double_member (o, "rate", step->rate);
  else
    json_object_set_int_member (o, "concurrency", s->config->concurrency);
  json_object_set_boolean_member (o, "met", step->met);
  json_object_set_int_member (o, "requests", (gint64) f->n);
  json_object_set_int_member (o, "warm_up", (gint64) f->n_warm_up);
  json_object_set_int_member (o, "answered", (gint64) f->n_ok);
  json_object_set_int_member (o, "failed", (gint64) (f->n - f->n_ok));
  json_object_set_int_member (o, "timeouts", (gint64) f->n_timeouts);
  json_object_set_int_member (o, "held_here", (gint64) step->n_held);
  json_object_set_int_member (o, "never_sent", (gint64) f->n_unsent);
  json_object_set_int_member (o, "empty", (gint64) f->n_empty);
  json_object_set_object_member (o, "failures", kinds_json (f));
  set_number (o, "errors", load_figures_errors (f));
  set_number (o, "seconds", load_figures_seconds (f));
  set_number (o, "qps", load_figures_qps (f));
  set_number (o, "tokens_per_second", load_figures_tps (f));
  json_object_set_int_member (o, "tokens", f->tokens);
  json_object_set_int_member (o, "tokens_estimated", (gint64) f->n_estimated);
  json_object_set_int_member (o, "prompt_tokens", f->prompt_tokens);
  json_object_set_object_member (o, "cache", cache_json (f));
  json_object_set_object_member (o, "latency_ms", times_json (f->latency));
  json_object_set_object_member (o, "first_token_ms", times_json (f->first));
  json_object_set_object_member (o, "per_token_ms", times_json (f->per_token));
  json_object_set_object_member (o, "lag_ms", times_json (f->lag));
  json_object_set_object_member (o, "objectives", verdicts_json (step));
  return o;
}

static JsonNode *
make_report (const State *s)
{
  const Config *c = s->config;
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *o = json_object_new ();
  JsonArray *steps = json_array_new ();

  json_object_set_string_member (o, "url", s->ask_url);
  if (s->model != NULL)
    json_object_set_string_member (o, "model", s->model);
  json_object_set_string_member (o, "loop", s->rates->len > 1 || c->rate > 0 ? "open" : "closed");
  json_object_set_string_member (o, "arrivals",
                                 c->arrivals == LOAD_POISSON ? "poisson" : "constant");
  json_object_set_boolean_member (o, "stream", c->stream);
  json_object_set_int_member (o, "prompts", s->prompts->len);
  json_object_set_int_member (o, "max_tokens", c->max_tokens);
  json_object_set_double_member (o, "temperature", c->temperature);
  json_object_set_double_member (o, "timeout_seconds", (double) c->timeout / G_USEC_PER_SEC);
  json_object_set_double_member (o, "percentile", c->percentile);
  json_object_set_string_member (
      o, "percentiles",
      "nearest rank of a histogram: exact below 2 ms, else at most 0.1 % too great");
  json_object_set_boolean_member (o, "met", is_met (s));
  json_object_set_double_member (o, "met_rate", reached (s));
  json_object_set_double_member (o, "least_rate", c->least_rate);
  for (guint i = 0; i < s->steps->len; i++)
    json_array_add_object_element (steps, step_json (s, step_at (s, i)));
  json_object_set_array_member (o, "steps", steps);
  json_object_set_int_member (o, "steps_left_out", (gint64) (s->rates->len - s->steps->len));
  json_node_take_object (node, o);
  return node;
}

/* ---- page ------------------------------------------------------------------------------------ */

static const FrViewWord chinese[] = {
  { "Under load: objective met", "负载测试：达到目标" },
  { "Under load: objective missed", "负载测试：未达到目标" },
  { "greatest rate that meets it", "达到目标的最大速率" },
  { "at least %g", "至少 %g" },
  { "answers a second", "每秒回答数" },
  { "%g a second were due", "应每秒 %g 个" },
  { "%" G_GINT64_FORMAT " users at once", "%" G_GINT64_FORMAT " 个并发用户" },
  { "latency", "延迟" },
  { "time to the first token", "首词元时间" },
  { "time per token", "每词元时间" },
  { ", ", "，" },
  { "objective %g ms: met", "目标 %g ms：达到" },
  { "objective %g ms: missed", "目标 %g ms：未达到" },
  { "p50 %.3g ms, max %.3g ms", "p50 %.3g ms，最大 %.3g ms" },
  { "tokens a second", "每秒词元数" },
  { "pieces of text, in part", "部分以文本片段计" },
  { "failed", "失败" },
  { "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, "%" G_GUINT64_FORMAT " / %" G_GUINT64_FORMAT },
  { "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "; at most %g %%: met",
    "%" G_GUINT64_FORMAT " / %" G_GUINT64_FORMAT "；上限 %g %%：达到" },
  { "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "; at most %g %%: missed",
    "%" G_GUINT64_FORMAT " / %" G_GUINT64_FORMAT "；上限 %g %%：未达到" },
  { "answered from the cache", "由缓存回答" },
  { "Rates", "速率" },
  { "requests/s", "请求/秒" },
  { "answered", "已回答" },
  { "max ms", "最大 ms" },
  { "first token p95 ms", "首词元 p95 ms" },
  { "tokens/s", "词元/秒" },
  { "objective", "目标" },
  { "met", "达到" },
  { "missed", "未达到" },
  { "%u greater rates were not tried after one missed.",
    "未达到目标后，未再尝试另外 %u 个更高的速率。" },
  { "Latency by rate", "延迟与速率" },
  { "requests a second", "每秒请求数" },
  { "latency (ms)", "延迟（ms）" },
  { "Latency over time", "延迟随时间的变化" },
  { "seconds", "秒" },
  { "max", "最大" },
  { "first token, p50", "首词元，p50" },
  { "By when requests were due, in spans of %g s, warm-up included.",
    "按请求应发出的时间，每段 %g 秒，含预热。" },
  { "Requests over time", "请求随时间的变化" },
  { "due", "应发出" },
  { "Tokens over time", "词元随时间的变化" },
  { "tokens", "词元" },
  { "Counted when an answer ends.", "在回答结束时计数。" },
  { "How many were how fast", "延迟的累积分布" },
  { "ms", "ms" },
  { "% of requests", "请求占比（%）" },
  { "whole answer", "完整回答" },
  { "first token", "首词元" },
  { "Latencies", "延迟分布" },
  { "%" G_GUINT64_FORMAT " requests took longer than shown here, up to %.0f ms.",
    "另有 %" G_GUINT64_FORMAT " 个请求超出图示范围，最长 %.0f ms。" },
  { "Percentiles (ms)", "百分位数（ms）" },
  { "time", "时间" },
  { "least", "最小" },
  { "greatest", "最大" },
  { "per token", "每词元" },
  { "lag of sending", "发送滞后" },
  { "Counted from when a request was due. Nearest ranks: exact below 2 ms, else at most 0.1 % too "
    "great.",
    "自请求应发出时起计。取最近秩：2 ms 以下精确，以上至多偏大 0.1 %。" },
  { "Failures", "失败" },
  { "kind", "种类" },
  { "requests", "请求" },
  { "the first one", "首例" },
  { NULL, NULL },
};

/* The step that the page shows in detail: the greatest that is good enough, or else the first. */
static const LoadStep *
shown_step (const State *s)
{
  int best = load_best (s);

  return step_at (s, best >= 0 ? (guint) best : 0);
}

static void
add_time_figure (const State *s, FrViews *views, const LoadStep *step, LoadBy by,
                 const Histogram *times)
{
  const LoadVerdict *v = &step->verdicts[by];
  g_autofree char *p = percentile_name (s->config->percentile);
  g_autofree char *value = g_strdup_printf ("%.*f ms", v->value < 10 ? 2 : 0, v->value);
  const char *note;

  if (histogram_n (times) == 0 && !v->asked)
    return;
  if (v->asked)
    note = fr_views_printf (views, v->met ? "objective %g ms: met" : "objective %g ms: missed",
                            v->limit);
  else
    note = fr_views_printf (views, "p50 %.3g ms, max %.3g ms", ms_at (times, 50),
                            (double) histogram_max (times) / 1000);
  fr_views_add_figure_text (views, fr_views_join (views, objectives[by].title, ", ", p, NULL),
                            isnan (v->value) ? "–" : value, note);
}

static void
add_cache_figure (FrViews *views, const LoadFigures *f)
{
  g_autofree char *share = NULL;

  if (f->n_hits + f->n_misses == 0)
    return;
  share = g_strdup_printf ("%.1f %%", 100. * (double) f->n_hits / (double) f->n);
  fr_views_add_figure_text (
      views, "answered from the cache", share,
      fr_views_printf (views, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, f->n_hits, f->n));
}

static void
add_figures (const State *s, FrViews *views)
{
  const LoadStep *step = shown_step (s);
  const LoadFigures *f = &step->figures;
  const LoadVerdict *v = &step->verdicts[LOAD_BY_ERRORS];
  const char *asked = step->rate > 0 ? fr_views_printf (views, "%g a second were due", step->rate)
                                     : fr_views_printf (views, "%" G_GINT64_FORMAT " users at once",
                                                        s->config->concurrency);
  g_autofree char *share = g_strdup_printf ("%.2f %%", 100 * v->value);
  const char *note = fr_views_printf (
      views,
      v->met ? "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "; at most %g %%: met"
             : "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "; at most %g %%: missed",
      f->n - f->n_ok, f->n, 100 * v->limit);

  fr_views_begin (views, FR_VIEW_FIGURES,
                  is_met (s) ? "Under load: objective met" : "Under load: objective missed");
  if (s->config->rates != NULL)
    fr_views_add_figure (views, "greatest rate that meets it", reached (s),
                         s->config->least_rate > 0
                             ? fr_views_printf (views, "at least %g", s->config->least_rate)
                             : NULL);
  fr_views_add_figure (views, "answers a second", load_figures_qps (f), asked);
  add_time_figure (s, views, step, LOAD_BY_LATENCY, f->latency);
  add_time_figure (s, views, step, LOAD_BY_FIRST, f->first);
  add_time_figure (s, views, step, LOAD_BY_PER_TOKEN, f->per_token);
  fr_views_add_figure (views, "tokens a second", load_figures_tps (f),
                       f->n_estimated > 0 ? "pieces of text, in part" : NULL);
  fr_views_add_figure_text (views, "failed", isnan (v->value) ? "–" : share, note);
  add_cache_figure (views, f);
}

static void
add_steps (const State *s, FrViews *views)
{
  static const char *const names[]
      = { "answered",           "p50 ms",   "p95 ms", "p99 ms", "max ms",
          "first token p95 ms", "tokens/s", "failed" };

  fr_views_begin (views, FR_VIEW_TABLE, "Rates");
  fr_views_add_column (views, "requests/s", FR_VIEW_NUMBER);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    fr_views_add_column (views, names[i], FR_VIEW_NUMBER);
  fr_views_add_column (views, "objective", FR_VIEW_TEXT);
  for (guint i = 0; i < s->steps->len; i++)
    {
      const LoadStep *step = step_at (s, i);
      const LoadFigures *f = &step->figures;

      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_number (views, step->rate);
      fr_views_add_number (views, load_figures_qps (f));
      fr_views_add_number (views, ms_at (f->latency, 50));
      fr_views_add_number (views, ms_at (f->latency, 95));
      fr_views_add_number (views, ms_at (f->latency, 99));
      fr_views_add_number (views, (double) histogram_max (f->latency) / 1000);
      fr_views_add_number (views, ms_at (f->first, 95));
      fr_views_add_number (views, load_figures_tps (f));
      fr_views_add_number (views, (double) (f->n - f->n_ok));
      fr_views_add_word (views, step->met ? "met" : "missed");
    }
  if (s->steps->len < s->rates->len)
    fr_views_note (views,
                   fr_views_printf (views, "%u greater rates were not tried after one missed.",
                                    s->rates->len - s->steps->len));
}

/* Latency against rate, with the objective as a line. */
static void
add_rates_plot (const State *s, FrViews *views)
{
  static const double percents[] = { 50, 95, 99 };

  fr_views_begin (views, FR_VIEW_PLOT, "Latency by rate");
  fr_views_axes (views, "requests a second", "latency (ms)", TRUE);
  for (guint k = 0; k < G_N_ELEMENTS (percents); k++)
    {
      g_autofree char *name = percentile_name (percents[k]);

      fr_views_begin_series (views, name, TRUE);
      for (guint i = 0; i < s->steps->len; i++)
        fr_views_add_point (views, step_at (s, i)->rate,
                            ms_at (step_at (s, i)->figures.latency, percents[k]));
    }
  if (s->config->objective == 0)
    return;
  fr_views_begin_series (views, "objective", FALSE);
  for (guint i = 0; i < s->steps->len; i++)
    fr_views_add_point (views, step_at (s, i)->rate, (double) s->config->objective / 1000);
}

static double
slot_middle (const LoadTimeline *t, guint i)
{
  return ((double) i + 0.5) * (double) t->width / G_USEC_PER_SEC;
}

static void
add_slots (const State *s, FrViews *views, const char *name, double percent, gboolean first)
{
  const LoadTimeline *t = &s->timeline;

  fr_views_begin_series (views, name, TRUE);
  for (guint i = 0; i < t->slots->len; i++)
    {
      const LoadSlot *slot = &g_array_index (t->slots, LoadSlot, i);
      const Histogram *times = first ? slot->first : slot->latency;

      fr_views_add_point (views, slot_middle (t, i), times != NULL ? ms_at (times, percent) : NAN);
    }
}

static void
add_latency_plot (const State *s, FrViews *views)
{
  const LoadTimeline *t = &s->timeline;
  const Histogram *all = shown_step (s)->figures.latency;
  gboolean wide = histogram_max (all) > 20 * MAX (histogram_percentile (all, 50), 1);

  fr_views_begin (views, FR_VIEW_PLOT, "Latency over time");
  fr_views_axes (views, "seconds", "latency (ms)", wide);
  add_slots (s, views, "p50", 50, FALSE);
  add_slots (s, views, "p95", 95, FALSE);
  add_slots (s, views, "max", 100, FALSE);
  if (histogram_n (shown_step (s)->figures.first) > 0)
    add_slots (s, views, "first token, p50", 50, TRUE);
  if (s->config->objective > 0 && t->slots->len > 0)
    {
      fr_views_begin_series (views, "objective", FALSE);
      fr_views_add_point (views, slot_middle (t, 0), (double) s->config->objective / 1000);
      fr_views_add_point (views, slot_middle (t, t->slots->len - 1),
                          (double) s->config->objective / 1000);
    }
  fr_views_note (views, fr_views_printf (
                            views, "By when requests were due, in spans of %g s, warm-up included.",
                            (double) t->width / G_USEC_PER_SEC));
}

typedef enum
{
  SLOT_DUE,
  SLOT_OK,
  SLOT_FAILED,
  SLOT_TOKENS
} SlotFigure;

static void
add_rate_series (const State *s, FrViews *views, const char *name, SlotFigure figure)
{
  const LoadTimeline *t = &s->timeline;
  double seconds = (double) t->width / G_USEC_PER_SEC;

  fr_views_begin_series (views, name, FALSE);
  for (guint i = 0; i < t->slots->len; i++)
    {
      const LoadSlot *slot = &g_array_index (t->slots, LoadSlot, i);
      double n = figure == SLOT_DUE      ? (double) slot->due
                 : figure == SLOT_OK     ? (double) slot->ok
                 : figure == SLOT_FAILED ? (double) slot->failed
                                         : (double) slot->tokens;

      fr_views_add_point (views, slot_middle (t, i), n / seconds);
    }
}

static void
add_throughput_plots (const State *s, FrViews *views)
{
  gboolean failed = FALSE;

  for (guint i = 0; i < s->timeline.slots->len; i++)
    failed |= g_array_index (s->timeline.slots, LoadSlot, i).failed > 0;
  fr_views_begin (views, FR_VIEW_PLOT, "Requests over time");
  fr_views_axes (views, "seconds", "requests a second", FALSE);
  add_rate_series (s, views, "due", SLOT_DUE);
  add_rate_series (s, views, "answered", SLOT_OK);
  if (failed)
    add_rate_series (s, views, "failed", SLOT_FAILED);
  fr_views_begin (views, FR_VIEW_PLOT, "Tokens over time");
  fr_views_axes (views, "seconds", "tokens a second", FALSE);
  add_rate_series (s, views, "tokens", SLOT_TOKENS);
  fr_views_note (views, "Counted when an answer ends.");
}

/* ---- distributions --------------------------------------------------------------------------- */

static void
add_distribution (FrViews *views, const char *name, const Histogram *times)
{
  if (histogram_n (times) == 0)
    return;
  fr_views_begin_series (views, name, FALSE);
  fr_views_add_point (views, (double) histogram_min (times) / 1000, 0);
  for (guint i = 1; i <= 200; i++)
    fr_views_add_point (views, ms_at (times, i / 2.), i / 2.);
}

static void
add_distribution_plot (FrViews *views, const LoadFigures *f)
{
  fr_views_begin (views, FR_VIEW_PLOT, "How many were how fast");
  fr_views_axes (views, "ms", "% of requests", FALSE);
  add_distribution (views, "whole answer", f->latency);
  add_distribution (views, "first token", f->first);
}

typedef struct
{
  double width;
  guint64 bars[BARS];
  guint64 beyond;
} Bars;

static void
put_in_bar (gint64 from, gint64 to, guint64 n, gpointer data)
{
  Bars *b = data;
  double at = ((double) from + (double) (to - 1)) / 2 / 1000 / b->width;

  if (at < BARS)
    b->bars[(guint) at] += n;
  else
    b->beyond += n;
}

static void
add_histogram (FrViews *views, const LoadFigures *f)
{
  double top = ms_at (f->latency, TOP);
  Bars b = { .width = MAX (top, 0.001) * 1.0001 / BARS };

  if (histogram_n (f->latency) == 0)
    return;
  histogram_each (f->latency, put_in_bar, &b);
  fr_views_begin (views, FR_VIEW_HISTOGRAM, "Latencies");
  fr_views_axes (views, "ms", NULL, FALSE);
  for (guint i = 0; i < BARS; i++)
    fr_views_add_bin (views, i * b.width, (i + 1) * b.width, b.bars[i]);
  if (b.beyond > 0)
    fr_views_note (views, fr_views_printf (views,
                                           "%" G_GUINT64_FORMAT
                                           " requests took longer than shown here, up to %.0f ms.",
                                           b.beyond, (double) histogram_max (f->latency) / 1000));
}

static void
add_percentiles (FrViews *views, const LoadFigures *f)
{
  static const double percents[] = { 0, 50, 75, 90, 95, 99, 99.9, 100 };
  const struct
  {
    const char *name;
    const Histogram *times;
  } rows[] = { { "latency", f->latency },
               { "first token", f->first },
               { "per token", f->per_token },
               { "lag of sending", f->lag } };

  fr_views_begin (views, FR_VIEW_TABLE, "Percentiles (ms)");
  fr_views_add_column (views, "time", FR_VIEW_TEXT);
  for (guint i = 0; i < G_N_ELEMENTS (percents); i++)
    {
      g_autofree char *name = percentile_name (percents[i]);

      fr_views_add_column (views,
                           percents[i] == 0     ? "least"
                           : percents[i] == 100 ? "greatest"
                                                : name,
                           FR_VIEW_NUMBER);
    }
  for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
    {
      if (histogram_n (rows[k].times) == 0)
        continue;
      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_word (views, rows[k].name);
      for (guint i = 0; i < G_N_ELEMENTS (percents); i++)
        fr_views_add_number (views, percents[i] == 0 ? (double) histogram_min (rows[k].times) / 1000
                                                     : ms_at (rows[k].times, percents[i]));
    }
  fr_views_note (views,
                 "Counted from when a request was due. Nearest ranks: exact below 2 ms, else "
                 "at most 0.1 % too great.");
}

static void
add_failures (FrViews *views, const LoadFigures *f)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (f->kinds), (GCompareFunc) strcmp);

  if (names == NULL)
    return;
  fr_views_begin (views, FR_VIEW_TABLE, "Failures");
  fr_views_add_column (views, "kind", FR_VIEW_TEXT);
  fr_views_add_column (views, "requests", FR_VIEW_BAR);
  fr_views_add_column (views, "the first one", FR_VIEW_TEXT);
  for (GList *l = names; l != NULL; l = l->next)
    {
      const LoadKind *kind = g_hash_table_lookup (f->kinds, l->data);

      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_cell (views, l->data);
      fr_views_add_number (views, (double) kind->n);
      fr_views_add_cell (views, kind->what);
    }
}

static JsonNode *
make_views (State *s)
{
  g_autoptr (FrViews) views = fr_views_new ();
  const LoadFigures *f = &shown_step (s)->figures;

  fr_views_translate (views, "zh", chinese);
  load_timeline_fold (&s->timeline, FOLDED);
  add_figures (s, views);
  if (s->config->rates != NULL)
    {
      add_steps (s, views);
      add_rates_plot (s, views);
    }
  add_latency_plot (s, views);
  add_distribution_plot (views, f);
  add_histogram (views, f);
  add_throughput_plots (s, views);
  add_percentiles (views, f);
  for (guint i = 0; i < s->steps->len; i++)
    add_failures (views, &step_at (s, i)->figures);
  return fr_views_to_json (views);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void
tell_metrics (State *s)
{
  for (guint i = 0; i < s->steps->len; i++)
    {
      const LoadFigures *f = &step_at (s, i)->figures;

      fr_host_metric (s->host, "qps", load_figures_qps (f));
      fr_host_metric (s->host, "latency_p95_ms", ms_at (f->latency, 95));
      fr_host_metric (s->host, "errors", load_figures_errors (f));
      fr_host_count (s->host, "requests", (gint64) f->n);
      fr_host_count (s->host, "failed", (gint64) (f->n - f->n_ok));
    }
}

FrFlow
load_tell (State *s, GError **error)
{
  JsonNode *report = make_report (s);

  tell_metrics (s);
  for (guint i = 0; i < s->steps->len; i++)
    {
      warn_step (s, step_at (s, i));
      warn_failures (s, step_at (s, i));
    }
  hold (s);
  fr_host_report (s->host, "load", json_node_copy (report));
  fr_host_report (s->host, "views", make_views (s));
  return fr_host_push_object (s->host, "report", fr_report_new (report), error);
}
