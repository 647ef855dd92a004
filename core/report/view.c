/* SPDX-License-Identifier: Apache-2.0 */
/* view.c: views made, and checked against the convention (view.h).
 *
 * What a view is made of stands once, in the table `shapes`: the check goes by
 * it, and the builder makes what the check accepts.
 */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/view.h>
#include <math.h>
#include <string.h>

#include "report/report-private.h"

/* ---- checking ------------------------------------------------------------- */

/* Where the check is ("views[2].series[0]"), and what it found. */
typedef struct
{
  GString *at;
  GError **error;
} Check;

typedef gboolean (*Test) (Check *c, JsonNode *node);

/* A member of an object. */
typedef struct
{
  const char *name;
  gboolean optional;
  Test test;
} Member;

static gboolean
wrong (Check *c, const char *expected)
{
  g_set_error (c->error, FR_ERROR, FR_ERROR_DATA, "%s: expected %s", c->at->str, expected);
  return FALSE;
}

static gboolean
holds_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

/* One of the convention's own, which are in no language. */
static gboolean
is_word (Check *c, JsonNode *node)
{
  return holds_text (node) || wrong (c, "a text");
}

static gboolean
is_in_languages (Check *c, JsonNode *node)
{
  JsonObject *texts = json_node_get_object (node);
  g_autoptr (GList) languages = json_object_get_members (texts);

  for (GList *l = languages; l != NULL; l = l->next)
    if (!holds_text (json_object_get_member (texts, l->data)))
      {
        g_string_append_printf (c->at, ".%s", (const char *) l->data);
        return wrong (c, "a text");
      }
  return json_object_has_member (texts, "en")
         || wrong (c, "texts by language, with \"en\" among them");
}

static gboolean
is_text (Check *c, JsonNode *node)
{
  return JSON_NODE_HOLDS_OBJECT (node) ? is_in_languages (c, node) : is_word (c, node);
}

static gboolean
is_bool (Check *c, JsonNode *node)
{
  return (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
         || wrong (c, "true or false");
}

static gboolean
holds_number (JsonNode *node)
{
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  return type == G_TYPE_INT64 || (type == G_TYPE_DOUBLE && isfinite (json_node_get_double (node)));
}

static gboolean
is_number (Check *c, JsonNode *node)
{
  return holds_number (node) || wrong (c, "a number");
}

static gboolean
is_cell (Check *c, JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    return is_in_languages (c, node);
  return JSON_NODE_HOLDS_NULL (node) || holds_number (node) || holds_text (node)
         || wrong (c, "a text, a number or null");
}

static gboolean
is_value (Check *c, JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    return is_in_languages (c, node);
  return holds_number (node) || holds_text (node) || wrong (c, "a number or a text");
}

static gboolean
each (Check *c, JsonNode *node, Test test)
{
  gsize len = c->at->len;
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return wrong (c, "an array");
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_string_append_printf (c->at, "[%u]", i);
      if (!test (c, json_array_get_element (array, i)))
        return FALSE;
      g_string_truncate (c->at, len);
    }
  return TRUE;
}

static gboolean
names_of (JsonObject *object, const Member *members, const char **unknown)
{
  g_autoptr (GList) names = json_object_get_members (object);

  for (GList *n = names; n != NULL; n = n->next)
    {
      const Member *m = members;

      while (m->name != NULL && strcmp (m->name, n->data) != 0)
        m++;
      if (m->name != NULL)
        continue;
      *unknown = n->data;
      return FALSE;
    }
  return TRUE;
}

static gboolean
has_members (Check *c, JsonNode *node, const Member *members)
{
  gsize len = c->at->len;
  const char *unknown;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (c, "an object");
  object = json_node_get_object (node);
  if (!names_of (object, members, &unknown))
    {
      g_string_append_printf (c->at, ".%s", unknown);
      return wrong (c, "no such member");
    }
  for (const Member *m = members; m->name != NULL; m++)
    {
      g_string_append_printf (c->at, ".%s", m->name);
      if (!json_object_has_member (object, m->name))
        {
          if (!m->optional)
            return wrong (c, "it to be there");
        }
      else if (!m->test (c, json_object_get_member (object, m->name)))
        return FALSE;
      g_string_truncate (c->at, len);
    }
  return TRUE;
}

static gboolean
is_figure (Check *c, JsonNode *node)
{
  static const Member members[] = { { "name", FALSE, is_text },
                                    { "value", FALSE, is_value },
                                    { "note", TRUE, is_text },
                                    { NULL, FALSE, NULL } };

  return has_members (c, node, members);
}

