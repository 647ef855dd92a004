/* SPDX-License-Identifier: Apache-2.0 */
/* digits.c: numbers: telephones, identity cards, bank cards.
 *
 * A *chain* is runs of digits with no more between them than a blank, a hyphen,
 * a dot or a parenthesis.  Any stretch of up to seven runs of it may be a
 * number; the grouping has to be one that people use.  What stands to both
 * sides decides as much as the digits do: letters, a decimal point, a currency
 * sign, a unit, a file name.
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/pii/pii-private.h"

#define MOST_RUNS 7
#define MOST_DIGITS 24

enum
{
  BESIDE_LETTER = 1 << 0, /* a letter or '_' touches           */
  BESIDE_HYPHEN = 1 << 1, /* a hyphen and more digits          */
  BESIDE_POINT = 1 << 2,  /* a decimal point                   */
  BESIDE_MONEY = 1 << 3,  /* a currency sign or unit           */
  BESIDE_PATH = 1 << 4,   /* part of a path or a URL, perhaps  */
  BESIDE_COUNT = 1 << 5   /* a word that counts                */
};

typedef struct
{
  guint a, b; /* runs, inclusive */
  gsize s, e; /* characters */
  guint n;    /* digits */
  guint8 sep; /* between all runs; 0: one run; 'x': different ones */
  guint left, right;
  char d[MOST_DIGITS + 1];
} Number;

static const Run *
run_at (const Scan *scan, guint i)
{
  return &g_array_index (scan->runs, Run, i);
}

static guint
run_len (const Scan *scan, guint i)
{
  return run_at (scan, i)->e - run_at (scan, i)->s;
}

/* ---- the chain --------------------------------------------------------------- */

/* What separates two runs, or 0: no digit follows near enough. */
static guint8
separator (const Scan *scan, gsize at, gsize *next)
{
  gboolean blank = FALSE, hyphen = FALSE, bracket = FALSE, point = FALSE;
  gsize i = at;

  for (; i < at + 3; i++)
    {
      guint32 c = scan->ch[i];

      if (c == ' ')
        blank = TRUE;
      else if (c == '-' || c == 0xb7)
        hyphen = TRUE;
      else if (c == '(' || c == ')')
        bracket = TRUE;
      else if (c == '.' && i == at)
        point = TRUE;
      else
        break;
    }
  if (i == at || !(pii_cls (scan, (gssize) i) & C_DIGIT))
    return 0;
  *next = i;
  if (bracket)
    return '(';
  if (point)
    return i == at + 1 ? '.' : 0;
  return hyphen ? '-' : blank ? ' ' : 0;
}

static gsize
read_chain (Scan *scan, gsize i)
{
  g_array_set_size (scan->runs, 0);
  for (;;)
    {
      Run run = { .s = (guint32) i };
      gsize next = i;

      while (pii_cls (scan, (gssize) i) & C_DIGIT)
        i++;
      run.e = (guint32) i;
      run.sep = separator (scan, i, &next);
      run.sep_len = (guint8) (run.sep ? next - i : 0);
      g_array_append_val (scan->runs, run);
      if (run.sep == 0)
        return i;
      i = next;
    }
}

/* ---- what stands beside ------------------------------------------------------ */

static gboolean
is_currency (guint32 c)
{
  return c == '$' || c == 0xa5 || c == 0xffe5 || c == 0x20ac || c == 0xa3;
}

static guint
beside_left (const Scan *scan, guint a)
{
  gssize s = (gssize) run_at (scan, a)->s;
  guint32 c = pii_at (scan, s - 1);
  guint sides = 0;

  if (a > 0)
    {
      guint8 sep = run_at (scan, a - 1)->sep;

      return sep == '-' ? BESIDE_HYPHEN : sep == '.' ? BESIDE_POINT : 0;
    }
  if (pii_cls (scan, s - 1) & C_ALPHA || c == '_')
    sides |= BESIDE_LETTER;
  if (c == '-' && pii_is_alnum (scan, s - 2))
    sides |= BESIDE_HYPHEN;
  if (is_currency (c) || (c == ' ' && is_currency (pii_at (scan, s - 2))))
    sides |= BESIDE_MONEY;
  if (c == '/' || c == '=' || c == '&' || c == '%' || c == '\\' || c == '_' || c == '-')
    sides |= BESIDE_PATH;
  return sides;
}

