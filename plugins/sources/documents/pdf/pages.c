/* SPDX-License-Identifier: Apache-2.0 */
/* pages.c: the rules of pages.h, one pass each over an array of lines. */
#include "config.h"

#include "pages.h"
#include "tables.h"
#include "text/chars.h"

#include <math.h>
#include <string.h>

/* Where headers and footers stand: the outer share of the page's height. */
#define MARGIN 0.12
/* Two lines are at one height when they differ by less than this share of it. */
#define SAME_HEIGHT 0.015
/* A repeated line must stand on this many pages, or on all of fewer. */
#define REPEATS 3
/* ... no further from the last one than this many pages: left and right pages, chapter openings. */
#define GAP 3
#define MAX_MARGIN_LINES 4
#define MAX_HEADING 160 /* bytes of three-byte characters: some 50 */
#define MAX_SPARED 5000 /* lines of a page whose rows are looked for at its edges */
#define MAX_MARKS 500   /* of lists, on a page, that stand apart from their items */
#define N_SIZES 400     /* font sizes in half points */

typedef enum
{
  FATE_TEXT = 0,
  FATE_REPEATED,
  FATE_NUMBER,
  FATE_CONTENTS /* "Introduction . . . . . 1" */
} Fate;

typedef struct
{
  gsize from, len; /* in Pages.text */
  float x0, y0, x1, y1, size;
  guint page;
  guint8 bold;
  guint8 fate;
  guint8 goes_on; /* the line before, after a wide blank */
  guint8 kind;    /* TableKind */
  TablePlace place;
} Line;

typedef struct
{
  float width, height;
  guint first, end;  /* lines */
  guint old_columns; /* of a table of the page before that goes on here; 0: none does */
} Page;

struct _Pages
{
  guint wants;
  GString *text;
  GArray *lines; /* Line */
  GArray *pages; /* Page */
};

Pages *
pages_new (guint wants)
{
  Pages *p = g_new0 (Pages, 1);

  p->wants = wants;
  p->text = g_string_new (NULL);
  p->lines = g_array_new (FALSE, FALSE, sizeof (Line));
  p->pages = g_array_new (FALSE, FALSE, sizeof (Page));
  return p;
}

void
pages_free (Pages *pages)
{
  if (pages == NULL)
    return;
  g_string_free (pages->text, TRUE);
  g_array_unref (pages->lines);
  g_array_unref (pages->pages);
  g_free (pages);
}

static float
sane (float value)
{
  return isfinite (value) ? CLAMP (value, -1e6f, 1e6f) : 0;
}

void
pages_begin (Pages *p, const PdfPage *page)
{
  Page next = { MAX (sane (page->width), 1), MAX (sane (page->height), 1), p->lines->len,
                p->lines->len, 0 };

  g_array_append_val (p->pages, next);
}

void
pages_line (Pages *p, const PdfLine *from, const char *text, gsize len)
{
  Line line = { 0 };

  while (len && (guchar) *text <= ' ')
    {
      text++;
      len--;
    }
  while (len && (guchar) text[len - 1] <= ' ')
    len--;
  if (len == 0 || p->pages->len == 0)
    return;
  line = (Line){ p->text->len,
                 len,
                 sane (from->x0),
                 sane (from->y0),
                 sane (from->x1),
                 sane (from->y1),
                 sane (from->size),
                 p->pages->len - 1,
                 from->bold != 0,
                 FATE_TEXT,
                 from->goes_on != 0,
                 TABLE_TEXT,
                 { 0 } };
  if (line.size <= 0)
    line.size = MAX (line.y1 - line.y0, 1);
  g_string_append_len (p->text, text, (gssize) len);
  /* Between parts of a line, should they be one again. */
  g_string_append_c (p->text, ' ');
  g_array_append_val (p->lines, line);
  g_array_index (p->pages, Page, p->pages->len - 1).end = p->lines->len;
}

gsize
pages_bytes (const Pages *p)
{
  return p->text->len + p->lines->len * sizeof (Line) + p->pages->len * sizeof (Page);
}

static Line *
line_at (Pages *p, guint i)
{
  return &g_array_index (p->lines, Line, i);
}

static const char *
text_of (const Pages *p, const Line *line)
{
  return p->text->str + line->from;
}

/* ---- headers, footers, page numbers --------------------------------------------- */

/* The end of the parts of the line that begins at @at. */
static guint
parts_end (Pages *p, guint at)
{
  const guint end = g_array_index (p->pages, Page, line_at (p, at)->page).end;

  while (++at < end && line_at (p, at)->goes_on)
    ;
  return at;
}

/* All parts of it. */
static FrStr
whole_text (Pages *p, guint at)
{
  const Line *first = line_at (p, at), *last = line_at (p, parts_end (p, at) - 1);

  return (FrStr){ text_of (p, first), last->from + last->len - first->from };
}

