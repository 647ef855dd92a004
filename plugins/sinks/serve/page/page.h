/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: GET /, the page for the people who write: one HTML file that needs nothing but this
 * server.
 *
 * page/page.html with page.css and page.js put in, compiled into the plugin.  Its content security
 * policy (CSP 3) names script and style by their hash, lets it speak with the server it came from
 * alone, and allows no markup to be made of text (Trusted Types); every text of a person or a model
 * is put in as text.  Nothing of the pipeline is in it, so it is the same bytes for all: what it
 * needs it asks for.
 *
 *   GET  v1/models   the models there are
 *   GET  format      the fields of the pipeline's format template
 *   POST generate    answers, streamed
 *   POST feedback    ratings
 *
 * All addresses are relative: the page works below any prefix that a proxy puts in front.
 */
#ifndef FLOWRUN_SERVE_PAGE_H
#define FLOWRUN_SERVE_PAGE_H

#include <glib.h>

G_BEGIN_DECLS

/** ServePageHeader: a header that the page must be sent with. */
typedef struct
{
  const char *name, *value;
} ServePageHeader;

typedef struct _ServePage ServePage;

/** serve_page_new: puts the page together; done once, at the start. */
ServePage *serve_page_new (void);
void serve_page_free (ServePage *page);
/** serve_page_bytes: the page; UTF-8; owned by @page, the same for its whole life. */
GBytes *serve_page_bytes (const ServePage *page);
/** serve_page_headers: Content-Type, Content-Security-Policy, Cache-Control, ETag and others; ends
 * in a name of NULL; owned by @page. */
const ServePageHeader *serve_page_headers (const ServePage *page);
/** serve_page_etag: its entity tag, with quotes: a request whose If-None-Match names it (or is "*")
 * may be answered 304 with the same headers and no body. */
const char *serve_page_etag (const ServePage *page);
/** serve_page_not_modified: whether the value of If-None-Match (RFC 9110, section 13.1.2) names the
 * page; NULL: no. */
gboolean serve_page_not_modified (const ServePage *page, const char *if_none_match);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServePage, serve_page_free)

G_END_DECLS

#endif
