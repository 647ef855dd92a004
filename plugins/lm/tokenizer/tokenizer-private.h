/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer-private.h: the parts of a tokenizer, for the files of this folder.
 *
 *   classes.c   what kind of character a code point is
 *   utf8.c      invalid UTF-8, and the byte alphabet of byte-level BPE
 *   vocab.c     tokens, merges, byte-pair encoding of one piece
 *   added.c     finding added tokens in text
 *   scan.c      the families' patterns, written by hand
 *   regex.c     any other pattern, by PCRE2
 *   split.c     pre-tokenisers, from a piece of text to pieces
 *   read.c      tokenizer.json
 *   gguf.c      a GGUF's tokenizer, and writing one as tokenizer.json
 *   gguf-keys.c any tokenizer as a GGUF's metadata
 *   tokenizer.c the object: encode and decode
 */
#ifndef FLOWRUN_LM_TOKENIZER_PRIVATE_H
#define FLOWRUN_LM_TOKENIZER_PRIVATE_H

#include "lm/tokenizer.h"

G_BEGIN_DECLS

/* ---- classes.c: character classes ------------------------------------------------ */

enum
{
  LM_CLASS_L = 1 << 0,       /* \p{L}                                              */
  LM_CLASS_N = 1 << 1,       /* \p{N}                                              */
  LM_CLASS_M = 1 << 2,       /* \p{M}                                              */
  LM_CLASS_P = 1 << 3,       /* \p{P}                                              */
  LM_CLASS_S = 1 << 4,       /* \p{S}                                              */
  LM_CLASS_SPACE = 1 << 5,   /* \s: White_Space, which U+180E no longer is         */
  LM_CLASS_NUMERIC = 1 << 6, /* the Digits pre-tokeniser's: \p{N} of a later Unicode */
  LM_CLASS_COMPOSES = 1 << 7 /* NFC may change it or what stands before it         */
};

/* Blocks of 256 code points, equal ones shared. */
typedef struct
{
  guint16 block[0x1100];
  guint8 (*classes)[256];
  guint n_blocks;
} LmClasses;

/** lm_classes: the table, made at the first call. */
const LmClasses *lm_classes (void);

static inline guint
lm_class_of (const LmClasses *classes, guint32 c)
{
  return classes->classes[classes->block[c >> 8]][c & 255];
}

/* ---- utf8.c ---------------------------------------------------------------------- */

/** lm_utf8_get: the character at @s, which is valid UTF-8; *@next is where the following one
 * begins. */
