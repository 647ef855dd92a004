/* SPDX-License-Identifier: Apache-2.0 */
/* email.c: e-mail addresses: RFC 5321 mailboxes, as people write them.
 *
 * From an '@' to both sides over what an address may hold, so that neither Han
 * nor a full stop behind it needs a blank.  Limits of RFC 5321 4.5.3.1: 64
 * octets before the '@', 63 a label, 255 in all.  Of RFC 6531 only what is seen:
 * a single letter that is not ASCII inside a dotted local part.
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/pii/pii-private.h"

/* Characters of the text that are ASCII there too: full-width ones count by
 * their bytes against the limits, as they do on the wire. */
static guint32
bytes_of (const Scan *scan, gsize s, gsize e)
{
  return e > s ? pii_char_end (scan, e - 1) - scan->off[s] : 0;
}

/* 的 and the like never stand inside a name. */
static gboolean
joins_words (guint32 c)
{
  static const wchar_t words[] = L"的是到给和或至发邮箱为请在与及抄送用有来去对";

  for (guint i = 0; words[i] != 0; i++)
    if ((guint32) words[i] == c)
      return TRUE;
  return FALSE;
}

/* Where the local part that ends at @e begins; @e: there is none. */
static gsize
local_start (const Scan *scan, gsize e)
{
  gsize s = e;
  gboolean bridged = FALSE;

  if (s > 0 && scan->ch[s - 1] == '.')
    return e;
  while (s > 0 && e - s <= 80)
    {
      if (scan->cls[s - 1] & C_LOCAL)
        {
          s--;
          continue;
        }
      /* "hans.m端ller": one foreign letter between ASCII ones, with a dot before. */
      if (!bridged && s > 1 && s < e && scan->ch[s - 1] >= 0xc0 && scan->cls[s] & C_ALPHA
          && scan->cls[s - 2] & C_ALPHA && !joins_words (scan->ch[s - 1]))
        {
          gsize t = s - 1;

          while (t > 0 && s - t < 40 && scan->cls[t - 1] & C_ALPHA)
            t--;
          if (scan->ch[s - 1] < 0x2e80 || (t > 0 && scan->ch[t - 1] == '.' && s - 1 - t <= 2))
            {
              bridged = TRUE;
              s--;
              continue;
            }
        }
      break;
    }
  return s;
}

/* A quoted local part, RFC 5321 4.1.2: where its opening quote stands; @e: none. */
static gsize
quoted_start (const Scan *scan, gsize e)
{
  gsize s = e - 1;

  while (s > 0 && e - s < 66)
    {
      s--;
      if (scan->ch[s] == '"')
        return e - s > 2 && !pii_is_alnum (scan, (gssize) s - 1) ? s : e;
      if (scan->cls[s] & C_STOP && scan->ch[s] == '\n')
        return e;
    }
  return e;
}

/* Where the domain that begins at @s ends; @s: it is none. */
static gsize
domain_end (const Scan *scan, gsize s)
{
  gsize i = s, label = s, dot = 0, good = s;

  for (; i < scan->n && i - s <= 255; i++)
    {
      guint32 c = scan->ch[i];

      if (scan->cls[i] & C_ALNUM || (c == '-' && i > label))
        continue;
      if (c != '.' || i == label || scan->ch[i - 1] == '-' || i - label > 63
          || !pii_is_alnum (scan, (gssize) i + 1))
        break;
      dot = i;
      label = i + 1;
    }
  while (i > label && scan->ch[i - 1] == '-')
    i--;
  if (dot == 0 || i - label > 63 || i - s > 255)
    return s;
  /* The last label is letters: "com" of "com123" would be somebody else's. */
  for (gsize k = label; k < i; k++)
    if (!(scan->cls[k] & C_ALPHA)
        && !(i - label > 4 && scan->ch[label] == 'x' && scan->ch[label + 1] == 'n'))
      {
        good = k;
        break;
      }
    else
      good = k + 1;
  if (good - label < 2 || good - label > 24)
    return s;
  if (good < i && scan->cls[good] & C_DIGIT && good - label < 2)
    return s;
  return good;
}

static gboolean
is_word (const Scan *scan, gsize s, gsize e, const char *word)
{
  if (e - s != strlen (word))
    return FALSE;
  for (gsize i = 0; s + i < e; i++)
    if ((scan->ch[s + i] | 32) != (guint32) word[i])
      return FALSE;
  return TRUE;
}

void
pii_email (Scan *scan, gsize i)
{
  gsize s = local_start (scan, i), e = domain_end (scan, i + 1), top;
  const Word *word;
  gsize dots = 0;

  if (e == i + 1)
    return;
  if (s == i && i > 2 && scan->ch[i - 1] == '"')
    s = quoted_start (scan, i);
  else
    {
      /* Dots: an ellipsis before the address is none of it, two inside make it none. */
      for (gsize k = s; k + 1 < i; k++)
        if (scan->ch[k] == '.' && scan->ch[k + 1] == '.')
          dots = k + 2;
      if (dots > 0)
        {
          gsize first = dots;

          while (first > s && scan->ch[first - 1] == '.')
            first--;
          if (first > s)
            return;
          s = dots;
        }
      while (s < i
             && (scan->ch[s] == '.' || scan->ch[s] == '-' || scan->ch[s] == '\''
                 || scan->ch[s] == '+'))
        s++;
    }
  if (s >= i || bytes_of (scan, s, i) > 64)
    return;
  /* 'a"b"@c' and 'a@b@c' are no addresses. */
  if (s > 0
      && ((scan->ch[s - 1] == '"' && scan->ch[i - 1] != '"' && s > 1
           && pii_is_alnum (scan, (gssize) s - 2))
          || scan->ch[s - 1] == '@'))
    return;
  if (scan->ch[e] == '@' || scan->ch[e] == 0xfffd)
    return;
  for (top = e; top > i && scan->ch[top - 1] != '.';)
    top--;
  if (is_word (scan, top, e, "invalid"))
    return; /* RFC 2606: nobody's; pseudonyms end so */
  /* "icon@2x.png" is a file. */
  if (is_word (scan, top, e, "png") || is_word (scan, top, e, "jpg")
      || is_word (scan, top, e, "jpeg") || is_word (scan, top, e, "gif")
      || is_word (scan, top, e, "webp") || is_word (scan, top, e, "svg"))
    return;
  word = pii_before (scan, s, K_MOBILE | K_WECHAT, 8, NULL);
  pii_add (scan, TEXT_PII_EMAIL, s, e, 90, TEXT_PII_CHECK_NONE,
           scan->ch[s] == '"' ? "email.quoted" : "email.mailbox", word ? word->text : NULL);
  if (s > 0 && scan->ch[s - 1] == '<')
    pii_name_of_mail (scan, s - 1);
}
