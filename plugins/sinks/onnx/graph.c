/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c: nodes, constants, inputs and outputs, encoded as they are made. */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "graph.h"

Graph *
graph_new (void)
{
  Graph *g = g_new0 (Graph, 1);

  g->nodes = g_byte_array_new ();
  g->inputs = g_byte_array_new ();
  g->outputs = g_byte_array_new ();
  g->attributes = g_byte_array_new ();
  g->tensors = g_ptr_array_new_with_free_func ((GDestroyNotify) tensor_free);
  g->names = g_string_chunk_new (4096);
  g->used = g_hash_table_new (g_str_hash, g_str_equal);
  g->constants = g_hash_table_new (g_str_hash, g_str_equal);
  return g;
}

void
graph_free (Graph *g)
{
  g_byte_array_unref (g->nodes);
  g_byte_array_unref (g->inputs);
  g_byte_array_unref (g->outputs);
  g_byte_array_unref (g->attributes);
  g_ptr_array_unref (g->tensors);
  g_string_chunk_free (g->names);
  g_hash_table_unref (g->used);
  g_hash_table_unref (g->constants);
  g_free (g->scope);
  g_free (g);
}

void
graph_scope (Graph *g, const char *format, ...)
{
  va_list args;

  g_free (g->scope);
  va_start (args, format);
  g->scope = g_strdup_vprintf (format, args);
  va_end (args);
}

const char *
graph_name (Graph *g, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  return g_string_chunk_insert (g->names, text);
}

/* ---- inputs and outputs -------------------------------------------------------------- */

static void
append_value (GByteArray *out, guint field, const char *name, OnnxType type, const Dim *dims,
              guint n)
{
  g_autoptr (GByteArray) value = g_byte_array_new (), inner = g_byte_array_new (),
                         shape = g_byte_array_new (), tensor = g_byte_array_new ();

  for (guint i = 0; i < n; i++)
    {
      if (dims[i].symbol != NULL)
        wire_string (inner, DIM_PARAM, dims[i].symbol);
      else
        wire_int (inner, DIM_VALUE, dims[i].value);
      wire_message (shape, SHAPE_DIM, inner);
    }
  wire_int (tensor, TENSOR_TYPE_ELEM, type);
  wire_message (tensor, TENSOR_TYPE_SHAPE, shape);
  wire_message (inner, TYPE_TENSOR, tensor);
  wire_string (value, VALUE_NAME, name);
  wire_message (value, VALUE_TYPE, inner);
  wire_message (out, field, value);
}

Value
graph_input (Graph *g, const char *name, OnnxType type, const Dim *dims, guint n)
{
  append_value (g->inputs, GRAPH_INPUT, name, type, dims, n);
  return graph_name (g, "%s", name);
}

void
graph_output (Graph *g, const char *name, OnnxType type, const Dim *dims, guint n)
{
  append_value (g->outputs, GRAPH_OUTPUT, name, type, dims, n);
}

/* ---- nodes --------------------------------------------------------------------------- */

void
graph_int_attribute (Graph *g, const char *name, gint64 value)
{
  g_autoptr (GByteArray) attribute = g_byte_array_new ();

  wire_string (attribute, ATTRIBUTE_NAME, name);
  wire_int (attribute, ATTRIBUTE_I, value);
  wire_int (attribute, ATTRIBUTE_TYPE, ATTRIBUTE_IS_INT);
  wire_message (g->attributes, NODE_ATTRIBUTE, attribute);
}

void
graph_ints_attribute (Graph *g, const char *name, const gint64 *values, guint n)
{
  g_autoptr (GByteArray) attribute = g_byte_array_new ();

  wire_string (attribute, ATTRIBUTE_NAME, name);
  for (guint i = 0; i < n; i++)
    wire_int (attribute, ATTRIBUTE_INTS, values[i]);
  wire_int (attribute, ATTRIBUTE_TYPE, ATTRIBUTE_IS_INTS);
  wire_message (g->attributes, NODE_ATTRIBUTE, attribute);
}

/* "/model/layers.0/attn/Reshape", "/model/layers.0/attn/Reshape_1", … */
static const char *
node_name (Graph *g, const char *op)
{
  const char *name = graph_name (g, "%s/%s", g->scope, op);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (g->used, name));

  g_hash_table_insert (g->used, (gpointer) name, GUINT_TO_POINTER (n + 1));
  return n == 0 ? name : graph_name (g, "%s_%u", name, n);
}

