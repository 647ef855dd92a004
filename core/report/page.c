/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: the page as a whole: how it ended, the scores, the graph, every
 * stage, and where it all comes from.
 *
 * Nothing is loaded from anywhere and no script is run: the policy in its head
 * forbids both to whatever might slip in.
 */
#include "config.h"

#include <string.h>

#include "report/report-private.h"

#define POLICY "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

static JsonObject *
run_of (FriPageData *data)
{
  return fri_get_object (data->report, "run");
}

static const char *
name_of (const FriWords *words, FriPageData *data)
{
  const char *name = fri_get_text (fri_get_object (data->manifest, "pipeline"), "name");

  return *name != '\0' ? name : FRI_W (NO_NAME);
}

/* ---- how it ended ------------------------------------------------------------------ */

static void
show_verdict (FriHtml *html, const FriWords *words, FriPageData *data)
{
  const char *status = fri_get_text (data->manifest, "status");
  JsonArray *limits = fri_get_array (data->report, "limits_passed");
  gboolean limit = strcmp (status, "limit passed") == 0;
  gboolean interrupted = strcmp (status, "interrupted") == 0;
  gboolean ok = strcmp (status, "ok") == 0;

  fri_html_open (html, "div", "class",
                 ok      ? "verdict ok"
                 : limit ? "verdict limit"
                         : "verdict bad",
                 NULL);
  fri_html_element (html, "b", "mark",
                    ok            ? FRI_W (SUCCESS)
                    : limit       ? FRI_W (LIMIT)
                    : interrupted ? FRI_W (INTERRUPTED)
                                  : FRI_W (FAILED));
  fri_html_element (html, "p", NULL,
                    ok            ? FRI_W (SUCCESS_LONG)
                    : limit       ? FRI_W (LIMIT_LONG)
                    : interrupted ? FRI_W (INTERRUPTED_LONG)
                                  : FRI_W (FAILED_LONG));
  for (guint i = 0; limits != NULL && i < json_array_get_length (limits); i++)
    fri_html_element (html, "p", "why", fri_text_at (limits, i));
  if (!ok && !limit && !interrupted)
    fri_html_element (html, "p", "why", fri_get_text (data->failed, "error"));
  if (data->before != NULL)
    {
      g_autofree char *when
          = fri_show_time (fri_get_text (fri_get_object (data->before, "run"), "started"));

      fri_html_open (html, "p", NULL);
      fri_html_printf (html, FRI_W (BEFORE_STANDS), when);
      fri_html_close (html);
    }
  fri_html_close (html);
}

static double
sum (JsonObject *rows, const char *except)
{
  g_autoptr (GList) names = rows != NULL ? json_object_get_members (rows) : NULL;
  double total = 0;

  for (GList *n = names; n != NULL; n = n->next)
    if (except == NULL || strcmp (n->data, except) != 0)
      total += fri_get_number (rows, n->data);
  return total;
}

static void
head_fact (FriHtml *html, const char *name, const char *value)
{
  fri_html_open (html, "div", NULL);
  fri_html_element (html, "dt", NULL, name);
  fri_html_element (html, "dd", NULL, value);
  fri_html_close (html);
}

