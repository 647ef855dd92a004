/* SPDX-License-Identifier: Apache-2.0 */
/* http-reply.c: what goes: replies, errors, event streams.
 *
 * A reply is given on any thread, but libmicrohttpd takes it on its own: a held request is resumed,
 * asked again, and then has one (http_request_queue()).  A stream is a reply whose body is asked
 * for piece by piece; with nothing to give, the connection is suspended until there is.
 */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>
#include <sys/eventfd.h>

#include "http-private.h"

#define PING ": ping\n\n"
#define STREAM_BLOCK ((size_t) 16 * 1024)

/* ---- headers -------------------------------------------------------------------------------- */

static void
clear_header (gpointer data)
{
  HttpHeader *header = data;

  g_free (header->name);
  g_free (header->value);
}

static void
set_header_locked (HttpRequest *request, const char *name, const char *value)
{
  HttpHeader header = { NULL, g_strdup (value) };

  header.value[strcspn (header.value, "\r\n")] = '\0';
  if (request->headers == NULL)
    {
      request->headers = g_array_new (FALSE, FALSE, sizeof (HttpHeader));
      g_array_set_clear_func (request->headers, clear_header);
    }
  for (guint i = 0; i < request->headers->len; i++)
    {
      HttpHeader *old = &g_array_index (request->headers, HttpHeader, i);

      if (g_ascii_strcasecmp (old->name, name) != 0)
        continue;
      g_free (old->value);
      old->value = header.value;
      return;
    }
  header.name = g_strdup (name);
  g_array_append_val (request->headers, header);
}

void
http_set_header (HttpRequest *request, const char *name, const char *value)
{
  g_mutex_lock (&request->lock);
  set_header_locked (request, name, value);
  g_mutex_unlock (&request->lock);
}

static void
add_headers (HttpRequest *request, struct MHD_Response *response, const char *type)
{
  HttpServer *server = request->server;

  if (type != NULL)
    MHD_add_response_header (response, "Content-Type", type);
  if (request->id[0] != '\0')
    MHD_add_response_header (response, "X-Request-Id", request->id);
  if (server->config.server != NULL)
    MHD_add_response_header (response, "Server", server->config.server);
  for (guint i = 0; request->headers != NULL && i < request->headers->len; i++)
    {
      const HttpHeader *header = &g_array_index (request->headers, HttpHeader, i);

      MHD_add_response_header (response, header->name, header->value);
    }
  if (g_atomic_int_get (&server->closing))
    MHD_add_response_header (response, "Connection", "close");
}

/* ---- replies -------------------------------------------------------------------------------- */

/* The request's connection goes on where it was suspended.  With the lock held. */
void
http_request_resume (HttpRequest *request)
{
  if (!request->suspended)
    return;
  request->suspended = FALSE;
  MHD_resume_connection (request->connection);
}

/* Takes @response, or drops it where there is one or nobody hears it any more. */
static void
give (HttpRequest *request, guint status, const char *type, struct MHD_Response *response,
      gsize len)
{
  gboolean taken = FALSE;

  g_mutex_lock (&request->lock);
  if (!request->answered && request->connection != NULL && response != NULL)
    {
      add_headers (request, response, type);
      request->response = response;
      request->answered = TRUE;
      request->left |= request->gone; /* nobody hears it, though sending may seem to work */
      request->status = status;
      request->sent = len;
      taken = TRUE;
      http_request_resume (request);
    }
  g_mutex_unlock (&request->lock);
  if (!taken && response != NULL)
    MHD_destroy_response (response);
}

void
http_reply (HttpRequest *request, guint status, const char *type, GBytes *body)
{
  gsize len = 0;
  gconstpointer data = body != NULL ? g_bytes_get_data (body, &len) : NULL;

  give (request, status, type,
        MHD_create_response_from_buffer (len, (void *) data, MHD_RESPMEM_MUST_COPY), len);
}

void
http_reply_take (HttpRequest *request, guint status, const char *type, char *body, gsize len)
{
  give (request, status, type, MHD_create_response_from_buffer (len, body, MHD_RESPMEM_MUST_FREE),
        len);
}

void
http_reply_string (HttpRequest *request, guint status, const char *type, GString *body)
{
  gsize len = body->len;

  http_reply_take (request, status, type, g_string_free (body, FALSE), len);
}

