/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: daemon, connections, and the thread that watches them.
 *
 * libmicrohttpd does not look at a connection while it is suspended, and ends one for silence
 * alone. The watcher sees to the rest: the kernel tells it when a client leaves (EPOLLRDHUP), and
 * once a second it ends requests that come in too slowly, whatever the pace of their bytes, and
 * sends pings.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http-private.h"

#define SWEEP_MS 1000
/* Who has left is let go after so long without a request.  libmicrohttpd hears of an end that comes
 * together with other bytes only when it reads again, for which there may be no reason. */
#define LEFT_FOR (G_USEC_PER_SEC / 2)
#define BACKLOG 1024
#define SPARE_FILES 64
/* What libmicrohttpd may use for a request's line and headers, as a multiple of what it may have:
 * so that a request that is too large by less than that is still answered here. */
#define HEADER_ROOM 2
/* A request of HTTP/1.1 without a Host is none (RFC 9112, section 3.2), and so on. */
#if MHD_VERSION >= 0x00097600
#define STRICT MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define STRICT MHD_OPTION_STRICT_FOR_CLIENT
#endif
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define LATE                                                                                       \
  "{\"error\":{\"message\":\"the request did not come in whole within the time for it\","          \
  "\"type\":\"timeout_error\",\"param\":null,\"code\":\"request_timeout\"}}"

/* ---- watching ------------------------------------------------------------------------------- */

static void
refused (HttpServer *server, const char *reason)
{
  if (server->hooks.refused != NULL)
    server->hooks.refused (reason, server->data);
}

static void
client_left (HttpServer *server, guint64 number)
{
  g_autoptr (HttpRequest) request = NULL;
  HttpLink *link;

  g_mutex_lock (&server->lock);
  link = g_hash_table_lookup (server->links, &number);
  if (link != NULL)
    {
      link->left = TRUE;
      if (link->request != NULL)
        request = http_request_ref (link->request);
    }
  g_mutex_unlock (&server->lock);
  if (request != NULL)
    http_request_gone (request);
}

/* Ends @link; the rest is libmicrohttpd's, which reads the end of the connection.  Where a request
 * was begun, nothing has been answered yet, and its end may be told. */
static void
end_link (HttpServer *server, HttpLink *link)
{
  char text[512];
  int len = g_snprintf (text, sizeof text,
                        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nContent-Length: %" G_GSIZE_FORMAT
                        "\r\n\r\n%s",
                        strlen (LATE), LATE);
  gssize sent = 0;

  if (link->begun > 0 && server->config.certificate == NULL)
    sent = send (link->fd, text, (gsize) len, MSG_DONTWAIT | MSG_NOSIGNAL);
  (void) sent;
  shutdown (link->fd, SHUT_RDWR);
}

/* A reader that was too slow blocks its connection until it reads on: it has had its time. */
static gboolean
is_broken (HttpRequest *request)
{
  gboolean broken;

  g_mutex_lock (&request->lock);
  broken = request->broken;
  g_mutex_unlock (&request->lock);
  return broken;
}

/* What the sweep does with one connection; TRUE: its request is to be looked at. */
static gboolean
sweep_link (HttpServer *server, HttpLink *link, gint64 now, guint *n_late)
{
  const HttpConfig *c = &server->config;

  if (link->begun > 0 && now - link->begun > c->read)
    {
      (*n_late)++;
      end_link (server, link);
      link->begun = 0;
      link->since = now;
      return FALSE;
    }
  if (link->begun == 0 && link->request == NULL
      && now - link->since > (link->left ? LEFT_FOR : c->idle))
    {
      shutdown (link->fd, SHUT_RDWR);
      link->since = now;
      return FALSE;
    }
  if (link->request != NULL && is_broken (link->request))
    shutdown (link->fd, SHUT_RDWR);
  return link->request != NULL && link->begun == 0;
}

static void
sweep (HttpServer *server)
{
  g_autoptr (GPtrArray) requests
      = g_ptr_array_new_with_free_func ((GDestroyNotify) http_request_unref);
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer value;
  guint n_late = 0;

  g_mutex_lock (&server->lock);
  g_hash_table_iter_init (&iter, server->links);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (sweep_link (server, value, now, &n_late))
      g_ptr_array_add (requests, http_request_ref (((HttpLink *) value)->request));
  g_mutex_unlock (&server->lock);
  for (guint i = 0; i < n_late; i++)
    refused (server, "request_timeout");
  for (guint i = 0; i < requests->len; i++)
    {
      HttpRequest *request = requests->pdata[i];

      if (http_is_gone (request))
        http_request_gone (request);
      else
        http_stream_ping (request, now - server->config.ping);
    }
}

