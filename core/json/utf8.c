/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c: is this UTF-8?
 *
 * RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.  Runs
 * of ASCII go sixteen bytes at a time, runs of three-byte characters (most of
 * Chinese) one character per load of four bytes.
 */
#include "config.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/json-private.h"

static inline const guchar *
skip_ascii (const guchar *p, const guchar *end)
{
#ifdef __SSE2__
  while (end - p >= 16)
    {
      guint high = (guint) _mm_movemask_epi8 (_mm_loadu_si128 ((const __m128i *) p));

      if (high != 0)
        return p + __builtin_ctz (high);
      p += 16;
    }
#endif
  while (p < end && *p < 0x80)
    p++;
  return p;
}

/* Length of the multi-byte character at @p, or 0. */
static inline gsize
multi_byte (const guchar *p, const guchar *end)
{
  gsize left = (gsize) (end - p);

  if (p[0] < 0xc2)
    return 0;
  if (p[0] < 0xe0)
    return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
  if (p[0] < 0xf0)
    {
      if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
        return 0;
      if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
        return 0;
      return 3;
    }
  if (p[0] > 0xf4 || left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80
      || (p[3] & 0xc0) != 0x80)
    return 0;
  if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
    return 0;
  return 4;
}

/* Whether the first three of the four bytes in @word (little-endian) are one
 * character: lead E0-EF, two continuations, not overlong, no surrogate. */
static inline gboolean
three_bytes (guint32 word)
{
  guint32 top = word & 0x0000200f;

  return (word & 0x00c0c0f0) == 0x008080e0 && top != 0 && top != 0x0000200d;
}

gsize
fri_utf8_valid (const char *text, gsize len)
{
  const guchar *p = (const guchar *) text, *end;

  if (len == 0)
    return 0;
  end = p + len;
  while (p < end)
    {
      gsize n;

      if (*p < 0x80)
        {
          p = skip_ascii (p, end);
          continue;
        }
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
      while (end - p >= 7)
        {
          guint32 one, two;

          memcpy (&one, p, 4);
          memcpy (&two, p + 3, 4);
          if (!three_bytes (one) || !three_bytes (two))
            break;
          p += 6;
        }
      if (p == end || *p < 0x80)
        continue;
#endif
      n = multi_byte (p, end);
      if (n == 0)
        break;
      p += n;
    }
  return (gsize) (p - (const guchar *) text);
}
