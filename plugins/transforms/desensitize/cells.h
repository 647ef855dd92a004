/* SPDX-License-Identifier: Apache-2.0 */
/* cells.h: one cell hidden, whatever its type: text, lists and structs of text, whole numbers. */
#ifndef DESENSITIZE_CELLS_H
#define DESENSITIZE_CELLS_H

#include "audit.h"

/* What all workers share; constant while they work. */
typedef struct
{
  const TextPii *pii;
  const TextPiiKey *key; /* NULL: none */
  const Action *actions; /* by type    */
  guint min_score;
  gboolean hide_doubts;
  gboolean auto_language, chinese;
  gboolean check;         /* residual scan wanted */
  guint64 residual_types; /* bits of types that are hidden */
} Rules;

/* A column that is looked at. */
typedef struct
{
  guint index; /* in the schema */
  const char *name;
  char *label; /* "电话：" put before a short cell, or NULL */
  int whole;   /* type of every cell, or -1 */
} Column;

/* One finding, for the audit port and the explain column. */
typedef struct
{
  guint32 column;
  TextPiiHit hit;
  gint64 start, length; /* in characters of the cell */
  char hash[17];        /* "" without a key */
  gboolean hidden;
} Finding;

typedef struct
{
  const Rules *rules;
  TextPiiScan *scan;
  Audit *audit;
  GString *out, *next, *labelled;
  GArray *hits;     /* TextPiiHit of the cell at hand */
  GArray *findings; /* Finding of the row at hand; NULL: nobody asks */
  /* of the row at hand */
  gboolean changed, drop, unsure;
  guint64 residual[TEXT_PII_MAX];
} Cells;

Cells *cells_new (const Rules *rules, guint n_columns, gboolean findings);
void cells_free (Cells *cells);
/** cells_begin_row: forgets what was known of the row before. */
void cells_begin_row (Cells *cells);
/** cells_row_stays: the row goes out, and what was left in it counts. */
void cells_row_stays (Cells *cells);
/** cells_append: appends row @row of @view (of @field) to @to, hidden. */
void cells_append (Cells *cells, const Column *column, guint at, const FrView *view, FrField *field,
                   gsize row, FrCells *to);
/** cells_wanted: whether a column of this field holds anything to look at. */
gboolean cells_wanted (const FrField *field);

#endif
