/* SPDX-License-Identifier: Apache-2.0 */
/* site-lines.c: transform.site_lines, lines that stand on many pages of one site go.
 *
 * What a page's own features cannot tell (transform.content) its neighbours can: a line that stands
 * on a third of a site's pages is the site's template (Bar-Yossef and Rajagopalan, Template
 * Detection via Data Mining, WWW 2002, do so with parts of pages).  Two passes: the first counts on
 * how many pages of its host each line stands, the second drops those above the share.  Counts are
 * exact, by 128-bit hashes in a TextKeyMap, which spills.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>
#include <xxhash.h>

#include "site-lines.h"
#include "text/chars.h"
#include "text/normal.h"
#include "text/runs.h"

typedef struct
{
  char *column;
  char *url;
  double share;
  gint64 min_pages;
  gint64 max_chars;
} Config;

/* Of a line on a host, or (a key of its own) of a host. */
typedef struct
{
  guint64 pages;
  guint64 last; /* number of the last page it was seen on */
} Seen;

/* A line that went, for the report. */
typedef struct
{
  char *text;
  guint64 pages;
} Sample;

#define MAX_SAMPLES 20

typedef struct
{
  const Config *config;
  int text, url;
  TextKeyMap *map;
  GHashTable *told; /* key -> nothing: lines that stand in samples */
  GArray *samples;  /* Sample */
  gint64 rows, lines, chars, no_host;
} State;

/* ---- lines -------------------------------------------------------------------- */

/* "www.example.com:8080" of an address; empty when it has none. */
static FrStr
host_of (FrStr url)
{
  const char *p = url.len > 0 ? memmem (url.data, url.len, "://", 3) : NULL, *end;

  if (p == NULL)
    return (FrStr){ NULL, 0 };
  p += 3;
  for (end = p; end < url.data + url.len && strchr ("/?#\\", *end) == NULL;)
    end++;
  return (FrStr){ p, (gsize) (end - p) };
}

static TextKey
hash (FrStr host, FrStr line)
{
  XXH3_state_t *state = XXH3_createState ();
  XXH128_hash_t h;

  /* A length between them, so that no host runs into a line. */
  XXH3_128bits_reset (state);
  XXH3_128bits_update (state, &host.len, sizeof host.len);
  for (gsize i = 0; i < host.len; i++)
    {
      char low = g_ascii_tolower (host.data[i]);

      XXH3_128bits_update (state, &low, 1);
    }
  XXH3_128bits_update (state, line.data ? line.data : "", line.len);
  h = XXH3_128bits_digest (state);
  XXH3_freeState (state);
  return (TextKey){ h.high64, h.low64 };
}

/* The next line of *@rest, with its newline in @whole; FALSE at the end. */
static gboolean
next_line (FrStr *rest, FrStr *whole, FrStr *line)
{
  const char *stop;

  if (rest->len == 0)
    return FALSE;
  stop = memchr (rest->data, '\n', rest->len);
  whole->data = rest->data;
  whole->len = stop ? (gsize) (stop - rest->data) + 1 : rest->len;
  *line = text_strip (*whole);
  rest->data += whole->len;
  rest->len -= whole->len;
  return TRUE;
}

static gboolean
may_be_template (const State *s, FrStr line)
{
  return line.len > 0
         && (line.len <= (gsize) s->config->max_chars
             || (line.len <= 4 * (gsize) s->config->max_chars
                 && text_n_chars (line) <= (gsize) s->config->max_chars));
}

/* ---- the first pass ------------------------------------------------------------- */

static gboolean
see (State *s, TextKey key, guint64 page, GError **error)
{
  Seen seen = { 0 };
  gboolean found;

  if (!text_key_map_find (s->map, key, &seen, &found, error))
    return FALSE;
  if (found && seen.last == page)
    return TRUE;
  seen.pages++;
  seen.last = page;
  return text_key_map_store (s->map, key, &seen, error);
}

static gboolean
count_page (State *s, FrStr host, FrStr text, guint64 page, GError **error)
{
  FrStr whole, line;

  if (!see (s, hash (host, (FrStr){ NULL, 0 }), page, error))
    return FALSE;
  while (next_line (&text, &whole, &line))
    if (may_be_template (s, line) && !see (s, hash (host, line), page, error))
      return FALSE;
  return TRUE;
}

/* ---- the second pass ------------------------------------------------------------- */

static gboolean
pages_of (State *s, TextKey key, guint64 *pages, GError **error)
{
  Seen seen = { 0 };
  gboolean found;

  if (!text_key_map_find (s->map, key, &seen, &found, error))
    return FALSE;
  *pages = found ? seen.pages : 0;
  return TRUE;
}

