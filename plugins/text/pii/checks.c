/* SPDX-License-Identifier: Apache-2.0 */
/* checks.c: checksums and dates.
 *
 * Luhn: ISO/IEC 7812-1 annex B.  Identity cards: GB 11643-1999, ISO 7064 MOD
 * 11-2.  Unified social credit code: GB 32100-2015, MOD 31-3 on 31 characters.
 */
#include "config.h"

#include <string.h>

#include "text/pii/pii-private.h"

gboolean
text_pii_luhn (const char *digits, gsize n)
{
  guint sum = 0;

  for (gsize i = 0; i < n; i++)
    {
      guint d = (guint) (digits[n - 1 - i] - '0');

      if (d > 9)
        return FALSE;
      if (i & 1)
        d = d > 4 ? 2 * d - 9 : 2 * d;
      sum += d;
    }
  return n > 0 && sum % 10 == 0;
}

char
text_pii_id_check (const char *digits)
{
  static const guint8 weights[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
  guint sum = 0;

  for (guint i = 0; i < 17; i++)
    sum += weights[i] * (guint) (digits[i] - '0');
  return "10X98765432"[sum % 11];
}

char
text_pii_uscc_check (const char *chars)
{
  static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  guint sum = 0, weight = 1;

  for (guint i = 0; i < 17; i++)
    {
      const char *at = chars[i] ? strchr (alphabet, chars[i]) : NULL;

      if (at == NULL)
        return 0;
      sum += weight * (guint) (at - alphabet);
      weight = weight * 3 % 31;
    }
  return alphabet[(31 - sum % 31) % 31];
}

gboolean
pii_date_ok (guint year, guint month, guint day)
{
  static const guint8 days[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  /* 2099: a text may speak of cards to come; what matters is that it is a date. */
  return year >= 1880 && year <= 2099 && month >= 1 && month <= 12 && day >= 1
         && day <= days[month] + (guint) (month == 2 && leap);
}
