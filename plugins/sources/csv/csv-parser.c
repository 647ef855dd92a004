/* SPDX-License-Identifier: Apache-2.0 */
/* csv-parser.c: a resumable machine over one growing buffer.
 *
 * The buffer holds the record under way and what was fed behind it.  All
 * positions in a record are relative to its start, so that moving it to the
 * front of the buffer, or growing the buffer, changes nothing.  The two
 * searches that touch every byte look at 16 of them at once where SSE2 is.
 */
#include "sources/csv/csv-parser.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define KEPT_TEXT (64 * 1024) /* of a record that is too long */

typedef enum
{
  AT_RECORD,
  AT_CELL,
  IN_CELL,
  IN_QUOTES,
  BEHIND_QUOTE,
  IN_SKIPPED_LINE
} State;

struct _CsvParser
{
  CsvDialect dialect;
  gsize delimiter_len;
  char *buffer;
  gsize size;
  gsize start, pos, end; /* of the record under way, of the search, of the bytes */
  gboolean last;
  State state;
  CsvCell *cells;
  guint n_cells, room;
  gsize cell_start; /* relative to start */
  guint32 cell_flags;
  guint64 line, next_line; /* of the record's start, of pos */
  guint64 to_skip, blank, comments;
  gboolean mac; /* lines end in lone CR */
  CsvFault fault;
  guint64 fault_line, quote_line;
  guint fault_cell;
  guint32 quote_at; /* relative to start */
  GString *kept;    /* beginning of a record that is too long; its bytes are let go */
  gboolean too_long;
};

/* ---- searching ------------------------------------------------------------ */

/* First of a, b, c in [p, e), or e. */
static inline const char *
find_any (const char *p, const char *e, char a, char b, char c)
{
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8 (a), vb = _mm_set1_epi8 (b), vc = _mm_set1_epi8 (c);

  for (; e - p >= 16; p += 16)
    {
      __m128i v = _mm_loadu_si128 ((const __m128i *) (const void *) p);
      int mask = _mm_movemask_epi8 (_mm_or_si128 (
          _mm_or_si128 (_mm_cmpeq_epi8 (v, va), _mm_cmpeq_epi8 (v, vb)), _mm_cmpeq_epi8 (v, vc)));

      if (mask != 0)
        return p + __builtin_ctz ((unsigned) mask);
    }
#endif
  while (p < e && *p != a && *p != b && *p != c)
    p++;
  return p;
}

/* First of quote, escape in [p, e), or e; *newlines: LFs (CRs in files that end lines so) before
 * it. */
static inline const char *
find_quote (const char *p, const char *e, char quote, char escape, char newline, guint64 *newlines)
{
#if defined(__SSE2__)
  const __m128i vq = _mm_set1_epi8 (quote), ve = _mm_set1_epi8 (escape);
  const __m128i vn = _mm_set1_epi8 (newline);

  for (; e - p >= 16; p += 16)
    {
      __m128i v = _mm_loadu_si128 ((const __m128i *) (const void *) p);
      unsigned nl = (unsigned) _mm_movemask_epi8 (_mm_cmpeq_epi8 (v, vn));
      unsigned mask = (unsigned) _mm_movemask_epi8 (
          _mm_or_si128 (_mm_cmpeq_epi8 (v, vq), _mm_cmpeq_epi8 (v, ve)));

      if (mask != 0)
        {
          guint n = (guint) __builtin_ctz (mask);

          if (nl != 0)
            *newlines += (guint) __builtin_popcount (nl & ((1u << n) - 1));
          return p + n;
        }
      if (nl != 0)
        *newlines += (guint) __builtin_popcount (nl);
    }
#endif
  for (; p < e && *p != quote && *p != escape; p++)
    *newlines += *p == newline;
  return p;
}

/* ---- making and feeding --------------------------------------------------- */

CsvParser *
csv_parser_new (const CsvDialect *dialect)
{
  CsvParser *parser = g_new0 (CsvParser, 1);

  parser->dialect = *dialect;
  parser->delimiter_len = strlen (dialect->delimiter);
  if (parser->dialect.escape == '\0')
    parser->dialect.escape = dialect->quote;
  parser->to_skip = dialect->skip_lines;
  parser->line = parser->next_line = 1;
  parser->room = 64;
  parser->cells = g_new (CsvCell, parser->room);
  parser->kept = g_string_new (NULL);
  return parser;
}

void
csv_parser_free (CsvParser *parser)
{
  if (parser == NULL)
    return;
  g_free (parser->buffer);
  g_free (parser->cells);
  g_string_free (parser->kept, TRUE);
  g_free (parser);
}

void
csv_parser_skipped (const CsvParser *parser, guint64 *blank, guint64 *comments)
{
  *blank = parser->blank;
  *comments = parser->comments;
}

