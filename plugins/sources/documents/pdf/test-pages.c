/* SPDX-License-Identifier: Apache-2.0 */
/* test-pages.c: lines on pages as paragraphs, headings and lists. */
#include "pages.h"

#include <string.h>

typedef struct
{
  GString *out;
  gint64 dropped;
} Got;

static gboolean
take_block (TextDocSink *sink, const TextDocBlock *block)
{
  Got *got = sink->data;

  g_string_append_printf (got->out, "%c%u|%.*s", "?PHIRCQ"[block->kind],
                          block -> kind == TEXT_DOC_ROW ? 2u * block -> header + block -> first
                                                        : block -> level,
                          (int) block -> text.len, block->text.data);
  for (guint i = 0; i < block->n_cells; i++)
    g_string_append_printf (got->out, "%s%.*s", i ? "|" : "", (int) block->cells[i].len,
                            block->cells[i].data);
  g_string_append_c (got->out, '\n');
  return TRUE;
}

static gboolean
take_part (TextDocSink *sink, TextDocPart part, guint number, FrStr name)
{
  (void) sink, (void) part, (void) number, (void) name;
  return TRUE;
}

static void
take_count (TextDocSink *sink, const char *name, gint64 n)
{
  (void) name;
  ((Got *) sink->data)->dropped += n;
}

static gboolean
go_on (TextDocSink *sink)
{
  (void) sink;
  return TRUE;
}

/* Lines: "x y size bold width text", pages parted by "---"; a + before them: part of the line
 * before. */
static char *
told (const char *lines, guint wants, gint64 *dropped)
{
  Got got = { g_string_new (NULL), 0 };
  TextDocSink sink = { .size = sizeof sink,
                       .part = take_part,
                       .block = take_block,
                       .count = take_count,
                       .go_on = go_on,
                       .data = &got };
  g_autoptr (Pages) pages = pages_new (wants);
  g_auto (GStrv) each = g_strsplit (lines, "\n", -1);
  PdfPage page = { 600, 800 };

  pages_begin (pages, &page);
  for (char **l = each; *l; l++)
    {
      const gboolean goes_on = **l == '+';
      g_auto (GStrv) f = g_strsplit (*l + goes_on, " ", 6);
      PdfLine line = { .goes_on = goes_on };

      if (strcmp (*l, "---") == 0)
        pages_begin (pages, &page);
      if (g_strv_length (f) < 6)
        continue;
      line.x0 = (float) g_ascii_strtod (f[0], NULL);
      line.y0 = (float) g_ascii_strtod (f[1], NULL);
      line.size = (float) g_ascii_strtod (f[2], NULL);
      line.bold = *f[3] == '1';
      line.x1 = line.x0 + (float) g_ascii_strtod (f[4], NULL);
      line.y1 = line.y0 + line.size;
      pages_line (pages, &line, f[5], strlen (f[5]));
    }
  g_assert_true (pages_tell (pages, &sink));
  if (dropped)
    *dropped = got.dropped;
  return g_string_free (got.out, FALSE);
}

static void
expect (const char *lines, const char *wanted)
{
  g_autofree char *got = told (lines, 0, NULL);

  g_assert_cmpstr (got, ==, wanted);
}

static void
test_paragraphs (void)
{
  expect ("72 100 10 0 400 A line of text that goes to the edge\n"
          "72 112 10 0 200 and ends here.\n"
          "72 136 10 0 400 After a gap another.\n",
          "P0|A line of text that goes to the edge and ends here.\nP0|After a gap another.\n");
  /* indented first lines, no gap */
  expect ("92 100 10 0 380 First indented paragraph text\n72 112 10 0 400 goes on and on here\n"
          "72 124 10 0 390 and almost fills its last line.\n92 136 10 0 380 Second indented one.\n",
          "P0|First indented paragraph text goes on and on here and almost fills its last line.\n"
          "P0|Second indented one.\n");
  /* a block that is indented whole */
  expect ("72 60 10 0 450 Some text at the left edge, to tell where that is.\n"
          "90 100 10 0 400 an indented block has many\n90 112 10 0 400 lines that all begin here\n"
          "90 124 10 0 100 and end.\n",
          "P0|Some text at the left edge, to tell where that is.\n"
          "P0|an indented block has many lines that all begin here and end.\n");
  expect ("72 100 10 0 400 hyphen-\n72 112 10 0 100 ated and X-\n72 124 10 0 100 Y and 3-\n72 136 "
          "10 0 90 b\n",
          "P0|hyphenated and X- Y and 3-b\n");
  expect ("72 100 10 0 400 中文第一行没有空格\n72 112 10 0 100 接着写\n",
          "P0|中文第一行没有空格接着写\n");
  expect ("72 100 10 0 400 中文与\n72 112 10 0 100 word mixed\n72 124 10 0 90 latin\n",
          "P0|中文与word mixed latin\n");
}

