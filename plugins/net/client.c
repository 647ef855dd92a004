/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: transfers side by side on one libcurl multi handle (curl_multi_poll), each ending in a
 * NetReply.
 *
 * The address policy is CURLOPT_OPENSOCKETFUNCTION: libcurl calls it with the very address it is
 * about to connect to, for each connection, after all resolving.
 */
#include "config.h"

#include "address.h"
#include "http-private.h"
#include "url.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct
{
  CURL *easy;
  NetClient *client;
  NetReply *reply;
  const char *method; /* static, or the handle's */
  char *method_text;
  struct curl_slist *headers;
  guint64 max_body;
  gint64 timeout;
  NetOnBody on_body;
  gpointer on_body_data;
  gboolean cut;
  gboolean over;       /* larger than max_body */
  gboolean enough;     /* for on_body */
  const char *refused; /* what the address is */
  char *refused_address;
  char fault[CURL_ERROR_SIZE];
} Transfer;

/* ---- the client ------------------------------------------------------------------ */

static gboolean
library_ready (void)
{
  static gsize once;
  static CURLcode result;

  if (g_once_init_enter (&once))
    {
      result = curl_global_init (CURL_GLOBAL_DEFAULT);
      g_once_init_leave (&once, 1);
    }
  return result == CURLE_OK;
}

static void
transfer_free (gpointer data)
{
  Transfer *t = data;

  if (t->easy)
    {
      curl_multi_remove_handle (t->client->multi, t->easy);
      curl_easy_cleanup (t->easy);
    }
  curl_slist_free_all (t->headers);
  net_reply_free (t->reply);
  g_free (t->method_text);
  g_free (t->refused_address);
  g_free (t);
}

static void
complete (NetOptions *o, const NetOptions *given)
{
  if (given)
    *o = *given;
  o->user_agent = g_strdup (o->user_agent ? o->user_agent : "flowrun/" PACKAGE_VERSION);
  o->proxy = g_strdup (o->proxy);
  o->ca_file = g_strdup (o->ca_file);
  o->connect_timeout = o->connect_timeout ? o->connect_timeout : 15 * G_USEC_PER_SEC;
  o->timeout = o->timeout ? o->timeout : 120 * G_USEC_PER_SEC;
  o->max_body = MIN (o->max_body ? o->max_body : 64 << 20, G_MAXINT32);
  o->connections = o->connections ? o->connections : 64;
  o->host_connections = o->host_connections ? o->host_connections : 8;
  o->backoff = o->backoff ? o->backoff : G_USEC_PER_SEC / 2;
  o->backoff_max = o->backoff_max ? o->backoff_max : 60 * G_USEC_PER_SEC;
}

NetClient *
net_client_new (const NetOptions *options, GError **error)
{
  NetClient *client;

  if (!library_ready ())
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "libcurl does not start");
      return NULL;
    }
  client = g_new0 (NetClient, 1);
  complete (&client->options, options);
  client->multi = curl_multi_init ();
  client->running = g_hash_table_new_full (NULL, NULL, transfer_free, NULL);
  client->idle = g_ptr_array_new_with_free_func (curl_easy_cleanup);
  client->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  g_queue_init (&client->done);
  curl_multi_setopt (client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                     (long) client->options.connections);
  curl_multi_setopt (client->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                     (long) client->options.host_connections);
  curl_multi_setopt (client->multi, CURLMOPT_MAXCONNECTS, (long) client->options.connections);
  if (client->options.proxy && strstr (client->options.proxy, "://") == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the proxy is not written as a URL; expected something like http://host:port");
      net_client_free (client);
      return NULL;
    }
  return client;
}

void
net_client_free (NetClient *client)
{
  if (client == NULL)
    return;
  g_hash_table_unref (client->running);
  g_queue_clear_full (&client->done, (GDestroyNotify) net_reply_free);
  g_ptr_array_unref (client->idle);
  curl_multi_cleanup (client->multi);
  if (client->timer >= 0)
    close (client->timer);
  g_free ((char *) client->options.user_agent);
  g_free ((char *) client->options.proxy);
  g_free ((char *) client->options.ca_file);
  g_free (client);
}

/* ---- what libcurl calls ------------------------------------------------------------ */

