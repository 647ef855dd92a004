/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: rows before and after a stage, what it rejected, and how long its
 * texts are, all from samples.json (core/engine/samples.c).
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "report/report-private.h"

#define SHOWN_ROWS 2  /* the others are folded */
#define CONTEXT 30    /* characters of what stayed alike around a change */
#define MAX_CHARTS 12 /* of lengths, of one stage */

/* ---- samples ------------------------------------------------------------------- */

static JsonObject *
port_of (FriPageData *data, const char *stage, const char *port)
{
  return fri_get_object (fri_get_object (fri_page_stage (data->samples, stage), "ports"), port);
}

/* The ports that feed input @i of the stage, one after the other. */
static JsonObject *
feeding_port (FriPageData *data, const char *id, guint number)
{
  JsonObject *from = fri_get_object (fri_get_object (data->graph, id), "from");
  g_autoptr (GList) ports = from != NULL ? json_object_get_members (from) : NULL;

  for (GList *p = ports; p != NULL; p = p->next)
    {
      JsonArray *ends = fri_get_array (from, p->data);

      for (guint i = 0; ends != NULL && i < json_array_get_length (ends); i++)
        {
          g_autofree char *port = NULL;
          g_autofree char *stage = fri_page_end (ends, i, &port);
          JsonObject *found = stage != NULL ? port_of (data, stage, port) : NULL;

          if (found != NULL && number-- == 0)
            return found;
        }
    }
  return NULL;
}

static int
column_of (JsonObject *port, const char *name)
{
  JsonArray *columns = fri_get_array (port, "columns");

  for (guint i = 0; columns != NULL && i < json_array_get_length (columns); i++)
    if (g_strcmp0 (fri_text_at (columns, i), name) == 0)
      return (int) i;
  return -1;
}

/* What a cell holds as text, NULL for null; @of: how long it really is where it was cut. */
static const char *
cell_text (JsonObject *row, int column, guint64 *of)
{
  JsonArray *cells = fri_get_array (row, "cells");
  JsonNode *node;

  *of = 0;
  if (cells == NULL || column < 0 || (guint) column >= json_array_get_length (cells))
    return NULL;
  node = json_array_get_element (cells, (guint) column);
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      *of = (guint64) fri_get_number (json_node_get_object (node), "of");
      return fri_get_text (json_node_get_object (node), "cut");
    }
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  return NULL;
}

static void
show_cell (FriHtml *html, const FriWords *words, const char *text, guint64 of)
{
  if (text == NULL)
    fri_html_element (html, "span", "null", "null");
  else if (*text == '\0')
    fri_html_element (html, "span", "null", FRI_W (EMPTY));
  else
    fri_show_long (html, words, text, of);
}

/* ---- before and after --------------------------------------------------------------- */

/* The row that @id came from: itself, or the one it is a part of ("goods:17~1c9d03f2"). */
static JsonObject *
origin_in (JsonObject *port, const char *id)
{
  JsonArray *rows = fri_get_array (port, "rows");
  gsize whole = strlen (id), parent = strcspn (id, "~");

  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonNode *node = json_array_get_element (rows, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *other = fri_get_text (row, "id");
      gsize n = strlen (other);

      if ((n == whole || n == parent) && n > 0 && memcmp (other, id, n) == 0)
        return row;
    }
  return NULL;
}

static JsonObject *
find_origin (FriPageData *data, const char *stage, const char *id, JsonObject **port)
{
  for (guint i = 0; (*port = feeding_port (data, stage, i)) != NULL; i++)
    {
      JsonObject *row = origin_in (*port, id);

      if (row != NULL)
        return row;
    }
  return NULL;
}

