/* SPDX-License-Identifier: Apache-2.0 */
/* dom.c: see dom.h.
 *
 * The stack of open elements is the state: what the standard calls insertion modes is read off it
 * ("in a table" is: the nearest of table, cell and caption is a table).  How many elements of each
 * name are open is kept beside it, so that an end tag for nothing costs nothing.
 */
#include "config.h"

#include "text/dom.h"

#include <string.h>

#include "text/html-lex.h"
#include "text/html.h"

typedef struct
{
  TextHtmlAttribute name;
  FrStr value;
} Attribute;

typedef struct
{
  TextDom dom; /* first: what the caller sees */
  TextNode *nodes;
  guint32 n_alloc;
  GArray *attributes; /* Attribute */
  GStringChunk *arena;
  GString *scratch;
  guint32 open[TEXT_DOM_DEPTH];
  guint n_open;
  guint16 n_open_of[TEXT_N_TAGS];
  gboolean in_head;
  guint32 ended_form; /* a form whose end tag came while what it holds was still open */
} Tree;

/* ---- nodes ---------------------------------------------------------------- */

static guint32
add_node (Tree *t, TextNodeKind kind, TextHtmlName tag, FrStr text)
{
  guint32 i = t->dom.n_nodes;

  if (i >= TEXT_DOM_NODES)
    {
      t->dom.n_cut++;
      return 0;
    }
  if (i == t->n_alloc)
    {
      t->n_alloc = MAX (512, t->n_alloc * 2);
      t->nodes = g_renew (TextNode, t->nodes, t->n_alloc);
      t->dom.nodes = t->nodes;
    }
  t->nodes[i] = (TextNode){ .kind = (guint8) kind, .tag = (guint8) tag, .text = text };
  t->dom.n_nodes++;
  return i;
}

static void
append_child (Tree *t, guint32 parent, guint32 child)
{
  TextNode *p = &t->nodes[parent];

  t->nodes[child].parent = parent;
  t->nodes[child].next = 0;
  if (p->last != 0)
    t->nodes[p->last].next = child;
  else
    p->first = child;
  p->last = child;
}

static inline guint32
current (const Tree *t)
{
  return t->open[t->n_open - 1];
}

static inline const TextTag *
tag_at (const Tree *t, guint i)
{
  return text_html_tag_of ((TextHtmlName) t->nodes[t->open[i]].tag);
}

static void
push (Tree *t, guint32 node)
{
  t->open[t->n_open++] = node;
  t->n_open_of[t->nodes[node].tag]++;
}

/* Ends all open elements from number @i on. */
static void
pop_to (Tree *t, guint i)
{
  while (t->n_open > i || (t->n_open > 2 && current (t) == t->ended_form))
    t->n_open_of[t->nodes[t->open[--t->n_open]].tag]--;
}

/* ---- text ----------------------------------------------------------------- */

FrStr
text_dom_store (TextDom *dom, const char *text, gsize len)
{
  Tree *t = (Tree *) dom;

  if (len == 0)
    return FR_STR ("");
  return (FrStr){ g_string_chunk_insert_len (t->arena, text, (gssize) len), len };
}

/* @raw with its character references read; in an attribute "&copy=2" is no reference. */
static FrStr
read_references (Tree *t, FrStr raw, gboolean attribute)
{
  const char *p = raw.data, *end = p + raw.len, *run = p;
  GString *out = t->scratch;

  if (raw.len == 0 || memchr (p, '&', raw.len) == NULL)
    return raw;
  g_string_truncate (out, 0);
  while ((p = memchr (p, '&', (gsize) (end - p))) != NULL)
    {
      gunichar chars[2];
      gsize n = text_html_reference (p, end, chars);

      if (n == 0
          || (attribute && p[n - 1] != ';' && p + n < end
              && (p[n] == '=' || g_ascii_isalnum (p[n]))))
        {
          p++;
          continue;
        }
      g_string_append_len (out, run, p - run);
      g_string_append_unichar (out, chars[0]);
      if (chars[1] != 0)
        g_string_append_unichar (out, chars[1]);
      run = p = p + n;
    }
  g_string_append_len (out, run, end - run);
  return text_dom_store (&t->dom, out->str, out->len);
}

