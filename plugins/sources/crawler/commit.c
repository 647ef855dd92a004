/* SPDX-License-Identifier: Apache-2.0 */
/* commit.c: what an answer means: a page, a redirect, a sitemap, a failure; and which URLs follow
 * from it. In the order of the frontier, and of that alone; see crawl.h.
 */
#include "config.h"

#include "crawl.h"
#include "sitemap.h"

#include <string.h>

#define SITEMAP_DEPTH 3 /* indexes of indexes */
#define TRUSTED                                                                                    \
  "not asked for" /* the message of an answer that a sitemap gave in a server's place */

/* ---- URLs that are found --------------------------------------------------------------- */

/* Adds @url to the frontier, to wait or, where the store has the answer, as answered. NO_URL with
 * error. */
static guint32
add (Crawl *c, const NetUrl *url, UrlKind kind, guint depth, guint32 referrer, GError **error)
{
  guint32 n = frontier_add (c->frontier, url->text, error), host;
  Url *entry;

  if (n == NO_URL)
    return NO_URL;
  host = hosts_of (c->hosts, url);
  entry = frontier_url (c->frontier, n);
  entry->host = host;
  entry->kind = (guint8) kind;
  entry->depth = (guint16) MIN (depth, G_MAXUINT16);
  entry->referrer = referrer;
  if (store_has (c->store, url->text))
    entry->state = URL_ANSWERED;
  else if (c->stopping)
    {
      entry->state = URL_SKIPPED;
      entry->why = SKIP_LIMIT;
    }
  else
    hosts_queue (c->hosts, n, FALSE);
  return n;
}

/* Whether a URL that was found is to be followed: in scope, new, not a trap, within the limits. */
static gboolean
is_wanted (Crawl *c, const NetUrl *url, UrlKind kind)
{
  ScopeWhy why;

  if (url->had_userinfo)
    fr_host_count (c->host, "links_with_credentials", 1);
  if (frontier_find (c->frontier, url->text) != NO_URL)
    return FALSE;
  why = scope_check (c->scope, url);
  if (why == SCOPE_FILE && kind == URL_SITEMAP)
    why = SCOPE_IN; /* sitemap.xml.gz */
  if (why != SCOPE_IN)
    {
      fr_host_count (c->host, scope_counter (why), 1);
      return FALSE;
    }
  if (kind == URL_PAGE && rows_closed (c->rows, url->text))
    {
      fr_host_count (c->host, "links_into_traps", 1);
      return FALSE;
    }
  if (frontier_size (c->frontier) >= (guint64) c->settings->max_urls)
    {
      fr_host_count (c->host, "links_over_max_urls", 1);
      return FALSE;
    }
  return TRUE;
}

static guint
url_flags (const Crawl *c)
{
  return c->settings->drop_tracking ? NET_URL_TRACKING : 0;
}

static gboolean
add_given (Crawl *c, const char *text, UrlKind kind, GError **error)
{
  g_auto (NetUrl) url = { 0 };
  const char *why;

  if (!net_url_parse (text, strlen (text), NULL, NULL, url_flags (c), &url, &why))
    {
      g_autofree char *shown = net_url_display (text);

      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s' cannot be crawled: %s", shown, why);
      return FALSE;
    }
  scope_add (c->scope, &url);
  if (frontier_find (c->frontier, url.text) != NO_URL)
    return TRUE;
  return add (c, &url, kind, 0, NO_URL, error) != NO_URL;
}

gboolean
commit_given (Crawl *c, GError **error)
{
  for (char **p = c->settings->start; p && *p; p++)
    if (!add_given (c, *p, URL_PAGE, error))
      return FALSE;
  for (char **p = c->settings->sitemaps; p && *p; p++)
    if (!add_given (c, *p, URL_SITEMAP, error))
      return FALSE;
  return TRUE;
}

/* ---- the archive --------------------------------------------------------------------------- */

