/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c: what came back: header lines (RFC 9110, section 5; RFC 9112, section 5), what they
 * mean for trying again, and what to tell a person. */
#include "config.h"

#include "http-private.h"
#include "url.h"

#include <string.h>

/* Fields and bytes of a header section that are kept; a server that sends more wants something
 * else. */
#define MAX_FIELDS 256
#define MAX_FIELD (32 * 1024)

NetReply *
net_reply_new (const char *url)
{
  NetReply *reply = g_new0 (NetReply, 1);

  reply->url = g_strdup (url);
  reply->headers = g_ptr_array_new_with_free_func (g_free);
  reply->body = g_byte_array_new ();
  reply->attempts = 1;
  return reply;
}

void
net_reply_free (NetReply *reply)
{
  if (reply == NULL)
    return;
  g_free (reply->url);
  g_ptr_array_unref (reply->headers);
  g_byte_array_unref (reply->body);
  g_clear_error (&reply->error);
  g_free (reply);
}

/* Header values are bytes; those that are no UTF-8 are read as ISO 8859-1 was meant (RFC
 * 9110, 5.5). */
static char *
value_text (const char *text, gsize len)
{
  char *latin;

  if (g_utf8_validate (text, (gssize) len, NULL))
    return g_strndup (text, len);
  latin = g_convert (text, (gssize) len, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
  return latin ? latin : g_utf8_make_valid (text, (gssize) len);
}

static gboolean
is_token (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum (text[i])
        && (text[i] == '\0' || strchr ("!#$%&'*+-.^_`|~", text[i]) == NULL))
      return FALSE;
  return len > 0;
}

void
net_reply_take_line (NetReply *reply, const char *line, gsize len)
{
  const char *colon;
  gsize name;

  while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
    len--;
  if (len >= 5 && g_ascii_strncasecmp (line, "HTTP/", 5) == 0)
    {
      g_ptr_array_set_size (reply->headers, 0);
      return;
    }
  colon = len ? memchr (line, ':', len) : NULL;
  if (colon == NULL || len > MAX_FIELD || reply->headers->len >= 2 * MAX_FIELDS)
    return;
  name = (gsize) (colon - line);
  if (!is_token (line, name) || memchr (line, '\0', len))
    return;
  g_ptr_array_add (reply->headers, g_ascii_strdown (line, (gssize) name));
  line += name + 1;
  len -= name + 1;
  while (len > 0 && (*line == ' ' || *line == '\t'))
    line++, len--;
  while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
    len--;
  g_ptr_array_add (reply->headers, value_text (line, len));
}

const char *
net_reply_header (const NetReply *reply, const char *name)
{
  for (guint i = reply->headers->len; i >= 2; i -= 2)
    if (strcmp (g_ptr_array_index (reply->headers, i - 2), name) == 0)
      return g_ptr_array_index (reply->headers, i - 1);
  return NULL;
}

gboolean
net_reply_is_transient (const NetReply *reply)
{
  switch (reply->fault)
    {
    case NET_FAULT_NONE:
      break;
    case NET_FAULT_RESOLVE:
    case NET_FAULT_CONNECT:
    case NET_FAULT_TIMEOUT:
    case NET_FAULT_STALLED:
    case NET_FAULT_LENGTH:
    case NET_FAULT_OTHER:
      return TRUE;
    case NET_FAULT_REFUSED_ADDRESS:
    case NET_FAULT_TLS:
    case NET_FAULT_TOO_LARGE:
    case NET_FAULT_PROTOCOL:
    case NET_FAULT_REDIRECTS:
    default:
      return FALSE;
    }
  switch (reply->status)
    {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return TRUE;
    default:
      return FALSE;
    }
}

gint64
net_reply_retry_after (const NetReply *reply)
{
  const char *value = net_reply_header (reply, "retry-after");
  gint64 seconds = 0;
  time_t when;

  if (value == NULL || *value == '\0')
    return -1;
  if (g_ascii_isdigit (*value))
    {
      for (; g_ascii_isdigit (*value); value++)
        seconds = MIN (seconds * 10 + (*value - '0'), G_MAXINT32);
      return *value == '\0' ? seconds * G_USEC_PER_SEC : -1;
    }
  when = curl_getdate (value, NULL);
  if (when == (time_t) -1)
    return -1;
  seconds = (gint64) when - g_get_real_time () / G_USEC_PER_SEC;
  return CLAMP (seconds, 0, G_MAXINT32) * G_USEC_PER_SEC;
}

