/* SPDX-License-Identifier: Apache-2.0 */
/* tune.c: trainer.lora and trainer.full: one loop, two parameter tables. */
#include "config.h"

#include "tune.h"

#include <math.h>
#include <string.h>

/* ---- parameters ------------------------------------------------------------------------ */

static const FrEnumValue *const schedules[]
    = { FR_ENUM ("cosine", SCHEDULE_COSINE, "half a cosine down to 0"),
        FR_ENUM ("linear", SCHEDULE_LINEAR, "a line down to 0"),
        FR_ENUM ("constant", SCHEDULE_CONSTANT, "stays at lr after the warm-up"), NULL };

static const FrEnumValue *const truncates[]
    = { FR_ENUM ("error", LM_TRUNCATE_ERROR, "the run fails and names the longest samples"),
        FR_ENUM ("reject", LM_TRUNCATE_REJECT, "the row goes to rejects"),
        FR_ENUM ("left", LM_TRUNCATE_LEFT, "the beginning of the prompt is cut off"),
        FR_ENUM ("right", LM_TRUNCATE_RIGHT, "the end of the answer is cut off, its end token too"),
        NULL };

static const FrEnumValue *const types[]
    = { FR_ENUM ("auto", LM_TYPE_AUTO, "bf16 where the processor multiplies it itself, else f32"),
        FR_ENUM ("f32", LM_TYPE_F32, "exact and slower"),
        FR_ENUM ("bf16", LM_TYPE_BF16, "activations in bf16; what is trained, and all sums, in f32"),
        NULL };

static const FrEnumValue *const choices[]
    = { FR_ENUM ("auto", CHOICE_AUTO, "only where memory asks for it"),
        FR_ENUM ("yes", CHOICE_YES, "always"), FR_ENUM ("no", CHOICE_NO, "never"), NULL };

/* Rows that both elements have. */
#define LEARNING_ROWS(lr_default)                                                                  \
  FR_PARAM_FLOAT ("lr", Config, lr, 1e-12, 10, "learning rate at its highest", .def = lr_default), \
      FR_PARAM_INT ("batch", Config, batch, 1, 65536, "samples that a step learns from",           \
                    .def = "8", .unit = "samples"),                                                \
      FR_PARAM_INT ("accumulate", Config, accumulate, 1, 65536,                                    \
                    "so many batches make one step; the same as a larger batch", .def = "1"),      \
      FR_PARAM_FLOAT ("epochs", Config, epochs, 1e-6, 1e6, "times that every sample is learned",   \
                      .def = "3"),                                                                 \
      FR_PARAM_INT ("max_steps", Config, max_steps, 0, G_MAXINT32,                                 \
                    "steps in all, whatever epochs says; 0: by epochs", .def = "0",                \
                    .unit = "steps"),                                                              \
      FR_PARAM_ENUM ("schedule", Config, schedule, schedules,                                      \
                     "how the learning rate falls after the warm-up", .def = "cosine"),            \
      FR_PARAM_FLOAT ("warmup", Config, warmup, 0, 1e9,                                            \
                      "steps over which the learning rate rises: a share below 1, or a count",     \
                      .def = "0.03"),                                                              \
      FR_PARAM_FLOAT ("weight_decay", Config, weight_decay, 0, 10,                                 \
                      "share of lr by which matrices shrink each step (AdamW)", .def = "0"),       \
      FR_PARAM_FLOAT ("beta1", Config, beta1, 0, 0.999999, "AdamW: memory of the gradient's mean", \
                      .def = "0.9"),                                                               \
      FR_PARAM_FLOAT ("beta2", Config, beta2, 0, 0.9999999,                                        \
                      "AdamW: memory of the gradient's square", .def = "0.999"),                   \
      FR_PARAM_FLOAT ("epsilon", Config, epsilon, 1e-30, 1, "AdamW: added to the square root",     \
                      .def = "1e-8"),                                                              \
      FR_PARAM_FLOAT ("max_grad_norm", Config, max_grad_norm, 0, 1e9,                              \
                      "a longer gradient is shortened to this norm; 0: never", .def = "1"),        \
      FR_PARAM_FLOAT ("diverge", Config, diverge, 0, 1e9,                                          \
                      "the run stops when the mean loss of ten steps is so many times the "        \
                      "lowest there was, and above the first; 0: never",                           \
                      .def = "3")

