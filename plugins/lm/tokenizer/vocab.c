/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.c: tokens and merges, and byte-pair encoding of one piece of text.
 *
 * Byte-pair encoding (Sennrich, Haddow, Birch 2016): the adjacent pair of the
 * lowest rank is merged, the leftmost on ties, until none is left.  A short
 * piece keeps the ranks of its pairs in an array; a long one in a heap, so that
 * a mebibyte of one letter takes n log n.
 *
 * Natural text repeats itself, so pieces that took merging are remembered: in a
 * table of pointers that only ever go from NULL to an entry, by compare and
 * swap.  Threads share it without locks, and an entry never changes.
 */
#include "config.h"

#include "tokenizer-private.h"

#define SMALL 192     /* bytes; longer pieces go to the heap */
#define PIECE_MAX 128 /* bytes; longer pieces are not remembered */
#define PIECE_SLOTS (1 << 17)
#define PIECE_WAYS 4

typedef struct
{
  guint32 hash;
  guint16 len, n_ids;
  gint32 ids[]; /* then the bytes */
} Entry;

struct _LmPieces
{
  Entry *slots[PIECE_SLOTS];
};

static inline guint64
mix (guint64 x)
{
  x *= G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return x ^ (x >> 32);
}

static guint64
hash_bytes (const char *s, gsize len)
{
  guint64 h = len, word;

  for (; len >= 8; s += 8, len -= 8)
    {
      memcpy (&word, s, 8);
      h = mix (h ^ word);
    }
  if (len > 0)
    {
      word = 0;
      memcpy (&word, s, len);
      h = mix (h ^ word);
    }
  return mix (h);
}

#define TEXT_SEED G_GUINT64_CONSTANT (0x5851f42d4c957f2d)

LmVocab *
lm_vocab_new (void)
{
  LmVocab *v = g_new0 (LmVocab, 1);

  v->chunk = g_string_chunk_new (1 << 18);
  v->names_mask = 1023;
  v->names = g_new0 (guint64, v->names_mask + 1);
  for (guint i = 0; i < 256; i++)
    v->bytes[i] = -1;
  return v;
}

void
lm_vocab_free (LmVocab *v)
{
  if (v == NULL)
    return;
  for (gsize i = 0; v->pieces != NULL && i < PIECE_SLOTS; i++)
    g_free (v->pieces->slots[i]);
  g_free (v->pieces);
  g_string_chunk_free (v->chunk);
  g_free (v->tokens);
  g_free (v->names);
  g_free (v->pairs);
  g_free (v->merged);
  g_free (v->parts);
  g_free (v->byte_pairs);
  g_free (v);
}

/* ---- tokens ------------------------------------------------------------------------ */

static gint32
find_name (const LmVocab *v, const char *s, gsize len, guint64 hash, guint flags)
{
  guint64 slot;

  for (gsize i = hash & v->names_mask; (slot = v->names[i]) != 0; i = (i + 1) & v->names_mask)
    if (slot >> 32 == hash >> 32)
      {
        const LmToken *t = &v->tokens[(guint32) slot - 1];

        if (t->len == len && (t->flags & LM_TOKEN_TEXT) == flags && memcmp (t->data, s, len) == 0)
          return (gint32) ((guint32) slot - 1);
      }
  return -1;
}

static inline guint64
hash_token (const LmToken *t)
{
  return hash_bytes (t->data, t->len) ^ (t->flags & LM_TOKEN_TEXT ? TEXT_SEED : 0);
}

static void
put_name (LmVocab *v, guint64 hash, guint32 id)
{
  gsize i = hash & v->names_mask;

  while (v->names[i] != 0)
    i = (i + 1) & v->names_mask;
  v->names[i] = (hash >> 32 << 32) | (id + 1);
}

static void
resize_names (LmVocab *v, gsize size)
{
  g_free (v->names);
  v->names = g_new0 (guint64, size);
  v->names_mask = size - 1;
  for (guint32 id = 0; id < v->n_tokens; id++)
    if (v->tokens[id].flags & LM_TOKEN_HERE)
      put_name (v, hash_token (&v->tokens[id]), id);
}

