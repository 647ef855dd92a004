/* SPDX-License-Identifier: Apache-2.0 */
/* read.c: walks an ONNX file's wire format. */
#include "config.h"

#include <string.h>

#include "read.h"

/* ---- fields ------------------------------------------------------------------------------- */

typedef struct
{
  const char *name; /* of the file, for messages */
  const guint8 *start, *at, *end;
  GError **error;
} Walk;

/* Field: one of a message; @number for varints and fixed ones, @bytes for the rest. */
typedef struct
{
  guint id, wire;
  guint64 number;
  FrStr bytes;
} Field;

static gboolean
damaged (Walk *w, const char *what)
{
  g_set_error (w->error, FR_ERROR, FR_ERROR_DATA,
               "%s: no ONNX file, or a damaged one: %s at byte %zu", w->name, what,
               (gsize) (w->at - w->start));
  return FALSE;
}

static gboolean
read_varint (Walk *w, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 70; shift += 7)
    {
      guint8 byte;

      if (w->at >= w->end)
        return damaged (w, "a number is cut off");
      byte = *w->at++;
      if (shift < 64)
        *value |= (guint64) (byte & 0x7f) << shift;
      if (byte < 0x80)
        return TRUE;
    }
  return damaged (w, "a number of more than ten bytes");
}

static gboolean
read_fixed (Walk *w, guint n, guint64 *value)
{
  *value = 0;
  if ((gsize) (w->end - w->at) < n)
    return damaged (w, "a number is cut off");
  memcpy (value, w->at, n);
  w->at += n;
  return TRUE;
}

static gboolean
read_field (Walk *w, Field *field)
{
  guint64 key, len;

  if (!read_varint (w, &key))
    return FALSE;
  field->id = (guint) MIN (key >> 3, G_MAXUINT);
  field->wire = (guint) (key & 7);
  switch (field->wire)
    {
    case WIRE_VARINT:
      return read_varint (w, &field->number);
    case WIRE_I64:
      return read_fixed (w, 8, &field->number);
    case WIRE_I32:
      return read_fixed (w, 4, &field->number);
    case WIRE_LEN:
      if (!read_varint (w, &len))
        return FALSE;
      if (len > (guint64) (w->end - w->at))
        return damaged (w, "a field is longer than what is left");
      field->bytes = (FrStr){ (const char *) w->at, (gsize) len };
      w->at += len;
      return TRUE;
    default:
      return damaged (w, "a field of an unknown kind");
    }
}

/* A walk over the message in @field. */
static Walk
inside (const Walk *w, const Field *field)
{
  const guint8 *at = (const guint8 *) field->bytes.data;

  return (Walk){ w->name, w->start, at, at + field->bytes.len, w->error };
}

static gboolean
is_text (const Field *field, guint id)
{
  return field->id == id && field->wire == WIRE_LEN;
}

static gboolean
is_number (const Field *field, guint id)
{
  return field->id == id && field->wire == WIRE_VARINT;
}

/* ---- small messages ------------------------------------------------------------------------- */

static gboolean
read_pair (Walk w, OnnxPair *pair)
{
  Field f;

  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_text (&f, ENTRY_KEY))
        pair->key = f.bytes;
      else if (is_text (&f, ENTRY_VALUE))
        pair->value = f.bytes;
    }
  return TRUE;
}

static gboolean
read_opset (Walk w, OnnxOpset *opset)
{
  Field f;

  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_text (&f, OPSET_DOMAIN))
        opset->domain = f.bytes;
      else if (is_number (&f, OPSET_VERSION))
        opset->version = (gint64) f.number;
    }
  return TRUE;
}

/* ---- tensors -----------------------------------------------------------------------------------
 */

static gboolean
add_dim (Walk *w, OnnxTensor *t, guint64 dim)
{
  if (t->n_dims == ONNX_MAX_DIMS)
    return damaged (w, "a tensor of more than 8 dimensions");
  t->dims[t->n_dims++] = (gint64) dim;
  return TRUE;
}

