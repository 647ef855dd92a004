/* SPDX-License-Identifier: Apache-2.0 */
/* review.h: labels before people's eyes, and back.
 *
 * Of each task and label, the rows with the least confidence go to a file; a person fills the
 * column "corrected" where the label is wrong (or repeats it where it is right), and the file is
 * given to the next run, in which what the person said wins.  A row is known again by its text, so
 * the data may change in between.
 *
 * The file is CSV (RFC 4180, with a byte order mark, for spreadsheets) when its name says so, else
 * JSON Lines: task, label, confidence, evidence, corrected, row, text.
 */
#ifndef LABEL_REVIEW_H
#define LABEL_REVIEW_H

#include <flowrun/batch.h>

#include "text/output.h"

/* ---- out ---- */

typedef struct _Review Review;

/** review_new: @n: rows of each task and label. */
Review *review_new (guint n);
void review_free (Review *review);
/** review_wants: whether a row of this confidence would be among them; rows come in a fixed order.
 */
gboolean review_wants (Review *review, const char *task, const char *group, double confidence);
/** review_add: @group: the label, or what stands for many; everything is copied. */
void review_add (Review *review, const char *task, const char *group, const char *label,
                 double confidence, const char *evidence, const char *row, FrStr text);
/** review_append: the file as text; returns how many rows it has. */
guint review_append (Review *review, gboolean csv, GString *out);

/* ---- back ---- */

typedef struct _Corrections Corrections;

Corrections *corrections_new (void);
void corrections_free (Corrections *corrections);
/** corrections_read: a file's text, in either form.  FR_ERROR_DATA with @name and line. */
gboolean corrections_read (Corrections *corrections, const char *name, const char *text, gsize len,
                           GError **error);
/** corrections_find: what a person said; NULL: nothing. */
const char *corrections_find (Corrections *corrections, const char *task, FrStr text);
guint corrections_n (const Corrections *corrections);
/** corrections_n_unused: how many were never found. */
guint corrections_n_unused (const Corrections *corrections);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Review, review_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Corrections, corrections_free)

#endif
