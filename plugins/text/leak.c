/* SPDX-License-Identifier: Apache-2.0 */
/* leak.c: see leak.h. */
#include "config.h"

#include "text/leak.h"

#include <stdlib.h>
#include <xxhash.h>

#include "text/grams.h"

/* One gram of one held-out row; the whole text of a row is a gram of its own kind. */
typedef struct
{
  guint64 hash;
  guint32 row;
  guint32 whole;
} Item;

/* The table is larger than the caches; asking for so many places at once hides
 * the wait for each. */
#define N_PENDING 128

struct _TextLeak
{
  gsize room; /* items that memory may hold */
  guint bits; /* the parts are 2^bits */
  guint part;
  Item *items;
  gsize n, allocated;
  gboolean sealed;
  /* The distinct hashes, open addressing: a slot is a hash with its lowest bit
   * set once training text holds it; 0 is empty. */
  guint64 *slots;
  guint slot_bits;
  GArray *rows; /* TextLeakRow */
  guint32 row;
};

/* Hashes whose slot is on its way from memory; one to a thread. */
typedef struct
{
  TextLeak *leak;
  guint n;
  guint64 hashes[N_PENDING];
} Pending;

TextLeak *
text_leak_new (guint64 memory)
{
  TextLeak *leak = g_new0 (TextLeak, 1);

  /* An item, and up to four slots for it (what qsort() takes is less, and gone by then). */
  leak->room = (gsize) MAX (memory / (sizeof (Item) + 4 * sizeof (guint64)), 1024);
  leak->rows = g_array_new (FALSE, TRUE, sizeof (TextLeakRow));
  return leak;
}

void
text_leak_free (TextLeak *leak)
{
  if (leak == NULL)
    return;
  g_free (leak->items);
  g_free (leak->slots);
  g_array_unref (leak->rows);
  g_free (leak);
}

/* Which part a hash belongs to is said by its lowest bits, its slot by its highest. */
static gboolean
in_part (const TextLeak *leak, guint64 hash)
{
  return (hash & (((guint64) 1 << leak->bits) - 1)) == leak->part;
}

void
text_leak_begin (TextLeak *leak, guint part)
{
  leak->part = part;
  leak->n = 0;
  leak->sealed = FALSE;
}

static int
item_order (const void *a, const void *b)
{
  const Item *x = a, *y = b;

  if (x->hash != y->hash)
    return x->hash < y->hash ? -1 : 1;
  if (x->row != y->row)
    return x->row < y->row ? -1 : 1;
  return (int) x->whole - (int) y->whole;
}

/* Sorts, and drops what one row says twice. */
static void
sort_items (TextLeak *leak)
{
  gsize n = 0;

  if (leak->n == 0)
    return;
  qsort (leak->items, leak->n, sizeof (Item), item_order);
  for (gsize i = 0; i < leak->n; i++)
    if (n == 0 || item_order (&leak->items[n - 1], &leak->items[i]) != 0)
      leak->items[n++] = leak->items[i];
  leak->n = n;
}

/* Only ever in the first part, so that no part is skipped. */
static void
halve (TextLeak *leak)
{
  gsize n = 0;

  leak->bits++;
  for (gsize i = 0; i < leak->n; i++)
    if (in_part (leak, leak->items[i].hash))
      leak->items[n++] = leak->items[i];
  leak->n = n;
}

static void
add_item (TextLeak *leak, guint64 hash, gboolean whole)
{
  if (!in_part (leak, hash))
    return;
  if (leak->n >= leak->room && leak->part == 0 && leak->bits < 20)
    {
      sort_items (leak);
      while (leak->n >= leak->room / 4 * 3 && leak->bits < 20)
        halve (leak);
      if (!in_part (leak, hash))
        return;
    }
  if (leak->n == leak->allocated)
    {
      leak->allocated = MAX (1024, leak->allocated + leak->allocated / 2);
      leak->items = g_renew (Item, leak->items, leak->allocated);
    }
  leak->items[leak->n++] = (Item){ hash, leak->row, whole };
}

/* A slot of 0 is empty, so no hash may be 0 or 1. */
static inline guint64
not_empty (guint64 hash)
{
  return hash > 1 ? hash : hash + 2;
}