static guint
beside_right (const Scan *scan, guint b)
{
  gssize e = (gssize) run_at (scan, b)->e;
  guint32 c = pii_at (scan, e), d = pii_at (scan, e + 1);
  guint8 sep = run_at (scan, b)->sep;
  guint sides = 0;

  if (sep == '-' || (c == '-' && pii_is_alnum (scan, e + 1)))
    sides |= BESIDE_HYPHEN;
  if (sep == '.')
    sides |= BESIDE_POINT;
  if (pii_cls (scan, e) & C_ALPHA || c == '_')
    sides |= BESIDE_LETTER;
  if (c == ' ' && d != 0)
    {
      c = d;
      d = pii_at (scan, e + 2);
    }
  /* 元 万 亿 块 美 人民币 */
  if (c == '%' || c == L'元' || c == L'万' || c == L'亿' || (c == L'块' && d == L'钱')
      || (c == L'美' && d == L'元'))
    sides |= BESIDE_MONEY;
  /* 次 件 个 人 倍 条 吨 台 票 股: so many of something */
  if (c == L'次' || c == L'件' || c == L'个' || c == L'人' || c == L'倍' || c == L'条' || c == L'吨'
      || c == L'台' || c == L'票' || c == L'股')
    sides |= BESIDE_COUNT;
  c = pii_at (scan, e);
  if (c == '.' || c == '/' || c == '_' || c == '-' || c == '\\' || c == '&')
    sides |= BESIDE_PATH;
  return sides;
}

/* Runs a to b as one number.  FALSE: too long. */
static gboolean
take_number (const Scan *scan, guint a, guint b, Number *number)
{
  number->a = a;
  number->b = b;
  number->n = 0;
  number->sep = 0;
  number->s = run_at (scan, a)->s;
  number->e = run_at (scan, b)->e;
  for (guint i = a; i <= b; i++)
    {
      const Run *run = run_at (scan, i);

      if (number->n + (run->e - run->s) > MOST_DIGITS)
        return FALSE;
      for (gsize at = run->s; at < run->e; at++)
        number->d[number->n++] = (char) scan->ch[at];
      if (i < b)
        number->sep = number->sep == 0 || number->sep == run->sep ? run->sep : 'x';
    }
  number->d[number->n] = '\0';
  number->left = beside_left (scan, a);
  number->right = beside_right (scan, b);
  return TRUE;
}

/* ---- context ----------------------------------------------------------------- */

/* Whether nothing but a colon, blanks and the like stands between @end and @at. */
static gboolean
adjoins (const Scan *scan, gsize end, gsize at)
{
  gboolean colon;
  gsize i = pii_skip_label (scan, end, 6, &colon);

  while (i < at
         && (scan->ch[i] == '#' || scan->ch[i] == '.' || scan->ch[i] == 'N' || scan->ch[i] == 'n'
             || scan->ch[i] == 'o' || scan->ch[i] == L'号' || scan->ch[i] == L'码'
             || scan->ch[i] == '+' || scan->ch[i] == '-' || scan->cls[i] & C_SPACE
             || scan->ch[i] == ':')) /* 号 码 */
    i++;
  return i >= at;
}

typedef struct
{
  const Word *word; /* that speaks for it, or NULL */
  gboolean near;    /* directly before */
  gboolean against; /* a number of another kind, directly before */
} Context;

static Context
context_of (const Scan *scan, gsize s, gsize e, guint32 kinds, guint reach)
{
  Context context = { NULL, FALSE, FALSE };
  gsize end = 0;
  const Word *word = pii_before (scan, s, kinds | K_NUMBER, reach, &end);

  if (word != NULL && !(word->kinds & kinds))
    {
      context.against = adjoins (scan, end, s);
      if (!context.against)
        word = pii_before (scan, s, kinds, reach, &end);
    }
  if (word != NULL && word->kinds & kinds)
    {
      context.word = word;
      context.near = adjoins (scan, end, s);
    }
  else if (!context.against)
    context.word = pii_after (scan, e, kinds, 4);
  return context;
}

