/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c: is this UTF-8?  At memory speed, since every byte passes here.
 *
 * Well-formed as in Unicode 15 table 3-7: no overlong forms, no surrogates,
 * nothing above U+10FFFF.  On x86 with SSSE3, 16 bytes at a time with the three
 * table look-ups of Keiser and Lemire, "Validating UTF-8 in less than one
 * instruction per byte" (Software: Practice and Experience 51, 2021); a block
 * with a fault, and everything elsewhere, goes through the plain loop, which
 * alone decides where the fault is.
 */
#include "config.h"

#include "text/charset.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#endif

gsize
text_ascii_len (const char *data, gsize len)
{
  gsize i = 0;

#ifdef HAVE_X86
  for (; i + 16 <= len; i += 16)
    {
      int mask = _mm_movemask_epi8 (_mm_loadu_si128 ((const __m128i *) (data + i)));

      if (mask != 0)
        return i + (gsize) __builtin_ctz ((unsigned) mask);
    }
#else
  for (; i + 8 <= len; i += 8)
    {
      guint64 word;

      memcpy (&word, data + i, 8);
      if (word & G_GUINT64_CONSTANT (0x8080808080808080))
        break;
    }
#endif
  while (i < len && (guchar) data[i] < 0x80)
    i++;
  return i;
}

