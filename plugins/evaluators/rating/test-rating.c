/* SPDX-License-Identifier: Apache-2.0 */
/* test-rating.c: evaluator.rating, the page and its key; what the page does in a browser is for
 * tests/pipelines/test-rating-page.py. */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

#include "key.h"

#define COLUMNS "input: utf8, olden: utf8, tuned: utf8"
#define ROWS                                                                                       \
  "[{'input': 'q1', 'olden': 'one', 'tuned': 'eins'}, {'input': 'q2', 'olden': 'two', 'tuned': "   \
  "'zwei'}, {'input': 'q3', 'olden': 'three', 'tuned': 'drei'}]"

static char *
plugin_path (void)
{
  return g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "evaluator-rating.so", NULL);
}

static FrTest *
make_test (const char *with, const char *columns, const char *rows)
{
  g_autofree char *plugin = plugin_path ();
  FrTest *t = fr_test_new_file (plugin, "evaluator.rating", with);

  fr_test_input (t, "in", columns, rows);
  return t;
}

static char *
read_file (FrTest *t, const char *name)
{
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), name, NULL);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static RatingKey *
read_key (FrTest *t, const char *name)
{
  g_autofree char *text = read_file (t, name);
  g_autoptr (GError) error = NULL;
  RatingKey *key = rating_key_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  return key;
}

/* What stands in the element "data". */
static JsonObject *
page_data (const char *html, JsonNode **root)
{
  const char *begin = strstr (html, "id=\"data\">"), *end;

  g_assert_nonnull (begin);
  begin += strlen ("id=\"data\">");
  end = strstr (begin, "</script>");
  g_assert_nonnull (end);
  *root = fr_json_parse (begin, end - begin, 0, NULL);
  g_assert_nonnull (*root);
  return json_node_get_object (*root);
}

static void
test_page_and_key (void)
{
  g_autoptr (FrTest) t = make_test (
      "{'systems': ['olden', 'tuned'], 'path': 'page.html', 'repeat': 0.5}", COLUMNS, ROWS);
  g_autoptr (RatingKey) key = NULL;
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *html = NULL;
  g_auto (GStrv) lines = NULL;
  JsonObject *data;
  JsonArray *items;
  guint n_repeats = 0;

  fr_test_run (t);
  html = read_file (t, "page.html");
  key = read_key (t, "page.key.json");
  data = page_data (html, &root);
  g_assert_cmpstr (json_object_get_string_member (data, "page"), ==, key->page);
  items = json_object_get_array_member (data, "items");
  g_assert_cmpuint (json_array_get_length (items), ==, 9);
  g_assert_cmpuint (key->items->len, ==, 9);
  g_assert_cmpuint (key->prompts->len, ==, 3);
  for (guint i = 0; i < 9; i++)
    {
      JsonObject *shown = json_array_get_object_element (items, i);
      guint at = rating_key_find (key, json_object_get_string_member (shown, "id"));
      const RatingItem *item;

      g_assert_cmpuint (at, !=, RATING_NOTHING);
      item = key->items->pdata[at];
      n_repeats += item->repeats != RATING_NOTHING;
      g_assert_cmpstr (json_object_get_string_member (shown, "text"), ==,
                       rating_key_text (key, at));
      g_assert_cmpint (json_object_get_int_member (shown, "p"), ==, item->prompt);
    }
  g_assert_cmpuint (n_repeats, ==, 3);
  /* the key is nowhere on the page */
  g_assert_null (strstr (html, "olden"));
  g_assert_null (strstr (html, "tuned"));
  g_assert_null (strstr (html, "repeats\":null"));
  /* and nothing leads elsewhere */
  g_assert_null (strstr (html, "http://"));
  g_assert_null (strstr (html, "https://"));
  g_assert_null (strstr (html, "src="));
  g_assert_cmpint (fr_test_counter (t, "samples"), ==, 6);
  g_assert_cmpint (fr_test_counter (t, "repeats"), ==, 3);
  /* the same for a table */
  g_assert_cmpuint (fr_test_n_rows (t, "sheet"), ==, 9);
  lines = g_strsplit (fr_test_output (t, "sheet"), "\n", -1);
  for (guint i = 0; i < 9; i++)
    {
      g_autoptr (JsonNode) line = fr_json_parse (lines[i], -1, 0, NULL);
      JsonObject *row = json_node_get_object (line);

      g_assert_cmpstr (json_object_get_string_member (row, "page"), ==, key->page);
      g_assert_cmpstr (json_object_get_string_member (row, "text"), ==,
                       rating_key_text (key, rating_key_find (key, json_object_get_string_member (
                                                                       row, "item"))));
      g_assert_true (json_object_get_null_member (row, "rater"));
      g_assert_true (json_object_get_null_member (row, "fluency"));
    }
}

