/* SPDX-License-Identifier: Apache-2.0 */
/* test-sql.c: values, arrays, times, DSNs, statements and positions, without a server. */
#include "config.h"

#include "sql/build.h"
#include "sql/dsn.h"
#include "sql/position.h"
#include "sql/sql.h"

#include <string.h>

/* ---- values ---------------------------------------------------------------------------- */

typedef struct
{
  SqlKind kind, item;
  const char *type, *text;
  const char *json;  /* what it becomes, or NULL */
  const char *fault; /* part of what is said instead */
  const char *rule;
} Value;

static const Value values[] = {
  { SQL_KIND_INT, 0, "int64", "-9223372036854775808", "-9223372036854775808", NULL, NULL },
  { SQL_KIND_INT, 0, "int64", "9223372036854775808", NULL, "without loss", "range" },
  { SQL_KIND_INT, 0, "int64", "", NULL, "is not a whole number", "type" },
  { SQL_KIND_INT, 0, "int64", "-", NULL, "is not a whole number", "type" },
  { SQL_KIND_INT, 0, "int32", "2147483648", NULL, "does not fit int32", "range" },
  { SQL_KIND_DECIMAL, 0, "int64", "12.00", "12", NULL, NULL },
  { SQL_KIND_DECIMAL, 0, "int64", "12.5", NULL, "is not a whole number", "type" },
  { SQL_KIND_DECIMAL, 0, "int64", "NaN", NULL, "is not a whole number", "type" },
  { SQL_KIND_BOOL, 0, "int64", "t", "1", NULL, NULL },
  { SQL_KIND_BOOL, 0, "bool", "f", "false", NULL, NULL },
  { SQL_KIND_BOOL, 0, "bool", "2", NULL, "neither 0 nor 1", "type" },
  { SQL_KIND_TEXT, 0, "bool", "TRUE", "true", NULL, NULL },
  { SQL_KIND_FLOAT, 0, "float64", "0.1", "0.1", NULL, NULL },
  { SQL_KIND_FLOAT, 0, "float64", "123456789012345", "123456789012345", NULL, NULL },
  { SQL_KIND_FLOAT, 0, "float64", "-1.7976931348623157e+308", "-1.7976931348623157e308", NULL,
    NULL },
  { SQL_KIND_FLOAT, 0, "float64", "NaN", "null", NULL, NULL }, /* as JSON shows it */
  { SQL_KIND_FLOAT, 0, "float64", "-Infinity", "null", NULL, NULL },
  { SQL_KIND_FLOAT, 0, "float64", "0x10", NULL, "is not a number", "type" },
  { SQL_KIND_FLOAT, 0, "float64", " 1", NULL, "is not a number", "type" },
  { SQL_KIND_FLOAT, 0, "float64", "1.2.3", NULL, "is not a number", "type" },
  { SQL_KIND_FLOAT, 0, "float64", ".", NULL, "is not a number", "type" },
  { SQL_KIND_DECIMAL, 0, "utf8", "1.50", "\"1.50\"", NULL, NULL },
  { SQL_KIND_BYTES, 0, "binary", "\\x00FFab", "\"AP+r\"", NULL, NULL },
  { SQL_KIND_BYTES, 0, "binary", "\\x", "\"\"", NULL, NULL },
  { SQL_KIND_BYTES, 0, "binary", "\\x0", NULL, "hexadecimal", "type" },
  { SQL_KIND_BYTES, 0, "binary", "\\x0g", NULL, "hexadecimal", "type" },
  { SQL_KIND_BYTES, 0, "binary", "00", NULL, "hexadecimal", "type" },
  { SQL_KIND_TEXT, 0, "binary", "abc", "\"YWJj\"", NULL, NULL },
  { SQL_KIND_TEXT, 0, "utf8", "\xff", NULL, "is not valid UTF-8", "encoding" },
  { SQL_KIND_TEXT, 0, "utf8", "\xed\xa0\x80", NULL, "is not valid UTF-8", "encoding" },
  { SQL_KIND_TEXT, 0, "utf8", "\xe8\x8c\xb6", "\"\xe8\x8c\xb6\"", NULL, NULL },
  { SQL_KIND_JSON, 0, "struct<a: int64, b: list<utf8>>", "{\"b\": [\"x\"], \"a\": 1}",
    "{\"a\":1,\"b\":[\"x\"]}", NULL, NULL },
  { SQL_KIND_JSON, 0, "struct<a: int64>", "{\"a\": \"x\"}", NULL, "is not as declared", "type" },
  { SQL_KIND_JSON, 0, "struct<a: int64>", "{\"a\": 1", NULL, "is not as declared", "type" },
  { SQL_KIND_JSON, 0, "struct<a: int64>", "", NULL, "is not JSON", "type" },
  { SQL_KIND_JSON, 0, "list<int64>", "[1] 2", NULL, "has more behind its JSON", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{}", "[]", NULL, NULL },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{1,null,-3}", "[1,null,-3]", NULL, NULL },
  { SQL_KIND_ARRAY, SQL_KIND_TEXT, "list<utf8>", "{a,\"null\",\"\",\"\\\"\\\\\",\"{,}\"}",
    "[\"a\",\"null\",\"\",\"\\\"\\\\\",\"{,}\"]", NULL, NULL },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<list<int64>>", "{{1},{2,3}}", "[[1],[2,3]]", NULL, NULL },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<list<int64>>", "{}", "[]", NULL, NULL },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<list<int64>>", "{1}", NULL, "fewer dimensions", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{{1}}", NULL, "more dimensions", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "[-1:1]={1,2,3}", "[1,2,3]", NULL, NULL },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{1,x}", NULL, "is not a whole number", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{1,2", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{1,2}}", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{1,,2}", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "{,}", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "[1:2", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "list<int64>", "", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_TEXT, "list<utf8>", "{\"a", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_TEXT, "list<utf8>", "{a\\", NULL, "is not an array", "type" },
  { SQL_KIND_ARRAY, SQL_KIND_INT, "utf8", "{1}", "\"{1}\"", NULL, NULL },
  { SQL_KIND_DATE, 0, "timestamp", "2024-02-29", "\"2024-02-29T00:00:00Z\"", NULL, NULL },
  { SQL_KIND_DATE, 0, "timestamp", "2023-02-29", NULL, "is not a date or time", "type" },
  { SQL_KIND_DATE, 0, "timestamp", "0001-01-01 BC", "\"0000-01-01T00:00:00Z\"", NULL, NULL },
  { SQL_KIND_DATE, 0, "timestamp", "0004-02-29 BC", NULL, "is not a date or time", "type" },
  { SQL_KIND_DATE, 0, "timestamp", "0005-02-29 BC", "\"-000004-02-29T00:00:00Z\"", NULL, NULL },
  { SQL_KIND_DATE, 0, "timestamp", "infinity", NULL, "is infinite", "range" },
  { SQL_KIND_DATE, 0, "timestamp", "294276-12-31 00:00:00", NULL, "too far away", "range" },
  { SQL_KIND_DATE, 0, "timestamp", "", NULL, "is not a date or time", "type" },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01 08:30:00.123456789+05:30",
    "\"2024-05-01T03:00:00.123456Z\"", NULL, NULL },
  { SQL_KIND_TIME, 0, "timestamp", "1890-01-01 00:00:00-00:44:30", "\"1890-01-01T00:44:30Z\"", NULL,
    NULL },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01T08:30:00Z", "\"2024-05-01T08:30:00Z\"", NULL, NULL },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01 24:00:00", "\"2024-05-02T00:00:00Z\"", NULL, NULL },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01 25:00:00", NULL, "is not a date or time", "type" },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01 08:30:00+8", NULL, "is not a date or time", "type" },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01 08:30:00 CST", NULL, "is not a date", "type" },
  { SQL_KIND_TIME, 0, "timestamp", "2024-05-01 08:30:00.", NULL, "is not a date or time", "type" },
};

