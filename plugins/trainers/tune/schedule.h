/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h: the learning rate over the steps of a training. */
#ifndef FLOWRUN_TUNE_SCHEDULE_H
#define FLOWRUN_TUNE_SCHEDULE_H

#include <glib.h>

typedef enum
{
  SCHEDULE_COSINE = 0,
  SCHEDULE_LINEAR,
  SCHEDULE_CONSTANT
} ScheduleKind;

/** schedule_warmup: steps of warm-up: @warmup is a share of @total below 1, else a count. */
guint64 schedule_warmup (double warmup, guint64 total);

/**
 * schedule_factor: what the learning rate is multiplied by at @step (from 1) of @total.
 * It rises linearly over @warmup steps, never from 0, since a step at 0 learns nothing, and
 * then falls along half a cosine or a line, so that it would reach 0 at the step after the last.
 */
double schedule_factor (ScheduleKind kind, guint64 step, guint64 warmup, guint64 total);

#endif
