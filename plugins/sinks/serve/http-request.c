/* SPDX-License-Identifier: Apache-2.0 */
/* http-request.c: what came: a request from its first line to its last reference. */
#include "config.h"

#include <string.h>
#include <sys/socket.h>

#include "http-private.h"

#define ACCOUNTED_FROM ((gsize) 64 * 1024) /* smaller bodies are not worth a lock */
#define DROPPED_AT_MOST (G_GINT64_CONSTANT (1) << 30)
#define MAX_ID 64

/* ---- life ----------------------------------------------------------------------------------- */

/* A socket of both families has clients of the older one too, as "::ffff:192.0.2.1" (RFC 4291,
 * section 2.5.5.2): one client has one address. */
static void
set_peer_six (HttpRequest *request, const struct in6_addr *address)
{
  if (IN6_IS_ADDR_V4MAPPED (address))
    inet_ntop (AF_INET, &address->s6_addr[12], request->peer, sizeof request->peer);
  else
    inet_ntop (AF_INET6, address, request->peer, sizeof request->peer);
}

static void
set_peer (HttpRequest *request)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr *address = info != NULL ? info->client_addr : NULL;

  if (address != NULL && address->sa_family == AF_INET)
    inet_ntop (AF_INET, &((const struct sockaddr_in *) (gconstpointer) address)->sin_addr,
               request->peer, sizeof request->peer);
  else if (address != NULL && address->sa_family == AF_INET6)
    set_peer_six (request, &((const struct sockaddr_in6 *) (gconstpointer) address)->sin6_addr);
}

HttpRequest *
http_request_new (HttpServer *server, struct MHD_Connection *connection, const char *target)
{
  HttpRequest *request = g_new0 (HttpRequest, 1);

  request->refs = 1;
  request->server = server;
  g_atomic_int_inc (&server->refs);
  g_atomic_int_inc (&server->n_requests);
  request->connection = connection;
  request->target = g_strdup (target);
  request->started = g_get_monotonic_time ();
  g_mutex_init (&request->lock);
  set_peer (request);
  return request;
}

HttpRequest *
http_request_ref (HttpRequest *request)
{
  g_atomic_int_inc (&request->refs);
  return request;
}

/* Of the server's bytes in bodies @bytes are this request's; returns all of them. */
static gint64
account (HttpRequest *request, gsize bytes)
{
  gint64 all;

  g_mutex_lock (&request->server->lock);
  all = request->server->body_bytes += (gint64) bytes - (gint64) request->accounted;
  g_mutex_unlock (&request->server->lock);
  request->accounted = bytes;
  return all;
}

void
http_request_unref (HttpRequest *request)
{
  HttpServer *server = request->server;

  if (!g_atomic_int_dec_and_test (&request->refs))
    return;
  request->refs = 1;
  if (request->seen && server->hooks.done != NULL)
    server->hooks.done (request, server->data);
  if (request->data_free != NULL)
    request->data_free (request->data);
  if (request->accounted > 0)
    account (request, 0);
  for (guint i = 0; i < request->n_parts; i++)
    g_free (request->parts[i]);
  if (request->headers != NULL)
    g_array_unref (request->headers);
  if (request->body != NULL)
    g_string_free (request->body, TRUE);
  if (request->waiting != NULL)
    g_string_free (request->waiting, TRUE);
  g_free (request->target);
  g_free (request->path);
  g_mutex_clear (&request->lock);
  g_free (request);
  g_atomic_int_add (&server->n_requests, -1);
  http_server_unref (server);
}

/* ---- the headers are there ------------------------------------------------------------------ */

static gboolean
is_plain_id (const char *id)
{
  gsize len = strlen (id);

  return len > 0 && len <= MAX_ID
         && strspn (id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == len;
}

static void
set_id (HttpRequest *request)
{
  const char *theirs = http_request_header (request, "X-Request-Id");
  HttpServer *server = request->server;
  guint64 serial;

  if (theirs != NULL && is_plain_id (theirs))
    g_strlcpy (request->id, theirs, sizeof request->id);
  else
    {
      serial = __atomic_add_fetch (&server->serial, 1, __ATOMIC_RELAXED);
      g_snprintf (request->id, sizeof request->id, "%08x%012" G_GINT64_MODIFIER "x", server->salt,
                  serial);
    }
}

/* The path of the request's target, decoded piece by piece when a route takes it; here only
 * checked: RFC 9112, section 3.2: origin-form, or absolute-form from proxies. */
static gboolean
set_path (HttpRequest *request)
{
  const char *path = request->target, *end;
  g_autofree char *raw = NULL;

  if (g_ascii_strncasecmp (path, "http://", 7) == 0
      || g_ascii_strncasecmp (path, "https://", 8) == 0)
    {
      path = strstr (path, "//") + 2;
      if (strcspn (path, "/?#") == 0)
        return FALSE; /* of no host */
      path = strchr (path, '/');
      if (path == NULL)
        path = "/";
    }
  end = path + strcspn (path, "?#");
  raw = g_strndup (path, (gsize) (end - path));
  request->path = g_uri_unescape_string (raw, NULL);
  return *path == '/' && request->path != NULL && g_utf8_validate (request->path, -1, NULL);
}

/* An Origin is what browsers put on requests that a page makes.  Another site's page may not use a
 * server that its visitor happens to reach: neither directly, nor by a name of its own that it lets
 * point here (DNS rebinding), which a server on loopback can tell. */
static gboolean
may_origin (HttpRequest *request, const char *origin)
{
  const HttpConfig *c = &request->server->config;
  const char *host = http_request_header (request, "Host"), *name = strstr (origin, "://");
  g_autofree char *only = NULL;

  for (guint i = 0; c->origins != NULL && c->origins[i] != NULL; i++)
    if (strcmp (c->origins[i], "*") == 0 || g_ascii_strcasecmp (c->origins[i], origin) == 0)
      return TRUE;
  if (host == NULL || name == NULL || g_ascii_strcasecmp (name + 3, host) != 0)
    return FALSE;
  if (!request->server->loopback)
    return TRUE;
  only = g_strndup (host, *host == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":"));
  return g_ascii_strcasecmp (only, "localhost") == 0 || g_str_has_suffix (only, ".localhost")
         || g_str_has_prefix (only, "127.") || strcmp (only, "[::1]") == 0;
}

