/* SPDX-License-Identifier: Apache-2.0 */
/* trie.h: words found in text, a character at a time (libflowrun-text).
 *
 * A double-array trie (Aoe 1989) over characters: characters that occur in words get small codes,
 * the frequent ones the smallest, and a step is one addition and one load.  Immutable after
 * text_trie_new(): one serves all threads.  Nothing is folded here: who looks words up in any case
 * or width gives words and text folded.
 */
#ifndef FLOWRUN_TEXT_TRIE_H
#define FLOWRUN_TEXT_TRIE_H

#include <flowrun/batch.h>
#include <glib.h>

#include "text/chars.h"

G_BEGIN_DECLS

/* A node holds 64 bits for its word; TEXT_TRIE_NONE: no word ends here. */
#define TEXT_TRIE_NONE G_MAXUINT64

/* A node: its children lie at base + code; a slot is a child of the node whose number its check
 * says. */
typedef struct
{
  guint32 base;
  guint32 check;
  union
  {
    guint64 number;
    double weight; /* for those who made the number of a double's bits */
  } value;
} TextTrieNode;

typedef struct
{
  TextTrieNode *nodes; /* the root is number 0 */
  guint32 n_nodes;
  guint32 n_codes;    /* codes are 1 ... n_codes; 0: not in any word */
  guint16 *codes;     /* of the characters below U+10000 */
  GHashTable *beyond; /* of the others; NULL: none */
  gsize max_chars;    /* of the longest word */
} TextTrie;

/**
 * text_trie_new:
 * @words: valid UTF-8, none empty; borrowed during the call.  Of equal words, the last one counts
 * @values: one for each
 *
 * Returns NULL with FR_ERROR_DATA when there are more than 65535 different characters, or more than
 * 2^28 characters in all.
 */
TextTrie *text_trie_new (const FrStr *words, const guint64 *values, gsize n, GError **error);
void text_trie_free (TextTrie *trie);

/** text_trie_code: the code of a character; 0: it stands in no word. */
static inline guint32
text_trie_code (const TextTrie *trie, gunichar c)
{
  if (G_LIKELY (c < 0x10000))
    return trie->codes[c];
  return trie->beyond != NULL
             ? GPOINTER_TO_UINT (g_hash_table_lookup (trie->beyond, GUINT_TO_POINTER (c)))
             : 0;
}

/** text_trie_step: from node @at by @code to a child; 0: there is none. */
static inline guint32
text_trie_step (const TextTrie *trie, guint32 at, guint32 code)
{
  guint32 to = trie->nodes[at].base + code;

  return to < trie->n_nodes && trie->nodes[to].check == at ? to : 0;
}

/** text_trie_find: the value of @word; TEXT_TRIE_NONE when it is not there. */
guint64 text_trie_find (const TextTrie *trie, FrStr word);

/** text_trie_longest: how many bytes the longest word takes with which @text begins; 0: none does.
 */
gsize text_trie_longest (const TextTrie *trie, FrStr text, guint64 *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextTrie, text_trie_free)

G_END_DECLS

#endif
