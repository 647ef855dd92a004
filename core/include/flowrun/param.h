/* SPDX-License-Identifier: Apache-2.0 */
/* param.h: the parameter table of an element.
 *
 * One row per parameter, and the row is the only truth: from it come parsing
 * and defaults, the messages for wrong values, `flowrun help`, the parameter
 * section of the manual page, the JSON Schema, shell completion and the fuzz
 * dictionary.  The core fills the element's config structure from the table
 * and frees it again; an element never parses parameters itself.
 *
 * In C, write rows with the macros below: they check at compile time that the
 * field has the type its row promises.
 *
 *     typedef struct {
 *       char *column;
 *       gint64 min_chars;
 *       gboolean invert;
 *     } Config;
 *
 *     static const FrParam *const params[] = {
 *       FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT,
 *                        "the text to look at", .flags = FR_PARAM_REQUIRED),
 *       FR_PARAM_INT ("min_chars", Config, min_chars, 0, G_MAXINT32,
 *                     "shorter rows are dropped", .def = "10", .unit = "characters"),
 *       FR_PARAM_BOOL ("invert", Config, invert, "drop what would be kept"),
 *       NULL
 *     };
 */
#ifndef FLOWRUN_PARAM_H
#define FLOWRUN_PARAM_H

#include <flowrun/schema.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * FrParamType:
 *
 * What a parameter holds, with the C type of its field in the config
 * structure.  The field of a parameter that is absent and has no default is
 * all zero bits.
 */
typedef enum {
  FR_PARAM_TYPE_BOOL = 1, /* gboolean                                                   */
  FR_PARAM_TYPE_INT,      /* gint64, within [min, max]                                   */
  FR_PARAM_TYPE_FLOAT,    /* double, within [min, max]; JSON integers are welcome        */
  FR_PARAM_TYPE_STRING,   /* char *                                                      */
  FR_PARAM_TYPE_ENUM,     /* int: the value of the chosen FrEnumValue                    */
  FR_PARAM_TYPE_SIZE,     /* guint64 bytes: 4096 or "64MiB", "2GB", "512k"               */
  FR_PARAM_TYPE_DURATION, /* gint64 microseconds: "250ms", "30s", "2h"; a number: seconds */
  FR_PARAM_TYPE_PATH,     /* char *: absolute, or "-"; in the file relative to the file  */
  FR_PARAM_TYPE_PATHS,    /* char **: one or many, each a path or a glob                  */
  FR_PARAM_TYPE_COLUMN,   /* char *: a column of the first input, checked by the core    */
  FR_PARAM_TYPE_COLUMNS,  /* char **: one or many of those                               */
  FR_PARAM_TYPE_STRINGS,  /* char **: one or many                                        */
  FR_PARAM_TYPE_MAP,      /* FrPair *: an object of strings, in order, ended by key NULL */
  FR_PARAM_TYPE_JSON      /* JsonNode *: any value, constrained by `schema`              */
} FrParamType;

typedef enum {
  FR_PARAM_REQUIRED = 1 << 0,
  FR_PARAM_SECRET = 1 << 1,   /* STRING only: given as {"env": NAME} or {"file": PATH}, never shown      */
  FR_PARAM_READS = 1 << 2,    /* PATH(S): the stage reads it; its content is part of the fingerprint    */
  FR_PARAM_WRITES = 1 << 3,   /* PATH: the stage writes it                                              */
  FR_PARAM_NO_RESULT = 1 << 4 /* cannot change what comes out (threads, time-outs): not fingerprinted    */
} FrParamFlags;

/** FrPair: one member of a MAP parameter. */
typedef struct {
  char *key;
  char *value;
} FrPair;

/** FrEnumValue: one word that an ENUM parameter takes. */
typedef struct {
  gsize size;
  const char *word;
  int value;
  const char *help; /* one line */
} FrEnumValue;

