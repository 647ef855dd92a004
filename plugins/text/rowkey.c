/* SPDX-License-Identifier: Apache-2.0 */
/* rowkey.c: see rowkey.h. */
#include "config.h"

#include "text/rowkey.h"

#include <math.h>
#include <xxhash.h>

#include "text/normal.h"

struct _TextRowKey
{
  guint n;
  guint *columns;
  FrView *views;
  guint how;
  GString *buffer;
  GString *joined; /* texts of several columns */
};

static const struct
{
  const char *word;
  guint bits;
} normal_words[] = {
  { "unicode", TEXT_NFKC },
  { "width", TEXT_WIDTH },
  { "case", TEXT_CASE },
  { "control", TEXT_CONTROL },
  { "space", TEXT_SPACE },
  { "all_space", TEXT_NO_SPACE },
  { "punctuation", TEXT_NO_PUNCTUATION },
};

const char *const *
text_normal_word_list (void)
{
  static const char *const list[] = { "none",  "unicode",   "width",       "case", "control",
                                      "space", "all_space", "punctuation", NULL };

  return list;
}

guint
text_normal_words (const char *const *words, const char **wrong)
{
  guint bits = 0;

  *wrong = NULL;
  for (guint i = 0; words != NULL && words[i] != NULL; i++)
    {
      guint k = 0;

      if (strcmp (words[i], "none") == 0)
        {
          if (words[1] != NULL && *wrong == NULL)
            *wrong = words[i];
          continue;
        }
      while (k < G_N_ELEMENTS (normal_words) && strcmp (words[i], normal_words[k].word) != 0)
        k++;
      if (k < G_N_ELEMENTS (normal_words))
        bits |= normal_words[k].bits;
      else if (*wrong == NULL)
        *wrong = words[i];
    }
  return bits;
}

static gboolean
is_text (const FrSchema *schema, guint column)
{
  return (FR_TYPES (fr_field_type (fr_schema_field (schema, column))) & FR_TYPES_TEXT) != 0;
}

TextRowKey *
text_row_key_new (const FrSchema *schema, const char *const *columns, guint how)
{
  TextRowKey *key = g_new0 (TextRowKey, 1);
  guint all = fr_schema_n_fields (schema), n_text = 0;
  gboolean given = columns != NULL && *columns != NULL;
  guint room = given ? g_strv_length ((char **) columns) : all;

  key->how = how;
  key->buffer = g_string_new (NULL);
  key->joined = g_string_new (NULL);
  key->columns = g_new0 (guint, room + 1);
  key->views = g_new0 (FrView, room + 1);
  if (given)
    {
      for (guint i = 0; columns[i] != NULL; i++)
        {
          int column = fr_schema_find (schema, columns[i]);

          if (column >= 0)
            key->columns[key->n++] = (guint) column;
        }
      return key;
    }
  for (guint i = 0; i < all; i++)
    n_text += is_text (schema, i);
  for (guint i = 0; i < all; i++)
    if (n_text == 0 || is_text (schema, i))
      key->columns[key->n++] = i;
  return key;
}

TextRowKey *
text_row_key_copy (const TextRowKey *key)
{
  TextRowKey *copy = g_new0 (TextRowKey, 1);

  copy->how = key->how;
  copy->n = key->n;
  copy->buffer = g_string_new (NULL);
  copy->joined = g_string_new (NULL);
  copy->columns = g_memdup2 (key->columns, (key->n + 1) * sizeof *key->columns);
  copy->views = g_new0 (FrView, key->n + 1);
  return copy;
}

void
text_row_key_free (TextRowKey *key)
{
  if (key == NULL)
    return;
  g_free (key->columns);
  g_free (key->views);
  g_string_free (key->buffer, TRUE);
  g_string_free (key->joined, TRUE);
  g_free (key);
}

void
text_row_key_open (TextRowKey *key, const FrBatch *batch)
{
  for (guint i = 0; i < key->n; i++)
    key->views[i] = fr_view (batch, key->columns[i]);
}

guint
text_row_key_n_columns (const TextRowKey *key)
{
  return key->n;
}

guint
text_row_key_column (const TextRowKey *key, guint i)
{
  return key->columns[i];
}

static void
append_number (GString *out, guint64 bits)
{
  bits = GUINT64_TO_LE (bits);
  g_string_append_len (out, (const char *) &bits, sizeof bits);
}

static void append_cell (GString *out, const FrView *view, gsize row, guint how);

