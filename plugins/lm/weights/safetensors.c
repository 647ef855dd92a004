/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.c: reading .safetensors files.
 *
 * Follows the format description of huggingface/safetensors: a 64-bit length,
 * a JSON header, the data.  The checks are those of its Rust crate, in their
 * order; stricter are names given twice and blanks before the header, which
 * the description forbids and the crate lets pass.
 */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>

#include "lm/weights/weights-private.h"

#define MAX_HEADER 100000000
#define PREFIX 8

typedef struct
{
  LmTensor tensor;
  guint64 begin, end;
  gboolean has_type, has_shape, has_offsets;
} Entry;

static void
entry_clear (gpointer data)
{
  g_free (((Entry *) data)->tensor.name);
}

static gboolean
broken (LmWeightFile *file, FrJsonReader *r, const char *expected, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint line, column;

  if (r->fault != NULL)
    {
      fr_json_reader_error (r, &local);
      return lm_weights_error (file, error, "the header is not JSON: %s", local->message);
    }
  fr_json_reader_where (r, r->start, &line, &column);
  return lm_weights_error (file, error, "header, line %u, column %u: expected %s", line, column,
                           expected);
}

/* A text that C can hold; NULL when it has a NUL in it. */
static char *
plain_text (FrStr s)
{
  return memchr (s.data, 0, s.len) == NULL ? g_strndup (s.data, s.len) : NULL;
}

static gboolean
read_type (LmWeightFile *file, FrJsonReader *r, Entry *entry, GError **error)
{
  g_autofree char *name = NULL;

  if (fr_json_reader_next (r) != FR_JSON_STRING)
    return broken (file, r, "the name of a dtype", error);
  for (guint t = 0; t < LM_N_TYPES; t++)
    if (lm_types[t].safetensors != NULL && strlen (lm_types[t].safetensors) == r->str.len
        && memcmp (lm_types[t].safetensors, r->str.data, r->str.len) == 0)
      {
        entry->tensor.type = (LmType) t;
        return TRUE;
      }
  name = g_strndup (r->str.data, r->str.len);
  return lm_weights_error (file, error,
                           "tensor '%s' has dtype %s, which is not read; read are F64, F32, F16, "
                           "BF16, F8_E4M3, F8_E5M2, I8 to I64, U8 and BOOL",
                           entry->tensor.name, name);
}

static gboolean
read_shape (LmWeightFile *file, FrJsonReader *r, Entry *entry, GError **error)
{
  LmTensor *t = &entry->tensor;
  FrJsonToken token;

  if (fr_json_reader_next (r) != FR_JSON_ARRAY)
    return broken (file, r, "a shape, an array of whole numbers", error);
  while ((token = fr_json_reader_next (r)) == FR_JSON_INT && r->integer >= 0)
    {
      if (t->n_dims == G_N_ELEMENTS (t->dims))
        return lm_weights_error (file, error,
                                 "tensor '%s' has more than %zu dimensions, which is not read",
                                 t->name, G_N_ELEMENTS (t->dims));
      t->dims[t->n_dims++] = r->integer;
    }
  return token == FR_JSON_ARRAY_END ? TRUE : broken (file, r, "a size, from 0 to 2^63 - 1", error);
}

static gboolean
read_offsets (LmWeightFile *file, FrJsonReader *r, Entry *entry, GError **error)
{
  static const char expected[] = "two offsets, the beginning and the end of the data";

  if (fr_json_reader_next (r) != FR_JSON_ARRAY || fr_json_reader_next (r) != FR_JSON_INT
      || r->integer < 0)
    return broken (file, r, expected, error);
  entry->begin = (guint64) r->integer;
  if (fr_json_reader_next (r) != FR_JSON_INT || r->integer < 0)
    return broken (file, r, expected, error);
  entry->end = (guint64) r->integer;
  return fr_json_reader_next (r) == FR_JSON_ARRAY_END ? TRUE : broken (file, r, expected, error);
}