static curl_socket_t
on_socket (void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
  Transfer *t = data;
  const char *why = net_address_why_not (&address->addr);

  if (why && purpose == CURLSOCKTYPE_IPCXN && !t->client->options.allow_private
      && t->client->options.proxy == NULL)
    {
      g_free (t->refused_address);
      t->refused = why;
      t->refused_address = net_address_name (&address->addr);
      return CURL_SOCKET_BAD;
    }
  return socket (address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
on_header (char *line, size_t size, size_t n, void *data)
{
  Transfer *t = data;

  net_reply_take_line (t->reply, line, size * n);
  return size * n;
}

static size_t
on_body (char *bytes, size_t size, size_t n, void *data)
{
  Transfer *t = data;
  gsize len = size * n, room = (gsize) t->max_body - t->reply->body->len;

  g_byte_array_append (t->reply->body, (const guint8 *) bytes, (guint) MIN (len, room));
  if (t->on_body)
    {
      long status = 0;

      curl_easy_getinfo (t->easy, CURLINFO_RESPONSE_CODE, &status);
      t->reply->status = (guint) CLAMP (status, 0, 999);
      t->enough = !t->on_body (t->reply, bytes, MIN (len, room), t->on_body_data);
    }
  t->over = len > room;
  return t->over || t->enough ? 0 : len;
}

/* ---- beginning ------------------------------------------------------------------------ */

static gboolean
add_header (Transfer *t, const char *line, GError **error)
{
  if (strpbrk (line, "\r\n") || strchr (line, ':') == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "a header '%.*s' is not 'Name: value' on one line",
                   (int) MIN (strcspn (line, ":\r\n"), 40), line);
      return FALSE;
    }
  t->headers = curl_slist_append (t->headers, line);
  return TRUE;
}

static gboolean
add_headers (Transfer *t, const NetRequest *request, GError **error)
{
  for (guint i = 0; request->headers && request->headers[i]; i++)
    if (!add_header (t, request->headers[i], error))
      return FALSE;
  for (guint i = 0; request->secret_headers && request->secret_headers[i]; i++)
    if (!add_header (t, request->secret_headers[i], error))
      return FALSE;
  if (request->bearer)
    {
      g_autofree char *line = g_strconcat ("Authorization: Bearer ", request->bearer, NULL);

      if (strpbrk (request->bearer, "\r\n"))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "the bearer token holds a line end");
          return FALSE;
        }
      t->headers = curl_slist_append (t->headers, line);
    }
  if (request->body)
    {
      g_autofree char *line = g_strconcat (
          "Content-Type: ", request->content_type ? request->content_type : "application/json",
          NULL);

      t->headers = curl_slist_append (t->headers, line);
      t->headers = curl_slist_append (t->headers, "Expect:");
    }
  return TRUE;
}

static long
milliseconds (gint64 us)
{
  return (long) CLAMP (us / 1000, 1, G_MAXINT32);
}

