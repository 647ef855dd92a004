/* SPDX-License-Identifier: Apache-2.0 */
/* content.c: see content.h: bytes to text to tree to blocks to a page. */
#include "config.h"

#include <string.h>

#include "text/charset.h"
#include "text/content-meta.h"

typedef struct
{
  TextContent out; /* first: what the caller sees */
  Page page;
  char *decoded;
  GArray *kept;  /* TextBlock */
  GArray *links; /* TextLink */
  gboolean explain;
} Content;

const char *
text_page_kind_name (TextPageKind kind)
{
  static const char *const names[] = { "empty", "prose", "list" };

  return names[MIN ((guint) kind, TEXT_PAGE_LIST)];
}

/* The page's address and <base>: what links are seen from. */
static void
find_base (Content *c, const Meta *meta, const char *url, Address *base)
{
  Address own;
  FrStr from = { url ? url : "", url ? strlen (url) : 0 };
  g_autoptr (GString) resolved = g_string_new (NULL);

  text_address_split (from, &own);
  if (own.scheme.data == NULL)
    memset (&own, 0, sizeof own);
  if (meta->base.len > 0 && text_address_resolve (&own, meta->base, resolved))
    from = text_dom_store (c->page.dom, resolved->str, resolved->len);
  else
    from = text_dom_store (c->page.dom, from.data, from.len);
  text_address_split (from, base);
  if (base->scheme.data == NULL)
    memset (base, 0, sizeof *base);
  c->out.base = from;
}

static FrStr
absolute (Content *c, const Address *base, FrStr href)
{
  g_autoptr (GString) url = g_string_new (NULL);

  if (href.len == 0)
    return FR_STR ("");
  if (text_address_resolve (base, href, url))
    return text_dom_store (c->page.dom, url->str, url->len);
  return href;
}

/* The kept blocks, as the caller gets them. */
static void
collect_blocks (Content *c)
{
  TextBlockKind last = 0;

  c->kept = g_array_new (FALSE, FALSE, sizeof (TextBlock));
  for (guint i = 0; i < c->page.blocks->len; i++)
    {
      Block *b = &g_array_index (c->page.blocks, Block, i);

      b->out.text = (FrStr){ c->page.text->str + b->start, b->len };
      if (!b->kept)
        {
          c->out.n_dropped += b->chars;
          continue;
        }
      c->out.n_chars += b->chars;
      if ((b->out.kind == TEXT_BLOCK_ITEM || b->out.kind == TEXT_BLOCK_ROW) && last != b->out.kind)
        b->out.first = TRUE;
      last = b->out.kind;
      g_array_append_val (c->kept, b->out);
    }
  c->out.blocks = (const TextBlock *) (void *) c->kept->data;
  c->out.n_blocks = c->kept->len;
}

static void
extract (Content *c, FrStr html, const TextContentOptions *options)
{
  Meta meta = { 0 };
  Address base;

  c->page.dom = text_dom_parse (html);
  c->page.text = g_string_sized_new (html.len / 4 + 64);
  c->page.boxes = g_array_sized_new (FALSE, FALSE, sizeof (Box), 64);
  c->page.blocks = g_array_sized_new (FALSE, FALSE, sizeof (Block), 64);
  if (options->flags & TEXT_CONTENT_NO_MAIN)
    {
      Box body = { .node = c->page.dom->body };

      g_array_append_val (c->page.boxes, body);
    }
  else
    {
      text_blocks_build (&c->page);
      text_blocks_score (&c->page, (options->flags & TEXT_CONTENT_WHOLE) != 0);
    }
  text_meta_read (&c->page, &meta);
  if (!(options->flags & TEXT_CONTENT_NO_MAIN) && meta.body.len > 0)
    text_blocks_use_body (&c->page, meta.body);
  text_meta_finish (&c->page, &meta, options->url, &c->out);
  find_base (c, &meta, options->url, &base);
  c->out.canonical = absolute (c, &base, meta.canonical.len > 0 ? meta.canonical : meta.og_url);
  c->out.refresh = absolute (c, &base, meta.refresh);
  c->links = g_array_new (FALSE, FALSE, sizeof (TextLink));
  if (!(options->flags & TEXT_CONTENT_NO_LINKS))
    text_links_collect (&c->page, &base, &meta, c->links);
  c->out.links = (const TextLink *) (void *) c->links->data;
  c->out.n_links = c->links->len;
  collect_blocks (c);
  c->out.kind = c->page.kind;
  c->out.confidence = c->page.confidence;
  c->out.n_flattened = c->page.dom->n_flattened;
  c->out.n_cut = c->page.dom->n_cut;
  c->explain = (options->flags & TEXT_CONTENT_EXPLAIN) != 0;
}

