/* SPDX-License-Identifier: Apache-2.0 */
/* docx.c: word processing documents (ISO 29500-1, section 17).
 *
 * The main part alone is text: headers and footers are parts of their own and
 * are never opened.  Kept: paragraphs with their heading levels (from styles,
 * by outline level or by name), lists, tables (nested ones inside the cell),
 * text boxes, inserted text, ruby bases, formulas as text; footnotes and
 * endnotes at the end where notes are wanted.  Dropped: deleted and moved-away
 * text, field codes, comments, tables of contents, hidden text, phonetics.
 */
#include "config.h"

#include "parts.h"
#include "readers.h"
#include "xml.h"

#include <string.h>

/* ---- styles and lists ------------------------------------------------------- */

typedef struct
{
  char *based_on;
  char *number; /* numId of its lists */
  int level;    /* 1 to 9: a heading; 0: not said; -1: body */
  gboolean contents;
} Style;

typedef struct
{
  gboolean known[9], bullet[9];
} Abstract;

typedef struct
{
  TextDocSink *sink;
  const TextDocJob *job;
  GHashTable *styles;    /* id → Style */
  GHashTable *abstracts; /* abstractNumId → Abstract */
  GHashTable *numbers;   /* numId → abstractNumId */
  GHashTable *counters;  /* numId → guint[9] */
  /* while styles and numbering are read */
  Style *style;
  Abstract *abstract;
  char *number;
  int level;
} Sheet;

static void
style_free (gpointer data)
{
  Style *style = data;

  g_free (style->based_on);
  g_free (style->number);
  g_free (style);
}

enum
{
  S_STYLE = 1,
  S_NAME,
  S_BASED,
  S_OUTLINE,
  S_NUM_ID,
  S_ABSTRACT,
  S_LEVEL,
  S_FORMAT,
  S_NUM,
  S_NUM_ABSTRACT
};

static char *
value_of (XmlWalk *walk, const char *name)
{
  FrStr value = xml_attribute (walk, XML_NS_W, name);

  return value.data ? g_strndup (value.data, value.len) : NULL;
}

static void
name_style (Style *style, const char *name)
{
  static const char *const headings[] = { "heading ", "标题 ", "標題 ", "Überschrift ", "見出し " };

  if (name == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (headings); i++)
    if (g_ascii_strncasecmp (name, headings[i], strlen (headings[i])) == 0)
      {
        const char *digit = name + strlen (headings[i]);

        if (*digit >= '1' && *digit <= '9' && digit[1] == '\0' && style->level == 0)
          style->level = *digit - '0';
      }
  if (g_ascii_strcasecmp (name, "Title") == 0 || strcmp (name, "标题") == 0)
    style->level = 1;
  if (g_ascii_strcasecmp (name, "Subtitle") == 0 || strcmp (name, "副标题") == 0)
    style->level = 2;
  style->contents = (g_ascii_strncasecmp (name, "toc ", 4) == 0 && g_ascii_isdigit (name[4]))
                    || g_ascii_strcasecmp (name, "table of figures") == 0;
}

static XmlNext
styles_start (gpointer data, int id, XmlWalk *walk)
{
  Sheet *sheet = data;
  char *key;

  if (id == S_STYLE)
    {
      key = value_of (walk, "styleId");
      if (key == NULL)
        return XML_SKIP;
      sheet->style = g_new0 (Style, 1);
      g_hash_table_replace (sheet->styles, key, sheet->style);
    }
  else if (sheet->style == NULL)
    return XML_ON;
  else if (id == S_NAME)
    {
      g_autofree char *name = value_of (walk, "val");

      name_style (sheet->style, name);
    }
  else if (id == S_BASED && sheet->style->based_on == NULL)
    sheet->style->based_on = value_of (walk, "val");
  else if (id == S_NUM_ID && sheet->style->number == NULL)
    sheet->style->number = value_of (walk, "val");
  else if (id == S_OUTLINE)
    {
      gint64 level = xml_attribute_int (walk, XML_NS_W, "val", 9);

      sheet->style->level = level >= 0 && level < 9 ? (int) level + 1 : -1;
    }
  return XML_ON;
}

