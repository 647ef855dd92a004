/* SPDX-License-Identifier: Apache-2.0 */
/* value.c: what a server's types become, and its values as cells (value.h). */
#include "config.h"

#include "sql/array.h"
#include "sql/value.h"

#include <math.h>
#include <string.h>

SqlColumn *
sql_column_new (const char *name, const char *type, SqlKind kind)
{
  SqlColumn *column = g_new0 (SqlColumn, 1);

  column->name = g_strdup (name);
  column->type = g_strdup (type);
  column->kind = kind;
  column->delimiter = ',';
  return column;
}

void
sql_column_free (SqlColumn *column)
{
  g_free (column->name);
  g_free (column->type);
  g_free (column);
}

void
sql_rules_init (SqlRules *rules)
{
  memset (rules, 0, sizeof *rules);
  rules->scratch = g_string_new (NULL);
  rules->item = g_string_new (NULL);
  fr_json_reader_init (&rules->reader, "", 0, 0);
}

void
sql_rules_clear (SqlRules *rules)
{
  g_string_free (rules->scratch, TRUE);
  g_string_free (rules->item, TRUE);
  fr_json_reader_clear (&rules->reader);
  g_clear_error (&rules->error);
}

/* ---- types ----------------------------------------------------------------- */

static FrType
type_of (SqlKind kind, gboolean decimal_text)
{
  switch (kind)
    {
    case SQL_KIND_BOOL:
      return FR_TYPE_BOOL;
    case SQL_KIND_INT:
      return FR_TYPE_INT64;
    case SQL_KIND_FLOAT:
      return FR_TYPE_FLOAT64;
    case SQL_KIND_DECIMAL:
      return decimal_text ? FR_TYPE_UTF8 : FR_TYPE_FLOAT64;
    case SQL_KIND_DATE:
    case SQL_KIND_TIME:
      return FR_TYPE_TIMESTAMP;
    case SQL_KIND_BYTES:
      return FR_TYPE_BINARY;
    default:
      return FR_TYPE_UTF8;
    }
}

FrField *
sql_field (const SqlColumn *column, gboolean decimal_text, gboolean nested_text)
{
  if (column->kind != SQL_KIND_ARRAY)
    return fr_field_new (column->name, type_of (column->kind, decimal_text));
  if (nested_text)
    return fr_field_new (column->name, FR_TYPE_UTF8);
  return fr_field_new_list (column->name,
                            fr_field_new ("item", type_of (column->item, decimal_text)));
}

gboolean
sql_can_become (const SqlColumn *column, const FrField *field)
{
  SqlKind kind = column->kind;
  gboolean text = kind == SQL_KIND_TEXT || kind == SQL_KIND_JSON;

  switch (fr_field_type (field))
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      return TRUE;
    case FR_TYPE_BOOL:
      return text || kind == SQL_KIND_BOOL || kind == SQL_KIND_INT || kind == SQL_KIND_BYTES;
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return text || kind == SQL_KIND_BOOL || kind == SQL_KIND_INT || kind == SQL_KIND_FLOAT
             || kind == SQL_KIND_DECIMAL;
    case FR_TYPE_TIMESTAMP:
      return text || kind == SQL_KIND_DATE || kind == SQL_KIND_TIME;
    case FR_TYPE_BINARY:
      return text || kind == SQL_KIND_BYTES;
    case FR_TYPE_LIST:
      return text || kind == SQL_KIND_ARRAY;
    case FR_TYPE_STRUCT:
      return text;
    }
  return FALSE;
}

/* ---- text ------------------------------------------------------------------ */

gboolean
sql_utf8 (FrStr text)
{
  const char *at = text.data, *end = text.data + text.len, *bad;

  /* Most of what passes is short and ASCII. */
  while (at < end && (guchar) *at - 1u < 0x7f)
    at++;
  /* U+0000 is a character to Arrow, but not to GLib's check. */
  while (at < end)
    {
      if (g_utf8_validate_len (at, (gsize) (end - at), &bad))
        return TRUE;
      if (*bad != '\0')
        return FALSE;
      at = bad + 1;
    }
  return TRUE;
}

static const char *
refuse (SqlRules *rules, const char *rule, const char *fault)
{
  rules->rule = rule;
  return fault;
}

