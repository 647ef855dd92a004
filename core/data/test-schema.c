/* SPDX-License-Identifier: Apache-2.0 */
/* test-schema.c: fields, schemas and their text form. */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/schema.h>
#include <string.h>

static void
test_types (void)
{
  g_autofree char *three = fr_types_describe (FR_TYPES_TEXT | FR_TYPES (FR_TYPE_BINARY));
  g_autofree char *any = fr_types_describe (FR_TYPES_ANY);
  g_autofree char *one = fr_types_describe (FR_TYPES (FR_TYPE_BOOL));

  for (guint t = FR_TYPE_BOOL; t <= FR_TYPE_STRUCT; t++)
    g_assert_cmpint (fr_type_from_name (fr_type_name ((FrType) t)), ==, t);
  g_assert_cmpint (fr_type_from_name ("string"), ==, 0);
  g_assert_cmpstr (three, ==, "utf8, large_utf8 or binary");
  g_assert_cmpstr (one, ==, "bool");
  g_assert_cmpstr (any, ==, "any type");
}

static void
check_text (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (text, &error), again = NULL;
  g_autofree char *described = NULL;

  g_assert_no_error (error);
  described = fr_schema_describe (schema);
  g_assert_cmpstr (described, ==, expected);
  again = fr_schema_parse (described, &error);
  g_assert_no_error (error);
  g_assert_true (fr_schema_equal (schema, again));
}

static void
test_text (void)
{
  check_text ("", "");
  check_text ("name:utf8", "name: utf8");
  check_text (" name : utf8 ,价格:float64,\n tags: list < utf8 > ",
              "name: utf8, 价格: float64, tags: list<utf8>");
  check_text ("m: list<struct<role: utf8, content: large_utf8, deep: struct<>>>",
              "m: list<struct<role: utf8, content: large_utf8, deep: struct<>>>");
  check_text ("\"a b\": bool, \"x\\\"\\u4e2d:,<>\": timestamp, \"plain\": int32",
              "\"a b\": bool, \"x\\\"中:,<>\": timestamp, plain: int32");
}

