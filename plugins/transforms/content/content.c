/* SPDX-License-Identifier: Apache-2.0 */
/* content.c: transform.content, what HTML pages say, as columns.
 *
 * The work is done in libflowrun-text (content.h); here a page's values find their columns.  What
 * columns there are is one table: name, type, and how the value is got.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "site-lines.h"
#include "text/content.h"

enum
{
  KEEP_MAIN = 0,
  KEEP_WHOLE
};
enum
{
  STAY = 0,
  REJECT
};

typedef struct
{
  char *column;
  char *url;
  char *charset;
  FrPair *columns;
  int style;
  int keep;
  int lists;
  int noindex;
  gint64 min_chars;
  guint64 max_bytes;
  char *explain;
  gboolean keep_html;
} Config;

/* ---- values ------------------------------------------------------------------ */

typedef enum
{
  VALUE_TEXT,
  VALUE_TITLE,
  VALUE_PAGE_TITLE,
  VALUE_BYLINE,
  VALUE_SITE,
  VALUE_DESCRIPTION,
  VALUE_KEYWORDS,
  VALUE_PUBLISHED,
  VALUE_MODIFIED,
  VALUE_DATE_FROM,
  VALUE_LANGUAGE,
  VALUE_CANONICAL,
  VALUE_KIND,
  VALUE_CONFIDENCE,
  VALUE_CHARSET,
  VALUE_NOINDEX,
  VALUE_CHARS,
  VALUE_DROPPED_CHARS,
  VALUE_LINKS,
  VALUE_EXPLAIN, /* not by name: the parameter explain */
  N_VALUES
} ValueId;

static const struct
{
  const char *name;
  FrType type;
  gboolean standard; /* there when columns does not say otherwise */
} values[N_VALUES] = {
  [VALUE_TEXT] = { "text", FR_TYPE_UTF8, TRUE },
  [VALUE_TITLE] = { "title", FR_TYPE_UTF8, TRUE },
  [VALUE_PAGE_TITLE] = { "page_title", FR_TYPE_UTF8, FALSE },
  [VALUE_BYLINE] = { "byline", FR_TYPE_UTF8, TRUE },
  [VALUE_SITE] = { "site", FR_TYPE_UTF8, TRUE },
  [VALUE_DESCRIPTION] = { "description", FR_TYPE_UTF8, FALSE },
  [VALUE_KEYWORDS] = { "keywords", FR_TYPE_UTF8, FALSE },
  [VALUE_PUBLISHED] = { "published", FR_TYPE_UTF8, TRUE },
  [VALUE_MODIFIED] = { "modified", FR_TYPE_UTF8, FALSE },
  [VALUE_DATE_FROM] = { "date_from", FR_TYPE_UTF8, FALSE },
  [VALUE_LANGUAGE] = { "language", FR_TYPE_UTF8, TRUE },
  [VALUE_CANONICAL] = { "canonical", FR_TYPE_UTF8, FALSE },
  [VALUE_KIND] = { "kind", FR_TYPE_UTF8, TRUE },
  [VALUE_CONFIDENCE] = { "confidence", FR_TYPE_FLOAT64, TRUE },
  [VALUE_CHARSET] = { "charset", FR_TYPE_UTF8, FALSE },
  [VALUE_NOINDEX] = { "noindex", FR_TYPE_BOOL, FALSE },
  [VALUE_CHARS] = { "chars", FR_TYPE_INT64, FALSE },
  [VALUE_DROPPED_CHARS] = { "dropped_chars", FR_TYPE_INT64, FALSE },
  [VALUE_LINKS] = { "links", FR_TYPE_LIST, FALSE },
  [VALUE_EXPLAIN] = { "explain", FR_TYPE_UTF8, FALSE },
};

static FrField *
field_for (const char *name, ValueId value)
{
  if (value == VALUE_LINKS)
    return fr_field_new_list (name, fr_field_new ("item", FR_TYPE_UTF8));
  return fr_field_new (name, values[value].type);
}

/* The columns to add. */
typedef struct
{
  const char *name;
  ValueId value;
} Added;

static int
value_named (const char *name)
{
  for (guint i = 0; i < VALUE_EXPLAIN; i++)
    if (strcmp (values[i].name, name) == 0)
      return (int) i;
  return -1;
}

