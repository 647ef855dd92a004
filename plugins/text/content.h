/* SPDX-License-Identifier: Apache-2.0 */
/* content.h: what an HTML page says, without what stands around it (libflowrun-text).
 *
 * From the bytes of a page: its main text as blocks (paragraphs, headings, list items, table rows,
 * code), what it is called, who wrote it and when, its language, its links, and what it tells
 * robots.  No network, no scripts, nothing read but the bytes given.
 *
 * How the main text is found is a scored block model: the page is cut into blocks of text; each
 * block has features (its length in characters, its link density, its sentence marks, where it
 * stands, what the elements around it are called, phrases such as 责任编辑), each feature a weight
 * with a reason, all in one table (content-score.c); the smallest part of the tree that holds
 * nearly all well-scored text is the main content, and blocks in it that are not content go.  Every
 * score can be shown (TEXT_CONTENT_EXPLAIN).  The ideas are those of Kohlschütter, Fankhauser,
 * Nejdl: Boilerplate Detection using Shallow Text Features, WSDM 2010 (text and link density of
 * blocks and of their neighbours), Pasternack, Roth: Extracting Article Text from the Web with
 * Maximum Subsequence Segmentation, WWW 2009 (signed scores, summed over stretches of the page),
 *   Mozilla Readability (names of classes and ids, data tables, hidden nodes, titles).
 * A page whose content is links (an index, a site map, a front page) is told apart and keeps its
 * link lists; navigation still goes.  A page that leaves its text to a script, but has it in its
 * JSON-LD (articleBody), has that text.
 *
 *   TextContentOptions options = { .url = "https://example.com/a/1.html", .charset = from_header };
 *   g_autoptr (TextContent) page = text_content_new (bytes, n_bytes, &options);
 *
 *   if (page->kind != TEXT_PAGE_EMPTY)
 *     text_content_append (page, TEXT_STYLE_PLAIN, out);
 *   for (guint i = 0; i < page->n_links; i++)
 *     ... page->links[i].url ...
 *
 * It never fails: whatever the bytes are, they give a page, at worst an empty one, in linear time
 * and in memory of at most a fixed multiple of their length; what was cut or repaired on the way is
 * counted.  The same bytes and options give the same page.  Functions are safe from any thread as
 * long as each page is used by one thread at a time.
 */
#ifndef FLOWRUN_TEXT_CONTENT_H
#define FLOWRUN_TEXT_CONTENT_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TEXT_CONTENT_WHOLE = 1 << 0,    /* keep all visible text: no main-content rule                  */
  TEXT_CONTENT_NO_LINKS = 1 << 1, /* do not collect links                                         */
  TEXT_CONTENT_EXPLAIN = 1 << 2, /* keep what text_content_explain() shows, dropped blocks too    */
  TEXT_CONTENT_NO_MAIN = 1 << 3  /* metadata and links alone: no blocks, title not from headings */
} TextContentFlags;

/**
 * TextContentOptions:
 * @url: where the page comes from, absolute; links and canonical are resolved against it (and
 *   against <base>); NULL: unknown
 * @charset: what the transport said ("gb2312"), any label; unknown ones are ignored; NULL: nothing
 * @flags: TextContentFlags
 *
 * All zero is a good set of options.
 */
typedef struct
{
  const char *url;
  const char *charset;
  guint flags;
} TextContentOptions;

typedef enum
{
  TEXT_PAGE_EMPTY = 0, /* no main text: blocks may still be asked for with TEXT_CONTENT_WHOLE */
  TEXT_PAGE_PROSE,     /* sentences                                                            */
  TEXT_PAGE_LIST       /* an index: what it has to say is mostly links or short entries        */
} TextPageKind;

/** text_page_kind_name: "empty", "prose", "list". */
const char *text_page_kind_name (TextPageKind kind);

