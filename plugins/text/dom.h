/* SPDX-License-Identifier: Apache-2.0 */
/* dom.h: HTML as a tree (libflowrun-text).
 *
 * Tags are found by the one tokeniser of this library (html-lex.h); the tree follows the WHATWG
 * HTML standard (section 13.2.6) as far as it decides which text stands in which element: html,
 * head and body are there whether written or not, paragraphs, items, options, rows and cells end
 * where their end tags may be left out, end tags reach as far as their scope, what a void element
 * "contains" is beside it, raw text is text.  Where it leaves the standard, it is for text:
 *   - formatting elements (b, font, a, ...) are not opened again after the block they stood in has
 *     ended: a link that was never closed covers its paragraph, not the rest of the page;
 *   - nothing is moved out of tables: text between rows stays between rows;
 *   - what svg, template, noscript, iframe, style and script hold is left out, but JSON-LD is not;
 *   - MathML is made of elements like others; frameset pages have a body; no tbody is made up.
 *
 * Nodes are numbers; the tree is one array of 48 bytes a node and one array of the attributes that
 * anybody here asks for; text lies in the source, or in the tree's arena where character references
 * had to be read.  At most TEXT_DOM_DEPTH elements are open at once; deeper ones become siblings,
 * counted.  Linear in the length of the source times that depth, whatever it holds.
 */
#ifndef FLOWRUN_TEXT_DOM_H
#define FLOWRUN_TEXT_DOM_H

#include <flowrun/batch.h>
#include <glib.h>

#include "text/html-names.h"

G_BEGIN_DECLS

#define TEXT_DOM_DEPTH 256               /* open elements */
#define TEXT_DOM_NODES (2 * 1000 * 1000) /* nodes kept; what comes then is counted and left out */

typedef enum
{
  TEXT_NODE_DOCUMENT = 0, /* node 0, and only that */
  TEXT_NODE_ELEMENT,
  TEXT_NODE_TEXT /* never empty */
} TextNodeKind;

/**
 * TextNode:
 * @kind: TextNodeKind
 * @tag: TextHtmlName of an element; TEXT_TAG_OTHER for those that HTML does not have
 * @parent, @first, @last, @next: nodes; 0: none (the document is nobody's child)
 * @attributes, @n_attributes: where its attributes lie: read with text_dom_attribute()
 * @text: of a text node, references read; of an element its name as written
 */
typedef struct
{
  guint8 kind;
  guint8 tag;
  guint32 parent, first, last, next;
  guint32 attributes, n_attributes;
  FrStr text;
} TextNode;

/**
 * TextDom:
 * @nodes, @n_nodes: in no order that means anything: text_dom_next() goes through the document
 * @html, @head, @body: always there
 * @n_flattened: elements that were deeper than TEXT_DOM_DEPTH; @n_cut: nodes left out
 */
typedef struct
{
  const TextNode *nodes;
  guint32 n_nodes;
  guint32 html, head, body;
  guint64 n_flattened, n_cut;
} TextDom;

/** text_dom_parse: the tree of @html, valid UTF-8 that lives as long as the tree. */
TextDom *text_dom_parse (FrStr html);
void text_dom_free (TextDom *dom);

/** text_dom_attribute: the value of an attribute, references read; {NULL, 0} when the element does
 * not have it, an empty string when it has no value.  The first of its name counts. */
FrStr text_dom_attribute (const TextDom *dom, guint32 node, TextHtmlAttribute name);

/** text_dom_next: the node after @node in the order of the document that is still within @root; 0
 * after the last.  With @skip, what @node contains is passed over. */
guint32 text_dom_next (const TextDom *dom, guint32 node, guint32 root, gboolean skip);

/** text_dom_text: appends the text in @node, white space collapsed to single blanks, none at the
 * ends; scripts, styles and templates left out.  At most @max bytes (0: no limit), whole
 * characters. */
void text_dom_text (const TextDom *dom, guint32 node, gsize max, GString *out);

/** text_dom_store: copies @text into the tree's memory. */
FrStr text_dom_store (TextDom *dom, const char *text, gsize len);

/** text_dom_is_hidden: whether the element itself says it is not shown: hidden, style display:none
 * or visibility:hidden, aria-hidden=true, type=hidden. */
gboolean text_dom_is_hidden (const TextDom *dom, guint32 node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextDom, text_dom_free)

G_END_DECLS

#endif
