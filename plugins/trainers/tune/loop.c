/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c: steps, evaluations, and the watchdog over both.
 *
 * A step's loss is the mean over all labels of the step, however it is cut
 * into micro-batches: the gradient of each is scaled by 1 / labels of the
 * step.  The optimiser is AdamW with decoupled decay (Loshchilov and Hutter,
 * 2019) after clipping by the global norm (Pascanu et al., 2013).
 *
 * Everything that decides what is computed is in the Loop, and so in a
 * checkpoint; time and memory are only told.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tune.h"

/* So many steps make the mean that the watchdog looks at. */
#define RECENT 10
#define N_NAMED 8
#define DROPOUT_SALT G_GUINT64_CONSTANT (0x64726f706f757421)

/* ---- life ------------------------------------------------------------------------------- */

void
loop_init (Loop *loop)
{
  memset (loop, 0, sizeof *loop);
  loop->recent = g_array_new (FALSE, FALSE, sizeof (double));
  loop->evaluations = g_array_new (FALSE, FALSE, sizeof (Evaluation));
  loop->logged = g_array_new (FALSE, FALSE, sizeof (Logged));
  loop->order = g_array_new (FALSE, FALSE, sizeof (guint32));
  loop->epoch = G_MAXUINT64;
  loop->low = loop->best_loss = G_MAXDOUBLE;
  lm_pack_init (&loop->pack);
  lm_micro_init (&loop->micro);
}

static gsize
param_bytes (const LmParam *p)
{
  return p->rows * p->cols * sizeof (float);
}

void
loop_clear (Tune *t, Loop *loop)
{
  for (gsize i = 0; loop->decoder != NULL && i < lm_decoder_n_params (loop->decoder); i++)
    {
      gsize bytes = param_bytes (lm_decoder_param (loop->decoder, i));

      if (loop->m != NULL && loop->m[i] != NULL)
        lm_compute_release (t->compute, loop->m[i], bytes);
      if (loop->v != NULL && loop->v[i] != NULL)
        lm_compute_release (t->compute, loop->v[i], bytes);
    }
  g_clear_pointer (&loop->decoder, lm_decoder_free);
  g_clear_pointer (&loop->m, g_free);
  g_clear_pointer (&loop->v, g_free);
  g_clear_pointer (&loop->recent, g_array_unref);
  g_clear_pointer (&loop->evaluations, g_array_unref);
  g_clear_pointer (&loop->logged, g_array_unref);
  g_clear_pointer (&loop->order, g_array_unref);
  lm_pack_clear (&loop->pack);
  lm_micro_clear (&loop->micro);
}

static gsize
status_bytes (const char *text, const char *key)
{
  const char *line = text != NULL ? strstr (text, key) : NULL;

  return line != NULL ? (gsize) g_ascii_strtoull (line + strlen (key), NULL, 10) * 1024 : 0;
}

void
loop_resident (gsize *now, gsize *most)
{
  g_autofree char *text = NULL;

  g_file_get_contents ("/proc/self/status", &text, NULL, NULL);
  *now = status_bytes (text, "VmRSS:");
  *most = status_bytes (text, "VmHWM:");
}

static gboolean
make_moments (Tune *t, Loop *loop, GError **error)
{
  gsize n = lm_decoder_n_params (loop->decoder);

  loop->m = g_new0 (gpointer, n);
  loop->v = g_new0 (gpointer, n);
  for (gsize i = 0; i < n; i++)
    {
      gsize bytes = param_bytes (lm_decoder_param (loop->decoder, i));

      loop->m[i] = lm_compute_alloc (t->compute, bytes, error);
      loop->v[i] = loop->m[i] != NULL ? lm_compute_alloc (t->compute, bytes, error) : NULL;
      if (loop->v[i] == NULL)
        return FALSE;
      t->compute->klass->zero (t->compute, loop->m[i], bytes);
      t->compute->klass->zero (t->compute, loop->v[i], bytes);
    }
  return TRUE;
}

