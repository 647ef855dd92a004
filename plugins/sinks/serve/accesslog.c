/* SPDX-License-Identifier: Apache-2.0 */
/* accesslog.c: a request's line (accesslog.h). */
#include "config.h"

#include "accesslog.h"

#include <flowrun/batch.h>
#include <flowrun/json.h>
#include <string.h>

#define BUFFER (4 * 1024 * 1024)
#define MODE 0640
#define MODE_TEXT 0600 /* with what people wrote */

struct _ServeAccessLog
{
  const ServeAccessConfig *config;
  ServeLines *lines;
};

ServeAccessLog *
serve_access_open (const ServeAccessConfig *config, const ServeTeller *teller, GError **error)
{
  ServeAccessLog *log;
  ServeLines *lines;

  if (config->path == NULL)
    return NULL;
  lines = serve_lines_open (config->path, "the access log", config->text ? MODE_TEXT : MODE, BUFFER,
                            teller, error);
  if (lines == NULL)
    return NULL;
  log = g_new0 (ServeAccessLog, 1);
  log->config = config;
  log->lines = lines;
  return log;
}

void
serve_access_close (ServeAccessLog *log)
{
  if (log == NULL)
    return;
  serve_lines_close (log->lines);
  g_free (log);
}

gboolean
serve_access_wants_text (ServeAccessLog *log)
{
  return log != NULL && log->config->text;
}

/* ---- a line ------------------------------------------------------------------------------------
 */

static void
add_key (GString *out, const char *key)
{
  if (out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  g_string_append_c (out, '"');
  g_string_append (out, key);
  g_string_append (out, "\":");
}

static void
add_text (GString *out, const char *key, const char *text)
{
  g_autofree char *valid = NULL;

  if (text == NULL)
    return;
  if (!g_utf8_validate (text, -1, NULL))
    text = valid = g_utf8_make_valid (text, -1);
  add_key (out, key);
  fr_json_append_string (out, text, strlen (text));
}

static void
add_count (GString *out, const char *key, guint64 n)
{
  add_key (out, key);
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, n);
}

static void
add_ms (GString *out, const char *key, gint64 us)
{
  us = MAX (us, 0);
  add_key (out, key);
  g_string_append_printf (out, "%" G_GINT64_FORMAT ".%03d", us / 1000, (int) (us % 1000));
}

/* What is only known of an answer. */
static void
add_answer (GString *out, const ServeRecord *record)
{
  add_count (out, "prompt_tokens", record->prompt_tokens);
  if (record->cached_tokens > 0)
    add_count (out, "cached_tokens", record->cached_tokens);
  add_count (out, "answer_tokens", record->answer_tokens);
  if (record->first_us > 0)
    {
      add_ms (out, "queue_ms", record->queue_us);
      add_ms (out, "first_ms", record->first_us);
    }
}

void
serve_access_append (GString *out, const ServeRecord *record, gboolean text, gboolean address)
{
  g_string_append (out, "{\"time\":\"");
  fr_timestamp_append (out, record->wall);
  g_string_append_c (out, '"');
  add_text (out, "id", record->id);
  add_text (out, "client", record->key);
  add_text (out, "method", record->method);
  add_text (out, "route", record->route);
  add_count (out, "status", record->status);
  add_text (out, "error", record->error);
  add_text (out, "model", record->model);
  add_text (out, "revision", record->revision);
  if (record->stream)
    {
      add_key (out, "stream");
      g_string_append (out, "true");
    }
  add_text (out, "cache", serve_cache_word (record->cache));
  if (record->revision != NULL)
    add_answer (out, record);
  add_text (out, "stop", record->stop);
  add_ms (out, "total_ms", record->total_us);
  if (address)
    add_text (out, "address", record->address);
  if (text)
    {
      add_text (out, "request", record->request_text);
      add_text (out, "answer", record->answer_text);
    }
  g_string_append (out, "}\n");
}

void
serve_access_write (ServeAccessLog *log, const ServeRecord *record)
{
  g_autoptr (GString) line = NULL;

  if (log == NULL)
    return;
  line = g_string_sized_new (512);
  serve_access_append (line, record, log->config->text, log->config->address);
  serve_lines_add (log->lines, line->str, line->len);
}

void
serve_access_counts (ServeAccessLog *log, ServeLinesCounts *counts)
{
  memset (counts, 0, sizeof *counts);
  if (log != NULL)
    serve_lines_counts (log->lines, counts);
}
