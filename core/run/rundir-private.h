/* SPDX-License-Identifier: Apache-2.0 */
/* rundir-private.h: the parts of a run directory, for the engine (internal).
 *
 * While a run works, everything a stage leaves behind lies in its own folder
 * below DIR/tmp-PID/stages/ID:
 *
 *   record.json     its entries for manifest.json and report.json
 *   samples.json    its entry for samples.json
 *   rejects.jsonl   rejected rows that no stage took
 *   reasons.jsonl   row, rule and reason alone, where a stage did take them
 *   PORT.ids        row ids that passed the port (lineage.c)
 *   origins.jsonl   files the rows came from
 *   PORT.rows       a kept output (page.h)
 *   PORT.object/    a kept model or report, as its type saves it
 *
 * A finished stage whose output is kept is put in place by one rename, as
 * DIR/kept/ID-FINGERPRINT, together with such folders of all its ancestors: a
 * run that starts from there must tell the same story as one from scratch.
 */
#ifndef FLOWRUN_RUNDIR_PRIVATE_H
#define FLOWRUN_RUNDIR_PRIVATE_H

#include "run/event.h"
#include "run/rundir.h"

G_BEGIN_DECLS

/* ---- files (files.c) ----------------------------------------------------- */

/** fri_hash_tree: fri_hash_file() that also takes directories (names and contents, sorted). @size:
 * total bytes, or NULL.  In a directory links to directories are not followed, pipes and the like
 * not opened, and what cannot be read counts by its name alone. */
char *fri_hash_tree (const char *path, guint64 *size, GError **error);
/** fri_hash_text: 32 hex digits over @len bytes. */
char *fri_hash_text (const char *text, gsize len);
gboolean fri_mkdir (const char *path, GError **error);
/** fri_remove_tree: removes @path and all below it; what is not there is no failure. Links are not
 * followed. */
void fri_remove_tree (const char *path);
/** fri_link_tree: links (or copies) every file below @from to @to, but names that end in one
 * of @except (or NULL). */
gboolean fri_link_tree (const char *from, const char *to, const char *const *except,
                        GError **error);
gboolean fri_link_file (const char *from, const char *to, GError **error);
gboolean fri_sync_dir (const char *path, GError **error);
/** fri_list_dir: the names in a directory, sorted; empty when there is none; g_strfreev(). */
char **fri_list_dir (const char *path);
JsonObject *fri_json_load (const char *path, GError **error);
gboolean fri_json_save (const char *path, JsonNode *node, gboolean sync, GError **error);
/** fri_json_member: the object that is member @name, or NULL. */
JsonObject *fri_json_member (JsonObject *object, const char *name);

/* ---- the machine (machine.c) ---------------------------------------------- */

/** fri_machine_json: processor, memory, system; nothing that names the machine or its user. */
JsonObject *fri_machine_json (void);
/** fri_machine_peak_memory: the most bytes this process had in memory; 0: not known. */
guint64 fri_machine_peak_memory (void);

/* ---- the directory (rundir.c) -------------------------------------------- */

typedef struct
{
  char *dir;
  char *tmp;
  int lock;
  gboolean ephemeral;
  gboolean
      interrupted; /* the run before this died while it put results in place: trust no manifest */
} FriRunDir;

/** fri_rundir_open: makes and locks the directory, clears what a dead run left. @dir NULL: a
 * private one. */
FriRunDir *fri_rundir_open (const char *dir, GError **error);
/** fri_rundir_close: removes the temporary files, and everything if it is a private one; frees. */
void fri_rundir_close (FriRunDir *run);
/** fri_rundir_stage: DIR/tmp-PID/stages/ID, made; g_free(). */
char *fri_rundir_stage (FriRunDir *run, const char *stage, GError **error);
/** fri_rundir_begin_commit / end_commit: in between, a crash makes the manifest untrusted. */
gboolean fri_rundir_begin_commit (FriRunDir *run, GError **error);
gboolean fri_rundir_end_commit (FriRunDir *run, GError **error);
/** fri_rundir_install: moves the lineage and rejects of @stages (NULL-terminated) into place; the
 * files of stages not in @known go. */
gboolean fri_rundir_install (FriRunDir *run, char **stages, char **known, GError **error);
/** fri_rundir_recover: links what an earlier run left of @stage to its folder of this run. */
gboolean fri_rundir_recover (FriRunDir *run, const char *stage, GError **error);

/* ---- row ids on their way (lineage.c) ------------------------------------- */

typedef struct _FriLineage FriLineage;

/** fri_lineage_new: @sources as for fri_page_writer_new(). */
FriLineage *fri_lineage_new (const char *path, const char *const *sources, GError **error);
gboolean fri_lineage_add (FriLineage *lineage, const FrRowId *ids, gsize n, GError **error);
/** fri_lineage_close: writes the end; frees either way. NULL is fine. */
gboolean fri_lineage_close (FriLineage *lineage, GError **error);
void fri_lineage_discard (FriLineage *lineage);

/** FriLineageFunc: @count rows from @first on, with successive positions; @index: of the first of
 * them in its port, from 0. FALSE: enough. */
typedef gboolean (*FriLineageFunc) (const char *source, FrRowId first, guint64 count, guint64 index,
                                    gpointer data);
gboolean fri_lineage_read (const char *path, FriLineageFunc func, gpointer data, GError **error);

/* ---- events (event.c) ------------------------------------------------------ */

typedef struct _FriEvents FriEvents;

/** fri_events_new: @log_path: log.jsonl to append to, or NULL. */
FriEvents *fri_events_new (const char *log_path, FriEventFunc listener, gpointer data);
void fri_events_free (FriEvents *events);
/** fri_events_queue: copies @event for the next fri_events_pump(); any thread. */
void fri_events_queue (FriEvents *events, const FriEvent *event);
/** fri_events_log: a LOG event; @stage may be NULL. */
void fri_events_log (FriEvents *events, FriLogLevel level, const char *stage, const char *text);
/** fri_events_pump: tells listeners what was queued; the ticker's thread only. */
void fri_events_pump (FriEvents *events);
/** fri_events_tell: pumps, then tells @event at once; the ticker's thread only. */
void fri_events_tell (FriEvents *events, FriEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriEvents, fri_events_free)

G_END_DECLS

#endif