static const char *
word_text (const Context *context)
{
  return context->word ? context->word->text : NULL;
}

/* Whether a context word of @kinds touches the letter side. */
static gboolean
label_touches (const Scan *scan, gsize s, guint32 kinds)
{
  gsize end = 0;

  return pii_before (scan, s, kinds, 0, &end) != NULL && end == s;
}

/* ---- telephones -------------------------------------------------------------- */

static gboolean
lens_are (const Scan *scan, guint a, guint n, guint l0, guint l1, guint l2)
{
  const guint lens[3] = { l0, l1, l2 };

  for (guint i = 0; i < n; i++)
    if (a + i >= scan->runs->len || run_len (scan, a + i) != lens[i])
      return FALSE;
  return TRUE;
}

/* The last run of a mobile number's grouping from run @a, or -1. */
static int
mobile_grouping (const Scan *scan, guint a)
{
  static const guint8 shapes[][3] = { { 3, 4, 4 }, { 4, 4, 3 }, { 3, 3, 5 } };
  static const guint8 twos[][2] = { { 3, 8 }, { 7, 4 }, { 5, 6 }, { 4, 7 }, { 6, 5 } };

  if (run_len (scan, a) == 11)
    return (int) a;
  if (run_len (scan, a) == 1 && a + 10 < scan->runs->len && scan->ch[run_at (scan, a)->s] == '1'
      && (a == 0 || run_len (scan, a - 1) > 1)
      && (a + 11 == scan->runs->len || run_len (scan, a + 11) > 1))
    {
      /* "1 3 8 0 0 1 3 8 0 0 0" */
      guint i = a;

      while (i < a + 10 && run_len (scan, i + 1) == 1
             && run_at (scan, i)->sep == run_at (scan, a)->sep)
        i++;
      return i == a + 10 && run_at (scan, a)->sep != '.' ? (int) i : -1;
    }
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (lens_are (scan, a, 3, shapes[i][0], shapes[i][1], shapes[i][2])
        && run_at (scan, a)->sep == run_at (scan, a + 1)->sep)
      return (int) a + 2;
  for (guint i = 0; i < G_N_ELEMENTS (twos); i++)
    if (lens_are (scan, a, 2, twos[i][0], twos[i][1], 0) && run_at (scan, a)->sep != '.')
      return (int) a + 1;
  return -1;
}

/* What the sides take from a number that has no context word (or has). */
static guint
after_sides (const Scan *scan, const Number *n, guint score, const Context *context, guint32 kinds)
{
  guint sides = n->left | n->right;

  if (sides & (BESIDE_POINT | BESIDE_MONEY))
    return 0;
  if (context->against)
    return score > 50 ? score - 50 : 0;
  if (n->left & BESIDE_LETTER && !label_touches (scan, n->s, kinds))
    return 0;
  if (n->right & BESIDE_LETTER && (context->word == NULL || pii_at (scan, (gssize) n->e) == '_'))
    return 0;
  if (sides & (BESIDE_HYPHEN | BESIDE_COUNT) && !context->near)
    return 0;
  if (sides & BESIDE_PATH && !context->near && pii_in_file_name (scan, n->s, n->e))
    return 0;
  return score;
}

