/* SPDX-License-Identifier: Apache-2.0 */
/* content-score.c: which blocks of a page are what it has to say.
 *
 * Three steps.
 *  1. Every block gets a score: the sum over the table below of weight times value, each value a
 *     feature of the block or of where it stands, in [0, 1] or [-1, 1].
 *  2. The region: from the body down, as long as one box holds nearly all of the well-scored text
 *     of the box it stands in, that one.  (Pasternack and Roth look for the run of tokens with the
 *     largest sum; here runs are boxes, and text of bad score is no reason to stay outside.)  When
 *     nothing calls it content, it grows to the nearest box around that something does.
 *  3. In the region text is content until it is shown to be something else; outside it is not.
 *     Headings follow what stands under them; the page's own may stand before the region.
 *
 * A page on which little is left that way has its links for content: it is scored again without
 * the rules against links, and where it stands decides alone.
 *
 * Everything is linear: sums over boxes are differences of running sums over blocks.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/content-private.h"

typedef enum
{
  F_START,
  F_LENGTH,
  F_SENTENCES,
  F_PAUSES,
  F_LINKS,
  F_FRAGMENTS,
  F_KIND,
  F_MAIN,
  F_NAMES_GOOD,
  F_NAMES_BAD,
  F_PHRASE,
  F_BARE,
  F_UNDER,
  F_AROUND,
  N_FEATURES
} Feature;

/* The whole model. */
static const struct
{
  const char *name;
  float weight;
  const char *why;
} features[N_FEATURES] = {
  [F_START]
  = { "start", -1, "short text without any sign is more often the site's than the page's" },
  [F_LENGTH] = { "length", 3,
                 "long blocks are prose (Kohlschütter: words in block); full at 80 Han "
                 "characters or 160 letters" },
  [F_SENTENCES] = { "sentences", 2, "。！？ and . ! ? end sentences; menus have none" },
  [F_PAUSES] = { "pauses", 1, "，、； within sentences (Readability counts commas)" },
  [F_LINKS] = { "links", -5,
                "share of linked text (Kohlschütter: link density), of the block and of "
                "the list it is in; less where the list stands among prose" },
  [F_FRAGMENTS] = { "contents", -3, "links to places in the same page: a table of contents" },
  [F_KIND] = { "kind", 2, "code, rows of data and quotations are seldom chrome" },
  [F_MAIN] = { "main", 2, "in <main>, <article>, role=main or itemprop=articleBody" },
  [F_NAMES_GOOD]
  = { "named-good", 1, "a class or id around it says content, article, zhengwen, ..." },
  [F_NAMES_BAD] = { "named-bad", -6,
                    "an element, role, class or id around it says nav, footer, "
                    "sidebar, related, share, comment, ..." },
  [F_PHRASE] = { "phrase", -5, "it has words such as 责任编辑, 扫码关注, 上一篇, 版权所有" },
  [F_BARE] = { "bare", -1.5f, "it has no letters" },
  [F_UNDER]
  = { "under", -6, "it stands under a line such as 相关阅读 or a heading that is the site's" },
  [F_AROUND] = { "around", 1.5f,
                 "what stands before and after (Kohlschütter: previous and next "
                 "block)" },
};

/* Share of the well-scored text around it that a box must hold to be the region instead, and of
 * the plain text there: a page of few words may have only one good sentence. */
#define REGION_SHARE 0.8
#define REGION_PLAIN 0.5
/* A box with this share of the page's prose is not chrome, whatever it is called. */
#define TOO_MUCH_FOR_CHROME 0.6
/* Less text than this, in half characters, does not make a page of prose. */
#define LITTLE_PROSE 120
/* In the region, blocks of a lower score go. */
#define KEEP_IN_REGION -1.5f
/* The same when the region is the whole page. */
#define KEEP_IN_BODY -0.5f

/* Running sums over blocks: [i] is the sum of blocks before i. */
typedef struct
{
  guint32 *wide, *links, *fragments, *prose, *mass;
  guint32 *plain; /* neither linked nor in boxes of chrome */
} Sums;

typedef struct
{
  Page *page;
  Sums sums;
  const Block *blocks;
  Box *boxes;
  guint n_blocks, n_boxes;
  guint8 *under; /* by block */
  gboolean list; /* the rules against links are off */
} Scorer;

