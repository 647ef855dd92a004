/* SPDX-License-Identifier: Apache-2.0 */
/* host.c: the host of a URL: names, addresses, ports, and whose domain it is.
 *
 * Names: UTS #46, non-transitional, through ICU (uidna.h).  IPv4 addresses:
 * WHATWG URL, section 3.5, "IPv4 parser", so that http://0x7f.1/ is known for
 * the loopback address it is.  Sites: the Public Suffix List.
 */
#include "config.h"

#include "url-private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unicode/uidna.h>
#ifdef HAVE_PSL
#include <libpsl.h>
#endif

/* One number of an IPv4 address: decimal, 0octal, 0xhex; nothing is 0. */
static gboolean
read_number (const char *p, gsize len, guint64 *value)
{
  guint base = 10;

  if (len >= 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
    base = 16, p += 2, len -= 2;
  else if (len >= 2 && p[0] == '0')
    base = 8, p++, len--;
  *value = 0;
  for (gsize i = 0; i < len; i++)
    {
      int digit = g_ascii_xdigit_value (p[i]);

      if (digit < 0 || (guint) digit >= base || *value > G_MAXUINT32)
        return FALSE;
      *value = *value * base + (guint) digit;
    }
  return TRUE;
}

static gboolean
ends_in_number (FrStr host)
{
  const char *last = g_strrstr_len (host.data, (gssize) host.len, ".");
  const char *p = last ? last + 1 : host.data;
  gsize len = host.len - (gsize) (p - host.data);
  guint64 value;

  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isdigit (p[i]))
      return len >= 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')
             && read_number (p, len, &value);
  return len > 0;
}

static gboolean
append_ipv4 (GString *out, FrStr host)
{
  const char *p = host.data, *end = p + host.len;
  guint64 numbers[4], address;
  guint n = 0;

  for (;;)
    {
      const char *dot = memchr (p, '.', (gsize) (end - p));
      const char *stop = dot ? dot : end;

      if (n == 4 || stop == p || !read_number (p, (gsize) (stop - p), &numbers[n++]))
        return FALSE;
      if (dot == NULL)
        break;
      p = dot + 1;
    }
  for (guint i = 0; i + 1 < n; i++)
    if (numbers[i] > 255)
      return FALSE;
  if (numbers[n - 1] >= G_GUINT64_CONSTANT (1) << (8 * (5 - n)))
    return FALSE;
  address = numbers[n - 1];
  for (guint i = 0; i + 1 < n; i++)
    address += numbers[i] << (8 * (3 - i));
  g_string_append_printf (out, "%u.%u.%u.%u", (guint) (address >> 24),
                          (guint) (address >> 16 & 255), (guint) (address >> 8 & 255),
                          (guint) (address & 255));
  return TRUE;
}

static gboolean
append_ipv6 (GString *out, FrStr text)
{
  g_autofree char *copy = g_strndup (text.data, text.len);
  char buffer[INET6_ADDRSTRLEN];
  struct in6_addr address;

  if (inet_pton (AF_INET6, copy, &address) != 1)
    return FALSE;
  inet_ntop (AF_INET6, &address, buffer, sizeof buffer);
  g_string_append (out, buffer);
  return TRUE;
}

static GString *
decode (FrStr host)
{
  GString *out = g_string_sized_new (host.len);

  for (gsize i = 0; i < host.len; i++)
    if (host.data[i] == '%' && i + 2 < host.len && g_ascii_isxdigit (host.data[i + 1])
        && g_ascii_isxdigit (host.data[i + 2]))
      {
        char c = (char) (g_ascii_xdigit_value (host.data[i + 1]) << 4
                         | g_ascii_xdigit_value (host.data[i + 2]));

        g_string_append_c (out, g_ascii_tolower (c));
        i += 2;
      }
    else
      g_string_append_c (out, g_ascii_tolower (host.data[i]));
  return out;
}

static gboolean
to_ascii (GString *host)
{
  static gsize once;
  static UIDNA *uts46;
  UErrorCode status = U_ZERO_ERROR;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  char name[512];
  int32_t n;

  if (g_once_init_enter (&once))
    {
      UErrorCode opened = U_ZERO_ERROR;

      uts46 = uidna_openUTS46 (UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI, &opened);
      g_once_init_leave (&once, 1);
    }
  if (uts46 == NULL || host->len > 1000 || !g_utf8_validate (host->str, (gssize) host->len, NULL))
    return FALSE;
  n = uidna_nameToASCII_UTF8 (uts46, host->str, (int32_t) host->len, name, sizeof name, &info,
                              &status);
  if (U_FAILURE (status) || info.errors || n <= 0 || n >= (int32_t) sizeof name)
    return FALSE;
  g_string_truncate (host, 0);
  g_string_append_len (host, name, n);
  return TRUE;
}

/* Letters, digits, '-', '_' and dots: what names that are in use hold; no empty label. */
static gboolean
is_name (const GString *host)
{
  gsize label = 0;

  for (gsize i = 0; i < host->len; i++)
    {
      char c = host->str[i];

      if (c == '.' ? label == 0 : !(g_ascii_isalnum (c) || c == '-' || c == '_'))
        return FALSE;
      label = c == '.' ? 0 : label + 1;
      if (label > 63)
        return FALSE;
    }
  return host->len > 0 && host->len <= 253 && label > 0;
}

