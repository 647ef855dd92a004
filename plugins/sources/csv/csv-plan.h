/* SPDX-License-Identifier: Apache-2.0 */
/* csv-plan.h: what source.csv decides before the first row (internal to source.csv). */
#ifndef FLOWRUN_CSV_PLAN_H
#define FLOWRUN_CSV_PLAN_H

#include "sources/csv/csv-parser.h"

#include <flowrun/flowrun.h>

G_BEGIN_DECLS

typedef enum
{
  CSV_TYPES_INFER = 1,
  CSV_TYPES_TEXT
} CsvTypes;
typedef enum
{
  CSV_RAGGED_REJECT = 1,
  CSV_RAGGED_FILL
} CsvRagged;

/* The config of source.csv; its parameter table is in csv.c. */
typedef struct
{
  char **path;
  char *encoding;
  char *delimiter;
  char *quote;
  char *escape;
  char *comment;
  gboolean header;
  char **names;
  FrPair *columns;
  int types;
  gint64 sample;
  char **null;
  gboolean trim;
  gint64 skip_lines;
  int ragged;
  char *file_column;
  guint64 max_row;
} CsvConfig;

typedef enum
{
  CSV_BY_DECLARATION,
  CSV_BY_INFERENCE,
  CSV_BY_RULE
} CsvReason;

/**
 * CsvPlan:
 * @dialect: with the delimiter found
 * @delimiter_how: "given", "found" or "assumed"
 * @names: of the columns in the files, NULL-terminated
 * @types, @reasons: one per name
 * @schema: those, and the file column
 * @sampled: rows looked at
 */
typedef struct
{
  CsvDialect dialect;
  const char *delimiter_how;
  char **names;
  guint n;
  FrType *types;
  CsvReason *reasons;
  FrSchema *schema;
  guint sampled;
} CsvPlan;

/* What a plan has to say to the person, and about which parameter. */
typedef void (*CsvTell) (gpointer data, gboolean problem, const char *pointer, const char *text);

/**
 * csv_plan_new: looks at the beginning of the first text.  NULL with an error,
 * or without one when @tell was told a problem.
 */
CsvPlan *csv_plan_new (const CsvConfig *config, GCancellable *cancellable, CsvTell tell,
                       gpointer data, GError **error);
void csv_plan_free (CsvPlan *plan);

/** csv_plan_names: the column names in a header record: stripped, none empty, none twice; @tell may
 * be NULL. */
char **csv_plan_names (const CsvDialect *dialect, const CsvRecord *header, CsvTell tell,
                       gpointer data);

/** csv_is_null: whether a cell stands for no value in a column of @type. */
gboolean csv_is_null (const CsvConfig *config, FrStr text, gboolean quoted, FrType type);

/** csv_cell_text: the cell's text, in @scratch if it holds escapes. */
FrStr csv_cell_text (const CsvDialect *dialect, const CsvRecord *record, const CsvCell *cell,
                     GString *scratch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CsvPlan, csv_plan_free)

G_END_DECLS

#endif