static guint32
sum (const guint32 *sums, const Box *box)
{
  return sums[box->end] - sums[box->first];
}

static float
share (double part, double whole)
{
  return whole > 0 ? (float) (part / whole) : 0;
}

/* Text of a block that is sentences. */
static guint32
prose_of (const Block *b)
{
  return b->marks > 0 || b->commas > 1 || b->out.kind == TEXT_BLOCK_CODE
             ? b->wide - MIN (b->link_wide, b->wide)
             : 0;
}

/* ---- what a block's surroundings say ---------------------------------------- */

/* A menu is not made of sentences: id="menus" may be the name of a chapter. */
static gboolean
reads_as_text (const Scorer *s, const Box *box)
{
  guint32 wide = sum (s->sums.wide, box);

  return sum (s->sums.prose, box) * 2 > wide && sum (s->sums.links, box) * 4 < wide
         && wide > 4 * LITTLE_PROSE;
}

/* Hints count for everything in a box, but not where it holds most of the page's prose. */
static void
inherit_hints (Scorer *s)
{
  guint32 all = s->sums.prose[s->n_blocks];

  for (guint i = 1; i < s->n_boxes; i++)
    {
      Box *box = &s->boxes[i];
      guint32 around = s->boxes[box->parent].inherited, hints = box->hints;

      if (all > 0 && sum (s->sums.prose, box) >= TOO_MUCH_FOR_CHROME * all)
        hints &= ~(guint32) (HINTS_BAD | HINT_HEADER | HINT_FORM);
      if (hints & (HINT_NAV | HINT_META | HINT_SHARE) && !(hints & HINT_TAG)
          && reads_as_text (s, box))
        hints &= ~(guint32) (HINT_NAV | HINT_META | HINT_SHARE);
      /* The header of an article is not the site's. */
      if (around & (HINT_MAIN | HINT_GOOD) || hints & HINT_GOOD)
        hints &= ~(guint32) HINT_HEADER;
      box->inherited = around | hints;
    }
}

static float
bad_names (guint32 hints)
{
  if (hints & (HINT_NAV | HINT_FRAME | HINT_AD | HINT_SHARE | HINT_COMMENT))
    return 1;
  if (hints & HINT_ASIDE)
    return .9f;
  if (hints & HINT_META)
    return .5f;
  if (hints & HINT_HEADER)
    return .5f;
  return hints & HINT_FORM ? .1f : 0;
}

/* Boxes that are made of one block or list: what holds them is where they stand. */
static gboolean
is_wrapper (guint8 tag)
{
  switch (tag)
    {
    case TEXT_TAG_P:
    case TEXT_TAG_UL:
    case TEXT_TAG_OL:
    case TEXT_TAG_DL:
    case TEXT_TAG_LI:
    case TEXT_TAG_DT:
    case TEXT_TAG_DD:
    case TEXT_TAG_TABLE:
    case TEXT_TAG_TBODY:
    case TEXT_TAG_TR:
    case TEXT_TAG_BLOCKQUOTE:
    case TEXT_TAG_CENTER:
    case TEXT_TAG_PRE:
      return TRUE;
    default:
      return FALSE;
    }
}

/* Whether the list @group stands right under a heading, in the same box. */
static gboolean
is_headed (const Scorer *s, const Box *group)
{
  const Block *before = group->first > 0 ? &s->blocks[group->first - 1] : NULL;

  return before != NULL && before->out.kind == TEXT_BLOCK_HEADING
         && s->boxes[before->box].parent == group->parent && !s->under[group->first];
}

/* Links among prose are content, links among links are navigation: the share of prose in the box
 * that a block's list, or the block, stands in.  A list under a heading in a box that is called
 * content is a section of it. */
static float
home_of (const Scorer *s, const Block *b)
{
  guint32 i = b->group ? b->group : b->box;
  const Box *box = &s->boxes[i];

  if (b->group && box->inherited & (HINT_GOOD | HINT_MAIN) && !(box->inherited & HINTS_BAD)
      && is_headed (s, box))
    return .8f;

  while (i > 0 && is_wrapper (s->boxes[i].tag))
    i = s->boxes[i].parent;
  box = &s->boxes[i];
  return MIN (1, 1.2f * share (sum (s->sums.prose, box), sum (s->sums.wide, box)));
}