static void
mobile (Scan *scan, guint a)
{
  guint len = run_len (scan, a), skip = 0, score;
  gssize s = (gssize) run_at (scan, a)->s, start = s;
  gboolean plus = pii_at (scan, s - 1) == '+', prefixed = FALSE;
  guint from = a;
  int last;
  Number number;
  Context context;
  guint segment;
  const char *d;

  /* The country code, as a run of its own or in front of the digits. */
  if (((len == 2 && scan->ch[s] == '8' && scan->ch[s + 1] == '6')
       || (len == 4 && !plus && scan->ch[s] == '0' && scan->ch[s + 1] == '0'
           && scan->ch[s + 2] == '8' && scan->ch[s + 3] == '6'))
      && run_at (scan, a)->sep != 0 && run_at (scan, a)->sep != '.')
    {
      from = a + 1;
      prefixed = TRUE;
      last = mobile_grouping (scan, from);
      if (last < 0 || !take_number (scan, from, (guint) last, &number))
        return;
      number.left = beside_left (scan, a);
    }
  else if (len == 13 || len == 15)
    {
      if (!take_number (scan, a, a, &number))
        return;
      if (len == 13 && memcmp (number.d, "86", 2) == 0)
        skip = 2;
      else if (len == 15 && !plus && memcmp (number.d, "0086", 4) == 0)
        skip = 4;
      else
        return;
      prefixed = plus || skip == 4;
    }
  else
    {
      last = mobile_grouping (scan, a);
      if (last < 0 || !take_number (scan, a, (guint) last, &number))
        return;
    }
  if (prefixed && plus)
    start--;
  if (prefixed && pii_at (scan, start - 1) == '(' && run_at (scan, a)->sep == '(')
    start--;
  number.s = (gsize) start;
  d = number.d + skip;
  segment = (guint) (d[0] - '0') * 100 + (guint) (d[1] - '0') * 10 + (guint) (d[2] - '0');
  context = context_of (scan, number.s, number.e, K_MOBILE, 16);
  if (pii_mobile_segment (segment))
    score = number.sep ? 65 : 70;
  else if (d[0] == '1' && d[1] >= '3')
    score = context.word != NULL ? 60 : 0;
  else
    score = d[0] == '9' && (d[1] == '2' || d[1] == '8') && context.near && number.sep == 0 ? 60 : 0;
  if (skip == 2 && !plus && context.word == NULL)
    score = 0;
  score = after_sides (scan, &number, score, &context, K_MOBILE);
  if (score > 0)
    score += (prefixed ? 15u : 0) + (context.near ? 20u : context.word ? 10u : 0);
  if (score >= 50)
    {
      pii_add (scan, TEXT_PII_MOBILE, number.s, number.e, score, TEXT_PII_CHECK_NONE,
               prefixed ? "mobile.prefix" : "mobile.segment", word_text (&context));
      pii_name_beside (scan, number.s, number.e);
    }
}

/* "+44 20 7946 0958": E.164, 8 to 15 digits behind a plus sign. */
static void
international (Scan *scan, guint a)
{
  gssize s = (gssize) run_at (scan, a)->s;
  Number number;
  Context context;

  if (a > 0 || pii_at (scan, s - 1) != '+' || pii_is_alnum (scan, s - 2) || scan->ch[s] == '0')
    return;
  for (guint b = MIN (a + 5, scan->runs->len - 1);; b--)
    {
      if (take_number (scan, a, b, &number) && number.n >= 10 && number.n <= 15
          && memcmp (number.d, "86", 2) != 0 && (b == a || run_len (scan, a) <= 4)
          && number.sep != '.')
        break;
      if (b == a)
        return;
    }
  context = context_of (scan, number.s, number.e, K_MOBILE | K_LANDLINE, 16);
  if (number.right & (BESIDE_MONEY | BESIDE_POINT | BESIDE_LETTER) || context.against
      || (number.b == a && context.word == NULL && number.n < 11))
    return;
  pii_add (scan, TEXT_PII_MOBILE, number.s - 1, number.e, context.word ? 85 : 65,
           TEXT_PII_CHECK_NONE, "mobile.international", word_text (&context));
}

/* The run at which seven or eight digits of a local number from run @a end, or -1. */
static int
local_number (const Scan *scan, guint a)
{
  guint len;

  if (a >= scan->runs->len)
    return -1;
  len = run_len (scan, a);
  if (scan->ch[run_at (scan, a)->s] < '2')
    return -1;
  if (len == 7 || len == 8)
    return (int) a;
  if ((len == 3 || len == 4) && a + 1 < scan->runs->len && run_len (scan, a + 1) == 4
      && (run_at (scan, a)->sep == ' ' || run_at (scan, a)->sep == '-'))
    return (int) a + 1;
  return -1;
}