static void
append_node (Graph *g, const char *domain, const char *name, const char *op, const Value *outputs,
             guint n_outputs, const Value *inputs, guint n_inputs)
{
  g_autoptr (GByteArray) node = g_byte_array_new ();

  for (guint i = 0; i < n_inputs; i++)
    wire_string (node, NODE_INPUT, inputs[i]);
  for (guint i = 0; i < n_outputs; i++)
    wire_string (node, NODE_OUTPUT, outputs[i]);
  wire_string (node, NODE_NAME, name);
  wire_string (node, NODE_OP_TYPE, op);
  g_byte_array_append (node, g->attributes->data, g->attributes->len);
  g_byte_array_set_size (g->attributes, 0);
  if (domain[0] != '\0')
    wire_string (node, NODE_DOMAIN, domain);
  wire_message (g->nodes, GRAPH_NODE, node);
  g->n_nodes++;
  g->n_contrib += domain[0] != '\0';
}

static Value
add_node (Graph *g, const char *domain, const char *output, const char *op, va_list args)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  const char *name = node_name (g, op);
  Value value;

  while ((value = va_arg (args, Value)) != NULL)
    g_ptr_array_add (inputs, (gpointer) value);
  if (output == NULL)
    output = graph_name (g, "%s/output_0", name);
  append_node (g, domain, name, op, &output, 1, (const Value *) inputs->pdata, inputs->len);
  return output;
}

Value
graph_op (Graph *g, const char *op, ...)
{
  va_list args;
  Value value;

  va_start (args, op);
  value = add_node (g, "", NULL, op, args);
  va_end (args);
  return value;
}

Value
graph_contrib (Graph *g, const char *op, ...)
{
  va_list args;
  Value value;

  va_start (args, op);
  value = add_node (g, "com.microsoft", NULL, op, args);
  va_end (args);
  return value;
}

Value
graph_op_as (Graph *g, const char *output, const char *op, ...)
{
  va_list args;
  Value value;

  va_start (args, op);
  value = add_node (g, "", output, op, args);
  va_end (args);
  return value;
}

void
graph_halves (Graph *g, Value value, gint64 half, Value *first, Value *second)
{
  Value inputs[] = { value, GRAPH_VECTOR (g, half, half) }, outputs[2];
  const char *name = node_name (g, "Split");

  outputs[0] = graph_name (g, "%s/output_0", name);
  outputs[1] = graph_name (g, "%s/output_1", name);
  graph_int_attribute (g, "axis", -1);
  append_node (g, "", name, "Split", outputs, 2, inputs, 2);
  *first = outputs[0];
  *second = outputs[1];
}

Value
graph_cast (Graph *g, Value value, OnnxType from, OnnxType to)
{
  if (from == to)
    return value;
  graph_int_attribute (g, "to", to);
  return graph_op (g, "Cast", value, NULL);
}

/* ---- constants ----------------------------------------------------------------------- */

static Value
constant (Graph *g, const char *name, OnnxType type, gconstpointer data, gint64 n, guint n_dims)
{
  Tensor *tensor;

  if (g_hash_table_contains (g->constants, name))
    return name;
  tensor = tensor_new (name, type, FORM_BYTES, &n, n_dims);
  tensor->data = g_memdup2 (data, tensor->bytes);
  g_hash_table_add (g->constants, (gpointer) name);
  return graph_tensor (g, tensor);
}

Value
graph_scalar (Graph *g, gint64 value)
{
  const char *name = graph_name (g, "/model/constants/INT64/%" G_GINT64_FORMAT, value);

  return constant (g, name, ONNX_INT64, &value, 1, 0);
}

Value
graph_vector (Graph *g, const gint64 *values, guint n)
{
  g_autoptr (GString) text = g_string_new ("/model/constants/INT64/[");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", values[i]);
  g_string_append_c (text, ']');
  return constant (g, graph_name (g, "%s", text->str), ONNX_INT64, values, n, 1);
}

Value
graph_number (Graph *g, double value, OnnxType type)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  const char *name;
  float number = (float) value;
  guint8 bytes[4];

  lm_encode (onnx_type_lm (type), &number, bytes, 1);
  name = graph_name (g, "/model/constants/%s/%s", type == ONNX_FLOAT ? "FLOAT" : "FLOAT16",
                     g_ascii_formatd (digits, sizeof digits, "%.9g", value));
  return constant (g, name, type, bytes, 1, 0);
}

Value
graph_tensor (Graph *g, Tensor *tensor)
{
  g_ptr_array_add (g->tensors, tensor);
  return graph_name (g, "%s", tensor->name);
}
