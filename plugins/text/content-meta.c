/* SPDX-License-Identifier: Apache-2.0 */
/* content-meta.c: what a page says of itself: head, microdata, classes that name an author or a
 * date, and the lines around the title.
 *
 * Which source is believed before which is the order of Source (content-meta.h).  The names of
 * <meta> elements are those of Open Graph, Dublin Core, Parse.ly, Weibo and Chinese government
 * sites (GB/T 35299: PubDate, ContentSource); Readability reads most of them.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/content-meta.h"
#include "text/html-lex.h"

void
text_value_set (Value *value, FrStr text, Source source)
{
  text = text_strip (text);
  if (text.len == 0 || source <= value->source)
    return;
  value->text = text;
  value->source = source;
}

static inline gboolean
is (FrStr s, const char *word)
{
  return s.len == strlen (word) && g_ascii_strncasecmp (s.data, word, s.len) == 0;
}

/* ---- robots and refresh ------------------------------------------------------ */

guint
text_robots_parse (FrStr value)
{
  static const struct
  {
    const char *word;
    guint bits;
  } words[] = { { "noindex", TEXT_ROBOTS_NOINDEX },
                { "nofollow", TEXT_ROBOTS_NOFOLLOW },
                { "none", TEXT_ROBOTS_NOINDEX | TEXT_ROBOTS_NOFOLLOW },
                { "noarchive", TEXT_ROBOTS_NOARCHIVE },
                { "nocache", TEXT_ROBOTS_NOARCHIVE },
                { "nosnippet", TEXT_ROBOTS_NOSNIPPET } };
  const char *p = value.data, *end = p + value.len;
  guint bits = 0;

  while (p < end)
    {
      const char *word = p;

      while (p < end && (g_ascii_isalpha (*p) || *p == '-'))
        p++;
      for (guint i = 0; i < G_N_ELEMENTS (words); i++)
        if (is ((FrStr){ word, (gsize) (p - word) }, words[i].word))
          bits |= words[i].bits;
      p += p < end;
    }
  return bits;
}

/* "5; url='next.html'" */
static FrStr
refresh_address (FrStr content)
{
  const char *p = content.data, *end = p + content.len;
  FrStr url;

  while (p < end && *p != ';' && *p != ',')
    p++;
  if (p < end)
    p++;
  while (p < end && lex_is_space (*p))
    p++;
  if (end - p > 3 && g_ascii_strncasecmp (p, "url", 3) == 0)
    {
      for (p += 3; p < end && lex_is_space (*p);)
        p++;
      if (p < end && *p == '=')
        p++;
    }
  url = text_strip ((FrStr){ p, (gsize) (end - p) });
  if (url.len >= 2 && (*url.data == '"' || *url.data == '\''))
    {
      const char *close = memchr (url.data + 1, *url.data, url.len - 1);

      url = (FrStr){ url.data + 1, (gsize) ((close ? close : end) - url.data - 1) };
    }
  return url;
}

/* ---- <meta> ------------------------------------------------------------------ */

enum
{
  TITLE,
  BYLINE,
  SITE,
  DESCRIPTION,
  KEYWORDS,
  LANGUAGE,
  PUBLISHED,
  MODIFIED
};

