/* SPDX-License-Identifier: Apache-2.0 */
/* team.h: work of microseconds divided among threads that may lose their processors.
 *
 * A pass of a decoder is hundreds of pieces of work that each end in a meeting.  A library whose
 * meetings wait for every thread (OpenMP) stands still whenever one of them has to make room for
 * another program, and for as long as that one runs.  Here work is cut into more parts than there
 * are threads, a thread takes the next part when it has finished one, and the caller waits for
 * parts that somebody has taken, not for threads: one that is off its processor is missed by
 * nobody until it comes back.  Who waits watches memory for a moment, which is what keeps a quiet
 * machine fast, and then sleeps, so that others may have the processor, or the kernel may move
 * a waiting thread to it.
 *
 * Each thread that calls lm_cpu_share() has helpers of its own, which end with it.
 */
#ifndef FLOWRUN_COMPUTE_CPU_TEAM_H
#define FLOWRUN_COMPUTE_CPU_TEAM_H

#include "lm/compute.h"

G_BEGIN_DECLS

/**
 * LmCpuShare: the part of some work that a call has to do.
 * @part, @parts: which of how many
 * @thread: of the threads that take part, below their number; no other call with it runs meanwhile
 * @room: of as many bytes as were asked for, 64-byte aligned, not cleared; NULL for none
 */
typedef struct
{
  gsize part, parts;
  guint thread;
  gpointer room;
} LmCpuShare;

/** LmCpuPart: does one part.  Parts may be done in any order, at the same time. */
typedef void (*LmCpuPart) (gconstpointer data, const LmCpuShare *share);

/** lm_cpu_from, lm_cpu_to: where the part of @n things begins and ends, when all parts are about
 * the same. */
static inline gsize
lm_cpu_from (const LmCpuShare *share, gsize n)
{
  return n * share->part / share->parts;
}

static inline gsize
lm_cpu_to (const LmCpuShare *share, gsize n)
{
  return n * (share->part + 1) / share->parts;
}

/** lm_cpu_parts: in how many parts @n things go, so that @threads are busy until the end whichever
 * of them is held up; a function of both alone. */
gsize lm_cpu_parts (guint threads, gsize n);

/**
 * lm_cpu_share: calls @func for each of @parts, on the calling thread and on up to @threads - 1
 * helpers, and returns when all have returned.
 * @threads: 1 or 0: no helpers
 * @room: bytes of workspace that each thread wants
 *
 * A call from inside of @func does everything on its own thread.
 */
void lm_cpu_share (guint threads, gsize parts, gsize room, LmCpuPart func, gconstpointer data);

G_END_DECLS

#endif
