/* SPDX-License-Identifier: Apache-2.0 */
/* test-cache.c: keys, rules, bounds, time, flights; how fast a hit is. */
#include "config.h"

#include <string.h>
#include <time.h>

#include "cache.h"

#if defined (__SANITIZE_THREAD__) || defined (__SANITIZE_ADDRESS__)
#define SLOW 250 /* µs */
#else
#define SLOW 25
#endif

#define ROUTE "POST /v1/chat/completions"

static guint n_freed;

static void
count_free (gpointer data)
{
  g_atomic_int_inc (&n_freed);
  g_free (data);
}

static ServeCached *
value_new (const char *text, gsize size)
{
  return serve_cached_new (g_strdup (text), size, count_free, 1);
}

static ServeCache *
cache_new (guint64 size, gint64 ttl)
{
  ServeCacheConfig config = { .rule = SERVE_CACHE_RULE_DETERMINISTIC, .size = size, .ttl = ttl };

  return serve_cache_new (&config);
}

static ServeCacheKey
key_of (ServeCache *cache, const char *text)
{
  ServeCacheHash hash;

  serve_cache_hash_init (&hash, cache, NULL);
  serve_cache_hash_add_text (&hash, text);
  return serve_cache_hash_end (&hash);
}

static void
put (ServeCache *cache, const char *key, const char *text, gsize size, gint64 now)
{
  g_autoptr (ServeCached) value = value_new (text, size);

  serve_cache_put (cache, key_of (cache, key), value, now);
}

static void
assert_holds (ServeCache *cache, const char *key, const char *text, gint64 now)
{
  g_autoptr (ServeCached) value = serve_cache_look (cache, key_of (cache, key), now);

  g_assert_cmpstr (value != NULL ? value->data : NULL, ==, text);
}

static gboolean
same (ServeCacheKey a, ServeCacheKey b)
{
  return a.high == b.high && a.low == b.low;
}

/* ---- rules and keys ----------------------------------------------------------------------------
 */

static void
test_allows (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0);
  ServeCacheConfig all = { .rule = SERVE_CACHE_RULE_ALL, .size = 1 << 20 };
  g_autoptr (ServeCache) keeps_all = serve_cache_new (&all);

  g_assert_cmpint (serve_cache_allows (cache, 0, FALSE, NULL), ==, SERVE_CACHE_MISS);
  g_assert_cmpint (serve_cache_allows (cache, 0.7, TRUE, NULL), ==, SERVE_CACHE_MISS);
  g_assert_cmpint (serve_cache_allows (cache, 0.7, FALSE, NULL), ==, SERVE_CACHE_BYPASS);
  g_assert_cmpint (serve_cache_allows (keeps_all, 0.7, FALSE, NULL), ==, SERVE_CACHE_MISS);
  g_assert_cmpint (serve_cache_allows (NULL, 0, FALSE, NULL), ==, SERVE_CACHE_NONE);
  g_assert_cmpint (serve_cache_allows (cache, 0, FALSE, "no-cache"), ==, SERVE_CACHE_BYPASS);
  g_assert_cmpint (serve_cache_allows (cache, 0, FALSE, "max-age=0, No-Store"), ==,
                   SERVE_CACHE_BYPASS);
  g_assert_cmpint (serve_cache_allows (cache, 0, FALSE, "max-age=10,\tno-cache=\"x\""), ==,
                   SERVE_CACHE_BYPASS);
  /* Words that only begin so are others. */
  g_assert_cmpint (serve_cache_allows (cache, 0, FALSE, "no-cachet, max-age=no-cache"), ==,
                   SERVE_CACHE_MISS);
  g_assert_cmpint (serve_cache_allows (cache, 0, FALSE, ""), ==, SERVE_CACHE_MISS);
}

