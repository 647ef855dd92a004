/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c: what is asked for, when, and what becomes of the answer; see crawl.h.
 *
 * Politeness: Heritrix's rule (delay_factor times as long as the answer took,
 * between min_delay and max_delay), Crawl-delay and Retry-After, per name.
 */
#include "config.h"

#include "crawl.h"
#include "sitemap.h"

#include <string.h>

#define CACHE (64 * 1024 * 1024)
#define ROBOTS_HOPS 5 /* RFC 9309, 2.3.1.2 */

/* What a transfer is for: a URL by number + 1, or a host's robots.txt by the host's number with the
 * top bit. */
#define TAG_ROBOTS (G_GUINT64_CONSTANT (1) << 40)

static gpointer
tag_of (guint64 value)
{
  return GSIZE_TO_POINTER ((gsize) value);
}

/* ---- asking ------------------------------------------------------------------------ */

static char **
headers_for (Crawl *c, const char *url, gboolean conditional, GError **error)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_autoptr (Answer) earlier = NULL;

  g_strv_builder_add (lines, "Accept: text/html, application/xhtml+xml, text/plain;q=0.9, "
                             "application/xml;q=0.8, */*;q=0.1");
  for (FrPair *p = c->settings->headers; p && p->key; p++)
    {
      g_autofree char *line = g_strdup_printf ("%s: %s", p->key, p->value);

      g_strv_builder_add (lines, line);
    }
  if (conditional && c->since && store_has (c->since, url))
    {
      const char *etag, *modified;

      earlier = store_get (c->since, url, error);
      if (earlier == NULL)
        return NULL;
      etag = answer_header (earlier, "etag");
      modified = answer_header (earlier, "last-modified");
      if (etag)
        {
          g_autofree char *line = g_strconcat ("If-None-Match: ", etag, NULL);

          g_strv_builder_add (lines, line);
        }
      if (modified)
        {
          g_autofree char *line = g_strconcat ("If-Modified-Since: ", modified, NULL);

          g_strv_builder_add (lines, line);
        }
    }
  return g_strv_builder_end (lines);
}

static gboolean
ask (Crawl *c, const char *url, gpointer tag, guint64 max_body, gboolean cut, gboolean conditional,
     GError **error)
{
  g_auto (GStrv) headers = headers_for (c, url, conditional, error);
  NetRequest request
      = { .url = url, .headers = (const char *const *) headers, .max_body = max_body, .cut = cut };
  g_auto (NetUrl) parsed = { 0 };

  if (headers == NULL)
    return FALSE;
  if (c->settings->bearer && net_url_parse (url, strlen (url), NULL, NULL, 0, &parsed, NULL)
      && scope_is_given (c->scope, &parsed))
    request.bearer = c->settings->bearer;
  return net_client_start (c->client, &request, tag, error);
}

static gboolean
ask_robots (Crawl *c, Host *host, guint32 number, GError **error)
{
  host->state = ROBOTS_ASKED;
  host->pace->active++;
  return ask (c, host->robots_at, tag_of (TAG_ROBOTS + number), ROBOTS_MAX + 1, TRUE, FALSE, error);
}

static gboolean
ask_url (Crawl *c, Host *host, guint32 n, GError **error)
{
  g_autofree char *text = frontier_text (c->frontier, n, error);
  Url *url = frontier_url (c->frontier, n);

  if (text == NULL)
    return FALSE;
  url->state = URL_ASKED;
  url->tries++;
  host->pace->active++;
  if (url->kind == URL_SITEMAP)
    return ask (c, text, tag_of ((guint64) n + 1), SITEMAP_BYTES, TRUE, FALSE, error);
  return ask (c, text, tag_of ((guint64) n + 1), c->settings->max_page, FALSE, TRUE, error);
}

/* ---- whether and when ----------------------------------------------------------------- */

static void
skip (Crawl *c, guint32 n, Skip why)
{
  Url *url = frontier_url (c->frontier, n);

  url->state = URL_SKIPPED;
  url->why = (guint8) why;
}

