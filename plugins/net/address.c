/* SPDX-License-Identifier: Apache-2.0 */
/* address.c: the special-purpose blocks, as two tables.
 *
 * IPv4: IANA "IPv4 Special-Purpose Address Registry"; IPv6: IANA "IPv6
 * Special-Purpose Address Registry"; multicast: RFC 5771 and RFC 4291.
 */
#include "config.h"

#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

typedef struct
{
  guint32 net;
  guint bits;
  const char *what;
} Block4;

static const Block4 blocks4[] = {
  { 0x00000000, 8, "this network" },      { 0x0a000000, 8, "private" },
  { 0x64400000, 10, "shared (carrier)" }, { 0x7f000000, 8, "loopback" },
  { 0xa9fe0000, 16, "link-local" },       { 0xac100000, 12, "private" },
  { 0xc0000000, 24, "reserved" },         { 0xc0000200, 24, "documentation" },
  { 0xc0586300, 24, "reserved" },         { 0xc0a80000, 16, "private" },
  { 0xc6120000, 15, "benchmarking" },     { 0xc6336400, 24, "documentation" },
  { 0xcb007100, 24, "documentation" },    { 0xe0000000, 4, "multicast" },
  { 0xf0000000, 4, "reserved" },
};

typedef struct
{
  guint8 net[16];
  guint bits;
  const char *what;
} Block6;

static const Block6 blocks6[] = {
  { { 0 }, 128, "unspecified" },
  { { [15] = 1 }, 128, "loopback" },
  { { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, "private" }, /* local-use NAT64, RFC 8215 */
  { { 0x01, 0x00 }, 64, "discard-only" },
  { { 0x20, 0x01, 0x00, 0x02 }, 48, "benchmarking" },
  { { 0x20, 0x01, 0x0d, 0xb8 }, 32, "documentation" },
  { { 0x20, 0x01, 0x00, 0x10 }, 28, "reserved" }, /* ORCHID */
  { { 0x3f, 0xff }, 20, "documentation" },
  { { 0x5f, 0x00 }, 16, "reserved" }, /* SRv6 SIDs */
  { { 0xfc }, 7, "private" },
  { { 0xfe, 0x80 }, 10, "link-local" },
  { { 0xfe, 0xc0 }, 10, "private" }, /* site-local, of old */
  { { 0xff }, 8, "multicast" },
};

static const char *
why_not4 (guint32 address)
{
  for (guint i = 0; i < G_N_ELEMENTS (blocks4); i++)
    if ((address ^ blocks4[i].net) >> (32 - blocks4[i].bits) == 0)
      return blocks4[i].what;
  return NULL;
}

static gboolean
starts (const guint8 *address, const guint8 *net, guint bits)
{
  guint whole = bits / 8, rest = bits % 8;

  return memcmp (address, net, whole) == 0
         && (rest == 0 || (address[whole] ^ net[whole]) >> (8 - rest) == 0);
}

static guint32
number (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

static const char *
why_not6 (const guint8 *a)
{
  static const guint8 zeros[16], mapped[16] = { [10] = 0xff, [11] = 0xff };
  static const guint8 translated[16] = { [8] = 0xff, [9] = 0xff };
  static const guint8 nat64[16] = { 0x00, 0x64, 0xff, 0x9b };
  static const guint8 six_to_four[16] = { 0x20, 0x02 }, teredo[16] = { 0x20, 0x01 };

  for (guint i = 0; i < G_N_ELEMENTS (blocks6); i++)
    if (starts (a, blocks6[i].net, blocks6[i].bits))
      return blocks6[i].what;
  if (starts (a, mapped, 96) || starts (a, translated, 96) || starts (a, nat64, 96)
      || starts (a, zeros, 96))
    return why_not4 (number (a + 12));
  if (starts (a, six_to_four, 16))
    return why_not4 (number (a + 2));
  if (starts (a, teredo, 32)) /* the client's address, inverted: RFC 4380 */
    return why_not4 (~number (a + 12));
  return (a[0] & 0xe0) == 0x20 ? NULL : "reserved"; /* only 2000::/3 is given out */
}

const char *
net_address_why_not (const struct sockaddr *address)
{
  if (address->sa_family == AF_INET)
    return why_not4 (
        ntohl (((const struct sockaddr_in *) (gconstpointer) address)->sin_addr.s_addr));
  if (address->sa_family == AF_INET6)
    return why_not6 (((const struct sockaddr_in6 *) (gconstpointer) address)->sin6_addr.s6_addr);
  return "no internet address";
}

const char *
net_address_why_not_text (const char *text)
{
  struct in_addr a4;
  struct in6_addr a6;

  if (inet_pton (AF_INET, text, &a4) == 1)
    return why_not4 (ntohl (a4.s_addr));
  if (inet_pton (AF_INET6, text, &a6) == 1)
    return why_not6 (a6.s6_addr);
  return "no address";
}

char *
net_address_name (const struct sockaddr *address)
{
  char text[INET6_ADDRSTRLEN] = "?";

  if (address->sa_family == AF_INET)
    inet_ntop (AF_INET, &((const struct sockaddr_in *) (gconstpointer) address)->sin_addr, text,
               sizeof text);
  else if (address->sa_family == AF_INET6)
    inet_ntop (AF_INET6, &((const struct sockaddr_in6 *) (gconstpointer) address)->sin6_addr, text,
               sizeof text);
  return g_strdup (text);
}