static void
remember (State *s, TextKey key, FrStr line, guint64 pages)
{
  Sample sample;

  if (s->samples->len >= MAX_SAMPLES * 50 || g_hash_table_contains (s->told, &key))
    return;
  g_hash_table_add (s->told, g_memdup2 (&key, sizeof key));
  sample = (Sample){ g_strndup (line.data, line.len), pages };
  g_array_append_val (s->samples, sample);
}

/* @text without the template's lines; at most one empty line is left where one was.  FALSE on
 * error. */
static gboolean
rewrite (State *s, FrStr host, FrStr text, GString *out, GError **error)
{
  guint64 all, pages;
  FrStr whole, line;
  gint64 dropped = 0;

  if (!pages_of (s, hash (host, (FrStr){ NULL, 0 }), &all, error))
    return FALSE;
  if (all < (guint64) s->config->min_pages)
    {
      g_string_append_len (out, text.data, (gssize) text.len);
      return TRUE;
    }
  while (next_line (&text, &whole, &line))
    {
      TextKey key = hash (host, line);

      pages = 0;
      if (may_be_template (s, line) && !pages_of (s, key, &pages, error))
        return FALSE;
      if (pages > s->config->share * (double) all && pages > 1)
        {
          remember (s, key, line, pages);
          dropped++;
          s->chars += (gint64) text_n_chars (line);
        }
      else if (line.len > 0 || dropped == 0 || !g_str_has_suffix (out->str, "\n\n"))
        g_string_append_len (out, whole.data, (gssize) whole.len);
    }
  if (dropped > 0)
    {
      while (out->len > 0 && (guchar) out->str[out->len - 1] <= ' ')
        g_string_truncate (out, out->len - 1);
      while (*out->str == '\n')
        g_string_erase (out, 0, 1);
      s->rows++;
      s->lines += dropped;
    }
  return TRUE;
}

static FrFlow
pass_on (State *s, FrHost *host, FrBatch *batch, GError **error)
{
  FrView texts = fr_view (batch, (guint) s->text), urls = fr_view (batch, (guint) s->url);
  FrField *field = fr_schema_field (fr_batch_schema (batch), (guint) s->text);
  g_autoptr (FrSchema) schema = fr_schema_new (&(FrField *){ fr_field_ref (field) }, 1, error);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrBatch) one = NULL, changed = NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  gsize n = fr_batch_n_rows (batch);
  g_autofree guint8 *keep = g_malloc (n);

  for (gsize row = 0; row < n; row++)
    {
      FrStr text = fr_view_str (&texts, row), site = host_of (fr_view_str (&urls, row));

      g_string_truncate (out, 0);
      keep[row] = TRUE;
      if (site.len == 0 || text.data == NULL)
        fr_cells_append_str (fr_builder_cells (builder, 0), text.data, text.len);
      else if (!rewrite (s, site, text, out, error))
        return FR_FLOW_ERROR;
      else
        {
          keep[row] = out->len > 0 || text.len == 0;
          fr_cells_append_str (fr_builder_cells (builder, 0), out->str, out->len);
          if (!keep[row])
            fr_host_reject (host, batch, row, "template",
                            "every line of the text stands on many pages of its site");
        }
      fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
    }
  one = fr_builder_finish (builder, error);
  if (one == NULL)
    return FR_FLOW_ERROR;
  changed = fr_batch_with_column (batch, field, fr_column_ref (fr_batch_column (one, 0)), error);
  return changed ? fr_host_push (host, "out", fr_batch_filter (changed, keep), error)
                 : FR_FLOW_ERROR;
}

/* ---- its life ---------------------------------------------------------------------- */

static FrFlow
count_pass (State *s, FrHost *host, GError **error)
{
  guint64 page = 0;
  FrFlow flow;

  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrView texts, urls;

      flow = fr_host_next (host, "in", &batch, error);
      if (flow != FR_FLOW_OK)
        return flow;
      texts = fr_view (batch, (guint) s->text);
      urls = fr_view (batch, (guint) s->url);
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        {
          FrStr text = fr_view_str (&texts, row), site = host_of (fr_view_str (&urls, row));

          s->no_host += site.len == 0;
          if (site.len > 0 && text.data != NULL && !count_page (s, site, text, ++page, error))
            return FR_FLOW_ERROR;
        }
    }
}

