/* SPDX-License-Identifier: Apache-2.0 */
/* engine-private.h: the engine's inner structures (internal).
 *
 * One mutex guards everything that threads share; batches are coarse, so it is
 * held for microseconds a thousand times a second.  No file is read or
 * written, and no element called, while it is held.
 *
 *   FrHost   a stage of this run (the public name is what elements see)
 *   FriOut   one of its output ports, with the edges that lead from there
 *   FriIn    one of its input ports, with the edges that lead there, in order
 *   FriEdge  a bounded queue between two stages
 *   FriTask  one call of map: what it was given and what it gave
 *
 * Tokens: `workers` of them.  Whoever computes holds one.  A token goes to the
 * most downstream stage that can use it, which keeps queues short.
 */
#ifndef FLOWRUN_ENGINE_PRIVATE_H
#define FLOWRUN_ENGINE_PRIVATE_H

#include "engine/engine.h"
#include "run/page.h"
#include "run/rundir-private.h"

#include <stdio.h>

G_BEGIN_DECLS

typedef struct _FriEngine FriEngine;
typedef struct _FriEdge FriEdge;
typedef struct _FriOut FriOut;
typedef struct _FriIn FriIn;
typedef struct _FriTask FriTask;
typedef struct _FriSpool FriSpool;
typedef struct _FriSamples FriSamples;

/* ---- spool (spool.c): a first-in first-out of batches on disk --------------- */

FriSpool *fri_spool_new (const char *dir, const char *name, FrSchema *schema);
/** fri_spool_add: one producer thread; @batch borrowed. */
gboolean fri_spool_add (FriSpool *spool, FrBatch *batch, GError **error);
/** fri_spool_take: one consumer thread; only when more was added than taken. */
FrBatch *fri_spool_take (FriSpool *spool, GError **error);
void fri_spool_free (FriSpool *spool);

/* ---- edges (edge.c) ---------------------------------------------------------- */

struct _FriEdge
{
  FriOut *from;   /* NULL: the rows come from a kept output alone */
  FriOut *source; /* the same, or the port of a stage that is not run */
  FriIn *in;
  FrHost *to;
  GQueue queue;
  guint64 bytes, rows;
  guint64 limit_bytes, limit_rows;
  gboolean closed;   /* the producer has ended */
  gboolean dead;     /* the consumer has ended */
  gboolean on_cycle; /* blocking its producer for good is possible: see fri_edge_room() */
  FriSpool *spool;
  guint64 unread; /* batches in the spool */
  /* Rewindable inputs: what passed, on disk. */
  FriPageWriter *tape;
  char *tape_path; /* also the kept output that serves instead of a tape or of the producer */
  FriPageReader *replay;
  gboolean replaying, replayed;
};

/* What fri_edge_take() adds to FrFlow. */
#define FRI_EDGE_WAIT ((FrFlow) 100)

/** fri_edge_empty: nothing to take now (lock held); of an object's edge: it is not there yet. */
gboolean fri_edge_empty (const FriEdge *edge);
/** fri_edge_room: whether the producer may put a batch now (lock held). */
gboolean fri_edge_room (const FriEdge *edge);
/** fri_edge_put: takes @batch (lock held; let go while spooling). */
gboolean fri_edge_put (FriEngine *e, FriEdge *edge, FrBatch *batch, GError **error);
/** fri_edge_take: the next batch without waiting (lock held; let go while reading a file). */
FrFlow fri_edge_take (FriEngine *e, FriEdge *edge, FrBatch **batch, GError **error);
/** fri_edge_tell_others: @edge is empty and its consumer waits for it: producers of its other edges
 * may spool now (lock held). */
void fri_edge_tell_others (FriEdge *edge);
/** fri_edge_bury: the consumer wants no more (lock held). */
void fri_edge_bury (FriEdge *edge);
gboolean fri_edge_rewind (FriEngine *e, FriEdge *edge, GError **error);
void fri_edge_free (FriEdge *edge);
/** fri_batch_renumber: @batch (taken) with its rows' sources, numbered as in @from, numbered as in
 * @to. */
FrBatch *fri_batch_renumber (FrBatch *batch, const char *const *from, const char *const *to,
                             GError **error);

/* ---- ports -------------------------------------------------------------------- */