static XmlNext
styles_end (gpointer data, int id)
{
  if (id == S_STYLE)
    ((Sheet *) data)->style = NULL;
  return XML_ON;
}

static XmlNext
numbering_start (gpointer data, int id, XmlWalk *walk)
{
  Sheet *sheet = data;

  switch (id)
    {
    case S_ABSTRACT:
      {
        char *key = value_of (walk, "abstractNumId");

        if (key == NULL)
          return XML_SKIP;
        sheet->abstract = g_new0 (Abstract, 1);
        g_hash_table_replace (sheet->abstracts, key, sheet->abstract);
        break;
      }
    case S_LEVEL:
      sheet->level = (int) CLAMP (xml_attribute_int (walk, XML_NS_W, "ilvl", 0), 0, 8);
      break;
    case S_FORMAT:
      {
        FrStr format = xml_attribute (walk, XML_NS_W, "val");

        if (sheet->abstract == NULL)
          break;
        sheet->abstract->known[sheet->level] = TRUE;
        sheet->abstract->bullet[sheet->level]
            = fr_str_equal (format, FR_STR ("bullet")) || fr_str_equal (format, FR_STR ("none"));
        break;
      }
    case S_NUM:
      g_free (sheet->number);
      sheet->number = value_of (walk, "numId");
      break;
    case S_NUM_ABSTRACT:
      if (sheet->number)
        g_hash_table_replace (sheet->numbers, g_steal_pointer (&sheet->number),
                              value_of (walk, "val"));
      break;
    default:
      break;
    }
  return XML_ON;
}

static XmlNext
numbering_end (gpointer data, int id)
{
  if (id == S_ABSTRACT)
    ((Sheet *) data)->abstract = NULL;
  return XML_ON;
}

static gboolean
read_sheets (Sheet *sheet, Parts *parts, GPtrArray *related)
{
  static const XmlName style_names[]
      = { { XML_NS_W, "style", S_STYLE },   { XML_NS_W, "name", S_NAME },
          { XML_NS_W, "basedOn", S_BASED }, { XML_NS_W, "outlineLvl", S_OUTLINE },
          { XML_NS_W, "numId", S_NUM_ID },  { 0, NULL, 0 } };
  static const XmlName number_names[] = { { XML_NS_W, "abstractNum", S_ABSTRACT },
                                          { XML_NS_W, "lvl", S_LEVEL },
                                          { XML_NS_W, "numFmt", S_FORMAT },
                                          { XML_NS_W, "num", S_NUM },
                                          { XML_NS_W, "abstractNumId", S_NUM_ABSTRACT },
                                          { 0, NULL, 0 } };
  static const XmlHandler styles = { style_names, styles_start, styles_end, NULL };
  static const XmlHandler numbering = { number_names, numbering_start, numbering_end, NULL };
  FrStr part = parts_get (parts, related_by_type (related, "styles"));

  if (part.data && !xml_walk (part, "styles", &styles, sheet, sheet->sink))
    return FALSE;
  part = parts_get (parts, related_by_type (related, "numbering"));
  return part.data == NULL || xml_walk (part, "numbering", &numbering, sheet, sheet->sink);
}

/* A style with what it inherits. */
static Style
whole_style (const Sheet *sheet, const char *id)
{
  Style whole = { 0 };

  for (guint i = 0; id && i < 16; i++)
    {
      const Style *style = g_hash_table_lookup (sheet->styles, id);

      if (style == NULL)
        break;
      if (whole.level == 0)
        whole.level = style->level;
      if (whole.number == NULL)
        whole.number = style->number;
      whole.contents |= style->contents;
      id = style->based_on;
    }
  return whole;
}

/* ---- the body --------------------------------------------------------------- */

enum
{
  D_P = 1,
  D_P_STYLE,
  D_NUM_PR,
  D_ILVL,
  D_NUM_ID,
  D_OUTLINE,
  D_R,
  D_R_PR,
  D_VANISH,
  D_T,
  D_TAB,
  D_TABS,
  D_BR,
  D_CR,
  D_HYPHEN,
  D_SYM,
  D_GONE,
  D_TBL,
  D_TR,
  D_TC,
  D_SPAN,
  D_HEADER,
  D_SDT,
  D_GALLERY,
  D_SDT_CONTENT,
  D_MT,
  D_NOTE
};

