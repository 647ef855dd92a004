/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c: answers kept, and questions that are being computed (cache.h).
 *
 * One lock over a table of entries, a queue of them by last use, and a table of flights.  Nothing
 * that takes time happens under it: hashes are made before, values are freed and callbacks called
 * after.  A look-up holds it for a fraction of a microsecond (test-cache measures), which is little
 * beside what HTTP does for the same request on each of its threads.
 */
#include "config.h"

#include "cache.h"

#include <string.h>
#include <sys/random.h>
#define XXH_INLINE_ALL /* short inputs: the call costs as much as the hash */
#include <xxhash.h>

#define SECRET_BYTES 192
#define LARGEST_SHARE 8 /* a value takes at most so much of the cache */
#define ENTRY_BYTES 192 /* entry, value and their places in tables, about */
#define NO_OWNER "\xff" /* not UTF-8: nobody's name */

const FrEnumValue *const serve_cache_rules[]
    = { FR_ENUM ("off", SERVE_CACHE_RULE_OFF, "none"),
        FR_ENUM ("deterministic", SERVE_CACHE_RULE_DETERMINISTIC,
                 "those that would come out the same again: temperature 0, or a seed given"),
        FR_ENUM ("all", SERVE_CACHE_RULE_ALL,
                 "every answer, so who asks again gets the same words although they were drawn"),
        NULL };

/* An entry of the table, in the queue of uses: the most recent at the head. */
typedef struct
{
  ServeCacheKey key;
  GList link;
  ServeCached *value;
  gsize bytes;
} Entry;

/* A question being computed.  The leader is known by its key alone. */
typedef struct
{
  ServeCacheKey key;
  GQueue waiting; /* Waiter */
} Flight;

typedef struct
{
  GList link;
  guint64 ticket;
  ServeLanded landed;
  gpointer data;
} Waiter;

struct _ServeCache
{
  ServeCacheConfig config;
  guint8 secret[SECRET_BYTES];
  guint64 epoch; /* atomic */
  GMutex lock;
  GHashTable *entries; /* Entry by its key */
  GQueue uses;
  GHashTable *flights; /* Flight by its key */
  guint64 last_ticket;
  gsize bytes;
  ServeCacheCounts counts;
};

/* ---- values ------------------------------------------------------------------------------------
 */

ServeCached *
serve_cached_new (gpointer data, gsize size, GDestroyNotify data_free, guint kind)
{
  ServeCached *value = g_new0 (ServeCached, 1);

  value->refs = 1;
  value->data = data;
  value->data_free = data_free;
  value->size = size;
  value->kind = kind;
  return value;
}

ServeCached *
serve_cached_ref (ServeCached *value)
{
  g_atomic_int_inc (&value->refs);
  return value;
}

