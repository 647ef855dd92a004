/* SPDX-License-Identifier: Apache-2.0 */
/* cell.c: JSON values straight into columns.
 *
 * No tree, no allocation per cell: tokens go to the growing buffers.  The
 * inverse is core/data/rowjson.c.
 */
#include "config.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "data/data-private.h"
#include "json/json-private.h"

static const char *
token_name (FrJsonToken token)
{
  static const char *const names[] = { [FR_JSON_END] = "the end",
                                       [FR_JSON_OBJECT] = "an object",
                                       [FR_JSON_OBJECT_END] = "'}'",
                                       [FR_JSON_ARRAY] = "a list",
                                       [FR_JSON_ARRAY_END] = "']'",
                                       [FR_JSON_KEY] = "a key",
                                       [FR_JSON_STRING] = "a string",
                                       [FR_JSON_INT] = "an integer",
                                       [FR_JSON_FLOAT] = "a number with a fraction",
                                       [FR_JSON_TRUE] = "true",
                                       [FR_JSON_FALSE] = "false",
                                       [FR_JSON_NULL] = "null" };

  return names[token];
}

static G_GNUC_NO_INLINE gboolean
mismatch (const FrJsonReader *reader, FrJsonToken token, const FrField *field, const char *detail,
          GError **error)
{
  g_autofree char *type = fr_field_describe (field);
  g_autofree char *found = NULL;

  if (token == FR_JSON_ERROR)
    return fr_json_reader_error (reader, error);
  if (token == FR_JSON_INT)
    found = g_strdup_printf ("the integer %" G_GINT64_FORMAT, reader->integer);
  else if (token == FR_JSON_FLOAT)
    {
      GString *text = g_string_new ("the number ");

      fr_json_append_double (text, reader->number);
      found = g_string_free (text, FALSE);
    }
  g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "expected %s, found %s%s", type,
               found ? found : token_name (token), detail);
  return FALSE;
}

/* ---- scalars ------------------------------------------------------------- */

static inline gboolean
read_int (const FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
          GError **error)
{
  gint64 value = reader->integer;

  if (token == FR_JSON_FLOAT && reader->number == rint (reader->number)
      && fabs (reader->number) <= 9007199254740992.0)
    value = (gint64) reader->number;
  else if (token != FR_JSON_INT)
    return mismatch (reader, token, field, "", error);
  if (field->type == FR_TYPE_INT32 && (value < G_MININT32 || value > G_MAXINT32))
    return mismatch (reader, token, field, ", which is out of range", error);
  fr_cells_append_int (cells, value);
  return TRUE;
}

static inline gboolean
read_float (const FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
            GError **error)
{
  double value = token == FR_JSON_INT ? (double) reader->integer : reader->number;

  if (token != FR_JSON_INT && token != FR_JSON_FLOAT)
    return mismatch (reader, token, field, "", error);
  if (field->type == FR_TYPE_FLOAT32 && !isfinite ((float) value))
    return mismatch (reader, token, field, ", which is out of range", error);
  fr_cells_append_float (cells, value);
  return TRUE;
}

static gboolean
read_timestamp (const FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
                GError **error)
{
  gint64 us;

  if (token == FR_JSON_STRING)
    {
      if (!fr_timestamp_parse (reader->str.data, reader->str.len, &us))
        return mismatch (reader, token, field,
                         " that is no time as RFC 3339 writes it (2024-05-01T08:30:00Z)", error);
      fr_cells_append_int (cells, us);
      return TRUE;
    }
  return read_int (reader, token, field, cells, error);
}

/* Base64 of RFC 4648 §4, padded, nothing else between. */
static gboolean
read_binary (const FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
             GError **error)
{
  FrStr s = reader->str;
  gsize pad = 0, n = 0;
  guint32 bits = 0;
  char *out;

  if (token != FR_JSON_STRING)
    return mismatch (reader, token, field, "", error);
  while (pad < 2 && pad < s.len && s.data[s.len - 1 - pad] == '=')
    pad++;
  out = fr_cells_reserve_str (cells, s.len / 4 * 3 + 3);
  for (gsize i = 0; i < s.len - pad; i++)
    {
      char c = s.data[i];
      guint32 v = c >= 'A' && c <= 'Z'   ? (guint32) (c - 'A')
                  : c >= 'a' && c <= 'z' ? (guint32) (c - 'a' + 26)
                  : c >= '0' && c <= '9' ? (guint32) (c - '0' + 52)
                  : c == '+'             ? 62
                  : c == '/'             ? 63
                                         : 64;

      if (v == 64)
        return mismatch (reader, token, field, " that is not base64", error);
      bits = bits << 6 | v;
      if (i % 4 == 3)
        {
          out[n++] = (char) (bits >> 16);
          out[n++] = (char) (bits >> 8);
          out[n++] = (char) bits;
          bits = 0;
        }
    }
  if (s.len % 4 != 0 || (pad == 1 && (bits & 3) != 0) || (pad == 2 && (bits & 15) != 0))
    return mismatch (reader, token, field, " that is not base64", error);
  if (pad == 1)
    {
      out[n++] = (char) (bits >> 10);
      out[n++] = (char) (bits >> 2);
    }
  else if (pad == 2)
    out[n++] = (char) (bits >> 4);
  fr_cells_commit_str (cells, n);
  return TRUE;
}

