/* SPDX-License-Identifier: Apache-2.0 */
/* runs.c: see runs.h. */
#include "config.h"

#include "text/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST_MEMORY (64 * 1024)
#define PAGE 4096         /* about what one look into a run reads */
#define FAN_IN 8          /* runs of one level that become one of the next */
#define BLOCK (64 * 1024) /* what a merge reads of a run at a time */
#define BLOOM_BITS 10
#define BLOOM_PROBES 4

static int
record_order (const void *a, const void *b)
{
  return text_key_order (*(const TextKey *) a, *(const TextKey *) b);
}

/* ---- a sorted run on disk -------------------------------------------------- */

typedef struct
{
  int fd;
  char *path; /* for messages; no longer there */
  gsize size; /* of a record */
  guint64 n;
  guint level;
  /* for lookups; NULL in a sorter */
  guint64 *fences; /* key.hi of the first record of each page */
  guint64 n_pages;
  gsize per_page;
  guint64 *bloom;
  guint64 bloom_bits;
  /* being written or read in order */
  guint8 *block;
  gsize fill, pos;
  guint64 next; /* record that the block begins with */
} Run;

static void
run_free (gpointer data)
{
  Run *run = data;

  if (run->fd >= 0)
    close (run->fd);
  g_free (run->path);
  g_free (run->fences);
  g_free (run->bloom);
  g_free (run->block);
  g_free (run);
}

static Run *
run_new (const char *dir, gsize size, guint64 expected, gboolean lookups, GError **error)
{
  Run *run = g_new0 (Run, 1);

  run->path = g_build_filename (dir, "run-XXXXXX", NULL);
  run->size = size;
  run->fd = g_mkstemp_full (run->path, O_RDWR | O_CLOEXEC, 0600);
  if (run->fd < 0)
    {
      fr_error_errno (error, errno, "create", run->path);
      run_free (run);
      return NULL;
    }
  g_unlink (run->path);
  run->block = g_malloc (BLOCK + size);
  if (lookups)
    {
      run->per_page = MAX (1, PAGE / size);
      run->fences = g_new (guint64, expected / run->per_page + 1);
      run->bloom_bits = (expected * BLOOM_BITS / 64 + 1) * 64;
      run->bloom = g_new0 (guint64, run->bloom_bits / 64);
    }
  return run;
}