gint64
net_backoff (guint attempt, gint64 base, gint64 max, guint64 seed)
{
  guint shift = MIN (attempt > 0 ? attempt - 1 : 0, 30);
  gint64 whole = base > (max >> shift) ? max : MIN (base << shift, max);
  guint64 x = seed + attempt * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  /* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
  x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  x ^= x >> 31;
  return whole / 2 + (gint64) (x % (guint64) (whole / 2 + 1));
}

/* ---- for a person --------------------------------------------------------------------- */

const char *
net_method (const NetRequest *request)
{
  return request->method ? request->method : request->body ? "POST" : "GET";
}

static const char *
reason (guint status)
{
  static const struct
  {
    guint status;
    const char *text;
  } reasons[] = { { 400, "Bad Request" },
                  { 401, "Unauthorized" },
                  { 402, "Payment Required" },
                  { 403, "Forbidden" },
                  { 404, "Not Found" },
                  { 405, "Method Not Allowed" },
                  { 406, "Not Acceptable" },
                  { 407, "Proxy Authentication Required" },
                  { 408, "Request Timeout" },
                  { 409, "Conflict" },
                  { 410, "Gone" },
                  { 413, "Content Too Large" },
                  { 414, "URI Too Long" },
                  { 415, "Unsupported Media Type" },
                  { 422, "Unprocessable Content" },
                  { 429, "Too Many Requests" },
                  { 451, "Unavailable For Legal Reasons" },
                  { 500, "Internal Server Error" },
                  { 501, "Not Implemented" },
                  { 502, "Bad Gateway" },
                  { 503, "Service Unavailable" },
                  { 504, "Gateway Timeout" } };

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].status == status)
      return reasons[i].text;
  return "";
}

/* Each occurrence of the secret, and of what stands behind the colon of a secret header. */
static void
take_out (GString *text, const char *secret)
{
  if (secret && strlen (secret) >= 4)
    g_string_replace (text, secret, "***", 0);
}

static void
quote (const NetReply *reply, const NetRequest *request, GString *out)
{
  const char *type = net_reply_header (reply, "content-type");
  g_autofree char *valid = NULL;
  g_autoptr (GString) text = NULL;

  if (reply->body->len == 0 || type == NULL
      || !(g_str_has_prefix (type, "text/plain") || strstr (type, "json")))
    return;
  /* Secrets go before the cut, so that no half of one is left. */
  valid = g_utf8_make_valid ((const char *) reply->body->data, MIN (reply->body->len, 16384));
  text = g_string_new (valid);
  take_out (text, request->bearer);
  for (guint i = 0; request->secret_headers && request->secret_headers[i]; i++)
    {
      const char *colon = strchr (request->secret_headers[i], ':');

      take_out (text, colon ? colon + 1 + strspn (colon + 1, " ") : NULL);
    }
  for (char *p = text->str; *p; p++)
    if ((guchar) *p < ' ')
      *p = ' ';
  if (g_utf8_strlen (text->str, -1) > 200)
    {
      g_string_truncate (text, (gsize) (g_utf8_offset_to_pointer (text->str, 200) - text->str));
      g_string_append (text, "…");
    }
  g_string_append_printf (out, ": %s", text->str);
}

gboolean
net_reply_check (const NetReply *reply, const NetRequest *request, GError **error)
{
  g_autofree char *shown = net_url_display (reply->url);
  g_autoptr (GString) text = NULL;

  if (reply->error)
    {
      g_propagate_error (error, g_error_copy (reply->error));
      return FALSE;
    }
  if (reply->status >= 200 && reply->status < 300)
    return TRUE;
  text = g_string_new (NULL);
  g_string_append_printf (text, "%s %s: %u %s", net_method (request), shown, reply->status,
                          reason (reply->status));
  while (text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  quote (reply, request, text);
  g_set_error_literal (error, FR_ERROR,
                       net_reply_is_transient (reply) ? FR_ERROR_TRANSIENT : FR_ERROR_IO,
                       text->str);
  return FALSE;
}