/**
 * FrParam:
 * @size: sizeof (FrParam), for versions to come
 * @key: as written in the pipeline file
 * @type: see FrParamType
 * @flags: see FrParamFlags
 * @help: one line, no full stop
 * @offset: of the field in the config structure
 * @width: of that field in bytes
 * @def: default as it would be written, without quotes for words ("utf-8", "64MiB", "true"), JSON for the rest; NULL for none
 * @min, @max: for INT and FLOAT, inclusive; checked when they differ
 * @values: for ENUM, NULL-terminated
 * @types: for COLUMN(S), the set of types accepted (FR_TYPES_ANY: all)
 * @unit: "rows", "characters", ...; NULL for none
 * @pattern: for STRING(S) and MAP values, an anchored regular expression (ECMA 262 and PCRE2 agree on it); NULL for none
 * @schema: for JSON, a JSON Schema (text) of the value; NULL for none
 * @details: more help, Markdown; NULL for none
 * @example: a value as JSON; NULL for none
 * @deprecated: what to use instead; the parameter still works and warns; NULL for none
 */
typedef struct {
  gsize size;
  const char *key;
  FrParamType type;
  guint flags;
  const char *help;
  gsize offset;
  gsize width;
  const char *def;
  double min, max;
  const FrEnumValue *const *values;
  guint types;
  const char *unit;
  const char *pattern;
  const char *schema;
  const char *details;
  const char *example;
  const char *deprecated;
} FrParam;

/* The width of a field, and proof that it has the type promised: in C a wrong
 * type has no association in the selection and does not compile. */
#ifndef __cplusplus
#define FR_FIELD_WIDTH(Config, field, Type) \
  _Generic (((Config *) 0)->field, Type : sizeof (Type))

#define FR_PARAM_ROW(key_, Config, field, Type, type_, help_, ...)               \
  (&(const FrParam) { .size = sizeof (FrParam), .key = (key_), .type = (type_), \
                      .help = (help_),                                          \
                      .offset = G_STRUCT_OFFSET (Config, field),                \
                      .width = FR_FIELD_WIDTH (Config, field, Type),            \
                      __VA_ARGS__ })

#define FR_PARAM_BOOL(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, gboolean, FR_PARAM_TYPE_BOOL, __VA_ARGS__, )
#define FR_PARAM_INT(key, Config, field, low, high, ...)                           \
  FR_PARAM_ROW (key, Config, field, gint64, FR_PARAM_TYPE_INT, __VA_ARGS__, .min = (low), \
                .max = (high))
#define FR_PARAM_FLOAT(key, Config, field, low, high, ...)                           \
  FR_PARAM_ROW (key, Config, field, double, FR_PARAM_TYPE_FLOAT, __VA_ARGS__, .min = (low), \
                .max = (high))
#define FR_PARAM_STRING(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, char *, FR_PARAM_TYPE_STRING, __VA_ARGS__, )
#define FR_PARAM_ENUM(key, Config, field, enum_values, ...) \
  FR_PARAM_ROW (key, Config, field, int, FR_PARAM_TYPE_ENUM, __VA_ARGS__, .values = (enum_values))
#define FR_PARAM_SIZE(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, guint64, FR_PARAM_TYPE_SIZE, __VA_ARGS__, )
#define FR_PARAM_DURATION(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, gint64, FR_PARAM_TYPE_DURATION, __VA_ARGS__, )
#define FR_PARAM_PATH(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, char *, FR_PARAM_TYPE_PATH, __VA_ARGS__, )
#define FR_PARAM_PATHS(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, char **, FR_PARAM_TYPE_PATHS, __VA_ARGS__, )
#define FR_PARAM_COLUMN(key, Config, field, column_types, ...) \
  FR_PARAM_ROW (key, Config, field, char *, FR_PARAM_TYPE_COLUMN, __VA_ARGS__, .types = (column_types))
#define FR_PARAM_COLUMNS(key, Config, field, column_types, ...) \
  FR_PARAM_ROW (key, Config, field, char **, FR_PARAM_TYPE_COLUMNS, __VA_ARGS__, .types = (column_types))
#define FR_PARAM_STRINGS(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, char **, FR_PARAM_TYPE_STRINGS, __VA_ARGS__, )
#define FR_PARAM_MAP(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, FrPair *, FR_PARAM_TYPE_MAP, __VA_ARGS__, )
#define FR_PARAM_JSON(key, Config, field, ...) \
  FR_PARAM_ROW (key, Config, field, JsonNode *, FR_PARAM_TYPE_JSON, __VA_ARGS__, )

#define FR_ENUM(word_, value_, help_) \
  (&(const FrEnumValue) { sizeof (FrEnumValue), (word_), (value_), (help_) })
#endif /* !__cplusplus */

G_END_DECLS

#endif
