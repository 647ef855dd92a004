/* SPDX-License-Identifier: Apache-2.0 */
/* crawl.c: the loop of fetching and committing, and what is told of it; see crawl.h. */
#include "config.h"

#include "crawl.h"

#include <string.h>

static NetClient *
new_client (const Settings *s, const char *user_agent, GError **error)
{
  NetOptions options = { .user_agent = user_agent,
                         .allow_private = s->allow_private,
                         .proxy = s->proxy,
                         .ca_file = s->ca_file,
                         .timeout = s->timeout,
                         .stall_timeout = s->stall_timeout,
                         .max_body = s->max_page,
                         .connections = (guint) s->connections,
                         .host_connections = (guint) s->host_connections };

  return net_client_new (&options, error);
}

/* The earlier archives still hold what they hold when this one replaces none of them. */
static gboolean
stays (const Settings *s)
{
  for (char **p = s->since; s->archive && p && *p; p++)
    if (g_str_equal (*p, s->archive))
      return FALSE;
  return TRUE;
}

Crawl *
crawl_new (const Settings *settings, FrHost *host, GError **error)
{
  g_autoptr (Crawl) c = g_new0 (Crawl, 1);
  const char *kept = fr_host_checkpoint_dir (host, error),
             *spill = kept ? fr_host_spill_dir (host, error) : NULL;
  guint64 bytes;

  c->settings = settings;
  c->host = host;
  c->started = g_get_monotonic_time ();
  c->cache = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) answer_free);
  c->user_agent = g_strdup_printf (
      "%s/%s%s%s%s", settings->agent, PACKAGE_VERSION, settings->contact ? " (+" : "",
      settings->contact ? settings->contact : "", settings->contact ? ")" : "");
  if (spill == NULL || (c->store = store_open (kept, FALSE, error)) == NULL
      || (c->frontier = frontier_new (spill, error)) == NULL
      || (c->client = new_client (settings, c->user_agent, error)) == NULL)
    return NULL;
  if (settings->since && *settings->since)
    {
      c->since = replay_load (settings->since, spill, host, error);
      if (c->since == NULL)
        return NULL;
      c->since_stays = stays (settings);
    }
  if (settings->archive)
    {
      c->archive = warc_writer_new (settings->archive, c->user_agent,
                                    settings->robots == ROBOTS_OBEY ? "obey" : "ignore",
                                    fr_host_cancellable (host), error);
      if (c->archive == NULL)
        return NULL;
    }
  c->hosts = hosts_new (settings, c->frontier);
  c->scope = scope_new (settings);
  c->rows = rows_new (settings, host);
  if (store_count (c->store, &bytes) > 0)
    fr_host_info (host, "going on with %" G_GUINT64_FORMAT " answers that were fetched before",
                  store_count (c->store, &bytes));
  if (settings->robots == ROBOTS_IGNORE)
    fr_host_warn (
        host, "robots.txt and robots meta elements are not obeyed, because the pipeline says so");
  return g_steal_pointer (&c);
}

void
crawl_free (Crawl *c)
{
  if (c == NULL)
    return;
  net_client_free (c->client);
  warc_writer_free (c->archive);
  rows_free (c->rows);
  scope_free (c->scope);
  hosts_free (c->hosts);
  frontier_free (c->frontier);
  store_free (c->since);
  store_free (c->store);
  if (c->cache)
    g_hash_table_unref (c->cache);
  g_free (c->user_agent);
  g_free (c);
}

/* ---- limits -------------------------------------------------------------------------- */

static gboolean
is_settled (const Crawl *c)
{
  const Url *url
      = c->next < frontier_size (c->frontier) ? frontier_url (c->frontier, c->next) : NULL;

  return url && (url->state == URL_ANSWERED || url->state == URL_SKIPPED);
}

static void
look_at_limits (Crawl *c)
{
  const Settings *s = c->settings;

  if (c->stopping)
    return;
  if (s->max_pages && c->pages >= (guint64) s->max_pages)
    fetch_stop (c, "stopped_at_max_pages");
  else if (s->max_bytes && c->bytes >= s->max_bytes)
    fetch_stop (c, "stopped_at_max_bytes");
  else if (s->max_time && g_get_monotonic_time () - c->started > s->max_time)
    fetch_stop (c, "stopped_at_max_time");
}

