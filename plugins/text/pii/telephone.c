/* SPDX-License-Identifier: Apache-2.0 */
/* telephone.c: telephone numbers, mobile and landline, of the mainland and others.
 *
 * Mainland mobile numbers by the segments given out, in the groupings people
 * use, spoken too (幺三八…); others in E.164 behind a plus sign.  Landlines by
 * area code, 400 and 800, and without an area code behind their word alone.
 */
#include "config.h"

#include <string.h>

#include "text/pii/digits.h"

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
  if (n->left & BESIDE_LETTER && !pii_label_touches (scan, n->s, kinds))
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
mainland (Scan *scan, guint a)
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
      if (last < 0 || !pii_take_number (scan, from, (guint) last, &number))
        return;
      number.left = pii_beside_left (scan, a);
    }
  else if (len == 13 || len == 15)
    {
      if (!pii_take_number (scan, a, a, &number))
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
      if (last < 0 || !pii_take_number (scan, a, (guint) last, &number))
        return;
    }
  if (prefixed && plus)
    start--;
  if (prefixed && pii_at (scan, start - 1) == '(' && run_at (scan, a)->sep == '(')
    start--;
  number.s = (gsize) start;
  d = number.d + skip;
  segment = (guint) (d[0] - '0') * 100 + (guint) (d[1] - '0') * 10 + (guint) (d[2] - '0');
  context = pii_context_of (scan, number.s, number.e, K_MOBILE, 16);
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
      if (pii_take_number (scan, a, b, &number) && number.n >= 10 && number.n <= 15
          && memcmp (number.d, "86", 2) != 0 && (b == a || run_len (scan, a) <= 4)
          && number.sep != '.')
        break;
      if (b == a)
        return;
    }
  context = pii_context_of (scan, number.s, number.e, K_MOBILE | K_LANDLINE, 16);
  if (number.right & (BESIDE_MONEY | BESIDE_POINT | BESIDE_LETTER) || context.against
      || (number.b == a && context.word == NULL && number.n < 11))
    return;
  pii_add (scan, TEXT_PII_MOBILE, number.s - 1, number.e, context.word ? 85 : 65,
           TEXT_PII_CHECK_NONE, "mobile.international", word_text (&context));
}

void
pii_mobile (Scan *scan, guint a)
{
  mainland (scan, a);
  international (scan, a);
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
  Context context = pii_context_of (scan, number->s, number->e, K_MOBILE | K_LANDLINE, 12);

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
      if (last < 0 || !pii_take_number (scan, a, (guint) last, &number))
        return;
      b = (guint) last;
      number.e = extension (scan, &b);
      number.right = pii_beside_right (scan, b);
      if (pii_at (scan, (gssize) number.s - 1) == '(' && run->sep == '(')
        number.s--;
      add_landline (scan, &number, run->sep == ' ' ? 60 : 70, "landline.area", FALSE);
      return;
    }
  for (guint area = 3; area <= 4; area++)
    if ((len == area + 7 || len == area + 8) && pii_area_code (d, area) && d[area] >= '2')
      {
        guint b = a;

        if (!pii_take_number (scan, a, a, &number))
          return;
        number.e = extension (scan, &b);
        number.right = pii_beside_right (scan, b);
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
  if (last < 0 || !pii_take_number (scan, a, (guint) last, &number))
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
      if (last >= 0 && pii_take_number (scan, a, (guint) last, &number)
          && strcmp (number.d + 3, "0000000") != 0)
        {
          guint b = (guint) last;

          number.e = extension (scan, &b);
          number.right = pii_beside_right (scan, b);
          add_landline (scan, &number, last == (int) a ? 60 : 70, "landline.400", FALSE);
        }
      return;
    }
  if (len == 3 && first >= '2' && lens_are (scan, a, 3, 3, 3, 4)
      && scan->ch[run_at (scan, a + 1)->s] >= '2'
      && (run->sep == '(' || run->sep == '-' || run->sep == '.'))
    {
      gboolean bracket = run->sep == '(' && pii_at (scan, (gssize) run->s - 1) == '(';

      if (pii_take_number (scan, a, a + 2, &number))
        {
          number.s -= bracket;
          add_landline (scan, &number, bracket ? 60 : 40, "landline.nanp", FALSE);
        }
      return;
    }
  if (first >= '2' && (a == 0 || run_at (scan, a - 1)->sep == ' ')
      && (last = local_number (scan, a)) >= 0 && pii_take_number (scan, a, (guint) last, &number))
    {
      Context context = pii_context_of (scan, number.s, number.e, K_LANDLINE, 8);
      guint b = (guint) last;

      if (!context.near || number.left & BESIDE_LETTER)
        return;
      number.e = extension (scan, &b);
      number.right = pii_beside_right (scan, b);
      add_landline (scan, &number, 40, "landline.local", TRUE);
    }
}

void
pii_landline (Scan *scan, guint a)
{
  landline_area (scan, a);
  landline_prefixed (scan, a);
  landline_other (scan, a);
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
