/* SPDX-License-Identifier: Apache-2.0 */
/* hide.c: what stands in a value's place: masks, tags, pseudonyms.
 *
 * Pseudonyms come from HMAC-SHA256 (RFC 2104) of the type and the canonical
 * value alone, so that one value has one pseudonym in every file and run of a
 * key.  pii.h says how each stays out of what could be somebody's.
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/chars.h"
#include "text/pii/pii-private.h"

struct _TextPiiKey
{
  char *secret;
  gsize len;
};

TextPiiKey *
text_pii_key_new (const char *secret, gsize len)
{
  TextPiiKey *key = g_new (TextPiiKey, 1);

  key->secret = g_malloc (len + 1);
  memcpy (key->secret, secret, len);
  key->secret[len] = '\0';
  key->len = len;
  return key;
}

void
text_pii_key_free (TextPiiKey *key)
{
  if (key == NULL)
    return;
  /* The secret does not outlive its use; volatile, for the memory is freed next. */
  for (volatile char *p = key->secret; p < key->secret + key->len; p++)
    *p = 0;
  g_free (key->secret);
  g_free (key);
}

/* ---- canonical values -------------------------------------------------------- */

static gboolean
is_number_type (guint type)
{
  return type == TEXT_PII_MOBILE || type == TEXT_PII_LANDLINE || type == TEXT_PII_ID_CARD
         || type == TEXT_PII_BANK_CARD || type == TEXT_PII_QQ;
}

static int
spoken_digit (guint32 c)
{
  static const wchar_t chars[] = L"零一二三四五六七八九";
  static const guint16 more[][2]
      = { { 0x3007, 0 }, { L'幺', 1 }, { L'壹', 1 }, { L'贰', 2 }, { L'两', 2 }, { L'叁', 3 },
          { L'肆', 4 },  { L'伍', 5 }, { L'陆', 6 }, { L'柒', 7 }, { L'捌', 8 }, { L'玖', 9 } };

  for (guint i = 0; chars[i] != 0; i++)
    if ((guint32) chars[i] == c)
      return (int) i;
  for (guint i = 0; i < G_N_ELEMENTS (more); i++)
    if (more[i][0] == c)
      return more[i][1];
  return -1;
}

void
text_pii_append_canonical (guint type, FrStr value, GString *out)
{
  const char *p = value.data, *end = p + value.len;
  gsize from = out->len;

  while (p < end)
    {
      guint32 c = pii_fold_char (text_next_char (&p));

      if (c == 0)
        continue;
      if (is_number_type (type))
        {
          int digit = type == TEXT_PII_MOBILE ? spoken_digit (c) : -1;

          if (digit >= 0)
            c = '0' + (guint32) digit;
          if ((c >= '0' && c <= '9') || (type == TEXT_PII_ID_CARD && (c | 32) == 'x'))
            g_string_append_c (out, g_ascii_toupper ((char) c));
          else if (c == L'转')
            g_string_append_c (out, '-'); /* 转: an extension */
          continue;
        }
      if (type == TEXT_PII_PASSPORT || type == TEXT_PII_PERMIT || type == TEXT_PII_USCC
          || type == TEXT_PII_PLATE)
        {
          if (c >= 128 ? pii_class (c) & C_HAN : g_ascii_isalnum ((char) c))
            g_string_append_unichar (out, c < 128 ? (gunichar) g_ascii_toupper ((char) c) : c);
          continue;
        }
      if (type == TEXT_PII_ADDRESS && c == ' ')
        continue;
      if (type == TEXT_PII_MAC)
        {
          if (c < 128 && g_ascii_isxdigit ((char) c))
            g_string_append_c (out, g_ascii_tolower ((char) c));
          continue;
        }
      /* Secrets and the caller's types are compared letter by letter. */
      if (type == TEXT_PII_API_KEY || type == TEXT_PII_URL_TOKEN || type >= TEXT_PII_BUILTIN)
        g_string_append_unichar (out, c);
      else
        g_string_append_unichar (out, c < 128 ? (gunichar) g_ascii_tolower ((char) c) : c);
    }
  if (type == TEXT_PII_MOBILE)
    {
      gsize n = out->len - from;

      if (n == 15 && memcmp (out->str + from, "0086", 4) == 0)
        g_string_erase (out, (gssize) from, 4);
      else if (n == 13 && memcmp (out->str + from, "86", 2) == 0)
        g_string_erase (out, (gssize) from, 2);
    }
}

