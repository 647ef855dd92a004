/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: secrets in URLs, and whether a number is only part of a name of a file.
 *
 * In a URL (RFC 3986) the value of a query key that names a secret is a hit, and
 * the user part before '@'; the rest of it stays.
 */
#include "config.h"

#include <string.h>

#include "text/pii/pii-private.h"

static gboolean
in_url (guint32 c)
{
  return c > ' ' && c < 127 && c != '"' && c != '<' && c != '>' && c != '`' && c != '\\' && c != '^'
         && c != '{' && c != '}' && c != '|';
}

static gboolean
same_word (const Scan *scan, gsize s, gsize e, const char *words)
{
  /* @words: "|a|b|" */
  char word[40];

  if (e - s + 2 >= sizeof word || e <= s)
    return FALSE;
  word[0] = '|';
  for (gsize i = s; i < e; i++)
    word[i - s + 1] = (char) g_ascii_tolower ((char) scan->ch[i]);
  word[e - s + 1] = '|';
  word[e - s + 2] = '\0';
  return strstr (words, word) != NULL;
}

/* Whether a number is part of a file's name or of a URL's path. */
gboolean
pii_in_file_name (const Scan *scan, gsize s, gsize e)
{
  gsize a = s, b = e, dot;

  while (a > 0 && s - a < 256 && in_url (scan->ch[a - 1]) && scan->ch[a - 1] != ','
         && scan->ch[a - 1] != ';')
    a--;
  while (b < scan->n && b - e < 128 && in_url (scan->ch[b]) && scan->ch[b] != ','
         && scan->ch[b] != ';')
    b++;
  for (gsize i = a; i + 2 < s; i++)
    if (scan->ch[i] == ':' && scan->ch[i + 1] == '/' && scan->ch[i + 2] == '/')
      return TRUE;
  for (dot = e; dot < b; dot++)
    if (scan->ch[dot] == '.')
      {
        gsize t = dot + 1;

        while (t < b && scan->cls[t] & C_ALNUM)
          t++;
        if (same_word (scan, dot + 1, t,
                       "|jpg|jpeg|png|gif|webp|bmp|svg|ico|heic|mp4|mov|avi|mp3|wav|flv|pdf|doc|"
                       "docx|xls|xlsx|ppt|pptx|zip|rar|7z|gz|"
                       "txt|csv|html|htm|json|xml|log|js|css|apk|exe|bin|dat|tmp|bak|sql|py|"))
          return TRUE;
      }
  /* "/upload/20240501/13800138000" */
  {
    guint slashes = 0;

    for (gsize i = a; i < s; i++)
      slashes += scan->ch[i] == '/';
    return slashes >= 2 || (slashes == 1 && scan->ch[a] == '/');
  }
}

static const char secret_keys[]
    = "|token|access_token|accesstoken|refresh_token|auth_token|id_token|key|api_key|apikey|app_"
      "key|appkey|secret|app_secret|appsecret|"
      "client_secret|sign|signature|sig|auth|authorization|password|passwd|pwd|pass|session|"
      "sessionid|session_id|sid|jsessionid|phpsessid|"
      "ticket|jwt|code|credential|x-amz-signature|x-amz-credential|x-amz-security-token|"
      "awsaccesskeyid|ossaccesskeyid|accesskeyid|"
      "access_key|accesskey|x-oss-signature|security-token|sas|st|openid|unionid|bearer|nonce_"
      "token|verify|verify_token|magic|invite_token|";

/* One "key=value" from @s to @e. */
static void
parameter (Scan *scan, gsize s, gsize e)
{
  gsize equal = s, digits = 0, letters = 0, n;

  while (equal < e && scan->ch[equal] != '=')
    equal++;
  if (equal == e || !same_word (scan, s, equal, secret_keys))
    return;
  n = e - equal - 1;
  for (gsize i = equal + 1; i < e; i++)
    {
      digits += (scan->cls[i] & C_DIGIT) != 0;
      letters += (scan->cls[i] & C_ALNUM) != 0;
    }
  /* "?code=200", "?key=books", a mask: nothing that opens anything. */
  if (n >= 8 && letters >= n / 2 && (digits > 0 || n >= 20))
    pii_add (scan, TEXT_PII_URL_TOKEN, equal + 1, e, 90, TEXT_PII_CHECK_NONE, "url_token.query",
             NULL);
}

/* "user:password" before '@' at @host. */
static void
user_part (Scan *scan, gsize host)
{
  gsize at = 0, colon = 0;

  for (gsize i = host; i < host + 256 && in_url (pii_at (scan, (gssize) i)); i++)
    {
      guint32 c = scan->ch[i];

      if (c == '/' || c == '?' || c == '#')
        break;
      if (c == '@')
        at = i;
      if (c == ':' && colon == 0)
        colon = i;
    }
  if (colon > 0 && colon + 1 < at)
    pii_add (scan, TEXT_PII_URL_TOKEN, host, at, 90, TEXT_PII_CHECK_NONE, "url_token.user", NULL);
}

/* @i: the ':' of "://". */
void
pii_url (Scan *scan, gsize i)
{
  gsize s = i, host = i + 3, e = host, from = 0;

  while (s > 0 && i - s < 16 && scan->cls[s - 1] & C_ALPHA)
    s--;
  if (i - s < 2)
    return;
  user_part (scan, host);
  /* A URL in another's query was looked at with it. */
  if (i < scan->url_end)
    return;
  while (e < scan->n && e - host < 8192 && in_url (scan->ch[e]))
    e++;
  scan->url_end = e;
  while (e > host && strchr (".,;:!?'\")]", (int) scan->ch[e - 1]) != NULL)
    e--;
  for (gsize k = host; k <= e; k++)
    if (k == e || scan->ch[k] == '?' || scan->ch[k] == '#' || scan->ch[k] == '&'
        || scan->ch[k] == ';')
      {
        if (from > 0)
          parameter (scan, from, k);
        from = k + 1;
      }
}
