/* SPDX-License-Identifier: Apache-2.0 */
/* export.h: a model's graph and weights into files, and read again. */
#ifndef FLOWRUN_SINK_ONNX_EXPORT_H
#define FLOWRUN_SINK_ONNX_EXPORT_H

#include "decoder.h"
#include "lm/export.h"

/**
 * Export:
 * @host: told of progress; NULL: nobody
 * @file: name in the folder ("onnx/model_fp16.onnx"); weights go into @file with "_data" behind it
 * @limit: weights of more bytes together are a file of their own
 *
 * Filled by export_write():
 * @external: whether there is a file of weights
 * @bytes: of all initializers; @file_bytes: of both files
 * @quality: of quantised weights
 *
 * Filled by export_verify():
 * @n_compared: numbers that were computed anew
 */
typedef struct
{
  LmModel *model;
  FrHost *host;
  LmFolder *folder;
  const char *file;
  guint64 limit;
  DecoderOptions options;

  DecoderGraph *decoder;
  gboolean external;
  guint64 bytes, file_bytes;
  Quality quality;
  guint64 n_compared;
  /* private */
  guint64 done, total;
} Export;

/** export_write: makes graph and files.  FR_ERROR_IO; FR_ERROR_DATA: weights that cannot be written so; FR_ERROR_CANCELLED. */
gboolean export_write (Export *e, GError **error);
/**
 * export_verify: reads the files back with onnx_file_open(): the graph is sound, every initializer is there in type and
 * shape, its bytes have the hash that they had when written, and some of its numbers are computed anew from the model.
 * FR_ERROR_IO names what is not so.
 */
gboolean export_verify (Export *e, GError **error);
void export_clear (Export *e);

/** export_step: @bytes more are done; FR_ERROR_CANCELLED. */
gboolean export_step (Export *e, guint64 bytes, GError **error);

#endif
