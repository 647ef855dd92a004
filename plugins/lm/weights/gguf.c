/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.c: reading GGUF v3 files.
 *
 * Follows the GGUF specification; refuses what ggml's gguf.cpp refuses: keys
 * and tensors given twice, names of 64 bytes or more, alignments that are no
 * power of two, shapes that overflow or do not divide into blocks, offsets
 * that are not the running sum, texts beyond 1 GiB, arrays beyond 2^30.
 */
#include "config.h"

#include <string.h>

#include "lm/weights/weights-private.h"

#define GGUF_VERSION 3
#define MAX_NAME 64
#define MAX_STRING ((guint64) 1 << 30)
#define MAX_ARRAY ((guint64) 1 << 30)
#define MAX_DIMS 4
#define SHOWN_ARRAY 64 /* items of an array that goes into the metadata */

enum
{
  KV_U8,
  KV_I8,
  KV_U16,
  KV_I16,
  KV_U32,
  KV_I32,
  KV_F32,
  KV_BOOL,
  KV_STRING,
  KV_ARRAY,
  KV_U64,
  KV_I64,
  KV_F64,
  KV_N_TYPES
};

static const guint8 kv_size[KV_N_TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

/* Types that ggml knows and this library does not, by id, to say their names. */
static const char *const other_types[]
    = { [9] = "Q8_1",     [10] = "Q2_K",   [11] = "Q3_K",    [15] = "Q8_K",
        [16] = "IQ2_XXS", [17] = "IQ2_XS", [18] = "IQ3_XXS", [19] = "IQ1_S",
        [20] = "IQ4_NL",  [21] = "IQ3_S",  [22] = "IQ2_S",   [23] = "IQ4_XS",
        [29] = "IQ1_M",   [34] = "TQ1_0",  [35] = "TQ2_0",   [39] = "MXFP4" };

/* Where reading stands; every step checks what is left. */
typedef struct
{
  LmWeightFile *file;
  gsize at;
} Cursor;

static gboolean
cut (const Cursor *c, GError **error)
{
  return lm_weights_error (c->file, error,
                           "the header ends at byte %zu, in the middle of an entry: the file is "
                           "truncated; fetch it again",
                           c->file->len);
}

static const guint8 *
take (Cursor *c, guint64 n, GError **error)
{
  const guint8 *p = c->file->data + c->at;

  if (n > c->file->len - c->at)
    {
      cut (c, error);
      return NULL;
    }
  c->at += (gsize) n;
  return p;
}

static gboolean
take_u32 (Cursor *c, guint32 *v, GError **error)
{
  const guint8 *p = take (c, sizeof *v, error);

  if (p != NULL)
    memcpy (v, p, sizeof *v);
  return p != NULL;
}

static gboolean
take_u64 (Cursor *c, guint64 *v, GError **error)
{
  const guint8 *p = take (c, sizeof *v, error);

  if (p != NULL)
    memcpy (v, p, sizeof *v);
  return p != NULL;
}

static gboolean
take_string (Cursor *c, FrStr *s, GError **error)
{
  guint64 n;

  if (!take_u64 (c, &n, error))
    return FALSE;
  if (n > MAX_STRING)
    return lm_weights_error (c->file, error,
                             "byte %zu: a text of %" G_GUINT64_FORMAT " bytes, expected at most "
                             "1 GiB",
                             c->at - 8, n);
  s->data = (const char *) take (c, n, error);
  s->len = (gsize) n;
  return s->data != NULL;
}

/* A key or a tensor's name: some text, which C can hold. */
static char *
take_name (Cursor *c, const char *what, GError **error)
{
  gsize start = c->at;
  FrStr s;

  if (!take_string (c, &s, error))
    return NULL;
  if (s.len == 0 || memchr (s.data, 0, s.len) != NULL || !g_utf8_validate_len (s.data, s.len, NULL))
    {
      lm_weights_error (c->file, error, "byte %zu: %s is empty or no UTF-8 text", start, what);
      return NULL;
    }
  return g_strndup (s.data, s.len);
}

/* ---- keys and values --------------------------------------------------------------- */

static JsonNode *
text_node (FrStr s)
{
  g_autofree char *text = g_utf8_make_valid (s.data, (gssize) s.len);

  return json_node_init_string (json_node_alloc (), text);
}

/* A number or truth value at @p. */
static JsonNode *
scalar_node (guint32 type, const guint8 *p)
{
  JsonNode *node = json_node_alloc ();
  union
  {
    guint8 u8;
    gint8 i8;
    guint16 u16;
    gint16 i16;
    guint32 u32;
    gint32 i32;
    float f32;
    guint64 u64;
    gint64 i64;
    double f64;
  } v = { 0 };

  memcpy (&v, p, kv_size[type]);
  switch (type)
    {
    case KV_U8:
      return json_node_init_int (node, v.u8);
    case KV_I8:
      return json_node_init_int (node, v.i8);
    case KV_U16:
      return json_node_init_int (node, v.u16);
    case KV_I16:
      return json_node_init_int (node, v.i16);
    case KV_U32:
      return json_node_init_int (node, v.u32);
    case KV_I32:
      return json_node_init_int (node, v.i32);
    case KV_F32:
      return json_node_init_double (node, (double) v.f32);
    case KV_BOOL:
      return json_node_init_boolean (node, v.u8 != 0);
    case KV_U64:
      return v.u64 <= G_MAXINT64 ? json_node_init_int (node, (gint64) v.u64)
                                 : json_node_init_double (node, (double) v.u64);
    case KV_I64:
      return json_node_init_int (node, v.i64);
    default:
      return json_node_init_double (node, v.f64);
    }
}

static JsonNode *
take_scalar (Cursor *c, guint32 type, GError **error)
{
  const guint8 *p;
  FrStr s;

  if (type == KV_STRING)
    return take_string (c, &s, error) ? text_node (s) : NULL;
  p = take (c, kv_size[type], error);
  return p != NULL ? scalar_node (type, p) : NULL;
}

/* Keeps where the array is; a short one also goes into the metadata. */
static gboolean
take_array (Cursor *c, const char *key, GError **error)
{
  g_autoptr (JsonArray) shown = NULL;
  LmGgufArray *array;
  guint32 type;
  guint64 n;
  FrStr s;

  if (!take_u32 (c, &type, error) || !take_u64 (c, &n, error))
    return FALSE;
  if (type >= KV_N_TYPES || type == KV_ARRAY)
    return lm_weights_error (c->file, error,
                             "key '%s': an array of elements of type %u, which "
                             "is not allowed",
                             key, type);
  if (n > MAX_ARRAY)
    return lm_weights_error (
        c->file, error,
        "key '%s': an array of %" G_GUINT64_FORMAT " elements, expected at most 2^30", key, n);
  array = g_new0 (LmGgufArray, 1);
  *array = (LmGgufArray){ .type = type, .n = n, .at = c->file->data + c->at };
  g_hash_table_insert (c->file->arrays, g_strdup (key), array);
  if (n <= SHOWN_ARRAY)
    {
      shown = json_array_new ();
      for (guint64 i = 0; i < n; i++)
        {
          JsonNode *node = take_scalar (c, type, error);

          if (node == NULL)
            return FALSE;
          json_array_add_element (shown, node);
        }
      json_object_set_array_member (c->file->metadata, key, g_steal_pointer (&shown));
      return TRUE;
    }
  if (type != KV_STRING)
    return take (c, n * kv_size[type], error) != NULL;
  for (guint64 i = 0; i < n; i++)
    if (!take_string (c, &s, error))
      return FALSE;
  return TRUE;
}

static gboolean
take_pair (Cursor *c, GError **error)
{
  g_autofree char *key = take_name (c, "a key", error);
  JsonNode *value;
  guint32 type;

  if (key == NULL || !take_u32 (c, &type, error))
    return FALSE;
  if (json_object_has_member (c->file->metadata, key)
      || g_hash_table_contains (c->file->arrays, key))
    return lm_weights_error (c->file, error, "key '%s' is there twice", key);
  if (type >= KV_N_TYPES)
    return lm_weights_error (c->file, error, "key '%s' has the unknown type %u", key, type);
  if (type == KV_ARRAY)
    return take_array (c, key, error);
  value = take_scalar (c, type, error);
  if (value == NULL)
    return FALSE;
  if (strcmp (key, "general.alignment") == 0 && type != KV_U32)
    {
      json_node_unref (value);
      return lm_weights_error (c->file, error, "general.alignment is no u32");
    }
  json_object_set_member (c->file->metadata, key, value);
  return TRUE;
}

/* ---- tensors ----------------------------------------------------------------------- */

static gboolean
find_type (Cursor *c, const char *name, guint32 id, LmType *type, GError **error)
{
  for (guint t = 0; t < LM_N_TYPES; t++)
    if (lm_types[t].gguf == (int) id)
      {
        *type = (LmType) t;
        return TRUE;
      }
  return lm_weights_error (
      c->file, error,
      "tensor '%s' is stored as %s (type %u), which is not read; read are F32, F16, BF16, Q8_0, "
      "Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K",
      name,
      id < G_N_ELEMENTS (other_types) && other_types[id] != NULL ? other_types[id] : "unknown", id);
}

/* Dimensions are stored fastest first; LmTensor has them the other way round. */
static gboolean
take_dims (Cursor *c, LmTensor *t, GError **error)
{
  if (!take_u32 (c, &t->n_dims, error))
    return FALSE;
  if (t->n_dims > MAX_DIMS)
    return lm_weights_error (c->file, error, "tensor '%s' has %u dimensions, expected at most %d",
                             t->name, t->n_dims, MAX_DIMS);
  for (guint i = 0; i < t->n_dims; i++)
    {
      guint64 d;

      if (!take_u64 (c, &d, error))
        return FALSE;
      if (d > G_MAXINT64)
        return lm_weights_error (c->file, error, "tensor '%s' has a negative dimension", t->name);
      t->dims[t->n_dims - 1 - i] = (gint64) d;
    }
  return TRUE;
}

static gboolean
take_tensor (Cursor *c, guint64 alignment, guint64 *offset, GError **error)
{
  LmTensor t = { .name = take_name (c, "a tensor's name", error) };
  g_autofree char *name = t.name;
  guint64 elements, stated;
  guint32 id;

  if (name == NULL)
    return FALSE;
  if (strlen (name) >= MAX_NAME)
    return lm_weights_error (c->file, error, "tensor '%s' has a name of %d bytes or more", name,
                             MAX_NAME);
  if (!take_dims (c, &t, error) || !take_u32 (c, &id, error) || !take_u64 (c, &stated, error)
      || !find_type (c, name, id, &t.type, error))
    return FALSE;
  if (!lm_weights_elements (t.dims, t.n_dims, &elements))
    return lm_weights_error (c->file, error, "tensor '%s' has a shape beyond 2^63 bytes", name);
  if ((t.n_dims > 0 ? t.dims[t.n_dims - 1] : 1) % lm_types[t.type].block != 0)
    return lm_weights_error (c->file, error,
                             "tensor '%s': rows of %" G_GINT64_FORMAT " do not divide into %s "
                             "blocks of %u",
                             name, t.n_dims > 0 ? t.dims[t.n_dims - 1] : 1, lm_types[t.type].name,
                             lm_types[t.type].block);
  if (stated != *offset)
    return lm_weights_error (c->file, error,
                             "tensor '%s' lies at byte %" G_GUINT64_FORMAT
                             " of the data, expected %" G_GUINT64_FORMAT
                             ": tensors may neither overlap nor leave holes",
                             name, stated, *offset);
  t.bytes = lm_type_bytes (t.type, elements);
  if (t.bytes > G_MAXINT64 - alignment || *offset > G_MAXINT64 - t.bytes - alignment)
    return lm_weights_error (c->file, error, "tensor '%s' ends beyond 2^63 bytes", name);
  t.data = GSIZE_TO_POINTER (*offset); /* made an address when the data section is known */
  *offset += (t.bytes + alignment - 1) / alignment * alignment;
  name = NULL;
  return lm_weights_add (c->file, &t, error);
}

/* The last tensor need not be padded. */
static gboolean
place_tensors (LmWeightFile *file, gsize data, GError **error)
{
  gsize room = file->len > data ? file->len - data : 0, end = 0;
  const char *first = NULL;

  for (guint i = 0; i < file->tensors->len; i++)
    {
      LmTensor *t = &g_array_index (file->tensors, LmTensor, i);
      gsize offset = GPOINTER_TO_SIZE (t->data);

      end = offset + t->bytes;
      t->data = NULL;
      if (end <= room)
        t->data = file->data + MIN (data, file->len) + offset; /* without data, nothing is padded */
      else if (first == NULL)
        first = t->name;
    }
  file->truncated = first != NULL;
  return first == NULL || file->header_only
             ? TRUE
             : lm_weights_error (file, error,
                                 "the file is truncated: tensor '%s' and all after it are cut off; "
                                 "it has %zu bytes, expected %zu; fetch it again",
                                 first, file->len, data + end);
}

static gboolean
take_alignment (LmWeightFile *file, guint64 *alignment, GError **error)
{
  gint64 a = json_object_get_int_member_with_default (file->metadata, "general.alignment", 32);

  *alignment = (guint64) a;
  return a > 0 && (a & (a - 1)) == 0 ? TRUE
                                     : lm_weights_error (file, error,
                                                         "general.alignment is %" G_GINT64_FORMAT
                                                         ", expected a power of two",
                                                         a);
}

static gboolean
take_version (Cursor *c, GError **error)
{
  guint32 version;

  if (take (c, 4, error) == NULL || !take_u32 (c, &version, error))
    return FALSE;
  if (version == GGUF_VERSION)
    return TRUE;
  return lm_weights_error (c->file, error,
                           version != 0 && (version & 0xffff) == 0
                               ? "GGUF of a big-endian machine (version %u), which is not read"
                               : "GGUF version %u, expected 3; convert the model again",
                           version != 0 && (version & 0xffff) == 0 ? GUINT32_SWAP_LE_BE (version)
                                                                   : version);
}

gboolean
lm_gguf_parse (LmWeightFile *file, GError **error)
{
  Cursor c = { .file = file };
  guint64 n_tensors, n_pairs, alignment, offset = 0;

  if (!take_version (&c, error) || !take_u64 (&c, &n_tensors, error)
      || !take_u64 (&c, &n_pairs, error))
    return FALSE;
  /* An entry has at least 12 bytes: more entries than that are a lie. */
  if (n_tensors > file->len / 12 || n_pairs > file->len / 12)
    return lm_weights_error (file, error,
                             "%" G_GUINT64_FORMAT " tensors and %" G_GUINT64_FORMAT
                             " keys cannot be in %zu bytes",
                             n_tensors, n_pairs, file->len);
  for (guint64 i = 0; i < n_pairs; i++)
    if (!take_pair (&c, error))
      return FALSE;
  if (!take_alignment (file, &alignment, error))
    return FALSE;
  for (guint64 i = 0; i < n_tensors; i++)
    if (!take_tensor (&c, alignment, &offset, error))
      return FALSE;
  return place_tensors (file, (gsize) ((c.at + alignment - 1) / alignment * alignment), error);
}

/* ---- arrays, when asked for -------------------------------------------------------- */

static FrStr *
cook_strings (const LmGgufArray *array)
{
  FrStr *strings = g_new (FrStr, MAX (array->n, 1));
  const guint8 *p = array->at;

  for (guint64 i = 0; i < array->n; i++)
    {
      guint64 len;

      memcpy (&len, p, sizeof len); /* checked when the header was read */
      strings[i] = (FrStr){ (const char *) p + sizeof len, (gsize) len };
      p += sizeof len + len;
    }
  return strings;
}

static gpointer
cooked (LmWeightFile *file, const char *key, gboolean strings, gsize *n)
{
  LmGgufArray *array = g_hash_table_lookup (file->arrays, key);

  if (array == NULL
      || (strings ? array->type != KV_STRING : array->type != KV_I32 && array->type != KV_U32))
    return NULL;
  *n = (gsize) array->n;
  g_mutex_lock (&file->lock);
  if (array->cooked == NULL && strings)
    array->cooked = cook_strings (array);
  else if (array->cooked == NULL)
    {
      array->cooked = g_new (gint32, MAX (array->n, 1));
      memcpy (array->cooked, array->at, (gsize) array->n * sizeof (gint32));
    }
  g_mutex_unlock (&file->lock);
  return array->cooked;
}

const FrStr *
lm_gguf_strings (LmWeightFile *file, const char *key, gsize *n)
{
  return cooked (file, key, TRUE, n);
}

const gint32 *
lm_gguf_ints (LmWeightFile *file, const char *key, gsize *n)
{
  return cooked (file, key, FALSE, n);
}
