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

struct _RowsTable
{
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

/* Cells that are not text as JSON writes them: numbers the same everywhere,
 * lists and structs readable. */
static char *
cell_text (const FrBatch *batch, guint column, gsize row)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *from;
  gsize len;

  fr_batch_append_json_cell (batch, column, row, text);
  from = text->str;
  len = text->len;
  if (len >= 2 && from[0] == '"') /* a timestamp, or bytes as base64 */
    return term_clean (from + 1, len - 2, CELL_COLUMNS);
  return term_clean (from, len, CELL_COLUMNS);
}

void
rows_table_add (RowsTable *rows, const FrBatch *batch, gsize row, const char *id)
{
  table_cell (rows->table, STYLE_DIM, id);
  for (guint i = 0; i < fr_schema_n_fields (rows->schema); i++)
    {
      FrView view = fr_view (batch, i);
      FrStr s;
      g_autofree char *text = NULL;

      if (fr_view_is_null (&view, row))
        {
          table_cell (rows->table, STYLE_DIM, "null");
          continue;
        }
      if (FR_TYPES (view.type) & FR_TYPES_TEXT)
        {
          s = fr_view_str (&view, row);
          text = term_clean (s.data, s.len, CELL_COLUMNS);
        }
      else
        text = cell_text (batch, i, row);
      table_cell (rows->table, STYLE_NONE, text);
    }
  rows->n++;
}

/* ---- text of which parts are marked -------------------------------------------------- */

static gboolean
is_marked (const FrField *field)
{
  const FrField *item = fr_field_type (field) == FR_TYPE_LIST ? fr_field_child (field, 0) : NULL;

  return item != NULL && fr_field_type (item) == FR_TYPE_STRUCT && fr_field_n_children (item) == 2
         && strcmp (fr_field_name (fr_field_child (item, 0)), "text") == 0
         && fr_field_type (fr_field_child (item, 0)) == FR_TYPE_UTF8
         && strcmp (fr_field_name (fr_field_child (item, 1)), "marked") == 0
         && fr_field_type (fr_field_child (item, 1)) == FR_TYPE_BOOL;
}

gboolean
rows_have_marks (FrSchema *schema)
{
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    if (is_marked (fr_schema_field (schema, i)))
      return TRUE;
  return FALSE;
}

/* As it is, line by line, but for what a terminal would act on.  A mark ends
 * with its line, so that colours do not spill over; an end of line that is
 * marked itself is made visible. */
static void
append_piece (GString *out, FrStr text, gboolean marked, gboolean colour)
{
  const char *open = term_utf8 () ? "⟦" : "[[", *close = term_utf8 () ? "⟧" : "]]";
  const char *begin = !marked ? "" : colour ? term_style (STYLE_GREEN, colour) : open;
  const char *end = !marked ? "" : colour ? term_plain (colour) : close;
  g_autofree char *line_end = term_clean ("\n", 1, 1);

  while (text.data != NULL && text.len > 0)
    {
      const char *newline = memchr (text.data, '\n', text.len);
      gsize len = newline != NULL ? (gsize) (newline - text.data) : text.len;
      g_autofree char *line = term_clean (text.data, len, len);

      if (len > 0)
        g_string_append_printf (out, "%s%s%s", begin, line, end);
      if (newline != NULL)
        g_string_append_printf (out, "%s%s%s\n", begin, marked ? line_end : "", end);
      len += newline != NULL;
      text.data += len;
      text.len -= len;
    }
}

static void
append_marked (GString *out, const FrView *list, gsize row, gboolean colour)
{
  FrView items = fr_view_child (list, 0);
  FrView texts = fr_view_child (&items, 0), marks = fr_view_child (&items, 1);
  gsize start, n = fr_view_list (list, row, &start);

  for (gsize i = start; i < start + n; i++)
    append_piece (out, fr_view_str (&texts, i), fr_view_bool (&marks, i), colour);
}

void
rows_print_marked (const FrBatch *batch, gsize row, const char *id, FILE *out)
{
  gboolean colour = term_colour (fileno (out));
  FrSchema *schema = fr_batch_schema (batch);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s%s%s", term_style (STYLE_DIM, colour), id, term_plain (colour));
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    if (!is_marked (fr_schema_field (schema, i)))
      {
        g_autofree char *cell = cell_text (batch, i, row);

        g_string_append_printf (text, "  %s%s%s %s", term_style (STYLE_BOLD, colour),
                                fr_field_name (fr_schema_field (schema, i)), term_plain (colour),
                                cell);
      }
  g_string_append_c (text, '\n');
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    if (is_marked (fr_schema_field (schema, i)))
      {
        FrView view = fr_view (batch, i);

        append_marked (text, &view, row, colour);
        if (text->str[text->len - 1] != '\n')
          g_string_append_c (text, '\n');
      }
  g_string_append_c (text, '\n');
  fwrite (text->str, 1, text->len, out);
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
