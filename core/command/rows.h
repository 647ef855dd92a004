/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h: taking the first rows of a port, and showing rows to a person;
 * for head and inspect. */
#ifndef FLOWRUN_COMMAND_ROWS_H
#define FLOWRUN_COMMAND_ROWS_H

#include "command/command.h"

G_BEGIN_DECLS

/* Called for each batch, on a thread of the engine; FALSE: enough. */
typedef gboolean (*RowsFunc) (FrBatch *batch, gpointer data);

/** rows_take: runs @pipeline as far as @port of @stage needs; sinks do not run and nothing is kept.
 */
FriExit rows_take (const CmdLine *line, FriPipeline *pipeline, const char *stage, const char *port,
                   RowsFunc func, gpointer data, GError **error);

typedef struct _RowsTable RowsTable;

RowsTable *rows_table_new (FrSchema *schema);
void rows_table_add (RowsTable *rows, const FrBatch *batch, gsize row, const char *id);
/** rows_have_marks: whether a column holds text of which parts are marked: list<struct<text: utf8,
 * marked: bool>>. */
gboolean rows_have_marks (FrSchema *schema);
/** rows_print_marked: a row of those: its other cells a line each, then the running text. */
void rows_print_marked (const FrBatch *batch, gsize row, const char *id, FILE *out);
guint rows_table_n (const RowsTable *rows);
void rows_table_print (RowsTable *rows, FILE *out);
void rows_table_free (RowsTable *rows);
/** rows_id: "goods:17", as `flowrun why` takes it. */
char *rows_id (const FriPipeline *pipeline, FrRowId id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RowsTable, rows_table_free)

G_END_DECLS

#endif
