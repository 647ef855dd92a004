/* SPDX-License-Identifier: Apache-2.0 */
/* trie.c: see trie.h.
 *
 * Words are sorted by their codes, so that a node is a range of words with a common beginning.
 * Nodes are placed breadth first: those with many children come early, while there is room, and the
 * many with one child fill the gaps between them.  Free slots are a list; a node with several
 * children looks at a few of them and then goes to the end.
 */
#include "config.h"

#include "text/trie.h"

#include <flowrun/error.h>
#include <string.h>

/* Free slots that a node with several children tries. */
#define MAX_TRIES 256
#define FREE G_MAXUINT32 /* check of a free slot; no node has this number */

/* ---- codes ---------------------------------------------------------------------------------- */

typedef struct
{
  gunichar c;
  guint32 n;
} Used;

static int
by_use (gconstpointer a, gconstpointer b)
{
  const Used *x = a, *y = b;

  if (x->n != y->n)
    return x->n > y->n ? -1 : 1;
  return x->c < y->c ? -1 : x->c > y->c;
}

static gboolean
give_codes (TextTrie *trie, const FrStr *words, gsize n, gsize *n_chars, GError **error)
{
  g_autofree guint32 **pages = g_new0 (guint32 *, 0x1100); /* counts, 256 characters a page */
  g_autoptr (GArray) used = g_array_new (FALSE, FALSE, sizeof (Used));

  *n_chars = 0;
  for (gsize i = 0; i < n; i++)
    {
      const char *p = words[i].data, *end = p + words[i].len;
      gsize len = 0;

      for (; p < end; len++)
        {
          gunichar c = text_next_char (&p);

          if (pages[c >> 8] == NULL)
            pages[c >> 8] = g_new0 (guint32, 256);
          pages[c >> 8][c & 255]++;
        }
      *n_chars += len;
      trie->max_chars = MAX (trie->max_chars, len);
    }
  for (guint page = 0; page < 0x1100; page++)
    {
      for (guint i = 0; pages[page] != NULL && i < 256; i++)
        if (pages[page][i] > 0)
          {
            Used one = { page << 8 | i, pages[page][i] };

            g_array_append_val (used, one);
          }
      g_free (pages[page]);
    }
  if (used->len > G_MAXUINT16 || *n_chars > 1u << 28)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "a word list may have 65535 different characters and 2^28 in all; this one has "
                   "%u and %" G_GSIZE_FORMAT,
                   used->len, *n_chars);
      return FALSE;
    }
  g_array_sort (used, by_use);
  trie->codes = g_new0 (guint16, 0x10000);
  trie->n_codes = used->len;
  for (guint i = 0; i < used->len; i++)
    {
      gunichar c = g_array_index (used, Used, i).c;

      if (c < 0x10000)
        trie->codes[c] = (guint16) (i + 1);
      else
        {
          if (trie->beyond == NULL)
            trie->beyond = g_hash_table_new (NULL, NULL);
          g_hash_table_insert (trie->beyond, GUINT_TO_POINTER (c), GUINT_TO_POINTER (i + 1));
        }
    }
  return TRUE;
}

/* ---- words, as codes and sorted ---------------------------------------------------------------
 */

typedef struct
{
  const guint16 *codes;
  guint32 len;
  guint32 word; /* its place in the caller's list */
} Key;

static int
by_codes (const void *a, const void *b)
{
  const Key *x = a, *y = b;
  guint32 len = MIN (x->len, y->len);

  for (guint32 i = 0; i < len; i++)
    if (x->codes[i] != y->codes[i])
      return x->codes[i] < y->codes[i] ? -1 : 1;
  if (x->len != y->len)
    return x->len < y->len ? -1 : 1;
  return x->word < y->word ? -1 : 1;
}

static gsize
make_keys (const TextTrie *trie, const FrStr *words, gsize n, guint16 *codes, Key *keys)
{
  gsize kept = 0;

  for (gsize i = 0; i < n; i++)
    {
      const char *p = words[i].data, *end = p + words[i].len;

      keys[i] = (Key){ .codes = codes, .word = (guint32) i };
      while (p < end)
        *codes++ = (guint16) text_trie_code (trie, text_next_char (&p));
      keys[i].len = (guint32) (codes - keys[i].codes);
    }
  if (n > 1)
    qsort (keys, n, sizeof *keys, by_codes);
  /* Of equal words, the last. */
  for (gsize i = 0; i < n; i++)
    if (i + 1 == n || keys[i].len != keys[i + 1].len
        || memcmp (keys[i].codes, keys[i + 1].codes, keys[i].len * sizeof *codes) != 0)
      keys[kept++] = keys[i];
  return kept;
}

/* ---- placing ------------------------------------------------------------------------------------
 */

/* Words [lo, hi) begin alike for @depth characters; their node is number @node. */
typedef struct
{
  guint32 lo, hi, depth, node;
} Range;

typedef struct
{
  GArray *nodes;         /* TextTrieNode */
  GArray *next, *before; /* guint32: the list of free slots, in order; slot 0 is its head */
  GArray *queue;         /* Range */
  guint32 end;           /* after the last slot in use */
} Builder;

#define AT(array, i) g_array_index (array, guint32, i)
#define NODE(b, i) g_array_index ((b)->nodes, TextTrieNode, i)

static void
grow (Builder *b, guint32 to)
{
  guint32 from = b->nodes->len;

  if (to <= from)
    return;
  to = MAX (to, from + from / 4 + 1024);
  g_array_set_size (b->nodes, to);
  g_array_set_size (b->next, to);
  g_array_set_size (b->before, to);
  for (guint32 i = from; i < to; i++)
    {
      guint32 last = AT (b->before, 0);

      NODE (b, i) = (TextTrieNode){ .check = FREE, .value.number = TEXT_TRIE_NONE };
      AT (b->before, i) = last;
      AT (b->next, i) = 0;
      AT (b->next, last) = i;
      AT (b->before, 0) = i;
    }
}

