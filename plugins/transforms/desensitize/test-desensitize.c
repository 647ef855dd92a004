/* SPDX-License-Identifier: Apache-2.0 */
/* test-desensitize.c: transform.desensitize under the test kit, and its precision
 * and recall on labelled.jsonl, which the manual page shows.
 *
 * UPDATE=1 writes quality.h anew; `make update-docs` then takes it into the page. */
#include "config.h"

#include <flowrun/json.h>
#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>

#include "text/pii.h"

static FrTest *
new_test (const char *with)
{
  const char *dir = g_getenv ("FLOWRUN_PLUGIN_PATH");
  g_autofree char *path
      = g_build_filename (dir ? dir : "plugins/.libs", "transform-desensitize.so", NULL);

  return fr_test_new_file (path, "transform.desensitize", with);
}

#define KEY "'key': {'env': 'TEST_PII_KEY'}"

/* ---- actions ----------------------------------------------------------------- */

static void
test_actions (void)
{
  static const struct
  {
    const char *with, *in, *out;
  } cases[] = {
    { "{}", "张伟先生，电话13800138000", "<姓名>先生，电话<手机号>" },
    { "{}", "Call Mr. Smith at +1 415 555 0132", "Call Mr. <NAME> at <PHONE>" },
    { "{'language': 'en'}", "电话13800138000", "电话<PHONE>" },
    { "{'action': 'mask'}", "卡号4111 1111 1111 1111。", "卡号**** **** **** ****。" },
    { "{'action': 'partial'}", "电话13800138000，邮箱zhang@example.com",
      "电话138****8000，邮箱z****@example.com" },
    { "{'actions': {'bank_card': 'partial:4'}}", "卡号4111111111111234x4111111111111111",
      "卡号4111111111111234x4111111111111111" },
    { "{'actions': {'bank_card': 'partial:4'}}", "卡号4111111111111111", "卡号************1111" },
    { "{'actions': {'mobile': 'keep'}}", "电话13800138000，邮箱a.b@example.com",
      "电话13800138000，邮箱<邮箱>" },
    { "{'action': 'off', 'actions': {'email': 'tag'}}", "电话13800138000，邮箱a.b@example.com",
      "电话13800138000，邮箱<邮箱>" },
    { "{}", "身份证号110101199003070135", "身份证号110101199003070135" },
    { "{'doubtful': 'hide'}", "身份证号110101199003070135", "身份证号<身份证号>" },
    { "{'min_score': 80}", "打13800138000", "打13800138000" },
    /* What a tag uncovers is hidden too. */
    { "{}", "邮箱a.b@example.com13800138000", "邮箱<邮箱><手机号>" },
    { "{'rules': {'project': {'words': ['银河计划'], 'zh': '项目', 'en': 'PROJECT'}}}",
      "银河计划启动", "<项目>启动" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_test (cases[i].with);
      g_autofree char *in = g_strdup_printf ("[{'t': '%s'}]", cases[i].in),
                      *out = g_strdup_printf ("[{'t': '%s'}]", cases[i].out);

      fr_test_input (t, "in", "t: utf8", in);
      fr_test_run (t);
      fr_test_expect (t, "out", out);
    }
}

static void
test_drop (void)
{
  g_autoptr (FrTest) t = new_test ("{'actions': {'id_card': 'drop'}}");

  fr_test_input (
      t, "in", "t: utf8, n: int32",
      "[{'t': '身份证11010519491231002X', 'n': 1}, {'t': '好', 'n': 2}, {'t': null, 'n': 3}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'t': '好', 'n': 2}, {'t': null, 'n': 3}]");
  g_assert_cmpint (fr_test_counter (t, "rows.dropped"), ==, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 0);
}

/* ---- columns ----------------------------------------------------------------- */

static void
test_columns (void)
{
  g_autoptr (FrTest) t = new_test ("{'whole': {'who': 'name'}}");

  fr_test_input (
      t, "in",
      "phone: int64, n: int64, 收件人: utf8, who: utf8, order_no: int64, messages: "
      "list<struct<role: utf8, content: "
      "utf8>>, price: float64",
      "[{'phone': 13800138000, 'n': 3, '收件人': '张伟', 'who': 'Zaphod', 'order_no': "
      "4716989580001715211, 'price': 13800138000,"
      "  'messages': [{'role': 'user', 'content': '我的电话13900139000'}, {'role': 'assistant', "
      "'content': null}]},"
      " {'phone': 12345, 'n': 13800138000, '收件人': '待定', 'who': null, 'order_no': null, "
      "'messages': null, "
      "'price': null}]");
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'phone': null, 'n': 3, '收件人': '<姓名>', 'who': '<NAME>', 'order_no': "
      "4716989580001715211, 'price': 13800138000,"
      "  'messages': [{'role': 'user', 'content': '我的电话<手机号>'}, {'role': 'assistant', "
      "'content': null}]},"
      " {'phone': 12345, 'n': null, '收件人': '待定', 'who': null, 'order_no': null, 'messages': "
      "null, 'price': "
      "null}]");
}