static gboolean
is_blank (const char *p, const char *end)
{
  while (p < end && lex_is_space (*p))
    p++;
  return p == end;
}

/* Elements in which white space is layout of the source and nothing else. */
static gboolean
holds_no_blanks (TextHtmlName tag)
{
  switch (tag)
    {
    case TEXT_TAG_HTML:
    case TEXT_TAG_HEAD:
    case TEXT_TAG_TABLE:
    case TEXT_TAG_TBODY:
    case TEXT_TAG_THEAD:
    case TEXT_TAG_TFOOT:
    case TEXT_TAG_TR:
    case TEXT_TAG_UL:
    case TEXT_TAG_OL:
    case TEXT_TAG_DL:
    case TEXT_TAG_SELECT:
      return TRUE;
    default:
      return FALSE;
    }
}

static void
leave_head (Tree *t)
{
  if (!t->in_head)
    return;
  t->in_head = FALSE;
  pop_to (t, 1);
  push (t, t->dom.body);
}

static void
add_text (Tree *t, FrStr raw, gboolean literal)
{
  TextHtmlName parent = (TextHtmlName) t->nodes[current (t)].tag;
  guint32 node;

  if (raw.len == 0 || (holds_no_blanks (parent) && is_blank (raw.data, raw.data + raw.len)))
    return;
  if (parent == TEXT_TAG_HEAD)
    leave_head (t);
  node = add_node (t, TEXT_NODE_TEXT, TEXT_TAG_OTHER,
                   literal ? raw : read_references (t, raw, FALSE));
  if (node != 0)
    append_child (t, current (t), node);
}

/* ---- elements ------------------------------------------------------------- */

static void
read_attributes (Tree *t, guint32 node, const Lexeme *lexeme)
{
  const char *p = lexeme->to;
  FrStr name, value;
  guint32 seen = 0;

  G_STATIC_ASSERT (TEXT_N_ATTRS <= 32);
  t->nodes[node].attributes = t->attributes->len;
  while (text_lex_attribute (&p, lexeme->attributes_end, &name, &value))
    {
      TextHtmlAttribute id = text_html_attribute (name.data, name.len);
      Attribute a = { id, FR_STR ("") };

      if (id == TEXT_N_ATTRS || seen & 1u << id)
        continue;
      seen |= 1u << id;
      if (value.data != NULL)
        a.value = read_references (t, value, TRUE);
      g_array_append_val (t->attributes, a);
    }
  t->nodes[node].n_attributes = t->attributes->len - t->nodes[node].attributes;
}

/* A new element in the current one. */
static guint32
insert (Tree *t, const TextTag *tag, const Lexeme *lexeme)
{
  FrStr name = { lexeme->from, (gsize) (lexeme->to - lexeme->from) };
  guint32 node = add_node (t, TEXT_NODE_ELEMENT, (TextHtmlName) tag->id, name);

  if (node == 0)
    return 0;
  append_child (t, current (t), node);
  read_attributes (t, node, lexeme);
  if (tag->tree & TREE_VOID || (lexeme->self_closing && tag->id == TEXT_TAG_SVG))
    return node;
  if (t->n_open == TEXT_DOM_DEPTH)
    t->dom.n_flattened++;
  else
    push (t, node);
  return node;
}

/* A cell without a table around it, which holds nobody back. */
static gboolean
is_loose_cell (const Tree *t, const TextTag *tag)
{
  return (tag->id == TEXT_TAG_TD || tag->id == TEXT_TAG_TH) && t->n_open_of[TEXT_TAG_TABLE] == 0;
}

/* Number of the nearest open element called @tag that no element with one of the bits @limit, nor
 * one called @also, hides; 0 when there is none (number 0 is html). */
static guint
find_open (const Tree *t, TextHtmlName tag, guint limit, TextHtmlName also)
{
  if (t->n_open_of[tag] == 0)
    return 0;
  for (guint i = t->n_open; i-- > 1;)
    {
      const TextTag *at = tag_at (t, i);

      if (at->id == tag)
        return i;
      if ((at->tree & limit && !is_loose_cell (t, at)) || at->id == also)
        return 0;
    }
  return 0;
}

