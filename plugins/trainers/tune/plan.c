/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c: from parameters, data and machine to settings, and what they will take.
 *
 * Floating-point operations are counted as in Kaplan et al., "Scaling Laws for
 * Neural Language Models" (2020), appendix B, with the parts that frozen
 * weights and unlabelled rows leave out; what a product takes here is measured
 * on one of the model's own matrices.
 */
#include "config.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tune.h"

/* Rows through the decoder at once when memory allows: more gains nothing on a CPU. */
#define MICRO_ROWS 4096
#define LEAST_MICRO_ROWS 512
/* Rows of an evaluation at once, where a step's are fewer. */
#define EVAL_ROWS 512
/* Numbers that operations beside the products touch in a layer, forward: for each row so many times
 * its width, and the feed-forward's; an adapter's for each module; AdamW's for each number trained.
 * Going back takes twice that.  Fitted to two trainings of SmolLM2, by adapters of two and of all
 * seven projections. */
#define BESIDE_HIDDEN 36
#define BESIDE_FFN 9
#define BESIDE_MODULE 9
#define BESIDE_HEAD 9
#define BESIDE_ADAM 7
#define SILU_NUMBERS 3 /* what the measured operation touches for each of its own */
#define CALIBRATION_SECONDS 0.7
#define CALIBRATION_ROWS 1024
/* Beyond so many samples one epoch stands for all. */
#define MOST_SIMULATED 4000000

/* ---- the model ---------------------------------------------------------------------------- */

GArray *
tune_parse_layers (const char *text)
{
  g_auto (GStrv) ranges = NULL;
  GArray *layers;

  if (text == NULL)
    return NULL;
  ranges = g_strsplit (text, ",", -1);
  layers = g_array_new (FALSE, FALSE, sizeof (guint));
  for (char **r = ranges; *r != NULL; r++)
    {
      char *end;
      guint first = (guint) MIN (g_ascii_strtoull (*r, &end, 10), G_MAXINT32);
      guint last
          = *end == '-' ? (guint) MIN (g_ascii_strtoull (end + 1, NULL, 10), G_MAXINT32) : first;

      g_array_append_val (layers, first);
      g_array_append_val (layers, last);
    }
  return layers;
}

LmLoraSpec
tune_spec (const Config *config)
{
  return (LmLoraSpec){ .rank = (guint) config->rank,
                       .alpha = config->alpha,
                       .dropout = config->dropout,
                       .rslora = config->rslora,
                       .targets = g_strdupv (config->targets),
                       .layers = tune_parse_layers (config->layers) };
}

static gboolean
take_adapter (Tune *t, GError **error)
{
  const LmConfig *config = lm_model_config (t->model);
  LmLora *own = lm_model_lora (t->model);
  LmLoraSpec spec;

  if (own != NULL && t->config->init_adapter == NULL)
    {
      fr_host_info (t->host,
                    "'%s' has an adapter, which is trained on; rank, alpha and targets are "
                    "its own",
                    lm_model_name (t->model));
      t->lora = lm_lora_ref (own);
      return TRUE;
    }
  if (t->config->init_adapter != NULL)
    {
      t->lora = lm_lora_load (t->config->init_adapter, config, error);
      if (t->lora != NULL)
        t->lora->spec.dropout = t->config->dropout;
      return t->lora != NULL;
    }
  spec = tune_spec (t->config);
  t->lora = lm_lora_plan (config, &spec, error);
  lm_lora_spec_clear (&spec);
  if (t->lora != NULL)
    lm_lora_init (t->lora, t->seed);
  return t->lora != NULL;
}

gboolean
tune_take_model (Tune *t, GError **error)
{
  FrObject *object = NULL;

  if (fr_host_next_object (t->host, "model", &object, error) != FR_FLOW_OK)
    return FALSE;
  t->model = (LmModel *) object;
  t->base = lm_model_lora (t->model) != NULL ? lm_model_base (t->model) : t->model;
  fr_object_ref (t->base);
  if (t->full && t->base != t->model)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'%s' has an adapter: merge it with sink.safetensors (what: merged) before all "
                   "weights are trained",
                   lm_model_name (t->model));
      return FALSE;
    }
  t->max_length = MIN ((gsize) t->config->max_length, lm_model_config (t->model)->max_position);
  t->chat = lm_chat_new (t->model, error);
  return t->chat != NULL && (t->full || take_adapter (t, error));
}

