/* SPDX-License-Identifier: Apache-2.0 */
/* export.h: what sinks of models share: a directory that is whole or not there, the files beside
 * the weights, the weights themselves with an adapter merged, and the model card.
 */
#ifndef FLOWRUN_LM_EXPORT_H
#define FLOWRUN_LM_EXPORT_H

#include <flowrun/element.h>
#include <flowrun/error.h>
#include <flowrun/host.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/model.h"

G_BEGIN_DECLS

/* ---- folder.c: a directory that is whole or not there ---------------------------------- */

/**
 * LmFolder: files go into a fresh directory beside the final one, which gets its name when all are synced.
 * An earlier export of the same element is replaced in one step; a directory of anybody else's is never touched: exports
 * are known by the mark that lm_card_text() puts into README.md.
 */
typedef struct _LmFolder LmFolder;

/** lm_folder_check: whether @path may be written by @element ("sink.onnx"): not there, empty, or made by it; FR_ERROR_CONFIG. */
gboolean lm_folder_check (const char *path, const char *element, GError **error);
/** lm_folder_bind: the same for an element's bind, as a problem of the parameter "path". */
gboolean lm_folder_bind (FrBind *bind, const char *path, const char *element);
/** lm_folder_new: a fresh directory beside @path; FR_ERROR_CONFIG, FR_ERROR_IO. */
LmFolder *lm_folder_new (const char *path, const char *element, GError **error);
/** lm_folder_free: removes the fresh directory unless it was committed; NULL is fine. */
void lm_folder_free (LmFolder *folder);
/** lm_folder_dir: where to write; owned by the folder. */
const char *lm_folder_dir (const LmFolder *folder);
/** lm_folder_write: a file of @len bytes (-1: up to the 0); lm_folder_copy: one with the bytes of @from.  @name may
 * name a directory below ("onnx/x"), which is made.  FR_ERROR_IO. */
gboolean lm_folder_write (LmFolder *folder, const char *name, const char *text, gssize len,
                          GError **error);
gboolean lm_folder_copy (LmFolder *folder, const char *name, const char *from, GError **error);
/** lm_folder_write_json: @object (borrowed) as Python's json.dumps (indent=2) has it. */
gboolean lm_folder_write_json (LmFolder *folder, const char *name, JsonObject *object,
                               GError **error);
/** lm_folder_commit: puts the directory at its place in one step, in place of one that was there. */
gboolean lm_folder_commit (LmFolder *folder, GError **error);
/** lm_folder_finish: the same, for a sink's finish: tells @host of every file under @path; @n_files: how many. */
gboolean lm_folder_finish (LmFolder *folder, FrHost *host, const char *path, guint *n_files,
                           GError **error);
/** lm_folder_names: relative names of all files in it, sorted; NULL-terminated; g_strfreev(). */
char **lm_folder_names (const LmFolder *folder);

/* ---- side.c: what lies beside the weights --------------------------------------------- */

/** lm_export_apart: that @path is not the directory @model is made from; FR_ERROR_CONFIG. */
gboolean lm_export_apart (LmModel *model, const char *path, GError **error);

/** LmExportWhat: what a sink writes: its parameter "what". */
typedef enum {
  LM_EXPORT_AUTO,    /* what suits the model */
  LM_EXPORT_MODEL,   /* a model without adapter: tuned, or as it came */
  LM_EXPORT_MERGED,  /* the base model with the adapter added to its weights */
  LM_EXPORT_ADAPTER  /* the adapter alone */
} LmExportWhat;

/**
 * lm_export_choose: @what for @model: never LM_EXPORT_AUTO, which is LM_EXPORT_MODEL without an adapter and @adapted
 * with one.  FR_ERROR_CONFIG, and -1, when the model is not of that kind.
 */
int lm_export_choose (LmModel *model, LmExportWhat what, LmExportWhat adapted, GError **error);
/**
 * lm_export_side_files: tokenizer, template, generation settings and licence files: the base's, byte for byte, or made
 * from a GGUF's own.  config.json is not among them: lm_config_export().
 */
gboolean lm_export_side_files (LmModel *model, LmFolder *folder, GError **error);
/** lm_export_generation: a generation_config.json made from the model's config; json_object_unref(). */
JsonObject *lm_export_generation (LmModel *model);

/* ---- gate.c: a model leaves only where a report lets it ---------------------------------- */

/* A sink's port of that name. */
#define LM_EXPORT_GATE                                                                             \
  FR_PORT ("gate", FR_PORT_REPORT,                                                                 \
           "an evaluator's report with limits: where one was passed, nothing is written",          \
           .flags = FR_PORT_OPTIONAL, .object = &fr_report_type)