static void
set_fate (Pages *p, guint at, Fate fate)
{
  for (guint end = parts_end (p, at); at < end; at++)
    line_at (p, at)->fate = (guint8) fate;
}

static gboolean
is_in_margin (const Line *line, const Page *page)
{
  return line->y1 < page->height * MARGIN || line->y0 > page->height * (1 - MARGIN);
}

/* A line but for its digits and blanks, and on which side of the page. */
static char *
repeat_key (Pages *p, guint at, const Page *page)
{
  GString *key = g_string_new (line_at (p, at)->y0 > page->height / 2 ? "b" : "t");
  const FrStr text = whole_text (p, at);

  for (gsize i = 0; i < text.len && key->len < 200; i++)
    if (g_ascii_isdigit (text.data[i]))
      {
        if (key->str[key->len - 1] != '#')
          g_string_append_c (key, '#');
      }
    else if ((guchar) text.data[i] > ' ')
      g_string_append_c (key, text.data[i]);
  return g_string_free (key, FALSE);
}

typedef struct
{
  GArray *lines; /* guint */
  guint last_page;
  float last_y;
} Repeat;

static void
repeat_free (gpointer data)
{
  Repeat *r = data;

  g_array_unref (r->lines);
  g_free (r);
}

static void
settle_repeat (Pages *p, Repeat *r)
{
  guint needed = MIN (REPEATS, p->pages->len);

  if (r->lines->len >= needed && p->pages->len > 1)
    for (guint i = 0; i < r->lines->len; i++)
      set_fate (p, g_array_index (r->lines, guint, i), FATE_REPEATED);
  g_array_set_size (r->lines, 0);
}

static void
note_repeat (Pages *p, GHashTable *repeats, guint at)
{
  const Line *line = line_at (p, at);
  const Page *page = &g_array_index (p->pages, Page, line->page);
  float y = line->y0 / page->height;
  char *key = repeat_key (p, at, page);
  Repeat *r = g_hash_table_lookup (repeats, key);

  if (r == NULL)
    {
      r = g_new0 (Repeat, 1);
      r->lines = g_array_new (FALSE, FALSE, sizeof (guint));
      g_hash_table_insert (repeats, key, r);
    }
  else
    g_free (key);
  if (r->lines->len && (line->page > r->last_page + GAP || fabsf (r->last_y - y) > SAME_HEIGHT))
    settle_repeat (p, r);
  if (r->lines->len == 0 || r->last_page != line->page)
    g_array_append_val (r->lines, at);
  r->last_page = line->page;
  r->last_y = y;
}

static void
skip_blanks (const char **p, const char *end)
{
  while (*p < end
         && (strchr (" \t-|~", **p) || (guchar) * *p == 0xc2 || (guchar) * *p == 0xa0
             || (guchar) * *p == 0xb7))
    ++*p;
  /* EN DASH, EM DASH, ideographic space, full-width hyphen */
  while (end - *p >= 3
         && (memcmp (*p, "\xe2\x80\x93", 3) == 0 || memcmp (*p, "\xe2\x80\x94", 3) == 0
             || memcmp (*p, "\xe3\x80\x80", 3) == 0 || memcmp (*p, "\xef\xbc\x8d", 3) == 0))
    {
      *p += 3;
      skip_blanks (p, end);
    }
}

static gboolean
skip_word (const char **p, const char *end, const char *const *words)
{
  for (; *words; words++)
    {
      gsize n = strlen (*words);

      if ((gsize) (end - *p) >= n && g_ascii_strncasecmp (*p, *words, n) == 0)
        {
          *p += n;
          return TRUE;
        }
    }
  return FALSE;
}

/* Nothing but a number and what is written around one.  @plain: no word around it. */
static gboolean
is_page_number (const char *p, gsize len, gboolean *plain)
{
  static const char *const before[] = { "page", "p.", "pg.", "第", "共", "of", "/", NULL };
  static const char *const after[]
      = { "页", "頁", "page", "/", "of", "，", ",", "（", "）", "(", ")", "共", "第", NULL };
  const char *end = p + len;
  guint numbers = 0;

  *plain = TRUE;
  if (len > 60)
    return FALSE;
  while (p < end)
    {
      const char *from = p;

      skip_blanks (&p, end);
      *plain &= p == from || numbers == 0 || p == end;
      if (skip_word (&p, end, numbers ? after : before))
        *plain = FALSE;
      skip_blanks (&p, end);
      if (p < end && g_ascii_isdigit (*p))
        {
          guint digits = 0;

          for (; p < end && g_ascii_isdigit (*p); p++)
            digits++;
          if (digits > 5 || ++numbers > 2)
            return FALSE;
        }
      else if (p == from)
        return FALSE;
    }
  return numbers > 0;
}