/* A record that grew too long keeps its beginning only. */
static void
let_go (CsvParser *parser)
{
  if (!parser->too_long)
    {
      gsize n = MIN (parser->dialect.max_row, KEPT_TEXT);

      g_string_truncate (parser->kept, 0);
      g_string_append_len (parser->kept, parser->buffer + parser->start, (gssize) n);
    }
  parser->too_long = TRUE;
  parser->start = parser->pos;
  parser->cell_start = 0;
}

void
csv_parser_feed (CsvParser *parser, const char *block, gsize len, gboolean last)
{
  gsize left;

  if (parser->too_long || parser->pos - parser->start > parser->dialect.max_row)
    let_go (parser);
  left = parser->end - parser->start;
  if (parser->start > 0)
    memmove (parser->buffer, parser->buffer + parser->start, left);
  parser->pos -= parser->start;
  parser->start = 0;
  if (left + len > parser->size)
    {
      parser->size = MAX (left + len, parser->size + parser->size / 2);
      parser->buffer = g_realloc (parser->buffer, parser->size);
    }
  if (len > 0)
    memcpy (parser->buffer + left, block, len);
  parser->end = left + len;
  parser->last = last;
}

/* ---- cells ---------------------------------------------------------------- */

static gsize
blank_len (const char *p, const char *e)
{
  if (*p == ' ' || *p == '\t')
    return 1;
  return e - p >= 3 && memcmp (p, "\xE3\x80\x80", 3) == 0 ? 3 : 0;
}

static void
trim_cell (const CsvParser *parser, gsize *start, gsize *end)
{
  const char *text = parser->buffer + parser->start;
  gsize n;

  while (*start < *end && (n = blank_len (text + *start, text + *end)) > 0)
    *start += n;
  for (;;)
    if (*end > *start && (text[*end - 1] == ' ' || text[*end - 1] == '\t'))
      (*end)--;
    else if (*end >= *start + 3 && memcmp (text + *end - 3, "\xE3\x80\x80", 3) == 0)
      *end -= 3;
    else
      break;
}

static inline void
close_cell (CsvParser *parser, gsize end)
{
  gsize start = parser->cell_start;

  if (G_UNLIKELY (parser->too_long))
    {
      parser->n_cells++;
      return;
    }
  if (G_UNLIKELY (parser->dialect.trim) && !(parser->cell_flags & CSV_QUOTED))
    trim_cell (parser, &start, &end);
  if (G_UNLIKELY (parser->n_cells == parser->room) && parser->room < CSV_MAX_CELLS)
    {
      parser->room *= 2;
      parser->cells = g_renew (CsvCell, parser->cells, parser->room);
    }
  if (G_LIKELY (parser->n_cells < parser->room))
    parser->cells[parser->n_cells]
        = (CsvCell){ (guint32) start, (guint32) (end - start), parser->cell_flags };
  parser->n_cells++;
}

static void
set_fault (CsvParser *parser, CsvFault fault, guint64 line)
{
  if (parser->fault != CSV_FAULT_NONE)
    return;
  parser->fault = fault;
  parser->fault_line = line;
  parser->fault_cell = parser->n_cells;
}

/* Ends the record before the newline of newline_len bytes at pos. */
static CsvEvent
end_record (CsvParser *parser, gsize newline_len, CsvRecord *record)
{
  gsize len = parser->pos - parser->start;

  if (len > parser->dialect.max_row && !parser->too_long)
    let_go (parser);
  record->line = parser->line;
  record->cells = parser->cells;
  record->n_cells = parser->n_cells;
  record->text = (FrStr){ parser->buffer + parser->start, len };
  record->fault = parser->fault;
  record->fault_line = parser->fault_line;
  record->fault_cell = parser->fault_cell;
  if (G_UNLIKELY (parser->too_long))
    {
      record->text = (FrStr){ parser->kept->str, parser->kept->len };
      record->n_cells = 0;
      record->fault = CSV_FAULT_TOO_LONG;
      record->fault_line = parser->line;
      record->fault_cell = 0;
    }
  parser->mac = newline_len == 1 && parser->buffer[parser->pos] == '\r';
  parser->next_line += newline_len > 0;
  parser->pos += newline_len;
  parser->start = parser->pos;
  parser->line = parser->next_line;
  parser->n_cells = 0;
  parser->fault = CSV_FAULT_NONE;
  parser->too_long = FALSE;
  parser->state = AT_RECORD;
  return CSV_RECORD;
}

/* Length of the newline at pos: 1 or 2; 0: it takes another byte to know. */
static inline gsize
newline_len (const CsvParser *parser)
{
  if (parser->buffer[parser->pos] == '\n')
    return 1;
  if (parser->pos + 1 < parser->end)
    return parser->buffer[parser->pos + 1] == '\n' ? 2 : 1;
  return parser->last ? 1 : 0;
}