/* ---- the machine ---------------------------------------------------------------------------- */

/* Memory that could be had now. */
static gsize
available_memory (void)
{
  g_autofree char *text = NULL;
  const char *line;
  long pages = sysconf (_SC_PHYS_PAGES), page = sysconf (_SC_PAGESIZE);

  if (g_file_get_contents ("/proc/meminfo", &text, NULL, NULL)
      && (line = strstr (text, "MemAvailable:")) != NULL)
    return (gsize) g_ascii_strtoull (line + strlen ("MemAvailable:"), NULL, 10) * 1024;
  return pages > 0 && page > 0 ? (gsize) pages * (gsize) page / 2 : (gsize) 4 << 30;
}

static gboolean
open_backend (Tune *t, GError **error)
{
  if (t->threads == 0)
    t->threads = t->config->threads > 0 ? (guint) t->config->threads : g_get_num_processors ();
  t->compute = lm_compute_open (t->host, t->config->backend, t->threads, error);
  if (t->compute == NULL)
    return FALSE;
  t->backend = t->compute->klass->describe (t->compute);
  return TRUE;
}

/* ---- memory -----------------------------------------------------------------------------------
 */

static gsize
trained_bytes (const Tune *t)
{
  return (gsize) t->forecast.n_trained * sizeof (float);
}

/* What the decoder and the optimiser take with micro-batches of @rows rows. */
static gsize
training_bytes (const Tune *t, gsize rows, gboolean recompute)
{
  LmDecoderOptions options = t->options;

  options.recompute = recompute;
  return lm_decoder_bytes (lm_model_config (t->model), &options, rows, rows, NULL)
         + 2 * trained_bytes (t);
}

/* The largest micro-batch that fits, without recomputing where that is possible at all. */
static void
choose_micro (Tune *t, gsize budget)
{
  const Config *c = t->config;
  gsize longest = MAX (lm_dataset_longest (t->train.data),
                       t->has_validation ? lm_dataset_longest (t->validation.data) : 0)
                  - 1;
  gsize want = c->micro_tokens > 0 ? (gsize) c->micro_tokens : MICRO_ROWS;
  gsize least = c->micro_tokens > 0 ? want : LEAST_MICRO_ROWS;

  for (int recompute = c->recompute == CHOICE_YES; recompute <= (c->recompute != CHOICE_NO);
       recompute++)
    for (gsize rows = want; rows >= least; rows /= 2)
      {
        t->micro_rows = MAX (rows, longest);
        t->options.recompute = recompute;
        if (training_bytes (t, t->micro_rows, recompute) <= budget)
          return;
      }
  tune_warn (t, "this will take more memory than there is: a smaller max_length, rank or model "
                "would help");
}

/* ---- steps --------------------------------------------------------------------------------------
 */

guint64
tune_epoch_of (const Tune *t, guint64 step, gsize *first)
{
  *first = (gsize) ((step - 1) % t->epoch_steps) * t->step_samples;
  return (step - 1) / t->epoch_steps;
}

static void
count_steps (Tune *t)
{
  const Config *c = t->config;
  gsize n = lm_dataset_n (t->train.data);

  t->step_samples = (gsize) c->batch * (gsize) c->accumulate;
  t->epoch_steps = (n + t->step_samples - 1) / t->step_samples;
  t->total_steps = c->max_steps > 0 ? (guint64) c->max_steps
                                    : (guint64) ceil (c->epochs * (double) t->epoch_steps);
  t->total_steps = MAX (t->total_steps, 1);
  t->warmup_steps = schedule_warmup (c->warmup, t->total_steps);
  t->eval_every = !t->has_validation  ? 0
                  : c->eval_steps > 0 ? (guint64) c->eval_steps
                                      : t->epoch_steps;
}