/* A roman number alone, as prefaces have. */
static gboolean
is_roman (const char *p, gsize len)
{
  if (len == 0 || len > 8)
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (!strchr ("ivxl", p[i]))
      return FALSE;
  return TRUE;
}

static void
mark_numbers (Pages *p, const Page *page)
{
  for (guint i = page->first; i < page->end; i = parts_end (p, i))
    {
      const Line *line = line_at (p, i);
      const FrStr text = whole_text (p, i);
      gboolean plain;

      if (line->fate != FATE_TEXT && line->fate != FATE_REPEATED)
        continue;
      if (!is_in_margin (line, page))
        continue;
      /* A bare number on a single page may be anything. */
      if ((is_page_number (text.data, text.len, &plain) && (!plain || p->pages->len > 1))
          || (is_roman (text.data, text.len) && p->pages->len > 1))
        set_fate (p, i, FATE_NUMBER);
    }
}

/* Rows of tables at the edge of a page are no running heads, though their numbers or names may
 * repeat: more stands beside each other than there, and some of it does not repeat, or as much
 * stands closely below. */
static void
spare_rows (Pages *p, const Page *page)
{
  for (guint i = page->first; i < page->end && page->end - page->first < MAX_SPARED; i++)
    {
      const Line *line = line_at (p, i);
      guint beside = 0, text = 0, below = 0;

      if (line->fate != FATE_REPEATED && line->fate != FATE_NUMBER)
        continue;
      for (guint k = page->first; k < page->end; k++)
        {
          const Line *other = line_at (p, k);
          const float em = MIN (line->size, other->size);

          if (fabsf (line->y0 + line->y1 - other->y0 - other->y1) <= 0.8f * em)
            {
              beside++;
              text += other->fate == FATE_TEXT;
            }
          else
            below += other->y0 > line->y0 && other->y0 < line->y1 + 1.8f * em;
        }
      if (beside >= 3 && (text > 0 || below >= 3))
        line_at (p, i)->fate = FATE_TEXT;
    }
}

/* An entry of a table of contents: dots that lead to a number at the end. */
static gboolean
is_contents_entry (const char *text, gsize len)
{
  gsize digits = 0;
  guint dots = 0;

  while (digits < len && digits < 5
         && (g_ascii_isdigit (text[len - 1 - digits]) || strchr ("ivxl", text[len - 1 - digits])))
    digits++;
  len -= digits;
  while (len > 0)
    {
      if (text[len - 1] == '.' || text[len - 1] == ' ')
        {
          dots += text[len - 1] == '.';
          len--;
        }
      else if (len >= 3
               && (memcmp (text + len - 3, "\xe2\x80\xa6", 3) == 0
                   || memcmp (text + len - 3, "\xe2\x8b\xaf", 3) == 0))
        {
          dots += 3;
          len -= 3;
        }
      else if (len >= 2 && memcmp (text + len - 2, "\xc2\xb7", 2) == 0)
        {
          dots++;
          len -= 2;
        }
      else
        break;
    }
  /* With the number in a line of its own the dots have to be many. */
  return digits > 0 ? dots >= 5 : dots >= 12;
}

static gboolean
has_letter (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (g_ascii_isalpha (text[i]) || (guchar) text[i] >= 0x80)
      return TRUE;
  return FALSE;
}

static void
mark_contents (Pages *p)
{
  for (guint n = 0; n < p->pages->len; n++)
    {
      const Page *page = &g_array_index (p->pages, Page, n);
      guint entries = 0;

      for (guint i = page->first; i < page->end; i = parts_end (p, i))
        {
          const FrStr text = whole_text (p, i);

          if (line_at (p, i)->fate == FATE_TEXT && is_contents_entry (text.data, text.len))
            {
              set_fate (p, i, FATE_CONTENTS);
              entries++;
            }
        }
      /* Among entries, numbers of sections and pages stand alone. */
      for (guint i = page->first; entries >= 3 && i < page->end; i = parts_end (p, i))
        {
          const FrStr text = whole_text (p, i);

          if (line_at (p, i)->fate == FATE_TEXT && text.len < 16
              && !has_letter (text.data, text.len))
            set_fate (p, i, FATE_CONTENTS);
        }
    }
}