static gboolean
append_name (GString *out, FrStr text, NetUrl *url, const char **why)
{
  g_autoptr (GString) host = decode (text);
  gboolean ascii = TRUE;

  for (gsize i = 0; i < host->len; i++)
    ascii &= (guchar) host->str[i] < 0x80;
  *why = "its host is no name";
  if ((!ascii || strstr (host->str, "xn--")) && !to_ascii (host))
    return FALSE;
  if (host->len > 1 && host->str[host->len - 1] == '.')
    g_string_truncate (host, host->len - 1);
  if (!is_name (host))
    return FALSE;
  url->is_address = ends_in_number ((FrStr){ host->str, host->len });
  if (!url->is_address)
    {
      g_string_append_len (out, host->str, (gssize) host->len);
      return TRUE;
    }
  *why = "its host looks like an IPv4 address and is none";
  return append_ipv4 (out, (FrStr){ host->str, host->len });
}

static gboolean
append_port (GString *out, FrStr port, NetUrl *url, const char **why)
{
  guint16 usual = url->scheme_len == 5 ? 443 : 80;
  guint value = 0;

  for (gsize i = 0; i < port.len; i++)
    {
      if (!g_ascii_isdigit (port.data[i]) || value > 65535)
        {
          *why = "its port is no number";
          return FALSE;
        }
      value = value * 10 + (guint) (port.data[i] - '0');
    }
  if (value > 65535 || (port.len && value == 0))
    {
      *why = "its port is not from 1 to 65535";
      return FALSE;
    }
  url->port = port.len ? (guint16) value : usual;
  if (url->port != usual)
    g_string_append_printf (out, ":%u", url->port);
  return TRUE;
}

gboolean
net_url_append_authority (GString *out, FrStr authority, NetUrl *url, const char **why)
{
  FrStr host = authority, port = { NULL, 0 };
  const char *at = NULL, *colon;

  for (gsize i = 0; i < host.len; i++)
    if (host.data[i] == '@')
      at = host.data + i;
  if (at)
    {
      url->had_userinfo = TRUE;
      host.len -= (gsize) (at + 1 - host.data);
      host.data = at + 1;
    }
  if (host.len && host.data[0] == '[')
    {
      const char *close = memchr (host.data, ']', host.len), *end = host.data + host.len;

      *why = "its host is no IPv6 address";
      if (close == NULL || (close + 1 < end && close[1] != ':'))
        return FALSE;
      if (close + 1 < end)
        port = (FrStr){ close + 2, (gsize) (end - close - 2) };
      url->is_address = TRUE;
      g_string_append_c (out, '[');
      url->host = (guint) out->len;
      if (!append_ipv6 (out, (FrStr){ host.data + 1, (gsize) (close - host.data - 1) }))
        return FALSE;
      url->host_len = (guint) out->len - url->host;
      g_string_append_c (out, ']');
      return append_port (out, port, url, why);
    }
  colon = host.len ? memchr (host.data, ':', host.len) : NULL;
  if (colon)
    {
      port = (FrStr){ colon + 1, host.len - (gsize) (colon + 1 - host.data) };
      host.len = (gsize) (colon - host.data);
    }
  url->host = (guint) out->len;
  if (!append_name (out, host, url, why))
    return FALSE;
  url->host_len = (guint) out->len - url->host;
  return append_port (out, port, url, why);
}

/* ---- whose domain ----------------------------------------------------------------- */

#ifndef HAVE_PSL
/* Without the list: second levels under which names are given out in most countries. */
static gboolean
is_second_level (const char *label, gsize len)
{
  static const char *const labels[]
      = { "com", "net", "org", "gov", "edu", "ac", "co", "or", "ne", "go", "mil" };

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    if (strlen (labels[i]) == len && memcmp (labels[i], label, len) == 0)
      return TRUE;
  return FALSE;
}
#endif

char *
net_url_site (const char *host, gsize len)
{
  g_autofree char *name = g_strndup (host, len);
  struct in6_addr address;

  if (ends_in_number ((FrStr){ name, len }) || inet_pton (AF_INET6, name, &address) == 1)
    return g_steal_pointer (&name);
#ifdef HAVE_PSL
  {
    const char *site = psl_registrable_domain (psl_builtin (), name);

    return site ? g_strdup (site) : g_steal_pointer (&name);
  }
#else
  {
    const char *last = g_strrstr (name, "."), *second, *third;

    second = last ? g_strrstr_len (name, last - name, ".") : NULL;
    if (second == NULL)
      return g_steal_pointer (&name);
    if (strlen (last + 1) != 2 || !is_second_level (second + 1, (gsize) (last - second - 1)))
      return g_strdup (second + 1);
    third = g_strrstr_len (name, second - name, ".");
    return third ? g_strdup (third + 1) : g_steal_pointer (&name);
  }
#endif
}
