/* SPDX-License-Identifier: Apache-2.0 */
/* types.c: what the columns of an SQLite result become.
 *
 * Affinity rules: "Datatypes In SQLite", section 3.1; times: "Date And Time
 * Functions", section 2.
 */
#include "config.h"

#include "types.h"

#include <math.h>
#include <string.h>

FrType
types_declared (const char *declaration)
{
  static const struct
  {
    const char *part;
    FrType type;
  } parts[]
      = { { "INT", FR_TYPE_INT64 },     { "CHAR", FR_TYPE_UTF8 },    { "CLOB", FR_TYPE_UTF8 },
          { "TEXT", FR_TYPE_UTF8 },     { "JSON", FR_TYPE_UTF8 },    { "BLOB", FR_TYPE_BINARY },
          { "BINARY", FR_TYPE_BINARY }, { "REAL", FR_TYPE_FLOAT64 }, { "FLOA", FR_TYPE_FLOAT64 },
          { "DOUB", FR_TYPE_FLOAT64 } };
  g_autofree char *upper = NULL;

  if (declaration == NULL)
    return 0;
  upper = g_ascii_strup (declaration, -1);
  if (g_str_has_prefix (upper, "BOOL"))
    return FR_TYPE_BOOL;
  if (g_str_has_prefix (upper, "DATE") || g_str_has_prefix (upper, "TIMESTAMP"))
    return FR_TYPE_TIMESTAMP;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strstr (upper, parts[i].part))
      return parts[i].type;
  return 0;
}

enum
{
  SEEN_INT = 1 << 0,
  SEEN_REAL = 1 << 1,
  SEEN_TEXT = 1 << 2,
  SEEN_BLOB = 1 << 3
};

static FrType
type_of_seen (guint seen)
{
  switch (seen)
    {
    case SEEN_INT:
      return FR_TYPE_INT64;
    case SEEN_REAL:
    case SEEN_REAL | SEEN_INT:
      return FR_TYPE_FLOAT64;
    case SEEN_BLOB:
      return FR_TYPE_BINARY;
    default:
      return FR_TYPE_UTF8;
    }
}

/* The types of @types that are 0 yet, from the values of the first rows. */
static gboolean
sample (const SqliteConfig *config, sqlite3_stmt *statement, FrType *types, int n, GError **error)
{
  g_autofree guint *seen = g_new0 (guint, n);
  gboolean needed = FALSE;
  int rc = SQLITE_DONE;

  for (int i = 0; i < n; i++)
    needed |= types[i] == 0;
  for (gint64 row = 0; needed && row < config->sample; row++)
    {
      rc = sqlite3_step (statement);
      if (rc != SQLITE_ROW)
        break;
      for (int i = 0; i < n; i++)
        switch (sqlite3_column_type (statement, i))
          {
          case SQLITE_INTEGER:
            seen[i] |= SEEN_INT;
            break;
          case SQLITE_FLOAT:
            seen[i] |= SEEN_REAL;
            break;
          case SQLITE_TEXT:
            seen[i] |= SEEN_TEXT;
            break;
          case SQLITE_BLOB:
            seen[i] |= SEEN_BLOB;
            break;
          }
    }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE)
    return database_error (sqlite3_db_handle (statement), rc, "read",
                           config->path ? config->path : config->script, error);
  sqlite3_reset (statement);
  for (int i = 0; i < n; i++)
    if (types[i] == 0)
      types[i] = type_of_seen (seen[i]);
  return TRUE;
}

static FrField *
override (const SqliteConfig *config, const char *name, gboolean *failed, GError **error)
{
  for (FrPair *p = config->columns; p && p->key; p++)
    if (strcmp (p->key, name) == 0)
      {
        FrField *field = fr_field_parse (name, p->value, error);

        *failed = field == NULL;
        if (field && fr_field_n_children (field) > 0)
          {
            g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                         "'columns' gives '%s' the type '%s', but SQLite holds only plain values",
                         name, p->value);
            g_clear_pointer (&field, fr_field_unref);
            *failed = TRUE;
          }
        return field;
      }
  return NULL;
}

FrSchema *
types_schema (const SqliteConfig *config, sqlite3_stmt *statement, GError **error)
{
  int n = sqlite3_column_count (statement);
  g_autofree FrType *types = g_new0 (FrType, n);
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_field_unref);

  for (int i = 0; i < n; i++)
    types[i] = types_declared (sqlite3_column_decltype (statement, i));
  if (!sample (config, statement, types, n, error))
    return NULL;
  for (int i = 0; i < n; i++)
    {
      const char *name = sqlite3_column_name (statement, i);
      gboolean failed = FALSE;
      FrField *field = override (config, name, &failed, error);

      if (failed)
        return NULL;
      g_ptr_array_add (fields, field ? field : fr_field_new (name, types[i]));
    }
  g_ptr_array_set_free_func (fields, NULL);
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

