/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-httpreply.c: any bytes as the lines of a header section: no crash, names and values are
 * text, as many of the one as of the other, and no more than are kept.
 */
#include "net/http-private.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (NetReply) reply = net_reply_new ("http://example.com/");
  NetRequest request = { .url = "http://example.com/", .bearer = "sesame" };
  g_autoptr (GError) error = NULL;
  const char *p = (const char *) data, *end = p + size;

  reply->status = 503;
  while (p < end)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));
      gsize len = (gsize) ((stop ? stop + 1 : end) - p);

      net_reply_take_line (reply, p, len);
      p += len;
    }
  g_assert_cmpuint (reply->headers->len % 2, ==, 0);
  g_assert_cmpuint (reply->headers->len, <=, 512);
  for (guint i = 0; i < reply->headers->len; i++)
    g_assert_true (g_utf8_validate (g_ptr_array_index (reply->headers, i), -1, NULL));
  g_assert_cmpint (net_reply_retry_after (reply), >=, -1);
  g_byte_array_append (reply->body, data, (guint) size);
  g_assert_false (net_reply_check (reply, &request, &error));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  if (size < 8192)
    g_assert_null (strstr (error->message, "sesame"));
  return 0;
}