static void
mark_margins (Pages *p)
{
  g_autoptr (GHashTable) repeats
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, repeat_free);
  GHashTableIter iter;
  gpointer value;

  for (guint n = 0; n < p->pages->len; n++)
    {
      const Page *page = &g_array_index (p->pages, Page, n);
      guint seen = 0;

      for (guint i = page->first; i < page->end && seen < 4 * MAX_MARGIN_LINES;
           i = parts_end (p, i))
        if (is_in_margin (line_at (p, i), page))
          {
            note_repeat (p, repeats, i);
            seen++;
          }
    }
  g_hash_table_iter_init (&iter, repeats);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    settle_repeat (p, value);
  for (guint n = 0; n < p->pages->len; n++)
    {
      mark_numbers (p, &g_array_index (p->pages, Page, n));
      spare_rows (p, &g_array_index (p->pages, Page, n));
    }
}

/* ---- characters at the ends of lines ------------------------------------------------ */

static gunichar
first_char (const char *text, gsize len)
{
  return len ? g_utf8_get_char (text) : 0;
}

static gunichar
last_char (const char *text, gsize len)
{
  return len ? g_utf8_get_char (text_prev_char (text + len)) : 0;
}

static gboolean
is_wide (gunichar c)
{
  return (c >= 0x2e80 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00) || (c >= 0xff00 && c < 0xffe7)
         || c >= 0x20000;
}

static gboolean
ends_sentence (gunichar c)
{
  return c
         && (c < 128 ? strchr (".!?:;", (int) c) != NULL
                     : c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff1a || c == 0xff1b
                           || c == 0x2026 || c == 0x201d || c == 0x300d);
}

/* How long the mark of a list item is, its blanks too; 0: it is none. */
static gsize
list_mark (const char *text, gsize len, guint *ordered)
{
  static const char *const signs[] = { "•",           "●", "○",  "■",  "□",
                                       "▪",           "◆", "◇",  "➢",  "✓",
                                       "·",           "–", "- ", "* ", "\xef\x82\xb7",
                                       "\xef\x83\x98" };
  gsize n = 0;

  *ordered = 0;
  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    if (len > strlen (signs[i]) && memcmp (text, signs[i], strlen (signs[i])) == 0)
      {
        n = strlen (signs[i]);
        while (n < len && text[n] == ' ')
          n++;
        return n < len ? n : 0;
      }
  while (n < len && n < 3 && g_ascii_isdigit (text[n]))
    *ordered = *ordered * 10 + (guint) (text[n++] - '0');
  if (n > 0 && n + 1 < len && strchr (".)", text[n]) && text[n + 1] == ' ')
    return n + 2;
  /* 1、 and 1． */
  if (n > 0 && n + 3 < len && (memcmp (text + n, "、", 3) == 0 || memcmp (text + n, "．", 3) == 0))
    return n + 3;
  *ordered = 0;
  return 0;
}

/* @text after what stands in @to from @start on, with or without a blank.  @apart: it stands apart
 * from that. */
static void
join (GString *to, gsize start, const char *text, gsize len, gboolean apart)
{
  gunichar before = last_char (to->str + start, to->len - start), after = first_char (text, len);

  if (to->len == start)
    ;
  else if (apart)
    g_string_append_c (to, ' ');
  else if (before == 0xad)
    g_string_truncate (to, to->len - 2);
  else if (before == '-' && g_unichar_islower (after))
    {
      if (g_unichar_isalpha (last_char (to->str + start, to->len - start - 1)))
        g_string_truncate (to, to->len - 1);
    }
  /* Latin words next to Han keep a blank only if one was there. */
  else if (!is_wide (before) && !is_wide (after))
    g_string_append_c (to, ' ');
  g_string_append_len (to, text, (gssize) len);
}

/* ---- tables ------------------------------------------------------------------------- */

/* Digits, and no more letters than a unit or a currency has. */
static gboolean
is_number (const char *text, gsize len)
{
  guint digits = 0, others = 0;

  for (const char *p = text, *end = text + len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      digits += g_unichar_isdigit (c);
      others += g_unichar_isalpha (c);
    }
  return digits > 0 && others <= 3 && others <= digits;
}

static TableKind
kind_of (const Pages *p, const Line *line)
{
  const char *text = text_of (p, line);
  g_autofree char *item = NULL;
  guint ordered;

  if (line->fate != FATE_TEXT)
    return TABLE_NONE;
  if (line->len < 16)
    {
      item = g_strdup_printf ("%.*s x", (int) line->len, text);
      if (list_mark (item, line->len + 2, &ordered) == line->len + 1)
        return TABLE_MARK;
    }
  return is_number (text, line->len) ? TABLE_NUMBER : TABLE_TEXT;
}

