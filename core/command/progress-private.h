/* SPDX-License-Identifier: Apache-2.0 */
/* progress-private.h: shared by progress.c, live.c (the display on a terminal)
 * and summary.c (what is said at the end). */
#ifndef FLOWRUN_PROGRESS_PRIVATE_H
#define FLOWRUN_PROGRESS_PRIVATE_H

#include "command/command.h"

G_BEGIN_DECLS

typedef struct
{
  char *id, *unit, *status;
  FriStageStats now; /* id, unit and status are ours, element is not set */
  gint64 started_us, ended_us;
  gint64 measured_us;
  guint64 measured_rows;
  double rate;
  gint64 status_us; /* when a plain line last gave its status */
} ProgressStage;

struct _Progress
{
  ProgressMode mode;
  GMutex lock;
  GArray *stages; /* ProgressStage */
  gint64 last_us, told_us;
  guint n_warnings;
  GArray *drawn; /* live: guint, the width of each line of the display */
  guint frame;
};

guint64 progress_rows (const FriStageStats *stats);
void progress_measure (ProgressStage *stage, gint64 time_us);
gint64 progress_left (const ProgressStage *stage, gint64 time_us);
void progress_live_clear (Progress *progress);
void progress_live_draw (Progress *progress, gint64 time_us);

G_END_DECLS

#endif