static gsize
power_above (gsize n)
{
  gsize size = 1024;

  while (size < n)
    size *= 2;
  return size;
}

void
lm_vocab_reserve (LmVocab *v, gsize n)
{
  gsize size = power_above (3 * MIN (n, LM_VOCAB_MAX) / 2);

  if (size > v->names_mask + 1)
    resize_names (v, size);
}

static void
room_for (LmVocab *v, guint32 id)
{
  gsize have = v->n_tokens == 0 ? 0 : power_above (v->n_tokens),
        need = power_above ((gsize) id + 1);

  if (need > have)
    {
      v->tokens = g_renew (LmToken, v->tokens, need);
      memset (v->tokens + have, 0, (need - have) * sizeof *v->tokens);
    }
  v->n_tokens = MAX (v->n_tokens, id + 1);
}

gboolean
lm_vocab_add (LmVocab *v, guint32 id, const char *text, gsize len, guint flags, const char **fault)
{
  g_autofree char *heap = len > 256 ? g_malloc (len) : NULL;
  char stack[256], *bytes = heap != NULL ? heap : stack;
  guint64 hash;
  gsize n = 0;
  LmToken *t;

  if (id >= LM_VOCAB_MAX)
    return *fault = "its id is above 2097151", FALSE;
  if (len > G_MAXINT32)
    return *fault = "it is too long", FALSE;
  if (!lm_alphabet_read (text, len, bytes, &n))
    {
      flags |= LM_TOKEN_TEXT;
      bytes = (char *) text;
      n = len;
    }
  hash = hash_bytes (bytes, n) ^ (flags & LM_TOKEN_TEXT ? TEXT_SEED : 0);
  if (find_name (v, bytes, n, hash, flags & LM_TOKEN_TEXT) >= 0)
    return *fault = "it is there twice", FALSE;
  if (id < v->n_tokens && v->tokens[id].flags & LM_TOKEN_HERE)
    return *fault = "its id is that of another token", FALSE;
  room_for (v, id);
  if (3 * (v->n_names + 1) / 2 > v->names_mask)
    resize_names (v, 2 * (v->names_mask + 1));
  t = &v->tokens[id];
  t->data = g_string_chunk_insert_len (v->chunk, bytes, (gssize) n);
  t->len = (guint32) n;
  t->flags = flags | LM_TOKEN_HERE;
  put_name (v, hash, id);
  v->n_names++;
  if (flags & LM_TOKEN_MODEL)
    v->n_model++;
  if (n == 1 && (flags & LM_TOKEN_TEXT) == 0 && flags & LM_TOKEN_MODEL)
    v->bytes[(guint8) bytes[0]] = (gint32) id;
  return TRUE;
}

void
lm_vocab_prefetch (const LmVocab *v, const char *text, gsize len)
{
  char bytes[256];
  gsize n = 0;

  if (len <= sizeof bytes && lm_alphabet_read (text, len, bytes, &n))
    __builtin_prefetch (&v->names[hash_bytes (bytes, n) & v->names_mask]);
}

gint32
lm_vocab_find (const LmVocab *v, const char *text, gsize len)
{
  g_autofree char *heap = len > 256 ? g_malloc (len) : NULL;
  char stack[256], *bytes = heap != NULL ? heap : stack;
  gsize n = 0;

  if (lm_alphabet_read (text, len, bytes, &n))
    return find_name (v, bytes, n, hash_bytes (bytes, n), 0);
  return find_name (v, text, len, hash_bytes (text, len) ^ TEXT_SEED, LM_TOKEN_TEXT);
}

void
lm_vocab_text (const LmVocab *v, guint32 id, GString *out)
{
  const LmToken *t = &v->tokens[id];

  if (t->flags & LM_TOKEN_TEXT)
    g_string_append_len (out, t->data, t->len);
  else
    lm_alphabet_write (out, t->data, t->len);
}