static void
test_headings (void)
{
  expect ("72 50 24 0 200 Big\n72 120 16 0 200 Middle\n72 150 10 0 400 body text that is the most "
          "of all here\n"
          "72 180 10 1 100 Bold alone\n72 200 10 0 400 more body text of the usual kind\n",
          "H1|Big\nH2|Middle\nP0|body text that is the most of all here\nH3|Bold alone\n"
          "P0|more body text of the usual kind\n");
}

static void
test_lists (void)
{
  expect ("72 100 10 0 100 • one\n72 112 10 0 100 • two\n72 124 10 0 100 3. three\n",
          "I1|one\nI1|two\nI1|three\n");
}

static void
test_margins (void)
{
  GString *lines = g_string_new (NULL);
  g_autofree char *got = NULL, *whole = NULL;
  gint64 dropped = 0;

  for (guint i = 1; i <= 6; i++)
    g_string_append_printf (
        lines,
        "%s72 30 8 0 100 %s\n72 300 10 0 400 Body %c of the page that is long.\n"
        "280 770 8 0 50 %s%u%s\n",
        i > 1 ? "---\n" : "", i % 2 ? "Chapter 1" : "The Book", 'a' + i, i < 4 ? "- " : "第 ", i,
        i < 4 ? " -" : " 页 共 6 页");
  got = told (lines->str, TEXT_DOC_PARTS, &dropped);
  g_assert_cmpstr (got, ==,
                   "P0|Body b of the page that is long.\nP0|Body c of the page that is long.\n"
                   "P0|Body d of the page that is long.\nP0|Body e of the page that is long.\n"
                   "P0|Body f of the page that is long.\nP0|Body g of the page that is long.\n");
  g_assert_cmpint (dropped, ==, 12);
  whole = told (lines->str, TEXT_DOC_WHOLE, NULL);
  g_assert_nonnull (strstr (whole, "Chapter 1"));
  g_string_free (lines, TRUE);
  /* What repeats in the middle of the page is text. */
  g_free (got);
  got = told ("72 300 10 0 90 Same.\n---\n72 300 10 0 90 Same.\n---\n72 300 10 0 90 Same.\n", 0,
              &dropped);
  g_assert_cmpint (dropped, ==, 0);
  /* A number at the foot of a single page may be anything; "Page 1" is not. */
  g_free (got);
  got = told ("72 300 10 0 90 Text.\n72 770 10 0 90 42\n72 780 10 0 90 Page 1 of 1\n", 0, &dropped);
  g_assert_cmpint (dropped, ==, 1);
}

static void
test_contents (void)
{
  static const char lines[] = "72 100 10 0 400 1 Introduction . . . . . . 3\n"
                              "72 112 10 0 400 第一章 总则……………12\n72 124 10 0 400 Wait... 3\n"
                              "72 136 10 0 400 Summary ................\n72 148 10 0 20 1.2\n";
  gint64 dropped = 0;
  g_autofree char *got = told (lines, 0, &dropped);

  g_assert_cmpstr (got, ==, "P0|Wait... 3\n");
  g_assert_cmpint (dropped, ==, 4);
}

static void
test_over_pages (void)
{
  static const char lines[]
      = "72 100 10 0 450 A sentence that goes on over the end of its page and\n---\n"
        "72 100 10 0 200 ends on the next.\n";
  g_autofree char *joined = told (lines, 0, NULL), *apart = told (lines, TEXT_DOC_PARTS, NULL);

  g_assert_cmpstr (joined, ==,
                   "P0|A sentence that goes on over the end of its page and ends on the next.\n");
  g_assert_cmpstr (
      apart, ==, "P0|A sentence that goes on over the end of its page and\nP0|ends on the next.\n");
}

