/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: rows before and after a stage, what it rejected, and how long its
 * texts are, all from samples.json (core/engine/samples.c).
 */
#include "config.h"

#include <string.h>

#include "report/report-private.h"

#define SHOWN_ROWS 3  /* the others are folded */
#define CONTEXT 24    /* characters of what stayed alike around a change */
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

/* Only what differs is looked at: the beginning and the end that two texts
 * share are left plain, and cut to some context where they are long. */
static void
show_part (FriHtml *html, const char *text, const char *from, const char *to, const char *tag)
{
  const char *begin = text, *end = to + strlen (to);
  g_autofree char *head = NULL, *tail = NULL, *middle = g_strndup (from, (gsize) (to - from));

  if (g_utf8_pointer_to_offset (text, from) > 2 * CONTEXT)
    begin = g_utf8_offset_to_pointer (from, -CONTEXT);
  if (g_utf8_strlen (to, -1) > 2 * CONTEXT)
    end = g_utf8_offset_to_pointer (to, CONTEXT);
  head = g_strndup (begin, (gsize) (from - begin));
  tail = g_strndup (to, (gsize) (end - to));
  if (begin > text)
    fri_html_element (html, "span", "more", "… ");
  fri_html_text (html, head);
  if (*middle != '\0')
    fri_html_element (html, tag, NULL, middle);
  fri_html_text (html, tail);
  if (*end != '\0')
    fri_html_element (html, "span", "more", " …");
}

static void
common (const char *a, const char *b, const char **a0, const char **b0, const char **a1,
        const char **b1)
{
  *a0 = a;
  *b0 = b;
  while (**a0 != '\0' && g_utf8_get_char (*a0) == g_utf8_get_char (*b0))
    {
      *a0 = g_utf8_next_char (*a0);
      *b0 = g_utf8_next_char (*b0);
    }
  *a1 = a + strlen (a);
  *b1 = b + strlen (b);
  while (*a1 > *a0 && *b1 > *b0)
    {
      const char *pa = g_utf8_prev_char (*a1), *pb = g_utf8_prev_char (*b1);

      if (g_utf8_get_char (pa) != g_utf8_get_char (pb))
        break;
      *a1 = pa;
      *b1 = pb;
    }
}

static void
show_change (FriHtml *html, const FriWords *words, const char *before, guint64 before_of,
             const char *after, guint64 after_of)
{
  const char *a0 = NULL, *b0 = NULL, *a1 = NULL, *b1 = NULL;
  gboolean near = before != NULL && after != NULL && *before != '\0' && *after != '\0';

  if (near)
    {
      common (before, after, &a0, &b0, &a1, &b1);
      /* Texts that share little are shown as they are. */
      near = (a0 - before) + (gssize) strlen (a1) > (gssize) (strlen (before) / 4)
             && (a1 - a0) < 400 && (b1 - b0) < 400;
    }
  fri_html_open (html, "td", "class", "body", NULL);
  if (near)
    show_part (html, before, a0, a1, "del");
  else
    show_cell (html, words, before, before_of);
  fri_html_close (html);
  fri_html_open (html, "td", "class", "body", NULL);
  if (near)
    show_part (html, after, b0, b1, "ins");
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
  gboolean changed = origin != NULL && from >= 0 && !same (now, before);
  gboolean new = origin != NULL &&from < 0;

  fri_html_open (html, "tr", "class", changed ? "changed" : NULL, NULL);
  show_field (html, words, name, new ? FRI_W (NEW) : NULL);
  if (changed)
    show_change (html, words, before, of_before, now, of);
  else
    {
      fri_html_open (html, "td", "class", "body", "colspan", origin != NULL ? "2" : NULL, NULL);
      show_cell (html, words, now, of);
      fri_html_close (html);
    }
  fri_html_close (html);
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
      fri_html_open (html, "td", NULL);
      fri_html_close (html);
      fri_html_close (html);
    }
}

static void
show_row (FriHtml *html, const FriWords *words, FriPageData *data, const char *stage,
          JsonObject *port, JsonObject *row)
{
  JsonArray *columns = fri_get_array (port, "columns");
  JsonObject *from = NULL;
  JsonObject *origin = find_origin (data, stage, fri_get_text (row, "id"), &from);
  gboolean unchanged = is_unchanged (port, row, from, origin);

  fri_html_open (html, "table", "class", "row", NULL);
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
  for (guint i = 0; columns != NULL && i < json_array_get_length (columns); i++)
    {
      const char *name = fri_text_at (columns, i);

      show_column (html, words, row, (int) i, name, unchanged ? NULL : origin,
                   column_of (from, name));
    }
  if (origin != NULL && !unchanged)
    show_dropped_columns (html, words, port, from, origin);
  fri_html_close (html);
  fri_html_close (html);
}