static const char *
append_text (FrCells *cells, FrStr text, SqlRules *rules)
{
  if (!sql_utf8 (text))
    return refuse (rules, "encoding", "is not valid UTF-8");
  fr_cells_append_str (cells, text.data, text.len);
  return NULL;
}

/* ---- numbers --------------------------------------------------------------- */

gboolean
sql_parse_int (FrStr s, gint64 *value)
{
  guint64 sum = 0;
  gboolean negative = s.len > 0 && s.data[0] == '-';
  gsize i = negative || (s.len > 0 && s.data[0] == '+') ? 1 : 0;

  if (i == s.len)
    return FALSE;
  for (; i < s.len; i++)
    {
      guint digit = (guint) (guchar) s.data[i] - '0';

      if (digit > 9 || sum > (G_MAXUINT64 - digit) / 10)
        return FALSE;
      sum = sum * 10 + digit;
    }
  if (sum > (guint64) G_MAXINT64 + (negative ? 1 : 0))
    return FALSE;
  *value = negative ? (gint64) (0 - sum) : (gint64) sum;
  return TRUE;
}

/* Digits with at most one point, 15 digits in all: both the digits and the
 * power of ten are exact doubles, so one division rounds correctly (W. D.
 * Clinger, "How to Read Floating Point Numbers Accurately", 1990). */
static gboolean
parse_short (FrStr s, double *value)
{
  static const double powers[]
      = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
  gboolean negative = s.len > 0 && s.data[0] == '-';
  gint64 sum = 0;
  guint digits = 0, after = 0;
  gboolean point = FALSE;

  for (gsize i = negative; i < s.len; i++)
    {
      guint digit = (guint) (guchar) s.data[i] - '0';

      if (digit <= 9 && digits < 15)
        {
          sum = sum * 10 + digit;
          digits++;
          after += point;
        }
      else if (s.data[i] == '.' && !point)
        point = TRUE;
      else
        return FALSE;
    }
  *value = (double) sum / powers[after];
  if (negative)
    *value = -*value;
  return digits > 0;
}

gboolean
sql_parse_float (FrStr s, double *value)
{
  static const struct
  {
    const char *word;
    double value;
  } words[] = { { "NaN", NAN },
                { "Infinity", INFINITY },
                { "-Infinity", -INFINITY },
                { "inf", INFINITY },
                { "-inf", -INFINITY } };
  char text[1100]; /* a numeric may have that many digits */
  char *end;

  if (parse_short (s, value))
    return TRUE;
  if (s.len == 0 || s.len >= sizeof text)
    return FALSE;
  memcpy (text, s.data, s.len);
  text[s.len] = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (text, words[i].word) == 0)
      {
        *value = words[i].value;
        return TRUE;
      }
  /* strtod() takes more than servers write. */
  if (strspn (text, "+-.0123456789eE") != s.len)
    return FALSE;
  *value = g_ascii_strtod (text, &end);
  return end == text + s.len;
}

static const char *
append_integer (FrCells *cells, FrType type, gint64 value, SqlRules *rules)
{
  if (type == FR_TYPE_INT32 && (value < G_MININT32 || value > G_MAXINT32))
    return refuse (rules, "range", "does not fit int32");
  fr_cells_append_int (cells, value);
  return NULL;
}

static const char *
append_int (FrCells *cells, FrType type, const SqlColumn *column, const SqlCell *cell,
            SqlRules *rules)
{
  gint64 value = cell->integer;
  double number = cell->number;

  switch (cell->form)
    {
    case SQL_CELL_INT:
      return append_integer (cells, type, value, rules);
    case SQL_CELL_FLOAT:
      break;
    case SQL_CELL_TEXT:
      if (sql_parse_int (cell->text, &value))
        return append_integer (cells, type, value, rules);
      if (column->kind == SQL_KIND_BOOL && cell->text.len == 1)
        return append_integer (cells, type, cell->text.data[0] == 't', rules);
      if (!sql_parse_float (cell->text, &number))
        return refuse (rules, "type", "is not a whole number");
      break;
    default:
      return refuse (rules, "type", "is not a number");
    }
  /* 1.00 is a whole number too. */
  if (!isfinite (number) || number != floor (number))
    return refuse (rules, "type", "is not a whole number");
  if (fabs (number) >= 9007199254740992.0)
    return refuse (rules, "range", "does not fit int64 without loss");
  return append_integer (cells, type, (gint64) number, rules);
}