/* The same for an element that HTML does not have: only its name tells it from others. */
static guint
find_other (const Tree *t, FrStr name)
{
  if (t->n_open_of[TEXT_TAG_OTHER] == 0)
    return 0;
  for (guint i = t->n_open; i-- > 1;)
    {
      const TextNode *n = &t->nodes[t->open[i]];

      if (n->tag == TEXT_TAG_OTHER && n->text.len == name.len
          && g_ascii_strncasecmp (n->text.data, name.data, name.len) == 0)
        return i;
      if (tag_at (t, i)->tree & TREE_SPECIAL)
        return 0;
    }
  return 0;
}

static guint
in_scope (const Tree *t, TextHtmlName tag)
{
  return find_open (t, tag, TREE_SCOPE, TEXT_N_TAGS);
}

static void
end_paragraph (Tree *t)
{
  guint i = find_open (t, TEXT_TAG_P, TREE_SCOPE, TEXT_TAG_BUTTON);

  if (i > 0)
    pop_to (t, i);
}

/* An item (li; dd and dt) ends the one before it, unless a list or cell lies between. */
static void
end_item (Tree *t, TextHtmlName one, TextHtmlName other)
{
  for (guint i = t->n_open; i-- > 1;)
    {
      const TextTag *at = tag_at (t, i);

      if (at->id == one || at->id == other)
        {
          pop_to (t, i);
          return;
        }
      if (at->tree & TREE_SPECIAL && at->id != TEXT_TAG_ADDRESS && at->id != TEXT_TAG_DIV
          && at->id != TEXT_TAG_P)
        return;
    }
}

/* Takes block @block out of the link @link it stands in: it becomes the link's next sibling, and
 * what it holds so far goes into a link of its own.  This is what the adoption agency algorithm
 * (section 13.2.6.4.7) comes to for one block.  Both are open, so nothing follows them.  Returns
 * the new link; 0 when the block held nothing. */
static guint32
split_link (Tree *t, guint32 link, guint32 block)
{
  guint32 parent = t->nodes[block].parent, copy, before = t->nodes[parent].first;

  if (before == block)
    t->nodes[parent].first = t->nodes[parent].last = 0;
  else
    {
      while (t->nodes[before].next != block)
        before = t->nodes[before].next;
      t->nodes[before].next = 0;
      t->nodes[parent].last = before;
    }
  append_child (t, t->nodes[link].parent, block);
  copy = t->nodes[block].first ? add_node (t, TEXT_NODE_ELEMENT, TEXT_TAG_A, t->nodes[link].text)
                               : 0;
  if (copy == 0)
    return 0;
  t->nodes[copy].attributes = t->nodes[link].attributes;
  t->nodes[copy].n_attributes = t->nodes[link].n_attributes;
  t->nodes[copy].first = t->nodes[block].first;
  t->nodes[copy].last = t->nodes[block].last;
  for (guint32 child = t->nodes[copy].first; child != 0; child = t->nodes[child].next)
    t->nodes[child].parent = copy;
  t->nodes[block].first = t->nodes[block].last = 0;
  append_child (t, block, copy);
  return copy;
}

/* Ends the open link.  Blocks that were opened in it since are taken out of it, one by one from the
 * outermost, and stay open; everything else in it ends. */
static void
end_link (Tree *t)
{
  guint i = in_scope (t, TEXT_TAG_A), n = i;
  guint32 link;

  if (i == 0)
    return;
  link = t->open[i];
  for (guint j = i; j < t->n_open; j++)
    if (j > i && tag_at (t, j)->tree & TREE_SPECIAL)
      {
        if (link != 0)
          link = split_link (t, link, t->open[j]);
        t->open[n++] = t->open[j];
      }
    else
      t->n_open_of[t->nodes[t->open[j]].tag]--;
  t->n_open = n;
}

/* ---- tables --------------------------------------------------------------- */

/* Number of the nearest open table, with nothing that has a scope of its own in between when
 * @here; 0 when there is none. */
