/* SPDX-License-Identifier: Apache-2.0 */
/* host.h: what the core does for an element while it works.
 *
 * An FrHost belongs to one stage.  The pointer that a callback gets is valid
 * during that callback; open's stays valid until close.  All functions may be
 * called from whichever thread the core called the element on.
 *
 * The core counts rows, bytes and time on every port by itself; an element
 * only adds meaning.
 */
#ifndef FLOWRUN_HOST_H
#define FLOWRUN_HOST_H

#include <flowrun/batch.h>
#include <flowrun/element.h>
#include <flowrun/error.h>
#include <gio/gio.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* ---- data ---------------------------------------------------------------- */

/**
 * fr_host_next:
 * @port: name of an input port
 * @batch: where to put the next batch; the caller's to unref
 *
 * Waits for the next batch (run only).  Returns FR_FLOW_OK with a batch of at
 * least one row, FR_FLOW_DONE at the end, FR_FLOW_CANCELLED or FR_FLOW_ERROR.
 */
FrFlow fr_host_next (FrHost *host, const char *port, FrBatch **batch, GError **error);

/**
 * fr_host_rewind: starts input @port again from its first row; the port must
 * be FR_PORT_REWINDABLE.  The same rows come in the same batches.
 */
gboolean fr_host_rewind (FrHost *host, const char *port, GError **error);

/**
 * fr_host_push:
 * @port: name of an output port
 * @batch: taken, also on failure; its schema must equal the port's; an empty batch is let go
 *
 * Passes rows on, waiting while the consumers are behind.  Rows keep the order
 * of their pushes.
 */
FrFlow fr_host_push (FrHost *host, const char *port, FrBatch *batch, GError **error);

/**
 * fr_host_next_object:
 * @port: name of an input port of a model or report
 * @object: where to put it; the caller's to unref
 *
 * Waits for the object of @port, and gives the same one again when asked
 * again.  FR_FLOW_DONE when the port is not connected.
 */
FrFlow fr_host_next_object (FrHost *host, const char *port, FrObject **object, GError **error);

/**
 * fr_host_push_object:
 * @object: taken, also on failure; of the port's type
 *
 * Passes an object on, once in a run, for any number of consumers; never
 * waits.  A stage that ends without it has failed.  finish may still do so,
 * which then is called as soon as run has ended, for others wait for it.
 */
FrFlow fr_host_push_object (FrHost *host, const char *port, FrObject *object, GError **error);

/**
 * fr_host_reject:
 * @batch: the batch that holds the row
 * @row: its index there
 * @rule: short name of the rule or reason, counted by that name ("too_short")
 * @format: what was wrong with this row, for a person
 *
 * Sends a row that the element cannot take to the "rejects" port, which has
 * the columns of the first input plus "reject_rule" and "reject_reason".  If
 * nothing is connected there, it is written to the run directory.  Either way
 * it is counted, and the stage's max_rejects decides whether the run is a
 * success.
 */
void fr_host_reject (FrHost *host, const FrBatch *batch, gsize row, const char *rule,
                     const char *format, ...) G_GNUC_PRINTF (5, 6);

/**
 * fr_host_reject_raw:
 * @id: the row's id
 * @where: file and line, as in "goods.csv:17"
 * @raw: the bytes as found; invalid UTF-8 is shown as U+FFFD, and more than 64 KiB is cut
 *
 * The same for a source, which has no batch yet: its "rejects" port has the
 * columns "where", "raw", "reject_rule" and "reject_reason", all utf8.
 */
void fr_host_reject_raw (FrHost *host, FrRowId id, const char *where, FrStr raw,
                         const char *rule, const char *format, ...) G_GNUC_PRINTF (6, 7);

/* ---- what the stage is --------------------------------------------------- */

/** fr_host_stage: the stage's id. */
const char *fr_host_stage (FrHost *host);
/** fr_host_source: this stage's number for FrRowId.source. */
guint32 fr_host_source (FrHost *host);
/** fr_host_append_row_id: appends @id with its source's name, "goods:17" or "goods:17~1c9d03f2", as `flowrun why` takes it. */
void fr_host_append_row_id (FrHost *host, FrRowId id, GString *out);
/** fr_host_input: schema of an input port; NULL when it is not connected. */
FrSchema *fr_host_input (FrHost *host, const char *port);
/** fr_host_output: schema of an output port ("rejects" too). */
FrSchema *fr_host_output (FrHost *host, const char *port);
/** fr_host_is_connected: whether an output port leads anywhere. */
gboolean fr_host_is_connected (FrHost *host, const char *port);

/**
 * fr_host_origin:
 * @first: position of the first row that comes from @name
 * @name: a file, member or table
 *
 * Notes for lineage where rows from @first on come from.
 */
void fr_host_origin (FrHost *host, guint64 first, const char *name);

