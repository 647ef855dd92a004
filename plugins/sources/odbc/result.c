/* SPDX-License-Identifier: Apache-2.0 */
/* result.c: the columns and rows of an ODBC statement (result.h). */
#include "config.h"

#include "sources/odbc/result.h"

#include <string.h>

#define MAX_BOUND 4000 /* characters or bytes of a column that goes into blocks */
#define MAX_ROWS 1000
#define MAX_BLOCK (1024 * 1024) /* bytes */
#define PIECE 16384             /* bytes asked for at once of a long value */

typedef struct
{
  SQLSMALLINT c_type;
  gsize width;  /* of one value, with its NUL */
  char *values; /* rows of them */
  SQLLEN *lengths;
  GString *text; /* the current value, in UTF-8 */
} Store;

struct _OdbcResult
{
  GPtrArray *columns; /* SqlColumn * */
  Store *stores;
  gboolean piecewise;
  SQLULEN rows, got, at; /* of the block: room, there, given */
  SQLUSMALLINT *states;
};
typedef struct _OdbcResult OdbcResult;

/* ---- columns ---------------------------------------------------------------------- */

/* Drivers of databases without such types call them text; the name tells. */
static SqlKind
kind_of (SQLSMALLINT type, const char *name)
{
  switch (type)
    {
    case SQL_BIT:
      return SQL_KIND_BOOL;
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER:
    case SQL_BIGINT:
      return SQL_KIND_INT;
    case SQL_REAL:
    case SQL_FLOAT:
    case SQL_DOUBLE:
      return SQL_KIND_FLOAT;
    case SQL_DECIMAL:
    case SQL_NUMERIC:
      return SQL_KIND_DECIMAL;
    case SQL_DATE:
    case SQL_TYPE_DATE:
    case SQL_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP:
      return SQL_KIND_DATE;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return SQL_KIND_BYTES;
    default:
      return g_ascii_strncasecmp (name, "decimal", 7) == 0
                     || g_ascii_strncasecmp (name, "numeric", 7) == 0
                 ? SQL_KIND_DECIMAL
                 : SQL_KIND_TEXT;
    }
}