/* An adapter that is not hooked in trains without a word and changes nothing: what has gradients
 * must be what was planned. */
static gboolean
check_params (Tune *t, Loop *loop, GError **error)
{
  guint64 n = lm_decoder_n_params (loop->decoder), numbers = 0;

  for (gsize i = 0; i < n; i++)
    numbers += param_bytes (lm_decoder_param (loop->decoder, i)) / sizeof (float);
  if (n == t->forecast.n_tensors && numbers == t->forecast.n_trained)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
               "the decoder trains %" G_GUINT64_FORMAT " tensors of %" G_GUINT64_FORMAT
               " numbers, planned were %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
               n, numbers, t->forecast.n_tensors, t->forecast.n_trained);
  return FALSE;
}

/* ---- the watchdog ------------------------------------------------------------------------ */

static void
append_losses (const Loop *loop, GString *out)
{
  for (guint i = 0; i < loop->recent->len; i++)
    g_string_append_printf (out, "%s%.4g", i > 0 ? ", " : "",
                            g_array_index (loop->recent, double, i));
}

/* Which rows were in the step: the first few in the message, all of them in the detail. */
static void
append_rows (Tune *t, const guint32 *samples, gsize n, GString *out)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *name = tune_row_name (t, lm_dataset_sample (t->train.data, samples[i])->id);

      g_string_append_printf (out, "%s%s", i > 0 ? ", " : "", name);
    }
}

static void
report_stop (Tune *t, const Loop *loop, const char *what, double loss, double lr, double norm,
             const char *rows, const char *advice)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *json = json_object_new ();
  JsonArray *losses = json_array_new ();

  for (guint i = 0; i < loop->recent->len; i++)
    json_array_add_double_element (losses, g_array_index (loop->recent, double, i));
  json_object_set_string_member (json, "why", what);
  json_object_set_int_member (json, "step", (gint64) loop->step + 1);
  if (isfinite (loss))
    json_object_set_double_member (json, "loss", loss);
  json_object_set_array_member (json, "losses_before", losses);
  json_object_set_double_member (json, "lr", lr);
  if (isfinite (norm))
    json_object_set_double_member (json, "grad_norm", norm);
  json_object_set_string_member (json, "rows", rows);
  json_object_set_string_member (json, "advice", advice);
  json_node_take_object (node, json);
  fr_host_report (t->host, "stopped", node);
}

static gboolean
stop (Tune *t, const Loop *loop, const guint32 *samples, gsize n, const char *what, double loss,
      double lr, double norm, GError **error)
{
  static const char advice[] = "lower lr, or lengthen warmup; look at these rows; with bf16, try "
                               "type f32";
  g_autoptr (GString) losses = g_string_new (NULL), rows = g_string_new (NULL),
                      few = g_string_new (NULL);

  append_losses (loop, losses);
  append_rows (t, samples, n, rows);
  append_rows (t, samples, MIN (n, N_NAMED), few);
  report_stop (t, loop, what, loss, lr, norm, rows->str, advice);
  g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
               "step %" G_GUINT64_FORMAT
               ": %s: loss %g, gradient norm %g, learning rate %g, losses "
               "before: %s; the step learned from %s%s: %s\nall rows of the step: %s",
               loop->step + 1, what, loss, norm, lr, losses->len > 0 ? losses->str : "none",
               few->str, n > N_NAMED ? " and others" : "", advice, rows->str);
  return FALSE;
}

/* Takes a step's loss into the mean of the last ones; FALSE when that has run away. */
static gboolean
watch (Tune *t, Loop *loop, double loss)
{
  double mean = 0;

  if (loop->recent->len == RECENT)
    g_array_remove_index (loop->recent, 0);
  g_array_append_val (loop->recent, loss);
  if (loop->recent->len < RECENT)
    return TRUE;
  for (guint i = 0; i < RECENT; i++)
    mean += g_array_index (loop->recent, double, i) / RECENT;
  if (loop->low == G_MAXDOUBLE)
    loop->first = mean;
  loop->low = MIN (loop->low, mean);
  return t->config->diverge <= 0 || mean <= loop->first || mean <= t->config->diverge * loop->low;
}

