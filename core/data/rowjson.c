/* SPDX-License-Identifier: Apache-2.0 */
/* rowjson.c: rows and cells as JSON text.
 *
 * The one form in which flowrun shows rows: sinks, rejects, `head`, the test
 * kit and programs behind transform.command all read it.  The inverse is
 * core/json/cell.c.
 */
#include "config.h"

#include "data/data-private.h"
#include "json/json-private.h"

static inline void
append_plain (GString *out, const char *text, gsize len)
{
  memcpy (fri_string_room (out, len), text, len);
  out->len += len;
}

#define APPEND_LITERAL(out, literal) append_plain ((out), (literal), sizeof (literal) - 1)

static void
append_base64 (GString *out, FrStr s)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *o = fri_string_room (out, (s.len + 2) / 3 * 4 + 2);
  gsize i = 0;

  *o++ = '"';
  for (; i + 3 <= s.len; i += 3)
    {
      guint32 v = (guint32) (guchar) s.data[i] << 16 | (guint32) (guchar) s.data[i + 1] << 8
                  | (guchar) s.data[i + 2];

      *o++ = digits[v >> 18];
      *o++ = digits[v >> 12 & 63];
      *o++ = digits[v >> 6 & 63];
      *o++ = digits[v & 63];
    }
  if (i < s.len)
    {
      gboolean two = i + 2 == s.len;
      guint32 v
          = (guint32) (guchar) s.data[i] << 16 | (two ? (guint32) (guchar) s.data[i + 1] << 8 : 0);

      *o++ = digits[v >> 18];
      *o++ = digits[v >> 12 & 63];
      *o++ = two ? digits[v >> 6 & 63] : '=';
      *o++ = '=';
    }
  *o++ = '"';
  out->len = (gsize) (o - out->str);
}

static void append_cell (GString *out, const FrView *view, const FrField *field, gsize row,
                         gboolean skip_nulls);

static void
append_list (GString *out, const FrView *view, const FrField *field, gsize row, gboolean skip_nulls)
{
  FrView items = fr_view_child (view, 0);
  gsize start, n = fr_view_list (view, row, &start);

  APPEND_LITERAL (out, "[");
  for (gsize i = 0; i < n; i++)
    {
      if (i > 0)
        APPEND_LITERAL (out, ",");
      append_cell (out, &items, field->children[0], start + i, skip_nulls);
    }
  APPEND_LITERAL (out, "]");
}

static inline void
append_member (GString *out, const FrView *view, const FrField *field, gsize row,
               gboolean skip_nulls, gboolean *first)
{
  if (skip_nulls && fr_view_is_null (view, row))
    return;
  if (!*first)
    APPEND_LITERAL (out, ",");
  *first = FALSE;
  append_plain (out, field->json_key, field->json_key_len);
  append_cell (out, view, field, row, skip_nulls);
}

static void
append_struct (GString *out, const FrView *view, const FrField *field, gsize row,
               gboolean skip_nulls)
{
  gboolean first = TRUE;

  APPEND_LITERAL (out, "{");
  for (guint i = 0; i < field->n_children; i++)
    {
      FrView child = fr_view_child (view, i);

      append_member (out, &child, field->children[i], row, skip_nulls, &first);
    }
  APPEND_LITERAL (out, "}");
}

static void
append_time (GString *out, gint64 us)
{
  APPEND_LITERAL (out, "\"");
  fr_timestamp_append (out, us);
  APPEND_LITERAL (out, "\"");
}

static void
append_cell (GString *out, const FrView *view, const FrField *field, gsize row, gboolean skip_nulls)
{
  FrStr s;

  if (fr_view_is_null (view, row))
    {
      APPEND_LITERAL (out, "null");
      return;
    }
  switch (view->type)
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      s = fr_view_str (view, row);
      fr_json_append_string (out, s.data, s.len);
      break;
    case FR_TYPE_BINARY:
      append_base64 (out, fr_view_str (view, row));
      break;
    case FR_TYPE_BOOL:
      if (fr_view_bool (view, row))
        APPEND_LITERAL (out, "true");
      else
        APPEND_LITERAL (out, "false");
      break;
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      fri_json_append_int (out, fr_view_int (view, row));
      break;
    case FR_TYPE_FLOAT32:
      fri_json_append_float (out, ((const float *) view->data)[row]);
      break;
    case FR_TYPE_FLOAT64:
      fr_json_append_double (out, ((const double *) view->data)[row]);
      break;
    case FR_TYPE_TIMESTAMP:
      append_time (out, fr_view_int (view, row));
      break;
    case FR_TYPE_LIST:
      append_list (out, view, field, row, skip_nulls);
      break;
    case FR_TYPE_STRUCT:
      append_struct (out, view, field, row, skip_nulls);
      break;
    }
}

void
fr_batch_append_json_cell (const FrBatch *batch, guint column, gsize row, GString *out)
{
  FrView view = fr_view (batch, column);

  fr_view_append_json (&view, fr_schema_field (batch->schema, column), row, out);
}

void
fr_view_append_json (const FrView *view, const FrField *field, gsize row, GString *out)
{
  append_cell (out, view, field, row, FALSE);
  fri_string_end (out);
}

void
fr_batch_append_json (const FrBatch *batch, gsize row, gboolean skip_nulls, GString *out)
{
  gboolean first = TRUE;

  APPEND_LITERAL (out, "{");
  for (guint i = 0; i < batch->n_columns; i++)
    {
      FrView view = fri_column_view (batch->columns[i]);

      append_member (out, &view, fr_schema_field (batch->schema, i), row, skip_nulls, &first);
    }
  APPEND_LITERAL (out, "}");
  fri_string_end (out);
}
