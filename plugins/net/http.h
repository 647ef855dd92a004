/* SPDX-License-Identifier: Apache-2.0 */
/* http.h: the one HTTP client of the house (libflowrun-net, over libcurl).
 *
 * For one question and its answer:
 *
 *     NetOptions options = { .user_agent = "flowrun/0.1", .retries = 4 };
 *     g_autoptr (NetClient) client = net_client_new (&options, &error);
 *     NetRequest ask = { .url = "https://api.example/v1/chat", .bearer = secret,
 *                        .body = json, .body_len = len, .content_type = "application/json" };
 *     g_autoptr (NetReply) reply = net_client_send (client, &ask, cancellable, &error);
 *
 * For many at once (a crawler): net_client_start() as many as wanted, then
 * net_client_wait() for whichever ends first.  An answer that comes bit by bit
 * (server-sent events) can be looked at as it comes: NetRequest.on_body.
 *
 * What holds for both:
 *
 *   - Only http and https.  TLS certificates and host names are verified, always.
 *   - Addresses that are not public (private, loopback, link-local, multicast,
 *     reserved: address.h) are refused unless the options allow them.  The check
 *     stands at the socket that is really opened, so neither a redirect nor a
 *     name that resolves differently the second time gets around it.
 *   - Credentials (NetRequest.bearer, .secret_headers) go to the host of the URL
 *     they were given for and to no other: a redirect to another scheme, host or
 *     port drops them.  There are no cookies, no .netrc, and no proxy but the one
 *     in the options.
 *   - Error texts name the URL as net_url_display() shows it (without user name,
 *     password and values of telling parameters); never a header's value, and
 *     the bearer is taken out of what they quote of an answer.
 *
 * A client belongs to one thread at a time.  It keeps connections open and
 * reuses them.  It does not cache, and does not parse what it brings.
 */
#ifndef FLOWRUN_NET_HTTP_H
#define FLOWRUN_NET_HTTP_H

#include <flowrun/error.h>
#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _NetClient NetClient;
typedef struct _NetReply NetReply;

/**
 * NetOptions: zero (or NULL) means the default of each.
 * @user_agent: "flowrun/VERSION"
 * @allow_private: addresses that are not public are fine
 * @proxy: "http://host:port", "socks5h://…"; NULL: none, whatever the environment says.  The
 * proxy's own address is not checked, and it resolves names itself: then only URLs with an address
 * for a host are held to the policy
 * @ca_file: certificates to trust instead of the system's
 * @connect_timeout: microseconds until the connection stands, 15 s
 * @timeout: microseconds for a whole transfer, 120 s
 * @stall_timeout: microseconds below one kilobyte a second, the wait for the first byte included,
 * that end a transfer; 0: only @timeout counts
 * @max_body: bytes of an answer after decompression, 64 MiB
 * @max_redirects: followed by net_client_send(): 0 is none, and the 3xx is the answer
 * @connections: open at once in all, 64
 * @host_connections: open at once to one host, 8
 * @retries: of net_client_send() after a failure that may pass (see net_reply_is_transient()): 0 is
 * none
 * @backoff: microseconds before the first retry, 500 ms; doubled for each, with jitter
 * @backoff_max: microseconds, 60 s; a Retry-After beyond it is not waited for
 */
typedef struct
{
  const char *user_agent;
  gboolean allow_private;
  const char *proxy;
  const char *ca_file;
  gint64 connect_timeout;
  gint64 timeout;
  gint64 stall_timeout;
  guint64 max_body;
  guint max_redirects;
  guint connections;
  guint host_connections;
  guint retries;
  gint64 backoff;
  gint64 backoff_max;
} NetOptions;

/**
 * NetOnBody: a piece of an answer's body has come.
 * @reply: as far as it is there: tag, status, headers; its body holds @bytes already
 * @bytes, @len: as they came, after decompression; where a piece ends means nothing
 *
 * Called by net_client_wait() and net_client_send(), on their thread; it must not call the client.
 * FALSE: no more is wanted: the transfer ends, and the reply is as one that was cut.
 */
typedef gboolean (*NetOnBody) (const NetReply *reply, const char *bytes, gsize len, gpointer data);

/**
 * NetRequest: everything is borrowed for the call.
 * @url: absolute, http or https, without user name or password (FR_ERROR_CONFIG)
 * @method: NULL: POST with a body, else GET
 * @headers: "Name: value", NULL-terminated; NULL for none
 * @bearer: a secret, sent as "Authorization: Bearer …"; NULL for none
 * @secret_headers: "Name: value" that are secrets, treated as @bearer is ("X-Api-Key: …"); NULL for
 * none
 * @body, @body_len: what is sent; NULL for none
 * @content_type: of @body; NULL: "application/json"
 * @max_body: bytes, for this request instead of the options'; 0: theirs
 * @cut: an answer larger than @max_body is cut there (NetReply.cut) instead of being an error
 * @seed: makes the jitter of back-offs; tasks that run side by side give different ones
 * @timeout: microseconds, for this request instead of the options'; 0: theirs
 * @on_body: sees the body come; NULL: nobody does.  Of redirects too, in net_client_send()
 * @on_body_data: for it; it must live until the reply is handed out, or the client is freed
 */
typedef struct
{
  const char *url;
  const char *method;
  const char *const *headers;
  const char *bearer;
  const char *const *secret_headers;
  const char *body;
  gsize body_len;
  const char *content_type;
  guint64 max_body;
  gboolean cut;
  guint64 seed;
  gint64 timeout;
  NetOnBody on_body;
  gpointer on_body_data;
} NetRequest;