/* @end: see tables_find(). */
static guint
find_tables (Pages *p, Page *page, TableColumns *end)
{
  const guint old_columns = end->n;
  const guint n = page->end - page->first;
  g_autofree TableBox *boxes = g_new (TableBox, n);
  g_autofree TablePlace *places = g_new (TablePlace, n);
  guint n_tables;

  for (guint i = 0; i < n; i++)
    {
      Line *line = line_at (p, page->first + i);

      line->kind = (guint8) kind_of (p, line);
      boxes[i] = (TableBox){ line->x0, line->y0, line->x1, line->y1, line->size, line->kind };
    }
  n_tables = tables_find (boxes, n, end, places);
  if (end->used)
    page->old_columns = old_columns;
  for (guint i = 0; i < n; i++)
    line_at (p, page->first + i)->place = places[i];
  return n_tables;
}

/* The line at the height of the mark at @at, to the right of it; @at: there is none. */
static guint
beside_mark (Pages *p, const Page *page, guint at)
{
  const Line *mark = line_at (p, at);
  guint best = at;

  for (guint i = page->first; i < page->end; i++)
    {
      const Line *line = line_at (p, i);
      const float em = MIN (line->size, mark->size);

      if (line->fate == FATE_TEXT && line->place.table == 0 && line->kind != TABLE_MARK
          && fabsf (line->y0 + line->y1 - mark->y0 - mark->y1) < 0.8f * em && line->x0 > mark->x1
          && line->x0 - mark->x1 < 8 * em && (best == at || line->x0 < line_at (p, best)->x0))
        best = i;
    }
  return best;
}

/* Marks of a list that stand apart, which poppler reads first, all of them, go before their items.
 */
static void
move_marks (Pages *p, const Page *page)
{
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (Line));

  for (guint i = page->first; i < page->end && marks->len < MAX_MARKS; i++)
    if (line_at (p, i)->kind == TABLE_MARK && line_at (p, i)->place.table == 0)
      g_array_append_val (marks, *line_at (p, i));
  for (guint m = 0; m < marks->len; m++)
    {
      guint at = page->first, item;
      Line mark;

      while (line_at (p, at)->from != g_array_index (marks, Line, m).from)
        at++;
      item = beside_mark (p, page, at);
      if (item == at)
        continue;
      mark = *line_at (p, at);
      if (item > at)
        {
          item--;
          memmove (line_at (p, at), line_at (p, at + 1), (item - at) * sizeof mark);
        }
      else
        memmove (line_at (p, item + 1), line_at (p, item), (at - item) * sizeof mark);
      *line_at (p, item) = mark;
      line_at (p, item + 1)->goes_on = TRUE;
    }
}

/* The text of @line once more, at the end of all; where that is. */
static gsize
append_copy (Pages *p, const Line *line)
{
  g_autofree char *text = g_strndup (text_of (p, line), line->len);
  const gsize at = p->text->len;

  g_string_append_len (p->text, text, (gssize) line->len);
  g_string_append_c (p->text, ' ');
  return at;
}

/* @line after @last, which it goes on. */
static void
lengthen (Pages *p, Line *last, const Line *line)
{
  if (last->from + last->len + 1 == line->from)
    last->len = line->from + line->len - last->from;
  else
    {
      /* At the end of all text, where it can grow. */
      if (last->from + last->len + 1 != p->text->len)
        last->from = append_copy (p, last);
      append_copy (p, line);
      last->len += line->len + 1;
    }
  last->x0 = MIN (last->x0, line->x0);
  last->y0 = MIN (last->y0, line->y0);
  last->x1 = MAX (last->x1, line->x1);
  last->y1 = MAX (last->y1, line->y1);
  last->size = MAX (last->size, line->size);
  last->bold &= line->bold;
}

/* Parts of a line that are no cells are one line again. */
static void
join_parts (Pages *p)
{
  guint kept = 0;

  for (guint n = 0; n < p->pages->len; n++)
    {
      Page *page = &g_array_index (p->pages, Page, n);
      const guint first = kept;

      move_marks (p, page);
      for (guint i = page->first; i < page->end; i++)
        {
          const Line line = *line_at (p, i);
          Line *last = kept > first ? line_at (p, kept - 1) : NULL;

          if (line.goes_on && last && line.place.table == 0 && last->place.table == 0
              && line.fate == last->fate)
            lengthen (p, last, &line);
          else
            *line_at (p, kept++) = line;
        }
      page->first = first;
      page->end = kept;
    }
  g_array_set_size (p->lines, kept);
}

/* ---- sizes ------------------------------------------------------------------------ */

static guint
size_class (float size)
{
  return (guint) CLAMP (size * 2 + 0.5f, 1, N_SIZES - 1);
}

typedef struct
{
  guint body;             /* class of the size that most text has */
  guint8 levels[N_SIZES]; /* heading level of a class; 0: none */
  guint8 bold_level;
} Sizes;

