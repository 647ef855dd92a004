/* SPDX-License-Identifier: Apache-2.0 */
/* send.c: one question and its answer: redirects (RFC 9110, 15.4) and retries. */
#include "config.h"

#include "http-private.h"
#include "url.h"

#include <string.h>

/* Where the reply sends on to; FALSE when it does not. */
static gboolean
redirect (const NetReply *reply, const NetUrl *from, NetUrl *to)
{
  const char *location = net_reply_header (reply, "location");

  if (location == NULL || reply->error)
    return FALSE;
  if (reply->status != 301 && reply->status != 302 && reply->status != 303 && reply->status != 307
      && reply->status != 308)
    return FALSE;
  return net_url_parse (location, strlen (location), from, NULL, 0, to, NULL);
}

static NetReply *
once (NetClient *client, const NetRequest *request, GCancellable *cancellable, GError **error)
{
  if (!net_client_start (client, request, NULL, error))
    return NULL;
  return net_client_wait (client, -1, cancellable, error);
}

/* What of @request goes on to @to. */
static void
readdress (NetRequest *request, guint status, const NetUrl *from, const NetUrl *to)
{
  request->url = to->text;
  if (!net_url_same_origin (from, to))
    {
      request->bearer = NULL;
      request->secret_headers = NULL;
    }
  if (status == 303 || (status < 303 && request->body))
    {
      request->body = NULL;
      request->method = g_strcmp0 (request->method, "HEAD") == 0 ? "HEAD" : NULL;
    }
}

static NetReply *
follow (NetClient *client, const NetRequest *given, GCancellable *cancellable, GError **error)
{
  g_auto (NetUrl) at = { 0 };
  NetRequest request = *given;

  for (guint n = 0;; n++)
    {
      g_autoptr (NetReply) reply = once (client, &request, cancellable, error);
      NetUrl next = { 0 };

      if (reply == NULL)
        return NULL;
      reply->redirects = n;
      net_url_clear (&at);
      if (client->options.max_redirects == 0
          || !net_url_parse (reply->url, strlen (reply->url), NULL, NULL, 0, &at, NULL)
          || !redirect (reply, &at, &next))
        return g_steal_pointer (&reply);
      if (n == client->options.max_redirects)
        {
          g_autofree char *shown = net_url_display (given->url);

          net_url_clear (&next);
          reply->fault = NET_FAULT_REDIRECTS;
          g_set_error (&reply->error, FR_ERROR, FR_ERROR_DATA,
                       "%s %s: redirected more than %u times", net_method (given), shown, n);
          return g_steal_pointer (&reply);
        }
      readdress (&request, reply->status, &at, &next);
      net_url_clear (&at);
      at = next;
    }
}

NetReply *
net_client_send (NetClient *client, const NetRequest *request, GCancellable *cancellable,
                 GError **error)
{
  const NetOptions *o = &client->options;

  for (guint attempt = 1;; attempt++)
    {
      g_autoptr (NetReply) reply = follow (client, request, cancellable, error);
      gint64 wait, asked;

      if (reply == NULL)
        return NULL;
      reply->attempts = attempt;
      asked = net_reply_retry_after (reply);
      if (!net_reply_is_transient (reply) || attempt > o->retries || asked > o->backoff_max)
        {
          if (reply->error == NULL)
            return g_steal_pointer (&reply);
          if (attempt > 1)
            g_prefix_error (&reply->error, "after %u attempts: ", attempt);
          g_propagate_error (error, g_steal_pointer (&reply->error));
          return NULL;
        }
      wait = net_backoff (attempt, o->backoff, o->backoff_max, request->seed);
      if (!net_client_sleep (client, MAX (wait, asked), cancellable, error))
        return NULL;
    }
}
