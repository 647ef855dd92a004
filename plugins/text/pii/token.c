/* SPDX-License-Identifier: Apache-2.0 */
/* token.c: what is letters and digits: codes of companies, passports, permits,
 * keys and passwords.
 *
 * Unified social credit code: GB 32100-2015, with the region part of GB/T 2260.
 * Passports and permits: the layouts that the exit and entry administration
 * prints; a layout so plain needs its word beside it.  Keys: the prefixes that
 * their issuers give them for this purpose, or a label before text of high
 * entropy (Shannon, bits a character).
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/pii/pii-private.h"

static gsize
end_of (const Scan *scan, gsize i, const char *more)
{
  while (i < scan->n
         && (scan->cls[i] & C_ALNUM
             || (scan->ch[i] < 128 && strchr (more, (int) scan->ch[i]) && scan->ch[i])))
    i++;
  return i;
}

static gboolean
begins (const Scan *scan, gsize i, const char *prefix)
{
  for (; *prefix != '\0'; prefix++, i++)
    if (pii_at (scan, (gssize) i) != (guint32) *prefix)
      return FALSE;
  return TRUE;
}

static gsize
count_digits (const Scan *scan, gsize s, gsize e)
{
  gsize n = 0;

  for (; s < e; s++)
    n += (scan->cls[s] & C_DIGIT) != 0;
  return n;
}

/* ---- unified social credit code ---------------------------------------------- */

static void
uscc (Scan *scan, gsize s)
{
  char code[19];
  gsize letters = 0;
  gboolean ok;
  const Word *word;

  for (guint i = 0; i < 18; i++)
    {
      code[i] = (char) g_ascii_toupper ((char) scan->ch[s + i]);
      letters += !g_ascii_isdigit (code[i]);
    }
  code[18] = '\0';
  if (letters == 0 || letters > 12 || strchr ("123456789ANY", code[0]) == NULL)
    return;
  for (guint i = 2; i < 8; i++)
    if (!g_ascii_isdigit (code[i]))
      return;
  if (!pii_province_ok ((guint) (code[2] - '0') * 10 + (guint) (code[3] - '0'))
      && memcmp (code + 2, "10", 2) != 0)
    return; /* 10: registered with the state itself */
  ok = text_pii_uscc_check (code) == code[17] && code[17] != '\0';
  word = pii_before (scan, s, K_USCC, 12, NULL);
  if (ok || word != NULL)
    pii_add (scan, TEXT_PII_USCC, s, s + 18, ok ? (word ? 100 : 85) : 55,
             ok ? TEXT_PII_CHECK_OK : TEXT_PII_CHECK_WRONG, "uscc.letters",
             word ? word->text : NULL);
}

/* ---- passports and permits --------------------------------------------------- */

static gboolean
all_digits (const Scan *scan, gsize s, gsize e)
{
  return e > s && count_digits (scan, s, e) == e - s;
}

static gboolean
is_passport (const Scan *scan, gsize s, gsize e)
{
  gsize n = e - s;
  guint32 a = scan->ch[s] & ~32u, b = s + 1 < e ? scan->ch[s + 1] & ~32u : 0;

  if (n == 9 && (a == 'E' || a == 'G' || a == 'K' || a == 'H') && all_digits (scan, s + 1, e))
    return TRUE;
  if (n == 9 && a == 'E' && scan->cls[s + 1] & C_ALPHA && b != 'I' && b != 'O'
      && all_digits (scan, s + 2, e))
    return TRUE;
  if (n == 9
      && ((b == 'E' && (a == 'S' || a == 'D' || a == 'P')) || (a == 'M' && (b == 'A' || b == 'B'))
          || (a == 'K' && b == 'J'))
      && all_digits (scan, s + 2, e))
    return TRUE;
  if ((n == 8 || n == 9) && (a == 'S' || a == 'D' || a == 'P') && all_digits (scan, s + 1, e))
    return TRUE;
  return n == 9 && scan->ch[s] == '1' && (scan->ch[s + 1] == '4' || scan->ch[s + 1] == '5')
         && all_digits (scan, s, e);
}

static gboolean
is_permit (const Scan *scan, gsize s, gsize e, gboolean near)
{
  gsize n = e - s;
  guint32 a = scan->ch[s] & ~32u;

  if (n == 9 && scan->cls[s] & C_ALPHA && strchr ("CWLTHMD", (int) a) != NULL
      && all_digits (scan, s + 1, e))
    return TRUE;
  if (n == 9 && (a == 'C' || a == 'L') && scan->cls[s + 1] & C_ALPHA && all_digits (scan, s + 2, e))
    return TRUE;
  if (n == 11 && (a == 'H' || a == 'M') && all_digits (scan, s + 1, e))
    return TRUE;
  return near && (n == 8 || n == 10) && all_digits (scan, s, e);
}

