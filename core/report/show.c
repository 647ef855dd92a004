/* SPDX-License-Identifier: Apache-2.0 */
/* show.c: the views of elements (view.h), and their metrics where they gave no
 * plot of their own.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "report/report-private.h"

#define FOLD 280     /* characters beyond which a text is folded */
#define FOLD_TO 180  /* of which so many are shown */
#define MAX_ROWS 500 /* of a table */

/* ---- long texts ----------------------------------------------------------------- */

void
fri_show_long (FriHtml *html, const FriWords *words, const char *text, guint64 of)
{
  glong n = g_utf8_strlen (text, -1);

  if (n <= FOLD && of == 0)
    {
      fri_html_text (html, text);
      return;
    }
  if (n > FOLD)
    {
      g_autofree char *begin = g_utf8_substring (text, 0, FOLD_TO);

      fri_html_open (html, "details", "class", "long", NULL);
      fri_html_open (html, "summary", NULL);
      fri_html_text (html, begin);
      fri_html_element (html, "span", "more", " …");
      fri_html_close (html);
      fri_html_open (html, "div", "class", "whole", NULL);
    }
  fri_html_text (html, text);
  if (of > 0)
    {
      g_autofree char *shown = fri_count ((guint64) n), *all = fri_count (of);

      fri_html_open (html, "span", "class", "more", NULL);
      fri_html_printf (html, " … (%s / %s %s)", shown, all, FRI_W (CHARACTERS));
      fri_html_close (html);
    }
  if (n > FOLD)
    {
      fri_html_close (html);
      fri_html_close (html);
    }
}

/* ---- figures ---------------------------------------------------------------------- */

/* A number or a text, as a text; g_free(). */
static char *
value_text (JsonNode *node)
{
  if (node == NULL || JSON_NODE_HOLDS_NULL (node) || !JSON_NODE_HOLDS_VALUE (node))
    return g_strdup ("");
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  return fri_number (json_node_get_double (node));
}

static gboolean
is_number (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_INT64
             || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

static void
show_figures (FriHtml *html, JsonObject *view)
{
  JsonArray *items = fri_get_array (view, "items");

  fri_html_open (html, "dl", "class", "figures", NULL);
  for (guint i = 0; i < json_array_get_length (items); i++)
    {
      JsonObject *item = json_array_get_object_element (items, i);
      g_autofree char *value = value_text (json_object_get_member (item, "value"));
      const char *note = fri_get_text (item, "note");

      fri_html_open (html, "div", NULL);
      fri_html_element (html, "dt", NULL, fri_get_text (item, "name"));
      fri_html_element (html, "dd", NULL, value);
      if (*note != '\0')
        fri_html_element (html, "dd", "note", note);
      fri_html_close (html);
    }
  fri_html_close (html);
}

/* ---- tables ------------------------------------------------------------------------- */

static double
greatest (JsonArray *rows, guint column)
{
  double most = 0;

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonNode *cell = json_array_get_element (json_array_get_array_element (rows, i), column);

      if (is_number (cell))
        most = MAX (most, fabs (json_node_get_double (cell)));
    }
  return most;
}

static void
show_bar (FriHtml *html, double value, double most)
{
  fri_html_open (html, "svg", "xmlns", "http://www.w3.org/2000/svg", "class", "inline-bar",
                 "viewBox", "0 0 100 10", "width", "100", "height", "10", "preserveAspectRatio",
                 "none", "aria-hidden", "true", NULL);
  fri_svg_rect (html, value < 0 ? "bar minus" : "bar", 0, 0,
                most > 0 ? 100 * fabs (value) / most : 0, 10, 0);
  fri_html_close (html);
}

static void
show_cell (FriHtml *html, const FriWords *words, JsonNode *cell, const char *kind, double most)
{
  g_autofree char *text = value_text (cell);

  fri_html_open (html, "td", "class", strcmp (kind, "text") == 0 ? NULL : "number", NULL);
  if (is_number (cell) || strcmp (kind, "text") != 0)
    fri_html_text (html, text);
  else
    fri_show_long (html, words, text, 0);
  fri_html_close (html);
  if (strcmp (kind, "bar") != 0)
    return;
  fri_html_open (html, "td", "class", "bar", NULL);
  if (is_number (cell))
    show_bar (html, json_node_get_double (cell), most);
  fri_html_close (html);
}

static void
show_head (FriHtml *html, JsonArray *columns)
{
  fri_html_open (html, "thead", NULL);
  fri_html_open (html, "tr", NULL);
  for (guint c = 0; c < json_array_get_length (columns); c++)
    {
      JsonObject *column = json_array_get_object_element (columns, c);
      const char *kind = fri_get_text (column, "kind");

      fri_html_open (html, "th", "scope", "col", "class",
                     strcmp (kind, "text") == 0 ? NULL : "number", NULL);
      fri_html_text (html, fri_get_text (column, "name"));
      fri_html_close (html);
      /* The head stands above the number, not at the far end of the bar. */
      if (strcmp (kind, "bar") == 0)
        fri_html_element (html, "td", NULL, "");
    }
  fri_html_close (html);
  fri_html_close (html);
}