static gboolean
archive (Crawl *c, guint32 n, const Answer *answer, const Answer *earlier, GError **error)
{
  const Url *url = frontier_url (c->frontier, n);
  g_autofree char *via = NULL, *hops = NULL;

  if (c->archive == NULL || answer->status == 0)
    return TRUE;
  if (url->referrer != NO_URL && (via = frontier_text (c->frontier, url->referrer, error)) == NULL)
    return FALSE;
  hops = g_strnfill (url->depth, 'L');
  if (url->kind == URL_SITEMAP || url->hops)
    {
      g_autofree char *redirects = g_strnfill (url->hops, 'R');
      char *all = g_strconcat (hops, redirects, url->kind == URL_SITEMAP ? "M" : "", NULL);

      g_free (hops);
      hops = all;
    }
  if (answer->status == 304 && earlier && !c->since_stays)
    {
      /* The archive that holds it is about to be replaced by this one. */
      return warc_writer_put (c->archive, earlier, via, hops, NULL, error);
    }
  return warc_writer_put (c->archive, answer, via, hops, answer->status == 304 ? earlier : NULL,
                          error);
}

/* What is done once for a host, when the first of its URLs is committed: by then its robots.txt is
 * known. */
static gboolean
open_host (Crawl *c, guint32 n, GError **error)
{
  Host *host = hosts_get (c->hosts, frontier_url (c->frontier, n)->host);
  g_autoptr (Answer) robots = NULL;
  g_auto (NetUrl) base = { 0 };

  if (host->opened || c->settings->robots == ROBOTS_IGNORE)
    return TRUE;
  host->opened = TRUE;
  robots = fetch_robots_stored (c, host);
  if (robots == NULL)
    return TRUE;
  if (host->state == ROBOTS_UNKNOWN)
    hosts_take_robots (host, robots);
  if (c->archive && robots->status && !warc_writer_put (c->archive, robots, NULL, "P", NULL, error))
    return FALSE;
  if (host->robots == NULL || !c->settings->use_sitemaps
      || !net_url_parse (robots->url, strlen (robots->url), NULL, NULL, 0, &base, NULL))
    return TRUE;
  for (const char *const *p = robots_sitemaps (host->robots); *p; p++)
    {
      g_auto (NetUrl) url = { 0 };

      if (net_url_parse (*p, strlen (*p), &base, NULL, url_flags (c), &url, NULL)
          && is_wanted (c, &url, URL_SITEMAP)
          && add (c, &url, URL_SITEMAP, 0, NO_URL, error) == NO_URL)
        return FALSE;
    }
  return TRUE;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* URL @n and all that is told of it. */
typedef struct
{
  guint32 n;
  Url url; /* a copy: the frontier grows */
  Host *host;
  char *text;     /* the URL itself */
  char *origin;   /* where its redirects began */
  char *referrer; /* NULL: given */
  NetUrl parsed;
} At;

static void
at_clear (At *at)
{
  g_free (at->text);
  g_free (at->origin);
  g_free (at->referrer);
  net_url_clear (&at->parsed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (At, at_clear)

static gboolean
at_fill (Crawl *c, guint32 n, At *at, GError **error)
{
  at->n = n;
  at->url = *frontier_url (c->frontier, n);
  at->host = hosts_get (c->hosts, at->url.host);
  at->text = frontier_text (c->frontier, n, error);
  at->origin = at->text ? frontier_text (c->frontier, at->url.origin, error) : NULL;
  if (at->origin == NULL)
    return FALSE;
  if (at->url.referrer != NO_URL
      && (at->referrer = frontier_text (c->frontier, at->url.referrer, error)) == NULL)
    return FALSE;
  net_url_parse (at->text, strlen (at->text), NULL, NULL, 0, &at->parsed, NULL);
  return TRUE;
}

static void
reject (Crawl *c, At *at, const char *rule, const char *what, const char *more)
{
  at->host->rejected++;
  rows_reject (c->rows, at->text, rule, "%s%s%s%s%s", what, more && *more ? ": " : "",
               more ? more : "", at->referrer ? "; linked from " : "",
               at->referrer ? at->referrer : "");
}

static const char *
fault_rule (guint fault)
{
  switch ((NetFault) fault)
    {
    case NET_FAULT_RESOLVE:
      return "name_not_resolved";
    case NET_FAULT_CONNECT:
    case NET_FAULT_OTHER:
      return "not_reached";
    case NET_FAULT_REFUSED_ADDRESS:
      return "address_refused";
    case NET_FAULT_TLS:
      return "tls";
    case NET_FAULT_TIMEOUT:
    case NET_FAULT_STALLED:
      return "too_slow";
    case NET_FAULT_TOO_LARGE:
      return "too_large";
    case NET_FAULT_LENGTH:
      return "cut_short";
    case NET_FAULT_PROTOCOL:
    case NET_FAULT_REDIRECTS:
    case NET_FAULT_NONE:
    default:
      return "no_http";
    }
}

static FrFlow
commit_links (Crawl *c, At *at, const Page *page, GError **error)
{
  const TextContent *content = page->content;
  gboolean obey = c->settings->robots == ROBOTS_OBEY;
  g_auto (NetUrl) own = { 0 };
  const NetUrl *base = &at->parsed;

  if (content == NULL || content->n_links == 0)
    return FR_FLOW_OK;
  if (obey && (page->robots & TEXT_ROBOTS_NOFOLLOW))
    {
      fr_host_count (c->host, "pages_nofollow", 1);
      return FR_FLOW_OK;
    }
  if (at->url.depth >= c->settings->max_depth)
    {
      fr_host_count (c->host, "pages_at_max_depth", 1);
      return FR_FLOW_OK;
    }
  if (content->base.len
      && net_url_parse (content->base.data, content->base.len, base, NULL, 0, &own, NULL))
    base = &own;
  for (guint i = 0; i < content->n_links; i++)
    {
      const TextLink *link = &content->links[i];
      g_auto (NetUrl) url = { 0 };

      if (link->href.len == 0 || link->href.data[0] == '#')
        continue;
      if (obey && (link->flags & TEXT_LINK_NOFOLLOW))
        fr_host_count (c->host, "links_nofollow", 1);
      else if (!net_url_parse (link->href.data, link->href.len, base, page->charset, url_flags (c),
                               &url, NULL))
        fr_host_count (c->host, "links_not_http", 1);
      else if (is_wanted (c, &url, URL_PAGE)
               && add (c, &url, URL_PAGE, at->url.depth + 1u, at->n, error) == NO_URL)
        return FR_FLOW_ERROR;
    }
  return FR_FLOW_OK;
}

static FrFlow
commit_page (Crawl *c, At *at, const Answer *answer, gboolean unchanged, GError **error)
{
  g_autofree char *type = NULL;
  PageKind kind = page_kind (answer, &type);
  RowFacts facts = { at->origin, at->text, at->referrer, at->url.depth, unchanged };
  g_autoptr (Page) page = NULL;
  gboolean closed = FALSE;
  FrFlow flow;

  if (kind == PAGE_OTHER || kind == PAGE_XML)
    {
      fr_host_count (c->host, "pages_of_other_types", 1);
      return FR_FLOW_OK;
    }
  page = page_read (answer, at->text, c->settings);
  at->host->pages++;
  flow = rows_page (c->rows, answer, page, &facts, &closed, error);
  if (closed)
    {
      g_autofree char *shape = known_shape (at->text), *shown = net_url_display (shape);

      fr_host_count (c->host, "traps_closed", 1);
      fr_host_warn (c->host,
                    "%" G_GINT64_FORMAT
                    " pages in a row of the shape %s had nothing new to say: more of them are not "
                    "asked for (trap_pages)",
                    c->settings->trap_pages, shown);
    }
  return flow == FR_FLOW_OK ? commit_links (c, at, page, error) : flow;
}

static gboolean
is_redirect (const Answer *answer)
{
  return (answer->status == 301 || answer->status == 302 || answer->status == 303
          || answer->status == 307 || answer->status == 308)
         && answer_header (answer, "location");
}

static FrFlow
commit_redirect (Crawl *c, At *at, const Answer *answer, GError **error)
{
  const char *location = answer_header (answer, "location"), *why = NULL;
  g_auto (NetUrl) to = { 0 };
  guint32 n;

  /* Tracking parameters stay: a server may send on to its own address with one. */
  if (!net_url_parse (location, strlen (location), &at->parsed, NULL, 0, &to, &why))
    {
      reject (c, at, "redirect", "it leads to no address that can be asked", why);
      return FR_FLOW_OK;
    }
  n = frontier_find (c->frontier, to.text);
  if (n != NO_URL)
    {
      if (frontier_url (c->frontier, n)->origin == at->url.origin)
        reject (c, at, "redirect_loop", "it leads in a circle to", to.text);
      else
        fr_host_count (c->host, "redirects_to_known", 1);
      return FR_FLOW_OK;
    }
  if (at->url.hops >= c->settings->max_redirects)
    {
      reject (c, at, "redirect_loop",
              "it was redirected more often than max_redirects allows, at last to", to.text);
      return FR_FLOW_OK;
    }
  /* http://example.com leading to https://www.example.com is the same site. */
  if (at->url.depth == 0 && scope_check (c->scope, &to) == SCOPE_OUTSIDE
      && scope_add_redirect (c->scope, &at->parsed, &to))
    fr_host_info (c->host, "the crawl goes to %s, where a start URL leads", to.text);
  if (!is_wanted (c, &to, (UrlKind) at->url.kind))
    {
      fr_host_count (c->host, "redirects_not_followed", 1);
      return FR_FLOW_OK;
    }
  n = add (c, &to, (UrlKind) at->url.kind, at->url.depth, at->url.referrer, error);
  if (n == NO_URL)
    return FR_FLOW_ERROR;
  frontier_url (c->frontier, n)->origin = at->url.origin;
  frontier_url (c->frontier, n)->hops = (guint8) (at->url.hops + 1);
  return FR_FLOW_OK;
}

/* The last moment that @lastmod may mean: a day ends 36 hours after it began, west of all others.
 */
static gboolean
latest_of (const char *lastmod, gint64 *us)
{
  gsize len = lastmod != NULL ? strlen (lastmod) : 0;

  if (len == 0 || !fr_timestamp_parse (lastmod, len, us))
    return FALSE;
  if (strchr (lastmod, ':') == NULL)
    *us += 36 * G_TIME_SPAN_HOUR;
  return TRUE;
}

static gboolean
is_allowed (Crawl *c, const NetUrl *url)
{
  const Host *host = hosts_get (c->hosts, hosts_of (c->hosts, url));

  return c->settings->robots == ROBOTS_IGNORE
         || (host->state == ROBOTS_KNOWN
             && (host->robots == NULL
                 || robots_allows (host->robots, c->settings->agent,
                                   url->text + strlen (host->origin))));
}

/* A page that the sitemap says is as it was, under trust_lastmod: answered as the server would
 * have, into the store, where whatever asks finds it; also after a kill. */
static gboolean
answer_for (Crawl *c, const NetUrl *url, const char *lastmod, GError **error)
{
  g_autoptr (Answer) earlier = NULL, unchanged = NULL;
  gint64 latest;

  if (!c->settings->trust_lastmod || c->since == NULL || !store_has (c->since, url->text)
      || store_has (c->store, url->text) || !latest_of (lastmod, &latest) || !is_allowed (c, url))
    return TRUE;
  earlier = store_get (c->since, url->text, error);
  if (earlier == NULL)
    return FALSE;
  if (earlier->status < 200 || earlier->status > 299 || earlier->fetched <= latest)
    return TRUE;
  unchanged = g_new0 (Answer, 1);
  unchanged->url = g_strdup (url->text);
  unchanged->status = 304;
  unchanged->fetched = earlier->fetched; /* it was not asked for since */
  unchanged->message = g_strdup (TRUSTED);
  unchanged->body = g_byte_array_new ();
  return store_put (c->store, unchanged, error);
}

static FrFlow
commit_sitemap (Crawl *c, At *at, const Answer *answer, GError **error)
{
  g_autoptr (GByteArray) plain = NULL;
  g_autoptr (GString) text = NULL;
  g_autoptr (Sitemap) sitemap = NULL;
  g_autoptr (GError) failure = NULL;
  const char *charset, *how;
  guint64 replaced;
  gboolean cut = FALSE;

  plain = sitemap_unpack (answer->body->data, answer->body->len, &cut, &failure);
  if (plain == NULL)
    {
      reject (c, at, "sitemap", "the sitemap cannot be unpacked", failure->message);
      return FR_FLOW_OK;
    }
  text = page_decode (plain, NULL, &charset, &how, &replaced);
  sitemap = sitemap_parse ((FrStr){ text->str, text->len });
  if (sitemap == NULL)
    {
      reject (c, at, "sitemap", "this is no sitemap", NULL);
      return FR_FLOW_OK;
    }
  fr_host_count (c->host, "sitemaps_read", 1);
  if (sitemap->fault || cut || answer->cut)
    {
      g_autofree char *shown = net_url_display (at->text);

      fr_host_count (c->host, "sitemaps_damaged", 1);
      fr_host_warn (c->host, "the sitemap %s is not as it should be: %s", shown,
                    sitemap->fault ? sitemap->fault
                                   : "it is larger than 50 MiB; the rest was not read");
    }
  for (guint i = 0; i < sitemap->entries->len; i++)
    {
      const SitemapEntry *entry = &g_array_index (sitemap->entries, SitemapEntry, i);
      UrlKind kind = sitemap->is_index ? URL_SITEMAP : URL_PAGE;
      guint depth = sitemap->is_index ? at->url.depth + 1u : 0;
      g_auto (NetUrl) url = { 0 };

      if (sitemap->is_index && at->url.depth >= SITEMAP_DEPTH)
        fr_host_count (c->host, "sitemaps_too_deep", 1);
      else if (!net_url_parse (entry->url, strlen (entry->url), &at->parsed, NULL, url_flags (c),
                               &url, NULL))
        fr_host_count (c->host, "links_not_http", 1);
      else if (is_wanted (c, &url, kind)
               && ((kind == URL_PAGE && !answer_for (c, &url, entry->lastmod, error))
                   || add (c, &url, kind, depth, at->n, error) == NO_URL))
        return FR_FLOW_ERROR;
    }
  return FR_FLOW_OK;
}

static FrFlow
commit_answer (Crawl *c, At *at, GError **error)
{
  g_autoptr (Answer) answer = fetch_answer (c, at->n, error), earlier = NULL;
  gboolean page = at->url.kind == URL_PAGE;

  if (answer == NULL)
    return FR_FLOW_ERROR;
  if (answer->status == 304 && c->since && store_has (c->since, at->text)
      && (earlier = store_get (c->since, at->text, error)) == NULL)
    return FR_FLOW_ERROR;
  if (!archive (c, at->n, answer, earlier, error))
    return FR_FLOW_ERROR;
  if (answer->status == 304 && g_strcmp0 (answer->message, TRUSTED) == 0)
    fr_host_count (c->host, "pages_trusted", 1);
  if (answer->fault)
    {
      reject (c, at, fault_rule (answer->fault), answer->message ? answer->message : "no answer",
              NULL);
      return FR_FLOW_OK;
    }
  if (is_redirect (answer))
    return commit_redirect (c, at, answer, error);
  if (answer->status != 304 || earlier == NULL)
    if (answer->status < 200 || answer->status > 299)
      {
        g_autofree char *status = g_strdup_printf ("status %u", answer->status);

        reject (c, at, "http_status", status, NULL);
        return FR_FLOW_OK;
      }
  if (!page)
    return commit_sitemap (c, at, answer, error);
  c->pages++;
  c->bytes += answer->body->len;
  if (earlier)
    {
      earlier->fetched = answer->fetched;
      return commit_page (c, at, earlier, TRUE, error);
    }
  return commit_page (c, at, answer, FALSE, error);
}

static void
commit_skipped (Crawl *c, At *at)
{
  switch ((Skip) at->url.why)
    {
    case SKIP_ROBOTS:
      fr_host_count (c->host, "urls_forbidden_by_robots", 1);
      if (at->referrer == NULL)
        {
          g_autofree char *shown = net_url_display (at->text);

          fr_host_warn (c->host, "the robots.txt of %s forbids the start URL %s", at->host->origin,
                        shown);
        }
      return;
    case SKIP_ROBOTS_UNREACHABLE:
      if (at->host->robots_fault == NET_FAULT_REFUSED_ADDRESS)
        reject (c, at, "address_refused", at->host->robots_why, NULL);
      else
        reject (c, at, "robots_unreachable",
                "the robots.txt of its host cannot be had, which forbids everything",
                at->host->robots_why);
      return;
    case SKIP_HOST_DOWN:
      reject (c, at, "host_down", "its host failed too often and was asked no more", NULL);
      return;
    case SKIP_LIMIT:
    case SKIP_NONE:
    default:
      fr_host_count (c->host, "urls_left_over", 1);
      return;
    }
}

FrFlow
commit_one (Crawl *c, GError **error)
{
  g_auto (At) at = { 0 };
  guint32 n = c->next++;

  fetch_passed (c, n);
  if (!at_fill (c, n, &at, error) || !open_host (c, n, error))
    return FR_FLOW_ERROR;
  if (at.url.state == URL_ANSWERED)
    return commit_answer (c, &at, error);
  commit_skipped (c, &at);
  return FR_FLOW_OK;
}
