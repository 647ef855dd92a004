/* SPDX-License-Identifier: Apache-2.0 */
/* test-documents.c: source.documents as the built plugin, on documents that
 * make-samples.py writes, one of every kind and hostile ones. */
#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>

static char *tmp;
static gboolean has_samples, has_pdf;

static FrTest *
element (const char *below, const char *with)
{
  g_autofree char *so
      = g_build_filename (g_getenv ("FLOWRUN_PLUGIN_PATH"), "source-documents.so", NULL);
  g_autofree char *all
      = g_strdup_printf ("{'path': '%s/%s'%s%s}", tmp, below, *with ? ", " : "", with);

  return fr_test_new_file (so, "source.documents", all);
}

/* ---- what came out ---------------------------------------------------------------- */

/* The value of member @key in the row whose @by is @value; NULL: no such row, "null" for null. */
static char *
lookup (FrTest *t, const char *port, const char *by, const char *value, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (fr_test_output (t, port), "\n", -1);

  for (char **l = lines; *l; l++)
    {
      g_autoptr (JsonNode) node = **l ? json_from_string (*l, NULL) : NULL;
      JsonObject *row = node ? json_node_get_object (node) : NULL;
      JsonNode *found;

      if (row == NULL
          || strcmp (json_object_get_string_member_with_default (row, by, ""), value) != 0)
        continue;
      found = json_object_get_member (row, key);
      if (found == NULL || JSON_NODE_HOLDS_NULL (found))
        return g_strdup ("null");
      return json_node_get_value_type (found) == G_TYPE_STRING
                 ? g_strdup (json_node_get_string (found))
                 : json_to_string (found, FALSE);
    }
  return NULL;
}

static void
expect (FrTest *t, const char *id, const char *key, const char *wanted)
{
  g_autofree char *got = lookup (t, "out", "id", id, key);

  if (g_strcmp0 (got, wanted) != 0)
    g_test_message ("%s of %s", key, id);
  g_assert_cmpstr (got, ==, wanted);
}

static void
expect_reject (FrTest *t, const char *where, const char *rule)
{
  g_autofree char *got = lookup (t, "rejects", "where", where, "reject_rule");

  if (g_strcmp0 (got, rule) != 0)
    g_test_message ("%s", where);
  g_assert_cmpstr (got, ==, rule);
}

static gboolean
skip (gboolean pdf)
{
  if (has_samples && (!pdf || has_pdf))
    return FALSE;
  g_test_skip (has_samples ? "this build has no PDF reader"
                           : "python3 is missing, which makes the samples");
  return TRUE;
}

/* ---- kinds ------------------------------------------------------------------------ */

static const char contract[]
    = "# 第一章 总则\n\n甲方向乙方采购下列货物。\n\n## 付款方式\n\n"
      "1. 预付三成\n  - 银行转账\n2. 验收后付清\n\n"
      "| 名称 | 单价 |\n| --- | --- |\n| 苹果\\|红 | 3.50 |\n| 合计 |  |\n\n"
      "留增\t尾\n\n脚注内容";

static void
test_office (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office", "");
  fr_test_run (t);
  expect (t, "office/contract.docx", "text", contract);
  expect (t, "office/contract.docx", "title", "采购合同 & 附件");
  expect (t, "office/contract.docx", "author", "王小明");
  expect (t, "office/contract.docx", "date", "2024-05-06T12:30:00Z");
  expect (t, "office/contract.docx", "language", "zh");
  expect (t, "office/contract.docx", "unit", "document");
  expect (t, "office/contract.docx", "number", "null");
  expect (t, "office/wrong-name.txt", "kind", "docx");
  expect (t, "office/book.xlsx", "text",
          "## 价格表\n\n| 名称 | 日期 | 折扣 |\n| --- | --- | --- |\n"
          "| 苹果 | 2024-05-06 12:00:00 | 12.5% |\n| 梨 |  | 0.3 |\n\n"
          "|  | TRUE | #N/A |\n| --- | --- | --- |");
  expect (t, "office/deck.pptx", "text",
          "## 开场\n\n- 要点一\n  - 细节\n\n讲者备注\n\n## 销售\n\n"
          "| 季度 | 销量 |\n| --- | --- |\n| Q1 | 12 |");
  expect (t, "office/text.odt", "text",
          "## 第二节\n\n一个  空格 与\n换行\n\n1. 甲\n2. 乙\n  - 丙\n\n"
          "| 键 | 值 |\n| --- | --- |\n| 1 | 1 |\n| 1 | 1 |\n\n尾注");
  expect (t, "office/sheet.ods", "text",
          "## 表一\n\n| 城市 | 人口 |\n| --- | --- |\n| 北京 | 2189万 |");
  expect (t, "office/show.odp", "text", "## 标题页\n\n- 条目\n\n演讲稿");
  g_assert_cmpint (fr_test_counter (t, "hidden_text_dropped"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "hidden_rows_dropped"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "hidden_sheets_dropped"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "hidden_slides_dropped"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "contents_entries_dropped"), ==, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 0);
}

