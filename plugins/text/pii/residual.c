/* SPDX-License-Identifier: Apache-2.0 */
/* residual.c: what is left after hiding, found by rules of its own.
 *
 * Deliberately plain, and no code of the rules under test: the text is taken
 * apart anew, digits are strung together over everything that people put
 * between them, and every stretch that a checksum or table takes is counted.
 * No score, no context.  Excepted are only parts of file names and URLs, and
 * what the other rules refuse on purpose and the manual says so.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/pii/pii-private.h"

/* ---- e-mail ------------------------------------------------------------------ */

static gboolean
local_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("._+-", c) != NULL);
}

static guint
residual_mail (const char *t, gsize n)
{
  guint found = 0;

  for (const char *at = memchr (t, '@', n); at != NULL;
       at = memchr (at + 1, '@', (gsize) (t + n - at - 1)))
    {
      const char *p = at + 1, *dot = NULL, *end = t + n;
      gsize local = 0;

      while (at - local > t && local_char (at[-1 - (gssize) local]) && local < 64)
        local++;
      if (local == 0 || at[-1] == '.')
        continue;
      while (p < end
             && (g_ascii_isalnum (*p) || *p == '-' || (*p == '.' && p > at + 1 && p[-1] != '.')))
        {
          if (*p == '.')
            dot = p;
          p++;
        }
      if (dot == NULL || dot == at + 1 || p - dot < 3 || !g_ascii_isalpha (dot[1])
          || !g_ascii_isalpha (dot[2]))
        continue;
      if (p - dot == 8 && g_ascii_strncasecmp (dot, ".invalid", 8) == 0)
        continue;
      if (g_ascii_strncasecmp (dot, ".png", 4) == 0 || g_ascii_strncasecmp (dot, ".jpg", 4) == 0
          || g_ascii_strncasecmp (dot, ".gif", 4) == 0 || g_ascii_strncasecmp (dot, ".webp", 5) == 0
          || g_ascii_strncasecmp (dot, ".svg", 4) == 0
          || g_ascii_strncasecmp (dot, ".jpeg", 5) == 0)
        continue;
      {
        gboolean dots = FALSE;

        for (gsize i = 1; i < local; i++)
          dots |= at[-(gssize) i] == '.' && at[-(gssize) i - 1] == '.' && (gsize) i + 1 < local;
        found += !dots;
      }
    }
  return found;
}

/* ---- numbers ----------------------------------------------------------------- */

static guint
number (const char *d, guint n)
{
  guint value = 0;

  while (n-- > 0)
    value = value * 10 + (guint) (*d++ - '0');
  return value;
}

static gboolean
is_id (const char *d)
{
  return pii_province_ok (number (d, 2))
         && pii_date_ok (number (d + 6, 4), number (d + 10, 2), number (d + 12, 2))
         && number (d + 6, 4) >= 1900 && number (d + 6, 4) <= 2035
         && text_pii_id_check (d) == d[17];
}

/* Whether the digits from @s to @e lie in what looks like a path, URL or file name. */
static gboolean
in_path (const char *t, gsize n, gsize s, gsize e)
{
  gsize a = s, b = e;

  while (a > 0 && s - a < 256 && t[a - 1] > ' ' && t[a - 1] < 127 && t[a - 1] != ','
         && t[a - 1] != ';' && t[a - 1] != '"')
    a--;
  while (b < n && b - e < 128 && t[b] > ' ' && t[b] < 127 && t[b] != ',' && t[b] != ';'
         && t[b] != '"')
    b++;
  return memchr (t + a, '/', s - a) != NULL || memchr (t + a, '_', s - a) != NULL
         || memchr (t + a, '=', s - a) != NULL || (b > e && memchr (t + e, '.', b - e) != NULL)
         || memchr (t + a, '.', s - a) != NULL;
}

static gboolean
ends_with (const char *t, gsize at, const char *word)
{
  gsize n = strlen (word);

  return at >= n && g_ascii_strncasecmp (t + at - n, word, n) == 0;
}

/* "订单号：", "SKU ", "¥" before or "元" behind: a number of another kind. */
static gboolean
is_another (const char *t, gsize n, gsize s, gsize e)
{
  static const char *const before[] = {
    /* clang-format off */
    "单号", "订单", "流水", "流水号", "编号", "货号", "条码", "条形码", "运单", "序列号", "型号", "批号", "工单", "编码",
    "交易号", "合同号", "设备号", "发票号", "发票号码", "文件名", "图片", "时间戳", "金额", "价格", "总价", "合计", "销量",
    "库存", "数量", "阅读量", "播放量", "浏览", "学号", "工号", "案号", "文号", "验证码", "取件码", "凭证号", "回执号", "批次",
    "sku", "isbn", "imei", "order", "order no", "order number", "order id", "invoice",
    "tracking", "tracking no", "tracking number", "serial", "serial no", "serial number",
    "part no", "part number", "item", "model", "batch", "barcode", "timestamp", "id", "ref",
    "reference", "ticket", "transaction", "sn", "upc", "ean", "lot", "case", "po", "¥", "￥",
    "$", "€", "£",
    /* clang-format on */
  };
  static const char *const after[] = { "元", "万", "亿", "%",  "块钱", "次", "件", "个",
                                       "人", "倍", "条", "吨", "台",   "票", "股" };

  while (s > 0
         && (strchr (" :=#(.", t[s - 1]) != NULL || ends_with (t, s, "：") || ends_with (t, s, "为")
             || ends_with (t, s, "是")))
    s -= (guchar) t[s - 1] < 0x80 ? 1 : 3;
  for (guint i = 0; i < G_N_ELEMENTS (before); i++)
    if (ends_with (t, s, before[i]))
      return TRUE;
  e += e < n && t[e] == ' ';
  for (guint i = 0; i < G_N_ELEMENTS (after); i++)
    if (n - e >= strlen (after[i]) && memcmp (t + e, after[i], strlen (after[i])) == 0)
      return TRUE;
  return FALSE;
}