static gpointer
watch (gpointer data)
{
  HttpServer *server = data;
  gint64 swept = g_get_monotonic_time ();

  while (!g_atomic_int_get (&server->stopping))
    {
      struct epoll_event events[64];
      int n = epoll_wait (server->epoll, events, G_N_ELEMENTS (events), SWEEP_MS);
      gboolean woken = FALSE;

      for (int i = 0; i < n; i++)
        {
          eventfd_t count;

          if (events[i].data.u64 != 0)
            client_left (server, events[i].data.u64);
          else
            woken = eventfd_read (server->wake, &count) == 0;
        }
      if (woken || g_get_monotonic_time () - swept >= SWEEP_MS * 1000)
        {
          sweep (server);
          swept = g_get_monotonic_time ();
        }
    }
  return NULL;
}

/* ---- connections ---------------------------------------------------------------------------- */

static void
link_begins (HttpServer *server, struct MHD_Connection *connection, void **context)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  HttpLink *link = g_new0 (HttpLink, 1);
  struct epoll_event event = { .events = EPOLLRDHUP | EPOLLET };

  link->fd = info != NULL ? info->connect_fd : -1;
  link->since = g_get_monotonic_time ();
  g_mutex_lock (&server->lock);
  event.data.u64 = link->number = ++server->n_links;
  g_hash_table_insert (server->links, &link->number, link);
  g_mutex_unlock (&server->lock);
  if (link->fd >= 0)
    epoll_ctl (server->epoll, EPOLL_CTL_ADD, link->fd, &event);
  *context = link;
}

static void
on_connection (void *data, struct MHD_Connection *connection, void **context,
               enum MHD_ConnectionNotificationCode what)
{
  HttpServer *server = data;
  HttpLink *link = *context;

  if (what == MHD_CONNECTION_NOTIFY_STARTED)
    link_begins (server, connection, context);
  else if (link != NULL)
    {
      g_mutex_lock (&server->lock);
      g_hash_table_remove (server->links, &link->number);
      g_mutex_unlock (&server->lock);
      *context = NULL;
    }
}

static HttpLink *
link_of (struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

  return info != NULL ? info->socket_context : NULL;
}

/* ---- requests ------------------------------------------------------------------------------- */

/* The request line is there. */
static void *
on_target (void *data, const char *target, struct MHD_Connection *connection)
{
  HttpServer *server = data;
  HttpRequest *request = http_request_new (server, connection, target);
  HttpLink *link = link_of (connection);

  request->link = link;
  if (link != NULL)
    {
      g_mutex_lock (&server->lock);
      link->request = request;
      link->begun = request->started;
      request->gone = link->left;
      g_mutex_unlock (&server->lock);
    }
  return request;
}

/* It is in whole: from here it may take the time it takes. */
static void
whole (HttpRequest *request)
{
  HttpServer *server = request->server;

  if (request->link == NULL)
    return;
  g_mutex_lock (&server->lock);
  request->link->begun = 0;
  g_mutex_unlock (&server->lock);
}

static gboolean
expects_continue (HttpRequest *request)
{
  const char *expect = http_request_header (request, "Expect");

  return expect != NULL && g_ascii_strcasecmp (expect, "100-continue") == 0;
}

/* After the headers.  A request that was answered already, with a body still to come: a client that
 * waits for "100 Continue" hears the answer now; another would not hear it over its own sending
 * (RFC 9112, section 9.6: a reset may take the answer along), so the body is let in and dropped. */
static enum MHD_Result
first_call (HttpRequest *request, const char *method)
{
  request->seen = TRUE;
  http_request_open (request, method);
  if (!request->answered)
    return MHD_YES;
  request->discard = TRUE;
  return expects_continue (request) ? http_request_queue (request) : MHD_YES;
}

/* The body is there.  Called again when a connection that http_hold() suspended is resumed: then
 * there is a reply, or nobody to hear one. */
