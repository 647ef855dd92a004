/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.h: a training's state on disk, whole or not there at all.
 *
 * A checkpoint is one file: 8 bytes "FRTUNE1\n", the length of a JSON text
 * (64 bits, little-endian), the text, F32 numbers (little-endian), and the
 * XXH3-128 of all that in canonical order.  It is written under a temporary
 * name, synced and renamed, so that whatever has the final name was complete
 * once; the checksum tells when it no longer is.
 *
 * Names are KIND-STEP: "state-00000200" to go on from, "best-00000150" the
 * parameters with the lowest validation loss.
 */
#ifndef FLOWRUN_TUNE_CHECKPOINT_H
#define FLOWRUN_TUNE_CHECKPOINT_H

#include <glib.h>
#include <json-glib/json-glib.h>

/* ---- writing ---- */

typedef struct _CheckpointWriter CheckpointWriter;

/** checkpoint_begin: @meta (borrowed) is an object. */
CheckpointWriter *checkpoint_begin (const char *dir, const char *kind, guint64 step, JsonNode *meta,
                                    GError **error);
/** checkpoint_put: appends @n numbers; after a failure all further calls fail too. */
gboolean checkpoint_put (CheckpointWriter *w, const float *numbers, gsize n, GError **error);
/** checkpoint_commit: the file gets its name; frees @w in any case. */
gboolean checkpoint_commit (CheckpointWriter *w, GError **error);
/** checkpoint_abandon: nothing is left; frees @w. */
void checkpoint_abandon (CheckpointWriter *w);

/* ---- reading ---- */

/**
 * Checkpoint: an opened one, mapped.
 * @numbers: may be unaligned: copy, do not point
 */
typedef struct
{
  guint64 step;
  JsonNode *meta;
  const char *numbers;
  gsize n_numbers;
  GMappedFile *file;
} Checkpoint;

/** checkpoint_open: FR_ERROR_DATA says what is damaged. */
Checkpoint *checkpoint_open (const char *dir, const char *kind, guint64 step, GError **error);
void checkpoint_free (Checkpoint *c);
/** checkpoint_get: copies @n numbers from number @at on; FALSE when there are not so many. */
gboolean checkpoint_get (const Checkpoint *c, gsize at, float *out, gsize n);

/** checkpoint_steps: steps (guint64) of all checkpoints of @kind, newest first. */
GArray *checkpoint_steps (const char *dir, const char *kind);
/** checkpoint_keep: deletes all of @kind but those of the @n @steps, and what unfinished writing
 * left. */
void checkpoint_keep (const char *dir, const char *kind, const guint64 *steps, gsize n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Checkpoint, checkpoint_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckpointWriter, checkpoint_abandon)

#endif
