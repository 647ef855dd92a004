/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.h: text to token ids and back, as tokenizer.json says.
 *
 * Follows huggingface/tokenizers: added tokens, normaliser, pre-tokeniser,
 * byte-level BPE, post-processor, decoder.  The ids are those that it gives.  A
 * component that is not known is refused by name.  A tokenizer is immutable
 * and may be used by many threads at once.
 */
#ifndef FLOWRUN_LM_TOKENIZER_H
#define FLOWRUN_LM_TOKENIZER_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/checkpoint.h"

G_BEGIN_DECLS

typedef struct _LmTokenizer LmTokenizer;

/** lm_tokenizer_new_json: tokenizer.json's bytes; @name for messages. */
LmTokenizer *lm_tokenizer_new_json (const char *name, const char *data, gsize len, GError **error);
/** lm_tokenizer_new_gguf: from a GGUF's own tokens and merges (tokenizer.ggml.*). */
LmTokenizer *lm_tokenizer_new_gguf (LmWeightFile *file, GError **error);
LmTokenizer *lm_tokenizer_ref (LmTokenizer *tokenizer);
void lm_tokenizer_unref (LmTokenizer *tokenizer);

/** lm_tokenizer_to_json: tokenizer.json: the very bytes it was read from, or, from GGUF, an equivalent one that `tokenizers` loads; g_free(). */
char *lm_tokenizer_to_json (LmTokenizer *tokenizer, gsize *len);
/** lm_tokenizer_config_json: tokenizer_config.json made from GGUF metadata; NULL when read from tokenizer.json. */
JsonNode *lm_tokenizer_config_json (LmTokenizer *tokenizer);

/**
 * LmGgufTokens: what a GGUF says of tokens besides the tokenizer: ids, -1 for none.
 * @n_tokens: size of the vocabulary: ids the tokenizer has not are "[PADn]"
 */
typedef struct {
  guint n_tokens;
  gint32 bos, eos, eot, padding, unknown;
} LmGgufTokens;

/**
 * lm_gguf_keys_set_tokenizer: tokenizer.ggml.*: tokens, kinds, merges, ids, and `pre`, which is told from how the tokenizer
 * cuts text, never guessed.  FR_ERROR_CONFIG: no `pre` stands for it, or GGUF cannot hold it.
 */
gboolean lm_gguf_keys_set_tokenizer (LmGgufKeys *keys, LmTokenizer *tokenizer,
                                     const LmGgufTokens *tokens, GError **error);

guint lm_tokenizer_n_tokens (LmTokenizer *tokenizer);
/** lm_tokenizer_find: id of the token written @text exactly ("<|im_end|>"); -1: none. */
gint32 lm_tokenizer_find (LmTokenizer *tokenizer, const char *text);
gboolean lm_tokenizer_is_special (LmTokenizer *tokenizer, gint32 id);
/** lm_tokenizer_bytes: the bytes that @id stands for; data NULL for an id that has none. */
FrStr lm_tokenizer_bytes (LmTokenizer *tokenizer, gint32 id);

typedef enum {
  LM_ENCODE_SPECIAL = 1 << 0, /* run the post-processor (bos and the like); never for a rendered chat template      */
  LM_ENCODE_PLAIN = 1 << 1    /* special tokens written in the text are plain text (a user's words)                 */
} LmEncodeFlags;

/**
 * lm_tokenizer_encode: appends the ids (gint32) of @text to @ids.
 * Invalid UTF-8: each maximal invalid piece is read as U+FFFD, as Python's errors="replace" does.  Bytes that the vocabulary has no
 * token for (SmolLM2 lacks some control characters) are left out, as `tokenizers` does.  *@n_replaced (may be NULL) counts both.
 * @error: FR_ERROR_DATA when the pattern's limits were met
 */
gboolean lm_tokenizer_encode (LmTokenizer *tokenizer, const char *text, gsize len, guint flags,
                              GArray *ids, gsize *n_replaced, GError **error);

/** lm_tokenizer_decode: all of it; @skip_special leaves special tokens out; invalid UTF-8 becomes U+FFFD; g_free(). */
char *lm_tokenizer_decode (LmTokenizer *tokenizer, const gint32 *ids, gsize n, gboolean skip_special);

/* Incremental decoding: never gives half a character away. */
typedef struct _LmDetokenizer LmDetokenizer;
LmDetokenizer *lm_detokenizer_new (LmTokenizer *tokenizer, gboolean skip_special);
/** lm_detokenizer_push: appends to @out what is certain now. */
void lm_detokenizer_push (LmDetokenizer *d, gint32 id, GString *out);
/** lm_detokenizer_finish: the rest; an incomplete character becomes U+FFFD. */
void lm_detokenizer_finish (LmDetokenizer *d, GString *out);
void lm_detokenizer_free (LmDetokenizer *d);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmTokenizer, lm_tokenizer_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDetokenizer, lm_detokenizer_free)

G_END_DECLS

#endif