static const struct
{
  const char *name; /* '.' is read as ':' */
  guint8 what;
  Source source;
} metas[] = {
  { "dc:title", TITLE, SOURCE_DC },
  { "dcterms:title", TITLE, SOURCE_DC },
  { "og:title", TITLE, SOURCE_GRAPH },
  { "weibo:article:title", TITLE, SOURCE_GRAPH },
  { "weibo:webpage:title", TITLE, SOURCE_GRAPH },
  { "title", TITLE, SOURCE_PLAIN },
  { "articletitle", TITLE, SOURCE_PLAIN },
  { "twitter:title", TITLE, SOURCE_PLAIN },
  { "parsely-title", TITLE, SOURCE_PLAIN },
  { "dc:creator", BYLINE, SOURCE_DC },
  { "dcterms:creator", BYLINE, SOURCE_DC },
  { "article:author", BYLINE, SOURCE_GRAPH },
  { "og:article:author", BYLINE, SOURCE_GRAPH },
  { "author", BYLINE, SOURCE_PLAIN },
  { "parsely-author", BYLINE, SOURCE_PLAIN },
  { "og:site_name", SITE, SOURCE_GRAPH },
  { "sitename", SITE, SOURCE_PLAIN },
  { "application-name", SITE, SOURCE_PLAIN },
  { "dc:description", DESCRIPTION, SOURCE_DC },
  { "dcterms:description", DESCRIPTION, SOURCE_DC },
  { "og:description", DESCRIPTION, SOURCE_GRAPH },
  { "weibo:article:description", DESCRIPTION, SOURCE_GRAPH },
  { "weibo:webpage:description", DESCRIPTION, SOURCE_GRAPH },
  { "description", DESCRIPTION, SOURCE_PLAIN },
  { "twitter:description", DESCRIPTION, SOURCE_PLAIN },
  { "keywords", KEYWORDS, SOURCE_PLAIN },
  { "news_keywords", KEYWORDS, SOURCE_PLAIN },
  { "dc:language", LANGUAGE, SOURCE_DC },
  { "dcterms:language", LANGUAGE, SOURCE_DC },
  { "og:locale", LANGUAGE, SOURCE_TEXT },
  { "article:published_time", PUBLISHED, SOURCE_GRAPH },
  { "og:published_time", PUBLISHED, SOURCE_GRAPH },
  { "og:release_date", PUBLISHED, SOURCE_GRAPH },
  { "og:article:published_time", PUBLISHED, SOURCE_GRAPH },
  { "weibo:article:create_at", PUBLISHED, SOURCE_GRAPH },
  { "dcterms:issued", PUBLISHED, SOURCE_DC },
  { "dcterms:created", PUBLISHED, SOURCE_DC },
  { "dc:date:issued", PUBLISHED, SOURCE_DC },
  { "dc:date", PUBLISHED, SOURCE_PLAIN },
  { "pubdate", PUBLISHED, SOURCE_PLAIN },
  { "publishdate", PUBLISHED, SOURCE_PLAIN },
  { "publish_date", PUBLISHED, SOURCE_PLAIN },
  { "publish-date", PUBLISHED, SOURCE_PLAIN },
  { "publication_date", PUBLISHED, SOURCE_PLAIN },
  { "parsely-pub-date", PUBLISHED, SOURCE_PLAIN },
  { "apub:time", PUBLISHED, SOURCE_PLAIN },
  { "date", PUBLISHED, SOURCE_PLAIN },
  { "article:modified_time", MODIFIED, SOURCE_GRAPH },
  { "og:updated_time", MODIFIED, SOURCE_GRAPH },
  { "weibo:article:update_at", MODIFIED, SOURCE_GRAPH },
  { "dcterms:modified", MODIFIED, SOURCE_DC },
  { "lastmodified", MODIFIED, SOURCE_PLAIN },
  { "last-modified", MODIFIED, SOURCE_PLAIN },
};

static Value *
value_of (Meta *meta, guint what)
{
  Value *values[] = { &meta->title,    &meta->byline,   &meta->site,      &meta->description,
                      &meta->keywords, &meta->language, &meta->published, &meta->modified };

  return values[what];
}

static void
set_named (Value *value, FrStr content, Source source, gboolean property)
{
  if (property && !value->property && value->source == source && text_strip (content).len > 0)
    value->source = SOURCE_NONE;
  if (value->source < source)
    value->property = property;
  text_value_set (value, content, source);
}

static void
named_meta (Meta *meta, FrStr name, FrStr content, gboolean property)
{
  char low[40];
  const char *key = low;

  if (name.len == 0 || name.len >= sizeof low)
    return;
  for (gsize i = 0; i < name.len; i++)
    low[i] = name.data[i] == '.' ? ':' : g_ascii_tolower (name.data[i]);
  low[name.len] = 0;
  if (g_str_has_prefix (key, "dcterm:"))
    {
      memmove (low + 8, low + 7, name.len - 6);
      memcpy (low, "dcterms:", 8);
    }
  if (strcmp (key, "robots") == 0 || strcmp (key, "googlebot") == 0
      || strcmp (key, "baiduspider") == 0)
    meta->robots |= text_robots_parse (content);
  else if (strcmp (key, "og:url") == 0 && meta->og_url.len == 0)
    meta->og_url = text_strip (content);
  else
    for (guint i = 0; i < G_N_ELEMENTS (metas); i++)
      if (strcmp (key, metas[i].name) == 0)
        {
          /* A profile's address is nobody's name. */
          if (metas[i].what == BYLINE && content.len > 4
              && g_ascii_strncasecmp (content.data, "http", 4) == 0)
            return;
          set_named (value_of (meta, metas[i].what), content, metas[i].source, property);
          return;
        }
}