static void
test_off (void)
{
  ServeCacheConfig off = { .rule = SERVE_CACHE_RULE_OFF, .size = 1 << 20 };
  ServeCacheConfig empty = { .rule = SERVE_CACHE_RULE_ALL, .size = 0 };
  g_autoptr (ServeCached) value = value_new ("x", 1);
  ServeCacheKey key = serve_cache_body_key (NULL, ROUTE, NULL, FALSE, "x", 1);
  ServeCached *found;
  ServeCacheCounts counts;

  g_assert_null (serve_cache_new (&off));
  g_assert_null (serve_cache_new (&empty));
  g_assert_null (serve_cache_look (NULL, key, 0));
  g_assert_cmpint (serve_cache_begin (NULL, key, 0, &found, NULL, NULL, NULL), ==,
                   SERVE_FLIGHT_ALONE);
  serve_cache_put (NULL, key, value, 0);
  serve_cache_abandon (NULL, key);
  serve_cache_turn (NULL);
  g_assert_cmpuint (serve_cache_clear (NULL), ==, 0);
  serve_cache_counts (NULL, &counts);
  g_assert_cmpuint (counts.entries, ==, 0);
}

static void
test_body_keys (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0), other = cache_new (1 << 20, 0);
  ServeCacheConfig apart = { .rule = SERVE_CACHE_RULE_ALL, .size = 1 << 20, .by_key = TRUE };
  g_autoptr (ServeCache) by_key = serve_cache_new (&apart);
  const char *body = "{\"messages\":[{\"role\":\"user\",\"content\":\"你好\"}]}";
  gsize len = strlen (body);
  ServeCacheKey key = serve_cache_body_key (cache, ROUTE, "a", FALSE, body, len);

  g_assert_true (same (key, serve_cache_body_key (cache, ROUTE, "a", FALSE, body, len)));
  g_assert_true (same (key, serve_cache_body_key (cache, ROUTE, "b", FALSE, body, len)));
  g_assert_false (same (key, serve_cache_body_key (cache, ROUTE, "a", FALSE, body, len - 1)));
  g_assert_false (
      same (key, serve_cache_body_key (cache, "POST /generate", "a", FALSE, body, len)));
  /* Others cannot compute our keys. */
  g_assert_false (same (key, serve_cache_body_key (other, ROUTE, "a", FALSE, body, len)));
  /* Where who asks decides, or is kept apart, the owner counts. */
  g_assert_false (same (serve_cache_body_key (cache, ROUTE, "a", TRUE, body, len),
                        serve_cache_body_key (cache, ROUTE, "b", TRUE, body, len)));
  g_assert_false (same (serve_cache_body_key (by_key, ROUTE, "a", FALSE, body, len),
                        serve_cache_body_key (by_key, ROUTE, NULL, FALSE, body, len)));
  g_assert_true (
      same (serve_cache_body_key (cache, ROUTE, NULL, TRUE, body, len), (ServeCacheKey){ 0, 0 }));
  serve_cache_turn (cache);
  g_assert_false (same (key, serve_cache_body_key (cache, ROUTE, "a", FALSE, body, len)));
}

static ServeCacheKey
parts_key (ServeCache *cache, const char *a, const char *b, gint64 n, double d)
{
  ServeCacheHash hash;

  serve_cache_hash_init (&hash, cache, NULL);
  serve_cache_hash_add_text (&hash, a);
  serve_cache_hash_add_text (&hash, b);
  serve_cache_hash_add_int (&hash, n);
  serve_cache_hash_add_double (&hash, d);
  return serve_cache_hash_end (&hash);
}

static void
test_parts (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0);
  ServeCacheKey key = parts_key (cache, "ab", "c", 1, 0.5);

  g_assert_true (same (key, parts_key (cache, "ab", "c", 1, 0.5)));
  g_assert_false (same (key, parts_key (cache, "a", "bc", 1, 0.5)));
  g_assert_false (same (key, parts_key (cache, "ab", "c", 2, 0.5)));
  g_assert_false (same (key, parts_key (cache, "ab", "c", 1, 0.25)));
  g_assert_false (same (parts_key (cache, "", "c", 1, 0), parts_key (cache, NULL, "c", 1, 0)));
  g_assert_true (same (parts_key (cache, "", "", 1, 0.0), parts_key (cache, "", "", 1, -0.0)));
}

/* ---- values ------------------------------------------------------------------------------------
 */

