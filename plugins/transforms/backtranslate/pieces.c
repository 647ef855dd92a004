/* SPDX-License-Identifier: Apache-2.0 */
/* pieces.c: a text as pieces that a translator takes (pieces.h). */
#include "config.h"

#include "pieces.h"

#include <string.h>

#include "mask.h"
#include "text/chars.h"

static gboolean
is_space (gunichar c)
{
  return (text_char_flags (c) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)) != 0;
}

static void
add (GArray *pieces, const char *from, const char *to)
{
  Piece piece = { { from, (gsize) (to - from) }, FALSE };

  if (from == to)
    return;
  piece.kept = !mask_has_words (piece.text);
  g_array_append_val (pieces, piece);
}

/* How good a place to cut is behind @c: 3 the end of a sentence, 2 a comma, 1 a blank, 0 none. */
static int
rank (gunichar c, gunichar next)
{
  if (c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff1b) /* 。！？； */
    return 3;
  if ((c == '.' || c == '!' || c == '?' || c == ';') && (next == 0 || is_space (next)))
    return 3;
  if (c == 0xff0c || c == 0x3001 || (c == ',' && is_space (next))) /* ，、 */
    return 2;
  return is_space (c) ? 1 : 0;
}

/* Where to cut @from .. @end so that at most @max characters come before; not inside a mark. */
static const char *
find_cut (const char *from, const char *end, gsize max)
{
  const char *best[4] = { NULL }, *p = from, *whole = NULL;
  gsize n = 0;
  gboolean mark = FALSE;

  while (p < end && n < max)
    {
      gunichar c = text_next_char (&p);

      n++;
      mark = c == '{' || (mark && c != '}');
      if (!mark)
        {
          best[rank (c, p < end ? g_utf8_get_char (p) : 0)] = p;
          whole = p;
        }
    }
  if (p == end)
    return end;
  for (int i = 3; i > 0; i--)
    if (best[i] != NULL && best[i] > from)
      return best[i];
  return whole != NULL ? whole : p;
}

static void
add_line (GArray *pieces, const char *from, const char *end, gsize max)
{
  const char *start = from, *stop = end;

  while (start < stop && is_space (g_utf8_get_char (start)))
    start = g_utf8_next_char (start);
  while (stop > start && is_space (g_utf8_get_char (text_prev_char (stop))))
    stop = text_prev_char (stop);
  add (pieces, from, start);
  while (start < stop)
    {
      const char *cut = find_cut (start, stop, max), *body = cut;

      while (body > start && is_space (g_utf8_get_char (text_prev_char (body))))
        body = text_prev_char (body);
      add (pieces, start, body);
      add (pieces, body, cut);
      start = cut;
    }
  add (pieces, stop, end);
}

void
pieces_cut (FrStr text, gsize max, GArray *pieces)
{
  const char *p = text.data, *end = text.data + text.len;

  while (p < end)
    {
      const char *line = p;

      while (p < end && !(text_char_flags (g_utf8_get_char (p)) & TEXT_CH_NEWLINE))
        p = g_utf8_next_char (p);
      add_line (pieces, line, p, max);
      line = p;
      while (p < end && is_space (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
      add (pieces, line, p);
    }
}