/* A run of what stayed alike: only its ends where it is long. */
static void
show_kept (FriHtml *html, const char *text, guint n, gboolean first, gboolean last)
{
  const char *end = g_utf8_offset_to_pointer (text, n);
  guint head = first ? 0 : CONTEXT, tail = last ? 0 : CONTEXT;
  g_autofree char *whole = NULL, *begin = NULL, *rest = NULL;

  if (n <= 3 * CONTEXT)
    {
      whole = g_strndup (text, (gsize) (end - text));
      fri_html_text (html, whole);
      return;
    }
  begin = g_utf8_substring (text, 0, head);
  rest = g_strndup (g_utf8_offset_to_pointer (text, n - tail),
                    (gsize) (end - g_utf8_offset_to_pointer (text, n - tail)));
  fri_html_text (html, begin);
  fri_html_element (html, "span", "more", first ? "… " : last ? " …" : " … ");
  fri_html_text (html, rest);
}

/* One side of a change: @kind is what this side alone has. */
static void
show_side (FriHtml *html, const char *text, GArray *runs, FriRunKind kind, const char *tag)
{
  for (guint i = 0; i < runs->len; i++)
    {
      const FriRun *run = &g_array_index (runs, FriRun, i);
      const char *next;
      g_autofree char *own = NULL;

      if (run->kind != kind && run->kind != FRI_RUN_KEPT)
        continue;
      next = g_utf8_offset_to_pointer (text, run->length);
      if (run->kind == FRI_RUN_KEPT)
        show_kept (html, text, run->length, i == 0, i + 1 == runs->len);
      else
        {
          own = g_strndup (text, (gsize) (next - text));
          fri_html_element (html, tag, NULL, own);
        }
      text = next;
    }
}

/* Whether what stayed alike is enough to show the rest as a change of it. */
static gboolean
is_telling (GArray *runs)
{
  guint kept = 0, all = 0;

  for (guint i = 0; runs != NULL && i < runs->len; i++)
    {
      const FriRun *run = &g_array_index (runs, FriRun, i);

      all += run->length;
      if (run->kind == FRI_RUN_KEPT)
        kept += run->length;
    }
  return runs != NULL && runs->len <= 60 && kept * 3 > all;
}

static void
show_change (FriHtml *html, const FriWords *words, const char *before, guint64 before_of,
             const char *after, guint64 after_of)
{
  g_autoptr (GArray) runs = before != NULL && after != NULL ? fri_diff (before, after) : NULL;
  gboolean near = is_telling (runs);

  fri_html_open (html, "td", "class", "body", NULL);
  if (near)
    show_side (html, before, runs, FRI_RUN_DELETED, "del");
  else
    show_cell (html, words, before, before_of);
  fri_html_close (html);
  fri_html_open (html, "td", "class", "body", NULL);
  if (near)
    show_side (html, after, runs, FRI_RUN_INSERTED, "ins");
  else
    show_cell (html, words, after, after_of);
  fri_html_close (html);
}

static void
show_field (FriHtml *html, const FriWords *words, const char *name, const char *mark)
{
  fri_html_open (html, "th", "scope", "row", NULL);
  fri_html_text (html, name);
  if (mark != NULL)
    fri_html_element (html, "span", "tag", mark);
  fri_html_close (html);
  (void) words;
}

static gboolean
same (const char *a, const char *b)
{
  return g_strcmp0 (a, b) == 0;
}

/* One column of a row: what it was, what it became. */
static void
show_column (FriHtml *html, const FriWords *words, JsonObject *row, int at, const char *name,
             JsonObject *origin, int from)
{
  guint64 of, of_before;
  const char *now = cell_text (row, at, &of), *before = cell_text (origin, from, &of_before);
  gboolean new = origin != NULL &&from < 0;

  fri_html_open (html, "tr", NULL);
  show_field (html, words, name, new ? FRI_W (NEW) : NULL);
  if (origin != NULL && !new)
    show_change (html, words, before, of_before, now, of);
  else
    {
      if (new)
        fri_html_element (html, "td", NULL, "");
      fri_html_open (html, "td", "class", "body", NULL);
      show_cell (html, words, now, of);
      fri_html_close (html);
    }
  fri_html_close (html);
}

