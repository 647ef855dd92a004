/* SPDX-License-Identifier: Apache-2.0 */
/* odf.c: OpenDocument text, spreadsheets and presentations (ISO 26300-1).
 *
 * All three keep what they say in content.xml; headers and footers stand in
 * styles.xml, which is not read.  Kept: headings, paragraphs, lists, tables,
 * text boxes, cells as they are shown; foot- and endnotes and speaker notes
 * where notes are wanted.  Dropped: tracked deletions, annotations, indexes and
 * tables of contents, ruby text, headers, footers, dates and numbers of slides.
 */
#include "config.h"

#include "parts.h"
#include "readers.h"
#include "xml.h"

#include <string.h>

#define MAX_COLUMNS 16384
#define MAX_ROWS_REPEATED 1048576
#define MAX_SPACES 1024

enum
{
  O_H = 1,
  O_P,
  O_S,
  O_TAB,
  O_BREAK,
  O_LIST,
  O_ITEM,
  O_NOTE,
  O_NOTE_BODY,
  O_GONE,
  O_INDEX,
  O_TABLE,
  O_ROW,
  O_CELL,
  O_HEADER_ROWS,
  O_PAGE,
  O_FRAME,
  O_NOTES,
  O_SPREADSHEET,
  O_LIST_STYLE,
  O_LEVEL_NUMBER,
  O_ENCRYPTION
};

static const XmlName names[] = { { XML_NS_TEXT, "h", O_H },
                                 { XML_NS_TEXT, "p", O_P },
                                 { XML_NS_TEXT, "s", O_S },
                                 { XML_NS_TEXT, "tab", O_TAB },
                                 { XML_NS_TEXT, "line-break", O_BREAK },
                                 { XML_NS_TEXT, "list", O_LIST },
                                 { XML_NS_TEXT, "list-item", O_ITEM },
                                 { XML_NS_TEXT, "note", O_NOTE },
                                 { XML_NS_TEXT, "note-body", O_NOTE_BODY },
                                 { XML_NS_TEXT, "note-citation", O_GONE },
                                 { XML_NS_TEXT, "tracked-changes", O_GONE },
                                 { XML_NS_TEXT, "ruby-text", O_GONE },
                                 { XML_NS_TEXT, "page-number", O_GONE },
                                 { XML_NS_TEXT, "page-count", O_GONE },
                                 { XML_NS_TEXT, "hidden-text", O_GONE },
                                 { XML_NS_OFFICE, "annotation", O_GONE },
                                 { XML_NS_OFFICE, "forms", O_GONE },
                                 { XML_NS_OFFICE, "scripts", O_GONE },
                                 { XML_NS_TABLE, "tracked-changes", O_GONE },
                                 { XML_NS_TABLE, "shapes", O_GONE },
                                 { XML_NS_TEXT, "table-of-content", O_INDEX },
                                 { XML_NS_TEXT, "illustration-index", O_INDEX },
                                 { XML_NS_TEXT, "table-index", O_INDEX },
                                 { XML_NS_TEXT, "alphabetical-index", O_INDEX },
                                 { XML_NS_TABLE, "table", O_TABLE },
                                 { XML_NS_TABLE, "table-row", O_ROW },
                                 { XML_NS_TABLE, "table-cell", O_CELL },
                                 { XML_NS_TABLE, "covered-table-cell", O_CELL },
                                 { XML_NS_TABLE, "table-header-rows", O_HEADER_ROWS },
                                 { XML_NS_DRAW, "page", O_PAGE },
                                 { XML_NS_DRAW, "frame", O_FRAME },
                                 { XML_NS_DRAW, "custom-shape", O_FRAME },
                                 { XML_NS_PRESENTATION, "notes", O_NOTES },
                                 { XML_NS_OFFICE, "spreadsheet", O_SPREADSHEET },
                                 { XML_NS_TEXT, "list-style", O_LIST_STYLE },
                                 { XML_NS_TEXT, "list-level-style-number", O_LEVEL_NUMBER },
                                 { 0, NULL, 0 } };

typedef struct
{
  GString *text;
  int level; /* of a heading; 0: a paragraph */
} Para;

typedef struct
{
  gsize from, len; /* within the row's text */
} Cell;

