/* SPDX-License-Identifier: Apache-2.0 */
/* sitemap.h: the addresses in a sitemap (sitemaps.org protocol 0.9).
 *
 * Reads <urlset> and <sitemapindex>, RSS and Atom feeds (their links), and
 * plain text with an address a line.  A scan for the few elements that matter,
 * not an XML parser: a sitemap that is cut off, not well-formed or of a wrong
 * namespace gives the addresses that can be read, and says that it is so; no
 * entity but XML's five and numbers is known, so there is nothing to blow up.
 * Packed ones are unpacked first (sitemap_unpack).
 */
#ifndef CRAWLER_SITEMAP_H
#define CRAWLER_SITEMAP_H

#include <flowrun/batch.h>
#include <flowrun/error.h>

/* Limits of the protocol: more is not read. */
#define SITEMAP_URLS 50000
#define SITEMAP_BYTES (50 * 1024 * 1024)

typedef struct
{
  char *url;
  char *lastmod; /* as written, or NULL */
} SitemapEntry;

/**
 * Sitemap:
 * @entries: SitemapEntry, owned
 * @is_index: the addresses are of sitemaps
 * @malformed: something was wrong with it: not closed, no address in an entry, more than the limit
 * @fault: what; static; NULL when nothing
 */
typedef struct
{
  GArray *entries;
  gboolean is_index;
  const char *fault;
} Sitemap;

/** sitemap_parse: @text is valid UTF-8. NULL when this is no sitemap at all. */
Sitemap *sitemap_parse (FrStr text);
void sitemap_free (Sitemap *sitemap);

/** sitemap_unpack: the bytes of a .gz (also .xz, .zst) through libarchive, at most SITEMAP_BYTES;
 * FR_ERROR_DATA. What is not packed comes back as it is. */
GByteArray *sitemap_unpack (const guint8 *data, gsize len, gboolean *cut, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sitemap, sitemap_free)

#endif
