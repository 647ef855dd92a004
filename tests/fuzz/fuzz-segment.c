/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-segment.c: any bytes as a dictionary and a user dictionary, and the text that is cut by
 * them.
 *
 * The input is dictionary, user dictionary and text with a byte 0xFF between.  Segments rise, do
 * not overlap, cover all that is no white space, and the same text is cut the same way twice.  The
 * text is also looked through for what augmenters keep, and survives beside itself.
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "text/augment.h"
#include "text/chars.h"
#include "text/segment.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static FrStr
next_part (const uint8_t **p, const uint8_t *end)
{
  const uint8_t *stop = *p < end ? memchr (*p, 0xff, (size_t) (end - *p)) : NULL;
  FrStr part = { (const char *) *p, (gsize) ((stop != NULL ? stop : end) - *p) };

  *p = stop != NULL ? stop + 1 : end;
  return part;
}

static void
check_blank (FrStr text, gsize from, gsize to)
{
  const char *p = text.data + from, *end = text.data + to;

  while (p < end)
    g_assert_true (text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE));
}

static void
check_cuts (TextDictionary *d, FrStr text)
{
  g_autoptr (TextSegmenter) segmenter = text_segmenter_new_with (d, NULL);
  g_autoptr (GArray) a = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  g_autoptr (GArray) b = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  gsize at = 0;

  text_segment_words (segmenter, text, a);
  text_segment_words (segmenter, text, b);
  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    {
      const TextSegment *s = &g_array_index (a, TextSegment, i);

      g_assert_cmpuint (s->offset, >=, at);
      g_assert_cmpuint (s->len, >, 0);
      g_assert_cmpuint (s->offset + s->len, <=, text.len);
      g_assert_true (g_utf8_validate (text.data + s->offset, (gssize) s->len, NULL)
                     || memchr (text.data + s->offset, '\0', s->len) != NULL);
      check_blank (text, at, s->offset);
      at = s->offset + s->len;
      g_assert_cmpuint (s->offset, ==, g_array_index (b, TextSegment, i).offset);
    }
  check_blank (text, at, text.len);
}

static void
check_keeps (FrStr text, FrStr term)
{
  static TextKeeper *keeper;
  g_autoptr (GArray) keeps = g_array_new (FALSE, FALSE, sizeof (TextKeep));
  FrStr lost = { NULL, 0 };
  TextKeepKind kind;
  gsize at = 0;

  if (keeper == NULL)
    {
      static const char *const terms[] = { "小米", "dyson", NULL };

      keeper = text_keeper_new (terms, NULL, NULL);
    }
  text_keeper_find (keeper, text, &term, 1, keeps);
  for (guint i = 0; i < keeps->len; i++)
    {
      const TextKeep *keep = &g_array_index (keeps, TextKeep, i);

      g_assert_cmpuint (keep->offset, >=, at);
      g_assert_cmpuint (keep->len, >, 0);
      at = keep->offset + keep->len;
      g_assert_cmpuint (at, <=, text.len);
      g_assert_true (at == text.len || ((guchar) text.data[at] & 0xc0) != 0x80);
    }
  kind = text_keeper_judge (keeper, text, text, &term, 1, &lost);
  g_assert_cmpint (kind, ==, TEXT_KEEP_N);
  kind = text_keeper_judge (keeper, text, term, NULL, 0, &lost);
  g_assert_true (kind == TEXT_KEEP_N || lost.data != NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const uint8_t *p = data, *end = data + size;
  g_autoptr (GError) error = NULL;
  g_autoptr (TextDictionary) d = NULL;
  g_autofree char *text = NULL, *term = NULL;
  FrStr words, user, raw;

  if (size > 4096)
    return 0;
  words = next_part (&p, end);
  user = next_part (&p, end);
  raw = next_part (&p, end);
  text = g_utf8_make_valid (raw.data, (gssize) raw.len);
  term = g_utf8_make_valid (user.data, (gssize) MIN (user.len, 30));
  d = text_dictionary_new_text (words, "words", user, "user", &error);
  g_assert_true ((d == NULL) == (error != NULL));
  if (d != NULL)
    check_cuts (d, (FrStr){ text, strlen (text) });
  check_keeps ((FrStr){ text, strlen (text) }, (FrStr){ term, strlen (term) });
  return 0;
}