static void
test_values (void)
{
  SqlRules rules;

  sql_rules_init (&rules);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      const Value *v = &values[i];
      g_autofree char *columns = g_strdup_printf ("v: %s", v->type);
      g_autoptr (FrSchema) schema = fr_schema_parse (columns, NULL);
      g_autoptr (FrBuilder) builder = fr_builder_new (schema);
      SqlColumn *column = sql_column_new ("v", "t", v->kind);
      SqlCell cell = { .form = SQL_CELL_TEXT, .text = { v->text, strlen (v->text) } };
      const char *fault;

      column->item = v->item;
      /* Escaped, for TAP is UTF-8. */
      g_autofree char *shown = g_strescape (v->text, NULL);

      g_test_message ("%s as %s", shown, v->type);
      g_assert_true (sql_can_become (column, fr_schema_field (schema, 0)));
      fault = sql_append (fr_builder_cells (builder, 0), fr_schema_field (schema, 0), column, &cell,
                          &rules);
      if (v->json)
        {
          g_autoptr (FrBatch) batch = NULL;
          g_autoptr (GString) json = g_string_new (NULL);

          g_assert_cmpstr (fault, ==, NULL);
          fr_builder_end_row (builder, (FrRowId){ 1, 1, 0 });
          batch = fr_builder_finish (builder, NULL);
          g_assert_true (fr_batch_validate (batch, NULL));
          fr_batch_append_json_cell (batch, 0, 0, json);
          g_assert_cmpstr (json->str, ==, v->json);
        }
      else
        {
          g_assert_nonnull (fault);
          g_assert_nonnull (strstr (fault, v->fault));
          g_assert_cmpstr (rules.rule, ==, v->rule);
          /* The builder must be whole again. */
          fr_builder_cancel_row (builder);
          fr_cells_append_null (fr_builder_cells (builder, 0));
          fr_builder_end_row (builder, (FrRowId){ 1, 1, 0 });
          fr_batch_unref (fr_builder_finish (builder, NULL));
        }
      sql_column_free (column);
    }
  sql_rules_clear (&rules);
}