static gboolean
read_member (LmWeightFile *file, FrJsonReader *r, Entry *entry, GError **error)
{
  static const struct
  {
    const char *key;
    gsize seen;
    gboolean (*read) (LmWeightFile *, FrJsonReader *, Entry *, GError **);
  } members[] = {
    { "dtype", G_STRUCT_OFFSET (Entry, has_type), read_type },
    { "shape", G_STRUCT_OFFSET (Entry, has_shape), read_shape },
    { "data_offsets", G_STRUCT_OFFSET (Entry, has_offsets), read_offsets },
  };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      gboolean *seen = G_STRUCT_MEMBER_P (entry, members[i].seen);

      if (strlen (members[i].key) != r->str.len
          || memcmp (members[i].key, r->str.data, r->str.len) != 0)
        continue;
      if (*seen)
        return lm_weights_error (file, error, "tensor '%s' states its %s twice", entry->tensor.name,
                                 members[i].key);
      *seen = TRUE;
      return members[i].read (file, r, entry, error);
    }
  return fr_json_reader_skip (r) ? TRUE : broken (file, r, "a value", error);
}

static gboolean
read_entry (LmWeightFile *file, FrJsonReader *r, GArray *entries, GError **error)
{
  Entry entry = { .tensor = { .name = plain_text (r->str) } };
  FrJsonToken token;

  if (entry.tensor.name == NULL)
    return broken (file, r, "a tensor's name without NUL", error);
  g_array_append_val (entries, entry);
  if (fr_json_reader_next (r) != FR_JSON_OBJECT)
    return broken (file, r, "a tensor's description, an object", error);
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    if (!read_member (file, r, &g_array_index (entries, Entry, entries->len - 1), error))
      return FALSE;
  if (token != FR_JSON_OBJECT_END)
    return broken (file, r, "a member or '}'", error);
  entry = g_array_index (entries, Entry, entries->len - 1);
  return entry.has_type && entry.has_shape && entry.has_offsets
             ? TRUE
             : lm_weights_error (file, error, "tensor '%s' lacks its %s", entry.tensor.name,
                                 !entry.has_type    ? "dtype"
                                 : !entry.has_shape ? "shape"
                                                    : "data_offsets");
}

static gboolean
read_metadata (LmWeightFile *file, FrJsonReader *r, GError **error)
{
  FrJsonToken token = fr_json_reader_next (r);

  if (token == FR_JSON_NULL)
    return TRUE;
  if (token != FR_JSON_OBJECT)
    return broken (file, r, "__metadata__ to be an object of texts", error);
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    {
      g_autofree char *key = plain_text (r->str), *value = NULL;

      if (key == NULL || json_object_has_member (file->metadata, key))
        return broken (file, r, "each key of __metadata__ once", error);
      if (fr_json_reader_next (r) != FR_JSON_STRING || (value = plain_text (r->str)) == NULL)
        return broken (file, r, "a text in __metadata__", error);
      json_object_set_string_member (file->metadata, key, value);
    }
  return token == FR_JSON_OBJECT_END ? TRUE : broken (file, r, "a member or '}'", error);
}

static gboolean
read_header (LmWeightFile *file, FrJsonReader *r, GArray *entries, GError **error)
{
  gboolean metadata = FALSE;
  FrJsonToken token;

  if (fr_json_reader_next (r) != FR_JSON_OBJECT)
    return broken (file, r, "an object of tensors", error);
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    {
      gboolean is_metadata = fr_str_equal (r->str, FR_STR ("__metadata__"));

      if (is_metadata && metadata)
        return lm_weights_error (file, error, "__metadata__ is there twice");
      metadata |= is_metadata;
      if (!(is_metadata ? read_metadata (file, r, error) : read_entry (file, r, entries, error)))
        return FALSE;
    }
  if (token != FR_JSON_OBJECT_END || fr_json_reader_next (r) != FR_JSON_END)
    return broken (file, r, "a tensor, or the end of the header", error);
  return TRUE;
}

