/* SPDX-License-Identifier: Apache-2.0 */
/* crawler.c: source.crawler, web pages as rows.
 *
 * The element's description; crawl.h does the work.
 */
#include "config.h"

#include "crawl.h"

#include <string.h>

static const FrEnumValue *const scopes[]
    = { FR_ENUM ("host", SCOPE_HOST, "the hosts of the start URLs"),
        FR_ENUM ("folder", SCOPE_FOLDER, "the folders of the start URLs and what is below them"),
        FR_ENUM ("domain", SCOPE_DOMAIN,
                 "every host of the registrable domains of the start URLs (Public Suffix List)"),
        FR_ENUM ("any", SCOPE_ANY, "everything; say with 'include' what is meant"), NULL };

static const FrEnumValue *const robots_rules[]
    = { FR_ENUM ("obey", ROBOTS_OBEY,
                 "robots.txt (RFC 9309), robots meta elements, X-Robots-Tag and rel=nofollow"),
        FR_ENUM ("ignore", ROBOTS_IGNORE, "none of them: for your own sites; the report says so"),
        NULL };

static const FrEnumValue *const texts[]
    = { FR_ENUM ("main", TEXT_MAIN, "the main content, without navigation and other boilerplate"),
        FR_ENUM ("whole", TEXT_WHOLE, "all visible text"), NULL };

static const FrEnumValue *const styles[]
    = { FR_ENUM ("plain", STYLE_PLAIN, "lines of text"),
        FR_ENUM ("markdown", STYLE_MARKDOWN, "CommonMark, with headings, lists and tables"), NULL };

static const FrEnumValue *const duplicate_rules[]
    = { FR_ENUM ("skip", DUPLICATES_SKIP,
                 "go to the port 'duplicates', with the URL that had the text first"),
        FR_ENUM ("keep", DUPLICATES_KEEP, "are rows like others; they are only counted"), NULL };