struct _FriOut
{
  FrHost *host;
  const FrPort *port; /* NULL: "rejects" */
  char *name;
  FrSchema *schema;
  FrObject *object; /* of a model or report, once it was pushed or loaded */
  GPtrArray *edges; /* FriEdge *, not owned */
  guint64 rows, bytes, batches;
  FriLineage *lineage;
  FriSamples *samples; /* NULL: none are taken */
  FriPageWriter *kept; /* being written */
  char *kept_path;
  gboolean keep;
  gboolean tapped;
};

struct _FriIn
{
  const FrPort *port;
  FrSchema *schema;
  FrObject *object; /* of a model or report, once it was asked for */
  GPtrArray *edges; /* FriEdge *, owned */
  guint current;
  guint64 bytes;
  guint64 rows; /* once each: not those that come again after a rewind */
  gboolean rewound;
};

/* ---- what an element told (host.c) ----------------------------------------------- */

typedef enum
{
  FRI_NOTE_COUNT = 1,
  FRI_NOTE_METRIC,
  FRI_NOTE_REPORT,
  FRI_NOTE_LIMIT
} FriNoteKind;

typedef struct
{
  FriNoteKind kind;
  const char *name; /* interned */
  gint64 n;
  double value;
  JsonNode *node;
  char *text;
} FriNote;

typedef struct
{
  FrBatch *batch; /* NULL for a raw one */
  gsize row;
  FrRowId id;
  char *where;
  char *raw;
  const char *rule; /* interned */
  char *reason;
} FriReject;

typedef struct
{
  FriOut *out;
  FrBatch *batch;
} FriPushed;

struct _FriTask
{
  FrHost *host;
  guint64 seq;
  FrRowId first, last;
  FrBatch *input;  /* to be compared with what it pushes; NULL: no need */
  GArray *pushed;  /* FriPushed */
  GArray *rejects; /* FriReject */
  GArray *notes;   /* FriNote */
  GError *error;
};

typedef struct
{
  const char *name; /* interned */
  double last, min, max;
  guint64 n, stride;
  GArray *values; /* double; every stride-th */
} FriMetric;

/* A file as it was when it was hashed. */
typedef struct
{
  char *path;
  gint64 size, seconds, nanoseconds;
  guint64 inode;
} FriRead;

/* ---- stages --------------------------------------------------------------------- */

struct _FrHost
{
  FriEngine *e;
  FriStage *stage;
  guint rank;
  GPtrArray *ins;  /* FriIn * */
  GPtrArray *outs; /* FriOut *; the last is "rejects" */
  FriOut *rejects;
  gboolean active;      /* this run works on it */
  gboolean forecasting; /* its forecast is asked for, in place of its work */
  gboolean volatile_;   /* its result is no one's to reuse */
  char *fingerprint;    /* 32 hex digits */
  JsonObject *files;    /* what it reads: path → {hash, bytes} */
  GArray *reads;        /* FriRead: the same, to notice changes under way */
  int kept_state;       /* of its kept outputs: 0 not looked at, 1 whole, -1 not */
  JsonObject *old;      /* the record that stands in for a stage not run */
  char *old_dir;        /* the kept folder its files are in; NULL: the run directory */
  char *made;           /* when the run that made it began, as far as known */
  gboolean in_scope, forced, kept_done;
  JsonObject *record; /* of this run */

  gpointer state;
  gboolean opened;
  gboolean finishing, finished; /* finish is under way, was called */
  char *dir;                    /* DIR/tmp-PID/stages/ID */
  char *spill_dir, *checkpoint_dir;
  JsonNode *state_to_keep; /* for the next run; guarded by notes_lock */

  /* Guarded by the engine's lock. */
  FriStageState phase;
  GCond cond;
  gboolean has_token, wants_token, holds_serial;
  FriEdge *waiting; /* run: the empty edge it waits for */
  FriEdge *reading; /* run: the edge it read last */
  FriOut *blocked;  /* run: the full port it waits for */
  gboolean ended;
  guint64 progress_done, progress_total;
  const char *progress_unit;
  gint64 progress_at;
  char *status; /* GRefString, or NULL */
  gint64 status_at, status_told_at;
  guint64 n_rejects;
  gint64 busy_us, wait_in_us, wait_out_us;
  gint64 since; /* when it last went from one of these to another */

  /* map */
  guint64 next_seq, next_retire;
  guint in_flight, running;
  gboolean popping, retiring, ending;
  FriTask **done; /* ring of e->max_in_flight */

