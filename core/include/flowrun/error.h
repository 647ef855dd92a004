/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: how anything in flowrun says that it failed.
 *
 * Every function that can fail takes a GError ** as its last argument and
 * reports in the one domain FR_ERROR.  Nobody exits, nobody aborts, and there
 * is no global error state.
 *
 * A message is one sentence for the person who runs the pipeline: what
 * happened, to which file or column, what was expected, what to do.  Text
 * after the first newline is detail for the log.  The core puts stage, element
 * and rows in front; an element does not repeat them.
 *
 * A bad *row* is not an error: see fr_host_reject() in host.h.
 */
#ifndef FLOWRUN_ERROR_H
#define FLOWRUN_ERROR_H

#include <glib.h>

G_BEGIN_DECLS

#define FR_ERROR (fr_error_quark ())

/**
 * FrError:
 * @FR_ERROR_CONFIG: the pipeline or the command line asks for something that cannot be (exit status 2)
 * @FR_ERROR_LOAD: a plugin cannot be found, opened or trusted
 * @FR_ERROR_TYPE: a column or port has another type than needed
 * @FR_ERROR_IO: a file, pipe or socket failed
 * @FR_ERROR_DATA: the input as a whole cannot be read (a broken archive, a database that is none)
 * @FR_ERROR_COMPUTE: a calculation failed (no device, not finite)
 * @FR_ERROR_TRANSIENT: worth trying again; the core does so with back-off where the element allows it
 * @FR_ERROR_CANCELLED: the run was cancelled; not shown as a failure
 * @FR_ERROR_INTERNAL: a promise of flowrun or of the element was broken: a bug
 */
typedef enum {
  FR_ERROR_CONFIG = 1,
  FR_ERROR_LOAD,
  FR_ERROR_TYPE,
  FR_ERROR_IO,
  FR_ERROR_DATA,
  FR_ERROR_COMPUTE,
  FR_ERROR_TRANSIENT,
  FR_ERROR_CANCELLED,
  FR_ERROR_INTERNAL
} FrError;

GQuark fr_error_quark (void) G_GNUC_CONST;

/**
 * fr_error_errno:
 * @error: where to report, or NULL
 * @errnum: the value of errno, read by the caller at once after the failure
 * @doing: what was being done, as in "open" or "write"
 * @path: the file, or NULL
 *
 * Reports a failed system call as FR_ERROR_IO: "cannot open FILE: No such
 * file or directory", with advice for the causes that have one (a full disk,
 * a directory where a file belongs, missing permission).  Always returns
 * FALSE, so that a caller can return it.
 */
gboolean fr_error_errno (GError **error, int errnum, const char *doing,
                         const char *path);

/**
 * fr_suggest:
 * @word: what was written
 * @candidates: NULL-terminated list of what could have been meant
 *
 * Finds the candidate nearest to @word (optimal string alignment distance,
 * at most a third of its length).  Returns it, owned by @candidates, or NULL
 * when none is near: for "did you mean" in messages.
 */
const char *fr_suggest (const char *word, const char *const *candidates);

/**
 * FrProblems:
 *
 * Collects every problem of a pipeline file rather than only the first.  The
 * core owns it; an element only adds.
 */
typedef struct _FrProblems FrProblems;

/**
 * fr_problems_add:
 * @problems: the collection
 * @pointer: JSON Pointer (RFC 6901) relative to the stage's "with" object, such as "/columns/0"; "" for the whole
 * @format: a message as for GError
 *
 * Adds a problem.  The core completes it with stage, file, line and column.
 */
void fr_problems_add (FrProblems *problems, const char *pointer,
                      const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS

#endif