/* ---- evaluation ---------------------------------------------------------------------------- */

typedef struct
{
  Tune *t;
  const Loop *loop;
} Evaluating;

static gboolean
go_on_evaluating (gpointer data, gsize n_done)
{
  Evaluating *e = data;

  fr_host_status (e->t->host,
                  "step %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " validation, %" G_GSIZE_FORMAT
                  " of %" G_GSIZE_FORMAT,
                  e->loop->step, e->t->total_steps, n_done, lm_dataset_n (e->t->validation.data));
  return !fr_host_is_cancelled (e->t->host);
}

static void
tell_evaluation (Tune *t, const Evaluation *e)
{
  fr_host_metric (t->host, "validation_loss", e->loss);
  fr_host_metric (t->host, "validation_perplexity", exp (e->loss));
}

static FrFlow
evaluate (Tune *t, Loop *loop, double *mean, GError **error)
{
  Evaluating e = { t, loop };
  LmMeasure how = { .rows = t->eval_rows, .go_on = go_on_evaluating, .data = &e };
  gint64 start = g_get_monotonic_time ();
  gsize labels;
  double sum;

  if (!lm_dataset_measure (t->validation.data, loop->decoder, &how, &sum, &labels, NULL, error))
    return fr_host_is_cancelled (t->host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  loop->eval_seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  *mean = sum / (double) labels;
  if (isfinite (*mean))
    return FR_FLOW_OK;
  g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
               "the validation loss after step %" G_GUINT64_FORMAT " is %g: %s", loop->step, *mean,
               loop->step == 0 ? "the base model itself gives no finite numbers in this type; try "
                                 "type f32, and look at its weights with 'flowrun inspect'"
                               : "lower lr");
  return FR_FLOW_ERROR;
}

/* Notes a measurement; the base model's own is no candidate for the best. */
static gboolean
note_evaluation (Tune *t, Loop *loop, double loss, GError **error)
{
  Evaluation e = { loop->step, loss };
  const Config *c = t->config;

  g_array_append_val (loop->evaluations, e);
  tell_evaluation (t, &e);
  fr_host_info (t->host, "step %" G_GUINT64_FORMAT ": validation loss %.4f, perplexity %.4g",
                loop->step, loss, exp (loss));
  if (loop->step == 0)
    return TRUE;
  if (!loop->has_best || loss < loop->best_loss)
    {
      loop->has_best = TRUE;
      loop->best_loss = loss;
      loop->best_step = loop->step;
      loop->since_best = 0;
      return !c->load_best || state_save_best (t, loop, error);
    }
  loop->since_best++;
  loop->stopped_early = c->early_stopping > 0 && loop->since_best >= (guint64) c->early_stopping;
  return TRUE;
}

static FrFlow
evaluate_and_note (Tune *t, Loop *loop, GError **error)
{
  double loss;
  FrFlow flow = evaluate (t, loop, &loss, error);

  if (flow == FR_FLOW_OK && !note_evaluation (t, loop, loss, error))
    flow = FR_FLOW_ERROR;
  return flow;
}

/* ---- a step -----------------------------------------------------------------------------------
 */

/* The samples of the step to come. */
static const guint32 *
step_samples (Tune *t, Loop *loop, gsize *n)
{
  gsize first, all = lm_dataset_n (t->train.data);
  guint64 epoch = tune_epoch_of (t, loop->step + 1, &first);
  guint32 *order;

  g_array_set_size (loop->order, (guint) all);
  order = (guint32 *) (gpointer) loop->order->data;
  if (epoch != loop->epoch)
    lm_pack_order (t->train.data, t->seed, loop->epoch = epoch, t->step_samples, t->config->shuffle,
                   t->config->group_by_length, order);
  *n = MIN (t->step_samples, all - first);
  return order + first;
}

