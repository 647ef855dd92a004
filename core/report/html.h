/* SPDX-License-Identifier: Apache-2.0 */
/* html.h: a page being written (internal).
 *
 * Tags are opened and closed in pairs; every text and attribute goes through
 * one escaping function, so that no row can become markup.  What is written is
 * HTML that an XML parser reads as well: attributes quoted, all elements
 * closed, no character that XML does not know.
 *
 *   invalid UTF-8                     U+FFFD
 *   control characters (not TAB, LF)  their symbols, U+2400 and on
 *   C1 controls, U+FFFE, U+FFFF       U+FFFD
 */
#ifndef FLOWRUN_HTML_H
#define FLOWRUN_HTML_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GString *out;
  GPtrArray *open; /* const char *: tags to be closed */
} FriHtml;

FriHtml *fri_html_new (void);
/** fri_html_end: the text; everything must be closed; g_free() it. */
char *fri_html_end (FriHtml *html, gsize *len);

/** fri_html_open: <tag name="value" …>: pairs, ended by NULL; a NULL value leaves the attribute
 * out.
 * @tag is static text. */
void fri_html_open (FriHtml *html, const char *tag, ...) G_GNUC_NULL_TERMINATED;
/** fri_html_void: <tag … />: an element without content. */
void fri_html_void (FriHtml *html, const char *tag, ...) G_GNUC_NULL_TERMINATED;
void fri_html_close (FriHtml *html);
void fri_html_text (FriHtml *html, const char *text);
void fri_html_printf (FriHtml *html, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** fri_html_element: <tag class="…">text</tag>; @class may be NULL. */
void fri_html_element (FriHtml *html, const char *tag, const char *class, const char *text);
/** fri_html_raw: static text that is markup or style already. */
void fri_html_raw (FriHtml *html, const char *text);
/** fri_html_escape: appends @len bytes (-1: up to NUL) of any content. */
void fri_html_escape (GString *out, const char *text, gssize len);

G_END_DECLS

#endif