/* An array of Added, in order. */
static GArray *
columns_to_add (const Config *c)
{
  GArray *added = g_array_new (FALSE, FALSE, sizeof (Added));

  for (const FrPair *pair = c->columns; pair != NULL && pair->key != NULL; pair++)
    {
      int value = value_named (pair->value);
      Added column = { pair->key, (ValueId) value };

      if (value >= 0)
        g_array_append_val (added, column);
    }
  for (guint i = 0; c->columns == NULL && i < VALUE_EXPLAIN; i++)
    if (values[i].standard)
      {
        Added column = { values[i].name, (ValueId) i };

        g_array_append_val (added, column);
      }
  if (c->explain != NULL)
    {
      Added column = { c->explain, VALUE_EXPLAIN };

      g_array_append_val (added, column);
    }
  return added;
}

typedef struct
{
  const Config *config;
  int html, url, charset; /* column numbers; -1: none */
  gboolean bytes;         /* the HTML is a binary column */
  GArray *added;          /* Added */
  guint *kept;            /* columns of the input that stay */
  guint n_kept;
  gboolean want_links;
} State;

/* ---- one page ------------------------------------------------------------------ */

static void
append_text (FrCells *cells, FrStr text)
{
  if (text.len == 0)
    fr_cells_append_null (cells);
  else
    fr_cells_append_str (cells, text.data, text.len);
}

static void
append_links (FrCells *cells, const TextContent *page)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  FrCells *items = fr_cells_child (cells, 0);

  for (guint i = 0; i < page->n_links; i++)
    {
      const TextLink *link = &page->links[i];
      FrStr address = link->url.len > 0 ? link->url : link->href;

      /* Of links that lead to no page, only what may still be made absolute. */
      if (address.len == 0 || (link->url.len == 0 && page->base.len > 0))
        continue;
      if (g_hash_table_add (seen, g_strndup (address.data, address.len)))
        fr_cells_append_str (items, address.data, address.len);
    }
  fr_cells_end (cells);
}

static void
append_value (const State *state, FrCells *cells, ValueId value, const TextContent *page,
              GString *text)
{
  const FrStr plain[] = {
    [VALUE_TITLE] = page->title,
    [VALUE_PAGE_TITLE] = page->page_title,
    [VALUE_BYLINE] = page->byline,
    [VALUE_SITE] = page->site,
    [VALUE_DESCRIPTION] = page->description,
    [VALUE_KEYWORDS] = page->keywords,
    [VALUE_PUBLISHED] = page->published,
    [VALUE_MODIFIED] = page->modified,
    [VALUE_DATE_FROM] = { page->date_from, strlen (page->date_from) },
    [VALUE_LANGUAGE] = page->language,
    [VALUE_CANONICAL] = page->canonical,
  };
  const char *kind = text_page_kind_name (page->kind);

  switch (value)
    {
    case VALUE_TEXT:
      fr_cells_append_str (cells, text->str, text->len);
      break;
    case VALUE_KIND:
      fr_cells_append_str (cells, kind, strlen (kind));
      break;
    case VALUE_CONFIDENCE:
      fr_cells_append_float (cells, page->confidence);
      break;
    case VALUE_CHARSET:
      fr_cells_append_str (cells, page->charset, strlen (page->charset));
      break;
    case VALUE_NOINDEX:
      fr_cells_append_bool (cells, (page->robots & TEXT_ROBOTS_NOINDEX) != 0);
      break;
    case VALUE_CHARS:
      fr_cells_append_int (cells, (gint64) page->n_chars);
      break;
    case VALUE_DROPPED_CHARS:
      fr_cells_append_int (cells, (gint64) page->n_dropped);
      break;
    case VALUE_LINKS:
      append_links (cells, page);
      break;
    case VALUE_EXPLAIN:
      {
        g_autoptr (GString) why = g_string_new (NULL);

        text_content_explain (page, why);
        append_text (cells, (FrStr){ why->str, why->len });
        break;
      }
    default:
      append_text (cells, plain[value]);
    }
  (void) state;
}

