/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h: the names and types of a batch's columns.
 *
 * A field is a name, a type and, for lists and structs, child fields.  A
 * schema is an ordered set of fields with distinct names.  Both are immutable
 * and reference-counted; share them freely between threads.
 *
 * The types are flowrun's profile of Arrow: everything a record of text
 * needs, nothing more.  Every column may hold nulls.
 */
#ifndef FLOWRUN_SCHEMA_H
#define FLOWRUN_SCHEMA_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * FrType:
 *
 * The Arrow format string of each stands beside it.
 */
typedef enum {
  FR_TYPE_BOOL = 1,   /* "b"     one bit                                        */
  FR_TYPE_INT32,      /* "i"                                                    */
  FR_TYPE_INT64,      /* "l"                                                    */
  FR_TYPE_FLOAT32,    /* "f"                                                    */
  FR_TYPE_FLOAT64,    /* "g"                                                    */
  FR_TYPE_UTF8,       /* "u"     text, at most 2 GiB in one batch's column      */
  FR_TYPE_LARGE_UTF8, /* "U"     text with 64-bit offsets                       */
  FR_TYPE_BINARY,     /* "z"     bytes                                          */
  FR_TYPE_TIMESTAMP,  /* "tsu:UTC"  microseconds since 1970-01-01T00:00:00Z     */
  FR_TYPE_LIST,       /* "+l"    any number of one child                        */
  FR_TYPE_STRUCT      /* "+s"    one of each child                              */
} FrType;

/* A set of types, for ports and parameters that take several. */
#define FR_TYPES(type) (1u << (type))
#define FR_TYPES_TEXT (FR_TYPES (FR_TYPE_UTF8) | FR_TYPES (FR_TYPE_LARGE_UTF8))
#define FR_TYPES_INTEGER (FR_TYPES (FR_TYPE_INT32) | FR_TYPES (FR_TYPE_INT64))
#define FR_TYPES_FLOAT (FR_TYPES (FR_TYPE_FLOAT32) | FR_TYPES (FR_TYPE_FLOAT64))
#define FR_TYPES_NUMBER (FR_TYPES_INTEGER | FR_TYPES_FLOAT)
#define FR_TYPES_ANY 0u

typedef struct _FrField FrField;
typedef struct _FrSchema FrSchema;

/** fr_type_name: the word a pipeline file uses ("utf8", "int64", "list", ...); static. */
const char *fr_type_name (FrType type);

/** fr_type_from_name: the type of that name, or 0 when there is none. */
FrType fr_type_from_name (const char *name);

/** fr_types_describe: @types as words, "utf8 or large_utf8"; free with g_free(). */
char *fr_types_describe (guint types);

/**
 * fr_field_new: a field of any type but list and struct.
 * @name: copied; valid UTF-8; not empty at the top level
 */
FrField *fr_field_new (const char *name, FrType type);

/** fr_field_new_list: a list of @item (taken; its name is "item" by custom). */
FrField *fr_field_new_list (const char *name, FrField *item);

/** fr_field_new_struct: a struct of @n @children (each taken, the array is not). */
FrField *fr_field_new_struct (const char *name, FrField *const *children, guint n);

/** fr_field_renamed: a field of the same type under another name; a new reference. */
FrField *fr_field_renamed (FrField *field, const char *name);

FrField *fr_field_ref (FrField *field);
void fr_field_unref (FrField *field);
const char *fr_field_name (const FrField *field);
FrType fr_field_type (const FrField *field);
guint fr_field_n_children (const FrField *field);
/** fr_field_child: child @i, owned by @field. */
FrField *fr_field_child (const FrField *field, guint i);
/** fr_field_equal: same name, type and children. */
gboolean fr_field_equal (const FrField *a, const FrField *b);
/** fr_field_describe: the type as text, "list<struct<role: utf8, content: utf8>>"; free with g_free(). */
char *fr_field_describe (const FrField *field);
/** fr_field_parse: the inverse: a field called @name of the type that @type describes; NULL with FR_ERROR_CONFIG. */
FrField *fr_field_parse (const char *name, const char *type, GError **error);

/**
 * fr_schema_new:
 * @fields: @n fields, each taken (the array is not)
 * @error: FR_ERROR_TYPE when two fields share a name
 *
 * Returns a new schema, or NULL; the fields are consumed either way.
 */
FrSchema *fr_schema_new (FrField *const *fields, guint n, GError **error);

/**
 * fr_schema_new_simple: for tests and fixed outputs.
 * @first_name: a name, then its FrType, then the next name, ..., then NULL
 */
FrSchema *fr_schema_new_simple (const char *first_name, ...) G_GNUC_NULL_TERMINATED;

FrSchema *fr_schema_ref (FrSchema *schema);
void fr_schema_unref (FrSchema *schema);
guint fr_schema_n_fields (const FrSchema *schema);
/** fr_schema_field: field @i, owned by @schema. */
FrField *fr_schema_field (const FrSchema *schema, guint i);
/** fr_schema_find: the index of the field called @name, or -1. */
int fr_schema_find (const FrSchema *schema, const char *name);
/** fr_schema_find_len: the same for @len bytes of @name; quick when it is field @hint or the one after. */
int fr_schema_find_len (const FrSchema *schema, const char *name, gsize len, guint hint);
/** fr_schema_names: the names, in order; free with g_strfreev(). */
char **fr_schema_names (const FrSchema *schema);
gboolean fr_schema_equal (const FrSchema *a, const FrSchema *b);
/** fr_schema_describe: "name: utf8, price: float64"; free with g_free(). */
char *fr_schema_describe (const FrSchema *schema);
/**
 * fr_schema_parse: the inverse: "name: utf8, tags: list<utf8>".  A name that
 * holds anything but letters, digits, "_-." and non-ASCII characters stands in
 * quotes, as in JSON.  NULL with FR_ERROR_CONFIG.
 */
FrSchema *fr_schema_parse (const char *text, GError **error);

/** fr_schema_with: @schema with @field (taken) in place of the field of its name, or appended. */
FrSchema *fr_schema_with (const FrSchema *schema, FrField *field);
/** fr_schema_without: @schema less the field called @name, if there is one. */
FrSchema *fr_schema_without (const FrSchema *schema, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrField, fr_field_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrSchema, fr_schema_unref)

G_END_DECLS

#endif