typedef enum
{
  TEXT_BLOCK_PARAGRAPH = 1,
  TEXT_BLOCK_HEADING, /* level 1 to 6 */
  TEXT_BLOCK_ITEM,    /* of a list; level is the depth of the list, from 1 */
  TEXT_BLOCK_ROW,     /* of a table; cells are separated by one tab */
  TEXT_BLOCK_CODE,    /* preformatted: line ends and blanks count */
  TEXT_BLOCK_QUOTE,   /* a paragraph of a quotation */
  TEXT_BLOCK_CAPTION  /* of a figure or table */
} TextBlockKind;

/**
 * TextBlock: a piece of main text between two line ends of the layout.
 * @text: white space collapsed, never empty; a newline where the page has <br>
 * @level: see TextBlockKind; else 0
 * @ordered: the number of an item of a numbered list; else 0
 * @first: begins a list, a table (ROW: the header row if it has one) or a block of code
 */
typedef struct
{
  TextBlockKind kind;
  guint level;
  guint ordered;
  gboolean first;
  FrStr text;
} TextBlock;

typedef enum
{
  TEXT_LINK_NOFOLLOW
  = 1 << 0,                  /* rel=nofollow, ugc or sponsored, or the page's meta robots says it */
  TEXT_LINK_MAIN = 1 << 1,   /* stands in the main content                                        */
  TEXT_LINK_FRAME = 1 << 2,  /* a frame or iframe: part of the page rather than a way on          */
  TEXT_LINK_NEXT = 1 << 3,   /* rel=next                                                          */
  TEXT_LINK_REFRESH = 1 << 4 /* <meta http-equiv=refresh>                                         */
} TextLinkFlags;

/**
 * TextLink: a way to another page: <a>, <area>, <link rel=next|prev|alternate to HTML>, frames and
 * refreshes, in the order of the page, each address as often as it stands there.
 * @href: as written: character references read, white space at the ends off, tabs and newlines out
 * @url: @href made absolute with <base> and the page's URL, and without its fragment; ASCII: what
 * may not stand in an address is percent-encoded as UTF-8, in the host too (RFC 3986,
 * section 3.2.2); empty when that cannot be done (no base) or when it is no address of a page
 * (javascript:, mailto:, data:)
 * @text: what is shown, one line; of an image its alt text; may be empty
 * @flags: TextLinkFlags
 */
typedef struct
{
  FrStr href, url, text;
  guint flags;
} TextLink;

typedef enum
{
  TEXT_ROBOTS_NOINDEX = 1 << 0,
  TEXT_ROBOTS_NOFOLLOW = 1 << 1,
  TEXT_ROBOTS_NOARCHIVE = 1 << 2,
  TEXT_ROBOTS_NOSNIPPET = 1 << 3
} TextRobots;

/** text_robots_parse: the value of a meta robots element or of an X-Robots-Tag header, any case;
 * "none" is noindex and nofollow; what is not known is ignored. */
guint text_robots_parse (FrStr value);

/**
 * TextContent: a page.  All text is valid UTF-8 without NUL characters, owned by the page; what is
 * not known is empty (len 0, data never NULL).
 *
 * Where metadata comes from, best first: JSON-LD of an article, Dublin Core, Open Graph and
 * article:* properties, Twitter and plain <meta> names, microdata (itemprop), elements whose class
 * says it (byline, pubtime), the text itself.
 *
 * @kind, @confidence: what sort of page, and how sure that the blocks are the main content
 *   (0 to 1: the share of the page's well-scored text that was kept, lowered for little text)
 * @title: of the piece, without the site's name around it ("标题_新浪新闻" gives 标题)
 * @page_title: <title> as it stands
 * @byline: who wrote it: names alone, without 作者： or "By"
 * @site: name of the site
 * @description: the page's own summary
 * @keywords: comma-separated, as the page says
 * @published, @modified: RFC 3339, as exact as the page says: "2024-05-06",
 *   "2024-05-06T12:30:00+08:00"; without a zone where the page has none ("2024-05-06T12:30:00")
 * @date_from: what @published was read from: "json-ld", "meta", "time", "text", "url"; static
 * @language: BCP 47 as the page says ("zh-CN"), checked against the text: a page that says "en"
 *   over Chinese text is "zh"; by the script of the text where nothing is said
 * @canonical: absolute if it can be; @base: what links were resolved against
 * @robots: TextRobots of the page's meta elements (robots; also googlebot and baiduspider)
 * @refresh: address of a <meta http-equiv=refresh>, absolute if it can be
 * @charset: canonical name (charset.h); @charset_from: "marked", "transport", "meta", "guessed";
 *   @charset_claimed: what transport or meta said where the bytes proved it wrong, else empty
 * @n_replaced: characters that the bytes did not give (U+FFFD), and NUL characters, which are
 * dropped
 * @n_flattened: elements beyond the depth that is kept; @n_cut: nodes beyond the number kept
 * (dom.h)
 * @blocks, @n_blocks: the main text in order
 * @links, @n_links: of the whole page
 * @n_chars: characters in @blocks; @n_dropped: characters of visible text that are not
 */
