/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c: what numbers are given out: mobile segments, area codes, card issuers, provinces.
 *
 * Public facts: mobile segments of the ministry's numbering plan as of 2024
 * (13 to 19, 14x and 165, 167, 170, 171, 162 by their third digit), area codes
 * of the telephone network, province numbers of GB/T 2260, issuer ranges of
 * ISO/IEC 7812 as the card schemes publish them.
 */
#include "config.h"

#include <string.h>

#include "text/pii/pii-private.h"

gboolean
pii_province_ok (guint code)
{
  /* 71, 81, 82: residents' permits too; 91: foreigners' permanent residence. */
  static const guint8 known[]
      = { 11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43,
          44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91 };

  return code < 100 && memchr (known, (int) code, sizeof known) != NULL;
}

gboolean
pii_mobile_segment (guint first_three)
{
  /* By first two digits from 13: bit n: the third digit may be n. */
  static const guint16 third[7] = {
    0x3ff, /* 130-139 */
    0x3f3, /* 140 141 144-149 */
    0x3ef, /* 150-153 155-159 */
    0x0e4, /* 162 165 166 167 */
    0x1ff, /* 170-178 */
    0x3ff, /* 180-189 */
    0x3ef, /* 190-193 195-199 */
  };

  return first_three >= 130 && first_three < 200
         && third[first_three / 10 - 13] >> first_three % 10 & 1;
}

/* By the digits after 0, third digit as a bit set: area codes of three digits but 010 and 02x. */
static const struct
{
  guint8 two;
  guint16 third;
} areas[] = {
  { 31, 0x3ff }, { 33, 0x020 }, { 34, 0x200 }, { 35, 0x3ff }, { 37, 0x2ff }, { 39, 0x17e },
  { 41, 0x3e6 }, { 42, 0x282 }, { 43, 0x3fe }, { 45, 0x3fe }, { 46, 0x390 }, { 47, 0x3ff },
  { 48, 0x00c }, { 51, 0x3ff }, { 52, 0x088 }, { 53, 0x3ff }, { 54, 0x048 }, { 55, 0x3ff },
  { 56, 0x07e }, { 57, 0x3ff }, { 58, 0x001 }, { 59, 0x3fe }, { 63, 0x03e }, { 66, 0x10d },
  { 69, 0x006 }, { 70, 0x002 }, { 71, 0x3ff }, { 72, 0x114 }, { 73, 0x3f3 }, { 74, 0x078 },
  { 75, 0x3ff }, { 76, 0x34d }, { 77, 0x3ff }, { 79, 0x3ff }, { 81, 0x1cc }, { 82, 0x0e0 },
  { 83, 0x3ff }, { 85, 0x3fe }, { 87, 0x3ff }, { 88, 0x1c8 }, { 89, 0x1fe }, { 90, 0x34e },
  { 91, 0x2fe }, { 93, 0x3ff }, { 94, 0x00a }, { 95, 0x03e }, { 97, 0x2ff }, { 99, 0x3ff },
};

gboolean
pii_area_code (const char *digits, gsize n)
{
  guint two;

  if (n < 3 || digits[0] != '0')
    return FALSE;
  if (n == 3)
    return digits[1] == '1' ? digits[2] == '0' : digits[1] == '2' && digits[2] != '6';
  two = (guint) (digits[1] - '0') * 10 + (guint) (digits[2] - '0');
  for (guint i = 0; n == 4 && i < G_N_ELEMENTS (areas); i++)
    if (areas[i].two == two)
      return areas[i].third >> (digits[3] - '0') & 1;
  return FALSE;
}

/* Digits first to first + width of a number, as a number. */
static guint
prefix (const char *digits, gsize n, guint width)
{
  guint value = 0;

  for (guint i = 0; i < width; i++)
    value = value * 10 + (i < n ? (guint) (digits[i] - '0') : 0);
  return value;
}

guint
pii_issuer (const char *digits, gsize n)
{
  guint two = prefix (digits, n, 2), three = prefix (digits, n, 3), four = prefix (digits, n, 4);

  if (n < 13 || n > 19)
    return 0;
  if (two == 62) /* UnionPay */
    return n >= 16 ? 2 : 0;
  if (two == 81 && four >= 8100 && four <= 8171) /* UnionPay */
    return n >= 16 ? 2 : 0;
  if (digits[0] == '4') /* Visa */
    return n == 16 || n == 19 ? 2 : n == 13 ? 1 : 0;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) /* Mastercard */
    return n == 16 ? 2 : 0;
  if (two == 34 || two == 37) /* American Express */
    return n == 15 ? 2 : 0;
  if (two == 36 || two == 38 || two == 39 || (three >= 300 && three <= 305)) /* Diners Club */
    return n == 14 ? 2 : n == 16 ? 1 : 0;
  if (four >= 3528 && four <= 3589) /* JCB */
    return n == 16 ? 2 : 0;
  if (four == 6011 || two == 65 || (three >= 644 && three <= 649)) /* Discover */
    return n == 16 ? 2 : n == 19 ? 1 : 0;
  if (two == 67) /* Maestro, UnionPay */
    return n == 16 ? 2 : 1;
  if (two == 60 || two == 68 || two == 69 || two == 90 || two == 95 || two == 98 || two == 56
      || two == 58)
    return n >= 16 ? 1 : 0; /* older cards of Chinese banks, RuPay, Maestro */
  return 0;
}
