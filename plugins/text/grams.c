/* SPDX-License-Identifier: Apache-2.0 */
/* grams.c: see grams.h. */
#include "config.h"

#include "text/grams.h"

#include <stdlib.h>

#include "text/chars.h"
#include "text/variants.h"

#define BASE G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)

/* ---- units ----------------------------------------------------------------------------------- */

gboolean
text_stands_alone (gunichar c)
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
  return (text_char_flags (c) & (TEXT_CH_ALNUM | TEXT_CH_MARK)) != 0;
}

/* The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
static inline guint64
mix (guint64 x)
{
  x ^= x >> 33;
  x *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  x ^= x >> 33;
  x *= G_GUINT64_CONSTANT (0xc4ceb9fe1a85ec53);
  return x ^ x >> 33;
}

/* The next unit of [*@p, @end); FALSE at the end. */
static inline gboolean
next_unit (const char **p, const char *end, guint64 *unit, gboolean *is_word)
{
  guint64 word = 0;
  gboolean open = FALSE;

  while (*p < end)
    {
      const char *before = *p;
      gunichar c = text_next_char (p);
      gboolean alone = c >= 0x80 && text_stands_alone (c);

      if (!alone && in_word (c))
        {
          word = open ? mix (word ^ c) + c : c;
          open = TRUE;
          continue;
        }
      if (open && alone)
        *p = before;
      if (open || alone)
        {
          *unit = open ? word : c;
          *is_word = open;
          return TRUE;
        }
    }
  *unit = word;
  *is_word = TRUE;
  return open;
}

/* ---- a stream of grams ----------------------------------------------------------------------- */

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
  guint64 unit;
  gboolean is_word;

  g_assert (units >= 1 && units <= TEXT_GRAM_UNITS);
  for (guint i = 0; i < units; i++)
    roll.drop *= BASE;
  while (next_unit (&p, end, &unit, &is_word))
    add_unit (&roll, unit);
}

/* ---- all grams of a text --------------------------------------------------------------------- */

struct _TextGrams
{
  TextGramRule rule;
  guint n;                         /* units in a gram, where all are alike */
  guint64 factors[TEXT_GRAM_MOST]; /* of the multilinear hash */
  gsize room;
  guint64 *units;
  guint8 *weights;
  guint64 *hashes, *other, *spare; /* of the text at hand, and of the one compared with it */
};

TextGrams *
text_grams_new (const TextGramRule *rule)
{
  TextGrams *grams = g_new0 (TextGrams, 1);

  grams->rule = *rule;
  grams->rule.characters = CLAMP (rule->characters, 1, TEXT_GRAM_MOST);
  grams->rule.words = CLAMP (rule->words, 1, TEXT_GRAM_MOST);
  grams->n = rule->unit == TEXT_GRAM_CHARACTERS ? grams->rule.characters : grams->rule.words;
  for (guint i = 0; i < TEXT_GRAM_MOST; i++)
    grams->factors[i] = mix ((i + 1) * BASE) | 1;
  return grams;
}

void
text_grams_free (TextGrams *grams)
{
  if (grams == NULL)
    return;
  g_free (grams->units);
  g_free (grams->weights);
  g_free (grams->hashes);
  g_free (grams->other);
  g_free (grams->spare);
  g_free (grams);
}

/* A text has no more units than bytes. */
static void
make_room (TextGrams *grams, gsize len)
{
  if (len <= grams->room)
    return;
  grams->room = len + len / 2 + 64;
  g_free (grams->units);
  g_free (grams->weights);
  g_free (grams->hashes);
  g_free (grams->other);
  g_free (grams->spare);
  grams->units = g_new (guint64, grams->room);
  grams->weights = g_new (guint8, grams->room);
  grams->hashes = g_new (guint64, grams->room);
  grams->other = g_new (guint64, grams->room);
  grams->spare = g_new (guint64, grams->room);
}

