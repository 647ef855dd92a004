/* SPDX-License-Identifier: Apache-2.0 */
/* content-blocks.c: a page's tree cut into boxes and blocks.
 *
 * A block is what Kohlschütter et al. (2010) call a text block: the text between two line ends of
 * the layout.  Block-level elements end one, and so do two <br> in a row, or one before the two
 * ideographic blanks with which Chinese pages begin a paragraph.  A table that holds data is one
 * block a row; a table that holds the layout (legacy pages) is boxes like others: which it is, is
 * told by Readability's signs (headings, a caption, a summary: data; a table in it: layout) and by
 * whether its cells hold blocks.
 *
 * What nobody sees is left out here: hidden elements, forms' fields, scripts.  But when more text
 * is hidden than shown, hiding is not believed: such a page waits for a script to show what it
 * says.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/content-private.h"
#include "text/html-lex.h"

#define MAX_DEPTH (TEXT_DOM_DEPTH + 8)

/* What holds in an element; its children begin with a copy. */
typedef struct
{
  guint32 node;
  guint32 box, group;
  guint32 inline_hints;
  TextBlockKind kind;
  guint16 level; /* of headings; depth of lists */
  guint16 lists;
  guint32 ordered; /* number of the next item; 0: not numbered */
  gboolean fresh;  /* this list has had no item yet */
  gboolean item;   /* this item has had no text yet */
  guint8 link;     /* 0, 1, 2: within the page */
  gboolean pre, row;
} State;

typedef struct
{
  Page *page;
  const TextDom *dom;
  State stack[MAX_DEPTH];
  guint depth;
  Block block;   /* being filled */
  gboolean open; /* it has text */
  gboolean space, space_line;
  guint breaks;    /* <br> since the last text */
  guint cells;     /* tabs before the next text of a row */
  guint row_cells; /* cells begun in this row */
  gunichar last;   /* character */
  gboolean first;  /* the next block begins a list, table or code */
} Builder;

static inline State *
top (Builder *b)
{
  return &b->stack[b->depth - 1];
}

/* ---- text ----------------------------------------------------------------- */

static gboolean
ends_latin_sentence (gunichar c)
{
  return c == '.' || c == '!' || c == '?';
}

static void
end_block (Builder *b)
{
  Page *page = b->page;

  b->space = b->space_line = FALSE;
  b->breaks = b->cells = 0;
  if (!b->open)
    return;
  if (ends_latin_sentence (b->last))
    b->block.marks++;
  while (page->text->len > b->block.start && page->text->str[page->text->len - 1] == '\n')
    page->text->len--;
  /* An ideographic blank at the end is no text. */
  while (page->text->len >= b->block.start + 3
         && memcmp (page->text->str + page->text->len - 3, "\343\200\200", 3) == 0)
    page->text->len -= 3;
  page->text->str[page->text->len] = 0;
  b->block.len = page->text->len - b->block.start;
  b->open = FALSE;
  b->last = 0;
  if (b->block.len == 0 || b->block.chars == 0)
    {
      g_string_truncate (page->text, b->block.start);
      return;
    }
  b->block.phrase = text_phrase_is_boilerplate (
      (FrStr){ page->text->str + b->block.start, b->block.len }, b->block.wide);
  g_array_append_val (page->blocks, b->block);
  g_string_append_c (page->text, '\0');
}

static gboolean
is_list (TextHtmlName tag)
{
  return tag == TEXT_TAG_UL || tag == TEXT_TAG_OL || tag == TEXT_TAG_DL || tag == TEXT_TAG_DIR
         || tag == TEXT_TAG_MENU;
}

static gboolean
is_item (TextHtmlName tag)
{
  return tag == TEXT_TAG_LI || tag == TEXT_TAG_DT || tag == TEXT_TAG_DD;
}

/* The nearest element around that is one of those; NULL when there is none. */
static State *
nearest (Builder *b, gboolean (*is) (TextHtmlName tag))
{
  for (guint i = b->depth; i-- > 0;)
    if (is ((TextHtmlName) b->dom->nodes[b->stack[i].node].tag))
      return &b->stack[i];
  return NULL;
}