/* Every third day of five centuries, against GLib's calendar. */
static void
test_calendar (void)
{
  for (gint64 day = -200000; day < 100000; day += 3)
    {
      g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (day * 86400);
      gint64 us;

      if (date == NULL)
        continue;
      g_assert_true (sql_civil (g_date_time_get_year (date), (guint) g_date_time_get_month (date),
                                (guint) g_date_time_get_day_of_month (date), 0, 0, 0, 0, &us));
      g_assert_cmpint (us, ==, day * 86400 * 1000000);
    }
  g_assert_false (sql_civil (2024, 2, 30, 0, 0, 0, 0, &(gint64){ 0 }));
  g_assert_false (sql_civil (2024, 13, 1, 0, 0, 0, 0, &(gint64){ 0 }));
  g_assert_false (sql_civil (300000, 1, 1, 0, 0, 0, 0, &(gint64){ 0 }));
}

/* The short way must be strtod()'s way. */
static void
test_floats (void)
{
  for (guint i = 0; i < 200000; i++)
    {
      gint64 digits
          = g_test_rand_int_range (0, G_MAXINT32) * (gint64) g_test_rand_int_range (1, 400000);
      g_autofree char *text = NULL;
      char *end;
      double value;
      gsize at;

      text = g_strdup_printf ("%" G_GINT64_FORMAT, digits % 1000000000000000);
      at = (gsize) g_test_rand_int_range (0, (gint32) strlen (text) + 1);
      {
        g_autofree char *pointed = g_strdup_printf ("%.*s.%s", (int) at, text, text + at);

        g_assert_true (sql_parse_float ((FrStr){ pointed, strlen (pointed) }, &value));
        g_assert_true (value == g_ascii_strtod (pointed, &end));
      }
    }
}

