/* SPDX-License-Identifier: Apache-2.0 */
/* invent.c: input for an element that nobody wrote input for.
 *
 * plugin-check knows an element's ports and an example of its parameters, not
 * what columns that example means.  So every word in the example becomes a
 * column; its type is what the parameter table asks for, else what bind
 * accepts, text first.  Columns too many do not matter, and if no guess binds,
 * plugin-check says so and takes rows from --input.
 */
#include "config.h"

#include <string.h>

#include "testkit/testkit.h"

#define MAX_COLUMNS 40

typedef struct
{
  char *name;
  FrType type;
  gboolean fixed; /* the parameter table or a port says the type */
} Column;

static const FrType guesses[]
    = { FR_TYPE_UTF8, FR_TYPE_INT64, FR_TYPE_FLOAT64, FR_TYPE_BOOL, FR_TYPE_TIMESTAMP };

static void
column_clear (gpointer data)
{
  g_free (((Column *) data)->name);
}

static FrType
choose (guint types)
{
  if (types == FR_TYPES_ANY)
    return FR_TYPE_UTF8;
  for (guint i = 0; i < G_N_ELEMENTS (guesses); i++)
    if (types & FR_TYPES (guesses[i]))
      return guesses[i];
  for (guint t = FR_TYPE_BOOL; t < FR_TYPE_LIST; t++)
    if (types & FR_TYPES (t))
      return (FrType) t;
  return FR_TYPE_UTF8;
}

static void
add_column (GArray *columns, const char *name, gsize len, guint types, gboolean fixed)
{
  Column column;

  if (columns->len >= MAX_COLUMNS || len == 0)
    return;
  for (guint i = 0; i < columns->len; i++)
    {
      const char *have = g_array_index (columns, Column, i).name;

      if (strlen (have) == len && memcmp (have, name, len) == 0)
        return;
    }
  column = (Column){ g_strndup (name, len), choose (types), fixed };
  g_array_append_val (columns, column);
}

static gboolean
is_word (gunichar c, gboolean first)
{
  return c == '_' || g_unichar_isalpha (c) || (!first && g_unichar_isdigit (c));
}

/* Every identifier in a text: "{title}: {body}" or "price > 10". */
static void
add_words (GArray *columns, const char *text)
{
  const char *p = text;

  while (*p != '\0')
    {
      const char *start = p;

      if (!is_word (g_utf8_get_char (p), TRUE))
        {
          p = g_utf8_next_char (p);
          continue;
        }
      while (*p != '\0' && is_word (g_utf8_get_char (p), FALSE))
        p = g_utf8_next_char (p);
      add_column (columns, start, (gsize) (p - start), FR_TYPES_ANY, FALSE);
    }
}

static void
add_strings (GArray *columns, JsonNode *node)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      add_words (columns, json_node_get_string (node));
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        add_strings (columns, json_array_get_element (array, i));
    }
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      const char *name;
      JsonNode *value;

      json_object_iter_init (&iter, json_node_get_object (node));
      while (json_object_iter_next (&iter, &name, &value))
        {
          add_words (columns, name);
          add_strings (columns, value);
        }
    }
}

static void
add_named (GArray *columns, JsonNode *value, guint types)
{
  if (value == NULL)
    return;
  if (JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_STRING)
    {
      const char *name = json_node_get_string (value);

      add_column (columns, name, strlen (name), types, TRUE);
    }
  else if (JSON_NODE_HOLDS_ARRAY (value))
    {
      for (guint i = 0; i < json_array_get_length (json_node_get_array (value)); i++)
        add_named (columns, json_array_get_element (json_node_get_array (value), i), types);
    }
}

static GArray *
guess_columns (FrTest *test, const FrPort *port)
{
  GArray *columns = g_array_new (FALSE, FALSE, sizeof (Column));
  JsonObject *with = json_node_get_object (test->with);

  g_array_set_clear_func (columns, column_clear);
  for (guint i = 0; port->needs != NULL && port->needs[i] != NULL; i++)
    add_column (columns, port->needs[i]->name, strlen (port->needs[i]->name), port->needs[i]->types,
                TRUE);
  for (guint i = 0; test->element->params != NULL && test->element->params[i] != NULL; i++)
    {
      const FrParam *p = test->element->params[i];

      if (p->type != FR_PARAM_TYPE_COLUMN && p->type != FR_PARAM_TYPE_COLUMNS)
        continue;
      add_named (columns, json_object_get_member (with, p->key), p->types);
      if (p->def != NULL && !json_object_has_member (with, p->key) && p->def[0] != '[')
        add_column (columns, p->def, strlen (p->def), p->types, TRUE);
    }
  add_column (columns, "text", 4, FR_TYPES_ANY, FALSE);
  add_strings (columns, test->with);
  return columns;
}