typedef struct
{
  TextPageKind kind;
  double confidence;
  FrStr title, page_title, byline, site, description, keywords;
  FrStr published, modified;
  const char *date_from;
  FrStr language;
  FrStr canonical, base, refresh;
  guint robots;
  const char *charset, *charset_from;
  FrStr charset_claimed;
  guint64 n_replaced, n_flattened, n_cut;
  const TextBlock *blocks;
  guint n_blocks;
  const TextLink *links;
  guint n_links;
  guint64 n_chars, n_dropped;
} TextContent;

/**
 * text_content_new:
 * @data: the bytes of an HTML or XHTML page, in any charset; only read during this call
 * @options: or NULL
 *
 * The charset is found as the HTML standard says (section 13.2.3): byte order mark, transport,
 * meta elements in the first 64 KiB, then by the bytes themselves; but a claim that the bytes
 * refute (not valid in it, and valid UTF-8) is not believed, and kept in charset_claimed.
 */
TextContent *text_content_new (const char *data, gsize len, const TextContentOptions *options);

/** text_content_new_utf8: of text that is valid UTF-8 already (a column); its meta charset is not
 * asked. */
TextContent *text_content_new_utf8 (FrStr html, const TextContentOptions *options);

void text_content_free (TextContent *page);

typedef enum
{
  TEXT_STYLE_PLAIN = 0, /* blocks on lines of their own, an empty line around paragraphs, headings,
                           lists, tables; rows as cells with tabs */
  TEXT_STYLE_MARKDOWN   /* CommonMark: # headings, - and 1. items, > quotes, ``` code, | tables | */
} TextStyle;

/** text_content_append: the main text; without a newline at its end. */
void text_content_append (const TextContent *page, TextStyle style, GString *out);

/**
 * text_content_explain:
 *
 * Appends one line a block of the page, kept or not, and why: verdict, score, each feature that
 * counted with its share of the score, path of elements, the first characters of the text.
 * Needs TEXT_CONTENT_EXPLAIN; appends nothing without.
 */
void text_content_explain (const TextContent *page, GString *out);

/** text_content_feature: feature @i of the block model: its name, weight and reason, static; FALSE
 * after the last. */
gboolean text_content_feature (guint i, const char **name, double *weight, const char **why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextContent, text_content_free)

/* ---- charset of a page ---------------------------------------------------- */

/**
 * text_html_charset:
 * @data: the first bytes of a page; TEXT_CHARSET_WINDOW of them are enough
 * @whole: they are the whole page
 * @transport: charset of the Content-Type header, any label, or NULL
 * @how: as charset_from above
 * @claimed: what was claimed and is refuted, as canonical name; NULL when nothing was; or NULL
 *
 * Returns a canonical name for text_decoder_new() (charset.h), static.
 */
const char *text_html_charset (const char *data, gsize len, gboolean whole, const char *transport,
                               const char **how, const char **claimed);

/** text_html_prescan: the charset that the meta elements (or an XML declaration) in the first 64
 * KiB name, canonical; NULL when none does (HTML standard, sections 13.2.3.2 and 13.2.3.4). */
const char *text_html_prescan (const char *data, gsize len);

G_END_DECLS

#endif
