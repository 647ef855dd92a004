/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h: an ONNX graph in the making: nodes in order, constants, inputs and outputs.
 *
 * A value is its name, owned by the graph.  Nodes are named by the scope they
 * are made in ("/model/layers.0/attn") and encoded at once; what is used twice
 * must be made first, so that they come out sorted.  Weights are declared here
 * (tensors.h) and written later.
 */
#ifndef FLOWRUN_SINK_ONNX_GRAPH_H
#define FLOWRUN_SINK_ONNX_GRAPH_H

#include <glib.h>

#include "tensors.h"
#include "wire.h"

typedef const char *Value;

/** Dim: of an input or output; @symbol NULL: a number. */
typedef struct
{
  gint64 value;
  const char *symbol;
} Dim;

/**
 * Graph:
 * @nodes, @inputs, @outputs: encoded fields of GraphProto
 * @tensors: Tensor *, the initializers, in the order in which they are written
 * @contrib: nodes of com.microsoft
 */
typedef struct
{
  GByteArray *nodes, *inputs, *outputs;
  GPtrArray *tensors;
  guint n_nodes, n_contrib;
  /* private */
  GStringChunk *names;
  GHashTable *used;       /* node name -> how often */
  GHashTable *constants;  /* names of those that are there */
  GByteArray *attributes; /* of the next node */
  char *scope;
} Graph;

Graph *graph_new (void);
void graph_free (Graph *graph);

/** graph_scope: where the next nodes belong, a path with a slash in front. */
void graph_scope (Graph *graph, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** graph_name: @format's text, owned by the graph. */
const char *graph_name (Graph *graph, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** graph_input, graph_output: declares one; returns its value. */
Value graph_input (Graph *graph, const char *name, OnnxType type, const Dim *dims, guint n);
void graph_output (Graph *graph, const char *name, OnnxType type, const Dim *dims, guint n);

/** graph_int_attribute, graph_ints_attribute: of the next node. */
void graph_int_attribute (Graph *graph, const char *name, gint64 value);
void graph_ints_attribute (Graph *graph, const char *name, const gint64 *values, guint n);

/** graph_op: a node of the default domain; its inputs end with NULL.  Returns its one output. */
Value graph_op (Graph *graph, const char *op, ...) G_GNUC_NULL_TERMINATED;
/** graph_contrib: the same of com.microsoft. */
Value graph_contrib (Graph *graph, const char *op, ...) G_GNUC_NULL_TERMINATED;
/** graph_op_as: the same with a chosen name for the output: one of the graph's. */
Value graph_op_as (Graph *graph, const char *output, const char *op, ...) G_GNUC_NULL_TERMINATED;
/** graph_halves: Split of @value in two along the last axis, each of @half. */
void graph_halves (Graph *graph, Value value, gint64 half, Value *first, Value *second);
/** graph_cast: @value itself when @from is @to. */
Value graph_cast (Graph *graph, Value value, OnnxType from, OnnxType to);

/** graph_scalar: an int64 without dimensions; graph_vector: one with. */
Value graph_scalar (Graph *graph, gint64 value);
Value graph_vector (Graph *graph, const gint64 *values, guint n);
#define GRAPH_VECTOR(graph, ...)                                                                   \
  graph_vector (graph, (const gint64[]){ __VA_ARGS__ },                                            \
                G_N_ELEMENTS (((const gint64[]){ __VA_ARGS__ })))
/** graph_number: a number without dimensions in FLOAT or FLOAT16. */
Value graph_number (Graph *graph, double value, OnnxType type);
/** graph_tensor: declares @tensor (taken) and gives its value. */
Value graph_tensor (Graph *graph, Tensor *tensor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Graph, graph_free)

#endif
