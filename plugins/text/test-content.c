/* SPDX-License-Identifier: Apache-2.0 */
/* test-content.c: main content of pages: our own pages against what a reader would keep of them
 * (test-pages), Mozilla Readability's synthetic pages and the Chinese Apache manual against their
 * sources, the html5lib encoding tests, and bombs. */
#include "config.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "text/charset.h"
#include "text/content.h"
#include "text/dom.h"

/* A literal as FrStr. */
#define S(text) ((FrStr){ (text), strlen (text) })

static char *
str (FrStr s)
{
  return g_strndup (s.data, s.len);
}

#define assert_str(value, want)                                                                    \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *got_ = str (value);                                                         \
      g_assert_cmpstr (got_, ==, want);                                                            \
    }                                                                                              \
  while (0)

static char *
data_path (const char *name)
{
  const char *base = g_getenv ("FLOWRUN_DATA");

  return g_build_filename (base ? base : "", name, NULL);
}

static gboolean
load (const char *path, char **data, gsize *len)
{
  return g_file_get_contents (path, data, len, NULL);
}

/* ---- our own pages ----------------------------------------------------------- */

static void
append_member (GString *out, const char *key, FrStr value)
{
  if (value.len > 0)
    g_string_append_printf (out, "%s: %.*s\n", key, (int) value.len, value.data);
}

/* What is known of a page, in the form of the .md files beside the pages. */
static char *
describe (const TextContent *page)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "kind: %s\n", text_page_kind_name (page->kind));
  append_member (out, "title", page->title);
  append_member (out, "byline", page->byline);
  append_member (out, "site", page->site);
  append_member (out, "published", page->published);
  append_member (out, "date_from", S (page->date_from));
  append_member (out, "modified", page->modified);
  append_member (out, "language", page->language);
  append_member (out, "canonical", page->canonical);
  append_member (out, "description", page->description);
  append_member (out, "keywords", page->keywords);
  if (page->robots != 0)
    g_string_append_printf (out, "robots: %u\n", page->robots);
  g_string_append_c (out, '\n');
  text_content_append (page, TEXT_STYLE_MARKDOWN, out);
  g_string_append_c (out, '\n');
  return g_string_free (out, FALSE);
}

static void
check_page (gconstpointer data)
{
  const char *name = data;
  g_autofree char *dir = g_test_build_filename (G_TEST_DIST, "plugins", "text", "test-pages", NULL);
  g_autofree char *html_name = g_strconcat (name, ".html", NULL);
  g_autofree char *want_name = g_strconcat (name, ".md", NULL);
  g_autofree char *html_path = g_build_filename (dir, html_name, NULL);
  g_autofree char *want_path = g_build_filename (dir, want_name, NULL);
  TextContentOptions options = { .url = "https://www.example.com/dir/page.html" };
  g_autofree char *html = NULL, *want = NULL, *got = NULL;
  g_autoptr (TextContent) page = NULL;
  gsize len;

  g_assert_true (load (html_path, &html, &len));
  page = text_content_new (html, len, &options);
  got = describe (page);
  if (g_getenv ("UPDATE") != NULL)
    g_assert_true (g_file_set_contents (want_path, got, -1, NULL));
  g_assert_true (load (want_path, &want, NULL));
  g_assert_cmpstr (got, ==, want);
}

/* The same page in the charsets of old: the same text comes out, whatever the header says. */
static void
check_charsets (void)
{
  static const struct
  {
    const char *charset, *label, *transport, *how, *claimed;
  } ways[] = {
    { "GB18030", "gb2312", NULL, "meta", NULL },
    { "GB18030", "gb2312", "GBK", "transport", NULL },
    { "GB18030", "nonsense", NULL, "guessed", NULL },
    { "GB18030", "utf-8", NULL, "guessed", "utf-8" },
    { "UTF-8", "gb2312", NULL, "guessed", "gb18030" },
    { "UTF-8", "gb2312", "utf-8", "transport", NULL },
    { "UTF-8", "utf-8", "gb2312", "meta", "gb18030" },
    { "UTF-16LE", "gb2312", NULL, "guessed", NULL },
  };
  g_autofree char *path
      = g_test_build_filename (G_TEST_DIST, "plugins", "text", "test-pages", "legacy.html", NULL);
  g_autofree char *html = NULL, *want = NULL;

  g_assert_true (load (path, &html, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *label = g_strdup_printf ("charset=%s", ways[i].label);
      g_autoptr (GString) text = g_string_new (html);
      g_autofree char *bytes = NULL, *got = NULL;
      TextContentOptions options = { .charset = ways[i].transport };
      g_autoptr (TextContent) page = NULL;
      gsize len;

      g_string_replace (text, "charset=gb2312", label, 1);
      bytes = g_convert (text->str, (gssize) text->len, ways[i].charset, "UTF-8", NULL, &len, NULL);
      g_assert_nonnull (bytes);
      page = text_content_new (bytes, len, &options);
      g_assert_cmpuint (page->n_replaced, ==, 0);
      g_assert_cmpstr (page->charset_from, ==, ways[i].how);
      assert_str (page->charset_claimed, ways[i].claimed ? ways[i].claimed : "");
      got = describe (page);
      if (want == NULL)
        want = g_steal_pointer (&got);
      else
        g_assert_cmpstr (got, ==, want);
    }
}

/* Traditional characters in Big5, with and without a word about it. */
static void
check_big5 (void)
{
  static const char *const heads[] = { "", "<meta charset=big5>", "<meta charset=utf-8>" };
  static const char *const how[] = { "guessed", "meta", "guessed" };
  const char *body
      = "<title>春季果樹修剪要點</title><p>春季修剪應在萌芽之前完成，此時樹液開始流動，"
        "傷口癒合比較快，但是過晚會消耗樹體養分。</p><p>修剪之後，直徑較大的傷口應當塗抹保"
        "護劑，防止病菌侵入。</p>";
  g_autofree char *want = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      g_autofree char *html = g_strconcat (heads[i], body, NULL);
      gsize len;
      g_autofree char *bytes = g_convert (html, -1, "BIG5", "UTF-8", NULL, &len, NULL);
      g_autofree char *got = NULL;
      g_autoptr (TextContent) page = NULL;

      g_assert_nonnull (bytes);
      page = text_content_new (bytes, len, NULL);
      g_assert_cmpstr (page->charset, ==, "big5");
      g_assert_cmpstr (page->charset_from, ==, how[i]);
      g_assert_cmpuint (page->n_replaced, ==, 0);
      assert_str (page->language, "zh");
      got = describe (page);
      g_assert_nonnull (strstr (got, "傷口應當塗抹保護劑"));
      if (want == NULL)
        want = g_steal_pointer (&got);
      else
        g_assert_cmpstr (got, ==, want);
    }
}

