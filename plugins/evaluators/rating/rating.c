/* SPDX-License-Identifier: Apache-2.0 */
/* rating.c: evaluator.rating, a page on which people rate what systems wrote, blind.
 *
 * Rows are read, at most `limit` of them kept by chance, their samples drawn (key.h), the page
 * (page.h) and its key written side by side; both appear whole or not at all.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "elements.h"
#include "page.h"
#include "rating-details.h"
#include "text/cell.h"
#include "text/output.h"

typedef struct
{
  char **systems;
  char *prompt;
  char **context;
  char *reference;
  char *path;
  char *key;
  char *title;
  char *instructions;
  int language;
  JsonNode *criteria;
  double repeat;
  gint64 limit;
  gint64 fastest;
  char *secret;
} Config;

static const FrEnumValue *const languages[]
    = { FR_ENUM ("auto", 0, "as the reader's browser"), FR_ENUM ("en", 1, "English"),
        FR_ENUM ("zh", 2, "Chinese"), NULL };
static const char *const language_words[] = { "auto", "en", "zh" };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("systems", Config, systems, FR_TYPES_TEXT,
                    "columns of what is rated, one of each system", .flags = FR_PARAM_REQUIRED,
                    .example = "[\"before\", \"after\"]"),
  FR_PARAM_PATH ("path", Config, path, "the page to write, an HTML file",
                 .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"rating.html\""),
  FR_PARAM_PATH ("key", Config, key,
                 "its key, a JSON file; none given: beside the page, as NAME.key.json",
                 .flags = FR_PARAM_WRITES, .example = "\"secret/rating.key.json\""),
  FR_PARAM_COLUMN (
      "prompt", Config, prompt, FR_TYPES_ANY,
      "column of what the systems were asked; none given: 'input', where there is one"),
  FR_PARAM_COLUMNS ("context", Config, context, FR_TYPES_ANY,
                    "columns shown above a sample, each with its name; none given: the prompt",
                    .example = "[\"name\", \"attributes\"]"),
  FR_PARAM_COLUMN ("reference", Config, reference, FR_TYPES_TEXT,
                   "column of a text to compare with, shown when asked for"),
  FR_PARAM_JSON (
      "criteria", Config, criteria, "what is rated: built-in criteria by name, others as objects",
      .def = "[\"fluency\", \"accuracy\", \"appeal\"]", .schema = rating_scale_schema,
      .example
      = "[\"fluency\", {\"name\": \"brand\", \"title\": {\"en\": \"Brand\", \"zh\": \"品牌\"}}]"),
  FR_PARAM_FLOAT (
      "repeat", Config, repeat, 0, 1,
      "share of samples that come a second time, to see how far a rater agrees with himself",
      .def = "0.1"),
  FR_PARAM_INT ("limit", Config, limit, 0, 1000000, "rows at most, chosen by chance; 0: all",
                .def = "50", .unit = "rows"),
  FR_PARAM_DURATION ("fastest", Config, fastest,
                     "a sample done in less counts as too fast; long texts take longer",
                     .def = "2s"),
  FR_PARAM_STRING ("title", Config, title, "title of the page; none given: 'Blind rating'",
                   .example = "\"Spring catalogue\""),
  FR_PARAM_STRING ("instructions", Config, instructions,
                   "what raters are told before they begin, beside the usual"),
  FR_PARAM_ENUM ("language", Config, language, languages,
                 "language that the page opens in; a button changes it", .def = "auto"),
  FR_PARAM_STRING (
      "secret", Config, secret,
      "goes into the ids of samples beside the seed, so that nobody can make the key anew",
      .flags = FR_PARAM_SECRET),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows to rate: a column of each system",
                 .flags = FR_PORT_MANY),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("sheet", FR_PORT_RECORDS,
                 "the samples as a table to fill in, for those who rate without the page",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

/* A row that may come onto the page. */
typedef struct
{
  FrRowId id;
  guint64 chance; /* the least of all rows' stay */
  guint64 order;
  char *row, *prompt;
  char **texts;
  RatingTask task;
} Row;

typedef struct
{
  const Config *config;
  GPtrArray *scale;
  GPtrArray *rows;
  guint *systems, *context;
  guint n_systems, n_context;
  int prompt, reference; /* -1: none */
  char *key_path;
  guint64 n_rows, n_same;
  TextOutput *page, *key;
} State;

/* ---- configure, open, close ------------------------------------------------------------------ */