static const XmlName body_names[] = { { XML_NS_W, "p", D_P },
                                      { XML_NS_W, "pStyle", D_P_STYLE },
                                      { XML_NS_W, "numPr", D_NUM_PR },
                                      { XML_NS_W, "ilvl", D_ILVL },
                                      { XML_NS_W, "numId", D_NUM_ID },
                                      { XML_NS_W, "outlineLvl", D_OUTLINE },
                                      { XML_NS_W, "r", D_R },
                                      { XML_NS_W, "rPr", D_R_PR },
                                      { XML_NS_W, "vanish", D_VANISH },
                                      { XML_NS_W, "t", D_T },
                                      { XML_NS_W, "tab", D_TAB },
                                      { XML_NS_W, "ptab", D_TAB },
                                      { XML_NS_W, "tabs", D_TABS },
                                      { XML_NS_W, "br", D_BR },
                                      { XML_NS_W, "cr", D_CR },
                                      { XML_NS_W, "noBreakHyphen", D_HYPHEN },
                                      { XML_NS_W, "sym", D_SYM },
                                      { XML_NS_W, "del", D_GONE },
                                      { XML_NS_W, "moveFrom", D_GONE },
                                      { XML_NS_W, "delText", D_GONE },
                                      { XML_NS_W, "instrText", D_GONE },
                                      { XML_NS_W, "delInstrText", D_GONE },
                                      { XML_NS_W, "rt", D_GONE },
                                      { XML_NS_W, "sectPr", D_GONE },
                                      { XML_NS_W, "pPrChange", D_GONE },
                                      { XML_NS_W, "rPrChange", D_GONE },
                                      { XML_NS_MC, "Fallback", D_GONE },
                                      { XML_NS_W, "tbl", D_TBL },
                                      { XML_NS_W, "tr", D_TR },
                                      { XML_NS_W, "tc", D_TC },
                                      { XML_NS_W, "gridSpan", D_SPAN },
                                      { XML_NS_W, "tblHeader", D_HEADER },
                                      { XML_NS_W, "sdt", D_SDT },
                                      { XML_NS_W, "docPartGallery", D_GALLERY },
                                      { XML_NS_W, "sdtContent", D_SDT_CONTENT },
                                      { XML_NS_M, "t", D_MT },
                                      { XML_NS_W, "footnote", D_NOTE },
                                      { XML_NS_W, "endnote", D_NOTE },
                                      { 0, NULL, 0 } };

typedef struct
{
  GString *text;
  char *style;
  char *number;
  int outline, indent; /* -1: not said */
  gboolean vanish;     /* of the run */
} Para;

typedef struct
{
  GPtrArray *cells; /* GString */
  guint n_rows, span;
  gboolean header, in_cell;
} Table;

typedef struct
{
  Sheet *sheet;
  TextDocSink *sink;
  GArray *paras;  /* Para: a text box stands within a paragraph */
  GArray *tables; /* Table: those open */
  guint text_depth;
  gboolean contents; /* this sdt is a table of contents */
  guint hidden, dropped;
} Body;

static void
free_gstring (gpointer string)
{
  g_string_free (string, TRUE);
}

static Para *
para (Body *body)
{
  return body->paras->len ? &g_array_index (body->paras, Para, body->paras->len - 1) : NULL;
}

static Table *
table (Body *body)
{
  return body->tables->len ? &g_array_index (body->tables, Table, body->tables->len - 1) : NULL;
}

static GString *
open_cell (Body *body)
{
  Table *t = table (body);

  return t && t->in_cell && t->cells->len ? t->cells->pdata[t->cells->len - 1] : NULL;
}

static void
para_clear (Para *p)
{
  g_string_free (p->text, TRUE);
  g_free (p->style);
  g_free (p->number);
}

