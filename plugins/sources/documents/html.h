/* SPDX-License-Identifier: Apache-2.0 */
/* html.h: blocks of a page to a sink; mail has pages, too. */
#ifndef DOCUMENTS_HTML_H
#define DOCUMENTS_HTML_H

#include "text/content.h"
#include "text/document.h"

G_BEGIN_DECLS

/** html_tell: the blocks of @page. */
gboolean html_tell (const TextContent *page, TextDocSink *sink);

G_END_DECLS

#endif
