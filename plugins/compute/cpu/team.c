/* SPDX-License-Identifier: Apache-2.0 */
/* team.c: see team.h.
 *
 * The work at hand is told by one word of 64 bits: its number, how many threads may take part, and
 * how many parts nobody has taken yet.  Whoever takes one less by compare-and-swap has a part of
 * just that work, which then cannot end before it; what is to be done is read after that.  So a
 * thread that comes late, with what it saw of earlier work, takes nothing and reads nothing.
 * (A number comes again after 2^32 pieces of work: an hour of nothing but such, in which the
 * thread would have to lie between two instructions.)
 *
 * Beside other programs a team gets fewer processors than it has threads.  Then most of its time
 * goes by with one thread that watches and one that stands in line for a processor, in turns of a
 * time slice each, which is hundreds of pieces of work; and what the one spends on watching, the
 * other is not given.  So a caller that has to sleep looks now and then how long its threads stood
 * in line, and while that is about a thread's whole time, the helper that stood longest sits out
 * for a while, and longer when it comes to the same again: few threads that run are faster than
 * more that wait for each other.  Nothing of this shows in results: parts are the same whoever
 * does them.
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/team.h"

#define PARTS 4 /* for a thread */

#define LEFT_BITS 22
#define TEAM_BITS 10
#define MOST_PARTS (((gsize) 1 << LEFT_BITS) - 1)
#define MOST_THREADS ((1u << TEAM_BITS) - 1)

#define PAUSES 16 /* between two looks at the clock */

/* How long who waits watches, in microseconds. */
#define WATCH_FOR_WORK 300
#define WATCH_FOR_END 100

/* When helpers sit out; in microseconds. */
#define WINDOW 10000       /* looked at together */
#define LAST_WINDOW 200000 /* too long to tell of now */
#define LEAST_REST 50000
#define MOST_REST 500000

typedef struct _Team Team;

/* A thread of a team; the first is the caller. */
typedef struct
{
  Team *team;
  guint thread;
  int line;       /* where the kernel tells how long it stood in line; -1: it does not; atomic */
  gint64 resting; /* until when; atomic */
  gint64 rest;    /* how long the last time: the caller's */
  gint64 stood;   /* in line, when the window began: the caller's */
  GThread *helper;
} Seat;

struct _Team
{
  /* What all watch, and what all write, each in a cache line of its own. */
  guint64 work __attribute__ ((aligned (64))); /* number, threads, parts left */
  gsize done __attribute__ ((aligned (64)));   /* parts */

  /* The work at hand: the caller's to write while nobody has a part. */
  LmCpuPart func __attribute__ ((aligned (64)));
  gconstpointer data;
  gsize parts, room;

  gint sleeping; /* helpers; atomic */
  gint waiting;  /* whether the caller sleeps; atomic */
  gint ending;   /* atomic */
  GMutex lock;   /* of going to sleep */
  GCond more, all, end;

  /* the caller's */
  gboolean busy;
  gint64 since; /* when the window began */
  guint n_threads;
  Seat seats[MOST_THREADS];
};

static void team_free (gpointer data);

static GPrivate own_team = G_PRIVATE_INIT (team_free);
static GPrivate helping = G_PRIVATE_INIT (NULL); /* whether this is a helper */

static inline void
pause_a_little (void)
{
  for (guint i = 0; i < PAUSES; i++)
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause ();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* yield takes no time */
#else
    __asm__ volatile("" ::: "memory");
#endif
}

/* ---- the word ---------------------------------------------------------------------------------*/

static inline gsize
left_of (guint64 work)
{
  return work & MOST_PARTS;
}

static inline guint
threads_of (guint64 work)
{
  return work >> LEFT_BITS & MOST_THREADS;
}

static inline guint64
number_of (guint64 work)
{
  return work >> (LEFT_BITS + TEAM_BITS);
}

static inline guint64
look (const Team *team)
{
  return __atomic_load_n (&team->work, __ATOMIC_SEQ_CST);
}

static inline gboolean
is_for (guint64 work, guint thread)
{
  return left_of (work) > 0 && thread < threads_of (work);
}