static void
read_meta (const TextDom *dom, guint32 node, Meta *meta)
{
  FrStr content = text_dom_attribute (dom, node, TEXT_ATTR_CONTENT);
  FrStr name = text_dom_attribute (dom, node, TEXT_ATTR_NAME);
  FrStr property = text_dom_attribute (dom, node, TEXT_ATTR_PROPERTY);
  FrStr equiv = text_dom_attribute (dom, node, TEXT_ATTR_HTTP_EQUIV);
  const char *p, *end;

  if (content.len == 0)
    return;
  if (is (equiv, "refresh") && meta->refresh.data == NULL)
    meta->refresh = refresh_address (content);
  else if (is (equiv, "content-language"))
    text_value_set (&meta->language, content, SOURCE_GRAPH);
  named_meta (meta, text_strip (name), content, FALSE);
  /* Several properties of one value, separated by blanks. */
  if (property.len == 0)
    return;
  for (p = property.data, end = p + property.len; p < end;)
    {
      const char *word;

      while (p < end && lex_is_space (*p))
        p++;
      for (word = p; p < end && !lex_is_space (*p);)
        p++;
      named_meta (meta, (FrStr){ word, (gsize) (p - word) }, content, TRUE);
    }
}

/* ---- elements that say what they are ------------------------------------------ */

static FrStr
text_of (Page *page, guint32 node, gsize max)
{
  g_autoptr (GString) text = g_string_new (NULL);

  text_dom_text (page->dom, node, max, text);
  return text_dom_store (page->dom, text->str, text->len);
}

static void
read_itemprop (Page *page, guint32 node, FrStr prop, Meta *meta)
{
  const TextDom *dom = page->dom;
  FrStr value = text_dom_attribute (dom, node, TEXT_ATTR_CONTENT);
  Value *to = NULL;

  if (is (prop, "headline"))
    to = &meta->title;
  else if (is (prop, "author"))
    to = &meta->byline;
  else if (is (prop, "datePublished"))
    to = &meta->published;
  else if (is (prop, "dateModified"))
    to = &meta->modified;
  if (to == NULL || to->source >= SOURCE_ITEMPROP)
    return;
  if (value.len == 0)
    value = text_dom_attribute (dom, node, TEXT_ATTR_DATETIME);
  if (value.len == 0)
    value = text_of (page, node, 200);
  text_value_set (to, value, SOURCE_ITEMPROP);
}

/* Classes and ids of the elements that hold a date or a name, as whole names. */
enum
{
  DATE = 1,
  AUTHOR = 2
};

#define NAME(name, what)                                                                           \
  {                                                                                                \
    name, sizeof name - 1, what                                                                    \
  }
static const struct
{
  char name[16];
  guint8 len, what;
} named[] = {
  NAME ("article-author", AUTHOR), NAME ("article-date", DATE),
  NAME ("article-time", DATE),     NAME ("article_author", AUTHOR),
  NAME ("article_time", DATE),     NAME ("author", AUTHOR),
  NAME ("author-name", AUTHOR),    NAME ("author_name", AUTHOR),
  NAME ("by-author", AUTHOR),      NAME ("byline", AUTHOR),
  NAME ("date-time", DATE),        NAME ("dateline", DATE),
  NAME ("entry-author", AUTHOR),   NAME ("entry-date", DATE),
  NAME ("js_name", AUTHOR),        NAME ("news_time", DATE),
  NAME ("newstime", DATE),         NAME ("p-author", AUTHOR),
  NAME ("post-author", AUTHOR),    NAME ("post-date", DATE),
  NAME ("post-time", DATE),        NAME ("posttime", DATE),
  NAME ("pub-time", DATE),         NAME ("pub_time", DATE),
  NAME ("pubdate", DATE),          NAME ("publish-date", DATE),
  NAME ("publish-time", DATE),     NAME ("publish_time", DATE),
  NAME ("published", DATE),        NAME ("publishtime", DATE),
  NAME ("pubtime", DATE),          NAME ("sj", DATE),
  NAME ("time-source", DATE),      NAME ("writer", AUTHOR),
  NAME ("zuozhe", AUTHOR),
};
#undef NAME