  /* What it told; guarded by notes_lock. */
  GMutex notes_lock;
  GArray *counts;       /* FriNote of kind COUNT */
  GHashTable *reports;  /* name → JsonNode * */
  GPtrArray *metrics;   /* FriMetric * */
  GPtrArray *limits;    /* char * */
  GPtrArray *committed; /* char * */
  GString *origins;
  guint64 warnings;
  GPtrArray *warning_texts; /* char *: the first of them, each once */

  /* Rejects; the stage's own thread or the retiring worker alone. */
  GArray *rules; /* FriNote of kind COUNT */
  FrBuilder *reject_rows;
  FILE *reject_file, *reason_file;
  char *reject_row_key;

  gboolean serving; /* inside the run of an element with FR_ELEMENT_SERVES */
  GThread *thread;
};

struct _FriEngine
{
  const FriRunOptions *options;
  FriPipeline *pipeline;
  FriRunDir *dir;
  FriEvents *events;
  GCancellable *cancellable;
  GCancellable *ending; /* of stages that serve: fires no later than `cancellable` */
  GPtrArray *hosts; /* FrHost *, producers first */
  char **sources;   /* names by FrRowId.source; [0] is "" */
  guint64 *source_hashes;
  guint n_sources;
  guint workers, max_in_flight;
  guint64 memory, stage_memory;
  gboolean begun; /* listeners know that there is a run */
  gboolean validate;
  gint64 start_us, started_at;

  GMutex load_lock; /* held while a kept object is loaded; taken before `lock` */
  GMutex lock;
  GCond pool_cond, main_cond;
  GQueue grants; /* FrHost *: map stages that a worker may serve now */
  guint tokens;
  gboolean serial_taken;
  gboolean stop, enough, pool_quit;
  guint unfinished; /* active stages not ended */
  guint alive;      /* threads */
  GError *error;
  guint64 moves; /* grows whenever anything moves: for the watchdog */
  guint64 queued_bytes, peak_bytes;
  GPtrArray *workers_threads;

  JsonObject *manifest_before, *report_before, *samples_before; /* of the last run, if they can
                                                                   be trusted */
  JsonObject *states; /* what stages left for this run; NULL: nothing */
};

/* object.c: what flows on ports without rows */
static inline gboolean
fri_out_is_object (const FriOut *out)
{
  return out->port != NULL && out->port->kind != FR_PORT_RECORDS;
}
/** fri_object_can_keep: whether the objects of @out can be saved and loaded. */
gboolean fri_object_can_keep (const FriOut *out);
/** fri_object_end: sees that all objects were pushed, and saves those to keep. */
gboolean fri_object_end (FrHost *h, GError **error);
/** fri_object_describe: "objects_in" and "objects_out" of a stage's manifest @entry. */
void fri_object_describe (FrHost *h, JsonObject *entry);

/* state.c: what stages keep for the next run */
gboolean fri_state_load (FriEngine *e, GError **error);
/** fri_state_save: once all results of the run are in place. */
gboolean fri_state_save (FriEngine *e, GError **error);

/* forecast.c */
/** fri_forecast_choose: marks the stages that are asked. */
void fri_forecast_choose (FriEngine *e);
/** fri_forecast_tell: hands over what they found. */
void fri_forecast_tell (FriEngine *e);

/* samples.c: what report.html shows of rows */
/** fri_samples_new: of the port @out; @n_rows: how many rows to show, of each rule for rejects. */
FriSamples *fri_samples_new (FriOut *out, guint n_rows);
void fri_samples_free (FriSamples *samples);
/** fri_samples_add: rows in their order; one thread at a time (no lock). */
void fri_samples_add (FriSamples *samples, const FrBatch *batch);
/** fri_samples_compares: whether examples of rows that @h, a map stage, changed are still wanted;
 * any thread. */
gboolean fri_samples_compares (FrHost *h);
/** fri_samples_compare: looks for such rows in @after, which map made of @before; as
 * fri_samples_add(). */
void fri_samples_compare (FriSamples *samples, const FrBatch *before, const FrBatch *after);
/** fri_samples_stage: "ports" of @h by name, with columns, rows, changes, lengths ("rejects":
 * rules), and "warnings". */
JsonObject *fri_samples_stage (FrHost *h);
/** fri_samples_strip: takes the rows out of what fri_samples_stage() gave. */
void fri_samples_strip (JsonObject *stage);

/* host.c */
/** fri_host_wait: until @edge has something or ends; lock held. */
void fri_host_wait (FrHost *h, FriEdge *edge);