static void
test_plain_markup (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office/contract.docx", "'markup': 'plain', 'notes': false, 'hidden_text': true");
  fr_test_run (t);
  expect (t, "contract.docx", "text",
          "第一章 总则\n\n甲方向乙方采购下列货物。\n\n付款方式\n\n1. 预付三成\n  - 银行转账\n"
          "2. 验收后付清\n\n名称\t单价\n苹果|红\t3.50\n合计\t\n\n留增藏\t尾");
}

static void
test_sections (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office/contract.docx", "'record': 'section', 'tables': 'drop', 'notes': false");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 2);
  expect (t, "contract.docx#section=1", "text", "# 第一章 总则\n\n甲方向乙方采购下列货物。");
  expect (t, "contract.docx#section=2", "name", "第一章 总则 > 付款方式");
  g_assert_cmpint (fr_test_counter (t, "table_rows_dropped"), ==, 3);
}

static void
test_rows (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office/book.xlsx", "'record': 'row'");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 3);
  expect (t, "book.xlsx#table=1.1", "text", "名称: 苹果\n日期: 2024-05-06 12:00:00\n折扣: 12.5%");
  expect (t, "book.xlsx#table=1.1", "cells", "[\"苹果\",\"2024-05-06 12:00:00\",\"12.5%\"]");
  expect (t, "book.xlsx#table=1.1", "columns", "[\"名称\",\"日期\",\"折扣\"]");
  expect (t, "book.xlsx#table=1.2", "text", "名称: 梨\n折扣: 0.3");
  expect (t, "book.xlsx#table=2.1", "columns", "null");
  expect (t, "book.xlsx#table=2.1", "name", "价格表");
  g_clear_pointer (&t, fr_test_free);
  /* Only the first row of letters names columns. */
  t = element ("office/sheet.ods", "'record': 'row'");
  fr_test_run (t);
  expect (t, "sheet.ods#table=1.1", "text", "城市: 北京\n人口: 2189万");
}

static void
test_tables_beside (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office/contract.docx", "'tables': 'records', 'table_names': 'none'");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 4);
  expect (t, "contract.docx#table=1.2", "cells", "[\"苹果|红\",\"3.50\"]");
  expect (t, "contract.docx#table=1.2", "unit", "row");
}

static void
test_slides (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office/deck.pptx", "'record': 'page', 'notes': false, 'hidden_text': true");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 3);
  expect (t, "deck.pptx#slide=1", "text", "## 开场\n\n- 要点一\n  - 细节");
  expect (t, "deck.pptx#slide=1", "name", "开场");
  expect (t, "deck.pptx#slide=3", "text", "## 隐藏页");
}

/* ---- PDF --------------------------------------------------------------------------- */

static void
test_pdf (void)
{
  g_autoptr (FrTest) t = NULL;
  g_autofree char *columns = NULL;

  if (skip (TRUE))
    return;
  t = element ("pdf", "");
  fr_test_run (t);
  expect (t, "pdf/report.pdf", "title", "Annual Report");
  expect (t, "pdf/report.pdf", "author", "Star");
  expect (t, "pdf/report.pdf", "date", "2024-05-06T12:30:00Z");
  expect (t, "pdf/report.pdf", "text",
          "# "
          "年度经营报告\n\n这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写并且在这里结"
          "束。\n\n"
          "Management is a word.\n\n## 二、市场\n\n"
          "这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写这是正文里的一行文字。\n\n"
          "- 第一项\n- 第二项\n\n"
          "这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写"
          "这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写跨页的句子到这里为止。");
  g_assert_cmpint (
      fr_test_counter (t, "headers_dropped") + fr_test_counter (t, "page_numbers_dropped"), ==, 16);
  columns = lookup (t, "out", "id", "pdf/columns.pdf", "text");
  g_assert_nonnull (strstr (columns, "左栏第20行的文字内容在这里右栏第1行"));
  expect (t, "pdf/table.pdf", "text",
          "这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写\n\n"
          "| 名称 | 价格 | 库存 |\n| --- | --- | --- |\n| 明前绿茶 | 128.00 | 35 |\n"
          "| 茉莉银针 | 298.00 | 8 |\n| 铸铁壶 | 459.00 |  |\n\n"
          "这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写");
  g_assert_cmpint (fr_test_counter (t, "pdf_tables_guessed"), ==, 1);
  expect_reject (t, "pdf/scan.pdf", "no_text");
  /* Without a table of its objects it is read all the same. */
  expect (t, "pdf/no-xref.pdf", "kind", "pdf");
}

