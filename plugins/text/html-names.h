/* SPDX-License-Identifier: Apache-2.0 */
/* html-names.h: the elements of HTML, old ones too, and the attributes that anybody here asks for
 * (libflowrun-text).
 *
 * One list is the truth for the tokeniser, the tree and HTML cells: name, what the element means
 * for text (TAG_*: WHATWG HTML, sections 4, 15.3 and 16.2) and for the tree (TREE_*: sections
 * 13.1.2 and 13.2.4); the bits are in html-private.h.  Sorted by name.
 */
#ifndef FLOWRUN_TEXT_HTML_NAMES_H
#define FLOWRUN_TEXT_HTML_NAMES_H

#include <glib.h>

G_BEGIN_DECLS

/* clang-format off */
#define TEXT_HTML_ELEMENTS(X) \
  X (A, "a", TAG_INLINE, TREE_FORMAT) \
  X (ABBR, "abbr", TAG_INLINE, 0) \
  X (ACRONYM, "acronym", TAG_INLINE, 0) \
  X (ADDRESS, "address", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (APPLET, "applet", TAG_INLINE, TREE_SPECIAL | TREE_SCOPE) \
  X (AREA, "area", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (ARTICLE, "article", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (ASIDE, "aside", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (AUDIO, "audio", TAG_INLINE, 0) \
  X (B, "b", TAG_INLINE, TREE_FORMAT) \
  X (BASE, "base", TAG_INLINE, TREE_VOID | TREE_SPECIAL | TREE_HEAD) \
  X (BASEFONT, "basefont", TAG_INLINE, TREE_VOID | TREE_SPECIAL | TREE_HEAD) \
  X (BDI, "bdi", TAG_INLINE, 0) \
  X (BDO, "bdo", TAG_INLINE, 0) \
  X (BGSOUND, "bgsound", TAG_INLINE, TREE_VOID | TREE_SPECIAL | TREE_HEAD) \
  X (BIG, "big", TAG_INLINE, TREE_FORMAT) \
  X (BLINK, "blink", TAG_INLINE, 0) \
  X (BLOCKQUOTE, "blockquote", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (BODY, "body", TAG_BLOCK, TREE_SPECIAL) \
  X (BR, "br", TAG_BR, TREE_VOID | TREE_SPECIAL) \
  X (BUTTON, "button", TAG_INLINE, TREE_SPECIAL) \
  X (CANVAS, "canvas", TAG_INLINE, 0) \
  X (CAPTION, "caption", TAG_BLOCK, TREE_SPECIAL | TREE_SCOPE) \
  X (CENTER, "center", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (CITE, "cite", TAG_INLINE, 0) \
  X (CODE, "code", TAG_INLINE, TREE_FORMAT) \
  X (COL, "col", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (COLGROUP, "colgroup", TAG_INLINE, TREE_SPECIAL) \
  X (DATA, "data", TAG_INLINE, 0) \
  X (DATALIST, "datalist", TAG_INLINE, 0) \
  X (DD, "dd", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (DEL, "del", TAG_INLINE, 0) \
  X (DETAILS, "details", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (DFN, "dfn", TAG_INLINE, 0) \
  X (DIALOG, "dialog", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (DIR, "dir", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (DIV, "div", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (DL, "dl", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (DT, "dt", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (EM, "em", TAG_INLINE, TREE_FORMAT) \
  X (EMBED, "embed", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (FIELDSET, "fieldset", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (FIGCAPTION, "figcaption", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (FIGURE, "figure", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (FONT, "font", TAG_INLINE, TREE_FORMAT) \
  X (FOOTER, "footer", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (FORM, "form", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (FRAME, "frame", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (FRAMESET, "frameset", TAG_BLOCK, TREE_SPECIAL) \
  X (H1, "h1", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_HEADING) \
  X (H2, "h2", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_HEADING) \
  X (H3, "h3", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_HEADING) \
  X (H4, "h4", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_HEADING) \
  X (H5, "h5", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_HEADING) \
  X (H6, "h6", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_HEADING) \
  X (HEAD, "head", TAG_BLOCK, TREE_SPECIAL) \
  X (HEADER, "header", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (HGROUP, "hgroup", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (HR, "hr", TAG_BLOCK, TREE_VOID | TREE_SPECIAL | TREE_ENDS_P) \
  X (HTML, "html", TAG_BLOCK, TREE_SPECIAL | TREE_SCOPE) \
  X (I, "i", TAG_INLINE, TREE_FORMAT) \
  X (IFRAME, "iframe", TAG_RAW | TAG_DROP | TAG_REST, TREE_SPECIAL) \
  X (IMAGE, "image", TAG_INLINE, TREE_VOID) \
  X (IMG, "img", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (INPUT, "input", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (INS, "ins", TAG_INLINE, 0) \
  X (ISINDEX, "isindex", TAG_INLINE, 0) \
  X (KBD, "kbd", TAG_INLINE, 0) \
  X (KEYGEN, "keygen", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (LABEL, "label", TAG_INLINE, 0) \
  X (LEGEND, "legend", TAG_BLOCK, 0) \
  X (LI, "li", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (LINK, "link", TAG_INLINE, TREE_VOID | TREE_SPECIAL | TREE_HEAD) \
  X (LISTING, "listing", TAG_BLOCK | TAG_PRE, TREE_SPECIAL | TREE_ENDS_P) \
  X (MAIN, "main", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (MAP, "map", TAG_INLINE, 0) \
  X (MARK, "mark", TAG_INLINE, 0) \
  X (MARQUEE, "marquee", TAG_INLINE, TREE_SPECIAL | TREE_SCOPE) \
  X (MATH, "math", TAG_INLINE, 0) \
  X (MENU, "menu", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (MENUITEM, "menuitem", TAG_INLINE, 0) \
  X (META, "meta", TAG_INLINE, TREE_VOID | TREE_SPECIAL | TREE_HEAD) \
  X (METER, "meter", TAG_INLINE, 0) \
  X (MULTICOL, "multicol", TAG_INLINE, 0) \
  X (NAV, "nav", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (NEXTID, "nextid", TAG_INLINE, TREE_VOID) \
  X (NOBR, "nobr", TAG_INLINE, TREE_FORMAT) \
  X (NOEMBED, "noembed", TAG_RAW | TAG_DROP | TAG_REST, TREE_SPECIAL) \
  X (NOFRAMES, "noframes", TAG_RAW | TAG_DROP | TAG_REST, TREE_SPECIAL | TREE_HEAD) \
  X (NOSCRIPT, "noscript", TAG_DROP, TREE_SPECIAL | TREE_HEAD) \
  X (OBJECT, "object", TAG_INLINE, TREE_SPECIAL | TREE_SCOPE) \
  X (OL, "ol", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (OPTGROUP, "optgroup", TAG_BLOCK, 0) \
  X (OPTION, "option", TAG_BLOCK, 0) \
  X (OUTPUT, "output", TAG_INLINE, 0) \
  X (P, "p", TAG_BLOCK | TAG_PARA, TREE_SPECIAL | TREE_ENDS_P) \
  X (PARAM, "param", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (PICTURE, "picture", TAG_INLINE, 0) \
  X (PLAINTEXT, "plaintext", TAG_BLOCK | TAG_PRE | TAG_RAW, TREE_SPECIAL | TREE_ENDS_P) \
  X (PRE, "pre", TAG_BLOCK | TAG_PRE, TREE_SPECIAL | TREE_ENDS_P) \
  X (PROGRESS, "progress", TAG_INLINE, 0) \
  X (Q, "q", TAG_INLINE, 0) \
  X (RB, "rb", TAG_INLINE, 0) \
  X (RP, "rp", TAG_INLINE, 0) \
  X (RT, "rt", TAG_INLINE, 0) \
  X (RTC, "rtc", TAG_INLINE, 0) \
  X (RUBY, "ruby", TAG_INLINE, 0) \
  X (S, "s", TAG_INLINE, TREE_FORMAT) \
  X (SAMP, "samp", TAG_INLINE, 0) \
  X (SCRIPT, "script", TAG_RAW | TAG_DROP | TAG_REST, TREE_SPECIAL | TREE_HEAD) \
  X (SEARCH, "search", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (SECTION, "section", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (SELECT, "select", TAG_INLINE, TREE_SPECIAL) \
  X (SLOT, "slot", TAG_INLINE, 0) \
  X (SMALL, "small", TAG_INLINE, TREE_FORMAT) \
  X (SOURCE, "source", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (SPACER, "spacer", TAG_INLINE, TREE_VOID) \
  X (SPAN, "span", TAG_INLINE, 0) \
  X (STRIKE, "strike", TAG_INLINE, TREE_FORMAT) \
  X (STRONG, "strong", TAG_INLINE, TREE_FORMAT) \
  X (STYLE, "style", TAG_RAW | TAG_DROP | TAG_REST, TREE_SPECIAL | TREE_HEAD) \
  X (SUB, "sub", TAG_INLINE, 0) \
  X (SUMMARY, "summary", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (SUP, "sup", TAG_INLINE, 0) \
  X (SVG, "svg", TAG_DROP, 0) \
  X (TABLE, "table", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P | TREE_SCOPE) \
  X (TBODY, "tbody", TAG_BLOCK, TREE_SPECIAL) \
  X (TD, "td", TAG_CELL, TREE_SPECIAL | TREE_SCOPE) \
  X (TEMPLATE, "template", TAG_DROP, TREE_SPECIAL | TREE_HEAD | TREE_SCOPE) \
  X (TEXTAREA, "textarea", TAG_BLOCK | TAG_PRE | TAG_RAW | TAG_REFS, TREE_SPECIAL) \
  X (TFOOT, "tfoot", TAG_BLOCK, TREE_SPECIAL) \
  X (TH, "th", TAG_CELL, TREE_SPECIAL | TREE_SCOPE) \
  X (THEAD, "thead", TAG_BLOCK, TREE_SPECIAL) \
  X (TIME, "time", TAG_INLINE, 0) \
  X (TITLE, "title", TAG_BLOCK | TAG_RAW | TAG_REFS, TREE_SPECIAL | TREE_HEAD) \
  X (TR, "tr", TAG_BLOCK, TREE_SPECIAL) \
  X (TRACK, "track", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (TT, "tt", TAG_INLINE, TREE_FORMAT) \
  X (U, "u", TAG_INLINE, TREE_FORMAT) \
  X (UL, "ul", TAG_BLOCK, TREE_SPECIAL | TREE_ENDS_P) \
  X (VAR, "var", TAG_INLINE, 0) \
  X (VIDEO, "video", TAG_INLINE, 0) \
  X (WBR, "wbr", TAG_INLINE, TREE_VOID | TREE_SPECIAL) \
  X (XML, "xml", TAG_INLINE, 0) \
  X (XMP, "xmp", TAG_BLOCK | TAG_PRE | TAG_RAW, TREE_SPECIAL | TREE_ENDS_P)

#define TEXT_HTML_ATTRIBUTES(X) \
  X (ALT, "alt") \
  X (ARIA_HIDDEN, "aria-hidden") \
  X (CHARSET, "charset") \
  X (CLASS, "class") \
  X (CONTENT, "content") \
  X (DATETIME, "datetime") \
  X (DIR, "dir") \
  X (HIDDEN, "hidden") \
  X (HREF, "href") \
  X (HTTP_EQUIV, "http-equiv") \
  X (ID, "id") \
  X (ITEMPROP, "itemprop") \
  X (ITEMSCOPE, "itemscope") \
  X (ITEMTYPE, "itemtype") \
  X (LANG, "lang") \
  X (NAME, "name") \
  X (PROPERTY, "property") \
  X (REL, "rel") \
  X (ROLE, "role") \
  X (SRC, "src") \
  X (START, "start") \
  X (STYLE, "style") \
  X (SUMMARY, "summary") \
  X (TITLE, "title") \
  X (TYPE, "type") \
  X (VALUE, "value") \
  X (XML_LANG, "xml:lang")
/* clang-format on */

#define TEXT_HTML_NAME_ID(id, ...) TEXT_TAG_##id,
/* TEXT_TAG_DIV and so on, in the order of their names. */
typedef enum
{
  TEXT_HTML_ELEMENTS (TEXT_HTML_NAME_ID) TEXT_TAG_OTHER,
  TEXT_N_TAGS
} TextHtmlName;
#undef TEXT_HTML_NAME_ID

#define TEXT_HTML_NAME_ID(id, ...) TEXT_ATTR_##id,
/* TEXT_ATTR_HREF and so on; TEXT_ATTR_HTTP_EQUIV for "http-equiv". */
typedef enum
{
  TEXT_HTML_ATTRIBUTES (TEXT_HTML_NAME_ID) TEXT_N_ATTRS
} TextHtmlAttribute;
#undef TEXT_HTML_NAME_ID

/** text_html_name: "div"; "" for TEXT_TAG_OTHER. */
const char *text_html_name (TextHtmlName tag);

/** text_html_is_block: whether the element stands on lines of its own (cells and captions too). */
gboolean text_html_is_block (TextHtmlName tag);

G_END_DECLS

#endif