static void
test_forms (void)
{
  const SqlCell cells[]
      = { { SQL_CELL_INT, { NULL, 0 }, 2, 0 },       { SQL_CELL_FLOAT, { NULL, 0 }, 0, 2.5 },
          { SQL_CELL_TIME, { NULL, 0 }, 1, 0 },      { SQL_CELL_BYTES, { "\x01", 1 }, 0, 0 },
          { SQL_CELL_ZERO_DATE, { NULL, 0 }, 0, 0 }, { SQL_CELL_FAULT, { "is odd", 6 }, 0, 0 },
          { SQL_CELL_NULL, { NULL, 0 }, 0, 0 } };
  /* By cell, what bool, int64, float64, timestamp, binary, utf8 make of it; "!": refused. */
  static const char *const wanted[][6] = { { "!", "2", "2", "!", "!", "\"2\"" },
                                           { "!", "!", "2.5", "!", "!", "\"2.5\"" },
                                           { "!", "!", "!", "\"1970-01-01T00:00:00.000001Z\"", "!",
                                             "\"1970-01-01T00:00:00.000001Z\"" },
                                           { "true", "!", "!", "!", "\"AQ==\"", "\"\\u0001\"" },
                                           { "null", "null", "null", "null", "null", "null" },
                                           { "!", "!", "!", "!", "!", "!" },
                                           { "null", "null", "null", "null", "null", "null" } };
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("b", FR_TYPE_BOOL, "i", FR_TYPE_INT64, "f", FR_TYPE_FLOAT64, "t",
                              FR_TYPE_TIMESTAMP, "z", FR_TYPE_BINARY, "u", FR_TYPE_UTF8, NULL);
  SqlColumn *column = sql_column_new ("v", "t", SQL_KIND_TEXT);
  SqlRules rules;

  sql_rules_init (&rules);
  for (guint c = 0; c < G_N_ELEMENTS (cells); c++)
    for (guint f = 0; f < 6; f++)
      {
        g_autoptr (FrBuilder) builder = fr_builder_new (schema);
        g_autoptr (FrBatch) batch = NULL;
        g_autoptr (GString) json = g_string_new (NULL);

        if (sql_append (fr_builder_cells (builder, f), fr_schema_field (schema, f), column,
                        &cells[c], &rules))
          {
            g_assert_cmpstr (wanted[c][f], ==, "!");
            fr_builder_cancel_row (builder);
            continue;
          }
        fr_builder_end_row (builder, (FrRowId){ 1, 1, 0 });
        batch = fr_builder_finish (builder, NULL);
        fr_batch_append_json_cell (batch, f, 0, json);
        g_assert_cmpstr (json->str, ==, wanted[c][f]);
      }
  g_assert_cmpuint (rules.zero_dates, ==, 6);
  sql_column_free (column);
  sql_rules_clear (&rules);
}

/* ---- DSNs ---------------------------------------------------------------------------------- */

static const char *const schemes[] = { "mariadb", "mysql", NULL };
static const char *const keys[]
    = { "host", "port", "user", "password", "database", "socket", NULL };

static void
dsn_is (const char *dsn, const char *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) found = sql_dsn_parse (dsn, schemes, keys, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (const char *const *k = keys; *k; k++)
    if (g_hash_table_contains (found, *k))
      g_string_append_printf (text, "%s=%s|", *k, (char *) g_hash_table_lookup (found, *k));
  g_assert_cmpstr (text->str, ==, wanted);
}

static void
dsn_fails (const char *dsn, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) found = sql_dsn_parse (dsn, schemes, keys, &error);

  g_assert_null (found);
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, why));
  g_assert_null (strstr (error->message, "s3cret"));
}