static void
digest (const TextPii *pii, const TextPiiKey *key, guint type, FrStr value, guint8 out[32])
{
  g_autoptr (GString) message = g_string_new (text_pii_type_name (pii, type));
  GHmac *hmac = g_hmac_new (G_CHECKSUM_SHA256, (const guchar *) key->secret, key->len);
  gsize len = 32;

  g_string_append_c (message, '\0');
  text_pii_append_canonical (type, value, message);
  g_hmac_update (hmac, (const guchar *) message->str, (gssize) message->len);
  g_hmac_get_digest (hmac, out, &len);
  g_hmac_unref (hmac);
  memset (message->str, 0, message->len);
}

static void
append_hex (const guint8 *bytes, guint digits, gboolean upper, GString *out)
{
  for (guint i = 0; i < digits && i < 64; i++)
    g_string_append_c (out, (upper ? "0123456789ABCDEF"
                                   : "0123456789abcdef")[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15]);
}

void
text_pii_append_hash (const TextPii *pii, const TextPiiKey *key, guint type, FrStr value,
                      guint digits, GString *out)
{
  guint8 bytes[32];

  digest (pii, key, type, value, bytes);
  /* The last bytes: pseudonyms come from the first, and neither tells the other. */
  append_hex (bytes + 16, MIN (digits, 32), FALSE, out);
}

/* ---- masks ------------------------------------------------------------------- */

/* Letters and digits of any script; a mask leaves the punctuation. */
static gboolean
counts (guint32 c)
{
  return c < 128 ? g_ascii_isalnum ((char) c) != 0
                 : (text_char_flags (c) & (TEXT_CH_ALNUM | TEXT_CH_HAN)) != 0;
}

static gsize
count_chars (FrStr value)
{
  const char *p = value.data, *end = p + value.len;
  gsize n = 0;

  while (p < end)
    {
      guint32 c = text_next_char (&p);

      n += c >= 0x200b && c <= 0x200f ? 0 : counts (c);
    }
  return n;
}

static void
append_masked (FrStr value, gsize first, gsize last, GString *out)
{
  const char *p = value.data, *end = p + value.len;
  gsize n = count_chars (value), at = 0;

  while (p < end)
    {
      const char *from = p;
      guint32 c = text_next_char (&p);

      if (pii_fold_char (c) == 0)
        continue; /* of no width */
      if (counts (c))
        {
          if (at < first || at + last >= n)
            g_string_append_len (out, from, p - from);
          else
            g_string_append_c (out, '*');
          at++;
        }
      else
        g_string_append_len (out, from, p - from);
    }
}

static void
usual_ends (guint type, gsize n, guint *first, guint *last)
{
  static const guint8 ends[TEXT_PII_BUILTIN][2] = {
    [TEXT_PII_MOBILE] = { 3, 4 },    [TEXT_PII_LANDLINE] = { 0, 3 }, [TEXT_PII_ID_CARD] = { 3, 4 },
    [TEXT_PII_BANK_CARD] = { 0, 4 }, [TEXT_PII_PASSPORT] = { 1, 2 }, [TEXT_PII_PERMIT] = { 1, 2 },
    [TEXT_PII_USCC] = { 2, 4 },      [TEXT_PII_PLATE] = { 2, 1 },    [TEXT_PII_EMAIL] = { 1, 0 },
    [TEXT_PII_WECHAT] = { 1, 1 },    [TEXT_PII_QQ] = { 1, 1 },       [TEXT_PII_NAME] = { 1, 0 },
    [TEXT_PII_ADDRESS] = { 6, 0 },   [TEXT_PII_IP] = { 2, 0 },       [TEXT_PII_MAC] = { 4, 0 },
  };

  if (*first == TEXT_PII_USUAL)
    *first = type < TEXT_PII_BUILTIN ? ends[type][0] : 1;
  if (*last == TEXT_PII_USUAL)
    *last = type < TEXT_PII_BUILTIN ? ends[type][1] : 0;
  /* Never more than half: of 张伟 one, of a code of four two. */
  while (*first + *last > 0
         && 2 * ((gsize) *first + *last) > n + (type == TEXT_PII_MOBILE && n == 11 ? 3 : 0))
    {
      if (*first >= *last && *first > 0)
        --*first;
      else
        --*last;
    }
}

