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

static FrStr
strip (FrStr s)
{
  while (s.len > 0 && (guchar) *s.data <= ' ')
    s.data++, s.len--;
  while (s.len > 0 && (guchar) s.data[s.len - 1] <= ' ')
    s.len--;
  return s;
}

void
text_value_set (Value *value, FrStr text, Source source)
{
  text = strip (text);
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
  url = strip ((FrStr){ p, (gsize) (end - p) });
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
  if (property && !value->property && value->source == source && strip (content).len > 0)
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
    meta->og_url = strip (content);
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
  named_meta (meta, strip (name), content, FALSE);
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
        meta->canonical = strip (text_dom_attribute (dom, i, TEXT_ATTR_HREF));
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

/* ---- title --------------------------------------------------------------------- */

static guint
n_wide (FrStr s)
{
  const char *p = s.data, *end = p + s.len;
  guint n = 0;

  while (p < end)
    n += text_char_is_spaceless (text_next_char (&p)) ? 2 : 1;
  return n;
}

/* The length of a separator between title and site at @p: '_', '|', '»', "--", or a dash, dot or
 * colon with blanks around; a lone '-' without blanks only between Han. */
static gsize
separator_at (FrStr title, gsize at)
{
  const char *p = title.data + at, *end = title.data + title.len;
  gboolean blank_before = at > 0 && p[-1] == ' ';
  static const char *const alone[] = { "_", "|", "｜", "»", "——", "--", "＿" };
  static const char *const spaced[] = { "- ", "– ", "— ", "· ", "• ", "> ", ":: ", "/ " };

  for (guint i = 0; i < G_N_ELEMENTS (alone); i++)
    if (g_str_has_prefix (p, alone[i]) && (gsize) (end - p) > strlen (alone[i]))
      return strlen (alone[i]);
  for (guint i = 0; blank_before && i < G_N_ELEMENTS (spaced); i++)
    if ((gsize) (end - p) > strlen (spaced[i]) && memcmp (p, spaced[i], strlen (spaced[i])) == 0)
      return strlen (spaced[i]);
  if (*p == '-' && end - p > 1 && at > 0 && ((guchar) p[1] >= 0xe3 && (guchar) p[-1] >= 0x80))
    return 1;
  return 0;
}

static gboolean
ends_with_separator (FrStr s)
{
  s = strip (s);
  return s.len > 0
         && text_char_flags (g_utf8_get_char (text_prev_char (s.data + s.len))) & TEXT_CH_PUNCT;
}

static gboolean
same_text (const char *a, FrStr b)
{
  return g_ascii_strncasecmp (a, b.data, b.len) == 0;
}

/* The heading of the page that says a piece of its title: the start, or what stands behind the name
 * of the site. */
static FrStr
heading_in_title (const Page *page, FrStr title)
{
  FrStr start = { NULL, 0 }, behind = { NULL, 0 };

  for (guint i = 0; i < page->blocks->len; i++)
    {
      const Block *b = &g_array_index (page->blocks, Block, i);
      const Box *box = &g_array_index (page->boxes, Box, b->box);
      FrStr text = { page->text->str + b->start, b->len };

      if (b->out.kind != TEXT_BLOCK_HEADING || b->out.level > 2 || text.len > title.len
          || n_wide (text) < 4 || box->inherited & HINTS_BAD)
        continue;
      if (text.len > start.len && same_text (title.data, text))
        start = (FrStr){ title.data, text.len };
      else if (b->out.level == 1 && text.len > behind.len
               && same_text (title.data + title.len - text.len, text)
               && ends_with_separator ((FrStr){ title.data, title.len - text.len }))
        behind = (FrStr){ title.data + title.len - text.len, text.len };
    }
  return start.len > 0 ? start : behind;
}

static FrStr
title_alone (const Page *page, FrStr title, FrStr site)
{
  FrStr heading = heading_in_title (page, title), rest;
  gsize cut = 0;

  if (heading.len > 0)
    return heading;
  /* Without the name of the site behind it. */
  if (site.len > 0 && title.len > site.len + 3
      && memcmp (title.data + title.len - site.len, site.data, site.len) == 0)
    for (gsize at = title.len - site.len; at-- > 0 && at + 8 > title.len - site.len;)
      if (separator_at (title, at) > 0)
        return strip ((FrStr){ title.data, at });
  /* At the first separator that leaves a title before it; what follows a '_' or '|' is channels
   * and the site. */
  for (gsize at = 1; at < title.len; at++)
    if (separator_at (title, at) > 0)
      {
        rest = strip ((FrStr){ title.data, at });
        if (n_wide (rest) >= 8 || (title.data[at] == '_' && n_wide (rest) >= 4))
          {
            cut = at;
            break;
          }
      }
  if (cut > 0)
    {
      FrStr tail = { title.data + cut, title.len - cut };

      rest = strip ((FrStr){ title.data, cut });
      /* A tail that is longer than its head is the title's other half. */
      if (n_wide (tail) <= n_wide (rest) * 2 + 8)
        return rest;
    }
  return title;
}

static FrStr
first_heading (const Page *page)
{
  const Block *best = NULL;

  for (guint i = 0; i < page->blocks->len; i++)
    {
      const Block *b = &g_array_index (page->blocks, Block, i);

      if (b->out.kind == TEXT_BLOCK_HEADING && (b->kept || b->out.level == 1)
          && (best == NULL || b->out.level < best->out.level))
        best = b;
    }
  return best ? (FrStr){ page->text->str + best->start, best->len } : FR_STR ("");
}

/* ---- byline --------------------------------------------------------------------- */

static FrStr
byline_alone (FrStr s)
{
  static const char *const heads[]
      = { "作者：", "作者:",  "作者 ", "文/",      "文 / ",       "文｜",
          "文|",    "记者：", "记者:", "记者 ",    "撰文：",      "撰文/",
          "来源：", "by ",    "by: ",  "author: ", "written by ", "posted by " };

  for (guint round = 0; round < 2; round++)
    {
      s = strip (s);
      for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
        {
          gsize n = strlen (heads[i]);

          if (s.len > n && g_ascii_strncasecmp (s.data, heads[i], n) == 0)
            {
              s.data += n;
              s.len -= n;
              break;
            }
        }
    }
  return strip (s);
}

/* "作者：张三" in a line of who, when and where: up to the next blank or mark. */
static FrStr
byline_in (FrStr line)
{
  static const char *const heads[] = { "作者：", "作者:", "文/", "文｜", "记者：" };
  const char *end = line.data + line.len;

  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      const char *p = memmem (line.data, line.len, heads[i], strlen (heads[i])), *q;

      if (p == NULL)
        continue;
      p += strlen (heads[i]);
      while (p < end && *p == ' ')
        p++;
      for (q = p; q < end;)
        {
          const char *at = q;
          gunichar c = text_next_char (&q);

          if (!(text_char_flags (c) & (TEXT_CH_ALNUM | TEXT_CH_MARK)) && c != 0xb7)
            {
              q = at;
              break;
            }
        }
      if (q > p && q - p <= 60)
        return (FrStr){ p, (gsize) (q - p) };
    }
  return (FrStr){ NULL, 0 };
}