static void
append_children (GString *out, const FrView *view, gsize row, guint how)
{
  if (view->type == FR_TYPE_LIST)
    {
      gsize start, n = fr_view_list (view, row, &start);
      FrView items = fr_view_child (view, 0);

      append_number (out, n);
      for (gsize i = 0; i < n; i++)
        append_cell (out, &items, start + i, how);
      return;
    }
  for (guint i = 0; i < (guint) fr_column_array (view->column)->n_children; i++)
    {
      FrView child = fr_view_child (view, i);

      append_cell (out, &child, row, how);
    }
}

/* A cell as bytes that are equal exactly when the cells are: a mark, then the
 * value; what has a length has it in front. */
static void
append_cell (GString *out, const FrView *view, gsize row, guint how)
{
  if (fr_view_is_null (view, row))
    {
      g_string_append_c (out, 0);
      return;
    }
  g_string_append_c (out, 1);
  switch (view->type)
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
    case FR_TYPE_BINARY:
      {
        gsize at = out->len;
        FrStr s = fr_view_str (view, row);
        guint64 len;

        append_number (out, 0);
        if (view->type == FR_TYPE_BINARY || how == 0)
          g_string_append_len (out, s.len > 0 ? s.data : "", (gssize) s.len);
        else
          text_normalise (s, how, out);
        len = GUINT64_TO_LE ((guint64) (out->len - at - sizeof len));
        memcpy (out->str + at, &len, sizeof len);
        break;
      }
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      {
        double value = fr_view_float (view, row);
        guint64 bits;

        /* Every not-a-number is one, and zero has no sign. */
        if (isnan (value))
          value = (double) NAN;
        else if (value == 0)
          value = 0;
        memcpy (&bits, &value, sizeof bits);
        append_number (out, bits);
        break;
      }
    case FR_TYPE_LIST:
    case FR_TYPE_STRUCT:
      append_children (out, view, row, how);
      break;
    default:
      append_number (out, (guint64) fr_view_int (view, row));
    }
}

TextKey
text_row_key_hash (TextRowKey *key, gsize row, guint64 seed)
{
  XXH128_hash_t hash;

  g_string_truncate (key->buffer, 0);
  for (guint i = 0; i < key->n; i++)
    append_cell (key->buffer, &key->views[i], row, key->how);
  hash = XXH3_128bits_withSeed (key->buffer->str, key->buffer->len, seed);
  return (TextKey){ hash.high64, hash.low64 };
}

FrStr
text_row_key_text (TextRowKey *key, gsize row)
{
  g_string_truncate (key->buffer, 0);
  for (guint i = 0; i < key->n; i++)
    {
      const FrView *view = &key->views[i];
      FrStr s;

      if (!(FR_TYPES (view->type) & FR_TYPES_TEXT))
        continue;
      if (i > 0)
        g_string_append_c (key->buffer, '\n');
      s = fr_view_str (view, row);
      if (s.len == 0)
        continue;
      if (key->how == 0)
        g_string_append_len (key->buffer, s.data, (gssize) s.len);
      else
        text_normalise (s, key->how, key->buffer);
    }
  return (FrStr){ key->buffer->str, key->buffer->len };
}

FrStr
text_row_key_both (TextRowKey *key, gsize row, TextKey *hash)
{
  const gsize head = 1 + sizeof (guint64); /* what append_cell() puts in front of text */
  XXH128_hash_t h;

  g_string_truncate (key->buffer, 0);
  g_string_truncate (key->joined, 0);
  for (guint i = 0; i < key->n; i++)
    {
      gsize at = key->buffer->len;
      gboolean is_text = (FR_TYPES (key->views[i].type) & FR_TYPES_TEXT) != 0;

      append_cell (key->buffer, &key->views[i], row, key->how);
      if (key->n == 1 || !is_text)
        continue;
      if (i > 0)
        g_string_append_c (key->joined, '\n');
      if (key->buffer->len > at + head)
        g_string_append_len (key->joined, key->buffer->str + at + head,
                             (gssize) (key->buffer->len - at - head));
    }
  h = XXH3_128bits_withSeed (key->buffer->str, key->buffer->len, 0);
  *hash = (TextKey){ h.high64, h.low64 };
  if (key->n > 1)
    return (FrStr){ key->joined->str, key->joined->len };
  if (key->n == 0 || key->buffer->len <= head || !(FR_TYPES (key->views[0].type) & FR_TYPES_TEXT))
    return FR_STR ("");
  return (FrStr){ key->buffer->str + head, key->buffer->len - head };
}