static guint
find_table (const Tree *t, gboolean here)
{
  if (t->n_open_of[TEXT_TAG_TABLE] == 0)
    return 0;
  for (guint i = t->n_open; i-- > 1;)
    {
      const TextTag *at = tag_at (t, i);

      if (at->id == TEXT_TAG_TABLE)
        return i;
      if (here && at->tree & TREE_SCOPE)
        return 0;
    }
  return 0;
}

static gboolean
is_row_group (TextHtmlName tag)
{
  return tag == TEXT_TAG_TBODY || tag == TEXT_TAG_THEAD || tag == TEXT_TAG_TFOOT;
}

/* Ends what is open in the table numbered @table down to a row group, or to the table itself. */
static void
back_to_groups (Tree *t, guint table)
{
  guint i = t->n_open;

  while (i-- > table + 1)
    if (is_row_group ((TextHtmlName) tag_at (t, i)->id))
      break;
  pop_to (t, MAX (i, table) + 1);
}

/* Ends what is open in a row of the table numbered @table; a row is made when there is none. */
static void
back_to_row (Tree *t, guint table)
{
  static const char name[] = "tr";
  const Lexeme made
      = { .kind = LEX_START, .from = name, .to = name + 2, .attributes_end = name + 2 };

  for (guint i = t->n_open; i-- > table + 1;)
    if (tag_at (t, i)->id == TEXT_TAG_TR)
      {
        pop_to (t, i + 1);
        return;
      }
  back_to_groups (t, table);
  insert (t, text_html_tag_of (TEXT_TAG_TR), &made);
}

/* Pieces of pages have rows and cells without a table: those end their like. */
static void
end_loose_part (Tree *t, TextHtmlName tag)
{
  for (guint i = t->n_open; i-- > 1;)
    {
      TextHtmlName at = (TextHtmlName) tag_at (t, i)->id;

      if (at == TEXT_TAG_TR && tag != TEXT_TAG_TR)
        return;
      if (at == tag || (tag != TEXT_TAG_TR && (at == TEXT_TAG_TD || at == TEXT_TAG_TH)))
        {
          pop_to (t, i);
          return;
        }
    }
}

/* The start of a part of a table.  Returns FALSE when it is to be ignored. */
static gboolean
start_table_part (Tree *t, TextHtmlName tag)
{
  gboolean cell = tag == TEXT_TAG_TD || tag == TEXT_TAG_TH;
  guint table = find_table (t, FALSE);

  if (table == 0 && (cell || tag == TEXT_TAG_TR))
    end_loose_part (t, tag);
  else if (table == 0)
    return FALSE;
  else if (cell)
    back_to_row (t, table);
  else if (tag == TEXT_TAG_TR)
    back_to_groups (t, table);
  else
    pop_to (t, table + 1);
  return TRUE;
}

/* ---- start tags ----------------------------------------------------------- */

/* The attributes of html, head and body count wherever the tag stands, the first time. */
static void
root_attributes (Tree *t, guint32 node, const Lexeme *lexeme)
{
  if (t->nodes[node].n_attributes == 0)
    read_attributes (t, node, lexeme);
}