static void
test_values (void)
{
  ServeCache *cache = cache_new (1 << 20, 0);
  ServeCacheCounts counts;

  n_freed = 0;
  put (cache, "问题", "答案", 6, 0);
  assert_holds (cache, "问题", "答案", 0);
  assert_holds (cache, "other", NULL, 0);
  put (cache, "问题", "新答案", 9, 0);
  assert_holds (cache, "问题", "新答案", G_MAXINT64);
  g_assert_cmpuint (n_freed, ==, 1);
  serve_cache_counts (cache, &counts);
  g_assert_cmpuint (counts.entries, ==, 1);
  g_assert_cmpuint (counts.hits, ==, 2);
  g_assert_cmpuint (counts.stored, ==, 2);
  g_assert_cmpuint (counts.bytes, >=, 9);
  g_assert_cmpuint (serve_cache_clear (cache), ==, 1);
  assert_holds (cache, "问题", NULL, 0);
  serve_cache_counts (cache, &counts);
  g_assert_cmpuint (counts.bytes, ==, 0);
  put (cache, "again", "x", 1, 0);
  serve_cache_free (cache);
  g_assert_cmpuint (n_freed, ==, 3);
}

/* Nothing is kept by no key. */
static void
test_no_key (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0);
  g_autoptr (ServeCached) value = value_new ("x", 1);
  ServeCacheCounts counts;

  serve_cache_put (cache, (ServeCacheKey){ 0, 0 }, value, 0);
  g_assert_null (serve_cache_look (cache, (ServeCacheKey){ 0, 0 }, 0));
  serve_cache_counts (cache, &counts);
  g_assert_cmpuint (counts.entries, ==, 0);
}

static void
test_time (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 1000);
  g_autoptr (ServeCached) early = value_new ("early", 1);
  ServeCacheCounts counts;

  put (cache, "a", "x", 1, 50);
  assert_holds (cache, "a", "x", 1049);
  assert_holds (cache, "a", NULL, 1050);
  serve_cache_counts (cache, &counts);
  g_assert_cmpuint (counts.expired, ==, 1);
  g_assert_cmpuint (counts.entries, ==, 0);
  /* What is made of another value goes when that goes. */
  early->expires = 100;
  serve_cache_put (cache, key_of (cache, "b"), early, 90);
  assert_holds (cache, "b", "early", 99);
  assert_holds (cache, "b", NULL, 100);
}

static void
test_bounds (void)
{
  g_autoptr (ServeCache) cache = cache_new (20000, 0);
  ServeCacheCounts counts;
  char key[16];

  for (guint i = 0; i < 100; i++)
    {
      g_snprintf (key, sizeof key, "%u", i);
      put (cache, key, "x", 800, 0);
      if (i > 0)
        assert_holds (cache, "0", "x", 0); /* used all the time: it stays */
      serve_cache_counts (cache, &counts);
      g_assert_cmpuint (counts.bytes, <=, 20000);
    }
  g_assert_cmpuint (counts.entries, >=, 15);
  g_assert_cmpuint (counts.evicted, ==, 100 - counts.entries);
  assert_holds (cache, "99", "x", 0);
  assert_holds (cache, "1", NULL, 0);
  put (cache, "huge", "x", 2500, 0);
  assert_holds (cache, "huge", NULL, 0);
  serve_cache_counts (cache, &counts);
  g_assert_cmpuint (counts.too_large, ==, 1);
}

/* ---- flights -----------------------------------------------------------------------------------
 */

typedef struct
{
  guint calls, leads;
  char *text;
} Landed;

static void
landed (gpointer data, ServeCached *value)
{
  Landed *l = data;

  l->calls++;
  l->leads += value == NULL ? 1 : 0;
  g_free (l->text);
  l->text = value != NULL ? g_strdup (value->data) : NULL;
}

