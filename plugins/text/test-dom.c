/* SPDX-License-Identifier: Apache-2.0 */
/* test-dom.c: the tree against the HTML standard's rules, case by case, and against bombs for
 * time and depth. */
#include "config.h"

#include <string.h>

#include "text/dom.h"

/* "p(b('x'))": elements with what they contain; html, head and body only where they have something.
 */
static void
dump (const TextDom *dom, guint32 node, GString *out)
{
  const TextNode *n = &dom->nodes[node];

  if (n->kind == TEXT_NODE_TEXT)
    {
      g_string_append_printf (out, "'%.*s'", (int) n->text.len, n->text.data);
      return;
    }
  for (gsize i = 0; i < n->text.len; i++)
    g_string_append_c (out, g_ascii_tolower (n->text.data[i]));
  if (n->first == 0)
    return;
  g_string_append_c (out, '(');
  for (guint32 child = n->first; child != 0; child = dom->nodes[child].next)
    {
      dump (dom, child, out);
      if (dom->nodes[child].next != 0)
        g_string_append_c (out, ' ');
    }
  g_string_append_c (out, ')');
}

static char *
tree_of (const char *html)
{
  g_autoptr (TextDom) dom = text_dom_parse ((FrStr){ html, strlen (html) });
  GString *out = g_string_new (NULL);
  guint32 roots[] = { dom->head, dom->body };

  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    if (dom->nodes[roots[i]].first != 0)
      {
        if (out->len > 0)
          g_string_append_c (out, ' ');
        dump (dom, roots[i], out);
      }
  return g_string_free (out, FALSE);
}

static const struct
{
  const char *html, *tree;
} cases[] = {
  { "", "" },
  { "x", "body('x')" },
  { "<title>T</title>x", "head(title('T')) body('x')" },
  { "<html><head><meta charset=utf-8></head><body>x</body></html>", "head(meta) body('x')" },
  { "<p>x<link rel=a>", "body(p('x' link))" },
  { "<title>never closed<p>x", "head(title('never closed')) body(p('x'))" },
  /* 13.1.2.4: end tags that may be left out */
  { "<p>a<p>b", "body(p('a') p('b'))" },
  { "<p>a<div>b</div>c", "body(p('a') div('b') 'c')" },
  { "<p>a<table><tr><td><p>b</table>c", "body(p('a') table(tr(td(p('b')))) 'c')" },
  { "<p><button><p>a</button>b", "body(p(button(p('a')) 'b'))" },
  { "<ul><li>a<li>b<ul><li>c</ul>d</ul>", "body(ul(li('a') li('b' ul(li('c')) 'd')))" },
  { "<ul><li>a<div><li>b", "body(ul(li('a' div) li('b')))" },
  { "<dl><dt>a<dd>b<dt>c", "body(dl(dt('a') dd('b') dt('c')))" },
  { "<select><option>a<option>b<optgroup><option>c</select>d",
    "body(select(option('a') option('b') optgroup(option('c'))) 'd')" },
  { "<h1>a<h2>b</h3>c", "body(h1('a') h2('b') 'c')" },
  { "<table><tr><td>a<td>b<tr><td>c</table>", "body(table(tr(td('a') td('b')) tr(td('c'))))" },
  { "<table><td>a<th>b<tbody><tr><td>c</table>d",
    "body(table(tr(td('a') th('b')) tbody(tr(td('c')))) 'd')" },
  { "<table><caption>a<tr><td>b", "body(table(caption('a') tr(td('b'))))" },
  { "<table><tr><td><table><tr><td>a</table>b</table>c",
    "body(table(tr(td(table(tr(td('a'))) 'b'))) 'c')" },
  { "<table><tr><td>a</td></tr><table><tr><td>b", "body(table(tr(td('a'))) table(tr(td('b'))))" },
  { "<table><form><tr><td>a</form>b", "body(table(form tr(td('a' 'b'))))" },
  { "<tr><td>a<td>b<tr><td>c", "body(tr(td('a') td('b')) tr(td('c')))" },
  { "<div><td>a</div>b", "body(div(td('a')) 'b')" },
  /* scopes */
  { "<div><table><tr><td></div>a</table>b", "body(div(table(tr(td('a'))) 'b'))" },
  { "a</div></p></b>b", "body('a' 'b')" },
  { "<div><b>a</div>b", "body(div(b('a')) 'b')" },
  { "<b><p>a</b>b</p>c", "body(b(p('a' 'b') 'c'))" },
  { "a</br>b", "body('a' br 'b')" },
  { "<form>a<form>b</form>c", "body(form('a' 'b') 'c')" },
  { "<form><div>a</form>b</div>c", "body(form(div('a' 'b')) 'c')" },
  { "<form><div>a</form><form>b</form>c</div>d", "body(form(div('a' form('b') 'c')) 'd')" },
  { "<select>a<div>b", "body(select('a') div('b'))" },
  /* links */
  { "<a href=x>a<a href=y>b", "body(a('a') a('b'))" },
  { "<a href=x>a<div>b</a>c</div>d", "body(a('a') div(a('b') 'c') 'd')" },
  { "<a href=x>a<div>b<p>c<i>d</a>e</p>f", "body(a('a') div(a('b') p(a('c' i('d')) 'e') 'f'))" },
  { "<a href=x><div><p>a<a href=y>b</p>c", "body(a div(a p(a('a') a('b')) 'c'))" },
  { "<a href=x><b>a<p>b<a href=y>c", "body(a(b('a')) p(a('b') a('c')))" },
  { "<p><a href=x>a<p>b", "body(p(a('a')) p('b'))" },
  { "<a><table><tr><td><a>b</a>c</table>d</a>e", "body(a(table(tr(td(a('b') 'c'))) 'd') 'e')" },
  /* void, raw, foreign */
  { "<br>a<img src=x>b<hr/>c<input>", "body(br 'a' img 'b' hr 'c' input)" },
  { "<image src=x>", "body(image)" },
  { "<textarea><b>&amp;</textarea>a", "body(textarea('<b>&') 'a')" },
  { "<script>if (a<b) '<p>'</script>a<style>p{}</style>", "head(script) body('a' style)" },
  { "<script type=' application/LD+json; x'>{\"a\":1}</script>", "head(script('{\"a\":1}'))" },
  { "<svg/>a<svg><text>b</text></svg>c", "body(svg 'a' svg 'c')" },
  { "<noscript><p>a</noscript>b<template><p>c</template>d",
    "head(noscript) body('b' template 'd')" },
  { "<frameset><frame src=x></frameset>", "body(frame)" },
  /* text */
  { "a&lt;b&amp;&#x4e2d;&copy", "body('a<b&中©')" },
  { "<ul> <li>a</li> </ul> b", "body(ul(li('a')) ' b')" },
  { "<xmp><b>&lt;</xmp>", "body(xmp('<b>&lt;'))" },
  { "a<!-- x -->b", "body('a' 'b')" },
  { "<x-y><custom>a</x-y>b", "body(x-y(custom('a')) 'b')" },
};