static gboolean
are_figures (Check *c, JsonNode *node)
{
  return each (c, node, is_figure);
}

static gboolean
is_kind (Check *c, JsonNode *node)
{
  const char *word;

  if (!is_word (c, node))
    return FALSE;
  word = json_node_get_string (node);
  return strcmp (word, "text") == 0 || strcmp (word, "number") == 0 || strcmp (word, "bar") == 0
         || wrong (c, "\"text\", \"number\" or \"bar\"");
}

static gboolean
is_column (Check *c, JsonNode *node)
{
  static const Member members[]
      = { { "name", FALSE, is_text }, { "kind", FALSE, is_kind }, { NULL, FALSE, NULL } };

  return has_members (c, node, members);
}

static gboolean
are_columns (Check *c, JsonNode *node)
{
  return each (c, node, is_column);
}

static gboolean
is_row (Check *c, JsonNode *node)
{
  return each (c, node, is_cell);
}

static gboolean
are_rows (Check *c, JsonNode *node)
{
  return each (c, node, is_row);
}

static gboolean
is_x_axis (Check *c, JsonNode *node)
{
  static const Member members[] = { { "label", FALSE, is_text }, { NULL, FALSE, NULL } };

  return has_members (c, node, members);
}

static gboolean
is_y_axis (Check *c, JsonNode *node)
{
  static const Member members[]
      = { { "label", FALSE, is_text }, { "log", TRUE, is_bool }, { NULL, FALSE, NULL } };

  return has_members (c, node, members);
}

static gboolean
is_point (Check *c, JsonNode *node)
{
  JsonArray *a = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (a == NULL || json_array_get_length (a) != 2 || !holds_number (json_array_get_element (a, 0)))
    return wrong (c, "[x, y]");
  node = json_array_get_element (a, 1);
  return JSON_NODE_HOLDS_NULL (node) || holds_number (node) || wrong (c, "[x, y]");
}

static gboolean
are_points (Check *c, JsonNode *node)
{
  return each (c, node, is_point);
}

static gboolean
is_series (Check *c, JsonNode *node)
{
  static const Member members[] = { { "name", FALSE, is_text },
                                    { "points", FALSE, are_points },
                                    { "marks", TRUE, is_bool },
                                    { NULL, FALSE, NULL } };

  return has_members (c, node, members);
}

static gboolean
are_series (Check *c, JsonNode *node)
{
  return each (c, node, is_series);
}

static gboolean
is_bin (Check *c, JsonNode *node)
{
  JsonArray *a = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (a == NULL || json_array_get_length (a) != 3)
    return wrong (c, "[from, to, count]");
  for (guint i = 0; i < 3; i++)
    if (!holds_number (json_array_get_element (a, i)))
      return wrong (c, "[from, to, count]");
  return (json_array_get_double_element (a, 0) <= json_array_get_double_element (a, 1)
          && json_array_get_double_element (a, 2) >= 0)
         || wrong (c, "from <= to and no negative count");
}

static gboolean
are_bins (Check *c, JsonNode *node)
{
  JsonArray *bins;
  double end = -HUGE_VAL;

  if (!each (c, node, is_bin))
    return FALSE;
  bins = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (bins); i++)
    {
      JsonArray *bin = json_array_get_array_element (bins, i);

      if (json_array_get_double_element (bin, 0) < end)
        {
          g_string_append_printf (c->at, "[%u]", i);
          return wrong (c, "a bin that begins where the one before ends, or later");
        }
      end = json_array_get_double_element (bin, 1);
    }
  return TRUE;
}

static gboolean
is_interval (Check *c, JsonNode *node)
{
  static const Member members[]
      = { { "name", FALSE, is_text },   { "value", FALSE, is_number }, { "low", FALSE, is_number },
          { "high", FALSE, is_number }, { "note", TRUE, is_text },     { NULL, FALSE, NULL } };
  JsonObject *o;
  double value;

  if (!has_members (c, node, members))
    return FALSE;
  o = json_node_get_object (node);
  value = json_object_get_double_member (o, "value");
  return (json_object_get_double_member (o, "low") <= value
          && value <= json_object_get_double_member (o, "high"))
         || wrong (c, "low <= value <= high");
}

static gboolean
are_intervals (Check *c, JsonNode *node)
{
  return each (c, node, is_interval);
}

static gboolean
are_texts (Check *c, JsonNode *node)
{
  return each (c, node, is_text);
}

static gboolean
is_texts_row (Check *c, JsonNode *node)
{
  static const Member members[] = { { "name", TRUE, is_text },
                                    { "note", TRUE, is_text },
                                    { "cells", FALSE, are_texts },
                                    { NULL, FALSE, NULL } };

  return has_members (c, node, members);
}