static gboolean
write_all (Run *run, const guint8 *data, gsize len, guint64 at, GError **error)
{
  while (len > 0)
    {
      gssize n = pwrite (run->fd, data, len, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fr_error_errno (error, n == 0 ? ENOSPC : errno, "write", run->path);
      data += n;
      len -= (gsize) n;
      at += (guint64) n;
    }
  return TRUE;
}

static gboolean
read_all (const Run *run, guint8 *data, gsize len, guint64 at, GError **error)
{
  while (len > 0)
    {
      gssize n = pread (run->fd, data, len, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fr_error_errno (error, n == 0 ? EIO : errno, "read", run->path);
      data += n;
      len -= (gsize) n;
      at += (guint64) n;
    }
  return TRUE;
}

/* Keys are hashes already: two of their halves make all the probes. */
static guint64
bloom_bit (const Run *run, TextKey key, guint probe)
{
  return (key.lo + probe * (key.hi | 1)) % run->bloom_bits;
}

static gboolean
run_flush (Run *run, GError **error)
{
  gboolean ok = write_all (run, run->block, run->fill, run->next * run->size, error);

  run->next += run->fill / run->size;
  run->fill = 0;
  return ok;
}

/* Appends a record; they come in order. */
static gboolean
run_append (Run *run, gconstpointer record, GError **error)
{
  const TextKey *key = record;

  if (run->bloom != NULL)
    {
      if (run->n % run->per_page == 0)
        run->fences[run->n_pages++] = key->hi;
      for (guint i = 0; i < BLOOM_PROBES; i++)
        {
          guint64 bit = bloom_bit (run, *key, i);

          run->bloom[bit / 64] |= (guint64) 1 << (bit % 64);
        }
    }
  memcpy (run->block + run->fill, record, run->size);
  run->fill += run->size;
  run->n++;
  return run->fill < BLOCK || run_flush (run, error);
}

static void
run_rewind (Run *run)
{
  run->next = 0;
  run->fill = run->pos = 0;
}

/* The record at hand, or NULL at the end or on error. */
static const guint8 *
run_peek (Run *run, GError **error)
{
  if (run->pos == run->fill)
    {
      guint64 rest = run->n - run->next;
      gsize n = (gsize) MIN (rest, MAX (1, BLOCK / run->size));

      run->pos = run->fill = 0;
      if (n == 0 || !read_all (run, run->block, n * run->size, run->next * run->size, error))
        return NULL;
      run->fill = n * run->size;
      run->next += n;
    }
  return run->block + run->pos;
}

static gboolean
run_find_in_page (const Run *run, guint64 page, TextKey key, guint8 *record, guint64 *at,
                  gboolean *found, GError **error)
{
  guint64 low = page * run->per_page, high = MIN (low + run->per_page, run->n), first = low;
  g_autofree guint8 *data = g_malloc ((high - low) * run->size);

  *found = FALSE;
  if (!read_all (run, data, (high - low) * run->size, low * run->size, error))
    return FALSE;
  while (low < high)
    {
      guint64 middle = (low + high) / 2;
      const guint8 *here = data + (middle - first) * run->size;
      int order = text_key_order (key, *(const TextKey *) here);

      if (order == 0)
        {
          memcpy (record, here, run->size);
          *at = middle;
          *found = TRUE;
          return TRUE;
        }
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return TRUE;
}

static gboolean
run_find (const Run *run, TextKey key, guint8 *record, guint64 *at, gboolean *found, GError **error)
{
  guint64 low = 0, high = run->n_pages;

  *found = FALSE;
  for (guint i = 0; i < BLOOM_PROBES; i++)
    {
      guint64 bit = bloom_bit (run, key, i);

      if (!(run->bloom[bit / 64] >> (bit % 64) & 1))
        return TRUE;
    }
  /* The first page whose fence is not below the key, and the one before it. */
  while (low < high)
    {
      guint64 middle = (low + high) / 2;

      if (run->fences[middle] < key.hi)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint64 page = low > 0 ? low - 1 : 0;
       page < run->n_pages && (page < low || run->fences[page] == key.hi); page++)
    {
      if (!run_find_in_page (run, page, key, record, at, found, error))
        return FALSE;
      if (*found)
        return TRUE;
    }
  return TRUE;
}

/* ---- several runs in one order ---------------------------------------------- */

/* A run whose record at hand is least; NULL at the end or on error.  There are
 * few runs, so a plain search beats a heap. */
static Run *
least_run (GPtrArray *runs, GError **error)
{
  Run *least = NULL;
  const guint8 *least_record = NULL;

  for (guint i = 0; i < runs->len; i++)
    {
      Run *run = runs->pdata[i];
      GError *failed = NULL;
      const guint8 *record = run_peek (run, &failed);

      if (failed != NULL)
        {
          g_propagate_error (error, failed);
          return NULL;
        }
      if (record != NULL && (least == NULL || record_order (record, least_record) < 0))
        {
          least = run;
          least_record = record;
        }
    }
  return least;
}

/* One run out of @runs, which stay. */
static Run *
merge_runs (GPtrArray *runs, const char *dir, gboolean lookups, GError **error)
{
  guint64 n = 0;
  guint level = 0;
  gsize size = ((Run *) runs->pdata[0])->size;
  Run *out, *least;
  GError *failed = NULL;

  for (guint i = 0; i < runs->len; i++)
    {
      Run *run = runs->pdata[i];

      n += run->n;
      level = MAX (level, run->level + 1);
      run_rewind (run);
    }
  out = run_new (dir, size, n, lookups, error);
  if (out == NULL)
    return NULL;
  out->level = level;
  while (failed == NULL && (least = least_run (runs, &failed)) != NULL)
    {
      if (!run_append (out, least->block + least->pos, &failed))
        break;
      least->pos += size;
    }
  if (failed != NULL || !run_flush (out, &failed))
    {
      g_propagate_error (error, failed);
      run_free (out);
      return NULL;
    }
  return out;
}

/* Merges the newest runs while FAN_IN of them are of one level. */
static gboolean
tidy_runs (GPtrArray *runs, const char *dir, gboolean lookups, GError **error)
{
  while (runs->len >= FAN_IN)
    {
      g_autoptr (GPtrArray) last = g_ptr_array_new ();
      guint level = ((Run *) runs->pdata[runs->len - 1])->level;
      Run *merged;

      for (guint i = runs->len - FAN_IN; i < runs->len; i++)
        {
          if (((Run *) runs->pdata[i])->level != level)
            return TRUE;
          g_ptr_array_add (last, runs->pdata[i]);
        }
      merged = merge_runs (last, dir, lookups, error);
      if (merged == NULL)
        return FALSE;
      g_ptr_array_set_size (runs, (int) (runs->len - FAN_IN));
      g_ptr_array_add (runs, merged);
    }
  return TRUE;
}

static Run *
run_of_records (const char *dir, guint8 *records, gsize n, gsize size, gboolean lookups,
                GError **error)
{
  Run *run = run_new (dir, size, n, lookups, error);

  if (run == NULL)
    return NULL;
  qsort (records, n, size, record_order);
  for (gsize i = 0; i < n; i++)
    if (!run_append (run, records + i * size, error))
      {
        run_free (run);
        return NULL;
      }
  if (!run_flush (run, error))
    {
      run_free (run);
      return NULL;
    }
  return run;
}

/* ---- the map ----------------------------------------------------------------- */

struct _TextKeyMap
{
  char *dir;
  guint64 memory;
  gsize size;    /* of a record: key and value */
  guint8 *slots; /* open addressing; the key {0, 0} marks a free slot */
  gsize n_slots, used;
  guint64 n;
  GPtrArray *runs;
  guint8 *record;
  /* where the last find ended */
  Run *last_run;
  guint64 last_at;
  gboolean last_found;
};

/* No key may look like a free slot. */
static TextKey
real_key (TextKey key)
{
  if (key.hi == 0 && key.lo == 0)
    key.lo = 1;
  return key;
}

TextKeyMap *
text_key_map_new (gsize value_size, guint64 memory, const char *spill_dir)
{
  TextKeyMap *map = g_new0 (TextKeyMap, 1);

  map->dir = g_strdup (spill_dir);
  map->memory = MAX (memory, LEAST_MEMORY);
  map->size = sizeof (TextKey) + value_size;
  map->n_slots = 256;
  map->slots = g_malloc0_n (map->n_slots, map->size);
  map->record = g_malloc0 (map->size);
  map->runs = g_ptr_array_new_with_free_func (run_free);
  return map;
}

void
text_key_map_free (TextKeyMap *map)
{
  if (map == NULL)
    return;
  g_free (map->dir);
  g_free (map->slots);
  g_free (map->record);
  g_ptr_array_unref (map->runs);
  g_free (map);
}

static guint8 *
slot_of (guint8 *slots, gsize n_slots, gsize size, TextKey key)
{
  gsize i = (gsize) key.lo & (n_slots - 1);

  for (;; i = (i + 1) & (n_slots - 1))
    {
      guint8 *slot = slots + i * size;
      const TextKey *here = (const TextKey *) (gpointer) slot;

      if ((here->hi == key.hi && here->lo == key.lo) || (here->hi == 0 && here->lo == 0))
        return slot;
    }
}

static gboolean
slot_is_free (const guint8 *slot)
{
  const TextKey *key = (const TextKey *) (gconstpointer) slot;

  return key->hi == 0 && key->lo == 0;
}

gboolean
text_key_map_find (TextKeyMap *map, TextKey key, gpointer value, gboolean *found, GError **error)
{
  const guint8 *slot;

  key = real_key (key);
  slot = slot_of (map->slots, map->n_slots, map->size, key);
  map->last_run = NULL;
  *found = map->last_found = !slot_is_free (slot);
  if (*found)
    {
      memcpy (value, slot + sizeof (TextKey), map->size - sizeof (TextKey));
      return TRUE;
    }
  for (guint i = map->runs->len; i-- > 0;)
    {
      if (!run_find (map->runs->pdata[i], key, map->record, &map->last_at, found, error))
        return FALSE;
      if (*found)
        {
          map->last_run = map->runs->pdata[i];
          map->last_found = TRUE;
          memcpy (value, map->record + sizeof (TextKey), map->size - sizeof (TextKey));
          return TRUE;
        }
    }
  return TRUE;
}

static gboolean
spill_table (TextKeyMap *map, GError **error)
{
  gsize n = 0;
  Run *run;

  for (gsize i = 0; i < map->n_slots; i++)
    {
      guint8 *slot = map->slots + i * map->size;

      if (!slot_is_free (slot))
        memmove (map->slots + n++ * map->size, slot, map->size);
    }
  run = run_of_records (map->dir, map->slots, n, map->size, TRUE, error);
  if (run == NULL)
    return FALSE;
  g_ptr_array_add (map->runs, run);
  memset (map->slots, 0, map->n_slots * map->size);
  map->used = 0;
  return tidy_runs (map->runs, map->dir, TRUE, error);
}

static gboolean
make_room (TextKeyMap *map, GError **error)
{
  gsize n_slots = map->n_slots * 2;
  guint8 *slots;

  if (map->used < map->n_slots / 4 * 3)
    return TRUE;
  /* While it grows, the old table is there too. */
  if ((guint64) n_slots * map->size / 2 * 3 > map->memory)
    return spill_table (map, error);
  slots = g_malloc0_n (n_slots, map->size);
  for (gsize i = 0; i < map->n_slots; i++)
    {
      const guint8 *slot = map->slots + i * map->size;

      if (!slot_is_free (slot))
        memcpy (slot_of (slots, n_slots, map->size, *(const TextKey *) (gconstpointer) slot), slot,
                map->size);
    }
  g_free (map->slots);
  map->slots = slots;
  map->n_slots = n_slots;
  return TRUE;
}

gboolean
text_key_map_store (TextKeyMap *map, TextKey key, gconstpointer value, GError **error)
{
  guint8 *slot;
  gsize value_size = map->size - sizeof (TextKey);

  key = real_key (key);
  if (map->last_run != NULL)
    return write_all (map->last_run, value, value_size, map->last_at * map->size + sizeof (TextKey),
                      error);
  if (!map->last_found && !make_room (map, error))
    return FALSE;
  slot = slot_of (map->slots, map->n_slots, map->size, key);
  if (!map->last_found)
    {
      memcpy (slot, &key, sizeof key);
      map->used++;
      map->n++;
      map->last_found = TRUE;
    }
  memcpy (slot + sizeof (TextKey), value, value_size);
  return TRUE;
}

guint64
text_key_map_size (const TextKeyMap *map)
{
  return map->n;
}

guint64
text_key_map_spilled (const TextKeyMap *map)
{
  return map->n - map->used;
}

gboolean
text_key_map_foreach (TextKeyMap *map, TextKeyFunc func, gpointer data, GError **error)
{
  for (gsize i = 0; i < map->n_slots; i++)
    {
      const guint8 *slot = map->slots + i * map->size;

      if (!slot_is_free (slot))
        func (*(const TextKey *) (gconstpointer) slot, slot + sizeof (TextKey), data);
    }
  for (guint i = 0; i < map->runs->len; i++)
    {
      Run *run = map->runs->pdata[i];
      const guint8 *record;
      GError *failed = NULL;

      run_rewind (run);
      while ((record = run_peek (run, &failed)) != NULL)
        {
          func (*(const TextKey *) (gconstpointer) record, record + sizeof (TextKey), data);
          run->pos += run->size;
        }
      if (failed != NULL)
        {
          g_propagate_error (error, failed);
          return FALSE;
        }
    }
  return TRUE;
}

/* ---- the sorter --------------------------------------------------------------- */

struct _TextSorter
{
  char *dir;
  gsize size;
  gsize room; /* records that memory may hold */
  guint8 *records;
  gsize n, allocated, pos;
  gboolean sealed;
  GPtrArray *runs;
  Run *last; /* whose record was given last */
};

TextSorter *
text_sorter_new (gsize size, guint64 memory, const char *spill_dir)
{
  TextSorter *s = g_new0 (TextSorter, 1);

  s->dir = g_strdup (spill_dir);
  s->size = size;
  /* qsort() may need as much again. */
  s->room = (gsize) (MAX (memory, LEAST_MEMORY) / 2 / size);
  s->runs = g_ptr_array_new_with_free_func (run_free);
  return s;
}

void
text_sorter_free (TextSorter *s)
{
  if (s == NULL)
    return;
  g_free (s->dir);
  g_free (s->records);
  g_ptr_array_unref (s->runs);
  g_free (s);
}

static gboolean
spill_records (TextSorter *s, GError **error)
{
  Run *run = run_of_records (s->dir, s->records, s->n, s->size, FALSE, error);

  if (run == NULL)
    return FALSE;
  s->n = 0;
  g_ptr_array_add (s->runs, run);
  return tidy_runs (s->runs, s->dir, FALSE, error);
}

gboolean
text_sorter_add (TextSorter *s, gconstpointer record, GError **error)
{
  g_return_val_if_fail (!s->sealed, FALSE);
  if (s->n == s->room && !spill_records (s, error))
    return FALSE;
  if (s->n == s->allocated)
    {
      s->allocated = MIN (s->room, MAX (256, s->allocated * 2));
      s->records = g_realloc_n (s->records, s->allocated, s->size);
    }
  memcpy (s->records + s->n++ * s->size, record, s->size);
  return TRUE;
}

gboolean
text_sorter_rewind (TextSorter *s, GError **error)
{
  if (!s->sealed)
    {
      if (s->runs->len > 0 && s->n > 0 && !spill_records (s, error))
        return FALSE;
      if (s->runs->len > 0)
        g_clear_pointer (&s->records, g_free);
      else if (s->n > 0)
        qsort (s->records, s->n, s->size, record_order);
      s->sealed = TRUE;
    }
  s->pos = 0;
  s->last = NULL;
  for (guint i = 0; i < s->runs->len; i++)
    run_rewind (s->runs->pdata[i]);
  return TRUE;
}

gconstpointer
text_sorter_next (TextSorter *s, GError **error)
{
  if (s->runs->len == 0)
    return s->pos < s->n ? s->records + s->pos++ * s->size : NULL;
  if (s->last != NULL)
    s->last->pos += s->size;
  s->last = least_run (s->runs, error);
  return s->last != NULL ? s->last->block + s->last->pos : NULL;
}
