/* SPDX-License-Identifier: Apache-2.0 */
/* labeler.h: labels by a model (the service "labeler").
 *
 * An element that labels rows by words and rules offers a model beside them without knowing models:
 * it finds the service "labeler" of version LABELER_VERSION by name, "model" being flowrun's own
 * (labeler-model.so), gives it what came by its port for models, and asks.  The answer is always
 * one of the labels: their probabilities are exact, nothing is generated and nothing is drawn
 * (lm/generate.h, LmChoices).
 *
 *     service = fr_host_service (host, LABELER_KIND, LABELER_VERSION, "model", &error);
 *     engine = service->table;
 *     engine->check (&settings, &error)                        under bind or configure
 *     labeler = engine->open (&settings, host, model, &error);
 *     engine->label (labeler, texts, n, results, NULL, &error);
 *     engine->close (labeler);
 */
#ifndef FLOWRUN_TEXT_LABELER_H
#define FLOWRUN_TEXT_LABELER_H

#include <flowrun/host.h>
#include <flowrun/service.h>
#include <glib.h>

G_BEGIN_DECLS

#define LABELER_KIND "labeler"
#define LABELER_VERSION 1

/** LABELER_PROMPT: the question where settings.prompt is NULL; the text takes the place of {text},
 * the labels, separated by commas, that of {labels}. */
#define LABELER_PROMPT                                                                             \
  "Which of these labels fits the text best: {labels}?\n\n{text}\n\nAnswer with the label alone."

/**
 * LabelerSettings:
 * @labels: two or more, distinct, NULL-terminated; as the model shall say them
 * @prompt: with {text}, and {labels} where wanted; NULL: LABELER_PROMPT
 * @batch: texts weighed at once
 * @backend: compute backend; NULL: the best here
 */
typedef struct
{
  const char *const *labels;
  const char *prompt;
  gint64 batch;
  const char *backend;
} LabelerSettings;

/**
 * LabelerResult:
 * @best: index of the likeliest label; G_MAXSIZE: none, for the reason @rule
 * @confidence: its probability among the labels
 * @mass: probability of all labels together, of everything the model could have said: well below a
 *   half, the question does not fit
 * @rule: NULL, or "no_prompt", "too_long": static
 * @why: with @rule, for a person; newly allocated
 */
typedef struct
{
  gsize best;
  double confidence, mass;
  const char *rule;
  char *why;
} LabelerResult;

typedef struct _Labeler Labeler;

/**
 * LabelerEngine: the table of a service of kind "labeler".
 * @size: sizeof (LabelerEngine)
 * @check: FR_ERROR_CONFIG: labels or prompt do not do
 * @open: @settings and @model are borrowed until close
 * @label: @results: room for @n; @probabilities: room for [n, labels] or NULL, zeros where there is
 *   no label.  FALSE with FR_ERROR_CANCELLED or a fault of the model's
 */
typedef struct
{
  gsize size;
  gboolean (*check) (const LabelerSettings *settings, GError **error);
  Labeler *(*open) (const LabelerSettings *settings, FrHost *host, FrObject *model, GError **error);
  gboolean (*label) (Labeler *labeler, const FrStr *texts, gsize n, LabelerResult *results,
                     double *probabilities, GError **error);
  void (*close) (Labeler *labeler);
} LabelerEngine;

G_END_DECLS

#endif