/* An extension behind run @b: "-8001", "转8001", " ext. 8001". */
static gsize
extension (const Scan *scan, guint *b)
{
  gsize e = run_at (scan, *b)->e, i = e;

  if (run_at (scan, *b)->sep == '-' && *b + 1 < scan->runs->len && run_len (scan, *b + 1) <= 5
      && run_len (scan, *b + 1) >= 2 && run_at (scan, *b + 1)->sep != '-')
    return run_at (scan, ++*b)->e;
  while (i < e + 2 && pii_cls (scan, (gssize) i) & C_SPACE)
    i++;
  if (pii_at (scan, (gssize) i) == L'转')
    {
      gsize from;

      i++;
      if (pii_at (scan, (gssize) i) == L'分' && pii_at (scan, (gssize) i + 1) == L'机')
        i += 2;
      from = i;
      while (pii_cls (scan, (gssize) i) & C_DIGIT && i < from + 6)
        i++;
      return i > from ? i : e;
    }
  return e;
}

static void
add_landline (Scan *scan, Number *number, guint score, const char *rule, gboolean touching)
{
  Context context = context_of (scan, number->s, number->e, K_MOBILE | K_LANDLINE, 12);

  if (touching && !context.near)
    return;
  score = after_sides (scan, number, score, &context, K_MOBILE | K_LANDLINE);
  if (score == 0)
    return;
  score += context.near ? 25u : context.word ? 10u : 0;
  if (score >= 50)
    pii_add (scan, TEXT_PII_LANDLINE, number->s, number->e, score, TEXT_PII_CHECK_NONE, rule,
             word_text (&context));
}

/* Area code as run @a, or as the front of it. */
static void
landline_area (Scan *scan, guint a)
{
  const Run *run = run_at (scan, a);
  guint len = run->e - run->s;
  char d[16];
  Number number;
  int last = -1;

  if (scan->ch[run->s] != '0' || len > 12)
    return;
  for (guint i = 0; i < len; i++)
    d[i] = (char) scan->ch[run->s + i];
  if ((len == 3 || len == 4) && pii_area_code (d, len) && run->sep != 0 && run->sep != '.')
    {
      guint b;

      last = local_number (scan, a + 1);
      if (last < 0 || !take_number (scan, a, (guint) last, &number))
        return;
      b = (guint) last;
      number.e = extension (scan, &b);
      number.right = beside_right (scan, b);
      if (pii_at (scan, (gssize) number.s - 1) == '(' && run->sep == '(')
        number.s--;
      add_landline (scan, &number, run->sep == ' ' ? 60 : 70, "landline.area", FALSE);
      return;
    }
  for (guint area = 3; area <= 4; area++)
    if ((len == area + 7 || len == area + 8) && pii_area_code (d, area) && d[area] >= '2')
      {
        guint b = a;

        if (!take_number (scan, a, a, &number))
          return;
        number.e = extension (scan, &b);
        number.right = beside_right (scan, b);
        add_landline (scan, &number, 55, "landline.area", FALSE);
        return;
      }
}

/* "+86 10 8888 6666": the area code without its 0. */
static void
landline_prefixed (Scan *scan, guint a)
{
  gssize s = (gssize) run_at (scan, a)->s;
  guint at = a + 1;
  char d[5] = "0";
  Number number;
  int last;

  if (run_len (scan, a) != 2 || scan->ch[s] != '8' || scan->ch[s + 1] != '6'
      || pii_at (scan, s - 1) != '+' || at >= scan->runs->len)
    return;
  if (run_len (scan, at) == 1 && scan->ch[run_at (scan, at)->s] == '0' && at + 1 < scan->runs->len)
    at++;
  if (run_len (scan, at) < 2 || run_len (scan, at) > 4)
    return;
  {
    const Run *area = run_at (scan, at);
    guint n = 0, skip = scan->ch[area->s] == '0';

    for (gsize i = area->s + skip; i < area->e && n < 3; i++)
      d[1 + n++] = (char) scan->ch[i];
    if (!pii_area_code (d, n + 1))
      return;
  }
  last = local_number (scan, at + 1);
  if (last < 0 || !take_number (scan, a, (guint) last, &number))
    return;
  number.s--;
  number.e = extension (scan, &(guint){ (guint) last });
  pii_add (scan, TEXT_PII_LANDLINE, number.s, number.e, 85, TEXT_PII_CHECK_NONE, "landline.prefix",
           NULL);
}