/* ---- pseudonyms -------------------------------------------------------------- */

static void
test_pseudonyms (void)
{
  g_autofree char *first = NULL;

  for (guint run = 0; run < 2; run++)
    {
      g_autoptr (FrTest) t = new_test ("{'action': 'pseudonym', " KEY "}");
      g_auto (GStrv) lines = NULL;

      fr_test_set_workers (t, run ? 4 : 1);
      fr_test_input (t, "in", "t: utf8", "[{'t': '张伟先生13800138000'}]");
      fr_test_input (t, "in", "t: utf8",
                     "[{'t': '张伟先生138 0013 8000'}, {'t': '李娜女士13800138001'}]");
      fr_test_run (t);
      lines = g_strsplit (fr_test_output (t, "out"), "\n", -1);
      g_assert_cmpint (fr_test_counter (t, "residual"), ==, 0);
      /* One person, one pseudonym; another, another one. */
      {
        g_autofree char *a = g_strndup (lines[0], strlen ("{\"t\":\"用户_00000000")),
                        *b = g_strndup (lines[1], strlen ("{\"t\":\"用户_00000000"));

        g_assert_cmpstr (a, ==, b);
        g_assert_false (g_str_has_prefix (lines[2], a));
        g_assert_true (g_regex_match_simple ("^\\{\"t\":\"用户_[0-9A-F]{8}先生12[0-9]{9}\"\\}$",
                                             lines[0], 0, 0));
        g_assert_true (g_regex_match_simple ("12[0-9] [0-9]{4} [0-9]{4}\"\\}$", lines[1], 0, 0));
      }
      if (first == NULL)
        first = g_strdup (fr_test_output (t, "out"));
      else
        g_assert_cmpstr (first, ==, fr_test_output (t, "out"));
    }
}

/* ---- the audit --------------------------------------------------------------- */

static void
test_audit (void)
{
  g_autoptr (FrTest) t = new_test ("{'actions': {'ip': 'keep'}, 'explain': 'pii', " KEY "}");
  const char *rows = "[{'t': '收件人：张伟，身份证11010519491231002X，IP 10.1.2.3'}, {'t': "
                     "'卡号4111111111111112'}, {'t': '无'}]";
  const char *audit;
  JsonObject *report;

  fr_test_input (t, "in", "t: utf8", rows);
  fr_test_run (t);
  audit = fr_test_output (t, "audit");
  g_assert_nonnull (
      strstr (audit, "\"type\":\"name\",\"action\":\"tag\",\"rule\":\"name.label\",\"score\":90,"
                     "\"checksum\":null,\"context\":\"收件人\",\"start\":4,\"length\":2"));
  g_assert_nonnull (
      strstr (audit, "\"type\":\"id_card\",\"action\":\"tag\",\"rule\":\"id_card.18\""));
  g_assert_nonnull (strstr (audit, "\"checksum\":\"ok\""));
  g_assert_nonnull (strstr (audit, "\"type\":\"ip\",\"action\":\"keep\""));
  g_assert_nonnull (strstr (audit, "\"type\":\"bank_card\",\"action\":\"keep\",\"rule\":\"bank_"
                                   "card.luhn\",\"score\":55,\"checksum\":\"wrong\""));
  /* Never the value. */
  g_assert_null (strstr (audit, "张伟"));
  g_assert_null (strstr (audit, "11010519491231002X"));
  g_assert_null (strstr (audit, "10.1.2.3"));
  g_assert_null (strstr (audit, "4111111111111112"));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\\\"rule\\\":\\\"name.label\\\""));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "{\"t\":\"无\",\"pii\":null}"));
  report = json_node_get_object (fr_test_report (t, "audit"));
  g_assert_cmpint (json_object_get_int_member (report, "rows"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (report, "rows_changed"), ==, 1);
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (report, "residual"), "total"), ==,
      0);
  g_assert_cmpint (fr_test_counter (t, "name.found"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "ip.found"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "ip.hidden"), ==, 0);
  g_assert_cmpint (fr_test_counter (t, "bank_card.doubtful"), ==, 1);
  g_assert_nonnull (fr_test_report (t, "views"));
}

