/* SPDX-License-Identifier: Apache-2.0 */
/* test-html.c: HTML to text, against examples, against the html5lib tokeniser
 * tests where they lie, and against itself for idempotence and speed. */
#include "config.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "text/html.h"

typedef struct
{
  guint flags;
  const char *in, *out;
} Case;

#define LEFT TEXT_HTML_LEFTOVERS

static const Case cases[] = {
  { 0, "", "" },
  { 0, "plain 文本", "plain 文本" },
  { 0, "<b>bold</b> and <i>it</i>", "bold and it" },
  { LEFT, "3 < 5 && a<b, x<y", "3 < 5 && a<b, x<y" },
  { 0, "3 < 5 && a<b", "3 < 5 && a<b" },
  { LEFT, "if a<b and c>d then", "if a<b and c>d then" },
  { LEFT, "<T> vector<int> <me@example.com> <张三>", "<T> vector<int> <me@example.com> <张三>" },
  { 0, "<x-y>a</x-y>", "a" },
  { LEFT, "1.防水<br/>2.防摔<br>3.耐用", "1.防水\n2.防摔\n3.耐用" },
  { LEFT, "第一行\n第二<b>行</b><br />\n第三行", "第一行\n第二行\n第三行" },
  { LEFT, "<p>一段</p><p>二段</p>\n", "一段\n\n二段" },
  { 0, "<div>a</div><div>b<div>c</div></div>", "a\nb\nc" },
  { 0, "<ul><li>一</li><li>二</li></ul>after", "一\n二\nafter" },
  { 0, "<table><tr><th>型号</th><td>A1</td></tr><tr><td>重量<td><p>2 kg</p></table>",
    "型号\tA1\n重量\t2 kg" },
  { 0, "<tr><td></td><td>x</td><td></td><td>y</td></tr>", "x\t\ty" },
  { 0, "<p>中文\n  折行</p>", "中文折行" },
  { 0, "<p>two\n  words</p>", "two words" },
  { 0, "<p>中文\n  word</p>", "中文 word" },
  { 0, "<pre>a\n  b</pre>c", "a\n  b\nc" },
  { 0, "<p>a</p>  <b> b </b> c", "a\n\nb c" },
  { 0, "<a title=\"a>b\" href='x>y'>link</a>", "link" },
  { 0, "<a title=\"never closed>text</a> more", "text more" },
  { LEFT, "<img src=\"https://img.example.com/a.jpg", "" },
  { LEFT, "text</p", "text" },
  { LEFT, "a <b", "a <b" },
  { 0, "a<!-- x > y -->b<!---->c<!-->d<!--->e<!-- f", "abcde" },
  { 0, "a<!-- x --!>b", "ab" },
  { 0,
    "<!DOCTYPE html><html><head><title>T &amp; "
    "t</title><style>p{}</style></head><body>x</body></html>",
    "T & t\nx" },
  { 0, "a<script>if (a<b) '</p>'; </script>b", "ab" },
  { 0, "a<style>p > b {}</STYLE >b", "ab" },
  { 0, "a<script>never closed", "a" },
  { 0, "a<svg><text>no</text></svg>b<noscript>no</noscript>c<template><p>no</p></template>d",
    "abcd" },
  { 0, "a<svg>b", "ab" },
  { 0, "<textarea>a <b> &lt;</textarea>", "a <b> <" },
  { 0, "<xmp>a <b> &lt;</xmp>", "a <b> &lt;" },
  { 0, "a<![CDATA[ <b> &lt; ]]>b", "a <b> &lt; b" },
  { 0, "a<?xml version=\"1.0\"?>b</>c</ d>e", "abce" },
  { LEFT, "<o:p></o:p>x<font color=red face=宋体>y</font>", "xy" },
  { LEFT, "<input disabled>x<p data-v-1a2b3c4d>y", "x\n\ny" },
  { LEFT, "<br<br>x", "<br\nx" },
  { 0, "&lt;b&gt; &amp;lt;", "<b> &lt;" },
  { LEFT, "&lt;p&gt;正文&lt;/p&gt;", "正文" },
  { LEFT, "&amp;amp;lt;br&amp;gt;x &amp;#38;nbsp;", "\nx \u00a0" },
  { LEFT, "&lt;Directory&gt;", "<Directory>" },
  { LEFT, "AT&T R&D a&b ?a=1&section=2&copy=3 &copy; &copy 2024",
    "AT&T R&D a&b ?a=1&section=2&copy=3 © © 2024" },
  { 0, "&notit; &notin; &not; &#x4e2d;&#25991; &#0; &#x80; &#xD800; &#x110000; &#38",
    "¬it; ∉ ¬ 中文 \ufffd € \ufffd \ufffd &" },
  { 0, "&NotEqualTilde; &fjlig; &nosuch; &; &# &#x;", "≂̸ fj &nosuch; &; &# &#x;" },
  { 0, "&nbsp;&ensp;", "\u00a0\u2002" },
  { LEFT, "&am<b>p;lt;</b>i&gt;x</i>", "x" },
};

static void
check_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) twice = g_string_new (NULL);

  text_html_to_text ((FrStr){ c->in, strlen (c->in) }, c->flags, out, NULL);
  g_assert_cmpstr (out->str, ==, c->out);
  if (!(c->flags & LEFT))
    return;
  text_html_to_text ((FrStr){ out->str, out->len }, c->flags, twice, NULL);
  g_assert_cmpstr (twice->str, ==, out->str);
}