static enum MHD_Result
last_call (HttpRequest *request)
{
  gboolean answered, held;

  if (!request->handled)
    {
      request->handled = TRUE;
      whole (request);
      if (!request->answered)
        request->route->handle (request, request->server->data);
      if (request->parked)
        return MHD_YES;
    }
  g_mutex_lock (&request->lock);
  answered = request->answered;
  held = request->held;
  g_mutex_unlock (&request->lock);
  if (!answered && held)
    return MHD_NO;
  if (!answered)
    http_reply_error (request, 500, "no_answer", NULL, "the handler gave no answer");
  return http_request_queue (request);
}

static enum MHD_Result
on_request (void *data, struct MHD_Connection *connection, const char *url, const char *method,
            const char *version, const char *bytes, size_t *n_bytes, void **context)
{
  HttpRequest *request = *context;

  (void) data, (void) connection, (void) url, (void) version;
  if (request == NULL || g_atomic_int_get (&request->server->stopping))
    return MHD_NO;
  if (!request->seen)
    return first_call (request, method);
  if (*n_bytes > 0)
    {
      if (!request->discard)
        request->discard = !http_request_take_body (request, bytes, *n_bytes);
      *n_bytes = 0;
      return MHD_YES;
    }
  return request->queued ? MHD_YES : last_call (request);
}

static void
on_completed (void *data, struct MHD_Connection *connection, void **context,
              enum MHD_RequestTerminationCode how)
{
  HttpServer *server = data;
  HttpRequest *request = *context;
  struct MHD_Response *response;

  (void) connection;
  if (request == NULL)
    return;
  *context = NULL;
  g_mutex_lock (&server->lock);
  if (request->link != NULL)
    {
      request->link->request = NULL;
      request->link->begun = 0;
      request->link->since = g_get_monotonic_time ();
      request->link = NULL;
    }
  g_mutex_unlock (&server->lock);
  g_mutex_lock (&request->lock);
  request->connection = NULL;
  request->suspended = FALSE;
  response = g_steal_pointer (&request->response);
  request->left |= how != MHD_REQUEST_TERMINATED_COMPLETED_OK;
  request->gone |= request->left;
  g_mutex_unlock (&request->lock);
  if (response != NULL)
    MHD_destroy_response (response);
  if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
    http_request_gone (request);
  http_request_unref (request);
}

/* ---- listening ------------------------------------------------------------------------------ */

static gboolean
set_address (HttpServer *server, GSocketAddress *address)
{
  GInetAddress *inet;
  g_autofree char *text = NULL;
  gboolean six;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return FALSE;
  inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  six = g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6;
  text = g_inet_address_to_string (inet);
  server->loopback = g_inet_address_get_is_loopback (inet);
  server->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  server->url = g_strdup_printf ("http%s://%s%s%s:%u", server->config.certificate ? "s" : "",
                                 six ? "[" : "", text, six ? "]" : "", server->port);
  return TRUE;
}

/* A socket that listens; the first address of the host that lets itself be bound. */
static GSocket *
listen_on (HttpServer *server, GError **error)
{
  const HttpConfig *c = &server->config;
  g_autoptr (GSocketConnectable) where = g_network_address_new (c->host, c->port);
  g_autoptr (GSocketAddressEnumerator) all = g_socket_connectable_enumerate (where);
  g_autoptr (GError) first = NULL;

  for (;;)
    {
      g_autoptr (GError) failed = NULL;
      g_autoptr (GSocketAddress) address
          = g_socket_address_enumerator_next (all, NULL, first == NULL ? &failed : NULL);
      g_autoptr (GSocketAddress) local = NULL;
      g_autoptr (GSocket) found = NULL;

      if (address != NULL)
        found = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                              G_SOCKET_PROTOCOL_TCP, &failed);
      if (found != NULL)
        g_socket_set_listen_backlog (found, BACKLOG);
      if (found != NULL && g_socket_bind (found, address, TRUE, &failed)
          && g_socket_listen (found, &failed)
          && (local = g_socket_get_local_address (found, &failed)) != NULL
          && set_address (server, local))
        return g_steal_pointer (&found);
      if (first == NULL)
        first = g_steal_pointer (&failed);
      if (address == NULL)
        break;
    }
  g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot listen on %s port %u: %s", c->host, c->port,
               first != NULL ? first->message : "it has no address");
  return NULL;
}