static gint
by_offset (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end)
    return x->end < y->end ? -1 : 1;
  return strcmp (x->tensor.name, y->tensor.name);
}

static gboolean
check_entry (LmWeightFile *file, const Entry *e, guint64 previous, GError **error)
{
  const LmTensor *t = &e->tensor;
  guint64 elements, bytes;

  if (e->begin != previous || e->end < e->begin)
    return lm_weights_error (file, error,
                             "tensor '%s' lies at bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                             " of the data, expected a beginning at %" G_GUINT64_FORMAT
                             ": tensors may neither overlap nor leave holes",
                             t->name, e->begin, e->end, previous);
  if (!lm_weights_elements (t->dims, t->n_dims, &elements))
    return lm_weights_error (file, error, "tensor '%s' has a shape beyond 2^63 bytes", t->name);
  bytes = elements * lm_types[t->type].bytes;
  if (e->end - e->begin != bytes)
    return lm_weights_error (file, error,
                             "tensor '%s' has %" G_GUINT64_FORMAT " bytes; its shape and its dtype "
                             "%s ask for %" G_GUINT64_FORMAT,
                             t->name, e->end - e->begin, lm_types[t->type].name, bytes);
  return TRUE;
}

static gboolean
place_entries (LmWeightFile *file, GArray *entries, gsize data, GError **error)
{
  guint64 previous = 0, room = file->len - data;

  g_array_sort (entries, by_offset);
  for (guint i = 0; i < entries->len; i++)
    {
      Entry *e = &g_array_index (entries, Entry, i);

      if (!check_entry (file, e, previous, error))
        return FALSE;
      previous = e->end;
    }
  file->truncated = previous > room;
  if (previous > room && !file->header_only)
    return lm_weights_error (file, error,
                             "the file is truncated: its last %" G_GUINT64_FORMAT
                             " of %" G_GUINT64_FORMAT
                             " bytes of tensors are missing; fetch it again",
                             previous - room, previous);
  if (previous < room)
    return lm_weights_error (file, error,
                             "%" G_GUINT64_FORMAT " bytes follow the last tensor, expected none",
                             room - previous);
  for (guint i = 0; i < entries->len; i++)
    {
      Entry *e = &g_array_index (entries, Entry, i);
      LmTensor t = e->tensor;

      e->tensor.name = NULL;
      t.bytes = (gsize) (e->end - e->begin);
      t.data = e->end <= room ? file->data + data + e->begin : NULL;
      if (!lm_weights_add (file, &t, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lm_safetensors_parse (LmWeightFile *file, GError **error)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, TRUE, sizeof (Entry));
  FrJsonReader r;
  guint64 n;
  gboolean ok;

  g_array_set_clear_func (entries, entry_clear);
  if (file->len < PREFIX)
    return lm_weights_error (
        file, error, "%zu bytes are too few for weights; expected safetensors or GGUF", file->len);
  memcpy (&n, file->data, PREFIX);
  if (n > MAX_HEADER)
    return lm_weights_error (file, error,
                             "neither GGUF nor safetensors: a header of %" G_GUINT64_FORMAT
                             " bytes, expected at most %d",
                             n, MAX_HEADER);
  if (n + PREFIX > file->len)
    return lm_weights_error (file, error,
                             "the header should have %" G_GUINT64_FORMAT " bytes, but the file has "
                             "only %zu: it is truncated, or no safetensors file",
                             n, file->len);
  if (!g_utf8_validate_len ((const char *) file->data + PREFIX, (gsize) n, NULL))
    return lm_weights_error (file, error, "the header is not UTF-8: no safetensors file");
  if (n == 0 || file->data[PREFIX] != '{')
    return lm_weights_error (file, error, "the header does not begin with '{'");
  fr_json_reader_init (&r, (const char *) file->data + PREFIX, (gsize) n, FR_JSON_UTF8);
  ok = read_header (file, &r, entries, error)
       && place_entries (file, entries, PREFIX + (gsize) n, error);
  fr_json_reader_clear (&r);
  return ok;
}