static void
test_tables (void)
{
  /* Three columns, an empty cell, a cell of two lines; bold names. */
  expect ("72 60 10 0 420 Some text before it that goes all the way across\n"
          "72 100 10 1 40 Item\n+200 100 10 1 30 Size\n+300 100 10 1 40 Price\n"
          "72 120 10 0 90 铸铁壶和一个很长\n72 132 10 0 40 的名字\n200 120 10 0 30 1.2\n"
          "+300 120 10 0 40 ¥128.00\n"
          "72 152 10 0 50 Tea cup\n+300 152 10 0 20 35\n"
          "72 192 10 0 420 and text behind it that goes all the way across\n",
          "P0|Some text before it that goes all the way across\n"
          "R3|Item|Size|Price\nR0|铸铁壶和一个很长的名字|1.2|¥128.00\nR0|Tea cup||35\n"
          "P0|and text behind it that goes all the way across\n");
  /* The first cell in the middle of three lines of the second. */
  expect ("72 100 10 0 40 Key\n200 100 10 0 60 Value\n"
          "200 124 10 0 200 one two three four five\n200 136 10 0 190 six seven eight nine\n"
          "200 148 10 0 60 and ten.\n72 136 10 0 50 Numbers\n"
          "72 172 10 0 50 Letters\n200 172 10 0 60 a to z\n",
          "R1|Key|Value\nR0|Numbers|one two three four five six seven eight nine and ten.\n"
          "R0|Letters|a to z\n");
  /* Rows as close as lines of text, told by their numbers. */
  expect ("72 100 10 0 90 Kettle\n300 100 10 0 30 45.90\n72 112 10 0 60 Jasmine tea\n"
          "300 112 10 0 30 29.80\n72 124 10 0 30 Total\n300 124 10 0 30 75.70\n",
          "R1|Kettle|45.90\nR0|Jasmine tea|29.80\nR0|Total|75.70\n");
  /* Names and what belongs to them, as close as lines of text. */
  expect ("72 100 10 0 30 负责人\n72 112 10 0 20 电话\n72 124 10 0 20 地址\n200 100 10 0 20 张三\n"
          "200 112 10 0 60 010-12345678\n200 124 10 0 300 北京市海淀区中关村大街一号电子世界大厦\n"
          "200 136 10 0 20 八层\n",
          "R1|负责人|张三\nR0|电话|010-12345678\n"
          "R0|地址|北京市海淀区中关村大街一号电子世界大厦八层\n");
  /* A name over two columns. */
  expect ("107 100 10 0 70 2024\n307 100 10 0 70 2023\n"
          "72 120 10 0 40 in\n172 120 10 0 40 out\n272 120 10 0 40 in\n372 120 10 0 40 out\n"
          "72 140 10 0 40 1\n172 140 10 0 40 2\n272 140 10 0 40 3\n372 140 10 0 40 4\n"
          "72 160 10 0 40 5\n172 160 10 0 40 6\n272 160 10 0 40 7\n372 160 10 0 40 8\n",
          "R1|2024||2023|\nR0|in|out|in|out\nR0|1|2|3|4\nR0|5|6|7|8\n");
}

/* Text in two columns, in blocks side by side, and marks before items are none. */
static void
test_no_tables (void)
{
  g_autoptr (GString) columns = g_string_new (NULL);
  g_autofree char *got = NULL, *one = NULL;
  gint64 counted = 0;

  for (guint leading = 12; leading <= 18; leading += 6)
    {
      g_string_truncate (columns, 0);
      for (guint side = 0; side < 2; side++)
        for (guint i = 0; i < 12; i++)
          g_string_append_printf (columns, "%u %u 10 0 %u lines of text that fill their column\n",
                                  side ? 310 : 72, 100 + i * leading, i % 5 == 4 ? 100 : 220);
      g_free (got);
      got = told (columns->str, 0, &counted);
      g_assert_null (strstr (got, "R0|"));
      g_assert_cmpint (counted, ==, 0);
    }
  expect ("72 100 10 0 60 ACME Limited\n300 100 10 0 60 Mr Example\n"
          "72 112 10 0 90 12 Long Street\n300 112 10 0 90 Harbour Road 3\n"
          "72 124 10 0 80 London N1\n300 124 10 0 80 Liverpool L3\n",
          "P0|ACME Limited Mr Example 12 Long Street Harbour Road 3 London N1 Liverpool L3\n");
  expect ("72 100 10 0 8 1.\n72 120 10 0 8 2.\n72 140 10 0 8 3.\n100 100 10 0 200 one\n"
          "100 120 10 0 190 two\n100 140 10 0 180 three\n",
          "I1|one\nI1|two\nI1|three\n");
  /* What is parted on one line alone is a line, with the blank that is seen. */
  expect ("72 100 10 0 50 姓名：张三\n+200 100 10 0 50 性别：男\n", "P0|姓名：张三 性别：男\n");
  expect ("72 100 10 0 50 姓名：张三\n200 100 10 0 50 性别：男\n", "P0|姓名：张三 性别：男\n");
}