/* Whether column @at of the row is as it was. */
static gboolean
is_kept (JsonObject *row, int at, JsonObject *origin, int from)
{
  guint64 of;

  return origin != NULL && from >= 0
         && same (cell_text (row, at, &of), cell_text (origin, from, &of));
}

static gboolean
is_unchanged (JsonObject *port, JsonObject *row, JsonObject *from, JsonObject *origin)
{
  JsonArray *columns = fri_get_array (port, "columns");
  JsonArray *before = fri_get_array (from, "columns");

  if (origin == NULL || columns == NULL || before == NULL
      || json_array_get_length (columns) != json_array_get_length (before))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (columns); i++)
    {
      guint64 of;
      int at = column_of (from, fri_text_at (columns, i));

      if (at < 0 || !same (cell_text (row, (int) i, &of), cell_text (origin, at, &of)))
        return FALSE;
    }
  return TRUE;
}

static void
show_dropped_columns (FriHtml *html, const FriWords *words, JsonObject *port, JsonObject *from,
                      JsonObject *origin)
{
  JsonArray *before = fri_get_array (from, "columns");

  for (guint i = 0; before != NULL && i < json_array_get_length (before); i++)
    {
      const char *name = fri_text_at (before, i);
      guint64 of;
      const char *text = cell_text (origin, (int) i, &of);

      if (column_of (port, name) >= 0)
        continue;
      fri_html_open (html, "tr", "class", "gone", NULL);
      show_field (html, words, name, FRI_W (LEFT_OUT));
      fri_html_open (html, "td", "class", "body", NULL);
      show_cell (html, words, text, of);
      fri_html_close (html);
      fri_html_element (html, "td", NULL, "");
      fri_html_close (html);
    }
}

/* The columns of a row that stayed as they were, or those that did not. */
static guint
show_columns (FriHtml *html, const FriWords *words, JsonObject *port, JsonObject *row,
              JsonObject *from, JsonObject *origin, gboolean kept)
{
  JsonArray *columns = fri_get_array (port, "columns");
  g_autoptr (GString) nulls = g_string_new (NULL);
  guint n = 0;
  int null = -1;

  for (guint i = 0; columns != NULL && i < json_array_get_length (columns); i++)
    {
      const char *name = fri_text_at (columns, i);
      int before = column_of (from, name);
      guint64 of;

      if (is_kept (row, (int) i, origin, before) != kept)
        n++;
      else if ((kept || origin == NULL) && cell_text (row, (int) i, &of) == NULL)
        {
          g_string_append_printf (nulls, "%s%s", nulls->len > 0 ? ", " : "", name);
          null = (int) i;
        }
      else
        show_column (html, words, row, (int) i, name, kept ? NULL : origin, before);
    }
  /* Where nothing is compared, columns that hold nothing share a line. */
  if (null >= 0)
    show_column (html, words, row, null, nulls->str, NULL, -1);
  return n;
}

/* @origin: what @row was, with the columns of @from; NULL: not known. */
static void
show_row (FriHtml *html, const FriWords *words, JsonObject *port, JsonObject *row, JsonObject *from,
          JsonObject *origin)
{
  gboolean unchanged = is_unchanged (port, row, from, origin);
  guint kept = 0;

  fri_html_open (html, "table", "class", unchanged || origin == NULL ? "row" : "row change", NULL);
  fri_html_open (html, "thead", NULL);
  fri_html_open (html, "tr", NULL);
  fri_html_element (html, "th", "row-id", fri_get_text (row, "id"));
  if (unchanged || origin == NULL)
    fri_html_element (html, "th", NULL, unchanged ? FRI_W (UNCHANGED) : "");
  else
    {
      fri_html_element (html, "th", NULL, FRI_W (BEFORE));
      fri_html_element (html, "th", NULL, FRI_W (AFTER));
    }
  fri_html_close (html);
  fri_html_close (html);
  fri_html_open (html, "tbody", NULL);
  kept = show_columns (html, words, port, row, from, unchanged ? NULL : origin, FALSE);
  if (origin != NULL && !unchanged)
    show_dropped_columns (html, words, port, from, origin);
  fri_html_close (html);
  fri_html_close (html);
  if (kept == 0)
    return;
  fri_html_open (html, "details", "class", "kept", NULL);
  fri_html_open (html, "summary", NULL);
  fri_html_printf (html, FRI_W (KEPT_COLUMNS), kept);
  fri_html_close (html);
  fri_html_open (html, "table", "class", "row", NULL);
  fri_html_open (html, "tbody", NULL);
  show_columns (html, words, port, row, from, origin, TRUE);
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
}

