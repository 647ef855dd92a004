/* SPDX-License-Identifier: Apache-2.0 */
/* test-report.c: the page and its parts: escaping, views, axes, differences,
 * and pages of runs whose files are strange. */
#include "config.h"

#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "report/report-private.h"
#include "report/report.h"
#include "testkit/testkit.h"

/* ---- text ---------------------------------------------------------------------- */

static void
check_escaped (const char *text, gssize len, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);

  fri_html_escape (out, text, len);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_escape (void)
{
  check_escaped ("plain 茶\n\t.", -1, "plain 茶\n\t.");
  check_escaped ("<script>alert(\"1\")</script>", -1,
                 "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
  check_escaped ("]]>&amp;", -1, "]]&gt;&amp;amp;");
  check_escaped ("a\0b\1\r\33\177", 7, "a␀b␁␍␛␡");
  check_escaped ("\302\205\357\277\277", -1, "\357\277\275\357\277\275"); /* U+0085, U+FFFF */
  check_escaped ("\377\300\200x\355\240\200", -1, /* no UTF-8: one U+FFFD each */
                 "\357\277\275\357\277\275\357\277\275x\357\277\275\357\277\275\357\277\275");
  check_escaped ("cut \344\270", -1, "cut \357\277\275\357\277\275");
}

static void
test_html (void)
{
  FriHtml *html = fri_html_new ();
  g_autofree char *text = NULL;
  gsize len;

  fri_html_open (html, "p", "title", "\"<&'", "class", NULL, NULL);
  fri_html_printf (html, "%s", "<b>");
  fri_html_void (html, "br", NULL);
  fri_html_close (html);
  text = fri_html_end (html, &len);
  g_assert_cmpstr (text, ==, "<p title=\"&quot;&lt;&amp;'\">&lt;b&gt;<br /></p>");
  g_assert_cmpuint (len, ==, strlen (text));
}

static void
test_fit (void)
{
  g_autofree char *whole = fri_text_fit ("short", 20), *cut = fri_text_fit ("一二三四五六", 4);

  g_assert_cmpstr (whole, ==, "short");
  g_assert_cmpstr (cut, ==, "一二三…");
  g_assert_cmpfloat (fri_text_width ("茶"), ==, 1);
}

/* ---- numbers --------------------------------------------------------------------- */

static void
check_number (double value, const char *expected)
{
  g_autofree char *text = fri_number (value);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_numbers (void)
{
  g_autofree char *bytes = fri_bytes (13000000), *ms = fri_seconds (0.0123),
                  *min = fri_seconds (252);

  check_number (0, "0");
  check_number (8.2, "8.2");
  check_number (0.41237, "0.4124");
  check_number (-3, "\342\210\2223");
  check_number (1234, "1234");
  check_number (1234567, "1\342\200\257234\342\200\257567");
  check_number (12345.678, "12\342\200\257346");
  check_number (2.5e-5, "2.5\302\26710⁻⁵");
  check_number (NAN, "–");
  g_assert_cmpstr (bytes, ==, "12.4\302\240MiB");
  g_assert_cmpstr (ms, ==, "12\302\240ms");
  g_assert_cmpstr (min, ==, "4\302\240min\302\24012\302\240s");
}

static void
check_axis (double low, double high, gboolean log, const char *expected)
{
  g_autoptr (FriAxis) axis = fri_axis_new (low, high, 5, log);
  g_autoptr (GString) labels = g_string_new (NULL);

  for (guint i = 0; i < axis->ticks->len; i++)
    {
      g_autofree char *label = fri_axis_label (axis, g_array_index (axis->ticks, double, i));

      g_string_append_printf (labels, "%s%s", i > 0 ? " " : "", label);
    }
  g_assert_cmpstr (labels->str, ==, expected);
  if (isfinite (low) && isfinite (high) && low < high)
    {
      g_assert_cmpfloat (fri_axis_place (axis, low), >=, -1e-9);
      g_assert_cmpfloat (fri_axis_place (axis, high), <=, 1 + 1e-9);
    }
}

static void
test_axes (void)
{
  check_axis (0, 10, FALSE, "0 2 4 6 8 10");
  check_axis (0.13, 0.62, FALSE, "0.1 0.2 0.3 0.4 0.5 0.6 0.7");
  check_axis (-3, 7, FALSE, "\342\210\2224 \342\210\2222 0 2 4 6 8");
  check_axis (5, 5, FALSE, "2 3 4 5 6 7 8");
  check_axis (0, 0, FALSE, "\342\210\2221.0 \342\210\2220.5 0.0 0.5 1.0");
  check_axis (1, 100000, TRUE, "1 10 100 1000 10\342\200\257000 10⁵");
  check_axis (0.2, 4, TRUE, "0.2 0.5 1 2");
  check_axis (0.8, 1.3, TRUE, "0.8 0.9 1 1.1 1.2 1.3");
  check_axis (0, NAN, FALSE, "0.0 0.2 0.4 0.6 0.8 1.0");
  check_axis (7, 3, FALSE, "0.0 0.2 0.4 0.6 0.8 1.0");
}

/* ---- differences ------------------------------------------------------------------- */

/* What the runs make of @before must be @after, and the other way round. */
static void
check_diff (const char *before, const char *after)
{
  g_autoptr (GArray) runs = fri_diff (before, after);
  g_autoptr (GString) b = g_string_new (NULL), a = g_string_new (NULL);
  const char *pb = before, *pa = after;

  g_assert_nonnull (runs);
  for (guint i = 0; i < runs->len; i++)
    {
      const FriRun *run = &g_array_index (runs, FriRun, i);
      const char *nb = pb, *na = pa;

      g_assert_cmpuint (run->length, >, 0);
      if (run->kind != FRI_RUN_INSERTED)
        nb = g_utf8_offset_to_pointer (pb, run->length);
      if (run->kind != FRI_RUN_DELETED)
        na = g_utf8_offset_to_pointer (pa, run->length);
      if (run->kind == FRI_RUN_KEPT)
        g_assert_cmpmem (pb, nb - pb, pa, na - pa);
      g_string_append_len (b, pb, nb - pb);
      g_string_append_len (a, pa, na - pa);
      pb = nb;
      pa = na;
    }
  g_assert_cmpstr (b->str, ==, before);
  g_assert_cmpstr (a->str, ==, after);
}

static void
test_diff (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autofree char *a = g_strnfill (1000, 'a'), *b = g_strnfill (1000, 'b');
  g_autoptr (GArray) html = fri_diff ("<p>茶杯</p>", "茶杯");

  g_assert_cmpuint (html->len, ==, 3);
  check_diff ("", "");
  check_diff ("", "new");
  check_diff ("old", "");
  check_diff ("same", "same");
  check_diff ("<p>小绿叶</p>", "小绿叶");
  check_diff ("kitten", "sitting");
  for (guint i = 0; i < 300; i++)
    {
      char one[24], two[24];
      guint n = g_rand_int_range (rand, 0, 20), m = g_rand_int_range (rand, 0, 20);

      for (guint k = 0; k < n; k++)
        one[k] = (char) ('a' + g_rand_int_range (rand, 0, 3));
      for (guint k = 0; k < m; k++)
        two[k] = (char) ('a' + g_rand_int_range (rand, 0, 3));
      one[n] = two[m] = '\0';
      check_diff (one, two);
    }
  g_assert_null (fri_diff (a, b));
}

/* ---- views --------------------------------------------------------------------------- */

static FrViews *
all_views (void)
{
  FrViews *v = fr_views_new ();

  fr_views_begin (v, FR_VIEW_FIGURES, "figures <b>");
  fr_views_add_figure (v, "loss", 1.5, "before: 2");
  fr_views_add_figure (v, "none", NAN, NULL);
  fr_views_add_figure_text (v, "size", "1 GiB", NULL);
  fr_views_note (v, "a note & more");
  fr_views_begin (v, FR_VIEW_TABLE, "table");
  fr_views_add_column (v, "name", FR_VIEW_TEXT);
  fr_views_add_column (v, "n", FR_VIEW_NUMBER);
  fr_views_add_column (v, "bar", FR_VIEW_BAR);
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_cell (v, "<script>alert(1)</script>");
  fr_views_add_number (v, 3);
  fr_views_add_number (v, -2.5);
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_cell (v, "invalid \377");
  fr_views_add_cell (v, NULL);
  fr_views_add_number (v, INFINITY);
  fr_views_begin (v, FR_VIEW_PLOT, "plot");
  fr_views_axes (v, "step", "loss", TRUE);
  fr_views_begin_series (v, "one", FALSE);
  for (int i = 0; i < 5000; i++)
    fr_views_add_point (v, i, i % 100 == 0 ? NAN : 1. / (i + 1));
  fr_views_begin_series (v, "two", TRUE);
  fr_views_add_point (v, 10, 0.5);
  fr_views_begin (v, FR_VIEW_PLOT, "nothing to see");
  fr_views_begin (v, FR_VIEW_HISTOGRAM, "histogram");
  fr_views_axes (v, "length", NULL, FALSE);
  fr_views_add_bin (v, 0, 1, 10);
  fr_views_add_bin (v, 1, 5, 20);
  fr_views_add_bin (v, 5, 5, 1);
  fr_views_begin (v, FR_VIEW_INTERVALS, "intervals");
  fr_views_unit (v, "BLEU", TRUE);
  fr_views_add_interval (v, "tuned", 12.5, 11, 14.25, "p = 0.01");
  fr_views_begin (v, FR_VIEW_TEXTS, "texts");
  fr_views_add_column (v, "base", FR_VIEW_TEXT);
  fr_views_add_column (v, "tuned", FR_VIEW_TEXT);
  fr_views_begin_row (v, "goods:1", "gain 3");
  fr_views_add_cell (v, "]]>");
  fr_views_add_cell (v, "茶");
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_cell (v, NULL);
  fr_views_add_cell (v, "");
  return v;
}

static void
test_views_made (void)
{
  g_autoptr (FrViews) v = all_views ();
  g_autoptr (JsonNode) node = fr_views_to_json (v), empty = fr_views_to_json (v);
  g_autoptr (GError) error = NULL;

  g_assert_true (fr_views_check (node, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (node)), ==, 7);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (empty)), ==, 0);
}

