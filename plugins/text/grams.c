/* SPDX-License-Identifier: Apache-2.0 */
/* grams.c: see grams.h. */
#include "config.h"

#include "text/grams.h"

#define BASE G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)

static gboolean
stands_alone (gunichar c)
{
  return (c >= 0x2e80 && c <= 0x2fdf) || (c >= 0x3005 && c <= 0x3007)
         || (c >= 0x3021 && c <= 0x3029) || (c >= 0x3040 && c <= 0x30ff)
         || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff)
         || (c >= 0x20000 && c <= 0x3ffff) || (c >= 0x0e00 && c <= 0x0eff)
         || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff);
}

static gboolean
in_word (gunichar c)
{
  if (c < 0x80)
    return g_ascii_isalnum ((char) c);
  return g_unichar_isalnum (c) || g_unichar_ismark (c);
}

/* The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
static guint64
mix (guint64 x)
{
  x ^= x >> 33;
  x *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  x ^= x >> 33;
  x *= G_GUINT64_CONSTANT (0xc4ceb9fe1a85ec53);
  return x ^ x >> 33;
}

typedef struct
{
  guint64 ring[TEXT_GRAM_UNITS];
  guint64 hash, drop; /* drop: BASE to the power @units */
  guint units, at;
  gboolean full;
  TextGramFunc func;
  gpointer data;
} Roll;

static inline void
add_unit (Roll *roll, guint64 unit)
{
  unit = mix (unit);
  roll->hash = roll->hash * BASE + unit;
  if (roll->full)
    roll->hash -= roll->ring[roll->at] * roll->drop;
  roll->ring[roll->at] = unit;
  if (++roll->at == roll->units)
    {
      roll->at = 0;
      roll->full = TRUE;
    }
  if (roll->full)
    roll->func (mix (roll->hash), roll->data);
}

void
text_grams (FrStr text, guint units, TextGramFunc func, gpointer data)
{
  Roll roll = { .drop = 1, .units = units, .func = func, .data = data };
  const char *p = text.data, *end = text.data + text.len;
  guint64 word = 0;
  gboolean open = FALSE;

  g_assert (units >= 1 && units <= TEXT_GRAM_UNITS);
  for (guint i = 0; i < units; i++)
    roll.drop *= BASE;
  while (p < end)
    {
      gunichar c = (guint8) *p < 0x80 ? (gunichar) *p : g_utf8_get_char (p);
      gboolean alone = c >= 0x80 && stands_alone (c);

      p += g_utf8_skip[(guint8) *p];
      if (!alone && in_word (c))
        {
          word = open ? mix (word ^ c) + c : c;
          open = TRUE;
          continue;
        }
      if (open)
        add_unit (&roll, word);
      open = FALSE;
      if (alone)
        add_unit (&roll, c);
    }
  if (open)
    add_unit (&roll, word);
}