static gboolean
rating_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  g_autoptr (GPtrArray) scale = rating_scale_new (config->criteria, problems);
  gboolean ok = scale != NULL;

  if (strcmp (config->path, "-") == 0 && config->key == NULL)
    {
      fr_problems_add (
          problems, "/key",
          "a page on standard output has no place beside it; say where its key shall be");
      ok = FALSE;
    }
  if (g_strcmp0 (config->path, config->key) == 0)
    {
      fr_problems_add (problems, "/key", "this is the file of the page");
      ok = FALSE;
    }
  for (guint i = 0; config->systems[i] != NULL; i++)
    for (guint j = 0; j < i; j++)
      if (strcmp (config->systems[i], config->systems[j]) == 0)
        {
          fr_problems_add (problems, "/systems", "'%s' is there twice", config->systems[i]);
          ok = FALSE;
        }
  return ok;
}

/* A line of the table is one of a file of ratings, with the sample beside it. */
static FrSchema *
sheet_schema (const Config *config, GError **error)
{
  static const char *const before[] = { "page", "rater", "item", "prompt", "text" };
  g_autoptr (GPtrArray) scale = rating_scale_new (config->criteria, NULL);
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (before); i++)
    g_ptr_array_add (fields, fr_field_new (before[i], FR_TYPE_UTF8));
  for (guint i = 0; i < scale->len; i++)
    g_ptr_array_add (fields,
                     fr_field_new (((RatingCriterion *) scale->pdata[i])->name, FR_TYPE_INT64));
  g_ptr_array_add (fields, fr_field_new ("comment", FR_TYPE_UTF8));
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

static gboolean
rating_bind (gconstpointer data, FrBind *bind, GError **error)
{
  FrSchema *schema = sheet_schema (data, error);

  if (schema != NULL)
    fr_bind_output (bind, "sheet", schema);
  return schema != NULL;
}

static void
row_free (gpointer data)
{
  Row *row = data;

  g_free (row->row);
  g_free (row->prompt);
  g_strfreev (row->texts);
  g_strfreev (row->task.parts);
  g_free (row->task.reference);
  g_free (row);
}

static void
rating_close (gpointer data)
{
  State *s = data;

  g_clear_pointer (&s->page, text_output_free);
  g_clear_pointer (&s->key, text_output_free);
  g_ptr_array_unref (s->scale);
  g_ptr_array_unref (s->rows);
  g_free (s->systems);
  g_free (s->context);
  g_free (s->key_path);
  g_free (s);
}

/* "rating.html" has its key in "rating.key.json". */
static char *
key_beside (const char *path)
{
  gsize len = strlen (path);

  if (g_str_has_suffix (path, ".html"))
    len -= 5;
  else if (g_str_has_suffix (path, ".htm"))
    len -= 4;
  return g_strdup_printf ("%.*s.key.json", (int) len, path);
}

static guint *
find_all (const FrSchema *schema, char **names, guint *n)
{
  guint *found = g_new (guint, g_strv_length (names) + 1);

  for (*n = 0; names[*n] != NULL; ++*n)
    found[*n] = (guint) fr_schema_find (schema, names[*n]);
  return found;
}

static gboolean
rating_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_host_input (host, "in");
  State *s = g_new0 (State, 1);

  s->config = config;
  s->scale = rating_scale_new (config->criteria, NULL);
  s->rows = g_ptr_array_new_with_free_func (row_free);
  s->key_path = config->key != NULL ? g_strdup (config->key) : key_beside (config->path);
  s->systems = find_all (schema, config->systems, &s->n_systems);
  s->prompt = fr_schema_find (schema, config->prompt != NULL ? config->prompt : "input");
  s->reference = config->reference != NULL ? fr_schema_find (schema, config->reference) : -1;
  if (config->context != NULL)
    s->context = find_all (schema, config->context, &s->n_context);
  else if (s->prompt >= 0)
    {
      s->context = g_new (guint, 1);
      s->context[s->n_context++] = (guint) s->prompt;
    }
  s->page = text_output_new (config->path, fr_host_cancellable (host), error);
  if (s->page != NULL)
    s->key = text_output_new (s->key_path, fr_host_cancellable (host), error);
  if (s->key == NULL)
    {
      rating_close (s);
      return FALSE;
    }
  *state = s;
  return TRUE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static char *
cell_text (const FrBatch *batch, guint column, gsize row)
{
  GString *text = g_string_new (NULL);
  FrView view = fr_view (batch, column);

  text_cell_append (fr_schema_field (fr_batch_schema (batch), column), &view, row, text);
  return g_string_free (text, FALSE);
}

/* Name and text of every column of the context that says something. */
static char **
make_parts (State *s, const FrBatch *batch, gsize row)
{
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();

  for (guint i = 0; i < s->n_context; i++)
    {
      FrView view = fr_view (batch, s->context[i]);
      g_autofree char *text = NULL;

      if (text_cell_is_empty (&view, row))
        continue;
      text = cell_text (batch, s->context[i], row);
      g_strv_builder_add (parts,
                          fr_field_name (fr_schema_field (fr_batch_schema (batch), s->context[i])));
      g_strv_builder_add (parts, text);
    }
  return g_strv_builder_end (parts);
}

