/* SPDX-License-Identifier: Apache-2.0 */
/* tune.h: what the files of trainer.lora and trainer.full share.
 *
 *   tune.c      the elements: parameters, manual, bind, run, forecast
 *   read.c      rows to samples: rejects, truncation, the token viewer
 *   plan.c      from parameters, data and machine to settings; the forecast
 *   loop.c      steps, evaluations, the watchdog
 *   state.c     the loop's state on disk
 *   report.c    what is told when it is over: card, report, summary
 *   views.c     the same for people to look at
 *
 * with the parts that know nothing of a host: schedule.h, checkpoint.h.
 */
#ifndef FLOWRUN_TUNE_H
#define FLOWRUN_TUNE_H

#include <flowrun/flowrun.h>

#include "checkpoint.h"
#include "lm/chat.h"
#include "lm/compute.h"
#include "lm/decoder.h"
#include "lm/model.h"
#include "lm/samples.h"
#include "schedule.h"

typedef enum
{
  CHOICE_AUTO = 0,
  CHOICE_YES,
  CHOICE_NO
} Choice;

/** Config: the parameters; the first block is trainer.lora's alone. */
typedef struct
{
  gint64 rank;
  double alpha, dropout;
  char **targets;
  char *layers;
  gboolean rslora;
  char *init_adapter;

  double lr;
  gint64 batch, accumulate;
  double epochs;
  gint64 max_steps;
  int schedule; /* ScheduleKind */
  double warmup;
  double weight_decay, beta1, beta2, epsilon, max_grad_norm;
  gint64 max_length;
  int truncate; /* LmTruncate */
  gboolean shuffle, group_by_length, packing;
  gint64 micro_tokens;
  int recompute; /* Choice */
  gint64 eval_steps, early_stopping;
  gboolean load_best;
  double diverge;
  gint64 save_steps, logging_steps;
  int type; /* LmTypeChoice */
  char *backend;
  gint64 threads;
  guint64 memory;
} Config;

/** Part: one input of records, read. */
typedef struct
{
  const char *port;
  LmDataset *data;
  guint64 n_rows, n_rejected, n_cut, n_over;
  guint64 n_passed;   /* samples that are over all rejects: those in data */
  GPtrArray *longest; /* char *: "goods:17 (5120 tokens)", longest first */
  GArray *longest_n;  /* guint32, beside it */
} Part;

/** Forecast: what a training will take, before it begins. */
typedef struct
{
  guint64 n_trained, n_parameters; /* numbers trained, numbers in the base */
  guint64 n_tensors;
  guint64 rows, labels;           /* through the decoder in all steps; of them learned */
  gsize micro_rows, micro_labels; /* of the largest micro-batch */
  gsize decoder_bytes, optimiser_bytes, weight_bytes, base_bytes;
  gsize resident;        /* the most that the process will hold */
  double flops_rate;     /* measured, per second; 0: not measured */
  double number_seconds; /* measured: of a number that goes through what lies between products */
  double step_seconds;   /* of all steps; 0: not known */
  double seconds;        /* with the evaluations */
} Forecast;

/** Tune: one training, from its inputs to its output. */
typedef struct
{
  const Config *config;
  FrHost *host;
  gboolean full;
  gboolean forecasting;

  LmModel *model; /* as it came */
  LmModel *base;  /* what the result rests on: the model without its adapter */
  LmChat *chat;
  LmLora *lora; /* the adapter at the start; NULL in full training */
  Part train, validation;
  gboolean has_validation;

  LmCompute *compute;
  char *backend; /* described */
  guint threads;
  LmDecoderOptions options;
  guint64 seed;
  gsize max_length;
  gsize micro_rows; /* capacity of a micro-batch of a step */
  gsize eval_rows;  /* the same in an evaluation, which then needs no more memory than a step */
  gsize step_samples;
  guint64 epoch_steps, total_steps, warmup_steps, eval_every;
  Forecast forecast;
  GPtrArray *warnings;     /* char * */
  const char *checkpoints; /* the directory */
  Checkpoint *resume;      /* where to go on; NULL: from the start */
} Tune;

