/* SPDX-License-Identifier: Apache-2.0 */
/* xlsx.c: workbooks (ISO 29500-1, section 18).
 *
 * Each sheet is a part, each run of rows without an empty row between them a
 * table.  Cells are told as they are shown where that is plain: dates by their
 * number format in ISO 8601, percentages, booleans, the stored results of
 * formulas (nothing is calculated).  A merged cell has its text where it
 * begins.  Sheets' headers and footers, charts and comments are left out.
 */
#include "config.h"

#include "parts.h"
#include "readers.h"
#include "xml.h"

#include <math.h>
#include <string.h>

#define MAX_COLUMNS 16384

typedef enum
{
  FORMAT_PLAIN = 0,
  FORMAT_DATE,
  FORMAT_TIME,
  FORMAT_PERCENT
} Format;

typedef struct
{
  char *name, *id;
  gboolean hidden;
} Sheet;

typedef struct
{
  const TextDocJob *job;
  TextDocSink *sink;
  GPtrArray *sheets; /* Sheet */
  gboolean from_1904;
  GHashTable *formats; /* numFmtId → Format, of the workbook's own */
  GArray *styles;      /* Format of each cellXfs */
  gboolean in_cell_formats;
  GString *shared; /* all shared strings one after the other */
  GArray *ends;    /* where each ends: gsize */
  guint text, phonetic;
} Book;

static void
sheet_free (gpointer data)
{
  Sheet *sheet = data;

  g_free (sheet->name);
  g_free (sheet->id);
  g_free (sheet);
}

/* ---- workbook, styles, shared strings --------------------------------------- */

enum
{
  B_SHEET = 1,
  B_PROPERTIES,
  B_FORMAT,
  B_XFS,
  B_XF,
  B_SI,
  B_T,
  B_PHONETIC
};

static XmlNext
book_start (gpointer data, int id, XmlWalk *walk)
{
  Book *book = data;

  if (id == B_SHEET)
    {
      FrStr name = xml_attribute (walk, XML_NS_NONE, "name");
      FrStr rid = xml_attribute (walk, XML_NS_R, "id");
      FrStr state = xml_attribute (walk, XML_NS_NONE, "state");
      Sheet *sheet = g_new0 (Sheet, 1);

      sheet->name = g_strndup (name.data ? name.data : "", name.len);
      sheet->id = g_strndup (rid.data ? rid.data : "", rid.len);
      sheet->hidden = state.len > 0 && !fr_str_equal (state, FR_STR ("visible"));
      g_ptr_array_add (book->sheets, sheet);
    }
  else if (id == B_PROPERTIES)
    book->from_1904 = xml_attribute (walk, XML_NS_NONE, "date1904").data
                      && xml_attribute_on (walk, XML_NS_NONE, "date1904");
  return XML_ON;
}

/* What a number format shows: letters outside quotes, brackets and escapes. */
static Format
format_of_code (FrStr code)
{
  gboolean date = FALSE, time = FALSE;

  for (gsize i = 0; i < code.len; i++)
    {
      char c = g_ascii_tolower (code.data[i]);

      if (c == '"')
        for (i++; i < code.len && code.data[i] != '"';)
          i++;
      else if (c == '[')
        {
          gsize from = i + 1;

          while (i < code.len && code.data[i] != ']')
            i++;
          /* [h]:mm counts hours; [Red], [$-804] say nothing of time */
          time |= i - from <= 2 && i > from && strchr ("hms", g_ascii_tolower (code.data[from]));
        }
      else if (c == '\\' || c == '_' || c == '*')
        i++;
      else if (c == '%')
        return FORMAT_PERCENT;
      else if (c == ';' && (date || time))
        break;
      else if (c == 'y' || c == 'd')
        date = TRUE;
      else if (c == 'h' || c == 's')
        time = TRUE;
      else if (c == 'e' && i + 1 < code.len && (code.data[i + 1] == '+' || code.data[i + 1] == '-'))
        return FORMAT_PLAIN;
      else if (c == 'm' && !time)
        date = TRUE;
    }
  return date ? FORMAT_DATE : time ? FORMAT_TIME : FORMAT_PLAIN;
}

