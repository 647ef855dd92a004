/* SPDX-License-Identifier: Apache-2.0 */
/* content-meta.h: what a page says of itself; between content*.c. */
#ifndef FLOWRUN_TEXT_CONTENT_META_H
#define FLOWRUN_TEXT_CONTENT_META_H

#include "text/content-private.h"

G_BEGIN_DECLS

/** text_date_find: appends the first date in @text as RFC 3339 (see content.h); FALSE when there is
 * none.  @compact: 20240506 is one too. */
gboolean text_date_find (FrStr text, gboolean compact, GString *out);

/** text_date_in_url: the same of an address: /2024/05/06/, /20240506/, /2024-05/06/, /2024/0506/.
 */
gboolean text_date_in_url (FrStr url, GString *out);

/* Where a value came from, best first. */
typedef enum
{
  SOURCE_NONE = 0,
  SOURCE_TEXT,     /* the text itself                */
  SOURCE_CLASS,    /* an element whose class says it */
  SOURCE_ITEMPROP, /* microdata                      */
  SOURCE_PLAIN,    /* <meta name=...>, twitter:...   */
  SOURCE_GRAPH,    /* Open Graph, article:...        */
  SOURCE_DC,       /* Dublin Core                    */
  SOURCE_JSON      /* JSON-LD                        */
} Source;

typedef struct
{
  FrStr text;
  Source source;
  gboolean property; /* from <meta property>, which counts before <meta name> */
} Value;

/* Text lies in the page's bytes or in the tree's memory. */
typedef struct
{
  Value title, byline, site, description, keywords, language;
  Value published, modified; /* as written */
  FrStr page_title, canonical, og_url, base, refresh;
  guint robots;
  FrStr body; /* the text itself, as JSON-LD has it */
} Meta;

/** text_value_set: @text counts when it is from a better source than what is there; blanks at the
 * ends go. */
void text_value_set (Value *value, FrStr text, Source source);

/** text_meta_read: what head, microdata and JSON-LD say. */
void text_meta_read (Page *page, Meta *meta);

/** text_meta_json: what the text of a JSON-LD element says. */
void text_meta_json (Page *page, FrStr json, Meta *meta);

/** text_meta_finish: title without the site's name, byline without "作者：", dates as RFC 3339, the
 * language against the text; all into @out, with memory of the page's tree. */
void text_meta_finish (Page *page, Meta *meta, const char *url, TextContent *out);

/* ---- addresses (content-links.c) ------------------------------------------- */

/* An address cut up as RFC 3986 (section 3) says; a part that is missing has data NULL. */
typedef struct
{
  FrStr scheme, authority, path, query, fragment;
} Address;

void text_address_split (FrStr url, Address *address);

/** text_address_resolve: appends @href as seen from @base (section 5.2), without its fragment;
 * FALSE when there is no base for it or it is no address of a page (http, https, file, ftp). */
gboolean text_address_resolve (const Address *base, FrStr href, GString *out);

/** text_links_collect: appends the page's links to @links (TextLink). */
void text_links_collect (Page *page, const Address *base, const Meta *meta, GArray *links);

G_END_DECLS

#endif