static void
check_refused (const char *text, const char *because)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (fr_schema_parse (text, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  if (strstr (error->message, because) == NULL)
    g_error ("'%s' should say '%s', but says '%s'", text, because, error->message);
}

static void
test_text_refused (void)
{
  g_autoptr (GString) deep = g_string_new ("a: ");

  check_refused ("name", "':' and a type");
  check_refused ("name: ", "is no type");
  check_refused ("name: utf9", "did you mean 'utf8'");
  check_refused ("名字: utf8 x", "character 10: expected ',' or the end");
  check_refused ("a: list", "'<'");
  check_refused ("a: list<utf8", "'>'");
  check_refused ("a: list<utf8, utf8>", "'>'");
  check_refused ("a: struct<x: utf8, x: utf8>", "'x' appears twice");
  check_refused ("a: utf8, a: bool", "'a' appears twice");
  check_refused ("a: utf8,", "a name");
  check_refused ("\"open: utf8", "a name in quotes");
  check_refused ("\"nul\\u0000\": utf8", "a name in quotes");
  check_refused ("\xff: utf8", "UTF-8");
  for (guint i = 0; i < 5000; i++)
    g_string_append (deep, "list<");
  check_refused (deep->str, "fewer types");
}

static void
test_field_text (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrField) field = fr_field_parse ("any name: at all", "list<int32>", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (fr_field_name (field), ==, "any name: at all");
  g_assert_cmpint (fr_field_type (field), ==, FR_TYPE_LIST);
  g_assert_cmpint (fr_field_type (fr_field_child (field, 0)), ==, FR_TYPE_INT32);
  g_assert_null (fr_field_parse ("a", "int32, b: utf8", &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
}

static void
test_same_name (void)
{
  g_autoptr (GError) error = NULL;

  for (guint n = 2; n < 40; n += 19) /* below and above the hashed search */
    {
      g_autofree FrField **fields = g_new (FrField *, n);

      for (guint i = 0; i < n; i++)
        {
          g_autofree char *name = g_strdup_printf ("列%u", i % (n - 1));

          fields[i] = fr_field_new (name, FR_TYPE_UTF8);
        }
      g_assert_null (fr_schema_new (fields, n, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_TYPE);
      g_assert_nonnull (strstr (error->message, "'列0'"));
      g_clear_error (&error);
    }
}

static void
test_find (void)
{
  for (guint n = 1; n < 60; n += 14)
    {
      g_autoptr (GPtrArray) fields = g_ptr_array_new ();
      g_autoptr (FrSchema) schema = NULL;
      g_auto (GStrv) names = NULL;

      for (guint i = 0; i < n; i++)
        {
          g_autofree char *name = g_strdup_printf ("c%u", i);

          g_ptr_array_add (fields, fr_field_new (name, FR_TYPE_INT32));
        }
      schema = fr_schema_new ((FrField *const *) fields->pdata, n, NULL);
      names = fr_schema_names (schema);
      g_assert_cmpuint (g_strv_length (names), ==, n);
      for (guint i = 0; i < n; i++)
        {
          g_assert_cmpint (fr_schema_find (schema, names[i]), ==, i);
          for (guint hint = 0; hint <= n; hint++)
            g_assert_cmpint (fr_schema_find_len (schema, names[i], strlen (names[i]), hint), ==, i);
        }
      g_assert_cmpint (fr_schema_find (schema, "c"), ==, -1);
      g_assert_cmpint (fr_schema_find_len (schema, "c0x", 1, 0), ==, -1);
      g_assert_cmpint (fr_schema_find_len (schema, "c0\0", 3, 0), ==, -1);
      g_assert_cmpint (fr_schema_find_len (schema, "", 0, 0), ==, -1);
    }
}

static void
test_with (void)
{
  g_autoptr (FrSchema) a = fr_schema_new_simple ("x", FR_TYPE_UTF8, "y", FR_TYPE_BOOL, NULL);
  g_autoptr (FrSchema) b = fr_schema_with (a, fr_field_new ("x", FR_TYPE_INT64));
  g_autoptr (FrSchema) c = fr_schema_with (b, fr_field_new ("z", FR_TYPE_FLOAT32));
  g_autoptr (FrSchema) d = fr_schema_without (c, "y");
  g_autoptr (FrSchema) e = fr_schema_without (d, "nothing");
  g_autofree char *text = fr_schema_describe (c), *less = fr_schema_describe (d);

  g_assert_cmpstr (text, ==, "x: int64, y: bool, z: float32");
  g_assert_cmpstr (less, ==, "x: int64, z: float32");
  g_assert_true (fr_schema_equal (d, e));
  g_assert_false (fr_schema_equal (a, b));
}

static void
test_renamed (void)
{
  g_autoptr (FrField) a = fr_field_parse ("a", "struct<x: list<utf8>>", NULL);
  g_autoptr (FrField) same = fr_field_renamed (a, "a"), b = fr_field_renamed (a, "b");

  g_assert_true (same == a);
  g_assert_cmpstr (fr_field_name (b), ==, "b");
  g_assert_false (fr_field_equal (a, b));
  g_assert_true (fr_field_equal (fr_field_child (a, 0), fr_field_child (b, 0)));
}

static void
test_suggest (void)
{
  const char *const words[] = { "transform.clean", "transform.dedup", "类别", NULL };

  g_assert_cmpstr (fr_suggest ("transform.claen", words), ==, "transform.clean");
  g_assert_cmpstr (fr_suggest ("类型", words), ==, "类别");
  g_assert_null (fr_suggest ("sink.csv", words));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schema/types", test_types);
  g_test_add_func ("/schema/text", test_text);
  g_test_add_func ("/schema/text-refused", test_text_refused);
  g_test_add_func ("/schema/field-text", test_field_text);
  g_test_add_func ("/schema/same-name", test_same_name);
  g_test_add_func ("/schema/find", test_find);
  g_test_add_func ("/schema/with", test_with);
  g_test_add_func ("/schema/renamed", test_renamed);
  g_test_add_func ("/schema/suggest", test_suggest);
  return g_test_run ();
}