static const char *
append_float (FrCells *cells, const SqlColumn *column, const SqlCell *cell, SqlRules *rules)
{
  double number = cell->number;

  switch (cell->form)
    {
    case SQL_CELL_INT:
      number = (double) cell->integer;
      break;
    case SQL_CELL_FLOAT:
      break;
    case SQL_CELL_TEXT:
      if (column->kind == SQL_KIND_BOOL && cell->text.len == 1)
        number = cell->text.data[0] == 't' || cell->text.data[0] == '1';
      else if (!sql_parse_float (cell->text, &number))
        return refuse (rules, "type", "is not a number");
      break;
    default:
      return refuse (rules, "type", "is not a number");
    }
  fr_cells_append_float (cells, number);
  return NULL;
}

gboolean
sql_parse_bool (FrStr s, gboolean *value)
{
  static const char *const words[]
      = { "f", "t", "0", "1", "false", "true", "no", "yes", "off", "on" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strlen (words[i]) == s.len && g_ascii_strncasecmp (words[i], s.data, s.len) == 0)
      {
        *value = i % 2;
        return TRUE;
      }
  return FALSE;
}

static const char *
append_bool (FrCells *cells, const SqlCell *cell, SqlRules *rules)
{
  gboolean value;

  if (cell->form == SQL_CELL_INT && (cell->integer == 0 || cell->integer == 1))
    {
      fr_cells_append_bool (cells, cell->integer == 1);
      return NULL;
    }
  if (cell->form == SQL_CELL_BYTES && cell->text.len == 1 && (guchar) cell->text.data[0] <= 1)
    {
      fr_cells_append_bool (cells, cell->text.data[0] == 1);
      return NULL;
    }
  if (cell->form == SQL_CELL_TEXT && sql_parse_bool (cell->text, &value))
    {
      fr_cells_append_bool (cells, value);
      return NULL;
    }
  return refuse (rules, "type", "is neither 0 nor 1; give the column another type in 'columns'");
}

/* ---- bytes ----------------------------------------------------------------- */

gboolean
sql_append_hex (FrCells *cells, FrStr s)
{
  char *out;

  if (s.len < 2 || s.data[0] != '\\' || s.data[1] != 'x' || s.len % 2 != 0)
    return FALSE;
  out = fr_cells_reserve_str (cells, s.len / 2);
  for (gsize i = 2; i < s.len; i += 2)
    {
      int high = g_ascii_xdigit_value (s.data[i]), low = g_ascii_xdigit_value (s.data[i + 1]);

      if (high < 0 || low < 0)
        {
          fr_cells_commit_str (cells, 0);
          return FALSE;
        }
      *out++ = (char) (high << 4 | low);
    }
  fr_cells_commit_str (cells, s.len / 2 - 1);
  return TRUE;
}

static const char *
append_bytes (FrCells *cells, const SqlColumn *column, const SqlCell *cell, SqlRules *rules)
{
  FrStr s = cell->text;

  if (cell->form == SQL_CELL_BYTES
      || (cell->form == SQL_CELL_TEXT && column->kind != SQL_KIND_BYTES))
    {
      fr_cells_append_str (cells, s.data, s.len);
      return NULL;
    }
  if (cell->form != SQL_CELL_TEXT)
    return refuse (rules, "type", "holds no bytes");
  return sql_append_hex (cells, s) ? NULL : refuse (rules, "type", "is not in hexadecimal form");
}

/* ---- times ----------------------------------------------------------------- */

static const char *
append_time (FrCells *cells, const SqlCell *cell, SqlRules *rules)
{
  gboolean beyond = FALSE;
  const char *fault;
  gint64 us = cell->integer;

  if (cell->form == SQL_CELL_TEXT)
    {
      fault = sql_parse_time (cell->text, &us, &beyond);
      if (fault)
        return refuse (rules, beyond ? "range" : "type", fault);
    }
  else if (cell->form != SQL_CELL_TIME)
    return refuse (rules, "type", "is not a date or time");
  fr_cells_append_int (cells, us);
  return NULL;
}

/* ---- everything as text ---------------------------------------------------- */

