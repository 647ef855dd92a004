/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c: invalid UTF-8, and the alphabet of byte-level BPE.
 *
 * Invalid text is repaired as the Unicode Standard recommends (3.9, U+FFFD
 * substitution of maximal subparts), which is what Python and Rust do.
 *
 * Byte-level BPE (Radford et al. 2019) writes each byte as a printable letter:
 * 33-126, 161-172 and 174-255 as themselves, the other 68 as U+0100 and on.
 */
#include "config.h"

#include "tokenizer-private.h"

/* How many bytes at @p belong together: the whole character (*ok), or a maximal invalid piece; 0:
 * @p may be the beginning of a character. */
static gsize
piece (const guint8 *p, gsize len, gboolean whole, gboolean *ok)
{
  gsize need = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;
  guint8 low = 0x80, high = 0xbf;
  gsize n = 1;

  *ok = FALSE;
  if (need == 0)
    return 1;
  if (p[0] == 0xe0)
    low = 0xa0;
  else if (p[0] == 0xed)
    high = 0x9f;
  else if (p[0] == 0xf0)
    low = 0x90;
  else if (p[0] == 0xf4)
    high = 0x8f;
  for (; n < need && n < len && p[n] >= low && p[n] <= high; n++)
    low = 0x80, high = 0xbf;
  *ok = n == need;
  return n < need && n == len && !whole ? 0 : n;
}

gsize
lm_utf8_span (const char *s, gsize len)
{
  gsize at = 0, n;
  guint64 word;
  gboolean ok;

  while (at < len)
    {
      for (; at + 8 <= len; at += 8)
        {
          memcpy (&word, s + at, 8);
          if (word & 0x8080808080808080u)
            break;
        }
      for (; at < len && (guint8) s[at] < 0x80; at++)
        ;
      for (; at < len && (guint8) s[at] >= 0x80; at += n)
        {
          n = piece ((const guint8 *) s + at, len - at, TRUE, &ok);
          if (!ok)
            return at;
        }
    }
  return at;
}

gsize
lm_utf8_append (GString *out, const char *s, gsize len, gboolean whole, gsize *n_replaced)
{
  gsize at = 0;

  while (at < len)
    {
      gsize valid = lm_utf8_span (s + at, len - at), n;
      gboolean ok;

      g_string_append_len (out, s + at, (gssize) valid);
      at += valid;
      if (at == len)
        break;
      n = piece ((const guint8 *) s + at, len - at, whole, &ok);
      if (n == 0)
        break;
      g_string_append (out, "\xef\xbf\xbd");
      if (n_replaced != NULL)
        ++*n_replaced;
      at += n;
    }
  return at;
}

static inline gboolean
is_own_letter (guint c)
{
  return (c >= 33 && c <= 126) || (c >= 161 && c <= 172) || (c >= 174 && c <= 255);
}

/* The byte that letter @c (< 0x144) stands for; -1: none. */
static inline int
byte_of (guint c)
{
  guint n = c - 0x100;

  if (c < 0x100)
    return is_own_letter (c) ? (int) c : -1;
  return n < 33 ? (int) n : n < 67 ? (int) (n - 33 + 127) : n == 67 ? 173 : -1;
}

gboolean
lm_alphabet_read (const char *text, gsize len, char *out, gsize *n)
{
  gsize done = 0;

  for (gsize i = 0; i < len; done++)
    {
      guint8 c = (guint8) text[i];
      int byte;

      if (c >= 33 && c <= 126)
        {
          out[done] = text[i++];
          continue;
        }
      if (c < 0xc2 || c > 0xc5 || i + 1 >= len)
        return FALSE;
      byte = byte_of ((guint) (c & 0x1f) << 6 | ((guint8) text[i + 1] & 0x3f));
      if (byte < 0)
        return FALSE;
      out[done] = (char) byte;
      i += 2;
    }
  *n = done;
  return TRUE;
}

void
lm_alphabet_write (GString *out, const char *bytes, gsize len)
{
  for (gsize i = 0; i < len; i++)
    {
      guint8 b = (guint8) bytes[i];

      if (is_own_letter (b))
        g_string_append_unichar (out, b);
      else
        g_string_append_unichar (out, 0x100 + (b < 33 ? b : b == 173 ? 67 : b - 127u + 33));
    }
}
