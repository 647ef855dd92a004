/* SPDX-License-Identifier: Apache-2.0 */
/* locks.c: what GLib has to order threads, made of POSIX's, for a program under ThreadSanitizer.
 *
 * GLib's own mutexes, conditions and the like are atomics and futexes inside a library that is not
 * instrumented, so that the sanitizer would not see what they order, and tell of races that are
 * none. A program's definitions come before a library's; a library of ours binds to its own copy of
 * these, which is as good: all they know lies in the lock itself.  GLib's calls of itself stay as
 * they are.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <time.h>

/* ---- mutexes and conditions ------------------------------------------------------------------ */

static pthread_mutex_t *
mutex_of (GMutex *mutex)
{
  pthread_mutex_t *m = g_atomic_pointer_get (&mutex->p), *made;

  if (m != NULL)
    return m;
  made = g_new (pthread_mutex_t, 1);
  pthread_mutex_init (made, NULL);
  if (g_atomic_pointer_compare_and_exchange (&mutex->p, NULL, made))
    return made;
  pthread_mutex_destroy (made);
  g_free (made);
  return g_atomic_pointer_get (&mutex->p);
}

static pthread_cond_t *
cond_of (GCond *cond)
{
  pthread_cond_t *c = g_atomic_pointer_get (&cond->p), *made;
  pthread_condattr_t clock;

  if (c != NULL)
    return c;
  made = g_new (pthread_cond_t, 1);
  pthread_condattr_init (&clock);
  pthread_condattr_setclock (&clock, CLOCK_MONOTONIC);
  pthread_cond_init (made, &clock);
  pthread_condattr_destroy (&clock);
  if (g_atomic_pointer_compare_and_exchange (&cond->p, NULL, made))
    return made;
  pthread_cond_destroy (made);
  g_free (made);
  return g_atomic_pointer_get (&cond->p);
}

void
g_mutex_init (GMutex *mutex)
{
  mutex->p = NULL;
  mutex_of (mutex);
}

void
g_mutex_clear (GMutex *mutex)
{
  pthread_mutex_destroy (mutex_of (mutex));
  g_free (mutex->p);
}

void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (mutex_of (mutex));
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (mutex_of (mutex)) == 0;
}

void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (mutex_of (mutex));
}

void
g_cond_init (GCond *cond)
{
  cond->p = NULL;
  cond_of (cond);
}

void
g_cond_clear (GCond *cond)
{
  pthread_cond_destroy (cond_of (cond));
  g_free (cond->p);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (cond_of (cond), mutex_of (mutex));
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  struct timespec until = { end_time / G_USEC_PER_SEC, end_time % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (cond_of (cond), mutex_of (mutex), &until) != ETIMEDOUT;
}

void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (cond_of (cond));
}

void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (cond_of (cond));
}

/* ---- those that one thread takes more than once ---------------------------------------------- */

static pthread_mutex_t *
rec_mutex_of (GRecMutex *mutex)
{
  pthread_mutex_t *m = g_atomic_pointer_get (&mutex->p), *made;
  pthread_mutexattr_t recursive;

  if (m != NULL)
    return m;
  made = g_new (pthread_mutex_t, 1);
  pthread_mutexattr_init (&recursive);
  pthread_mutexattr_settype (&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init (made, &recursive);
  pthread_mutexattr_destroy (&recursive);
  if (g_atomic_pointer_compare_and_exchange (&mutex->p, NULL, made))
    return made;
  pthread_mutex_destroy (made);
  g_free (made);
  return g_atomic_pointer_get (&mutex->p);
}

void
g_rec_mutex_init (GRecMutex *mutex)
{
  mutex->p = NULL;
  rec_mutex_of (mutex);
}

void
g_rec_mutex_clear (GRecMutex *mutex)
{
  pthread_mutex_destroy (rec_mutex_of (mutex));
  g_free (mutex->p);
}

void
g_rec_mutex_lock (GRecMutex *mutex)
{
  pthread_mutex_lock (rec_mutex_of (mutex));
}

gboolean
g_rec_mutex_trylock (GRecMutex *mutex)
{
  return pthread_mutex_trylock (rec_mutex_of (mutex)) == 0;
}

void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  pthread_mutex_unlock (rec_mutex_of (mutex));
}

/* ---- readers and writers --------------------------------------------------------------------- */

static pthread_rwlock_t *
rw_lock_of (GRWLock *lock)
{
  pthread_rwlock_t *l = g_atomic_pointer_get (&lock->p), *made;

  if (l != NULL)
    return l;
  made = g_new (pthread_rwlock_t, 1);
  pthread_rwlock_init (made, NULL);
  if (g_atomic_pointer_compare_and_exchange (&lock->p, NULL, made))
    return made;
  pthread_rwlock_destroy (made);
  g_free (made);
  return g_atomic_pointer_get (&lock->p);
}

void
g_rw_lock_init (GRWLock *lock)
{
  lock->p = NULL;
  rw_lock_of (lock);
}

void
g_rw_lock_clear (GRWLock *lock)
{
  pthread_rwlock_destroy (rw_lock_of (lock));
  g_free (lock->p);
}

void
g_rw_lock_writer_lock (GRWLock *lock)
{
  pthread_rwlock_wrlock (rw_lock_of (lock));
}

gboolean
g_rw_lock_writer_trylock (GRWLock *lock)
{
  return pthread_rwlock_trywrlock (rw_lock_of (lock)) == 0;
}

