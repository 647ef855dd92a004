/* SPDX-License-Identifier: Apache-2.0 */
/* test-http.c: the HTTP server against clients that behave and clients that do not. */
#include "config.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"

#define BODY_LIMIT 4096

typedef struct
{
  HttpServer *server;
  int done, left, gone, refused; /* atomic */
  GMutex lock;
  HttpRequest *held;  /* by "/hold" and "/events" */
  const char *reason; /* of the last that was refused */
} Fixture;

/* ---- what is served ------------------------------------------------------------------------- */

static void
handle_echo (HttpRequest *request, gpointer data)
{
  gsize len;
  const char *body = http_request_body (request, &len);

  (void) data;
  http_reply_take (request, 200, "text/plain", g_memdup2 (body, len + 1), len);
}

static void
handle_part (HttpRequest *request, gpointer data)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *o = json_object_new ();
  const char *query = http_request_query (request, "q");

  (void) data;
  json_object_set_string_member (o, "id", http_request_part (request, "id"));
  json_object_set_string_member (o, "q", query != NULL ? query : "");
  json_node_take_object (node, o);
  http_reply_json (request, 200, node);
}

static void
handle_nothing (HttpRequest *request, gpointer data)
{
  (void) request, (void) data;
}

static void
on_gone (HttpRequest *request, gpointer data)
{
  Fixture *f = data;

  (void) request;
  g_atomic_int_inc (&f->gone);
}

static void
handle_hold (HttpRequest *request, gpointer data)
{
  Fixture *f = data;

  http_hold (request, on_gone, f);
  g_mutex_lock (&f->lock);
  g_assert_null (f->held);
  f->held = request;
  g_mutex_unlock (&f->lock);
}

/* Answers from another thread at once: often before the handler's caller has seen that it is held.
 */
static gpointer
answer_late (gpointer data)
{
  HttpRequest *request = data;

  http_reply_static (request, 200, "text/plain", "late", 4);
  http_request_unref (request);
  return NULL;
}

static void
handle_race (HttpRequest *request, gpointer data)
{
  http_hold (request, on_gone, data);
  g_thread_unref (g_thread_new ("late", answer_late, request));
}

static gpointer
stream_fast (gpointer data)
{
  HttpRequest *request = data;

  http_stream_begin (request);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *event = g_strdup_printf ("data: %u\n\n", i);

      http_stream_send (request, event, strlen (event));
    }
  http_stream_end (request);
  http_request_unref (request);
  return NULL;
}

static void
handle_stream (HttpRequest *request, gpointer data)
{
  http_hold (request, on_gone, data);
  g_thread_unref (g_thread_new ("stream", stream_fast, request));
}

static const HttpRoute routes[] = {
  { .method = HTTP_POST, .path = "/echo", .handle = handle_echo, .summary = "echo", .asks = "{}" },
  { .method = HTTP_GET, .path = "/models/{+id}", .handle = handle_part, .summary = "rest" },
  { .method = HTTP_GET,
    .path = "/v2/models/{id}/ready",
    .handle = handle_part,
    .summary = "part",
    .shape = HTTP_SHAPE_OIP },
  { .method = HTTP_GET, .path = "/nothing", .handle = handle_nothing, .summary = "no answer" },
  { .method = HTTP_POST, .path = "/hold", .handle = handle_hold, .summary = "held" },
  { .method = HTTP_GET, .path = "/race", .handle = handle_race, .summary = "race" },
  { .method = HTTP_GET, .path = "/stream", .handle = handle_stream, .summary = "events" },
  { .path = NULL },
};
static const HttpRoute *const tables[] = { routes, NULL };

static void
on_admit (HttpRequest *request, gpointer data)
{
  (void) data;
  if (http_request_header (request, "X-Refuse") != NULL)
    http_reply_error (request, 401, "no_api_key", NULL, "no");
}

static void
on_done (HttpRequest *request, gpointer data)
{
  Fixture *f = data;

  if (http_request_left (request))
    g_atomic_int_inc (&f->left);
  g_atomic_int_inc (&f->done);
}

static void
on_refused (const char *reason, gpointer data)
{
  Fixture *f = data;

  g_mutex_lock (&f->lock);
  f->reason = g_intern_string (reason);
  g_mutex_unlock (&f->lock);
  g_atomic_int_inc (&f->refused);
}

static const HttpHooks hooks = { on_admit, on_done, on_refused };