static void
show_rows_of (FriHtml *html, const FriWords *words, FriPageData *data, const char *stage,
              JsonObject *port, JsonArray *rows, guint first, guint last)
{
  for (guint i = first; i < last; i++)
    {
      JsonNode *node = json_array_get_element (rows, i);

      fri_html_open (html, "div", "class", "scroll", NULL);
      if (JSON_NODE_HOLDS_OBJECT (node))
        show_row (html, words, data, stage, port, json_node_get_object (node));
      fri_html_close (html);
    }
}

/* Whether all sampled rows of @port are as they came in. */
static gboolean
passes_on (FriPageData *data, const char *stage, JsonObject *port, JsonArray *rows)
{
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonNode *node = json_array_get_element (rows, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *from;
      JsonObject *origin = find_origin (data, stage, fri_get_text (row, "id"), &from);

      if (!is_unchanged (port, row, from, origin))
        return FALSE;
    }
  return json_array_get_length (rows) > 0;
}

static void
show_port (FriHtml *html, const FriWords *words, FriPageData *data, const char *stage,
           const char *name, JsonObject *port, double n_rows)
{
  JsonArray *rows = fri_get_array (port, "rows");
  guint n = rows != NULL ? json_array_get_length (rows) : 0;
  g_autofree char *count = fri_count ((guint64) n_rows);
  g_autofree char *shown = fri_count (n);
  gboolean alike;

  if (n == 0)
    return;
  alike = passes_on (data, stage, port, rows);
  fri_html_open (html, "h5", "class", "port", NULL);
  fri_html_element (html, "code", NULL, name);
  fri_html_text (html, " ");
  fri_html_open (html, "span", "class", "note", NULL);
  fri_html_printf (html, alike ? FRI_W (FIRST_ROWS_ALIKE) : FRI_W (FIRST_ROWS), shown, count);
  fri_html_close (html);
  fri_html_close (html);
  if (!alike)
    show_rows_of (html, words, data, stage, port, rows, 0, MIN (n, SHOWN_ROWS));
  if (!alike && n <= SHOWN_ROWS)
    return;
  fri_html_open (html, "details", NULL);
  fri_html_element (html, "summary", NULL, alike ? FRI_W (SHOW_ROWS) : FRI_W (MORE_EXAMPLES));
  show_rows_of (html, words, data, stage, port, rows, alike ? 0 : SHOWN_ROWS, n);
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
      g_string_append_printf (text, "%s%s: %s%s", text->len > 0 ? "\n" : "", name, cell,
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
      fri_html_open (html, "td", "colspan", "3", "class", "body", NULL);
      fri_html_element (html, "p", "reason", why != NULL ? why : "");
      show_rejected (html, words, port, row);
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

static gboolean
lengths_equal (const FriLengths *a, const FriLengths *b)
{
  return a->n == b->n && a->nulls == b->nulls && a->sum == b->sum && a->from->len == b->from->len
         && memcmp (a->from->data, b->from->data, a->from->len * sizeof (double)) == 0
         && memcmp (a->count->data, b->count->data, a->count->len * sizeof (double)) == 0;
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
  g_autofree char *mean = fri_number (n > 0 ? now->sum / n : 0);
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
  gboolean worth = now->from->len > 0 && (before == NULL || !lengths_equal (now, before));
  g_autofree char *title = name_port ? g_strdup_printf ("%s · %s", name, port) : g_strdup (name);

  if (worth && draw)
    show_lengths (html, words, title, now, before);
  lengths_free (now);
  lengths_free (before);
  return worth;
}

static guint
all_lengths (FriHtml *html, const FriWords *words, FriPageData *data, const char *id, guint most)
{
  JsonObject *ports = fri_get_object (fri_page_stage (data->samples, id), "ports");
  g_autoptr (GList) names = ports != NULL ? json_object_get_members (ports) : NULL;
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
  fri_html_open (html, "div", "class", "views", NULL);
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