typedef struct
{
  GString *text; /* of the open row */
  GArray *cells; /* Cell */
  gsize cell_from;
  gint64 columns; /* how often the open cell counts */
  gint64 rows;    /* how often the open row counts */
  gboolean first, header, in_cell;
} Table;

typedef struct
{
  char *style;
  guint count;
  gboolean told; /* the open item has told its first paragraph */
} List;

typedef struct
{
  const TextDocJob *job;
  TextDocSink *sink;
  GHashTable *numbered; /* list style → bits of levels */
  char *open_style;
  GArray *paras, *tables, *lists;
  gboolean spreadsheet, title;
  guint n_sheets, n_pages;
  guint in_notes;
  GString *notes; /* footnotes so far, each a paragraph ended by \036 */
  guint dropped, contents;
} Odf;

static Para *
para (Odf *o)
{
  return o->paras->len ? &g_array_index (o->paras, Para, o->paras->len - 1) : NULL;
}

static Table *
table (Odf *o)
{
  return o->tables->len ? &g_array_index (o->tables, Table, o->tables->len - 1) : NULL;
}

static List *
list (Odf *o)
{
  return o->lists->len ? &g_array_index (o->lists, List, o->lists->len - 1) : NULL;
}

static char *
text_of (FrStr s)
{
  return s.data ? g_strndup (s.data, s.len) : NULL;
}

static void
put (Odf *o, const char *text, gsize len)
{
  if (para (o))
    g_string_append_len (para (o)->text, text, (gssize) len);
}

/* ---- what ends -------------------------------------------------------------- */

static gboolean
tell_block (Odf *o, Para *p)
{
  TextDocBlock block = { .size = sizeof block,
                         .kind = TEXT_DOC_PARAGRAPH,
                         .text = { p->text->str, p->text->len } };
  List *l = list (o);

  if (p->text->len == 0)
    return TRUE;
  if (o->title)
    {
      block.kind = TEXT_DOC_HEADING;
      block.level = 2;
    }
  else if (p->level > 0)
    {
      block.kind = TEXT_DOC_HEADING;
      block.level = (guint) p->level;
    }
  else if (l && !l->told)
    {
      guint levels
          = GPOINTER_TO_UINT (l->style ? g_hash_table_lookup (o->numbered, l->style) : NULL);

      block.kind = TEXT_DOC_ITEM;
      block.level = MIN (o->lists->len, 9);
      block.ordered = levels >> MIN (o->lists->len - 1, 30) & 1 ? l->count : 0;
      l->told = TRUE;
    }
  return o->sink->block (o->sink, &block);
}

static gboolean
end_paragraph (Odf *o)
{
  Para *p = para (o);
  Table *t = table (o);
  gboolean ok = TRUE;

  if (p == NULL)
    return TRUE;
  if (o->in_notes)
    {
      if (p->text->len && o->job->wants & TEXT_DOC_NOTES)
        {
          g_string_append_len (o->notes, p->text->str, (gssize) p->text->len);
          g_string_append_c (o->notes, '\036');
        }
    }
  else if (t && t->in_cell)
    {
      if (t->text->len > t->cell_from && p->text->len)
        g_string_append_c (t->text, '\n');
      g_string_append_len (t->text, p->text->str, (gssize) p->text->len);
    }
  else
    ok = tell_block (o, p);
  g_string_free (p->text, TRUE);
  g_array_set_size (o->paras, o->paras->len - 1);
  return ok;
}

static void
end_cell (Table *t)
{
  Cell cell = { t->cell_from, t->text->len - t->cell_from };

  /* Empty columns to the right edge of the sheet are no cells. */
  for (gint64 i = 0; i < t->columns && t->cells->len < MAX_COLUMNS; i++)
    g_array_append_val (t->cells, cell);
  t->in_cell = FALSE;
}

