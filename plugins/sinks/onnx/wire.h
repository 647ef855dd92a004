/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h: the wire format of protocol buffers, written: what ONNX files are made of.
 *
 * Follows "Encoding" of the Protocol Buffers documentation and, for numbers of
 * fields, onnx.proto (proto2, so that repeated numbers are not packed).  Messages
 * are made from the inside out; what is too large to hold is announced by its
 * length alone (wire_head) and follows by other means.
 */
#ifndef FLOWRUN_SINK_ONNX_WIRE_H
#define FLOWRUN_SINK_ONNX_WIRE_H

#include <glib.h>

/* Wire types: the low three bits of a key. */
enum
{
  WIRE_VARINT = 0,
  WIRE_I64 = 1,
  WIRE_LEN = 2,
  WIRE_I32 = 5
};

/* Field numbers of onnx.proto. */
enum
{
  MODEL_IR_VERSION = 1,
  MODEL_PRODUCER_NAME = 2,
  MODEL_PRODUCER_VERSION = 3,
  MODEL_GRAPH = 7,
  MODEL_OPSET_IMPORT = 8,
  MODEL_METADATA_PROPS = 14,

  OPSET_DOMAIN = 1,
  OPSET_VERSION = 2,

  ENTRY_KEY = 1,
  ENTRY_VALUE = 2,

  GRAPH_NODE = 1,
  GRAPH_NAME = 2,
  GRAPH_INITIALIZER = 5,
  GRAPH_INPUT = 11,
  GRAPH_OUTPUT = 12,

  NODE_INPUT = 1,
  NODE_OUTPUT = 2,
  NODE_NAME = 3,
  NODE_OP_TYPE = 4,
  NODE_ATTRIBUTE = 5,
  NODE_DOMAIN = 7,

  ATTRIBUTE_NAME = 1,
  ATTRIBUTE_F = 2,
  ATTRIBUTE_I = 3,
  ATTRIBUTE_INTS = 8,
  ATTRIBUTE_TYPE = 20,

  TENSOR_DIMS = 1,
  TENSOR_DATA_TYPE = 2,
  TENSOR_NAME = 8,
  TENSOR_RAW_DATA = 9,
  TENSOR_EXTERNAL_DATA = 13,
  TENSOR_DATA_LOCATION = 14,

  VALUE_NAME = 1,
  VALUE_TYPE = 2,
  TYPE_TENSOR = 1,
  TENSOR_TYPE_ELEM = 1,
  TENSOR_TYPE_SHAPE = 2,
  SHAPE_DIM = 1,
  DIM_VALUE = 1,
  DIM_PARAM = 2
};

/* Values of AttributeProto.type. */
enum
{
  ATTRIBUTE_IS_INT = 2,
  ATTRIBUTE_IS_INTS = 7
};

/* TensorProto.DataType: those that are written here. */
typedef enum
{
  ONNX_FLOAT = 1,
  ONNX_UINT8 = 2,
  ONNX_INT8 = 3,
  ONNX_INT64 = 7,
  ONNX_BOOL = 9,
  ONNX_FLOAT16 = 10,
  ONNX_BFLOAT16 = 16
} OnnxType;

/** onnx_type_bytes: of one number; 0: a type whose numbers are not whole bytes, or that is not known here. */
guint onnx_type_bytes (gint64 type);
/** onnx_type_name: "float16"; NULL: not known here. */
const char *onnx_type_name (gint64 type);

/** wire_varint_size: bytes that @value takes. */
guint wire_varint_size (guint64 value);
/** wire_varint: appends @value alone; wire_int: as the field @field. */
void wire_varint (GByteArray *out, guint64 value);
void wire_int (GByteArray *out, guint field, gint64 value);
/** wire_head: key and length of a field whose @len bytes follow. */
void wire_head (GByteArray *out, guint field, guint64 len);
void wire_bytes (GByteArray *out, guint field, gconstpointer data, gsize len);
void wire_string (GByteArray *out, guint field, const char *text);
/** wire_message: @message as a field of @out; @message is emptied, to be filled again. */
void wire_message (GByteArray *out, guint field, GByteArray *message);
/** wire_entry: a StringStringEntryProto. */
void wire_entry (GByteArray *out, guint field, const char *key, const char *value);

#endif
