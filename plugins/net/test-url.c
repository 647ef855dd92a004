/* SPDX-License-Identifier: Apache-2.0 */
/* test-url.c: addresses of the web and of the network.
 *
 * Resolution: every example of RFC 3986, 5.4 that is about http; normal forms: 6.2.2 and 6.2.3.
 */
#include "config.h"

#include "net/address.h"
#include "net/url.h"

#include <string.h>

static char *
normal (const char *text, const char *base, const char *charset, guint flags)
{
  g_auto (NetUrl) from = { 0 }, url = { 0 };
  const char *why = NULL;

  if (base)
    g_assert_true (net_url_parse (base, strlen (base), NULL, NULL, 0, &from, NULL));
  if (!net_url_parse (text, strlen (text), base ? &from : NULL, charset, flags, &url, &why))
    {
      g_assert_nonnull (why);
      return g_strdup ("-");
    }
  g_assert_cmpuint (strlen (url.text), ==, url.len);
  g_assert_cmpuint (url.path, <, url.len);
  g_assert_cmpint (url.text[url.path], ==, '/');
  return g_steal_pointer (&url.text);
}

static void
test_resolve (void)
{
  static const char *const cases[][2] = { { "http:g", "http://a/b/c/g" },
                                          { "g", "http://a/b/c/g" },
                                          { "./g", "http://a/b/c/g" },
                                          { "g/", "http://a/b/c/g/" },
                                          { "/g", "http://a/g" },
                                          { "//g", "http://g/" },
                                          { "?y", "http://a/b/c/d;p?y" },
                                          { "g?y", "http://a/b/c/g?y" },
                                          { "#s", "http://a/b/c/d;p?q" },
                                          { "g#s", "http://a/b/c/g" },
                                          { "g?y#s", "http://a/b/c/g?y" },
                                          { ";x", "http://a/b/c/;x" },
                                          { "g;x", "http://a/b/c/g;x" },
                                          { "g;x?y#s", "http://a/b/c/g;x?y" },
                                          { "", "http://a/b/c/d;p?q" },
                                          { ".", "http://a/b/c/" },
                                          { "./", "http://a/b/c/" },
                                          { "..", "http://a/b/" },
                                          { "../", "http://a/b/" },
                                          { "../g", "http://a/b/g" },
                                          { "../..", "http://a/" },
                                          { "../../", "http://a/" },
                                          { "../../g", "http://a/g" },
                                          { "../../../g", "http://a/g" },
                                          { "../../../../g", "http://a/g" },
                                          { "/./g", "http://a/g" },
                                          { "/../g", "http://a/g" },
                                          { "g.", "http://a/b/c/g." },
                                          { ".g", "http://a/b/c/.g" },
                                          { "g..", "http://a/b/c/g.." },
                                          { "..g", "http://a/b/c/..g" },
                                          { "./../g", "http://a/b/g" },
                                          { "./g/.", "http://a/b/c/g/" },
                                          { "g/./h", "http://a/b/c/g/h" },
                                          { "g/../h", "http://a/b/c/h" },
                                          { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
                                          { "g;x=1/../y", "http://a/b/c/y" },
                                          { "g?y/./x", "http://a/b/c/g?y/./x" },
                                          { "g?y/../x", "http://a/b/c/g?y/../x" },
                                          { "g:h", "-" },
                                          { "javascript:void(0)", "-" },
                                          { "mailto:a@b.example", "-" },
                                          { "\\\\g\\h", "http://g/h" },
                                          { "  g\n", "http://a/b/c/g" },
                                          { "g\th", "http://a/b/c/gh" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = normal (cases[i][0], "http://a/b/c/d;p?q", NULL, 0);

      g_assert_cmpstr (got, ==, cases[i][1]);
    }
}

static void
test_normal (void)
{
  static const char *const cases[][2]
      = { { "HTTP://Example.COM:80/%7efoo/%2e%2e/b%c3%a4r", "http://example.com/b%C3%A4r" },
          { "https://example.com:443", "https://example.com/" },
          { "https://example.com:8443?", "https://example.com:8443/" },
          { "http://example.com./a", "http://example.com/a" },
          { "http://user:secret@example.com/a", "http://example.com/a" },
          { "http://a@b@example.com/a", "http://example.com/a" },
          { "http://例子.测试/路径?查=询",
            "http://xn--fsqu00a.xn--0zwm56d/%E8%B7%AF%E5%BE%84?%E6%9F%A5=%E8%AF%A2" },
          { "http://ＥＸＡＭＰＬＥ.com/", "http://example.com/" },
          { "http://www。example。com/", "http://www.example.com/" },
          { "http://0x7f.1/", "http://127.0.0.1/" },
          { "http://2130706433/", "http://127.0.0.1/" },
          { "http://0177.0.0.01/", "http://127.0.0.1/" },
          { "http://1.2.3.4.5/", "-" },
          { "http://1.2.3.256/", "-" },
          { "http://[2001:DB8:0:0::1]:80/", "http://[2001:db8::1]/" },
          { "http://[::1/", "-" },
          { "http://[::g]/", "-" },
          { "http:///a", "-" },
          { "http:a", "-" },
          { "http://a:b/", "-" },
          { "http://a:0/", "-" },
          { "http://a:65536/", "-" },
          { "http://a..b/", "-" },
          { "http://a b/", "-" },
          { "http://exa%6dple.com/", "http://example.com/" },
          { "http://a/b c?d e", "http://a/b%20c?d%20e" },
          { "http://a/100%", "http://a/100%25" },
          { "http://a/x%2Fy", "http://a/x%2Fy" },
          { "ftp://a/", "-" },
          { "a/b", "-" },
          { "", "-" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = normal (cases[i][0], NULL, NULL, 0), *again = NULL;

      g_assert_cmpstr (got, ==, cases[i][1]);
      if (*got == '-')
        continue;
      again = normal (got, NULL, NULL, 0);
      g_assert_cmpstr (again, ==, got);
    }
}

static void
test_members (void)
{
  g_auto (NetUrl) url = { 0 }, other = { 0 };
  const char *text = "https://u@www.Example.com:8443/a/b?c=d";

  g_assert_true (net_url_parse (text, strlen (text), NULL, NULL, 0, &url, NULL));
  g_assert_cmpuint (url.port, ==, 8443);
  g_assert_cmpuint (url.scheme_len, ==, 5);
  g_assert_true (url.had_userinfo);
  g_assert_false (url.is_address);
  g_assert_cmpint (strncmp (url.text + url.host, "www.example.com", url.host_len), ==, 0);
  g_assert_cmpstr (url.text + url.query, ==, "?c=d");
  text = "https://www.example.com:8443/";
  g_assert_true (net_url_parse (text, strlen (text), NULL, NULL, 0, &other, NULL));
  g_assert_true (net_url_same_origin (&url, &other));
}

static void
test_tracking (void)
{
  static const char *const cases[][2]
      = { { "http://a/?utm_source=x&id=3&UTM_medium=y", "http://a/?id=3" },
          { "http://a/b;jsessionid=00ab?spm=a21bo.1", "http://a/b" },
          { "http://a/b?spmx=1&gclid=2&", "http://a/b?spmx=1" },
          { "http://a/b?id=1&id=2&page=2", "http://a/b?id=1&id=2&page=2" },
          { "http://a/b;v=1/c;JSESSIONID=1", "http://a/b;v=1/c" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = normal (cases[i][0], NULL, NULL, NET_URL_TRACKING);

      g_assert_cmpstr (got, ==, cases[i][1]);
    }
}

/* A link in a GB18030 page: its path is UTF-8, its query in the page's own bytes. */
static void
test_charset (void)
{
  g_autofree char *got = normal ("/茶?q=茶", "http://a/", "gb18030", 0);
  g_autofree char *big5 = normal ("?q=茶", "http://a/", "big5", 0);

  g_assert_cmpstr (got, ==, "http://a/%E8%8C%B6?q=%B2%E8");
  g_assert_cmpstr (big5, ==, "http://a/?q=%AF%F9");
}

static void
test_display (void)
{
  static const char *const cases[][2] = { { "https://me:pw@host/p?id=3&access_token=abc&apiKey=q#f",
                                            "https://host/p?id=3&access_token=***&apiKey=***" },
                                          { "http://h/a?b", "http://h/a?b" },
                                          { "http://h/\n\xff", "http://h/ \xef\xbf\xbd" } };
  g_autofree char *many = g_strnfill (500, 'x'), *cut = net_url_display (many);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = net_url_display (cases[i][0]);

      g_assert_cmpstr (got, ==, cases[i][1]);
    }
  g_assert_cmpint (g_utf8_strlen (cut, -1), ==, 301);
}

static void
test_site (void)
{
  static const char *const cases[][2] = { { "www.news.com.cn", "news.com.cn" },
                                          { "a.b.example.com", "example.com" },
                                          { "example.com", "example.com" },
                                          { "10.1.2.3", "10.1.2.3" },
                                          { "2001:db8::1", "2001:db8::1" },
                                          { "localhost", "localhost" },
                                          { "a.b.co.uk", "b.co.uk" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = net_url_site (cases[i][0], strlen (cases[i][0]));

      g_assert_cmpstr (got, ==, cases[i][1]);
    }
}

static void
test_address (void)
{
  static const char *const cases[][2] = { { "8.8.8.8", NULL },
                                          { "127.0.0.1", "loopback" },
                                          { "127.255.0.1", "loopback" },
                                          { "10.0.0.1", "private" },
                                          { "172.16.0.1", "private" },
                                          { "172.31.255.255", "private" },
                                          { "172.32.0.1", NULL },
                                          { "192.168.3.4", "private" },
                                          { "169.254.169.254", "link-local" },
                                          { "100.64.0.1", "shared (carrier)" },
                                          { "0.0.0.0", "this network" },
                                          { "224.0.0.1", "multicast" },
                                          { "255.255.255.255", "reserved" },
                                          { "2606:4700::1111", NULL },
                                          { "::1", "loopback" },
                                          { "::", "unspecified" },
                                          { "fe80::1", "link-local" },
                                          { "fd00::1", "private" },
                                          { "ff02::1", "multicast" },
                                          { "2001:db8::1", "documentation" },
                                          { "::ffff:127.0.0.1", "loopback" },
                                          { "::ffff:8.8.8.8", NULL },
                                          { "::10.0.0.1", "private" },
                                          { "64:ff9b::a9fe:a9fe", "link-local" },
                                          { "64:ff9b::808:808", NULL },
                                          { "2002:7f00:1::", "loopback" },
                                          { "2002:808:808::", NULL },
                                          { "4000::1", "reserved" },
                                          { "localhost", "no address" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i][0]);
      g_assert_cmpstr (net_address_why_not_text (cases[i][0]), ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/url/resolve", test_resolve);
  g_test_add_func ("/url/normal", test_normal);
  g_test_add_func ("/url/members", test_members);
  g_test_add_func ("/url/tracking", test_tracking);
  g_test_add_func ("/url/charset", test_charset);
  g_test_add_func ("/url/display", test_display);
  g_test_add_func ("/url/site", test_site);
  g_test_add_func ("/address/public", test_address);
  return g_test_run ();
}