/* Marks what stands under a line such as 相关阅读, to the end of the box that the line stands in:
 * linked blocks up to the first that is not; under a heading, everything up to the next heading of
 * its level. */
static void
mark_under (Scorer *s)
{
  for (guint i = 0; i < s->n_blocks; i++)
    {
      const Block *b = &s->blocks[i];
      gboolean heading = b->out.kind == TEXT_BLOCK_HEADING;
      guint32 box;

      if (b->wide > 40 || (heading ? b->out.level == 1 : b->link_wide * 2 > b->wide))
        continue;
      if (b->phrase < .8f && !(heading && bad_names (b->hints & ~(guint32) HINT_META) >= .9f))
        continue;
      for (box = b->box; box > 0 && s->boxes[box].end == i + 1;)
        box = s->boxes[box].parent;
      for (guint k = i + 1; k < s->boxes[box].end; k++)
        {
          const Block *below = &s->blocks[k];

          if (heading ? below->out.kind == TEXT_BLOCK_HEADING && below->out.level <= b->out.level
                      : below->link_wide * 2 < below->wide)
            break;
          s->under[k] = TRUE;
          i = k;
        }
    }
}

/* ---- scores ------------------------------------------------------------------ */

static void
look_at (const Scorer *s, guint i, float value[N_FEATURES])
{
  const Block *b = &s->blocks[i];
  /* Inside code, class="language-c" and "comment" are about the code. */
  guint32 hints = s->boxes[b->box].inherited | (b->out.kind == TEXT_BLOCK_CODE ? 0 : b->hints);
  float bad = bad_names (hints), links = share (b->link_wide, b->wide);
  float fragments = share (b->fragment_wide, b->wide);

  memset (value, 0, N_FEATURES * sizeof *value);
  if (b->group > 0)
    {
      const Box *group = &s->boxes[b->group];

      links = (links + share (sum (s->sums.links, group), sum (s->sums.wide, group))) / 2;
      fragments
          = MAX (fragments, share (sum (s->sums.fragments, group), sum (s->sums.wide, group)));
    }
  value[F_START] = 1;
  value[F_LENGTH] = MIN (1, (float) (b->wide - MIN (b->wide, b->link_wide)) / 160);
  value[F_SENTENCES] = MIN (1, (float) b->marks / 2);
  value[F_PAUSES] = MIN (1, (float) b->commas / 3);
  /* A heading that is a link leads to what it is the heading of. */
  if (!s->list && b->out.kind != TEXT_BLOCK_HEADING)
    value[F_LINKS] = links * (1 - home_of (s, b));
  value[F_FRAGMENTS] = fragments > .5f ? fragments : 0;
  if (b->out.kind == TEXT_BLOCK_CODE)
    value[F_KIND] = 1;
  else if (b->out.kind == TEXT_BLOCK_ROW || b->out.kind == TEXT_BLOCK_QUOTE)
    value[F_KIND] = .5f;
  /* What is called comments within what is called content is comments. */
  value[F_MAIN] = hints & HINT_MAIN && bad < .9f;
  value[F_NAMES_GOOD] = hints & HINT_GOOD && bad < .9f;
  value[F_NAMES_BAD] = bad;
  if (!(b->out.kind == TEXT_BLOCK_HEADING && b->out.level == 1))
    value[F_PHRASE] = b->marks > 0 ? .6f * b->phrase : b->phrase;
  value[F_BARE] = b->letters == 0;
  value[F_UNDER] = s->under[i];
}

static float
add_up (const float value[N_FEATURES])
{
  float score = 0;

  for (guint i = 0; i < N_FEATURES; i++)
    score += features[i].weight * value[i];
  return score;
}

/* What the block says for its neighbours; what stands next to the site's own may be anything. */
static float
says_for_others (const Scorer *s, guint i)
{
  const Block *b = &s->blocks[i];

  return bad_names (s->boxes[b->box].inherited) >= .5f || b->phrase >= .8f ? 0 : b->base;
}

/* The blocks before and after; of a list or table, those before and after the whole. */
static float
around (const Scorer *s, guint i)
{
  const Block *b = &s->blocks[i];
  guint first = b->group ? s->boxes[b->group].first : i;
  guint end = b->group ? s->boxes[b->group].end : i + 1;
  float before = first > 0 ? says_for_others (s, first - 1) : 0;
  float after = end < s->n_blocks ? says_for_others (s, end) : 0;

  return CLAMP ((before + after) / 8, -1, 1);
}

