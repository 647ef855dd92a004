/* SPDX-License-Identifier: Apache-2.0 */
/* test-content.c: transform.content under the test kit. */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

#include "details.h"
#include "text/content.h"

static FrTest *
new_test_of (const char *element, const char *with)
{
  const char *dir = g_getenv ("FLOWRUN_PLUGIN_PATH");
  g_autofree char *path
      = g_build_filename (dir ? dir : "plugins/.libs", "transform-content.so", NULL);

  return fr_test_new_file (path, element, with);
}

static FrTest *
new_test (const char *with)
{
  return new_test_of ("transform.content", with);
}

#define MENU "<nav><a href=/>首页</a><a href=/b>新闻</a></nav>"
#define BODY                                                                                                                          \
  "<h1>春季修剪</h1><p>春季修剪应在萌芽之前完成，此时伤口愈合比较快。过晚会消耗养分，所以不要" \
  "拖延。</p><p>先剪弱枝，再剪强枝。</p>"
#define PAGE "<html lang=zh><title>春季修剪_农技网</title>" MENU BODY "<footer>版权所有</footer>"
#define TEXT                                                                                                                             \
  "春季修剪\\n\\n春季修剪应在萌芽之前完成，此时伤口愈合比较快。过晚会消耗养分，所以不要拖延。" \
  "\\n\\n先剪弱枝，再剪强枝。"

static void
check_standard (void)
{
  g_autoptr (FrTest) t = new_test ("{}");
  const char *out;

  fr_test_input (t, "in", "id: int64, html: utf8",
                 "[{'id': 1, 'html': '" PAGE "'}, {'id': 2}, {'id': 3, 'html': ''}, {'id': 4, "
                 "'html': '<script>x</script>'}]");
  fr_test_run (t);
  out = fr_test_output (t, "out");
  g_assert_nonnull (strstr (out, "{\"id\":1,\"text\":\"" TEXT "\",\"title\":\"春季修剪\",\"byline\""
                                 ":null,\"site\":null,\"published\":null,\"language\":\"zh\","
                                 "\"kind\":\"prose\",\"confidence\":"));
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 3);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "\"reject_rule\":\"null\""));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "\"reject_rule\":\"no_content\""));
  g_assert_cmpint (fr_test_counter (t, "pages"), ==, 3);
  g_assert_cmpint (fr_test_counter (t, "prose"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "no_date"), ==, 3);
  g_assert_cmpint (fr_test_counter (t, "dropped_chars"), ==, 8);
}

static void
check_columns (void)
{
  g_autoptr (FrTest) t = new_test (
      "{'column': 'page', 'url': 'from', 'style': 'markdown', 'keep_html': true, 'columns': "
      "{'markdown': 'text', 'when': 'published', 'how': 'date_from', 'to': 'links', 'no': "
      "'noindex', 'n': 'chars', 'left': 'dropped_chars', 'at': 'canonical'}}");

  fr_test_input (
      t, "in", "page: large_utf8, from: utf8",
      "[{'page': '<meta name=robots content=noindex><link rel=canonical href=c>" MENU
      "<h2>一</h2><ul><li>修剪，在春天。</ul><a href=/b#x>b</a><a href=mailto:a@b>m</a>',"
      " 'from': 'https://h.example/2024/05/06/x.html'}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'page': '<meta name=robots content=noindex><link rel=canonical href=c>" MENU
      "<h2>一</h2><ul><li>修剪，在春天。</ul><a href=/b#x>b</a><a href=mailto:a@b>m</a>', "
      "'from': 'https://h.example/2024/05/06/x.html', 'markdown': '## 一\\n\\n-  修剪，在春天。"
      "\\n\\nbm', 'when': '2024-05-06', 'how': 'url', 'to': ['https://h.example/', "
      "'https://h.example/b'], 'no': true, 'n': 10, 'left': 4, 'at': "
      "'https://h.example/2024/05/06/c'}]");
}

