/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-url.c: any bytes as a URL: no crash; what comes out is ASCII, its parts lie within it, and
 * it is its own normal form.  The first byte chooses flags, base and charset.
 */
#include "net/address.h"
#include "net/url.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const NetUrl *url)
{
  g_assert_cmpuint (strlen (url->text), ==, url->len);
  g_assert_cmpuint (url->len, <=, NET_URL_MAX);
  g_assert_true (url->scheme_len == 4 || url->scheme_len == 5);
  g_assert_cmpuint (url->host, >, url->scheme_len);
  g_assert_cmpuint (url->host + url->host_len, <=, url->path);
  g_assert_cmpuint (url->path, <, url->query);
  g_assert_cmpuint (url->query, <=, url->len);
  g_assert_true (url->text[url->path] == '/');
  g_assert_true (url->query == url->len || url->text[url->query] == '?');
  for (guint i = 0; i < url->len; i++)
    g_assert_true (url->text[i] > ' ' && url->text[i] < 0x7f);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const charsets[] = { NULL, "gb18030", "big5", "shift_jis" };
  const char *base_text = "https://Www.Example.com:8443/a/b;c/d?e=f", *why = NULL;
  g_auto (NetUrl) base = { 0 }, url = { 0 };
  g_autofree char *shown = NULL, *site = NULL, *copy = NULL;
  guint flags;

  if (size < 1)
    return 0;
  flags = data[0] & 1 ? NET_URL_TRACKING : 0;
  g_assert_true (net_url_parse (base_text, strlen (base_text), NULL, NULL, 0, &base, NULL));
  copy = g_strndup ((const char *) data + 1, size - 1);
  shown = net_url_display (copy);
  g_assert_true (g_utf8_validate (shown, -1, NULL));
  net_address_why_not_text (copy);
  if (!net_url_parse ((const char *) data + 1, size - 1, data[0] & 2 ? &base : NULL,
                      charsets[data[0] >> 2 & 3], flags, &url, &why))
    {
      g_assert_nonnull (why);
      return 0;
    }
  check (&url);
  {
    g_auto (NetUrl) again = { 0 };

    g_assert_true (net_url_parse (url.text, url.len, NULL, NULL, flags, &again, &why));
    g_assert_cmpstr (again.text, ==, url.text);
    g_assert_true (net_url_same_origin (&again, &url));
  }
  site = net_url_site (url.text + url.host, url.host_len);
  g_assert_cmpuint (strlen (site), <=, url.host_len);
  return 0;
}
