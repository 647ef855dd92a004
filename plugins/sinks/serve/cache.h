/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h: answers kept, so that a question asked again costs nothing.
 *
 *   raw body ──first level──▶ bytes as they were sent     (before anything is parsed)
 *   ids, settings, hashes ──second level──▶ the answer    (whatever the protocol was)
 *
 * Both levels are one table with one bound in bytes, the least recently used leaving first, and one
 * time to live.  Keys are XXH3-128 with a secret drawn when the server starts, so that nobody
 * outside can make two questions that share a key.
 *
 * What a value is, is the caller's business: a pointer to something immutable, and a few numbers
 * for logs and counters.
 *
 * What makes an answer stale is in its key: the hashes of model, adapter and template in the second
 * level; in the first, which knows none of them, the epoch, raised by serve_cache_turn() the moment
 * anything about models or routes changes.  A caller makes its key before it picks a model, so an
 * answer that was under way during a change is stored where nobody will look.
 *
 * Single flight: of several that ask the same at the same time the first computes (it leads), the
 * others wait.  A leader ends with serve_cache_put() or serve_cache_abandon(); then the first of
 * the waiting takes the lead.  Thread-safe; callbacks come on the thread of the leader that ended,
 * with no lock held.
 *
 * When an answer may be kept is said by serve_cache_allows(): greedy, or drawn from a seed that the
 * request gave; or always, when the rule "all" was chosen.
 */
#ifndef FLOWRUN_SERVE_CACHE_H
#define FLOWRUN_SERVE_CACHE_H

#include <flowrun/param.h>
#include <glib.h>

#include "record.h"

G_BEGIN_DECLS

typedef enum
{
  SERVE_CACHE_RULE_OFF = 0,
  SERVE_CACHE_RULE_DETERMINISTIC,
  SERVE_CACHE_RULE_ALL
} ServeCacheRule;

extern const FrEnumValue *const serve_cache_rules[];

/** ServeCacheConfig: as in SERVE_CACHE_PARAMS. */
typedef struct
{
  int rule; /* ServeCacheRule */
  guint64 size;
  gint64 ttl;
  gboolean by_key;
} ServeCacheConfig;

#define SERVE_CACHE_PARAMS(Config, in)                                                             \
  FR_PARAM_ENUM ("cache", Config, in.rule, serve_cache_rules,                                      \
                 "which answers are kept for who asks the same again", .def = "deterministic"),    \
      FR_PARAM_SIZE ("cache_size", Config, in.size, "memory for kept answers; 0: none are kept",   \
                     .def = "64MiB"),                                                              \
      FR_PARAM_DURATION ("cache_ttl", Config, in.ttl,                                              \
                         "how long an answer is kept at most; 0: as "                              \
                         "long as there is room",                                                  \
                         .def = "1h"),                                                             \
      FR_PARAM_BOOL ("cache_by_key", Config, in.by_key,                                            \
                     "keep answers apart by API key, so that the time an answer takes tells "      \
                     "nobody what others asked")

typedef struct _ServeCache ServeCache;

/** ServeCacheKey: 128 bits; all of them zero is no key: nothing is found or kept by it. */
typedef struct
{
  guint64 high, low;
} ServeCacheKey;

/**
 * ServeCached: a value; immutable once it is put; reference-counted.
 * @data: the caller's: the bytes that were sent (first level), an answer (second level)
 * @size: what it takes in memory, about
 * @kind: the caller's: which of these, content type
 * @prompt_tokens, @answer_tokens, @stop: for logs and counters; @stop points to constant data
 * @model, @revision: who answered, interned (g_intern_string())
 * @expires: monotonic µs; 0: serve_cache_put() sets it.  A first-level value made of a second-level
 * one takes over its time.
 */
typedef struct
{
  gint refs;
  gpointer data;
  GDestroyNotify data_free;
  gsize size;
  guint kind;
  guint prompt_tokens, answer_tokens;
  const char *stop, *model, *revision;
  gint64 expires;
} ServeCached;

/** serve_cached_new: @data: taken. */
ServeCached *serve_cached_new (gpointer data, gsize size, GDestroyNotify data_free, guint kind);
ServeCached *serve_cached_ref (ServeCached *value);
void serve_cached_unref (ServeCached *value);

/** serve_cache_new: NULL when the configuration keeps nothing; every function here takes NULL. */
ServeCache *serve_cache_new (const ServeCacheConfig *config);
/** serve_cache_free: who still waits is never called. */
void serve_cache_free (ServeCache *cache);

/**
 * serve_cache_allows: whether an answer with these settings may be kept.
 * @temperature: that counts (after the model's own were taken)
 * @seeded: the request gave a seed
 * @control: the request's Cache-Control header, NULL for none: no-cache and no-store bypass
 * Returns SERVE_CACHE_MISS: look it up; SERVE_CACHE_BYPASS; SERVE_CACHE_NONE: there is no cache.
 */