static TextContent *
read_page (const State *state, FrStr html, FrStr url, FrStr charset)
{
  g_autofree char *url_text = url.len > 0 ? g_strndup (url.data, url.len) : NULL;
  g_autofree char *charset_text = charset.len > 0 ? g_strndup (charset.data, charset.len) : NULL;
  const TextContentOptions options = {
    .url = url_text,
    .charset = charset_text,
    .flags = (state->config->keep == KEEP_WHOLE ? TEXT_CONTENT_WHOLE : 0u)
             | (state->config->explain != NULL ? TEXT_CONTENT_EXPLAIN : 0u)
             | (state->want_links ? 0u : TEXT_CONTENT_NO_LINKS),
  };

  return state->bytes ? text_content_new (html.data, html.len, &options)
                      : text_content_new_utf8 (html, &options);
}

/* Why a page does not go on; NULL when it does. */
static gboolean
is_rejected (const State *state, FrHost *host, FrBatch *batch, gsize row, const TextContent *page)
{
  const Config *c = state->config;

  if (c->noindex == REJECT && page->robots & TEXT_ROBOTS_NOINDEX)
    fr_host_reject (host, batch, row, "noindex", "the page asks robots not to index it");
  else if (page->n_blocks == 0)
    fr_host_reject (host, batch, row, "no_content",
                    "no main text was found in the page; its text may need a script, or be hidden");
  else if (c->lists == REJECT && page->kind == TEXT_PAGE_LIST)
    fr_host_reject (host, batch, row, "list",
                    "the page is a list of links: %" G_GUINT64_FORMAT " characters of text",
                    page->n_chars);
  else if (page->n_chars < (guint64) c->min_chars)
    fr_host_reject (host, batch, row, "min_chars",
                    "the main text has %" G_GUINT64_FORMAT
                    " characters; min_chars is %" G_GINT64_FORMAT,
                    page->n_chars, c->min_chars);
  else
    return FALSE;
  return TRUE;
}

typedef struct
{
  gint64 pages, prose, lists, kept, dropped, replaced, refuted, flattened, cut, no_date;
} Counts;

static void
count_page (Counts *n, const TextContent *page)
{
  n->pages++;
  n->prose += page->kind == TEXT_PAGE_PROSE;
  n->lists += page->kind == TEXT_PAGE_LIST;
  n->kept += (gint64) page->n_chars;
  n->dropped += (gint64) page->n_dropped;
  n->replaced += (gint64) page->n_replaced;
  n->refuted += page->charset_claimed.len > 0;
  n->flattened += (gint64) page->n_flattened;
  n->cut += (gint64) page->n_cut;
  n->no_date += page->published.len == 0;
}

static void
tell (FrHost *host, const Counts *n)
{
  const struct
  {
    const char *name;
    gint64 value;
  } all[] = { { "pages", n->pages },
              { "prose", n->prose },
              { "lists", n->lists },
              { "kept_chars", n->kept },
              { "dropped_chars", n->dropped },
              { "replaced_chars", n->replaced },
              { "charset.refuted", n->refuted },
              { "flattened", n->flattened },
              { "cut", n->cut },
              { "no_date", n->no_date } };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].value != 0)
      fr_host_count (host, all[i].name, all[i].value);
}

/* ---- a batch -------------------------------------------------------------------- */

/* Row @row as a page, appended to @builder.  FALSE: it was rejected. */
static gboolean
one_row (const State *state, FrHost *host, FrBatch *batch, gsize row, const FrView *views,
         FrBuilder *builder, Counts *counts)
{
  FrStr html = fr_view_str (&views[state->html], row), none = { NULL, 0 };
  g_autoptr (TextContent) page = NULL;
  g_autoptr (GString) text = NULL;

  if (html.data == NULL)
    {
      fr_host_reject (host, batch, row, "null", "there is no page: '%s' is null",
                      state->config->column);
      return FALSE;
    }
  if (html.len > state->config->max_bytes)
    {
      fr_host_reject (host, batch, row, "too_large",
                      "the page has %" G_GSIZE_FORMAT " bytes; max_bytes is %" G_GUINT64_FORMAT,
                      html.len, state->config->max_bytes);
      return FALSE;
    }
  page = read_page (state, html, state->url >= 0 ? fr_view_str (&views[state->url], row) : none,
                    state->charset >= 0 ? fr_view_str (&views[state->charset], row) : none);
  count_page (counts, page);
  if (is_rejected (state, host, batch, row, page))
    return FALSE;
  text = g_string_new (NULL);
  text_content_append (page, (TextStyle) state->config->style, text);
  for (guint i = 0; i < state->n_kept; i++)
    fr_cells_append_from (fr_builder_cells (builder, i), &views[state->kept[i]], row);
  for (guint i = 0; i < state->added->len; i++)
    append_value (state, fr_builder_cells (builder, state->n_kept + i),
                  g_array_index (state->added, Added, i).value, page, text);
  fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
  return TRUE;
}

