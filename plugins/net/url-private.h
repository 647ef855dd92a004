/* SPDX-License-Identifier: Apache-2.0 */
/* url-private.h: between the files that make a URL. */
#ifndef FLOWRUN_NET_URL_PRIVATE_H
#define FLOWRUN_NET_URL_PRIVATE_H

#include "url.h"

/** net_url_append_authority: "host" or "host:port" of @authority in normal form; fills the host's
 * members of @url. */
gboolean net_url_append_authority (GString *out, FrStr authority, NetUrl *url, const char **why);

#endif