static FrFlow
write_pass (State *s, FrHost *host, GError **error)
{
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (host, "in", &batch, error);

      if (flow == FR_FLOW_OK)
        flow = pass_on (s, host, batch, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
}

static int
by_pages (gconstpointer a, gconstpointer b)
{
  const Sample *x = a, *y = b;

  if (x->pages != y->pages)
    return x->pages > y->pages ? -1 : 1;
  return strcmp (x->text, y->text);
}

static void
report (State *s, FrHost *host)
{
  JsonArray *lines = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  g_array_sort (s->samples, by_pages);
  for (guint i = 0; i < s->samples->len && i < MAX_SAMPLES; i++)
    {
      const Sample *sample = &g_array_index (s->samples, Sample, i);
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "line", sample->text);
      json_object_set_int_member (one, "pages", (gint64) sample->pages);
      json_array_add_object_element (lines, one);
    }
  json_node_take_array (node, lines);
  fr_host_report (host, "lines", node);
  fr_host_count (host, "changed_rows", s->rows);
  fr_host_count (host, "dropped_lines", s->lines);
  fr_host_count (host, "dropped_chars", s->chars);
  if (s->no_host > 0)
    fr_host_count (host, "no_host", s->no_host);
}

static FrFlow
lines_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  FrFlow flow = count_pass (s, host, error);

  if (flow != FR_FLOW_DONE)
    return flow;
  if (!fr_host_rewind (host, "in", error))
    return FR_FLOW_ERROR;
  flow = write_pass (s, host, error);
  if (flow == FR_FLOW_DONE)
    report (s, host);
  return flow;
}

static guint
key_hash (gconstpointer key)
{
  return (guint) ((const TextKey *) key)->lo;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  return text_key_order (*(const TextKey *) a, *(const TextKey *) b) == 0;
}

static void
clear_sample (gpointer sample)
{
  g_free (((Sample *) sample)->text);
}

static gboolean
lines_open (gconstpointer data, FrHost *host, gpointer *out, GError **error)
{
  const Config *c = data;
  const char *dir = fr_host_spill_dir (host, error);
  FrSchema *schema = fr_host_input (host, "in");
  State *s;

  if (dir == NULL)
    return FALSE;
  s = g_new0 (State, 1);
  s->config = c;
  s->text = fr_schema_find (schema, c->column);
  s->url = fr_schema_find (schema, c->url);
  s->map = text_key_map_new (sizeof (Seen), fr_host_memory (host) / 2, dir);
  s->told = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  s->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  g_array_set_clear_func (s->samples, clear_sample);
  *out = s;
  return TRUE;
}

static void
lines_close (gpointer data)
{
  State *s = data;

  text_key_map_free (s->map);
  g_hash_table_unref (s->told);
  g_array_unref (s->samples);
  g_free (s);
}

static const FrParam *const params[]
    = { FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT, "the text of the pages",
                         .def = "text"),
        FR_PARAM_COLUMN ("url", Config, url, FR_TYPES_TEXT, "the column with the pages' addresses",
                         .def = "url"),
        FR_PARAM_FLOAT ("share", Config, share, 0.01, 1,
                        "a line on a larger share of its site's pages goes", .def = "0.3"),
        FR_PARAM_INT ("min_pages", Config, min_pages, 2, G_MAXINT32,
                      "sites of fewer pages are left alone", .def = "5", .unit = "pages"),
        FR_PARAM_INT ("max_chars", Config, max_chars, 1, 100000,
                      "longer lines stay wherever they stand", .def = "200", .unit = "characters"),
        NULL };

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "pages, each with its text and address",
                 .flags = FR_PORT_MANY | FR_PORT_REWINDABLE),
        NULL };

static const char details[]
    = "A line that stands on more than `share` of the pages of its host is the site's template and "
      "goes: what\n"
      "transform.content could not tell from one page alone. Works on any text with the address it "
      "comes from.\n"
      "\n"
      "The host is what stands between `//` and the next slash, in lower case; a row without one "
      "stays as it is\n"
      "(`no_host`). Lines are compared without blanks at their ends, each counts once a page, and "
      "lines longer\n"
      "than `max_chars` always stay. Where lines went, no more than one empty line stays. A row of "
      "which nothing\n"
      "is left is a reject (`template`).\n"
      "\n"
      "The report has the lines that went and on how many pages they stood, at most twenty. "
      "Counters:\n"
      "changed_rows, dropped_lines, dropped_chars, no_host.\n"
      "\n"
      "The rows are read twice. A different line of a site costs 32 bytes, in files of the run "
      "directory when\n"
      "the stage's share of memory is used up.\n";

const FrElement site_lines_element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.site_lines",
  .revision = 1,
  .flags = FR_ELEMENT_UNTRUSTED,
  .summary = "drop lines that stand on many pages of one site",
  .details = details,
  .example = "{\"column\": \"text\", \"url\": \"url\", \"share\": 0.3}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = fr_ports_out,
  .open = lines_open,
  .run = lines_run,
  .close = lines_close,
};
