/* SPDX-License-Identifier: Apache-2.0 */
/* views.c: a training as people look at it, in report.html (flowrun/view.h). */
#include "config.h"

#include <math.h>

#include "tune.h"

/* Fewer points are as easily seen without. */
#define SMOOTHED 40

static const FrViewWord chinese[] = {
  { "Training", "训练" },
  { "validation loss", "验证损失" },
  { "validation perplexity", "验证困惑度" },
  { "before training: %.4f", "训练前：%.4f" },
  { "before training: %.3f", "训练前：%.3f" },
  { "training loss", "训练损失" },
  { "at first: %.4f", "起初：%.4f" },
  { "steps", "步数" },
  { "of %" G_GUINT64_FORMAT, "共 %" G_GUINT64_FORMAT " 步" },
  { "of %" G_GUINT64_FORMAT ", stopped early", "共 %" G_GUINT64_FORMAT " 步，提前停止" },
  { "tokens/s", "词元/秒" },
  { "time in steps", "训练步用时" },
  { "parameters trained", "训练的参数" },
  { "of %.1f million", "共 %.1f 百万" },
  { "Loss", "损失" },
  { "step", "步" },
  { "loss (nats per label)", "损失（奈特/标签）" },
  { "training, smoothed", "训练（平滑）" },
  { "validation", "验证" },
  { "training", "训练" },
  { "Training loss is that of the rows of each step; validation rows are never learned from.",
    "训练损失取自每一步的行；验证行从不用于学习。" },
  { "Learning rate", "学习率" },
  { "Gradient norm", "梯度范数" },
  { "norm before clipping", "裁剪前的范数" },
  { "Speed", "速度" },
  { "tokens per second", "词元/秒" },
  { "Forecast and measured", "预测与实测" },
  { "forecast", "预测" },
  { "measured", "实测" },
  { "measured / forecast", "实测/预测" },
  { "not known", "未知" },
  { "memory of the process", "进程内存" },
  { "of it in the backend", "其中计算后端" },
  { "tokens", "词元" },
  { "Data", "数据" },
  { "input", "输入" },
  { "train", "训练" },
  { "rows", "行数" },
  { "rejected", "被拒绝" },
  { "cut to length", "截短" },
  { "samples", "样本" },
  { "learned from", "学习的词元" },
  { "longest", "最长" },
  { "Learned from: tokens of the parts that count; longest: the tokens of the longest sample.",
    "学习的词元：计入损失的部分；最长：最长样本的词元数。" },
  { NULL, NULL },
};

/* ---- curves ------------------------------------------------------------------------- */

/* The mean of as many points before as after, a fortieth of all to each side:
 * unlike a decaying mean it does not lag behind. */
static double
smoothed_loss (const Loop *loop, guint at)
{
  guint n = loop->logged->len, reach = MIN (MAX (n / 40, 2), MIN (at, n - 1 - at));
  double sum = 0;

  for (guint i = at - reach; i <= at + reach; i++)
    sum += g_array_index (loop->logged, Logged, i).loss;
  return sum / (2 * reach + 1);
}

static void
view_loss (FrViews *v, const Loop *loop)
{
  guint n = loop->logged->len, n_valid = loop->evaluations->len;

  fr_views_begin (v, FR_VIEW_PLOT, "Loss");
  fr_views_axes (v, "step", "loss (nats per label)", FALSE);
  if (n >= SMOOTHED)
    {
      fr_views_begin_series (v, "training, smoothed", FALSE);
      for (guint i = 0; i < n; i++)
        fr_views_add_point (v, (double) g_array_index (loop->logged, Logged, i).step,
                            smoothed_loss (loop, i));
    }
  if (n_valid > 0)
    {
      fr_views_begin_series (v, "validation", TRUE);
      for (guint i = 0; i < n_valid; i++)
        {
          const Evaluation *e = &g_array_index (loop->evaluations, Evaluation, i);

          fr_views_add_point (v, (double) e->step, e->loss);
        }
    }
  fr_views_begin_series (v, "training", FALSE);
  for (guint i = 0; i < n; i++)
    {
      const Logged *l = &g_array_index (loop->logged, Logged, i);

      fr_views_add_point (v, (double) l->step, l->loss);
    }
  fr_views_note (v, "Training loss is that of the rows of each step; validation rows are never "
                    "learned from.");
}

typedef double (*Value) (const Logged *l);

static double
lr_of (const Logged *l)
{
  return l->lr;
}

static double
norm_of (const Logged *l)
{
  return l->grad_norm;
}

static double
rate_of (const Logged *l)
{
  return l->tokens_per_second;
}

static void
view_curve (FrViews *v, const Loop *loop, const char *title, const char *label, gboolean log_y,
            Value value)
{
  fr_views_begin (v, FR_VIEW_PLOT, title);
  fr_views_axes (v, "step", label, log_y);
  fr_views_begin_series (v, title, FALSE);
  for (guint i = 0; i < loop->logged->len; i++)
    {
      const Logged *l = &g_array_index (loop->logged, Logged, i);

      fr_views_add_point (v, (double) l->step, value (l));
    }
}

/* ---- figures --------------------------------------------------------------------------- */