static void
test_dsn (void)
{
  g_autofree char *a = sql_dsn_braced ("DSN=x;PWD={a;}}b};UID=u", "PWD");
  g_autofree char *b = sql_dsn_braced ("DSN=x; pwd = 1 ;UID=u", "PWD");
  g_autofree char *c = sql_dsn_braced ("DSN=x;XPWD=1;UID=PWD=2", "PWD");
  g_autofree char *d = sql_dsn_braced ("A={PWD=1;};PWD={2", "PWD");

  dsn_is ("mariadb://u:p@h:1/d", "host=h|port=1|user=u|password=p|database=d|");
  dsn_is ("mysql://u:p%40%2f@h\n", "host=h|user=u|password=p@/|");
  dsn_is ("mariadb://u:p@ss@h/d", "host=h|user=u|password=p@ss|database=d|");
  dsn_is ("mariadb:///d?socket=%2ftmp%2fs", "database=d|socket=/tmp/s|");
  dsn_is ("mariadb://[::1]:3/", "host=::1|port=3|");
  dsn_is ("mariadb://", "");
  dsn_is ("host=h user='u' password='a \\'b\\\\' ", "host=h|user=u|password=a 'b\\|");
  dsn_is ("host=h;password=a://b", "host=h|password=a://b|");
  dsn_is ("", "");
  dsn_fails ("oracle://u:s3cret@h", "another kind of server");
  dsn_fails ("mariadb://u:s3cret%zz@h", "a '%'");
  dsn_fails ("mariadb://u:s3cret@h?s3cret", "no key=value");
  dsn_fails ("mariadb://u:s3cret@h?s3cret=1", "a key that is none of host");
  dsn_fails ("mariadb://[::1", "its ']'");
  dsn_fails ("mariadb://u:s3cret@h/d?host=x", "gives 'host' twice");
  dsn_fails ("password=s3cret word", "no key=value");
  dsn_fails ("password='s3cret", "never closed");
  dsn_fails ("password=s3cret s3cret=2", "a key that is none of host");
  dsn_fails ("\xff", "not UTF-8");
  g_assert_cmpstr (a, ==, "a;}b");
  g_assert_cmpstr (b, ==, " 1 ");
  g_assert_cmpstr (c, ==, NULL);
  g_assert_cmpstr (d, ==, "2");
}

static void
test_hide (void)
{
  g_autofree char *a = sql_hide ("say s3cret, s3cret", "s3cret");
  g_autofree char *b = sql_hide ("a", "a");
  g_autofree char *c = sql_hide ("a", NULL);

  g_assert_cmpstr (a, ==, "say ***, ***");
  g_assert_cmpstr (b, ==, "a");
  g_assert_cmpstr (c, ==, "a");
}

/* ---- statements ------------------------------------------------------------------------------ */

static void
name (gpointer link, GString *sql, const char *text)
{
  (void) link;
  sql_append_quoted (sql, text, "\"");
}

static void
mark (gpointer link, GString *sql, guint n, const SqlColumn *column)
{
  (void) link;
  g_string_append_printf (sql, "$%u/%d", n, column ? (int) column->kind : 0);
}

static const SqlDriver driver = { .append_name = name, .append_mark = mark };

static GPtrArray *
two_columns (SqlKind kind)
{
  GPtrArray *columns = g_ptr_array_new_with_free_func ((GDestroyNotify) sql_column_free);

  g_ptr_array_add (columns, sql_column_new ("id", "int", SQL_KIND_INT));
  g_ptr_array_add (columns, sql_column_new ("at", "some", kind));
  return columns;
}

static void
statement_is (SqlConfig *config, gboolean bounded, const char *wanted, guint n_values)
{
  g_autoptr (GPtrArray) columns = two_columns (SQL_KIND_TIME);
  g_autoptr (GPtrArray) key = g_ptr_array_new ();
  g_autoptr (GPtrArray) given = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  g_autoptr (GError) error = NULL;
  g_autoptr (SqlPosition) position
      = bounded ? sql_position_new (config, "here", columns, NULL, &error) : NULL;
  g_autofree char *sql = NULL;

  g_assert_no_error (error);
  g_ptr_array_add (key, (gpointer) "id");
  sql = sql_build (&driver, NULL, config, key, position, bounded ? columns->pdata[1] : NULL, given);
  g_assert_cmpstr (sql, ==, wanted);
  g_assert_cmpuint (given->len, ==, n_values);
}