static void
check_bytes (void)
{
  g_autoptr (FrTest) t = new_test ("{'charset': 'said', 'columns': {'text': 'text', 'charset': "
                                   "'charset'}}");

  /* 中文正文。 in GB18030 and in UTF-8, as base64. */
  fr_test_input (t, "in", "html: binary, said: utf8",
                 "[{'html': '1tDOxNX9zsSho9bQzsTV/c7EoaM=', 'said': 'gb2312'}, {'html': "
                 "'5Lit5paH5q2j5paH44CC5Lit5paH5q2j5paH44CC', 'said': 'gb2312'}]");
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'said': 'gb2312', 'text': '中文正文。中文正文。', 'charset': 'gb18030'}, "
                  "{'said': 'gb2312', 'text': '中文正文。中文正文。', 'charset': 'utf-8'}]");
  g_assert_cmpint (fr_test_counter (t, "charset.refuted"), ==, 1);
}

static void
check_rejects (void)
{
  static const struct
  {
    const char *with, *html, *rule;
  } cases[] = {
    { "{'min_chars': 1000}", PAGE, "min_chars" },
    { "{'max_bytes': 20}", PAGE, "too_large" },
    { "{'noindex': 'reject'}", "<meta name=robots content=none>" BODY, "noindex" },
    { "{'lists': 'reject'}",
      "<h2>通知</h2><ul><li><a href=1>关于春季修剪的通知</a><li><a href=2>关于病虫防治的通知</a>"
      "<li><a href=3>关于果园灌溉的通知</a></ul>",
      "list" },
    { "{'lists': 'reject'}", PAGE, NULL },
    { "{'noindex': 'reject'}", PAGE, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_test (cases[i].with);
      g_autofree char *rows = g_strdup_printf ("[{'html': '%s'}]", cases[i].html);

      fr_test_input (t, "in", "html: utf8", rows);
      fr_test_run (t);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, cases[i].rule == NULL);
      if (cases[i].rule != NULL)
        {
          g_autofree char *want = g_strdup_printf ("\"reject_rule\":\"%s\"", cases[i].rule);

          g_assert_nonnull (strstr (fr_test_output (t, "rejects"), want));
        }
    }
}

static void
check_explain (void)
{
  g_autoptr (FrTest) t = new_test ("{'explain': 'why', 'keep': 'whole', 'columns': {'t': 'text'}}");
  const char *out;

  fr_test_input (t, "in", "html: utf8", "[{'html': '" PAGE "'}]");
  fr_test_run (t);
  out = fr_test_output (t, "out");
  g_assert_nonnull (strstr (out, "\"t\":\"首页新闻\\n\\n" TEXT "\\n\\n版权所有\""));
  g_assert_nonnull (strstr (out, "phrase -5.00"));
  g_assert_nonnull (strstr (out, "named-bad -6.00"));
}

static void
check_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = {
    { "{}", "there is a column 'title' already; name another in 'columns'" },
    { "{'columns': {'a': 'titel'}}",
      "a page has no 'titel' (did you mean 'title'?); it has: text" },
    { "{'columns': {'title': 'text'}}", "there is a column 'title' already" },
    { "{'columns': {}}", "no column is asked for" },
    { "{'columns': {'t': 'text'}, 'explain': 'title'}", "name another in 'explain'" },
    { "{'columns': {'t': 'text'}, 'charset': 'title'}", "is text, which is UTF-8 already" },
    { "{'column': 'htm'}", "html" },
    { "{'columns': {'t': 'text'}, 'style': 'html'}", "style" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_test (cases[i].with);

      fr_test_input (t, "in", "html: utf8, title: utf8", "[{'html': 'a'}]");
      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].want) == NULL)
        g_error ("%s: %s", cases[i].with, fr_test_problems (t));
    }
}