#define DATA_ROWS                                                                                  \
  FR_PARAM_INT ("max_length", Config, max_length, 2, G_MAXINT32,                                   \
                "longest sample, prompt and answer together; the model's own limit counts too",    \
                .def = "2048", .unit = "tokens"),                                                  \
      FR_PARAM_ENUM ("truncate", Config, truncate, truncates, "what becomes of longer samples",    \
                     .def = "error"),                                                              \
      FR_PARAM_BOOL ("shuffle", Config, shuffle, "a new random order in every epoch",              \
                     .def = "true"),                                                               \
      FR_PARAM_BOOL ("group_by_length", Config, group_by_length,                                   \
                     "samples of a step have like lengths", .def = "false"),                       \
      FR_PARAM_BOOL ("packing", Config, packing,                                                   \
                     "fill micro-batches by best fit instead of in order; learns the same",        \
                     .def = "true"),                                                               \
      FR_PARAM_INT ("micro_tokens", Config, micro_tokens, 0, G_MAXINT32,                           \
                    "tokens through the decoder at once; 0: chosen from memory", .def = "0",       \
                    .unit = "tokens")

#define RUN_ROWS                                                                                   \
  FR_PARAM_INT ("eval_steps", Config, eval_steps, 0, G_MAXINT32,                                   \
                "validation every so many steps; 0: after every epoch", .def = "0",                \
                .unit = "steps"),                                                                  \
      FR_PARAM_INT ("early_stopping", Config, early_stopping, 0, G_MAXINT32,                       \
                    "stop when so many validations in a row brought nothing; 0: never",            \
                    .def = "0", .unit = "validations"),                                            \
      FR_PARAM_BOOL ("load_best", Config, load_best,                                               \
                     "give the parameters with the lowest validation loss, not the last",          \
                     .def = "true"),                                                               \
      FR_PARAM_INT ("save_steps", Config, save_steps, 1, G_MAXINT32,                               \
                    "a checkpoint every so many steps", .def = "100", .unit = "steps",             \
                    .flags = FR_PARAM_NO_RESULT),                                                  \
      FR_PARAM_INT ("logging_steps", Config, logging_steps, 1, G_MAXINT32,                         \
                    "a point of the curves every so many steps", .def = "50", .unit = "steps"),    \
      FR_PARAM_ENUM ("type", Config, type, types, "type of activations", .def = "auto"),           \
      FR_PARAM_ENUM ("recompute", Config, recompute, choices,                                      \
                     "compute activations again going back instead of keeping them",               \
                     .def = "auto"),                                                               \
      FR_PARAM_STRING ("backend", Config, backend,                                                 \
                       "compute backend ('reference', 'openblas', 'onednn', 'cublas'); none "      \
                       "given: the best here",                                                     \
                       .example = "\"onednn\""),                                                   \
      FR_PARAM_INT ("threads", Config, threads, 0, 1024,                                           \
                    "compute threads; 0: one for every processor", .def = "0"),                    \
      FR_PARAM_SIZE ("memory", Config, memory,                                                     \
                     "what decoder and optimiser may take; 0: three quarters of what is free",     \
                     .def = "0")

static const FrParam *const lora_params[] = {
  FR_PARAM_INT ("rank", Config, rank, 1, 65536, "rank of the adapter's matrices", .def = "16"),
  FR_PARAM_FLOAT ("alpha", Config, alpha, 1e-9, 1e9,
                  "strength: what the adapter adds is multiplied by alpha / rank", .def = "32"),
  FR_PARAM_FLOAT ("dropout", Config, dropout, 0, 0.99,
                  "share of the adapter's input left out in training", .def = "0.1"),
  FR_PARAM_STRINGS ("targets", Config, targets,
                    "linear layers that get an adapter, by the last part of their names; "
                    "'all-linear': all of them but the head",
                    .def = "[\"q_proj\", \"v_proj\"]", .example = "\"all-linear\""),
  FR_PARAM_STRING ("layers", Config, layers, "only these decoder layers; none given: all",
                   .pattern = "[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", .example = "\"0-11,20\""),
  FR_PARAM_BOOL ("rslora", Config, rslora, "multiply by alpha / sqrt (rank) instead (rsLoRA)",
                 .def = "false"),
  FR_PARAM_PATH ("init_adapter", Config, init_adapter,
                 "a PEFT directory to begin with; rank, alpha, targets and layers are then its own",
                 .flags = FR_PARAM_READS),
  LEARNING_ROWS ("5e-5"),
  DATA_ROWS,
  RUN_ROWS,
  NULL
};