/* ---- lines around the title ------------------------------------------------------- */

/* Half characters of the longest line that is looked through for a date. */
#define META_LINE 200

/* Looks in short lines near where the text begins, and in those that say what they are. */
static void
read_lines (Page *page, Meta *meta)
{
  const Box *region = &g_array_index (page->boxes, Box, page->region);
  guint from = region->first > 30 ? region->first - 30 : 0;
  guint to = MIN (region->first + 12, page->blocks->len);
  static const char *const labels[] = { "发布时间", "发布日期", "发表时间", "发布于",   "发表于",
                                        "时间：",   "日期：",   "時間：",   "Published" };

  for (guint round = 0; round < 2; round++)
    for (guint i = round == 0 ? 0 : from; i < (round == 0 ? page->blocks->len : to); i++)
      {
        const Block *b = &g_array_index (page->blocks, Block, i);
        FrStr text = { page->text->str + b->start, b->len };
        g_autoptr (GString) date = NULL;
        gboolean labelled = FALSE;

        if (b->wide > META_LINE || (round == 0 && b->phrase == 0))
          continue;
        if (b->phrase > 0 && meta->byline.source == SOURCE_NONE)
          text_value_set (&meta->byline, byline_in (text), SOURCE_TEXT);
        if (meta->published.source > SOURCE_NONE)
          continue;
        for (guint k = 0; k < G_N_ELEMENTS (labels) && !labelled && b->phrase > 0; k++)
          labelled = memmem (text.data, text.len, labels[k], strlen (labels[k])) != NULL;
        if ((round == 0 && !labelled) || b->link_wide * 2 > b->wide)
          continue;
        /* A sentence with a date in it is news of that date, not from it. */
        if (round == 1 && (b->marks > 0 || b->wide > 100))
          continue;
        date = g_string_new (NULL);
        if (text_date_find (text, FALSE, date))
          text_value_set (&meta->published, text_dom_store (page->dom, date->str, date->len),
                          SOURCE_TEXT);
      }
}