static void
test_flight (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0);
  ServeCacheKey key = key_of (cache, "q");
  Landed lead = { 0 }, a = { 0 }, b = { 0 };
  ServeCacheCounts counts;
  ServeCached *value;
  guint64 ticket = 0, other = 0;

  g_assert_cmpint (serve_cache_begin (cache, key, 0, &value, landed, &lead, &ticket), ==,
                   SERVE_FLIGHT_LEAD);
  g_assert_cmpint (serve_cache_begin (cache, key, 0, &value, landed, &a, &ticket), ==,
                   SERVE_FLIGHT_WAIT);
  g_assert_cmpint (serve_cache_begin (cache, key, 0, &value, landed, &b, &other), ==,
                   SERVE_FLIGHT_WAIT);
  g_assert_cmpint (serve_cache_begin (cache, key, 0, &value, NULL, NULL, NULL), ==,
                   SERVE_FLIGHT_ALONE);
  g_assert_true (serve_cache_leave (cache, key, other));
  g_assert_false (serve_cache_leave (cache, key, other));
  put (cache, "q", "answer", 6, 0);
  g_assert_cmpuint (a.calls, ==, 1);
  g_assert_cmpstr (a.text, ==, "answer");
  g_assert_cmpuint (b.calls + lead.calls, ==, 0);
  g_assert_false (serve_cache_leave (cache, key, ticket));
  g_assert_cmpint (serve_cache_begin (cache, key, 0, &value, landed, &b, &other), ==,
                   SERVE_FLIGHT_HIT);
  g_assert_cmpstr (value->data, ==, "answer");
  serve_cached_unref (value);
  serve_cache_counts (cache, &counts);
  g_assert_cmpuint (counts.shared, ==, 1);
  g_assert_cmpuint (counts.misses, ==, 2);
  g_free (a.text);
}

static void
test_abandon (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0);
  ServeCacheKey key = key_of (cache, "q");
  Landed a = { 0 }, b = { 0 };
  ServeCached *value;
  guint64 ticket;

  serve_cache_begin (cache, key, 0, &value, landed, NULL, &ticket);
  serve_cache_begin (cache, key, 0, &value, landed, &a, &ticket);
  serve_cache_begin (cache, key, 0, &value, landed, &b, &ticket);
  serve_cache_abandon (cache, key);
  g_assert_cmpuint (a.leads, ==, 1);
  g_assert_cmpuint (b.calls, ==, 0);
  /* A value too large to keep is shared all the same. */
  put (cache, "q", "long", 1 << 20, 0);
  g_assert_cmpstr (b.text, ==, "long");
  assert_holds (cache, "q", NULL, 0);
  g_free (b.text);
  serve_cache_begin (cache, key, 0, &value, landed, NULL, &ticket);
  serve_cache_abandon (cache, key);
  g_assert_cmpint (serve_cache_begin (cache, key, 0, &value, landed, NULL, &ticket), ==,
                   SERVE_FLIGHT_LEAD);
}

/* Many threads, few questions: each is computed once as long as it is kept. */
typedef struct
{
  ServeCache *cache;
  gint computed, answered, wrong;
} Crowd;

typedef struct
{
  Crowd *crowd;
  guint question;
} Asked;

static void answer_asked (Asked *asked);

static void
crowd_landed (gpointer data, ServeCached *value)
{
  Asked *asked = data;

  if (value == NULL)
    {
      answer_asked (asked);
      return;
    }
  g_atomic_int_inc (&asked->crowd->answered);
  if (GPOINTER_TO_UINT (value->data) != asked->question + 1)
    g_atomic_int_inc (&asked->crowd->wrong);
  g_free (asked);
}

static ServeCacheKey
question_key (Crowd *crowd, guint question)
{
  ServeCacheHash hash;

  serve_cache_hash_init (&hash, crowd->cache, NULL);
  serve_cache_hash_add_int (&hash, question);
  return serve_cache_hash_end (&hash);
}

static void
answer_asked (Asked *asked)
{
  Crowd *crowd = asked->crowd;
  guint question = asked->question;

  if (g_atomic_int_add (&crowd->computed, 1) % 3 == 2)
    {
      serve_cache_abandon (crowd->cache, question_key (crowd, question));
      g_atomic_int_inc (&crowd->answered); /* by an error */
    }
  else
    {
      g_autoptr (ServeCached) value
          = serve_cached_new (GUINT_TO_POINTER (question + 1), 8, NULL, 0);

      serve_cache_put (crowd->cache, question_key (crowd, question), value, 0);
      g_atomic_int_inc (&crowd->answered);
    }
  g_free (asked);
}

