/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c: the learning rate over the steps of a training.
 *
 * The shapes are those of transformers' get_cosine_schedule_with_warmup() and
 * its neighbours (the cosine is Loshchilov and Hutter's, SGDR, 2017, without
 * restarts), but for the warm-up's first step.
 */
#include "config.h"

#include "schedule.h"

#include <math.h>

guint64
schedule_warmup (double warmup, guint64 total)
{
  return warmup < 1 ? (guint64) ceil (warmup * (double) total) : (guint64) warmup;
}

double
schedule_factor (ScheduleKind kind, guint64 step, guint64 warmup, guint64 total)
{
  double done;

  if (step <= warmup)
    return (double) step / (double) (warmup + 1);
  if (kind == SCHEDULE_CONSTANT || total <= warmup)
    return 1;
  done = (double) (step - 1 - warmup) / (double) (total - warmup);
  done = MIN (done, 1);
  return kind == SCHEDULE_LINEAR ? 1 - done : 0.5 * (1 + cos (G_PI * done));
}