static void
skip_all (Crawl *c, Host *host, Skip why)
{
  for (guint32 n; (n = hosts_pop (c->hosts, host)) != NO_URL;)
    skip (c, n, why);
}

/* TRUE when the rules of @host are known; otherwise they are asked for as soon as the pace permits.
 */
static gboolean
robots_ready (Crawl *c, Host *host, guint32 number, gboolean may_ask, GError **error)
{
  g_autoptr (Answer) stored = NULL;

  if (c->settings->robots == ROBOTS_IGNORE)
    return TRUE;
  if ((host->state == ROBOTS_KNOWN || host->state == ROBOTS_UNREACHABLE)
      && host->robots_until > g_get_real_time ())
    return TRUE;
  if (host->state == ROBOTS_UNKNOWN && (stored = fetch_robots_stored (c, host)) != NULL
      && stored->fetched + G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC > g_get_real_time ())
    {
      hosts_take_robots (host, stored);
      return TRUE;
    }
  if (host->state != ROBOTS_ASKED && may_ask)
    {
      /* Asked anew after 24 hours: from where they are, not from where the last redirect led. */
      if (host->robots_hops == 0 && host->robots_tries == 0)
        {
          g_free (host->robots_at);
          host->robots_at = g_strconcat (host->origin, "/robots.txt", NULL);
        }
      ask_robots (c, host, number, error);
    }
  return FALSE;
}

/* FALSE: not to be asked for, and why is noted. */
static gboolean
permitted (Crawl *c, Host *host, guint32 n, GError **error)
{
  g_autofree char *text = NULL;

  if (c->settings->robots == ROBOTS_IGNORE)
    return TRUE;
  if (host->state == ROBOTS_UNREACHABLE)
    {
      skip (c, n, SKIP_ROBOTS_UNREACHABLE);
      return FALSE;
    }
  if (host->robots == NULL)
    return TRUE;
  text = frontier_text (c->frontier, n, error);
  if (text == NULL)
    return FALSE;
  if (robots_allows (host->robots, c->settings->agent, text + strlen (host->origin)))
    return TRUE;
  skip (c, n, SKIP_ROBOTS);
  return FALSE;
}

static gboolean
has_room (const Crawl *c)
{
  return !c->stopping && net_client_running (c->client) < (guint) c->settings->connections;
}

static void
move_horizon (Crawl *c)
{
  guint64 wanted = c->settings->max_pages ? (guint64) c->settings->max_pages
                                                - MIN (c->pages, (guint64) c->settings->max_pages)
                                          : G_MAXUINT64;

  c->horizon = MAX (c->horizon, c->next);
  while (c->horizon < frontier_size (c->frontier) && c->window < wanted)
    c->window += frontier_url (c->frontier, c->horizon++)->kind == URL_PAGE;
}

void
fetch_passed (Crawl *c, guint32 n)
{
  if (n < c->horizon)
    c->window -= frontier_url (c->frontier, n)->kind == URL_PAGE;
}

/* Everything that @host may be asked now; @wake: when it may be asked again. */
static gboolean
start_host (Crawl *c, Host *host, gint64 now, gint64 *wake, GError **error)
{
  guint32 number = frontier_url (c->frontier, host->first)->host;

  while (host->first != NO_URL && host->first < c->horizon && has_room (c))
    {
      gboolean free_hand = host->pace->active < (guint) c->settings->host_connections
                           && host->pace->next_at <= now;
      guint32 n;

      if (host->pace->down)
        {
          skip_all (c, host, SKIP_HOST_DOWN);
          return TRUE;
        }
      if (!robots_ready (c, host, number, free_hand, error))
        {
          if (error && *error)
            return FALSE;
          break;
        }
      n = hosts_pop (c->hosts, host);
      if (!permitted (c, host, n, error))
        {
          if (error && *error)
            return FALSE;
          continue;
        }
      if (!free_hand)
        {
          hosts_queue (c->hosts, n, TRUE);
          break;
        }
      if (!ask_url (c, host, n, error))
        return FALSE;
    }
  if (host->first != NO_URL && host->first < c->horizon
      && host->pace->active < (guint) c->settings->host_connections && host->pace->next_at > now)
    *wake = *wake < 0 ? host->pace->next_at - now : MIN (*wake, host->pace->next_at - now);
  return TRUE;
}