/* ---- lists and structs --------------------------------------------------- */

static gboolean
read_list (FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
           GError **error)
{
  FrCells *items = cells->children[0];

  if (token != FR_JSON_ARRAY)
    return mismatch (reader, token, field, "", error);
  for (gsize i = 1; (token = fr_json_reader_next (reader)) != FR_JSON_ARRAY_END; i++)
    if (!fr_json_read_cell (reader, token, field->children[0], items, error))
      {
        g_prefix_error (error, "item %" G_GSIZE_FORMAT ": ", i);
        return FALSE;
      }
  fr_cells_end (cells);
  return TRUE;
}

static int
find_member (const FrField *field, FrStr name, guint hint)
{
  for (guint i = 0; i < field->n_children; i++)
    {
      guint at = (hint + i) % field->n_children;
      const FrField *child = field->children[at];

      if (child->name_len == name.len && memcmp (child->name, name.data, name.len) == 0)
        return (int) at;
    }
  return -1;
}

static gboolean
unknown_member (const FrJsonReader *reader, const char *among, GError **error)
{
  g_autofree char *name = g_strndup (reader->str.data, MIN (reader->str.len, 64));

  g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "there is no '%s' among the %s", name, among);
  return FALSE;
}

static gboolean
member_twice (const FrField *child, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the key '%s' appears twice", child->name);
  return FALSE;
}

static gboolean
read_struct (FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
             GError **error)
{
  gsize n = cells->length;
  guint hint = 0;

  if (token != FR_JSON_OBJECT)
    return mismatch (reader, token, field, "", error);
  while ((token = fr_json_reader_next (reader)) == FR_JSON_KEY)
    {
      int at = find_member (field, reader->str, hint);
      const FrField *child;

      if (at < 0)
        return unknown_member (reader, "members", error);
      child = field->children[at];
      if (cells->children[at]->length != n)
        return member_twice (child, error);
      token = fr_json_reader_next (reader);
      if (!fr_json_read_cell (reader, token, child, cells->children[at], error))
        {
          g_prefix_error (error, "member '%s': ", child->name);
          return FALSE;
        }
      hint = (guint) at + 1;
    }
  if (token == FR_JSON_ERROR)
    return fr_json_reader_error (reader, error);
  fr_cells_end (cells);
  return TRUE;
}

gboolean
fr_json_read_cell (FrJsonReader *reader, FrJsonToken token, const FrField *field, FrCells *cells,
                   GError **error)
{
  if (token == FR_JSON_NULL)
    {
      fr_cells_append_null (cells);
      return TRUE;
    }
  switch (field->type)
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      if (G_UNLIKELY (token != FR_JSON_STRING))
        return mismatch (reader, token, field, "", error);
      fr_cells_append_str (cells, reader->str.data, reader->str.len);
      return TRUE;
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return read_int (reader, token, field, cells, error);
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return read_float (reader, token, field, cells, error);
    case FR_TYPE_BOOL:
      if (token != FR_JSON_TRUE && token != FR_JSON_FALSE)
        return mismatch (reader, token, field, "", error);
      fr_cells_append_bool (cells, token == FR_JSON_TRUE);
      return TRUE;
    case FR_TYPE_TIMESTAMP:
      return read_timestamp (reader, token, field, cells, error);
    case FR_TYPE_BINARY:
      return read_binary (reader, token, field, cells, error);
    case FR_TYPE_LIST:
      return read_list (reader, token, field, cells, error);
    case FR_TYPE_STRUCT:
      return read_struct (reader, token, field, cells, error);
    }
  return mismatch (reader, token, field, "", error);
}

/* ---- rows ---------------------------------------------------------------- */

gboolean
fr_json_read_row (FrJsonReader *reader, FrJsonToken token, FrBuilder *builder, guint64 *unknown,
                  GError **error)
{
  FrSchema *schema = fr_builder_schema (builder);
  gsize n = fr_builder_n_rows (builder);
  guint hint = 0;

  if (token == FR_JSON_ERROR)
    return fr_json_reader_error (reader, error);
  if (token != FR_JSON_OBJECT)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "expected an object, found %s",
                   token_name (token));
      return FALSE;
    }
  while ((token = fr_json_reader_next (reader)) == FR_JSON_KEY)
    {
      int at = fr_schema_find_len (schema, reader->str.data, reader->str.len, hint);
      FrField *field;
      FrCells *cells;

      if (at < 0 && unknown == NULL)
        return unknown_member (reader, "columns", error);
      if (at < 0)
        {
          ++*unknown;
          if (!fr_json_reader_skip (reader))
            return fr_json_reader_error (reader, error);
          continue;
        }
      field = fr_schema_field (schema, (guint) at);
      cells = fr_builder_cells (builder, (guint) at);
      if (cells->length != n)
        return member_twice (field, error);
      token = fr_json_reader_next (reader);
      if (!fr_json_read_cell (reader, token, field, cells, error))
        {
          g_prefix_error (error, "column '%s': ", field->name);
          return FALSE;
        }
      hint = (guint) at + 1;
    }
  return token == FR_JSON_OBJECT_END || fr_json_reader_error (reader, error);
}