void
serve_cached_unref (ServeCached *value)
{
  if (value == NULL || !g_atomic_int_dec_and_test (&value->refs))
    return;
  if (value->data_free != NULL)
    value->data_free (value->data);
  g_free (value);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

/* Both words are uniform, and secret to those outside. */
static guint
key_hash (gconstpointer key)
{
  return (guint) ((const ServeCacheKey *) key)->low;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const ServeCacheKey *x = a, *y = b;

  return x->low == y->low && x->high == y->high;
}

static Waiter *
flight_next (Flight *flight)
{
  GList *link = g_queue_pop_head_link (&flight->waiting);

  return link != NULL ? link->data : NULL;
}

static void
flight_free (gpointer data)
{
  Flight *flight = data;
  Waiter *waiter;

  while ((waiter = flight_next (flight)) != NULL)
    g_free (waiter);
  g_free (flight);
}

ServeCache *
serve_cache_new (const ServeCacheConfig *config)
{
  ServeCache *cache;

  if (config->rule == SERVE_CACHE_RULE_OFF || config->size == 0)
    return NULL;
  cache = g_new0 (ServeCache, 1);
  cache->config = *config;
  if (getrandom (cache->secret, sizeof cache->secret, 0) != (gssize) sizeof cache->secret)
    for (gsize i = 0; i < sizeof cache->secret; i++)
      cache->secret[i] = (guint8) g_random_int_range (0, 256);
  g_mutex_init (&cache->lock);
  cache->entries = g_hash_table_new (key_hash, key_equal);
  cache->flights = g_hash_table_new_full (key_hash, key_equal, NULL, flight_free);
  return cache;
}

/* Takes @entry out; its value is the caller's. */
static ServeCached *
entry_take (ServeCache *cache, Entry *entry)
{
  ServeCached *value = entry->value;

  g_hash_table_remove (cache->entries, &entry->key);
  g_queue_unlink (&cache->uses, &entry->link);
  cache->bytes -= entry->bytes;
  g_free (entry);
  return value;
}

/* Takes all entries out: a list of values to free outside the lock. */
static GSList *
take_all (ServeCache *cache)
{
  GSList *values = NULL;

  while (cache->uses.head != NULL)
    values = g_slist_prepend (values, entry_take (cache, cache->uses.head->data));
  return values;
}

static void
values_free (GSList *values)
{
  g_slist_free_full (values, (GDestroyNotify) serve_cached_unref);
}

void
serve_cache_free (ServeCache *cache)
{
  if (cache == NULL)
    return;
  values_free (take_all (cache));
  g_hash_table_unref (cache->entries);
  g_hash_table_unref (cache->flights);
  g_mutex_clear (&cache->lock);
  g_free (cache);
}

/* ---- rules -------------------------------------------------------------------------------------
 */

/* Whether the comma-separated directives of RFC 9111 in @control hold @wanted. */
static gboolean
has_directive (const char *control, const char *wanted)
{
  gsize len = strlen (wanted);

  for (const char *at = control; *at != '\0';)
    {
      gsize word;

      at += strspn (at, " \t,");
      word = strcspn (at, " \t,=");
      if (word == len && g_ascii_strncasecmp (at, wanted, len) == 0)
        return TRUE;
      at += strcspn (at, ",");
    }
  return FALSE;
}

ServeCacheState
serve_cache_allows (ServeCache *cache, double temperature, gboolean seeded, const char *control)
{
  if (cache == NULL)
    return SERVE_CACHE_NONE;
  if (control != NULL
      && (has_directive (control, "no-cache") || has_directive (control, "no-store")))
    return SERVE_CACHE_BYPASS;
  if (cache->config.rule == SERVE_CACHE_RULE_ALL || seeded || temperature == 0)
    return SERVE_CACHE_MISS;
  return SERVE_CACHE_BYPASS;
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static ServeCacheKey
make_key (XXH128_hash_t hash)
{
  ServeCacheKey key = { hash.high64, hash.low64 };

  if (key.high == 0 && key.low == 0)
    key.low = 1;
  return key;
}

static gboolean
is_no_key (ServeCacheKey key)
{
  return key.high == 0 && key.low == 0;
}

static const char *
owner_name (const char *owner)
{
  return owner != NULL ? owner : NO_OWNER;
}

ServeCacheKey
serve_cache_body_key (ServeCache *cache, const char *route, const char *owner, gboolean split,
                      const void *body, gsize len)
{
  struct
  {
    XXH128_hash_t body;
    guint64 len, route, owner, epoch;
  } parts = { .len = len };

  /* Who nobody knows is led by chance where a route is split: the bytes do not say by whom. */
  if (cache == NULL || (split && owner == NULL))
    return (ServeCacheKey){ 0, 0 };
  parts.body = XXH3_128bits_withSecret (body, len, cache->secret, SECRET_BYTES);
  parts.route = XXH3_64bits_withSecret (route, strlen (route), cache->secret, SECRET_BYTES);
  if (cache->config.by_key || split)
    {
      const char *name = owner_name (owner);

      parts.owner = XXH3_64bits_withSecret (name, strlen (name), cache->secret, SECRET_BYTES);
    }
  parts.epoch = __atomic_load_n (&cache->epoch, __ATOMIC_ACQUIRE);
  return make_key (XXH3_128bits_withSecret (&parts, sizeof parts, cache->secret, SECRET_BYTES));
}

void
serve_cache_hash_init (ServeCacheHash *hash, ServeCache *cache, const char *owner)
{
  static const guint8 nobody[SECRET_BYTES] = { 1 }; /* without a cache the key is of no use */

  hash->state = XXH3_createState ();
  XXH3_128bits_reset_withSecret (hash->state, cache != NULL ? cache->secret : nobody, SECRET_BYTES);
  if (cache != NULL && cache->config.by_key)
    serve_cache_hash_add_text (hash, owner_name (owner));
}

void
serve_cache_hash_add (ServeCacheHash *hash, const void *data, gsize len)
{
  guint64 n = len;

  XXH3_128bits_update (hash->state, &n, sizeof n);
  XXH3_128bits_update (hash->state, data, len);
}

void
serve_cache_hash_add_text (ServeCacheHash *hash, const char *text)
{
  guint64 none = G_MAXUINT64;

  if (text != NULL)
    serve_cache_hash_add (hash, text, strlen (text));
  else
    XXH3_128bits_update (hash->state, &none, sizeof none);
}

void
serve_cache_hash_add_int (ServeCacheHash *hash, gint64 value)
{
  serve_cache_hash_add (hash, &value, sizeof value);
}

void
serve_cache_hash_add_double (ServeCacheHash *hash, double value)
{
  value += 0.0; /* -0 asks for what 0 asks for */
  serve_cache_hash_add (hash, &value, sizeof value);
}

ServeCacheKey
serve_cache_hash_end (ServeCacheHash *hash)
{
  ServeCacheKey key = make_key (XXH3_128bits_digest (hash->state));

  XXH3_freeState (g_steal_pointer (&hash->state));
  return key;
}

/* ---- looking -----------------------------------------------------------------------------------
 */

/* A reference, or NULL; one past its time is moved to *@stale. */
static ServeCached *
look (ServeCache *cache, const ServeCacheKey *key, gint64 now, ServeCached **stale)
{
  Entry *entry = g_hash_table_lookup (cache->entries, key);

  if (entry == NULL)
    return NULL;
  if (entry->value->expires > 0 && entry->value->expires <= now)
    {
      *stale = entry_take (cache, entry);
      cache->counts.expired++;
      return NULL;
    }
  g_queue_unlink (&cache->uses, &entry->link);
  g_queue_push_head_link (&cache->uses, &entry->link);
  cache->counts.hits++;
  return serve_cached_ref (entry->value);
}

ServeCached *
serve_cache_look (ServeCache *cache, ServeCacheKey key, gint64 now)
{
  g_autoptr (ServeCached) stale = NULL;
  ServeCached *value;

  if (cache == NULL || is_no_key (key))
    return NULL;
  g_mutex_lock (&cache->lock);
  value = look (cache, &key, now, &stale);
  g_mutex_unlock (&cache->lock);
  return value;
}

/* ---- flights -----------------------------------------------------------------------------------
 */

static guint64
wait_for (ServeCache *cache, Flight *flight, ServeLanded landed, gpointer data)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  waiter->ticket = ++cache->last_ticket;
  waiter->landed = landed;
  waiter->data = data;
  waiter->link.data = waiter;
  g_queue_push_tail_link (&flight->waiting, &waiter->link);
  return waiter->ticket;
}

static void
take_off (ServeCache *cache, ServeCacheKey key)
{
  Flight *flight = g_new0 (Flight, 1);

  flight->key = key;
  g_hash_table_insert (cache->flights, &flight->key, flight);
}

ServeFlight
serve_cache_begin (ServeCache *cache, ServeCacheKey key, gint64 now, ServeCached **value,
                   ServeLanded landed, gpointer data, guint64 *ticket)
{
  g_autoptr (ServeCached) stale = NULL;
  ServeFlight result;
  Flight *flight;

  *value = NULL;
  if (cache == NULL)
    return SERVE_FLIGHT_ALONE;
  g_mutex_lock (&cache->lock);
  flight = g_hash_table_lookup (cache->flights, &key);
  if ((*value = look (cache, &key, now, &stale)) != NULL)
    result = SERVE_FLIGHT_HIT;
  else if (flight == NULL)
    {
      take_off (cache, key);
      result = SERVE_FLIGHT_LEAD;
    }
  else if (landed == NULL)
    result = SERVE_FLIGHT_ALONE;
  else
    {
      *ticket = wait_for (cache, flight, landed, data);
      result = SERVE_FLIGHT_WAIT;
    }
  if (result == SERVE_FLIGHT_LEAD || result == SERVE_FLIGHT_ALONE)
    cache->counts.misses++;
  g_mutex_unlock (&cache->lock);
  return result;
}

gboolean
serve_cache_leave (ServeCache *cache, ServeCacheKey key, guint64 ticket)
{
  Waiter *waiter = NULL;
  Flight *flight;

  if (cache == NULL)
    return FALSE;
  g_mutex_lock (&cache->lock);
  flight = g_hash_table_lookup (cache->flights, &key);
  for (GList *l = flight != NULL ? flight->waiting.head : NULL; l != NULL; l = l->next)
    if (((Waiter *) l->data)->ticket == ticket)
      {
        waiter = l->data;
        g_queue_unlink (&flight->waiting, l);
        break;
      }
  g_mutex_unlock (&cache->lock);
  g_free (waiter);
  return waiter != NULL;
}

/* Puts @value in its place; what it displaces is added to *@gone. */
static void
store (ServeCache *cache, const ServeCacheKey *key, ServeCached *value, GSList **gone)
{
  Entry *entry = g_hash_table_lookup (cache->entries, key);
  gsize bytes = value->size + ENTRY_BYTES;

  if (bytes > cache->config.size / LARGEST_SHARE)
    {
      cache->counts.too_large++;
      return;
    }
  if (entry != NULL)
    *gone = g_slist_prepend (*gone, entry_take (cache, entry));
  while (cache->uses.tail != NULL && cache->bytes + bytes > cache->config.size)
    {
      *gone = g_slist_prepend (*gone, entry_take (cache, cache->uses.tail->data));
      cache->counts.evicted++;
    }
  entry = g_new0 (Entry, 1);
  entry->key = *key;
  entry->value = serve_cached_ref (value);
  entry->bytes = bytes;
  entry->link.data = entry;
  g_hash_table_insert (cache->entries, &entry->key, entry);
  g_queue_push_head_link (&cache->uses, &entry->link);
  cache->bytes += bytes;
  cache->counts.stored++;
}

/* Calls whom @flight (taken; NULL: nobody) kept waiting. */
static void
land (Flight *flight, ServeCached *value)
{
  Waiter *waiter;

  if (flight == NULL)
    return;
  while ((waiter = flight_next (flight)) != NULL)
    {
      waiter->landed (waiter->data, value);
      g_free (waiter);
    }
  flight_free (flight);
}

void
serve_cache_put (ServeCache *cache, ServeCacheKey key, ServeCached *value, gint64 now)
{
  GSList *gone = NULL;
  gpointer flight = NULL;

  if (cache == NULL || is_no_key (key))
    return;
  if (value->expires == 0 && cache->config.ttl > 0)
    value->expires = now + cache->config.ttl;
  g_mutex_lock (&cache->lock);
  store (cache, &key, value, &gone);
  if (g_hash_table_steal_extended (cache->flights, &key, NULL, &flight))
    cache->counts.shared += ((Flight *) flight)->waiting.length;
  g_mutex_unlock (&cache->lock);
  values_free (gone);
  land (flight, value);
}

void
serve_cache_abandon (ServeCache *cache, ServeCacheKey key)
{
  Waiter *next = NULL;
  Flight *flight;

  if (cache == NULL)
    return;
  g_mutex_lock (&cache->lock);
  flight = g_hash_table_lookup (cache->flights, &key);
  if (flight != NULL && (next = flight_next (flight)) == NULL)
    g_hash_table_remove (cache->flights, &key);
  if (next != NULL)
    cache->counts.misses++;
  g_mutex_unlock (&cache->lock);
  if (next != NULL)
    next->landed (next->data, NULL);
  g_free (next);
}

/* ---- forgetting --------------------------------------------------------------------------------
 */

void
serve_cache_turn (ServeCache *cache)
{
  if (cache != NULL)
    __atomic_fetch_add (&cache->epoch, 1, __ATOMIC_ACQ_REL);
}

guint64
serve_cache_clear (ServeCache *cache)
{
  GSList *values;
  guint64 n;

  if (cache == NULL)
    return 0;
  serve_cache_turn (cache);
  g_mutex_lock (&cache->lock);
  n = cache->uses.length;
  values = take_all (cache);
  g_mutex_unlock (&cache->lock);
  values_free (values);
  return n;
}

void
serve_cache_counts (ServeCache *cache, ServeCacheCounts *counts)
{
  memset (counts, 0, sizeof *counts);
  if (cache == NULL)
    return;
  g_mutex_lock (&cache->lock);
  *counts = cache->counts;
  counts->entries = cache->uses.length;
  counts->bytes = cache->bytes;
  g_mutex_unlock (&cache->lock);
}
