/* SPDX-License-Identifier: Apache-2.0 */
/* result.c: the columns and rows of a prepared statement (result.h). */
#include "config.h"

#include "sources/mariadb/result.h"

#include <string.h>

#define FIRST_ROOM 256
#define BINARY_CHARSET 63

typedef struct _MariaCell MariaCell;

struct _MariaCell
{
  unsigned long len;
  my_bool null, error, is_unsigned;
  gint64 integer;
  double number;
  float single;
  MYSQL_TIME time;
  GString *room;
};

/* ---- columns ---------------------------------------------------------------------- */

static gboolean
is_binary (const MYSQL_FIELD *field)
{
  return field->charsetnr == BINARY_CHARSET;
}

static SqlKind
kind_of (const MYSQL_FIELD *field)
{
  switch (field->type)
    {
    case MYSQL_TYPE_TINY:
      return field->length == 1 ? SQL_KIND_BOOL : SQL_KIND_INT;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_YEAR:
      return SQL_KIND_INT;
    case MYSQL_TYPE_BIT:
      return field->length == 1 ? SQL_KIND_BOOL : SQL_KIND_INT;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
      return SQL_KIND_FLOAT;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return SQL_KIND_DECIMAL;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
      return SQL_KIND_DATE;
    case MYSQL_TYPE_TIMESTAMP: /* kept in UTC, and shown in the session's zone, which is UTC */
      return SQL_KIND_TIME;
    case MYSQL_TYPE_GEOMETRY:
      return SQL_KIND_BYTES;
    case MYSQL_TYPE_TIME:
      return SQL_KIND_TEXT;
    case MYSQL_TYPE_JSON: /* MySQL's; of the binary "charset", though it is text */
      return SQL_KIND_JSON;
    default:
      return is_binary (field) && !(field->flags & (ENUM_FLAG | SET_FLAG)) ? SQL_KIND_BYTES
                                                                           : SQL_KIND_TEXT;
    }
}

static const char *
word_of (const MYSQL_FIELD *field)
{
  switch (field->type)
    {
    case MYSQL_TYPE_TINY:
      return field->length == 1 ? "tinyint(1)" : "tinyint";
    case MYSQL_TYPE_SHORT:
      return "smallint";
    case MYSQL_TYPE_INT24:
      return "mediumint";
    case MYSQL_TYPE_LONG:
      return "int";
    case MYSQL_TYPE_LONGLONG:
      return "bigint";
    case MYSQL_TYPE_YEAR:
      return "year";
    case MYSQL_TYPE_BIT:
      return "bit";
    case MYSQL_TYPE_FLOAT:
      return "float";
    case MYSQL_TYPE_DOUBLE:
      return "double";
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return "decimal";
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      return "date";
    case MYSQL_TYPE_DATETIME:
      return "datetime";
    case MYSQL_TYPE_TIMESTAMP:
      return "timestamp";
    case MYSQL_TYPE_TIME:
      return "time";
    case MYSQL_TYPE_GEOMETRY:
      return "geometry";
    case MYSQL_TYPE_JSON:
      return "json";
    default:
      return field->flags & ENUM_FLAG  ? "enum"
             : field->flags & SET_FLAG ? "set"
             : is_binary (field)       ? "blob"
                                       : "text";
    }
}

GPtrArray *
maria_columns (MariaLink *link, GError **error)
{
  MYSQL_RES *meta = mysql_stmt_result_metadata (link->statement);
  g_autoptr (GPtrArray) columns = g_ptr_array_new_with_free_func ((GDestroyNotify) sql_column_free);
  const MYSQL_FIELD *fields;

  if (meta == NULL)
    {
      if (mysql_stmt_errno (link->statement) == 0)
        return g_steal_pointer (&columns); /* no SELECT */
      maria_fail (link, error);
      return NULL;
    }
  fields = mysql_fetch_fields (meta);
  for (guint i = 0; i < mysql_num_fields (meta); i++)
    {
      const MYSQL_FIELD *field = &fields[i];
      const char *word = word_of (field);
      g_autofree char *type = g_strdup_printf (
          "%s%s", word, field->flags & UNSIGNED_FLAG && IS_NUM (field->type) ? " unsigned" : "");
      SqlColumn *column = sql_column_new (field->name, type, kind_of (field));

      column->native = field->type;
      g_ptr_array_add (columns, column);
    }
  mysql_free_result (meta);
  return g_steal_pointer (&columns);
}

