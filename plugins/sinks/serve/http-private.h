/* SPDX-License-Identifier: Apache-2.0 */
/* http-private.h: what the files of the HTTP server know of each other.
 *
 *   http.c          daemon, connections, the watcher
 *   http-request.c  what came: life of a request, its parts
 *   http-reply.c    what goes: replies, errors, streams
 *   http-routes.c   the table: finding a row, /openapi.json
 *   http-tls.c      certificate and key
 *
 * Locks: HttpServer.lock before HttpRequest.lock; no hook and no handler is called under either.
 */
#ifndef FLOWRUN_SERVE_HTTP_PRIVATE_H
#define FLOWRUN_SERVE_HTTP_PRIVATE_H

#include <arpa/inet.h>
#include <microhttpd.h>

#include "http.h"

G_BEGIN_DECLS

#define HTTP_MAX_PARTS 4

/* A reply's header. */
typedef struct
{
  char *name, *value;
} HttpHeader;

/**
 * HttpLink: one connection.
 * @since: when it was made, or its last request was over
 * @begun: when the request now coming in began; 0: none is coming in
 * @request: the one that has it now; borrowed
 */
typedef struct
{
  guint64 number;
  int fd;
  gint64 since, begun;
  gboolean left;
  HttpRequest *request;
} HttpLink;

struct _HttpServer
{
  int refs;
  HttpConfig config; /* with copies of its texts */
  const HttpRoute *const *routes;
  HttpHooks hooks;
  gpointer data;
  GSocket *socket;                 /* that listens, until the daemon has it */
  char *certificate, *private_key; /* as PEM; until then too */
  gint64 certificate_ends;
  struct MHD_Daemon *daemon;
  char *url;
  guint16 port;
  gboolean loopback;
  GMutex complaint_lock;
  char *complaint;   /* libmicrohttpd's last */
  int closing;       /* atomic: replies close their connections */
  int stopping;      /* atomic: nothing is waited for any more */
  int n_requests;    /* atomic */
  gint64 body_bytes; /* under lock */
  guint64 serial;    /* of ids; under lock */
  guint32 salt;

  GMutex lock;
  GHashTable *links; /* number: HttpLink */
  guint64 n_links;
  int epoll, wake;
  GThread *watcher;
};

struct _HttpRequest
{
  int refs;
  HttpServer *server;
  HttpLink *link;
  char *target; /* as sent */
  char *path;
  const HttpRoute *route;
  const char *part_names[HTTP_MAX_PARTS]; /* into the route's path, up to its brace */
  char *parts[HTTP_MAX_PARTS];
  guint n_parts;
  const char *method; /* interned */
  char id[72];
  char peer[INET6_ADDRSTRLEN];
  gint64 started;
  GString *body;
  gsize accounted; /* of the server's body_bytes */
  gboolean seen, discard, handled;
  gpointer data;
  GDestroyNotify data_free;

  GMutex lock;
  struct MHD_Connection *connection; /* NULL: over */
  GArray *headers;                   /* HttpHeader */
  struct MHD_Response *response;     /* until libmicrohttpd has it */
  gboolean answered, parked;         /* a reply was given; suspended by http_hold() */
  guint status;
  const char *code;
  gboolean held, suspended, queued, gone, left, told, broken;
  void (*gone_func) (HttpRequest *request, gpointer data);
  gpointer gone_data;
  gboolean streaming, ended;
  GString *waiting; /* of a stream */
  gsize taken;      /* of waiting */
  gint64 last_sent;
  guint64 sent;
};

/* http-request.c */
HttpRequest *http_request_new (HttpServer *server, struct MHD_Connection *connection,
                               const char *target);
/** http_request_open: the headers are there: finds the route; may answer. */
void http_request_open (HttpRequest *request, const char *method);
gboolean http_request_take_body (HttpRequest *request, const char *bytes, gsize len);
void http_server_unref (HttpServer *server);

/* http-reply.c; resume and gone with the lock held or not as said */
/** http_request_resume: with the request's lock held. */
void http_request_resume (HttpRequest *request);
/** http_request_gone: the client has left: tells the holder, once; without any lock. */
void http_request_gone (HttpRequest *request);
/** http_request_queue: gives the reply to libmicrohttpd, on its thread. */
enum MHD_Result http_request_queue (HttpRequest *request);
/** http_stream_ping: a comment, if nothing was sent since @before. */
void http_stream_ping (HttpRequest *request, gint64 before);

/* http-routes.c */
/** http_find_route: *@allowed: methods that the path has; NULL: not this method. */
const HttpRoute *http_find_route (HttpServer *server, HttpRequest *request, const char *path,
                                  guint method, guint *allowed);
guint http_method_of (const char *method);
/** http_append_methods: "GET, HEAD, POST, OPTIONS". */
void http_append_methods (GString *out, guint allowed);

/* http-tls.c */
/**
 * http_tls_read: reads the files and looks whether clients will take them: one certificate that is
 * valid today and is the key's, the first of its file.
 * @certificate, @key: their texts; g_free() either, whatever comes back
 * @ends: when the certificate does, in seconds since 1970
 * @error: FR_ERROR_CONFIG
 */
gboolean http_tls_read (const HttpConfig *config, char **certificate, char **key, gint64 *ends,
                        GError **error);

G_END_DECLS

#endif