/* What the systems were asked: the prompt, or what is shown in its place. */
static char *
make_prompt (State *s, const FrBatch *batch, gsize row, char **parts)
{
  GString *text;

  if (s->prompt >= 0)
    return cell_text (batch, (guint) s->prompt, row);
  text = g_string_new (NULL);
  for (guint i = 0; parts[i] != NULL; i += 2)
    g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", parts[i + 1]);
  return g_string_free (text, FALSE);
}

static void
add_row (State *s, FrHost *host, const FrBatch *batch, gsize at)
{
  g_autoptr (GString) id = g_string_new (NULL);
  Row *row = g_new0 (Row, 1);

  row->id = fr_batch_ids (batch)[at];
  row->chance = fr_host_random (host, fr_batch_ids (batch)[at], 1);
  row->order = s->n_rows++;
  fr_host_append_row_id (host, fr_batch_ids (batch)[at], id);
  row->row = g_strdup (id->str);
  row->texts = g_new0 (char *, s->n_systems + 1);
  for (guint i = 0; i < s->n_systems; i++)
    row->texts[i] = cell_text (batch, s->systems[i], at);
  row->task.parts = make_parts (s, batch, at);
  row->prompt = make_prompt (s, batch, at, row->task.parts);
  if (s->reference >= 0)
    {
      FrView view = fr_view (batch, (guint) s->reference);

      if (!text_cell_is_empty (&view, at))
        row->task.reference = cell_text (batch, (guint) s->reference, at);
    }
  g_ptr_array_add (s->rows, row);
}

/* A row is rated whole, lest one system is spared its failures. */
static void
take_row (State *s, FrHost *host, const FrBatch *batch, gsize at)
{
  for (guint i = 0; i < s->n_systems; i++)
    {
      FrView view = fr_view (batch, s->systems[i]);

      if (text_cell_is_empty (&view, at))
        {
          fr_host_reject (host, batch, at, "empty", "column '%s' holds no text that could be rated",
                          s->config->systems[i]);
          return;
        }
    }
  add_row (s, host, batch, at);
}

