/* SPDX-License-Identifier: Apache-2.0 */
/* test-http.c: the client against a server that does what servers do, and worse. */
#include "config.h"

#include "net/http.h"
#include "test-server.h"

#include <glib/gstdio.h>
#include <string.h>

/* gzip of 50 bytes 'a', made with Python's gzip.compress (mtime 0). */
static const guint8 packed[]
    = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x4c,
        0x24, 0x15, 0x00, 0x00, 0x7d, 0xba, 0xd7, 0x47, 0x32, 0x00, 0x00, 0x00 };

static char *other_host; /* the same server by another name: another origin */

static gboolean
answer (const TestAsk *ask, TestAnswer *out, G_GNUC_UNUSED gpointer data)
{
  const char *p = ask->path;

  if (g_str_has_prefix (p, "http://www.example")) /* asked as a proxy */
    p += strlen ("http://www.example");
  if (g_str_equal (p, "/echo"))
    {
      g_autofree char *token = test_server_header (ask, "Authorization");
      g_autofree char *key = test_server_header (ask, "X-Api-Key");
      g_autofree char *type = test_server_header (ask, "Content-Type");
      g_autofree char *text
          = g_strdup_printf ("%s|%s|%s|%s|%.*s", ask->method, token ? token : "-", key ? key : "-",
                             type ? type : "-", (int) ask->body_len, ask->body);

      test_answer (out, 200, "X-One: 1\r\nx-one: 2\r\n", text, -1);
    }
  else if (g_str_equal (p, "/gzip"))
    test_answer (out, 200, "Content-Encoding: gzip\r\n", (const char *) packed, sizeof packed);
  else if (g_str_equal (p, "/busy"))
    test_answer (out, ask->n < 2 ? 503 : 200, ask->n == 0 ? "Retry-After: 0\r\n" : "", "ok", -1);
  else if (g_str_equal (p, "/later"))
    test_answer (out, 429, "Retry-After: 7200\r\nContent-Type: application/json\r\n",
                 "{\"error\": \"slow down, sk-secret\"}", -1);
  else if (g_str_equal (p, "/broken"))
    test_answer (out, 500, "", "always", -1);
  else if (g_str_equal (p, "/loop"))
    test_answer (out, 302, "Location: /loop\r\n", "", -1);
  else if (g_str_equal (p, "/away"))
    {
      g_autofree char *line = g_strdup_printf ("Location: http://%s/echo\r\n", other_host);

      test_answer (out, 307, line, "", -1);
    }
  else if (g_str_equal (p, "/here"))
    test_answer (out, 307, "Location: /echo\r\n", "", -1);
  else if (g_str_equal (p, "/see-other"))
    test_answer (out, 303, "Location: /echo\r\n", "", -1);
  else if (g_str_equal (p, "/inside"))
    test_answer (out, 302, "Location: http://169.254.169.254/latest/\r\n", "", -1);
  else if (g_str_equal (p, "/short"))
    test_answer_raw (out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", -1);
  else if (g_str_equal (p, "/chunk"))
    test_answer_raw (
        out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n50\r\nnot all",
        -1);
  else if (g_str_equal (p, "/noise"))
    test_answer_raw (out, "\x00\x01\x02 what is this\r\n\r\n", 20);
  else if (g_str_equal (p, "/nothing"))
    test_answer_raw (out, "", 0);
  else if (g_str_equal (p, "/endless"))
    {
      g_autofree char *block = g_strnfill (65536, 'e');

      if (test_answer_raw (out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", -1))
        for (guint i = 0; i < 4096 && test_answer_raw (out, block, 65536); i++)
          ;
    }
  else if (g_str_equal (p, "/drip"))
    {
      if (test_answer_raw (out, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", -1))
        for (guint i = 0; i < 600 && test_answer_wait (out, 100); i++)
          test_answer_raw (out, ".", 1);
    }
  else if (g_str_equal (p, "/events"))
    {
      if (test_answer_raw (out,
                           "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                           "Connection: close\r\n\r\n",
                           -1))
        for (guint i = 0; i < 3 && test_answer_wait (out, i == 0 ? 0 : 50); i++)
          test_answer_raw (out, i == 1 ? "data: 二\n\n" : "data: x\n\n", -1);
    }
  else if (g_str_equal (p, "/never"))
    {
      test_answer_wait (out, 60000);
      test_answer_raw (out, "", 0);
    }
  else
    return FALSE;
  return TRUE;
}

typedef struct
{
  TestServer *server;
  NetOptions options;
  NetClient *client;
} Fixture;

static void
set_up (Fixture *f, gconstpointer deny)
{
  g_autoptr (GError) error = NULL;

  f->server = test_server_new (answer, NULL, NULL);
  g_free (other_host);
  other_host = g_strdup_printf ("localhost:%u", test_server_port (f->server));
  f->options = (NetOptions){ .allow_private = deny == NULL,
                             .retries = 2,
                             .backoff = 1000,
                             .max_redirects = 5,
                             .max_body = 1 << 20,
                             .timeout = 60 * G_USEC_PER_SEC,
                             .stall_timeout = 2 * G_USEC_PER_SEC };
  f->client = net_client_new (&f->options, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, G_GNUC_UNUSED gconstpointer deny)
{
  net_client_free (f->client);
  test_server_free (f->server);
}

static NetReply *
ask (Fixture *f, const char *path, NetRequest *request, GError **error)
{
  g_autofree char *url
      = g_strdup_printf ("http://127.0.0.1:%u%s", test_server_port (f->server), path);
  NetRequest plain = { 0 };

  request = request ? request : &plain;
  request->url = url;
  {
    GError *unexpected = NULL;
    NetReply *reply = net_client_send (f->client, request, NULL, error ? error : &unexpected);

    g_assert_no_error (unexpected);
    return reply;
  }
}

static void
expect (NetReply *reply, guint status, const char *body)
{
  g_assert_nonnull (reply);
  g_assert_cmpuint (reply->status, ==, status);
  g_assert_cmpstr ((const char *) reply->body->data, ==, body);
  net_reply_free (reply);
}

static void
expect_error (NetReply *reply, GError *error, FrError code, const char *text)
{
  g_assert_null (reply);
  g_assert_error (error, FR_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("'%s' does not say '%s'", error->message, text);
  g_error_free (error);
}

static void
test_plain (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  NetRequest post = { .body = "{}",
                      .body_len = 2,
                      .bearer = "sk-secret",
                      .secret_headers = (const char *const[]){ "X-Api-Key: 123456", NULL } };
  NetReply *reply = ask (f, "/echo", NULL, NULL);

  g_assert_cmpstr (net_reply_header (reply, "x-one"), ==, "2");
  expect (reply, 200, "GET|-|-|-|");
  expect (ask (f, "/echo", &post, NULL), 200, "POST|Bearer sk-secret|123456|application/json|{}");
  reply = ask (f, "/gzip", NULL, NULL);
  g_assert_cmpuint (reply->body->len, ==, 50);
  net_reply_free (reply);
  expect (ask (f, "/none", NULL, NULL), 404, "<h1>not here</h1>");
}

static void
test_secrets (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  const char *const keys[] = { "X-Api-Key: 123456", NULL };
  NetRequest post = { .body = "x",
                      .body_len = 1,
                      .content_type = "text/plain",
                      .bearer = "sk-secret",
                      .secret_headers = keys };
  NetRequest get = { .bearer = "sk-secret" }, in_url = { 0 }, split = { .bearer = "a\r\nb: c" };
  GError *error = NULL;

  expect (ask (f, "/here", &post, NULL), 200, "POST|Bearer sk-secret|123456|text/plain|x");
  expect (ask (f, "/away", &post, NULL), 200, "POST|-|-|text/plain|x");
  expect (ask (f, "/see-other", &post, NULL), 200, "GET|Bearer sk-secret|123456|-|");
  {
    g_autoptr (NetReply) reply = ask (f, "/later?token=sk-secret", &get, NULL);

    g_assert_cmpuint (reply->status, ==, 404);
    g_assert_false (net_reply_check (reply, &get, &error));
    g_assert_null (strstr (error->message, "sk-secret"));
    g_clear_error (&error);
  }
  {
    g_autoptr (NetReply) reply = ask (f, "/later", &get, NULL);

    g_assert_cmpuint (reply->status, ==, 429);
    g_assert_cmpuint (reply->attempts, ==, 1);
    g_assert_cmpint (net_reply_retry_after (reply), ==, (gint64) 7200 * G_USEC_PER_SEC);
    g_assert_false (net_reply_check (reply, &get, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_TRANSIENT);
    g_assert_nonnull (
        strstr (error->message, "429 Too Many Requests: {\"error\": \"slow down, ***\"}"));
    g_clear_error (&error);
  }
  in_url.url = "http://me:pw@127.0.0.1/";
  {
    NetReply *reply = net_client_send (f->client, &in_url, NULL, &error);

    g_assert_null (strstr (error->message, "pw"));
    expect_error (reply, g_steal_pointer (&error), FR_ERROR_CONFIG, "apart from the URL");
  }
  {
    NetReply *reply = ask (f, "/echo", &split, &error);

    expect_error (reply, error, FR_ERROR_CONFIG, "line end");
  }
}

static void
test_retries (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  GError *error = NULL;
  NetReply *reply = ask (f, "/busy", NULL, NULL);

  g_assert_cmpuint (reply->attempts, ==, 3);
  expect (reply, 200, "ok");
  reply = ask (f, "/broken", NULL, NULL);
  g_assert_cmpuint (reply->attempts, ==, 3);
  expect (reply, 500, "always");
  reply = ask (f, "/loop", NULL, &error);
  expect_error (reply, g_steal_pointer (&error), FR_ERROR_DATA, "redirected more than 5 times");
  g_assert_cmpuint (test_server_asked (f->server, "/loop"), ==, 6);
  for (guint i = 1; i < 40; i++)
    {
      gint64 wait = net_backoff (i, 500, 60000, 7);

      g_assert_cmpint (wait, >=, MIN (250 << MIN (i - 1, 20), 30000));
      g_assert_cmpint (wait, <=, 60000);
      g_assert_cmpint (wait, ==, net_backoff (i, 500, 60000, 7));
    }
}

static void
test_traps (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  static const struct
  {
    const char *path;
    FrError code;
    const char *text;
  } traps[] = { { "/short", FR_ERROR_TRANSIENT, "ended early" },
                { "/chunk", FR_ERROR_TRANSIENT, "" },
                { "/noise", FR_ERROR_DATA, "no proper HTTP" },
                { "/nothing", FR_ERROR_TRANSIENT, "after 3 attempts" },
                { "/endless", FR_ERROR_DATA, "larger than 1.0" },
                { "/drip", FR_ERROR_TRANSIENT, "less than a kilobyte a second" } };
  NetRequest cut = { .cut = TRUE, .max_body = 1000 };
  NetReply *reply;

  for (guint i = 0; i < G_N_ELEMENTS (traps); i++)
    {
      GError *error = NULL;

      reply = ask (f, traps[i].path, NULL, &error);
      expect_error (reply, error, traps[i].code, traps[i].text);
    }
  reply = ask (f, "/endless", &cut, NULL);
  g_assert_true (reply->cut);
  g_assert_cmpuint (reply->body->len, ==, 1000);
  net_reply_free (reply);
}

static void
test_refused (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *by_name
      = g_strdup_printf ("http://localhost:%u/echo", test_server_port (f->server));
  NetRequest request = { .url = by_name };
  GError *error = NULL;
  NetReply *reply = ask (f, "/echo", NULL, &error);

  expect_error (reply, g_steal_pointer (&error), FR_ERROR_IO,
                "the address 127.0.0.1 is not public (loopback)");
  reply = net_client_send (f->client, &request, NULL, &error);
  expect_error (reply, g_steal_pointer (&error), FR_ERROR_IO, "is not public (loopback)");
  g_assert_cmpuint (test_server_asked (f->server, "/echo"), ==, 0);
}

/* Redirected to an address of the inside: the policy stands at the socket of every hop. */
static void
test_refused_later (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%u", test_server_port (f->server));
  NetOptions through = { .max_redirects = 3, .proxy = proxy };
  g_autoptr (NetClient) client = net_client_new (&through, NULL);
  NetRequest outside = { .url = "http://www.example/inside" },
             inside = { .url = "http://10.0.0.1/" };
  GError *error = NULL;
  NetReply *reply = net_client_send (client, &outside, NULL, &error);

  expect_error (reply, g_steal_pointer (&error), FR_ERROR_IO,
                "169.254.169.254 is not public (link-local)");
  g_assert_cmpuint (test_server_asked (f->server, "http://www.example/inside"), ==, 1);
  /* A literal is refused even where a proxy would do the connecting. */
  reply = net_client_send (client, &inside, NULL, &error);
  expect_error (reply, g_steal_pointer (&error), FR_ERROR_IO, "10.0.0.1 is not public (private)");
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (200000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *url
      = g_strdup_printf ("http://127.0.0.1:%u/never", test_server_port (f->server));
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  NetRequest request = { .url = url };
  gint64 start = g_get_monotonic_time ();
  GError *error = NULL;
  NetReply *reply;

  reply = net_client_send (f->client, &request, cancellable, &error);
  expect_error (reply, g_steal_pointer (&error), FR_ERROR_CANCELLED, "cancelled");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * G_USEC_PER_SEC);
  g_thread_join (thread);
}

static void
test_many (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/echo", test_server_port (f->server));
  NetRequest request = { .url = url }, bad = { .url = "http://a b/" };
  g_autoptr (GError) error = NULL;
  guint64 seen = 0;

  g_assert_null (net_client_wait (f->client, -1, NULL, NULL));
  for (guint i = 0; i < 40; i++)
    g_assert_true (net_client_start (f->client, &request, GUINT_TO_POINTER (i), NULL));
  g_assert_false (net_client_start (f->client, &bad, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_assert_cmpuint (net_client_running (f->client), ==, 40);
  for (guint i = 0; i < 40; i++)
    {
      g_autoptr (NetReply) reply = net_client_wait (f->client, -1, NULL, NULL);

      g_assert_no_error (reply->error);
      seen |= G_GUINT64_CONSTANT (1) << GPOINTER_TO_UINT (reply->tag);
    }
  g_assert_cmpuint (seen, ==, (G_GUINT64_CONSTANT (1) << 40) - 1);
  g_assert_cmpuint (net_client_running (f->client), ==, 0);
}

typedef struct
{
  guint n, enough; /* 0: never */
  guint status;
  gint64 first, last;
  GString *text;
} Watch;

static gboolean
watch (const NetReply *reply, const char *bytes, gsize len, gpointer data)
{
  Watch *w = data;

  w->last = g_get_monotonic_time ();
  w->first = w->n++ == 0 ? w->last : w->first;
  w->status = reply->status;
  g_string_append_len (w->text, bytes, (gssize) len);
  g_assert_cmpmem (reply->body->data, reply->body->len, w->text->str, w->text->len);
  return w->n != w->enough;
}

/* The pieces of an answer are seen when they come, not when all is there. */
static void
test_events (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  Watch w = { .text = g_string_new (NULL) };
  NetRequest request = { .on_body = watch, .on_body_data = &w };
  NetReply *reply = ask (f, "/events", &request, NULL);

  g_assert_cmpuint (w.n, ==, 3);
  g_assert_cmpuint (w.status, ==, 200);
  g_assert_cmpint (w.last - w.first, >=, 90000);
  g_assert_cmpint (reply->ended, >=, w.last);
  g_assert_cmpint (reply->ended, <=, g_get_monotonic_time ());
  g_assert_false (reply->cut);
  expect (reply, 200, "data: x\n\ndata: 二\n\ndata: x\n\n");
  w.n = 0;
  w.enough = 2;
  g_string_truncate (w.text, 0);
  reply = ask (f, "/events", &request, NULL);
  g_assert_true (reply->cut);
  expect (reply, 200, "data: x\n\ndata: 二\n\n");
  w.n = w.enough = 0;
  g_string_truncate (w.text, 0);
  reply = ask (f, "/none", &request, NULL);
  g_assert_cmpuint (w.status, ==, 404);
  net_reply_free (reply);
  g_string_free (w.text, TRUE);
}

static void
test_times (Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *url
      = g_strdup_printf ("http://127.0.0.1:%u/never", test_server_port (f->server));
  NetRequest request = { .url = url, .timeout = 400000 };
  g_autoptr (NetReply) reply = NULL;
  gint64 start = g_get_monotonic_time (), least = G_MAXINT64;

  g_assert_true (net_client_start (f->client, &request, NULL, NULL));
  /* The least of many, for a busy machine wakes nobody in time; a wait in whole milliseconds
   * would never be below one. */
  for (guint i = 0; i < 50; i++)
    {
      gint64 now = g_get_monotonic_time ();

      g_assert_null (net_client_wait (f->client, 200, NULL, NULL));
      least = MIN (least, g_get_monotonic_time () - now);
    }
  g_assert_cmpint (least, >=, 200);
  g_assert_cmpint (least, <, 900);
  reply = net_client_wait (f->client, -1, NULL, NULL);
  g_assert_cmpuint (reply->fault, ==, NET_FAULT_TIMEOUT);
  g_assert_cmpint (reply->ended - start, >=, 390000);
  g_assert_cmpint (reply->ended - start, <, 30 * G_USEC_PER_SEC);
}

/* openssl's own server with a certificate that only its file vouches for, and only for localhost.
 */
static void
test_tls (G_GNUC_UNUSED Fixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *dir = g_dir_make_tmp ("tls-XXXXXX", NULL);
  g_autofree char *key = g_build_filename (dir, "key.pem", NULL),
                  *cert = g_build_filename (dir, "cert.pem", NULL);
  g_autofree char *port = NULL, *by_name = NULL, *by_address = NULL,
                  *program = g_find_program_in_path ("openssl");
  g_autoptr (GSocketListener) probe = g_socket_listener_new ();
  g_autoptr (GSubprocess) made = NULL, server = NULL;
  NetOptions distrusts = { .allow_private = TRUE }, trusts = { .allow_private = TRUE,
                                                               .ca_file = cert,
                                                               .retries = 20,
                                                               .backoff = 50000,
                                                               .backoff_max = G_USEC_PER_SEC };
  g_autoptr (NetClient) wary = net_client_new (&distrusts, NULL),
                        knowing = net_client_new (&trusts, NULL);
  NetRequest request = { 0 };
  GError *error = NULL;
  NetReply *reply;

  if (program == NULL)
    {
      g_test_skip ("no openssl program");
      g_rmdir (dir);
      return;
    }
  port = g_strdup_printf ("%u", g_socket_listener_add_any_inet_port (probe, NULL, NULL));
  g_socket_listener_close (probe);
  by_name = g_strdup_printf ("https://localhost:%s/", port);
  by_address = g_strdup_printf ("https://127.0.0.1:%s/", port);
  made = g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error, program, "req", "-x509",
                           "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days",
                           "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                           NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (made, NULL, NULL));
  server = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                             &error, program, "s_server", "-accept", port, "-cert", cert, "-key",
                             key, "-www", NULL);
  g_assert_no_error (error);
  request.url = by_name;
  reply = net_client_send (knowing, &request, NULL, &error); /* retries until it listens */
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  net_reply_free (reply);
  reply = net_client_send (wary, &request, NULL, &error);
  expect_error (reply, g_steal_pointer (&error), FR_ERROR_IO, "no trusted connection");
  request.url = by_address; /* the right certificate for another name */
  reply = net_client_send (knowing, &request, NULL, &error);
  expect_error (reply, g_steal_pointer (&error), FR_ERROR_IO, "no trusted connection");
  g_subprocess_force_exit (server);
  g_subprocess_wait (server, NULL, NULL);
  g_unlink (key);
  g_unlink (cert);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, deny, func) g_test_add (name, Fixture, deny, set_up, func, tear_down)
  ADD ("/http/plain", NULL, test_plain);
  ADD ("/http/secrets", NULL, test_secrets);
  ADD ("/http/retries", NULL, test_retries);
  ADD ("/http/traps", NULL, test_traps);
  ADD ("/http/refused", "deny", test_refused);
  ADD ("/http/refused-later", NULL, test_refused_later);
  ADD ("/http/cancel", NULL, test_cancel);
  ADD ("/http/many", NULL, test_many);
  ADD ("/http/events", NULL, test_events);
  ADD ("/http/times", NULL, test_times);
  ADD ("/http/tls", NULL, test_tls);
  return g_test_run ();
}
