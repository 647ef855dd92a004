/* SPDX-License-Identifier: Apache-2.0 */
/* bench-http.c: how many equal requests a second a server answers: one thread, connections that are
 * kept, no library between it and the sockets, so that the server is what is measured.
 *
 *   bench-http PORT PATH BODY-FILE [CONNECTIONS [SECONDS [HEADER…]]]     on 127.0.0.1
 *
 * BODY-FILE "-": GET.  Prints one line of JSON: requests a second, latencies in microseconds,
 * statuses, and how many answers said "X-Flowrun-Cache: hit".  A warm-up of a fifth of the time is
 * not counted.  Fails when a connection breaks or an answer cannot be read; other statuses than 200
 * are counted, and make it fail as well.
 *
 * Each connection has one request out at a time (closed loop).
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "evaluators/load/histogram.h"

typedef struct
{
  int fd;
  gsize sent;   /* of the request */
  GString *got; /* of the answer */
  gint64 start;
} Connection;

typedef struct
{
  GString *request;
  int epoll;
  Connection *connections;
  guint n;
  gint64 measure, until;
  Histogram *times;
  guint64 n_ok, n_other, n_hits, bytes;
  guint out; /* requests without an answer */
} Bench;

static void
give_up (const char *what)
{
  fprintf (stderr, "bench-http: %s\n", what);
  exit (1);
}

/* The length of the answer at the beginning of @got; 0: not all of it is there. */
static gsize
answer_length (const GString *got, guint *status, gboolean *hit)
{
  const char *head_end = strstr (got->str, "\r\n\r\n"), *at;
  g_autofree char *head = NULL;
  gsize body;

  if (head_end == NULL)
    return 0;
  body = (gsize) (head_end - got->str) + 4;
  head = g_ascii_strdown (got->str, (gssize) body);
  if (sscanf (head, "http/1.1 %u", status) != 1)
    give_up ("what came is no HTTP/1.1");
  *hit = strstr (head, "x-flowrun-cache: hit") != NULL;
  at = strstr (head, "content-length: ");
  if (at != NULL)
    {
      gsize length = body + strtoul (at + 16, NULL, 10);

      return got->len >= length ? length : 0;
    }
  if (strstr (head, "transfer-encoding: chunked") == NULL)
    give_up ("an answer without a length");
  at = strstr (got->str + body, "\r\n0\r\n\r\n");
  return at != NULL ? (gsize) (at - got->str) + 7 : 0;
}

static void
send_more (Bench *b, Connection *c)
{
  while (c->sent < b->request->len)
    {
      gssize n = write (c->fd, b->request->str + c->sent, b->request->len - c->sent);

      if (n < 0 && errno == EAGAIN)
        {
          poll (&(struct pollfd){ .fd = c->fd, .events = POLLOUT }, 1, 10000);
          continue;
        }
      if (n <= 0)
        give_up ("a connection broke while it was written to");
      c->sent += (gsize) n;
    }
}

static void
ask (Bench *b, Connection *c)
{
  c->start = g_get_monotonic_time ();
  c->sent = 0;
  g_string_truncate (c->got, 0);
  b->out++;
  send_more (b, c);
}

static void
take (Bench *b, Connection *c, gsize length, guint status, gboolean hit)
{
  gint64 now = g_get_monotonic_time ();

  b->out--;
  if (c->start >= b->measure && now <= b->until)
    {
      histogram_add (b->times, now - c->start);
      b->n_ok += status == 200;
      b->n_other += status != 200;
      b->n_hits += hit;
      b->bytes += length;
    }
  if (length != c->got->len)
    give_up ("more came than was asked for");
  if (now < b->until)
    ask (b, c);
}

static void
read_more (Bench *b, Connection *c)
{
  char buffer[65536];
  guint status = 0;
  gboolean hit = FALSE;
  gsize length;

  for (;;)
    {
      gssize n = read (c->fd, buffer, sizeof buffer);

      if (n < 0 && errno == EAGAIN)
        break;
      if (n <= 0)
        give_up ("the server closed a connection");
      g_string_append_len (c->got, buffer, n);
      if ((gsize) n < sizeof buffer)
        break;
    }
  length = answer_length (c->got, &status, &hit);
  if (length > 0)
    take (b, c, length, status, hit);
}

