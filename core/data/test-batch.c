/* SPDX-License-Identifier: Apache-2.0 */
/* test-batch.c: builders, views, choosing rows, rows as JSON. */
#include "config.h"

#include <math.h>

#include "data/data-private.h"
#include "data/test-rows.h"

static const FrRowId any_id = { 1, 1, 0 };

/* ---- builders ------------------------------------------------------------ */

/* Every type there and back, over several bitmap words. */
static void
test_round_trip (void)
{
  for (guint n = 0; n < 200; n += n < 20 ? 1 : 61)
    {
      g_autoptr (FrBatch) batch = rows_all (n), again = NULL;
      g_autofree char *text = rows_text (batch);

      again = rows_read (ROWS_ALL, text, TRUE);
      rows_assert_equal (batch, again);
    }
}

static void
test_views (void)
{
  g_autoptr (FrBatch) batch
      = rows_batch ("s: utf8, b: bool, i: int32, n: int64, f: float32, d: float64, t: timestamp, "
                    "l: list<int32>, m: struct<x: utf8>",
                    "{'s':'中','b':true,'i':-7,'n':9000000000,'f':0.5,'d':2.25,"
                    "'t':'1970-01-01T00:00:01Z','l':[1,2,3],'m':{'x':'y'}} {}");
  FrView v[9], child;
  gsize start;

  for (guint i = 0; i < 9; i++)
    {
      v[i] = fr_view (batch, i);
      g_assert_false (fr_view_is_null (&v[i], 0));
      g_assert_true (fr_view_is_null (&v[i], 1));
    }
  g_assert_true (fr_str_equal (fr_view_str (&v[0], 0), FR_STR ("中")));
  g_assert_null (fr_view_str (&v[0], 1).data);
  g_assert_true (fr_view_bool (&v[1], 0));
  g_assert_false (fr_view_bool (&v[1], 1));
  g_assert_cmpint (fr_view_int (&v[1], 0), ==, 1);
  g_assert_cmpint (fr_view_int (&v[2], 0), ==, -7);
  g_assert_cmpint (fr_view_int (&v[3], 0), ==, G_GINT64_CONSTANT (9000000000));
  g_assert_cmpfloat (fr_view_float (&v[3], 0), ==, 9e9);
  g_assert_cmpfloat (fr_view_float (&v[4], 0), ==, 0.5);
  g_assert_cmpfloat (fr_view_float (&v[5], 0), ==, 2.25);
  g_assert_cmpfloat (fr_view_float (&v[5], 1), ==, 0);
  g_assert_cmpint (fr_view_int (&v[6], 0), ==, 1000000);
  g_assert_cmpuint (fr_view_list (&v[7], 0, &start), ==, 3);
  child = fr_view_child (&v[7], 0);
  g_assert_cmpint (fr_view_int (&child, start + 2), ==, 3);
  g_assert_cmpuint (fr_view_list (&v[7], 1, &start), ==, 0);
  child = fr_view_child (&v[8], 0);
  g_assert_true (fr_str_equal (fr_view_str (&child, 0), FR_STR ("y")));
  g_assert_true (fr_view_is_null (&child, 1));
}

static void
test_all_null (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (FrBatch) batch = NULL, some = NULL;
  g_autofree guint8 *keep = g_malloc0 (1000);

  for (guint i = 0; i < 1000; i++)
    {
      g_string_append (text, "{}");
      keep[i] = i % 3 == 0;
    }
  batch = rows_read (ROWS_ALL, text->str, TRUE);
  some = fr_batch_filter (batch, keep);
  rows_assert_valid (some);
  for (guint c = 0; c < fr_batch_n_columns (some); c++)
    g_assert_cmpint (fr_column_array (fr_batch_column (some, c))->null_count, ==, 334);
}

/* Takes back rows in every state of being filled; what is left is as if they
 * had never been. */