static gboolean
are_texts_rows (Check *c, JsonNode *node)
{
  return each (c, node, is_texts_row);
}

/* The members of each kind of view. */
#define COMMON                                                                                     \
  { "view", FALSE, is_word }, { "title", FALSE, is_text },                                         \
  {                                                                                                \
    "note", TRUE, is_text                                                                          \
  }
#define END                                                                                        \
  {                                                                                                \
    NULL, FALSE, NULL                                                                              \
  }

static const struct
{
  const char *word;
  Member members[9];
} shapes[] = {
  [FR_VIEW_FIGURES] = { "figures", { COMMON, { "items", FALSE, are_figures }, END } },
  [FR_VIEW_TABLE]
  = { "table", { COMMON, { "columns", FALSE, are_columns }, { "rows", FALSE, are_rows }, END } },
  [FR_VIEW_PLOT] = { "plot",
                     { COMMON,
                       { "x", FALSE, is_x_axis },
                       { "y", FALSE, is_y_axis },
                       { "series", FALSE, are_series },
                       END } },
  [FR_VIEW_HISTOGRAM]
  = { "histogram", { COMMON, { "x", FALSE, is_x_axis }, { "bins", FALSE, are_bins }, END } },
  [FR_VIEW_INTERVALS] = { "intervals",
                          { COMMON,
                            { "unit", TRUE, is_text },
                            { "zero", TRUE, is_bool },
                            { "items", FALSE, are_intervals },
                            END } },
  [FR_VIEW_TEXTS]
  = { "texts",
      { COMMON, { "columns", FALSE, are_texts }, { "rows", FALSE, are_texts_rows }, END } },
};

/* What a table of members cannot say: as many cells as columns. */
static gboolean
rows_fit (Check *c, JsonObject *view, FrViewKind kind)
{
  guint n = json_array_get_length (json_object_get_array_member (view, "columns"));
  JsonArray *rows = json_object_get_array_member (view, "rows");

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonNode *row = json_array_get_element (rows, i);
      JsonArray *cells = kind == FR_VIEW_TABLE
                             ? json_node_get_array (row)
                             : json_object_get_array_member (json_node_get_object (row), "cells");
      g_autofree char *expected = NULL;

      if (json_array_get_length (cells) == n)
        continue;
      expected = g_strdup_printf ("%u cells, one for each column, and found %u", n,
                                  json_array_get_length (cells));
      g_string_append_printf (c->at, ".rows[%u]", i);
      return wrong (c, expected);
    }
  return TRUE;
}

FrViewKind
fri_view_kind (JsonNode *view)
{
  JsonNode *word = JSON_NODE_HOLDS_OBJECT (view)
                       ? json_object_get_member (json_node_get_object (view), "view")
                       : NULL;

  if (word == NULL || !holds_text (word))
    return 0;
  for (guint i = 1; i < G_N_ELEMENTS (shapes); i++)
    if (strcmp (shapes[i].word, json_node_get_string (word)) == 0)
      return (FrViewKind) i;
  return 0;
}

static gboolean
is_view (Check *c, JsonNode *node)
{
  FrViewKind kind = fri_view_kind (node);

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (c, "an object");
  if (kind == 0)
    {
      g_string_append (c->at, ".view");
      return wrong (c,
                    "\"figures\", \"table\", \"plot\", \"histogram\", \"intervals\" or \"texts\"");
    }
  if (!has_members (c, node, shapes[kind].members))
    return FALSE;
  return (kind != FR_VIEW_TABLE && kind != FR_VIEW_TEXTS)
         || rows_fit (c, json_node_get_object (node), kind);
}

gboolean
fri_view_check (JsonNode *view, guint index, GError **error)
{
  g_autoptr (GString) at = g_string_new (NULL);
  Check c = { at, error };

  g_string_printf (at, "views[%u]", index);
  return is_view (&c, view);
}

gboolean
fr_views_check (JsonNode *views, GError **error)
{
  g_autoptr (GString) at = g_string_new ("views");
  Check c = { at, error };

  return each (&c, views, is_view);
}

/* ---- making ---------------------------------------------------------------- */

struct _FrViews
{
  JsonArray *all;
  JsonObject *view; /* begun last; owned by `all` */
  FrViewKind kind;
  JsonArray *row; /* cells of the row, or points of the series, begun last; owned by `view` */
  FriSpeech *speech;
};

FrViews *
fr_views_new (void)
{
  FrViews *views = g_new0 (FrViews, 1);

  views->all = json_array_new ();
  views->speech = fri_speech_new ();
  return views;
}