/* -1: not here; 0: it takes more bytes to know; 1: here. */
static inline int
is_delimiter (const CsvParser *parser, gsize pos)
{
  gsize have = MIN (parser->end - pos, parser->delimiter_len);

  if (memcmp (parser->buffer + pos, parser->dialect.delimiter, have) != 0)
    return -1;
  return have == parser->delimiter_len ? 1 : parser->last ? -1 : 0;
}

/* ---- the states ----------------------------------------------------------- */

/* Each returns CSV_MORE when the bytes do not suffice, CSV_RECORD when the
 * record is complete, and CSV_END to go on with the (new) state. */
#define GO_ON CSV_END

static CsvEvent
at_record (CsvParser *parser)
{
  char c = parser->buffer[parser->pos];

  if (parser->to_skip > 0 || (parser->dialect.comment != '\0' && c == parser->dialect.comment))
    {
      if (parser->to_skip > 0)
        parser->to_skip--;
      else
        parser->comments++;
      parser->state = IN_SKIPPED_LINE;
      return GO_ON;
    }
  if (c == '\n' || c == '\r')
    {
      gsize n = newline_len (parser);

      if (n == 0)
        return CSV_MORE;
      parser->blank++;
      parser->pos += n;
      parser->start = parser->pos;
      parser->line = ++parser->next_line;
      return GO_ON;
    }
  parser->state = AT_CELL;
  return GO_ON;
}

static CsvEvent
in_skipped_line (CsvParser *parser)
{
  const char *at
      = find_any (parser->buffer + parser->pos, parser->buffer + parser->end, '\n', '\r', '\n');
  gsize n;

  parser->start = parser->pos = (gsize) (at - parser->buffer);
  if (parser->pos == parser->end)
    return CSV_MORE;
  n = newline_len (parser);
  if (n == 0)
    return CSV_MORE;
  parser->start = parser->pos += n;
  parser->line = ++parser->next_line;
  parser->state = AT_RECORD;
  return GO_ON;
}

static CsvEvent
at_cell (CsvParser *parser)
{
  gsize at = parser->pos;

  if (parser->dialect.trim)
    {
      gsize n;

      /* A blank of three bytes may be cut: wait for the rest of it. */
      while (at < parser->end
             && (n = blank_len (parser->buffer + at, parser->buffer + parser->end)) > 0
             && is_delimiter (parser, at) != 1)
        at += n;
      if (parser->end - at < 3 && !parser->last)
        return CSV_MORE;
    }
  parser->cell_flags = 0;
  if (at < parser->end && parser->dialect.quote != '\0'
      && parser->buffer[at] == parser->dialect.quote)
    {
      parser->cell_flags = CSV_QUOTED;
      parser->quote_line = parser->next_line;
      parser->quote_at = (guint32) (at - parser->start);
      parser->pos = at + 1;
      parser->state = IN_QUOTES;
    }
  else if (at == parser->end && !parser->last)
    return CSV_MORE;
  else
    parser->state = IN_CELL;
  parser->cell_start = parser->pos - parser->start;
  return GO_ON;
}

static CsvEvent
in_cell (CsvParser *parser, CsvRecord *record)
{
  const char *at = parser->buffer + parser->pos, *end = parser->buffer + parser->end;
  char first = parser->dialect.delimiter[0];

  for (;;)
    {
      at = find_any (at, end, first, '\n', '\r');
      parser->pos = (gsize) (at - parser->buffer);
      if (at == end)
        {
          if (!parser->last)
            return CSV_MORE;
          close_cell (parser, parser->pos - parser->start);
          return end_record (parser, 0, record);
        }
      if (*at == first)
        {
          int is = parser->delimiter_len == 1 ? 1 : is_delimiter (parser, parser->pos);

          if (is == 0)
            return CSV_MORE;
          if (is < 0)
            {
              at++;
              continue;
            }
          close_cell (parser, parser->pos - parser->start);
          parser->pos += parser->delimiter_len;
          parser->state = AT_CELL;
          return GO_ON;
        }
      else
        {
          gsize n = newline_len (parser);

          if (n == 0)
            return CSV_MORE;
          close_cell (parser, parser->pos - parser->start);
          return end_record (parser, n, record);
        }
    }
}

/* The text ended inside quotes: the record is its first line, the fault is its
 * open quote, and what was swallowed is read again from the second line on. */