/* FALSE: answered. */
static gboolean
check_origin (HttpRequest *request)
{
  const char *origin = http_request_header (request, "Origin");

  if (origin == NULL)
    return TRUE;
  if (!may_origin (request, origin))
    {
      http_reply_error (request, 403, "origin_not_allowed", NULL,
                        "pages of this origin may not use this server; its operator can name it in "
                        "'origins'");
      return FALSE;
    }
  http_set_header (request, "Access-Control-Allow-Origin", origin);
  http_set_header (request, "Vary", "Origin");
  http_set_header (request, "Access-Control-Expose-Headers",
                   "X-Request-Id, X-Flowrun-Cache, Retry-After");
  return TRUE;
}

static void
answer_options (HttpRequest *request, guint allowed)
{
  g_autoptr (GString) methods = g_string_new (NULL);

  http_append_methods (methods, allowed);
  http_set_header (request, "Allow", methods->str);
  if (http_request_header (request, "Origin") != NULL)
    {
      http_set_header (request, "Access-Control-Allow-Methods", methods->str);
      http_set_header (request, "Access-Control-Allow-Headers",
                       "Authorization, Content-Type, X-Request-Id, X-Api-Key, X-Flowrun-Cache, "
                       "X-Stainless-Arch, X-Stainless-Lang, X-Stainless-OS, "
                       "X-Stainless-Package-Version, X-Stainless-Retry-Count, "
                       "X-Stainless-Runtime, X-Stainless-Runtime-Version, X-Stainless-Timeout");
      http_set_header (request, "Access-Control-Max-Age", "600");
    }
  http_reply (request, 204, NULL, NULL);
}

/* FALSE: answered. */
static gboolean
find_route (HttpRequest *request)
{
  guint method = http_method_of (request->method), allowed = 0;
  const char *from = request->target;
  g_autoptr (GString) methods = NULL;

  if (strcmp (request->method, "OPTIONS") == 0 && strcmp (from, "*") == 0)
    {
      answer_options (request, HTTP_GET | HTTP_POST);
      return FALSE;
    }
  if (!set_path (request))
    {
      http_reply_error (
          request, 400, "bad_target", NULL,
          "the request's target is no path, or not UTF-8 when its %%-escapes are read");
      return FALSE;
    }
  request->route = http_find_route (request->server, request, from, method, &allowed);
  if (request->route != NULL)
    return TRUE;
  if (allowed == 0)
    http_reply_error (request, 404, "not_found", NULL,
                      "there is nothing at this path; GET /openapi.json lists what there is");
  else if (strcmp (request->method, "OPTIONS") == 0)
    answer_options (request, allowed);
  else
    {
      methods = g_string_new (NULL);
      http_append_methods (methods, allowed);
      http_set_header (request, "Allow", methods->str);
      http_reply_error (request, 405, "method_not_allowed", NULL, "this path takes %s",
                        methods->str);
    }
  return FALSE;
}

static enum MHD_Result
add_size (void *data, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
          size_t value_len)
{
  gsize *size = data;

  (void) kind, (void) name, (void) value;
  *size += name_len + value_len + strlen (": \r\n");
  return MHD_YES;
}

/* RFC 9110, section 15.5.15; RFC 6585, section 5; FALSE: answered. */
static gboolean
check_size (HttpRequest *request, const char *method)
{
  gsize most = request->server->config.header_bytes;
  gsize line = strlen (method) + strlen (request->target) + strlen ("  HTTP/1.1\r\n"), size = line;

  if (line > most)
    {
      http_reply_error (request, 414, "target_too_long", NULL,
                        "the request's line has %" G_GSIZE_FORMAT
                        " bytes; this server takes up to %" G_GSIZE_FORMAT,
                        line, most);
      return FALSE;
    }
  g_mutex_lock (&request->lock);
  MHD_get_connection_values_n (request->connection, MHD_HEADER_KIND, add_size, &size);
  g_mutex_unlock (&request->lock);
  if (size <= most)
    return TRUE;
  http_reply_error (request, 431, "headers_too_large", NULL,
                    "the request's line and headers have %" G_GSIZE_FORMAT
                    " bytes; this server takes up to %" G_GSIZE_FORMAT,
                    size, most);
  return FALSE;
}

