/* SPDX-License-Identifier: Apache-2.0 */
/* test-parts.c: what the crawler is made of, each part by itself.
 *
 * Robots: every case of Google's open parser (data/robots-google), those of its extensions
 * included, and what RFC 9309 says beside it.
 */
#include "config.h"

#include "frontier.h"
#include "known.h"
#include "robots.h"
#include "scope.h"
#include "simhash.h"
#include "sitemap.h"
#include "store.h"
#include "warc.h"

#include <flowrun/flowrun.h>
#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

/* ---- robots -------------------------------------------------------------------------- */

static gboolean
allows (const char *text, const char *agent, const char *path)
{
  g_autoptr (Robots) robots = robots_parse (text, strlen (text));

  return robots_allows (robots, agent, path);
}

static void
test_robots_google (void)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path
      = g_build_filename (data ? data : "/nowhere", "robots-google", "cases.jsonl", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip ("data/robots-google is not here");
      return;
    }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++, n++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = fr_json_parse (lines[i], -1, 0, &error);
      JsonObject *o;
      const char *url;
      g_auto (NetUrl) parsed = { 0 };

      g_assert_no_error (error);
      o = json_node_get_object (node);
      url = json_object_get_string_member (o, "url");
      net_url_parse (url, strlen (url), NULL, NULL, 0, &parsed, NULL);
      if (allows (json_object_get_string_member (o, "robots"),
                  json_object_get_string_member (o, "agent"),
                  parsed.text ? parsed.text + parsed.path : "")
          != json_object_get_boolean_member (o, "allowed"))
        {
          g_test_message ("%s", lines[i]);
          g_test_fail ();
        }
    }
  g_assert_cmpuint (n, ==, 61);
}

static void
test_robots (void)
{
  g_autoptr (Robots) robots = NULL;
  g_autoptr (GString) large = g_string_new ("user-agent: *\n");
  const char *text = "\xef\xbb\xbfUser-agent: flowrun # us\r\nCrawl-delay: 2.5\rDisallow: "
                     "/a*b$\nSitemap: /s.xml\n"
                     "sitemap: http://b.example/t.xml\nuser-agent: *\ndisallow: /\n";

  robots = robots_parse (text, strlen (text));
  g_assert_cmpfloat (robots_delay (robots, "flowrun"), ==, 2.5);
  g_assert_cmpfloat (robots_delay (robots, "other"), ==, 0);
  g_assert_cmpstr (robots_sitemaps (robots)[0], ==, "/s.xml");
  g_assert_cmpstr (robots_sitemaps (robots)[1], ==, "http://b.example/t.xml");
  g_assert_null (robots_sitemaps (robots)[2]);
  g_assert_false (robots_allows (robots, "FlowRun", "/axxb"));
  g_assert_true (robots_allows (robots, "flowrun", "/axxbc"));
  g_assert_false (robots_allows (robots, "other", "/x"));
  g_assert_true (robots_allows (robots, "other", "/robots.txt"));
  /* One form for both sides: encoded, not encoded, beyond ASCII (RFC 9309, 2.2.2). */
  g_assert_false (allows ("user-agent: *\ndisallow: /%7ejoe/caf\xc3\xa9", "x", "/~joe/caf%C3%A9"));
  g_assert_false (allows ("user-agent: *\ndisallow: /a%2a", "x", "/a*"));
  g_assert_true (allows ("user-agent: *\ndisallow: /a%2a", "x", "/ab"));
  g_assert_false (allows ("user-agent: *\ndisallow: /a$b", "x", "/a$b"));
  g_assert_false (allows ("user-agent: *\ndisallow: /*/*/x*y$", "x", "/1/2/x/y"));
  g_assert_true (allows ("user-agent: *\ndisallow: /*/*/x*y$", "x", "/1/2/x/y/"));
  g_assert_true (allows ("<html><body>not found</body></html>", "x", "/"));
  /* Of a file that is too long the last line that fits whole is read. */
  while (large->len < ROBOTS_MAX - 10)
    g_string_append (large, "# filler\n");
  g_string_append (large, "disallow: /a-very-long-path-that-is-cut\n");
  g_clear_pointer (&robots, robots_free);
  robots = robots_parse (large->str, large->len);
  g_assert_true (robots_was_cut (robots));
  g_assert_true (robots_allows (robots, "x", "/a-very"));
}

/* ---- sitemaps -------------------------------------------------------------------------- */

