/* SPDX-License-Identifier: Apache-2.0 */
/* value.h: what a server's types become, and its values as cells.
 *
 * A driver sorts each column of a result into one of a few kinds, and hands
 * over each cell in the form that it came in; what a cell of a kind becomes in
 * a column of a type is decided here, for all drivers alike.  A value that
 * does not fit says why; it never becomes something near.
 *
 * Forms of text: ISO 8601 times as PostgreSQL writes them (documentation,
 * "Date/Time Output", with " BC" and "infinity"), arrays as in its chapter
 * "Array Input and Output Syntax", bytea as "\x" and hexadecimal digits.
 */
#ifndef SQL_VALUE_H
#define SQL_VALUE_H

#include <flowrun/flowrun.h>

G_BEGIN_DECLS

typedef enum
{
  SQL_KIND_TEXT = 1,
  SQL_KIND_BOOL,
  SQL_KIND_INT,
  SQL_KIND_FLOAT,
  SQL_KIND_DECIMAL,
  SQL_KIND_DATE, /* a day, or a day and a time, without a zone: UTC */
  SQL_KIND_TIME, /* a moment: with a zone, or known to be UTC       */
  SQL_KIND_UUID,
  SQL_KIND_BYTES,
  SQL_KIND_JSON,
  SQL_KIND_ARRAY
} SqlKind;

/**
 * SqlColumn:
 * @name: as the result calls it
 * @type: the server's word for its type, for messages
 * @kind: what it holds
 * @item: for arrays: what each item holds
 * @delimiter: for arrays: what stands between items
 * @native: the driver's
 */
typedef struct
{
  char *name;
  char *type;
  SqlKind kind;
  SqlKind item;
  char delimiter;
  guint native;
} SqlColumn;

SqlColumn *sql_column_new (const char *name, const char *type, SqlKind kind);
void sql_column_free (SqlColumn *column);

/**
 * SqlCell: one value: @text for TEXT, BYTES and FAULT (what is wrong, for a
 * person; NUL-terminated), @integer for INT and TIME, @number for FLOAT.
 */
typedef struct
{
  enum
  {
    SQL_CELL_NULL,
    SQL_CELL_TEXT, /* to be read as the column's kind says    */
    SQL_CELL_INT,
    SQL_CELL_FLOAT,
    SQL_CELL_TIME, /* microseconds since 1970-01-01T00:00:00Z */
    SQL_CELL_BYTES,
    SQL_CELL_ZERO_DATE, /* MySQL's 0000-00-00                 */
    SQL_CELL_FAULT      /* the driver could not take it       */
  } form;
  FrStr text;
  gint64 integer;
  double number;
} SqlCell;

/**
 * SqlRules:
 * @scratch: memory for one value; the caller's
 * @reader: for JSON; initialised by sql_rules_init()
 * @rule: by what the last value was refused: "type", "encoding", "range", "value"
 * @refuse_zero_dates: whether MySQL's 0000-00-00 is refused; else it becomes null, and @zero_dates
 * counts it
 */
typedef struct
{
  GString *scratch, *item;
  FrJsonReader reader;
  const char *rule;
  gboolean refuse_zero_dates;
  guint64 zero_dates;
  GError *error;
} SqlRules;

void sql_rules_init (SqlRules *rules);
void sql_rules_clear (SqlRules *rules);

/** sql_field: the field that @column becomes by itself. */
FrField *sql_field (const SqlColumn *column, gboolean decimal_text, gboolean nested_text);

/** sql_can_become: whether values of @column can be cells of @field at all. */
gboolean sql_can_become (const SqlColumn *column, const FrField *field);

/**
 * sql_append: @cell as one cell of @field.  Returns NULL, or what is wrong with it ("is ..."; good
 * until the next call); then the row must be cancelled.
 */
const char *sql_append (FrCells *cells, const FrField *field, const SqlColumn *column,
                        const SqlCell *cell, SqlRules *rules);

/** sql_append_shown: @cell as JSON, for rejects: text cut at 200 bytes, bytes as their number. */
void sql_append_shown (GString *out, const SqlCell *cell);

/** sql_utf8: whether @text is valid UTF-8; U+0000 is. */
gboolean sql_utf8 (FrStr text);

/**
 * sql_parse_time: ISO 8601 as servers write it into microseconds.  Returns NULL or what is wrong;
 * @beyond: whether that is only that the time is too far away, or infinite.
 */
const char *sql_parse_time (FrStr text, gint64 *us, gboolean *beyond);

/** sql_civil: a calendar time (proleptic Gregorian, year 0 is 1 BC) as microseconds; FALSE when
 * there is no such day or it is too far away. */
gboolean sql_civil (gint64 year, guint month, guint day, guint hour, guint minute, guint second,
                    guint microsecond, gint64 *us);

/** sql_parse_bool: f, t, 0, 1, false, true, no, yes, off, on, in any case. */
gboolean sql_parse_bool (FrStr text, gboolean *value);
/** sql_append_hex: bytes written as "\x" and two hexadecimal digits for each, as one cell; FALSE
 * when they are not, and then the row must be cancelled. */
gboolean sql_append_hex (FrCells *cells, FrStr text);
gboolean sql_parse_int (FrStr text, gint64 *value);
/** sql_parse_float: also NaN and Infinity, as every server writes them. */
gboolean sql_parse_float (FrStr text, double *value);

G_END_DECLS

#endif