/* RFC 9110, section 8.6; FALSE: answered. */
static gboolean
check_length (HttpRequest *request)
{
  const char *text = http_request_header (request, "Content-Length");
  guint64 length = 0;

  if (text == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &length, NULL))
    {
      http_reply_error (request, 400, "bad_length", NULL, "Content-Length is no number");
      return FALSE;
    }
  if (length <= request->server->config.body_bytes)
    return TRUE;
  http_reply_error (request, 413, "body_too_large", NULL,
                    "the body has %" G_GUINT64_FORMAT
                    " bytes; this server takes up to %" G_GSIZE_FORMAT,
                    length, request->server->config.body_bytes);
  return FALSE;
}

void
http_request_open (HttpRequest *request, const char *method)
{
  HttpServer *server = request->server;

  request->method
      = g_intern_string (http_method_of (method) != 0 || strlen (method) < 16 ? method : "?");
  set_id (request);
  if (!check_size (request, method) || !check_origin (request) || !find_route (request)
      || !check_length (request))
    return;
  if (server->hooks.admit != NULL)
    server->hooks.admit (request, server->data);
}

/* ---- the body ------------------------------------------------------------------------------- */

gboolean
http_request_take_body (HttpRequest *request, const char *bytes, gsize len)
{
  const HttpConfig *c = &request->server->config;
  gsize now = request->body != NULL ? request->body->len : 0;

  if (now + len > c->body_bytes)
    {
      http_reply_error (request, 413, "body_too_large", NULL,
                        "the body is longer than the %" G_GSIZE_FORMAT
                        " bytes that this server takes",
                        c->body_bytes);
      return FALSE;
    }
  if (now + len > ACCOUNTED_FROM
      && account (request, now + len) > (gint64) MAX (c->body_bytes * 16, (gsize) 64 << 20))
    {
      http_reply_busy (request, 503, "too_many_bodies", 1,
                       "too many large requests come in at once");
      return FALSE;
    }
  if (request->body == NULL)
    request->body = g_string_sized_new (MAX (len + 1, 512));
  g_string_append_len (request->body, bytes, (gssize) len);
  return TRUE;
}

/* ---- reading -------------------------------------------------------------------------------- */

const char *
http_request_id (HttpRequest *request)
{
  return request->id;
}

const char *
http_request_method (HttpRequest *request)
{
  return request->method != NULL ? request->method : "";
}

const char *
http_request_path (HttpRequest *request)
{
  return request->path != NULL ? request->path : "";
}

const HttpRoute *
http_request_route (HttpRequest *request)
{
  return request->route;
}

const char *
http_request_part (HttpRequest *request, const char *name)
{
  gsize len = strlen (name);

  for (guint i = 0; i < request->n_parts; i++)
    if (strncmp (request->part_names[i], name, len) == 0 && request->part_names[i][len] == '}')
      return request->parts[i];
  return NULL;
}

static const char *
lookup (HttpRequest *request, enum MHD_ValueKind kind, const char *name)
{
  const char *value;

  g_mutex_lock (&request->lock);
  value = request->connection != NULL
              ? MHD_lookup_connection_value (request->connection, kind, name)
              : NULL;
  g_mutex_unlock (&request->lock);
  return value;
}

const char *
http_request_query (HttpRequest *request, const char *name)
{
  return lookup (request, MHD_GET_ARGUMENT_KIND, name);
}

const char *
http_request_header (HttpRequest *request, const char *name)
{
  return lookup (request, MHD_HEADER_KIND, name);
}

const char *
http_request_peer (HttpRequest *request)
{
  return request->peer;
}

const char *
http_request_body (HttpRequest *request, gsize *len)
{
  if (len != NULL)
    *len = request->body != NULL ? request->body->len : 0;
  return request->body != NULL ? request->body->str : "";
}

gint64
http_request_started (HttpRequest *request)
{
  return request->started;
}

void
http_request_set_data (HttpRequest *request, gpointer data, GDestroyNotify free_func)
{
  if (request->data_free != NULL)
    request->data_free (request->data);
  request->data = data;
  request->data_free = free_func;
}

gpointer
http_request_data (HttpRequest *request)
{
  return request->data;
}

guint
http_request_status (HttpRequest *request)
{
  return request->status;
}

const char *
http_request_code (HttpRequest *request)
{
  return request->code;
}

guint64
http_request_sent (HttpRequest *request)
{
  return request->sent;
}

gboolean
http_request_left (HttpRequest *request)
{
  return request->left;
}
