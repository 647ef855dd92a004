/* SPDX-License-Identifier: Apache-2.0 */
/* digits.c: numbers: what runs of digits may be one, and what stands beside them.
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

#include "text/pii/digits.h"

#define MOST_RUNS 7

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

guint
pii_beside_left (const Scan *scan, guint a)
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

guint
pii_beside_right (const Scan *scan, guint b)
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
gboolean
pii_take_number (const Scan *scan, guint a, guint b, Number *number)
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
  number->left = pii_beside_left (scan, a);
  number->right = pii_beside_right (scan, b);
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

Context
pii_context_of (const Scan *scan, gsize s, gsize e, guint32 kinds, guint reach)
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

/* Whether a context word of @kinds touches the letter side. */
gboolean
pii_label_touches (const Scan *scan, gsize s, guint32 kinds)
{
  gsize end = 0;

  return pii_before (scan, s, kinds, 0, &end) != NULL && end == s;
}
/* ---- all of it
 * ---------------------------------------------------------------------------------------- */

static void
long_numbers (Scan *scan, guint a)
{
  Number number;

  for (guint b = a; b < scan->runs->len && b < a + MOST_RUNS; b++)
    {
      if (!pii_take_number (scan, a, b, &number) || number.sep == 'x' || number.sep == '.'
          || number.sep == '(')
        return;
      if (number.n < 13)
        continue;
      if (pii_wants (scan, TEXT_PII_ID_CARD))
        pii_id_card (scan, &number);
      if (pii_wants (scan, TEXT_PII_BANK_CARD))
        pii_bank_card (scan, &number);
      if (pii_wants (scan, TEXT_PII_USCC))
        pii_uscc_of_digits (scan, &number);
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
      pii_mobile (scan, a);
      if (pii_wants (scan, TEXT_PII_LANDLINE))
        pii_landline (scan, a);
      long_numbers (scan, a);
      if (run.sep == '.' && pii_wants (scan, TEXT_PII_IP))
        pii_ipv4 (scan, a);
    }
  return end;
}