static void
append_partial (guint type, FrStr value, guint first, guint last, GString *out)
{
  FrStr local = value, rest = { NULL, 0 };

  if (type == TEXT_PII_EMAIL)
    {
      /* The domain stays; the name before it is masked. */
      const char *at = g_strrstr_len (value.data, (gssize) value.len, "@");

      if (at != NULL)
        {
          local.len = (gsize) (at - value.data);
          rest = (FrStr){ at, value.len - local.len };
        }
    }
  if (type == TEXT_PII_IP && first == TEXT_PII_USUAL)
    {
      /* The network: two numbers of four, one group of IPv6. */
      gboolean six = memchr (value.data, ':', value.len) != NULL;
      const char *p = value.data, *end = p + value.len;
      guint marks = 0;

      first = 0;
      last = 0;
      for (; p < end && marks < (six ? 1 : 2); p++)
        if (*p == '.' || *p == ':')
          marks++;
        else
          first++;
      append_masked (local, first, last, out);
      return;
    }
  usual_ends (type, count_chars (local), &first, &last);
  append_masked (local, first, last, out);
  if (rest.len > 0)
    g_string_append_len (out, rest.data, (gssize) rest.len);
}

/* ---- pseudonyms -------------------------------------------------------------- */

/* Decimal digits without end from 32 bytes; the modulus is small against 2^64. */
typedef struct
{
  guint8 bytes[32];
  guint at;
} Digits;

static guint
draw (Digits *digits, guint n)
{
  guint value;

  if (digits->at + 1 >= 32)
    {
      /* A longer value: the digest of the digest. */
      GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);
      gsize len = 32;

      g_checksum_update (sum, digits->bytes, 32);
      g_checksum_get_digest (sum, digits->bytes, &len);
      g_checksum_free (sum);
      digits->at = 0;
    }
  value = (guint) digits->bytes[digits->at] << 8 | digits->bytes[digits->at + 1];
  digits->at += 2;
  return value % n;
}

/* The value's own layout with other digits and letters; @head: what it begins with instead. */
static void
append_like (Digits *digits, FrStr value, const char *head, GString *out)
{
  const char *p = value.data, *end = p + value.len;

  while (p < end)
    {
      const char *from = p;
      guint32 raw = text_next_char (&p), c = pii_fold_char (raw);
      int spoken = spoken_digit (c);

      if (c == 0)
        continue;
      if ((c >= '0' && c <= '9') || g_ascii_isalpha ((char) (c < 128 ? c : 0)) || spoken >= 0)
        {
          if (*head != '\0')
            g_string_append_c (out, *head++);
          else if (c >= 'a' && c <= 'z')
            g_string_append_c (out, (char) ('a' + draw (digits, 26)));
          else if (c >= 'A' && c <= 'Z')
            g_string_append_c (out, (char) ('A' + draw (digits, 26)));
          else
            g_string_append_c (out, (char) ('0' + draw (digits, 10)));
        }
      else if (raw == c)
        g_string_append_len (out, from, p - from);
      else
        g_string_append_unichar (out, c);
    }
}

/* A mobile number: the country code stays, then 12 and nine digits. */
static void
append_mobile (Digits *digits, FrStr value, GString *out)
{
  g_autoptr (GString) plain = g_string_new (NULL), like = g_string_new (NULL);
  gsize n = 0, skip, seen = 0;

  append_like (digits, value, "", like);
  text_pii_append_canonical (TEXT_PII_MOBILE, value, plain);
  for (gsize i = 0; i < like->len; i++)
    n += g_ascii_isdigit (like->str[i]) != 0;
  skip = n > plain->len ? n - plain->len : 0;
  if (skip == 0 && plain->len != 11)
    {
      /* International: "+00" belongs to nobody. */
      for (gsize i = 0; i < like->len; i++)
        if (g_ascii_isdigit (like->str[i]) && seen++ < 2)
          like->str[i] = '0';
    }
  else
    for (gsize i = 0; i < like->len; i++)
      if (g_ascii_isdigit (like->str[i]))
        {
          if (seen < skip)
            like->str[i] = skip == 4 ? "0086"[seen] : "86"[seen];
          else if (seen < skip + 2)
            like->str[i] = "12"[seen - skip];
          seen++;
        }
  g_string_append_len (out, like->str, (gssize) like->len);
}