static void
view_result (FrViews *v, const Tune *t, const Loop *loop)
{
  guint n = loop->logged->len, n_valid = loop->evaluations->len;
  g_autoptr (GString) text = g_string_new (NULL);
  const char *steps = fr_views_printf (
      v, loop->stopped_early ? "of %" G_GUINT64_FORMAT ", stopped early" : "of %" G_GUINT64_FORMAT,
      t->total_steps);

  fr_views_begin (v, FR_VIEW_FIGURES, "Training");
  if (n_valid > 0)
    {
      double before = g_array_index (loop->evaluations, Evaluation, 0).loss;
      double after = loop->has_best && t->config->load_best
                         ? loop->best_loss
                         : g_array_index (loop->evaluations, Evaluation, n_valid - 1).loss;

      fr_views_add_figure (v, "validation loss", after,
                           fr_views_printf (v, "before training: %.4f", before));
      fr_views_add_figure (v, "validation perplexity", exp (after),
                           fr_views_printf (v, "before training: %.3f", exp (before)));
    }
  if (n > 0)
    fr_views_add_figure (
        v, "training loss", g_array_index (loop->logged, Logged, n - 1).loss,
        fr_views_printf (v, "at first: %.4f", g_array_index (loop->logged, Logged, 0).loss));
  fr_views_add_figure (v, "steps", (double) loop->step, steps);
  fr_views_add_figure (v, "tokens/s", round ((double) loop->rows / MAX (loop->seconds, 1e-6)),
                       t->backend);
  tune_append_time (text, loop->seconds);
  fr_views_add_figure_text (v, "time in steps", text->str, NULL);
  fr_views_add_figure (
      v, "parameters trained", (double) t->forecast.n_trained,
      fr_views_printf (v, "of %.1f million", (double) t->forecast.n_parameters / 1e6));
}

/* ---- forecast and measured --------------------------------------------------------------- */

static void
add_beside (FrViews *v, const char *name, const char *forecast, const char *measured, double ratio)
{
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_word (v, name);
  fr_views_add_word (v, forecast);
  fr_views_add_cell (v, measured);
  fr_views_add_number (v, round (ratio * 100) / 100);
}

static void
add_bytes (FrViews *v, const char *name, gsize forecast, gsize measured)
{
  g_autoptr (GString) a = g_string_new (NULL), b = g_string_new (NULL);

  tune_append_bytes (a, forecast);
  tune_append_bytes (b, measured);
  add_beside (v, name, a->str, b->str, (double) measured / (double) MAX (forecast, 1));
}

static void
view_forecast (FrViews *v, Tune *t, const Loop *loop)
{
  g_autoptr (GString) a = g_string_new (NULL), b = g_string_new (NULL);
  double forecast = t->forecast.step_seconds;

  fr_views_begin (v, FR_VIEW_TABLE, "Forecast and measured");
  fr_views_add_column (v, "", FR_VIEW_TEXT);
  fr_views_add_column (v, "forecast", FR_VIEW_NUMBER);
  fr_views_add_column (v, "measured", FR_VIEW_NUMBER);
  fr_views_add_column (v, "measured / forecast", FR_VIEW_NUMBER);
  if (forecast > 0)
    tune_append_time (a, forecast);
  else
    g_string_append (a, "not known");
  tune_append_time (b, loop->seconds);
  add_beside (v, "time in steps", a->str, b->str, forecast > 0 ? loop->seconds / forecast : NAN);
  add_bytes (v, "memory of the process", t->forecast.resident, tune_measured_resident (loop));
  add_bytes (v, "of it in the backend", t->forecast.decoder_bytes + t->forecast.optimiser_bytes,
             t->compute->peak_bytes);
  g_string_printf (a, "%" G_GUINT64_FORMAT, t->forecast.rows);
  g_string_printf (b, "%" G_GUINT64_FORMAT, loop->rows);
  add_beside (v, "tokens", a->str, b->str,
              (double) loop->rows / (double) MAX (t->forecast.rows, 1));
}

/* ---- data ------------------------------------------------------------------------------------ */

static void
add_part (FrViews *v, const Part *p)
{
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_word (v, p->port);
  fr_views_add_number (v, (double) p->n_rows);
  fr_views_add_number (v, (double) p->n_rejected);
  fr_views_add_number (v, (double) p->n_cut);
  fr_views_add_number (v, (double) lm_dataset_n (p->data));
  fr_views_add_number (v, (double) lm_dataset_n_tokens (p->data));
  fr_views_add_number (v, (double) lm_dataset_n_labels (p->data));
  fr_views_add_number (v, (double) lm_dataset_longest (p->data));
}

static void
view_data (FrViews *v, const Tune *t)
{
  static const char *const numbers[]
      = { "rows", "rejected", "cut to length", "samples", "tokens", "learned from", "longest" };

  fr_views_begin (v, FR_VIEW_TABLE, "Data");
  fr_views_add_column (v, "input", FR_VIEW_TEXT);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    fr_views_add_column (v, numbers[i], FR_VIEW_NUMBER);
  add_part (v, &t->train);
  if (t->has_validation)
    add_part (v, &t->validation);
  fr_views_note (v, "Learned from: tokens of the parts that count; longest: the tokens of the "
                    "longest sample.");
}

JsonNode *
tune_views (Tune *t, const Loop *loop)
{
  g_autoptr (FrViews) v = fr_views_new ();

  fr_views_translate (v, "zh", chinese);
  view_result (v, t, loop);
  if (loop->logged->len > 0)
    {
      view_loss (v, loop);
      view_curve (v, loop, "Learning rate", "", FALSE, lr_of);
      view_curve (v, loop, "Gradient norm", "norm before clipping", TRUE, norm_of);
      view_curve (v, loop, "Speed", "tokens per second", FALSE, rate_of);
    }
  view_forecast (v, t, loop);
  view_data (v, t);
  return fr_views_to_json (v);
}