/* What libmicrohttpd turned away by itself, told from its own words; NULL: nothing of that kind. */
static const char *
reason_of (const char *complaint)
{
  static const char before[] = "HTTP response code is ";
  const char *status = strstr (complaint, before);

  if (status == NULL)
    return strstr (complaint, "handshake message out of context") != NULL ? "tls_handshake" : NULL;
  switch (g_ascii_strtoull (status + strlen (before), NULL, 10))
    {
    case 413:
      return "body_too_large";
    case 414:
      return "target_too_long";
    case 431:
      return "headers_too_large";
    case 505:
      return "bad_version";
    default:
      return "bad_request";
    }
}

static void
on_complaint (void *data, const char *format, va_list args)
{
  HttpServer *server = data;
  char *text = g_strdup_vprintf (format, args);
  const char *reason = reason_of (text);

  g_mutex_lock (&server->complaint_lock); /* its own: this may come with any other held */
  g_free (server->complaint);
  server->complaint = g_strchomp (text);
  g_mutex_unlock (&server->complaint_lock);
  if (reason != NULL)
    refused (server, reason);
}

static guint
allowed_connections (const HttpConfig *c)
{
  struct rlimit files;

  if (getrlimit (RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY
      || files.rlim_cur <= SPARE_FILES * 2)
    return c->connections;
  return (guint) MIN (c->connections, files.rlim_cur - SPARE_FILES);
}

static gboolean
start_daemon (HttpServer *server, GError **error)
{
  const HttpConfig *c = &server->config;
  guint flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  gint64 silence = MAX (c->idle, c->read) / G_USEC_PER_SEC + 5;
  struct MHD_OptionItem more[5];
  guint n = 0;
  int fd = fcntl (g_socket_get_fd (server->socket), F_DUPFD_CLOEXEC, 3);

  if (c->threads > 1)
    more[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, c->threads, NULL };
  if (server->certificate != NULL)
    {
      flags |= MHD_USE_TLS;
      more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate };
      more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, server->private_key };
      more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (char *) PRIORITIES };
    }
  more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
  if (g_socket_get_family (server->socket) == G_SOCKET_FAMILY_IPV6)
    flags |= MHD_USE_IPv6;
  server->daemon = MHD_start_daemon (
      flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_complaint, server,
      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_URI_LOG_CALLBACK, on_target,
      server, MHD_OPTION_CONNECTION_LIMIT, allowed_connections (c),
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT,
      (guint) silence, MHD_OPTION_CONNECTION_MEMORY_LIMIT, c->header_bytes * HEADER_ROOM, STRICT, 1,
      MHD_OPTION_ARRAY, more, MHD_OPTION_END);
  if (server->daemon != NULL)
    return TRUE;
  close (fd);
  g_set_error (error, FR_ERROR, server->certificate != NULL ? FR_ERROR_CONFIG : FR_ERROR_IO,
               "the HTTP server did not start: %s",
               server->complaint != NULL ? server->complaint : "libmicrohttpd does not say why");
  return FALSE;
}

static gboolean
open_files (HttpServer *server, GError **error)
{
  struct epoll_event event = { .events = EPOLLIN };

  server->epoll = epoll_create1 (EPOLL_CLOEXEC);
  server->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (server->epoll >= 0 && server->wake >= 0
      && epoll_ctl (server->epoll, EPOLL_CTL_ADD, server->wake, &event) == 0)
    return TRUE;
  return fr_error_errno (error, errno, "watch connections", NULL);
}

static void
copy_config (HttpServer *server, const HttpConfig *config)
{
  HttpConfig *c = &server->config;

  *c = *config;
  c->host = g_strdup (config->host);
  c->certificate = g_strdup (config->certificate);
  c->key = g_strdup (config->key);
  c->server = g_strdup (config->server);
  c->origins = (const char *const *) g_strdupv ((char **) config->origins);
}

static HttpServer *
server_new (const HttpConfig *config, const HttpRoute *const *routes, const HttpHooks *hooks,
            gpointer data)
{
  HttpServer *server = g_new0 (HttpServer, 1);

  server->refs = 1;
  server->epoll = server->wake = -1;
  g_mutex_init (&server->lock);
  g_mutex_init (&server->complaint_lock);
  server->links = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  server->salt = g_random_int ();
  server->routes = routes;
  server->data = data;
  if (hooks != NULL)
    server->hooks = *hooks;
  copy_config (server, config);
  return server;
}