static void
start (Fixture *f, const HttpConfig *more)
{
  static const char *const origins[] = { "https://shop.example", NULL };
  HttpConfig config = { .host = "127.0.0.1",
                        .threads = 2,
                        .body_bytes = BODY_LIMIT,
                        .header_bytes = 8192,
                        .connections = 900,
                        .idle = 20 * G_USEC_PER_SEC,
                        .read = 20 * G_USEC_PER_SEC,
                        .ping = 20 * G_USEC_PER_SEC,
                        .stream_bytes = 1 << 20,
                        .origins = origins,
                        .server = "test" };
  g_autoptr (GError) error = NULL;

  if (more != NULL)
    {
      config.read = more->read > 0 ? more->read : config.read;
      config.ping = more->ping > 0 ? more->ping : config.ping;
      config.stream_bytes = more->stream_bytes > 0 ? more->stream_bytes : config.stream_bytes;
      config.certificate = more->certificate;
      config.key = more->key;
    }
  memset (f, 0, sizeof *f);
  g_mutex_init (&f->lock);
  f->server = http_server_new (&config, tables, &hooks, f, &error);
  g_assert_no_error (error);
  http_server_start (f->server, &error);
  g_assert_no_error (error);
}

static void
stop (Fixture *f)
{
  HttpRequest *held;

  g_mutex_lock (&f->lock);
  held = g_steal_pointer (&f->held);
  g_mutex_unlock (&f->lock);
  if (held != NULL)
    http_request_unref (held);
  http_server_free (f->server);
  g_mutex_clear (&f->lock);
}

/* ---- clients -------------------------------------------------------------------------------- */

static GSocketConnection *
connect_to (Fixture *f)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *c;

  g_socket_client_set_timeout (client, 20);
  c = g_socket_client_connect_to_host (client, "127.0.0.1", http_server_port (f->server), NULL,
                                       &error);
  g_assert_no_error (error);
  return c;
}

static void
put (GSocketConnection *c, const char *text, gsize len)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (c)), text, len, NULL, NULL,
                             &error);
  g_assert_no_error (error);
}

/* All that comes until the server closes. */
static char *
take_all (GSocketConnection *c)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char buffer[4096];
  gssize n;

  while ((n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (c)), buffer,
                                   sizeof buffer, NULL, NULL))
         > 0)
    g_string_append_len (all, buffer, n);
  return g_string_free (g_steal_pointer (&all), FALSE);
}

/* Sends @text as it is and reads to the end. */
static char *
talk (Fixture *f, const char *text, gsize len)
{
  g_autoptr (GSocketConnection) c = connect_to (f);

  put (c, text, len);
  return take_all (c);
}

static char *ask (Fixture *f, const char *format, ...) G_GNUC_PRINTF (2, 3);

static char *
ask (Fixture *f, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  return talk (f, text, strlen (text));
}

#define END "Connection: close\r\n\r\n"

static void
expect (const char *reply, const char *status, const char *part)
{
  if (!g_str_has_prefix (reply, status) || (part != NULL && strstr (reply, part) == NULL))
    g_error ("expected %s with %s, got: %s", status, part, reply);
}

static void
wait_for (int *count, int value)
{
  for (guint i = 0; i < 2000 && g_atomic_int_get (count) < value; i++)
    g_usleep (5000);
  g_assert_cmpint (g_atomic_int_get (count), ==, value);
}

/* A request counts until its done has returned. */
static void
wait_for_none (Fixture *f)
{
  for (guint i = 0; i < 20000 && http_server_requests (f->server) > 0; i++)
    g_usleep (1000);
  g_assert_cmpuint (http_server_requests (f->server), ==, 0);
}

/* So many were refused, the last of them for @reason. */
static void
wait_refused (Fixture *f, int n, const char *reason)
{
  wait_for (&f->refused, n);
  g_mutex_lock (&f->lock);
  g_assert_cmpstr (f->reason, ==, reason);
  g_mutex_unlock (&f->lock);
}

static HttpRequest *
wait_held (Fixture *f)
{
  HttpRequest *held = NULL;

  for (guint i = 0; i < 2000 && held == NULL; i++)
    {
      g_mutex_lock (&f->lock);
      held = g_steal_pointer (&f->held);
      g_mutex_unlock (&f->lock);
      if (held == NULL)
        g_usleep (5000);
    }
  g_assert_nonnull (held);
  return held;
}

/* ---- requests that are in order ------------------------------------------------------------- */

