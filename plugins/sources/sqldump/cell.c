/* SPDX-License-Identifier: Apache-2.0 */
/* cell.c: SQL column types as flowrun types, SQL values as cells (cell.h).
 *
 * A value that does not fit says why and never becomes something near: the row
 * is rejected by the caller.
 */
#include "cell.h"

#include "sql/value.h"
#include "text/charset.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct
{
  const char *word; /* first word of the type */
  FrType type;
} types[] = { { "bool", FR_TYPE_BOOL },           { "boolean", FR_TYPE_BOOL },
              { "tinyint", FR_TYPE_INT64 },       { "smallint", FR_TYPE_INT64 },
              { "mediumint", FR_TYPE_INT64 },     { "int", FR_TYPE_INT64 },
              { "integer", FR_TYPE_INT64 },       { "bigint", FR_TYPE_INT64 },
              { "int2", FR_TYPE_INT64 },          { "int4", FR_TYPE_INT64 },
              { "int8", FR_TYPE_INT64 },          { "serial", FR_TYPE_INT64 },
              { "bigserial", FR_TYPE_INT64 },     { "smallserial", FR_TYPE_INT64 },
              { "year", FR_TYPE_INT64 },          { "float", FR_TYPE_FLOAT64 },
              { "float4", FR_TYPE_FLOAT64 },      { "float8", FR_TYPE_FLOAT64 },
              { "double", FR_TYPE_FLOAT64 },      { "real", FR_TYPE_FLOAT64 },
              { "date", FR_TYPE_TIMESTAMP },      { "datetime", FR_TYPE_TIMESTAMP },
              { "timestamp", FR_TYPE_TIMESTAMP }, { "timestamptz", FR_TYPE_TIMESTAMP },
              { "blob", FR_TYPE_BINARY },         { "tinyblob", FR_TYPE_BINARY },
              { "mediumblob", FR_TYPE_BINARY },   { "longblob", FR_TYPE_BINARY },
              { "binary", FR_TYPE_BINARY },       { "varbinary", FR_TYPE_BINARY },
              { "bytea", FR_TYPE_BINARY },        { "geometry", FR_TYPE_BINARY },
              { "point", FR_TYPE_BINARY } };

FrType
cell_type (const DumpColumn *column, DumpDialect dialect, gboolean decimal_text)
{
  g_autofree char *word = g_strdup (column->type ? column->type : "");
  gboolean one = g_strcmp0 (column->args, "1") == 0;

  if (g_str_has_suffix (word, "[]"))
    return FR_TYPE_UTF8;
  word[strcspn (word, " ")] = 0;
  if (strcmp (word, "decimal") == 0 || strcmp (word, "numeric") == 0 || strcmp (word, "dec") == 0
      || strcmp (word, "fixed") == 0)
    return decimal_text ? FR_TYPE_UTF8 : FR_TYPE_FLOAT64;
  if (strcmp (word, "tinyint") == 0 && one)
    return FR_TYPE_BOOL;
  if (strcmp (word, "bit") == 0 && dialect == DUMP_MYSQL)
    return column->args == NULL || one ? FR_TYPE_BOOL : FR_TYPE_INT64;
  if (dialect == DUMP_POSTGRES && strcmp (word, "point") == 0)
    return FR_TYPE_UTF8;
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (strcmp (word, types[i].word) == 0)
      return types[i].type;
  return FR_TYPE_UTF8;
}

static gboolean
bytes_int (FrStr s, gint64 *value)
{
  guint64 sum = 0;

  if (s.len == 0 || s.len > 8)
    return FALSE;
  for (gsize i = 0; i < s.len; i++)
    sum = sum << 8 | (guchar) s.data[i];
  *value = (gint64) sum;
  return sum <= G_MAXINT64;
}

static const char *
append_int (FrCells *cells, FrType type, DumpKind kind, FrStr s)
{
  gint64 value = kind == DUMP_TRUE;
  double number;

  if (kind == DUMP_BYTES ? !bytes_int (s, &value)
                         : kind != DUMP_TRUE && kind != DUMP_FALSE && !sql_parse_int (s, &value))
    {
      /* 1.0 and 1e3 are whole numbers too. */
      if (kind == DUMP_BYTES || !sql_parse_float (s, &number) || number != floor (number)
          || fabs (number) >= 9007199254740992.0)
        return "is not a whole number of 64 bits";
      value = (gint64) number;
    }
  if (type == FR_TYPE_INT32 && (value < G_MININT32 || value > G_MAXINT32))
    return "does not fit int32";
  fr_cells_append_int (cells, value);
  return NULL;
}