static Sizes
find_sizes (Pages *p)
{
  guint64 chars[N_SIZES] = { 0 };
  Sizes sizes = { 0 };
  guint8 level = 0;

  for (guint i = 0; i < p->lines->len; i++)
    if (line_at (p, i)->fate == FATE_TEXT)
      chars[size_class (line_at (p, i)->size)] += line_at (p, i)->len;
  for (guint i = 1; i < N_SIZES; i++)
    if (chars[i] > chars[sizes.body])
      sizes.body = i;
  for (guint i = N_SIZES - 1; i > sizes.body; i--)
    {
      if (chars[i] == 0 || (double) i < 1.12 * (double) sizes.body + 0.5)
        continue;
      /* Sizes half a point apart are one. */
      if (level == 0 || sizes.levels[i + 1 < N_SIZES ? i + 1 : i] == 0)
        level = (guint8) MIN (level + 1, 5);
      sizes.levels[i] = level;
    }
  sizes.bold_level = (guint8) MIN (level + 1, 6);
  return sizes;
}

/* ---- paragraphs --------------------------------------------------------------------- */

typedef struct
{
  Pages *p;
  TextDocSink *sink;
  Sizes sizes;
  GString *text;    /* of the open paragraph */
  const Line *last; /* its last line */
  guint n_lines;
  guint level; /* of a heading; 0: none */
  gboolean item;
  char *names; /* the first row of the last table, for pages that repeat it */
  gint64 names_dropped;
  float leading;     /* distance of lines of the open paragraph; 0: not known */
  float left, right; /* of the text's column, as far as seen on this page */
} Build;

static gboolean
tell_paragraph (Build *b)
{
  TextDocBlock block = { .size = sizeof block, .kind = TEXT_DOC_PARAGRAPH };
  gsize skip = 0;
  gboolean ok = TRUE;

  if (b->text->len == 0)
    return TRUE;
  if (b->level && b->text->len <= MAX_HEADING && b->n_lines <= 3)
    {
      block.kind = TEXT_DOC_HEADING;
      block.level = b->level;
    }
  else if (b->item)
    {
      block.kind = TEXT_DOC_ITEM;
      block.level = 1;
      skip = list_mark (b->text->str, b->text->len, &block.ordered);
    }
  block.text = (FrStr){ b->text->str + skip, b->text->len - skip };
  ok = b->sink->block (b->sink, &block);
  g_string_truncate (b->text, 0);
  b->last = NULL;
  b->n_lines = 0;
  b->leading = 0;
  return ok;
}

static guint
heading_level (Build *b, const Line *line)
{
  guint level = b->sizes.levels[size_class (line->size)];
  gunichar last = last_char (text_of (b->p, line), line->len);

  if (line->len > MAX_HEADING)
    return 0;
  if (level)
    return level;
  if (!line->bold || last == 0x3002 || last == '.' || last == ',' || last == 0xff0c)
    return 0;
  return size_class (line->size) + 1 >= b->sizes.body ? b->sizes.bold_level : 0;
}

/* At the height of @last, after a wide blank. */
static gboolean
is_beside (const Line *last, const Line *line)
{
  const float em = MAX (line->size, 1);

  return line->page == last->page && fabsf (line->y0 - last->y0) < 0.3f * em
         && line->x0 > last->x1 + 0.5f * em;
}

/* Whether @line goes on with the open paragraph. */
static gboolean
goes_on (Build *b, const Line *line, guint level)
{
  const Line *last = b->last;
  float gap, em = MAX (line->size, 1);
  gunichar end;
  guint ordered;
  gboolean jump;

  if (last == NULL || (level > 0) != (b->level > 0) || level != b->level)
    return FALSE;
  if (fabsf (line->size - last->size) > 0.15f * em)
    return FALSE;
  if (list_mark (text_of (b->p, line), line->len, &ordered))
    return FALSE;
  end = last_char (text_of (b->p, last), last->len);
  /* The next column or page: a sentence goes on, anything else does not. */
  jump = line->page != last->page || line->y0 < last->y0 - em;
  if (jump)
    return !ends_sentence (end) && level == 0
           && !(b->p->wants & TEXT_DOC_PARTS && line->page != last->page)
           && last->x1 > b->right - 4 * em && last->x1 - last->x0 > 12 * em;
  gap = line->y0 - last->y0;
  /* On the same height: a line that was parted by a wide blank. */
  if (gap < 0.3f * em)
    return TRUE;
  if (gap > (b->leading > 0 ? 1.35f * b->leading : 2.3f * em))
    return FALSE;
  /* Lines of one heading share their left edge or their middle. */
  if (level)
    return gap < 1.9f * em
           && (fabsf (line->x0 - last->x0) < em
               || fabsf (line->x0 + line->x1 - last->x0 - last->x1) < 2 * em);
  /* An indented first line; under an item the text may hang.  After a single line as much indented
   * only the end of a sentence tells it from a block that is indented whole. */
  if (!b->item
      && (line->x0 > last->x0 + em
          || (b->n_lines == 1 && line->x0 > b->left + 1.2f * em && ends_sentence (end)
              && fabsf (line->x0 - last->x0) < 0.5f * em)))
    return FALSE;
  /* A last line that stops short of the right edge. */
  if (last->x1 < b->right - 0.12f * (b->right - b->left) - em && ends_sentence (end))
    return FALSE;
  return TRUE;
}

