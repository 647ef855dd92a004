/* SPDX-License-Identifier: Apache-2.0 */
/* tell.h: the sink: what a reader tells, as records.
 *
 * Cuts a document into records as the parameters say, renders blocks as text,
 * keeps table rows apart where they are records, finds out title and language
 * where the document names none, and stops a reader at the limits.  Nothing is
 * given out before the document is whole: a document that fails gives one
 * reject and no rows.
 */
#ifndef DOCUMENTS_TELL_H
#define DOCUMENTS_TELL_H

#include "text/document.h"

G_BEGIN_DECLS

typedef enum
{
  RECORD_DOCUMENT = 0,
  RECORD_PAGE,
  RECORD_SECTION,
  RECORD_ROW,
  RECORD_MESSAGE
} RecordKind;

typedef enum
{
  TABLES_TEXT = 0,
  TABLES_RECORDS,
  TABLES_DROP
} TablesKind;

typedef enum
{
  MARKUP_MARKDOWN = 0,
  MARKUP_PLAIN
} MarkupKind;

typedef enum
{
  NAMES_AUTO = 0,
  NAMES_FIRST,
  NAMES_NONE
} NamesKind;

typedef struct
{
  RecordKind record;
  TablesKind tables;
  MarkupKind markup;
  NamesKind names;
  guint section_level;
  guint64 max_text;
  guint wants; /* TextDocWants */
} TellOptions;

/** Cells: strings one after the other. */
typedef struct
{
  gatomicrefcount refs;
  guint n;
  FrStr cells[];
} Cells;

Cells *cells_ref (Cells *cells);
void cells_unref (Cells *cells);

/**
 * Record: one row to come.
 * @unit: "document", "page", "sheet", "slide", "section", "row"; static
 * @number: from 1 within the document, by unit; 0 of a document
 * @page: number of the page, sheet or slide it begins on; 0: none
 * @name: of the sheet, slide or section; NULL: none
 * @header: names of the columns of a row; NULL: none
 * @cells: of a row; NULL for text
 * @text: of what is no row
 */
typedef struct
{
  const char *unit;
  guint number, table, page;
  char *name; /* GRefString */
  Cells *header, *cells;
  FrStr text; /* freed with the record */
} Record;

/** record_text: the text of @record, that of a row made from its cells. */
void record_text (const Record *record, GString *out);

/** Child: a document within. */
typedef struct
{
  char *name;
  GBytes *bytes;
} Child;

typedef struct
{
  char *title, *author, *language;
  gboolean has_date;
  gint64 date;
  GPtrArray *records;  /* Record */
  GPtrArray *children; /* Child */
  GHashTable *counts;  /* static name → gint64 * */
  const char *rule;    /* why it is rejected; NULL: it is not */
  char *reason;
  gboolean stopped; /* the run is cancelled */
} Told;

void told_free (Told *told);

typedef struct _Tell Tell;

/** tell_new: @deadline: g_get_monotonic_time() at which it is up; @max_children: bytes of documents
 * within. */
Tell *tell_new (const TellOptions *options, gint64 deadline, guint64 max_children,
                GCancellable *cancellable);
TextDocSink *tell_sink (Tell *tell);
/** tell_end: what was told; @ok: what the reader returned; frees @tell. */
Told *tell_end (Tell *tell, gboolean ok);

/** tell_language: of a text, by its script and its commonest words; NULL: not to be told; static.
 */
const char *tell_language (FrStr text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Told, told_free)

G_END_DECLS

#endif
