/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-sqlvalue.c: what SQL servers send as text, DSNs and names.
 *
 * The first byte chooses what the rest is: a value of some kind for a column
 * of some type, a time, an array, a DSN, or a name to be quoted.
 */
#include "sql/dsn.h"
#include "sql/sql.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char columns[]
    = "b: bool, i: int32, l: int64, f: float32, d: float64, u: utf8, z: binary, t: timestamp, "
      "li: list<int64>, ls: list<utf8>, ll: list<list<timestamp>>, st: struct<a: int64, b: "
      "list<utf8>>";

static void
try_value (FrStr text, SqlKind kind, SqlKind item)
{
  g_autoptr (FrSchema) schema = fr_schema_parse (columns, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  SqlColumn *column = sql_column_new ("v", "t", kind);
  SqlCell cell = { .form = SQL_CELL_TEXT, .text = text };
  g_autoptr (GString) shown = g_string_new (NULL);
  g_autoptr (FrBatch) batch = NULL;
  g_autoptr (GError) error = NULL;
  SqlRules rules;

  column->item = item;
  sql_rules_init (&rules);
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    {
      FrField *field = fr_schema_field (schema, i);

      if (!sql_can_become (column, field))
        continue;
      if (sql_append (fr_builder_cells (builder, i), field, column, &cell, &rules))
        fr_builder_cancel_row (builder);
      else
        fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  g_assert_true (fr_batch_validate (batch, &error));
  sql_append_shown (shown, &cell);
  sql_rules_clear (&rules);
  sql_column_free (column);
}

/* A name between its quotes must be the name again. */
static void
try_name (const char *name)
{
  static const char *const quotes[] = { "\"", "`" };

  for (guint q = 0; q < G_N_ELEMENTS (quotes); q++)
    {
      g_autoptr (GString) sql = g_string_new (NULL), back = g_string_new (NULL);

      sql_append_quoted (sql, name, quotes[q]);
      for (gsize i = 1; i + 1 < sql->len; i++)
        {
          if (sql->str[i] == *quotes[q])
            g_assert_cmpint (sql->str[++i], ==, *quotes[q]);
          g_string_append_c (back, sql->str[i]);
        }
      g_assert_cmpstr (back->str, ==, name);
    }
}

/* What was given as a password is in no message. */
static void
try_dsn (const char *dsn)
{
  static const char *const schemes[] = { "mariadb", NULL };
  static const char *const keys[]
      = { "host", "port", "user", "password", "database", "socket", NULL };
  g_autofree char *with = g_strconcat (dsn, "s3cret-word", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) values = sql_dsn_parse (with, schemes, keys, &error);
  g_autofree char *braced = sql_dsn_braced (dsn, "PWD");

  g_assert_true ((values == NULL) == (error != NULL));
  if (error)
    g_assert_null (strstr (error->message, "s3cret-word"));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  guint how = size > 0 ? data[0] : 0;
  FrStr text = { (const char *) data + MIN (size, 1), size - MIN (size, 1) };
  g_autofree char *line = g_strndup (text.data, text.len);
  gboolean beyond;
  gint64 us;

  switch (how % 20)
    {
    case 16:
      sql_parse_time (text, &us, &beyond);
      break;
    case 17:
      try_dsn (line);
      break;
    case 18:
      try_name (line);
      break;
    case 19:
    case 15:
    case 14:
      try_value (text, SQL_KIND_ARRAY, (SqlKind) (1 + how / 20 % SQL_KIND_JSON));
      break;
    default:
      try_value (text, (SqlKind) (1 + how % 20 % SQL_KIND_ARRAY), SQL_KIND_INT);
    }
  return 0;
}