static void
begin_block (Builder *b)
{
  State *s = top (b);
  TextBlockKind kind = s->kind;

  memset (&b->block, 0, sizeof b->block);
  b->block.start = b->page->text->len;
  b->block.box = s->box;
  b->block.node = s->node;
  b->block.group = s->group;
  b->block.hints = ~0u;
  if (kind == TEXT_BLOCK_ITEM)
    {
      /* Only the first paragraph of an item is the item. */
      State *item = nearest (b, is_item);

      if (item == NULL || !item->item)
        kind = TEXT_BLOCK_PARAGRAPH;
      else
        item->item = FALSE;
    }
  b->block.out.kind = kind;
  if (kind == TEXT_BLOCK_ITEM)
    {
      State *list = nearest (b, is_list);

      b->block.out.level = s->lists;
      if (list != NULL)
        {
          b->block.out.first = list->fresh;
          list->fresh = FALSE;
          if (list->ordered > 0)
            b->block.out.ordered = list->ordered++;
        }
    }
  else if (kind == TEXT_BLOCK_HEADING)
    b->block.out.level = s->level;
  else if (kind == TEXT_BLOCK_ROW || kind == TEXT_BLOCK_CODE)
    b->block.out.first = b->first;
  b->first = FALSE;
  b->open = TRUE;
  b->last = 0;
}

static void
count_char (Builder *b, gunichar c)
{
  Block *block = &b->block;
  guint wide = 1;

  if (c >= 0x4e00 && c <= 0x9fff)
    {
      wide = 2;
      block->letters++;
    }
  else if (c < 0x80)
    {
      block->letters += g_ascii_isalpha ((char) c) != 0;
      block->commas += c == ',';
    }
  else
    {
      guint32 f = text_char_flags (c);

      wide += text_char_is_spaceless (c) || f & TEXT_CH_HANGUL;
      block->letters += (f & TEXT_CH_ALNUM && !(f & TEXT_CH_DIGIT)) != 0;
      if (c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff61)
        block->marks++;
      else if (c == 0xff0c || c == 0x3001 || c == 0xff1b)
        block->commas++;
    }
  block->chars++;
  block->wide += wide;
  if (top (b)->link)
    block->link_wide += wide;
  if (top (b)->link == 2)
    block->fragment_wide += wide;
}

/* Before text: what was promised since the last. */
static void
settle (Builder *b, const char *next)
{
  GString *out = b->page->text;
  gboolean indented = strncmp (next, "\343\200\200\343\200\200", 6) == 0;

  if (b->open && (b->breaks > 1 || (b->breaks > 0 && indented)) && !top (b)->row)
    end_block (b);
  if (!b->open)
    begin_block (b);
  b->block.hints &= top (b)->inline_hints;
  /* An empty first cell is a cell too. */
  if (b->cells > 0)
    for (guint i = 0; i < b->cells; i++)
      g_string_append_c (out, '\t');
  else if (out->len == b->block.start)
    ;
  else if (b->breaks > 0)
    g_string_append_c (out, top (b)->row ? ' ' : '\n');
  else if (b->space)
    {
      const char *q = next;

      if (ends_latin_sentence (b->last))
        b->block.marks++;
      if (!(b->space_line && text_char_is_spaceless (b->last)
            && text_char_is_spaceless (text_next_char (&q))))
        g_string_append_c (out, ' ');
    }
  b->space = b->space_line = FALSE;
  b->breaks = b->cells = 0;
}

/* White space of HTML, and the blanks that pages use for layout. */
static gsize
blank_at (const Builder *b, const char *p, const char *end)
{
  guchar c = (guchar) *p;

  if (c <= ' ')
    return 1;
  if (c == 0xc2 && end - p > 1 && (guchar) p[1] == 0xa0)
    return 2;
  if (c == 0xe2 && end - p > 2 && (guchar) p[1] == 0x80 && (guchar) p[2] == 0x8b)
    return 3; /* zero-width space */
  if (c == 0xef && end - p > 2 && (guchar) p[1] == 0xbb && (guchar) p[2] == 0xbf)
    return 3; /* byte order mark */
  if (c == 0xe3 && end - p > 2 && (guchar) p[1] == 0x80 && (guchar) p[2] == 0x80
      && (!b->open || b->breaks > 0))
    return 3; /* ideographic blank at the beginning of a paragraph or line */
  return 0;
}

