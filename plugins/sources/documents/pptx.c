/* SPDX-License-Identifier: Apache-2.0 */
/* pptx.c: presentations (ISO 29500-1, sections 19 and 21).
 *
 * Slides in the order of the presentation, each a part named by its title.
 * The title is a heading, body placeholders are lists, other shapes are
 * paragraphs, tables are tables; speaker notes follow their slide where notes
 * are wanted.  Slide numbers, dates and footers (placeholders sldNum, dt, ftr),
 * masters and layouts are left out; charts and SmartArt keep their text in
 * parts of other languages, which are not read.
 */
#include "config.h"

#include "parts.h"
#include "readers.h"
#include "xml.h"

#include <string.h>

enum
{
  P_SLIDE_ID = 1,
  P_SLIDE,
  P_SHAPE,
  P_PLACEHOLDER,
  P_PARAGRAPH,
  P_PROPERTIES,
  P_AUTO,
  P_BULLET,
  P_NO_BULLET,
  P_T,
  P_BR,
  P_FIELD,
  P_TABLE,
  P_ROW,
  P_CELL,
  P_GONE
};

typedef enum
{
  SHAPE_OTHER = 0,
  SHAPE_TITLE,
  SHAPE_SUBTITLE,
  SHAPE_BODY,
  SHAPE_GONE
} Shape;

typedef struct
{
  const TextDocJob *job;
  TextDocSink *sink;
  GPtrArray *slides; /* relationship ids */
} Deck;

/* What a slide says, gathered before it is told: its title may come last. */
typedef struct
{
  TextDocKind kind;
  guint level, ordered;
  gboolean first;
  char *text;
  GPtrArray *cells; /* char *; of a row */
} Piece;

typedef struct
{
  Deck *deck;
  GPtrArray *pieces;
  GString *title, *text, *cell;
  Shape shape;
  gboolean notes, hidden;
  guint take, count;
  int level,
      bullet; /* of the paragraph; bullet: -1 as the shape has it, 0 none, 1 sign, 2 number */
  GPtrArray *cells;
  gboolean first_row;
  guint dropped;
} Slide;

static void
piece_free (gpointer data)
{
  Piece *piece = data;

  g_free (piece->text);
  g_clear_pointer (&piece->cells, g_ptr_array_unref);
  g_free (piece);
}

static Shape
shape_of (FrStr type, gboolean has_index, gboolean notes)
{
  if (fr_str_equal (type, FR_STR ("title")) || fr_str_equal (type, FR_STR ("ctrTitle")))
    return notes ? SHAPE_GONE : SHAPE_TITLE;
  if (fr_str_equal (type, FR_STR ("subTitle")))
    return SHAPE_SUBTITLE;
  if (fr_str_equal (type, FR_STR ("sldNum")) || fr_str_equal (type, FR_STR ("dt"))
      || fr_str_equal (type, FR_STR ("ftr")) || fr_str_equal (type, FR_STR ("hdr"))
      || fr_str_equal (type, FR_STR ("sldImg")))
    return SHAPE_GONE;
  if (fr_str_equal (type, FR_STR ("body")) || fr_str_equal (type, FR_STR ("obj"))
      || (type.len == 0 && has_index))
    return notes ? SHAPE_OTHER : SHAPE_BODY;
  return SHAPE_OTHER;
}

static void
begin_properties (Slide *s, XmlWalk *walk)
{
  s->level = (int) CLAMP (xml_attribute_int (walk, XML_NS_NONE, "lvl", 0), 0, 8);
}

static XmlNext
slide_start (gpointer data, int id, XmlWalk *walk)
{
  Slide *s = data;

  switch (id)
    {
    case P_SLIDE:
      s->hidden = fr_str_equal (xml_attribute (walk, XML_NS_NONE, "show"), FR_STR ("0"));
      break;
    case P_SHAPE:
      s->shape = SHAPE_OTHER;
      s->count = 0;
      break;
    case P_PLACEHOLDER:
      s->shape = shape_of (xml_attribute (walk, XML_NS_NONE, "type"),
                           xml_attribute (walk, XML_NS_NONE, "idx").data != NULL, s->notes);
      if (s->deck->job->wants & TEXT_DOC_WHOLE && s->shape == SHAPE_GONE)
        s->shape = SHAPE_OTHER;
      s->dropped += s->shape == SHAPE_GONE;
      break;
    case P_PARAGRAPH:
      g_string_truncate (s->text, 0);
      s->level = 0;
      s->bullet = -1;
      break;
    case P_PROPERTIES:
      begin_properties (s, walk);
      break;
    case P_AUTO:
      s->bullet = 2;
      break;
    case P_BULLET:
      s->bullet = 1;
      break;
    case P_NO_BULLET:
      s->bullet = 0;
      break;
    case P_T:
      s->take++;
      break;
    case P_BR:
      g_string_append_c (s->text, '\n');
      break;
    case P_FIELD:
      {
        FrStr type = xml_attribute (walk, XML_NS_NONE, "type");

        if (type.len >= 8
            && (memcmp (type.data, "slidenum", 8) == 0 || memcmp (type.data, "datetime", 8) == 0))
          return XML_SKIP;
        break;
      }
    case P_TABLE:
      s->first_row = TRUE;
      break;
    case P_ROW:
      g_clear_pointer (&s->cells, g_ptr_array_unref);
      s->cells = g_ptr_array_new_with_free_func (g_free);
      break;
    case P_CELL:
      if (s->cells == NULL)
        break;
      if (s->cell)
        g_string_free (s->cell, TRUE);
      s->cell = g_string_new (NULL);
      break;
    case P_GONE:
      return XML_SKIP;
    default:
      break;
    }
  return XML_ON;
}