/* Gradients of all micro-batches; *@loss is the step's mean. */
static FrFlow
accumulate (Tune *t, Loop *loop, const guint32 *samples, gsize n, double *loss, gsize *rows,
            gsize *labels, GError **error)
{
  gboolean drop = !t->full && t->lora->spec.dropout > 0;
  guint64 key = drop ? lm_pack_mix (t->seed ^ DROPOUT_SALT, loop->step) | 1 : 0;
  gsize from = 0, counted;

  *loss = 0;
  *rows = *labels = 0;
  for (gsize i = 0; i < n; i++)
    *labels += lm_dataset_sample (t->train.data, samples[i])->n_labels;
  lm_pack_fill (&loop->pack, t->train.data, samples, n, t->micro_rows, t->config->packing);
  lm_decoder_zero_grad (loop->decoder);
  for (guint m = 0; m < loop->pack.ends->len; m++)
    {
      gsize end = g_array_index (loop->pack.ends, gsize, m);
      double sum;

      if (fr_host_is_cancelled (t->host))
        return FR_FLOW_CANCELLED;
      lm_micro_fill (&loop->micro, t->train.data,
                     &g_array_index (loop->pack.samples, guint32, from), end - from, key);
      from = end;
      if (!lm_decoder_grad (loop->decoder, &loop->micro.batch, 1 / (double) *labels, &sum, &counted,
                            error))
        return FR_FLOW_ERROR;
      *loss += sum / (double) *labels;
      *rows += loop->micro.batch.n_tokens;
    }
  return FR_FLOW_OK;
}

/* Whether @p has a gradient by now: half B of an adapter is 0 at the start, and so is A's gradient
 * until B has moved. */
static gboolean
must_move (const Tune *t, const Loop *loop, const LmParam *p)
{
  return t->full || loop->step > 0 || g_str_has_suffix (p->name, ".lora_B.weight");
}

static gboolean
check_moving (Tune *t, Loop *loop, const double *squares, GError **error)
{
  g_autoptr (GString) still = g_string_new (NULL);
  guint n = 0;

  /* The first step shows it for B, the second for A. */
  if (loop->step > 1)
    return TRUE;
  for (gsize i = 0; i < lm_decoder_n_params (loop->decoder); i++)
    {
      const LmParam *p = lm_decoder_param (loop->decoder, i);

      if (squares[i] > 0 || !must_move (t, loop, p))
        continue;
      if (n++ < 3)
        g_string_append_printf (still, "%s%s", still->len > 0 ? ", " : "", p->name);
    }
  if (n == 0)
    return TRUE;
  g_set_error (
      error, FR_ERROR, FR_ERROR_COMPUTE,
      "%u of %" G_GSIZE_FORMAT " trained tensors get no gradient in step %" G_GUINT64_FORMAT
      " and would never change: %s%s. Are the samples a token long, or the weights all 0?",
      n, lm_decoder_n_params (loop->decoder), loop->step + 1, still->str, n > 3 ? ", …" : "");
  return FALSE;
}

static double
gradient_norm (Tune *t, Loop *loop, double *squares)
{
  double sum = 0;

  for (gsize i = 0; i < lm_decoder_n_params (loop->decoder); i++)
    {
      const LmParam *p = lm_decoder_param (loop->decoder, i);

      squares[i] = t->compute->klass->sum_squares (t->compute, p->grad, p->rows * p->cols);
      sum += squares[i];
    }
  return sqrt (sum);
}

static void
update (Tune *t, Loop *loop, double lr, double norm)
{
  const Config *c = t->config;
  double clip = c->max_grad_norm > 0 ? MIN (1, c->max_grad_norm / (norm + 1e-6)) : 1;

  for (gsize i = 0; i < lm_decoder_n_params (loop->decoder); i++)
    {
      LmParam *p = lm_decoder_param (loop->decoder, i);
      LmAdam adam = { .lr = (float) lr,
                      .beta1 = (float) c->beta1,
                      .beta2 = (float) c->beta2,
                      .epsilon = (float) c->epsilon,
                      .decay = p->decay ? (float) c->weight_decay : 0,
                      .step = loop->step + 1,
                      .grad_scale = (float) clip };

      t->compute->klass->adamw (t->compute, p->value, p->grad, loop->m[i], loop->v[i],
                                p->rows * p->cols, &adam);
    }
  lm_decoder_params_changed (loop->decoder);
}