static const TextContentOptions no_options = { NULL, NULL, 0 };

/* The page's own copy, for what it gives out lies there in part; without NUL characters, which are
 * no text in HTML (section 13.2.6.4.7), and counted. */
static FrStr
own (Content *c, FrStr text)
{
  gsize n = 0;

  c->decoded = g_malloc (text.len + 1);
  for (gsize at = 0; at < text.len;)
    {
      const char *nul = memchr (text.data + at, 0, text.len - at);
      gsize run = nul ? (gsize) (nul - text.data) - at : text.len - at;

      memcpy (c->decoded + n, text.data + at, run);
      n += run;
      at += run + (nul != NULL);
      c->out.n_replaced += nul != NULL;
    }
  c->decoded[n] = 0;
  return (FrStr){ c->decoded, n };
}

TextContent *
text_content_new_utf8 (FrStr html, const TextContentOptions *options)
{
  Content *c = g_new0 (Content, 1);

  c->out.charset = "utf-8";
  c->out.charset_from = "transport";
  c->out.charset_claimed = FR_STR ("");
  if (html.len >= 3 && memcmp (html.data, "\357\273\277", 3) == 0)
    html = (FrStr){ html.data + 3, html.len - 3 };
  extract (c, own (c, html), options ? options : &no_options);
  return &c->out;
}

/* Everything as UTF-8. */
static FrStr
decode (Content *c, const char *data, gsize len)
{
  g_autoptr (TextDecoder) decoder = text_decoder_new (c->out.charset, NULL);
  g_autoptr (GString) all = NULL;
  gsize at = 0;

  if (decoder == NULL)
    {
      c->out.charset = "windows-1252";
      decoder = text_decoder_new (c->out.charset, NULL);
    }
  if (decoder == NULL)
    return FR_STR ("");
  while (at < len)
    {
      const char *out;
      gsize out_len, n = MIN (len - at, (gsize) 1 << 24);
      gsize used = text_decoder_decode (decoder, data + at, n, at + n == len, &out, &out_len);

      if (at == 0 && used == len && out == data)
        {
          c->out.n_replaced = text_decoder_n_replaced (decoder);
          return own (c, (FrStr){ out, out_len });
        }
      if (all == NULL)
        all = g_string_sized_new (len + len / 2);
      g_string_append_len (all, out, (gssize) out_len);
      if (used == 0)
        break;
      at += used;
    }
  c->out.n_replaced = text_decoder_n_replaced (decoder);
  return all ? own (c, (FrStr){ all->str, all->len }) : FR_STR ("");
}

TextContent *
text_content_new (const char *data, gsize len, const TextContentOptions *options)
{
  Content *c = g_new0 (Content, 1);
  const char *claimed;
  FrStr html;

  options = options ? options : &no_options;
  c->out.charset
      = text_html_charset (data, len, TRUE, options->charset, &c->out.charset_from, &claimed);
  c->out.charset_claimed = claimed ? (FrStr){ claimed, strlen (claimed) } : FR_STR ("");
  html = decode (c, data, len);
  if (html.len >= 3 && memcmp (html.data, "\357\273\277", 3) == 0)
    html = (FrStr){ html.data + 3, html.len - 3 };
  extract (c, html, options);
  return &c->out;
}

void
text_content_free (TextContent *page)
{
  Content *c = (Content *) page;

  if (c == NULL)
    return;
  text_dom_free (c->page.dom);
  g_string_free (c->page.text, TRUE);
  g_array_unref (c->page.boxes);
  g_array_unref (c->page.blocks);
  g_array_unref (c->kept);
  g_array_unref (c->links);
  g_free (c->decoded);
  g_free (c);
}

void
text_content_explain (const TextContent *page, GString *out)
{
  const Content *c = (const Content *) page;

  if (c->explain)
    text_blocks_explain (&c->page, out);
}
