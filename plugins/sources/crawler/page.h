/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: an answer read as a document: its text and what is known of it. */
#ifndef CRAWLER_PAGE_H
#define CRAWLER_PAGE_H

#include "settings.h"
#include "store.h"
#include "text/content.h"

typedef enum
{
  PAGE_OTHER = 0, /* a picture, an archive, ...: no text to be had here */
  PAGE_HTML,
  PAGE_TEXT,
  PAGE_XML /* a sitemap or feed perhaps */
} PageKind;

/** page_kind: by Content-Type, and by the first bytes where that is missing or says nothing; @type:
 * "text/html"; free with g_free(). */
PageKind page_kind (const Answer *answer, char **type);

/**
 * Page:
 * @content: of HTML; else NULL
 * @text: the main text
 * @charset, @charset_from: static
 * @robots: of meta elements and of X-Robots-Tag together (TextRobots)
 * @n_replaced: characters that became U+FFFD
 */
typedef struct
{
  PageKind kind;
  char *type;
  TextContent *content;
  GString *text;
  const char *charset, *charset_from;
  guint robots;
  guint64 n_replaced;
} Page;

/** page_read: @url: where the answer comes from, for links; NULL when the kind is PAGE_OTHER or
 * PAGE_XML. */
Page *page_read (const Answer *answer, const char *url, const Settings *settings);
void page_free (Page *page);

/** page_decode: the body as UTF-8, whatever its charset; @charset: canonical; @how: as
 * charset_from. */
GString *page_decode (const GByteArray *body, const char *transport, const char **charset,
                      const char **how, guint64 *n_replaced);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Page, page_free)

#endif
