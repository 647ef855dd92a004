/* SPDX-License-Identifier: Apache-2.0 */
/* json-private.h: JSON with positions, and the pieces that rowjson.c shares
 * with the reader (internal).
 */
#ifndef FLOWRUN_JSON_PRIVATE_H
#define FLOWRUN_JSON_PRIVATE_H

#include <flowrun/error.h>
#include <flowrun/json.h>

G_BEGIN_DECLS

/**
 * FriJsonPlace:
 *
 * Where a value stood, and its key when it was a member (else 0); all from 1,
 * columns in characters.
 */
typedef struct
{
  guint line, column;
  guint key_line, key_column;
} FriJsonPlace;

/** FriJsonProblem: something wrong with the text, at a place, in the value @pointer (JSON Pointer).
 */
typedef struct
{
  guint line, column;
  char *pointer;
  char *message;
} FriJsonProblem;

/**
 * fri_json_parse_located:
 * @text: @len bytes (-1: up to NUL)
 * @places: gets JSON Pointer (char *) → FriJsonPlace *, for every value kept; "" is the whole; free
 * with g_hash_table_unref()
 * @problems: gets FriJsonProblem * in the order of the text; free with g_ptr_array_unref()
 *
 * Reads what fr_json_parse() reads, but goes on after what can be passed over:
 * duplicate keys (the first is kept), trailing, doubled and missing commas,
 * and characters that cannot be kept.  Returns the tree, or NULL when the text
 * broke off; it is sound only when @problems is empty.
 */
JsonNode *fri_json_parse_located (const char *text, gssize len, guint flags, GHashTable **places,
                                  GPtrArray **problems);

/** fri_json_append_pointer: appends "/" and @key escaped as RFC 6901 says. */
void fri_json_append_pointer (GString *pointer, const char *key);

/** fri_utf8_valid: how many of @len bytes are valid UTF-8 before the first fault (NUL is valid;
 * surrogates are not). */
gsize fri_utf8_valid (const char *text, gsize len);

/** fri_json_append_float: like fr_json_append_double(), but as few digits as a float32 needs. */
void fri_json_append_float (GString *out, float value);
/** fri_json_append_int: decimal digits. */
void fri_json_append_int (GString *out, gint64 value);

/* Faults that fri_json_reader_pass() can pass over, by their address. */
extern const char fri_json_trailing_comma[];
extern const char fri_json_double_comma[];
extern const char fri_json_missing_comma_object[];
extern const char fri_json_missing_comma_array[];

/** fri_json_reader_pass: after one of the faults above: goes on as if the comma were right. */
void fri_json_reader_pass (FrJsonReader *reader);

/** fri_json_walk: moves *@from to @at, counting lines and columns on the way. */
void fri_json_walk (const char **from, const char *at, guint *line, guint *column);

/**
 * fri_string_room: makes room for @n more bytes and returns where they go; the
 * caller then adds what it wrote to out->len and ends with fri_string_end().
 */
static inline char *
fri_string_room (GString *out, gsize n)
{
  if (G_UNLIKELY (out->allocated_len - out->len <= n))
    {
      gsize len = out->len;

      /* g_string_set_size() grows to a power of two and keeps the content. */
      g_string_set_size (out, len + n);
      out->len = len;
    }
  return out->str + out->len;
}

static inline void
fri_string_end (GString *out)
{
  out->str[out->len] = '\0';
}

G_END_DECLS

#endif