static JsonObject *
object_at (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static void
show_rows_of (FriHtml *html, const FriWords *words, FriPageData *data, const char *stage,
              JsonObject *port, JsonArray *rows, guint first, guint last)
{
  for (guint i = first; i < last; i++)
    {
      JsonObject *row = object_at (rows, i), *from = NULL;
      JsonObject *origin = find_origin (data, stage, fri_get_text (row, "id"), &from);

      fri_html_open (html, "div", "class", "scroll", NULL);
      show_row (html, words, port, row, from, origin);
      fri_html_close (html);
    }
}

/* Rows of which the stage changed a text: they tell more than the first ones. */
static void
show_changes (FriHtml *html, const FriWords *words, JsonObject *port, JsonArray *changes,
              guint first, guint last)
{
  for (guint i = first; i < last; i++)
    {
      JsonObject *row = object_at (changes, i);
      g_autoptr (JsonObject) from = json_object_new (), origin = json_object_new ();
      JsonArray *columns = fri_get_array (port, "before_columns");
      JsonArray *before = fri_get_array (row, "before");

      if (columns == NULL || before == NULL)
        continue;
      json_object_set_array_member (from, "columns", json_array_ref (columns));
      json_object_set_array_member (origin, "cells", json_array_ref (before));
      fri_html_open (html, "div", "class", "scroll", NULL);
      show_row (html, words, port, row, from, origin);
      fri_html_close (html);
    }
}

/* Whether the port has the columns of one that feeds the stage. */
static gboolean
has_columns_of_input (FriPageData *data, const char *stage, JsonObject *port)
{
  JsonArray *columns = fri_get_array (port, "columns"), *before;
  JsonObject *from;

  for (guint i = 0; (from = feeding_port (data, stage, i)) != NULL; i++)
    {
      guint k = 0, n = columns != NULL ? json_array_get_length (columns) : 0;

      before = fri_get_array (from, "columns");
      if (before == NULL || n == 0 || json_array_get_length (before) != n)
        continue;
      while (k < n && same (fri_text_at (columns, k), fri_text_at (before, k)))
        k++;
      if (k == n)
        return TRUE;
    }
  return FALSE;
}

/* Whether all sampled rows of @port that can be compared are as they came in. */
static gboolean
passes_on (FriPageData *data, const char *stage, JsonObject *port, JsonArray *rows)
{
  guint n_compared = 0;

  if (!has_columns_of_input (data, stage, port))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = object_at (rows, i), *from;
      JsonObject *origin = find_origin (data, stage, fri_get_text (row, "id"), &from);

      if (origin != NULL && !is_unchanged (port, row, from, origin))
        return FALSE;
      n_compared += origin != NULL;
    }
  return n_compared > 0;
}

static void
port_head (FriHtml *html, const char *name, const char *format, guint n, double of)
{
  g_autofree char *count = fri_count ((guint64) of);
  g_autofree char *shown = fri_count (n);

  fri_html_open (html, "h5", "class", "port", NULL);
  fri_html_element (html, "code", NULL, name);
  fri_html_text (html, " ");
  fri_html_open (html, "span", "class", "note", NULL);
  fri_html_printf (html, format, shown, count);
  fri_html_close (html);
  fri_html_close (html);
}