static void
set_up (Transfer *t, const NetRequest *request)
{
  const NetOptions *o = &t->client->options;
  CURL *e = t->easy;

  curl_easy_setopt (e, CURLOPT_PRIVATE, t);
  curl_easy_setopt (e, CURLOPT_URL, t->reply->url);
  curl_easy_setopt (e, CURLOPT_ERRORBUFFER, t->fault);
  curl_easy_setopt (e, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt (e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt (e, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt (e, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt (e, CURLOPT_USERAGENT, o->user_agent);
  curl_easy_setopt (e, CURLOPT_ACCEPT_ENCODING, "");
  /* An empty name: the environment's proxies are not asked. */
  curl_easy_setopt (e, CURLOPT_PROXY, o->proxy ? o->proxy : "");
  if (o->ca_file)
    curl_easy_setopt (e, CURLOPT_CAINFO, o->ca_file);
  curl_easy_setopt (e, CURLOPT_CONNECTTIMEOUT_MS, milliseconds (o->connect_timeout));
  curl_easy_setopt (e, CURLOPT_TIMEOUT_MS, milliseconds (t->timeout));
  if (o->stall_timeout)
    {
      curl_easy_setopt (e, CURLOPT_LOW_SPEED_LIMIT, 1024L);
      curl_easy_setopt (e, CURLOPT_LOW_SPEED_TIME,
                        (long) MAX (1, o->stall_timeout / G_USEC_PER_SEC));
    }
  curl_easy_setopt (e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt (e, CURLOPT_OPENSOCKETDATA, t);
  curl_easy_setopt (e, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt (e, CURLOPT_HEADERDATA, t);
  curl_easy_setopt (e, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt (e, CURLOPT_WRITEDATA, t);
  if (!t->cut)
    curl_easy_setopt (e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) t->max_body);
  if (request->body)
    {
      curl_easy_setopt (e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
      curl_easy_setopt (e, CURLOPT_COPYPOSTFIELDS, request->body);
    }
  if (g_strcmp0 (t->method, "HEAD") == 0)
    curl_easy_setopt (e, CURLOPT_NOBODY, 1L);
  else if (request->method)
    curl_easy_setopt (e, CURLOPT_CUSTOMREQUEST, t->method);
  curl_easy_setopt (e, CURLOPT_HTTPHEADER, t->headers);
}

static gboolean
read_url (const char *text, NetUrl *url, GError **error)
{
  g_autofree char *shown = net_url_display (text);
  const char *why;

  if (!net_url_parse (text ? text : "", text ? strlen (text) : 0, NULL, NULL, 0, url, &why))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s' is no URL that can be asked: %s", shown,
                   why);
      return FALSE;
    }
  if (url->had_userinfo)
    {
      g_set_error (
          error, FR_ERROR, FR_ERROR_CONFIG,
          "'%s' is written with a user name or password; give credentials apart from the URL",
          shown);
      net_url_clear (url);
      return FALSE;
    }
  return TRUE;
}

/* An address written in the URL is looked at here as well, for through a proxy nobody else would.
 */
static void
check_literal (Transfer *t, const NetUrl *url)
{
  g_autofree char *host = g_strndup (url->text + url->host, url->host_len);

  if (!url->is_address || t->client->options.allow_private)
    return;
  t->refused = net_address_why_not_text (host);
  if (t->refused)
    t->refused_address = g_steal_pointer (&host);
}

static void
refuse (Transfer *t)
{
  g_autofree char *shown = net_url_display (t->reply->url);

  t->reply->fault = NET_FAULT_REFUSED_ADDRESS;
  g_set_error (&t->reply->error, FR_ERROR, FR_ERROR_IO,
               "%s %s: the address %s is not public (%s), and only public ones are allowed",
               t->method, shown, t->refused_address, t->refused);
}

gboolean
net_client_start (NetClient *client, const NetRequest *request, gpointer tag, GError **error)
{
  g_auto (NetUrl) url = { 0 };
  Transfer *t;

  if (!read_url (request->url, &url, error))
    return FALSE;
  t = g_new0 (Transfer, 1);
  t->client = client;
  t->reply = net_reply_new (url.text);
  t->reply->tag = tag;
  t->reply->started = g_get_real_time ();
  t->method = t->method_text = g_strdup (net_method (request));
  t->max_body = request->max_body ? MIN (request->max_body, G_MAXINT32) : client->options.max_body;
  t->cut = request->cut;
  t->timeout = request->timeout ? request->timeout : client->options.timeout;
  t->on_body = request->on_body;
  t->on_body_data = request->on_body_data;
  if (!add_headers (t, request, error))
    {
      transfer_free (t);
      return FALSE;
    }
  check_literal (t, &url);
  if (t->refused)
    {
      refuse (t);
      g_queue_push_tail (&client->done, g_steal_pointer (&t->reply));
      transfer_free (t);
      return TRUE;
    }
  t->easy = client->idle->len ? g_ptr_array_steal_index_fast (client->idle, client->idle->len - 1)
                              : curl_easy_init ();
  set_up (t, request);
  g_hash_table_add (client->running, t);
  curl_multi_add_handle (client->multi, t->easy);
  return TRUE;
}

/* ---- ending ------------------------------------------------------------------------------ */

static void
set_fault (Transfer *t, NetFault fault, FrError code, const char *what)
{
  g_autofree char *shown = net_url_display (t->reply->url);
  g_autofree char *valid = g_utf8_make_valid (t->fault, -1);

  t->reply->fault = fault;
  g_set_error (&t->reply->error, FR_ERROR, code, "%s %s: %s%s%s", t->method, shown, what,
               *valid ? ": " : "", valid);
}

static void
judge (Transfer *t, CURLcode result)
{
  const NetOptions *o = &t->client->options;

  switch ((int) result)
    {
    case CURLE_OK:
      return;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      set_fault (t, NET_FAULT_RESOLVE, FR_ERROR_TRANSIENT, "the name cannot be resolved");
      return;
    case CURLE_COULDNT_CONNECT:
      if (t->refused)
        refuse (t);
      else
        set_fault (t, NET_FAULT_CONNECT, FR_ERROR_TRANSIENT, "cannot connect");
      return;
    case CURLE_OPERATION_TIMEDOUT:
      if (o->stall_timeout && strstr (t->fault, "too slow"))
        set_fault (t, NET_FAULT_STALLED, FR_ERROR_TRANSIENT, "less than a kilobyte a second came");
      else
        set_fault (t, NET_FAULT_TIMEOUT, FR_ERROR_TRANSIENT, "no answer in time");
      return;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      if (t->enough || (t->over && t->cut))
        {
          t->reply->cut = TRUE;
          return;
        }
      if (t->over || result == CURLE_FILESIZE_EXCEEDED)
        {
          g_autofree char *size = g_format_size_full (t->max_body, G_FORMAT_SIZE_IEC_UNITS);
          g_autofree char *what = g_strdup_printf ("the answer is larger than %s", size);

          *t->fault = '\0';
          set_fault (t, NET_FAULT_TOO_LARGE, FR_ERROR_DATA, what);
          return;
        }
      set_fault (t, NET_FAULT_PROTOCOL, FR_ERROR_DATA, "the answer cannot be read");
      return;
    case CURLE_PARTIAL_FILE:
      set_fault (t, NET_FAULT_LENGTH, FR_ERROR_TRANSIENT, "the answer ended early");
      return;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      set_fault (t, NET_FAULT_TLS, FR_ERROR_IO, "no trusted connection");
      return;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_URL_MALFORMAT:
      set_fault (t, NET_FAULT_PROTOCOL, FR_ERROR_DATA, "the answer is no proper HTTP");
      return;
    default:
      set_fault (t, NET_FAULT_OTHER, FR_ERROR_TRANSIENT, "the connection failed");
      return;
    }
}

static void
finish (NetClient *client, CURLMsg *message)
{
  CURLcode result = message->data.result;
  CURL *easy = message->easy_handle;
  curl_off_t total = 0;
  long status = 0;
  Transfer *t = NULL;

  curl_easy_getinfo (easy, CURLINFO_PRIVATE, &t);
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo (easy, CURLINFO_TOTAL_TIME_T, &total);
  t->reply->status = (guint) CLAMP (status, 0, 999);
  t->reply->duration = total;
  t->reply->ended = g_get_monotonic_time ();
  judge (t, result);
  if (t->reply->error)
    t->reply->status = t->reply->fault == NET_FAULT_LENGTH ? t->reply->status : 0;
  g_byte_array_append (t->reply->body, (const guint8 *) "", 1);
  g_byte_array_set_size (t->reply->body, t->reply->body->len - 1);
  curl_multi_remove_handle (client->multi, easy);
  curl_easy_reset (easy);
  g_ptr_array_add (client->idle, easy);
  t->easy = NULL;
  g_queue_push_tail (&client->done, g_steal_pointer (&t->reply));
  g_hash_table_remove (client->running, t);
}

guint
net_client_running (const NetClient *client)
{
  return g_hash_table_size (client->running) + client->done.length;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer multi)
{
  curl_multi_wakeup (multi);
}

static void
look (NetClient *client)
{
  CURLMsg *message;
  int n;

  curl_multi_perform (client->multi, &n);
  while ((message = curl_multi_info_read (client->multi, &n)) != NULL)
    if (message->msg == CURLMSG_DONE)
      finish (client, message);
}

/* libcurl's own waits are in milliseconds; a clock that runs out wakes them to the microsecond. */
static void
poll_until (NetClient *client, gint64 left)
{
  struct itimerspec when = { .it_value = { .tv_sec = left / G_USEC_PER_SEC,
                                           .tv_nsec = left % G_USEC_PER_SEC * 1000 } };
  struct curl_waitfd clock = { .fd = client->timer, .events = CURL_WAIT_POLLIN };
  gboolean fine = left < G_USEC_PER_SEC && client->timer >= 0
                  && timerfd_settime (client->timer, 0, &when, NULL) == 0;

  curl_multi_poll (client->multi, fine ? &clock : NULL, fine ? 1 : 0,
                   (int) MIN ((left + 999) / 1000, 1000), NULL);
}

/* Turns the wheel until a reply is there, the time is over or the run is cancelled (FALSE). */
static gboolean
turn (NetClient *client, gint64 microseconds, GCancellable *cancellable, gboolean idle)
{
  gint64 deadline = microseconds < 0 ? G_MAXINT64 : g_get_monotonic_time () + microseconds;

  for (;;)
    {
      gint64 left;

      look (client);
      if (client->done.length && !idle)
        return TRUE;
      if (g_cancellable_is_cancelled (cancellable))
        return FALSE;
      left = deadline == G_MAXINT64 ? G_USEC_PER_SEC : deadline - g_get_monotonic_time ();
      if (left <= 0 || (g_hash_table_size (client->running) == 0 && !idle))
        return TRUE;
      poll_until (client, left);
    }
}

static gboolean
turn_cancellable (NetClient *client, gint64 microseconds, GCancellable *cancellable, gboolean idle,
                  GError **error)
{
  gulong id = cancellable ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                                   client->multi, NULL)
                          : 0;
  gboolean ok = turn (client, microseconds, cancellable, idle);

  g_cancellable_disconnect (cancellable, id);
  if (!ok)
    g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "the run was cancelled");
  return ok;
}

gboolean
net_client_sleep (NetClient *client, gint64 microseconds, GCancellable *cancellable, GError **error)
{
  return turn_cancellable (client, microseconds, cancellable, TRUE, error);
}

NetReply *
net_client_wait (NetClient *client, gint64 microseconds, GCancellable *cancellable, GError **error)
{
  if (client->done.length == 0
      && !turn_cancellable (client, microseconds, cancellable, FALSE, error))
    return NULL;
  return g_queue_pop_head (&client->done);
}