static void
note_micro (Forecast *f, const Tune *t, const LmPack *p)
{
  gsize from = 0;

  for (guint m = 0; m < p->ends->len; m++)
    {
      gsize rows = 0, labels = 0, end = g_array_index (p->ends, gsize, m);

      for (gsize i = from; i < end; i++)
        {
          const LmDatasetSample *s
              = lm_dataset_sample (t->train.data, g_array_index (p->samples, guint32, i));

          rows += s->n - 1;
          labels += s->n_labels;
        }
      from = end;
      f->rows += rows;
      f->labels += labels;
      f->micro_rows = MAX (f->micro_rows, rows);
      f->micro_labels = MAX (f->micro_labels, labels);
    }
}

/* Goes through all steps as the training will, and counts. */
static void
simulate (Tune *t)
{
  Forecast *f = &t->forecast;
  gsize n = lm_dataset_n (t->train.data);
  g_autofree guint32 *order = g_new (guint32, n);
  guint64 steps = MIN (t->total_steps, MAX (t->epoch_steps, MOST_SIMULATED / t->step_samples));
  guint64 at = G_MAXUINT64;
  LmPack p;

  lm_pack_init (&p);
  for (guint64 step = 1; step <= steps; step++)
    {
      gsize first;
      guint64 epoch = tune_epoch_of (t, step, &first);

      if (epoch != at)
        lm_pack_order (t->train.data, t->seed, at = epoch, t->step_samples, t->config->shuffle,
                       t->config->group_by_length, order);
      lm_pack_fill (&p, t->train.data, order + first, MIN (t->step_samples, n - first),
                    t->micro_rows, t->config->packing);
      note_micro (f, t, &p);
    }
  lm_pack_clear (&p);
  f->rows = (guint64) ((double) f->rows * (double) t->total_steps / (double) steps);
  f->labels = (guint64) ((double) f->labels * (double) t->total_steps / (double) steps);
}

/* ---- time
 * ------------------------------------------------------------------------------------------ */

/* Two matrices of zeros with @rows rows in the type of activations; give_pair_back() after it, even
 * when it fails. */
static gboolean
take_pair (const Tune *t, LmMat pair[2], gsize rows, gsize cols0, gsize cols1, GError **error)
{
  LmCompute *c = t->compute;

  if (!lm_compute_mat (c, &pair[0], t->options.type, rows, cols0, error)
      || !lm_compute_mat (c, &pair[1], t->options.type, rows, cols1, error))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    c->klass->zero (c, pair[i].data, rows * lm_type_bytes (pair[i].type, pair[i].cols));
  return TRUE;
}

static void
give_pair_back (const Tune *t, LmMat pair[2])
{
  for (guint i = 0; i < 2; i++)
    if (pair[i].data != NULL)
      lm_compute_release_mat (t->compute, &pair[i]);
}

static double
seconds_since (gint64 start)
{
  return (double) MAX (g_get_monotonic_time () - start, 1) / G_USEC_PER_SEC;
}

/* @n products with @weight, forward and back, of @rows rows. */
static gboolean
time_products (Tune *t, LmMat weight, gsize rows, guint n, double *seconds, GError **error)
{
  LmCompute *c = t->compute;
  LmMat xy[2] = { { 0 } };
  gint64 start = 0;
  gboolean ok = take_pair (t, xy, rows, weight.cols, weight.rows, error);

  if (ok)
    {
      c->klass->matmul (c, xy[1], 0, 1, xy[0], FALSE, weight, TRUE); /* the first ones prepare */
      c->klass->matmul (c, xy[0], 0, 1, xy[1], FALSE, weight, FALSE);
      ok = c->klass->sync (c, error);
      start = g_get_monotonic_time ();
      for (guint i = 0; i < n; i++)
        {
          c->klass->matmul (c, xy[1], 0, 1, xy[0], FALSE, weight, TRUE);
          c->klass->matmul (c, xy[0], 0, 1, xy[1], FALSE, weight, FALSE);
        }
      ok = ok && c->klass->sync (c, error);
    }
  *seconds = seconds_since (start);
  give_pair_back (t, xy);
  return ok;
}