/* ---- language ---------------------------------------------------------------------- */

typedef struct
{
  guint han, kana, hangul, latin, cyrillic, arabic, all;
} Scripts;

static Scripts
count_scripts (const Page *page)
{
  Scripts n = { 0 };

  for (guint i = 0; i < page->blocks->len && n.all < 20000; i++)
    {
      const Block *b = &g_array_index (page->blocks, Block, i);
      const char *p = page->text->str + b->start, *end = p + b->len;

      if (!b->kept)
        continue;
      while (p < end)
        {
          guint32 f = text_char_flags (text_next_char (&p));

          if (!(f & TEXT_CH_ALNUM) || f & TEXT_CH_DIGIT)
            continue;
          n.all++;
          n.han += (f & TEXT_CH_HAN) != 0;
          n.kana += (f & TEXT_CH_KANA) != 0;
          n.hangul += (f & TEXT_CH_HANGUL) != 0;
          n.latin += (f & TEXT_CH_LATIN) != 0;
          n.cyrillic += (f & TEXT_CH_CYRILLIC) != 0;
          n.arabic += (f & TEXT_CH_ARABIC) != 0;
        }
    }
  return n;
}

/* A Han character says as much as two Latin letters. */
static const char *
language_of_scripts (const Scripts *n)
{
  if (n->all < 10)
    return NULL;
  if (n->kana * 10 > n->all && n->kana * 5 > n->han)
    return "ja";
  if (n->hangul * 3 > n->all)
    return "ko";
  if (n->han * 3 > n->all)
    return "zh";
  return NULL;
}

static gboolean
begins_with (FrStr s, const char *word)
{
  gsize n = strlen (word);

  return s.len >= n && g_ascii_strncasecmp (s.data, word, n) == 0
         && (s.len == n || s.data[n] == '-' || s.data[n] == '_');
}

/* BCP 47 as the page says it: "zh_CN" and "ZH-cn" are "zh-CN"; @script is what the text looks like.
 */
static FrStr
language (Page *page, FrStr said)
{
  Scripts n = count_scripts (page);
  const char *script = language_of_scripts (&n);
  g_autoptr (GString) tag = g_string_new (NULL);
  gboolean han = script != NULL && strcmp (script, "zh") == 0;
  gsize part = 0;

  for (gsize i = 0; i < said.len && i < 35; i++)
    {
      char c = said.data[i] == '_' ? '-' : said.data[i];
      gsize len = 0;

      if (!g_ascii_isalnum (c) && c != '-')
        break;
      if (c == '-')
        part = i + 1;
      while (part + len < said.len && g_ascii_isalnum (said.data[part + len]))
        len++;
      /* Regions are upper case, scripts have a capital. */
      if (part > 0 && (len == 2 || (len == 4 && i == part)))
        g_string_append_c (tag, g_ascii_toupper (c));
      else
        g_string_append_c (tag, g_ascii_tolower (c));
    }
  if (script != NULL
      && !(begins_with (said, script)
           || (han
               && (begins_with (said, "cmn") || begins_with (said, "yue")
                   || begins_with (said, "cn") || begins_with (said, "ja")))))
    g_string_assign (tag, script);
  else if (han && begins_with (said, "cn"))
    g_string_assign (tag, "zh-CN");
  else if (n.all >= 40 && n.latin * 10 < n.all
           && (begins_with (said, "en") || begins_with (said, "de") || begins_with (said, "fr")))
    g_string_assign (tag, "");
  return text_dom_store (page->dom, tag->str, tag->len);
}