/* The column of a line: those about it of its size that lie above or below it. */
static void
find_column (Build *b, const Page *page, guint at)
{
  const Line *line = line_at (b->p, at);
  float left = line->x0, right = line->x1;
  guint from = at > page->first + 40 ? at - 40 : page->first;

  for (guint i = from; i < page->end && i < at + 40; i++)
    {
      const Line *next = line_at (b->p, i);

      if (next->fate != FATE_TEXT || next->place.table
          || fabsf (next->size - line->size) > 0.15f * line->size || next->x0 > line->x1
          || next->x1 < line->x0)
        continue;
      left = MIN (left, next->x0);
      right = MAX (right, next->x1);
    }
  b->left = left;
  b->right = right;
}

static gboolean
take_line (Build *b, const Page *page, guint at)
{
  const Line *line = line_at (b->p, at);
  guint level = heading_level (b, line);
  guint ordered;

  if (goes_on (b, line, level))
    {
      if (b->last->page == line->page && line->y0 > b->last->y0 + 0.3f * line->size)
        b->leading
            = b->leading > 0 ? MIN (b->leading, line->y0 - b->last->y0) : line->y0 - b->last->y0;
    }
  else
    {
      if (!tell_paragraph (b))
        return FALSE;
      find_column (b, page, at);
      b->level = level;
      b->item = level == 0 && list_mark (text_of (b->p, line), line->len, &ordered) > 0;
    }
  join (b->text, 0, text_of (b->p, line), line->len, b->last != NULL && is_beside (b->last, line));
  b->last = line;
  b->n_lines++;
  return TRUE;
}

/* ---- rows ---------------------------------------------------------------------------- */

#define TOLD G_MAXUINT /* the table of a line that was told with it */

typedef struct
{
  guint row, column, line;
} Part;

static int
by_cell (gconstpointer a, gconstpointer b, gpointer data)
{
  const Part *x = a, *y = b;
  Pages *p = data;
  const Line *u = line_at (p, x->line), *v = line_at (p, y->line);

  if (x->row != y->row)
    return x->row < y->row ? -1 : 1;
  if (x->column != y->column)
    return x->column < y->column ? -1 : 1;
  /* Parts at one height go from left to right. */
  if (fabsf (u->y0 - v->y0) > 0.4f * MIN (u->size, v->size))
    return u->y0 < v->y0 ? -1 : 1;
  return (u->x0 > v->x0) - (u->x0 < v->x0);
}

/* The cells of a row as one text, to compare it. */
static char *
row_key (const FrStr *cells, guint n)
{
  GString *key = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      g_string_append_len (key, cells[i].data, (gssize) cells[i].len);
      g_string_append_c (key, '\n');
    }
  return g_string_free (key, FALSE);
}

typedef struct
{
  guint n_columns;
  gboolean goes_on; /* a table of the page before */
  gboolean header;  /* its first row is set apart */
} Table;

/* The parts [@first, @end) of one row. */
static gboolean
tell_row (Build *b, const GArray *parts, guint first, guint end, const Table *table)
{
  const guint n_columns = table->n_columns;
  const gboolean top = first == 0;
  const Line *last = NULL;
  g_autofree FrStr *cells = g_new0 (FrStr, n_columns);
  g_autofree gsize *starts = g_new0 (gsize, n_columns + 1);
  guint column = 0;
  TextDocBlock block = { .size = sizeof block,
                         .kind = TEXT_DOC_ROW,
                         .first = top && !table->goes_on,
                         .header = top && table->header && !table->goes_on,
                         .cells = cells,
                         .n_cells = n_columns };

  g_string_truncate (b->text, 0);
  for (guint i = first; i < end; i++)
    {
      const Part *part = &g_array_index (parts, Part, i);
      const Line *line = line_at (b->p, part->line);

      if (column < part->column)
        last = NULL;
      while (column < part->column)
        starts[++column] = b->text->len;
      join (b->text, starts[column], text_of (b->p, line), line->len,
            last != NULL && is_beside (last, line));
      last = line;
    }
  while (column < n_columns)
    starts[++column] = b->text->len;
  for (guint c = 0; c < n_columns; c++)
    cells[c] = (FrStr){ b->text->str + starts[c], starts[c + 1] - starts[c] };
  if (top)
    {
      g_autofree char *names = row_key (cells, n_columns);

      if (table->goes_on && g_strcmp0 (names, b->names) == 0)
        {
          b->names_dropped++;
          return TRUE;
        }
      if (!table->goes_on)
        {
          g_free (b->names);
          b->names = g_steal_pointer (&names);
        }
    }
  return b->sink->block (b->sink, &block);
}

