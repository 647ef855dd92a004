/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: taking the first rows of a port, and showing rows to a person. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/rows.h"

#define CELL_COLUMNS 200 /* more of a cell is never shown */

/* ---- taking ------------------------------------------------------------------- */

FriExit
rows_take (const CmdLine *line, FriPipeline *pipeline, const char *stage, const char *port,
           RowsFunc func, gpointer data, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  FriRunOptions options = { .run_dir = line->run_dir,
                            .ephemeral = TRUE,
                            .workers = (guint) line->workers,
                            .memory = line->memory,
                            .deny_network = line->deny != NULL,
                            .cancellable = cancellable,
                            .until = stage,
                            .tap_stage = stage,
                            .tap_port = port,
                            .tap = func,
                            .tap_data = data };

  cmd_signals_catch (cancellable);
  return fri_run (pipeline, &options, error);
}

/* ---- showing ---------------------------------------------------------------------- */

struct _RowsTable {
  Table *table;
  FrSchema *schema;
  guint n;
};

static guint
align (FrType type)
{
  return FR_TYPES (type) & (FR_TYPES_NUMBER | FR_TYPES (FR_TYPE_TIMESTAMP)) ? TABLE_RIGHT
                                                                            : TABLE_LEFT;
}

RowsTable *
rows_table_new (FrSchema *schema)
{
  RowsTable *rows = g_new0 (RowsTable, 1);

  rows->schema = fr_schema_ref (schema);
  rows->table = table_new ();
  table_column (rows->table, "row", TABLE_KEEP);
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    {
      FrField *field = fr_schema_field (schema, i);
      const char *name = fr_field_name (field);
      g_autofree char *title = term_clean (name, strlen (name), CELL_COLUMNS);

      table_column (rows->table, title, align (fr_field_type (field)));
    }
  return rows;
}

/* Cells that are not text, as JSON writes them: numbers the same everywhere,
 * lists and structs readable. */
static JsonObject *
row_json (const FrBatch *batch, gsize row, JsonNode **keep)
{
  g_autoptr (GString) text = g_string_new (NULL);

  fr_batch_append_json (batch, row, FALSE, text);
  *keep = fr_json_parse (text->str, (gssize) text->len, 0, NULL);
  return *keep != NULL ? json_node_get_object (*keep) : NULL;
}

static void
add_json_cell (RowsTable *rows, JsonObject *object, FrField *field)
{
  JsonNode *node = object ? json_object_get_member (object, fr_field_name (field)) : NULL;
  g_autofree char *text = NULL, *clean = NULL;

  if (node == NULL)
    text = g_strdup ("?");
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    text = json_node_dup_string (node);
  else
    text = fr_json_to_string (node, 0);
  clean = term_clean (text, strlen (text), CELL_COLUMNS);
  table_cell (rows->table, STYLE_NONE, clean);
}

void
rows_table_add (RowsTable *rows, const FrBatch *batch, gsize row, const char *id)
{
  JsonNode *keep = NULL;
  JsonObject *object = NULL;

  table_cell (rows->table, STYLE_DIM, id);
  for (guint i = 0; i < fr_schema_n_fields (rows->schema); i++)
    {
      FrField *field = fr_schema_field (rows->schema, i);
      FrView view = fr_view (batch, i);

      if (fr_view_is_null (&view, row))
        {
          table_cell (rows->table, STYLE_DIM, "null");
        }
      else if (FR_TYPES (fr_field_type (field)) & FR_TYPES_TEXT)
        {
          FrStr s = fr_view_str (&view, row);
          g_autofree char *clean = term_clean (s.data, s.len, CELL_COLUMNS);

          table_cell (rows->table, STYLE_NONE, clean);
        }
      else
        {
          if (keep == NULL)
            object = row_json (batch, row, &keep);
          add_json_cell (rows, object, field);
        }
    }
  if (keep != NULL)
    json_node_unref (keep);
  rows->n++;
}

guint
rows_table_n (const RowsTable *rows)
{
  return rows->n;
}

void
rows_table_print (RowsTable *rows, FILE *out)
{
  int fd = fileno (out);

  table_print (rows->table, out, term_is (fd) ? term_width (fd) : 0, term_colour (fd));
}

void
rows_table_free (RowsTable *rows)
{
  if (rows == NULL)
    return;
  table_free (rows->table);
  fr_schema_unref (rows->schema);
  g_free (rows);
}

char *
rows_id (const FriPipeline *pipeline, FrRowId id)
{
  const char *source = "?";
  g_autofree char *child = id.child ? g_strdup_printf ("~%08x", id.child) : NULL;

  for (guint i = 0; i < pipeline->stages->len; i++)
    {
      const FriStage *stage = g_ptr_array_index (pipeline->stages, i);

      if (stage->source == id.source)
        source = stage->id;
    }
  return g_strdup_printf ("%s:%" G_GUINT64_FORMAT "%s", source, id.position, child ? child : "");
}