/** lm_export_gate_bind: for an element's bind: a report that is known to hold no limits is a problem. */
gboolean lm_export_gate_bind (FrBind *bind);
/**
 * lm_export_gate: waits for the report at port "gate".
 * @path: of what would be written, for the message
 * @open: whether it may be; TRUE where nothing is connected
 * @error: FR_ERROR_CONFIG: the report holds no limits
 *
 * A closed gate is no failure: it is counted as held_back, and the run ends with status 3.
 */
FrFlow lm_export_gate (FrHost *host, const char *path, gboolean *open, GError **error);

/**
 * lm_export_run: the run of a sink: waits for the gate, takes the model of port "in" and writes it.
 * @path: as for lm_export_gate()
 * @model: (out) (transfer full): NULL where nothing is written
 * @write: called once with @model set
 */
FrFlow lm_export_run (FrHost *host, const char *path, LmModel **model,
                      gboolean (*write) (gpointer state, FrHost *host, GError **error),
                      gpointer state, GError **error);

/* ---- rows.c: weights as they should be --------------------------------------------------- */

/**
 * LmRows: one tensor in F32, row by row: fp32 (W), and with its adapter + scale · B · A, on the very weights that were
 * trained with (a quantised base is widened first).  A vector is one row.  Holds two rows of memory.
 * @rows, @cols: its shape
 * @module: the adapter's part that is added; NULL: none
 */
typedef struct {
  const LmTensor *tensor;
  const LmLoraModule *module;
  gsize rows, cols;
  float *row, *delta; /* of one row */
} LmRows;

/** lm_rows_init: of @tensor of @model (borrowed, both outlive it); @merge: with the model's adapter, if there is one. */
void lm_rows_init (LmRows *rows, LmModel *model, const LmTensor *tensor, gboolean merge);
void lm_rows_clear (LmRows *rows);
/** lm_rows_get: row @i; valid until the next call. */
const float *lm_rows_get (LmRows *rows, gsize i);
/** lm_rows_part: numbers [@from, @from + @n) of row @i; @from a multiple of the type's block (256 is of all); valid until the next call. */
const float *lm_rows_part (LmRows *rows, gsize i, gsize from, gsize n);
/** lm_export_module: the adapter's part for the weight @name of @model; NULL: none. */
const LmLoraModule *lm_export_module (LmModel *model, const char *name);

/* ---- card.c: README.md ------------------------------------------------------------------- */

/**
 * LmCard: what the model card says besides what it finds in the model itself.
 * @element: who made it ("sink.onnx"): the mark that lm_folder_check() looks for
 * @library: library_name of the YAML in front ("transformers", "peft", "onnx")
 * @what: one line: "the base model with its adapter merged"
 * @facts: more rows of the first table: names and values; NULL: none
 * @usage: Markdown: how to load it; NULL: none
 * @verification: a section of this name: what was checked after writing and what came out; NULL: none
 */
typedef struct {
  LmModel *model;
  const char *element, *library, *what;
  JsonObject *facts;
  const char *usage;
  JsonObject *verification;
} LmCard;

/** lm_card_text: base, hashes, licence, facts, usage, verification and the facts of the training; g_free(). */
char *lm_card_text (const LmCard *card);

/* ---- verify.c: what was written, read again and run --------------------------------------- */

/**
 * LmLogitCheck: logits of a model that was read again against those of the model in memory, over one short text.
 * @n_tokens: rows that were compared
 * @error: root mean square difference over the spread of the logits, both taken from the mean of their row
 * @largest: difference of one logit
 * @divergence: Kullback-Leibler divergence of the predictions, nats a token
 * @same_top: rows whose most likely token is the same
 */
typedef struct {
  guint n_tokens;
  double error, largest, divergence;
  guint same_top;
} LmLogitCheck;

/**
 * lm_verify_logits: runs both models, in F32, with the best backend and always two threads, so that the figures do not
 * depend on how many there are; each decoder is gone before the next begins.
 * @host: of the stage; may be NULL
 * @limit: of the error, such as lm_verify_limit()
 * @error: FR_ERROR_DATA: beyond @limit, or not finite
 */
gboolean lm_verify_logits (FrHost *host, LmModel *memory, LmModel *again, double limit,
                           LmLogitCheck *check, GError **error);
/** lm_verify_limit: the largest error that rounding to @type explains; a model that is put together wrongly is off by about 1. */
double lm_verify_limit (LmType type);
/** lm_verify_tokenizer: that both tokenizers give the same ids for texts of many kinds; *@n_ids of them; FR_ERROR_DATA. */
gboolean lm_verify_tokenizer (LmModel *memory, LmModel *again, guint *n_ids, GError **error);
/** lm_verify_add: the figures as members of @out, for report, manifest and card. */
void lm_verify_add (JsonObject *out, const LmLogitCheck *check);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFolder, lm_folder_free)

G_END_DECLS

#endif
