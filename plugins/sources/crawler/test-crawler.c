/* SPDX-License-Identifier: Apache-2.0 */
/* test-crawler.c: source.crawler against a server of our own, with the traps that sites have. */
#include "config.h"

#include "net/test-server.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>

/* ---- the site ------------------------------------------------------------------------ */

#define HTML "Content-Type: text/html; charset=utf-8\r\n"

static TestServer *server;
static char *elsewhere_token; /* what a host that was not given got as Authorization */
static guint robots_status;   /* of robots.txt */
static const char *robots_text;
static const char *sitemap_text;
static gsize sitemap_len;

static void
page (TestAnswer *out, const char *title, const char *text, const char *links)
{
  g_autofree char *html = g_strdup_printf (
      "<!doctype html><html lang=\"zh-CN\"><head><title>%s</title></head><body><nav><a "
      "href=\"/\">home</a></nav>"
      "<article><h1>%s</h1><p>%s</p></article><div>%s</div></body></html>",
      title, title, text, links);

  test_answer (out, 200, HTML, html, -1);
}

static char *
prose (const char *about)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < 8; i++)
    g_string_append_printf (out,
                            "这是关于%s的第%u句话，它说明了%s为什么值得一读，也说明了第%u个理由。",
                            about, i + 1, about, g_str_hash (about) % 1000 + i);
  return g_string_free (out, FALSE);
}

static void
article (TestAnswer *out, const char *name, const char *links)
{
  g_autofree char *text = prose (name);

  page (out, name, text, links);
}

static gboolean
answer_traps (const TestAsk *ask, TestAnswer *out)
{
  const char *p = ask->path;

  if (g_str_equal (p, "/loop-a"))
    test_answer (out, 302, "Location: /loop-b\r\n", "", 0);
  else if (g_str_equal (p, "/loop-b"))
    test_answer (out, 302, "Location: /loop-a\r\n", "", 0);
  else if (g_str_equal (p, "/self"))
    test_answer (out, 301, "Location: /self\r\n", "", 0);
  else if (g_str_has_prefix (p, "/deeper"))
    {
      g_autofree char *line = g_strdup_printf ("Location: %sx\r\n", p);

      test_answer (out, 302, line, "", 0);
    }
  else if (g_str_equal (p, "/short"))
    test_answer_raw (out, "HTTP/1.1 200 OK\r\n" HTML "Content-Length: 5000\r\n\r\n<p>not all of it",
                     -1);
  else if (g_str_equal (p, "/noise"))
    test_answer_raw (out, "\x01\x02\x03 no HTTP at all\r\n\r\n", -1);
  else if (g_str_equal (p, "/giant"))
    {
      g_autofree char *block = g_strnfill (65536, 'g');

      if (test_answer_raw (out, "HTTP/1.1 200 OK\r\n" HTML "\r\n", -1))
        for (guint i = 0; i < 64 && test_answer_raw (out, block, 65536); i++)
          ;
    }
  else if (g_str_equal (p, "/drip"))
    {
      if (test_answer_raw (out, "HTTP/1.1 200 OK\r\n" HTML "Content-Length: 9000\r\n\r\n", -1))
        for (guint i = 0; i < 600 && test_answer_wait (out, 100); i++)
          test_answer_raw (out, ".", 1);
    }
  else if (g_str_equal (p, "/busy"))
    {
      if (ask->n == 0)
        test_answer (out, 429, "Retry-After: 1\r\n", "", 0);
      else
        article (out, "忙碌", "");
    }
  else if (g_str_equal (p, "/never"))
    test_answer (out, 503, "Retry-After: 99999\r\n", "", 0);
  else if (g_str_equal (p, "/error"))
    test_answer (out, 500, HTML, "no", -1);
  else if (g_str_has_prefix (p, "/cal/"))
    {
      guint n = (guint) atoi (p + 5);
      g_autofree char *text = g_strdup_printf (
          "第 %u 个月没有任何活动。请看下一个月，或者回到上一个月。这里没有别的内容。", n);
      g_autofree char *links = g_strdup_printf ("<a href=\"/cal/%u\">next</a>", n + 1);

      page (out, "日历", text, links);
    }
  else
    return FALSE;
  return TRUE;
}

