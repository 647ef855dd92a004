/* SPDX-License-Identifier: Apache-2.0 */
/* stage.c: the section of one stage: what it did, showed and warned of, its
 * rows, and what it was told to do.
 */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>

#include "report/report-private.h"

#define MANY_COUNTERS 10 /* more are folded */

static JsonObject *
run_of (FriPageData *data, const char *id)
{
  return fri_get_object (fri_get_object (fri_get_object (data->report, "run"), "stages"), id);
}

gboolean
fri_is_of_kind (FriPageData *data, const char *id, const char *kind)
{
  const char *element = fri_get_text (fri_get_object (data->graph, id), "element");

  return g_str_has_prefix (element, kind) && element[strlen (kind)] == '.';
}

/* ---- the first lines -------------------------------------------------------------- */

static void
show_ports (FriHtml *html, const char *label, JsonObject *rows)
{
  g_autoptr (GList) names = rows != NULL ? json_object_get_members (rows) : NULL;

  for (GList *n = names; n != NULL; n = n->next)
    {
      g_autofree char *count = fri_count ((guint64) fri_get_number (rows, n->data));

      if (strcmp (n->data, "rejects") == 0
          || (names->next != NULL && fri_get_number (rows, n->data) == 0))
        continue;
      fri_html_open (html, "li", NULL);
      if (names->next == NULL || strcmp (n->data, "in") == 0 || strcmp (n->data, "out") == 0)
        fri_html_printf (html, "%s ", label);
      else
        fri_html_printf (html, "%s ", (char *) n->data);
      fri_html_element (html, "b", NULL, count);
      fri_html_close (html);
    }
}

static void
show_fact (FriHtml *html, const char *class, const char *label, const char *value)
{
  fri_html_open (html, "li", "class", class, NULL);
  fri_html_printf (html, "%s ", label);
  fri_html_element (html, "b", NULL, value);
  fri_html_close (html);
}

static void
show_facts (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonObject *entry = fri_get_object (data->graph, id), *run = run_of (data, id);
  double rejects = fri_get_number (fri_page_stage (data->report, id), "rejects");
  g_autofree char *count = fri_count ((guint64) rejects);
  g_autofree char *working = fri_seconds (fri_get_number (run, "working"));
  g_autofree char *waiting = fri_seconds (fri_get_number (run, "waiting_for_input")
                                          + fri_get_number (run, "waiting_for_output"));
  const char *made = fri_get_text (run, "kept_from");

  fri_html_open (html, "ul", "class", "facts", NULL);
  show_ports (html, FRI_W (ROWS_IN), fri_get_object (entry, "rows_in"));
  show_ports (html, FRI_W (ROWS_OUT), fri_get_object (entry, "rows_out"));
  if (rejects > 0)
    show_fact (html, "rejects", FRI_W (REJECTED), count);
  if (strcmp (fri_get_text (run, "state"), "reused") == 0)
    {
      g_autofree char *when = fri_show_time (made);

      fri_html_open (html, "li", NULL);
      if (*made != '\0')
        fri_html_printf (html, FRI_W (KEPT_FROM), when);
      else
        fri_html_text (html, FRI_W (KEPT));
      fri_html_close (html);
    }
  else if (run != NULL && json_object_has_member (run, "working"))
    {
      show_fact (html, NULL, FRI_W (WORKING), working);
      show_fact (html, NULL, FRI_W (WAITING), waiting);
    }
  fri_html_close (html);
}

char *
fri_show_time (const char *iso)
{
  /* "2026-11-26T04:23:23Z" */
  if (strlen (iso) != 20 || iso[10] != 'T' || iso[19] != 'Z')
    return g_strdup (iso);
  return g_strdup_printf ("%.10s\302\240%.5s\302\240UTC", iso, iso + 11);
}

static void
show_warnings (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonArray *texts = fri_get_array (fri_page_stage (data->samples, id), "warnings");
  JsonArray *limits = fri_get_array (fri_page_stage (data->report, id), "limits_passed");
  guint n = texts != NULL ? json_array_get_length (texts) : 0;
  guint64 all = (guint64) fri_get_number (fri_page_stage (data->report, id), "warnings");

  for (guint i = 0; limits != NULL && i < json_array_get_length (limits); i++)
    fri_html_element (html, "p", "box limit", fri_text_at (limits, i));
  if (all == 0)
    return;
  fri_html_open (html, "ul", "class", "box warnings", NULL);
  for (guint i = 0; i < n; i++)
    {
      fri_html_open (html, "li", NULL);
      fri_show_long (html, words, fri_text_at (texts, i), 0);
      fri_html_close (html);
    }
  if (all > n)
    {
      g_autofree char *more = fri_count (all - n);

      fri_html_open (html, "li", NULL);
      fri_html_printf (html, FRI_W (MORE_WARNINGS), more);
      fri_html_close (html);
    }
  fri_html_close (html);
}