/* ---- chance, threads, memory --------------------------------------------- */

/** fr_host_seed: made from the pipeline's seed and the stage id. */
guint64 fr_host_seed (FrHost *host);

/**
 * fr_host_random: 64 random bits that depend on the seed, the stage, @id and
 * @salt alone, so that no order of work can change them.
 */
guint64 fr_host_random (FrHost *host, FrRowId id, guint64 salt);

/**
 * fr_host_threads: how many threads a library called now may use: what other stages leave free at this moment; all of
 * them for FR_ELEMENT_SERVES.  Ask again at every call, and let no result depend on the answer: it is another one each time.
 */
guint fr_host_threads (FrHost *host);

/**
 * fr_host_workers: how many threads the whole run has (--workers): the same whoever is at work.  For what is divided once,
 * for as long as it lasts, in a way that results or reports may show, such as a model's computation: the same
 * input, seed and number of workers must give the same bytes (since 0.2).
 */
guint fr_host_workers (FrHost *host);

/** fr_host_memory: bytes this stage may hold before it should spill. */
guint64 fr_host_memory (FrHost *host);

/** fr_host_spill_dir: a private directory for temporary files, removed after the run; NULL with FR_ERROR_IO. */
const char *fr_host_spill_dir (FrHost *host, GError **error);

/** fr_host_checkpoint_dir: a directory that outlives a killed run, and is found again by a stage with the same fingerprint. */
const char *fr_host_checkpoint_dir (FrHost *host, GError **error);

/**
 * fr_host_state: what this stage left for this run with fr_host_set_state() in the last whole run in the same
 * directory that ended well; the core's; NULL when there is nothing, and under --fresh.  It is part of the stage's
 * fingerprint (since 0.2).
 */
JsonNode *fr_host_state (FrHost *host);
/**
 * fr_host_set_state:
 * @state: taken
 *
 * Keeps something small for the next run: how far a source has read.  It is put in place last of all, when the
 * results of the whole pipeline stand; a run that fails, is killed or covers only a part (--until) leaves what was
 * there (since 0.2).
 */
void fr_host_set_state (FrHost *host, JsonNode *state);

/** fr_host_service: fr_service_find() on this pipeline's plugin path. */
const FrService *fr_host_service (FrHost *host, const char *kind, guint version, const char *name,
                                  GError **error);

/* ---- cancellation -------------------------------------------------------- */

/** fr_host_cancellable: fires when the run is cancelled; pass it to every GIO call. */
GCancellable *fr_host_cancellable (FrHost *host);
gboolean fr_host_is_cancelled (FrHost *host);
/**
 * fr_host_ending: fires when a stage with FR_ELEMENT_SERVES is to come to its end (since 0.4): when a
 * person first asks the run to stop and nothing but such stages is at work, and whenever the run is
 * cancelled.  After the first, run ends what it has begun, returns FR_FLOW_OK, and the run has
 * succeeded; fr_host_is_cancelled() stays FALSE.  For other stages the same as
 * fr_host_cancellable().
 */
GCancellable *fr_host_ending (FrHost *host);
/** fr_host_sleep: waits; FALSE as soon as the run is cancelled. */
gboolean fr_host_sleep (FrHost *host, gint64 microseconds);

/* ---- telling ------------------------------------------------------------- */

/** fr_host_count: adds to a named counter of the stage ("html_removed"), shown in the report. */
void fr_host_count (FrHost *host, const char *name, gint64 n);
/** fr_host_metric: a named figure at this moment ("loss"); the series is kept. */
void fr_host_metric (FrHost *host, const char *name, double value);
/** fr_host_progress: @total 0 when unknown. Rate-limited by the core. */
void fr_host_progress (FrHost *host, guint64 done, guint64 total, const char *unit);
/**
 * fr_host_status: one line on where it stands ("loss 2.31, 412 tok/s, 3 min left"), shown in the live display beside
 * the progress, and as a line every few seconds where there is none.  Rate-limited by the core.
 */
void fr_host_status (FrHost *host, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** fr_host_report: puts @value (taken) under @key in the stage's part of report.json; what was checked of a stage's outputs, under
 * "verification", stands in manifest.json too. */
void fr_host_report (FrHost *host, const char *key, JsonNode *value);
/** fr_host_committed: a sink has put a file in place; the core hashes it for the manifest. */
void fr_host_committed (FrHost *host, const char *path);
/**
 * fr_host_limit_passed:
 *
 * A limit that the pipeline set was passed (a leak, a threshold): the run goes
 * on and ends with exit status 3, and @format says why.
 */
void fr_host_limit_passed (FrHost *host, const char *format, ...) G_GNUC_PRINTF (2, 3);
void fr_host_info (FrHost *host, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** fr_host_warn: shown and counted; never the content of a row. */
void fr_host_warn (FrHost *host, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS

#endif