/* 400 and 800 numbers, numbers without an area code, North American ones. */
static void
landline_other (Scan *scan, guint a)
{
  static const guint8 shapes[][3] = { { 3, 3, 4 }, { 3, 4, 3 }, { 4, 3, 3 } };
  const Run *run = run_at (scan, a);
  guint len = run->e - run->s;
  guint32 first = scan->ch[run->s];
  Number number;
  int last = -1;

  if ((first == '4' || first == '8') && len >= 3 && scan->ch[run->s + 1] == '0'
      && scan->ch[run->s + 2] == '0')
    {
      if (len == 10)
        last = (int) a;
      for (guint i = 0; last < 0 && i < G_N_ELEMENTS (shapes); i++)
        if (lens_are (scan, a, 3, shapes[i][0], shapes[i][1], shapes[i][2]) && run->sep != '.')
          last = (int) a + 2;
      if (last < 0 && lens_are (scan, a, 2, 3, 7, 0) && run->sep != '.')
        last = (int) a + 1;
      if (last >= 0 && take_number (scan, a, (guint) last, &number)
          && strcmp (number.d + 3, "0000000") != 0)
        {
          guint b = (guint) last;

          number.e = extension (scan, &b);
          number.right = beside_right (scan, b);
          add_landline (scan, &number, last == (int) a ? 60 : 70, "landline.400", FALSE);
        }
      return;
    }
  if (len == 3 && first >= '2' && lens_are (scan, a, 3, 3, 3, 4)
      && scan->ch[run_at (scan, a + 1)->s] >= '2'
      && (run->sep == '(' || run->sep == '-' || run->sep == '.'))
    {
      gboolean bracket = run->sep == '(' && pii_at (scan, (gssize) run->s - 1) == '(';

      if (take_number (scan, a, a + 2, &number))
        {
          number.s -= bracket;
          add_landline (scan, &number, bracket ? 60 : 40, "landline.nanp", FALSE);
        }
      return;
    }
  if (first >= '2' && (a == 0 || run_at (scan, a - 1)->sep == ' ')
      && (last = local_number (scan, a)) >= 0 && take_number (scan, a, (guint) last, &number))
    {
      Context context = context_of (scan, number.s, number.e, K_LANDLINE, 8);
      guint b = (guint) last;

      if (!context.near || number.left & BESIDE_LETTER)
        return;
      number.e = extension (scan, &b);
      number.right = beside_right (scan, b);
      add_landline (scan, &number, 40, "landline.local", TRUE);
    }
}

/* ---- identity cards ---------------------------------------------------------- */

static guint
two (const char *d)
{
  return (guint) (d[0] - '0') * 10 + (guint) (d[1] - '0');
}

