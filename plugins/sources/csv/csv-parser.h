/* SPDX-License-Identifier: Apache-2.0 */
/* csv-parser.h: records and cells of delimited text (internal to source.csv).
 *
 * RFC 4180, and what files do beyond it: any delimiter of one character, LF,
 * CRLF or lone CR, backslash escapes, comments, blanks around cells.  Blocks of
 * valid UTF-8 are fed in; records come out; how the text was cut into blocks
 * never changes them.  A quote opens a cell only at its beginning.
 *
 *     csv_parser_feed (parser, block, len, FALSE);
 *     while ((event = csv_parser_next (parser, &record)) == CSV_RECORD) ...
 */
#ifndef FLOWRUN_CSV_PARSER_H
#define FLOWRUN_CSV_PARSER_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _CsvParser CsvParser;

/**
 * CsvDialect:
 * @delimiter: one character as UTF-8
 * @quote, @escape, @comment: an ASCII byte, or 0 for none; a doubled quote is always one quote
 * @trim: blanks (space, tab, U+3000) around cells and quotes do not count
 * @skip_lines: lines to pass over before the first record
 * @max_row: bytes in one record, at most 1 GiB
 */
typedef struct
{
  char delimiter[8];
  char quote;
  char escape;
  char comment;
  gboolean trim;
  guint64 skip_lines;
  guint64 max_row;
} CsvDialect;

typedef enum
{
  CSV_QUOTED = 1 << 0,
  CSV_ESCAPED = 1 << 1 /* csv_cell_unescape() must be used */
} CsvCellFlags;

/* A cell, as a piece of its record's text, without its quotes. */
typedef struct
{
  guint32 start;
  guint32 len;
  guint32 flags;
} CsvCell;

typedef enum
{
  CSV_FAULT_NONE = 0,
  CSV_FAULT_AFTER_QUOTE, /* text between a closing quote and the next delimiter              */
  CSV_FAULT_OPEN_QUOTE,  /* never closed; the record is its first line, the next line follows */
  CSV_FAULT_TOO_LONG     /* beyond max_row; text is its beginning, cells are none             */
} CsvFault;

/**
 * CsvRecord:
 * @text: the record without its newline; valid until the next call
 * @cells: @n_cells of them, but no more than CSV_MAX_CELLS are there
 * @line: where it begins, from 1
 * @fault: what is wrong with it, @fault_line: where, @fault_cell: in which cell, from 0
 */
typedef struct
{
  FrStr text;
  const CsvCell *cells;
  guint n_cells;
  guint64 line;
  CsvFault fault;
  guint64 fault_line;
  guint fault_cell;
} CsvRecord;

#define CSV_MAX_CELLS 65536

typedef enum
{
  CSV_MORE = 0, /* feed, please */
  CSV_RECORD,
  CSV_END,
  CSV_LOST /* a record beyond max_row ends in an open quote: record.fault_line says where it began
            */
} CsvEvent;

CsvParser *csv_parser_new (const CsvDialect *dialect);
void csv_parser_free (CsvParser *parser);
/** csv_parser_feed: the next block, copied; only after CSV_MORE. @last: nothing follows. */
void csv_parser_feed (CsvParser *parser, const char *block, gsize len, gboolean last);
CsvEvent csv_parser_next (CsvParser *parser, CsvRecord *record);
/** csv_parser_skipped: blank lines and comments passed over so far. */
void csv_parser_skipped (const CsvParser *parser, guint64 *blank, guint64 *comments);

/** csv_cell_unescape: writes a CSV_ESCAPED cell to @out (room for @len bytes); returns the bytes
 * written. */
gsize csv_cell_unescape (const CsvDialect *dialect, const char *text, gsize len, char *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CsvParser, csv_parser_free)

G_END_DECLS

#endif