/* ---- rows -------------------------------------------------------------------- */

static void
append_cell (FrCells *cells, FrType type, guint row)
{
  static const char *const texts[] = { "The quick brown fox jumps over the lazy dog.",
                                       "第二行：中文文本，全角ＡＢＣ１２３。",
                                       "a \"quoted\" cell, with a comma\nand a second line",
                                       "emoji 👍🏽 and a combining e\xcc\x81",
                                       "",
                                       "The quick brown fox jumps over the lazy dog.",
                                       "42" };

  if (type == FR_TYPE_UTF8 || type == FR_TYPE_LARGE_UTF8 || type == FR_TYPE_BINARY)
    fr_cells_append_str (cells, texts[row], strlen (texts[row]));
  else if (type == FR_TYPE_FLOAT32 || type == FR_TYPE_FLOAT64)
    fr_cells_append_float (cells, row * 0.5);
  else if (type == FR_TYPE_TIMESTAMP)
    fr_cells_append_int (cells, (gint64) row * 86400 * G_USEC_PER_SEC);
  else
    fr_cells_append_int (cells, type == FR_TYPE_BOOL ? row % 2 : row);
}

#define N_ROWS 7

/* Two batches, and a row of nulls at the end. */
static void
fill (FrTest *test, const FrPort *port, GArray *columns, guint32 source)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  g_autoptr (FrSchema) schema = NULL;
  g_autoptr (FrBuilder) builder = NULL;

  for (guint i = 0; i < columns->len; i++)
    {
      Column *c = &g_array_index (columns, Column, i);

      g_ptr_array_add (fields, fr_field_new (c->name, c->type));
    }
  schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, NULL);
  builder = fr_builder_new (schema);
  for (guint r = 0; r <= N_ROWS; r++)
    {
      for (guint i = 0; r < N_ROWS && i < columns->len; i++)
        append_cell (fr_builder_cells (builder, i), g_array_index (columns, Column, i).type, r);
      fr_builder_end_row (builder, (FrRowId){ .position = r + 1, .source = source });
      if (r == 4 || r == N_ROWS)
        fri_test_add_input (test, port->name, schema, fr_builder_finish (builder, NULL));
    }
}

/* ---- which types -------------------------------------------------------------- */

static guint
n_problems (FrTest *test)
{
  guint n = 0;

  if (fri_test_check (test))
    return 0;
  for (const char *p = test->problems; *p != '\0'; p++)
    n += *p == '\n';
  return MAX (n, 1);
}

static guint
try_types (FrTest *test, const FrPort *port, GArray *columns, guint index)
{
  g_ptr_array_set_size (test->inputs, (int) index);
  fill (test, port, columns, index + 1);
  return n_problems (test);
}

static void
settle_types (FrTest *test, const FrPort *port, GArray *columns, guint index)
{
  guint best = try_types (test, port, columns, index);

  for (guint i = 0; best > 0 && i < columns->len; i++)
    {
      Column *c = &g_array_index (columns, Column, i);
      FrType before = c->type;

      for (guint g = 1; !c->fixed && best > 0 && g < G_N_ELEMENTS (guesses); g++)
        {
          guint now;

          c->type = guesses[g];
          now = try_types (test, port, columns, index);
          if (now < best)
            {
              best = now;
              before = c->type;
            }
        }
      c->type = before;
    }
  try_types (test, port, columns, index);
}

gboolean
fri_test_invent (FrTest *test)
{
  const FrPort *const *inputs = test->element->inputs;
  guint n = 0;

  for (guint i = 0; inputs != NULL && inputs[i] != NULL; i++)
    {
      g_autoptr (GArray) columns = NULL;

      if (inputs[i]->kind != FR_PORT_RECORDS)
        continue;
      columns = guess_columns (test, inputs[i]);
      settle_types (test, inputs[i], columns, n++);
    }
  return fri_test_check (test);
}