/* Section 18.8.30: the formats that are never written out, East Asian ones too. */
static Format
format_of_id (Book *book, gint64 id)
{
  gpointer own;

  if (g_hash_table_lookup_extended (book->formats, GINT_TO_POINTER ((gint) id), NULL, &own))
    return (Format) GPOINTER_TO_INT (own);
  if (id == 9 || id == 10)
    return FORMAT_PERCENT;
  if ((id >= 14 && id <= 17) || id == 22 || (id >= 27 && id <= 31) || id == 36
      || (id >= 50 && id <= 54) || id == 57 || id == 58)
    return FORMAT_DATE;
  if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47) || id == 55
      || id == 56)
    return FORMAT_TIME;
  return FORMAT_PLAIN;
}

static XmlNext
styles_start (gpointer data, int id, XmlWalk *walk)
{
  Book *book = data;
  Format format;

  switch (id)
    {
    case B_FORMAT:
      format = format_of_code (xml_attribute (walk, XML_NS_NONE, "formatCode"));
      g_hash_table_replace (
          book->formats,
          GINT_TO_POINTER ((gint) xml_attribute_int (walk, XML_NS_NONE, "numFmtId", -1)),
          GINT_TO_POINTER ((gint) format));
      break;
    case B_XFS:
      book->in_cell_formats = TRUE;
      break;
    case B_XF:
      if (!book->in_cell_formats)
        break;
      format = format_of_id (book, xml_attribute_int (walk, XML_NS_NONE, "numFmtId", 0));
      g_array_append_val (book->styles, format);
      break;
    default:
      break;
    }
  return XML_ON;
}

static XmlNext
styles_end (gpointer data, int id)
{
  if (id == B_XFS)
    ((Book *) data)->in_cell_formats = FALSE;
  return XML_ON;
}

static XmlNext
shared_start (gpointer data, int id, XmlWalk *walk)
{
  Book *book = data;

  (void) walk;
  if (id == B_PHONETIC)
    return XML_SKIP;
  if (id == B_T)
    book->text++;
  return XML_ON;
}

static XmlNext
shared_end (gpointer data, int id)
{
  Book *book = data;

  if (id == B_T)
    book->text--;
  else if (id == B_SI)
    g_array_append_val (book->ends, book->shared->len);
  return XML_ON;
}

static XmlNext
shared_text (gpointer data, const char *text, gsize len)
{
  Book *book = data;

  if (book->text)
    g_string_append_len (book->shared, text, (gssize) len);
  return XML_ON;
}

static FrStr
shared_string (Book *book, gint64 i)
{
  gsize from;

  if (i < 0 || i >= (gint64) book->ends->len)
    return (FrStr){ "", 0 };
  from = i ? g_array_index (book->ends, gsize, i - 1) : 0;
  return (FrStr){ book->shared->str + from, g_array_index (book->ends, gsize, i) - from };
}

/* ---- numbers ---------------------------------------------------------------- */

/* Days since 1899-12-30 (1904-01-01), Lotus's 29 February 1900 and all. */
static gboolean
append_date (Book *book, double days, gboolean with_date, GString *out)
{
  g_autoptr (GDateTime) start = NULL;
  g_autoptr (GDateTime) when = NULL;
  double whole = floor (days + 0.5 / 86400);
  int seconds = (int) ((days - whole) * 86400 + 0.5);

  if (!(days >= 0) || days > 2958466)
    return FALSE;
  if (!with_date)
    {
      g_string_append_printf (out, "%02d:%02d:%02d", (int) whole * 24 + seconds / 3600,
                              seconds / 60 % 60, seconds % 60);
      return TRUE;
    }
  start = book->from_1904 ? g_date_time_new_utc (1904, 1, 1, 0, 0, 0)
                          : g_date_time_new_utc (1899, 12, 30, 0, 0, 0);
  if (!book->from_1904 && whole < 60)
    whole += 1;
  when = g_date_time_add_days (start, (int) whole);
  if (when == NULL)
    return FALSE;
  g_string_append_printf (out, "%04d-%02d-%02d", g_date_time_get_year (when),
                          g_date_time_get_month (when), g_date_time_get_day_of_month (when));
  if (seconds > 0)
    g_string_append_printf (out, " %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                            seconds % 60);
  return TRUE;
}

/* Fifteen digits are what Excel itself keeps. */
static void
append_double (double value, GString *out)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out, g_ascii_formatd (digits, sizeof digits, "%.15g", value));
}