/* Length of the well-formed sequence at s, or 0. */
static inline gsize
sequence_len (const guchar *s, gsize left)
{
  guchar a = s[0];

  if (a < 0x80)
    return 1;
  if (a < 0xC2 || a > 0xF4 || left < 2)
    return 0;
  if (a < 0xE0)
    return (s[1] & 0xC0) == 0x80 ? 2 : 0;
  if (left < 3 || (s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80)
    return 0;
  if (a < 0xF0)
    return (a == 0xE0 && s[1] < 0xA0) || (a == 0xED && s[1] > 0x9F) ? 0 : 3;
  if (left < 4 || (s[3] & 0xC0) != 0x80)
    return 0;
  return (a == 0xF0 && s[1] < 0x90) || (a == 0xF4 && s[1] > 0x8F) ? 0 : 4;
}

static gsize
valid_len_plain (const char *data, gsize len)
{
  const guchar *s = (const guchar *) data;
  gsize i = 0;

  while (i < len)
    {
      gsize n;

      if (s[i] < 0x80)
        {
          i += text_ascii_len (data + i, len - i);
          continue;
        }
      n = sequence_len (s + i, len - i);
      if (n == 0)
        break;
      i += n;
    }
  return i;
}

#ifdef HAVE_X86
/* What two neighbouring bytes can have wrong, one bit each. */
enum
{
  TOO_SHORT = 1 << 0,  /* a lead byte, then no continuation     */
  TOO_LONG = 1 << 1,   /* ASCII, then a continuation            */
  OVERLONG_3 = 1 << 2, /* E0 80..9F                             */
  TOO_LARGE = 1 << 3,  /* F4 90..BF, F5..FF                     */
  SURROGATE = 1 << 4,  /* ED A0..BF                             */
  OVERLONG_2 = 1 << 5, /* C0, C1                                */
  OVERLONG_4 = 1 << 6, /* F0 80..8F; also F5.. 80..8F           */
  TWO_CONTS = 1 << 7,  /* two continuations: right only in a longer sequence */
  CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS
};

#define HIGH_1                                                                                     \
  TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,                  \
      (char) TWO_CONTS, (char) TWO_CONTS, (char) TWO_CONTS, (char) TWO_CONTS,                      \
      TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,                       \
      TOO_SHORT | TOO_LARGE | OVERLONG_4
#define LOW_1                                                                                      \
  (char) (CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), (char) (CARRY | OVERLONG_2),              \
      (char) CARRY, (char) CARRY, (char) (CARRY | TOO_LARGE),                                      \
      (char) (CARRY | TOO_LARGE | OVERLONG_4), (char) (CARRY | TOO_LARGE | OVERLONG_4),            \
      (char) (CARRY | TOO_LARGE | OVERLONG_4), (char) (CARRY | TOO_LARGE | OVERLONG_4),            \
      (char) (CARRY | TOO_LARGE | OVERLONG_4), (char) (CARRY | TOO_LARGE | OVERLONG_4),            \
      (char) (CARRY | TOO_LARGE | OVERLONG_4), (char) (CARRY | TOO_LARGE | OVERLONG_4),            \
      (char) (CARRY | TOO_LARGE | OVERLONG_4 | SURROGATE),                                         \
      (char) (CARRY | TOO_LARGE | OVERLONG_4), (char) (CARRY | TOO_LARGE | OVERLONG_4)
#define HIGH_2                                                                                     \
  TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,          \
      (char) (TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | OVERLONG_4),                        \
      (char) (TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE),                         \
      (char) (TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE),                          \
      (char) (TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT,    \
      TOO_SHORT, TOO_SHORT

/* Bytes of data, a multiple of 16, without a fault: a sequence may still be
 * open at the end of them.  Stops early at a block with a fault. */
__attribute__ ((target ("ssse3"))) static gsize
clean_blocks_ssse3 (const char *data, gsize len)
{
  const __m128i high_1 = _mm_setr_epi8 (HIGH_1), low_1 = _mm_setr_epi8 (LOW_1);
  const __m128i high_2 = _mm_setr_epi8 (HIGH_2);
  const __m128i nibble = _mm_set1_epi8 (0x0F), top = _mm_set1_epi8 ((char) 0x80);
  const __m128i third = _mm_set1_epi8 (0xE0 - 0x80), fourth = _mm_set1_epi8 (0xF0 - 0x80);
  __m128i before = _mm_setzero_si128 ();
  gsize i;

  for (i = 0; i + 16 <= len; i += 16)
    {
      __m128i in = _mm_loadu_si128 ((const __m128i *) (data + i));
      __m128i p1, p2, p3, special, must;

      p1 = _mm_alignr_epi8 (in, before, 15);
      if (_mm_movemask_epi8 (_mm_or_si128 (in, _mm_alignr_epi8 (in, before, 13))) == 0)
        {
          before = in;
          continue;
        }
      p2 = _mm_alignr_epi8 (in, before, 14);
      p3 = _mm_alignr_epi8 (in, before, 13);
      special = _mm_and_si128 (
          _mm_and_si128 (_mm_shuffle_epi8 (high_1, _mm_and_si128 (_mm_srli_epi16 (p1, 4), nibble)),
                         _mm_shuffle_epi8 (low_1, _mm_and_si128 (p1, nibble))),
          _mm_shuffle_epi8 (high_2, _mm_and_si128 (_mm_srli_epi16 (in, 4), nibble)));
      must = _mm_and_si128 (_mm_or_si128 (_mm_subs_epu8 (p2, third), _mm_subs_epu8 (p3, fourth)),
                            top);
      if (_mm_movemask_epi8 (_mm_cmpeq_epi8 (_mm_xor_si128 (must, special), _mm_setzero_si128 ()))
          != 0xFFFF)
        break;
      before = in;
    }
  return i;
}
#endif

gsize
text_utf8_valid_len (const char *data, gsize len)
{
  gsize clean = 0;

#ifdef HAVE_X86
  if (len >= 64 && __builtin_cpu_supports ("ssse3"))
    clean = clean_blocks_ssse3 (data, len);
  /* A sequence may be open at the border: the plain loop starts at its lead. */
  for (guint back = 0; clean > 0 && back < 4 && ((guchar) data[clean - 1] & 0x80) != 0; back++)
    if (((guchar) data[--clean] & 0xC0) == 0xC0)
      break;
#endif
  return clean + valid_len_plain (data + clean, len - clean);
}