static guint
named_what (FrStr names)
{
  const char *p = names.data, *end = p + names.len;
  guint what = 0;

  while (p < end)
    {
      const char *word;

      while (p < end && lex_is_space (*p))
        p++;
      for (word = p; p < end && !lex_is_space (*p);)
        p++;
      for (guint i = 0; i < G_N_ELEMENTS (named); i++)
        if (named[i].len == p - word
            && g_ascii_strncasecmp (word, named[i].name, named[i].len) == 0)
          what |= named[i].what;
    }
  return what;
}

static void
read_named (Page *page, guint32 node, Meta *meta)
{
  const TextDom *dom = page->dom;
  FrStr class_names = text_dom_attribute (dom, node, TEXT_ATTR_CLASS);
  FrStr id = text_dom_attribute (dom, node, TEXT_ATTR_ID);
  FrStr rel = text_dom_attribute (dom, node, TEXT_ATTR_REL);
  guint what = (class_names.len > 0 ? named_what (class_names) : 0)
               | (id.len > 0 ? named_what (id) : 0)
               | (rel.len > 0 && is (rel, "author") ? AUTHOR : 0);

  if (what & DATE && meta->published.source < SOURCE_CLASS)
    {
      FrStr text = text_of (page, node, 200);
      g_autoptr (GString) date = g_string_new (NULL);

      if (text_date_find (text, FALSE, date))
        text_value_set (&meta->published, text, SOURCE_CLASS);
    }
  if (what & AUTHOR && meta->byline.source < SOURCE_CLASS)
    {
      FrStr text = text_of (page, node, 200);

      if (text.len < 120)
        text_value_set (&meta->byline, text, SOURCE_CLASS);
    }
}

static void
read_element (Page *page, guint32 i, Meta *meta)
{
  const TextDom *dom = page->dom;
  const TextNode *n = &dom->nodes[i];
  FrStr value;

  switch (n->tag)
    {
    case TEXT_TAG_TITLE:
      if (meta->page_title.len == 0)
        meta->page_title = text_of (page, i, 1000);
      break;
    case TEXT_TAG_META:
      read_meta (dom, i, meta);
      break;
    case TEXT_TAG_BASE:
      if (meta->base.data == NULL)
        meta->base = text_dom_attribute (dom, i, TEXT_ATTR_HREF);
      break;
    case TEXT_TAG_LINK:
      if (meta->canonical.len == 0 && is (text_dom_attribute (dom, i, TEXT_ATTR_REL), "canonical"))
        meta->canonical = text_strip (text_dom_attribute (dom, i, TEXT_ATTR_HREF));
      break;
    case TEXT_TAG_SCRIPT:
      if (n->first != 0)
        text_meta_json (page, dom->nodes[n->first].text, meta);
      break;
    case TEXT_TAG_TIME:
      value = text_dom_attribute (dom, i, TEXT_ATTR_DATETIME);
      if (meta->published.source < SOURCE_CLASS)
        text_value_set (&meta->published, value.len > 0 ? value : text_of (page, i, 100),
                        SOURCE_CLASS);
      break;
    default:
      break;
    }
  if (n->n_attributes == 0)
    return;
  value = text_dom_attribute (dom, i, TEXT_ATTR_ITEMPROP);
  if (value.len > 0)
    read_itemprop (page, i, value, meta);
  if (n->tag != TEXT_TAG_META && n->tag != TEXT_TAG_LINK && n->tag != TEXT_TAG_BODY)
    read_named (page, i, meta);
}

void
text_meta_read (Page *page, Meta *meta)
{
  const TextDom *dom = page->dom;
  FrStr lang = text_dom_attribute (dom, dom->html, TEXT_ATTR_LANG);

  if (lang.len == 0)
    lang = text_dom_attribute (dom, dom->html, TEXT_ATTR_XML_LANG);
  if (lang.len == 0)
    lang = text_dom_attribute (dom, dom->body, TEXT_ATTR_LANG);
  text_value_set (&meta->language, lang, SOURCE_DC);
  for (guint32 i = 0; (i = text_dom_next (dom, i, 0, FALSE)) != 0;)
    if (dom->nodes[i].kind == TEXT_NODE_ELEMENT)
      read_element (page, i, meta);
}