static gboolean
tell_row (Odf *o, Table *t)
{
  g_autofree FrStr *cells = NULL;
  guint n = t->cells->len;

  while (n > 0 && g_array_index (t->cells, Cell, n - 1).len == 0)
    n--;
  if (n == 0)
    {
      /* An empty row parts two tables of a sheet. */
      t->first |= o->spreadsheet;
      return TRUE;
    }
  if (!o->spreadsheet)
    n = t->cells->len;
  cells = g_new (FrStr, n);
  for (guint i = 0; i < n; i++)
    {
      const Cell *c = &g_array_index (t->cells, Cell, i);

      cells[i] = (FrStr){ t->text->str + c->from, c->len };
    }
  for (gint64 i = 0; i < t->rows; i++)
    {
      if (!text_doc_row (o->sink, cells, n, t->first, t->header) || !o->sink->go_on (o->sink))
        return FALSE;
      t->first = FALSE;
    }
  return TRUE;
}

static gboolean
end_row (Odf *o)
{
  Table *t = table (o), *outer;
  gboolean ok = TRUE;

  if (t == NULL)
    return TRUE;
  if (o->tables->len == 1)
    ok = o->in_notes || tell_row (o, t);
  else
    {
      outer = &g_array_index (o->tables, Table, o->tables->len - 2);
      if (outer->in_cell && outer->text->len > outer->cell_from)
        g_string_append_c (outer->text, '\n');
      if (outer->in_cell)
        g_string_append_len (outer->text, t->text->str, (gssize) t->text->len);
    }
  g_array_set_size (t->cells, 0);
  g_string_truncate (t->text, 0);
  return ok;
}

static void
end_table (Odf *o)
{
  Table *t = table (o);

  if (t == NULL)
    return;
  g_string_free (t->text, TRUE);
  g_array_unref (t->cells);
  g_array_set_size (o->tables, o->tables->len - 1);
}

/* ---- what begins ------------------------------------------------------------ */

static void
begin_paragraph (Odf *o, int level)
{
  Para p = { g_string_new (NULL), level };

  g_array_append_val (o->paras, p);
}

static void
begin_list (Odf *o, XmlWalk *walk)
{
  List l = { text_of (xml_attribute (walk, XML_NS_TEXT, "style-name")), 0, TRUE };

  /* An inner list without a style of its own has its outer one's. */
  if (l.style == NULL && list (o))
    l.style = g_strdup (list (o)->style);
  g_array_append_val (o->lists, l);
}

static gboolean
begin_table (Odf *o, XmlWalk *walk)
{
  Table t = {
    g_string_new (NULL), g_array_new (FALSE, FALSE, sizeof (Cell)), 0, 1, 1, TRUE, FALSE, FALSE
  };

  g_array_append_val (o->tables, t);
  if (!o->spreadsheet || o->tables->len > 1)
    return TRUE;
  return o->sink->part (o->sink, TEXT_DOC_SHEET, ++o->n_sheets,
                        xml_attribute (walk, XML_NS_TABLE, "name"));
}

/* Frames of a slide that say what stands on every slide. */
static XmlNext
begin_frame (Odf *o, XmlWalk *walk)
{
  FrStr class = xml_attribute (walk, XML_NS_PRESENTATION, "class");

  o->title = fr_str_equal (class, FR_STR ("title"));
  if (o->job->wants & TEXT_DOC_WHOLE)
    return XML_ON;
  if (fr_str_equal (class, FR_STR ("header")) || fr_str_equal (class, FR_STR ("footer"))
      || fr_str_equal (class, FR_STR ("date-time")) || fr_str_equal (class, FR_STR ("page-number")))
    {
      o->dropped++;
      return XML_SKIP;
    }
  return XML_ON;
}

static void
put_spaces (Odf *o, XmlWalk *walk)
{
  gint64 n = CLAMP (xml_attribute_int (walk, XML_NS_TEXT, "c", 1), 0, MAX_SPACES);

  for (gint64 i = 0; i < n; i++)
    put (o, " ", 1);
}

static XmlNext
start_in_table (Odf *o, int id, XmlWalk *walk)
{
  Table *t = table (o);

  if (t == NULL)
    return XML_ON;
  if (id == O_ROW)
    t->rows = CLAMP (xml_attribute_int (walk, XML_NS_TABLE, "number-rows-repeated", 1), 1,
                     MAX_ROWS_REPEATED);
  else if (id == O_HEADER_ROWS)
    t->header = TRUE;
  else
    {
      t->columns = CLAMP (xml_attribute_int (walk, XML_NS_TABLE, "number-columns-repeated", 1), 1,
                          MAX_COLUMNS);
      t->cell_from = t->text->len;
      t->in_cell = TRUE;
    }
  return XML_ON;
}