static const char *
append_as_text (FrCells *cells, const SqlCell *cell, SqlRules *rules)
{
  GString *out = rules->scratch;

  switch (cell->form)
    {
    case SQL_CELL_TEXT:
    case SQL_CELL_BYTES:
      return append_text (cells, cell->text, rules);
    case SQL_CELL_INT:
      g_string_printf (out, "%" G_GINT64_FORMAT, cell->integer);
      break;
    case SQL_CELL_FLOAT:
      g_string_truncate (out, 0);
      if (isfinite (cell->number))
        fr_json_append_double (out, cell->number);
      else
        g_string_append (out, isnan (cell->number) ? "NaN"
                              : cell->number < 0   ? "-Infinity"
                                                   : "Infinity");
      break;
    case SQL_CELL_TIME:
      g_string_truncate (out, 0);
      fr_timestamp_append (out, cell->integer);
      break;
    default:
      return refuse (rules, "type", "is not text");
    }
  fr_cells_append_str (cells, out->str, out->len);
  return NULL;
}

/* ---- JSON ------------------------------------------------------------------ */

static const char *
append_json (FrCells *cells, const FrField *field, FrStr text, SqlRules *rules)
{
  FrJsonReader *reader = &rules->reader;
  FrJsonToken token;

  g_clear_error (&rules->error);
  if (!sql_utf8 (text))
    return refuse (rules, "encoding", "is not valid UTF-8");
  fr_json_reader_reset (reader, text.data, text.len);
  token = fr_json_reader_next (reader);
  rules->rule = "type";
  if (token == FR_JSON_ERROR || token == FR_JSON_END)
    return "is not JSON";
  if (!fr_json_read_cell (reader, token, field, cells, &rules->error))
    {
      /* The message names the place in the value, never the value. */
      g_string_printf (rules->scratch, "is not as declared: %s", rules->error->message);
      return rules->scratch->str;
    }
  return fr_json_reader_next (reader) == FR_JSON_END ? NULL : "has more behind its JSON";
}

/* ---- all ------------------------------------------------------------------- */

const char *
sql_append (FrCells *cells, const FrField *field, const SqlColumn *column, const SqlCell *cell,
            SqlRules *rules)
{
  FrType type = fr_field_type (field);

  if (cell->form == SQL_CELL_NULL)
    {
      fr_cells_append_null (cells);
      return NULL;
    }
  if (cell->form == SQL_CELL_FAULT)
    return refuse (rules, "value", cell->text.data);
  if (cell->form == SQL_CELL_ZERO_DATE)
    {
      if (rules->refuse_zero_dates)
        return refuse (rules, "range", "is the date 0000-00-00, which is no day");
      rules->zero_dates++;
      fr_cells_append_null (cells);
      return NULL;
    }
  switch (type)
    {
    case FR_TYPE_BOOL:
      return append_bool (cells, cell, rules);
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return append_int (cells, type, column, cell, rules);
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return append_float (cells, column, cell, rules);
    case FR_TYPE_TIMESTAMP:
      return append_time (cells, cell, rules);
    case FR_TYPE_BINARY:
      return append_bytes (cells, column, cell, rules);
    case FR_TYPE_LIST:
    case FR_TYPE_STRUCT:
      if (cell->form != SQL_CELL_TEXT)
        return refuse (rules, "type", "is not text");
      return column->kind == SQL_KIND_ARRAY
                 ? sql_append_array (cells, field, column, cell->text, rules)
                 : append_json (cells, field, cell->text, rules);
    default:
      return append_as_text (cells, cell, rules);
    }
}

void
sql_append_shown (GString *out, const SqlCell *cell)
{
  g_autofree char *valid = NULL;

  switch (cell->form)
    {
    case SQL_CELL_NULL:
      g_string_append (out, "null");
      return;
    case SQL_CELL_INT:
      g_string_append_printf (out, "%" G_GINT64_FORMAT, cell->integer);
      return;
    case SQL_CELL_FLOAT:
      fr_json_append_double (out, cell->number);
      return;
    case SQL_CELL_TIME:
      g_string_append_c (out, '"');
      fr_timestamp_append (out, cell->integer);
      g_string_append_c (out, '"');
      return;
    case SQL_CELL_ZERO_DATE:
      g_string_append (out, "\"0000-00-00\"");
      return;
    case SQL_CELL_BYTES:
      g_string_append_printf (out, "\"%" G_GSIZE_FORMAT " bytes\"", cell->text.len);
      return;
    default:
      valid = g_utf8_make_valid (cell->text.data, (gssize) MIN (cell->text.len, 200));
      fr_json_append_string (out, valid, strlen (valid));
      return;
    }
}