static void
add_run (Builder *b, const char *p, const char *end)
{
  while (p < end)
    {
      const char *word = p;
      gsize blank;

      while (p < end && (blank = blank_at (b, p, end)) > 0)
        {
          /* Two of them after a <br>: a new paragraph. */
          if (blank == 3 && b->breaks == 1 && end - p >= 6 && memcmp (p, p + 3, 3) == 0
              && (guchar) *p == 0xe3)
            b->breaks = 2;
          b->space = TRUE;
          b->space_line |= *p == '\n' || *p == '\r';
          p += blank;
        }
      if (p == end)
        return;
      settle (b, p);
      for (word = p; p < end && blank_at (b, p, end) == 0;)
        {
          b->last = text_next_char (&p);
          count_char (b, b->last);
        }
      g_string_append_len (b->page->text, word, p - word);
    }
}

/* Preformatted: everything counts but a newline at the very beginning. */
static void
add_verbatim (Builder *b, const char *p, const char *end)
{
  if (!b->open && p < end && *p == '\r')
    p++;
  if (!b->open && p < end && *p == '\n')
    p++;
  if (p == end || (!b->open && strspn (p, " \t\r\n") >= (gsize) (end - p)))
    return;
  if (!b->open)
    begin_block (b);
  b->block.hints &= top (b)->inline_hints;
  for (; b->breaks > 0; b->breaks--)
    g_string_append_c (b->page->text, '\n');
  for (const char *q = p; q < end;)
    {
      gunichar c = text_next_char (&q);

      if (c > ' ')
        count_char (b, b->last = c);
      if (c != '\r' && c != 0)
        g_string_append_unichar (b->page->text, c);
    }
}

static void
add_text (Builder *b, FrStr text)
{
  if (top (b)->pre && !top (b)->row)
    add_verbatim (b, text.data, text.data + text.len);
  else
    add_run (b, text.data, text.data + text.len);
}

/* ---- tables ---------------------------------------------------------------- */

/* Cells longer than this are layout, in bytes. */
#define LONG_CELL 600

static gboolean
is_data_table (const TextDom *dom, guint32 table)
{
  guint rows = 0, cells = 0, blocks = 0, heads = 0;
  gsize bytes = 0;
  FrStr role = text_dom_attribute (dom, table, TEXT_ATTR_ROLE);

  if (role.len == 12 && g_ascii_strncasecmp (role.data, "presentation", 12) == 0)
    return FALSE;
  if (text_dom_attribute (dom, table, TEXT_ATTR_SUMMARY).len > 0)
    heads++;
  for (guint32 i = table; (i = text_dom_next (dom, i, table, FALSE)) != 0;)
    {
      const TextNode *n = &dom->nodes[i];

      if (n->kind == TEXT_NODE_TEXT)
        {
          bytes += n->text.len;
          continue;
        }
      switch (n->tag)
        {
        case TEXT_TAG_TABLE:
        case TEXT_TAG_FORM:
        case TEXT_TAG_H1:
        case TEXT_TAG_H2:
        case TEXT_TAG_ARTICLE:
        case TEXT_TAG_NAV:
          return FALSE;
        case TEXT_TAG_TR:
          rows++;
          break;
        case TEXT_TAG_TD:
          cells++;
          break;
        case TEXT_TAG_TH:
          cells++;
          heads++;
          break;
        case TEXT_TAG_CAPTION:
        case TEXT_TAG_THEAD:
          heads++;
          break;
        case TEXT_TAG_DIV:
        case TEXT_TAG_UL:
        case TEXT_TAG_OL:
        case TEXT_TAG_H3:
        case TEXT_TAG_H4:
          blocks++;
          break;
        case TEXT_TAG_P:
          /* Word processors put a paragraph into every cell: one is no sign. */
          if (dom->nodes[n->parent].first != i)
            blocks++;
          break;
        default:
          break;
        }
    }
  if (rows < 2 || cells < 4 || cells < rows * 2 || bytes / cells > LONG_CELL)
    return heads > 0 && cells > 0 && bytes / cells <= LONG_CELL && blocks <= cells;
  return heads > 0 ? blocks <= cells * 2 : blocks * 4 <= cells;
}

/* ---- elements -------------------------------------------------------------- */

