/* SPDX-License-Identifier: Apache-2.0 */
/* sink-gguf.h: what sink.gguf's files share: formats, the plan of a file, metadata. */
#ifndef FLOWRUN_SINK_GGUF_H
#define FLOWRUN_SINK_GGUF_H

#include <flowrun/flowrun.h>

#include "lm/export.h"

/**
 * Format: a row of the table of formats.
 * @name: as the parameter has it, in lower case
 * @type: of most matrices
 * @more: of those that llama.cpp's recipe gives more bits: the head, and, with @mixed, some layers'
 *        values and last products
 * @file_type: general.file_type
 */
typedef struct
{
  const char *name, *label;
  LmType type, more;
  gboolean mixed;
  guint32 file_type;
} Format;

enum
{
  FORMAT_F32,
  FORMAT_F16,
  FORMAT_BF16,
  FORMAT_Q8_0,
  FORMAT_Q4_0,
  FORMAT_Q4_1,
  FORMAT_Q4_K_M,
  FORMAT_Q5_K_M,
  FORMAT_Q6_K,
  N_FORMATS
};

extern const Format formats[N_FORMATS];

/**
 * Part: a tensor to be written.
 * @wanted: the type that the format asks for, where the rows do not allow it; equal to the written
 * one else
 * @values: numbers that the file holds as they are (rope_freqs); NULL else
 * @permuted: rows go into the order of GGUF's llama
 * @squares, @error, @largest: of the numbers: sums of squares, of squared differences from what is
 * written, and the largest difference; under @lock
 */
typedef struct
{
  struct Plan *plan;
  const LmTensor *from;
  const float *lora_values;
  float *values;
  char *name;
  LmType wanted;
  gboolean permuted;
  gboolean merged;
  GMutex lock;
  double squares, error, largest;
} Part;

typedef struct Plan
{
  LmModel *model;
  const Format *format;
  gboolean merge;
  GPtrArray *parts; /* Part * */
  GArray *sources;  /* LmRowSource, one for each part */
  guint n_fallbacks, n_merged, n_matrices;
} Plan;

/* ---- plan.c: which tensors, in which types, and their rows ------------------------------ */

/** plan_model: all tensors of a model; FR_ERROR_CONFIG when no matrix can have the format. */
Plan *plan_model (LmModel *model, const Format *format, GError **error);
/** plan_adapter: the halves of the model's adapter; *@alpha: for adapter.lora.alpha. */
Plan *plan_adapter (LmModel *model, float *alpha, GError **error);
void plan_free (Plan *plan);
/** plan_report: tensors, bytes and errors by type, and what fell back, into @out. */
void plan_report (const Plan *plan, JsonObject *out);
/** plan_views: the same to be looked at; taken by the caller. */
JsonNode *plan_views (const Plan *plan, guint64 bytes, const LmLogitCheck *check);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plan, plan_free)

/* ---- keys.c: metadata ------------------------------------------------------------------- */

/** keys_model: everything that llama.cpp wants to know. */
LmGgufKeys *keys_model (const Plan *plan, const char *name, GError **error);
LmGgufKeys *keys_adapter (LmModel *model, const char *name, float alpha);

#endif