/* Pages that are answered count for nothing any more once a limit in pages or bytes is reached. */
static gboolean
is_over (const Crawl *c)
{
  const Settings *s = c->settings;

  return (s->max_pages && c->pages >= (guint64) s->max_pages)
         || (s->max_bytes && c->bytes >= s->max_bytes);
}

/* ---- telling --------------------------------------------------------------------------- */

static void
tell (Crawl *c)
{
  guint32 known = frontier_size (c->frontier);
  double seconds = (double) (g_get_monotonic_time () - c->started) / G_USEC_PER_SEC;
  guint64 total = known;

  if (c->settings->max_pages)
    total = MIN (total, (guint64) c->settings->max_pages);
  fr_host_progress (c->host, MIN (c->next, total), total, "pages");
  fr_host_status (c->host, "%" G_GUINT64_FORMAT " pages, %.1f/s, %u URLs known, %u under way",
                  c->pages, (double) c->pages / MAX (seconds, 0.001), known,
                  net_client_running (c->client));
}

static const char *
robots_text (const Host *host)
{
  switch (host->state)
    {
    case ROBOTS_KNOWN:
      return host->robots ? "read" : "there is none";
    case ROBOTS_UNREACHABLE:
      return "unreachable: everything forbidden";
    case ROBOTS_UNKNOWN:
    case ROBOTS_ASKED:
    default:
      return "not asked";
    }
}

static const FrViewWord chinese[] = {
  { "Crawl", "抓取" },
  { "pages fetched", "抓取的网页" },
  { "rows", "行数" },
  { "URLs known", "已知网址" },
  { "Hosts", "主机" },
  { "host", "主机" },
  { "pages", "网页" },
  { "rejected", "被拒绝" },
  { "robots.txt", "robots.txt" },
  { "read", "已读取" },
  { "there is none", "不存在" },
  { "unreachable: everything forbidden", "无法访问：全部视为禁止" },
  { "not asked", "未请求" },
  { "The first 100 hosts; report.json has them all.", "仅显示前 100 个主机，全部见 report.json。" },
  { NULL, NULL },
};

static void
report (Crawl *c)
{
  g_autoptr (FrViews) views = fr_views_new ();
  g_autoptr (JsonBuilder) b = json_builder_new ();

  fr_views_translate (views, "zh", chinese);
  fr_views_begin (views, FR_VIEW_FIGURES, "Crawl");
  fr_views_add_figure (views, "pages fetched", (double) c->pages, NULL);
  fr_views_add_figure (views, "rows", (double) rows_count (c->rows), NULL);
  fr_views_add_figure (views, "URLs known", frontier_size (c->frontier), NULL);
  fr_views_begin (views, FR_VIEW_TABLE, "Hosts");
  fr_views_add_column (views, "host", FR_VIEW_TEXT);
  fr_views_add_column (views, "pages", FR_VIEW_BAR);
  fr_views_add_column (views, "rejected", FR_VIEW_NUMBER);
  fr_views_add_column (views, "robots.txt", FR_VIEW_TEXT);
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "robots");
  json_builder_add_string_value (b, c->settings->robots == ROBOTS_OBEY ? "obeyed" : "ignored");
  json_builder_set_member_name (b, "hosts");
  json_builder_begin_array (b);
  for (guint i = 0; i < hosts_size (c->hosts); i++)
    {
      const Host *host = hosts_get (c->hosts, i);

      if (i < 100)
        {
          fr_views_begin_row (views, NULL, NULL);
          fr_views_add_cell (views, host->origin);
          fr_views_add_number (views, (double) host->pages);
          fr_views_add_number (views, (double) host->rejected);
          fr_views_add_word (views, robots_text (host));
        }
      json_builder_begin_object (b);
      json_builder_set_member_name (b, "origin");
      json_builder_add_string_value (b, host->origin);
      json_builder_set_member_name (b, "pages");
      json_builder_add_int_value (b, (gint64) host->pages);
      json_builder_set_member_name (b, "rejected");
      json_builder_add_int_value (b, (gint64) host->rejected);
      json_builder_set_member_name (b, "bytes");
      json_builder_add_int_value (b, (gint64) host->bytes);
      json_builder_set_member_name (b, "robots");
      json_builder_add_string_value (b, robots_text (host));
      json_builder_set_member_name (b, "robots_status");
      json_builder_add_int_value (b, host->robots_status);
      json_builder_end_object (b);
    }
  json_builder_end_array (b);
  json_builder_end_object (b);
  if (hosts_size (c->hosts) > 100)
    fr_views_note (views, "The first 100 hosts; report.json has them all.");
  fr_host_report (c->host, "crawl", json_builder_get_root (b));
  fr_host_report (c->host, "views", fr_views_to_json (views));
}

