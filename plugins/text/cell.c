/* SPDX-License-Identifier: Apache-2.0 */
/* cell.c: see cell.h.  What is not text has the form of fr_view_append_json(),
 * without the quotes. */
#include "config.h"

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
append_binary (FrStr bytes, GString *out)
{
  g_autofree char *base64 = g_base64_encode ((const guchar *) bytes.data, bytes.len);

  g_string_append (out, base64);
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
    case FR_TYPE_TIMESTAMP:
      fr_timestamp_append (out, fr_view_int (view, row));
      break;
    default:
      fr_view_append_json (view, field, row, out);
    }
}