/* "XJ-138…", "3.138…": part of something longer. */
static gboolean
joined (const char *t, gsize n, gsize s, gsize e)
{
  return (s > 1
          && ((t[s - 1] == '.' && g_ascii_isdigit (t[s - 2]))
              || (t[s - 1] == '-' && g_ascii_isalnum (t[s - 2]))))
         || (e + 1 < n
             && ((t[e] == '.' && g_ascii_isdigit (t[e + 1]))
                 || (t[e] == '-' && g_ascii_isalnum (t[e + 1]))));
}

/* Digits from @i over single blanks or hyphens: all that @d may be, group by group. */
static int
what_number (const char *d, guint len, const guint8 *groups, guint n_groups, guint64 types)
{
  gboolean fours = n_groups > 1, alone = n_groups == 1;

  for (guint g = 0; g + 1 < n_groups; g++)
    fours = fours && groups[g] == 4;
  if (len == 18 && types & TEXT_PII_BIT (TEXT_PII_ID_CARD) && is_id (d))
    return TEXT_PII_ID_CARD;
  if (len == 11 && types & TEXT_PII_BIT (TEXT_PII_MOBILE) && pii_mobile_segment (number (d, 3))
      && (alone || (n_groups == 3 && groups[0] == 3 && groups[1] == 4)))
    return TEXT_PII_MOBILE;
  if (len >= 16 && d[len - 1] != 'X' && types & TEXT_PII_BIT (TEXT_PII_BANK_CARD)
      && (alone || fours) && pii_issuer (d, len) == 2 && text_pii_luhn (d, len))
    return TEXT_PII_BANK_CARD;
  return -1;
}

static void
residual_numbers (const char *t, gsize n, guint64 types, guint64 *counts, guint *found)
{
  for (gsize i = 0; i < n; i++)
    {
      char d[24], sep = 0;
      guint8 groups[8];
      guint len = 0, n_groups = 0;
      gsize e = i, run_end;

      if (!g_ascii_isdigit (t[i]) || (i > 0 && (g_ascii_isalnum (t[i - 1]) || t[i - 1] == '_')))
        continue;
      for (run_end = i; run_end < n && g_ascii_isdigit (t[run_end]);)
        run_end++;
      while (n_groups < G_N_ELEMENTS (groups))
        {
          guint from = len;
          int what;
          gboolean x;

          while (e < n && g_ascii_isdigit (t[e]) && len < 20)
            d[len++] = t[e++];
          groups[n_groups++] = (guint8) (len - from);
          x = len == 17 && e < n && (t[e] == 'X' || t[e] == 'x');
          if (x)
            {
              d[len++] = 'X';
              e++;
            }
          if (len >= 20 || (e < n && (g_ascii_isalnum (t[e]) || t[e] == '_')))
            break;
          what = what_number (d, len, groups, n_groups, types);
          /* The run as a whole, and nothing of it: a longer number is another one. */
          if (what >= 0 && !joined (t, n, i, e) && !in_path (t, n, i, e)
              && !is_another (t, n, i, e))
            {
              counts[what]++;
              ++*found;
              run_end = e;
              break;
            }
          if (x || e + 1 >= n || (t[e] != ' ' && t[e] != '-') || !g_ascii_isdigit (t[e + 1])
              || (sep != 0 && t[e] != sep))
            break;
          sep = t[e++];
        }
      i = run_end - 1;
    }
}

/* ---- keys -------------------------------------------------------------------- */

static guint
residual_keys (const char *t, gsize n)
{
  static const char *const prefixes[]
      = { "AKIA", "ghp_", "github_pat_", "glpat-", "sk_live_", "xoxb-", "AIza" };
  guint found = 0;

  for (guint k = 0; k < G_N_ELEMENTS (prefixes); k++)
    for (const char *p = t; (p = g_strstr_len (p, (gssize) (t + n - p), prefixes[k])) != NULL; p++)
      {
        const char *q = p + strlen (prefixes[k]), *from = q;
        gboolean digit = FALSE;

        if (p > t && (g_ascii_isalnum (p[-1]) || p[-1] == '_'))
          continue;
        while (q < t + n && (g_ascii_isalnum (*q) || *q == '_' || *q == '-'))
          digit |= g_ascii_isdigit (*q++) != 0;
        found += digit && q - from >= 36;
      }
  return found;
}

guint
text_pii_residual (TextPiiScan *scan, FrStr text, guint64 types, guint64 *counts)
{
  GString *t = scan->folded;
  const char *p = text.data, *end = p + text.len;
  guint found = 0, n;

  g_string_truncate (t, 0);
  while (p < end)
    {
      guint32 c = text_next_char (&p);

      /* Full width and no width once more, not by fold.c's table. */
      if (c >= 0xff01 && c <= 0xff5e)
        c -= 0xfee0;
      if (c == 0xfeff || (c >= 0x200b && c <= 0x200f) || (c >= 0x2060 && c <= 0x2064) || c == 0xad)
        continue;
      g_string_append_unichar (t, c);
    }
  residual_numbers (t->str, t->len, types, counts, &found);
  if (types & TEXT_PII_BIT (TEXT_PII_EMAIL) && (n = residual_mail (t->str, t->len)) > 0)
    {
      counts[TEXT_PII_EMAIL] += n;
      found += n;
    }
  if (types & TEXT_PII_BIT (TEXT_PII_API_KEY) && (n = residual_keys (t->str, t->len)) > 0)
    {
      counts[TEXT_PII_API_KEY] += n;
      found += n;
    }
  return found;
}