static gboolean
is_left_out (TextHtmlName tag)
{
  switch (tag)
    {
    case TEXT_TAG_SCRIPT:
    case TEXT_TAG_STYLE:
    case TEXT_TAG_TEMPLATE:
    case TEXT_TAG_NOSCRIPT:
    case TEXT_TAG_NOFRAMES:
    case TEXT_TAG_NOEMBED:
    case TEXT_TAG_IFRAME:
    case TEXT_TAG_TITLE:
    case TEXT_TAG_SVG:
    case TEXT_TAG_SELECT:
    case TEXT_TAG_OPTION:
    case TEXT_TAG_OPTGROUP:
    case TEXT_TAG_DATALIST:
    case TEXT_TAG_TEXTAREA:
    case TEXT_TAG_BUTTON:
    case TEXT_TAG_AUDIO:
    case TEXT_TAG_VIDEO:
    case TEXT_TAG_CANVAS:
    case TEXT_TAG_EMBED:
    case TEXT_TAG_PROGRESS:
    case TEXT_TAG_METER:
    case TEXT_TAG_RP:
    case TEXT_TAG_RT:
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
role_is (FrStr role, const char *word)
{
  return role.len == strlen (word) && g_ascii_strncasecmp (role.data, word, role.len) == 0;
}

static guint32
role_hints (FrStr role)
{
  if (role.len == 0)
    return 0;
  if (role_is (role, "main") || role_is (role, "article"))
    return HINT_MAIN | HINT_TAG;
  if (role_is (role, "navigation") || role_is (role, "menu") || role_is (role, "menubar")
      || role_is (role, "search") || role_is (role, "tablist"))
    return HINT_NAV | HINT_TAG;
  if (role_is (role, "contentinfo") || role_is (role, "banner"))
    return HINT_FRAME | HINT_TAG;
  if (role_is (role, "complementary"))
    return HINT_ASIDE | HINT_TAG;
  if (role_is (role, "dialog") || role_is (role, "alertdialog"))
    return HINT_AD | HINT_TAG;
  return 0;
}

static guint32
tag_hints (TextHtmlName tag)
{
  switch (tag)
    {
    case TEXT_TAG_MAIN:
    case TEXT_TAG_ARTICLE:
      return HINT_MAIN | HINT_TAG;
    case TEXT_TAG_NAV:
    case TEXT_TAG_SEARCH:
    case TEXT_TAG_MENU:
      return HINT_NAV | HINT_TAG;
    case TEXT_TAG_ASIDE:
      return HINT_ASIDE | HINT_TAG;
    case TEXT_TAG_FOOTER:
      return HINT_FRAME | HINT_TAG;
    case TEXT_TAG_HEADER:
      return HINT_HEADER | HINT_TAG;
    case TEXT_TAG_DIALOG:
      return HINT_AD | HINT_TAG;
    case TEXT_TAG_ADDRESS:
      return HINT_META;
    case TEXT_TAG_FORM:
      return HINT_FORM;
    default:
      return 0;
    }
}

static guint32
name_hints (const TextDom *dom, guint32 node)
{
  FrStr class_names = text_dom_attribute (dom, node, TEXT_ATTR_CLASS);
  FrStr id = text_dom_attribute (dom, node, TEXT_ATTR_ID);
  guint32 hints = 0;

  if (class_names.len > 0)
    hints |= text_names_hints (class_names);
  if (id.len > 0)
    hints |= text_names_hints (id);
  return hints;
}

static void
open_box (Builder *b, guint32 node, TextHtmlName tag)
{
  State *s = top (b);
  Box box = { .node = node, .parent = s->box, .first = b->page->blocks->len, .tag = (guint8) tag };

  box.hints = tag_hints (tag);
  if (b->dom->nodes[node].n_attributes > 0)
    {
      FrStr prop = text_dom_attribute (b->dom, node, TEXT_ATTR_ITEMPROP);

      box.hints |= role_hints (text_dom_attribute (b->dom, node, TEXT_ATTR_ROLE))
                   | name_hints (b->dom, node);
      if (role_is (prop, "articleBody"))
        box.hints |= HINT_MAIN;
    }
  s->box = b->page->boxes->len;
  g_array_append_val (b->page->boxes, box);
}

static void
set_kind (Builder *b, TextBlockKind kind)
{
  /* Items stay items whatever blocks they hold, but headings and code show. */
  if (top (b)->kind != TEXT_BLOCK_ITEM || kind == TEXT_BLOCK_HEADING || kind == TEXT_BLOCK_CODE
      || kind == TEXT_BLOCK_ROW)
    top (b)->kind = kind;
}

static void
open_list (Builder *b, TextHtmlName tag)
{
  State *s = top (b);

  s->lists++;
  s->fresh = TRUE;
  s->ordered = tag == TEXT_TAG_OL;
  if (tag == TEXT_TAG_OL)
    {
      FrStr start = text_dom_attribute (b->dom, s->node, TEXT_ATTR_START);

      if (start.len > 0 && start.len < 6 && g_ascii_isdigit (*start.data))
        s->ordered = (guint32) MAX (1, g_ascii_strtoll (start.data, NULL, 10));
    }
  if (s->group == 0)
    s->group = s->box;
}

/* A block-level element begins. */
static void
open_block (Builder *b, guint32 node, TextHtmlName tag)
{
  State *s = top (b);

  if (s->row)
    {
      /* Within a row of data: cells are separated, blocks in them are not. */
      if (tag == TEXT_TAG_TD || tag == TEXT_TAG_TH)
        {
          b->cells += b->row_cells++ > 0;
          b->space = b->space_line = FALSE;
          b->breaks = 0;
          return;
        }
      if (tag != TEXT_TAG_TR && tag != TEXT_TAG_CAPTION)
        {
          b->space = TRUE;
          return;
        }
    }
  end_block (b);
  open_box (b, node, tag);
  switch (tag)
    {
    case TEXT_TAG_H1:
    case TEXT_TAG_H2:
    case TEXT_TAG_H3:
    case TEXT_TAG_H4:
    case TEXT_TAG_H5:
    case TEXT_TAG_H6:
      set_kind (b, TEXT_BLOCK_HEADING);
      s->level = (guint16) (1 + tag - TEXT_TAG_H1);
      break;
    case TEXT_TAG_UL:
    case TEXT_TAG_OL:
    case TEXT_TAG_DL:
    case TEXT_TAG_DIR:
    case TEXT_TAG_MENU:
      open_list (b, tag);
      break;
    case TEXT_TAG_LI:
    case TEXT_TAG_DT:
    case TEXT_TAG_DD:
      s->kind = TEXT_BLOCK_ITEM;
      s->item = TRUE;
      break;
    case TEXT_TAG_PRE:
    case TEXT_TAG_LISTING:
    case TEXT_TAG_XMP:
    case TEXT_TAG_PLAINTEXT:
      set_kind (b, TEXT_BLOCK_CODE);
      s->pre = TRUE;
      b->first = TRUE;
      break;
    case TEXT_TAG_BLOCKQUOTE:
      set_kind (b, TEXT_BLOCK_QUOTE);
      break;
    case TEXT_TAG_FIGCAPTION:
    case TEXT_TAG_CAPTION:
      set_kind (b, TEXT_BLOCK_CAPTION);
      s->row = FALSE;
      break;
    case TEXT_TAG_TABLE:
      if (!is_data_table (b->dom, node))
        break;
      s->row = TRUE;
      set_kind (b, TEXT_BLOCK_ROW);
      g_array_index (b->page->boxes, Box, s->box).group = TRUE;
      b->first = TRUE;
      if (s->group == 0)
        s->group = s->box;
      break;
    case TEXT_TAG_TR:
      b->row_cells = 0;
      break;
    default:
      break;
    }
}

static void
open_link (Builder *b, guint32 node)
{
  FrStr href = text_dom_attribute (b->dom, node, TEXT_ATTR_HREF);

  if (href.data != NULL)
    top (b)->link = href.len > 0 && *href.data == '#' ? 2 : 1;
}

/* How much text is not shown, in bytes. */
static void
count_hidden (Builder *b, guint32 node)
{
  for (guint32 i = node; (i = text_dom_next (b->dom, i, node, FALSE)) != 0;)
    {
      FrStr text = b->dom->nodes[i].text;

      if (b->dom->nodes[i].kind != TEXT_NODE_TEXT)
        continue;
      for (; text.len > 0 && (guchar) *text.data <= ' '; text.len--)
        text.data++;
      b->page->n_hidden += text.len;
    }
}

/* Enters an element.  Returns FALSE when what it holds is to be passed over. */
static gboolean
enter (Builder *b, guint32 node)
{
  const TextNode *n = &b->dom->nodes[node];
  TextHtmlName tag = (TextHtmlName) n->tag;
  guint32 hints;

  if (tag == TEXT_TAG_BR)
    {
      b->breaks++;
      return FALSE;
    }
  if (tag == TEXT_TAG_HR && !top (b)->row)
    end_block (b);
  if (is_left_out (tag) || b->depth == MAX_DEPTH)
    return FALSE;
  if (!b->page->show_hidden && tag != TEXT_TAG_BODY && text_dom_is_hidden (b->dom, node))
    {
      count_hidden (b, node);
      return FALSE;
    }
  if (n->first == 0)
    {
      /* An empty block still ends the line, an empty cell is a cell. */
      if (text_html_is_block (tag) && !top (b)->row)
        end_block (b);
      else if (tag == TEXT_TAG_TD || tag == TEXT_TAG_TH)
        b->cells += b->row_cells++ > 0;
      return FALSE;
    }
  if (text_html_is_block (tag))
    {
      b->stack[b->depth] = *top (b);
      b->depth++;
      top (b)->node = node;
      top (b)->item = FALSE;
      open_block (b, node, tag);
      return TRUE;
    }
  hints = n->n_attributes > 0 ? name_hints (b->dom, node) : 0;
  if (hints & HINT_NOTE)
    return FALSE;
  b->stack[b->depth] = *top (b);
  b->depth++;
  top (b)->node = node;
  top (b)->item = FALSE;
  top (b)->inline_hints |= hints;
  if (tag == TEXT_TAG_A)
    open_link (b, node);
  return TRUE;
}

static void
leave (Builder *b, guint32 node)
{
  State *s = top (b);
  TextHtmlName tag = (TextHtmlName) b->dom->nodes[node].tag;
  guint32 box = s->box;

  if (text_html_is_block (tag))
    {
      if (!s->row || tag == TEXT_TAG_TR || tag == TEXT_TAG_TABLE)
        end_block (b);
      else
        b->space = TRUE;
    }
  if (b->depth > 1 && box != b->stack[b->depth - 2].box)
    g_array_index (b->page->boxes, Box, box).end = b->page->blocks->len;
  b->depth--;
}

static void
build (Page *page)
{
  Builder *b = g_new0 (Builder, 1);
  const TextDom *dom = page->dom;
  guint32 body = dom->body, i = body;
  Box root = { .node = body, .tag = TEXT_TAG_BODY };

  b->page = page;
  b->dom = dom;
  g_array_append_val (page->boxes, root);
  b->stack[0] = (State){ .node = body, .kind = TEXT_BLOCK_PARAGRAPH };
  b->depth = 1;
  for (i = dom->nodes[body].first; i != 0;)
    {
      const TextNode *n = &dom->nodes[i];

      if (n->kind == TEXT_NODE_TEXT)
        add_text (b, n->text);
      else if (enter (b, i))
        {
          i = n->first;
          continue;
        }
      while (dom->nodes[i].next == 0 && dom->nodes[i].parent != body)
        leave (b, i = dom->nodes[i].parent);
      i = dom->nodes[i].next;
    }
  end_block (b);
  g_array_index (page->boxes, Box, 0).end = page->blocks->len;
  g_free (b);
}

#define MUCH_MORE 4

void
text_blocks_build (Page *page)
{
  build (page);
  if (page->n_hidden < MUCH_MORE * page->text->len)
    return;
  page->show_hidden = TRUE;
  g_string_truncate (page->text, 0);
  g_array_set_size (page->boxes, 0);
  g_array_set_size (page->blocks, 0);
  build (page);
}

void
text_blocks_use_body (Page *page, FrStr body)
{
  Builder *b;
  gsize kept = 0;

  for (guint i = 0; i < page->blocks->len; i++)
    {
      const Block *block = &g_array_index (page->blocks, Block, i);

      if (block->kept)
        kept += block->len;
    }
  /* Markup in it would have to be read again; who writes that has the text in the page as well. */
  if (body.len <= 2 * kept || body.len < 80 || memmem (body.data, body.len, "</", 2) != NULL)
    return;
  for (guint i = 0; i < page->blocks->len; i++)
    g_array_index (page->blocks, Block, i).kept = FALSE;
  b = g_new0 (Builder, 1);
  b->page = page;
  b->dom = page->dom;
  b->stack[0] = (State){ .node = page->dom->body, .kind = TEXT_BLOCK_PARAGRAPH };
  b->depth = 1;
  kept = page->blocks->len;
  for (const char *p = body.data, *end = p + body.len; p < end;)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));

      stop = stop ? stop : end;
      add_run (b, p, stop);
      end_block (b);
      p = stop + (stop < end);
    }
  for (guint i = (guint) kept; i < page->blocks->len; i++)
    g_array_index (page->blocks, Block, i).kept = TRUE;
  page->kind = page->blocks->len > kept ? TEXT_PAGE_PROSE : page->kind;
  page->confidence = MAX (page->confidence, .5);
  g_free (b);
}
