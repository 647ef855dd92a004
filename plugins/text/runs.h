/* SPDX-License-Identifier: Apache-2.0 */
/* runs.h: more keys than memory holds (libflowrun-text).
 *
 * Rows are compared by 128-bit hashes, and a hash needs a place.  Two
 * structures keep fixed-size records by such a key within a memory budget and
 * use files in the stage's spill directory beyond it:
 *
 *   TextKeyMap   looks a key up, or takes it in, one at a time, in any order
 *                (an LSM tree: a table in memory, sorted runs on disk, a Bloom
 *                filter of ten bits a key and one key in a page of each run in
 *                memory; runs of like size are merged eight at a time)
 *   TextSorter   takes records in any order and gives them sorted, as often
 *                as wanted (sorted runs, merged)
 *
 * What they answer does not depend on the budget.  Files are unlinked as soon
 * as they are open, so a killed run leaves nothing behind.
 */
#ifndef FLOWRUN_TEXT_RUNS_H
#define FLOWRUN_TEXT_RUNS_H

#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

/** TextKey: a 128-bit hash; ordered by @hi, then @lo. */
typedef struct
{
  guint64 hi, lo;
} TextKey;

static inline int
text_key_order (TextKey a, TextKey b)
{
  if (a.hi != b.hi)
    return a.hi < b.hi ? -1 : 1;
  return (a.lo > b.lo) - (a.lo < b.lo);
}

typedef struct _TextKeyMap TextKeyMap;

/**
 * text_key_map_new:
 * @value_size: bytes of a value, a multiple of 8
 * @memory: budget in bytes; at least 64 KiB is used
 * @spill_dir: where to put files; copied
 */
TextKeyMap *text_key_map_new (gsize value_size, guint64 memory, const char *spill_dir);
void text_key_map_free (TextKeyMap *map);
/** text_key_map_find: copies the value of @key to @value and sets @found; FALSE only on error
 * (FR_ERROR_IO). */
gboolean text_key_map_find (TextKeyMap *map, TextKey key, gpointer value, gboolean *found,
                            GError **error);
/** text_key_map_store: gives @key, which must be the key of the last text_key_map_find(), the value
 * @value. */
gboolean text_key_map_store (TextKeyMap *map, TextKey key, gconstpointer value, GError **error);
guint64 text_key_map_size (const TextKeyMap *map);
/** text_key_map_spilled: how many keys lie on disk. */
guint64 text_key_map_spilled (const TextKeyMap *map);
typedef void (*TextKeyFunc) (TextKey key, gconstpointer value, gpointer data);
/** text_key_map_foreach: every key once, in an order that means nothing. */
gboolean text_key_map_foreach (TextKeyMap *map, TextKeyFunc func, gpointer data, GError **error);

typedef struct _TextSorter TextSorter;

/** text_sorter_new: @size: bytes of a record, which begins with its TextKey; a multiple of 8. */
TextSorter *text_sorter_new (gsize size, guint64 memory, const char *spill_dir);
void text_sorter_free (TextSorter *sorter);
gboolean text_sorter_add (TextSorter *sorter, gconstpointer record, GError **error);
/** text_sorter_rewind: before the first record; after the first call nothing can be added. */
gboolean text_sorter_rewind (TextSorter *sorter, GError **error);
/** text_sorter_next: the next record in order of key, valid until the next call; NULL at the end or
 * on error. */
gconstpointer text_sorter_next (TextSorter *sorter, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextKeyMap, text_key_map_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextSorter, text_sorter_free)

G_END_DECLS

#endif