static CsvEvent
open_quote (CsvParser *parser, CsvRecord *record)
{
  const char *text = parser->buffer + parser->start, *end = parser->buffer + parser->end, *eol;

  if (parser->too_long || (gsize) (end - text) > parser->dialect.max_row)
    {
      record->fault = CSV_FAULT_OPEN_QUOTE;
      record->fault_line = record->line = parser->quote_line;
      return CSV_LOST;
    }
  /* The line where the quote is: lines before it, within other quotes, belong to the record. */
  eol = find_any (text + parser->quote_at, end, '\n', '\r', '\n');
  parser->pos = (gsize) (eol - parser->buffer);
  parser->next_line = parser->quote_line;
  set_fault (parser, CSV_FAULT_OPEN_QUOTE, parser->quote_line);
  close_cell (parser, MAX (parser->cell_start, parser->pos - parser->start));
  return end_record (parser, eol == end ? 0 : newline_len (parser), record);
}

static CsvEvent
in_quotes (CsvParser *parser, CsvRecord *record)
{
  const char quote = parser->dialect.quote, escape = parser->dialect.escape;
  const char *end = parser->buffer + parser->end;

  for (;;)
    {
      const char *at = find_quote (parser->buffer + parser->pos, end, quote, escape,
                                   parser->mac ? '\r' : '\n', &parser->next_line);
      gboolean more;

      parser->pos = (gsize) (at - parser->buffer);
      if (at == end)
        return parser->last ? open_quote (parser, record) : CSV_MORE;
      more = at + 1 < end;
      if (!more && !parser->last)
        return CSV_MORE;
      if (*at == escape && escape != quote)
        {
          /* The escaped character may be a newline, which counts: only the escape is passed, and a
           * quote or escape behind it. */
          parser->cell_flags |= CSV_ESCAPED;
          parser->pos += more && (at[1] == quote || at[1] == escape) ? 2 : 1;
          continue;
        }
      if (more && at[1] == quote)
        {
          parser->cell_flags |= CSV_ESCAPED;
          parser->pos += 2;
          continue;
        }
      close_cell (parser, parser->pos - parser->start);
      parser->pos++;
      parser->state = BEHIND_QUOTE;
      return GO_ON;
    }
}

static CsvEvent
behind_quote (CsvParser *parser, CsvRecord *record)
{
  int is;

  if (parser->dialect.trim)
    {
      gsize n;

      if (parser->end - parser->pos < 3 && !parser->last)
        return CSV_MORE;
      while (parser->pos < parser->end && is_delimiter (parser, parser->pos) != 1
             && (n = blank_len (parser->buffer + parser->pos, parser->buffer + parser->end)) > 0)
        {
          parser->pos += n;
          if (parser->end - parser->pos < 3 && !parser->last)
            return CSV_MORE;
        }
    }
  if (parser->pos == parser->end)
    return parser->last ? end_record (parser, 0, record) : CSV_MORE;
  if (parser->buffer[parser->pos] == '\n' || parser->buffer[parser->pos] == '\r')
    {
      gsize n = newline_len (parser);

      return n == 0 ? CSV_MORE : end_record (parser, n, record);
    }
  is = is_delimiter (parser, parser->pos);
  if (is == 0)
    return CSV_MORE;
  if (is > 0)
    {
      parser->pos += parser->delimiter_len;
      parser->state = AT_CELL;
      return GO_ON;
    }
  parser->n_cells--;
  set_fault (parser, CSV_FAULT_AFTER_QUOTE, parser->next_line);
  parser->state = IN_CELL;
  return GO_ON;
}

CsvEvent
csv_parser_next (CsvParser *parser, CsvRecord *record)
{
  CsvEvent event = GO_ON;

  while (event == GO_ON)
    {
      if (parser->pos == parser->end)
        {
          if (!parser->last)
            return CSV_MORE;
          if (parser->state == AT_RECORD || parser->state == IN_SKIPPED_LINE)
            return CSV_END;
        }
      switch (parser->state)
        {
        case AT_RECORD:
          event = at_record (parser);
          break;
        case IN_SKIPPED_LINE:
          event = in_skipped_line (parser);
          break;
        case AT_CELL:
          event = at_cell (parser);
          break;
        case IN_CELL:
          event = in_cell (parser, record);
          break;
        case IN_QUOTES:
          event = in_quotes (parser, record);
          break;
        case BEHIND_QUOTE:
          event = behind_quote (parser, record);
          break;
        }
    }
  return event;
}

gsize
csv_cell_unescape (const CsvDialect *dialect, const char *text, gsize len, char *out)
{
  const char quote = dialect->quote, escape = dialect->escape ? dialect->escape : quote;
  const char *end = text + len;
  char *to = out;

  while (text < end)
    {
      const char *at = find_any (text, end, quote, escape, quote);
      gsize n = (gsize) (at - text);

      memcpy (to, text, n);
      to += n;
      text = at;
      if (at == end)
        break;
      /* Of a pair the second stays; an escape before anything else is itself. */
      if (at + 1 < end && (at[1] == quote || (*at == escape && at[1] == escape)))
        text++;
      *to++ = *text++;
    }
  return (gsize) (to - out);
}