/* ---- telling
 * -------------------------------------------------------------------------------------- */

static void
tell_logged (Tune *t, const Logged *l)
{
  fr_host_metric (t->host, "loss", l->loss);
  fr_host_metric (t->host, "lr", l->lr);
  fr_host_metric (t->host, "grad_norm", l->grad_norm);
  fr_host_metric (t->host, "tokens_per_second", l->tokens_per_second);
}

static double
seconds_left (const Tune *t, const Loop *loop)
{
  guint64 left = t->total_steps - loop->step;
  double step = loop->since / (double) MAX (loop->step - loop->from, 1);
  double evaluations = t->eval_every > 0 ? 1 + (double) left / (double) t->eval_every : 0;

  return (double) left * step + evaluations * loop->eval_seconds;
}

static void
tell_step (Tune *t, Loop *loop, double loss, double lr, double norm, gsize rows, double seconds)
{
  guint64 every = (guint64) MAX (t->config->logging_steps, 1);
  g_autoptr (GString) left = g_string_new (NULL);

  fr_host_progress (t->host, loop->step, t->total_steps, "steps");
  tune_append_time (left, seconds_left (t, loop));
  fr_host_status (
      t->host, "step %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " loss %.3g · %.0f tok/s · %s left",
      loop->step, t->total_steps, loss, (double) rows / MAX (seconds, 1e-6), left->str);
  if (loop->step == 1 || loop->step % every == 0 || loop->step == t->total_steps)
    {
      Logged l = { loop->step, loop->loss_sum / (double) loop->label_sum, lr, norm,
                   (double) loop->row_sum / MAX (loop->second_sum, 1e-6) };

      g_array_append_val (loop->logged, l);
      tell_logged (t, &l);
      loop->loss_sum = loop->second_sum = 0;
      loop->label_sum = loop->row_sum = 0;
    }
}

static void
note_step (Loop *loop, double loss, gsize rows, gsize labels, double seconds)
{
  gsize now, most;

  loop->step++;
  loop->rows += rows;
  loop->labels += labels;
  loop->seconds += seconds;
  loop->since += seconds;
  loop->loss_sum += loss * (double) labels;
  loop->label_sum += labels;
  loop->row_sum += rows;
  loop->second_sum += seconds;
  loop_resident (&now, &most);
  loop->resident = MAX (loop->resident, now);
}

static FrFlow
one_step (Tune *t, Loop *loop, GError **error)
{
  gsize n, rows, labels;
  const guint32 *samples = step_samples (t, loop, &n);
  g_autofree double *squares = g_new (double, lm_decoder_n_params (loop->decoder));
  double lr = t->config->lr
              * schedule_factor ((ScheduleKind) t->config->schedule, loop->step + 1,
                                 t->warmup_steps, t->total_steps);
  gint64 start = g_get_monotonic_time ();
  double loss, norm, seconds;
  FrFlow flow = accumulate (t, loop, samples, n, &loss, &rows, &labels, error);

  if (flow != FR_FLOW_OK)
    return flow;
  norm = gradient_norm (t, loop, squares);
  if (!isfinite (loss) || !isfinite (norm))
    {
      stop (t, loop, samples, n, "the numbers are no longer finite", loss, lr, norm, error);
      return FR_FLOW_ERROR;
    }
  if (!watch (t, loop, loss))
    {
      stop (t, loop, samples, n, "the loss runs away", loss, lr, norm, error);
      return FR_FLOW_ERROR;
    }
  if (!check_moving (t, loop, squares, error))
    return FR_FLOW_ERROR;
  update (t, loop, lr, norm);
  if (!t->compute->klass->sync (t->compute, error))
    return FR_FLOW_ERROR;
  seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  note_step (loop, loss, rows, labels, seconds);
  tell_step (t, loop, loss, lr, norm, rows, seconds);
  return FR_FLOW_OK;
}

