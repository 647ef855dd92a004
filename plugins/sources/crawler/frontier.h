/* SPDX-License-Identifier: Apache-2.0 */
/* frontier.h: every URL that the crawl knows, each once, in the order in which it was found.
 *
 * The texts lie in a file in the stage's spill directory; in memory stay 48
 * bytes a URL and its place in a table of hashes (128 bits: two of a thousand
 * million URLs meet with odds of 1 in 10^21).  The frontier is not kept over a
 * kill: the crawl finds it again from the store (store.h).
 */
#ifndef CRAWLER_FRONTIER_H
#define CRAWLER_FRONTIER_H

#include <flowrun/error.h>
#include <glib.h>

typedef enum
{
  URL_PAGE = 0,
  URL_SITEMAP
} UrlKind;

typedef enum
{
  URL_WAITING = 0, /* to be asked for                            */
  URL_ASKED,       /* under way                                  */
  URL_ANSWERED,    /* the answer is in the store                 */
  URL_SKIPPED      /* will not be asked: @why                    */
} UrlState;

#define NO_URL G_MAXUINT32

/**
 * Url:
 * @offset, @len: of its text in the file
 * @host: number of its host (hosts.h)
 * @referrer: where it was found; NO_URL: given
 * @origin: the URL that was redirected here, at the chain's beginning; its own number when none was
 * @next: in the queue of its host; NO_URL: last
 * @depth: links from a start URL
 * @hops: redirects from @origin
 * @kind, @state, @why, @tries: UrlKind, UrlState, a Skip (hosts.h), requests made
 */
typedef struct
{
  guint64 offset;
  guint32 len;
  guint32 host;
  guint32 referrer;
  guint32 origin;
  guint32 next;
  guint16 depth;
  guint8 hops;
  guint8 kind;
  guint8 state;
  guint8 why;
  guint8 tries;
} Url;

typedef struct _Frontier Frontier;

/** frontier_new: @dir: where the file goes. FR_ERROR_IO. */
Frontier *frontier_new (const char *dir, GError **error);
void frontier_free (Frontier *frontier);

guint32 frontier_size (const Frontier *frontier);
/** frontier_find: the number of @url; NO_URL when it is not known. */
guint32 frontier_find (const Frontier *frontier, const char *url);
/** frontier_add: a URL that frontier_find() does not know; NO_URL with FR_ERROR_IO. */
guint32 frontier_add (Frontier *frontier, const char *url, GError **error);
/** frontier_url: valid until the next frontier_add(). */
Url *frontier_url (Frontier *frontier, guint32 n);
/** frontier_text: free with g_free(); NULL with FR_ERROR_IO. */
char *frontier_text (Frontier *frontier, guint32 n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Frontier, frontier_free)

#endif
