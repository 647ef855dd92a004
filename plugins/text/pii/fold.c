/* SPDX-License-Identifier: Apache-2.0 */
/* fold.c: the characters of a text as the rules see them, and their classes.
 *
 * Folding levels out what people and systems do to numbers without meaning
 * anything by it: full-width forms (Unicode block FF00), the many blanks and
 * dashes, digits of the mathematical alphabets, and characters of no width
 * between them.  It keeps case, and knows where every character stood.
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/chars.h"
#include "text/pii/pii-private.h"

#define DROP 0xffffffffu

/* Characters beyond ASCII that are not themselves; DROP: of no width. */
static guint32
fold_wide (guint32 c)
{
  if (c >= 0xff01 && c <= 0xff5e)
    return c - 0xfee0;
  if (c == 0x3000 || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f)
    return ' ';
  if ((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)
      || c == 0xfeff || c == 0xad || c == 0x180e || (c >= 0xfe00 && c <= 0xfe0f) || c == 0x20e3)
    return DROP;
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xfe63 || c == 0xfe58)
    return '-';
  if (c == 0x2022 || c == 0x30fb || c == 0x2027 || c == 0xff65)
    return 0xb7;
  if (c >= 0x1d7ce && c <= 0x1d7ff)
    return '0' + (c - 0x1d7ce) % 10;
  if (c == 0x2028 || c == 0x2029 || c == 0x85)
    return '\n';
  return c;
}

guint32
pii_fold_char (guint32 c)
{
  guint32 f = c < 0x80 ? c : fold_wide (c);

  return f == DROP ? 0 : f;
}

static const guint8 ascii[128] = {
  ['\t'] = C_SPACE,
  [' '] = C_SPACE,
  ['\n'] = C_STOP,
  ['\r'] = C_STOP,
  ['\v'] = C_STOP,
  ['\f'] = C_STOP,
  ['!'] = C_STOP,
  ['?'] = C_STOP,
  [';'] = C_STOP,
#define D C_DIGIT | C_LOCAL | C_HEX
  ['0'] = D,
  ['1'] = D,
  ['2'] = D,
  ['3'] = D,
  ['4'] = D,
  ['5'] = D,
  ['6'] = D,
  ['7'] = D,
  ['8'] = D,
  ['9'] = D,
#undef D
#define H C_ALPHA | C_LOCAL | C_HEX
  ['a'] = H,
  ['b'] = H,
  ['c'] = H,
  ['d'] = H,
  ['e'] = H,
  ['f'] = H,
  ['A'] = H,
  ['B'] = H,
  ['C'] = H,
  ['D'] = H,
  ['E'] = H,
  ['F'] = H,
#undef H
#define A C_ALPHA | C_LOCAL
  ['g'] = A,
  ['h'] = A,
  ['i'] = A,
  ['j'] = A,
  ['k'] = A,
  ['l'] = A,
  ['m'] = A,
  ['n'] = A,
  ['o'] = A,
  ['p'] = A,
  ['q'] = A,
  ['r'] = A,
  ['s'] = A,
  ['t'] = A,
  ['u'] = A,
  ['v'] = A,
  ['w'] = A,
  ['x'] = A,
  ['y'] = A,
  ['z'] = A,
  ['G'] = A,
  ['H'] = A,
  ['I'] = A,
  ['J'] = A,
  ['K'] = A,
  ['L'] = A,
  ['M'] = A,
  ['N'] = A,
  ['O'] = A,
  ['P'] = A,
  ['Q'] = A,
  ['R'] = A,
  ['S'] = A,
  ['T'] = A,
  ['U'] = A,
  ['V'] = A,
  ['W'] = A,
  ['X'] = A,
  ['Y'] = A,
  ['Z'] = A,
#undef A
  /* RFC 5322 atext, less what masks, quotes and shells use. */
  ['.'] = C_LOCAL,
  ['_'] = C_LOCAL,
  ['+'] = C_LOCAL,
  ['-'] = C_LOCAL,
  ['\''] = C_LOCAL,
};

static gboolean
is_numeral (guint32 c)
{
  switch (c)
    {
    case L'零':
    case L'〇':
    case L'一':
    case L'幺':
    case L'二':
    case L'两':
    case L'三':
    case L'四':
    case L'五':
    case L'六':
    case L'七':
    case L'八':
    case L'九':
    case L'十':
    case L'壹':
    case L'贰':
    case L'叁':
    case L'肆':
    case L'伍':
    case L'陆':
    case L'柒':
    case L'捌':
    case L'玖':
      return TRUE;
    default:
      return FALSE;
    }
}

guint8
pii_class (guint32 c)
{
  if (c < 128)
    return ascii[c];
  if ((c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x323af)
      || c == 0x3007)
    return is_numeral (c) ? C_HAN | C_CNNUM : C_HAN;
  return c == 0x3002 || c == 0x2026 ? C_STOP : 0; /* 。 … */
}

/* The classes of the first 64 Ki code points, filled once. */
static guint8 *
class_table (void)
{
  static guint8 *table;

  if (g_once_init_enter (&table))
    {
      guint8 *made = g_malloc (0x10000);

      for (guint32 c = 0; c < 0x10000; c++)
        made[c] = pii_class (c);
      g_once_init_leave (&table, made);
    }
  return table;
}

static void
make_room (Scan *scan, gsize n)
{
  if (n + 8 <= scan->room)
    return;
  scan->room = MAX (n + 8, scan->room * 2);
  g_free (scan->ch);
  g_free (scan->off);
  g_free (scan->cls);
  scan->ch = g_new (guint32, scan->room);
  scan->off = g_new (guint32, scan->room);
  scan->cls = g_malloc (scan->room);
}

void
pii_fold (Scan *scan, FrStr text)
{
  const guint8 *table = class_table ();
  const char *p = text.data, *end = p + text.len;
  gsize n = 0;

  make_room (scan, text.len);
  scan->text = text;
  while (p < end)
    {
      guint32 at = (guint32) (p - text.data);
      guint32 c = (guint8) *p;

      if (c < 0x80)
        p++;
      else
        {
          c = text_next_char (&p);
          /* Ideographs, the bulk of it, are themselves. */
          if (c < 0x3400 || c > 0x9fff)
            c = fold_wide (c);
          if (c == DROP)
            continue;
        }
      scan->ch[n] = c;
      scan->off[n] = at;
      scan->cls[n] = c < 0x10000 ? table[c] : pii_class (c);
      n++;
    }
  scan->n = n;
  scan->off[n] = (guint32) text.len;
  memset (scan->ch + n, 0, 4 * sizeof *scan->ch);
  memset (scan->cls + n, C_STOP, 4);
}

guint32
pii_char_end (const Scan *scan, gsize i)
{
  const char *p = scan->text.data + scan->off[i];

  (void) text_next_char (&p);
  return (guint32) (p - scan->text.data);
}
