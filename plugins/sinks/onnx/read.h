/* SPDX-License-Identifier: Apache-2.0 */
/* read.h: an ONNX file, read: what it says of itself, without its weights in memory.
 *
 * Walks the wire format over a mapped file; every length is checked before it is
 * used.  What this needs not is stepped over: attributes, subgraphs, docs.
 */
#ifndef FLOWRUN_SINK_ONNX_READ_H
#define FLOWRUN_SINK_ONNX_READ_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

#include "wire.h"

#define ONNX_MAX_DIMS 8

/** OnnxPair: an entry of metadata_props; OnnxOpset: of opset_import. */
typedef struct
{
  FrStr key, value;
} OnnxPair;

typedef struct
{
  FrStr domain;
  gint64 version;
} OnnxOpset;

/**
 * OnnxTensor: an initializer.
 * @raw: its bytes where they are in the file as such; data NULL: elsewhere, or as typed numbers
 * @external, @location, @offset, @length: where they lie else; @length -1: not said
 */
typedef struct
{
  FrStr name;
  gint64 type;
  guint n_dims;
  gint64 dims[ONNX_MAX_DIMS];
  FrStr raw;
  gboolean external;
  FrStr location;
  gint64 offset, length;
} OnnxTensor;

/** OnnxValue: an input or output; a dimension is its symbol, or else its number (-1: neither). */
typedef struct
{
  FrStr name;
  gint64 type;
  guint n_dims;
  gint64 dims[ONNX_MAX_DIMS];
  FrStr symbols[ONNX_MAX_DIMS];
} OnnxValue;

/** OnnxNode: names of its inputs are @n_inputs of the file's names from @first on, its outputs follow. */
typedef struct
{
  FrStr op, domain, name;
  guint first, n_inputs, n_outputs;
} OnnxNode;

/** OnnxFile: texts point into the mapped file. */
typedef struct
{
  gint64 ir_version;
  FrStr producer, producer_version, graph;
  GArray *opsets;   /* OnnxOpset */
  GArray *metadata; /* OnnxPair */
  GArray *tensors;  /* OnnxTensor */
  GArray *inputs, *outputs; /* OnnxValue */
  GArray *nodes;    /* OnnxNode */
  GArray *names;    /* FrStr */
  GMappedFile *map;
} OnnxFile;

/** onnx_file_open: FR_ERROR_IO; FR_ERROR_DATA with @path and the offset of what is wrong. */
OnnxFile *onnx_file_open (const char *path, GError **error);
/** onnx_file_parse: the same from memory, which must outlive it; @name for messages. */
OnnxFile *onnx_file_parse (const char *name, gconstpointer data, gsize len, GError **error);
void onnx_file_free (OnnxFile *file);

/**
 * onnx_file_check: what onnx.checker asks of a graph's shape: every value is made once and before it is used, outputs
 * are made, names of initializers are unique, there is an opset.  FR_ERROR_DATA.
 */
gboolean onnx_file_check (const OnnxFile *file, const char *name, GError **error);
/** onnx_tensor_bytes: what its dimensions and type make; -1: not known, or too many. */
gint64 onnx_tensor_bytes (const OnnxTensor *tensor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OnnxFile, onnx_file_free)

#endif
