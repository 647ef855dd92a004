/* SPDX-License-Identifier: Apache-2.0 */
/* test-template.c: templates over every type of cell, and what is wrong with wrong ones. */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>

#include "text/template.h"

static FrBatch *
sample (void)
{
  static const char *const rows[] = {
    "{\"name\":\"保温杯\",\"price\":59.9,\"n\":3,\"ok\":true,\"at\":\"2024-05-01T08:30:00Z\","
    "\"tags\":[\"a\",\"b\"],"
    "\"address\":{\"city\":\"杭州\",\"no\":7},\"odd | name\":\"x\",\"a.b\":\"dot\"}",
    "{\"name\":\"  \",\"tags\":[]}",
    "{\"name\":\"n\",\"address\":{\"city\":\"\",\"no\":null}}",
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (
      "name: utf8, price: float64, n: int64, ok: bool, at: timestamp, tags: list<utf8>, "
      "address: struct<city: utf8, no: int32>, \"odd | name\": utf8, a.b: utf8",
      &error);
  g_autoptr (FrBuilder) builder = NULL;
  FrBatch *batch;

  g_assert_no_error (error);
  builder = fr_builder_new (schema);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      FrJsonReader r;

      fr_json_reader_init (&r, rows[i], strlen (rows[i]), 0);
      fr_json_read_row (&r, fr_json_reader_next (&r), builder, NULL, &error);
      g_assert_no_error (error);
      fr_json_reader_clear (&r);
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  return batch;
}

typedef struct
{
  const char *tmpl;
  gsize row;
  const char *text, *missing;
} Case;

static const Case cases[] = {
  { "", 0, "", NULL },
  { "{name}，{price} 元", 0, "保温杯，59.9 元", NULL },
  { "{ name }/{n}/{ok}/{at}/{tags}/{address}", 0,
    "保温杯/3/true/2024-05-01T08:30:00Z/[\"a\",\"b\"]/{\"city\":\"杭州\",\"no\":7}", NULL },
  { "{address.city}{address.no}{a.b}{'odd | name'}", 0, "杭州7dotx", NULL },
  { "{{\"k\": \"{n}\"}}", 0, "{\"k\": \"3\"}", NULL },
  { "{name|无}{price|}", 1, "无", NULL },
  { "{name|{{}}}", 1, "{}", NULL },
  { "a[[, {name}]]b[[{tags}]]", 1, "ab", NULL },
  { "a[[, {name}[[ {price} 元]]]]b", 0, "a, 保温杯 59.9 元b", NULL },
  { "a[[, {name}[[ {price} 元]]]]b", 2, "a, nb", NULL },
  { "[[{name}{price|-}]]", 2, "n-", NULL },
  { "\\[[x\\]] [1] \\n", 0, "[[x]] [1] \\n", NULL },
  { "x{price}", 1, NULL, "price" },
  { "{address.no}", 2, NULL, "address.no" },
  { "{address.city}", 1, NULL, "address.city" },
};

static void
check_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (FrBatch) batch = sample ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TextTemplate) tmpl = text_template_new (c->tmpl, &error);
  g_autoptr (GString) out = g_string_new ("=");
  const char *missing = NULL;
  FrView views[16];

  g_assert_no_error (error);
  text_template_bind (tmpl, fr_batch_schema (batch), &error);
  g_assert_no_error (error);
  for (guint i = 0; i < fr_batch_n_columns (batch); i++)
    views[i] = fr_view (batch, i);
  g_assert_cmpint (text_template_render (tmpl, views, c->row, out, &missing), ==, c->text != NULL);
  g_assert_cmpstr (out->str + 1, ==, c->text ? c->text : "");
  g_assert_cmpstr (missing, ==, c->missing);
}

static void
check_wrong (void)
{
  static const char *const wrong[][2] = {
    { "中{name", "character 2:" }, { "{}", "column's name" },    { "a}b", "character 2:" },
    { "[[x]]", "no column" },      { "[[{a}", "expected ']]'" }, { "a]]", "closes no section" },
    { "{'a}", "does not end" },    { "{a|b{c}", "plain text" },  { "[[{a|}]]", "no column" },
    { "{a{b}", "expected '}'" },   { "\xff", "not UTF-8" },      { "{a|b", "not closed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TextTemplate) tmpl = text_template_new (wrong[i][0], &error);

      g_assert_null (tmpl);
      g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, wrong[i][1]));
    }
}

static void
check_bind (void)
{
  g_autoptr (FrBatch) batch = sample ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TextTemplate) tmpl = text_template_new ("{name} {name} {prise}", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length ((char **) text_template_columns (tmpl)), ==, 2);
  g_assert_false (text_template_bind (tmpl, fr_batch_schema (batch), &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
  g_assert_nonnull (strstr (error->message, "did you mean 'price'"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("/template/case/%02u", i);

      g_test_add_data_func (name, &cases[i], check_case);
    }
  g_test_add_func ("/template/wrong", check_wrong);
  g_test_add_func ("/template/bind", check_bind);
  return g_test_run ();
}