gboolean
fetch_start (Crawl *c, gint64 *wake, GError **error)
{
  GPtrArray *busy = hosts_busy (c->hosts);
  gint64 now = g_get_monotonic_time ();
  GError *failure = NULL;

  *wake = -1;
  move_horizon (c);
  for (guint i = 0; i < busy->len && !c->stopping; i++)
    {
      Host *host = g_ptr_array_index (busy, i);

      if (host->first != NO_URL && !start_host (c, host, now, wake, &failure))
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
    }
  return TRUE;
}

void
fetch_stop (Crawl *c, const char *counter)
{
  GPtrArray *busy = hosts_busy (c->hosts);

  if (!c->stopping)
    fr_host_count (c->host, counter, 1);
  c->stopping = TRUE;
  for (guint i = 0; i < busy->len; i++)
    skip_all (c, g_ptr_array_index (busy, i), SKIP_LIMIT);
}

/* ---- what came --------------------------------------------------------------------------- */

static Answer *
to_answer (NetReply *reply, const char *url)
{
  Answer *answer = g_new0 (Answer, 1);
  GString *headers = g_string_new (NULL);

  for (guint i = 0; i < reply->headers->len; i++)
    {
      const char *text = g_ptr_array_index (reply->headers, i);

      g_string_append_len (headers, text, (gssize) strlen (text) + 1);
    }
  answer->url = g_strdup (url);
  answer->status = reply->status;
  answer->fault = reply->fault;
  answer->fetched = reply->started;
  answer->duration = reply->duration;
  answer->headers_len = headers->len;
  answer->headers = g_string_free (headers, FALSE);
  answer->message = reply->error ? g_strdup (reply->error->message) : NULL;
  answer->body = g_byte_array_ref (reply->body);
  answer->cut = reply->cut;
  return answer;
}

static gboolean
keep (Crawl *c, guint32 n, Answer *answer, GError **error)
{
  gsize size = answer->body->len + answer->headers_len + 512;

  if (!store_put (c->store, answer, error))
    return FALSE;
  if (c->cached + size > CACHE)
    return TRUE;
  c->cached += size;
  g_hash_table_insert (c->cache, GUINT_TO_POINTER (n), answer);
  return TRUE;
}

/* The host is left alone for a while, and is down after too many failures in a row. */
static void
pace (Crawl *c, Host *host, const NetReply *reply, gint64 least)
{
  gint64 delay = MAX (hosts_delay (c->hosts, host, reply->duration), least);

  host->pace->active--;
  host->pace->next_at = MAX (host->pace->next_at, g_get_monotonic_time () + delay);
  if (reply->status == 0 && reply->fault != NET_FAULT_TOO_LARGE)
    host->pace->failures++;
  else
    host->pace->failures = 0;
  if (host->pace->failures >= (guint) c->settings->host_failures && !host->pace->down)
    {
      host->pace->down = TRUE;
      fr_host_warn (c->host, "%s failed %u times in a row and is asked no more", host->pace->name,
                    host->pace->failures);
    }
}

/* How long to wait before asking again; 0: it is not to be asked again. */
static gint64
again_after (Crawl *c, const NetReply *reply, guint tries, guint64 seed)
{
  gint64 asked = net_reply_retry_after (reply);

  if (!net_reply_is_transient (reply) || tries > (guint) c->settings->retries
      || asked > c->settings->max_retry_wait)
    return 0;
  fr_host_count (c->host, reply->status == 429 ? "retries_after_429" : "retries", 1);
  return MAX (net_backoff (tries, MAX (G_USEC_PER_SEC / 2, c->settings->min_delay),
                           c->settings->max_retry_wait, seed),
              MAX (asked, 1));
}