static void
show_table (FriHtml *html, const FriWords *words, JsonObject *view)
{
  JsonArray *columns = fri_get_array (view, "columns"), *rows = fri_get_array (view, "rows");
  guint n = json_array_get_length (columns), n_rows = json_array_get_length (rows);
  g_autofree double *most = g_new0 (double, n + 1);

  for (guint c = 0; c < n; c++)
    most[c] = greatest (rows, c);
  fri_html_open (html, "div", "class", "scroll", NULL);
  fri_html_open (html, "table", NULL);
  show_head (html, columns);
  fri_html_open (html, "tbody", NULL);
  for (guint i = 0; i < MIN (n_rows, MAX_ROWS); i++)
    {
      JsonArray *row = json_array_get_array_element (rows, i);

      fri_html_open (html, "tr", NULL);
      for (guint c = 0; c < n; c++)
        show_cell (html, words, json_array_get_element (row, c),
                   fri_get_text (json_array_get_object_element (columns, c), "kind"), most[c]);
      fri_html_close (html);
    }
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
  if (n_rows > MAX_ROWS)
    {
      g_autofree char *left = fri_count (n_rows - MAX_ROWS);

      fri_html_open (html, "p", "class", "note", NULL);
      fri_html_printf (html, FRI_W (MORE_ROWS), left);
      fri_html_close (html);
    }
}

/* ---- texts side by side ---------------------------------------------------------------- */

static void
show_texts (FriHtml *html, const FriWords *words, JsonObject *view)
{
  JsonArray *columns = fri_get_array (view, "columns"), *rows = fri_get_array (view, "rows");

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      JsonArray *cells = fri_get_array (row, "cells");

      fri_html_open (html, "div", "class", "texts", NULL);
      if (json_object_has_member (row, "name") || json_object_has_member (row, "note"))
        {
          fri_html_open (html, "p", "class", "texts-head", NULL);
          fri_html_element (html, "b", NULL, fri_get_text (row, "name"));
          fri_html_printf (html, " %s", fri_get_text (row, "note"));
          fri_html_close (html);
        }
      for (guint c = 0; c < json_array_get_length (cells); c++)
        {
          fri_html_open (html, "div", "class", "text", NULL);
          fri_html_element (html, "h5", NULL, json_array_get_string_element (columns, c));
          fri_html_open (html, "div", "class", "body", NULL);
          fri_show_long (html, words, json_array_get_string_element (cells, c), 0);
          fri_html_close (html);
          fri_html_close (html);
        }
      fri_html_close (html);
    }
}

/* ---- any view ------------------------------------------------------------------------------ */

static gboolean
is_wide (FrViewKind kind)
{
  return kind == FR_VIEW_TABLE || kind == FR_VIEW_TEXTS || kind == FR_VIEW_FIGURES;
}

static void
show_view (FriHtml *html, const FriWords *words, FriPageData *data, JsonNode *node)
{
  JsonObject *view = json_node_get_object (node);
  FrViewKind kind = fri_view_kind (node);

  fri_html_open (html, "figure", "class", is_wide (kind) ? "view wide" : "view", NULL);
  if (*fri_get_text (view, "title") != '\0')
    fri_html_element (html, "h4", NULL, fri_get_text (view, "title"));
  if (kind == FR_VIEW_FIGURES)
    show_figures (html, view);
  else if (kind == FR_VIEW_TABLE)
    show_table (html, words, view);
  else if (kind == FR_VIEW_TEXTS && !data->rows)
    fri_html_element (html, "p", "none", FRI_W (NO_ROWS));
  else if (kind == FR_VIEW_TEXTS)
    show_texts (html, words, view);
  else if (kind == FR_VIEW_PLOT)
    fri_chart_plot (html, view);
  else if (kind == FR_VIEW_HISTOGRAM)
    fri_chart_histogram (html, view);
  else
    fri_chart_intervals (html, view);
  if (*fri_get_text (view, "note") != '\0')
    fri_html_element (html, "p", "note", fri_get_text (view, "note"));
  fri_html_close (html);
}

void
fri_show_views (FriHtml *html, const FriWords *words, FriPageData *data, JsonArray *views)
{
  guint n = views != NULL ? json_array_get_length (views) : 0;

  if (n == 0)
    return;
  fri_html_open (html, "div", "class", "views", NULL);
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (views, i);
      g_autoptr (GError) error = NULL;

      if (fri_view_check (node, i, &error))
        {
          g_autoptr (JsonNode) spoken = fri_speech_in (node, words->language);

          show_view (html, words, data, spoken);
          continue;
        }
      fri_html_open (html, "p", "class", "broken wide", NULL);
      fri_html_printf (html, "%s: %s", FRI_W (VIEW_LEFT_OUT), error->message);
      fri_html_close (html);
    }
  fri_html_close (html);
}

/* ---- metrics -------------------------------------------------------------------------------- */

void
fri_show_metrics (FriHtml *html, const FriWords *words, JsonObject *metrics)
{
  g_autoptr (GList) names = metrics != NULL ? json_object_get_members (metrics) : NULL;
  g_autoptr (FrViews) views = fr_views_new ();
  g_autoptr (JsonNode) node = NULL;
  static FriPageData no_data = { .rows = TRUE };

  for (GList *m = names; m != NULL; m = m->next)
    {
      JsonObject *metric = fri_get_object (metrics, m->data);
      JsonArray *values = fri_get_array (metric, "values");
      double every = MAX (fri_get_number (metric, "every"), 1);

      if (values == NULL || json_array_get_length (values) < 2)
        continue;
      fr_views_begin (views, FR_VIEW_PLOT, m->data);
      fr_views_axes (views, FRI_W (REPORTED), "", FALSE);
      fr_views_begin_series (views, m->data, FALSE);
      for (guint i = 0; i < json_array_get_length (values); i++)
        fr_views_add_point (views, 1 + i * every, fri_number_at (values, i));
    }
  node = fr_views_to_json (views);
  fri_show_views (html, words, &no_data, json_node_get_array (node));
}
