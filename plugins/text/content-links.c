/* SPDX-License-Identifier: Apache-2.0 */
/* content-links.c: addresses (RFC 3986, sections 3 and 5) and the links of a page.
 *
 * What browsers do to an address is done here too (WHATWG URL): tabs and newlines go, a backslash
 * is a slash, what may not stand in an address is percent-encoded as UTF-8, the fragment is cut.
 * What makes two addresses the same (ports, case of hosts, tracking parameters) is the crawler's
 * matter and not done here.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/content-meta.h"
#include "text/html-lex.h"

/* Longer addresses are mistakes or traps (RFC 9110 asks for 8000 at least). */
#define MAX_ADDRESS 8192

/* ---- addresses ------------------------------------------------------------- */

static gsize
scheme_len (FrStr url)
{
  if (url.len == 0 || !g_ascii_isalpha (*url.data))
    return 0;
  for (gsize i = 1; i < url.len; i++)
    {
      char c = url.data[i];

      if (c == ':')
        return i;
      if (!g_ascii_isalnum (c) && c != '+' && c != '-' && c != '.')
        return 0;
    }
  return 0;
}

static gboolean
is_slash (char c)
{
  return c == '/' || c == '\\';
}

void
text_address_split (FrStr url, Address *a)
{
  const char *p = url.data, *end = p + url.len, *q;
  gsize n = scheme_len (url);

  memset (a, 0, sizeof *a);
  if (n > 0)
    {
      a->scheme = (FrStr){ p, n };
      p += n + 1;
    }
  q = memchr (p, '#', (gsize) (end - p));
  if (q != NULL)
    {
      a->fragment = (FrStr){ q + 1, (gsize) (end - q - 1) };
      end = q;
    }
  q = memchr (p, '?', (gsize) (end - p));
  if (q != NULL)
    {
      a->query = (FrStr){ q + 1, (gsize) (end - q - 1) };
      end = q;
    }
  if (end - p >= 2 && is_slash (p[0]) && is_slash (p[1]))
    {
      for (q = p += 2; q < end && !is_slash (*q);)
        q++;
      a->authority = (FrStr){ p, (gsize) (q - p) };
      p = q;
    }
  a->path = (FrStr){ p, (gsize) (end - p) };
}

static void
append_escaped (FrStr part, gboolean path, GString *out)
{
  static const char hex[] = "0123456789ABCDEF";

  for (gsize i = 0; i < part.len; i++)
    {
      guchar c = (guchar) part.data[i];

      if (c == '\t' || c == '\n' || c == '\r')
        continue;
      if (path && c == '\\')
        c = '/';
      if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '`' || c == '{'
          || c == '}' || c == '|' || c == '^')
        {
          g_string_append_c (out, '%');
          g_string_append_c (out, hex[c >> 4]);
          g_string_append_c (out, hex[c & 15]);
        }
      else
        g_string_append_c (out, (char) c);
    }
}

/* Section 5.2.4, in place, on the path that begins at @start of @out. */
static void
remove_dots (GString *out, gsize start)
{
  char *to = out->str + start, *base = to;
  const char *p = to, *end = out->str + out->len;

  while (p < end)
    {
      const char *slash = memchr (p + 1, '/', (gsize) (end - p - 1));
      gsize n = (gsize) ((slash ? slash : end) - p);

      /* @p is at a '/'. */
      if (n == 2 && p[1] == '.')
        {
          if (slash == NULL)
            *to++ = '/';
        }
      else if (n == 3 && p[1] == '.' && p[2] == '.')
        {
          while (to > base && *--to != '/')
            ;
          if (slash == NULL)
            *to++ = '/';
        }
      else
        {
          memmove (to, p, n);
          to += n;
        }
      p += n;
    }
  if (to == base)
    *to++ = '/';
  g_string_truncate (out, (gsize) (to - out->str));
}

static gboolean
is_page_scheme (FrStr scheme)
{
  static const char *const schemes[] = { "http", "https", "file", "ftp" };

  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (scheme.len == strlen (schemes[i])
        && g_ascii_strncasecmp (scheme.data, schemes[i], scheme.len) == 0)
      return TRUE;
  return FALSE;
}

