/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: pages out of web archives: for extraction without the network, and for asking servers
 * only for what has changed since.
 *
 * A response is held back for one record, for the metadata record that may
 * follow it says where the crawl came from.
 */
#include "config.h"

#include "crawl.h"

#include <string.h>

/* ---- what a revisit revisits ---------------------------------------------------------- */

/* The answer in @record; a revisit gets the body of what it refers to out of @bodies. NULL: nothing
 * to be had. */
static Answer *
read_record (const WarcRecord *record, Store *bodies, const char **fault, GError **error)
{
  g_autoptr (Answer) answer = warc_http (record, fault), earlier = NULL;
  const char *uri = record->refers_to_uri ? record->refers_to_uri : record->uri;

  if (answer == NULL || strcmp (record->type, "revisit") != 0)
    return g_steal_pointer (&answer);
  if (uri == NULL || !store_has (bodies, uri))
    {
      *fault = "it revisits a record that is in none of the archives read before";
      return NULL;
    }
  earlier = store_get (bodies, uri, error);
  if (earlier == NULL)
    return NULL;
  if (answer->status == 304)
    {
      /* Not modified: status and headers are those of then. */
      g_free (earlier->url);
      earlier->url = g_steal_pointer (&answer->url);
      earlier->fetched = answer->fetched;
      return g_steal_pointer (&earlier);
    }
  g_byte_array_unref (answer->body);
  answer->body = g_byte_array_ref (earlier->body);
  return g_steal_pointer (&answer);
}

static gboolean
is_answer (const WarcRecord *record)
{
  return (g_strcmp0 (record->type, "response") == 0 || g_strcmp0 (record->type, "revisit") == 0)
         && record->uri
         && (g_ascii_strncasecmp (record->uri, "http://", 7) == 0
             || g_ascii_strncasecmp (record->uri, "https://", 8) == 0);
}

/* ---- since ------------------------------------------------------------------------------ */

Store *
replay_load (char *const *paths, const char *dir, FrHost *host, GError **error)
{
  g_autofree char *folder = g_build_filename (dir, "since", NULL);
  g_autoptr (GPtrArray) there = g_ptr_array_new ();
  g_autoptr (WarcReader) reader = NULL;
  g_autoptr (Store) store = NULL;
  g_autoptr (GError) failure = NULL;
  WarcEvent event;

  if (g_mkdir_with_parents (folder, 0777) != 0
      || (store = store_open (folder, TRUE, error)) == NULL)
    return NULL;
  for (; *paths; paths++)
    if (strpbrk (*paths, "*?[") || g_file_test (*paths, G_FILE_TEST_EXISTS))
      g_ptr_array_add (there, *paths);
    else
      fr_host_info (host, "there is no %s yet: everything is asked for", *paths);
  g_ptr_array_add (there, NULL);
  if (there->len == 1)
    return g_steal_pointer (&store);
  reader = warc_reader_new ((const char *const *) there->pdata, fr_host_cancellable (host), error);
  if (reader == NULL)
    return NULL;
  for (;;)
    {
      g_auto (WarcRecord) record = { 0 };
      g_autoptr (Answer) answer = NULL;
      const char *fault;

      event = warc_reader_next (reader, &record, &failure);
      if (event == WARC_END)
        break;
      if (event == WARC_FAULT)
        {
          fr_host_count (host, "since_records_damaged", 1);
          continue;
        }
      if (!is_answer (&record))
        continue;
      answer = read_record (&record, store, &fault, &failure);
      if (failure)
        break;
      if (answer && answer->status == 200 && !store_put (store, answer, &failure))
        break;
    }
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  return g_steal_pointer (&store);
}

/* ---- instead of a crawl -------------------------------------------------------------------- */

typedef struct
{
  const Settings *settings;
  FrHost *host;
  Rows *rows;
  Store *bodies;       /* what revisit records refer to */
  GHashTable *origins; /* where a redirect led → where the redirects began */
  Answer *held;
  char *held_id;
  gboolean held_unchanged;
} Replay;

static gboolean
is_support (const Answer *answer, const char *hops)
{
  const char *path;

  if (hops && *hops)
    return strchr ("PM", hops[strlen (hops) - 1]) != NULL;
  path = strchr (answer->url + 8, '/');
  return path && strcmp (path, "/robots.txt") == 0;
}

static gint64
depth_of (const char *hops)
{
  gint64 depth = 0;

  for (; hops && *hops; hops++)
    depth += *hops == 'L';
  return depth;
}

static void
note_redirect (Replay *r, const Answer *answer)
{
  const char *location = answer_header (answer, "location"), *origin;
  g_auto (NetUrl) from = { 0 }, to = { 0 };

  if (location == NULL || answer->status < 300 || answer->status > 399
      || !net_url_parse (answer->url, strlen (answer->url), NULL, NULL, 0, &from, NULL)
      || !net_url_parse (location, strlen (location), &from, NULL, 0, &to, NULL))
    return;
  origin = g_hash_table_lookup (r->origins, answer->url);
  if (!g_hash_table_contains (r->origins, to.text))
    g_hash_table_insert (r->origins, g_steal_pointer (&to.text),
                         g_strdup (origin ? origin : answer->url));
}

