/* SPDX-License-Identifier: Apache-2.0 */
/* plate.c: vehicle plates by GA 36-2018.
 *
 * Province, office letter, five characters without I and O, at most three of
 * them letters here (the standard gives out two, cities have gone further), or
 * six for new energy: a letter in the first place (small) or the last (large).
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/chars.h"
#include "text/pii/pii-private.h"

gboolean
pii_is_plate_char (guint32 c)
{
  static const wchar_t provinces[]
      = L"京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使";

  for (guint i = 0; provinces[i] != 0; i++)
    if ((guint32) provinces[i] == c)
      return TRUE;
  return FALSE;
}

static gboolean
plate_char (guint32 c)
{
  return (c >= '0' && c <= '9')
         || ((c | 32) >= 'a' && (c | 32) <= 'z' && (c | 32) != 'i' && (c | 32) != 'o');
}

void
pii_plate (Scan *scan, gsize i)
{
  gsize s = i + 2, e, n, digits = 0, letters = 0;
  guint32 last;
  const Word *word;
  guint score;

  if ((scan->ch[i + 1] | 32) == 'i')
    return;
  if (scan->ch[s] == 0xb7 || scan->ch[s] == '.' || scan->ch[s] == '-' || scan->ch[s] == ' ')
    s++;
  if (scan->ch[s] == ' ')
    s++;
  for (e = s; e < scan->n && e - s < 7 && plate_char (scan->ch[e]); e++)
    {
      digits += (scan->cls[e] & C_DIGIT) != 0;
      letters += (scan->cls[e] & C_ALPHA) != 0;
    }
  n = e - s;
  last = pii_at (scan, (gssize) e);
  /* 挂 学 警 港 澳 in the last place */
  if (n == 4 && (last == L'挂' || last == L'学' || last == L'警' || last == L'港' || last == L'澳'))
    {
      n = 5;
      e++;
    }
  else if (pii_is_alnum (scan, (gssize) e) || last == '_')
    return;
  if (n == 6)
    {
      gboolean small = scan->cls[s] & C_ALPHA && digits >= 4,
               large = scan->cls[s + 5] & C_ALPHA && digits == 5;

      if (!small && !large)
        return;
    }
  else if (n != 5 || digits < 2)
    return;
  word = pii_before (scan, i, K_PLATE, 12, NULL);
  score = 75;
  /* "新A12345": five digits behind a word of its own. */
  if (s == i + 2 && letters == 0 && (last == L'元' || last == L'个'))
    score = 30;
  pii_add (scan, TEXT_PII_PLATE, i, e, score + (word ? 20 : 0), TEXT_PII_CHECK_NONE,
           n == 6 ? "plate.new_energy" : "plate.usual", word ? word->text : NULL);
}
