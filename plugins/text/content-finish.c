/* SPDX-License-Identifier: Apache-2.0 */
/* content-finish.c: from what a page says of itself to what is known of it.
 *
 * The title loses the site's name, the byline its "作者：", dates become RFC 3339, what head and
 * microdata leave open is looked for in the lines around the title, and the language is checked
 * against the text.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/content-meta.h"

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
  s = text_strip (s);
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
        return text_strip ((FrStr){ title.data, at });
  /* At the first separator that leaves a title before it; what follows a '_' or '|' is channels
   * and the site. */
  for (gsize at = 1; at < title.len; at++)
    if (separator_at (title, at) > 0)
      {
        rest = text_strip ((FrStr){ title.data, at });
        if (n_wide (rest) >= 8 || (title.data[at] == '_' && n_wide (rest) >= 4))
          {
            cut = at;
            break;
          }
      }
  if (cut > 0)
    {
      FrStr tail = { title.data + cut, title.len - cut };

      rest = text_strip ((FrStr){ title.data, cut });
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
      s = text_strip (s);
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
  return text_strip (s);
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