/* ---- what is wrong
 * --------------------------------------------------------------------------------- */

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *says;
  } cases[] = {
    { "{'actions': {'moblie': 'mask'}}", "there is no type 'moblie'; did you mean 'mobile'?" },
    { "{'actions': {'mobile': 'hide'}}", "/actions/mobile" },
    { "{'action': 'pseudonym'}", "'pseudonym' needs a 'key'" },
    { "{'actions': {'name': 'pseudonym'}}", "'pseudonym' needs a 'key'" },
    { "{'whole': {'t': 'nam'}}", "there is no type 'nam'; did you mean 'name'?" },
    { "{'whole': {'x': 'name'}}", "there is no column 'x'" },
    { "{'rules': {'mobile': {'words': ['x']}}}", "'mobile' is a built-in type" },
    { "{'rules': {'x': {}}}", "neither 'pattern' nor 'words'" },
#ifdef HAVE_PCRE2
    { "{'rules': {'x': {'pattern': '(a'}}}", "is wrong at character" },
    { "{'rules': {'x': {'pattern': 'a*'}}}", "can match nothing at all" },
#endif
    { "{'residual': 'off', 'max_residual': 3}", "no effect while 'residual' is 'off'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_test (cases[i].with);

      fr_test_input (t, "in", "t: utf8", "[{'t': 'x'}]");
      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].says) == NULL)
        {
          g_test_message ("%s: %s", cases[i].with, fr_test_problems (t));
          g_test_fail ();
        }
    }
}

/* An empty key is seen when it is read, not by check. */
static void
test_empty_key (void)
{
  g_autoptr (FrTest) t = new_test ("{'key': {'env': 'TEST_PII_EMPTY'}}");
  g_autoptr (FrTest) cut = new_test ("{'key': {'env': 'TEST_PII_SHORT'}}");

  fr_test_input (t, "in", "t: utf8", "[{'t': 'x'}]");
  fr_test_run_error (t, FR_ERROR_CONFIG, "the key has 0 characters");
  fr_test_input (cut, "in", "t: utf8", "[{'t': 'x'}]");
  fr_test_run_error (cut, FR_ERROR_CONFIG, "the key has 5 characters; with less than 16");
}

static void
test_words (void)
{
  g_autoptr (FrTest) t = new_test ("{'words': ['staff.txt'], 'action': 'tag'}");
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), "staff.txt", NULL);

  g_assert_true (
      g_file_set_contents (path, "\xef\xbb\xbf# who\r\n  阿瑟登特 \r\nFord\n", -1, NULL));
  fr_test_input (t, "in", "t: utf8", "[{'t': '阿瑟登特和FORD，不是Fordham'}]");
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'t': '<staff>和<staff>，不是Fordham'}]");
}