/* An identity card: province 00, a date that is one, and a wrong check digit. */
static void
append_id_card (Digits *digits, FrStr value, GString *out)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  char head[19] = "00";
  gsize n;

  text_pii_append_canonical (TEXT_PII_ID_CARD, value, plain);
  n = MIN (plain->len, 18);
  for (guint i = 2; i < 6; i++)
    head[i] = (char) ('0' + draw (digits, 10));
  if (n == 18)
    {
      guint year = 1940 + draw (digits, 70), month = 1 + draw (digits, 12),
            day = 1 + draw (digits, 28), serial = draw (digits, 1000);

      g_snprintf (head + 6, sizeof head - 6, "%04u%02u%02u%03u", year, month, day, serial);
      head[17] = text_pii_id_check (head) == '5' ? '7' : '5';
    }
  else
    {
      guint year = 40 + draw (digits, 60), month = 1 + draw (digits, 12),
            day = 1 + draw (digits, 28), serial = draw (digits, 1000);

      g_snprintf (head + 6, sizeof head - 6, "%02u%02u%02u%03u", year, month, day, serial);
    }
  append_like (digits, value, head, out);
}

static void
append_named (const TextPii *pii, guint type, const Digits *digits, const TextPiiHide *hide,
              GString *out)
{
  const char *word;

  if (type == TEXT_PII_NAME)
    word = hide->chinese ? "用户" : "User";
  else
    word = text_pii_type_label (pii, type, hide->chinese);
  g_string_append (out, word);
  g_string_append_c (out, '_');
  append_hex (digits->bytes, CLAMP (hide->digits, 4, 32), TRUE, out);
}

static void
append_pseudonym (const TextPii *pii, const TextPiiKey *key, guint type, FrStr value,
                  const TextPiiHide *hide, GString *out)
{
  Digits digits = { .at = 0 };

  digest (pii, key, type, value, digits.bytes);
  switch (type)
    {
    case TEXT_PII_MOBILE:
      append_mobile (&digits, value, out);
      break;
    case TEXT_PII_LANDLINE:
      append_like (&digits, value, "000", out);
      break;
    case TEXT_PII_ID_CARD:
      append_id_card (&digits, value, out);
      break;
    case TEXT_PII_BANK_CARD:
    case TEXT_PII_QQ:
      append_like (&digits, value, "0", out);
      break;
    case TEXT_PII_USCC:
      append_like (&digits, value, "00", out);
      break;
    case TEXT_PII_EMAIL:
      g_string_append (out, "user_");
      append_hex (digits.bytes, CLAMP (hide->digits, 4, 32), FALSE, out);
      g_string_append (out, "@example.invalid");
      break;
    case TEXT_PII_IP:
      if (memchr (value.data, ':', value.len) != NULL)
        {
          g_string_append (out, "2001:db8");
          for (guint i = 0; i < 6; i++)
            g_string_append_printf (out, ":%x", draw (&digits, 65536));
        }
      else
        {
          guint a = 240 + draw (&digits, 15), b = draw (&digits, 256), c = draw (&digits, 256),
                d = draw (&digits, 256);

          g_string_append_printf (out, "%u.%u.%u.%u", a, b, c, d);
        }
      break;
    case TEXT_PII_MAC:
      {
        char sep = memchr (value.data, '-', value.len) ? '-' : ':';

        g_string_append_printf (out, "f2%cff%cff%c%02x%c%02x%c%02x", sep, sep, sep, digits.bytes[0],
                                sep, digits.bytes[1], sep, digits.bytes[2]);
      }
      break;
    default:
      append_named (pii, type, &digits, hide, out);
    }
  memset (digits.bytes, 0, sizeof digits.bytes);
}

/* ---- all of it --------------------------------------------------------------- */

void
text_pii_append_hidden (const TextPii *pii, const TextPiiKey *key, guint type, FrStr value,
                        const TextPiiHide *hide, GString *out)
{
  switch (hide->action)
    {
    case TEXT_PII_KEEP:
      g_string_append_len (out, value.data, (gssize) value.len);
      break;
    case TEXT_PII_MASK:
      append_masked (value, 0, 0, out);
      break;
    case TEXT_PII_PARTIAL:
      append_partial (type, value, hide->first, hide->last, out);
      break;
    case TEXT_PII_TAG:
      g_string_append_printf (out, "<%s>", text_pii_type_label (pii, type, hide->chinese));
      break;
    default:
      g_return_if_fail (key != NULL);
      append_pseudonym (pii, key, type, value, hide, out);
    }
}