/* One in a field of its own, or several packed into one. */
static gboolean
read_dims (Walk *w, const Field *f, OnnxTensor *t)
{
  Walk packed = inside (w, f);

  if (f->wire == WIRE_VARINT)
    return add_dim (w, t, f->number);
  while (f->wire == WIRE_LEN && packed.at < packed.end)
    {
      guint64 dim;

      if (!read_varint (&packed, &dim) || !add_dim (w, t, dim))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_key (FrStr key, const char *name)
{
  return key.len == strlen (name) && memcmp (key.data, name, key.len) == 0;
}

static gboolean
read_external (Walk *w, const Field *f, OnnxTensor *t)
{
  OnnxPair pair = { 0 };
  g_autofree char *digits = NULL;
  gint64 *to;

  if (!read_pair (inside (w, f), &pair))
    return FALSE;
  if (is_key (pair.key, "location"))
    t->location = pair.value;
  to = is_key (pair.key, "offset") ? &t->offset : is_key (pair.key, "length") ? &t->length : NULL;
  if (to == NULL)
    return TRUE;
  digits = g_strndup (pair.value.data, pair.value.len);
  if (!g_ascii_string_to_signed (digits, 10, 0, G_MAXINT64, to, NULL))
    return damaged (w, "offset or length of external data is no number");
  return TRUE;
}

static gboolean
read_tensor (Walk w, OnnxTensor *t)
{
  Field f;

  t->length = -1;
  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (f.id == TENSOR_DIMS && !read_dims (&w, &f, t))
        return FALSE;
      if (is_number (&f, TENSOR_DATA_TYPE))
        t->type = (gint64) f.number;
      else if (is_text (&f, TENSOR_NAME))
        t->name = f.bytes;
      else if (is_text (&f, TENSOR_RAW_DATA))
        t->raw = f.bytes;
      else if (is_text (&f, TENSOR_EXTERNAL_DATA) && !read_external (&w, &f, t))
        return FALSE;
      else if (is_number (&f, TENSOR_DATA_LOCATION))
        t->external = f.number == 1;
    }
  return TRUE;
}

gint64
onnx_tensor_bytes (const OnnxTensor *t)
{
  gint64 bytes = onnx_type_bytes (t->type);

  if (bytes == 0)
    return -1;
  for (guint i = 0; i < t->n_dims; i++)
    if (t->dims[i] < 0 || (t->dims[i] > 0 && bytes > G_MAXINT64 / t->dims[i]))
      return -1;
    else
      bytes *= t->dims[i];
  return bytes;
}

/* ---- inputs and outputs
 * --------------------------------------------------------------------------- */

static gboolean
read_dim (Walk w, OnnxValue *value)
{
  Field f;
  guint i = value->n_dims;

  if (i == ONNX_MAX_DIMS)
    return damaged (&w, "a value of more than 8 dimensions");
  value->dims[i] = -1;
  value->n_dims++;
  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_number (&f, DIM_VALUE))
        value->dims[i] = (gint64) f.number;
      else if (is_text (&f, DIM_PARAM))
        value->symbols[i] = f.bytes;
    }
  return TRUE;
}

static gboolean
read_shape (Walk w, OnnxValue *value)
{
  Field f;

  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_text (&f, SHAPE_DIM) && !read_dim (inside (&w, &f), value))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_tensor_type (Walk w, OnnxValue *value)
{
  Field f;

  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_number (&f, TENSOR_TYPE_ELEM))
        value->type = (gint64) f.number;
      else if (is_text (&f, TENSOR_TYPE_SHAPE) && !read_shape (inside (&w, &f), value))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_type (Walk w, OnnxValue *value)
{
  Field f;

  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_text (&f, TYPE_TENSOR) && !read_tensor_type (inside (&w, &f), value))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_value (Walk w, OnnxValue *value)
{
  Field f;

  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_text (&f, VALUE_NAME))
        value->name = f.bytes;
      else if (is_text (&f, VALUE_TYPE) && !read_type (inside (&w, &f), value))
        return FALSE;
    }
  return TRUE;
}

