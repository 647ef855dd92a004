/* SPDX-License-Identifier: Apache-2.0 */
/* cell.c: see cell.h.  The forms are those of fr_batch_append_json(), which
 * speaks of whole batches only; the parts of a list or struct are views. */
#include "config.h"

#include <flowrun/json.h>
#include <math.h>

#include "text/cell.h"
#include "text/chars.h"

static gboolean
is_blank (FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    if (!(text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
      return FALSE;
  return TRUE;
}

gboolean
text_cell_is_empty (const FrView *view, gsize row)
{
  gsize start;

  if (fr_view_is_null (view, row))
    return TRUE;
  switch (view->type)
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      return is_blank (fr_view_str (view, row));
    case FR_TYPE_BINARY:
      return fr_view_str (view, row).len == 0;
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return isnan (fr_view_float (view, row));
    case FR_TYPE_LIST:
      return fr_view_list (view, row, &start) == 0;
    default:
      return FALSE;
    }
}

static void
append_float (const FrView *view, gsize row, GString *out)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  float f;

  if (view->type == FR_TYPE_FLOAT64)
    {
      fr_json_append_double (out, fr_view_float (view, row));
      return;
    }
  /* A float32 is shortest in its own precision, 0.1 rather than 0.10000000149. */
  f = ((const float *) view->data)[row];
  for (int digits = 6; isfinite (f) && digits <= 9; digits++)
    {
      char format[8] = { '%', '.', (char) ('0' + digits), 'g', 0 };

      g_ascii_formatd (text, sizeof text, format, (double) f);
      if ((float) g_ascii_strtod (text, NULL) == f)
        break;
    }
  g_string_append (out, isfinite (f) ? text : "null");
}

static void
append_binary (FrStr bytes, GString *out)
{
  g_autofree char *base64 = g_base64_encode ((const guchar *) bytes.data, bytes.len);

  g_string_append (out, base64);
}

static void
append_list (const FrField *field, const FrView *view, gsize row, GString *out)
{
  FrView items = fr_view_child (view, 0);
  gsize start, n = fr_view_list (view, row, &start);

  g_string_append_c (out, '[');
  for (gsize i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      text_cell_append_json (fr_field_child (field, 0), &items, start + i, out);
    }
  g_string_append_c (out, ']');
}

static void
append_struct (const FrField *field, const FrView *view, gsize row, GString *out)
{
  g_string_append_c (out, '{');
  for (guint i = 0; i < fr_field_n_children (field); i++)
    {
      const FrField *child = fr_field_child (field, i);
      const char *name = fr_field_name (child);
      FrView member = fr_view_child (view, i);

      if (i > 0)
        g_string_append_c (out, ',');
      fr_json_append_string (out, name, (gssize) strlen (name));
      g_string_append_c (out, ':');
      text_cell_append_json (child, &member, row, out);
    }
  g_string_append_c (out, '}');
}

void
text_cell_append (const FrField *field, const FrView *view, gsize row, GString *out)
{
  FrStr s;

  if (fr_view_is_null (view, row))
    return;
  switch (view->type)
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      s = fr_view_str (view, row);
      g_string_append_len (out, s.data, (gssize) s.len);
      break;
    case FR_TYPE_BINARY:
      append_binary (fr_view_str (view, row), out);
      break;
    case FR_TYPE_BOOL:
      g_string_append (out, fr_view_bool (view, row) ? "true" : "false");
      break;
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      g_string_append_printf (out, "%" G_GINT64_FORMAT, fr_view_int (view, row));
      break;
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      append_float (view, row, out);
      break;
    case FR_TYPE_TIMESTAMP:
      fr_timestamp_append (out, fr_view_int (view, row));
      break;
    case FR_TYPE_LIST:
      append_list (field, view, row, out);
      break;
    case FR_TYPE_STRUCT:
      append_struct (field, view, row, out);
      break;
    }
}

void
text_cell_append_json (const FrField *field, const FrView *view, gsize row, GString *out)
{
  FrStr s;

  if (fr_view_is_null (view, row))
    {
      g_string_append (out, "null");
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
    case FR_TYPE_TIMESTAMP:
      g_string_append_c (out, '"');
      text_cell_append (field, view, row, out);
      g_string_append_c (out, '"');
      break;
    default:
      text_cell_append (field, view, row, out);
    }
}