/* Operations per second of products with one of the model's own matrices. */
static gboolean
calibrate (Tune *t, double *rate, GError **error)
{
  const LmTensor *w = lm_model_weight (t->base, LM_W_UP, 0);
  LmMat weight = lm_mat ((gpointer) w->data, w->type, (gsize) w->dims[0], (gsize) w->dims[1]);
  gsize imported = 0, most = MIN (t->micro_rows, CALIBRATION_ROWS), rows = MIN (most, 32);
  double seconds = 0, spent = 0;
  gboolean ok = TRUE;

  if (!lm_compute_import (t->compute, &weight, &imported, error))
    return FALSE;
  /* The best of several rounds: others may be at work on this machine. */
  for (guint n = 1; ok && spent < CALIBRATION_SECONDS; spent += seconds)
    {
      double done = 4.0 * n * (double) rows * (double) weight.rows * (double) weight.cols;

      ok = time_products (t, weight, rows, n, &seconds, error);
      *rate = MAX (*rate, done / seconds);
      if (rows == most && seconds < CALIBRATION_SECONDS / 8)
        n *= 2;
      rows = MIN (rows * 4, most);
    }
  if (imported > 0)
    lm_compute_release (t->compute, weight.data, imported);
  return ok;
}

/* Seconds that a number takes where a layer does little with it, measured where it does least. */
static gboolean
calibrate_beside (Tune *t, double *seconds, GError **error)
{
  LmCompute *c = t->compute;
  const gsize rows = MIN (t->micro_rows, CALIBRATION_ROWS),
              cols = lm_model_config (t->base)->intermediate_size;
  LmMat xy[2] = { { 0 } };
  gboolean ok = take_pair (t, xy, rows, cols, cols, error);
  double spent = 0;

  *seconds = HUGE_VAL;
  /* The best of several rounds, the first of which warms up; a slow backend does with it. */
  for (guint i = 0; ok && i < 8 && spent < CALIBRATION_SECONDS; i++)
    {
      const gint64 start = g_get_monotonic_time ();
      double took;

      c->klass->silu (c, xy[0], xy[0], xy[1]);
      ok = c->klass->sync (c, error);
      took = seconds_since (start);
      spent += took;
      *seconds = MIN (*seconds, took / (SILU_NUMBERS * (double) rows * (double) cols));
    }
  give_pair_back (t, xy);
  return ok;
}

/* Numbers in the linear layers of all decoder layers. */
static double
linear_numbers (const LmConfig *config)
{
  static const LmWeightRole roles[]
      = { LM_W_Q, LM_W_K, LM_W_V, LM_W_O, LM_W_GATE, LM_W_UP, LM_W_DOWN };
  double n = 0;
  gsize rows, cols;

  for (gsize i = 0; i < G_N_ELEMENTS (roles); i++)
    if (lm_weight_shape (config, roles[i], &rows, &cols))
      n += (double) rows * (double) cols;
  return n * config->n_layers;
}

/* Operations of a pass over samples of @rows rows and @labels labels; @mean: rows of one sample. */
static double
pass_flops (const Tune *t, double rows, double labels, double mean, gboolean learn)
{
  const LmConfig *c = lm_model_config (t->model);
  double linear = 2 * linear_numbers (c) * rows;
  double head = 2.0 * c->vocab_size * c->hidden_size * labels;
  double attention = 2.0 * c->n_layers * c->n_heads * c->head_dim * rows * mean;
  double forward = linear + attention;

  if (!learn)
    return forward + head;
  /* back: the inputs' gradients, and in full training the weights' */
  return forward * (t->options.recompute ? 2 : 1) + linear * (t->full ? 2 : 1) + 2.5 * attention
         + head * (t->full ? 3 : 2);
}