static void
show_port (FriHtml *html, const FriWords *words, FriPageData *data, const char *stage,
           const char *name, JsonObject *port, double n_rows)
{
  JsonArray *rows = fri_get_array (port, "rows"), *changes = fri_get_array (port, "changes");
  guint n = rows != NULL ? json_array_get_length (rows) : 0;
  guint n_changes = changes != NULL ? json_array_get_length (changes) : 0;
  gboolean alike;

  if (n == 0)
    return;
  alike = n_changes == 0 && passes_on (data, stage, port, rows);
  if (n_changes > 0)
    {
      port_head (html, name, FRI_W (FIRST_CHANGES), n_changes, n_rows);
      show_changes (html, words, port, changes, 0, MIN (n_changes, SHOWN_ROWS));
    }
  else
    port_head (html, name, alike ? FRI_W (FIRST_ROWS_ALIKE) : FRI_W (FIRST_ROWS), n, n_rows);
  if (n_changes == 0 && !alike)
    show_rows_of (html, words, data, stage, port, rows, 0, MIN (n, SHOWN_ROWS));
  if (n_changes == 0 && !alike && n <= SHOWN_ROWS)
    return;
  fri_html_open (html, "details", NULL);
  fri_html_element (html, "summary", NULL, alike ? FRI_W (SHOW_ROWS) : FRI_W (MORE_EXAMPLES));
  if (n_changes > SHOWN_ROWS)
    show_changes (html, words, port, changes, SHOWN_ROWS, n_changes);
  show_rows_of (html, words, data, stage, port, rows,
                alike || n_changes > 0 ? 0 : MIN (n, SHOWN_ROWS), n);
  fri_html_close (html);
}

void
fri_show_rows (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonObject *ports = fri_get_object (fri_page_stage (data->samples, id), "ports");
  JsonObject *out = fri_get_object (fri_get_object (data->graph, id), "rows_out");
  g_autoptr (GList) names = ports != NULL ? json_object_get_members (ports) : NULL;

  if (!data->rows)
    return;
  for (GList *p = names; p != NULL; p = p->next)
    if (strcmp (p->data, "rejects") != 0)
      show_port (html, words, data, id, p->data, fri_get_object (ports, p->data),
                 fri_get_number (out, p->data));
}

/* ---- rejects ------------------------------------------------------------------------------ */

/* "column: text" of all cells but the reason. */
static void
show_rejected (FriHtml *html, const FriWords *words, JsonObject *port, JsonObject *row)
{
  JsonArray *columns = fri_get_array (port, "columns");
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; columns != NULL && i < json_array_get_length (columns); i++)
    {
      const char *name = fri_text_at (columns, i);
      guint64 of;
      const char *cell = cell_text (row, (int) i, &of);

      if (cell == NULL || g_str_has_prefix (name, "reject_"))
        continue;
      g_string_append_printf (text, "%s%s: %s%s", text->len > 0 ? " · " : "", name, cell,
                              of > 0 ? " …" : "");
    }
  fri_show_long (html, words, text->str, 0);
}

static void
show_examples (FriHtml *html, const FriWords *words, JsonObject *port, JsonArray *rows)
{
  int reason = column_of (port, "reject_reason");

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonNode *node = json_array_get_element (rows, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      guint64 of;
      const char *why = cell_text (row, reason, &of);

      fri_html_open (html, "tr", "class", "example", NULL);
      fri_html_element (html, "td", "row-id", fri_get_text (row, "id"));
      fri_html_open (html, "td", "colspan", "3", NULL);
      fri_html_element (html, "p", "reason body", why != NULL ? why : "");
      fri_html_open (html, "div", "class", "body", NULL);
      show_rejected (html, words, port, row);
      fri_html_close (html);
      fri_html_close (html);
      fri_html_close (html);
    }
}

