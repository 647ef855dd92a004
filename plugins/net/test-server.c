/* SPDX-License-Identifier: Apache-2.0 */
/* test-server.c: see test-server.h. */
#include "config.h"

#include "test-server.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct _TestServer
{
  GSocketService *service;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GCancellable *gone;
  TestHandler handler;
  gpointer data;
  guint16 port;
  GMutex lock;
  GCond ended;
  guint active; /* connections being served */
  GHashTable *asked;
  int log;
};

struct _TestAnswer
{
  TestServer *server;
  GSocketConnection *connection;
  GOutputStream *out;
  gboolean raw;
  gboolean answered;
  gboolean head;
};

/* ---- answers ------------------------------------------------------------------------- */

gboolean
test_answer_raw (TestAnswer *answer, const char *bytes, gssize len)
{
  answer->raw = answer->answered = TRUE;
  return g_output_stream_write_all (answer->out, bytes, len < 0 ? strlen (bytes) : (gsize) len,
                                    NULL, answer->server->gone, NULL);
}

void
test_answer (TestAnswer *answer, guint status, const char *headers, const char *body, gssize len)
{
  gsize n = body == NULL ? 0 : len < 0 ? strlen (body) : (gsize) len;
  g_autoptr (GString) text = g_string_sized_new (n + 512);

  g_string_append_printf (text, "HTTP/1.1 %u Status\r\n%s", status, headers ? headers : "");
  if (status != 304 && status != 204)
    g_string_append_printf (text, "Content-Length: %" G_GSIZE_FORMAT "\r\n", n);
  g_string_append (text, "\r\n");
  if (!answer->head)
    g_string_append_len (text, body ? body : "", (gssize) n);
  answer->answered = TRUE;
  g_output_stream_write_all (answer->out, text->str, text->len, NULL, answer->server->gone, NULL);
}

gboolean
test_answer_wait (TestAnswer *answer, guint ms)
{
  GPollFD fds[2];

  if (!g_cancellable_make_pollfd (answer->server->gone, &fds[0]))
    return FALSE;
  fds[1].fd = g_socket_get_fd (g_socket_connection_get_socket (answer->connection));
  fds[1].events = G_IO_HUP | G_IO_ERR | G_IO_IN;
  fds[1].revents = 0;
  g_poll (fds, 2, (int) ms);
  g_cancellable_release_fd (answer->server->gone);
  return !g_cancellable_is_cancelled (answer->server->gone) && fds[1].revents == 0;
}

static const char *
type_of (const char *path)
{
  static const struct
  {
    const char *end, *type;
  } types[]
      = { { ".html", "text/html" },    { ".css", "text/css" },        { ".js", "text/javascript" },
          { ".svg", "image/svg+xml" }, { ".xml", "application/xml" }, { ".txt", "text/plain" },
          { ".png", "image/png" },     { ".gb2312", "text/html" },    { ".utf8", "text/html" },
          { ".ico", "image/x-icon" } };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (path, types[i].end))
      return types[i].type;
  return "application/octet-stream";
}

gboolean
test_answer_file (const TestAsk *ask, TestAnswer *answer, gpointer data)
{
  g_autofree char *path = g_strndup (ask->path, strcspn (ask->path, "?")), *plain = NULL;
  g_autofree char *file = NULL, *text = NULL, *headers = NULL, *tag = NULL, *known = NULL,
                  *date = NULL;
  g_autoptr (GDateTime) when = NULL;
  GStatBuf info;
  gsize len;

  plain = g_uri_unescape_string (path, NULL);
  if (plain == NULL || strstr (plain, ".."))
    return FALSE;
  file = g_strconcat (data, plain, g_str_has_suffix (plain, "/") ? "index.html" : "", NULL);
  if (!g_file_test (file, G_FILE_TEST_IS_REGULAR))
    {
      /* As httpd's content negotiation finds the Chinese page. */
      char *chinese = g_strconcat (file, ".zh-cn.utf8", NULL);

      g_free (file);
      file = chinese;
    }
  if (g_stat (file, &info) != 0 || !g_file_get_contents (file, &text, &len, NULL))
    return FALSE;
  tag = g_strdup_printf ("\"%" G_GINT64_FORMAT "-%" G_GSIZE_FORMAT "\"", (gint64) info.st_mtime,
                         len);
  known = test_server_header (ask, "If-None-Match");
  when = g_date_time_new_from_unix_utc (info.st_mtime);
  date = g_date_time_format (when, "%a, %d %b %Y %H:%M:%S GMT");
  headers = g_strdup_printf ("Content-Type: %s\r\nETag: %s\r\nLast-Modified: %s\r\n",
                             type_of (file), tag, date);
  if (g_strcmp0 (known, tag) == 0)
    test_answer (answer, 304, headers, NULL, 0);
  else
    test_answer (answer, 200, headers, text, (gssize) len);
  return TRUE;
}

/* ---- requests ------------------------------------------------------------------------- */

char *
test_server_header (const TestAsk *ask, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (ask->headers, "\r\n", -1);
  gsize n = strlen (name);

  for (guint i = 0; lines[i]; i++)
    if (g_ascii_strncasecmp (lines[i], name, n) == 0 && lines[i][n] == ':')
      return g_strdup (g_strstrip (lines[i] + n + 1));
  return NULL;
}