Tune *tune_new (const Config *config, FrHost *host, gboolean full, gboolean forecasting);
void tune_free (Tune *t);
void tune_warn (Tune *t, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* ---- read.c ---- */

/** tune_token_schema: of the port "tokens". */
FrSchema *tune_token_schema (void);
/** tune_read: fills both parts; FR_FLOW_DONE when the viewer has seen enough. */
FrFlow tune_read (Tune *t, GError **error);
/** tune_row_name: "goods:17"; g_free(). */
char *tune_row_name (Tune *t, FrRowId id);

/* ---- plan.c ---- */

/** tune_parse_layers: "0-11,20" as (first, last) pairs; NULL for NULL; the pattern has been
 * checked. */
GArray *tune_parse_layers (const char *text);
/** tune_spec: the adapter that the parameters ask for; lm_lora_spec_clear(). */
LmLoraSpec tune_spec (const Config *config);
/** tune_take_model: the input model, its talk and the adapter to begin with. */
gboolean tune_take_model (Tune *t, GError **error);
/** tune_resolve: after reading: backend, type, micro-batches, steps, and the forecast. */
gboolean tune_resolve (Tune *t, GError **error);
/** tune_forecast_json: title, facts, warnings. */
JsonNode *tune_forecast_json (Tune *t);
/** tune_epoch_of: which epoch @step (from 1) belongs to, and where in its order the step begins. */
guint64 tune_epoch_of (const Tune *t, guint64 step, gsize *first);

/* ---- loop.c ---- */

/** Evaluation: a point of the validation curve. */
typedef struct
{
  guint64 step;
  double loss; /* per label */
} Evaluation;

/** Logged: a point of the training curve. */
typedef struct
{
  guint64 step;
  double loss, lr, grad_norm, tokens_per_second;
} Logged;

/**
 * Loop: the state of a training between two steps; all of it is in a checkpoint.
 * @loss_sum, @label_sum, @row_sum, @second_sum: since the last logged point
 * @recent: losses of the last steps; @low: the lowest mean of them so far; @first: the first
 */
typedef struct
{
  guint64 step;
  guint64 rows, labels;
  double seconds;
  double loss_sum, second_sum;
  guint64 label_sum, row_sum;
  GArray *recent; /* double */
  double low, first;
  GArray *evaluations; /* Evaluation */
  GArray *logged;      /* Logged */
  double best_loss;
  guint64 best_step;
  gboolean has_best;
  guint64 since_best;
  gboolean stopped_early;
  gboolean finished;
  /* not kept */
  LmDecoder *decoder;
  gpointer *m, *v;             /* moments, one pair a parameter */
  guint64 from;                /* the step that this process began at */
  double since, eval_seconds;  /* of its own: in steps, in the last evaluation */
  gsize resident, peak_before; /* the most seen; what the process had reached before */
  GArray *order;               /* guint32: samples in the order of the epoch */
  guint64 epoch;               /* whose order that is */
  LmPack pack;
  LmMicro micro;
} Loop;

/** tune_train: from the newest checkpoint, or from the start, to the last step.  FR_FLOW_OK, or
 * cancelled, or failed. */
FrFlow tune_train (Tune *t, Loop *loop, GError **error);
void loop_init (Loop *loop);
void loop_clear (Tune *t, Loop *loop);
/** loop_resident: memory of the process now and at most, in bytes. */
void loop_resident (gsize *now, gsize *most);

/* ---- state.c ---- */

gboolean state_save (Tune *t, Loop *loop, GError **error);
/** state_save_best: the parameters alone. */
gboolean state_save_best (Tune *t, Loop *loop, GError **error);
gboolean state_load_best (Tune *t, Loop *loop, GError **error);
/**
 * state_find: the newest checkpoint that is whole and of these samples becomes t->resume, and what
 * was chosen by the machine's state (micro-batches, type, threads) is taken from it, so that going
 * on computes the same.
 */
gboolean state_find (Tune *t, GError **error);
/** state_resume: goes on from t->resume, which must be there. */
gboolean state_resume (Tune *t, Loop *loop, GError **error);

/* ---- report.c ---- */

/** tune_card: facts of the training, for the model; taken by the caller. */
JsonObject *tune_card (Tune *t, const Loop *loop);
/** tune_report: the whole of it with both curves. */
JsonNode *tune_report (Tune *t, const Loop *loop);
/** tune_measured_resident: the most bytes that the process held in memory since training began. */
gsize tune_measured_resident (const Loop *loop);
/** tune_append_bytes, tune_append_time: for a person: "1.25 GiB", "3 min 20 s". */
void tune_append_bytes (GString *out, gsize bytes);
void tune_append_time (GString *out, double seconds);

/* ---- views.c ---- */

/** tune_views: the training so far, for report.html. */
JsonNode *tune_views (Tune *t, const Loop *loop);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tune, tune_free)

#endif