static void
test_pdf_pages (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (TRUE))
    return;
  t = element ("pdf/report.pdf", "'record': 'page'");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 4);
  expect (t, "report.pdf#page=4", "text", "跨页的句子到这里为止。");
  expect (t, "report.pdf#page=4", "page", "4");
  g_clear_pointer (&t, fr_test_free);
  t = element ("pdf/report.pdf", "'record': 'page', 'whole': true");
  fr_test_run (t);
  expect (t, "report.pdf#page=4", "text",
          "星辰公司 年度报告\n\n跨页的句子到这里为止。\n\n第 4 页 共 4 页");
}

/* ---- mail ---------------------------------------------------------------------------- */

static void
test_mail (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("mail", "");
  fr_test_run (t);
  expect (t, "mail/gbk.eml", "text", "李总：\n\n合同已经盖章，陶喆先生下周寄出。");
  expect (t, "mail/gbk.eml", "title", "关于采购合同的回复喆");
  expect (t, "mail/gbk.eml", "author", "张三");
  expect (t, "mail/gbk.eml", "date", "2024-05-06T12:30:00Z");
  expect (t, "mail/reply.eml", "text", "Fine with me, let us start.\n\nAnd one more thing.");
  expect (t, "mail/reply.eml!notes.md", "text", "# Notes\n\ntext of the attachment");
  expect (t, "mail/html.eml", "text", "网页正文");
  expect (t, "mail/box.mbox!message-1", "text", "First body.\nFrom here on it is text.");
  expect (t, "mail/box.mbox!message-2", "text",
          "Second body.\n\nFrom where I stand this is no separator.");
  g_assert_cmpint (fr_test_counter (t, "attachments_passed_over"), ==, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 0);
  g_clear_pointer (&t, fr_test_free);
  t = element ("mail", "'record': 'message', 'quotes': true");
  fr_test_run (t);
  g_assert_null (strstr (fr_test_output (t, "out"), "notes.md"));
  expect (t, "mail/html.eml", "text", "网页正文\n\n> 引用的旧文");
}

/* ---- text, archives, links --------------------------------------------------------------- */

static void
test_text (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("text", "'unknown': 'skip'");
  fr_test_run (t);
  expect (t, "text/gbk.txt", "text", "中文的纯文本，以国标编码保存。\n\n第二段。");
  expect (t, "text/readme.md", "title", "手册");
  expect (t, "text/readme.md", "date", "2024-01-02T00:00:00Z");
  expect (t, "text/readme.md", "text",
          "# 标题\n\n一段 强调 与 链接 以及 代码 的话。\n\n- 甲\n  - 乙\n1. 丙\n\n"
          "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n> 引用\n\n```\nint  x;\n```\n\n"
          "## Second code part\n\n图©");
  expect_reject (t, "text/empty.txt", "no_text");
  g_assert_cmpint (fr_test_counter (t, "files_passed_over"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "hidden_passed_over"), ==, 1);
}

static void
test_html (void)
{
  g_autoptr (FrTest) t = NULL;
  g_autofree char *text = NULL;

  if (skip (FALSE))
    return;
  t = element ("text/page.html", "");
  fr_test_run (t);
  text = lookup (t, "out", "id", "page.html", "text");
  g_assert_nonnull (strstr (text, "这是网页的正文"));
  g_assert_null (strstr (text, "产品"));
  g_clear_pointer (&t, fr_test_free);
  g_clear_pointer (&text, g_free);
  t = element ("text/page.html", "'whole': true");
  fr_test_run (t);
  text = lookup (t, "out", "id", "page.html", "text");
  g_assert_nonnull (strstr (text, "产品"));
}