void
fr_views_free (FrViews *views)
{
  if (views == NULL)
    return;
  json_array_unref (views->all);
  fri_speech_free (views->speech);
  g_free (views);
}

void
fr_views_translate (FrViews *views, const char *language, const FrViewWord *words)
{
  g_return_if_fail (language != NULL && words != NULL);

  fri_speech_add (views->speech, language, words);
}

const char *
fr_views_printf (FrViews *views, const char *format, ...)
{
  const char *text;
  va_list args;

  va_start (args, format);
  text = fri_speech_put (views->speech, format, args);
  va_end (args);
  return text;
}

const char *
fr_views_join (FrViews *views, const char *first, ...)
{
  const char *text;
  va_list more;

  va_start (more, first);
  text = fri_speech_join (views->speech, first, more);
  va_end (more);
  return text;
}

static void
set_text (FrViews *views, JsonObject *object, const char *name, const char *text)
{
  if (text != NULL)
    json_object_set_member (object, name, fri_speech_say (views->speech, text));
}

/* What is data, and said in no other language. */
static void
add_data (JsonArray *array, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  json_array_add_string_element (array, valid);
}

static gboolean
is_whole (double value)
{
  return fabs (value) < 9e15 && value == floor (value);
}

static void
add_number (JsonArray *array, double value)
{
  if (!isfinite (value))
    json_array_add_null_element (array);
  else if (is_whole (value))
    json_array_add_int_element (array, (gint64) value);
  else
    json_array_add_double_element (array, value);
}

static void
set_number (JsonObject *object, const char *name, double value)
{
  if (is_whole (value))
    json_object_set_int_member (object, name, (gint64) value);
  else
    json_object_set_double_member (object, name, value);
}

static JsonArray *
new_array (JsonObject *object, const char *name)
{
  JsonArray *array = json_array_new ();

  json_object_set_array_member (object, name, array);
  return array;
}

static JsonArray *
list (FrViews *views, const char *name)
{
  return json_object_get_array_member (views->view, name);
}

static JsonObject *
add_object (FrViews *views, const char *name)
{
  JsonObject *object = json_object_new ();

  json_array_add_object_element (list (views, name), object);
  return object;
}

void
fr_views_begin (FrViews *views, FrViewKind kind, const char *title)
{
  g_return_if_fail (kind >= FR_VIEW_FIGURES && kind <= FR_VIEW_TEXTS && title != NULL);

  views->view = json_object_new ();
  views->kind = kind;
  views->row = NULL;
  json_array_add_object_element (views->all, views->view);
  json_object_set_string_member (views->view, "view", shapes[kind].word);
  set_text (views, views->view, "title", title);
  if (kind == FR_VIEW_TABLE || kind == FR_VIEW_TEXTS)
    {
      new_array (views->view, "columns");
      new_array (views->view, "rows");
    }
  else if (kind == FR_VIEW_PLOT)
    new_array (views->view, "series");
  else if (kind == FR_VIEW_HISTOGRAM)
    new_array (views->view, "bins");
  else
    new_array (views->view, "items");
  if (kind == FR_VIEW_PLOT || kind == FR_VIEW_HISTOGRAM)
    fr_views_axes (views, "", kind == FR_VIEW_PLOT ? "" : NULL, FALSE);
}

void
fr_views_note (FrViews *views, const char *note)
{
  g_return_if_fail (views->view != NULL);

  set_text (views, views->view, "note", note);
}

void
fr_views_add_figure (FrViews *views, const char *name, double value, const char *note)
{
  JsonObject *item;

  g_return_if_fail (views->kind == FR_VIEW_FIGURES);

  item = add_object (views, "items");
  set_text (views, item, "name", name);
  if (isfinite (value))
    set_number (item, "value", value);
  else
    json_object_set_string_member (item, "value", "–");
  set_text (views, item, "note", note);
}

void
fr_views_add_figure_text (FrViews *views, const char *name, const char *value, const char *note)
{
  JsonObject *item;

  g_return_if_fail (views->kind == FR_VIEW_FIGURES);

  item = add_object (views, "items");
  set_text (views, item, "name", name);
  set_text (views, item, "value", value);
  set_text (views, item, "note", note);
}

void
fr_views_add_column (FrViews *views, const char *name, FrViewColumn kind)
{
  static const char *const words[]
      = { [FR_VIEW_TEXT] = "text", [FR_VIEW_NUMBER] = "number", [FR_VIEW_BAR] = "bar" };
  JsonObject *column;

  g_return_if_fail (views->kind == FR_VIEW_TABLE || views->kind == FR_VIEW_TEXTS);
  g_return_if_fail (kind >= FR_VIEW_TEXT && kind <= FR_VIEW_BAR);

  if (views->kind == FR_VIEW_TEXTS)
    {
      json_array_add_element (list (views, "columns"), fri_speech_say (views->speech, name));
      return;
    }
  column = add_object (views, "columns");
  set_text (views, column, "name", name);
  json_object_set_string_member (column, "kind", words[kind]);
}