/* Whether the caller of this has a part of the work with this @number now. */
static gboolean
take (Team *team, guint64 number, guint thread, gsize *left)
{
  guint64 work = look (team);

  while (number_of (work) == number && is_for (work, thread))
    if (__atomic_compare_exchange_n (&team->work, &work, work - 1, FALSE, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      {
        *left = left_of (work);
        return TRUE;
      }
  return FALSE;
}

/* ---- parts ------------------------------------------------------------------------------------*/

/* After the last part the caller goes on, and what it was is no longer there. */
static void
finish (Team *team, gsize parts)
{
  if (__atomic_add_fetch (&team->done, 1, __ATOMIC_SEQ_CST) < parts
      || !g_atomic_int_get (&team->waiting))
    return;
  g_mutex_lock (&team->lock);
  g_mutex_unlock (&team->lock);
  g_cond_signal (&team->all);
}

static void
take_parts (Team *team, guint64 number, guint thread)
{
  gpointer room = NULL;
  gsize left;

  while (take (team, number, thread, &left))
    {
      const gsize parts = team->parts;

      if (room == NULL && team->room > 0)
        room = lm_cpu_workspace (team->room);
      team->func (team->data, &(LmCpuShare){ parts - left, parts, thread, room });
      finish (team, parts);
    }
  free (room);
}

/* ---- helpers ----------------------------------------------------------------------------------*/

/* Work for this thread, or what was there when the team ended. */
static guint64
wait_for_work (Team *team, guint thread)
{
  const gint64 until = g_get_monotonic_time () + WATCH_FOR_WORK;
  guint64 work = look (team);

  while (!is_for (work, thread) && g_get_monotonic_time () < until)
    {
      pause_a_little ();
      work = look (team);
    }
  if (is_for (work, thread))
    return work;
  g_mutex_lock (&team->lock);
  g_atomic_int_inc (&team->sleeping);
  while (!is_for (work = look (team), thread) && !g_atomic_int_get (&team->ending))
    g_cond_wait (&team->more, &team->lock);
  g_atomic_int_add (&team->sleeping, -1);
  g_mutex_unlock (&team->lock);
  return work;
}

static void
sit_out (Seat *seat, gint64 until)
{
  Team *team = seat->team;

  g_mutex_lock (&team->lock);
  while (!g_atomic_int_get (&team->ending) && g_cond_wait_until (&team->end, &team->lock, until))
    ;
  g_mutex_unlock (&team->lock);
}

static gint64
resting_until (const Seat *seat)
{
  return __atomic_load_n (&seat->resting, __ATOMIC_RELAXED);
}

/* The file that tells of this thread: time on a processor, time in line for one, both in ns. */
static int
open_line (void)
{
  return open ("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

static gpointer
help (gpointer data)
{
  Seat *seat = data;
  Team *team = seat->team;
  gint64 rested = 0;

  g_private_set (&helping, data);
  g_atomic_int_set (&seat->line, open_line ());
  while (!g_atomic_int_get (&team->ending))
    {
      const guint64 work = wait_for_work (team, seat->thread);

      if (resting_until (seat) > rested)
        sit_out (seat, rested = resting_until (seat));
      else
        take_parts (team, number_of (work), seat->thread);
    }
  return NULL;
}

static void
wake (Team *team)
{
  g_mutex_lock (&team->lock);
  g_mutex_unlock (&team->lock);
  g_cond_broadcast (&team->more);
}

/* ---- the caller -------------------------------------------------------------------------------*/

static Team *
team_new (void)
{
  Team *team = lm_cpu_workspace (sizeof *team);

  *team = (Team){ .n_threads = 1 };
  team->seats[0] = (Seat){ .team = team, .line = open_line () };
  g_mutex_init (&team->lock);
  g_cond_init (&team->more);
  g_cond_init (&team->all);
  g_cond_init (&team->end);
  return team;
}

static void
team_free (gpointer data)
{
  Team *team = data;

  g_atomic_int_set (&team->ending, TRUE);
  wake (team);
  g_cond_broadcast (&team->end);
  for (guint i = 1; i < team->n_threads; i++)
    g_thread_join (team->seats[i].helper);
  for (guint i = 0; i < team->n_threads; i++)
    if (team->seats[i].line >= 0)
      close (team->seats[i].line);
  g_mutex_clear (&team->lock);
  g_cond_clear (&team->more);
  g_cond_clear (&team->all);
  g_cond_clear (&team->end);
  free (team);
}

/* What cannot be had, threads or memory for them, is done without. */
static void
grow (Team *team, guint threads)
{
  while (team->n_threads < threads)
    {
      const guint i = team->n_threads;

      team->seats[i] = (Seat){ .team = team, .thread = i, .line = -1 };
      team->seats[i].helper = g_thread_try_new ("compute", help, &team->seats[i], NULL);
      if (team->seats[i].helper == NULL)
        return;
      team->n_threads++;
    }
}

static gboolean
is_done (Team *team)
{
  return __atomic_load_n (&team->done, __ATOMIC_SEQ_CST) == team->parts;
}

/* How long a thread has stood in line for a processor; 0: the kernel does not tell. */
static gint64
stood_in_line (Seat *seat)
{
  const int line = g_atomic_int_get (&seat->line);
  char text[100] = "", *end;
  gssize n = line >= 0 ? pread (line, text, sizeof text - 1, 0) : 0;

  if (n <= 0)
    return 0;
  g_ascii_strtoull (text, &end, 10);
  return (gint64) (g_ascii_strtoull (end, NULL, 10) / 1000);
}

static void
begin_window (Team *team, gint64 now)
{
  team->since = now;
  for (guint i = 0; i < team->n_threads; i++)
    team->seats[i].stood = stood_in_line (&team->seats[i]);
}

/* Whoever stood in line longest since the window began is away for a while: longer when it has been
 * back for a moment only. */
static void
send_away (Seat *seat, gint64 now)
{
  const gboolean again = now - resting_until (seat) < MOST_REST;

  seat->rest = again ? MIN (2 * seat->rest, MOST_REST) : LEAST_REST;
  __atomic_store_n (&seat->resting, now + seat->rest, __ATOMIC_RELAXED);
}

/* The caller had to sleep until parts were done. */
static void
look_around (Team *team)
{
  const gint64 now = g_get_monotonic_time (), window = now - team->since;
  gint64 all = 0, most = 0;
  Seat *longest = NULL;

  if (window > LAST_WINDOW)
    begin_window (team, now);
  if (window < WINDOW || window > LAST_WINDOW)
    return;
  for (guint i = 0; i < team->n_threads; i++)
    {
      Seat *seat = &team->seats[i];
      const gint64 stood = stood_in_line (seat) - seat->stood;

      all += stood;
      if (i > 0 && stood > most)
        {
          most = stood;
          longest = seat;
        }
    }
  if (longest != NULL && all > window / 2 && most > window / 3)
    send_away (longest, now);
  begin_window (team, now);
}

static void
wait_for_end (Team *team)
{
  gint64 until;

  if (is_done (team))
    return;
  until = g_get_monotonic_time () + WATCH_FOR_END;
  while (!is_done (team) && g_get_monotonic_time () < until)
    pause_a_little ();
  if (is_done (team))
    return;
  g_mutex_lock (&team->lock);
  g_atomic_int_set (&team->waiting, TRUE);
  while (!is_done (team))
    g_cond_wait (&team->all, &team->lock);
  g_atomic_int_set (&team->waiting, FALSE);
  g_mutex_unlock (&team->lock);
  look_around (team);
}

static void
share (Team *team, guint threads, gsize parts, gsize room, LmCpuPart func, gconstpointer data)
{
  const guint64 number = (number_of (team->work) + 1) & G_MAXUINT32;

  team->func = func;
  team->data = data;
  team->parts = parts;
  team->room = room;
  __atomic_store_n (&team->done, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&team->work,
                    number << (LEFT_BITS + TEAM_BITS) | (guint64) threads << LEFT_BITS | parts,
                    __ATOMIC_SEQ_CST);
  if (g_atomic_int_get (&team->sleeping) > 0)
    wake (team);
  team->busy = TRUE;
  take_parts (team, number, 0);
  team->busy = FALSE;
  wait_for_end (team);
}

static void
do_alone (gsize parts, gsize room, LmCpuPart func, gconstpointer data)
{
  gpointer own = room > 0 ? lm_cpu_workspace (room) : NULL;

  for (gsize i = 0; i < parts; i++)
    func (data, &(LmCpuShare){ i, parts, 0, own });
  free (own);
}

gsize
lm_cpu_parts (guint threads, gsize n)
{
  return MIN (n, threads > 1 ? PARTS * (gsize) threads : 1);
}

void
lm_cpu_share (guint threads, gsize parts, gsize room, LmCpuPart func, gconstpointer data)
{
  Team *team;

  threads = MIN (MIN (threads, parts), MOST_THREADS);
  if (threads <= 1 || parts > MOST_PARTS)
    {
      do_alone (parts, room, func, data);
      return;
    }
  team = g_private_get (&own_team);
  if (team == NULL && g_private_get (&helping) == NULL)
    g_private_set (&own_team, team = team_new ());
  if (team == NULL || team->busy)
    {
      do_alone (parts, room, func, data);
      return;
    }
  grow (team, threads);
  share (team, threads, parts, room, func, data);
}