static void
append_number (Book *book, const char *text, gsize len, gint64 style, GString *out)
{
  Format format = style >= 0 && style < (gint64) book->styles->len
                      ? g_array_index (book->styles, Format, style)
                      : FORMAT_PLAIN;
  char digits[64], *end;
  double value;

  if (len == 0 || len >= sizeof digits)
    {
      g_string_append_len (out, text, (gssize) len);
      return;
    }
  memcpy (digits, text, len);
  digits[len] = '\0';
  value = g_ascii_strtod (digits, &end);
  if (end == digits || *g_strchug (end) != '\0' || !isfinite (value))
    g_string_append_len (out, text, (gssize) len);
  else if ((format == FORMAT_DATE || format == FORMAT_TIME)
           && append_date (book, value, format == FORMAT_DATE, out))
    return;
  else if (format == FORMAT_PERCENT)
    {
      append_double (value * 100, out);
      g_string_append_c (out, '%');
    }
  else
    append_double (value, out);
}

/* ---- one sheet -------------------------------------------------------------- */

enum
{
  C_ROW = 1,
  C_C,
  C_V,
  C_IS,
  C_T,
  C_PHONETIC,
  C_END
};

typedef enum
{
  CELL_NUMBER = 0,
  CELL_SHARED,
  CELL_TEXT, /* str, inlineStr, e, d */
  CELL_BOOL
} CellType;

typedef struct
{
  Book *book;
  GString *raw;  /* of the cell */
  GString *text; /* of the row's cells, one after the other */
  GArray *cells; /* gsize, where each ends */
  guint column;  /* the next one */
  gint64 row, last_row, style;
  CellType type;
  guint take;
  gboolean hidden_row, told;
  GArray *strs;
} Walk;

/* "BC12" is column 54, counted from 0; -1: no reference. */
static int
column_of (FrStr reference)
{
  guint column = 0;

  for (gsize i = 0; i < reference.len && g_ascii_isalpha (reference.data[i]); i++)
    {
      column = column * 26 + (guint) (g_ascii_toupper (reference.data[i]) - 'A' + 1);
      if (column > MAX_COLUMNS)
        return -1;
    }
  return (int) column - 1;
}

static void
begin_cell (Walk *w, XmlWalk *walk)
{
  FrStr type = xml_attribute (walk, XML_NS_NONE, "t");
  int column = column_of (xml_attribute (walk, XML_NS_NONE, "r"));

  if (column > (int) w->column)
    w->column = (guint) column;
  w->type = type.len == 0 || fr_str_equal (type, FR_STR ("n")) ? CELL_NUMBER
            : fr_str_equal (type, FR_STR ("s"))                ? CELL_SHARED
            : fr_str_equal (type, FR_STR ("b"))                ? CELL_BOOL
                                                               : CELL_TEXT;
  w->style = xml_attribute_int (walk, XML_NS_NONE, "s", 0);
  g_string_truncate (w->raw, 0);
}

