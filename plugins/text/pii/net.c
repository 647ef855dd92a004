/* SPDX-License-Identifier: Apache-2.0 */
/* net.c: addresses of machines.
 *
 * IPv4 in dotted decimal, IPv6 as RFC 4291 2.2 writes it, MAC addresses of IEEE
 * 802 with ':', '-' or Cisco's dots.  Addresses that are nobody's (this host,
 * broadcast, class E, documentation) are let be.
 */
#include "config.h"

#include <string.h>

#include "text/pii/pii-private.h"

/* ---- IPv4 -------------------------------------------------------------------- */

static guint
octet (const Scan *scan, const Run *run)
{
  guint value = 0;

  if (run->e - run->s > 3)
    return 256;
  for (gsize i = run->s; i < run->e; i++)
    value = value * 10 + (scan->ch[i] - '0');
  return value;
}

gboolean
pii_ipv4 (Scan *scan, guint a)
{
  const Run *runs = (const Run *) (const void *) scan->runs->data;
  guint o[4];
  gsize s, e;
  guint score = 65;
  const Word *word;

  if (a + 3 >= scan->runs->len || (a > 0 && runs[a - 1].sep == '.'))
    return FALSE;
  for (guint i = 0; i < 4; i++)
    {
      o[i] = octet (scan, &runs[a + i]);
      if (o[i] > 255 || (i < 3 && runs[a + i].sep != '.')
          || (runs[a + i].e - runs[a + i].s > 1 && scan->ch[runs[a + i].s] == '0'))
        return FALSE;
    }
  s = runs[a].s;
  e = runs[a + 3].e;
  if (runs[a + 3].sep == '.' || pii_cls (scan, (gssize) s - 1) & C_ALPHA
      || pii_cls (scan, (gssize) e) & C_ALPHA)
    return FALSE;
  if (o[0] == 0 || o[0] == 127 || o[0] >= 224)
    return FALSE;
  word = pii_before (scan, s, K_VERSION, 6, NULL);
  if (word != NULL || pii_after (scan, e, K_VERSION, 0) != NULL)
    return FALSE;
  /* "1.2.3.4" may be a chapter; an address has a larger number in it. */
  if (o[0] < 10 && o[1] < 10 && o[2] < 10 && o[3] < 10)
    score = 40;
  pii_add (scan, TEXT_PII_IP, s, e, score + (o[0] == 10 || o[0] == 192 || o[0] == 172 ? 15 : 0),
           TEXT_PII_CHECK_NONE, "ip.v4", NULL);
  return TRUE;
}

/* ---- IPv6 and MAC ------------------------------------------------------------ */

static gsize
hex_end (const Scan *scan, gsize i)
{
  while (pii_cls (scan, (gssize) i) & C_HEX)
    i++;
  return i;
}

static gboolean
mac (Scan *scan, gsize s)
{
  guint32 sep = scan->ch[s + 2];
  gsize i = s;
  gboolean zero = TRUE, ones = TRUE;

  if (sep == '.' || hex_end (scan, s) == s + 4)
    {
      /* 0011.2233.4455 */
      for (guint group = 0; group < 3; group++)
        {
          if (hex_end (scan, i) != i + 4 || (group < 2 && pii_at (scan, (gssize) i + 4) != '.'))
            return FALSE;
          i += group < 2 ? 5 : 4;
        }
      if (pii_is_alnum (scan, (gssize) i) || pii_at (scan, (gssize) i) == '.')
        return FALSE;
      {
        gboolean letter = FALSE;

        for (gsize k = s; k < i; k++)
          letter |= (scan->cls[k] & C_ALPHA) != 0;
        if (!letter)
          return FALSE;
      }
      pii_add (scan, TEXT_PII_MAC, s, i, 70, TEXT_PII_CHECK_NONE, "mac.dots", NULL);
      return TRUE;
    }
  if (sep != ':' && sep != '-')
    return FALSE;
  for (guint group = 0; group < 6; group++)
    {
      if (hex_end (scan, i) != i + 2 || (group < 5 && pii_at (scan, (gssize) i + 2) != sep))
        return FALSE;
      zero = zero && scan->ch[i] == '0' && scan->ch[i + 1] == '0';
      ones = ones && (scan->ch[i] | 32) == 'f' && (scan->ch[i + 1] | 32) == 'f';
      i += group < 5 ? 3 : 2;
    }
  if (pii_at (scan, (gssize) i) == sep || pii_is_alnum (scan, (gssize) i)
      || (s > 0 && pii_at (scan, (gssize) s - 1) == sep))
    return FALSE;
  /* A pseudonym's prefix, see hide.c. */
  if (zero || ones
      || ((scan->ch[s] | 32) == 'f' && scan->ch[s + 1] == '2' && (scan->ch[s + 3] | 32) == 'f'
          && (scan->ch[s + 4] | 32) == 'f' && (scan->ch[s + 6] | 32) == 'f'
          && (scan->ch[s + 7] | 32) == 'f'))
    return TRUE;
  pii_add (scan, TEXT_PII_MAC, s, i, 85, TEXT_PII_CHECK_NONE, "mac.groups", NULL);
  return TRUE;
}