static FrFlow
content_map (FrHost *host, gpointer data, gpointer local, FrBatch *taken, GError **error)
{
  const State *state = data;
  g_autoptr (FrBatch) batch = taken;
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_host_output (host, "out"));
  guint n = fr_batch_n_columns (batch);
  g_autofree FrView *views = g_new (FrView, n);
  Counts counts = { 0 };
  FrBatch *out;

  (void) local;
  for (guint i = 0; i < n; i++)
    views[i] = fr_view (batch, i);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      if (fr_host_is_cancelled (host))
        return FR_FLOW_CANCELLED;
      one_row (state, host, batch, row, views, builder, &counts);
    }
  tell (host, &counts);
  out = fr_builder_finish (builder, error);
  return out ? fr_host_push (host, "out", out, error) : FR_FLOW_ERROR;
}

/* ---- its life ---------------------------------------------------------------------- */

static gboolean
content_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  g_autofree const char **names = g_new0 (const char *, VALUE_EXPLAIN + 1);

  for (guint i = 0; i < VALUE_EXPLAIN; i++)
    names[i] = values[i].name;
  for (const FrPair *pair = c->columns; pair != NULL && pair->key != NULL; pair++)
    {
      g_autofree char *pointer = NULL, *all = NULL;
      const char *near;

      if (value_named (pair->value) >= 0)
        continue;
      pointer = g_strdup_printf ("/columns/%s", pair->key);
      near = fr_suggest (pair->value, names);
      all = g_strjoinv (", ", (char **) names);
      if (near != NULL)
        fr_problems_add (problems, pointer, "a page has no '%s' (did you mean '%s'?); it has: %s",
                         pair->value, near, all);
      else
        fr_problems_add (problems, pointer, "a page has no '%s'; it has: %s", pair->value, all);
    }
  if (c->columns != NULL && c->columns->key == NULL && c->explain == NULL)
    fr_problems_add (problems, "/columns",
                     "no column is asked for; leave 'columns' out for the "
                     "usual ones");
  return TRUE;
}

/* The columns that stay, then those added.  NULL with problems said. */
static FrSchema *
output_schema (const Config *c, FrSchema *input, FrBind *bind, GError **error)
{
  g_autoptr (GArray) added = columns_to_add (c);
  FrSchema *schema = c->keep_html ? fr_schema_ref (input) : fr_schema_without (input, c->column);
  gboolean good = TRUE;

  (void) error;
  for (guint i = 0; i < added->len; i++)
    {
      const Added *column = &g_array_index (added, Added, i);
      FrSchema *more;

      if (fr_schema_find (schema, column->name) >= 0)
        {
          fr_bind_problem (bind, column->value == VALUE_EXPLAIN ? "/explain" : "/columns",
                           "there is a column '%s' already; name another in '%s'", column->name,
                           column->value == VALUE_EXPLAIN ? "explain" : "columns");
          good = FALSE;
          continue;
        }
      more = fr_schema_with (schema, field_for (column->name, column->value));
      fr_schema_unref (schema);
      schema = more;
    }
  if (!good)
    g_clear_pointer (&schema, fr_schema_unref);
  return schema;
}

static gboolean
content_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *input = fr_bind_input (bind, "in");
  int html = fr_schema_find (input, c->column);
  FrSchema *schema;
  gboolean good = TRUE;

  if (c->charset != NULL && html >= 0
      && fr_field_type (fr_schema_field (input, (guint) html)) != FR_TYPE_BINARY)
    {
      fr_bind_problem (bind, "/charset",
                       "column '%s' is text, which is UTF-8 already; leave 'charset' out",
                       c->column);
      good = FALSE;
    }
  schema = output_schema (c, input, bind, error);
  if (schema == NULL)
    return FALSE;
  fr_bind_output (bind, "out", schema);
  return good;
}