/* The same bytes for the same seed; with another seed or a secret other ids. */
static void
test_determinism (void)
{
  static const char with[] = "{'systems': ['olden', 'tuned'], 'path': 'page.html'}";
  g_autoptr (FrTest) a = make_test (with, COLUMNS, ROWS), b = make_test (with, COLUMNS, ROWS);
  g_autoptr (FrTest) c = make_test (with, COLUMNS, ROWS);
  g_autoptr (FrTest) d = make_test ("{'systems': ['olden', 'tuned'], 'path': 'page.html', "
                                    "'secret': {'env': 'TEST_RATING_SECRET'}}",
                                    COLUMNS, ROWS);
  g_autofree char *ha = NULL, *hb = NULL, *ka = NULL, *kb = NULL;
  g_autoptr (RatingKey) key_a = NULL, key_c = NULL, key_d = NULL;

  fr_test_set_workers (b, 8);
  fr_test_set_seed (c, 99);
  fr_test_run (a);
  fr_test_run (b);
  fr_test_run (c);
  fr_test_run (d);
  ha = read_file (a, "page.html");
  hb = read_file (b, "page.html");
  ka = read_file (a, "page.key.json");
  kb = read_file (b, "page.key.json");
  g_assert_cmpstr (ha, ==, hb);
  g_assert_cmpstr (ka, ==, kb);
  key_a = read_key (a, "page.key.json");
  key_c = read_key (c, "page.key.json");
  key_d = read_key (d, "page.key.json");
  g_assert_cmpstr (key_a->page, !=, key_c->page);
  g_assert_cmpstr (key_a->page, !=, key_d->page);
  for (guint i = 0; i < key_a->items->len; i++)
    {
      const RatingItem *item = key_a->items->pdata[i];

      g_assert_cmpuint (rating_key_find (key_c, item->id), ==, RATING_NOTHING);
      g_assert_cmpuint (rating_key_find (key_d, item->id), ==, RATING_NOTHING);
    }
}

static void
test_rejects_and_limit (void)
{
  g_autoptr (FrTest) t = make_test (
      "{'systems': ['olden', 'tuned'], 'path': 'p.htm', 'key': "
      "'k.json', 'limit': 2, 'repeat': 0}",
      COLUMNS,
      "[{'input': 'q1', 'olden': 'one', 'tuned': ' \\n'}, {'input': 'q2', 'olden': null, "
      "'tuned': 'b'}, {'input': 'q3', 'olden': 'same', 'tuned': 'same'}, {'input': 'q4', "
      "'olden': 'x', 'tuned': 'y'}, {'input': 'q5', 'olden': 'x', 'tuned': 'y'}]");
  g_autoptr (RatingKey) key = NULL;

  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 2);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "column 'tuned' holds no text"));
  g_assert_cmpint (fr_test_counter (t, "left_out"), ==, 1);
  key = read_key (t, "k.json");
  g_assert_cmpuint (key->prompts->len, ==, 2);
  g_assert_cmpuint (key->items->len, ==, 4);
}

