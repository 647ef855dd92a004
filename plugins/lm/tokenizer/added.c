/* SPDX-License-Identifier: Apache-2.0 */
/* added.c: finding added tokens in text: the leftmost, and of those the longest.
 *
 * A trie over bytes; text is skipped by a table of the bytes that a token can
 * begin with.
 */
#include "config.h"

#include "tokenizer-private.h"

typedef struct
{
  guint8 byte;
  gint32 child, sibling; /* -1: none */
  gint32 value;          /* -1: no token ends here */
} Node;

struct _LmTrie
{
  GArray *nodes;
  gint32 first[256]; /* node of a first byte; -1: none */
};

LmTrie *
lm_trie_new (void)
{
  LmTrie *trie = g_new (LmTrie, 1);

  trie->nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  memset (trie->first, 0xff, sizeof trie->first);
  return trie;
}

void
lm_trie_free (LmTrie *trie)
{
  if (trie != NULL)
    g_array_unref (trie->nodes);
  g_free (trie);
}

gboolean
lm_trie_is_empty (const LmTrie *trie)
{
  return trie->nodes->len == 0;
}

static inline Node *
node (const LmTrie *trie, gint32 i)
{
  return &g_array_index (trie->nodes, Node, i);
}

static gint32
new_node (LmTrie *trie, guint8 byte, gint32 sibling)
{
  Node n = { byte, -1, sibling, -1 };

  g_array_append_val (trie->nodes, n);
  return (gint32) trie->nodes->len - 1;
}

static inline gint32
step (const LmTrie *trie, gint32 at, guint8 byte)
{
  gint32 i = node (trie, at)->child;

  while (i >= 0 && node (trie, i)->byte != byte)
    i = node (trie, i)->sibling;
  return i;
}

void
lm_trie_add (LmTrie *trie, const char *text, gsize len, gint32 value)
{
  const guint8 *p = (const guint8 *) text;
  gint32 at;

  if (len == 0)
    return;
  if (trie->first[p[0]] < 0)
    trie->first[p[0]] = new_node (trie, p[0], -1);
  at = trie->first[p[0]];
  for (gsize i = 1; i < len; i++)
    {
      gint32 next = step (trie, at, p[i]);

      if (next < 0)
        {
          next = new_node (trie, p[i], node (trie, at)->child);
          node (trie, at)->child = next;
        }
      at = next;
    }
  node (trie, at)->value = value;
}

gint32
lm_trie_find (const LmTrie *trie, const char *text, gsize len, gsize from, gsize *start, gsize *end)
{
  const guint8 *p = (const guint8 *) text;

  for (gsize i = from; i < len; i++)
    {
      gint32 at = trie->first[p[i]], value = -1;

      for (gsize j = i + 1; at >= 0; at = j < len ? step (trie, at, p[j]) : -1, j++)
        if (node (trie, at)->value >= 0)
          {
            value = node (trie, at)->value;
            *start = i;
            *end = j;
          }
      if (value >= 0)
        return value;
    }
  return -1;
}
