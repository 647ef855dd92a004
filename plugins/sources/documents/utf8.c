/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c: text/charset.h over whole texts. */
#include "config.h"

#include "text/charset.h"
#include "utf8.h"

#include <string.h>

#define PIECE (1 << 20)

/* Two bytes that are valid UTF-8 are as well two of GBK; three hardly ever are. */
static gboolean
has_long_character (const char *data, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((guchar) data[i] >= 0xe0)
      return TRUE;
  return FALSE;
}

static const char *
choose (const char *data, gsize len, const char *charset)
{
  gsize n = MIN (len, TEXT_CHARSET_WINDOW);
  const char *how, *canonical = charset ? text_charset_canonical (charset, NULL) : NULL;

  if (canonical == NULL || (len >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0))
    return text_charset_detect (data, n, n == len, &how);
  if (!g_str_has_prefix (canonical, "utf-") && !g_str_has_prefix (canonical, "iso-2022")
      && has_long_character (data, len) && text_utf8_valid_len (data, len) == len)
    return "utf-8";
  return canonical;
}

/* In place: CR LF and CR become LF. */
static void
unify_lines (GString *text)
{
  gsize to = 0;

  if (memchr (text->str, '\r', text->len) == NULL)
    return;
  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] != '\r')
      text->str[to++] = text->str[i];
    else if (i + 1 == text->len || text->str[i + 1] != '\n')
      text->str[to++] = '\n';
  g_string_truncate (text, to);
}

GString *
utf8_decode (const char *data, gsize len, const char *charset, guint64 *replaced)
{
  GString *out = g_string_sized_new (len + 1);
  const char *chosen = choose (data, len, charset);
  g_autoptr (TextDecoder) decoder = text_decoder_new (chosen, NULL);

  if (decoder == NULL)
    decoder = text_decoder_new ("windows-1252", NULL);
  for (gsize at = 0; at < len;)
    {
      const char *piece;
      gsize n, piece_len = MIN (PIECE, len - at);

      n = text_decoder_decode (decoder, data + at, piece_len, at + piece_len == len, &piece,
                               &piece_len);
      g_string_append_len (out, piece, (gssize) piece_len);
      if (n == 0)
        break;
      at += n;
    }
  *replaced += text_decoder_n_replaced (decoder);
  if (g_str_has_prefix (out->str, "\xef\xbb\xbf"))
    g_string_erase (out, 0, 3);
  unify_lines (out);
  return out;
}