static void
test_build (void)
{
  char *select[] = { (char *) "a\"b", (char *) "c", NULL };
  g_autoptr (JsonNode) parameters = fr_json_parse ("[1, null]", -1, 0, NULL);
  SqlConfig query = { .query = (char *) "select 1; \n;", .parameters = parameters };
  SqlConfig table = { .table = (char *) "s.t", .select = select, .where = (char *) "x --" };
  SqlConfig declared = { .table = (char *) "t", .result = (char *) "x: utf8, y: int64" };
  SqlConfig more = { .table = (char *) "t",
                     .where = (char *) "x",
                     .incremental = (char *) "at",
                     .since = (char *) "2024" };
  SqlConfig on = { .query = (char *) "select 1 -- all", .incremental = (char *) "at" };

  statement_is (&query, FALSE, "select 1", 2);
  statement_is (&table, FALSE,
                "SELECT \"a\"\"b\", \"c\" FROM \"s\".\"t\"\nWHERE (x --\n)\nORDER BY \"id\"", 0);
  statement_is (&declared, FALSE, "SELECT \"x\", \"y\" FROM \"t\"\nORDER BY \"id\"", 0);
  statement_is (&more, FALSE, "SELECT * FROM \"t\"\nWHERE (x\n)", 0);
  statement_is (&more, TRUE,
                "SELECT * FROM \"t\"\nWHERE (x\n)\nAND \"at\" >= $1/7\nORDER BY \"at\", \"id\"", 1);
  statement_is (&on, TRUE, "SELECT * FROM (select 1 -- all\n) flowrun_rows\nORDER BY \"at\"", 0);
}

/* ---- positions --------------------------------------------------------------------------------
 */

static SqlPositionStep
step (SqlPosition *p, gint64 id, const char *at)
{
  SqlCell cells[2] = { { SQL_CELL_INT, { NULL, 0 }, id, 0 },
                       { at ? SQL_CELL_TEXT : SQL_CELL_NULL, { at, at ? strlen (at) : 0 }, 0, 0 } };

  return sql_position_step (p, cells);
}

static void
test_position (void)
{
  SqlConfig config = { .table = (char *) "t", .incremental = (char *) "at" };
  g_autoptr (GPtrArray) columns = two_columns (SQL_KIND_DECIMAL);
  g_autoptr (JsonNode) left = NULL, again = NULL, nothing = NULL;
  gboolean forgotten;

  for (guint run = 0; run < 3; run++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (SqlPosition) p = sql_position_new (&config, "here", columns, left, &error);
      g_autoptr (JsonNode) value = NULL;

      g_assert_no_error (error);
      value = sql_position_value (p);
      g_clear_pointer (&left, json_node_unref);
      if (run == 0)
        {
          g_assert_null (value);
          g_assert_cmpint (step (p, 1, "1"), ==, SQL_POSITION_NEW);
          g_assert_cmpint (step (p, 2, NULL), ==, SQL_POSITION_NULL);
          g_assert_cmpint (step (p, 3, "2"), ==, SQL_POSITION_NEW);
          g_assert_cmpint (step (p, 4, "2"), ==, SQL_POSITION_NEW);
          g_assert_cmpint (step (p, 4, "2"), ==, SQL_POSITION_NEW);
          g_assert_cmpint (step (p, 5, "NaN"), ==, SQL_POSITION_NULL);
          g_assert_cmpint (step (p, 5, "-Infinity"), ==, SQL_POSITION_NULL);
        }
      else if (run == 1)
        {
          g_assert_cmpstr (json_node_get_string (value), ==, "2");
          g_assert_cmpuint (sql_position_rows (p), ==, 4);
          g_assert_cmpstr (sql_position_operator (p), ==, ">=");
          g_assert_cmpint (step (p, 4, "2"), ==, SQL_POSITION_SEEN);
          g_assert_cmpint (step (p, 5, "2"), ==, SQL_POSITION_NEW);
          g_assert_cmpint (step (p, 3, "2"), ==, SQL_POSITION_SEEN);
          g_assert_cmpint (step (p, 4, "2"), ==, SQL_POSITION_SEEN);
          g_assert_cmpint (step (p, 4, "2"), ==, SQL_POSITION_NEW); /* a third */
          g_assert_cmpint (step (p, 3, "3"), ==, SQL_POSITION_NEW);
        }
      else
        {
          g_assert_cmpstr (json_node_get_string (value), ==, "3");
          nothing = sql_position_state (p, 7, &forgotten);
        }
      left = sql_position_state (p, run == 0 ? 4 : 7, &forgotten);
      g_assert_false (forgotten);
    }
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (nothing), "value"), ==,
                   "3");
}