/* ---- merges ------------------------------------------------------------------------ */

static inline gsize
pair_hash (guint64 key)
{
  return (gsize) (mix (key) >> 12);
}

static inline guint32
pair_rank (const LmVocab *v, guint32 left, guint32 right)
{
  guint64 key = (guint64) left << 21 | right, slot;

  for (gsize i = pair_hash (key) & v->pairs_mask; (slot = v->pairs[i]) != 0;
       i = (i + 1) & v->pairs_mask)
    if ((slot - 1) >> 22 == key)
      return (guint32) ((slot - 1) & 0x3fffff);
  return LM_NO_RANK;
}

/* Vocabularies are mostly numbered in the order of their merges: is @id what @left and @right make?
 */
static gboolean
is_joined (const LmVocab *v, guint32 id, guint32 left, guint32 right)
{
  const LmToken *t, *a = &v->tokens[left], *b = &v->tokens[right];

  if (id >= v->n_tokens || (a->flags | b->flags) & LM_TOKEN_TEXT)
    return FALSE;
  t = &v->tokens[id];
  return (t->flags & (LM_TOKEN_TEXT | LM_TOKEN_HERE)) == LM_TOKEN_HERE && t->len == a->len + b->len
         && memcmp (t->data, a->data, a->len) == 0
         && memcmp (t->data + a->len, b->data, b->len) == 0;
}

gboolean
lm_vocab_merge (LmVocab *v, const char *text, gsize cut, gsize len, const char **fault)
{
  gint32 a = lm_vocab_find (v, text, cut), b = lm_vocab_find (v, text + cut, len - cut), ab;
  gsize rank = v->n_merges;

  if (a < 0 || b < 0)
    return *fault = a < 0 ? "its left half is no token" : "its right half is no token", FALSE;
  ab = rank > 0 && is_joined (v, v->merged[rank - 1] + 1, (guint32) a, (guint32) b)
           ? (gint32) v->merged[rank - 1] + 1
           : lm_vocab_find (v, text, len);
  if (ab < 0)
    return *fault = "its halves together are no token", FALSE;
  if (rank >= 0x3fffff)
    return *fault = "there are more than 4194303 merges", FALSE;
  if ((rank & (rank - 1)) == 0)
    {
      v->merged = g_renew (guint32, v->merged, MAX (2 * rank, 1));
      v->parts = g_renew (guint64, v->parts, MAX (2 * rank, 1));
    }
  v->merged[rank] = (guint32) ab;
  v->parts[rank] = (guint64) a << 32 | (guint32) b;
  v->n_merges++;
  return TRUE;
}

static void
make_pairs (LmVocab *v)
{
  v->pairs_mask = power_above (2 * v->n_merges + 1) - 1;
  v->pairs = g_new0 (guint64, v->pairs_mask + 1);
  /* From the last: of a pair that is there twice the later rank holds, as it does in tokenizers. */
  for (gsize rank = v->n_merges; rank-- > 0;)
    {
      guint32 a = (guint32) (v->parts[rank] >> 32), b = (guint32) v->parts[rank];
      guint64 key = (guint64) a << 21 | b;
      gsize i = pair_hash (key) & v->pairs_mask;

      while (v->pairs[i] != 0 && (v->pairs[i] - 1) >> 22 != key)
        i = (i + 1) & v->pairs_mask;
      if (v->pairs[i] == 0)
        v->pairs[i] = (key << 22 | rank) + 1;
    }
}

gboolean
lm_vocab_seal (LmVocab *v, const char **fault)
{
  if (v->n_model == 0)
    return *fault = "the vocabulary is empty", FALSE;
  make_pairs (v);
  v->byte_pairs = g_new (guint32, 65536);
  for (guint a = 0; a < 256; a++)
    for (guint b = 0; b < 256; b++)
      v->byte_pairs[a << 8 | b] = v->bytes[a] < 0 || v->bytes[b] < 0
                                      ? LM_NO_RANK
                                      : pair_rank (v, (guint32) v->bytes[a], (guint32) v->bytes[b]);
  v->pieces = g_new0 (LmPieces, 1);
  return TRUE;
}

