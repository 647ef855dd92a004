/* SPDX-License-Identifier: Apache-2.0 */
/* http.h: the HTTP server below sink.serve: one libmicrohttpd daemon and one table of routes.
 *
 * It knows methods, paths, headers, bodies under a limit, replies, event streams and the ways in
 * which clients go wrong; it knows nothing of models.  HTTP/1.1 as in RFC 9110 and 9112; event
 * streams as in the WHATWG's "Server-sent events".
 *
 * A request's life:
 *
 *   connection --headers--> route, http.admit --body--> route.handle --reply--> http.done
 *
 * A handler runs on a thread of the server once the whole body is there.  It answers with one of
 * http_reply*() before it returns, or takes the request along with http_hold(): then any thread
 * answers later, with http_reply*() or piece by piece with http_stream_*(), and gives it back with
 * http_request_unref().  Replies may be given from any thread, one to a request; a later one is
 * dropped without harm, so that nobody has to know who was first.
 *
 * A client that leaves is noticed at once, whether or not something is being sent: the kernel
 * tells.  A client that shuts its sending side down counts as one that left.
 */
#ifndef FLOWRUN_SERVE_HTTP_H
#define FLOWRUN_SERVE_HTTP_H

#include <flowrun/error.h>
#include <gio/gio.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _HttpServer HttpServer;
typedef struct _HttpRequest HttpRequest;
typedef void (*HttpHandler) (HttpRequest *request, gpointer data);

typedef enum
{
  HTTP_GET = 1 << 0, /* HEAD comes with it */
  HTTP_POST = 1 << 1,
  HTTP_PUT = 1 << 2,
  HTTP_DELETE = 1 << 3
} HttpMethod;

/** HttpShape: what an error's body looks like. */
typedef enum
{
  HTTP_SHAPE_OPENAI = 0, /* {"error": {"message", "type", "param", "code"}} */
  HTTP_SHAPE_OIP         /* {"error": "…"}: Open Inference Protocol v2 */
} HttpShape;

typedef enum
{
  HTTP_OPEN = 1 << 0,  /* asks for no key, and counts against no rate: health, the page */
  HTTP_ADMIN = 1 << 1, /* asks for a key that may change what is served */
  HTTP_QUIET = 1 << 2, /* not in the access log when all is well: probes that come every second */
  HTTP_HIDDEN = 1 << 3 /* not in /openapi.json: an alias */
} HttpRouteFlags;

/**
 * HttpRoute: one row of the table; rows end with a NULL path.
 * @method: one HttpMethod
 * @path: "/v1/models/{id}": a name in braces stands for one piece between slashes; "{+id}" at the
 * end for all that is left, slashes too
 * @handle: gets the server's data
 * @flags: HttpRouteFlags
 * @shape: of errors
 * @summary: one line for /openapi.json, no full stop
 * @tag: a heading of /openapi.json ("OpenAI", "health")
 * @asks: the body's JSON Schema as text, "#/components/schemas/NAME" welcome; NULL: takes no body
 * (one that comes is read and dropped)
 * @answers: the same of the 200 answer; NULL: not JSON
 * @type: media type of the 200 answer where it is not JSON; NULL: application/json
 */
typedef struct
{
  HttpMethod method;
  const char *path;
  HttpHandler handle;
  guint flags;
  HttpShape shape;
  const char *summary;
  const char *tag;
  const char *asks;
  const char *answers;
  const char *type;
} HttpRoute;

/**
 * HttpConfig:
 * @host: address or name to listen on; @port: 0: any free one
 * @certificate, @key: TLS (1.2 and 1.3) from these PEM files; NULL: none
 * @threads: that serve connections
 * @body_bytes: of a body, at most
 * @header_bytes: of request line and headers, at most: 414 and 431 from there on.  Beyond twice as
 * much, or with more headers than there is room for the places of, libmicrohttpd answers by itself,
 * with the same status and a body of its own
 * @connections, @connections_per_address: at once, at most; 0 of the latter: no such limit
 * @idle, @read: microseconds: a connection may say nothing for so long; a request may take so long
 * to come in whole
 * @ping: microseconds after which a silent event stream gets a comment
 * @stream_bytes: what may wait for a slow reader of a stream; beyond, the request is ended
 * @origins: of browsers that may call ("*": all); NULL: none (no CORS headers)
 * @server: the Server header
 */