/* ---- views in several languages ------------------------------------------------------- */

static const FrViewWord chinese[] = {
  { "Split", "划分" },
  { "rows", "行数" },
  { "loss", "损失" },
  { "step", "步" },
  { "%u of %u rows, %.1f %%", "%u 行，共 %u 行，占 %.1f %%" },
  { "100 % of them", "全部" },
  { "yes", "是" },
  { NULL, NULL },
};

/* A view with every kind of text that is looked up, and cells, which are not. */
static FrViews *
spoken_views (void)
{
  FrViews *v = fr_views_new ();

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_FIGURES, "Split");
  fr_views_add_figure (v, "rows", 3, fr_views_printf (v, "%u of %u rows, %.1f %%", 3u, 4u, 75.));
  fr_views_add_figure_text (v, "BLEU", "yes", "100 % of them");
  fr_views_begin (v, FR_VIEW_TABLE, "Split");
  fr_views_add_column (v, "rows", FR_VIEW_TEXT);
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_cell (v, "rows");
  fr_views_begin_row (v, NULL, NULL);
  fr_views_add_word (v, fr_views_join (v, "loss", " (", "13a", ")", NULL));
  fr_views_note (v, fr_views_join (v, fr_views_printf (v, "%u of %u rows, %.1f %%", 1u, 2u, 50.),
                                   "; ", fr_views_join (v, "x ", "yes", NULL), NULL));
  fr_views_begin (v, FR_VIEW_PLOT, "loss");
  fr_views_axes (v, "step", "loss", FALSE);
  fr_views_begin_series (v, fr_views_printf (v, "<%s>", "13a"), FALSE);
  fr_views_add_point (v, 1, 2);
  fr_views_add_point (v, 2, 1);
  return v;
}