static const char *
append_text (FrCells *cells, sqlite3_stmt *statement, int column, TypesCount *count)
{
  int kind = sqlite3_column_type (statement, column);
  const char *text;
  gsize len;
  g_autofree char *valid = NULL;

  if (kind == SQLITE_BLOB)
    return "is a blob";
  text = (const char *) sqlite3_column_text (statement, column);
  len = (gsize) sqlite3_column_bytes (statement, column);
  count->number_text += kind != SQLITE_TEXT;
  if (!g_utf8_validate_len (text, len, NULL))
    {
      /* NUL is a character to SQLite and to Arrow, but not to GLib's check. */
      for (gsize i = 0; i < len;)
        {
          const char *bad;

          if (g_utf8_validate_len (text + i, len - i, &bad))
            i = len;
          else if (*bad == 0)
            i = (gsize) (bad - text) + 1;
          else
            {
              count->replaced++;
              valid = g_utf8_make_valid (text, (gssize) len);
              fr_cells_append_str (cells, valid, strlen (valid));
              return NULL;
            }
        }
    }
  fr_cells_append_str (cells, text, len);
  return NULL;
}

static const char *
append_time (FrCells *cells, sqlite3_stmt *statement, int column)
{
  gint64 us;
  double day;

  switch (sqlite3_column_type (statement, column))
    {
    case SQLITE_TEXT:
      {
        const char *text = (const char *) sqlite3_column_text (statement, column);

        if (!fr_timestamp_parse (text, (gsize) sqlite3_column_bytes (statement, column), &us))
          return "is not a date or time";
        break;
      }
    case SQLITE_INTEGER:
      us = sqlite3_column_int64 (statement, column);
      if (ABS (us) >= G_MAXINT64 / 1000000)
        return "is not a number of seconds since 1970";
      us *= 1000000;
      break;
    case SQLITE_FLOAT:
      day = sqlite3_column_double (statement, column);
      if (!(day >= 0 && day < 5373484.5)) /* the years -4713 to 9999 */
        return "is not a Julian day";
      us = (gint64) llround ((day - 2440587.5) * 86400000.0) * 1000;
      break;
    default:
      return "is not a date or time";
    }
  fr_cells_append_int (cells, us);
  return NULL;
}

static const char *
append_int (FrCells *cells, FrType type, sqlite3_stmt *statement, int column)
{
  gint64 value = sqlite3_column_int64 (statement, column);
  double number;

  switch (sqlite3_column_type (statement, column))
    {
    case SQLITE_INTEGER:
      break;
    case SQLITE_FLOAT:
      number = sqlite3_column_double (statement, column);
      if (number != floor (number) || fabs (number) >= 9007199254740992.0)
        return "has a fraction";
      break;
    default:
      return "is not a number";
    }
  if (type == FR_TYPE_BOOL && value != 0 && value != 1)
    return "is neither 0 nor 1";
  if (type == FR_TYPE_INT32 && (value < G_MININT32 || value > G_MAXINT32))
    return "does not fit 32 bits";
  if (type == FR_TYPE_BOOL)
    fr_cells_append_bool (cells, value == 1);
  else
    fr_cells_append_int (cells, value);
  return NULL;
}

const char *
types_append (FrCells *cells, FrType type, sqlite3_stmt *statement, int column, TypesCount *count)
{
  int kind = sqlite3_column_type (statement, column);
  const char *bytes;

  if (kind == SQLITE_NULL)
    {
      fr_cells_append_null (cells);
      return NULL;
    }
  switch (type)
    {
    case FR_TYPE_BOOL:
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return append_int (cells, type, statement, column);
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      if (kind != SQLITE_INTEGER && kind != SQLITE_FLOAT)
        return "is not a number";
      fr_cells_append_float (cells, sqlite3_column_double (statement, column));
      return NULL;
    case FR_TYPE_TIMESTAMP:
      return append_time (cells, statement, column);
    case FR_TYPE_BINARY:
      if (kind != SQLITE_BLOB && kind != SQLITE_TEXT)
        return "is a number, not a blob";
      bytes = sqlite3_column_blob (statement, column);
      fr_cells_append_str (cells, bytes ? bytes : "",
                           (gsize) sqlite3_column_bytes (statement, column));
      return NULL;
    default:
      return append_text (cells, statement, column, count);
    }
}

void
types_show_row (sqlite3_stmt *statement, GString *out)
{
  int n = sqlite3_column_count (statement);

  g_string_append_c (out, '[');
  for (int i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      switch (sqlite3_column_type (statement, i))
        {
        case SQLITE_NULL:
          g_string_append (out, "null");
          break;
        case SQLITE_TEXT:
          {
            g_autofree char *text
                = g_utf8_make_valid ((const char *) sqlite3_column_text (statement, i), -1);

            fr_json_append_string (out, text, strlen (text));
            break;
          }
        case SQLITE_BLOB:
          g_string_append_printf (out, "\"%d bytes\"", sqlite3_column_bytes (statement, i));
          break;
        default:
          g_string_append (out, (const char *) sqlite3_column_text (statement, i));
        }
    }
  g_string_append_c (out, ']');
}