ServeCacheState serve_cache_allows (ServeCache *cache, double temperature, gboolean seeded,
                                    const char *control);

/* ---- keys --------------------------------------------------------------------------------------
 */

/**
 * serve_cache_body_key: of the first level.
 * @route: "POST /v1/chat/completions"
 * @owner: name of the API key; counts when cache_by_key is set, or when @split
 * @split: serve_models_split(): some name answers from several revisions, chosen by who asks; then
 * there is no key for nobody (@owner NULL)
 * Use it for plain (not streamed) requests, before the body is parsed: a value is only there when
 * the request before it was allowed to be kept.
 */
ServeCacheKey serve_cache_body_key (ServeCache *cache, const char *route, const char *owner,
                                    gboolean split, const void *body, gsize len);

/** ServeCacheHash: of the second level: parts are added in a fixed order. Lives on the stack. */
typedef struct
{
  gpointer state; /* XXH3_state_t */
} ServeCacheHash;

/** serve_cache_hash_init: @owner as above. */
void serve_cache_hash_init (ServeCacheHash *hash, ServeCache *cache, const char *owner);
/** serve_cache_hash_add: bytes, with their length before them, so that no two rows of parts read
 * alike. */
void serve_cache_hash_add (ServeCacheHash *hash, const void *data, gsize len);
void serve_cache_hash_add_text (ServeCacheHash *hash, const char *text); /* NULL is not "" */
void serve_cache_hash_add_int (ServeCacheHash *hash, gint64 value);
void serve_cache_hash_add_double (ServeCacheHash *hash, double value);
/** serve_cache_hash_end: the key; releases the state: call it exactly once. */
ServeCacheKey serve_cache_hash_end (ServeCacheHash *hash);

/* ---- values ------------------------------------------------------------------------------------
 */

/** serve_cache_look: the value of @key or NULL; the caller's to unref.  Counts a hit, never a miss.
 */
ServeCached *serve_cache_look (ServeCache *cache, ServeCacheKey key, gint64 now);

typedef enum
{
  SERVE_FLIGHT_HIT = 1, /* *value is set */
  SERVE_FLIGHT_LEAD,    /* compute it, then put or abandon */
  SERVE_FLIGHT_ALONE,   /* compute it: somebody else leads; putting it is welcome, abandoning is not
                         */
  SERVE_FLIGHT_WAIT     /* the callback comes, unless serve_cache_leave() is in time */
} ServeFlight;

/**
 * ServeLanded: the flight that was waited for has landed.
 * @value: the answer, borrowed; NULL: the leader gave up and the callee leads now: it computes,
 * then puts or abandons
 */
typedef void (*ServeLanded) (gpointer data, ServeCached *value);

/**
 * serve_cache_begin: looks @key up, and takes part in its flight.
 * @value: written: a reference with SERVE_FLIGHT_HIT, else NULL
 * @landed: NULL: does not wait, as streams, which want their first token soon
 * @ticket: written with SERVE_FLIGHT_WAIT, for serve_cache_leave(); the callback may have come
 * already when this returns.  NULL with no @landed
 */
ServeFlight serve_cache_begin (ServeCache *cache, ServeCacheKey key, gint64 now,
                               ServeCached **value, ServeLanded landed, gpointer data,
                               guint64 *ticket);
/** serve_cache_leave: stops waiting.  FALSE: too late, the callback came or is coming, maybe with
 * the lead. */
gboolean serve_cache_leave (ServeCache *cache, ServeCacheKey key, guint64 ticket);

/**
 * serve_cache_put: keeps @value (borrowed) under @key, ends its flight, and calls who waits.
 * A value larger than an eighth of the cache is given to who waits and not kept.
 */
void serve_cache_put (ServeCache *cache, ServeCacheKey key, ServeCached *value, gint64 now);
/** serve_cache_abandon: the leader has no answer (an error, its client left): the first that waits
 * leads now. */
void serve_cache_abandon (ServeCache *cache, ServeCacheKey key);

/** serve_cache_turn: models or routes changed: no first-level key made before is found again. */
void serve_cache_turn (ServeCache *cache);
/** serve_cache_clear: everything; returns how many values went. */
guint64 serve_cache_clear (ServeCache *cache);

/** ServeCacheCounts: since the start, but for @entries and @bytes, which are now. */
typedef struct
{
  guint64 hits, misses, shared, stored, evicted, expired, too_large, entries, bytes;
} ServeCacheCounts;

void serve_cache_counts (ServeCache *cache, ServeCacheCounts *counts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeCached, serve_cached_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeCache, serve_cache_free)

G_END_DECLS

#endif