/* ---- metadata ------------------------------------------------------------------ */

static void
check_dates (void)
{
  static const struct
  {
    const char *text, *date;
  } dates[] = {
    { "2024年5月6日", "2024-05-06" },
    { "２０２４年５月６日", "2024-05-06" },
    { "2024 年 5 月 6 日 09:30", "2024-05-06T09:30:00" },
    { "发布时间：2024-05-06 09:30:15 来源：本站", "2024-05-06T09:30:15" },
    { "时间：2024/5/6 下午3时20分", "2024-05-06T15:20:00" },
    { "2024.05.06", "2024-05-06" },
    { "二〇二四年五月六日", "2024-05-06" },
    { "二○二三年十二月三十一日", "2023-12-31" },
    { "二〇一九年十月二十日", "2019-10-20" },
    { "2024-05-06T09:30:15.123Z", "2024-05-06T09:30:15Z" },
    { "2024-05-06T09:30+08:00", "2024-05-06T09:30:00+08:00" },
    { "2024-05-06T09:30:00+0800", "2024-05-06T09:30:00+08:00" },
    { "Mon, 06 May 2024 09:30:15 GMT", "2024-05-06T09:30:15Z" },
    { "May 6, 2024", "2024-05-06" },
    { "Posted on 6th May 2024 at noon", "2024-05-06" },
    { "Sept. 9, 2020 3:05 pm", "2020-09-09T15:05:00" },
    { "20240506", NULL },
    { "2024-02-30", NULL },
    { "2023-02-29", NULL },
    { "2024-02-29", "2024-02-29" },
    { "1066-10-14", NULL },
    { "第2024-05-061号", NULL },
    { "192.168.10.12 和 1.2.3", NULL },
    { "电话 010-2024-0506", NULL },
    { "2024年5月", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (dates); i++)
    {
      g_autofree char *html
          = g_strdup_printf ("<p><time>%s</time><p>正文在这里，没有别的日期。", dates[i].text);
      g_autoptr (TextContent) page = text_content_new_utf8 (S (html), NULL);

      assert_str (page->published, dates[i].date ? dates[i].date : "");
    }
}

static void
check_date_sources (void)
{
  static const struct
  {
    const char *html, *url, *date, *from;
  } sources[] = {
    { "<meta name=pubdate content=20240506093015><time>2001-01-01</time>", NULL,
      "2024-05-06T09:30:15", "meta" },
    { "<meta property=article:published_time content=2024-05-06><meta name=date content=2001-1-1>",
      NULL, "2024-05-06", "meta" },
    { "<script "
      "type=application/ld+json>{\"@type\":\"NewsArticle\",\"datePublished\":\"2024-05-06\"}"
      "</script><meta property=article:published_time content=2001-01-01>",
      NULL, "2024-05-06", "json-ld" },
    { "<span itemprop=datePublished content=2024-05-06>yesterday</span>", NULL, "2024-05-06",
      "time" },
    { "<span class='x pubtime'>2024年5月6日</span>", NULL, "2024-05-06", "time" },
    { "<p>发布日期：2024-05-06</p><p>长长的正文，讲的是别的事情。</p>", NULL, "2024-05-06",
      "text" },
    { "<p>会议于2024年5月6日在江滨召开，讨论了三件事情。</p>", NULL, "", "" },
    { "<p>x", "https://example.com/news/2024/05/06/a.html", "2024-05-06", "url" },
    { "<p>x", "https://example.com/n1/2024/0506/c1.html", "2024-05-06", "url" },
    { "<p>x", "https://example.com/20240506/c1.html", "2024-05-06", "url" },
    { "<p>x", "https://example.com/2024-05/06/c1.html", "2024-05-06", "url" },
    { "<p>x", "https://example.com/item/202405061.html", "", "" },
    { "<p>x", "https://example.com/2024/13/06/", "", "" },
    { "<meta name=date content=soon><p>x", "https://example.com/2024/5/6/", "2024-05-06", "url" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      TextContentOptions options = { .url = sources[i].url };
      g_autoptr (TextContent) page = text_content_new_utf8 (S (sources[i].html), &options);

      if (page->published.len != strlen (sources[i].date))
        g_test_message ("%s", sources[i].html);
      assert_str (page->published, sources[i].date);
      g_assert_cmpstr (page->date_from, ==, sources[i].from);
    }
}

static void
check_titles (void)
{
  static const struct
  {
    const char *html, *title;
  } titles[] = {
    { "<title>江滨大桥通车_本地新闻_江滨在线</title>", "江滨大桥通车" },
    { "<title>江滨大桥今天正式通车-江滨在线</title>", "江滨大桥今天正式通车" },
    { "<title>江滨大桥今天正式通车--江滨在线</title>", "江滨大桥今天正式通车" },
    { "<title>江滨大桥今天正式通车 | 江滨在线</title>", "江滨大桥今天正式通车" },
    { "<title>一座跨海大桥的诞生：五年与三千人</title>", "一座跨海大桥的诞生：五年与三千人" },
    { "<title>Well-known state-of-the-art tools</title>", "Well-known state-of-the-art tools" },
    { "<title>Sharpening kitchen knives - The Quiet Kitchen</title>", "Sharpening kitchen knives" },
    { "<title>Go - 语言教程</title>", "Go - 语言教程" },
    { "<title>江滨在线 - 大桥通车</title><h1>大桥通车</h1>", "大桥通车" },
    { "<title>What is ownership? - The Handbook</title><h1 class=menu-title>The Handbook</h1><h2>"
      "What Is Ownership?</h2>",
      "What is ownership?" },
    { "<title>T</title><meta property=og:title content='Graph title'>", "Graph title" },
    { "<meta property=og:title content='G'><meta name=dc.title content='Dublin'>", "Dublin" },
    { "<meta property='x:y og:title dc:title' content='Three'><title>T</title>", "Three" },
    { "<p>没有标题的页面。<h1>只有这个</h1><p>后面还有一段文字。", "只有这个" },
    { "<title> 两行的\n 标题 </title>", "两行的 标题" },
    { "", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    {
      g_autoptr (TextContent) page = text_content_new_utf8 (S (titles[i].html), NULL);

      assert_str (page->title, titles[i].title);
    }
}

static void
check_json_ld (void)
{
  static const char *const broken[] = { "{",
                                        "[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                        "{\"@type\":",
                                        "{\"@graph\":{\"@graph\":{\"a\":[",
                                        "null",
                                        "]",
                                        "{\"@type\":\"Article\",\"author\":[[[{\"name\":1}]]]}" };
  const char *html
      = "<script type='application/ld+json'>\n<!--\n[{\"@type\":[\"Thing\",\"NewsArticle\"],"
        "\"headline\":\"大桥\\u901a车\",\"author\":{\"name\":\"陈小舟\"},\"x\":{\"y\":[1,2,{}]},"
        "\"datePublished\":\"2024-05-06\",\"publisher\":{\"@type\":\"Organization\",\"name\":\"江滨"
        "在线\"},\"inLanguage\":\"zh-Hans\"}]\n--></script><p>正文正文正文正文正文正文正文。";
  g_autoptr (TextContent) page = text_content_new_utf8 (S (html), NULL);

  assert_str (page->title, "大桥通车");
  assert_str (page->byline, "陈小舟");
  assert_str (page->site, "江滨在线");
  assert_str (page->published, "2024-05-06");
  assert_str (page->language, "zh-Hans");
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "<script type=application/ld+json>%s</script><title>T</title>", broken[i]);
      g_autoptr (TextContent) bad = text_content_new_utf8 (S (text), NULL);

      assert_str (bad->title, "T");
    }
}

/* A page whose text is in its JSON-LD alone. */
static void
check_article_body (void)
{
  const char *html
      = "<script type=application/ld+json>{\"@type\":\"NewsArticle\",\"articleBody\":\"江滨大桥今天"
        "正式通车。桥长三公里，双向六车道。\\n\\n通车之后，两岸往来只要五分钟。\"}</script><div "
        "id=app>"
        "</div><nav><a href=/>首页</a></nav>";
  g_autoptr (TextContent) page = text_content_new_utf8 (S (html), NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  text_content_append (page, TEXT_STYLE_PLAIN, text);
  g_assert_cmpstr (
      text->str, ==,
      "江滨大桥今天正式通车。桥长三公里，双向六车道。\n\n通车之后，两岸往来只要五分钟。");
  g_assert_cmpint (page->kind, ==, TEXT_PAGE_PROSE);
  assert_str (page->language, "zh");
}

static void
check_language (void)
{
  static const struct
  {
    const char *html, *language;
  } said[] = {
    { "<html lang=zh_cn><p>这是一段中文，足够长，可以判断它的语言。", "zh-CN" },
    { "<html lang=en><p>这是一段中文，足够长，可以判断它的语言。", "zh" },
    { "<html lang=ZH-HANT-tw><p>這是一段中文，足夠長，可以判斷它的語言。", "zh-Hant-TW" },
    { "<p>これは日本語の文章です。言葉を判断するのに十分な長さがあります。", "ja" },
    { "<p>이것은 한국어 문장입니다. 언어를 판단하기에 충분히 깁니다.", "ko" },
    { "<html lang=de><p>Das ist ein deutscher Satz, lang genug.", "de" },
    { "<meta http-equiv=content-language content=fr><p>Une phrase.", "fr" },
    { "<p>A sentence of which nobody says the language.", "" },
    { "<html lang='<x>'><p>x", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (said); i++)
    {
      g_autoptr (TextContent) page = text_content_new_utf8 (S (said[i].html), NULL);

      assert_str (page->language, said[i].language);
    }
}

static void
check_robots (void)
{
  g_autoptr (TextContent) page = text_content_new_utf8 (
      S ("<meta name=Robots content='NOINDEX, max-snippet:20'><meta name=baiduspider "
         "content=noarchive><meta http-equiv=Refresh content=\"3; URL='next.html'\"><a href=x>x"),
      &(TextContentOptions){ .url = "http://a.example/b/" });

  g_assert_cmpuint (page->robots, ==, TEXT_ROBOTS_NOINDEX | TEXT_ROBOTS_NOARCHIVE);
  assert_str (page->refresh, "http://a.example/b/next.html");
  g_assert_cmpuint (page->n_links, ==, 2);
  g_assert_cmpuint (page->links[1].flags, ==, TEXT_LINK_REFRESH);
  g_assert_cmpuint (text_robots_parse (S ("none")), ==, TEXT_ROBOTS_NOINDEX | TEXT_ROBOTS_NOFOLLOW);
  g_assert_cmpuint (text_robots_parse (S ("all, nofollowing")), ==, 0);
}

/* ---- links ----------------------------------------------------------------------- */

static void
check_addresses (void)
{
  /* RFC 3986, section 5.4, without the fragments, and what browsers read. */
  static const struct
  {
    const char *href, *url;
  } normal[] = {
    { "g", "http://a/b/c/g" },
    { "./g", "http://a/b/c/g" },
    { "g/", "http://a/b/c/g/" },
    { "/g", "http://a/g" },
    { "//g", "http://g/" },
    { "?y", "http://a/b/c/d;p?y" },
    { "g?y", "http://a/b/c/g?y" },
    { "#s", "http://a/b/c/d;p?q" },
    { "g#s", "http://a/b/c/g" },
    { ";x", "http://a/b/c/;x" },
    { "", "http://a/b/c/d;p?q" },
    { ".", "http://a/b/c/" },
    { "..", "http://a/b/" },
    { "../g", "http://a/b/g" },
    { "../..", "http://a/" },
    { "../../g", "http://a/g" },
    { "../../../g", "http://a/g" },
    { "/./g", "http://a/g" },
    { "/../g", "http://a/g" },
    { "g.", "http://a/b/c/g." },
    { "..g", "http://a/b/c/..g" },
    { "./../g", "http://a/b/g" },
    { "g/./h", "http://a/b/c/g/h" },
    { "g/../h", "http://a/b/c/h" },
    { "g;x=1/../y", "http://a/b/c/y" },
    { "g?y/../x", "http://a/b/c/g?y/../x" },
    { "http:g", "http://a/b/c/g" },
    { "HTTPS://B/x", "https://B/x" },
    { "https://b", "https://b/" },
    { "..\\g", "http://a/b/g" },
    { " g\n", "http://a/b/c/g" },
    { "g\th\n", "http://a/b/c/gh" },
    { "中文 页.html", "http://a/b/c/%E4%B8%AD%E6%96%87%20%E9%A1%B5.html" },
    { "%E4%B8%AD", "http://a/b/c/%E4%B8%AD" },
    { "javascript:void(0)", "" },
    { "mailto:x@y", "" },
    { "data:text/html,x", "" },
    { "tel:123", "" },
    { "https:", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (normal); i++)
    {
      g_autofree char *html = g_strdup_printf ("<a href='%s'>x</a>", normal[i].href);
      g_autoptr (TextContent) page
          = text_content_new_utf8 (S (html), &(TextContentOptions){ .url = "http://a/b/c/d;p?q" });

      g_assert_cmpuint (page->n_links, ==, 1);
      assert_str (page->links[0].url, normal[i].url);
    }
}

static void
check_links (void)
{
  const char *html
      = "<base href='/base/'><base href=/no/><link rel=next href=2.html><link rel=stylesheet "
        "href=x.css><link rel=alternate type=application/rss+xml href=rss><a href=a.html>一 "
        "<b>二</b></a><a rel='noopener nofollow' href=b.html><img src=x alt='图 片'></a><a "
        "name=here>no link</a><map><area href=c.html></map><iframe src=f.html></iframe><a "
        "href='//cdn.example/d?x=1&amp;y=2#z'>d</a>";
  g_autoptr (TextContent) page = text_content_new_utf8 (
      S (html), &(TextContentOptions){ .url = "https://h.example/p/q.html" });
  static const struct
  {
    const char *url, *text;
    guint flags;
  } want[] = {
    { "https://h.example/base/2.html", "", TEXT_LINK_NEXT },
    { "https://h.example/base/a.html", "一 二", TEXT_LINK_MAIN },
    { "https://h.example/base/b.html", "图 片", TEXT_LINK_MAIN | TEXT_LINK_NOFOLLOW },
    { "https://h.example/base/c.html", "", TEXT_LINK_MAIN },
    { "https://h.example/base/f.html", "", TEXT_LINK_MAIN | TEXT_LINK_FRAME },
    { "https://cdn.example/d?x=1&y=2", "d", TEXT_LINK_MAIN },
  };
  g_autoptr (TextContent) unknown = text_content_new_utf8 (S (html), NULL);

  assert_str (page->base, "https://h.example/base/");
  g_assert_cmpuint (page->n_links, ==, G_N_ELEMENTS (want));
  for (guint i = 0; i < G_N_ELEMENTS (want); i++)
    {
      assert_str (page->links[i].url, want[i].url);
      assert_str (page->links[i].text, want[i].text);
      g_assert_cmpuint (page->links[i].flags, ==, want[i].flags);
    }
  /* Without an address of the page there is nothing to resolve against. */
  assert_str (unknown->links[1].href, "a.html");
  assert_str (unknown->links[1].url, "");
}

/* ---- other people's pages ---------------------------------------------------------- */

/* Pairs of characters that follow each other, white space aside, as the peers are scored. */
static GHashTable *
bigrams (FrStr text, guint *n)
{
  GHashTable *grams = g_hash_table_new (g_int64_hash, g_int64_equal);
  static GStringChunk *memory;
  const char *p = text.data, *end = p + text.len;
  gunichar last = 0;

  if (memory == NULL)
    memory = g_string_chunk_new (65536);
  *n = 0;
  for (; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gint64 key = (gint64) last << 32 | c;

      if (g_unichar_isspace (c) || c == 0xfeff)
        continue;
      if (last != 0)
        {
          gpointer old_key, count;

          if (g_hash_table_lookup_extended (grams, &key, &old_key, &count))
            g_hash_table_insert (grams, old_key, GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
          else
            g_hash_table_insert (grams,
                                 g_string_chunk_insert_len (memory, (char *) &key, sizeof key),
                                 GUINT_TO_POINTER (1));
          ++*n;
        }
      last = c;
    }
  return grams;
}

static double
f_score (FrStr got, FrStr want)
{
  guint n_got, n_want, both = 0;
  g_autoptr (GHashTable) a = bigrams (got, &n_got);
  g_autoptr (GHashTable) b = bigrams (want, &n_want);
  GHashTableIter iter;
  gpointer key, count;

  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &key, &count))
    both += MIN (GPOINTER_TO_UINT (count), GPOINTER_TO_UINT (g_hash_table_lookup (b, key)));
  return n_got + n_want == 0 ? 1 : 2.0 * both / (n_got + n_want);
}

static char *
plain (const TextContent *page)
{
  GString *out = g_string_new (NULL);

  text_content_append (page, TEXT_STYLE_PLAIN, out);
  return g_string_free (out, FALSE);
}

static const char *
member (JsonObject *object, const char *key)
{
  return json_object_has_member (object, key) && !json_object_get_null_member (object, key)
             ? json_object_get_string_member (object, key)
             : "";
}

static void
check_readability (void)
{
  g_autofree char *dir = data_path ("html-readability-synthetic");
  g_autoptr (GDir) names = g_dir_open (dir, 0, NULL);
  const char *name;
  guint n = 0;
  double all = 0;

  if (names == NULL)
    {
      g_test_skip ("the shared data are not there (FLOWRUN_DATA)");
      return;
    }
  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *source = g_build_filename (dir, name, "source.html", NULL);
      g_autofree char *expected = g_build_filename (dir, name, "expected.html", NULL);
      g_autofree char *about = g_build_filename (dir, name, "expected-metadata.json", NULL);
      g_autofree char *html = NULL, *want_html = NULL, *got = NULL;
      g_autoptr (TextContent) page = NULL;
      g_autoptr (TextDom) dom = NULL;
      g_autoptr (GString) want = g_string_new (NULL);
      g_autoptr (JsonParser) json = json_parser_new ();
      JsonObject *meta;
      gsize len, want_len;
      double f;

      if (!load (source, &html, &len) || !load (expected, &want_html, &want_len)
          || !json_parser_load_from_file (json, about, NULL))
        continue;
      page = text_content_new (html, len, NULL);
      got = plain (page);
      dom = text_dom_parse ((FrStr){ want_html, want_len });
      text_dom_text (dom, 0, 0, want);
      f = f_score (S (got), S (want->str));
      g_test_message ("%s: %.3f", name, f);
      /* Headings that Readability moves into its title are text here. */
      g_assert_cmpfloat (f, >, 0.93);
      all += f;
      n++;
      meta = json_node_get_object (json_parser_get_root (json));
      assert_str (page->title, member (meta, "title"));
      /* Readability looks for no byline in the text's class here and there. */
      if (*member (meta, "byline"))
        assert_str (page->byline, member (meta, "byline"));
      if (*member (meta, "publishedTime"))
        assert_str (page->published, "2024-04-20T04:20:00Z");
    }
  g_assert_cmpuint (n, >, 20);
  g_assert_cmpfloat (all / n, >, 0.99);
}

/* The text of an XML source: tags, comments, declarations and processing instructions off. */
static char *
xml_text (const char *xml, gsize len)
{
  GString *out = g_string_new (NULL);

  for (const char *p = xml, *end = xml + len; p < end;)
    {
      const char *close = NULL;

      if (*p == '<')
        close = g_str_has_prefix (p, "<!--") ? strstr (p, "-->") : strchr (p, '>');
      if (close != NULL)
        p = close + (*close == '-' ? 3 : 1);
      else
        g_string_append_c (out, *p++);
    }
  return g_string_free (out, FALSE);
}

/* F of each page of the manual: prose pages and those that are lists of links. */
static void
check_manual (void)
{
  static const struct
  {
    const char *name;
    double least;
    TextPageKind kind;
  } pages[] = { { "handler", .9, TEXT_PAGE_PROSE },
                { "mpm", .95, TEXT_PAGE_PROSE },
                { "developer/documenting", .9, TEXT_PAGE_PROSE },
                { "rewrite/index", .9, TEXT_PAGE_PROSE },
                { "vhosts/index", .9, TEXT_PAGE_PROSE },
                { "howto/index", .9, TEXT_PAGE_PROSE },
                { "misc/index", .9, TEXT_PAGE_PROSE },
                { "programs/index", .9, TEXT_PAGE_PROSE },
                { "platform/index", .9, TEXT_PAGE_PROSE },
                { "developer/index", .9, TEXT_PAGE_LIST },
                { "index", .9, TEXT_PAGE_LIST },
                { "sitemap", .35, TEXT_PAGE_LIST } /* its source lacks the modules */ };
  static const char *const charsets[] = { "UTF-8", "GB18030" };
  g_autofree char *dir = data_path ("html-httpd-zh");

  if (!g_file_test (dir, G_FILE_TEST_IS_DIR))
    {
      g_test_skip ("the shared data are not there (FLOWRUN_DATA)");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (pages) * G_N_ELEMENTS (charsets); i++)
    {
      guint k = i / G_N_ELEMENTS (charsets);
      const char *charset = charsets[i % G_N_ELEMENTS (charsets)];
      g_autofree char *html_name = g_strconcat (pages[k].name, ".html.zh-cn.utf8", NULL);
      g_autofree char *xml_name = g_strconcat (pages[k].name, ".xml.zh-cn", NULL);
      g_autofree char *html_path = g_build_filename (dir, html_name, NULL);
      g_autofree char *xml_path = g_build_filename (dir, xml_name, NULL);
      g_autofree char *html = NULL, *xml = NULL, *want = NULL, *got = NULL, *bytes = NULL;
      g_autoptr (TextContent) page = NULL;
      g_autoptr (GString) entities = NULL;
      TextContentOptions options = { .charset = charset };
      gsize len, n;
      double f;

      g_assert_true (load (html_path, &html, &len) && load (xml_path, &xml, &n));
      bytes = g_convert_with_fallback (html, (gssize) len, charset, "UTF-8", "?", NULL, &len, NULL);
      g_assert_nonnull (bytes);
      page = text_content_new (bytes, len, &options);
      got = plain (page);
      want = xml_text (xml, n);
      entities = g_string_new (want);
      g_string_replace (entities, "&lt;", "<", 0);
      g_string_replace (entities, "&gt;", ">", 0);
      g_string_replace (entities, "&amp;", "&", 0);
      f = f_score (S (got), S (entities->str));
      g_test_message ("%s %s: %.3f %s", pages[k].name, charset, f,
                      text_page_kind_name (page->kind));
      g_assert_cmpfloat (f, >, pages[k].least);
      g_assert_cmpint (page->kind, ==, pages[k].kind);
    }
}

static void
check_legacy (void)
{
  g_autofree char *path = data_path ("html-legacy-zh/index.html.zh-cn.gb2312");
  g_autofree char *html = NULL, *got = NULL;
  g_autoptr (TextContent) page = NULL;
  gsize len;

  if (!load (path, &html, &len))
    {
      g_test_skip ("the shared data are not there (FLOWRUN_DATA)");
      return;
    }
  page = text_content_new (html, len, NULL);
  got = plain (page);
  g_assert_cmpstr (page->charset, ==, "gb18030");
  g_assert_cmpstr (page->charset_from, ==, "guessed");
  g_assert_cmpuint (page->n_replaced, ==, 0);
  g_assert_nonnull (strstr (got, "Apache"));
  assert_str (page->language, "zh");
}

/* ---- charsets ------------------------------------------------------------------------ */

/* The html5lib cases name what a browser chooses whose default is windows-1252. */
static guint
run_encoding_file (const char *path, guint *differ)
{
  g_autofree char *all = NULL;
  gsize len;
  guint n = 0;

  if (!load (path, &all, &len))
    return 0;
  for (char *p = all, *end = all + len; p != NULL && p < end;)
    {
      char *data, *label, *stop;
      g_autofree char *want = NULL;
      const char *got, *canonical;

      data = memmem (p, (gsize) (end - p), "#data\n", 6);
      if (data == NULL)
        break;
      data += 6;
      label = memmem (data, (gsize) (end - data), "\n#encoding\n", 11);
      g_assert_nonnull (label);
      stop = strchr (label + 11, '\n');
      want = g_strndup (label + 11, stop ? (gsize) (stop - label - 11) : strlen (label + 11));
      got = memcmp (data, "\357\273\277", 3) == 0
                ? text_html_charset (data, (gsize) (label - data), TRUE, NULL, NULL, NULL)
                : text_html_prescan (data, (gsize) (label - data));
      canonical = text_charset_canonical (want, NULL);
      g_assert_nonnull (canonical);
      if (g_strcmp0 (got ? got : "windows-1252", canonical) != 0)
        {
          ++*differ;
          g_test_message ("%.*s: %s, not %s", (int) MIN (label - data, 200), data,
                          got ? got : "(none)", canonical);
        }
      n++;
      p = stop;
    }
  return n;
}

static void
check_encodings (void)
{
  g_autofree char *one = data_path ("html5lib-tests/encoding/tests1.dat");
  g_autofree char *two = data_path ("html5lib-tests/encoding/tests2.dat");
  guint differ = 0, n = run_encoding_file (one, &differ) + run_encoding_file (two, &differ);

  if (n == 0)
    {
      g_test_skip ("the shared data are not there (FLOWRUN_DATA)");
      return;
    }
  g_test_message ("%u cases, %u differ", n, differ);
  g_assert_cmpuint (n, >, 60);
  g_assert_cmpuint (differ, ==, 0);
}

/* ---- blocks -----------------------------------------------------------------------------*/

/* Structure, as Markdown, of pages kept whole. */
static void
check_blocks (void)
{
  static const struct
  {
    const char *html, *markdown;
  } cases[] = {
    { "<p>一<br>二<br><br>三", "一\\\n二\n\n三" },
    { "一<br>　　二<br> 　三", "一\n\n二\\\n三" },
    { "<p>中文\n折行 and\nwords&nbsp; x</p>", "中文折行 and words x" },
    { "<h2>标题</h2><h7>x</h7>", "## 标题\n\nx" },
    { "<ul><li>a<ul><li>b</ul><li>c</ul>d<ol start=3><li>e<li>f</ol>",
      "-  a\n\n   -  b\n-  c\n\nd\n\n3. e\n4. f" },
    { "<ul><li><p>a</p><p>b</p></ul>", "-  a\n\nb" },
    { "<dl><dt>词<dd>义</dl>", "-  词\n-  义" },
    { "<table><tr><th><th>甲<th>乙<tr><td>一<td>1<td>2|3<tr><td>二<td><td>4</table>",
      "|  | 甲 | 乙 |\n| --- | --- | --- |\n| 一 | 1 | 2\\|3 |\n| 二 |  | 4 |" },
    { "<table><tr><td><p>段。</p><ul><li>x</ul></td><td>y</td></tr></table>", "段。\n\n-  x\n\ny" },
    { "<table><caption>表</caption><tr><td>a<td>b<tr><td>c<td>d</table>",
      "表\n\n| a | b |\n| --- | --- |\n| c | d |" },
    { "<pre>\n a\n\n<b>b</b>\n</pre>", "```\n a\n\nb\n```" },
    { "<pre>```</pre>", "````\n```\n````" },
    { "<blockquote><p>a</p>b</blockquote>c", "> a\n\n> b\n\nc" },
    { "<figure><img><figcaption>图</figcaption></figure>", "图" },
    { "# x<p>1. y<p>- z<p>12", "\\# x\n\n1\\. y\n\n\\- z\n\n12" },
    { "<ruby>漢<rp>(</rp><rt>hàn</rt><rp>)</rp></ruby>字", "漢字" },
    { "a<sup class=reference>[1]</sup><a class=headerlink href=#x>¶</a>b", "a[1]b" },
    { "<select><option>a</select><button>b</button><textarea>c</textarea>d<svg><text>e</svg>",
      "d" },
    { "\u3000\u3000<p>&#8203;\u3000</p>", "" },
    { "a\1b<p>&#0;", "a b\n\n\ufffd" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TextContent) page = text_content_new_utf8 (
          S (cases[i].html), &(TextContentOptions){ .flags = TEXT_CONTENT_WHOLE });
      g_autoptr (GString) markdown = g_string_new (NULL);

      text_content_append (page, TEXT_STYLE_MARKDOWN, markdown);
      g_assert_cmpstr (markdown->str, ==, cases[i].markdown);
    }
}

/* ---- other ------------------------------------------------------------------------------ */

static void
check_options (void)
{
  const char *html = "<nav><a href=/>Home</a></nav><article><p>One sentence, long enough to be "
                     "kept. And one more sentence, so that it is prose, which nobody doubts at "
                     "all.</article><footer>Copyright 2024</footer>";
  g_autoptr (TextContent) page = text_content_new_utf8 (S (html), NULL);
  g_autoptr (TextContent) whole = text_content_new_utf8 (
      S (html), &(TextContentOptions){ .flags = TEXT_CONTENT_WHOLE | TEXT_CONTENT_EXPLAIN });
  g_autoptr (TextContent) meta = text_content_new_utf8 (
      S (html), &(TextContentOptions){ .flags = TEXT_CONTENT_NO_MAIN | TEXT_CONTENT_NO_LINKS });
  g_autoptr (GString) why = g_string_new (NULL);

  g_assert_cmpuint (page->n_blocks, ==, 1);
  g_assert_cmpuint (page->n_dropped, ==, strlen ("HomeCopyright2024"));
  text_content_explain (page, why);
  g_assert_cmpuint (why->len, ==, 0);
  g_assert_cmpuint (whole->n_blocks, ==, 3);
  g_assert_cmpuint (whole->n_dropped, ==, 0);
  text_content_explain (whole, why);
  g_assert_nonnull (strstr (why->str, "named-bad -6.00"));
  g_assert_nonnull (strstr (why->str, "article>p: One sentence"));
  g_assert_cmpuint (meta->n_blocks, ==, 0);
  g_assert_cmpuint (meta->n_links, ==, 0);
  g_assert_cmpint (meta->kind, ==, TEXT_PAGE_EMPTY);
}

static void
check_nothing (void)
{
  static const char *const pages[] = { "",
                                       " ",
                                       "<",
                                       "<html>",
                                       "<p></p>",
                                       "<!-- -->",
                                       "\357\273\277",
                                       "<script>x</script>",
                                       "\xff\xfe",
                                       "<nav>x</nav>" };

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_autoptr (TextContent) page = text_content_new (pages[i], strlen (pages[i]), NULL);

      g_assert_cmpint (page->kind, ==, TEXT_PAGE_EMPTY);
      assert_str (page->title, "");
    }
}

/* See test-dom.c: limits that only something quadratic passes. */
static void
check_bombs (void)
{
  static const char *const pieces[] = { "<div>x",
                                        "<p>文字。",
                                        "<li><a href=x>y</a>",
                                        "<table><tr><td>x",
                                        "<h2>x</h2>",
                                        "<br>x",
                                        "<a href=x>y",
                                        "<ul><li>x",
                                        "<h2>相关新闻<p>",
                                        "<div class=nav>x",
                                        "<div hidden>x",
                                        "<time>2024",
                                        "<pre>\n\n",
                                        "<span id=author>",
                                        "<meta name=author content=x>",
                                        "<td>x",
                                        "\xe3\x80\x80",
                                        "&nbsp;",
                                        "<base href=//>",
                                        "<div style=display:none>",
                                        "<script type=application/ld+json>[{",
                                        "<script type=application/ld+json>{\"a\":1}</script>",
                                        "2024-05-06 ",
                                        "<div class=content>x</div>",
                                        "<a href=../../../x>" };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) html = g_string_new (NULL);
      g_autoptr (TextContent) page = NULL;
      gint64 start = g_get_monotonic_time ();

      for (guint k = 0; k < 50000; k++)
        g_string_append (html, pieces[i]);
      page = text_content_new_utf8 ((FrStr){ html->str, html->len },
                                    &(TextContentOptions){ .url = "http://a.example/b" });
      g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
    }
}

int
main (int argc, char **argv)
{
  static const char *const pages[]
      = { "news", "legacy", "list", "blog", "shell", "gov", "flash", "forum", "product", "front" };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_autofree char *name = g_strconcat ("/content/page/", pages[i], NULL);

      g_test_add_data_func (name, pages[i], check_page);
    }
  g_test_add_func ("/content/charsets", check_charsets);
  g_test_add_func ("/content/big5", check_big5);
  g_test_add_func ("/content/dates", check_dates);
  g_test_add_func ("/content/date-sources", check_date_sources);
  g_test_add_func ("/content/titles", check_titles);
  g_test_add_func ("/content/json-ld", check_json_ld);
  g_test_add_func ("/content/article-body", check_article_body);
  g_test_add_func ("/content/language", check_language);
  g_test_add_func ("/content/robots", check_robots);
  g_test_add_func ("/content/addresses", check_addresses);
  g_test_add_func ("/content/links", check_links);
  g_test_add_func ("/content/readability", check_readability);
  g_test_add_func ("/content/manual", check_manual);
  g_test_add_func ("/content/legacy", check_legacy);
  g_test_add_func ("/content/encodings", check_encodings);
  g_test_add_func ("/content/blocks", check_blocks);
  g_test_add_func ("/content/options", check_options);
  g_test_add_func ("/content/nothing", check_nothing);
  g_test_add_func ("/content/bombs", check_bombs);
  return g_test_run ();
}