/* The number that an item shows; 0 for a bullet. */
static guint
count_item (Sheet *sheet, const char *number, guint level)
{
  const char *key = g_hash_table_lookup (sheet->numbers, number);
  const Abstract *abstract = key ? g_hash_table_lookup (sheet->abstracts, key) : NULL;
  guint *counts = g_hash_table_lookup (sheet->counters, number);

  if (abstract == NULL || !abstract->known[level] || abstract->bullet[level])
    return 0;
  if (counts == NULL)
    {
      counts = g_new0 (guint, 9);
      g_hash_table_insert (sheet->counters, g_strdup (number), counts);
    }
  for (guint i = level + 1; i < 9; i++)
    counts[i] = 0;
  return ++counts[level];
}

static gboolean
tell_paragraph (Body *body, Para *p)
{
  Style style = whole_style (body->sheet, p->style);
  const char *number = p->number ? p->number : style.number;
  int level = p->outline >= 0 ? (p->outline < 9 ? p->outline + 1 : 0) : MAX (style.level, 0);
  TextDocBlock block = { .size = sizeof block,
                         .kind = TEXT_DOC_PARAGRAPH,
                         .text = { p->text->str, p->text->len } };

  if (style.contents && !(body->sheet->job->wants & TEXT_DOC_WHOLE))
    {
      body->dropped++;
      return TRUE;
    }
  if (p->text->len == 0)
    return TRUE;
  if (level > 0)
    {
      block.kind = TEXT_DOC_HEADING;
      block.level = (guint) level;
    }
  else if (number && strcmp (number, "0") != 0)
    {
      guint indent = (guint) CLAMP (p->indent, 0, 8);

      block.kind = TEXT_DOC_ITEM;
      block.level = indent + 1;
      block.ordered = count_item (body->sheet, number, indent);
    }
  return body->sink->block (body->sink, &block);
}

static gboolean
end_paragraph (Body *body)
{
  Para *p = para (body);
  GString *cell = open_cell (body);
  gboolean ok = TRUE;

  if (p == NULL)
    return TRUE;
  if (cell)
    {
      if (cell->len && p->text->len)
        g_string_append_c (cell, '\n');
      g_string_append_len (cell, p->text->str, (gssize) p->text->len);
    }
  else
    ok = tell_paragraph (body, p);
  para_clear (p);
  g_array_set_size (body->paras, body->paras->len - 1);
  return ok;
}

static gboolean
end_row (Body *body)
{
  Table *t = table (body);
  g_autofree FrStr *cells = NULL;
  gboolean ok = TRUE;

  if (t == NULL)
    return TRUE;
  if (body->tables->len > 1)
    {
      /* A table within a cell becomes lines of that cell. */
      Table *outer = &g_array_index (body->tables, Table, body->tables->len - 2);

      if (outer->in_cell && outer->cells->len)
        {
          GString *cell = outer->cells->pdata[outer->cells->len - 1];

          for (guint i = 0; i < t->cells->len; i++)
            {
              const GString *inner = t->cells->pdata[i];

              if (cell->len)
                g_string_append_c (cell, i ? '\t' : '\n');
              g_string_append_len (cell, inner->str, (gssize) inner->len);
            }
        }
    }
  else
    {
      cells = g_new0 (FrStr, t->cells->len + 1);
      for (guint i = 0; i < t->cells->len; i++)
        cells[i] = (FrStr){ ((GString *) t->cells->pdata[i])->str,
                            ((GString *) t->cells->pdata[i])->len };
      ok = text_doc_row (body->sink, cells, t->cells->len, t->n_rows == 0, t->header);
    }
  t->n_rows++;
  t->header = FALSE;
  g_ptr_array_set_size (t->cells, 0);
  return ok;
}

static void
begin_paragraph (Body *body)
{
  Para p = { g_string_new (NULL), NULL, NULL, -1, -1, FALSE };

  g_array_append_val (body->paras, p);
}

static void
put (Body *body, const char *text, gsize len)
{
  Para *p = para (body);

  if (p && p->vanish && !(body->sheet->job->wants & TEXT_DOC_HIDDEN))
    body->hidden++;
  else if (p)
    g_string_append_len (p->text, text, (gssize) len);
}