/**
 * NetFault: why there is no answer.
 * @NET_FAULT_REFUSED_ADDRESS: by the address policy
 * @NET_FAULT_LENGTH: the connection ended before Content-Length, or in the middle of a chunk
 */
typedef enum
{
  NET_FAULT_NONE = 0,
  NET_FAULT_RESOLVE,
  NET_FAULT_CONNECT,
  NET_FAULT_REFUSED_ADDRESS,
  NET_FAULT_TLS,
  NET_FAULT_TIMEOUT,
  NET_FAULT_STALLED,
  NET_FAULT_TOO_LARGE,
  NET_FAULT_LENGTH,
  NET_FAULT_PROTOCOL,
  NET_FAULT_REDIRECTS,
  NET_FAULT_OTHER
} NetFault;

/**
 * NetReply:
 * @tag: as given to net_client_start()
 * @url: where it came from, after redirects
 * @status: 200, 404, …; 0 when no answer came (@error says why)
 * @headers: "name", "value", "name", "value", …, names in lower case, as they came; see
 * net_reply_header()
 * @body: decompressed (gzip, brotli, zstd, as libcurl has it); never NULL; a NUL lies behind it
 * @cut: @body was cut at NetRequest.max_body, or where NetRequest.on_body had enough
 * @redirects: how many were followed
 * @attempts: how many requests it took, redirects aside
 * @started: g_get_real_time() of the last attempt
 * @duration: microseconds the last attempt took
 * @ended: g_get_monotonic_time() when it was over
 * @fault, @error: set together when no whole answer came; FR_ERROR_TRANSIENT, FR_ERROR_IO or
 * FR_ERROR_DATA
 */
struct _NetReply
{
  gpointer tag;
  char *url;
  guint status;
  GPtrArray *headers;
  GByteArray *body;
  gboolean cut;
  guint redirects;
  guint attempts;
  gint64 started;
  gint64 duration;
  gint64 ended;
  NetFault fault;
  GError *error;
};

/** net_client_new: @options NULL: all defaults. NULL with FR_ERROR_CONFIG (a proxy that is none) or
 * FR_ERROR_LOAD. */
NetClient *net_client_new (const NetOptions *options, GError **error);
/** net_client_free: transfers not yet waited for are dropped. */
void net_client_free (NetClient *client);

/**
 * net_client_send: asks and waits, follows redirects and retries as the options say.
 *
 * Any status that came is a reply, 404 and 500 too (after the retries where it may pass): see
 * net_reply_check(). Returns NULL with FR_ERROR_CANCELLED, FR_ERROR_CONFIG (a URL that is none),
 * FR_ERROR_TRANSIENT (failed, may pass; all retries used), FR_ERROR_IO (failed, will not pass: the
 * address refused, the certificate wrong) or FR_ERROR_DATA (too large, cut short, no HTTP).  Not
 * while transfers of net_client_start() run.
 */
NetReply *net_client_send (NetClient *client, const NetRequest *request, GCancellable *cancellable,
                           GError **error);

/**
 * net_client_start: begins a transfer: one attempt, no redirect followed.
 * @tag: the caller's, to know the reply by
 *
 * Of @request nothing is kept.  FALSE with FR_ERROR_CONFIG when the URL is none.
 */
gboolean net_client_start (NetClient *client, const NetRequest *request, gpointer tag,
                           GError **error);
/** net_client_running: transfers begun whose reply was not yet handed out. */
guint net_client_running (const NetClient *client);
/**
 * net_client_wait: the next reply, at most @microseconds from now (0: only look; -1: for ever).
 * When none comes it returns that many microseconds later, not a millisecond more.
 *
 * A failed transfer is a reply too: look at its error.  NULL without @error when the time is over
 * or nothing runs, with FR_ERROR_CANCELLED when @cancellable fired.
 */
NetReply *net_client_wait (NetClient *client, gint64 microseconds, GCancellable *cancellable,
                           GError **error);

void net_reply_free (NetReply *reply);
/** net_reply_header: the value of the last header @name (lower case); several values of a list are
 * the caller's to join; NULL. */
const char *net_reply_header (const NetReply *reply, const char *name);
/** net_reply_is_transient: a fault that may pass, or status 408, 425, 429, 500, 502, 503, 504. */
gboolean net_reply_is_transient (const NetReply *reply);
/**
 * net_reply_retry_after: microseconds from now that Retry-After asks to wait (seconds or a date;
 * RFC 9110, 10.2.3); -1: it says nothing that can be understood.
 */
gint64 net_reply_retry_after (const NetReply *reply);
/**
 * net_reply_check: FALSE unless the status is 2xx.
 * @request: what was asked; its secrets are taken out of the text
 * @error: FR_ERROR_TRANSIENT or FR_ERROR_IO: "POST https://host/path: 429 Too Many Requests", with
 * the first 200 characters of an answer in text or JSON
 */
gboolean net_reply_check (const NetReply *reply, const NetRequest *request, GError **error);

/** net_backoff: microseconds before retry @attempt (from 1): @base · 2^(attempt−1), at most @max,
 * of which the second half is by chance (@seed, which with @attempt decides). */
gint64 net_backoff (guint attempt, gint64 base, gint64 max, guint64 seed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetClient, net_client_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetReply, net_reply_free)

G_END_DECLS

#endif
