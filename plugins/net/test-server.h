/* SPDX-License-Identifier: Apache-2.0 */
/* test-server.h: a small HTTP/1.1 server for tests and benchmarks: it can serve a folder, and it
 * can misbehave in any way, for a handler may write what it likes.
 *
 * One thread a connection; listens on 127.0.0.1 and a free port.
 */
#ifndef FLOWRUN_NET_TEST_SERVER_H
#define FLOWRUN_NET_TEST_SERVER_H

#include <gio/gio.h>

typedef struct _TestServer TestServer;
typedef struct _TestAnswer TestAnswer;

/**
 * TestAsk: a request.
 * @path: with its query; @headers: the header lines as they came; @n: how many requests for this
 * path came before
 */
typedef struct
{
  const char *method;
  const char *path;
  const char *headers;
  const char *body;
  gsize body_len;
  guint n;
} TestAsk;

/** TestHandler: FALSE: not found. Called from many threads. */
typedef gboolean (*TestHandler) (const TestAsk *ask, TestAnswer *answer, gpointer data);

/** test_server_new: @log: a file to which a line "METHOD path" is appended for each request,
 * unbuffered; or NULL. */
TestServer *test_server_new (TestHandler handler, gpointer data, const char *log);
void test_server_free (TestServer *server);
guint16 test_server_port (TestServer *server);
/** test_server_asked: how often @path was asked for. */
guint test_server_asked (TestServer *server, const char *path);
/** test_server_header: value of a header of @ask; free with g_free(); NULL. */
char *test_server_header (const TestAsk *ask, const char *name);

/** test_answer: a whole answer; @headers: more header lines, each ending in \r\n; @len -1: a
 * string. */
void test_answer (TestAnswer *answer, guint status, const char *headers, const char *body,
                  gssize len);
/** test_answer_raw: bytes as they are; FALSE when the other side is gone. After the handler the
 * connection closes. */
gboolean test_answer_raw (TestAnswer *answer, const char *bytes, gssize len);
/** test_answer_wait: sleeps, but not beyond the server's life or the other side's. */
gboolean test_answer_wait (TestAnswer *answer, guint ms);

/** test_answer_file: a handler: the file of @data (a folder) that the path names, with ETag,
 * Last-Modified and 304. */
gboolean test_answer_file (const TestAsk *ask, TestAnswer *answer, gpointer data);

#endif