static XmlNext
sheet_start (gpointer data, int id, XmlWalk *walk)
{
  Walk *w = data;

  switch (id)
    {
    case C_ROW:
      w->row = CLAMP (xml_attribute_int (walk, XML_NS_NONE, "r", w->row + 1), 0, G_MAXINT32);
      w->column = 0;
      g_string_truncate (w->text, 0);
      g_array_set_size (w->cells, 0);
      w->hidden_row = FALSE;
      if (xml_attribute (walk, XML_NS_NONE, "hidden").data
          && xml_attribute_on (walk, XML_NS_NONE, "hidden")
          && !(w->book->job->wants & TEXT_DOC_HIDDEN))
        {
          w->book->sink->count (w->book->sink, "hidden_rows_dropped", 1);
          /* A filter's hidden rows do not part a table. */
          w->last_row = w->row;
          return XML_SKIP;
        }
      break;
    case C_C:
      begin_cell (w, walk);
      break;
    case C_V:
    case C_T:
      w->take++;
      break;
    case C_PHONETIC:
      return XML_SKIP;
    default:
      break;
    }
  return XML_ON;
}

static void
end_cell (Walk *w)
{
  gsize before = w->text->len;

  if (w->raw->len == 0)
    {
      w->column++;
      return;
    }
  if (w->column < MAX_COLUMNS)
    {
      while (w->cells->len < w->column)
        g_array_append_val (w->cells, before);
      switch (w->type)
        {
        case CELL_SHARED:
          {
            FrStr s = shared_string (w->book, g_ascii_strtoll (w->raw->str, NULL, 10));

            g_string_append_len (w->text, s.data, (gssize) s.len);
            break;
          }
        case CELL_BOOL:
          g_string_append (w->text, strcmp (w->raw->str, "0") == 0 ? "FALSE" : "TRUE");
          break;
        case CELL_NUMBER:
          append_number (w->book, w->raw->str, w->raw->len, w->style, w->text);
          break;
        default:
          g_string_append_len (w->text, w->raw->str, (gssize) w->raw->len);
          break;
        }
      if (w->text->len > before)
        g_array_append_val (w->cells, w->text->len);
    }
  w->column++;
}

static gboolean
end_row (Walk *w)
{
  gboolean first = !w->told || w->row > w->last_row + 1;

  if (w->cells->len == 0)
    return TRUE;
  g_array_set_size (w->strs, w->cells->len);
  for (guint i = 0; i < w->cells->len; i++)
    {
      gsize from = i ? g_array_index (w->cells, gsize, i - 1) : 0;

      g_array_index (w->strs, FrStr, i)
          = (FrStr){ w->text->str + from, g_array_index (w->cells, gsize, i) - from };
    }
  w->last_row = w->row;
  w->told = TRUE;
  return text_doc_row (w->book->sink, (const FrStr *) (void *) w->strs->data, w->strs->len, first,
                       FALSE);
}

static XmlNext
sheet_end (gpointer data, int id)
{
  Walk *w = data;

  switch (id)
    {
    case C_V:
    case C_T:
      w->take--;
      break;
    case C_C:
      end_cell (w);
      break;
    case C_ROW:
      return end_row (w) ? XML_ON : XML_STOP;
    default:
      break;
    }
  return XML_ON;
}

static XmlNext
sheet_text (gpointer data, const char *text, gsize len)
{
  Walk *w = data;

  if (w->take > 0)
    g_string_append_len (w->raw, text, (gssize) len);
  return XML_ON;
}

static gboolean
read_sheet (Book *book, FrStr part, const char *name)
{
  static const XmlName names[] = { { XML_NS_S, "row", C_ROW },
                                   { XML_NS_S, "c", C_C },
                                   { XML_NS_S, "v", C_V },
                                   { XML_NS_S, "t", C_T },
                                   { XML_NS_S, "rPh", C_PHONETIC },
                                   { XML_NS_S, "f", C_PHONETIC },
                                   { XML_NS_S, "headerFooter", C_PHONETIC },
                                   { XML_NS_MC, "AlternateContent", C_PHONETIC },
                                   { 0, NULL, 0 } };
  static const XmlHandler handler = { names, sheet_start, sheet_end, sheet_text };
  Walk w = { .book = book };
  gboolean ok;

  w.raw = g_string_new (NULL);
  w.text = g_string_new (NULL);
  w.cells = g_array_new (FALSE, FALSE, sizeof (gsize));
  w.strs = g_array_new (FALSE, FALSE, sizeof (FrStr));
  ok = xml_walk (part, name, &handler, &w, book->sink);
  g_string_free (w.raw, TRUE);
  g_string_free (w.text, TRUE);
  g_array_unref (w.cells);
  g_array_unref (w.strs);
  return ok;
}