static void
refuses (SqlConfig *config, SqlKind kind, const char *place, const char *json, const char *why)
{
  g_autoptr (GPtrArray) columns = two_columns (kind);
  g_autoptr (JsonNode) left = json ? fr_json_parse (json, -1, 0, NULL) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (SqlPosition) p = sql_position_new (config, place, columns, left, &error);

  g_assert_null (p);
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, why));
}

#define LEFT(tail)                                                                                 \
  "{\"format\":1,\"server\":\"here\",\"of\":\"t\",\"column\":\"at\",\"rows\":3" tail "}"

static void
test_refusals (void)
{
  SqlConfig config = { .table = (char *) "t", .incremental = (char *) "at" };
  SqlConfig since = { .table = (char *) "t", .incremental = (char *) "at", .since = (char *) "x" };
  SqlConfig absent = { .table = (char *) "t", .incremental = (char *) "idd" };
  SqlConfig other = { .query = (char *) "select", .incremental = (char *) "at" };

  refuses (&config, SQL_KIND_TEXT, "here", NULL, "'incremental' names 'at', which is some");
  refuses (&config, SQL_KIND_FLOAT, "here", NULL, "'incremental' names 'at'");
  refuses (&absent, SQL_KIND_INT, "here", NULL, "did you mean 'id'?");
  refuses (&since, SQL_KIND_INT, "here", NULL, "'since' is 'x', but");
  refuses (&config, SQL_KIND_INT, "there", LEFT (""), "another server (here, and now there)");
  refuses (&other, SQL_KIND_INT, "here", LEFT (""), "another table (t, and now a query)");
  refuses (&config, SQL_KIND_INT, "here", "[]", "cannot be read");
  refuses (&config, SQL_KIND_INT, "here", "{\"format\":2,\"rows\":1}", "cannot be read");
  refuses (&config, SQL_KIND_INT, "here", "{\"format\":1,\"rows\":-1}", "cannot be read");
  refuses (&config, SQL_KIND_INT, "here", "{\"format\":1,\"rows\":\"x\"}", "cannot be read");
}

/* A run that forgot the rows at the last value says so to the next, also over one without rows. */
static void
test_forgotten (void)
{
  SqlConfig config = { .table = (char *) "t", .incremental = (char *) "at" };
  g_autoptr (GPtrArray) columns = two_columns (SQL_KIND_INT);
  g_autoptr (GError) error = NULL;
  g_autoptr (SqlPosition) first = sql_position_new (&config, "here", columns, NULL, &error);
  g_autoptr (SqlPosition) second = NULL, third = NULL;
  g_autoptr (JsonNode) a = NULL, b = NULL;
  gboolean forgotten;

  for (gint64 i = 0; i <= SQL_MAX_TIES; i++)
    step (first, i, "5");
  a = sql_position_state (first, SQL_MAX_TIES + 1, &forgotten);
  g_assert_true (forgotten);
  second = sql_position_new (&config, "here", columns, a, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sql_position_operator (second), ==, ">");
  b = sql_position_state (second, SQL_MAX_TIES + 1, &forgotten);
  g_assert_false (forgotten);
  third = sql_position_new (&config, "here", columns, b, &error);
  g_assert_cmpstr (sql_position_operator (third), ==, ">");
  g_assert_cmpint (step (third, 1, "6"), ==, SQL_POSITION_NEW);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sql/values", test_values);
  g_test_add_func ("/sql/forms", test_forms);
  g_test_add_func ("/sql/calendar", test_calendar);
  g_test_add_func ("/sql/floats", test_floats);
  g_test_add_func ("/sql/dsn", test_dsn);
  g_test_add_func ("/sql/hide", test_hide);
  g_test_add_func ("/sql/build", test_build);
  g_test_add_func ("/sql/position", test_position);
  g_test_add_func ("/sql/refusals", test_refusals);
  g_test_add_func ("/sql/forgotten", test_forgotten);
  return g_test_run ();
}
