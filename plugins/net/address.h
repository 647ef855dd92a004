/* SPDX-License-Identifier: Apache-2.0 */
/* address.h: which network addresses are public (libflowrun-net).
 *
 * By the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and the
 * RFCs listed there): what is not globally reachable is not public.  IPv6
 * addresses that carry an IPv4 address (mapped, compatible, NAT64, 6to4,
 * Teredo) are as public as that one.
 */
#ifndef FLOWRUN_NET_ADDRESS_H
#define FLOWRUN_NET_ADDRESS_H

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/**
 * net_address_why_not:
 *
 * Returns NULL when @address is public, else what it is: "loopback", "private", "link-local",
 * "multicast", "reserved", …; static.  Families other than IPv4 and IPv6 are "no internet address".
 */
const char *net_address_why_not (const struct sockaddr *address);

/** net_address_why_not_text: the same for an address as text, without brackets; "no address" when
 * it is none. */
const char *net_address_why_not_text (const char *text);

/** net_address_name: @address as text; free with g_free(). */
char *net_address_name (const struct sockaddr *address);

G_END_DECLS

#endif