typedef struct
{
  const char *host;
  guint16 port;
  const char *certificate, *key;
  guint threads;
  gsize body_bytes, header_bytes;
  guint connections, connections_per_address;
  gint64 idle, read, ping;
  gsize stream_bytes;
  const char *const *origins;
  const char *server;
} HttpConfig;

/**
 * HttpHooks: called on the server's threads; each may be NULL.
 * @admit: after the headers, before the body; answers (401, 429, 503) to turn the request away
 * @done: the request is over, its last byte sent or its client gone, and nobody holds it any more;
 * may run on the thread that let it go last
 * @refused: the server refused what never became a request, for counting: "request_timeout",
 * "headers_too_large", "target_too_long", "bad_version", "bad_request", "tls_handshake"
 */
typedef struct
{
  void (*admit) (HttpRequest *request, gpointer data);
  void (*done) (HttpRequest *request, gpointer data);
  void (*refused) (const char *reason, gpointer data);
} HttpHooks;

/**
 * http_server_new: listens; who connects waits until http_server_start().
 * @config: copied
 * @routes: NULL-terminated list of tables; tables stay the caller's; earlier rows win
 * @hooks, @data: the same data goes to handlers
 * @error: FR_ERROR_CONFIG: certificate or address; FR_ERROR_IO: the port is taken
 */
HttpServer *http_server_new (const HttpConfig *config, const HttpRoute *const *routes,
                             const HttpHooks *hooks, gpointer data, GError **error);
/**
 * http_server_start: serves from here on: hooks and handlers may be called before it returns.
 * @error: FR_ERROR_CONFIG: TLS; FR_ERROR_IO: threads or files
 */
gboolean http_server_start (HttpServer *server, GError **error);
/** http_server_drain: goes on listening, but every reply from now on closes its connection. */
void http_server_drain (HttpServer *server);
/** http_server_free: stops now: connections are closed, gone is called for held requests, which
 * must be given back before what the hooks need goes away. */
void http_server_free (HttpServer *server);
/** http_server_port, http_server_url: "http://127.0.0.1:8080"; owned. */
guint16 http_server_port (HttpServer *server);
const char *http_server_url (HttpServer *server);
/** http_server_certificate_ends: in seconds since 1970; 0: there is no TLS. */
gint64 http_server_certificate_ends (HttpServer *server);
/** http_server_most_connections: at once; fewer than asked for where this process may not open so
 * many files. */
guint http_server_most_connections (HttpServer *server);
/** http_server_connections, http_server_requests: now. */
guint http_server_connections (HttpServer *server);
guint http_server_requests (HttpServer *server);
/**
 * http_server_openapi: OpenAPI 3.1 document of the table; json_node_unref().
 * @schemas: an object of named schemas for components, borrowed; may be NULL
 */
JsonNode *http_server_openapi (HttpServer *server, const char *title, const char *version,
                               JsonObject *schemas);

/* ---- what came ---------------------------------------------------------------------------- */

HttpRequest *http_request_ref (HttpRequest *request);
void http_request_unref (HttpRequest *request);
/** http_request_id: the client's X-Request-Id where it is short and plain, else a made one; sent
 * back. */
const char *http_request_id (HttpRequest *request);
/** http_request_method: "POST"; as sent.  http_request_path: decoded, without the query. */
const char *http_request_method (HttpRequest *request);
const char *http_request_path (HttpRequest *request);
/** http_request_route: NULL: no route fits. */
const HttpRoute *http_request_route (HttpRequest *request);
/** http_request_part: what stands for {@name} of the route's path, decoded; NULL: no such name. */
const char *http_request_part (HttpRequest *request, const char *name);
/** http_request_query: of the query, decoded; NULL: not there. */
const char *http_request_query (HttpRequest *request, const char *name);
/** http_request_header: first of that name, whatever its case; NULL: not there; only until the
 * handler has returned. */
