/* SPDX-License-Identifier: Apache-2.0 */
/* json.h: reading JSON, strictly.
 *
 * The one JSON reader of flowrun: the pipeline file, source.json, imported
 * reports and side files all go through it.  It follows RFC 8259 to the
 * letter (one value, no trailing commas, no lone surrogates, valid UTF-8, no
 * leading zeros) and knows where every token stood.  It pulls tokens from
 * memory without allocating, so that a row can go straight into columns.
 *
 *     FrJsonReader r;
 *     fr_json_reader_init (&r, text, len, FR_JSON_COMMENTS);
 *     while ((t = fr_json_reader_next (&r)) > FR_JSON_END) ...
 *     if (t == FR_JSON_ERROR) fr_json_reader_error (&r, error);
 */
#ifndef FLOWRUN_JSON_H
#define FLOWRUN_JSON_H

#include <flowrun/batch.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define FR_JSON_MAX_DEPTH 128

typedef enum {
  FR_JSON_ERROR = -1,
  FR_JSON_END = 0, /* the whole text was one correct value */
  FR_JSON_OBJECT,  /* {                                    */
  FR_JSON_OBJECT_END,
  FR_JSON_ARRAY, /* [                                    */
  FR_JSON_ARRAY_END,
  FR_JSON_KEY,    /* reader.str is the key                */
  FR_JSON_STRING, /* reader.str is the text               */
  FR_JSON_INT,    /* reader.integer                       */
  FR_JSON_FLOAT,  /* reader.number; also integers beyond 64 bits */
  FR_JSON_TRUE,
  FR_JSON_FALSE,
  FR_JSON_NULL
} FrJsonToken;

typedef enum {
  FR_JSON_COMMENTS = 1 << 0, /* allow // and block comments                                         */
  FR_JSON_MANY = 1 << 1,     /* stop after one value (FR_JSON_END) at reader.pos; more text may follow; no value at all is FR_JSON_END too */
  FR_JSON_UTF8 = 1 << 2      /* the text is valid UTF-8, as the caller has seen to: strings are not checked again */
} FrJsonFlags;

/**
 * FrJsonReader:
 * @str: text of the last KEY or STRING, unescaped; it points into the input,
 *   or into the reader's scratch when it held escapes; valid until the next token
 * @integer, @number: value of the last INT or FLOAT
 * @start: where the last token began
 * @pos: where the next begins
 *
 * The other members are private.
 */
typedef struct {
  FrStr str;
  gint64 integer;
  double number;
  const char *start;
  const char *pos;
  const char *text;
  const char *end;
  guint flags;
  guint depth;
  guint state;
  guint8 nesting[FR_JSON_MAX_DEPTH / 8];
  GString *scratch;
  const char *fault;
  gpointer reserved[4];
} FrJsonReader;

/** fr_json_reader_init: starts on @len bytes of @text, which must stay; a UTF-8 BOM is skipped. */
void fr_json_reader_init (FrJsonReader *reader, const char *text, gsize len, guint flags);
/** fr_json_reader_reset: starts on other text, keeping the scratch memory. */
void fr_json_reader_reset (FrJsonReader *reader, const char *text, gsize len);
void fr_json_reader_clear (FrJsonReader *reader);
FrJsonToken fr_json_reader_next (FrJsonReader *reader);
/** fr_json_reader_skip: after OBJECT, ARRAY or KEY: reads past the whole value; FALSE on error. */
gboolean fr_json_reader_skip (FrJsonReader *reader);
/** fr_json_reader_leave: reads on until reader.depth is at most @depth, as after a value that was given up halfway; FALSE on error. */
gboolean fr_json_reader_leave (FrJsonReader *reader, guint depth);
/** fr_json_reader_where: line and column (both from 1, in characters) of @at. */
void fr_json_reader_where (const FrJsonReader *reader, const char *at, guint *line, guint *column);
/** fr_json_reader_error: sets FR_ERROR_DATA "line 3, column 9: expected a comma or '}'"; returns FALSE. */
gboolean fr_json_reader_error (const FrJsonReader *reader, GError **error);

/**
 * fr_json_read_cell:
 * @token: what fr_json_reader_next() just returned
 * @field: type of the cell
 * @cells: where it goes; of that field
 * @error: FR_ERROR_DATA for broken JSON; FR_ERROR_TYPE "expected int32, found a string" with the place inside the value
 *
 * Reads one JSON value into one cell: null into any; struct members by name
 * (missing ones become null, unknown ones are an error); timestamps as RFC
 * 3339 text or as an integer of microseconds; binary as base64; whole numbers
 * written as floats into integers.  After an error the cell is unfinished:
 * call fr_builder_cancel_row().
 */
gboolean fr_json_read_cell (FrJsonReader *reader, FrJsonToken token, const FrField *field,
                            FrCells *cells, GError **error);

/**
 * fr_json_read_row:
 * @token: what fr_json_reader_next() just returned
 * @unknown: counts members that are no column, which are skipped; NULL to make them errors
 * @error: as fr_json_read_cell(); also FR_ERROR_TYPE when the value is no object and FR_ERROR_DATA for a key given twice
 *
 * Reads one object into the cells of the row that @builder has open: call
 * fr_builder_end_row() after it, or fr_builder_cancel_row() when it failed.
 */
gboolean fr_json_read_row (FrJsonReader *reader, FrJsonToken token, FrBuilder *builder,
                           guint64 *unknown, GError **error);

/**
 * fr_json_parse: @len bytes (-1: up to NUL) as a json-glib tree; duplicate
 * keys are refused.  NULL with FR_ERROR_DATA.
 */
JsonNode *fr_json_parse (const char *text, gssize len, guint flags, GError **error);

/** fr_json_to_string: a tree as text with members in order; @indent 0 for one line; free with g_free(). */
char *fr_json_to_string (JsonNode *node, guint indent);

/** fr_json_append_string: @len bytes of UTF-8 as a JSON string with its quotes. */
void fr_json_append_string (GString *out, const char *text, gsize len);
/** fr_json_append_double: the shortest text that reads back equal; null when not finite. */
void fr_json_append_double (GString *out, double value);

G_END_DECLS

#endif
