/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c: fields of protocol buffers, appended to byte arrays; and what ONNX calls types. */
#include "config.h"

#include <string.h>

#include "wire.h"

static const struct
{
  guint type;
  guint bytes;
  const char *name;
} types[] = { { ONNX_FLOAT, 4, "float32" },
              { ONNX_UINT8, 1, "uint8" },
              { ONNX_INT8, 1, "int8" },
              { 4, 2, "uint16" },
              { 5, 2, "int16" },
              { 6, 4, "int32" },
              { ONNX_INT64, 8, "int64" },
              { ONNX_BOOL, 1, "bool" },
              { ONNX_FLOAT16, 2, "float16" },
              { 11, 8, "float64" },
              { 12, 4, "uint32" },
              { 13, 8, "uint64" },
              { ONNX_BFLOAT16, 2, "bfloat16" } };

guint
onnx_type_bytes (gint64 type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == (guint64) type)
      return types[i].bytes;
  return 0;
}

const char *
onnx_type_name (gint64 type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == (guint64) type)
      return types[i].name;
  return NULL;
}

guint
wire_varint_size (guint64 value)
{
  guint n = 1;

  while (value >>= 7)
    n++;
  return n;
}

void
wire_varint (GByteArray *out, guint64 value)
{
  guint8 bytes[10];
  guint n = 0;

  do
    {
      bytes[n] = (guint8) (value & 0x7f);
      value >>= 7;
      if (value != 0)
        bytes[n] |= 0x80;
      n++;
    }
  while (value != 0);
  g_byte_array_append (out, bytes, n);
}

static void
wire_key (GByteArray *out, guint field, guint type)
{
  wire_varint (out, (guint64) field << 3 | type);
}

void
wire_int (GByteArray *out, guint field, gint64 value)
{
  wire_key (out, field, WIRE_VARINT);
  wire_varint (out, (guint64) value);
}

void
wire_head (GByteArray *out, guint field, guint64 len)
{
  wire_key (out, field, WIRE_LEN);
  wire_varint (out, len);
}

void
wire_bytes (GByteArray *out, guint field, gconstpointer data, gsize len)
{
  wire_head (out, field, len);
  g_byte_array_append (out, data, (guint) len);
}

void
wire_string (GByteArray *out, guint field, const char *text)
{
  wire_bytes (out, field, text, strlen (text));
}

void
wire_message (GByteArray *out, guint field, GByteArray *message)
{
  wire_bytes (out, field, message->data, message->len);
  g_byte_array_set_size (message, 0);
}

void
wire_entry (GByteArray *out, guint field, const char *key, const char *value)
{
  g_autoptr (GByteArray) entry = g_byte_array_new ();

  wire_string (entry, ENTRY_KEY, key);
  wire_string (entry, ENTRY_VALUE, value);
  wire_message (out, field, entry);
}
