/* SPDX-License-Identifier: Apache-2.0 */
/* team.h: one piece of work done by several threads (libflowrun-text).
 *
 * For an element's own loop (run) over work that falls into parts of no
 * particular order: rows of a batch, bands of a table.  Results belong into
 * places of their own, so that it is all the same which thread did which part.
 * How many threads may work is the core's to say: pass fr_host_threads() at
 * every call.
 */
#ifndef FLOWRUN_TEXT_TEAM_H
#define FLOWRUN_TEXT_TEAM_H

#include <glib.h>

G_BEGIN_DECLS

#define TEXT_TEAM_MOST 64

typedef struct _TextTeam TextTeam;

/** TextTeamFunc: does part @part of @n_parts; @thread (below TEXT_TEAM_MOST) is no other's at this
 * moment. */
typedef void (*TextTeamFunc) (guint part, guint n_parts, guint thread, gpointer data);

TextTeam *text_team_new (void);
void text_team_free (TextTeam *team);

/** text_team_run: calls @func for all @n_parts parts, on the calling thread and at most @threads -
 * 1 others; returns when all are done. */
void text_team_run (TextTeam *team, guint threads, guint n_parts, TextTeamFunc func, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextTeam, text_team_free)

G_END_DECLS

#endif
