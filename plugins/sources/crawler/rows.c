/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: see rows.h. */
#include "config.h"

#include "rows.h"

#include <string.h>

/* In the order of rows_fill(). */
static const struct
{
  const char *name;
  FrType type;
} columns[] = { { "url", FR_TYPE_UTF8 },
                { "final_url", FR_TYPE_UTF8 },
                { "status", FR_TYPE_INT32 },
                { "title", FR_TYPE_UTF8 },
                { "text", FR_TYPE_UTF8 },
                { "author", FR_TYPE_UTF8 },
                { "date", FR_TYPE_UTF8 },
                { "site", FR_TYPE_UTF8 },
                { "description", FR_TYPE_UTF8 },
                { "keywords", FR_TYPE_UTF8 },
                { "language", FR_TYPE_UTF8 },
                { "kind", FR_TYPE_UTF8 },
                { "confidence", FR_TYPE_FLOAT64 },
                { "content_type", FR_TYPE_UTF8 },
                { "charset", FR_TYPE_UTF8 },
                { "charset_from", FR_TYPE_UTF8 },
                { "fetched_at", FR_TYPE_TIMESTAMP },
                { "last_modified", FR_TYPE_UTF8 },
                { "etag", FR_TYPE_UTF8 },
                { "content_hash", FR_TYPE_UTF8 },
                { "canonical", FR_TYPE_UTF8 },
                { "depth", FR_TYPE_INT32 },
                { "referrer", FR_TYPE_UTF8 },
                { "bytes", FR_TYPE_INT64 },
                { "unchanged", FR_TYPE_BOOL } };

struct _Rows
{
  const Settings *settings;
  FrHost *host;
  FrBuilder *out, *duplicates;
  Known *known;
  guint64 position, n_out;
};

FrSchema *
rows_schema (const Settings *settings, gboolean duplicates)
{
  FrField *fields[G_N_ELEMENTS (columns) + 2];
  guint n = 0;

  for (; n < G_N_ELEMENTS (columns); n++)
    fields[n] = fr_field_new (columns[n].name, columns[n].type);
  if (settings->html)
    fields[n++] = fr_field_new ("html", FR_TYPE_UTF8);
  if (duplicates)
    fields[n++] = fr_field_new ("duplicate_of", FR_TYPE_UTF8);
  return fr_schema_new (fields, n, NULL);
}

Rows *
rows_new (const Settings *settings, FrHost *host)
{
  Rows *rows = g_new0 (Rows, 1);

  rows->settings = settings;
  rows->host = host;
  rows->out = fr_builder_new (fr_host_output (host, "out"));
  rows->duplicates = fr_builder_new (fr_host_output (host, "duplicates"));
  rows->known = known_new ((guint) settings->near_distance, (guint) settings->trap_pages);
  return rows;
}

void
rows_free (Rows *rows)
{
  if (rows == NULL)
    return;
  fr_builder_free (rows->out);
  fr_builder_free (rows->duplicates);
  known_free (rows->known);
  g_free (rows);
}

guint64
rows_count (const Rows *rows)
{
  return rows->n_out;
}

gboolean
rows_closed (const Rows *rows, const char *url)
{
  return known_closed (rows->known, url);
}

/* ---- a row ---------------------------------------------------------------------- */

static void
put (FrBuilder *b, guint *column, const char *text, gssize len)
{
  FrCells *cells = fr_builder_cells (b, (*column)++);
  gsize n = text == NULL ? 0 : len < 0 ? strlen (text) : (gsize) len;

  if (n == 0)
    fr_cells_append_null (cells);
  else if (g_utf8_validate (text, (gssize) n, NULL))
    fr_cells_append_str (cells, text, n);
  else
    {
      g_autofree char *valid = g_utf8_make_valid (text, (gssize) n);

      fr_cells_append_str (cells, valid, strlen (valid));
    }
}

static void
put_str (FrBuilder *b, guint *column, FrStr text)
{
  put (b, column, text.data, (gssize) text.len);
}

static void
put_int (FrBuilder *b, guint *column, gint64 value)
{
  fr_cells_append_int (fr_builder_cells (b, (*column)++), value);
}