static inline guint32
lm_utf8_get (const char *s, gsize at, gsize *next)
{
  const guint8 *p = (const guint8 *) s + at;

  if (p[0] < 0x80)
    return *next = at + 1, p[0];
  if (p[0] < 0xe0)
    return *next = at + 2, (guint32) (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
  if (p[0] < 0xf0)
    return *next = at + 3,
           (guint32) (p[0] & 0x0f) << 12 | (guint32) (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
  return *next = at + 4, (guint32) (p[0] & 0x07) << 18 | (guint32) (p[1] & 0x3f) << 12
                             | (guint32) (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

/** lm_utf8_before: where the character that ends at @at (> 0) begins. */
static inline gsize
lm_utf8_before (const char *s, gsize at)
{
  do
    at--;
  while (at > 0 && ((guint8) s[at] & 0xc0) == 0x80);
  return at;
}

/** lm_utf8_span: length of the valid UTF-8 at the beginning of @s. */
gsize lm_utf8_span (const char *s, gsize len);

/**
 * lm_utf8_append: appends @s with every maximal invalid piece as U+FFFD (Unicode 3.9, "substitution
 * of maximal subparts").
 * @whole: no more follows; else an unfinished character at the end is left
 * @n_replaced: is added to; may be NULL
 * Returns how many bytes were read.
 */
gsize lm_utf8_append (GString *out, const char *s, gsize len, gboolean whole, gsize *n_replaced);

/** lm_alphabet_read: @text in byte-level letters as bytes into @out (room for @len); FALSE when a
 * letter is none of the 256. */
gboolean lm_alphabet_read (const char *text, gsize len, char *out, gsize *n);
/** lm_alphabet_write: appends @bytes in byte-level letters. */
void lm_alphabet_write (GString *out, const char *bytes, gsize len);

/* ---- vocab.c --------------------------------------------------------------------- */

#define LM_VOCAB_MAX (1 << 21) /* ids below; pairs of them and a rank fit in a word */
#define LM_NO_RANK G_MAXUINT32

/* Flags of a token. */
enum
{
  LM_TOKEN_HERE = 1 << 0,   /* the id is taken                                         */
  LM_TOKEN_TEXT = 1 << 1,   /* holds a letter that is no byte: kept as its text        */
  LM_TOKEN_MODEL = 1 << 2,  /* in the model's vocabulary, not only an added token      */
  LM_TOKEN_ADDED = 1 << 3,  /* an added token                                          */
  LM_TOKEN_SPECIAL = 1 << 4 /* an added token that is special                          */
};

typedef struct _LmPieces LmPieces; /* pieces that were encoded before */

typedef struct
{
  const char *data;
  guint32 len;
  guint32 flags;
} LmToken;

typedef struct
{
  LmToken *tokens; /* by id */
  guint n_tokens;  /* highest id + 1 */
  guint n_model;   /* tokens in the model's vocabulary */
  GStringChunk *chunk;
  guint64 *names; /* hash table: hash << 32 | id + 1 */
  gsize names_mask, n_names;
  guint64 *pairs; /* hash table: left << 43 | right << 22 | rank, + 1 */
  gsize pairs_mask;
  guint32 *merged; /* by rank: the token that the pair becomes */
  guint64 *parts;  /* by rank: left << 32 | right */
  gsize n_merges;
  gint32 bytes[256];   /* id of a single byte; -1: none */
  guint32 *byte_pairs; /* by two bytes: rank or LM_NO_RANK */
  gboolean ignore_merges;
  LmPieces *pieces;
} LmVocab;

LmVocab *lm_vocab_new (void);
void lm_vocab_free (LmVocab *vocab);
/** lm_vocab_reserve: makes room for @n tokens (a guess). */
void lm_vocab_reserve (LmVocab *vocab, gsize n);
/** lm_vocab_add: token @id, written @text in byte-level letters; FALSE with what is wrong. */
gboolean lm_vocab_add (LmVocab *vocab, guint32 id, const char *text, gsize len, guint flags,
                       const char **fault);
/** lm_vocab_prefetch: @text will be looked for soon: the tables are larger than the caches. */
void lm_vocab_prefetch (const LmVocab *vocab, const char *text, gsize len);
/** lm_vocab_find: id of the token written @text; -1: none. */
gint32 lm_vocab_find (const LmVocab *vocab, const char *text, gsize len);
/** lm_vocab_text: appends the token as it is written in tokenizer.json. */
void lm_vocab_text (const LmVocab *vocab, guint32 id, GString *out);
/** lm_vocab_merge: the next merge by rank: of the first @cut letters of @text and the rest; FALSE
 * with what is wrong. */
gboolean lm_vocab_merge (LmVocab *vocab, const char *text, gsize cut, gsize len,
                         const char **fault);
/** lm_vocab_seal: after tokens and merges. */
gboolean lm_vocab_seal (LmVocab *vocab, const char **fault);
/** lm_vocab_encode: appends the ids of one piece; returns how many bytes were left out for having
 * no token. */
gsize lm_vocab_encode (LmVocab *vocab, const char *piece, gsize len, GArray *ids);

/* ---- added.c --------------------------------------------------------------------- */

typedef struct
{
  gint32 id;
  gboolean single_word, lstrip, rstrip, normalized, special;
  char *content;
} LmAdded;

typedef struct _LmTrie LmTrie;

LmTrie *lm_trie_new (void);
void lm_trie_free (LmTrie *trie);
gboolean lm_trie_is_empty (const LmTrie *trie);
/** lm_trie_add: @text stands for @value (>= 0); the last one of equal texts holds. */
void lm_trie_add (LmTrie *trie, const char *text, gsize len, gint32 value);
/** lm_trie_find: the leftmost, then longest, at or after @from; its value, or -1. */
gint32 lm_trie_find (const LmTrie *trie, const char *text, gsize len, gsize from, gsize *start,
                     gsize *end);

/* ---- scan.c, regex.c: patterns ----------------------------------------------------- */

/**
 * LmScan: finds the next match at or after @from in @text, which is the whole of what the pattern
 * sees. Matches are never empty.
 */
typedef gboolean (*LmScan) (const LmClasses *classes, const char *text, gsize len, gsize from,
                            gsize *start, gsize *end);

gboolean lm_scan_gpt2 (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_llama3 (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_qwen2 (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_digits3 (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_cjk (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_deepseek3 (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_digit (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);
gboolean lm_scan_digits (const LmClasses *, const char *, gsize, gsize, gsize *, gsize *);

/** LM_GPT2_PATTERN: what ByteLevel splits by. */
#define LM_GPT2_PATTERN                                                                            \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define LM_LLAMA3_PATTERN                                                                          \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "                       \
  "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"                                                                 \
  "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LM_QWEN2_PATTERN                                                                           \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "                            \
  "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"                                                                 \
  "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LM_DIGITS3_PATTERN "\\p{N}{1,3}"
#define LM_CJK_PATTERN "[一-龥぀-ゟ゠-ヿ]+"
#define LM_DEEPSEEK3_PATTERN                                                                       \
  "[!\"#$%&'()*+,\\-./"                                                                            \
  ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"                  \
  " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"

/** lm_scan_for: the hand-written scanner that finds what @pattern does, or NULL. */
LmScan lm_scan_for (const char *pattern);

typedef struct _LmRegex LmRegex;

/** lm_regex_new: @pattern is Oniguruma's; what PCRE2 would read differently is translated, or
 * refused by name. */
LmRegex *lm_regex_new (const char *pattern, GError **error);
void lm_regex_free (LmRegex *regex);

/* One thread's walk through one text. */
typedef struct
{
  const LmRegex *regex;
  gpointer match_data;
  gsize last_end;
  gboolean any; /* there was a match, which ended at last_end */
} LmRegexWalk;

void lm_regex_walk_init (LmRegexWalk *walk, const LmRegex *regex);
void lm_regex_walk_clear (LmRegexWalk *walk);
/** lm_regex_walk_next: 1: a match, which may be empty; 0: no more; -1: limits were met, @error is
 * set. */
int lm_regex_walk_next (LmRegexWalk *walk, const char *text, gsize len, gsize *start, gsize *end,
                        GError **error);

/* ---- split.c --------------------------------------------------------------------- */

typedef enum
{
  LM_BEHAVIOR_ISOLATED,
  LM_BEHAVIOR_REMOVED,
  LM_BEHAVIOR_MERGED_WITH_PREVIOUS,
  LM_BEHAVIOR_MERGED_WITH_NEXT,
  LM_BEHAVIOR_CONTIGUOUS
} LmBehavior;

/* One pre-tokeniser: cuts by scan, regex or literal (one of them), or not at all. */
typedef struct
{
  LmScan scan;
  LmRegex *regex;
  char *literal;
  gsize literal_len;
  LmBehavior behavior;
  gboolean invert;
  gboolean prefix_space; /* put a space before a piece that has none, first */
} LmSplit;

void lm_split_clear (LmSplit *split);

typedef gboolean (*LmPieceFunc) (const char *piece, gsize len, gpointer user, GError **error);

/** lm_split_run: @text through @n pre-tokenisers, each piece that comes out in order to @func. */
gboolean lm_split_run (const LmSplit *splits, guint n, const char *text, gsize len,
                       LmPieceFunc func, gpointer user, GError **error);

/* ---- the object -------------------------------------------------------------------- */

struct _LmTokenizer
{
  gint refs;
  char *name;
  LmVocab *vocab;
  LmAdded *added; /* in the order of the file */
  guint n_added;
  LmTrie *trie;      /* values are indices into added */
  LmTrie *trie_norm; /* of those that stand in normalised text */
  gboolean nfc;
  LmSplit *splits;
  guint n_splits;
  gint32 *prefix, *suffix; /* what the post-processor puts around */
  guint n_prefix, n_suffix;
  char *json; /* the bytes it was read from; NULL when from GGUF */
  gsize json_len;
  char *head;       /* GGUF: tokenizer.json with an empty vocabulary */
  JsonNode *config; /* GGUF: tokenizer_config.json */
};

/** lm_tokenizer_read: fills @t, whose vocabulary may hold tokens and merges already, from @data;
 * read.c. */
gboolean lm_tokenizer_read (LmTokenizer *t, const char *data, gsize len, GError **error);
/** lm_tokenizer_alloc: an empty one. */
LmTokenizer *lm_tokenizer_alloc (const char *name);
/** lm_tokenizer_gguf_json: the tokenizer.json of one that came from GGUF; gguf.c. */
char *lm_tokenizer_gguf_json (LmTokenizer *t, gsize *len);
/** lm_tokenizer_gguf_pre: what tokenizer.ggml.pre is for it: its pre-tokenisers are exactly those that
 * the name stands for; FR_ERROR_CONFIG; g_free(); gguf.c. */
char *lm_tokenizer_gguf_pre (LmTokenizer *t, GError **error);
/** lm_nfc_append: @text, valid UTF-8, in NFC; appends to @out only when it differs, and returns
 * whether it does. */
gboolean lm_nfc_append (const char *text, gsize len, GString *out);

G_END_DECLS

#endif