static char *
in_language (JsonNode *views, const char *language)
{
  g_autoptr (JsonNode) spoken = fri_speech_in (views, language);
  g_autoptr (GError) error = NULL;

  g_assert_true (fr_views_check (spoken, &error));
  g_assert_no_error (error);
  return fr_json_to_string (spoken, 0);
}

static void
test_views_spoken (void)
{
  g_autoptr (FrViews) v = spoken_views ();
  g_autoptr (JsonNode) node = fr_views_to_json (v);
  g_autoptr (GError) error = NULL;
  g_autofree char *zh = in_language (node, "zh-Hans"), *en = in_language (node, "en"),
                  *fr = in_language (node, "fr");

  g_assert_true (fr_views_check (node, &error));
  g_assert_no_error (error);
  g_assert_true (fri_speech_check (node, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (
      zh, ==,
      "[{\"view\":\"figures\",\"title\":\"划分\",\"items\":[{\"name\":\"行数\",\"value\":3,"
      "\"note\":"
      "\"3 行，共 4 行，占 75.0 %\"},{\"name\":\"BLEU\",\"value\":\"是\",\"note\":\"全部\"}]},"
      "{\"view\":\"table\",\"title\":\"划分\",\"columns\":[{\"name\":\"行数\",\"kind\":\"text\"}],"
      "\"rows\":[[\"rows\"],[\"损失 (13a)\"]],\"note\":\"1 行，共 2 行，占 50.0 %; x 是\"},"
      "{\"view\":\"plot\",\"title\":\"损失\",\"series\":[{\"name\":\"<13a>\",\"points\":[[1,2],[2,"
      "1]]}],"
      "\"x\":{\"label\":\"步\"},\"y\":{\"label\":\"损失\"}}]");
  g_assert_nonnull (strstr (en, "\"note\":\"1 of 2 rows, 50.0 %; x yes\""));
  g_assert_null (strstr (en, "行"));
  g_assert_cmpstr (en, ==, fr);
}

/* What is said in another language only in part is told, by its text. */
static void
test_views_half_spoken (void)
{
  g_autoptr (FrViews) v = spoken_views ();
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  fr_views_begin (v, FR_VIEW_HISTOGRAM, "BLEU");
  fr_views_axes (v, "points of 100", NULL, FALSE);
  node = fr_views_to_json (v);
  g_assert_true (fr_views_check (node, NULL));
  g_assert_false (fri_speech_check (node, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_cmpstr (
      error->message, ==,
      "other texts are said in another language too, but not the label \"points of 100\"");
}

/* Formats that would read what is not there are never used. */
static void
test_views_formats (void)
{
  static const FrViewWord bad[]
      = { { "%u rows", "%s 行" }, { "%u of %u", "%u" }, { "rows", "行 %d" }, { NULL, NULL } };
  g_autoptr (FrViews) v = fr_views_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  for (guint i = 0; i < 3; i++)
    g_test_expect_message ("flowrun", G_LOG_LEVEL_CRITICAL, "*take different arguments*");
  fr_views_translate (v, "zh", bad);
  g_test_assert_expected_messages ();
  fr_views_begin (v, FR_VIEW_FIGURES, fr_views_printf (v, "%u rows", 3u));
  node = fr_views_to_json (v);
  text = fr_json_to_string (node, 0);
  g_assert_cmpstr (text, ==, "[{\"view\":\"figures\",\"title\":\"3 rows\",\"items\":[]}]");
}

static void
check_refused (const char *json, const char *message)
{
  g_autoptr (JsonNode) node = fri_test_json (json, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (node);
  g_assert_false (fr_views_check (node, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_views_refused (void)
{
  check_refused ("{}", "views: expected an array");
  check_refused ("[3]", "views[0]: expected an object");
  check_refused ("[{'view': 'pie', 'title': 'T'}]",
                 "views[0].view: expected \"figures\", \"table\", \"plot\", \"histogram\", "
                 "\"intervals\" or \"texts\"");
  check_refused ("[{'view': 'figures', 'items': []}]", "views[0].title: expected it to be there");
  check_refused ("[{'view': 'figures', 'title': 'T', 'items': [], 'colour': 1}]",
                 "views[0].colour: expected no such member");
  check_refused ("[{'view': 'figures', 'title': 'T', 'items': [{'name': 'a', 'value': null}]}]",
                 "views[0].items[0].value: expected a number or a text");
  check_refused ("[{'view': 'table', 'title': 'T', 'columns': [{'name': 'a', 'kind': 'bars'}], "
                 "'rows': []}]",
                 "views[0].columns[0].kind: expected \"text\", \"number\" or \"bar\"");
  check_refused ("[{'view': 'table', 'title': 'T', 'columns': [{'name': 'a', 'kind': 'text'}], "
                 "'rows': [['x'], []]}]",
                 "views[0].rows[1]: expected 1 cells, one for each column, and found 0");
  check_refused ("[{'view': 'plot', 'title': 'T', 'x': {'label': ''}, 'y': {'label': ''}, "
                 "'series': [{'name': 'a', 'points': [[1, 2], [null, 3]]}]}]",
                 "views[0].series[0].points[1]: expected [x, y]");
  check_refused (
      "[{'view': 'histogram', 'title': 'T', 'x': {'label': ''}, "
      "'bins': [[0, 2, 1], [1, 3, 1]]}]",
      "views[0].bins[1]: expected a bin that begins where the one before ends, or later");
  check_refused ("[{'view': 'intervals', 'title': 'T', "
                 "'items': [{'name': 'a', 'value': 1, 'low': 2, 'high': 3}]}]",
                 "views[0].items[0]: expected low <= value <= high");
  check_refused ("[{'view': 'texts', 'title': 'T', 'columns': ['a', 'b'], "
                 "'rows': [{'cells': ['x', 3]}]}]",
                 "views[0].rows[0].cells[1]: expected a text");
  check_refused ("[{'view': 'figures', 'title': {'zh': '划分'}, 'items': []}]",
                 "views[0].title: expected texts by language, with \"en\" among them");
  check_refused ("[{'view': 'figures', 'title': {'en': 'Split', 'zh': 3}, 'items': []}]",
                 "views[0].title.zh: expected a text");
  check_refused ("[{'view': {'en': 'figures'}, 'title': 'T', 'items': []}]",
                 "views[0].view: expected \"figures\", \"table\", \"plot\", \"histogram\", "
                 "\"intervals\" or \"texts\"");
}

/* ---- pages ------------------------------------------------------------------------------ */

static const char manifest_text[]
    = "{'flowrun': '0.1', 'status': 'ok', 'seed': '42',"
      " 'pipeline': {'name': '<b>shop</b>', 'path': '/home/me/shop.json',"
      "   'file': {'description': 'a & b'}},"
      " 'stages': {"
      "  'goods': {'element': 'source.csv', 'plugin': 'csv', 'plugin_version': '1', 'seed': '7',"
      "    'parameters': {'path': 'a.csv', 'n': [1, null]}, 'from': {}, 'fingerprint': 'f',"
      "    'files': {'/home/me/a.csv': {'hash': 'xxh3:0', 'bytes': 10}},"
      "    'rows_in': {}, 'rows_out': {'out': 4, 'rejects': 1}},"
      "  'split': {'element': 'transform.split', 'from': {'in': ['goods.out']},"
      "    'rows_in': {'in': 4}, 'rows_out': {'train': 3, 'validation': 1, 'rejects': 0}},"
      "  'score': {'element': 'evaluator.text', 'from': {'in': ['split.train'],"
      "    'reference': ['goods.out']}, 'rows_in': {'in': 3}, 'rows_out': {}},"
      "  'out': {'element': 'sink.jsonl', 'from': {'in': ['split.train', 'split.validation']},"
      "    'rows_in': {'in': 4}, 'rows_out': {},"
      "    'outputs': [{'path': '/home/me/o.jsonl', 'hash': 'xxh3:1', 'bytes': 99}]}},"
      " 'run': {'started': '2026-01-02T03:04:05Z', 'language': 'en'}}";

static const char report_text[]
    = "{'limits_passed': [], 'stages': {"
      "  'goods': {'rejects': 1, 'rejects_by_rule': {'<bad>': 1}, 'counters': {'x': 3},"
      "    'metrics': {'loss': {'every': 1, 'values': [3, 2, 1]}}, 'reports': {},"
      "    'limits_passed': ['too <many>'], 'warnings': 2},"
      "  'score': {'reports': {'views': []}}},"
      " 'run': {'started': '2026-01-02T03:04:05Z', 'seconds': 2.5, 'workers': 2, 'memory': 1024,"
      "   'peak_resident_bytes': 4096, 'command': 'flowrun <x>',"
      "   'machine': {'processor': 'P', 'processors': 2, 'memory': 9, 'system': 'S', 'kernel': "
      "'K'},"
      "   'stages': {'goods': {'state': 'done', 'working': 1.5, 'waiting_for_input': 0.1},"
      "     'split': {'state': 'reused', 'kept_from': '2026-01-01T00:00:00Z'},"
      "     'score': {'state': 'failed'}, 'out': {'state': 'done'}}}}";

static const char samples_text[]
    = "{'rows': 5, 'stages': {"
      "  'goods': {'warnings': ['mind <this>'], 'ports': {"
      "    'out': {'columns': ['id', 'text'], 'rows': ["
      "        {'id': 'goods:1', 'cells': ['1', '<script>alert(1)</script>']},"
      "        {'id': 'goods:2', 'cells': ['2', {'cut': 'long', 'of': 9000}]},"
      "        {'id': 'goods:3', 'cells': [null, '']}],"
      "      'lengths': {'text': {'rows': 4, 'nulls': 1, 'min': 0, 'max': 90, 'sum': 100,"
      "        'bins': [[0, 1], [10, 1], [90, 1]]}}},"
      "    'rejects': {'columns': ['where', 'raw', 'reject_rule', 'reject_reason'], 'rules': {"
      "      '<bad>': [{'id': 'goods:9', 'cells': ['a.csv:9', ']]>', '<bad>', 'it is bad']}]}}}},"
      "  'split': {'ports': {"
      "    'train': {'columns': ['id', 'text'], 'before_columns': ['id', 'text', 'gone'],"
      "      'rows': [{'id': 'goods:1', 'cells': ['1', 'other']},"
      "        {'id': 'goods:2~1', 'cells': ['2', 'x']}],"
      "      'changes': [{'id': 'goods:1', 'before': ['1', '<b>old</b> text that stays', 'g'],"
      "        'cells': ['1', 'old text that stays']}],"
      "      'lengths': {'text': {'rows': 3, 'nulls': 0, 'min': 1, 'max': 400, 'sum': 410,"
      "        'bins': [[1, 2], [400, 1]]}}},"
      "    'validation': {'columns': ['id', 'text'], 'rows': [{'id': 'goods:4', 'cells': []}],"
      "      'lengths': {}}}}}}";

static void
on_element (GMarkupParseContext *context, const char *name, const char **names, const char **values,
            gpointer data, GError **error)
{
  (void) context, (void) data, (void) error;
  g_assert_cmpstr (name, !=, "script");
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_assert_false (g_str_has_prefix (names[i], "on"));
      g_assert_cmpstr (names[i], !=, "src");
      if (strcmp (names[i], "href") == 0)
        g_assert_true (values[i][0] == '#' || strcmp (values[i], "data:,") == 0);
    }
}

static void
must_be_sound (const char *page, gsize len)
{
  static const GMarkupParser parser = { .start_element = on_element };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_markup_parse_context_parse (context, page, (gssize) len, &error);
  g_assert_no_error (error);
  g_markup_parse_context_end_parse (context, &error);
  g_assert_no_error (error);
}

static JsonNode *
parsed (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = fri_test_json (text, &error);

  g_assert_no_error (error);
  return node;
}

static void
save (const char *dir, const char *name, JsonNode *node)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = fr_json_to_string (node, 0);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static char *
page_of (const char *dir, const char *language, gsize *len)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FriPageData) data = fri_page_data_load (dir, &error);

  if (data == NULL)
    {
      g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
      return NULL;
    }
  return fri_page_make (data, language, len);
}

static char *
run_dir (void)
{
  char *dir = g_dir_make_tmp ("fr-report-XXXXXX", NULL);
  g_autoptr (JsonNode) manifest = parsed (manifest_text), report = parsed (report_text),
                       samples = parsed (samples_text);
  g_autoptr (FrViews) views = all_views ();
  JsonObject *stages = json_object_get_object_member (json_node_get_object (report), "stages");
  JsonObject *score = json_object_get_object_member (stages, "score");

  json_object_set_member (json_object_get_object_member (score, "reports"), "views",
                          fr_views_to_json (views));
  save (dir, "manifest.json", manifest);
  save (dir, "report.json", report);
  save (dir, "samples.json", samples);
  return dir;
}

static void
remove_dir (const char *dir)
{
  static const char *const names[]
      = { "manifest.json", "report.json", "samples.json", "failed.json", "report.html" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (dir, names[i], NULL);

      (void) g_unlink (path);
    }
  g_rmdir (dir);
}

static void
must_hold (const char *page, const char *text)
{
  if (strstr (page, text) == NULL)
    g_error ("the page lacks '%s'", text);
}

static void
test_page (void)
{
  g_autofree char *dir = run_dir ();
  gsize len, len_zh;
  g_autofree char *page = page_of (dir, "en", &len), *again = page_of (dir, "en", &len);
  g_autofree char *zh = page_of (dir, "zh_CN", &len_zh);

  must_be_sound (page, len);
  must_be_sound (zh, len_zh);
  g_assert_cmpstr (page, ==, again);
  must_hold (page, "&lt;b&gt;shop&lt;/b&gt;");
  must_hold (page, "&lt;script&gt;alert(1)&lt;/script&gt;");
  must_hold (page, "it is bad");
  must_hold (page, "too &lt;many&gt;");
  must_hold (page, "mind &lt;this&gt;");
  must_hold (page, "<del>&lt;b&gt;</del>");
  must_hold (page, "kept from the run of 2026-01-01");
  must_hold (page, "log.jsonl"); /* a warning more than texts */
  must_hold (zh, "成功");
  must_hold (zh, "lang=\"zh-Hans\"");
  /* Scores come before everything else. */
  g_assert_true (strstr (page, "id=\"scores\"") < strstr (page, "id=\"graph\""));
  remove_dir (dir);
}

/* A row of an earlier run must not come back where rows are switched off. */
static void
test_no_rows (void)
{
  g_autofree char *dir = run_dir ();
  g_autoptr (JsonNode) samples = parsed (samples_text);
  g_autofree char *page = NULL;
  gsize len;

  json_object_set_int_member (json_node_get_object (samples), "rows", 0);
  save (dir, "samples.json", samples);
  page = page_of (dir, "en", &len);
  must_be_sound (page, len);
  g_assert_null (strstr (page, "alert(1)&lt;/script&gt;</div"));
  g_assert_null (strstr (page, "it is bad"));
  g_assert_null (strstr (page, "old text that stays"));
  g_assert_null (strstr (page, "]]&gt;")); /* of the view of texts */
  must_hold (page, "No rows are shown");
  remove_dir (dir);
}

static void
test_failed (void)
{
  g_autofree char *dir = run_dir ();
  g_autoptr (JsonNode) failed = parsed (
      "{'started': '2026-01-02T03:04:05Z', 'status': 'failed', 'error': 'stage <x> broke',"
      " 'manifest': {'status': 'failed', 'stages': {'goods': {'element': 'source.csv'}},"
      "   'run': {}}, 'report': {}, 'samples': {'rows': 1}}");
  g_autoptr (GError) error = NULL;
  g_autofree char *page = NULL, *later = NULL;
  gsize len;

  save (dir, "failed.json", failed);
  page = page_of (dir, "en", &len);
  must_be_sound (page, len);
  must_hold (page, "stage &lt;x&gt; broke");
  must_hold (page, "2026-01-02"); /* of the run whose results stand */
  /* One that an older run left behind says nothing any more. */
  json_object_set_string_member (json_node_get_object (failed), "started", "2025-12-31T00:00:00Z");
  save (dir, "failed.json", failed);
  later = page_of (dir, "en", &len);
  g_assert_null (strstr (later, "&lt;x&gt; broke"));
  g_assert_true (fri_report_write (dir, NULL, &error));
  g_assert_no_error (error);
  remove_dir (dir);
  g_assert_false (fri_report_write (dir, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
}

/* Every value in the files is replaced by one of every other type in turn:
 * whatever somebody edited, the page is made, and is sound. */
static guint
edit (JsonNode *node, guint at, guint with, guint *count)
{
  static const char *const values[]
      = { "null", "-1e300", "'<i>'", "[]", "{}", "[{}, [3], 'x', 7]" };

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObject *object = json_node_get_object (node);
      g_autoptr (GList) names = json_object_get_members (object);

      for (GList *n = names; n != NULL; n = n->next)
        if ((*count)++ == at)
          {
            json_object_set_member (object, n->data, parsed (values[with]));
            return TRUE;
          }
        else if (edit (json_object_get_member (object, n->data), at, with, count))
          return TRUE;
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        if ((*count)++ == at)
          {
            g_autoptr (JsonArray) changed = json_array_new ();

            for (guint k = 0; k < json_array_get_length (array); k++)
              json_array_add_element (changed,
                                      k == i ? parsed (values[with])
                                             : json_node_copy (json_array_get_element (array, k)));
            json_node_set_array (node, changed);
            return TRUE;
          }
        else if (edit (json_array_get_element (array, i), at, with, count))
          return TRUE;
    }
  return FALSE;
}

static void
test_edited (void)
{
  static const struct
  {
    const char *name, *text;
  } files[] = { { "manifest.json", manifest_text },
                { "report.json", report_text },
                { "samples.json", samples_text } };
  g_autofree char *dir = run_dir ();
  g_autoptr (JsonNode) plain = parsed (report_text);
  guint n_pages = 0;

  /* Without the long views, which took most of the time. */
  save (dir, "report.json", plain);
  for (guint f = 0; f < G_N_ELEMENTS (files); f++)
    {
      g_autoptr (JsonNode) whole = parsed (files[f].text);

      for (guint at = 0;; at++)
        {
          gboolean edited = FALSE;

          for (guint with = 0; with < 6; with++)
            {
              g_autoptr (JsonNode) node = parsed (files[f].text);
              g_autofree char *page = NULL;
              guint count = 0;
              gsize len;

              edited = edit (node, at, with, &count);
              if (!edited)
                break;
              save (dir, files[f].name, node);
              page = page_of (dir, "en", &len);
              if (page != NULL)
                must_be_sound (page, len);
              n_pages += page != NULL;
            }
          if (!edited)
            break;
        }
      save (dir, files[f].name, whole);
    }
  g_assert_cmpuint (n_pages, >, 900);
  remove_dir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/escape", test_escape);
  g_test_add_func ("/report/html", test_html);
  g_test_add_func ("/report/fit", test_fit);
  g_test_add_func ("/report/numbers", test_numbers);
  g_test_add_func ("/report/axes", test_axes);
  g_test_add_func ("/report/diff", test_diff);
  g_test_add_func ("/report/views/made", test_views_made);
  g_test_add_func ("/report/views/spoken", test_views_spoken);
  g_test_add_func ("/report/views/half-spoken", test_views_half_spoken);
  g_test_add_func ("/report/views/formats", test_views_formats);
  g_test_add_func ("/report/views/refused", test_views_refused);
  g_test_add_func ("/report/page", test_page);
  g_test_add_func ("/report/no-rows", test_no_rows);
  g_test_add_func ("/report/failed", test_failed);
  g_test_add_func ("/report/edited", test_edited);
  return g_test_run ();
}