/* ---- all steps
 * -------------------------------------------------------------------------------------- */

/* What an earlier process of this run told is told again, so that a report has all of it. */
static void
tell_again (Tune *t, const Loop *loop)
{
  guint e = 0;

  for (guint i = 0; i < loop->logged->len; i++)
    {
      const Logged *l = &g_array_index (loop->logged, Logged, i);

      for (; e < loop->evaluations->len
             && g_array_index (loop->evaluations, Evaluation, e).step < l->step;
           e++)
        tell_evaluation (t, &g_array_index (loop->evaluations, Evaluation, e));
      tell_logged (t, l);
    }
  for (; e < loop->evaluations->len; e++)
    tell_evaluation (t, &g_array_index (loop->evaluations, Evaluation, e));
  fr_host_info (t->host, "going on after step %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
                loop->step, t->total_steps);
}

static FrFlow
after_step (Tune *t, Loop *loop, GError **error)
{
  gboolean last = loop->step == t->total_steps;
  FrFlow flow = FR_FLOW_OK;

  if (t->has_validation && (last || loop->step % t->eval_every == 0))
    flow = evaluate_and_note (t, loop, error);
  if (flow != FR_FLOW_OK)
    return flow;
  loop->finished = last || loop->stopped_early;
  if ((loop->finished || loop->step % (guint64) t->config->save_steps == 0)
      && !state_save (t, loop, error))
    return FR_FLOW_ERROR;
  return FR_FLOW_OK;
}

/* Goes on from a checkpoint; one that was written while its evaluation was cancelled makes up for
 * it. */
static FrFlow
go_on (Tune *t, Loop *loop, GError **error)
{
  guint n;

  if (!state_resume (t, loop, error))
    return FR_FLOW_ERROR;
  loop->from = loop->step;
  tell_again (t, loop);
  n = loop->evaluations->len;
  if (!loop->finished && t->has_validation && loop->step % t->eval_every == 0
      && (n == 0 || g_array_index (loop->evaluations, Evaluation, n - 1).step < loop->step))
    return after_step (t, loop, error);
  return FR_FLOW_OK;
}

static FrFlow
begin (Tune *t, Loop *loop, GError **error)
{
  gsize now;

  loop_resident (&now, &loop->peak_before);
  loop->decoder = lm_decoder_new (t->base, t->compute, &t->options, error);
  if (loop->decoder == NULL || !check_params (t, loop, error) || !make_moments (t, loop, error))
    return FR_FLOW_ERROR;
  if (t->resume != NULL)
    return go_on (t, loop, error);
  return t->has_validation ? evaluate_and_note (t, loop, error) : FR_FLOW_OK;
}

/* A cancelled step is dropped: nothing of it has reached the parameters. */
FrFlow
tune_train (Tune *t, Loop *loop, GError **error)
{
  FrFlow flow = begin (t, loop, error);

  while (flow == FR_FLOW_OK && !loop->finished)
    {
      flow = one_step (t, loop, error);
      if (flow == FR_FLOW_OK)
        flow = after_step (t, loop, error);
    }
  if (flow == FR_FLOW_CANCELLED && loop->step > loop->from && !state_save (t, loop, error))
    return FR_FLOW_ERROR;
  if (flow != FR_FLOW_OK)
    return flow;
  if (loop->stopped_early)
    fr_host_info (t->host,
                  "stopped after step %" G_GUINT64_FORMAT ": the validation loss has not "
                  "fallen in %" G_GUINT64_FORMAT " evaluations",
                  loop->step, loop->since_best);
  if (t->config->load_best && loop->has_best && loop->best_step != loop->step
      && !state_load_best (t, loop, error))
    return FR_FLOW_ERROR;
  return FR_FLOW_OK;
}