static int
by_chance (gconstpointer a, gconstpointer b)
{
  const Row *x = *(const Row *const *) a, *y = *(const Row *const *) b;

  if (x->chance != y->chance)
    return x->chance < y->chance ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

static int
by_order (gconstpointer a, gconstpointer b)
{
  const Row *x = *(const Row *const *) a, *y = *(const Row *const *) b;

  return x->order < y->order ? -1 : 1;
}

/* Memory holds twice the limit at most. */
static void
keep_limit (State *s, gboolean last)
{
  gsize limit = (gsize) s->config->limit;

  if (limit == 0 || s->rows->len <= (last ? limit : 2 * limit))
    return;
  g_ptr_array_sort (s->rows, by_chance);
  g_ptr_array_set_size (s->rows, (int) limit);
}

/* ---- page and key ---------------------------------------------------------------------------- */

static gboolean
all_same (char **texts)
{
  for (guint i = 1; texts[i] != NULL; i++)
    if (strcmp (texts[i], texts[0]) != 0)
      return FALSE;
  return texts[0] != NULL && texts[1] != NULL;
}

static RatingKey *
make_key (State *s, FrHost *host, GPtrArray *tasks)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  RatingKey *key;

  for (guint i = 0; i < s->scale->len; i++)
    g_ptr_array_add (names, ((RatingCriterion *) s->scale->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  key = rating_key_new ((const char *const *) names->pdata,
                        (const char *const *) s->config->systems);
  for (guint i = 0; i < s->rows->len; i++)
    {
      Row *row = s->rows->pdata[i];

      s->n_same += all_same (row->texts);
      rating_key_add_prompt (key, g_steal_pointer (&row->row), g_steal_pointer (&row->prompt),
                             g_steal_pointer (&row->texts));
      g_ptr_array_add (tasks, &row->task);
    }
  rating_key_draw (key, s->config->repeat, (double) s->config->fastest / G_USEC_PER_SEC,
                   fr_host_seed (host), s->config->secret != NULL ? s->config->secret : "");
  return key;
}

static const FrViewWord chinese[] = {
  { "Rating page", "评分页" },
  { "samples", "样本" },
  { "rows", "行数" },
  { "chosen by chance", "随机选取" },
  { "shown twice", "出现两次" },
  { "to see how far raters agree with themselves", "用于检验评分人的自身一致性" },
  { NULL, NULL },
};

static void
tell (State *s, FrHost *host, const RatingKey *key)
{
  guint n = key->prompts->len * key->n_systems;
  g_autoptr (FrViews) views = fr_views_new ();
  JsonNode *page = json_node_init_string (json_node_alloc (), key->page);

  fr_host_count (host, "rows_to_rate", key->prompts->len);
  fr_host_count (host, "samples", n);
  fr_host_count (host, "repeats", key->items->len - n);
  if (s->n_rows > key->prompts->len)
    {
      fr_host_count (host, "left_out", (gint64) (s->n_rows - key->prompts->len));
      fr_host_info (host,
                    "%u of %" G_GUINT64_FORMAT " rows are on the page, chosen by chance (limit)",
                    key->prompts->len, s->n_rows);
    }
  if (s->n_same > 0)
    {
      fr_host_count (host, "same_text", (gint64) s->n_same);
      fr_host_warn (host, "for %" G_GUINT64_FORMAT " rows all systems wrote the same text",
                    s->n_same);
    }
  if (key->items->len == 0)
    fr_host_warn (host, "there was no row: the page has nothing to rate");
  fr_host_report (host, "page", page);
  fr_views_translate (views, "zh", chinese);
  fr_views_begin (views, FR_VIEW_FIGURES, "Rating page");
  fr_views_add_figure (views, "samples", n, NULL);
  fr_views_add_figure (views, "rows", key->prompts->len,
                       s->n_rows > key->prompts->len ? "chosen by chance" : NULL);
  fr_views_add_figure (views, "shown twice", key->items->len - n,
                       "to see how far raters agree with themselves");
  fr_host_report (host, "views", fr_views_to_json (views));
}

static void
append_text (FrBuilder *builder, guint column, const char *text)
{
  fr_cells_append_str (fr_builder_cells (builder, column), text, strlen (text));
}

/* The samples in the order of the key, which says nothing; what is to be filled in is null. */
static FrFlow
push_sheet (State *s, FrHost *host, const RatingKey *key, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_host_output (host, "sheet"));
  FrFlow flow = FR_FLOW_OK;

  if (!fr_host_is_connected (host, "sheet"))
    return FR_FLOW_OK;
  for (guint i = 0; i < key->items->len && flow == FR_FLOW_OK; i++)
    {
      const RatingItem *item = key->items->pdata[i];
      const Row *row = s->rows->pdata[item->prompt];
      FrBatch *batch;

      append_text (builder, 0, key->page);
      append_text (builder, 2, item->id);
      append_text (builder, 3, ((const RatingPrompt *) key->prompts->pdata[item->prompt])->prompt);
      append_text (builder, 4, rating_key_text (key, i));
      fr_builder_end_row (builder, fr_row_id_child (row->id, 1 + i));
      if (i + 1 < key->items->len && !fr_builder_full (builder))
        continue;
      batch = fr_builder_finish (builder, error);
      flow = batch != NULL ? fr_host_push (host, "sheet", batch, error) : FR_FLOW_ERROR;
    }
  return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
}

static FrFlow
write_both (State *s, FrHost *host, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new ();
  g_autoptr (RatingKey) key = NULL;
  g_autoptr (GString) html = NULL, json = NULL;
  RatingPage page;
  FrFlow flow;

  keep_limit (s, TRUE);
  g_ptr_array_sort (s->rows, by_order);
  key = make_key (s, host, tasks);
  page = (RatingPage){ key,
                       s->scale,
                       tasks,
                       s->config->title != NULL ? s->config->title : "",
                       s->config->instructions != NULL ? s->config->instructions : "",
                       language_words[s->config->language] };
  html = rating_page_build (&page);
  json = rating_key_to_json (key);
  if (!text_output_write (s->page, html->str, html->len, error)
      || !text_output_write (s->key, json->str, json->len, error))
    return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  flow = push_sheet (s, host, key, error);
  if (flow != FR_FLOW_OK)
    return flow;
  tell (s, host, key);
  return FR_FLOW_DONE;
}

static FrFlow
rating_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;

  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (host, "in", &batch, error);

      if (flow == FR_FLOW_DONE)
        return write_both (s, host, error);
      if (flow != FR_FLOW_OK)
        return flow;
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        {
          take_row (s, host, batch, row);
          keep_limit (s, FALSE);
        }
    }
}

/* The key first: a page without its key could never be evaluated. */
static gboolean
rating_finish (FrHost *host, gpointer data, GError **error)
{
  State *s = data;

  return text_output_finish (s->key, host, s->key_path, error)
         && text_output_finish (s->page, host, s->config->path, error);
}

const FrElement rating_element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_EVALUATOR,
  .name = "evaluator.rating",
  .revision = 1,
  .summary = "a page on which people rate what systems wrote, blind",
  .details = details,
  .example = "{\"systems\": [\"before\", \"after\"], \"path\": \"rating.html\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = rating_configure,
  .bind = rating_bind,
  .open = rating_open,
  .run = rating_run,
  .finish = rating_finish,
  .close = rating_close,
};