static XmlNext
start_in_styles (Odf *o, int id, XmlWalk *walk)
{
  gint64 level;
  guint levels;

  if (id == O_LIST_STYLE)
    {
      g_free (o->open_style);
      o->open_style = text_of (xml_attribute (walk, XML_NS_STYLE, "name"));
      return XML_ON;
    }
  level = xml_attribute_int (walk, XML_NS_TEXT, "level", 0);
  if (o->open_style == NULL || level < 1 || level > 30)
    return XML_ON;
  levels = GPOINTER_TO_UINT (g_hash_table_lookup (o->numbered, o->open_style));
  g_hash_table_replace (o->numbered, g_strdup (o->open_style),
                        GUINT_TO_POINTER (levels | 1u << (level - 1)));
  return XML_ON;
}

static XmlNext
odf_start (gpointer data, int id, XmlWalk *walk)
{
  Odf *o = data;
  FrStr name;

  switch (id)
    {
    case O_H:
      begin_paragraph (
          o, (int) CLAMP (xml_attribute_int (walk, XML_NS_TEXT, "outline-level", 1), 1, 9));
      break;
    case O_P:
      name = xml_attribute (walk, XML_NS_TEXT, "style-name");
      begin_paragraph (o, fr_str_equal (name, FR_STR ("Title")) ? 1 : 0);
      break;
    case O_S:
      put_spaces (o, walk);
      break;
    case O_TAB:
      put (o, "\t", 1);
      break;
    case O_BREAK:
      put (o, "\n", 1);
      break;
    case O_LIST:
      begin_list (o, walk);
      break;
    case O_ITEM:
      if (list (o) == NULL)
        break;
      list (o)->count++;
      list (o)->told = FALSE;
      break;
    case O_NOTE:
      o->in_notes++;
      break;
    case O_NOTES:
      o->title = FALSE;
      return o->job->wants & TEXT_DOC_NOTES ? XML_ON : XML_SKIP;
    case O_INDEX:
      if (o->job->wants & TEXT_DOC_WHOLE)
        break;
      o->contents++;
      return XML_SKIP;
    case O_GONE:
      return XML_SKIP;
    case O_TABLE:
      return begin_table (o, walk) ? XML_ON : XML_STOP;
    case O_ROW:
    case O_CELL:
    case O_HEADER_ROWS:
      return start_in_table (o, id, walk);
    case O_PAGE:
      return o->sink->part (o->sink, TEXT_DOC_SLIDE, ++o->n_pages,
                            xml_attribute (walk, XML_NS_DRAW, "name"))
                 ? XML_ON
                 : XML_STOP;
    case O_FRAME:
      return begin_frame (o, walk);
    case O_SPREADSHEET:
      o->spreadsheet = TRUE;
      break;
    case O_LIST_STYLE:
    case O_LEVEL_NUMBER:
      return start_in_styles (o, id, walk);
    default:
      break;
    }
  return XML_ON;
}

static XmlNext
odf_end (gpointer data, int id)
{
  Odf *o = data;

  switch (id)
    {
    case O_H:
    case O_P:
      return end_paragraph (o) ? XML_ON : XML_STOP;
    case O_LIST:
      if (list (o))
        {
          g_free (list (o)->style);
          g_array_set_size (o->lists, o->lists->len - 1);
        }
      break;
    case O_NOTE:
      o->in_notes--;
      break;
    case O_CELL:
      if (table (o) && table (o)->in_cell)
        end_cell (table (o));
      break;
    case O_ROW:
      return end_row (o) ? XML_ON : XML_STOP;
    case O_HEADER_ROWS:
      if (table (o))
        table (o)->header = FALSE;
      break;
    case O_TABLE:
      end_table (o);
      break;
    case O_FRAME:
      o->title = FALSE;
      break;
    case O_LIST_STYLE:
      g_clear_pointer (&o->open_style, g_free);
      break;
    default:
      break;
    }
  return XML_ON;
}

/* White space as section 6.1.2 has it: a run is one blank. */
static XmlNext
odf_text (gpointer data, const char *text, gsize len)
{
  Odf *o = data;
  Para *p = para (o);

  if (p == NULL)
    return XML_ON;
  for (gsize i = 0; i < len; i++)
    {
      char c = text[i];

      if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
        g_string_append_c (p->text, c);
      else if (p->text->len && !strchr (" \t\n", p->text->str[p->text->len - 1]))
        g_string_append_c (p->text, ' ');
    }
  return XML_ON;
}