static const FrParam *const params[] = {
  /* what */
  FR_PARAM_STRINGS ("start", Settings, start, "URLs to begin with",
                    .example = "[\"https://www.example.com/\"]"),
  FR_PARAM_STRINGS ("sitemaps", Settings, sitemaps,
                    "sitemaps to begin with: XML, index, .gz, feed, or a URL a line",
                    .example = "[\"https://www.example.com/sitemap.xml\"]"),
  FR_PARAM_BOOL ("use_sitemaps", Settings, use_sitemaps,
                 "also read the sitemaps that robots.txt names", .def = "true"),
  FR_PARAM_ENUM ("scope", Settings, scope, scopes, "which URLs belong to the crawl", .def = "host"),
  FR_PARAM_STRINGS ("include", Settings, include,
                    "only URLs like one of these; '*' stands for anything",
                    .example = "[\"*/news/*\"]"),
  FR_PARAM_STRINGS ("exclude", Settings, exclude, "no URLs like one of these",
                    .example = "[\"*/login*\", \"*?sort=*\"]"),
  FR_PARAM_INT ("max_pages", Settings, max_pages, 0, G_MAXINT32,
                "pages fetched at most; 0: no limit", .def = "10000", .unit = "pages"),
  FR_PARAM_INT ("max_depth", Settings, max_depth, 0, 1000, "links from a start URL at most",
                .def = "20", .unit = "links"),
  FR_PARAM_INT (
      "max_urls", Settings, max_urls, 1, 100000000,
      "URLs known at most; about 100 bytes of memory each, and 400 more for each that was fetched",
      .def = "1000000", .unit = "URLs"),
  FR_PARAM_DURATION ("max_time", Settings, max_time, "when to stop asking; 0: when all is done",
                     .def = "0"),
  FR_PARAM_SIZE ("max_bytes", Settings, max_bytes, "bytes of pages at most; 0: no limit",
                 .def = "0"),
  FR_PARAM_SIZE ("max_page", Settings, max_page, "a larger page is rejected", .def = "10MiB"),
  FR_PARAM_INT ("max_redirects", Settings, max_redirects, 0, 20, "redirects in a row at most",
                .def = "10"),
  FR_PARAM_INT ("trap_pages", Settings, trap_pages, 0, 1000000,
                "so many pages in a row whose URLs differ only in digits and that say nothing new "
                "close the trap; 0: never",
                .def = "50", .unit = "pages"),
  FR_PARAM_BOOL ("drop_tracking", Settings, drop_tracking,
                 "URLs lose utm_source, gclid, spm, jsessionid and their like", .def = "true"),
  /* how politely */
  FR_PARAM_STRING ("agent", Settings, agent,
                   "the crawler's name: in User-Agent, and the product token in robots.txt",
                   .def = "flowrun", .pattern = "[A-Za-z_-]+"),
  FR_PARAM_STRING ("contact", Settings, contact,
                   "a page or mail address for the owners of servers, in User-Agent",
                   .example = "\"https://www.example.com/crawler\"", .pattern = "[!-~]+"),
  FR_PARAM_ENUM ("robots", Settings, robots, robots_rules,
                 "whether the wishes of servers are obeyed", .def = "obey"),
  FR_PARAM_FLOAT ("delay_factor", Settings, delay_factor, 0, 1000,
                  "a host is left alone so many times as long as its last answer took", .def = "5",
                  .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("min_delay", Settings, min_delay, "but at least so long", .def = "1s",
                     .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("max_delay", Settings, max_delay, "and at most so long", .def = "30s",
                     .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("max_crawl_delay", Settings, max_crawl_delay,
                     "a longer Crawl-delay of robots.txt counts as this", .def = "300s",
                     .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("host_connections", Settings, host_connections, 1, 64,
                "requests to one host at once", .def = "1", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("connections", Settings, connections, 1, 1000, "requests at once in all",
                .def = "64", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("timeout", Settings, timeout, "a request may take so long", .def = "120s",
                     .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("stall_timeout", Settings, stall_timeout,
                     "and be slower than a kilobyte a second for so long", .def = "20s",
                     .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("retries", Settings, retries, 0, 100,
                "after failures that may pass, with growing pauses", .def = "3",
                .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("max_retry_wait", Settings, max_retry_wait,
                     "a server that asks for a longer Retry-After is not asked again", .def = "5m",
                     .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("host_failures", Settings, host_failures, 1, 1000000,
                "so many failures in a row end a host", .def = "10", .flags = FR_PARAM_NO_RESULT),
  /* with what rights */
  FR_PARAM_BOOL ("allow_private", Settings, allow_private,
                 "also addresses that are not public: loopback, private and link-local ones"),
  FR_PARAM_STRING ("proxy", Settings, proxy,
                   "proxy for all requests; the environment's are not used",
                   .example = "\"http://proxy.example:3128\"", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_PATH ("ca_file", Settings, ca_file, "certificates to trust instead of the system's",
                 .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_MAP ("headers", Settings, headers,
                "more request headers, for every host; secrets belong into 'bearer'",
                .example = "{\"Accept-Language\": \"zh-CN\"}"),
  FR_PARAM_STRING ("bearer", Settings, bearer,
                   "token for the hosts of the start URLs, and for no others",
                   .flags = FR_PARAM_SECRET, .example = "{\"env\": \"WIKI_TOKEN\"}"),
  /* what comes out */
  FR_PARAM_ENUM ("text", Settings, text, texts, "which text of a page", .def = "main"),
  FR_PARAM_ENUM ("style", Settings, style, styles, "how it is written", .def = "plain"),
  FR_PARAM_ENUM ("duplicates", Settings, duplicates, duplicate_rules,
                 "pages whose text another page had", .def = "skip"),
  FR_PARAM_INT ("near_distance", Settings, near_distance, 0, 7,
                "texts are nearly the same when their 64-bit SimHashes differ in at most so many "
                "bits; 0: only equal ones",
                .def = "3", .unit = "bits"),
  FR_PARAM_BOOL ("html", Settings, html, "a column 'html' with the page as it came, in UTF-8"),
  /* archives */
  FR_PARAM_PATH ("archive", Settings, archive,
                 "a WARC file to write with every answer; .warc.gz packs it",
                 .flags = FR_PARAM_WRITES, .example = "\"site-2024-06.warc.gz\""),
  FR_PARAM_PATHS (
      "since", Settings, since,
      "archives of earlier crawls: pages in them are asked for only if they have changed",
      .example = "[\"site-2024-05.warc.gz\"]"),
  FR_PARAM_BOOL ("changed_only", Settings, changed_only,
                 "with 'since': no rows of pages that have not changed"),
  FR_PARAM_BOOL ("trust_lastmod", Settings, trust_lastmod,
                 "with 'since': pages that a sitemap says have not been modified since they were "
                 "fetched are not asked for"),
  FR_PARAM_PATHS ("warc", Settings, warc,
                  "archives to read instead of the network; then nothing is asked for",
                  .flags = FR_PARAM_READS, .example = "[\"site-2024-06.warc.gz\"]"),
  NULL
};

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "pages"),
        FR_PORT ("duplicates", FR_PORT_RECORDS,
                 "pages whose text another page had first, with its URL in 'duplicate_of'"),
        NULL };

/* ---- check --------------------------------------------------------------------- */

static gboolean
check_urls (char *const *urls, const char *name, FrProblems *problems)
{
  gboolean ok = TRUE;

  for (guint i = 0; urls && urls[i]; i++)
    {
      g_auto (NetUrl) url = { 0 };
      g_autofree char *pointer = g_strdup_printf ("/%s/%u", name, i),
                      *shown = net_url_display (urls[i]);
      const char *why;

      if (!net_url_parse (urls[i], strlen (urls[i]), NULL, NULL, 0, &url, &why))
        fr_problems_add (
            problems, pointer,
            "'%s' cannot be crawled: %s; expected something like https://www.example.com/", shown,
            why);
      else if (url.had_userinfo)
        fr_problems_add (problems, pointer,
                         "'%s' is written with a user name or password; use 'bearer' or 'headers'",
                         shown);
      else
        continue;
      ok = FALSE;
    }
  return ok;
}

static gboolean
given (char *const *list)
{
  return list && *list;
}

static gboolean
crawler_configure (gpointer data, FrProblems *problems)
{
  Settings *s = data;
  gboolean ok = check_urls (s->start, "start", problems);

  ok = check_urls (s->sitemaps, "sitemaps", problems) && ok;
  if (given (s->warc) == (given (s->start) || given (s->sitemaps)))
    {
      fr_problems_add (problems, "",
                       "give either 'start' or 'sitemaps', to crawl, or 'warc', to read archives%s",
                       given (s->warc) ? ", not both" : "");
      ok = FALSE;
    }
  if (given (s->warc) && (s->archive || given (s->since)))
    {
      fr_problems_add (problems, s->archive ? "/archive" : "/since",
                       "'%s' belongs to a crawl, not to reading archives",
                       s->archive ? "archive" : "since");
      ok = FALSE;
    }
  if (s->changed_only && !given (s->since))
    {
      fr_problems_add (problems, "/changed_only",
                       "'changed_only' needs 'since': changed since when?");
      ok = FALSE;
    }
  if (s->trust_lastmod && !given (s->since))
    {
      fr_problems_add (problems, "/trust_lastmod",
                       "'trust_lastmod' needs 'since': not modified since when?");
      ok = FALSE;
    }
  if (s->min_delay > s->max_delay)
    {
      fr_problems_add (problems, "/min_delay", "'min_delay' is longer than 'max_delay'");
      ok = FALSE;
    }
  if (s->scope == SCOPE_ANY && s->max_pages == 0 && !given (s->include) && !given (s->warc))
    {
      fr_problems_add (problems, "/scope",
                       "a crawl of everything without 'max_pages' or 'include' would not end");
      ok = FALSE;
    }
  return ok;
}

static gboolean
crawler_bind (gconstpointer config, FrBind *bind, G_GNUC_UNUSED GError **error)
{
  const Settings *s = config;

  /* Archives are read without a network, so the element as a whole does not say that it needs one.
   */
  if (!given (s->warc) && fr_bind_is_network_denied (bind))
    {
      fr_bind_problem (
          bind, "",
          "a crawl uses the network, which '--deny network' forbids; the pages of an earlier one "
          "can be read from its archives ('warc')");
      return FALSE;
    }
  if (s->robots == ROBOTS_IGNORE)
    fr_bind_warn (bind, "/robots", "robots.txt will not be obeyed");
  if (s->min_delay == 0 && s->delay_factor == 0 && !given (s->warc) && !s->allow_private)
    fr_bind_warn (bind, "/min_delay",
                  "without 'min_delay' and 'delay_factor' a server gets no rest");
  fr_bind_output (bind, "out", rows_schema (s, FALSE));
  fr_bind_output (bind, "duplicates", rows_schema (s, TRUE));
  return TRUE;
}

/* ---- run -------------------------------------------------------------------------- */

typedef struct
{
  const Settings *settings;
  Crawl *crawl; /* NULL: archives are read */
} State;

static gboolean
crawler_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  s->settings = config;
  if (!given (s->settings->warc) && (s->crawl = crawl_new (config, host, error)) == NULL)
    {
      g_free (s);
      return FALSE;
    }
  *state = s;
  return TRUE;
}

static FrFlow
crawler_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  return s->crawl ? crawl_run (s->crawl, error) : replay_run (s->settings, host, error);
}

static gboolean
crawler_finish (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  if (s->crawl == NULL || s->crawl->archive == NULL)
    return TRUE;
  if (!warc_writer_commit (s->crawl->archive, error))
    return FALSE;
  fr_host_committed (host, s->settings->archive);
  return TRUE;
}

static void
crawler_close (gpointer state)
{
  State *s = state;

  crawl_free (s->crawl);
  g_free (s);
}

#include "details.h"

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SOURCE,
  .name = "source.crawler",
  .revision = 1,
  .flags = FR_ELEMENT_UNTRUSTED | FR_ELEMENT_WAITS | FR_ELEMENT_VOLATILE,
  .summary = "web pages: their main text with title, date, language and where they come from",
  .details = crawler_details,
  .example
  = "{ \"start\": \"https://www.example.com/docs/\", \"scope\": \"folder\", \"max_pages\": 500, "
    "\"contact\": \"https://www.example.com/crawler\" }",
  .config_size = sizeof (Settings),
  .params = params,
  .outputs = outputs,
  .configure = crawler_configure,
  .bind = crawler_bind,
  .open = crawler_open,
  .run = crawler_run,
  .finish = crawler_finish,
  .close = crawler_close
};

FR_PLUGIN ("crawler", PACKAGE_VERSION, "web pages as rows", "Apache-2.0", "flowrun", &element)
