/* SPDX-License-Identifier: Apache-2.0 */
/* walk.h: the files of folders, globs and single paths, in one fixed order.
 *
 * A folder is walked down to the bottom, names in the order of their bytes.
 * Links: one that leads to a place within the same folder is not followed,
 * since what it leads to is met there anyway; one that leads out of the folder
 * is refused unless links are followed; a directory is entered once, so no loop
 * of links goes round.  What is no regular file (a pipe, a device, a socket) is
 * refused and never opened.  A file is met once, whatever it is reached by.  Hidden names (".git")
 * are passed over, counted.
 *
 * Shown paths begin with the name of the folder given ("contracts/2024/a.pdf"),
 * so that they, and with them the ids of rows, are the same wherever it lies.
 */
#ifndef DOCUMENTS_WALK_H
#define DOCUMENTS_WALK_H

#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *const
      *include; /* patterns on the path below the folder, or on the name alone; NULL: all */
  const char *const *exclude;
  gboolean recursive, hidden, follow;
} WalkOptions;

typedef struct
{
  char *path;
  char *shown;
  const char *rule; /* not NULL: refused, static */
  char *reason;
} WalkFile;

typedef struct
{
  GPtrArray *files; /* WalkFile */
  guint64 n_hidden, n_excluded;
  guint64 n_links; /* links, folders and files met again */
} Walked;

/**
 * walk_paths:
 * @paths: NULL-terminated files, folders and globs
 *
 * NULL with FR_ERROR_IO for a path that is not there, FR_ERROR_CONFIG for a
 * glob that matches nothing, FR_ERROR_CANCELLED.
 */
Walked *walk_paths (const char *const *paths, const WalkOptions *options, GCancellable *cancellable,
                    GError **error);
void walked_free (Walked *walked);

/** walk_check: whether all of @paths are there; nothing is walked. @which: the first that is not.
 */
gboolean walk_check (const char *const *paths, guint *which, GError **error);

/** walk_hash: a hash of what the file holds, or why it cannot be read. */
char *walk_hash (const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Walked, walked_free)

G_END_DECLS

#endif