static guint32
plain_of (const Scorer *s, const Block *b)
{
  if (bad_names (s->boxes[b->box].inherited | b->hints) >= .5f || b->phrase >= .8f
      || s->under[b - s->blocks])
    return 0;
  return b->wide - MIN (b->wide, b->link_wide);
}

static void
score_all (Scorer *s)
{
  float value[N_FEATURES];
  Block *blocks = (Block *) s->blocks;

  for (guint i = 0; i < s->n_blocks; i++)
    {
      look_at (s, i, value);
      blocks[i].base = add_up (value);
    }
  for (guint i = 0; i < s->n_blocks; i++)
    {
      gboolean heading = blocks[i].out.kind == TEXT_BLOCK_HEADING;

      blocks[i].score = blocks[i].base + features[F_AROUND].weight * around (s, i);
      s->sums.mass[i + 1]
          = s->sums.mass[i] + (blocks[i].score > 0 && !heading ? blocks[i].wide : 0);
      s->sums.plain[i + 1] = s->sums.plain[i] + plain_of (s, &blocks[i]);
    }
}

/* ---- the region ----------------------------------------------------------------- */

static gboolean
may_be_region (const Box *box)
{
  switch (box->tag)
    {
    case TEXT_TAG_P:
    case TEXT_TAG_UL:
    case TEXT_TAG_OL:
    case TEXT_TAG_DL:
    case TEXT_TAG_PRE:
    case TEXT_TAG_BLOCKQUOTE:
    case TEXT_TAG_H1:
    case TEXT_TAG_H2:
    case TEXT_TAG_H3:
    case TEXT_TAG_H4:
    case TEXT_TAG_H5:
    case TEXT_TAG_H6:
      return FALSE;
    default:
      return !box->group;
    }
}

/* A region that nothing calls content grows to the nearest box around that something does: its
 * other sections may have little prose. */
static guint32
grown (const Scorer *s, guint32 region)
{
  for (guint32 i = region; i > 0; i = s->boxes[i].parent)
    if (s->boxes[i].hints & (HINT_GOOD | HINT_MAIN) && !(s->boxes[i].inherited & HINTS_BAD))
      return i;
  return region;
}

/* Whether box @inner can stand for box @outer. */
static gboolean
holds (const Scorer *s, guint32 inner, guint32 outer)
{
  const Box *in = &s->boxes[inner], *out = &s->boxes[outer];

  return sum (s->sums.mass, out) > 0
         && sum (s->sums.mass, in) >= REGION_SHARE * sum (s->sums.mass, out)
         && sum (s->sums.plain, in) >= REGION_PLAIN * sum (s->sums.plain, out);
}

static guint32
find_region (Scorer *s)
{
  g_autofree guint32 *best = g_new0 (guint32, s->n_boxes);
  guint32 region = 0;

  for (guint32 i = 1; i < s->n_boxes; i++)
    {
      const Box *box = &s->boxes[i];
      guint32 *of = &best[box->parent];

      if (may_be_region (box)
          && (*of == 0 || sum (s->sums.mass, box) > sum (s->sums.mass, &s->boxes[*of])))
        *of = i;
    }
  while (best[region] != 0 && holds (s, best[region], region))
    region = best[region];
  return grown (s, region);
}

/* ---- verdicts -------------------------------------------------------------------- */

/* A heading is content when something under it is: a block before the next heading of its level
 * or above. */
static void
keep_headings (Scorer *s, const Box *region)
{
  Block *blocks = (Block *) s->blocks;
  guint below[7] = { 0 }; /* by level: whether content came since the last heading of that level */

  for (guint i = region->end; i-- > region->first;)
    {
      Block *b = &blocks[i];
      guint level = b->out.level;

      if (b->out.kind != TEXT_BLOCK_HEADING)
        {
          if (b->kept)
            for (guint k = 0; k < G_N_ELEMENTS (below); k++)
              below[k] = TRUE;
          continue;
        }
      b->kept = below[level] && b->score > 2 * KEEP_IN_REGION
                && bad_names (s->boxes[b->box].inherited) < .9f;
      for (guint k = level; k < G_N_ELEMENTS (below); k++)
        below[k] = FALSE;
      if (b->kept)
        for (guint k = 0; k < level; k++)
          below[k] = TRUE;
    }
}