#ifdef HAVE_PCRE2
/* A row on which a pattern gives up is a reject, never clean. */
static void
test_limit (void)
{
  g_autoptr (FrTest) t = new_test ("{'rules': {'slow': {'pattern': '(x+x+)+[yw]'}}}");
  g_autoptr (GString) row = g_string_new ("[{'t': '");

  for (guint i = 0; i < 20000; i++)
    g_string_append_c (row, 'x');
  g_string_append (row, "'}, {'t': 'ok'}]");
  fr_test_input (t, "in", "t: utf8", row->str);
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'t': 'ok'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "pattern_limit"));
}
#endif

static void
test_battery (void)
{
  g_autoptr (FrTest) t
      = new_test ("{'action': 'partial', 'explain': 'why', 'whole': {'w': 'name'}}");

  fr_test_input (
      t, "in", "t: utf8, w: large_utf8, n: int64, l: list<utf8>",
      "[{'t': '电话13800138000', 'w': '张伟', 'n': 13800138000, 'l': ['a.b@example.com', null]},"
      " {'t': '', 'w': '', 'n': null, 'l': []}, {'t': "
      "'收件人：张伟，浙江省杭州市西湖区文三路90号', 'w': null, 'n': 1, 'l': null}]");
  fr_test_battery (t);
}

/* ---- precision and recall
 * ------------------------------------------------------------------------------ */

typedef struct
{
  guint8 type;
  gsize start, end;
} Span;

typedef struct
{
  guint wanted, given, right;
} Score;

static const char *const halves[] = { "tune", "report" };

/* Takes the marks out of @marked: the text to @text, what they say to @spans. */
static void
read_marked (const char *marked, GString *text, GArray *spans)
{
  const char *open = "⟦", *shut = "⟧";

  for (const char *p = marked; *p != '\0';)
    {
      const char *bar, *end;
      Span span;
      g_autofree char *name = NULL;

      if (!g_str_has_prefix (p, open))
        {
          g_string_append_c (text, *p++);
          continue;
        }
      p += strlen (open);
      bar = strchr (p, '|');
      end = strstr (p, shut);
      g_assert_true (bar != NULL && end != NULL && bar < end);
      name = g_strndup (p, (gsize) (bar - p));
      span.type = (guint8) text_pii_type_from_name (name);
      g_assert_cmpint (text_pii_type_from_name (name), >=, 0);
      span.start = text->len;
      g_string_append_len (text, bar + 1, end - bar - 1);
      span.end = text->len;
      g_array_append_val (spans, span);
      p = end + strlen (shut);
    }
}

static void
append_score (GString *out, const Score *s)
{
  g_string_append_printf (out, " %u |", s->wanted);
  if (s->given > 0)
    g_string_append_printf (out, " %.3f |", (double) s->right / s->given);
  else
    g_string_append (out, " |");
  if (s->wanted > 0)
    g_string_append_printf (out, " %.3f |", (double) s->right / s->wanted);
  else
    g_string_append (out, " |");
}

static char *
quality_table (Score scores[2][TEXT_PII_BUILTIN], const guint *sentences)
{
  GString *out = g_string_new (NULL);
  Score sums[2] = { { 0 } };

  g_string_append_printf (
      out,
      "| type | tuned on: values | precision | recall | reported: values | precision | recall |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  for (guint t = 0; t < TEXT_PII_BUILTIN; t++)
    {
      g_string_append_printf (out, "| `%s` |", text_pii_type_names ()[t]);
      for (guint h = 0; h < 2; h++)
        {
          append_score (out, &scores[h][t]);
          sums[h].wanted += scores[h][t].wanted;
          sums[h].given += scores[h][t].given;
          sums[h].right += scores[h][t].right;
        }
      g_string_append_c (out, '\n');
    }
  g_string_append (out, "| all |");
  for (guint h = 0; h < 2; h++)
    append_score (out, &sums[h]);
  g_string_append_printf (out, "\n\nSentences: %u in the half tuned on, %u in the half reported.\n",
                          sentences[0], sentences[1]);
  return g_string_free (out, FALSE);
}

/* quality.h of @table. */
static char *
quality_header (const char *table)
{
  GString *out
      = g_string_new ("/* SPDX-License-Identifier: Apache-2.0 */\n"
                      "/* quality.h: made by UPDATE=1 test-desensitize from labelled.jsonl. */\n"
                      "/* clang-format off */\n"
                      "#define QUALITY_TABLE \\\n");
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);

  for (guint i = 0; lines[i] != NULL && (lines[i + 1] != NULL || *lines[i] != '\0'); i++)
    g_string_append_printf (out, "%s  \"%s\\n\"", i ? " \\\n" : "", lines[i]);
  g_string_append_c (out, '\n');
  return g_string_free (out, FALSE);
}

