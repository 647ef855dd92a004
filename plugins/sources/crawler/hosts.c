/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.c: see hosts.h. */
#include "config.h"

#include "hosts.h"

#include <string.h>

#define BELIEVED (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)

struct _Hosts
{
  const Settings *settings;
  Frontier *frontier;
  GPtrArray *all;
  GHashTable *by_origin; /* origin → number + 1 */
  GHashTable *paces;
  GPtrArray *busy;
};

static void
host_free (gpointer data)
{
  Host *host = data;

  g_free (host->origin);
  g_free (host->robots_at);
  g_free (host->robots_why);
  robots_free (host->robots);
  g_free (host);
}

static void
pace_free (gpointer data)
{
  Pace *pace = data;

  g_free (pace->name);
  g_free (pace);
}

Hosts *
hosts_new (const Settings *settings, Frontier *frontier)
{
  Hosts *hosts = g_new0 (Hosts, 1);

  hosts->settings = settings;
  hosts->frontier = frontier;
  hosts->all = g_ptr_array_new_with_free_func (host_free);
  hosts->by_origin = g_hash_table_new (g_str_hash, g_str_equal);
  hosts->paces = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, pace_free);
  hosts->busy = g_ptr_array_new ();
  return hosts;
}

void
hosts_free (Hosts *hosts)
{
  if (hosts == NULL)
    return;
  g_ptr_array_unref (hosts->busy);
  g_hash_table_unref (hosts->by_origin);
  g_ptr_array_unref (hosts->all);
  g_hash_table_unref (hosts->paces);
  g_free (hosts);
}

guint
hosts_size (const Hosts *hosts)
{
  return hosts->all->len;
}

Host *
hosts_get (Hosts *hosts, guint32 n)
{
  return g_ptr_array_index (hosts->all, n);
}

static Pace *
pace_of (Hosts *hosts, const char *name)
{
  Pace *pace = g_hash_table_lookup (hosts->paces, name);

  if (pace == NULL)
    {
      pace = g_new0 (Pace, 1);
      pace->name = g_strdup (name);
      g_hash_table_insert (hosts->paces, pace->name, pace);
    }
  return pace;
}

guint32
hosts_of (Hosts *hosts, const NetUrl *url)
{
  g_autofree char *origin = g_strndup (url->text, url->path);
  g_autofree char *name = g_strndup (url->text + url->host, url->host_len);
  guint32 n = GPOINTER_TO_UINT (g_hash_table_lookup (hosts->by_origin, origin));
  Host *host;

  if (n > 0)
    return n - 1;
  host = g_new0 (Host, 1);
  host->pace = pace_of (hosts, name);
  host->first = host->last = NO_URL;
  host->robots_at = g_strconcat (origin, "/robots.txt", NULL);
  host->origin = g_steal_pointer (&origin);
  g_ptr_array_add (hosts->all, host);
  g_hash_table_insert (hosts->by_origin, host->origin, GUINT_TO_POINTER (hosts->all->len));
  return hosts->all->len - 1;
}

/* ---- queues ---------------------------------------------------------------------- */

void
hosts_queue (Hosts *hosts, guint32 n, gboolean front)
{
  Url *url = frontier_url (hosts->frontier, n);
  Host *host = hosts_get (hosts, url->host);

  url->state = URL_WAITING;
  if (front)
    {
      url->next = host->first;
      host->first = n;
      if (host->last == NO_URL)
        host->last = n;
    }
  else
    {
      url->next = NO_URL;
      if (host->last != NO_URL)
        frontier_url (hosts->frontier, host->last)->next = n;
      else
        host->first = n;
      host->last = n;
    }
  if (!host->in_list)
    {
      host->in_list = TRUE;
      g_ptr_array_add (hosts->busy, host);
    }
}

guint32
hosts_pop (Hosts *hosts, Host *host)
{
  guint32 n = host->first;

  if (n == NO_URL)
    return NO_URL;
  host->first = frontier_url (hosts->frontier, n)->next;
  if (host->first == NO_URL)
    host->last = NO_URL;
  return n;
}

GPtrArray *
hosts_busy (Hosts *hosts)
{
  for (guint i = 0; i < hosts->busy->len;)
    {
      Host *host = g_ptr_array_index (hosts->busy, i);

      if (host->first != NO_URL)
        {
          i++;
          continue;
        }
      host->in_list = FALSE;
      g_ptr_array_remove_index (hosts->busy, i);
    }
  return hosts->busy;
}

/* ---- robots and pace ---------------------------------------------------------------- */

void
hosts_take_robots (Host *host, const Answer *answer)
{
  host->robots_status = answer->status;
  host->robots_tries = host->robots_hops = 0;
  host->robots_until = answer->fetched + BELIEVED;
  if (answer->status >= 200 && answer->status < 300)
    {
      robots_free (host->robots);
      host->robots = robots_parse ((const char *) answer->body->data, answer->body->len);
      host->state = ROBOTS_KNOWN;
    }
  else if (answer->status >= 400 && answer->status < 500 && answer->status != 429)
    {
      g_clear_pointer (&host->robots, robots_free);
      host->state = ROBOTS_KNOWN;
    }
  else
    {
      host->state = host->robots ? ROBOTS_KNOWN : ROBOTS_UNREACHABLE;
      host->robots_fault = answer->fault;
      g_free (host->robots_why);
      host->robots_why = answer->message ? g_strdup (answer->message)
                                         : g_strdup_printf ("status %u", answer->status);
    }
}

gint64
hosts_delay (const Hosts *hosts, const Host *host, gint64 duration)
{
  const Settings *s = hosts->settings;
  double wanted = s->delay_factor * (double) duration;
  gint64 delay = wanted < (double) s->max_delay ? (gint64) wanted : s->max_delay;

  delay = MAX (delay, s->min_delay);
  if (host->robots && s->robots == ROBOTS_OBEY)
    {
      double asked = robots_delay (host->robots, s->agent) * G_USEC_PER_SEC;

      delay
          = MAX (delay, asked < (double) s->max_crawl_delay ? (gint64) asked : s->max_crawl_delay);
    }
  return delay;
}