/* ---- the workbook ------------------------------------------------------------ */

static gboolean
read_common (Book *book, Parts *parts, GPtrArray *related)
{
  static const XmlName style_names[] = { { XML_NS_S, "numFmt", B_FORMAT },
                                         { XML_NS_S, "cellXfs", B_XFS },
                                         { XML_NS_S, "xf", B_XF },
                                         { 0, NULL, 0 } };
  static const XmlName shared_names[] = { { XML_NS_S, "si", B_SI },
                                          { XML_NS_S, "t", B_T },
                                          { XML_NS_S, "rPh", B_PHONETIC },
                                          { 0, NULL, 0 } };
  static const XmlHandler styles = { style_names, styles_start, styles_end, NULL };
  static const XmlHandler shared = { shared_names, shared_start, shared_end, shared_text };
  FrStr part = parts_get (parts, related_by_type (related, "styles"));

  if (part.data && !xml_walk (part, "styles", &styles, book, book->sink))
    return FALSE;
  part = parts_get (parts, related_by_type (related, "sharedStrings"));
  return part.data == NULL || xml_walk (part, "shared strings", &shared, book, book->sink);
}

static gboolean
read_sheets (Book *book, Parts *parts, GPtrArray *related)
{
  for (guint i = 0; i < book->sheets->len; i++)
    {
      const Sheet *sheet = book->sheets->pdata[i];
      const char *target = related_by_id (related, (FrStr){ sheet->id, strlen (sheet->id) });
      FrStr part = parts_get (parts, target);

      /* Chart sheets and macros have parts of other kinds. */
      if (part.data == NULL)
        continue;
      if (sheet->hidden && !(book->job->wants & TEXT_DOC_HIDDEN))
        {
          book->sink->count (book->sink, "hidden_sheets_dropped", 1);
          continue;
        }
      if (!book->sink->part (book->sink, TEXT_DOC_SHEET, i + 1,
                             (FrStr){ sheet->name, strlen (sheet->name) })
          || !read_sheet (book, part, target))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_parts (Book *book, Parts *parts)
{
  static const XmlName names[] = { { XML_NS_S, "sheet", B_SHEET },
                                   { XML_NS_S, "workbookPr", B_PROPERTIES },
                                   { 0, NULL, 0 } };
  static const XmlHandler handler = { names, book_start, NULL, NULL };
  g_autofree char *name = NULL;
  FrStr part;
  g_autoptr (GPtrArray) related
      = parts_main (parts, "xl/workbook.xml", "the workbook part is missing", &name, &part);

  return related && xml_walk (part, name, &handler, book, book->sink)
         && read_common (book, parts, related) && read_sheets (book, parts, related);
}

static gboolean
read_xlsx (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  Book book = { .job = job, .sink = sink };
  g_autoptr (Parts) parts = parts_new (job, sink);
  gboolean ok;

  (void) state;
  if (parts == NULL)
    return FALSE;
  book.sheets = g_ptr_array_new_with_free_func (sheet_free);
  book.formats = g_hash_table_new (NULL, NULL);
  book.styles = g_array_new (FALSE, FALSE, sizeof (Format));
  book.shared = g_string_new (NULL);
  book.ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  ok = read_parts (&book, parts);
  g_ptr_array_unref (book.sheets);
  g_hash_table_unref (book.formats);
  g_array_unref (book.styles);
  g_string_free (book.shared, TRUE);
  g_array_unref (book.ends);
  return ok;
}

static const char *const types[]
    = { TYPE_XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
        "application/vnd.ms-excel.sheet.macroEnabled.12", NULL };
const TextDocReader xlsx_reader
    = { sizeof (TextDocReader), types, "xlsx", NULL, NULL, NULL, read_xlsx };
