/* SPDX-License-Identifier: Apache-2.0 */
/* html-tags.c: the elements of HTML, old ones too, and what they mean for text
 * (WHATWG HTML, sections 4, 15.3 and 16.2). */
#include "config.h"

#include <string.h>

#include "text/html-private.h"

static const TextTag tags[] = {
  { "a", TAG_INLINE },
  { "abbr", TAG_INLINE },
  { "acronym", TAG_INLINE },
  { "address", TAG_BLOCK },
  { "applet", TAG_INLINE },
  { "area", TAG_INLINE },
  { "article", TAG_BLOCK },
  { "aside", TAG_BLOCK },
  { "audio", TAG_INLINE },
  { "b", TAG_INLINE },
  { "base", TAG_INLINE },
  { "basefont", TAG_INLINE },
  { "bdi", TAG_INLINE },
  { "bdo", TAG_INLINE },
  { "bgsound", TAG_INLINE },
  { "big", TAG_INLINE },
  { "blink", TAG_INLINE },
  { "blockquote", TAG_BLOCK },
  { "body", TAG_BLOCK },
  { "br", TAG_BR },
  { "button", TAG_INLINE },
  { "canvas", TAG_INLINE },
  { "caption", TAG_BLOCK },
  { "center", TAG_BLOCK },
  { "cite", TAG_INLINE },
  { "code", TAG_INLINE },
  { "col", TAG_INLINE },
  { "colgroup", TAG_INLINE },
  { "data", TAG_INLINE },
  { "datalist", TAG_INLINE },
  { "dd", TAG_BLOCK },
  { "del", TAG_INLINE },
  { "details", TAG_BLOCK },
  { "dfn", TAG_INLINE },
  { "dialog", TAG_BLOCK },
  { "dir", TAG_BLOCK },
  { "div", TAG_BLOCK },
  { "dl", TAG_BLOCK },
  { "dt", TAG_BLOCK },
  { "em", TAG_INLINE },
  { "embed", TAG_INLINE },
  { "fieldset", TAG_BLOCK },
  { "figcaption", TAG_BLOCK },
  { "figure", TAG_BLOCK },
  { "font", TAG_INLINE },
  { "footer", TAG_BLOCK },
  { "form", TAG_BLOCK },
  { "frame", TAG_INLINE },
  { "frameset", TAG_BLOCK },
  { "h1", TAG_BLOCK },
  { "h2", TAG_BLOCK },
  { "h3", TAG_BLOCK },
  { "h4", TAG_BLOCK },
  { "h5", TAG_BLOCK },
  { "h6", TAG_BLOCK },
  { "head", TAG_BLOCK },
  { "header", TAG_BLOCK },
  { "hgroup", TAG_BLOCK },
  { "hr", TAG_BLOCK },
  { "html", TAG_BLOCK },
  { "i", TAG_INLINE },
  { "iframe", TAG_RAW | TAG_DROP | TAG_REST },
  { "image", TAG_INLINE },
  { "img", TAG_INLINE },
  { "input", TAG_INLINE },
  { "ins", TAG_INLINE },
  { "isindex", TAG_INLINE },
  { "kbd", TAG_INLINE },
  { "keygen", TAG_INLINE },
  { "label", TAG_INLINE },
  { "legend", TAG_BLOCK },
  { "li", TAG_BLOCK },
  { "link", TAG_INLINE },
  { "listing", TAG_BLOCK | TAG_PRE },
  { "main", TAG_BLOCK },
  { "map", TAG_INLINE },
  { "mark", TAG_INLINE },
  { "marquee", TAG_INLINE },
  { "math", TAG_INLINE },
  { "menu", TAG_BLOCK },
  { "menuitem", TAG_INLINE },
  { "meta", TAG_INLINE },
  { "meter", TAG_INLINE },
  { "multicol", TAG_INLINE },
  { "nav", TAG_BLOCK },
  { "nextid", TAG_INLINE },
  { "nobr", TAG_INLINE },
  { "noembed", TAG_RAW | TAG_DROP | TAG_REST },
  { "noframes", TAG_RAW | TAG_DROP | TAG_REST },
  { "noscript", TAG_DROP },
  { "object", TAG_INLINE },
  { "ol", TAG_BLOCK },
  { "optgroup", TAG_BLOCK },
  { "option", TAG_BLOCK },
  { "output", TAG_INLINE },
  { "p", TAG_BLOCK | TAG_PARA },
  { "param", TAG_INLINE },
  { "picture", TAG_INLINE },
  { "plaintext", TAG_BLOCK | TAG_PRE | TAG_RAW },
  { "pre", TAG_BLOCK | TAG_PRE },
  { "progress", TAG_INLINE },
  { "q", TAG_INLINE },
  { "rb", TAG_INLINE },
  { "rp", TAG_INLINE },
  { "rt", TAG_INLINE },
  { "rtc", TAG_INLINE },
  { "ruby", TAG_INLINE },
  { "s", TAG_INLINE },
  { "samp", TAG_INLINE },
  { "script", TAG_RAW | TAG_DROP | TAG_REST },
  { "search", TAG_BLOCK },
  { "section", TAG_BLOCK },
  { "select", TAG_INLINE },
  { "slot", TAG_INLINE },
  { "small", TAG_INLINE },
  { "source", TAG_INLINE },
  { "spacer", TAG_INLINE },
  { "span", TAG_INLINE },
  { "strike", TAG_INLINE },
  { "strong", TAG_INLINE },
  { "style", TAG_RAW | TAG_DROP | TAG_REST },
  { "sub", TAG_INLINE },
  { "summary", TAG_BLOCK },
  { "sup", TAG_INLINE },
  { "svg", TAG_DROP },
  { "table", TAG_BLOCK },
  { "tbody", TAG_BLOCK },
  { "td", TAG_CELL },
  { "template", TAG_DROP },
  { "textarea", TAG_BLOCK | TAG_PRE | TAG_RAW | TAG_REFS },
  { "tfoot", TAG_BLOCK },
  { "th", TAG_CELL },
  { "thead", TAG_BLOCK },
  { "time", TAG_INLINE },
  { "title", TAG_BLOCK | TAG_RAW | TAG_REFS },
  { "tr", TAG_BLOCK },
  { "track", TAG_INLINE },
  { "tt", TAG_INLINE },
  { "u", TAG_INLINE },
  { "ul", TAG_BLOCK },
  { "var", TAG_INLINE },
  { "video", TAG_INLINE },
  { "wbr", TAG_INLINE },
  { "xml", TAG_INLINE },
  { "xmp", TAG_BLOCK | TAG_PRE | TAG_RAW },
};