static const FrParam *const full_params[] = { LEARNING_ROWS ("3e-5"), DATA_ROWS, RUN_ROWS, NULL };

/* ---- ports --------------------------------------------------------------------------------- */

/* Records come first: a rejected row has the columns of the first input. */
static const FrPort *const inputs[] = {
  FR_PORT ("train", FR_PORT_RECORDS, "records to learn: input and output, or messages"),
  FR_PORT ("validation", FR_PORT_RECORDS, "records to measure with", .flags = FR_PORT_OPTIONAL),
  FR_PORT ("model", FR_PORT_MODEL, "the model to begin with", .object = &lm_model_type), NULL
};

static const FrPort *const outputs[]
    = { FR_PORT ("model", FR_PORT_MODEL, "the trained model", .object = &lm_model_type),
        FR_PORT ("report", FR_PORT_REPORT, "what was measured, with the curves",
                 .flags = FR_PORT_OPTIONAL, .object = &fr_report_type),
        FR_PORT ("tokens", FR_PORT_RECORDS,
                 "for flowrun head: what is read, with what is learned marked",
                 .flags = FR_PORT_FORECAST),
        NULL };

/* ---- configure and bind -----------------------------------------------------------------------
 */

static gboolean
check_whole (double value, const char *pointer, FrProblems *problems)
{
  if (value < 1 || value == floor (value))
    return TRUE;
  fr_problems_add (problems, pointer, "a share is below 1 and a count is whole; %g is neither",
                   value);
  return FALSE;
}

static gboolean
tune_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = check_whole (c->warmup, "/warmup", problems);

  if (c->micro_tokens > 0 && c->micro_tokens < 2)
    {
      fr_problems_add (problems, "/micro_tokens", "at least 2 tokens, or 0");
      ok = FALSE;
    }
  return ok;
}

static gboolean
lora_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = tune_configure (data, problems);
  g_autoptr (GArray) layers = tune_parse_layers (c->layers);

  for (guint i = 0; layers != NULL && i < layers->len; i += 2)
    if (g_array_index (layers, guint, i) > g_array_index (layers, guint, i + 1))
      {
        fr_problems_add (problems, "/layers", "'%s' has a range that ends before it begins",
                         c->layers);
        return FALSE;
      }
  return ok;
}

static gboolean
bind_records (FrBind *bind, const char *port, GError **error)
{
  FrSchema *schema = fr_bind_input (bind, port);
  g_autoptr (GError) local = NULL;
  LmRecord *record;

  if (schema == NULL)
    return TRUE;
  record = lm_record_new (schema, TRUE, &local);
  if (record == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "input '%s': ", port);
      return FALSE;
    }
  lm_record_free (record);
  return TRUE;
}

/* What can be told from the model's shape alone. */
static gboolean
bind_model (const Config *c, FrBind *bind, gboolean full)
{
  const char *pointer = c->init_adapter != NULL ? "/init_adapter" : "/targets";
  LmModel *model = (LmModel *) fr_bind_input_object (bind, "model");
  g_autoptr (GError) local = NULL;
  g_autoptr (LmLora) lora = NULL;
  LmLoraSpec spec;

  if (model == NULL)
    return TRUE;
  if (full)
    return TRUE;
  if (c->init_adapter != NULL)
    lora = lm_lora_load (c->init_adapter, lm_model_config (model), &local);
  else
    {
      spec = tune_spec (c);
      lora = lm_lora_plan (lm_model_config (model), &spec, &local);
      for (guint i = 0; spec.layers != NULL && i < spec.layers->len; i++)
        if (g_array_index (spec.layers, guint, i) >= lm_model_config (model)->n_layers)
          pointer = "/layers";
      lm_lora_spec_clear (&spec);
    }
  if (lora == NULL)
    fr_bind_problem (bind, pointer, "%s", local->message);
  return lora != NULL;
}