static double
mean_rows (const LmDataset *d)
{
  gsize n = lm_dataset_n (d);

  return n > 0 ? (double) lm_dataset_n_tokens (d) / (double) n - 1 : 0;
}

/* Numbers that pass beside the products of a pass over samples of @rows rows and @labels labels. */
static double
pass_numbers (const Tune *t, double rows, double labels, gboolean learn)
{
  const LmConfig *c = lm_model_config (t->model);
  double layers
      = c->n_layers
        * (BESIDE_HIDDEN * (double) c->hidden_size + BESIDE_FFN * (double) c->intermediate_size);
  double head = BESIDE_HEAD * (double) c->vocab_size * labels;

  for (guint i = 0; learn && t->lora != NULL && i < t->lora->modules->len; i++)
    {
      const LmLoraModule *m = t->lora->modules->pdata[i];

      layers += BESIDE_MODULE * (double) (m->in + m->out);
    }
  return layers * rows * (!learn ? 1 : t->options.recompute ? 4 : 3) + head * (learn ? 2 : 1);
}

static void
foresee_time (Tune *t)
{
  Forecast *f = &t->forecast;
  const double rows = (double) f->rows, labels = (double) f->labels;
  double flops = pass_flops (t, rows, labels, mean_rows (t->train.data), TRUE);
  double numbers = pass_numbers (t, rows, labels, TRUE)
                   + BESIDE_ADAM * (double) f->n_trained * (double) t->total_steps;

  if (f->flops_rate <= 0)
    return;
  f->step_seconds = f->seconds = flops / f->flops_rate + numbers * f->number_seconds;
  if (t->has_validation)
    {
      const LmDataset *d = t->validation.data;
      const double passes = 2 + (double) ((t->total_steps - 1) / t->eval_every);
      const double seen = (double) (lm_dataset_n_tokens (d) - lm_dataset_n (d));
      const double asked = (double) lm_dataset_n_labels (d);

      f->seconds += passes
                    * (pass_flops (t, seen, asked, mean_rows (d), FALSE) / f->flops_rate
                       + pass_numbers (t, seen, asked, FALSE) * f->number_seconds);
    }
}

/* ---- all of it
 * ---------------------------------------------------------------------------------------- */

static void
count_trained (Tune *t)
{
  const LmConfig *config = lm_model_config (t->model);
  Forecast *f = &t->forecast;
  gsize rows, cols;

  f->n_parameters = lm_model_n_parameters (t->base);
  f->n_trained = t->full ? f->n_parameters : 0;
  for (guint i = 0; !t->full && i < t->lora->modules->len; i++)
    {
      const LmLoraModule *m = t->lora->modules->pdata[i];

      f->n_trained += (guint64) m->rank * (m->in + m->out);
      f->n_tensors += 2;
    }
  for (guint role = 0; t->full && role < LM_N_WEIGHTS; role++)
    if (lm_weight_shape (config, role, &rows, &cols) && !(role == LM_W_HEAD && config->tied))
      f->n_tensors += lm_weights[role].per_layer ? config->n_layers : 1;
  for (gsize i = 0; i < lm_model_n_tensors (t->base); i++)
    f->weight_bytes += lm_model_nth_tensor (t->base, i)->bytes;
}

static void
warn_of_data (Tune *t)
{
  const Part *parts[] = { &t->train, t->has_validation ? &t->validation : NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (parts) && parts[i] != NULL; i++)
    {
      const Part *p = parts[i];

      if (p->n_rejected > 0)
        tune_warn (t, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " rows of '%s' are no samples",
                   p->n_rejected, p->n_rows, p->port);
      if (p->n_cut > 0)
        tune_warn (t,
                   "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                   " samples of '%s' are cut to %" G_GSIZE_FORMAT " tokens%s",
                   p->n_cut, p->n_rows, p->port, t->max_length,
                   t->config->truncate == LM_TRUNCATE_RIGHT
                       ? ", their end tokens too: the model will not learn to stop from them"
                       : "");
    }
  if (lm_dataset_n (t->train.data) < t->step_samples)
    tune_warn (t,
               "there are fewer samples (%" G_GSIZE_FORMAT ") than one step takes (%" G_GSIZE_FORMAT
               ")",
               lm_dataset_n (t->train.data), t->step_samples);
  if (t->warmup_steps >= t->total_steps)
    tune_warn (t,
               "the warm-up, %" G_GUINT64_FORMAT
               " steps, lasts longer than the training, %" G_GUINT64_FORMAT,
               t->warmup_steps, t->total_steps);
}