char *
maria_shape (GPtrArray *columns)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < columns->len; i++)
    {
      SqlColumn *column = columns->pdata[i];

      g_string_append_printf (text, "%s %s\n", column->name, column->type);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- room for a row ---------------------------------------------------------------- */

void
maria_result_clear (MariaLink *link)
{
  for (guint i = 0; link->store && i < link->columns->len; i++)
    if (link->store[i].room)
      g_string_free (link->store[i].room, TRUE);
  g_clear_pointer (&link->store, g_free);
  g_clear_pointer (&link->binds, g_free);
  g_clear_pointer (&link->columns, g_ptr_array_unref);
}

static void
bind_column (MYSQL_BIND *bind, MariaCell *cell, const SqlColumn *column)
{
  bind->length = &cell->len;
  bind->is_null = &cell->null;
  bind->error = &cell->error;
  if (column->native == MYSQL_TYPE_FLOAT)
    {
      bind->buffer_type = MYSQL_TYPE_FLOAT;
      bind->buffer = &cell->single;
    }
  else if (column->kind == SQL_KIND_FLOAT)
    {
      bind->buffer_type = MYSQL_TYPE_DOUBLE;
      bind->buffer = &cell->number;
    }
  else if (column->native != MYSQL_TYPE_BIT
           && (column->kind == SQL_KIND_INT || column->kind == SQL_KIND_BOOL))
    {
      bind->buffer_type = MYSQL_TYPE_LONGLONG;
      bind->buffer = &cell->integer;
      bind->is_unsigned = cell->is_unsigned = g_str_has_suffix (column->type, " unsigned");
    }
  else if (column->kind == SQL_KIND_DATE || column->kind == SQL_KIND_TIME)
    {
      bind->buffer_type = MYSQL_TYPE_DATETIME;
      bind->buffer = &cell->time;
      bind->buffer_length = sizeof cell->time;
    }
  else
    {
      cell->room = g_string_sized_new (FIRST_ROOM);
      bind->buffer_type = column->native == MYSQL_TYPE_TIME ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
      bind->buffer = cell->room->str;
      bind->buffer_length = FIRST_ROOM;
    }
}

gboolean
maria_bind (MariaLink *link, GError **error)
{
  maria_result_clear (link);
  link->columns = maria_columns (link, error);
  if (link->columns == NULL)
    return FALSE;
  link->binds = g_new0 (MYSQL_BIND, link->columns->len + 1);
  link->store = g_new0 (MariaCell, link->columns->len + 1);
  for (guint i = 0; i < link->columns->len; i++)
    bind_column (&link->binds[i], &link->store[i], link->columns->pdata[i]);
  return !mysql_stmt_bind_result (link->statement, link->binds) || maria_fail (link, error);
}

/* ---- rows ------------------------------------------------------------------------------ */

static void
fault (SqlCell *cell, const char *text)
{
  cell->form = SQL_CELL_FAULT;
  cell->text = (FrStr){ text, strlen (text) };
}

static void
fill_time (SqlCell *cell, const MYSQL_TIME *time)
{
  if (time->year == 0 && time->month == 0 && time->day == 0)
    cell->form = SQL_CELL_ZERO_DATE;
  else if (time->month == 0 || time->day == 0)
    fault (cell, "is a date with 00 for a month or a day");
  else if (!sql_civil (time->year, time->month, time->day, time->hour, time->minute, time->second,
                       (guint) time->second_part, &cell->integer))
    fault (cell, "is no day of the calendar");
  else
    cell->form = SQL_CELL_TIME;
}

/* The shortest number that is the same in single precision, as the server
 * writes it where it must: 0.1, not 0.10000000149. */
static double
widen (float single)
{
  char text[32];

  for (int digits = 6; digits <= 9; digits++)
    {
      g_ascii_formatd (text, sizeof text,
                       digits == 6   ? "%.6g"
                       : digits == 7 ? "%.7g"
                       : digits == 8 ? "%.8g"
                                     : "%.9g",
                       (double) single);
      if ((float) g_ascii_strtod (text, NULL) == single)
        break;
    }
  return g_ascii_strtod (text, NULL);
}

static void
fill_bits (SqlCell *cell, FrStr bytes)
{
  guint64 value = 0;

  for (gsize i = 0; i < bytes.len; i++)
    value = value << 8 | (guchar) bytes.data[i];
  cell->form = SQL_CELL_INT;
  cell->integer = (gint64) value;
  if (bytes.len > 8 || value > G_MAXINT64)
    fault (cell, "does not fit int64");
}

static void
fill_cell (SqlCell *cell, const MariaCell *from, const SqlColumn *column)
{
  if (from->null)
    cell->form = SQL_CELL_NULL;
  else if (column->native == MYSQL_TYPE_FLOAT)
    {
      cell->form = SQL_CELL_FLOAT;
      cell->number = widen (from->single);
    }
  else if (column->kind == SQL_KIND_FLOAT)
    {
      cell->form = SQL_CELL_FLOAT;
      cell->number = from->number;
    }
  else if (column->kind == SQL_KIND_DATE || column->kind == SQL_KIND_TIME)
    fill_time (cell, &from->time);
  else if (from->room == NULL)
    {
      cell->form = SQL_CELL_INT;
      cell->integer = from->integer;
      if (from->is_unsigned && from->integer < 0)
        fault (cell, "does not fit int64");
    }
  else
    {
      cell->form = column->kind == SQL_KIND_BYTES ? SQL_CELL_BYTES : SQL_CELL_TEXT;
      cell->text = (FrStr){ from->room->str, from->len };
      if (column->native == MYSQL_TYPE_BIT)
        fill_bits (cell, cell->text);
    }
}

/* The value of column @i again, whole. */
static gboolean
fetch_whole (MariaLink *link, guint i, GError **error)
{
  MariaCell *cell = &link->store[i];
  MYSQL_BIND *bind = &link->binds[i];

  g_string_set_size (cell->room, cell->len + cell->len / 2);
  bind->buffer = cell->room->str;
  bind->buffer_length = cell->room->allocated_len;
  return mysql_stmt_fetch_column (link->statement, bind, i, 0) == 0 || maria_fail (link, error);
}

gboolean
maria_fill (MariaLink *link, gboolean truncated, SqlCell *cells, GError **error)
{
  gboolean grown = FALSE;

  for (guint i = 0; i < link->columns->len; i++)
    {
      MariaCell *cell = &link->store[i];

      if (truncated && cell->room && !cell->null && cell->len > link->binds[i].buffer_length)
        {
          if (!fetch_whole (link, i, error))
            return FALSE;
          grown = TRUE;
        }
      fill_cell (&cells[i], cell, link->columns->pdata[i]);
    }
  /* For the rows to come; it leaves this one alone. */
  return !grown || !mysql_stmt_bind_result (link->statement, link->binds)
         || maria_fail (link, error);
}