/* Nothing in a text can end the element it lies in, or begin another. */
static void
test_hostile (void)
{
  g_autoptr (FrTest) t
      = make_test ("{'systems': ['a'], 'path': 'page.html', 'title': "
                   "'</title><script>alert(1)</script>', 'criteria': "
                   "[{'name': 'constructor', 'title': '<b>', 'ask': '@DATA@'}], 'repeat': 0}",
                   "input: utf8, a: utf8",
                   "[{'input': '</script><script>alert(1)</script>', 'a': '<!--<script>\\u2028 "
                   "\\\\\\\" ]]> &lt; \\u202e@SCRIPT@\\u0007'}]");
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *html = NULL;
  JsonObject *data;
  guint n = 0;

  fr_test_run (t);
  html = read_file (t, "page.html");
  data = page_data (html, &root);
  for (const char *p = html; (p = strstr (p, "<script")) != NULL; p++)
    n++;
  g_assert_cmpuint (n, ==, 2);
  g_assert_null (strstr (html, "alert(1)</script"));
  g_assert_null (strstr (html, "\xe2\x80\xa8"));
  g_assert_nonnull (strstr (html, "<title>&lt;/title&gt;&lt;script&gt;"));
  g_assert_cmpstr (
      json_object_get_string_member (
          json_array_get_object_element (json_object_get_array_member (data, "items"), 0), "text"),
      ==, "<!--<script>\xe2\x80\xa8 \\\" ]]> &lt; \xe2\x80\xae@SCRIPT@\a");
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *says;
  } cases[] = {
    { "{'systems': ['olden', 'nosuch'], 'path': 'p.html'}", "nosuch" },
    { "{'systems': ['olden', 'olden'], 'path': 'p.html'}", "twice" },
    { "{'systems': ['olden'], 'path': '-'}", "/key" },
    { "{'systems': ['olden'], 'path': 'p.html', 'key': 'p.html'}", "/key" },
    { "{'systems': ['olden'], 'path': 'p.html', 'criteria': ['fluency', 'fluency']}",
      "/criteria/1" },
    { "{'systems': ['olden'], 'path': 'p.html', 'criteria': [{'name': 'rater'}]}", "/criteria/0" },
    { "{'systems': ['olden'], 'path': 'p.html', 'criteria': []}", "/criteria" },
    { "{'systems': ['olden'], 'path': 'p.html', 'criteria': ['charm']}", "/criteria" },
    { "{'systems': ['olden'], 'path': 'p.html', 'criteria': [{'name': 'x', 'anchors': ['a']}]}",
      "/criteria" },
    { "{'systems': ['olden'], 'path': 'p.html', 'repeat': 2}", "/repeat" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = make_test (cases[i].with, COLUMNS, ROWS);

      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].says) == NULL)
        g_test_message ("%s: %s", cases[i].with, fr_test_problems (t));
      g_assert_nonnull (strstr (fr_test_problems (t), cases[i].says));
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t
      = make_test ("{'systems': ['olden', 'tuned'], 'path': 'page.html'}", COLUMNS, ROWS);

  fr_test_battery (t);
}

/* ---- the key ------------------------------------------------------------------------------- */

#define HEAD                                                                                       \
  "{\"flowrun\": \"rating key\", \"version\": 1, \"page\": \"p0123456789abcdef\", \"levels\": 5, " \
  "\"criteria\": "                                                                                 \
  "[\"fluency\"], \"systems\": [\"a\", \"b\"], \"prompts\": [{\"row\": \"r:1\", \"prompt\": "      \
  "\"q\", \"texts\": [\"x\", \"y\"]}], \"items\": ["
#define ITEM(id, prompt, system, repeats)                                                          \
  "{\"item\": \"" id "\", \"prompt\": " #prompt ", \"system\": " #system ", \"repeats\": " repeats \
  ", \"fast\": 2}"

static void
test_key_round_trip (void)
{
  static const char text[] = HEAD ITEM ("s1", 0, 1, "null") ", " ITEM ("s2", 0, 1, "\"s1\"") "]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (RatingKey) key = rating_key_parse (text, strlen (text), &error), again = NULL;
  g_autoptr (GString) first = NULL, second = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (((RatingItem *) key->items->pdata[1])->repeats, ==, 0);
  g_assert_cmpstr (rating_key_text (key, 1), ==, "y");
  first = rating_key_to_json (key);
  again = rating_key_parse (first->str, first->len, &error);
  g_assert_no_error (error);
  second = rating_key_to_json (again);
  g_assert_cmpstr (first->str, ==, second->str);
}