static void
test_routes (void)
{
  Fixture f;
  static const struct
  {
    const char *line, *more, *status, *part;
  } cases[] = {
    { "GET /models/a/b%20c?q=%E4%B8%AD", "", "HTTP/1.1 200", "{\"id\":\"a/b c\",\"q\":\"中\"}" },
    { "GET /v2/models/a%2Fb/ready", "", "HTTP/1.1 200", "{\"id\":\"a/b\"" },
    { "GET http://x:80/models/z", "", "HTTP/1.1 200", "{\"id\":\"z\"" },
    { "GET http:///models/z", "", "HTTP/1.1 400", "\"code\":\"bad_target\"" },
    { "GET https://", "", "HTTP/1.1 400", "\"code\":\"bad_target\"" },
    { "GET /nowhere", "", "HTTP/1.1 404", "\"code\":\"not_found\"" },
    { "GET /v2/nowhere", "", "HTTP/1.1 404", "{\"error\":\"there is nothing" },
    { "DELETE /echo", "", "HTTP/1.1 405", "Allow: POST, OPTIONS" },
    { "BREW /echo", "", "HTTP/1.1 405", "\"code\":\"method_not_allowed\"" },
    { "HEAD /models/z", "", "HTTP/1.1 200", "Content-Length: 17" },
    { "OPTIONS /echo", "", "HTTP/1.1 204", "Allow: POST, OPTIONS" },
    { "OPTIONS *", "", "HTTP/1.1 204", "Allow: " },
    { "OPTIONS /echo", "Origin: https://shop.example\r\n", "HTTP/1.1 204",
      "Access-Control-Allow-Origin: https://shop.example" },
    { "GET /models/%FF", "", "HTTP/1.1 400", "\"code\":\"bad_target\"" },
    { "GET /models/%00", "", "HTTP/1.1 400", "\"code\":\"bad_target\"" },
    { "GET /models/", "", "HTTP/1.1 404", NULL },
    { "GET /nothing", "", "HTTP/1.1 500", "\"code\":\"no_answer\"" },
    { "GET /models/z", "X-Refuse: 1\r\n", "HTTP/1.1 401", "\"type\":\"authentication_error\"" },
    { "GET /models/z", "X-Request-Id: mine-1\r\n", "HTTP/1.1 200", "X-Request-Id: mine-1" },
    { "GET /models/z", "X-Request-Id: a b\r\n", "HTTP/1.1 200", "X-Request-Id: " },
    { "GET /race", "", "HTTP/1.1 200", "late" },
  };

  start (&f, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *reply
          = ask (&f, "%s HTTP/1.1\r\nHost: x\r\n%s" END, cases[i].line, cases[i].more);

      expect (reply, cases[i].status, cases[i].part);
    }
  wait_for (&f.done, G_N_ELEMENTS (cases));
  wait_for_none (&f);
  stop (&f);
}

static void
test_origins (void)
{
  Fixture f;
  static const struct
  {
    const char *host, *origin, *status;
  } cases[] = {
    { "127.0.0.1:8080", "https://shop.example", "HTTP/1.1 200" },
    { "127.0.0.1:8080", "http://127.0.0.1:8080", "HTTP/1.1 200" },
    { "localhost:1", "http://localhost:1", "HTTP/1.1 200" },
    { "[::1]:1", "http://[::1]:1", "HTTP/1.1 200" },
    { "127.0.0.1:8080", "https://evil.example", "HTTP/1.1 403" },
    { "127.0.0.1:8080", "null", "HTTP/1.1 403" },
    { "evil.example:8080", "http://evil.example:8080", "HTTP/1.1 403" }, /* rebound to us */
  };

  start (&f, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *reply = ask (
          &f, "POST /echo HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Length: 2\r\n" END "{}",
          cases[i].host, cases[i].origin);

      expect (reply, cases[i].status, NULL);
    }
  stop (&f);
}

static void
test_keep_alive (void)
{
  Fixture f;
  g_autoptr (GSocketConnection) c = NULL;
  g_autofree char *all = NULL;

  start (&f, NULL);
  c = connect_to (&f);
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *text
          = g_strdup_printf ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n%s\r\n%04u",
                             i == 49 ? "Connection: close\r\n" : "", i);

      put (c, text, strlen (text));
    }
  all = take_all (c);
  g_assert_nonnull (strstr (all, "0000HTTP/1.1 200"));
  g_assert_true (g_str_has_suffix (all, "0049"));
  wait_for (&f.done, 50);
  stop (&f);
}