static void
check_case (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *tree = tree_of (cases[i].html);

  g_assert_cmpstr (tree, ==, cases[i].tree);
}

static const char *
attribute (const TextDom *dom, guint32 node, TextHtmlAttribute name)
{
  FrStr value = text_dom_attribute (dom, node, name);

  g_autofree char *copy = value.data ? g_strndup (value.data, value.len) : NULL;

  return g_intern_string (copy);
}

static void
check_attributes (void)
{
  const char *html = "<p CLASS=a class=b id = 'x y' title=\"1>2\" hidden lang=zh href='?a=1&copy=2&"
                     "amp;b&lt=&quot;' aria-hidden/data-x=1 style=>t<p>";
  g_autoptr (TextDom) dom = text_dom_parse ((FrStr){ html, strlen (html) });
  guint32 p = dom->nodes[dom->body].first;

  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_CLASS), ==, "a");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_ID), ==, "x y");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_TITLE), ==, "1>2");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_HIDDEN), ==, "");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_LANG), ==, "zh");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_HREF), ==, "?a=1&copy=2&b&lt=\"");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_ARIA_HIDDEN), ==, "");
  g_assert_cmpstr (attribute (dom, p, TEXT_ATTR_STYLE), ==, "");
  g_assert_null (attribute (dom, p, TEXT_ATTR_NAME));
  g_assert_null (attribute (dom, dom->nodes[p].next, TEXT_ATTR_CLASS));
}