static void
show_head_facts (FriHtml *html, const FriWords *words, FriPageData *data)
{
  double rows = 0, rejects = 0, warnings = 0;
  g_autofree char *when = fri_show_time (fri_get_text (run_of (data), "started"));
  g_autofree char *took = fri_seconds (fri_get_number (run_of (data), "seconds"));
  g_autofree char *n_rows = NULL, *n_rejects = NULL, *n_warnings = NULL;

  for (guint i = 0; i < data->order->len; i++)
    {
      const char *id = g_ptr_array_index (data->order, i);
      JsonObject *entry = fri_get_object (data->graph, id);
      JsonObject *report = fri_page_stage (data->report, id);
      JsonObject *from = fri_get_object (entry, "from");

      if (from == NULL || json_object_get_size (from) == 0)
        rows += sum (fri_get_object (entry, "rows_out"), "rejects");
      rejects += fri_get_number (report, "rejects");
      warnings += fri_get_number (report, "warnings");
    }
  n_rows = fri_count ((guint64) rows);
  n_rejects = fri_count ((guint64) rejects);
  n_warnings = fri_count ((guint64) warnings);
  fri_html_open (html, "dl", "class", "figures head", NULL);
  head_fact (html, FRI_W (STARTED), when);
  head_fact (html, FRI_W (TOOK), took);
  head_fact (html, FRI_W (ROWS_READ), n_rows);
  head_fact (html, FRI_W (REJECTED), n_rejects);
  head_fact (html, FRI_W (WARNED), n_warnings);
  fri_html_close (html);
}

static void
show_header (FriHtml *html, const FriWords *words, FriPageData *data)
{
  JsonObject *pipeline = fri_get_object (data->manifest, "pipeline");
  const char *description = fri_get_text (fri_get_object (pipeline, "file"), "description");

  fri_html_open (html, "header", NULL);
  fri_html_element (html, "h1", NULL, name_of (words, data));
  if (*description != '\0')
    fri_html_element (html, "p", "description", description);
  show_verdict (html, words, data);
  show_head_facts (html, words, data);
  fri_html_close (html);
}

/* ---- what decides: scores, then the training ------------------------------------------ */

static JsonArray *
views_of (FriPageData *data, const char *id)
{
  return fri_get_array (fri_get_object (fri_page_stage (data->report, id), "reports"), "views");
}

static gboolean
has_views (FriPageData *data, const char *kind)
{
  for (guint i = 0; i < data->order->len; i++)
    {
      const char *id = g_ptr_array_index (data->order, i);

      if (fri_is_of_kind (data, id, kind) && views_of (data, id) != NULL)
        return TRUE;
    }
  return FALSE;
}

/* The views of all stages of @kind. */
static void
show_first (FriHtml *html, const FriWords *words, FriPageData *data, const char *kind,
            const char *anchor, const char *title)
{
  if (!has_views (data, kind))
    return;
  fri_html_open (html, "section", "id", anchor, NULL);
  fri_html_element (html, "h2", NULL, title);
  for (guint i = 0; i < data->order->len; i++)
    {
      const char *id = g_ptr_array_index (data->order, i);
      g_autofree char *target = g_strdup_printf ("#stage-%u", i + 1);

      if (!fri_is_of_kind (data, id, kind) || views_of (data, id) == NULL)
        continue;
      fri_html_open (html, "h3", NULL);
      fri_html_open (html, "a", "href", target, NULL);
      fri_html_text (html, id);
      fri_html_close (html);
      fri_html_text (html, " ");
      fri_html_element (html, "span", "element",
                        fri_get_text (fri_get_object (data->graph, id), "element"));
      fri_html_close (html);
      fri_show_views (html, words, data, views_of (data, id));
    }
  fri_html_close (html);
}

/* ---- what ran -------------------------------------------------------------------------- */

/* Rows that left by ports that other stages read, or by those that none reads. */
static double
rows_out (FriPageData *data, const char *id, gboolean read)
{
  JsonObject *rows = fri_get_object (fri_get_object (data->graph, id), "rows_out");
  g_autoptr (GList) names = rows != NULL ? json_object_get_members (rows) : NULL;
  double total = 0;

  for (GList *n = names; n != NULL; n = n->next)
    if (strcmp (n->data, "rejects") != 0 && fri_page_is_read (data, id, n->data) == read)
      total += fri_get_number (rows, n->data);
  return total;
}

/* A cell of a count; zeros step back. */
static void
show_count (FriHtml *html, const char *count, const char *class)
{
  fri_html_element (html, "td",
                    strcmp (count, "0") == 0 ? "number zero"
                    : class != NULL          ? class
                                             : "number",
                    count);
}