static void
test_drain (void)
{
  Fixture f;
  g_autofree char *reply = NULL;

  start (&f, NULL);
  http_server_drain (f.server);
  reply = ask (&f, "GET /models/z HTTP/1.1\r\nHost: x\r\n\r\n"); /* nobody asked to close */
  expect (reply, "HTTP/1.1 200", "Connection: close");
  stop (&f);
}

static void
test_openapi (void)
{
  Fixture f;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *paths;

  start (&f, NULL);
  node = http_server_openapi (f.server, "test", "1", NULL);
  paths = json_object_get_object_member (json_node_get_object (node), "paths");
  g_assert_true (json_object_has_member (paths, "/models/{id}"));
  g_assert_true (json_object_has_member (paths, "/v2/models/{id}/ready"));
  g_assert_true (json_object_has_member (json_object_get_object_member (paths, "/echo"), "post"));
  stop (&f);
}

/* ---- bodies --------------------------------------------------------------------------------- */

static void
test_bodies (void)
{
  Fixture f;
  g_autofree char *large = g_strnfill (BODY_LIMIT + 1, 'x'), *limit = g_strnfill (BODY_LIMIT, 'y');
  char *reply;

  start (&f, NULL);
  reply = ask (&f, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" END "%s", BODY_LIMIT,
               limit);
  expect (reply, "HTTP/1.1 200", limit);
  g_free (reply);
  /* Its client sends first and listens then: the answer must still be there. */
  reply = ask (&f, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" END "%s",
               BODY_LIMIT + 1, large);
  expect (reply, "HTTP/1.1 413", "\"code\":\"body_too_large\"");
  g_free (reply);
  reply = ask (&f, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
                   "100000000\r\n" END);
  expect (reply, "HTTP/1.1 413", NULL);
  g_free (reply);
  reply = ask (&f, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" END
                   "5\r\nhello\r\n0\r\n\r\n");
  expect (reply, "HTTP/1.1 200", "hello");
  g_free (reply);
  reply = ask (&f,
               "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" END
               "1001\r\n%s\r\n0\r\n\r\n",
               large);
  expect (reply, "HTTP/1.1 413", NULL);
  g_free (reply);
  reply = ask (&f, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" END "%s",
               BODY_LIMIT, limit);
  expect (reply, "HTTP/1.1 404", NULL);
  g_free (reply);
  stop (&f);
}

/* 100 MB from a client that does not ask first. */
static void
test_huge_body (void)
{
  Fixture f;
  g_autoptr (GSocketConnection) c = NULL;
  g_autofree char *block = g_strnfill (1 << 20, 'x'), *reply = NULL;
  static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n" END;

  start (&f, NULL);
  c = connect_to (&f);
  put (c, head, strlen (head));
  for (guint i = 0; i < 100; i++)
    put (c, block, 1 << 20);
  reply = take_all (c);
  expect (reply, "HTTP/1.1 413", "104857600 bytes");
  stop (&f);
}

/* ---- clients that misbehave ----------------------------------------------------------------- */

/* A little too much is told as every error is; a flood, by libmicrohttpd, and counted. */
static void
test_header_flood (void)
{
  Fixture f;
  g_autoptr (GString) many = g_string_new ("GET /models/z HTTP/1.1\r\nHost: x\r\n");
  g_autofree char *one = g_strnfill (20000, 'x'), *less = g_strnfill (9000, 'x'),
                  *fits = g_strnfill (8000, 'x');
  char *reply;

  start (&f, NULL);
  reply = ask (&f, "GET /models/z HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n" END, fits);
  expect (reply, "HTTP/1.1 200", NULL);
  g_free (reply);
  reply = ask (&f, "GET /models/z HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n" END, less);
  expect (reply, "HTTP/1.1 431", "\"code\":\"headers_too_large\"");
  g_free (reply);
  reply = ask (&f, "GET /models/%s HTTP/1.1\r\nHost: x\r\n" END, less);
  expect (reply, "HTTP/1.1 414", "\"code\":\"target_too_long\"");
  g_free (reply);
  reply = ask (&f, "POST /echo HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\nContent-Length: 2\r\n" END "{}",
               less);
  expect (reply, "HTTP/1.1 431", "this server takes up to 8192");
  g_free (reply);
  g_assert_cmpint (g_atomic_int_get (&f.refused), ==, 0);

  for (guint i = 0; i < 2000; i++)
    g_string_append_printf (many, "X-%u: y\r\n", i);
  g_string_append (many, "\r\n");
  reply = talk (&f, many->str, many->len);
  expect (reply, "HTTP/1.1 431", NULL);
  g_free (reply);
  wait_refused (&f, 1, "headers_too_large");
  reply = ask (&f, "GET /models/z HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", one);
  expect (reply, "HTTP/1.1 431", NULL);
  g_free (reply);
  wait_refused (&f, 2, "headers_too_large");
  reply = ask (&f, "GET /models/%s HTTP/1.1\r\nHost: x\r\n\r\n", one);
  expect (reply, "HTTP/1.1 414", NULL);
  g_free (reply);
  wait_refused (&f, 3, "target_too_long");
  reply = ask (&f, "nonsense\r\n\r\n");
  g_assert_true (*reply == '\0' || g_str_has_prefix (reply, "HTTP/1.1 4")
                 || g_str_has_prefix (reply, "HTTP/1.0 4"));
  g_free (reply);
  reply = ask (&f, "GET /models/z HTTP/1.1\r\nHost: x\r\n" END);
  expect (reply, "HTTP/1.1 200", NULL);
  g_free (reply);
  stop (&f);
}