static void
id_card (Scan *scan, Number *number)
{
  guint32 next = pii_at (scan, (gssize) number->e);
  gsize e = number->e;
  const char *d = number->d;
  gboolean old = number->n == 15, ok;
  guint year, month, day, county, score;
  char check = 0;
  Context context;

  if (number->n == 17)
    {
      if (next == ' ' || next == '-')
        next = pii_at (scan, (gssize) ++e);
      if ((next | 32) != 'x')
        return;
      e++;
      check = 'X';
    }
  else if (number->n == 18)
    check = d[17];
  else if (!old)
    return;
  if (!pii_province_ok (two (d)))
    return;
  year = old ? 1900 + two (d + 6) : two (d + 6) * 100 + two (d + 8);
  month = two (d + (old ? 8 : 10));
  day = two (d + (old ? 10 : 12));
  if (!pii_date_ok (year, month, day) || year < 1900 || year > 2035)
    return;
  county = two (d) * 10000 + two (d + 2) * 100 + two (d + 4);
  context = context_of (scan, number->s, e, K_ID | K_PERMIT, 16);
  if (number->left & BESIDE_LETTER && !label_touches (scan, number->s, K_ID))
    return;
  if (number->left & BESIDE_POINT || (pii_is_alnum (scan, (gssize) e) && context.word == NULL))
    return;
  if (pii_cls (scan, (gssize) e) & C_DIGIT)
    return;
  if (old)
    {
      if (number->right & (BESIDE_POINT | BESIDE_MONEY) || context.against)
        return;
      score = context.near                                    ? 85
              : context.word                                  ? 70
              : pii_county_known (county) && number->sep == 0 ? 55
                                                              : 0;
      if (context.word == NULL
          && ((text_pii_luhn (d, 15) && pii_issuer (d, 15))
              || (number->left | number->right) & (BESIDE_HYPHEN | BESIDE_PATH)))
        score = 0;
      if (score > 0)
        pii_add (scan, TEXT_PII_ID_CARD, number->s, e, score, TEXT_PII_CHECK_NONE, "id_card.15",
                 word_text (&context));
      return;
    }
  ok = text_pii_id_check (d) == check;
  if (!ok && context.word == NULL)
    return;
  score = 85 + (pii_county_known (county) ? 5u : 0) + (context.word ? 10u : 0);
  pii_add (scan, TEXT_PII_ID_CARD, number->s, e, ok ? score : 60,
           ok ? TEXT_PII_CHECK_OK : TEXT_PII_CHECK_WRONG, "id_card.18", word_text (&context));
  if (ok)
    pii_name_beside (scan, number->s, e);
}

/* ---- bank cards
 * ---------------------------------------------------------------------------------- */

/* One run, or groups as they are printed: fours, 4-6-5, 6-13. */
static gboolean
card_grouping (const Scan *scan, const Number *number)
{
  guint n = number->b - number->a + 1;
  gboolean fours = TRUE;

  if (n == 1)
    return TRUE;
  if (number->sep != ' ' && number->sep != '-')
    return FALSE;
  for (guint i = number->a; i < number->b; i++)
    fours = fours && run_len (scan, i) == 4;
  if (fours)
    return run_len (scan, number->b) <= 4;
  if (n == 2)
    return run_len (scan, number->a) == 6 && run_len (scan, number->b) >= 10;
  return n == 3 && run_len (scan, number->a) == 4 && run_len (scan, number->a + 1) == 6
         && run_len (scan, number->b) >= 4;
}

static void
bank_card (Scan *scan, Number *number)
{
  guint issuer, score;
  gboolean ok;
  Context context;

  if (number->n < 13 || number->n > 19 || !card_grouping (scan, number))
    return;
  issuer = pii_issuer (number->d, number->n);
  ok = text_pii_luhn (number->d, number->n);
  if (!ok && issuer != 2)
    return;
  context = context_of (scan, number->s, number->e, K_CARD, 12);
  if ((number->left | number->right) & (BESIDE_POINT | BESIDE_MONEY)
      || number->right & BESIDE_LETTER
      || (number->left & BESIDE_LETTER && !label_touches (scan, number->s, K_CARD))
      || context.against)
    return;
  if ((number->left | number->right) & BESIDE_HYPHEN && context.word == NULL)
    return;
  if ((number->left | number->right) & BESIDE_PATH && !context.near
      && pii_in_file_name (scan, number->s, number->e))
    return;
  if (!ok)
    {
      if (context.near && number->n >= 16)
        pii_add (scan, TEXT_PII_BANK_CARD, number->s, number->e, 55, TEXT_PII_CHECK_WRONG,
                 "bank_card.luhn", word_text (&context));
      return;
    }
  score = issuer == 2 ? 60 : issuer == 1 ? 25 : 0;
  if (issuer == 0 && !(context.near && number->n >= 16))
    return;
  score += context.near ? 35u : context.word ? 25u : 0;
  if (issuer == 0)
    score = 55;
  pii_add (scan, TEXT_PII_BANK_CARD, number->s, number->e, score, TEXT_PII_CHECK_OK,
           issuer ? "bank_card.issuer" : "bank_card.luhn", word_text (&context));
  pii_name_beside (scan, number->s, number->e);
}