static gboolean
answer (const TestAsk *ask, TestAnswer *out, G_GNUC_UNUSED gpointer data)
{
  const char *p = ask->path;

  if (g_str_equal (p, "/robots.txt"))
    {
      if (robots_status == 0)
        return FALSE;
      test_answer (out, robots_status, "Content-Type: text/plain\r\n", robots_text, -1);
    }
  else if (g_str_equal (p, "/"))
    article (
        out, "首页",
        "<a href='/a'>a</a> <a href='b?utm_source=x'>b</a> <a href='/a#part'>again</a> <a "
        "href='/moved'>m</a>"
        "<a href='/secret/x'>s</a> <a href='/ad' rel='nofollow'>ad</a> <a href='/pic.jpg'>p</a>"
        "<a href='mailto:a@b.example'>mail</a> <a href='http://other.example/'>o</a> <a "
        "href='/missing'>404</a>"
        "<a href='/a2'>copy</a> <a href='/hidden'>h</a> <a href='/plain.txt'>t</a> <a "
        "href='/empty'>e</a>");
  else if (g_str_equal (p, "/a"))
    article (out, "甲", "<a href='/c'>c</a><a href='/b'>b</a>");
  else if (g_str_equal (p, "/a2"))
    article (out, "甲", "<a href='/only-here'>x</a>");
  else if (g_str_equal (p, "/b") || g_str_equal (p, "/c") || g_str_equal (p, "/only-here"))
    article (out, p + 1, "");
  else if (g_str_equal (p, "/moved"))
    test_answer (out, 301, "Location: /new-place\r\n", "", 0);
  else if (g_str_equal (p, "/new-place"))
    article (out, "新地方", "");
  else if (g_str_equal (p, "/hidden"))
    test_answer (out, 200, HTML "X-Robots-Tag: noindex, nofollow\r\n",
                 "<p>not for rows</p><a href='/not-followed'>x</a>", -1);
  else if (g_str_equal (p, "/plain.txt"))
    test_answer (out, 200, "Content-Type: text/plain; charset=gbk\r\n",
                 "\xb4\xbf\xce\xc4\xb1\xbe\n", -1);
  else if (g_str_equal (p, "/empty"))
    test_answer (out, 200, HTML, "", 0);
  else if (g_str_equal (p, "/sitemap.xml"))
    test_answer (out, 200, "Content-Type: application/xml\r\n", sitemap_text, (gssize) sitemap_len);
  else if (g_str_equal (p, "/sitemap2.xml"))
    test_answer (out, 200, "Content-Type: application/xml\r\n",
                 "<urlset><url><loc>/c</loc></url><url><loc>/b</loc>", -1);
  else if (g_str_equal (p, "/token"))
    {
      g_autofree char *line = g_strdup_printf ("Location: http://localhost:%u/elsewhere\r\n",
                                               test_server_port (server));
      g_autofree char *token = test_server_header (ask, "Authorization");

      if (g_strcmp0 (token, "Bearer sesame") == 0)
        test_answer (out, 302, line, "", 0);
      else
        test_answer (out, 401, "", "", 0);
    }
  else if (g_str_equal (p, "/elsewhere"))
    {
      elsewhere_token = test_server_header (ask, "Authorization");
      article (out, "别处", "");
    }
  else if (g_str_equal (p, "/tagged"))
    {
      g_autofree char *known = test_server_header (ask, "If-None-Match");

      if (g_strcmp0 (known, "\"v1\"") == 0)
        test_answer (out, 304, "ETag: \"v1\"\r\n", NULL, 0);
      else
        {
          g_autofree char *text = prose ("标签");

          test_answer (out, 200, HTML "ETag: \"v1\"\r\n", text, -1);
        }
    }
  else
    return answer_traps (ask, out);
  return TRUE;
}

static void
set_up (void)
{
  robots_status = 200;
  robots_text = "User-agent: *\nDisallow: /secret/\n";
  sitemap_text = "<urlset><url><loc>/c</loc></url></urlset>";
  sitemap_len = strlen (sitemap_text);
  g_clear_pointer (&elsewhere_token, g_free);
  server = test_server_new (answer, NULL, NULL);
}

static void
tear_down (void)
{
  g_clear_pointer (&server, test_server_free);
  g_clear_pointer (&elsewhere_token, g_free);
}

/* ---- the harness ------------------------------------------------------------------------ */

#define QUICK "'allow_private': true, 'min_delay': 0, 'delay_factor': 0"

/* @format: with %1$u for the port. */
static FrTest *
crawler (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "source-crawler.so", NULL);
  g_autoptr (GString) text = g_string_new (with);
  g_autofree char *port = g_strdup_printf ("%u", server ? test_server_port (server) : 1);

  g_string_replace (text, "PORT", port, 0);
  return fr_test_new_file (path, "source.crawler", text->str);
}

/* Output without what differs between two crawls. */
static char *
rows (FrTest *t, const char *port)
{
  g_autoptr (GRegex) times = g_regex_new ("\"fetched_at\":\"[^\"]*\"", 0, 0, NULL);

  return g_regex_replace (times, fr_test_output (t, port), -1, 0, "\"fetched_at\":0", 0, NULL);
}

static char *
column (FrTest *t, const char *port, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (fr_test_output (t, port), "\n", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i] && *lines[i]; i++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (lines[i], -1, 0, NULL);
      JsonNode *value = json_object_get_member (json_node_get_object (node), name);
      const char *text
          = JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_STRING
                ? json_node_get_string (value)
                : NULL;
      g_autofree char *number
          = text || JSON_NODE_HOLDS_NULL (value)
                ? NULL
                : g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (value));
      const char *short_text
          = text && g_str_has_prefix (text, "http://127.0.0.1:") ? strchr (text + 8, '/') : text;

      g_string_append_printf (out, "%s;", short_text ? short_text : number ? number : "-");
    }
  return g_string_free (out, FALSE);
}