static void
document (Scan *scan, gsize s, gsize e)
{
  gsize end = 0;
  const Word *word = pii_before (scan, s, K_PASSPORT | K_PERMIT, 16, &end);
  gboolean colon, near;

  if (word == NULL)
    {
      /* "E12345678（护照）" */
      word = scan->cls[s] & C_ALPHA ? pii_after (scan, e, K_PASSPORT | K_PERMIT, 3) : NULL;
      if (word == NULL)
        return;
      end = s;
    }
  near = end == s || pii_skip_label (scan, end, 8, &colon) >= s
         || (s > end && s - end <= 4); /* "通行证号码：" ends in a shorter word */
  if (word->kinds & K_PASSPORT && is_passport (scan, s, e))
    pii_add (scan, TEXT_PII_PASSPORT, s, e, near ? 90 : 65, TEXT_PII_CHECK_NONE, "passport.layout",
             word->text);
  else if (word->kinds & K_PERMIT && is_permit (scan, s, e, near))
    pii_add (scan, TEXT_PII_PERMIT, s, e, near ? 85 : 60, TEXT_PII_CHECK_NONE, "permit.layout",
             word->text);
}

/* ---- keys -------------------------------------------------------------------- */

static const struct
{
  const char *prefix;
  guint8 least, most; /* characters behind it; most 0: any number */
  gboolean marks;     /* '-' and '_' too */
} keys[] = {
  { "AKIA", 16, 16, FALSE },      { "ASIA", 16, 16, FALSE },    { "LTAI", 12, 26, FALSE },
  { "AKID", 13, 40, FALSE },      { "AIza", 35, 35, TRUE },     { "sk-", 20, 0, TRUE },
  { "sk_live_", 16, 0, FALSE },   { "sk_test_", 16, 0, FALSE }, { "rk_live_", 16, 0, FALSE },
  { "pk_live_", 16, 0, FALSE },   { "ghp_", 36, 0, FALSE },     { "gho_", 36, 0, FALSE },
  { "ghu_", 36, 0, FALSE },       { "ghs_", 36, 0, FALSE },     { "ghr_", 36, 0, FALSE },
  { "github_pat_", 22, 0, TRUE }, { "glpat-", 20, 0, TRUE },    { "xoxb-", 10, 0, TRUE },
  { "xoxp-", 10, 0, TRUE },       { "xoxa-", 10, 0, TRUE },     { "xoxr-", 10, 0, TRUE },
  { "xoxs-", 10, 0, TRUE },       { "hf_", 30, 0, FALSE },      { "npm_", 36, 36, FALSE },
  { "shpat_", 32, 32, FALSE },    { "dop_v1_", 64, 64, FALSE }, { "pypi-", 60, 0, TRUE },
  { "sq0atp-", 22, 22, TRUE },
};

/* Bits a character of s to e. */
static double
entropy (const Scan *scan, gsize s, gsize e)
{
  guint counts[128] = { 0 };
  double bits = 0, n = (double) (e - s);

  for (gsize i = s; i < e; i++)
    counts[scan->ch[i] & 127]++;
  for (guint i = 0; i < 128; i++)
    if (counts[i] > 0)
      bits -= counts[i] / n * log2 (counts[i] / n);
  return bits;
}

static void
web_token (Scan *scan, gsize s)
{
  gsize i = s;

  /* JSON Web Token, RFC 7519: three parts in base64url. */
  for (guint part = 0; part < 3; part++)
    {
      gsize from = i;

      i = end_of (scan, i, "-_");
      if (i - from < 8)
        return;
      if (part < 2 && pii_at (scan, (gssize) i++) != '.')
        return;
    }
  pii_add (scan, TEXT_PII_API_KEY, s, i, 95, TEXT_PII_CHECK_NONE, "api_key.jwt", NULL);
}

static void
pem (Scan *scan, gsize s)
{
  gsize limit = MIN (scan->n, s + 16384), i = s;
  gsize from = s - 5;

  while (i < s + 48 && !begins (scan, i, "PRIVATE KEY-----"))
    i++;
  if (i == s + 48)
    return;
  for (i += 16; i < limit && !begins (scan, i, "-----END "); i++)
    ;
  for (i = i < limit ? i + 9 : i; i < limit && scan->ch[i] != '-' && scan->ch[i] != '\n'; i++)
    ;
  while (i < limit && scan->ch[i] == '-')
    i++;
  pii_add (scan, TEXT_PII_API_KEY, from, i, 100, TEXT_PII_CHECK_NONE, "api_key.pem", NULL);
}