static void
stage_line (FriHtml *html, const FriWords *words, FriPageData *data, guint number)
{
  const char *id = g_ptr_array_index (data->order, number);
  JsonObject *entry = fri_get_object (data->graph, id);
  JsonObject *run = fri_get_object (fri_get_object (run_of (data), "stages"), id);
  gboolean worked = run != NULL && json_object_has_member (run, "working");
  double rejects = fri_get_number (fri_page_stage (data->report, id), "rejects");
  g_autofree char *target = g_strdup_printf ("#stage-%u", number + 1);
  g_autofree char *in = fri_count ((guint64) sum (fri_get_object (entry, "rows_in"), NULL));
  g_autofree char *out = fri_count ((guint64) rows_out (data, id, TRUE));
  g_autofree char *aside = fri_count ((guint64) rows_out (data, id, FALSE));
  g_autofree char *n_rejects = fri_count ((guint64) rejects);
  g_autofree char *working = fri_seconds (fri_get_number (run, "working"));
  g_autofree char *waiting = fri_seconds (fri_get_number (run, "waiting_for_input")
                                          + fri_get_number (run, "waiting_for_output"));

  fri_html_open (html, "tr", NULL);
  fri_html_open (html, "th", "scope", "row", NULL);
  fri_html_open (html, "a", "href", target, NULL);
  fri_html_text (html, id);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_element (html, "td", NULL, fri_get_text (entry, "element"));
  show_count (html, in, NULL);
  show_count (html, out, NULL);
  show_count (html, aside, NULL);
  show_count (html, n_rejects, "number rejects");
  fri_html_element (html, "td", "number", worked ? working : "");
  fri_html_element (html, "td", "number", worked ? waiting : "");
  fri_html_element (html, "td", NULL, fri_word_of_state (words, fri_get_text (run, "state")));
  fri_html_close (html);
}

