/* SPDX-License-Identifier: Apache-2.0 */
/* mask.c: what a translator must not touch, taken out before and put back after (mask.h). */
#include "config.h"

#include "mask.h"

#include <string.h>

#include "text/augment.h"
#include "text/chars.h"

#define MAX_DIGITS 6

/* ---- taking out -------------------------------------------------------------------------------
 */

typedef struct
{
  FrStr text;
  gsize at; /* up to here the text is in @out */
  GString *out;
  GArray *masked;
} Masking;

static void
put_mark (Masking *m, gsize from, gsize to)
{
  FrStr piece = { m->text.data + from, to - from };

  g_string_append_len (m->out, m->text.data + m->at, (gssize) (from - m->at));
  g_array_append_val (m->masked, piece);
  g_string_append_printf (m->out, "{%u}", m->masked->len);
  m->at = to;
}

static gboolean
blank_between (FrStr text, gsize from, gsize to)
{
  while (from < to && text.data[from] == ' ')
    from++;
  return from == to;
}

void
mask_text (FrStr text, const GArray *keeps, GString *out, GArray *masked)
{
  Masking m = { text, 0, out, masked };
  gsize from = 0, to = 0; /* of the mark that is growing */

  for (guint i = 0; i < keeps->len; i++)
    {
      const TextKeep *keep = &g_array_index (keeps, TextKeep, i);

      if (keep->kind == TEXT_KEEP_NEGATION || keep->len == 0)
        continue;
      if (from == to || !blank_between (text, to, keep->offset))
        {
          if (from < to)
            put_mark (&m, from, to);
          from = keep->offset;
        }
      to = keep->offset + keep->len;
    }
  if (from < to)
    put_mark (&m, from, to);
  g_string_append_len (out, text.data + m.at, (gssize) (text.len - m.at));
}

/* ---- marks in a translation -------------------------------------------------------------------
 */

static gboolean
skip (const char **p, const char *end, const char *narrow, const char *wide)
{
  gsize n = strlen (narrow), w = strlen (wide);

  if ((gsize) (end - *p) >= n && memcmp (*p, narrow, n) == 0)
    *p += n;
  else if ((gsize) (end - *p) >= w && memcmp (*p, wide, w) == 0)
    *p += w;
  else
    return FALSE;
  return TRUE;
}

static void
skip_blanks (const char **p, const char *end)
{
  while (*p < end && **p == ' ')
    ++*p;
}

/* A mark at @p: its number and the bytes it takes; 0: none. */
static gsize
read_mark (const char *p, const char *end, guint *number)
{
  const char *start = p;
  guint digits = 0;

  *number = 0;
  if (!skip (&p, end, "{", "｛"))
    return 0;
  skip_blanks (&p, end);
  for (; p < end && digits <= MAX_DIGITS; digits++)
    {
      gunichar c = g_utf8_get_char (p);

      if (c >= 0xff10 && c <= 0xff19)
        c -= 0xff10 - '0';
      if (c < '0' || c > '9')
        break;
      *number = *number * 10 + (c - '0');
      p = g_utf8_next_char (p);
    }
  skip_blanks (&p, end);
  if (digits == 0 || digits > MAX_DIGITS || !skip (&p, end, "}", "｝"))
    return 0;
  return (gsize) (p - start);
}

gboolean
mask_has_words (FrStr text)
{
  const char *p = text.data, *end = text.data + text.len;
  guint number;

  while (p < end)
    {
      gsize mark = read_mark (p, end, &number);

      if (mark > 0)
        p += mark;
      else if (text_char_flags (text_next_char (&p)) & TEXT_CH_ALNUM)
        return TRUE;
    }
  return FALSE;
}

/* ---- putting back -----------------------------------------------------------------------------
 */

static gboolean
is_han (const char *p)
{
  return (text_char_flags (g_utf8_get_char (p)) & (TEXT_CH_HAN | TEXT_CH_KANA | TEXT_CH_PUNCT)) != 0
         && g_utf8_get_char (p) >= 0x2e80;
}

/* Takes blanks off the end of @out where Han stands before them. */
static void
tighten (GString *out)
{
  gsize len = out->len;

  while (len > 0 && out->str[len - 1] == ' ')
    len--;
  if (len > 0 && len < out->len && is_han (text_prev_char (out->str + len)))
    g_string_truncate (out, len);
}

static const char *
tighten_behind (const char *p, const char *end)
{
  const char *q = p;

  while (q < end && *q == ' ')
    q++;
  return q > p && q < end && is_han (q) ? q : p;
}

gboolean
mask_restore (FrStr text, const GArray *masked, gboolean tight, GString *out, char **why)
{
  const char *p = text.data, *end = text.data + text.len;
  g_autofree guint8 *used = g_new0 (guint8, masked->len + 1);
  guint number;

  *why = NULL;
  while (p < end)
    {
      gsize mark = read_mark (p, end, &number);

      if (mark == 0)
        {
          const char *next = g_utf8_next_char (p);

          g_string_append_len (out, p, next - p);
          p = next;
          continue;
        }
      if (number == 0 || number > masked->len || used[number - 1]++)
        {
          *why = g_strdup_printf (number == 0 || number > masked->len
                                      ? "the mark {%u} was never given"
                                      : "the mark {%u} stands twice",
                                  number);
          return FALSE;
        }
      if (tight)
        tighten (out);
      g_string_append_len (out, g_array_index (masked, FrStr, number - 1).data,
                           (gssize) g_array_index (masked, FrStr, number - 1).len);
      p += mark;
      if (tight)
        p = tighten_behind (p, end);
    }
  for (guint i = 0; i < masked->len; i++)
    if (!used[i])
      {
        *why = g_strdup_printf ("the mark {%u} is missing", i + 1);
        return FALSE;
      }
  return TRUE;
}