/* The answer held back, now that its metadata is known or is known not to come. */
static FrFlow
let_go (Replay *r, FrStr metadata, GError **error)
{
  g_autoptr (Answer) answer = g_steal_pointer (&r->held);
  g_autofree char *via = NULL, *hops = NULL, *type = NULL;
  g_autoptr (Page) page = NULL;
  const char *origin;
  RowFacts facts = { 0 };

  g_clear_pointer (&r->held_id, g_free);
  if (answer == NULL)
    return FR_FLOW_OK;
  if (metadata.len)
    {
      via = warc_field (metadata, "via");
      hops = warc_field (metadata, "hopsFromSeed");
    }
  if (is_support (answer, hops))
    return FR_FLOW_OK;
  note_redirect (r, answer);
  if (answer->status < 200 || answer->status > 299)
    {
      fr_host_count (r->host, "records_of_other_status", 1);
      return FR_FLOW_OK;
    }
  page = page_read (answer, answer->url, r->settings);
  if (page == NULL)
    {
      fr_host_count (r->host, "pages_of_other_types", 1);
      return FR_FLOW_OK;
    }
  origin = g_hash_table_lookup (r->origins, answer->url);
  facts = (RowFacts){ origin ? origin : answer->url, answer->url, via,
                      hops           ? depth_of (hops)
                      : metadata.len ? 0
                                     : -1,
                      r->held_unchanged };
  return rows_page (r->rows, answer, page, &facts, NULL, error);
}

static void
reject_record (Replay *r, const char *where, const char *uri, const char *rule, const char *fault)
{
  rows_reject (r->rows, uri ? uri : where, rule, "%s: %s", where, fault);
}

static FrFlow
take (Replay *r, WarcReader *reader, const WarcRecord *record, GError **error)
{
  const char *fault = NULL;
  g_autoptr (GError) failure = NULL;
  gboolean follows = g_strcmp0 (record->type, "metadata") == 0 && r->held_id
                     && g_strcmp0 (record->concurrent_to, r->held_id) == 0;
  FrFlow flow = let_go (r, follows ? record->block : (FrStr){ NULL, 0 }, error);

  if (flow != FR_FLOW_OK || !is_answer (record))
    return flow;
  r->held = read_record (record, r->bodies, &fault, &failure);
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FR_FLOW_ERROR;
    }
  if (r->held == NULL)
    {
      reject_record (r, warc_reader_where (reader), record->uri, "warc_record", fault);
      return FR_FLOW_OK;
    }
  r->held_id = g_strdup (record->id);
  r->held_unchanged = record->profile && strstr (record->profile, "server-not-modified") != NULL;
  if (strcmp (record->type, "response") == 0 && r->held->body->len
      && !store_put (r->bodies, r->held, error))
    return FR_FLOW_ERROR;
  return FR_FLOW_OK;
}

static FrFlow
replay_all (Replay *r, WarcReader *reader, GError **error)
{
  for (;;)
    {
      g_auto (WarcRecord) record = { 0 };
      GError *failure = NULL;
      WarcEvent event = warc_reader_next (reader, &record, &failure);
      FrFlow flow = FR_FLOW_OK;
      guint64 done, total;

      if (failure)
        {
          g_propagate_error (error, failure);
          return FR_FLOW_ERROR;
        }
      if (event == WARC_END)
        return let_go (r, (FrStr){ NULL, 0 }, error);
      if (fr_host_is_cancelled (r->host))
        return FR_FLOW_CANCELLED;
      if (event == WARC_FAULT)
        reject_record (r, warc_reader_where (reader), NULL, "warc_damaged", record.fault);
      else
        flow = take (r, reader, &record, error);
      if (flow != FR_FLOW_OK)
        return flow;
      warc_reader_progress (reader, &done, &total);
      fr_host_progress (r->host, done, total, "bytes");
    }
}

FrFlow
replay_run (const Settings *settings, FrHost *host, GError **error)
{
  Replay r = { .settings = settings, .host = host };
  const char *spill = fr_host_spill_dir (host, error);
  g_autoptr (WarcReader) reader = NULL;
  g_autoptr (Store) bodies = spill ? store_open (spill, TRUE, error) : NULL;
  g_autoptr (Rows) rows = NULL;
  g_autoptr (GHashTable) origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  FrFlow flow;

  if (bodies == NULL)
    return FR_FLOW_ERROR;
  reader
      = warc_reader_new ((const char *const *) settings->warc, fr_host_cancellable (host), error);
  if (reader == NULL)
    return FR_FLOW_ERROR;
  rows = rows_new (settings, host);
  r.rows = rows;
  r.bodies = bodies;
  r.origins = origins;
  flow = replay_all (&r, reader, error);
  answer_free (r.held);
  g_free (r.held_id);
  return flow == FR_FLOW_OK ? rows_flush (rows, error) : flow;
}