void
g_rw_lock_writer_unlock (GRWLock *lock)
{
  pthread_rwlock_unlock (rw_lock_of (lock));
}

void
g_rw_lock_reader_lock (GRWLock *lock)
{
  pthread_rwlock_rdlock (rw_lock_of (lock));
}

gboolean
g_rw_lock_reader_trylock (GRWLock *lock)
{
  return pthread_rwlock_tryrdlock (rw_lock_of (lock)) == 0;
}

void
g_rw_lock_reader_unlock (GRWLock *lock)
{
  pthread_rwlock_unlock (rw_lock_of (lock));
}

/* ---- counts of references ---------------------------------------------------------------------
 *
 * What was done with a thing before one reference is given back comes before its end. */

void (g_atomic_ref_count_inc) (gatomicrefcount *count)
{
  __atomic_add_fetch (count, 1, __ATOMIC_SEQ_CST);
}

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  return __atomic_sub_fetch (count, 1, __ATOMIC_SEQ_CST) == 0;
}

/* ---- what is done once ------------------------------------------------------------------------
 */

static pthread_mutex_t once_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_done = PTHREAD_COND_INITIALIZER;
static GSList *once_begun; /* locations */

gpointer
g_once_impl (GOnce *once, GThreadFunc func, gpointer arg)
{
  gpointer result;

  pthread_mutex_lock (&once_lock);
  while (once->status == G_ONCE_STATUS_PROGRESS)
    pthread_cond_wait (&once_done, &once_lock);
  if (once->status != G_ONCE_STATUS_READY)
    {
      once->status = G_ONCE_STATUS_PROGRESS;
      pthread_mutex_unlock (&once_lock);
      result = func (arg);
      pthread_mutex_lock (&once_lock);
      once->retval = result;
      __atomic_store_n (&once->status, G_ONCE_STATUS_READY, __ATOMIC_RELEASE);
      pthread_cond_broadcast (&once_done);
    }
  result = once->retval;
  pthread_mutex_unlock (&once_lock);
  return result;
}

gboolean (g_once_init_enter) (volatile void *location)
{
  gsize *value = (gsize *) location;
  gboolean mine = FALSE;

  pthread_mutex_lock (&once_lock);
  while (*value == 0 && g_slist_find (once_begun, value) != NULL)
    pthread_cond_wait (&once_done, &once_lock);
  if (*value == 0)
    {
      once_begun = g_slist_prepend (once_begun, value);
      mine = TRUE;
    }
  pthread_mutex_unlock (&once_lock);
  return mine;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  pthread_mutex_lock (&once_lock);
  __atomic_store_n ((gsize *) location, result, __ATOMIC_RELEASE);
  once_begun = g_slist_remove (once_begun, (gpointer) location);
  pthread_cond_broadcast (&once_done);
  pthread_mutex_unlock (&once_lock);
}

/* ---- pools of threads -------------------------------------------------------------------------
 *
 * GLib's, told of: who pushes comes before who works, and all work before the end of a free that
 * waits.  What they read and write of their own in between is GLib's business. */

void AnnotateIgnoreReadsBegin (const char *file, int line);
void AnnotateIgnoreReadsEnd (const char *file, int line);
void AnnotateIgnoreWritesBegin (const char *file, int line);
void AnnotateIgnoreWritesEnd (const char *file, int line);

static void
look_away (void)
{
  AnnotateIgnoreReadsBegin (__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin (__FILE__, __LINE__);
}

static void
look_again (void)
{
  AnnotateIgnoreWritesEnd (__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd (__FILE__, __LINE__);
}

typedef struct
{
  GFunc func;
  gpointer data;
} Work;

/* A function of GLib itself. */
static gpointer
of_glib (const char *name)
{
  gpointer glib = dlopen ("libglib-2.0.so.0", RTLD_LAZY | RTLD_NOLOAD);

  return dlsym (glib, name);
}

static void
do_work (gpointer job, gpointer data)
{
  Work *work = data;

  __tsan_acquire (job);
  work->func (job, work->data);
  __tsan_release (work);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads, gboolean exclusive, GError **error)
{
  GThreadPool *(*real) (GFunc, gpointer, gint, gboolean, GError **) = of_glib ("g_thread_pool_new");
  Work *work = g_new (Work, 1);

  *work = (Work){ func, data };
  return real (do_work, work, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer job, GError **error)
{
  gboolean (*real) (GThreadPool *, gpointer, GError **) = of_glib ("g_thread_pool_push");
  gboolean pushed;

  __tsan_release (job);
  look_away ();
  pushed = real (pool, job, error);
  look_again ();
  return pushed;
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  void (*real) (GThreadPool *, gboolean, gboolean) = of_glib ("g_thread_pool_free");
  Work *work;

  look_away ();
  work = pool->user_data;
  real (pool, immediate, wait);
  look_again ();
  if (!wait)
    return; /* its threads may still need it */
  __tsan_acquire (work);
  g_free (work);
}

/* ---- boxes with a count of references ---------------------------------------------------------
 *
 * GLib's as well: what was done with one before it was given back comes before its end. */

static __thread GDestroyNotify box_clear;

static void
end_box (gpointer box)
{
  GDestroyNotify clear = box_clear;

  __tsan_acquire (box);
  if (clear != NULL)
    clear (box);
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  void (*real) (gpointer, GDestroyNotify) = of_glib ("g_atomic_rc_box_release_full");

  __tsan_release (box);
  box_clear = clear;
  real (box, end_box);
}