static Piece *
add_piece (Slide *s, TextDocKind kind)
{
  Piece *piece = g_new0 (Piece, 1);

  piece->kind = kind;
  g_ptr_array_add (s->pieces, piece);
  return piece;
}

static void
end_paragraph (Slide *s)
{
  Piece *piece;

  if (s->text->len == 0 || s->shape == SHAPE_GONE)
    return;
  if (s->cell)
    {
      if (s->cell->len)
        g_string_append_c (s->cell, '\n');
      g_string_append_len (s->cell, s->text->str, (gssize) s->text->len);
      return;
    }
  if (s->shape == SHAPE_TITLE)
    {
      if (s->title->len)
        g_string_append_c (s->title, ' ');
      g_string_append (s->title, g_strdelimit (s->text->str, "\n\t", ' '));
      return;
    }
  if (s->bullet < 0)
    s->bullet = s->shape == SHAPE_BODY;
  piece = add_piece (s, s->bullet ? TEXT_DOC_ITEM : TEXT_DOC_PARAGRAPH);
  piece->level = s->bullet ? (guint) s->level + 1 : 0;
  piece->ordered = s->bullet == 2 ? ++s->count : 0;
  piece->text = g_strndup (s->text->str, s->text->len);
}

static XmlNext
slide_end (gpointer data, int id)
{
  Slide *s = data;
  Piece *piece;

  switch (id)
    {
    case P_T:
      s->take--;
      break;
    case P_PARAGRAPH:
      end_paragraph (s);
      g_string_truncate (s->text, 0);
      break;
    case P_CELL:
      if (s->cell && s->cells)
        g_ptr_array_add (s->cells, g_string_free (g_steal_pointer (&s->cell), FALSE));
      break;
    case P_ROW:
      if (s->cells == NULL)
        break;
      piece = add_piece (s, TEXT_DOC_ROW);
      piece->cells = g_steal_pointer (&s->cells);
      piece->first = s->first_row;
      s->first_row = FALSE;
      break;
    case P_SHAPE:
      s->shape = SHAPE_OTHER;
      break;
    default:
      break;
    }
  return XML_ON;
}

static XmlNext
slide_text (gpointer data, const char *text, gsize len)
{
  Slide *s = data;

  if (s->take)
    g_string_append_len (s->text, text, (gssize) len);
  return XML_ON;
}

static const XmlName slide_names[] = { { XML_NS_P, "sld", P_SLIDE },
                                       { XML_NS_P, "sp", P_SHAPE },
                                       { XML_NS_P, "ph", P_PLACEHOLDER },
                                       { XML_NS_A, "p", P_PARAGRAPH },
                                       { XML_NS_A, "pPr", P_PROPERTIES },
                                       { XML_NS_A, "buAutoNum", P_AUTO },
                                       { XML_NS_A, "buChar", P_BULLET },
                                       { XML_NS_A, "buBlip", P_BULLET },
                                       { XML_NS_A, "buNone", P_NO_BULLET },
                                       { XML_NS_A, "t", P_T },
                                       { XML_NS_M, "t", P_T },
                                       { XML_NS_A, "br", P_BR },
                                       { XML_NS_A, "tab", P_GONE },
                                       { XML_NS_A, "fld", P_FIELD },
                                       { XML_NS_A, "tbl", P_TABLE },
                                       { XML_NS_A, "tr", P_ROW },
                                       { XML_NS_A, "tc", P_CELL },
                                       { XML_NS_MC, "Fallback", P_GONE },
                                       { 0, NULL, 0 } };
static const XmlHandler slide_handler = { slide_names, slide_start, slide_end, slide_text };