/* A body that never comes whole, a header that never ends, a byte at a time. */
static void
test_half_sent (void)
{
  Fixture f;
  const HttpConfig more = { .read = G_USEC_PER_SEC };
  g_autoptr (GSocketConnection) body = NULL, header = NULL;
  g_autofree char *first = NULL, *second = NULL;
  static const char half[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc";

  start (&f, &more);
  body = connect_to (&f);
  header = connect_to (&f);
  put (body, half, strlen (half));
  put (header, "GET /models/z HTTP/1.1\r\n", 24);
  for (guint i = 0; i < 12; i++)
    {
      put (body, "x", 1);
      put (header, "X", 1);
      g_usleep (50000);
    }
  first = take_all (body);
  expect (first, "HTTP/1.1 408", "\"code\":\"request_timeout\"");
  second = take_all (header);
  expect (second, "HTTP/1.1 408", NULL);
  wait_refused (&f, 2, "request_timeout");
  stop (&f);
}

static void
test_many_connections (void)
{
  Fixture f;
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = 800;

  start (&f, NULL);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (all, connect_to (&f));
  for (guint i = 0; i < n; i++)
    put (all->pdata[i], "GET /race HTTP/1.1\r\nHost: x\r\n" END,
         strlen ("GET /race HTTP/1.1\r\nHost: x\r\n" END));
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *reply = take_all (all->pdata[i]);

      expect (reply, "HTTP/1.1 200", "late");
    }
  wait_for (&f.done, (int) n);
  g_assert_cmpint (g_atomic_int_get (&f.gone), ==, 0);
  stop (&f);
}

/* ---- streams, and clients that leave -------------------------------------------------------- */

static void
test_stream (void)
{
  Fixture f;
  g_autofree char *reply = NULL;

  start (&f, NULL);
  reply = ask (&f, "GET /stream HTTP/1.1\r\nHost: x\r\n" END);
  expect (reply, "HTTP/1.1 200", "Content-Type: text/event-stream");
  g_assert_nonnull (strstr (reply, "data: 0\n\n"));
  g_assert_nonnull (strstr (reply, "data: 99\n\n"));
  g_assert_true (g_str_has_suffix (reply, "0\r\n\r\n"));
  wait_for (&f.done, 1);
  g_assert_cmpint (g_atomic_int_get (&f.gone), ==, 0);
  stop (&f);
}

static HttpRequest *
hold (Fixture *f, GSocketConnection *c)
{
  static const char text[] = "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

  put (c, text, strlen (text));
  return wait_held (f);
}

/* While nothing is sent at all. */
static void
test_leaves_waiting (void)
{
  Fixture f;
  g_autoptr (GSocketConnection) c = NULL;
  HttpRequest *request;

  start (&f, NULL);
  c = connect_to (&f);
  request = hold (&f, c);
  g_assert_false (http_is_gone (request));
  g_clear_object (&c);
  wait_for (&f.gone, 1);
  http_reply_static (request, 200, "text/plain", "too late", 8);
  g_assert_cmpint (g_atomic_int_get (&f.done), ==, 0); /* not while it is held */
  http_request_unref (request);
  wait_for (&f.done, 1);
  g_assert_cmpint (f.left, ==, 1);
  stop (&f);
}