static void
show_counters (FriHtml *html, const FriWords *words, JsonObject *counters)
{
  g_autoptr (GList) names = counters != NULL ? json_object_get_members (counters) : NULL;
  gboolean fold = counters != NULL && json_object_get_size (counters) > MANY_COUNTERS;

  if (names == NULL)
    return;
  if (fold)
    {
      fri_html_open (html, "details", NULL);
      fri_html_open (html, "summary", NULL);
      fri_html_printf (html, "%s (%u)", FRI_W (COUNTERS), json_object_get_size (counters));
      fri_html_close (html);
    }
  fri_html_open (html, "ul", "class", "facts counters", "aria-label", FRI_W (COUNTERS), NULL);
  for (GList *n = names; n != NULL; n = n->next)
    {
      g_autofree char *count = fri_number (fri_get_number (counters, n->data));

      show_fact (html, NULL, n->data, count);
    }
  fri_html_close (html);
  if (fold)
    fri_html_close (html);
}

/* ---- what it was told ---------------------------------------------------------------- */

static void
show_value (FriHtml *html, const FriWords *words, const char *name, JsonNode *node)
{
  g_autofree char *json = NULL;

  fri_html_open (html, "tr", NULL);
  fri_html_element (html, "th", NULL, name);
  fri_html_open (html, "td", "class", "body", NULL);
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    fri_show_long (html, words, json_node_get_string (node), 0);
  else
    {
      json = fr_json_to_string (node, 0);
      fri_show_long (html, words, json, 0);
    }
  fri_html_close (html);
  fri_html_close (html);
}

static void
show_plain (FriHtml *html, const char *name, const char *value)
{
  if (*value == '\0')
    return;
  fri_html_open (html, "tr", NULL);
  fri_html_element (html, "th", NULL, name);
  fri_html_element (html, "td", "body mono", value);
  fri_html_close (html);
}

static void
show_parameters (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonObject *entry = fri_get_object (data->graph, id);
  JsonObject *parameters = fri_get_object (entry, "parameters");
  g_autoptr (GList) names = parameters != NULL ? json_object_get_members (parameters) : NULL;
  g_autofree char *plugin = g_strdup_printf ("%s %s", fri_get_text (entry, "plugin"),
                                             fri_get_text (entry, "plugin_version"));

  fri_html_open (html, "details", "class", "parameters", NULL);
  fri_html_element (html, "summary", NULL, FRI_W (PARAMETERS));
  fri_html_open (html, "div", "class", "scroll", NULL);
  fri_html_open (html, "table", "class", "facts-table", NULL);
  fri_html_open (html, "tbody", NULL);
  for (GList *n = names; n != NULL; n = n->next)
    show_value (html, words, n->data, json_object_get_member (parameters, n->data));
  show_plain (html, FRI_W (PLUGIN), plugin);
  show_plain (html, FRI_W (SEED), fri_get_text (entry, "seed"));
  show_plain (html, FRI_W (FINGERPRINT), fri_get_text (entry, "fingerprint"));
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static gboolean
has_plot (JsonArray *views)
{
  for (guint i = 0; views != NULL && i < json_array_get_length (views); i++)
    if (fri_view_kind (json_array_get_element (views, i)) == FR_VIEW_PLOT)
      return TRUE;
  return FALSE;
}

static void
show_what_it_told (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonObject *report = fri_page_stage (data->report, id);
  JsonArray *views = fri_get_array (fri_get_object (report, "reports"), "views");

  if (views != NULL
      && (fri_is_of_kind (data, id, "evaluator") || fri_is_of_kind (data, id, "trainer")))
    fri_html_element (html, "p", "note", FRI_W (SEE_TOP));
  else
    fri_show_views (html, words, data, views);
  if (!has_plot (views))
    fri_show_metrics (html, words, fri_get_object (report, "metrics"));
}

void
fri_show_stage (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonObject *entry = fri_get_object (data->graph, id);
  JsonObject *ports = fri_get_object (fri_page_stage (data->samples, id), "ports");
  JsonObject *in = fri_get_object (entry, "from");
  guint number = 0;
  g_autofree char *anchor = NULL;

  while (number < data->order->len && strcmp (g_ptr_array_index (data->order, number), id) != 0)
    number++;
  anchor = g_strdup_printf ("stage-%u", number + 1);
  fri_html_open (html, "section", "class", "stage", "id", anchor, NULL);
  fri_html_open (html, "h3", NULL);
  fri_html_text (html, id);
  fri_html_text (html, " ");
  fri_html_element (html, "span", "element", fri_get_text (entry, "element"));
  fri_html_close (html);
  show_facts (html, words, data, id);
  show_warnings (html, words, data, id);
  show_what_it_told (html, words, data, id);
  show_counters (html, words, fri_get_object (fri_page_stage (data->report, id), "counters"));
  fri_show_rejects (html, words, data, id);
  if (data->rows && ports != NULL && json_object_get_size (ports) > 0)
    {
      fri_html_element (html, "h4", NULL,
                        in != NULL && json_object_get_size (in) > 0 ? FRI_W (ROWS_TITLE)
                                                                    : FRI_W (ROWS_OUT_TITLE));
      fri_show_rows (html, words, data, id);
    }
  fri_show_lengths (html, words, data, id);
  show_parameters (html, words, data, id);
  fri_html_close (html);
}