static void
check_counts (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  TextHtmlCounts counts = { 0 };

  text_html_to_text (FR_STR ("<p>a&nbsp;b<!-- c --></p>"), 0, out, &counts);
  g_assert_cmpuint (counts.tags, ==, 3);
  g_assert_cmpuint (counts.references, ==, 1);
  g_assert_true (text_html_possible (FR_STR ("a &amp; b")));
  g_assert_true (text_html_possible (FR_STR ("a <b")));
  g_assert_false (text_html_possible (FR_STR ("a & b < c <3")));
}

/* The text of a test, or NULL when it has other tokens than text. */
static char *
expected_text (JsonObject *test)
{
  JsonArray *output = json_object_get_array_member (test, "output");
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (output); i++)
    {
      JsonArray *token = json_array_get_array_element (output, i);

      if (strcmp (json_array_get_string_element (token, 0), "Character") != 0)
        return NULL;
      g_string_append (text, json_array_get_string_element (token, 1));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check_html5lib (gconstpointer name)
{
  const char *base = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path
      = g_build_filename (base ? base : "", "html5lib-tests/tokenizer", name, NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonArray *tests;
  guint n = 0;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("html5lib-tests are not there (FLOWRUN_DATA)");
      return;
    }
  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  tests = json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)),
                                        "tests");
  for (guint i = 0; i < json_array_get_length (tests); i++)
    {
      JsonObject *test = json_array_get_object_element (tests, i);
      const char *input = json_object_get_string_member (test, "input");
      g_autofree char *expected = expected_text (test);
      g_autoptr (GString) out = g_string_new (NULL);

      /* Other states, lone surrogates and text that JSON strings cannot show
       * as C strings are no matter of ours. */
      if (expected == NULL || json_object_has_member (test, "initialStates")
          || json_object_has_member (test, "doubleEscaped") || strlen (input) == 0)
        continue;
      text_html_to_text ((FrStr){ input, strlen (input) }, 0, out, NULL);
      if (strcmp (out->str, expected) != 0)
        g_test_message ("%s: input %s", json_object_get_string_member (test, "description"), input);
      g_assert_cmpstr (out->str, ==, expected);
      n++;
    }
  g_test_message ("%u cases", n);
  g_assert_cmpuint (n, >, 5);
}

/* Hostile repetitions: each must take time in proportion to its length. */
static void
check_linear (gconstpointer data)
{
  const char *unit = data;
  g_autoptr (GString) in = g_string_new (NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) twice = g_string_new (NULL);
  gint64 start = g_get_monotonic_time ();

  while (in->len < 1000000)
    g_string_append (in, unit);
  text_html_to_text ((FrStr){ in->str, in->len }, LEFT, out, NULL);
  text_html_to_text ((FrStr){ out->str, out->len }, LEFT, twice, NULL);
  g_assert_cmpuint (out->len, ==, twice->len);
  g_assert_cmpint (memcmp (out->str, twice->str, out->len), ==, 0);
  g_string_truncate (out, 0);
  text_html_to_text ((FrStr){ in->str, in->len }, 0, out, NULL);
  /* Quadratic would be minutes; a loaded machine under sanitizers is not. */
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * G_USEC_PER_SEC);
}

static void
check_pages (void)
{
  const char *base = g_getenv ("FLOWRUN_DATA");
  g_autofree char *dir = g_build_filename (base ? base : "", "html-httpd-zh/mod", NULL);
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  const char *name;
  guint n = 0;

  if (d == NULL)
    {
      g_test_skip ("html-httpd-zh is not there (FLOWRUN_DATA)");
      return;
    }
  while ((name = g_dir_read_name (d)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autofree char *html = NULL;
      gsize len;
      g_autoptr (GString) out = g_string_new (NULL);
      g_autoptr (GString) twice = g_string_new (NULL);

      if (!g_str_has_suffix (name, ".utf8") || !g_file_get_contents (path, &html, &len, NULL))
        continue;
      text_html_to_text ((FrStr){ html, len }, LEFT, out, NULL);
      text_html_to_text ((FrStr){ out->str, out->len }, LEFT, twice, NULL);
      g_assert_cmpstr (out->str, ==, twice->str);
      g_assert_null (strstr (out->str, "</a>"));
      g_assert_null (strstr (out->str, "&nbsp;"));
      g_assert_nonnull (strstr (out->str, "Apache"));
      n++;
    }
  g_assert_cmpuint (n, >, 0);
}

int
main (int argc, char **argv)
{
  static const char *const files[]
      = { "entities.test", "numericEntities.test", "test1.test" };
  static const char *const hostile[] = { "<",        "<b",        "<b a=\"",  "<b a='<b a=\"",
                                         "<b a=<b ", "<!--",      "<svg>",    "<title>",
                                         "&amp;",    "&",         "&#",       "&amp;lt;b&amp;gt;",
                                         "</",       "<!",        "<?",       "<b c ",
                                         "<script",  "<![CDATA[", "<br <br>", "-<!-" };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("/html/case/%02u", i);

      g_test_add_data_func (name, &cases[i], check_case);
    }
  g_test_add_func ("/html/counts", check_counts);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *name = g_strdup_printf ("/html/html5lib/%s", files[i]);

      g_test_add_data_func (name, files[i], check_html5lib);
    }
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autofree char *name = g_strdup_printf ("/html/linear/%02u", i);

      g_test_add_data_func (name, hostile[i], check_linear);
    }
  g_test_add_func ("/html/pages", check_pages);
  return g_test_run ();
}