/* Rows of an evaluation at once: no fewer than the longest sample, no more than there are. */
static gsize
choose_eval_rows (const Tune *t)
{
  const LmDataset *d = t->validation.data;
  gsize all = (gsize) lm_dataset_n_tokens (d) - lm_dataset_n (d);
  gsize want = MIN (t->micro_rows, MAX (t->forecast.micro_rows, EVAL_ROWS));

  return MAX (lm_dataset_longest (d) - 1, MIN (want, all));
}

/* What evaluations take beyond what the decoder holds anyway. */
static gsize
eval_bytes (const Tune *t)
{
  LmDecoderOptions options = t->options;
  gsize labels = MIN (t->eval_rows, (gsize) lm_dataset_n_labels (t->validation.data)), fixed, bytes;

  options.train = LM_TRAIN_NOTHING;
  bytes = lm_decoder_bytes (lm_model_config (t->model), &options, t->eval_rows, labels, &fixed);
  return bytes - fixed;
}

static void
foresee_memory (Tune *t)
{
  Forecast *f = &t->forecast;
  gsize now, most, fixed;

  loop_resident (&now, &most);
  f->base_bytes = now;
  f->decoder_bytes = lm_decoder_bytes (lm_model_config (t->model), &t->options, f->micro_rows,
                                       f->micro_labels, &fixed);
  if (t->has_validation)
    {
      t->eval_rows = choose_eval_rows (t);
      f->decoder_bytes = MAX (f->decoder_bytes, fixed + eval_bytes (t));
    }
  f->optimiser_bytes = 2 * trained_bytes (t);
  f->resident = f->base_bytes + f->decoder_bytes + f->optimiser_bytes + f->weight_bytes;
}

gboolean
tune_resolve (Tune *t, GError **error)
{
  gboolean known = t->resume != NULL; /* the settings are those of the checkpoint */

  if (!open_backend (t, error))
    return FALSE;
  t->options.train = t->full ? LM_TRAIN_FULL : LM_TRAIN_LORA;
  t->options.lora = t->lora;
  if (!known)
    t->options.type = lm_type_choose (t->compute, (LmTypeChoice) t->config->type);
  count_trained (t);
  count_steps (t);
  if (!known)
    choose_micro (t,
                  t->config->memory > 0 ? (gsize) t->config->memory : available_memory () / 4 * 3);
  warn_of_data (t);
  simulate (t);
  foresee_memory (t);
  if (!calibrate (t, &t->forecast.flops_rate, error)
      || !calibrate_beside (t, &t->forecast.number_seconds, error))
    return FALSE;
  foresee_time (t);
  return TRUE;
}

/* ---- for a person
 * ---------------------------------------------------------------------------------------- */