/* Any number of cells and columns ends soon. */
static void
test_many_cells (void)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autofree char *got = NULL;

  for (guint i = 0; i < 15000; i++)
    g_string_append_printf (lines, "%u %u 2 0 2 x\n", i % 150 * 4, i / 150 * 4);
  got = told (lines->str, 0, NULL);
  g_assert_cmpuint (strlen (got), >, 15000);
  g_string_truncate (lines, 0);
  for (guint i = 0; i < 19000; i++)
    g_string_append_printf (lines, "%u %u 2 0 2 x\n", i % 19 * 30 + i / 19 % 7 * 4, i / 19 * 4);
  g_free (got);
  got = told (lines->str, 0, NULL);
  g_assert_cmpuint (strlen (got), >, 19000);
  /* Parts of one line behind a mark that was read before another; numbers without end. */
  g_string_assign (lines, "72 100 10 0 8 1.\n72 140 10 0 8 2.\n100 100 10 0 20 item\n");
  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (lines, "+%u 100 10 0 2 part\n", 130 + i);
  for (guint i = 0; i < 100000; i++)
    g_string_append (lines, "72 20 10 0 20 12\n");
  g_string_append (lines, "---\n72 20 10 0 20 12\n");
  g_free (got);
  got = told (lines->str, 0, NULL);
  g_assert_nonnull (strstr (got, "item part part"));
  g_assert_cmpuint (strlen (got), >, 500000);
}

/* Rows go on at the top of the next page, one alone, too, and behind names that are repeated;
 * numbers at the end of a page that are a row's are no page's. */
static void
test_tables_over_pages (void)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autofree char *got = NULL, *apart = NULL;
  gint64 counted = 0;

  for (guint page = 0; page < 4; page++)
    {
      const guint rows = page == 3 ? 1 : 3;

      g_string_append_printf (
          lines, "%s72 80 10 0 40 Item\n+200 80 10 0 40 Count\n+300 80 10 0 40 Price\n",
          page ? "---\n" : "");
      for (guint i = 0; i < rows; i++)
        g_string_append_printf (
            lines, "72 %u 10 0 60 good %c\n200 %u 10 0 20 %u\n300 %u 10 0 30 %u.50\n",
            710 + i * 20 - (page == 3) * 610, 'a' + page * 3 + i, 710 + i * 20 - (page == 3) * 610,
            page * 3 + i, 710 + i * 20 - (page == 3) * 610, page + i);
      /* what stands between is as far apart as rows are */
      for (guint y = 98; rows > 1 && y < 700; y += 20)
        g_string_append_printf (
            lines, "72 %u 10 0 60 more of it\n200 %u 10 0 10 1\n300 %u 10 0 30 1.00\n", y, y, y);
    }
  got = told (lines->str, 0, &counted);
  g_assert_true (g_str_has_prefix (got, "R1|Item|Count|Price\n"));
  g_assert_null (strstr (got + 10, "Item"));
  g_assert_null (strstr (got + 10, "R1"));
  g_assert_null (strstr (got, "P0"));
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *row = g_strdup_printf ("R0|good %c|%u|%u.50\n", 'a' + i, i, i / 3 + (i % 3));

      g_assert_nonnull (strstr (got, row));
    }
  /* Pages apart have each its own. */
  apart = told (lines->str, TEXT_DOC_PARTS, NULL);
  g_assert_nonnull (strstr (apart + 10, "R1|Item"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/documents/pages/paragraphs", test_paragraphs);
  g_test_add_func ("/documents/pages/headings", test_headings);
  g_test_add_func ("/documents/pages/lists", test_lists);
  g_test_add_func ("/documents/pages/margins", test_margins);
  g_test_add_func ("/documents/pages/contents", test_contents);
  g_test_add_func ("/documents/pages/over-pages", test_over_pages);
  g_test_add_func ("/documents/pages/tables", test_tables);
  g_test_add_func ("/documents/pages/tables-over-pages", test_tables_over_pages);
  g_test_add_func ("/documents/pages/no-tables", test_no_tables);
  g_test_add_func ("/documents/pages/many-cells", test_many_cells);
  return g_test_run ();
}
