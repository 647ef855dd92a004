/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-charset.c: detection and decoding of any bytes: no crash, valid UTF-8
 * out, the same however the bytes are cut, and the quick UTF-8 check agrees with
 * the plain one.  The first byte chooses the charset, the second how it is cut.
 */
#include "text/charset.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static GString *
decode (const char *charset, const char *data, gsize len, gsize step)
{
  g_autoptr (TextDecoder) decoder = text_decoder_new (charset, NULL);
  g_autoptr (GString) pending = g_string_new (NULL);
  GString *out = g_string_new (NULL);
  const char *piece;
  gsize n, used;

  for (gsize at = 0; at < len;)
    {
      gsize take = MIN (step, len - at);

      g_string_append_len (pending, data + at, (gssize) take);
      at += take;
      do
        {
          used = text_decoder_decode (decoder, pending->str, pending->len, at == len, &piece, &n);
          g_string_append_len (out, piece, (gssize) n);
          g_string_erase (pending, 0, (gssize) used);
        }
      while (at == len && pending->len > 0);
    }
  g_assert_cmpuint (text_utf8_valid_len (out->str, out->len), ==, out->len);
  return out;
}

/* In pieces of one character at most, so that only the plain loop works. */
static gsize
plain_valid_len (const char *data, gsize len)
{
  gsize i = 0;

  while (i < len)
    {
      gsize n = 1;

      while (n <= 4 && i + n <= len && text_utf8_valid_len (data + i, n) != n)
        n++;
      if (n > 4 || i + n > len)
        break;
      i += n;
    }
  return i;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const charsets[] = { "utf-8",    "gb18030",      "big5",      "utf-16le",
                                          "utf-16be", "windows-1252", "shift_jis", "utf-32le" };
  g_autoptr (GString) whole = NULL, cut = NULL;
  const char *text = (const char *) data + 2, *how, *charset;

  if (size < 2)
    return 0;
  size -= 2;
  charset = text_charset_detect (text, size, (data[0] & 8) != 0, &how);
  g_assert_nonnull (text_charset_canonical (charset, NULL));
  g_assert_cmpuint (text_utf8_valid_len (text, size), ==, plain_valid_len (text, size));
  whole = decode (charsets[data[0] & 7], text, size, size + 1);
  cut = decode (charsets[data[0] & 7], text, size, 1 + data[1] % 29);
  g_assert_cmpmem (whole->str, whole->len, cut->str, cut->len);
  return 0;
}
