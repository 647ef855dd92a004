/* SPDX-License-Identifier: Apache-2.0 */
/* cut.c: words as rouge-chinese 1.0.3 sees them: Rouge.cut_sent() and what is done with its lines.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/score/score-private.h"

/* ---- rouge-chinese's sentences ------------------------------------------------------------- */

static gboolean
is_mark (gunichar c)
{
  return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == '?';
}

static gboolean
is_closing (gunichar c)
{
  return c == 0x201d || c == 0x2019;
}

enum
{
  CUT_MARK,     /* ([。！？\?])([^”’])               */
  CUT_DOTS,     /* (\.{6})([^”’])                   */
  CUT_ELLIPSIS, /* (\…{2})([^”’])                   */
  CUT_QUOTE,    /* ([。！？\?][”’])([^，。！？\?])    */
  N_CUTS
};

/* Where the first group of the expression ends that starts at p; NULL: it does not match there. */
static const char *
cut_group (guint cut, const char *p, const char *end)
{
  gunichar c = text_next_char (&p);

  if (cut == CUT_MARK)
    return is_mark (c) ? p : NULL;
  if (cut == CUT_DOTS)
    return c == '.' && end - p >= 5 && memcmp (p, ".....", 5) == 0 ? p + 5 : NULL;
  if (p == end)
    return NULL;
  if (cut == CUT_ELLIPSIS)
    return c == 0x2026 && text_next_char (&p) == 0x2026 ? p : NULL;
  return is_mark (c) && is_closing (text_next_char (&p)) ? p : NULL;
}

static gboolean
cut_before (guint cut, gunichar next)
{
  return cut == CUT_QUOTE ? next != 0xff0c && !is_mark (next) : !is_closing (next);
}

static void
pass_cut (guint cut, const GString *in, GString *out)
{
  const char *p = in->str, *end = p + in->len;

  g_string_truncate (out, 0);
  while (p < end)
    {
      const char *group = cut_group (cut, p, end), *after = group;

      if (group != NULL && group < end && cut_before (cut, text_next_char (&after)))
        {
          g_string_append_len (out, p, group - p);
          g_string_append_c (out, '\n');
          g_string_append_len (out, group, after - group);
          p = after;
          continue;
        }
      g_string_append_len (out, p, (gssize) score_char_len (p));
      p += score_char_len (p);
    }
}

/* A line of nothing but blanks is one empty token. */
static void
add_cut_line (ScoreText *text, const char *p, const char *end, ScoreTokens *tokens)
{
  gsize before = tokens->n;

  score_add_words (text, p, end, tokens);
  if (p < end && tokens->n == before)
    score_tokens_add (tokens, SCORE_EMPTY);
}

/* text->a holds words with blanks between them. */
static void
cut_sentences (ScoreText *text, ScoreTokens *tokens)
{
  GString *in = text->a, *out = text->b, *swap;
  const char *p, *end;
  FrStr all;

  for (guint cut = 0; cut < N_CUTS; cut++)
    {
      pass_cut (cut, in, out);
      swap = in, in = out, out = swap;
    }
  all = score_strip_end ((FrStr){ in->str, in->len });
  for (p = all.data, end = p + all.len; p < end;)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));

      add_cut_line (text, p, stop != NULL ? stop : end, tokens);
      p = stop != NULL ? stop + 1 : end;
    }
}

/* What one would hand to rouge-chinese: characters or words with blanks between them. */
void
score_tokenise_cut (ScoreText *text, TextUnit unit, FrStr s, ScoreTokens *tokens)
{
  const char *p = s.data, *end = p + s.len;

  g_string_truncate (text->a, 0);
  if (unit == TEXT_UNIT_NONE)
    g_string_append_len (text->a, s.data, (gssize) s.len);
  else if (unit == TEXT_UNIT_WORDS)
    {
      g_array_set_size (text->segments, 0);
      text_segment_words (text->segmenter, s, text->segments);
      for (guint i = 0; i < text->segments->len; i++)
        {
          const TextSegment *segment = &g_array_index (text->segments, TextSegment, i);

          g_string_append_len (text->a, s.data + segment->offset, (gssize) segment->len);
          g_string_append_c (text->a, ' ');
        }
    }
  else
    for (const char *next; p < end; p = next)
      {
        next = p + score_char_len (p);
        if (score_space_at (p, end) != 0)
          continue;
        g_string_append_len (text->a, p, next - p);
        g_string_append_c (text->a, ' ');
      }
  cut_sentences (text, tokens);
}
