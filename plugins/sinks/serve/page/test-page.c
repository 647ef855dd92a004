/* SPDX-License-Identifier: Apache-2.0 */
/* test-page.c: the page as bytes and headers; what it does in a browser is for tests/pipelines. */
#include "config.h"

#include <gio/gio.h>
#include <string.h>

#include "page.h"

static const char *
header (const ServePage *page, const char *name)
{
  for (const ServePageHeader *h = serve_page_headers (page); h->name != NULL; h++)
    if (strcmp (h->name, name) == 0)
      return h->value;
  return NULL;
}

/* What stands between @open and @close, which are there once. */
static GBytes *
between (const char *html, const char *open, const char *close)
{
  const char *begin = strstr (html, open), *end;

  g_assert_nonnull (begin);
  begin += strlen (open);
  g_assert_null (strstr (begin, open));
  end = strstr (begin, close);
  g_assert_nonnull (end);
  return g_bytes_new (begin, (gsize) (end - begin));
}

static void
assert_hash (const char *policy, const char *directive, const GBytes *text)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *hash = NULL, *wanted = NULL;
  guint8 digest[32];
  gsize n, len = sizeof digest;
  const guchar *bytes = g_bytes_get_data ((GBytes *) text, &n);

  g_checksum_update (sum, bytes, (gssize) n);
  g_checksum_get_digest (sum, digest, &len);
  hash = g_base64_encode (digest, len);
  wanted = g_strdup_printf ("; %s 'sha256-%s';", directive, hash);
  g_assert_nonnull (strstr (policy, wanted));
}

static void
test_policy (void)
{
  g_autoptr (ServePage) page = serve_page_new ();
  gsize len;
  g_autofree char *html = g_strndup (g_bytes_get_data (serve_page_bytes (page), &len),
                                     g_bytes_get_size (serve_page_bytes (page)));
  const char *policy = header (page, "Content-Security-Policy");
  g_autoptr (GBytes) style = between (html, "<style>", "</style>"),
                     script = between (html, "<script>", "</script>");

  g_assert_cmpuint (strlen (html), ==, len);
  g_assert_true (g_utf8_validate (html, -1, NULL));
  g_assert_nonnull (policy);
  g_assert_true (g_str_has_prefix (policy, "default-src 'none';"));
  assert_hash (policy, "style-src", style);
  assert_hash (policy, "script-src", script);
  g_assert_nonnull (strstr (policy, "; connect-src 'self';"));
  g_assert_nonnull (strstr (policy, "; require-trusted-types-for 'script';"));
  g_assert_nonnull (strstr (policy, "; frame-ancestors 'none'"));
  g_assert_null (strstr (policy, "unsafe"));
  g_assert_null (strstr (policy, "http"));
  /* nothing leads elsewhere, no name was left to fill in */
  g_assert_null (strstr (html, "http://"));
  g_assert_null (strstr (html, "https://"));
  g_assert_null (strstr (html, "src="));
  g_assert_null (strstr (html, "innerHTML"));
  g_assert_null (strstr (html, " style="));
  g_assert_null (strstr (html, "POLICY@"));
  g_assert_null (strstr (html, "SCRIPT@"));
}

static void
test_headers (void)
{
  g_autoptr (ServePage) page = serve_page_new (), again = serve_page_new ();

  g_assert_cmpstr (header (page, "Content-Type"), ==, "text/html; charset=utf-8");
  g_assert_cmpstr (header (page, "X-Content-Type-Options"), ==, "nosniff");
  g_assert_cmpstr (header (page, "Cache-Control"), ==, "no-cache");
  g_assert_cmpstr (header (page, "ETag"), ==, serve_page_etag (page));
  g_assert_true (g_bytes_equal (serve_page_bytes (page), serve_page_bytes (again)));
  for (const ServePageHeader *h = serve_page_headers (page); h->name != NULL; h++)
    g_assert_null (strpbrk (h->value, "\r\n"));
}

static void
test_not_modified (void)
{
  g_autoptr (ServePage) page = serve_page_new ();
  g_autofree char *weak = g_strconcat ("W/", serve_page_etag (page), NULL);
  g_autofree char *list = g_strconcat ("\"a\" ,\t", serve_page_etag (page), NULL);

  g_assert_false (serve_page_not_modified (page, NULL));
  g_assert_false (serve_page_not_modified (page, ""));
  g_assert_false (serve_page_not_modified (page, "\"other\""));
  g_assert_true (serve_page_not_modified (page, serve_page_etag (page)));
  g_assert_true (serve_page_not_modified (page, weak));
  g_assert_true (serve_page_not_modified (page, list));
  g_assert_true (serve_page_not_modified (page, "*"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/page/policy", test_policy);
  g_test_add_func ("/page/headers", test_headers);
  g_test_add_func ("/page/not-modified", test_not_modified);
  return g_test_run ();
}