gboolean
text_address_resolve (const Address *base, FrStr href, GString *out)
{
  Address a;
  FrStr scheme;
  gsize start;

  href = text_strip (href);
  if (href.len > MAX_ADDRESS)
    return FALSE;
  text_address_split (href, &a);
  /* "http:page.html" is "page.html". */
  if (a.scheme.data != NULL && a.authority.data == NULL && base->scheme.data != NULL
      && a.scheme.len == base->scheme.len
      && g_ascii_strncasecmp (a.scheme.data, base->scheme.data, a.scheme.len) == 0
      && base->authority.data != NULL)
    a.scheme = (FrStr){ NULL, 0 };
  scheme = a.scheme.data ? a.scheme : base->scheme;
  if (!is_page_scheme (scheme) || (a.scheme.data == NULL && base->path.data == NULL))
    return FALSE;
  if (a.scheme.data != NULL && a.authority.data == NULL)
    return FALSE;
  for (gsize i = 0; i < scheme.len; i++)
    g_string_append_c (out, g_ascii_tolower (scheme.data[i]));
  g_string_append (out, "://");
  append_escaped (a.authority.data ? a.authority : base->authority, FALSE, out);
  start = out->len;
  if (a.authority.data != NULL || (a.path.len > 0 && is_slash (*a.path.data)))
    append_escaped (a.path, TRUE, out);
  else
    {
      FrStr dir = base->path;

      if (a.path.len > 0)
        while (dir.len > 0 && !is_slash (dir.data[dir.len - 1]))
          dir.len--;
      append_escaped (dir, TRUE, out);
      append_escaped (a.path, TRUE, out);
    }
  if (out->len == start || out->str[start] != '/')
    g_string_insert_c (out, (gssize) start, '/');
  remove_dots (out, start);
  if (a.query.data == NULL && a.authority.data == NULL && a.path.len == 0)
    a.query = base->query;
  if (a.query.data != NULL)
    {
      g_string_append_c (out, '?');
      append_escaped (a.query, FALSE, out);
    }
  return TRUE;
}

/* ---- links ------------------------------------------------------------------ */

typedef struct
{
  Page *page;
  const Address *base;
  const Meta *meta;
  GArray *links;
  GString *scratch;
} Collector;

/* Tabs and newlines within an address are no part of it. */
static FrStr
clean_href (Collector *c, FrStr href)
{
  href = text_strip (href);
  if (memchr (href.data, '\n', href.len) == NULL && memchr (href.data, '\t', href.len) == NULL
      && memchr (href.data, '\r', href.len) == NULL)
    return href;
  g_string_truncate (c->scratch, 0);
  for (gsize i = 0; i < href.len; i++)
    if (href.data[i] != '\n' && href.data[i] != '\t' && href.data[i] != '\r')
      g_string_append_c (c->scratch, href.data[i]);
  return text_dom_store (c->page->dom, c->scratch->str, c->scratch->len);
}

/* Whether @words, separated by white space, has @word. */
static gboolean
has_word (FrStr words, const char *word)
{
  gsize n = strlen (word);

  for (gsize i = 0; i + n <= words.len; i++)
    if ((i == 0 || lex_is_space (words.data[i - 1]) || words.data[i - 1] == ',')
        && g_ascii_strncasecmp (words.data + i, word, n) == 0
        && (i + n == words.len || lex_is_space (words.data[i + n]) || words.data[i + n] == ','))
      return TRUE;
  return FALSE;
}

