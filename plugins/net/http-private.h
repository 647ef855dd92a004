/* SPDX-License-Identifier: Apache-2.0 */
/* http-private.h: between the files that make the client. */
#ifndef FLOWRUN_NET_HTTP_PRIVATE_H
#define FLOWRUN_NET_HTTP_PRIVATE_H

#include "http.h"

#include <curl/curl.h>

struct _NetClient
{
  NetOptions options; /* complete: no zeros that mean a default; strings owned */
  CURLM *multi;
  GHashTable *running; /* Transfer, owned */
  GQueue done;         /* NetReply, owned */
  GPtrArray *idle;     /* easy handles to use again */
  int timer;           /* a timerfd; -1: there is none */
};

NetReply *net_reply_new (const char *url);
/** net_reply_take_line: one line of a header section, as libcurl hands them out: a status line
 * starts anew. */
void net_reply_take_line (NetReply *reply, const char *line, gsize len);
/** net_client_sleep: FALSE with FR_ERROR_CANCELLED. */
gboolean net_client_sleep (NetClient *client, gint64 microseconds, GCancellable *cancellable,
                           GError **error);
/** net_method: of @request: "GET", "POST", or its own. */
const char *net_method (const NetRequest *request);

#endif