static void
take (Builder *b, guint32 slot, guint32 parent)
{
  guint32 before = AT (b->before, slot), next = AT (b->next, slot);

  AT (b->next, before) = next;
  AT (b->before, next) = before;
  NODE (b, slot).check = parent;
  b->end = MAX (b->end, slot + 1);
}

static gboolean
fits (Builder *b, guint32 base, const guint16 *codes, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      guint32 slot = base + codes[i];

      /* Slot 0 is the root's; beyond the end all is free. */
      if (slot == 0 || slot > G_MAXINT32 || (slot < b->nodes->len && NODE (b, slot).check != FREE))
        return FALSE;
    }
  return TRUE;
}

/* A base that leaves every code (@n of them, rising) a free slot. */
static guint32
find_base (Builder *b, const guint16 *codes, guint n)
{
  guint32 slot = AT (b->next, 0);

  for (guint tries = 0; slot != 0 && tries < MAX_TRIES; tries++, slot = AT (b->next, slot))
    if (fits (b, slot - codes[0], codes, n))
      return slot - codes[0];
  /* After the last slot in use nothing is in the way. */
  slot = b->end;
  return slot - codes[0] > G_MAXINT32 ? slot : slot - codes[0];
}

static void
place (Builder *b, const Key *keys, const guint64 *values, Range range, GArray *codes)
{
  guint32 base, lo = range.lo;

  if (keys[lo].len == range.depth)
    NODE (b, range.node).value.number = values[keys[lo++].word];
  g_array_set_size (codes, 0);
  for (guint32 i = lo; i < range.hi; i++)
    if (i == lo || keys[i].codes[range.depth] != keys[i - 1].codes[range.depth])
      g_array_append_val (codes, keys[i].codes[range.depth]);
  if (codes->len == 0)
    return;
  base = find_base (b, (const guint16 *) (gpointer) codes->data, codes->len);
  NODE (b, range.node).base = base;
  for (guint k = 0; k < codes->len; k++)
    {
      guint16 code = g_array_index (codes, guint16, k);
      Range child = { lo, lo, range.depth + 1, base + code };

      while (child.hi < range.hi && keys[child.hi].codes[range.depth] == code)
        child.hi++;
      lo = child.hi;
      grow (b, child.node + 1);
      take (b, child.node, range.node);
      g_array_append_val (b->queue, child);
    }
}

static void
build (TextTrie *trie, const Key *keys, gsize n, const guint64 *values)
{
  Builder b
      = { g_array_new (FALSE, FALSE, sizeof (TextTrieNode)),
          g_array_new (FALSE, TRUE, sizeof (guint32)), g_array_new (FALSE, TRUE, sizeof (guint32)),
          g_array_new (FALSE, FALSE, sizeof (Range)), 1 };
  g_autoptr (GArray) codes = g_array_new (FALSE, FALSE, sizeof (guint16));
  Range all = { 0, (guint32) n, 0, 0 };

  g_array_set_size (b.nodes, 1);
  g_array_set_size (b.next, 1);
  g_array_set_size (b.before, 1);
  NODE (&b, 0) = (TextTrieNode){ .check = FREE - 1, .value.number = TEXT_TRIE_NONE };
  grow (&b, trie->n_codes + 1);
  if (n > 0)
    g_array_append_val (b.queue, all);
  for (guint i = 0; i < b.queue->len; i++)
    place (&b, keys, values, g_array_index (b.queue, Range, i), codes);
  trie->n_nodes = b.nodes->len;
  trie->nodes = (TextTrieNode *) (gpointer) g_array_free (b.nodes, FALSE);
  g_array_unref (b.next);
  g_array_unref (b.before);
  g_array_unref (b.queue);
}

TextTrie *
text_trie_new (const FrStr *words, const guint64 *values, gsize n, GError **error)
{
  g_autoptr (TextTrie) trie = g_new0 (TextTrie, 1);
  g_autofree guint16 *codes = NULL;
  g_autofree Key *keys = NULL;
  gsize n_chars;

  if (!give_codes (trie, words, n, &n_chars, error))
    return NULL;
  codes = g_new (guint16, n_chars);
  keys = g_new (Key, n);
  build (trie, keys, make_keys (trie, words, n, codes, keys), values);
  return g_steal_pointer (&trie);
}

void
text_trie_free (TextTrie *trie)
{
  if (trie == NULL)
    return;
  g_free (trie->nodes);
  g_free (trie->codes);
  g_clear_pointer (&trie->beyond, g_hash_table_unref);
  g_free (trie);
}

/* ---- looking up ---------------------------------------------------------------------------------
 */

guint64
text_trie_find (const TextTrie *trie, FrStr word)
{
  guint64 value;

  return word.len > 0 && text_trie_longest (trie, word, &value) == word.len ? value
                                                                            : TEXT_TRIE_NONE;
}

gsize
text_trie_longest (const TextTrie *trie, FrStr text, guint64 *value)
{
  const char *p = text.data, *end = p + text.len;
  guint32 at = 0;
  gsize found = 0;

  while (p < end)
    {
      guint32 code = text_trie_code (trie, text_next_char (&p));

      if (code == 0 || (at = text_trie_step (trie, at, code)) == 0)
        break;
      if (trie->nodes[at].value.number == TEXT_TRIE_NONE)
        continue;
      found = (gsize) (p - text.data);
      *value = trie->nodes[at].value.number;
    }
  return found;
}
