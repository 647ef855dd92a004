/* SPDX-License-Identifier: Apache-2.0 */
/* content-private.h: between content*.c.
 *
 * A page goes through four hands:
 *   content-blocks.c  the tree becomes boxes (block-level elements) and blocks (text between two
 *                     line ends of the layout), counted;
 *   content-score.c   blocks get scores, the main part is chosen, blocks are kept or dropped;
 *   content-meta.c    title, byline, dates and so on (content-date.c, content-json.c);
 *   content-links.c   links and addresses.
 * content.c calls them and owns the result.
 */
#ifndef FLOWRUN_TEXT_CONTENT_PRIVATE_H
#define FLOWRUN_TEXT_CONTENT_PRIVATE_H

#include "text/content.h"
#include "text/dom.h"

G_BEGIN_DECLS

/* What an element is by its name, role, class or id.  NAV to META speak against its text. */
typedef enum
{
  HINT_NAV = 1 << 0,     /* ways to other pages: menus, paths, pagers, languages */
  HINT_FRAME = 1 << 1,   /* head and foot of the site: banner, copyright, legal   */
  HINT_ASIDE = 1 << 2,   /* beside the text: side bars, related, rankings         */
  HINT_AD = 1 << 3,      /* advertisement, pop-up, consent, newsletter            */
  HINT_SHARE = 1 << 4,   /* share, print, vote                                    */
  HINT_COMMENT = 1 << 5, /* what readers say                                      */
  HINT_META = 1 << 6,    /* who, when, where from                                 */
  HINT_GOOD = 1 << 7,    /* article, content, body, text                          */
  HINT_MAIN = 1 << 8,    /* <main>, <article>, role=main, itemprop=articleBody    */
  HINT_HEADER = 1 << 9,  /* <header>: of the site, or of the article              */
  HINT_TAG = 1 << 10,    /* with one of the above: the element itself says so, not just a class */
  HINT_FORM = 1 << 11,   /* form                                                  */
  HINT_NOTE = 1 << 12    /* inline text that is about the page: [edit], ¶, [1]    */
} Hint;
#define HINTS_BAD                                                                                  \
  (HINT_NAV | HINT_FRAME | HINT_ASIDE | HINT_AD | HINT_SHARE | HINT_COMMENT | HINT_META)

/* A block-level element; number 0 is the body. */
typedef struct
{
  guint32 node, parent;
  guint32 first, end; /* its blocks */
  guint32 hints;      /* its own */
  guint32 inherited;  /* with those of the boxes around it, as far as they count */
  guint8 tag;
  guint8 group; /* a table of data */
} Box;

/* Beside what is public (the text is filled in when all is there). */
typedef struct
{
  TextBlock out;
  gsize start, len; /* in Page.text */
  guint32 box, node;
  guint32 group; /* box number of the outermost list or table it belongs to; 0: none */
  guint32 hints; /* of inline elements that hold all its text */
  guint32 chars; /* without blanks */
  guint32 wide;  /* length in half characters: Han and full-width count 2, the rest 1 */
  guint32 link_wide, fragment_wide; /* the same of text in links, in links within the page */
  guint32 marks, commas;            /* ends of sentences; pauses in them */
  guint32 letters;
  float phrase; /* see text_phrase_is_boilerplate() */
  float base, score;
  guint8 kept;
} Block;

typedef struct
{
  TextDom *dom;
  GString *text;
  GArray *boxes;  /* Box */
  GArray *blocks; /* Block */
  guint32 region; /* box number */
  gboolean list;  /* scored without the rules against links */
  gsize n_hidden; /* bytes of text in hidden elements */
  gboolean show_hidden;
  TextPageKind kind;
  double confidence;
  guint32 title_block; /* 1 + number of the h1 that is kept before the region */
} Page;

/** text_names_hints: what class and id say, as Hint bits. */
guint32 text_names_hints (FrStr names);

/** text_phrase_is_boilerplate: how much a text of @wide half characters is, by its words, about the
 * page and not part of what the page says: 0 to 1. */
float text_phrase_is_boilerplate (FrStr text, guint wide);

/** text_blocks_build: fills boxes and blocks. */
void text_blocks_build (Page *page);

/** text_blocks_use_body: paragraphs from @body, when what was kept is not half of it. */
void text_blocks_use_body (Page *page, FrStr body);

/** text_blocks_score: fills scores, region, kind; sets kept. */
void text_blocks_score (Page *page, gboolean whole);

/** text_blocks_explain: see text_content_explain(). */
void text_blocks_explain (const Page *page, GString *out);

G_END_DECLS

#endif
