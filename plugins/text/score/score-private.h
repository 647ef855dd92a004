/* SPDX-License-Identifier: Apache-2.0 */
/* score-private.h: how the files of the scorer work together.
 *
 *   units.c      text to tokens: the units of TextUnit
 *   western.c    13a, zh and Tercom's tokeniser
 *   cut.c        rouge-chinese's sentences
 *   porter.c     stemming for rouge-score's unit
 *   grams.c      n-grams of token numbers, counted in a trie kept in a hash table
 *   lcs.c        longest common subsequences, 64 cells at a time
 *   bleu.c chrf.c rouge.c ter.c   statistics of a row, score of statistics
 *   scorer.c     puts them together: layout of the statistics, figures, threads
 *
 * A token is a number: the code point where it is one character, a number of the space's dictionary
 * with SCORE_WORD set where it is more.  So equal tokens are equal numbers within one row, and no
 * n-gram is ever a string.
 */
#ifndef FLOWRUN_TEXT_SCORE_PRIVATE_H
#define FLOWRUN_TEXT_SCORE_PRIVATE_H

#include "text/chars.h"
#include "text/score.h"
#include "text/segment.h"

#define SCORE_WORD 0x80000000u
#define SCORE_EMPTY 0xffffffffu /* the empty token */
#define SCORE_MAX_ORDER 6

/* ---- tokens -------------------------------------------------------------------- */

/** ScoreTokens: a sequence of tokens that grows and is used again. */
typedef struct
{
  guint32 *ids;
  gsize n, room;
} ScoreTokens;

static inline void
score_tokens_add (ScoreTokens *tokens, guint32 id)
{
  if (G_UNLIKELY (tokens->n == tokens->room))
    {
      tokens->room = MAX (64, tokens->room * 2);
      tokens->ids = g_renew (guint32, tokens->ids, tokens->room);
    }
  tokens->ids[tokens->n++] = id;
}

/** ScoreDictionary: words of a row to numbers.  Emptied for each row by counting up @row. */
typedef struct
{
  guint32 hash, row;
  guint32 offset, len; /* in @bytes */
} ScoreWordSlot;

typedef struct
{
  ScoreWordSlot *slots;
  gsize n_slots, n_words;
  guint32 row;
  GString *bytes;
} ScoreDictionary;

void score_dictionary_init (ScoreDictionary *dictionary);
void score_dictionary_clear (ScoreDictionary *dictionary);
/** score_dictionary_next_row: forgets all words. */
void score_dictionary_next_row (ScoreDictionary *dictionary);
/** score_token: the number of a token: @len bytes of UTF-8, at least one. */
guint32 score_token (ScoreDictionary *dictionary, const char *data, gsize len);

/** ScoreStream: what a unit makes of texts; metrics with like settings share one. */
typedef struct
{
  TextUnit unit;
  gboolean lowercase;
  gboolean stem;  /* english alone */
  gboolean blank; /* char alone: white space counts as characters, nothing is trimmed */
  gboolean cut;   /* char, words, none: into sentences as rouge-chinese does */
} ScoreStream;

/** ScoreText: buffers and iterators to read text with. */
typedef struct
{
  ScoreDictionary dictionary;
  TextSegmenter *segmenter; /* where a unit is words */
  GArray *segments;
  GString *lower, *a, *b;
} ScoreText;

void score_text_init (ScoreText *text);
void score_text_clear (ScoreText *text);

/** score_tokenise: appends the tokens of @s to @tokens. */
void score_tokenise (ScoreText *text, const ScoreStream *stream, FrStr s, ScoreTokens *tokens);

/** score_lowercase: @s in Python's lower case, in text->lower where that differs from @s. */
FrStr score_lowercase (ScoreText *text, FrStr s);

