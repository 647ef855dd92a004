/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.h: the graph of a decoder with a cache of keys and values. */
#ifndef FLOWRUN_SINK_ONNX_DECODER_H
#define FLOWRUN_SINK_ONNX_DECODER_H

#include "graph.h"

typedef enum
{
  DTYPE_F32,
  DTYPE_F16,
  DTYPE_BF16,
  DTYPE_INT8,
  DTYPE_INT4
} Dtype;

/**
 * DecoderOptions:
 * @dtype: how weights are stored
 * @apart: the adapter's halves as initializers of their own, added in the graph
 * @fast: MatMulNBits may round its input to 8 bits (accuracy_level 4)
 * @threads: for looking through weights
 */
typedef struct
{
  Dtype dtype;
  gboolean apart, fast;
  guint threads;
} DecoderOptions;

/**
 * DecoderGraph:
 * @cache: type of keys and values, and of products of matrices
 * @n_merged, @n_apart: weights that an adapter is added to, in the file or in the graph
 * @wide: char *: weights that hold numbers beyond FLOAT16's range and are kept in FLOAT
 * @halves: LmTensor *: the adapter's matrices, as sources of initializers
 */
typedef struct
{
  Graph *graph;
  OnnxType cache;
  guint n_merged, n_apart;
  GPtrArray *wide;
  GPtrArray *halves;
} DecoderGraph;

/** decoder_graph_new: the graph of @model (borrowed, must outlive it); declares every weight, writes none. */
DecoderGraph *decoder_graph_new (LmModel *model, const DecoderOptions *options);
void decoder_graph_free (DecoderGraph *decoder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecoderGraph, decoder_graph_free)

#endif
