/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c: what an element foresees or an inspector found, for people.
 *
 * Both are told as one kind of JSON (FrInspect in service.h): a title, facts
 * by name, tables of text, problems and warnings.  It comes from plugins, so
 * what is not of that form is passed over.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"

static JsonArray *
array_of (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* A text as it is, any other value as JSON writes it. */
static char *
text_of (JsonNode *node)
{
  const char *text = NULL;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return g_strdup ("");
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    text = json_node_get_string (node);
  return text != NULL ? term_clean (text, strlen (text), 1000) : fr_json_to_string (node, 0);
}

static char *
member_text (JsonObject *object, const char *key)
{
  return text_of (json_object_get_member (object, key));
}

static void
print_table (Table *table, FILE *out)
{
  int fd = fileno (out);

  table_print (table, out, term_is (fd) ? term_width (fd) : 0, term_colour (fd));
}

static void
print_pairs (JsonArray *facts, FILE *out)
{
  g_autoptr (Table) table = table_new ();
  guint n = 0;

  table_column (table, "", TABLE_KEEP);
  table_column (table, "", 0);
  for (guint i = 0; i < json_array_get_length (facts); i++)
    {
      JsonNode *node = json_array_get_element (facts, i);
      JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
      g_autofree char *name = NULL, *text = NULL;

      if (pair == NULL || json_array_get_length (pair) != 2)
        continue;
      name = text_of (json_array_get_element (pair, 0));
      text = text_of (json_array_get_element (pair, 1));
      table_cell (table, STYLE_BOLD, name);
      table_cell (table, STYLE_NONE, text);
      n++;
    }
  if (n > 0)
    print_table (table, out);
}

static JsonArray *
row_of (JsonArray *rows, guint i)
{
  JsonNode *node = json_array_get_element (rows, i);

  return JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* A column whose cells all begin with a digit is one of numbers. */
static guint
align (JsonArray *rows, guint column)
{
  gboolean any = FALSE;

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonArray *row = row_of (rows, i);
      g_autofree char *text = row != NULL && column < json_array_get_length (row)
                                  ? text_of (json_array_get_element (row, column))
                                  : g_strdup ("");

      if (*text == '\0')
        continue;
      if (!g_ascii_isdigit (text[*text == '-']))
        return TABLE_LEFT;
      any = TRUE;
    }
  return any ? TABLE_RIGHT : TABLE_LEFT;
}

static void
print_rows (JsonObject *object, FILE *out)
{
  JsonArray *columns = array_of (object, "columns"), *rows = array_of (object, "rows");
  g_autoptr (Table) table = table_new ();
  g_autofree char *title = member_text (object, "title");
  guint n = columns != NULL ? json_array_get_length (columns) : 0;

  if (n == 0 || rows == NULL)
    return;
  for (guint c = 0; c < n; c++)
    {
      g_autofree char *name = text_of (json_array_get_element (columns, c));

      table_column (table, name, align (rows, c));
    }
  for (guint i = 0; i < json_array_get_length (rows); i++)
    for (guint c = 0; c < n; c++)
      {
        JsonArray *row = row_of (rows, i);
        g_autofree char *text = row != NULL && c < json_array_get_length (row)
                                    ? text_of (json_array_get_element (row, c))
                                    : g_strdup ("");

        table_cell (table, c == 0 ? STYLE_BOLD : STYLE_NONE, text);
      }
  fputc ('\n', out);
  if (*title != '\0')
    fprintf (out, "%s\n", title);
  print_table (table, out);
}

static void
print_list (JsonObject *object, const char *key, const char *label, Style style, FILE *out)
{
  JsonArray *list = array_of (object, key);
  gboolean colour = term_colour (fileno (out));

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      g_autofree char *text = text_of (json_array_get_element (list, i));

      fprintf (out, "%s%s:%s %s\n", term_style (style, colour), label, term_plain (colour), text);
    }
}

void
facts_print (JsonNode *facts, const char *of, FILE *out)
{
  gboolean colour = term_colour (fileno (out));
  JsonObject *object;
  JsonArray *list;
  g_autofree char *title = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (facts))
    return;
  object = json_node_get_object (facts);
  title = member_text (object, "title");
  fprintf (out, "%s%s%s%s%s\n", term_style (STYLE_BOLD, colour), of, *title != '\0' ? ": " : "",
           title, term_plain (colour));
  if ((list = array_of (object, "facts")) != NULL)
    print_pairs (list, out);
  list = array_of (object, "tables");
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    if (JSON_NODE_HOLDS_OBJECT (json_array_get_element (list, i)))
      print_rows (json_array_get_object_element (list, i), out);
  print_list (object, "problems", "problem", STYLE_RED, out);
  print_list (object, "warnings", "warning", STYLE_YELLOW, out);
}