/* ---- one piece --------------------------------------------------------------------- */

/* Ids of at most SMALL bytes into @ids (room for as many); returns how many. */
static gsize
merge_small (const LmVocab *v, const guint8 *p, gsize n, guint32 *ids)
{
  guint32 ranks[SMALL];

  for (gsize i = 0; i < n; i++)
    ids[i] = (guint32) v->bytes[p[i]];
  for (gsize i = 0; i + 1 < n; i++)
    ranks[i] = v->byte_pairs[p[i] << 8 | p[i + 1]];
  while (n > 1)
    {
      guint32 best = LM_NO_RANK;
      gsize at = 0;

      for (gsize i = 0; i + 1 < n; i++)
        if (ranks[i] < best)
          best = ranks[i], at = i;
      if (best == LM_NO_RANK)
        break;
      ids[at] = v->merged[best];
      n--;
      memmove (ids + at + 1, ids + at + 2, (n - at - 1) * sizeof *ids);
      if (at + 1 < n)
        memmove (ranks + at + 1, ranks + at + 2, (n - at - 2) * sizeof *ranks);
      if (at > 0)
        ranks[at - 1] = pair_rank (v, ids[at - 1], ids[at]);
      if (at + 1 < n)
        ranks[at] = pair_rank (v, ids[at], ids[at + 1]);
    }
  return n;
}

/* A heap of rank << 32 | place, smallest on top. */
typedef struct
{
  guint64 *items;
  gsize n, room;
} Heap;

static void
heap_push (Heap *h, guint64 item)
{
  gsize i = h->n++;

  if (h->n > h->room)
    h->items = g_renew (guint64, h->items, h->room = MAX (2 * h->room, 1024));
  for (; i > 0 && h->items[(i - 1) / 2] > item; i = (i - 1) / 2)
    h->items[i] = h->items[(i - 1) / 2];
  h->items[i] = item;
}

static guint64
heap_pop (Heap *h)
{
  guint64 top = h->items[0], last = h->items[--h->n];
  gsize i = 0, child;

  while ((child = 2 * i + 1) < h->n)
    {
      if (child + 1 < h->n && h->items[child + 1] < h->items[child])
        child++;
      if (h->items[child] >= last)
        break;
      h->items[i] = h->items[child];
      i = child;
    }
  h->items[i] = last;
  return top;
}

typedef struct
{
  guint32 id, rank; /* rank: of the pair with the next one */
  gint32 before, after;
} Symbol;

static void
set_rank (const LmVocab *v, Symbol *s, gint32 i, Heap *heap)
{
  s[i].rank = s[i].after < 0 ? LM_NO_RANK : pair_rank (v, s[i].id, s[s[i].after].id);
  if (s[i].rank != LM_NO_RANK)
    heap_push (heap, (guint64) s[i].rank << 32 | (guint32) i);
}

/* The same for any length; the pair is stale when its place has another rank by now. */
static void
merge_large (const LmVocab *v, const guint8 *p, gsize n, GArray *out)
{
  g_autofree Symbol *s = g_new (Symbol, n);
  Heap heap = { NULL, 0, 0 };

  for (gsize i = 0; i < n; i++)
    s[i] = (Symbol){ (guint32) v->bytes[p[i]], LM_NO_RANK, (gint32) i - 1,
                     i + 1 < n ? (gint32) i + 1 : -1 };
  for (gsize i = 0; i < n; i++)
    set_rank (v, s, (gint32) i, &heap);
  while (heap.n > 0)
    {
      guint64 top = heap_pop (&heap);
      gint32 i = (gint32) (guint32) top, gone;

      if (s[i].rank != top >> 32)
        continue;
      gone = s[i].after;
      s[i].id = v->merged[s[i].rank];
      s[i].after = s[gone].after;
      s[gone].rank = LM_NO_RANK;
      if (s[i].after >= 0)
        s[s[i].after].before = i;
      set_rank (v, s, i, &heap);
      if (s[i].before >= 0)
        set_rank (v, s, s[i].before, &heap);
    }
  for (gint32 i = 0; i >= 0; i = s[i].after)
    g_array_append_val (out, s[i].id);
  g_free (heap.items);
}