static const TextTag other = { "", TAG_NONE };
/* What word processors leave: <o:p>, <v:shape>, <st1:city>. */
static const TextTag office = { "o:p", TAG_INLINE };

static gboolean
is_office (const char *name, gsize len)
{
  const char *colon = memchr (name, ':', len);

  if (colon == NULL || colon == name || colon - name > 3 || colon == name + len - 1)
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (name + i != colon && !g_ascii_isalnum (name[i]))
      return FALSE;
  return TRUE;
}

const TextTag *
text_html_tag (const char *name, gsize len)
{
  char lower[sizeof tags[0].name];
  guint low = 0, high = G_N_ELEMENTS (tags);

  if (is_office (name, len))
    return &office;
  if (len >= sizeof lower)
    return &other;
  for (gsize i = 0; i < len; i++)
    lower[i] = g_ascii_tolower (name[i]);
  lower[len] = 0;
  while (low < high)
    {
      guint middle = (low + high) / 2;
      int order = strcmp (lower, tags[middle].name);

      if (order == 0)
        return &tags[middle];
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return &other;
}

gboolean
text_html_bare (const char *name, gsize len)
{
  static const char *const bare[]
      = { "allowfullscreen", "async",    "autofocus", "autoplay", "checked",  "compact",
          "controls",        "declare",  "default",   "defer",    "disabled", "hidden",
          "inert",           "ismap",    "itemscope", "loop",     "multiple", "muted",
          "nohref",          "nomodule", "noresize",  "noshade",  "nowrap",   "open",
          "playsinline",     "readonly", "required",  "reversed", "scoped",   "seamless",
          "selected",        "truespeed" };

  for (guint i = 0; i < G_N_ELEMENTS (bare); i++)
    if (strlen (bare[i]) == len && g_ascii_strncasecmp (bare[i], name, len) == 0)
      return TRUE;
  /* data-v-7ba5bd90 and its like, made by web frameworks. */
  return (len > 5 && g_ascii_strncasecmp (name, "data-", 5) == 0)
         || (len > 3 && memcmp (name, "_ng", 3) == 0);
}