/* A character of a symbol font: those of the private area say nothing. */
static void
put_symbol (Body *body, XmlWalk *walk)
{
  FrStr code = xml_attribute (walk, XML_NS_W, "char");
  g_autofree char *digits = g_strndup (code.data ? code.data : "", MIN (code.len, 8));
  gunichar c = (gunichar) g_ascii_strtoull (digits, NULL, 16);
  char utf8[6];

  if (c >= 32 && c < 0xe000 && g_unichar_validate (c))
    put (body, utf8, (gsize) g_unichar_to_utf8 (c, utf8));
}

static XmlNext
start_property (Body *body, int id, XmlWalk *walk)
{
  Para *p = para (body);
  Table *t = table (body);

  switch (id)
    {
    case D_P_STYLE:
      if (p && p->style == NULL)
        p->style = value_of (walk, "val");
      break;
    case D_ILVL:
      if (p)
        p->indent = (int) CLAMP (xml_attribute_int (walk, XML_NS_W, "val", 0), 0, 8);
      break;
    case D_NUM_ID:
      if (p && p->number == NULL)
        p->number = value_of (walk, "val");
      break;
    case D_OUTLINE:
      if (p)
        p->outline = (int) CLAMP (xml_attribute_int (walk, XML_NS_W, "val", 9), 0, 9);
      break;
    case D_VANISH:
      if (p)
        p->vanish = xml_attribute_on (walk, XML_NS_W, "val");
      break;
    case D_SPAN:
      if (t && t->in_cell)
        t->span = (guint) CLAMP (xml_attribute_int (walk, XML_NS_W, "val", 1), 1, 64);
      break;
    case D_HEADER:
      if (t)
        t->header = xml_attribute_on (walk, XML_NS_W, "val");
      break;
    default:
      break;
    }
  return XML_ON;
}

static void
begin_table (Body *body)
{
  Table t = { g_ptr_array_new_with_free_func (free_gstring), 0, 1, FALSE, FALSE };

  g_array_append_val (body->tables, t);
}

static XmlNext
body_start (gpointer data, int id, XmlWalk *walk)
{
  Body *body = data;
  Table *t = table (body);
  gint64 kind;

  switch (id)
    {
    case D_P:
      begin_paragraph (body);
      break;
    case D_R:
      if (para (body))
        para (body)->vanish = FALSE;
      break;
    case D_T:
    case D_MT:
      body->text_depth++;
      break;
    case D_TAB:
      put (body, "\t", 1);
      break;
    case D_TABS:
    case D_GONE:
      return XML_SKIP;
    case D_BR:
    case D_CR:
      put (body, "\n", 1);
      break;
    case D_HYPHEN:
      put (body, "-", 1);
      break;
    case D_SYM:
      put_symbol (body, walk);
      break;
    case D_TBL:
      begin_table (body);
      break;
    case D_TC:
      if (t == NULL)
        break;
      g_ptr_array_add (t->cells, g_string_new (NULL));
      t->in_cell = TRUE;
      t->span = 1;
      break;
    case D_SDT:
      body->contents = FALSE;
      break;
    case D_GALLERY:
      body->contents
          = fr_str_equal (xml_attribute (walk, XML_NS_W, "val"), FR_STR ("Table of Contents"))
            && !(body->sheet->job->wants & TEXT_DOC_WHOLE);
      break;
    case D_SDT_CONTENT:
      if (!body->contents)
        break;
      body->contents = FALSE;
      body->dropped++;
      return XML_SKIP;
    case D_NOTE:
      /* Separators and their continuation are notes by form alone. */
      kind = (gint64) xml_attribute (walk, XML_NS_W, "type").len;
      return kind > 0 ? XML_SKIP : XML_ON;
    default:
      return start_property (body, id, walk);
    }
  return XML_ON;
}