static void
test_archives (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("archive", "");
  fr_test_run (t);
  expect (t, "archive/all.zip!inner.zip!深/内.txt", "text", "压缩包里的压缩包里的文本");
  expect (t, "archive/all.zip!inner.zip!b.docx", "kind", "docx");
  expect (t, "archive/all.zip!inner.zip!b.docx", "member", "inner.zip!b.docx");
  expect (t, "archive/all.zip!inner.zip!b.docx", "path", "archive/all.zip");
  expect (t, "archive/tape.tgz!t/二.txt", "text", "磁带里的第二篇");
  expect (t, "archive/single.txt.gz!single.txt", "text", "单个压缩的文本");
  expect_reject (t, "archive/all.zip!pic.png", "unknown_kind");
  g_assert_cmpint (fr_test_counter (t, "archive_links_passed_over"), ==, 1);
  g_assert_null (strstr (fr_test_output (t, "out"), "__MACOSX"));
  g_clear_pointer (&t, fr_test_free);
  t = element ("archive", "'archives': false");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 0);
  g_assert_cmpint (fr_test_counter (t, "archives_passed_over"), ==, 3);
}

static void
test_links (void)
{
  g_autoptr (FrTest) t = NULL;
  g_autofree char *outdir = g_build_filename (tmp, "links", "outdir", NULL);

  if (skip (FALSE))
    return;
  t = element ("links", "");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 3);
  expect (t, "links/a.txt", "text", "甲的内容");
  expect (t, "links/sub/b.txt", "text", "乙的内容");
  expect (t, "links/dotted.txt", "text", "藏在点目录里的内容");
  expect_reject (t, "links/out.txt", "leaves_folder");
  expect_reject (t, "links/outdir", "leaves_folder");
  expect_reject (t, "links/nowhere", "dangling_link");
  expect_reject (t, "links/self", "dangling_link");
  expect_reject (t, "links/pipe", "not_a_file");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 5);
  g_clear_pointer (&t, fr_test_free);
  /* "outdir" leads to the root of everything: not for a test. */
  g_assert_cmpint (g_unlink (outdir), ==, 0);
  t = element ("links", "'follow_links': true");
  fr_test_run (t);
  expect (t, "links/out.txt", "text", "外面的内容");
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 4);
}

/* ---- hostile ones ------------------------------------------------------------------------ */

static void
test_bad (void)
{
  static const char *const wanted[][2] = { { "bad/no-main.docx", "damaged" },
                                           { "bad/not-xml.docx", "damaged" },
                                           { "bad/laughs.docx", "entities" },
                                           { "bad/external.docx", "entities" },
                                           { "bad/deep.docx", "damaged" },
                                           { "bad/charset.docx", "damaged" },
                                           { "bad/bomb.docx", "bomb" },
                                           { "bad/truncated.docx", "truncated" },
                                           { "bad/encrypted.docx", "encrypted" },
                                           { "bad/encrypted.odt", "encrypted" },
                                           { "bad/old.doc", "unknown_kind" },
                                           { "bad/repeat.ods", "too_large" },
                                           { "bad/secret.eml", "encrypted" },
                                           { "bad/deep.eml", "bomb" },
                                           { "bad/forward.eml!s!s!s!s!s", "too_deep" },
                                           { "bad/zeros.gz!zeros", "bomb" },
                                           { "bad/nothing.zip", "no_text" },
                                           { "bad/cut.zip!two.txt", "truncated" },
                                           { "bad/nest.zip!n.zip!n.zip!n.zip!n.zip", "too_deep" },
                                           { "bad/fake.zip", "truncated" },
                                           { "bad/locked.zip!s.txt", "encrypted" } };
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("bad", "'exclude': '*.pdf'");
  fr_test_run (t);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    expect_reject (t, wanted[i][0], wanted[i][1]);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, G_N_ELEMENTS (wanted));
  /* What came before the cut is kept, nothing else. */
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 1);
  expect (t, "bad/cut.zip!one.txt", "text", "第一篇完整");
  g_assert_null (strstr (fr_test_output (t, "out"), "root:"));
}

static void
test_bad_pdf (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (TRUE))
    return;
  t = element ("bad", "'include': '*.pdf'");
  fr_test_run (t);
  expect_reject (t, "bad/garbage.pdf", "damaged");
  expect_reject (t, "bad/half.pdf", "damaged");
  expect_reject (t, "bad/locked.pdf", "encrypted");
  g_clear_pointer (&t, fr_test_free);
  t = element ("pdf/report.pdf", "'max_seconds': '1ms'");
  fr_test_run (t);
  expect_reject (t, "report.pdf", "timeout");
}

static void
test_limits (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office/contract.docx", "'max_file': 100");
  fr_test_run (t);
  expect_reject (t, "contract.docx", "too_large");
  g_clear_pointer (&t, fr_test_free);
  t = element ("office/contract.docx", "'max_text': 20");
  fr_test_run (t);
  expect_reject (t, "contract.docx", "too_large");
  g_clear_pointer (&t, fr_test_free);
  t = element ("archive/all.zip", "'max_members': 1");
  fr_test_run (t);
  expect (t, "all.zip!a.txt", "text", "包里的文本");
  expect_reject (t, "all.zip!inner.zip", "bomb");
  g_assert_cmpuint (fr_test_n_rows (t, "out") + fr_test_n_rows (t, "rejects"), ==, 2);
  g_clear_pointer (&t, fr_test_free);
  t = element ("archive/all.zip", "'max_depth': 1");
  fr_test_run (t);
  expect_reject (t, "all.zip!inner.zip", "too_deep");
}