static const char *
append_bool (FrCells *cells, DumpKind kind, FrStr s)
{
  gint64 value;
  gboolean truth;

  if (kind == DUMP_TRUE || kind == DUMP_FALSE)
    {
      fr_cells_append_bool (cells, kind == DUMP_TRUE);
      return NULL;
    }
  if (kind == DUMP_BYTES || (s.len == 1 && (guchar) s.data[0] <= 1))
    {
      if (!bytes_int (s, &value) || value > 1)
        return "is neither 0 nor 1; give the column another type in 'columns'";
      fr_cells_append_bool (cells, value == 1);
      return NULL;
    }
  if (!sql_parse_bool (s, &truth))
    return "is neither 0 nor 1; give the column another type in 'columns'";
  fr_cells_append_bool (cells, truth);
  return NULL;
}

static const char *
append_text (FrCells *cells, DumpKind kind, FrStr s, CellRules *rules)
{
  g_autofree char *valid = NULL;

  if (kind == DUMP_TRUE || kind == DUMP_FALSE)
    s = kind == DUMP_TRUE ? FR_STR ("true") : FR_STR ("false");
  if (text_utf8_valid_len (s.data, s.len) == s.len)
    {
      fr_cells_append_str (cells, s.data, s.len);
      return NULL;
    }
  if (kind == DUMP_BYTES)
    return "is bytes that are no UTF-8; give the column the type 'binary' in 'columns'";
  valid = g_utf8_make_valid (s.data, (gssize) s.len);
  fr_cells_append_str (cells, valid, strlen (valid));
  rules->n_replaced++;
  return NULL;
}

static const char *
append_binary (FrCells *cells, DumpKind kind, FrStr s)
{
  if (kind == DUMP_TEXT && s.len >= 2 && s.data[0] == '\\' && s.data[1] == 'x')
    return sql_append_hex (cells, s) ? NULL : "is not a bytea in hexadecimal digits";
  fr_cells_append_str (cells, s.data, s.len);
  return NULL;
}

static const char *
append_time (FrCells *cells, DumpKind kind, FrStr s, CellRules *rules)
{
  const char *fault = "is not a date or time";
  gboolean beyond;
  gint64 us;

  if (kind == DUMP_NUMBER && sql_parse_int (s, &us) && ABS (us) < G_MAXINT64 / 1000000)
    {
      fr_cells_append_int (cells, us * 1000000); /* SQLite: seconds since 1970 */
      return NULL;
    }
  if (kind == DUMP_TEXT && (fault = sql_parse_time (s, &us, &beyond)) == NULL)
    {
      fr_cells_append_int (cells, us);
      return NULL;
    }
  if (kind == DUMP_TEXT && s.len >= 10 && memcmp (s.data, "0000-00-00", 10) == 0)
    {
      if (!rules->zero_dates_null)
        return "is MySQL's zero date";
      rules->n_zero_dates++;
      fr_cells_append_null (cells);
      return NULL;
    }
  return fault;
}

const char *
cell_append (FrCells *cells, FrType type, DumpKind kind, FrStr s, CellRules *rules)
{
  double number;

  switch (kind)
    {
    case DUMP_NULL:
      fr_cells_append_null (cells);
      return NULL;
    case DUMP_EXPRESSION:
      return "is an expression that only a server can compute";
    case DUMP_DEFAULT:
      return "is DEFAULT, which only a server knows";
    default:
      break;
    }
  switch (type)
    {
    case FR_TYPE_BOOL:
      return append_bool (cells, kind, s);
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return append_int (cells, type, kind, s);
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      number = kind == DUMP_TRUE;
      if (kind == DUMP_BYTES || (kind > DUMP_BYTES ? FALSE : !sql_parse_float (s, &number)))
        return "is not a number";
      fr_cells_append_float (cells, number);
      return NULL;
    case FR_TYPE_TIMESTAMP:
      return append_time (cells, kind, s, rules);
    case FR_TYPE_BINARY:
      return append_binary (cells, kind, s);
    default:
      return append_text (cells, kind, s, rules);
    }
}