/* ---- graph
 * ------------------------------------------------------------------------------------------ */

/* Inputs come before outputs in the file's names, whatever the order of the fields. */
static gboolean
read_node (Walk w, OnnxFile *file, OnnxNode *node)
{
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (FrStr));
  Field f;

  node->first = file->names->len;
  while (w.at < w.end)
    {
      if (!read_field (&w, &f))
        return FALSE;
      if (is_text (&f, NODE_INPUT))
        g_array_append_val (file->names, f.bytes);
      else if (is_text (&f, NODE_OUTPUT))
        g_array_append_val (outputs, f.bytes);
      else if (is_text (&f, NODE_NAME))
        node->name = f.bytes;
      else if (is_text (&f, NODE_OP_TYPE))
        node->op = f.bytes;
      else if (is_text (&f, NODE_DOMAIN))
        node->domain = f.bytes;
    }
  node->n_inputs = file->names->len - node->first;
  node->n_outputs = outputs->len;
  if (outputs->len > 0)
    g_array_append_vals (file->names, outputs->data, outputs->len);
  return TRUE;
}

static gboolean
read_graph_field (Walk *w, const Field *f, OnnxFile *file)
{
  OnnxNode node = { 0 };
  OnnxTensor tensor = { 0 };
  OnnxValue value = { 0 };
  GArray *values = f->id == GRAPH_INPUT ? file->inputs : file->outputs;

  switch (f->wire == WIRE_LEN ? f->id : 0)
    {
    case GRAPH_NODE:
      if (!read_node (inside (w, f), file, &node))
        return FALSE;
      g_array_append_val (file->nodes, node);
      return TRUE;
    case GRAPH_INITIALIZER:
      if (!read_tensor (inside (w, f), &tensor))
        return FALSE;
      g_array_append_val (file->tensors, tensor);
      return TRUE;
    case GRAPH_INPUT:
    case GRAPH_OUTPUT:
      if (!read_value (inside (w, f), &value))
        return FALSE;
      g_array_append_val (values, value);
      return TRUE;
    case GRAPH_NAME:
      file->graph = f->bytes;
      return TRUE;
    default:
      return TRUE;
    }
}

static gboolean
read_graph (Walk w, OnnxFile *file)
{
  Field f;

  while (w.at < w.end)
    if (!read_field (&w, &f) || !read_graph_field (&w, &f, file))
      return FALSE;
  return TRUE;
}

static gboolean
read_model_field (Walk *w, const Field *f, OnnxFile *file)
{
  OnnxOpset opset = { 0 };
  OnnxPair pair = { 0 };

  if (is_number (f, MODEL_IR_VERSION))
    file->ir_version = (gint64) f->number;
  else if (is_text (f, MODEL_PRODUCER_NAME))
    file->producer = f->bytes;
  else if (is_text (f, MODEL_PRODUCER_VERSION))
    file->producer_version = f->bytes;
  else if (is_text (f, MODEL_GRAPH))
    return read_graph (inside (w, f), file);
  else if (is_text (f, MODEL_OPSET_IMPORT))
    {
      if (!read_opset (inside (w, f), &opset))
        return FALSE;
      g_array_append_val (file->opsets, opset);
    }
  else if (is_text (f, MODEL_METADATA_PROPS))
    {
      if (!read_pair (inside (w, f), &pair))
        return FALSE;
      g_array_append_val (file->metadata, pair);
    }
  return TRUE;
}