/* Whether the first row is bold and another is not. */
static gboolean
has_header (const Pages *p, const GArray *parts)
{
  gboolean first = TRUE, others = TRUE;

  for (guint i = 0; i < parts->len; i++)
    {
      const Part *part = &g_array_index (parts, Part, i);
      const gboolean bold = line_at ((Pages *) p, part->line)->bold;

      if (part->row == 0)
        first &= bold;
      else
        others &= bold;
    }
  return first && !others;
}

static gboolean
tell_table (Build *b, const Page *page, guint number)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (Part));
  Table table = { .n_columns = 1 };
  gboolean ok = tell_paragraph (b);

  for (guint i = page->first; i < page->end; i++)
    {
      const TablePlace *place = &line_at (b->p, i)->place;
      const Part part = { place->row, place->column, i };

      if (place->table != number)
        continue;
      g_array_append_val (parts, part);
      table.n_columns = MAX (table.n_columns, place->column + 1);
    }
  table.goes_on = number == 1 && page->old_columns > 0;
  if (table.goes_on)
    table.n_columns = page->old_columns;
  g_array_sort_with_data (parts, by_cell, b->p);
  table.header = has_header (b->p, parts);
  for (guint i = 0, end; ok && i < parts->len; i = end)
    {
      const guint row = g_array_index (parts, Part, i).row;

      for (end = i; end < parts->len && g_array_index (parts, Part, end).row == row;)
        end++;
      ok = tell_row (b, parts, i, end, &table);
    }
  g_string_truncate (b->text, 0);
  for (guint i = 0; i < parts->len; i++)
    line_at (b->p, g_array_index (parts, Part, i).line)->place.table = TOLD;
  return ok;
}

static void
count_dropped (Pages *p, TextDocSink *sink)
{
  gint64 repeated = 0, numbers = 0, contents = 0;

  for (guint i = 0; i < p->lines->len; i = parts_end (p, i))
    {
      repeated += line_at (p, i)->fate == FATE_REPEATED;
      numbers += line_at (p, i)->fate == FATE_NUMBER;
      contents += line_at (p, i)->fate == FATE_CONTENTS;
    }
  if (repeated)
    sink->count (sink, "headers_dropped", repeated);
  if (numbers)
    sink->count (sink, "page_numbers_dropped", numbers);
  if (contents)
    sink->count (sink, "contents_entries_dropped", contents);
}

static gboolean
tell_page (Build *b, const Page *page)
{
  gboolean ok = TRUE;

  for (guint i = page->first; ok && i < page->end; i++)
    {
      const Line *line = line_at (b->p, i);

      if (line->fate != FATE_TEXT || line->place.table == TOLD)
        continue;
      ok = line->place.table ? tell_table (b, page, line->place.table) : take_line (b, page, i);
      ok = ok && (i % 512 || b->sink->go_on (b->sink));
    }
  return ok;
}

gboolean
pages_tell (Pages *p, TextDocSink *sink)
{
  Build b = { .p = p, .sink = sink };
  TableColumns end = { 0 };
  gint64 tables = 0;
  gboolean ok = TRUE;

  if (!(p->wants & TEXT_DOC_WHOLE))
    {
      mark_margins (p);
      mark_contents (p);
      count_dropped (p, sink);
    }
  for (guint n = 0; n < p->pages->len; n++)
    {
      if (p->wants & TEXT_DOC_PARTS)
        end.n = 0;
      tables += find_tables (p, &g_array_index (p->pages, Page, n), &end);
      tables -= end.used;
    }
  if (tables)
    sink->count (sink, "pdf_tables_guessed", tables);
  join_parts (p);
  b.sizes = find_sizes (p);
  b.text = g_string_new (NULL);
  for (guint n = 0; ok && n < p->pages->len; n++)
    {
      if (p->wants & TEXT_DOC_PARTS)
        ok = tell_paragraph (&b);
      ok = ok && sink->part (sink, TEXT_DOC_PAGE, n + 1, (FrStr){ "", 0 });
      ok = ok && tell_page (&b, &g_array_index (p->pages, Page, n));
    }
  ok = ok && tell_paragraph (&b);
  if (b.names_dropped)
    sink->count (sink, "table_names_dropped", b.names_dropped);
  g_free (b.names);
  g_string_free (b.text, TRUE);
  return ok;
}