/* ---- the loop ------------------------------------------------------------------------------ */

/* All that is settled, in order, but not longer than a moment: the transfers want to be looked at.
 */
static FrFlow
commit_settled (Crawl *c, GError **error)
{
  gint64 until = g_get_monotonic_time () + 20000;

  while (is_settled (c) && !is_over (c))
    {
      FrFlow flow = commit_one (c, error);

      if (flow != FR_FLOW_OK)
        return flow;
      if (g_get_monotonic_time () > until)
        break;
    }
  return FR_FLOW_OK;
}

static FrFlow
take_replies (Crawl *c, gint64 wait, GError **error)
{
  GError *failure = NULL;
  NetReply *reply = net_client_wait (c->client, wait, fr_host_cancellable (c->host), &failure);

  while (reply)
    {
      if (!fetch_take (c, reply, error))
        return FR_FLOW_ERROR;
      reply = net_client_wait (c->client, 0, NULL, NULL);
    }
  if (failure == NULL)
    return FR_FLOW_OK;
  g_error_free (failure);
  return FR_FLOW_CANCELLED;
}

static FrFlow
step (Crawl *c, GError **error)
{
  gint64 wake = -1, wait;
  FrFlow flow = commit_settled (c, error);

  if (flow != FR_FLOW_OK)
    return flow;
  look_at_limits (c);
  if (!c->stopping && !fetch_start (c, &wake, error))
    return FR_FLOW_ERROR;
  tell (c);
  if (is_settled (c) && !is_over (c))
    wait = 0;
  else
    wait = wake < 0 ? G_USEC_PER_SEC : MIN (wake, G_USEC_PER_SEC);
  if (net_client_running (c->client) > 0)
    return take_replies (c, wait, error);
  if (wake < 0 && !is_settled (c) && c->next < frontier_size (c->frontier))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the crawl waits for nothing at URL %u of %u", c->next,
                   frontier_size (c->frontier));
      return FR_FLOW_ERROR;
    }
  if (wait > 0 && !fr_host_sleep (c->host, wait))
    return FR_FLOW_CANCELLED;
  return fr_host_is_cancelled (c->host) ? FR_FLOW_CANCELLED : FR_FLOW_OK;
}

static gboolean
is_done (const Crawl *c)
{
  if (is_over (c))
    return net_client_running (c->client) == 0;
  return c->next == frontier_size (c->frontier);
}

FrFlow
crawl_run (Crawl *c, GError **error)
{
  FrFlow flow = FR_FLOW_OK;

  if (!commit_given (c, error))
    return FR_FLOW_ERROR;
  while (flow == FR_FLOW_OK && !is_done (c))
    flow = step (c, error);
  if (flow != FR_FLOW_OK && flow != FR_FLOW_DONE)
    return flow;
  if (c->next < frontier_size (c->frontier))
    fr_host_count (c->host, "urls_left_over", frontier_size (c->frontier) - c->next);
  if (flow == FR_FLOW_OK)
    flow = rows_flush (c->rows, error);
  fr_host_count (c->host, "urls_known", frontier_size (c->frontier));
  report (c);
  return flow;
}