static XmlNext
body_end (gpointer data, int id)
{
  Body *body = data;
  Table *t = table (body);

  switch (id)
    {
    case D_P:
      return end_paragraph (body) ? XML_ON : XML_STOP;
    case D_T:
    case D_MT:
      body->text_depth--;
      break;
    case D_TC:
      if (t == NULL)
        break;
      for (guint i = 1; i < t->span; i++)
        g_ptr_array_add (t->cells, g_string_new (NULL));
      t->in_cell = FALSE;
      break;
    case D_TR:
      return end_row (body) ? XML_ON : XML_STOP;
    case D_TBL:
      if (t == NULL)
        break;
      g_ptr_array_unref (t->cells);
      g_array_set_size (body->tables, body->tables->len - 1);
      break;
    default:
      break;
    }
  return XML_ON;
}

static XmlNext
body_text (gpointer data, const char *text, gsize len)
{
  Body *body = data;

  if (body->text_depth > 0)
    put (body, text, len);
  return XML_ON;
}

static gboolean
read_body (Sheet *sheet, FrStr part, const char *name)
{
  static const XmlHandler handler = { body_names, body_start, body_end, body_text };
  Body body = { .sheet = sheet, .sink = sheet->sink };
  gboolean ok;

  body.paras = g_array_new (FALSE, FALSE, sizeof (Para));
  body.tables = g_array_new (FALSE, FALSE, sizeof (Table));
  ok = xml_walk (part, name, &handler, &body, sheet->sink);
  while (body.paras->len)
    {
      para_clear (para (&body));
      g_array_set_size (body.paras, body.paras->len - 1);
    }
  for (guint i = 0; i < body.tables->len; i++)
    g_ptr_array_unref (g_array_index (body.tables, Table, i).cells);
  g_array_unref (body.paras);
  g_array_unref (body.tables);
  if (body.hidden)
    sheet->sink->count (sheet->sink, "hidden_text_dropped", body.hidden);
  if (body.dropped)
    sheet->sink->count (sheet->sink, "contents_entries_dropped", body.dropped);
  return ok;
}

/* ---- the document ----------------------------------------------------------- */

static gboolean
read_notes (Sheet *sheet, Parts *parts, GPtrArray *related)
{
  static const char *const kinds[] = { "footnotes", "endnotes" };

  if (!(sheet->job->wants & TEXT_DOC_NOTES))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      FrStr part = parts_get (parts, related_by_type (related, kinds[i]));

      if (part.data && !read_body (sheet, part, kinds[i]))
        return FALSE;
    }
  return TRUE;
}

static void
count_left_out (TextDocSink *sink, GPtrArray *related)
{
  gint64 n = 0;

  for (guint i = 0; i < related->len; i++)
    {
      const Related *r = related->pdata[i];

      n += strcmp (r->type, "header") == 0 || strcmp (r->type, "footer") == 0;
    }
  if (n)
    sink->count (sink, "headers_dropped", n);
}

static gboolean
read_parts (Sheet *sheet, Parts *parts)
{
  g_autofree char *name = NULL;
  FrStr main_part;
  g_autoptr (GPtrArray) related = parts_main (
      parts, "word/document.xml", "the main part of the document is missing", &name, &main_part);

  if (related == NULL || !read_sheets (sheet, parts, related))
    return FALSE;
  count_left_out (sheet->sink, related);
  return read_body (sheet, main_part, name) && read_notes (sheet, parts, related);
}

static gboolean
read_docx (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  Sheet sheet = { .sink = sink, .job = job };
  g_autoptr (Parts) parts = parts_new (job, sink);
  gboolean ok;

  (void) state;
  if (parts == NULL)
    return FALSE;
  sheet.styles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, style_free);
  sheet.abstracts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  sheet.numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  sheet.counters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  ok = read_parts (&sheet, parts);
  g_hash_table_unref (sheet.styles);
  g_hash_table_unref (sheet.abstracts);
  g_hash_table_unref (sheet.numbers);
  g_hash_table_unref (sheet.counters);
  g_free (sheet.number);
  return ok;
}

static const char *const types[]
    = { TYPE_DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
        "application/vnd.ms-word.document.macroEnabled.12", NULL };
const TextDocReader docx_reader
    = { sizeof (TextDocReader), types, "docx", NULL, NULL, NULL, read_docx };