void
fri_show_rejects (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  JsonObject *report = fri_page_stage (data->report, id);
  JsonObject *by_rule = fri_get_object (report, "rejects_by_rule");
  JsonObject *port = port_of (data, id, "rejects");
  g_autoptr (GList) rules = by_rule != NULL ? json_object_get_members (by_rule) : NULL;
  double total = fri_get_number (report, "rejects");

  if (rules == NULL)
    return;
  fri_html_element (html, "h4", NULL, FRI_W (DROPPED));
  fri_html_open (html, "div", "class", "scroll", NULL);
  fri_html_open (html, "table", "class", "rejected", NULL);
  fri_html_open (html, "tbody", NULL);
  for (GList *r = rules; r != NULL; r = r->next)
    {
      double n = fri_get_number (by_rule, r->data);
      g_autofree char *count = fri_count ((guint64) n);
      g_autofree char *share = g_strdup_printf ("%.0f %%", total > 0 ? 100 * n / total : 0);
      JsonArray *rows = fri_get_array (fri_get_object (port, "rules"), r->data);

      fri_html_open (html, "tr", "class", "rule", NULL);
      fri_html_element (html, "th", NULL, r->data);
      fri_html_element (html, "td", "number", count);
      fri_html_element (html, "td", "number", share);
      fri_html_element (html, "td", "rest", "");
      fri_html_close (html);
      if (rows != NULL && data->rows)
        show_examples (html, words, port, rows);
    }
  fri_html_close (html);
  fri_html_close (html);
  fri_html_close (html);
}

/* ---- lengths --------------------------------------------------------------------------------- */

static FriLengths *
lengths_new (JsonObject *o)
{
  FriLengths *l = g_new0 (FriLengths, 1);
  JsonArray *bins = fri_get_array (o, "bins");

  l->from = g_array_new (FALSE, FALSE, sizeof (double));
  l->count = g_array_new (FALSE, FALSE, sizeof (double));
  l->n = fri_get_number (o, "rows");
  l->nulls = fri_get_number (o, "nulls");
  l->min = fri_get_number (o, "min");
  l->max = CLAMP (fri_get_number (o, "max"), 0, 4e9);
  l->sum = fri_get_number (o, "sum");
  for (guint i = 0; bins != NULL && i < json_array_get_length (bins); i++)
    {
      JsonNode *node = json_array_get_element (bins, i);
      JsonArray *bin = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
      double from, count;

      if (bin == NULL || json_array_get_length (bin) != 2)
        continue;
      from = CLAMP (fri_number_at (bin, 0), 0, 4e9);
      count = fri_number_at (bin, 1);
      if (!(count >= 0) || !(from >= 0))
        continue;
      g_array_append_val (l->from, from);
      g_array_append_val (l->count, count);
    }
  return l;
}

static void
lengths_free (FriLengths *l)
{
  if (l == NULL)
    return;
  g_array_unref (l->from);
  g_array_unref (l->count);
  g_free (l);
}

/* More than by what a few rows more or less, or chance, bring about. */
static gboolean
lengths_differ (const FriLengths *a, const FriLengths *b)
{
  double range = MAX (b->max - b->min, 1), n = MAX (MIN (a->n, b->n), 1);

  /* A part of the rows has other extremes by chance. */
  if (a->n >= 0.9 * b->n
      && (fabs (a->max - b->max) > 0.1 * range || fabs (a->min - b->min) > 0.1 * range))
    return TRUE;
  return fri_lengths_distance (a, b) > 0.03 + sqrt (8 / n);
}

/* The lengths of column @name before the stage, where one input has it. */
static FriLengths *
lengths_before (FriPageData *data, const char *stage, const char *name)
{
  JsonObject *port;

  for (guint i = 0; (port = feeding_port (data, stage, i)) != NULL; i++)
    {
      JsonObject *o = fri_get_object (fri_get_object (port, "lengths"), name);

      if (o != NULL)
        return lengths_new (o);
    }
  return NULL;
}

