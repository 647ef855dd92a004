/* SPDX-License-Identifier: Apache-2.0 */
/* crawl.h: the crawl itself.
 *
 * Two things go on at once.  Fetching: whatever the frontier knows and the
 * hosts' pace and rules permit is asked for, in any order, and goes to the
 * store.  Committing: the answers are taken strictly in the order in which
 * their URLs were found; only then are links read, rows pushed, duplicates
 * judged and limits counted.  So what comes out depends on what the servers
 * say, not on who answered first; and a crawl that was killed does the same
 * again with the store in place of the servers.
 *
 * fetch.c fetches, commit.c commits, crawl.c is the loop.
 */
#ifndef CRAWLER_CRAWL_H
#define CRAWLER_CRAWL_H

#include "frontier.h"
#include "hosts.h"
#include "net/http.h"
#include "rows.h"
#include "scope.h"
#include "store.h"
#include "warc.h"

/**
 * Crawl:
 * @next: the URL to be committed next
 * @horizon, @window: only URLs before @horizon are asked for: with max_pages, as many pages as are
 * still wanted lie between @next and it (@window of them), so that nothing is fetched that would
 * not be taken
 * @pages: pages committed
 * @bytes: of their bodies
 * @cache: answers not yet committed, by number, @cached bytes of them; others are read from the
 * store
 * @stopping: no more requests; the counter says why
 */
typedef struct
{
  const Settings *settings;
  FrHost *host;
  NetClient *client;
  Store *store;
  Store *since;         /* of earlier archives; NULL: none */
  gboolean since_stays; /* those archives are still there after this run */
  Frontier *frontier;
  Hosts *hosts;
  Scope *scope;
  Rows *rows;
  WarcWriter *archive;
  guint32 next;
  guint32 horizon;
  guint64 window, pages, bytes;
  GHashTable *cache;
  gsize cached;
  gboolean stopping;
  gint64 started;
  char *user_agent;
} Crawl;

/** crawl_new: FR_ERROR_IO. */
Crawl *crawl_new (const Settings *settings, FrHost *host, GError **error);
void crawl_free (Crawl *crawl);
/** crawl_run: from the start URLs to the end. */
FrFlow crawl_run (Crawl *crawl, GError **error);

/* ---- fetch.c --------------------------------------------------------------------- */

/** fetch_start: begins what can be begun. @wake: microseconds until more can be; -1: nothing waits
 * for time alone. */
gboolean fetch_start (Crawl *crawl, gint64 *wake, GError **error);
/** fetch_take: a reply of the client (taken): to the store, or to be asked again. */
gboolean fetch_take (Crawl *crawl, NetReply *reply, GError **error);
/** fetch_answer: the answer of URL @n, which is URL_ANSWERED. */
Answer *fetch_answer (Crawl *crawl, guint32 n, GError **error);
/** fetch_robots_stored: reads what the store holds of @host's robots.txt; NULL: nothing. */
Answer *fetch_robots_stored (Crawl *crawl, const Host *host);
/** fetch_stop: what waits will not be asked for. */
void fetch_stop (Crawl *crawl, const char *counter);
/** fetch_passed: URL @n was committed. */
void fetch_passed (Crawl *crawl, guint32 n);

/* ---- commit.c ----------------------------------------------------------------------- */

/** commit_given: the start URLs and sitemaps of the settings. */
gboolean commit_given (Crawl *crawl, GError **error);
/** commit_one: URL crawl->next, answered or skipped. */
FrFlow commit_one (Crawl *crawl, GError **error);

/* ---- replay.c ------------------------------------------------------------------------- */

/** replay_run: the pages of archives instead of a crawl. */
FrFlow replay_run (const Settings *settings, FrHost *host, GError **error);
/** replay_load: the answers of archives into a store in @dir; those that are missing are none. */
Store *replay_load (char *const *paths, const char *dir, FrHost *host, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Crawl, crawl_free)

#endif
