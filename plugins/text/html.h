/* SPDX-License-Identifier: Apache-2.0 */
/* html.h: the text in a cell that holds HTML, or leftovers of it (libflowrun-text).
 *
 * Tags are found as the WHATWG HTML standard's tokeniser does (section
 * 13.2.5), without a tree; lines break as its innerText says (section 3.2.7):
 * block elements on lines of their own, an empty line around <p>, <br> a
 * newline, table cells separated by a tab.  What is no text (scripts, styles,
 * comments, templates) goes.  A whole page's main content is another matter.
 */
#ifndef FLOWRUN_TEXT_HTML_H
#define FLOWRUN_TEXT_HTML_H

#include <flowrun/batch.h>

G_BEGIN_DECLS

typedef enum
{
  /* Text that may have HTML in it: only names of HTML elements, with
   * attributes that look like attributes, are tags, so that "<T>", "a<b" and
   * "<me@example.com>" stay.  Escaped markup ("&lt;br&gt;") is markup too, as
   * often as it was escaped: the result is the same when run again. */
  TEXT_HTML_LEFTOVERS = 1 << 0
} TextHtmlFlags;

/** TextHtmlCounts: what was done; added to. */
typedef struct
{
  guint64 tags;       /* tags, comments and their like removed */
  guint64 references; /* character references replaced         */
} TextHtmlCounts;

/** text_html_possible: whether @text has anything that could be a tag or a reference; quick. */
gboolean text_html_possible (FrStr text);

/**
 * text_html_to_text:
 * @html: valid UTF-8
 * @out: the text is appended
 * @counts: or NULL
 *
 * Linear in the length of @html, whatever it holds.
 */
void text_html_to_text (FrStr html, guint flags, GString *out, TextHtmlCounts *counts);

/** text_html_reference: reads the character reference at @p (an '&'); returns its length, or 0; 1
 * or 2 characters go to @chars (the second may be 0). */
gsize text_html_reference (const char *p, const char *end, gunichar chars[2]);

G_END_DECLS

#endif