static void
check_hidden (void)
{
  static const struct
  {
    const char *html;
    gboolean hidden;
  } hides[] = { { "<p>x", FALSE },
                { "<p hidden>x", TRUE },
                { "<p aria-hidden=TRUE>x", TRUE },
                { "<p aria-hidden=false>x", FALSE },
                { "<input type=Hidden>", TRUE },
                { "<p style='color:red; DISPLAY : none'>x", TRUE },
                { "<p style='visibility:hidden'>x", TRUE },
                { "<p style='x-display:none'>x", FALSE },
                { "<p style='display:block'>x", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (hides); i++)
    {
      g_autoptr (TextDom) dom = text_dom_parse ((FrStr){ hides[i].html, strlen (hides[i].html) });

      g_assert_cmpint (text_dom_is_hidden (dom, dom->nodes[dom->body].first), ==, hides[i].hidden);
    }
}

static void
check_text (void)
{
  const char *html = "<div> 中文 <b>a</b>\n b<p>c<script>no</script><br>d&nbsp;</div>rest";
  g_autoptr (TextDom) dom = text_dom_parse ((FrStr){ html, strlen (html) });
  g_autoptr (GString) text = g_string_new (NULL);

  text_dom_text (dom, dom->nodes[dom->body].first, 0, text);
  g_assert_cmpstr (text->str, ==, "中文 a b c d\u00a0");
  g_string_truncate (text, 0);
  text_dom_text (dom, dom->nodes[dom->body].first, 4, text);
  g_assert_cmpstr (text->str, ==, "中");
}

/* Every node is in the tree once, and links go both ways. */
static void
assert_whole (const TextDom *dom)
{
  guint32 seen = 1;

  for (guint32 i = 0; (i = text_dom_next (dom, i, 0, FALSE)) != 0;)
    {
      g_assert_cmpuint (i, <, dom->n_nodes);
      g_assert_cmpuint (dom->nodes[i].parent, <, dom->n_nodes);
      seen++;
    }
  g_assert_cmpuint (seen, ==, dom->n_nodes);
}

/* A piece many times: linear means that four times as many take not much more than four times as
 * long; a quadratic parser would be past every limit here. */
static void
check_bombs (void)
{
  static const char *const pieces[] = {
    "<div>",    "<b>",         "<a href=x>", "<a><div>", "<table>",       "<table><tr><td>",
    "<p><b>",   "<ul><li>",    "</p>",       "<li>",     "<select>",      "<form><div></form>",
    "<svg>",    "<title>",     "<noscript>", "<!--",     "<a b='",        "<h1>",
    "<p a=b ",  "&lt;",        "<td><a>",    "</b></i>", "<dl><dt><div>", "<button><p>",
    "<script>", "<textarea>x", "<style>",    "<xmp>",    "<iframe>",      "<template>"
  };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) html = g_string_new (NULL);
      g_autoptr (TextDom) dom = NULL;
      gint64 start = g_get_monotonic_time ();

      for (guint k = 0; k < 100000; k++)
        g_string_append (html, pieces[i]);
      dom = text_dom_parse ((FrStr){ html->str, html->len });
      assert_whole (dom);
      /* Seconds even on a loaded machine under a sanitizer; minutes if quadratic. */
      g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
    }
}

static void
check_many_attributes (void)
{
  g_autoptr (GString) html = g_string_new ("<p");
  g_autoptr (TextDom) dom = NULL;

  for (guint i = 0; i < 1000000; i++)
    g_string_append (html, " class=x");
  g_string_append (html, ">x");
  dom = text_dom_parse ((FrStr){ html->str, html->len });
  g_assert_cmpuint (dom->nodes[dom->nodes[dom->body].first].n_attributes, ==, 1);
}

static void
check_depth (void)
{
  g_autoptr (GString) html = g_string_new (NULL);
  g_autoptr (TextDom) dom = NULL;
  guint depth = 0;

  for (guint i = 0; i < 1000; i++)
    g_string_append (html, "<div>");
  g_string_append (html, "text");
  dom = text_dom_parse ((FrStr){ html->str, html->len });
  g_assert_cmpuint (dom->n_flattened, ==, 1000 - (TEXT_DOM_DEPTH - 2));
  for (guint32 i = dom->body; dom->nodes[i].last != 0; i = dom->nodes[i].last)
    depth++;
  g_assert_cmpuint (depth, <=, TEXT_DOM_DEPTH);
  assert_whole (dom);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("/dom/case/%02u", i);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), check_case);
    }
  g_test_add_func ("/dom/attributes", check_attributes);
  g_test_add_func ("/dom/hidden", check_hidden);
  g_test_add_func ("/dom/text", check_text);
  g_test_add_func ("/dom/bombs", check_bombs);
  g_test_add_func ("/dom/many-attributes", check_many_attributes);
  g_test_add_func ("/dom/depth", check_depth);
  return g_test_run ();
}
