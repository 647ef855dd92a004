/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h: which parts of lines on a page stand in rows and columns.
 *
 * A PDF has no tables, only text in places.  Lines at one height make a band;
 * bands that follow each other and leave the same upright stripes empty make
 * a table, unless what stands between the stripes is running text in columns,
 * or marks of a list and their items.  Rows are parted by blank lines wider
 * than those within a cell, or else one a band.
 *
 * It is a guess, a careful one: two columns need short names in the first, or
 * three rows that are wider apart than lines of text or end in numbers.  Where a
 * page ends with a table, rows in its columns at the top of the next go on.
 */
#ifndef DOCUMENTS_PDF_TABLES_H
#define DOCUMENTS_PDF_TABLES_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TABLE_TEXT,
  TABLE_NUMBER, /* digits and what stands with them: never a part of a longer text */
  TABLE_MARK,   /* of a list, alone */
  TABLE_NONE    /* in no table */
} TableKind;

/** TableBox: a part of a line.  Points, from the page's upper left corner, all finite. */
typedef struct
{
  float x0, y0, x1, y1, size;
  TableKind kind;
} TableBox;

/** TablePlace: @table counts from 1, 0 is none; @row and @column from 0. */
typedef struct
{
  guint table, row, column;
} TablePlace;

#define TABLE_COLUMNS 64

/** TableColumns: those of a table that goes to the end of its page; @n is 0: none does. */
typedef struct
{
  guint n;
  float left[TABLE_COLUMNS], right[TABLE_COLUMNS];
  gboolean used;
} TableColumns;

/**
 * tables_find:
 * @boxes, @n: the parts of one page, in any order
 * @end: in: how the page before ended; out: how this one does, @used whether its first table goes
 *   on with the last of the page before
 * @places: @n of them, out
 *
 * Returns: how many tables there are.
 */
guint tables_find (const TableBox *boxes, guint n, TableColumns *end, TablePlace *places);

G_END_DECLS

#endif
