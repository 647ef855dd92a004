/* SPDX-License-Identifier: Apache-2.0 */
/* remote.c: translators behind HTTP (remote.h).
 *
 *   items --groups of one pair--> queue --concurrency, rate--> in flight --answer--> done
 *                                   ^------ back-off, Retry-After, halves ------'
 *
 * What becomes of an answer:
 *
 *   no connection, 408 425 429 5xx    the group waits and is tried again; after `tries` the call
 * fails 401 403 404 405, a redirect       the call fails at once: address or key are wrong other
 * 4xx, an error object        the texts are asked one by one; one alone is refused wrong count the
 * same no JSON, other members            tried again; then one by one; one alone is refused
 *
 * A translator that has refused or garbled MANY_BAD texts in a row, or every text so far, is not
 * choosy but broken: the call fails.
 */
#include "config.h"

#include "translators/remote.h"

#include <string.h>

#include "net/http.h"
#include "text/normal.h"

#define MANY_BAD 5
#define BACKOFF (500 * G_TIME_SPAN_MILLISECOND)
#define BACKOFF_MAX G_TIME_SPAN_MINUTE
#define RETRY_AFTER_MAX (15 * G_TIME_SPAN_MINUTE) /* who asks for more is not waited for */
#define QUOTED 160                                /* bytes of a service's words in a message */

typedef struct
{
  TranslatorItem **items;
  gsize n;
  guint attempts;
  gint64 not_before; /* monotonic */
  guint64 seed;
} Group;

struct _Translator
{
  const RemoteProtocol *protocol;
  const TranslatorSettings *settings;
  FrHost *host;
  NetClient *client;
  char *url;
  GQueue waiting;      /* Group */
  GHashTable *running; /* set of Group */
  gint64 next_start;   /* monotonic: by the rate, and by what the server asked for */
  guint n_bad;         /* texts refused or garbled since the last good one */
  guint64 n_good, n_requests, n_retries, n_split, n_refused, bytes_sent, bytes_received;
  gint64 waited;
};

/* ---- check ------------------------------------------------------------------------------------
 */

gboolean
remote_check (const RemoteProtocol *protocol, const TranslatorSettings *s, FrBind *bind)
{
  gboolean ok = TRUE;

  if (s->url == NULL)
    {
      fr_bind_problem (bind, "/url",
                       "%s is asked over HTTP: its address is needed here, such as "
                       "\"http://127.0.0.1:5000\"",
                       protocol->name);
      ok = FALSE;
    }
  else if (translator_reach (s->url) == TRANSLATOR_REACH_NONE)
    {
      fr_bind_problem (bind, "/url", "expected an http or https address, found '%s'", s->url);
      ok = FALSE;
    }
  if (s->path != NULL)
    fr_bind_warn (bind, "/dictionary", "%s has no use for a dictionary", protocol->name);
  return ok;
}

char *
remote_identity (const char *name, int revision, const TranslatorSettings *s)
{
  return g_strdup_printf ("%s %d %s", name, revision, s->version != NULL ? s->version : s->url);
}

/* ---- groups -----------------------------------------------------------------------------------
 */

static Group *
group_new (TranslatorItem *const *items, gsize n)
{
  Group *g = g_new0 (Group, 1);

  g->items = g_memdup2 (items, n * sizeof *items);
  g->n = n;
  g->seed = (guint64) items[0]->text.len * 31 + n;
  return g;
}

static void
group_free (gpointer data)
{
  Group *g = data;

  g_free (g->items);
  g_free (g);
}

static gboolean
same_pair (const TranslatorItem *a, const TranslatorItem *b)
{
  return strcmp (a->from, b->from) == 0 && strcmp (a->to, b->to) == 0 && a->seed == b->seed;
}

static guint
n_running (const Translator *t)
{
  return g_hash_table_size (t->running);
}

/* Neighbours of one pair, up to the limits. */
static void
make_groups (Translator *t, TranslatorItem *items, gsize n)
{
  const TranslatorSettings *s = t->settings;
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  gsize chars = 0;

  for (gsize i = 0; i < n; i++)
    {
      gsize more = text_n_chars (items[i].text);

      if (open->len > 0
          && (!same_pair (open->pdata[0], &items[i]) || open->len >= (gsize) s->batch_texts
              || chars + more > (gsize) s->batch_chars))
        {
          g_queue_push_tail (&t->waiting,
                             group_new ((TranslatorItem *const *) open->pdata, open->len));
          g_ptr_array_set_size (open, 0);
          chars = 0;
        }
      g_ptr_array_add (open, &items[i]);
      chars += more;
    }
  if (open->len > 0)
    g_queue_push_tail (&t->waiting, group_new ((TranslatorItem *const *) open->pdata, open->len));
}