static void
test_key_faults (void)
{
  static const struct
  {
    const char *text, *says;
  } cases[] = {
    { "[]", "not the key" },
    { "{\"flowrun\": 1}", "not the key" },
    { "{\"flowrun\": \"rating key\", \"version\": 2}", "another version" },
    { "{\"flowrun\": \"rating key\", \"version\": 1, \"levels\": 5, \"criteria\": []}",
      "'criteria'" },
    { "{\"flowrun\": \"rating key\", \"version\": 1, \"levels\": 5, \"criteria\": [\"text\"], "
      "\"systems\": [\"a\"]}",
      "'text'" },
    { "{\"flowrun\": \"rating key\", \"version\": 1, \"levels\": 5, \"criteria\": [\"x\"], "
      "\"systems\": [\"a\", \"a\"]}",
      "'systems'" },
    { "{\"flowrun\": \"rating key\", \"version\": 1, \"page\": \"p0123456789abcdef\", \"levels\": "
      "5, \"criteria\": [\"x\"], "
      "\"systems\": [\"a\"]}",
      "missing" },
    { HEAD "1]}", "item 0 has no id" },
    { HEAD ITEM ("s1", 0, 0, "null") "," ITEM ("s1", 0, 1, "null") "]}", "twice" },
    { HEAD ITEM ("s1", 1, 0, "null") "]}", "prompt or system" },
    { HEAD ITEM ("s1", 0, 2, "null") "]}", "prompt or system" },
    { HEAD ITEM ("s1", 0, 0.5, "null") "]}", "prompt or system" },
    { HEAD ITEM ("s1", 0, 0, "1") "]}", "does not say what it repeats" },
    { HEAD ITEM ("s1", 0, 0, "\"s1\"") "]}", "not the same sample" },
    { HEAD ITEM ("s1", 0, 0, "null") "," ITEM ("s2", 0, 1, "\"s1\"") "]}", "not the same sample" },
    { HEAD ITEM ("s1", 0, 0, "null") "," ITEM ("s2", 0, 0, "\"s1\"") "," ITEM ("s3", 0, 0,
                                                                               "\"s2\"") "]}",
      "repeats a repetition" },
    { HEAD "{\"item\": \"s1\", \"prompt\": 0, \"system\": 0, \"repeats\": null, \"fast\": -1}]}",
      "too fast" },
    { HEAD "{\"item\": \"s1\", \"prompt\": 0, \"system\": 0, \"repeats\": null}]}", "too fast" },
    { HEAD, "line 1" },
    { "{\"flowrun\": \"rating key\", \"version\": 1, \"page\": \"p1\", \"levels\": 5, "
      "\"criteria\": [\"x\"], \"systems\": [\"a\"]}",
      "page" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (RatingKey) key = rating_key_parse (cases[i].text, strlen (cases[i].text), &error);

      g_assert_null (key);
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      if (strstr (error->message, cases[i].says) == NULL)
        g_test_message ("case %u: %s", i, error->message);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

int
main (int argc, char **argv)
{
  g_setenv ("TEST_RATING_SECRET", "mellon", TRUE); /* before there are threads */
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rating/page-and-key", test_page_and_key);
  g_test_add_func ("/rating/determinism", test_determinism);
  g_test_add_func ("/rating/rejects-and-limit", test_rejects_and_limit);
  g_test_add_func ("/rating/hostile", test_hostile);
  g_test_add_func ("/rating/problems", test_problems);
  g_test_add_func ("/rating/battery", test_battery);
  g_test_add_func ("/rating/key/round-trip", test_key_round_trip);
  g_test_add_func ("/rating/key/faults", test_key_faults);
  return g_test_run ();
}
