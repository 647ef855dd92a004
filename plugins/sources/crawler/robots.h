/* SPDX-License-Identifier: Apache-2.0 */
/* robots.h: what a robots.txt says (RFC 9309).
 *
 * Parses and answers; who fetches it, how long it is believed and what a
 * missing one means is hosts.h.
 *
 * The RFC's grammar and its longest-match rule (allow wins a tie), with what
 * Google's open parser reads beside it, so that both read the same file the
 * same way: a missing colon, the common misspellings of "disallow", a product
 * token that ends at the first character that cannot be in one, and an allowed
 * "/dir/index.html" that allows "/dir/" too.  Also Crawl-delay (no RFC, but
 * asked for by many) and Sitemap lines.
 */
#ifndef CRAWLER_ROBOTS_H
#define CRAWLER_ROBOTS_H

#include <glib.h>

/* Of a longer file the rest is not read (RFC 9309, 2.5: at least so much must be). */
#define ROBOTS_MAX (500 * 1024)

typedef struct _Robots Robots;

/** robots_parse: any bytes; never fails. */
Robots *robots_parse (const char *data, gsize len);
void robots_free (Robots *robots);

/**
 * robots_allows:
 * @product: the crawler's product token ("flowrun")
 * @path: path and query of a URL in its normal form, "" is "/"
 */
gboolean robots_allows (const Robots *robots, const char *product, const char *path);
/** robots_delay: seconds of the Crawl-delay for @product; 0: none. */
double robots_delay (const Robots *robots, const char *product);
/** robots_sitemaps: as written; NULL-terminated, owned by @robots. */
const char *const *robots_sitemaps (const Robots *robots);
/** robots_was_cut: the file was longer than ROBOTS_MAX. */
gboolean robots_was_cut (const Robots *robots);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Robots, robots_free)

#endif