/* engine.c */
void fri_engine_stop (FriEngine *e);
/** fri_engine_fail: takes @error, names the stage in it, stops the run; the first one counts. */
void fri_engine_fail (FriEngine *e, FrHost *h, const FriTask *task, GError *error);

/* graph.c */
FrHost *fri_graph_host (FriEngine *e, const FriStage *stage);
gboolean fri_graph_make (FriEngine *e, GError **error);
gboolean fri_graph_connect (FriEngine *e, GError **error);
void fri_graph_free (FriEngine *e);
FriOut *fri_host_out (FrHost *h, const char *port);
FriIn *fri_host_in (FrHost *h, const char *port);

/* plan.c: what has to run */
gboolean fri_plan (FriEngine *e, GError **error);
/** fri_plan_look: what the file at @path is like now; all zero when it cannot be seen. */
void fri_plan_look (const char *path, FriRead *read);
/** fri_plan_unchanged: TRUE when the run directory already tells all that this run would. */
gboolean fri_plan_unchanged (FriEngine *e);

/* pool.c: who works when; lock held in all but start and join */
void fri_pool_start (FriEngine *e);
void fri_pool_schedule (FriEngine *e);
void fri_pool_wake (FriEngine *e, FrHost *h);
void fri_pool_acquire (FrHost *h);
void fri_pool_release (FrHost *h);
void fri_pool_account (FrHost *h, FriStageState now);
FriStageState fri_pool_state (FrHost *h);

/* stage.c: the life of a stage */
gboolean fri_stage_open (FrHost *h, GError **error);
gpointer fri_stage_thread (gpointer host);
/** fri_stage_end: its work is over, well; closes its ports (no lock). */
void fri_stage_end (FrHost *h);
void fri_stage_retire (FriEngine *e, FrHost *h);
gboolean fri_stage_finish (FrHost *h, GError **error);
void fri_stage_close (FrHost *h);
/** fri_stage_push: rows on to their port, in order; takes @batch; blocks if @wait (no lock). */
FrFlow fri_stage_push (FriOut *out, FrBatch *batch, gboolean wait, GError **error);
gboolean fri_stage_reject (FrHost *h, FriReject *reject, gboolean wait, GError **error);
gboolean fri_stage_flush_rejects (FrHost *h, gboolean wait, GError **error);
void fri_reject_clear (FriReject *reject);
void fri_note_clear (FriNote *note);
void fri_task_free (FriTask *task);
FriTask *fri_task_new (FrHost *h);
void fri_task_enter (FriTask *task);
void fri_host_apply_note (FrHost *h, FriNote *note);
void fri_counts_add (GArray *counts, const char *name, gint64 n);

/* record.c: a stage's part of manifest and report, and its kept outputs */
/** fri_record_make: { "manifest": …, "report": … } of a stage that worked; hashes what it
 * committed. */
JsonObject *fri_record_make (FrHost *h, GError **error);
/** fri_record_partial: the same of a stage that did not come to its end; says nothing of outputs.
 */
JsonObject *fri_record_partial (FrHost *h);
gboolean fri_record_save (FrHost *h, GError **error);
/** fri_record_limit: which limit the stage passed, or NULL; g_free(). */
char *fri_record_limit (FrHost *h);
/**
 * fri_record_keep: puts the kept outputs of @h in place if all they rest on is
 * over; @late: it is (the end of the run).
 */
gboolean fri_record_keep (FrHost *h, gboolean late, GError **error);
/** fri_record_kept_dir: DIR/kept/ID-FINGERPRINT; g_free(). */
char *fri_record_kept_dir (FrHost *h);
/** fri_record_kept_path: what is kept of @out there: PORT.rows, or the folder PORT.object;
 * g_free(). */
char *fri_record_kept_path (const FriOut *out);
/** fri_record_kept_whole: whether kept outputs of @h are there and undamaged. */
gboolean fri_record_kept_whole (FrHost *h);
/** fri_record_clean: removes kept outputs that no stage of now would use. */
void fri_record_clean (FriEngine *e);

/* summary.c: manifest.json, report.json, samples.json */
gboolean fri_summary_write (FriEngine *e, int status, GError **error);
/** fri_summary_page: report.html, and failed.json where the run was no success; what goes wrong is
 * warned of. */
void fri_summary_page (FriEngine *e, int status, const GError *failure);
/** fri_summary_time: a time of day as manifests write it; g_free(). */
char *fri_summary_time (gint64 unix_us);
JsonObject *fri_summary_stages (JsonObject *document);

G_END_DECLS

#endif