static void
ipv6 (Scan *scan, gsize s)
{
  gsize i = s;
  guint groups = 0, doubles = 0, digits = 0;

  if (s > 0 && (scan->ch[s - 1] == ':' || scan->ch[s - 1] == '.'))
    return;
  for (;;)
    {
      gsize e = hex_end (scan, i);

      if (e == i || e - i > 4)
        return;
      for (gsize k = i; k < e; k++)
        digits += (scan->cls[k] & C_DIGIT) != 0;
      groups++;
      i = e;
      if (pii_at (scan, (gssize) i) != ':')
        break;
      if (pii_at (scan, (gssize) i + 1) == ':')
        {
          doubles++;
          if (!(pii_cls (scan, (gssize) i + 2) & C_HEX))
            {
              i += 2;
              break;
            }
          i += 2;
        }
      else if (pii_cls (scan, (gssize) i + 1) & C_HEX)
        i++;
      else
        break;
    }
  if (pii_is_alnum (scan, (gssize) i) || pii_at (scan, (gssize) i) == ':')
    return;
  if (!((groups == 8 && doubles == 0) || (doubles == 1 && groups >= 2 && groups <= 7))
      || digits < 2)
    return;
  /* This host: ::1, however written. */
  {
    gsize k = s;

    while (k < i && (scan->ch[k] == '0' || scan->ch[k] == '1' || scan->ch[k] == ':'))
      k++;
    if (k == i)
      return;
  }
  /* Two groups: of addresses that are given out, fe80::1 and 2001::1, not 8000::192. */
  if (groups == 2
      && (doubles == 0 || hex_end (scan, s) != s + 4
          || (scan->ch[s] != '2' && (scan->ch[s] | 32) != 'f')))
    return;
  if (pii_at (scan, (gssize) i) == '.' && pii_cls (scan, (gssize) i + 1) & C_DIGIT)
    return;
  /* RFC 3849: for documents, and our pseudonyms. */
  if (scan->ch[s] == '2' && scan->ch[s + 1] == '0' && scan->ch[s + 2] == '0'
      && scan->ch[s + 3] == '1' && scan->ch[s + 4] == ':' && (scan->ch[s + 5] | 32) == 'd'
      && (scan->ch[s + 6] | 32) == 'b' && scan->ch[s + 7] == '8')
    return;
  pii_add (scan, TEXT_PII_IP, s, i, groups >= 4 || doubles == 0 ? 85 : 65, TEXT_PII_CHECK_NONE,
           "ip.v6", NULL);
}

void
pii_hex_groups (Scan *scan, gsize i)
{
  gsize e = hex_end (scan, i);

  if ((e == i + 2 || e == i + 4) && pii_wants (scan, TEXT_PII_MAC) && mac (scan, i))
    return;
  if (e > i && e - i <= 4 && scan->ch[e] == ':' && pii_wants (scan, TEXT_PII_IP))
    ipv6 (scan, i);
}
