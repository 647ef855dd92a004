/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h: the parameters of source.crawler, as the core fills them in. */
#ifndef CRAWLER_SETTINGS_H
#define CRAWLER_SETTINGS_H

#include <flowrun/flowrun.h>

typedef enum
{
  SCOPE_HOST = 0,
  SCOPE_FOLDER,
  SCOPE_DOMAIN,
  SCOPE_ANY
} ScopeKind;

typedef enum
{
  ROBOTS_OBEY = 0,
  ROBOTS_IGNORE
} RobotsRule;

typedef enum
{
  TEXT_MAIN = 0,
  TEXT_WHOLE
} TextKind;

typedef enum
{
  STYLE_PLAIN = 0,
  STYLE_MARKDOWN
} StyleKind;

typedef enum
{
  DUPLICATES_SKIP = 0,
  DUPLICATES_KEEP
} DuplicateRule;

typedef struct
{
  char **start, **sitemaps;
  gboolean use_sitemaps;
  int scope;
  char **include, **exclude;
  gint64 max_pages, max_depth, max_urls, max_redirects, trap_pages;
  gint64 max_time;
  guint64 max_bytes, max_page;
  gboolean drop_tracking;

  char *agent, *contact;
  int robots;
  double delay_factor;
  gint64 min_delay, max_delay, max_crawl_delay;
  gint64 host_connections, connections;
  gint64 timeout, stall_timeout, retries, max_retry_wait, host_failures;
  gboolean allow_private;
  char *proxy, *ca_file, *bearer;
  FrPair *headers;

  int text, style, duplicates;
  gint64 near_distance;
  gboolean html;

  char *archive;
  char **since, **warc;
  gboolean changed_only, trust_lastmod;
} Settings;

#endif
