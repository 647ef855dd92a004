/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: the most probable words of a piece of text.
 *
 * From the last character to the first: the best way from a character to the end is the best over
 * all words that begin there of the word's weight and the best way from where it ends.  Sums are
 * made in the order in which jieba makes them, and of equal ones the longer word wins, so that even
 * ties fall alike.
 */
#include "config.h"

#include <math.h>

#include "text/dictionary-private.h"

void
text_route_block (const TextDictionary *dictionary, const guint16 *codes, gsize n, double *scores,
                  guint32 *ends, guint32 *nodes)
{
  const TextTrie *trie = dictionary->trie;
  const TextTrieNode *all = trie->nodes;
  const guint32 n_nodes = trie->n_nodes, root = all[0].base;

  scores[n] = 0;
  for (gsize i = n; i-- > 0;)
    {
      double best = -INFINITY;
      guint32 end = 0, node = 0, at = 0, to = root + codes[i];

      for (gsize k = i; to < n_nodes && all[to].check == at && codes[k] != 0;)
        {
          at = to;
          k++;
          if (all[at].value.number != TEXT_TRIE_NONE)
            {
              double score = all[at].value.weight + scores[k];

              if (score >= best)
                {
                  best = score;
                  end = (guint32) k;
                  node = at;
                }
            }
          if (k == n)
            break;
          to = all[at].base + codes[k];
        }
      if (node == 0)
        {
          best = dictionary->unknown + scores[i + 1];
          end = (guint32) i + 1;
        }
      scores[i] = best;
      ends[i] = end;
      nodes[i] = node;
    }
}