/* ---- the whole ------------------------------------------------------------------------ */

static FrStr
date_of (Page *page, FrStr written, gboolean compact)
{
  g_autoptr (GString) date = g_string_new (NULL);

  if (written.len == 0 || !text_date_find (written, compact, date))
    return FR_STR ("");
  return text_dom_store (page->dom, date->str, date->len);
}

static FrStr
or_empty (FrStr s)
{
  return s.data ? s : FR_STR ("");
}

/* One line: white space collapsed. */
static FrStr
one_line (Page *page, FrStr s)
{
  g_autoptr (GString) line = NULL;
  gboolean blank = FALSE, changed = FALSE;

  if (s.len == 0)
    return FR_STR ("");
  line = g_string_sized_new (s.len);
  for (gsize i = 0; i < s.len; i++)
    {
      if ((guchar) s.data[i] <= ' ')
        {
          changed |= blank || s.data[i] != ' ';
          blank = TRUE;
          continue;
        }
      if (blank && line->len > 0)
        g_string_append_c (line, ' ');
      blank = FALSE;
      g_string_append_c (line, s.data[i]);
    }
  return changed ? text_dom_store (page->dom, line->str, line->len) : s;
}

static void
finish_dates (Page *page, Meta *meta, const char *url, TextContent *out)
{
  g_autoptr (GString) date = NULL;

  out->published = date_of (page, meta->published.text, meta->published.source > SOURCE_CLASS);
  out->modified = date_of (page, meta->modified.text, TRUE);
  out->date_from = "";
  if (out->published.len == 0 && meta->published.source > SOURCE_TEXT)
    {
      meta->published = (Value){ .source = SOURCE_NONE };
      read_lines (page, meta);
      out->published = date_of (page, meta->published.text, FALSE);
    }
  if (out->published.len > 0)
    out->date_from = meta->published.source == SOURCE_JSON    ? "json-ld"
                     : meta->published.source >= SOURCE_PLAIN ? "meta"
                     : meta->published.source >= SOURCE_CLASS ? "time"
                                                              : "text";
  else if (url != NULL)
    {
      date = g_string_new (NULL);
      if (text_date_in_url ((FrStr){ url, strlen (url) }, date))
        {
          out->published = text_dom_store (page->dom, date->str, date->len);
          out->date_from = "url";
        }
    }
}

void
text_meta_finish (Page *page, Meta *meta, const char *url, TextContent *out)
{
  read_lines (page, meta);
  out->page_title = or_empty (meta->page_title);
  out->site = one_line (page, meta->site.text);
  if (meta->title.source >= SOURCE_PLAIN)
    out->title = one_line (page, meta->title.text);
  else
    out->title = title_alone (page, out->page_title, out->site);
  /* og:title too has the site's name in it now and then. */
  if (meta->title.source >= SOURCE_PLAIN && fr_str_equal (out->title, out->page_title))
    out->title = title_alone (page, out->title, out->site);
  if (out->title.len == 0 && meta->title.source > SOURCE_NONE)
    out->title = one_line (page, meta->title.text);
  if (out->title.len == 0)
    out->title = one_line (page, first_heading (page));
  out->title = text_dom_store (page->dom, out->title.data, out->title.len);
  out->byline = one_line (page, byline_alone (or_empty (meta->byline.text)));
  out->byline = text_dom_store (page->dom, out->byline.data, out->byline.len);
  out->description = one_line (page, meta->description.text);
  out->keywords = one_line (page, meta->keywords.text);
  finish_dates (page, meta, url, out);
  out->language = language (page, or_empty (meta->language.text));
  out->robots = meta->robots;
}