static gsize
characters_of (TextGrams *grams, FrStr text)
{
  const char *p = text.data, *end = text.data + text.len;
  gsize n = 0;

  while (p < end)
    {
      gunichar c = text_next_char (&p);

      if (c < 0x80 ? c != ' ' && (c < '\t' || c > '\r')
                   : !(text_char_flags (c) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
        grams->units[n++] = c;
    }
  return n;
}

/* Units and, in steps of which a gram holds characters * words, their weights. */
static gsize
units_of (TextGrams *grams, FrStr text)
{
  const char *p = text.data, *end = text.data + text.len;
  guint8 of_character = (guint8) grams->rule.words, of_word = (guint8) grams->rule.characters;
  gboolean is_word;
  gsize n = 0;

  while (next_unit (&p, end, &grams->units[n], &is_word))
    grams->weights[n++] = is_word ? of_word : of_character;
  return n;
}

/* One gram for a text that is shorter than one: of all its characters, for in a
 * short text a mark is much: "C" is not "C++". */
static gsize
whole_text (TextGrams *grams, FrStr text)
{
  gsize n = characters_of (grams, text);
  guint64 hash = n;

  if (n == 0)
    return 0;
  for (gsize i = 0; i < n; i++)
    hash = mix (hash + BASE) ^ grams->units[i] * BASE;
  grams->hashes[0] = mix (hash);
  return 1;
}

/* Grams of one length: each factor in turn over all of them, which vectors can do. */
TEXT_VARIANTS static void
hash_even (const guint64 *restrict units, const guint64 *restrict factors, guint n, gsize n_grams,
           guint64 *restrict hashes)
{
  for (gsize from = 0; from < n_grams; from += 512)
    {
      gsize size = MIN (n_grams - from, 512);
      const guint64 *u = units + from;
      guint64 *h = hashes + from;

      for (gsize i = 0; i < size; i++)
        h[i] = u[i] * factors[0];
      for (guint k = 1; k < n; k++)
        for (gsize i = 0; i < size; i++)
          h[i] += u[i + k] * factors[k];
      for (gsize i = 0; i < size; i++)
        h[i] = mix (h[i]);
    }
}

/* Grams that end where they are heavy enough. */
static gsize
hash_weighed (TextGrams *grams, gsize n_units)
{
  guint full = grams->rule.characters * grams->rule.words, weight = 0;
  gsize to = 0, n = 0;

  for (gsize from = 0; from < n_units; from++)
    {
      guint64 hash = 0;

      while (weight < full && to < n_units)
        weight += grams->weights[to++];
      if (weight < full)
        break;
      for (gsize i = from; i < to; i++)
        hash += grams->units[i] * grams->factors[i - from];
      grams->hashes[n++] = mix (hash ^ (to - from) << 58);
      weight -= grams->weights[from];
    }
  return n;
}

const guint64 *
text_grams_of (TextGrams *grams, FrStr text, gsize *n, gboolean *whole)
{
  gsize n_units;

  make_room (grams, text.len + 1);
  *n = 0;
  n_units = grams->rule.unit == TEXT_GRAM_CHARACTERS ? characters_of (grams, text)
                                                     : units_of (grams, text);
  if (grams->rule.unit == TEXT_GRAM_AUTO)
    {
      /* Words are arbitrary 64-bit hashes, characters small numbers: both are spread by the
       * factors. */
      *n = hash_weighed (grams, n_units);
    }
  else if (n_units >= grams->n)
    {
      *n = n_units - grams->n + 1;
      hash_even (grams->units, grams->factors, grams->n, *n, grams->hashes);
    }
  if (whole != NULL)
    *whole = *n == 0;
  if (*n == 0)
    *n = whole_text (grams, text);
  return grams->hashes;
}

/* ---- sets --------------------------------------------------------------------------------------
 */

static int
hash_order (const void *a, const void *b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return (x > y) - (x < y);
}

/* Sorted by their top bits into buckets of about one, then by insertion: the
 * hashes are as good as random, which is what makes this linear. */
static void
sort_hashes (guint64 *hashes, gsize n, guint64 *spare)
{
  guint32 starts[4097];
  guint bits = 0, shift;

  if (n < 48 || n > 65536)
    {
      if (n > 1)
        qsort (hashes, n, sizeof *hashes, hash_order);
      return;
    }
  while (((gsize) 1 << bits) < n && bits < 12)
    bits++;
  shift = 64 - bits;
  memset (starts, 0, (((gsize) 1 << bits) + 1) * sizeof *starts);
  for (gsize i = 0; i < n; i++)
    starts[(hashes[i] >> shift) + 1]++;
  for (guint i = 1; i <= 1u << bits; i++)
    starts[i] += starts[i - 1];
  for (gsize i = 0; i < n; i++)
    spare[starts[hashes[i] >> shift]++] = hashes[i];
  for (gsize i = 0; i < n; i++)
    {
      guint64 hash = spare[i];
      gsize at = i;

      for (; at > 0 && hashes[at - 1] > hash; at--)
        hashes[at] = hashes[at - 1];
      hashes[at] = hash;
    }
}

const guint64 *
text_grams_set (TextGrams *grams, FrStr text, gsize *n, gboolean *whole)
{
  gsize all, kept = 0;

  text_grams_of (grams, text, &all, whole);
  sort_hashes (grams->hashes, all, grams->spare);
  for (gsize i = 0; i < all; i++)
    if (kept == 0 || grams->hashes[kept - 1] != grams->hashes[i])
      grams->hashes[kept++] = grams->hashes[i];
  *n = kept;
  return grams->hashes;
}

double
text_sets_index (const guint64 *a, gsize n_a, const guint64 *b, gsize n_b)
{
  gsize shared = 0, i = 0, j = 0;

  if (n_a == 0 || n_b == 0)
    return 0;
  while (i < n_a && j < n_b)
    {
      guint64 x = a[i], y = b[j];

      /* Without branches, for which is next nobody can guess. */
      shared += x == y;
      i += x <= y;
      j += y <= x;
    }
  return (double) shared / (double) (n_a + n_b - shared);
}

double
text_grams_index (TextGrams *grams, FrStr a, FrStr b)
{
  gsize n_a, n_b;
  guint64 *swap;

  make_room (grams, MAX (a.len, b.len) + 1);
  text_grams_set (grams, a, &n_a, NULL);
  swap = grams->hashes;
  grams->hashes = grams->other;
  grams->other = swap;
  text_grams_set (grams, b, &n_b, NULL);
  return text_sets_index (grams->other, n_a, grams->hashes, n_b);
}