/* What a start tag ends before it begins.  Returns FALSE when it is to be ignored. */
static gboolean
before_start (Tree *t, const TextTag *tag)
{
  guint i;

  if (tag->tree & TREE_ENDS_P)
    {
      if ((i = in_scope (t, TEXT_TAG_SELECT)) > 0)
        pop_to (t, i);
      end_paragraph (t);
    }
  if (tag->tree & TREE_HEADING && tag_at (t, t->n_open - 1)->tree & TREE_HEADING)
    pop_to (t, t->n_open - 1);
  switch (tag->id)
    {
    case TEXT_TAG_LI:
      end_item (t, TEXT_TAG_LI, TEXT_TAG_LI);
      break;
    case TEXT_TAG_DD:
    case TEXT_TAG_DT:
      end_item (t, TEXT_TAG_DD, TEXT_TAG_DT);
      break;
    case TEXT_TAG_OPTGROUP:
    case TEXT_TAG_OPTION:
      if (tag_at (t, t->n_open - 1)->id == TEXT_TAG_OPTION)
        pop_to (t, t->n_open - 1);
      if (tag->id == TEXT_TAG_OPTGROUP && tag_at (t, t->n_open - 1)->id == TEXT_TAG_OPTGROUP)
        pop_to (t, t->n_open - 1);
      break;
    case TEXT_TAG_A:
      end_link (t);
      break;
    case TEXT_TAG_BUTTON:
      if ((i = in_scope (t, TEXT_TAG_BUTTON)) > 0)
        pop_to (t, i);
      break;
    case TEXT_TAG_FORM:
      i = find_open (t, TEXT_TAG_FORM, 0, TEXT_N_TAGS);
      return i == 0 || t->open[i] == t->ended_form;
    case TEXT_TAG_TABLE:
      if ((i = find_table (t, TRUE)) > 0)
        pop_to (t, i);
      break;
    case TEXT_TAG_CAPTION:
    case TEXT_TAG_COL:
    case TEXT_TAG_COLGROUP:
    case TEXT_TAG_TBODY:
    case TEXT_TAG_THEAD:
    case TEXT_TAG_TFOOT:
    case TEXT_TAG_TR:
    case TEXT_TAG_TD:
    case TEXT_TAG_TH:
      return start_table_part (t, (TextHtmlName) tag->id);
    default:
      break;
    }
  return TRUE;
}

static void
start_tag (Tree *t, const Lexeme *lexeme)
{
  const TextTag *tag = lexeme->tag;

  switch (tag->id)
    {
    case TEXT_TAG_HTML:
      root_attributes (t, t->dom.html, lexeme);
      return;
    case TEXT_TAG_HEAD:
      root_attributes (t, t->dom.head, lexeme);
      return;
    case TEXT_TAG_BODY:
      root_attributes (t, t->dom.body, lexeme);
      leave_head (t);
      return;
    case TEXT_TAG_FRAMESET:
      leave_head (t);
      return;
    case TEXT_TAG_IMAGE:
      tag = text_html_tag_of (TEXT_TAG_IMG);
      break;
    default:
      break;
    }
  if (t->in_head && !(tag->tree & TREE_HEAD))
    leave_head (t);
  if (before_start (t, tag))
    insert (t, tag, lexeme);
}

/* ---- end tags ------------------------------------------------------------- */

static void
end_to (Tree *t, guint i)
{
  if (i > 0)
    pop_to (t, i);
}

static void
end_heading (Tree *t)
{
  for (guint i = t->n_open; i-- > 1;)
    {
      const TextTag *at = tag_at (t, i);

      if (at->tree & TREE_HEADING)
        {
          pop_to (t, i);
          return;
        }
      if (at->tree & TREE_SCOPE)
        return;
    }
}

static void
end_list_item (Tree *t)
{
  for (guint i = t->n_open; i-- > 1;)
    {
      const TextTag *at = tag_at (t, i);

      if (at->id == TEXT_TAG_LI)
        {
          pop_to (t, i);
          return;
        }
      if (at->tree & TREE_SCOPE || at->id == TEXT_TAG_UL || at->id == TEXT_TAG_OL)
        return;
    }
}

/* A form that was not closed where it was opened ends without ending what was opened in it: the
 * tree is the same, but another form may begin, and it is left with the last of them. */
static void
end_form (Tree *t)
{
  guint i = in_scope (t, TEXT_TAG_FORM);

  if (i == t->n_open - 1)
    pop_to (t, i);
  else if (i > 0)
    t->ended_form = t->open[i];
}