static gboolean
tune_bind (const Config *c, FrBind *bind, gboolean full, GError **error)
{
  if (!bind_records (bind, "train", error) || !bind_records (bind, "validation", error)
      || !bind_model (c, bind, full))
    return FALSE;
  if (fr_bind_input (bind, "validation") == NULL && c->early_stopping > 0)
    {
      fr_bind_problem (bind, "/early_stopping", "nothing is connected to 'validation' to stop by");
      return FALSE;
    }
  if (fr_bind_input (bind, "validation") == NULL && c->eval_steps > 0)
    fr_bind_warn (bind, "/eval_steps",
                  "nothing is connected to 'validation', so nothing is measured");
  fr_bind_output_object (bind, "model", fr_bind_input_object (bind, "model"));
  fr_bind_output (bind, "tokens", tune_token_schema ());
  return TRUE;
}

static gboolean
lora_bind (gconstpointer config, FrBind *bind, GError **error)
{
  return tune_bind (config, bind, FALSE, error);
}

static gboolean
full_bind (gconstpointer config, FrBind *bind, GError **error)
{
  return tune_bind (config, bind, TRUE, error);
}

/* ---- one training
 * --------------------------------------------------------------------------------- */

static void
part_init (Part *p, const char *port)
{
  p->port = port;
  p->longest = g_ptr_array_new_with_free_func (g_free);
  p->longest_n = g_array_new (FALSE, FALSE, sizeof (guint32));
}

static void
part_clear (Part *p)
{
  lm_dataset_free (p->data);
  g_ptr_array_unref (p->longest);
  g_array_unref (p->longest_n);
}

Tune *
tune_new (const Config *config, FrHost *host, gboolean full, gboolean forecasting)
{
  Tune *t = g_new0 (Tune, 1);

  t->config = config;
  t->host = host;
  t->full = full;
  t->forecasting = forecasting;
  t->seed = fr_host_seed (host);
  t->has_validation = fr_host_input (host, "validation") != NULL;
  t->warnings = g_ptr_array_new_with_free_func (g_free);
  part_init (&t->train, "train");
  part_init (&t->validation, "validation");
  return t;
}

void
tune_free (Tune *t)
{
  if (t == NULL)
    return;
  g_clear_pointer (&t->resume, checkpoint_free);
  part_clear (&t->train);
  part_clear (&t->validation);
  g_clear_pointer (&t->chat, lm_chat_free);
  g_clear_pointer (&t->lora, lm_lora_unref);
  g_clear_pointer (&t->compute, lm_compute_close);
  g_clear_pointer (&t->base, fr_object_unref);
  g_clear_pointer (&t->model, fr_object_unref);
  g_ptr_array_unref (t->warnings);
  g_free (t->backend);
  g_free (t);
}

void
tune_warn (Tune *t, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (t->warnings, g_strdup_vprintf (format, args));
  va_end (args);
  if (!t->forecasting)
    fr_host_warn (t->host, "%s", (const char *) t->warnings->pdata[t->warnings->len - 1]);
}

static FrFlow
push_model (Tune *t, Loop *loop, GError **error)
{
  LmModel *result;

  if (t->full)
    {
      GPtrArray *tensors = lm_decoder_take_tensors (loop->decoder, LM_F32, error);

      if (tensors == NULL)
        return FR_FLOW_ERROR;
      result = lm_model_new_tuned (t->base, tensors, tune_card (t, loop));
    }
  else
    {
      g_autoptr (LmLora) lora = lm_decoder_take_lora (loop->decoder, error);

      if (lora == NULL)
        return FR_FLOW_ERROR;
      result = lm_model_new_adapted (t->base, lora, tune_card (t, loop));
    }
  return fr_host_push_object (t->host, "model", (FrObject *) result, error);
}

static void
tell_end (Tune *t, const Loop *loop)
{
  guint n = loop->evaluations->len;

  fr_host_report (t->host, "training", tune_report (t, loop));
  fr_host_count (t->host, "steps", (gint64) loop->step);
  fr_host_count (t->host, "tokens", (gint64) loop->rows);
  fr_host_count (t->host, "tokens_learned", (gint64) loop->labels);
  if (t->train.n_cut + t->validation.n_cut > 0)
    fr_host_count (t->host, "truncated", (gint64) (t->train.n_cut + t->validation.n_cut));
  if (n > 1 && loop->has_best
      && loop->best_loss >= g_array_index (loop->evaluations, Evaluation, 0).loss)
    fr_host_warn (
        t->host,
        "no validation after training was better than the one before it (%.4f): lower lr, "
        "fewer epochs or more data",
        g_array_index (loop->evaluations, Evaluation, 0).loss);
}