OnnxFile *
onnx_file_parse (const char *name, gconstpointer data, gsize len, GError **error)
{
  g_autoptr (OnnxFile) file = g_new0 (OnnxFile, 1);
  Walk w = { name, data, data, (const guint8 *) data + len, error };
  Field f;

  file->opsets = g_array_new (FALSE, FALSE, sizeof (OnnxOpset));
  file->metadata = g_array_new (FALSE, FALSE, sizeof (OnnxPair));
  file->tensors = g_array_new (FALSE, FALSE, sizeof (OnnxTensor));
  file->inputs = g_array_new (FALSE, FALSE, sizeof (OnnxValue));
  file->outputs = g_array_new (FALSE, FALSE, sizeof (OnnxValue));
  file->nodes = g_array_new (FALSE, FALSE, sizeof (OnnxNode));
  file->names = g_array_new (FALSE, FALSE, sizeof (FrStr));
  while (w.at < w.end)
    if (!read_field (&w, &f) || !read_model_field (&w, &f, file))
      return NULL;
  if (file->ir_version > 0 && (file->nodes->len > 0 || file->tensors->len > 0))
    return g_steal_pointer (&file);
  damaged (&w, "no version and no graph before the end");
  return NULL;
}

OnnxFile *
onnx_file_open (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, &local);
  OnnxFile *file;

  if (map == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", local->message);
      return NULL;
    }
  file = onnx_file_parse (path, g_mapped_file_get_contents (map), g_mapped_file_get_length (map),
                          error);
  if (file != NULL)
    file->map = g_steal_pointer (&map);
  return file;
}

void
onnx_file_free (OnnxFile *file)
{
  if (file == NULL)
    return;
  g_array_unref (file->opsets);
  g_array_unref (file->metadata);
  g_array_unref (file->tensors);
  g_array_unref (file->inputs);
  g_array_unref (file->outputs);
  g_array_unref (file->nodes);
  g_array_unref (file->names);
  g_clear_pointer (&file->map, g_mapped_file_unref);
  g_free (file);
}

/* ---- what must hold
 * ------------------------------------------------------------------------------------ */

static guint
str_hash (gconstpointer key)
{
  const FrStr *s = key;
  guint h = 5381;

  for (gsize i = 0; i < s->len; i++)
    h = h * 33 + (guint8) s->data[i];
  return h;
}

static gboolean
str_equal (gconstpointer a, gconstpointer b)
{
  const FrStr *x = a, *y = b;

  return x->len == y->len && memcmp (x->data, y->data, x->len) == 0;
}

static gboolean
complain (const char *name, const char *what, const FrStr *value, GError **error)
{
  g_autofree char *text = g_utf8_make_valid (value->data, (gssize) MIN (value->len, 200));

  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: '%s' %s", name, text, what);
  return FALSE;
}

static gboolean
check_node (const OnnxFile *file, const OnnxNode *node, GHashTable *made, const char *name,
            GError **error)
{
  FrStr *names = &g_array_index (file->names, FrStr, node->first);

  for (guint i = 0; i < node->n_inputs; i++)
    if (names[i].len > 0 && !g_hash_table_contains (made, &names[i]))
      return complain (name, "is used before it is made", &names[i], error);
  for (guint i = node->n_inputs; i < node->n_inputs + node->n_outputs; i++)
    if (names[i].len > 0 && !g_hash_table_add (made, &names[i]))
      return complain (name, "is made twice", &names[i], error);
  return TRUE;
}

gboolean
onnx_file_check (const OnnxFile *file, const char *name, GError **error)
{
  g_autoptr (GHashTable) made = g_hash_table_new (str_hash, str_equal);

  for (guint i = 0; i < file->tensors->len; i++)
    {
      FrStr *one = &g_array_index (file->tensors, OnnxTensor, i).name;

      if (!g_hash_table_add (made, one))
        return complain (name, "is made twice", one, error);
    }
  for (guint i = 0; i < file->inputs->len; i++) /* may be an initializer's too: its default */
    g_hash_table_add (made, &g_array_index (file->inputs, OnnxValue, i).name);
  for (guint i = 0; i < file->nodes->len; i++)
    if (!check_node (file, &g_array_index (file->nodes, OnnxNode, i), made, name, error))
      return FALSE;
  for (guint i = 0; i < file->outputs->len; i++)
    {
      FrStr *one = &g_array_index (file->outputs, OnnxValue, i).name;

      if (!g_hash_table_contains (made, one))
        return complain (name, "is an output that nothing makes", one, error);
    }
  if (file->opsets->len > 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s says no version of its operators", name);
  return FALSE;
}