/* ---- the element ---------------------------------------------------------------------------- */

static void
test_check (void)
{
  static const char *const wrong[][3]
      = { { "missing", "", "cannot open" },
          { "*.nothing", "", "no file matches" },
          { "", "'record': 'row', 'tables': 'drop'", "leaves nothing" },
          { "", "'max_file': '3GiB'", "at most 2 GiB" },
          { "", "'max_text': '3GiB'", "at most 2 GiB" },
          { "", "'max_seconds': 0", "more than 0" } };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (FrTest) t = element (wrong[i][0], wrong[i][1]);

      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), wrong[i][2]) == NULL)
        g_test_message ("%s", fr_test_problems (t));
      g_assert_nonnull (strstr (fr_test_problems (t), wrong[i][2]));
    }
}

static void
test_same_for_any_threads (void)
{
  g_autofree char *first = NULL, *rejects = NULL;

  if (skip (FALSE))
    return;
  for (guint workers = 1; workers <= 4; workers++)
    {
      g_autoptr (FrTest) t = element ("", "'exclude': ['*.gz', 'repeat.ods']");

      fr_test_set_workers (t, workers);
      fr_test_run (t);
      if (first == NULL)
        {
          first = g_strdup (fr_test_output (t, "out"));
          rejects = g_strdup (fr_test_output (t, "rejects"));
          g_assert_cmpuint (fr_test_n_rows (t, "out"), >, 20);
        }
      g_assert_cmpstr (fr_test_output (t, "out"), ==, first);
      g_assert_cmpstr (fr_test_output (t, "rejects"), ==, rejects);
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = NULL;

  if (skip (FALSE))
    return;
  t = element ("office", "");
  fr_test_battery (t);
  g_clear_pointer (&t, fr_test_free);
  if (!has_pdf)
    return;
  t = element ("pdf", "'record': 'page'");
  fr_test_battery (t);
}

static void
remove_tree (const char *path)
{
  const char *argv[] = { "rm", "-rf", path, NULL };

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                NULL);
}

static void
make_samples (void)
{
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "plugins", "sources", "documents",
                                                   "make-samples.py", NULL);
  const char *argv[] = { "python3", script, tmp, NULL };
  g_autofree char *complaint = NULL, *pdf = NULL;
  int status = 1;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &complaint,
                     &status, NULL))
    return;
  if (status != 0)
    g_error ("make-samples.py: %s", complaint);
  has_samples = TRUE;
  pdf = g_build_filename (g_getenv ("FLOWRUN_PLUGIN_PATH"), "document-pdf.so", NULL);
  has_pdf = g_file_test (pdf, G_FILE_TEST_EXISTS);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tmp = g_dir_make_tmp ("flowrun-documents-XXXXXX", NULL);
  make_samples ();
  g_test_add_func ("/source.documents/office", test_office);
  g_test_add_func ("/source.documents/plain-markup", test_plain_markup);
  g_test_add_func ("/source.documents/sections", test_sections);
  g_test_add_func ("/source.documents/rows", test_rows);
  g_test_add_func ("/source.documents/tables-beside", test_tables_beside);
  g_test_add_func ("/source.documents/slides", test_slides);
  g_test_add_func ("/source.documents/pdf", test_pdf);
  g_test_add_func ("/source.documents/pdf-pages", test_pdf_pages);
  g_test_add_func ("/source.documents/mail", test_mail);
  g_test_add_func ("/source.documents/text", test_text);
  g_test_add_func ("/source.documents/html", test_html);
  g_test_add_func ("/source.documents/archives", test_archives);
  g_test_add_func ("/source.documents/links", test_links);
  g_test_add_func ("/source.documents/bad", test_bad);
  g_test_add_func ("/source.documents/bad-pdf", test_bad_pdf);
  g_test_add_func ("/source.documents/limits", test_limits);
  g_test_add_func ("/source.documents/check", test_check);
  g_test_add_func ("/source.documents/same-for-any-threads", test_same_for_any_threads);
  g_test_add_func ("/source.documents/battery", test_battery);
  status = g_test_run ();
  remove_tree (tmp);
  g_free (tmp);
  return status;
}
