/* SPDX-License-Identifier: Apache-2.0 */
/* rundir.h: what a run leaves behind (internal).
 *
 *   DIR/manifest.json        what went in, what ran, what came out; replaced atomically at the end
 *   DIR/report.json          counters, metrics and reports per stage
 *   DIR/samples.json         a few rows of every port, examples of rejects, lengths of texts, warnings
 *   DIR/failed.json          all of these of a run that was no success, as far as it came; the next success removes it
 *   DIR/report.html          the page for people, made of these files (report/report.h)
 *   DIR/log.jsonl            every event but ticks, one run after the other
 *   DIR/rejects/STAGE.jsonl  rejected rows that no stage took (absent when there are none)
 *   DIR/kept/STAGE-FINGERPRINT/            kept outputs (page.h, objects), with what report and manifest say of them
 *   DIR/lineage/STAGE.PORT   which row ids passed each port, as runs
 *   DIR/checkpoints/FINGERPRINT/           fr_host_checkpoint_dir()
 *   DIR/state.json           what stages keep for the next run: fr_host_state()
 *   DIR/tmp-PID/             spooled edges; removed, also after a crash
 *   DIR/lock                 held while a run is under way
 */
#ifndef FLOWRUN_RUNDIR_H
#define FLOWRUN_RUNDIR_H

#include <flowrun/host.h>

G_BEGIN_DECLS

/** fri_hash_file: "xxh3:<32 hex digits>" of a file's content; g_free(). */
char *fri_hash_file (const char *path, GError **error);

/** fri_why: lineage of one row of a finished run, for a person (or as JSON). @row: "goods:17" or "FILE:LINE" of an output. */
JsonNode *fri_why (const char *run_dir, const char *row, GError **error);
char *fri_why_text (JsonNode *why);

/** fri_rundir_inspect: what `flowrun inspect` shows of a run directory. */
JsonNode *fri_rundir_inspect (const char *run_dir, GError **error);

/** fri_file_replace: writes @len bytes to a temporary name beside @path, fsyncs, renames, fsyncs the directory. */
gboolean fri_file_replace (const char *path, const char *data, gssize len, GError **error);

G_END_DECLS

#endif
