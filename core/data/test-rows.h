/* SPDX-License-Identifier: Apache-2.0 */
/* test-rows.h: batches for the tests of core/data and core/run, from JSON and
 * back.  (The test kit has the same for elements; it stands on what is tested
 * here.)
 */
#ifndef FLOWRUN_TEST_ROWS_H
#define FLOWRUN_TEST_ROWS_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <flowrun/json.h>

/* Every type, nested ones too. */
#define ROWS_ALL                                                                                   \
  "name: utf8, long: large_utf8, raw: binary, ok: bool, i: int32, n: int64, f: float32, "          \
  "price: float64, at: timestamp, tags: list<utf8>, turns: list<struct<role: utf8, n: int64>>, "   \
  "size: struct<w: float64, h: float64, marks: list<int32>>, grid: list<list<bool>>"

/* A row for ROWS_ALL whose cells depend on @i; some are null. */
static inline char *
rows_sample (guint i)
{
  static const char *const words[] = { "雪纺衫",
                                       "a",
                                       "",
                                       "👕👖",
                                       "quite a long piece of text to pass sixteen bytes",
                                       "ｆｕｌｌ",
                                       "e\xcc\x81",
                                       "\\\"引号\\\"\\n" };
  const char *w = words[i % G_N_ELEMENTS (words)];
  GString *s = g_string_new ("{");

  if (i % 5 != 1)
    g_string_append_printf (s, "\"name\":\"%s%u\",", w, i);
  if (i % 7 != 2)
    g_string_append_printf (s, "\"long\":\"%s\",", w);
  if (i % 3 != 2)
    g_string_append_printf (s, "\"raw\":\"%s\",", i % 2 ? "AAEC/w==" : "");
  if (i % 4 != 3)
    g_string_append_printf (s, "\"ok\":%s,", i % 3 ? "true" : "false");
  if (i % 6 != 4)
    g_string_append_printf (s, "\"i\":%d,", (int) i * 7919 - 100000);
  if (i % 5 != 2)
    g_string_append_printf (s, "\"n\":%" G_GINT64_FORMAT ",",
                            (gint64) i * G_GINT64_CONSTANT (1000000007) - 5);
  if (i % 8 != 3)
    g_string_append_printf (s, "\"f\":%u.25,", i);
  if (i % 9 != 5)
    g_string_append_printf (s, "\"price\":%u.%02u,", i, i % 90 + 1);
  if (i % 4 != 2)
    g_string_append_printf (s, "\"at\":\"2024-02-29T%02u:00:00.%06uZ\",", i % 24, i % 1000 + 1);
  if (i % 5 != 3)
    g_string_append_printf (s, "\"tags\":[%s],",
                            i % 3 == 0   ? ""
                            : i % 3 == 1 ? "\"新品\",null"
                                         : "\"a\",\"\",\"b\"");
  if (i % 6 != 1)
    g_string_append_printf (
        s, "\"turns\":[{\"role\":\"user\",\"n\":%u},null,{\"role\":null,\"n\":1}],", i);
  if (i % 7 != 4)
    g_string_append_printf (s, "\"size\":{\"w\":%u,\"h\":null,\"marks\":[%u]},", i, i);
  if (i % 3 != 1)
    g_string_append (s, i % 2 ? "\"grid\":[[true,null],[],null]," : "\"grid\":[],");
  if (s->str[s->len - 1] == ',')
    g_string_truncate (s, s->len - 1);
  g_string_append_c (s, '}');
  return g_string_free (s, FALSE);
}

/* @json: objects, one after the other; ' for " unless @exact. */
static inline FrBatch *
rows_read (const char *columns, const char *json, gboolean exact)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (columns, &error);
  g_autoptr (FrBuilder) builder = NULL;
  g_autofree char *text = g_strdup (json);
  FrJsonReader r;
  FrJsonToken token;
  FrBatch *batch;

  g_assert_no_error (error);
  builder = fr_builder_new (schema);
  if (!exact)
    g_strdelimit (text, "'", '"');
  fr_json_reader_init (&r, text, strlen (text), FR_JSON_MANY);
  for (guint64 i = 1; (token = fr_json_reader_next (&r)) != FR_JSON_END; i++)
    {
      fr_json_read_row (&r, token, builder, NULL, &error);
      g_assert_no_error (error);
      fr_builder_end_row (builder, (FrRowId){ i, 1, 0 });
      fr_json_reader_reset (&r, r.pos, (gsize) (r.end - r.pos));
    }
  fr_json_reader_clear (&r);
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  fr_batch_validate (batch, &error);
  g_assert_no_error (error);
  return batch;
}

static inline FrBatch *
rows_batch (const char *columns, const char *json)
{
  return rows_read (columns, json, FALSE);
}

/* @n rows of ROWS_ALL. */
static inline FrBatch *
rows_all (guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *row = rows_sample (i);

      g_string_append (text, row);
      g_string_append_c (text, '\n');
    }
  return rows_read (ROWS_ALL, text->str, TRUE);
}

/* All rows, one a line. */
static inline char *
rows_text (const FrBatch *batch)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < fr_batch_n_rows (batch); i++)
    {
      fr_batch_append_json (batch, i, FALSE, out);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}

static inline void
rows_assert_valid (const FrBatch *batch)
{
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (batch);
  fr_batch_validate (batch, &error);
  g_assert_no_error (error);
}

/* Same schema, rows and ids. */
static inline void
rows_assert_equal (const FrBatch *a, const FrBatch *b)
{
  g_autofree char *ta = rows_text (a), *tb = rows_text (b);

  g_assert_true (fr_schema_equal (fr_batch_schema (a), fr_batch_schema (b)));
  g_assert_cmpuint (fr_batch_n_rows (a), ==, fr_batch_n_rows (b));
  g_assert_cmpstr (ta, ==, tb);
  for (gsize i = 0; i < fr_batch_n_rows (a); i++)
    g_assert_true (fr_row_id_equal (fr_batch_ids (a)[i], fr_batch_ids (b)[i]));
}

#endif