static void
test_cancel_row (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) expected = rows_all (40), batch = NULL;
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_batch_schema (expected));
  FrJsonReader r;

  fr_json_reader_init (&r, "", 0, 0);
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *row = rows_sample (i), *other = rows_sample (i + 17);
      gsize len = strlen (other);

      for (gsize cut = i; cut < len; cut += 11)
        {
          g_autoptr (GError) broken = NULL;

          fr_json_reader_reset (&r, other, cut);
          g_assert_false (fr_json_read_row (&r, fr_json_reader_next (&r), builder, NULL, &broken));
          g_assert_nonnull (broken);
          fr_builder_cancel_row (builder);
        }
      fr_json_reader_reset (&r, row, strlen (row));
      fr_json_read_row (&r, fr_json_reader_next (&r), builder, NULL, &error);
      g_assert_no_error (error);
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  fr_json_reader_clear (&r);
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  rows_assert_valid (batch);
  rows_assert_equal (batch, expected);
  /* The builder is empty again, and of use. */
  g_assert_cmpuint (fr_builder_n_rows (builder), ==, 0);
  fr_builder_end_row (builder, any_id);
  g_clear_pointer (&batch, fr_batch_unref);
  batch = fr_builder_finish (builder, &error);
  rows_assert_valid (batch);
  g_assert_cmpuint (fr_batch_n_rows (batch), ==, 1);
}

static void
expect_fault (FrBuilder *builder, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = NULL;

  fr_builder_end_row (builder, any_id);
  g_assert_null (fr_builder_finish (builder, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, text));
  g_clear_error (&error);
  /* The fault is told once. */
  fr_builder_end_row (builder, any_id);
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  rows_assert_valid (batch);
}

static void
test_faults (void)
{
  g_autoptr (FrSchema) schema
      = fr_schema_parse ("n: int64, s: utf8, l: list<utf8>, m: struct<x: bool>", NULL);
  g_autoptr (FrBuilder) b = fr_builder_new (schema);
  FrCells *n = fr_builder_cells (b, 0), *s = fr_builder_cells (b, 1), *l = fr_builder_cells (b, 2),
          *m = fr_builder_cells (b, 3);

  fr_cells_append_int (n, 1);
  fr_cells_append_int (n, 2);
  expect_fault (b, "column 'n' (int64) was given two cells");
  fr_cells_append_str (n, "x", 1);
  expect_fault (b, "was given text");
  fr_cells_append_float (s, 1);
  expect_fault (b, "was given a float");
  fr_cells_append_bool (s, TRUE);
  expect_fault (b, "was given a bool");
  fr_cells_append_int (s, 1);
  expect_fault (b, "was given an integer");
  fr_cells_append_str (fr_cells_child (l, 0), "x", 1);
  expect_fault (b, "fr_cells_end() was not called");
  fr_cells_append_bool (fr_cells_child (m, 0), TRUE);
  fr_cells_append_bool (fr_cells_child (m, 0), TRUE);
  fr_cells_end (m);
  expect_fault (b, "two cells in one struct");
  fr_cells_end (s);
  expect_fault (b, "is no list or struct");
  fr_cells_reserve_str (s, 4);
  fr_cells_commit_str (s, 1 << 20);
  expect_fault (b, "than was reserved");
}

static void
test_append (void)
{
  g_autoptr (FrSchema) schema = fr_schema_parse ("i: int32, s: utf8, b: bool", NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrBatch) batch = NULL;
  g_autofree char *text = NULL;
  char *room;

  fr_cells_append_int (fr_builder_cells (builder, 0), G_MAXINT64); /* does not fit: null */
  room = fr_cells_reserve_str (fr_builder_cells (builder, 1), 100);
  memcpy (room, "写", 3);
  fr_cells_commit_str (fr_builder_cells (builder, 1), 3);
  fr_cells_append_int (fr_builder_cells (builder, 2), 5);
  fr_builder_end_row (builder, any_id);
  fr_cells_append_int (fr_builder_cells (builder, 0), G_MININT32);
  fr_cells_append_str (fr_builder_cells (builder, 1), NULL, 0);
  fr_builder_end_row (builder, any_id);
  fr_cells_append_str (fr_builder_cells (builder, 1), "", 0);
  fr_builder_end_row (builder, any_id);
  batch = fr_builder_finish (builder, NULL);
  rows_assert_valid (batch);
  text = rows_text (batch);
  g_assert_cmpstr (text, ==,
                   "{\"i\":null,\"s\":\"写\",\"b\":true}\n"
                   "{\"i\":-2147483648,\"s\":null,\"b\":null}\n"
                   "{\"i\":null,\"s\":\"\",\"b\":null}\n");
}

