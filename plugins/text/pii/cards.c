/* SPDX-License-Identifier: Apache-2.0 */
/* cards.c: numbers with a checksum: identity cards (GB 11643-1999, and the 15 digits
 * of before), bank cards (ISO/IEC 7812), credit codes of nothing but digits.
 */
#include "config.h"

#include <string.h>

#include "text/pii/digits.h"

/* ---- identity cards ---------------------------------------------------------- */

static guint
two (const char *d)
{
  return (guint) (d[0] - '0') * 10 + (guint) (d[1] - '0');
}

void
pii_id_card (Scan *scan, Number *number)
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
  context = pii_context_of (scan, number->s, e, K_ID | K_PERMIT, 16);
  if (number->left & BESIDE_LETTER && !pii_label_touches (scan, number->s, K_ID))
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

void
pii_bank_card (Scan *scan, Number *number)
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
  context = pii_context_of (scan, number->s, number->e, K_CARD, 12);
  if ((number->left | number->right) & (BESIDE_POINT | BESIDE_MONEY)
      || number->right & BESIDE_LETTER
      || (number->left & BESIDE_LETTER && !pii_label_touches (scan, number->s, K_CARD))
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

void
pii_uscc_of_digits (Scan *scan, Number *number)
{
  Context context;

  if (number->n != 18 || text_pii_uscc_check (number->d) != number->d[17]
      || (number->left | number->right) & (BESIDE_LETTER | BESIDE_POINT))
    return;
  context = pii_context_of (scan, number->s, number->e, K_USCC, 12);
  if (context.word != NULL)
    pii_add (scan, TEXT_PII_USCC, number->s, number->e, 90, TEXT_PII_CHECK_OK, "uscc.digits",
             word_text (&context));
}
