/* SPDX-License-Identifier: Apache-2.0 */
/* pages.h: lines on pages as text: what a PDF does not say itself.
 *
 * A PDF places glyphs; poppler groups them into lines in reading order (columns
 * included).  From position, size and weight of the lines this finds
 *
 *   headers and footers   lines near the top or bottom that repeat, but for
 *                         their digits, at the same height on other pages
 *   page numbers          lines there of nothing but a number, in the forms of
 *                         both languages ("- 3 -", "3 / 12", "第 3 页 共 12 页")
 *   contents              lines whose dots lead to a number
 *   headings              short lines set larger than the text, or bold alone
 *   paragraphs            lines at one distance; an indented first line, a short
 *                         last line, a mark of a list begin another; words cut by
 *                         a hyphen are joined, Han lines joined without a blank;
 *                         a sentence goes on over the end of a page or column
 *   tables                rows and columns, by where their cells stand (tables.h); one may go
 *                         on over pages, whose repeated names are dropped
 */
#ifndef DOCUMENTS_PDF_PAGES_H
#define DOCUMENTS_PDF_PAGES_H

#include "protocol.h"
#include "text/document.h"

G_BEGIN_DECLS

typedef struct _Pages Pages;

Pages *pages_new (guint wants);
void pages_free (Pages *pages);
void pages_begin (Pages *pages, const PdfPage *page);
/** pages_line: a line of the page begun last; @text: valid UTF-8, copied. */
void pages_line (Pages *pages, const PdfLine *line, const char *text, gsize len);
/** pages_bytes: memory held. */
gsize pages_bytes (const Pages *pages);
/** pages_tell: all of it to @sink. */
gboolean pages_tell (Pages *pages, TextDocSink *sink);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pages, pages_free)

G_END_DECLS

#endif