static void
end_tag (Tree *t, const Lexeme *lexeme)
{
  static const char line[] = "br";
  const Lexeme br = { .kind = LEX_START, .from = line, .to = line + 2, .attributes_end = line + 2 };
  const TextTag *tag = lexeme->tag;

  switch (tag->id)
    {
    case TEXT_TAG_HTML:
    case TEXT_TAG_HEAD:
    case TEXT_TAG_BODY:
    case TEXT_TAG_FRAMESET:
      return;
    case TEXT_TAG_BR:
      leave_head (t);
      insert (t, tag, &br);
      return;
    case TEXT_TAG_P:
      end_paragraph (t);
      return;
    case TEXT_TAG_A:
      end_link (t);
      return;
    case TEXT_TAG_LI:
      end_list_item (t);
      return;
    case TEXT_TAG_FORM:
      end_form (t);
      return;
    case TEXT_TAG_TABLE:
      end_to (t, find_table (t, FALSE));
      return;
    case TEXT_TAG_TR:
    case TEXT_TAG_TBODY:
    case TEXT_TAG_THEAD:
    case TEXT_TAG_TFOOT:
    case TEXT_TAG_TD:
    case TEXT_TAG_TH:
    case TEXT_TAG_CAPTION:
      end_to (t, find_open (t, (TextHtmlName) tag->id, 0, TEXT_TAG_TABLE));
      return;
    default:
      break;
    }
  if (tag->id == TEXT_TAG_OTHER)
    end_to (t, find_other (t, (FrStr){ lexeme->from, (gsize) (lexeme->to - lexeme->from) }));
  else if (tag->tree & TREE_HEADING)
    end_heading (t);
  else if (tag->tree & TREE_SPECIAL)
    end_to (t, in_scope (t, (TextHtmlName) tag->id));
  else
    end_to (t, find_open (t, (TextHtmlName) tag->id, TREE_SPECIAL, TEXT_N_TAGS));
}

/* ---- the whole ------------------------------------------------------------ */

static gboolean
is_json_ld (const Tree *t)
{
  FrStr type;

  if (t->nodes[current (t)].tag != TEXT_TAG_SCRIPT)
    return FALSE;
  type = text_dom_attribute (&t->dom, current (t), TEXT_ATTR_TYPE);
  while (type.len > 0 && lex_is_space (*type.data))
    type.data++, type.len--;
  return type.len >= 19 && g_ascii_strncasecmp (type.data, "application/ld+json", 19) == 0;
}

TextDom *
text_dom_parse (FrStr html)
{
  Tree *t = g_new0 (Tree, 1);
  Lexer lex = { .p = html.data, .end = html.data + html.len };
  Lexeme lexeme;

  t->attributes = g_array_new (FALSE, FALSE, sizeof (Attribute));
  t->arena = g_string_chunk_new (4096);
  t->scratch = g_string_new (NULL);
  t->in_head = TRUE;
  add_node (t, TEXT_NODE_DOCUMENT, TEXT_TAG_OTHER, FR_STR (""));
  t->dom.html = add_node (t, TEXT_NODE_ELEMENT, TEXT_TAG_HTML, FR_STR ("html"));
  t->dom.head = add_node (t, TEXT_NODE_ELEMENT, TEXT_TAG_HEAD, FR_STR ("head"));
  t->dom.body = add_node (t, TEXT_NODE_ELEMENT, TEXT_TAG_BODY, FR_STR ("body"));
  append_child (t, 0, t->dom.html);
  append_child (t, t->dom.html, t->dom.head);
  append_child (t, t->dom.html, t->dom.body);
  push (t, t->dom.html);
  push (t, t->dom.head);
  while (html.len > 0 && text_lex_next (&lex, &lexeme))
    switch (lexeme.kind)
      {
      case LEX_TEXT:
      case LEX_LITERAL:
        add_text (t, (FrStr){ lexeme.from, (gsize) (lexeme.to - lexeme.from) },
                  lexeme.kind == LEX_LITERAL);
        break;
      case LEX_START:
        start_tag (t, &lexeme);
        break;
      case LEX_END:
        end_tag (t, &lexeme);
        break;
      default:
        if (lexeme.tag != NULL && lexeme.tag->id == TEXT_TAG_SCRIPT && is_json_ld (t))
          add_text (t, (FrStr){ lexeme.from, (gsize) (lexeme.to - lexeme.from) }, TRUE);
      }
  return &t->dom;
}