/* The heading of the page often stands before the box of its text. */
static void
keep_title (Scorer *s, const Box *region)
{
  Block *blocks = (Block *) s->blocks;

  for (guint i = region->first; i-- > 0;)
    if (blocks[i].out.kind == TEXT_BLOCK_HEADING && blocks[i].out.level == 1)
      {
        if (bad_names (s->boxes[blocks[i].box].inherited) < .9f)
          {
            blocks[i].kept = TRUE;
            s->page->title_block = i + 1;
          }
        return;
      }
}

static void
judge (Scorer *s)
{
  Block *blocks = (Block *) s->blocks;
  const Box *region;
  float least;

  s->page->region = find_region (s);
  region = &s->boxes[s->page->region];
  least = s->page->region > 0 || s->list ? KEEP_IN_REGION : KEEP_IN_BODY;
  for (guint i = 0; i < s->n_blocks; i++)
    blocks[i].kept = i >= region->first && i < region->end
                     && blocks[i].out.kind != TEXT_BLOCK_HEADING && blocks[i].score > least;
  keep_headings (s, region);
  if (s->sums.mass[s->n_blocks] > 0)
    keep_title (s, region);
}

/* ---- kinds of page ----------------------------------------------------------------- */

typedef struct
{
  guint32 kept, prose, linked, good;
} Totals;

static Totals
totals (const Scorer *s)
{
  Totals t = { 0 };

  for (guint i = 0; i < s->n_blocks; i++)
    {
      const Block *b = &s->blocks[i];

      if (b->score > 0)
        t.good += b->wide;
      if (!b->kept)
        continue;
      t.kept += b->wide;
      t.prose += prose_of (b);
      t.linked += b->link_wide;
    }
  return t;
}

/* Text in @box that is not in boxes of chrome: what a page of links could consist of. */
static guint32
not_chrome (const Scorer *s, const Box *box)
{
  guint32 wide = 0;

  for (guint i = box->first; i < box->end; i++)
    if (bad_names (s->boxes[s->blocks[i].box].inherited) < .5f)
      wide += s->blocks[i].wide;
  return wide;
}

#define PROSE_SHARE 0.25  /* of what is not chrome on the page */
#define REGION_PROSE 0.45 /* of what is not chrome in the region */
#define LINKED_SHARE 0.3

/* A page with so little prose is a list, unless the prose is what the page calls its content. */
static gboolean
is_little (const Scorer *s, guint32 prose)
{
  return prose < LITTLE_PROSE
         && !(prose > 0 && s->boxes[s->page->region].inherited & (HINT_GOOD | HINT_MAIN));
}

static void
decide_kind (Scorer *s)
{
  Totals t = totals (s);
  guint32 all;

  s->page->kind = TEXT_PAGE_PROSE;
  if (is_little (s, t.prose) || t.prose < PROSE_SHARE * not_chrome (s, &s->boxes[0])
      || t.prose < REGION_PROSE * not_chrome (s, &s->boxes[s->page->region]))
    {
      s->list = TRUE;
      score_all (s);
      judge (s);
      t = totals (s);
      if (t.linked >= LINKED_SHARE * t.kept)
        s->page->kind = TEXT_PAGE_LIST;
    }
  if (t.kept == 0)
    s->page->kind = TEXT_PAGE_EMPTY;
  /* Of a list, what was kept of all that could be; of prose, of all that scored well. */
  all = s->list ? MAX (t.kept, not_chrome (s, &s->boxes[0])) : MAX (t.kept, t.good);
  s->page->confidence
      = all == 0 ? 0
                 : (double) MIN (t.kept, s->list ? t.kept : t.good) / all * MIN (1, t.kept / 400.0);
}

/* ---- the whole ----------------------------------------------------------------------- */

