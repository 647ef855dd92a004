/* SPDX-License-Identifier: Apache-2.0 */
/* test-expr.c: the expression language by itself. */
#include "config.h"

#include <flowrun/json.h>

#include "expr.h"

/* Three rows: whole, all null, odd. */
static FrBatch *
sample (void)
{
  static const char *const rows[] = {
    "{\"name\":\"Tea "
    "Cup\",\"price\":12,\"weight\":0.5,\"sale\":true,\"商品名\":\"茶杯很好\",\"added\":"
    "\"2024-02-01T00:00:00Z\","
    "\"shop\":{\"city\":\"上海\"},\"tags\":[\"a\",\"b\"],\"odd.name\":\"x\",\"small\":7}",
    "{\"name\":null,\"price\":null,\"weight\":null,\"sale\":null,\"商品名\":null,\"added\":"
    "null,\"shop\":null,\"tags\":null,"
    "\"odd.name\":null,\"small\":null}",
    "{\"name\":\"\",\"price\":-3,\"weight\":1e300,\"sale\":false,\"商品名\":\"　Ａ👍🏽 "
    "\",\"added\":\"1969-12-31T23:59:59Z\","
    "\"shop\":{\"city\":null},\"tags\":[],\"odd.name\":\"it's\",\"small\":-7}"
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (
      "name: utf8, price: int64, weight: float64, sale: bool, 商品名: large_utf8, added: "
      "timestamp, "
      "shop: struct<city: utf8>, tags: list<utf8>, \"odd.name\": utf8, small: int32",
      &error);
  g_autoptr (FrBuilder) builder = NULL;
  FrBatch *batch;

  g_assert_no_error (error);
  builder = fr_builder_new (schema);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      FrJsonReader r;

      fr_json_reader_init (&r, rows[i], strlen (rows[i]), 0);
      g_assert_true (fr_json_read_row (&r, fr_json_reader_next (&r), builder, NULL, &error));
      g_assert_no_error (error);
      fr_json_reader_clear (&r);
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  return batch;
}

/* What became of the three rows, one letter each: F, T, N(ull), H(ard), O(verflow). */
static char *
evaluate (const char *text, GError **error)
{
  g_autoptr (FrBatch) batch = sample ();
  g_autoptr (Expr) expr = expr_new (text, error);
  g_autoptr (ExprScratch) scratch = NULL;
  guint8 result[3];
  char *out;

  if (expr == NULL || !expr_bind (expr, fr_batch_schema (batch), error))
    return NULL;
  scratch = expr_scratch_new (expr);
  expr_run (expr, scratch, batch, result);
  /* A second batch must not see anything of the first. */
  expr_run (expr, scratch, batch, result);
  out = g_malloc0 (4);
  for (guint i = 0; i < 3; i++)
    out[i] = "FTNHO"[result[i]];
  return out;
}

static void
test_values (void)
{
  static const struct
  {
    const char *text, *want;
  } cases[] = {
    { "price = 12", "TNF" },
    { "price == 12 AND weight < 1", "TNF" },
    { "12 > price", "FNT" },
    { "price + 1 = 13", "TNF" },
    { "price - -3 = 0", "FNT" },
    { "price * 2 >= 24.0", "TNF" },
    { "-price = 3", "FNT" },
    { "price / 0 is null", "TTT" },
    { "price / 8 = 1.5", "TNF" },
    { "price * 9223372036854775807 > 0", "ONO" },
    { "sale or price * 9223372036854775807 > 0", "TNO" },
    { "small = 7", "TNF" },
    { "small in (7, -7)", "TNT" },
    { "small in (7.0, 1)", "TNF" },
    { "price not in (12, 13)", "FNT" },
    { "name in ('Tea Cup', 'x')", "TNF" },
    { "name not in ('x', '')", "TNF" },
    { "sale", "TNF" },
    { "not sale", "FNT" },
    { "sale = true", "TNF" },
    { "sale != true", "FNT" },
    { "true", "TTT" },
    { "null", "NNN" },
    { "not null", "NNN" },
    { "sale and null", "NNF" },
    { "null and sale", "NNF" },
    { "sale or null", "TNN" },
    { "null or sale", "TNN" },
    { "name is null", "FTF" },
    { "name is not null", "TFT" },
    { "name is null or name = ''", "FTT" },
    { "length(商品名) = 4", "TNF" },
    { "length(商品名) = 5", "FNT" },
    { "bytes(商品名) = 12", "TNF" },
    { "length(tags) = 2", "TNF" },
    { "tags is null", "FTF" },
    { "shop.city = '上海'", "TNN" },
    { "shop.city is null", "FTT" },
    { "shop is null", "FTF" },
    { "`odd.name` = 'it''s'", "FNT" },
    { "`odd.name` = 'it\\'s'", "FNT" },
    { "`odd.name` = \"it's\"", "FNT" },
    { "lower(name) = 'tea cup'", "TNF" },
    { "upper(name) = 'TEA CUP'", "TNF" },
    { "lower(商品名) = '　ａ👍🏽 '", "FNT" },
    { "trim(商品名) = 'Ａ👍🏽'", "FNT" },
    { "trim(name) = ''", "FNT" },
    { "contains(商品名, '很')", "TNF" },
    { "contains(商品名, '\\u5f88')", "TNF" },
    { "contains(商品名, '\\ud83d\\udc4d')", "FNT" },
    { "contains(name, '')", "TNT" },
    { "starts_with(商品名, '茶')", "TNF" },
    { "ends_with(name, 'Cup')", "TNF" },
    { "name < 'a'", "TNT" },
    { "name >= 'Tea'", "TNF" },
    { "coalesce(name, 'none') = 'none'", "FTF" },
    { "coalesce(price, 0) = 0", "FTF" },
    { "coalesce(price, 0.5) = 0.5", "FTF" },
    { "coalesce(null, sale, false)", "TFF" },
    { "coalesce(added, null) is null", "FTF" },
    { "added >= '2024-01-01'", "TNF" },
    { "'1970-01-01' > added", "FNT" },
    { "added in ('2024-02-01', '2024-02-02')", "TNF" },
    { "((price)) > ((1 + 1)) * 2", "TNF" },
    { "1 + 2 * 3 = 7 and 10 - 2 - 3 = 5 and not 1 > 2", "TTT" },
    { "not price = 12 and sale", "FNF" },
    { "price = 12 or sale and false", "TNF" },
#ifdef HAVE_PCRE2
    { "matches(商品名, '^茶.{3}$')", "TNF" },
    { "matches(商品名, '\\p{Han}+')", "TNF" },
    { "matches(name, '\\bcup')", "FNF" },
    { "matches(name, '(?i)\\bcup')", "TNF" },
    { "matches(name, '^$')", "FNT" },
    { "sale and matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac', '^(a|aa)+$')", "HHF" },
#endif
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *got = evaluate (cases[i].text, &error);

      g_assert_no_error (error);
      if (g_strcmp0 (got, cases[i].want) != 0)
        g_test_message ("%s", cases[i].text);
      g_assert_cmpstr (got, ==, cases[i].want);
    }
}

static void
test_errors (void)
{
  static const struct
  {
    const char *text, *want;
  } cases[] = {
    { "", "at character 1: the expression is empty" },
    { "price >", "at character 8: expected a column, a value or '('" },
    { "pric > 1", "at character 1: there is no column 'pric'; did you mean 'price'?" },
    { "商品 = 'x' ", "at character 1: there is no column '商品'" },
    { "shop.cty = 'x'", "did you mean 'city'?" },
    { "odd.name = 'x'", "for the column 'odd.name' write `odd.name`" },
    { "name.x = 1", "'name' has no members" },
    { "name = 3", "at character 6: cannot compare text with a number" },
    { "name = null", "write 'is null'" },
    { "lenght(name) > 1", "did you mean 'length'?" },
    { "length(name, 2) > 1", "takes 1 value, not 2" },
    { "length(price) > 1", "at character 8: length() works on text, not on a number" },
    { "length(name)", "it must say true or false" },
    { "price && sale", "at character 7: there is no '&'" },
    { "name = 'abc", "is never closed" },
    { "price > 1 price", "expected 'and', 'or' or the end, found 'price'" },
    { "(price > 1", "expected ')', found the end" },
    { "price in (1, name)", "holds values, not columns" },
    { "price in ('a')", "cannot compare a number with text" },
    { "added > 'soon'", "'soon' is not a time" },
    { "sale > true", "have no order" },
    { "price and sale", "'and' needs true or false here" },
    { "99999999999999999999 > 1", "too large" },
    { "1price > 1", "a name cannot begin with a digit" },
    { "price # 1", "'#' means nothing here" },
    { "name = '\\ud800'", "names no character" },
    { "tags = 1", "cannot compare" },
    { "name + 1 = 2", "works on numbers, not on text" },
#ifdef HAVE_PCRE2
    { "matches(name, name)", "must be written as a text" },
    { "matches(name, 'a(b')", "the regular expression is wrong" },
#endif
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *got = evaluate (cases[i].text, &error);

      g_assert_null (got);
      g_assert_nonnull (error);
      if (strstr (error->message, cases[i].want) == NULL)
        g_error ("%s: %s", cases[i].text, error->message);
    }
}

static void
test_depth (void)
{
  g_autofree char *deep = g_strnfill (100000, '(');
  g_autoptr (GString) chain = g_string_new ("price = 0"), fits = g_string_new ("price = 0");
  g_autoptr (GError) error = NULL;
  g_autofree char *none = evaluate (deep, &error), *chained = NULL, *fine = NULL;

  g_assert_null (none);
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  for (guint i = 0; i < 2000; i++)
    g_string_append_printf (chain, " or price = %u", i);
  chained = evaluate (chain->str, &error);
  g_assert_null (chained);
  g_assert_nonnull (strstr (error->message, "deeper"));
  g_clear_error (&error);
  for (guint i = 1; i < 400; i++)
    g_string_append_printf (fits, " or price = %u", i);
  fine = evaluate (fits->str, &error);
  g_assert_cmpstr (fine, ==, "TNF");
}

/* At least two million simple rows a second is the aim; the test only shows the figure. */
static void
test_speed (void)
{
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("text", FR_TYPE_UTF8, "n", FR_TYPE_INT64, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (Expr) expr
      = expr_new ("length(text) >= 10 and n > 100 and not contains(text, '广告')", NULL);
  g_autoptr (FrBatch) batch = NULL;
  g_autoptr (ExprScratch) scratch = NULL;
  guint8 result[4096];
  gint64 start, n = 0;

  for (guint i = 0; i < 4096; i++)
    {
      const char *text = "这个杯子很好看，用了一个月没有掉色，客服也很有耐心。";

      fr_cells_append_str (fr_builder_cells (builder, 0), text, strlen (text));
      fr_cells_append_int (fr_builder_cells (builder, 1), i);
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  batch = fr_builder_finish (builder, NULL);
  g_assert_true (expr_bind (expr, schema, NULL));
  scratch = expr_scratch_new (expr);
  start = g_get_monotonic_time ();
  while (g_get_monotonic_time () - start < 200000)
    {
      expr_run (expr, scratch, batch, result);
      n += 4096;
    }
  g_test_message ("%.1f million rows/s", (double) n / (double) (g_get_monotonic_time () - start));
  g_assert_cmpint (result[4095], ==, EXPR_TRUE);
  g_assert_cmpint (result[0], ==, EXPR_FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/expr/values", test_values);
  g_test_add_func ("/expr/errors", test_errors);
  g_test_add_func ("/expr/depth", test_depth);
  g_test_add_func ("/expr/speed", test_speed);
  return g_test_run ();
}