void
fr_views_begin_row (FrViews *views, const char *name, const char *note)
{
  JsonObject *row;

  g_return_if_fail (views->kind == FR_VIEW_TABLE || views->kind == FR_VIEW_TEXTS);

  if (views->kind == FR_VIEW_TABLE)
    {
      views->row = json_array_new ();
      json_array_add_array_element (list (views, "rows"), views->row);
      return;
    }
  row = add_object (views, "rows");
  set_text (views, row, "name", name);
  set_text (views, row, "note", note);
  views->row = new_array (row, "cells");
}

void
fr_views_add_cell (FrViews *views, const char *text)
{
  g_return_if_fail (views->row != NULL && views->kind != FR_VIEW_PLOT);

  if (text == NULL && views->kind == FR_VIEW_TABLE)
    json_array_add_null_element (views->row);
  else
    add_data (views->row, text != NULL ? text : "");
}

void
fr_views_add_word (FrViews *views, const char *word)
{
  g_return_if_fail (views->row != NULL && views->kind != FR_VIEW_PLOT && word != NULL);

  json_array_add_element (views->row, fri_speech_say (views->speech, word));
}

void
fr_views_add_number (FrViews *views, double value)
{
  g_return_if_fail (views->row != NULL && views->kind == FR_VIEW_TABLE);

  add_number (views->row, value);
}

void
fr_views_axes (FrViews *views, const char *x, const char *y, gboolean log_y)
{
  JsonObject *axis = json_object_new ();

  g_return_if_fail (views->kind == FR_VIEW_PLOT || (views->kind == FR_VIEW_HISTOGRAM && y == NULL));

  set_text (views, axis, "label", x);
  json_object_set_object_member (views->view, "x", axis);
  if (y == NULL)
    return;
  axis = json_object_new ();
  set_text (views, axis, "label", y);
  if (log_y)
    json_object_set_boolean_member (axis, "log", TRUE);
  json_object_set_object_member (views->view, "y", axis);
}

void
fr_views_begin_series (FrViews *views, const char *name, gboolean marks)
{
  JsonObject *series;

  g_return_if_fail (views->kind == FR_VIEW_PLOT);

  series = add_object (views, "series");
  set_text (views, series, "name", name);
  views->row = new_array (series, "points");
  if (marks)
    json_object_set_boolean_member (series, "marks", TRUE);
}

void
fr_views_add_point (FrViews *views, double x, double y)
{
  JsonArray *point;

  g_return_if_fail (views->kind == FR_VIEW_PLOT && views->row != NULL && isfinite (x));

  point = json_array_new ();
  add_number (point, x);
  add_number (point, y);
  json_array_add_array_element (views->row, point);
}

void
fr_views_add_bin (FrViews *views, double from, double to, guint64 count)
{
  JsonArray *bin;

  g_return_if_fail (views->kind == FR_VIEW_HISTOGRAM && isfinite (from) && isfinite (to));

  bin = json_array_new ();
  add_number (bin, from);
  add_number (bin, to);
  json_array_add_int_element (bin, (gint64) count);
  json_array_add_array_element (list (views, "bins"), bin);
}

void
fr_views_unit (FrViews *views, const char *unit, gboolean zero)
{
  g_return_if_fail (views->kind == FR_VIEW_INTERVALS);

  set_text (views, views->view, "unit", unit);
  if (zero)
    json_object_set_boolean_member (views->view, "zero", TRUE);
}

void
fr_views_add_interval (FrViews *views, const char *name, double value, double low, double high,
                       const char *note)
{
  JsonObject *item;

  g_return_if_fail (views->kind == FR_VIEW_INTERVALS);
  g_return_if_fail (isfinite (value) && isfinite (low) && isfinite (high));

  item = add_object (views, "items");
  set_text (views, item, "name", name);
  set_number (item, "value", value);
  set_number (item, "low", low);
  set_number (item, "high", high);
  set_text (views, item, "note", note);
}

JsonNode *
fr_views_to_json (FrViews *views)
{
  JsonNode *node = json_node_alloc ();

  json_node_take_array (json_node_init (node, JSON_NODE_ARRAY), views->all);
  *views = (FrViews){ .all = json_array_new (), .speech = views->speech };
  return node;
}