static void fact (JsonArray *facts, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
fact (JsonArray *facts, const char *name, const char *format, ...)
{
  JsonArray *pair = json_array_new ();
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  json_array_add_string_element (pair, name);
  json_array_add_string_element (pair, text);
  json_array_add_array_element (facts, pair);
}

static void
data_facts (const Part *p, JsonArray *facts)
{
  fact (facts, p->port,
        "%" G_GSIZE_FORMAT " samples of %" G_GUINT64_FORMAT " rows (%" G_GUINT64_FORMAT
        " rejected, %" G_GUINT64_FORMAT " cut); %" G_GUINT64_FORMAT " tokens, %" G_GUINT64_FORMAT
        " of them learned; the longest has %u",
        lm_dataset_n (p->data), p->n_rows, p->n_rejected, p->n_cut, lm_dataset_n_tokens (p->data),
        lm_dataset_n_labels (p->data), lm_dataset_longest (p->data));
}

static void
step_facts (Tune *t, JsonArray *facts)
{
  const Config *c = t->config;
  static const char *const kinds[] = { "cosine", "linear", "constant" };

  fact (facts, "max_length", "%" G_GSIZE_FORMAT " tokens%s", t->max_length,
        t->max_length < (gsize) c->max_length ? ", the model's own limit" : "");
  fact (facts, "steps",
        "%" G_GUINT64_FORMAT " of %" G_GSIZE_FORMAT " samples; %" G_GUINT64_FORMAT " make an epoch",
        t->total_steps, t->step_samples, t->epoch_steps);
  fact (facts, "learning rate", "%g, %s, %" G_GUINT64_FORMAT " steps of warm-up", c->lr,
        kinds[c->schedule], t->warmup_steps);
  if (t->has_validation)
    fact (facts, "evaluations",
          "before the first step, every %" G_GUINT64_FORMAT " steps, at the end", t->eval_every);
  fact (facts, "micro-batches",
        "at most %" G_GSIZE_FORMAT " tokens at once, the largest %" G_GSIZE_FORMAT "; %s",
        t->micro_rows, t->forecast.micro_rows,
        t->options.recompute ? "activations are computed again going back"
                             : "activations are kept");
}

static void
machine_facts (Tune *t, JsonArray *facts)
{
  const Forecast *f = &t->forecast;
  GString *memory = g_string_new (NULL);

  fact (facts, "computing", "%s, activations in %s", t->backend, lm_types[t->options.type].name);
  tune_append_bytes (memory, f->resident);
  g_string_append (memory, ": weights as stored ");
  tune_append_bytes (memory, f->weight_bytes);
  g_string_append (memory, ", decoder ");
  tune_append_bytes (memory, f->decoder_bytes);
  g_string_append (memory, ", optimiser ");
  tune_append_bytes (memory, f->optimiser_bytes);
  g_string_append (memory, ", the rest ");
  tune_append_bytes (memory, f->base_bytes);
  fact (facts, "memory", "%s", memory->str);
  g_string_truncate (memory, 0);
  tune_append_time (memory, f->seconds);
  fact (facts, "time",
        "about %s (products run at %.3g GF/s here, what is between them at %.3g G numbers/s)",
        memory->str, f->flops_rate / 1e9, 1e-9 / f->number_seconds);
  g_string_free (memory, TRUE);
}

JsonNode *
tune_forecast_json (Tune *t)
{
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *json = json_object_new ();
  JsonArray *facts = json_array_new (), *warnings = json_array_new ();
  const Forecast *f = &t->forecast;
  g_autofree char *title = g_strdup_printf (
      "%s of %s", t->full ? "full fine-tuning" : "LoRA training", lm_model_name (t->model));

  fact (facts, "trained",
        "%" G_GUINT64_FORMAT " numbers in %" G_GUINT64_FORMAT
        " tensors, %.3g %% of the model's %" G_GUINT64_FORMAT,
        f->n_trained, f->n_tensors, 100.0 * (double) f->n_trained / (double) f->n_parameters,
        f->n_parameters);
  if (!t->full)
    fact (facts, "adapter", "rank %u, alpha %g, dropout %g%s, on %u modules", t->lora->spec.rank,
          t->lora->spec.alpha, t->lora->spec.dropout, t->lora->spec.rslora ? ", rsLoRA" : "",
          t->lora->modules->len);
  data_facts (&t->train, facts);
  if (t->has_validation)
    data_facts (&t->validation, facts);
  step_facts (t, facts);
  machine_facts (t, facts);
  for (guint i = 0; i < t->warnings->len; i++)
    json_array_add_string_element (warnings, t->warnings->pdata[i]);
  json_object_set_string_member (json, "title", title);
  json_object_set_array_member (json, "facts", facts);
  json_object_set_array_member (json, "warnings", warnings);
  json_node_take_object (root, json);
  return root;
}