static gboolean
take_robots (Crawl *c, Host *host, NetReply *reply, GError **error)
{
  const char *location = net_reply_header (reply, "location");
  g_autofree char *key = g_strconcat (host->origin, "/robots.txt", NULL);
  g_autoptr (Answer) answer = NULL;
  gint64 wait;

  if (reply->status >= 300 && reply->status < 400 && location && host->robots_hops < ROBOTS_HOPS)
    {
      g_auto (NetUrl) from = { 0 }, to = { 0 };

      if (net_url_parse (reply->url, strlen (reply->url), NULL, NULL, 0, &from, NULL)
          && net_url_parse (location, strlen (location), &from, NULL, 0, &to, NULL))
        {
          host->robots_hops++;
          g_free (host->robots_at);
          host->robots_at = g_strdup (to.text);
          host->pace->active--;
          host->state = ROBOTS_UNKNOWN;
          return TRUE;
        }
    }
  wait = again_after (c, reply, ++host->robots_tries, g_str_hash (host->origin));
  pace (c, host, reply, wait);
  if (wait > 0 && !host->pace->down)
    {
      host->state = ROBOTS_UNKNOWN;
      return TRUE;
    }
  answer = to_answer (reply, key);
  if (!store_put (c->store, answer, error))
    return FALSE;
  hosts_take_robots (host, answer);
  fr_host_count (c->host, "robots_fetched", 1);
  if (host->state == ROBOTS_UNREACHABLE)
    {
      fr_host_count (c->host, "robots_unreachable", 1);
      fr_host_warn (
          c->host,
          "the robots.txt of %s cannot be had: nothing there is asked for (RFC 9309, 2.3.1.4): "
          "%s%s",
          host->origin, host->robots_why,
          host->robots_fault == NET_FAULT_REFUSED_ADDRESS ? "; 'allow_private' allows them" : "");
    }
  if (host->robots && robots_was_cut (host->robots))
    fr_host_count (c->host, "robots_cut_at_500_KiB", 1);
  return TRUE;
}

static gboolean
take_url (Crawl *c, guint32 n, NetReply *reply, GError **error)
{
  Url *url = frontier_url (c->frontier, n);
  Host *host = hosts_get (c->hosts, url->host);
  gint64 wait = again_after (c, reply, url->tries, n);
  g_autofree char *text = NULL;
  g_autoptr (Answer) answer = NULL;

  pace (c, host, reply, wait);
  host->bytes += reply->body->len;
  if (wait > 0 && !host->pace->down && !c->stopping)
    {
      hosts_queue (c->hosts, n, TRUE);
      return TRUE;
    }
  text = frontier_text (c->frontier, n, error);
  if (text == NULL)
    return FALSE;
  answer = to_answer (reply, text);
  url->state = URL_ANSWERED;
  if (!keep (c, n, answer, error))
    return FALSE;
  if (g_hash_table_contains (c->cache, GUINT_TO_POINTER (n)))
    g_steal_pointer (&answer);
  return TRUE;
}

gboolean
fetch_take (Crawl *c, NetReply *reply, GError **error)
{
  guint64 tag = GPOINTER_TO_SIZE (reply->tag);
  gboolean ok;

  if (tag >= TAG_ROBOTS)
    ok = take_robots (c, hosts_get (c->hosts, (guint32) (tag - TAG_ROBOTS)), reply, error);
  else
    ok = take_url (c, (guint32) (tag - 1), reply, error);
  net_reply_free (reply);
  return ok;
}

Answer *
fetch_answer (Crawl *c, guint32 n, GError **error)
{
  Answer *answer = NULL;
  g_autofree char *text = NULL;

  if (g_hash_table_steal_extended (c->cache, GUINT_TO_POINTER (n), NULL, (gpointer *) &answer))
    {
      c->cached -= answer->body->len + answer->headers_len + 512;
      return answer;
    }
  text = frontier_text (c->frontier, n, error);
  return text ? store_get (c->store, text, error) : NULL;
}

Answer *
fetch_robots_stored (Crawl *c, const Host *host)
{
  g_autofree char *key = g_strconcat (host->origin, "/robots.txt", NULL);

  return store_has (c->store, key) ? store_get (c->store, key, NULL) : NULL;
}