HttpServer *
http_server_new (const HttpConfig *config, const HttpRoute *const *routes, const HttpHooks *hooks,
                 gpointer data, GError **error)
{
  g_autoptr (HttpServer) server = server_new (config, routes, hooks, data);

  if (config->certificate != NULL && MHD_is_feature_supported (MHD_FEATURE_TLS) != MHD_YES)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "this libmicrohttpd was built without TLS; put a proxy in front");
      return NULL;
    }
  if ((config->certificate != NULL
       && !http_tls_read (&server->config, &server->certificate, &server->private_key,
                          &server->certificate_ends, error))
      || !open_files (server, error))
    return NULL;
  server->socket = listen_on (server, error);
  return server->socket != NULL ? g_steal_pointer (&server) : NULL;
}

static void
forget_secrets (HttpServer *server)
{
  if (server->private_key != NULL)
    explicit_bzero (server->private_key, strlen (server->private_key));
  g_clear_pointer (&server->private_key, g_free);
  g_clear_pointer (&server->certificate, g_free);
}

gboolean
http_server_start (HttpServer *server, GError **error)
{
  gboolean started = start_daemon (server, error);

  forget_secrets (server); /* GnuTLS has read them */
  g_clear_object (&server->socket);
  if (started)
    server->watcher = g_thread_new ("http-watch", watch, server);
  return started;
}

/* ---- the end -------------------------------------------------------------------------------- */

void
http_server_drain (HttpServer *server)
{
  g_atomic_int_set (&server->closing, 1);
}

/* libmicrohttpd cannot be stopped while a connection is suspended. */
static void
let_all_go (HttpServer *server)
{
  g_autoptr (GPtrArray) requests
      = g_ptr_array_new_with_free_func ((GDestroyNotify) http_request_unref);
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&server->lock);
  g_hash_table_iter_init (&iter, server->links);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((HttpLink *) value)->request != NULL)
      g_ptr_array_add (requests, http_request_ref (((HttpLink *) value)->request));
  g_mutex_unlock (&server->lock);
  for (guint i = 0; i < requests->len; i++)
    http_request_gone (requests->pdata[i]);
}

void
http_server_unref (HttpServer *server)
{
  if (!g_atomic_int_dec_and_test (&server->refs))
    return;
  forget_secrets (server);
  g_clear_object (&server->socket);
  g_hash_table_unref (server->links);
  g_mutex_clear (&server->lock);
  g_mutex_clear (&server->complaint_lock);
  g_free ((char *) server->config.host);
  g_free ((char *) server->config.certificate);
  g_free ((char *) server->config.key);
  g_free ((char *) server->config.server);
  g_strfreev ((char **) server->config.origins);
  g_free (server->complaint);
  g_free (server->url);
  g_free (server);
}

void
http_server_free (HttpServer *server)
{
  if (server == NULL)
    return;
  g_atomic_int_set (&server->stopping, 1);
  if (server->wake >= 0)
    eventfd_write (server->wake, 1);
  if (server->watcher != NULL)
    g_thread_join (server->watcher);
  if (server->daemon != NULL)
    {
      let_all_go (server);
      MHD_stop_daemon (server->daemon);
      server->daemon = NULL;
    }
  if (server->epoll >= 0)
    close (server->epoll);
  if (server->wake >= 0)
    close (server->wake);
  server->epoll = server->wake = -1;
  http_server_unref (server);
}

guint16
http_server_port (HttpServer *server)
{
  return server->port;
}

const char *
http_server_url (HttpServer *server)
{
  return server->url;
}

gint64
http_server_certificate_ends (HttpServer *server)
{
  return server->certificate_ends;
}

guint
http_server_most_connections (HttpServer *server)
{
  return allowed_connections (&server->config);
}

guint
http_server_connections (HttpServer *server)
{
  guint n;

  g_mutex_lock (&server->lock);
  n = g_hash_table_size (server->links);
  g_mutex_unlock (&server->lock);
  return n;
}

guint
http_server_requests (HttpServer *server)
{
  return (guint) g_atomic_int_get (&server->n_requests);
}