static void
test_leaves_stream (void)
{
  Fixture f;
  g_autoptr (GSocketConnection) c = NULL;
  HttpRequest *request;
  char buffer[64];

  start (&f, NULL);
  c = connect_to (&f);
  request = hold (&f, c);
  http_stream_begin (request);
  http_stream_send (request, "data: 1\n\n", 9);
  g_assert_cmpint (g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (c)), buffer,
                                        sizeof buffer, NULL, NULL),
                   >, 0);
  g_clear_object (&c);
  wait_for (&f.gone, 1);
  http_stream_send (request, "data: 2\n\n", 9);
  http_stream_end (request);
  http_request_unref (request);
  wait_for (&f.done, 1);
  g_assert_cmpint (f.left, ==, 1);
  stop (&f);
}

static void
test_ping (void)
{
  Fixture f;
  const HttpConfig more = { .ping = G_USEC_PER_SEC / 2 };
  g_autoptr (GSocketConnection) c = NULL;
  g_autofree char *reply = NULL;
  HttpRequest *request;

  start (&f, &more);
  c = connect_to (&f);
  request = hold (&f, c);
  http_stream_begin (request);
  g_usleep (2600000);
  http_stream_end (request);
  http_request_unref (request);
  http_server_drain (f.server);
  g_socket_shutdown (g_socket_connection_get_socket (c), FALSE, TRUE, NULL);
  reply = take_all (c);
  expect (reply, "HTTP/1.1 200", ": ping\n\n");
  stop (&f);
}

/* Its buffer in the kernel is full long before ours is. */
static void
test_slow_reader (void)
{
  Fixture f;
  const HttpConfig more = { .stream_bytes = 64 * 1024 };
  g_autoptr (GSocketConnection) c = NULL;
  g_autofree char *block = g_strnfill (16 * 1024, 'x');
  HttpRequest *request;

  start (&f, &more);
  c = connect_to (&f);
  request = hold (&f, c);
  http_stream_begin (request);
  for (guint i = 0; i < 10000 && !http_is_gone (request); i++)
    {
      http_stream_send (request, block, 16 * 1024);
      g_usleep (100);
    }
  g_assert_true (http_is_gone (request));
  g_assert_cmpstr (http_request_code (request), ==, "slow_reader");
  wait_for (&f.gone, 1);
  http_request_unref (request);
  wait_for (&f.done, 1);
  stop (&f);
}

/* The server stops while requests are held. */
static void
test_stop_held (void)
{
  Fixture f;
  g_autoptr (GSocketConnection) a = NULL, b = NULL;
  HttpRequest *first, *second;

  start (&f, NULL);
  a = connect_to (&f);
  b = connect_to (&f);
  first = hold (&f, a);
  second = hold (&f, b);
  http_stream_begin (second);
  http_stream_send (second, "data: 1\n\n", 9);
  http_server_free (f.server);
  g_assert_cmpint (f.gone, ==, 2);
  http_request_unref (first);
  http_request_unref (second);
  g_assert_cmpint (f.done, ==, 2);
  g_mutex_clear (&f.lock);
}

static void
test_event_text (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  http_stream_append_data (out, "a\nb", 3);
  g_assert_cmpstr (out->str, ==, "data: a\ndata: b\n\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/routes", test_routes);
  g_test_add_func ("/http/origins", test_origins);
  g_test_add_func ("/http/keep-alive", test_keep_alive);
  g_test_add_func ("/http/drain", test_drain);
  g_test_add_func ("/http/openapi", test_openapi);
  g_test_add_func ("/http/bodies", test_bodies);
  g_test_add_func ("/http/huge-body", test_huge_body);
  g_test_add_func ("/http/header-flood", test_header_flood);
  g_test_add_func ("/http/half-sent", test_half_sent);
  g_test_add_func ("/http/many-connections", test_many_connections);
  g_test_add_func ("/http/stream", test_stream);
  g_test_add_func ("/http/leaves-waiting", test_leaves_waiting);
  g_test_add_func ("/http/leaves-stream", test_leaves_stream);
  g_test_add_func ("/http/ping", test_ping);
  g_test_add_func ("/http/slow-reader", test_slow_reader);
  g_test_add_func ("/http/stop-held", test_stop_held);
  g_test_add_func ("/http/event-text", test_event_text);
  return g_test_run ();
}