/** score_is_space: whether Python's str.split() splits at @c. */
static inline gboolean
score_is_space (gunichar c)
{
  if (c < 0x80)
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028
         || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/** score_space_at: length of the white space at @p, which is before @end; 0: there is none. */
static inline gsize
score_space_at (const char *p, const char *end)
{
  const guchar *s = (const guchar *) p;
  const char *after = p;

  if (s[0] < 0x80)
    return score_is_space (s[0]);
  if (s[0] != 0xc2 && (s[0] < 0xe1 || s[0] > 0xe3))
    return 0;
  if (after >= end || !score_is_space (text_next_char (&after)))
    return 0;
  return (gsize) (after - p);
}

/** score_char_len: bytes of the character at @p. */
static inline gsize
score_char_len (const char *p)
{
  return (gsize) (g_utf8_next_char (p) - p);
}

/** score_next_word: finds the next run of bytes from *@p on without white space; FALSE at @end. */
gboolean score_next_word (const char **p, const char *end, FrStr *word);

/** score_add_words: appends what stands between white space. */
void score_add_words (ScoreText *text, const char *p, const char *end, ScoreTokens *tokens);

/** score_strip: @s without white space at either end; score_strip_end: at its end. */
FrStr score_strip (FrStr s);
FrStr score_strip_end (FrStr s);

/** score_is_chinese: whether zh (zh-fixed: @fixed) makes @c a token of its own. */
gboolean score_is_chinese (gunichar c, gboolean fixed);

/* One unit each; score_tokenise() calls them. */
void score_tokenise_13a (ScoreText *text, FrStr s, ScoreTokens *tokens);
void score_tokenise_zh (ScoreText *text, FrStr s, gboolean fixed, ScoreTokens *tokens);
void score_tokenise_cut (ScoreText *text, TextUnit unit, FrStr s, ScoreTokens *tokens);

typedef struct
{
  gboolean normalized, no_punct, asian_support, case_sensitive;
} ScoreTer;

/** score_tokenise_ter: Tercom's words. */
void score_tokenise_ter (ScoreText *text, const ScoreTer *ter, FrStr s, ScoreTokens *tokens);

/** score_porter: stems @len lower-case letters and digits in place; returns the new length.  There
 * is room for one more. */
gsize score_porter (char *word, gsize len);

/* ---- n-grams ----------------------------------------------------------------------- */

/** ScoreNode: an n-gram: its counts. */
typedef struct
{
  guint32 ref;  /* in the reference being read, or the most in any reference */
  guint32 hyp;  /* in the hypothesis, so far */
  guint32 last; /* scratch: the count in one of several references */
} ScoreNode;

typedef struct
{
  guint64 key; /* node of the n-gram without its last token, and that token */
  guint32 row;
  guint32 node;
} ScoreEdge;

/** ScoreGrams: a trie of n-grams.  Node 0 is the empty one. */
typedef struct
{
  ScoreEdge *edges;
  gsize n_edges;
  ScoreNode *nodes;
  guint32 n_nodes, room;
  guint32 row;
} ScoreGrams;

void score_grams_init (ScoreGrams *grams);
void score_grams_clear (ScoreGrams *grams);
/** score_grams_reset: forgets all n-grams. */
void score_grams_reset (ScoreGrams *grams);
/** score_grams_find: the node of @parent and then @token; 0: there is none. */
guint32 score_grams_find (const ScoreGrams *grams, guint32 parent, guint32 token);
/** score_grams_take: the same, made if need be. */
guint32 score_grams_take (ScoreGrams *grams, guint32 parent, guint32 token);
/** score_grams_add_reference: counts the n-grams of orders 1 to @max_order in @tokens into ref. */
void score_grams_add_reference (ScoreGrams *grams, const ScoreTokens *tokens, guint max_order);
/** score_grams_add_another: the same of a further reference: ref becomes the larger count. */
void score_grams_add_another (ScoreGrams *grams, const ScoreTokens *tokens, guint max_order);
/** score_grams_match: adds to @matches[order - 1] the clipped matches of @tokens. */
void score_grams_match (ScoreGrams *grams, const ScoreTokens *tokens, guint max_order,
                        guint64 *matches);

/** score_n_grams: n-grams in @n tokens. */
static inline guint64
score_n_grams (gsize n, guint order)
{
  return n >= order ? n - order + 1 : 0;
}

/* ---- longest common subsequences ------------------------------------------------------ */

/** ScoreLcs: space for them.  @nodes of tokens are unigram nodes of the reference in a ScoreGrams;
 * 0: the token is not in it. */
typedef struct
{
  guint64 *row, *mask, *rows;
  gsize n_words, n_rows;
  guint32 *head, *next;
  gsize n_head, n_next;
} ScoreLcs;

void score_lcs_clear (ScoreLcs *lcs);
/** score_lcs_length: of two sequences of nodes; @n_nodes is above every node. */
gsize score_lcs_length (ScoreLcs *lcs, const guint32 *a, gsize n_a, const guint32 *b, gsize n_b,
                        guint32 n_nodes);
/** score_lcs_mark: sets @marks[i] for each of the @n_ref places i of one longest subsequence of
 * @ref with @hyp: that which rouge-score's walk back from the end finds. */
void score_lcs_mark (ScoreLcs *lcs, const guint32 *ref, gsize n_ref, const guint32 *hyp,
                     gsize n_hyp, guint32 n_nodes, guint8 *marks);

/* ---- space of a call -------------------------------------------------------------------- */

/** ScoreSpace: everything one call of text_scorer_row() works with. */
typedef struct
{
  ScoreText text;
  ScoreGrams grams;
  ScoreLcs lcs;
  ScoreTokens *hyp;  /* by stream */
  ScoreTokens *refs; /* by stream and reference: refs[stream * n_refs_room + i] */
  gsize n_streams, n_refs_room;
  ScoreTokens chars, other, words; /* chrF, Lsum */
  ScoreTokens ref_nodes, hyp_nodes;
  ScoreTokens ref_lines, hyp_lines; /* ends of lines */
  guint8 *table;                    /* TER's */
  gsize n_table;
  guint32 *counts[2];
  gsize n_counts;
  guint8 *marks;
  gsize n_marks;
} ScoreSpace;

/** ScoreRow: the texts of a row and their tokens. */
typedef struct
{
  FrStr hyp;
  const FrStr *refs;
  gsize n_refs;
  ScoreSpace *space;
} ScoreRow;

static inline const ScoreTokens *
score_row_hyp (const ScoreRow *row, guint stream)
{
  return &row->space->hyp[stream];
}

static inline const ScoreTokens *
score_row_ref (const ScoreRow *row, guint stream, gsize i)
{
  return &row->space->refs[stream * row->space->n_refs_room + i];
}

/** score_nearest_length: of the references' lengths the nearest to the hypothesis', the shorter of
 * two. */
gsize score_nearest_length (const ScoreRow *row, guint stream);

/* ---- metrics -------------------------------------------------------------------------------- */

enum
{
  SCORE_BLEU_ORDER = 4,
  SCORE_BLEU_STATS = 2 + 2 * SCORE_BLEU_ORDER, /* lengths; matches; n-grams */
  SCORE_CHRF_CHARS = 6,
  SCORE_CHRF_WORDS = 2
};

typedef struct
{
  double score, precisions[SCORE_BLEU_ORDER], bp;
} ScoreBleu;

void score_bleu_row (const ScoreRow *row, guint stream, double *stats);
void score_bleu (const double *stats, TextSmooth smooth, double value, gboolean effective_order,
                 ScoreBleu *bleu);
/** score_bleu_nltk: of a row's statistics, 0 to 100. */
double score_bleu_nltk (const double *stats, TextSmooth smooth);
/** score_bleu_smooth_value: @value, or where it is negative what @smooth takes by itself. */
double score_bleu_smooth_value (TextSmooth smooth, double value);

typedef struct
{
  guint words; /* order of words: 0 or 2 */
  guint beta;
  gboolean lowercase, whitespace, eps_smoothing;
} ScoreChrf;

/** score_chrf_row: @stats: 3 for each order: n-grams of the hypothesis, of the reference, matches.
 */
void score_chrf_row (const ScoreRow *row, const ScoreChrf *chrf, double *stats);
double score_chrf (const double *stats, const ScoreChrf *chrf);

enum
{
  SCORE_ROUGE_1,
  SCORE_ROUGE_2,
  SCORE_ROUGE_L,
  SCORE_ROUGE_LSUM,
  SCORE_N_ROUGE
};

typedef struct
{
  double f, p, r;
} ScoreFpr;

/** score_rouge_row: @which: bits 1 << SCORE_ROUGE_...; @scores: SCORE_N_ROUGE of them. */
void score_rouge_row (const ScoreRow *row, guint stream, const ScoreStream *how, TextRougeKind kind,
                      guint which, ScoreFpr *scores);

/** score_ter_row: @stats: edits, mean length of the references. */
void score_ter_row (const ScoreRow *row, const ScoreTer *ter, double *stats);

#endif