void
http_reply_static (HttpRequest *request, guint status, const char *type, const char *body,
                   gsize len)
{
  give (request, status, type,
        MHD_create_response_from_buffer (len, (void *) body, MHD_RESPMEM_PERSISTENT), len);
}

void
http_reply_json (HttpRequest *request, guint status, JsonNode *node)
{
  char *text = fr_json_to_string (node, 0);

  http_reply_take (request, status, "application/json", text, strlen (text));
  json_node_unref (node);
}

enum MHD_Result
http_request_queue (HttpRequest *request)
{
  struct MHD_Response *response;
  enum MHD_Result result;

  g_mutex_lock (&request->lock);
  response = g_steal_pointer (&request->response);
  request->queued = TRUE;
  g_mutex_unlock (&request->lock);
  result = MHD_queue_response (request->connection, request->status, response);
  MHD_destroy_response (response); /* it holds its own */
  return result;
}

/* ---- errors --------------------------------------------------------------------------------- */

static const char *
type_of (guint status)
{
  switch (status)
    {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 408:
      return "timeout_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

static void
append_text_or_null (GString *out, const char *text)
{
  if (text != NULL)
    fr_json_append_string (out, text, strlen (text));
  else
    g_string_append (out, "null");
}

void
http_append_error (GString *out, HttpShape shape, guint status, const char *code, const char *param,
                   const char *message)
{
  g_string_append (out, shape == HTTP_SHAPE_OIP ? "{\"error\":" : "{\"error\":{\"message\":");
  append_text_or_null (out, message);
  if (shape == HTTP_SHAPE_OPENAI)
    {
      g_string_append_printf (out, ",\"type\":\"%s\",\"param\":", type_of (status));
      append_text_or_null (out, param);
      g_string_append (out, ",\"code\":");
      append_text_or_null (out, code);
      g_string_append_c (out, '}');
    }
  g_string_append_c (out, '}');
}

static HttpShape
shape_of (HttpRequest *request)
{
  if (request->route != NULL)
    return request->route->shape;
  return g_str_has_prefix (http_request_path (request), "/v2") ? HTTP_SHAPE_OIP : HTTP_SHAPE_OPENAI;
}

static void
reply_error (HttpRequest *request, guint status, const char *code, const char *param,
             const char *format, va_list args)
{
  g_autofree char *message = g_strdup_vprintf (format, args);
  GString *out = g_string_new (NULL);

  http_append_error (out, shape_of (request), status, code, param, message);
  g_mutex_lock (&request->lock);
  if (!request->answered)
    request->code = code;
  g_mutex_unlock (&request->lock);
  http_reply_string (request, status, "application/json", out);
}

void
http_reply_error (HttpRequest *request, guint status, const char *code, const char *param,
                  const char *format, ...)
{
  va_list args;

  va_start (args, format);
  reply_error (request, status, code, param, format, args);
  va_end (args);
}

void
http_reply_busy (HttpRequest *request, guint status, const char *code, guint seconds,
                 const char *format, ...)
{
  char text[16];
  va_list args;

  g_snprintf (text, sizeof text, "%u", MAX (seconds, 1));
  http_set_header (request, "Retry-After", text);
  va_start (args, format);
  reply_error (request, status, code, NULL, format, args);
  va_end (args);
}

/* ---- holding -------------------------------------------------------------------------------- */

void
http_hold (HttpRequest *request, void (*gone) (HttpRequest *request, gpointer data), gpointer data)
{
  gboolean left;

  http_request_ref (request);
  g_mutex_lock (&request->lock);
  request->held = TRUE;
  request->gone_func = gone;
  request->gone_data = data;
  left = request->gone |= g_atomic_int_get (&request->server->stopping) != 0;
  if (!left)
    {
      request->suspended = request->parked = TRUE;
      MHD_suspend_connection (request->connection);
    }
  g_mutex_unlock (&request->lock);
}

gboolean
http_is_gone (HttpRequest *request)
{
  gboolean gone;

  g_mutex_lock (&request->lock);
  gone = request->gone;
  g_mutex_unlock (&request->lock);
  return gone;
}

void
http_request_gone (HttpRequest *request)
{
  void (*func) (HttpRequest *, gpointer) = NULL;

  g_mutex_lock (&request->lock);
  request->gone = TRUE;
  if (!request->told && request->held)
    {
      request->told = TRUE;
      func = request->gone_func;
    }
  http_request_resume (request);
  g_mutex_unlock (&request->lock);
  if (func != NULL)
    func (request, request->gone_data);
}

/* ---- streams -------------------------------------------------------------------------------- */

/* libmicrohttpd wants up to @max bytes. */
static ssize_t
read_stream (void *data, uint64_t at, char *buffer, size_t max)
{
  HttpRequest *request = data;
  gsize n;
  ssize_t result = 0;

  (void) at;
  g_mutex_lock (&request->lock);
  n = MIN (max, request->waiting->len - request->taken);
  if (request->broken || g_atomic_int_get (&request->server->stopping))
    result = MHD_CONTENT_READER_END_WITH_ERROR;
  else if (n > 0)
    {
      memcpy (buffer, request->waiting->str + request->taken, n);
      request->taken += n;
      request->sent += n;
      if (request->taken == request->waiting->len)
        {
          g_string_truncate (request->waiting, 0);
          request->taken = 0;
        }
      result = (ssize_t) n;
    }
  else if (request->ended)
    result = MHD_CONTENT_READER_END_OF_STREAM;
  else if (request->gone)
    result = MHD_CONTENT_READER_END_WITH_ERROR;
  else
    {
      request->suspended = TRUE;
      MHD_suspend_connection (request->connection);
    }
  g_mutex_unlock (&request->lock);
  return result;
}

static void
forget_stream (void *data)
{
  http_request_unref (data);
}

void
http_stream_begin (HttpRequest *request)
{
  struct MHD_Response *response;

  g_mutex_lock (&request->lock);
  request->waiting = g_string_sized_new (512);
  request->streaming = TRUE;
  request->last_sent = g_get_monotonic_time ();
  set_header_locked (request, "Cache-Control", "no-cache");
  set_header_locked (request, "X-Accel-Buffering", "no");
  g_mutex_unlock (&request->lock);
  response = MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                http_request_ref (request), forget_stream);
  give (request, 200, "text/event-stream", response, 0);
}

static void
wake_watcher (HttpServer *server)
{
  if (server->wake >= 0)
    eventfd_write (server->wake, 1);
}

void
http_stream_send (HttpRequest *request, const char *bytes, gsize len)
{
  gboolean slow = FALSE;

  g_mutex_lock (&request->lock);
  if (request->streaming && !request->ended && !request->gone && request->connection != NULL)
    {
      if (request->taken > STREAM_BLOCK && request->taken * 2 > request->waiting->len)
        {
          g_string_erase (request->waiting, 0, (gssize) request->taken);
          request->taken = 0;
        }
      g_string_append_len (request->waiting, bytes, (gssize) len);
      request->last_sent = g_get_monotonic_time ();
      slow = request->waiting->len - request->taken > request->server->config.stream_bytes;
      if (slow)
        {
          request->gone = request->broken = TRUE;
          request->code = "slow_reader";
        }
      http_request_resume (request);
    }
  g_mutex_unlock (&request->lock);
  if (slow) /* its holder is told by the watcher, not in the middle of its own call */
    wake_watcher (request->server);
}

void
http_stream_ping (HttpRequest *request, gint64 before)
{
  g_mutex_lock (&request->lock);
  if (request->streaming && !request->ended && !request->gone && request->connection != NULL
      && request->last_sent < before && request->taken == request->waiting->len)
    {
      g_string_append (request->waiting, PING);
      request->last_sent = g_get_monotonic_time ();
      http_request_resume (request);
    }
  g_mutex_unlock (&request->lock);
}

void
http_stream_end (HttpRequest *request)
{
  g_mutex_lock (&request->lock);
  request->ended = TRUE;
  http_request_resume (request);
  g_mutex_unlock (&request->lock);
}

void
http_stream_append_data (GString *out, const char *json, gsize len)
{
  const char *end = json + len;

  while (json <= end)
    {
      const char *line = memchr (json, '\n', (gsize) (end - json));
      const char *stop = line != NULL ? line : end;

      g_string_append (out, "data: ");
      g_string_append_len (out, json, stop - json);
      g_string_append_c (out, '\n');
      json = stop + 1;
    }
  g_string_append_c (out, '\n');
}