/* The texts of a group one by one, before all others; the group is spent. */
static void
split (Translator *t, Group *g, guint attempts)
{
  t->n_split++;
  for (gsize i = g->n; i-- > 0;)
    {
      Group *one = group_new (&g->items[i], 1);

      one->attempts = attempts;
      g_queue_push_head (&t->waiting, one);
    }
  group_free (g);
}

/* ---- words for people -------------------------------------------------------------------------
 */

/* What a service said, in one line, without our key. */
static char *
quote (const Translator *t, const char *text, gsize len)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) MIN (len, 4 * QUOTED));
  g_autoptr (GString) out = g_string_new (NULL);

  for (const char *p = valid; *p != '\0' && out->len < QUOTED; p = g_utf8_next_char (p))
    if (!g_unichar_iscntrl (g_utf8_get_char (p)) && !g_unichar_isspace (g_utf8_get_char (p)))
      g_string_append_unichar (out, g_utf8_get_char (p));
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  if (t->settings->key != NULL && *t->settings->key != '\0')
    g_string_replace (out, t->settings->key, "…", 0);
  return g_strdup (g_strstrip (out->str));
}

static gboolean
fail (Translator *t, FrError code, const char *what, const char *advice, GError **error)
{
  g_set_error (error, FR_ERROR, code, "%s at %s: %s%s%s", t->protocol->name, t->url, what,
               advice != NULL ? "; " : "", advice != NULL ? advice : "");
  return FALSE;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

typedef struct
{
  TranslatorDone done;
  gpointer data;
} Caller;

static gboolean
deliver (const Group *g, const Caller *caller, GError **error)
{
  return caller->done (caller->data, g->items, g->n, error);
}

/* The one text of @g is refused; too many of them, and it is the translator that is wrong. */
static gboolean
refuse (Translator *t, Group *g, const Caller *caller, const char *rule, const char *why,
        GError **error)
{
  g_autofree char *words = quote (t, why, strlen (why));

  t->n_bad++;
  t->n_refused++;
  if (t->n_bad >= MANY_BAD || (t->n_good == 0 && strcmp (rule, "bad_answer") == 0))
    {
      g_autofree char *what
          = g_strdup_printf (strcmp (rule, "bad_answer") == 0 ? "it answers nonsense (%s)"
                                                              : "it refuses every text (%s)",
                             words);

      group_free (g);
      return fail (t, FR_ERROR_DATA, what, "is this the right address, key and language pair?",
                   error);
    }
  translator_item_refuse (g->items[0], rule, "%s", words);
  if (!deliver (g, caller, error))
    {
      group_free (g);
      return FALSE;
    }
  group_free (g);
  return TRUE;
}

/* Puts @g back for another try, if one is left; takes it. */
static gboolean
again (Translator *t, Group *g, gint64 asked, gboolean everybody, const char *why, GError **error)
{
  gint64 now = g_get_monotonic_time (), pause;

  if (g->attempts >= (guint) t->settings->tries || asked > RETRY_AFTER_MAX)
    {
      g_autofree char *what
          = asked > RETRY_AFTER_MAX
                ? g_strdup_printf ("%s, and it asks to wait %" G_GINT64_FORMAT " minutes", why,
                                   asked / G_TIME_SPAN_MINUTE)
                : g_strdup_printf ("%s, after %u tries", why, g->attempts);

      group_free (g);
      return fail (t, FR_ERROR_TRANSIENT, what,
                   "what was translated is kept: run again when the service is back", error);
    }
  pause = MAX (asked, net_backoff (g->attempts, BACKOFF, BACKOFF_MAX, g->seed));
  g->not_before = now + pause;
  if (everybody)
    t->next_start = MAX (t->next_start, now + pause);
  t->n_retries++;
  t->waited += pause;
  g_queue_push_tail (&t->waiting, g);
  return TRUE;
}

/* An answer of the kind that this protocol gives, or not. */
static gboolean
take_body (Translator *t, Group *g, const NetReply *reply, const Caller *caller, GError **error)
{
  g_autofree char *why = NULL;
  RemoteVerdict verdict = t->protocol->read ((const char *) reply->body->data, reply->body->len,
                                             g->items, g->n, &why);
  gboolean ok;

  switch (verdict)
    {
    case REMOTE_OK:
      t->n_good += g->n;
      t->n_bad = 0;
      ok = deliver (g, caller, error);
      group_free (g);
      return ok;
    case REMOTE_NONSENSE:
      if (g->attempts < (guint) t->settings->tries)
        return again (t, g, 0, FALSE, why, error);
      if (g->n == 1 || t->n_good == 0)
        return refuse (t, g, caller, "bad_answer", why, error);
      split (t, g, (guint) t->settings->tries - 1);
      return TRUE;
    default:
      if (g->n == 1)
        return refuse (t, g, caller, verdict == REMOTE_REFUSED ? "refused" : "bad_answer", why,
                       error);
      split (t, g, 0);
      return TRUE;
    }
}

/* What the service says of a status that is no success: its own error text, or the first words. */
static char *
said (Translator *t, const NetReply *reply)
{
  TranslatorItem none = { 0 }, *items[] = { &none };
  g_autofree char *why = NULL;
  RemoteVerdict verdict
      = t->protocol->read ((const char *) reply->body->data, reply->body->len, items, 1, &why);

  translator_item_clear (&none);
  if (verdict == REMOTE_REFUSED)
    return quote (t, why, strlen (why));
  return quote (t, (const char *) reply->body->data, reply->body->len);
}

static gboolean
take_status (Translator *t, Group *g, const NetReply *reply, const Caller *caller, GError **error)
{
  g_autofree char *words = said (t, reply);
  g_autofree char *what
      = g_strdup_printf ("status %u%s%s", reply->status, *words != '\0' ? ": " : "", words);
  guint status = reply->status;

  if (net_reply_is_transient (reply))
    return again (t, g, net_reply_retry_after (reply), status == 429 || status == 503, what, error);
  if (status >= 400 && status < 500 && status != 401 && status != 403 && status != 404
      && status != 405)
    {
      if (g->n == 1)
        return refuse (t, g, caller, "refused", what, error);
      split (t, g, 0);
      return TRUE;
    }
  group_free (g);
  return fail (t, FR_ERROR_CONFIG, what,
               status == 401 || status == 403 ? "is the key right?"
               : status / 100 == 3            ? "it sends elsewhere: give the final address"
                                              : "is the address right?",
               error);
}

static gboolean
take_fault (Translator *t, Group *g, const NetReply *reply, const Caller *caller, GError **error)
{
  const char *why = reply->error->message;

  /* An endless answer, one without an end, one that is no HTTP: as good as no JSON. */
  if (reply->fault == NET_FAULT_TOO_LARGE || reply->fault == NET_FAULT_PROTOCOL)
    {
      if (g->attempts < (guint) t->settings->tries)
        return again (t, g, 0, FALSE, why, error);
      if (g->n == 1 || t->n_good == 0)
        return refuse (t, g, caller, "bad_answer", why, error);
      split (t, g, (guint) t->settings->tries - 1);
      return TRUE;
    }
  if (reply->fault == NET_FAULT_TLS || reply->fault == NET_FAULT_REFUSED_ADDRESS)
    {
      group_free (g);
      return fail (t, FR_ERROR_IO, why, NULL, error);
    }
  return again (t, g, 0, reply->fault == NET_FAULT_CONNECT, why, error);
}

static gboolean
take_reply (Translator *t, NetReply *reply, const Caller *caller, GError **error)
{
  Group *g = reply->tag;

  g_hash_table_steal (t->running, g);
  t->bytes_received += reply->body != NULL ? reply->body->len : 0;
  if (reply->error != NULL)
    return take_fault (t, g, reply, caller, error);
  if (reply->status / 100 == 2)
    return take_body (t, g, reply, caller, error);
  return take_status (t, g, reply, caller, error);
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static gboolean
start (Translator *t, Group *g, gint64 now, GError **error)
{
  g_autoptr (GString) body = g_string_new (NULL);
  NetRequest request = { .url = t->url, .content_type = "application/json", .seed = g->seed };

  t->protocol->write (t->settings, g->items, g->n, body);
  request.body = body->str;
  request.body_len = body->len;
  request.bearer = t->protocol->bearer ? t->settings->key : NULL;
  g->attempts++;
  if (!net_client_start (t->client, &request, g, error))
    {
      group_free (g);
      return FALSE;
    }
  g_hash_table_add (t->running, g);
  t->n_requests++;
  t->bytes_sent += body->len;
  if (t->settings->rate > 0)
    t->next_start
        = MAX (t->next_start, now) + (gint64) ((double) G_USEC_PER_SEC / t->settings->rate);
  return TRUE;
}

/* Starts what may start now; @next: microseconds until more may, -1 for not before an answer. */
static gboolean
start_ready (Translator *t, gint64 *next, GError **error)
{
  *next = -1;
  while (n_running (t) < (guint) t->settings->concurrency && t->waiting.length > 0)
    {
      gint64 now = g_get_monotonic_time (), earliest = G_MAXINT64;
      GList *ready = NULL;

      for (GList *l = t->waiting.head; l != NULL && ready == NULL; l = l->next)
        {
          const Group *g = l->data;

          earliest = MIN (earliest, g->not_before);
          ready = g->not_before <= now ? l : NULL;
        }
      earliest = MAX (earliest, t->next_start);
      if (ready == NULL || t->next_start > now)
        {
          *next = MAX (earliest - now, 0) + 1000;
          return TRUE;
        }
      else
        {
          Group *g = ready->data;

          g_queue_delete_link (&t->waiting, ready);
          if (!start (t, g, now, error))
            return FALSE;
        }
    }
  return TRUE;
}

/* What is in flight has been paid for: its answers are still taken when the call has failed. */
static void
drain (Translator *t, const Caller *caller)
{
  while (n_running (t) > 0)
    {
      g_autoptr (NetReply) reply
          = net_client_wait (t->client, t->settings->timeout, fr_host_cancellable (t->host), NULL);
      g_autofree char *why = NULL;
      Group *g;

      if (reply == NULL)
        break;
      g = reply->tag;
      g_hash_table_steal (t->running, g);
      if (reply->error == NULL && reply->status / 100 == 2
          && t->protocol->read ((const char *) reply->body->data, reply->body->len, g->items, g->n,
                                &why)
                 == REMOTE_OK)
        deliver (g, caller, NULL);
      group_free (g);
    }
}

static gboolean
loop (Translator *t, const Caller *caller, GError **error)
{
  while (t->waiting.length > 0 || n_running (t) > 0)
    {
      g_autoptr (NetReply) reply = NULL;
      GError *fault = NULL;
      gint64 next;

      if (!start_ready (t, &next, error))
        return FALSE;
      if (n_running (t) == 0)
        {
          if (next >= 0 && !fr_host_sleep (t->host, next))
            {
              g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
              return FALSE;
            }
          continue;
        }
      reply = net_client_wait (t->client, next, fr_host_cancellable (t->host), &fault);
      if (fault != NULL)
        {
          g_propagate_error (error, fault);
          return FALSE;
        }
      if (reply != NULL && !take_reply (t, reply, caller, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static NetClient *
new_client (const TranslatorSettings *s, GError **error)
{
  /* The address is the pipeline's own choice and redirects are not followed: private ones are fine.
   */
  NetOptions options = { .allow_private = TRUE,
                         .timeout = s->timeout,
                         .connect_timeout = MIN (s->timeout, 15 * G_USEC_PER_SEC),
                         .stall_timeout = s->timeout,
                         .max_body = s->max_answer,
                         .connections = (guint) s->concurrency,
                         .host_connections = (guint) s->concurrency };

  return net_client_new (&options, error);
}

Translator *
remote_open (const RemoteProtocol *protocol, const TranslatorSettings *s, FrHost *host,
             GError **error)
{
  NetClient *client = new_client (s, error);
  gsize len = strlen (s->url);
  Translator *t;

  if (client == NULL)
    return NULL;
  while (len > 0 && s->url[len - 1] == '/')
    len--;
  t = g_new0 (Translator, 1);
  t->protocol = protocol;
  t->settings = s;
  t->host = host;
  t->client = client;
  t->url = g_strdup_printf ("%.*s%s", (int) len, s->url, protocol->path);
  g_queue_init (&t->waiting);
  t->running = g_hash_table_new_full (NULL, NULL, group_free, NULL);
  return t;
}

gboolean
remote_translate (Translator *t, TranslatorItem *items, gsize n, TranslatorDone done, gpointer data,
                  GError **error)
{
  Caller caller = { done, data };
  gboolean ok;

  if (t->client == NULL)
    t->client = new_client (t->settings, error);
  if (t->client == NULL)
    return FALSE;
  make_groups (t, items, n);
  ok = loop (t, &caller, error);
  if (!ok)
    {
      drain (t, &caller);
      g_queue_clear_full (&t->waiting, group_free);
      /* Cancelled: transfers that nobody waits for end with their client. */
      g_clear_pointer (&t->client, net_client_free);
      g_hash_table_remove_all (t->running);
    }
  return ok;
}

void
remote_report (Translator *t, JsonObject *report)
{
  json_object_set_int_member (report, "requests", (gint64) t->n_requests);
  json_object_set_int_member (report, "retries", (gint64) t->n_retries);
  json_object_set_int_member (report, "requests_split", (gint64) t->n_split);
  json_object_set_int_member (report, "refused", (gint64) t->n_refused);
  json_object_set_double_member (report, "waited_seconds", (double) t->waited / G_USEC_PER_SEC);
  json_object_set_int_member (report, "bytes_sent", (gint64) t->bytes_sent);
  json_object_set_int_member (report, "bytes_received", (gint64) t->bytes_received);
}

void
remote_close (Translator *t)
{
  g_queue_clear_full (&t->waiting, group_free);
  g_clear_pointer (&t->client, net_client_free);
  g_hash_table_unref (t->running);
  g_free (t->url);
  g_free (t);
}
