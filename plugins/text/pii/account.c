/* SPDX-License-Identifier: Apache-2.0 */
/* account.c: WeChat and QQ numbers, which only their words tell from others.
 *
 * A WeChat id is 6 to 20 letters, digits, '_' and '-' and begins with a letter;
 * people also give their QQ or telephone number.  QQ: 5 to 11 digits, no 0 first.
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/pii/pii-private.h"

static gboolean
is_plain_word (const Scan *scan, gsize s, gsize e)
{
  static const char *const words[]
      = { "windows", "android", "iphone",  "official", "weixin",       "wechat", "harmony",
          "macos",   "online",  "service", "support",  "mini-program", "message" };

  for (guint w = 0; w < G_N_ELEMENTS (words); w++)
    {
      gsize n = strlen (words[w]), i = 0;

      while (i < n && s + i < e && (scan->ch[s + i] | 32) == (guint32) (words[w][i] | 32))
        i++;
      if (i == n && s + n == e)
        return TRUE;
    }
  return FALSE;
}

/* The value behind the label: over "号", "ID", "是", colons and quotes. */
static gsize
value_start (const Scan *scan, gsize at, gboolean *labelled)
{
  gsize from = at;

  for (guint round = 0; round < 3; round++)
    {
      gboolean colon;

      at = pii_skip_label (scan, at, 6, &colon);
      *labelled |= colon;
      if (pii_at (scan, (gssize) at) == L'号' || pii_at (scan, (gssize) at) == L'码'
          || pii_at (scan, (gssize) at) == L'叫')
        {
          *labelled = TRUE;
          at++;
        }
      else if ((pii_at (scan, (gssize) at) | 32) == 'i'
               && (pii_at (scan, (gssize) at + 1) | 32) == 'd'
               && !pii_is_alnum (scan, (gssize) at + 2))
        {
          *labelled = TRUE;
          at += 2;
        }
    }
  return at - from <= 12 ? at : from;
}

void
pii_account (Scan *scan, const Event *event, const Word *word)
{
  gboolean labelled = g_str_has_suffix (word->text, "号") || g_str_has_suffix (word->text, "id");
  gsize s = value_start (scan, event->end, &labelled), e = s;
  gboolean letter, marked = FALSE;

  /* "@qq.com" */
  if (event->start > 0 && (scan->ch[event->start - 1] == '@' || scan->ch[event->start - 1] == '.'))
    return;
  if (pii_at (scan, (gssize) event->end) == '.' || s >= scan->n)
    return;
  while (e < scan->n && (scan->cls[e] & C_ALNUM || scan->ch[e] == '_' || scan->ch[e] == '-')
         && e - s <= 24)
    {
      marked |= !(scan->cls[e] & C_ALPHA);
      e++;
    }
  while (e > s && scan->ch[e - 1] == '-')
    e--;
  if (e == s || pii_at (scan, (gssize) e) == '@')
    return;
  letter = (scan->cls[s] & C_ALPHA) != 0;
  if (!letter)
    {
      gsize d = s;

      while (d < e && scan->cls[d] & C_DIGIT)
        d++;
      if (d < e || scan->ch[s] == '0' || e - s < 5 || e - s > 11)
        return;
      /* 12 and nine digits: the pseudonym of a mobile number. */
      if (e - s == 11 && scan->ch[s] == '1' && scan->ch[s + 1] == '2')
        return;
      if (word->kinds & K_QQ)
        pii_add (scan, TEXT_PII_QQ, s, e, labelled ? 90 : 75, TEXT_PII_CHECK_NONE, "qq.label",
                 word->text);
      else if (labelled)
        pii_add (scan, TEXT_PII_WECHAT, s, e, 65, TEXT_PII_CHECK_NONE, "wechat.digits", word->text);
      return;
    }
  if (!(word->kinds & K_WECHAT) || e - s < 6 || e - s > 20 || is_plain_word (scan, s, e))
    return;
  /* "wx.storage" is a program's. */
  if (!marked && (word->n < 2 || strcmp (word->text, "wx") == 0 || strcmp (word->text, "vx") == 0))
    return;
  if (!labelled && !marked && (s == event->end || word->kinds & ~(guint32) (K_WECHAT)))
    return;
  pii_add (scan, TEXT_PII_WECHAT, s, e,
           labelled ? 90
           : marked ? 75
                    : 55,
           TEXT_PII_CHECK_NONE, "wechat.label", word->text);
}