/* The manual's table of features is the model's. */
static void
check_manual (void)
{
  const char *name, *why;
  double weight;
  guint n = 0;

  for (; text_content_feature (n, &name, &weight, &why); n++)
    {
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      g_autofree char *row = g_strdup_printf (
          "| %s | %s |", name, g_ascii_formatd (number, sizeof number, "%g", weight));

      if (strstr (details, row) == NULL)
        g_error ("the manual lacks '%s'", row);
    }
  g_assert_cmpuint (n, >, 10);
}

static void
check_battery (void)
{
  g_autoptr (FrTest) t = new_test ("{'url': 'u', 'explain': 'why', 'columns': {'a': 'text', 'b': "
                                   "'links', 'c': 'confidence', 'd': 'noindex'}}");

  fr_test_input (t, "in", "html: utf8, u: utf8",
                 "[{'html': '" PAGE "', 'u': 'http://a.example/'}, {'html': '<p>x'}, {}]");
  fr_test_battery (t);
}

/* ---- transform.site_lines ---------------------------------------------------- */

#define ROW(host, text) "{'text': '" text "', 'url': 'https://" host "/x'}"

static void
check_site_lines (void)
{
  g_autoptr (FrTest) t = new_test_of ("transform.site_lines", "{'min_pages': 4, 'share': 0.5}");

  fr_test_input (
      t, "in", "text: utf8, url: utf8",
      "[" ROW ("a", "登录 | 注册\\n\\n一。\\n\\n扫码") ", " ROW ("A", " 登录 | 注册\\n二。\\n二。") ", " ROW (
          "a",
          "登录 | 注册\\n三。\\n扫码") ", " ROW ("b",
                                                 "登录 | 注册\\n四。") ", " ROW ("a",
                                                                                 "五。\\n\\n扫码\\n"
                                                                                 "\\n一。") ","
                                                                                            " " ROW ("a",
                                                                                                     "登录 | 注册") "]");
  fr_test_input (t, "in", "text: utf8, url: utf8",
                 "[{'text': '登录 | 注册', 'url': 'none'}, {'url': 'https://a/'}, {'text': 'x'}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[" ROW ("a", "一。") ", " ROW ("A", "二。\\n二。") ", " ROW ("a", "三。") ", " ROW (
          "b", "登录 | 注册\\n四。") ", " ROW ("a", "五。\\n\\n一。") ", {'text': '登录 | 注册', "
                                                                      "'url': 'none'}, {'text': "
                                                                      "null, 'url': 'https://a/'}, "
                                                                      "{'text': 'x', "
                                                                      "'url': null}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "dropped_lines"), ==, 7);
  g_assert_cmpint (fr_test_counter (t, "changed_rows"), ==, 5);
  g_assert_cmpint (fr_test_counter (t, "no_host"), ==, 2);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (fr_test_report (t, "lines"))), ==,
                    2);
}

static void
check_site_lines_battery (void)
{
  g_autoptr (FrTest) t = new_test_of ("transform.site_lines", "{'min_pages': 2}");

  fr_test_input (t, "in", "text: utf8, url: utf8",
                 "[" ROW ("a", "一\\n菜单") ", " ROW ("a", "二\\n菜单") "]");
  fr_test_input (t, "in", "text: utf8, url: utf8", "[" ROW ("a", "菜单\\n三") ", {}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/content/standard", check_standard);
  g_test_add_func ("/content/columns", check_columns);
  g_test_add_func ("/content/bytes", check_bytes);
  g_test_add_func ("/content/rejects", check_rejects);
  g_test_add_func ("/content/explain", check_explain);
  g_test_add_func ("/content/problems", check_problems);
  g_test_add_func ("/content/manual", check_manual);
  g_test_add_func ("/content/battery", check_battery);
  g_test_add_func ("/site-lines/lines", check_site_lines);
  g_test_add_func ("/site-lines/battery", check_site_lines_battery);
  return g_test_run ();
}