static gboolean
content_open (gconstpointer data, FrHost *host, gpointer *out, GError **error)
{
  const Config *c = data;
  FrSchema *schema = fr_host_input (host, "in");
  State *state = g_new0 (State, 1);
  guint n = fr_schema_n_fields (schema);

  (void) error;
  state->config = c;
  state->html = fr_schema_find (schema, c->column);
  state->url = c->url ? fr_schema_find (schema, c->url) : -1;
  state->charset = c->charset ? fr_schema_find (schema, c->charset) : -1;
  state->bytes = fr_field_type (fr_schema_field (schema, (guint) state->html)) == FR_TYPE_BINARY;
  state->added = columns_to_add (c);
  state->kept = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    if (c->keep_html || (int) i != state->html)
      state->kept[state->n_kept++] = i;
  for (guint i = 0; i < state->added->len; i++)
    state->want_links |= g_array_index (state->added, Added, i).value == VALUE_LINKS;
  *out = state;
  return TRUE;
}

static void
content_close (gpointer data)
{
  State *state = data;

  g_array_unref (state->added);
  g_free (state->kept);
  g_free (state);
}

/* ---- parameters ---------------------------------------------------------------------- */

static const FrEnumValue *const style_words[]
    = { FR_ENUM ("plain", TEXT_STYLE_PLAIN,
                 "blocks on lines of their own, an empty line around paragraphs; cells with tabs"),
        FR_ENUM ("markdown", TEXT_STYLE_MARKDOWN, "headings, lists, tables and code as Markdown"),
        NULL };
static const FrEnumValue *const keep_words[]
    = { FR_ENUM ("main", KEEP_MAIN, "the main content"),
        FR_ENUM ("whole", KEEP_WHOLE, "all visible text, menus and footers too"), NULL };
static const FrEnumValue *const stay_words[]
    = { FR_ENUM ("keep", STAY, "such pages go on"),
        FR_ENUM ("reject", REJECT, "such pages go to the rejects port"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT | FR_TYPES (FR_TYPE_BINARY),
                   "the column that holds the pages: text, or bytes in any charset", .def = "html"),
  FR_PARAM_COLUMN ("url", Config, url, FR_TYPES_TEXT,
                   "the column with the page's address: makes links absolute, may hold the date"),
  FR_PARAM_COLUMN ("charset", Config, charset, FR_TYPES_TEXT,
                   "the column with what the server said of the charset, for pages as bytes"),
  FR_PARAM_MAP (
      "columns", Config, columns, "columns to add, each with the value it gets; see above",
      .example = "{\"text\": \"text\", \"page-title\": \"title\", \"written-on\": \"published\"}"),
  FR_PARAM_ENUM ("style", Config, style, style_words, "what the text looks like", .def = "plain"),
  FR_PARAM_ENUM ("keep", Config, keep, keep_words, "how much of the page", .def = "main"),
  FR_PARAM_ENUM ("lists", Config, lists, stay_words, "pages that are lists of links",
                 .def = "keep"),
  FR_PARAM_ENUM ("noindex", Config, noindex, stay_words, "pages that ask robots not to index them",
                 .def = "keep"),
  FR_PARAM_INT ("min_chars", Config, min_chars, 0, G_MAXINT32,
                "pages with a shorter main text are rejected", .def = "0", .unit = "characters"),
  FR_PARAM_SIZE ("max_bytes", Config, max_bytes, "larger pages are rejected", .def = "16MiB"),
  FR_PARAM_STRING ("explain", Config, explain,
                   "a column of this name says of each block why it was kept or not",
                   .pattern = "^.+$", .example = "\"why\""),
  FR_PARAM_BOOL ("keep_html", Config, keep_html, "the page's HTML stays in the row"),
  NULL
};

#include "details.h"

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.content",
  .revision = 1,
  .flags = FR_ELEMENT_PARALLEL | FR_ELEMENT_UNTRUSTED,
  .summary = "take the main text, title and date out of HTML pages",
  .details = details,
  .example = "{\"columns\": {\"main-text\": \"text\", \"page-title\": \"title\", \"written-on\": "
             "\"published\"}, "
             "\"lists\": \"reject\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .outputs = fr_ports_out,
  .configure = content_configure,
  .bind = content_bind,
  .open = content_open,
  .map = content_map,
  .close = content_close,
};

FR_PLUGIN ("content", PACKAGE_VERSION, "what HTML pages say", "Apache-2.0", "flowrun", &element,
           &site_lines_element)