static void
show_lengths (FriHtml *html, const FriWords *words, const char *title, const FriLengths *now,
              const FriLengths *before)
{
  double n = now->n - now->nulls;
  g_autofree char *rows = fri_count ((guint64) now->n);
  double average = n > 0 ? now->sum / n : 0;
  g_autofree char *mean = fri_number (average < 10 ? round (average * 10) / 10 : round (average));
  g_autofree char *min = fri_number (now->min), *max = fri_number (now->max);
  g_autofree char *nulls = fri_count ((guint64) now->nulls);

  fri_html_open (html, "figure", "class", "view small", NULL);
  fri_html_element (html, "h5", NULL, title);
  fri_chart_lengths (html, words, title, now, before);
  fri_html_open (html, "p", "class", "note", NULL);
  fri_html_printf (html, FRI_W (LENGTHS_NOTE), min, mean, max, rows);
  if (now->nulls > 0)
    fri_html_printf (html, FRI_W (NULLS_NOTE), nulls);
  if (before != NULL)
    fri_html_text (html, FRI_W (BEFORE_NOTE));
  fri_html_close (html);
  fri_html_close (html);
}

/* Whether to draw column @name of a port; draws it. */
static gboolean
maybe_lengths (FriHtml *html, const FriWords *words, FriPageData *data, const char *stage,
               const char *port, gboolean name_port, const char *name, JsonObject *o, gboolean draw)
{
  FriLengths *now = lengths_new (o), *before = lengths_before (data, stage, name);
  gboolean worth = now->min < now->max && (before == NULL || lengths_differ (now, before));
  g_autofree char *title = name_port ? g_strdup_printf ("%s · %s", name, port) : g_strdup (name);

  if (worth && draw)
    show_lengths (html, words, title, now, before);
  lengths_free (now);
  lengths_free (before);
  return worth;
}

/* Ports of records that are drawn: not rejects, and not what nobody reads where
 * something is read. */
static GList *
drawn_ports (FriPageData *data, const char *id, JsonObject *ports)
{
  GList *names = ports != NULL ? json_object_get_members (ports) : NULL, *drawn = NULL;
  gboolean any = FALSE;

  for (GList *p = names; p != NULL; p = p->next)
    any |= fri_page_is_read (data, id, p->data);
  for (GList *p = names; p != NULL; p = p->next)
    if (strcmp (p->data, "rejects") != 0 && (!any || fri_page_is_read (data, id, p->data)))
      drawn = g_list_append (drawn, p->data);
  g_list_free (names);
  return drawn;
}

static guint
all_lengths (FriHtml *html, const FriWords *words, FriPageData *data, const char *id, guint most)
{
  JsonObject *ports = fri_get_object (fri_page_stage (data->samples, id), "ports");
  g_autoptr (GList) names = drawn_ports (data, id, ports);
  guint n = 0;

  for (GList *p = names; p != NULL; p = p->next)
    {
      JsonObject *lengths = fri_get_object (fri_get_object (ports, p->data), "lengths");
      g_autoptr (GList) columns = lengths != NULL ? json_object_get_members (lengths) : NULL;

      for (GList *c = columns; c != NULL; c = c->next)
        n += maybe_lengths (html, words, data, id, p->data, names->next != NULL, c->data,
                            fri_get_object (lengths, c->data), n < most);
    }
  return n;
}

void
fri_show_lengths (FriHtml *html, const FriWords *words, FriPageData *data, const char *id)
{
  guint n = all_lengths (html, words, data, id, 0);

  if (n == 0)
    return;
  fri_html_element (html, "h4", NULL, FRI_W (LENGTHS));
  fri_html_open (html, "div", "class", "views many", NULL);
  all_lengths (html, words, data, id, MAX_CHARTS);
  fri_html_close (html);
  if (n > MAX_CHARTS)
    {
      g_autofree char *more = fri_count (n - MAX_CHARTS);

      fri_html_open (html, "p", "class", "note", NULL);
      fri_html_printf (html, FRI_W (MORE_CHARTS), more);
      fri_html_close (html);
    }
}