static void
connect_all (Bench *b, guint16 port)
{
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons (port) };

  to.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  for (guint i = 0; i < b->n; i++)
    {
      Connection *c = &b->connections[i];
      struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
      int one = 1;

      c->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (c->fd < 0 || connect (c->fd, (struct sockaddr *) &to, sizeof to) != 0)
        give_up ("cannot connect");
      setsockopt (c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      fcntl (c->fd, F_SETFL, O_NONBLOCK);
      c->got = g_string_sized_new (65536);
      epoll_ctl (b->epoll, EPOLL_CTL_ADD, c->fd, &event);
    }
}

static void
drive (Bench *b)
{
  struct epoll_event events[256];

  for (guint i = 0; i < b->n; i++)
    ask (b, &b->connections[i]);
  while (b->out > 0)
    {
      int n = epoll_wait (b->epoll, events, G_N_ELEMENTS (events), 10000);

      if (n == 0)
        give_up ("no answer for 10 s");
      for (int i = 0; i < n; i++)
        read_more (b, events[i].data.ptr);
    }
}

static GString *
make_request (const char *path, const char *file, char **headers)
{
  GString *request = g_string_new (NULL);
  g_autofree char *body = NULL;
  gsize len = 0;

  if (strcmp (file, "-") != 0 && !g_file_get_contents (file, &body, &len, NULL))
    give_up ("cannot read the body");
  g_string_append_printf (request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n",
                          body != NULL ? "POST" : "GET", path);
  for (; *headers != NULL; headers++)
    g_string_append_printf (request, "%s\r\n", *headers);
  if (body != NULL)
    g_string_append_printf (
        request, "Content-Type: application/json\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n", len);
  g_string_append (request, "\r\n");
  g_string_append_len (request, body != NULL ? body : "", (gssize) len);
  return request;
}

int
main (int argc, char **argv)
{
  Bench b = { .n = argc > 4 ? (guint) atoi (argv[4]) : 16 };
  double seconds = argc > 5 ? atof (argv[5]) : 5;
  gint64 now;

  if (argc < 4 || b.n == 0 || seconds <= 0)
    {
      fprintf (stderr,
               "usage: bench-http PORT PATH BODY-FILE [CONNECTIONS [SECONDS [HEADER...]]]\n");
      return 2;
    }
  b.request = make_request (argv[2], argv[3], argc > 6 ? argv + 6 : argv + argc);
  b.epoll = epoll_create1 (EPOLL_CLOEXEC);
  b.connections = g_new0 (Connection, b.n);
  b.times = histogram_new (HISTOGRAM_FINE);
  connect_all (&b, (guint16) atoi (argv[1]));
  now = g_get_monotonic_time ();
  b.measure = now + (gint64) (seconds * 0.2 * G_USEC_PER_SEC);
  b.until = b.measure + (gint64) (seconds * G_USEC_PER_SEC);
  drive (&b);
  printf ("{\"requests_per_second\": %.0f, \"p50_us\": %" G_GINT64_FORMAT
          ", \"p99_us\": %" G_GINT64_FORMAT ", \"max_us\": %" G_GINT64_FORMAT
          ", \"ok\": %" G_GUINT64_FORMAT ", \"other\": %" G_GUINT64_FORMAT
          ", \"hits\": %" G_GUINT64_FORMAT ", \"bytes\": %" G_GUINT64_FORMAT
          ", \"connections\": %u}\n",
          (double) b.n_ok / seconds, histogram_percentile (b.times, 50),
          histogram_percentile (b.times, 99), histogram_max (b.times), b.n_ok, b.n_other, b.n_hits,
          b.bytes, b.n);
  return b.n_other == 0 && b.n_ok > 0 ? 0 : 1;
}