static gboolean
tell_pieces (Slide *s)
{
  TextDocSink *sink = s->deck->sink;

  for (guint i = 0; i < s->pieces->len; i++)
    {
      const Piece *piece = s->pieces->pdata[i];
      TextDocBlock block = { .size = sizeof block,
                             .kind = piece->kind,
                             .level = piece->level,
                             .ordered = piece->ordered,
                             .first = piece->first,
                             .text = { piece->text ? piece->text : "", 0 } };
      g_autofree FrStr *cells = NULL;

      if (piece->text)
        block.text.len = strlen (piece->text);
      if (piece->cells)
        {
          cells = g_new0 (FrStr, piece->cells->len + 1);
          for (guint k = 0; k < piece->cells->len; k++)
            cells[k] = (FrStr){ piece->cells->pdata[k], strlen (piece->cells->pdata[k]) };
          block.cells = cells;
          block.n_cells = piece->cells->len;
        }
      if (!sink->block (sink, &block))
        return FALSE;
    }
  return TRUE;
}

static gboolean
walk_slide (Slide *s, FrStr part, const char *name)
{
  s->pieces = g_ptr_array_new_with_free_func (piece_free);
  s->title = g_string_new (NULL);
  s->text = g_string_new (NULL);
  return xml_walk (part, name, &slide_handler, s, s->deck->sink);
}

static void
slide_clear (Slide *s)
{
  g_ptr_array_unref (s->pieces);
  g_string_free (s->title, TRUE);
  g_string_free (s->text, TRUE);
  if (s->cell)
    g_string_free (s->cell, TRUE);
  g_clear_pointer (&s->cells, g_ptr_array_unref);
}

static gboolean
read_notes (Deck *deck, Parts *parts, const char *slide)
{
  g_autoptr (GPtrArray) related = parts_related (parts, slide);
  const char *name = related ? related_by_type (related, "notesSlide") : NULL;
  FrStr part = parts_get (parts, name);
  Slide notes = { .deck = deck, .notes = TRUE };
  gboolean ok;

  if (related == NULL)
    return FALSE;
  if (part.data == NULL)
    return TRUE;
  ok = walk_slide (&notes, part, name) && tell_pieces (&notes);
  slide_clear (&notes);
  return ok;
}

static gboolean
read_slide (Deck *deck, Parts *parts, const char *name, guint number)
{
  Slide s = { .deck = deck };
  TextDocSink *sink = deck->sink;
  gboolean ok = walk_slide (&s, parts_get (parts, name), name);

  if (ok && s.hidden && !(deck->job->wants & TEXT_DOC_HIDDEN))
    sink->count (sink, "hidden_slides_dropped", 1);
  else if (ok)
    {
      FrStr title = { s.title->str, s.title->len };

      ok = sink->part (sink, TEXT_DOC_SLIDE, number, title)
           && (title.len == 0 || text_doc_heading (sink, 2, title)) && tell_pieces (&s)
           && (!(deck->job->wants & TEXT_DOC_NOTES) || read_notes (deck, parts, name));
      if (s.dropped)
        sink->count (sink, "headers_dropped", s.dropped);
    }
  slide_clear (&s);
  return ok;
}

static XmlNext
deck_start (gpointer data, int id, XmlWalk *walk)
{
  Deck *deck = data;
  FrStr rid;

  if (id != P_SLIDE_ID)
    return XML_ON;
  rid = xml_attribute (walk, XML_NS_R, "id");
  if (rid.data)
    g_ptr_array_add (deck->slides, g_strndup (rid.data, rid.len));
  return XML_ON;
}

static gboolean
read_parts (Deck *deck, Parts *parts)
{
  static const XmlName names[] = { { XML_NS_P, "sldId", P_SLIDE_ID }, { 0, NULL, 0 } };
  static const XmlHandler handler = { names, deck_start, NULL, NULL };
  g_autofree char *name = NULL;
  FrStr part;
  g_autoptr (GPtrArray) related = parts_main (parts, "ppt/presentation.xml",
                                              "the presentation part is missing", &name, &part);

  if (related == NULL || !xml_walk (part, name, &handler, deck, deck->sink))
    return FALSE;
  for (guint i = 0; i < deck->slides->len; i++)
    {
      const char *id = deck->slides->pdata[i];
      const char *target = related_by_id (related, (FrStr){ id, strlen (id) });

      if (target && parts_get (parts, target).data && !read_slide (deck, parts, target, i + 1))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_pptx (gpointer state, const TextDocJob *job, TextDocSink *sink)
{
  Deck deck = { job, sink, NULL };
  g_autoptr (Parts) parts = parts_new (job, sink);
  gboolean ok;

  (void) state;
  if (parts == NULL)
    return FALSE;
  deck.slides = g_ptr_array_new_with_free_func (g_free);
  ok = read_parts (&deck, parts);
  g_ptr_array_unref (deck.slides);
  return ok;
}

static const char *const types[]
    = { TYPE_PPTX, "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
        "application/vnd.ms-powerpoint.presentation.macroEnabled.12", NULL };
const TextDocReader pptx_reader
    = { sizeof (TextDocReader), types, "pptx", NULL, NULL, NULL, read_pptx };
