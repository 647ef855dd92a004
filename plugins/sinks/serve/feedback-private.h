/* SPDX-License-Identifier: Apache-2.0 */
/* feedback-private.h: the parts of feedback.h: a file that only grows, and answers remembered. */
#ifndef FLOWRUN_SERVE_FEEDBACK_PRIVATE_H
#define FLOWRUN_SERVE_FEEDBACK_PRIVATE_H

#include <flowrun/json.h>
#include <glib.h>

#include "feedback.h"

G_BEGIN_DECLS

/* ---- feedback-file.c: lines that are there or not ------------------------------------------ */

typedef struct _FeedbackFile FeedbackFile;

/** feedback_file_open: @path: a regular file, made if need be; its end is mended. */
FeedbackFile *feedback_file_open (const char *path, gboolean sync, guint64 max_size,
                                  GError **error);
void feedback_file_free (FeedbackFile *file);
/** feedback_file_mended: what opening did to its end; NULL: nothing. */
const char *feedback_file_mended (const FeedbackFile *file);

typedef enum
{
  FEEDBACK_WRITTEN,
  FEEDBACK_FULL,  /* no room on the disk, in the quota, or below max_size */
  FEEDBACK_FAILED /* anything else */
} FeedbackWritten;

/** feedback_file_append: one line with its LF, whole or not at all; from any thread, one after the
 * other. */
FeedbackWritten feedback_file_append (FeedbackFile *file, const char *line, gsize len,
                                      GError **error);

/* ---- feedback-known.c: answers remembered --------------------------------------------------- */

/** FeedbackKnown: as ServeFeedbackAnswer; @fields is JSON text. */
typedef struct
{
  gatomicrefcount refs;
  char *key; /* id and variant */
  char *model, *revision, *system, *input, *fields, *output, *reasoning;
  gsize bytes;
} FeedbackKnown;

void feedback_known_unref (FeedbackKnown *known);

typedef struct _FeedbackMemory FeedbackMemory;

FeedbackMemory *feedback_memory_new (gint64 max_answers, guint64 max_bytes);
void feedback_memory_free (FeedbackMemory *memory);
void feedback_memory_note (FeedbackMemory *memory, const ServeFeedbackAnswer *answer);
/** feedback_memory_find: NULL: never known, or forgotten; feedback_known_unref(). */
FeedbackKnown *feedback_memory_find (FeedbackMemory *memory, const char *id, guint variant);
void feedback_memory_figures (FeedbackMemory *memory, ServeFeedbackFigures *figures);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FeedbackFile, feedback_file_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FeedbackKnown, feedback_known_unref)

G_END_DECLS

#endif