static void
held_out_gram (guint64 gram, gpointer data)
{
  add_item (data, not_empty (gram), FALSE);
}

static guint64
whole_hash (FrStr text)
{
  return not_empty (XXH3_64bits_withSeed (text.data, text.len, 13));
}

void
text_leak_held_out (TextLeak *leak, guint32 row, FrStr text)
{
  if (row >= leak->rows->len)
    g_array_set_size (leak->rows, row + 1);
  leak->row = row;
  if (text.len == 0)
    return;
  add_item (leak, whole_hash (text), TRUE);
  text_grams (text, TEXT_GRAM_UNITS, held_out_gram, leak);
}

/* The slot that holds @hash, or the empty one where it belongs. */
static inline guint64 *
slot_of (const TextLeak *leak, guint64 hash)
{
  guint64 mask = ((guint64) 1 << leak->slot_bits) - 1;
  guint64 at = hash >> (64 - leak->slot_bits);

  while (leak->slots[at] != 0 && (leak->slots[at] | 1) != (hash | 1))
    at = (at + 1) & mask;
  return &leak->slots[at];
}

void
text_leak_seal (TextLeak *leak)
{
  if (leak->sealed)
    return;
  sort_items (leak);
  leak->slot_bits = 10;
  while (((gsize) 1 << leak->slot_bits) < leak->n * 2)
    leak->slot_bits++;
  g_free (leak->slots);
  leak->slots = g_new0 (guint64, (gsize) 1 << leak->slot_bits);
  for (gsize i = 0; i < leak->n; i++)
    *slot_of (leak, leak->items[i].hash) = leak->items[i].hash & ~(guint64) 1;
  leak->sealed = TRUE;
}

static void
mark (TextLeak *leak, guint64 hash)
{
  guint64 *slot = slot_of (leak, hash);

  /* Several threads may mark one slot, always with the same bit. */
  if (*slot != 0 && !(*slot & 1))
    __atomic_fetch_or (slot, 1, __ATOMIC_RELAXED);
}

static void
mark_pending (Pending *pending)
{
  for (guint i = 0; i < pending->n; i++)
    mark (pending->leak, pending->hashes[i]);
  pending->n = 0;
}

static void
training_gram (guint64 gram, gpointer data)
{
  Pending *pending = data;
  const TextLeak *leak = pending->leak;

  gram = not_empty (gram);
  if (!in_part (leak, gram))
    return;
  __builtin_prefetch (&leak->slots[gram >> (64 - leak->slot_bits)]);
  pending->hashes[pending->n++] = gram;
  if (pending->n == N_PENDING)
    mark_pending (pending);
}

void
text_leak_training (TextLeak *leak, FrStr text)
{
  Pending pending;
  guint64 whole;

  if (leak->n == 0 || text.len == 0)
    return;
  pending.leak = leak;
  pending.n = 0;
  whole = whole_hash (text);
  if (in_part (leak, whole))
    mark (leak, whole);
  text_grams (text, TEXT_GRAM_UNITS, training_gram, &pending);
  mark_pending (&pending);
}

void
text_leak_end (TextLeak *leak)
{
  text_leak_seal (leak);
  for (gsize i = 0; i < leak->n; i++)
    {
      TextLeakRow *row = &g_array_index (leak->rows, TextLeakRow, leak->items[i].row);
      guint marked = *slot_of (leak, leak->items[i].hash) & 1;

      if (leak->items[i].whole)
        row->same |= marked;
      else
        {
          row->grams++;
          row->shared += marked;
        }
    }
}

guint
text_leak_n_parts (const TextLeak *leak)
{
  return 1u << leak->bits;
}

void
text_leak_forget (TextLeak *leak)
{
  if (leak->rows->len > 0)
    memset (leak->rows->data, 0, leak->rows->len * sizeof (TextLeakRow));
}

const TextLeakRow *
text_leak_row (const TextLeak *leak, guint32 row)
{
  static const TextLeakRow none = { 0, 0, FALSE };

  return row < leak->rows->len ? &g_array_index (leak->rows, TextLeakRow, row) : &none;
}