static void
test_full (void)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("s", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autofree char *big = g_strnfill (300000, 'x');
  guint rows = 0;

  for (; !fr_builder_full (builder); rows++)
    {
      fr_cells_append_str (fr_builder_cells (builder, 0), big, 300000);
      fr_builder_end_row (builder, any_id);
    }
  g_assert_cmpuint (rows, ==, 4);
  g_assert_cmpuint (fr_builder_bytes (builder), >=, FR_BATCH_BYTES);
  fr_batch_unref (fr_builder_finish (builder, NULL));
  for (rows = 0; !fr_builder_full (builder); rows++)
    fr_builder_end_row (builder, any_id);
  g_assert_cmpuint (rows, ==, FR_BATCH_ROWS);
}

/* Beyond 2 GiB of text in one column: an error in words, not a wrapped offset.
 * Too much memory for every test run; --slow runs it. */
static void
test_two_gib (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("s", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autofree char *big = NULL;

  if (!g_test_slow ())
    {
      g_test_skip ("needs 4 GiB of memory; run with -m slow");
      return;
    }
  big = g_strnfill (1 << 30, 'x');
  for (guint i = 0; i < 3; i++)
    {
      fr_cells_append_str (fr_builder_cells (builder, 0), big, 1 << 30);
      fr_builder_end_row (builder, any_id);
    }
  g_assert_null (fr_builder_finish (builder, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
}

/* ---- batches from batches ------------------------------------------------ */

static void
test_take (void)
{
  g_autoptr (FrBatch) batch = rows_all (100), taken = NULL, built = NULL;
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_batch_schema (batch));
  guint32 rows[250];

  /* Runs, jumps back, repeats: against the slow way, cell by cell. */
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    rows[i] = i < 60 ? i : i < 120 ? 99 - i / 2 : i % 7 == 0 ? 5 : (i * 37) % 100;
  taken = fr_batch_take (batch, rows, G_N_ELEMENTS (rows));
  rows_assert_valid (taken);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      for (guint c = 0; c < fr_batch_n_columns (batch); c++)
        {
          FrView view = fr_view (batch, c);

          fr_cells_append_from (fr_builder_cells (builder, c), &view, rows[i]);
        }
      fr_builder_end_row (builder, fr_batch_ids (batch)[rows[i]]);
    }
  built = fr_builder_finish (builder, NULL);
  rows_assert_valid (built);
  rows_assert_equal (taken, built);
}

static void
test_take_none (void)
{
  g_autoptr (FrBatch) batch = rows_all (10), none = fr_batch_take (batch, NULL, 0);

  rows_assert_valid (none);
  g_assert_cmpuint (fr_batch_n_rows (none), ==, 0);
}

static void
test_filter (void)
{
  g_autoptr (FrBatch) batch = rows_all (90), none = NULL, all = NULL, some = NULL, taken = NULL;
  guint8 keep[90] = { 0 };
  guint32 rows[90];
  gsize n = 0;

  none = fr_batch_filter (batch, keep);
  g_assert_cmpuint (fr_batch_n_rows (none), ==, 0);
  rows_assert_valid (none);
  for (guint i = 0; i < 90; i++)
    if ((keep[i] = (i * i) % 5 < 2 ? 200 : 0) != 0)
      rows[n++] = i;
  some = fr_batch_filter (batch, keep);
  taken = fr_batch_take (batch, rows, n);
  rows_assert_valid (some);
  rows_assert_equal (some, taken);
  memset (keep, 1, sizeof keep);
  all = fr_batch_filter (batch, keep);
  g_assert_true (all == batch);
}

static void
test_select (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch
      = rows_batch ("a: utf8, b: int32, c: bool", "{'a':'x','b':1} {'c':true}");
  g_autoptr (FrSchema) schema = fr_schema_parse ("renamed: bool, a: utf8", NULL);
  g_autoptr (FrSchema) wrong = fr_schema_parse ("c: bool, a: int64", NULL);
  const guint indices[] = { 2, 0, 99 };
  g_autoptr (FrBatch) picked = fr_batch_select (batch, schema, indices, 2, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = rows_text (picked);
  g_assert_cmpstr (text, ==, "{\"renamed\":null,\"a\":\"x\"}\n{\"renamed\":true,\"a\":null}\n");
  g_assert_true (fr_batch_column (picked, 1) == fr_batch_column (batch, 0));
  g_assert_null (fr_batch_select (batch, wrong, indices, 2, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
  g_clear_error (&error);
  g_assert_null (fr_batch_select (batch, schema, indices, 3, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
  g_clear_error (&error);
  g_assert_null (fr_batch_select (batch, schema, indices + 1, 2, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
}

static void
test_with_column (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = rows_batch ("a: utf8, b: int32", "{'a':'x','b':1} {'a':'y'}");
  g_autoptr (FrBatch) other = rows_batch ("z: float64", "{'z':1.5} {}");
  g_autoptr (FrBatch) longer = rows_batch ("z: float64", "{'z':1.5} {} {}");
  FrField *z = fr_schema_field (fr_batch_schema (other), 0);
  g_autoptr (FrField) a = fr_field_renamed (z, "a");
  g_autoptr (FrBatch) added
      = fr_batch_with_column (batch, z, fr_column_ref (fr_batch_column (other, 0)), &error);
  g_autoptr (FrBatch) replaced
      = fr_batch_with_column (batch, a, fr_column_ref (fr_batch_column (other, 0)), &error);
  g_autofree char *x = rows_text (added), *y = rows_text (replaced);

  g_assert_no_error (error);
  g_assert_cmpstr (x, ==, "{\"a\":\"x\",\"b\":1,\"z\":1.5}\n{\"a\":\"y\",\"b\":null,\"z\":null}\n");
  g_assert_cmpstr (y, ==, "{\"a\":1.5,\"b\":1}\n{\"a\":null,\"b\":null}\n");
  g_assert_null (
      fr_batch_with_column (batch, z, fr_column_ref (fr_batch_column (longer, 0)), &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
}

static gboolean
double_or_drop (FrStr text, GString *out, gpointer data)
{
  ++*(guint *) data;
  g_assert_cmpuint (out->len, ==, 0);
  g_string_append_len (out, text.data, (gssize) text.len);
  g_string_append_len (out, text.data, (gssize) text.len);
  return text.len != 1;
}

static void
test_map_text (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch
      = rows_batch ("n: int32, s: utf8", "{'s':'中文','n':1} {'s':null} {'s':'x'} {'s':''}");
  guint calls = 0;
  g_autoptr (FrBatch) mapped = fr_batch_map_text (batch, 1, double_or_drop, &calls, &error);
  g_autofree char *text = rows_text (mapped);

  g_assert_no_error (error);
  rows_assert_valid (mapped);
  g_assert_cmpuint (calls, ==, 3);
  g_assert_cmpstr (
      text, ==,
      "{\"n\":1,\"s\":\"中文中文\"}\n{\"n\":null,\"s\":null}\n{\"n\":null,\"s\":null}\n"
      "{\"n\":null,\"s\":\"\"}\n");
  g_assert_true (fr_batch_column (mapped, 0) == fr_batch_column (batch, 0));
  g_assert_null (fr_batch_map_text (batch, 0, double_or_drop, &calls, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
}

static void
test_row_ids (void)
{
  const FrRowId parent = { 17, 3, 0 };
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  FrRowId a = fr_row_id_child (parent, 1), b = fr_row_id_child (a, 1);

  for (guint i = 1; i <= 20000; i++)
    {
      FrRowId child = fr_row_id_child (parent, i);

      g_assert_cmpuint (child.position, ==, 17);
      g_assert_cmpuint (child.source, ==, 3);
      g_assert_cmpuint (child.child, !=, 0);
      g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (child.child)));
    }
  g_assert_false (fr_row_id_equal (a, b));
  g_assert_false (fr_row_id_equal (a, parent));
  g_assert_true (fr_row_id_equal (a, fr_row_id_child (parent, 1)));
}

/* ---- rows as JSON -------------------------------------------------------- */

static void
test_json_form (void)
{
  g_autoptr (FrSchema) schema
      = fr_schema_parse ("\"a \\\"q\\\"\": utf8, f: float64, g: float32, b: binary", NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrBatch) batch = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GString) skipped = g_string_new ("> "), cell = g_string_new (NULL);
  const double floats[] = { NAN, INFINITY, -INFINITY, 0.1 };
  const char *bytes[] = { "", "f", "fo", "foo" };

  for (guint i = 0; i < 4; i++)
    {
      fr_cells_append_str (fr_builder_cells (builder, 0), "\x01\x1f\x7f\"\\/\b\f\n\r\t\0é中😀", 21);
      fr_cells_append_float (fr_builder_cells (builder, 1), floats[i]);
      fr_cells_append_float (fr_builder_cells (builder, 2), floats[i]);
      fr_cells_append_str (fr_builder_cells (builder, 3), bytes[i], i);
      fr_builder_end_row (builder, any_id);
    }
  fr_builder_end_row (builder, any_id);
  batch = fr_builder_finish (builder, NULL);
  text = rows_text (batch);
#define KEY_A "{\"a \\\"q\\\"\":\"\\u0001\\u001f\x7f\\\"\\\\/\\b\\f\\n\\r\\t\\u0000é中😀\",\"f\":"
  g_assert_cmpstr (text, ==,
                   KEY_A "null,\"g\":null,\"b\":\"\"}\n" KEY_A
                         "null,\"g\":null,\"b\":\"Zg==\"}\n" KEY_A
                         "null,\"g\":null,\"b\":\"Zm8=\"}\n" KEY_A "0.1,\"g\":0.1,\"b\":\"Zm9v\"}\n"
                         "{\"a \\\"q\\\"\":null,\"f\":null,\"g\":null,\"b\":null}\n");
  fr_batch_append_json (batch, 4, TRUE, skipped);
  g_assert_cmpstr (skipped->str, ==, "> {}");
  fr_batch_append_json_cell (batch, 3, 2, cell);
  g_assert_cmpstr (cell->str, ==, "\"Zm8=\"");
}

static void
test_timestamps (void)
{
  static const struct
  {
    const char *text;
    gint64 us;
    const char *written; /* NULL: refused */
  } cases[] = {
    { "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
    { "1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z" },
    { "2024-02-29T12:34:56.5+08:00", G_GINT64_CONSTANT (1709181296500000),
      "2024-02-29T04:34:56.5Z" },
    { "2024-02-29 12:34:56", G_GINT64_CONSTANT (1709210096000000), "2024-02-29T12:34:56Z" },
    { "2024-02-29t12:34z", G_GINT64_CONSTANT (1709210040000000), "2024-02-29T12:34:00Z" },
    { "2024-02-29", G_GINT64_CONSTANT (1709164800000000), "2024-02-29T00:00:00Z" },
    { "0000-03-01T00:00:00Z", G_GINT64_CONSTANT (-62162035200000000), "0000-03-01T00:00:00Z" },
    { "9999-12-31T23:59:59.123456789Z", G_GINT64_CONSTANT (253402300799123456),
      "9999-12-31T23:59:59.123456Z" },
    { "+012024-01-01T00:00:00Z", G_GINT64_CONSTANT (317273587200000000),
      "+012024-01-01T00:00:00Z" },
    { "-000001-01-01T00:00:00Z", G_GINT64_CONSTANT (-62198755200000000),
      "-000001-01-01T00:00:00Z" },
    { "2023-02-29", 0, NULL },
    { "1900-02-29", 0, NULL },
    { "2024-13-01", 0, NULL },
    { "2024-00-01", 0, NULL },
    { "2024-01-32", 0, NULL },
    { "2024-01-01T24:00:00Z", 0, NULL },
    { "2024-01-01T23:60:00Z", 0, NULL },
    { "2024-01-01T23:59:60Z", 0, NULL },
    { "2024-01-01T23:59:59.Z", 0, NULL },
    { "2024-01-01T23:59:59+8", 0, NULL },
    { "2024-01-01T23:59:59+24:00", 0, NULL },
    { "2024-01-01T23:59:59Zx", 0, NULL },
    { "2024-01-01Z", 0, NULL },
    { "2024-1-1", 0, NULL },
    { "", 0, NULL },
    { "２０２４-01-01", 0, NULL },
    { "+294248-01-01", 0, "" }, /* read, but beyond what 64 bits hold */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      gint64 us = 0;
      gboolean fine = fr_timestamp_parse (cases[i].text, strlen (cases[i].text), &us);

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (fine, ==, cases[i].written != NULL && cases[i].written[0] != '\0');
      if (!fine)
        continue;
      g_assert_cmpint (us, ==, cases[i].us);
      fr_timestamp_append (out, us);
      g_assert_cmpstr (out->str, ==, cases[i].written);
    }
}

/* Every instant reads back, to both ends of 64 bits, and GLib agrees. */
static void
test_timestamps_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  const gint64 ends[] = { G_MININT64, G_MININT64 + 1, G_MAXINT64, G_MAXINT64 - 1, -1, 0 };

  for (guint i = 0; i < 200000; i++)
    {
      gint64 us = (gint64) ((guint64) g_rand_int (rand) << 32 | g_rand_int (rand)), back = 0;
      g_autoptr (GString) out = g_string_new (NULL);

      us >>= i % 12;
      if (i < G_N_ELEMENTS (ends))
        us = ends[i];
      fr_timestamp_append (out, us);
      g_assert_true (fr_timestamp_parse (out->str, out->len, &back));
      g_assert_cmpint (back, ==, us);
      if (i % 50 == 0 && out->str[0] != '+' && out->str[0] != '-' && us > 0)
        {
          g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (us / 1000000);
          g_autofree char *text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S");

          g_assert_true (strncmp (out->str, text, strlen (text)) == 0);
        }
    }
}

/* ---- validation ---------------------------------------------------------- */

static void
expect_invalid (FrType type, const char *child, gsize n, gsize nulls, void *const *buffers,
                gsize size, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrField) field = fr_field_parse ("c", child ? child : fr_type_name (type), NULL);
  g_autoptr (FrColumn) column
      = fri_column_new (type, n, nulls, buffers, size, NULL, 0, g_bytes_new_static ("", 0),
                        (GDestroyNotify) g_bytes_unref);

  g_assert_false (fri_column_validate (column, field, "c", &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_INTERNAL);
  if (strstr (error->message, text) == NULL)
    g_error ("should say '%s', but says '%s'", text, error->message);
}

static void
test_validate (void)
{
  gint32 rising[] = { 0, 1, 4 }, falling[] = { 0, 3, 2 }, negative[] = { -1, 0, 1 };
  gint64 large[] = { 0, 1, G_MAXINT64 };
  guint8 valid[] = { 0x01 };

  expect_invalid (FR_TYPE_UTF8, NULL, 2, 0, (void *[]){ NULL, falling, "abcd" }, 4,
                  "row 1 ends at 2, before");
  expect_invalid (FR_TYPE_UTF8, NULL, 2, 0, (void *[]){ NULL, negative, "abcd" }, 4,
                  "first offset is -1");
  expect_invalid (FR_TYPE_UTF8, NULL, 2, 0, (void *[]){ NULL, rising, "abcd" }, 3,
                  "last offset is 4");
  expect_invalid (FR_TYPE_LARGE_UTF8, NULL, 2, 0, (void *[]){ NULL, large, "abcd" }, 4,
                  "last offset");
  expect_invalid (FR_TYPE_UTF8, NULL, 2, 0, (void *[]){ NULL, rising, "\xe4\xb8\xad!" }, 4,
                  "row 1 is not valid UTF-8");
  expect_invalid (FR_TYPE_UTF8, NULL, 2, 0, (void *[]){ NULL, rising, "a\xff!!" }, 4,
                  "row 1 is not valid UTF-8 at byte 0");
  expect_invalid (FR_TYPE_INT32, NULL, 2, 1, (void *[]){ NULL, rising }, 0, "no validity buffer");
  expect_invalid (FR_TYPE_INT32, NULL, 2, 2, (void *[]){ valid, rising }, 0,
                  "2, but 1 cells are null");
  expect_invalid (FR_TYPE_INT32, "int64", 2, 0, (void *[]){ NULL, rising }, 0,
                  "its field is int64");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/builder/round-trip", test_round_trip);
  g_test_add_func ("/builder/all-null", test_all_null);
  g_test_add_func ("/builder/cancel-row", test_cancel_row);
  g_test_add_func ("/builder/faults", test_faults);
  g_test_add_func ("/builder/append", test_append);
  g_test_add_func ("/builder/full", test_full);
  g_test_add_func ("/builder/two-gib", test_two_gib);
  g_test_add_func ("/batch/views", test_views);
  g_test_add_func ("/batch/take", test_take);
  g_test_add_func ("/batch/take-none", test_take_none);
  g_test_add_func ("/batch/filter", test_filter);
  g_test_add_func ("/batch/select", test_select);
  g_test_add_func ("/batch/with-column", test_with_column);
  g_test_add_func ("/batch/map-text", test_map_text);
  g_test_add_func ("/batch/row-ids", test_row_ids);
  g_test_add_func ("/batch/json-form", test_json_form);
  g_test_add_func ("/batch/timestamps", test_timestamps);
  g_test_add_func ("/batch/timestamps-random", test_timestamps_random);
  g_test_add_func ("/batch/validate", test_validate);
  return g_test_run ();
}