static FrFlow
train_and_push (Tune *t, GError **error)
{
  Loop loop;
  FrFlow flow;

  loop_init (&loop);
  flow = tune_train (t, &loop, error);
  /* Of a training that failed, its curves are what one wants to see most. */
  if (flow == FR_FLOW_OK || loop.logged->len > 0)
    fr_host_report (t->host, "views", tune_views (t, &loop));
  if (flow == FR_FLOW_OK)
    {
      tell_end (t, &loop);
      flow = push_model (t, &loop, error);
    }
  if (flow == FR_FLOW_OK || flow == FR_FLOW_DONE)
    flow = fr_host_push_object (t->host, "report", fr_report_new (tune_report (t, &loop)), error);
  loop_clear (t, &loop);
  return flow;
}

static FrFlow
run (const Config *config, FrHost *host, gboolean full, GError **error)
{
  g_autoptr (Tune) t = tune_new (config, host, full, FALSE);
  FrFlow flow;

  if (!tune_take_model (t, error))
    return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  flow = tune_read (t, error);
  if (flow != FR_FLOW_OK)
    return flow;
  if (!state_find (t, error) || !tune_resolve (t, error))
    return FR_FLOW_ERROR;
  fr_host_report (host, "forecast", tune_forecast_json (t));
  return train_and_push (t, error);
}

static FrFlow
forecast (const Config *config, FrHost *host, gboolean full, GError **error)
{
  g_autoptr (Tune) t = tune_new (config, host, full, TRUE);
  FrFlow flow;

  if (!tune_take_model (t, error))
    return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  flow = tune_read (t, error);
  if (flow != FR_FLOW_OK)
    return flow;
  if (!tune_resolve (t, error))
    return FR_FLOW_ERROR;
  fr_host_report (host, "forecast", tune_forecast_json (t));
  return FR_FLOW_OK;
}

/* ---- the elements
 * ------------------------------------------------------------------------------------ */

static gboolean
keep_config (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  (void) host;
  (void) error;
  *state = (gpointer) config;
  return TRUE;
}

static void
let_go (gpointer state)
{
  (void) state;
}

static FrFlow
lora_run (FrHost *host, gpointer state, GError **error)
{
  return run (state, host, FALSE, error);
}

static FrFlow
full_run (FrHost *host, gpointer state, GError **error)
{
  return run (state, host, TRUE, error);
}

static FrFlow
lora_forecast (gconstpointer config, FrHost *host, GError **error)
{
  return forecast (config, host, FALSE, error);
}

static FrFlow
full_forecast (gconstpointer config, FrHost *host, GError **error)
{
  return forecast (config, host, TRUE, error);
}

#define ELEMENT(name_, summary_, example_, params_, prefix)                                        \
  static const FrElement prefix##_element = {                                                      \
    .size = sizeof (FrElement),                                                                    \
    .kind = FR_KIND_TRAINER,                                                                       \
    .name = name_,                                                                                 \
    .revision = 1,                                                                                 \
    .summary = summary_,                                                                           \
    .details = prefix##_details,                                                                   \
    .example = example_,                                                                           \
    .config_size = sizeof (Config),                                                                \
    .params = params_,                                                                             \
    .inputs = inputs,                                                                              \
    .outputs = outputs,                                                                            \
    .configure = prefix##_configure,                                                               \
    .bind = prefix##_bind,                                                                         \
    .open = keep_config,                                                                           \
    .run = prefix##_run,                                                                           \
    .close = let_go,                                                                               \
    .forecast = prefix##_forecast,                                                                 \
  }

#include "manual.h"

ELEMENT ("trainer.lora", "fine-tune a model with a low-rank adapter",
         "{\"rank\": 16, \"targets\": [\"q_proj\", \"v_proj\"], \"lr\": 5e-5, \"epochs\": 3}",
         lora_params, lora);
#define full_configure tune_configure
ELEMENT ("trainer.full", "fine-tune all weights of a model", "{\"lr\": 3e-5, \"epochs\": 3}",
         full_params, full);

FR_PLUGIN ("tune", PACKAGE_VERSION, "fine-tuning", "Apache-2.0", "flowrun", &lora_element,
           &full_element)
