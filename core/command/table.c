/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: rows and columns of text, fitted to the terminal.
 *
 * When a table is too wide, its widest columns are narrowed first; when even
 * narrow columns do not fit, the last ones are left out and a line says which.
 */
#include "config.h"

#include <string.h>

#include "command/command.h"

#define GAP 2
#define NARROW 8

typedef struct
{
  char *text;
  Style style;
} Cell;

typedef struct
{
  char *title;
  guint flags;
  guint width;
} Column;

struct _Table
{
  GArray *columns;
  GArray *cells; /* row after row */
};

static void
cell_clear (gpointer data)
{
  g_free (((Cell *) data)->text);
}

static void
column_clear (gpointer data)
{
  g_free (((Column *) data)->title);
}

Table *
table_new (void)
{
  Table *table = g_new0 (Table, 1);

  table->columns = g_array_new (FALSE, TRUE, sizeof (Column));
  g_array_set_clear_func (table->columns, column_clear);
  table->cells = g_array_new (FALSE, TRUE, sizeof (Cell));
  g_array_set_clear_func (table->cells, cell_clear);
  return table;
}

void
table_free (Table *table)
{
  if (table == NULL)
    return;
  g_array_unref (table->columns);
  g_array_unref (table->cells);
  g_free (table);
}

void
table_column (Table *table, const char *title, guint flags)
{
  Column column = { g_strdup (title), flags, term_columns (title, -1) };

  g_array_append_val (table->columns, column);
}

void
table_cell (Table *table, Style style, const char *text)
{
  Cell cell = { g_strdup (text), style };
  Column *column = &g_array_index (table->columns, Column, table->cells->len % table->columns->len);

  column->width = MAX (column->width, term_columns (text, -1));
  g_array_append_val (table->cells, cell);
}

void
table_cellf (Table *table, Style style, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  table_cell (table, style, text);
}

/* ---- fitting --------------------------------------------------------------------- */

static guint
total_width (const GArray *columns, guint n)
{
  guint sum = 0;

  for (guint i = 0; i < n; i++)
    sum += g_array_index (columns, Column, i).width + (i ? GAP : 0);
  return sum;
}

/* The widest column that may still be narrowed, or NULL. */
static Column *
widest (const GArray *columns, guint n)
{
  Column *best = NULL;

  for (guint i = 0; i < n; i++)
    {
      Column *c = &g_array_index (columns, Column, i);

      if (!(c->flags & TABLE_KEEP) && c->width > NARROW && (best == NULL || c->width > best->width))
        best = c;
    }
  return best;
}

/* Returns how many columns are shown; their widths are then final. */
static guint
fit (Table *table, guint width)
{
  guint n = table->columns->len;

  while (width > 0 && total_width (table->columns, n) > width)
    {
      Column *c = widest (table->columns, n);

      if (c != NULL)
        c->width--;
      else if (n > 1)
        n--;
      else
        {
          g_array_index (table->columns, Column, 0).width = width;
          break;
        }
    }
  return n;
}

/* ---- printing -------------------------------------------------------------------- */

static void
print_cell (const Column *column, const char *text, Style style, gboolean last, FILE *out,
            gboolean colour)
{
  g_autofree char *cut = term_cut (text, column->width);
  int pad = (int) column->width - (int) term_columns (cut, -1);

  if (column->flags & TABLE_RIGHT)
    fprintf (out, "%*s", pad, "");
  if (style != STYLE_NONE)
    fprintf (out, "%s%s%s", term_style (style, colour), cut, term_plain (colour));
  else
    fputs (cut, out);
  if (!(column->flags & TABLE_RIGHT) && !last)
    fprintf (out, "%*s", pad, "");
  if (!last)
    fprintf (out, "%*s", GAP, "");
}

static void
print_left_out (Table *table, guint shown, FILE *out, guint width, gboolean colour)
{
  g_autoptr (GString) names = g_string_new ("(no room for: ");
  g_autofree char *cut = NULL;

  for (guint i = shown; i < table->columns->len; i++)
    g_string_append_printf (names, "%s%s", i > shown ? ", " : "",
                            g_array_index (table->columns, Column, i).title);
  g_string_append_c (names, ')');
  cut = term_cut (names->str, width);
  fprintf (out, "%s%s%s\n", term_style (STYLE_DIM, colour), cut, term_plain (colour));
}

void
table_print (Table *table, FILE *out, guint width, gboolean colour)
{
  guint shown = fit (table, width), all = table->columns->len;
  gboolean titles = FALSE;

  for (guint i = 0; i < all; i++)
    titles |= g_array_index (table->columns, Column, i).title[0] != '\0';
  for (guint i = 0; titles && i < shown; i++)
    {
      Column *c = &g_array_index (table->columns, Column, i);

      print_cell (c, c->title, STYLE_BOLD, i + 1 == shown, out, colour);
    }
  if (titles)
    fputc ('\n', out);
  for (guint i = 0; i < table->cells->len; i++)
    {
      Cell *cell = &g_array_index (table->cells, Cell, i);
      guint at = i % all;

      if (at < shown)
        print_cell (&g_array_index (table->columns, Column, at), cell->text, cell->style,
                    at + 1 == shown, out, colour);
      if (at + 1 == all)
        fputc ('\n', out);
    }
  if (shown < all)
    print_left_out (table, shown, out, width, colour);
}
