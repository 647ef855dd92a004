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

  g_string_append_printf (got->out, "%c%u|%.*s\n", "?PHIRCQ"[block->kind], block -> level,
                          (int) block -> text.len, block->text.data);
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

/* Lines: "x y size bold width text", pages parted by "---". */
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
      g_auto (GStrv) f = g_strsplit (*l, " ", 6);
      PdfLine line = { 0 };

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
  return g_test_run ();
}