#define CROWD_THREADS 8
#define CROWD_ASKS 2000

static gpointer
crowd_run (gpointer data)
{
  Crowd *crowd = data;

  for (guint i = 0; i < CROWD_ASKS; i++)
    {
      Asked *asked = g_new (Asked, 1);
      ServeCached *value;
      guint64 ticket;

      *asked = (Asked){ crowd, i % 50 };
      switch (serve_cache_begin (crowd->cache, question_key (crowd, asked->question), 0, &value,
                                 crowd_landed, asked, &ticket))
        {
        case SERVE_FLIGHT_HIT:
          crowd_landed (asked, value);
          serve_cached_unref (value);
          break;
        case SERVE_FLIGHT_LEAD:
          answer_asked (asked);
          break;
        case SERVE_FLIGHT_WAIT:
          break;
        case SERVE_FLIGHT_ALONE:
        default:
          g_assert_not_reached ();
        }
    }
  return NULL;
}

static void
test_crowd (void)
{
  g_autoptr (ServeCache) cache = cache_new (1 << 20, 0);
  Crowd crowd = { .cache = cache };
  GThread *threads[CROWD_THREADS];

  for (guint i = 0; i < CROWD_THREADS; i++)
    threads[i] = g_thread_new ("crowd", crowd_run, &crowd);
  for (guint i = 0; i < CROWD_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (crowd.answered, ==, CROWD_THREADS * CROWD_ASKS);
  g_assert_cmpint (crowd.wrong, ==, 0);
  g_assert_cmpint (crowd.computed, <, 400);
}

/* ---- speed -------------------------------------------------------------------------------------
 */

/* A hit must leave nearly all of 50 µs (20 000 a second) to HTTP: key of a 2 kB body, and look-up.
 */
static void
test_speed (void)
{
  g_autoptr (ServeCache) cache = cache_new (64 << 20, G_TIME_SPAN_HOUR);
  g_autofree char *body = g_strnfill (2000, 'x');
  enum
  {
    N = 200000,
    ENTRIES = 10000
  };
  clock_t start;
  double each;

  for (guint i = 0; i < ENTRIES; i++)
    {
      g_autoptr (ServeCached) value = value_new ("answer", 500);

      memcpy (body, &i, sizeof i);
      serve_cache_put (cache, serve_cache_body_key (cache, ROUTE, NULL, FALSE, body, 2000), value,
                       0);
    }
  start = clock (); /* the processor's time: others may be at work on the machine */
  for (guint i = 0; i < N; i++)
    {
      guint which = i % ENTRIES;
      ServeCached *value;

      memcpy (body, &which, sizeof which);
      value = serve_cache_look (cache, serve_cache_body_key (cache, ROUTE, NULL, FALSE, body, 2000),
                                0);
      g_assert_nonnull (value);
      serve_cached_unref (value);
    }
  each = (double) (clock () - start) * 1e6 / CLOCKS_PER_SEC / N;
  g_test_minimized_result (each, "a hit of the first level takes %.3f µs", each);
  g_assert_cmpfloat (each, <, SLOW); /* of any machine */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cache/allows", test_allows);
  g_test_add_func ("/cache/off", test_off);
  g_test_add_func ("/cache/body-keys", test_body_keys);
  g_test_add_func ("/cache/parts", test_parts);
  g_test_add_func ("/cache/values", test_values);
  g_test_add_func ("/cache/no-key", test_no_key);
  g_test_add_func ("/cache/time", test_time);
  g_test_add_func ("/cache/bounds", test_bounds);
  g_test_add_func ("/cache/flight", test_flight);
  g_test_add_func ("/cache/abandon", test_abandon);
  g_test_add_func ("/cache/crowd", test_crowd);
  g_test_add_func ("/cache/speed", test_speed);
  return g_test_run ();
}
