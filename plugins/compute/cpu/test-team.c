/* SPDX-License-Identifier: Apache-2.0 */
/* test-team.c: work divided among threads, whichever of them is held up.
 *
 * Nothing here goes by the clock: threads wait for each other where a library that meets at every
 * end would wait for ever.
 */
#include "config.h"

#include "compute/cpu/team.h"

#define MOST 4096

typedef struct
{
  guint threads, room;
  gint times[MOST];
  gint inside[8]; /* calls of each thread under way */
} Counts;

static void
count_part (gconstpointer data, const LmCpuShare *share)
{
  Counts *c = (Counts *) data;

  g_assert_cmpuint (share->thread, <, c->threads);
  g_assert_cmpint (g_atomic_int_add (&c->inside[share->thread], 1), ==, 0);
  g_assert_true ((share->room != NULL) == (c->room > 0));
  g_assert_cmpuint ((gsize) share->room % 64, ==, 0);
  if (c->room > 0)
    memset (share->room, 0x5a, c->room);
  g_atomic_int_inc (&c->times[share->part]);
  g_atomic_int_add (&c->inside[share->thread], -1);
}

static void
count_all (guint threads, gsize parts, guint room)
{
  g_autofree Counts *c = g_new0 (Counts, 1);

  c->threads = threads;
  c->room = room;
  lm_cpu_share (threads, parts, room, count_part, c);
  for (gsize i = 0; i < MOST; i++)
    g_assert_cmpint (c->times[i], ==, i < parts);
}

/* Each part once, by few threads and many, after more of them and after fewer. */
static void
test_parts (void)
{
  static const guint threads[] = { 1, 2, 7, 3, 8, 2 };
  static const gsize parts[] = { 0, 1, 2, 7, 8, 100, MOST };

  for (guint round = 0; round < 50; round++)
    for (gsize t = 0; t < G_N_ELEMENTS (threads); t++)
      for (gsize p = 0; p < G_N_ELEMENTS (parts); p++)
        count_all (threads[t], parts[p], (round + p) % 3 * 1000);
}

/* Stretches cover everything once, and are a function of the numbers alone. */
static void
test_stretches (void)
{
  for (guint threads = 1; threads < 9; threads++)
    for (gsize n = 0; n < 300; n += 1 + n / 7)
      {
        LmCpuShare share = { .parts = lm_cpu_parts (threads, n) };
        gsize at = 0;

        g_assert_cmpuint (share.parts, <=, n);
        g_assert_true (threads > 1 || share.parts <= 1);
        for (; share.part < share.parts; share.part++)
          {
            g_assert_cmpuint (lm_cpu_from (&share, n), ==, at);
            at = lm_cpu_to (&share, n);
          }
        g_assert_cmpuint (at, ==, n);
      }
}

typedef struct
{
  GMutex lock;
  GCond changed;
  gsize parts, done;
  gboolean helped;
} Late;

/* A helper that has a part is away until all the others are done; the caller does not begin before
 * it has one. */
static void
late_part (gconstpointer data, const LmCpuShare *share)
{
  Late *l = (Late *) data;

  g_mutex_lock (&l->lock);
  if (share->thread > 0)
    {
      l->helped = TRUE;
      g_cond_broadcast (&l->changed);
      while (l->done < l->parts - 1)
        g_cond_wait (&l->changed, &l->lock);
    }
  while (!l->helped)
    g_cond_wait (&l->changed, &l->lock);
  l->done++;
  g_cond_broadcast (&l->changed);
  g_mutex_unlock (&l->lock);
}

/* One part is all that a helper holds up, for as long as it may be away. */
static void
test_late (void)
{
  for (guint round = 0; round < 100; round++)
    {
      Late l = { .parts = 2 + round % 10 };

      g_mutex_init (&l.lock);
      g_cond_init (&l.changed);
      lm_cpu_share (2, l.parts, 0, late_part, &l);
      g_assert_cmpuint (l.done, ==, l.parts);
      g_assert_true (l.helped);
      g_mutex_clear (&l.lock);
      g_cond_clear (&l.changed);
      /* helpers fall asleep now and then */
      if (round % 10 == 0)
        g_usleep (5000);
    }
}

typedef struct
{
  gint from, to; /* of counting */
  gint values[64];
} Chain;

static void
chain_part (gconstpointer data, const LmCpuShare *share)
{
  Chain *c = (Chain *) data;

  g_assert_cmpint (c->values[share->part], ==,
                   c->from); /* plain memory: what came before is seen */
  c->values[share->part] = c->to;
}

static void
count_up (guint threads)
{
  Chain c = { 0 };

  for (gint i = 0; i < 20000; i++)
    {
      c.from = i;
      c.to = i + 1;
      lm_cpu_share (threads, 1 + (gsize) i % G_N_ELEMENTS (c.values), 0, chain_part, &c);
      for (gsize p = 1 + (gsize) i % G_N_ELEMENTS (c.values); p < G_N_ELEMENTS (c.values); p++)
        c.values[p] = c.to;
    }
}

/* One piece of work after the other, each on what the last one left. */
static void
test_order (void)
{
  count_up (2);
  count_up (5);
}

static gpointer
count_up_thread (gpointer data)
{
  count_up (GPOINTER_TO_UINT (data));
  return NULL;
}

/* Several callers at once, whose helpers end with them. */
static void
test_callers (void)
{
  GThread *callers[4];

  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
        callers[i] = g_thread_new ("caller", count_up_thread, GUINT_TO_POINTER (1 + i));
      for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
        g_thread_join (callers[i]);
    }
}

static void
nested_part (gconstpointer data, const LmCpuShare *share)
{
  (void) share;
  (void) data;
  count_all (1, 10, 8); /* which wants all from one thread ... */
  {
    g_autofree Counts *c = g_new0 (Counts, 1);

    c->threads = 1; /* ... and gets it */
    lm_cpu_share (4, 100, 0, count_part, c);
    for (gsize i = 0; i < 100; i++)
      g_assert_cmpint (c->times[i], ==, 1);
  }
}

static void
test_nested (void)
{
  for (guint i = 0; i < 100; i++)
    lm_cpu_share (3, 20, 0, nested_part, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/team/parts", test_parts);
  g_test_add_func ("/team/stretches", test_stretches);
  g_test_add_func ("/team/late", test_late);
  g_test_add_func ("/team/order", test_order);
  g_test_add_func ("/team/callers", test_callers);
  g_test_add_func ("/team/nested", test_nested);
  return g_test_run ();
}