static char *
in_source (const char *name)
{
  const char *dir = g_getenv ("G_TEST_SRCDIR");

  return g_build_filename (dir ? dir : ".", "plugins/transforms/desensitize", name, NULL);
}

static void
test_quality (void)
{
  g_autofree char *path = in_source ("labelled.jsonl"), *page = in_source ("desensitize.md"),
                  *all = NULL, *manual = NULL, *table = NULL;
  g_autoptr (TextPii) pii = text_pii_new (TEXT_PII_ALL);
  g_autoptr (TextPiiScan) scan = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  Score scores[2][TEXT_PII_BUILTIN] = { { { 0 } } };
  guint sentences[2] = { 0 };

  g_assert_true (text_pii_ready (pii, NULL));
  scan = text_pii_scan_new (pii);
  g_file_get_contents (path, &all, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (all, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (lines[i], -1, 0, &error);
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (Span));
      JsonObject *o;
      guint half;

      g_assert_no_error (error);
      o = json_node_get_object (node);
      half = strcmp (json_object_get_string_member (o, "half"), halves[1]) == 0;
      sentences[half]++;
      read_marked (json_object_get_string_member (o, "text"), text, spans);
      text_pii_scan (scan, (FrStr){ text->str, text->len }, TEXT_PII_MIN_SCORE);
      for (guint k = 0; k < spans->len; k++)
        scores[half][g_array_index (spans, Span, k).type].wanted++;
      for (guint k = 0; k < text_pii_n_hits (scan); k++)
        {
          const TextPiiHit *h = &text_pii_hits (scan)[k];

          scores[half][h->type].given++;
          /* Right is the type and both ends. */
          for (guint m = 0; m < spans->len; m++)
            {
              const Span *s = &g_array_index (spans, Span, m);

              scores[half][h->type].right
                  += s->type == h->type && s->start == h->start && s->end == h->end;
            }
        }
    }
  g_assert_cmpuint (sentences[0] + sentences[1], >=, 600);
  table = quality_table (scores, sentences);
  if (g_getenv ("UPDATE") != NULL)
    {
      g_autofree char *header = quality_header (table), *to = in_source ("quality.h");

      g_assert_true (g_file_set_contents (to, header, -1, NULL));
    }
  if (!g_file_get_contents (page, &manual, NULL, NULL))
    g_error ("%s is not there", page);
  if (strstr (manual, table) == NULL)
    {
      g_test_message ("the table in desensitize.md is not this one; UPDATE=1 test-desensitize, "
                      "make, make update-docs:\n%s",
                      table);
      g_test_fail ();
    }
}

int
main (int argc, char **argv)
{
  g_setenv ("TEST_PII_KEY", "correct horse battery staple", TRUE); /* before there are threads */
  g_setenv ("TEST_PII_SHORT", "short", TRUE);
  g_setenv ("TEST_PII_EMPTY", "", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/desensitize/actions", test_actions);
  g_test_add_func ("/desensitize/drop", test_drop);
  g_test_add_func ("/desensitize/columns", test_columns);
  g_test_add_func ("/desensitize/pseudonyms", test_pseudonyms);
  g_test_add_func ("/desensitize/audit", test_audit);
  g_test_add_func ("/desensitize/problems", test_problems);
  g_test_add_func ("/desensitize/empty-key", test_empty_key);
  g_test_add_func ("/desensitize/words", test_words);
#ifdef HAVE_PCRE2
  g_test_add_func ("/desensitize/limit", test_limit);
#endif
  g_test_add_func ("/desensitize/battery", test_battery);
  g_test_add_func ("/desensitize/quality", test_quality);
  return g_test_run ();
}
