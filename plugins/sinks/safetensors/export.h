/* SPDX-License-Identifier: Apache-2.0 */
/* export.h: what sink.safetensors' files share: the tensors of a model in files. */
#ifndef FLOWRUN_SINK_SAFETENSORS_EXPORT_H
#define FLOWRUN_SINK_SAFETENSORS_EXPORT_H

#include <flowrun/flowrun.h>

#include "lm/export.h"

/* ---- tensors.c: a model's tensors, with its adapter added ----------------------------- */

typedef struct
{
  LmModel *model;
  FrHost *host;
  gboolean merge;
  gboolean keep; /* each tensor in the base's type, quantised ones in BF16 */
  LmType dtype;  /* else */
  guint64 max_shard;
  guint64 done, total; /* bytes, for the progress */
  /* found while writing and reading again */
  guint n_tensors, n_files, n_merged;
  double rounding;          /* largest distance of a written number from the one computed in F32 */
  JsonObject *verification; /* what was found by reading and running it again */
} Export;

/** export_dtype: the type that config.json names. */
LmType export_dtype (const Export *e);
/** export_tensors: one file, or shards with their index. */
gboolean export_tensors (Export *e, LmFolder *folder, GError **error);

#endif