static void
rows_fill (FrBuilder *b, const Settings *settings, const Answer *answer, const Page *page,
           const RowFacts *facts, const char *hash, const char *of)
{
  static const TextContent nothing;
  const TextContent *c = page->content ? page->content : &nothing;
  guint i = 0;

  put (b, &i, facts->url, -1);
  put (b, &i, facts->final_url, -1);
  put_int (b, &i, answer->status);
  put_str (b, &i, c->title);
  fr_cells_append_str (fr_builder_cells (b, i++), page->text->str, page->text->len);
  put_str (b, &i, c->byline);
  put_str (b, &i, c->published);
  put_str (b, &i, c->site);
  put_str (b, &i, c->description);
  put_str (b, &i, c->keywords);
  put_str (b, &i, c->language);
  put (b, &i, page->content ? text_page_kind_name (c->kind) : "text", -1);
  if (page->content)
    fr_cells_append_float (fr_builder_cells (b, i), c->confidence);
  i++;
  put (b, &i, page->type, -1);
  put (b, &i, page->charset, -1);
  put (b, &i, page->charset_from, -1);
  put_int (b, &i, answer->fetched);
  put (b, &i, answer_header (answer, "last-modified"), -1);
  put (b, &i, answer_header (answer, "etag"), -1);
  put (b, &i, hash, -1);
  put_str (b, &i, c->canonical);
  if (facts->depth >= 0)
    fr_cells_append_int (fr_builder_cells (b, i), facts->depth);
  i++;
  put (b, &i, facts->referrer, -1);
  put_int (b, &i, answer->body->len);
  fr_cells_append_bool (fr_builder_cells (b, i++), facts->unchanged);
  if (settings->html)
    {
      const char *charset, *how;
      guint64 replaced;
      g_autofree char *transport = answer_header_parameter (answer, "content-type", "charset");
      g_autoptr (GString) html = page_decode (answer->body, transport, &charset, &how, &replaced);

      fr_cells_append_str (fr_builder_cells (b, i++), html->str, html->len);
    }
  if (of)
    put (b, &i, of, -1);
}

static FrFlow
push (Rows *rows, FrBuilder *builder, const char *port, gboolean all, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (builder) == 0 || (!all && !fr_builder_full (builder)))
    return FR_FLOW_OK;
  batch = fr_builder_finish (builder, error);
  return batch ? fr_host_push (rows->host, port, batch, error) : FR_FLOW_ERROR;
}

static void
count_page (Rows *rows, const Page *page)
{
  FrHost *host = rows->host;

  if (page->n_replaced)
    fr_host_count (host, "characters_replaced", (gint64) page->n_replaced);
  if (page->content == NULL)
    return;
  if (page->content->charset_claimed.len)
    fr_host_count (host, "charset_claims_refuted", 1);
  if (g_strcmp0 (page->charset_from, "guessed") == 0)
    fr_host_count (host, "charsets_guessed", 1);
  if (page->content->n_cut || page->content->n_flattened)
    fr_host_count (host, "pages_cut_or_flattened", 1);
}

FrFlow
rows_page (Rows *rows, const Answer *answer, const Page *page, const RowFacts *facts,
           gboolean *closed, GError **error)
{
  FrStr text = { page->text->str, page->text->len };
  FrRowId id = { 0, fr_host_source (rows->host), 0 };
  KnownHow how;
  const char *of = NULL;
  char hash[33];

  count_page (rows, page);
  if (rows->settings->robots == ROBOTS_OBEY && (page->robots & TEXT_ROBOTS_NOINDEX))
    {
      fr_host_count (rows->host, "pages_noindex", 1);
      return FR_FLOW_OK;
    }
  if (text.len == 0)
    {
      fr_host_count (rows->host, "pages_without_text", 1);
      if (closed)
        *closed = known_note (rows->known, facts->final_url, text, KNOWN_SAME);
      return FR_FLOW_OK;
    }
  how = known_check (rows->known, text, facts->final_url, hash, &of);
  if (closed)
    *closed = known_note (rows->known, facts->final_url, text, how);
  if (facts->unchanged)
    fr_host_count (rows->host, "pages_unchanged", 1);
  if (facts->unchanged && rows->settings->changed_only)
    return FR_FLOW_OK;
  if (how != KNOWN_NEW)
    fr_host_count (rows->host, how == KNOWN_SAME ? "pages_same" : "pages_near_same", 1);
  id.position = ++rows->position;
  fr_host_origin (rows->host, id.position, facts->final_url);
  if (how != KNOWN_NEW && rows->settings->duplicates == DUPLICATES_SKIP)
    {
      rows_fill (rows->duplicates, rows->settings, answer, page, facts, hash, of);
      fr_builder_end_row (rows->duplicates, id);
      return push (rows, rows->duplicates, "duplicates", FALSE, error);
    }
  rows_fill (rows->out, rows->settings, answer, page, facts, hash, NULL);
  fr_builder_end_row (rows->out, id);
  rows->n_out++;
  return push (rows, rows->out, "out", FALSE, error);
}

void
rows_reject (Rows *rows, const char *url, const char *rule, const char *format, ...)
{
  FrRowId id = { ++rows->position, fr_host_source (rows->host), 0 };
  g_autofree char *text = NULL, *shown = net_url_display (url);
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  fr_host_reject_raw (rows->host, id, shown, (FrStr){ url, strlen (url) }, rule, "%s", text);
}

FrFlow
rows_flush (Rows *rows, GError **error)
{
  FrFlow flow = push (rows, rows->out, "out", TRUE, error);

  return flow == FR_FLOW_OK ? push (rows, rows->duplicates, "duplicates", TRUE, error) : flow;
}