static void
uscc_of_digits (Scan *scan, Number *number)
{
  Context context;

  if (number->n != 18 || text_pii_uscc_check (number->d) != number->d[17]
      || (number->left | number->right) & (BESIDE_LETTER | BESIDE_POINT))
    return;
  context = context_of (scan, number->s, number->e, K_USCC, 12);
  if (context.word != NULL)
    pii_add (scan, TEXT_PII_USCC, number->s, number->e, 90, TEXT_PII_CHECK_OK, "uscc.digits",
             word_text (&context));
}

/* ---- all of it
 * ---------------------------------------------------------------------------------------- */

static void
long_numbers (Scan *scan, guint a)
{
  Number number;

  for (guint b = a; b < scan->runs->len && b < a + MOST_RUNS; b++)
    {
      if (!take_number (scan, a, b, &number) || number.sep == 'x' || number.sep == '.'
          || number.sep == '(')
        return;
      if (number.n < 13)
        continue;
      if (pii_wants (scan, TEXT_PII_ID_CARD))
        id_card (scan, &number);
      if (pii_wants (scan, TEXT_PII_BANK_CARD))
        bank_card (scan, &number);
      if (pii_wants (scan, TEXT_PII_USCC))
        uscc_of_digits (scan, &number);
    }
}

gsize
pii_digits (Scan *scan, gsize i)
{
  gsize end = read_chain (scan, i);

  for (guint a = 0; a < scan->runs->len; a++)
    {
      const Run run = *run_at (scan, a);

      if (pii_cls (scan, (gssize) run.e) & C_HAN || scan->ch[run.e] == '#'
          || pii_cls (scan, (gssize) run.e) & C_ALPHA)
        pii_address_number (scan, run.s, run.e);
      /* A lone short number is none. */
      if (run.e - run.s < 7 && run.sep == 0)
        continue;
      mobile (scan, a);
      international (scan, a);
      if (pii_wants (scan, TEXT_PII_LANDLINE))
        {
          landline_area (scan, a);
          landline_prefixed (scan, a);
          landline_other (scan, a);
        }
      long_numbers (scan, a);
      if (run.sep == '.' && pii_wants (scan, TEXT_PII_IP))
        pii_ipv4 (scan, a);
    }
  return end;
}

static int
numeral_value (guint32 c)
{
  static const struct
  {
    guint32 c;
    int value;
  } values[]
      = { { L'零', 0 }, { 0x3007, 0 }, { L'一', 1 }, { L'幺', 1 }, { L'壹', 1 }, { L'二', 2 },
          { L'贰', 2 }, { L'两', 2 },  { L'三', 3 }, { L'叁', 3 }, { L'四', 4 }, { L'肆', 4 },
          { L'五', 5 }, { L'伍', 5 },  { L'六', 6 }, { L'陆', 6 }, { L'七', 7 }, { L'柒', 7 },
          { L'八', 8 }, { L'捌', 8 },  { L'九', 9 }, { L'玖', 9 } };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    if (values[i].c == c)
      return values[i].value;
  return -1; /* 十 */
}

/* "幺三八零零幺三八零零零": a mobile number as it is spoken. */
gsize
pii_numerals (Scan *scan, gsize i)
{
  gsize s = i;
  guint d[12], n = 0;

  for (; pii_cls (scan, (gssize) i) & C_CNNUM; i++)
    if (n < 12)
      {
        int value = numeral_value (scan->ch[i]);

        d[n++] = value < 0 ? 10 : (guint) value;
      }
  if (n == 11 && d[0] < 10 && d[1] < 10 && d[2] < 10
      && pii_mobile_segment (d[0] * 100 + d[1] * 10 + d[2]))
    {
      gboolean all = TRUE;

      for (guint k = 3; k < 11; k++)
        all = all && d[k] < 10;
      if (all)
        pii_add (scan, TEXT_PII_MOBILE, s, i, 75, TEXT_PII_CHECK_NONE, "mobile.numerals", NULL);
    }
  if (pii_cls (scan, (gssize) i) & C_HAN)
    pii_address_number (scan, s, i);
  return i;
}