static void
scorer_init (Scorer *s, Page *page)
{
  guint n = page->blocks->len;

  memset (s, 0, sizeof *s);
  s->page = page;
  s->blocks = (const Block *) (void *) page->blocks->data;
  s->boxes = (Box *) (void *) page->boxes->data;
  s->n_blocks = n;
  s->n_boxes = page->boxes->len;
  s->list = page->list;
  s->sums.wide = g_new0 (guint32, (n + 1) * 6);
  s->sums.links = s->sums.wide + (n + 1);
  s->sums.fragments = s->sums.links + (n + 1);
  s->sums.prose = s->sums.fragments + (n + 1);
  s->sums.mass = s->sums.prose + (n + 1);
  s->sums.plain = s->sums.mass + (n + 1);
  s->under = g_new0 (guint8, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const Block *b = &s->blocks[i];

      s->sums.wide[i + 1] = s->sums.wide[i] + b->wide;
      s->sums.links[i + 1] = s->sums.links[i] + b->link_wide;
      s->sums.fragments[i + 1] = s->sums.fragments[i] + b->fragment_wide;
      s->sums.prose[i + 1] = s->sums.prose[i] + prose_of (b);
    }
  mark_under (s);
}

static void
scorer_clear (Scorer *s)
{
  g_free (s->sums.wide);
  g_free (s->under);
}

void
text_blocks_score (Page *page, gboolean whole)
{
  Scorer s;

  scorer_init (&s, page);
  inherit_hints (&s);
  score_all (&s);
  judge (&s);
  decide_kind (&s);
  page->list = s.list;
  if (whole)
    for (guint i = 0; i < s.n_blocks; i++)
      ((Block *) s.blocks)[i].kept = TRUE;
  scorer_clear (&s);
}

gboolean
text_content_feature (guint i, const char **name, double *weight, const char **why)
{
  if (i >= N_FEATURES)
    return FALSE;
  *name = features[i].name;
  *weight = (double) features[i].weight;
  *why = features[i].why;
  return TRUE;
}

/* ---- why ------------------------------------------------------------------------------- */

/* The first @max characters, on one line. */
static void
append_head (FrStr text, guint max, GString *out)
{
  const char *p = text.data, *end = p + text.len;

  for (guint i = 0; i < max && p < end; i++)
    {
      const char *q = g_utf8_next_char (p);

      if ((guchar) *p < ' ')
        g_string_append_c (out, ' ');
      else
        g_string_append_len (out, p, q - p);
      p = q;
    }
  if (p < end)
    g_string_append (out, "…");
}

static void
append_path (const Page *page, guint32 node, GString *out)
{
  guint32 path[8];
  guint n = 0;

  for (; node != page->dom->body && node != 0 && n < G_N_ELEMENTS (path);
       node = page->dom->nodes[node].parent)
    path[n++] = node;
  while (n-- > 0)
    {
      FrStr name = page->dom->nodes[path[n]].text;
      FrStr id = text_dom_attribute (page->dom, path[n], TEXT_ATTR_ID);
      FrStr class_names = text_dom_attribute (page->dom, path[n], TEXT_ATTR_CLASS);

      g_string_append_len (out, name.data, (gssize) name.len);
      if (id.len > 0 || class_names.len > 0)
        {
          g_string_append_c (out, id.len > 0 ? '#' : '.');
          append_head (id.len > 0 ? id : class_names, 24, out);
        }
      if (n > 0)
        g_string_append_c (out, '>');
    }
}

static const char *
verdict (const Page *page, guint i)
{
  const Box *region = &g_array_index (page->boxes, Box, page->region);
  const Block *b = &g_array_index (page->blocks, Block, i);

  if (b->kept)
    return page->title_block == i + 1 ? "title" : "kept";
  return i < region->first || i >= region->end ? "outside" : "dropped";
}

void
text_blocks_explain (const Page *page, GString *out)
{
  Scorer s;
  float value[N_FEATURES];

  scorer_init (&s, (Page *) page);
  for (guint i = 0; i < s.n_blocks; i++)
    {
      const Block *b = &s.blocks[i];
      gboolean first = TRUE;

      look_at (&s, i, value);
      value[F_AROUND] = around (&s, i);
      g_string_append_printf (out, "%-7s %6.2f ", verdict (page, i), (double) b->score);
      for (guint k = 0; k < N_FEATURES; k++)
        if (fabsf (value[k] * features[k].weight) >= .005f)
          {
            g_string_append_printf (out, "%s%s %+.2f", first ? "(" : ", ", features[k].name,
                                    (double) (value[k] * features[k].weight));
            first = FALSE;
          }
      g_string_append (out, first ? " " : ") ");
      append_path (page, b->node, out);
      g_string_append (out, ": ");
      append_head ((FrStr){ page->text->str + b->start, b->len }, 40, out);
      g_string_append_c (out, '\n');
    }
  scorer_clear (&s);
}
