/* SPDX-License-Identifier: Apache-2.0 */
/* rowkey.h: what makes two rows the same (libflowrun-text).
 *
 * A row key is some columns and a way to normalise their text.  Two rows are
 * the same when all these cells are: text after normalisation, numbers by
 * value, null only to null.  They are compared by 128-bit XXH3 hashes: among a
 * billion different rows, the chance that any two are taken for the same is
 * below 2^-69.
 */
#ifndef FLOWRUN_TEXT_ROWKEY_H
#define FLOWRUN_TEXT_ROWKEY_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

#include "text/runs.h"

G_BEGIN_DECLS

typedef struct _TextRowKey TextRowKey;

/**
 * text_normal_words: the TextNormal bits that words stand for: "none" (alone),
 * "unicode" (NFKC), "width", "case", "control", "space" (runs become one
 * blank), "all_space" (dropped), "punctuation" (dropped).
 * @wrong: the first word that is none of these, or "none" beside others; NULL when all is well
 */
guint text_normal_words (const char *const *words, const char **wrong);
/** text_normal_word_list: those words, NULL-terminated; static. */
const char *const *text_normal_word_list (void);

/**
 * text_row_key_new:
 * @columns: their names, all in @schema; NULL for every text column, or every column if none is
 * text
 * @how: TextNormal bits
 */
TextRowKey *text_row_key_new (const FrSchema *schema, const char *const *columns, guint how);
/** text_row_key_copy: the same key with a buffer and views of its own, for another thread. */
TextRowKey *text_row_key_copy (const TextRowKey *key);
void text_row_key_free (TextRowKey *key);
/** text_row_key_open: reads from @batch from now on; it must live until the next open. */
void text_row_key_open (TextRowKey *key, const FrBatch *batch);
TextKey text_row_key_hash (TextRowKey *key, gsize row, guint64 seed);
/** text_row_key_text: the normalised text of the key's text cells, one a line; valid until the next
 * call. */
FrStr text_row_key_text (TextRowKey *key, gsize row);
/** text_row_key_both: that text, and the hash of seed 0, for little more than one of them. */
FrStr text_row_key_both (TextRowKey *key, gsize row, TextKey *hash);
/** text_row_key_n_columns: how many columns it has; text_row_key_column(): which. */
guint text_row_key_n_columns (const TextRowKey *key);
guint text_row_key_column (const TextRowKey *key, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextRowKey, text_row_key_free)

G_END_DECLS

#endif