static void
expect_column (FrTest *t, const char *port, const char *name, const char *want)
{
  g_autofree char *got = column (t, port, name);

  g_assert_cmpstr (got, ==, want);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void
test_site (void)
{
  g_autoptr (FrTest) one = NULL, many = NULL;
  g_autofree char *a = NULL, *b = NULL;

  set_up ();
  one = crawler ("{'start': 'http://127.0.0.1:PORT/', " QUICK "}");
  fr_test_run (one);
  expect_column (one, "out", "final_url", "/;/a;/b;/plain.txt;/c;/new-place;/only-here;");
  /* A redirect's target stands at the end of the line; its row has both addresses. */
  g_assert_nonnull (strstr (fr_test_output (one, "out"), "/moved\""));
  expect_column (one, "duplicates", "final_url", "/a2;");
  expect_column (one, "duplicates", "duplicate_of", "/a;");
  expect_column (one, "rejects", "reject_rule", "http_status;");
  g_assert_cmpint (fr_test_counter (one, "urls_forbidden_by_robots"), ==, 1);
  g_assert_cmpint (fr_test_counter (one, "links_nofollow"), ==, 1);
  g_assert_cmpint (fr_test_counter (one, "links_to_files"), ==, 1);
  g_assert_cmpint (fr_test_counter (one, "links_outside"), ==, 1);
  g_assert_cmpint (fr_test_counter (one, "links_not_http"), ==, 1);
  g_assert_cmpint (fr_test_counter (one, "pages_noindex"), ==, 1);
  g_assert_cmpint (fr_test_counter (one, "pages_without_text"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/secret/x"), ==, 0);
  g_assert_cmpuint (test_server_asked (server, "/not-followed"), ==, 0);
  g_assert_cmpuint (test_server_asked (server, "/a"), ==, 1);
  many = crawler ("{'start': 'http://127.0.0.1:PORT/', 'host_connections': 8, " QUICK "}");
  fr_test_run (many);
  a = rows (one, "out");
  b = rows (many, "out");
  g_assert_cmpstr (a, ==, b);
  tear_down ();
}

static void
test_columns (void)
{
  g_autoptr (FrTest) t = NULL;
  const char *out;

  set_up ();
  t = crawler ("{'start': 'http://127.0.0.1:PORT/', 'max_depth': 1, 'html': true, " QUICK "}");
  fr_test_run (t);
  expect_column (t, "out", "depth", "0;1;1;1;1;");
  expect_column (t, "out", "referrer", "-;/;/;/;/;");
  expect_column (t, "out", "title", "首页;甲;b;-;新地方;");
  expect_column (t, "out", "charset", "utf-8;utf-8;utf-8;gb18030;utf-8;");
  expect_column (t, "out", "charset_from", "transport;transport;transport;transport;transport;");
  expect_column (t, "out", "status", "200;200;200;200;200;");
  out = fr_test_output (t, "out");
  g_assert_nonnull (strstr (out, "\"text\":\"纯文本\""));
  g_assert_nonnull (strstr (out, "\"html\":\"<!doctype html>"));
  g_assert_nonnull (strstr (out, "\"language\":\"zh"));
  g_assert_cmpint (fr_test_counter (t, "pages_at_max_depth"), >, 0);
  tear_down ();
}

static void
test_limits (void)
{
  g_autoptr (FrTest) t = NULL, urls = NULL, hosts = NULL;

  set_up ();
  t = crawler ("{'start': 'http://127.0.0.1:PORT/', 'max_pages': 3, 'host_connections': 8, " QUICK
               "}");
  fr_test_run (t);
  expect_column (t, "out", "final_url", "/;/a;/b;");
  g_assert_cmpint (fr_test_counter (t, "stopped_at_max_pages"), ==, 1);
  /* No more was asked for than was wanted. */
  g_assert_cmpuint (test_server_asked (server, "/plain.txt"), ==, 0);
  /* Two hosts, the first of which makes the other wait. */
  hosts = crawler ("{'start': ['http://127.0.0.1:PORT/error', 'http://localhost:PORT/', "
                   "'http://127.0.0.1:PORT/b'], "
                   "'max_pages': 4, 'retries': 1, " QUICK "}");
  fr_test_run (hosts);
  g_assert_cmpuint (fr_test_n_rows (hosts, "out") + fr_test_n_rows (hosts, "duplicates"), ==, 4);
  urls = crawler ("{'start': 'http://127.0.0.1:PORT/', 'max_urls': 3, " QUICK "}");
  fr_test_run (urls);
  expect_column (urls, "out", "final_url", "/;/a;/b;");
  g_assert_cmpint (fr_test_counter (urls, "links_over_max_urls"), >, 0);
  tear_down ();
}

/* Pauses are kept: those of the settings, those that robots.txt asks for; and time is a limit. */
static void
test_time (void)
{
  g_autoptr (FrTest) t = NULL, asked = NULL, limited = NULL;
  gint64 start;

  set_up ();
  t = crawler ("{'start': ['http://127.0.0.1:PORT/a', 'http://127.0.0.1:PORT/b'], 'max_depth': 0, "
               "'allow_private': true, "
               "'min_delay': '600ms', 'delay_factor': 0, 'host_connections': 8}");
  start = g_get_monotonic_time ();
  fr_test_run (t);
  /* After robots.txt; the two pages may go side by side. */
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 600000);
  robots_text = "User-agent: *\nCrawl-delay: 0.6\n";
  asked = crawler (
      "{'start': ['http://127.0.0.1:PORT/a', 'http://127.0.0.1:PORT/b'], 'max_depth': 0, " QUICK
      "}");
  start = g_get_monotonic_time ();
  fr_test_run (asked);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 1200000);
  limited = crawler ("{'start': 'http://127.0.0.1:PORT/', 'max_time': '1s', " QUICK "}");
  fr_test_run (limited);
  g_assert_cmpint (fr_test_counter (limited, "stopped_at_max_time"), ==, 1);
  g_assert_cmpint (fr_test_counter (limited, "urls_left_over"), >, 0);
  tear_down ();
}

static void
test_traps (void)
{
  g_autoptr (FrTest) t = NULL;

  set_up ();
  t = crawler (
      "{'start': ['http://127.0.0.1:PORT/loop-a', 'http://127.0.0.1:PORT/self', "
      "'http://127.0.0.1:PORT/deeper',"
      "'http://127.0.0.1:PORT/short', 'http://127.0.0.1:PORT/noise', 'http://127.0.0.1:PORT/giant',"
      "'http://127.0.0.1:PORT/drip', 'http://127.0.0.1:PORT/busy', 'http://127.0.0.1:PORT/never',"
      "'http://127.0.0.1:PORT/error', 'http://127.0.0.1:1/'],"
      "'max_depth': 0, 'max_page': '1MiB', 'stall_timeout': '2s', 'retries': 1, 'max_redirects': "
      "3, "
      "'host_connections': 8, " QUICK "}");
  fr_test_run (t);
  expect_column (t, "out", "final_url", "/busy;");
  expect_column (t, "rejects", "reject_rule",
                 "redirect_loop;cut_short;no_http;too_large;too_slow;http_status;http_status;"
                 "robots_unreachable;"
                 "redirect_loop;redirect_loop;");
  g_assert_cmpuint (test_server_asked (server, "/busy"), ==, 2);
  g_assert_cmpuint (test_server_asked (server, "/never"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/error"), ==, 2);
  g_assert_cmpuint (test_server_asked (server, "/deeperxxx"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/deeperxxxx"), ==, 0);
  g_assert_cmpint (fr_test_counter (t, "retries_after_429"), ==, 1);
  tear_down ();
}

static void
test_calendar (void)
{
  g_autoptr (FrTest) t = NULL;

  set_up ();
  t = crawler ("{'start': ['http://127.0.0.1:PORT/cal/1', 'http://127.0.0.1:PORT/a'], "
               "'trap_pages': 10, 'max_depth': 1000,"
               "'max_pages': 500, " QUICK "}");
  fr_test_run (t);
  g_assert_cmpint (fr_test_counter (t, "traps_closed"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "links_into_traps"), >=, 1);
  g_assert_cmpuint (test_server_asked (server, "/cal/11"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/cal/13"), ==, 0);
  tear_down ();
}

static void
test_robots (void)
{
  g_autoptr (FrTest) down = NULL, none = NULL, ignored = NULL, named = NULL;

  set_up ();
  robots_status = 503;
  robots_text = "User-agent: *\nAllow: /\n";
  down = crawler ("{'start': 'http://127.0.0.1:PORT/a', 'retries': 1, " QUICK "}");
  fr_test_run (down);
  expect_column (down, "rejects", "reject_rule", "robots_unreachable;");
  g_assert_cmpint (fr_test_counter (down, "robots_unreachable"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/a"), ==, 0);
  g_assert_cmpuint (test_server_asked (server, "/robots.txt"), ==, 2);
  ignored = crawler (
      "{'start': 'http://127.0.0.1:PORT/b', 'max_depth': 0, 'robots': 'ignore', " QUICK "}");
  fr_test_run (ignored);
  expect_column (ignored, "out", "final_url", "/b;");
  g_assert_cmpuint (test_server_asked (server, "/robots.txt"), ==, 2);
  robots_status = 404;
  none = crawler ("{'start': 'http://127.0.0.1:PORT/b', 'max_depth': 0, " QUICK "}");
  fr_test_run (none);
  expect_column (none, "out", "final_url", "/b;");
  robots_status = 200;
  robots_text = "User-agent: shopbot\nDisallow: /b\nUser-agent: *\nDisallow:\n";
  named = crawler ("{'start': ['http://127.0.0.1:PORT/b', 'http://127.0.0.1:PORT/c'], 'agent': "
                   "'ShopBot', 'max_depth': 0, " QUICK "}");
  fr_test_run (named);
  expect_column (named, "out", "final_url", "/c;");
  tear_down ();
}

static void
test_refused (void)
{
  g_autoptr (FrTest) t = NULL;

  set_up ();
  t = crawler ("{'start': 'http://127.0.0.1:PORT/', 'retries': 0}");
  fr_test_run (t);
  /* Not even robots.txt is asked for. */
  expect_column (t, "rejects", "reject_rule", "address_refused;");
  g_assert_cmpuint (test_server_asked (server, "/robots.txt"), ==, 0);
  g_clear_pointer (&t, fr_test_free);
  t = crawler ("{'start': 'http://127.0.0.1:PORT/', 'retries': 0, 'robots': 'ignore'}");
  fr_test_run (t);
  expect_column (t, "rejects", "reject_rule", "address_refused;");
  g_assert_cmpuint (test_server_asked (server, "/"), ==, 0);
  tear_down ();
}

/* The token goes to the origin it was given for; where that leads, it does not. */
static void
test_bearer (void)
{
  g_autoptr (FrTest) t = NULL;

  set_up ();
  g_setenv ("CRAWL_TOKEN", "sesame", TRUE);
  t = crawler ("{'start': 'http://127.0.0.1:PORT/token', 'scope': 'any', 'max_depth': 0, "
               "'max_pages': 5, 'bearer': "
               "{'env': 'CRAWL_TOKEN'}, " QUICK "}");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/elsewhere"), ==, 1);
  g_assert_null (elsewhere_token);
  tear_down ();
}

static void
test_sitemaps (void)
{
  g_autoptr (FrTest) t = NULL, named = NULL, bad = NULL;
  gsize len;
  g_autoptr (GZlibCompressor) z = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
  char packed[1024];
  gsize read, written;

  set_up ();
  /* Packed, an index, the second of its sitemaps cut off. */
  sitemap_text = "<sitemapindex><sitemap><loc>/sitemap2.xml</loc></sitemap><sitemap><loc>/"
                 "none.xml</loc></sitemap></sitemapindex>";
  len = strlen (sitemap_text);
  g_assert_cmpint (g_converter_convert (G_CONVERTER (z), sitemap_text, len, packed, sizeof packed,
                                        G_CONVERTER_INPUT_AT_END, &read, &written, NULL),
                   ==, G_CONVERTER_FINISHED);
  sitemap_text = packed;
  sitemap_len = written;
  t = crawler ("{'sitemaps': 'http://127.0.0.1:PORT/sitemap.xml', " QUICK "}");
  fr_test_run (t);
  expect_column (t, "out", "final_url", "/c;/b;/;/a;/plain.txt;/new-place;/only-here;");
  g_assert_cmpint (fr_test_counter (t, "sitemaps_read"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "sitemaps_damaged"), ==, 1);
  robots_text = "Sitemap: /sitemap2.xml\nUser-agent: *\nDisallow: /secret/\n";
  named = crawler ("{'start': 'http://127.0.0.1:PORT/only-here', 'max_depth': 0, " QUICK "}");
  fr_test_run (named);
  expect_column (named, "out", "final_url", "/only-here;/c;/b;");
  sitemap_text = "<html>no</html>";
  sitemap_len = strlen (sitemap_text);
  bad = crawler ("{'sitemaps': 'http://127.0.0.1:PORT/sitemap.xml', 'use_sitemaps': false, " QUICK
                 "}");
  fr_test_run (bad);
  expect_column (bad, "rejects", "reject_rule", "sitemap;");
  tear_down ();
}

/* Archived, read again without the network: the same rows. */
static void
test_archive (void)
{
  g_autoptr (FrTest) crawl = NULL, replay = NULL;
  g_autofree char *with = NULL, *a = NULL, *b = NULL, *path = NULL;

  set_up ();
  path = g_build_filename (g_get_tmp_dir (), "test-crawler-archive.warc.gz", NULL);
  with = g_strdup_printf ("{'start': 'http://127.0.0.1:PORT/', 'archive': '%s', " QUICK "}", path);
  crawl = crawler (with);
  fr_test_run (crawl);
  tear_down ();
  g_free (with);
  with = g_strdup_printf ("{'warc': '%s'}", path);
  replay = crawler (with);
  fr_test_run (replay);
  /* fetched_at too. */
  g_assert_cmpstr (fr_test_output (replay, "out"), ==, fr_test_output (crawl, "out"));
  g_assert_cmpstr (fr_test_output (replay, "duplicates"), ==, fr_test_output (crawl, "duplicates"));
  g_unlink (path);
}

static void
test_since (void)
{
  g_autofree char *dir = g_dir_make_tmp ("since-XXXXXX", NULL);
  g_autofree char *first = g_build_filename (dir, "1.warc.gz", NULL),
                  *second = g_build_filename (dir, "2.warc", NULL);
  g_autofree char *with = NULL, *a = NULL, *b = NULL, *c = NULL, *d = NULL;
  g_autoptr (FrTest) one = NULL, two = NULL, three = NULL, changed = NULL, both = NULL;

  set_up ();
#define SINCE                                                                                      \
  "'max_depth': 0, 'since': '%s', 'archive': '%s', 'start': ['http://127.0.0.1:PORT/tagged', "     \
  "'http://127.0.0.1:PORT/b'], " QUICK
  with = g_strdup_printf ("{" SINCE "}", first, first);
  one = crawler (with); /* there is none yet */
  fr_test_run (one);
  two = crawler (with); /* replaces it: what has not changed is copied */
  fr_test_run (two);
  g_assert_cmpint (fr_test_counter (two, "pages_unchanged"), ==, 1);
  a = column (one, "out", "content_hash");
  b = column (two, "out", "content_hash");
  g_assert_cmpstr (a, ==, b);
  g_assert_nonnull (strstr (fr_test_output (two, "out"), "\"unchanged\":true"));
  g_free (with);
  with = g_strdup_printf ("{" SINCE "}", first, second); /* refers to it */
  three = crawler (with);
  fr_test_run (three);
  g_assert_cmpint (fr_test_counter (three, "pages_unchanged"), ==, 1);
  g_assert_cmpuint (test_server_asked (server, "/tagged"), ==, 3);
  g_free (with);
  with = g_strdup_printf ("{'warc': ['%s', '%s']}", first, second);
  both = crawler (with);
  fr_test_run (both);
  g_assert_cmpuint (fr_test_n_rows (both, "out"), ==, 2);
  g_assert_cmpuint (fr_test_n_rows (both, "duplicates"), ==, 2);
  g_assert_cmpuint (fr_test_n_rows (both, "rejects"), ==, 0);
  g_free (with);
  with = g_strdup_printf ("{'since': '%s', 'changed_only': true, 'max_depth': 0, 'start': "
                          "['http://127.0.0.1:PORT/tagged', 'http://127.0.0.1:PORT/b'], " QUICK "}",
                          first);
  changed = crawler (with);
  fr_test_run (changed);
  expect_column (changed, "out", "final_url", "/b;");
  g_unlink (first);
  g_unlink (second);
  g_rmdir (dir);
  tear_down ();
}

/* A sitemap's word is taken for pages in the archive that were fetched later, and only when asked
 * to be. */
static void
test_trust_lastmod (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lastmod-XXXXXX", NULL),
                  *warc = g_build_filename (dir, "1.warc.gz", NULL), *today = NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *with = NULL, *sitemap = NULL, *a = NULL, *b = NULL;
  g_autoptr (FrTest) first = NULL, doubt = NULL, trust = NULL;

  set_up ();
  today = g_date_time_format (now, "%Y-%m-%d"); /* ends after the page was fetched */
  sitemap_text = sitemap = g_strdup_printf (
      "<urlset><url><loc>/c</loc><lastmod>2024-05-01T08:30:00+08:00</lastmod></url>"
      "<url><loc>/b</loc><lastmod>%s</lastmod></url>"
      "<url><loc>/tagged</loc><lastmod>lately</lastmod></url></urlset>",
      today);
  sitemap_len = strlen (sitemap_text);
#define LASTMOD                                                                                    \
  "'max_depth': 0, 'sitemaps': 'http://127.0.0.1:PORT/sitemap.xml', 'since': '%s', " QUICK
  with = g_strdup_printf ("{" LASTMOD ", 'archive': '%s'}", warc, warc);
  first = crawler (with);
  fr_test_run (first);
  g_free (with);
  with = g_strdup_printf ("{" LASTMOD "}", warc);
  doubt = crawler (with);
  fr_test_run (doubt);
  g_assert_cmpuint (test_server_asked (server, "/c"), ==, 2);
  g_assert_cmpint (fr_test_counter (doubt, "pages_trusted"), ==, 0);
  g_free (with);
  with = g_strdup_printf ("{" LASTMOD ", 'trust_lastmod': true, 'archive': '%s'}", warc, warc);
  trust = crawler (with);
  fr_test_run (trust);
  g_assert_cmpuint (test_server_asked (server, "/c"), ==, 2);
  g_assert_cmpuint (test_server_asked (server, "/b"), ==, 3);
  g_assert_cmpuint (test_server_asked (server, "/tagged"), ==, 3);
  g_assert_cmpint (fr_test_counter (trust, "pages_trusted"), ==, 1);
  a = column (first, "out", "content_hash");
  b = column (trust, "out", "content_hash");
  g_assert_cmpstr (a, ==, b);
  expect_column (trust, "out", "final_url", "/c;/b;/tagged;");
  g_unlink (warc);
  g_rmdir (dir);
  tear_down ();
}

static void
test_warc_damaged (void)
{
  g_autofree char *dir = g_dir_make_tmp ("damaged-XXXXXX", NULL),
                  *path = g_build_filename (dir, "d.warc", NULL);
  g_autofree char *with = g_strdup_printf ("{'warc': '%s', 'near_distance': 0}", path),
                  *text = prose ("存档");
  g_autofree char *body = g_strdup_printf (
      "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>%s</p>", text);
  g_autoptr (GString) warc = g_string_new ("this is no record\n");
  g_autoptr (FrTest) t = NULL;

  g_string_append_printf (
      warc,
      "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/1\r\n"
      "WARC-Date: 2024-05-01T00:00:00Z\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s\r\n\r\n",
      strlen (body), body);
  g_string_append (warc,
                   "WARC/1.1\r\nWARC-Type: revisit\r\nWARC-Target-URI: http://a.example/2\r\n"
                   "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/server-not-modified\r\n"
                   "WARC-Date: 2024-05-01T00:00:00Z\r\nContent-Length: 24\r\n\r\nHTTP/1.1 304 Not "
                   "Mod\r\n\r\n\r\n\r\n");
  g_string_append (warc, "WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 70000\r\n\r\ncut");
  g_file_set_contents (path, warc->str, (gssize) warc->len, NULL);
  t = crawler (with);
  fr_test_run (t);
  expect_column (t, "out", "final_url", "http://a.example/1;");
  expect_column (t, "rejects", "reject_rule", "warc_damaged;warc_record;warc_damaged;");
  g_unlink (path);
  g_rmdir (dir);
}

static void
test_cancel (void)
{
  g_autoptr (FrTest) t = NULL;

  set_up ();
  t = crawler ("{'start': ['http://127.0.0.1:PORT/a', 'http://127.0.0.1:PORT/drip'], " QUICK "}");
  fr_test_cancel_at (t, 1);
  fr_test_run (t);
  tear_down ();
}

static void
test_check (void)
{
  static const struct
  {
    const char *with, *says;
  } cases[] = { { "{}", "give either 'start'" },
                { "{'start': 'ftp://a/'}", "neither http nor https" },
                { "{'start': 'http://me:pw@a/'}", "use 'bearer'" },
                { "{'start': 'http://a/', 'warc': 'x.warc'}", "not both" },
                { "{'start': 'http://a/', 'changed_only': true}", "needs 'since'" },
                { "{'start': 'http://a/', 'trust_lastmod': true}", "not modified since when?" },
                { "{'start': 'http://a/', 'min_delay': '1h'}", "longer than 'max_delay'" },
                { "{'start': 'http://a/', 'scope': 'any', 'max_pages': 0}", "would not end" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = crawler (cases[i].with);

      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].says) == NULL)
        g_error ("'%s' does not say '%s'", fr_test_problems (t), cases[i].says);
      g_assert_null (strstr (fr_test_problems (t), "pw@"));
    }
}

/* ---- other people's pages ------------------------------------------------------------------- */

typedef struct
{
  GBytes *body;
  const char *headers;
} One;

static gboolean
answer_one (const TestAsk *ask, TestAnswer *out, gpointer data)
{
  One *one = data;
  gsize len;
  const char *body = g_bytes_get_data (one->body, &len);

  if (!g_str_equal (ask->path, "/page"))
    return FALSE;
  test_answer (out, 200, one->headers, body, (gssize) len);
  return TRUE;
}

static void
expect_charset (const char *text, gsize len, const char *headers, const char *charset,
                const char *from, const char *says)
{
  One one = { g_bytes_new (text, len), headers };
  g_autoptr (FrTest) t = NULL;

  server = test_server_new (answer_one, &one, NULL);
  t = crawler ("{'start': 'http://127.0.0.1:PORT/page', 'max_depth': 0, 'text': 'whole', " QUICK
               "}");
  fr_test_run (t);
  expect_column (t, "out", "charset", charset);
  expect_column (t, "out", "charset_from", from);
  g_assert_nonnull (strstr (fr_test_output (t, "out"), says));
  g_clear_pointer (&server, test_server_free);
  g_bytes_unref (one.body);
}

/* The same page in three charsets, told by the header, by its meta element, and by nothing but its
 * bytes. */
static void
test_charsets (void)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *page_path = g_build_filename (data ? data : "/nowhere", "html-httpd-zh",
                                                 "handler.html.zh-cn.utf8", NULL);
  g_autofree char *old_path = g_build_filename (data ? data : "/nowhere", "html-legacy-zh",
                                                "index.html.zh-cn.gb2312", NULL);
  static const struct
  {
    const char *label, *canonical;
  } charsets[] = { { "gb18030", "gb18030;" }, { "gb2312", "gb18030;" }, { "utf-8", "utf-8;" } };
  g_autofree char *text = NULL, *old = NULL;
  gsize len, old_len;

  if (!g_file_get_contents (page_path, &text, &len, NULL)
      || !g_file_get_contents (old_path, &old, &old_len, NULL))
    {
      g_test_skip ("data/html-httpd-zh and data/html-legacy-zh are not here");
      return;
    }
  expect_charset (old, old_len, "Content-Type: text/html\r\n", "gb18030;", "guessed;", "Apache");
  for (guint i = 0; i < G_N_ELEMENTS (charsets); i++)
    {
      g_autoptr (GString) html = g_string_new (text), plain = NULL;
      g_autofree char *meta = g_strdup_printf ("charset=%s", charsets[i].label), *bytes = NULL,
                      *bare = NULL, *header = NULL;
      gsize n, bare_n;

      /* Without the XML declaration, which names a charset too. */
      if (g_str_has_prefix (html->str, "<?xml"))
        g_string_erase (html, 0, strchr (html->str, '\n') + 1 - html->str);
      plain = g_string_new (html->str);
      g_assert_cmpuint (g_string_replace (html, "charset=UTF-8", meta, 0), >, 0);
      g_string_replace (plain, "charset=UTF-8", "", 0);
      bytes = g_convert (html->str, -1, "gb18030", "utf-8", NULL, &n, NULL);
      bare = g_convert (plain->str, -1, i == 2 ? "utf-8" : "gb18030", "utf-8", NULL, &bare_n, NULL);
      if (i == 2)
        {
          g_free (bytes);
          bytes = g_strdup (html->str);
          n = html->len;
        }
      header = g_strdup_printf ("Content-Type: text/html; charset=%s\r\n", charsets[i].label);
      expect_charset (bytes, n, "Content-Type: text/html\r\n", charsets[i].canonical, "meta;",
                      "处理器");
      expect_charset (bare, bare_n, header, charsets[i].canonical, "transport;", "处理器");
      expect_charset (bare, bare_n, "Content-Type: text/html\r\n", charsets[i].canonical,
                      "guessed;", "处理器");
    }
}

static gboolean
answer_files (const TestAsk *ask, TestAnswer *out, gpointer data)
{
  return test_answer_file (ask, out, data);
}

static void
test_httpd (void)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *folder = g_build_filename (data ? data : "/nowhere", "html-httpd-zh", NULL);
  g_autoptr (FrTest) t = NULL;

  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    {
      g_test_skip ("data/html-httpd-zh is not here");
      return;
    }
  server = test_server_new (answer_files, folder, NULL);
  t = crawler ("{'start': 'http://127.0.0.1:PORT/sitemap.html', 'max_depth': 2, " QUICK "}");
  fr_test_run (t);
  /* The sitemap page links to most of the manual; what is not here is a 404 each, and no more than
   * a reject. */
  g_assert_cmpuint (fr_test_n_rows (t, "out"), >=, 8);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), >, 50);
  g_clear_pointer (&server, test_server_free);
}

static void
test_libreoffice (void)
{
  const char *folder = "/usr/share/libreoffice/help";
  g_autofree char *one_rows = NULL, *two_rows = NULL;
  g_autoptr (FrTest) one = NULL, two = NULL;

  if (!g_file_test ("/usr/share/libreoffice/help/zh-CN/text/swriter/main0000.html",
                    G_FILE_TEST_EXISTS))
    {
      g_test_skip ("libreoffice-help-zh-cn is not installed");
      return;
    }
  server = test_server_new (answer_files, (gpointer) (gsize) folder, NULL);
#define HELP                                                                                       \
  "'start': ['http://127.0.0.1:PORT/zh-CN/text/swriter/main0000.html', "                           \
  "'http://127.0.0.1:PORT/zh-CN/text/scalc/main0000.html'], "                                      \
  "'max_pages': 400, " QUICK
  one = crawler ("{" HELP "}");
  fr_test_run (one);
  two = crawler ("{'host_connections': 16, " HELP "}");
  fr_test_run (two);
  g_assert_cmpuint (fr_test_n_rows (one, "out") + fr_test_n_rows (one, "duplicates"), >=, 380);
  g_assert_nonnull (strstr (fr_test_output (one, "out"), "\"language\":\"zh-CN\""));
  one_rows = rows (one, "out");
  two_rows = rows (two, "out");
  g_assert_cmpstr (one_rows, ==, two_rows);
  g_clear_pointer (&server, test_server_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crawler/site", test_site);
  g_test_add_func ("/crawler/columns", test_columns);
  g_test_add_func ("/crawler/limits", test_limits);
  g_test_add_func ("/crawler/time", test_time);
  g_test_add_func ("/crawler/traps", test_traps);
  g_test_add_func ("/crawler/calendar", test_calendar);
  g_test_add_func ("/crawler/robots", test_robots);
  g_test_add_func ("/crawler/refused", test_refused);
  g_test_add_func ("/crawler/bearer", test_bearer);
  g_test_add_func ("/crawler/sitemaps", test_sitemaps);
  g_test_add_func ("/crawler/archive", test_archive);
  g_test_add_func ("/crawler/since", test_since);
  g_test_add_func ("/crawler/trust-lastmod", test_trust_lastmod);
  g_test_add_func ("/crawler/warc-damaged", test_warc_damaged);
  g_test_add_func ("/crawler/cancel", test_cancel);
  g_test_add_func ("/crawler/check", test_check);
  g_test_add_func ("/crawler/charsets", test_charsets);
  g_test_add_func ("/crawler/httpd", test_httpd);
  g_test_add_func ("/crawler/libreoffice", test_libreoffice);
  return g_test_run ();
}