static guint
note (TestServer *server, const char *method, const char *path)
{
  g_autofree char *line = g_strdup_printf ("%s %s\n", method, path);
  guint before;

  g_mutex_lock (&server->lock);
  before = GPOINTER_TO_UINT (g_hash_table_lookup (server->asked, path));
  g_hash_table_replace (server->asked, g_strdup (path), GUINT_TO_POINTER (before + 1));
  if (server->log >= 0 && write (server->log, line, strlen (line)) < 0)
    g_warning ("cannot write the log");
  g_mutex_unlock (&server->lock);
  return before;
}

/* One request: header section into @head, body into @body; FALSE at the end of the connection. */
static gboolean
read_request (TestServer *server, GDataInputStream *in, GString *head, GString *body)
{
  const char *length;
  gsize want;

  for (;;)
    {
      gsize len;
      g_autofree char *line = g_data_input_stream_read_line (in, &len, server->gone, NULL);

      if (line == NULL)
        return FALSE;
      if (line[0] == '\0')
        break;
      g_string_append (head, line);
      g_string_append (head, "\r\n");
    }
  length = strstr (head->str, "Content-Length: ");
  want = length ? (gsize) g_ascii_strtoull (length + 16, NULL, 10) : 0;
  g_string_set_size (body, want);
  return want == 0
         || g_input_stream_read_all (G_INPUT_STREAM (in), body->str, want, &want, server->gone,
                                     NULL);
}

static void
count_active (TestServer *server, int by)
{
  g_mutex_lock (&server->lock);
  server->active += (guint) by;
  g_cond_signal (&server->ended);
  g_mutex_unlock (&server->lock);
}

static gboolean
on_connection (G_GNUC_UNUSED GThreadedSocketService *service, GSocketConnection *connection,
               G_GNUC_UNUSED GObject *source, gpointer data)
{
  TestServer *server = data;
  g_autoptr (GDataInputStream) in
      = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  TestAnswer answer
      = { server, connection, g_io_stream_get_output_stream (G_IO_STREAM (connection)),
          FALSE,  FALSE,      FALSE };

  count_active (server, 1);
  g_tcp_connection_set_graceful_disconnect (G_TCP_CONNECTION (connection), FALSE);
  g_data_input_stream_set_newline_type (in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  while (!answer.raw)
    {
      g_autoptr (GString) head = g_string_new (NULL), body = g_string_new (NULL);
      g_auto (GStrv) words = NULL;
      const char *end;
      TestAsk ask;

      if (!read_request (server, in, head, body))
        break;
      end = strstr (head->str, "\r\n");
      words = g_strsplit (head->str, " ", 3);
      if (end == NULL || words[0] == NULL || words[1] == NULL)
        break;
      ask = (TestAsk){ words[0],  words[1],  end + 2,
                       body->str, body->len, note (server, words[0], words[1]) };
      answer.answered = FALSE;
      answer.head = g_str_equal (words[0], "HEAD");
      if (!server->handler (&ask, &answer, server->data) && !answer.answered)
        test_answer (&answer, 404, "Content-Type: text/html\r\n", "<h1>not here</h1>", -1);
    }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  count_active (server, -1);
  return TRUE;
}

static gpointer
serve (gpointer data)
{
  TestServer *server = data;

  g_main_context_push_thread_default (server->context);
  g_main_loop_run (server->loop);
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

TestServer *
test_server_new (TestHandler handler, gpointer data, const char *log)
{
  TestServer *server = g_new0 (TestServer, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0), effective = NULL;

  server->handler = handler;
  server->data = data;
  server->gone = g_cancellable_new ();
  server->asked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  server->log = log ? open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
  server->context = g_main_context_new ();
  g_main_context_push_thread_default (server->context);
  server->loop = g_main_loop_new (server->context, FALSE);
  server->service = g_threaded_socket_service_new (256);
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (server->service), 128);
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (server->service), address,
                                      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &effective,
                                      NULL))
    g_error ("the test server cannot listen");
  server->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  g_signal_connect (server->service, "run", G_CALLBACK (on_connection), server);
  g_socket_service_start (server->service);
  g_main_context_pop_thread_default (server->context);
  server->thread = g_thread_new ("test-server", serve, server);
  return server;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
test_server_free (TestServer *server)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_cancellable_cancel (server->gone);
  g_source_set_callback (source, quit, server->loop, NULL);
  g_source_attach (source, server->context);
  g_thread_join (server->thread);
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  /* GIO does not wait for the threads of its pool; the cancellation ends them. */
  g_mutex_lock (&server->lock);
  while (server->active)
    g_cond_wait (&server->ended, &server->lock);
  g_mutex_unlock (&server->lock);
  g_object_unref (server->service);
  while (g_main_context_iteration (server->context, FALSE))
    ;
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_hash_table_unref (server->asked);
  g_object_unref (server->gone);
  if (server->log >= 0)
    close (server->log);
  g_free (server);
}

guint16
test_server_port (TestServer *server)
{
  return server->port;
}

guint
test_server_asked (TestServer *server, const char *path)
{
  guint n;

  g_mutex_lock (&server->lock);
  n = GPOINTER_TO_UINT (g_hash_table_lookup (server->asked, path));
  g_mutex_unlock (&server->lock);
  return n;
}