static void
show_what_ran (FriHtml *html, const FriWords *words, FriPageData *data)
{
  const char *const heads[]
      = { FRI_W (STAGE),   FRI_W (ELEMENT), FRI_W (ROWS_IN), FRI_W (ROWS_OUT), FRI_W (ASIDE),
          FRI_W (REJECTS), FRI_W (WORKING), FRI_W (WAITING), FRI_W (STATE) };

  fri_html_open (html, "section", "id", "graph", NULL);
  fri_html_element (html, "h2", NULL, FRI_W (WHAT_RAN));
  fri_graph_draw (html, words, data);
  fri_html_open (html, "div", "class", "scroll", NULL);
  fri_html_open (html, "table", NULL);
  fri_html_open (html, "thead", NULL);
  fri_html_open (html, "tr", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    fri_html_element (html, "th", i >= 2 && i <= 7 ? "number" : NULL, heads[i]);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_open (html, "tbody", NULL);
  for (guint i = 0; i < data->order->len; i++)
    stage_line (html, words, data, i);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
}

/* ---- where it comes from ------------------------------------------------------------------- */

/* A path below the pipeline's own folder is shown from there. */
static const char *
shown_path (FriPageData *data, const char *path)
{
  const char *pipeline = fri_get_text (fri_get_object (data->manifest, "pipeline"), "path");
  const char *slash = strrchr (pipeline, '/');
  gsize n = slash != NULL ? (gsize) (slash - pipeline) + 1 : 0;

  return n > 1 && strncmp (path, pipeline, n) == 0 ? path + n : path;
}

static void
file_line (FriHtml *html, FriPageData *data, const char *stage, const char *path, JsonObject *file)
{
  g_autofree char *bytes = fri_bytes ((guint64) fri_get_number (file, "bytes"));

  fri_html_open (html, "tr", NULL);
  fri_html_element (html, "td", NULL, stage);
  fri_html_element (html, "td", "path", shown_path (data, path));
  fri_html_element (html, "td", "number", bytes);
  fri_html_element (html, "td", "mono", fri_get_text (file, "hash"));
  fri_html_close (html);
}

static void
input_lines (FriHtml *html, FriPageData *data, const char *id)
{
  JsonObject *files = fri_get_object (fri_get_object (data->graph, id), "files");
  g_autoptr (GList) paths = files != NULL ? json_object_get_members (files) : NULL;

  for (GList *p = paths; p != NULL; p = p->next)
    file_line (html, data, id, p->data, fri_get_object (files, p->data));
}

static void
output_lines (FriHtml *html, FriPageData *data, const char *id)
{
  JsonArray *files = fri_get_array (fri_get_object (data->graph, id), "outputs");

  for (guint i = 0; files != NULL && i < json_array_get_length (files); i++)
    {
      JsonNode *node = json_array_get_element (files, i);
      JsonObject *file = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

      file_line (html, data, id, fri_get_text (file, "path"), file);
    }
}

static void
show_files (FriHtml *html, const FriWords *words, FriPageData *data, const char *title,
            void (*lines) (FriHtml *, FriPageData *, const char *))
{
  const char *const heads[] = { FRI_W (STAGE), FRI_W (PATH), FRI_W (SIZE), FRI_W (HASH) };

  fri_html_element (html, "h3", NULL, title);
  fri_html_open (html, "div", "class", "scroll", NULL);
  fri_html_open (html, "table", NULL);
  fri_html_open (html, "thead", NULL);
  fri_html_open (html, "tr", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    fri_html_element (html, "th", i == 2 ? "number" : NULL, heads[i]);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_open (html, "tbody", NULL);
  for (guint i = 0; i < data->order->len; i++)
    lines (html, data, g_ptr_array_index (data->order, i));
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
}

static void
env_line (FriHtml *html, const char *name, const char *value)
{
  if (*value == '\0')
    return;
  fri_html_open (html, "tr", NULL);
  fri_html_element (html, "th", NULL, name);
  fri_html_element (html, "td", "body", value);
  fri_html_close (html);
}

static void
env_bytes (FriHtml *html, const char *name, JsonObject *object, const char *member)
{
  g_autofree char *bytes = fri_bytes ((guint64) fri_get_number (object, member));

  if (fri_get_number (object, member) > 0)
    env_line (html, name, bytes);
}

static void
show_environment (FriHtml *html, const FriWords *words, FriPageData *data)
{
  JsonObject *run = run_of (data), *machine = fri_get_object (run, "machine");
  const char *path = fri_get_text (fri_get_object (data->manifest, "pipeline"), "path");
  g_autofree char *file = g_path_get_basename (path);
  g_autofree char *workers = fri_count ((guint64) fri_get_number (run, "workers"));
  g_autofree char *processor = g_strdup_printf ("%s × %d", fri_get_text (machine, "processor"),
                                                (int) fri_get_number (machine, "processors"));

  fri_html_element (html, "h3", NULL, FRI_W (ENVIRONMENT));
  fri_html_open (html, "div", "class", "scroll", NULL);
  fri_html_open (html, "table", "class", "facts-table", NULL);
  fri_html_open (html, "tbody", NULL);
  env_line (html, "flowrun", fri_get_text (data->manifest, "flowrun"));
  env_line (html, FRI_W (PIPELINE), *path != '\0' ? file : "");
  env_line (html, FRI_W (COMMAND), fri_get_text (run, "command"));
  env_line (html, FRI_W (SEED), fri_get_text (data->manifest, "seed"));
  env_line (html, FRI_W (WORKERS), workers);
  env_bytes (html, FRI_W (MEMORY_BUDGET), run, "memory");
  env_bytes (html, FRI_W (MEMORY_PEAK), run, "peak_resident_bytes");
  if (machine != NULL)
    env_line (html, FRI_W (PROCESSOR), processor);
  env_bytes (html, FRI_W (MEMORY), machine, "memory");
  env_line (html, FRI_W (SYSTEM), fri_get_text (machine, "system"));
  env_line (html, "", fri_get_text (machine, "kernel"));
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
}

static void
show_provenance (FriHtml *html, const FriWords *words, FriPageData *data)
{
  fri_html_open (html, "section", "id", "provenance", NULL);
  fri_html_element (html, "h2", NULL, FRI_W (PROVENANCE));
  show_files (html, words, data, FRI_W (INPUTS), input_lines);
  show_files (html, words, data, FRI_W (OUTPUTS), output_lines);
  show_environment (html, words, data);
  fri_html_close (html);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static void
link_to (FriHtml *html, const char *class, const char *target, const char *text)
{
  fri_html_open (html, "a", "class", class, "href", target, NULL);
  fri_html_text (html, text);
  fri_html_close (html);
}

static void
show_contents (FriHtml *html, const FriWords *words, FriPageData *data)
{
  fri_html_open (html, "nav", NULL);
  if (has_views (data, "evaluator"))
    link_to (html, NULL, "#scores", FRI_W (SCORES));
  if (has_views (data, "trainer"))
    link_to (html, NULL, "#training", FRI_W (TRAINING));
  link_to (html, NULL, "#graph", FRI_W (WHAT_RAN));
  for (guint i = 0; i < data->order->len; i++)
    {
      g_autofree char *target = g_strdup_printf ("#stage-%u", i + 1);

      link_to (html, "stage-link", target, g_ptr_array_index (data->order, i));
    }
  link_to (html, NULL, "#provenance", FRI_W (PROVENANCE));
  fri_html_close (html);
}

static void
show_body (FriHtml *html, const FriWords *words, FriPageData *data)
{
  fri_html_open (html, "body", NULL);
  show_header (html, words, data);
  show_contents (html, words, data);
  fri_html_open (html, "main", NULL);
  show_first (html, words, data, "evaluator", "scores", FRI_W (SCORES));
  show_first (html, words, data, "trainer", "training", FRI_W (TRAINING));
  show_what_ran (html, words, data);
  fri_html_open (html, "section", "id", "stages", NULL);
  fri_html_element (html, "h2", NULL, FRI_W (STAGES));
  if (!data->rows)
    fri_html_element (html, "p", "note", FRI_W (NO_ROWS));
  for (guint i = 0; i < data->order->len; i++)
    fri_show_stage (html, words, data, g_ptr_array_index (data->order, i));
  fri_html_close (html);
  show_provenance (html, words, data);
  fri_html_close (html);
  fri_html_open (html, "footer", NULL);
  fri_html_printf (html, "flowrun %s · %s", fri_get_text (data->manifest, "flowrun"),
                   FRI_W (FOOTER));
  fri_html_close (html);
  fri_html_close (html);
}

char *
fri_page_make (FriPageData *data, const char *language, gsize *len)
{
  const FriWords *words = fri_words (language);
  FriHtml *html = fri_html_new ();

  fri_html_raw (html, "<!DOCTYPE html>\n");
  fri_html_open (html, "html", "xmlns", "http://www.w3.org/1999/xhtml", "lang", words->language,
                 NULL);
  fri_html_open (html, "head", NULL);
  fri_html_void (html, "meta", "charset", "utf-8", NULL);
  fri_html_void (html, "meta", "http-equiv", "Content-Security-Policy", "content", POLICY, NULL);
  fri_html_void (html, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1",
                 NULL);
  fri_html_void (html, "meta", "name", "color-scheme", "content", "light dark", NULL);
  fri_html_void (html, "link", "rel", "icon", "href", "data:,", NULL);
  fri_html_open (html, "title", NULL);
  fri_html_printf (html, "%s – flowrun", name_of (words, data));
  fri_html_close (html);
  fri_html_open (html, "style", NULL);
  fri_html_raw (html, fri_style);
  fri_html_close (html);
  fri_html_close (html);
  show_body (html, words, data);
  fri_html_close (html);
  fri_html_raw (html, "\n");
  return fri_html_end (html, len);
}