static void
add_link (Collector *c, guint32 node, FrStr href, guint flags)
{
  TextLink link = { .text = FR_STR (""), .url = FR_STR (""), .flags = flags };

  if (href.data == NULL)
    return;
  link.href = clean_href (c, href);
  g_string_truncate (c->scratch, 0);
  if (text_address_resolve (c->base, link.href, c->scratch))
    link.url = text_dom_store (c->page->dom, c->scratch->str, c->scratch->len);
  if (c->meta->robots & TEXT_ROBOTS_NOFOLLOW)
    link.flags |= TEXT_LINK_NOFOLLOW;
  if (node != 0)
    {
      g_string_truncate (c->scratch, 0);
      text_dom_text (c->page->dom, node, 512, c->scratch);
      /* An image in a link speaks through its alternative text. */
      for (guint32 i = node;
           c->scratch->len == 0 && (i = text_dom_next (c->page->dom, i, node, FALSE)) != 0;)
        if (c->page->dom->nodes[i].tag == TEXT_TAG_IMG)
          {
            FrStr alt = text_strip (text_dom_attribute (c->page->dom, i, TEXT_ATTR_ALT));

            g_string_append_len (c->scratch, alt.data, (gssize) MIN (alt.len, 512));
          }
      if (!g_utf8_validate (c->scratch->str, (gssize) c->scratch->len, NULL))
        g_string_truncate (c->scratch, 0);
      link.text = text_dom_store (c->page->dom, c->scratch->str, c->scratch->len);
    }
  g_array_append_val (c->links, link);
}

static guint
rel_flags (FrStr rel)
{
  guint flags = 0;

  if (rel.len == 0)
    return 0;
  if (has_word (rel, "nofollow") || has_word (rel, "ugc") || has_word (rel, "sponsored"))
    flags |= TEXT_LINK_NOFOLLOW;
  if (has_word (rel, "next"))
    flags |= TEXT_LINK_NEXT;
  return flags;
}

/* <link>: only those that lead to pages for people. */
static void
add_link_element (Collector *c, guint32 node)
{
  const TextDom *dom = c->page->dom;
  FrStr rel = text_dom_attribute (dom, node, TEXT_ATTR_REL);
  FrStr type = text_dom_attribute (dom, node, TEXT_ATTR_TYPE);

  if (rel.len == 0 || has_word (rel, "stylesheet")
      || !(has_word (rel, "next") || has_word (rel, "prev") || has_word (rel, "alternate")))
    return;
  if (type.len > 0 && !(type.len >= 9 && g_ascii_strncasecmp (type.data, "text/html", 9) == 0)
      && !(type.len >= 21 && g_ascii_strncasecmp (type.data, "application/xhtml+xml", 21) == 0))
    return;
  add_link (c, 0, text_dom_attribute (dom, node, TEXT_ATTR_HREF), rel_flags (rel));
}

void
text_links_collect (Page *page, const Address *base, const Meta *meta, GArray *links)
{
  Collector c = { page, base, meta, links, g_string_new (NULL) };
  const TextDom *dom = page->dom;
  guint32 main_node = 0, main_end = 0;
  gboolean in_main = FALSE;

  if (page->region < page->boxes->len && page->kind != TEXT_PAGE_EMPTY)
    {
      main_node = g_array_index (page->boxes, Box, page->region).node;
      main_end = text_dom_next (dom, main_node, 0, TRUE);
    }
  for (guint32 i = 0; (i = text_dom_next (dom, i, 0, FALSE)) != 0;)
    {
      const TextNode *n = &dom->nodes[i];
      guint flags;

      if (i == main_end)
        in_main = FALSE;
      if (i == main_node && main_node != 0)
        in_main = TRUE;
      if (n->kind != TEXT_NODE_ELEMENT || n->n_attributes == 0)
        continue;
      flags = in_main ? TEXT_LINK_MAIN : 0;
      switch (n->tag)
        {
        case TEXT_TAG_A:
        case TEXT_TAG_AREA:
          add_link (&c, i, text_dom_attribute (dom, i, TEXT_ATTR_HREF),
                    flags | rel_flags (text_dom_attribute (dom, i, TEXT_ATTR_REL)));
          break;
        case TEXT_TAG_LINK:
          add_link_element (&c, i);
          break;
        case TEXT_TAG_IFRAME:
        case TEXT_TAG_FRAME:
          add_link (&c, 0, text_dom_attribute (dom, i, TEXT_ATTR_SRC), flags | TEXT_LINK_FRAME);
          break;
        default:
          break;
        }
    }
  if (meta->refresh.len > 0)
    add_link (&c, 0, meta->refresh, TEXT_LINK_REFRESH);
  g_string_free (c.scratch, TRUE);
}