const char *http_request_header (HttpRequest *request, const char *name);
/** http_request_peer: the client's address without its port, "::1". */
const char *http_request_peer (HttpRequest *request);
/** http_request_body: never NULL; followed by a NUL that does not count; whole from the handler on.
 */
const char *http_request_body (HttpRequest *request, gsize *len);
/** http_request_started: g_get_monotonic_time() when its headers were there. */
gint64 http_request_started (HttpRequest *request);

/* What others hang on a request: one pointer, freed with it. */
void http_request_set_data (HttpRequest *request, gpointer data, GDestroyNotify free_func);
gpointer http_request_data (HttpRequest *request);

/* For done: */

/** http_request_status: of the reply; 0: none was given. */
guint http_request_status (HttpRequest *request);
/** http_request_code: the code of http_reply_error() ("model_not_found"); NULL: no error; static or
 * owned. */
const char *http_request_code (HttpRequest *request);
/** http_request_sent: bytes of the body handed over for sending. */
guint64 http_request_sent (HttpRequest *request);
/** http_request_left: whether the client left before it had everything. */
gboolean http_request_left (HttpRequest *request);

/* ---- replies ------------------------------------------------------------------------------- */

/** http_set_header: of the reply to come; a second of that name replaces the first; @value is cut
 * at control characters. */
void http_set_header (HttpRequest *request, const char *name, const char *value);
/** http_reply: @body taken by reference; NULL: none. */
void http_reply (HttpRequest *request, guint status, const char *type, GBytes *body);
/** http_reply_take: the same; @body is g_malloc()ed and taken. */
void http_reply_take (HttpRequest *request, guint status, const char *type, char *body, gsize len);
/** http_reply_string: the same with the text of @body, which is taken. */
void http_reply_string (HttpRequest *request, guint status, const char *type, GString *body);
/** http_reply_static: @body outlives the server. */
void http_reply_static (HttpRequest *request, guint status, const char *type, const char *body,
                        gsize len);
/** http_reply_json: @node taken. */
void http_reply_json (HttpRequest *request, guint status, JsonNode *node);
/**
 * http_reply_error: in the shape of the route; the type follows from the status.
 * @code: static word for programs, logs and counters: "model_not_found"
 * @param: the field of the body that is wrong, "messages[0].role"; NULL
 */
void http_reply_error (HttpRequest *request, guint status, const char *code, const char *param,
                       const char *format, ...) G_GNUC_PRINTF (5, 6);
/** http_reply_busy: 429 or 503 with Retry-After of @seconds. */
void http_reply_busy (HttpRequest *request, guint status, const char *code, guint seconds,
                      const char *format, ...) G_GNUC_PRINTF (5, 6);
/** http_append_error: the body that http_reply_error() would send; for events of a stream. */
void http_append_error (GString *out, HttpShape shape, guint status, const char *code,
                        const char *param, const char *message);

/**
 * http_hold: the handler's request is answered later; adds a reference.
 * @gone: called at most once, on a thread of the server, when the client leaves before the end of
 * the reply, or the server stops; must not wait.  NULL: nobody cares
 */
void http_hold (HttpRequest *request, void (*gone) (HttpRequest *request, gpointer data),
                gpointer data);
/** http_is_gone: whether the client has left. */
gboolean http_is_gone (HttpRequest *request);

/**
 * http_stream_begin: 200 and the headers of an event stream; only on a held request.
 *
 * From here an error can only be told as an event.
 */
void http_stream_begin (HttpRequest *request);
/** http_stream_send: @len bytes as they are: the caller writes "data: …\n\n".  Never waits. */
void http_stream_send (HttpRequest *request, const char *bytes, gsize len);
/** http_stream_end: nothing more comes. */
void http_stream_end (HttpRequest *request);
/** http_stream_append_data: "data: @json\n\n"; line ends inside are written as the format wants. */
void http_stream_append_data (GString *out, const char *json, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HttpServer, http_server_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HttpRequest, http_request_unref)

G_END_DECLS

#endif