static inline const Entry *
piece_find (LmPieces *pieces, const char *piece, gsize len, guint64 hash)
{
  for (gsize way = 0; way < PIECE_WAYS; way++)
    {
      const Entry *e
          = __atomic_load_n (&pieces->slots[(hash + way) & (PIECE_SLOTS - 1)], __ATOMIC_ACQUIRE);

      if (e == NULL)
        return NULL;
      if (e->hash == hash >> 32 && e->len == len && memcmp (e->ids + e->n_ids, piece, len) == 0)
        return e;
    }
  return NULL;
}

static void
piece_keep (LmPieces *pieces, const char *piece, gsize len, guint64 hash, const guint32 *ids,
            gsize n)
{
  Entry *e = NULL;

  for (gsize way = 0; way < PIECE_WAYS; way++)
    {
      Entry **slot = &pieces->slots[(hash + way) & (PIECE_SLOTS - 1)], *none = NULL;

      if (__atomic_load_n (slot, __ATOMIC_RELAXED) != NULL)
        continue;
      if (e == NULL)
        {
          e = g_malloc (sizeof *e + n * sizeof *ids + len);
          e->hash = (guint32) (hash >> 32);
          e->len = (guint16) len;
          e->n_ids = (guint16) n;
          memcpy (e->ids, ids, n * sizeof *ids);
          memcpy (e->ids + n, piece, len);
        }
      if (__atomic_compare_exchange_n (slot, &none, e, FALSE, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return;
    }
  g_free (e);
}

/* The bytes of @p that are tokens; *@len becomes how many.  NULL when all are. */
static guint8 *
without_unknown (const LmVocab *v, const guint8 *p, gsize *len)
{
  guint8 *known;
  gsize i = 0, n;

  while (i < *len && v->bytes[p[i]] >= 0)
    i++;
  if (i == *len)
    return NULL;
  known = g_malloc (*len);
  memcpy (known, p, i);
  for (n = i; i < *len; i++)
    if (v->bytes[p[i]] >= 0)
      known[n++] = p[i];
  *len = n;
  return known;
}

gsize
lm_vocab_encode (LmVocab *v, const char *piece, gsize len, GArray *ids)
{
  const guint8 *p = (const guint8 *) piece;
  g_autofree guint8 *known = NULL;
  gboolean keep = len <= PIECE_MAX;
  guint32 small[SMALL];
  guint64 hash = 0;
  const Entry *e;
  gsize n = len;

  if (keep || v->ignore_merges)
    hash = hash_bytes (piece, len);
  if (keep && (e = piece_find (v->pieces, piece, len, hash)) != NULL)
    {
      g_array_append_vals (ids, e->ids, e->n_ids);
      return 0;
    }
  if (v->ignore_merges)
    {
      gint32 id = find_name (v, piece, len, hash, 0);

      if (id >= 0 && v->tokens[id].flags & LM_TOKEN_MODEL)
        {
          g_array_append_val (ids, id);
          if (keep)
            piece_keep (v->pieces, piece, len, hash, (guint32 *) &id, 1);
          return 0;
        }
    }
  known = without_unknown (v, p, &n);
  if (known != NULL)
    p = known;
  if (n > SMALL)
    merge_large (v, p, n, ids);
  else if (n > 0)
    {
      gsize n_ids = merge_small (v, p, n, small);

      g_array_append_vals (ids, small, (guint) n_ids);
      if (keep && known == NULL)
        piece_keep (v->pieces, piece, len, hash, small, n_ids);
    }
  return len - n;
}