static void
known_key (Scan *scan, gsize s)
{
  if (begins (scan, s, "eyJ"))
    web_token (scan, s);
  if (begins (scan, s, "BEGIN ") && s >= 5 && begins (scan, s - 5, "-----"))
    pem (scan, s);
  for (guint k = 0; k < G_N_ELEMENTS (keys); k++)
    {
      gsize n = strlen (keys[k].prefix), e;

      if (!begins (scan, s, keys[k].prefix))
        continue;
      e = end_of (scan, s + n, keys[k].marks ? "-_" : "");
      if (e - s - n < keys[k].least || (keys[k].most > 0 && e - s - n > keys[k].most))
        continue;
      if (count_digits (scan, s + n, e) == 0 || entropy (scan, s + n, e) < 2.5)
        continue;
      pii_add (scan, TEXT_PII_API_KEY, s, e, 95, TEXT_PII_CHECK_NONE, "api_key.prefix", NULL);
      return;
    }
}

/* A label: "api_key = …", "密码：…". */
void
pii_secret_after (Scan *scan, const Event *event, const Word *word)
{
  gboolean colon, has_letter = FALSE, mark = FALSE;
  gsize s = pii_skip_label (scan, event->end, 8, &colon), e = s, digits;

  if (!colon && !(s > event->end && strcmp (word->text, "bearer") == 0))
    return;
  if (word->kinds & K_PASSWORD)
    while (e < scan->n && scan->ch[e] > ' ' && scan->ch[e] < 127
           && strchr ("\"'`,;<>()[]{}", (int) scan->ch[e]) == NULL)
      e++;
  else
    e = end_of (scan, s, "-_+/=.~");
  while (e > s && (scan->ch[e - 1] == '.' || scan->ch[e - 1] == '!' || scan->ch[e - 1] == '?'))
    e--;
  for (gsize i = s; i < e; i++)
    {
      has_letter |= (scan->cls[i] & C_ALPHA) != 0;
      mark |= !(scan->cls[i] & C_ALNUM);
      if (scan->ch[i] == ':' && scan->ch[i + 1] == '/' && scan->ch[i + 2] == '/')
        return; /* a URL */
      /* A mask is not a password. */
      if (scan->ch[i] == '*' && i + 1 < e && scan->ch[i + 1] == '*')
        return;
    }
  digits = count_digits (scan, s, e);
  if (word->kinds & K_PASSWORD)
    {
      /* Without letters it is short: longer ones are telephone numbers and the like. */
      if (!has_letter && (mark || e - s > 10))
        return;
      /* Pseudonyms of hide.c. */
      if ((e - s > 8 && begins (scan, e - 8, ".invalid")) || begins (scan, s, "f2:ff:ff:")
          || begins (scan, s, "f2-ff-ff-") || begins (scan, s, "2001:db8:"))
        return;
      if (e - s >= 6 && e - s <= 64
          && (digits > 0 || (mark && has_letter && scan->ch[e - 1] != ':')))
        pii_add (scan, TEXT_PII_API_KEY, s, e, 75, TEXT_PII_CHECK_NONE, "api_key.password",
                 word->text);
      return;
    }
  if (e - s < 16 || e - s > 512 || digits == 0 || !has_letter || entropy (scan, s, e) < 3.0)
    return;
  pii_add (scan, TEXT_PII_API_KEY, s, e, 80, TEXT_PII_CHECK_NONE, "api_key.label", word->text);
}

/* ---- all of it --------------------------------------------------------------- */

void
pii_token (Scan *scan, gsize i)
{
  gsize e = end_of (scan, i, "");
  guint32 c = scan->ch[i];

  if (e - i <= 4 && e - i > 0 && scan->cls[i] & C_HEX
      && (scan->ch[e] == ':' || scan->ch[e] == '-' || scan->ch[e] == '.'))
    pii_hex_groups (scan, i);
  /* A label in letters before the value: "passportE12345678" is not what people write. */
  if (e - i == 18)
    uscc (scan, i);
  if (e - i >= 8 && e - i <= 11)
    document (scan, i, e);
  if (c == 'A' || c == 'L' || c == 's' || c == 'r' || c == 'p' || c == 'g' || c == 'x' || c == 'h'
      || c == 'n' || c == 'd' || c == 'e' || c == 'B')
    known_key (scan, i);
  if (c == 'w' && begins (scan, i, "wxid_"))
    {
      e = end_of (scan, i, "_-");
      if (e - i >= 11 && e - i <= 32)
        pii_add (scan, TEXT_PII_WECHAT, i, e, 85, TEXT_PII_CHECK_NONE, "wechat.wxid", NULL);
    }
}