static void
expect_sitemap (const char *text, const char *urls, gboolean is_index, gboolean damaged)
{
  g_autoptr (Sitemap) sitemap = sitemap_parse (str (text));
  g_autoptr (GString) got = g_string_new (NULL);

  g_assert_nonnull (sitemap);
  for (guint i = 0; i < sitemap->entries->len; i++)
    {
      const SitemapEntry *e = &g_array_index (sitemap->entries, SitemapEntry, i);

      g_string_append_printf (got, "%s%s%s;", e->url, e->lastmod ? "@" : "",
                              e->lastmod ? e->lastmod : "");
    }
  g_assert_cmpstr (got->str, ==, urls);
  g_assert_cmpint (sitemap->is_index, ==, is_index);
  g_assert_cmpint (sitemap->fault != NULL, ==, damaged);
}

static void
test_sitemap (void)
{
  g_autoptr (GString) many = g_string_new ("<urlset>");
  g_autoptr (Sitemap) sitemap = NULL;

  expect_sitemap ("<?xml version='1.0'?><!-- <loc>no</loc> --><urlset xmlns='x'>"
                  "<url><loc> http://a/?x=1&amp;y=&#50; </loc><lastmod>2024-05-01</lastmod></url>"
                  "<url><loc><![CDATA[http://b/<c>]]></loc></url></urlset>",
                  "http://a/?x=1&y=2@2024-05-01;http://b/<c>;", FALSE, FALSE);
  expect_sitemap (
      "<sm:sitemapindex><sm:sitemap><sm:loc>http://a/1.xml</sm:loc></sm:sitemap></sm:sitemapindex>",
      "http://a/1.xml;", TRUE, TRUE);
  expect_sitemap ("<sitemapindex><sitemap><loc>http://a/1.xml</loc></sitemap></sitemapindex>",
                  "http://a/1.xml;", TRUE, FALSE);
  expect_sitemap ("<urlset><url><loc>http://a/</loc></url><url><loc>http://b/",
                  "http://a/;http://b/;", FALSE, TRUE);
  expect_sitemap ("<urlset><url></url><url><loc>http://a/</loc></urlset>", "http://a/;", FALSE,
                  TRUE);
  expect_sitemap ("<urlset><url><loc>http://a/</loc><url><loc>http://b/</loc></url></urlset>",
                  "http://a/;http://b/;", FALSE, FALSE);
  expect_sitemap (
      "<rss><channel><link>http://no/</link><item><link>http://a/1</link></item></channel></rss>",
      "http://a/1;", FALSE, FALSE);
  expect_sitemap ("<feed><link href='http://no/'/><entry><link rel='alternate' href='http://a/1'/>"
                  "<link rel='enclosure' href='http://a/2'/></entry></feed>",
                  "http://a/1;", FALSE, FALSE);
  expect_sitemap ("http://a/1\r\n\r\nhttps://b/2\n", "http://a/1;https://b/2;", FALSE, FALSE);
  g_assert_null (sitemap_parse (str ("<html><body>404</body></html>")));
  g_assert_null (sitemap_parse (str ("no sitemap")));
  g_assert_null (sitemap_parse (str ("")));
  for (guint i = 0; i < SITEMAP_URLS + 5; i++)
    g_string_append (many, "<url><loc>http://a/</loc></url>");
  sitemap = sitemap_parse ((FrStr){ many->str, many->len });
  g_assert_cmpuint (sitemap->entries->len, ==, SITEMAP_URLS);
  g_assert_nonnull (sitemap->fault);
}