/* ---- the document ----------------------------------------------------------- */

static XmlNext
manifest_start (gpointer data, int id, XmlWalk *walk)
{
  (void) walk;
  if (id == O_ENCRYPTION)
    *(gboolean *) data = TRUE;
  return XML_ON;
}

static gboolean
is_encrypted (Parts *parts, gboolean *encrypted)
{
  static const XmlName known[]
      = { { XML_NS_MANIFEST, "encryption-data", O_ENCRYPTION }, { 0, NULL, 0 } };
  static const XmlHandler handler = { known, manifest_start, NULL, NULL };
  FrStr part = parts_get (parts, "META-INF/manifest.xml");

  *encrypted = FALSE;
  return part.data == NULL
         || xml_walk (part, "META-INF/manifest.xml", &handler, encrypted, parts_sink (parts));
}

static gboolean
tell_notes (Odf *o)
{
  const char *at = o->notes->str;

  for (const char *end; (end = strchr (at, '\036')) != NULL; at = end + 1)
    if (!text_doc_paragraph (o->sink, (FrStr){ at, (gsize) (end - at) }))
      return FALSE;
  return TRUE;
}

static gboolean
read_parts (Odf *o, Parts *parts)
{
  static const XmlHandler handler = { names, odf_start, odf_end, odf_text };
  FrStr content = parts_get (parts, "content.xml");
  gboolean encrypted;

  if (!is_encrypted (parts, &encrypted))
    return FALSE;
  if (encrypted)
    return o->sink->fail (o->sink, "encrypted", "it is encrypted; save it without a password");
  if (content.data == NULL)
    return o->sink->fail (o->sink, "damaged", "content.xml is missing");
  if (!parts_facts (parts, "meta.xml") || !xml_walk (content, "content.xml", &handler, o, o->sink)
      || !tell_notes (o))
    return FALSE;
  if (o->dropped)
    o->sink->count (o->sink, "headers_dropped", o->dropped);
  if (o->contents)
    o->sink->count (o->sink, "contents_entries_dropped", o->contents);
  return TRUE;
}

static gboolean
read_odf (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  Odf o = { .job = job, .sink = sink };
  g_autoptr (Parts) parts = parts_new (job, sink);
  gboolean ok;

  (void) state;
  if (parts == NULL)
    return FALSE;
  o.numbered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  o.paras = g_array_new (FALSE, FALSE, sizeof (Para));
  o.tables = g_array_new (FALSE, FALSE, sizeof (Table));
  o.lists = g_array_new (FALSE, FALSE, sizeof (List));
  o.notes = g_string_new (NULL);
  ok = read_parts (&o, parts);
  for (guint i = 0; i < o.paras->len; i++)
    g_string_free (g_array_index (o.paras, Para, i).text, TRUE);
  while (o.tables->len)
    end_table (&o);
  for (guint i = 0; i < o.lists->len; i++)
    g_free (g_array_index (o.lists, List, i).style);
  g_array_unref (o.paras);
  g_array_unref (o.tables);
  g_array_unref (o.lists);
  g_hash_table_unref (o.numbered);
  g_string_free (o.notes, TRUE);
  g_free (o.open_style);
  return ok;
}

static const char *const odt_types[]
    = { TYPE_ODT, "application/vnd.oasis.opendocument.text-template", NULL };
static const char *const ods_types[]
    = { TYPE_ODS, "application/vnd.oasis.opendocument.spreadsheet-template", NULL };
static const char *const odp_types[]
    = { TYPE_ODP, "application/vnd.oasis.opendocument.presentation-template", NULL };
const TextDocReader odt_reader
    = { sizeof (TextDocReader), odt_types, "odt", NULL, NULL, NULL, read_odf };
const TextDocReader ods_reader
    = { sizeof (TextDocReader), ods_types, "ods", NULL, NULL, NULL, read_odf };
const TextDocReader odp_reader
    = { sizeof (TextDocReader), odp_types, "odp", NULL, NULL, NULL, read_odf };