static char *
attribute (OdbcLink *link, SQLUSMALLINT i, SQLUSMALLINT which)
{
  SQLWCHAR wide[256];
  SQLSMALLINT bytes = 0;
  g_autoptr (GString) text = g_string_new (NULL);

  if (odbc_ok (SQLColAttributeW (link->statement, i, which, wide, sizeof wide, &bytes, NULL)))
    odbc_append_name (text, wide, G_N_ELEMENTS (wide), bytes / (SQLSMALLINT) sizeof *wide);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static SqlColumn *
describe_column (OdbcLink *link, SQLUSMALLINT i, GError **error)
{
  g_autofree char *type = attribute (link, i, SQL_DESC_TYPE_NAME);
  g_autoptr (GString) name = g_string_new (NULL);
  SQLWCHAR wide[256];
  SQLSMALLINT len = 0, code = 0, digits, nullable;
  SQLULEN size;
  SqlColumn *column;

  if (!odbc_ok (SQLDescribeColW (link->statement, i, wide, G_N_ELEMENTS (wide), &len, &code, &size,
                                 &digits, &nullable)))
    {
      odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
      return NULL;
    }
  if (!odbc_append_name (name, wide, G_N_ELEMENTS (wide), len))
    g_string_printf (name, "column_%d", (int) i);
  column = sql_column_new (name->str, type, kind_of (code, type));
  column->native = (guint) code;
  return column;
}

GPtrArray *
odbc_columns (OdbcLink *link, GError **error)
{
  g_autoptr (GPtrArray) columns = g_ptr_array_new_with_free_func ((GDestroyNotify) sql_column_free);
  SQLSMALLINT n = 0;

  if (!odbc_ok (SQLNumResultCols (link->statement, &n)))
    {
      odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
      return NULL;
    }
  for (SQLUSMALLINT i = 1; i <= n; i++)
    {
      SqlColumn *column = describe_column (link, i, error);

      if (column == NULL)
        return NULL;
      g_ptr_array_add (columns, column);
    }
  return g_steal_pointer (&columns);
}

char *
odbc_shape (GPtrArray *columns)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < columns->len; i++)
    {
      SqlColumn *column = columns->pdata[i];

      g_string_append_printf (text, "%s %s %d\n", column->name, column->type, (int) column->native);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- room ------------------------------------------------------------------------------ */

void
odbc_result_clear (OdbcLink *link)
{
  OdbcResult *r = g_steal_pointer (&link->result);

  if (r == NULL)
    return;
  for (guint i = 0; i < r->columns->len; i++)
    {
      g_free (r->stores[i].values);
      g_free (r->stores[i].lengths);
      g_string_free (r->stores[i].text, TRUE);
    }
  g_ptr_array_unref (r->columns);
  g_free (r->stores);
  g_free (r->states);
  g_free (r);
}

/* The C type and width that hold a column exactly; 0: no width known. */
static void
plan (OdbcLink *link, SQLUSMALLINT i, const SqlColumn *column, Store *store)
{
  SQLLEN size = 0, is_unsigned = SQL_FALSE;
  gboolean sized;

  SQLColAttributeW (link->statement, i, SQL_DESC_LENGTH, NULL, 0, NULL, &size);
  sized = size > 0 && size <= MAX_BOUND;
  switch (column->kind)
    {
    case SQL_KIND_BOOL:
      store->c_type = SQL_C_BIT;
      store->width = 1;
      break;
    case SQL_KIND_INT:
      SQLColAttributeW (link->statement, i, SQL_DESC_UNSIGNED, NULL, 0, NULL, &is_unsigned);
      store->c_type = is_unsigned == SQL_TRUE && column->native == (guint) SQL_BIGINT
                          ? SQL_C_UBIGINT
                          : SQL_C_SBIGINT;
      store->width = 8;
      break;
    case SQL_KIND_FLOAT:
      store->c_type = SQL_C_DOUBLE;
      store->width = sizeof (double);
      break;
    case SQL_KIND_DATE:
      store->c_type = SQL_C_TYPE_TIMESTAMP;
      store->width = sizeof (SQL_TIMESTAMP_STRUCT);
      break;
    case SQL_KIND_BYTES:
      store->c_type = SQL_C_BINARY;
      store->width = sized ? (gsize) size : 0;
      break;
    case SQL_KIND_DECIMAL: /* digits, sign, point and leading zero */
      store->c_type = SQL_C_WCHAR;
      store->width = sized ? ((gsize) size + 4) * sizeof (SQLWCHAR) : 0;
      break;
    default: /* a character may be two units */
      store->c_type = SQL_C_WCHAR;
      store->width = sized ? (2 * (gsize) size + 1) * sizeof (SQLWCHAR) : 0;
    }
}

static gboolean
set (OdbcLink *link, SQLINTEGER attribute, gconstpointer value)
{
  return odbc_ok (SQLSetStmtAttrW (link->statement, attribute, (SQLPOINTER) value, 0));
}

static gboolean
bind_blocks (OdbcLink *link, OdbcResult *r)
{
  for (guint i = 0; i < r->columns->len; i++)
    {
      Store *store = &r->stores[i];

      store->values = g_malloc0_n (r->rows, store->width);
      store->lengths = g_new0 (SQLLEN, r->rows);
      if (!odbc_ok (SQLBindCol (link->statement, (SQLUSMALLINT) (i + 1), store->c_type,
                                store->values, (SQLLEN) store->width, store->lengths)))
        return FALSE;
    }
  r->states = g_new0 (SQLUSMALLINT, r->rows);
  return set (link, SQL_ATTR_ROW_STATUS_PTR, r->states)
         && set (link, SQL_ATTR_ROWS_FETCHED_PTR, &r->got);
}

gboolean
odbc_result_new (OdbcLink *link, GPtrArray *columns, GError **error)
{
  OdbcResult *r = g_new0 (OdbcResult, 1);
  gsize bytes = 0;

  odbc_result_clear (link);
  link->result = r;
  r->columns = columns;
  r->stores = g_new0 (Store, columns->len);
  r->piecewise = link->block == 1 || (link->piecewise && link->block == 0);
  for (guint i = 0; i < columns->len; i++)
    {
      r->stores[i].text = g_string_new (NULL);
      plan (link, (SQLUSMALLINT) (i + 1), columns->pdata[i], &r->stores[i]);
      r->piecewise |= r->stores[i].width == 0;
      bytes += r->stores[i].width + sizeof (SQLLEN);
    }
  r->rows = r->piecewise ? 1 : CLAMP (MAX_BLOCK / MAX (bytes, 1), 1, MAX_ROWS);
  if (!r->piecewise && link->block > 0)
    r->rows = MIN (r->rows, (SQLULEN) link->block);
  SQLFreeStmt (link->statement, SQL_UNBIND);
  if (!set (link, SQL_ATTR_ROW_ARRAY_SIZE, (gconstpointer) r->rows) && !r->piecewise)
    r->rows = 1; /* a driver without blocks */
  return r->piecewise || bind_blocks (link, r)
         || odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
}

/* ---- values ---------------------------------------------------------------------------- */

static void
fault (SqlCell *cell, const char *text)
{
  cell->form = SQL_CELL_FAULT;
  cell->text = (FrStr){ text, strlen (text) };
}

static void
fill_time (SqlCell *cell, const SQL_TIMESTAMP_STRUCT *t)
{
  if (sql_civil (t->year, t->month, t->day, t->hour, t->minute, t->second, t->fraction / 1000,
                 &cell->integer))
    cell->form = SQL_CELL_TIME;
  else
    fault (cell, "is no day of the calendar");
}

/* A value of fixed width at @at. */
static void
fill_fixed (SqlCell *cell, SQLSMALLINT c_type, const void *at)
{
  cell->form = SQL_CELL_INT;
  switch (c_type)
    {
    case SQL_C_BIT:
      cell->integer = *(const guint8 *) at;
      break;
    case SQL_C_SBIGINT:
    case SQL_C_UBIGINT:
      memcpy (&cell->integer, at, 8);
      if (c_type == SQL_C_UBIGINT && cell->integer < 0)
        fault (cell, "does not fit int64");
      break;
    case SQL_C_DOUBLE:
      cell->form = SQL_CELL_FLOAT;
      memcpy (&cell->number, at, sizeof cell->number);
      break;
    default:
      fill_time (cell, at);
    }
}

static gboolean
is_long (SQLSMALLINT c_type)
{
  return c_type == SQL_C_WCHAR || c_type == SQL_C_BINARY;
}

static void
fill_text (SqlCell *cell, Store *store)
{
  cell->form = store->c_type == SQL_C_BINARY ? SQL_CELL_BYTES : SQL_CELL_TEXT;
  cell->text = (FrStr){ store->text->str, store->text->len };
}

static void
fill_bound (SqlCell *cell, Store *store, gsize row)
{
  const char *at = store->values + row * store->width;
  SQLLEN len = store->lengths[row];
  gsize room = store->width - (store->c_type == SQL_C_WCHAR ? sizeof (SQLWCHAR) : 0);

  if (len == SQL_NULL_DATA)
    cell->form = SQL_CELL_NULL;
  else if (!is_long (store->c_type))
    fill_fixed (cell, store->c_type, at);
  else if (len < 0 || (gsize) len > room)
    fault (cell, "is longer than the driver said it could be; set 'block' to 1");
  else
    {
      g_string_truncate (store->text, 0);
      if (store->c_type == SQL_C_BINARY)
        g_string_append_len (store->text, at, len);
      else if (!odbc_append_narrow (store->text, (const SQLWCHAR *) at,
                                    (gsize) len / sizeof (SQLWCHAR)))
        {
          fault (cell, "is not valid UTF-16");
          return;
        }
      fill_text (cell, store);
    }
}

/* ---- in pieces --------------------------------------------------------------------------- */

/* A value of any length, asked for until it is whole; FALSE when the driver failed. */
static gboolean
get_long (OdbcLink *link, SQLUSMALLINT i, Store *store, SqlCell *cell, GError **error)
{
  gsize unit = store->c_type == SQL_C_WCHAR ? sizeof (SQLWCHAR) : 0;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  SQLRETURN code;
  guint8 piece[PIECE];

  do
    {
      SQLLEN len = 0;
      gsize got;

      code = SQLGetData (link->statement, i, store->c_type, piece, sizeof piece, &len);
      if (code == SQL_NO_DATA)
        break; /* the last piece was full to the brim */
      if (!odbc_ok (code))
        return odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
      if (len == SQL_NULL_DATA)
        {
          cell->form = SQL_CELL_NULL;
          return TRUE;
        }
      got = len == SQL_NO_TOTAL || (gsize) len > sizeof piece - unit ? sizeof piece - unit
                                                                     : (gsize) len;
      g_byte_array_append (bytes, piece, (guint) got);
    }
  while (code == SQL_SUCCESS_WITH_INFO);
  g_string_truncate (store->text, 0);
  if (unit == 0)
    g_string_append_len (store->text, (const char *) bytes->data, bytes->len);
  else if (!odbc_append_narrow (store->text, (const SQLWCHAR *) (gpointer) bytes->data,
                                bytes->len / unit))
    {
      fault (cell, "is not valid UTF-16");
      return TRUE;
    }
  fill_text (cell, store);
  return TRUE;
}

static gboolean
get_fixed (OdbcLink *link, SQLUSMALLINT i, Store *store, SqlCell *cell, GError **error)
{
  union
  {
    gint64 integer;
    double number;
    SQL_TIMESTAMP_STRUCT time;
  } value = { 0 };
  SQLLEN len = 0;

  if (!odbc_ok (SQLGetData (link->statement, i, store->c_type, &value, sizeof value, &len)))
    return odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
  if (len == SQL_NULL_DATA)
    cell->form = SQL_CELL_NULL;
  else
    fill_fixed (cell, store->c_type, &value);
  return TRUE;
}

static SqlStep
next_in_pieces (OdbcLink *link, SqlCell *cells, GError **error)
{
  OdbcResult *r = link->result;
  SQLRETURN code = SQLFetch (link->statement);

  if (code == SQL_NO_DATA)
    return SQL_STEP_DONE;
  if (!odbc_ok (code))
    {
      odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
      return SQL_STEP_FAILED;
    }
  for (guint i = 0; i < r->columns->len; i++)
    if (!(is_long (r->stores[i].c_type) ? get_long : get_fixed) (link, (SQLUSMALLINT) (i + 1),
                                                                 &r->stores[i], &cells[i], error))
      return SQL_STEP_FAILED;
  return SQL_STEP_ROW;
}

/* ---- in blocks ----------------------------------------------------------------------------- */

static SqlStep
next_in_blocks (OdbcLink *link, SqlCell *cells, GError **error)
{
  OdbcResult *r = link->result;

  if (r->at == r->got)
    {
      SQLRETURN code = SQLFetch (link->statement);

      r->at = 0;
      if (code == SQL_NO_DATA || (odbc_ok (code) && r->got == 0))
        return SQL_STEP_DONE;
      if (!odbc_ok (code))
        {
          odbc_fail (link, SQL_HANDLE_STMT, link->statement, error);
          return SQL_STEP_FAILED;
        }
    }
  for (guint i = 0; i < r->columns->len; i++)
    if (r->states[r->at] == SQL_ROW_ERROR)
      fault (&cells[i], "could not be read by the driver");
    else
      fill_bound (&cells[i], &r->stores[i], r->at);
  r->at++;
  return SQL_STEP_ROW;
}

SqlStep
odbc_result_next (OdbcLink *link, SqlCell *cells, GError **error)
{
  return link->result->piecewise ? next_in_pieces (link, cells, error)
                                 : next_in_blocks (link, cells, error);
}