static void
test_unpack (void)
{
  static const guint8 broken[] = { 0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff };
  gboolean cut;
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) plain = sitemap_unpack ((const guint8 *) "http://a/\n", 10, &cut, &error);
  g_autoptr (GByteArray) none = sitemap_unpack ((const guint8 *) "", 0, &cut, NULL);

  g_assert_no_error (error);
  g_assert_cmpuint (plain->len, ==, 10);
  g_assert_true (none == NULL || none->len == 0);
  g_assert_null (sitemap_unpack (broken, sizeof broken, &cut, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
}

/* ---- scope ------------------------------------------------------------------------------- */

static ScopeWhy
scoped (const Settings *settings, const char *start, const char *text)
{
  g_autoptr (Scope) scope = scope_new (settings);
  g_auto (NetUrl) from = { 0 }, url = { 0 };

  g_assert_true (net_url_parse (start, strlen (start), NULL, NULL, 0, &from, NULL));
  g_assert_true (net_url_parse (text, strlen (text), NULL, NULL, 0, &url, NULL));
  scope_add (scope, &from);
  return scope_check (scope, &url);
}

/* A start URL that leads to another host of its domain: that host is crawled, but gets no token. */
static void
test_scope_redirect (void)
{
  Settings s = { .scope = SCOPE_HOST };
  g_autoptr (Scope) scope = scope_new (&s);
  g_auto (NetUrl) from = { 0 }, to = { 0 }, other = { 0 };

  g_assert_true (net_url_parse ("http://example.com/", 19, NULL, NULL, 0, &from, NULL));
  g_assert_true (net_url_parse ("https://www.example.com/", 24, NULL, NULL, 0, &to, NULL));
  g_assert_true (net_url_parse ("https://example.org/", 20, NULL, NULL, 0, &other, NULL));
  scope_add (scope, &from);
  g_assert_false (scope_add_redirect (scope, &from, &other));
  g_assert_true (scope_add_redirect (scope, &from, &to));
  g_assert_cmpint (scope_check (scope, &to), ==, SCOPE_IN);
  g_assert_cmpint (scope_check (scope, &other), ==, SCOPE_OUTSIDE);
  g_assert_true (scope_is_given (scope, &from));
  g_assert_false (scope_is_given (scope, &to));
}

static void
test_scope (void)
{
  char *include[] = { "*/news/*", NULL }, *exclude[] = { "*?sort=*", "*/login", NULL };
  Settings s = { .scope = SCOPE_HOST };

  g_assert_cmpint (scoped (&s, "http://a.example.com/x/", "https://a.example.com/y"), ==, SCOPE_IN);
  g_assert_cmpint (scoped (&s, "http://a.example.com/x/", "http://b.example.com/y"), ==,
                   SCOPE_OUTSIDE);
  g_assert_cmpint (scoped (&s, "http://a.example.com/", "http://a.example.com:81/"), ==,
                   SCOPE_OUTSIDE);
  g_assert_cmpint (scoped (&s, "http://a/", "http://a/b/c.JPG?x"), ==, SCOPE_FILE);
  g_assert_cmpint (scoped (&s, "http://a/", "http://a/b.jpg/c"), ==, SCOPE_IN);
  g_assert_cmpint (scoped (&s, "http://a/", "http://a/bb/c/bb/c/bb/"), ==, SCOPE_REPEATING);
  g_assert_cmpint (scoped (&s, "http://a/", "http://a/bb/c/bb/c/"), ==, SCOPE_IN);
  s.scope = SCOPE_DOMAIN;
  g_assert_cmpint (scoped (&s, "http://www.news.com.cn/", "http://sports.news.com.cn/y"), ==,
                   SCOPE_IN);
  g_assert_cmpint (scoped (&s, "http://www.news.com.cn/", "http://other.com.cn/y"), ==,
                   SCOPE_OUTSIDE);
  s.scope = SCOPE_FOLDER;
  g_assert_cmpint (scoped (&s, "http://a/docs/index.html", "http://a/docs/b/c"), ==, SCOPE_IN);
  g_assert_cmpint (scoped (&s, "http://a/docs/index.html", "http://a/docs2/b"), ==, SCOPE_OUTSIDE);
  g_assert_cmpint (scoped (&s, "http://a/docs/index.html", "http://a/"), ==, SCOPE_OUTSIDE);
  s.scope = SCOPE_ANY;
  s.include = include;
  s.exclude = exclude;
  g_assert_cmpint (scoped (&s, "http://a/", "http://b/news/1"), ==, SCOPE_IN);
  g_assert_cmpint (scoped (&s, "http://a/", "http://b/old/1"), ==, SCOPE_EXCLUDED);
  g_assert_cmpint (scoped (&s, "http://a/", "http://b/news/1?sort=up"), ==, SCOPE_EXCLUDED);
  g_assert_true (scope_matches ("*a*b", "xxaxxaxb"));
  g_assert_false (scope_matches ("*a*b", "xxaxxaxbc"));
  g_assert_true (scope_matches ("", ""));
  g_assert_true (scope_matches ("**", "x"));
}

/* ---- what is known ------------------------------------------------------------------------- */

static char *
sentences (guint from, guint n)
{
  GString *out = g_string_new (NULL);

  for (guint i = from; i < from + n; i++)
    g_string_append_printf (out, "第%u段说的是编号%u的商品，价格为%u元，颜色和尺寸各不相同。\n", i,
                            i * 7919, i * 31 % 997);
  return g_string_free (out, FALSE);
}

static void
test_known (void)
{
  g_autoptr (Known) known = known_new (3, 3);
  g_autofree char *a = sentences (0, 60), *b = sentences (500, 60),
                  *near = g_strconcat (a, "完。", NULL);
  g_autofree char *spaced = g_strconcat ("\n ", a, " \n", NULL),
                  *shape = known_shape ("http://a/2024/05?d=07");
  char hash[33], again[33];
  const char *of = NULL;
  guint64 bits;

  g_assert_cmpstr (shape, ==, "http://a/#/#?d=#");
  g_assert_cmpint (known_check (known, str (a), "u1", hash, &of), ==, KNOWN_NEW);
  g_assert_cmpint (known_check (known, str ("a text of another kind"), "u2", again, &of), ==,
                   KNOWN_NEW);
  g_assert_cmpint (known_check (known, str (spaced), "u3", again, &of), ==, KNOWN_SAME);
  g_assert_cmpstr (hash, ==, again);
  g_assert_cmpstr (of, ==, "u1");
  g_assert_cmpint (known_check (known, str (near), "u4", again, &of), ==, KNOWN_NEAR);
  g_assert_cmpstr (of, ==, "u1");
  g_assert_false (simhash (str ("短文"), &bits));
  /* A calendar: pages that differ in digits alone close their shape, others stay open. */
  g_assert_false (known_note (known, "http://a/1", str ("2024 年 1 月 没有活动"), KNOWN_NEW));
  for (guint i = 2; i < 4; i++)
    g_assert_false (known_note (known, "http://a/2", str ("2024 年 2 月 没有活动"), KNOWN_NEW));
  g_assert_true (known_note (known, "http://a/3", str ("2024 年 3 月 没有活动"), KNOWN_NEW));
  g_assert_true (known_closed (known, "http://a/2031"));
  g_assert_false (known_closed (known, "http://a/b/1"));
  for (guint i = 0; i < 9; i++)
    g_assert_false (known_note (known, "http://a/plain", str (""), KNOWN_SAME));
}

static void
test_frontier (void)
{
  g_autofree char *dir = g_dir_make_tmp ("frontier-XXXXXX", NULL),
                  *file = g_build_filename (dir, "urls", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Frontier) f = frontier_new (dir, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < 60000; i++)
    {
      g_autofree char *url
          = g_strdup_printf ("http://www.example.com/a/path/of/some/length/%u.html", i);

      g_assert_cmpuint (frontier_find (f, url), ==, NO_URL);
      g_assert_cmpuint (frontier_add (f, url, &error), ==, i);
    }
  for (guint i = 0; i < 60000; i += 77)
    {
      g_autofree char *url
          = g_strdup_printf ("http://www.example.com/a/path/of/some/length/%u.html", i);
      g_autofree char *text = frontier_text (f, i, &error);

      g_assert_cmpstr (text, ==, url);
      g_assert_cmpuint (frontier_find (f, url), ==, i);
    }
  g_unlink (file);
  g_rmdir (dir);
}

/* ---- the store ------------------------------------------------------------------------------ */

static Answer *
new_answer (const char *url, guint status, const char *headers, gsize headers_len, const char *body)
{
  Answer *a = g_new0 (Answer, 1);

  a->url = g_strdup (url);
  a->status = status;
  a->headers = g_memdup2 (headers, headers_len + 1);
  a->headers_len = headers_len;
  a->body = g_byte_array_new ();
  g_byte_array_append (a->body, (const guint8 *) body, (guint) strlen (body));
  a->fetched = G_GINT64_CONSTANT (1717000000123456);
  return a;
}

#define HTML "content-type\0text/html; charset=\"GB2312\"\0etag\0\"1\"\0"

static void
test_store (void)
{
  g_autofree char *dir = g_dir_make_tmp ("store-XXXXXX", NULL),
                  *file = g_build_filename (dir, "answers", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *whole = NULL, *charset = NULL;
  gsize len;
  guint64 bytes;

  {
    g_autoptr (Store) store = store_open (dir, FALSE, &error);
    g_autoptr (Answer) a = new_answer ("http://a/", 200, HTML, sizeof HTML - 1, "first");
    g_autoptr (Answer) b = NULL;

    g_assert_no_error (error);
    g_assert_true (store_put (store, a, &error));
    b = new_answer ("http://b/", 0, "", 0, "");
    b->message = g_strdup ("no answer in time");
    b->fault = 6;
    g_assert_true (store_put (store, b, &error));
  }
  g_file_get_contents (file, &whole, &len, NULL);
  /* Killed while writing: at every byte of the last record, what was whole stays. */
  for (gsize cut = len; cut > len - 60; cut--)
    {
      g_autoptr (Store) store = NULL;
      g_autoptr (Answer) a = NULL, b = NULL;

      g_file_set_contents (file, whole, (gssize) cut, NULL);
      store = store_open (dir, FALSE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (store_count (store, &bytes), ==, cut == len ? 2 : 1);
      a = store_get (store, "http://a/", &error);
      g_assert_cmpstr (answer_header (a, "etag"), ==, "\"1\"");
      g_assert_cmpmem (a->body->data, a->body->len, "first", 5);
      g_assert_cmpint (a->fetched, ==, G_GINT64_CONSTANT (1717000000123456));
      g_free (charset);
      charset = answer_header_parameter (a, "content-type", "charset");
      g_assert_cmpstr (charset, ==, "GB2312");
      g_assert_cmpint (store_has (store, "http://b/"), ==, cut == len);
      if (cut == len)
        {
          b = store_get (store, "http://b/", &error);
          g_assert_cmpstr (b->message, ==, "no answer in time");
          g_assert_cmpuint (b->fault, ==, 6);
        }
    }
  /* A byte that changed: that record and what follows is not believed. */
  whole[len - 1] ^= 1;
  g_file_set_contents (file, whole, (gssize) len, NULL);
  {
    g_autoptr (Store) store = store_open (dir, FALSE, &error);

    g_assert_cmpuint (store_count (store, &bytes), ==, 1);
  }
  g_unlink (file);
  g_rmdir (dir);
}

/* ---- archives ---------------------------------------------------------------------------------
 */

static void
write_archive (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WarcWriter) w = warc_writer_new (path, "test", "obey", NULL, &error);
  g_autoptr (Answer) a = new_answer ("http://a/", 200, HTML, sizeof HTML - 1, "<p>one</p>");
  g_autoptr (Answer) same = new_answer ("http://a/2", 200, HTML, sizeof HTML - 1, "<p>one</p>");
  g_autoptr (Answer) moved
      = new_answer ("http://a/old", 301, "location\0/\0", sizeof "location\0/\0" - 1, "");
  g_autoptr (Answer) unchanged = new_answer ("http://a/3", 304, "", 0, "");
  g_autoptr (Answer) earlier
      = new_answer ("http://a/3", 200, HTML, sizeof HTML - 1, "<p>three</p>");

  g_assert_no_error (error);
  g_assert_true (warc_writer_put (w, a, NULL, "", NULL, &error));
  g_assert_true (warc_writer_put (w, same, "http://a/", "L", NULL, &error));
  g_assert_true (warc_writer_put (w, moved, "http://a/", "L", NULL, &error));
  g_assert_true (warc_writer_put (w, unchanged, "http://a/", "L", earlier, &error));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (warc_writer_commit (w, &error));
  g_assert_no_error (error);
}

static void
expect_archive (const char *path)
{
  const char *paths[] = { path, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (WarcReader) reader = warc_reader_new (paths, NULL, &error);
  g_autoptr (GString) got = g_string_new (NULL);
  WarcEvent event;

  g_assert_no_error (error);
  do
    {
      g_auto (WarcRecord) r = { 0 };
      g_autoptr (Answer) answer = NULL;
      const char *fault;

      event = warc_reader_next (reader, &r, &error);
      g_assert_no_error (error);
      g_assert_cmpint (event, !=, WARC_FAULT);
      if (event != WARC_RECORD)
        break;
      answer = warc_http (&r, &fault);
      g_string_append_printf (got, "%s %s %u %.*s\n", r.type, r.uri ? r.uri : "-",
                              answer ? answer->status : 0, answer ? (int) answer->body->len : 0,
                              answer ? (const char *) answer->body->data : "");
      if (answer && answer->status == 200)
        {
          g_assert_cmpstr (answer_header (answer, "etag"), ==, "\"1\"");
          g_assert_cmpint (answer->fetched, ==, G_GINT64_CONSTANT (1717000000123456));
        }
    }
  while (event == WARC_RECORD);
  g_assert_cmpstr (got->str, ==,
                   "warcinfo - 0 \n"
                   "response http://a/ 200 <p>one</p>\nmetadata http://a/ 0 \n"
                   "revisit http://a/2 200 \nmetadata http://a/2 0 \n"
                   "response http://a/old 301 \nmetadata http://a/old 0 \n"
                   "revisit http://a/3 304 \nmetadata http://a/3 0 \n");
}

static void
test_warc (void)
{
  g_autofree char *dir = g_dir_make_tmp ("warc-XXXXXX", NULL);
  g_autofree char *plain = g_build_filename (dir, "a.warc", NULL),
                  *packed = g_build_filename (dir, "a.warc.gz", NULL);

  write_archive (plain);
  expect_archive (plain);
  write_archive (packed);
  expect_archive (packed);
  {
    /* What is not committed is not there. */
    g_autofree char *other = g_build_filename (dir, "b.warc", NULL);
    g_autoptr (WarcWriter) w = warc_writer_new (other, "test", "obey", NULL, NULL);

    g_assert_nonnull (w);
  }
  g_unlink (plain);
  g_unlink (packed);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* Damage is told, and the records around it are read. */
static void
test_warc_damaged (void)
{
  static const struct
  {
    const char *text;
    const char *events; /* R record, F fault */
  } cases[] = {
    { "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 2\r\n\r\nab\r\n\r\nWARC/1.0\r\nWARC-Type: "
      "y\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
      "RR" },
    { "junk\nWARC/1.0\nWARC-Type: y\nContent-Length: 0\n\n\n\n", "FR" },
    { "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 9\r\n\r\nab\r\n\r\nWARC/1.0\r\nWARC-Type: "
      "y\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
      "FR" },
    { "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 1\r\n\r\nab\r\n\r\nWARC/1.0\r\nWARC-Type: "
      "y\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
      "FR" },
    { "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: -1\r\n\r\nab\r\n\r\nWARC/1.0\r\nWARC-Type: "
      "y\r\nContent-Length: 0\r\n\r\n",
      "FR" },
    { "WARC/1.0\r\nContent-Length: 0\r\n\r\n\r\n\r\nWARC/1.0\r\nWARC-Type: y\r\nContent-Length: "
      "0\r\n\r\n",
      "FR" },
    { "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "F" },
    { "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 5\r\n\r\nab", "F" },
    { "WARC/1.0\r\nWARC-Type: x", "F" },
    { "", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) got = g_string_new (NULL);
      const char *p = cases[i].text;
      gsize left = strlen (p), used, need;
      WarcEvent event;

      do
        {
          g_auto (WarcRecord) r = { 0 };

          event = warc_parse (p, left, TRUE, &r, &used, &need);
          g_assert_cmpint (event, !=, WARC_MORE);
          g_assert_true (event == WARC_END || used > 0);
          p += used;
          left -= used;
          if (event != WARC_END)
            g_string_append_c (got, event == WARC_RECORD ? 'R' : 'F');
        }
      while (event != WARC_END);
      g_test_message ("case %u", i);
      g_assert_cmpstr (got->str, ==, cases[i].events);
    }
}

static void
test_warc_http (void)
{
  static const struct
  {
    const char *block;
    const char *body; /* NULL: cannot be read */
  } cases[]
      = { { "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", "body" },
          { "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            "abcde" },
          { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", "abc" },
          { "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx", NULL },
          { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx", NULL },
          { "HTTP/2 404\r\n\r\n", "" },
          { "HTTP/1.1", NULL },
          { "GET / HTTP/1.1\r\n\r\n", NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WarcRecord r = { .block = str (cases[i].block) };
      const char *fault = NULL;
      g_autoptr (Answer) answer = warc_http (&r, &fault);

      g_test_message ("case %u", i);
      g_assert_cmpint (answer != NULL, ==, cases[i].body != NULL);
      g_assert_cmpint (fault != NULL, ==, cases[i].body == NULL);
      if (answer)
        g_assert_cmpmem (answer->body->data, answer->body->len, cases[i].body,
                         strlen (cases[i].body));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crawler/robots-google", test_robots_google);
  g_test_add_func ("/crawler/robots", test_robots);
  g_test_add_func ("/crawler/sitemap", test_sitemap);
  g_test_add_func ("/crawler/unpack", test_unpack);
  g_test_add_func ("/crawler/scope", test_scope);
  g_test_add_func ("/crawler/scope-redirect", test_scope_redirect);
  g_test_add_func ("/crawler/known", test_known);
  g_test_add_func ("/crawler/frontier", test_frontier);
  g_test_add_func ("/crawler/store", test_store);
  g_test_add_func ("/crawler/warc", test_warc);
  g_test_add_func ("/crawler/warc-damaged", test_warc_damaged);
  g_test_add_func ("/crawler/warc-http", test_warc_http);
  return g_test_run ();
}