void
text_dom_free (TextDom *dom)
{
  Tree *t = (Tree *) dom;

  if (t == NULL)
    return;
  g_free (t->nodes);
  g_array_unref (t->attributes);
  g_string_chunk_free (t->arena);
  g_string_free (t->scratch, TRUE);
  g_free (t);
}

/* ---- reading -------------------------------------------------------------- */

FrStr
text_dom_attribute (const TextDom *dom, guint32 node, TextHtmlAttribute name)
{
  const Tree *t = (const Tree *) dom;
  const TextNode *n = &dom->nodes[node];

  for (guint32 i = 0; i < n->n_attributes; i++)
    {
      const Attribute *a = &g_array_index (t->attributes, Attribute, n->attributes + i);

      if (a->name == name)
        return a->value;
    }
  return (FrStr){ NULL, 0 };
}

guint32
text_dom_next (const TextDom *dom, guint32 node, guint32 root, gboolean skip)
{
  if (!skip && dom->nodes[node].first != 0)
    return dom->nodes[node].first;
  while (node != root)
    {
      if (dom->nodes[node].next != 0)
        return dom->nodes[node].next;
      node = dom->nodes[node].parent;
      if (node == 0)
        break;
    }
  return 0;
}

static gboolean
holds_no_text (const TextNode *n)
{
  return n->kind == TEXT_NODE_ELEMENT
         && (n->tag == TEXT_TAG_SCRIPT || n->tag == TEXT_TAG_STYLE || n->tag == TEXT_TAG_TEMPLATE);
}

void
text_dom_text (const TextDom *dom, guint32 node, gsize max, GString *out)
{
  gsize start = out->len;
  gboolean space = FALSE;

  for (guint32 i = node;;)
    {
      const TextNode *n = &dom->nodes[i];

      if (n->kind == TEXT_NODE_TEXT)
        for (gsize k = 0; k < n->text.len; k++)
          {
            if (lex_is_space (n->text.data[k]))
              {
                space = TRUE;
                continue;
              }
            if (space && out->len > start)
              g_string_append_c (out, ' ');
            space = FALSE;
            g_string_append_c (out, n->text.data[k]);
          }
      else if (n->tag == TEXT_TAG_BR || text_html_is_block ((TextHtmlName) n->tag))
        space = TRUE;
      if (max > 0 && out->len - start > max)
        {
          gsize cut = start + max;

          while (cut > start && ((guchar) out->str[cut] & 0xc0) == 0x80)
            cut--;
          g_string_truncate (out, cut);
          return;
        }
      i = text_dom_next (dom, i, node, holds_no_text (n));
      if (i == 0)
        return;
    }
}

/* Whether a style says @property: @value; blanks do not matter. */
static gboolean
style_says (FrStr style, const char *property, const char *value)
{
  gsize n = strlen (property), m = strlen (value);
  const char *p = style.data, *end = p + style.len;

  for (; (gsize) (end - p) >= n + m; p++)
    {
      const char *q = p;

      if (g_ascii_strncasecmp (p, property, n) != 0
          || (p > style.data && (g_ascii_isalnum (p[-1]) || p[-1] == '-')))
        continue;
      for (q = p + n; q < end && (lex_is_space (*q) || *q == ':'); q++)
        ;
      if ((gsize) (end - q) >= m && g_ascii_strncasecmp (q, value, m) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
equals (FrStr s, const char *word)
{
  return s.data != NULL && s.len == strlen (word) && g_ascii_strncasecmp (s.data, word, s.len) == 0;
}

gboolean
text_dom_is_hidden (const TextDom *dom, guint32 node)
{
  FrStr style;

  if (dom->nodes[node].n_attributes == 0)
    return FALSE;
  if (text_dom_attribute (dom, node, TEXT_ATTR_HIDDEN).data != NULL
      || equals (text_dom_attribute (dom, node, TEXT_ATTR_ARIA_HIDDEN), "true")
      || equals (text_dom_attribute (dom, node, TEXT_ATTR_TYPE), "hidden"))
    return TRUE;
  style = text_dom_attribute (dom, node, TEXT_ATTR_STYLE);
  return style.len > 0
         && (style_says (style, "display", "none") || style_says (style, "visibility", "hidden"));
}
